/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_start.c - start: tells the waiting process of a created container to execute its
 * program.
 */
#include "container_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/sys.h"
#include "base/unix_socket.h"
#include "hook.h"
#include "trace.h"

/* The rest of the way is some ten system calls and the startContainer hooks; of these each may have
 * a time-out of its own, or none. */
#define START_TIMEOUT_MS (10 * 60 * 1000)

static int connect_start(int dir, struct error *err)
{
	const struct unix_socket_limit limit = { 10000, -1 };
	struct timeval answer = { .tv_sec = 10 };
	char path[64];
	owned_fd fd = -1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/" STATE_START_SOCKET, dir);
	fd = unix_socket_connect(path, SOCK_SEQPACKET, &limit);
	/* Its process was killed since it was looked at. */
	if (fd == -ECONNREFUSED || fd == -ENOENT)
		return error_set(err, 0, "cannot start the container: container not running");
	if (fd < 0)
		return error_set(err, -fd, "connect to the container's process");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &answer, sizeof(answer)) < 0)
		return error_set(err, errno, "set the time-out of the start socket");
	return fd_take(&fd);
}

/* The process answers with the page in which it says how it ends. */
static int map_page(struct job *job, struct error *err)
{
	char traced = job->trace != NULL, hello;
	ssize_t n = unix_socket_send(job->channel, &traced, sizeof(traced), -1);

	if (n >= 0)
		n = unix_socket_receive(job->channel, &hello, sizeof(hello), &job->report_fd);
	/* It ended meanwhile. */
	if (n == 0 || n == -EPIPE || n == -ECONNRESET)
		return error_set(err, 0, "container not running");
	if (n < 0)
		return error_set(err, n == -EAGAIN ? ETIMEDOUT : (int)-n,
				 "the container's process does not answer");
	if (n != sizeof(hello) || job->report_fd < 0)
		return error_set(err, 0, "the container's process gave a wrong answer");
	return stage_page_take(job, err);
}

static int start_process(struct container *c, struct job *job, struct error *err)
{
	int ret;

	job->channel = connect_start(c->dir, err);
	if (job->channel < 0)
		return job->channel;
	/* From here on the container counts as started: a second `start` finds no socket. */
	if (unlinkat(c->dir, STATE_START_SOCKET, 0) < 0)
		return error_set(err, errno, "remove the start socket");
	ret = map_page(job, err);
	if (ret == 0)
		ret = stage_wait_exec(job, START_TIMEOUT_MS, err);
	/* Nobody may execute the program after an error, nor wait for a start that cannot come. */
	if (ret < 0)
		(void)container_signal_init(c, SIGKILL, NULL);
	return ret;
}

int container_saved_config(struct container_context *ctx, int dir, struct state *s,
			   struct oci_config **out, struct error *err)
{
	if (state_load_config(dir, s, ctx->arena, err) < 0)
		return -EINVAL;
	return oci_config_parse(s->config.text, s->config.len, "config.json", ctx->arena, out, err);
}

int container_poststart(struct container_context *ctx, struct job *job, struct error *err)
{
	struct oci_config *config;
	struct hook_plan hooks;
	struct hook_input input = { .cancel = job->signals };
	int ret;

	if (!job->state->poststart)
		return 0;
	input.state = state_for_hooks(job->state, "running", ctx->arena);
	ret = container_saved_config(ctx, job->state_dir, job->state, &config, err);
	if (ret == 0)
		ret = hook_compile(config, job->host, ctx->arena, &hooks, err);
	if (ret == 0)
		ret = hook_run(&hooks, HOOK_POSTSTART, &input, err);
	return ret;
}

int container_notify(struct job *job, const struct notify_socket_plan *p, struct error *err)
{
	owned_fd pidfd = -1;

	if (job->notify < 0)
		return 0;
	pidfd = sys_pidfd_open(job->state->pid, 0);
	if (pidfd < 0)
		return 0; /* it has ended already: its exit status says more than a missing READY */
	return notify_socket_serve(p, job->notify,
				   &(struct notify_socket_wait){ .pid = job->state->pid,
								 .pidfd = pidfd,
								 .cancel = job->signals,
								 .timeout_ms = -1 },
				   err);
}

/* Nobody would send READY=1 to a socket that `create` did not give to the container. */
static int open_notify(struct job *job, struct notify_socket_plan *p, struct error *err)
{
	int ret = notify_socket_compile(getenv("NOTIFY_SOCKET"), p, err);

	if (ret < 0 || !p->host)
		return ret;
	if (faccessat(job->state_dir, NOTIFY_SOCKET_DIRECTORY, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno == ENOENT) {
		log_warning("READY=1 is not waited for: the container was created without a "
			    "NOTIFY_SOCKET");
		return 0;
	}
	return job->notify = notify_socket_open(job->state_dir, err);
}

static int start_opened(struct container_context *ctx, struct container *c, struct error *err)
{
	enum container_status status = container_status_of(c);
	struct notify_socket_plan notify;
	struct error trace_err;
	struct job job;
	int ret;

	if (status == CONTAINER_STOPPED)
		return error_set(
			err, 0, "cannot start container %s: container not running (it has stopped)",
			c->state->id);
	if (status != CONTAINER_CREATED)
		return error_set(err, 0, "cannot start container %s: it is %s", c->state->id,
				 container_status_name(status));
	job_init(&job, ctx->arena, ctx->trace);
	job.steps = steps_create;
	job.state = c->state;
	job.state_dir = c->dir;
	job.proc = c->proc;
	ret = open_notify(&job, &notify, err);
	if (ret >= 0)
		ret = start_process(c, &job, err);
	if (job.trace && trace_write(&job, &trace_err) < 0)
		log_warning("%s", trace_err.text);
	if (ret == 0) {
		/* Hooks and READY=1 may take as long as they like: the program runs already. */
		container_unlock(c);
		ret = container_poststart(ctx, &job, err);
		if (ret == 0)
			ret = container_notify(&job, &notify, err);
		/* config.md, "Poststart": a failure stops the container. */
		if (ret < 0)
			(void)container_signal_init(c, SIGKILL, NULL);
	}
	job.state_dir = job.proc = -1; /* are c's */
	job_close(&job);
	return ret;
}

int container_start(struct container_context *ctx, const char *id, struct error *err)
{
	struct container c;
	int ret = container_open(ctx, id, true, &c, err);

	if (ret == 0)
		ret = start_opened(ctx, &c, err);
	container_close(&c);
	return ret;
}
