/* SPDX-License-Identifier: Apache-2.0 */
/* spawn.c - runs a program with a deadline. */
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/sys.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

#define SPAWN_PATH "/usr/bin:/bin:/usr/local/bin"
#define SPAWN_KILL_WAIT_MS 5000	/* for a process that is in the kernel while it is killed */

/* One running program: our ends of what connects us to it. */
struct child {
	pid_t pid;
	int pidfd;
	int in;				/* memory file, its standard input */
	int status[2];			/* the errno of a failed exec; closed by a successful one */
	int out[2];			/* its stdout and stderr, when captured */
	int failed;			/* errno of the exec, or 0 */
};

static void child_close(struct child *c)
{
	fd_close(&c->pidfd);
	fd_close(&c->in);
	fd_close(&c->status[0]);
	fd_close(&c->status[1]);
	fd_close(&c->out[0]);
	fd_close(&c->out[1]);
}

/* A file in memory instead of a pipe: it needs no feeding, and can be re-opened as /dev/stdin. */
static int input_file(const struct spawn *s)
{
	owned_fd fd = memfd_create("stdin", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	size_t len = s->input ? s->input_len : 0;
	int ret;

	if (fd < 0 && errno == EINVAL)	/* before Linux 6.3 */
		fd = memfd_create("stdin", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = fd_write_all(fd, s->input, len);
	if (ret < 0)
		return ret;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return fd_take(&fd);
}

static int child_prepare(const struct spawn *s, struct child *c)
{
	c->in = input_file(s);
	if (c->in < 0)
		return c->in;
	if (pipe2(c->status, O_CLOEXEC) < 0)
		return -errno;
	if (s->output && s->output_size > 0) {
		if (pipe2(c->out, O_CLOEXEC) < 0)
			return -errno;
		/* Our end only: the program must not see EAGAIN. */
		if (fcntl(c->out[0], F_SETFL, O_NONBLOCK) < 0)
			return -errno;
	}
	return 0;
}

/* What the child does between clone and exec.  Returns only if that failed: the errno. */
static int child_exec(const struct spawn *s, const struct child *c)
{
	const struct sigaction def = { .sa_handler = SIG_DFL };
	sigset_t none;

	/* Ignored signals survive an exec, and so does the mask. */
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		sigaction(sig, &def, NULL);
	sigemptyset(&none);
	if (setpgid(0, 0) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return errno;
	if (dup2(c->in, STDIN_FILENO) < 0)
		return errno;
	if (c->out[1] >= 0 &&
	    (dup2(c->out[1], STDOUT_FILENO) < 0 || dup2(c->out[1], STDERR_FILENO) < 0))
		return errno;
	/* An open descriptor would be a way back to the host (CVE-2024-21626): close, for sure. */
	if (fd_close_range_except(3, ~0U, &c->status[1], 1) < 0)
		return EBADF;
	execve(s->path, s->argv, s->envp);
	return errno;
}

static int child_start(const struct spawn *s, struct child *c)
{
	struct sys_clone clone = { .exit_signal = SIGCHLD, .pidfd = &c->pidfd };

	c->pid = sys_clone3(&clone);
	if (c->pid < 0)
		return c->pid;
	if (c->pid == 0) {
		int failed = child_exec(s, c);

		fd_write_all(c->status[1], &failed, sizeof(failed));
		_exit(127);
	}
	fd_close(&c->status[1]);
	fd_close(&c->out[1]);
	return 0;
}

/* Keeps the last bytes of what the program says. */
struct tail {
	char *text;
	size_t size;
	size_t len;
};

static void tail_add(struct tail *t, const char *p, size_t n)
{
	size_t max = t->size - 1;

	if (n > max) {
		p += n - max;
		n = max;
	}
	if (t->len + n > max) {
		size_t drop = t->len + n - max;

		memmove(t->text, t->text + drop, t->len - drop);
		t->len -= drop;
	}
	memcpy(t->text + t->len, p, n);
	t->len += n;
	t->text[t->len] = '\0';
}

/* Reads what is there, but not for ever: the program may write faster than we read. */
static void output_drain(struct child *c, struct tail *t)
{
	char buf[4096];

	for (int i = 0; i < 64 && c->out[0] >= 0; i++) {
		ssize_t n = read(c->out[0], buf, sizeof(buf));

		if (n > 0)
			tail_add(t, buf, (size_t)n);
		else if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		else
			fd_close(&c->out[0]);
	}
}

/* Learns how the exec went.  Blocks until it is done: only after poll() or the child's end. */
static void status_read(struct child *c)
{
	int failed;
	ssize_t n;

	do {
		n = read(c->status[0], &failed, sizeof(failed));
	} while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(failed))
		c->failed = failed;
	fd_close(&c->status[0]);
}

static int reap(struct child *c, struct spawn_result *r)
{
	siginfo_t info = { 0 };

	while (waitid(P_PID, (id_t)c->pid, &info, WEXITED) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	r->end = info.si_code == CLD_EXITED ? SPAWN_EXITED : SPAWN_SIGNALED;
	r->status = info.si_status;
	return 0;
}

/*
 * Waits until the program has ended (returns 1) or the deadline, unless it is -1, has passed (0).
 * Its descendants may hold the output open for longer: their end is not waited for.
 */
static int child_wait(struct child *c, struct tail *t, int64_t deadline, int cancel)
{
	for (;;) {
		struct pollfd p[4] = {
			{ .fd = c->pidfd, .events = POLLIN },
			{ .fd = c->status[0], .events = POLLIN },
			{ .fd = c->out[0], .events = POLLIN },
			{ .fd = cancel > 0 ? cancel : -1, .events = POLLIN },
		};
		int64_t left = deadline < 0 ? -1 : deadline - clock_ms();

		if (deadline >= 0 && left <= 0)
			return 0;
		if (poll(p, 4, (int)left) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (p[1].revents)
			status_read(c);
		if (p[2].revents)
			output_drain(c, t);
		if (p[0].revents)
			return 1;
		if (p[3].revents)
			return -ECANCELED;
	}
}

/* Ends the whole group, and the child itself in case it was not yet in its group. */
static void child_kill(struct child *c, struct tail *t)
{
	kill(-c->pid, SIGKILL);
	sys_pidfd_send_signal(c->pidfd, SIGKILL);
	child_wait(c, t, clock_ms() + SPAWN_KILL_WAIT_MS, 0);
}

static int child_run(const struct spawn *s, struct child *c, struct spawn_result *r)
{
	struct tail t = { s->output, s->output_size, 0 };
	int64_t deadline = s->timeout_ms > 0 ? clock_ms() + s->timeout_ms : -1;
	siginfo_t info = { 0 };
	int ret;

	ret = child_prepare(s, c);
	if (ret == 0)
		ret = child_start(s, c);
	if (ret < 0)
		return ret;

	ret = child_wait(c, &t, deadline, s->cancel);
	if (ret <= 0) {
		child_kill(c, &t);
		r->end = SPAWN_TIMED_OUT;
		r->status = SIGKILL;
		/* Without waiting: what SIGKILL has not ended is stuck in the kernel. */
		waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG);
		return ret;
	}
	/* Both may have become ready between poll() and now. */
	if (c->status[0] >= 0)
		status_read(c);
	output_drain(c, &t);
	ret = reap(c, r);
	return c->failed ? -c->failed : ret;
}

int spawn_run(const struct spawn *s, struct spawn_result *result)
{
	struct child c = {
		.pid = -1, .pidfd = -1, .in = -1, .status = { -1, -1 }, .out = { -1, -1 },
	};
	int ret;

	if (s->output && s->output_size > 0)
		s->output[0] = '\0';
	ret = child_run(s, &c, result);
	child_close(&c);
	return ret;
}

bool spawn_find(const char *name, char *out, size_t size)
{
	const char *path = getenv("PATH");

	if (!path || path[0] == '\0')
		path = SPAWN_PATH;
	while (*path != '\0') {
		size_t len = strcspn(path, ":");
		int n = snprintf(out, size, "%.*s/%s", (int)len, path, name);

		if (path[0] == '/' && n > 0 && (size_t)n < size && access(out, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}
