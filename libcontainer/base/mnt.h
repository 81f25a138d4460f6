/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mnt.h - mounts as descriptors.
 *
 * A mount is made detached (open_tree, fsopen + fsmount), gets its attributes, and only then is
 * attached on an O_PATH descriptor that path.h resolved: no path is walked twice, and a mount never
 * is visible without its flags (CVE-2021-30465).  Where the kernel, or a seccomp filter around the
 * runtime, has no such calls, the same is done by mount(2) on /proc/self/fd/N, which needs the
 * host's /proc at /proc. Knows no words: everything returns 0 or -errno.  No allocation; usable
 * between clone and exec.
 */
#ifndef KIST_BASE_MNT_H
#define KIST_BASE_MNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fd.h"
#include "base/sys.h"

struct mnt_attr {
	uint64_t set;		/* MOUNT_ATTR_*, of the mount alone */
	uint64_t clr;
	uint64_t implied; /* cleared too, unless a more privileged user namespace locked one of them
			   */
	uint64_t rec_set;	/* the same for the whole tree (Linux 5.12) */
	uint64_t rec_clr;
	uint64_t propagation; /* MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, maybe | MS_REC;
				 0: as it is */
};

struct mnt_param {
	const char *key;
	const char *value;	/* NULL: a flag */
};

/* A file system to be made. */
struct mnt_fs {
	const char *type;
	const char *source;		/* a name for mountinfo, or a device */
	const struct mnt_param *params;
	size_t n_params;
	struct mnt_param extra;		/* one more, if its key is set: for what is known late */
	unsigned long ms; /* MS_RDONLY, MS_SYNCHRONOUS, ...: flags of the superblock */
	uint64_t attr;			/* MOUNT_ATTR_* of the mount */
};

/* A mount on its way.  Close fd when done. */
struct mnt {
	int fd; /* its root; or, without new calls, the source of a bind; or -1 */
	bool detached;			/* fd is a tree of its own */
	bool recursive;
	const struct mnt_fs *fs;	/* without new calls: still to be made by mount(2) */
};

#define MNT_INIT { -1, false, false, NULL }

/*
 * Where a mount goes.  fd is what it covers; root and path are for finding its top again without
 * the new calls.
 */
struct mnt_dest {
	int fd;
	int root;
	const char *path;
};

/*
 * Copies a mount, or the part of it below a directory or file, as a detached tree.
 * flags: AT_RECURSIVE, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW.
 */
int mnt_clone(int dirfd, const char *path, unsigned int flags, struct mnt *out);

/*
 * Makes a file system and a detached mount of it with fs->attr.
 * text (size bytes, may be NULL) receives the kernel's own words about a refusal, "" if it said
 * nothing.
 */
int mnt_create(const struct mnt_fs *fs, struct mnt *out, char *text, size_t size);

/* The same in the fs context ctx, which is new, of that type, and stays the caller's. */
int mnt_create_in(int ctx, const struct mnt_fs *fs, struct mnt *out, char *text, size_t size);

/*
 * Applies a (may be NULL) and attaches the mount on d->fd.  Afterwards m->fd is the root of the
 * attached mount. -ENOSYS: recursive attributes, which this kernel does not have.
 */
int mnt_attach(struct mnt *m, const struct mnt_dest *d, const struct mnt_attr *a);

/* Applies a to an attached mount by a descriptor of its root, or to a detached one. */
int mnt_setattr(int fd, const struct mnt_attr *a);

/* Makes a detached tree idmapped by the user namespace userns (Linux 5.12). */
int mnt_idmap(int fd, int userns, bool recursive);

/* Sets propagation (MS_*, maybe | MS_REC) of the mount whose root is fd. */
int mnt_propagation(int fd, uint64_t propagation);

/* Reconfigures the superblock below a mount's root.  text as in mnt_create(). */
int mnt_reconfigure(int fd, const struct mnt_fs *fs, char *text, size_t size);

#endif
