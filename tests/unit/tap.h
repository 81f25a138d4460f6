/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap.h - the Test Anything Protocol for unit tests.
 *
 * The plan is printed last, so no test counts its points: done() says how many there were, and
 * a test that dies before it has no plan and so fails.
 */
#ifndef KIST_TESTS_UNIT_TAP_H
#define KIST_TESTS_UNIT_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int tap_count, tap_failed;

static inline bool __attribute__((format(printf, 4, 0)))
tap_vpoint(bool passed, const char *file, int line, const char *fmt, va_list ap)
{
	tap_count++;
	printf("%sok %d - ", passed ? "" : "not ", tap_count);
	vprintf(fmt, ap);
	putchar('\n');
	if (!passed) {
		tap_failed++;
		printf("# failed at %s:%d\n", file, line);
	}
	/* So that a child forked later does not print it a second time. */
	fflush(stdout);
	return passed;
}

static inline bool __attribute__((format(printf, 4, 5), unused))
tap_ok(bool passed, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_vpoint(passed, file, line, fmt, ap);
	va_end(ap);
	return passed;
}

static inline bool __attribute__((format(printf, 5, 6), unused))
tap_is_int(long long got, long long want, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_vpoint(got == want, file, line, fmt, ap);
	va_end(ap);
	if (got != want)
		printf("#  got: %lld\n# want: %lld\n", got, want);
	return got == want;
}

static inline bool __attribute__((format(printf, 5, 6), unused))
tap_is_str(const char *got, const char *want, const char *file, int line, const char *fmt, ...)
{
	bool same = got && want ? strcmp(got, want) == 0 : got == want;
	va_list ap;

	va_start(ap, fmt);
	tap_vpoint(same, file, line, fmt, ap);
	va_end(ap);
	if (!same)
		printf("#  got: %s\n# want: %s\n", got ? got : "(null)", want ? want : "(null)");
	return same;
}

/* The name of a point is a printf() format with its arguments.  Returned: whether it passed. */
#define ok(cond, ...) tap_ok((cond), __FILE__, __LINE__, __VA_ARGS__)
#define is_int(got, want, ...) tap_is_int((got), (want), __FILE__, __LINE__, __VA_ARGS__)
#define is_str(got, want, ...) tap_is_str((got), (want), __FILE__, __LINE__, __VA_ARGS__)

/* For what the machine cannot do. */
#define skip(why) tap_ok(true, __FILE__, __LINE__, "# SKIP %s", (why))

/* Ends a test whose preparation failed. */
#define bail_out(why) do { printf("Bail out! %s\n", (why)); exit(99); } while (0)

/* return done(); at the end of main(). */
static inline int __attribute__((unused)) done(void)
{
	printf("1..%d\n", tap_count);
	fflush(stdout);
	return tap_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
