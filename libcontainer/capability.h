/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capability.h - the five capability sets of the container process (capabilities(7)).
 *
 * A name the kernel does not know, or a capability that cannot be granted here, is a warning and is
 * left out (runtime-spec config.md, "capabilities": MUST be logged as a warning, SHOULD NOT fail).
 * An absent `capabilities` object gives none at all, never what the caller happens to have.
 */
#ifndef KIST_CAPABILITY_H
#define KIST_CAPABILITY_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "show.h"

enum capability_set {
	CAPABILITY_BOUNDING,
	CAPABILITY_EFFECTIVE,
	CAPABILITY_INHERITABLE,
	CAPABILITY_PERMITTED,
	CAPABILITY_AMBIENT,
	CAPABILITY_SETS,
};

struct capability_plan {
	uint64_t set[CAPABILITY_SETS]; /* bit n = capability n */
	uint64_t drop; /* bits to drop from the bounding set that the process starts with */
	uint64_t inside; /* held besides, until capability_inside_run(); usually none */
};

/* Never fails; what is left out is logged. */
int capability_compile(const struct oci_config *c, const struct oci_process *p,
		       const struct host *h, struct arena *a, struct capability_plan *out,
		       struct error *err);

/* Drops from the bounding set.  Before the user is switched: it needs CAP_SETPCAP. */
int capability_bounding_run(const struct capability_plan *p, struct error *err);

/*
 * Sets permitted, effective, inheritable and then ambient.  After the user was switched (user_run()
 * kept permitted).
 */
int capability_run(const struct capability_plan *p, struct error *err);

/* Gives `inside` up. */
int capability_inside_run(const struct capability_plan *p, struct error *err);

void capability_show(const struct capability_plan *p, struct show *out);

/* All names in the kernel's order, NULL-terminated: capability n is names[n]. */
const char *const *capability_names(void);

/* The number of a name ("CAP_CHOWN"), or -1. */
int capability_number(const char *name);

#endif
