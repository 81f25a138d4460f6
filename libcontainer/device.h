/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.h - device nodes and the usual symlinks in the container's /dev (config-linux.md,
 * "Devices", "Default Devices", and runtime-linux.md, "Dev symbolic links").
 */
#ifndef KIST_DEVICE_H
#define KIST_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "show.h"

struct device_node {
	const char *path;		/* absolute and clean */
	const char *name;		/* below /dev when directly in it, else NULL */
	mode_t type;			/* S_IFCHR, S_IFBLK or S_IFIFO */
	dev_t rdev;			/* 0 for a fifo */
	mode_t mode;			/* permissions */
	uid_t uid;
	gid_t gid;
};

struct device_plan {
	struct device_node *nodes;
	size_t n;
	bool left_alone; /* /dev is a bind mount of the user's: nothing is made in it */
	bool bind;			/* mknod(2) is not allowed: the host's nodes are bound */
	bool mount_namespace;		/* else binding is not possible */
};

/*
 * linux.devices, and those of null zero full random urandom tty that are not in it.
 * Errors: a path that is not absolute or has "..", a missing or impossible number.
 */
int device_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		   struct device_plan *out, struct error *err);

/*
 * Child, after the mounts and before pivot_root: makes nodes and links below root.  /dev must be a
 * real directory (CVE-2026-41579, CVE-2026-47766).  Nodes that are there and are the right device
 * stay; others are replaced.
 */
int device_run(const struct device_plan *p, int root, struct error *err);

/*
 * Child: shows the terminal `slave` (any descriptor of the pty's slave side, opened in this mount
 * namespace) as /dev/console below root.  The file is made if it is missing; a symlink there is
 * refused (CVE-2025-52565, CVE-2026-88264).
 */
int device_console_run(int root, int slave, struct error *err);

void device_show(const struct device_plan *p, struct show *out);

#endif
