/* What a hostile or clumsy tool does, chosen by the argument "do" of the call. Built by ./build in this folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

__attribute__((import_module("aion"), import_name("effect"))) int aion_effect(const char *request, int length);
__attribute__((import_module("aion"), import_name("effect_result"))) void aion_effect_result(char *to);

static char call[1 << 16];
static char *volatile blocks; /* else the compiler sees that nobody wants them */
static int kept; /* would tell one call from the next, were an instance used twice */

static int asked(const char *what) {
  char wanted[64];
  snprintf(wanted, sizeof wanted, "\"do\":\"%s\"", what);
  return strstr(call, wanted) != 0;
}

static void answer(const char *text) { printf("{\"result\":{\"text\":\"%s\"}}", text); }

static int deep(int n) {
  volatile char frame[64];
  frame[0] = (char)n;
  return n == 0 ? 0 : deep(n + 1) + frame[0];
}

/* Says whether a path can be opened from any descriptor that could be a folder. */
static void open_everywhere(const char *path) {
  if (open(path, O_RDONLY) >= 0) { answer("opened"); return; }
  for (int fd = 0; fd < 64; fd++) {
    if (openat(fd, path, O_RDONLY) >= 0) { answer("opened"); return; }
  }
  answer("shut out");
}

static void effect(const char *request) {
  int length = aion_effect(request, (int)strlen(request));
  char *result = malloc((size_t)length + 1);
  aion_effect_result(result);
  result[length] = 0;
  printf("{\"result\":{\"effect\":%s}}", result);
}

/* Makes files until there is no more; says how many and why. */
static void fill_with_files(void) {
  char path[64];
  for (int i = 0;; i++) {
    snprintf(path, sizeof path, "/tmp/%d", i);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    if (fd < 0) { printf("{\"result\":{\"files\":%d,\"full\":%s}}", i, errno == ENOSPC ? "true" : "false"); return; }
    close(fd);
  }
}

/* Writes one file until there is no more room. */
static void fill_with_bytes(void) {
  static char block[4096];
  memset(block, 'x', sizeof block);
  int fd = open("/tmp/large", O_RDWR | O_CREAT, 0600);
  long long written = 0;
  for (;;) {
    ssize_t more = write(fd, block, sizeof block);
    if (more <= 0) break;
    written += more;
  }
  printf("{\"result\":{\"bytes\":%lld}}", written);
}

/* Writes, reads back, lists. */
static void use_files(void) {
  char text[16] = {0};
  FILE *was = fopen("/tmp/note.txt", "r");
  FILE *out = fopen("/tmp/note.txt", "w");
  if (!out) { answer("no file"); return; }
  fputs("remember", out);
  fclose(out);
  FILE *in = fopen("/tmp/note.txt", "r");
  fgets(text, sizeof text, in);
  printf("{\"result\":{\"text\":\"%s\",\"was there\":%s,\"moved\":%s,\"removed\":%s}}", text, was ? "true" : "false",
         rename("/tmp/note.txt", "/tmp/other.txt") == 0 ? "true" : "false", unlink("/tmp/other.txt") == 0 ? "true" : "false");
}

/* Seeks far beyond what there is. */
static void write_far(void) {
  int fd = open("/tmp/far", O_RDWR | O_CREAT, 0600);
  ssize_t far = pwrite(fd, "x", 1, 1LL << 62);
  int grown = ftruncate(fd, 1LL << 40);
  printf("{\"result\":{\"far\":%d,\"grown\":%d}}", (int)far, grown);
}

int main(int argc, char **argv) {
  size_t length = fread(call, 1, sizeof call - 1, stdin);
  call[length] = 0;
  kept++;
  if (asked("echo")) { printf("{\"result\":{\"kept\":%d,\"call\":%s},\"cost_usd\":0.5}", kept, call); return 0; }
  if (asked("fail")) { printf("{\"failure\":{\"code\":\"NOT_FOUND\",\"message\":\"no such city\"}}"); return 0; }
  if (asked("loop")) { for (volatile int i = 0;; i++) {} }
  if (asked("sleep")) { sleep(600); }
  if (asked("memory")) { for (;;) { blocks = malloc(1 << 20); if (blocks) memset(blocks, 1, 1 << 20); } }
  if (asked("deep")) { printf("%d", deep(1)); return 0; }
  if (asked("output")) { for (;;) puts("all work and no play"); }
  if (asked("errors")) { for (;;) fputs("all work and no play", stderr); }
  if (asked("exit")) { return 7; }
  if (asked("abort")) { abort(); }
  if (asked("wild")) { *(volatile int *)0x7ffffff0 = 1; return 0; }
  if (asked("nothing")) { return 0; }
  if (asked("noise")) { puts("this is not JSON"); return 0; }
  if (asked("environment")) { char text[32]; extern char **environ; snprintf(text, sizeof text, "%d", environ && environ[0] ? 1 : 0); answer(text); return 0; }
  if (asked("passwd")) { open_everywhere("/etc/passwd"); return 0; }
  if (asked("climb")) { open_everywhere("../../../../../../etc/passwd"); return 0; }
  if (asked("relative")) { open_everywhere("etc/passwd"); return 0; }
  if (asked("mkdir")) { answer(mkdir("/tmp/aion-escaped", 0777) == 0 ? "made" : "shut out"); return 0; }
  if (asked("symlink")) { answer(symlink("/etc", "/tmp/aion-link") == 0 ? "made" : "shut out"); return 0; }
  if (asked("use files")) { use_files(); return 0; }
  if (asked("many files")) { fill_with_files(); return 0; }
  if (asked("large file")) { fill_with_bytes(); return 0; }
  if (asked("far file")) { write_far(); return 0; }
  if (asked("effect")) { effect("{\"effect\":\"read_text\",\"path\":\"a.txt\"}"); return 0; }
  if (asked("denied")) { effect("{\"effect\":\"write_text\",\"path\":\"a.txt\",\"text\":\"x\"}"); return 0; }
  if (asked("gibberish")) { effect("{\"effect\":\"launch\"}"); return 0; }
  if (asked("long effect")) { aion_effect(call, 0x7fffffff); return 0; }
  if (asked("wild effect")) { aion_effect((const char *)0x7ffffff0, 64); return 0; }
  if (asked("wild result")) { const char *list = "{\"effect\":\"list\",\"path\":\".\"}"; aion_effect(list, (int)strlen(list)); aion_effect_result((char *)0x7ffffff0); return 0; }
  answer(argc > 0 ? argv[0] : "");
  return 0;
}
