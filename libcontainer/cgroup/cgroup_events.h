/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_events.h - what the kernel tells of a cgroup by itself: out of memory, pressure, and the
 * counters of memory.events, pids.events, hugetlb.SIZE.events, cgroup.events and cpu.stat.
 *
 * Each source is one descriptor to poll: a v1 eventfd, a file of v2 that polls ready when its text
 * changes, or a pressure file with a trigger.  cpu.stat never does: it is only looked at.
 */
#ifndef KIST_CGROUP_EVENTS_H
#define KIST_CGROUP_EVENTS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "cgroup/cgroup.h"
#include "cgroup/cgroup_level.h"

#define CGROUP_EVENTS_MAX 64

enum cgroup_event_source {
	CGROUP_EVENT_OOM,
	CGROUP_EVENT_MEMORY,		/* memory.events */
	CGROUP_EVENT_PIDS,		/* pids.events */
	CGROUP_EVENT_CGROUP,		/* cgroup.events: populated, frozen */
	CGROUP_EVENT_HUGETLB,		/* hugetlb.SIZE.events */
	CGROUP_EVENT_CPU,		/* cpu.stat: nr_throttled */
	CGROUP_EVENT_PRESSURE,
};

/* A PSI trigger (Documentation/accounting/psi.rst): stall within window. */
struct cgroup_pressure {
	const char *resource;		/* "cpu", "memory", "io" */
	bool full;			/* all tasks at once were held up, not only some */
	uint64_t stall_us;
	uint64_t window_us;		/* the kernel takes 500 ms to 10 s */
};

/* One thing to poll. */
struct cgroup_watch {
	enum cgroup_event_source source;
	int fd;
	const struct cgroup_dir *dir;
	const struct cgroup_pressure *pressure;
	uint64_t ooms;			/* v2: processes killed so far */
	struct cgroup_level_ooms levels;
	size_t level;			/* pids: 0, or the cgroup above whose counter it is */
	bool exact;			/* pids: the counter is only of that cgroup's own limit */
	char page_size[16];		/* hugetlb: "2MB" */
	struct cgroup_level_counts throttled;
	char last[512];			/* what the file said last */
};

struct cgroup_events {
	struct cgroup_watch watches[CGROUP_EVENTS_MAX];
	size_t n;
	bool detailed;			/* with all: say which level ran out of memory */
};

/* What happened. */
struct cgroup_event {
	const char *type;		/* "oom", "memory", "pids", "hugetlb", ... */
	struct json_span data;		/* an object; text NULL: none */
};

/*
 * Opens the sources: OOM always, the counters if all is set, and the pressure triggers, for which a
 * v2 hierarchy with PSI is needed; of the others those that the machine has.
 */
int cgroup_events_open(const struct cgroup_ref *ref, bool all,
		       const struct cgroup_pressure *pressures, size_t n_pressures,
		       struct cgroup_events *out, struct error *err);
void cgroup_events_close(struct cgroup_events *e);

/* Fills one entry for each watch, in their order; a watch that has ended has fd -1. */
void cgroup_events_pollfds(const struct cgroup_events *e, struct pollfd *fds);

/*
 * Reads a watch that polled ready with revents, or any other with 0.  (The poll takes the event of
 * a pressure trigger away, so only revents tells of it.)  1: *out has what happened (in a); 0:
 * nothing new.  The end of the cgroup ends the watch.
 */
int cgroup_events_take(struct cgroup_events *e, size_t i, short revents, struct arena *a,
		       struct cgroup_event *out);

#endif
