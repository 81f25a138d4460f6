/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/cgroup_helper.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/unix_socket.h"

#ifndef KIST_LIBEXECDIR
#define KIST_LIBEXECDIR "/usr/local/libexec/kist"
#endif
#define HELPER "kist-systemd"

/* Beyond what the helper itself allows systemd, and its own time to connect. */
#define ANSWER_TIMEOUT_MS (CGROUP_UNIT_TIMEOUT_MS + 10000)
#define END_TIMEOUT_MS 2000

static const struct json_choice verbs[] = {
	{ "start", CGROUP_VERB_START },
	{ "stop", CGROUP_VERB_STOP },
	{ "set", CGROUP_VERB_SET },
	{ "attach", CGROUP_VERB_ATTACH },
	{ NULL, 0 }
};

#define JSON_TYPE struct cgroup_request
const struct json_field cgroup_request_fields[] = {
	CHOICE(verb, "verb", verbs, JSON_REQUIRED),
	FIELD(unit, "unit", JSON_REQUIRED),
	LIST(properties, "properties", cgroup_property_fields, JSON_OPTIONAL),
	FIELD(pid, "pid", JSON_OPTIONAL),
	FIELD(below, "below", JSON_OPTIONAL),
	FIELD(timeout_ms, "timeoutMs", JSON_REQUIRED),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct cgroup_reply
const struct json_field cgroup_reply_fields[] = {
	FIELD(errnum, "errno", JSON_OPTIONAL),
	FIELD(error, "error", JSON_OPTIONAL),
	FIELD(control_group, "controlGroup", JSON_OPTIONAL),
	FIELD(warning, "warning", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

/* --- the process --- */

static const char installed[] = KIST_LIBEXECDIR "/" HELPER;

/* What the child needs between clone and exec. */
struct program {
	const char *paths[3];		/* tried in this order */
	char *argv[3];
	char *envp[4];
	const char *missing;		/* the reply when it cannot be executed */
	pid_t kist;
};

/*
 * The helper of a build tree lies beside its kist; who can write there can replace kist as well.  A
 * sealed copy of kist (self_exe.h) has the name of what it was made from.
 */
static const char *beside(struct arena *a)
{
	static const char memory[] = "/memfd:";
	char text[PATH_MAX], *path = text, *slash;
	ssize_t n = readlink("/proc/self/exe", text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	if (str_starts(path, memory))
		path += strlen(memory);
	slash = strrchr(path, '/');
	return slash ? arena_printf(a, "%.*s/libexec/" HELPER, (int)(slash - path), path) : NULL;
}

/* Only what finds the bus: the helper is none of the caller's programs. */
static void set_environment(struct program *p, struct arena *a)
{
	static const char *const names[] = {
		"DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR",
	};
	size_t n = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			p->envp[n++] = arena_printf(a, "%s=%s", names[i], value);
	}
	p->envp[n] = NULL;
}

bool cgroup_helper_installed(struct arena *a)
{
	const char *first = beside(a);

	return access(installed, X_OK) == 0 || (first && access(first, X_OK) == 0);
}

static void describe(struct program *p, bool user, struct arena *a)
{
	struct cgroup_reply reply = { .errnum = ENOENT };
	const char *first = beside(a);
	struct json_out out;

	p->paths[0] = first ? first : installed;
	p->paths[1] = first ? installed : NULL;
	p->argv[0] = arena_strdup(a, HELPER);
	p->argv[1] = arena_strdup(a, user ? "user" : "system");
	set_environment(p, a);
	reply.error =
		arena_printf(a,
			     "the systemd cgroup manager needs the program %s, which cannot be "
			     "executed: install it, or build kist where libsystemd's development "
			     "package is (libsystemd-dev, systemd-devel); or use "
			     "--cgroup-manager=cgroupfs",
			     installed);
	json_out_begin(&out, a, 0);
	json_out_object(&out, cgroup_reply_fields, &reply);
	p->missing = json_out_text(&out);
}

static void __attribute__((noreturn)) run(const struct program *p, int sock)
{
	const struct sigaction def = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig <= SIGRTMAX; sig++)
		sigaction(sig, &def, NULL);
	sigemptyset(&none);
	/* In the middle of a call to systemd the helper does not look at the socket. */
	if (sys_die_with(p->kist) < 0)
		_exit(1);
	/*
	 * Out of the terminal's reach: a ^C is for kist, which then needs the helper to clear up.
	 */
	if (sigprocmask(SIG_SETMASK, &none, NULL) == 0 && setsid() > 0 &&
	    dup2(sock, STDIN_FILENO) == 0 && dup2(STDERR_FILENO, STDOUT_FILENO) == 1 &&
	    fd_close_range_except(3, ~0U, NULL, 0) == 0) {
		for (size_t i = 0; p->paths[i]; i++)
			execve(p->paths[i], p->argv, p->envp);
	}
	(void)unix_socket_send(STDIN_FILENO, p->missing, strlen(p->missing), -1);
	_exit(127);
}

int cgroup_helper_start(struct cgroup_helper *h, bool user, struct arena *a, struct error *err)
{
	struct sys_clone clone = { .exit_signal = SIGCHLD };
	struct program program = { .kist = getpid() };
	int pair[2];

	if (h->socket >= 0)
		return 0;
	describe(&program, user, a);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set(err, errno, "socketpair");
	h->socket = pair[0];
	h->pid = sys_clone3(&clone);
	if (h->pid == 0)
		run(&program, pair[1]);
	fd_close(&pair[1]);
	if (h->pid < 0) {
		int ret = error_set(err, (int)-h->pid, "start " HELPER);

		fd_close(&h->socket);
		return ret;
	}
	return 0;
}

void cgroup_helper_release(struct cgroup_helper *h)
{
	if (h->socket >= 0)
		(void)shutdown(h->socket, SHUT_WR);
}

void cgroup_helper_close(struct cgroup_helper *h)
{
	struct pollfd p = { .fd = h->socket, .events = POLLIN };
	char rest[64];

	if (h->socket < 0)
		return;
	cgroup_helper_release(h);
	/* Nothing was asked of it yet, and it may still be waiting for the bus. */
	if (!h->control_group)
		(void)kill(h->pid, SIGKILL);
	/*
	 * Its end of the socket goes last: then the placeholder is gone.  Unread replies come
	 * before.
	 */
	while (poll(&p, 1, END_TIMEOUT_MS) > 0 && recv(h->socket, rest, sizeof(rest), 0) > 0)
		;
	fd_close(&h->socket);
	/* One that hangs dies with kist. */
	(void)waitpid(h->pid, NULL, WNOHANG);
	h->pid = -1;
}

/* --- talking --- */

static int receive(struct cgroup_helper *h, struct arena *a, struct cgroup_reply *reply,
		   struct error *err)
{
	char *text = arena_alloc(a, CGROUP_MESSAGE_MAX);
	struct json_doc doc = { .name = HELPER, .text = text, .arena = a };
	struct pollfd p = { .fd = h->socket, .events = POLLIN };
	ssize_t n;

	do {
		n = poll(&p, 1, ANSWER_TIMEOUT_MS);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return error_set(err, ETIMEDOUT, "no answer from " HELPER " for %d s",
				 ANSWER_TIMEOUT_MS / 1000);
	n = unix_socket_receive(h->socket, text, CGROUP_MESSAGE_MAX, NULL);
	if (n < 0)
		return error_set(err, (int)-n, "receive from " HELPER);
	if (n == 0)
		return error_set(err, 0, HELPER " ended unexpectedly");
	doc.len = (size_t)n;
	*reply = (struct cgroup_reply){ 0 };
	if (json_read(&doc, cgroup_reply_fields, reply, err) < 0)
		return -EPROTO;
	if (reply->warning)
		log_warning("%s", reply->warning);
	if (!reply->error)
		return 0;
	error_set(err, 0, "%s", *reply->error ? reply->error : HELPER " failed without a reason");
	if (err)
		err->errnum = reply->errnum > 0 ? reply->errnum : 0;
	return reply->errnum > 0 ? -reply->errnum : -EINVAL;
}

int cgroup_helper_greet(struct cgroup_helper *h, struct arena *a, struct error *err)
{
	struct cgroup_reply reply;
	int ret;

	if (h->control_group)
		return 0;
	ret = receive(h, a, &reply, err);
	if (ret < 0)
		return ret;
	h->control_group = reply.control_group ? reply.control_group : "";
	return 0;
}

int cgroup_helper_ask(struct cgroup_helper *h, const struct cgroup_request *r, struct arena *a,
		      struct error *err)
{
	int ret = cgroup_helper_greet(h, a, err);
	struct json_out out;
	const char *text;

	if (ret < 0)
		return ret;
	json_out_begin(&out, a, 0);
	json_out_object(&out, cgroup_request_fields, r);
	text = json_out_text(&out);
	if (out.len > CGROUP_MESSAGE_MAX)
		return error_set(err, EMSGSIZE, "the properties of unit %s", r->unit);
	ret = unix_socket_send(h->socket, text, out.len, -1);
	return ret < 0 ? error_set(err, -ret, "send to " HELPER) : 0;
}

int cgroup_helper_answer(struct cgroup_helper *h, struct arena *a, struct error *err)
{
	struct cgroup_reply reply;

	return receive(h, a, &reply, err);
}
