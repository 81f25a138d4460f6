/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steps.h - the order of events, as tables.
 *
 * One row is one step.  From these tables come the execution (stage.c), the dry run, the trace, the
 * roll-back after a failure, `delete`, the step's name in every error, and the faults that tests
 * inject.
 */
#ifndef KIST_STEPS_H
#define KIST_STEPS_H

#include <stdbool.h>

#include "base/error.h"
#include "job.h"
#include "show.h"

/*
 * All members but name and stage may be NULL.
 *   when	whether the row applies to this plan; NULL: always
 *   run	does it, in its own process
 *   serve	the parent's half, run after `run` when the child has asked for it: such a row is a
 *sync point
 *   undo	takes it back, from the record alone (job->state), so that it serves a failed create
 *and `delete` alike; must cope with a step that was not done, or half show	prints what it would
 *do Rows between clone and exec neither allocate nor lock.
 */
struct step {
	const char *name;
	enum job_stage stage;
	bool (*when)(const struct plan *plan);
	int (*run)(struct job *job, struct error *err);
	int (*serve)(struct job *job, struct error *err);
	int (*undo)(struct job *job, struct error *err);
	void (*show)(const struct plan *plan, struct show *out);
};

/*
 * What compiling could not know without looking: namespaces behind paths and their maps, hooks on
 * disk.  Touches nothing; what it opens is the job's.  The row "checks", and `validate`.
 */
int steps_check_host(struct job *job, struct error *err);

/* create and run. */
extern const struct step steps_create[];
/* exec. */
extern const struct step steps_exec[];

#endif
