/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The v1 hierarchies: cpuset's empty children, the old freezer, the tasks files.
 * Kernel: Documentation/admin-guide/cgroup-v1/{cpusets,freezer-subsystem}.rst.
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
#include "cgroup/cgroup_impl.h"

#define CPUSET_TEXT_MAX 4096
/*
 * Thaw for a moment after so many tries: a process forked while freezing may have escaped the
 * first round.
 */
#define FREEZE_ROUND 50

/*
 * A new v1 cpuset has no cpu and no memory node, and nothing may join it.  Copies file down from
 * the nearest ancestor that has it, filling those in between, which may have been made by others.
 */
static int fill_cpuset(int dir, const char *file, unsigned int depth)
{
	char text[CPUSET_TEXT_MAX];
	ssize_t n = file_read_small(dir, file, text, sizeof(text));
	owned_fd parent = -1;
	int ret;

	if (n != 0 || depth == 0)
		return n < 0 ? (int)n : 0;
	parent = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return -errno;
	ret = fill_cpuset(parent, file, depth - 1);
	if (ret < 0)
		return ret;
	n = file_read_small(parent, file, text, sizeof(text));
	return n < 0 ? (int)n : file_write(dir, file, text);
}

static unsigned int path_depth(const char *path)
{
	unsigned int depth = 0;

	for (; *path; path++)
		depth += *path == '/' && path[1] != '\0';
	return depth;
}

static int v1_prepare(const struct cgroup_plan *p, struct cgroup *cg, size_t i, struct error *err)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };
	const struct cgroup_dir *d = &cg->ref.dirs[i];

	(void)p;
	if (cgroup_list_has(d->controllers, "cpuset", ',')) {
		for (size_t f = 0; f < sizeof(files) / sizeof(files[0]); f++) {
			int ret = fill_cpuset(cg->dirs[i], files[f], path_depth(d->path));

			if (ret < 0)
				return error_set(err, -ret, "copy %s from the parent of %s%s",
						 files[f], d->mount, d->path);
		}
	}
	/* Opened now, written by the child: what it joins is settled before it exists. */
	cg->tasks[i] = openat(cg->dirs[i], "tasks", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (cg->tasks[i] < 0)
		return error_set(err, errno, "open %s%s/tasks", d->mount, d->path);
	return 0;
}

static int v1_frozen(int dir)
{
	char own[8];
	ssize_t n = file_read_small(dir, "freezer.self_freezing", own, sizeof(own));

	if (n < 0)
		return n == -ENOENT ? 0 : (int)n;
	return own[0] == '1';
}

/* A child of a frozen cgroup says that it is, too. */
static int v1_holds(int dir)
{
	char state[32];
	ssize_t n = file_read_small(dir, "freezer.state", state, sizeof(state));

	if (n < 0)
		return n == -ENOENT ? 0 : (int)n;
	return strcmp(state, "THAWED") != 0;
}

/*
 * The state goes to FREEZING and stays there while some task has not stopped; only asking again
 * finds out.
 */
static int v1_set_frozen(int dir, bool frozen, int timeout_ms, char state[32])
{
	const char *want = frozen ? "FROZEN" : "THAWED";
	int64_t deadline = clock_ms() + timeout_ms;
	bool last = false;

	for (unsigned int try = 1;; try++) {
		ssize_t n;
		int ret = file_write(dir, "freezer.state", want);

		if (ret < 0)
			return ret;
		n = file_read_small(dir, "freezer.state", state, 32);
		if (n < 0)
			return (int)n;
		if (strcmp(state, want) == 0)
			return 0;
		if (last)
			return -ETIMEDOUT;
		last = clock_ms() >= deadline;
		if (frozen && !last && try % FREEZE_ROUND == 0)
			(void)file_write(dir, "freezer.state", "THAWED");
		/* The file cannot be polled. */
		(void)poll(NULL, 0, last ? CGROUP_LAST_LOOK_MS : try < 10 ? 1 : 10);
	}
}

static int v1_kill(int dir)
{
	(void)dir;
	return -EOPNOTSUPP;
}

static void v1_wait_empty(int dir, int ms)
{
	(void)dir;
	(void)poll(NULL, 0, ms);
}

const struct cgroup_hierarchy_ops cgroup_hierarchy_v1 = {
	.magic = CGROUP_SUPER_MAGIC,
	.prepare = v1_prepare,
	.frozen = v1_frozen,
	.holds = v1_holds,
	.set_frozen = v1_set_frozen,
	.kill = v1_kill,
	.wait_empty = v1_wait_empty,
};
