/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn.h - run a program of the host or of the container (hook, helper) with a deadline.
 */
#ifndef KIST_BASE_SPAWN_H
#define KIST_BASE_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct spawn {
	const char *path;		/* absolute */
	char *const *argv;		/* argv[0] as given */
	char *const *envp;		/* complete; NULL-terminated, may be empty */
	const char *input;		/* text for standard input, or NULL: empty */
	size_t input_len;
	int timeout_ms;			/* <= 0: none */
	int cancel;			/* descriptor that ends it by becoming readable; 0: none */
	char *output;			/* last bytes of stdout and stderr, or NULL: inherited */
	size_t output_size;		/* NUL-terminated always */
};

enum spawn_end { SPAWN_EXITED, SPAWN_SIGNALED, SPAWN_TIMED_OUT };

struct spawn_result {
	enum spawn_end end;
	int status;			/* exit status, or signal */
};

/*
 * Runs it and waits.  The child gets descriptors 0-2 only, default signal dispositions, an empty
 * signal mask and a process group of its own, which is killed whole on a time-out.
 * Standard input is a memory file: a program that does not read it cannot block or SIGPIPE the
 * caller, and no /dev/null is opened, which may be a container's.
 * Our own 0-2 must be open (fd_sanitize_stdio()).  No allocation, usable between clone and exec.
 * Returns 0 (see *result) or -errno: the program could not be started; -ECANCELED: it was ended
 * because s->cancel became readable (nothing is read from it).
 */
int spawn_run(const struct spawn *s, struct spawn_result *result);

/*
 * Looks a program of the host up in $PATH, or in the usual places without one (podman runs the
 * runtime so).  Only absolute directories count: "." may be a bundle or the root file system of a
 * container, whose programs must not run on the host (CVE-2026-41567).  True: out has its path.
 */
bool spawn_find(const char *name, char *out, size_t size);

#endif
