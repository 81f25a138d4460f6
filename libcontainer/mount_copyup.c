/* SPDX-License-Identifier: Apache-2.0 */
#include "mount_copyup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

#define DEPTH_MAX 128	/* directories; a deeper tree in an image is an attack on our stack */

/* One getdents64(2) record: opendir() would allocate. */
struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

static int copy_directory(int from, int to, unsigned int depth, struct error *err);

/*
 * Ids without a mapping in our user namespace cannot be given; the copy then belongs to the
 * container's root.
 */
static int copy_owner(int to, const char *name, const struct stat *st)
{
	if (fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno != EINVAL && errno != EPERM && errno != EOVERFLOW)
		return -errno;
	return 0;
}

/* After the owner, since chown(2) clears the setuid bits. */
static int copy_mode(int fd, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchmod(fd, st->st_mode & 07777) < 0 || futimens(fd, times) < 0)
		return -errno;
	return 0;
}

static int copy_file(int from, int to, const char *name, const struct stat *st)
{
	/* O_NONBLOCK: whoever shares the directory may put a fifo there after fstatat(). */
	owned_fd in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	owned_fd out = -1;
	ssize_t n;
	int r;

	if (in < 0)
		return -errno;
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	while ((n = sendfile(out, in, NULL, 1 << 20)) > 0)
		;
	if (n < 0)
		return -errno;
	r = copy_owner(to, name, st);
	return r < 0 ? r : copy_mode(out, st);
}

static int copy_symlink(int from, int to, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (symlinkat(target, to, name) < 0)
		return -errno;
	return copy_owner(to, name, st);
}

static int copy_node(int to, const char *name, const struct stat *st)
{
	if (mknodat(to, name, st->st_mode & (S_IFMT | 07777), st->st_rdev) < 0)
		/*
		 * A user namespace may not make device nodes: the container could not have used it
		 * either.
		 */
		return errno == EPERM ? 0 : -errno;
	return copy_owner(to, name, st);
}

static int copy_subdirectory(int from, int to, const char *name, const struct stat *st,
			     unsigned int depth, struct error *err)
{
	owned_fd in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	owned_fd out = -1;
	int r;

	if (in < 0 || mkdirat(to, name, 0700) < 0)
		return error_set(err, errno, "copy %s", name);
	out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out < 0)
		return error_set(err, errno, "copy %s", name);
	r = copy_directory(in, out, depth + 1, err);
	if (r < 0)
		return r;
	r = copy_owner(to, name, st);
	if (r == 0)
		r = copy_mode(out, st);
	return r < 0 ? error_set(err, -r, "copy %s", name) : 0;
}

static int copy_entry(int from, int to, const char *name, unsigned int depth, struct error *err)
{
	struct stat st;
	int r = 0;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set(err, errno, "copy %s", name);
	if (S_ISDIR(st.st_mode))
		return copy_subdirectory(from, to, name, &st, depth, err);
	if (S_ISREG(st.st_mode))
		r = copy_file(from, to, name, &st);
	else if (S_ISLNK(st.st_mode))
		r = copy_symlink(from, to, name, &st);
	else if (!S_ISSOCK(st.st_mode))
		r = copy_node(to, name, &st);
	return r < 0 ? error_set(err, -r, "copy %s", name) : 0;
}

static int copy_directory(int from, int to, unsigned int depth, struct error *err)
{
	_Alignas(struct entry) char buf[2048];
	long n;

	if (depth > DEPTH_MAX)
		return error_set(err, 0, "copy: more than %d nested directories", DEPTH_MAX);
	while ((n = syscall(SYS_getdents64, from, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			const struct entry *e = (const struct entry *)(buf + at);
			int r = copy_entry(from, to, e->name, depth, err);

			if (r < 0)
				return r;
			at += e->reclen;
		}
	}
	return n < 0 ? error_set(err, errno, "copy: read directory") : 0;
}

int mount_copyup_run(int from, int to, struct error *err)
{
	owned_fd in = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	owned_fd out = openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (in < 0 || out < 0)
		return error_set(err, errno, "copy: open directory");
	return copy_directory(in, out, 0, err);
}
