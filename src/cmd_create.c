/* SPDX-License-Identifier: Apache-2.0 */
#include "cmds.h"
#include "output.h"

static const struct option_choice dry_run_forms[] = {
	{ "text", CONTAINER_DRY_RUN_TEXT },
	{ "json", CONTAINER_DRY_RUN_JSON },
	{ NULL, 0 },
};

#define T struct container_create_options
const struct option_row cmd_create_rows[] = {
	OPTION_STRING("bundle", 'b', T, bundle, "DIR",
		      "the bundle (default: the working directory)"),
	OPTION_STRING("config", 'f', T, config, "FILE",
		      "the configuration (default: config.json in the bundle)"),
	OPTION_STRING("console-socket", 0, T, console_socket, "SOCKET",
		      "send the terminal's descriptor to this socket"),
	OPTION_STRING("pid-file", 0, T, pid_file, "FILE", "write the container's process id here"),
	OPTION_STRING("pidfd-socket", 0, T, pidfd_socket, "SOCKET",
		      "send a pidfd of the container's process to this socket"),
	OPTION_UINT("preserve-fds", 0, T, preserve_fds, "N",
		    "pass N descriptors from 3 on to the container"),
	OPTION_FLAG("no-pivot", 0, T, no_pivot,
		    "move the root instead of pivot_root (for a root on ramfs; weaker)"),
	OPTION_FLAG("no-new-keyring", 0, T, no_new_keyring, "keep the caller's session keyring"),
	OPTION_FLAG("no-subreaper", 0, T, no_subreaper,
		    "accepted, without effect: kist is never a subreaper"),
	OPTION_CHOICE("dry-run", 0, T, dry_run, dry_run_forms,
		      "print what would be done, and do nothing",
		      .flags = OPTION_BARE),
	OPTION_END,
};
#undef T

static int run(struct cli *cli, struct error *err)
{
	char *plan = NULL;
	int ret = container_create(&cli->ctx, cli->arguments.words[0], cli->options, &plan, err);

	if (ret == 0 && plan)
		output_text(cli->out, plan);
	return ret;
}

const struct command cmd_create = {
	.name = "create",
	.summary = "create a container, ready to be started",
	.usage = "ID",
	.options = cmd_create_rows,
	.options_size = sizeof(struct container_create_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.flags = CMD_TRACED | CMD_ENTERS,
	.run = run,
};
