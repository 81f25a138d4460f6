/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fd.h - descriptors with an owner.
 *
 * Every descriptor is close-on-exec at birth, is held in an `owned_fd` and handed
 * over with fd_take().  -1 means "none".
 */
#ifndef KIST_BASE_FD_H
#define KIST_BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Closes *fd if it is >= 0, sets it to -1, preserves errno. */
void fd_close(int *fd);

#define owned_fd __attribute__((cleanup(fd_close))) int

/* Gives the descriptor away: returns *fd and leaves -1. */
static inline int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Closes every descriptor in [first, last] but those in keep[0..n), n <= 32.  0 or -errno. */
int fd_close_range_except(unsigned int first, unsigned int last, const int *keep, size_t n);

/* Sets close-on-exec on every descriptor >= first, even those that are not ours.  0 or -errno. */
int fd_cloexec_from(unsigned int first);

int fd_set_cloexec(int fd, bool on);

/* Opens /dev/null on each of 0, 1, 2 that is closed: no later open() lands there.  0 or -errno. */
int fd_sanitize_stdio(void);

/* Writes all of buf, through EINTR and short writes.  0 or -errno. */
int fd_write_all(int fd, const void *buf, size_t len);

/* Whether the two descriptors are the same inode (st_dev, st_ino): 1, 0 or -errno. */
int fd_same_inode(int a, int b);

#endif
