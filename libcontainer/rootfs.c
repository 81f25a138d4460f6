/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mnt.h"

#define STACKED_MAX 64	/* mounts on top of each other on the host's /proc or /sys */

int rootfs_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		   struct rootfs_plan *out, struct error *err)
{
	uint64_t type;

	(void)h;
	*out = (struct rootfs_plan){ .mount_namespace = oci_namespace_find(c, CLONE_NEWNS) };
	if (!c->root)
		return oci_error(c, NULL, err,
				 "root is missing: the container needs a root file system");
	if (!c->root->path || !*c->root->path)
		return oci_error(c, &c->root->path, err, "root.path is empty");
	out->path = arena_strdup(a, c->root->path);
	out->where = oci_position(c, &c->root->path, a, "root.path");
	out->where_last = "linux.rootfsPropagation";
	out->readonly = c->root->readonly;
	if (out->readonly && !out->mount_namespace)
		return oci_error(c, &c->root->readonly, err,
				 "a read-only root needs a mount namespace: without one it would "
				 "be the host's too");
	if (c->linux && c->linux->rootfs_propagation) {
		out->last = *c->linux->rootfs_propagation;
		out->where_last =
			oci_position(c, &c->linux->rootfs_propagation, a, out->where_last);
	}
	/*
	 * While the container is built, its mounts must not reach the host; "private" and
	 * "unbindable" cut both ways, "slave" (and nothing given) still lets the host's later
	 * mounts in.  Always for the whole tree: a mount of the host left shared would carry what
	 * is mounted in it to the host.
	 */
	type = out->last & ~(uint64_t)MS_REC;
	out->shared = type == MS_SHARED;
	if (type == MS_PRIVATE || type == MS_UNBINDABLE)
		out->first = MS_PRIVATE | MS_REC;
	else if (!out->shared)
		out->first = MS_SLAVE | MS_REC;
	return 0;
}

/*
 * With shared propagation the mount that holds the root file system may be shared: attaching there
 * would show on the host, and pivot_root(2) refuses it.  It is found by walking up to the directory
 * that is a mount's root.  Usually that is the root file system itself (an overlay mount); if it is
 * the host's "/", volumes from that same mount can no longer be shared with the host.
 */
static int make_parent_private(int directory)
{
	owned_fd fd = fcntl(directory, F_DUPFD_CLOEXEC, 3);
	struct statx sx;

	/* Bounded, since in a chroot that is no mount point ".." of "/" is "/" for ever. */
	for (int i = 0; i < PATH_MAX; i++) {
		owned_fd up = -1;

		if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, 0, &sx) < 0)
			return -errno;
		if (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT)
			return mnt_propagation(fd, MS_PRIVATE);
		up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		fd_close(&fd);
		fd = fd_take(&up);
	}
	return -EINVAL;
}

static int mount_over_itself(const struct rootfs_plan *p, int directory, int bundle, int *root)
{
	static const struct mnt_attr private = { .propagation = MS_PRIVATE };
	owned_fd slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct mnt_dest d = { .fd = directory,
				    .root = p->path[0] == '/' ? slash : bundle,
				    .path = p->path };
	struct mnt m = MNT_INIT;
	int r = mnt_clone(directory, "", AT_EMPTY_PATH | AT_RECURSIVE, &m);

	if (r >= 0)
		r = mnt_attach(&m, &d, p->shared ? &private : NULL);
	if (r >= 0)
		*root = fd_take(&m.fd);
	fd_close(&m.fd);
	return r < 0 ? r : 0;
}

int rootfs_prepare_run(const struct rootfs_plan *p, int bundle, int *root, struct error *err)
{
	owned_fd directory = -1;
	int r;

	/* Nothing of the container has run yet: "/" and the bundle are the host's. */
	if (p->mount_namespace && p->first &&
	    mount(NULL, "/", NULL, (unsigned long)p->first, NULL) < 0) {
		r = error_set(
			err, errno,
			"cut the mount namespace off from the host's (mount propagation of /)");
		return errno == EINVAL
			       ? error_append(
					 err,
					 " (/ must be a mount point: kist cannot work in a chroot "
					 "that is none)")
			       : r;
	}
	directory = openat(bundle, p->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0) {
		r = error_set(err, errno, "%s: open the root file system %s", p->where, p->path);
		return errno == EACCES
			       ? error_append(
					 err,
					 " (the container's root user must be able to reach it: "
					 "check the x permission of the directories above)")
			       : r;
	}
	if (!p->mount_namespace) {
		*root = fd_take(&directory);
		return 0;
	}
	r = p->shared ? make_parent_private(directory) : 0;
	if (r < 0)
		return error_set(err, -r,
				 "%s: make the mount that holds the root file system %s private",
				 p->where, p->path);
	r = mount_over_itself(p, directory, bundle, root);
	return r < 0 ? error_set(err, -r, "%s: mount the root file system %s", p->where,
				 p->path) : 0;
}

int rootfs_readonly_run(const struct rootfs_plan *p, int root, struct error *err)
{
	static const struct mnt_attr readonly = { .set = MOUNT_ATTR_RDONLY };
	int r = p->readonly ? mnt_setattr(root, &readonly) : 0;

	return r < 0 ? error_set(err, -r, "%s: make the root file system read-only", p->where) : 0;
}

/*
 * Without pivot_root(2) the host's tree stays below the container's, out of sight of paths; a
 * container that got out would find /proc and /sys unmasked there, and mounts of the same kind
 * visible in the namespace let it mount new ones.  So they go.  In a user namespace they may be
 * locked: then they are covered.
 */
static int hide(const char *path, struct error *err)
{
	for (int i = 0; i < STACKED_MAX; i++) {
		if (umount2(path, MNT_DETACH) == 0)
			continue;
		if (errno == EINVAL || errno == ENOENT)
			return 0;
		if (errno == EPERM && mount("tmpfs", path, "tmpfs", MS_RDONLY, "size=0") == 0)
			return 0;
		return error_set(err, errno, "hide the host's %s", path);
	}
	return error_set(err, 0, "hide the host's %s: more than %d mounts on it", path,
			 STACKED_MAX);
}

static int move_to_root(struct error *err)
{
	int r = hide("/proc", err);

	if (r == 0)
		r = hide("/sys", err);
	if (r < 0)
		return r;
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		return error_set(err, errno, "move the root file system to /");
	if (chroot(".") < 0)
		return error_set(err, errno, "chroot to the root file system");
	return 0;
}

/*
 * pivot_root(".", ".") stacks the old root on the new one, at "/": no directory for it is needed in
 * the image.
 */
static int pivot(const struct rootfs_plan *p, struct error *err)
{
	owned_fd old = -1;
	int r;

	if (p->shared) {
		old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (old < 0)
			return error_set(err, errno, "open the old root");
	}
	r = sys_pivot_root(".", ".");
	if (r < 0) {
		error_set(err, -r, "pivot_root to the root file system");
		return r == -EINVAL
			       ? error_append(
					 err,
					 " (is kist's own root an initramfs? then use --no-pivot)")
			       : r;
	}
	/* A shared tree must not tell the host's that it is being unmounted. */
	if (p->shared && (fchdir(old) < 0 || mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0))
		return error_set(err, errno, "cut the old root off from the host's");
	if (umount2(".", MNT_DETACH) < 0)
		return error_set(err, errno, "unmount the old root");
	return 0;
}

int rootfs_pivot_run(const struct rootfs_plan *p, int root, struct error *err)
{
	int r = 0;

	if (fchdir(root) < 0)
		return error_set(err, errno, "enter the root file system");
	if (!p->mount_namespace)
		r = chroot(".") < 0 ? error_set(err, errno, "chroot to the root file system") : 0;
	else
		r = p->no_pivot ? move_to_root(err) : pivot(p, err);
	if (r < 0)
		return r;
	/*
	 * umount2() left the working directory in the new root, but the rule is simpler without
	 * that proof.
	 */
	return chdir("/") < 0 ? error_set(err, errno, "chdir to the new root") : 0;
}

int rootfs_propagation_run(const struct rootfs_plan *p, struct error *err)
{
	if (!p->mount_namespace || !p->last)
		return 0;
	if (mount(NULL, "/", NULL, (unsigned long)p->last, NULL) < 0)
		return error_set(err, errno, "%s: set the propagation of /", p->where_last);
	return 0;
}

void rootfs_show(const struct rootfs_plan *p, struct show *out)
{
	show_act(out, "use root file system %s%s", p->path, p->readonly ? ", read-only" : "");
}

void rootfs_pivot_show(const struct rootfs_plan *p, struct show *out)
{
	const char *last = json_choice_name(oci_rootfs_propagations, (int64_t)p->last);

	show_act(out, "enter the root file system by %s",
		 !p->mount_namespace ? "chroot"
		 : p->no_pivot	     ? "move and chroot"
				     : "pivot_root");
	if (p->last)
		show_act(out, "make / %s", last ? last : "?");
}
