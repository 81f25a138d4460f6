/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kist-systemd system|user - asks a systemd manager on behalf of kist, which has the other end of
 * standard input (cgroup/cgroup_helper.h).
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/unix_socket.h"
#include "cgroup/cgroup_helper.h"
#include "systemd_bus.h"

/* A manager that reads all its units again answers nobody meanwhile. */
#define CONNECT_TIMEOUT_MS 30000
/* How long a unit of the same name may take to vanish after its last process has. */
#define EXISTS_TIMEOUT_MS 2000
#define EXISTS_RETRY_MS 10

struct helper {
	struct systemd systemd;
	struct arena arena;		/* of one request */
	pid_t placeholder;		/* or -1 */
	char warning[512];
	char text[CGROUP_MESSAGE_MAX];	/* the request as it came */
};

/* --- the placeholder --- */

static void __attribute__((noreturn)) hold_place(pid_t helper)
{
	/* It must not outlive the helper: in the scope it would keep the unit alive. */
	if (sys_die_with(helper) < 0)
		_exit(1);
	(void)fd_close_range_except(0, ~0U, NULL, 0);
	for (;;)
		(void)poll(NULL, 0, -1);
}

static int start_placeholder(struct helper *h)
{
	struct sys_clone clone = { .exit_signal = SIGCHLD };
	pid_t self = getpid();

	if (h->placeholder > 0)
		return 0;
	h->placeholder = sys_clone3(&clone);
	if (h->placeholder == 0)
		hold_place(self);
	return h->placeholder < 0 ? h->placeholder : 0;
}

static void end_placeholder(struct helper *h)
{
	if (h->placeholder <= 0)
		return;
	(void)kill(h->placeholder, SIGKILL);
	(void)waitpid(h->placeholder, NULL, 0);
	h->placeholder = -1;
}

/* --- requests --- */

/* The text of ETIMEDOUT would speak of a connection. */
static int time_is_up(struct error *err)
{
	err->errnum = ETIMEDOUT;
	return -ETIMEDOUT;
}

static int bus_error(const char *verb, const char *unit, int ret, const sd_bus_error *error,
		     struct error *err)
{
	if (error->message && sd_bus_error_get_errno(error) == ETIMEDOUT) {
		error_set(err, 0, "%s unit %s: systemd does not answer", verb, unit);
		return time_is_up(err);
	}
	if (error->message)
		error_set(err, 0, "%s unit %s: systemd says: %s", verb, unit, error->message);
	else
		error_set(err, -ret, "%s unit %s", verb, unit);
	err->errnum = ret < 0 ? -ret : EIO;
	return -err->errnum;
}

/* A job that did not come to its end, or to a bad one. */
static int job_error(struct helper *h, const char *verb, const struct cgroup_request *r,
		     struct error *err)
{
	const char *job = strrchr(h->systemd.job, '/');
	char state[128], blocker[320];

	job = job ? job + 1 : "?";
	systemd_unit_state(&h->systemd, r->unit, state, sizeof(state));
	if (!*h->systemd.result) {
		error_set(err, 0, "%s unit %s: systemd has not finished job %s within %u s; "
			  "the unit is %s", verb, r->unit, job, r->timeout_ms / 1000, state);
		if (systemd_job_blocker(&h->systemd, job, blocker, sizeof(blocker)))
			error_append(err, " (the job waits for %s)", blocker);
		return time_is_up(err);
	}
	return error_set(
		err, 0,
		"%s unit %s: job %s ended with \"%s\"; the unit is %s (see journalctl --unit %s)",
		verb, r->unit, job, h->systemd.result, state, r->unit);
}

static void reset_failed(struct helper *h, const char *unit, int64_t deadline)
{
	sd_bus_message *m = NULL;

	if (systemd_method(&h->systemd, "ResetFailedUnit", &m) >= 0 &&
	    sd_bus_message_append(m, "s", unit) >= 0)
		(void)systemd_call(&h->systemd, m, deadline, NULL, NULL);
	sd_bus_message_unref(m);
}

/*
 * Leaves out one optional property that this systemd complained about by name.  Whether there was
 * one.
 */
static bool drop_property(struct helper *h, struct cgroup_request *r, const char *complaint)
{
	size_t found = r->n_properties;

	for (size_t i = 0; complaint && i < r->n_properties; i++) {
		const struct cgroup_property *p = &r->properties[i];

		/* The longest name: CPUQuota is part of CPUQuotaPeriodUSec. */
		if (p->optional && strstr(complaint, p->name) &&
		    (found == r->n_properties ||
		     strlen(p->name) > strlen(r->properties[found].name)))
			found = i;
	}
	if (found == r->n_properties)
		return false;
	snprintf(h->warning, sizeof(h->warning),
		 "systemd does not take the property %s of unit %s (%s): it is set in the cgroup "
		 "only",
		 r->properties[found].name, r->unit, complaint);
	r->n_properties--;
	memmove(&r->properties[found], &r->properties[found + 1],
		(r->n_properties - found) * sizeof(*r->properties));
	return true;
}

static int start_once(struct helper *h, const struct cgroup_request *r, int64_t deadline,
		      sd_bus_error *error)
{
	bool scope = str_ends(r->unit, ".scope");
	sd_bus_message *m = NULL;
	int ret = scope ? start_placeholder(h) : 0;

	if (ret >= 0)
		ret = systemd_method(&h->systemd, "StartTransientUnit", &m);
	if (ret >= 0)
		ret = sd_bus_message_append(m, "ss", r->unit, "fail");
	if (ret >= 0)
		ret = systemd_append_properties(m, r->properties, r->n_properties,
						scope ? h->placeholder : 0);
	if (ret >= 0)
		ret = sd_bus_message_append(m, "a(sa(sv))", 0);
	if (ret >= 0)
		ret = systemd_call_job(&h->systemd, m, deadline, error);
	sd_bus_message_unref(m);
	return ret;
}

static int start_unit(struct helper *h, struct cgroup_request *r, int64_t deadline,
		      struct error *err)
{
	int64_t exists_deadline = systemd_now() + EXISTS_TIMEOUT_MS;
	bool again = false;
	char state[128];
	int ret;

	for (;;) {
		sd_bus_error error = SD_BUS_ERROR_NULL;
		bool exists;

		ret = start_once(h, r, deadline, &error);
		exists = sd_bus_error_has_name(&error, "org.freedesktop.systemd1.UnitExists");
		if (systemd_is_broken(ret) && systemd_now() < deadline) {
			/* The manager may have taken the request before it went. */
			again = true;
			ret = systemd_connect(&h->systemd, deadline, err);
		} else if (exists && again && systemd_now() < deadline) {
			systemd_unit_state(&h->systemd, r->unit, state, sizeof(state));
			ret = str_starts(state, "active") ? 1 : 0;
			if (ret == 0) {
				reset_failed(h, r->unit, deadline);
				(void)poll(NULL, 0, EXISTS_RETRY_MS);
			}
		} else if (exists && systemd_now() < exists_deadline) {
			/*
			 * kist saw no process in its cgroup: it is about to vanish, or has failed
			 * and is only kept to be looked at.
			 */
			reset_failed(h, r->unit, deadline);
			(void)poll(NULL, 0, EXISTS_RETRY_MS);
			ret = 0;
		} else if (ret < 0 && ret != -ETIMEDOUT && drop_property(h, r, error.message)) {
			ret = 0;
		} else if (ret < 0 && (error.message || ret != -ETIMEDOUT)) {
			ret = bus_error("start", r->unit, ret, &error, err);
		} else {
			ret = ret == 0 && strcmp(h->systemd.result, "done") == 0 ? 1 :
				job_error(h, "start", r, err);
		}
		sd_bus_error_free(&error);
		if (ret != 0)
			return ret < 0 ? ret : 0;
	}
}

static int stop_unit(struct helper *h, struct cgroup_request *r, int64_t deadline,
		     struct error *err)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	int ret = systemd_method(&h->systemd, "StopUnit", &m);

	if (ret >= 0)
		ret = sd_bus_message_append(m, "ss", r->unit, "replace");
	if (ret >= 0)
		ret = systemd_call_job(&h->systemd, m, deadline, &error);
	sd_bus_message_unref(m);
	if (sd_bus_error_has_name(&error, "org.freedesktop.systemd1.NoSuchUnit"))
		ret = 0;
	else if (ret < 0 && (error.message || ret != -ETIMEDOUT))
		ret = systemd_is_broken(ret) ? ret : bus_error("stop", r->unit, ret, &error, err);
	else if (strcmp(h->systemd.result, "done") != 0)
		ret = job_error(h, "stop", r, err);
	sd_bus_error_free(&error);
	/* A unit that failed stays until somebody has taken note; that is done. */
	if (ret >= 0)
		reset_failed(h, r->unit, deadline);
	return ret;
}

static int set_properties(struct helper *h, struct cgroup_request *r, int64_t deadline,
			  struct error *err)
{
	bool again;
	int ret;

	do {
		sd_bus_error error = SD_BUS_ERROR_NULL;
		sd_bus_message *m = NULL;

		ret = systemd_method(&h->systemd, "SetUnitProperties", &m);
		if (ret >= 0)
			ret = sd_bus_message_append(m, "sb", r->unit, 1);
		if (ret >= 0)
			ret = systemd_append_properties(m, r->properties, r->n_properties, 0);
		if (ret >= 0)
			ret = systemd_call(&h->systemd, m, deadline, &error, NULL);
		again = ret < 0 && drop_property(h, r, error.message);
		if (ret < 0 && !again && !systemd_is_broken(ret))
			ret = bus_error("change", r->unit, ret, &error, err);
		sd_bus_message_unref(m);
		sd_bus_error_free(&error);
	} while (again);
	return ret;
}

static int attach_process(struct helper *h, struct cgroup_request *r, int64_t deadline,
			  struct error *err)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	int ret = systemd_method(&h->systemd, "AttachProcessesToUnit", &m);

	if (ret >= 0)
		ret = sd_bus_message_append(m, "ssau", r->unit, r->below ? r->below : "", 1,
					    (uint32_t)r->pid);
	if (ret >= 0)
		ret = systemd_call(&h->systemd, m, deadline, &error, NULL);
	if (ret < 0 && !systemd_is_broken(ret))
		ret = bus_error("attach a process to", r->unit, ret, &error, err);
	sd_bus_message_unref(m);
	sd_bus_error_free(&error);
	return ret;
}

typedef int request_fn(struct helper *h, struct cgroup_request *r, int64_t deadline,
		       struct error *err);

static int carry_out(struct helper *h, struct cgroup_request *r, struct error *err)
{
	static request_fn *const verbs[] = {
		[CGROUP_VERB_START] = start_unit,
		[CGROUP_VERB_STOP] = stop_unit,
		[CGROUP_VERB_SET] = set_properties,
		[CGROUP_VERB_ATTACH] = attach_process,
	};
	int64_t deadline = systemd_now() + r->timeout_ms;
	int ret;

	for (;;) {
		ret = verbs[r->verb](h, r, deadline, err);
		if (!systemd_is_broken(ret) || *err->text)
			return ret;
		/* All but the start, which sees to it itself, may simply be done again. */
		if (systemd_connect(&h->systemd, deadline, err) < 0)
			return -EIO;
	}
}

/* --- the conversation --- */

static int answer(struct helper *h, int ret, const struct error *err, const char *control_group)
{
	struct cgroup_reply reply = { 0 };
	struct json_out out;

	if (ret < 0) {
		reply.error = arena_strdup(&h->arena, err->text);
		reply.errnum = err->errnum;
	}
	if (control_group)
		reply.control_group = arena_strdup(&h->arena, control_group);
	if (*h->warning)
		reply.warning = h->warning;
	json_out_begin(&out, &h->arena, 0);
	json_out_object(&out, cgroup_reply_fields, &reply);
	ret = unix_socket_send(STDIN_FILENO, json_out_text(&out), out.len, -1);
	arena_free(&h->arena);
	h->warning[0] = '\0';
	return ret;
}

/* Says where the manager's own cgroup is, which is where those of its units begin. */
static int greet(struct helper *h)
{
	int64_t deadline = systemd_now() + CONNECT_TIMEOUT_MS;
	char *control_group = NULL;
	struct error err = { 0 };
	int ret;

	do {
		ret = systemd_connect(&h->systemd, deadline, &err);
		if (ret < 0)
			break;
		(void)sd_bus_set_method_call_timeout(h->systemd.bus,
						     CONNECT_TIMEOUT_MS * UINT64_C(1000));
		ret = sd_bus_get_property_string(h->systemd.bus, SYSTEMD_DEST, SYSTEMD_PATH,
						 SYSTEMD_MANAGER, "ControlGroup", NULL,
						 &control_group);
	} while (systemd_is_broken(ret) && systemd_now() < deadline);
	if (ret < 0 && !*err.text)
		error_set(&err, -ret, "ask systemd for its cgroup");
	(void)answer(h, ret, &err, control_group);
	free(control_group);
	return ret;
}

static int serve(struct helper *h)
{
	ssize_t n;

	while ((n = unix_socket_receive(STDIN_FILENO, h->text, sizeof(h->text), NULL)) > 0) {
		struct json_doc doc = {
			.name = "request", .text = h->text, .len = (size_t)n, .arena = &h->arena,
		};
		struct cgroup_request request = { 0 };
		struct error err = { 0 };
		int ret = json_read(&doc, cgroup_request_fields, &request, &err);

		if (ret == 0)
			ret = carry_out(h, &request, &err);
		if (answer(h, ret, &err, NULL) < 0)
			break;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct helper h = { .arena = ARENA_INIT, .placeholder = -1 };
	int ret;

	if (argc != 2 || (strcmp(argv[1], "system") && strcmp(argv[1], "user"))) {
		fprintf(stderr,
			"kist-systemd is a part of kist (--systemd-cgroup) and started by it\n");
		return 2;
	}
	h.systemd.user = strcmp(argv[1], "user") == 0;
	ret = greet(&h);
	if (ret >= 0)
		ret = serve(&h);
	end_placeholder(&h);
	return ret < 0;
}
