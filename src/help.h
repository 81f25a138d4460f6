/* SPDX-License-Identifier: Apache-2.0 */
/*
 * help.h - help texts, made from the command and option tables.
 */
#ifndef KIST_HELP_H
#define KIST_HELP_H

#include <stdio.h>

#include "cmds.h"
#include "options.h"

/* What `kist --help` prints.  globals: the global options. */
void help_program(const struct option_set *globals, FILE *out);

/* What `kist COMMAND --help` prints. */
void help_command(const struct command *command, FILE *out);

/* "usage: kist create [OPTION...] ID", for errors. */
void help_usage(const struct command *command, FILE *out);

/*
 * The tables for programs: lines of "command", name, summary and arguments with tabs between them,
 * and those of options_list(), where the command "kist" stands for the global options.  Completion
 * scripts and the test of the manual pages read it.
 */
void help_list(const struct option_set *globals, FILE *out);

#endif
