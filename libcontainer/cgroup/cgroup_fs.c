/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories of the cgroup file systems, and the two managers that need nothing else: "fs" makes
 * and removes the directories itself, "none" leaves cgroups alone.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"
#include "cgroup/cgroup_impl.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/*
 * A neighbour's delete may take an empty parent away between our look and our mkdir(): start over,
 * but not for ever.
 */
#define CREATE_TRIES 10
#define OPEN_TRIES 16		/* openat2(2): EAGAIN while something is renamed */

const struct cgroup_hierarchy_ops *cgroup_hierarchy(const struct cgroup_dir *d)
{
	return cgroup_dir_is_v2(d) ? &cgroup_hierarchy_v2 : &cgroup_hierarchy_v1;
}

int cgroup_mount_open(const struct cgroup_dir *d)
{
	owned_fd fd = open(d->mount, DIR_FLAGS);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	if ((long)fs.f_type != cgroup_hierarchy(d)->magic)
		return -EMEDIUMTYPE;
	return fd_take(&fd);
}

/* The next component of *path into name: 1; 0 at the end; or -errno.  *path moves on. */
static int next_component(const char **path, char name[NAME_MAX + 1])
{
	const char *s = *path + strspn(*path, "/");
	size_t len = strcspn(s, "/");

	if (!len)
		return 0;
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, s, len);
	name[len] = '\0';
	*path = s + len;
	return 1;
}

/*
 * For a kernel or an outer seccomp profile without openat2(): the same walk, one component at a
 * time.
 */
static int dir_open_steps(int base, const char *path)
{
	owned_fd cur = openat(base, ".", DIR_FLAGS);
	char name[NAME_MAX + 1];
	int ret = cur < 0 ? -errno : 1;

	while (ret == 1 && (ret = next_component(&path, name)) == 1) {
		int next = strcmp(name, "..") ? openat(cur, name, DIR_FLAGS) : (errno = EXDEV, -1);

		ret = next < 0 ? -errno : 1;
		fd_close(&cur);
		cur = next;
	}
	return ret < 0 ? ret : fd_take(&cur);
}

int cgroup_dir_open(int base, const char *path)
{
	struct open_how how = {
		.flags = DIR_FLAGS,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	const char *below = path + strspn(path, "/");
	int fd = -EAGAIN;

	for (int try = 0; try < OPEN_TRIES && (fd == -EAGAIN || fd == -EINTR); try++)
		fd = sys_openat2(base, *below ? below : ".", &how);
	return fd == -ENOSYS ? dir_open_steps(base, below) : fd;
}

/*
 * Step by step: cgroup.events of the last one alone would say so only when all its processes stand
 * still, and the container may have one that does not stop.
 */
int cgroup_path_frozen(const struct cgroup_dir *d, int mount, const char *path)
{
	owned_fd at = openat(mount, ".", DIR_FLAGS);
	char name[NAME_MAX + 1];
	int ret = at < 0 ? -errno : 0, more = 1;

	while (ret == 0 && (more = next_component(&path, name)) == 1) {
		int next = openat(at, name, DIR_FLAGS);

		ret = next < 0 ? -errno : cgroup_hierarchy(d)->frozen(next);
		fd_close(&at);
		at = next;
	}
	return more < 0 ? more : ret;
}

int cgroup_leaf_open(const struct cgroup_dir *d)
{
	owned_fd mount = cgroup_mount_open(d);

	return mount < 0 ? mount : cgroup_dir_open(mount, d->path);
}

static bool is_subdir(int dir, const char *name, unsigned char type)
{
	struct stat st;

	if (type != DT_UNKNOWN)
		return type == DT_DIR;
	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* A walk: the cgroups that were seen and are not done with, the deepest last. */
struct walk {
	const struct cgroup_visitor *visitor;
	struct arena arena;
	struct pending {
		char *name;
		bool entered;
	} *pending;
	size_t n;
	int at;				/* the cgroup where the walk is */
};

/* Visits the cgroup where the walk is, and notes its children. */
static int walk_visit(struct walk *w)
{
	const struct cgroup_visitor *v = w->visitor;
	struct dir_iter it;
	const char *name;
	unsigned char type;
	int ret = v->enter ? v->enter(v->ctx, w->at) : 0;

	if (ret == 0)
		ret = dir_begin(&it, w->at);
	while (ret == 0 && (name = dir_next(&it, &type, &ret))) {
		if (!is_subdir(w->at, name, type))
			continue;
		w->pending = arena_grow(&w->arena, w->pending, w->n, sizeof(*w->pending));
		w->pending[w->n++] = (struct pending){ arena_strdup(&w->arena, name), false };
	}
	return cgroup_is_gone(ret) ? 0 : ret;
}

/* The walk moves to a child or to the parent ("..").  0 or -errno. */
static int walk_move(struct walk *w, const char *to)
{
	int next = openat(w->at, to, DIR_FLAGS);

	if (next < 0)
		return -errno;
	fd_close(&w->at);
	w->at = next;
	return 0;
}

/*
 * The payload may have made a tree of any depth, so neither recursion nor a descriptor for each
 * level: the walk goes down by name and up by "..".  That is safe here: the kernel lets nobody move
 * a cgroup to another parent, and ".." of a removed cgroup leads to where it was.
 */
int cgroup_tree_walk(int dir, const struct cgroup_visitor *v)
{
	struct walk w = { .visitor = v, .arena = ARENA_INIT, .at = openat(dir, ".", DIR_FLAGS) };
	int ret = w.at < 0 ? -errno : walk_visit(&w);

	while (ret == 0 && w.n > 0) {
		struct pending *last = &w.pending[w.n - 1];

		if (last->entered) {
			w.n--;
			ret = walk_move(&w, "..");
			if (ret == 0 && v->leave)
				ret = v->leave(v->ctx, w.at, last->name);
			continue;
		}
		ret = walk_move(&w, last->name);
		if (ret == 0) {
			last->entered = true;
			ret = walk_visit(&w);
		} else if (cgroup_is_gone(ret)) {
			w.n--;
			ret = 0;
		}
	}
	fd_close(&w.at);
	arena_free(&w.arena);
	return cgroup_is_gone(ret) ? 0 : ret;
}

static int remove_child(void *ctx, int parent, const char *name)
{
	(void)ctx;
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int cgroup_tree_remove(int dir)
{
	static const struct cgroup_visitor remove = { .leave = remove_child };

	return cgroup_tree_walk(dir, &remove);
}

/* 0, also when there is nothing, or -errno. */
static int remove_one(int parent, const char *name)
{
	struct stat st;
	int ret = unlinkat(parent, name, AT_REMOVEDIR) == 0 ? 0 : -errno;

	/* Of a read-only mount the kernel says so before it looks for the name. */
	if (ret == -EROFS && fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		ret = -errno;
	return cgroup_is_gone(ret) ? 0 : ret;
}

int cgroup_dir_remove(const struct cgroup_dir *d)
{
	owned_fd mount = cgroup_mount_open(d);
	char path[PATH_MAX], *slash;
	int ret;

	if (mount < 0)
		return mount == -ENOENT ? 0 : mount;
	if ((size_t)snprintf(path, sizeof(path), "%s", d->path) >= sizeof(path))
		return -ENAMETOOLONG;
	for (uint32_t i = 0; i < d->made && (slash = strrchr(path, '/')); i++) {
		owned_fd parent = -1;

		*slash = '\0';
		parent = cgroup_dir_open(mount, path);
		if (cgroup_is_gone(parent))
			continue;
		if (parent < 0)
			return parent;
		ret = remove_one(parent, slash + 1);
		if (ret == 0)
			continue;
		if (ret == -EROFS)
			return ret;
		/* A parent that has got other children meanwhile is not ours any more. */
		if (i > 0)
			return 0;
		owned_fd leaf = cgroup_dir_open(parent, slash + 1);

		ret = leaf < 0 ? leaf : cgroup_tree_remove(leaf);
		if (ret < 0 && ret != -ENOENT)
			return ret;
		ret = remove_one(parent, slash + 1);
		if (ret < 0)
			return ret;
	}
	return 0;
}

struct procs {
	struct arena *arena;
	pid_t *pids;
	size_t n;
	int proc;			/* /proc, once a threaded cgroup has needed it; else -1 */
};

/* Numbers, one a line, any number of lines: so read piece by piece. */
static int read_pids(struct procs *p, int dir, const char *file)
{
	owned_fd fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char buf[4096];
	pid_t pid = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] >= '0' && buf[i] <= '9') {
				pid = pid * 10 + (buf[i] - '0');
				continue;
			}
			/* 0 is a process that this pid namespace cannot see. */
			if (pid > 0) {
				p->pids = arena_grow(p->arena, p->pids, p->n, sizeof(pid));
				p->pids[p->n++] = pid;
			}
			pid = 0;
		}
	}
	return n < 0 ? -errno : 0;
}

/* The process of a thread; 0 if it has ended.  Its line is among the first of a long file. */
static pid_t process_of(int proc, pid_t thread)
{
	owned_fd fd = -1;
	char file[64], text[512], *line;
	uint64_t pid = 0;
	ssize_t n;

	snprintf(file, sizeof(file), "%d/status", (int)thread);
	fd = proc_open_file(proc, file, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	line = strstr(text, "\nTgid:\t");
	if (!line)
		return 0;
	line += strlen("\nTgid:\t");
	line[strcspn(line, "\n")] = '\0';
	return str_to_u64(line, INT_MAX, &pid) == 0 ? (pid_t)pid : 0;
}

/*
 * The kernel lists the processes of a threaded cgroup in its domain only, the nearest cgroup above
 * that is not threaded.  That one may lie outside the container: the payload can make the
 * container's own cgroup threaded, and every one below it.  So each threaded cgroup is asked for
 * its threads.  A process is listed once for each thread.
 */
static int collect_threads(struct procs *p, int dir)
{
	size_t first = p->n;
	int ret;

	if (p->proc < 0)
		p->proc = proc_open();
	/* Not the answer of proc_open(): ENOENT and ENODEV say of a cgroup that it is gone. */
	if (p->proc < 0)
		return -EOPNOTSUPP;
	ret = read_pids(p, dir, "cgroup.threads");
	for (size_t i = first; i < p->n; i++)
		p->pids[i] = process_of(p->proc, p->pids[i]);
	for (size_t i = first; i < p->n;) {
		if (p->pids[i] == 0)
			p->pids[i] = p->pids[--p->n];
		else
			i++;
	}
	return ret;
}

static int collect_procs(void *ctx, int dir)
{
	struct procs *p = ctx;
	int ret = read_pids(p, dir, "cgroup.procs");

	return ret == -EOPNOTSUPP ? collect_threads(p, dir) : ret;
}

static size_t remove_repeated(pid_t *pids, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (kept == 0 || pids[i] != pids[kept - 1])
			pids[kept++] = pids[i];
	return kept;
}

int cgroup_tree_procs(int dir, struct arena *a, pid_t **pids, size_t *n)
{
	struct procs p = { .arena = a, .pids = *pids, .n = *n, .proc = -1 };
	const struct cgroup_visitor v = { .enter = collect_procs, .ctx = &p };
	int ret = cgroup_tree_walk(dir, &v);

	fd_close(&p.proc);
	if (p.n)
		qsort(p.pids, p.n, sizeof(*p.pids), proc_compare_pids);
	*pids = p.pids;
	*n = remove_repeated(p.pids, p.n);
	return ret;
}

/* --- manager fs --- */

/*
 * Makes the missing components below base (cg->dirs[i], the deepest one that existed), and opens
 * the leaf.
 */
static int make_missing(struct cgroup *cg, size_t i)
{
	struct cgroup_dir *d = &cg->ref.dirs[i];
	const char *rest = d->path + strlen(d->path);
	char name[NAME_MAX + 1];
	int more;

	for (uint32_t n = d->made; n > 0; n--)
		do {
			rest--;
		} while (*rest != '/');
	while ((more = next_component(&rest, name)) == 1) {
		int next;

		if (mkdirat(cg->dirs[i], name, 0755) < 0 && errno != EEXIST)
			return -errno;
		next = openat(cg->dirs[i], name, DIR_FLAGS);
		if (next < 0)
			return -errno;
		fd_close(&cg->dirs[i]);
		cg->dirs[i] = next;
	}
	return more;
}

static int make_dir(struct cgroup *cg, size_t i)
{
	struct cgroup_dir *d = &cg->ref.dirs[i];
	uint32_t made = d->made;
	int ret = make_missing(cg, i);

	for (int try = 0; ret == -ENOENT && try < CREATE_TRIES; try++) {
		owned_fd mount = cgroup_mount_open(d);

		if (mount < 0)
			return mount;
		fd_close(&cg->dirs[i]);
		cg->dirs[i] = fd_take(&mount);
		d->made = 0;
		for (const char *s = d->path; *s; s++)
			d->made += *s == '/';
		ret = make_missing(cg, i);
	}
	d->made = made;
	return ret;
}

bool cgroup_is_denied(int ret)
{
	return ret == -EACCES || ret == -EPERM || ret == -EROFS;
}

/* The member that asks for the container's cgroup in this hierarchy; NULL: none does. */
static const void *asked_by(const struct cgroup_plan *p, size_t i)
{
	if (p->path_given)
		return &p->config->linux->cgroups_path;
	for (size_t w = 0; w < p->n_writes; w++)
		if (p->writes[w].dir == i)
			return p->writes[w].at;
	return NULL;
}

int cgroup_denied(const struct cgroup_plan *p, struct cgroup *cg, size_t i, int ret,
		  struct error *err)
{
	struct cgroup_dir *d = &cg->ref.dirs[i];
	const void *at = asked_by(p, i);

	if (!p->rootless) {
		error_set(err, -ret, "mkdir %s%s", d->mount, d->path);
		return error_prefix(err, "unable to apply cgroup configuration");
	}
	if (at) {
		/* In one text, so that it is whole as a finding of `validate`, too. */
		oci_error(p->config, at, err, "%s: mkdir %s%s: %s (to have a cgroup delegated: "
			  "with systemd on cgroup v2, Delegate=yes in a drop-in of user@.service, "
			  "and kist --systemd-cgroup; else chown one to this user.  Or leave "
			  "linux.cgroupsPath and linux.resources out)", p->path_given ?
			  "unable to apply cgroup configuration" :
			  "limits need a cgroup, which this user may not make: rootless needs no "
			  "limits + no cgrouppath when no permission is granted for cgroups",
			  d->mount, d->path, error_text(-ret));
		if (err)
			err->errnum = -ret;
		return ret;
	}
	log_debug("cgroup %s%s is not used: %s", d->mount, d->path, error_text(-ret));
	fd_close(&cg->dirs[i]);
	d->path = (char *)"";
	d->made = 0;
	return 0;
}

static int fs_create(const struct cgroup_plan *p, struct cgroup *cg, struct error *err)
{
	for (size_t i = 0; i < cg->ref.n_dirs; i++) {
		struct cgroup_dir *d = &cg->ref.dirs[i];
		int ret = cg->dirs[i] < 0 ? 0 : make_dir(cg, i);

		if (cgroup_is_denied(ret))
			ret = cgroup_denied(p, cg, i, ret, err);
		else if (ret < 0)
			ret = error_set(err, -ret, "mkdir %s%s", d->mount, d->path);
		if (ret == 0 && cg->dirs[i] >= 0)
			ret = cgroup_hierarchy(d)->prepare(p, cg, i, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* One hierarchy: waits while the leaf is busy with processes that are on their way out. */
static int remove_wait(const struct cgroup_dir *d, int64_t deadline, struct error *err)
{
	int ret, wait_ms = 1;

	while ((ret = cgroup_dir_remove(d)) == -EBUSY || ret == -ENOTEMPTY) {
		int64_t left = deadline - clock_ms();
		owned_fd leaf = -1;

		if (left <= 0)
			break;
		leaf = cgroup_leaf_open(d);
		if (leaf >= 0)
			cgroup_hierarchy(d)->wait_empty(leaf, wait_ms < left ? wait_ms : (int)left);
		wait_ms = wait_ms < 32 ? wait_ms * 2 : 50;
	}
	if (ret == -EBUSY || ret == -ENOTEMPTY)
		return error_set(err, EBUSY, "remove cgroup %s%s: there are still processes in it",
				 d->mount, d->path);
	if (ret < 0)
		return error_set(err, -ret, "remove cgroup %s%s", d->mount, d->path);
	return 0;
}

/* Goes on after a failure, so that as little as possible stays; the first error is reported. */
static int fs_remove(const struct cgroup_ref *ref, int timeout_ms, struct error *err)
{
	int64_t deadline = clock_ms() + timeout_ms;
	int first = 0;

	for (size_t i = 0; i < ref->n_dirs; i++) {
		const struct cgroup_dir *d = &ref->dirs[i];
		int ret;

		if (!cgroup_dir_used(d) || d->made == 0)
			continue;
		ret = remove_wait(d, deadline, first ? NULL : err);
		if (!first)
			first = ret;
	}
	return first;
}

const struct cgroup_manager_ops cgroup_manager_fs = {
	.create = fs_create,
	.remove = fs_remove,
};

/* --- manager none --- */

static int none_create(const struct cgroup_plan *p, struct cgroup *cg, struct error *err)
{
	(void)p, (void)cg, (void)err;
	return 0;
}

static int none_remove(const struct cgroup_ref *ref, int timeout_ms, struct error *err)
{
	(void)ref, (void)timeout_ms, (void)err;
	return 0;
}

const struct cgroup_manager_ops cgroup_manager_none = {
	.create = none_create,
	.remove = none_remove,
};
