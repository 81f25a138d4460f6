/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_tree.c - makes a filter small, and so quick to load.
 *
 * libseccomp's program tests for each system call on its own.  But most of an engine's profile is
 * long runs of neighbouring numbers with the same answer, and loading costs time for each
 * instruction.  So the program is asked, for each architecture, what it answers to each number; the
 * answers become a binary tree over the runs.  Where the answer depends on arguments, the leaf
 * jumps to a copy of the program's own code from its first look at an argument on.
 *
 * The question need not be put for 2^32 numbers: the program compares the number with constants
 * only, so between two neighbouring constants it cannot tell numbers apart.  Any instruction that
 * is not understood ends the attempt, and the program stays as it was.
 */
#include "seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ARCHES 32
#define MAX_OUT	   SECCOMP_MAX_INSTRUCTIONS

/* What the program comes to: an answer, or (code) the place where it first looks at an argument. */
struct leaf {
	bool code;
	uint32_t value;
};

/* From this number on, up to the next run, the answer is the same. */
struct run {
	uint32_t first;
	struct leaf leaf;
};

struct tree {
	const struct sock_filter *in;
	size_t n_in;
	struct sock_filter *out;
	size_t n_out;
	uint32_t *points; /* numbers at which an answer can change, ascending */
	size_t n_points;
	struct run *runs;
	size_t n_runs;
	uint32_t arches[MAX_ARCHES];
	size_t n_arches;
	bool *keep;	   /* instructions of in that are copied */
	uint32_t *copy_at; /* where to */
};

static bool compares(const struct sock_filter *f)
{
	return f->code == (BPF_JMP | BPF_JEQ | BPF_K) || f->code == (BPF_JMP | BPF_JGT | BPF_K) ||
	       f->code == (BPF_JMP | BPF_JGE | BPF_K);
}

static bool holds(const struct sock_filter *f, uint32_t a)
{
	if (BPF_OP(f->code) == BPF_JEQ)
		return a == f->k;
	return BPF_OP(f->code) == BPF_JGT ? a > f->k : a >= f->k;
}

/*
 * Follows the program for one architecture and number.  With note set, the architectures that it
 * compares with are noted in t, and it may not look at the number.  0, or -EINVAL: an instruction
 * that is not understood.
 */
static int follow(struct tree *t, uint32_t arch, uint32_t nr, bool note, struct leaf *out)
{
	enum { NOTHING, NUMBER, ARCHITECTURE } loaded = NOTHING;

	for (size_t pc = 0; pc < t->n_in; pc++) {
		const struct sock_filter *f = &t->in[pc];

		if (f->code == (BPF_RET | BPF_K)) {
			*out = (struct leaf){ false, f->k };
			return 0;
		} else if (f->code == (BPF_JMP | BPF_JA)) {
			pc += f->k;
		} else if (f->code == (BPF_LD | BPF_W | BPF_ABS)) {
			if (f->k >= offsetof(struct seccomp_data, instruction_pointer)) {
				*out = (struct leaf){ true, (uint32_t)pc };
				return 0;
			}
			loaded = f->k == offsetof(struct seccomp_data, nr) ? NUMBER : ARCHITECTURE;
		} else if (compares(f) && loaded == NUMBER && !note) {
			pc += holds(f, nr) ? f->jt : f->jf;
		} else if (f->code == (BPF_JMP | BPF_JEQ | BPF_K) && loaded == ARCHITECTURE) {
			if (note && t->n_arches == MAX_ARCHES)
				return -EINVAL;
			if (note)
				t->arches[t->n_arches++] = f->k;
			pc += f->k == arch ? f->jt : f->jf;
		} else {
			return -EINVAL;
		}
	}
	return -EINVAL;
}

static int compare_points(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void collect_points(struct tree *t, struct arena *a)
{
	size_t n = 0;

	t->points = ARENA_NEW_ARRAY(a, uint32_t, 2 * t->n_in + 1);
	t->points[n++] = 0;
	for (size_t i = 0; i < t->n_in; i++)
		if (compares(&t->in[i])) {
			t->points[n++] = t->in[i].k;
			if (t->in[i].k < UINT32_MAX)
				t->points[n++] = t->in[i].k + 1;
		}
	qsort(t->points, n, sizeof(*t->points), compare_points);
	for (size_t i = 0; i < n; i++)
		if (t->n_points == 0 || t->points[t->n_points - 1] != t->points[i])
			t->points[t->n_points++] = t->points[i];
}

static int collect_runs(struct tree *t, uint32_t arch)
{
	t->n_runs = 0;
	for (size_t i = 0; i < t->n_points; i++) {
		const struct leaf *last = t->n_runs > 0 ? &t->runs[t->n_runs - 1].leaf : NULL;
		struct leaf leaf;
		int r = follow(t, arch, t->points[i], false, &leaf);

		if (r < 0)
			return r;
		if (last != NULL && last->code == leaf.code && last->value == leaf.value)
			continue;
		t->runs[t->n_runs++] = (struct run){ t->points[i], leaf };
		if (leaf.code)
			t->keep[leaf.value] = true;
	}
	return 0;
}

static size_t tree_size(size_t n)
{
	size_t left = n / 2;

	if (n == 1)
		return 1;
	return (tree_size(left) > 255 ? 2 : 1) + tree_size(left) + tree_size(n - left);
}

static void emit(struct tree *t, uint16_t code, uint32_t k, size_t jt, size_t jf)
{
	if (t->n_out < MAX_OUT)
		t->out[t->n_out] = (struct sock_filter){ code, (uint8_t)jt, (uint8_t)jf, k };
	t->n_out++;
}

/* Jumps are forward only: the lower half stands first, a comparison jumps over it. */
static void emit_tree(struct tree *t, const struct run *runs, size_t n)
{
	size_t left = n / 2, size;

	if (n == 1 && runs->leaf.code) {
		emit(t, BPF_JMP | BPF_JA, runs->leaf.value, 1, 0); /* see place_code() */
		return;
	}
	if (n == 1) {
		emit(t, BPF_RET | BPF_K, runs->leaf.value, 0, 0);
		return;
	}
	size = tree_size(left);
	if (size > 255) {
		emit(t, BPF_JMP | BPF_JGE | BPF_K, runs[left].first, 0, 1);
		emit(t, BPF_JMP | BPF_JA, (uint32_t)size, 0, 0);
	} else {
		emit(t, BPF_JMP | BPF_JGE | BPF_K, runs[left].first, size, 0);
	}
	emit_tree(t, runs, left);
	emit_tree(t, runs + left, n - left);
}

static int emit_arch(struct tree *t, uint32_t arch)
{
	int r = collect_runs(t, arch);

	if (r < 0)
		return r;
	emit(t, BPF_JMP | BPF_JEQ | BPF_K, arch, 1, 0);
	emit(t, BPF_JMP | BPF_JA, (uint32_t)(1 + tree_size(t->n_runs)), 0, 0);
	emit(t, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	emit_tree(t, t->runs, t->n_runs);
	return 0;
}

/* All that can be reached from what is kept: in one pass, since jumps are forward only. */
static void mark_code(struct tree *t)
{
	for (size_t i = 0; i < t->n_in; i++) {
		const struct sock_filter *f = &t->in[i];

		if (!t->keep[i] || BPF_CLASS(f->code) == BPF_RET)
			continue;
		if (f->code == (BPF_JMP | BPF_JA)) {
			t->keep[i + 1 + f->k] = true;
		} else if (BPF_CLASS(f->code) == BPF_JMP) {
			t->keep[i + 1 + f->jt] = true;
			t->keep[i + 1 + f->jf] = true;
		} else {
			t->keep[i + 1] = true;
		}
	}
}

/*
 * Copies the kept code behind the trees, in its order, and aims all jumps to it.  Distances only
 * shrink, so they still fit.
 */
static void place_code(struct tree *t)
{
	size_t trees = t->n_out, at = trees;

	for (size_t i = 0; i < t->n_in; i++)
		if (t->keep[i])
			t->copy_at[i] = (uint32_t)at++;
	/* In a tree, a jump to code holds the old place, and jt as its mark. */
	for (size_t i = 0; i < trees; i++)
		if (t->out[i].code == (BPF_JMP | BPF_JA) && t->out[i].jt == 1) {
			t->out[i].k = t->copy_at[t->out[i].k] - (uint32_t)i - 1;
			t->out[i].jt = 0;
		}
	for (size_t i = 0; i < t->n_in; i++) {
		struct sock_filter f = t->in[i];
		uint32_t next = t->copy_at[i] + 1;

		if (!t->keep[i])
			continue;
		if (f.code == (BPF_JMP | BPF_JA)) {
			f.k = t->copy_at[i + 1 + f.k] - next;
		} else if (BPF_CLASS(f.code) == BPF_JMP) {
			f.jt = (uint8_t)(t->copy_at[i + 1 + f.jt] - next);
			f.jf = (uint8_t)(t->copy_at[i + 1 + f.jf] - next);
		}
		emit(t, f.code, f.k, f.jt, f.jf);
	}
}

/* A number that the program compares nothing with: it stands for all architectures it ignores. */
static uint32_t other_arch(const struct tree *t)
{
	uint32_t arch = 1;

	for (size_t i = 0; i < t->n_points; i++)
		if (t->points[i] == arch)
			arch++;
	return arch;
}

static int build(struct tree *t)
{
	struct leaf other;
	int r = follow(t, other_arch(t), 0, true, &other);

	if (r < 0 || other.code)
		return -EINVAL;
	emit(t, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	for (size_t i = 0; i < t->n_arches; i++) {
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again |= t->arches[k] == t->arches[i];
		r = again ? 0 : emit_arch(t, t->arches[i]);
		if (r < 0 || t->n_out > MAX_OUT)
			return -EINVAL;
	}
	emit(t, BPF_RET | BPF_K, other.value, 0, 0);
	mark_code(t);
	place_code(t);
	return t->n_out > MAX_OUT ? -EINVAL : 0;
}

void seccomp_tree(struct seccomp_plan *p, struct arena *a)
{
	struct tree t = { .in = p->program, .n_in = p->n_program };

	t.out = ARENA_NEW_ARRAY(a, struct sock_filter, MAX_OUT);
	t.keep = ARENA_NEW_ARRAY(a, bool, t.n_in + 1);
	t.copy_at = ARENA_NEW_ARRAY(a, uint32_t, t.n_in + 1);
	collect_points(&t, a);
	t.runs = ARENA_NEW_ARRAY(a, struct run, t.n_points);
	if (build(&t) < 0 || t.n_out >= p->n_program)
		return;
	p->program = t.out;
	p->n_program = t.n_out;
}
