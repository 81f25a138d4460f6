/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - the clock that deadlines are counted by: CLOCK_MONOTONIC, which nobody can set.
 */
#ifndef KIST_BASE_CLOCK_H
#define KIST_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_MS 1000000

static inline int64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int64_t clock_ms(void)
{
	return clock_ns() / NS_PER_MS;
}

#endif
