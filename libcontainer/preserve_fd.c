/* SPDX-License-Identifier: Apache-2.0 */
/* preserve_fd.c - descriptors that are passed to the container's process. */
#include "preserve_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"

/* How many socket activation passes; 0 when the variables are meant for another process. */
static unsigned int listen_count(const struct preserve_fd_request *r)
{
	uint64_t n, pid;

	if (r->listen_fds == NULL || str_to_u64(r->listen_fds, PRESERVE_FD_MAX, &n) < 0)
		return 0;
	if (r->listen_pid != NULL && r->listen_pid[0] != '\0' &&
	    (str_to_u64(r->listen_pid, INT32_MAX, &pid) < 0 || pid != (uint64_t)r->own_pid))
		return 0;
	return (unsigned int)n;
}

int preserve_fd_compile(const struct preserve_fd_request *request, struct arena *a,
			struct preserve_fd_plan *out, struct error *err)
{
	memset(out, 0, sizeof(*out));
	if (request->preserve > PRESERVE_FD_MAX)
		return error_set(err, 0, "--preserve-fds %u: more than %d descriptors",
				 request->preserve, PRESERVE_FD_MAX);
	out->preserve = request->preserve;
	out->listen = listen_count(request);
	if (out->listen == 0)
		return 0;
	out->env[0] = arena_printf(a, "LISTEN_FDS=%u", out->listen);
	out->env[1] = arena_strdup(a, "LISTEN_PID=1");
	if (request->listen_fdnames != NULL)
		out->env[2] = arena_printf(a, "LISTEN_FDNAMES=%s", request->listen_fdnames);
	return 0;
}

void preserve_fd_find(struct preserve_fd_plan *p, struct arena *a)
{
	for (unsigned int i = 0; i < p->listen + p->preserve; i++) {
		int fd = (int)(PRESERVE_FD_FIRST + i);
		int flags = fcntl(fd, F_GETFD);

		/* What the caller passes came over an exec; with close-on-exec it is one of kist's
		 * own. */
		if (flags < 0 || (flags & FD_CLOEXEC))
			continue;
		p->fds = arena_grow(a, p->fds, p->n_fds, sizeof(*p->fds));
		p->fds[p->n_fds++] = fd;
	}
}

int preserve_fd_close_others(const struct preserve_fd_plan *p, const int *keep, size_t n)
{
	unsigned int first = PRESERVE_FD_FIRST;
	int r = 0;

	for (size_t i = 0; i < p->n_fds && r == 0; i++) {
		unsigned int fd = (unsigned int)p->fds[i];

		if (fd > first)
			r = fd_close_range_except(first, fd - 1, keep, n);
		first = fd + 1;
	}
	return r < 0 ? r : fd_close_range_except(first, ~0U, keep, n);
}

int preserve_fd_run(const struct preserve_fd_plan *p, struct error *err)
{
	/* One that stayed open would be a way to the host (CVE-2024-21626). */
	int r = fd_cloexec_from(PRESERVE_FD_FIRST);

	if (r < 0)
		return error_set(err, -r, "close descriptors from %d on", PRESERVE_FD_FIRST);
	for (size_t i = 0; i < p->n_fds; i++) {
		r = fd_set_cloexec(p->fds[i], false);
		if (r < 0)
			return error_set(err, -r, "pass descriptor %d to the container", p->fds[i]);
	}
	return 0;
}

void preserve_fd_show(const struct preserve_fd_plan *p, struct show *out)
{
	if (p->listen + p->preserve > 0)
		show_act(out, "pass descriptors 3 to %u",
			 PRESERVE_FD_FIRST - 1 + p->listen + p->preserve);
}
