/* SPDX-License-Identifier: Apache-2.0 */
/* terminal.c - the container's pseudo-terminal. */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/unix_socket.h"

#define CONNECT_MS 10000	/* for the engine to take the terminal */

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

int terminal_compile(const struct oci_config *c, const struct oci_process *process, bool detach,
		     const char *console_socket, struct terminal_plan *out, struct error *err)
{
	memset(out, 0, sizeof(*out));
	if (process != NULL) {
		out->wanted = process->terminal;
		out->uid = process->user.uid;
	}
	if (out->wanted && detach && console_socket == NULL)
		return oci_error(c, &process->terminal, err,
				 "cannot allocate tty: a detached container has nobody to keep it "
				 "(give --console-socket)");
	if (console_socket != NULL && (!out->wanted || !detach))
		return error_set(err, 0,
				 "cannot use console socket: it is for a detached container with "
				 "process.terminal");
	out->foreground = out->wanted && !detach;
	if (!out->wanted || process->console_size == NULL)
		return 0;
	if (process->console_size->height > UINT16_MAX || process->console_size->width > UINT16_MAX)
		return oci_error(c, process->console_size, err,
				 "a terminal has at most %d rows and columns", UINT16_MAX);
	out->rows = (uint16_t)process->console_size->height;
	out->columns = (uint16_t)process->console_size->width;
	out->has_size = out->rows > 0 || out->columns > 0;
	return 0;
}

int terminal_connect(const char *path, int cancel, struct error *err)
{
	const struct unix_socket_limit limit = { CONNECT_MS, cancel };
	int sock = unix_socket_connect(path, SOCK_STREAM, &limit);

	if (sock == -ETIMEDOUT)
		return error_set(err, ETIMEDOUT, "connect to console socket %s: nobody took the "
				 "connection for %d s", path, CONNECT_MS / 1000);
	if (sock < 0)
		return error_set(err, -sock, "connect to console socket %s", path);
	return sock;
}

/*
 * The image, or for exec the running container, chose what /dev/pts is.  It must be a devpts; what
 * stands in one was made by the kernel, unless something is mounted over it, which RESOLVE_NO_XDEV
 * refuses: so no FIFO holds us up here and no other device acts.
 */
static int open_multiplexer(int root)
{
	owned_fd pts = path_open(root, "/dev/pts", O_PATH | O_DIRECTORY, 0, 0);
	struct statfs fs;

	if (pts < 0)
		return pts;
	if (fstatfs(pts, &fs) < 0)
		return -errno;
	if (fs.f_type != DEVPTS_SUPER_MAGIC)
		return -ENODEV;
	return path_open(pts, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW, 0, RESOLVE_NO_XDEV);
}

/* In the foreground the terminal stands for the caller's, which is still standard input here. */
static int set_size(const struct terminal_plan *p, int slave)
{
	struct winsize size = { .ws_row = p->rows, .ws_col = p->columns }, own;
	bool known = p->has_size;

	if (p->foreground && ioctl(STDIN_FILENO, TIOCGWINSZ, &own) == 0 && own.ws_row > 0) {
		size = own;
		known = true;
	}
	return known && ioctl(slave, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

/*
 * No "\r" before "\n": the caller's own terminal adds it where there is one, and a file gets lines
 * as they were written. Only for the foreground: engines that take the master choose for
 * themselves.
 */
static int clear_onlcr(int slave)
{
	struct termios mode;

	if (ioctl(slave, TCGETS, &mode) < 0)
		return -errno;
	mode.c_oflag &= ~(tcflag_t)ONLCR;
	return ioctl(slave, TCSETS, &mode) < 0 ? -errno : 0;
}

int terminal_open_run(const struct terminal_plan *p, int root, int *master, int *slave,
		      struct error *err)
{
	owned_fd m = -1, s = -1;
	int unlock = 0, r;

	m = open_multiplexer(root);
	if (m < 0) {
		error_set(err, -m, "open /dev/pts/ptmx of the container");
		if (m == -ENOENT || m == -ENODEV)
			error_append(
				err,
				" (process.terminal needs a mount of type devpts on /dev/pts)");
		return m;
	}
	if (ioctl(m, TIOCSPTLCK, &unlock) < 0)
		return error_set(err, errno, "unlock the terminal");
	s = ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (s < 0)
		return error_set(err, errno, "open the other end of the terminal");
	r = set_size(p, s);
	if (r < 0)
		return error_set(err, -r, "set the size of the terminal");
	r = p->foreground ? clear_onlcr(s) : 0;
	if (r < 0)
		return error_set(err, -r, "set the modes of the terminal");
	/*
	 * Group and mode come from the options of the devpts mount.  EROFS, EPERM: left to root, as
	 * without us.
	 */
	if (p->uid != 0 && fchown(s, p->uid, (gid_t)-1) < 0 && errno != EROFS && errno != EPERM)
		return error_set(err, errno, "give the terminal to uid %u", p->uid);
	*master = fd_take(&m);
	*slave = fd_take(&s);
	return 0;
}

int terminal_send_run(int sock, int master, struct error *err)
{
	char name[32];
	int number, len, r;

	if (ioctl(master, TIOCGPTN, &number) < 0)
		return error_set(err, errno, "ask the number of the terminal");
	len = snprintf(name, sizeof(name), "/dev/pts/%d", number);
	r = unix_socket_send(sock, name, (size_t)len + 1, master);
	if (r < 0)
		return error_set(err, -r, "send the terminal to the console socket");
	return 0;
}

int terminal_attach_run(int slave, struct error *err)
{
	/*
	 * A session of its own: the caller's terminal is out of reach of TIOCSTI (CVE-2017-5226).
	 */
	if (setsid() < 0 && errno != EPERM)
		return error_set(err, errno, "start a session");
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return error_set(err, errno, "make the terminal the controlling one");
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(slave, fd) < 0)
			return error_set(err, errno, "make the terminal standard stream %d", fd);
	return 0;
}

int terminal_stdio_run(const struct terminal_plan *p, struct error *err)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0 || st.st_uid == p->uid)
			continue;
		/* A file is the caller's, and stays it when the container is long gone. */
		if (!S_ISFIFO(st.st_mode))
			continue;
		/*
		 * EINVAL, EPERM: the owner is no id of this user namespace; EROFS: nobody can write
		 * anyway.
		 */
		if (fchown(fd, p->uid, (gid_t)-1) < 0 && errno != EINVAL && errno != EPERM &&
		    errno != EROFS)
			return error_set(err, errno, "give standard stream %d to uid %u", fd,
					 p->uid);
	}
	return 0;
}

int terminal_receive(int sock, int timeout_ms, struct error *err)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	owned_fd master = -1;
	char name[64];
	ssize_t n;
	int r;

	do {
		r = poll(&pfd, 1, timeout_ms);
	} while (r < 0 && errno == EINTR);
	if (r <= 0)
		return error_set(err, r < 0 ? errno : ETIMEDOUT,
				 "wait for the container's terminal");
	n = unix_socket_receive(sock, name, sizeof(name), &master);
	if (n < 0)
		return error_set(err, (int)-n, "receive the container's terminal");
	if (master < 0)
		return error_set(err, 0, "the container ended without sending its terminal");
	return fd_take(&master);
}

void terminal_show(const struct terminal_plan *p, struct show *out)
{
	if (!p->wanted)
		return;
	if (p->has_size)
		show_act(out, "open a terminal of %u rows and %u columns for uid %u", p->rows,
			 p->columns, p->uid);
	else
		show_act(out, "open a terminal for uid %u", p->uid);
}
