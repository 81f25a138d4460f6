/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.h - one error, one message, made where the noun is known.
 *
 * base/ itself returns 0 or -errno and knows no words.  Everything above it takes
 * `struct error *err` as its last parameter and fills it exactly once, at the
 * place that knows what was being done to what:
 *
 *	return error_set(err, errno, "open %s", path);
 *
 * struct error has a fixed size and holds no pointers, so that it can travel
 * between processes as it is (a frame on a socket, a shared page).
 */
#ifndef KIST_BASE_ERROR_H
#define KIST_BASE_ERROR_H

#include <stdarg.h>
#include <stddef.h>

#define ERROR_TEXT_MAX 2040

struct error {
	int errnum;			/* positive errno, or 0: no kernel reason */
	int exit_code;			/* what the command exits with; 0 = the command's default */
	char text[ERROR_TEXT_MAX];	/* always NUL-terminated, no trailing newline */
};

/*
 * Formats the message; with errnum > 0, ": <lower-case errno text>" is appended.
 * A message that does not fit is cut and ends in "...".
 * err may be NULL (the caller only wants the code).
 * Returns -errnum, or -EINVAL when errnum is 0.  errno is preserved.
 */
int error_set(struct error *err, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int error_vset(struct error *err, int errnum, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

/* Puts "<formatted>: " before the message that is there.  Returns -err->errnum or -EINVAL. */
int error_prefix(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Appends text to the message that is there (hints).  Returns as error_prefix(). */
int error_append(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Lower-case text of an errno ("no such file or directory"); static storage, no locale. */
const char *error_text(int errnum);

/* Name of an errno ("ENOENT"), or "E?" for an unknown number; static storage. */
const char *error_name(int errnum);

#endif
