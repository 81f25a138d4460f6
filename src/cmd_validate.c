/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmds.h"
#include "json/json.h"
#include "oci/oci.h"
#include "output.h"

/* A file with errors; as any failure, but the findings have been printed already. */
#define STATUS_INVALID 1

struct validate_options {
	const char *bundle;
	const char *config;
	const char *process;
	const char *resources;
	bool against_host;
	bool strict;
	bool json;
};

#define T struct validate_options
static const struct option_row rows[] = {
	OPTION_STRING("bundle", 'b', T, bundle, "DIR",
		      "the bundle (default: the working directory)"),
	OPTION_STRING("config", 'f', T, config, "FILE",
		      "the configuration (default: config.json in the bundle; -: standard input)"),
	OPTION_STRING("process", 'p', T, process, "FILE",
		      "check a process file as of exec --process"),
	OPTION_STRING("resources", 'r', T, resources, "FILE", "check a resources file"),
	OPTION_FLAG("against-host", 0, T, against_host,
		    "also tell what this machine and caller could not carry out"),
	OPTION_FLAG("strict", 0, T, strict, "unknown and misspelt members are errors"),
	OPTION_FLAG("json", 0, T, json, "print the findings as JSON"),
	OPTION_END,
};
#undef T

struct report {
	struct cli *cli;
	const char *file;		/* as the user called it */
	const struct json_finding **findings;
	size_t count;
	size_t errors;
};

static void collect(void *ctx, const struct json_finding *finding)
{
	struct report *r = ctx;

	r->findings = arena_grow(r->cli->arena, r->findings, r->count, sizeof(*r->findings));
	r->findings[r->count++] = arena_memdup(r->cli->arena, finding, sizeof(*finding));
	if (!finding->warning)
		r->errors++;
}

/* "config.json:3:14: error: process.cwd: ...": the form that editors jump to. */
static void print_text(const struct report *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct json_finding *f = r->findings[i];
		const char *place = f->line ? arena_printf(r->cli->arena, "%u:%u:", f->line,
							   f->column) : "";

		output_line(r->cli->out,
			    arena_printf(r->cli->arena, "%s:%s %s: %s%s%s", r->file, place,
					 f->warning ? "warning" : "error", f->path,
					 *f->path ? ": " : "", f->text));
	}
}

static void print_json(const struct report *r)
{
	struct json_out o;

	json_out_begin(&o, r->cli->arena, 2);
	json_out_open_array(&o);
	for (size_t i = 0; i < r->count; i++) {
		const struct json_finding *f = r->findings[i];

		json_out_open_object(&o);
		json_out_key(&o, "file");
		json_out_string(&o, r->file);
		json_out_key(&o, "line");
		json_out_uint(&o, f->line);
		json_out_key(&o, "column");
		json_out_uint(&o, f->column);
		json_out_key(&o, "path");
		json_out_string(&o, f->path);
		json_out_key(&o, "severity");
		json_out_string(&o, f->warning ? "warning" : "error");
		json_out_key(&o, "class");
		json_out_string(&o, json_class_name(f->class_));
		json_out_key(&o, "text");
		json_out_string(&o, f->text);
		json_out_close_object(&o);
	}
	json_out_close_array(&o);
	output_json(r->cli->out, &o);
}

/* As create finds it: a relative name is one in the bundle. */
static const char *config_file(const struct validate_options *o, struct arena *a)
{
	const char *name = o->config ? o->config : "config.json";

	if (!o->bundle || *name == '/' || strcmp(name, "-") == 0)
		return name;
	return arena_printf(a, "%s/%s", o->bundle, name);
}

static int run(struct cli *cli, struct error *err)
{
	const struct validate_options *o = cli->options;
	struct report report = { .cli = cli };
	struct container_validate_options options = {
		.bundle = o->bundle,
		.against_host = o->against_host,
	};
	struct json_doc doc = {
		.arena = cli->arena, .strict = o->strict, .collect = collect, .collect_ctx = &report
	};
	int ret;

	if (!!o->config + !!o->process + !!o->resources > 1)
		return error_set(err, 0,
				 "validate takes one of --config, --process and --resources");
	if (o->against_host && o->resources)
		return error_set(err, 0, "validate --against-host takes no --resources: which "
					 "limits are there is seen with the container");
	if (o->process) {
		report.file = o->process;
		options.what = CONTAINER_VALIDATE_PROCESS;
	} else if (o->resources) {
		report.file = o->resources;
		options.what = CONTAINER_VALIDATE_RESOURCES;
	} else {
		report.file = config_file(o, cli->arena);
	}
	ret = oci_text_read(report.file, &doc, err);
	if (ret < 0)
		return ret;
	report.file = doc.name;
	ret = container_validate(&cli->ctx, &options, &doc, err);
	/* An error that no finding stands for must not get lost. */
	if (ret < 0 && report.errors == 0)
		return ret;
	if (o->json)
		print_json(&report);
	else
		print_text(&report);
	cli->status = report.errors ? STATUS_INVALID : 0;
	return 0;
}

const struct command cmd_validate = {
	.name = "validate",
	.summary = "check a config.json and print all that is wrong with it",
	.usage = "",
	.options = rows,
	.options_size = sizeof(struct validate_options),
	.min_arguments = 0,
	.max_arguments = 0,
	.run = run,
};
