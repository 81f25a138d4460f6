/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - whole small files.
 * All return 0, a count, or -errno.
 */
#ifndef KIST_BASE_FILE_H
#define KIST_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"

/*
 * Reads all of a regular file, at most max bytes (-EFBIG beyond), NUL-terminated in the arena.
 * Opened with O_NONBLOCK, and refused with -EINVAL (a directory: -EISDIR) unless it is a regular
 * file, so that a FIFO or a device in its place neither blocks nor has a side effect.  *len may be
 * NULL.
 */
int file_read(int dirfd, const char *path, size_t max, struct arena *a, char **out, size_t *len);

/* The same for an open descriptor (any type: pipes too), from its present offset. */
int file_read_fd(int fd, size_t max, struct arena *a, char **out, size_t *len);

/*
 * Reads a pseudo file (procfs, sysfs, cgroupfs) into buf, NUL-terminated, trailing newlines cut.
 * Returns the length, -EFBIG if it did not fit.
 */
ssize_t file_read_small(int dirfd, const char *path, char *buf, size_t size);

/* The same for an open descriptor, from its present offset. */
ssize_t file_read_small_fd(int fd, char *buf, size_t size);

/* One write() of the whole text, as pseudo files need it.  -EIO if the kernel took a part only. */
int file_write_fd(int fd, const char *text);

/* One write() of the whole text into an existing pseudo file (O_NOFOLLOW, never created). */
int file_write(int dirfd, const char *path, const char *text);
int file_writef(int dirfd, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Opens a file that the caller names on the host, such as a log.  Symlinks are followed as far as
 * the kernel follows them with fs.protected_symlinks set, whether it is set or not: in a directory
 * that everybody may write to only those of the caller and of the directory's owner, since
 * somebody else's leads root where that user wants it (-EACCES).  Stricter than the kernel, which
 * asks this of sticky directories only: without the sticky bit everybody can replace the file
 * too, and a link there is trusted even less.  /dev/stderr and /proc/self/fd/N
 * work.  O_CLOEXEC is added.  A descriptor or -errno.
 */
int file_open_own(const char *path, int flags, mode_t mode);

/* Creates a file that must not exist (O_EXCL) and writes it. */
int file_create(int dirfd, const char *path, mode_t mode, const void *data, size_t len);

/*
 * Replaces a file as one act: temporary name in the same directory (O_EXCL), write, rename.
 * Never follows a symlink in the last component.  No fsync: callers use tmpfs.
 */
int file_replace(int dirfd, const char *path, mode_t mode, const void *data, size_t len);

/* Whether the name is one that file_replace() may leave behind when it is killed. */
bool file_is_temporary(const char *name);

/*
 * Writes a file that the caller names on the host.  A regular file, and a symlink to one, is
 * replaced as by file_replace().  A device, a FIFO and what is named by a descriptor (/dev/stdout)
 * is written into, opened as by file_open_own(): a name of that kind is never replaced.
 * -ETIMEDOUT: it takes nothing for FILE_PUT_MS; -ENXIO: a FIFO that nobody reads, or a socket;
 * -EISDIR; -ENOTSUP: a block device.
 */
#define FILE_PUT_MS 2000
int file_put(const char *path, mode_t mode, const void *data, size_t len);

#endif
