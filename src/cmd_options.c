/* SPDX-License-Identifier: Apache-2.0 */
#include "cmds.h"
#include "globals.h"
#include "help.h"

static int run(struct cli *cli, struct error *err)
{
	const struct option_set sets[] = { { .rows = globals_rows }, { .rows = NULL } };

	(void)err;
	help_list(sets, cli->out);
	return 0;
}

/* For completion scripts and tests; the underscores keep it out of everybody's way. */
const struct command cmd_options = {
	.name = "__options",
	.summary = "print commands and options for programs",
	.usage = "",
	.min_arguments = 0,
	.max_arguments = 0,
	.flags = CMD_HIDDEN,
	.run = run,
};
