/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_events.c - events: statistics at intervals, and what the kernel reports meanwhile.
 *
 * Nothing is locked: events only looks, and may run as long as the container does.
 */
#include "container_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/units.h"
#include "cgroup/cgroup_events.h"
#include "cgroup/cgroup_stats.h"

#define INTERVAL_DEFAULT "5s"
#define PRESSURE_DEFAULT "150ms/2s"
#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_US 1000
/* A network namespace with some hundred interfaces. */
#define INTERFACES_TEXT_MAX 65536

struct watcher {
	struct container c;
	const struct container_events_options *o;
	struct arena *arena;
	container_event *each;
	void *data;
	int64_t interval;			/* nanoseconds */
	int pidfd;				/* of the container's process */
	struct cgroup_pressure *pressures;
	size_t n_pressures;
	struct cgroup_events events;
	bool closed;				/* nobody listens any more */
};

/* --- options --- */

static int bad_pressure(const char *text, struct error *err)
{
	return error_set(err, 0,
			 "option --pressure takes RESOURCE[:some|full[:STALL/WINDOW]], such as "
			 "memory:some:" PRESSURE_DEFAULT ", not \"%s\"", text);
}

/* "150ms/2s" in microseconds. */
static int read_trigger(char *text, struct cgroup_pressure *p)
{
	char *window = strchr(text, '/');
	int64_t stall_ns, window_ns;

	if (!window)
		return -EINVAL;
	*window++ = '\0';
	if (units_duration(text, &stall_ns) < 0 || units_duration(window, &window_ns) < 0)
		return -EINVAL;
	p->stall_us = (uint64_t)stall_ns / NS_PER_US;
	p->window_us = (uint64_t)window_ns / NS_PER_US;
	return 0;
}

static int read_pressure(const char *text, struct arena *a, struct cgroup_pressure *p,
			 struct error *err)
{
	char *rest = arena_strdup(a, text);
	const char *kind;

	p->resource = strsep(&rest, ":");
	kind = strsep(&rest, ":");
	if (strcmp(p->resource, "cpu") && strcmp(p->resource, "memory") &&
	    strcmp(p->resource, "io"))
		return bad_pressure(text, err);
	p->full = kind && strcmp(kind, "full") == 0;
	if (kind && !p->full && strcmp(kind, "some") != 0)
		return bad_pressure(text, err);
	if (read_trigger(rest ? rest : arena_strdup(a, PRESSURE_DEFAULT), p) < 0)
		return bad_pressure(text, err);
	return 0;
}

static int read_options(struct watcher *w, struct error *err)
{
	const char *interval = w->o->interval ? w->o->interval : INTERVAL_DEFAULT;

	if (units_duration(interval, &w->interval) < 0)
		return error_set(err, 0,
				 "option --interval takes a duration with its unit, such as 5s, "
				 "100ms or 1m, not \"%s\"", interval);
	if (w->interval == 0)
		return error_set(err, 0, "duration interval must be greater than 0");
	for (char **text = w->o->pressures; text && *text; text++) {
		int ret;

		w->pressures = arena_grow(w->arena, w->pressures, w->n_pressures,
					  sizeof(*w->pressures));
		ret = read_pressure(*text, w->arena, &w->pressures[w->n_pressures++], err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* --- lines --- */

/* {"type":TYPE,"id":ID} with "data" if there is some. */
static void emit(struct watcher *w, struct arena *a, const char *type, const struct json_span *data)
{
	struct json_out o;

	json_out_begin(&o, a, 0);
	json_out_open_object(&o);
	json_out_key(&o, "type");
	json_out_string(&o, type);
	json_out_key(&o, "id");
	json_out_string(&o, w->c.state->id);
	if (data->text) {
		json_out_key(&o, "data");
		json_out_raw(&o, data->text, data->len);
	}
	json_out_close_object(&o);
	if (w->each(w->data, json_out_text(&o)) < 0)
		w->closed = true;
}

/* "net:[4026531840]" of a process ("self", or its number). */
static int network_namespace(int proc, const char *process, char *out, size_t size)
{
	char path[64];
	owned_fd fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/ns/net", process);
	fd = proc_open_file(proc, path, O_PATH);
	n = fd < 0 ? -1 : readlinkat(fd, "", out, size - 1);
	if (n < 0)
		return -1;
	out[n] = '\0';
	return 0;
}

/* Only of a network that is the container's own: the host's numbers are not its use. */
static void read_interfaces(const struct watcher *w, struct arena *a, struct cgroup_stats *stats)
{
	char process[16], path[32], own[64], host[64], *text;

	snprintf(process, sizeof(process), "%d", w->c.state->pid);
	if (network_namespace(w->c.proc, process, own, sizeof(own)) < 0 ||
	    network_namespace(w->c.proc, "self", host, sizeof(host)) < 0 || strcmp(own, host) == 0)
		return;
	text = arena_alloc(a, INTERFACES_TEXT_MAX);
	snprintf(path, sizeof(path), "%s/net/dev", process);
	if (proc_read(w->c.proc, path, text, INTERFACES_TEXT_MAX) > 0)
		cgroup_stats_interfaces(text, a, stats);
}

static int emit_stats(struct watcher *w, struct error *err)
{
	const struct cgroup_ref none = { 0 };
	const struct state *s = w->c.state;
	struct arena a = ARENA_INIT;
	struct cgroup_stats stats;
	struct json_span data;
	struct json_out o;
	int ret = cgroup_stats_read(s->cgroup ? s->cgroup : &none, &a, &stats, err);

	if (ret == 0) {
		read_interfaces(w, &a, &stats);
		json_out_begin(&o, &a, 0);
		json_out_object(&o, cgroup_stats_fields, &stats);
		data = (struct json_span){ json_out_text(&o), o.len };
		emit(w, &a, "stats", &data);
	}
	arena_free(&a);
	return ret;
}

/* --- the stream --- */

static void take_events(struct watcher *w, const struct pollfd *fds)
{
	for (size_t i = 0; i < w->events.n && !w->closed; i++) {
		struct arena a = ARENA_INIT;
		struct cgroup_event event;

		if ((!fds || fds[i].revents) &&
		    cgroup_events_take(&w->events, i, fds ? fds[i].revents : 0, &a, &event) > 0)
			emit(w, &a, event.type, &event.data);
		arena_free(&a);
	}
}

/* The container's end: first what has happened to it until then. */
static void take_exit(struct watcher *w)
{
	const struct json_span nothing = { 0 };
	struct arena a = ARENA_INIT;

	take_events(w, NULL);
	if (w->o->all && !w->closed)
		emit(w, &a, "exit", &nothing);
	arena_free(&a);
}

static int poll_until(struct pollfd *fds, size_t n, int64_t deadline)
{
	int64_t left = deadline - clock_ns();
	struct timespec timeout = { 0 };

	if (left > 0)
		timeout = (struct timespec){ left / NS_PER_SECOND, left % NS_PER_SECOND };
	if (ppoll(fds, n, &timeout, NULL) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

/* Until the container ends or nobody listens. */
static int watch(struct watcher *w, struct error *err)
{
	struct pollfd fds[2 + CGROUP_EVENTS_MAX];
	int64_t next = clock_ns() + w->interval;

	while (!w->closed) {
		int ret;

		fds[0] = (struct pollfd){ .fd = w->pidfd, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = w->o->output };
		cgroup_events_pollfds(&w->events, fds + 2);
		ret = poll_until(fds, 2 + w->events.n, next);
		if (ret < 0)
			return error_set(err, -ret, "wait for events of container %s",
					 w->c.state->id);
		/* The reader of a pipe (POLLERR), a socket or a terminal (POLLHUP) has gone. */
		if (fds[1].revents & (POLLERR | POLLHUP | POLLNVAL))
			return 0;
		take_events(w, fds + 2);
		if (fds[0].revents) {
			take_exit(w);
			return 0;
		}
		if (w->closed || clock_ns() < next)
			continue;
		/* From now, not from when it was due: a reader that was slow gets no burst. */
		next = clock_ns() + w->interval;
		/* v1's pids.events wakes nobody. */
		take_events(w, NULL);
		ret = w->closed ? 0 : emit_stats(w, err);
		/* The container ended in between, and its cgroup has been removed. */
		if (ret < 0)
			return state_alive(w->c.state, w->c.proc) > 0 ? ret : 0;
	}
	return 0;
}

static int stream(struct watcher *w, struct error *err)
{
	const struct cgroup_ref none = { 0 };
	const struct cgroup_ref *ref = w->c.state->cgroup ? w->c.state->cgroup : &none;
	int ret = cgroup_events_open(ref, w->o->all, w->pressures, w->n_pressures, &w->events, err);

	if (ret < 0)
		return ret;
	ret = watch(w, err);
	cgroup_events_close(&w->events);
	return ret;
}

static int events_opened(struct watcher *w, struct error *err)
{
	const struct state *s = w->c.state;
	owned_fd pidfd = s->pid > 0 ? sys_pidfd_open(s->pid, 0) : -ESRCH;
	int ret = pidfd;

	/* The descriptor holds one process; it is ours if the start time still fits (pid reuse). */
	if (pidfd >= 0)
		ret = state_alive(s, w->c.proc);
	if (ret == 0 || ret == -ESRCH)
		return error_set(err, 0, "container %s is not running", s->id);
	if (ret < 0)
		return error_set(err, -ret, "look at process %d", s->pid);
	w->pidfd = pidfd;
	ret = w->o->stats ? emit_stats(w, err) : stream(w, err);
	/* What is missing was removed with the container. */
	if (ret < 0 && state_alive(s, w->c.proc) == 0)
		return error_set(err, 0, "container %s is not running", s->id);
	return ret;
}

int container_events(struct container_context *ctx, const char *id,
		     const struct container_events_options *o, container_event *each, void *data,
		     struct error *err)
{
	struct watcher w = { .o = o, .arena = ctx->arena, .each = each, .data = data, .pidfd = -1 };
	int ret = read_options(&w, err);

	if (ret < 0)
		return ret;
	ret = container_open(ctx, id, false, &w.c, err);
	if (ret == 0)
		ret = events_opened(&w, err);
	container_close(&w.c);
	return ret;
}
