/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_helper.h - the helper program kist-systemd, and what is said between it and kist.
 *
 * systemd speaks D-Bus.  Its client library is dynamic and loads five more, so that it lives in a
 * program of its own: it starts and connects while kist reads the configuration.
 *
 * Both sit at a SOCK_SEQPACKET pair; a packet is a JSON object of the tables below.  The helper
 * speaks first: a reply with the manager's own cgroup, or with the reason why there is no manager
 * to talk to.  Then each request has one reply.  When kist closes its half, the helper lets its
 * placeholder go and exits; it dies with kist, too.
 */
#ifndef KIST_CGROUP_HELPER_H
#define KIST_CGROUP_HELPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "cgroup/cgroup_property.h"
#include "json/json.h"

/* Bytes; a socket of default size takes it. */
#define CGROUP_MESSAGE_MAX (128u << 10)

/* How long systemd may take for one request: to start or to stop a unit. */
#define CGROUP_UNIT_TIMEOUT_MS 30000

enum cgroup_verb {
	/*
	 * Starts the transient unit.  A scope begins with a placeholder of the helper in it, for
	 * without a process there is no scope; the container is born beside it, and needs not be
	 * moved (which takes 5-12 ms).
	 */
	CGROUP_VERB_START = 1,
	CGROUP_VERB_STOP,   /* and forgets that it failed; an unknown unit is success */
	CGROUP_VERB_SET,    /* changes properties */
	CGROUP_VERB_ATTACH, /* moves process pid into the unit's cgroup, or into `below` of it */
};

struct cgroup_request {
	uint32_t verb;
	char *unit;
	struct cgroup_property *properties;
	size_t n_properties;
	int32_t pid;
	char *below;
	uint32_t timeout_ms;
};

struct cgroup_reply {
	int32_t errnum;
	char *error;	     /* NULL: success */
	char *control_group; /* of the manager, in the first reply: "", "/user.slice/…" */
	char *warning;	     /* what was left out, or NULL */
};

extern const struct json_field cgroup_request_fields[];
extern const struct json_field cgroup_reply_fields[];

/* A running helper. */
struct cgroup_helper {
	int socket;			/* -1: none */
	pid_t pid;
	const char *control_group;	/* of the manager, once it has spoken */
};

#define CGROUP_HELPER_INIT { .socket = -1, .pid = -1 }

/* Whether the program is there: without it the systemd manager is an error. */
bool cgroup_helper_installed(struct arena *a);

/* Starts it and does not wait.  user: for the caller's own manager.  0 or negative. */
int cgroup_helper_start(struct cgroup_helper *h, bool user, struct arena *a, struct error *err);

/* Waits until it has spoken; then h->control_group is known.  0 or negative with its reason. */
int cgroup_helper_greet(struct cgroup_helper *h, struct arena *a, struct error *err);

/* Sends a request and does not wait.  0 or negative. */
int cgroup_helper_ask(struct cgroup_helper *h, const struct cgroup_request *r, struct arena *a,
		      struct error *err);

/* Waits for the reply to it.  0, or negative with systemd's reason. */
int cgroup_helper_answer(struct cgroup_helper *h, struct arena *a, struct error *err);

/* Lets the placeholder go and the helper end, and does not wait. */
void cgroup_helper_release(struct cgroup_helper *h);

/* The same, and waits for the end. */
void cgroup_helper_close(struct cgroup_helper *h);

#endif
