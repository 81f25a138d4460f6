/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_output.h - where log lines and the final error go: --log, --log-format, --log-level.
 *
 * Engines read two things after a failure: the last object of a JSON log (containerd), and the
 * message on standard error (conmon, for Podman and CRI-O).  Podman takes the log itself only if it
 * is one object, that of the error; with a warning before it, conmon's text.  So the message on
 * standard error has all that the object has.
 */
#ifndef KIST_LOG_OUTPUT_H
#define KIST_LOG_OUTPUT_H

#include <stdbool.h>

#include "base/error.h"
#include "base/log.h"

enum log_output_format { LOG_OUTPUT_TEXT, LOG_OUTPUT_JSON };

enum log_output_target {
	LOG_OUTPUT_STDERR,
	LOG_OUTPUT_FILE,
	LOG_OUTPUT_JOURNALD,
	LOG_OUTPUT_SYSLOG,
};

struct log_output {
	enum log_output_target target;
	enum log_output_format format;
	enum log_level level;		/* what is written; errors always are */
	const char *identifier;		/* for journald and syslog */
	int fd;				/* -1 for standard error */
	bool full;			/* its reader was waited for in vain */
};

#define LOG_OUTPUT_INIT { .target = LOG_OUTPUT_STDERR, .level = LOG_LEVEL_WARNING, .fd = -1 }

/*
 * Opens `where`: a file's path (appended to, created 0644), "file:PATH", "journald:[IDENTIFIER]",
 * "syslog:[IDENTIFIER]", or NULL for standard error; and makes it the sink of base/log.  level: an
 * enum log_level, or -1 for the default, warnings.  out must outlive the logging.  0 or negative
 * with err.
 */
int log_output_open(struct log_output *out, const char *where, enum log_output_format format,
		    int level, struct error *err);

/* The last words of a command that failed: to the log, and always to standard error too. */
void log_output_failure(struct log_output *out, const char *message);

/* Ends the logging. */
void log_output_close(struct log_output *out);

#endif
