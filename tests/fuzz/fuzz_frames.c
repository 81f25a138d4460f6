/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_frames.c - what the parent receives on the channel from a process that the container has
 * taken over.
 *
 * The input is a row of packets, each with its length (2 bytes, little endian) before it.  The
 * parent may serve a row only when it is asked for it, in the table's order.
 */
#include <sys/mman.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "plan.h"
#include "stage.h"
#include "state.h"
#include "steps.h"

static int serve(struct job *job, struct error *err)
{
	(void)err;
	/* cwd_again is a counter here: how many rows were served. */
	job->cwd_again++;
	return 0;
}

static int serve_second(struct job *job, struct error *err)
{
	if (job->cwd_again != 1)
		abort();
	return serve(job, err);
}

static const struct step steps[] = {
	{ .name = "first", .stage = STAGE_1, .serve = serve },
	{ .name = "silent", .stage = STAGE_2 },
	{ .name = "second", .stage = STAGE_2, .serve = serve_second },
	{ .name = "last", .stage = STAGE_2 },
	{ 0 },
};

/* As much as the socket takes without waiting; the parent reads when all is there. */
static void send_packets(int sock, const uint8_t *data, size_t size)
{
	while (size > 2) {
		size_t len = data[0] | (size_t)data[1] << 8;

		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		if (len > 0 && send(sock, data, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			break;
		data += len;
		size -= len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct plan plan;
	static struct state state;
	struct arena a = ARENA_INIT;
	struct error err = { 0 };
	struct job job;
	int pair[2];

	fuzz_quiet();
	job_init(&job, &a, NULL);
	job.steps = steps;
	job.plan = &plan;
	job.state = &state;
	job.wait_exec = true;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ||
	    stage_page_new(&job, false, &err) < 0)
		abort();
	send_packets(pair[1], data, size);
	fd_close(&pair[1]);
	job.channel = pair[0];
	/* The page is empty, so no end of the channel is an exec. */
	if (stage_run(&job, &err) == 0 || strlen(err.text) == 0)
		abort();
	munmap(job.page, sizeof(*job.page));
	job.page = NULL;
	job_close(&job);
	arena_free(&a);
	return 0;
}
