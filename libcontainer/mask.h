/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mask.h - linux.maskedPaths and linux.readonlyPaths (config-linux.md): parts of the kernel's file
 * systems that the container must not read, or not write.
 */
#ifndef KIST_MASK_H
#define KIST_MASK_H

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "show.h"

/* Clean absolute paths, each once. */
struct mask_plan {
	const char **masked;
	size_t n_masked;
	const char **readonly;
	size_t n_readonly;
};

/* Errors: a path that is not absolute; any path without a mount namespace of the container's own.
 */
int mask_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		 struct mask_plan *out, struct error *err);

/*
 * Child, after mounts and devices, before pivot_root.  Paths that do not exist are left out; a
 * symlink as the last component is refused.  Read-only paths: the tree, bound on itself.  Masked
 * files: /dev/null, proven to be the real one (CVE-2025-31133); masked directories: one empty
 * read-only tmpfs for all.
 */
int mask_run(const struct mask_plan *p, int root, struct error *err);

void mask_show(const struct mask_plan *p, struct show *out);

#endif
