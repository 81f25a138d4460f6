/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_check_resources.c - rules of linux.resources and linux.seccomp.
 */
#include <linux/seccomp.h>
#include <string.h>

#include "oci/oci_check.h"

#define ERRNO_MAX 4095		/* what a system call can return as an error */
#define TRACE_DATA_MAX 65535	/* SECCOMP_RET_DATA has 16 bits */
#define SYSCALL_ARGS 6

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)	/* Linux 5.19 */
#endif

/*
 * v1 compares each new rule with all that it has, and BPF programs have a limit of their own: 4,096
 * rules take the kernel some ms, 100,000 a minute or are refused.
 */
#define DEVICE_RULES_MAX 4096

static bool is_all_access(const char *access)
{
	return !access || !*access ||
	       (strchr(access, 'r') && strchr(access, 'w') && strchr(access, 'm'));
}

bool oci_device_is_everything(const struct oci_device_cgroup *d)
{
	return d->type != 'b' && d->type != 'c' && (!d->major || *d->major == -1) &&
	       (!d->minor || *d->minor == -1) && is_all_access(d->access);
}

/* The kernel reads 32 bits. */
static void check_number(struct check *ck, int64_t *const *member, const char *what)
{
	if (*member && (**member < -1 || **member > UINT32_MAX))
		oci_fault(ck, JSON_BAD_VALUE, member, "%lld is no %s number, nor -1 for all",
			  (long long)**member, what);
}

static void check_device_rules(struct check *ck, const struct oci_resources *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_devices; i++) {
		const struct oci_device_cgroup *d = &r->devices[i];

		/* One without a type becomes a rule for each of the two. */
		n += d->type == 'b' || d->type == 'c' ? 1 : 2;
		n = oci_device_is_everything(d) ? 0 : n;
		if (n > DEVICE_RULES_MAX) {
			oci_fault(ck, JSON_BAD_VALUE, d, "more than %d device rules",
				  DEVICE_RULES_MAX);
			return;
		}
		if (d->access && d->access[strspn(d->access, "rwm")])
			oci_fault(ck, JSON_BAD_VALUE, &d->access,
				  "\"%s\" has other letters than r, w and m", d->access);
		check_number(ck, &d->major, "major");
		check_number(ck, &d->minor, "minor");
	}
}

static void check_memory(struct check *ck, const struct oci_memory *m)
{
	int64_t *const limits[] = { m->limit, m->reservation, m->swap, m->kernel, m->kernel_tcp };
	const void *const at[] = { &m->limit, &m->reservation, &m->swap, &m->kernel,
				   &m->kernel_tcp };

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (limits[i] && *limits[i] < -1)
			oci_fault(ck, JSON_BAD_VALUE, at[i],
				  "%lld is no number of bytes, nor -1 for no limit",
				  (long long)*limits[i]);
	/* Engines send -1, as an unsigned number, for "as it is". */
	if (m->swappiness && *m->swappiness > 100 && *m->swappiness != UINT64_MAX)
		oci_fault(ck, JSON_BAD_VALUE, &m->swappiness, "%llu is out of range (0 to 100)",
			    (unsigned long long)*m->swappiness);
	/* swap counts memory and swap together. */
	if (m->limit && m->swap && *m->limit > 0 && *m->swap > 0 && *m->swap < *m->limit)
		oci_fault(ck, JSON_CONFLICT, &m->swap,
			  "memory and swap together (%lld) are less than memory (%lld)",
			  (long long)*m->swap, (long long)*m->limit);
	if (m->limit && m->swap && *m->limit == -1 && *m->swap > 0)
		oci_fault(ck, JSON_CONFLICT, &m->swap, "a swap limit needs a memory limit");
}

/* What the kernel takes (sched-bwc.rst): a millisecond to a second.  0 and -1: as it is. */
static void check_bandwidth(struct check *ck, const struct oci_cpu *c)
{
	if (c->period && *c->period != 0 && (*c->period < 1000 || *c->period > 1000000))
		oci_fault(ck, JSON_BAD_VALUE, &c->period,
			  "%llu is out of range (1000 to 1000000 microseconds)",
			  (unsigned long long)*c->period);
	if (c->quota && *c->quota > 0 && *c->quota < 1000)
		oci_fault(ck, JSON_BAD_VALUE, &c->quota,
			  "%lld is out of range (1000 microseconds or more)", (long long)*c->quota);
}

static void check_cpu(struct check *ck, const struct oci_cpu *c)
{
	oci_check_cpu_list(ck, &c->cpus, true);
	oci_check_cpu_list(ck, &c->mems, true);
	if (c->burst && c->quota && *c->quota > 0 && *c->burst > (uint64_t)*c->quota)
		oci_fault(ck, JSON_CONFLICT, &c->burst, "burst %llu is above quota %lld",
			    (unsigned long long)*c->burst, (long long)*c->quota);
	check_bandwidth(ck, c);
	if (c->idle && *c->idle != 0 && *c->idle != 1)
		oci_fault(ck, JSON_BAD_VALUE, &c->idle, "%lld is neither 0 nor 1",
			  (long long)*c->idle);
}

static void check_block_io(struct check *ck, const struct oci_block_io *b)
{
	for (size_t i = 0; i < b->n_weight_device; i++)
		if (!b->weight_device[i].weight && !b->weight_device[i].leaf_weight)
			oci_fault(ck, JSON_MISSING, &b->weight_device[i],
				  "needs weight or leafWeight");
}

/* "64KB", "2MB", "1GB": the kernel's file names. */
static bool hugepage_size(const char *s)
{
	size_t digits = strspn(s, "0123456789");

	return digits > 0 && s[0] != '0' && s[digits] && strchr("KMG", s[digits]) &&
	       strcmp(s + digits + 1, "B") == 0;
}

static void check_hugepages(struct check *ck, const struct oci_resources *r)
{
	for (size_t i = 0; i < r->n_hugepage_limits; i++) {
		const struct oci_hugepage_limit *h = &r->hugepage_limits[i];

		if (h->page_size && !hugepage_size(h->page_size))
			oci_fault(ck, JSON_BAD_VALUE, &h->page_size,
				  "\"%s\" is no page size like \"64KB\", \"2MB\", \"1GB\"",
				  h->page_size);
	}
}

/* Files with which the runtime makes, fills, freezes and ends a cgroup; and what only tells. */
static bool is_runtimes(const char *key)
{
	static const char *const files[] = {
		"cgroup.controllers", "cgroup.events",	"cgroup.freeze",
		"cgroup.kill",	      "cgroup.procs",	"cgroup.stat",
		"cgroup.threads",     "cgroup.type",	"cgroup.subtree_control",
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (strcmp(key, files[i]) == 0)
			return true;
	}
	return false;
}

/* Each becomes the name of a file in the container's cgroup. */
static void check_unified(struct check *ck, const struct oci_resources *r)
{
	for (size_t i = 0; i < r->n_unified; i++) {
		const char *key = r->unified[i].key;

		if (is_runtimes(key))
			oci_fault(ck, JSON_BAD_VALUE, &r->unified[i],
				  "\"%s\" is for the runtime itself to write, not a limit", key);

		if (!*key || strchr(key, '/') || strcmp(key, ".") == 0 || strcmp(key, "..") == 0)
			oci_fault(ck, JSON_BAD_VALUE, &r->unified[i],
				  "\"%s\" is no name of a cgroup file", key);
		else if (*key == '.' || !strchr(key, '.'))
			oci_fault(ck, JSON_BAD_VALUE, &r->unified[i],
				  "unified resource \"%s\" must be in the form "
				  "CONTROLLER.PARAMETER", key);
	}
}

void oci_check_resources(struct check *ck, const struct oci_resources *r)
{
	check_device_rules(ck, r);
	if (r->memory)
		check_memory(ck, r->memory);
	if (r->cpu)
		check_cpu(ck, r->cpu);
	if (r->block_io)
		check_block_io(ck, r->block_io);
	if (r->pids && r->pids->limit && *r->pids->limit < -1)
		oci_fault(ck, JSON_BAD_VALUE, &r->pids->limit,
			  "%lld is no number of processes, nor -1 for no limit",
			  (long long)*r->pids->limit);
	check_hugepages(ck, r);
	for (size_t i = 0; i < r->n_rdma; i++)
		if (!r->rdma[i].hca_handles && !r->rdma[i].hca_objects)
			oci_fault(ck, JSON_MISSING, &r->rdma[i], "needs hcaHandles or hcaObjects");
	check_unified(ck, r);
}

/* Seccomp. -------------------------------------------------------------- */

static void check_errno(struct check *ck, int action, uint32_t *const *member)
{
	if (!*member)
		return;
	if (action != OCI_ACT_ERRNO && action != OCI_ACT_TRACE)
		oci_fault(ck, JSON_CONFLICT, member, "%s returns no errno",
			    action ? json_choice_name(oci_seccomp_actions, action) : "the action");
	else if (**member > (action == OCI_ACT_ERRNO ? ERRNO_MAX : TRACE_DATA_MAX))
		oci_fault(ck, JSON_BAD_VALUE, member, "%u is out of range (0 to %d)", **member,
			    action == OCI_ACT_ERRNO ? ERRNO_MAX : TRACE_DATA_MAX);
}

static void check_syscall_rule(struct check *ck, const struct oci_syscall *s)
{
	if (s->names && !s->names[0])
		oci_fault(ck, JSON_MISSING, &s->names, "must name at least one system call");
	check_errno(ck, s->action, &s->errno_ret);
	for (size_t i = 0; i < s->n_args; i++)
		if (s->args[i].index >= SYSCALL_ARGS)
			oci_fault(ck, JSON_BAD_VALUE, &s->args[i].index,
				  "%u is out of range (0 to %d)", s->args[i].index,
				  SYSCALL_ARGS - 1);
	/*
	 * The runtime hands over the listener with the filter already on: its own write() would
	 * wait for itself.
	 */
	for (char **name = s->names; s->action == OCI_ACT_NOTIFY && name && *name; name++)
		if (strcmp(*name, "write") == 0)
			oci_fault(ck, JSON_BAD_VALUE, name,
				  "SCMP_ACT_NOTIFY cannot be used for write");
}

/* It says how to wait for an agent; the kernel refuses it where there is none. */
static void check_flags(struct check *ck, const struct oci_seccomp *s)
{
	bool notify = false;

	for (size_t i = 0; i < s->n_syscalls; i++)
		notify |= s->syscalls[i].action == OCI_ACT_NOTIFY;
	for (size_t i = 0; i < s->n_flags && !notify; i++)
		if (s->flags[i] == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
			oci_warn(ck, &s->flags[i], "has no effect without SCMP_ACT_NOTIFY");
}

void oci_check_seccomp(struct check *ck, const struct oci_seccomp *s)
{
	check_flags(ck, s);
	check_errno(ck, s->default_action, &s->default_errno_ret);
	if (s->default_action == OCI_ACT_NOTIFY)
		oci_fault(ck, JSON_BAD_VALUE, &s->default_action,
			  "SCMP_ACT_NOTIFY cannot be the default: handing over would be stopped");
	if (s->listener_metadata && !s->listener_path)
		oci_fault(ck, JSON_CONFLICT, &s->listener_metadata,
			  "listenerMetadata needs a listenerPath");
	if (s->listener_path)
		oci_check_absolute(ck, &s->listener_path);
	for (size_t i = 0; i < s->n_syscalls; i++) {
		check_syscall_rule(ck, &s->syscalls[i]);
		if (s->syscalls[i].action == OCI_ACT_NOTIFY && !s->listener_path)
			oci_fault(ck, JSON_MISSING, &s->syscalls[i].action,
				  "SCMP_ACT_NOTIFY needs a listenerPath");
	}
}
