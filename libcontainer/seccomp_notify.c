/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_notify.c - hands the listener of a filter to the agent that answers for it
 * (seccomp_unotify(2)).
 */
#include "seccomp.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"
#include "base/unix_socket.h"
#include "json/json.h"

/*
 * Stands for the pid until it is known.  No JSON text contains it: control characters are escaped
 * there.
 */
#define PID_MARK     "\001"
/* An agent that takes no connection, or does not read, must not hold up the container for ever. */
#define AGENT_MS 10000

static void write_state(struct json_out *o, const struct oci_config *c, const char *id,
			const char *bundle, const char *status)
{
	json_out_open_object(o);
	json_out_key(o, "ociVersion");
	json_out_string(o, OCI_VERSION);
	json_out_key(o, "id");
	json_out_string(o, id);
	json_out_key(o, "status");
	json_out_string(o, status);
	json_out_key(o, "pid");
	json_out_raw(o, PID_MARK, 1);
	json_out_key(o, "bundle");
	json_out_string(o, bundle);
	if (c->n_annotations > 0) {
		json_out_key(o, "annotations");
		json_out_open_object(o);
		for (size_t i = 0; i < c->n_annotations; i++) {
			json_out_key(o, c->annotations[i].key);
			json_out_string(o, c->annotations[i].value);
		}
		json_out_close_object(o);
	}
	json_out_close_object(o);
}

void seccomp_notify_compile(const struct oci_config *c, const char *id, const char *bundle,
			    const char *status, struct arena *a, struct seccomp_plan *plan)
{
	struct json_out o;
	char *text;

	if (!plan->notify)
		return;
	json_out_begin(&o, a, 0);
	json_out_open_object(&o);
	json_out_key(&o, "ociVersion");
	json_out_string(&o, OCI_VERSION);
	json_out_key(&o, "fds");
	json_out_raw(&o, "[\"seccompFd\"]", strlen("[\"seccompFd\"]"));
	json_out_key(&o, "pid");
	json_out_raw(&o, PID_MARK, 1);
	if (c->linux->seccomp->listener_metadata != NULL) {
		json_out_key(&o, "metadata");
		json_out_string(&o, c->linux->seccomp->listener_metadata);
	}
	json_out_key(&o, "state");
	write_state(&o, c, id, bundle, status);
	json_out_close_object(&o);
	text = arena_strdup(a, json_out_text(&o));
	for (int i = 0; i < 2; i++) {
		plan->notify_text[i] = text;
		text = strchr(text, PID_MARK[0]);
		*text++ = '\0';
	}
	plan->notify_text[2] = text;
}

int seccomp_notify_connect(const struct seccomp_plan *p, int cancel, struct error *err)
{
	const struct unix_socket_limit limit = { AGENT_MS, cancel };
	int sock = unix_socket_connect(p->listener_path, SOCK_STREAM, &limit);

	if (sock == -ETIMEDOUT)
		return error_set(err, ETIMEDOUT, "failed to connect with seccomp agent %s: it took "
				 "no connection for %d s", p->listener_path, AGENT_MS / 1000);
	if (sock < 0)
		return error_set(err, -sock, "failed to connect with seccomp agent %s",
				 p->listener_path);
	return sock;
}

int seccomp_notify_send(const struct seccomp_plan *p, int agent, int listener, pid_t pid,
			struct error *err)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .space = "" };
	char number[16] = "";
	struct strbuf b = STRBUF(number);
	struct iovec iov[5];
	struct msghdr msg = { .msg_iov = iov,
			      .msg_iovlen = 5,
			      .msg_control = control.space,
			      .msg_controllen = sizeof(control.space) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	size_t total = 0;
	ssize_t n;

	strbuf_addf(&b, "%d", (int)pid);
	for (int i = 0; i < 5; i++) {
		const char *piece = i % 2 == 0 ? p->notify_text[i / 2] : number;

		iov[i] = (struct iovec){ (void *)(uintptr_t)piece, strlen(piece) };
		total += iov[i].iov_len;
	}
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &listener, sizeof(int));
	n = sendmsg(agent, &msg, MSG_NOSIGNAL);
	if (n < 0 && errno == EAGAIN)
		return error_set(err, ETIMEDOUT, "send the seccomp listener to agent %s: it did "
				 "not read for %d s", p->listener_path, AGENT_MS / 1000);
	if (n < 0)
		return error_set(err, errno, "send the seccomp listener to agent %s",
				 p->listener_path);
	if ((size_t)n != total)
		return error_set(err, 0,
				 "send the seccomp listener to agent %s: the message was cut short",
				 p->listener_path);
	return 0;
}
