/* SPDX-License-Identifier: Apache-2.0 */
#include "mask.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mnt.h"
#include "base/path.h"
#include "base/str.h"

#define PATHS_MAX 10000	/* of each list; the kernel allows 100000 mounts */

#define ST_RDONLY_BIT 0x0001

struct compile {
	const struct oci_config *c;
	char **paths;
	struct error *err;
};

struct path {
	const char *clean;
	size_t at;		/* in the configuration's list */
};

static int compare_paths(const void *a, const void *b)
{
	const struct path *x = a, *y = b;
	int r = strcmp(x->clean, y->clean);

	return r != 0 ? r : (x->at > y->at) - (x->at < y->at);
}

/*
 * Each path once, at its first place.  Sorted, since comparing each with each takes minutes where
 * there are many.
 */
static int keep_first(const struct compile *k, struct path *list, size_t n, const char **out,
		      size_t *n_out)
{
	size_t end = 0;

	qsort(list, n, sizeof(*list), compare_paths);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && strcmp(list[i].clean, list[i - 1].clean) == 0)
			continue;
		out[list[i].at] = list[i].clean;
		end = list[i].at + 1 > end ? list[i].at + 1 : end;
	}
	/* The places of the others are empty. */
	for (size_t i = 0; i < end; i++) {
		if (!out[i])
			continue;
		if (*n_out == PATHS_MAX)
			return oci_error(k->c, &k->paths[i], k->err, "more than %d paths",
					 PATHS_MAX);
		out[(*n_out)++] = out[i];
	}
	return 0;
}

/*
 * A ".." is left for the kernel to walk: behind a link of the image it is not the name before it
 * that goes, and what is looked for at the wrong place would not be covered.
 */
static int clean_path(const char *path, char *out, size_t size)
{
	struct strbuf b = { .text = out, .size = size };

	if (!path_has_dotdot(path))
		return path_clean(path, out, size);
	out[0] = '\0';
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len > 0 && !(len == 1 && path[0] == '.'))
			strbuf_addf(&b, "/%.*s", (int)len, path);
		path += len + (path[len] == '/');
	}
	return b.overflow ? -ENAMETOOLONG : (int)b.len;
}

static int compile_list(const struct oci_config *c, char **paths, struct arena *a,
			const char ***out, size_t *n_out, struct error *err)
{
	const struct compile k = { c, paths, err };
	size_t given = 0, n = 0;
	char clean[PATH_MAX];
	struct path *list;
	int r = 0;

	if (!paths || !*paths)
		return 0;
	if (!oci_namespace_find(c, CLONE_NEWNS))
		return oci_error(c, paths, err,
				 "paths cannot be masked or made read-only without a mount "
				 "namespace");
	while (paths[given])
		given++;
	list = ARENA_NEW_ARRAY(a, struct path, given);
	*out = ARENA_NEW_ARRAY(a, const char *, given);
	for (size_t i = 0; i < given && oci_goes_on(c, r); i++) {
		if (paths[i][0] != '/' || path_clean(paths[i], clean, sizeof(clean)) < 0 ||
		    strcmp(clean, "/") == 0 || clean_path(paths[i], clean, sizeof(clean)) < 0)
			oci_keep(&r, oci_error(c, &paths[i], err,
					       "%s must be an absolute path below /", paths[i]));
		else
			list[n++] = (struct path){ arena_strdup(a, clean), i };
	}
	oci_keep(&r, keep_first(&k, list, n, *out, n_out));
	return r;
}

int mask_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		 struct mask_plan *out, struct error *err)
{
	int r;

	(void)h;
	*out = (struct mask_plan){ .n_masked = 0 };
	if (!c->linux)
		return 0;
	r = compile_list(c, c->linux->masked_paths, a, &out->masked, &out->n_masked, err);
	if (oci_goes_on(c, r))
		oci_keep(&r, compile_list(c, c->linux->readonly_paths, a, &out->readonly,
					  &out->n_readonly, err));
	return r;
}

/* What masks: each is opened or made when the first path needs it. */
struct cover {
	int root;
	int null;
	int empty;		/* root of the shared tmpfs, once it is attached somewhere */
	struct error *err;
};

static bool is_null(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/*
 * The container's /dev/null may be anything the image put there; binding that would give the
 * container a writable copy of what is to be masked (CVE-2025-31133).  Whatever is not character
 * device 1:3 is not used.
 */
static int open_null(struct cover *k)
{
	if (k->null >= 0)
		return 0;
	k->null = path_lookup_nofollow(k->root, "/dev/null");
	if (is_null(k->null))
		return 0;
	fd_close(&k->null);
	k->null = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (is_null(k->null))
		return 0;
	fd_close(&k->null);
	return -ENODEV;
}

static int cover_file(struct cover *k, const struct mnt_dest *d)
{
	struct mnt m = MNT_INIT;
	int r = open_null(k);

	if (r == 0)
		r = mnt_clone(k->null, "", AT_EMPTY_PATH, &m);
	if (r >= 0)
		r = mnt_attach(&m, d, NULL);
	fd_close(&m.fd);
	return r;
}

/*
 * The first directory gets the tmpfs itself, the others copies of that mount: one superblock for
 * all.
 */
static int cover_directory(struct cover *k, const struct mnt_dest *d)
{
	static const struct mnt_param params[] = { { "mode", "755" }, { "nr_inodes", "2" } };
	static const struct mnt_fs fs = {
		.type = "tmpfs",
		.source = "tmpfs",
		.params = params,
		.n_params = 2,
		.attr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			MOUNT_ATTR_NOEXEC,
	};
	struct mnt m = MNT_INIT;
	int r = k->empty < 0 ? mnt_create(&fs, &m, NULL, 0)
			     : mnt_clone(k->empty, "", AT_EMPTY_PATH, &m);

	if (r >= 0)
		r = mnt_attach(&m, d, NULL);
	if (r >= 0 && k->empty < 0)
		k->empty = fd_take(&m.fd);
	fd_close(&m.fd);
	return r;
}

/* Opens path as a thing to be covered.  1: found (d->fd and st are set), 0: not there. */
static int find(const struct cover *k, const char *path, struct mnt_dest *d, struct stat *st)
{
	*d = (struct mnt_dest){ .fd = path_lookup_nofollow(k->root, path),
				.root = k->root,
				.path = path };
	if (d->fd == -ENOENT || d->fd == -ENOTDIR)
		return 0;
	if (d->fd < 0 || fstat(d->fd, st) < 0)
		return d->fd < 0 ? d->fd : -errno;
	/* Covering a link would not cover what it leads to, and following it lets the image choose.
	 */
	return S_ISLNK(st->st_mode) ? -ELOOP : 1;
}

static int run_masked(struct cover *k, const char *path)
{
	struct mnt_dest d;
	struct stat st;
	int r = find(k, path, &d, &st);

	if (r > 0)
		r = S_ISDIR(st.st_mode) ? cover_directory(k, &d) : cover_file(k, &d);
	fd_close(&d.fd);
	if (r == -ELOOP)
		return error_set(k->err, 0, "mask %s: it is a symbolic link", path);
	if (r == -ENODEV)
		return error_set(k->err, 0,
				 "mask %s: neither the container nor the host has a real /dev/null",
				 path);
	return r < 0 ? error_set(k->err, -r, "mask %s", path) : 0;
}

static int make_readonly(const struct mnt_dest *d)
{
	static const struct mnt_attr tree = { .rec_set = MOUNT_ATTR_RDONLY };
	static const struct mnt_attr top = { .set = MOUNT_ATTR_RDONLY };
	struct mnt m = MNT_INIT;
	struct statfs sf;
	int r;

	if (fstatfs(d->fd, &sf) == 0 && sf.f_flags & ST_RDONLY_BIT)
		return 0;
	r = mnt_clone(d->fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &m);
	if (r >= 0)
		r = mnt_attach(&m, d, &tree);
	/* Before Linux 5.12 only the mount itself; it is attached by then. */
	if (r == -ENOSYS && m.fd >= 0)
		r = mnt_setattr(m.fd, &top);
	fd_close(&m.fd);
	return r;
}

static int run_readonly(struct cover *k, const char *path)
{
	struct mnt_dest d;
	struct stat st;
	int r = find(k, path, &d, &st);

	if (r > 0)
		r = make_readonly(&d);
	fd_close(&d.fd);
	if (r == -ELOOP)
		return error_set(k->err, 0, "make %s read-only: it is a symbolic link", path);
	return r < 0 ? error_set(k->err, -r, "make %s read-only", path) : 0;
}

int mask_run(const struct mask_plan *p, int root, struct error *err)
{
	struct cover k = { .root = root, .null = -1, .empty = -1, .err = err };
	int r = 0;

	/* Read-only first: copies of a tree would carry the masks inside it along. */
	for (size_t i = 0; i < p->n_readonly && r == 0; i++)
		r = run_readonly(&k, p->readonly[i]);
	for (size_t i = 0; i < p->n_masked && r == 0; i++)
		r = run_masked(&k, p->masked[i]);
	fd_close(&k.null);
	fd_close(&k.empty);
	return r;
}

void mask_show(const struct mask_plan *p, struct show *out)
{
	for (size_t i = 0; i < p->n_readonly; i++)
		show_act(out, "make read-only %s", p->readonly[i]);
	for (size_t i = 0; i < p->n_masked; i++)
		show_act(out, "mask %s", p->masked[i]);
}
