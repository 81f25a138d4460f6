/* SPDX-License-Identifier: Apache-2.0 */
#include "cmds.h"
#include "output.h"

#define T struct container_create_options
static const struct option_row rows[] = {
	OPTION_FLAG("detach", 'd', T, detach, "return when the container runs"),
	OPTION_FLAG("keep", 0, T, keep, "do not delete the container when it has ended"),
	OPTION_END,
};
#undef T

static int run(struct cli *cli, struct error *err)
{
	char *plan = NULL;
	int ret = container_run(&cli->ctx, cli->arguments.words[0], cli->options, &cli->status,
				&plan, err);

	if (ret == 0 && plan)
		output_text(cli->out, plan);
	return ret;
}

const struct command cmd_run = {
	.name = "run",
	.summary = "create and start a container, and wait for its end",
	.usage = "ID",
	.options = rows,
	.shared = cmd_create_rows,
	.options_size = sizeof(struct container_create_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.flags = CMD_TRACED | CMD_ENTERS,
	.run = run,
};
