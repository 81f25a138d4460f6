/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc_context.h - a procfs of a PID namespace that is joined, opened from inside.
 *
 * Before Linux 6.18 a procfs is always of the PID namespace in which its fs context was opened.
 * Who lives in there may have CAP_SYS_PTRACE, so the process that opens it can do nothing else,
 * from its birth on.  Its seccomp filter lets it do fsopen("proc") by a name in memory that not
 * even a tracer can write, sendmsg() on its one descriptor, exit, and make another of its kind.  It
 * has CAP_SYS_ADMIN, which fsopen() wants, and no other capability, an empty directory as its root,
 * and an environment of zeros.  Who takes it over gets a procfs of the namespace that he is in,
 * which he may neither make nor mount.
 *
 * Three processes: the first one of the container, outside, receives; its child, outside too,
 * prepares; that one's child, by CLONE_PARENT a child of the first, is born inside.
 */
#ifndef KIST_PROC_CONTEXT_H
#define KIST_PROC_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Memory that the two processes outside share, and the one inside has not. */
struct proc_context_shared {
	volatile int32_t pid;	  /* of the process inside, as seen outside, by the kernel */
	volatile uint32_t failed; /* error is valid */
	struct error error;
};

/* NULL with err. */
struct proc_context_shared *proc_context_share(struct error *err);
void proc_context_unshare(struct proc_context_shared *shared);

/* Both ends of the channel; those who send on ends[1] are known.  0 or negative. */
int proc_context_channel(int ends[2], struct error *err);

/*
 * In the process that prepares: whose children are born in the PID namespace, in a mount namespace
 * of its user namespace, and without the kist binary.  It gives up all that it has, makes the
 * process that opens `count` contexts, and ends.  An error is in `shared`.
 */
void proc_context_open_run(struct proc_context_shared *shared, unsigned int count, int channel)
	__attribute__((noreturn));

/* The same for an error before that. */
void proc_context_fail(struct proc_context_shared *shared, const struct error *err)
	__attribute__((noreturn));

/* Waits for `preparer`, a child, to end.  0 or negative. */
int proc_context_wait(const struct proc_context_shared *shared, pid_t preparer, struct error *err);

/* The next context that the process inside sends: a descriptor, or negative. */
int proc_context_receive(const struct proc_context_shared *shared, int channel, struct error *err);

/* Ends the process inside, if there is one. */
void proc_context_end(const struct proc_context_shared *shared);

#endif
