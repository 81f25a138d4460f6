/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_stats_parse.h - the forms of text in which the kernel counts; for cgroup_stats*.c only.
 */
#ifndef KIST_CGROUP_STATS_PARSE_H
#define KIST_CGROUP_STATS_PARSE_H

#include "cgroup/cgroup_stats.h"

/* memory.stat with all its lines, io.stat with some devices. */
#define CGROUP_STATS_TEXT_MAX 16384

/*
 * The next decimal number behind blanks; *s moves behind it.  false, and 0, if there is none.
 */
bool cgroup_stats_take(const char **s, uint64_t *out);

/* The file's text, or "" if it cannot be read. */
const char *cgroup_stats_text(int dir, const char *file, char buf[CGROUP_STATS_TEXT_MAX]);

/* "0-2,7" into 0 1 2 7. */
void cgroup_stats_list(const char *text, struct arena *a, uint16_t **out, size_t *n);

/* Lines of "KEY NUMBER" as members of the JSON object that is open. */
void cgroup_stats_add_raw(const char *text, struct arena *a, struct json_out *out);

/* The same as an object of its own. */
void cgroup_stats_raw(const char *text, struct arena *a, struct json_span *out);

/* "8:0 Read 4096", "8:0 17": lines of a v1 blkio file; totals over all devices are left out. */
void cgroup_stats_blkio(const char *text, struct arena *a, struct cgroup_stats_io **out, size_t *n);

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 ...": io.stat, as the two tables that v1 has for it. */
void cgroup_stats_io(const char *text, struct arena *a, struct cgroup_stats_blkio *out);

#endif
