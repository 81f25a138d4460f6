/* SPDX-License-Identifier: Apache-2.0 */
/* path.c - walks below a root file system. */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"

#define PATH_AGAIN_MAX 128
#define PATH_LINKS_MAX 40	/* the kernel's MAXSYMLINKS */
#define PATH_TRIES_MAX 16	/* for a name that others remove as often as we make it */
#define PATH_PARENT_MODE 0755

int path_open(int root, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)flags | O_CLOEXEC,
		.mode = flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? mode & 07777 : 0,
		.resolve = resolve | RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = -EAGAIN;

	/*
	 * The kernel cannot be sure of a ".." when anything anywhere is renamed at the same time
	 * (openat2(2), EAGAIN): a busy machine is no attack, a bounded number of tries is enough.
	 */
	for (int i = 0; i < PATH_AGAIN_MAX && (fd == -EAGAIN || fd == -EINTR); i++)
		fd = sys_openat2(root, path, &how);
	return fd;
}

int path_lookup(int root, const char *path)
{
	return path_open(root, path, O_PATH, 0, 0);
}

int path_lookup_nofollow(int root, const char *path)
{
	return path_open(root, path, O_PATH | O_NOFOLLOW, 0, 0);
}

/*
 * A walk that makes what is missing.  Each step opens one name in the directory held open in `at`,
 * never a path again, so that a component exchanged by a racing container (CVE-2024-45310) is met
 * as what it is now: a symlink is read and its text put in front of `rest`, re-anchored at root.
 */
struct walk {
	int root;
	int at;				/* the directory reached, owned; -1: root itself */
	mode_t dir_mode;
	mode_t file_mode;		/* of the last component */
	bool want_file;			/* the last component is a file, not a directory */
	int links;
	char done[PATH_MAX];		/* `at` below root: no symlink, no "..", no leading '/' */
	char rest[PATH_MAX];		/* what is still to be walked */
};

static int walk_at(const struct walk *w)
{
	return w->at >= 0 ? w->at : w->root;
}

/* Cuts the first component off rest.  The name's length (0: nothing left), or -ENAMETOOLONG. */
static int walk_next(struct walk *w, char name[NAME_MAX + 1], bool *last)
{
	const char *p = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(p, "/");

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, p, len);
	name[len] = '\0';
	p += len;
	*last = p[strspn(p, "/")] == '\0';
	memmove(w->rest, p, strlen(p) + 1);
	return (int)len;
}

/*
 * "..": not asked of the kernel from `at`, since that directory may have been moved out of root
 * in the meantime; the parent is found again from root, and must still be free of symlinks.
 */
static int walk_up(struct walk *w)
{
	char *slash = strrchr(w->done, '/');

	fd_close(&w->at);
	if (!slash) {
		w->done[0] = '\0';
		return 0;
	}
	*slash = '\0';
	w->at = path_open(w->root, w->done, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
	return w->at < 0 ? w->at : 0;
}

static int walk_into(struct walk *w, int fd, const char *name)
{
	size_t len = strlen(w->done), more = strlen(name);

	if (len + 1 + more >= sizeof(w->done)) {
		close(fd);
		return -ENAMETOOLONG;
	}
	if (len > 0)
		w->done[len++] = '/';
	memcpy(w->done + len, name, more + 1);
	fd_close(&w->at);
	w->at = fd;
	return 0;
}

/* Puts the text of the symlink `link` in front of rest. */
static int walk_link(struct walk *w, int link)
{
	char text[PATH_MAX];
	size_t rest = strlen(w->rest);
	ssize_t n;

	if (++w->links > PATH_LINKS_MAX)
		return -ELOOP;
	n = readlinkat(link, "", text, sizeof(text));
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ENOENT;
	/* rest is empty or begins with '/', so the two join without a separator. */
	if ((size_t)n + rest >= sizeof(w->rest))
		return -ENAMETOOLONG;
	memmove(w->rest + n, w->rest, rest + 1);
	memcpy(w->rest, text, (size_t)n);
	if (text[0] == '/') {
		fd_close(&w->at);
		w->done[0] = '\0';
	}
	return 0;
}

/* Makes name in `at`.  mkdirat() and O_EXCL never follow a symlink that appeared there: EEXIST. */
static int walk_make(struct walk *w, const char *name, bool file)
{
	int fd;

	if (!file) {
		if (mkdirat(walk_at(w), name, w->dir_mode) < 0 && errno != EEXIST)
			return -errno;
		return 0;
	}
	fd = openat(walk_at(w), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    w->file_mode);
	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	close(fd);
	return 0;
}

/* O_PATH of name in `at`, made if it is missing; whatever it is. */
static int walk_open(struct walk *w, const char *name, bool file)
{
	int fd = -ENOENT;

	for (int i = 0; i < PATH_TRIES_MAX; i++) {
		int ret;

		fd = path_open(walk_at(w), name, O_PATH | O_NOFOLLOW, 0, 0);
		if (fd != -ENOENT)
			return fd;
		ret = walk_make(w, name, file);
		if (ret < 0)
			return ret;
	}
	return fd;
}

/* One component.  0, the descriptor of a file that ends the walk, or -errno. */
static int walk_step(struct walk *w, const char *name, bool last)
{
	owned_fd fd = -1;
	struct stat st;

	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0)
		return walk_up(w);
	if (last && w->want_file && w->rest[0] == '/')	/* "name/" */
		return -EISDIR;
	fd = walk_open(w, name, last && w->want_file);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return walk_link(w, fd);
	if (S_ISDIR(st.st_mode))
		return last && w->want_file ? -EISDIR : walk_into(w, fd_take(&fd), name);
	return last && w->want_file ? fd_take(&fd) : -ENOTDIR;
}

/* The directory that was asked for. */
static int walk_end(struct walk *w)
{
	if (w->want_file)
		return -EISDIR;
	return w->at >= 0 ? fd_take(&w->at) : path_open(w->root, "/", O_PATH | O_DIRECTORY, 0, 0);
}

static int walk_through(struct walk *w, const char *path)
{
	char name[NAME_MAX + 1];
	size_t len = strlen(path);
	bool last;
	int ret;

	if (len >= sizeof(w->rest))
		return -ENAMETOOLONG;
	memcpy(w->rest, path, len + 1);
	for (;;) {
		ret = walk_next(w, name, &last);
		if (ret <= 0)
			break;
		ret = walk_step(w, name, last);
		if (ret != 0)
			break;
	}
	if (ret == 0)
		ret = walk_end(w);
	fd_close(&w->at);
	return ret;
}

/* Not inlined: two paths are much stack to touch for those who need no walk. */
static int __attribute__((noinline)) walk(int root, const char *path, mode_t dir_mode, bool file,
					  mode_t file_mode)
{
	struct walk w;

	w.root = root;
	w.at = -1;
	w.dir_mode = dir_mode;
	w.file_mode = file_mode;
	w.want_file = file;
	w.links = 0;
	w.done[0] = '\0';
	return walk_through(&w, path);
}

int path_mkdirs(int root, const char *path, mode_t mode)
{
	int fd = path_open(root, *path ? path : "/", O_PATH | O_DIRECTORY, 0, 0);

	return fd == -ENOENT ? walk(root, path, mode, false, 0) : fd;
}

int path_mkfile(int root, const char *path, mode_t mode)
{
	owned_fd fd = path_lookup(root, path);
	struct stat st;

	if (fd == -ENOENT)
		return walk(root, path, PATH_PARENT_MODE, true, mode);
	if (fd >= 0 && fstat(fd, &st) < 0)
		return -errno;
	return fd >= 0 && S_ISDIR(st.st_mode) ? -EISDIR : fd_take(&fd);
}

int path_newfile(int root, const char *path, mode_t mode)
{
	char name[NAME_MAX + 1];
	owned_fd dir = -1;
	int fd;

	if (str_ends(path, "/"))
		return -EISDIR;
	dir = path_parent(root, path, 0, name);
	if (dir < 0)
		return dir;
	fd = openat(dir, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	return fd < 0 ? -errno : fd;
}

int path_parent(int root, const char *path, mode_t create_mode, char name[256])
{
	char dir[PATH_MAX];
	size_t end = strlen(path), start;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/';)
		start--;
	if (end == start)
		return -EINVAL;
	if (end - start > NAME_MAX || start + 1 >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(name, path + start, end - start);
	name[end - start] = '\0';
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;

	if (start == 0)
		dir[start++] = '/';
	else
		memcpy(dir, path, start);
	dir[start] = '\0';
	if (create_mode)
		return path_mkdirs(root, dir, create_mode);
	return path_open(root, dir, O_PATH | O_DIRECTORY, 0, 0);
}

int path_reopen(int proc, int fd, int flags)
{
	owned_fd dir = proc_open_file(proc, "self/fd", O_PATH | O_DIRECTORY);
	owned_fd opened = -1;
	char name[16];
	int same;

	if (dir < 0)
		return dir;
	snprintf(name, sizeof(name), "%d", fd);
	/* The one magic link that is followed: our own descriptor, in a verified directory. */
	opened = openat(dir, name, (flags & ~O_NOFOLLOW) | O_CLOEXEC);
	if (opened < 0)
		return -errno;
	same = fd_same_inode(fd, opened);
	if (same != 1)
		return same < 0 ? same : -EXDEV;
	return fd_take(&opened);
}

int path_clean(const char *path, char *out, size_t size)
{
	bool absolute = path[0] == '/';
	size_t base = absolute ? 1 : 0, len = base;

	if (size < 2)
		return -ENAMETOOLONG;
	if (absolute)
		out[0] = '/';
	while (*path) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 2 && path[0] == '.' && path[1] == '.') {
			while (len > base && out[len - 1] != '/')
				len--;
			if (len > base)
				len--;
		} else if (n > 0 && !(n == 1 && path[0] == '.')) {
			bool slash = len > base;

			if (n >= size || len + slash + n >= size)
				return -ENAMETOOLONG;
			if (slash)
				out[len++] = '/';
			memcpy(out + len, path, n);
			len += n;
		}
		path += n;
	}
	if (len == 0)
		out[len++] = '.';
	out[len] = '\0';
	return (int)len;
}

bool path_has_dotdot(const char *path)
{
	while (*path) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 2 && path[0] == '.' && path[1] == '.')
			return true;
		path += n;
	}
	return false;
}

bool path_is_below(const char *path, const char *base)
{
	size_t len = strlen(base);

	if (strcmp(base, "/") == 0)
		return path[0] == '/';
	return strncmp(path, base, len) == 0 && (path[len] == '\0' || path[len] == '/');
}
