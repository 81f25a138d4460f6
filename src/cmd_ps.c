/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/spawn.h"
#include "cmds.h"
#include "json/json.h"
#include "output.h"

/*
 * What ps(1) may print: a full process table has 4 million lines at most, and long command lines
 * are cut by ps.
 */
#define PS_OUTPUT_MAX (256u << 20)

enum ps_format { PS_TABLE, PS_JSON };

struct ps_options {
	enum ps_format format;
};

static const struct option_choice formats[] = {
	{ "table", PS_TABLE },
	{ "json", PS_JSON },
	{ NULL, 0 },
};

static const struct option_row rows[] = {
	OPTION_CHOICE("format", 'f', struct ps_options, format, formats,
		      "form of the output (default: table)"),
	OPTION_END,
};

struct pids {
	const pid_t *list;	/* ascending */
	size_t count;
};

static void print_json(struct cli *cli, const struct pids *pids)
{
	struct json_out o;

	json_out_begin(&o, cli->arena, 0);
	json_out_open_array(&o);
	for (size_t i = 0; i < pids->count; i++)
		json_out_int(&o, pids->list[i]);
	json_out_close_array(&o);
	output_json(cli->out, &o);
}

/* Starts the host's ps(1) with its output in a pipe.  0 or -errno. */
static int spawn_ps(char *const *argv, pid_t *pid, int *output)
{
	posix_spawn_file_actions_t actions;
	owned_fd reader = -1, writer = -1;
	char path[PATH_MAX];
	int fds[2], ret;

	if (!spawn_find(argv[0], path, sizeof(path)))
		return -ENOENT;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	reader = fds[0];
	writer = fds[1];
	ret = posix_spawn_file_actions_init(&actions);
	if (ret != 0)
		return -ret;
	ret = posix_spawn_file_actions_adddup2(&actions, writer, STDOUT_FILENO);
	if (ret == 0)
		ret = posix_spawn(pid, path, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	*output = fd_take(&reader);
	return -ret;
}

static int run_ps(struct cli *cli, char *const *argv, char **text, struct error *err)
{
	owned_fd output = -1;
	int status = 0, ret;
	pid_t pid;

	ret = spawn_ps(argv, &pid, &output);
	if (ret < 0)
		return error_set(err, -ret, "run ps (--format json needs no ps)");
	ret = file_read_fd(output, PS_OUTPUT_MAX, cli->arena, text, NULL);
	/*
	 * Closed before the wait: a ps that still writes then fails instead of blocking for ever.
	 */
	fd_close(&output);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (ret < 0)
		return error_set(err, -ret, "read the output of ps");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return error_set(err, 0, "ps failed");
	return 0;
}

/* The word number `column` of a line; its length, 0 when there are fewer. */
static size_t word_at(const char *line, size_t column, const char **word)
{
	static const char blanks[] = " \t";

	for (line += strspn(line, blanks); column > 0; column--) {
		line += strcspn(line, blanks);
		line += strspn(line, blanks);
	}
	*word = line;
	return strcspn(line, blanks);
}

static bool is_word(const char *word, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(word, text, len) == 0;
}

/*
 * Finds the word of a line that is the pid.  1: column is its number; 0: what stands before it may
 * hold blanks, so that words say nothing: a process can choose its name; or negative.
 */
static int find_pid_column(const char *heading, size_t *column, struct error *err)
{
	static const char *const plain[] = { "UID", "USER", "F", "S", "STAT", "PPID", "LABEL" };
	const char *word;
	bool words = true;
	size_t len;

	for (*column = 0; (len = word_at(heading, *column, &word)) > 0; ++*column) {
		bool known = false;

		if (is_word(word, len, "PID"))
			return words;
		for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
			known = known || is_word(word, len, plain[i]);
		words = words && known;
	}
	return error_set(err, 0, "the output of ps has no PID column to select by");
}

static bool line_is_ours(const char *line, size_t column, const struct pids *pids)
{
	const char *word;
	char *end;
	size_t len = word_at(line, column, &word);
	long number = strtol(word, &end, 10);
	pid_t pid = (pid_t)number;

	return len > 0 && end == word + len &&
	       bsearch(&pid, pids->list, pids->count, sizeof(pid), proc_compare_pids);
}

static void print_cut(struct cli *cli, const char *line, size_t cut)
{
	output_line(cli->out, line + strnlen(line, cut));
}

/* Prints the lines that are ours, each without its first bytes, which the heading has as well. */
static void print_lines(struct cli *cli, char *text, size_t column, size_t cut,
			const struct pids *pids)
{
	char *line = strsep(&text, "\n");

	print_cut(cli, line, cut);
	while ((line = strsep(&text, "\n"))) {
		if (line_is_ours(line, column, pids))
			print_cut(cli, line, cut);
	}
}

/* A pid is put in front of each line, and taken away again. */
static int print_by_own_column(struct cli *cli, char **argv, size_t count, const struct pids *pids,
			       struct error *err)
{
	char **own = ARENA_NEW_ARRAY(cli->arena, char *, count + 3);
	char *text, *line;
	const char *word;
	size_t len, cut;
	int ret;

	own[0] = argv[0];
	own[1] = "-opid=";
	memcpy(own + 2, argv + 1, count * sizeof(*own));
	ret = run_ps(cli, own, &text, err);
	if (ret < 0)
		return error_append(err, "; with PID as the first column it may work");
	/* Numbers stand at the right of their column: its width is where the first one ends. */
	line = strchr(text, '\n');
	if (!line)
		return error_set(err, 0, "ps failed");
	len = word_at(line + 1, 0, &word);
	cut = (size_t)(word - line - 1) + len + 1;
	print_lines(cli, text, 0, cut, pids);
	return 0;
}

/*
 * ps(1) cannot be asked for "these pids" together with every option of its user, so its lines are
 * filtered.
 */
static int print_table(struct cli *cli, const struct pids *pids, struct error *err)
{
	char **words = cli->arguments.words + 1;
	/* "ps ID -- -o pid": who writes it means to end kist's own options. */
	bool dashes = words[0] && strcmp(words[0], "--") == 0;
	size_t count = cli->arguments.count - 1 - dashes, column = 0;
	char **argv = ARENA_NEW_ARRAY(cli->arena, char *, count + 3);
	char *text;
	int ret;

	argv[0] = "ps";
	argv[1] = "-ef";
	if (count > 0)
		memcpy(argv + 1, words + dashes, count * sizeof(*argv));
	ret = run_ps(cli, argv, &text, err);
	if (ret == 0)
		ret = find_pid_column(arena_strndup(cli->arena, text, strcspn(text, "\n")), &column,
				      err);
	if (ret == 0)
		return print_by_own_column(cli, argv, count, pids, err);
	if (ret > 0)
		print_lines(cli, text, column, 0, pids);
	return ret < 0 ? ret : 0;
}

static int run(struct cli *cli, struct error *err)
{
	const struct ps_options *o = cli->options;
	struct pids pids = { 0 };
	pid_t *list = NULL;
	int ret = container_ps(&cli->ctx, cli->arguments.words[0], &list, &pids.count, err);

	if (ret < 0)
		return ret;
	pids.list = list;
	if (o->format == PS_JSON)
		print_json(cli, &pids);
	else if (pids.count > 0)
		return print_table(cli, &pids, err);
	return 0;
}

const struct command cmd_ps = {
	.name = "ps",
	.summary = "list the processes of a container",
	.usage = "ID [PS-OPTION...]",
	.options = rows,
	.options_size = sizeof(struct ps_options),
	.min_arguments = 1,
	.max_arguments = CMD_ANY_NUMBER,
	.flags = CMD_OWN_WORDS,
	.run = run,
};
