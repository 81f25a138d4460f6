/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pairs.c - each command held at each of its system calls, while another one on the same container
 * runs to its end.
 *
 * Nobody waits longer than for the lock, and who waited in vain is told which command has it.
 * `delete --force` ends the container whoever holds what.  A command that began with an older
 * container of the id does no harm to a newer one.
 */
#include "stress.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a command waits for the lock, and a margin for a machine on which fifty of them run. */
#define LOCK_WAIT (10000 * MS)
#define DEADLINE (LOCK_WAIT + 8000 * MS)
#define PATIENCE (30000 * MS)
#define TRIALS_SHORT 544

/* The last "verb" of B: delete --force, create and start, one after the other. */
#define REPLACE VERB_COUNT
#define SECOND_COUNT (VERB_COUNT + 1)

enum column {
	AGREED, REFUSED, LOCKED, NOT_HELD, HUNG, CRASHED, ODD, HARMED, LEFT, COLUMNS
};

static const char *const columns[] = { "both", "one-refused", "one-locked-out", "not-held", "hung",
				       "crashed", "odd-error", "wrong-outcome", "left" };

struct pair {
	enum verb a;
	unsigned int b;			/* a verb, or REPLACE */
	struct point at;
	int status_a, status_b;
	char text_a[TEXT_MAX_LEN], text_b[TEXT_MAX_LEN];
	pid_t pid_a;
	bool a_was_done;		/* before B: its container's process is what is held */
	bool replaced;			/* REPLACE has made a new container */
	bool alive_then;		/* its process, before A went on */
};

static const char *second_name(unsigned int b)
{
	return b == REPLACE ? "replace" : verbs[b].name;
}

static unsigned int plan(const struct options *o)
{
	return o->long_form ? VERB_COUNT * SECOND_COUNT * 60 : TRIALS_SHORT;
}

static const char *row_name(unsigned int row, char *buffer, size_t size)
{
	snprintf(buffer, size, "%s/%s", verbs[row / SECOND_COUNT].name,
		 second_name(row % SECOND_COUNT));
	return buffer;
}

/* Told with its place, so that --only A/B --at P.I does it again. */
static void tell(struct results *r, const struct pair *p, enum column column, const char *what)
{
	stress_count(r, p->a * SECOND_COUNT + p->b, column, &p->at,
		     "%.160s (held at call @%d; %s: status %d, %.90s; %s: status %d, %.90s)", what,
		     p->at.call, verbs[p->a].name, p->status_a, p->text_a, second_name(p->b),
		     p->status_b, p->text_b);
}

/* ---- the calls of a command ----------------------------------------------------------------- */

/* The container of a foreground run is killed, so that the run's own end is seen. */
static void end_payload(struct worker *w, const struct trace *t)
{
	static const char *const args[] = { "kill", ID, "KILL", NULL };

	(void)command_wait(w, NULL, 150 * MS);
	if (w->n_commands > 0 && t->payload)
		(void)command_run(w, args, NULL, PATIENCE);
}

static void find_points(struct worker *w, enum verb verb, struct points *out)
{
	struct trace t = { .act = TRACE_COUNT, .points = out->list };
	char text[TEXT_MAX_LEN];
	struct command c;

	if (world_prepare(w, verbs[verb].scene, text) < 0)
		fprintf(stderr, "# %s: %s\n", verbs[verb].name, text);
	command_start(w, &c, verbs[verb].args, &t);
	if (verb == RUN)
		end_payload(w, &t);
	(void)command_wait(w, &c, PATIENCE);
	(void)command_end(w, &c, text);
	t.let_go = true;
	out->n = t.n_points;
	world_sweep(w);
}

/* The first worker that needs them finds them for all. */
static const struct points *points_of(struct worker *w, enum verb verb, struct results *r)
{
	struct points *p = &r->points[verb];
	unsigned int unknown = 0;

	if (__atomic_compare_exchange_n(&p->state, &unknown, 1, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE)) {
		find_points(w, verb, p);
		__atomic_store_n(&p->state, 2, __ATOMIC_RELEASE);
	}
	while (__atomic_load_n(&p->state, __ATOMIC_ACQUIRE) != 2)
		(void)usleep(1000);
	return p;
}

/* ---- judging -------------------------------------------------------------------------------- */

/* What may be said by a command that came too late, too early, or whose container was ended. */
static bool is_understood(const char *text)
{
	static const char *const words[] = {
		"does not exist", "already exists", "not running", "it is ",
		"is locked by process ", "still being created",
		"in a paused container", "in a stopped container", "in a creating container",
		"that is not stopped", "already paused", "not paused", "killed by signal",
		"ended unexpectedly",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(text, words[i]))
			return true;
	}
	return false;
}

/* "locked by process 12 (kist create ...)": by A, whom the driver holds. */
static bool names_holder(const struct pair *p)
{
	char pid[60], command[40];
	const char *at;

	snprintf(pid, sizeof(pid), "is locked by process %d (kist ", (int)p->pid_a);
	snprintf(command, sizeof(command), " %s ", verbs[p->a].lock_name);
	at = strstr(p->text_b, pid);
	return at && strstr(at, command);
}

/* delete --force ends who holds the lock for too long: by SIGTERM first. */
static bool ended_by_force(const struct pair *p)
{
	bool by_signal = p->status_a == 128 + SIGTERM || p->status_a == 128 + SIGKILL;

	return (p->b == DELETE_FORCE || p->b == REPLACE) &&
	       (by_signal || strstr(p->text_a, "(Terminated) came"));
}

/* Text and status of one command; NULL: nothing to complain of. */
static const char *wrong_end(unsigned int verb, int status, const char *text)
{
	/* The status of a program that was ended with its container. */
	if (status == 128 + SIGKILL && (verb == RUN || verb == EXEC))
		return NULL;
	if (status >= 128 && status < 160)
		return "it crashed";
	if (status == 0)
		return strstr(text, "damaged") ? "a warning of damage" : NULL;
	return is_understood(text) ? NULL : "an error that nobody understands";
}

/* Whether the record must be there (1), must not (0), or either (-1), now that both have ended. */
static int record_expected(const struct pair *p)
{
	bool a_made = verbs[p->a].makes && p->status_a == 0;
	bool a_deleted = verbs[p->a].deletes && p->status_a == 0;
	bool b_made = p->b == REPLACE ? p->replaced : verbs[p->b].makes && p->status_b == 0;
	bool b_deleted = p->b != REPLACE && verbs[p->b].deletes && p->status_b == 0;

	/* A foreground run takes its container along; B's container has ended then. */
	if (p->a == RUN)
		a_made = false, a_deleted = p->status_a >= 0;
	if (p->b == RUN)
		b_made = false;
	if (p->a_was_done && b_deleted)
		return 0;
	/* A had its eyes on what was there before B made a new one. */
	if (b_made && p->at.bound)
		return 1;
	/* A may have let go of the lock when it was held: what it made can be deleted then. */
	if (a_made)
		return b_deleted ? -1 : 1;
	if (b_made)
		return a_deleted ? -1 : 1;
	if (a_deleted || b_deleted)
		return 0;
	return -1;
}

static const char *wrong_record(struct worker *w, const struct pair *p)
{
	static const char *const quiet_list[] = { "list", "-q", NULL };
	char list[TEXT_MAX_LEN], state[TEXT_MAX_LEN];
	int expected = record_expected(p);
	bool there = world_has_record(w);
	int status;

	if (there && expected == 0)
		return "a deleted container is still there";
	if (!there && expected == 1)
		return p->b == REPLACE ? "the older command removed the new container"
				       : "the container that was made is gone";
	if (command_run(w, quiet_list, list, PATIENCE) != 0)
		return "list failed";
	if (there != (strcmp(list, ID "\n") == 0))
		return there ? "list hides it" : "list shows what is not there";
	status = command_run(w, verbs[STATE].args, state, PATIENCE);
	if (there && (status != 0 || strstr(state, "\"creating\"")))
		return "state does not know it";
	return NULL;
}

static const char *wrong_outcome(struct worker *w, const struct pair *p)
{
	bool both_made = verbs[p->a].makes && p->b < VERB_COUNT && verbs[p->b].makes &&
			 p->status_a == 0 && p->status_b == 0 && p->a != RUN && p->b != RUN;

	if (both_made)
		return "two commands made the same container";
	if (p->replaced && p->at.bound && p->alive_then && world_processes(NULL, 0) == 0)
		return "the older command killed the new container";
	return wrong_record(w, p);
}

static void judge_end(struct worker *w, const struct pair *p, struct results *r)
{
	unsigned int row = p->a * SECOND_COUNT + p->b;
	bool locked = strstr(p->text_b, "is locked by") != NULL;
	const char *wrong = wrong_end(p->b, p->status_b, p->text_b);

	if (!wrong && !ended_by_force(p))
		wrong = wrong_end(p->a, p->status_a, p->text_a);
	if (p->status_a < 0 || p->status_b < 0)
		tell(r, p, HUNG, p->status_a < 0 ? "the held one hung" : "the other one hung");
	else if (locked && !names_holder(p))
		tell(r, p, ODD, "the holder is not named");
	else if (wrong)
		tell(r, p, strstr(wrong, "crash") ? CRASHED : ODD, wrong);
	else if (locked)
		stress_count(r, row, LOCKED, NULL, NULL);
	else
		stress_count(r, row, p->status_a || p->status_b ? REFUSED : AGREED, NULL, NULL);
	if (p->status_a >= 0 && p->status_b >= 0 && (wrong = wrong_outcome(w, p)))
		tell(r, p, HARMED, wrong);
}

/* ---- one trial ------------------------------------------------------------------------------ */

static void delete_by_force(struct worker *w, struct pair *p, struct results *r)
{
	uint64_t began = stress_now();

	p->status_b = command_run(w, verbs[DELETE_FORCE].args, p->text_b, DEADLINE);
	began = stress_now() - began;
	if (began > r->slowest_delete)
		r->slowest_delete = began;
}

static void run_second(struct worker *w, struct pair *p, struct results *r)
{
	static const char *const short_run[] = { "run", "--bundle", "bundle-true", ID, NULL };

	if (p->b == RUN) {
		p->status_b = command_run(w, short_run, p->text_b, DEADLINE);
		return;
	}
	if (p->b == DELETE_FORCE || p->b == REPLACE)
		delete_by_force(w, p, r);
	else
		p->status_b = command_run(w, verbs[p->b].args, p->text_b, DEADLINE);
	if (p->b != REPLACE)
		return;
	if (p->status_b == 0)
		p->status_b = command_run(w, verbs[CREATE].args, p->text_b, DEADLINE);
	if (p->status_b == 0)
		p->status_b = command_run(w, verbs[START].args, p->text_b, DEADLINE);
	p->replaced = p->status_b == 0;
	p->alive_then = p->replaced;
}

/* delete --force that gave up for the lock has ended the processes all the same. */
static bool lives_on(struct worker *w, const struct pair *p, const struct trace *t)
{
	return p->b == DELETE_FORCE && p->status_b != 0 && t->payload > 0 &&
	       kill(t->payload, 0) == 0 && command_wait(w, NULL, 0) && kill(t->payload, 0) == 0;
}

static void clean_up(struct worker *w, const struct pair *p, struct results *r)
{
	char text[TEXT_MAX_LEN], what[TEXT_MAX_LEN + 40];
	int status = command_run(w, verbs[DELETE_FORCE].args, text, DEADLINE);
	bool clean;

	if (status != 0) {
		snprintf(what, sizeof(what), "delete --force at the end: %s", text);
		tell(r, p, LEFT, what);
	}
	clean = world_is_clean(w, text);
	if (!clean)
		tell(r, p, LEFT, text);
	if (!clean || w->n_commands || (w->trace && w->trace->n_tracees))
		world_sweep(w);
	w->trace = NULL;
}

static void finish_first(struct worker *w, struct pair *p, struct command *a, struct trace *t)
{
	uint64_t end = stress_now() + DEADLINE;

	trace_release(t);
	while (!command_wait(w, a, 100 * MS) && stress_now() < end) {
		/* A foreground run ends when somebody ends the container. */
		if (p->a == RUN && t->payload > 0)
			(void)kill(t->payload, SIGKILL);
		/* What was executed in a container that was paused meanwhile waits for this. */
		if (p->a == EXEC && p->b == PAUSE)
			(void)command_run(w, verbs[RESUME].args, NULL, PATIENCE);
	}
	p->status_a = command_end(w, a, p->text_a);
}

/* Until A is held, or has ended without coming there. */
static void wait_held(struct worker *w, enum verb a, const struct trace *t)
{
	if (a == RUN) {
		(void)command_wait(w, NULL, 400 * MS);
		/* The point lies in the end of the run. */
		if (!t->hit && t->payload > 0)
			(void)kill(t->payload, SIGKILL);
	}
	(void)command_wait(w, NULL, PATIENCE);
}

static void try_pair(struct worker *w, struct pair *p, struct results *r)
{
	struct trace t = { .act = TRACE_HOLD, .at = p->at };
	bool from_b = verbs[p->a].any_scene && p->b < VERB_COUNT;
	enum scene scene = from_b ? verbs[p->b].scene : verbs[p->a].scene;
	struct command a;

	if (world_prepare(w, scene, p->text_a) < 0) {
		tell(r, p, LEFT, "the id is not reusable");
		world_sweep(w);
		return;
	}
	command_start(w, &a, verbs[p->a].args, &t);
	p->pid_a = a.pid;
	wait_held(w, p->a, &t);
	if (!t.hit) {
		stress_count(r, p->a * SECOND_COUNT + p->b, NOT_HELD, NULL, NULL);
		finish_first(w, p, &a, &t);
		clean_up(w, p, r);
		return;
	}
	p->at = t.at;
	p->a_was_done = a.done;
	run_second(w, p, r);
	if (lives_on(w, p, &t))
		tell(r, p, HARMED, "delete --force left the container alive");
	finish_first(w, p, &a, &t);
	judge_end(w, p, r);
	clean_up(w, p, r);
}

static void trial(struct worker *w, const struct options *o, unsigned int number,
		  struct results *r)
{
	unsigned int pair = number % (VERB_COUNT * SECOND_COUNT);
	struct pair p = { .a = pair / SECOND_COUNT, .b = pair % SECOND_COUNT };
	const struct points *points;
	char name[64];

	(void)row_name(pair, name, sizeof(name));
	if (!stress_chosen(o, name) && !stress_chosen(o, verbs[p.a].name))
		return;
	points = points_of(w, p.a, r);
	if (points->n == 0)
		return;
	p.at = points->list[stress_random(w, points->n)];
	if (o->at) {
		char *dot;

		p.at.process = (uint16_t)strtoul(o->at, &dot, 10);
		p.at.index = (uint16_t)strtoul(*dot ? dot + 1 : dot, NULL, 10);
	}
	try_pair(w, &p, r);
}

const struct harness harness_pairs = {
	.name = "pairs",
	.columns = columns,
	.n_columns = COLUMNS,
	.n_good = HUNG,
	.workers_per_cpu = 48,
	.plan = plan,
	.trial = trial,
	.row_name = row_name,
};
