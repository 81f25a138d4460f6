/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receive.c - the other end of the sockets that kist talks to, for the integration tests.
 *
 *	receive tty SOCKET	listens; takes one descriptor and copies what can be read from it
 *				to standard output, and standard input to it, until it ends.  For
 *				--console-socket.
 *	receive fd SOCKET	listens; prints the message and what each descriptor with it is.
 *				For the seccomp agent's socket and --pidfd-socket.
 *	receive fds SOCKET	the same, one connection after the other, each to its end.
 *	receive agent SOCKET	the same, and lets each call pass that a listener tells of.
 *	receive text SOCKET	a datagram socket; prints one message.  For NOTIFY_SOCKET.
 *	receive ready SOCKET	the other way: sends READY=1 to a datagram socket, as a program
 *				does that was started.
 *	receive full SOCKET	listens with a full queue, and accepts nobody.
 *	receive stall COMMAND	runs a command of sh(1) on a terminal that nobody reads, and ends
 *				with its status.
 *
 * Prints "listening" on standard error when the socket is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_FDS 4

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(1);
}

static int listen_at(const char *path, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		die("socket");
	strcpy(address.sun_path, path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die(path);
	if (type != SOCK_DGRAM && listen(fd, 1) < 0)
		die("listen");
	fputs("listening\n", stderr);
	return fd;
}

static int take_connection(int socket)
{
	int fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		die("accept");
	return fd;
}

static int make_socket(const char *path, int type)
{
	int fd = listen_at(path, type);

	return type == SOCK_DGRAM ? fd : take_connection(fd);
}

/* The message's length; descriptors that came with it go into fds. */
static size_t receive(int socket, char *text, size_t size, int fds[MAX_FDS], size_t *n_fds)
{
	char control[CMSG_SPACE(sizeof(int) * MAX_FDS)];
	struct iovec part = { text, size - 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1,
				  .msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);

	if (n < 0)
		die("recvmsg");
	*n_fds = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		*n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), *n_fds * sizeof(int));
	}
	text[n] = '\0';
	return (size_t)n;
}

/* Copies what is there; 0 at the end. */
static int copy(int from, int to)
{
	char data[4096];
	ssize_t n = read(from, data, sizeof(data));

	/* EIO: the last process that had the other side of the terminal is gone. */
	if (n <= 0)
		return 0;
	return write(to, data, (size_t)n) == n;
}

static void receive_tty(const char *path)
{
	char text[4096];
	int fds[MAX_FDS];
	size_t n_fds;
	int socket = make_socket(path, SOCK_STREAM);
	struct pollfd wait[2] = { { .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };

	receive(socket, text, sizeof(text), fds, &n_fds);
	if (n_fds != 1) {
		fprintf(stderr, "%zu descriptors came, not one\n", n_fds);
		exit(1);
	}
	wait[0].fd = fds[0];
	while (poll(wait, 2, -1) > 0) {
		if (wait[0].revents && !copy(fds[0], STDOUT_FILENO))
			return;
		if (wait[1].revents && !copy(STDIN_FILENO, fds[0]))
			wait[1].fd = -1;
	}
}

/* In a process of its own, until there is nobody left to be told of. */
static void let_pass(int listener)
{
	struct seccomp_notif call;
	struct seccomp_notif_resp answer;

	if (fork() != 0)
		return;
	for (;;) {
		memset(&call, 0, sizeof(call));
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
			_exit(0);
		answer = (struct seccomp_notif_resp){ .id = call.id,
						      .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
		(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
}

/* Whether there was a message. */
static int show_message(int socket, int is_agent)
{
	char text[65536], name[64], target[256];
	int fds[MAX_FDS];
	size_t n_fds;

	if (receive(socket, text, sizeof(text), fds, &n_fds) == 0)
		return 0;
	puts(text);
	for (size_t i = 0; i < n_fds; i++) {
		ssize_t n;

		snprintf(name, sizeof(name), "/proc/self/fd/%d", fds[i]);
		n = readlink(name, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		printf("descriptor %s\n", target);
		fflush(stdout);
		if (is_agent)
			let_pass(fds[i]);
		close(fds[i]);
	}
	fflush(stdout);
	return 1;
}

static void receive_fds(const char *path, int is_agent)
{
	int socket = listen_at(path, SOCK_STREAM);

	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = take_connection(socket);

		while (show_message(fd, is_agent))
			;
		close(fd);
	}
}

static void receive_text(const char *path)
{
	char text[4096];
	int fds[MAX_FDS];
	size_t n_fds;

	receive(make_socket(path, SOCK_DGRAM), text, sizeof(text), fds, &n_fds);
	puts(text);
}

static void send_ready(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		die("socket");
	strcpy(address.sun_path, path);
	if (sendto(fd, "READY=1", 7, 0, (struct sockaddr *)&address, sizeof(address)) < 0)
		die(path);
}

/* Nobody is accepted, and the queue is full. */
static void full(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		die("socket");
	strcpy(address.sun_path, path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 0) < 0)
		die(path);
	for (;;) {
		int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (connect(client, (struct sockaddr *)&address, sizeof(address)) < 0)
			break;
	}
	fputs("listening\n", stderr);
	pause();
}

static int stall(const char *command)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), status;
	pid_t pid;

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		die("openpt");
	pid = fork();
	if (pid == 0) {
		int slave = open(ptsname(master), O_RDWR | O_NOCTTY);

		if (slave < 0 || setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
			die("terminal");
		for (int i = 0; i <= STDERR_FILENO; i++)
			dup2(slave, i);
		if (slave > STDERR_FILENO)
			close(slave);
		execl("/bin/sh", "sh", "-c", command, NULL);
		die("sh");
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		die("fork");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "tty") == 0)
		receive_tty(argv[2]);
	else if (argc == 3 && strcmp(argv[1], "fd") == 0)
		show_message(make_socket(argv[2], SOCK_STREAM), 0);
	else if (argc == 3 && strcmp(argv[1], "fds") == 0)
		receive_fds(argv[2], 0);
	else if (argc == 3 && strcmp(argv[1], "agent") == 0)
		receive_fds(argv[2], 1);
	else if (argc == 3 && strcmp(argv[1], "text") == 0)
		receive_text(argv[2]);
	else if (argc == 3 && strcmp(argv[1], "ready") == 0)
		send_ready(argv[2]);
	else if (argc == 3 && strcmp(argv[1], "full") == 0)
		full(argv[2]);
	else if (argc == 3 && strcmp(argv[1], "stall") == 0)
		return stall(argv[2]);
	else
		fputs("usage: receive tty|fd|fds|agent|text|ready|full SOCKET, "
		      "receive stall COMMAND\n", stderr);
	return 0;
}
