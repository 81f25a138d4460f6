/* SPDX-License-Identifier: Apache-2.0 */
#include "systemd_bus.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RETRY_MS 25
#define STATE_TIMEOUT_US 1000000

int64_t systemd_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool systemd_is_broken(int ret)
{
	return ret == -ENOTCONN || ret == -ECONNRESET || ret == -ECONNREFUSED || ret == -EPIPE ||
	       ret == -ESHUTDOWN || ret == -EAGAIN || ret == -ECONNABORTED;
}

/* --- connecting --- */

/*
 * The manager's own socket, which systemctl uses as well: without a message bus between, it is
 * there before that one is, and while that one restarts.
 */
static int open_private(const char *directory, sd_bus **out)
{
	char address[4096] = "unix:path=";
	size_t len = strlen(address);
	sd_bus *bus = NULL;
	int ret;

	/*
	 * An address has an escape for each byte that is not plain (D-Bus specification, "Server
	 * Addresses").
	 */
	for (const char *c = directory; *c && len < sizeof(address) - 32; c++)
		len += (size_t)snprintf(address + len, sizeof(address) - len,
					strchr(" %,:;=", *c) ? "%%%02x" : "%c", (unsigned char)*c);
	snprintf(address + len, sizeof(address) - len, "/systemd/private");
	ret = sd_bus_new(&bus);
	if (ret >= 0)
		ret = sd_bus_set_address(bus, address);
	if (ret >= 0)
		ret = sd_bus_start(bus);
	if (ret < 0) {
		sd_bus_unref(bus);
		return ret;
	}
	*out = bus;
	return 0;
}

/* An address in the environment is meant: nothing else is tried for the machine's manager. */
static int open_system(sd_bus **out)
{
	if (!getenv("DBUS_SYSTEM_BUS_ADDRESS") && geteuid() == 0 && open_private("/run", out) == 0)
		return 0;
	return sd_bus_open_system(out);
}

static int open_user(sd_bus **out)
{
	const char *directory = getenv("XDG_RUNTIME_DIR");
	char path[64];

	if (!directory && !getenv("DBUS_SESSION_BUS_ADDRESS")) {
		snprintf(path, sizeof(path), "/run/user/%u", (unsigned int)geteuid());
		directory = path;
		setenv("XDG_RUNTIME_DIR", path, 1);
	}
	if (directory && open_private(directory, out) == 0)
		return 0;
	return sd_bus_open_user(out);
}

static int connect_error(const struct systemd *s, int ret, struct error *err)
{
	if (s->user)
		return error_set(err, -ret,
				 "connect to the systemd manager of user %u (its bus is found by "
				 "XDG_RUNTIME_DIR or DBUS_SESSION_BUS_ADDRESS; `loginctl "
				 "enable-linger` keeps it "
				 "running; or use --cgroup-manager=cgroupfs)",
				 (unsigned int)geteuid());
	return error_set(err, -ret,
			 "connect to systemd (if it is not running here, use "
			 "--cgroup-manager=cgroupfs)");
}

static int on_job_removed(sd_bus_message *m, void *data, sd_bus_error *error)
{
	struct systemd *s = data;
	const char *path, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
		return 0;
	if (*s->job && strcmp(path, s->job) == 0)
		snprintf(s->result, sizeof(s->result), "%s", result);
	return 0;
}

/* Asks for signals.  Not waited for: what is sent later is also answered later. */
static int subscribe(struct systemd *s)
{
	int ret = sd_bus_match_signal_async(s->bus, NULL, SYSTEMD_DEST, SYSTEMD_PATH,
					    SYSTEMD_MANAGER, "JobRemoved", on_job_removed, NULL, s);

	if (ret >= 0)
		ret = sd_bus_call_method_async(s->bus, NULL, SYSTEMD_DEST, SYSTEMD_PATH,
					       SYSTEMD_MANAGER, "Subscribe", NULL, NULL, "");
	return ret;
}

static uint64_t microseconds_left(int64_t deadline)
{
	int64_t left = deadline - systemd_now();

	/* 0 would stand for sd-bus's own default. */
	return left > 0 ? (uint64_t)left * 1000 : 1;
}

/* The first words on a connection: sd-bus itself would wait for their answer for 90 s. */
static int wait_ready(struct systemd *s, int64_t deadline)
{
	int ret = sd_bus_is_ready(s->bus);

	while (ret == 0) {
		ret = sd_bus_process(s->bus, NULL);
		if (ret == 0 && systemd_now() >= deadline)
			return -ETIMEDOUT;
		if (ret == 0)
			ret = sd_bus_wait(s->bus, microseconds_left(deadline));
		if (ret >= 0 || ret == -EINTR)
			ret = sd_bus_is_ready(s->bus);
	}
	return ret;
}

int systemd_connect(struct systemd *s, int64_t deadline, struct error *err)
{
	int ret;

	systemd_disconnect(s);
	for (;;) {
		ret = s->user ? open_user(&s->bus) : open_system(&s->bus);
		if (ret >= 0)
			ret = subscribe(s);
		if (ret >= 0)
			ret = wait_ready(s, deadline);
		if (ret >= 0)
			return 0;
		systemd_disconnect(s);
		if (!systemd_is_broken(ret) || systemd_now() >= deadline)
			return connect_error(s, ret, err);
		(void)poll(NULL, 0, RETRY_MS);
	}
}

void systemd_disconnect(struct systemd *s)
{
	if (s->bus)
		sd_bus_close(s->bus);
	s->bus = sd_bus_unref(s->bus);
}

/* --- messages --- */

int systemd_method(struct systemd *s, const char *method, sd_bus_message **out)
{
	return sd_bus_message_new_method_call(s->bus, out, SYSTEMD_DEST, SYSTEMD_PATH,
					      SYSTEMD_MANAGER, method);
}

static int append_basic(sd_bus_message *m, char type, const char *word)
{
	long long number = strtoll(word, NULL, 10);
	unsigned long long large = strtoull(word, NULL, 10);

	switch (type) {
	case 'y':
		return sd_bus_message_append_basic(m, type, &(uint8_t){ (uint8_t)large });
	case 'b':
		return sd_bus_message_append_basic(m, type, &(int){ large != 0 });
	case 'n':
		return sd_bus_message_append_basic(m, type, &(int16_t){ (int16_t)number });
	case 'q':
		return sd_bus_message_append_basic(m, type, &(uint16_t){ (uint16_t)large });
	case 'i':
		return sd_bus_message_append_basic(m, type, &(int32_t){ (int32_t)number });
	case 'u':
		return sd_bus_message_append_basic(m, type, &(uint32_t){ (uint32_t)large });
	case 'x':
		return sd_bus_message_append_basic(m, type, &(int64_t){ number });
	case 't':
		return sd_bus_message_append_basic(m, type, &(uint64_t){ large });
	case 'd':
		return sd_bus_message_append_basic(m, type, &(double){ strtod(word, NULL) });
	case 's':
	case 'o':
	case 'g':
		return sd_bus_message_append_basic(m, type, word);
	default:
		return -EINVAL;
	}
}

/* members: "(st)" without its brackets. */
static int append_tuple(sd_bus_message *m, const char *members, char *const **words)
{
	int ret = sd_bus_message_open_container(m, 'r', members);

	for (; ret >= 0 && *members; members++)
		ret = **words ? append_basic(m, *members, *(*words)++) : -EINVAL;
	return ret < 0 ? ret : sd_bus_message_close_container(m);
}

static int append_array(sd_bus_message *m, const char *element, char *const *words)
{
	int ret = sd_bus_message_open_container(m, 'a', element);
	size_t len = strlen(element);
	char members[32] = "";

	/* "(st)" holds "st"; what else begins like that was refused by the line above. */
	if (*element == '(' && len > 2 && len < sizeof(members))
		memcpy(members, element + 1, len - 2);
	while (ret >= 0 && *words)
		ret = *members ? append_tuple(m, members, &words)
			       : append_basic(m, *element, *words++);
	return ret < 0 ? ret : sd_bus_message_close_container(m);
}

static int append_property(sd_bus_message *m, const struct cgroup_property *p)
{
	char *const none[] = { NULL };
	char *const *words = p->values ? p->values : none;
	int ret = sd_bus_message_open_container(m, 'r', "sv");

	if (ret >= 0)
		ret = sd_bus_message_append_basic(m, 's', p->name);
	if (ret >= 0)
		ret = sd_bus_message_open_container(m, 'v', p->type);
	if (ret >= 0 && *p->type == 'a')
		ret = append_array(m, p->type + 1, words);
	else if (ret >= 0)
		ret = *words ? append_basic(m, *p->type, *words) : -EINVAL;
	if (ret >= 0)
		ret = sd_bus_message_close_container(m);
	return ret < 0 ? ret : sd_bus_message_close_container(m);
}

int systemd_append_properties(sd_bus_message *m, const struct cgroup_property *list, size_t n,
			      pid_t pid)
{
	int ret = sd_bus_message_open_container(m, 'a', "(sv)");

	for (size_t i = 0; ret >= 0 && i < n; i++)
		ret = append_property(m, &list[i]);
	if (ret >= 0 && pid > 0)
		ret = sd_bus_message_append(m, "(sv)", "PIDs", "au", 1, (uint32_t)pid);
	return ret < 0 ? ret : sd_bus_message_close_container(m);
}

/* --- calling --- */

int systemd_call(struct systemd *s, sd_bus_message *m, int64_t deadline, sd_bus_error *error,
		 sd_bus_message **reply)
{
	return sd_bus_call(s->bus, m, microseconds_left(deadline), error, reply);
}

int systemd_call_job(struct systemd *s, sd_bus_message *m, int64_t deadline, sd_bus_error *error)
{
	sd_bus_message *reply = NULL;
	const char *path;
	int ret;

	s->job[0] = s->result[0] = '\0';
	ret = systemd_call(s, m, deadline, error, &reply);
	if (ret >= 0)
		ret = sd_bus_message_read(reply, "o", &path);
	if (ret >= 0)
		snprintf(s->job, sizeof(s->job), "%s", path);
	sd_bus_message_unref(reply);
	while (ret >= 0 && !*s->result) {
		ret = sd_bus_process(s->bus, NULL);
		if (ret != 0)
			continue;
		if (systemd_now() >= deadline)
			return -ETIMEDOUT;
		ret = sd_bus_wait(s->bus, microseconds_left(deadline));
		if (ret == -EINTR)
			ret = 0;
	}
	return ret < 0 ? ret : 0;
}

bool systemd_job_blocker(struct systemd *s, const char *job, char *text, size_t size)
{
	uint32_t id = (uint32_t)strtoul(job, NULL, 10);
	const char *unit, *type, *state, *job_path, *unit_path;
	sd_bus_message *reply = NULL;
	int ret;

	(void)sd_bus_set_method_call_timeout(s->bus, STATE_TIMEOUT_US);
	/* Those that come before it. */
	ret = sd_bus_call_method(s->bus, SYSTEMD_DEST, SYSTEMD_PATH, SYSTEMD_MANAGER,
				 "GetJobBefore", NULL, &reply, "u", id);
	if (ret >= 0)
		ret = sd_bus_message_enter_container(reply, 'a', "(usssoo)");
	if (ret >= 0)
		ret = sd_bus_message_read(reply, "(usssoo)", &id, &unit, &type, &state, &job_path,
					  &unit_path);
	if (ret > 0)
		snprintf(text, size, "job %u (%s) of unit %s", id, type, unit);
	sd_bus_message_unref(reply);
	return ret > 0;
}

void systemd_unit_state(struct systemd *s, const char *unit, char *state, size_t size)
{
	static const char interface[] = "org.freedesktop.systemd1.Unit";
	char *path = NULL, *active = NULL, *sub = NULL;

	(void)sd_bus_set_method_call_timeout(s->bus, STATE_TIMEOUT_US);
	if (sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &path) >= 0 &&
	    sd_bus_get_property_string(s->bus, SYSTEMD_DEST, path, interface, "ActiveState", NULL,
				       &active) >= 0 &&
	    sd_bus_get_property_string(s->bus, SYSTEMD_DEST, path, interface, "SubState", NULL,
				       &sub) >= 0)
		snprintf(state, size, "%s/%s", active, sub);
	else
		snprintf(state, size, "state unknown");
	free(path);
	free(active);
	free(sub);
}
