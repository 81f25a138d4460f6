/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_gvariant.h - values in the text format of GLib's GVariant, as annotations have them, into
 * what D-Bus wants: a type and plain words.
 *
 *	'text'  true  15  uint64 15  1.5  @t 15  b'bytes'
 *	['a', 'b']  @as []  [('/dev/sda', uint64 5)]
 *
 * Basic types, arrays of them, and arrays of tuples of them; properties of units that kist lets
 * through need no more.
 */
#ifndef KIST_CGROUP_GVARIANT_H
#define KIST_CGROUP_GVARIANT_H

#include <stddef.h>

#include "base/arena.h"

struct cgroup_gvariant {
	char *type;   /* D-Bus signature: "s", "t", "as", "a(st)" */
	char **words; /* the basic values in their order, NULL-terminated; numbers in decimal */
};

/*
 * want: the type it must have, or NULL for that of the text.  A bare number takes any number's
 * type.  0, or -EINVAL with a reason in *why.
 */
int cgroup_gvariant_parse(const char *text, const char *want, struct arena *a,
			  struct cgroup_gvariant *out, const char **why);

#endif
