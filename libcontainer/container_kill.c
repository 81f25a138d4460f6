/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_kill.c - signals to a container: to its init process, to its cgroup, and to processes
 * that neither a PID namespace nor a cgroup holds together.
 */
#include "container_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dir.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"

/* How long processes that fork, or do not end, are killed again and again. */
#define MEMBERS_MS 10000
/* Between two passes over /proc: the killed need a moment to end. */
#define PASS_MS	   5

int container_signal_init(const struct container *c, int sig, struct error *err)
{
	owned_fd pidfd = sys_pidfd_open(c->state->pid, 0);
	int ret;

	if (pidfd == -ESRCH)
		return container_not_running(c, err);
	if (pidfd < 0)
		return error_set(err, -pidfd, "open process %d", c->state->pid);
	/* The descriptor holds one process; it is ours if the start time still fits (pid reuse). */
	ret = state_alive(c->state, c->proc);
	if (ret < 0)
		return error_set(err, -ret, "look at process %d", c->state->pid);
	if (ret == 0)
		return container_not_running(c, err);
	ret = sys_pidfd_send_signal(pidfd, sig);
	if (ret == -ESRCH)
		return container_not_running(c, err);
	if (ret < 0)
		return error_set(err, -ret, "send signal %d to process %d", sig, c->state->pid);
	return 0;
}

/* ---- a container without a cgroup ------------------------------------------------------------ */

/*
 * The namespace that tells which processes are the container's, as a file of /proc/PID; NULL: it
 * has none of its own.  Who has gone on into a namespace below it is not seen.
 */
static const char *members_namespace(const struct state *s)
{
	return s->pid_namespace ? "ns/pid" : s->mount_namespace ? "ns/mnt" : NULL;
}

/* Whether a process ("self", or its number) is in the namespace that was looked at. */
static bool is_member(int proc, const char *process, const char *file, const struct stat *namespace)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", process, file);
	return fstatat(proc, path, &st, 0) == 0 && st.st_ino == namespace->st_ino &&
	       st.st_dev == namespace->st_dev;
}

/* Does `what` to each member.  Returns how many were found, or -errno. */
static int for_members(int proc, const char *file, const struct stat *namespace,
		       void (*what)(void *ctx, pid_t pid), void *ctx)
{
	owned_fd fd = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dir_iter it;
	const char *name;
	int found = 0, ret = fd < 0 ? -errno : dir_begin(&it, fd);

	while (ret == 0 && (name = dir_next(&it, NULL, &ret))) {
		uint32_t number;

		if (str_to_u32(name, &number) < 0 || !is_member(proc, name, file, namespace))
			continue;
		what(ctx, (pid_t)number);
		found++;
	}
	return ret < 0 ? ret : found;
}

/* Sends a signal to the process if it still is a member when a pidfd holds it. */
struct shot {
	int proc;
	const char *file;
	const struct stat *namespace;
	int sig;
};

static void signal_member(void *ctx, pid_t pid)
{
	const struct shot *shot = ctx;
	owned_fd pidfd = sys_pidfd_open(pid, 0);
	char number[16];

	snprintf(number, sizeof(number), "%d", (int)pid);
	if (pidfd >= 0 && is_member(shot->proc, number, shot->file, shot->namespace))
		(void)sys_pidfd_send_signal(pidfd, shot->sig);
}

/* The namespace of a container whose init lives.  0, or negative. */
static int look_at_namespace(const struct container *c, struct stat *namespace, struct error *err)
{
	char path[64];
	int ret;

	snprintf(path, sizeof(path), "%d/%s", c->state->pid, members_namespace(c->state));
	if (fstatat(c->proc, path, namespace, 0) < 0)
		return error_set(err, errno, "look for the processes of container %s",
				 c->state->id);
	/* What was looked at by number was init's only if that is still its number. */
	ret = state_alive(c->state, c->proc);
	if (ret < 0)
		return error_set(err, -ret, "look at process %d", c->state->pid);
	return ret > 0 ? 0 : container_not_running(c, err);
}

/* Without namespaces of its own either, nothing but init can be named with certainty. */
static int signal_members(const struct container *c, int sig, struct error *err)
{
	struct stat namespace;
	struct shot shot = { c->proc, members_namespace(c->state), &namespace, sig };
	int ret;

	if (!shot.file) {
		log_warning("container %s has neither a cgroup nor a PID namespace: only its first "
			    "process can be found", c->state->id);
		return container_signal_init(c, sig, err);
	}
	ret = look_at_namespace(c, &namespace, err);
	if (ret < 0)
		return ret;
	ret = for_members(c->proc, shot.file, &namespace, signal_member, &shot);
	return ret < 0 ? error_set(err, -ret, "look for processes of container %s", c->state->id) :
			 0;
}

struct listing {
	int proc;
	struct arena *arena;
	pid_t *pids;
	size_t n;
};

/* A zombie has ended; it is not listed, as it is not in a list of a cgroup. */
static void list_member(void *ctx, pid_t pid)
{
	struct listing *l = ctx;
	struct proc_stat st;

	if (proc_stat(l->proc, pid, &st) < 0 || (st.threads <= 1 && st.state == 'Z'))
		return;
	l->pids = arena_grow(l->arena, l->pids, l->n, sizeof(*l->pids));
	l->pids[l->n++] = pid;
}

int container_members(const struct container *c, struct arena *a, pid_t **out, size_t *n,
		      struct error *err)
{
	struct listing l = { .proc = c->proc, .arena = a };
	struct stat namespace;
	int ret = 0;

	if (!members_namespace(c->state)) {
		list_member(&l, c->state->pid);
	} else {
		ret = look_at_namespace(c, &namespace, err);
		if (ret < 0)
			return ret;
		ret = for_members(c->proc, members_namespace(c->state), &namespace, list_member,
				  &l);
	}
	if (ret < 0)
		return error_set(err, -ret, "look for processes of container %s", c->state->id);
	if (l.n > 1)
		qsort(l.pids, l.n, sizeof(*l.pids), proc_compare_pids);
	*out = l.pids;
	*n = l.n;
	return 0;
}

/* ---- signals --------------------------------------------------------------------------------- */

static bool only_v2(const struct cgroup_ref *ref)
{
	return ref->n_dirs == 1 && ref->dirs[0].controllers[0] == '\0';
}

/* A signal to every process of the container's cgroup, whose path must not be another's by now. */
static int kill_cgroup(struct container_context *ctx, struct container *c, int sig,
		       struct error *err)
{
	int ret = container_lock(ctx, c, false, err);

	/* Somebody has deleted the container: what SIGKILL was for is done. */
	if (ret == -ENOENT && sig == SIGKILL)
		return 0;
	if (ret == 0)
		ret = c->state->cgroup ? cgroup_kill(c->state->cgroup, sig, err) : 0;
	container_unlock(c);
	return ret;
}

/* The v1 freezer keeps even a killed process.  Under the lock, as kill_cgroup(). */
static int thaw_killed(struct container_context *ctx, struct container *c, struct error *err)
{
	int ret = container_lock(ctx, c, false, err);

	if (ret == -ENOENT)
		return 0;
	if (ret == 0)
		ret = cgroup_thaw_killed(c->state->cgroup, FREEZE_TIMEOUT_MS, err);
	container_unlock(c);
	return ret;
}

static int kill_opened(struct container_context *ctx, struct container *c, int sig, bool all,
		       struct error *err)
{
	const struct state *s = c->state;
	int alive = state_alive(s, c->proc), ret;

	/* Signals to the cgroup need no record of the first process. */
	if (!all && container_check_record(ctx, c, err) < 0)
		return -EINVAL;
	if (alive < 0)
		return error_set(err, -alive, "look at process %d", s->pid);
	if (!alive && all && !s->cgroup)
		return 0;
	/* A container in a foreign pid namespace does not end with its init: SIGKILL is for all of
	 * it. */
	all = all || (s->cgroup && sig == SIGKILL && !s->pid_namespace);
	/* Before the lock: whoever holds it may be waiting for this process. */
	if (all && s->cgroup && alive && sig == SIGKILL)
		(void)container_signal_init(c, sig, NULL);
	if (all && s->cgroup)
		return kill_cgroup(ctx, c, sig, err);
	if (!alive)
		return container_not_running(c, err);
	if (all)
		return signal_members(c, sig, err);
	ret = container_signal_init(c, sig, err);
	if (ret == 0 && sig == SIGKILL && s->cgroup && !only_v2(s->cgroup) &&
	    cgroup_is_frozen(s->cgroup, &c->freezers) == 1)
		ret = thaw_killed(ctx, c, err);
	return ret;
}

int container_kill(struct container_context *ctx, const char *id, int sig, bool all,
		   struct error *err)
{
	struct container c;
	int ret = container_open(ctx, id, false, &c, err);

	if (ret == 0)
		ret = kill_opened(ctx, &c, sig, all, err);
	container_close(&c);
	return ret;
}

/* ---- what init leaves behind ----------------------------------------------------------------- */

int container_hold_members(const struct container *c)
{
	const struct state *s = c->state;
	owned_fd held = -1;
	char path[64];

	if (s->cgroup || s->pid_namespace || !s->mount_namespace || s->pid <= 0)
		return -1;
	snprintf(path, sizeof(path), "%d/ns/mnt", s->pid);
	held = openat(c->proc, path, O_RDONLY | O_CLOEXEC);
	if (held < 0)
		return -1;
	/* What was opened by number was init's only if that is still its number. */
	return state_alive(s, c->proc) > 0 ? fd_take(&held) : -1;
}

int container_kill_members(const struct container *c, int members, struct error *err)
{
	int64_t deadline = clock_ms() + MEMBERS_MS;
	struct stat namespace;
	struct shot shot = { c->proc, members_namespace(c->state), &namespace, SIGKILL };
	int ret;

	if (fstat(members, &namespace) < 0)
		return error_set(err, errno, "look at the namespace of container %s", c->state->id);
	while ((ret = for_members(c->proc, shot.file, &namespace, signal_member, &shot)) > 0 &&
	       clock_ms() < deadline)
		(void)poll(NULL, 0, PASS_MS);
	if (ret > 0)
		return error_set(err, 0,
				 "container %s: after %d s of SIGKILL %d of its processes "
				 "are there: they do not end, or fork faster than they can be "
				 "killed one by one (a cgroup would stop that)",
				 c->state->id, MEMBERS_MS / 1000, ret);
	return ret < 0 ? error_set(err, -ret, "look for processes of container %s", c->state->id)
		       : 0;
}
