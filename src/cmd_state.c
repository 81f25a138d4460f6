/* SPDX-License-Identifier: Apache-2.0 */
#include "cmds.h"
#include "json/json.h"
#include "output.h"

static int run(struct cli *cli, struct error *err)
{
	struct container_state state = { 0 };
	struct json_out o;
	int ret = container_state_get(&cli->ctx, cli->arguments.words[0], &state, err);

	if (ret < 0)
		return ret;
	json_out_begin(&o, cli->arena, 2);
	json_out_object(&o, container_state_fields, &state);
	output_json(cli->out, &o);
	return 0;
}

const struct command cmd_state = {
	.name = "state",
	.summary = "print the state of a container as JSON",
	.usage = "ID",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run,
};
