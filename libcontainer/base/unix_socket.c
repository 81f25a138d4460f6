/* SPDX-License-Identifier: Apache-2.0 */
/* unix_socket.c - sockets by path, and descriptors through them. */
#include "base/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

#define RETRY_MS 10
/* SCM_MAX_FD of the kernel: all that a message can carry.  What has no room the kernel closes. */
#define UNIX_SOCKET_FDS_MAX 253

/* Fills the address of name in the directory dirfd.  0 or -errno. */
static int address_at(int dirfd, const char *name, struct sockaddr_un *sa)
{
	int n = snprintf(sa->sun_path, sizeof(sa->sun_path), "/proc/self/fd/%d/%s", dirfd, name);

	return n < 0 || (size_t)n >= sizeof(sa->sun_path) ? -ENAMETOOLONG : 0;
}

/*
 * A listener that accepts nobody has a full queue some day, and then connect() waits for ever, or,
 * not blocking, says EAGAIN.  No descriptor becomes ready when there is room again, so connect() is
 * called again from time to time; what is polled meanwhile is the descriptor that ends the wait.
 */
static int connect_within(int sock, const struct sockaddr *sa, socklen_t len,
			  const struct unix_socket_limit *limit)
{
	int64_t end = clock_ms() + limit->timeout_ms;

	while (connect(sock, sa, len) < 0) {
		struct pollfd cancel = { .fd = limit->cancel, .events = POLLIN };

		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (clock_ms() >= end)
			return -ETIMEDOUT;
		if (poll(&cancel, 1, RETRY_MS) > 0)
			return -ECANCELED;
	}
	return 0;
}

static int connect_to(int type, const struct sockaddr_un *sa, socklen_t len,
		      const struct unix_socket_limit *limit)
{
	const struct timeval sending = { .tv_sec = limit->timeout_ms / 1000,
					 .tv_usec = limit->timeout_ms % 1000 * 1000 };
	owned_fd sock = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (sock < 0)
		return -errno;
	r = connect_within(sock, (const struct sockaddr *)sa, len, limit);
	if (r < 0)
		return r;
	if (fcntl(sock, F_SETFL, O_RDWR) < 0 ||
	    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &sending, sizeof(sending)) < 0)
		return -errno;
	return fd_take(&sock);
}

static int connect_long(const char *path, int type, const struct unix_socket_limit *limit)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const char *slash = strrchr(path, '/');
	owned_fd dir = -1;
	char parent[PATH_MAX];
	int r;

	if (slash == NULL || (size_t)(slash - path) >= sizeof(parent))
		return -ENAMETOOLONG;
	memcpy(parent, path, (size_t)(slash - path));
	parent[slash - path] = '\0';
	dir = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	r = address_at(dir, slash + 1, &sa);
	return r < 0 ? r : connect_to(type, &sa, sizeof(sa), limit);
}

int unix_socket_connect(const char *path, int type, const struct unix_socket_limit *limit)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t len = strlen(path);

	if (len == 0)
		return -ENOENT;
	if (len >= sizeof(sa.sun_path))
		return path[0] == '@' ? -ENAMETOOLONG : connect_long(path, type, limit);
	memcpy(sa.sun_path, path, len);
	if (path[0] != '@')
		return connect_to(type, &sa, sizeof(sa), limit);
	sa.sun_path[0] = '\0';
	return connect_to(type, &sa, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len),
			  limit);
}

int unix_socket_name(int sock, int dirfd, const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int r = address_at(dirfd, name, &sa);

	if (r < 0)
		return r;
	return bind(sock, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? -errno : 0;
}

/*
 * The umask may have taken what others need to reach the socket.  Whoever can write to the
 * directory may have put a symlink or another file in its place by now: so the mode is given by
 * descriptor, and to a socket only.
 */
static int give_mode(int dirfd, const char *name, mode_t mode)
{
	owned_fd file = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char link[64];
	struct stat st;

	if (file < 0 || fstat(file, &st) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	if ((st.st_mode & 07777) == mode)
		return 0;
	/* fchmod(2) refuses a descriptor that names a file only. */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
	return chmod(link, mode) < 0 ? -errno : 0;
}

int unix_socket_bind(int dirfd, const char *name, int type, mode_t mode)
{
	owned_fd sock = -1;
	struct stat st;
	int r;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(st.st_mode))
		unlinkat(dirfd, name, 0);
	sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	/*
	 * fchmod() before bind() gives the file its mode from the start, as far as the umask lets
	 * it.
	 */
	if (sock < 0 || fchmod(sock, mode) < 0)
		return -errno;
	r = unix_socket_name(sock, dirfd, name);
	if (r == 0)
		r = give_mode(dirfd, name, mode);
	return r < 0 ? r : fd_take(&sock);
}

int unix_socket_send(int sock, const void *data, size_t len, int fd)
{
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .buf = "" };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *c = &control.align;

		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	do {
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return (size_t)n == len ? 0 : -EMSGSIZE;
}

/*
 * The first descriptor is the caller's, the others are closed.  The kernel waits in the close() of
 * a socket with SO_LINGER until what was sent is read: who sent that decides how long.
 */
static void take_descriptors(struct msghdr *msg, int *fd)
{
	const struct linger none = { 0 };

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int got;

			memcpy(&got, CMSG_DATA(c) + i * sizeof(got), sizeof(got));
			(void)setsockopt(got, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
			if (*fd < 0)
				*fd = got;
			else
				close(got);
		}
	}
}

static ssize_t receive_message(int sock, struct msghdr *msg, int flags)
{
	ssize_t n;

	do {
		n = recvmsg(sock, msg, flags | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/*
 * Looks at the next message.  -EBADMSG: it carries descriptors.  They are seen by the flag of the
 * buffer that is missing for them; the message keeps its own, so that nothing is closed here.
 */
static ssize_t peek(int sock, void *data, size_t size, int flags)
{
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n = receive_message(sock, &msg, MSG_PEEK | flags);

	return n >= 0 && (msg.msg_flags & MSG_CTRUNC) ? -EBADMSG : n;
}

ssize_t unix_socket_receive(int sock, void *data, size_t size, int *fd)
{
	struct iovec iov = { .iov_base = data, .iov_len = size };
	union {
		char buf[CMSG_SPACE(UNIX_SOCKET_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n = 0;

	if (fd != NULL) {
		*fd = -1;
		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
	} else {
		n = peek(sock, data, size, 0);
	}
	if (n >= 0)
		n = receive_message(sock, &msg, 0);
	if (n >= 0 && fd != NULL)
		take_descriptors(&msg, fd);
	return n;
}

/* Whether an empty message is next, which looks like the end: with credentials it does not. */
static bool is_empty_message(int sock)
{
	const int on = 1, off = 0;
	char data[1];
	bool is;

	(void)setsockopt(sock, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	is = peek(sock, data, sizeof(data), MSG_DONTWAIT) == -EBADMSG;
	(void)setsockopt(sock, SOL_SOCKET, SO_PASSCRED, &off, sizeof(off));
	return is;
}

void unix_socket_drop(int *sock)
{
	char data[1];
	ssize_t n;

	if (*sock < 0)
		return;
	/* Nobody can send any more, and who waits for an answer gets none. */
	(void)shutdown(*sock, SHUT_RDWR);
	do {
		n = peek(*sock, data, sizeof(data), MSG_DONTWAIT);
		if (n > 0 || (n == 0 && is_empty_message(*sock)))
			n = recv(*sock, data, sizeof(data), MSG_DONTWAIT) < 0 ? -errno : 1;
	} while (n > 0);
	if (n == -EBADMSG)
		*sock = -1;
	else
		fd_close(sock);
}
