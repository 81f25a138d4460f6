/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_source.c - what the parent opens for the mounts before it clones the child: user namespaces
 * that carry the mappings of idmapped mounts, and sources that the container's user namespace may
 * not reach.
 */
#include "mount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"

static int write_maps(int proc, pid_t pid, const struct mount_entry *e)
{
	char path[48];
	int r;

	snprintf(path, sizeof(path), "%d/uid_map", (int)pid);
	r = file_write(proc, path, e->uid_map);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%d/gid_map", (int)pid);
	return file_write(proc, path, e->gid_map);
}

/*
 * A user namespace lives as long as a process in it or a descriptor of it; so a child is cloned
 * into a new one, its maps are written, a descriptor is taken, and the child ends.  The child runs
 * nothing but a read().
 */
static int make_userns(int proc, const struct mount_entry *e)
{
	const struct sys_clone clone = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	char path[48];
	int gate[2], fd = -1, r;
	pid_t pid;

	if (pipe2(gate, O_CLOEXEC) < 0)
		return -errno;
	pid = sys_clone3(&clone);
	if (pid == 0) {
		char c;

		close(gate[1]);
		_exit(read(gate[0], &c, 1) < 0);
	}
	close(gate[0]);
	r = pid < 0 ? (int)pid : write_maps(proc, pid, e);
	if (r >= 0) {
		snprintf(path, sizeof(path), "%d/ns/user", (int)pid);
		fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
		r = fd < 0 ? -errno : 0;
	}
	close(gate[1]);		/* the child's read() ends, and the child with it */
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r < 0 ? r : fd;
}

/* The same mapping again: one user namespace serves all. */
static int find_userns(const struct mount_plan *p, size_t i)
{
	const struct mount_entry *e = &p->entries[i];

	for (size_t j = 0; j < i; j++) {
		const struct mount_entry *o = &p->entries[j];

		if (p->fds[j].userns >= 0 && e->uid_map && o->uid_map &&
		    strcmp(e->uid_map, o->uid_map) == 0 && strcmp(e->gid_map, o->gid_map) == 0)
			return fcntl(p->fds[j].userns, F_DUPFD_CLOEXEC, 3);
	}
	return -1;
}

/* The path of an open file as the kernel has it: no symlink is left in it. */
static bool real_path(int proc, int fd, char path[PATH_MAX])
{
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "self/fd/%d", fd);
	n = fd < 0 ? -1 : readlinkat(proc, link, path, PATH_MAX - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	return true;
}

/*
 * The real path of what path is, or will be once an earlier mount has made it: that of the nearest
 * directory which is there, and what follows.  look: opens a path below dir, or -errno.
 */
static bool future_path(int proc, int (*look)(int dir, const char *path), int dir, const char *path,
			char out[PATH_MAX])
{
	char known[PATH_MAX];
	size_t len = strlen(path), rest;
	owned_fd fd = look(dir, path);

	if (len >= sizeof(known))
		return false;
	memcpy(known, path, len + 1);
	/* "a/../b" of what is not there would be a guess. */
	if (fd == -ENOENT && path_has_dotdot(path))
		return false;
	while (fd == -ENOENT && len > 0) {
		while (len > 0 && known[len - 1] != '/')
			len--;
		while (len > 0 && known[len - 1] == '/')
			len--;
		known[len] = '\0';
		fd = look(dir, len > 0 ? known : path[0] == '/' ? "/" : ".");
	}
	if (!real_path(proc, fd, out))
		return false;
	path += len + strspn(path + len, "/");
	rest = strlen(out);
	if (!*path)
		return true;
	if (rest + 1 + strlen(path) >= PATH_MAX)
		return false;
	snprintf(out + rest, PATH_MAX - rest, "%s%s", rest > 1 ? "/" : "", path);
	return true;
}

static int look_follow(int dir, const char *path)
{
	int fd = openat(dir, path, O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int look_nofollow(int dir, const char *path)
{
	int fd = openat(dir, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static bool follows(const struct mount_entry *e)
{
	return !(e->flags.special & (MOUNT_SRC_NOFOLLOW | MOUNT_COPY_SYMLINK));
}

/* The real paths of root and of all destinations: looked up for the first source inside root. */
struct covers {
	const struct mount_plan *p;
	const struct mount_origin *from;
	char root[PATH_MAX];		/* "": nothing can be covered */
	const char **paths;		/* NULL: a mount that covers nothing */
};

static void covers_begin(struct covers *k, const struct mount_plan *p,
			 const struct mount_origin *from)
{
	owned_fd root = openat(from->bundle, from->root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	k->p = p;
	k->from = from;
	k->paths = NULL;
	/*
	 * The container's copy of "/" lies over "/" itself, where no path of the caller's leads
	 * into it: a source there is the host's, whatever is mounted in the copy.
	 */
	if (!real_path(from->proc, root, k->root) || strcmp(k->root, "/") == 0)
		k->root[0] = '\0';
}

static void covers_fill(struct covers *k)
{
	owned_fd root = open(k->root, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char path[PATH_MAX];

	k->paths = ARENA_NEW_ARRAY(k->from->arena, const char *, k->p->n);
	for (size_t i = 0; i < k->p->n && root >= 0; i++) {
		const struct mount_entry *e = &k->p->entries[i];

		/* A remount shows what was there; without a destination it did not compile. */
		if (e->kind != MOUNT_AGAIN && e->destination &&
		    future_path(k->from->proc, path_lookup, root, e->destination, path))
			k->paths[i] = arena_strdup(k->from->arena, path);
	}
}

/*
 * The earlier mount of the container that covers the source of mount i, or NULL.  The parent does
 * not have that mount: a tree that it opened would show what lies below.
 */
static const struct mount_entry *find_cover(struct covers *k, size_t i)
{
	const struct mount_entry *e = &k->p->entries[i];
	char inside[PATH_MAX];

	if (!k->root[0] ||
	    !future_path(k->from->proc, follows(e) ? look_follow : look_nofollow, k->from->bundle,
			 e->source, inside) ||
	    !path_is_below(inside, k->root))
		return NULL;
	if (!k->paths)
		covers_fill(k);
	for (size_t j = i; j > 0; j--)
		if (k->paths[j - 1] && path_is_below(inside, k->paths[j - 1]))
			return &k->p->entries[j - 1];
	return NULL;
}

int mount_check_sources(const struct oci_config *c, const struct mount_plan *p,
			const struct mount_origin *from, struct error *err)
{
	struct covers covers;
	int ret = 0;

	covers_begin(&covers, p, from);
	for (size_t i = 0; i < p->n && i < OCI_MOUNTS_MAX && !p->skipped; i++) {
		const struct mount_entry *e = &p->entries[i];
		int flags = follows(e) ? 0 : AT_SYMLINK_NOFOLLOW;

		/* Without a source it did not compile, and that was told. */
		if (e->kind != MOUNT_FROM || !e->source ||
		    faccessat(from->bundle, e->source, F_OK, flags) == 0)
			continue;
		if (errno != ENOENT || !find_cover(&covers, i))
			oci_keep(&ret, oci_error(c, &c->mounts[i].source, err, "%s: %s", e->source,
						 error_text(errno)));
	}
	return ret;
}

/*
 * The tree's owner is the host: the container's root could neither copy it with all rights nor map
 * it.
 */
static int open_idmapped(struct covers *k, size_t i, struct error *err)
{
	const struct mount_plan *p = k->p;
	const struct mount_entry *e = &p->entries[i], *cover = find_cover(k, i);
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	owned_fd tree = -1;
	int r;

	if (e->flags.special & MOUNT_RECURSIVE)
		flags |= AT_RECURSIVE;
	if (e->flags.special & MOUNT_SRC_NOFOLLOW)
		flags |= AT_SYMLINK_NOFOLLOW;
	if (cover)
		return error_set(err, 0, "%s: %s lies in the earlier mount on %s, which only the "
				 "container sees: with a user namespace it cannot be idmapped "
				 "(name the directory of the host instead)",
				 e->where_source, e->source, cover->destination);
	tree = sys_open_tree(k->from->bundle, e->source, flags);
	if (tree < 0)
		return error_set(err, -tree, "%s: open %s for an idmapped mount on %s",
				 e->where_source, e->source, e->destination);
	r = mnt_idmap(tree, p->fds[i].userns, e->flags.special & MOUNT_IDMAP_RECURSIVE);
	if (r < 0) {
		error_set(err, -r, "%s: map the ids of %s on %s", e->where_source, e->source,
			  e->destination);
		return r == -EINVAL
			       ? error_append(err,
					      " (does its file system support idmapped mounts?)")
			       : r;
	}
	p->fds[i].tree = fd_take(&tree);
	return 0;
}

int mount_open_idmaps(const struct mount_plan *p, const struct mount_origin *from,
		      struct error *err)
{
	struct covers covers;

	covers_begin(&covers, p, from);
	for (size_t i = 0; i < p->n && !p->skipped; i++) {
		const struct mount_entry *e = &p->entries[i];
		int fd, r;

		if (!e->uid_map && !e->userns_path)
			continue;
		fd = find_userns(p, i);
		if (fd < 0)
			fd = e->uid_map ? make_userns(from->proc, e)
					: open(e->userns_path, O_RDONLY | O_CLOEXEC);
		if (fd == -1 && !e->uid_map)
			fd = -errno;
		if (fd < 0) {
			error_set(err, -fd,
				  "%s: make the user namespace for the idmapped mount on %s",
				  e->where, e->destination);
			return fd == -EPERM
				       ? error_append(err,
						      " (idmapped mounts need root on the host)")
				       : fd;
		}
		p->fds[i].userns = fd;
		r = p->userns && e->kind == MOUNT_FROM ? open_idmapped(&covers, i, err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * Whether everybody may walk to path: each directory on the way has its x bit for others and none
 * is a symlink. Then the child can open it, and the 50 microseconds that dropping an unused tree
 * costs are saved.
 */
static bool is_open_to_all(const char *path)
{
	char prefix[PATH_MAX];
	struct stat st;

	if (path[0] != '/' || strlen(path) >= sizeof(prefix))
		return false;
	for (size_t i = 1; path[i]; i++) {
		if (path[i] != '/')
			continue;
		memcpy(prefix, path, i);
		prefix[i] = '\0';
		if (lstat(prefix, &st) < 0 || !S_ISDIR(st.st_mode) || !(st.st_mode & S_IXOTH))
			return false;
	}
	return lstat(path, &st) == 0 && !S_ISLNK(st.st_mode);
}

void mount_open_sources(const struct mount_plan *p, const struct mount_origin *from)
{
	struct covers covers;

	covers_begin(&covers, p, from);
	for (size_t i = 0; i < p->n && !p->skipped && p->userns; i++) {
		const struct mount_entry *e = &p->entries[i];
		unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;

		if (e->kind != MOUNT_FROM || p->fds[i].tree >= 0 || is_open_to_all(e->source) ||
		    find_cover(&covers, i))
			continue;
		if (e->flags.special & MOUNT_RECURSIVE)
			flags |= AT_RECURSIVE;
		if (!follows(e))
			flags |= AT_SYMLINK_NOFOLLOW;
		p->fds[i].tree = sys_open_tree(from->bundle, e->source, flags);
	}
}
