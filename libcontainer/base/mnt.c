/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mnt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/path.h"
#include "base/str.h"

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif
#ifndef MS_LAZYTIME
#define MS_LAZYTIME (1 << 25)
#endif

#define FSCONFIG_VALUE_MAX 255	/* fsconfig(2) takes no longer strings; mount(2) takes a page */
#define DATA_MAX 4096

/* A mount attribute, its mount(2) flag, and its bit in statfs(2). */
static const struct {
	uint64_t attr;
	unsigned long ms;
	unsigned long st;
} attr_flags[] = {
	{ MOUNT_ATTR_RDONLY, MS_RDONLY, 0x0001 },
	{ MOUNT_ATTR_NOSUID, MS_NOSUID, 0x0002 },
	{ MOUNT_ATTR_NODEV, MS_NODEV, 0x0004 },
	{ MOUNT_ATTR_NOEXEC, MS_NOEXEC, 0x0008 },
	{ MOUNT_ATTR_NOATIME, MS_NOATIME, 0x0400 },
	{ MOUNT_ATTR_NODIRATIME, MS_NODIRATIME, 0x0800 },
	{ MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW, 0x2000 },
	{ MOUNT_ATTR_STRICTATIME, MS_STRICTATIME, 0 },
};

#define ST_RELATIME_BIT 0x1000
#define N_ATTR_FLAGS (sizeof(attr_flags) / sizeof(attr_flags[0]))

/* Superblock flags that fsconfig(2) knows by name. */
static const struct {
	unsigned long ms;
	const char *name;
} super_flags[] = {
	{ MS_RDONLY, "ro" },
	{ MS_SYNCHRONOUS, "sync" },
	{ MS_DIRSYNC, "dirsync" },
	{ MS_MANDLOCK, "mand" },
	{ MS_LAZYTIME, "lazytime" },
};

#define N_SUPER_FLAGS (sizeof(super_flags) / sizeof(super_flags[0]))

struct fd_path {
	char text[sizeof("/proc/self/fd/-2147483648")];
};

static const char *fd_path(int fd, struct fd_path *p)
{
	snprintf(p->text, sizeof(p->text), "/proc/self/fd/%d", fd);
	return p->text;
}

/* The kernel lacks the call, or a seccomp filter that predates it answers so. */
static bool is_absent(int r)
{
	return r == -ENOSYS || r == -EPERM;
}

static unsigned long ms_from_attr(uint64_t attr)
{
	unsigned long ms = 0;

	for (size_t i = 0; i < N_ATTR_FLAGS; i++)
		if (attr & attr_flags[i].attr)
			ms |= attr_flags[i].ms;
	return ms;
}

static uint64_t attr_from_statfs(unsigned long st)
{
	uint64_t attr = 0;

	for (size_t i = 0; i < N_ATTR_FLAGS; i++)
		if (st & attr_flags[i].st)
			attr |= attr_flags[i].attr;
	if (!(st & ST_RELATIME_BIT) && !(attr & MOUNT_ATTR_NOATIME))
		attr |= MOUNT_ATTR_STRICTATIME;
	return attr;
}

int mnt_clone(int dirfd, const char *path, unsigned int flags, struct mnt *out)
{
	int fd = sys_open_tree(dirfd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);

	*out = (struct mnt){ .fd = fd, .detached = true, .recursive = flags & AT_RECURSIVE };
	if (!is_absent(fd))
		return fd < 0 ? fd : 0;
	out->detached = false;
	if (flags & AT_EMPTY_PATH)
		out->fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	else
		out->fd = openat(dirfd, path, O_PATH | O_CLOEXEC |
				 (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0));
	return out->fd < 0 ? -errno : 0;
}

/* What the kernel has put into the context's message queue: "e tmpfs: Bad value for 'size'". */
static void read_text(int ctx, char *text, size_t size)
{
	ssize_t n;

	if (!text || size < 3)
		return;
	while ((n = read(ctx, text, size - 1)) > 0) {
		text[n] = '\0';
		if (text[n - 1] == '\n')
			text[n - 1] = '\0';
		if (text[0] == 'e' && text[1] == ' ') {
			memmove(text, text + 2, strlen(text + 2) + 1);
			return;
		}
	}
	text[0] = '\0';
}

static int configure_one(int ctx, const struct mnt_param *p)
{
	if (!p->key)
		return 0;
	if (!p->value)
		return sys_fsconfig(ctx, FSCONFIG_SET_FLAG, p->key, NULL, 0);
	return sys_fsconfig(ctx, FSCONFIG_SET_STRING, p->key, p->value, 0);
}

static int configure(int ctx, const struct mnt_fs *fs)
{
	int r = 0;

	for (size_t i = 0; i < N_SUPER_FLAGS && r >= 0; i++)
		if (fs->ms & super_flags[i].ms)
			r = sys_fsconfig(ctx, FSCONFIG_SET_FLAG, super_flags[i].name, NULL, 0);
	for (size_t i = 0; i < fs->n_params && r >= 0; i++)
		r = configure_one(ctx, &fs->params[i]);
	if (r >= 0)
		r = configure_one(ctx, &fs->extra);
	return r;
}

/* mount(2) alone knows MS_I_VERSION and values above 255 bytes (overlay's lowerdir). */
static bool needs_mount2(const struct mnt_fs *fs)
{
	if (fs->ms & MS_I_VERSION)
		return true;
	for (size_t i = 0; i < fs->n_params; i++)
		if (fs->params[i].value && strlen(fs->params[i].value) > FSCONFIG_VALUE_MAX)
			return true;
	return false;
}

int mnt_create_in(int ctx, const struct mnt_fs *fs, struct mnt *out, char *text, size_t size)
{
	const struct mnt_param source = { "source", fs->source };
	int r;

	*out = (struct mnt)MNT_INIT;
	if (text && size)
		text[0] = '\0';
	r = fs->source ? configure_one(ctx, &source) : 0;
	if (r >= 0)
		r = configure(ctx, fs);
	if (r >= 0)
		r = sys_fsconfig(ctx, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r >= 0)
		r = sys_fsmount(ctx, FSMOUNT_CLOEXEC, (unsigned int)fs->attr);
	if (r < 0) {
		read_text(ctx, text, size);
		return r;
	}
	out->fd = r;
	out->detached = true;
	return 0;
}

int mnt_create(const struct mnt_fs *fs, struct mnt *out, char *text, size_t size)
{
	owned_fd ctx = needs_mount2(fs) ? -ENOSYS : sys_fsopen(fs->type, FSOPEN_CLOEXEC);

	*out = (struct mnt)MNT_INIT;
	if (text && size)
		text[0] = '\0';
	if (is_absent(ctx)) {
		out->fs = fs;
		return 0;
	}
	return ctx < 0 ? ctx : mnt_create_in(ctx, fs, out, text, size);
}

int mnt_idmap(int fd, int userns, bool recursive)
{
	const struct sys_mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns,
	};

	return sys_mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr);
}

static int setattr_one(int fd, bool recursive, const struct sys_mount_attr *attr)
{
	if (!attr->attr_set && !attr->attr_clr && !attr->propagation)
		return 0;
	return sys_mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), attr);
}

static int setattr_new(int fd, const struct mnt_attr *a)
{
	uint64_t type = a->propagation & ~(uint64_t)MS_REC;
	bool deep = a->propagation & MS_REC;
	struct sys_mount_attr one = {
		.attr_set = a->set, .attr_clr = a->clr | a->implied, .propagation = deep ? 0 : type,
	};
	struct sys_mount_attr tree = {
		.attr_set = a->rec_set, .attr_clr = a->rec_clr, .propagation = deep ? type : 0,
	};
	int r = setattr_one(fd, false, &one);

	/*
	 * A flag set by a more privileged mount namespace is locked here; one that nobody named may
	 * stay.
	 */
	if (r == -EPERM && a->implied) {
		one.attr_clr = a->clr;
		r = setattr_one(fd, false, &one);
	}
	return r < 0 ? r : setattr_one(fd, true, &tree);
}

int mnt_propagation(int fd, uint64_t propagation)
{
	const struct mnt_attr a = { .propagation = propagation };
	struct fd_path path;
	int r = setattr_new(fd, &a);

	if (r != -ENOSYS)
		return r;
	if (mount(NULL, fd_path(fd, &path), NULL, (unsigned long)propagation, NULL) < 0)
		return -errno;
	return 0;
}

/* Linux before 5.12: a bind remount with all flags, those that it has and those that are asked for.
 */
static int setattr_old(int fd, const struct mnt_attr *a)
{
	struct fd_path path;
	struct statfs sf;
	uint64_t attr;

	if (a->rec_set || a->rec_clr)
		return -ENOSYS;
	if (fstatfs(fd, &sf) < 0)
		return -errno;
	attr = attr_from_statfs((unsigned long)sf.f_flags);
	attr = (attr & ~(a->clr | a->implied)) | a->set;
	if ((a->set || a->clr || a->implied) &&
	    mount(NULL, fd_path(fd, &path), NULL, MS_REMOUNT | MS_BIND | ms_from_attr(attr), NULL) <
		    0) {
		if (errno != EPERM || !a->implied)
			return -errno;
		attr |= attr_from_statfs((unsigned long)sf.f_flags) & a->implied;
		if (mount(NULL, path.text, NULL, MS_REMOUNT | MS_BIND | ms_from_attr(attr), NULL) <
		    0)
			return -errno;
	}
	return a->propagation ? mnt_propagation(fd, a->propagation) : 0;
}

int mnt_setattr(int fd, const struct mnt_attr *a)
{
	int r = setattr_new(fd, a);

	return r == -ENOSYS ? setattr_old(fd, a) : r;
}

/*
 * All parameters as the data of mount(2).  -E2BIG when they do not fit into the page the kernel
 * takes.
 */
static int join_data(const struct mnt_fs *fs, char *out, size_t size)
{
	struct strbuf b = { .text = out, .size = size };

	out[0] = '\0';
	for (size_t i = 0; i <= fs->n_params; i++) {
		const struct mnt_param *p = i < fs->n_params ? &fs->params[i] : &fs->extra;
		const char *quote = p->value && strchr(p->value, ',') ? "\"" : "";

		if (!p->key)
			continue;
		strbuf_addf(&b, "%s%s", b.len ? "," : "", p->key);
		/* Only SELinux contexts have commas, and only they may be quoted. */
		if (p->value && strstr(p->key, "context"))
			strbuf_addf(&b, "=%s%s%s", quote, p->value, quote);
		else if (p->value)
			strbuf_addf(&b, "=%s", p->value);
	}
	return b.overflow ? -E2BIG : 0;
}

static int attach_old(struct mnt *m, const struct mnt_dest *d)
{
	struct fd_path from, to;
	char data[DATA_MAX];
	int r;

	fd_path(d->fd, &to);
	if (m->fs) {
		r = join_data(m->fs, data, sizeof(data));
		if (r < 0)
			return r;
		r = mount(m->fs->source, to.text, m->fs->type,
			  m->fs->ms | ms_from_attr(m->fs->attr), data);
	} else {
		r = mount(fd_path(m->fd, &from), to.text, NULL,
			  MS_BIND | (m->recursive ? MS_REC : 0), NULL);
	}
	if (r < 0)
		return -errno;
	/*
	 * d->fd still is what got covered.  Walking the path once more, again inside root only,
	 * finds the top; a path exchanged meanwhile leads to another place of the same container.
	 */
	fd_close(&m->fd);
	m->fs = NULL;
	m->fd = path_lookup(d->root, d->path);
	return m->fd < 0 ? m->fd : 0;
}

int mnt_attach(struct mnt *m, const struct mnt_dest *d, const struct mnt_attr *a)
{
	bool done = !a;
	int r;

	if (m->detached && a) {
		r = setattr_new(m->fd, a);
		if (r < 0 && r != -ENOSYS)
			return r;
		done = r >= 0;
	}
	if (m->detached) {
		r = sys_move_mount(m->fd, "", d->fd, "",
				   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
		/* Not the -ENOSYS of attributes that the kernel lacks: then the mount would be in
		 * place. */
		if (r == -ENOSYS)
			r = -EOPNOTSUPP;
		m->detached = false;
	} else {
		r = attach_old(m, d);
	}
	if (r < 0)
		return r;
	return done ? 0 : mnt_setattr(m->fd, a);
}

int mnt_reconfigure(int fd, const struct mnt_fs *fs, char *text, size_t size)
{
	struct fd_path path;
	owned_fd ctx = -1;
	char data[DATA_MAX];
	int r;

	if (text && size)
		text[0] = '\0';
	ctx = needs_mount2(fs) ? -ENOSYS : sys_fspick(fd, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
	if (!is_absent(ctx)) {
		r = ctx < 0 ? ctx : configure(ctx, fs);
		if (r >= 0)
			r = sys_fsconfig(ctx, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
		if (r < 0 && ctx >= 0)
			read_text(ctx, text, size);
		return r;
	}
	r = join_data(fs, data, sizeof(data));
	if (r < 0)
		return r;
	if (mount(NULL, fd_path(fd, &path), NULL, MS_REMOUNT | fs->ms | ms_from_attr(fs->attr),
		  data) < 0)
		return -errno;
	return 0;
}
