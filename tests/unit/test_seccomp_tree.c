/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random filters: the tree must answer as the program it was made from, for every number around the
 * constants, several architectures and arguments.
 */
#include "seccomp.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include "seccomp_bpf.h"
#include "tap.h"

#define LENGTH	   48
#define MAX_NUMBER 70

static struct arena arena;
static uint32_t seed = 1;

static uint32_t pick(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

/* A jump or a load at place i of a program whose last two instructions are returns. */
static struct sock_filter random_instruction(size_t i)
{
	static const uint16_t jumps[] = { BPF_JEQ, BPF_JGT, BPF_JGE };
	static const uint32_t loads[] = { offsetof(struct seccomp_data, nr),
					  offsetof(struct seccomp_data, args),
					  offsetof(struct seccomp_data, args[1]) };
	uint32_t room = (uint32_t)(LENGTH - 2 - i - 1);
	struct sock_filter f = { 0 };

	if (room > 12)
		room = 12;
	switch (pick(8)) {
	case 0:
		f.code = BPF_LD | BPF_W | BPF_ABS;
		f.k = loads[pick(3)];
		break;
	case 1:
		f.code = BPF_RET | BPF_K;
		f.k = pick(4);
		break;
	case 2:
		f.code = BPF_JMP | BPF_JA;
		f.k = pick(room + 1);
		break;
	default:
		f.code = (uint16_t)(BPF_JMP | jumps[pick(3)] | BPF_K);
		f.jt = (uint8_t)pick(room + 1);
		f.jf = (uint8_t)pick(room + 1);
		f.k = pick(MAX_NUMBER - 5);
	}
	return f;
}

static void random_program(struct sock_filter f[LENGTH])
{
	f[0] = (struct sock_filter){ BPF_LD | BPF_W | BPF_ABS, 0, 0,
				     offsetof(struct seccomp_data, arch) };
	f[1] = (struct sock_filter){ BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AUDIT_ARCH_X86_64 };
	f[2] = (struct sock_filter){ BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)pick(30), LENGTH - 4,
				     AUDIT_ARCH_I386 };
	f[3] = (struct sock_filter){ BPF_LD | BPF_W | BPF_ABS, 0, 0,
				     offsetof(struct seccomp_data, nr) };
	for (size_t i = 4; i < LENGTH - 2; i++)
		f[i] = random_instruction(i);
	f[LENGTH - 2] = (struct sock_filter){ BPF_RET | BPF_K, 0, 0, 7 };
	f[LENGTH - 1] = (struct sock_filter){ BPF_RET | BPF_K, 0, 0, 8 };
}

static size_t differences(const struct seccomp_plan *a, const struct seccomp_plan *b)
{
	static const uint32_t arches[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_ARM, 1 };
	static const uint64_t args[] = { 0, 3, 40, 70, UINT64_C(5) << 32, UINT64_MAX };
	size_t wrong = 0;

	for (size_t i = 0; i < 4 * 6 * (MAX_NUMBER + 1); i++) {
		uint32_t nr = (uint32_t)(i / 24) < MAX_NUMBER ? (uint32_t)(i / 24) : UINT32_MAX;
		uint32_t arch = arches[i % 4];
		uint64_t arg = args[i / 4 % 6];

		wrong += seccomp_bpf_run(a, arch, nr, arg, arg / 2) !=
			 seccomp_bpf_run(b, arch, nr, arg, arg / 2);
	}
	return wrong;
}

int main(void)
{
	static struct sock_filter unknown[] = { { BPF_LD | BPF_W | BPF_ABS, 0, 0, 4 },
						{ BPF_MISC | BPF_TAX, 0, 0, 0 },
						{ BPF_RET | BPF_K, 0, 0, 1 } };
	struct seccomp_plan odd = { .program = unknown, .n_program = 3 };
	size_t wrong = 0, smaller = 0;

	for (int i = 0; i < 2000; i++) {
		struct sock_filter program[LENGTH];
		struct seccomp_plan before = { .program = program, .n_program = LENGTH }, after;

		random_program(program);
		after = before;
		seccomp_tree(&after, &arena);
		smaller += after.n_program < before.n_program;
		wrong += differences(&before, &after);
		arena_free(&arena);
	}
	is_int(wrong, 0, "2000 random programs answer as before");
	ok(smaller > 200, "%zu of them became smaller", smaller);
	seccomp_tree(&odd, &arena);
	ok(odd.program == unknown && odd.n_program == 3, "what is not understood stays");
	arena_free(&arena);
	return done();
}
