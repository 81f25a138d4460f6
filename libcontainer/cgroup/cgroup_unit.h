/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_unit.h - linux.cgroupsPath as the systemd manager reads it: the name of a unit, its slice,
 * and where systemd puts the cgroup of such a unit.
 *
 *	slice:prefix:name	prefix-name.scope in slice; without prefix, name.scope
 *	slice:prefix:x.slice	the slice x.slice itself
 *	name			name.scope
 *	(absent)		kist-<id>.scope
 *
 * An empty slice is system.slice, under a user's manager user.slice; "-" is the root of all slices.
 */
#ifndef KIST_CGROUP_UNIT_H
#define KIST_CGROUP_UNIT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "oci/oci.h"

/* systemd's UNIT_NAME_MAX, with the NUL. */
#define CGROUP_UNIT_NAME_MAX 256

struct cgroup_unit {
	const char *name;  /* "kist-box.scope"; NULL: not the systemd manager */
	const char *slice; /* "system.slice", "-.slice"; NULL: name is a slice */
	const char *path;  /* of its cgroup, below the manager's: "/system.slice/kist-box.scope" */
};

/*
 * user: the unit is one of a user's manager.  Errors: forms that name no unit, with the place of
 * the member.
 */
int cgroup_unit_compile(const struct oci_config *c, const char *id, bool user, struct arena *a,
			struct cgroup_unit *out, struct error *err);

/*
 * Path of a slice's cgroup: "a-b.slice" lies in "a.slice": "/a.slice/a-b.slice"; "-.slice" is "".
 * NULL if that is no slice's name.
 */
const char *cgroup_unit_slice_path(const char *slice, struct arena *a);

#endif
