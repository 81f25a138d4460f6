/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd_bus.h - a connection to a service manager, and calls on it that end within a time.
 */
#ifndef KIST_LIBEXEC_SYSTEMD_BUS_H
#define KIST_LIBEXEC_SYSTEMD_BUS_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "base/error.h"
#include "cgroup/cgroup_property.h"

#define SYSTEMD_DEST "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"

struct systemd {
	sd_bus *bus;
	bool user;
	char job[128];			/* the one that is waited for */
	char result[32];		/* "" until it has ended */
};

/* Milliseconds of the monotonic clock. */
int64_t systemd_now(void);

/*
 * Connects, also again.  A manager or bus that is just restarting is waited for until deadline.
 * 0 or negative.
 */
int systemd_connect(struct systemd *s, int64_t deadline, struct error *err);
void systemd_disconnect(struct systemd *s);

/* Whether a call failed since the connection broke: it may be tried on a new one. */
bool systemd_is_broken(int ret);

/* A new message for a method of the manager.  0 or -errno. */
int systemd_method(struct systemd *s, const char *method, sd_bus_message **out);

/* Properties, "a(sv)", into m; pid > 0: and PIDs.  0 or -errno. */
int systemd_append_properties(sd_bus_message *m, const struct cgroup_property *list, size_t n,
			      pid_t pid);

/* Calls; an error's text stays in *error.  0 or -errno. */
int systemd_call(struct systemd *s, sd_bus_message *m, int64_t deadline, sd_bus_error *error,
		 sd_bus_message **reply);

/*
 * Calls a method that starts a job, and waits for that job's end: s->result.  0 or -errno
 * (-ETIMEDOUT).
 */
int systemd_call_job(struct systemd *s, sd_bus_message *m, int64_t deadline, sd_bus_error *error);

/* What the job has to wait for: "job 17 (start) of unit a.service"; false: not known. */
bool systemd_job_blocker(struct systemd *s, const char *job, char *text, size_t size);

/* "active/running", or "state unknown" when the manager does not answer within a second. */
void systemd_unit_state(struct systemd *s, const char *unit, char *state, size_t size);

#endif
