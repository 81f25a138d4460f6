/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_process.c - process.json from anybody, as `exec --process` reads it: reader, rules, writer,
 * and the plan of an exec.
 */
#include "fuzz.h"
#include "oci/oci.h"
#include "plan.h"
#include "stage.h"
#include "steps.h"

static const char container[] =
	"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"},"
	"\"process\":{\"args\":[\"/bin/sh\"],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0}},"
	"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"}]}}";

static const char *write_process(const struct oci_process *p, struct arena *a)
{
	struct json_out out;

	json_out_begin(&out, a, 2);
	json_out_object(&out, oci_process_fields, p);
	return json_out_text(&out);
}

/* What is read must be read again from what the writer makes of it, to the same text. */
static void compare_again(const struct oci_process *p, struct arena *a)
{
	const char *first = write_process(p, a);
	struct json_doc doc = { .name = "g", .text = first, .len = strlen(first), .arena = a };
	struct oci_process *again;
	struct error err;

	if (oci_process_parse(&doc, &again, &err) < 0 || strcmp(first, write_process(again, a)))
		abort();
}

static void compile(const struct oci_process *p, struct arena *a)
{
	static char arch[] = "x86_64";
	static const struct preserve_fd_plan fds;
	const struct host h = { .arch = arch, .last_cap = 40, .caps_bounding = 0x1ffffffffff,
				.caps_effective = 0x1ffffffffff };
	const struct plan_options o = {
		.command = PLAN_EXEC, .process = p, .id = "box", .bundle = "/bundle",
		.manager = CGROUP_MANAGER_NONE, .preserve_fds = &fds,
	};
	struct job job = { .steps = steps_exec, .arena = a };
	struct plan plan = { 0 };
	struct oci_config *c;
	struct error err;
	struct show out;

	if (oci_config_parse(container, sizeof(container) - 1, "c", a, &c, &err) < 0)
		abort();
	if (plan_compile(c, &h, &o, a, &plan, &err) < 0)
		return;
	job.plan = &plan;
	show_begin(&out, a, false);
	stage_show(&job, &out);
	(void)show_end(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct oci_process *p;
	struct error err;
	char *text = fuzz_copy(data, size);
	struct json_doc doc = { .name = "f", .text = text, .len = size, .arena = &a };

	fuzz_quiet();
	if (oci_process_parse(&doc, &p, &err) == 0) {
		compare_again(p, &a);
		if (oci_process_check(p, &doc, &err) == 0)
			compile(p, &a);
	}
	arena_free(&a);
	free(text);
	return 0;
}
