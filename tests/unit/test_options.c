/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/options.h"

#include "tap.h"

enum colour { RED, GREEN };

struct target {
	bool tty;
	bool detach;
	const char *bundle;
	char **env;
	unsigned int fds;
	enum colour colour;
	bool deep;
};

static const struct option_choice colours[] = { { "green", GREEN }, { "red", RED }, { NULL, 0 } };

#define T struct target
static const struct option_row rows[] = {
	OPTION_FLAG("tty", 't', T, tty, "a terminal"),
	OPTION_FLAG("detach", 'd', T, detach, "go away"),
	OPTION_STRING("bundle", 'b', T, bundle, "DIR", "the bundle"),
	OPTION_STRINGS("env", 'e', T, env, "NAME=VALUE", "environment"),
	OPTION_UINT("preserve-fds", 0, T, fds, "N", "descriptors"),
	OPTION_CHOICE("colour", 'c', T, colour, colours, "paint", .flags = OPTION_BARE),
	OPTION_FLAG("secret", 's', T, tty, "not shown", .flags = OPTION_HIDDEN),
	OPTION_END,
};

static const struct option_row more_rows[] = {
	OPTION_FLAG("deep", 0, T, deep, "another table"),
	OPTION_END,
};
#undef T

static struct arena arena;
static struct target target;
static struct arguments rest;
static struct error err;

/* Splits at blanks and parses. */
static int parse(const char *line, bool stop)
{
	const struct option_set sets[] = {
		{ .rows = rows, .target = &target },
		{ .rows = more_rows, .target = &target }, { .rows = NULL },
	};
	char *text = arena_strdup(&arena, line), *word;
	char *words[32];
	size_t n = 0;

	target = (struct target){ 0 };
	err = (struct error){ 0 };
	while ((word = strsep(&text, " ")))
		words[n++] = word;
	words[n] = NULL;
	return options_parse(sets, words, stop, &arena, &rest, &err);
}

static void test_values(void)
{
	is_int(parse("--bundle /b id", false), 0, "a value in the next word");
	is_str(target.bundle, "/b", "is taken");
	ok(rest.count == 1 && !rest.words[1], "one argument is left");
	ok(parse("--bundle=/c", false) == 0 && !strcmp(target.bundle, "/c"), "a value behind =");
	ok(parse("--bundle=", false) == 0 && !strcmp(target.bundle, ""), "an empty value");
	ok(parse("-b /d", false) == 0 && !strcmp(target.bundle, "/d"), "-b DIR");
	ok(parse("-b/e", false) == 0 && !strcmp(target.bundle, "/e"), "-bDIR");
	ok(parse("-b=/f", false) == 0 && !strcmp(target.bundle, "/f"), "-b=DIR");
	ok(parse("-bundle /g", false) == 0 && !strcmp(target.bundle, "/g"), "one dash, long name");
	ok(parse("-bundle=/h", false) == 0 && !strcmp(target.bundle, "/h"), "one dash and =");
	ok(parse("-b -- x", false) == 0 && !strcmp(target.bundle, "--"), "-- as a value");
	ok(parse("-b 1 -b 2", false) == 0 && !strcmp(target.bundle, "2"), "the last one wins");
	is_int(parse("-tdb/i", false), 0, "flags and a value in one word");
	ok(target.tty && target.detach && !strcmp(target.bundle, "/i"), "are all taken");
	ok(parse("--preserve-fds 7", false) == 0 && target.fds == 7, "a number");
	ok(parse("--deep -t", false) == 0 && target.deep && target.tty, "rows of a second table");
}

static void test_lists(void)
{
	char line[256];

	is_int(parse("-e A=1,2 --env B=2 -eC=3", false), 0, "a list");
	ok(target.env && !strcmp(target.env[0], "A=1,2"), "a comma separates nothing");
	ok(!strcmp(target.env[1], "B=2") && !strcmp(target.env[2], "C=3") && !target.env[3],
	   "in order, with a NULL behind");
	snprintf(line, sizeof(line), "-e 0 -e 1 -e 2 -e 3 -e 4 -e 5 -e 6 -e 7 -e 8");
	ok(parse(line, false) == 0 && !strcmp(target.env[8], "8") && !target.env[9],
	   "a longer list");
}

static void test_flags_and_choices(void)
{
	ok(parse("--tty=false", false) == 0 && !target.tty, "--flag=false");
	ok(parse("-t=true", false) == 0 && target.tty, "-t=true");
	ok(parse("-t --tty=0", false) == 0 && !target.tty, "taken back");
	ok(parse("--tty=maybe", false) < 0, "neither true nor false");
	ok(parse("--colour=red", false) == 0 && target.colour == RED, "a choice");
	ok(parse("--colour x", false) == 0 && target.colour == GREEN && rest.count == 1,
	   "a bare choice is the first one and takes no word");
	ok(parse("--colour=blue", false) < 0, "no such choice");
	is_str(err.text, "option --colour is one of green|red, not \"blue\"",
	       "says which there are");
}

static void test_arguments(void)
{
	ok(parse("id -t x -d", false) == 0 && target.tty && target.detach && rest.count == 2,
	   "options between arguments");
	ok(parse("-t id -d ls", true) == 0 && target.tty && !target.detach && rest.count == 3,
	   "options end at the first argument");
	is_str(rest.words[1], "-d", "what follows is left alone");
	ok(parse("-- -t", false) == 0 && !target.tty && rest.count == 1, "-- ends the options");
	ok(parse("-", false) == 0 && rest.count == 1, "a lone dash is an argument");
}

static void test_errors(void)
{
	ok(parse("--bundel x", false) < 0, "unknown option");
	is_str(err.text, "unknown option --bundel (did you mean --bundle?)", "with a suggestion");
	parse("--secre", false);
	is_str(err.text, "unknown option --secre", "hidden ones are not suggested");
	ok(parse("-tx", false) < 0, "unknown letter");
	is_str(err.text, "unknown option -x in -tx", "says which");
	ok(parse("--bundle", false) < 0, "value missing");
	/* Podman looks for these words. */
	ok(strstr(err.text, "requires an argument") != NULL, "says so");
	ok(parse("--preserve-fds=-1", false) < 0, "negative number");
	ok(parse("--preserve-fds=4294967296", false) < 0, "number too large");
	ok(parse("--=x", false) < 0, "no name");
}

static void test_nearest(void)
{
	static const char *const names[] = { "start", "state", "kill", "ps" };

	is_str(options_nearest("stat", names, 4), "state", "one that begins so");
	is_str(options_nearest("kil", names, 4), "kill", "one letter less");
	is_str(options_nearest("sate", names, 4), "state", "one letter missing");
	ok(!options_nearest("rm", names, 4), "two letters changed of two are nothing");
	ok(!options_nearest("", names, 4), "nothing is near to nothing");
}

static void test_texts(void)
{
	const struct option_set sets[] = { { .rows = rows }, { .rows = NULL } };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	options_help(sets, out);
	options_list(sets, "run", out);
	fclose(out);
	ok(strstr(text, "  -b, --bundle DIR") != NULL, "help: letter, name and value");
	ok(strstr(text, "      --preserve-fds N") != NULL, "help: no letter");
	ok(strstr(text, "--colour[=green|red]") != NULL, "help: a bare choice");
	ok(!strstr(text, "secret"), "hidden rows are nowhere");
	ok(strstr(text, "option\trun\t--env\t-e\tNAME=VALUE\tenvironment\n") != NULL, "list");
	ok(strstr(text, "option\trun\t--preserve-fds\t-\tN\tdescriptors\n") != NULL,
	   "list: no letter");
	ok(strstr(text, "option\trun\t--colour\t-c\t=green|red\tpaint\n") != NULL,
	   "list: a bare choice");
	free(text);
}

int main(void)
{
	test_values();
	test_lists();
	test_flags_and_choices();
	test_arguments();
	test_errors();
	test_nearest();
	test_texts();
	arena_free(&arena);
	return done();
}
