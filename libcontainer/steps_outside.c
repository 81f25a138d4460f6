/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steps_outside.c - processes beside the first one of a container that joins a PID namespace.
 *
 * Once it has, each child of it is born among the inhabitants, who may have CAP_SYS_PTRACE.  So
 * what takes privilege and a process of its own begins before.
 */
#include "steps_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "base/unix_socket.h"
#include "proc_context.h"

/* ---- the runner of createContainer hooks ----------------------------------------------------- */

/*
 * What the first process sends to it, when the hooks are due: a namespace of that type, and at last
 * the directories that it has as its root and as its working directory.
 */
enum { PLACE_ROOT = -1, PLACE_CWD = -2 };

struct hooks_answer {
	int ret;
	struct error error;
};

/* Of all but its PID namespace it has made or joined. */
static const int namespaces[] = {
	CLONE_NEWUSER, CLONE_NEWNS,	CLONE_NEWNET,  CLONE_NEWIPC,
	CLONE_NEWUTS,  CLONE_NEWCGROUP, CLONE_NEWTIME,
};

#define N_NAMESPACES (sizeof(namespaces) / sizeof(*namespaces))
_Static_assert(N_NAMESPACES <= NAMESPACE_COUNT, "namespace.h: room for each type");

/* Where the runner is to be. */
struct place {
	struct namespace_plan joins;
	struct namespace_fds fds;
	int root, cwd;
};

/* Reads what is sent, up to the working directory.  false: there is nobody to run hooks for. */
static bool receive_place(int channel, struct place *place)
{
	for (;;) {
		int32_t what;
		int fd = -1;

		if (unix_socket_receive(channel, &what, sizeof(what), &fd) != sizeof(what) ||
		    fd < 0)
			return false;
		if (what == PLACE_ROOT)
			place->root = fd;
		if (what == PLACE_CWD) {
			place->cwd = fd;
			return true;
		}
		if (what < 0 || place->joins.n_join == NAMESPACE_COUNT)
			continue;
		place->fds.fd[place->joins.n_join] = fd;
		place->joins.join[place->joins.n_join++] =
			(struct namespace_join){ .type = what, .path = "of the container" };
	}
}

static int enter_place(struct job *job, const struct place *place, struct error *err)
{
	int ret = namespace_join_run(&place->joins, &place->fds, err);

	if (ret < 0)
		return ret;
	/* setns() leads to the root of the mount namespace, which need not be the caller's. */
	if (fchdir(place->root) < 0 || chroot(".") < 0 || fchdir(place->cwd) < 0)
		return error_set(err, errno, "enter the directories of the container's process");
	return plan_has_user_namespace(job->plan) ? step_root_ids_run(job, err) : 0;
}

static int run_hooks(struct job *job, const struct place *place, struct error *err)
{
	const struct hook_input input = { .state = job->hook_state };
	int ret = enter_place(job, place, err);

	return ret < 0 ? ret : hook_run(&job->plan->hooks, HOOK_CREATE_CONTAINER, &input, err);
}

/* Waits outside until the hooks are due, or the first process has ended. */
static void __attribute__((noreturn)) hook_runner(struct job *job, int channel, pid_t first)
{
	struct hooks_answer answer = { 0 };
	struct place place = { .root = -1, .cwd = -1 };

	/* An end of the parent's channel that stayed open here would hide that others are gone. */
	job->channel = job->proc = -1;
	if (sys_die_with(first) < 0 || fd_close_range_except(3, ~0U, &channel, 1) < 0 ||
	    !receive_place(channel, &place))
		_exit(1);
	answer.ret = run_hooks(job, &place, &answer.error);
	(void)unix_socket_send(channel, &answer, sizeof(answer), -1);
	_exit(0);
}

int step_hook_runner_run(struct job *job, struct error *err)
{
	const struct sys_clone c = { .exit_signal = SIGCHLD, .cgroup = -1 };
	pid_t self = getpid(), pid;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set(err, errno, "socketpair");
	pid = sys_clone3(&c);
	if (pid == 0)
		hook_runner(job, ends[1], self);
	fd_close(&ends[1]);
	job->hook_runner = ends[0];
	job->hook_runner_pid = pid;
	return pid < 0 ? error_set(err, -pid, "make a process") : 0;
}

static int send_fd(int channel, int32_t what, int fd)
{
	int ret = fd < 0 ? fd : unix_socket_send(channel, &what, sizeof(what), fd);

	return ret < 0 ? ret : 0;
}

static int send_directory(int channel, int32_t what, const char *path)
{
	owned_fd fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return send_fd(channel, what, fd < 0 ? -errno : fd);
}

static int send_place(const struct job *job)
{
	int ret = 0;

	for (size_t i = 0; i < N_NAMESPACES && ret == 0; i++) {
		owned_fd fd = -1;

		if (!(job->namespaces.separate & (uint64_t)namespaces[i]))
			continue;
		fd = namespace_own(namespaces[i], job->proc);
		ret = send_fd(job->hook_runner, namespaces[i], fd);
	}
	if (ret == 0)
		ret = send_directory(job->hook_runner, PLACE_ROOT, "/");
	return ret < 0 ? ret : send_directory(job->hook_runner, PLACE_CWD, ".");
}

int steps_outside_hooks_run(struct job *job, struct error *err)
{
	struct hooks_answer answer;
	int ret = send_place(job);

	if (ret < 0)
		return error_set(err, -ret, "have the hooks run");
	ret = (int)unix_socket_receive(job->hook_runner, &answer, sizeof(answer), NULL);
	fd_close(&job->hook_runner);
	if (ret != sizeof(answer))
		return error_set(err, 0, "the process that runs the hooks ended unexpectedly");
	(void)waitpid(job->hook_runner_pid, NULL, 0);
	if (answer.ret < 0)
		*err = answer.error;
	return answer.ret;
}

/* ---- procfs before Linux 6.18 ---------------------------------------------------------------- */

/* Outside, and invisible inside: into the namespaces, without the binary, which /proc/PID/exe of
 * its child would show. */
static void __attribute__((noreturn))
prepare_opener(struct job *job, struct proc_context_shared *shared, int channel)
{
	const struct plan *p = job->plan;
	struct error err = { 0 };
	int ret;

	job->channel = -1;
	/* What the caller's environment holds is nobody's business in there. */
	process_forget_caller(job->argv);
	ret = namespace_join_pid_run(&p->namespaces, &job->namespaces, &err);
	/* What is in this process's memory is not for the inhabitants either: see below. */
	if (ret == 0)
		ret = self_exe_run(&job->self_exe, &err);
	/* fsopen() wants the right over a mount namespace. */
	if (ret == 0 && namespace_fd(&p->namespaces, &job->namespaces, CLONE_NEWUSER) >= 0 &&
	    unshare(CLONE_NEWNS) < 0)
		ret = error_set(&err, errno, "make a mount namespace");
	if (ret < 0)
		proc_context_fail(shared, &err);
	proc_context_open_run(shared, p->proc_contexts, channel);
}

static int receive_contexts(const struct job *job, const struct proc_context_shared *shared,
			    int channel, struct error *err)
{
	for (unsigned int i = 0; i < job->plan->proc_contexts; i++) {
		owned_fd fd = proc_context_receive(shared, channel, err);

		if (fd < 0)
			return -EINVAL;
		if (!mount_take_proc(&job->plan->mounts, &fd))
			return error_set(err, 0, "more procfs than mounts");
	}
	return 0;
}

static int open_contexts(struct job *job, struct proc_context_shared *shared, int ends[2],
			 struct error *err)
{
	const struct sys_clone c = { .exit_signal = SIGCHLD, .cgroup = -1 };
	struct job_report *second = &job->page->second;
	pid_t pid;
	int ret;

	/* The report of the process that becomes the container's is not for this one. */
	if (madvise(second, sizeof(*second), MADV_DONTFORK) < 0)
		return error_set(err, errno, "keep a page to this process");
	pid = sys_clone3(&c);
	if (pid == 0)
		prepare_opener(job, shared, ends[1]);
	(void)madvise(second, sizeof(*second), MADV_DOFORK);
	fd_close(&ends[1]);
	if (pid < 0)
		return error_set(err, -pid, "make a process");
	ret = proc_context_wait(shared, pid, err);
	if (ret == 0)
		ret = receive_contexts(job, shared, ends[0], err);
	proc_context_end(shared);
	return ret;
}

int step_proc_context_run(struct job *job, struct error *err)
{
	struct proc_context_shared *shared;
	int ends[2] = { -1, -1 }, ret;

	/* The caller's own: this process is in it. */
	if (namespace_fd(&job->plan->namespaces, &job->namespaces, CLONE_NEWPID) < 0)
		return 0;
	shared = proc_context_share(err);
	if (!shared)
		return -ENOMEM;
	ret = proc_context_channel(ends, err);
	if (ret == 0)
		ret = open_contexts(job, shared, ends, err);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	proc_context_unshare(shared);
	return ret;
}
