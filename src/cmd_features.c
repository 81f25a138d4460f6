/* SPDX-License-Identifier: Apache-2.0 */
#include "cmds.h"
#include "output.h"

static int run(struct cli *cli, struct error *err)
{
	char *text = NULL;
	int ret = container_features(&cli->ctx, &text, err);

	if (ret < 0)
		return ret;
	output_text(cli->out, text);
	return 0;
}

const struct command cmd_features = {
	.name = "features",
	.summary = "print what this build supports as JSON",
	.usage = "",
	.min_arguments = 0,
	.max_arguments = 0,
	.run = run,
};
