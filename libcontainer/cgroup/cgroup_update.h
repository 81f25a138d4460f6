/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_update.h - changes to the limits of a container that runs: all of them, or none.
 *
 * The kernel is the record of limits: a value that an update does not name is read back from there
 * where it is needed.  Only device rules cannot be read back.
 */
#ifndef KIST_CGROUP_UPDATE_H
#define KIST_CGROUP_UPDATE_H

#include "cgroup/cgroup.h"

/*
 * Adds what the update leaves out and v2 needs: v2 limits swap alone, so a new limit of memory and
 * swap together needs the memory limit in force.
 */
void cgroup_update_complete(const struct cgroup_ref *ref, struct arena *a, struct oci_resources *r);

/* What stood in the file of each write of a plan. */
struct cgroup_old_value;

/*
 * cgroup_limits_run(); on failure what stood in the files is written back, as far as the kernel
 * takes it.  cg is open (cgroup_open_exec()), p is of cgroup_compile_update().  On success *old, in
 * the arena, is what cgroup_update_restore() writes back if a later part of the update fails.
 */
int cgroup_update_run(const struct cgroup_plan *p, const struct cgroup *cg, struct arena *a,
		      struct cgroup_old_value **old, struct error *err);
void cgroup_update_restore(const struct cgroup_plan *p, const struct cgroup *cg,
			   struct cgroup_old_value *old);

/*
 * Device rules: those of the container's config, the default ones, those of earlier updates (may be
 * NULL), and the new ones, which win over all others.  p has its ref; p->devices is filled, on v1
 * with the lines that are new.
 */
int cgroup_update_devices_compile(const struct oci_config *container,
				  const struct oci_resources *earlier,
				  const struct oci_resources *added, struct arena *a,
				  struct cgroup_plan *p, struct error *err);

/*
 * Puts the rules in force.  On v2 the new program is attached before the old one goes, so there is
 * no moment without control; for that moment an access needs the consent of both.
 */
int cgroup_update_devices_run(const struct cgroup_plan *p, const struct cgroup *cg,
			      struct error *err);

/*
 * systemd manager only: tells systemd of rules that are in force already.  It attaches a program of
 * its own to the unit's cgroup, too, at each reload of its configuration.
 */
int cgroup_update_devices_keep(const struct cgroup_plan *p, struct error *err);

#endif
