/* SPDX-License-Identifier: Apache-2.0 */
/* test_unix_socket.c - sockets by paths of any length, and descriptors through them. */
#include "base/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "tap.h"

#define LONG                                                                                       \
	"a-directory-whose-name-alone-is-longer-than-the-one-hundred-and-seven-bytes-that-struct-" \
	"sockaddr_un-can-hold-in-it"

#define MANY 12

static const struct unix_socket_limit limit = { 10000, -1 };

static void test_paths(const char *directory)
{
	owned_fd top = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC), dir = -1, server = -1,
		 client = -1;
	char path[512], data[16];

	mkdirat(top, LONG, 0755);
	dir = openat(top, LONG, O_PATH | O_DIRECTORY | O_CLOEXEC);
	server = unix_socket_bind(dir, "sock", SOCK_DGRAM, 0600);
	ok(server >= 0, "bound in a directory with a long name");
	snprintf(path, sizeof(path), "%s/%s/sock", directory, LONG);
	client = unix_socket_connect(path, SOCK_DGRAM, &limit);
	ok(client >= 0, "connected by its path of %zu bytes", strlen(path));
	is_int(unix_socket_send(client, "hello", 5, -1), 0, "sent");
	is_int(unix_socket_receive(server, data, sizeof(data), NULL), 5, "received");
	is_int(unix_socket_connect(path, SOCK_STREAM, &limit), -EPROTOTYPE,
	       "the wrong type is an error");
	snprintf(path, sizeof(path), "%s/%s/none", directory, LONG);
	is_int(unix_socket_connect(path, SOCK_DGRAM, &limit), -ENOENT, "so is a missing one");
	is_int(unix_socket_connect("", SOCK_DGRAM, &limit), -ENOENT, "and no path");
	fd_close(&server);
	server = unix_socket_bind(dir, "sock", SOCK_DGRAM, 0600);
	ok(server >= 0, "an old socket is replaced");
	is_int(unix_socket_connect("@kist-test-nobody-listens", SOCK_DGRAM, &limit), -ECONNREFUSED,
	       "abstract names work too");
}

/* Somebody puts a symlink in the socket's place all the time: what it names keeps its mode. */
static void test_swap(const char *directory)
{
	owned_fd dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	owned_fd victim = openat(dir, "victim", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	struct stat st = { .st_mode = 0 };
	int bound = 0, touched = 0;
	pid_t pid = fork();

	if (pid == 0) {
		for (;;) {
			if (symlinkat("victim", dir, "link") == 0)
				renameat(dir, "link", dir, "swapped");
			unlinkat(dir, "swapped", 0);
		}
	}
	for (int i = 0; i < 5000; i++) {
		owned_fd sock = unix_socket_bind(dir, "swapped", SOCK_DGRAM, 0777);

		bound += sock >= 0;
		touched += fstat(victim, &st) < 0 || (st.st_mode & 0777) != 0600;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	is_int(touched, 0, "no symlink gets a socket's mode (%d of 5000 bound)", bound);
}

static void test_descriptors(void)
{
	int pair[2], got = -1, before, after;
	char data[16];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		bail_out("socketpair");
	is_int(unix_socket_send(pair[0], "x", 1, pair[0]), 0, "a descriptor is sent");
	is_int(unix_socket_receive(pair[1], data, sizeof(data), &got), 1, "and comes");
	ok(got >= 0 && fcntl(got, F_GETFD) == FD_CLOEXEC && fd_same_inode(got, pair[0]) == 1,
	   "the same, close-on-exec");
	close(got);
	unix_socket_send(pair[0], "x", 1, pair[0]);
	before = dup(0);
	close(before);
	is_int(unix_socket_receive(pair[1], data, sizeof(data), NULL), -EBADMSG,
	       "one that nobody wants is refused");
	is_int(unix_socket_receive(pair[1], data, sizeof(data), NULL), -EBADMSG, "and stays there");
	after = dup(0);
	close(after);
	is_int(after, before, "it is not opened");
	unix_socket_receive(pair[1], data, sizeof(data), &got);
	close(got);
	unix_socket_send(pair[0], "x", 1, -1);
	unix_socket_receive(pair[1], data, sizeof(data), &got);
	is_int(got, -1, "none sent, none received");
	close(pair[0]);
	is_int(unix_socket_receive(pair[1], data, sizeof(data), &got), 0, "the end");
	is_int(unix_socket_send(pair[1], "x", 1, -1), -EPIPE, "no SIGPIPE");
	close(pair[1]);
}

/* A connected TCP socket whose close() waits for an hour, since nobody reads what was sent. */
static int lingering(int *server)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct linger hour = { 1, 3600 };
	static char much[65536];
	socklen_t len = sizeof(a);
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(*server, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(*server, 1) < 0 ||
	    getsockname(*server, (struct sockaddr *)&a, &len) < 0 ||
	    connect(sock, (struct sockaddr *)&a, sizeof(a)) < 0)
		bail_out("a TCP connection");
	while (send(sock, much, sizeof(much), MSG_DONTWAIT) > 0)
		;
	setsockopt(sock, SOL_SOCKET, SO_LINGER, &hour, sizeof(hour));
	return sock;
}

/* In a process of its own, since the wait could not be ended otherwise; only it has the socket. */
static bool in_time(void (*act)(int sock), int sock)
{
	int go[2], status = 0;
	char byte;
	pid_t pid;

	if (pipe2(go, O_CLOEXEC) < 0)
		bail_out("pipe");
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		if (read(go[0], &byte, 1) == 0)
			act(sock);
		_exit(0);
	}
	close(sock);
	close(go[0]);
	close(go[1]);
	for (int i = 0; i < 500 && waitpid(pid, &status, WNOHANG) == 0; i++)
		usleep(10000);
	if (kill(pid, SIGKILL) == 0)
		waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void drop(int sock)
{
	unix_socket_drop(&sock);
	if (sock != -1)
		_exit(1);
}

static void take_two(int sock)
{
	char data[16];
	int got;

	if (unix_socket_receive(sock, data, sizeof(data), &got) < 0 || got < 0)
		_exit(1);
	close(got);
	if (unix_socket_receive(sock, data, sizeof(data), &got) < 0 || got < 0)
		_exit(1);
	close(got);
}

/* More than one message of kist's own would ever carry, each another socket. */
static void send_many(int to)
{
	int socks[MANY], server;
	union {
		char buf[CMSG_SPACE(sizeof(socks))];
		struct cmsghdr align;
	} control = { .buf = "" };
	struct iovec iov = { "x", 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };

	/* The servers stay open: nobody may end the wait. */
	for (int i = 0; i < MANY; i++)
		socks[i] = lingering(&server);
	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(sizeof(socks));
	memcpy(CMSG_DATA(&control.align), socks, sizeof(socks));
	if (sendmsg(to, &msg, 0) != 1)
		bail_out("sendmsg");
	for (int i = 0; i < MANY; i++)
		close(socks[i]);
}

static void take_one(int sock)
{
	char data[16];
	int got;

	if (unix_socket_receive(sock, data, sizeof(data), &got) < 0 || got < 0)
		_exit(1);
	close(got);
}

static void test_many(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		bail_out("socketpair");
	send_many(pair[0]);
	ok(in_time(take_one, pair[1]), "nor whoever takes one of many");
	close(pair[0]);
}

/* An own network namespace would need privileges: the loopback of this one does. */
static void test_lingering(void)
{
	static const struct {
		const char *name;
		void (*act)(int sock);
		bool empty;	/* an empty message goes before */
	} cases[] = {
		{ "a socket that lingers in the queue keeps nobody who drops that", drop, false },
		{ "not behind an empty message either", drop, true },
		{ "nor whoever takes it", take_two, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int pair[2], server, sock = lingering(&server);

		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
			bail_out("socketpair");
		if (cases[i].empty)
			send(pair[0], "", 0, 0);
		unix_socket_send(pair[0], "x", 1, sock);
		unix_socket_send(pair[0], "x", 1, sock);
		close(sock);
		ok(in_time(cases[i].act, pair[1]), "%s", cases[i].name);
		close(pair[0]);
		close(server);
	}
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A listener with room for one connection, which it never takes. */
static void test_full_queue(const char *directory)
{
	owned_fd dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC), server = -1, first = -1;
	struct unix_socket_limit short_limit = { 200, -1 };
	static char much[1 << 20];
	char path[512];
	int64_t begin;
	int ends[2];

	server = unix_socket_bind(dir, "full", SOCK_STREAM, 0600);
	if (server < 0 || listen(server, 0) < 0 || pipe2(ends, O_CLOEXEC) < 0)
		bail_out("listen");
	snprintf(path, sizeof(path), "%s/full", directory);
	first = unix_socket_connect(path, SOCK_STREAM, &short_limit);
	ok(first >= 0, "there is room for one");
	begin = now_ms();
	is_int(unix_socket_connect(path, SOCK_STREAM, &short_limit), -ETIMEDOUT,
	       "a full queue ends at the time-out");
	ok(now_ms() - begin >= 200, "and not before");
	is_int(unix_socket_send(first, much, sizeof(much), -1), -EMSGSIZE,
	       "what is sent to somebody who does not read is cut at the same time");
	is_int(unix_socket_send(first, "x", 1, -1), -ETIMEDOUT, "and the next not sent at all");
	close(ends[1]);
	short_limit = (struct unix_socket_limit){ 60000, ends[0] };
	is_int(unix_socket_connect(path, SOCK_STREAM, &short_limit), -ECANCELED,
	       "a readable descriptor ends the wait");
	close(ends[0]);
	unlinkat(dir, "full", 0);
}

int main(void)
{
	char directory[] = "/tmp/kist-test-socket-XXXXXX";
	owned_fd tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (mkdtemp(directory) == NULL)
		bail_out("mkdtemp");
	test_paths(directory);
	test_full_queue(directory);
	test_descriptors();
	test_lingering();
	test_many();
	test_swap(directory);
	dir_remove_tree(tmp, directory + 5);
	return done();
}
