/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/log_output.h"

#include <fcntl.h>

#include "base/arena.h"
#include "base/file.h"
#include "tap.h"

static char path[] = "/tmp/kist-test-log-XXXXXX";
static struct arena arena;

/* Logs a warning and a failure into an empty file and returns what is in it. */
static const char *logged(enum log_output_format format, int level)
{
	struct log_output log = LOG_OUTPUT_INIT;
	struct error err = { 0 };
	char *text = NULL;

	if (truncate(path, 0) < 0 || log_output_open(&log, path, format, level, &err) < 0)
		bail_out("the log file does not open");
	log_warning("careful");
	log_info("by the way");
	log_output_failure(&log, "open \"x\": no\xff" "\n");
	log_output_close(&log);
	log_warning("after the end");
	if (file_read(AT_FDCWD, path, 1 << 16, &arena, &text, NULL) < 0)
		bail_out("the log file cannot be read");
	return text;
}

static size_t lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

int main(void)
{
	static const char head[] =
		"{\"level\":\"error\",\"msg\":\"open \\\"x\\\": no\xef\xbf\xbd\\n\",\"time\":\"2";
	struct log_output log = LOG_OUTPUT_INIT;
	struct error err = { 0 };
	const char *text;
	int fd = mkstemp(path);

	if (fd < 0)
		bail_out("no temporary file");
	close(fd);
	/* The failures also go to standard error, which is no part of the protocol. */
	text = logged(LOG_OUTPUT_JSON, -1);
	is_int((long long)lines(text), 2, "json: an object for the warning, and the error last");
	text = strchr(text, '\n') + 1;
	ok(!strncmp(text, head, strlen(head)), "json: level, msg with bad bytes replaced, time");
	is_int((long long)lines(logged(LOG_OUTPUT_JSON, LOG_LEVEL_ERROR)), 1,
	       "json: only the error when asked");
	text = logged(LOG_OUTPUT_JSON, LOG_LEVEL_INFO);
	is_int((long long)lines(text), 3, "json: more when asked");
	text = logged(LOG_OUTPUT_TEXT, -1);
	is_int((long long)lines(text), 2, "text: the warning too");
	ok(strstr(text, " level=warning msg=\"careful\"\n") != NULL, "text: logfmt");
	ok(strstr(text, " level=error msg=\"open \\\"x\\\": no\\xff\\n\"\n") != NULL,
	   "text: bytes that are no text are visible");
	ok(log_output_open(&log, "nonsense:x", LOG_OUTPUT_TEXT, -1, &err) < 0, "unknown scheme");
	ok(strstr(err.text, "unknown log \"nonsense:x\"") != NULL, "is named");
	ok(log_output_open(&log, "/nonexistent/x", LOG_OUTPUT_TEXT, -1, &err) < 0,
	   "no such directory");
	is_str(err.text, "open log file /nonexistent/x: no such file or directory", "is told");
	text = arena_printf(&arena, "file:%s", path);
	is_int(log_output_open(&log, text, LOG_OUTPUT_TEXT, -1, &err), 0, "file:PATH");
	log_output_close(&log);
	unlink(path);
	arena_free(&arena);
	return done();
}
