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
 * Replaces `file` with one complete event ("ph":"X", microseconds) for each row that ran; the
 * thread is the stage. 0 or negative with err.
 */
int trace_write(const char *file, const struct step *steps, const struct job_page *page,
		struct arena *a, struct error *err);

#endif
