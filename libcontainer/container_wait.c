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

int container_wait(struct job *job, int *status, struct error *err)
{
	struct terminal_proxy proxy = TERMINAL_PROXY_INIT;
	int wstatus = 0, ret = 0;

	if (job->terminal_channel >= 0) {
		job->terminal = terminal_receive(job->terminal_channel, TERMINAL_TIMEOUT_MS, err);
		if (job->terminal < 0)
			return job->terminal;
	}
	if (plan_has_two_processes(job->plan)) {
		/* What clone3() gave was of the first process, which has ended. */
		fd_close(&job->init_pidfd);
		job->init_pidfd = sys_pidfd_open(job->init_pid, 0);
	}
	ret = terminal_proxy_begin(&proxy, err);
	if (ret == 0)
		ret = terminal_proxy_run(&proxy, job->init_pid, job->init_pidfd, job->terminal,
					 &wstatus, err);
	terminal_proxy_end(&proxy);
	if (ret < 0)
		return ret;
	*status = WIFSIGNALED(wstatus) ? 128 + WTERMSIG(wstatus) : WEXITSTATUS(wstatus);
	if (WIFSIGNALED(wstatus) && WTERMSIG(wstatus) == SIGSYS)
		log_warning("the container's process was killed by its seccomp filter (SIGSYS)");
	return 0;
}
