/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preserve_fd.h - descriptors that are passed to the container's process.
 *
 * They stand from 3 on: first those of socket activation (LISTEN_FDS), then those of
 * --preserve-fds.  A number in that range may be free: engines ask for a range that holds all they
 * pass (`podman run --preserve-fd 9,40`).  It is free in the container too, since descriptors of
 * the runtime itself are never passed.  Everything else is closed.  Source: runtime-linux.md "File
 * descriptors"; sd_listen_fds(3).
 */
#ifndef KIST_PRESERVE_FD_H
#define KIST_PRESERVE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "show.h"

#define PRESERVE_FD_FIRST 3
#define PRESERVE_FD_MAX 65536

struct preserve_fd_plan {
	unsigned int listen;		/* LISTEN_FDS */
	unsigned int preserve;		/* --preserve-fds */
	int *fds;			/* those of the range that are open, ascending */
	size_t n_fds;
	char *env[4];			/* to add to the process's environment; NULL-terminated */
};

/* What the caller asks for; the variables are those of its environment, or NULL. */
struct preserve_fd_request {
	unsigned int preserve;		/* --preserve-fds */
	const char *listen_fds;
	const char *listen_pid;
	const char *listen_fdnames;
	pid_t own_pid;			/* of the runtime */
};

/*
 * The variables count only when listen_pid is absent or own_pid.  Inside they are LISTEN_PID=1,
 * since the process will be pid 1 there, with LISTEN_FDS and LISTEN_FDNAMES as given.
 */
int preserve_fd_compile(const struct preserve_fd_request *request, struct arena *a,
			struct preserve_fd_plan *out, struct error *err);

/*
 * Finds out which of them are open.  To be called before the command opens anything, or a
 * descriptor of its own would be taken for the caller's.
 */
void preserve_fd_find(struct preserve_fd_plan *p, struct arena *a);

/*
 * Closes everything from 3 on but what is passed and the n descriptors of keep.  0 or -errno.
 * Usable between clone and exec.
 */
int preserve_fd_close_others(const struct preserve_fd_plan *p, const int *keep, size_t n);

/* In the child, just before exec: these stay open, all others get close-on-exec. */
int preserve_fd_run(const struct preserve_fd_plan *p, struct error *err);

void preserve_fd_show(const struct preserve_fd_plan *p, struct show *out);

#endif
