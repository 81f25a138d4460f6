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

int preserve_fd_check(const struct preserve_fd_plan *p, struct error *err)
{
	for (unsigned int i = 0; i < p->listen + p->preserve; i++) {
		int fd = (int)(PRESERVE_FD_FIRST + i);
		int flags = fcntl(fd, F_GETFD);

		/* What the caller passes came over an exec; with close-on-exec it is one of kist's
		 * own. */
		if (flags < 0 || (flags & FD_CLOEXEC))
			return error_set(err, EBADF,
					 "%s: descriptor %d is not open (descriptors 3 to %u are "
					 "to be passed)",
					 i < p->listen ? "LISTEN_FDS" : "--preserve-fds", fd,
					 PRESERVE_FD_FIRST - 1 + p->listen + p->preserve);
	}
	return 0;
}

int preserve_fd_run(const struct preserve_fd_plan *p, struct error *err)
{
	unsigned int end = PRESERVE_FD_FIRST + p->listen + p->preserve;
	int r;

	for (unsigned int fd = PRESERVE_FD_FIRST; fd < end; fd++) {
		r = fd_set_cloexec((int)fd, false);
		if (r < 0)
			return error_set(err, -r, "pass descriptor %u to the container", fd);
	}
	/* One that stayed open would be a way to the host (CVE-2024-21626). */
	r = fd_cloexec_from(end);
	if (r < 0)
		return error_set(err, -r, "close descriptors from %u on", end);
	return 0;
}

void preserve_fd_show(const struct preserve_fd_plan *p, struct show *out)
{
	if (p->listen + p->preserve > 0)
		show_act(out, "pass descriptors 3 to %u",
			 PRESERVE_FD_FIRST - 1 + p->listen + p->preserve);
}
