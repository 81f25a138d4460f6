/* SPDX-License-Identifier: Apache-2.0 */
/*
 * globals.h - the options before the command.
 */
#ifndef KIST_GLOBALS_H
#define KIST_GLOBALS_H

#include <stdbool.h>

#include "base/error.h"
#include "container.h"
#include "log_output.h"
#include "options.h"

/* An option that was not given. */
#define GLOBALS_UNSET (-1)

struct globals {
	const char *root;
	const char *log;
	enum log_output_format log_format;
	int log_level;		/* enum log_level, or GLOBALS_UNSET */
	bool debug;
	int cgroup_manager;	/* enum container_cgroup_manager, or GLOBALS_UNSET */
	bool systemd_cgroup;
	enum container_rootless rootless;
	const char *trace;
	const char *fault;
	bool version;
	bool help;
};

#define GLOBALS_INIT { .log_level = GLOBALS_UNSET, .cgroup_manager = GLOBALS_UNSET }

/* Over struct globals. */
extern const struct option_row globals_rows[];

/* What the options mean for the library.  Makes --root absolute.  0 or negative with err. */
int globals_apply(const struct globals *g, struct container_context *ctx, struct error *err);

#endif
