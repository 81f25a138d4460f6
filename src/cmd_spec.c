/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "cmds.h"
#include "json/json.h"
#include "oci/oci.h"
#include "output.h"

struct spec_options {
	const char *bundle;
	const char *file;
	bool rootless;
};

static const struct option_row rows[] = {
	OPTION_STRING("bundle", 'b', struct spec_options, bundle, "DIR",
		      "where to write it (default: the working directory)"),
	OPTION_STRING("file", 'f', struct spec_options, file, "FILE",
		      "its name in the bundle (default: config.json; -: standard output)"),
	OPTION_FLAG("rootless", 0, struct spec_options, rootless,
		    "with a user namespace in which the caller is root"),
	OPTION_END,
};

static int run(struct cli *cli, struct error *err)
{
	const struct spec_options *o = cli->options;
	const char *bundle = o->bundle ? o->bundle : ".";
	const char *file = o->file ? o->file : "config.json";
	owned_fd dir = -1;
	struct json_out json;
	const char *text;
	int ret;

	json_out_begin(&json, cli->arena, 2);
	json_out_object(&json, oci_config_fields,
			oci_default(cli->arena, o->rootless, geteuid(), getegid()));
	text = arena_printf(cli->arena, "%s\n", json_out_text(&json));
	if (strcmp(file, "-") == 0) {
		output_text(cli->out, text);
		return 0;
	}
	dir = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_set(err, errno, "open bundle %s", bundle);
	/*
	 * file_create() never replaces a file: a configuration that somebody wrote is worth more
	 * than this one.
	 */
	ret = file_create(dir, file, 0644, text, strlen(text));
	if (ret == -EEXIST)
		return error_set(err, 0, "%s exists already; remove it first", file);
	return ret < 0 ? error_set(err, -ret, "write %s", file) : 0;
}

const struct command cmd_spec = {
	.name = "spec",
	.summary = "write a new config.json to start from",
	.usage = "",
	.options = rows,
	.options_size = sizeof(struct spec_options),
	.min_arguments = 0,
	.max_arguments = 0,
	.run = run,
};
