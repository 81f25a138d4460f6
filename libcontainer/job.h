/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job.h - one command being carried out: what the rows of the step table share.
 *
 * A job is made by container.c in the parent.  The row that starts a process copies it there by
 * fork, so every process sees the plan, and the descriptors it was born with.  A descriptor is -1
 * when it is not open (any more) here.
 */
#ifndef KIST_JOB_H
#define KIST_JOB_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "cgroup/cgroup.h"
#include "namespace.h"
#include "self_exe.h"

struct plan;
struct host;
struct state;
struct step;

/* In which process a row runs. */
enum job_stage { STAGE_PARENT, STAGE_1, STAGE_2, STAGE_COUNT };

#define JOB_ROWS_MAX 88

/* As other runtimes tell a container that failed from one that never was. */
#define EXIT_AFTER_START 255

/* When a row began and ended, CLOCK_MONOTONIC nanoseconds; 0 = it did not run. */
struct job_time {
	uint64_t begin, end;
};

/* What one process of the container says of itself. */
struct job_report {
	volatile uint32_t row;	  /* 1 + index of the row that it is in; 0 = none yet */
	volatile uint32_t failed; /* error is valid */
	struct error error;
	struct job_time times[JOB_ROWS_MAX];
};

/* What the first process and the kernel write, and no process that others can write to. */
struct job_own {
	struct job_report first;
	volatile int32_t init_pid; /* stage 2 in the caller's pid namespace, by the kernel */
};

/*
 * Memory that the processes of a job share (MAP_SHARED).  It needs no system call to write, so it
 * says where a process was killed, and carries an error past a seccomp filter that forbids
 * sendmsg().
 *
 * A second process is born where others live already, and one of those that has CAP_SYS_PTRACE can
 * write all its memory.  So where there is one, job->own is an object of its own, and is unmapped
 * there (MADV_DONTFORK): such a process comes to nothing but `second`.  What the parent finds in
 * that is a text to show at most: every number is checked against a bound, and the pid is the one
 * that the kernel wrote into job->own.
 */
struct job_page {
	struct job_report second;
	struct job_own own; /* where one process is both; on the same page of memory */
};

/* A failure on request, for tests: at this row, before it runs. */
struct job_fault {
	const char *step; /* name, or NULL */
	bool serve;	  /* in the parent's half */
	bool kill;	  /* die instead of failing */
	int errnum;
};

struct job {
	const struct step *steps;
	const struct plan *plan;
	const struct host *host;
	struct arena *arena;
	struct state *state;	/* the container's record, as far as it is known */
	const char *hook_state; /* state JSON for hooks inside the container */
	int cwd_again;		/* the working directory is reachable only as the user */
	/* Large, so elsewhere: a fork copies the pages of the stack that a process has touched. */
	char *program;		/* what execve gets: room for PATH_MAX */
	bool hooks_ran;		/* the runtime hooks were begun: poststop hooks are due */
	struct job_fault fault;
	bool filtered;		/* this process has loaded its seccomp filter */
	bool wait_exec;	   /* done only when the program was executed (run, exec) */
	char *const *argv; /* of kist itself, or NULL */
	const char *trace; /* file for the trace, or NULL */
	bool traced;	   /* note when rows begin and end */
	struct job_time *times; /* with a trace: of the parent's rows and halves */
	struct job_time *undo_times;

	enum job_stage self; /* which process this copy is in */
	struct job_page *page;
	struct job_own *own;	   /* in the page, or apart from it */
	int channel;	   /* this process's end of the frame channel */
	int channel_child; /* the other end, until it is given to the child */

	/* The container process, seen from the parent. */
	pid_t init_pid;
	int init_pidfd;
	pid_t stage1_pid; /* the short-lived first process, if there are two */

	int proc;    /* the host's procfs, type checked */
	int report_fd; /* memfd of the page, where `start` will need it */
	int state_root;
	int state_dir;
	int no_tracer;		/* exec: of state_tracer_look(), until the program is executed */
	const char *state_path; /* of that directory */
	bool cgroup_late; /* the first process was not born in its v2 cgroup: the parent moves it
			     there */
	struct cgroup cgroup;
	const char *const *cgroup_paths; /* controllers, path, ...: for mounts of type cgroup */
	struct namespace_fds namespaces;
	int console_socket;   /* where the child sends the terminal's master */
	int terminal_channel; /* foreground: where the parent receives it */
	int seccomp_socket;   /* of the parent: connected to the seccomp agent */
	int listener;	      /* of the filter, on its way to the agent */
	int terminal;	      /* slave (in the container), or master (in the parent) */
	int notify;	      /* the container's NOTIFY_SOCKET, read end */
	int start_socket;     /* listens in a created container */
	int hook_runner;      /* to the process that will run createContainer hooks outside */
	pid_t hook_runner_pid;
	int root;	      /* the container's root directory */
	const char *init_root; /* exec: its root directory, below `proc` */
	int join_pidfd;	      /* exec: the container's init, or a thread of it */
	pid_t join_pid;	      /* and its number */
	char **exec_cgroups;  /* exec: --cgroup, or NULL */
	int signals;	      /* signalfd of the parent */
	sigset_t old_mask;    /* the caller's signal mask, for the container */
	uint64_t ignored;     /* signals that the caller ignores: bit n - 1 is signal n */

	struct self_exe self_exe; /* last, for it is large: all else is on one page or two */
};

/* A job with no descriptor open. */
void job_init(struct job *job, struct arena *arena, const char *trace);

/*
 * The container's process was waited for: its number may be another's from now on.  What is done to
 * the container later goes by the record, whose start time tells the two apart.
 */
void job_forget_process(struct job *job);

/* Closes what the parent's job holds. */
void job_close(struct job *job);

/*
 * TERM, INT, HUP and QUIT shall end a command between two steps, so that what was done is undone:
 * they are blocked, and read from job->signals wherever the command waits for somebody.  The mask
 * that the caller gave comes back in the container's process.
 * 0 or negative.
 */
int job_watch_signals(struct job *job, struct error *err);

/* After job->signals became readable: takes the signal and makes it an error.  0: there is none. */
int job_signal_error(const struct job *job, struct error *err);

/* file_put() of a text; what: "pid file".  0 or negative. */
int job_put_file(const char *what, const char *path, const char *text, size_t len,
		 struct error *err);

#endif
