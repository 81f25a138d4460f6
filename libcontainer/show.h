/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show.h - how a plan prints itself.
 *
 * A step's `show` says what the step would do as a list of acts, each a verb and its nouns.  The
 * form (text or JSON) is chosen once, here, so a room formats nothing twice.
 */
#ifndef KIST_SHOW_H
#define KIST_SHOW_H

#include <stdbool.h>

#include "base/arena.h"
#include "json/json.h"

struct show {
	struct json_out out;	/* also the text buffer of the plain form */
	struct arena *arena;
	bool json;
	bool in_step;
};

void show_begin(struct show *s, struct arena *a, bool json);

/* Opens the next step. */
void show_step(struct show *s, const char *name, const char *stage);

/* One act of the current step: show_act(out, "mount %s on %s (%s)", type, destination, flags). */
void show_act(struct show *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Ends the listing; the text ends in a newline and lives in the arena. */
const char *show_end(struct show *s);

#endif
