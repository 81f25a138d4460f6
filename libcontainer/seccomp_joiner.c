/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_joiner.c - whether a process may fork into an inhabited PID namespace under its filter.
 *
 * Somebody with CAP_SYS_PTRACE there can make the new process do any system call.  Loaded before
 * the fork, the filter holds for those as well.  But then the profile has to allow the fork, and
 * the few calls from there to the program.  So the program is asked about each, as the kernel would
 * ask it.
 */
#include "seccomp.h"

#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/audit_arch.h"

/* A profile may look at numbers, which are the true ones here; it cannot look behind a pointer. */
static const struct join_call {
	int nr;
	unsigned int need;		/* enum seccomp_join; 0: always */
	bool told;			/* the agent knows the process by then, and can answer */
	uint64_t args[3];
} calls[] = {
	{ SYS_capset, SECCOMP_JOIN_DROPS, false, { 0 } },
	{ SYS_close, 0, false, { 3 } },
	{ SYS_clone, 0, false, { CLONE_PARENT | CLONE_PARENT_SETTID } },
	{ SYS_exit_group, 0, false, { 1 } },
	{ SYS_prctl, 0, false, { PR_SET_PDEATHSIG, SIGKILL } },
#ifdef SYS_poll
	{ SYS_poll, 0, false, { 0, 1, 0 } },
#else
	{ SYS_ppoll, 0, false, { 0, 1, 0 } },
#endif
	{ SYS_sendmsg, SECCOMP_JOIN_ASKS, false, { 0 } },
	{ SYS_recvmsg, SECCOMP_JOIN_ASKS, false, { 0 } },
	{ SYS_prctl, 0, true, { PR_SET_PDEATHSIG, 0 } },
	{ SYS_setsid, SECCOMP_JOIN_SESSION, true, { 0 } },
	{ SYS_prlimit64, SECCOMP_JOIN_LIMITS, true, { 0 } },
	{ SYS_rt_sigaction, 0, true, { SIGPIPE } },
	{ SYS_rt_sigprocmask, 0, true, { SIG_SETMASK } },
	{ SYS_execve, 0, true, { 0 } },
	{ SYS_ioctl, SECCOMP_JOIN_TERMINAL, true, { 3, TIOCSCTTY } },
#ifdef SYS_dup2
	{ SYS_dup2, SECCOMP_JOIN_TERMINAL, true, { 3, 0 } },
#else
	{ SYS_dup3, SECCOMP_JOIN_TERMINAL, true, { 3, 0, 0 } },
#endif
	{ SYS_accept4, SECCOMP_JOIN_WAITS, true, { 3 } },
	{ SYS_rt_sigaction, SECCOMP_JOIN_WAITS, true, { SIGTERM } },
	{ SYS_rt_sigprocmask, SECCOMP_JOIN_WAITS, true, { SIG_UNBLOCK } },
	{ SYS_rt_sigprocmask, SECCOMP_JOIN_WAITS, true, { SIG_BLOCK } },
};

static uint32_t word_at(const struct seccomp_data *data, uint32_t offset)
{
	uint32_t word = 0;

	if (offset % sizeof(word) == 0 && offset <= sizeof(*data) - sizeof(word))
		memcpy(&word, (const char *)data + offset, sizeof(word));
	return word;
}

static bool jumps(const struct sock_filter *f, uint32_t a)
{
	switch (BPF_OP(f->code)) {
	case BPF_JEQ:
		return a == f->k;
	case BPF_JGT:
		return a > f->k;
	case BPF_JGE:
		return a >= f->k;
	default:
		return (a & f->k) != 0;
	}
}

/*
 * The kernel's answer to a call.  Only what libseccomp generates is understood; -1 at anything
 * else.
 */
static int64_t answer(const struct seccomp_plan *p, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < p->n_program; pc++) {
		const struct sock_filter *f = &p->program[pc];

		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			a = word_at(data, f->k);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += f->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += jumps(f, a) ? f->jt : f->jf;
			break;
		case BPF_RET | BPF_K:
			return f->k & SECCOMP_RET_ACTION_FULL;
		default:
			return -1;
		}
	}
	return -1;
}

static bool allows(const struct seccomp_plan *p, const struct seccomp_data *data, bool told)
{
	int64_t action = answer(p, data);

	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG ||
	       (told && action == SECCOMP_RET_USER_NOTIF);
}

const char *seccomp_ends_at(const struct seccomp_plan *p)
{
	/* A profile may well kill an execve() without arguments: this one has some. */
	const uint64_t address = (uint64_t)(uintptr_t)p;
	const struct {
		const char *name;
		struct seccomp_data data;
	} last[] = {
		{ "rt_sigprocmask", { .nr = SYS_rt_sigprocmask, .arch = AUDIT_ARCH_OWN,
				      .args = { SIG_SETMASK, address, 0, _NSIG / 8 } } },
		{ "execve", { .nr = SYS_execve, .arch = AUDIT_ARCH_OWN,
			      .args = { address, address, address } } },
	};

	for (size_t i = 0; AUDIT_ARCH_OWN && i < sizeof(last) / sizeof(*last); i++) {
		int64_t action = answer(p, &last[i].data);

		if (action == SECCOMP_RET_KILL_PROCESS || action == SECCOMP_RET_KILL_THREAD ||
		    action == SECCOMP_RET_TRAP)
			return last[i].name;
	}
	return NULL;
}

bool seccomp_lets_join(const struct seccomp_plan *p, unsigned int does)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		const struct join_call *c = &calls[i];
		struct seccomp_data data = { .nr = c->nr, .arch = AUDIT_ARCH_OWN };

		if (c->need & ~does)
			continue;
		for (size_t k = 0; k < sizeof(c->args) / sizeof(*c->args); k++)
			data.args[k] = c->args[k];
		if (!allows(p, &data, c->told))
			return false;
	}
	return true;
}
