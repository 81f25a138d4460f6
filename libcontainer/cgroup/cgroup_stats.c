/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where each number of struct cgroup_stats stands.  Kernel: Documentation/admin-guide/
 * cgroup-v2.rst; cgroup-v1/{cpuacct,memory,blkio-controller,hugetlb}.rst.
 */
#include "cgroup/cgroup_stats.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/str.h"
#include "cgroup/cgroup_impl.h"
#include "cgroup/cgroup_stats_parse.h"

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_US UINT64_C(1000)
#define FILE_NAME_MAX 128

/* --- tables --- */

#define JSON_TYPE struct cgroup_psi_line
static const struct json_field psi_line_fields[] = {
	FIELD(avg10, "avg10", JSON_REQUIRED),
	FIELD(avg60, "avg60", JSON_REQUIRED),
	FIELD(avg300, "avg300", JSON_REQUIRED),
	FIELD(total, "total", JSON_REQUIRED),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct cgroup_psi
const struct json_field cgroup_psi_fields[] = {
	EMBEDDED(some, "some", psi_line_fields, JSON_REQUIRED),
	EMBEDDED(full, "full", psi_line_fields, JSON_REQUIRED),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct cgroup_stats_cpu_usage
static const struct json_field cpu_usage_fields[] = {
	FIELD(total, "total", JSON_REQUIRED),
	NUMBERS(percpu, "percpu", JSON_OPTIONAL),
	NUMBERS(percpu_kernel, "percpu_kernel", JSON_OPTIONAL),
	NUMBERS(percpu_user, "percpu_user", JSON_OPTIONAL),
	FIELD(kernel, "kernel", JSON_REQUIRED),
	FIELD(user, "user", JSON_REQUIRED),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct cgroup_stats_throttling
static const struct json_field throttling_fields[] = {
	FIELD(periods, "periods", JSON_OPTIONAL),
	FIELD(throttled_periods, "throttledPeriods", JSON_OPTIONAL),
	FIELD(throttled_time, "throttledTime", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct cgroup_stats_cpu
static const struct json_field cpu_fields[] = {
	EMBEDDED(usage, "usage", cpu_usage_fields, JSON_REQUIRED),
	EMBEDDED(throttling, "throttling", throttling_fields, JSON_REQUIRED),
	OBJECT(psi, "psi", cgroup_psi_fields, JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct cgroup_stats_cpuset
static const struct json_field cpuset_fields[] = {
	NUMBERS(cpus, "cpus", JSON_OPTIONAL),
	FIELD(cpu_exclusive, "cpu_exclusive", JSON_REQUIRED),
	NUMBERS(mems, "mems", JSON_OPTIONAL),
	FIELD(mem_hardwall, "mem_hardwall", JSON_REQUIRED),
	FIELD(mem_exclusive, "mem_exclusive", JSON_REQUIRED),
	FIELD(memory_migrate, "memory_migrate", JSON_REQUIRED),
	FIELD(memory_spread_page, "memory_spread_page", JSON_REQUIRED),
	FIELD(memory_spread_slab, "memory_spread_slab", JSON_REQUIRED),
	FIELD(memory_pressure, "memory_pressure", JSON_REQUIRED),
	FIELD(sched_load_balance, "sched_load_balance", JSON_REQUIRED),
	FIELD(sched_relax_domain_level, "sched_relax_domain_level", JSON_REQUIRED),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct cgroup_stats_memory_use
static const struct json_field memory_use_fields[] = {
	FIELD(limit, "limit", JSON_REQUIRED),
	FIELD(usage, "usage", JSON_OPTIONAL),
	FIELD(max, "max", JSON_OPTIONAL),
	FIELD(failcnt, "failcnt", JSON_REQUIRED),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct cgroup_stats_memory
static const struct json_field memory_fields[] = {
	FIELD(cache, "cache", JSON_OPTIONAL),
	EMBEDDED(usage, "usage", memory_use_fields, JSON_REQUIRED),
	EMBEDDED(swap, "swap", memory_use_fields, JSON_REQUIRED),
	EMBEDDED(kernel, "kernel", memory_use_fields, JSON_REQUIRED),
	EMBEDDED(kernel_tcp, "kernelTCP", memory_use_fields, JSON_REQUIRED),
	SPAN(raw, "raw", JSON_OPTIONAL),
	OBJECT(psi, "psi", cgroup_psi_fields, JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct cgroup_stats_pids
static const struct json_field pids_fields[] = {
	FIELD(current, "current", JSON_OPTIONAL),
	FIELD(limit, "limit", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct cgroup_stats_io
static const struct json_field io_fields[] = {
	FIELD(major, "major", JSON_OPTIONAL),
	FIELD(minor, "minor", JSON_OPTIONAL),
	FIELD(op, "op", JSON_OPTIONAL),
	FIELD(value, "value", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct cgroup_stats_blkio
static const struct json_field blkio_fields[] = {
	LIST(service_bytes, "ioServiceBytesRecursive", io_fields, JSON_OPTIONAL),
	LIST(serviced, "ioServicedRecursive", io_fields, JSON_OPTIONAL),
	LIST(queued, "ioQueueRecursive", io_fields, JSON_OPTIONAL),
	LIST(service_time, "ioServiceTimeRecursive", io_fields, JSON_OPTIONAL),
	LIST(wait_time, "ioWaitTimeRecursive", io_fields, JSON_OPTIONAL),
	LIST(merged, "ioMergedRecursive", io_fields, JSON_OPTIONAL),
	LIST(time, "ioTimeRecursive", io_fields, JSON_OPTIONAL),
	LIST(sectors, "sectorsRecursive", io_fields, JSON_OPTIONAL),
	OBJECT(psi, "psi", cgroup_psi_fields, JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct cgroup_stats_hugetlb
static const struct json_field hugetlb_fields[] = {
	FIELD(usage, "usage", JSON_OPTIONAL),
	FIELD(max, "max", JSON_OPTIONAL),
	FIELD(failcnt, "failcnt", JSON_REQUIRED),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct cgroup_stats_interface
static const struct json_field interface_fields[] = {
	FIELD(name, "Name", JSON_REQUIRED),
	FIELD(rx_bytes, "RxBytes", JSON_REQUIRED),
	FIELD(rx_packets, "RxPackets", JSON_REQUIRED),
	FIELD(rx_errors, "RxErrors", JSON_REQUIRED),
	FIELD(rx_dropped, "RxDropped", JSON_REQUIRED),
	FIELD(tx_bytes, "TxBytes", JSON_REQUIRED),
	FIELD(tx_packets, "TxPackets", JSON_REQUIRED),
	FIELD(tx_errors, "TxErrors", JSON_REQUIRED),
	FIELD(tx_dropped, "TxDropped", JSON_REQUIRED),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct cgroup_stats
const struct json_field cgroup_stats_fields[] = {
	EMBEDDED(cpu, "cpu", cpu_fields, JSON_REQUIRED),
	EMBEDDED(cpuset, "cpuset", cpuset_fields, JSON_REQUIRED),
	EMBEDDED(memory, "memory", memory_fields, JSON_REQUIRED),
	EMBEDDED(pids, "pids", pids_fields, JSON_REQUIRED),
	EMBEDDED(blkio, "blkio", blkio_fields, JSON_REQUIRED),
	MAP(hugetlb, "hugetlb", hugetlb_fields, JSON_REQUIRED),
	LIST(interfaces, "network_interfaces", interface_fields, JSON_REQUIRED),
	{ 0 }
};
#undef JSON_TYPE

/* --- v1 --- */

/* "cpu user system" lines, after a heading. */
static void percpu_times(const char *text, struct arena *a, struct cgroup_stats_cpu_usage *u)
{
	uint64_t cpu, user, kernel;

	for (const char *line = strchr(text, '\n'); line; line = strchr(line, '\n')) {
		line++;
		if (!cgroup_stats_take(&line, &cpu) || !cgroup_stats_take(&line, &user) ||
		    !cgroup_stats_take(&line, &kernel))
			continue;
		u->percpu_user = arena_grow(a, u->percpu_user, u->n_percpu_user, sizeof(user));
		u->percpu_user[u->n_percpu_user++] = user;
		u->percpu_kernel =
			arena_grow(a, u->percpu_kernel, u->n_percpu_kernel, sizeof(kernel));
		u->percpu_kernel[u->n_percpu_kernel++] = kernel;
	}
}

static void v1_cpuacct(int dir, struct arena *a, struct cgroup_stats *out)
{
	struct cgroup_stats_cpu_usage *u = &out->cpu.usage;
	uint64_t tick = NS_PER_SECOND / (uint64_t)sysconf(_SC_CLK_TCK);
	char text[CGROUP_STATS_TEXT_MAX];
	const char *next = cgroup_stats_text(dir, "cpuacct.stat", text);
	uint64_t value;

	u->user = cgroup_stats_keyed(next, "user") * tick;
	u->kernel = cgroup_stats_keyed(next, "system") * tick;
	u->total = cgroup_stats_number(dir, "cpuacct.usage");
	next = cgroup_stats_text(dir, "cpuacct.usage_percpu", text);
	while (cgroup_stats_take(&next, &value)) {
		u->percpu = arena_grow(a, u->percpu, u->n_percpu, sizeof(value));
		u->percpu[u->n_percpu++] = value;
	}
	percpu_times(cgroup_stats_text(dir, "cpuacct.usage_all", text), a, u);
}

static void v1_cpu(int dir, struct arena *a, struct cgroup_stats *out)
{
	struct cgroup_stats_throttling *t = &out->cpu.throttling;
	char buf[CGROUP_STATS_TEXT_MAX];
	const char *text = cgroup_stats_text(dir, "cpu.stat", buf);

	(void)a;
	t->periods = cgroup_stats_keyed(text, "nr_periods");
	t->throttled_periods = cgroup_stats_keyed(text, "nr_throttled");
	t->throttled_time = cgroup_stats_keyed(text, "throttled_time");
}

static void v1_cpuset(int dir, struct arena *a, struct cgroup_stats *out)
{
	struct cgroup_stats_cpuset *c = &out->cpuset;
	char text[CGROUP_STATS_TEXT_MAX];
	int64_t level;

	cgroup_stats_list(cgroup_stats_text(dir, "cpuset.cpus", text), a, &c->cpus, &c->n_cpus);
	cgroup_stats_list(cgroup_stats_text(dir, "cpuset.mems", text), a, &c->mems, &c->n_mems);
	c->cpu_exclusive = cgroup_stats_number(dir, "cpuset.cpu_exclusive");
	c->mem_hardwall = cgroup_stats_number(dir, "cpuset.mem_hardwall");
	c->mem_exclusive = cgroup_stats_number(dir, "cpuset.mem_exclusive");
	c->memory_migrate = cgroup_stats_number(dir, "cpuset.memory_migrate");
	c->memory_spread_page = cgroup_stats_number(dir, "cpuset.memory_spread_page");
	c->memory_spread_slab = cgroup_stats_number(dir, "cpuset.memory_spread_slab");
	c->memory_pressure = cgroup_stats_number(dir, "cpuset.memory_pressure");
	c->sched_load_balance = cgroup_stats_number(dir, "cpuset.sched_load_balance");
	cgroup_stats_text(dir, "cpuset.sched_relax_domain_level", text);
	if (str_to_i64(text, &level) == 0)
		c->sched_relax_domain_level = level;
}

/* A kernel that has no such limit sets none. */
static uint64_t limit_number(int dir, const char *file)
{
	if (faccessat(dir, file, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return UINT64_MAX;
	return cgroup_stats_number(dir, file);
}

/* name: "memory", "memory.memsw", "memory.kmem", "memory.kmem.tcp". */
static struct cgroup_stats_memory_use v1_memory_use(int dir, const char *name)
{
	struct cgroup_stats_memory_use use;
	char file[FILE_NAME_MAX];

	snprintf(file, sizeof(file), "%s.limit_in_bytes", name);
	use.limit = limit_number(dir, file);
	snprintf(file, sizeof(file), "%s.usage_in_bytes", name);
	use.usage = cgroup_stats_number(dir, file);
	snprintf(file, sizeof(file), "%s.max_usage_in_bytes", name);
	use.max = cgroup_stats_number(dir, file);
	snprintf(file, sizeof(file), "%s.failcnt", name);
	use.failcnt = cgroup_stats_number(dir, file);
	return use;
}

static void v1_memory(int dir, struct arena *a, struct cgroup_stats *out)
{
	struct cgroup_stats_memory *m = &out->memory;
	char buf[CGROUP_STATS_TEXT_MAX];
	const char *text = cgroup_stats_text(dir, "memory.stat", buf);

	cgroup_stats_raw(text, a, &m->raw);
	m->cache = cgroup_stats_keyed(text, "cache");
	m->usage = v1_memory_use(dir, "memory");
	m->swap = v1_memory_use(dir, "memory.memsw");
	m->kernel = v1_memory_use(dir, "memory.kmem");
	m->kernel_tcp = v1_memory_use(dir, "memory.kmem.tcp");
}

static void read_pids(int dir, struct arena *a, struct cgroup_stats *out)
{
	(void)a;
	out->pids.current = cgroup_stats_number(dir, "pids.current");
	out->pids.limit = cgroup_stats_number(dir, "pids.max");
	if (out->pids.limit == UINT64_MAX)
		out->pids.limit = 0;
}

/*
 * The schedulers count under different names: BFQ, CFQ (before Linux 5.0), and the throttling
 * layer, which is always there.
 */
static void v1_blkio_table(int dir, const char *name, struct arena *a, struct cgroup_stats_io **out,
			   size_t *n)
{
	static const char *const forms[] = {
		"blkio.bfq.%s_recursive", "blkio.%s_recursive", "blkio.throttle.%s_recursive",
		"blkio.throttle.%s",
	};
	char text[CGROUP_STATS_TEXT_MAX], file[FILE_NAME_MAX];

	for (size_t i = 0; *n == 0 && i < sizeof(forms) / sizeof(forms[0]); i++) {
		const char *where = strchr(forms[i], '%');

		snprintf(file, sizeof(file), "%.*s%s%s", (int)(where - forms[i]), forms[i], name,
			 where + 2);
		cgroup_stats_blkio(cgroup_stats_text(dir, file, text), a, out, n);
	}
}

static void v1_blkio(int dir, struct arena *a, struct cgroup_stats *out)
{
	struct cgroup_stats_blkio *b = &out->blkio;

	v1_blkio_table(dir, "io_service_bytes", a, &b->service_bytes, &b->n_service_bytes);
	v1_blkio_table(dir, "io_serviced", a, &b->serviced, &b->n_serviced);
	v1_blkio_table(dir, "io_queued", a, &b->queued, &b->n_queued);
	v1_blkio_table(dir, "io_service_time", a, &b->service_time, &b->n_service_time);
	v1_blkio_table(dir, "io_wait_time", a, &b->wait_time, &b->n_wait_time);
	v1_blkio_table(dir, "io_merged", a, &b->merged, &b->n_merged);
	v1_blkio_table(dir, "time", a, &b->time, &b->n_time);
	v1_blkio_table(dir, "sectors", a, &b->sectors, &b->n_sectors);
}

/* The number of hugetlb.SIZE.rsvd.WHAT, or of hugetlb.SIZE.WHAT. */
static uint64_t hugetlb_number(int dir, const char *size, const char *what)
{
	char file[FILE_NAME_MAX];

	snprintf(file, sizeof(file), "hugetlb.%s.rsvd.%s", size, what);
	if (faccessat(dir, file, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		snprintf(file, sizeof(file), "hugetlb.%s.%s", size, what);
	return cgroup_stats_number(dir, file);
}

static void add_hugetlb(int dir, char *size, bool v2, struct arena *a, struct cgroup_stats *out)
{
	struct cgroup_stats_hugetlb h = { .size = size };
	char buf[CGROUP_STATS_TEXT_MAX], file[FILE_NAME_MAX];

	h.usage = hugetlb_number(dir, size, v2 ? "current" : "usage_in_bytes");
	if (v2) {
		snprintf(file, sizeof(file), "hugetlb.%s.events", size);
		h.failcnt = cgroup_stats_keyed(cgroup_stats_text(dir, file, buf), "max");
	} else {
		h.max = hugetlb_number(dir, size, "max_usage_in_bytes");
		h.failcnt = hugetlb_number(dir, size, "failcnt");
	}
	out->hugetlb = arena_grow(a, out->hugetlb, out->n_hugetlb, sizeof(h));
	out->hugetlb[out->n_hugetlb++] = h;
}

/* The sizes are those that have files: hugetlb.SIZE.current, hugetlb.SIZE.usage_in_bytes. */
static void read_hugetlb(int dir, bool v2, struct arena *a, struct cgroup_stats *out)
{
	const char *end = v2 ? ".current" : ".usage_in_bytes";
	size_t before = strlen("hugetlb.");
	struct dir_iter it;
	const char *name;
	int ret = dir_begin(&it, dir);

	while (ret == 0 && (name = dir_next(&it, NULL, &ret))) {
		size_t len = strlen(name);

		if (str_starts(name, "hugetlb.") && str_ends(name, end) && !strstr(name, ".rsvd."))
			add_hugetlb(
				dir,
				arena_strndup(a, name + before, len - before - strlen(end)),
				v2, a, out);
	}
}

static void v1_hugetlb(int dir, struct arena *a, struct cgroup_stats *out)
{
	read_hugetlb(dir, false, a, out);
}

void cgroup_stats_v1(int dir, const char *controller, struct arena *a, struct cgroup_stats *out)
{
	static const struct {
		const char *controller;
		void (*read)(int dir, struct arena *a, struct cgroup_stats *out);
	} readers[] = {
		{ "blkio", v1_blkio }, { "cpu", v1_cpu }, { "cpuacct", v1_cpuacct },
		{ "cpuset", v1_cpuset }, { "hugetlb", v1_hugetlb }, { "memory", v1_memory },
		{ "pids", read_pids },
	};

	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (strcmp(readers[i].controller, controller) == 0)
			readers[i].read(dir, a, out);
}

/* --- v2: on a hybrid machine most files are absent, and v1 fills their members --- */

static void v2_cpu(int dir, struct arena *a, struct cgroup_stats *out)
{
	struct cgroup_stats_cpu *c = &out->cpu;
	char buf[CGROUP_STATS_TEXT_MAX];
	const char *text = cgroup_stats_text(dir, "cpu.stat", buf);

	c->usage.total = cgroup_stats_keyed(text, "usage_usec") * NS_PER_US;
	c->usage.user = cgroup_stats_keyed(text, "user_usec") * NS_PER_US;
	c->usage.kernel = cgroup_stats_keyed(text, "system_usec") * NS_PER_US;
	c->throttling.periods = cgroup_stats_keyed(text, "nr_periods");
	c->throttling.throttled_periods = cgroup_stats_keyed(text, "nr_throttled");
	c->throttling.throttled_time = cgroup_stats_keyed(text, "throttled_usec") * NS_PER_US;
	c->psi = cgroup_psi_read(dir, "cpu.pressure", a);
	text = cgroup_stats_text(dir, "cpuset.cpus.effective", buf);
	cgroup_stats_list(text, a, &out->cpuset.cpus, &out->cpuset.n_cpus);
	text = cgroup_stats_text(dir, "cpuset.mems.effective", buf);
	cgroup_stats_list(text, a, &out->cpuset.mems, &out->cpuset.n_mems);
}

static void v2_memory(int dir, struct arena *a, struct cgroup_stats *out)
{
	struct cgroup_stats_memory *m = &out->memory;
	char buf[CGROUP_STATS_TEXT_MAX];
	const char *text = cgroup_stats_text(dir, "memory.stat", buf);

	m->psi = cgroup_psi_read(dir, "memory.pressure", a);
	cgroup_stats_raw(text, a, &m->raw);
	m->cache = cgroup_stats_keyed(text, "file");
	m->usage.limit = limit_number(dir, "memory.max");
	m->usage.usage = cgroup_stats_number(dir, "memory.current");
	m->usage.max = cgroup_stats_number(dir, "memory.peak");
	/* As v1 counts: memory and swap together.  Their common peak is not known. */
	m->swap.usage = m->usage.usage + cgroup_stats_number(dir, "memory.swap.current");
	m->swap.limit = limit_number(dir, "memory.swap.max");
	if (__builtin_add_overflow(m->swap.limit, m->usage.limit, &m->swap.limit))
		m->swap.limit = UINT64_MAX;
	text = cgroup_stats_text(dir, "memory.events", buf);
	m->usage.failcnt = cgroup_stats_keyed(text, "max");
	text = cgroup_stats_text(dir, "memory.swap.events", buf);
	m->swap.failcnt = cgroup_stats_keyed(text, "max");
}

void cgroup_stats_v2(int dir, struct arena *a, struct cgroup_stats *out)
{
	char buf[CGROUP_STATS_TEXT_MAX];

	v2_cpu(dir, a, out);
	v2_memory(dir, a, out);
	read_pids(dir, a, out);
	cgroup_stats_io(cgroup_stats_text(dir, "io.stat", buf), a, &out->blkio);
	out->blkio.psi = cgroup_psi_read(dir, "io.pressure", a);
	read_hugetlb(dir, true, a, out);
}

/* --- all --- */

static void read_v1_dir(int dir, const char *controllers, struct arena *a, struct cgroup_stats *out)
{
	char *rest = arena_strdup(a, controllers), *name;

	while ((name = strsep(&rest, ",")))
		cgroup_stats_v1(dir, name, a, out);
}

/* v2 comes first in ref, so what a v1 controller counts better replaces it. */
int cgroup_stats_read(const struct cgroup_ref *ref, struct arena *a, struct cgroup_stats *out,
		      struct error *err)
{
	*out = (struct cgroup_stats){ .memory = {
		.usage.limit = UINT64_MAX, .swap.limit = UINT64_MAX,
		.kernel.limit = UINT64_MAX, .kernel_tcp.limit = UINT64_MAX,
	} };
	for (size_t i = 0; i < ref->n_dirs; i++) {
		const struct cgroup_dir *d = &ref->dirs[i];
		owned_fd dir = -1;

		if (!cgroup_dir_used(d))
			continue;
		dir = cgroup_leaf_open(d);
		if (dir < 0)
			return error_set(err, -dir, "open cgroup %s%s", d->mount, d->path);
		if (cgroup_dir_is_v2(d))
			cgroup_stats_v2(dir, a, out);
		else
			read_v1_dir(dir, d->controllers, a, out);
	}
	return 0;
}
