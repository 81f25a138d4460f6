/* SPDX-License-Identifier: Apache-2.0 */
/* str.c - strict parsers and the string builder. */
#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CONTAINER_ID_MAX 255
#define DISTANCE_MAX 64
#define MODE_MAX 07777u

/* Digits of the base, all of s, not above max.  strtoul() would take signs, spaces and prefixes. */
static int parse_digits(const char *s, unsigned int base, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	bool too_big = false;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		unsigned int digit = (unsigned int)*s - '0';

		if (digit >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			too_big = true;	/* but go on: "99999999999999999999x" is no number at all */
	}
	if (too_big || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

int str_to_u64(const char *s, uint64_t max, uint64_t *out)
{
	return parse_digits(s, 10, max, out);
}

static int parse_u32(const char *s, unsigned int base, uint32_t max, uint32_t *out)
{
	uint64_t value;
	int ret = parse_digits(s, base, max, &value);

	if (ret == 0)
		*out = (uint32_t)value;
	return ret;
}

int str_to_u32(const char *s, uint32_t *out)
{
	return parse_u32(s, 10, UINT32_MAX, out);
}

int str_to_mode(const char *s, uint32_t *out)
{
	return parse_u32(s, 8, MODE_MAX, out);
}

int str_to_id(const char *s, uint32_t *out)
{
	return parse_u32(s, 10, STR_ID_MAX, out);
}

int str_to_i64(const char *s, int64_t *out)
{
	bool negative = *s == '-';
	uint64_t value;
	int ret;

	ret = parse_digits(s + negative, 10, (uint64_t)INT64_MAX + negative, &value);
	if (ret < 0)
		return ret;
	/* Unsigned negation: -INT64_MIN does not exist. */
	*out = (int64_t)(negative ? 0 - value : value);
	return 0;
}

static bool is_id_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == '+' || c == '-';
}

bool str_is_container_id(const char *s)
{
	size_t len = 0;

	/* The id becomes a directory name: "." and ".." would be the state root and its parent. */
	if (strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		return false;
	for (; s[len]; len++) {
		if (len >= CONTAINER_ID_MAX || !is_id_char(s[len]))
			return false;
	}
	return len > 0;
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t len = strlen(s), end = strlen(suffix);

	return len >= end && memcmp(s + len - end, suffix, end) == 0;
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int least = a < b ? a : b;

	return least < c ? least : c;
}

unsigned int str_distance(const char *a, const char *b, unsigned int limit)
{
	unsigned int row[DISTANCE_MAX + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > DISTANCE_MAX || lb > DISTANCE_MAX)
		return limit + 1;
	/* row[j]: the distance between a[0..i) and b[0..j). */
	for (unsigned int j = 0; j <= lb; j++)
		row[j] = j;
	for (unsigned int i = 1; i <= la; i++) {
		unsigned int diagonal = row[0], best = i;

		row[0] = i;
		for (unsigned int j = 1; j <= lb; j++) {
			unsigned int above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
			if (row[j] < best)
				best = row[j];
		}
		/* The least of a row never falls from row to row. */
		if (best > limit)
			return limit + 1;
	}
	return row[lb] > limit ? limit + 1 : row[lb];
}

size_t str_utf8(const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned char lead = u[0];
	unsigned char low = 0x80, high = 0xbf;	/* what the second byte may be */
	size_t n;

	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	n = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	if (lead == 0xe0)
		low = 0xa0;		/* else overlong */
	else if (lead == 0xed)
		high = 0x9f;		/* else a surrogate */
	else if (lead == 0xf0)
		low = 0x90;		/* else overlong */
	else if (lead == 0xf4)
		high = 0x8f;		/* else above U+10FFFF */
	if (len < n || u[1] < low || u[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static uint32_t code_point(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	uint32_t code = n == 1 ? u[0] : u[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		code = code << 6 | (u[i] & 0x3f);
	return code;
}

/*
 * What a terminal obeys, or what makes a text look like another one: control characters (C0, DEL,
 * C1), line separators, changes of the direction of writing, and what has no width.
 */
static bool is_hidden(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{ 0x0000, 0x001f },	/* C0 */
		{ 0x007f, 0x009f },	/* DEL, C1 */
		{ 0x00ad, 0x00ad },	/* soft hyphen */
		{ 0x034f, 0x034f },	/* combining grapheme joiner */
		{ 0x061c, 0x061c },	/* Arabic letter mark */
		{ 0x115f, 0x1160 },	/* Hangul fillers */
		{ 0x17b4, 0x17b5 },	/* Khmer vowels that are not shown */
		{ 0x180b, 0x180f },	/* Mongolian selectors, vowel separator */
		{ 0x200b, 0x200f },	/* zero width, direction marks */
		{ 0x2028, 0x202e },	/* line, paragraph; embedding, override */
		{ 0x2060, 0x206f },	/* word joiner, isolates */
		{ 0x3164, 0x3164 },	/* Hangul filler */
		{ 0xfe00, 0xfe0f },	/* variation selectors */
		{ 0xfeff, 0xfeff },	/* byte order mark */
		{ 0xffa0, 0xffa0 },	/* Hangul filler, half width */
		{ 0xfff9, 0xfffb },	/* interlinear annotation */
		{ 0xe0000, 0xe0fff },	/* tags, variation selectors, and nothing else */
	};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return true;
	return false;
}

/* One character, of n bytes; 0: a byte that is none. */
static void add_visible(struct strbuf *b, const char *s, size_t n, const char *quoted)
{
	uint32_t code = n > 0 ? code_point(s, n) : (unsigned char)*s;

	if (code == '\n')
		strbuf_add(b, "\\n");
	else if (n == 0 || (n == 1 && is_hidden(code)))
		strbuf_addf(b, "\\x%02x", code);
	else if (is_hidden(code))
		strbuf_addf(b, code > 0xffff ? "\\U%08x" : "\\u%04x", code);
	else if (n == 1 && strchr(quoted, *s))
		strbuf_addf(b, "\\%c", *s);
	else
		strbuf_addn(b, s, n);
}

const char *str_visible(const char *s, const char *quoted, struct arena *a)
{
	const char *end = s + strlen(s);
	const char *p = s;
	struct strbuf b;

	/* Nearly always all of it is plain. */
	while (*p >= ' ' && *p < 0x7f && !strchr(quoted, *p))
		p++;
	if (p == end)
		return s;
	/* The longest form takes four bytes for one. */
	b = (struct strbuf){ .size = 4 * (size_t)(end - s) + 1 };
	b.text = arena_alloc(a, b.size);
	strbuf_addn(&b, s, (size_t)(p - s));
	while (p < end) {
		size_t n = str_utf8(p, (size_t)(end - p));

		add_visible(&b, p, n, quoted);
		p += n > 0 ? n : 1;
	}
	return b.text;
}

void strbuf_addn(struct strbuf *b, const char *s, size_t n)
{
	size_t room;

	if (b->size == 0) {
		b->overflow |= n > 0;
		return;
	}
	room = b->size - 1 - b->len;
	if (n > room) {
		b->overflow = true;
		n = room;
	}
	memcpy(b->text + b->len, s, n);
	b->len += n;
	b->text[b->len] = '\0';
}

void strbuf_add(struct strbuf *b, const char *s)
{
	strbuf_addn(b, s, strlen(s));
}

void strbuf_addc(struct strbuf *b, char c)
{
	strbuf_addn(b, &c, 1);
}

void strbuf_addu(struct strbuf *b, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	strbuf_addn(b, digits + at, sizeof(digits) - at);
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	size_t room = b->size - b->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(b->size ? b->text + b->len : NULL, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room) {
		b->overflow = true;
		if (b->size)
			b->len += strlen(b->text + b->len);
		return;
	}
	b->len += (size_t)n;
}
