/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - warnings and debug lines on their way to the caller's log.
 *
 * The one module with state at file scope: where lines go.  The library calls log_*(); the command
 * line decides the sink.  Between clone and exec the sink is the frame channel (stage.c sets it).
 */
#ifndef KIST_BASE_LOG_H
#define KIST_BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

typedef void log_sink(void *ctx, enum log_level level, const char *text);

/* sink NULL: lines are dropped.  Lines above max_level are dropped before they are formatted. */
void log_set_sink(log_sink *sink, void *ctx, enum log_level max_level);
bool log_enabled(enum log_level level);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* For a line that comes from another process. */
void log_text(enum log_level level, const char *text);

#endif
