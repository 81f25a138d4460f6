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

/*
 * regcomp(3) writes repetitions out, those of repeated groups too: a few characters are gigabytes,
 * and its recursion over groups has no end but the stack's.  So the parts are counted before.
 */
#define PATTERN_MAX	  1024
#define PATTERN_PARTS_MAX 10000

struct pattern_group {
	size_t done, last; /* parts before the last element, and of it */
};

/* Behind a bracket expression: a ']' is an end neither as its first member nor in a class. */
static const char *pattern_bracket(const char *p)
{
	p += *p == '^';
	p += *p == ']';
	while (*p && *p != ']') {
		char kind = *p == '[' ? p[1] : '\0';

		if (kind == ':' || kind == '.' || kind == '=') {
			const char *end = strstr(p + 2, (const char[]){ kind, ']', '\0' });

			p = end ? end + 1 : p;
		}
		p++;
	}
	return p + (*p == ']');
}

/* A number of any length, as PATTERN_PARTS_MAX at most. */
static const char *pattern_number(const char *p, size_t *n)
{
	for (*n = 0; *p >= '0' && *p <= '9'; p++)
		*n = *n < PATTERN_PARTS_MAX ? *n * 10 + (size_t)(*p - '0') : PATTERN_PARTS_MAX;
	return p;
}

/*
 * How often the element before p is written out; *end: behind the repetition.  "+" and "{n,}" have
 * one more for the part without an end.
 */
static size_t pattern_repeats(const char *p, const char **end)
{
	size_t low, high;

	if (*p != '{') {
		*end = p + 1;
		return *p == '+' ? 2 : 1;
	}
	p = pattern_number(p + 1, &low);
	high = low;
	if (*p == ',') {
		const char *digits = p + 1;

		p = pattern_number(digits, &high);
		if (p == digits || high < low)
			high = low + 1;
	}
	/* What else stands there is for regcomp(3) to refuse. */
	*end = p + (*p == '}');
	return high < 1 ? 1 : high;
}

static bool pattern_is_small(const char *p)
{
	struct pattern_group groups[PATTERN_MAX + 1] = { { 0, 0 } }, *g = groups;

	while (*p) {
		if (strchr("*+?{", *p)) {
			g->last *= pattern_repeats(p, &p);
		} else if (*p == ')' && g > groups) {
			size_t inside = g->done + g->last + 1;

			(--g)->last = inside;
			p++;
		} else {
			g->done += g->last;
			g->last = 1;
			if (*p == '(')
				*++g = (struct pattern_group){ 0, 0 };
			if (*p == '[')
				p = pattern_bracket(p + 1);
			else
				p += *p == '\\' && p[1] ? 2 : 1;
		}
		if (g->done + g->last > PATTERN_PARTS_MAX)
			return false;
	}
	return true;
}

static int check_pattern(const char *pattern, struct error *err)
{
	if (strlen(pattern) > PATTERN_MAX)
		return error_set(err, 0, "the regular expression has more than %d characters",
				 PATTERN_MAX);
	if (!pattern_is_small(pattern))
		return error_set(err, 0,
				 "regular expression \"%s\": with its repetitions written "
				 "out it has more than %d parts",
				 pattern, PATTERN_PARTS_MAX);
	return 0;
}

static int select_matching(struct cli *cli, const char *pattern, char ***out, struct error *err)
{
	char **ids, **selected;
	size_t n, count = 0;
	regex_t re;
	int ret;

	ret = check_pattern(pattern, err);
	if (ret < 0)
		return ret;
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
