/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring.h - a session keyring of the container's own (session-keyring(7)), so that it does not
 * see the keys of whoever called the runtime.  For the init process and for exec alike.
 */
#ifndef KIST_KEYRING_H
#define KIST_KEYRING_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "show.h"

struct keyring_plan {
	const char *name; /* "_ses.ID"; NULL: --no-new-keyring, the caller's is kept */
};

void keyring_compile(const char *id, bool no_new_keyring, struct arena *a,
		     struct keyring_plan *out);

/*
 * Joins the keyring of that name, or creates it.  A keyring of that name that another user planted
 * is not taken: a nameless one is made then.  After selinux_keycreate_run().  Kernels without keys
 * are no error.
 */
int keyring_run(const struct keyring_plan *p, struct error *err);

void keyring_show(const struct keyring_plan *p, struct show *out);

#endif
