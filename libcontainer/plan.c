/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "seccomp_cache.h"

static size_t count(char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/* Variables that the runtime itself gives to the process: socket activation and notification. */
static void add_environment(struct plan *p, struct arena *a)
{
	char *const *more = p->preserve_fds.env;
	size_t n = count(p->program.env), m = count(more), i;
	bool notify = p->notify_socket.host != NULL;
	char **env;

	if (m == 0 && !notify)
		return;
	env = ARENA_NEW_ARRAY(a, char *, n + m + 2);
	for (i = 0; i < n; i++)
		env[i] = p->program.env[i];
	for (i = 0; i < m; i++)
		env[n + i] = more[i];
	if (notify)
		env[n + m] = arena_strdup(a, NOTIFY_SOCKET_ENV);
	p->program.env = env;
}

/* One room after the other (oci_goes_on). */
#define ROOM(c, ret, call) \
	do { \
		if (oci_goes_on(c, ret)) \
			oci_keep(&(ret), call); \
	} while (0)

/* What the process itself is: the same for the container's first and for exec. */
static int compile_process(struct plan *p, struct arena *a, struct error *err)
{
	const struct oci_config *c = p->config;
	const struct oci_process *proc = p->process;
	const struct host *h = p->host;
	const struct plan_options *o = &p->options;
	int ret = 0;

	ROOM(c, ret, terminal_compile(c, proc, o->detach, o->console_socket, &p->terminal, err));
	ROOM(c, ret, user_compile(c, proc, h, a, &p->user, err));
	ROOM(c, ret, capability_compile(c, proc, h, a, &p->capabilities, err));
	ROOM(c, ret, limit_compile(c, proc, h, a, &p->limits, err));
	ROOM(c, ret, scheduler_compile(c, proc, p->command == PLAN_EXEC, a, &p->scheduler, err));
	ROOM(c, ret, process_compile(c, proc, h, a, &p->program, err));
	ROOM(c, ret, selinux_compile(c, proc, h, a, &p->selinux, err));
	ROOM(c, ret, apparmor_compile(c, proc, h, a, &p->apparmor, err));
	ROOM(c, ret, seccomp_compile(c, proc, h, a, &p->seccomp, err));
	if (ret < 0)
		return ret;
	seccomp_notify_compile(c, o->id, o->bundle,
			       p->command == PLAN_EXEC ? "running" : "creating", a, &p->seccomp);
	keyring_compile(o->id, o->no_new_keyring, a, &p->keyring);
	return 0;
}

/*
 * The socket reaches the container by a mount.  Without a mount namespace that would be one on the
 * host's own /run/notify, which nobody would ever unmount.
 */
static int compile_notify(struct plan *p, struct error *err)
{
	int ret = notify_socket_compile(getenv("NOTIFY_SOCKET"), &p->notify_socket, err);

	if (ret < 0 || !p->notify_socket.host || oci_namespace_find(p->config, CLONE_NEWNS))
		return ret;
	if (!p->options.any_machine)
		log_warning("NOTIFY_SOCKET is not passed on: there is no mount namespace, into "
			    "which its socket could be mounted");
	p->notify_socket.host = NULL;
	return 0;
}

/* What only the making of a container needs. */
static int compile_container(struct plan *p, struct arena *a, struct error *err)
{
	const struct oci_config *c = p->config;
	const struct host *h = mount_force_cgroup_v1(c) ? host_with_systemd_v1(p->host, a)
							: p->host;
	struct cgroup_options cg = {
		.manager = p->options.manager,
		.id = p->options.id,
		.rootless = p->options.rootless,
	};
	int ret = 0;

	ROOM(c, ret, idmap_compile(c, h, a, &p->idmap, err));
	if (!p->options.any_machine)
		ROOM(c, ret, cgroup_compile(c, h, &cg, a, &p->cgroup, err));
	ROOM(c, ret, rootfs_compile(c, h, a, &p->rootfs, err));
	ROOM(c, ret, mount_compile(c, h, a, &p->mounts, err));
	ROOM(c, ret, device_compile(c, h, a, &p->devices, err));
	ROOM(c, ret, mask_compile(c, h, a, &p->mask, err));
	ROOM(c, ret, uts_compile(c, h, a, &p->uts, err));
	ROOM(c, ret, sysctl_compile(c, h, a, &p->sysctl, err));
	ROOM(c, ret, network_compile(c, h, a, &p->network, err));
	ROOM(c, ret, hook_compile(c, h, a, &p->hooks, err));
	ROOM(c, ret, compile_notify(p, err));
	p->rootfs.no_pivot = p->options.no_pivot;
	return ret;
}

/* A procfs is of its maker's PID namespace, where the kernel does not take another one. */
static void compile_proc(struct plan *p)
{
	p->mounts.proc_of_children = p->forks_late;
	p->proc_contexts = p->forks_late && !p->host->proc_pidns ? mount_count_proc(&p->mounts) : 0;
}

int plan_compile(const struct oci_config *c, const struct host *h, const struct plan_options *o,
		 struct arena *a, struct plan *out, struct error *err)
{
	int ret = 0;

	*out = (struct plan){
		.command = o->command,
		.options = *o,
		.config = c,
		.process = o->process ? o->process : c->process,
		.host = h,
		.preserve_fds = *o->preserve_fds,
	};
	if (!out->process && o->command != PLAN_CREATE)
		return oci_error(c, NULL, err,
				 "process: missing: there is nothing to run in the container");
	ROOM(c, ret, namespace_compile(c, h, a, &out->namespaces, err));
	if (o->command != PLAN_EXEC)
		ROOM(c, ret, compile_container(out, a, err));
	ROOM(c, ret, out->process ? compile_process(out, a, err)
				  : selinux_compile(c, NULL, h, a, &out->selinux, err));
	if (ret < 0)
		return ret;
	/* exec joins what is there, in one act, and its first process always has a second
	 * (steps_exec). */
	if (o->command == PLAN_EXEC) {
		out->namespaces.clone_first = out->namespaces.clone_second = 0;
		out->namespaces.two_stages = true;
	}
	out->forks_late = o->command == PLAN_EXEC || out->namespaces.join_pid;
	compile_proc(out);
	add_environment(out, a);
	return 0;
}

#define CAP_BIT(n) (UINT64_C(1) << (n))

static bool has_capability(char *const *names, int number)
{
	for (; names && *names; names++) {
		if (capability_number(*names) == number)
			return true;
	}
	return false;
}

/* Whether the new process of an exec may look into others, and has no CAP_SYS_ADMIN. */
static bool is_tracer(const struct plan *p)
{
	const uint64_t *set = p->capabilities.set;

	return (set[CAPABILITY_BOUNDING] | set[CAPABILITY_PERMITTED]) & CAP_BIT(CAP_SYS_PTRACE) &&
	       !(set[CAPABILITY_BOUNDING] & CAP_BIT(CAP_SYS_ADMIN));
}

bool plan_brings_tracer(const struct plan *p)
{
	return p->command == PLAN_EXEC && p->seccomp.enabled && !plan_has_user_namespace(p) &&
	       is_tracer(p);
}

/* Of the container's processes, by the configuration. */
static bool inhabitants_have(const struct plan *p, int number)
{
	const struct oci_process *first = p->config->process;
	const struct oci_capabilities *caps = first ? first->capabilities : NULL;

	return caps && (has_capability(caps->bounding, number) ||
			has_capability(caps->permitted, number));
}

/*
 * Who in the PID namespace has CAP_SYS_PTRACE, and so the second process in its hands.  It is never
 * known that nobody has: another container may have joined it.
 */
enum tracers { TRACERS_NONE, TRACERS_POSSIBLE, TRACERS_SURE };

static enum tracers find_tracers(const struct plan *p)
{
	/* In a user namespace nobody may look into a process that was executed outside. */
	if (plan_has_user_namespace(p))
		return TRACERS_NONE;
	/* Of the inhabitants of others' namespaces nothing is known. */
	if (!plan_has_own_pid_namespace(p) || inhabitants_have(p, CAP_SYS_PTRACE) ||
	    (p->capabilities.set[CAPABILITY_BOUNDING] & CAP_BIT(CAP_SYS_PTRACE)) ||
	    (p->options.had_tracer && p->options.had_tracer(p->options.had_tracer_data)))
		return TRACERS_SURE;
	return TRACERS_POSSIBLE;
}

/* The rest of the way of a process that is forked late: enum seccomp_join. */
static unsigned int rest_of_way(const struct plan *p)
{
	const struct plan_options *o = &p->options;
	unsigned int does = p->process ? SECCOMP_JOIN_SESSION : 0;

	if (p->terminal.wanted)
		does |= SECCOMP_JOIN_TERMINAL;
	if (limit_has_last(&p->limits, true, plan_last_descriptors(p)))
		does |= SECCOMP_JOIN_LIMITS;
	if (p->command == PLAN_CREATE)
		does |= SECCOMP_JOIN_WAITS;
	if (p->command != PLAN_EXEC || o->pid_file || o->pidfd_socket || p->seccomp.notify ||
	    scheduler_is_privileged(&p->scheduler))
		does |= SECCOMP_JOIN_ASKS;
	if (p->capabilities.inside)
		does |= SECCOMP_JOIN_DROPS;
	return does;
}

/* Whether the first process can load the filter as its last act before the fork. */
static bool loads_before_fork(struct plan *p)
{
	unsigned int does = rest_of_way(p);

	if (seccomp_lets_join(&p->seccomp, does))
		return true;
	/* Only of a session with a terminal the process must be the leader. */
	p->session_before = !p->terminal.wanted &&
			    seccomp_lets_join(&p->seccomp, does & ~SECCOMP_JOIN_SESSION);
	return p->session_before;
}

/*
 * The filter that the second process must load itself, when others can trace it already: it has no
 * filter until then, and without no_new_privs CAP_SYS_ADMIN.  Who traces it and has that capability
 * too gains nothing.  Where somebody would gain it for sure that is refused; where it cannot be
 * ruled out, or what is to be had is a process without the filter, but with no capability besides,
 * the container works as its author wants, and is told.
 */
static int load_inside(struct plan *p, struct error *err)
{
	const struct oci_config *c = p->config;
	const void *profile = &c->linux->seccomp;
	enum tracers tracers = find_tracers(p);
	/* What the program itself may not have. */
	bool privileged = (p->capabilities.inside & ~p->capabilities.set[CAPABILITY_PERMITTED]) &&
			  !(plan_has_own_pid_namespace(p) && inhabitants_have(p, CAP_SYS_ADMIN));

	if (p->seccomp.when == SECCOMP_PRIVILEGED)
		p->seccomp.when = SECCOMP_INSIDE;
	if (privileged && tracers == TRACERS_SURE)
		return oci_error(c, profile, err,
				 "this profile can only be loaded by a process that others see "
				 "while it has CAP_SYS_ADMIN, which one of them with "
				 "CAP_SYS_PTRACE could use: set process.noNewPrivileges, or let "
				 "the profile allow " SECCOMP_JOIN_NAMES);
	if (privileged && tracers == TRACERS_POSSIBLE)
		json_warn(c->doc, JSON_CONFLICT, profile,
			  "this profile can only be loaded by a process that others see while it "
			  "has CAP_SYS_ADMIN; one of another container, with CAP_SYS_PTRACE, could "
			  "use that: set process.noNewPrivileges, or let the profile allow "
			  SECCOMP_JOIN_NAMES);
	else if (tracers == TRACERS_SURE)
		json_warn(c->doc, JSON_CONFLICT, profile,
			  "this profile can only be loaded by a process that others see before it "
			  "has the filter, and one of them with CAP_SYS_PTRACE could keep it "
			  "without: let the profile allow " SECCOMP_JOIN_NAMES);
	return 0;
}

/* Where a second process is forked late, as much as can be is done before. */
static int place_seccomp(struct plan *p, struct error *err)
{
	if (!plan_forks_late(p))
		return 0;
	/* Loading takes it, and it is let go of right after. */
	if (p->seccomp.when == SECCOMP_PRIVILEGED)
		p->capabilities.inside = CAP_BIT(CAP_SYS_ADMIN) &
					 ~p->capabilities.set[CAPABILITY_EFFECTIVE];
	if (!loads_before_fork(p))
		return load_inside(p, err);
	p->seccomp.when = SECCOMP_JOINER;
	return 0;
}

int plan_seccomp(struct plan *p, int state_root, struct arena *a, struct error *err)
{
	const struct oci_config *c = p->config;
	const char *call;
	int ret;

	if (!p->seccomp.enabled)
		return 0;
	if (seccomp_cache_get(state_root, c, p->host, a, &p->seccomp) != 1) {
		ret = seccomp_program(c, a, &p->seccomp, err);
		if (ret < 0)
			return ret;
		seccomp_cache_put(state_root, c, p->host, a, &p->seccomp);
	}
	call = seccomp_ends_at(&p->seccomp);
	if (call)
		return oci_error(c, &c->linux->seccomp, err,
				 "the filter does not let the process execute the program: it "
				 "kills it at %s", call);
	return place_seccomp(p, err);
}

uint64_t plan_namespaces(const struct plan *p)
{
	uint64_t all = p->namespaces.create;

	for (size_t i = 0; i < p->namespaces.n_join; i++)
		all |= (uint64_t)p->namespaces.join[i].type;
	return all;
}

bool plan_has_user_namespace(const struct plan *p)
{
	return (plan_namespaces(p) & CLONE_NEWUSER) != 0;
}

bool plan_has_own_pid_namespace(const struct plan *p)
{
	return (p->namespaces.create & CLONE_NEWPID) != 0;
}

bool plan_has_two_processes(const struct plan *p)
{
	return p->namespaces.two_stages;
}

bool plan_forks_late(const struct plan *p)
{
	return p->forks_late;
}

/* 0-2, channel, start socket, page, terminal, listener, and the pipes of a hook. */
#define LAST_DESCRIPTORS 16

uint64_t plan_last_descriptors(const struct plan *p)
{
	return LAST_DESCRIPTORS + p->preserve_fds.n_fds;
}
