/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_doc.c - where values were read, and findings about them.
 *
 * One small entry a value, linked to its parent, is all that is kept while reading; line, column
 * and path are worked out from it when somebody asks, which is almost never.
 */
#include "json/json_doc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"

#define PATH_SIZE 1024
#define QUOTE_MAX 80
#define FIRST_PLACES_MAX 1024
#define SORT_FROM 4096	/* places, from which they are sorted before one is looked for */

/* Configurations have a value in some twelve bytes: most never need a second array. */
static void places_grow(struct json_doc *doc)
{
	size_t first = doc->len / 12 + 8;
	struct json_place *old = doc->places;

	if (first > FIRST_PLACES_MAX)
		first = FIRST_PLACES_MAX;
	doc->places_room = old ? 2 * doc->places_room : first;
	doc->places = ARENA_NEW_ARRAY(doc->arena, struct json_place, doc->places_room);
	if (old)
		memcpy(doc->places, old, doc->n_places * sizeof(*old));
}

uint32_t json_place_add(struct json_doc *doc, const struct json_place *place)
{
	if (doc->n_places == doc->places_room)
		places_grow(doc);
	doc->places[doc->n_places] = *place;
	return (uint32_t)doc->n_places++;
}

void json_place_move(struct json_doc *doc, uint32_t first, const void *old, size_t size,
		     const void *new)
{
	uintptr_t from = (uintptr_t)old;

	/* Everything inside the array was read after it began, so older entries need no look. */
	for (size_t i = first; i < doc->n_places; i++) {
		uintptr_t at = (uintptr_t)doc->places[i].addr;

		if (at >= from && at - from < size)
			doc->places[i].addr = (const char *)new + (at - from);
	}
}

const char *json_quote(struct json_doc *doc, const char *s, size_t len)
{
	size_t n = len > QUOTE_MAX ? QUOTE_MAX : len;
	char *copy;

	/* Not in the middle of a UTF-8 sequence. */
	while (n < len && n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	copy = arena_strndup(doc->arena, s, n);
	return arena_printf(doc->arena, "\"%s%s\"", copy, n < len ? "..." : "");
}

/*
 * Names out of tables are plain words; keys of maps may hold dots and spaces, and are then quoted.
 */
static bool is_plain(const char *name)
{
	const char *s = name;

	while ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
	       *s == '_' || *s == '-')
		s++;
	return s > name && !*s;
}

/* Piece by piece: there is a path for each mount of a plan. */
static void add_step(struct strbuf *path, struct json_doc *doc, const struct json_place *p)
{
	if (p->name && is_plain(p->name)) {
		strbuf_add(path, path->len > 0 ? "." : "");
		strbuf_add(path, p->name);
		return;
	}
	strbuf_addc(path, '[');
	if (p->name)
		strbuf_add(path, json_quote(doc, p->name, strlen(p->name)));
	else
		strbuf_addu(path, p->index);
	strbuf_addc(path, ']');
}

static const char *place_path(const struct json_doc *doc, uint32_t place)
{
	uint32_t chain[JSON_DEPTH_MAX + 2];
	char buf[PATH_SIZE];
	struct strbuf path = STRBUF(buf);
	size_t n = 0;

	buf[0] = '\0';
	for (uint32_t i = place; i != 0 && n < sizeof(chain) / sizeof(chain[0]);
	     i = doc->places[i].parent)
		chain[n++] = i;
	while (n > 0) {
		const struct json_place *p = &doc->places[chain[--n]];

		if (!p->name && p->index == JSON_PLACE_HERE)
			continue;
		add_step(&path, (struct json_doc *)doc, p);
	}
	return arena_strdup(doc->arena, buf);
}

static const char *line_end(const struct json_doc *doc, size_t from)
{
	return memchr(doc->text + from, '\n', doc->len - from);
}

/* The first question costs one walk through the text, however many follow, and in which order. */
static void index_lines(struct json_doc *doc)
{
	size_t n = 1, at = 0;

	for (const char *end = line_end(doc, 0); end; n++)
		end = line_end(doc, (size_t)(end - doc->text) + 1);
	doc->lines = ARENA_NEW_ARRAY(doc->arena, uint32_t, n);
	for (size_t i = 1; i < n; i++) {
		at = (size_t)(line_end(doc, at) - doc->text) + 1;
		doc->lines[i] = (uint32_t)at;
	}
	doc->n_lines = n;
}

static void find_line(struct json_doc *doc, size_t offset, unsigned int *line, unsigned int *column)
{
	size_t low = 0, high;

	if (doc->n_lines == 0)
		index_lines(doc);
	/* The last line that begins at or before offset: lines[low] <= offset < lines[high]. */
	for (high = doc->n_lines; high - low > 1;) {
		size_t middle = low + (high - low) / 2;

		if (doc->lines[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	*line = (unsigned int)low + 1;
	*column = (unsigned int)(offset - doc->lines[low]) + 1;
}

/* By address, and among equal ones by number, the last first. */
static int compare_places(const void *a, const void *b)
{
	const struct json_place *x = *(const struct json_place *const *)a;
	const struct json_place *y = *(const struct json_place *const *)b;
	uintptr_t p = (uintptr_t)x->addr, q = (uintptr_t)y->addr;

	return p != q ? (p > q) - (p < q) : (x < y) - (x > y);
}

static void sort_places(struct json_doc *doc)
{
	if (doc->n_sorted == doc->n_places)
		return;
	doc->sorted = ARENA_NEW_ARRAY(doc->arena, struct json_place *, doc->n_places);
	for (size_t i = 0; i < doc->n_places; i++)
		doc->sorted[i] = &doc->places[i];
	doc->n_sorted = doc->n_places;
	qsort(doc->sorted, doc->n_sorted, sizeof(*doc->sorted), compare_places);
}

/* For texts so long that going through all entries for each of many findings takes too long. */
static int64_t find_sorted(struct json_doc *doc, const void *addr)
{
	size_t low = 0, high;

	sort_places(doc);
	for (high = doc->n_sorted; low < high;) {
		size_t middle = low + (high - low) / 2;

		if ((uintptr_t)doc->sorted[middle]->addr < (uintptr_t)addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == doc->n_sorted || doc->sorted[low]->addr != addr)
		return -1;
	return doc->sorted[low] - doc->places;
}

/*
 * The entry for an address, or -1.  Later entries win: the member inside an object, the last of
 * duplicates.
 */
static int64_t place_of(struct json_doc *doc, const void *addr)
{
	if (!addr)
		return doc->n_places > 0 ? 0 : -1;
	if (doc->n_places > SORT_FROM)
		return find_sorted(doc, addr);
	for (size_t i = doc->n_places; i > 0; i--)
		if (doc->places[i - 1].addr == addr)
			return (int64_t)i - 1;
	return -1;
}

bool json_locate(const struct json_doc *doc, const void *addr, struct json_position *out)
{
	int64_t place = doc ? place_of((struct json_doc *)doc, addr) : -1;

	if (place < 0)
		return false;
	*out = (struct json_position){ .path = place_path(doc, (uint32_t)place) };
	if (doc->places[place].offset != JSON_PLACE_NOWHERE)
		find_line((struct json_doc *)doc, doc->places[place].offset, &out->line,
			  &out->column);
	return true;
}

void json_place_name(struct json_doc *doc, const void *addr, const char *name)
{
	const struct json_place place = {
		.name = name,
		.addr = addr,
		.offset = JSON_PLACE_NOWHERE,
	};

	if (doc)
		json_place_add(doc, &place);
}

const char *json_class_name(enum json_class class_)
{
	static const char *const names[] = {
		[JSON_SYNTAX] = "syntax",	[JSON_BAD_TYPE] = "type",
		[JSON_BAD_VALUE] = "value",	[JSON_UNKNOWN] = "unknown",
		[JSON_DUPLICATE] = "duplicate",	[JSON_CONFLICT] = "conflict",
		[JSON_MISSING] = "missing",
	};

	return names[class_];
}

/* One line of text: position, path and what is wrong. */
static const char *finding_line(const struct json_doc *doc, const struct json_finding *f)
{
	const char *colon = f->path[0] ? ": " : "";

	/* A value that stood in no text has a name of its own. */
	if (f->line == 0 && *f->path)
		return arena_printf(doc->arena, "%s: %s", f->path, f->text);
	if (f->line == 0)
		return arena_printf(doc->arena, "%s: %s", doc->name, f->text);
	return arena_printf(doc->arena, "%s:%u:%u: %s%s%s", doc->name, f->line, f->column, f->path,
			    colon, f->text);
}

/* A warning beyond those that go to the log: its text and its place need not be made. */
static bool is_heard(const struct json_doc *doc, bool warning)
{
	return !warning || doc->collect || doc->n_warnings <= JSON_WARNINGS_MAX;
}

static void finding_out(struct json_doc *doc, const struct json_finding *f)
{
	if (!f->warning && doc->n_errors++ == 0)
		error_set(&doc->first_error, 0, "%s", finding_line(doc, f));
	if (doc->collect)
		doc->collect(doc->collect_ctx, f);
	else if (f->warning && doc->n_warnings < JSON_WARNINGS_MAX)
		log_warning("%s", finding_line(doc, f));
	else if (f->warning && doc->n_warnings == JSON_WARNINGS_MAX)
		log_warning("%s: there are more warnings than %d; validate shows all", doc->name,
			    JSON_WARNINGS_MAX);
	doc->n_warnings += f->warning;
}

void json_report(struct json_doc *doc, enum json_class class_, bool warning, uint32_t place,
		 const char *fmt, ...)
{
	struct json_finding f = { .class_ = class_, .warning = warning };
	va_list ap;

	if (!is_heard(doc, warning))
		return;
	va_start(ap, fmt);
	f.text = arena_vprintf(doc->arena, fmt, ap);
	va_end(ap);
	find_line(doc, doc->places[place].offset, &f.line, &f.column);
	f.path = place_path(doc, place);
	finding_out(doc, &f);
}

static void report_address(struct json_doc *doc, struct json_finding *f, const void *addr,
			   const char *fmt, va_list ap) __attribute__((format(printf, 4, 0)));

static void report_address(struct json_doc *doc, struct json_finding *f, const void *addr,
			   const char *fmt, va_list ap)
{
	struct json_position at;

	if (!is_heard(doc, f->warning))
		return;
	f->path = "";
	f->text = arena_vprintf(doc->arena, fmt, ap);
	if (json_locate(doc, addr, &at)) {
		f->line = at.line;
		f->column = at.column;
		f->path = at.path;
	}
	finding_out(doc, f);
}

int json_vfault(struct json_doc *doc, enum json_class class_, const void *addr, struct error *err,
		const char *fmt, va_list ap)
{
	struct json_finding f = { .class_ = class_ };

	if (!doc)
		return error_vset(err, 0, fmt, ap);
	/* Without a collector each call stands for itself: nobody else will tell about it. */
	if (!doc->collect)
		doc->n_errors = 0;
	report_address(doc, &f, addr, fmt, ap);
	return error_set(err, 0, "%s", doc->first_error.text);
}

int json_fault(struct json_doc *doc, enum json_class class_, const void *addr, struct error *err,
	       const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = json_vfault(doc, class_, addr, err, fmt, ap);
	va_end(ap);
	return r;
}

void json_warn(struct json_doc *doc, enum json_class class_, const void *addr, const char *fmt, ...)
{
	struct json_finding f = { .class_ = class_, .warning = true };
	struct error text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	if (doc)
		report_address(doc, &f, addr, fmt, ap);
	else
		error_vset(&text, 0, fmt, ap);
	va_end(ap);
	if (!doc)
		log_warning("%s", text.text);
}

const char *json_choice_name(const struct json_choice *choices, int64_t value)
{
	for (; choices->name; choices++)
		if (choices->value == value)
			return choices->name;
	return NULL;
}

const struct json_choice *json_choice_find(const struct json_choice *choices, const char *name)
{
	for (; choices->name; choices++)
		if (strcmp(choices->name, name) == 0)
			return choices;
	return NULL;
}
