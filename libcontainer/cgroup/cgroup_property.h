/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_property.h - properties of the container's systemd unit.
 *
 * What systemd is not told it takes back at the next `systemctl daemon-reload`, for it writes the
 * cgroup files of every unit again.  So each setting that kist writes to a file is a property too,
 * where systemd has one.
 */
#ifndef KIST_CGROUP_PROPERTY_H
#define KIST_CGROUP_PROPERTY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "cgroup/cgroup_device.h"
#include "cgroup/cgroup_knob.h"
#include "json/json.h"
#include "oci/oci.h"

struct cgroup_property {
	char *name;    /* "MemoryMax" */
	char *type;    /* D-Bus signature: basic, array of basic, array of tuples */
	char **values; /* the basic values in their order; numbers in decimal */
	/*
	 * A systemd that does not know it may do without: the cgroup file has the value, until it
	 * reloads its configuration.
	 */
	bool optional;
};

extern const struct json_field cgroup_property_fields[];

struct cgroup_properties {
	struct cgroup_property *list;
	size_t n;
};

/* Adds a property with one value, in place of one of that name. */
void cgroup_property_set(struct cgroup_properties *p, struct arena *a, const char *name,
			 const char *type, const char *value);

/* The settings: what the writes (cgroup_knob_compile) say to files, by the files' names. */
void cgroup_property_add_writes(struct cgroup_properties *p, struct arena *a,
				const struct cgroup_write *writes, size_t n);

/*
 * DevicePolicy and DeviceAllow: at least what the rules allow.  systemd's program and kist's both
 * have to allow an access, and kist's has the exact rules.
 */
void cgroup_property_add_devices(struct cgroup_properties *p, struct arena *a,
				 const struct cgroup_device_plan *devices);

/*
 * Annotations "org.systemd.property.NAME": a value in GVariant's text format; NAME "…Sec" is a
 * number of seconds and becomes "…USec".  Only names that neither run anything nor touch other
 * units are let through (CVE-2024-3154).  0, or negative with the annotation's place.
 */
int cgroup_property_add_annotations(struct cgroup_properties *p, const struct oci_config *c,
				    struct arena *a, struct error *err);

/*
 * Whether an annotation "org.systemd.property.NAME" asks for a limit, which is missed where the
 * systemd manager is not in use.  The others only say how systemd manages the unit (Podman sets
 * some on every container), and there is none.
 */
bool cgroup_property_limits(const char *key, struct arena *a);

#endif
