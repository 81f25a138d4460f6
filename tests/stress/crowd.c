/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd.c - commands that look at a container, or signal it, while it is being deleted: each
 * succeeds or says in words what became of the container.
 */
#include "stress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COMMAND_TIMEOUT (20000 * MS)
#define LOOKERS 8
#define ROUNDS_SHORT 100
#define ROUNDS_LONG 1500

enum column { WENT_WELL, SAID_GONE, ODD, CRASHED, HUNG, LEFT, COLUMNS };

static const char *const columns[] = { "ok", "gone", "odd-error", "crashed", "hung", "left" };

static const enum verb lookers[] = { LIST, PS, KILL_ALL, STATE, EVENTS, EXEC, PAUSE, UPDATE };

static unsigned int plan(const struct options *o)
{
	return o->long_form ? ROUNDS_LONG : ROUNDS_SHORT;
}

static const char *row_name(unsigned int row, char *buffer, size_t size)
{
	snprintf(buffer, size, "%s", verbs[row].name);
	return buffer;
}

/* What a user understands of a container that is on its way out. */
static bool says_gone(enum verb verb, const char *text)
{
	static const char *const words[] = {
		"does not exist", "not running", "is locked by process ", "killed by signal",
		"in a paused container",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && verb != LIST; i++) {
		if (strstr(text, words[i]))
			return true;
	}
	return false;
}

static void judge(struct worker *w, enum verb verb, struct command *c, struct results *r)
{
	char text[TEXT_MAX_LEN];
	int status = command_end(w, c, text);
	bool silent = verb != LIST || !strstr(text, "damaged");

	if (status < 0)
		stress_count(r, verb, HUNG, NULL, "%s", text);
	/* The process of exec dies with the container. */
	else if (status == 128 + 9 && verb == EXEC)
		stress_count(r, verb, SAID_GONE, NULL, NULL);
	else if (status >= 128 && status < 255)
		stress_count(r, verb, CRASHED, NULL, "status %d: %s", status - 128, text);
	else if (status == 0 && silent)
		stress_count(r, verb, WENT_WELL, NULL, NULL);
	else if (says_gone(verb, text))
		stress_count(r, verb, SAID_GONE, NULL, NULL);
	else
		stress_count(r, verb, ODD, NULL, "%s", text);
}

static void trial(struct worker *w, const struct options *o, unsigned int number,
		  struct results *r)
{
	struct command c[LOOKERS], delete;
	char text[TEXT_MAX_LEN];
	unsigned int before = (unsigned int)stress_random(w, LOOKERS + 1);

	(void)number;
	if (world_prepare(w, RUNNING, text) < 0) {
		stress_count(r, DELETE_FORCE, LEFT, NULL, "the id is not reusable: %s", text);
		world_sweep(w);
		return;
	}
	for (unsigned int i = 0; i <= LOOKERS; i++) {
		enum verb verb = i < LOOKERS ? lookers[i] : LIST;

		if (i == before) {
			command_start(w, &delete, verbs[DELETE_FORCE].args, NULL);
			(void)nanosleep(&(struct timespec){
				.tv_nsec = (long)stress_random(w, 4 * MS) }, NULL);
		}
		if (i < LOOKERS && stress_chosen(o, verbs[verb].name))
			command_start(w, &c[i], verbs[verb].args, NULL);
	}
	(void)command_wait(w, NULL, COMMAND_TIMEOUT);
	for (unsigned int i = 0; i < LOOKERS; i++) {
		if (stress_chosen(o, verbs[lookers[i]].name))
			judge(w, lookers[i], &c[i], r);
	}
	if (delete.done && delete.ended - delete.began > r->slowest_delete)
		r->slowest_delete = delete.ended - delete.began;
	judge(w, DELETE_FORCE, &delete, r);
	if (!world_is_clean(w, text)) {
		stress_count(r, DELETE_FORCE, LEFT, NULL, "%s", text);
		world_sweep(w);
	}
}

const struct harness harness_crowd = {
	.name = "crowd",
	.columns = columns,
	.n_columns = COLUMNS,
	.n_good = ODD,
	.workers_per_cpu = 1,
	.plan = plan,
	.trial = trial,
	.row_name = row_name,
};
