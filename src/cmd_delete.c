/* SPDX-License-Identifier: Apache-2.0 */
#include "cmds.h"

struct delete_options {
	bool force;
	bool regex;
};

static const struct option_row rows[] = {
	OPTION_FLAG("force", 'f', struct delete_options, force,
		    "kill it first if it runs; an id that does not exist is no error"),
	OPTION_FLAG("regex", 'r', struct delete_options, regex,
		    "ID is an extended regular expression"),
	OPTION_END,
};

static int run(struct cli *cli, struct error *err)
{
	const struct delete_options *o = cli->options;
	size_t failures = 0;
	char **ids;
	int ret = cmds_select(cli, cli->arguments.words[0], o->regex, &ids, err);

	if (ret < 0)
		return ret;
	/* One that cannot be deleted does not keep the others; the first error is told. */
	for (; *ids; ids++) {
		struct error one = { 0 };

		if (container_delete(&cli->ctx, *ids, o->force, &one) < 0 && failures++ == 0)
			*err = one;
	}
	if (failures > 1)
		error_append(err, " (and %zu more failed)", failures - 1);
	return failures ? -1 : 0;
}

const struct command cmd_delete = {
	.name = "delete",
	.summary = "delete a container and everything that was made for it",
	.usage = "ID",
	.options = rows,
	.options_size = sizeof(struct delete_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.flags = CMD_TRACED,
	.run = run,
};
