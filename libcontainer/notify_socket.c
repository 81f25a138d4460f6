/* SPDX-License-Identifier: Apache-2.0 */
/* notify_socket.c - sd_notify(3) across the container's border. */
#include "notify_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/unix_socket.h"

#define READY "READY=1"
#define MESSAGE_MAX 4096
#define BARRIER_MS 30000
#define MANAGER_MS 10000	/* for the manager to have room for a message */

int notify_socket_compile(const char *host, struct notify_socket_plan *out, struct error *err)
{
	memset(out, 0, sizeof(*out));
	if (host == NULL || host[0] == '\0')
		return 0;
	if (host[0] != '/' && host[0] != '@')
		return error_set(err, 0,
				 "environment: NOTIFY_SOCKET=%s is neither an absolute path nor an "
				 "abstract socket",
				 host);
	out->host = host;
	return 0;
}

int notify_socket_prepare(const struct notify_socket_plan *p, int state_dir, struct error *err)
{
	if (p->host == NULL)
		return 0;
	if (mkdirat(state_dir, NOTIFY_SOCKET_DIRECTORY, 0755) < 0 && errno != EEXIST)
		return error_set(err, errno, "make directory %s", NOTIFY_SOCKET_DIRECTORY);
	/* The umask may have taken what the container's user needs to reach the socket. */
	if (fchmodat(state_dir, NOTIFY_SOCKET_DIRECTORY, 0755, 0) < 0)
		return error_set(err, errno, "set the mode of directory %s",
				 NOTIFY_SOCKET_DIRECTORY);
	return 0;
}

int notify_socket_run(const struct notify_socket_plan *p, int state_dir, int root,
		      struct error *err)
{
	/*
	 * The directory lies in the state directory of the host, and the runtime makes the socket
	 * in it later.  Read-only, the container can neither put something else there nor fill the
	 * host's file system; a socket can be written to all the same.
	 */
	const struct sys_mount_attr attr = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    MOUNT_ATTR_NOEXEC,
	};
	owned_fd tree = -1, target = -1;
	int r;

	if (p->host == NULL)
		return 0;
	tree = sys_open_tree(state_dir, NOTIFY_SOCKET_DIRECTORY,
			     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return error_set(err, -tree, "clone the notify directory");
	r = sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr);
	if (r < 0)
		return error_set(err, -r, "set the flags of the notify mount");
	/*
	 * The image may have anything at this path: it is walked inside root, and mounted on by
	 * descriptor.
	 */
	target = path_mkdirs(root, NOTIFY_SOCKET_TARGET, 0755);
	if (target < 0)
		return error_set(err, -target, "make directory %s in the container",
				 NOTIFY_SOCKET_TARGET);
	r = sys_move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
	if (r < 0)
		return error_set(err, -r, "mount the notify directory on %s", NOTIFY_SOCKET_TARGET);
	return 0;
}

int notify_socket_open(int state_dir, struct error *err)
{
	owned_fd dir = -1;
	int sock;

	dir = openat(state_dir, NOTIFY_SOCKET_DIRECTORY,
		     O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return error_set(err, errno, "open directory %s", NOTIFY_SOCKET_DIRECTORY);
	/*
	 * Whoever the process is inside must be able to write; others do not get through the state
	 * directory.
	 */
	sock = unix_socket_bind(dir, NOTIFY_SOCKET_NAME, SOCK_DGRAM, 0777);
	if (sock < 0)
		return error_set(err, -sock, "bind socket %s/%s", NOTIFY_SOCKET_DIRECTORY,
				 NOTIFY_SOCKET_NAME);
	return sock;
}

bool notify_socket_is_ready(const char *text, size_t len)
{
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line = end != NULL ? (size_t)(end - text) : len;

		if (line == strlen(READY) && memcmp(text, READY, line) == 0)
			return true;
		if (end == NULL)
			return false;
		text += line + 1;
		len -= line + 1;
	}
	return false;
}

/*
 * The manager closes its copy of the pipe when it has come to this message, and so to all before
 * it.
 */
static int barrier(int host)
{
	owned_fd reader = -1, writer = -1;
	struct pollfd pfd;
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	reader = ends[0];
	writer = ends[1];
	r = unix_socket_send(host, "BARRIER=1", strlen("BARRIER=1"), writer);
	if (r < 0)
		return r;
	fd_close(&writer);
	pfd = (struct pollfd){ .fd = reader, .events = 0 };
	do {
		r = poll(&pfd, 1, BARRIER_MS);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r == 0 ? -ETIMEDOUT : 0;
}

static int pass_on(const struct notify_socket_plan *p, pid_t pid, struct error *err)
{
	const struct unix_socket_limit limit = { MANAGER_MS, -1 };
	owned_fd host = unix_socket_connect(p->host, SOCK_DGRAM, &limit);
	char text[64];
	int len, r;

	if (host < 0)
		return error_set(err, -host, "connect to NOTIFY_SOCKET %s", p->host);
	len = snprintf(text, sizeof(text), "MAINPID=%d\n" READY, (int)pid);
	r = unix_socket_send(host, text, (size_t)len, -1);
	if (r < 0)
		return error_set(err, -r, "send %s to NOTIFY_SOCKET %s", READY, p->host);
	/*
	 * An older manager leaves the barrier's pipe alone until the socket is gone: the message
	 * itself has arrived.
	 */
	barrier(host);
	return 0;
}

int notify_socket_serve(const struct notify_socket_plan *p, int sock,
			const struct notify_socket_wait *wait, struct error *err)
{
	const int timeout_ms = wait->timeout_ms;
	int64_t end = timeout_ms >= 0 ? clock_ms() + timeout_ms : INT64_MAX;
	char text[MESSAGE_MAX];

	for (;;) {
		struct pollfd fds[3] = { { .fd = sock, .events = POLLIN },
					 { .fd = wait->pidfd, .events = POLLIN },
					 { .fd = wait->cancel, .events = POLLIN } };
		int64_t left = timeout_ms >= 0 ? end - clock_ms() : -1;
		int r = timeout_ms >= 0 && left <= 0 ? 0 : poll(fds, 3, (int)left);
		owned_fd came = -1;
		ssize_t n;

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return error_set(err, errno, "wait for %s of the container", READY);
		if (r == 0)
			return error_set(err, ETIMEDOUT,
					 "the container has not sent %s to %s/%s within %d s",
					 READY, NOTIFY_SOCKET_TARGET, NOTIFY_SOCKET_NAME,
					 timeout_ms / 1000);
		if (fds[2].revents)
			return error_set(err, EINTR, "wait for %s of the container", READY);
		if (fds[0].revents == 0)
			return 0;	/* init has ended, and left nothing to read */
		/* A descriptor that came along is closed: BARRIER=1 waits for that. */
		n = unix_socket_receive(sock, text, sizeof(text), &came);
		if (n < 0)
			return error_set(err, (int)-n, "receive from %s", NOTIFY_SOCKET_NAME);
		if (notify_socket_is_ready(text, (size_t)n))
			return pass_on(p, wait->pid, err);
	}
}

void notify_socket_show(const struct notify_socket_plan *p, struct show *out)
{
	if (p->host != NULL)
		show_act(out, "mount the notify socket on %s, read-only, for %s",
			 NOTIFY_SOCKET_TARGET, p->host);
}
