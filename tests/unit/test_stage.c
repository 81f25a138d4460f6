/* SPDX-License-Identifier: Apache-2.0 */
/* test_stage.c - what the parent puts up with from a process that the container has taken over. */
#include "stage.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "job.h"
#include "plan.h"
#include "state.h"
#include "steps.h"
#include "tap.h"

static const struct step steps[] = {
	{ .name = "only", .stage = STAGE_1 },
	{ 0 },
};

/* As stage.c has it. */
struct log_frame {
	uint32_t type, row;
	int32_t pid;
	uint32_t level;
	char text[8];
};

static void count_lines(void *ctx, enum log_level level, const char *text)
{
	(void)level;
	(void)text;
	++*(unsigned int *)ctx;
}

/* Sends log lines for ever, or `n` of them, with a pause after each. */
static void __attribute__((noreturn)) talk(int sock, unsigned int n, long pause_ns)
{
	const struct log_frame f = { .type = 4, .level = LOG_LEVEL_WARNING, .text = "a line" };

	for (unsigned int i = 0; n == 0 || i < n; i++) {
		if (send(sock, &f, sizeof(f), MSG_NOSIGNAL) < 0)
			break;
		if (pause_ns)
			nanosleep(&(struct timespec){ .tv_nsec = pause_ns }, NULL);
	}
	_exit(0);
}

/* Returns what stage_wait_exec() does, and how many lines came into the log. */
static int listen_to(unsigned int n, long pause_ns, int timeout_ms, unsigned int *lines,
		     struct error *err)
{
	struct arena a = ARENA_INIT;
	struct state state = { 0 };
	struct job job;
	int pair[2], ret;
	pid_t pid;

	job_init(&job, &a, NULL);
	job.steps = steps;
	job.state = &state;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ||
	    stage_page_new(&job, false, err) < 0)
		bail_out("no page");
	pid = fork();
	if (pid == 0) {
		fd_close(&pair[0]);
		talk(pair[1], n, pause_ns);
	}
	fd_close(&pair[1]);
	job.channel = pair[0];
	*lines = 0;
	log_set_sink(count_lines, lines, LOG_LEVEL_WARNING);
	ret = stage_wait_exec(&job, timeout_ms, err);
	log_set_sink(NULL, NULL, LOG_LEVEL_WARNING);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	munmap(job.page, sizeof(*job.page));
	job.page = NULL;
	job_close(&job);
	arena_free(&a);
	return ret;
}
/* What `start` gets is memory that a second process may have written, all of it. */
static void test_page_of_others(void)
{
	struct arena a = ARENA_INIT;
	struct error err = { 0 };
	struct job maker, taker;

	job_init(&maker, &a, NULL);
	job_init(&taker, &a, NULL);
	if (stage_page_new(&maker, true, &err) < 0)
		bail_out("no page");
	maker.page->second.row = 7;
	maker.page->own.first.failed = 1;
	maker.page->own.first.row = 1;
	maker.page->own.init_pid = 1;
	taker.report_fd = dup(maker.report_fd);
	is_int(stage_page_take(&taker, &err), 0, "start takes the page");
	is_int(taker.page->second.row, 7, "the last process is heard");
	is_int(taker.own->first.failed, 0, "a failure of the first one is not believed");
	is_int(taker.own->first.row, 0, "nor its row");
	is_int(taker.own->init_pid, 0, "nor a pid");
	munmap(taker.page, sizeof(*taker.page));
	munmap(maker.page, sizeof(*maker.page));
	job_close(&taker);
	job_close(&maker);
	arena_free(&a);
}

/* Where a second process is forked, a part is unmapped in it: it must have pages of its own. */
static void test_page_apart(void)
{
	static const struct plan plan = { .namespaces.two_stages = true };
	struct arena a = ARENA_INIT;
	struct error err = { 0 };
	struct job job;

	for (int with_fd = 0; with_fd < 2; with_fd++) {
		job_init(&job, &a, NULL);
		job.plan = &plan;
		if (stage_page_new(&job, with_fd, &err) < 0)
			bail_out("no page");
		ok((uintptr_t)job.own % (size_t)sysconf(_SC_PAGESIZE) == 0, "begins with a page");
		ok((void *)job.own != (void *)&job.page->own, "is not in the page");
		is_int(madvise(job.own, sizeof(*job.own), MADV_DONTFORK), 0, "can be left out");
		job.own->init_pid = 1;
		job.page->second.row = 7;
		is_int(job.page->own.init_pid, 0, "is another object");
		munmap(job.page, sizeof(*job.page));
		munmap(job.own, sizeof(*job.own));
		job_close(&job);
	}
	arena_free(&a);
}

int main(void)
{
	struct error err = { 0 };
	unsigned int lines;
	time_t began = time(NULL);

	alarm(60);
	ok(listen_to(0, 50000000, 500, &lines, &err) < 0, "a process that talks without end");
	is_int(err.errnum, ETIMEDOUT, "it is a time-out");
	ok(time(NULL) - began < 30, "in the time that was given");
	ok(lines > 0 && lines <= 12, "its lines were logged meanwhile");

	ok(listen_to(20000, 0, 30000, &lines, &err) < 0, "a process that talks a lot, and ends");
	is_int(lines, 4097, "its lines up to a bound, and that there were more");
	test_page_of_others();
	test_page_apart();
	return done();
}
