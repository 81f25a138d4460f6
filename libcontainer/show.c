/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"

#include <stdarg.h>
#include <string.h>

#include "base/str.h"

void show_begin(struct show *s, struct arena *a, bool json)
{
	*s = (struct show){ .arena = a, .json = json };
	json_out_begin(&s->out, a, json ? 2 : 0);
	if (json)
		json_out_open_array(&s->out);
}

static void add(struct show *s, const char *text)
{
	json_out_raw(&s->out, text, strlen(text));
}

static void close_step(struct show *s)
{
	if (!s->in_step || !s->json)
		return;
	json_out_close_array(&s->out);
	json_out_close_object(&s->out);
}

void show_step(struct show *s, const char *name, const char *stage)
{
	close_step(s);
	s->in_step = true;
	if (!s->json) {
		add(s, arena_printf(s->arena, "%-8s %s\n", stage, name));
		s->out.first = true; /* plain text has no commas */
		return;
	}
	json_out_open_object(&s->out);
	json_out_key(&s->out, "step");
	json_out_string(&s->out, name);
	json_out_key(&s->out, "stage");
	json_out_string(&s->out, stage);
	json_out_key(&s->out, "acts");
	json_out_open_array(&s->out);
}

void show_act(struct show *s, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(s->arena, fmt, ap);
	va_end(ap);
	if (s->json) {
		json_out_string(&s->out, text);
		return;
	}
	/* The nouns come from a configuration that somebody else may have written. */
	add(s, arena_printf(s->arena, "           %s\n", str_visible(text, "", s->arena)));
	s->out.first = true;
}

const char *show_end(struct show *s)
{
	close_step(s);
	if (s->json) {
		json_out_close_array(&s->out);
		return arena_printf(s->arena, "%s\n", json_out_text(&s->out));
	}
	return json_out_text(&s->out);
}
