/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

/* Longest "--name ARGUMENT" column before the help text moves to a line of its own. */
#define HELP_COLUMN_MAX 34
/* Two slips are a typing mistake, one in a short word; more is another word. */
#define NEAREST_MAX 2
#define TWO_SLIPS_LENGTH 5
#define ONE_SLIP_LENGTH 3

struct parser {
	const struct option_set *sets;
	char **next;			/* the words not yet looked at */
	struct arena *arena;
	struct error *err;
};

/* An option as it was found: its row, and the structure to fill. */
struct match {
	const struct option_row *row;
	void *target;
};

static bool row_is_end(const struct option_row *row)
{
	return !row->name && !row->letter;
}

static bool find_long(const struct option_set *sets, bool elsewhere, const char *name, size_t len,
		      struct match *out)
{
	for (; sets->rows; sets++) {
		if (sets->elsewhere != elsewhere)
			continue;
		for (const struct option_row *row = sets->rows; !row_is_end(row); row++) {
			if (!row->name || strlen(row->name) != len ||
			    memcmp(row->name, name, len) != 0)
				continue;
			*out = (struct match){ row, sets->target };
			return true;
		}
	}
	return false;
}

static bool find_letter(const struct option_set *sets, char letter, struct match *out)
{
	for (; sets->rows && !sets->elsewhere; sets++) {
		for (const struct option_row *row = sets->rows; !row_is_end(row); row++) {
			if (row->letter != letter)
				continue;
			*out = (struct match){ row, sets->target };
			return true;
		}
	}
	return false;
}

/* How the option is called in messages: "--bundle", or "-V" for one that is a letter only. */
static const char *row_title(const struct option_row *row, struct arena *a)
{
	return row->name ? arena_printf(a, "--%s", row->name) : arena_printf(a, "-%c", row->letter);
}

const char *options_nearest(const char *word, const char *const *names, size_t count)
{
	const char *best = NULL;
	unsigned int best_distance = NEAREST_MAX + 1;

	for (size_t i = 0; i < count; i++) {
		unsigned int distance = str_distance(word, names[i], NEAREST_MAX);

		if (*word && str_starts(names[i], word))
			return names[i];
		/* "ps" is no misspelling of "rm", nor "stop" of "spec". */
		if (distance < best_distance &&
		    strlen(word) >= (distance < 2 ? ONE_SLIP_LENGTH : TWO_SLIPS_LENGTH)) {
			best = names[i];
			best_distance = distance;
		}
	}
	return best;
}

static int unknown_option(struct parser *p, const char *word, const char *name, size_t len)
{
	const char **names = NULL;
	const char *near;
	size_t count = 0;
	struct match m;

	if (len > 1 && find_long(p->sets, true, name, len, &m))
		return error_set(p->err, 0, "option --%s stands before the command", m.row->name);

	for (const struct option_set *set = p->sets; set->rows; set++) {
		for (const struct option_row *row = set->rows; !row_is_end(row); row++) {
			if (!row->name || row->flags & OPTION_HIDDEN || set->elsewhere)
				continue;
			names = arena_grow(p->arena, names, count, sizeof(*names));
			names[count++] = row->name;
		}
	}
	near = options_nearest(arena_strndup(p->arena, name, len), names, count);
	if (!near && len > 1 && word[1] != '-')
		return error_set(p->err, 0, "unknown option -%c in %s", *name, word);
	error_set(p->err, 0, "unknown option %s", word);
	return near ? error_append(p->err, " (did you mean --%s?)", near) : -EINVAL;
}

static int set_flag(struct parser *p, const struct match *m, const char *value)
{
	static const char *const yes[] = { "true", "1", "t", "yes", "on" };
	static const char *const no[] = { "false", "0", "f", "no", "off" };
	bool *flag = (bool *)((char *)m->target + m->row->offset);

	if (!value) {
		*flag = true;
		return 0;
	}
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		if (strcmp(value, yes[i]) == 0) {
			*flag = true;
			return 0;
		}
		if (strcmp(value, no[i]) == 0) {
			*flag = false;
			return 0;
		}
	}
	return error_set(p->err, 0, "option %s is true or false, not \"%s\"",
			 row_title(m->row, p->arena), value);
}

static void add_string(struct parser *p, const struct match *m, char *value)
{
	char ***list = (char ***)((char *)m->target + m->row->offset);
	size_t count = 0;

	while (*list && (*list)[count])
		count++;
	/* The NULL is an element too: with it, count + 1 are in use, and one more is needed. */
	*list = arena_grow(p->arena, *list, *list ? count + 1 : 0, sizeof(**list));
	(*list)[count] = value;
	(*list)[count + 1] = NULL;
}

/* "text|json" */
static const char *choice_words(const struct option_row *row, struct arena *a)
{
	const char *text = row->choices->name;

	for (const struct option_choice *c = row->choices + 1; c->name; c++)
		text = arena_printf(a, "%s|%s", text, c->name);
	return text;
}

static int set_choice(struct parser *p, const struct match *m, const char *value)
{
	int *member = (int *)((char *)m->target + m->row->offset);

	for (const struct option_choice *c = m->row->choices; c->name; c++) {
		if (!value || strcmp(c->name, value) == 0) {
			*member = c->value;
			return 0;
		}
	}
	return error_set(p->err, 0, "option %s is one of %s, not \"%s\"",
			 row_title(m->row, p->arena), choice_words(m->row, p->arena), value);
}

static int set_value(struct parser *p, const struct match *m, char *value)
{
	void *member = (char *)m->target + m->row->offset;
	uint32_t number;

	switch (m->row->kind) {
	case OPTION_KIND_FLAG:
		return set_flag(p, m, value);
	case OPTION_KIND_CHOICE:
		return set_choice(p, m, value);
	case OPTION_KIND_STRING:
		*(const char **)member = value;
		return 0;
	case OPTION_KIND_STRINGS:
		add_string(p, m, value);
		return 0;
	case OPTION_KIND_UINT:
		if (str_to_u32(value, &number) < 0)
			return error_set(p->err, 0, "option %s takes a number, not \"%s\"",
					 row_title(m->row, p->arena), value);
		*(unsigned int *)member = number;
		return 0;
	}
	return -EINVAL;
}

static bool needs_value(const struct option_row *row)
{
	return row->kind != OPTION_KIND_FLAG && !(row->flags & OPTION_BARE);
}

/* value: what stood in the same word, or NULL: then the next word, if the option needs one. */
static int take_option(struct parser *p, const struct match *m, char *value)
{
	if (!value && needs_value(m->row)) {
		/*
		 * Podman looks for "requires an argument" in the answer to `restore
		 * --lsm-mount-context`.
		 */
		if (!*p->next)
			return error_set(p->err, 0, "option %s requires an argument",
					 row_title(m->row, p->arena));
		value = *p->next++;
	}
	return set_value(p, m, value);
}

/* "-d", "-dt", "-bDIR", "-b=DIR": letters, until one takes the rest of the word as its value. */
static int parse_letters(struct parser *p, char *word)
{
	for (char *c = word + 1; *c; c++) {
		struct match m;
		char *value = NULL;
		int ret;

		if (!find_letter(p->sets, *c, &m))
			return c == word + 1 ? unknown_option(p, word, c, strcspn(c, "=")) :
			       error_set(p->err, 0, "unknown option -%c in %s", *c, word);
		/* "-b=DIR" is "-b DIR", as in Go's flag package. */
		if (c[1] == '=')
			value = c + 2;
		else if (needs_value(m.row) && c[1])
			value = c + 1;
		ret = take_option(p, &m, value);
		if (ret < 0 || value)
			return ret;
	}
	return 0;
}

static int parse_option(struct parser *p, char *word)
{
	char *name = word + (word[1] == '-' ? 2 : 1);
	size_t len = strcspn(name, "=");
	struct match m;

	/* A whole long name wins over letters, also after one dash. */
	if (len > 1 && find_long(p->sets, false, name, len, &m))
		return take_option(p, &m, name[len] == '=' ? name + len + 1 : NULL);
	if (word[1] == '-')
		return unknown_option(p, word, name, len);
	return parse_letters(p, word);
}

int options_parse(const struct option_set *sets, char **words, bool stop_at_argument,
		  struct arena *a, struct arguments *rest, struct error *err)
{
	struct parser p = { .sets = sets, .next = words, .arena = a, .err = err };
	bool options_end = false;
	size_t count = 0;

	while (words[count])
		count++;
	rest->words = ARENA_NEW_ARRAY(a, char *, count + 1);
	rest->count = 0;
	while (*p.next) {
		char *word = *p.next++;
		int ret;

		if (!options_end && strcmp(word, "--") == 0) {
			options_end = true;
			continue;
		}
		/* A lone "-" is an argument: standard input, by custom. */
		if (options_end || word[0] != '-' || !word[1]) {
			rest->words[rest->count++] = word;
			options_end = options_end || stop_at_argument;
			continue;
		}
		ret = parse_option(&p, word);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* "-b, --bundle DIR" */
static const char *row_usage(const struct option_row *row, struct arena *a)
{
	const char *text = "    ";

	if (row->letter)
		text = arena_printf(a, "-%c%s", row->letter, row->name ? ", " : "");
	if (row->name)
		text = arena_printf(a, "%s--%s", text, row->name);
	if (row->kind == OPTION_KIND_CHOICE)
		return arena_printf(a, row->flags & OPTION_BARE ? "%s[=%s]" : "%s %s", text,
				    choice_words(row, a));
	return row->argument ? arena_printf(a, "%s %s", text, row->argument) : text;
}

void options_help(const struct option_set *sets, FILE *out)
{
	struct arena a = ARENA_INIT;
	size_t width = 0;

	for (const struct option_set *set = sets; set->rows; set++) {
		for (const struct option_row *row = set->rows; !row_is_end(row); row++) {
			size_t len = strlen(row_usage(row, &a));

			if (!(row->flags & OPTION_HIDDEN) && len > width && len <= HELP_COLUMN_MAX)
				width = len;
		}
	}
	for (const struct option_set *set = sets; set->rows; set++) {
		for (const struct option_row *row = set->rows; !row_is_end(row); row++) {
			const char *usage = row_usage(row, &a);

			if (row->flags & OPTION_HIDDEN)
				continue;
			if (strlen(usage) > width)
				fprintf(out, "  %s\n  %*s  %s\n", usage, (int)width, "", row->help);
			else
				fprintf(out, "  %-*s  %s\n", (int)width, usage, row->help);
		}
	}
	arena_free(&a);
}

void options_list(const struct option_set *sets, const char *command, FILE *out)
{
	struct arena a = ARENA_INIT;

	for (; sets->rows; sets++) {
		for (const struct option_row *row = sets->rows; !row_is_end(row); row++) {
			const char *argument = row->argument ? row->argument : "-";

			if (row->flags & OPTION_HIDDEN)
				continue;
			if (row->kind == OPTION_KIND_CHOICE)
				argument = choice_words(row, &a);
			if (row->flags & OPTION_BARE)
				argument = arena_printf(&a, "=%s", argument);
			fprintf(out, "option\t%s\t%s%s\t-%.1s\t%s\t%s\n", command,
				row->name ? "--" : "-", row->name ? row->name : "",
				row->letter ? &row->letter : "", argument, row->help);
		}
	}
	arena_free(&a);
}
