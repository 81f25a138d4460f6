/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "cmds.h"

/* A status of 1 would look like the program's own, so failures of `exec` itself have runc's 255. */
#define STATUS_EXEC_FAILED 255

#define T struct container_exec_options
static const struct option_row rows[] = {
	OPTION_STRING("process", 'p', T, process, "FILE",
		      "take the process from this JSON file (-: standard input)"),
	OPTION_STRING("cwd", 0, T, cwd, "DIR", "working directory in the container"),
	OPTION_STRINGS("env", 'e', T, env, "NAME=VALUE",
		       "set an environment variable (repeatable)"),
	OPTION_STRING("user", 'u', T, user, "UID[:GID]", "user and group, as numbers"),
	OPTION_STRINGS("additional-gids", 'g', T, additional_gids, "GID",
		       "a further group (repeatable)"),
	OPTION_STRINGS("cap", 'c', T, caps, "CAPABILITY", "add a capability (repeatable)"),
	OPTION_FLAG("no-new-privs", 0, T, no_new_privs, "set no_new_privs"),
	OPTION_STRING("apparmor", 0, T, apparmor, "PROFILE", "AppArmor profile"),
	OPTION_STRING("process-label", 0, T, process_label, "LABEL", "SELinux label"),
	OPTION_STRINGS("cgroup", 0, T, cgroups, "[CONTROLLER,...:]PATH",
		       "run below the container's cgroup (repeatable)"),
	OPTION_FLAG("tty", 't', T, tty, "give the process a terminal"),
	OPTION_STRING("console-socket", 0, T, console_socket, "SOCKET",
		      "send the terminal's descriptor to this socket"),
	OPTION_FLAG("detach", 'd', T, detach, "return when the process runs"),
	OPTION_STRING("pid-file", 0, T, pid_file, "FILE", "write the process id here"),
	OPTION_STRING("pidfd-socket", 0, T, pidfd_socket, "SOCKET",
		      "send a pidfd of the process to this socket"),
	OPTION_UINT("preserve-fds", 0, T, preserve_fds, "N",
		    "pass N descriptors from 3 on to the process"),
	OPTION_FLAG("ignore-paused", 0, T, ignore_paused,
		    "also enter a paused container; the process runs after resume"),
	OPTION_END,
};
#undef T

/*
 * A process file says all about the process: an option beside it would be lost.  --tty is allowed,
 * which engines give along with it.
 */
static int check_alone(const struct container_exec_options *o, struct error *err)
{
	const struct {
		const char *name;
		bool given;
	} options[] = {
		{ "--cwd", o->cwd },
		{ "--env", o->env && *o->env },
		{ "--user", o->user },
		{ "--additional-gids", o->additional_gids && *o->additional_gids },
		{ "--cap", o->caps && *o->caps },
		{ "--no-new-privs", o->no_new_privs },
		{ "--apparmor", o->apparmor },
		{ "--process-label", o->process_label },
	};

	if (o->args)
		return error_set(err, 0, "exec takes --process or a command, not both");
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].given)
			return error_set(err, 0,
					 "exec takes --process or %s, not both: the file says it",
					 options[i].name);
	return 0;
}

static int run(struct cli *cli, struct error *err)
{
	struct container_exec_options *o = cli->options;

	char **args = cli->arguments.words + 1;

	/* "exec ID -- COMMAND" is the form for a careful script. */
	if (*args && strcmp(*args, "--") == 0)
		args++;
	if (*args)
		o->args = args;
	if (o->process && check_alone(o, err) < 0)
		return -EINVAL;
	if (!o->process && !o->args)
		return error_set(err, 0, "exec needs a command, or --process");
	return container_exec(&cli->ctx, cli->arguments.words[0], o, &cli->status, err);
}

const struct command cmd_exec = {
	.name = "exec",
	.summary = "run a further process in a container",
	.usage = "ID [--] [COMMAND [ARGUMENT...]]",
	.options = rows,
	.options_size = sizeof(struct container_exec_options),
	.min_arguments = 1,
	.max_arguments = CMD_ANY_NUMBER,
	.flags = CMD_OWN_WORDS | CMD_TRACED | CMD_ENTERS,
	.failure_status = STATUS_EXEC_FAILED,
	.run = run,
};
