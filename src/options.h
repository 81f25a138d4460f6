/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - option tables: parsing, --help, usage errors and completion words come from the same
 * rows.
 *
 * A command's options are one static const table; each row names the member of the command's
 * options structure that it fills.  What the parser understands:
 *
 *	--name VALUE  --name=VALUE  -n VALUE  -nVALUE  -n=VALUE  -abc (flags)  --flag=false
 *	-name (one dash: engines written against Go's flag package pass "-no-subreaper")
 *	-- (ends the options)
 *
 * A comma never separates values: "--cgroup cpu,cpuacct:/sub" is one value.
 */
#ifndef KIST_OPTIONS_H
#define KIST_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"

enum option_kind {
	OPTION_KIND_FLAG,	/* bool */
	OPTION_KIND_STRING,	/* const char *; the last one wins */
	OPTION_KIND_STRINGS,	/* char **: NULL-terminated, in the order given */
	OPTION_KIND_UINT,	/* unsigned int */
	OPTION_KIND_CHOICE,	/* int or an enum: the value of one of choices */
};

struct option_choice {
	const char *name;	/* NULL ends the list */
	int value;
};

#define OPTION_HIDDEN	1u	/* works, but is neither in --help nor completed */
#define OPTION_BARE	2u	/* a choice; without "=VALUE" the first one is meant */

struct option_row {
	const char *name;	/* without dashes; NULL: only the letter exists */
	char letter;		/* or 0 */
	enum option_kind kind;
	size_t offset;		/* of the member */
	const char *argument;	/* what help calls the value; unused for flags and choices */
	const char *help;
	const struct option_choice *choices;
	unsigned int flags;
};

#define OPTION_END { .name = NULL, .letter = 0 }

/* offsetof(), and a compile error unless the member has the type that the parser will write. */
#define OPTION_OFFSET(type, member, ctype) \
	(offsetof(type, member) + 0 * sizeof(&((type *)0)->member == (ctype *)0))
/* Enums are stored through an int: the sizes must agree. */
#define OPTION_INT_OFFSET(type, member) \
	(offsetof(type, member) + \
	 0 * sizeof(char[sizeof(((type *)0)->member) == sizeof(int) ? 1 : -1]))

/* Rows; what follows the help text are further initialisers, such as .flags = OPTION_HIDDEN. */
#define OPTION_FLAG(long_name, short_name, type, member, ...) \
	{ .name = (long_name), .letter = (short_name), .kind = OPTION_KIND_FLAG, \
	  .offset = OPTION_OFFSET(type, member, bool), .help = __VA_ARGS__ }
#define OPTION_STRING(long_name, short_name, type, member, value, ...) \
	{ .name = (long_name), .letter = (short_name), .kind = OPTION_KIND_STRING, \
	  .offset = OPTION_OFFSET(type, member, const char *), .argument = (value), \
	  .help = __VA_ARGS__ }
#define OPTION_STRINGS(long_name, short_name, type, member, value, ...) \
	{ .name = (long_name), .letter = (short_name), .kind = OPTION_KIND_STRINGS, \
	  .offset = OPTION_OFFSET(type, member, char **), .argument = (value), .help = __VA_ARGS__ }
#define OPTION_UINT(long_name, short_name, type, member, value, ...) \
	{ .name = (long_name), .letter = (short_name), .kind = OPTION_KIND_UINT, \
	  .offset = OPTION_OFFSET(type, member, unsigned int), .argument = (value), \
	  .help = __VA_ARGS__ }
#define OPTION_CHOICE(long_name, short_name, type, member, list, ...) \
	{ .name = (long_name), .letter = (short_name), .kind = OPTION_KIND_CHOICE, \
	  .offset = OPTION_INT_OFFSET(type, member), .choices = (list), .help = __VA_ARGS__ }

/* One table and the structure that it fills.  An array of sets ends with rows == NULL. */
struct option_set {
	const struct option_row *rows;
	void *target;
	bool elsewhere;		/* the last set: not taken here, only told where it belongs */
};

/* What is left when the options are taken out: NULL-terminated. */
struct arguments {
	char **words;
	size_t count;
};

/*
 * Reads words (NULL-terminated, without the program's name) into the targets of sets.
 * stop_at_argument: options end at the first word that is none; the rest belongs to somebody else
 * (a command, the program that `exec` starts).  Otherwise options may stand after arguments.
 * Values point into words; lists and the arguments live in the arena.
 * 0 or negative with err, which names the option and, for a misspelt one, the nearest that exists.
 */
int options_parse(const struct option_set *sets, char **words, bool stop_at_argument,
		  struct arena *a, struct arguments *rest, struct error *err);

/* The name that begins with word, or the nearest within a small edit distance, or NULL. */
const char *options_nearest(const char *word, const char *const *names, size_t count);

/* Writes the rows that are not hidden as the option part of a help text. */
void options_help(const struct option_set *sets, FILE *out);

/*
 * The same for programs (completion, tests): one line a row, of the fields "option", command,
 * "--name", "-n", ARGUMENT and help with tabs between them.  "-" is what does not exist, the
 * words of a choice are "one|two", or "=one|two" if they only count behind a "=".
 */
void options_list(const struct option_set *sets, const char *command, FILE *out);

#endif
