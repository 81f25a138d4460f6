/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage_look.h - looks at a process that is silent, to tell one that is slow from one that others
 * hold, and from one that has executed its program long since.
 */
#ifndef KIST_STAGE_LOOK_H
#define KIST_STAGE_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "job.h"

/* From one word of the process to the next; all zero at first. */
struct stage_look {
	uint64_t next_ns;	/* CLOCK_MONOTONIC: when to look */
	unsigned int n, held;	/* looks so far; those in a row that saw it held */
	bool asked, may_give_up; /* the second is known when the first is set */
};

/* Whether to look at all: at a process forked late (plan_forks_late()), and at one that starts. */
bool stage_look_applies(const struct job *job);

/*
 * If it is time: looks.  0: it may get on, 1: it has executed a program, so that only somebody else
 * can have kept the channel open; negative: it has had its time, and err says what is in its way.
 */
int stage_look(const struct job *job, struct stage_look *look, struct error *err);

#endif
