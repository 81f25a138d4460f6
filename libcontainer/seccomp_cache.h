/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_cache.h - compiled filters, kept below the state root.
 */
#ifndef KIST_SECCOMP_CACHE_H
#define KIST_SECCOMP_CACHE_H

#include "base/arena.h"
#include "host.h"
#include "oci/oci.h"
#include "seccomp.h"

/* Below the state root; it holds no state file, so `list` passes over it. */
#define SECCOMP_CACHE_DIR ".cache/seccomp"

/*
 * Looks for the compiled form of c's profile.  state_root: descriptor of the state root, or -1: no
 * cache. Returns 1 and fills out->program, or 0: not there, or not trustworthy (owner, mode, links,
 * length, key; a debug line says so).  Never fails.  A hit needs the same profile text, kist,
 * libseccomp and architecture, compared byte for byte.
 */
int seccomp_cache_get(int state_root, const struct oci_config *c, const struct host *h,
		      struct arena *a, struct seccomp_plan *out);

/*
 * Keeps p->program for the next time; the oldest entry goes when there are many.  Failures are
 * debug lines.
 */
void seccomp_cache_put(int state_root, const struct oci_config *c, const struct host *h,
		       struct arena *a, const struct seccomp_plan *p);

#endif
