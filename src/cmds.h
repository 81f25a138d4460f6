/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmds.h - the commands: one row each, in cmd_<command>.c, listed in cmds.c.
 *
 * A row holds all that main.c, --help, completion and the man page test need to know about its
 * command.
 */
#ifndef KIST_CMDS_H
#define KIST_CMDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "container.h"
#include "options.h"

/* What a command gets besides its own options. */
struct cli {
	struct container_context ctx;	/* from the global options */
	struct arena *arena;		/* lives until the process ends */
	FILE *out;			/* standard output */
	char **argv;			/* of the program */
	struct arguments arguments;	/* as many as the row allows */
	void *options;			/* the command's options structure, filled */
	int status;			/* set by the command: what to exit with after success */
};

/*
 * struct command's flags.
 * OWN_WORDS: options end at the first argument; what follows is another program's.
 * ENTERS: a process of it enters a container, so the binary must be out of reach there.
 * TRACED: takes --trace and --fault, which are read into struct container_context.
 */
#define CMD_OWN_WORDS	1u
#define CMD_TRACED	2u
#define CMD_HIDDEN	4u
#define CMD_ENTERS	8u

#define CMD_ANY_NUMBER ((size_t)-1)

struct command {
	const char *name;
	const char *alias;			/* or NULL */
	const char *summary;			/* one line, lower-case */
	const char *usage;			/* the arguments, as in "ID [SIGNAL]" */
	const struct option_row *options;	/* NULL: none */
	const struct option_row *shared;	/* more rows over the same structure, or NULL */
	size_t options_size;
	size_t min_arguments;
	size_t max_arguments;
	unsigned int flags;
	int failure_status;			/* of failures without one of their own; 0: 1 */
	/* 0 (then cli->status counts) or negative with err. */
	int (*run)(struct cli *cli, struct error *err);
};

extern const struct command cmd_create;
extern const struct command cmd_delete;
extern const struct command cmd_events;
extern const struct command cmd_exec;
extern const struct command cmd_features;
extern const struct command cmd_help;
extern const struct command cmd_kill;
extern const struct command cmd_list;
extern const struct command cmd_options;
extern const struct command cmd_pause;
extern const struct command cmd_ps;
extern const struct command cmd_resume;
extern const struct command cmd_run;
extern const struct command cmd_spec;
extern const struct command cmd_start;
extern const struct command cmd_state;
extern const struct command cmd_update;
extern const struct command cmd_validate;

/* Options of `create` that `run` has too. */
extern const struct option_row cmd_create_rows[];

/* All commands in the order of the help text; ends with NULL. */
extern const struct command *const cmds[];

/* By name or alias; otherwise err says so, with the nearest name, and asks for exit status 3. */
const struct command *cmds_find(const char *name, struct arena *a, struct error *err);

/* --trace, --fault: rows over struct container_context. */
extern const struct option_row cmds_trace_rows[];
/* --help: a row over a bool. */
extern const struct option_row cmds_help_rows[];

/*
 * All sets of rows that the command takes: its own over cli->options, --trace and --fault, --help
 * over *help.  sets has room for CMDS_SETS.
 */
#define CMDS_SETS 5
void cmds_option_sets(const struct command *command, struct cli *cli, bool *help,
		      struct option_set *sets);

/*
 * Ids of a command with --regex: the containers that the pattern (an extended regular expression)
 * matches.  Otherwise the one id that was given.  NULL-terminated.
 */
int cmds_select(struct cli *cli, const char *id, bool regex, char ***out, struct error *err);

#endif
