/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_write.c - the writer.  It makes its own text: yajl's generator would add a copy and no
 * service.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "json/json_doc.h"
#include "json/json_value.h"

void json_out_begin(struct json_out *o, struct arena *a, unsigned int indent)
{
	*o = (struct json_out){ .arena = a, .indent = indent, .first = true };
}

static void add(struct json_out *o, const char *s, size_t len)
{
	if (o->size - o->len < len + 1) {
		size_t size = o->size ? o->size : 512;
		char *text;

		while (size - o->len < len + 1)
			size *= 2;
		text = arena_alloc(o->arena, size);
		if (o->len > 0)
			memcpy(text, o->text, o->len);
		o->text = text;
		o->size = size;
	}
	memcpy(o->text + o->len, s, len);
	o->len += len;
	o->text[o->len] = '\0';
}

static void new_line(struct json_out *o)
{
	if (o->indent == 0)
		return;
	add(o, "\n", 1);
	for (unsigned int i = 0; i < o->depth * o->indent; i++)
		add(o, " ", 1);
}

/* What stands before a value or a key: a comma behind the one before it, and a line of its own. */
static void separate(struct json_out *o)
{
	if (o->after_key) {
		o->after_key = false;
		return;
	}
	if (!o->first)
		add(o, ",", 1);
	if (o->depth > 0)
		new_line(o);
	o->first = false;
}

static void open_with(struct json_out *o, const char *brace)
{
	separate(o);
	add(o, brace, 1);
	o->depth++;
	o->first = true;
}

static void close_with(struct json_out *o, const char *brace)
{
	o->depth--;
	if (!o->first)
		new_line(o);
	add(o, brace, 1);
	o->first = false;
}

void json_out_open_object(struct json_out *o)
{
	open_with(o, "{");
}

void json_out_close_object(struct json_out *o)
{
	close_with(o, "}");
}

void json_out_open_array(struct json_out *o)
{
	open_with(o, "[");
}

void json_out_close_array(struct json_out *o)
{
	close_with(o, "]");
}

/* RFC 8259 section 7: quote, backslash and control characters must be escaped, nothing else is. */
static void add_escaped(struct json_out *o, char c)
{
	static const char letters[] = {
		['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'
	};
	unsigned char u = (unsigned char)c;
	char buf[8];
	int n;

	if (c == '"' || c == '\\')
		n = snprintf(buf, sizeof(buf), "\\%c", c);
	else if (u < sizeof(letters) && letters[u])
		n = snprintf(buf, sizeof(buf), "\\%c", letters[u]);
	else
		n = snprintf(buf, sizeof(buf), "\\u%04x", u);
	add(o, buf, (size_t)n);
}

static void add_string(struct json_out *o, const char *s, size_t len)
{
	size_t plain = 0;	/* bytes before s[i] that are not written yet */
	size_t i = 0;

	add(o, "\"", 1);
	while (i < len) {
		size_t n = str_utf8(s + i, len - i);
		bool bare = n > 1 ||
			    (n == 1 && (unsigned char)s[i] >= 0x20 && s[i] != '"' && s[i] != '\\');

		if (bare) {
			plain += n;
			i += n;
			continue;
		}
		add(o, s + i - plain, plain);
		plain = 0;
		if (n == 0)
			add(o, "\xef\xbf\xbd", 3);	/* U+FFFD */
		else
			add_escaped(o, s[i]);
		i++;
	}
	add(o, s + i - plain, plain);
	add(o, "\"", 1);
}

void json_out_stringn(struct json_out *o, const char *s, size_t len)
{
	separate(o);
	add_string(o, s, len);
}

void json_out_string(struct json_out *o, const char *s)
{
	json_out_stringn(o, s ? s : "", s ? strlen(s) : 0);
}

void json_out_key(struct json_out *o, const char *key)
{
	json_out_string(o, key);
	add(o, ": ", o->indent ? 2 : 1);
	o->after_key = true;
}

void json_out_raw(struct json_out *o, const char *text, size_t len)
{
	separate(o);
	add(o, text, len);
}

void json_out_int(struct json_out *o, int64_t value)
{
	char buf[24];

	json_out_raw(o, buf, (size_t)snprintf(buf, sizeof(buf), "%" PRId64, value));
}

void json_out_uint(struct json_out *o, uint64_t value)
{
	char buf[24];

	json_out_raw(o, buf, (size_t)snprintf(buf, sizeof(buf), "%" PRIu64, value));
}

void json_out_double(struct json_out *o, double value)
{
	char buf[40];

	/* JSON has no infinity and no NaN. */
	if (!isfinite(value))
		json_out_null(o);
	else
		json_out_raw(o, buf, (size_t)snprintf(buf, sizeof(buf), "%.15g", value));
}

void json_out_bool(struct json_out *o, bool value)
{
	json_out_raw(o, value ? "true" : "false", value ? 4 : 5);
}

void json_out_null(struct json_out *o)
{
	json_out_raw(o, "null", 4);
}

/* By table. ------------------------------------------------------------- */

/* An integer of a kind, as the 64 bits of an int64_t or uint64_t. */
static uint64_t get_integer(enum json_kind kind, const void *from)
{
	switch (kind) {
	case JSON_BOOL:
	case JSON_U8:
		return *(const uint8_t *)from;
	case JSON_U16:
		return *(const uint16_t *)from;
	case JSON_U32:
		return *(const uint32_t *)from;
	case JSON_I32:
		return (uint64_t)*(const int32_t *)from;
	default:
		return *(const uint64_t *)from;
	}
}

static void out_scalar(struct json_out *o, const struct json_field *field, enum json_kind kind,
		       const void *from)
{
	uint64_t bits = get_integer(kind, from);
	double fraction;

	if (field->choices) {
		json_out_string(o, json_choice_name(field->choices, (int64_t)bits));
	} else if (kind == JSON_BOOL) {
		json_out_bool(o, bits);
	} else if (kind == JSON_DOUBLE) {
		memcpy(&fraction, &bits, sizeof(fraction));
		json_out_double(o, fraction);
	} else if (kind == JSON_I32 || kind == JSON_I64) {
		json_out_int(o, (int64_t)bits);
	} else {
		json_out_uint(o, bits);
	}
}

static void out_strings(struct json_out *o, char *const *list)
{
	json_out_open_array(o);
	for (; list && *list; list++)
		json_out_string(o, *list);
	json_out_close_array(o);
}

static void out_list(struct json_out *o, const struct json_field *field, const char *list,
		     size_t count)
{
	bool keyed = field->kind == JSON_MAP || field->kind == JSON_PAIRS;

	if (keyed)
		json_out_open_object(o);
	else
		json_out_open_array(o);
	for (size_t i = 0; i < count; i++) {
		const char *item = list + i * field->size;

		if (keyed)
			json_out_key(o, *(char *const *)(const void *)item);
		if (field->kind == JSON_PAIRS)
			json_out_string(o, ((char *const *)(const void *)item)[1]);
		else if (field->kind == JSON_LIST || field->kind == JSON_MAP)
			json_out_object(o, field->fields, item);
		else
			out_scalar(o, field, field->item, item);
	}
	if (keyed)
		json_out_close_object(o);
	else
		json_out_close_array(o);
}

/*
 * What the row's member holds: the address of the value, NULL when absent, and the count of a list.
 */
struct held {
	const void *value;
	size_t count;
	bool write;
};

static struct held hold(const struct json_field *field, const char *object)
{
	const char *member = object + field->offset;
	struct held h = { .value = member, .write = field->flags & (JSON_REQUIRED | JSON_WRITTEN) };
	enum json_kind kind = field->kind == JSON_CHOICE ? field->item : field->kind;
	const struct json_span *span = (const struct json_span *)(const void *)member;

	if (field->kind == JSON_SPAN) {
		h.write = field->name[0] && span->text;
		return h;
	}
	if (!field->indirect) {
		/*
		 * A choice of 0 is a real value where some row has it; an object is always there.
		 */
		if (kind == JSON_OBJECT || get_integer(kind, member) != 0)
			h.write = true;
		return h;
	}
	memcpy(&h.value, member, sizeof(h.value));
	if (field->count)
		memcpy(&h.count, object + field->count, sizeof(h.count));
	if (h.value && (!field->count || h.count > 0))
		h.write = true;
	return h;
}

static void out_member(struct json_out *o, const struct json_field *field, const struct held *h)
{
	const struct json_span *span = h->value;

	json_out_key(o, field->name);
	switch ((enum json_kind)field->kind) {
	case JSON_STRING:
		json_out_string(o, h->value);
		break;
	case JSON_STRINGS:
		out_strings(o, h->value);
		break;
	case JSON_SPAN:
		json_out_raw(o, span->text, span->len);
		break;
	case JSON_NUMBERS:
	case JSON_CHOICES:
	case JSON_PAIRS:
	case JSON_LIST:
	case JSON_MAP:
		out_list(o, field, h->value, h->value ? h->count : 0);
		break;
	default:
		if (!h->value)
			json_out_null(o);
		else if (field->kind == JSON_OBJECT)
			json_out_object(o, field->fields, h->value);
		else
			out_scalar(o, field, field->kind == JSON_CHOICE ? field->item : field->kind,
				   h->value);
	}
}

void json_out_members(struct json_out *o, const struct json_field *fields, const void *object)
{
	for (const struct json_field *field = fields; field->name; field++) {
		struct held h;

		if (field->kind == JSON_IGNORED || field->kind == JSON_OTHER_WORD)
			continue;
		h = hold(field, object);
		if (h.write)
			out_member(o, field, &h);
	}
}

void json_out_object(struct json_out *o, const struct json_field *fields, const void *object)
{
	json_out_open_object(o);
	json_out_members(o, fields, object);
	json_out_close_object(o);
}

const char *json_out_text(struct json_out *o)
{
	return o->text ? o->text : "";
}
