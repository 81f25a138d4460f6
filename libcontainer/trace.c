/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <unistd.h>

#include "json/json.h"

static void string_member(struct json_out *o, const char *key, const char *value)
{
	json_out_key(o, key);
	json_out_string(o, value);
}

static void number_member(struct json_out *o, const char *key, double value)
{
	json_out_key(o, key);
	json_out_double(o, value);
}

static void write_event(struct json_out *o, const struct step *row, const char *category,
			const struct job_time *t)
{
	/* A row without an end did not come back: the last one, which executed the program. */
	if (!t->begin || t->end < t->begin)
		return;
	json_out_open_object(o);
	string_member(o, "name", row->name);
	string_member(o, "cat", category);
	string_member(o, "ph", "X");
	number_member(o, "ts", (double)t->begin / 1000.0);
	number_member(o, "dur", (double)(t->end - t->begin) / 1000.0);
	json_out_key(o, "pid");
	json_out_int(o, getpid());
	json_out_key(o, "tid");
	json_out_int(o, row->stage);
	json_out_close_object(o);
}

int trace_write(const struct job *job, struct error *err)
{
	static const char *const stage[STAGE_COUNT] = { "parent", "stage 1", "stage 2" };
	struct json_out o;
	const char *text;

	json_out_begin(&o, job->arena, 1);
	json_out_open_object(&o);
	json_out_key(&o, "traceEvents");
	json_out_open_array(&o);
	for (const struct step *row = job->steps; row->name; row++) {
		size_t i = (size_t)(row - job->steps);

		write_event(&o, row, stage[row->stage], &job->times[i]);
		/* The parent's half of a row stands for the whole of it. */
		if (job->page && !job->times[i].begin)
			write_event(&o, row, stage[row->stage],
				    row->stage == STAGE_2 ? &job->page->second.times[i]
							  : &job->own->first.times[i]);
		write_event(&o, row, "undo", &job->undo_times[i]);
	}
	json_out_close_array(&o);
	json_out_close_object(&o);
	text = json_out_text(&o);
	return job_put_file("trace", job->trace, text, o.len, err);
}
