/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage.h - carries a step table out: processes, frames, serving, roll-back, trace, fault
 * injection.
 */
#ifndef KIST_STAGE_H
#define KIST_STAGE_H

#include <stdbool.h>

#include "base/error.h"
#include "job.h"
#include "show.h"

/*
 * Walks the table from the top, in whichever process it finds itself: a row that starts a process
 * returns twice, and the copy goes on with the rows of its stage.  In the parent it returns when
 * all rows are done and the container process was executed, or waits for `start`.  In a child it
 * does not return. On failure everything was undone and err names the stage and the step.  0 or
 * negative.
 */
int stage_run(struct job *job, struct error *err);

/*
 * Undoes every row in reverse order, from the record.  Stops at the first failure, so that the
 * record, which goes last, is there for another `delete --force`.  0 or negative.
 */
int stage_undo(struct job *job, struct error *err);

/*
 * Waits until the process at the other end of job->channel has executed the container's program
 * (the channel closes) or has failed (the page says how).  For the parent of a running container,
 * and for `start`. timeout_ms: -1 = none.  0 or negative.
 */
int stage_wait_exec(struct job *job, int timeout_ms, struct error *err);

/* Prints the rows that apply, without any side effect. */
void stage_show(const struct job *job, struct show *out);

/* --fault STEP=ERRNO|kill, STEP/serve=...  0 or -EINVAL with err. */
int stage_parse_fault(const char *text, struct job_fault *out, struct arena *a, struct error *err);

/*
 * The memory that the processes share.  with_fd: what the last process writes lies on
 * job->report_fd, which `start` will take.  0 or negative.
 */
int stage_page_new(struct job *job, bool with_fd, struct error *err);

/* For `start`: maps what came as job->report_fd, to read.  Anything else than that is refused. */
int stage_page_take(struct job *job, struct error *err);

#endif
