// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// Counts what the processes of watched groups ask of Linux. Runs inside Linux, at every system call, so it does as little as it can: a
// call outside of the watched groups costs one lookup.
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

// Linux lends its helpers to programs under the GPL alone, so this one file has two licences.
char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define GROUPS_MAX 1024
#define BUCKETS 32
#define NUMBERS_MAX 512
#define EPERM 1
#define FILE_TYPE 0170000
#define REGULAR_FILE 0100000

// System calls that have no reason to wait, by their number on x86_64: only these are timed. What waits for a peer, a child or a clock says
// nothing when it takes long.
const volatile __u8 timed[NUMBERS_MAX];
// Of those that move bytes: 1 reads, 2 writes, 3 both. Counted, and timed, on regular files alone.
const volatile __u8 moves[NUMBERS_MAX];
const volatile __u64 slow_ns;

struct group {
  __u64 calls;
  __u64 denied;
  __u64 read_bytes;
  __u64 written_bytes;
  __u64 timed_calls;
  __u64 timed_ns;
  __u64 slow_calls;
  __u64 buckets[BUCKETS];  // of timed calls, by the logarithm to base 2 of their microseconds
};

struct begun {
  __u64 at_ns;
  __u8 is_timed;
  __u8 move;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, GROUPS_MAX);
  __type(key, __u64);  // id of the group in the hierarchy of version 2
  __type(value, struct group);
} groups SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct begun);
} calls_begun SEC(".maps");

static __always_inline int is_regular_file(struct task_struct *task, __u64 descriptor) {
  struct fdtable *table = BPF_CORE_READ(task, files, fdt);
  if (descriptor >= BPF_CORE_READ(table, max_fds)) return 0;
  struct file **all = BPF_CORE_READ(table, fd);
  struct file *file = 0;
  if (bpf_probe_read_kernel(&file, sizeof file, &all[descriptor]) || !file) return 0;
  return (BPF_CORE_READ(file, f_inode, i_mode) & FILE_TYPE) == REGULAR_FILE;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_enter, struct pt_regs *regs, long number) {
  __u64 id = bpf_get_current_cgroup_id();
  if (!bpf_map_lookup_elem(&groups, &id)) return 0;
  struct task_struct *task = bpf_get_current_task_btf();
  struct begun *begun = bpf_task_storage_get(&calls_begun, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!begun) return 0;
  begun->is_timed = 0;
  begun->move = 0;
  if (number >= 0 && number < NUMBERS_MAX) {
    begun->is_timed = timed[number];
    if (moves[number] && is_regular_file(task, PT_REGS_PARM1_CORE_SYSCALL(regs))) {
      begun->move = moves[number];
      begun->is_timed = 1;
    }
  }
  begun->at_ns = bpf_ktime_get_ns();
  return 0;
}

static __always_inline void time_it(struct group *group, __u64 took_ns) {
  __sync_fetch_and_add(&group->timed_calls, 1);
  __sync_fetch_and_add(&group->timed_ns, took_ns);
  if (took_ns >= slow_ns) __sync_fetch_and_add(&group->slow_calls, 1);
  __u64 left = took_ns / 1000;
  __u32 bucket = 0;
#pragma unroll
  for (int i = 0; i < BUCKETS - 1; i++) {
    if (left) {
      left >>= 1;
      bucket++;
    }
  }
  if (bucket < BUCKETS) __sync_fetch_and_add(&group->buckets[bucket], 1);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_exit, struct pt_regs *regs, long result) {
  __u64 id = bpf_get_current_cgroup_id();
  struct group *group = bpf_map_lookup_elem(&groups, &id);
  if (!group) return 0;
  __sync_fetch_and_add(&group->calls, 1);
  struct begun *begun = bpf_task_storage_get(&calls_begun, bpf_get_current_task_btf(), 0, 0);
  if (!begun || !begun->at_ns) {
    // A seccomp filter comes before the first probe: what it denies ends without having begun.
    if (result == -EPERM) __sync_fetch_and_add(&group->denied, 1);
    return 0;
  }
  if (begun->is_timed) time_it(group, bpf_ktime_get_ns() - begun->at_ns);
  if (result > 0 && (begun->move & 1)) __sync_fetch_and_add(&group->read_bytes, result);
  if (result > 0 && (begun->move & 2)) __sync_fetch_and_add(&group->written_bytes, result);
  begun->at_ns = 0;
  return 0;
}
