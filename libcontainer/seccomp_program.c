/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_program.c - from the profile to a BPF program, with libseccomp.
 *
 * In front of what libseccomp generates stands a prologue that answers ENOSYS for system calls
 * newer than any the profile names: its author could not know them, and C libraries fall back to
 * older calls on ENOSYS but take EPERM for the truth.
 */
#include "seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"

/* Two headers have this name: "seccomp.h" is ours, <seccomp.h> the library's. */
#ifndef SCMP_VER_MAJOR
#error "<seccomp.h> is not libseccomp's: put libcontainer/ into the include path by -iquote, not -I"
#endif

#define X32_BIT                                                                                    \
	0x40000000u /* x32 calls carry the architecture of x86-64, and this bit in the number */
#define NO_LIMIT   UINT32_MAX
#define MAX_ARCHES 32

struct arch {
	uint32_t token;	 /* of libseccomp: AUDIT_ARCH_*, but for x32 */
	uint32_t newest; /* highest number the profile names, or NO_LIMIT */
};

struct build {
	const struct oci_config *c;
	const struct oci_seccomp *s;
	scmp_filter_ctx ctx;
	struct arch arches[MAX_ARCHES];
	size_t n_arches;
};

static void release(scmp_filter_ctx *ctx)
{
	if (*ctx != NULL)
		seccomp_release(*ctx);
}

void seccomp_library_version(unsigned int v[3])
{
	const struct scmp_version *s = seccomp_version();

	v[0] = s != NULL ? s->major : 0;
	v[1] = s != NULL ? s->minor : 0;
	v[2] = s != NULL ? s->micro : 0;
}

const char *const *seccomp_library_archs(struct arena *a)
{
	__attribute__((cleanup(release))) scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	size_t n = 0, all = 0;
	const char **names;

	while (oci_seccomp_archs[all].name)
		all++;
	names = ARENA_NEW_ARRAY(a, const char *, all + 1);
	for (size_t i = 0; i < all && ctx; i++) {
		int r = seccomp_arch_add(ctx, (uint32_t)oci_seccomp_archs[i].value);

		/* The machine's own is there from the start. */
		if (r == 0 || r == -EEXIST)
			names[n++] = oci_seccomp_archs[i].name;
	}
	return names;
}

/* SCMP_ACT_* of an OCI action.  0 or -EINVAL. */
static int action_value(int action, const uint32_t *errno_ret, uint32_t *out)
{
	uint32_t ret = errno_ret != NULL ? *errno_ret : EPERM;

	switch (action) {
	case OCI_ACT_KILL:
	case OCI_ACT_KILL_THREAD:
		*out = SCMP_ACT_KILL_THREAD;
		return 0;
	case OCI_ACT_KILL_PROCESS:
		*out = SCMP_ACT_KILL_PROCESS;
		return 0;
	case OCI_ACT_TRAP:
		*out = SCMP_ACT_TRAP;
		return 0;
	case OCI_ACT_ERRNO:
		*out = SCMP_ACT_ERRNO(ret);
		return 0;
	case OCI_ACT_TRACE:
		*out = SCMP_ACT_TRACE(ret);
		return 0;
	case OCI_ACT_ALLOW:
		*out = SCMP_ACT_ALLOW;
		return 0;
	case OCI_ACT_LOG:
		*out = SCMP_ACT_LOG;
		return 0;
	case OCI_ACT_NOTIFY:
		*out = SCMP_ACT_NOTIFY;
		return 0;
	}
	return -EINVAL;
}

static int add_arches(struct build *b, struct error *err)
{
	const struct oci_seccomp *s = b->s;

	/* libseccomp begins with the architecture that runs: it stays, whether listed or not. */
	b->arches[b->n_arches++] = (struct arch){ seccomp_arch_native(), NO_LIMIT };
	for (size_t i = 0; i < s->n_architectures; i++) {
		int r = seccomp_arch_add(b->ctx, s->architectures[i]);

		if (r == -EEXIST)
			continue;
		if (r == -EDOM)
			return oci_error(
				b->c, &s->architectures[i], err,
				"architecture 0x%08x has another byte order than this machine",
				s->architectures[i]);
		if (r < 0 || b->n_arches == MAX_ARCHES)
			return oci_error(b->c, &s->architectures[i], err,
					 "architecture 0x%08x is not known to this libseccomp",
					 s->architectures[i]);
		b->arches[b->n_arches++] = (struct arch){ s->architectures[i], NO_LIMIT };
	}
	return 0;
}

/*
 * Where all that is not named is allowed, logged, traced or so, nothing must be turned into ENOSYS.
 */
static bool wants_prologue(const struct oci_seccomp *s)
{
	bool denies = s->default_action == OCI_ACT_ERRNO || s->default_action == OCI_ACT_KILL ||
		      s->default_action == OCI_ACT_KILL_PROCESS ||
		      s->default_action == OCI_ACT_KILL_THREAD || s->default_action == OCI_ACT_TRAP;

	return denies && !(s->default_action == OCI_ACT_ERRNO && s->default_errno_ret != NULL &&
			   *s->default_errno_ret == ENOSYS);
}

/* Remembers the highest number of the named calls, for the prologue. */
static void note_newest(struct build *b, const char *name)
{
	for (size_t i = 0; i < b->n_arches; i++) {
		struct arch *arch = &b->arches[i];
		int nr = seccomp_syscall_resolve_name_arch(arch->token, name);

		if (nr >= 0 && (arch->newest == NO_LIMIT || (uint32_t)nr > arch->newest))
			arch->newest = (uint32_t)nr;
	}
}

/*
 * All conditions of a rule must hold; but conditions on the same argument are alternatives: a rule
 * for each.
 */
static int add_rule(struct build *b, const struct oci_syscall *rule, uint32_t action, int nr)
{
	struct scmp_arg_cmp cmp[6];
	size_t n = rule->n_args;

	if (seccomp_has_alternatives(rule)) {
		for (size_t i = 0; i < n; i++) {
			const struct oci_syscall_arg *arg = &rule->args[i];
			int r;

			cmp[0] = (struct scmp_arg_cmp){ arg->index, (enum scmp_compare)arg->op,
							arg->value, arg->value_two };
			r = seccomp_rule_add_array(b->ctx, action, nr, 1, cmp);
			if (r < 0)
				return r;
		}
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		cmp[i] = (struct scmp_arg_cmp){ rule->args[i].index,
						(enum scmp_compare)rule->args[i].op,
						rule->args[i].value, rule->args[i].value_two };
	return seccomp_rule_add_array(b->ctx, action, nr, (unsigned int)n, n > 0 ? cmp : NULL);
}

static int add_rules(struct build *b, uint32_t default_action, struct error *err)
{
	bool prologue_wanted = wants_prologue(b->s);

	for (size_t i = 0; i < b->s->n_syscalls; i++) {
		const struct oci_syscall *rule = &b->s->syscalls[i];
		uint32_t action;

		if (action_value(rule->action, rule->errno_ret, &action) < 0)
			return oci_error(b->c, &rule->action, err, "unknown seccomp action %d",
					 rule->action);
		for (char **name = rule->names; name != NULL && *name != NULL; name++) {
			int nr = seccomp_syscall_resolve_name(*name);
			int r;

			if (nr == __NR_SCMP_ERROR) {
				log_debug("seccomp: unknown system call %s, skipped", *name);
				continue;
			}
			if (prologue_wanted)
				note_newest(b, *name);
			if (action == default_action)
				continue; /* says nothing new, and libseccomp refuses it */
			r = add_rule(b, rule, action, nr);
			if (r < 0)
				return oci_error(b->c, name, err, "seccomp rule for %s: %s", *name,
						 error_text(-r));
		}
	}
	return 0;
}

static uint32_t newest_of(const struct build *b, uint32_t token)
{
	for (size_t i = 0; i < b->n_arches; i++)
		if (b->arches[i].token == token)
			return b->arches[i].newest;
	return NO_LIMIT;
}

#define STMT(code_, k_) ((struct sock_filter){ (code_), 0, 0, (k_) })
#define JUMP(code_, k_, jt_, jf_) ((struct sock_filter){ (code_), (jt_), (jf_), (k_) })
#define LOAD(member) STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define RET_ENOSYS STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS)
#define SECTION_MAX 7

/*
 * One architecture: if it is not this one, jump over the section (the accumulator still holds the
 * architecture); else compare the number and go to the end of the prologue.  The target of the
 * closing jump is set when the length is known.
 */
static size_t section(const struct build *b, const struct arch *arch, struct sock_filter *f)
{
	size_t n = 0;

	if (arch->token == SCMP_ARCH_X86_64) {
		f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch->token, 0, 6);
		f[n++] = LOAD(nr);
		f[n++] = JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 1, 0);
		f[n++] = JUMP(BPF_JMP | BPF_JGT | BPF_K, arch->newest, 1, 2);
		/*
		 * Without x32 in the profile nothing is greater, and libseccomp's part kills the
		 * caller.
		 */
		f[n++] = JUMP(BPF_JMP | BPF_JGT | BPF_K, newest_of(b, SCMP_ARCH_X32), 0, 1);
	} else {
		f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch->token, 0, 4);
		f[n++] = LOAD(nr);
		f[n++] = JUMP(BPF_JMP | BPF_JGT | BPF_K, arch->newest, 0, 1);
	}
	f[n++] = RET_ENOSYS;
	f[n++] = STMT(BPF_JMP | BPF_JA, 0);
	return n;
}

static size_t prologue(const struct build *b, struct sock_filter *f)
{
	size_t n = 0;

	if (!wants_prologue(b->s))
		return 0;
	f[n++] = LOAD(arch);
	for (size_t i = 0; i < b->n_arches; i++)
		if (b->arches[i].token != SCMP_ARCH_X32)
			n += section(b, &b->arches[i], f + n);
	for (size_t i = 0; i < n; i++)
		if (f[i].code == (BPF_JMP | BPF_JA))
			f[i].k = (uint32_t)(n - i - 1);
	return n;
}

static int export_program(const struct build *b, struct arena *a, struct seccomp_plan *out,
			  struct error *err)
{
	struct sock_filter head[1 + MAX_ARCHES * SECTION_MAX];
	owned_fd fd = memfd_create("seccomp", MFD_CLOEXEC);
	size_t n, n_head, len;
	char *text;
	int r;

	if (fd < 0)
		return error_set(err, errno, "create a memory file for the seccomp program");
	r = seccomp_export_bpf(b->ctx, fd);
	if (r < 0)
		return error_set(err, -r, "generate the seccomp program");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return error_set(err, errno, "rewind the seccomp program");
	r = file_read_fd(fd, SECCOMP_MAX_INSTRUCTIONS * sizeof(struct sock_filter), a, &text, &len);
	n_head = prologue(b, head);
	n = len / sizeof(struct sock_filter);
	if (r == -EFBIG || (r == 0 && n + n_head > SECCOMP_MAX_INSTRUCTIONS))
		return oci_error(
			b->c, &b->c->linux->seccomp, err,
			"the seccomp profile needs more than the kernel's limit of %d instructions",
			SECCOMP_MAX_INSTRUCTIONS);
	if (r < 0)
		return error_set(err, -r, "read the seccomp program");
	out->program = ARENA_NEW_ARRAY(a, struct sock_filter, n + n_head);
	memcpy(out->program, head, n_head * sizeof(*head));
	memcpy(out->program + n_head, text, n * sizeof(*head));
	out->n_program = n + n_head;
	return 0;
}

int seccomp_program(const struct oci_config *c, struct arena *a, struct seccomp_plan *out,
		    struct error *err)
{
	struct build b = { .c = c, .s = c->linux->seccomp };
	scmp_filter_ctx ctx __attribute__((cleanup(release))) = NULL;
	uint32_t action;
	int r;

	if (action_value(b.s->default_action, b.s->default_errno_ret, &action) < 0)
		return oci_error(c, &b.s->default_action, err, "unknown seccomp action %d",
				 b.s->default_action);
	/*
	 * The oldest supported kernel has what level 6 says; asking the running one would be eight
	 * system calls.
	 */
	seccomp_api_set(6);
	ctx = seccomp_init(action);
	if (ctx == NULL)
		return error_set(err, 0,
				 "libseccomp cannot begin a filter with this default action");
	b.ctx = ctx;
	/* A tree over the numbers, not a chain: seccomp_tree() then has shorter ways to follow. */
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	r = add_arches(&b, err);
	if (r == 0)
		r = add_rules(&b, action, err);
	if (r == 0)
		r = export_program(&b, a, out, err);
	if (r == 0)
		seccomp_tree(out, a);
	return r;
}
