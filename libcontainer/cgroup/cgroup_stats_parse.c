/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts in which the kernel counts.  A line of an unknown form is passed over: later kernels add
 * some.
 */
#include "cgroup/cgroup_stats_parse.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"

#define NUMBER_TEXT_MAX 64

/* No list of CPUs is longer; a text that says so is not the kernel's. */
#define LIST_MAX 65536

const char *cgroup_stats_text(int dir, const char *file, char buf[CGROUP_STATS_TEXT_MAX])
{
	if (file_read_small(dir, file, buf, CGROUP_STATS_TEXT_MAX) < 0)
		return "";
	return buf;
}

uint64_t cgroup_stats_number(int dir, const char *file)
{
	char text[NUMBER_TEXT_MAX];
	uint64_t value;

	if (file_read_small(dir, file, text, sizeof(text)) < 0)
		return 0;
	if (strcmp(text, "max") == 0)
		return UINT64_MAX;
	return str_to_u64(text, UINT64_MAX, &value) < 0 ? 0 : value;
}

uint64_t cgroup_stats_keyed(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return strtoull(line + len + 1, NULL, 10);
	}
	return 0;
}

static struct cgroup_psi_line psi_line(const char *line)
{
	struct cgroup_psi_line out = { 0 };

	if (line && sscanf(line, "%*s avg10=%lf avg60=%lf avg300=%lf total=%" SCNu64, &out.avg10,
			   &out.avg60, &out.avg300, &out.total) < 4)
		return (struct cgroup_psi_line){ 0 };
	return out;
}

struct cgroup_psi *cgroup_psi_read(int dir, const char *file, struct arena *a)
{
	char text[512];
	struct cgroup_psi *psi;

	/* A kernel booted with psi=0 has the file and answers EOPNOTSUPP. */
	if (file_read_small(dir, file, text, sizeof(text)) < 0 || !str_starts(text, "some "))
		return NULL;
	psi = ARENA_NEW(a, struct cgroup_psi);
	psi->some = psi_line(text);
	psi->full = psi_line(strstr(text, "full "));
	return psi;
}

void cgroup_stats_list(const char *text, struct arena *a, uint16_t **out, size_t *n)
{
	char *end;

	while (*text) {
		unsigned long first = strtoul(text, &end, 10), last = first;

		if (end == text)
			return;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		for (; first <= last && last < LIST_MAX; first++) {
			*out = arena_grow(a, *out, *n, sizeof(**out));
			(*out)[(*n)++] = (uint16_t)first;
		}
		text = end + (*end == ',');
	}
}

void cgroup_stats_raw(const char *text, struct arena *a, struct json_span *out)
{
	struct json_out json;

	if (!*text)
		return;
	json_out_begin(&json, a, 0);
	json_out_open_object(&json);
	for (const char *line = text; *line;) {
		const char *end = line + strcspn(line, "\n");
		const char *space = memchr(line, ' ', (size_t)(end - line));

		if (space) {
			json_out_key(&json, arena_strndup(a, line, (size_t)(space - line)));
			json_out_uint(&json, strtoull(space + 1, NULL, 10));
		}
		line = end + (*end == '\n');
	}
	json_out_close_object(&json);
	out->text = json_out_text(&json);
	out->len = json.len;
}

static void add_io(struct arena *a, struct cgroup_stats_io **out, size_t *n,
		   const struct cgroup_stats_io *entry)
{
	*out = arena_grow(a, *out, *n, sizeof(**out));
	(*out)[(*n)++] = *entry;
}

void cgroup_stats_blkio(const char *text, struct arena *a, struct cgroup_stats_io **out, size_t *n)
{
	for (const char *line = text; *line;) {
		const char *end = line + strcspn(line, "\n");
		struct cgroup_stats_io e = { 0 };
		char op[32];

		if (sscanf(line, "%" SCNu64 ":%" SCNu64 " %" SCNu64, &e.major, &e.minor,
			   &e.value) == 3) {
			add_io(a, out, n, &e);
		} else if (sscanf(line, "%" SCNu64 ":%" SCNu64 " %31[A-Za-z] %" SCNu64, &e.major,
				  &e.minor, op, &e.value) == 4) {
			e.op = arena_strdup(a, op);
			add_io(a, out, n, &e);
		}
		line = end + (*end == '\n');
	}
}

/* " key=" on the line, and its number; false if it is not there. */
static bool io_value(const char *line, size_t len, const char *key, uint64_t *value)
{
	const char *at = memmem(line, len, key, strlen(key));

	if (at)
		*value = strtoull(at + strlen(key), NULL, 10);
	return at;
}

void cgroup_stats_io(const char *text, struct arena *a, struct cgroup_stats_blkio *out)
{
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		struct cgroup_stats_io read = { .op = (char *)"Read" };
		struct cgroup_stats_io write = { .op = (char *)"Write" };

		if (sscanf(line, "%" SCNu64 ":%" SCNu64, &read.major, &read.minor) == 2) {
			write.major = read.major;
			write.minor = read.minor;
			if (io_value(line, len, " rbytes=", &read.value))
				add_io(a, &out->service_bytes, &out->n_service_bytes, &read);
			if (io_value(line, len, " wbytes=", &write.value))
				add_io(a, &out->service_bytes, &out->n_service_bytes, &write);
			if (io_value(line, len, " rios=", &read.value))
				add_io(a, &out->serviced, &out->n_serviced, &read);
			if (io_value(line, len, " wios=", &write.value))
				add_io(a, &out->serviced, &out->n_serviced, &write);
		}
		line += len;
		line += *line == '\n';
	}
}

void cgroup_stats_interfaces(const char *text, struct arena *a, struct cgroup_stats *out)
{
	for (const char *line = text; *line;) {
		const char *end = line + strcspn(line, "\n");
		struct cgroup_stats_interface i = { 0 };
		char name[64];

		/* Receive: bytes packets errs drop fifo frame compressed multicast; then transmit. */
		if (sscanf(line,
			   " %63[^: ]: %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
			   " %*u %*u %*u %*u %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
			   name, &i.rx_bytes, &i.rx_packets, &i.rx_errors, &i.rx_dropped,
			   &i.tx_bytes, &i.tx_packets, &i.tx_errors, &i.tx_dropped) == 9 &&
		    strcmp(name, "lo") != 0) {
			i.name = arena_strdup(a, name);
			out->interfaces =
				arena_grow(a, out->interfaces, out->n_interfaces, sizeof(i));
			out->interfaces[out->n_interfaces++] = i;
		}
		line = end + (*end == '\n');
	}
}
