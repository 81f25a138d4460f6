/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit.h - resource limits of the container process (getrlimit(2), runtime-spec config.md
 * "rlimits").  A limit that config.json does not name is inherited.
 */
#ifndef KIST_LIMIT_H
#define KIST_LIMIT_H

#include <stdbool.h>
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
	const char *where; /* for errors: file, line, column and member */
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
 * Sets them for the calling process.  Before the user is switched, for raising a hard limit needs
 * CAP_SYS_RESOURCE; as late as that allows, for RLIMIT_AS or RLIMIT_NPROC would hit the runtime
 * itself.  RLIMIT_NOFILE is only raised here.  joiner: a process is yet to be forked, so
 * RLIMIT_NPROC has room for the two of them.  proc: procfs, or -1; an error tells what is there.
 */
int limit_run(const struct limit_plan *p, bool joiner, int proc, struct error *err);

/*
 * Lowers RLIMIT_NOFILE in a joiner before it forks, since somebody may keep the new process from
 * doing that; but not below `needed`: as many descriptors the new process may still need.
 */
int limit_joiner_run(const struct limit_plan *p, uint64_t needed, struct error *err);
bool limit_has(const struct limit_plan *p, int resource);

/*
 * Lowers RLIMIT_NOFILE, when no descriptor is needed any more, and in the process that a joiner has
 * forked (joined) RLIMIT_NPROC, and what limit_joiner_run() has left.  Needs no privilege.
 */
int limit_last_run(const struct limit_plan *p, bool joined, uint64_t needed, struct error *err);
bool limit_has_last(const struct limit_plan *p, bool joined, uint64_t needed);

void limit_show(const struct limit_plan *p, struct show *out);

/* "RLIMIT_NOFILE" */
const char *limit_name(int resource);

#endif
