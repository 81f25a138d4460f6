/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp.h - the system call filter of the container process (runtime-spec config-linux.md
 * "Seccomp").
 *
 * The profile becomes a classic BPF program before any process is made; the child only hands it to
 * the kernel. seccomp_program.c generates it with libseccomp (seccomp_program_none.c: built
 * without), seccomp_cache.[ch] keep generated ones, seccomp_notify.c talks to the agent that
 * SCMP_ACT_NOTIFY needs.
 */
#ifndef KIST_SECCOMP_H
#define KIST_SECCOMP_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "show.h"

#define SECCOMP_MAX_INSTRUCTIONS 4096 /* BPF_MAXINSNS of the kernel */

/*
 * When to load.  Without no_new_privs loading needs CAP_SYS_ADMIN, so it comes before the user is
 * switched; with it, it comes last, so that the profile need not allow what the runtime itself
 * does; but where an agent is to get the listener, as long as kist is there to send it.  A process
 * that forks into an inhabited PID namespace loads it right before that, if the profile allows the
 * rest of the way (seccomp_joiner.c); else its child must.
 */
enum seccomp_when {
	SECCOMP_LAST,
	SECCOMP_PRIVILEGED,
	SECCOMP_JOINER,
	SECCOMP_INSIDE, /* before "ready", by the process that executes the program */
};

struct seccomp_plan {
	bool enabled; /* there is a profile */
	struct sock_filter *program;
	size_t n_program;   /* instructions */
	unsigned int flags; /* SECCOMP_FILTER_FLAG_* */
	enum seccomp_when when;
	bool notify;		    /* some rule is SCMP_ACT_NOTIFY: an agent gets the listener */
	const char *listener_path;  /* the agent's AF_UNIX socket on the host */
	const char *notify_text[3]; /* the agent's message; the pid stands between the pieces */
};

/*
 * Fills the plan but for the program, which comes from seccomp_cache_get() or seccomp_program().
 * Errors: errnoRet with an action that takes none, an argument index above 5, NOTIFY as default,
 * without listenerPath, or for a call that the runtime itself needs afterwards.
 */
int seccomp_compile(const struct oci_config *c, const struct oci_process *p, const struct host *h,
		    struct arena *a, struct seccomp_plan *out, struct error *err);

/*
 * Loads the filter into the calling process.  *listener: the descriptor for the agent, or -1 where
 * there is none.  From here on the profile decides about every call of this process; after it only
 * what exec needs should follow.
 */
int seccomp_run(const struct seccomp_plan *p, int *listener, struct error *err);

void seccomp_show(const struct seccomp_plan *p, struct show *out);

/* Whether two conditions concern the same argument: then each is a rule of its own. */
bool seccomp_has_alternatives(const struct oci_syscall *rule);

/* seccomp_program.c ------------------------------------------------------------------------- */

/*
 * Generates out->program from the profile of c (which has one).  Pure: memory of a, and a memfd
 * that is closed again.  Errors: no libseccomp in this build, an architecture or rule that
 * libseccomp refuses, a program above the kernel's limit.  Unknown system call names are skipped
 * (debug line).
 */
int seccomp_program(const struct oci_config *c, struct arena *a, struct seccomp_plan *out,
		    struct error *err);

/*
 * Names of the architectures that a profile may list: those that this libseccomp makes filters for
 * on this machine (it mixes no byte orders).  NULL-terminated, in a; empty without libseccomp.
 */
const char *const *seccomp_library_archs(struct arena *a);

/* Version of libseccomp in v[3]: major, minor, micro; zeros when built without. */
void seccomp_library_version(unsigned int v[3]);

/* seccomp_tree.c -------------------------------------------------------------------------- */

/*
 * Replaces p->program by a smaller one that answers the same to every call, if it finds one.
 * Allocates in a; touches nothing else.
 */
void seccomp_tree(struct seccomp_plan *p, struct arena *a);

/* seccomp_joiner.c ------------------------------------------------------------------------ */

/* What the new process does on the rest of its way, besides what each does. */
enum seccomp_join {
	SECCOMP_JOIN_SESSION = 1,	/* begins a session */
	SECCOMP_JOIN_TERMINAL = 2,	/* takes a terminal */
	SECCOMP_JOIN_LIMITS = 4,	/* sets resource limits */
	SECCOMP_JOIN_ASKS = 8,		/* asks kist for something */
	SECCOMP_JOIN_WAITS = 16,	/* waits for `start` */
	SECCOMP_JOIN_DROPS = 32,	/* lets go of the capability that loading took */
};

/* What a profile must allow for that, for messages. */
#define SECCOMP_JOIN_NAMES \
	"clone, prctl, poll, close, exit_group, capset, sendmsg, recvmsg, prlimit64, for a " \
	"terminal setsid, and what an exec needs"

/*
 * Whether the filter may be loaded before the fork into an inhabited PID namespace: it allows the
 * fork, and whatever system call kist makes after it; what comes after the message to the agent may
 * as well be for the agent to decide.  does: of enum seccomp_join.
 */
bool seccomp_lets_join(const struct seccomp_plan *p, unsigned int does);

/*
 * The name of a system call that kist must make under the filter to execute the program, and at
 * which the filter kills the process; NULL: there is none.  Nobody could tell such a death from
 * that of a program which ended at once, once the process was reaped.
 */
const char *seccomp_ends_at(const struct seccomp_plan *p);

/* seccomp_notify.c -------------------------------------------------------------------------- */

/*
 * Prepares the agent's message (config-linux.md "The Container Process State"); a plan without
 * notify is left alone. status: of the container, "creating" or, for exec, "running".
 */
void seccomp_notify_compile(const struct oci_config *c, const char *id, const char *bundle,
			    const char *status, struct arena *a, struct seccomp_plan *plan);

/*
 * Connects to the agent.  In the parent, before any process is made.  A descriptor, or negative
 * with err.  cancel: a descriptor that ends the wait when it is readable.
 */
int seccomp_notify_connect(const struct seccomp_plan *p, int cancel, struct error *err);

/*
 * Sends message and listener.  In the parent, which alone is connected with the agent: whoever may
 * have taken over the container's process must not speak for kist.  pid: the container's process,
 * by the kernel's word.
 */
int seccomp_notify_send(const struct seccomp_plan *p, int agent, int listener, pid_t pid,
			struct error *err);

#endif
