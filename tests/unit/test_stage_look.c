/* SPDX-License-Identifier: Apache-2.0 */
#include "stage_look.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "plan.h"
#include "state.h"
#include "tap.h"

static struct plan plan = { .forks_late = true };
static struct state state;
static struct job_page page;

/* The n-th look, without the wait for its time. */
static int look_at(const struct job *job, int n, struct error *err)
{
	struct stage_look look = { .next_ns = 1 };
	int ret = 0;

	*err = (struct error){ 0 };
	for (int i = 0; i < n && ret == 0; i++) {
		look.next_ns = 1;
		ret = stage_look(job, &look, err);
		if (ret != 0 && i + 1 < n)
			return 100 + i;
	}
	return ret;
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			pause();
	}
	return pid;
}

static void wait_for_state(const struct job *job, char wanted)
{
	struct proc_stat st = { 0 };

	for (int i = 0; i < 1000 && st.state != wanted; i++) {
		if (proc_stat(job->proc, job->init_pid, &st) < 0)
			return;
		usleep(1000);
	}
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_asleep(struct job *job)
{
	struct error err;

	job->init_pid = sleeper();
	wait_for_state(job, 'S');
	is_int(look_at(job, 11, &err), 0, "who sleeps has time");
	ok(look_at(job, 12, &err) < 0 && strstr(err.text, "for a minute it has waited"),
	   "a minute: %s", err.text);
	plan.seccomp.notify = true;
	is_int(look_at(job, 30, &err), 0, "who waits for an agent has more");
	plan.seccomp.notify = false;
	end(job->init_pid);
}

static void test_stopped(struct job *job)
{
	struct error err;

	job->init_pid = sleeper();
	kill(job->init_pid, SIGSTOP);
	wait_for_state(job, 'T');
	is_int(look_at(job, 1, &err), 0, "stopped once, as by chance");
	ok(look_at(job, 2, &err) < 0 &&
		   strstr(err.text, "somebody in its PID namespace has stopped it"),
	   "and for ever: %s", err.text);
	plan.namespaces.create = CLONE_NEWPID;
	ok(look_at(job, 2, &err) < 0 && strstr(err.text, "somebody in the container"),
	   "by whom: %s", err.text);
	plan.namespaces.create = 0;
	job->cgroup.wait_thaw = true;
	is_int(look_at(job, 30, &err), 0, "who may be in a paused container has time");
	job->cgroup.wait_thaw = false;
	job->stage1_pid = job->init_pid;
	job->init_pid = -1;
	is_int(look_at(job, 30, &err), 0, "the first process has it in any case");
	page.own.init_pid = job->stage1_pid;
	ok(look_at(job, 2, &err) < 0, "the second one's number is in the page first");
	page.own.init_pid = 0;
	end(job->stage1_pid);
	job->stage1_pid = -1;
}

static void test_traced(struct job *job)
{
	struct error err;

	job->init_pid = sleeper();
	ptrace(PTRACE_ATTACH, job->init_pid, NULL, NULL);
	waitpid(job->init_pid, NULL, 0);
	wait_for_state(job, 't');
	ok(look_at(job, 2, &err) < 0 && strstr(err.text, "(test_stage_look) traces it"),
	   "traced: %s", err.text);
	end(job->init_pid);
}

static void test_executed(struct job *job)
{
	struct error err;

	job->init_pid = fork();
	if (job->init_pid == 0) {
		execlp("sleep", "sleep", "100", NULL);
		_exit(1);
	}
	for (int i = 0; i < 1000 && look_at(job, 1, &err) == 0; i++)
		usleep(1000);
	is_int(look_at(job, 1, &err), 1, "a program was executed");
	plan.seccomp.notify = true;
	is_int(look_at(job, 1, &err), 1, "whatever else it may wait for");
	plan.seccomp.notify = false;
	page.own.init_pid = 0;
	job->stage1_pid = job->init_pid;
	job->init_pid = -1;
	is_int(look_at(job, 30, &err), 0, "but not by the first process");
	end(job->stage1_pid);
	job->stage1_pid = -1;
}

int main(void)
{
	struct stage_look look = { 0 };
	struct arena arena = ARENA_INIT;
	struct error err;
	struct job job;

	job_init(&job, &arena, NULL);
	job.plan = &plan;
	job.state = &state;
	job.page = &page;
	job.own = &page.own;
	job.proc = proc_open();
	ok(stage_look_applies(&job), "a process that is forked late is looked at");
	plan.forks_late = false;
	ok(!stage_look_applies(&job), "no other");
	plan.forks_late = true;
	test_asleep(&job);
	test_stopped(&job);
	test_traced(&job);
	test_executed(&job);
	job.init_pid = sleeper();
	kill(job.init_pid, SIGSTOP);
	for (int i = 0; i < 100; i++)
		stage_look(&job, &look, &err);
	is_int(look.n, 0, "none before its time");
	end(job.init_pid);
	job_close(&job);
	return done();
}
