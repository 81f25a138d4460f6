/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_config.c - config.json from anybody: reader, rules, writer.
 *
 * With libFuzzer (clang -fsanitize=fuzzer,address), or with standalone.c as a program that reads
 * the files named on its command line.  What is read and accepted must be read again from what the
 * writer makes of it, to the same text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "oci/oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *ctx, const struct json_finding *finding)
{
	(void)ctx;
	(void)finding;
}

static void read_all(const char *text, size_t size, struct arena *a, struct error *err)
{
	struct json_doc doc = { .name = "f", .text = text, .len = size, .arena = a };
	struct oci_config *c;
	struct oci_process *p;
	struct oci_resources *r;

	doc.collect = ignore;
	doc.strict = true;
	oci_config_parse_doc(&doc, a, &c, err);
	oci_config_check(c, err);
	doc.collect = NULL;
	if (oci_process_parse(&doc, &p, err) == 0)
		oci_process_check(p, &doc, err);
	if (oci_resources_parse(&doc, &r, err) == 0)
		oci_resources_check(r, &doc, err);
}

static const char *write_config(const struct oci_config *c, struct arena *a)
{
	struct json_out out;

	json_out_begin(&out, a, 2);
	json_out_object(&out, oci_config_fields, c);
	return json_out_text(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct error err;
	struct oci_config *c, *again;
	/* A copy of exactly this size, so that a byte read too far is seen. */
	char *text = malloc(size ? size : 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	read_all(text, size, &a, &err);
	if (oci_config_parse(text, size, "f", &a, &c, &err) == 0) {
		const char *first = write_config(c, &a);

		oci_config_check(c, &err);
		if (oci_config_parse(first, strlen(first), "f", &a, &again, &err) < 0 ||
		    strcmp(first, write_config(again, &a)) != 0)
			abort();
	}
	arena_free(&a);
	free(text);
	return 0;
}
