/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal_proxy.h - `kist run` and `exec` in the foreground: stands between the caller and the
 * container.
 *
 * One poll() loop over a signalfd, the container's pidfd, and for a terminal the caller's and the
 * container's.  Without a terminal the container has the caller's streams themselves: nothing is
 * copied. Every signal is passed on but SIGCHLD, SIGURG and SIGWINCH; the last sets the size of the
 * terminal.  No write blocks the loop: a caller whose terminal takes nothing is waited for until 2
 * seconds after the end of the process; what has not been taken by then is lost.
 */
#ifndef KIST_TERMINAL_PROXY_H
#define KIST_TERMINAL_PROXY_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct terminal_proxy {
	int signals;			/* signalfd */
	sigset_t old_mask;		/* give it back in children and at the end */
};

#define TERMINAL_PROXY_INIT { .signals = -1 }

/*
 * Before the first process is made: blocks the signals to be passed on, so that none is lost or
 * kills us before there is somebody to pass it to.  0 or negative.
 */
int terminal_proxy_begin(struct terminal_proxy *p, struct error *err);

/*
 * Stays until process pid, a child of the caller or of its dead children (PR_SET_CHILD_SUBREAPER),
 * has ended. pidfd: of pid.  master: the container's terminal, or -1.  The caller's terminal is raw
 * meanwhile, and has its modes again when this returns.  *status: as of waitpid().  0 or negative.
 */
int terminal_proxy_run(struct terminal_proxy *p, pid_t pid, int pidfd, int master, int *status,
		       struct error *err);

/* Closes the signalfd and gives the signal mask back. */
void terminal_proxy_end(struct terminal_proxy *p);

#endif
