/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dir.h - directory entries without allocation, and the removal of a tree.
 */
#ifndef KIST_BASE_DIR_H
#define KIST_BASE_DIR_H

#include <stddef.h>

struct dir_iter {
	int fd; /* the caller's, open for reading */
	size_t pos, len;
	char buf[4096] __attribute__((aligned(8)));
};

/* Starts at the directory's beginning.  0 or -errno. */
int dir_begin(struct dir_iter *it, int fd);

/*
 * The next name but "." and "..", or NULL at the end or on an error (*ret: 0 or -errno).  type:
 * DT_*, may be DT_UNKNOWN; may be NULL.  The name is valid until the next call.
 */
const char *dir_next(struct dir_iter *it, unsigned char *type, int *ret);

/*
 * Removes a file, or a directory and all below it, however deep and wide.  Symlinks are removed,
 * never followed; mount points and other file systems are not entered.  A missing entry is no
 * error.  0 or -errno.
 */
int dir_remove_tree(int parent, const char *name);

#endif
