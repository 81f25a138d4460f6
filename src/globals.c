/* SPDX-License-Identifier: Apache-2.0 */
#include "globals.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/path.h"

static const struct option_choice formats[] = {
	{ "text", LOG_OUTPUT_TEXT },
	{ "json", LOG_OUTPUT_JSON },
	{ NULL, 0 },
};

static const struct option_choice levels[] = {
	{ "error", LOG_LEVEL_ERROR },
	{ "warning", LOG_LEVEL_WARNING },
	{ "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
	{ NULL, 0 },
};

static const struct option_choice managers[] = {
	{ "cgroupfs", CONTAINER_CGROUPFS },
	{ "systemd", CONTAINER_CGROUP_SYSTEMD },
	{ "disabled", CONTAINER_CGROUP_DISABLED },
	{ NULL, 0 },
};

static const struct option_choice rootless[] = {
	{ "auto", CONTAINER_ROOTLESS_AUTO },
	{ "true", CONTAINER_ROOTLESS_TRUE },
	{ "false", CONTAINER_ROOTLESS_FALSE },
	{ NULL, 0 },
};

#define T struct globals
const struct option_row globals_rows[] = {
	OPTION_STRING("root", 0, T, root, "DIR",
		      "the state (/run/kist, or below XDG_RUNTIME_DIR, /run/user/UID, /tmp)"),
	OPTION_STRING("log", 0, T, log, "LOG", "a file, file:PATH, journald:NAME or syslog:NAME"),
	OPTION_CHOICE("log-format", 0, T, log_format, formats, "form of the log (default: text)"),
	OPTION_CHOICE("log-level", 0, T, log_level, levels, "what is logged (default: warning)"),
	OPTION_FLAG("debug", 0, T, debug, "the same as --log-level debug"),
	OPTION_CHOICE("cgroup-manager", 0, T, cgroup_manager, managers,
		      "who makes cgroups (default: cgroupfs)"),
	OPTION_FLAG("systemd-cgroup", 0, T, systemd_cgroup, "the same as --cgroup-manager systemd"),
	OPTION_CHOICE("rootless", 0, T, rootless, rootless,
		      "go on when cgroups may not be made (default: auto)"),
	OPTION_STRING("trace", 0, T, trace, "FILE", "write the time of each step as trace events"),
	OPTION_STRING("fault", 0, T, fault, "STEP=ERRNO|kill", "fail at a step, for tests",
		      .flags = OPTION_HIDDEN),
	OPTION_FLAG("version", 'v', T, version, "show the version and what this build has"),
	OPTION_FLAG(NULL, 'V', T, version, "show the version", .flags = OPTION_HIDDEN),
	OPTION_FLAG("help", 'h', T, help, "show this help"),
	OPTION_END,
};
#undef T

/* The state directory's name must still be right after somebody changes the working directory. */
static int absolute_root(const char *root, struct arena *a, const char **out, struct error *err)
{
	char cwd[PATH_MAX], clean[PATH_MAX];
	const char *full = root;

	if (!*root)
		return error_set(err, 0, "option --root is empty");
	if (*root != '/') {
		if (!getcwd(cwd, sizeof(cwd)))
			return error_set(err, errno, "find the directory of --root %s", root);
		full = arena_printf(a, "%s/%s", cwd, root);
	}
	if (path_clean(full, clean, sizeof(clean)) < 0)
		return error_set(err, ENAMETOOLONG, "option --root");
	/* `delete` removes what is below the state root: it must never be the machine's own. */
	if (strcmp(clean, "/") == 0)
		return error_set(err, 0, "option --root must not be /");
	*out = arena_strdup(a, clean);
	return 0;
}

int globals_apply(const struct globals *g, struct container_context *ctx, struct error *err)
{
	/*
	 * conmon passes --systemd-cgroup together with "--cgroup-manager disabled": the precise
	 * word wins.
	 */
	if (g->cgroup_manager != GLOBALS_UNSET)
		ctx->cgroup_manager = (enum container_cgroup_manager)g->cgroup_manager;
	else if (g->systemd_cgroup)
		ctx->cgroup_manager = CONTAINER_CGROUP_SYSTEMD;
	ctx->rootless = g->rootless;
	/* The same options after the command are read later, and win. */
	ctx->trace = g->trace;
	ctx->fault = g->fault;
	return g->root ? absolute_root(g->root, ctx->arena, &ctx->root, err) : 0;
}
