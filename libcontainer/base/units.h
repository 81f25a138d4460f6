/* SPDX-License-Identifier: Apache-2.0 */
/*
 * units.h - numbers with units, as people and engines write them.
 */
#ifndef KIST_BASE_UNITS_H
#define KIST_BASE_UNITS_H

#include <stdint.h>

/*
 * A size in bytes: "4096", "10m", "1.5GiB", "512 kB".  K, M, G, T and P, in either case, are powers
 * of 1024, whatever follows them ("i", "B", "iB"): so do the engines count memory.  Fractions of a
 * byte are cut.  "-1" is -1, unlimited.  0, -EINVAL, or -ERANGE above INT64_MAX.
 */
int units_size(const char *s, int64_t *out);

/*
 * A duration of Go in nanoseconds: "5s", "100ms", "1m30s", "1.5h", "0"; units ns, us, ms, s, m, h.
 * No sign.  0, -EINVAL (a unit is missing, too), or -ERANGE.
 */
int units_duration(const char *s, int64_t *out);

#endif
