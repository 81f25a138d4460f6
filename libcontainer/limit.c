/* SPDX-License-Identifier: Apache-2.0 */
/* limit.c - resource limits of the container process. */
#include "limit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/str.h"

static const char *const names[RLIM_NLIMITS] = {
	[RLIMIT_CPU] = "RLIMIT_CPU",	       [RLIMIT_FSIZE] = "RLIMIT_FSIZE",
	[RLIMIT_DATA] = "RLIMIT_DATA",	       [RLIMIT_STACK] = "RLIMIT_STACK",
	[RLIMIT_CORE] = "RLIMIT_CORE",	       [RLIMIT_RSS] = "RLIMIT_RSS",
	[RLIMIT_NPROC] = "RLIMIT_NPROC",       [RLIMIT_NOFILE] = "RLIMIT_NOFILE",
	[RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",   [RLIMIT_AS] = "RLIMIT_AS",
	[RLIMIT_LOCKS] = "RLIMIT_LOCKS",       [RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
	[RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE", [RLIMIT_NICE] = "RLIMIT_NICE",
	[RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",     [RLIMIT_RTTIME] = "RLIMIT_RTTIME",
};

/*
 * What prlimit64 takes on every architecture; the C library's struct rlimit is not that everywhere.
 */
struct kernel_limit {
	uint64_t cur, max;
};

const char *limit_name(int resource)
{
	return resource >= 0 && resource < (int)RLIM_NLIMITS ? names[resource] : "unknown rlimit";
}

int limit_compile(const struct oci_config *c, const struct oci_process *p, const struct host *h,
		  struct arena *a, struct limit_plan *out, struct error *err)
{
	uint32_t seen = 0;

	(void)h;
	memset(out, 0, sizeof(*out));
	out->limits = ARENA_NEW_ARRAY(a, struct limit, p->n_rlimits);
	for (size_t i = 0; i < p->n_rlimits; i++) {
		const struct oci_rlimit *r = &p->rlimits[i];

		if (r->type < 0 || r->type >= (int)RLIM_NLIMITS)
			return oci_error(c, &r->type, err, "unknown rlimit %d", r->type);
		if (seen & (1u << r->type))
			return oci_error(c, &r->type, err, "%s is given twice", names[r->type]);
		if (r->soft > r->hard)
			return oci_error(c, &r->soft, err,
					 "%s: soft limit %llu is above the hard limit %llu",
					 names[r->type], (unsigned long long)r->soft,
					 (unsigned long long)r->hard);
		seen |= 1u << r->type;
		out->limits[out->n_limits++] = (struct limit){
			r->type, r->soft, r->hard,
			oci_position(c, &r->hard, a, arena_printf(a, "process.rlimits[%zu]", i)),
		};
	}
	return 0;
}

/* The most that anybody may have of it, whatever his capabilities; UINT64_MAX: not known. */
static uint64_t kernel_maximum(const struct limit *l, int proc)
{
	char text[32];
	uint64_t value;
	ssize_t n = l->resource == RLIMIT_NOFILE && proc >= 0 ?
		    proc_read(proc, "sys/fs/nr_open", text, sizeof(text)) : -1;

	if (n <= 0)
		return UINT64_MAX;
	text[strcspn(text, "\n")] = '\0';
	return str_to_u64(text, UINT64_MAX, &value) < 0 ? UINT64_MAX : value;
}

static int limit_error(const struct limit *l, int errnum, int proc, struct error *err)
{
	unsigned long long soft = l->soft, hard = l->hard;
	struct kernel_limit now = { 0, 0 };
	int r = error_set(err, errnum, "%s: set %s to soft %llu, hard %llu", l->where,
			  limit_name(l->resource), soft, hard);
	uint64_t most = errnum == EPERM ? kernel_maximum(l, proc) : UINT64_MAX;

	if (errnum != EPERM || syscall(SYS_prlimit64, 0, l->resource, NULL, &now) < 0)
		return r;
	if (l->hard > most)
		error_append(err, " (the sysctl fs.nr_open allows %llu at most)",
			     (unsigned long long)most);
	else if (l->hard > now.max)
		error_append(err,
			     " (the hard limit here is %llu; raising it needs CAP_SYS_RESOURCE)",
			     (unsigned long long)now.max);
	else if (l->resource == RLIMIT_NOFILE)
		error_append(err, " (above the sysctl fs.nr_open)");
	return r;
}

/*
 * The number of descriptors, while the runtime itself still needs some: what has to be raised,
 * which takes privilege, but nothing lower than now.
 */
static int raise_only(struct kernel_limit *new)
{
	struct kernel_limit now;

	if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &now) < 0)
		return -errno;
	new->cur = new->cur > now.cur ? new->cur : now.cur;
	new->max = new->max > now.max ? new->max : now.max;
	return 0;
}

/*
 * The number of processes, with one more for the joiner, which ends when it has forked: so the
 * kernel comes to the same verdict as with the limit itself and without the joiner.  No more than
 * that: somebody in the container may keep the new process from lowering it.
 */
static int raise_by_one(struct kernel_limit *new)
{
	struct kernel_limit now;

	if (syscall(SYS_prlimit64, 0, RLIMIT_NPROC, NULL, &now) < 0)
		return -errno;
	new->cur += new->cur < new->max || new->cur < now.max;
	new->max = new->max > new->cur ? new->max : new->cur;
	return 0;
}

int limit_run(const struct limit_plan *p, bool joiner, int proc, struct error *err)
{
	for (size_t i = 0; i < p->n_limits; i++) {
		const struct limit *l = &p->limits[i];
		struct kernel_limit new = { l->soft, l->hard };

		if (l->resource == RLIMIT_NOFILE && raise_only(&new) < 0)
			return limit_error(l, errno, proc, err);
		if (l->resource == RLIMIT_NPROC && joiner && raise_by_one(&new) < 0)
			return limit_error(l, errno, proc, err);
		if (syscall(SYS_prlimit64, 0, l->resource, &new, NULL) < 0)
			return limit_error(l, errno, proc, err);
	}
	return 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

int limit_joiner_run(const struct limit_plan *p, uint64_t needed, struct error *err)
{
	for (size_t i = 0; i < p->n_limits; i++) {
		const struct limit *l = &p->limits[i];
		struct kernel_limit new = { l->soft, l->hard }, now;

		if (l->resource != RLIMIT_NOFILE)
			continue;
		if (new.cur < needed) {
			if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &now) < 0)
				return limit_error(l, errno, -1, err);
			new.cur = least(now.cur, needed);
			new.max = least(now.max, most(new.max, needed));
		}
		if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &new, NULL) < 0)
			return limit_error(l, errno, -1, err);
	}
	return 0;
}

static bool is_last(const struct limit *l, bool joined, uint64_t needed)
{
	if (l->resource == RLIMIT_NOFILE)
		return !joined || l->soft < needed;
	return joined && l->resource == RLIMIT_NPROC;
}

int limit_last_run(const struct limit_plan *p, bool joined, uint64_t needed, struct error *err)
{
	for (size_t i = 0; i < p->n_limits; i++) {
		const struct limit *l = &p->limits[i];
		struct kernel_limit new = { l->soft, l->hard };

		if (is_last(l, joined, needed) &&
		    syscall(SYS_prlimit64, 0, l->resource, &new, NULL) < 0)
			return limit_error(l, errno, -1, err);
	}
	return 0;
}

bool limit_has(const struct limit_plan *p, int resource)
{
	for (size_t i = 0; i < p->n_limits; i++) {
		if (p->limits[i].resource == resource)
			return true;
	}
	return false;
}

bool limit_has_last(const struct limit_plan *p, bool joined, uint64_t needed)
{
	for (size_t i = 0; i < p->n_limits; i++) {
		if (is_last(&p->limits[i], joined, needed))
			return true;
	}
	return false;
}

static const char *limit_text(uint64_t value, char *buf, size_t size)
{
	if (value == UINT64_MAX)
		return "unlimited";
	snprintf(buf, size, "%llu", (unsigned long long)value);
	return buf;
}

void limit_show(const struct limit_plan *p, struct show *out)
{
	for (size_t i = 0; i < p->n_limits; i++) {
		char soft[24], hard[24];

		show_act(out, "set %s: soft %s, hard %s", limit_name(p->limits[i].resource),
			 limit_text(p->limits[i].soft, soft, sizeof(soft)),
			 limit_text(p->limits[i].hard, hard, sizeof(hard)));
	}
}
