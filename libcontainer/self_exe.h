/* SPDX-License-Identifier: Apache-2.0 */
/*
 * self_exe.h - the runtime's own binary, out of the container's reach (CVE-2019-5736).
 *
 * A process of the runtime that enters a container can be looked at through /proc/PID/exe, and an
 * image may ask for
 * "/proc/self/exe" as its program.  Both must not lead to the host's binary.  The usual answer, to
 * execute a sealed copy of oneself first, costs a second start of the program.  Here the process
 * gets rid of its binary in place:
 *
 *  1. every mapping of the file is replaced by one of equal content: data by anonymous memory, code
 * by the same file seen through a detached read-only mount, or by anonymous memory too;
 *  2. PR_SET_MM_MAP makes an empty sealed memfd the executable of the process.
 *
 * Nobody must trust step 1: the kernel refuses step 2 with EBUSY while any mapping of the old file
 * is left. Afterwards /proc/PID/exe is a file of no bytes that cannot be written or executed. Where
 * the kernel lacks PR_SET_MM_MAP (no CONFIG_CHECKPOINT_RESTORE), self_exe_reexec() does it the
 * usual way.
 *
 * Source: prctl(2) PR_SET_MM_MAP, memfd_create(2), kernel/sys.c prctl_set_mm_map(), kernel/fork.c
 * replace_mm_exe_file().
 */
#ifndef KIST_SELF_EXE_H
#define KIST_SELF_EXE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define SELF_EXE_SEGMENTS_MAX 8

/* A file-backed part of the program in memory, in whole pages. */
struct self_exe_segment {
	char *start;
	size_t len;
	off_t offset;		/* in the file */
	int prot;		/* PROT_* */
};

struct self_exe {
	bool active; /* false: the process already runs from a sealed copy */
	int exe;     /* empty, sealed, executable memfd */
	int source;  /* the binary through a read-only mount, or -1 */
	int tree;    /* that mount; closed late, since the kernel then waits for RCU (40-75 us) */
	dev_t dev;   /* identity of the binary */
	ino_t ino;
	struct self_exe_segment segments[SELF_EXE_SEGMENTS_MAX];
	size_t n_segments;
	char *relro;		/* read-only after relocation; part of the writable segment */
	size_t relro_len;
	char title[16];		/* what /proc/PID/cmdline shows instead of the caller's arguments */
	char path[4096];	/* of the binary; "" when source is open or the path is unknown */
};

#define SELF_EXE_INIT { .exe = -1, .source = -1, .tree = -1 }

/* Whether the process can do without a copy of its binary: one prctl(), no side effect. */
bool self_exe_supported(void);

/*
 * The first act of main() for the commands that enter a container.  Returns 0 at once when there is
 * nothing to do: self_exe_supported(), or /proc/self/exe is a sealed memfd already.  (The seals are
 * asked, no variable or descriptor that a caller could fake.)  Otherwise executes a sealed copy
 * with the same argv and environment and returns only on failure, negative.
 */
int self_exe_reexec(char *const *argv, struct error *err);

/*
 * In the parent: opens what self_exe_run() needs, and finds the program's segments.  proc: procfs.
 * *s must stay where it is for as long as the child lives (its title is read through /proc).
 * 0 or negative; the descriptors are the caller's to release with self_exe_close(), best while the
 * child works.
 */
int self_exe_prepare(int proc, struct self_exe *s, struct error *err);

/*
 * In the child: lets go of the binary, and closes the descriptors.  Needs CAP_SYS_ADMIN or
 * CAP_CHECKPOINT_RESTORE in the caller's user namespace (which a new or joined user namespace
 * gives).  Call it while no process of the container can see this one: before the first fork into a
 * pid namespace that is already inhabited, and in a single-threaded process.  The child's children
 * inherit the result.  Raw system calls only.
 */
int self_exe_run(struct self_exe *s, struct error *err);

void self_exe_close(struct self_exe *s);

#endif
