/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp.c - the system call filter: settings of the profile, loading it. */
#include "seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "base/str.h"
#include "base/sys.h"

#ifndef SECCOMP_FILTER_FLAG_TSYNC_ESRCH
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH (1UL << 4)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/*
 * libseccomp copies all rules for each new one, so that 100,000 take minutes.  A rule takes more
 * than one instruction, of which the kernel takes SECCOMP_MAX_INSTRUCTIONS.
 */
#define RULES_MAX SECCOMP_MAX_INSTRUCTIONS

static bool takes_errno(int action)
{
	return action == OCI_ACT_ERRNO || action == OCI_ACT_TRACE;
}

static int check_errno(const struct oci_config *c, int action, uint32_t *const *member,
		       struct error *err)
{
	if (*member == NULL)
		return 0;
	if (!takes_errno(action))
		return oci_error(c, member, err,
				 "errnoRet goes with SCMP_ACT_ERRNO and SCMP_ACT_TRACE only");
	/*
	 * Beyond this the kernel would cut the number silently: MAX_ERRNO, and 16 bits for a
	 * tracer.
	 */
	if (**member > (action == OCI_ACT_ERRNO ? 4095u : 65535u))
		return oci_error(c, member, err, "errnoRet %u is out of range", **member);
	return 0;
}

static int check_notify(const struct oci_config *c, const struct oci_syscall *rule,
			struct error *err)
{
	if (rule->action != OCI_ACT_NOTIFY)
		return 0;
	/* These carry the listener and the result of the start: the agent would wait for itself. */
	for (char **name = rule->names; name != NULL && *name != NULL; name++)
		if (strcmp(*name, "write") == 0 || strcmp(*name, "sendmsg") == 0)
			return oci_error(c, name, err,
					 "SCMP_ACT_NOTIFY cannot be used for the %s syscall",
					 *name);
	return 1;
}

static int check_rule(const struct oci_config *c, const struct oci_syscall *rule, bool *notify,
		      struct error *err)
{
	int r = check_errno(c, rule->action, &rule->errno_ret, err);

	if (r < 0)
		return r;
	r = check_notify(c, rule, err);
	if (r < 0)
		return r;
	*notify |= r == 1;
	for (size_t k = 0; k < rule->n_args; k++)
		if (rule->args[k].index > 5)
			return oci_error(c, &rule->args[k].index, err,
					 "a system call has arguments 0 to 5, not %u",
					 rule->args[k].index);
	return 0;
}

bool seccomp_has_alternatives(const struct oci_syscall *rule)
{
	uint32_t seen = 0;

	for (size_t i = 0; i < rule->n_args; i++) {
		if (seen & (1u << rule->args[i].index))
			return true;
		seen |= 1u << rule->args[i].index;
	}
	return false;
}

/* Says nothing new, and is not given to libseccomp. */
static bool is_default(const struct oci_seccomp *s, const struct oci_syscall *rule)
{
	uint32_t by_default = s->default_errno_ret ? *s->default_errno_ret : EPERM;

	return rule->action == s->default_action &&
	       (!takes_errno(rule->action) ||
		(rule->errno_ret ? *rule->errno_ret : EPERM) == by_default);
}

static int check_number(const struct oci_config *c, const struct oci_seccomp *s, struct error *err)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_syscalls; i++) {
		const struct oci_syscall *rule = &s->syscalls[i];
		size_t each = seccomp_has_alternatives(rule) ? rule->n_args : 1;

		if (is_default(s, rule))
			continue;
		for (char **name = rule->names; name != NULL && *name != NULL; name++) {
			n += each;
			if (n > RULES_MAX)
				return oci_error(c, name, err, "more than %d seccomp rules (one "
						 "for each name, and each alternative)", RULES_MAX);
		}
	}
	return 0;
}

static int check_rules(const struct oci_config *c, const struct oci_seccomp *s, bool *notify,
		       struct error *err)
{
	int r = check_errno(c, s->default_action, &s->default_errno_ret, err);

	if (r < 0)
		return r;
	if (s->default_action == OCI_ACT_NOTIFY)
		return oci_error(c, &s->default_action, err,
				 "SCMP_ACT_NOTIFY cannot be used as default action");
	for (size_t i = 0; i < s->n_syscalls && oci_goes_on(c, r); i++)
		oci_keep(&r, check_rule(c, &s->syscalls[i], notify, err));
	if (r < 0)
		return r;
	r = check_number(c, s, err);
	if (r < 0)
		return r;
	if (*notify && (s->listener_path == NULL || s->listener_path[0] != '/'))
		return oci_error(c, &s->listener_path, err,
				 "SCMP_ACT_NOTIFY needs an absolute seccomp.listenerPath");
	return 0;
}

static unsigned int compile_flags(const struct oci_seccomp *s, bool notify)
{
	unsigned int flags = 0;

	/*
	 * Without a list: no mitigation of speculation, which is what engines' users have come to
	 * have.
	 */
	if (s->flags == NULL)
		flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	for (size_t i = 0; i < s->n_flags; i++)
		flags |= s->flags[i];
	if (notify) {
		flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
		/*
		 * Both give a result in the return value: the kernel wants this one to tell them
		 * apart.
		 */
		if (flags & SECCOMP_FILTER_FLAG_TSYNC)
			flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	} else {
		/* Says how to wait for an agent; the kernel refuses it where there is none. */
		flags &= ~SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	}
	return flags;
}

int seccomp_compile(const struct oci_config *c, const struct oci_process *p, const struct host *h,
		    struct arena *a, struct seccomp_plan *out, struct error *err)
{
	const struct oci_seccomp *s = c->linux != NULL ? c->linux->seccomp : NULL;
	int r;

	(void)h;
	(void)a;
	memset(out, 0, sizeof(*out));
	if (s == NULL)
		return 0;
	out->enabled = true;
	r = check_rules(c, s, &out->notify, err);
	if (r < 0)
		return r;
	out->flags = compile_flags(s, out->notify);
	out->when = !p->no_new_privileges ? SECCOMP_PRIVILEGED :
		    out->notify ? SECCOMP_INSIDE : SECCOMP_LAST;
	out->listener_path = out->notify ? s->listener_path : NULL;
	return 0;
}

int seccomp_run(const struct seccomp_plan *p, int *listener, struct error *err)
{
	struct sock_fprog prog = { .len = (unsigned short)p->n_program, .filter = p->program };
	int r;

	*listener = -1;
	if (!p->enabled)
		return 0;
	/*
	 * Safe by its nature: a filter can only take rights away.  Nothing of the container runs in
	 * this process yet, so the program cannot have been changed.
	 */
	r = sys_seccomp(SECCOMP_SET_MODE_FILTER, p->flags, &prog);
	if (r >= 0 && p->notify) {
		*listener = r;
		return 0;
	}
	if (r == 0)
		return 0;
	if (r > 0)
		return error_set(err, 0, "load seccomp filter: thread %d cannot be synchronised",
				 r);
	if (r == -EACCES)
		return error_set(err, EACCES,
				 "load seccomp filter: needs CAP_SYS_ADMIN or no_new_privs");
	if (r == -EINVAL)
		return error_set(
			err, EINVAL,
			"load seccomp filter: the kernel does not know one of the flags 0x%x",
			p->flags);
	if (r == -EBUSY && p->notify)
		return error_set(err, EBUSY,
				 "load seccomp filter: a filter with a listener is loaded already");
	return error_set(err, -r, "load seccomp filter of %zu instructions", p->n_program);
}

void seccomp_show(const struct seccomp_plan *p, struct show *out)
{
	char text[256] = "";
	struct strbuf b = STRBUF(text);

	if (!p->enabled)
		return;
	/* NEW_LISTENER and TSYNC_ESRCH are not in the table: the next line says it. */
	for (const struct json_choice *f = oci_seccomp_flags; f->name; f++)
		if (p->flags & (uint64_t)f->value)
			strbuf_addf(&b, "%s%s", b.len > 0 ? " " : ", flags ", f->name);
	show_act(out, "load the seccomp filter%s", text);
}
