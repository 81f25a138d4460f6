/* SPDX-License-Identifier: Apache-2.0 */
#include "cmds.h"

static int run(struct cli *cli, struct error *err)
{
	return container_start(&cli->ctx, cli->arguments.words[0], err);
}

const struct command cmd_start = {
	.name = "start",
	.summary = "start the process of a created container",
	.usage = "ID",
	.min_arguments = 1,
	.max_arguments = 1,
	.flags = CMD_TRACED,
	.run = run,
};
