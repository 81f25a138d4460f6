/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GVariant text.  GLib: docs.gtk.org/glib/gvariant-text-format.html; types: the D-Bus
 * specification, "Type System".
 */
#include "cgroup/cgroup_gvariant.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* More than any property of a unit has. */
#define WORDS_MAX 4096
#define TYPE_MAX 32

struct parser {
	const char *at;
	struct arena *arena;
	const char *why;
	char **words;
	size_t n;
};

struct number_type {
	char type;
	const char *keyword;
	int64_t min;
	uint64_t max;
};

static const struct number_type numbers[] = {
	{ 'y', "byte", 0, UINT8_MAX },
	{ 'n', "int16", INT16_MIN, INT16_MAX },
	{ 'q', "uint16", 0, UINT16_MAX },
	{ 'i', "int32", INT32_MIN, INT32_MAX },
	{ 'u', "uint32", 0, UINT32_MAX },
	{ 'x', "int64", INT64_MIN, INT64_MAX },
	{ 't', "uint64", 0, UINT64_MAX },
};

static const struct {
	char type;
	const char *keyword;
} others[] = {
	{ 'b', "boolean" },    { 'd', "double" },    { 's', "string" },
	{ 'o', "objectpath" }, { 'g', "signature" },
};

#define COUNT(list) (sizeof(list) / sizeof(*(list)))
#define IS_TEXT(type) ((type) == 's' || (type) == 'o' || (type) == 'g')

static int fail(struct parser *p, const char *why)
{
	if (!p->why)
		p->why = why;
	return -EINVAL;
}

static void skip_blanks(struct parser *p)
{
	p->at += strspn(p->at, " \t\r\n");
}

static bool take(struct parser *p, char c)
{
	skip_blanks(p);
	if (*p->at != c)
		return false;
	p->at++;
	return true;
}

static int add_word(struct parser *p, char *word)
{
	if (p->n >= WORDS_MAX)
		return fail(p, "too many values");
	p->words = arena_grow(p->arena, p->words, p->n, sizeof(*p->words));
	p->words[p->n++] = word;
	return 0;
}

/* "uint64 ": the type that a keyword announces, or 0. */
static char take_keyword(struct parser *p)
{
	size_t len;

	skip_blanks(p);
	len = strspn(p->at, "abcdefghijklmnopqrstuvwxyz0123456789");
	for (size_t i = 0; i < COUNT(numbers) + COUNT(others); i++) {
		bool number = i < COUNT(numbers);
		const char *keyword =
			number ? numbers[i].keyword : others[i - COUNT(numbers)].keyword;

		if (strlen(keyword) != len || strncmp(p->at, keyword, len) != 0)
			continue;
		p->at += len;
		return number ? numbers[i].type : others[i - COUNT(numbers)].type;
	}
	return 0;
}

static char unescape(char c)
{
	static const char names[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
	const char *found = c ? strchr(names, c) : NULL;

	return found ? values[found - names] : c;
}

/* The text up to the quote that opened it. */
static int parse_string(struct parser *p, char **out)
{
	char quote = *p->at++;
	char *text = arena_alloc(p->arena, strlen(p->at) + 1);
	size_t len = 0;

	while (*p->at && *p->at != quote) {
		if (*p->at == '\\' && (p->at[1] == 'u' || p->at[1] == 'U' || !p->at[1]))
			return fail(p, "this escape is not supported");
		if (*p->at == '\\')
			text[len++] = unescape(*++p->at);
		else
			text[len++] = *p->at;
		p->at++;
	}
	if (!*p->at)
		return fail(p, "a quote is not closed");
	p->at++;
	text[len] = '\0';
	*out = text;
	return 0;
}

/* Decimal, 0x or 0 octal as C has them; *type 0: becomes int32. */
static int parse_number(struct parser *p, char *type)
{
	bool negative = *p->at == '-';
	const char *digits = p->at + (*p->at == '-' || *p->at == '+');
	size_t len = strcspn(digits, " \t\r\n,)]");
	char *text = arena_strndup(p->arena, digits, len), *end;
	const struct number_type *n = NULL;
	unsigned long long value;

	if (!*type)
		*type = text[strcspn(text, ".")] && !str_starts(text, "0x") ? 'd' : 'i';
	p->at = digits + len;
	if (*type == 'd') {
		(void)strtod(text, &end);
		if (end == text || *end)
			return fail(p, "not a number");
		return add_word(p, arena_printf(p->arena, "%s%s", negative ? "-" : "", text));
	}
	for (size_t i = 0; i < COUNT(numbers); i++)
		n = numbers[i].type == *type ? &numbers[i] : n;
	if (!n)
		return fail(p, "a number stands where another type belongs");
	errno = 0;
	value = strtoull(text, &end, 0);
	if (*text < '0' || *text > '9' || *end)
		return fail(p, "not a number");
	if (errno || value > (negative ? -(uint64_t)n->min : n->max))
		return fail(p, "the number is out of the range of its type");
	return add_word(p, arena_printf(p->arena, "%s%llu", negative && value ? "-" : "", value));
}

/* *type: the one that is wanted, or 0: then what the text shows. */
static int parse_basic(struct parser *p, char *type)
{
	char keyword = take_keyword(p);
	char *text;

	if (keyword && *type && keyword != *type)
		return fail(p, "the type is not the property's");
	if (keyword)
		*type = keyword;
	skip_blanks(p);
	if (*p->at == '\'' || *p->at == '"') {
		if (!*type)
			*type = 's';
		if (!IS_TEXT(*type))
			return fail(p, "a text stands where another type belongs");
		return parse_string(p, &text) < 0 ? -EINVAL : add_word(p, text);
	}
	if (str_starts(p->at, "true") || str_starts(p->at, "false")) {
		bool value = *p->at == 't';

		if (*type && *type != 'b')
			return fail(p, "a truth value stands where another type belongs");
		*type = 'b';
		p->at += value ? strlen("true") : strlen("false");
		return add_word(p, arena_strdup(p->arena, value ? "1" : "0"));
	}
	if (!*p->at || !strchr("+-0123456789", *p->at))
		return fail(p, "neither a text in quotes, a number, nor true or false");
	return parse_number(p, type);
}

/*
 * One element of an array, a basic value or a tuple of such; its type into type, or compared with
 * it.
 */
static int parse_element(struct parser *p, char *type)
{
	size_t i = 1;

	/* type has room for TYPE_MAX bytes and is NUL-filled. */
	if (!take(p, '(')) {
		if (*type == '(')
			return fail(p, "a tuple is expected");
		return parse_basic(p, type);
	}
	if (*type && *type != '(')
		return fail(p, "a tuple is not expected");
	*type = '(';
	while (!take(p, ')')) {
		if (i >= TYPE_MAX - 2 || type[i] == ')')
			return fail(p, "the tuple is too long");
		if (parse_basic(p, &type[i]) < 0)
			return -EINVAL;
		i++;
		skip_blanks(p);
		if (!take(p, ',') && *p->at != ')')
			return fail(p, "a comma or ) is missing");
	}
	if (type[i] && type[i] != ')')
		return fail(p, "the tuple is too short");
	type[i] = ')';
	return 0;
}

static int parse_array(struct parser *p, char *element)
{
	while (!take(p, ']')) {
		if (parse_element(p, element) < 0)
			return -EINVAL;
		skip_blanks(p);
		if (!take(p, ',') && *p->at != ']')
			return fail(p, "a comma or ] is missing");
	}
	return *element ? 0 : fail(p, "the type of an empty array must be given, as in @as []");
}

/* b'...': the bytes and the NUL that GVariant counts to them. */
static int parse_bytes(struct parser *p)
{
	char *text;

	p->at++;
	if (parse_string(p, &text) < 0)
		return -EINVAL;
	for (;; text++) {
		if (add_word(p, arena_printf(p->arena, "%u", (unsigned char)*text)) < 0)
			return -EINVAL;
		if (!*text)
			return 0;
	}
}

/* "@as ": a type before the value, which must then be the property's, if that has one. */
static int parse_type(struct parser *p, char *type)
{
	size_t len = strcspn(++p->at, " \t\r\n");

	if (len == 0 || len >= TYPE_MAX - 1)
		return fail(p, "no type follows the @");
	if (*type && (strlen(type) != len || strncmp(type, p->at, len) != 0))
		return fail(p, "the type is not the property's");
	memcpy(type, p->at, len);
	type[len] = '\0';
	p->at += len;
	skip_blanks(p);
	return 0;
}

static int parse_value(struct parser *p, char *type)
{
	skip_blanks(p);
	if (*p->at == '@' && parse_type(p, type) < 0)
		return -EINVAL;
	if (*p->at == 'b' && (p->at[1] == '\'' || p->at[1] == '"')) {
		if (*type && strcmp(type, "ay") != 0)
			return fail(p, "bytes stand where another type belongs");
		memcpy(type, "ay", sizeof("ay"));
		return parse_bytes(p);
	}
	if (take(p, '[')) {
		if (*type && *type != 'a')
			return fail(p, "an array stands where another type belongs");
		*type = 'a';
		return parse_array(p, type + 1);
	}
	if (*type == 'a' || *type == '(')
		return fail(p, "an array is expected");
	return parse_basic(p, type);
}

int cgroup_gvariant_parse(const char *text, const char *want, struct arena *a,
			  struct cgroup_gvariant *out, const char **why)
{
	struct parser p = { .at = text, .arena = a };
	char type[TYPE_MAX + 1] = "";

	if (want && strlen(want) < TYPE_MAX)
		memcpy(type, want, strlen(want) + 1);
	if (parse_value(&p, type) == 0) {
		skip_blanks(&p);
		if (*p.at)
			fail(&p, "something follows the value");
	}
	*why = p.why;
	if (p.why)
		return -EINVAL;
	p.words = arena_grow(a, p.words, p.n, sizeof(*p.words));
	p.words[p.n] = NULL;
	*out = (struct cgroup_gvariant){ arena_strdup(a, type), p.words };
	return 0;
}
