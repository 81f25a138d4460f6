/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_knob.h - THE table of settings: which member of linux.resources goes to which file, and
 * how.
 */
#ifndef KIST_CGROUP_KNOB_H
#define KIST_CGROUP_KNOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "oci/oci.h"

struct cgroup_ref;

enum cgroup_write_flag {
	CGROUP_WRITE_RETRY = 1,		/* EINVAL may be due to a later write: try again */
	CGROUP_WRITE_OPTIONAL = 2,	/* the file may be absent (ENOENT) */
	CGROUP_WRITE_KEEP_QUOTA = 4,	/* cpu.max: the quota in force goes before the value */
};

/* One file write.  Values are complete texts. */
struct cgroup_write {
	uint32_t dir;			/* index into the plan's ref.dirs */
	uint32_t flags;
	const char *controller;		/* "memory"; NULL: a file of the core (cgroup.*) */
	const char *file;
	const char *value;
	const char *alt_file;		/* written instead if file is absent, or NULL */
	const char *alt_value;
	const char *usage_file;		/* checkBeforeUpdate: refuse if its number is above value */
	const char *member;		/* "memory.limit" */
	const void *at;			/* address of the member, for oci_error() */
};

/*
 * Turns c->linux->resources into writes for the hierarchies of ref: a controller's v1 hierarchy if
 * there is one, else the v2 hierarchy, so that hybrid machines are served.  Members with the value
 * that the Go runtimes take as "unset" (0 for most numbers) ask for nothing.
 */
int cgroup_knob_compile(const struct oci_config *c, const struct cgroup_ref *ref, struct arena *a,
			struct cgroup_write **out, size_t *n, struct error *err);

/* A warning for each member that asks for a setting: its position, and why. */
void cgroup_knob_warn(const struct oci_config *c, const char *why, struct arena *a);

/* Index of the hierarchy in ref that has the v1 controller, or -1.  "" finds v2. */
int cgroup_knob_dir(const struct cgroup_ref *ref, const char *controller);

/* Whether a comma-separated list has the word. */
bool cgroup_list_has(const char *list, const char *word, char separator);

/*
 * cpu.shares 2..262144 to cpu.weight 1..10000 by the curve that maps both ends and the defaults
 * (1024 to 100) onto each other: log10(weight) = (l * l + 125 * l) / 612 - 7 / 34 with l =
 * log2(shares), rounded up.  0 stays 0.
 */
uint64_t cgroup_weight_from_shares(uint64_t shares);

/* blkio.weight 10..1000 to io.weight 1..10000, linear. */
uint64_t cgroup_io_weight(uint64_t blkio_weight);

/*
 * v2 has no memory+swap limit: swap alone.  -1 is unlimited, 0 not set.  0 or -EINVAL with a
 * reason.
 */
int cgroup_swap_v2(int64_t swap, int64_t limit, int64_t *out, const char **why);

/*
 * systemd unit property for a member ("MemoryMax" for "memory.limit"), or NULL: only the file is
 * written.
 */
const char *cgroup_knob_property(const char *member);

#endif
