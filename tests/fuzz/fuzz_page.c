/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_page.c - the page that the parent shares with its children, written by a process that the
 * container has taken over.
 *
 * The input fills the part that the second process can write; the channel is closed, so the parent
 * reads from the page how its child ended, and says so: as stage_run() does on the way, and as
 * stage_wait_exec() does at the end.
 */
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "plan.h"
#include "stage.h"
#include "state.h"
#include "steps.h"

static int serve(struct job *job, struct error *err)
{
	(void)job;
	(void)err;
	return 0;
}

static const struct step steps[] = {
	{ .name = "first", .stage = STAGE_1 },
	{ .name = "served", .stage = STAGE_2, .serve = serve },
	{ .name = "last", .stage = STAGE_2 },
	{ 0 },
};

static void begin(struct job *job, struct arena *a, const uint8_t *data, size_t size)
{
	static const struct plan plan;
	static struct state state;
	struct error err = { 0 };
	int pair[2];

	job_init(job, a, NULL);
	job->steps = steps;
	job->plan = &plan;
	job->state = &state;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ||
	    stage_page_new(job, false, &err) < 0)
		abort();
	fd_close(&pair[1]);
	job->channel = pair[0];
	memcpy(&job->page->second, data,
	       size < sizeof(job->page->second) ? size : sizeof(job->page->second));
}

static void end(struct job *job, const struct error *err)
{
	if (strnlen(err->text, sizeof(err->text)) == sizeof(err->text))
		abort();
	munmap(job->page, sizeof(*job->page));
	job->page = NULL;
	job_close(job);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct error err = { 0 };
	struct job job;

	fuzz_quiet();
	begin(&job, &a, data, size);
	/* The row "served" was not asked for: whatever the page says, this is no success. */
	if (stage_run(&job, &err) == 0 || !err.text[0])
		abort();
	end(&job, &err);
	err = (struct error){ 0 };
	begin(&job, &a, data, size);
	(void)stage_wait_exec(&job, 0, &err);
	/* No process was started here: a pid can only be the page's word. */
	if (job.init_pid != -1)
		abort();
	end(&job, &err);
	arena_free(&a);
	return 0;
}
