/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel: Documentation/admin-guide/cgroup-v1/memory.rst ("OOM Control"), cgroup-v2.rst ("Memory
 * Interface Files"), accounting/psi.rst ("Userspace monitor usage for pressure events").
 */
#include "cgroup/cgroup_events.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "cgroup/cgroup_impl.h"
#include "cgroup/cgroup_stats.h"
#include "cgroup/cgroup_stats_parse.h"

#define FILE_FLAGS (O_RDONLY | O_CLOEXEC | O_NOFOLLOW)

/* --- opening --- */

/* From the beginning; the read also arms the poll.  The length or -errno. */
static ssize_t read_watch(const struct cgroup_watch *w, char *text, size_t size)
{
	if (lseek(w->fd, 0, SEEK_SET) < 0)
		return -errno;
	return file_read_small_fd(w->fd, text, size);
}

static struct cgroup_watch *add_watch(struct cgroup_events *e, enum cgroup_event_source source,
				      const struct cgroup_dir *dir, int fd)
{
	struct cgroup_watch *w = &e->watches[e->n++];

	w->source = source;
	w->dir = dir;
	w->fd = fd;
	return w;
}

/* A counter file whose text has changed polls ready.  NULL: there is none. */
static struct cgroup_watch *watch_file(struct cgroup_events *e, enum cgroup_event_source source,
				       const struct cgroup_dir *d, int dir, const char *file)
{
	int fd = e->n < CGROUP_EVENTS_MAX ? openat(dir, file, FILE_FLAGS) : -1;
	struct cgroup_watch *w;

	if (fd < 0)
		return NULL;
	w = add_watch(e, source, d, fd);
	if (read_watch(w, w->last, sizeof(w->last)) < 0) {
		fd_close(&w->fd);
		e->n--;
		return NULL;
	}
	if (source == CGROUP_EVENT_OOM)
		w->ooms = cgroup_stats_keyed(w->last, "oom_kill");
	return w;
}

/* v1: the kernel adds 1 to an eventfd for each OOM at this level or at one above. */
static void watch_oom_v1(struct cgroup_events *e, const struct cgroup_dir *d, int dir)
{
	owned_fd control = openat(dir, "memory.oom_control", FILE_FLAGS);
	owned_fd event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int ret = control < 0 || event < 0 ? -errno :
		file_writef(dir, "cgroup.event_control", "%d %d", event, control);

	/* The kernel keeps its own hold on what was registered. */
	if (ret < 0)
		log_warning("no out-of-memory events: watch %s%s/memory.oom_control: %s", d->mount,
			    d->path, error_text(-ret));
	else
		add_watch(e, CGROUP_EVENT_OOM, d, fd_take(&event));
}

static const struct cgroup_dir *controller_dir(const struct cgroup_ref *ref, const char *controller)
{
	int i = cgroup_knob_dir(ref, controller);

	if (i < 0)
		i = cgroup_knob_dir(ref, "");
	return i >= 0 && cgroup_dir_used(&ref->dirs[i]) ? &ref->dirs[i] : NULL;
}

/* The directory, or -1: the machine has none, or it has gone, and so there is nothing to watch. */
static int open_dir(const struct cgroup_dir *d)
{
	int dir = d ? cgroup_leaf_open(d) : -1;

	if (d && dir < 0)
		log_debug("open cgroup %s%s: %s", d->mount, d->path, error_text(-dir));
	return dir < 0 ? -1 : dir;
}

static void open_memory(const struct cgroup_ref *ref, bool all, struct cgroup_events *e)
{
	const struct cgroup_dir *d = controller_dir(ref, "memory");
	owned_fd dir = open_dir(d);
	size_t before = e->n;

	if (dir < 0)
		return;
	if (cgroup_dir_is_v2(d))
		watch_file(e, CGROUP_EVENT_OOM, d, dir, "memory.events");
	else
		watch_oom_v1(e, d, dir);
	if (all && e->n > before)
		cgroup_level_ooms_read(d, &e->watches[before].levels);
	if (all)
		watch_file(e, CGROUP_EVENT_MEMORY, d, dir, "memory.events");
}

struct pids_watches {
	struct cgroup_events *events;
	const struct cgroup_dir *dir;
};

static int watch_pids_above(void *ctx, int dir, const char *path, size_t level)
{
	struct pids_watches *p = ctx;
	struct cgroup_watch *w;

	(void)path;
	w = level == 0 ? NULL : watch_file(p->events, CGROUP_EVENT_PIDS, p->dir, dir,
					   "pids.events.local");
	if (w) {
		w->level = level;
		w->exact = true;
	}
	return 0;
}

/*
 * Since Linux 6.11 cgroup2 counts a refused fork where the limit is, so those above have to be
 * watched, too.  Before, and on v1, it is counted where the fork was tried, whoever's limit it was.
 */
static void open_pids(const struct cgroup_ref *ref, struct cgroup_events *e)
{
	struct pids_watches p = { .events = e, .dir = controller_dir(ref, "pids") };
	owned_fd dir = open_dir(p.dir);
	struct cgroup_watch *w =
		dir < 0 ? NULL : watch_file(e, CGROUP_EVENT_PIDS, p.dir, dir, "pids.events");

	if (!w || faccessat(dir, "pids.events.local", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	w->exact = true;
	(void)cgroup_level_walk(p.dir, watch_pids_above, &p);
}

/* hugetlb.SIZE.events of each size that the machine has; not on v1. */
static void open_hugetlb(const struct cgroup_ref *ref, struct cgroup_events *e)
{
	static const char prefix[] = "hugetlb.", suffix[] = ".events";
	const struct cgroup_dir *d = controller_dir(ref, "hugetlb");
	owned_fd dir = open_dir(d);
	struct dir_iter it;
	const char *name;
	int ret = dir < 0 ? dir : dir_begin(&it, dir);

	while (ret == 0 && (name = dir_next(&it, NULL, &ret))) {
		struct cgroup_watch *w;
		size_t len = strlen(name);

		if (!str_starts(name, prefix) || !str_ends(name, suffix))
			continue;
		len -= strlen(prefix) + strlen(suffix);
		w = len < sizeof(w->page_size) ?
			watch_file(e, CGROUP_EVENT_HUGETLB, d, dir, name) : NULL;
		if (w)
			memcpy(w->page_size, name + strlen(prefix), len);
	}
}

static void open_cpu(const struct cgroup_ref *ref, struct cgroup_events *e)
{
	const struct cgroup_dir *d = controller_dir(ref, "cpu");
	owned_fd dir = open_dir(d);
	struct cgroup_watch *w =
		dir < 0 ? NULL : watch_file(e, CGROUP_EVENT_CPU, d, dir, "cpu.stat");

	if (w)
		cgroup_level_throttled_read(d, &w->throttled);
}

static void open_counters(const struct cgroup_ref *ref, struct cgroup_events *e)
{
	const struct cgroup_dir *v2 = controller_dir(ref, "");
	owned_fd v2_dir = open_dir(v2);

	open_cpu(ref, e);
	open_hugetlb(ref, e);
	if (v2_dir >= 0)
		watch_file(e, CGROUP_EVENT_CGROUP, v2, v2_dir, "cgroup.events");
	open_pids(ref, e);
}

static int open_pressure(const struct cgroup_ref *ref, const struct cgroup_pressure *p,
			 struct cgroup_events *e, struct error *err)
{
	const struct cgroup_dir *d = controller_dir(ref, "");
	owned_fd dir = open_dir(d);
	char file[32], trigger[64];
	owned_fd fd = -1;
	int ret;

	snprintf(file, sizeof(file), "%s.pressure", p->resource);
	if (dir < 0)
		return error_set(err, 0, "watch %s: the container has no cgroup v2", file);
	if (e->n == CGROUP_EVENTS_MAX)
		return error_set(err, 0, "more than %d things to watch", CGROUP_EVENTS_MAX);
	fd = openat(dir, file, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return error_set(err, errno, "open %s%s/%s%s", d->mount, d->path, file,
				 errno == ENOENT ? " (a kernel without PSI?)" : "");
	snprintf(trigger, sizeof(trigger), "%s %llu %llu", p->full ? "full" : "some",
		 (unsigned long long)p->stall_us, (unsigned long long)p->window_us);
	ret = file_write_fd(fd, trigger);
	if (ret < 0) {
		error_set(err, -ret, "write \"%s\" to %s%s/%s", trigger, d->mount, d->path, file);
		if (ret == -EINVAL)
			error_append(err,
				     " (the window is 500ms to 10s, and longer than the stall; "
				     "without privilege a multiple of 2s)");
		return ret;
	}
	add_watch(e, CGROUP_EVENT_PRESSURE, d, fd_take(&fd))->pressure = p;
	return 0;
}

int cgroup_events_open(const struct cgroup_ref *ref, bool all,
		       const struct cgroup_pressure *pressures, size_t n_pressures,
		       struct cgroup_events *out, struct error *err)
{
	int ret = 0;

	*out = (struct cgroup_events){ .detailed = all };
	open_memory(ref, all, out);
	if (all)
		open_counters(ref, out);
	for (size_t i = 0; ret == 0 && i < n_pressures; i++)
		ret = open_pressure(ref, &pressures[i], out, err);
	if (ret < 0)
		cgroup_events_close(out);
	return ret;
}

void cgroup_events_close(struct cgroup_events *e)
{
	for (size_t i = 0; i < e->n; i++)
		fd_close(&e->watches[i].fd);
	e->n = 0;
}

void cgroup_events_pollfds(const struct cgroup_events *e, struct pollfd *fds)
{
	for (size_t i = 0; i < e->n; i++) {
		const struct cgroup_watch *w = &e->watches[i];
		bool counts = w->source == CGROUP_EVENT_OOM && !cgroup_dir_is_v2(w->dir);

		fds[i] = (struct pollfd){ .fd = w->source == CGROUP_EVENT_CPU ? -1 : w->fd,
					  .events = counts ? POLLIN : POLLPRI };
	}
}

/* --- what happened --- */

static void finish(struct json_out *o, struct cgroup_event *out)
{
	json_out_close_object(o);
	out->data = (struct json_span){ json_out_text(o), o->len };
}

static void add_text(struct json_out *o, const char *key, const char *value)
{
	json_out_key(o, key);
	json_out_string(o, value);
}

static void add_number(struct json_out *o, const char *key, uint64_t value)
{
	json_out_key(o, key);
	json_out_uint(o, value);
}

struct level_data {
	struct json_out *out;
	size_t wanted;
};

static int describe_level(void *ctx, int dir, const char *path, size_t level)
{
	struct level_data *d = ctx;
	bool v2;

	if (level != d->wanted)
		return 0;
	v2 = faccessat(dir, "memory.max", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	add_text(d->out, "cgroup", path);
	add_number(d->out, "limit",
		   cgroup_stats_number(dir, v2 ? "memory.max" : "memory.limit_in_bytes"));
	add_number(d->out, "peak",
		   cgroup_stats_number(dir, v2 ? "memory.peak" : "memory.max_usage_in_bytes"));
	return 1;
}

/* Whose limit it was: the container's own, that of a cgroup above, or the size of the machine. */
static void describe_oom(struct cgroup_watch *w, struct arena *a, struct cgroup_event *out)
{
	const char *level = "parent";
	struct level_data data = { 0 };
	struct cgroup_level_ooms now;
	struct json_out o;

	cgroup_level_ooms_read(w->dir, &now);
	/* The cgroup has gone meanwhile. */
	if (now.n == 0)
		return;
	data.out = &o;
	data.wanted = cgroup_level_oom(&w->levels, &now);
	w->levels = now;
	if (data.wanted == 0)
		level = "own";
	else if (data.wanted >= now.n)
		level = "machine";
	json_out_begin(&o, a, 0);
	json_out_open_object(&o);
	add_text(&o, "level", level);
	(void)cgroup_level_walk(w->dir, describe_level, &data);
	finish(&o, out);
}

/* 1: it is the container's; 0: not.  A v1 eventfd also fires when the cgroup is removed. */
static int oom_happened(struct cgroup_watch *w)
{
	char text[sizeof(w->last)];
	uint64_t count;
	owned_fd dir = -1;

	if (cgroup_dir_is_v2(w->dir)) {
		if (read_watch(w, text, sizeof(text)) < 0) {
			fd_close(&w->fd);
			return 0;
		}
		count = cgroup_stats_keyed(text, "oom_kill");
		if (count <= w->ooms)
			return 0;
		w->ooms = count;
		return 1;
	}
	if (read(w->fd, &count, sizeof(count)) != sizeof(count))
		return 0;
	dir = cgroup_leaf_open(w->dir);
	if (dir < 0)
		fd_close(&w->fd);
	return dir >= 0;
}

static int take_oom(struct cgroup_events *e, struct cgroup_watch *w, struct arena *a,
		    struct cgroup_event *out)
{
	if (!oom_happened(w))
		return 0;
	out->type = "oom";
	if (e->detailed)
		describe_oom(w, a, out);
	return 1;
}

/* Whose limit it was, of those that name files of its level. */
static void add_level(struct json_out *o, const struct cgroup_level *l)
{
	if (!*l->path)
		return;
	add_text(o, "level", l->level == 0 ? "own" : "parent");
	add_text(o, "cgroup", l->path);
	if (l->limited)
		add_number(o, "limit", l->limit);
}

static void describe_pids(const struct cgroup_watch *w, const char *text, struct arena *a,
			  struct cgroup_event *out)
{
	struct cgroup_level level;
	struct json_out o;

	if (w->exact)
		cgroup_level_read(w->dir, w->level, "pids.max", "pids.current", &level);
	else
		cgroup_level_tightest(w->dir, "pids.max", "pids.current", &level);
	json_out_begin(&o, a, 0);
	json_out_open_object(&o);
	cgroup_stats_add_raw(text, a, &o);
	add_level(&o, &level);
	finish(&o, out);
}

/* Pages in use and pages reserved have a limit each, and the event is that of both. */
static void describe_hugetlb(const struct cgroup_watch *w, const char *text, struct arena *a,
			     struct cgroup_event *out)
{
	struct cgroup_level used, reserved;
	struct json_out o;
	char max[48], current[48];

	snprintf(max, sizeof(max), "hugetlb.%s.max", w->page_size);
	snprintf(current, sizeof(current), "hugetlb.%s.current", w->page_size);
	cgroup_level_tightest(w->dir, max, current, &used);
	snprintf(max, sizeof(max), "hugetlb.%s.rsvd.max", w->page_size);
	snprintf(current, sizeof(current), "hugetlb.%s.rsvd.current", w->page_size);
	cgroup_level_tightest(w->dir, max, current, &reserved);
	if (!used.limited ||
	    (reserved.limited && cgroup_level_room(&reserved) < cgroup_level_room(&used)))
		used = reserved;
	json_out_begin(&o, a, 0);
	json_out_open_object(&o);
	add_text(&o, "pageSize", w->page_size);
	cgroup_stats_add_raw(text, a, &o);
	add_level(&o, &used);
	finish(&o, out);
}

static int describe_throttled(void *ctx, int dir, const char *path, size_t level)
{
	static const char *const keys[] = {
		"nr_periods", "nr_throttled", "throttled_usec", "throttled_time",
	};
	struct level_data *d = ctx;
	char text[512];

	if (level != d->wanted)
		return 0;
	add_text(d->out, "cgroup", path);
	if (file_read_small(dir, "cpu.stat", text, sizeof(text)) < 0)
		return 1;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strstr(text, keys[i]))
			add_number(d->out, keys[i], cgroup_stats_keyed(text, keys[i]));
	return 1;
}

/* The quota of the container's cgroup, or of one above, was used up before its period had ended. */
static int take_cpu(struct cgroup_watch *w, struct arena *a, struct cgroup_event *out)
{
	struct cgroup_level_counts now;
	struct level_data data = { 0 };
	struct json_out o;

	cgroup_level_throttled_read(w->dir, &now);
	if (now.n == 0)
		fd_close(&w->fd);
	while (data.wanted < now.n && now.count[data.wanted] <= w->throttled.count[data.wanted])
		data.wanted++;
	w->throttled = now;
	if (data.wanted >= now.n)
		return 0;
	out->type = "cpu";
	data.out = &o;
	json_out_begin(&o, a, 0);
	json_out_open_object(&o);
	add_text(&o, "level", data.wanted == 0 ? "own" : "parent");
	(void)cgroup_level_walk(w->dir, describe_throttled, &data);
	finish(&o, out);
	return 1;
}

static int take_counters(struct cgroup_watch *w, struct arena *a, struct cgroup_event *out)
{
	static const char *const types[] = {
		[CGROUP_EVENT_MEMORY] = "memory", [CGROUP_EVENT_PIDS] = "pids",
		[CGROUP_EVENT_CGROUP] = "cgroup", [CGROUP_EVENT_HUGETLB] = "hugetlb",
	};
	char text[sizeof(w->last)];

	if (read_watch(w, text, sizeof(text)) < 0) {
		fd_close(&w->fd);
		return 0;
	}
	if (strcmp(text, w->last) == 0)
		return 0;
	memcpy(w->last, text, sizeof(text));
	out->type = types[w->source];
	if (w->source == CGROUP_EVENT_PIDS)
		describe_pids(w, text, a, out);
	else if (w->source == CGROUP_EVENT_HUGETLB)
		describe_hugetlb(w, text, a, out);
	else
		cgroup_stats_raw(text, a, &out->data);
	return 1;
}

static int take_pressure(struct cgroup_watch *w, short revents, struct arena *a,
			 struct cgroup_event *out)
{
	const struct cgroup_pressure *p = w->pressure;
	struct cgroup_psi *psi;
	char file[32];
	struct json_out o;
	owned_fd dir = -1;

	if (revents & POLLERR) {
		fd_close(&w->fd);
		return 0;
	}
	dir = revents & POLLPRI ? cgroup_leaf_open(w->dir) : -1;
	if (dir < 0)
		return 0;
	snprintf(file, sizeof(file), "%s.pressure", p->resource);
	psi = cgroup_psi_read(dir, file, a);
	out->type = "pressure";
	json_out_begin(&o, a, 0);
	json_out_open_object(&o);
	add_text(&o, "resource", p->resource);
	add_text(&o, "kind", p->full ? "full" : "some");
	add_number(&o, "stall_us", p->stall_us);
	add_number(&o, "window_us", p->window_us);
	if (psi) {
		json_out_key(&o, "psi");
		json_out_object(&o, cgroup_psi_fields, psi);
	}
	finish(&o, out);
	return 1;
}

int cgroup_events_take(struct cgroup_events *e, size_t i, short revents, struct arena *a,
		       struct cgroup_event *out)
{
	struct cgroup_watch *w = &e->watches[i];

	*out = (struct cgroup_event){ 0 };
	if (w->fd < 0)
		return 0;
	if (w->source == CGROUP_EVENT_OOM)
		return take_oom(e, w, a, out);
	if (w->source == CGROUP_EVENT_PRESSURE)
		return take_pressure(w, revents, a, out);
	if (w->source == CGROUP_EVENT_CPU)
		return take_cpu(w, a, out);
	return take_counters(w, a, out);
}
