/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules: the v1 lines as text; the v2 program by running it in a small interpreter against
 * the meaning of the rules.
 */
#include "cgroup/cgroup_device.h"

#include <errno.h>

#include "tap.h"

#define ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define R BPF_DEVCG_ACC_READ
#define W BPF_DEVCG_ACC_WRITE
#define M BPF_DEVCG_ACC_MKNOD
#define STEPS_MAX 10000

static int64_t n1 = 1, n3 = 3, n7 = 7, n8 = 8, n10 = 10, any = -1, big = 4294967296;

/* A conditional jump's verdict. */
static bool jumps(uint8_t op, uint32_t value, uint32_t imm)
{
	return op == BPF_JEQ ? value == imm : op == BPF_JSET ? (value & imm) != 0 : false;
}

static uint64_t alu(uint8_t op, uint32_t value, uint32_t operand)
{
	switch (op) {
	case BPF_MOV:
		return operand;
	case BPF_AND:
		return value & operand;
	case BPF_RSH:
		return value >> operand;
	default:
		return 0xdead;
	}
}

/* Runs the program; -1 if it leaves its bounds, uses an unknown instruction or does not end. */
static int interpret(const struct cgroup_device_plan *p, const struct bpf_cgroup_dev_ctx *ctx)
{
	uint64_t reg[11] = { 0 };
	size_t pc = 0;

	for (int steps = 0; steps < STEPS_MAX && pc < p->n_insns; steps++) {
		const struct bpf_insn *i = &p->program[pc++];
		uint32_t value = (uint32_t)reg[i->dst_reg];
		uint32_t operand = (uint32_t)i->imm;

		if (BPF_SRC(i->code) == BPF_X)
			operand = (uint32_t)reg[i->src_reg];
		if (i->code == (BPF_JMP | BPF_EXIT))
			return (int)reg[0];
		if (i->code == (BPF_JMP | BPF_JA))
			pc += (size_t)i->off;
		else if (i->code == (BPF_LDX | BPF_MEM | BPF_W))
			reg[i->dst_reg] = *(const uint32_t *)((const char *)ctx + i->off);
		else if (BPF_CLASS(i->code) == BPF_ALU)
			reg[i->dst_reg] = alu(BPF_OP(i->code), value, operand);
		else if (BPF_CLASS(i->code) == BPF_JMP32)
			pc += jumps(BPF_OP(i->code), value, operand) ? (size_t)i->off : 0;
		else
			return -1;
	}
	return -1;
}

/* The meaning, written down a second time: each access bit by the last rule that fits. */
static int meaning(const struct cgroup_device_plan *p, char type, uint32_t major, uint32_t minor,
		   uint32_t access)
{
	for (uint32_t bit = 1; bit <= access; bit <<= 1) {
		bool allowed = false;

		for (size_t i = 0; i < p->n_rules; i++) {
			const struct cgroup_device_rule *r = &p->rules[i];

			if ((r->type == 'a' || r->type == type) && (r->access & bit) &&
			    (r->major < 0 || r->major == major) &&
			    (r->minor < 0 || r->minor == minor))
				allowed = r->allow;
		}
		if ((access & bit) && !allowed)
			return 0;
	}
	return 1;
}

static int ask(const struct cgroup_device_plan *p, char type, uint32_t major, uint32_t minor,
	       uint32_t access)
{
	uint32_t kind = type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
	struct bpf_cgroup_dev_ctx ctx = {
		.access_type = access << 16 | kind, .major = major, .minor = minor,
	};

	return interpret(p, &ctx);
}

static struct cgroup_device_plan compile(struct arena *a, struct oci_device_cgroup *list, size_t n)
{
	struct oci_resources resources = { .devices = list, .n_devices = n };
	struct oci_linux linux_ = { .resources = &resources };
	struct oci_config config = { .linux = &linux_ };
	struct cgroup_device_plan p = { .dir = -1 };

	if (cgroup_device_rules(&config, a, &p, NULL) < 0)
		bail_out("rules");
	cgroup_device_program(a, &p);
	return p;
}

/* Every access to every node near the numbers that rules name. */
static int differences(const struct cgroup_device_plan *p)
{
	static const uint32_t majors[] = { 0, 1, 5, 7, 8, 10, 136, 4294967295u };
	static const uint32_t minors[] = { 0, 1, 3, 5, 7, 200, 201, 1048575 };
	int found = 0;

	for (const char *type = "bc"; *type; type++)
		for (size_t i = 0; i < 64; i++)
			for (uint32_t access = 1; access <= ALL; access++)
				found += ask(p, *type, majors[i / 8], minors[i % 8], access) !=
					meaning(p, *type, majors[i / 8], minors[i % 8], access);
	return found;
}

static void test_program(struct arena *a)
{
	struct oci_device_cgroup typical[] = {
		{ .allow = false, .access = "rwm" },
		{ .allow = true, .type = 'c', .major = &n10, .access = "r" },
		{ .allow = true, .type = 'b', .major = &n8, .minor = &n7, .access = "rw" },
		{ .allow = false, .type = 'c', .major = &n10, .minor = &n3, .access = "rw" },
	};
	struct oci_device_cgroup privileged[] = {
		{ .allow = false, .access = "rwm" },
		{ .allow = true, .type = 'a', .major = &any, .minor = &any, .access = "rwm" },
		{ .allow = false, .type = 'b', .major = &n8 },
		{ .allow = true, .major = &n1, .access = "w" },
	};
	struct cgroup_device_plan p = compile(a, NULL, 0);

	is_int(differences(&p), 0, "defaults: the program means the rules");
	is_int(ask(&p, 'c', 1, 3, R | W), 1, "null may be read and written");
	is_int(ask(&p, 'b', 8, 0, M), 1, "any node may be made");
	is_int(ask(&p, 'b', 8, 0, R), 0, "a disk may not be read");
	is_int(ask(&p, 'c', 136, 42, ALL), 1, "terminals");
	p = compile(a, typical, 4);
	is_int(differences(&p), 0, "allow list: the program means the rules");
	is_int(ask(&p, 'b', 8, 7, R | W), 1, "an allowed disk");
	is_int(ask(&p, 'b', 8, 7, R | W | M), 1, "bits from two rules add up");
	is_int(ask(&p, 'c', 10, 3, R), 0, "a later rule takes a part away");
	p = compile(a, privileged, 4);
	is_int(differences(&p), 0, "everything allowed: the program means the rules");
	is_int(ask(&p, 'c', 99, 1, ALL), 1, "everything");
	is_int(ask(&p, 'b', 8, 1, R), 0, "but the disk");
	ok(p.program[p.n_insns - 1].code == (BPF_JMP | BPF_EXIT), "the program ends in exit");
}

/* Whether line i is the text. */
static bool line_is(const struct cgroup_device_plan *p, size_t i, bool allow, const char *text)
{
	return i < p->n_lines && p->lines[i].allow == allow && strcmp(p->lines[i].text, text) == 0;
}

static int lines(struct arena *a, struct oci_device_cgroup *list, size_t n,
		 struct cgroup_device_plan *p, struct error *err)
{
	struct oci_resources resources = { .devices = list, .n_devices = n };
	struct oci_linux linux_ = { .resources = &resources };
	struct oci_config config = { .linux = &linux_ };

	*p = (struct cgroup_device_plan){ .dir = -1 };
	if (cgroup_device_rules(&config, a, p, err) < 0)
		return -1;
	return cgroup_device_lines(&config, a, p, err);
}

static void test_lines(struct arena *a)
{
	struct oci_device_cgroup list[] = {
		{ .allow = true, .type = 'c', .major = &n10, .minor = &n7, .access = "rw" },
		{ .allow = true, .type = 'b', .major = &n8, .access = "r" },
		{ .allow = false, .type = 'c', .major = &n10, .access = "w" },
	};
	struct oci_device_cgroup cut[] = {
		{ .allow = true, .type = 'c', .major = &n10 },
		{ .allow = false, .type = 'c', .major = &n10, .minor = &n3 },
	};
	struct cgroup_device_plan p;
	struct error err;

	is_int(lines(a, list, 3, &p, &err), 0, "rules become lines");
	ok(line_is(&p, 0, false, "a"), "deny-all first");
	ok(line_is(&p, 1, true, "c 10:7 rw"), "the config's rules follow in order");
	ok(line_is(&p, 2, true, "b 8:* r"), "an absent number is *");
	ok(line_is(&p, 3, false, "c 10:7 w"), "a wider denial names the rule that it takes back");
	ok(line_is(&p, 4, true, "c *:* m"), "then the defaults");
	is_int((long long)p.n_lines, 16, "no line more");
	ok(lines(a, cut, 2, &p, &err) < 0, "a part cut out of a wider rule is an error");
}

static void test_rules(struct arena *a)
{
	struct oci_device_cgroup half = { .allow = true, .access = "r" };
	struct oci_device_cgroup letter = { .allow = true, .access = "rx" };
	struct oci_device_cgroup number = { .allow = true, .type = 'c', .major = &big };
	struct cgroup_device_plan p;
	struct error err;

	is_int(lines(a, &half, 1, &p, &err), 0, "a rule for both types");
	ok(p.rules[1].type == 'b' && p.rules[2].type == 'c' && p.rules[2].access == R,
	   "is no rule for every access");
	ok(lines(a, &letter, 1, &p, &err) < 0, "an unknown letter: %s", err.text);
	ok(lines(a, &number, 1, &p, &err) < 0, "a number out of range: %s", err.text);
}

int main(void)
{
	struct arena a = ARENA_INIT;

	test_rules(&a);
	test_program(&a);
	test_lines(&a);
	arena_free(&a);
	return done();
}
