/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc.h - /proc, reached only through a descriptor whose type was checked (CVE-2019-16884,
 * CVE-2025-52881).
 */
#ifndef KIST_BASE_PROC_H
#define KIST_BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_ROOT_INODE 1	/* PROC_ROOT_INO in include/linux/proc_fs.h */

/* O_PATH descriptor of the host's /proc, checked to be procfs' root.  >= 0 or -errno. */
int proc_open(void);

/*
 * Opens a file below a procfs descriptor with openat2(RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS |
 * RESOLVE_BENEATH), so that nothing mounted over a part of /proc is met.  "self/..." and
 * "thread-self/..." are resolved to the caller's pid first.  >= 0 or -errno.
 */
int proc_open_file(int proc, const char *path, int flags);
int proc_write(int proc, const char *path, const char *text);
ssize_t proc_read(int proc, const char *path, char *buf, size_t size);

/* For qsort(3) and bsearch(3) of pid_t: ascending. */
int proc_compare_pids(const void *a, const void *b);

struct proc_stat {
	pid_t ppid;
	char state;			/* 'R' 'S' 'D' 'Z' 'T' ... */
	uint64_t threads;		/* also those that outlive a first thread in state 'Z' */
	uint64_t start_time;		/* clock ticks since boot: with the pid, its identity */
	bool executed;			/* a program since it was forked */
	bool exiting;			/* on its way out; has its number until it is reaped */
	bool killed;			/* SIGKILL waits for its first thread */
	int exit_status;		/* as of wait(2), when it has ended and may be looked at */
};

/* Reads /proc/PID/stat.  0, -ESRCH (no such process) or -errno. */
int proc_stat(int proc, pid_t pid, struct proc_stat *out);

/* Who traces a process. */
struct proc_tracer {
	pid_t pid;	/* 0: nobody */
	char name[64];	/* its short name: any bytes, of its own choice */
};

/* 0, -ESRCH (no such process) or -errno. */
int proc_tracer(int proc, pid_t pid, struct proc_tracer *out);

/*
 * A thread of the process that has not ended; its number is good for /proc, too.  -ESRCH: there is
 * none; or another -errno.
 */
pid_t proc_live_thread(int proc, pid_t pid);

#endif
