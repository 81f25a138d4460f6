/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_helper.c - packets between kist and kist-systemd, in both directions: a reply, as kist
 * receives it (first as a greeting), and a request, as kist-systemd reads it.
 */
#include <sys/socket.h>

#include "cgroup/cgroup_helper.h"
#include "fuzz.h"

static void receive(const char *text, size_t size, struct arena *a)
{
	struct cgroup_helper h = CGROUP_HELPER_INIT;
	struct error err = { 0 };
	int pair[2];

	if (size == 0 || size > CGROUP_MESSAGE_MAX)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	h.socket = pair[0];
	if (send(pair[1], text, size, MSG_NOSIGNAL) < 0 ||
	    send(pair[1], text, size, MSG_NOSIGNAL) < 0)
		abort();
	fd_close(&pair[1]);
	if (cgroup_helper_greet(&h, a, &err) == 0 && !h.control_group)
		abort();
	/* A failure without a text would be an error that says nothing. */
	if (cgroup_helper_answer(&h, a, &err) < 0 && !err.text[0])
		abort();
	fd_close(&h.socket);
}

static const char *write_request(const struct cgroup_request *r, struct arena *a)
{
	struct json_out out;

	json_out_begin(&out, a, 0);
	json_out_object(&out, cgroup_request_fields, r);
	return json_out_text(&out);
}

static void request(const char *text, size_t size, struct arena *a)
{
	struct json_doc doc = { .name = "request", .text = text, .len = size, .arena = a };
	struct cgroup_request r = { 0 }, again = { 0 };
	struct error err = { 0 };
	const char *first;

	if (json_read(&doc, cgroup_request_fields, &r, &err) < 0)
		return;
	/* kist-systemd takes its functions from a table by this number. */
	if (r.verb < CGROUP_VERB_START || r.verb > CGROUP_VERB_ATTACH || !r.unit)
		abort();
	first = write_request(&r, a);
	doc = (struct json_doc){ .name = "again", .text = first, .len = strlen(first), .arena = a };
	if (json_read(&doc, cgroup_request_fields, &again, &err) < 0 ||
	    strcmp(first, write_request(&again, a)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	char *text = fuzz_copy(data, size);

	fuzz_quiet();
	receive(text, size, &a);
	request(text, size, &a);
	arena_free(&a);
	free(text);
	return 0;
}
