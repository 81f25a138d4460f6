/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_terminal.c - the rules of --console-socket, a terminal opened and handed over, and the loop
 * of the foreground.
 */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/fd.h"
#include "base/sys.h"
#include "room.h"
#include "terminal_proxy.h"

static struct arena arena = ARENA_INIT;

static int compile(const char *terminal, bool detach, const char *sock, struct terminal_plan *out,
		   struct error *err)
{
	struct oci_config *c =
		room_config(&arena,
			    arena_printf(&arena,
					 "\"process\": {\"cwd\": \"/\", \"user\": {\"uid\": "
					 "%u, \"gid\": 0}, %s}",
					 geteuid(), terminal));

	memset(err, 0, sizeof(*err));
	return terminal_compile(c, c->process, detach, sock, out, err);
}

static void test_rules(void)
{
	struct terminal_plan p;
	struct error err;

	ok(compile("\"terminal\": true", true, NULL, &p, &err) < 0, "refused: %s", err.text);
	ok(compile("\"terminal\": true", false, "/s", &p, &err) < 0, "refused: %s", err.text);
	ok(compile("\"terminal\": false", true, "/s", &p, &err) < 0, "refused: %s", err.text);
	is_int(compile("\"terminal\": true", true, "/s", &p, &err), 0, "detached, with a socket");
	is_int(compile("\"terminal\": true, \"consoleSize\": {\"height\": 30, \"width\": 99}",
		       false, NULL, &p, &err),
	       0, "in the foreground, without");
	ok(p.wanted && p.has_size && p.rows == 30 && p.columns == 99, "the size");
	ok(compile("\"terminal\": true, \"consoleSize\": {\"height\": 70000, \"width\": 9}", false,
		   NULL, &p, &err) < 0,
	   "refused: %s", err.text);
}

/* The machine's own devpts stands in for a container's: the root is "/". */
static int open_terminal(int *slave)
{
	owned_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), master = -1;
	struct terminal_plan p;
	struct error err;
	struct winsize size;
	int pair[2], received;

	compile("\"terminal\": true, \"consoleSize\": {\"height\": 30, \"width\": 99}", false, NULL,
		&p, &err);
	if (terminal_open_run(&p, root, &master, slave, &err) < 0) {
		printf("# %s\n", err.text);
		return -1;
	}
	ok(isatty(*slave) == 1, "a terminal is opened");
	ok(ioctl(*slave, TIOCGWINSZ, &size) == 0 && size.ws_row == 30 && size.ws_col == 99,
	   "with its size");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		bail_out("socketpair");
	is_int(terminal_send_run(pair[0], master, &err), 0, "the master is sent");
	received = terminal_receive(pair[1], 1000, &err);
	ok(received >= 0, "and received");
	close(pair[0]);
	close(pair[1]);
	return received;
}

static void test_wrong_multiplexer(void)
{
	char directory[] = "/tmp/kist-test-terminal-XXXXXX", path[128];
	owned_fd root = -1;
	struct terminal_plan p = { .wanted = true };
	struct error err;
	int master, slave;

	if (mkdtemp(directory) == NULL)
		bail_out("mkdtemp");
	root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ok(terminal_open_run(&p, root, &master, &slave, &err) < 0, "none: %s", err.text);
	mkdirat(root, "dev", 0755);
	mkdirat(root, "dev/pts", 0755);
	mkfifoat(root, "dev/pts/ptmx", 0600); /* in no devpts: not even looked at */
	ok(terminal_open_run(&p, root, &master, &slave, &err) < 0 && err.errnum == ENODEV,
	   "a FIFO: %s", err.text);
	snprintf(path, sizeof(path), "rm -r %s", directory);
	if (system(path) != 0)
		printf("# %s was left\n", directory);
}

/*
 * A child on the terminal says something, is signalled through the proxy, and ends with a status.
 */
static void test_proxy(int master, int slave)
{
	struct terminal_proxy proxy = TERMINAL_PROXY_INIT;
	struct error err = { 0 };
	owned_fd pidfd = -1, file = memfd_create("out", MFD_CLOEXEC), out = dup(STDOUT_FILENO);
	char text[64] = "";
	int status = 0, r;
	pid_t pid;

	is_int(terminal_proxy_begin(&proxy, &err), 0, "signals are blocked");
	pid = fork();
	if (pid == 0) {
		sigset_t term;
		int sig;

		close(master);
		if (terminal_attach_run(slave, &err) < 0)
			_exit(2);
		sigemptyset(&term);
		sigaddset(&term, SIGTERM);
		sigwait(&term, &sig);	/* still blocked, inherited */
		_exit(write(STDOUT_FILENO, "one\ntwo\n", 8) == 8 ? 42 : 3);
	}
	close(slave);
	pidfd = sys_pidfd_open(pid, 0);
	kill(getpid(), SIGTERM);	/* what the caller sends to us */
	dup2(file, STDOUT_FILENO);
	r = terminal_proxy_run(&proxy, pid, pidfd, master, &status, &err);
	dup2(out, STDOUT_FILENO);
	terminal_proxy_end(&proxy);
	is_int(r, 0, "the loop ends %s", err.text);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 42,
	   "with the status of the process, which got the signal");
	ok(pread(file, text, sizeof(text) - 1, 0) == 8,
	   "its output has come through to the last byte");
	is_str(text, "one\ntwo\n", "line ends are as they were written");
}

/*
 * The caller's standard output is a terminal that can be opened no second time (the side of
 * /dev/ptmx), and nobody reads it: the signal still comes through, and the loop ends.
 */
static void test_stalled_proxy(int master, int slave)
{
	struct terminal_proxy proxy = TERMINAL_PROXY_INIT;
	struct error err = { 0 };
	owned_fd pidfd = -1, out = dup(STDOUT_FILENO), other = -1, stalled = -1;
	int status = 0, r;
	pid_t pid, killer;
	struct termios raw;

	stalled = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (stalled < 0 || grantpt(stalled) < 0 || unlockpt(stalled) < 0)
		bail_out("openpt");
	other = open(ptsname(stalled), O_RDWR | O_NOCTTY | O_CLOEXEC);
	/* A terminal that puts lines together throws away what is too long for one. */
	if (tcgetattr(other, &raw) < 0)
		bail_out("tcgetattr");
	cfmakeraw(&raw);
	tcsetattr(other, TCSANOW, &raw);
	is_int(terminal_proxy_begin(&proxy, &err), 0, "signals are blocked");
	pid = fork();
	if (pid == 0) {
		char text[4096];

		close(master);
		if (terminal_attach_run(slave, &err) < 0)
			_exit(2);
		sigprocmask(SIG_SETMASK, &proxy.old_mask, NULL);
		memset(text, 'x', sizeof(text));
		for (;;)
			if (write(STDOUT_FILENO, text, sizeof(text)) < 0)
				_exit(3);
	}
	close(slave);
	pidfd = sys_pidfd_open(pid, 0);
	killer = fork();
	if (killer == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		poll(NULL, 0, 500);
		kill(getppid(), SIGTERM);
		poll(NULL, 0, 10000);
		kill(getppid(), SIGKILL);
		_exit(0);
	}
	dup2(stalled, STDOUT_FILENO);
	r = terminal_proxy_run(&proxy, pid, pidfd, master, &status, &err);
	dup2(out, STDOUT_FILENO);
	terminal_proxy_end(&proxy);
	kill(killer, SIGKILL);
	waitpid(killer, NULL, 0);
	is_int(r, 0, "the loop ends %s", err.text);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM,
	   "the signal came through a terminal that nobody reads");
}

static void test_stdio(void)
{
	struct terminal_plan p = { .uid = geteuid() };
	struct error err = { 0 };

	is_int(terminal_stdio_run(&p, &err), 0, "standard streams are ours already");
}

int main(void)
{
	int master, slave = -1;

	test_rules();
	test_wrong_multiplexer();
	test_stdio();
	master = open_terminal(&slave);
	if (master < 0)
		skip("no devpts on /dev/pts here");
	else
		test_proxy(master, slave);
	fd_close(&master);
	if (slave >= 0 && (master = open_terminal(&slave)) >= 0)
		test_stalled_proxy(master, slave);
	fd_close(&master);
	arena_free(&arena);
	return done();
}
