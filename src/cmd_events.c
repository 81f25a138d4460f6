/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <unistd.h>

#include "cmds.h"

#define T struct container_events_options
static const struct option_row rows[] = {
	OPTION_FLAG("stats", 0, T, stats, "print the statistics once, and end"),
	OPTION_STRING("interval", 0, T, interval, "DURATION",
		      "time between statistics, as in 5s, 100ms, 1m (default: 5s)"),
	OPTION_FLAG("all", 0, T, all,
		    "further events: memory, pids, hugetlb, cpu, cgroup, exit; whose limit it was"),
	OPTION_STRINGS("pressure", 0, T, pressures, "TRIGGER",
		       "tell when tasks are held up, as in memory:some:150ms/2s (repeatable)"),
	OPTION_END,
};
#undef T

struct printer {
	FILE *out;
	int failed;		/* -errno */
};

/* Each line at once and whole: readers act on it. */
static int print(void *data, const char *line)
{
	struct printer *p = data;

	if (fprintf(p->out, "%s\n", line) >= 0 && fflush(p->out) == 0)
		return 0;
	p->failed = -errno;
	return p->failed;
}

static int run(struct cli *cli, struct error *err)
{
	struct container_events_options *o = cli->options;
	struct printer p = { .out = cli->out };
	int ret;

	o->output = STDOUT_FILENO;
	ret = container_events(&cli->ctx, cli->arguments.words[0], o, print, &p, err);
	/* A reader that has gone ends the stream; that is how one is ended, not a failure. */
	if (ret == 0 && p.failed == -EPIPE)
		clearerr(cli->out);
	else if (ret == 0 && p.failed < 0)
		ret = error_set(err, -p.failed, "write an event");
	return ret;
}

const struct command cmd_events = {
	.name = "events",
	.summary = "print statistics and events of a container as JSON lines",
	.usage = "ID",
	.options = rows,
	.options_size = sizeof(struct container_events_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run,
};
