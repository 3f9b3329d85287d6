// Loads the probes and speaks for them, one line each way.
//
//   aion-probes SLOW_NANOSECONDS
//
// First it says {"ready":true}, or {"error":"why not"} and ends with status 2. Then, on stdin:
//   watch KEY FOLDER   count what the processes of this group of cgroup version 2 do   {"watching":KEY} or {"error":"…"}
//   unwatch KEY        count it no more, and forget it                               {"forgotten":KEY}
//   read               {"groups":[{"key":1,"calls":…,"denied":…,"read_bytes":…,…,"buckets":[…]}]}
// It ends with its stdin, and the probes with it.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "probes.skel.h"

#define GROUPS_MAX 1024
#define BUCKETS 32

struct group {
  unsigned long long calls, denied, read_bytes, written_bytes, timed_calls, timed_ns, slow_calls, buckets[BUCKETS];
};

struct watched {
  unsigned long long key, id;
};

static struct watched all[GROUPS_MAX];
static int count;

// Of x86_64: open close stat fstat lstat lseek mmap mprotect munmap brk access fork execve rename mkdir rmdir unlink readlink ftruncate
// getdents64 fsync fdatasync openat mkdirat newfstatat unlinkat renameat readlinkat faccessat memfd_create execveat statx.
static const int TIMED[] = {2,  3,  4,  5,  6,  8,   9,   10,  11,  12,  21,  57,  59,  74,  75,  77,
                            82, 83, 84, 87, 89, 217, 257, 258, 262, 263, 264, 267, 269, 319, 322, 332};
static const int READS[] = {0, 17, 19, 295};
static const int WRITES[] = {1, 18, 20, 296};
static const int COPIES[] = {326};

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments) {
  return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

static void mark(const volatile unsigned char *numbers, const int *list, size_t length, unsigned char with) {
  for (size_t i = 0; i < length; i++) ((unsigned char *)numbers)[list[i]] = with;
}

static int unavailable(const char *what, int error) {
  printf("{\"error\":\"%s: %s\"}\n", what, strerror(error));
  fflush(stdout);
  return 2;
}

static int place_of(unsigned long long key) {
  for (int i = 0; i < count; i++)
    if (all[i].key == key) return i;
  return -1;
}

static void watch(int map, unsigned long long key, const char *folder) {
  struct stat about;
  struct group nothing = {0};
  if (count == GROUPS_MAX || place_of(key) >= 0 || stat(folder, &about)) {
    printf("{\"error\":\"cannot watch %llu\"}\n", key);
    return;
  }
  unsigned long long id = about.st_ino;
  if (bpf_map_update_elem(map, &id, &nothing, BPF_ANY)) {
    printf("{\"error\":\"%s\"}\n", strerror(errno));
    return;
  }
  all[count++] = (struct watched){key, id};
  printf("{\"watching\":%llu}\n", key);
}

static void unwatch(int map, unsigned long long key) {
  int place = place_of(key);
  if (place >= 0) {
    bpf_map_delete_elem(map, &all[place].id);
    all[place] = all[--count];
  }
  printf("{\"forgotten\":%llu}\n", key);
}

static void read_all(int map) {
  struct group group;
  printf("{\"groups\":[");
  const char *between = "";
  for (int i = 0; i < count; i++) {
    if (bpf_map_lookup_elem(map, &all[i].id, &group)) continue;
    printf(
        "%s{\"key\":%llu,\"calls\":%llu,\"denied\":%llu,\"read_bytes\":%llu,\"written_bytes\":%llu,"
        "\"timed_calls\":%llu,\"timed_ns\":%llu,\"slow_calls\":%llu,\"buckets\":[",
        between, all[i].key, group.calls, group.denied, group.read_bytes, group.written_bytes, group.timed_calls,
        group.timed_ns, group.slow_calls);
    for (int b = 0; b < BUCKETS; b++) printf("%s%llu", b ? "," : "", group.buckets[b]);
    printf("]}");
    between = ",";
  }
  printf("]}\n");
}

int main(int arguments, char **argument) {
  libbpf_set_print(quiet);
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  struct probes_bpf *probes = probes_bpf__open();
  if (!probes) return unavailable("cannot open the probes", errno);
  probes->rodata->slow_ns = arguments > 1 ? strtoull(argument[1], 0, 10) : 50000000ULL;
  mark(probes->rodata->timed, TIMED, sizeof TIMED / sizeof *TIMED, 1);
  mark(probes->rodata->moves, READS, sizeof READS / sizeof *READS, 1);
  mark(probes->rodata->moves, WRITES, sizeof WRITES / sizeof *WRITES, 2);
  mark(probes->rodata->moves, COPIES, sizeof COPIES / sizeof *COPIES, 3);
  if (probes_bpf__load(probes)) return unavailable("this host does not load the probes", errno);
  if (probes_bpf__attach(probes)) return unavailable("this host does not attach the probes", errno);
  int map = bpf_map__fd(probes->maps.groups);
  printf("{\"ready\":true}\n");
  fflush(stdout);

  char line[4200];
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    unsigned long long key;
    int folder = 0;
    if (sscanf(line, "watch %llu %n", &key, &folder) == 1 && folder > 0)
      watch(map, key, line + folder);
    else if (sscanf(line, "unwatch %llu", &key) == 1)
      unwatch(map, key);
    else if (!strcmp(line, "read"))
      read_all(map);
    else
      printf("{\"error\":\"no such command\"}\n");
    fflush(stdout);
  }
  probes_bpf__destroy(probes);
  return 0;
}
