/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mnt.h"
#include "base/path.h"

#define MAJOR_MAX 0xfff		/* the kernel's dev_t: 12 and 20 bits */
#define MINOR_MAX 0xfffff

static const struct {
	const char *path;
	unsigned int major, minor;
} defaults[] = {
	{ "/dev/null", 1, 3 },	{ "/dev/zero", 1, 5 },	  { "/dev/full", 1, 7 },
	{ "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};

static const struct {
	const char *name;
	const char *target;
	bool replace;		/* what the image has there goes */
} links[] = {
	{ "fd", "/proc/self/fd", false },
	{ "stdin", "/proc/self/fd/0", false },
	{ "stdout", "/proc/self/fd/1", false },
	{ "stderr", "/proc/self/fd/2", false },
	{ "ptmx", "pts/ptmx", true },	/* the host's ptmx would open the host's ptys */
	{ "core", "/proc/kcore", false },
};

#define N_DEFAULTS (sizeof(defaults) / sizeof(defaults[0]))
#define N_LINKS (sizeof(links) / sizeof(links[0]))

/* Compile */

/* A /dev that the user brings is the user's. */
static bool is_dev_bound(const struct oci_config *c)
{
	char clean[PATH_MAX];

	for (size_t i = 0; i < c->n_mounts; i++) {
		const struct oci_mount *m = &c->mounts[i];
		bool bind = (m->type && strcmp(m->type, "bind") == 0) || oci_mount_has(m, "bind") ||
			    oci_mount_has(m, "rbind");

		if (bind && m->destination &&
		    path_clean(m->destination, clean, sizeof(clean)) >= 0 &&
		    strcmp(clean, "/dev") == 0)
			return true;
	}
	return false;
}

static const char *name_in_dev(const char *path)
{
	if (strncmp(path, "/dev/", 5) != 0 || strchr(path + 5, '/'))
		return NULL;
	return path + 5;
}

static int compile_one(const struct oci_config *c, const struct oci_device *d, struct arena *a,
		       struct device_node *n, struct error *err)
{
	char clean[PATH_MAX];

	if (!d->path || d->path[0] != '/' || path_has_dotdot(d->path))
		return oci_error(c, &d->path, err,
				 "a device path must be absolute and without \"..\"");
	if (path_clean(d->path, clean, sizeof(clean)) < 0 || strcmp(clean, "/") == 0)
		return oci_error(c, &d->path, err, "%s is no path for a device", d->path);
	n->path = arena_strdup(a, clean);
	n->name = name_in_dev(n->path);
	n->type = d->type == 'b' ? S_IFBLK : d->type == 'p' ? S_IFIFO : S_IFCHR;
	n->mode = d->file_mode ? *d->file_mode & 07777 : 0666;
	n->uid = d->uid ? *d->uid : 0;
	n->gid = d->gid ? *d->gid : 0;
	if (n->type == S_IFIFO)
		return 0;	/* numbers of a fifo mean nothing */
	if (!d->major || !d->minor)
		return oci_error(c, &d->type, err, "device %s needs major and minor", n->path);
	if (*d->major < 0 || *d->major > MAJOR_MAX)
		return oci_error(c, &d->major, err, "major of %s must be 0 to %d", n->path,
				 MAJOR_MAX);
	if (*d->minor < 0 || *d->minor > MINOR_MAX)
		return oci_error(c, &d->minor, err, "minor of %s must be 0 to %d", n->path,
				 MINOR_MAX);
	n->rdev = makedev((unsigned int)*d->major, (unsigned int)*d->minor);
	return 0;
}

static bool has_node(const struct device_plan *p, const char *path)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->nodes[i].path, path) == 0)
			return true;
	return false;
}

int device_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		   struct device_plan *out, struct error *err)
{
	size_t n = c->linux ? c->linux->n_devices : 0;
	int r = 0;

	*out = (struct device_plan){
		.left_alone = is_dev_bound(c),
		.bind = h->in_userns || oci_namespace_find(c, CLONE_NEWUSER),
		.mount_namespace = oci_namespace_find(c, CLONE_NEWNS),
	};
	if (out->left_alone && n > 0)
		json_warn(c->doc, JSON_CONFLICT, &c->linux->devices,
			  "no device is made: /dev is a bind mount, and left as it is");
	out->nodes = ARENA_NEW_ARRAY(a, struct device_node, n + N_DEFAULTS);
	for (size_t i = 0; i < n && oci_goes_on(c, r); i++) {
		struct device_node *node = &out->nodes[out->n];

		oci_keep(&r, compile_one(c, &c->linux->devices[i], a, node, err));
		if (r < 0)
			continue;
		/* /dev/ptmx is always the link into the container's own devpts. */
		if (strcmp(node->path, "/dev/ptmx") != 0)
			out->n++;
	}
	for (size_t i = 0; i < N_DEFAULTS; i++)
		if (!has_node(out, defaults[i].path))
			out->nodes[out->n++] = (struct device_node){
				.path = defaults[i].path,
				.name = name_in_dev(defaults[i].path),
				.type = S_IFCHR,
				.rdev = makedev(defaults[i].major, defaults[i].minor),
				.mode = 0666,
			};
	return r;
}

/* Run */

static bool is_node(const struct stat *st, const struct device_node *n)
{
	return (st->st_mode & S_IFMT) == n->type && (n->type == S_IFIFO || st->st_rdev == n->rdev);
}

/*
 * Owner by descriptor: between mknodat() and a second walk the name could come to mean something
 * else.
 */
static int give(int parent, const char *name, const struct device_node *n)
{
	owned_fd fd = -1;
	struct stat st;

	if (n->uid == 0 && n->gid == 0)
		return 0;
	fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!is_node(&st, n))
		return -EEXIST;
	return fchownat(fd, "", n->uid, n->gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/* 0: made, or was there.  -EPERM: must be bound. */
static int make(int parent, const char *name, const struct device_node *n)
{
	struct stat st;

	if (mknodat(parent, name, n->type | n->mode, n->rdev) == 0)
		return give(parent, name, n);
	if (errno != EEXIST)
		return -errno;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (is_node(&st, n) && (st.st_mode & 07777) == n->mode && st.st_uid == n->uid &&
	    st.st_gid == n->gid)
		return 0;
	/*
	 * A file, link or other device that the image brought: it would be trusted as the real one
	 * (CVE-2026-88265).
	 */
	if (unlinkat(parent, name, 0) < 0)
		return is_node(&st, n) ? 0 : -errno;
	if (mknodat(parent, name, n->type | n->mode, n->rdev) < 0)
		return -errno;
	return give(parent, name, n);
}

/*
 * What the host's node gets bound on: an empty file, or what is there unless it is a link or a
 * directory.
 */
static int open_target(int parent, const char *name)
{
	struct stat st;
	int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0);

	if (fd >= 0 || errno != EEXIST)
		return fd < 0 ? -errno : fd;
	fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
		int r = fd >= 0 && S_ISDIR(st.st_mode) ? -EISDIR : -errno;

		fd_close(&fd);
		return r;
	}
	if (!S_ISLNK(st.st_mode))
		return fd;
	fd_close(&fd);
	if (unlinkat(parent, name, 0) < 0)
		return -errno;
	fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

/* The host's node of the same path, if it is the same device: a name is no proof. */
static int bind(int parent, const char *name, const struct device_node *n, int root,
		struct error *err)
{
	struct mnt_dest d = { .fd = -1, .root = root, .path = n->path };
	struct mnt m = MNT_INIT;
	owned_fd source = open(n->path, O_PATH | O_CLOEXEC);
	struct stat st;
	int r;

	if (source < 0 || fstat(source, &st) < 0)
		return error_set(
			err, errno,
			"device %s: mknod is not allowed here, and the host's node cannot be "
			"bound",
			n->path);
	if (!is_node(&st, n))
		return error_set(
			err, 0,
			"device %s: mknod is not allowed here, and the host's node is %u:%u, not "
			"%u:%u",
			n->path, major(st.st_rdev), minor(st.st_rdev), major(n->rdev),
			minor(n->rdev));
	d.fd = open_target(parent, name);
	if (d.fd < 0)
		return error_set(err, -d.fd, "device %s: create a file for it", n->path);
	r = mnt_clone(source, "", AT_EMPTY_PATH, &m);
	if (r >= 0)
		r = mnt_attach(&m, &d, NULL);
	fd_close(&m.fd);
	fd_close(&d.fd);
	return r < 0 ? error_set(err, -r, "device %s: bind the host's node", n->path) : 0;
}

static int run_node(const struct device_plan *p, const struct device_node *n, int root, int dev,
		    struct error *err)
{
	owned_fd other = -1;
	char last[256];
	int r, parent = dev;
	const char *name = n->name;
	bool may_bind = p->mount_namespace && n->type != S_IFIFO;

	if (!name) {
		parent = other = path_parent(root, n->path, 0755, last);
		name = last;
		if (other < 0)
			return error_set(err, -other, "device %s: open its directory", n->path);
	}
	r = p->bind && may_bind ? -EPERM : make(parent, name, n);
	if (r == -EPERM && may_bind)
		return bind(parent, name, n, root, err);
	return r < 0 ? error_set(err, -r, "device %s: mknod", n->path) : 0;
}

static int run_links(int dev, struct error *err)
{
	for (size_t i = 0; i < N_LINKS; i++) {
		/* Pre-pivot, so this is the host's: some kernels have no /proc/kcore. */
		if (strcmp(links[i].name, "core") == 0 &&
		    faccessat(AT_FDCWD, links[i].target, F_OK, 0) < 0)
			continue;
		if (symlinkat(links[i].target, dev, links[i].name) == 0)
			continue;
		if (errno == EEXIST && !links[i].replace)
			continue;
		if (errno != EEXIST || unlinkat(dev, links[i].name, 0) < 0 ||
		    symlinkat(links[i].target, dev, links[i].name) < 0)
			return error_set(err, errno, "symbolic link /dev/%s", links[i].name);
	}
	return 0;
}

/*
 * /dev as a descriptor: created if missing, refused if it is a link, through which all below would
 * land elsewhere.
 */
static int open_dev(int root, struct error *err)
{
	struct stat st;
	int fd = path_lookup_nofollow(root, "/dev");

	if (fd == -ENOENT)
		fd = path_mkdirs(root, "/dev", 0755);
	if (fd < 0)
		return error_set(err, -fd, "open the container's /dev");
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		return fd;
	fd_close(&fd);
	return error_set(err, 0, "the root file system's /dev is %s, not a directory",
			 S_ISLNK(st.st_mode) ? "a symbolic link" : "a file");
}

int device_run(const struct device_plan *p, int root, struct error *err)
{
	owned_fd dev = -1;
	mode_t mask;
	int r = 0;

	if (p->left_alone)
		return 0;
	dev = open_dev(root, err);
	if (dev < 0)
		return dev;
	mask = umask(0);	/* modes as given; nothing else runs in this process */
	for (size_t i = 0; i < p->n && r == 0; i++)
		r = run_node(p, &p->nodes[i], root, dev, err);
	umask(mask);
	return r < 0 ? r : run_links(dev, err);
}

int device_console_run(int root, int slave, struct error *err)
{
	owned_fd dev = open_dev(root, err);
	struct mnt_dest d = { .fd = -1, .root = root, .path = "/dev/console" };
	struct mnt m = MNT_INIT;
	struct stat st;
	int r;

	if (dev < 0)
		return dev;
	d.fd = openat(dev, "console", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (d.fd < 0 && errno == EEXIST)
		d.fd = openat(dev, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (d.fd < 0 || fstat(d.fd, &st) < 0) {
		r = error_set(err, errno, "create /dev/console");
	} else if (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode)) {
		r = error_set(err, 0, "/dev/console of the root file system is a %s",
			      S_ISLNK(st.st_mode) ? "symbolic link" : "directory");
	} else {
		r = mnt_clone(slave, "", AT_EMPTY_PATH, &m);
		if (r >= 0)
			r = mnt_attach(&m, &d, NULL);
		if (r < 0)
			error_set(err, -r, "bind the terminal on /dev/console");
	}
	fd_close(&m.fd);
	fd_close(&d.fd);
	return r;
}

void device_show(const struct device_plan *p, struct show *out)
{
	if (p->left_alone) {
		show_act(out, "leave /dev as it is: a bind mount");
		return;
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct device_node *n = &p->nodes[i];

		if (n->type == S_IFIFO)
			show_act(out, "make fifo %s mode %04o owner %u:%u", n->path, n->mode,
				 n->uid, n->gid);
		else
			show_act(out, "%s %s %c %u:%u mode %04o owner %u:%u",
				 p->bind ? "bind" : "make", n->path, n->type == S_IFBLK ? 'b' : 'c',
				 major(n->rdev), minor(n->rdev), n->mode, n->uid, n->gid);
	}
	for (size_t i = 0; i < N_LINKS; i++)
		show_act(out, "link /dev/%s to %s", links[i].name, links[i].target);
}
