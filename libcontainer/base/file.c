/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - whole small files. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"

#define FILE_CHUNK 4096
#define FILE_REPLACE_TRIES 16
#define FILE_LINKS_MAX 40	/* the kernel's MAXSYMLINKS */

/* read() through EINTR. */
static ssize_t read_some(int fd, void *buf, size_t len)
{
	ssize_t n;

	do {
		n = read(fd, buf, len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int read_all(int fd, const struct stat *st, size_t max, struct arena *a, char **out,
		    size_t *len)
{
	/* 0: unknown, as of pseudo files; else a hint. */
	size_t size = S_ISREG(st->st_mode) ? (size_t)st->st_size : 0;
	size_t cap = FILE_CHUNK, have = 0;
	char *buf;

	if (max > SIZE_MAX / 4)
		max = SIZE_MAX / 4;
	/* One byte more shows whether the file ends there. */
	if (size > 0)
		cap = size < max ? size + 1 : max + 1;
	if (cap > max + 1)
		cap = max + 1;
	buf = arena_alloc(a, cap + 1);

	for (;;) {
		ssize_t n = read_some(fd, buf + have, cap - have);

		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		have += (size_t)n;
		if (have > max)
			return -EFBIG;
		/* Asked for more, the kernel gave what it calls the file's size: that is all. */
		if (have == size && have < cap)
			break;
		if (have == cap) {
			char *more;

			cap = cap < (max + 1) / 2 ? cap * 2 : max + 1;
			more = arena_alloc(a, cap + 1);
			memcpy(more, buf, have);
			buf = more;
		}
	}
	buf[have] = '\0';
	*out = buf;
	if (len)
		*len = have;
	return 0;
}

int file_read_fd(int fd, size_t max, struct arena *a, char **out, size_t *len)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? -errno : read_all(fd, &st, max, a, out, len);
}

int file_read(int dirfd, const char *path, size_t max, struct arena *a, char **out, size_t *len)
{
	owned_fd fd = -1;
	struct stat st;

	/*
	 * Looked at before it is opened, since the open() of a device may itself do something
	 * (rewind a tape, start a watchdog); and again, in case it was exchanged in between.
	 */
	if (fstatat(dirfd, path, &st, 0) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	fd = openat(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return read_all(fd, &st, max, a, out, len);
}

ssize_t file_read_small_fd(int fd, char *buf, size_t size)
{
	size_t len = 0;

	/* The place of the NUL is read into as well: if it is filled, the text did not fit. */
	while (len < size) {
		ssize_t n = read_some(fd, buf + len, size - len);

		if (n < 0)
			return n;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len >= size)
		return -EFBIG;
	while (len > 0 && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return (ssize_t)len;
}

ssize_t file_read_small(int dirfd, const char *path, char *buf, size_t size)
{
	owned_fd fd = openat(dirfd, path, O_RDONLY | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? -errno : file_read_small_fd(fd, buf, size);
}

int file_write_fd(int fd, const char *text)
{
	size_t len = strlen(text);
	ssize_t n;

	/* The kernel takes each write() to a pseudo file as a complete command: never in parts. */
	do {
		n = write(fd, text, len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int file_write(int dirfd, const char *path, const char *text)
{
	owned_fd fd = openat(dirfd, path, O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? -errno : file_write_fd(fd, text);
}

int file_writef(int dirfd, const char *path, const char *fmt, ...)
{
	char text[FILE_CHUNK];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		return -E2BIG;
	return file_write(dirfd, path, text);
}

struct own_walk {
	int at;			/* the directory reached, owned */
	int links;
	char rest[PATH_MAX];	/* what is still to be walked */
};

static int own_start(struct own_walk *w)
{
	fd_close(&w->at);
	w->at = open(w->rest[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return w->at < 0 ? -errno : 0;
}

/* Cuts the first name off rest.  0, or 1: it is the last. */
static int own_next(struct own_walk *w, char name[NAME_MAX + 1])
{
	const char *p = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(p, "/");

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, p, len);
	name[len] = '\0';
	memmove(w->rest, p + len, strlen(p + len) + 1);
	return w->rest[0] == '\0';
}

static int own_link_check(const struct own_walk *w, const struct stat *link)
{
	struct stat dir;

	if (fstat(w->at, &dir) < 0)
		return -errno;
	if (!(dir.st_mode & S_IWOTH) || link->st_uid == geteuid() || link->st_uid == dir.st_uid)
		return 0;
	return -EACCES;
}

/* Puts the text of a symlink in front of rest. */
static int own_link(struct own_walk *w, int link)
{
	char text[PATH_MAX];
	size_t rest = strlen(w->rest);
	ssize_t n = readlinkat(link, "", text, sizeof(text));

	if (n < 0)
		return -errno;
	if (++w->links > FILE_LINKS_MAX)
		return -ELOOP;
	if ((size_t)n + rest >= sizeof(w->rest))
		return -ENAMETOOLONG;
	memmove(w->rest + n, w->rest, rest + 1);
	memcpy(w->rest, text, (size_t)n);
	return n > 0 && text[0] == '/' ? own_start(w) : 0;
}

/* In procfs the kernel's links lead to what has no path: only the kernel can follow them. */
static bool own_in_procfs(const struct own_walk *w)
{
	struct statfs fs;

	return fstatfs(w->at, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* One name.  1: *out is the file, 0: go on, or -errno. */
static int own_step(struct own_walk *w, int flags, mode_t mode, int *out)
{
	char name[NAME_MAX + 1];
	owned_fd found = -1;
	struct stat st;
	int last, ret;

	last = own_next(w, name);
	if (last < 0)
		return last;
	found = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (found >= 0 && fstat(found, &st) < 0)
		return -errno;
	if (found >= 0 && S_ISLNK(st.st_mode) && !own_in_procfs(w)) {
		ret = own_link_check(w, &st);
		return ret < 0 ? ret : own_link(w, found);
	}
	if (last) {
		bool follow = found >= 0 && S_ISLNK(st.st_mode);

		*out = openat(w->at, name, flags | (follow ? 0 : O_NOFOLLOW), mode);
		return *out < 0 ? -errno : 1;
	}
	fd_close(&found);
	found = openat(w->at, name, O_PATH | O_DIRECTORY | O_CLOEXEC |
		       (own_in_procfs(w) ? 0 : O_NOFOLLOW));
	if (found < 0)
		return -errno;
	fd_close(&w->at);
	w->at = fd_take(&found);
	return 0;
}

int file_open_own(const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)flags | O_CLOEXEC,
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_NO_SYMLINKS,
	};
	struct own_walk w = { .at = -1 };
	int fd = sys_openat2(AT_FDCWD, path, &how), ret;

	/* Nearly always there is no symlink on the way. */
	if (fd != -ELOOP)
		return fd;
	if (strlen(path) >= sizeof(w.rest))
		return -ENAMETOOLONG;
	memcpy(w.rest, path, strlen(path) + 1);
	ret = own_start(&w);
	while (ret == 0)
		ret = own_step(&w, flags | O_CLOEXEC, mode, &fd);
	fd_close(&w.at);
	return ret < 0 ? ret : fd;
}

int file_create(int dirfd, const char *path, mode_t mode, const void *data, size_t len)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
	owned_fd fd = openat(dirfd, path, flags | O_CLOEXEC, mode);
	int ret;

	if (fd < 0)
		return -errno;
	ret = fd_write_all(fd, data, len);
	if (ret < 0)
		unlinkat(dirfd, path, 0);
	return ret;
}

#define TEMPORARY ".tmp-"

bool file_is_temporary(const char *name)
{
	const size_t prefix = sizeof(TEMPORARY) - 1;

	return strncmp(name, TEMPORARY, prefix) == 0 && strlen(name) == prefix + 16 &&
	       strspn(name + prefix, "0123456789abcdef") == 16;
}

/* A name in the same directory as path, which nobody can guess and so occupy beforehand. */
static int temporary_name(const char *path, char *out, size_t size)
{
	const char *slash = strrchr(path, '/');
	int dir = slash ? (int)(slash - path) + 1 : 0;
	uint64_t random;
	int n;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	n = snprintf(out, size, "%.*s" TEMPORARY "%016llx", dir, path, (unsigned long long)random);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int file_replace(int dirfd, const char *path, mode_t mode, const void *data, size_t len)
{
	char tmp[PATH_MAX];
	int ret = -EEXIST;

	if (strlen(path) >= sizeof(tmp))
		return -ENAMETOOLONG;
	for (int i = 0; i < FILE_REPLACE_TRIES && ret == -EEXIST; i++) {
		ret = temporary_name(path, tmp, sizeof(tmp));
		if (ret < 0)
			return ret;
		ret = file_create(dirfd, tmp, mode, data, len);
	}
	if (ret < 0)
		return ret;
	/* rename() replaces a symlink at path itself, it does not write through it. */
	if (renameat(dirfd, tmp, dirfd, path) < 0) {
		ret = -errno;
		unlinkat(dirfd, tmp, 0);
	}
	return ret;
}

/* Writes all of it, however long the reader takes, if only he takes something. */
static int write_patiently(int fd, const char *data, size_t len)
{
	while (len > 0) {
		struct pollfd room = { .fd = fd, .events = POLLOUT };
		ssize_t n = write(fd, data, len);

		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
			return -errno;
		} else if (poll(&room, 1, FILE_PUT_MS) == 0) {
			return -ETIMEDOUT;
		}
	}
	return 0;
}

static int write_into(const char *path, const void *data, size_t len)
{
	owned_fd fd = file_open_own(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISBLK(st.st_mode) ? -ENOTSUP : write_patiently(fd, data, len);
}

int file_put(const char *path, mode_t mode, const void *data, size_t len)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		/* -ELOOP says of /dev/stdout that it is a descriptor, whatever that is. */
		.resolve = RESOLVE_NO_MAGICLINKS,
	};
	owned_fd found = sys_openat2(AT_FDCWD, path, &how);
	struct stat st;

	if (found < 0 && found != -ENOENT && found != -ELOOP)
		return found;
	if (found >= 0 && fstat(found, &st) < 0)
		return -errno;
	if (found == -ENOENT || (found >= 0 && S_ISREG(st.st_mode)))
		return file_replace(AT_FDCWD, path, mode, data, len);
	/* Not even opened: a text damages what a disk holds. */
	if (found >= 0 && S_ISBLK(st.st_mode))
		return -ENOTSUP;
	return write_into(path, data, len);
}
