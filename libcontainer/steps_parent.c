/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steps_parent.c - rows, serving halves and roll-backs that run in the kist process itself.
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/unix_socket.h"
#include "state.h"
#include "state_lock.h"

/* How long killed processes may take to vanish: a process in uninterruptible sleep can hold a
 * cgroup. */
#define DEATH_TIMEOUT_MS 10000
/* A limit that a start with few mounts just fits into. */
#define DESCRIPTORS_FEW 16
#define DEATH_LOOK_MS 1000
/* The v2 freezer lets the killed die at once; the v1 one never does. */
#define FROZEN_DEATH_MS 500
#define PIDFD_SOCKET_MS 10000

/* ---- before the first side effect ----------------------------------------------------------- */

/* mkdir() in "state" decides; this is for the plain case, to say it before anything else is found
 * wrong. */
static int check_id(const struct job *job, struct error *err)
{
	if (faccessat(job->state_root, job->state->id, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return error_set(err, 0, "container with id %s already exists", job->state->id);
	return 0;
}

int steps_check_host(struct job *job, struct error *err)
{
	const struct plan *p = job->plan;
	uint64_t separate;
	int ret;

	ret = namespace_open(&p->namespaces, job->proc, &job->namespaces, err);
	if (ret == 0)
		ret = idmap_check(&p->idmap,
				  namespace_fd(&p->namespaces, &job->namespaces, CLONE_NEWUSER),
				  job->proc, job->signals, err);
	separate = job->namespaces.separate;
	if (ret == 0)
		ret = uts_check(&p->uts, separate, err);
	if (ret == 0)
		ret = sysctl_check(&p->sysctl, separate, err);
	if (ret == 0)
		ret = network_check(&p->network, separate, err);
	if (oci_goes_on(p->config, ret))
		oci_keep(&ret, hook_check(&p->hooks, err));
	return ret;
}

int step_checks_run(struct job *job, struct error *err)
{
	int ret = check_id(job, err);

	return ret < 0 ? ret : steps_check_host(job, err);
}

/* Pairs of controllers and path of what was really made, for mounts of type cgroup. */
static const char **cgroup_mount_paths(struct arena *a, const struct cgroup_ref *ref)
{
	const char **pairs = ARENA_NEW_ARRAY(a, const char *, 2 * ref->n_dirs + 1);
	size_t n = 0;

	for (size_t i = 0; i < ref->n_dirs; i++) {
		if (!ref->dirs[i].path[0])
			continue;
		pairs[n++] = ref->dirs[i].controllers;
		pairs[n++] = ref->dirs[i].path;
	}
	return pairs;
}

int step_cgroup_lookup_run(struct job *job, struct error *err)
{
	int ret = cgroup_open_run(&job->plan->cgroup, job->arena, &job->cgroup, err);

	/* A cgroup in use may be that of a container which took the id since "checks": then the id
	 * is the reason.  Its directory is made before its cgroup, and removed after it. */
	if (ret < 0)
		return check_id(job, err) < 0 ? -EEXIST : ret;
	/* Only a cgroup that may be used is ours to clear and to remove. */
	job->state->cgroup = &job->cgroup.ref;
	return 0;
}

/* ---- the record ----------------------------------------------------------------------------- */

int step_state_run(struct job *job, struct error *err)
{
	job->state_dir = state_new(job->state_root, job->state, job->arena, err);
	/* Descriptors are few where a limit is low, and nothing after this needs it. */
	fd_close(&job->state_root);
	return job->state_dir < 0 ? job->state_dir : 0;
}

int step_state_undo(struct job *job, struct error *err)
{
	int ret;

	/* Not ours: the id belongs to another container, or nothing was made yet. */
	if (job->state_dir < 0)
		return 0;
	ret = state_remove(job->state_dir, job->state->id, err);
	/* Nobody shall wait for the container that is gone while its poststop hooks run. */
	if (ret == 0)
		state_lock_release(job->state_dir);
	return ret;
}

/*
 * Runs when all else is gone.  A container that never got as far as its first hooks has nothing to
 * tell (runtime.md, "Lifecycle").  The configuration was read from the record before that was
 * removed.
 */
int step_poststop_undo(struct job *job, struct error *err)
{
	const struct state *s = job->state;
	const struct hook_input input = { .state = state_for_hooks(s, "stopped", job->arena),
					  .cancel = job->signals };
	struct oci_config *config;
	struct hook_plan hooks;

	if (!s->poststop || (s->pid == 0 && !job->hooks_ran))
		return 0;
	if (job->plan)
		return hook_run(&job->plan->hooks, HOOK_POSTSTOP, &input, err);
	if (!s->config.text ||
	    oci_config_parse(s->config.text, s->config.len, "config.json", job->arena, &config,
			     err) < 0 ||
	    hook_compile(config, job->host, job->arena, &hooks, err) < 0) {
		log_warning("container %s: its poststop hooks cannot be read and were not run",
			    s->id);
		return 0;
	}
	return hook_run(&hooks, HOOK_POSTSTOP, &input, err);
}

/* ---- sockets -------------------------------------------------------------------------------- */

/* The result of a wait for an engine, which a signal to this process ends. */
static int connected(const struct job *job, int sock, struct error *err)
{
	if (sock == -ECANCELED)
		return job_signal_error(job, err);
	return sock < 0 ? sock : 0;
}

/* The terminal's master goes through it: to the engine, or in the foreground to this process. */
int step_console_socket_run(struct job *job, struct error *err)
{
	const char *path = job->plan->options.console_socket;
	int pair[2];

	if (path) {
		job->console_socket = terminal_connect(path, job->signals, err);
		return connected(job, job->console_socket, err);
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set(err, errno, "socketpair");
	job->terminal_channel = pair[0];
	job->console_socket = pair[1];
	return 0;
}

int step_seccomp_agent_run(struct job *job, struct error *err)
{
	job->seccomp_socket = seccomp_notify_connect(&job->plan->seccomp, job->signals, err);
	return connected(job, job->seccomp_socket, err);
}

int step_notify_socket_run(struct job *job, struct error *err)
{
	return notify_socket_prepare(&job->plan->notify_socket, job->state_dir, err);
}

/* Made here so that the child has it from birth; it gets its name, and with it the status
 * "created", in "ready". */
int step_start_socket_run(struct job *job, struct error *err)
{
	job->start_socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	return job->start_socket < 0 ? error_set(err, errno, "socket") : 0;
}

/* ---- cgroup --------------------------------------------------------------------------------- */

int step_cgroup_unit_run(struct job *job, struct error *err)
{
	return cgroup_unit_run(&job->plan->cgroup, job->arena, &job->cgroup, err);
}

/* The unit with its cgroup: it was the first of the two to be there. */
int step_cgroup_unit_undo(struct job *job, struct error *err)
{
	const struct cgroup_ref *ref = job->state->cgroup;

	if (!ref || !ref->unit || job->state_dir < 0)
		return 0;
	cgroup_settle(&job->cgroup);
	return cgroup_remove(ref, DEATH_TIMEOUT_MS, err);
}

int step_cgroup_run(struct job *job, struct error *err)
{
	int ret = cgroup_create_run(&job->plan->cgroup, &job->cgroup, err);

	job->cgroup_paths = cgroup_mount_paths(job->arena, &job->cgroup.ref);
	return ret;
}

int step_cgroup_undo(struct job *job, struct error *err)
{
	if (!job->state->cgroup || job->state->cgroup->unit || job->state_dir < 0)
		return 0;
	return cgroup_remove(job->state->cgroup, DEATH_TIMEOUT_MS, err);
}

int step_cgroup_devices_run(struct job *job, struct error *err)
{
	return cgroup_devices_run(&job->plan->cgroup, &job->cgroup, err);
}

int step_cgroup_limits_run(struct job *job, struct error *err)
{
	return cgroup_limits_run(&job->plan->cgroup, &job->cgroup, err);
}

int step_cgroup_delegate_run(struct job *job, struct error *err)
{
	return cgroup_delegate_run(&job->plan->cgroup, &job->cgroup, err);
}

int step_cgroup_exec_run(struct job *job, struct error *err)
{
	static const struct cgroup_ref none;
	const struct cgroup_ref *ref = job->state->cgroup ? job->state->cgroup : &none;

	return cgroup_open_exec(ref, job->exec_cgroups, job->arena, &job->cgroup, err);
}

/* ---- processes ------------------------------------------------------------------------------ */

/* The tree is held only to be closed at a better time (its file keeps the mount). */
static void spare_descriptors(struct job *job)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= DESCRIPTORS_FEW)
		fd_close(&job->self_exe.tree);
}

int step_self_exe_prepare_run(struct job *job, struct error *err)
{
	int ret = self_exe_prepare(job->proc, &job->self_exe, err);

	spare_descriptors(job);
	return ret;
}

int step_mount_sources_run(struct job *job, struct error *err)
{
	const struct mount_plan *p = &job->plan->mounts;
	struct mount_origin from = {
		.root = job->plan->rootfs.path, .proc = job->proc, .arena = job->arena,
	};
	bool needed = p->userns;
	owned_fd bundle = -1;
	int ret;

	for (size_t i = 0; i < p->n; i++)
		needed = needed || p->entries[i].uid_map || p->entries[i].userns_path;
	if (!needed)
		return 0;
	bundle = open(job->plan->options.bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (bundle < 0)
		return error_set(err, errno, "open the bundle %s", job->plan->options.bundle);
	from.bundle = bundle;
	ret = mount_open_idmaps(p, &from, err);
	if (ret == 0 && p->userns)
		mount_open_sources(p, &from);
	return ret;
}

/*
 * Starts the first process, usually the container's init with all its namespaces, and on v2 in its
 * cgroup: moving a process there afterwards would wait for an RCU grace period (5-12 ms).
 */
static pid_t clone_first(struct job *job, uint64_t namespaces, bool into_cgroup)
{
	struct sys_clone c = {
		.flags = namespaces | (into_cgroup ? CLONE_INTO_CGROUP : 0),
		.exit_signal = SIGCHLD,
		.cgroup = into_cgroup ? cgroup_clone_fd(&job->cgroup) : -1,
		/* Nobody waits for what `create` has made; and descriptors may be few. */
		.pidfd = job->plan->command == PLAN_CREATE ? NULL : &job->init_pidfd,
	};

	return sys_clone3(&c);
}

/*
 * The kernel (6.18 is one that does) counts how often cgroup.kill was written to the caller's
 * cgroup, and compares that with the count of the cgroup that the child is born in: if they differ,
 * the child gets SIGKILL before its first instruction.  So no container could be started in a
 * cgroup that was killed before, or from one.
 */
static bool killed_at_birth(struct job *job, pid_t pid)
{
	struct proc_stat st;

	if (proc_stat(job->proc, pid, &st) < 0)
		return false;
	/* "ready" needs not ask again if this becomes the container's process. */
	if (job->plan->command != PLAN_EXEC)
		job->state->start_time = st.start_time;
	return (st.killed || st.exiting) && job->own->first.row == 0;
}

/* What clone_first() gave for a process in its cgroup; if that cannot be, one to be moved there. */
static pid_t clone_late(struct job *job, uint64_t namespaces, pid_t pid)
{
	if (pid > 0 && killed_at_birth(job, pid)) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		fd_close(&job->init_pidfd);
		job->own->init_pid = -1;
		if (job->plan->command != PLAN_EXEC)
			job->state->start_time = 0;
	} else if (pid > 0 || pid == -ENOMEM || pid == -EAGAIN || pid == -ENOSPC ||
		   pid == -EUSERS) {
		return pid;
	}
	job->cgroup_late = true;
	return clone_first(job, namespaces, false);
}

static int open_channel(struct job *job, struct error *err)
{
	int pair[2];
	int ret = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);

	if (ret < 0)
		return error_set(err, errno, "socketpair");
	job->channel = pair[0];
	job->channel_child = pair[1];
	return 0;
}

/*
 * The child is born in the bundle.  A descriptor of it would lie in this mount namespace, where the
 * child can mount nothing; a working directory follows its process into a new one.  And a child in
 * a new user namespace might not get there: the bundle may be behind directories that only the
 * caller may pass.
 */
static int enter_bundle(const struct job *job, int *caller_cwd, char *caller_path,
			struct error *err)
{
	const char *bundle = job->plan->options.bundle;

	if (job->plan->command == PLAN_EXEC)
		return 0;
	*caller_cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* Where there is no descriptor left, by its name. */
	if (*caller_cwd < 0 && (errno != EMFILE || !getcwd(caller_path, PATH_MAX)))
		return error_set(err, errno, "open the working directory");
	if (chdir(bundle) < 0)
		return error_set(err, errno, "enter the bundle %s", bundle);
	return 0;
}

int step_init_run(struct job *job, struct error *err)
{
	uint64_t namespaces = job->plan->namespaces.clone_first;
	bool into_cgroup = cgroup_clone_fd(&job->cgroup) >= 0;
	owned_fd caller_cwd = -1;
	/* Not on the stack, whose pages both processes copy after the fork. */
	char *caller_path = ARENA_NEW_ARRAY(job->arena, char, PATH_MAX);
	int ret = 0;
	pid_t pid;

	if (open_channel(job, err) < 0 || enter_bundle(job, &caller_cwd, caller_path, err) < 0)
		return -EMFILE;
	pid = clone_first(job, namespaces, into_cgroup);
	if (pid == -EBUSY && into_cgroup && job->plan->command == PLAN_EXEC) {
		ret = cgroup_follow_init(&job->cgroup, job->state->pid, err);
		/* Frozen: the process would not say a word. */
		if (ret == -EAGAIN)
			return ret;
		if (ret == 0)
			pid = clone_first(job, namespaces, true);
	}
	if (pid != 0 && into_cgroup)
		pid = clone_late(job, namespaces, pid);
	if (pid == 0) {
		job->self = STAGE_1;
		fd_close(&job->channel);
		job->channel = fd_take(&job->channel_child);
		fd_close(&job->signals);
		return 0;
	}
	job->stage1_pid = pid;
	if ((caller_cwd >= 0 && fchdir(caller_cwd) < 0) || (*caller_path && chdir(caller_path) < 0))
		return error_set(err, errno, "return to the working directory");
	if (pid < 0)
		return namespace_create_error(job->proc, namespaces, -pid, err);
	fd_close(&job->channel_child);
	fd_close(&job->console_socket);
	fd_close(&job->self_exe.source);
	mount_close(&job->plan->mounts);
	if (!plan_has_two_processes(job->plan))
		job->init_pid = pid;
	/* Born in its v2 cgroup it needs no placeholder any more; on v1 it joins by itself, later.
	 */
	if (into_cgroup && !job->cgroup_late)
		cgroup_settle(&job->cgroup);
	if (job->cgroup_late)
		ret = cgroup_join_pid(&job->cgroup, pid, err);
	/* It waits for this in "cgroup-join"; that it may be dead already will be noticed there. */
	if (ret == 0 && job->cgroup_late)
		(void)unix_socket_send(job->channel, "", 1, -1);
	return ret;
}

/*
 * Whether a process that was killed is at its end but for its parent or its children.  The init of
 * a PID namespace ends only when all others there were reaped, and the parent of one may be outside
 * and stopped: `kist exec`.  By then init has left its files, namespaces and cgroups; nothing of it
 * is in the way.  The number is its own: the caller's pidfd has not told its end.
 */
static bool is_exiting(int proc, pid_t pid)
{
	struct proc_stat st;

	return proc_stat(proc, pid, &st) == 0 && st.exiting;
}

/*
 * A tracer can keep a process from its end.  One in the container's cgroup was killed with it; one
 * that is still there belongs to somebody else.
 */
static int no_death_error(pid_t pid, int proc, struct error *err)
{
	struct proc_tracer t;

	if (proc_tracer(proc, pid, &t) == 0 && t.pid > 0)
		return error_set(err, ETIMEDOUT,
				 "process %d does not end after SIGKILL: process %d (%s) traces "
				 "it, and must end first", pid, t.pid, t.name);
	return error_set(err, ETIMEDOUT,
			 "process %d does not end after SIGKILL (see /proc/%d/wchan)", pid, pid);
}

static int wait_death(int pidfd, pid_t pid, int proc, struct error *err)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int n = 0;

	for (int ms = 0; n == 0 && ms < DEATH_TIMEOUT_MS; ms += DEATH_LOOK_MS) {
		do {
			n = poll(&p, 1, DEATH_LOOK_MS);
		} while (n < 0 && errno == EINTR);
		if (n == 0 && is_exiting(proc, pid))
			return 0;
	}
	if (n == 0)
		return no_death_error(pid, proc, err);
	/* It is our child only if this command made it; else whoever is its parent reaps it. */
	(void)waitpid(pid, NULL, WNOHANG);
	return 0;
}

/*
 * Sends SIGKILL and returns a descriptor to wait for the end with; -1: there is no such process.  A
 * child of this very command cannot have lost its pid while nobody has waited for it.
 */
static int kill_child(pid_t pid)
{
	int pidfd = pid > 0 ? sys_pidfd_open(pid, 0) : -1;

	if (pidfd < 0)
		return -1;
	(void)sys_pidfd_send_signal(pidfd, SIGKILL);
	return pidfd;
}

/*
 * The same for the process of the record.  The start time tells it from another that has got its
 * pid since.  *pidfd is to be waited for, or -1: it has ended.  0 or negative: that cannot be seen.
 */
static int kill_recorded(const struct state *s, int proc, int *pidfd, struct error *err)
{
	owned_fd fd = s->pid > 0 ? sys_pidfd_open(s->pid, 0) : -ESRCH;
	int alive = fd < 0 && fd != -ENOSYS ? fd : state_alive(s, proc);

	*pidfd = -1;
	if (alive == 0 || alive == -ESRCH)
		return 0;
	if (alive < 0)
		return error_set(err, -alive, "look at process %d", s->pid);
	/* Linux before 5.3 has but the number, which was right a moment ago. */
	if (fd < 0)
		return kill(s->pid, SIGKILL) < 0 && errno != ESRCH ?
		       error_set(err, errno, "kill process %d", s->pid) : 0;
	(void)sys_pidfd_send_signal(fd, SIGKILL);
	*pidfd = fd_take(&fd);
	return 0;
}

static int kill_child_and_wait(const struct job *job, pid_t pid, struct error *err)
{
	owned_fd pidfd = kill_child(pid);

	return pidfd < 0 ? 0 : wait_death(pidfd, pid, job->proc, err);
}

/* Stage 2 as far as it is known: the kernel writes its pid down before it can say a word. */
static pid_t second_pid(const struct job *job)
{
	return job->init_pid > 0 ? job->init_pid : job->own ? job->own->init_pid : -1;
}

int step_init_undo(struct job *job, struct error *err)
{
	pid_t second = second_pid(job), pid;
	owned_fd pidfd = -1;
	int ret;

	/* Nothing was begun: whoever lives in the cgroup or under this id is not ours. */
	if (job->state_dir < 0)
		return 0;
	unix_socket_drop(&job->channel);
	ret = job->stage1_pid != second ? kill_child_and_wait(job, job->stage1_pid, err) : 0;
	if (ret < 0)
		return ret;
	pid = second > 0 ? second : job->state->pid;
	if (second > 0)
		pidfd = kill_child(second);
	else
		ret = kill_recorded(job->state, job->proc, &pidfd, err);
	if (ret < 0)
		return ret;
	/*
	 * Everybody else in the cgroup: a half-made container whose pid was never written, or, in a
	 * shared PID namespace, what init has left behind.  Before the wait, since the v1 freezer
	 * holds even the killed.
	 */
	if (job->state->cgroup)
		ret = cgroup_kill(job->state->cgroup, SIGKILL, err);
	return ret == 0 && pidfd >= 0 ? wait_death(pidfd, pid, job->proc, err) : ret;
}

/* The v1 freezer holds even the killed until somebody resumes the container. */
static int end_frozen(pid_t pid, struct error *err)
{
	owned_fd pidfd = kill_child(pid);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	if (pidfd < 0 || poll(&p, 1, FROZEN_DEATH_MS) > 0)
		return 0;
	return error_set(err, EBUSY, "the container is frozen: process %d was killed, and ends "
			 "when the container is resumed", pid);
}

/* exec: only what this command has made; the container lives on. */
int step_exec_process_undo(struct job *job, struct error *err)
{
	struct cgroup_freezers at = CGROUP_FREEZERS_INIT;
	pid_t second = second_pid(job);
	bool frozen = cgroup_is_frozen(&job->cgroup.ref, &at) == 1;
	int ret;

	cgroup_freezers_close(&at);
	ret = frozen ? end_frozen(job->stage1_pid, err) :
	      kill_child_and_wait(job, job->stage1_pid, err);
	if (ret < 0 || second == job->stage1_pid)
		return ret;
	return frozen ? end_frozen(second, err) : kill_child_and_wait(job, second, err);
}

/* ---- the parent's halves -------------------------------------------------------------------- */

/* Who asks: the second process, if there is one by now. */
static pid_t acting_pid(const struct job *job)
{
	return job->init_pid > 0 ? job->init_pid : job->stage1_pid;
}

/* A process in a joined PID namespace must not have the privilege that this takes. */
int step_scheduler_serve(struct job *job, struct error *err)
{
	return scheduler_run(&job->plan->scheduler, job->init_pid, err);
}

/*
 * What came must be what it is said to be: a process that was taken over may send anything, and the
 * agent takes it for kist's.  That it is the listener of that very process nobody can tell; so it
 * comes from the first process wherever that can load the filter.
 */
int step_listener_serve(struct job *job, struct error *err)
{
	char path[32], name[64];
	ssize_t n = -1;

	snprintf(path, sizeof(path), "self/fd/%d", job->listener);
	if (job->listener >= 0)
		n = readlinkat(job->proc, path, name, sizeof(name) - 1);
	name[n > 0 ? n : 0] = '\0';
	return strcmp(name, "anon_inode:seccomp notify") == 0 ? 0 :
	       error_set(err, 0, "the container's process sent no seccomp listener");
}

int step_agent_serve(struct job *job, struct error *err)
{
	int ret = step_listener_serve(job, err);

	if (ret == 0)
		ret = seccomp_notify_send(&job->plan->seccomp, job->seccomp_socket, job->listener,
					  job->init_pid, err);
	fd_close(&job->seccomp_socket);
	fd_close(&job->listener);
	return ret;
}

int step_oom_score_serve(struct job *job, struct error *err)
{
	return process_oom_run(&job->plan->program, job->proc, job->stage1_pid, err);
}

int step_id_maps_serve(struct job *job, struct error *err)
{
	return idmap_serve(&job->plan->idmap, job->proc, job->stage1_pid, err);
}

int step_net_devices_serve(struct job *job, struct error *err)
{
	owned_fd own = openat(job->proc, "self/ns/net", O_RDONLY | O_CLOEXEC);
	owned_fd other = -1;
	char path[64];
	struct arena scratch = ARENA_INIT;
	int ret;

	/* A child that was not waited for: nobody else can have its number. */
	snprintf(path, sizeof(path), "%d/ns/net", acting_pid(job));
	other = openat(job->proc, path, O_RDONLY | O_CLOEXEC);
	if (own < 0 || other < 0)
		return error_set(err, errno, "open the container's network namespace");
	ret = network_serve(&job->plan->network, own, other, &scratch, err);
	arena_free(&scratch);
	return ret;
}

/* prestart and createRuntime: in the runtime's namespaces, when the container's exist (config.md,
 * "Hooks"). */
int step_runtime_hooks_serve(struct job *job, struct error *err)
{
	struct hook_input input = { .cancel = job->signals };
	int ret;

	job->hooks_ran = true;
	/* Not yet the container's where that one will be forked last: "ready" has the right one. */
	job->state->pid = acting_pid(job);
	input.state = state_for_hooks(job->state, "created", job->arena);
	ret = hook_run(&job->plan->hooks, HOOK_PRESTART, &input, err);
	if (ret == 0)
		ret = hook_run(&job->plan->hooks, HOOK_CREATE_RUNTIME, &input, err);
	return ret;
}

static int write_pid_file(const struct job *job, struct error *err)
{
	const char *file = job->plan->options.pid_file;
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", job->init_pid);

	/* No newline: engines take the whole file as a number. */
	return file ? job_put_file("pid file", file, text, (size_t)len, err) : 0;
}

static int send_pidfd(const struct job *job, struct error *err)
{
	const struct unix_socket_limit limit = { PIDFD_SOCKET_MS, job->signals };
	const char *path = job->plan->options.pidfd_socket;
	owned_fd pidfd = -1, sock = -1;
	int ret;

	if (!path)
		return 0;
	pidfd = sys_pidfd_open(job->init_pid, 0);
	if (pidfd < 0)
		return error_set(err, -pidfd, "open process %d", job->init_pid);
	sock = unix_socket_connect(path, SOCK_STREAM, &limit);
	if (sock == -ETIMEDOUT)
		return error_set(err, ETIMEDOUT, "connect to the pidfd socket %s: nobody took the "
				 "connection for %d s", path, PIDFD_SOCKET_MS / 1000);
	if (sock < 0) {
		error_set(err, -sock, "connect to the pidfd socket %s", path);
		return connected(job, sock, err);
	}
	ret = unix_socket_send(sock, "pidfd", strlen("pidfd"), pidfd);
	return ret < 0 ? error_set(err, -ret, "send to the pidfd socket %s", path) : 0;
}

static int name_start_socket(struct job *job, struct error *err)
{
	int ret;

	if (job->start_socket < 0)
		return 0;
	ret = unix_socket_name(job->start_socket, job->state_dir, STATE_START_SOCKET);
	if (ret == 0 && listen(job->start_socket, 1) < 0)
		ret = -errno;
	return ret < 0 ? error_set(err, -ret, "make the start socket") : 0;
}

/* The container is complete.  The socket first: with a pid and no socket it would count as running.
 */
int step_ready_serve(struct job *job, struct error *err)
{
	bool known = job->state->start_time > 0 && job->init_pid == job->stage1_pid;
	struct proc_stat st;
	int ret = known ? 0 : proc_stat(job->proc, job->init_pid, &st);

	if (ret < 0)
		return error_set(err, -ret, "read the state of process %d", job->init_pid);
	job->state->pid = job->init_pid;
	if (!known)
		job->state->start_time = st.start_time;
	cgroup_settle(&job->cgroup);
	if (job->cgroup.helper)
		cgroup_helper_close(job->cgroup.helper);
	ret = cgroup_delegate_ready_run(&job->plan->cgroup, &job->cgroup, err);
	if (ret == 0)
		ret = name_start_socket(job, err);
	if (ret == 0 && job->plan->command == PLAN_RUN && job->plan->notify_socket.host)
		ret = job->notify = notify_socket_open(job->state_dir, err);
	if (ret >= 0)
		ret = state_save(job->state_dir, job->state, job->arena, err);
	if (ret == 0)
		ret = write_pid_file(job, err);
	return ret == 0 ? send_pidfd(job, err) : ret;
}

int step_exec_ready_serve(struct job *job, struct error *err)
{
	int ret = write_pid_file(job, err);

	return ret == 0 ? send_pidfd(job, err) : ret;
}
