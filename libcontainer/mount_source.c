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
 * The earlier mount of the container that covers the source of mount i, or NULL.  The parent does
 * not have that mount: a tree that it opened would show what lies below.
 */
static const struct mount_entry *find_cover(const struct mount_plan *p, size_t i,
					    const struct mount_origin *from)
{
	const struct mount_entry *e = &p->entries[i];
	bool nofollow = e->flags.special & (MOUNT_SRC_NOFOLLOW | MOUNT_COPY_SYMLINK);
	owned_fd root = openat(from->bundle, from->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	owned_fd source = openat(from->bundle, e->source,
				 O_PATH | O_CLOEXEC | (nofollow ? O_NOFOLLOW : 0));
	char inside[PATH_MAX], covered[PATH_MAX];

	if (root < 0 || !real_path(from->proc, source, inside))
		return NULL;
	for (size_t j = i; j > 0; j--) {
		owned_fd at = path_lookup(root, p->entries[j - 1].destination);

		if (real_path(from->proc, at, covered) && path_is_below(inside, covered))
			return &p->entries[j - 1];
	}
	return NULL;
}

/*
 * The tree's owner is the host: the container's root could neither copy it with all rights nor map
 * it.
 */
static int open_idmapped(const struct mount_plan *p, size_t i, const struct mount_origin *from,
			 struct error *err)
{
	const struct mount_entry *e = &p->entries[i], *cover = find_cover(p, i, from);
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
	tree = sys_open_tree(from->bundle, e->source, flags);
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
		r = p->userns && e->kind == MOUNT_FROM ? open_idmapped(p, i, from, err) : 0;
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
	for (size_t i = 0; i < p->n && !p->skipped && p->userns; i++) {
		const struct mount_entry *e = &p->entries[i];
		unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;

		if (e->kind != MOUNT_FROM || p->fds[i].tree >= 0 || is_open_to_all(e->source) ||
		    find_cover(p, i, from))
			continue;
		if (e->flags.special & MOUNT_RECURSIVE)
			flags |= AT_RECURSIVE;
		if (e->flags.special & (MOUNT_SRC_NOFOLLOW | MOUNT_COPY_SYMLINK))
			flags |= AT_SYMLINK_NOFOLLOW;
		p->fds[i].tree = sys_open_tree(from->bundle, e->source, flags);
	}
}
