/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_impl.h - what the cgroup_*.c files share; nobody else includes it.
 */
#ifndef KIST_CGROUP_IMPL_H
#define KIST_CGROUP_IMPL_H

#include <errno.h>

#include "cgroup/cgroup.h"

/* What differs between v1 and v2.  dir: a descriptor of the container's directory. */
struct cgroup_hierarchy_ops {
	long magic;			/* of statfs(2) */
	/* After the directories exist: what makes the leaf usable. */
	int (*prepare)(const struct cgroup_plan *p, struct cgroup *cg, size_t i, struct error *err);
	/* Whether it is frozen by its own setting: 1, 0 or -errno. */
	int (*frozen)(int dir);
	/* The same, also if it is so because of a cgroup above: who is born there never runs. */
	int (*holds)(int dir);
	/* -ETIMEDOUT: state has what the kernel said last. */
	int (*set_frozen)(int dir, bool frozen, int timeout_ms, char state[32]);
	/* SIGKILL for all at once; -EOPNOTSUPP if the kernel cannot. */
	int (*kill)(int dir);
	/* Waits until the processes may have gone, at most ms. */
	void (*wait_empty)(int dir, int ms);
};

struct cgroup_manager_ops {
	int (*create)(const struct cgroup_plan *p, struct cgroup *cg, struct error *err);
	int (*remove)(const struct cgroup_ref *ref, int timeout_ms, struct error *err);
};

extern const struct cgroup_hierarchy_ops cgroup_hierarchy_v1;
extern const struct cgroup_hierarchy_ops cgroup_hierarchy_v2;
extern const struct cgroup_manager_ops cgroup_manager_fs;
extern const struct cgroup_manager_ops cgroup_manager_systemd;
extern const struct cgroup_manager_ops cgroup_manager_none;

static inline bool cgroup_dir_is_v2(const struct cgroup_dir *d)
{
	return d->controllers[0] == '\0';
}

static inline bool cgroup_dir_used(const struct cgroup_dir *d)
{
	return d->path[0] != '\0';
}

const struct cgroup_hierarchy_ops *cgroup_hierarchy(const struct cgroup_dir *d);

/* cgroup_fs.c: directories.  All return >= 0 or -errno. */

/* The hierarchy's mount point, its file system type checked (-EMEDIUMTYPE if it is another). */
int cgroup_mount_open(const struct cgroup_dir *d);

/* path ("/a/b", "a/b", "/") below base: no symlink, no "..", no other mount. */
int cgroup_dir_open(int base, const char *path);

/* The leaf; also through its mount. */
int cgroup_leaf_open(const struct cgroup_dir *d);

/*
 * Whether it is the answer of a cgroup that is no more, is just being removed, or never was: in
 * place of a cgroup of that name there may be a file of the kernel's ("cgroup.procs").
 */
static inline bool cgroup_is_gone(int ret)
{
	return ret == -ENOENT || ret == -ENODEV || ret == -ENOTDIR;
}

/*
 * Walks dir and every cgroup below it, as deep and wide as the container has made them.  enter: in
 * each cgroup, parents first; leave: in the parent of each but dir, when all below it is done with.
 * Either may be NULL.  Stops at the first negative result; what vanishes meanwhile is left out.
 */
struct cgroup_visitor {
	int (*enter)(void *ctx, int dir);
	int (*leave)(void *ctx, int parent, const char *name);
	void *ctx;
};

int cgroup_tree_walk(int dir, const struct cgroup_visitor *v);

/*
 * 1 if a cgroup on the way from the hierarchy's root down to path is frozen, or is about to be.  0
 * or -errno.
 */
int cgroup_path_frozen(const struct cgroup_dir *d, int mount, const char *path);

/* Removes every cgroup below dir, deepest first.  -EBUSY while there are processes. */
int cgroup_tree_remove(int dir);

/* Removes the trailing d->made components. -EBUSY while the leaf has processes. */
int cgroup_dir_remove(const struct cgroup_dir *d);

/* Adds the pids of dir and below to *pids; then each is there once, ascending. */
int cgroup_tree_procs(int dir, struct arena *a, pid_t **pids, size_t *n);

/*
 * After a deadline the freezer is given this long, and looked at once more: a command that was
 * stopped itself may have missed all of its time.
 */
#define CGROUP_LAST_LOOK_MS 100

/* Whether -errno of a mkdir means that this caller may not make a cgroup there. */
bool cgroup_is_denied(int ret);

/*
 * Without permission: a hierarchy that nothing was asked of is left out, anything else is an
 * error.
 */
int cgroup_denied(const struct cgroup_plan *p, struct cgroup *cg, size_t i, int ret,
		  struct error *err);

/* cgroup_systemd.c */

/* The unit and out->ref; then, when settings and device rules are known, the unit's properties. */
int cgroup_systemd_compile(const struct oci_config *c, const struct host *h, const char *id,
			   struct arena *a, struct cgroup_plan *out, struct error *err);
int cgroup_systemd_properties(const struct oci_config *c, const char *id, struct arena *a,
			      struct cgroup_plan *out, struct error *err);

/* Puts the manager's own cgroup before the paths; waits until the helper has connected. */
int cgroup_systemd_locate(const struct cgroup_plan *p, struct arena *a, struct cgroup *cg,
			  struct error *err);

/* What of the paths is kist's to remove: slices are systemd's. */
void cgroup_systemd_own(const struct cgroup_plan *p, struct cgroup *cg);

/* Changes the properties of p->ref.unit, whose files have the new values already. */
int cgroup_systemd_set(const struct cgroup_plan *p, const struct cgroup *cg, struct error *err);

/* Changes what of p->devices is properties of the unit, so that a reload keeps it. */
int cgroup_systemd_set_devices(const struct cgroup_plan *p, struct error *err);

/* Has systemd move a process into the cgroup: it may where the caller may not. */
int cgroup_systemd_attach(const struct cgroup *cg, pid_t pid, struct error *err);

/* cgroup_v2.c: all controllers of a cgroup for its children, as far as the kernel lets. */
int cgroup_v2_hand_down(int dir);

/* cgroup.c: gives a v2 cgroup, and its files that /sys/kernel/cgroup/delegate lists, to uid. */
int cgroup_chown(int dir, uid_t uid, struct error *err);

/*
 * An error about a setting: position of the member in the config, its name, then the text and
 * errno's.
 */
int cgroup_member_error(const struct cgroup_plan *p, const struct cgroup_write *w, int errnum,
			struct error *err, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

#endif
