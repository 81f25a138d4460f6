/* SPDX-License-Identifier: Apache-2.0 */
#include "cmds.h"

#include <regex.h>
#include <string.h>

/* runc's status for a command it does not know; scripts that probe for a command look at it. */
#define STATUS_UNKNOWN_COMMAND 3

const struct command *const cmds[] = {
	&cmd_create,
	&cmd_start,
	&cmd_run,
	&cmd_exec,
	&cmd_state,
	&cmd_list,
	&cmd_ps,
	&cmd_kill,
	&cmd_pause,
	&cmd_resume,
	&cmd_update,
	&cmd_events,
	&cmd_delete,
	&cmd_spec,
	&cmd_validate,
	&cmd_features,
	&cmd_help,
	&cmd_options,
	NULL,
};

const struct option_row cmds_trace_rows[] = {
	OPTION_STRING("trace", 0, struct container_context, trace, "FILE",
		      "write the time of each step as trace events"),
	OPTION_STRING("fault", 0, struct container_context, fault, "STEP=ERRNO|kill",
		      "fail at a step, for tests", .flags = OPTION_HIDDEN),
	OPTION_END,
};

const struct option_row cmds_help_rows[] = {
	{ .name = "help", .letter = 'h', .kind = OPTION_KIND_FLAG, .help = "show this help" },
	OPTION_END,
};

/* What other programs that handle containers call it. */
static const char *usual_name(const char *name)
{
	static const char *const names[][2] = {
		{ "rm", "delete" }, { "remove", "delete" }, { "destroy", "delete" },
		{ "stop", "kill" }, { "ls", "list" }, { "inspect", "state" },
		{ "status", "state" }, { "unpause", "resume" }, { "stats", "events" },
		{ "top", "ps" }, { "init", "spec" }, { "check", "validate" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i][0]) == 0)
			return names[i][1];
	return NULL;
}

const struct command *cmds_find(const char *name, struct arena *a, struct error *err)
{
	const char **names = NULL;
	const char *near;
	size_t count = 0;

	for (const struct command *const *c = cmds; *c; c++) {
		const char *alias = (*c)->alias;

		if (strcmp((*c)->name, name) == 0 || (alias && strcmp(alias, name) == 0))
			return *c;
		if ((*c)->flags & CMD_HIDDEN)
			continue;
		names = arena_grow(a, names, count, sizeof(*names));
		names[count++] = (*c)->name;
	}
	near = usual_name(name);
	if (!near)
		near = options_nearest(name, names, count);
	error_set(err, 0, "unknown command \"%s\"", name);
	if (strcmp(name, "logs") == 0)
		error_append(err, " (a container writes to the streams that create or run got)");
	if (near)
		error_append(err, " (did you mean %s?)", near);
	err->exit_code = STATUS_UNKNOWN_COMMAND;
	return NULL;
}

void cmds_option_sets(const struct command *command, struct cli *cli, bool *help,
		      struct option_set *sets)
{
	if (command->options)
		*sets++ = (struct option_set){ .rows = command->options, .target = cli->options };
	if (command->shared)
		*sets++ = (struct option_set){ .rows = command->shared, .target = cli->options };
	if (command->flags & CMD_TRACED)
		*sets++ = (struct option_set){ .rows = cmds_trace_rows, .target = &cli->ctx };
	*sets++ = (struct option_set){ .rows = cmds_help_rows, .target = help };
	*sets = (struct option_set){ .rows = NULL };
}

static int select_matching(struct cli *cli, const char *pattern, char ***out, struct error *err)
{
	char **ids, **selected;
	size_t n, count = 0;
	regex_t re;
	int ret;

	ret = regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB);
	if (ret != 0) {
		char why[128];

		regerror(ret, &re, why, sizeof(why));
		return error_set(err, 0, "regular expression \"%s\": %s", pattern, why);
	}
	ret = container_list_ids(&cli->ctx, &ids, &n, err);
	if (ret == 0) {
		selected = ARENA_NEW_ARRAY(cli->arena, char *, n + 1);
		for (size_t i = 0; i < n; i++) {
			if (regexec(&re, ids[i], 0, NULL, 0) == 0)
				selected[count++] = ids[i];
		}
		*out = selected;
	}
	regfree(&re);
	return ret;
}

int cmds_select(struct cli *cli, const char *id, bool regex, char ***out, struct error *err)
{
	if (regex)
		return select_matching(cli, id, out, err);
	*out = ARENA_NEW_ARRAY(cli->arena, char *, 2);
	(*out)[0] = (char *)id;
	return 0;
}
