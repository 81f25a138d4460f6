/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_cgroup.h - mounts of type "cgroup": the container's view of its own cgroups.
 *
 * The source is not in the config but follows from the host (config-linux.md, "Default Filesystems"
 * and cgroup ownership): v2 is one cgroup2 mount; v1 is a tmpfs with one mount for each hierarchy.
 * With a cgroup namespace the hierarchies are mounted anew and the kernel roots them at the
 * container's cgroup; without one the container's own cgroup directory is bound.  Never is the
 * host's whole tree shown (CVE-2023-25809).
 */
#ifndef KIST_MOUNT_CGROUP_H
#define KIST_MOUNT_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/mnt.h"
#include "host.h"

struct mount_cgroup_hierarchy {
	const char *controllers;	/* as in struct host_hierarchy */
	const char *mount;		/* of the host */
	const char *name; /* directory below the tmpfs: "cpu,cpuacct", "systemd", "unified" */
	char **links;	  /* further names, symlinks to name: "cpu", "cpuacct"; NULL-terminated */
};

struct mount_cgroup_plan {
	bool unified;			/* pure v2 */
	bool required;			/* a hierarchy that cannot be shown is an error */
	struct mount_cgroup_hierarchy *hierarchies;
	size_t n;
};

/* Known only after the container's cgroup was made. */
struct mount_cgroup_env {
	bool cgroupns; /* the child is in a cgroup namespace rooted at its cgroup */
	/*
	 * controllers, path, controllers, path, ..., NULL: the container's cgroup in each hierarchy
	 * (absolute inside the hierarchy).  A hierarchy that is not listed is not shown.
	 */
	const char *const *paths;
};

void mount_cgroup_compile(const struct host *h, struct arena *a, struct mount_cgroup_plan *out);

/* Only the v1 hierarchy "name=systemd"; false: the machine has none. */
bool mount_cgroup_compile_systemd(const struct host *h, struct arena *a,
				  struct mount_cgroup_plan *out);

/* Mounts it on d with attr.  err names what could not be mounted; the caller names the mount. */
int mount_cgroup_run(const struct mount_cgroup_plan *p, const struct mount_cgroup_env *env,
		     const struct mnt_dest *d, const struct mnt_attr *attr, struct error *err);

#endif
