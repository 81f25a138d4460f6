/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount.h - config.mounts: what is mounted where in the container.
 *
 * Compiled in the parent from the config and the machine's facts (host.h).  Carried out in the
 * child, in the container's mount namespace, before pivot_root: sources are looked up in the host's
 * tree, which is still "/", destinations below the root descriptor.  Order of calls:
 *
 *	parent, before clone:	mount_open_idmaps()	user namespaces of idmapped mounts
 *				mount_open_sources()	only with a user namespace: sources its root
 *				may not reach
 *	parent, after clone:	mount_close()
 *	child:			mount_run(), then devices, masks, ..., then mount_late_run()
 *				before pivot_root
 */
#ifndef KIST_MOUNT_H
#define KIST_MOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/mnt.h"
#include "host.h"
#include "mount_cgroup.h"
#include "mount_copyup.h"
#include "mount_option.h"
#include "oci/oci.h"
#include "show.h"

enum mount_kind {
	MOUNT_FS,		/* a file system of its own: proc, tmpfs, overlay, ... */
	MOUNT_FROM,		/* bind: a file or directory of the host */
	MOUNT_AGAIN,		/* remount: other flags for what is there */
	MOUNT_CGROUP,		/* the container's view of its cgroups */
};

struct mount_entry {
	enum mount_kind kind;
	const char *type;		/* "proc"; "bind" for binds */
	const char *source;
	const char *destination;	/* absolute and clean */
	struct mount_flags flags;
	struct mnt_fs fs;		/* MOUNT_FS, MOUNT_AGAIN */
	bool inherit_mode;		/* tmpfs without mode=: the covered directory's mode */
	bool late_readonly;		/* read-only only when the rest has been made inside it */
	bool ordinary;			/* destination must be a real directory (CVE-2019-19921) */
	bool in_proc;			/* one of the files below /proc that may be covered */
	bool cgroup_v1;			/* MOUNT_CGROUP: only "name=systemd" of v1, by annotation */
	bool sysfs_fallback;		/* sysfs refused: bind the host's /sys */
	const char *uid_map;		/* idmapped: text for /proc/PID/{u,g}id_map */
	const char *gid_map;
	const char *userns_path;	/* idmapped by the user namespace that is joined */
	/* For errors: file, line, column and member, of the source and of the destination. */
	const char *where_source;
	const char *where;
};

/* The descriptors of one entry; the only part of the plan that changes. */
struct mount_fds {
	int tree;		/* detached copy of the source, made by the parent, or -1 */
	int userns;		/* of an idmapped mount, or -1 */
	int late;		/* root of the mount for mount_late_run(), or -1 */
	int proc;		/* fs context of a procfs that was opened elsewhere, or -1 */
};

struct mount_plan {
	struct mount_entry *entries;
	size_t n;
	struct mount_fds *fds;		/* n of them */
	bool userns;			/* the container has a user namespace of its own */
	bool skipped;			/* no mount namespace: nothing is mounted */
	bool proc_of_children;		/* procfs: of the PID namespace that a child will be in */
	struct mount_cgroup_plan cgroup;
	struct mount_cgroup_plan cgroup_v1;	/* for entries of that kind */
};

/*
 * The annotation run.oci.systemd.force_cgroup_v1, whose value is the destination of a mount: there
 * the container gets the v1 hierarchy "name=systemd" and nothing else, for a systemd that does not
 * know v2.  NULL: not given.
 */
const struct oci_pair *mount_force_cgroup_v1(const struct oci_config *c);

/*
 * Resolves config.mounts.  Errors name the member: unknown options of a bind mount, a type that is
 * missing, destinations inside /proc, ids that the user namespace does not map. Without a mount
 * namespace nothing would ever unmount what is mounted: mounts are left out, with a warning.
 */
int mount_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		  struct mount_plan *out, struct error *err);

/* Where the parent looks for sources. */
struct mount_origin {
	int bundle;			/* relative sources and root start here */
	const char *root;		/* path of the root file system */
	int proc;			/* base/proc.h */
	struct arena *arena;
};

/*
 * For `validate --against-host`: an error for each bind whose source is not there, and will not be
 * in an earlier mount of the container either.  p may be one that did not compile.
 */
int mount_check_sources(const struct oci_config *c, const struct mount_plan *p,
			const struct mount_origin *from, struct error *err);

/*
 * Parent: a user namespace for each different mapping, held by a descriptor; with a user namespace
 * in the config also the idmapped trees themselves, since only the owner of the source's file
 * system may make them.  An error: a source inside an earlier mount of the container, since the
 * parent does not see that mount, and would take what it covers.
 */
int mount_open_idmaps(const struct mount_plan *p, const struct mount_origin *from,
		      struct error *err);

/*
 * Parent, only with a user namespace: detached copies of those bind sources that lie behind a
 * directory others may not enter.  The child uses one only if it may not open the source itself.
 * Never an error: what is wrong shows in mount_run().  A detached copy does not care which mount
 * namespace it was made in (an O_PATH descriptor does).
 */
void mount_open_sources(const struct mount_plan *p, const struct mount_origin *from);

/*
 * Closes all descriptors of the plan (in the parent after clone, in the child after
 * mount_late_run()).
 */
void mount_close(const struct mount_plan *p);

/* How many of the mounts are a procfs. */
unsigned int mount_count_proc(const struct mount_plan *p);

/* The next of these takes the fs context fd.  In their order; false: there is none left. */
bool mount_take_proc(const struct mount_plan *p, int *fd);

/* Where the child mounts. */
struct mount_place {
	int root;		/* rootfs_prepare_run()'s */
	int bundle;
	int pidns;		/* with proc_of_children: that PID namespace; -1: the child's own */
};

/* Child: carries all out, in order.  cgroup: may be NULL if there is no such mount. */
int mount_run(const struct mount_plan *p, const struct mount_place *at,
	      const struct mount_cgroup_env *cgroup, struct error *err);

/* Child: makes the tmpfs mounts and /dev read-only that asked for it. */
int mount_late_run(const struct mount_plan *p, struct error *err);

void mount_show(const struct mount_plan *p, struct show *out);

#endif
