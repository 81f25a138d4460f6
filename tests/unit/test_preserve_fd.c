/* SPDX-License-Identifier: Apache-2.0 */
/* test_preserve_fd.c - which descriptors are passed on, and with what environment. */
#include "preserve_fd.h"

#include <fcntl.h>

#include "base/fd.h"
#include "tap.h"

static int compile(struct preserve_fd_request request, struct arena *a,
		   struct preserve_fd_plan *out, struct error *err)
{
	request.own_pid = 77;
	return preserve_fd_compile(&request, a, out, err);
}

/* A descriptor as one that came over an exec: the lowest free, without close-on-exec. */
static void inherited(void)
{
	fd_set_cloexec(open("/dev/null", O_RDONLY | O_CLOEXEC), false);
}

int main(void)
{
	const struct preserve_fd_request own = {
		.listen_fds = "2", .listen_pid = "77", .listen_fdnames = "a:b",
	};
	struct arena arena = ARENA_INIT;
	struct preserve_fd_plan p;
	struct error err = { 0 };

	fd_close_range_except(3, ~0U, NULL, 0);
	is_int(compile(own, &arena, &p, &err), 0,
	       "socket activation");
	is_int(p.listen, 2, "two descriptors");
	is_str(p.env[0], "LISTEN_FDS=2", "LISTEN_FDS");
	is_str(p.env[1], "LISTEN_PID=1", "LISTEN_PID is that of the container's init");
	is_str(p.env[2], "LISTEN_FDNAMES=a:b", "LISTEN_FDNAMES");
	compile((struct preserve_fd_request){ .listen_fds = "2", .listen_pid = "78" }, &arena, &p,
		&err);
	ok(p.listen == 0 && p.env[0] == NULL, "another process's LISTEN_PID: not for us");
	compile((struct preserve_fd_request){ .listen_fds = "two" }, &arena, &p, &err);
	is_int(p.listen, 0, "no number: none");
	ok(compile((struct preserve_fd_request){ .preserve = 70000 }, &arena, &p, &err) < 0,
	   "refused: %s", err.text);

	compile((struct preserve_fd_request){ .preserve = 3, .listen_fds = "1" }, &arena, &p, &err);
	inherited();	/* 3 */
	inherited();	/* 4 */
	inherited();	/* 5 */
	close(4);
	preserve_fd_find(&p, &arena);
	ok(p.n_fds == 2 && p.fds[0] == 3 && p.fds[1] == 5, "4 and 6 of 3 to 6 are free");
	for (int fd = 4; fd <= 8; fd++)			/* 4, 6, 7, 8: the runtime's own */
		if (fd != 5)
			is_int(open("/dev/null", O_RDONLY), fd, "%d opened later", fd);
	is_int(preserve_fd_run(&p, &err), 0, "prepared for exec %s", err.text);
	ok(fcntl(3, F_GETFD) == 0 && fcntl(5, F_GETFD) == 0, "these stay open");
	ok(fcntl(4, F_GETFD) == FD_CLOEXEC && fcntl(6, F_GETFD) == FD_CLOEXEC &&
		   fcntl(7, F_GETFD) == FD_CLOEXEC,
	   "the runtime's do not, in the range and above it");
	is_int(preserve_fd_close_others(&p, (const int[]){ 6, -1 }, 2), 0, "closed");
	ok(fcntl(3, F_GETFD) >= 0 && fcntl(5, F_GETFD) >= 0 && fcntl(6, F_GETFD) >= 0,
	   "what is passed and what is kept is open");
	ok(fcntl(4, F_GETFD) < 0 && fcntl(7, F_GETFD) < 0 && fcntl(8, F_GETFD) < 0,
	   "all else is closed");
	arena_free(&arena);
	return done();
}
