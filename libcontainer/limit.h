/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit.h - resource limits of the container process (getrlimit(2), runtime-spec config.md
 * "rlimits").  A limit that config.json does not name is inherited.
 */
#ifndef KIST_LIMIT_H
#define KIST_LIMIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "show.h"

struct limit {
	int resource; /* RLIMIT_* */
	uint64_t soft, hard;
};

struct limit_plan {
	struct limit *limits;
	size_t n_limits;
};

/*
 * Errors: soft above hard, a type twice (the specification wants that), a type the kernel does not
 * have.
 */
int limit_compile(const struct oci_config *c, const struct oci_process *p, const struct host *h,
		  struct arena *a, struct limit_plan *out, struct error *err);

/*
 * Sets them for the calling process.  Late, when all else is done: RLIMIT_NOFILE, RLIMIT_AS or
 * RLIMIT_NPROC would hit the runtime itself; but before the user is switched, for raising a hard
 * limit needs CAP_SYS_RESOURCE.
 */
int limit_run(const struct limit_plan *p, struct error *err);

void limit_show(const struct limit_plan *p, struct show *out);

/* "RLIMIT_NOFILE" */
const char *limit_name(int resource);

#endif
