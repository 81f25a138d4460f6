/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#define COMMAND_WIDTH 12

/* Rows only: nothing is parsed, so there are no targets. */
static void command_sets(const struct command *command, struct option_set *sets)
{
	struct cli none = { .options = NULL };
	bool help;

	cmds_option_sets(command, &none, &help, sets);
}

void help_program(const struct option_set *globals, FILE *out)
{
	fputs("usage: kist [OPTION...] COMMAND [OPTION...] [ARGUMENT...]\n\n"
	      "An OCI container runtime: makes and runs containers from bundles.\n\ncommands:\n",
	      out);
	for (const struct command *const *c = cmds; *c; c++) {
		if (!((*c)->flags & CMD_HIDDEN))
			fprintf(out, "  %-*s  %s\n", COMMAND_WIDTH, (*c)->name, (*c)->summary);
	}
	fputs("\noptions:\n", out);
	options_help(globals, out);
	fputs("\nkist COMMAND --help and the manual page kist-COMMAND(1) say more.\n", out);
}

void help_usage(const struct command *command, FILE *out)
{
	fprintf(out, "usage: kist %s [OPTION...]%s%s\n", command->name, *command->usage ? " " : "",
		command->usage);
}

void help_command(const struct command *command, FILE *out)
{
	struct option_set sets[CMDS_SETS];

	command_sets(command, sets);
	help_usage(command, out);
	fprintf(out, "\n%s\n\noptions:\n", command->summary);
	options_help(sets, out);
}

void help_list(const struct option_set *globals, FILE *out)
{
	options_list(globals, "kist", out);
	for (const struct command *const *c = cmds; *c; c++) {
		struct option_set sets[CMDS_SETS];

		if ((*c)->flags & CMD_HIDDEN)
			continue;
		fprintf(out, "command\t%s\t%s\t%s\n", (*c)->name, (*c)->summary, (*c)->usage);
		command_sets(*c, sets);
		options_list(sets, (*c)->name, out);
	}
}
