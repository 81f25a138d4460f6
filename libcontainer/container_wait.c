/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_wait.c - the foreground: stands between the caller and the container until that ends.
 */
#include "container_impl.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/sys.h"
#include "terminal.h"
#include "terminal_proxy.h"

/* The container's process has its terminal before it is executed: the message is there already. */
#define TERMINAL_TIMEOUT_MS 10000

/* Between the caller and the process until that ends; its status as of wait(2). */
static int stand_between(struct job *job, int *wstatus, struct error *err)
{
	struct terminal_proxy proxy = TERMINAL_PROXY_INIT;
	int ret;

	if (job->terminal_channel >= 0) {
		job->terminal = terminal_receive(job->terminal_channel, TERMINAL_TIMEOUT_MS, err);
		if (job->terminal < 0)
			return job->terminal;
	}
	ret = terminal_proxy_begin(&proxy, err);
	if (ret == 0)
		ret = terminal_proxy_run(&proxy, job->init_pid, job->init_pidfd, job->terminal,
					 wstatus, err);
	terminal_proxy_end(&proxy);
	return ret;
}

/* The descriptor tells of the end, and takes the signals that are forwarded. */
static int hold_process(struct job *job, struct error *err)
{
	if (!plan_has_two_processes(job->plan))
		return 0;
	/* What clone3() gave was of the first process, which has ended. */
	fd_close(&job->init_pidfd);
	job->init_pidfd = sys_pidfd_open(job->init_pid, 0);
	if (job->init_pidfd < 0)
		return error_set(err, -job->init_pidfd, "open process %d of the container",
				 (int)job->init_pid);
	return 0;
}

static void kill_process(const struct job *job)
{
	if (job->init_pidfd >= 0)
		(void)sys_pidfd_send_signal(job->init_pidfd, SIGKILL);
	/* A child that nobody has waited for: the number cannot be another's. */
	else
		(void)kill(job->init_pid, SIGKILL);
}

int container_wait(struct job *job, int *status, struct error *err)
{
	int wstatus = 0;
	int ret = hold_process(job, err);

	if (ret == 0)
		ret = stand_between(job, &wstatus, err);
	if (ret < 0) {
		/* Nobody will look after it, and its command has failed. */
		kill_process(job);
		return ret;
	}
	job_forget_process(job);
	*status = WIFSIGNALED(wstatus) ? 128 + WTERMSIG(wstatus) : WEXITSTATUS(wstatus);
	if (WIFSIGNALED(wstatus) && WTERMSIG(wstatus) == SIGSYS)
		log_warning("the container's process was killed by its seccomp filter (SIGSYS)");
	return 0;
}
