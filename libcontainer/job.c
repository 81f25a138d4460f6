/* SPDX-License-Identifier: Apache-2.0 */
#include "job.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/unix_socket.h"

void job_init(struct job *job, struct arena *arena, const char *trace)
{
	*job = (struct job){
		.arena = arena,
		.trace = trace,
		.traced = trace != NULL,
		.program = ARENA_NEW_ARRAY(arena, char, PATH_MAX),
		.init_pid = -1,
		.stage1_pid = -1,
		.self_exe = SELF_EXE_INIT,
		.channel = -1,
		.channel_child = -1,
		.init_pidfd = -1,
		.proc = -1,
		.report_fd = -1,
		.state_root = -1,
		.state_dir = -1,
		.no_tracer = -1,
		.console_socket = -1,
		.terminal_channel = -1,
		.seccomp_socket = -1,
		.listener = -1,
		.terminal = -1,
		.notify = -1,
		.start_socket = -1,
		.hook_runner = -1,
		.root = -1,
		.join_pidfd = -1,
		.signals = -1,
	};
	if (!trace)
		return;
	job->times = ARENA_NEW_ARRAY(arena, struct job_time, JOB_ROWS_MAX);
	job->undo_times = ARENA_NEW_ARRAY(arena, struct job_time, JOB_ROWS_MAX);
}

void job_forget_process(struct job *job)
{
	job->init_pid = -1;
	job->stage1_pid = -1;
	if (job->own)
		job->own->init_pid = -1;
}

void job_close(struct job *job)
{
	int *fds[] = {
		&job->channel_child,
		&job->init_pidfd,
		&job->proc,
		&job->report_fd,
		&job->state_root,
		&job->state_dir,
		&job->no_tracer,
		&job->console_socket,
		&job->terminal_channel,
		&job->seccomp_socket,
		&job->listener,
		&job->terminal,
		&job->start_socket,
		&job->hook_runner,
		&job->root,
		&job->join_pidfd,
		&job->signals,
	};

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		fd_close(fds[i]);
	unix_socket_drop(&job->channel);
	unix_socket_drop(&job->notify);
}

int job_watch_signals(struct job *job, struct error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	/* Ignored, as a caller may have it, children vanish, and their numbers with them. */
	(void)signal(SIGCHLD, SIG_DFL);
	if (sigprocmask(SIG_BLOCK, &set, &job->old_mask) < 0)
		return error_set(err, errno, "block signals");
	job->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return job->signals < 0 ? error_set(err, errno, "signalfd") : 0;
}

int job_signal_error(const struct job *job, struct error *err)
{
	struct signalfd_siginfo info;

	if (read(job->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	return error_set(err, EINTR, "signal %u (%s) came", info.ssi_signo,
			 strsignal((int)info.ssi_signo));
}

int job_put_file(const char *what, const char *path, const char *text, size_t len,
		 struct error *err)
{
	int ret = file_put(path, 0644, text, len);

	if (ret == -ENXIO)
		return error_set(err, 0,
				 "write the %s %s: it is a FIFO that nobody reads, or a socket",
				 what, path);
	if (ret == -ENOTSUP)
		return error_set(err, 0, "write the %s %s: it is a block device", what, path);
	if (ret == -ETIMEDOUT)
		return error_set(err, 0, "write the %s %s: nobody reads it", what, path);
	return ret < 0 ? error_set(err, -ret, "write the %s %s", what, path) : 0;
}
