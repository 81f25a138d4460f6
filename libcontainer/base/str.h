/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str.h - strict parsers and a fixed-buffer string builder.
 * Parsers take the whole string: no sign, space, prefix or rest is tolerated.
 */
#ifndef KIST_BASE_STR_H
#define KIST_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* Decimal digits only.  0, -EINVAL (not a number) or -ERANGE (above max). */
int str_to_u64(const char *s, uint64_t max, uint64_t *out);
int str_to_u32(const char *s, uint32_t *out);
/* Optional leading '-'. */
int str_to_i64(const char *s, int64_t *out);
/* Octal digits only (file modes). */
int str_to_mode(const char *s, uint32_t *out);

/*
 * THE parser of user and group ids: digits only, at most 4294967294, since (uid_t)-1 means
 * "unchanged" to the kernel (CVE-2024-40635, CVE-2026-30892).  0, -EINVAL or -ERANGE.
 */
int str_to_id(const char *s, uint32_t *out);
#define STR_ID_MAX 4294967294u

/* Whether s is a container id: [A-Za-z0-9_.+-]+, at most 255 bytes, not "." nor "..". */
bool str_is_container_id(const char *s);

bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* Edit distance (Levenshtein), at most limit + 1: for did-you-mean. */
unsigned int str_distance(const char *a, const char *b, unsigned int limit);

/*
 * Length of the UTF-8 sequence at s (RFC 3629: no overlong forms, no surrogates), or 0: it is none.
 */
size_t str_utf8(const char *s, size_t len);

/*
 * THE form in which a text of somebody else reaches a terminal, a table or a line of a log: control
 * characters (a new line too), changes of the direction of writing, what has no width, and bytes
 * that are no UTF-8 become \n, \xNN, \uNNNN or \UNNNNNNNN.  The characters of quoted get a
 * backslash.  To be read, not to be read back: a backslash of the text stays as it is (unless it is
 * one of quoted), since names such as systemd's "a\x2db.mount" must be found again as they are
 * shown; so a name may look like an escape, which no terminal obeys.  Returns s itself when nothing
 * need be changed, else a text in a.
 */
const char *str_visible(const char *s, const char *quoted, struct arena *a);

/* A builder over the caller's buffer.  Overflow is remembered, text stays NUL-terminated. */
struct strbuf {
	char *text;
	size_t size;
	size_t len;
	bool overflow;
};

/* For automatic variables; buf is an array, which becomes the empty string. */
#define STRBUF(buf) { .text = ((buf)[0] = '\0', (buf)), .size = sizeof(buf) }

void strbuf_add(struct strbuf *b, const char *s);
void strbuf_addn(struct strbuf *b, const char *s, size_t n);
void strbuf_addc(struct strbuf *b, char c);
/* A number in decimal, at a tenth of the price of "%u". */
void strbuf_addu(struct strbuf *b, uint64_t n);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
