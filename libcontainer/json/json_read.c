/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_read.c - the reader: yajl's events carried into structs by the tables.
 *
 * yajl (last release 2015) is used as a tokenizer: its tree builder and its number conversion are
 * not used, and what it is known to let through is checked here: overlong UTF-8, unpaired
 * surrogates (it writes a '?'), \u0000, and nesting without end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yajl/yajl_parse.h>

#include "base/str.h"
#include "json/json_doc.h"
#include "json/json_value.h"

enum frame_kind { FRAME_OBJECT, FRAME_LIST, FRAME_MAP, FRAME_PAIRS, FRAME_ITEMS };

/* A key of a map, and where it stands. */
struct map_key {
	const char *name;
	uint32_t offset;
};

/* One object or array that is open. */
struct frame {
	enum frame_kind kind;
	const struct json_field *fields;	/* OBJECT: its table */
	const struct json_field *field;		/* else: the row of the list */
	char *base; /* the struct that holds the members, or holds the list */
	uint64_t seen;				/* OBJECT: rows met, by bit */
	const struct json_field *member; /* OBJECT: the row of the last key; NULL: not known */
	char *key;				/* the last key */
	struct map_key *keys;			/* MAP, PAIRS: all that came */
	size_t n_keys;
	uint32_t key_offset;
	uint32_t place;
	uint32_t index;				/* of the next element, as it stands in the text */
	uint32_t count;				/* ITEMS: strings kept */
	uint32_t start;				/* offset of the opening brace */
};

struct reader {
	struct json_doc *doc;
	const struct json_field *fields;
	void *out;
	yajl_handle yajl;
	size_t end;		/* offset behind the last token */
	size_t start;		/* offset of the token whose callback is running */
	unsigned int skip;	/* nesting inside a value that is not read */
	struct json_span *span;	/* the value being skipped is wanted as text */
	size_t span_start;
	unsigned int depth;	/* frames in use */
	struct frame frames[JSON_DEPTH_MAX];
};

static struct frame *top(struct reader *r)
{
	return r->depth > 0 ? &r->frames[r->depth - 1] : NULL;
}

/* Whether to go on after errors may have been reported: yajl's callbacks return this. */
static int going(const struct reader *r)
{
	return r->doc->n_errors == 0 || r->doc->collect;
}

/* Behind a token come blanks and punctuation, for which yajl calls nobody, and then the next. */
static size_t next_token(const struct reader *r, size_t at)
{
	const char *text = r->doc->text;

	while (at < r->doc->len && (text[at] == ' ' || text[at] == '\n' || text[at] == ',' ||
				    text[at] == ':' || text[at] == '\t' || text[at] == '\r'))
		at++;
	return at;
}

/* Takes note that a token was read. */
static void token_done(struct reader *r)
{
	size_t end = yajl_get_bytes_consumed(r->yajl);

	/* At the very end yajl parses an extra blank of its own, and counts from there. */
	if (end <= r->end || end > r->doc->len)
		return;
	r->end = end;
	r->start = next_token(r, end);
}

static uint32_t add_place(struct reader *r, const char *name, uint32_t index, size_t offset)
{
	struct frame *f = top(r);
	struct json_place place = {
		.name = name,
		.index = index,
		.offset = (uint32_t)offset,
		.parent = f ? f->place : 0,
	};

	return json_place_add(r->doc, &place);
}

/* For what concerns no value: a position in what is open. */
static uint32_t place_here(struct reader *r, size_t offset)
{
	return add_place(r, NULL, JSON_PLACE_HERE, offset);
}

/*
 * yajl turns an unpaired surrogate into '?' and \u0000 into a byte 0, which would end a C string
 * early; the escapes themselves are known to be well formed.
 */
static const char *escape_fault(const char *s, const char *end)
{
	bool high = false;

	while (s < end) {
		unsigned int code = 0;

		if (s[0] != '\\' || s[1] != 'u') {
			if (high)
				return "contains an unpaired surrogate";
			s += s[0] == '\\' ? 2 : 1;
			continue;
		}
		for (int i = 2; i < 6; i++)
			code = code * 16 +
			       (unsigned int)(s[i] <= '9' ? s[i] - '0' : (s[i] | 0x20) - 'a' + 10);
		if (code == 0)
			return "contains \\u0000";
		if (high != (code >= 0xdc00 && code <= 0xdfff))
			return "contains an unpaired surrogate";
		high = code >= 0xd800 && code <= 0xdbff;
		s += 6;
	}
	return high ? "contains an unpaired surrogate" : NULL;
}

/* text is yajl's: inside the document when there was no escape to resolve. */
static const char *string_fault(const struct reader *r, const char *text)
{
	const char *doc = r->doc->text;
	size_t start = r->start;
	size_t end = yajl_get_bytes_consumed(r->yajl);

	if ((uintptr_t)text >= (uintptr_t)doc && (uintptr_t)text < (uintptr_t)doc + r->doc->len)
		return NULL;
	if (end > r->doc->len || end < start + 2)
		return NULL;
	return escape_fault(doc + start + 1, doc + end - 1);
}

static void push(struct reader *r, const struct frame *f)
{
	r->frames[r->depth++] = *f;
}

/* Containers. ----------------------------------------------------------- */

/* Too deep is an error that ends the reading, collector or not: yajl's own stack grows with it. */
static bool too_deep(struct reader *r)
{
	if (r->depth + r->skip < JSON_DEPTH_MAX)
		return false;
	json_report(r->doc, JSON_SYNTAX, false, place_here(r, r->start),
		    "nested deeper than %d levels", JSON_DEPTH_MAX);
	return true;
}

/* The same for values, which take more memory than the text. */
static bool too_many(struct reader *r)
{
	if (r->doc->n_places < JSON_VALUES_MAX)
		return false;
	json_report(r->doc, JSON_SYNTAX, false, place_here(r, r->start),
		    "more than %u values in one text", JSON_VALUES_MAX);
	return true;
}

static void open_object(struct reader *r, const struct json_field *fields, char *base,
			uint32_t place)
{
	push(r, &(struct frame){
		.kind = FRAME_OBJECT, .fields = fields, .base = base, .place = place,
		.start = (uint32_t)r->start,
	});
}

/*
 * An array or map of elements begins, empty: what a duplicate member may have left there is
 * dropped.
 */
static void open_list(struct reader *r, const struct json_field *field, char *base, uint32_t place)
{
	struct frame f = {
		.field = field, .base = base, .place = place, .start = (uint32_t)r->start
	};
	size_t size = field->kind == JSON_STRINGS ? sizeof(char *) : field->size;
	void *list = arena_grow(r->doc->arena, NULL, 0, size);

	switch (field->kind) {
	case JSON_LIST:
		f.kind = FRAME_LIST;
		break;
	case JSON_MAP:
		f.kind = FRAME_MAP;
		break;
	case JSON_PAIRS:
		f.kind = FRAME_PAIRS;
		break;
	default:
		f.kind = FRAME_ITEMS;
	}
	memcpy(base + field->offset, &list, sizeof(list));
	if (field->kind != JSON_STRINGS)
		*(size_t *)(void *)(base + field->count) = 0;
	push(r, &f);
}

/* Room for one more element at the end; places inside the list follow it when it moves. */
static void *list_append(struct reader *r, struct frame *f)
{
	size_t *count = (size_t *)(void *)(f->base + f->field->count);
	char *old, *list;

	memcpy(&old, f->base + f->field->offset, sizeof(old));
	list = arena_grow(r->doc->arena, old, *count, f->field->size);
	if (list != old && *count > 0)
		json_place_move(r->doc, f->place, old, *count * f->field->size, list);
	memcpy(f->base + f->field->offset, &list, sizeof(list));
	return list + (*count)++ * f->field->size;
}

/* The same for a string list, which carries its end in it. */
static void *strings_append(struct reader *r, struct frame *f)
{
	size_t n = f->count++;
	char **old, **list;

	memcpy(&old, f->base + f->field->offset, sizeof(old));
	list = arena_grow(r->doc->arena, old, n + 1, sizeof(*list));
	if (list != old)
		json_place_move(r->doc, f->place, old, n * sizeof(*list), list);
	memcpy(f->base + f->field->offset, &list, sizeof(list));
	list[n + 1] = NULL;
	return &list[n];
}

/* Values. --------------------------------------------------------------- */

/* A value that is not wanted is passed over whole. */
static void skip_value(struct reader *r, const struct json_value *v)
{
	if (v->type == JSON_VALUE_OBJECT || v->type == JSON_VALUE_ARRAY)
		r->skip = 1;
}

/* Whether the value is of the wrong type or a string that cannot be kept; then that is told. */
static bool refuse(struct reader *r, uint32_t place, enum json_value_type wanted,
		   const struct json_value *v)
{
	if (wanted != JSON_VALUE_ANY && v->type != wanted) {
		json_report(r->doc, JSON_BAD_TYPE, false, place, "must be %s, not %s",
			    json_value_type_name(wanted), json_value_type_name(v->type));
		skip_value(r, v);
		return true;
	}
	if (v->fault)
		json_report(r->doc, JSON_BAD_VALUE, false, place, "%s", v->fault);
	return v->fault;
}

static void span_value(struct reader *r, struct json_span *span, const struct json_value *v)
{
	size_t start = r->start;

	span->text = r->doc->text + start;
	span->len = yajl_get_bytes_consumed(r->yajl) - start;
	r->span = span;
	r->span_start = start;
	skip_value(r, v);
	if (r->skip == 0)
		r->span = NULL;
}

static void member_value(struct reader *r, struct frame *f, const struct json_value *v)
{
	const struct json_field *field = f->member;
	char *member = f->base + (field ? field->offset : 0);
	uint32_t place;

	if (!field || field->kind == JSON_IGNORED) {
		if (field)
			json_report(r->doc, JSON_BAD_VALUE, true,
				    add_place(r, field->name, 0, r->start),
				    "is ignored: it is for another platform");
		skip_value(r, v);
		return;
	}
	if (v->type == JSON_VALUE_NULL && field->kind != JSON_SPAN) {
		if (field->flags & JSON_REQUIRED)
			f->seen &= ~(UINT64_C(1) << (field - f->fields));
		return;
	}
	place = add_place(r, field->name, 0, r->start);
	r->doc->places[place].addr = member;
	if (refuse(r, place, json_value_type(field), v))
		return;
	if (field->kind == JSON_SPAN) {
		span_value(r, (struct json_span *)(void *)member, v);
	} else if (field->kind == JSON_OBJECT) {
		if (field->indirect) {
			char *object = arena_alloc(r->doc->arena, field->size);

			memcpy(member, &object, sizeof(object));
			member = object;
		}
		open_object(r, field->fields, member, place);
	} else if (v->type == JSON_VALUE_OBJECT || v->type == JSON_VALUE_ARRAY) {
		open_list(r, field, f->base, place);
	} else {
		json_value_store(r->doc, field, member, v, place);
	}
}

static void list_value(struct reader *r, struct frame *f, const struct json_value *v)
{
	uint32_t place = add_place(r, NULL, f->index++, r->start);
	void *element;

	if (refuse(r, place, JSON_VALUE_OBJECT, v))
		return;
	element = list_append(r, f);
	r->doc->places[place].addr = element;
	open_object(r, f->field->fields, element, place);
}

static void items_value(struct reader *r, struct frame *f, const struct json_value *v)
{
	const struct json_field *field = f->field;
	uint32_t place = add_place(r, NULL, f->index++, r->start);
	char **item;

	if (refuse(r, place, field->kind == JSON_NUMBERS ? JSON_VALUE_NUMBER : JSON_VALUE_STRING,
		   v))
		return;
	item = field->kind == JSON_STRINGS ? strings_append(r, f) : list_append(r, f);
	r->doc->places[place].addr = item;
	if (field->kind == JSON_STRINGS)
		*item = arena_strndup(r->doc->arena, v->text, v->len);
	else
		json_value_store(r->doc, field, item, v, place);
}

/* The element of the last key: in a map a struct that starts with the key, in pairs two strings. */
static void keyed_value(struct reader *r, struct frame *f, const struct json_value *v)
{
	bool map = f->kind == FRAME_MAP;
	uint32_t place = add_place(r, f->key, 0, r->start);
	char **slot;

	if (refuse(r, place, map ? JSON_VALUE_OBJECT : JSON_VALUE_STRING, v))
		return;
	slot = list_append(r, f);
	memset(slot, 0, f->field->size);
	slot[0] = f->key;
	r->doc->places[place].addr = slot;
	if (map)
		open_object(r, f->field->fields, (char *)slot, place);
	else
		slot[1] = arena_strndup(r->doc->arena, v->text, v->len);
}

static int on_value(struct reader *r, const struct json_value *v)
{
	bool opens = v->type == JSON_VALUE_OBJECT || v->type == JSON_VALUE_ARRAY;
	struct frame *f = top(r);

	if (opens && too_deep(r))
		return 0;
	if (r->skip > 0) {
		r->skip += opens;
	} else if (!f) {
		if (refuse(r, 0, JSON_VALUE_OBJECT, v))
			return 0;
		open_object(r, r->fields, r->out, 0);
	} else if (f->kind == FRAME_OBJECT) {
		member_value(r, f, v);
	} else if (f->kind == FRAME_LIST) {
		list_value(r, f, v);
	} else if (f->kind == FRAME_ITEMS) {
		items_value(r, f, v);
	} else {
		keyed_value(r, f, v);
	}
	token_done(r);
	return going(r) && !too_many(r);
}

/* Keys. ----------------------------------------------------------------- */

static const struct json_field *field_find(const struct json_field *fields, const char *key,
					   size_t len)
{
	for (const struct json_field *f = fields; f->name; f++)
		if (f->name[0] == key[0] && strncmp(f->name, key, len) == 0 && !f->name[len])
			return f->kind == JSON_OTHER_WORD ? NULL : f;
	return NULL;
}

/*
 * A key the table does not have: taken if only the case differs, else told with the nearest name.
 */
static const struct json_field *field_guess(struct reader *r, struct frame *f, size_t key_len)
{
	uint32_t place = add_place(r, f->key, 0, f->key_offset);
	unsigned int limit = key_len < 4 ? 1 : 2;
	bool heard = r->doc->collect || r->doc->strict || r->doc->n_warnings < JSON_WARNINGS_MAX;
	const char *near = NULL;

	for (const struct json_field *field = f->fields; field->name; field++) {
		unsigned int distance;

		if (!field->name[0])
			continue;
		if (field->kind == JSON_OTHER_WORD) {
			if (strcmp(field->name, f->key) == 0) {
				near = field->meant;
				limit = 0;
			}
			continue;
		}
		if (strcasecmp(field->name, f->key) == 0) {
			json_report(r->doc, JSON_UNKNOWN, true, place,
				    "taken as \"%s\": case matters", field->name);
			return field;
		}
		if (!heard)
			continue;
		distance = str_distance(field->name, f->key, limit);
		if (distance <= limit) {
			near = field->name;
			limit = distance;
		}
	}
	json_report(r->doc, JSON_UNKNOWN, !r->doc->strict, place, "unknown member%s%s%s",
		    near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return NULL;
}

static void member_key(struct reader *r, struct frame *f, const char *key, size_t len)
{
	const struct json_field *field = len > 0 ? field_find(f->fields, key, len) : NULL;
	uint64_t bit;

	if (!field) {
		f->key = arena_strndup(r->doc->arena, key, len);
		field = field_guess(r, f, len);
	}
	f->member = field;
	if (!field)
		return;
	bit = UINT64_C(1) << (field - f->fields);
	if (f->seen & bit)
		json_report(r->doc, JSON_DUPLICATE, false,
			    add_place(r, field->name, 0, f->key_offset), "duplicate member");
	f->seen |= bit;
}

/* Keys of maps are free. */
static void map_key(struct reader *r, struct frame *f, const char *key, size_t len)
{
	f->key = arena_strndup(r->doc->arena, key, len);
	f->keys = arena_grow(r->doc->arena, f->keys, f->n_keys, sizeof(*f->keys));
	f->keys[f->n_keys++] = (struct map_key){ f->key, f->key_offset };
}

static int compare_keys(const void *a, const void *b)
{
	const struct map_key *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r != 0 ? r : (x->offset > y->offset) - (x->offset < y->offset);
}

/*
 * Each key of a map may come once.  Looked at in the end, sorted: comparing each with each would
 * take minutes for a map as long as a text may be.
 */
static void close_map(struct reader *r, struct frame *f)
{
	if (f->n_keys > 1)
		qsort(f->keys, f->n_keys, sizeof(*f->keys), compare_keys);
	for (size_t i = 1; i < f->n_keys && going(r); i++)
		if (strcmp(f->keys[i - 1].name, f->keys[i].name) == 0)
			json_report(r->doc, JSON_DUPLICATE, false,
				    add_place(r, f->keys[i].name, 0, f->keys[i].offset),
				    "duplicate member");
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
	struct reader *r = ctx;
	struct frame *f = top(r);
	const char *key = (const char *)text;
	const char *fault = string_fault(r, key);

	if (fault) {
		json_report(r->doc, JSON_BAD_VALUE, false, place_here(r, r->start),
			    "member name %s", fault);
		return 0;
	}
	if (r->skip == 0) {
		f->key_offset = (uint32_t)r->start;
		if (f->kind == FRAME_OBJECT)
			member_key(r, f, key, len);
		else
			map_key(r, f, key, len);
	}
	token_done(r);
	return going(r);
}

/* Ends. ----------------------------------------------------------------- */

/*
 * An object's last act: what is required must have come; a row with an empty name takes the whole
 * text.
 */
static void close_object(struct reader *r, struct frame *f)
{
	for (const struct json_field *field = f->fields; field->name; field++) {
		if (field->kind == JSON_SPAN && !field->name[0]) {
			struct json_span *span = (struct json_span *)(void *)(f->base +
									      field->offset);

			span->text = r->doc->text + f->start;
			span->len = r->end - f->start;
		} else if ((field->flags & JSON_REQUIRED) &&
			   !(f->seen & (UINT64_C(1) << (field - f->fields)))) {
			json_report(r->doc, JSON_MISSING, false, f->place, "\"%s\" is required",
				    field->name);
		}
	}
}

static int on_end(void *ctx)
{
	struct reader *r = ctx;

	token_done(r);
	if (r->skip > 0) {
		if (--r->skip == 0 && r->span) {
			r->span->len = r->end - r->span_start;
			r->span = NULL;
		}
		return going(r);
	}
	if (top(r)->kind == FRAME_OBJECT)
		close_object(r, top(r));
	else
		close_map(r, top(r));
	r->depth--;
	return going(r);
}

static int on_null(void *ctx)
{
	return on_value(ctx, &(struct json_value){ .type = JSON_VALUE_NULL });
}

static int on_boolean(void *ctx, int value)
{
	return on_value(ctx, &(struct json_value){ .type = JSON_VALUE_BOOL, .boolean = value });
}

static int on_number(void *ctx, const char *text, size_t len)
{
	struct json_value v = { .type = JSON_VALUE_NUMBER, .text = text, .len = len };

	return on_value(ctx, &v);
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
	struct json_value v = { .type = JSON_VALUE_STRING, .text = (const char *)text, .len = len };

	v.fault = string_fault(ctx, v.text);
	return on_value(ctx, &v);
}

static int on_start_map(void *ctx)
{
	return on_value(ctx, &(struct json_value){ .type = JSON_VALUE_OBJECT });
}

static int on_start_array(void *ctx)
{
	return on_value(ctx, &(struct json_value){ .type = JSON_VALUE_ARRAY });
}

/* The whole. ------------------------------------------------------------ */

/* The first byte that is not part of a valid UTF-8 sequence, or len. */
static size_t utf8_fault(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len) {
		uint64_t eight;
		size_t n;

		/* Nearly all of it is ASCII. */
		if (len - i >= sizeof(eight)) {
			memcpy(&eight, text + i, sizeof(eight));
			if (!(eight & UINT64_C(0x8080808080808080))) {
				i += sizeof(eight);
				continue;
			}
		}
		n = str_utf8(text + i, len - i);
		if (n == 0)
			break;
		i += n;
	}
	return i;
}

/* What yajl says ("parse error: trailing garbage\n"), in words that name what to look for. */
static const char *plain_words(const char *said)
{
	static const char *const words[][2] = {
		{ "after array element", "\",\" or \"]\" must stand here" },
		{ "after key and value", "\",\" or \"}\" must stand here" },
		{ "object key and value", "\":\" must stand between a name and its value" },
		{ "invalid object key", "a name in double quotes must stand here (is there a \",\" "
					"too many?)" },
		{ "unallowed token", "a value must stand here (is there a \",\" too many?)" },
		{ "trailing garbage", "nothing may follow the end of the JSON text" },
		{ "invalid char in json", "no value begins so (texts and names stand in double "
					  "quotes)" },
		{ "invalid string in json", "neither true, false nor null (texts stand in double "
					    "quotes)" },
		{ "invalid character inside", "a control character in a text must be written as "
					      "\\n, \\t or \\u00XX" },
		{ "inside a string", "no such character may follow a \\" },
		{ "invalid (non-hex)", "\\u needs four hexadecimal digits" },
		{ "probable comment", "JSON has no comments" },
		{ "malformed number", "a digit is missing in this number" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (str_starts(said, words[i][0]))
			return words[i][1];
	return "not JSON";
}

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

static void syntax_error(struct reader *r)
{
	struct json_doc *doc = r->doc;
	unsigned char *said = yajl_get_error(r->yajl, 0, NULL, 0);
	const char *text = said ? strstr((const char *)said, ": ") : NULL;
	size_t at = r->start;
	size_t consumed = yajl_get_bytes_consumed(r->yajl);

	/* Inside a string, the offending byte is a better place than the string's start. */
	if (said && str_starts((const char *)said, "lexical") && consumed > at &&
	    consumed <= doc->len)
		at = consumed - 1;
	if (at == 0 && doc->len >= strlen(BYTE_ORDER_MARK) &&
	    memcmp(doc->text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
		json_report(doc, JSON_SYNTAX, false, place_here(r, at),
			    "a byte order mark, which JSON does not begin with (save the file as "
			    "UTF-8 without one)");
	else if (at >= doc->len || (text && str_starts(text + 2, "premature")))
		json_report(doc, JSON_SYNTAX, false, place_here(r, doc->len),
			    "the text ends too early");
	else
		json_report(doc, JSON_SYNTAX, false, place_here(r, at), "%s",
			    plain_words(text ? text + 2 : ""));
	yajl_free_error(r->yajl, said);
}

static void read_text(struct reader *r)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = on_null,
		.yajl_boolean = on_boolean,
		.yajl_number = on_number,
		.yajl_string = on_string,
		.yajl_start_map = on_start_map,
		.yajl_map_key = on_key,
		.yajl_end_map = on_end,
		.yajl_start_array = on_start_array,
		.yajl_end_array = on_end,
	};
	yajl_status status;

	r->yajl = yajl_alloc(&callbacks, NULL, r);
	if (!r->yajl) {
		json_report(r->doc, JSON_SYNTAX, false, 0, "out of memory");
		return;
	}
	/* Our own check was stricter. */
	yajl_config(r->yajl, yajl_dont_validate_strings, 1);
	status = yajl_parse(r->yajl, (const unsigned char *)r->doc->text, r->doc->len);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(r->yajl);
	if (status == yajl_status_error)
		syntax_error(r);
	yajl_free(r->yajl);
}

bool json_member(const char *text, size_t len, const char *name, struct json_span *out)
{
	const char *end = text + len, *value = NULL;
	size_t depth = 0, n = strlen(name);

	for (const char *p = text; p < end; p++) {
		const char *word = p + 1;

		if (*p == '{' || *p == '[') {
			depth++;
		} else if ((*p == '}' || *p == ']') && --depth == 1 && value) {
			*out = (struct json_span){ .text = value, .len = (size_t)(p + 1 - value) };
			return true;
		} else if (*p == '"') {
			for (p++; p < end && *p != '"'; p++)
				p += *p == '\\';
			if (depth == 1 && end - p > 1 && p[1] == ':')
				value = (size_t)(p - word) == n && !memcmp(word, name, n) ? p + 2
											  : NULL;
		}
	}
	return false;
}

int json_read(struct json_doc *doc, const struct json_field *fields, void *out, struct error *err)
{
	struct reader r;
	size_t fault;

	if (doc->len > JSON_TEXT_MAX)
		return error_set(err, EFBIG, "read %s", doc->name);
	memset(&r, 0, offsetof(struct reader, frames));
	r.doc = doc;
	r.fields = fields;
	r.out = out;
	doc->places = NULL;
	doc->places_room = 0;
	doc->n_places = 0;
	doc->n_sorted = 0;
	doc->n_warnings = 0;
	doc->n_errors = 0;
	doc->n_lines = 0;
	r.start = next_token(&r, 0);
	place_here(&r, r.start);
	doc->places[0].addr = out;
	fault = utf8_fault(doc->text, doc->len);
	if (fault < doc->len)
		json_report(doc, JSON_SYNTAX, false, place_here(&r, fault), "invalid UTF-8");
	else
		read_text(&r);
	if (doc->n_errors == 0)
		return 0;
	return error_set(err, 0, "%s", doc->first_error.text);
}
