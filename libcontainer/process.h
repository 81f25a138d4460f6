/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h - the program: its arguments, environment and working directory, how it is found, and
 * the exec.
 *
 * Order in the child: process_oom_run() while privileged, process_cwd_make_run() and
 * process_cwd_run() before the user is switched, process_cwd_run() again after it if the first
 * answer was 1, process_lookup_run() as the new user, process_exec_run() last.
 * What happens before the user is switched also belongs before a filter that is loaded early: a
 * profile need not allow openat2() or mkdirat().
 */
#ifndef KIST_PROCESS_H
#define KIST_PROCESS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "show.h"

#define PROCESS_HOME_MAX 1024

struct process_plan {
	char **argv;
	char **env; /* complete, NULL-terminated; each name once */
	/*
	 * Room of PROCESS_HOME_MAX bytes behind "HOME=" in env, for user_home_run(); NULL: HOME is
	 * configured.
	 */
	char *home;
	const char *path; /* where a name without a slash is looked for */
	const char *cwd;  /* absolute */
	bool no_new_privs;
	char *oom_score_adj; /* text for the file, or NULL: inherited */
	bool set_personality;
	unsigned long personality;
	const char *arch; /* uname -m, for explanations */
};

/*
 * Errors: args missing or empty, an env entry without "=", cwd not absolute, oomScoreAdj out of
 * range.
 */
int process_compile(const struct oci_config *c, const struct oci_process *p, const struct host *h,
		    struct arena *a, struct process_plan *out, struct error *err);

/*
 * oom_score_adj of a process; pid 0: of the caller.  proc: see proc_open().  While the writer has
 * the runtime's capabilities and that process is dumpable.
 */
int process_oom_run(const struct process_plan *p, int proc, pid_t pid, struct error *err);

/* personality(2).  Before the seccomp filter, which may refuse it. */
int process_personality_run(const struct process_plan *p, struct error *err);

/* PR_SET_NO_NEW_PRIVS, if the plan says so. */
int process_nnp_run(const struct process_plan *p, struct error *err);

/*
 * Not ptraceable, /proc/PID owned by root, until the exec (CVE-2016-9962, CVE-2026-41163).  Needs
 * no plan.
 */
int process_dumpable_run(struct error *err);

/*
 * Overwrites the strings that came with kist's own exec: argv (or NULL) and the environment.  For a
 * process that others can look into; getenv() finds nothing afterwards.
 */
void process_forget_caller(char *const *argv);

/*
 * Creates the working directory below root, mode 0755, where it is missing (CVE-2026-55686: never
 * outside root).
 */
int process_cwd_make_run(const struct process_plan *p, int root, struct error *err);

/*
 * Enters the working directory below root and checks that the kernel sees it inside
 * (CVE-2024-21626).  Returns 0, or 1 when the user has no permission and switched is false: call
 * again with switched = true after user_run() (a directory on a file system that distrusts root).
 * Negative with err.
 */
int process_cwd_run(const struct process_plan *p, int root, bool switched, struct error *err);

/*
 * Finds argv[0] as execvp(3) would, with the rights of the calling process and below its root and
 * working directory; its path goes to out.  At create, so that a missing program is an error of
 * `create`.
 */
int process_lookup_run(const struct process_plan *p, char out[PATH_MAX], struct error *err);

/* execve(2).  Returns only on failure, with a reason in err that names what is missing. */
int process_exec_run(const struct process_plan *p, const char *path, struct error *err);

void process_personality_show(const struct process_plan *p, struct show *out);
void process_show(const struct process_plan *p, struct show *out);

#endif
