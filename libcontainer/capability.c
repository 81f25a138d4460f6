/* SPDX-License-Identifier: Apache-2.0 */
/* capability.c - the five capability sets of the container process. */
#include "capability.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "base/sys.h"

#define BIT(n) (UINT64_C(1) << (n))

/* In the kernel's order.  The numbers are fixed for ever, so the index is the number. */
static const char *const names[] = {
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID",
	"CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
	"CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
	"CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE",
	"CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ",
	"CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE", NULL,
};

#define N_NAMES (sizeof(names) / sizeof(names[0]) - 1)

static const char *const set_names[CAPABILITY_SETS] = {
	"bounding", "effective", "inheritable", "permitted", "ambient",
};

const char *const *capability_names(void)
{
	return names;
}

int capability_number(const char *name)
{
	for (size_t i = 0; i < N_NAMES; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

static void add_names(struct strbuf *b, uint64_t mask)
{
	for (size_t i = 0; i < N_NAMES; i++)
		if (mask & BIT(i)) {
			strbuf_add(b, b->len > 0 ? " " : "");
			strbuf_add(b, names[i]);
		}
}

/* Names that are not known, each once: engines give one and the same list for several sets. */
struct unknown {
	char *const *first;	/* where it stands */
	char text[512];
	struct strbuf names;
};

static void add_unknown(struct unknown *u, char *const *name)
{
	size_t len = strlen(*name);

	if (u->first == NULL)
		u->first = name;
	if (len == 0) {
		strbuf_add(&u->names, u->names.len > 0 ? " \"\"" : "\"\"");
		return;
	}
	for (const char *s = u->text; (s = strstr(s, *name)) != NULL; s += len)
		if ((s == u->text || s[-1] == ' ') && (s[len] == ' ' || s[len] == '\0'))
			return;
	strbuf_add(&u->names, u->names.len > 0 ? " " : "");
	strbuf_add(&u->names, *name);
}

static uint64_t read_set(char *const *list, struct unknown *unknown)
{
	uint64_t mask = 0;

	for (; list != NULL && *list != NULL; list++) {
		int n = capability_number(*list);

		if (n < 0)
			add_unknown(unknown, list);
		else
			mask |= BIT(n);
	}
	return mask;
}

static void read_sets(const struct oci_config *c, const struct oci_capabilities *caps,
		      struct capability_plan *out)
{
	char *const *const lists[CAPABILITY_SETS] = {
		[CAPABILITY_BOUNDING] = caps->bounding,
		[CAPABILITY_EFFECTIVE] = caps->effective,
		[CAPABILITY_INHERITABLE] = caps->inheritable,
		[CAPABILITY_PERMITTED] = caps->permitted,
		[CAPABILITY_AMBIENT] = caps->ambient,
	};
	struct unknown unknown = { .names = STRBUF(unknown.text) };

	for (int i = 0; i < CAPABILITY_SETS; i++)
		out->set[i] = read_set(lists[i], &unknown);
	if (unknown.first != NULL)
		json_warn(c->doc, JSON_BAD_VALUE, unknown.first,
			  "unknown capability, left out: %s%s", unknown.text,
			  unknown.names.overflow ? " and more" : "");
}

/*
 * Keeps of one set what is in allowed.  One warning names all the rest (config.md, Linux process:
 * what cannot be granted must be told).  member: the set in the configuration.
 */
static void limit_set(struct capability_plan *p, const struct oci_config *c, const void *member,
		      enum capability_set set, uint64_t allowed)
{
	static const char *const why[CAPABILITY_SETS] = {
		[CAPABILITY_BOUNDING] = "not in the caller's bounding set",
		[CAPABILITY_PERMITTED] = "the caller lacks them",
		[CAPABILITY_EFFECTIVE] = "not in the permitted set",
		[CAPABILITY_INHERITABLE] = "not in the bounding set, or the caller lacks them",
		[CAPABILITY_AMBIENT] = "not both permitted and inheritable",
	};
	uint64_t lost = p->set[set] & ~allowed;
	char text[1200];
	struct strbuf b = STRBUF(text);

	if (lost == 0)
		return;
	add_names(&b, lost);
	p->set[set] &= allowed;
	json_warn(c->doc, JSON_BAD_VALUE, member,
		  "%s capabilities cannot be granted, left out (%s): %s", set_names[set], why[set],
		  text);
}

/*
 * Ambient ones that the configuration does not itself make permitted and inheritable: no machine
 * could grant them.  Engines write such sets for every container (buildah), and nobody reads the
 * warnings; `validate` tells, who is asked for it.
 */
static void drop_ambient(struct capability_plan *p, const struct oci_config *c, uint64_t possible)
{
	uint64_t lost = p->set[CAPABILITY_AMBIENT] & ~possible;
	char text[1200];
	struct strbuf b = STRBUF(text);

	if (lost == 0 || (c->doc && c->doc->collect))
		return;
	add_names(&b, lost);
	p->set[CAPABILITY_AMBIENT] &= possible;
	log_debug("process.capabilities.ambient: left out, since they are not both permitted and "
		  "inheritable in the configuration: %s", text);
}

int capability_compile(const struct oci_config *c, const struct oci_process *p,
		       const struct host *h, struct arena *a, struct capability_plan *out,
		       struct error *err)
{
	static const struct oci_capabilities none;
	const struct oci_capabilities *caps = p->capabilities ? p->capabilities : &none;
	uint64_t known = h->last_cap >= 63 ? UINT64_MAX : BIT(h->last_cap + 1) - 1;
	uint64_t bounding = h->caps_bounding & known, permitted = h->caps_effective & known;

	(void)a;
	(void)err;
	memset(out, 0, sizeof(*out));
	/*
	 * Who makes or enters a user namespace has every capability in it, in the bounding set too.
	 */
	if (oci_namespace_find(c, CLONE_NEWUSER) != NULL)
		bounding = permitted = known;
	read_sets(c, caps, out);
	drop_ambient(out, c, out->set[CAPABILITY_PERMITTED] & out->set[CAPABILITY_INHERITABLE]);
	/*
	 * The order is that of the kernel's own rules in capset(2): each set is bounded by the one
	 * before.
	 */
	limit_set(out, c, &caps->bounding, CAPABILITY_BOUNDING, bounding);
	limit_set(out, c, &caps->permitted, CAPABILITY_PERMITTED, permitted);
	limit_set(out, c, &caps->effective, CAPABILITY_EFFECTIVE, out->set[CAPABILITY_PERMITTED]);
	limit_set(out, c, &caps->inheritable, CAPABILITY_INHERITABLE,
		  permitted & out->set[CAPABILITY_BOUNDING]);
	limit_set(out, c, &caps->ambient, CAPABILITY_AMBIENT,
		  out->set[CAPABILITY_PERMITTED] & out->set[CAPABILITY_INHERITABLE]);
	out->drop = bounding & ~out->set[CAPABILITY_BOUNDING];
	return 0;
}

int capability_bounding_run(const struct capability_plan *p, struct error *err)
{
	/*
	 * Only what is there: each drop is a system call, and most of a default profile is one of
	 * them.
	 */
	for (unsigned int i = 0; i < 64; i++) {
		if (!(p->drop & BIT(i)) || prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL)
			continue; /* a capability above the kernel's last one: nothing to drop */
		return error_set(err, errno, "drop %s from the bounding set",
				 i < N_NAMES ? names[i] : "a capability");
	}
	return 0;
}

/* Raw capset: it acts on this thread only, which is the only one. */
static int set_caps(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(effective >> (32 * i));
		data[i].permitted = (uint32_t)(permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(inheritable >> (32 * i));
	}
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

int capability_run(const struct capability_plan *p, struct error *err)
{
	/*
	 * The inheritable set becomes exactly the planned one: what the caller had there must not
	 * pass on (CVE-2022-29162, CVE-2025-27612).
	 */
	int r = set_caps(p->set[CAPABILITY_EFFECTIVE] | p->inside,
			 p->set[CAPABILITY_PERMITTED] | p->inside, p->set[CAPABILITY_INHERITABLE]);

	if (r < 0)
		return error_set(err, -r, "set the capabilities");
	/* Ambient ones are raised last: capset and setuid both take them away. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return error_set(err, errno, "clear the ambient capabilities");
	for (unsigned int i = 0; i < N_NAMES; i++)
		if ((p->set[CAPABILITY_AMBIENT] & BIT(i)) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
			return error_set(err, errno, "raise ambient capability %s", names[i]);
	return 0;
}

int capability_inside_run(const struct capability_plan *p, struct error *err)
{
	/* Less than before: the ambient ones, a part of what stays permitted, are not touched. */
	int r = set_caps(p->set[CAPABILITY_EFFECTIVE], p->set[CAPABILITY_PERMITTED],
			 p->set[CAPABILITY_INHERITABLE]);

	return r < 0 ? error_set(err, -r, "set the capabilities") : 0;
}

void capability_show(const struct capability_plan *p, struct show *out)
{
	for (int i = 0; i < CAPABILITY_SETS; i++) {
		char text[1200];
		struct strbuf b = STRBUF(text);

		text[0] = '\0';
		add_names(&b, p->set[i]);
		show_act(out, "set %s capabilities: %s", set_names[i],
			 text[0] != '\0' ? text : "none");
	}
}
