/* SPDX-License-Identifier: Apache-2.0 */
/* test_notify_socket.c - READY=1 from the container to the service manager. */
#include "notify_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/sys.h"
#include "base/unix_socket.h"
#include "tap.h"

static void test_text(void)
{
	ok(notify_socket_is_ready("READY=1", 7), "READY=1");
	ok(notify_socket_is_ready("STATUS=x\nREADY=1\n", 17), "among other lines");
	ok(!notify_socket_is_ready("READY=10", 8), "not READY=10");
	ok(!notify_socket_is_ready("XREADY=1", 8), "not as the end of a line");
	ok(!notify_socket_is_ready("", 0), "nothing");
}

/* Plays the container (says it is ready, waits to be killed) and the manager. */
static void test_serve(int dir, const char *directory)
{
	const struct unix_socket_limit limit = { 10000, -1 };
	struct notify_socket_plan plan;
	struct error err = { 0 };
	owned_fd manager = -1, sock = -1, pidfd = -1, barrier = -1;
	const struct notify_socket_wait silence = { getpid(), -1, -1, 20 };
	struct notify_socket_wait wait_for = { .cancel = -1, .timeout_ms = 5000 };
	char path[256], text[128], want[64];
	pid_t pid;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/manager", directory);
	manager = unix_socket_bind(dir, "manager", SOCK_DGRAM, 0600);
	ok(notify_socket_compile(path, &plan, &err) == 0 &&
		   notify_socket_prepare(&plan, dir, &err) == 0,
	   "prepare %s", err.text);
	sock = notify_socket_open(dir, &err);
	ok(sock >= 0, "open %s", err.text);
	is_int(notify_socket_serve(&plan, sock, &silence, &err), -ETIMEDOUT,
	       "silence ends: %s", err.text);
	pid = fork();
	if (pid == 0) {
		owned_fd s = -1;

		snprintf(path, sizeof(path), "%s/notify/%s", directory, NOTIFY_SOCKET_NAME);
		s = unix_socket_connect(path, SOCK_DGRAM, &limit);
		unix_socket_send(s, "STATUS=starting", 15, 0);
		unix_socket_send(s, "READY=1\nMAINPID=1", 17, -1);
		for (;;)
			pause();
	}
	pidfd = sys_pidfd_open(pid, 0);
	wait_for.pid = pid;
	wait_for.pidfd = pidfd;
	if (fork() == 0) {
		n = unix_socket_receive(manager, text, sizeof(text), NULL);
		snprintf(want, sizeof(want), "MAINPID=%d\nREADY=1", (int)pid);
		text[n > 0 ? n : 0] = '\0';
		unix_socket_receive(manager, want + 40, 10, &barrier);
		_exit(n > 0 && strncmp(text, want, strlen(want)) == 0 && barrier >= 0 ? 0 : 1);
	}
	is_int(notify_socket_serve(&plan, sock, &wait_for, &err), 0, "served %s", err.text);
	kill(pid, SIGKILL);
	for (int status, i = 0; i < 2; i++) {
		pid_t p = wait(&status);

		if (p != pid)
			is_int(status, 0,
			       "the manager got READY with the true MAINPID, and a barrier");
	}
	is_int(notify_socket_serve(&plan, sock, &wait_for, &err), 0,
	       "init's end ends it too");
}

int main(void)
{
	char directory[] = "/tmp/kist-test-notify-XXXXXX";
	struct notify_socket_plan plan;
	struct error err = { 0 };
	owned_fd dir = -1, tmp = -1;

	test_text();
	ok(notify_socket_compile("relative", &plan, &err) < 0, "refused: %s", err.text);
	ok(notify_socket_compile(NULL, &plan, &err) == 0 && plan.host == NULL,
	   "none given, none made");
	if (mkdtemp(directory) == NULL)
		bail_out("mkdtemp");
	dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	test_serve(dir, directory);
	tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir_remove_tree(tmp, directory + 5);
	return done();
}
