/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_stats.c - the text of cgroup files (memory.stat, io.stat, blkio.*, lists of processors), as
 * `events` reads them, and the JSON that is made of it.
 */
#include "cgroup/cgroup_stats_parse.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct cgroup_stats_blkio tables = { 0 };
	struct cgroup_stats_io *io = NULL;
	struct json_span raw = { 0 };
	uint16_t *list = NULL;
	size_t n = 0;
	/* Files are read up to this size. */
	char *text = fuzz_string(data, size < CGROUP_STATS_TEXT_MAX ? size
								    : CGROUP_STATS_TEXT_MAX - 1);

	fuzz_quiet();
	cgroup_stats_list(text, &a, &list, &n);
	for (size_t i = 1; i < n; i++)
		if (list[i] < list[0] && i > 65536)
			abort();
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
