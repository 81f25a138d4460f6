/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steps_child.c - rows that run in the container's processes, between clone and exec: no
 * allocation, no locks, no lookups of names, nothing but what the plan says.
 */
#include "steps_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/sys.h"
#include "base/unix_socket.h"
#include "state.h"

/* ---- stage 1: into the cgroup and the namespaces -------------------------------------------- */

/*
 * Until the container is complete its process must not outlive the command that builds it, even
 * when that is killed.  The signal is for the parent's death; the closed channel tells of a death
 * before this line.
 */
static int die_with_parent(const struct job *job, struct error *err)
{
	struct pollfd p = { .fd = job->channel, .events = POLLIN };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return error_set(err, errno, "prctl(PR_SET_PDEATHSIG)");
	if (poll(&p, 1, 0) > 0 && (p.revents & POLLHUP))
		_exit(1);
	return 0;
}

/*
 * After a change of ids: the kernel has forgotten that the process is to die with its parent, and
 * has made it as dumpable as the sysctl fs.suid_dumpable says.
 */
static int own_ids(const struct job *job, struct error *err)
{
	int ret = process_dumpable_run(err);

	return ret < 0 ? ret : die_with_parent(job, err);
}

/* Of the state directory a part will be mounted for NOTIFY_SOCKET: it must be one of this mount
 * namespace. */
static int reopen_state_dir(struct job *job, struct error *err)
{
	fd_close(&job->state_dir);
	if (!job->plan->notify_socket.host)
		return 0;
	job->state_dir = open(job->state_path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return job->state_dir < 0 ? error_set(err, errno, "open %s", job->state_path) : 0;
}

int step_guard_run(struct job *job, struct error *err)
{
	int ret = fd_cloexec_from(3);

	if (ret < 0)
		return error_set(err, -ret, "set close-on-exec on inherited descriptors");
	job->ignored = sys_signals_ignored();
	/* The parent's end of things that are of no use here, and must not be seen from inside. */
	fd_close(&job->init_pidfd);
	fd_close(&job->state_root);
	fd_close(&job->no_tracer);
	fd_close(&job->seccomp_socket);
	/* Whoever closes it last waits for RCU: the parent, which has time. */
	fd_close(&job->self_exe.tree);
	if (reopen_state_dir(job, err) < 0)
		return -ENOENT;
	/*
	 * The parent believes what is written there: a second process must not be able to write.
	 * Here, since no filter is loaded yet.
	 */
	if (plan_has_two_processes(job->plan) &&
	    madvise(job->own, sizeof(*job->own), MADV_DONTFORK) < 0)
		return error_set(err, errno, "keep a page to this process");
	return die_with_parent(job, err);
}

int step_cgroup_join_run(struct job *job, struct error *err)
{
	int ret = cgroup_join_self_run(&job->cgroup, err);
	/* Joined later, when the cgroup namespace has begun. */
	int payload = job->plan->cgroup.delegate ? fd_take(&job->cgroup.delegate) : -1;
	char joined;

	/* A cgroup namespace is rooted where its maker is: not before the parent has moved this
	 * process. */
	if (job->cgroup_late &&
	    unix_socket_receive(job->channel, &joined, sizeof(joined), NULL) != sizeof(joined))
		_exit(1);	/* the parent is gone, or knows why it could not */
	cgroup_close(&job->cgroup);
	job->cgroup.delegate = payload;
	if (job->cgroup.helper)
		fd_close(&job->cgroup.helper->socket);
	return ret;
}

int step_affinity_initial_run(struct job *job, struct error *err)
{
	return scheduler_initial_run(&job->plan->scheduler, err);
}

int step_join_run(struct job *job, struct error *err)
{
	int ret;

	/*
	 * Joined namespaces are inhabited: whoever is inside must not look into this process
	 * (CVE-2016-9962).  Where the parent has to write id maps this waits for them: until it
	 * forks, this process is not in the PID namespace, and has no number there.
	 */
	if (!job->plan->idmap.needed && process_dumpable_run(err) < 0)
		return -EPERM;
	ret = namespace_join_run(&job->plan->namespaces, &job->namespaces, err);
	namespace_close(&job->namespaces);
	/* setns() into a mount namespace leaves the process at its root. */
	if (ret == 0 && chdir(job->plan->options.bundle) < 0)
		return error_set(err, errno, "enter the bundle %s", job->plan->options.bundle);
	return ret;
}

int step_unshare_run(struct job *job, struct error *err)
{
	return namespace_unshare_run(&job->plan->namespaces, job->proc, err);
}

#define NEEDS_PTRACE " (before its start this needs CAP_SYS_PTRACE)"

/* exec: all namespaces of the container's init at once; the kernel takes the user namespace first.
 */
int step_container_join_run(struct job *job, struct error *err)
{
	const struct plan *p = job->plan;
	int ret;

	/*
	 * Where setns() leads to, the root of the mount namespace, is not the container's root if
	 * that is one by chroot(2): it has no mount namespace, or its runtime was in a chroot.  The
	 * link leads to what the kernel has as the init's root, whatever its path is called now; a
	 * container can choose that only among what it reaches itself.
	 */
	job->root = openat(job->proc, job->init_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (job->root < 0)
		return error_set(err, errno, "open the container's root%s",
				 errno == EACCES ? NEEDS_PTRACE : "");
	fd_close(&job->proc);
	/* That it can still be joined, or told from others, shows that the number was its own. */
	if (plan_namespaces(p) == 0)
		ret = sys_pidfd_send_signal(job->join_pidfd, 0);
	else
		ret = sys_setns(job->join_pidfd, (int)plan_namespaces(p));
	if (ret < 0)
		/* The waiting init is not dumpable, and was executed in the initial namespace. */
		return error_set(err, -ret, "join the container's namespaces%s",
				 ret == -EPERM ? NEEDS_PTRACE : "");
	fd_close(&job->join_pidfd);
	if (fchdir(job->root) < 0 || chroot(".") < 0)
		return error_set(err, errno, "enter the container's root");
	return 0;
}

/*
 * Root of the user namespace, for files that are made from here on.  Where it has no root mapped,
 * the first id that it has.
 */
int step_root_ids_run(struct job *job, struct error *err)
{
	const struct oci_linux *l = job->plan->config->linux;
	uint32_t uid = l && l->n_uid_mappings ? l->uid_mappings[0].container_id : 0;
	uint32_t gid = l && l->n_gid_mappings ? l->gid_mappings[0].container_id : 0;
	int ret;

	for (size_t i = 0; l && i < l->n_uid_mappings; i++)
		uid = l->uid_mappings[i].container_id == 0 ? 0 : uid;
	for (size_t i = 0; l && i < l->n_gid_mappings; i++)
		gid = l->gid_mappings[i].container_id == 0 ? 0 : gid;
	ret = sys_setresgid(gid, gid, gid);
	if (ret == 0)
		ret = sys_setresuid(uid, uid, uid);
	if (ret < 0)
		return error_set(err, -ret, "become user %u, group %u of the user namespace", uid,
				 gid);
	return own_ids(job, err);
}

int step_time_run(struct job *job, struct error *err)
{
	return namespace_time_run(&job->plan->namespaces, job->proc, err);
}

int step_self_exe_run(struct job *job, struct error *err)
{
	return self_exe_run(&job->self_exe, err);
}

/*
 * A PID namespace that was joined holds for children only.  The second process is the first one's
 * sibling, so that its parent is the kist process, and after that the caller's subreaper.  It has a
 * copy of the memory, though sharing it would be faster: through the second process a container
 * with CAP_SYS_PTRACE could reach the first, outside its PID namespace.
 */
int step_fork_run(struct job *job, struct error *err)
{
	struct sys_clone c = {
		.flags = CLONE_PARENT | job->plan->namespaces.clone_second,
		.exit_signal = 0,	/* the kernel takes that of the first process */
		.cgroup = -1,
		/* A filter may be loaded, and those of engines let this one pass. */
		.plain = job->filtered,
		/*
		 * In this process's own PID namespace, which is the caller's: the number that
		 * the caller needs, and by the kernel, since the new process may be at its last
		 * row before this one runs again.
		 */
		.pid = (pid_t *)&job->own->init_pid,
	};
	pid_t pid;

	/* Engines keep secrets in their environment, and leave them to kist. */
	process_forget_caller(job->argv);
	pid = sys_clone3(&c);
	if (pid < 0)
		return namespace_create_error(-1, c.flags & ~(uint64_t)CLONE_PARENT, -pid, err);
	if (pid > 0)
		_exit(0);
	job->self = STAGE_2;
	return die_with_parent(job, err);
}

int step_second_process_run(struct job *job, struct error *err)
{
	if (plan_has_two_processes(job->plan) && !plan_forks_late(job->plan))
		return step_fork_run(job, err);
	job->self = STAGE_2;
	return 0;
}

/* ---- stage 2: the namespaces' contents ------------------------------------------------------ */

int step_dumpable_run(struct job *job, struct error *err)
{
	(void)job;
	return process_dumpable_run(err);
}

int step_cgroup_namespace_run(struct job *job, struct error *err)
{
	return namespace_cgroup_run(&job->plan->namespaces, job->proc, err);
}

int step_cgroup_payload_run(struct job *job, struct error *err)
{
	int ret = cgroup_join_delegate_run(&job->cgroup, err);

	fd_close(&job->cgroup.delegate);
	return ret;
}

int step_loopback_run(struct job *job, struct error *err)
{
	return network_run(&job->plan->network, err);
}

int step_uts_run(struct job *job, struct error *err)
{
	return uts_run(&job->plan->uts, err);
}

int step_sysctl_run(struct job *job, struct error *err)
{
	return sysctl_run(&job->plan->sysctl, job->proc, err);
}

int step_keyring_run(struct job *job, struct error *err)
{
	/* exec has no procfs of the host any more, and has done that in "labels". */
	int ret = job->plan->command == PLAN_EXEC ?
		  0 : selinux_keycreate_run(&job->plan->selinux, job->proc, err);

	return ret < 0 ? ret : keyring_run(&job->plan->keyring, err);
}

int step_oom_score_run(struct job *job, struct error *err)
{
	return process_oom_run(&job->plan->program, job->proc, 0, err);
}

/* ---- stage 2: the root file system ---------------------------------------------------------- */

int step_rootfs_run(struct job *job, struct error *err)
{
	return rootfs_prepare_run(&job->plan->rootfs, AT_FDCWD, &job->root, err);
}

int step_mounts_run(struct job *job, struct error *err)
{
	struct mount_cgroup_env env = {
		.cgroupns = (plan_namespaces(job->plan) & CLONE_NEWCGROUP) != 0,
		.paths = job->cgroup_paths,
	};

	struct mount_place at = { .root = job->root, .bundle = AT_FDCWD, .pidns = -1 };
	owned_fd pidns = -1;

	if (job->plan->mounts.proc_of_children && job->plan->host->proc_pidns) {
		pidns = openat(job->proc, "self/ns/pid_for_children", O_RDONLY | O_CLOEXEC);
		if (pidns < 0)
			return error_set(err, errno, "open the PID namespace");
		at.pidns = pidns;
	}
	return mount_run(&job->plan->mounts, &at, &env, err);
}

int step_devices_run(struct job *job, struct error *err)
{
	return device_run(&job->plan->devices, job->root, err);
}

int step_console_run(struct job *job, struct error *err)
{
	const struct terminal_plan *t = &job->plan->terminal;
	owned_fd master = -1;
	int ret = terminal_open_run(t, job->root, &master, &job->terminal, err);

	if (ret == 0 && job->plan->command != PLAN_EXEC && job->plan->rootfs.mount_namespace)
		ret = device_console_run(job->root, job->terminal, err);
	if (ret < 0)
		return ret;
	ret = terminal_send_run(job->console_socket, master, err);
	fd_close(&job->console_socket);
	return ret;
}

int step_notify_mount_run(struct job *job, struct error *err)
{
	int ret = notify_socket_run(&job->plan->notify_socket, job->state_dir, job->root, err);

	fd_close(&job->state_dir);
	return ret;
}

/* createContainer: in the container's namespaces, the host's tree still around it (config.md). */
int step_container_hooks_run(struct job *job, struct error *err)
{
	if (job->hook_runner >= 0)
		return steps_outside_hooks_run(job, err);
	return hook_run(&job->plan->hooks, HOOK_CREATE_CONTAINER,
			&(struct hook_input){ .state = job->hook_state }, err);
}

int step_masked_paths_run(struct job *job, struct error *err)
{
	return mask_run(&job->plan->mask, job->root, err);
}

static bool makes_cwd_early(const struct plan *p)
{
	return p->command != PLAN_EXEC && p->rootfs.readonly;
}

int step_readonly_run(struct job *job, struct error *err)
{
	int ret = mount_late_run(&job->plan->mounts, err);

	mount_close(&job->plan->mounts);
	/*
	 * In a root that is about to be read-only; else "cwd" makes it.  The walk stays below the
	 * root by openat2, so that it is as safe here, beside the host's tree, as after the pivot.
	 */
	if (ret == 0 && makes_cwd_early(job->plan) && job->plan->process)
		ret = process_cwd_make_run(&job->plan->program, job->root, err);
	if (ret == 0)
		ret = rootfs_readonly_run(&job->plan->rootfs, job->root, err);
	return ret;
}

int step_pivot_run(struct job *job, struct error *err)
{
	int ret = rootfs_pivot_run(&job->plan->rootfs, job->root, err);

	if (ret == 0)
		ret = rootfs_propagation_run(&job->plan->rootfs, err);
	return ret;
}

/* ---- stage 2: the process ------------------------------------------------------------------- */

int step_scheduler_run(struct job *job, struct error *err)
{
	const struct scheduler_plan *p = &job->plan->scheduler;
	int ret = scheduler_affinity_run(p, err);

	if (ret == 0)
		ret = scheduler_memory_run(p, err);
	/* A policy need not pass on to children: for one that is to come the parent sets it. */
	return ret < 0 || plan_forks_late(job->plan) ? ret : scheduler_run(p, 0, err);
}

int step_personality_run(struct job *job, struct error *err)
{
	return process_personality_run(&job->plan->program, err);
}

int step_limits_run(struct job *job, struct error *err)
{
	return limit_run(&job->plan->limits, plan_forks_late(job->plan), job->proc, err);
}

int step_limits_joiner_run(struct job *job, struct error *err)
{
	return limit_joiner_run(&job->plan->limits, plan_last_descriptors(job->plan), err);
}

int step_last_limits_run(struct job *job, struct error *err)
{
	return limit_last_run(&job->plan->limits, plan_forks_late(job->plan),
			      plan_last_descriptors(job->plan), err);
}

/* The kernel keeps them for the next execve; procfs is the host's, which the container cannot have
 * faked. */
int step_labels_run(struct job *job, struct error *err)
{
	const struct plan *p = job->plan;
	int ret = p->command == PLAN_EXEC && p->keyring.name ?
		  selinux_keycreate_run(&p->selinux, job->proc, err) : 0;

	if (ret == 0)
		ret = selinux_run(&p->selinux, job->proc, err);
	return ret < 0 ? ret : apparmor_run(&p->apparmor, job->proc, err);
}

int step_bounding_run(struct job *job, struct error *err)
{
	return capability_bounding_run(&job->plan->capabilities, err);
}

int step_seccomp_run(struct job *job, struct error *err)
{
	int ret = seccomp_run(&job->plan->seccomp, &job->listener, err);

	job->filtered = true;
	return ret;
}

/* Where the filter comes so late it is the one thing that privilege was still needed for. */
int step_capabilities_last_run(struct job *job, struct error *err)
{
	return capability_inside_run(&job->plan->capabilities, err);
}

/* The streams that came from the caller become the user's while we may still give them away. */
int step_streams_run(struct job *job, struct error *err)
{
	const struct terminal_plan *t = &job->plan->terminal;

	return t->wanted ? 0 : terminal_stdio_run(t, err);
}

/*
 * Without a terminal too the session is a new one: the caller's terminal, its signals and TIOCSTI
 * are not for the container (CVE-2017-5226).
 */
int step_session_run(struct job *job, struct error *err)
{
	if (job->plan->terminal.wanted)
		return terminal_attach_run(job->terminal, err);
	/* EPERM: it leads a session already. */
	if (setsid() < 0 && errno != EPERM)
		return error_set(err, errno, "start a session");
	return 0;
}

int step_home_run(struct job *job, struct error *err)
{
	const struct plan *p = job->plan;

	(void)err;
	user_home_run(job->root, p->user.uid, p->program.home, PROCESS_HOME_MAX);
	return 0;
}

int step_cwd_run(struct job *job, struct error *err)
{
	const struct process_plan *p = &job->plan->program;
	int ret = makes_cwd_early(job->plan) ? 0 : process_cwd_make_run(p, job->root, err);

	if (ret < 0)
		return ret;
	job->cwd_again = process_cwd_run(p, job->root, false, err);
	return job->cwd_again < 0 ? job->cwd_again : 0;
}

int step_user_run(struct job *job, struct error *err)
{
	int ret = user_run(&job->plan->user, err);

	if (ret == 0 && job->cwd_again > 0)
		ret = process_cwd_run(&job->plan->program, job->root, true, err);
	fd_close(&job->root);
	return ret < 0 ? ret : own_ids(job, err);
}

int step_capabilities_run(struct job *job, struct error *err)
{
	return capability_run(&job->plan->capabilities, err);
}

int step_program_run(struct job *job, struct error *err)
{
	return process_lookup_run(&job->plan->program, job->program, err);
}

/*
 * What the program gets is decided here: 0-2 and the preserved ones; of ours only what the rows
 * after this one need.  The container's root is for "user", which closes it.
 */
int step_descriptors_run(struct job *job, struct error *err)
{
	int root = job->cwd_again > 0 ? job->root : -1;
	const int keep[] = { job->channel, job->start_socket, job->report_fd,
			     plan_forks_late(job->plan) ? job->terminal : -1, root };
	int ret = preserve_fd_close_others(&job->plan->preserve_fds, keep,
					   sizeof(keep) / sizeof(*keep));

	if (ret < 0)
		return error_set(err, -ret, "close descriptors");
	job->proc = job->console_socket = -1;
	job->root = root;
	return preserve_fd_run(&job->plan->preserve_fds, err);
}

/* ---- the end: ready, start, exec ------------------------------------------------------------ */

/* A complete container lives on without its creator.  From here the channel alone tells of the
 * parent's death. */
int step_ready_run(struct job *job, struct error *err)
{
	(void)job;
	if (prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0)
		return error_set(err, errno, "prctl(PR_SET_PDEATHSIG)");
	return 0;
}

/* What asks a process to end. */
static const int end_signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

static void end_before_start(int sig)
{
	_exit(128 + sig);
}

/*
 * The first process of a PID namespace gets no signal that it has no handler for: `kill` would do
 * nothing to a container that is created, and engines would wait for its end.
 */
static void heed_end_signals(const struct job *job, bool heed)
{
	const struct sigaction action = { .sa_handler = heed ? end_before_start : SIG_DFL };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(end_signals) / sizeof(*end_signals); i++) {
		if (job->ignored & UINT64_C(1) << (end_signals[i] - 1))
			continue;
		(void)sigaction(end_signals[i], &action, NULL);
		sigaddset(&set, end_signals[i]);
	}
	(void)sigprocmask(heed ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

/*
 * Waits for `start`, as long as it takes: that is what a created container does.  Whoever connects
 * is the owner of the state directory, mode 0700; it gets the page, and the channel is now the
 * connection to it.
 */
int step_start_run(struct job *job, struct error *err)
{
	char traced = 0;
	ssize_t n;
	int fd;

	fd_close(&job->channel);
	heed_end_signals(job, true);
	do {
		job->channel = accept4(job->start_socket, NULL, NULL, SOCK_CLOEXEC);
	} while (job->channel < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (job->channel < 0)
		return error_set(err, errno, "wait for start");
	heed_end_signals(job, false);
	n = unix_socket_receive(job->channel, &traced, sizeof(traced), &fd);
	fd_close(&fd);
	if (n != sizeof(traced))
		return error_set(err, 0, "the start command has ended");
	job->traced = traced != 0;
	n = unix_socket_send(job->channel, &traced, sizeof(traced), job->report_fd);
	fd_close(&job->start_socket);
	fd_close(&job->report_fd);
	if (n < 0)
		return error_set(err, (int)-n, "answer the start command");
	/* config.md: process is REQUIRED when start is called, not before. */
	return job->plan->process ? 0 :
		error_set(err, 0, "config.json: process: missing: there is nothing to start");
}

int step_no_new_privs_run(struct job *job, struct error *err)
{
	return process_nnp_run(&job->plan->program, err);
}

int step_start_hooks_run(struct job *job, struct error *err)
{
	const struct hook_input input = { .state = job->hook_state,
					  .process_env = job->plan->program.env };

	return hook_run(&job->plan->hooks, HOOK_START_CONTAINER, &input, err);
}

int step_exec_run(struct job *job, struct error *err)
{
	/*
	 * An ignored signal stays so over an exec, and a shell cannot even trap it: what an engine
	 * ignores for its own sake, or kist, is not for the program.  HUP and INT are what a user
	 * asks for by nohup and by "&": these are left.
	 */
	for (int sig = 1; sig <= 64; sig++) {
		if (sig != SIGHUP && sig != SIGINT && (job->ignored & UINT64_C(1) << (sig - 1)))
			(void)sys_signal_default(sig);
	}
	if (sigprocmask(SIG_SETMASK, &job->old_mask, NULL) < 0)
		return error_set(err, errno, "restore the signal mask");
	(void)process_exec_run(&job->plan->program, job->program, err);
	err->exit_code = job->plan->command == PLAN_CREATE ? 0 : EXIT_AFTER_START;
	return -err->errnum;
}
