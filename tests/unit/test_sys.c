/* SPDX-License-Identifier: Apache-2.0 */
/* test_sys.c - what is more than a call of the kernel. */
#include "base/sys.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>

#include "tap.h"

/* A grandchild that asks for the signal only when its parent has ended: what it is told. */
static int die_with_the_dead(void)
{
	int ends[2], status;
	char answer = 0;
	pid_t child;

	if (pipe(ends) < 0)
		bail_out("pipe");
	child = fork();
	if (child == 0) {
		pid_t parent = getpid();

		if (fork() == 0) {
			while (getppid() == parent)
				usleep(1000);
			answer = sys_die_with(parent) == -ESRCH ? 'y' : 'n';
			_exit(write(ends[1], &answer, 1) != 1);
		}
		_exit(0);
	}
	waitpid(child, &status, 0);
	close(ends[1]);
	return read(ends[0], &answer, 1) == 1 && answer == 'y';
}

/* One whose parent ends afterwards: whether it ends, too. */
static int die_with_the_living(void)
{
	int ends[2], status;
	char answer;
	pid_t child;

	if (pipe(ends) < 0)
		bail_out("pipe");
	child = fork();
	if (child == 0) {
		pid_t parent = getpid();

		if (fork() == 0) {
			if (sys_die_with(parent) < 0 || write(ends[1], "y", 1) != 1)
				_exit(1);
			for (;;)
				pause();
		}
		close(ends[1]);
		_exit(read(ends[0], &answer, 1) != 1);
	}
	close(ends[1]);
	waitpid(child, &status, 0);
	/* The end of the pipe: nobody has the other one any more. */
	return status == 0 && read(ends[0], &answer, 1) == 0;
}

/* Whether in a child, which may ignore what it likes, exactly these are found. */
static int finds_ignored(uint64_t wanted)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		for (int sig = 1; sig <= 64; sig++) {
			if (wanted & UINT64_C(1) << (sig - 1))
				signal(sig, SIG_IGN);
			else
				sys_signal_default(sig);
		}
		_exit(sys_signals_ignored() != wanted);
	}
	waitpid(child, &status, 0);
	return status == 0;
}

static void handler(int sig)
{
	(void)sig;
}

static void test_ignored(void)
{
	ok(finds_ignored(0), "no signal is ignored");
	ok(finds_ignored(UINT64_C(1) << (SIGHUP - 1)), "the first one");
	ok(finds_ignored(UINT64_C(1) << 63), "the last one");
	ok(finds_ignored(UINT64_C(1) << (SIGPIPE - 1) | UINT64_C(1) << (SIGUSR2 - 1)), "two");
	signal(SIGUSR1, handler);
	ok(!(sys_signals_ignored() & UINT64_C(1) << (SIGUSR1 - 1)), "a handler is not that");
	signal(SIGUSR1, SIG_DFL);
}

int main(void)
{
	test_ignored();
	ok(die_with_the_dead(), "a parent that has ended already is noticed");
	ok(die_with_the_living(), "one that ends later takes the child along");
	return done();
}
