/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "cmds.h"
#include "signal_name.h"

struct kill_options {
	bool all;
	bool regex;
};

static const struct option_row rows[] = {
	OPTION_FLAG("all", 'a', struct kill_options, all, "signal every process of the container"),
	OPTION_FLAG("regex", 'r', struct kill_options, regex,
		    "ID is an extended regular expression"),
	OPTION_END,
};

static int run(struct cli *cli, struct error *err)
{
	const struct kill_options *o = cli->options;
	char **words = cli->arguments.words;
	int sig = SIGTERM;
	size_t failures = 0;
	char **ids;
	int ret;

	if (words[1] && signal_name_parse(words[1], &sig) < 0)
		return error_set(err, 0, "unknown signal \"%s\": it is a name such as TERM, "
				 "SIGTERM or RTMIN+3, or a number from 0 to 64", words[1]);
	ret = cmds_select(cli, words[0], o->regex, &ids, err);
	if (ret < 0)
		return ret;
	/* One that cannot be signalled does not spare the others; the first error is told. */
	for (; *ids; ids++) {
		struct error one = { 0 };

		if (container_kill(&cli->ctx, *ids, sig, o->all, &one) < 0 && failures++ == 0)
			*err = one;
	}
	if (failures > 1)
		error_append(err, " (and %zu more failed)", failures - 1);
	return failures ? -1 : 0;
}

const struct command cmd_kill = {
	.name = "kill",
	.summary = "send a signal to a container (default: TERM)",
	.usage = "ID [SIGNAL]",
	.options = rows,
	.options_size = sizeof(struct kill_options),
	.min_arguments = 1,
	.max_arguments = 2,
	.run = run,
};
