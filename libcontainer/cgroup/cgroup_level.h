/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_level.h - the container's cgroup and those above it: a limit holds for all that lies
 * below, so the smallest of them counts, and any of them may be the one that ran out.
 *
 * What lies above the root of a mounted hierarchy (an outer container's own limits) cannot be seen.
 */
#ifndef KIST_CGROUP_LEVEL_H
#define KIST_CGROUP_LEVEL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgroup/cgroup.h"

/* Higher ancestors are left out. */
#define CGROUP_LEVELS_MAX 32

/*
 * Calls visit for the leaf (level 0) and its ancestors, but not for the root of the hierarchy,
 * which has no limits.  Stops at the first result that is not 0 and returns it.  path: below the
 * mount.
 */
typedef int cgroup_level_visit(void *ctx, int dir, const char *path, size_t level);
int cgroup_level_walk(const struct cgroup_dir *d, cgroup_level_visit *visit, void *ctx);

/* How often each level's memory limit could not be kept. */
struct cgroup_level_ooms {
	uint64_t count[CGROUP_LEVELS_MAX];
	bool full[CGROUP_LEVELS_MAX];	/* v1: memory and swap have once come up to their limit */
	size_t n;
};

void cgroup_level_ooms_read(const struct cgroup_dir *d, struct cgroup_level_ooms *out);

/*
 * The lowest level whose count has grown, or else the lowest one that is full; before->n if there
 * is none: then the machine's memory ran out.
 */
size_t cgroup_level_oom(const struct cgroup_level_ooms *before,
			const struct cgroup_level_ooms *now);

/* A level and its limit. */
struct cgroup_level {
	bool limited;			/* false: there is none, and limit and current are 0 */
	size_t level;
	char path[PATH_MAX];		/* below the mount */
	uint64_t limit;
	uint64_t current;
};

/* What may still be used of the limit. */
uint64_t cgroup_level_room(const struct cgroup_level *l);

/*
 * The level that has the least room between its use and its limit, the lowest of them: there what
 * is asked for next fails.  max and current name its files.
 */
void cgroup_level_tightest(const struct cgroup_dir *d, const char *max, const char *current,
			   struct cgroup_level *out);

/* That one level. */
void cgroup_level_read(const struct cgroup_dir *d, size_t level, const char *max,
		       const char *current, struct cgroup_level *out);

/* How often each level's quota of CPU time was used up. */
struct cgroup_level_counts {
	uint64_t count[CGROUP_LEVELS_MAX];
	size_t n;
};

void cgroup_level_throttled_read(const struct cgroup_dir *d, struct cgroup_level_counts *out);

/* Whether the kernel has killed a process of the cgroup for want of memory. */
bool cgroup_level_was_oom(const struct cgroup_ref *ref);

/*
 * A process could not be made (EAGAIN): appends to the message which cgroup's limit on processes is
 * used up, if any is.
 */
void cgroup_level_explain_pids(const struct cgroup_ref *ref, struct error *err);

/*
 * After an update: a warning in the log for each limit (memory, processes) in the plan that an
 * ancestor's smaller one, or the size of the machine, makes void.
 */
void cgroup_level_warn(const struct cgroup_plan *p);

#endif
