/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_run.c - carries the mounts out, in the child.
 *
 * What the container could have changed before: everything below root, since the image is the
 * adversary, and while this runs whatever it shares with running containers.  So each destination
 * is walked once, by openat2() inside root, and covered by descriptor; what the descriptor shows is
 * checked, not what the path said.
 */
#include "mount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"

struct run {
	const struct mount_plan *p;
	const struct mount_entry *e;
	struct mount_fds *fds;
	int root;
	int bundle;
	int pidns;
	const struct mount_cgroup_env *cgroup;
	struct error *err;
};

/* "(ro,nosuid; size=64k)": what was asked of the mount, as far as it asked for something. */
static void add_options(const struct mount_entry *e, struct strbuf *b)
{
	char flags[256];

	mount_option_print(&e->flags, flags, sizeof(flags));
	if (!*flags && e->fs.n_params == 0)
		return;
	strbuf_addf(b, " (%s", flags);
	for (size_t i = 0; i < e->fs.n_params; i++) {
		const struct mnt_param *p = &e->fs.params[i];
		const char *value = mount_option_shown(e->type, p);

		strbuf_addf(b, "%s%s%s%s", i > 0 ? "," : *flags ? "; " : "", p->key,
			    value ? "=" : "", value ? value : "");
	}
	strbuf_add(b, ")");
}

/* The place where a failed mount gets its words; text is the kernel's or our own, or "". */
static int fail_at(const struct run *k, const char *where, int r, const char *text)
{
	const struct mount_entry *e = k->e;
	char options[768];
	struct strbuf b = STRBUF(options);

	add_options(e, &b);
	return error_set(k->err, -r, "%s: %s %s on %s%s%s%s", where,
			 e->kind == MOUNT_AGAIN	 ? "remount"
			 : e->kind == MOUNT_FROM ? "bind"
						 : "mount",
			 e->kind == MOUNT_FROM || !*e->type ? e->source : e->type, e->destination,
			 options, *text ? ": " : "", text);
}

static int fail(const struct run *k, int r, const char *text)
{
	return fail_at(k, k->e->where, r, text);
}

static int fail_source(const struct run *k, int r, const char *text)
{
	return fail_at(k, k->e->where_source, r, text);
}

/* "tmpfs: Unknown parameter 'nosiud'": was one of our own options meant? */
static void suggest(struct error *err, const char *text)
{
	const char *open = strchr(text, '\'');
	char name[64];
	size_t n;

	if (!open || !strstr(text, "nknown parameter"))
		return;
	n = strcspn(open + 1, "'");
	if (n >= sizeof(name))
		return;
	memcpy(name, open + 1, n);
	name[n] = '\0';
	if (mount_option_suggest(name))
		error_append(err, " (did you mean \"%s\"?)", mount_option_suggest(name));
}

/* linux.mountLabel, if this mount has it; the kernel refuses an unknown one without a word. */
static const char *mount_label(const struct mount_entry *e)
{
	for (size_t i = 0; i < e->fs.n_params; i++)
		if (strcmp(e->fs.params[i].key, "context") == 0)
			return e->fs.params[i].value;
	return NULL;
}

static bool is_directory_key(const char *key)
{
	/* The two with a plus are those of later kernels. */
	static const char *const keys[] = {
		"lowerdir", "lowerdir+", "datadir+", "upperdir", "workdir",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

/*
 * The directories of an overlay: the kernel says ENOENT for all of them.  Only in lowerdir a ':'
 * separates, everywhere '\' makes the next letter an ordinary one.
 */
static bool is_missing(const struct run *k, const char *key, const char *list)
{
	const char separator = strcmp(key, "lowerdir") == 0 ? ':' : '\0';
	char path[PATH_MAX];
	struct stat st;

	while (*list) {
		size_t n = 0;

		for (; *list && *list != separator && n < sizeof(path) - 1; list++) {
			if (*list == '\\' && list[1])
				list++;
			path[n++] = *list;
		}
		path[n] = '\0';
		if (*list && *list++ != separator)
			return false;
		if (n == 0 || stat(path, &st) == 0 || errno != ENOENT)
			continue;
		error_append(k->err, " (%s %s does not exist)", key, path);
		return true;
	}
	return false;
}

static int fail_overlay(const struct run *k, int r)
{
	for (size_t i = 0; i < k->e->fs.n_params; i++) {
		const struct mnt_param *p = &k->e->fs.params[i];

		if (is_directory_key(p->key) && p->value && is_missing(k, p->key, p->value))
			break;
	}
	return r;
}

static int fail_fs(const struct run *k, int r, const char *text)
{
	const char *type = k->e->type;
	/* A file system on a device, or of another machine: the source may be what is wrong. */
	bool device = k->e->kind == MOUNT_FS && strchr(k->e->source, '/');

	fail_at(k, device ? k->e->where_source : k->e->where, r, text);
	suggest(k->err, text);
	if (device)
		error_append(k->err, " (source %s)", k->e->source);
	if (r == -ENOENT && strcmp(type, "overlay") == 0)
		return fail_overlay(k, r);
	if (r == -EINVAL && mount_label(k->e))
		return error_append(k->err, " (linux.mountLabel: does the SELinux policy know the "
				    "label \"%s\"?)", mount_label(k->e));
	if (r == -ENODEV)
		return error_append(k->err, " (this kernel has no file system type \"%s\")", type);
	if (r == -ENOSYS)
		return error_append(k->err, " (recursive mount options need Linux 5.12)");
	if (r == -EPERM && strcmp(type, "proc") == 0)
		return error_append(
			k->err,
			" (in a user namespace the kernel allows a new proc only with an own "
			"pid namespace, and only where no part of the visible /proc is covered: an "
			"outer container must not mask its /proc)");
	if (r == -EPERM && strcmp(type, "sysfs") == 0)
		return error_append(
			k->err,
			" (a user namespace needs an own network namespace for sysfs, and an "
			"outer container must not mask its /sys)");
	return r;
}

static uint64_t mount_id(int fd)
{
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx) < 0)
		return 0;
	return sx.stx_mnt_id;
}

/*
 * Nothing may cover a part of the container's /proc but the files that lxcfs serves: what the
 * runtime and the program read there must be the kernel's (CVE-2019-16884).  The text of the
 * destination was checked when the plan was made; here a symlink of the image that leads into /proc
 * is caught.  A procfs elsewhere is the config's own.
 */
static int check_proc(const struct run *k, int fd)
{
	const struct mount_entry *e = k->e;
	struct statfs sf;
	owned_fd proc = -1;

	if (e->in_proc || strcmp(e->destination, "/proc") == 0)
		return 0;
	if (fstatfs(fd, &sf) < 0)
		return fail(k, -errno, "statfs of the destination");
	if (sf.f_type != PROC_SUPER_MAGIC)
		return 0;
	proc = path_lookup_nofollow(k->root, "/proc");
	if (proc >= 0 && mount_id(proc) != mount_id(fd))
		return 0;
	return fail(k, 0, "the destination leads into /proc through a symbolic link");
}

/* Makes what will be covered, in most cases without a walk of many steps. */
static int make_destination(const struct run *k, mode_t type)
{
	const char *path = k->e->destination;
	int fd;

	if (type == S_IFDIR)
		return path_mkdirs(k->root, path, 0755);
	fd = path_newfile(k->root, path, 0644);
	return fd < 0 ? path_mkfile(k->root, path, 0644) : fd;
}

/* Finds or makes what will be covered.  type: S_IFDIR, or anything else for a file. */
static int open_destination(const struct run *k, mode_t type, struct mnt_dest *d, bool *created)
{
	const struct mount_entry *e = k->e;
	bool nofollow = e->ordinary || e->flags.special & MOUNT_DEST_NOFOLLOW;
	struct stat st;
	char text[48];

	*d = (struct mnt_dest){ .fd = -1, .root = k->root, .path = e->destination };
	*created = false;
	d->fd = nofollow ? path_lookup_nofollow(k->root, e->destination)
			 : path_lookup(k->root, e->destination);
	if (d->fd == -ENOENT) {
		*created = true;
		d->fd = make_destination(k, type);
	}
	if (d->fd < 0)
		return fail(k, d->fd, *created ? "create the destination" : "destination");
	if (!e->ordinary)
		return check_proc(k, d->fd);
	/*
	 * A symlink here would put /proc or /sys somewhere else, and leave a fake one for us to
	 * trust.
	 */
	if (fstat(d->fd, &st) < 0)
		return fail(k, -errno, "stat of the destination");
	if (S_ISDIR(st.st_mode))
		return 0;
	snprintf(text, sizeof(text), "filesystem \"%.15s\"", *e->type ? e->type : "none");
	fail(k, 0, text);
	return error_append(k->err, " must be mounted on ordinary directory, not a %s",
			    S_ISLNK(st.st_mode) ? "symbolic link" : "file");
}

/* The rest of the attributes: fsmount() has set the mount's own already. */
static struct mnt_attr rest_of(const struct mount_flags *f)
{
	return (struct mnt_attr){
		.rec_set = f->attr.rec_set,
		.rec_clr = f->attr.rec_clr,
		.propagation = f->attr.propagation,
	};
}

/*
 * The host's /sys for a container that shares the host's network namespace.  It comes with
 * everything that is mounted in it, since a user namespace must not uncover what is below; so
 * read-only must reach all of it, or the host's cgroups would be writable (CVE-2023-25809).
 */
static int bind_sysfs(const struct run *k, const struct mnt_dest *d)
{
	struct mnt_attr attr = k->e->flags.attr;
	struct mnt m = MNT_INIT;
	int r;

	attr.rec_set |= attr.set;
	attr.set = 0;
	r = mnt_clone(AT_FDCWD, "/sys", AT_RECURSIVE, &m);
	if (r == 0)
		r = mnt_attach(&m, d, &attr);
	fd_close(&m.fd);
	return r < 0 ? fail_fs(k, r, "the host's /sys in place of a new sysfs") : 0;
}

static int idmap(const struct run *k, const struct mnt *m)
{
	int r;

	if (k->fds->userns < 0)
		return 0;
	r = m->detached
		    ? mnt_idmap(m->fd, k->fds->userns, k->e->flags.special & MOUNT_IDMAP_RECURSIVE)
		    : -ENOSYS;
	if (r >= 0)
		return 0;
	fail(k, r, "map its ids");
	if (r == -ENOSYS)
		return error_append(k->err, " (idmapped mounts need Linux 5.12)");
	return r == -EINVAL
		       ? error_append(k->err, " (does its file system support idmapped mounts?)")
		       : r;
}

/*
 * A procfs of the PID namespace that a child will be in: its fs context was opened by a process in
 * there, or is told the namespace, by a descriptor, since this process is in another one.
 */
static int open_proc(const struct run *k)
{
	owned_fd ctx = fd_take(&k->fds->proc);
	int r;

	if (ctx >= 0)
		return fd_take(&ctx);
	ctx = sys_fsopen("proc", FSOPEN_CLOEXEC);
	if (ctx < 0 || k->pidns < 0)
		return fd_take(&ctx);
	r = sys_fsconfig(ctx, FSCONFIG_SET_FD, "pidns", NULL, k->pidns);
	return r < 0 ? r : fd_take(&ctx);
}

/* Whoever opened the context may have been in the hands of others: what came of it is looked at. */
static int create_proc(const struct run *k, const struct mnt_fs *fs, struct mnt *m, char *text,
		       size_t size)
{
	owned_fd ctx = open_proc(k);
	struct statfs sf;
	struct stat st;
	int r;

	text[0] = '\0';
	if (ctx < 0)
		return ctx;
	r = mnt_create_in(ctx, fs, m, text, size);
	if (r < 0)
		return r;
	if (fstatfs(m->fd, &sf) < 0 || fstat(m->fd, &st) < 0)
		return -errno;
	return sf.f_type == PROC_SUPER_MAGIC && st.st_ino == PROC_ROOT_INODE ? 0 : -EBADF;
}

static int run_fs_on(const struct run *k, const struct mnt_dest *d, bool created, struct mnt *m)
{
	struct mnt_attr rest = rest_of(&k->e->flags);
	struct mnt_fs fs = k->e->fs;
	char text[256], mode[8];
	struct stat st;
	int r;

	if (k->e->inherit_mode && !created && fstat(d->fd, &st) == 0) {
		snprintf(mode, sizeof(mode), "%o", (unsigned int)st.st_mode & 07777);
		fs.extra = (struct mnt_param){ "mode", mode };
	}
	if (k->p->proc_of_children && strcmp(fs.type, "proc") == 0)
		r = create_proc(k, &fs, m, text, sizeof(text));
	else
		r = mnt_create(&fs, m, text, sizeof(text));
	if (r == 0) {
		r = idmap(k, m);
		if (r < 0)
			return r;
		r = mnt_attach(m, d, &rest);
	}
	if (r == -EPERM && k->e->sysfs_fallback)
		return bind_sysfs(k, d);
	if (r < 0)
		return fail_fs(k, r, text);
	if (k->e->flags.special & MOUNT_TMPCOPYUP && mount_copyup_run(d->fd, m->fd, k->err) < 0)
		return error_prefix(k->err, "%s: tmpcopyup on %s", k->e->where,
				    k->e->destination);
	if (k->e->late_readonly)
		k->fds->late = fd_take(&m->fd);
	return 0;
}

static int run_fs(const struct run *k)
{
	struct mnt m = MNT_INIT;
	struct mnt_dest d;
	bool created;
	int r = open_destination(k, S_IFDIR, &d, &created);

	if (r == 0)
		r = run_fs_on(k, &d, created, &m);
	fd_close(&d.fd);
	fd_close(&m.fd);
	return r;
}

/*
 * copy-symlink: a source that is a symlink is made again, not followed.  1: it was one, and is
 * done.
 */
static int copy_symlink(const struct run *k)
{
	char target[PATH_MAX], there[PATH_MAX], name[256];
	ssize_t n, old;
	owned_fd parent = -1;

	n = readlinkat(k->bundle, k->e->source, target, sizeof(target) - 1);
	if (n < 0)
		return errno == EINVAL ? 0 : fail_source(k, -errno, "read the source");
	target[n] = '\0';
	parent = path_parent(k->root, k->e->destination, 0755, name);
	if (parent < 0)
		return fail(k, parent, "create the destination's directory");
	if (symlinkat(target, parent, name) == 0)
		return 1;
	if (errno != EEXIST)
		return fail(k, -errno, "make the symbolic link");
	old = readlinkat(parent, name, there, sizeof(there) - 1);
	if (old == n && memcmp(target, there, (size_t)n) == 0)
		return 1;
	return fail(k, -EEXIST, "the destination of copy-symlink");
}

static int open_source(const struct run *k, struct mnt *m)
{
	const struct mount_entry *e = k->e;
	unsigned int flags = e->flags.special & MOUNT_RECURSIVE ? AT_RECURSIVE : 0;
	int r;

	if (e->flags.special & MOUNT_SRC_NOFOLLOW)
		flags |= AT_SYMLINK_NOFOLLOW;
	/* With a user namespace the parent has made the idmapped tree. */
	if (k->p->userns && k->fds->userns >= 0) {
		*m = (struct mnt){ .fd = fd_take(&k->fds->tree), .detached = true };
		return 0;
	}
	r = mnt_clone(k->bundle, e->source, flags, m);
	if (r == -EACCES && k->fds->tree >= 0) {
		*m = (struct mnt){ .fd = fd_take(&k->fds->tree), .detached = true };
		r = 0;
	}
	if (r >= 0)
		return idmap(k, m);
	fail_source(k, r, "open the source");
	if (r == -EINVAL && k->p->userns && !(flags & AT_RECURSIVE))
		return error_append(
			k->err, " (something is mounted below it, which a user namespace may not "
				"uncover: use rbind)");
	return r;
}

/* A directory cannot cover a file, nor a file a directory; the kernel only says EINVAL. */
static int fail_bind(const struct run *k, int r, const struct stat *source, int dest)
{
	struct stat st;
	bool directory = S_ISDIR(source->st_mode);

	if (r == -EPERM && k->p->userns) {
		fail(k, r, "change its flags");
		return error_append(k->err, " (a user namespace may not clear the flags that the "
					    "source is mounted with)");
	}
	if (fstat(dest, &st) < 0 || S_ISDIR(st.st_mode) == directory)
		return fail_fs(k, r, "");
	return fail(k, directory ? -ENOTDIR : -EISDIR,
		    directory ? "the source is a directory, the destination is not"
			      : "the destination is a directory, the source is not");
}

static int run_bind_from(const struct run *k, struct mnt *m)
{
	struct mnt_dest d;
	struct statfs sf;
	struct stat st;
	bool created;
	int r;

	if (fstat(m->fd, &st) < 0)
		return fail_source(k, -errno, "stat of the source");
	/* Only procfs may pose as procfs. */
	if (strcmp(k->e->destination, "/proc") == 0 &&
	    (fstatfs(m->fd, &sf) < 0 || sf.f_type != PROC_SUPER_MAGIC))
		return fail(k, 0, "/proc cannot be mounted because it is not of type proc");
	r = open_destination(k, S_ISDIR(st.st_mode) ? S_IFDIR : S_IFREG, &d, &created);
	if (r == 0) {
		r = mnt_attach(m, &d, &k->e->flags.attr);
		if (r < 0)
			r = fail_bind(k, r, &st, d.fd);
	}
	fd_close(&d.fd);
	return r;
}

static int run_bind(const struct run *k)
{
	struct mnt m = MNT_INIT;
	int r;

	if (k->e->flags.special & MOUNT_COPY_SYMLINK) {
		r = copy_symlink(k);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	r = open_source(k, &m);
	if (r == 0)
		r = run_bind_from(k, &m);
	fd_close(&m.fd);
	return r;
}

static int run_again(const struct run *k)
{
	const struct mount_entry *e = k->e;
	owned_fd fd = path_lookup(k->root, e->destination);
	bool bind = e->flags.special & MOUNT_BIND;
	char text[256] = "";
	int r;

	if (fd < 0)
		return fail(k, fd, "destination");
	r = mnt_setattr(fd, &e->flags.attr);
	if (r >= 0 && !bind && (e->fs.n_params || e->fs.ms))
		r = mnt_reconfigure(fd, &e->fs, text, sizeof(text));
	if (r == -EINVAL && !*text)
		return fail(k, r, "is it a mount point?");
	return r < 0 ? fail_fs(k, r, text) : 0;
}

static int run_cgroup(const struct run *k)
{
	struct mnt_dest d;
	bool created;
	int r = open_destination(k, S_IFDIR, &d, &created);

	if (r == 0) {
		r = mount_cgroup_run(k->e->cgroup_v1 ? &k->p->cgroup_v1 : &k->p->cgroup, k->cgroup,
				     &d, &k->e->flags.attr, k->err);
		if (r < 0)
			r = error_prefix(k->err, "%s: mount cgroup on %s", k->e->where,
					 k->e->destination);
	}
	fd_close(&d.fd);
	return r;
}

int mount_run(const struct mount_plan *p, const struct mount_place *at,
	      const struct mount_cgroup_env *cgroup, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < p->n && !p->skipped && r == 0; i++) {
		const struct run k = { .p = p,
				       .e = &p->entries[i],
				       .fds = &p->fds[i],
				       .root = at->root,
				       .bundle = at->bundle,
				       .pidns = at->pidns,
				       .cgroup = cgroup,
				       .err = err };

		switch (k.e->kind) {
		case MOUNT_FS:
			r = run_fs(&k);
			break;
		case MOUNT_FROM:
			r = run_bind(&k);
			break;
		case MOUNT_AGAIN:
			r = run_again(&k);
			break;
		case MOUNT_CGROUP:
			r = run_cgroup(&k);
			break;
		}
	}
	return r;
}

int mount_late_run(const struct mount_plan *p, struct error *err)
{
	static const struct mnt_attr readonly = { .set = MOUNT_ATTR_RDONLY };

	for (size_t i = 0; i < p->n; i++) {
		int r = p->fds[i].late < 0 ? 0 : mnt_setattr(p->fds[i].late, &readonly);

		if (r < 0)
			return error_set(err, -r, "%s: make %s read-only", p->entries[i].where,
					 p->entries[i].destination);
	}
	mount_close(p);
	return 0;
}
