/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - hands lines to the sink. */
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOG_TEXT_MAX 2048

/* The one mutable state at file scope of the library (see log.h). */
static struct {
	log_sink *sink;
	void *ctx;
	enum log_level max_level;
} log_state;

void log_set_sink(log_sink *sink, void *ctx, enum log_level max_level)
{
	log_state.sink = sink;
	log_state.ctx = ctx;
	log_state.max_level = max_level;
}

bool log_enabled(enum log_level level)
{
	return log_state.sink && level <= log_state.max_level;
}

void log_text(enum log_level level, const char *text)
{
	int saved = errno;

	if (log_enabled(level))
		log_state.sink(log_state.ctx, level, text);
	errno = saved;
}

/* Apart: the room for the text may be a page of the stack that nobody has touched yet. */
static void __attribute__((noinline, format(printf, 2, 0)))
log_vtext(enum log_level level, const char *fmt, va_list ap)
{
	char text[LOG_TEXT_MAX];
	int saved = errno;
	int n;

	n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n < 0)
		text[0] = '\0';
	else if ((size_t)n >= sizeof(text))
		memcpy(text + sizeof(text) - 4, "...", 4);
	errno = saved;
	log_text(level, text);
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (log_enabled(LOG_LEVEL_ERROR))
		log_vtext(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
}

void log_warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (log_enabled(LOG_LEVEL_WARNING))
		log_vtext(LOG_LEVEL_WARNING, fmt, ap);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (log_enabled(LOG_LEVEL_INFO))
		log_vtext(LOG_LEVEL_INFO, fmt, ap);
	va_end(ap);
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (log_enabled(LOG_LEVEL_DEBUG))
		log_vtext(LOG_LEVEL_DEBUG, fmt, ap);
	va_end(ap);
}
