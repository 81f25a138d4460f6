/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apparmor.h - the AppArmor profile that the container process takes at its exec.
 */
#ifndef KIST_APPARMOR_H
#define KIST_APPARMOR_H

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "show.h"

struct apparmor_plan {
	const char *profile; /* NULL: none asked for, or "unconfined" where AppArmor is off */
	const char *command; /* "exec PROFILE" */
};

/* Error: a profile while AppArmor is off; running unconfined in silence is what must not happen. */
int apparmor_compile(const struct oci_config *c, const struct oci_process *p, const struct host *h,
		     struct arena *a, struct apparmor_plan *out, struct error *err);

/* Just before the exec.  proc: see proc_open(); must not be the container's own. */
int apparmor_run(const struct apparmor_plan *p, int proc, struct error *err);

void apparmor_show(const struct apparmor_plan *p, struct show *out);

#endif
