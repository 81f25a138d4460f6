/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/output.h"

#include "tap.h"

static void test_columns(void)
{
	static const char *const cells[] = {
		"ID", "STATUS", "BUNDLE",
		"a", "running", "/b",
		"longer-than-eight", "\xc3\xa4", "/evil\033[2J",
	};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	output_columns(out, cells, 3, 3);
	fclose(out);
	is_str(text,
	       "ID                  STATUS     BUNDLE\n"
	       "a                   running    /b\n"
	       "longer-than-eight   \xc3\xa4          /evil\\x1b[2J\n",
	       "aligned, and harmless to a terminal");
	free(text);
}

static void test_text(void)
{
	struct arena a = ARENA_INIT;
	struct json_out json;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	output_text(out, "one");
	output_text(out, "two\n");
	json_out_begin(&json, &a, 0);
	json_out_open_array(&json);
	json_out_int(&json, 3);
	json_out_close_array(&json);
	output_json(out, &json);
	fclose(out);
	is_str(text, "one\ntwo\n[3]\n", "each text ends in one newline");
	free(text);
	arena_free(&a);
}

static void test_failure(void)
{
	struct error err = { 0 };
	FILE *full = fopen("/dev/full", "w"), *null = fopen("/dev/null", "w");

	if (!full || !null)
		bail_out("/dev/full or /dev/null is missing");
	output_text(null, "text");
	is_int(output_finish(null, &err), 0, "written");
	output_text(full, "text");
	ok(output_finish(full, &err) < 0, "a full disk is an error");
	is_str(err.text, "write standard output: no space left on device", "and says so");
	fclose(full);
	fclose(null);
}

int main(void)
{
	test_columns();
	test_text();
	test_failure();
	return done();
}
