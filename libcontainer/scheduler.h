/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scheduler.h - when and where the container process runs: scheduling policy, I/O priority, CPU
 * affinity, and the NUMA memory policy (sched_setattr(2), ioprio_set(2), sched_setaffinity(2),
 * set_mempolicy(2)).
 */
#ifndef KIST_SCHEDULER_H
#define KIST_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "show.h"

#define SCHEDULER_MAX_CPUS  8192 /* the largest NR_CPUS the kernel can be built with */
#define SCHEDULER_MAX_NODES 1024
#define SCHEDULER_BITS	    (8 * sizeof(unsigned long))

/* struct sched_attr of the kernel, first version (48 bytes). */
struct scheduler_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

struct scheduler_cpus {
	unsigned long bits[SCHEDULER_MAX_CPUS / SCHEDULER_BITS];
	const char *text; /* as configured; "all" */
};

struct scheduler_memory {
	int mode; /* MPOL_* | MPOL_F_* */
	unsigned long nodes[SCHEDULER_MAX_NODES / SCHEDULER_BITS];
	bool has_nodes;
	const char *text;
};

struct scheduler_plan {
	struct scheduler_attr *attr;	 /* NULL: inherited */
	bool with_cpuset;		 /* explains an EPERM */
	int io_priority;		 /* for ioprio_set, or -1: inherited */
	struct scheduler_memory *memory; /* NULL: inherited */
	struct scheduler_cpus *initial;	 /* exec only; NULL: as it is */
	struct scheduler_cpus *final; /* never NULL: all that the cgroup allows, or exec's choice */
};

/*
 * exec: whether this is `exec`: process.execCPUAffinity concerns only that (runtime-spec
 * config.md).  Errors: values outside of what their policy takes, malformed lists, memory nodes
 * where the mode takes none or needs some.
 */
int scheduler_compile(const struct oci_config *c, const struct oci_process *p, bool exec,
		      struct arena *a, struct scheduler_plan *out, struct error *err);

/* execCPUAffinity.initial; before the process joins the container's cgroup. */
int scheduler_initial_run(const struct scheduler_plan *p, struct error *err);

/*
 * After the cgroup was joined: execCPUAffinity.final, or else all CPUs, so that only the
 * container's cpuset decides and not the affinity that the caller happens to have.
 */
int scheduler_affinity_run(const struct scheduler_plan *p, struct error *err);

/*
 * Policy and I/O priority of a process; pid 0: of the calling one.  While privileged; after the
 * cgroup was joined.
 */
int scheduler_run(const struct scheduler_plan *p, pid_t pid, struct error *err);
/* Whether that has anything to do. */
bool scheduler_is_privileged(const struct scheduler_plan *p);

/* Memory policy of the calling process, which its children inherit.  Needs no privilege. */
int scheduler_memory_run(const struct scheduler_plan *p, struct error *err);

void scheduler_show(const struct scheduler_plan *p, struct show *out);

/* "0-3,7" into bits [0, max).  0, -EINVAL (malformed) or -ERANGE (a number at or above max). */
int scheduler_parse_list(const char *text, unsigned long *bits, size_t max);

#endif
