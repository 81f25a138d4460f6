/* SPDX-License-Identifier: Apache-2.0 */
#include "cmds.h"
#include "globals.h"
#include "help.h"

static int run(struct cli *cli, struct error *err)
{
	const char *name = cli->arguments.words[0];
	const struct command *command;

	if (!name) {
		const struct option_set sets[] = { { .rows = globals_rows }, { .rows = NULL } };

		help_program(sets, cli->out);
		return 0;
	}
	command = cmds_find(name, cli->arena, err);
	if (!command)
		return -1;
	help_command(command, cli->out);
	return 0;
}

const struct command cmd_help = {
	.name = "help",
	.alias = "h",
	.summary = "show help about kist or one of its commands",
	.usage = "[COMMAND]",
	.min_arguments = 0,
	.max_arguments = 1,
	.run = run,
};
