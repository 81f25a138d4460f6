/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/cgroup_level.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "cgroup/cgroup_impl.h"
#include "cgroup/cgroup_stats.h"

int cgroup_level_walk(const struct cgroup_dir *d, cgroup_level_visit *visit, void *ctx)
{
	owned_fd mount = cgroup_mount_open(d);
	char path[PATH_MAX], *slash;
	int ret = mount < 0 ? mount : 0;

	if ((size_t)snprintf(path, sizeof(path), "%s", d->path) >= sizeof(path))
		return -ENAMETOOLONG;
	for (size_t level = 0; ret == 0 && path[0] && level < CGROUP_LEVELS_MAX; level++) {
		owned_fd dir = cgroup_dir_open(mount, path);

		ret = dir < 0 ? dir : visit(ctx, dir, path, level);
		slash = strrchr(path, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
	return ret;
}

/* Memory is charged by so many pages at once, so less than that below the limit nothing fits. */
#define CHARGE_MAX (UINT64_C(64) * 4096)

/*
 * v2 says it exactly: memory.events.local counts "oom" where the limit is.  v1 counts in failcnt
 * how often the limit was hit at all; the level that was hit meanwhile is a good guess.  Newer
 * kernels do not count that for memory and swap together: there the highest use has to serve.
 */
static int count_ooms(void *ctx, int dir, const char *path, size_t level)
{
	struct cgroup_level_ooms *ooms = ctx;
	uint64_t limit, most;
	char text[512];

	(void)path;
	ooms->n = level + 1;
	if (file_read_small(dir, "memory.events.local", text, sizeof(text)) >= 0) {
		ooms->count[level] = cgroup_stats_keyed(text, "oom");
		return 0;
	}
	ooms->count[level] = cgroup_stats_number(dir, "memory.failcnt") +
			     cgroup_stats_number(dir, "memory.memsw.failcnt");
	limit = cgroup_stats_number(dir, "memory.memsw.limit_in_bytes");
	most = cgroup_stats_number(dir, "memory.memsw.max_usage_in_bytes");
	ooms->full[level] = limit && most + CHARGE_MAX >= limit;
	return 0;
}

void cgroup_level_ooms_read(const struct cgroup_dir *d, struct cgroup_level_ooms *out)
{
	*out = (struct cgroup_level_ooms){ 0 };
	(void)cgroup_level_walk(d, count_ooms, out);
}

size_t cgroup_level_oom(const struct cgroup_level_ooms *before,
			const struct cgroup_level_ooms *now)
{
	for (size_t i = 0; i < now->n && i < before->n; i++)
		if (now->count[i] > before->count[i])
			return i;
	for (size_t i = 0; i < now->n; i++)
		if (now->full[i])
			return i;
	return before->n;
}

/* --- limits that are numbers in a file --- */

struct limit_search {
	const char *max;
	const char *current;
	size_t wanted;			/* a level, or SIZE_MAX for the tightest */
	struct cgroup_level *found;
};

static bool read_number(int dir, const char *file, uint64_t *value)
{
	char text[32];

	return file_read_small(dir, file, text, sizeof(text)) >= 0 &&
	       str_to_u64(text, UINT64_MAX, value) == 0;
}

uint64_t cgroup_level_room(const struct cgroup_level *l)
{
	return l->limit > l->current ? l->limit - l->current : 0;
}

static int look_at_level(void *ctx, int dir, const char *path, size_t level)
{
	const struct limit_search *s = ctx;
	struct cgroup_level here = { .level = level };

	if (s->wanted != SIZE_MAX && level != s->wanted)
		return 0;
	/* "max" is no number. */
	here.limited = read_number(dir, s->max, &here.limit);
	if (here.limited)
		(void)read_number(dir, s->current, &here.current);
	if (s->wanted == SIZE_MAX &&
	    (!here.limited ||
	     (s->found->limited && cgroup_level_room(&here) >= cgroup_level_room(s->found))))
		return 0;
	snprintf(here.path, sizeof(here.path), "%s", path);
	*s->found = here;
	return s->wanted != SIZE_MAX;
}

void cgroup_level_tightest(const struct cgroup_dir *d, const char *max, const char *current,
			   struct cgroup_level *out)
{
	cgroup_level_read(d, SIZE_MAX, max, current, out);
}

void cgroup_level_read(const struct cgroup_dir *d, size_t level, const char *max,
		       const char *current, struct cgroup_level *out)
{
	struct limit_search s = { max, current, level, out };

	out->limited = false;
	out->path[0] = '\0';
	out->level = 0;
	out->limit = out->current = 0;
	(void)cgroup_level_walk(d, look_at_level, &s);
}

static int count_throttled(void *ctx, int dir, const char *path, size_t level)
{
	struct cgroup_level_counts *counts = ctx;
	char text[512];

	(void)path;
	counts->n = level + 1;
	if (file_read_small(dir, "cpu.stat", text, sizeof(text)) >= 0)
		counts->count[level] = cgroup_stats_keyed(text, "nr_throttled");
	return 0;
}

void cgroup_level_throttled_read(const struct cgroup_dir *d, struct cgroup_level_counts *out)
{
	*out = (struct cgroup_level_counts){ 0 };
	(void)cgroup_level_walk(d, count_throttled, out);
}

bool cgroup_level_was_oom(const struct cgroup_ref *ref)
{
	for (size_t i = 0; i < ref->n_dirs; i++) {
		const struct cgroup_dir *d = &ref->dirs[i];
		const char *file = cgroup_dir_is_v2(d) ? "memory.events" : "memory.oom_control";
		owned_fd dir = cgroup_dir_used(d) ? cgroup_leaf_open(d) : -1;
		char text[512];

		if (dir >= 0 && file_read_small(dir, file, text, sizeof(text)) >= 0 &&
		    cgroup_stats_keyed(text, "oom_kill") > 0)
			return true;
	}
	return false;
}

void cgroup_level_explain_pids(const struct cgroup_ref *ref, struct error *err)
{
	int i = cgroup_knob_dir(ref, "pids");
	struct cgroup_level found;

	if (i < 0)
		i = cgroup_knob_dir(ref, "");
	if (i < 0 || !cgroup_dir_used(&ref->dirs[i]))
		return;
	cgroup_level_tightest(&ref->dirs[i], "pids.max", "pids.current", &found);
	if (found.limited)
		error_append(err,
			     " (the limit on processes: %s%s/pids.max is %llu, and %llu are "
			     "there%s)", ref->dirs[i].mount, found.path,
			     (unsigned long long)found.limit, (unsigned long long)found.current,
			     found.level == 0 ? "; `update --pids-limit` raises it" : "");
}

struct smaller {
	const struct cgroup_write *write;
	uint64_t value;
};

static int find_smaller(void *ctx, int dir, const char *path, size_t level)
{
	const struct smaller *s = ctx;
	uint64_t limit = level > 0 ? cgroup_stats_number(dir, s->write->file) : 0;

	if (limit == 0 || limit >= s->value)
		return 0;
	log_warning("%s: %s has no effect: cgroup %s above the container allows only %llu",
		    s->write->member, s->write->value, path, (unsigned long long)limit);
	return 1;
}

void cgroup_level_warn(const struct cgroup_plan *p)
{
	struct sysinfo machine;

	for (size_t i = 0; i < p->n_writes; i++) {
		struct smaller s = { .write = &p->writes[i] };
		bool memory = strcmp(s.write->member, "memory.limit") == 0;

		/* Of a member's writes the one with a number: not "max", not -1. */
		if ((!memory && strcmp(s.write->member, "pids.limit") != 0) ||
		    str_to_u64(s.write->value, UINT64_MAX, &s.value) < 0 ||
		    cgroup_level_walk(&p->ref.dirs[s.write->dir], find_smaller, &s) != 0)
			continue;
		if (memory && sysinfo(&machine) == 0 &&
		    s.value / machine.mem_unit > machine.totalram)
			log_warning("%s: %s is more than the machine's memory, %llu",
				    s.write->member, s.write->value,
				    (unsigned long long)machine.totalram * machine.mem_unit);
	}
}
