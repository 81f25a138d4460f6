/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules.  Kernel: security/device_cgroup.c (v1), BPF_PROG_TYPE_CGROUP_DEVICE:
 * Documentation/admin-guide/cgroup-v2.rst "Device controller" (v2).
 */
#include "cgroup/cgroup_device.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/sys.h"

#define ANY CGROUP_DEVICE_ANY
#define ACCESS_ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define NUMBER_MAX UINT32_MAX
/*
 * Of all updates together; oci_check_resources.c has the limit of a configuration.  The verifier of
 * BPF programs remembers a branch for each rule, and 8,192 at most.
 */
#define UPDATE_RULES_MAX 2048

/*
 * What every container may use whatever the config says: making nodes (which gives no access), the
 * default devices of config-linux.md "Default Devices", terminals, and tun, which many images
 * expect.
 */
#define DEFAULT(type, major, minor, access) { true, type, major, minor, access, NULL }

static const struct cgroup_device_rule default_rules[] = {
	DEFAULT('c', ANY, ANY, BPF_DEVCG_ACC_MKNOD),
	DEFAULT('b', ANY, ANY, BPF_DEVCG_ACC_MKNOD),
	DEFAULT('c', 1, 3, ACCESS_ALL),	/* null */
	DEFAULT('c', 1, 5, ACCESS_ALL),	/* zero */
	DEFAULT('c', 1, 7, ACCESS_ALL),	/* full */
	DEFAULT('c', 1, 8, ACCESS_ALL),	/* random */
	DEFAULT('c', 1, 9, ACCESS_ALL),	/* urandom */
	DEFAULT('c', 5, 0, ACCESS_ALL),	/* tty */
	DEFAULT('c', 5, 1, ACCESS_ALL),	/* console */
	DEFAULT('c', 5, 2, ACCESS_ALL),	/* ptmx */
	DEFAULT('c', 136, ANY, ACCESS_ALL),	/* pts */
	DEFAULT('c', 10, 200, ACCESS_ALL),	/* net/tun */
};

#define N_DEFAULTS (sizeof(default_rules) / sizeof(default_rules[0]))

static bool is_everything(const struct cgroup_device_rule *r)
{
	return r->type == 'a';
}

/* Letters to bits; 0 for a text with any other letter. */
static uint32_t parse_access(const char *text)
{
	uint32_t access = 0;

	if (!text || !*text)
		return ACCESS_ALL;
	for (; *text; text++) {
		if (*text == 'r')
			access |= BPF_DEVCG_ACC_READ;
		else if (*text == 'w')
			access |= BPF_DEVCG_ACC_WRITE;
		else if (*text == 'm')
			access |= BPF_DEVCG_ACC_MKNOD;
		else
			return 0;
	}
	return access;
}

/* What stood before a rule for everything has no effect any more. */
static void add_rule(struct arena *a, struct cgroup_device_plan *p, struct cgroup_device_rule rule)
{
	if (is_everything(&rule))
		p->n_rules = 0;
	p->rules = arena_grow(a, p->rules, p->n_rules, sizeof(rule));
	p->rules[p->n_rules++] = rule;
}

static int number(const struct oci_config *c, int64_t *const *given, int64_t *out,
		  struct error *err)
{
	*out = *given ? **given : ANY;
	if (*out < ANY || *out > (int64_t)NUMBER_MAX)
		return oci_error(c, given, err, "%lld is not a device number", (long long)*out);
	return 0;
}

/*
 * The kernel's "a" means every device and every access, whatever else the line says.  A rule for
 * both types that is narrower than that becomes one for each type.
 */
static int add_config_rule(const struct oci_config *c, const struct oci_device_cgroup *d,
			   struct arena *a, struct cgroup_device_plan *p, struct error *err)
{
	struct cgroup_device_rule rule = {
		.allow = d->allow, .access = parse_access(d->access), .at = d,
	};

	if (!rule.access)
		return oci_error(c, &d->access, err, "\"%s\" is not made of r, w and m", d->access);
	if (number(c, &d->major, &rule.major, err) < 0 ||
	    number(c, &d->minor, &rule.minor, err) < 0)
		return -EINVAL;
	if (d->type == 'b' || d->type == 'c') {
		rule.type = (char)d->type;
		add_rule(a, p, rule);
		return 0;
	}
	if (rule.major == ANY && rule.minor == ANY && rule.access == ACCESS_ALL) {
		rule.type = 'a';
		add_rule(a, p, rule);
		return 0;
	}
	rule.type = 'b';
	add_rule(a, p, rule);
	rule.type = 'c';
	add_rule(a, p, rule);
	return 0;
}

int cgroup_device_rules(const struct oci_config *c, struct arena *a, struct cgroup_device_plan *out,
			struct error *err)
{
	const struct oci_resources *r = c->linux ? c->linux->resources : NULL;

	add_rule(a, out, (struct cgroup_device_rule){ false, 'a', ANY, ANY, ACCESS_ALL, NULL });
	for (size_t i = 0; r && i < r->n_devices; i++) {
		int ret = add_config_rule(c, &r->devices[i], a, out, err);

		if (ret < 0)
			return ret;
	}
	out->defaults = out->n_rules;
	out->n_defaults = N_DEFAULTS;
	for (size_t i = 0; i < N_DEFAULTS; i++)
		add_rule(a, out, default_rules[i]);
	return 0;
}

int cgroup_device_add(const struct oci_resources *r, struct arena *a,
		      struct cgroup_device_plan *out, struct error *err)
{
	/* Not read from a file: only the text of an error is left. */
	const struct oci_config none = { 0 };

	for (size_t i = 0; i < r->n_devices; i++) {
		int ret;

		if (out->n_rules - out->defaults - out->n_defaults >= UPDATE_RULES_MAX)
			return error_set(err, 0, "more than %d device rules in all updates",
					 UPDATE_RULES_MAX);
		ret = add_config_rule(&none, &r->devices[i], a, out, err);

		if (ret < 0)
			return ret;
		/* A rule for everything has removed the defaults as well. */
		if (out->n_rules == 1)
			out->defaults = out->n_defaults = 0;
	}
	return 0;
}

/* --- v1 --- */

void cgroup_device_text(const struct cgroup_device_rule *r, char text[CGROUP_DEVICE_TEXT])
{
	char major[24] = "*", minor[24] = "*";

	if (r->major != ANY)
		snprintf(major, sizeof(major), "%u", (uint32_t)r->major);
	if (r->minor != ANY)
		snprintf(minor, sizeof(minor), "%u", (uint32_t)r->minor);
	if (is_everything(r))
		snprintf(text, CGROUP_DEVICE_TEXT, "a");
	else
		snprintf(text, CGROUP_DEVICE_TEXT, "%c %.10s:%.10s %s%s%s", r->type, major, minor,
			 r->access & BPF_DEVCG_ACC_READ ? "r" : "",
			 r->access & BPF_DEVCG_ACC_WRITE ? "w" : "",
			 r->access & BPF_DEVCG_ACC_MKNOD ? "m" : "");
}

static void add_line(struct arena *a, struct cgroup_device_plan *p, bool allow,
		     const struct cgroup_device_rule *r)
{
	struct cgroup_device_line line = { .allow = allow };

	cgroup_device_text(r, line.text);
	p->lines = arena_grow(a, p->lines, p->n_lines, sizeof(line));
	p->lines[p->n_lines++] = line;
}

static bool number_covers(int64_t wide, int64_t narrow)
{
	return wide == ANY || wide == narrow;
}

static bool overlaps(const struct cgroup_device_rule *x, const struct cgroup_device_rule *y)
{
	return x->type == y->type && (x->access & y->access) &&
		(number_covers(x->major, y->major) || number_covers(y->major, x->major)) &&
		(number_covers(x->minor, y->minor) || number_covers(y->minor, x->minor));
}

/*
 * A v1 cgroup holds a default and a list of exceptions to it.  A rule that agrees with the default
 * takes back earlier exceptions; the kernel removes only those with exactly its numbers, so one
 * line is written for each exception it covers.  One that it covers in part only cannot be
 * expressed.  left: of each exception the access that was not taken back yet, so that many wide
 * rules in a row write each line once.
 */
static bool take_back(struct arena *a, struct cgroup_device_plan *p, uint32_t *left, size_t rule)
{
	const struct cgroup_device_rule *r = &p->rules[rule];

	for (size_t i = 0; i < rule; i++) {
		struct cgroup_device_rule e = p->rules[i];

		e.access = left[i];
		if (!overlaps(&e, r))
			continue;
		if (!number_covers(r->major, e.major) || !number_covers(r->minor, e.minor))
			return false;
		e.access &= r->access;
		left[i] &= ~r->access;
		add_line(a, p, r->allow, &e);
	}
	return true;
}

static bool is_default(const struct cgroup_device_plan *p, size_t i)
{
	return i >= p->defaults && i - p->defaults < p->n_defaults;
}

int cgroup_device_lines(const struct oci_config *c, struct arena *a, struct cgroup_device_plan *p,
			struct error *err)
{
	uint32_t *left = ARENA_NEW_ARRAY(a, uint32_t, p->n_rules);
	bool allow_default = false;

	for (size_t i = 0; i < p->n_rules; i++) {
		const struct cgroup_device_rule *r = &p->rules[i];

		if (is_everything(r)) {
			allow_default = r->allow;
			memset(left, 0, i * sizeof(*left));
			add_line(a, p, r->allow, r);
		} else if (r->allow != allow_default) {
			left[i] = r->access;
			add_line(a, p, r->allow, r);
		} else if (!take_back(a, p, left, i) && !is_default(p, i)) {
			char text[CGROUP_DEVICE_TEXT];

			cgroup_device_text(r, text);
			return oci_error(c, r->at, err, "%s %s: cgroup v1 cannot take a part out "
					 "of a wider earlier rule",
					 r->allow ? "allow" : "deny", text);
		}
	}
	return 0;
}

int cgroup_device_write_lines(const struct cgroup_device_plan *p, int dir, struct error *err)
{
	for (size_t i = 0; i < p->n_lines; i++) {
		const struct cgroup_device_line *line = &p->lines[i];
		const char *file = line->allow ? "devices.allow" : "devices.deny";
		int ret = file_write(dir, file, line->text);

		if (ret < 0)
			return error_set(err, -ret, "linux.resources.devices: write \"%s\" to %s",
					 line->text, file);
	}
	return 0;
}

/* --- v2: the program --- */

/* Registers: r1 the context; r2 type, r3 access bits not decided yet, r4 major, r5 minor. */
#define LOAD(dst, field) \
	((struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = (dst), \
			    .src_reg = BPF_REG_1, \
			    .off = offsetof(struct bpf_cgroup_dev_ctx, field) })
#define ALU(op, dst, value) \
	((struct bpf_insn){ .code = BPF_ALU | (op) | BPF_K, .dst_reg = (dst), \
			    .imm = (int32_t)(value) })
#define JUMP(op, dst, value) \
	((struct bpf_insn){ .code = BPF_JMP32 | (op) | BPF_K, .dst_reg = (dst), \
			    .imm = (int32_t)(value) })
#define GOTO(skip) ((struct bpf_insn){ .code = BPF_JMP | BPF_JA, .off = (skip) })
#define EXIT ((struct bpf_insn){ .code = BPF_JMP | BPF_EXIT })

static void emit(struct arena *a, struct cgroup_device_plan *p, struct bpf_insn insn)
{
	p->program = arena_grow(a, p->program, p->n_insns, sizeof(insn));
	p->program[p->n_insns++] = insn;
}

static void emit_return(struct arena *a, struct cgroup_device_plan *p, int value)
{
	emit(a, p, ALU(BPF_MOV, BPF_REG_0, value));
	emit(a, p, EXIT);
}

/* Goes on if the condition holds, else to the next rule. */
static void emit_test(struct arena *a, struct cgroup_device_plan *p, struct bpf_insn condition)
{
	condition.off = 1;
	emit(a, p, condition);
	emit(a, p, GOTO(0));
}

/*
 * One rule: if the node fits, bits that the rule names are decided: a denied one ends in 0;
 * allowed ones are crossed off, and 1 is returned when none is left.
 *
 * The kernel's verifier walks the way without a jump first.  That must be the one to the next rule,
 * of which less is known: what comes there later by a rule that fits in part is then a case of what
 * was walked already.  The other way round each such rule costs a walk over all that follow, and
 * some hundred are too many for the verifier.
 */
static void emit_rule(struct arena *a, struct cgroup_device_plan *p,
		      const struct cgroup_device_rule *r)
{
	size_t start = p->n_insns;

	if (!is_everything(r))
		emit_test(a, p, JUMP(BPF_JEQ, BPF_REG_2, r->type == 'b' ? BPF_DEVCG_DEV_BLOCK :
				     BPF_DEVCG_DEV_CHAR));
	if (r->major != ANY)
		emit_test(a, p, JUMP(BPF_JEQ, BPF_REG_4, r->major));
	if (r->minor != ANY)
		emit_test(a, p, JUMP(BPF_JEQ, BPF_REG_5, r->minor));
	if (!r->allow && r->access != ACCESS_ALL) {
		emit_test(a, p, JUMP(BPF_JSET, BPF_REG_3, r->access));
	} else if (r->allow && r->access != ACCESS_ALL) {
		emit(a, p, ALU(BPF_AND, BPF_REG_3, ~r->access));
		emit_test(a, p, JUMP(BPF_JEQ, BPF_REG_3, 0));
	}
	emit_return(a, p, r->allow);
	for (size_t i = start; i < p->n_insns; i++) {
		struct bpf_insn *insn = &p->program[i];

		if (insn->code == (BPF_JMP | BPF_JA))
			insn->off = (int16_t)(p->n_insns - i - 1);
	}
}

void cgroup_device_program(struct arena *a, struct cgroup_device_plan *p)
{
	emit(a, p, LOAD(BPF_REG_2, access_type));
	emit(a, p, ((struct bpf_insn){ .code = BPF_ALU | BPF_MOV | BPF_X, .dst_reg = BPF_REG_3,
				       .src_reg = BPF_REG_2 }));
	emit(a, p, ALU(BPF_AND, BPF_REG_2, 0xffff));
	emit(a, p, ALU(BPF_RSH, BPF_REG_3, 16));
	emit(a, p, LOAD(BPF_REG_4, major));
	emit(a, p, LOAD(BPF_REG_5, minor));
	/*
	 * The last rule wins, so it is asked first.  Rule 0 is for everything: the program ends
	 * there.
	 */
	for (size_t i = p->n_rules; i-- > 0;)
		emit_rule(a, p, &p->rules[i]);
}

/* --- v2: loading --- */

/* Before Linux 5.11 programs count against RLIMIT_MEMLOCK, and the answer is EPERM. */
static int load_with_memlock(union bpf_attr *attr)
{
	struct rlimit old, raised;
	int fd = sys_bpf(BPF_PROG_LOAD, attr, sizeof(*attr));

	if (fd != -EPERM || getrlimit(RLIMIT_MEMLOCK, &old) < 0)
		return fd;
	raised = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
	if (setrlimit(RLIMIT_MEMLOCK, &raised) < 0) {
		raised = (struct rlimit){ old.rlim_max, old.rlim_max };
		if (setrlimit(RLIMIT_MEMLOCK, &raised) < 0)
			return fd;
	}
	fd = sys_bpf(BPF_PROG_LOAD, attr, sizeof(*attr));
	/* The container inherits limits: it must not get ours. */
	(void)setrlimit(RLIMIT_MEMLOCK, &old);
	return fd;
}

static int load(const struct cgroup_device_plan *p, char *log, uint32_t log_size)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)p->program;
	attr.insn_cnt = (uint32_t)p->n_insns;
	attr.license = (uintptr_t)"Apache-2.0";
	attr.log_buf = (uintptr_t)log;
	attr.log_size = log_size;
	attr.log_level = log ? 1 : 0;
	memcpy(attr.prog_name, "kist_devices", sizeof("kist_devices"));
	return load_with_memlock(&attr);
}

#define ATTACHED_MAX 64

/* Ids of the device programs attached to this very cgroup. */
static int attached_ids(int dir, uint32_t ids[ATTACHED_MAX], uint32_t *n)
{
	union bpf_attr attr;
	int ret;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)dir;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = ATTACHED_MAX;
	ret = sys_bpf(BPF_PROG_QUERY, &attr, sizeof(attr));
	*n = ret < 0 ? 0 : attr.query.prog_cnt;
	return ret < 0 ? ret : 0;
}

static int detach_id(int dir, uint32_t id)
{
	union bpf_attr attr;
	owned_fd prog = -1;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	prog = sys_bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr));
	if (prog < 0)
		return prog;
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)dir;
	attr.attach_bpf_fd = (uint32_t)prog;
	attr.attach_type = BPF_CGROUP_DEVICE;
	return sys_bpf(BPF_PROG_DETACH, &attr, sizeof(attr));
}

static int attach(int dir, int prog)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)dir;
	attr.attach_bpf_fd = (uint32_t)prog;
	attr.attach_type = BPF_CGROUP_DEVICE;
	/*
	 * MULTI: the programs of all ancestors are asked too, and the payload may add its own
	 * restrictions below.
	 */
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	return sys_bpf(BPF_PROG_ATTACH, &attr, sizeof(attr));
}

int cgroup_device_attach(const struct cgroup_device_plan *p, int dir, bool existing,
			 struct error *err)
{
	uint32_t ids[ATTACHED_MAX], n = 0;
	owned_fd prog = load(p, NULL, 0);
	char log[1024] = "";
	int ret = prog;

	if (prog == -E2BIG)
		return error_set(err, E2BIG, "linux.resources.devices: the %zu rules are too many "
				 "for the kernel's verifier, for which rules that allow a part of "
				 "rwm cost most", p->n_rules);
	if (prog < 0 && prog != -EPERM && prog != -EACCES)
		prog = load(p, log, sizeof(log));	/* once more, for the verifier's reason */
	if (prog < 0)
		return error_set(err, -ret, "linux.resources.devices: load the device program%s%s",
				 *log ? ": " : "", log);
	if (existing) {
		ret = attached_ids(dir, ids, &n);
		if (ret < 0)
			return error_set(err, -ret,
					 "linux.resources.devices: query attached programs");
	}
	ret = attach(dir, prog);
	if (ret < 0)
		return error_set(err, -ret, "linux.resources.devices: attach the device program");
	/*
	 * All attached programs must agree, so the access can only narrow until the old ones are
	 * gone.
	 */
	for (uint32_t i = 0; i < n; i++) {
		ret = detach_id(dir, ids[i]);
		if (ret < 0)
			return error_set(err, -ret, "linux.resources.devices: detach program %u",
					 ids[i]);
	}
	return 0;
}
