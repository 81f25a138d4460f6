/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries the writes out, and explains what the kernel refuses.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "cgroup/cgroup_impl.h"

#define HUGEPAGES "/sys/kernel/mm/hugepages"
#define VALUE_MAX 256

int cgroup_member_error(const struct cgroup_plan *p, const struct cgroup_write *w, int errnum,
			struct error *err, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int ret;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ret = oci_error(p->config, w->at, err, "set %s: %s%s%s", w->member, text,
			errnum ? ": " : "", errnum ? error_text(errnum) : "");
	if (err)
		err->errnum = errnum;
	return errnum ? -errnum : ret;
}

/* "hugepages-2048kB" as the cgroup files say it: " 2MB". */
static void add_page_size(struct strbuf *b, const char *name)
{
	unsigned long long kb = strtoull(name + strlen("hugepages-"), NULL, 10);

	if (kb >= 1024 * 1024)
		strbuf_addf(b, " %lluGB", kb / (1024 * 1024));
	else if (kb >= 1024)
		strbuf_addf(b, " %lluMB", kb / 1024);
	else
		strbuf_addf(b, " %lluKB", kb);
}

static void append_page_sizes(struct error *err)
{
	owned_fd dir = open(HUGEPAGES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char text[256] = "";
	struct strbuf b = STRBUF(text);
	struct dir_iter it;
	const char *name;
	int ret = dir < 0 ? -errno : dir_begin(&it, dir);

	while (ret == 0 && (name = dir_next(&it, NULL, &ret)))
		if (str_starts(name, "hugepages-"))
			add_page_size(&b, name);
	error_append(err, " (this machine has huge pages of%s)", *text ? text : " no size");
}

/* What the kernel takes (sched-bwc.rst, cgroup-v2.rst, PIDS_MAX in kernel/cgroup/pids.c). */
static void append_range(const struct cgroup_write *w, struct error *err)
{
	static const char *const ranges[][2] = {
		{ "cpu.max", "a period has 1000 to 1000000 microseconds, a quota 1000 or more" },
		{ "cpu.cfs_period_us", "a period has 1000 to 1000000 microseconds" },
		{ "cpu.cfs_quota_us", "a quota has 1000 microseconds or more, and a cgroup below "
		  "no larger share than its parent" },
		{ "cpu.max.burst", "a burst is not larger than the quota" },
		{ "cpu.cfs_burst_us", "a burst is not larger than the quota" },
		{ "pids.max", "at most 4194304 processes" },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (strcmp(w->file, ranges[i][0]) == 0)
			error_append(err, " (%s)", ranges[i][1]);
}

/* What else is in force in the same cgroup, and rules the value out.  False: nothing does. */
static bool append_conflict(const struct cgroup_write *w, int dir, struct error *err)
{
	char text[VALUE_MAX];

	if (strcmp(w->file, "memory.limit_in_bytes") == 0 &&
	    file_read_small(dir, "memory.memsw.limit_in_bytes", text, sizeof(text)) > 0) {
		error_append(err, " (above memory and swap together, %s: give memory.swap, "
			     "--memory-swap, as well)", text);
		return true;
	}
	if ((strcmp(w->file, "cpu.shares") == 0 || strcmp(w->file, "cpu.weight") == 0) &&
	    file_read_small(dir, "cpu.idle", text, sizeof(text)) > 0 && text[0] == '1') {
		error_append(err, " (cpu.idle is 1, and an idle cgroup has no share: set cpu.idle, "
			     "--cpu-idle, to 0 as well)");
		return true;
	}
	return false;
}

static void append_hint(const struct cgroup_plan *p, const struct cgroup_write *w, int dir, int ret,
			struct error *err)
{
	bool v2 = cgroup_dir_is_v2(&p->ref.dirs[w->dir]);

	if (ret == -ENOENT && str_starts(w->file, "hugetlb."))
		append_page_sizes(err);
	else if (ret == -ENOENT && str_starts(w->file, "memory.memsw."))
		error_append(err,
			     " (the kernel does not account for swap: boot with swapaccount=1)");
	else if (ret == -EINVAL && str_starts(w->file, "memory.memsw."))
		error_append(err, " (it must not be below memory.limit, which must be there)");
	else if (ret == -ENOENT && v2 && w->controller)
		error_append(
			err,
			" (the kernel has no such setting, or controller \"%s\" is not enabled in "
			"the parent's cgroup.subtree_control)",
			w->controller);
	else if (ret == -ENOENT && str_starts(w->file, "cpu.rt_"))
		error_append(err, " (the kernel needs CONFIG_RT_GROUP_SCHED)");
	else if (ret == -ENOENT)
		error_append(err, " (this kernel has no such setting)");
	else if (ret == -EBUSY && str_starts(w->file, "memory."))
		error_append(err, " (more memory is in use than could be freed)");
	else if (str_starts(w->file, "cpuset.") &&
		 (ret == -EACCES || ret == -EINVAL || ret == -ERANGE))
		error_append(err, " (the list must be part of what the parent cgroup has)");
	else if (str_starts(w->file, "cpu.rt_") && ret == -EINVAL)
		error_append(err, " (the parent cgroup must have that much of cpu.rt_runtime_us)");
	else if (ret == -EINVAL && !append_conflict(w, dir, err))
		append_range(w, err);
}

/* checkBeforeUpdate: v2 would rather kill than refuse a limit that is below the use. */
static int check_usage(const struct cgroup_plan *p, const struct cgroup_write *w, int dir,
		       struct error *err)
{
	uint64_t usage, limit;
	char text[VALUE_MAX];
	ssize_t n;

	if (!w->usage_file || str_to_u64(w->value, UINT64_MAX, &limit) < 0)
		return 0;
	n = file_read_small(dir, w->usage_file, text, sizeof(text));
	if (n == -ENOENT)
		return 0;
	if (n < 0 || str_to_u64(text, UINT64_MAX, &usage) < 0)
		return cgroup_member_error(p, w, n < 0 ? (int)-n : EINVAL, err, "read %s",
					   w->usage_file);
	if (usage <= limit)
		return 0;
	return cgroup_member_error(p, w, 0, err, "rejecting memory limit %s: %llu is in use",
				   w->value, (unsigned long long)usage);
}

static int write_one(const struct cgroup_write *w, int dir)
{
	char quota[VALUE_MAX];
	ssize_t n;
	int ret;

	if (w->flags & CGROUP_WRITE_KEEP_QUOTA) {
		/* "QUOTA PERIOD" */
		n = file_read_small(dir, w->file, quota, sizeof(quota));
		if (n < 0)
			return (int)n;
		quota[strcspn(quota, " ")] = '\0';
		return file_writef(dir, w->file, "%s %s", quota, w->value);
	}
	ret = file_write(dir, w->file, w->value);
	if (ret == -ENOENT && w->alt_file)
		ret = file_write(dir, w->alt_file, w->alt_value);
	return ret;
}

/* In words of its own where a file is not there: engines take errno's for a missing program. */
static void write_error(const struct cgroup_plan *p, const struct cgroup_write *w,
			const struct cgroup_dir *d, int ret, struct error *err)
{
	if (ret == -ENOENT)
		cgroup_member_error(p, w, 0, err, "%s%s has no %s%s%s", d->mount, d->path, w->file,
				    w->alt_file ? " and no " : "", w->alt_file ? w->alt_file : "");
	else
		cgroup_member_error(p, w, -ret, err, "write \"%s\" to %s%s/%s", w->value,
				    d->mount, d->path, w->file);
}

static int write_setting(const struct cgroup_plan *p, const struct cgroup *cg,
			 const struct cgroup_write *w, bool last_try, bool *again,
			 struct error *err)
{
	const struct cgroup_dir *d = &cg->ref.dirs[w->dir];
	int dir = cg->dirs[w->dir];
	int ret;

	if (dir < 0)
		return cgroup_member_error(p, w, 0, err,
					   "container could not join or create cgroup%s%s",
					   *d->path ? " " : "", d->path);
	ret = check_usage(p, w, dir, err);
	if (ret < 0)
		return ret;
	ret = write_one(w, dir);
	if (ret == -ENOENT && (w->flags & CGROUP_WRITE_OPTIONAL))
		return 0;
	if (ret == -EINVAL && (w->flags & CGROUP_WRITE_RETRY) && !last_try) {
		*again = true;
		return 0;
	}
	if (ret == 0)
		return 0;
	write_error(p, w, d, ret, err);
	append_hint(p, w, dir, ret, err);
	return ret;
}

/*
 * In order.  Settings that bound each other (flag RETRY) may be refused now and possible after the
 * others: those are all written a second time, then every refusal counts.
 */
static int write_settings(const struct cgroup_plan *p, const struct cgroup *cg, struct error *err)
{
	bool again = false;
	int ret;

	for (size_t i = 0; i < p->n_writes; i++) {
		ret = write_setting(p, cg, &p->writes[i], false, &again, err);
		if (ret < 0)
			return ret;
	}
	for (size_t i = 0; again && i < p->n_writes; i++) {
		if (!(p->writes[i].flags & CGROUP_WRITE_RETRY))
			continue;
		ret = write_setting(p, cg, &p->writes[i], true, &again, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int cgroup_limits_run(const struct cgroup_plan *p, const struct cgroup *cg, struct error *err)
{
	int ret = write_settings(p, cg, err);

	if (ret < 0 || !p->update || !p->ref.unit)
		return ret;
	ret = cgroup_systemd_set(p, cg, err);
	/* systemd has written the files, too, with values that it rounded. */
	return ret < 0 ? ret : write_settings(p, cg, err);
}
