/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include "base/fd.h"
#include "tap.h"

static char *const environment[] = { (char *)"PATH=/usr/bin:/bin", (char *)"WORD=hello", NULL };

/* Runs a line of shell. */
static int shell(const char *line, struct spawn s, struct spawn_result *r)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)line, NULL };

	s.path = "/bin/sh";
	s.argv = argv;
	s.envp = environment;
	r->end = SPAWN_TIMED_OUT;
	r->status = -1;
	return spawn_run(&s, r);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void test_ends(void)
{
	struct spawn_result r;

	is_int(shell("exit 7", (struct spawn){ 0 }, &r), 0, "run");
	ok(r.end == SPAWN_EXITED && r.status == 7, "exit status");
	is_int(shell("kill -TERM $$", (struct spawn){ 0 }, &r), 0, "run");
	ok(r.end == SPAWN_SIGNALED && r.status == SIGTERM, "signal");
}

static void test_cannot_start(void)
{
	char *argv[] = { (char *)"x", NULL };
	struct spawn s = { .path = "/nonexistent", .argv = argv, .envp = environment };
	struct spawn_result r;

	is_int(spawn_run(&s, &r), -ENOENT, "no such program");
	s.path = "/etc/passwd";
	is_int(spawn_run(&s, &r), -EACCES, "not executable");
	s.timeout_ms = 1000;
	is_int(spawn_run(&s, &r), -EACCES, "with a deadline");
}

static void test_output(void)
{
	char out[64], tiny[5];
	struct spawn s = { .output = out, .output_size = sizeof(out) };
	struct spawn_result r;

	shell("echo $WORD; echo err >&2", s, &r);
	is_str(out, "hello\nerr\n", "stdout and stderr, with the environment given");
	shell("exit 0", s, &r);
	is_str(out, "", "no output");
	s.output = tiny;
	s.output_size = sizeof(tiny);
	shell("printf 0123456789", s, &r);
	is_str(tiny, "6789", "the tail is kept");
	shell("printf ab; printf cd; sleep 0.05; printf ef", s, &r);
	is_str(tiny, "cdef", "the tail of parts");
	s.output = out;
	s.output_size = sizeof(out);
	shell("head -c 1000000 /dev/zero | tr '\\0' x; echo end", s, &r);
	ok(strlen(out) == 63 && strcmp(out + 57, "xxend\n") == 0, "a megabyte of output");
}

static void test_input(void)
{
	static char big[200000];
	char out[64];
	struct spawn s = { .output = out, .output_size = sizeof(out) };
	struct spawn_result r;

	memset(big, 'i', sizeof(big));
	s.input = big;
	s.input_len = sizeof(big);
	shell("wc -c", s, &r);
	is_int(atoi(out), sizeof(big), "input larger than a pipe");
	is_int(shell("exit 3", s, &r), 0, "input that is not read");
	ok(r.end == SPAWN_EXITED && r.status == 3, "neither blocks nor breaks");
	s.input = "text";
	s.input_len = 4;
	shell("cat /dev/stdin", s, &r);
	is_str(out, "text", "re-opened as /dev/stdin");
	s.input = NULL;
	shell("wc -c", s, &r);
	is_int(atoi(out), 0, "no input");
}

static void test_environment(void)
{
	char out[256];
	struct spawn s = { .output = out, .output_size = sizeof(out) };
	struct spawn_result r;
	sigset_t block, old;
	int leak = open("/dev/null", O_RDONLY);		/* without O_CLOEXEC, on purpose */

	dup2(leak, 90);
	shell("ls /proc/self/fd | wc -l", s, &r);
	is_int(atoi(out), 4, "descriptors 0-2 only (and that of ls)");
	close(90);
	close(leak);

	sigfillset(&block);
	sigprocmask(SIG_SETMASK, &block, &old);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	/* Started by make, glibc's internal signals 32 and 33 may be ignored: nobody resets those.
	 */
	shell("grep -E '^Sig(Blk|Ign)' /proc/self/status | cut -f 2 |"
	      " sed s/180000000/000000000/ | tr '\\n' ' '", s, &r);
	is_str(out, "0000000000000000 0000000000000000 ", "no signal blocked or ignored");
	signal(SIGPIPE, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);

	shell("test $$ = $(cut -d ' ' -f 5 /proc/$$/stat)", s, &r);
	is_int(r.status, 0, "a process group of its own");
}

static void test_deadline(void)
{
	char out[64];
	struct spawn s = { .timeout_ms = 300, .output = out, .output_size = sizeof(out) };
	struct spawn_result r;
	double start = now();
	pid_t pid;

	is_int(shell("sleep 60 & echo $!; sleep 60", s, &r), 0, "run with a deadline");
	is_int(r.end, SPAWN_TIMED_OUT, "timed out");
	ok(now() - start >= 0.29 && now() - start < 10, "in time");
	pid = (pid_t)atoi(out);
	/* Killed, but whoever inherits it may not have reaped it yet. */
	for (int i = 0; i < 100 && pid > 0 && kill(pid, 0) == 0; i++) {
		char path[64], line[256] = "";
		owned_fd fd = -1;

		snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0 || strstr(line, ") Z "))
			break;
		usleep(10000);
		if (i == 99)
			pid = -1;
	}
	ok(pid > 0, "the whole group is killed");

	start = now();
	is_int(shell("sleep 2 & exit 4", s, &r), 0, "a descendant that holds the output");
	ok(r.end == SPAWN_EXITED && r.status == 4, "exit status");
	ok(now() - start < 1.5, "is not waited for");
	s.timeout_ms = 200;
	shell("while :; do echo y; done", s, &r);
	is_int(r.end, SPAWN_TIMED_OUT, "endless output ends at the deadline");
}

int main(void)
{
	test_ends();
	test_cannot_start();
	test_output();
	test_input();
	test_environment();
	test_deadline();
	return done();
}
