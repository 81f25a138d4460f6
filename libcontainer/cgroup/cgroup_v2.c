/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The v2 hierarchy: handing controllers down, freezing, killing, waiting.
 * Kernel: Documentation/admin-guide/cgroup-v2.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "cgroup/cgroup_impl.h"

#define CONTROLLERS_MAX 512

/* The first setting in v2's hands that needs the controller; NULL: nothing does. */
static const struct cgroup_write *needed_by(const struct cgroup_plan *p, size_t i, const char *name)
{
	for (size_t w = 0; w < p->n_writes; w++)
		if (p->writes[w].dir == i && p->writes[w].controller &&
		    strcmp(p->writes[w].controller, name) == 0)
			return &p->writes[w];
	return NULL;
}

static int explain(const struct cgroup_plan *p, const struct cgroup_write *w, int ret,
		   const char *where, struct error *err)
{
	const char *why = ret == -EBUSY ? " (a cgroup that has processes of its own cannot hand "
					  "controllers down: move them into a "
					  "sub-cgroup, or choose another linux.cgroupsPath)"
			  : ret == -EACCES || ret == -EPERM
				  ? " (without privilege the controller must be delegated to the "
				    "user: Delegate= of user@.service)"
				  : "";

	ret = cgroup_member_error(p, w, -ret, err,
				  "enable controller \"%s\" in %s/cgroup.subtree_control",
				  w->controller, where);
	error_append(err, "%s", why);
	return ret;
}

/*
 * Enables in one ancestor all of `available` that are not yet: in one write, and if the kernel
 * refuses (it takes all or none), one by one.  Only what a setting needs is an error.
 */
static int enable_in(const struct cgroup_plan *p, size_t i, int dir, const char *path,
		     const char *available, struct error *err)
{
	char enabled[CONTROLLERS_MAX], list[CONTROLLERS_MAX], text[CONTROLLERS_MAX * 2];
	struct strbuf all = STRBUF(text);
	char where[PATH_MAX], *rest = list, *name;
	ssize_t n = file_read_small(dir, "cgroup.subtree_control", enabled, sizeof(enabled));
	int ret, refused;

	if (n < 0)
		return error_set(err, (int)-n, "read cgroup.subtree_control below %s",
				 p->ref.dirs[i].mount);
	text[0] = '\0';
	snprintf(list, sizeof(list), "%s", available);
	while ((name = strsep(&rest, " ")))
		if (*name && !cgroup_list_has(enabled, name, ' '))
			strbuf_addf(&all, "%s+%s", all.len ? " " : "", name);
	refused = all.len == 0 ? 0 : file_write(dir, "cgroup.subtree_control", text);
	if (refused == 0)
		return 0;
	for (rest = text; (name = strsep(&rest, " "));) {
		const struct cgroup_write *w = needed_by(p, i, name + 1);

		/*
		 * EBUSY: it has processes.  Alone the threaded controllers (cpu, pids) would be
		 * taken even so, and no process could be in its children any more, which are then
		 * "domain invalid".
		 */
		ret = refused == -EBUSY ? refused : file_write(dir, "cgroup.subtree_control", name);
		if (ret == 0)
			continue;
		if (w) {
			snprintf(where, sizeof(where), "%s%s", p->ref.dirs[i].mount, path);
			return explain(p, w, ret, where, err);
		}
		log_debug("cgroup controller %s is not enabled: %s", name + 1, error_text(-ret));
	}
	return 0;
}

/*
 * Top-down, for a controller can be enabled only where the parent has it.  Usually the leaf's
 * parent has all of them already: then two reads suffice.
 */
static int v2_prepare(const struct cgroup_plan *p, struct cgroup *cg, size_t i, struct error *err)
{
	const struct cgroup_dir *d = &cg->ref.dirs[i];
	const char *available = p->ref.available;
	owned_fd mount = -1;
	char have[CONTROLLERS_MAX], path[PATH_MAX];
	ssize_t n;
	int ret;

	if (!available)
		return error_set(err, 0, "%s/cgroup.controllers cannot be read", d->mount);
	/* A leaf's cgroup.controllers is its parent's cgroup.subtree_control. */
	n = file_read_small(cg->dirs[i], "cgroup.controllers", have, sizeof(have));
	if (n >= 0 && strcmp(have, available) == 0)
		return 0;
	mount = cgroup_mount_open(d);
	if (mount < 0)
		return error_set(err, -mount, "open %s", d->mount);
	if ((size_t)snprintf(path, sizeof(path), "%s", d->path) >= sizeof(path))
		return error_set(err, ENAMETOOLONG, "open cgroup %s", d->mount);
	for (char *slash = path; slash; slash = strchr(slash + 1, '/')) {
		owned_fd dir = -1;

		*slash = '\0';
		dir = cgroup_dir_open(mount, path);
		if (dir < 0)
			return error_set(err, -dir, "open cgroup %s%s", d->mount, path);
		ret = enable_in(p, i, dir, path, available, err);
		if (ret < 0)
			return ret;
		*slash = '/';
	}
	return 0;
}

/* All controllers of a cgroup for its children; best effort. */
int cgroup_v2_hand_down(int dir)
{
	char have[CONTROLLERS_MAX], *rest = have, *name;
	ssize_t n = file_read_small(dir, "cgroup.controllers", have, sizeof(have));

	if (n < 0)
		return (int)n;
	while ((name = strsep(&rest, " ")))
		if (*name)
			(void)file_writef(dir, "cgroup.subtree_control", "+%s", name);
	return 0;
}

/* A "KEY VALUE" line of cgroup.events: the value's first character, or 0. */
static char event_value(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return line[len + 1];
	}
	return 0;
}

static int v2_frozen(int dir)
{
	char text[32];
	ssize_t n = file_read_small(dir, "cgroup.freeze", text, sizeof(text));

	/* The root cgroup has no such file. */
	if (n < 0)
		return n == -ENOENT ? 0 : (int)n;
	return text[0] == '1';
}

/* cgroup.freeze is what was asked of this very cgroup, cgroup.events what has come of all above. */
static int v2_holds(int dir)
{
	char text[256];
	int ret = v2_frozen(dir);

	if (ret == 0 && file_read_small(dir, "cgroup.events", text, sizeof(text)) > 0)
		ret = event_value(text, "frozen") == '1';
	return ret;
}

static int v2_set_frozen(int dir, bool frozen, int timeout_ms, char state[32])
{
	int64_t deadline = clock_ms() + timeout_ms;
	owned_fd events = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int ret = events < 0 ? -errno : file_write(dir, "cgroup.freeze", frozen ? "1" : "0");
	char text[256];
	bool last = false;

	while (ret == 0) {
		struct pollfd pfd = { .fd = events, .events = POLLPRI };
		int64_t left = deadline - clock_ms();
		ssize_t n = pread(events, text, sizeof(text) - 1, 0);

		if (n < 0)
			return -errno;
		text[n] = '\0';
		if (event_value(text, "frozen") == (frozen ? '1' : '0'))
			return 0;
		snprintf(state, 32, "%s", frozen ? "not frozen yet" : "still frozen");
		if (last)
			return -ETIMEDOUT;
		last = left <= 0;
		if (poll(&pfd, 1, last ? CGROUP_LAST_LOOK_MS : (int)left) < 0 && errno != EINTR)
			ret = -errno;
	}
	return ret;
}

static int v2_kill(int dir)
{
	int ret = file_write(dir, "cgroup.kill", "1");

	/* Before Linux 5.14 there is no such file, in a threaded cgroup it is refused. */
	return ret == -ENOENT ? -EOPNOTSUPP : ret;
}

static void v2_wait_empty(int dir, int ms)
{
	owned_fd events = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct pollfd pfd = { .fd = events, .events = POLLPRI };
	char text[256];
	ssize_t n = events < 0 ? -1 : pread(events, text, sizeof(text) - 1, 0);

	if (n < 0)
		return;
	text[n] = '\0';
	/* Not populated, yet busy: the kernel is still taking the last process down. */
	if (event_value(text, "populated") == '1')
		(void)poll(&pfd, 1, ms);
	else
		(void)poll(NULL, 0, ms < 4 ? ms : 4);
}

const struct cgroup_hierarchy_ops cgroup_hierarchy_v2 = {
	.magic = CGROUP2_SUPER_MAGIC,
	.prepare = v2_prepare,
	.frozen = v2_frozen,
	.holds = v2_holds,
	.set_frozen = v2_set_frozen,
	.kill = v2_kill,
	.wait_empty = v2_wait_empty,
};
