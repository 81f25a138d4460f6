/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.c - a command under ptrace: counts its system calls, holds it at one, makes one fail.
 *
 * strace could inject, but not hold, and would wait for the container that create leaves.  The
 * program of the container and hooks are let go as soon as they are executed.
 */
#include "stress.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#define TRACE_OPTIONS \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
	 PTRACE_O_TRACEEXEC)

static struct tracee *tracee_of(struct trace *t, pid_t pid, bool make)
{
	for (size_t i = 0; i < t->n_tracees; i++) {
		if (t->tracees[i].pid == pid)
			return &t->tracees[i];
	}
	if (!make || t->n_tracees == TRACEES_MAX)
		return NULL;
	t->tracees[t->n_tracees] = (struct tracee){ .pid = pid, .ordinal = (uint16_t)t->started++ };
	return &t->tracees[t->n_tracees++];
}

static void forget(struct trace *t, struct tracee *p)
{
	*p = t->tracees[--t->n_tracees];
}

void trace_begin(struct trace *t, pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, 0, TRACE_OPTIONS) < 0)
		stress_die("ptrace");
	(void)tracee_of(t, pid, true);
}

static void go_on(const struct trace *t, pid_t pid, int sig)
{
	(void)ptrace(t->let_go ? PTRACE_CONT : PTRACE_SYSCALL, pid, 0, (void *)(intptr_t)sig);
}

/* Whether the call opens, makes or removes the container's directory: its path ends with the id. */
static bool names_container(pid_t pid, const struct __ptrace_syscall_info *info)
{
	char path[256] = "";
	struct iovec local = { path, sizeof(path) - 1 };
	struct iovec remote = { (void *)(uintptr_t)info->entry.args[1], sizeof(path) - 1 };
	uintptr_t page_end = (info->entry.args[1] | 4095) + 1;
	size_t len;

	if (info->entry.nr != SYS_openat && info->entry.nr != SYS_openat2)
		return false;
	if (info->entry.args[1] + remote.iov_len > page_end)
		remote.iov_len = page_end - info->entry.args[1];
	if (process_vm_readv(pid, &local, 1, &remote, 1, 0) <= 0)
		return false;
	len = strlen(path);
	return strcmp(path, ID) == 0 || (len > 2 && strcmp(path + len - 2, "/" ID) == 0);
}

static void record(struct trace *t, const struct tracee *p, int call)
{
	if (t->points && t->n_points < POINTS_MAX)
		t->points[t->n_points++] = (struct point){
			.process = p->ordinal, .index = p->calls, .call = call, .bound = t->bound,
		};
}

#ifdef __x86_64__
/* At the entry: no call is done; at the end: it has failed. */
static void set_register(pid_t pid, size_t offset, long value)
{
	(void)ptrace(PTRACE_POKEUSER, pid, offset, value);
}
#define SKIP_CALL(pid) set_register(pid, offsetof(struct user_regs_struct, orig_rax), -1)
#define SET_RESULT(pid, value) set_register(pid, offsetof(struct user_regs_struct, rax), value)
#else
#define SKIP_CALL(pid) (void)(pid)
#define SET_RESULT(pid, value) (void)(value)
#endif

/* True: the process stays where it is. */
static bool enters_call(struct trace *t, struct tracee *p, const struct __ptrace_syscall_info *info)
{
	bool here = t->act != TRACE_COUNT && !t->hit && p->ordinal == t->at.process &&
		    p->calls == t->at.index;

	if (here)
		t->at.call = (int)info->entry.nr;
	record(t, p, (int)info->entry.nr);
	if (here)
		t->at.bound = t->bound;
	t->bound = t->bound || names_container(p->pid, info);
	p->calls++;
	if (!here)
		return false;
	t->hit = true;
	if (t->act == TRACE_FAIL) {
		SKIP_CALL(p->pid);
		p->fails = true;
		return false;
	}
	t->held = p->pid;
	return true;
}

static void stopped_at_call(struct trace *t, struct tracee *p)
{
	struct __ptrace_syscall_info info = { 0 };

	if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, sizeof(info), &info) > 0) {
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY && !t->let_go && enters_call(t, p, &info))
			return;
		if (info.op == PTRACE_SYSCALL_INFO_EXIT && p->fails) {
			SET_RESULT(p->pid, -(long)t->errnum);
			p->fails = false;
			t->let_go = true;
		}
	}
	go_on(t, p->pid, 0);
}

/* kist's own first exec is the command; any other one is a program that is none of ours. */
static void executed(struct trace *t, struct tracee *p)
{
	if (p->ordinal == 0 && !p->execed) {
		p->execed = true;
		p->calls = 0;
		t->n_points = 0;
		go_on(t, p->pid, 0);
		return;
	}
	t->payload = p->pid;
	(void)ptrace(PTRACE_DETACH, p->pid, 0, 0);
	forget(t, p);
}

bool trace_event(struct trace *t, pid_t pid, int status)
{
	struct tracee *p = tracee_of(t, pid, WIFSTOPPED(status));
	int event = status >> 16;
	int sig = WSTOPSIG(status);

	if (!p)
		return false;
	if (!WIFSTOPPED(status)) {
		int died = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

		if (died == SIGSEGV || died == SIGABRT || died == SIGILL || died == SIGBUS)
			t->crash = died;
		if (t->held == pid)
			t->held = 0;
		forget(t, p);
		return true;
	}
	if (event == PTRACE_EVENT_EXEC)
		executed(t, p);
	else if (event == PTRACE_EVENT_STOP && sig != SIGTRAP)
		(void)ptrace(PTRACE_LISTEN, pid, 0, 0);
	else if (event)
		go_on(t, pid, 0);
	else if (sig == (SIGTRAP | 0x80))
		stopped_at_call(t, p);
	else
		go_on(t, pid, sig);
	return true;
}

void trace_release(struct trace *t)
{
	pid_t held = t->held;

	t->let_go = true;
	t->held = 0;
	if (held)
		go_on(t, held, 0);
}
