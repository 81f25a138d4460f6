/* SPDX-License-Identifier: Apache-2.0 */
/* fd.c - owned descriptors, and the closing of those that are not ours. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"

#define FD_KEEP_MAX 32

void fd_close(int *fd)
{
	int saved = errno;

	/* An end of a channel that stayed open would keep the other side waiting: it must go,
	 * whatever close() says. */
	if (*fd >= 0 && close(*fd) < 0)
		(void)sys_close_range((unsigned int)*fd, (unsigned int)*fd, 0);
	*fd = -1;
	errno = saved;
}

static int set_cloexec_one(unsigned int fd)
{
	return fd_set_cloexec((int)fd, true);
}

static int close_one(unsigned int fd)
{
	return close((int)fd) < 0 ? -errno : 0;
}

typedef int fd_action(unsigned int fd);

static int for_each_listed(int dir, unsigned int first, unsigned int last, fd_action *act)
{
	struct dir_iter it;
	const char *name;
	uint32_t fd;
	int ret;

	ret = dir_begin(&it, dir);
	if (ret < 0)
		return ret;
	while ((name = dir_next(&it, NULL, &ret))) {
		if (str_to_u32(name, &fd) == 0 && fd >= first && fd <= last && fd != (uint32_t)dir)
			act(fd);
	}
	return ret;
}

/*
 * The way without close_range().  The list is believed only if it is this process's own: below a
 * container's root /proc/self/fd could be anything, as that of another process, and a short list
 * would leave descriptors open.
 */
static int for_each_fd(unsigned int first, unsigned int last, fd_action *act)
{
	owned_fd proc = proc_open();
	owned_fd dir = proc < 0 ? -1 : proc_open_file(proc, "self/fd", O_RDONLY | O_DIRECTORY);
	struct rlimit rl;

	fd_close(&proc);
	if (dir >= 0)
		return for_each_listed(dir, first, last, act);
	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return -errno;
	for (rlim_t fd = first; fd < rl.rlim_cur && fd <= last; fd++)
		act((unsigned int)fd);
	return 0;
}

static int close_range_any(unsigned int first, unsigned int last)
{
	int ret;

	if (first > last)
		return 0;
	ret = sys_close_range(first, last, 0);
	if (ret == -ENOSYS || ret == -EPERM)
		ret = for_each_fd(first, last, close_one);
	return ret;
}

int fd_close_range_except(unsigned int first, unsigned int last, const int *keep, size_t n)
{
	unsigned int sorted[FD_KEEP_MAX];
	size_t count = 0;
	int ret;

	if (n > FD_KEEP_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		size_t at = count;

		if (keep[i] < 0 || (unsigned int)keep[i] < first || (unsigned int)keep[i] > last)
			continue;
		for (; at > 0 && sorted[at - 1] > (unsigned int)keep[i]; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = (unsigned int)keep[i];
		count++;
	}
	for (size_t i = 0; i < count; i++) {
		if (sorted[i] > first) {
			ret = close_range_any(first, sorted[i] - 1);
			if (ret < 0)
				return ret;
		}
		first = sorted[i] + 1;
	}
	return close_range_any(first, last);
}

int fd_cloexec_from(unsigned int first)
{
	int ret = sys_close_range(first, ~0U, CLOSE_RANGE_CLOEXEC);

	/* The flag is younger (Linux 5.11) than the call (5.9). */
	if (ret == -EINVAL || ret == -ENOSYS || ret == -EPERM)
		ret = for_each_fd(first, INT_MAX, set_cloexec_one);
	return ret;
}

int fd_set_cloexec(int fd, bool on)
{
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}

int fd_sanitize_stdio(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		int opened;

		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* The lowest free number is fd: those below are open.  Inherited on purpose. */
		opened = open("/dev/null", O_RDWR | O_NOCTTY);
		if (opened < 0)
			return -errno;
	}
	return 0;
}

int fd_write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int fd_same_inode(int a, int b)
{
	struct stat sa, sb;

	if (fstat(a, &sa) < 0 || fstat(b, &sb) < 0)
		return -errno;
	return sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}
