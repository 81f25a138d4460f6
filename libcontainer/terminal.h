/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal.h - the container's pseudo-terminal, and the ownership of its standard streams.
 *
 * The terminal is made in the container's own devpts by the child, so that its name is right
 * inside.  Its slave comes from TIOCGPTPEER, never from a path: a path in the container may lead
 * anywhere (CVE-2025-52565).  The master goes to the engine by --console-socket, or to the waiting
 * `kist run`, as one descriptor with a NUL-terminated name.
 *
 * Source: config.md "process.terminal", "process.consoleSize"; pty(7), ioctl_tty(2), unix(7).
 */
#ifndef KIST_TERMINAL_H
#define KIST_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "show.h"

struct terminal_plan {
	bool wanted;
	bool foreground;		/* the command passes the caller's own terminal on */
	bool has_size;
	uint16_t rows, columns;
	uint32_t uid;			/* inside: who owns the terminal and the standard streams */
};

/*
 * process: that of the config, or of exec.  detach: the command returns before the process ends
 * (create, -d). console_socket: path or NULL.  Errors when the two do not fit.
 */
int terminal_compile(const struct oci_config *c, const struct oci_process *process, bool detach,
		     const char *console_socket, struct terminal_plan *out, struct error *err);

/*
 * In the parent, before anything else happens: connects to --console-socket.  cancel: a descriptor
 * that ends the wait when it is readable.  >= 0 or negative.
 */
int terminal_connect(const char *path, int cancel, struct error *err);

/*
 * In the child: opens a terminal of the devpts on /dev/pts below root, after proof that it is one.
 * *master and *slave are the caller's.  Size and owner are set before the program can look: in the
 * foreground the size is that of the terminal at standard input, if there is one, and ONLCR is off.
 */
int terminal_open_run(const struct terminal_plan *p, int root, int *master, int *slave,
		      struct error *err);

/* In the child: hands the master over, with its name.  The caller closes it. */
int terminal_send_run(int sock, int master, struct error *err);

/* In the child: a new session with the terminal as its own, and as standard streams 0-2. */
int terminal_attach_run(int slave, struct error *err);

/*
 * In the child, without a terminal: gives pipes that are its standard streams to the process's
 * user, so that it can open /dev/stdout again.  Files and devices stay their owners'.
 */
int terminal_stdio_run(const struct terminal_plan *p, struct error *err);

/*
 * In the foreground parent: the master that terminal_send_run() sent.  >= 0 or negative.
 */
int terminal_receive(int sock, int timeout_ms, struct error *err);

void terminal_show(const struct terminal_plan *p, struct show *out);

#endif
