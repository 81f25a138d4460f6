/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_bpf.h - an interpreter of classic BPF, as far as system call filters use it.
 */
#ifndef KIST_TESTS_UNIT_SECCOMP_BPF_H
#define KIST_TESTS_UNIT_SECCOMP_BPF_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "seccomp.h"
#include "tap.h"

/* One step of classic BPF over struct seccomp_data, as far as filters use it.  False: return *a. */
static inline bool seccomp_bpf_step(const struct sock_filter *f, const struct seccomp_data *data,
				    size_t *pc, uint32_t *a, uint32_t *mem)
{
	bool jump = false;

	switch (f->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		memcpy(a, (const char *)data + f->k, sizeof(*a));
		break;
	case BPF_LD | BPF_MEM:
		*a = mem[f->k];
		break;
	case BPF_ST:
		mem[f->k] = *a;
		break;
	case BPF_ALU | BPF_AND | BPF_K:
		*a &= f->k;
		break;
	case BPF_RET | BPF_K:
		*a = f->k;
		return false;
	case BPF_JMP | BPF_JA:
		*pc += f->k;
		break;
	case BPF_JMP | BPF_JEQ | BPF_K:
		jump = *a == f->k;
		break;
	case BPF_JMP | BPF_JGT | BPF_K:
		jump = *a > f->k;
		break;
	case BPF_JMP | BPF_JGE | BPF_K:
		jump = *a >= f->k;
		break;
	default:
		bail_out("an instruction this interpreter does not know");
	}
	if (BPF_CLASS(f->code) == BPF_JMP && BPF_OP(f->code) != BPF_JA)
		*pc += jump ? f->jt : f->jf;
	*pc += 1;
	return true;
}

static inline uint32_t seccomp_bpf_run(const struct seccomp_plan *p, uint32_t arch, uint32_t nr,
				       uint64_t arg0, uint64_t arg1)
{
	struct seccomp_data data = { .nr = (int)nr, .arch = arch, .args = { arg0, arg1 } };
	uint32_t a = 0, mem[BPF_MEMWORDS] = { 0 };
	size_t pc = 0;

	while (pc < p->n_program && seccomp_bpf_step(&p->program[pc], &data, &pc, &a, mem))
		;
	return a;
}

#endif
