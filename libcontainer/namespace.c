/* SPDX-License-Identifier: Apache-2.0 */
/* namespace.c - which namespaces are made, which are joined, and in how few processes. */
#include "namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"

#define NANOSECONDS_MAX 999999999u

/* One row a type: the specification's word, the name below /proc/PID/ns, the file of its limit. */
static const struct namespace_type {
	int type;
	const char *name;
	const char *file;
	const char *limit;
} types[NAMESPACE_COUNT] = {
	{ CLONE_NEWUSER, "user", "self/ns/user", "sys/user/max_user_namespaces" },
	{ CLONE_NEWPID, "pid", "self/ns/pid", "sys/user/max_pid_namespaces" },
	{ CLONE_NEWNET, "network", "self/ns/net", "sys/user/max_net_namespaces" },
	{ CLONE_NEWIPC, "ipc", "self/ns/ipc", "sys/user/max_ipc_namespaces" },
	{ CLONE_NEWUTS, "uts", "self/ns/uts", "sys/user/max_uts_namespaces" },
	{ CLONE_NEWNS, "mount", "self/ns/mnt", "sys/user/max_mnt_namespaces" },
	{ CLONE_NEWCGROUP, "cgroup", "self/ns/cgroup", "sys/user/max_cgroup_namespaces" },
	{ CLONE_NEWTIME, "time", "self/ns/time", "sys/user/max_time_namespaces" },
};

static const struct namespace_type *find_type(int type)
{
	for (size_t i = 0; i < NAMESPACE_COUNT; i++)
		if (types[i].type == type)
			return &types[i];
	return NULL;
}

const char *namespace_name(int type)
{
	const struct namespace_type *t = find_type(type);

	return t != NULL ? t->name : "?";
}

static int compile_offset(const struct oci_config *c, const struct oci_time_offset *o,
			  const char *clock, struct strbuf *text, struct error *err)
{
	if (o == NULL)
		return 0;
	if (o->nanosecs > NANOSECONDS_MAX)
		return oci_error(c, &o->nanosecs, err, "%u is more than %u nanoseconds",
				 o->nanosecs, NANOSECONDS_MAX);
	strbuf_addf(text, "%s %lld %u\n", clock, (long long)o->secs, o->nanosecs);
	return 0;
}

static int compile_time(const struct oci_config *c, struct arena *a, struct namespace_plan *out,
			struct error *err)
{
	const struct oci_time_offsets *o = c->linux->time_offsets;
	char buf[160];
	struct strbuf text = STRBUF(buf);
	int r;

	if (o == NULL || (o->monotonic == NULL && o->boottime == NULL))
		return 0;
	if (!(out->create & CLONE_NEWTIME))
		return oci_error(c, &c->linux->time_offsets, err,
				 "offsets need a new time namespace: add {\"type\": \"time\"} "
				 "without a path to linux.namespaces");
	r = compile_offset(c, o->monotonic, "monotonic", &text, err);
	if (r == 0)
		r = compile_offset(c, o->boottime, "boottime", &text, err);
	if (r < 0)
		return r;
	out->time_offsets = arena_strdup(a, buf);
	return 0;
}

/* Who makes what; see the head of namespace.h. */
static void distribute(struct namespace_plan *p)
{
	bool join_user = false;
	uint64_t create = p->create & ~(uint64_t)CLONE_NEWCGROUP;

	for (size_t i = 0; i < p->n_join; i++) {
		join_user |= p->join[i].type == CLONE_NEWUSER;
		p->join_pid |= p->join[i].type == CLONE_NEWPID;
	}
	/*
	 * Inside a new user namespace nothing of the host can be joined any more, and what is new
	 * beside a joined user namespace must belong to that: join first in both cases.
	 */
	if (join_user || (p->n_join > 0 && (create & CLONE_NEWUSER))) {
		p->unshare = create & ~(uint64_t)CLONE_NEWPID;
		p->clone_second = create & CLONE_NEWPID;
		p->two_stages = p->join_pid || p->clone_second != 0;
	} else {
		p->clone_first = create;
		p->two_stages = p->join_pid;
	}
	if (p->time_offsets != NULL) {
		p->clone_first &= ~(uint64_t)CLONE_NEWTIME;
		p->unshare |= CLONE_NEWTIME;
	}
}

int namespace_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		      struct namespace_plan *out, struct error *err)
{
	int r;

	memset(out, 0, sizeof(*out));
	out->config = c;
	(void)h;
	if (c->linux == NULL)
		return 0;
	for (size_t i = 0; i < c->linux->n_namespaces; i++) {
		const struct oci_namespace *ns = &c->linux->namespaces[i];

		if (ns->path == NULL || ns->path[0] == '\0') {
			out->create |= (uint64_t)(unsigned int)ns->type;
			continue;
		}
		if (ns->path[0] != '/')
			return oci_error(c, &ns->path, err, "\"%s\" is not an absolute path",
					 ns->path);
		if (out->n_join == NAMESPACE_COUNT)
			return oci_error(c, ns, err, "more than %d namespaces", NAMESPACE_COUNT);
		out->join[out->n_join++] = (struct namespace_join){ ns->type, ns->path, &ns->path };
	}
	r = compile_time(c, a, out, err);
	if (r < 0)
		return r;
	distribute(out);
	return 0;
}

/* One says "an ipc", but "a uts" and "a user". */
static const char *article(int type)
{
	return type == CLONE_NEWIPC ? "an" : "a";
}

/*
 * The descriptor of one path, its type proven.  The engine owns the path; it is not the container's
 * to change.
 */
static int open_one(const struct namespace_plan *p, const struct namespace_join *j,
		    struct error *err)
{
	/*
	 * Not O_PATH, which no ioctl() takes.  O_NONBLOCK: should it be a FIFO, it must not hold us
	 * up.
	 */
	owned_fd fd = open(j->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct statfs fs;
	int type;

	if (fd < 0)
		return oci_error(p->config, j->member, err, "open %s namespace %s: %s",
				 namespace_name(j->type), j->path, error_text(errno));
	if (fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC)
		return oci_error(p->config, j->member, err,
				 "%s is no namespace (nothing is mounted there, or the wrong file)",
				 j->path);
	type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0)
		return oci_error(p->config, j->member, err, "ask the type of namespace %s: %s",
				 j->path, error_text(errno));
	if (type != j->type)
		return oci_error(p->config, j->member, err,
				 "%s is %s %s namespace, not %s %s namespace", j->path,
				 article(type), namespace_name(type), article(j->type),
				 namespace_name(j->type));
	return fd_take(&fd);
}

/*
 * Whether fd is the namespace that the caller itself is in.  The links of procfs lead to nsfs
 * inodes.
 */
static bool is_own(int proc, int fd, int type)
{
	struct stat own, st;

	return fstatat(proc, find_type(type)->file, &own, 0) == 0 && fstat(fd, &st) == 0 &&
	       own.st_dev == st.st_dev && own.st_ino == st.st_ino;
}

int namespace_check(const struct namespace_plan *p, int proc, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < NAMESPACE_COUNT; i++)
		if (p->create & (uint64_t)types[i].type &&
		    faccessat(proc, types[i].file, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			oci_keep(&r, oci_error(p->config,
					       oci_namespace_find(p->config, types[i].type), err,
					       "this kernel has no %s namespaces", types[i].name));
	return r;
}

int namespace_open(const struct namespace_plan *p, int proc, struct namespace_fds *out,
		   struct error *err)
{
	for (size_t i = 0; i < NAMESPACE_COUNT; i++)
		out->fd[i] = -1;
	out->separate = p->create;
	for (size_t i = 0; i < p->n_join; i++) {
		int fd = open_one(p, &p->join[i], err);

		if (fd < 0) {
			namespace_close(out);
			return fd;
		}
		if (is_own(proc, fd, p->join[i].type)) {
			fd_close(&fd);
			/* Other types may be shared on purpose; a user namespace is there to part
			 * the ids, and without one root inside would be the caller. */
			if (p->join[i].type == CLONE_NEWUSER) {
				namespace_close(out);
				return oci_error(p->config, p->join[i].member, err,
						 "%s is the caller's own user namespace: leave out "
						 "the namespace to share it",
						 p->join[i].path);
			}
			continue;
		}
		out->fd[i] = fd;
		out->separate |= (uint64_t)(unsigned int)p->join[i].type;
	}
	return 0;
}

int namespace_fd(const struct namespace_plan *p, const struct namespace_fds *fds, int type)
{
	for (size_t i = 0; i < p->n_join; i++)
		if (p->join[i].type == type)
			return fds->fd[i];
	return -1;
}

void namespace_close(struct namespace_fds *fds)
{
	for (size_t i = 0; i < NAMESPACE_COUNT; i++)
		fd_close(&fds->fd[i]);
}

static int join_error(const struct namespace_join *j, int r, struct error *err)
{
	error_set(err, -r, "join %s namespace %s", namespace_name(j->type), j->path);
	if (r == -EPERM && j->type != CLONE_NEWUSER)
		error_append(err, " (it belongs to a user namespace in which the caller has no "
				  "CAP_SYS_ADMIN)");
	return r;
}

int namespace_join_run(const struct namespace_plan *p, const struct namespace_fds *fds,
		       struct error *err)
{
	bool deferred[NAMESPACE_COUNT] = { false };
	size_t user = p->n_join;
	int r;

	for (size_t i = 0; i < p->n_join; i++) {
		if (p->join[i].type == CLONE_NEWUSER && fds->fd[i] >= 0)
			user = i;
	}
	for (size_t i = 0; i < p->n_join; i++) {
		if (i == user || fds->fd[i] < 0)
			continue;
		r = sys_setns(fds->fd[i], p->join[i].type);
		/* Perhaps it belongs to the user namespace that comes next. */
		if (r == -EPERM && user < p->n_join)
			deferred[i] = true;
		else if (r < 0)
			return join_error(&p->join[i], r, err);
	}
	if (user < p->n_join) {
		r = sys_setns(fds->fd[user], CLONE_NEWUSER);
		if (r < 0)
			return join_error(&p->join[user], r, err);
	}
	for (size_t i = 0; i < p->n_join; i++) {
		if (!deferred[i])
			continue;
		r = sys_setns(fds->fd[i], p->join[i].type);
		if (r < 0)
			return join_error(&p->join[i], r, err);
	}
	return 0;
}

int namespace_join_pid_run(const struct namespace_plan *p, const struct namespace_fds *fds,
			   struct error *err)
{
	struct namespace_plan few = *p;
	struct namespace_fds few_fds;

	few.n_join = 0;
	for (size_t i = 0; i < p->n_join; i++) {
		if (p->join[i].type != CLONE_NEWPID && p->join[i].type != CLONE_NEWUSER)
			continue;
		few_fds.fd[few.n_join] = fds->fd[i];
		few.join[few.n_join++] = p->join[i];
	}
	return namespace_join_run(&few, &few_fds, err);
}

int namespace_own(int type, int proc)
{
	int fd = openat(proc, find_type(type)->file, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int namespace_unshare_run(const struct namespace_plan *p, int proc, struct error *err)
{
	/* Time waits: its file cannot be written before the id maps are there. */
	uint64_t flags = p->unshare & ~(uint64_t)CLONE_NEWTIME;

	if (flags != 0 && unshare((int)flags) < 0)
		return namespace_create_error(proc, flags, errno, err);
	return 0;
}

/*
 * timens_offsets belongs to the caller's own ids only while the process is dumpable; else to the
 * host's root.
 */
static int write_offsets(int proc, const char *text)
{
	int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
	int r;

	r = proc_write(proc, "self/timens_offsets", text);
	if (r != -EACCES || dumpable == 1)
		return r;
	/*
	 * Safe: nobody else is in the new namespaces yet, and the host's users could always look.
	 */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	r = proc_write(proc, "self/timens_offsets", text);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return r;
}

int namespace_time_run(const struct namespace_plan *p, int proc, struct error *err)
{
	owned_fd fd = -1;
	int r = 0;

	if (!(p->unshare & CLONE_NEWTIME))
		return 0;
	if (unshare(CLONE_NEWTIME) < 0)
		return namespace_create_error(proc, CLONE_NEWTIME, errno, err);
	if (p->time_offsets != NULL)
		r = write_offsets(proc, p->time_offsets);
	if (r < 0) {
		error_set(err, -r, "set linux.timeOffsets");
		if (r == -ERANGE)
			error_append(err, " (a clock would be negative, or too far in the future)");
		return r;
	}
	/*
	 * unshare() made it for children.  Entering it by descriptor saves the fork: setns(2) moves
	 * a process with one thread itself.  The link is procfs' own; the container has not run
	 * yet.
	 */
	fd = openat(proc, "self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, errno, "open /proc/self/ns/time_for_children");
	r = sys_setns(fd, CLONE_NEWTIME);
	if (r < 0)
		return error_set(err, -r, "enter the new time namespace");
	return 0;
}

int namespace_cgroup_run(const struct namespace_plan *p, int proc, struct error *err)
{
	if ((p->create & CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) < 0)
		return namespace_create_error(proc, CLONE_NEWCGROUP, errno, err);
	return 0;
}

static bool knob_is(int proc, const char *path, const char *value)
{
	char buf[32];

	return proc >= 0 && proc_read(proc, path, buf, sizeof(buf)) > 0 && strcmp(buf, value) == 0;
}

/* Each limit that may be the cause, with its value; just those at 0 when there are any. */
static void explain_limits(int proc, uint64_t flags, struct error *err)
{
	const char *before = " (limits: ";
	bool zero = false;
	char value[32];

	for (size_t i = 0; i < NAMESPACE_COUNT; i++)
		if (flags & (uint64_t)types[i].type)
			zero |= knob_is(proc, types[i].limit, "0");
	for (size_t i = 0; i < NAMESPACE_COUNT; i++) {
		if (!(flags & (uint64_t)types[i].type) ||
		    knob_is(proc, types[i].limit, "0") != zero)
			continue;
		if (proc < 0 || proc_read(proc, types[i].limit, value, sizeof(value)) < 0)
			continue;
		error_append(err, "%s/proc/%s is %s", before, types[i].limit, value);
		before = ", ";
	}
	if (before[0] == ',')
		error_append(err, "; user and pid namespaces nest at most 32 deep)");
}

static void explain_permission(int proc, uint64_t flags, struct error *err)
{
	if (!(flags & CLONE_NEWUSER))
		error_append(err, " (it needs CAP_SYS_ADMIN: a caller without it must ask for a "
				  "user namespace too)");
	else if (knob_is(proc, "sys/kernel/unprivileged_userns_clone", "0"))
		error_append(err, " (sysctl kernel.unprivileged_userns_clone is 0)");
	else if (knob_is(proc, "sys/kernel/apparmor_restrict_unprivileged_userns", "1"))
		error_append(err, " (sysctl kernel.apparmor_restrict_unprivileged_userns is 1: "
				  "give kist an AppArmor profile with the rule \"userns,\")");
	else
		error_append(err, " (user namespaces are refused in a chroot, and by some seccomp "
				  "profiles of outer containers)");
}

int namespace_create_error(int proc, uint64_t flags, int errnum, struct error *err)
{
	char list[128];
	struct strbuf names = STRBUF(list);

	list[0] = '\0';
	for (size_t i = 0; i < NAMESPACE_COUNT; i++)
		if (flags & (uint64_t)types[i].type)
			strbuf_addf(&names, "%s%s", names.len > 0 ? ", " : "", types[i].name);
	if (names.len > 0)
		error_set(err, errnum, "create namespaces (%s)", list);
	else
		error_set(err, errnum, "make a process");
	if (errnum == ENOSPC || errnum == EUSERS)
		explain_limits(proc, flags, err);
	else if (errnum == EPERM)
		explain_permission(proc, flags, err);
	else if (errnum == EINVAL)
		error_append(err, " (the kernel lacks one of these types; see /proc/self/ns)");
	return -errnum;
}

void namespace_show(const struct namespace_plan *p, struct show *out)
{
	for (size_t i = 0; i < p->n_join; i++)
		show_act(out, "join %s namespace %s", namespace_name(p->join[i].type),
			 p->join[i].path);
	for (size_t i = 0; i < NAMESPACE_COUNT; i++)
		if (p->create & (uint64_t)types[i].type)
			show_act(out, "create %s namespace", types[i].name);
	show_act(out, "make %s",
		 p->two_stages ? "two processes, one after the other" : "one process");
}

void namespace_time_show(const struct namespace_plan *p, struct show *out)
{
	const char *at = p->time_offsets;

	while (at != NULL && *at != '\0') {
		size_t len = strcspn(at, "\n");

		show_act(out, "write \"%.*s\" to timens_offsets", (int)len, at);
		at += len + (at[len] == '\n');
	}
}
