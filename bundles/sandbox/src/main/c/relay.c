// The first program of an agent, inside of its walls: brings what is sent to 127.0.0.1:8010 to the socket of the kernel, and starts the agent.
//
//   aion-relay [--alone] SOCKET PORT -- COMMAND [ARGUMENT ...]
//
// It listens, writes the byte 6 (ACK) to stdout, and starts the command as its child, which gets a process group and a filter of its own:
// it may not listen, and with --alone not start other processes (threads it may). From then on stdout and stderr are the child's.
// On stdin the kernel speaks: a byte T asks the child to end (SIGTERM, to its group); the end of stdin ends everything at once.
// Ends with the child: with its status, or 128 and the number of the signal that ended it. 125: it could not begin. 126, 127: the command cannot be run.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_LAUNCHED 125
#define NOT_RUNNABLE 126
#define NOT_FOUND 127
#define READY 6

// Beyond them clients wait in the backlog: more than a program that waits for answers needs, 2 MiB at most.
#define CONNECTIONS_MAX 64
#define BACKLOG 128
#define BUFFER_BYTES 16384

// One direction of a connection.
struct pipe {
  int start, end, ended, passed_on;
  char bytes[BUFFER_BYTES];
};

// Side 0 is the client's, side 1 the kernel's; pipe[i] holds what came from side i.
struct connection {
  int side[2];
  struct pipe pipe[2];
};

static struct connection *connections[CONNECTIONS_MAX];
static int count;

static void fail(const char *what) {
  fprintf(stderr, "aion-relay: %s: %s\n", what, strerror(errno));
  exit(NOT_LAUNCHED);
}

// --- the child ------------------------------------------------------------------------------------------------------

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF_EQUAL(value, then, otherwise) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, then, otherwise)
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, action)

// A second filter, behind the one that we got ourselves; of two answers the stricter holds. Calls by other numbers (x32, i386) the first one refuses.
static void confine(int alone) {
  struct sock_filter program[] = {
      LOAD(arch),
      IF_EQUAL(AUDIT_ARCH_X86_64, 1, 0),
      ANSWER(SECCOMP_RET_KILL_PROCESS),
      LOAD(nr),
      IF_EQUAL(__NR_bind, 10, 0),
      IF_EQUAL(__NR_listen, 9, 0),
      IF_EQUAL(__NR_accept, 8, 0),
      IF_EQUAL(__NR_accept4, 7, 0),
      IF_EQUAL(alone ? __NR_fork : __NR_bind, 6, 0),
      IF_EQUAL(alone ? __NR_vfork : __NR_bind, 5, 0),
      IF_EQUAL(alone ? __NR_clone : __NR_bind, 1, 0),
      ANSWER(SECCOMP_RET_ALLOW),
      LOAD(args[0]),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1),
      ANSWER(SECCOMP_RET_ALLOW),
      ANSWER(SECCOMP_RET_ERRNO | EPERM),
  };
  struct sock_fprog filter = {sizeof program / sizeof *program, program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) fail("cannot give up privileges");
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)) fail("cannot set the filter of the agent");
}

static void become(char **command, int alone, const sigset_t *signals) {
  setpgid(0, 0);
  int nothing = open("/dev/null", O_RDONLY);
  if (nothing < 0 || dup2(nothing, 0) < 0) fail("cannot open /dev/null");
  if (nothing > 0) close(nothing);
  signal(SIGPIPE, SIG_DFL);
  sigprocmask(SIG_SETMASK, signals, NULL);
  confine(alone);
  execvp(*command, command);
  fprintf(stderr, "%s: %s\n", *command, strerror(errno));
  _exit(errno == ENOENT ? NOT_FOUND : NOT_RUNNABLE);
}

// --- connections ----------------------------------------------------------------------------------------------------

static int listening(int port) {
  int on = 1, from = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (from < 0) fail("cannot make a socket");
  setsockopt(from, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(from, (struct sockaddr *)&here, sizeof here) || listen(from, BACKLOG)) fail("cannot listen");
  return from;
}

// Tells the other end at once that nobody will answer, as no kernel would.
static void reset(int client) {
  struct linger now = {1, 0};
  setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(client);
}

static void end(int place) {
  struct connection *ended = connections[place];
  // What the kernel has not said to its end is broken off, not finished.
  if (ended->pipe[1].ended)
    close(ended->side[0]);
  else
    reset(ended->side[0]);
  close(ended->side[1]);
  free(ended);
  connections[place] = connections[--count];
}

static void take(int from, const struct sockaddr_un *kernel) {
  int client = accept4(from, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (client < 0) return;
  struct connection *made = malloc(sizeof *made);
  int up = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (!made || up < 0 || connect(up, (const struct sockaddr *)kernel, sizeof *kernel)) {
    if (up >= 0) close(up);
    free(made);
    reset(client);
    return;
  }
  made->side[0] = client;
  made->side[1] = up;
  for (int i = 0; i < 2; i++) made->pipe[i].start = made->pipe[i].end = made->pipe[i].ended = made->pipe[i].passed_on = 0;
  connections[count++] = made;
}

static int again(void) { return errno == EAGAIN || errno == EINTR; }

// Moves what can be moved from one side to the other; -1 if the connection is broken.
static int move(struct connection *all, int from) {
  struct pipe *pipe = &all->pipe[from];
  if (!pipe->ended && pipe->start == pipe->end) {
    ssize_t got = recv(all->side[from], pipe->bytes, BUFFER_BYTES, 0);
    if (got < 0 && !again()) return -1;
    pipe->start = 0;
    pipe->end = got > 0 ? got : 0;
    pipe->ended = got == 0;
  }
  if (pipe->start < pipe->end) {
    ssize_t put = send(all->side[!from], pipe->bytes + pipe->start, pipe->end - pipe->start, MSG_NOSIGNAL);
    if (put < 0 && !again()) {
      if (from) return -1;
      // The kernel listens no more, but may have said why: that is still brought to the client.
      pipe->ended = pipe->passed_on = 1;
      pipe->start = pipe->end;
    }
    if (put > 0) pipe->start += put;
  }
  if (pipe->ended && pipe->start == pipe->end && !pipe->passed_on) {
    shutdown(all->side[!from], SHUT_WR);
    pipe->passed_on = 1;
  }
  return 0;
}

static short wanted(const struct connection *all, int side) {
  const struct pipe *in = &all->pipe[side], *out = &all->pipe[!side];
  return (!in->ended && in->start == in->end ? POLLIN : 0) | (out->start < out->end ? POLLOUT : 0);
}

// Serves every connection that something has happened to. Last to first: one that ends is replaced by the last.
static void serve(const struct pollfd *about, int served) {
  for (int i = served - 1; i >= 0; i--) {
    int happened[2] = {about[2 * i].revents, about[2 * i + 1].revents}, broken = 0;
    if (!happened[0] && !happened[1]) continue;
    for (int side = 0; side < 2; side++) {
      broken |= (happened[side] & (POLLERR | POLLNVAL)) && !(happened[side] & (POLLIN | POLLOUT));
      if (!broken) broken = move(connections[i], side) < 0;
    }
    // A client that has hung up wants no answer; what it asked, the kernel was told.
    broken |= (happened[0] & POLLHUP) && !(happened[0] & POLLIN);
    // The kernel's answer is whole once it has ended it, whatever the client would still send.
    if (broken || connections[i]->pipe[1].passed_on) end(i);
  }
}

// --- the whole ------------------------------------------------------------------------------------------------------

// Returns the child's status once it has ended; -1 while it runs.
static int status_of(pid_t child, int signals) {
  struct signalfd_siginfo told;
  int how;
  while (read(signals, &told, sizeof told) > 0) continue;
  for (pid_t ended; (ended = waitpid(-1, &how, WNOHANG)) > 0;)
    if (ended == child) return WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
  return -1;
}

// What the kernel says; 0 once it says no more.
static int obey(pid_t child) {
  char word;
  ssize_t got = read(0, &word, 1);
  if (got > 0 && word == 'T') kill(-child, SIGTERM);
  return got > 0 || (got < 0 && again());
}

static int relay(int from, const struct sockaddr_un *kernel, pid_t child, int signals) {
  struct pollfd about[3 + 2 * CONNECTIONS_MAX];
  while (1) {
    int served = count;
    about[0] = (struct pollfd){signals, POLLIN, 0};
    about[1] = (struct pollfd){0, POLLIN, 0};
    about[2] = (struct pollfd){count < CONNECTIONS_MAX ? from : -1, POLLIN, 0};
    for (int i = 0; i < served; i++)
      for (int side = 0; side < 2; side++) {
        short events = wanted(connections[i], side);
        // One that we want nothing of would report again and again that it has hung up.
        about[3 + 2 * i + side] = (struct pollfd){events ? connections[i]->side[side] : -1, events, 0};
      }
    if (poll(about, 3 + 2 * served, -1) < 0) continue;
    if (about[0].revents) {
      int status = status_of(child, signals);
      if (status >= 0) return status;
    }
    if (about[1].revents && !obey(child)) return 128 + SIGKILL;
    serve(about + 3, served);
    if (about[2].revents) take(from, kernel);
  }
}

int main(int arguments, char **argument) {
  int alone = arguments > 1 && !strcmp(argument[1], "--alone");
  char **rest = argument + 1 + alone;
  struct sockaddr_un kernel = {.sun_family = AF_UNIX};
  if (arguments - alone < 5 || strcmp(rest[2], "--") || strlen(rest[0]) >= sizeof kernel.sun_path) {
    fprintf(stderr, "aion-relay [--alone] SOCKET PORT -- COMMAND [ARGUMENT ...]\n");
    return NOT_LAUNCHED;
  }
  strcpy(kernel.sun_path, rest[0]);
  // The agent runs as the same user: it is not to look into us, for we may do more than it.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) fail("cannot close our own memory");
  int from = listening(atoi(rest[1]));
  sigset_t ours, before;
  sigemptyset(&ours);
  sigaddset(&ours, SIGCHLD);
  sigprocmask(SIG_BLOCK, &ours, &before);
  signal(SIGPIPE, SIG_IGN);
  int signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) fail("cannot wait for the agent");
  char ready = READY;
  if (write(1, &ready, 1) != 1) fail("nobody listens");
  pid_t child = fork();
  if (child < 0) fail("cannot start the agent");
  if (!child) become(rest + 3, alone, &before);
  setpgid(child, child);
  // Its output ends when the agent's does, not ours.
  close(1);
  close(2);
  return relay(from, &kernel, child, signals);
}
