/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.c - starts kist commands and waits for them.  The worker is the reaper of all that it
 * starts, so every wait takes every event.
 */
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The child's side: only calls that a child may make after vfork(). */
static _Noreturn void become(const struct worker *w, const struct command *c, char *const *argv,
			     int go)
{
	sigset_t none;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char byte;

	(void)dup2(null, 0);
	(void)dup2(c->out, 1);
	(void)dup2(c->out, 2);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* Until the tracer has it. */
	if (go >= 0)
		(void)!read(go, &byte, 1);
	(void)execv(w->kist, argv);
	_exit(127);
}

void command_start(struct worker *w, struct command *c, const char *const *args,
		   struct trace *trace)
{
	char *argv[ARGS_MAX + 4] = { (char *)"kist", (char *)"--root", w->root };
	int gate[2] = { -1, -1 };

	for (size_t i = 0; i < ARGS_MAX && args[i]; i++)
		argv[i + 3] = (char *)args[i];
	*c = (struct command){ .out = memfd_create("output", MFD_CLOEXEC) };
	if (c->out < 0 || (trace && pipe2(gate, O_CLOEXEC) < 0))
		stress_die("memfd_create, pipe2");
	c->began = stress_now();
	c->pid = trace ? fork() : vfork();
	if (c->pid == 0)
		become(w, c, argv, gate[0]);
	if (c->pid < 0)
		stress_die("fork");
	w->commands[w->n_commands++] = c;
	if (trace) {
		w->trace = trace;
		trace_begin(trace, c->pid);
		(void)!write(gate[1], "", 1);
		(void)close(gate[0]);
		(void)close(gate[1]);
	}
}

static void ended(struct worker *w, pid_t pid, int status)
{
	for (size_t i = 0; i < w->n_commands; i++) {
		struct command *c = w->commands[i];

		if (c->pid != pid)
			continue;
		c->done = true;
		c->status = status;
		c->ended = stress_now();
		w->commands[i] = w->commands[--w->n_commands];
		return;
	}
}

/* Takes all events that are there. */
static void take_events(struct worker *w)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		if (w->trace)
			(void)trace_event(w->trace, pid, status);
		if (WIFEXITED(status) || WIFSIGNALED(status))
			ended(w, pid, status);
	}
}

static bool finished(const struct worker *w, const struct command *c)
{
	if (c)
		return c->done;
	return w->n_commands == 0 || (w->trace && w->trace->held);
}

bool command_wait(struct worker *w, struct command *c, uint64_t timeout_ns)
{
	uint64_t end = stress_now() + timeout_ns;
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	for (;;) {
		uint64_t now;
		struct timespec left;

		take_events(w);
		now = stress_now();
		if (finished(w, c))
			return true;
		if (now >= end)
			return false;
		left.tv_sec = (time_t)((end - now) / 1000000000u);
		left.tv_nsec = (long)((end - now) % 1000000000u);
		(void)sigtimedwait(&chld, NULL, &left);
	}
}

void command_kill(struct worker *w, struct command *c)
{
	if (!c->done)
		(void)kill(c->pid, SIGKILL);
	(void)command_wait(w, c, 5000 * MS);
}

int command_status(const struct command *c)
{
	if (!c->done)
		return -1;
	return WIFSIGNALED(c->status) ? 128 + WTERMSIG(c->status) : WEXITSTATUS(c->status);
}

int command_end(struct worker *w, struct command *c, char *text)
{
	int status = command_status(c);
	ssize_t n = text ? pread(c->out, text, TEXT_MAX_LEN - 1, 0) : 0;

	if (text)
		text[n > 0 ? n : 0] = '\0';
	if (status < 0)
		command_kill(w, c);
	(void)close(c->out);
	return status;
}

int command_run(struct worker *w, const char *const *args, char *text, uint64_t timeout_ns)
{
	struct command c;

	command_start(w, &c, args, NULL);
	(void)command_wait(w, &c, timeout_ns);
	return command_end(w, &c, text);
}
