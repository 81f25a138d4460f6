/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_words.c - what stands in options, annotations and the caller's environment: numbers, ids,
 * sizes, durations, signals, users, container ids, LISTEN_FDS, notifications, GVariant text.
 *
 * The input is lines; each goes to every parser.  A number that is accepted must be written as it
 * was read, but for leading zeros.
 */
#include <inttypes.h>
#include <stdio.h>

#include "../../src/signal_name.h"
#include "base/str.h"
#include "base/units.h"
#include "cgroup/cgroup_gvariant.h"
#include "fuzz.h"
#include "notify_socket.h"
#include "preserve_fd.h"
#include "stage.h"
#include "user.h"

static void compare(const char *s, int64_t number)
{
	char text[32];
	const char *digits = s + (*s == '-');

	while (digits[0] == '0' && digits[1])
		digits++;
	snprintf(text, sizeof(text), "%" PRId64, number);
	if (strcmp(digits, text + (*text == '-')) != 0)
		abort();
}

static void numbers(const char *s)
{
	uint64_t u;
	uint32_t id;
	int64_t i;

	if (str_to_u64(s, INT64_MAX, &u) == 0)
		compare(s, (int64_t)u);
	if (str_to_u32(s, &id) == 0)
		compare(s, id);
	if (str_to_i64(s, &i) == 0)
		compare(s, i);
	if (str_to_id(s, &id) == 0 && id > STR_ID_MAX)
		abort();
	if (str_to_mode(s, &id) == 0 && strspn(s, "01234567") != strlen(s))
		abort();
	if (units_size(s, &i) == 0 && i < -1)
		abort();
	if (units_duration(s, &i) == 0 && i < 0)
		abort();
}

static void names(const char *s, struct arena *a)
{
	static const char *const types[] = { NULL, "s", "t", "as", "a(st)", "b" };
	uint32_t uid = 0, gid = 0;
	struct job_fault fault;
	struct error err = { 0 };
	int sig;

	if (str_is_container_id(s) && (strchr(s, '/') || *s == '\0' || strcmp(s, "..") == 0))
		abort();
	if (user_parse_spec(s, &uid, &gid, &err) == 0 && (uid > STR_ID_MAX || gid > STR_ID_MAX))
		abort();
	if (signal_name_parse(s, &sig) == 0 && (sig < 0 || sig > 64))
		abort();
	(void)stage_parse_fault(s, &fault, a, &err);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct cgroup_gvariant value = { 0 };
		const char *why = NULL;

		if (cgroup_gvariant_parse(s, types[i], a, &value, &why) < 0 ? !why :
		    !value.type || !value.words)
			abort();
	}
	(void)str_distance(s, "terminal", 2);
}

/* As if the line were each of the variables in turn. */
static void descriptors(const char *s, struct arena *a)
{
	const struct preserve_fd_request requests[] = {
		{ .listen_fds = s, .own_pid = 1 },
		{ .listen_fds = "2", .listen_pid = s, .own_pid = 1 },
		{ .listen_fds = "2", .listen_fdnames = s, .preserve = 1, .own_pid = 1 },
	};

	for (size_t i = 0; i < 3; i++) {
		struct preserve_fd_plan plan = { 0 };
		struct error err;

		if (preserve_fd_compile(&requests[i], a, &plan, &err) == 0 &&
		    plan.listen + plan.preserve > PRESERVE_FD_MAX)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	char *text = fuzz_string(data, size), *rest = text, *line;
	char *packet = fuzz_copy(data, size);

	fuzz_quiet();
	(void)notify_socket_is_ready(packet, size);
	while ((line = strsep(&rest, "\n"))) {
		/* Of its own length, so that a parser that reads on behind its end is seen. */
		char *word = fuzz_string((const uint8_t *)line, strlen(line));

		numbers(word);
		names(word, &a);
		descriptors(word, &a);
		free(word);
	}
	arena_free(&a);
	free(packet);
	free(text);
	return 0;
}
