/* SPDX-License-Identifier: Apache-2.0 */
#include "cmds.h"

static int run(struct cli *cli, struct error *err)
{
	return container_pause(&cli->ctx, cli->arguments.words[0], err);
}

const struct command cmd_pause = {
	.name = "pause",
	.summary = "freeze all processes of a container",
	.usage = "ID",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run,
};
