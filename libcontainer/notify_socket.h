/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify_socket.h - sd_notify(3) across the container's border.
 *
 * When the service manager gave the runtime a NOTIFY_SOCKET, the container gets a socket of its
 * own: a directory of the state directory is mounted on /run/notify inside, read-only.  `start`
 * waits until READY=1 arrives there, and passes it on with MAINPID= of the container's init as the
 * manager sees it, and a barrier so that the manager has read it before the runtime is gone.  The
 * container never talks to the manager itself: it could claim any MAINPID.
 *
 * Source: sd_notify(3), systemd.service(5) Type=notify.
 */
#ifndef KIST_NOTIFY_SOCKET_H
#define KIST_NOTIFY_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "show.h"

#define NOTIFY_SOCKET_DIRECTORY                                                                    \
	"notify" /* in the state directory, and its mount's last component inside */
#define NOTIFY_SOCKET_TARGET "/run/notify"
#define NOTIFY_SOCKET_NAME "notify.sock"
#define NOTIFY_SOCKET_ENV "NOTIFY_SOCKET=" NOTIFY_SOCKET_TARGET "/" NOTIFY_SOCKET_NAME

struct notify_socket_plan {
	const char *host;		/* the manager's socket; NULL: none, nothing is done */
};

/* host: NOTIFY_SOCKET of the caller's environment, or NULL. */
int notify_socket_compile(const char *host, struct notify_socket_plan *out, struct error *err);

/* In the parent at create: makes the directory in the state directory.  It goes with it. */
int notify_socket_prepare(const struct notify_socket_plan *p, int state_dir, struct error *err);

/*
 * In the child, in its mount namespace, after the mounts of the config and before the pivot: mounts
 * that directory below root, which is made if it is missing.  state_dir as above.
 */
int notify_socket_run(const struct notify_socket_plan *p, int state_dir, int root,
		      struct error *err);

/* At start, if p->host is set, before the process runs: binds the socket.  >= 0 or negative. */
int notify_socket_open(int state_dir, struct error *err);

/* What ends the wait for READY=1. */
struct notify_socket_wait {
	pid_t pid;	/* the container's init */
	int pidfd;	/* of it; an end before READY=1 is no error: its exit status says more */
	int cancel;	/* a descriptor that becomes readable: -EINTR; -1: none */
	int timeout_ms;	/* -ETIMEDOUT; -1: as long as init lives (the manager has its own limit) */
};

/* At start, after the process runs: waits for READY=1 on sock, and passes it on. */
int notify_socket_serve(const struct notify_socket_plan *p, int sock,
			const struct notify_socket_wait *wait, struct error *err);

/* Whether a datagram of the container has a line that is exactly READY=1. */
bool notify_socket_is_ready(const char *text, size_t len);

void notify_socket_show(const struct notify_socket_plan *p, struct show *out);

#endif
