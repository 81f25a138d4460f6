/* SPDX-License-Identifier: Apache-2.0 */
#include "base/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

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

/* Where the directories to remove come to lie, one beside the other. */
struct heap {
	int fd;
	dev_t dev;
	unsigned int next;		/* the name that is tried next */
};

/*
 * A directory that is not empty becomes an entry of the heap.  It keeps its content: a rename is
 * one step, however much lies below.  A name that is taken is an error of rename(2), or that of an
 * empty directory, which is then gone as it should be.
 */
static int move_to_heap(struct heap *heap, int parent, const char *name)
{
	char to[16];

	do {
		snprintf(to, sizeof(to), "%u", heap->next++);
		if (renameat(parent, name, heap->fd, to) == 0 || errno == ENOENT)
			return 0;
	} while (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR);
	return -errno;
}

/* Removes one entry, or has it moved if it is a directory with entries of its own. */
static int remove_entry(struct heap *heap, int parent, const char *name)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return -errno;
	return parent == heap->fd ? -ENOTEMPTY : move_to_heap(heap, parent, name);
}

/* Removes the entries of a directory in the heap, and then the directory. */
static int remove_level(struct heap *heap, const char *name)
{
	owned_fd fd = openat(heap->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dir_iter it;
	struct stat st;
	const char *entry;
	int ret;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != heap->dev)
		return -EXDEV;
	ret = dir_begin(&it, fd);
	while (ret == 0 && (entry = dir_next(&it, NULL, &ret)))
		ret = remove_entry(heap, fd, entry);
	if (ret < 0)
		return ret;
	return unlinkat(heap->fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT &&
		errno != ENOTEMPTY ? -errno : 0;
}

/* One pass over the heap's entries: whether there were any, or -errno. */
static int remove_pass(struct heap *heap)
{
	struct dir_iter it;
	const char *name;
	int ret = dir_begin(&it, heap->fd), found = 0;

	/* The kernel's cursor bears it that entries go and come during the walk. */
	while (ret == 0 && (name = dir_next(&it, NULL, &ret))) {
		found = 1;
		ret = remove_entry(heap, heap->fd, name);
		if (ret == -ENOTEMPTY)
			ret = remove_level(heap, name);
	}
	return ret < 0 ? ret : found;
}

/*
 * The tree may have been made by a container, with any number of levels and entries.  So there is
 * no recursion and no ".." (which leads elsewhere when the directory is moved meanwhile): each
 * directory inside is first moved up, beside its parent, and then removed from there.  Two
 * descriptors are open at most.
 */
int dir_remove_tree(int parent, const char *name)
{
	struct heap heap = { .fd = parent };
	int ret = remove_entry(&heap, parent, name);
	owned_fd top = -1;
	struct stat st;

	if (ret != -ENOTEMPTY)
		return ret;
	top = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (top < 0 || fstat(top, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	heap = (struct heap){ .fd = top, .dev = st.st_dev };
	do {
		ret = remove_pass(&heap);
	} while (ret > 0);
	if (ret < 0)
		return ret;
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}
