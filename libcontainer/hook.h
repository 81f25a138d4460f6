/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook.h - the programs of the caller that run at points of the container's life.
 *
 * A hook gets the container's state on standard input, descriptors 0-2 and nothing else, and the
 * environment of its own entry: never the runtime's, and never the container's (CVE-2025-23266:
 * LD_PRELOAD from an image).  The one exception: startContainer hooks without `env` run inside the
 * container, and get its process's.
 *
 * Source: config.md "POSIX-platform Hooks", runtime.md "Lifecycle".
 */
#ifndef KIST_HOOK_H
#define KIST_HOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "show.h"

enum hook_kind {
	HOOK_PRESTART,		/* runtime namespace */
	HOOK_CREATE_RUNTIME,	/* runtime namespace */
	HOOK_CREATE_CONTAINER,	/* container namespaces, but before the pivot: a path of the host */
	HOOK_START_CONTAINER,	/* container namespaces, path below the container's root */
	HOOK_POSTSTART,		/* runtime namespace */
	HOOK_POSTSTOP,		/* runtime namespace */
	HOOK_KINDS,
};

struct hook {
	const char *path;
	char *const *argv;
	char *const *envp;		/* NULL: that of the container process */
	int timeout_ms;			/* 0: none */
	const void *member;
	const char *where;		/* for errors: file, line, column and member */
};

struct hook_list {
	struct hook *hooks;
	size_t n;
};

struct hook_plan {
	struct hook_list kinds[HOOK_KINDS];
	const struct oci_config *config;
};

int hook_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		 struct hook_plan *out, struct error *err);

/*
 * Finds out before anything is made whether the hooks that run from the host's file system are
 * there and executable. One access() each, in the parent.
 */
int hook_check(const struct hook_plan *p, struct error *err);

static inline bool hook_any(const struct hook_plan *p, enum hook_kind kind)
{
	return p->kinds[kind].n > 0;
}

/* What hooks get. */
struct hook_input {
	const char *state;		/* the container's state as JSON, for standard input */
	char *const *process_env;	/* for startContainer hooks without env, else unused */
	int cancel; /* signalfd, or <= 0: a signal to the command ends a hook too */
};

/*
 * Runs the hooks of one kind in their order, in the calling process's namespaces.
 * The first failure ends it, with the hook's name and number, how it ended, and the end of its
 * output; but a failed poststop hook is only a warning, and the others still run.  Each of
 * those is ended only by a signal that comes while it runs.
 * Allocates nothing: usable between clone and exec.  Blocks until the hook ends, its timeout, or
 * cancel.
 */
int hook_run(const struct hook_plan *p, enum hook_kind kind, const struct hook_input *input,
	     struct error *err);

void hook_show(const struct hook_plan *p, enum hook_kind kind, struct show *out);

#endif
