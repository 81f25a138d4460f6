/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings.  Rows of `knobs` are in the order of writing.  A row's emit() looks at its member and
 * calls put() once for each line to write, ignore() where the limit is part of another, or refuse()
 * where the hierarchy cannot do what is asked (config-linux.md "Unified": MUST fail).
 */
#include "cgroup/cgroup_knob.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "cgroup/cgroup_impl.h"

/* One compilation. */
struct run {
	const struct oci_config *config;
	const struct oci_resources *r;
	const struct cgroup_ref *ref;
	struct arena *arena;
	struct error *err;
	struct cgroup_write *writes;
	size_t n;
	int failed;
	bool noting;			/* only which members ask for a setting: see note() */
};

struct knob {
	const char *member;		/* below linux.resources */
	void (*emit)(struct run *run, const struct knob *k, bool v2);
	uint32_t flags;
	const char *property;		/* of a systemd unit */
	const char *v1_controller;
	const char *v1;			/* file; NULL: v1 has no such thing, or emit() names it */
	const char *v2_controller;
	const char *v2;
};

#define INT_TEXT(run, fmt, value) arena_printf((run)->arena, fmt, value)

static struct cgroup_write *put_file(struct run *run, const struct knob *k, bool v2,
				     const char *file, const char *value)
{
	const char *controller = v2 ? k->v2_controller : k->v1_controller;
	int dir = cgroup_knob_dir(run->ref, v2 ? "" : controller);
	struct cgroup_write *w;

	run->writes = arena_grow(run->arena, run->writes, run->n, sizeof(*w));
	w = &run->writes[run->n++];
	*w = (struct cgroup_write){
		.dir = (uint32_t)dir, .flags = k->flags, .controller = controller,
		.file = file, .value = value, .member = k->member,
	};
	return w;
}

static struct cgroup_write *put(struct run *run, const struct knob *k, bool v2, const void *at,
				const char *value)
{
	struct cgroup_write *w = put_file(run, k, v2, v2 ? k->v2 : k->v1, value);

	w->at = at;
	return w;
}

/* The member asks for a setting, whatever the hierarchy makes of it. */
static void note(struct run *run, const void *at)
{
	run->writes = arena_grow(run->arena, run->writes, run->n, sizeof(*run->writes));
	run->writes[run->n++] = (struct cgroup_write){ .at = at };
}

/* The first error stays. */
static void refuse(struct run *run, const void *at, const char *text)
{
	if (run->noting)
		note(run, at);
	else if (run->failed == 0)
		run->failed = oci_error(run->config, at, run->err, "%s", text);
}

static void ignore(struct run *run, const struct knob *k, const void *at)
{
	if (run->noting)
		note(run, at);
	else
		json_warn(run->config->doc, JSON_BAD_VALUE, at,
			  "%s is ignored: kernel memory counts towards memory.limit", k->member);
}

static void refuse_on_v2(struct run *run, const struct knob *k, const void *at)
{
	refuse(run, at,
	       arena_printf(run->arena,
			    "invalid configuration: cgroup v2 has no setting for %s, and no "
			    "hierarchy of v1 with controller \"%s\" is mounted",
			    k->member, k->v1_controller));
}

/* Files that hold -1 on v1 hold "max" on v2. */
static const char *limit_text(struct run *run, bool v2, int64_t value)
{
	if (value < 0)
		return v2 ? "max" : "-1";
	return INT_TEXT(run, "%" PRId64, value);
}

/* --- memory --- */

static void emit_memory_limit(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_memory *m = run->r->memory;
	struct cgroup_write *w;

	if (!m || !m->limit || *m->limit == 0)
		return;
	w = put(run, k, v2, &m->limit, limit_text(run, v2, *m->limit));
	if (v2 && m->check_before_update && *m->check_before_update && *m->limit > 0)
		w->usage_file = "memory.current";
	/*
	 * No limit on memory, none on memory and swap: so v1's users expect, and a lower one would
	 * be in the way.
	 */
	if (*m->limit < 0 && (!m->swap || *m->swap == 0)) {
		w = put_file(run, k, v2, v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes",
			     v2 ? "max" : "-1");
		w->flags |= CGROUP_WRITE_OPTIONAL;
		w->at = &m->limit;
	}
}

static void emit_memory_swap(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_memory *m = run->r->memory;
	int64_t limit = m && m->limit ? *m->limit : 0;
	struct cgroup_write *w;
	const char *why;
	int64_t swap;

	if (!m || !m->swap || *m->swap == 0)
		return;
	if (cgroup_swap_v2(*m->swap, limit, &swap, &why) < 0 && (v2 || limit != 0)) {
		refuse(run, &m->swap, why);
		return;
	}
	w = put(run, k, v2, &m->swap, limit_text(run, v2, v2 ? swap : *m->swap));
	/* A kernel that does not account for swap has no limit on it, and gives a cgroup none. */
	if (*m->swap < 0 || (v2 && swap == 0))
		w->flags |= CGROUP_WRITE_OPTIONAL;
}

int cgroup_swap_v2(int64_t swap, int64_t limit, int64_t *out, const char **why)
{
	*out = swap;
	*why = NULL;
	if (swap == 0 || swap == -1)
		return 0;
	if (swap < -1)
		*why = "a memory and swap limit below -1";
	else if (limit == 0 || limit == -1)
		*why = "a swap limit needs a memory limit";
	else if (limit < -1)
		*why = "a memory limit below -1";
	else if (swap < limit)
		*why = "the limit of memory and swap together must not be below the memory limit";
	*out = swap - limit;
	return *why ? -EINVAL : 0;
}

static void emit_memory_reservation(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_memory *m = run->r->memory;

	if (m && m->reservation && *m->reservation != 0)
		put(run, k, v2, &m->reservation, limit_text(run, v2, *m->reservation));
}

/*
 * The kernel has taken kernel memory into the limit since 4.5, and writes to the old file do
 * nothing since 6.1.
 */
static void emit_memory_kernel(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_memory *m = run->r->memory;

	(void)v2;
	if (m && m->kernel && *m->kernel > 0)
		ignore(run, k, &m->kernel);
}

static void emit_memory_kernel_tcp(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_memory *m = run->r->memory;

	if (!m || !m->kernel_tcp || *m->kernel_tcp == 0)
		return;
	if (v2)
		ignore(run, k, &m->kernel_tcp);
	else
		put(run, k, v2, &m->kernel_tcp, limit_text(run, v2, *m->kernel_tcp));
}

static void emit_memory_swappiness(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_memory *m = run->r->memory;

	/* Engines send -1, as an unsigned number, for "as it is". */
	if (!m || !m->swappiness || *m->swappiness == UINT64_MAX)
		return;
	if (v2)
		refuse_on_v2(run, k, &m->swappiness);
	else if (*m->swappiness > 100)
		refuse(run, &m->swappiness, "swappiness goes from 0 to 100");
	else
		put(run, k, v2, &m->swappiness, INT_TEXT(run, "%" PRIu64, *m->swappiness));
}

static void emit_memory_oom(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_memory *m = run->r->memory;

	if (!m || !m->disable_oom_killer || !*m->disable_oom_killer)
		return;
	if (v2)
		refuse_on_v2(run, k, &m->disable_oom_killer);
	else
		put(run, k, v2, &m->disable_oom_killer, "1");
}

/* Always so on v2, and on v1 since 5.11, where only "1" may be written any more. */
static void emit_memory_hierarchy(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_memory *m = run->r->memory;

	if (!m || !m->use_hierarchy || (v2 && *m->use_hierarchy))
		return;
	if (v2)
		refuse_on_v2(run, k, &m->use_hierarchy);
	else if (*m->use_hierarchy)
		put(run, k, v2, &m->use_hierarchy, "1")->flags |= CGROUP_WRITE_OPTIONAL;
	else
		put(run, k, v2, &m->use_hierarchy, "0");
}

/* --- cpu --- */

static void emit_cpu_idle(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_cpu *c = run->r->cpu;

	if (c && c->idle)
		put(run, k, v2, &c->idle, INT_TEXT(run, "%" PRId64, *c->idle));
}

static void emit_cpu_shares(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_cpu *c = run->r->cpu;

	/* The kernel refuses a weight for an idle cgroup, which has the least there is. */
	if (!c || !c->shares || *c->shares == 0 || (c->idle && *c->idle == 1))
		return;
	put(run, k, v2, &c->shares,
	    INT_TEXT(run, "%" PRIu64, v2 ? cgroup_weight_from_shares(*c->shares) : *c->shares));
}

static void emit_cpu_period(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_cpu *c = run->r->cpu;

	/* On v2 both are in cpu.max: see the quota. */
	if (!v2 && c && c->period && *c->period != 0)
		put(run, k, v2, &c->period, INT_TEXT(run, "%" PRIu64, *c->period));
}

static void emit_cpu_burst(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_cpu *c = run->r->cpu;

	if (!c || !c->burst)
		return;
	if (c->quota && *c->quota > 0 && *c->burst > (uint64_t)*c->quota)
		refuse(run, &c->burst, "the burst must not be larger than the quota");
	put(run, k, v2, &c->burst, INT_TEXT(run, "%" PRIu64, *c->burst));
}

static void emit_cpu_quota(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_cpu *c = run->r->cpu;
	bool quota = c && c->quota && *c->quota != 0;
	bool period = c && c->period && *c->period != 0;
	struct cgroup_write *w;
	const char *text;

	if (!quota && !(v2 && period))
		return;
	text = quota ? limit_text(run, v2, *c->quota) : NULL;
	if (v2 && quota && period)
		text = arena_printf(run->arena, "%s %" PRIu64, text, *c->period);
	else if (v2 && period)
		text = INT_TEXT(run, "%" PRIu64, *c->period);
	w = put(run, k, v2, quota ? (void *)&c->quota : (void *)&c->period, text);
	if (v2 && !quota) {
		w->flags |= CGROUP_WRITE_KEEP_QUOTA;
		w->member = "cpu.period";
	}
}

static void emit_cpu_rt_period(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_cpu *c = run->r->cpu;

	if (!c || !c->realtime_period || *c->realtime_period == 0)
		return;
	if (v2)
		refuse_on_v2(run, k, &c->realtime_period);
	else
		put(run, k, v2, &c->realtime_period,
		    INT_TEXT(run, "%" PRIu64, *c->realtime_period));
}

static void emit_cpu_rt_runtime(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_cpu *c = run->r->cpu;

	if (!c || !c->realtime_runtime || *c->realtime_runtime == 0)
		return;
	if (v2)
		refuse_on_v2(run, k, &c->realtime_runtime);
	else
		put(run, k, v2, &c->realtime_runtime,
		    INT_TEXT(run, "%" PRId64, *c->realtime_runtime));
}

static void emit_cpu_cpus(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_cpu *c = run->r->cpu;

	if (c && c->cpus && *c->cpus)
		put(run, k, v2, &c->cpus, c->cpus);
}

static void emit_cpu_mems(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_cpu *c = run->r->cpu;

	if (c && c->mems && *c->mems)
		put(run, k, v2, &c->mems, c->mems);
}

/*
 * The curve, in whole numbers: log2 with 40 binary places, so that the C library's libm is not
 * needed.
 */
#define LOG2_PLACES 40
#define LOG2_10 UINT64_C(3652498566964)		/* log2(10) * 2^40, rounded */

static uint64_t fixed_log2(uint64_t x)
{
	unsigned int whole = 63 - (unsigned int)__builtin_clzll(x);
	unsigned __int128 mantissa = (unsigned __int128)x << (62 - whole);	/* 1.0 is 2^62 */
	uint64_t result = whole;

	for (int i = 0; i < LOG2_PLACES; i++) {
		mantissa = mantissa * mantissa >> 62;
		result <<= 1;
		if (mantissa >> 63) {
			mantissa >>= 1;
			result |= 1;
		}
	}
	return result;
}

uint64_t cgroup_weight_from_shares(uint64_t shares)
{
	unsigned __int128 l, wanted;
	uint64_t low = 1, high = 10000;

	if (shares == 0)
		return 0;
	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	/* log10(weight) * 612 = l * l + 125 * l - 126; both sides times log2(10). */
	l = fixed_log2(shares);
	wanted = (l * l >> LOG2_PLACES) + 125 * l - ((unsigned __int128)126 << LOG2_PLACES);
	wanted = wanted * LOG2_10 >> LOG2_PLACES;
	/*
	 * The smallest weight that reaches it; the slack covers the last places, where the curve
	 * is exact (1024).
	 */
	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if ((unsigned __int128)fixed_log2(middle) * 612 + (1 << 13) >= wanted)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* --- pids --- */

/*
 * 0 is a number like others since version 1.3 of the specification; with it nothing could even be
 * started, so it is the least that works.  Before, it was no limit: engines of that time write it
 * for that.
 */
#define PIDS_ZERO_IS_A_LIMIT 3

static void emit_pids(struct run *run, const struct knob *k, bool v2)
{
	const int64_t *limit = run->r->pids ? run->r->pids->limit : NULL;
	bool unlimited;

	if (!limit)
		return;
	unlimited = *limit < 0 ||
		    (*limit == 0 && oci_version_before(run->config, PIDS_ZERO_IS_A_LIMIT));
	put(run, k, v2, &run->r->pids->limit,
	    unlimited ? "max" : INT_TEXT(run, "%" PRId64, *limit ? *limit : 1));
}

/* --- block io --- */

uint64_t cgroup_io_weight(uint64_t w)
{
	if (w == 0)
		return 0;
	if (w < 10)
		w = 10;
	return w > 1000 ? 10000 : 1 + (w - 10) * 9999 / 990;
}

/* With BFQ as scheduler its file is there and takes the number as it is; else v2's own weight. */
static void put_weight(struct run *run, const struct knob *k, bool v2, const void *at,
		       const char *device, uint16_t weight)
{
	struct cgroup_write *w = put(run, k, v2, at, INT_TEXT(run, "%u", weight));

	if (*device)
		w->value = arena_printf(run->arena, "%s%u", device, weight);
	w->alt_file = v2 ? "io.weight" : *device ? "blkio.bfq.weight_device" : "blkio.bfq.weight";
	w->alt_value = v2 ? arena_printf(run->arena, "%s%" PRIu64, *device ? device : "default ",
					 cgroup_io_weight(weight)) : w->value;
}

static void emit_io_weight(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_block_io *b = run->r->block_io;

	if (b && b->weight && *b->weight != 0)
		put_weight(run, k, v2, &b->weight, "", *b->weight);
}

static void emit_io_leaf_weight(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_block_io *b = run->r->block_io;

	if (!b || !b->leaf_weight || *b->leaf_weight == 0)
		return;
	if (v2)
		refuse_on_v2(run, k, &b->leaf_weight);
	else
		put(run, k, v2, &b->leaf_weight, INT_TEXT(run, "%u", *b->leaf_weight));
}

static void emit_io_weight_device(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_block_io *b = run->r->block_io;

	for (size_t i = 0; b && i < b->n_weight_device; i++) {
		const struct oci_weight_device *d = &b->weight_device[i];
		const char *device =
			arena_printf(run->arena, "%" PRId64 ":%" PRId64 " ", d->major, d->minor);

		if (d->weight && *d->weight != 0)
			put_weight(run, k, v2, &d->weight, device, *d->weight);
		if (!d->leaf_weight || *d->leaf_weight == 0)
			continue;
		if (v2)
			refuse_on_v2(run, k, &d->leaf_weight);
		else
			put_file(run, k, v2, "blkio.leaf_weight_device",
				 arena_printf(run->arena, "%s%u", device, *d->leaf_weight))
				->at = &d->leaf_weight;
	}
}

/* v1: "MAJOR:MINOR RATE", 0 takes the limit away; v2: "MAJOR:MINOR key=RATE", where "max" does. */
static void put_throttle(struct run *run, const struct knob *k, bool v2, const char *key,
			 const struct oci_throttle_device *d)
{
	const char *rate = v2 && d->rate == 0 ? "max" : INT_TEXT(run, "%" PRIu64, d->rate);

	put(run, k, v2, &d->rate,
	    v2 ? arena_printf(run->arena, "%" PRId64 ":%" PRId64 " %s=%s", d->major, d->minor, key,
			      rate)
	       : arena_printf(run->arena, "%" PRId64 ":%" PRId64 " %s", d->major, d->minor, rate));
}

#define EMIT_THROTTLE(name, list, key) \
static void emit_##name(struct run *run, const struct knob *k, bool v2) \
{ \
	const struct oci_block_io *b = run->r->block_io; \
\
	for (size_t i = 0; b && i < b->n_##list; i++) \
		put_throttle(run, k, v2, key, &b->list[i]); \
}

EMIT_THROTTLE(read_bps, throttle_read_bps_device, "rbps")
EMIT_THROTTLE(write_bps, throttle_write_bps_device, "wbps")
EMIT_THROTTLE(read_iops, throttle_read_iops_device, "riops")
EMIT_THROTTLE(write_iops, throttle_write_iops_device, "wiops")

/* --- hugetlb, network, rdma --- */

/* "64KB", "2MB", "1GB": it becomes part of a file's name, so nothing else may be in it. */
static bool is_page_size(const char *s)
{
	size_t digits = strspn(s, "0123456789");

	return digits && *s != '0' && strlen(s + digits) == 2 && strchr("KMGT", s[digits]) &&
		s[digits + 1] == 'B';
}

/*
 * The limit on use always; the better one on reservations (config-linux.md "Huge page limits")
 * where the kernel has it.
 */
static void emit_hugepage(struct run *run, const struct knob *k, bool v2)
{
	for (size_t i = 0; i < run->r->n_hugepage_limits; i++) {
		const struct oci_hugepage_limit *h = &run->r->hugepage_limits[i];
		const char *end = v2 ? "max" : "limit_in_bytes";
		const char *value = INT_TEXT(run, "%" PRIu64, h->limit);
		struct cgroup_write *w;

		if (!is_page_size(h->page_size)) {
			refuse(run, &h->page_size, "a huge page size is a number and KB, MB or GB");
			continue;
		}
		w = put_file(run, k, v2,
			     arena_printf(run->arena, "hugetlb.%s.%s", h->page_size, end), value);
		w->at = &h->page_size;
		w = put_file(run, k, v2,
			     arena_printf(run->arena, "hugetlb.%s.rsvd.%s", h->page_size, end),
			     value);
		w->at = &h->page_size;
		w->flags |= CGROUP_WRITE_OPTIONAL;
	}
}

static void emit_network_class(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_network *n = run->r->network;

	if (!n || !n->class_id || *n->class_id == 0)
		return;
	if (v2)
		refuse_on_v2(run, k, &n->class_id);
	else
		put(run, k, v2, &n->class_id, INT_TEXT(run, "%" PRIu32, *n->class_id));
}

static void emit_network_priorities(struct run *run, const struct knob *k, bool v2)
{
	const struct oci_network *n = run->r->network;

	for (size_t i = 0; n && i < n->n_priorities; i++) {
		const struct oci_interface_priority *p = &n->priorities[i];

		if (v2)
			refuse_on_v2(run, k, &n->priorities);
		else
			put(run, k, v2, &p->name,
			    arena_printf(run->arena, "%s %" PRIu32, p->name, p->priority));
	}
}

static void emit_rdma(struct run *run, const struct knob *k, bool v2)
{
	for (size_t i = 0; i < run->r->n_rdma; i++) {
		const struct oci_rdma *d = &run->r->rdma[i];
		char *text = arena_strdup(run->arena, d->key);

		if (d->hca_handles)
			text = arena_printf(run->arena, "%s hca_handle=%" PRIu32, text,
					    *d->hca_handles);
		if (d->hca_objects)
			text = arena_printf(run->arena, "%s hca_object=%" PRIu32, text,
					    *d->hca_objects);
		if (!d->hca_handles && !d->hca_objects)
			refuse(run, d, "at least one of hcaHandles and hcaObjects must be given");
		else
			put(run, k, v2, d, text);
	}
}

/* --- unified: last, so that it wins over a conversion --- */

static void emit_unified_pair(struct run *run, const struct knob *k, const struct oci_pair *pair)
{
	const char *dot = strchr(pair->key, '.');
	char *rest, *line, *controller;
	struct cgroup_write *w;
	int v1;

	if (strchr(pair->key, '/')) {
		refuse(run, pair, arena_printf(run->arena,
			"unified resource \"%s\" must be a file name (no slashes)", pair->key));
		return;
	}
	if (!dot || dot == pair->key) {
		refuse(run, pair,
		       arena_printf(
			       run->arena,
			       "unified resource \"%s\" must be in the form CONTROLLER.PARAMETER",
			       pair->key));
		return;
	}
	controller = arena_strndup(run->arena, pair->key, (size_t)(dot - pair->key));
	v1 = cgroup_knob_dir(run->ref, controller);
	if (v1 >= 0 || (cgroup_knob_dir(run->ref, "") < 0 && run->ref->n_dirs > 0)) {
		refuse(run, pair,
		       arena_printf(run->arena,
				    "invalid configuration: controller \"%s\" is not on cgroup v2, "
				    "so \"%s\" cannot be set (%s%s; to have it on v2, boot with "
				    "systemd.unified_cgroup_hierarchy=1)",
				    controller, pair->key,
				    v1 >= 0 ? "v1 has it: " : "only v1 is mounted",
				    v1 >= 0 ? run->ref->dirs[v1].mount : ""));
		return;
	}
	/* Files of several lines (io.max) take one a write. */
	rest = arena_strdup(run->arena, pair->value);
	while ((line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		w = put_file(run, k, true, pair->key, line);
		w->controller = strcmp(controller, "cgroup") ? controller : NULL;
		w->at = pair;
	}
}

static void emit_unified(struct run *run, const struct knob *k, bool v2)
{
	(void)v2;
	for (size_t i = 0; i < run->r->n_unified; i++)
		emit_unified_pair(run, k, &run->r->unified[i]);
}

/* --- the table --- */

#define RETRY CGROUP_WRITE_RETRY

/*
 * RETRY: the kernel keeps memory.limit <= memory+swap limit and burst <= quota, and judges period
 * and quota together; when both of a pair change, one order fails and the other does not.
 */
#define V1(controller, file) controller, file
#define V2(controller, file) controller, file

/* member, emit, flags, property of a systemd unit; controller and file on v1 and on v2. */
static const struct knob knobs[] = {
	{ "cpu.idle", emit_cpu_idle, 0, "CPUWeight",
	  V1("cpu", "cpu.idle"),                         V2("cpu", "cpu.idle") },
	{ "cpu.shares", emit_cpu_shares, 0, "CPUWeight",
	  V1("cpu", "cpu.shares"),                       V2("cpu", "cpu.weight") },
	{ "cpu.period", emit_cpu_period, RETRY, "CPUQuotaPeriodUSec",
	  V1("cpu", "cpu.cfs_period_us"),                V2("cpu", "cpu.max") },
	{ "cpu.quota", emit_cpu_quota, RETRY, "CPUQuotaPerSecUSec",
	  V1("cpu", "cpu.cfs_quota_us"),                 V2("cpu", "cpu.max") },
	{ "cpu.burst", emit_cpu_burst, RETRY, NULL,
	  V1("cpu", "cpu.cfs_burst_us"),                 V2("cpu", "cpu.max.burst") },
	{ "cpu.realtimePeriod", emit_cpu_rt_period, RETRY, NULL,
	  V1("cpu", "cpu.rt_period_us"),                 V2("cpu", NULL) },
	{ "cpu.realtimeRuntime", emit_cpu_rt_runtime, RETRY, NULL,
	  V1("cpu", "cpu.rt_runtime_us"),                V2("cpu", NULL) },
	{ "cpu.cpus", emit_cpu_cpus, 0, "AllowedCPUs",
	  V1("cpuset", "cpuset.cpus"),                   V2("cpuset", "cpuset.cpus") },
	{ "cpu.mems", emit_cpu_mems, 0, "AllowedMemoryNodes",
	  V1("cpuset", "cpuset.mems"),                   V2("cpuset", "cpuset.mems") },
	/* Before a limit, as the kernel before 5.11 wants it. */
	{ "memory.useHierarchy", emit_memory_hierarchy, 0, NULL,
	  V1("memory", "memory.use_hierarchy"),          V2("memory", NULL) },
	{ "memory.limit", emit_memory_limit, RETRY, "MemoryMax",
	  V1("memory", "memory.limit_in_bytes"),         V2("memory", "memory.max") },
	{ "memory.swap", emit_memory_swap, RETRY, "MemorySwapMax",
	  V1("memory", "memory.memsw.limit_in_bytes"),   V2("memory", "memory.swap.max") },
	{ "memory.reservation", emit_memory_reservation, 0, "MemoryLow",
	  V1("memory", "memory.soft_limit_in_bytes"),    V2("memory", "memory.low") },
	{ "memory.kernel", emit_memory_kernel, 0, NULL,
	  V1("memory", NULL),                            V2("memory", NULL) },
	{ "memory.kernelTCP", emit_memory_kernel_tcp, 0, NULL,
	  V1("memory", "memory.kmem.tcp.limit_in_bytes"), V2("memory", NULL) },
	{ "memory.swappiness", emit_memory_swappiness, 0, NULL,
	  V1("memory", "memory.swappiness"),             V2("memory", NULL) },
	{ "memory.disableOOMKiller", emit_memory_oom, 0, NULL,
	  V1("memory", "memory.oom_control"),            V2("memory", NULL) },
	{ "pids.limit", emit_pids, 0, "TasksMax",
	  V1("pids", "pids.max"),                        V2("pids", "pids.max") },
	{ "blockIO.weight", emit_io_weight, 0, "IOWeight",
	  V1("blkio", "blkio.weight"),                   V2("io", "io.bfq.weight") },
	{ "blockIO.leafWeight", emit_io_leaf_weight, 0, NULL,
	  V1("blkio", "blkio.leaf_weight"),              V2("io", NULL) },
	{ "blockIO.weightDevice", emit_io_weight_device, 0, "IODeviceWeight",
	  V1("blkio", "blkio.weight_device"),            V2("io", "io.bfq.weight") },
	{ "blockIO.throttleReadBpsDevice", emit_read_bps, 0, "IOReadBandwidthMax",
	  V1("blkio", "blkio.throttle.read_bps_device"), V2("io", "io.max") },
	{ "blockIO.throttleWriteBpsDevice", emit_write_bps, 0, "IOWriteBandwidthMax",
	  V1("blkio", "blkio.throttle.write_bps_device"), V2("io", "io.max") },
	{ "blockIO.throttleReadIOPSDevice", emit_read_iops, 0, "IOReadIOPSMax",
	  V1("blkio", "blkio.throttle.read_iops_device"), V2("io", "io.max") },
	{ "blockIO.throttleWriteIOPSDevice", emit_write_iops, 0, "IOWriteIOPSMax",
	  V1("blkio", "blkio.throttle.write_iops_device"), V2("io", "io.max") },
	{ "hugepageLimits", emit_hugepage, 0, NULL,
	  V1("hugetlb", NULL),                           V2("hugetlb", NULL) },
	{ "network.classID", emit_network_class, 0, NULL,
	  V1("net_cls", "net_cls.classid"),              V2(NULL, NULL) },
	{ "network.priorities", emit_network_priorities, 0, NULL,
	  V1("net_prio", "net_prio.ifpriomap"),          V2(NULL, NULL) },
	{ "rdma", emit_rdma, 0, NULL,
	  V1("rdma", "rdma.max"),                        V2("rdma", "rdma.max") },
	{ "unified", emit_unified, 0, NULL,
	  V1(NULL, NULL),                                V2(NULL, NULL) },
};

#define N_KNOBS (sizeof(knobs) / sizeof(knobs[0]))

const char *cgroup_knob_property(const char *member)
{
	for (size_t i = 0; i < N_KNOBS; i++)
		if (strcmp(knobs[i].member, member) == 0)
			return knobs[i].property;
	return NULL;
}

bool cgroup_list_has(const char *list, const char *word, char separator)
{
	size_t len = strlen(word);

	for (const char *s = list; s; s = strchr(s, separator)) {
		s += *s == separator;
		if (len && strncmp(s, word, len) == 0 && (s[len] == separator || s[len] == '\0'))
			return true;
	}
	return false;
}

int cgroup_knob_dir(const struct cgroup_ref *ref, const char *controller)
{
	for (size_t i = 0; i < ref->n_dirs; i++) {
		const struct cgroup_dir *d = &ref->dirs[i];

		if (*controller ? cgroup_list_has(d->controllers, controller, ',')
				: cgroup_dir_is_v2(d))
			return (int)i;
	}
	return -1;
}

/* What a kernel must be built with, which tells how to get a controller that is not there. */
static const char *kernel_option(const char *controller)
{
	static const char *const options[][2] = {
		{ "memory", "MEMCG" },		    { "cpu", "CGROUP_SCHED" },
		{ "cpuset", "CPUSETS" },	    { "pids", "CGROUP_PIDS" },
		{ "io", "BLK_CGROUP" },		    { "blkio", "BLK_CGROUP" },
		{ "hugetlb", "CGROUP_HUGETLB" },    { "rdma", "CGROUP_RDMA" },
		{ "misc", "CGROUP_MISC" },	    { "dmem", "CGROUP_DMEM" },
		{ "net_cls", "CGROUP_NET_CLASSID" }, { "net_prio", "CGROUP_NET_PRIO" },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (strcmp(options[i][0], controller) == 0)
			return options[i][1];
	return NULL;
}

static const char *how_to_enable(struct run *run, const char *controller)
{
	const char *option = kernel_option(controller);

	if (!option)
		return arena_printf(run->arena, "this kernel may not know it");
	return arena_printf(run->arena,
			    "the kernel needs CONFIG_%s, and must not be booted with "
			    "cgroup_disable=%s", option, controller);
}

/* The controller must be in a v1 hierarchy of its own, or among those of v2. */
static void require_controller(struct run *run, const struct cgroup_write *w)
{
	const struct cgroup_ref *ref = run->ref;
	bool unified = strcmp(w->member, "unified") == 0;
	const char *why;

	if (ref->n_dirs == 0)
		why = "the container has no cgroup (none is mounted: mount -t cgroup2 cgroup2 "
		      "/sys/fs/cgroup; or the cgroup manager is \"disabled\")";
	else if (w->dir >= ref->n_dirs)
		why = arena_printf(run->arena,
				   "no hierarchy below /sys/fs/cgroup has it (mount -t cgroup -o "
				   "%s cgroup /sys/fs/cgroup/%s; %s)", w->controller, w->controller,
				   how_to_enable(run, w->controller));
	else if (cgroup_dir_is_v2(&ref->dirs[w->dir]) && w->controller && ref->available &&
		 !cgroup_list_has(ref->available, w->controller, ' '))
		why = arena_printf(run->arena,
				   "%s/cgroup.controllers lists only \"%s\" (a cgroup v1 mount may "
				   "hold it; an outer container may not hand it down; or else %s)",
				   ref->dirs[w->dir].mount, ref->available,
				   how_to_enable(run, w->controller));
	else
		return;
	refuse(run, w->at,
	       arena_printf(run->arena, "%s needs controller \"%s\", which is not available: %s",
			    unified ? w->file : w->member,
			    w->controller ? w->controller : "cgroup", why));
}

int cgroup_knob_compile(const struct oci_config *c, const struct cgroup_ref *ref, struct arena *a,
			struct cgroup_write **out, size_t *n, struct error *err)
{
	struct run run = { .config = c, .ref = ref, .arena = a, .err = err };
	/* Where there is nothing, v2 is what should be there. */
	bool has_v2 = cgroup_knob_dir(ref, "") >= 0 || ref->n_dirs == 0;

	run.r = c->linux ? c->linux->resources : NULL;
	for (size_t i = 0; run.r && run.failed == 0 && i < N_KNOBS; i++) {
		const struct knob *k = &knobs[i];
		bool v1 = k->v1_controller && cgroup_knob_dir(ref, k->v1_controller) >= 0;
		size_t before = run.n;

		k->emit(&run, k, !v1 && has_v2);
		for (size_t w = before; run.failed == 0 && w < run.n; w++)
			require_controller(&run, &run.writes[w]);
	}
	*out = run.writes;
	*n = run.n;
	return run.failed;
}

void cgroup_knob_warn(const struct oci_config *c, const char *why, struct arena *a)
{
	static const struct cgroup_ref none;
	struct run run = { .config = c, .ref = &none, .arena = a, .noting = true };
	const void *last = NULL;

	run.r = c->linux ? c->linux->resources : NULL;
	for (size_t i = 0; run.r && i < N_KNOBS; i++) {
		size_t before = run.n;

		/* In the terms of v2, or else of v1: it is the member that counts. */
		knobs[i].emit(&run, &knobs[i], true);
		if (run.n == before)
			knobs[i].emit(&run, &knobs[i], false);
		for (size_t w = before; w < run.n; w++) {
			const struct cgroup_write *write = &run.writes[w];

			if (write->at != last)
				json_warn(c->doc, JSON_BAD_VALUE, write->at, "%s", why);
			last = write->at;
		}
	}
}
