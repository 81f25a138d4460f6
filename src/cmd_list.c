/* SPDX-License-Identifier: Apache-2.0 */
#include "cmds.h"
#include "json/json.h"
#include "output.h"

enum list_format { LIST_TABLE, LIST_JSON };

struct list_options {
	enum list_format format;
	bool quiet;
};

static const struct option_choice formats[] = {
	{ "table", LIST_TABLE },
	{ "json", LIST_JSON },
	{ NULL, 0 },
};

static const struct option_row rows[] = {
	OPTION_CHOICE("format", 'f', struct list_options, format, formats,
		      "form of the output (default: table)"),
	OPTION_FLAG("quiet", 'q', struct list_options, quiet, "print ids only"),
	OPTION_END,
};

static int list_quiet(struct cli *cli, struct error *err)
{
	char **ids;
	size_t n;
	int ret = container_list_ids(&cli->ctx, &ids, &n, err);

	for (size_t i = 0; ret == 0 && i < n; i++)
		output_line(cli->out, ids[i]);
	return ret;
}

/* An array on one line, as runc prints it; an empty one is [] and not null. */
static void print_json(struct cli *cli, const struct container_state *states, size_t n)
{
	struct json_out o;

	json_out_begin(&o, cli->arena, 0);
	json_out_open_array(&o);
	for (size_t i = 0; i < n; i++)
		json_out_object(&o, container_state_fields, &states[i]);
	json_out_close_array(&o);
	output_json(cli->out, &o);
}

/* The table calls the owner "root" whom the JSON leaves empty. */
static void print_table(struct cli *cli, const struct container_state *states, size_t n)
{
	static const char *const heading[] = {
		"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"
	};
	const size_t columns = sizeof(heading) / sizeof(*heading);
	const char **cells = ARENA_NEW_ARRAY(cli->arena, const char *, (n + 1) * columns);
	const char **cell = cells;

	for (size_t c = 0; c < columns; c++)
		*cell++ = heading[c];
	for (size_t i = 0; i < n; i++) {
		const struct container_state *s = &states[i];

		*cell++ = s->id;
		*cell++ = arena_printf(cli->arena, "%d", s->pid);
		*cell++ = s->status;
		*cell++ = s->bundle ? s->bundle : "";
		*cell++ = s->created ? s->created : "";
		*cell++ = s->owner && *s->owner ? s->owner : "root";
	}
	output_columns(cli->out, cells, n + 1, columns);
}

static int run(struct cli *cli, struct error *err)
{
	const struct list_options *o = cli->options;
	struct container_state *states;
	size_t n;
	int ret;

	if (o->quiet)
		return list_quiet(cli, err);
	ret = container_list(&cli->ctx, &states, &n, err);
	if (ret < 0)
		return ret;
	if (o->format == LIST_JSON)
		print_json(cli, states, n);
	else
		print_table(cli, states, n);
	return 0;
}

const struct command cmd_list = {
	.name = "list",
	.summary = "list the containers below the state root",
	.usage = "",
	.options = rows,
	.options_size = sizeof(struct list_options),
	.min_arguments = 0,
	.max_arguments = 0,
	.run = run,
};
