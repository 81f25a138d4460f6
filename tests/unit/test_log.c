/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>

#include "tap.h"

struct seen {
	int count;
	enum log_level level;
	char text[4096];
};

static void sink(void *ctx, enum log_level level, const char *text)
{
	struct seen *seen = ctx;

	seen->count++;
	seen->level = level;
	snprintf(seen->text, sizeof(seen->text), "%s", text);
	errno = EIO;
}

int main(void)
{
	struct seen seen = { 0 };
	char longer[3000];

	log_error("to nobody");
	ok(!log_enabled(LOG_LEVEL_ERROR), "nothing is enabled without a sink");
	log_set_sink(sink, &seen, LOG_LEVEL_WARNING);
	ok(log_enabled(LOG_LEVEL_WARNING) && !log_enabled(LOG_LEVEL_INFO), "levels");
	log_info("dropped");
	log_debug("dropped");
	is_int(seen.count, 0, "lines above the level are dropped");
	errno = EBUSY;
	log_warning("a %s", "line");
	is_int(errno, EBUSY, "errno is preserved");
	ok(seen.count == 1 && seen.level == LOG_LEVEL_WARNING, "a line arrives");
	is_str(seen.text, "a line", "its text");
	log_text(LOG_LEVEL_ERROR, "100%s");
	is_str(seen.text, "100%s", "log_text is no format");
	memset(longer, 'z', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	log_error("%s", longer);
	ok(strlen(seen.text) < sizeof(longer), "a long line is cut");
	is_str(seen.text + strlen(seen.text) - 4, "z...", "and ends in dots");
	log_set_sink(NULL, NULL, LOG_LEVEL_DEBUG);
	log_error("dropped");
	is_int(seen.count, 3, "no sink, no line");
	return done();
}
