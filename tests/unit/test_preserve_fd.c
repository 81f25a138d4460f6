/* SPDX-License-Identifier: Apache-2.0 */
/* test_preserve_fd.c - which descriptors are passed on, and with what environment. */
#include "preserve_fd.h"

#include <fcntl.h>

#include "base/fd.h"
#include "tap.h"

int main(void)
{
	struct arena arena = ARENA_INIT;
	struct preserve_fd_plan p;
	struct error err = { 0 };

	fd_close_range_except(3, ~0U, NULL, 0);
	is_int(preserve_fd_compile(0, "2", "77", "a:b", 77, &arena, &p, &err), 0, "socket activation");
	is_int(p.listen, 2, "two descriptors");
	is_str(p.env[0], "LISTEN_FDS=2", "LISTEN_FDS");
	is_str(p.env[1], "LISTEN_PID=1", "LISTEN_PID is that of the container's init");
	is_str(p.env[2], "LISTEN_FDNAMES=a:b", "LISTEN_FDNAMES");
	preserve_fd_compile(0, "2", "78", NULL, 77, &arena, &p, &err);
	ok(p.listen == 0 && p.env[0] == NULL, "another process's LISTEN_PID: not for us");
	preserve_fd_compile(0, "two", NULL, NULL, 77, &arena, &p, &err);
	is_int(p.listen, 0, "no number: none");
	ok(preserve_fd_compile(70000, NULL, NULL, NULL, 1, &arena, &p, &err) < 0, "refused: %s", err.text);

	preserve_fd_compile(1, "1", NULL, NULL, 1, &arena, &p, &err);
	open("/dev/null", O_RDONLY | O_CLOEXEC);	/* 3 */
	ok(preserve_fd_check(&p, &err) < 0 && strstr(err.text, "--preserve-fds: descriptor 4 is not open") != NULL,
	   "missing: %s", err.text);
	open("/dev/null", O_RDONLY | O_CLOEXEC);	/* 4 */
	is_int(preserve_fd_check(&p, &err), 0, "there");
	open("/dev/null", O_RDONLY);			/* 5: a leak */
	is_int(preserve_fd_run(&p, &err), 0, "prepared for exec %s", err.text);
	ok(fcntl(3, F_GETFD) == 0 && fcntl(4, F_GETFD) == 0, "these stay open");
	is_int(fcntl(5, F_GETFD), FD_CLOEXEC, "the next does not");
	arena_free(&arena);
	return done();
}
