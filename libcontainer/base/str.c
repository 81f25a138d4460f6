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
