/* SPDX-License-Identifier: Apache-2.0 */
/*
 * errnos.c - each system call of a command fails once, with each error that fits it: the command
 * succeeds or fails with a line that says why, in time, and leaves nothing.
 */
#include "stress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define COMMAND_TIMEOUT (30000 * MS)
#define SAMPLES_SHORT 160
#define ERRNOS_MAX 5

enum column { SUCCEEDED, FAILED, NOT_MET, SILENT, CRASHED, HUNG, LEFT, DELETE_FAILED, COLUMNS };

static const char *const columns[] = { "succeeded", "failed", "not-met", "no-clean-error",
				       "crashed", "hung", "left", "delete-failed" };

static const enum verb failing[] = { CREATE, START, EXEC, DELETE, DELETE_FORCE, RUN };
#define FAILING_COUNT (sizeof(failing) / sizeof(failing[0]))
static const char *const run_to_end[] = { "run", "--bundle", "bundle-true", ID, NULL };

/* Calls that cannot fail by the kernel's rules, or without which the C library ends. */
static const int never[] = {
	SYS_brk, SYS_close, SYS_munmap, SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_getpid,
	SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getppid, SYS_umask,
	SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_set_tid_address, SYS_set_robust_list, SYS_rseq,
#ifdef SYS_arch_prctl
	SYS_arch_prctl,
#endif
	SYS_execve,
};

/* None that says that the thing is gone: whoever is told so may believe it. */
static const struct {
	int call;
	int errnos[ERRNOS_MAX];
} fitting[] = {
	{ SYS_openat, { EMFILE, EACCES, ENOMEM } },
	{ SYS_openat2, { EMFILE, ENOSYS, EAGAIN } },
	{ SYS_read, { EIO, EINTR } },
	{ SYS_write, { ENOSPC, EIO, EINTR, EPERM } },
	{ SYS_mkdirat, { ENOSPC, EACCES, EEXIST } },
	{ SYS_unlinkat, { EIO, EBUSY } },
	{ SYS_flock, { ENOLCK, EWOULDBLOCK } },
	{ SYS_poll, { EINTR, ENOMEM } },
	{ SYS_wait4, { EINTR } },
	{ SYS_waitid, { EINTR } },
	{ SYS_clone3, { EAGAIN, ENOMEM, EPERM, ENOSYS } },
	{ SYS_clone, { EAGAIN, ENOMEM } },
	{ SYS_sendmsg, { EPIPE, ENOBUFS, EINTR } },
	{ SYS_sendto, { EPIPE, ENOBUFS, EINTR } },
	{ SYS_recvmsg, { ECONNRESET, EINTR, EMFILE } },
	{ SYS_recvfrom, { ECONNRESET, EINTR } },
	{ SYS_accept4, { EINTR, EMFILE, ECONNABORTED } },
	{ SYS_connect, { ECONNREFUSED, EINTR } },
	{ SYS_setns, { EPERM, EINVAL, ENOMEM } },
	{ SYS_unshare, { EPERM, ENOSPC, ENOMEM } },
	{ SYS_mount_setattr, { ENOSYS, EINVAL, EPERM } },
	{ SYS_open_tree, { ENOSYS, EMFILE, EPERM } },
	{ SYS_move_mount, { ENOSYS, EINVAL, ENOMEM } },
	{ SYS_pidfd_open, { ENOSYS, EMFILE } },
	{ SYS_pidfd_send_signal, { ENOSYS, EPERM } },
	{ SYS_close_range, { ENOSYS, ENOMEM } },
	{ SYS_bpf, { EPERM, ENOMEM, ENOSYS } },
	{ SYS_prctl, { EINVAL, EPERM } },
};
static const int others[ERRNOS_MAX] = { EPERM, ENOMEM, ENOSYS };

static const int *errnos_of(int call)
{
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		if (never[i] == call)
			return NULL;
	}
	for (size_t i = 0; i < sizeof(fitting) / sizeof(fitting[0]); i++) {
		if (fitting[i].call == call)
			return fitting[i].errnos;
	}
	return others;
}

static const char *const *args_of(enum verb verb)
{
	return verb == RUN ? run_to_end : verbs[verb].args;
}

/* The long form has more trials than there are calls and errors: the rest find nothing to do. */
static unsigned int plan(const struct options *o)
{
	return FAILING_COUNT * (o->long_form ? POINTS_MAX : SAMPLES_SHORT);
}

static const char *row_name(unsigned int row, char *buffer, size_t size)
{
	snprintf(buffer, size, "%s", verbs[row].name);
	return buffer;
}

/* ---- the cases of a command: its calls, and the errors of each ------------------------------ */

struct error_case {
	struct point point;
	int errnum;
};

struct cases {
	struct error_case list[POINTS_MAX];
	size_t n;
};

static void collect(struct worker *w, enum verb verb, struct cases *out)
{
	static struct point points[POINTS_MAX];
	struct trace t = { .act = TRACE_COUNT, .points = points };
	char text[TEXT_MAX_LEN];
	bool began = false;
	struct command c;

	if (world_prepare(w, verbs[verb].scene, text) < 0)
		fprintf(stderr, "# %s: %s\n", verbs[verb].name, text);
	command_start(w, &c, args_of(verb), &t);
	(void)command_wait(w, &c, COMMAND_TIMEOUT);
	(void)command_end(w, &c, text);
	t.let_go = true;
	for (size_t i = 0; i < t.n_points; i++) {
		const int *e = errnos_of(points[i].call);

		/* Before this call, the C library's start in process 0 cannot do without. */
		began = began || points[i].call == SYS_mprotect || points[i].process > 0;
		for (size_t k = 0; e && began && k < ERRNOS_MAX && e[k]; k++) {
			if (out->n < POINTS_MAX)
				out->list[out->n++] = (struct error_case){ points[i], e[k] };
		}
	}
	world_sweep(w);
}

static struct cases *cases_of(struct worker *w, enum verb verb)
{
	static struct cases *cases[VERB_COUNT];

	if (!cases[verb]) {
		cases[verb] = calloc(1, sizeof(struct cases));
		if (!cases[verb])
			stress_die("calloc");
		collect(w, verb, cases[verb]);
	}
	return cases[verb];
}

/* ---- one trial ------------------------------------------------------------------------------ */

struct outcome {
	enum verb verb;
	const struct error_case *at;
	int status;
	char text[TEXT_MAX_LEN];
};

/* Where, for --at and for whoever looks at the call's name. */
static void tell(struct results *r, const struct outcome *o, enum column column, const char *what)
{
	stress_count(r, o->verb, column, &o->at->point, "call @%d %s: status %d: %.120s: %.180s",
		     o->at->point.call, strerrorname_np(o->at->errnum), o->status, what, o->text);
}

/*
 * What create and run made, and say that they did not make, is gone without a delete; unless it was
 * the taking back that failed, which they say.
 */
static bool undo_failed(const struct outcome *o)
{
	return strstr(o->text, "undo ") || strstr(o->text, "lock container ");
}

/* More than the name that each line begins with. */
static bool has_message(const char *text)
{
	static const char prefix[] = "kist: ";

	/* Of the C library, before main(). */
	if (strstr(text, "error while loading shared libraries: "))
		return true;

	for (const char *at = text; (at = strstr(at, prefix)); ) {
		at += sizeof(prefix) - 1;
		if (at[strspn(at, " \n")] != '\0' && *at != '\n')
			return true;
	}
	return false;
}

static void judge(struct worker *w, const struct trace *t, const struct outcome *o,
		  struct results *r)
{
	char left[TEXT_MAX_LEN];
	bool clean;

	if (!t->hit)
		stress_count(r, o->verb, NOT_MET, NULL, NULL);
	if (o->status < 0)
		tell(r, o, HUNG, "hung");
	else if (t->crash || (o->status > 128 && o->status < 160))
		tell(r, o, CRASHED, "crashed");
	else if (o->status != 0 && !has_message(o->text))
		tell(r, o, SILENT, "no clean error");
	else
		stress_count(r, o->verb, o->status ? FAILED : SUCCEEDED, NULL, NULL);
	if (verbs[o->verb].makes && o->status > 0 && !undo_failed(o) && !world_is_clean(w, left))
		tell(r, o, LEFT, left);
	if (command_run(w, verbs[DELETE_FORCE].args, left, COMMAND_TIMEOUT) != 0)
		tell(r, o, DELETE_FAILED, left);
	clean = world_is_clean(w, left);
	if (!clean) {
		tell(r, o, LEFT, left);
		world_sweep(w);
	}
}

static void trial(struct worker *w, const struct options *o, unsigned int number,
		  struct results *r)
{
	enum verb verb = failing[number % FAILING_COUNT];
	size_t index = number / FAILING_COUNT;
	struct outcome out = { .verb = verb };
	struct cases *cases;
	struct trace t = { .act = TRACE_FAIL };
	struct command c;

	if (!stress_chosen(o, verbs[verb].name))
		return;
	cases = cases_of(w, verb);
	if (cases->n == 0 || (o->long_form && index >= cases->n))
		return;
	if (!o->long_form)
		index = stress_random(w, cases->n);
	out.at = &cases->list[index];
	t.at = out.at->point;
	t.errnum = out.at->errnum;
	if (world_prepare(w, verbs[verb].scene, out.text) < 0) {
		tell(r, &out, LEFT, "the id is not reusable");
		world_sweep(w);
		return;
	}
	command_start(w, &c, args_of(verb), &t);
	(void)command_wait(w, &c, COMMAND_TIMEOUT);
	out.status = command_end(w, &c, out.text);
	/* The calls that are counted are the command's, not those of the delete that follows. */
	t.let_go = true;
	judge(w, &t, &out, r);
	if (t.n_tracees)
		world_sweep(w);
	w->trace = NULL;
}

const struct harness harness_errnos = {
	.name = "errnos",
	.columns = columns,
	.n_columns = COLUMNS,
	.n_good = SILENT,
	.workers_per_cpu = 4,
	.plan = plan,
	.trial = trial,
	.row_name = row_name,
};
