/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_stats.c - the text of cgroup files (memory.stat, io.stat, blkio.*, lists of processors), as
 * `events` reads them, and the JSON that is made of it.
 */
#include "cgroup/cgroup_stats_parse.h"
#include "fuzz.h"

/* "0-3,7": neighbours count up by one, but where a new number or range begins. */
static void check_list(const char *text, struct arena *a)
{
	uint16_t *list = NULL;
	size_t n = 0, gaps = 0;

	cgroup_stats_list(text, a, &list, &n);
	for (size_t i = 1; i < n; i++)
		gaps += list[i] != list[i - 1] + 1;
	for (; *text; text++)
		gaps -= gaps > 0 && (*text < '0' || *text > '9') && *text != '-';
	if (gaps > 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct cgroup_stats_blkio tables = { 0 };
	struct cgroup_stats_io *io = NULL;
	struct json_span raw = { 0 };
	size_t n = 0;
	/* Files are read up to this size. */
	char *text = fuzz_string(data, size < CGROUP_STATS_TEXT_MAX ? size
								    : CGROUP_STATS_TEXT_MAX - 1);

	fuzz_quiet();
	check_list(text, &a);
	cgroup_stats_blkio(text, &a, &io, &n);
	cgroup_stats_io(text, &a, &tables);
	cgroup_stats_raw(text, &a, &raw);
	/* Of a file without a line of that form there is no object. */
	if (raw.len && (raw.text[0] != '{' || raw.text[raw.len - 1] != '}'))
		abort();
	arena_free(&a);
	free(text);
	return 0;
}
