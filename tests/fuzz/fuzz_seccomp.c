/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_seccomp.c - a seccomp profile (the object linux.seccomp) from anybody, and the BPF program
 * that is made of it.
 *
 * The program must agree with the profile, evaluated rule by rule, about system calls in the
 * neighbourhood of what the rules name.  Where several rules match with different actions,
 * libseccomp decides between them: then the answer must be that of one of them.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>

#include "../unit/seccomp_bpf.h"
#include "fuzz.h"
#include "oci/oci.h"
#include "seccomp.h"

#define CALLS 64
#define ANSWERS_MAX 64

/* Of the input alone: the same file asks the same questions. */
struct random {
	uint64_t state;
};

static uint64_t pick(struct random *r, uint64_t below)
{
	r->state = r->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return below ? (r->state >> 33) % below : 0;
}

static uint32_t answer_of(int action, const uint32_t *errno_ret)
{
	uint32_t data = errno_ret ? *errno_ret : EPERM;

	switch (action) {
	case OCI_ACT_KILL_PROCESS:
		return SECCOMP_RET_KILL_PROCESS;
	case OCI_ACT_TRAP:
		return SECCOMP_RET_TRAP;
	case OCI_ACT_ERRNO:
		return SECCOMP_RET_ERRNO | data;
	case OCI_ACT_TRACE:
		return SECCOMP_RET_TRACE | data;
	case OCI_ACT_ALLOW:
		return SECCOMP_RET_ALLOW;
	case OCI_ACT_LOG:
		return SECCOMP_RET_LOG;
	case OCI_ACT_NOTIFY:
		return SECCOMP_RET_USER_NOTIF;
	}
	return SECCOMP_RET_KILL_THREAD;
}

static bool arg_holds(const struct oci_syscall_arg *arg, const struct seccomp_data *d)
{
	uint64_t v = d->args[arg->index];

	switch ((int)arg->op) {
	case OCI_CMP_NE:
		return v != arg->value;
	case OCI_CMP_LT:
		return v < arg->value;
	case OCI_CMP_LE:
		return v <= arg->value;
	case OCI_CMP_EQ:
		return v == arg->value;
	case OCI_CMP_GE:
		return v >= arg->value;
	case OCI_CMP_GT:
		return v > arg->value;
	}
	/* "value" is the mask; libseccomp's manual: the masked argument and the masked datum. */
	return (v & arg->value) == (arg->value_two & arg->value);
}

/* All conditions together; those of a rule that repeats an argument each on its own. */
static bool args_hold(const struct oci_syscall *rule, const struct seccomp_data *d)
{
	uint32_t seen = 0;
	size_t held = 0;
	bool repeats = false;

	for (size_t i = 0; i < rule->n_args; i++) {
		repeats |= seen & (1u << rule->args[i].index);
		seen |= 1u << rule->args[i].index;
		held += arg_holds(&rule->args[i], d);
	}
	return repeats ? held > 0 : held == rule->n_args;
}

struct answers {
	uint32_t list[ANSWERS_MAX];
	size_t n;
	uint32_t newest;
	bool named;
};

static void collect(const struct oci_seccomp *s, const struct seccomp_data *d, struct answers *out)
{
	for (size_t i = 0; i < s->n_syscalls; i++) {
		const struct oci_syscall *rule = &s->syscalls[i];

		for (char **name = rule->names; name && *name; name++) {
			int nr = seccomp_syscall_resolve_name(*name);

			if (nr < 0)
				continue;
			if (!out->named || (uint32_t)nr > out->newest)
				out->newest = (uint32_t)nr;
			out->named = true;
			if (nr == d->nr && out->n < ANSWERS_MAX && args_hold(rule, d))
				out->list[out->n++] = answer_of(rule->action, rule->errno_ret);
		}
	}
}

/*
 * libseccomp 2.5.4 generates a wrong jump where orders of one argument meet and one of them looks
 * at more than 32 bits: "> 0x100000000" and "<= 16" make 0xffffffff answer as the first.
 */
static bool is_mistaken(const struct oci_seccomp *s)
{
	for (size_t i = 0; i < s->n_syscalls; i++)
		for (size_t k = 0; k < s->syscalls[i].n_args; k++) {
			const struct oci_syscall_arg *a = &s->syscalls[i].args[k];
			int op = (int)a->op;

			if (a->value > UINT32_MAX && (op == OCI_CMP_LT || op == OCI_CMP_LE ||
						      op == OCI_CMP_GE || op == OCI_CMP_GT))
				return true;
		}
	return false;
}

static bool denies(int action)
{
	return action == OCI_ACT_ERRNO || action == OCI_ACT_KILL || action == OCI_ACT_KILL_THREAD ||
	       action == OCI_ACT_KILL_PROCESS || action == OCI_ACT_TRAP;
}

static bool is_right(const struct oci_seccomp *s, const struct seccomp_data *d, uint32_t answer)
{
	struct answers may = { .n = 0 };

	collect(s, d, &may);
	if (may.n == ANSWERS_MAX)
		return true;
	if (may.n == 0)
		may.list[may.n++] =
			denies(s->default_action) && may.named && (uint32_t)d->nr > may.newest ?
			SECCOMP_RET_ERRNO | ENOSYS :
			answer_of(s->default_action, s->default_errno_ret);
	for (size_t i = 0; i < may.n; i++)
		if (may.list[i] == answer)
			return true;
	fprintf(stderr, "call %d (0x%llx, 0x%llx, 0x%llx, 0x%llx, 0x%llx, 0x%llx): %#x, not %#x\n",
		d->nr, d->args[0], d->args[1], d->args[2], d->args[3], d->args[4], d->args[5],
		answer, may.list[0]);
	return false;
}

static uint32_t run(const struct seccomp_plan *p, const struct seccomp_data *data)
{
	uint32_t a = 0, mem[BPF_MEMWORDS] = { 0 };
	size_t pc = 0;

	while (pc < p->n_program && seccomp_bpf_step(&p->program[pc], data, &pc, &a, mem))
		;
	return a;
}

/* A number that a rule names or one beside it, with arguments around those of the rule. */
static void invent(const struct oci_seccomp *s, struct random *r, struct seccomp_data *d)
{
	static const uint64_t odd[] = { 0, 1, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX };
	const struct oci_syscall *rule =
		s->n_syscalls ? &s->syscalls[pick(r, s->n_syscalls)] : NULL;

	*d = (struct seccomp_data){ .arch = seccomp_arch_native(), .nr = (int)pick(r, 500) };
	for (size_t i = 0; i < 6; i++)
		d->args[i] = odd[pick(r, 5)];
	if (!rule)
		return;
	if (rule->names && rule->names[0] && pick(r, 8)) {
		int nr = seccomp_syscall_resolve_name(rule->names[0]);

		if (nr >= 0)
			d->nr = nr + (pick(r, 8) ? 0 : 1);
	}
	for (size_t i = 0; i < rule->n_args; i++) {
		uint64_t value = pick(r, 2) ? rule->args[i].value : rule->args[i].value_two;

		d->args[rule->args[i].index] = value + (pick(r, 2) ? 0 : odd[pick(r, 5)]);
	}
}

static void compare(const struct oci_config *c, size_t size, struct arena *a)
{
	static char arch[] = "x86_64";
	const struct host h = { .arch = arch, .caps_effective = UINT64_MAX };
	const struct oci_process process = { .no_new_privileges = true };
	struct random random = { size };
	struct seccomp_plan p = { 0 };
	struct error err;

	if (is_mistaken(c->linux->seccomp) ||
	    seccomp_compile(c, &process, &h, a, &p, &err) < 0 || !p.enabled ||
	    seccomp_program(c, a, &p, &err) < 0)
		return;
	for (int i = 0; i < CALLS; i++) {
		struct seccomp_data d;

		invent(c->linux->seccomp, &random, &d);
		if (!is_right(c->linux->seccomp, &d, run(&p, &d)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char before[] = "{\"ociVersion\":\"1.0.0\",\"linux\":{\"seccomp\":";
	struct arena a = ARENA_INIT;
	struct oci_config *c;
	struct error err;
	char *profile = fuzz_string(data, size);
	char *text = arena_printf(&a, "%s%s}}", before, profile);

	fuzz_quiet();
	/* Longer profiles say nothing that shorter ones do not, and take libseccomp seconds. */
	if (size < 1u << 14 &&
	    oci_config_parse(text, strlen(text), "f", &a, &c, &err) == 0 && c->linux &&
	    c->linux->seccomp)
		compare(c, size, &a);
	arena_free(&a);
	free(profile);
	return 0;
}
