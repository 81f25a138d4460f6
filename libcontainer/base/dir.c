/* SPDX-License-Identifier: Apache-2.0 */
#include "base/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

#define DEPTH_MAX 8

/* What getdents64() returns; the C library has the struct only behind its own DIR. */
struct linux_dirent64 {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

int dir_begin(struct dir_iter *it, int fd)
{
	it->fd = fd;
	it->pos = it->len = 0;
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

const char *dir_next(struct dir_iter *it, unsigned char *type, int *ret)
{
	*ret = 0;
	for (;;) {
		struct linux_dirent64 *d;

		if (it->pos >= it->len) {
			long n = syscall(SYS_getdents64, it->fd, it->buf, sizeof(it->buf));

			if (n <= 0) {
				*ret = n < 0 ? -errno : 0;
				return NULL;
			}
			it->len = (size_t)n;
			it->pos = 0;
		}
		d = (struct linux_dirent64 *)(void *)(it->buf + it->pos);
		it->pos += d->reclen;
		if (strcmp(d->name, ".") == 0 || strcmp(d->name, "..") == 0)
			continue;
		if (type)
			*type = d->type;
		return d->name;
	}
}

static int remove_below(int parent, const char *name, dev_t dev, int depth)
{
	owned_fd fd = -1;
	struct dir_iter it;
	struct stat st;
	const char *entry;
	int ret;

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != ENOTEMPTY || depth == 0)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (dev && st.st_dev != dev)
		return -EXDEV;
	ret = dir_begin(&it, fd);
	/* Entries removed during the walk do not disturb the rest: the kernel's cursor is by
	 * position in the file. */
	while (ret == 0 && (entry = dir_next(&it, NULL, &ret)))
		ret = remove_below(fd, entry, st.st_dev, depth - 1);
	if (ret < 0)
		return ret;
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int dir_remove_tree(int parent, const char *name)
{
	return remove_below(parent, name, 0, DEPTH_MAX);
}
