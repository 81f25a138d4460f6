/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

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

/* What the process itself is: the same for the container's first and for exec. */
static int compile_process(struct plan *p, struct arena *a, struct error *err)
{
	const struct oci_config *c = p->config;
	const struct oci_process *proc = p->process;
	const struct host *h = p->host;
	const struct plan_options *o = &p->options;
	int ret;

	ret = terminal_compile(c, proc, o->detach, o->console_socket, &p->terminal, err);
	if (ret == 0)
		ret = user_compile(c, proc, h, a, &p->user, err);
	if (ret == 0)
		ret = capability_compile(c, proc, h, a, &p->capabilities, err);
	if (ret == 0)
		ret = limit_compile(c, proc, h, a, &p->limits, err);
	if (ret == 0)
		ret = scheduler_compile(c, proc, p->command == PLAN_EXEC, a, &p->scheduler, err);
	if (ret == 0)
		ret = process_compile(c, proc, h, a, &p->program, err);
	if (ret == 0)
		ret = selinux_compile(c, proc, h, a, &p->selinux, err);
	if (ret == 0)
		ret = apparmor_compile(c, proc, h, a, &p->apparmor, err);
	if (ret == 0)
		ret = seccomp_compile(c, proc, h, a, &p->seccomp, err);
	if (ret < 0)
		return ret;
	seccomp_notify_compile(c, o->id, o->bundle,
			       p->command == PLAN_EXEC ? "running" : "creating", a, &p->seccomp);
	keyring_compile(o->id, o->no_new_keyring, a, &p->keyring);
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
	int ret;

	ret = idmap_compile(c, h, a, &p->idmap, err);
	if (ret == 0)
		ret = cgroup_compile(c, h, &cg, a, &p->cgroup, err);
	if (ret == 0)
		ret = rootfs_compile(c, h, a, &p->rootfs, err);
	if (ret == 0)
		ret = mount_compile(c, h, a, &p->mounts, err);
	if (ret == 0)
		ret = device_compile(c, h, a, &p->devices, err);
	if (ret == 0)
		ret = mask_compile(c, h, a, &p->mask, err);
	if (ret == 0)
		ret = uts_compile(c, h, a, &p->uts, err);
	if (ret == 0)
		ret = sysctl_compile(c, h, a, &p->sysctl, err);
	if (ret == 0)
		ret = network_compile(c, h, a, &p->network, err);
	if (ret == 0)
		ret = hook_compile(c, h, a, &p->hooks, err);
	if (ret == 0)
		ret = notify_socket_compile(getenv("NOTIFY_SOCKET"), &p->notify_socket, err);
	p->rootfs.no_pivot = p->options.no_pivot;
	return ret;
}

int plan_compile(const struct oci_config *c, const struct host *h, const struct plan_options *o,
		 struct arena *a, struct plan *out, struct error *err)
{
	int ret;

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
	ret = namespace_compile(c, h, a, &out->namespaces, err);
	if (ret == 0 && o->command != PLAN_EXEC)
		ret = compile_container(out, a, err);
	if (ret == 0)
		ret = out->process ? compile_process(out, a, err)
				   : selinux_compile(c, NULL, h, a, &out->selinux, err);
	if (ret < 0)
		return ret;
	/* exec joins what is there, in one act, and its first process always has a second
	 * (steps_exec). */
	if (o->command == PLAN_EXEC) {
		out->namespaces.clone_first = out->namespaces.clone_second = 0;
		out->namespaces.two_stages = true;
	}
	add_environment(out, a);
	return 0;
}

int plan_seccomp(struct plan *p, int state_root, struct arena *a, struct error *err)
{
	const struct oci_config *c = p->config;
	int ret;

	if (!p->seccomp.enabled || seccomp_cache_get(state_root, c, p->host, a, &p->seccomp) == 1)
		return 0;
	ret = seccomp_program(c, a, &p->seccomp, err);
	if (ret == 0)
		seccomp_cache_put(state_root, c, p->host, a, &p->seccomp);
	return ret;
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
