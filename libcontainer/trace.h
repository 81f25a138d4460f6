/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.h - the times of a job as a Chrome trace-event file (chrome://tracing, Perfetto).
 */
#ifndef KIST_TRACE_H
#define KIST_TRACE_H

#include "base/error.h"
#include "job.h"
#include "steps.h"

/*
 * Replaces job->trace with one complete event ("ph":"X", microseconds) for each row that ran or was
 * undone; the thread is the stage.  0 or negative with err.
 */
int trace_write(const struct job *job, struct error *err);

#endif
