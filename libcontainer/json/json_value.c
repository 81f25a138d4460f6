/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_value.c - one value into one member: ranges, names.
 */
#include "json/json_value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "json/json_doc.h"

/* What an integer kind holds. */
struct range {
	size_t size;
	int64_t min;
	uint64_t max;
};

static const struct range ranges[] = {
	[JSON_BOOL] = { sizeof(bool), 0, 1 },
	[JSON_U8] = { 1, 0, UINT8_MAX },
	[JSON_U16] = { 2, 0, UINT16_MAX },
	[JSON_U32] = { 4, 0, UINT32_MAX },
	[JSON_U64] = { 8, 0, UINT64_MAX },
	[JSON_I32] = { 4, INT32_MIN, INT32_MAX },
	[JSON_I64] = { 8, INT64_MIN, INT64_MAX },
	[JSON_DOUBLE] = { sizeof(double), 0, 0 },
};

const char *json_value_type_name(enum json_value_type type)
{
	static const char *const names[] = {
		[JSON_VALUE_ANY] = "a value",	    [JSON_VALUE_NULL] = "null",
		[JSON_VALUE_BOOL] = "true or false", [JSON_VALUE_NUMBER] = "a number",
		[JSON_VALUE_STRING] = "a string",   [JSON_VALUE_OBJECT] = "an object",
		[JSON_VALUE_ARRAY] = "an array",
	};

	return names[type];
}

enum json_value_type json_value_type(const struct json_field *field)
{
	switch ((enum json_kind)field->kind) {
	case JSON_BOOL:
		return JSON_VALUE_BOOL;
	case JSON_STRING:
	case JSON_CHOICE:
		return JSON_VALUE_STRING;
	case JSON_STRINGS:
	case JSON_NUMBERS:
	case JSON_CHOICES:
	case JSON_LIST:
		return JSON_VALUE_ARRAY;
	case JSON_PAIRS:
	case JSON_OBJECT:
	case JSON_MAP:
		return JSON_VALUE_OBJECT;
	case JSON_SPAN:
	case JSON_IGNORED:
	case JSON_OTHER_WORD:
		return JSON_VALUE_ANY;
	default:
		return JSON_VALUE_NUMBER;
	}
}

size_t json_kind_size(enum json_kind kind)
{
	return ranges[kind].size;
}

/* The bits of an integer (two's complement) into a member of that width. */
static void put_integer(enum json_kind kind, void *to, uint64_t bits)
{
	switch (ranges[kind].size) {
	case 1:
		*(uint8_t *)to = (uint8_t)bits;
		break;
	case 2:
		*(uint16_t *)to = (uint16_t)bits;
		break;
	case 4:
		*(uint32_t *)to = (uint32_t)bits;
		break;
	default:
		*(uint64_t *)to = bits;
	}
}

/* Digits to a number, without ever going through a double.  false: above 2^64 - 1. */
static bool parse_magnitude(const char *s, size_t len, uint64_t *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (unsigned int)(s[i] - '0'), &n))
			return false;
	*out = n;
	return true;
}

static bool parse_integer(const struct json_field *field, enum json_kind kind,
			  const struct json_value *v, uint64_t *bits)
{
	const struct range *range = &ranges[kind];
	uint64_t max = field->flags & JSON_ID ? STR_ID_MAX : range->max;
	bool negative = v->text[0] == '-';
	uint64_t magnitude;
	bool fits = parse_magnitude(v->text + negative, v->len - negative, &magnitude);

	/* -(uint64_t)min is the magnitude of min, INT64_MIN too. */
	if (!fits || magnitude > (negative ? -(uint64_t)range->min : max))
		return false;
	*bits = negative ? -magnitude : magnitude;
	return true;
}

static bool number_bits(struct json_doc *doc, const struct json_field *field,
			const struct json_value *v, uint32_t place, uint64_t *bits)
{
	enum json_kind kind = field->kind == JSON_NUMBERS ? field->item : field->kind;
	int len = v->len > 40 ? 40 : (int)v->len;

	if (memchr(v->text, '.', v->len) || memchr(v->text, 'e', v->len) ||
	    memchr(v->text, 'E', v->len)) {
		json_report(doc, JSON_BAD_TYPE, false, place, "must be an integer, not %.*s", len,
			    v->text);
		return false;
	}
	if (!parse_integer(field, kind, v, bits)) {
		json_report(doc, JSON_BAD_VALUE, false, place,
			    "%.*s is out of range (%" PRId64 " to %" PRIu64 ")", len, v->text,
			    ranges[kind].min,
			    field->flags & JSON_ID ? (uint64_t)STR_ID_MAX : ranges[kind].max);
		return false;
	}
	return true;
}

/* The names to choose from, or the one that was probably meant. */
static const char *choice_hint(struct json_doc *doc, const struct json_choice *choices,
			       const char *name)
{
	/* Of names with one letter or two all are near each other: the list says more. */
	size_t len = strlen(name);
	unsigned int limit = len < 3 ? 0 : len < 6 ? 1 : 3;
	const char *near = NULL;
	char buf[512];
	struct strbuf list = STRBUF(buf);

	buf[0] = '\0';
	for (const struct json_choice *c = choices; c->name; c++) {
		unsigned int distance = str_distance(c->name, name, limit);

		if (distance <= limit) {
			near = c->name;
			limit = distance;
		}
		strbuf_addf(&list, "%s%s", c == choices ? "" : ", ", c->name);
	}
	if (near)
		return arena_printf(doc->arena, ", did you mean \"%s\"?", near);
	return arena_printf(doc->arena, " (known: %s%s)", buf, list.overflow ? "..." : "");
}

static bool choice_bits(struct json_doc *doc, const struct json_field *field,
			const struct json_value *v, uint32_t place, uint64_t *bits)
{
	const char *name;

	for (const struct json_choice *c = field->choices; c->name; c++) {
		if (strncmp(c->name, v->text, v->len) == 0 && !c->name[v->len]) {
			*bits = (uint64_t)c->value;
			return true;
		}
	}
	name = arena_strndup(doc->arena, v->text, v->len);
	json_report(doc, JSON_BAD_VALUE, false, place, "unknown value %s%s",
		    json_quote(doc, v->text, v->len), choice_hint(doc, field->choices, name));
	return false;
}

static bool double_value(struct json_doc *doc, const struct json_value *v, uint32_t place,
			 double *out)
{
	char buf[64];

	if (v->len >= sizeof(buf)) {
		json_report(doc, JSON_BAD_VALUE, false, place, "a number of %zu digits", v->len);
		return false;
	}
	memcpy(buf, v->text, v->len);
	buf[v->len] = '\0';
	*out = strtod(buf, NULL);
	return true;
}

void json_value_store(struct json_doc *doc, const struct json_field *field, void *member,
		      const struct json_value *v, uint32_t place)
{
	bool element = field->kind == JSON_NUMBERS || field->kind == JSON_CHOICES;
	bool choice = field->kind == JSON_CHOICE || field->kind == JSON_CHOICES;
	enum json_kind kind = choice || element ? field->item : field->kind;
	uint64_t bits = v->boolean;
	double fraction;

	if ((field->flags & JSON_EMPTY) && v->len == 0)
		return;
	if (kind == JSON_STRING) {
		*(char **)member = arena_strndup(doc->arena, v->text, v->len);
		return;
	}
	if (kind == JSON_DOUBLE) {
		if (!double_value(doc, v, place, &fraction))
			return;
		memcpy(&bits, &fraction, sizeof(bits));
	} else if (choice && !choice_bits(doc, field, v, place, &bits)) {
		return;
	} else if (!choice && kind != JSON_BOOL && !number_bits(doc, field, v, place, &bits)) {
		return;
	}
	/* A pointer member: absent until now. */
	if (field->indirect && !element) {
		void *object = arena_alloc(doc->arena, json_kind_size(kind));

		*(void **)member = object;
		member = object;
	}
	put_integer(kind, member, bits);
}
