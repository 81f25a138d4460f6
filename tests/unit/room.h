/* SPDX-License-Identifier: Apache-2.0 */
/* room.h - a configuration from text, and an invented machine, for the tests of the rooms. */
#ifndef KIST_TESTS_UNIT_ROOM_H
#define KIST_TESTS_UNIT_ROOM_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "tap.h"

/* Root of the host, with all capabilities. */
static inline struct host __attribute__((unused)) room_root(void)
{
	return (struct host){ .caps_effective = UINT64_MAX,
			      .caps_bounding = UINT64_MAX,
			      .last_cap = 40 };
}

static inline struct host __attribute__((unused)) room_user(void)
{
	return (struct host){
		.euid = 1000, .egid = 1000, .user_name = (char *)"joe", .last_cap = 40
	};
}

/* members: of the configuration's object, after ociVersion. */
static inline struct oci_config *__attribute__((unused))
room_config(struct arena *a, const char *members)
{
	struct oci_config *c = NULL;
	struct error err = { 0 };
	char *text = arena_printf(a, "{\"ociVersion\": \"1.3.0\"%s%s}",
				  members[0] != '\0' ? ", " : "", members);

	if (oci_config_parse(text, strlen(text), "config.json", a, &c, &err) < 0)
		bail_out(err.text);
	return c;
}

#endif
