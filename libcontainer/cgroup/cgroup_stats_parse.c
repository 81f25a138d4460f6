/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts in which the kernel counts.  A line of an unknown form is passed over: later kernels
 * add some.
 */
#include "cgroup/cgroup_stats_parse.h"

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
	uint64_t value;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) != 0 || line[len] != ' ')
			continue;
		line += len;
		cgroup_stats_take(&line, &value);
		return value;
	}
	return 0;
}

bool cgroup_stats_take(const char **s, uint64_t *out)
{
	const char *p = *s + strspn(*s, " \t");

	*out = 0;
	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++)
		*out = *out * 10 + (uint64_t)(*p - '0');
	*s = p;
	return true;
}

/* "1.50" behind the key, which begins a word; 0 if it is not there. */
static double psi_average(const char *line, const char *key)
{
	const char *at = strstr(line, key);
	uint64_t whole, hundredths = 0;

	at = at ? at + strlen(key) : "";
	if (cgroup_stats_take(&at, &whole) && *at == '.') {
		at++;
		/* Always two places. */
		cgroup_stats_take(&at, &hundredths);
	}
	return (double)whole + (double)hundredths / 100;
}

static struct cgroup_psi_line psi_line(const char *line)
{
	const char *total = line ? strstr(line, " total=") : NULL;
	struct cgroup_psi_line out = { 0 };

	if (!total)
		return out;
	total += strlen(" total=");
	cgroup_stats_take(&total, &out.total);
	out.avg10 = psi_average(line, " avg10=");
	out.avg60 = psi_average(line, " avg60=");
	out.avg300 = psi_average(line, " avg300=");
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
	uint64_t first, last;

	while (cgroup_stats_take(&text, &first)) {
		last = first;
		if (*text == '-') {
			text++;
			cgroup_stats_take(&text, &last);
		}
		for (; first <= last && last < LIST_MAX; first++) {
			*out = arena_grow(a, *out, *n, sizeof(**out));
			(*out)[(*n)++] = (uint16_t)first;
		}
		text += *text == ',';
	}
}

void cgroup_stats_add_raw(const char *text, struct arena *a, struct json_out *out)
{
	for (const char *line = text; *line;) {
		const char *end = line + strcspn(line, "\n");
		const char *space = memchr(line, ' ', (size_t)(end - line));
		const char *number = space;
		uint64_t value;

		if (space && cgroup_stats_take(&number, &value)) {
			json_out_key(out, arena_strndup(a, line, (size_t)(space - line)));
			json_out_uint(out, value);
		}
		line = end + (*end == '\n');
	}
}

void cgroup_stats_raw(const char *text, struct arena *a, struct json_span *out)
{
	struct json_out json;

	if (!*text)
		return;
	json_out_begin(&json, a, 0);
	json_out_open_object(&json);
	cgroup_stats_add_raw(text, a, &json);
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

/* "8:16" */
static bool take_device(const char **s, struct cgroup_stats_io *e)
{
	if (!cgroup_stats_take(s, &e->major) || **s != ':')
		return false;
	++*s;
	return cgroup_stats_take(s, &e->minor);
}

void cgroup_stats_blkio(const char *text, struct arena *a, struct cgroup_stats_io **out, size_t *n)
{
	for (const char *line = text; *line; line += *line == '\n') {
		struct cgroup_stats_io e = { 0 };

		if (take_device(&line, &e) && *line == ' ') {
			size_t len = strcspn(++line, " 0123456789\n");

			if (len)
				e.op = arena_strndup(a, line, len);
			line += len;
			if (cgroup_stats_take(&line, &e.value))
				add_io(a, out, n, &e);
		}
		line += strcspn(line, "\n");
	}
}

/* The number behind " key=" on the line; false if it is not there. */
static bool io_value(const char *line, size_t len, const char *key, uint64_t *value)
{
	const char *at = memmem(line, len, key, strlen(key));

	if (!at)
		return false;
	at += strlen(key);
	return cgroup_stats_take(&at, value);
}

static void add_io_pair(const char *line, const char *const keys[2], struct arena *a,
			struct cgroup_stats_io **out, size_t *n)
{
	struct cgroup_stats_io e = { .op = (char *)"Read" };
	size_t len;

	if (!take_device(&line, &e))
		return;
	len = strcspn(line, "\n");
	if (io_value(line, len, keys[0], &e.value))
		add_io(a, out, n, &e);
	e.op = (char *)"Write";
	if (io_value(line, len, keys[1], &e.value))
		add_io(a, out, n, &e);
}

void cgroup_stats_io(const char *text, struct arena *a, struct cgroup_stats_blkio *out)
{
	static const char *const bytes[2] = { " rbytes=", " wbytes=" };
	static const char *const ios[2] = { " rios=", " wios=" };

	for (const char *line = text; *line; line += *line == '\n') {
		add_io_pair(line, bytes, a, &out->service_bytes, &out->n_service_bytes);
		add_io_pair(line, ios, a, &out->serviced, &out->n_serviced);
		line += strcspn(line, "\n");
	}
}

/* Receive: bytes packets errs drop fifo frame compressed multicast; then the same of transmit. */
#define INTERFACE_NUMBERS 12

void cgroup_stats_interfaces(const char *text, struct arena *a, struct cgroup_stats *out)
{
	for (const char *line = text; *line; line += *line == '\n') {
		const char *name = line + strspn(line, " ");
		size_t len = strcspn(name, ": \n"), n = 0;
		uint64_t v[INTERFACE_NUMBERS];

		line = name + len;
		if (*line == ':') {
			line++;
			while (n < INTERFACE_NUMBERS && cgroup_stats_take(&line, &v[n]))
				n++;
		}
		line += strcspn(line, "\n");
		if (n < INTERFACE_NUMBERS || (len == 2 && strncmp(name, "lo", 2) == 0))
			continue;
		out->interfaces =
			arena_grow(a, out->interfaces, out->n_interfaces, sizeof(*out->interfaces));
		out->interfaces[out->n_interfaces++] = (struct cgroup_stats_interface){
			arena_strndup(a, name, len),
			v[0], v[1], v[2], v[3], v[8], v[9], v[10], v[11],
		};
	}
}
