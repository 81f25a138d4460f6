/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rootfs.h - the container's root file system, from the bundle's directory to "/".
 *
 * Order, all in the child: rootfs_prepare_run(); then what works below the root descriptor (mounts,
 * devices, masks, read-only paths, the working directory); rootfs_readonly_run();
 * rootfs_pivot_run(); rootfs_propagation_run().
 */
#ifndef KIST_ROOTFS_H
#define KIST_ROOTFS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "show.h"

struct rootfs_plan {
	const char *path;		/* root.path: absolute, or relative to the bundle */
	const char *where;		/* for errors: file, line, column and member of root.path */
	const char *where_last;		/* the same of linux.rootfsPropagation */
	bool mount_namespace;		/* else only chroot(2) */
	bool readonly;
	bool shared; /* mounts are to reach the host's peers: nothing is made a slave */
	bool no_pivot;			/* --no-pivot; the caller sets it */
	uint64_t first; /* propagation of the whole tree before anything is mounted; 0: shared */
	uint64_t last;	/* linux.rootfsPropagation, for "/" at the end; 0: none given */
};

/* Errors: no root, root.readonly without a mount namespace to make it so. */
int rootfs_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		   struct rootfs_plan *out, struct error *err);

/*
 * Cuts the new mount namespace off from the host's (unless it is to stay shared) and mounts the
 * root file system, with what is mounted in it, over itself.  *root becomes an O_PATH descriptor of
 * that mount (the caller closes it). bundle: the directory root.path starts from.
 */
int rootfs_prepare_run(const struct rootfs_plan *p, int bundle, int *root, struct error *err);

/* Makes the root file system's own mount read-only.  Before rootfs_pivot_run(). */
int rootfs_readonly_run(const struct rootfs_plan *p, int root, struct error *err);

/*
 * Makes root the process's "/" and drops the host's tree: pivot_root(2) and umount2(2); with
 * no_pivot a move of the mount and chroot(2), after the host's /proc and /sys are gone; without
 * mount namespace chroot(2). The working directory is "/" afterwards.
 */
int rootfs_pivot_run(const struct rootfs_plan *p, int root, struct error *err);

/* Gives "/" the propagation that linux.rootfsPropagation asks for. */
int rootfs_propagation_run(const struct rootfs_plan *p, struct error *err);

void rootfs_show(const struct rootfs_plan *p, struct show *out);
void rootfs_pivot_show(const struct rootfs_plan *p, struct show *out);

#endif
