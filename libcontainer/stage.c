/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/unix_socket.h"
#include "cgroup/cgroup_level.h"
#include "plan.h"
#include "stage_look.h"
#include "state.h"
#include "steps.h"
#include "trace.h"

/* A child that is silent for so long is taken for hung; a hook has its own time-out. */
#define STEP_DEADLINE_MS (10 * 60 * 1000)

enum frame_type { FRAME_ASK = 1, FRAME_DONE, FRAME_FAIL, FRAME_LOG };

struct frame {
	uint32_t type;
	uint32_t row;
	uint32_t level;		/* LOG */
	char text[1012];	/* LOG: NUL-terminated */
};

#define FRAME_HEAD offsetof(struct frame, text)

/* A process that has closed the channel is at its end, or hostile: how long to wait for that. */
#define END_DEADLINE_MS 2000

static const char *const stage_names[STAGE_COUNT] = { "parent", "stage 1", "stage 2" };

/* ---- the page and the channel ---------------------------------------------------------------- */

/* The memory behind the page: neither shorter nor longer, by anybody. */
#define REPORT_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* An object of its own; fd: what lies behind it, or -1.  NULL with err. */
static void *map(size_t size, int fd, struct error *err)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

	if (p != MAP_FAILED)
		return p;
	error_set(err, errno, "map the shared page");
	return NULL;
}

static int make_report(struct job *job, struct error *err)
{
	job->report_fd = memfd_create("kist-page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (job->report_fd < 0 || ftruncate(job->report_fd, sizeof(struct job_page)) < 0 ||
	    fcntl(job->report_fd, F_ADD_SEALS, REPORT_SEALS) < 0)
		return error_set(err, errno, "create the shared page");
	return 0;
}

int stage_page_new(struct job *job, bool with_fd, struct error *err)
{
	bool apart = job->plan && plan_has_two_processes(job->plan);

	if (with_fd && make_report(job, err) < 0)
		return -EINVAL;
	job->page = map(sizeof(*job->page), job->report_fd, err);
	if (!job->page)
		return -EINVAL;
	/*
	 * Whoever can make a process do system calls can have it map any place of an object that it
	 * maps a part of (remap_file_pages(2)): what no other process may write is another object.
	 */
	job->own = apart ? map(sizeof(*job->own), -1, err) : &job->page->own;
	return job->own ? 0 : -EINVAL;
}

int stage_page_take(struct job *job, struct error *err)
{
	int seals = fcntl(job->report_fd, F_GET_SEALS);
	struct stat st;

	/* Of the right size for ever: memory behind the end of a file is a SIGBUS. */
	if (seals < 0 || (seals & REPORT_SEALS) != REPORT_SEALS ||
	    fstat(job->report_fd, &st) < 0 || st.st_size != sizeof(*job->page))
		return error_set(err, 0, "the container's process sent something else than a page");
	job->page = mmap(NULL, sizeof(*job->page), PROT_READ, MAP_SHARED, job->report_fd, 0);
	if (job->page == MAP_FAILED) {
		job->page = NULL;
		return error_set(err, errno, "map the shared page");
	}
	/* Not the page's own part, which a second process may have written. */
	job->own = ARENA_NEW(job->arena, struct job_own);
	return 0;
}

static struct job_report *report_of(const struct job *job, enum job_stage stage)
{
	return stage == STAGE_2 ? &job->page->second : &job->own->first;
}

/* Where this process notes times: the parent's are its own. */
static struct job_time *time_of(struct job *job, enum job_stage stage, uint32_t row)
{
	return stage == STAGE_PARENT ? &job->times[row] : &report_of(job, stage)->times[row];
}

/* ---- what happens around every row ---------------------------------------------------------- */

static bool applies(const struct job *job, const struct step *row)
{
	return !row->when || row->when(job->plan);
}

static uint32_t index_of(const struct job *job, const struct step *row)
{
	return (uint32_t)(row - job->steps);
}

/*
 * A test asked for a failure here.  A pid namespace's init ignores a SIGKILL that it sends itself,
 * so the child dies by a trap, which the kernel forces on it.
 */
static int inject_fault(const struct job *job, const struct step *row, bool serve,
			struct error *err)
{
	const struct job_fault *f = &job->fault;

	if (!f->step || serve != f->serve || strcmp(f->step, row->name) != 0)
		return 0;
	if (f->kill) {
		if (job->self == STAGE_PARENT)
			kill(getpid(), SIGKILL);
		__builtin_trap();
	}
	return error_set(err, f->errnum, "injected fault");
}

static int run_row(struct job *job, const struct step *row, struct error *err)
{
	uint32_t i = index_of(job, row);
	enum job_stage self = job->self;
	int ret;

	/* Under a filter a line to the log may be a forbidden call. */
	if (!job->filtered)
		log_debug("%s: %s", stage_names[self], row->name);
	if (!row->run)
		return inject_fault(job, row, false, err);
	if (job->traced && !time_of(job, self, i)->begin)
		time_of(job, self, i)->begin = clock_ns();
	ret = inject_fault(job, row, false, err);
	if (ret == 0)
		ret = row->run(job, err);
	/* Only the process that began the row ends it: the copy that a fork made does not. */
	if (job->traced && job->self == self)
		time_of(job, self, i)->end = clock_ns();
	return ret;
}

/* ---- the child's side ----------------------------------------------------------------------- */

static void child_log_sink(void *ctx, enum log_level level, const char *text)
{
	const struct job *job = ctx;
	struct frame f = { .type = FRAME_LOG, .level = level };
	struct strbuf b = STRBUF(f.text);

	if (job->channel < 0)
		return;
	strbuf_add(&b, text);
	(void)unix_socket_send(job->channel, &f, FRAME_HEAD + b.len + 1, -1);
}

/* The child's last act.  What it leaves in the page is what the user reads. */
static void __attribute__((noreturn)) child_fail(struct job *job, const struct error *err)
{
	struct job_report *report = report_of(job, job->self);

	report->error = *err;
	__atomic_store_n(&report->failed, 1, __ATOMIC_RELEASE);
	_exit(1);
}

static void __attribute__((noreturn)) child_row_failed(struct job *job, struct error *err)
{
	/* Who wrote the profile does not know what the last rows need. */
	if (job->filtered && (err->errnum == EPERM || err->errnum == ENOSYS))
		error_append(err, " (the seccomp filter is in force by now: linux.seccomp may be "
			     "what forbids it)");
	child_fail(job, err);
}

/*
 * Asks the parent for its half of the row and waits for the answer.  The first question after the
 * filter was loaded takes its listener along.
 */
static int child_ask(struct job *job, const struct step *row, struct error *err)
{
	struct frame f = { .type = FRAME_ASK, .row = index_of(job, row) };
	ssize_t n = unix_socket_send(job->channel, &f, FRAME_HEAD, job->listener);

	fd_close(&job->listener);
	if (n == 0)
		n = unix_socket_receive(job->channel, &f, sizeof(f), NULL);
	if (n == -EPERM || n == -ENOSYS)
		return error_set(err, (int)-n, "speak to the parent");
	/* The parent is gone, or its half has failed, and it knows: nothing more to say. */
	if (n < (ssize_t)FRAME_HEAD || f.type != FRAME_DONE)
		_exit(1);
	return 0;
}

static void child_row(struct job *job, const struct step *row)
{
	struct error err = { 0 };

	report_of(job, job->self)->row = index_of(job, row) + 1;
	if (run_row(job, row, &err) < 0)
		child_row_failed(job, &err);
	if (row->serve && child_ask(job, row, &err) < 0)
		child_row_failed(job, &err);
}

/* ---- the parent's side ---------------------------------------------------------------------- */

/*
 * Where the container's process says it is: its stage, and the name of a row of the table, whatever
 * number is in the page.
 */
static const char *last_row(const struct job *job, enum job_stage *stage)
{
	uint32_t row, n = 0;

	*stage = job->page->second.row ? STAGE_2 : STAGE_1;
	row = report_of(job, *stage)->row;
	while (n < row && job->steps[n].name)
		n++;
	if (row == 0)
		return "start of the process";
	return n == row ? job->steps[row - 1].name : "?";
}

/*
 * How a child ended, without taking that away from who waits for it.  Only the end of the channel
 * was seen: the rest of its way is short, unless somebody else closed the channel for it.
 */
static bool ended(pid_t pid, siginfo_t *info)
{
	owned_fd pidfd = pid > 0 ? sys_pidfd_open(pid, 0) : -1;
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int n;

	info->si_pid = 0;
	if (pidfd < 0)
		return false;
	do {
		n = poll(&p, 1, END_DEADLINE_MS);
	} while (n < 0 && errno == EINTR);
	return n > 0 && waitid(P_PID, (id_t)pid, info, WEXITED | WNOWAIT | WNOHANG) == 0 &&
	       info->si_pid == pid;
}

/* Another cause of a SIGKILL is somebody who sent one, as `delete --force` does. */
static bool was_oom(const struct job *job)
{
	const struct cgroup_ref *ref = job->cgroup.ref.n_dirs ? &job->cgroup.ref :
								job->state->cgroup;

	return ref && cgroup_level_was_oom(ref);
}

/* Which row a process was in when it ended, for the message. */
static int died_error(const struct job *job, struct error *err)
{
	enum job_stage s;
	const char *name = last_row(job, &s);
	siginfo_t info;

	if (ended(job->init_pid > 0 ? job->init_pid : job->stage1_pid, &info) &&
	    (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED))
		return error_set(err, 0, "%s: %s: the process was killed by signal %d (%s)%s",
				 stage_names[s], name, info.si_status, strsignal(info.si_status),
				 info.si_status == SIGKILL && was_oom(job) ?
				 ": the memory limit may be too low for the start" : "");
	return error_set(err, 0, "%s: %s: the process ended unexpectedly", stage_names[s], name);
}

/* The child has closed the channel: by a failure it wrote down, by death, or by exec. */
static int child_end(const struct job *job, struct error *err)
{
	enum job_stage s = job->page->second.failed ? STAGE_2 : STAGE_1;
	const struct job_report *report = report_of(job, s);

	if (__atomic_load_n(&report->failed, __ATOMIC_ACQUIRE)) {
		const char *name = last_row(job, &s);

		/*
		 * A copy: the page may go on changing.  Its text may be anything, as that of a
		 * configuration may: what shows it makes it visible.
		 */
		*err = report->error;
		err->text[ERROR_TEXT_MAX - 1] = '\0';
		err->errnum = err->errnum > 0 ? err->errnum : 0;
		err->exit_code = err->exit_code ? EXIT_AFTER_START : 0;
		return error_prefix(err, "%s: %s", stage_names[s], name);
	}
	return died_error(job, err);
}

static int look_error(const struct job *job, struct error *err)
{
	enum job_stage s;
	const char *name = last_row(job, &s);

	return error_prefix(err, "%s: %s", stage_names[s], name);
}

/* poll() with looks at the process meanwhile.  Negative also when that is held; *executed: see
 * stage_look(). */
static int poll_channel(const struct job *job, struct pollfd p[2], uint64_t deadline,
			struct stage_look *look, bool *executed, struct error *err)
{
	bool looks = stage_look_applies(job);

	for (;;) {
		uint64_t now = clock_ns(), until = deadline;
		int n;

		n = looks ? stage_look(job, look, err) : 0;
		if (n < 0)
			return look_error(job, err);
		*executed = n > 0;
		if (looks && look->next_ns < until)
			until = look->next_ns;
		n = now < until ? poll(p, 2, (int)((until - now + 999999) / 1000000)) : 0;
		if (n < 0 && errno != EINTR)
			return error_set(err, errno, "poll");
		if (n > 0 || *executed || (uint64_t)clock_ns() >= deadline)
			return n < 0 ? 0 : n;
	}
}

/*
 * Waits until `deadline` for input on the channel.  A signal that asks the command to end is an
 * error: what was done is undone.  1: there will be none, since the program was executed.
 */
static int wait_channel(const struct job *job, uint64_t deadline, struct stage_look *look,
			struct error *err)
{
	struct pollfd p[2] = { { .fd = job->channel, .events = POLLIN },
			       { .fd = job->signals, .events = POLLIN } };
	bool executed = false;
	int n = poll_channel(job, p, deadline, look, &executed, err);

	if (n < 0)
		return n;
	if (n == 0 && !executed) {
		enum job_stage s;
		const char *name = last_row(job, &s);

		return error_set(err, ETIMEDOUT, "%s: %s: no answer in time", stage_names[s], name);
	}
	/* The signal first: a child that talks without end must not keep it waiting. */
	if (n > 0 && p[1].revents)
		return job_signal_error(job, err);
	return n == 0;
}

/* More lines than this from one row to the next are not the log of a start. */
#define LINES_MAX 4096

static void log_frame(struct frame *f, unsigned int n)
{
	f->text[sizeof(f->text) - 1] = '\0';
	if (n < LINES_MAX)
		log_text(f->level <= LOG_LEVEL_DEBUG ? f->level : LOG_LEVEL_WARNING, f->text);
	else if (n == LINES_MAX)
		log_warning("the container's process has too much to say: the rest is left out");
}

/*
 * The next frame that is not a log line.  1: *f holds it, 0: the channel is closed, negative:
 * error.  The time is that of all lines together, or a process of the container's could keep its
 * parent, and the lock, for ever.  fd: gets the descriptor that came with it, or -1; NULL: none is
 * wanted.
 */
static int next_frame(struct job *job, struct frame *f, int *fd, int timeout_ms,
		      struct error *err)
{
	uint64_t deadline = clock_ns() + (uint64_t)timeout_ms * 1000000;
	struct stage_look look = { 0 };

	for (unsigned int lines = 0;; lines++) {
		ssize_t n;
		int ret = wait_channel(job, deadline, &look, err);

		if (ret != 0)
			return ret < 0 ? ret : 0;
		if (fd)
			fd_close(fd);
		n = unix_socket_receive(job->channel, f, sizeof(*f), fd);
		if (n == -EBADMSG)
			return error_set(err, 0, "the container's process sent a descriptor, which "
					 "nobody has asked for");
		if (n < 0 && n != -ECONNRESET)
			return error_set(err, (int)-n, "receive from the container's process");
		if (n < (ssize_t)FRAME_HEAD)
			return 0;
		if (f->type != FRAME_LOG)
			return 1;
		log_frame(f, lines);
	}
}

/*
 * Learns stage 2's pid when it is not the process that the parent itself started.  The kernel wrote
 * it, into the first process's memory, before the second one ran for the first time.  The number
 * stays that process's own, since it is a child of this one, which has not waited for it.
 */
static void learn_init_pid(struct job *job)
{
	siginfo_t info;

	if (job->init_pid > 0 || job->own->init_pid <= 0)
		return;
	job->init_pid = job->own->init_pid;
	/* That was its last act, so the wait is short, if there is one. */
	if (waitpid(job->stage1_pid, NULL, WNOHANG) == job->stage1_pid ||
	    (ended(job->stage1_pid, &info) &&
	     waitpid(job->stage1_pid, NULL, WNOHANG) == job->stage1_pid))
		job->stage1_pid = -1;
}

/* Until the agent has it; of two, the first process's is the true one. */
static bool wants_listener(const struct job *job)
{
	return job->seccomp_socket >= 0 && job->listener < 0;
}

static int serve_row(struct job *job, const struct step *row, struct error *err)
{
	struct frame f;
	uint32_t i = index_of(job, row);
	int ret;

	/* While the child works: see step_guard_run(). */
	self_exe_close(&job->self_exe);
	ret = next_frame(job, &f, wants_listener(job) ? &job->listener : NULL, STEP_DEADLINE_MS,
			 err);
	if (ret < 0)
		return ret;
	if (ret == 0) {
		/* How it ended is asked of the second process as soon as there is one. */
		learn_init_pid(job);
		return child_end(job, err);
	}
	/* Nothing but the next served row may be asked for: the child may no longer be trusted. */
	if (f.type != FRAME_ASK || f.row != i)
		return error_set(err, 0, "%s: the container's process asked out of order",
				 row->name);
	learn_init_pid(job);
	if (job->traced)
		job->times[i].begin = clock_ns();
	ret = inject_fault(job, row, true, err);
	if (ret == 0)
		ret = row->serve(job, err);
	if (job->traced)
		job->times[i].end = clock_ns();
	if (ret < 0)
		error_prefix(err, "%s", row->name);
	f = (struct frame){ .type = ret < 0 ? FRAME_FAIL : FRAME_DONE };
	if (unix_socket_send(job->channel, &f, FRAME_HEAD, -1) < 0 && ret == 0)
		return child_end(job, err);
	return ret;
}

static int parent_row(struct job *job, const struct step *row, struct error *err)
{
	int ret = 0;

	if (row->stage != STAGE_PARENT)
		return row->serve ? serve_row(job, row, err) : 0;
	ret = run_row(job, row, err);
	if (ret < 0)
		error_prefix(err, "%s", row->name);
	return ret;
}

/*
 * Whether the process is still the copy that a fork made, so that only its death can have closed
 * the channel.  In the foreground its status will tell; and one that nobody can see any more may
 * have executed the program and ended.
 */
static bool died_before_exec(const struct job *job, struct error *err)
{
	pid_t pid = job->init_pid > 0 ? job->init_pid : job->state->pid;
	const char *name;
	enum job_stage s;
	struct proc_stat st;
	int sig;

	if (job->plan && !job->plan->options.detach)
		return false;
	if (proc_stat(job->proc, pid, &st) < 0 || st.executed ||
	    (job->init_pid <= 0 && st.start_time != job->state->start_time))
		return false;
	name = last_row(job, &s);
	sig = st.exit_status & 0x7f;
	error_set(err, 0, "%s: %s: the process was killed by signal %d (%s)%s", stage_names[s],
		  name, sig, strsignal(sig),
		  sig == SIGSYS ? ": its seccomp filter does not let it execute the program" : "");
	return true;
}

int stage_wait_exec(struct job *job, int timeout_ms, struct error *err)
{
	const struct step *last = job->steps;
	struct frame f;
	int ret = next_frame(job, &f, NULL, timeout_ms, err);

	if (ret < 0)
		return ret;
	if (ret > 0)
		return error_set(err, 0, "the container's process spoke out of turn");
	learn_init_pid(job);
	while (last[1].name)
		last++;
	if (job->own->first.failed || job->page->second.failed ||
	    job->page->second.row != index_of(job, last) + 1)
		return child_end(job, err);
	/* Closed without a failure by a process that had reached its last row. */
	return died_before_exec(job, err) ? -EINVAL : 0;
}

/* ---- the walk ------------------------------------------------------------------------------- */

static int undo_row(struct job *job, const struct step *row, struct error *err)
{
	uint32_t i = index_of(job, row);
	int ret;

	if (!row->undo)
		return 0;
	if (job->trace)
		job->undo_times[i].begin = clock_ns();
	ret = row->undo(job, err);
	if (job->trace)
		job->undo_times[i].end = clock_ns();
	return ret;
}

/* Takes back the rows up to `last`, the latest first. */
static int undo_until(struct job *job, const struct step *last, struct error *err)
{
	for (const struct step *row = last + 1; row-- > job->steps;) {
		int ret = undo_row(job, row, err);

		if (ret < 0) {
			error_prefix(err, "undo %s", row->name);
			return ret;
		}
	}
	return 0;
}

static void write_trace(const struct job *job)
{
	struct error err;

	if (job->trace && trace_write(job, &err) < 0)
		log_warning("%s", err.text);
}

int stage_undo(struct job *job, struct error *err)
{
	const struct step *last = job->steps;
	int ret;

	while (last[1].name)
		last++;
	ret = undo_until(job, last, err);
	write_trace(job);
	return ret;
}

/*
 * Rows that were never reached have nothing to take back, and must not try: a create whose id is in
 * use knows the cgroup of the container that has it.
 */
static int parent_failed(struct job *job, const struct step *last, struct error *err)
{
	struct error undo = { 0 };
	int ret = err->errnum > 0 ? -err->errnum : -EINVAL;

	if (err->errnum == EAGAIN)
		cgroup_level_explain_pids(&job->cgroup.ref, err);
	/* Taking back opens anew what it needs: descriptors may be what was short. */
	cgroup_close(&job->cgroup);
	fd_close(&job->console_socket);
	fd_close(&job->start_socket);
	if (undo_until(job, last, &undo) < 0)
		log_warning("%s", undo.text);
	write_trace(job);
	return ret;
}

/* The rows of a child; returns only if the table ends without an exec. */
static void __attribute__((noreturn)) child_walk(struct job *job, const struct step *row)
{
	struct error err = { 0 };

	log_set_sink(child_log_sink, job,
		     log_enabled(LOG_LEVEL_DEBUG) ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING);
	for (; row->name; row++) {
		if (row->stage == job->self && applies(job, row))
			child_row(job, row);
	}
	error_set(&err, 0, "the step table has no end");
	child_fail(job, &err);
}

int stage_run(struct job *job, struct error *err)
{
	const struct step *row;
	int ret = 0;

	for (row = job->steps; row->name; row++) {
		if (!applies(job, row))
			continue;
		ret = parent_row(job, row, err);
		if (job->self != STAGE_PARENT)
			child_walk(job, row + 1);
		if (ret < 0)
			break;
	}
	if (ret == 0 && job->wait_exec)
		ret = stage_wait_exec(job, STEP_DEADLINE_MS, err);
	self_exe_close(&job->self_exe);
	if (ret < 0)
		return parent_failed(job, row, err);
	write_trace(job);
	return 0;
}

void stage_show(const struct job *job, struct show *out)
{
	for (const struct step *row = job->steps; row->name; row++) {
		if (!applies(job, row))
			continue;
		show_step(out, row->name, stage_names[row->stage]);
		if (row->show)
			row->show(job->plan, out);
	}
}

/* Number of an errno name ("ENOSPC"), or 0. */
static int errno_number(const char *name)
{
	for (int i = 1; i < 134; i++) {
		if (strcmp(error_name(i), name) == 0)
			return i;
	}
	return 0;
}

int stage_parse_fault(const char *text, struct job_fault *out, struct arena *a, struct error *err)
{
	const char *equals = strchr(text, '=');
	char *step;

	if (!equals || equals == text)
		return error_set(err, 0, "--fault=%s: expected STEP=ERRNO or STEP=kill", text);
	step = arena_strndup(a, text, (size_t)(equals - text));
	*out = (struct job_fault){ .step = step };
	if (str_ends(step, "/serve")) {
		out->serve = true;
		step[strlen(step) - strlen("/serve")] = '\0';
	}
	out->kill = strcmp(equals + 1, "kill") == 0;
	out->errnum = errno_number(equals + 1);
	if (!out->kill && out->errnum == 0)
		return error_set(err, 0, "--fault=%s: %s is no errno name", text, equals + 1);
	return 0;
}
