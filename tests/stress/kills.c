/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kills.c - each command killed at random moments; after it `delete --force` leaves nothing, and
 * the id can be used again.
 */
#include "stress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define COMMAND_TIMEOUT (20000 * MS)
#define KILLS_SHORT 60
#define KILLS_LONG 1000

enum column { KILLS, TOO_LATE, LEFT, HUNG, DELETE_FAILED, NOT_REUSABLE, COLUMNS };

static const char *const columns[] = { "kills", "ended-before", "left", "hung", "delete-failed",
				       "id-not-reusable" };

/* A foreground run ends by itself, so that its end is killed, too. */
static const char *const run_to_end[] = { "run", "--bundle", "bundle-true", ID, NULL };

static const enum verb killed[] = { CREATE, START, EXEC, RUN, RUN_DETACHED, DELETE, DELETE_FORCE,
				    UPDATE, PAUSE, RESUME, KILL, KILL_ALL };
#define KILLED_COUNT (sizeof(killed) / sizeof(killed[0]))

static const char *const *args_of(enum verb verb)
{
	return verb == RUN ? run_to_end : verbs[verb].args;
}

static unsigned int plan(const struct options *o)
{
	return KILLED_COUNT * (o->long_form ? KILLS_LONG : KILLS_SHORT);
}

static const char *row_name(unsigned int row, char *buffer, size_t size)
{
	snprintf(buffer, size, "%s", verbs[row].name);
	return buffer;
}

/* How long the command takes when nobody kills it, here and now. */
static uint64_t measure(struct worker *w, enum verb verb)
{
	char text[TEXT_MAX_LEN];
	uint64_t began;

	if (world_prepare(w, verbs[verb].scene, text) < 0)
		fprintf(stderr, "# %s: %s\n", verbs[verb].name, text);
	began = stress_now();
	if (command_run(w, args_of(verb), text, COMMAND_TIMEOUT) != 0)
		fprintf(stderr, "# %s: %s\n", verbs[verb].name, text);
	began = stress_now() - began;
	(void)command_run(w, verbs[DELETE_FORCE].args, NULL, COMMAND_TIMEOUT);
	return began;
}

static void clean_up(struct worker *w, enum verb verb, struct results *r)
{
	char text[TEXT_MAX_LEN];
	uint64_t began = stress_now();
	int status = command_run(w, verbs[DELETE_FORCE].args, text, COMMAND_TIMEOUT);

	began = stress_now() - began;
	if (began > r->slowest_delete)
		r->slowest_delete = began;
	if (status < 0)
		stress_count(r, verb, HUNG, NULL, "delete --force: %s", text);
	else if (status > 0)
		stress_count(r, verb, DELETE_FAILED, NULL, "%s", text);
	if (!world_is_clean(w, text)) {
		stress_count(r, verb, LEFT, NULL, "%s", text);
		world_sweep(w);
	}
}

/* Gives the command and kills it after `wait`.  False: it had ended. */
static bool kill_after(struct worker *w, enum verb verb, uint64_t wait, uint64_t *duration,
		       struct results *r)
{
	struct command c;
	bool killed_it;

	command_start(w, &c, args_of(verb), NULL);
	/* By the clock: a wait for the command would end with it and skew the moment. */
	(void)nanosleep(&(struct timespec){ .tv_sec = (time_t)(wait / 1000000000u),
					    .tv_nsec = (long)(wait % 1000000000u) }, NULL);
	(void)command_wait(w, &c, 0);
	killed_it = !c.done;
	if (killed_it)
		command_kill(w, &c);
	else
		*duration = (*duration * 7 + (c.ended - c.began)) / 8;
	stress_count(r, verb, !killed_it ? TOO_LATE : c.done ? KILLS : HUNG, NULL, NULL);
	(void)command_end(w, &c, NULL);
	return killed_it;
}

static void trial(struct worker *w, const struct options *o, unsigned int number,
		  struct results *r)
{
	static uint64_t duration[VERB_COUNT];
	enum verb verb = killed[number % KILLED_COUNT];
	char text[TEXT_MAX_LEN];

	if (!stress_chosen(o, verbs[verb].name))
		return;
	if (!duration[verb])
		duration[verb] = measure(w, verb);
	/* One kill a trial, though some come too late. */
	for (int tries = 0; tries < 40; tries++) {
		uint64_t wait = stress_random(w, duration[verb] * 21 / 20);
		bool killed_it;

		/* The id is that of the trial before. */
		if (world_prepare(w, verbs[verb].scene, text) < 0) {
			stress_count(r, verb, NOT_REUSABLE, NULL, "%s", text);
			world_sweep(w);
			return;
		}
		killed_it = kill_after(w, verb, wait, &duration[verb], r);
		clean_up(w, verb, r);
		if (killed_it)
			return;
	}
}

const struct harness harness_kills = {
	.name = "kills",
	.columns = columns,
	.n_columns = COLUMNS,
	.n_good = LEFT,
	.workers_per_cpu = 1,
	.plan = plan,
	.trial = trial,
	.row_name = row_name,
};
