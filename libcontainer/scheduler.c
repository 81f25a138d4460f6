/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scheduler.c - scheduling policy, I/O priority, CPU affinity and memory policy of the container
 * process.
 */
#include "scheduler.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "oci/oci_schema.h"

#ifndef MPOL_PREFERRED_MANY
#define MPOL_PREFERRED_MANY 5
#endif
#define MPOL_WEIGHTED 6 /* MPOL_WEIGHTED_INTERLEAVE, an enumerator that old headers lack */
#ifndef MPOL_F_NUMA_BALANCING
#define MPOL_F_NUMA_BALANCING (1 << 13)
#endif
#define POLICY_ISO 4 /* SCHED_ISO: reserved by the kernel, never implemented */

#define IOPRIO_CLASS_SHIFT 13
#define IOPRIO_WHO_PROCESS 1

static int parse_number(const char **s, unsigned int *out)
{
	unsigned int n = 0;

	if (**s < '0' || **s > '9')
		return -EINVAL;
	for (; **s >= '0' && **s <= '9'; (*s)++) {
		if (n > 1000000)
			return -ERANGE;
		n = n * 10 + (unsigned int)(**s - '0');
	}
	*out = n;
	return 0;
}

int scheduler_parse_list(const char *text, unsigned long *bits, size_t max)
{
	const char *s = text;

	for (;;) {
		unsigned int from, to;
		int r = parse_number(&s, &from);

		if (r < 0)
			return r;
		to = from;
		if (*s == '-') {
			s++;
			r = parse_number(&s, &to);
			if (r < 0)
				return r;
		}
		if (to < from)
			return -EINVAL;
		if (to >= max)
			return -ERANGE;
		for (unsigned int i = from; i <= to; i++)
			bits[i / SCHEDULER_BITS] |= 1UL << (i % SCHEDULER_BITS);
		if (*s == '\0')
			return 0;
		if (*s++ != ',')
			return -EINVAL;
	}
}

static int compile_cpus(const struct oci_config *c, char *const *member, struct arena *a,
			struct scheduler_cpus **out, struct error *err)
{
	struct scheduler_cpus *cpus;
	int r;

	if (*member == NULL || **member == '\0')
		return 0;
	cpus = ARENA_NEW(a, struct scheduler_cpus);
	r = scheduler_parse_list(*member, cpus->bits, SCHEDULER_MAX_CPUS);
	if (r == -ERANGE)
		return oci_error(c, member, err, "CPU list \"%s\": a number is above %d", *member,
				 SCHEDULER_MAX_CPUS - 1);
	if (r < 0)
		return oci_error(c, member, err,
				 "CPU list \"%s\" is malformed (want for example 0-3,7)", *member);
	cpus->text = *member;
	*out = cpus;
	return 0;
}

static int compile_affinity(const struct oci_config *c, const struct oci_process *p, bool exec,
			    struct arena *a, struct scheduler_plan *out, struct error *err)
{
	const struct oci_exec_cpu_affinity *e = exec ? p->exec_cpu_affinity : NULL;
	int r = e != NULL ? compile_cpus(c, &e->initial, a, &out->initial, err) : 0;

	if (r == 0 && e != NULL)
		r = compile_cpus(c, &e->final, a, &out->final, err);
	if (r < 0 || out->final != NULL || out->initial != NULL)
		return r; /* with only initial, the kernel decides on the move (specification) */
	out->final = ARENA_NEW(a, struct scheduler_cpus);
	memset(out->final->bits, 0xff, sizeof(out->final->bits));
	out->final->text = "all";
	return 0;
}

static int check_attr(const struct oci_config *c, const struct oci_scheduler *s, struct error *err)
{
	bool realtime = s->policy == SCHED_FIFO || s->policy == SCHED_RR;

	if (s->policy == POLICY_ISO)
		return oci_error(c, &s->policy, err, "SCHED_ISO is not implemented by Linux");
	if (s->nice != NULL && (*s->nice < -20 || *s->nice > 19))
		return oci_error(c, &s->nice, err, "scheduler.nice %d is out of range (-20 to 19)",
				 *s->nice);
	if (s->priority != NULL && *s->priority != 0 && !realtime)
		return oci_error(
			c, &s->priority, err,
			"scheduler.priority can only be given with SCHED_FIFO or SCHED_RR");
	if (realtime && (s->priority == NULL || *s->priority < 1 || *s->priority > 99))
		return oci_error(c, s->priority ? (const void *)&s->priority : &s->policy, err,
				 "SCHED_FIFO and SCHED_RR need a priority from 1 to 99");
	if (s->policy != SCHED_DEADLINE &&
	    ((s->runtime && *s->runtime) || (s->deadline && *s->deadline) ||
	     (s->period && *s->period)))
		return oci_error(c, &s->policy, err,
				 "scheduler.runtime, deadline and period can only be given with "
				 "SCHED_DEADLINE");
	return 0;
}

static int compile_attr(const struct oci_config *c, const struct oci_process *p, struct arena *a,
			struct scheduler_plan *out, struct error *err)
{
	const struct oci_scheduler *s = p->scheduler;
	const struct oci_resources *res = c->linux != NULL ? c->linux->resources : NULL;
	int r;

	if (s == NULL)
		return 0;
	r = check_attr(c, s, err);
	if (r < 0)
		return r;
	out->attr = ARENA_NEW(a, struct scheduler_attr);
	out->attr->size = sizeof(*out->attr);
	out->attr->policy = (uint32_t)s->policy;
	out->attr->nice = s->nice != NULL ? *s->nice : 0;
	out->attr->priority = s->priority != NULL ? (uint32_t)*s->priority : 0;
	out->attr->runtime = s->runtime != NULL ? *s->runtime : 0;
	out->attr->deadline = s->deadline != NULL ? *s->deadline : 0;
	out->attr->period = s->period != NULL ? *s->period : 0;
	for (size_t i = 0; i < s->n_flags; i++)
		out->attr->flags |= (uint64_t)s->flags[i];
	out->with_cpuset = res != NULL && res->cpu != NULL && res->cpu->cpus != NULL;
	return 0;
}

static int compile_io(const struct oci_config *c, const struct oci_process *p,
		      struct scheduler_plan *out, struct error *err)
{
	const struct oci_io_priority *io = p->io_priority;
	int32_t priority;

	out->io_priority = -1;
	if (io == NULL)
		return 0;
	priority = io->priority != NULL ? *io->priority : 0;
	if (priority < 0 || priority > 7)
		return oci_error(c, &io->priority, err,
				 "ioPriority.priority %d is out of range (0 to 7)", priority);
	out->io_priority = io->class_ << IOPRIO_CLASS_SHIFT | priority;
	return 0;
}

static int compile_memory(const struct oci_config *c, struct arena *a, struct scheduler_plan *out,
			  struct error *err)
{
	const struct oci_memory_policy *m = c->linux != NULL ? c->linux->memory_policy : NULL;
	const int both = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;
	struct scheduler_memory *mem;
	bool nodes;
	int r;

	if (m == NULL)
		return 0;
	nodes = m->nodes != NULL && *m->nodes != '\0';
	mem = ARENA_NEW(a, struct scheduler_memory);
	mem->mode = m->mode;
	mem->text = nodes ? m->nodes : "";
	for (size_t i = 0; i < m->n_flags; i++)
		mem->mode |= m->flags[i];
	if (nodes && (m->mode == MPOL_DEFAULT || m->mode == MPOL_LOCAL))
		return oci_error(c, &m->nodes, err,
				 "memoryPolicy: MPOL_DEFAULT and MPOL_LOCAL take no nodes");
	if (!nodes && (m->mode == MPOL_BIND || m->mode == MPOL_INTERLEAVE ||
		       m->mode == MPOL_PREFERRED_MANY || m->mode == MPOL_WEIGHTED))
		return oci_error(c, &m->mode, err,
				 "memoryPolicy: this mode needs at least one node");
	if ((mem->mode & both) == both)
		return oci_error(c, &m->flags, err,
				 "memoryPolicy: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES "
				 "exclude each other");
	r = nodes ? scheduler_parse_list(m->nodes, mem->nodes, SCHEDULER_MAX_NODES) : 0;
	if (r < 0)
		return oci_error(c, &m->nodes, err, "memoryPolicy.nodes \"%s\" is %s", m->nodes,
				 r == -ERANGE ? "out of range"
					      : "malformed (want for example 0-3,7)");
	mem->has_nodes = nodes;
	out->memory = mem;
	return 0;
}

int scheduler_compile(const struct oci_config *c, const struct oci_process *p, bool exec,
		      struct arena *a, struct scheduler_plan *out, struct error *err)
{
	int r;

	memset(out, 0, sizeof(*out));
	r = compile_attr(c, p, a, out, err);
	if (r == 0)
		r = compile_io(c, p, out, err);
	if (r == 0)
		r = compile_memory(c, a, out, err);
	if (r == 0)
		r = compile_affinity(c, p, exec, a, out, err);
	return r;
}

static int set_affinity(const struct scheduler_cpus *cpus)
{
	return syscall(SYS_sched_setaffinity, 0, sizeof(cpus->bits), cpus->bits) < 0 ? -errno : 0;
}

int scheduler_initial_run(const struct scheduler_plan *p, struct error *err)
{
	int r = p->initial != NULL ? set_affinity(p->initial) : 0;

	return r < 0 ? error_set(err, -r, "set initial CPU affinity %s", p->initial->text) : 0;
}

int scheduler_affinity_run(const struct scheduler_plan *p, struct error *err)
{
	int r = p->final != NULL ? set_affinity(p->final) : 0;

	if (r == -EINVAL && p->initial == NULL && strcmp(p->final->text, "all") == 0)
		return 0; /* no CPU of all is allowed?  Then there is nothing to widen. */
	if (r == -EINVAL)
		return error_set(
			err, EINVAL,
			"set final CPU affinity %s: none of these CPUs is online and in the "
			"container's cpuset",
			p->final->text);
	return r < 0 ? error_set(err, -r, "set CPU affinity %s", p->final->text) : 0;
}

static int run_attr(const struct scheduler_plan *p, pid_t pid, struct error *err)
{
	if (syscall(SYS_sched_setattr, pid, p->attr, 0) == 0)
		return 0;
	if (errno == EPERM && p->with_cpuset)
		return error_set(
			err, EPERM,
			"process scheduler can't be used together with AllowedCPUs (cpuset) "
			"here: policy %u",
			p->attr->policy);
	if (errno == EPERM)
		return error_set(
			err, EPERM,
			"set scheduler policy %u, nice %d, priority %u: needs CAP_SYS_NICE in "
			"the initial user namespace (on cgroup v1 also a realtime budget)",
			p->attr->policy, p->attr->nice, p->attr->priority);
	return error_set(err, errno, "set scheduler policy %u, nice %d, priority %u, flags 0x%llx",
			 p->attr->policy, p->attr->nice, p->attr->priority,
			 (unsigned long long)p->attr->flags);
}

static int run_memory(const struct scheduler_memory *m, struct error *err)
{
	/* The kernel reads maxnode - 1 bits. */
	if (syscall(SYS_set_mempolicy, m->mode, m->has_nodes ? m->nodes : NULL,
		    m->has_nodes ? SCHEDULER_MAX_NODES + 1UL : 0UL) == 0)
		return 0;
	if (errno == EINVAL)
		return error_set(
			err, EINVAL,
			"set memory policy 0x%x on nodes %s (does the mode take these flags, "
			"are the nodes online and allowed?)",
			(unsigned int)m->mode, m->text);
	return error_set(err, errno, "set memory policy 0x%x on nodes %s", (unsigned int)m->mode,
			 m->text);
}

bool scheduler_is_privileged(const struct scheduler_plan *p)
{
	return p->attr != NULL || p->io_priority >= 0;
}

int scheduler_run(const struct scheduler_plan *p, pid_t pid, struct error *err)
{
	int r = p->attr != NULL ? run_attr(p, pid, err) : 0;

	if (r < 0)
		return r;
	/* The process has no children and threads yet: they will inherit it. */
	if (p->io_priority >= 0 &&
	    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid, p->io_priority) < 0)
		return error_set(err, errno, "set I/O priority class %d, priority %d",
				 p->io_priority >> IOPRIO_CLASS_SHIFT, p->io_priority & 7);
	return 0;
}

int scheduler_memory_run(const struct scheduler_plan *p, struct error *err)
{
	return p->memory != NULL ? run_memory(p->memory, err) : 0;
}

/* ", flags A B" of those that are set; nothing where none is. */
static const char *flag_names(const struct json_choice *all, uint64_t set, struct strbuf *b)
{
	for (; all->name; all++)
		if (set & (uint64_t)all->value)
			strbuf_addf(b, "%s%s", b->len > 0 ? " " : ", flags ", all->name);
	return b->text;
}

static void show_attr(const struct scheduler_attr *attr, struct show *out)
{
	const char *policy = json_choice_name(oci_scheduler_policies, attr->policy);
	char text[256] = "";
	struct strbuf b = STRBUF(text);
	const char *flags = flag_names(oci_scheduler_flags, attr->flags, &b);

	if (attr->policy == SCHED_DEADLINE)
		show_act(out,
			 "set scheduler: %s, runtime %llu ns, deadline %llu ns, period %llu ns%s",
			 policy, (unsigned long long)attr->runtime,
			 (unsigned long long)attr->deadline, (unsigned long long)attr->period,
			 flags);
	else
		show_act(out, "set scheduler: %s, nice %d, priority %u%s", policy, attr->nice,
			 attr->priority, flags);
}

static void show_memory(const struct scheduler_memory *m, struct show *out)
{
	const int all = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES | MPOL_F_NUMA_BALANCING;
	char text[256] = "";
	struct strbuf b = STRBUF(text);

	show_act(out, "set memory policy: %s, nodes %s%s",
		 json_choice_name(oci_memory_policy_modes, m->mode & ~all), m->text,
		 flag_names(oci_memory_policy_flags, (uint64_t)(m->mode & all), &b));
}

void scheduler_show(const struct scheduler_plan *p, struct show *out)
{
	if (p->initial != NULL)
		show_act(out, "set CPU affinity before the cgroup is joined: %s", p->initial->text);
	if (p->final != NULL)
		show_act(out, "set CPU affinity: %s", p->final->text);
	if (p->attr != NULL)
		show_attr(p->attr, out);
	if (p->io_priority >= 0)
		show_act(out, "set I/O priority: %s, level %d",
			 json_choice_name(oci_io_priority_classes,
					  p->io_priority >> IOPRIO_CLASS_SHIFT),
			 p->io_priority & 7);
	if (p->memory != NULL)
		show_memory(p->memory, out);
}
