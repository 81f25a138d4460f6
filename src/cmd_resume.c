/* SPDX-License-Identifier: Apache-2.0 */
#include "cmds.h"

static int run(struct cli *cli, struct error *err)
{
	return container_resume(&cli->ctx, cli->arguments.words[0], err);
}

const struct command cmd_resume = {
	.name = "resume",
	.summary = "thaw a paused container",
	.usage = "ID",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run,
};
