/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of an existing container: listed, frozen, killed.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/sys.h"
#include "cgroup/cgroup_impl.h"

/* For the freeze around a kill: without it processes may fork away, so the listing is repeated. */
#define KILL_FREEZE_MS 500
#define KILL_ROUNDS 10
/* cgroup.events may say "frozen 1" for a moment after cgroup.freeze says 0. */
#define EVENTS_LATE_MS 200

/* The first hierarchy in use, v2 if there is one: its list of processes is as good as any. */
static const struct cgroup_dir *main_dir(const struct cgroup_ref *ref)
{
	for (size_t i = 0; i < ref->n_dirs; i++)
		if (cgroup_dir_used(&ref->dirs[i]))
			return &ref->dirs[i];
	return NULL;
}

/*
 * Where the container can stand still: v1's freezer and v2, which both have it where both are
 * mounted.  Either may have been used by the container, or by the host (`systemctl freeze`).
 */
struct freezers {
	const struct cgroup_dir *dirs[2];
	size_t n;
};

/* v1's first: a pause is made there, for tools look there; and it is to be thawed first. */
static struct freezers find_freezers(const struct cgroup_ref *ref)
{
	static const char *const names[] = { "freezer", "" };
	struct freezers found = { .n = 0 };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int dir = cgroup_knob_dir(ref, names[i]);

		if (dir >= 0 && cgroup_dir_used(&ref->dirs[dir]))
			found.dirs[found.n++] = &ref->dirs[dir];
	}
	return found;
}

static const struct cgroup_dir *freezer_dir(const struct cgroup_ref *ref)
{
	return find_freezers(ref).dirs[0];
}

int cgroup_procs(const struct cgroup_ref *ref, struct arena *a, pid_t **pids, size_t *n,
		 struct error *err)
{
	const struct cgroup_dir *d = main_dir(ref);
	owned_fd dir = d ? cgroup_leaf_open(d) : -ENOENT;
	int ret = dir;

	*pids = NULL;
	*n = 0;
	if (dir >= 0)
		ret = cgroup_tree_procs(dir, a, pids, n);
	if (ret < 0 && !cgroup_is_gone(ret))
		return error_set(err, -ret, "list processes of cgroup %s%s", d->mount, d->path);
	return 0;
}

static int holds(const struct cgroup_dir *d, struct cgroup_mount *at)
{
	owned_fd dir = -1;
	int ret;

	if (at->fd < 0 || strcmp(at->path, d->mount) != 0) {
		fd_close(&at->fd);
		at->fd = cgroup_mount_open(d);
		at->path = d->mount;
	}
	dir = at->fd < 0 ? at->fd : cgroup_dir_open(at->fd, d->path);
	if (dir < 0)
		return cgroup_is_gone(dir) ? 0 : dir;
	ret = cgroup_hierarchy(d)->holds(dir);
	return cgroup_is_gone(ret) ? 0 : ret;
}

int cgroup_is_frozen(const struct cgroup_ref *ref, struct cgroup_freezers *at)
{
	const struct freezers f = find_freezers(ref);
	int ret = 0;

	for (size_t i = 0; i < f.n && ret != 1; i++) {
		const struct cgroup_dir *d = f.dirs[i];
		int r = holds(d, cgroup_dir_is_v2(d) ? &at->v2 : &at->v1);

		/* What one of them says counts, whatever is wrong with the other. */
		if (r == 1 || ret == 0)
			ret = r;
	}
	return ret;
}

void cgroup_freezers_close(struct cgroup_freezers *f)
{
	fd_close(&f->v1.fd);
	fd_close(&f->v2.fd);
}

/* By its own setting, which a thaw changes. */
static bool is_frozen(const struct cgroup_ref *ref)
{
	const struct cgroup_dir *d = freezer_dir(ref);
	owned_fd dir = d ? cgroup_leaf_open(d) : -1;

	return dir >= 0 && cgroup_hierarchy(d)->frozen(dir) == 1;
}

static int set_frozen_in(const struct cgroup_dir *d, bool frozen, int timeout_ms,
			 struct error *err)
{
	const char *verb = frozen ? "freeze" : "thaw";
	const struct cgroup_hierarchy_ops *ops = cgroup_hierarchy(d);
	owned_fd dir = cgroup_leaf_open(d);
	char state[32] = "";
	bool above;
	int ret = dir;

	/* Held, but not by itself: it looks so while another thaw is about to end as well. */
	above = dir >= 0 && !frozen && ops->frozen(dir) == 0 && ops->holds(dir) == 1;
	if (dir >= 0)
		ret = ops->set_frozen(dir, frozen, above ? EVENTS_LATE_MS : timeout_ms, state);
	if (ret == 0)
		return 0;
	if (above && ret == -ETIMEDOUT)
		return error_set(err, 0, "thaw cgroup %s%s: a cgroup above it is frozen: thaw that",
				 d->mount, d->path);
	if (ret == -ETIMEDOUT && frozen)
		(void)ops->set_frozen(dir, false, KILL_FREEZE_MS, (char[32]){ "" });
	if (ret == -ETIMEDOUT)
		return error_set(err, ETIMEDOUT, "%s cgroup %s%s: %s after %d ms%s", verb, d->mount,
				 d->path, state, timeout_ms,
				 frozen ? "" : " (a cgroup above it may be frozen, too)");
	error_set(err, -ret, "%s cgroup %s%s", verb, d->mount, d->path);
	if (ret == -EACCES || ret == -EPERM)
		error_append(
			err,
			" (the cgroup must be writable: run as its owner, or have it delegated)");
	return ret;
}

/* In the freezer that a pause uses. */
static int set_frozen(const struct cgroup_ref *ref, bool frozen, int timeout_ms, struct error *err)
{
	const struct cgroup_dir *d = freezer_dir(ref);

	if (!d)
		return error_set(err, 0, "%s: the container has no cgroup with a freezer",
				 frozen ? "freeze" : "thaw");
	return set_frozen_in(d, frozen, timeout_ms, err);
}

static bool is_held(const struct cgroup_dir *d)
{
	owned_fd dir = cgroup_leaf_open(d);

	return dir >= 0 && cgroup_hierarchy(d)->holds(dir) == 1;
}

int cgroup_freeze(const struct cgroup_ref *ref, int timeout_ms, struct error *err)
{
	return set_frozen(ref, true, timeout_ms, err);
}

int cgroup_thaw(const struct cgroup_ref *ref, int timeout_ms, struct error *err)
{
	const struct freezers f = find_freezers(ref);
	int ret = set_frozen(ref, false, timeout_ms, err);

	for (size_t i = 1; i < f.n; i++) {
		int r = is_held(f.dirs[i]) ?
			set_frozen_in(f.dirs[i], false, timeout_ms, ret == 0 ? err : NULL) : 0;

		ret = ret == 0 ? r : ret;
	}
	return ret;
}

int cgroup_thaw_killed(const struct cgroup_ref *ref, int timeout_ms, struct error *err)
{
	const struct cgroup_dir *d = freezer_dir(ref);

	return d && !cgroup_dir_is_v2(d) && is_held(d) ? set_frozen_in(d, false, timeout_ms, err) :
							 0;
}

/*
 * 1: the kernel has killed everything below the v2 leaf; 0: it cannot, or there is none; or
 * -errno.
 */
static int kill_whole(const struct cgroup_ref *ref)
{
	const struct cgroup_dir *d = main_dir(ref);
	owned_fd dir = d && cgroup_dir_is_v2(d) ? cgroup_leaf_open(d) : -1;
	int ret = dir < 0 ? -EOPNOTSUPP : cgroup_hierarchy(d)->kill(dir);

	return ret == 0 ? 1 : ret == -EOPNOTSUPP ? 0 : ret;
}

static bool is_listed(const pid_t *pids, size_t n, pid_t pid)
{
	return n > 0 && bsearch(&pid, pids, n, sizeof(pid), proc_compare_pids) != NULL;
}

/* Without pidfd_open(2) by the number. */
static int signal_one(pid_t pid, int pidfd, int sig)
{
	return pidfd >= 0 ? sys_pidfd_send_signal(pidfd, sig) : kill(pid, sig) < 0 ? -errno : 0;
}

/* Who is to be signalled: a listing, of which some are done with. */
struct victims {
	pid_t *pids;
	size_t n, done;
	size_t signalled;
};

static bool is_full(int ret)
{
	return ret == -EMFILE || ret == -ENFILE;
}

/* Victims that are held by descriptors, and who is in the container since. */
struct batch {
	struct arena *arena;
	int *fds; /* each a descriptor or -errno */
	size_t n;
	pid_t *now;
	size_t n_now;
};

/* As many as the process may have open. */
static void open_batch(struct batch *b, const struct victims *v)
{
	bool full = false;

	b->fds = ARENA_NEW_ARRAY(b->arena, int, v->n - v->done);
	while (!full && v->done + b->n < v->n) {
		b->fds[b->n] = sys_pidfd_open(v->pids[v->done + b->n], 0);
		full = is_full(b->fds[b->n]);
		b->n++;
	}
	if (full && b->n > 1)
		b->n--;
}

/* The listing once more.  It takes descriptors, too: the batch gives up some until it has them. */
static int list_again(struct batch *b, const struct cgroup_ref *ref, struct error *err)
{
	int ret;

	while (is_full(ret = cgroup_procs(ref, b->arena, &b->now, &b->n_now, err)) && b->n > 1)
		for (size_t keep = b->n / 2; b->n > keep;)
			fd_close(&b->fds[--b->n]);
	return ret;
}

/*
 * A process may end between the listing and the signal, and its number go to one that is none of
 * the container's.  So first the descriptors, which hold what has the numbers now, then the listing
 * once more: what is in it belongs to the container.
 */
static int kill_batch(const struct cgroup_ref *ref, int sig, struct victims *v, struct error *err)
{
	struct arena scratch = ARENA_INIT;
	struct batch b = { .arena = &scratch };
	int ret;

	open_batch(&b, v);
	ret = list_again(&b, ref, err);
	for (size_t i = 0; i < b.n; i++) {
		pid_t pid = v->pids[v->done + i];
		bool ours = ret == 0 && b.fds[i] != -ESRCH && pid != getpid() &&
			    is_listed(b.now, b.n_now, pid);
		int sent = ours ? signal_one(pid, b.fds[i], sig) : -ESRCH;

		if (sent == 0)
			v->signalled++;
		else if (sent != -ESRCH)
			ret = error_set(err, -sent, "kill process %d", (int)pid);
		fd_close(&b.fds[i]);
	}
	v->done += b.n;
	arena_free(&scratch);
	return ret;
}

/*
 * Signals whoever is in the list now; the count that could be signalled.  Meanwhile as many
 * descriptors as the caller may have at all, so that one batch is enough for any usual container.
 */
static int kill_listed(const struct cgroup_ref *ref, int sig, size_t *signalled, struct error *err)
{
	struct arena scratch = ARENA_INIT;
	struct victims v = { 0 };
	struct rlimit old = { 0, 0 };
	int ret = cgroup_procs(ref, &scratch, &v.pids, &v.n, err);

	if (getrlimit(RLIMIT_NOFILE, &old) == 0)
		(void)setrlimit(RLIMIT_NOFILE, &(struct rlimit){ old.rlim_max, old.rlim_max });
	while (ret == 0 && v.done < v.n)
		ret = kill_batch(ref, sig, &v, err);
	/* Hooks inherit it. */
	if (old.rlim_max)
		(void)setrlimit(RLIMIT_NOFILE, &old);
	*signalled = v.signalled;
	arena_free(&scratch);
	return ret;
}

/*
 * With everybody frozen one pass reaches all; else new children may appear, so pass until nobody
 * is left.
 */
static int kill_each(const struct cgroup_ref *ref, int sig, struct error *err)
{
	bool was_frozen = is_frozen(ref);
	bool frozen = was_frozen || set_frozen(ref, true, KILL_FREEZE_MS, NULL) == 0;
	int rounds = frozen || sig != SIGKILL ? 1 : KILL_ROUNDS;
	size_t signalled;
	int ret = 0;

	do {
		ret = kill_listed(ref, sig, &signalled, err);
	} while (ret == 0 && signalled && --rounds > 0);
	if (frozen && !was_frozen)
		(void)set_frozen(ref, false, KILL_FREEZE_MS, NULL);
	return ret;
}

static int thaw_one(void *ctx, int dir)
{
	(void)ctx;
	(void)file_write(dir, "freezer.state", "THAWED");
	return 0;
}

/*
 * On v1 a frozen process does not even die.  The container may have frozen cgroups of its own below
 * the leaf; what is killed may be thawed.
 */
static void thaw_killed(const struct cgroup_ref *ref)
{
	static const struct cgroup_visitor thaw = { .enter = thaw_one };
	const struct cgroup_dir *d = freezer_dir(ref);
	owned_fd dir = d && !cgroup_dir_is_v2(d) ? cgroup_leaf_open(d) : -1;

	if (dir >= 0)
		(void)cgroup_tree_walk(dir, &thaw);
	if (is_frozen(ref))
		(void)set_frozen(ref, false, KILL_FREEZE_MS, NULL);
}

int cgroup_kill(const struct cgroup_ref *ref, int sig, struct error *err)
{
	int ret = sig == SIGKILL ? kill_whole(ref) : 0;

	/* Without cgroup.kill, or if it fails for any reason, one by one. */
	if (ret <= 0)
		ret = main_dir(ref) ? kill_each(ref, sig, err) : 0;
	if (sig == SIGKILL)
		thaw_killed(ref);
	return ret < 0 ? ret : 0;
}
