/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selinux.h - SELinux labels: of the process, of its keys, of mounts.
 * The kernel's own interface in procfs is all it takes; libselinux is not needed.
 */
#ifndef KIST_SELINUX_H
#define KIST_SELINUX_H

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "show.h"

struct selinux_plan {
	const char *label;	/* process.selinuxLabel, or NULL */
};

/*
 * Errors: a label while SELinux is off (runtime.md: what cannot be applied is an error), a label
 * with a quote in it; linux.mountLabel, which mount.c applies, as well.
 */
int selinux_compile(const struct oci_config *c, const struct oci_process *p, const struct host *h,
		    struct arena *a, struct selinux_plan *out, struct error *err);

/* Keys made from here on get the process label.  Before keyring_run().  proc: see proc_open(). */
int selinux_keycreate_run(const struct selinux_plan *p, int proc, struct error *err);

/*
 * The label that the next execve takes.  Last, just before it: proc must not be the container's
 * own.
 */
int selinux_run(const struct selinux_plan *p, int proc, struct error *err);

void selinux_show(const struct selinux_plan *p, struct show *out);

#endif
