/* SPDX-License-Identifier: Apache-2.0 */
#include "steps.h"

#include <sched.h>
#include <sys/resource.h>

#include "plan.h"
#include "steps_impl.h"

/* ---- when a row applies ---------------------------------------------------------------------- */

#define WHEN(name, condition) \
	static bool name(const struct plan *p) \
	{ \
		return condition; \
	}

/* Before a fork into an inhabited PID namespace, and before a filter that is loaded by that. */
static bool needs_no_new_privs_early(const struct plan *p)
{
	return plan_forks_late(p) ||
	       (p->seccomp.enabled && p->seccomp.when == SECCOMP_INSIDE);
}

WHEN(process, p->process != NULL)
WHEN(forks_late, plan_forks_late(p))
WHEN(home, p->program.home != NULL)
WHEN(creates, p->command == PLAN_CREATE)
WHEN(terminal, p->terminal.wanted)
WHEN(seccomp_agent, p->seccomp.notify)
WHEN(cgroup, p->cgroup.manager != CGROUP_MANAGER_NONE)
WHEN(cgroup_unit, p->cgroup.unit.name != NULL)
WHEN(cgroup_payload, p->cgroup.delegate != NULL)
WHEN(device_lines, p->cgroup.devices.n_lines > 0)
WHEN(device_program, p->cgroup.devices.n_insns > 0)
WHEN(cgroup_limits, p->cgroup.n_writes > 0)
WHEN(cgroup_owner, p->cgroup.owner >= 0)
WHEN(notify_socket, p->notify_socket.host != NULL)
WHEN(joins, p->namespaces.n_join > 0)
WHEN(unshares, p->namespaces.unshare != 0)
WHEN(id_maps, p->idmap.needed)
WHEN(user_namespace, plan_has_user_namespace(p))
WHEN(time_namespace, (p->namespaces.create & CLONE_NEWTIME) != 0)
WHEN(cgroup_namespace, (p->namespaces.create & CLONE_NEWCGROUP) != 0)
WHEN(network_namespace, (p->namespaces.create & CLONE_NEWNET) != 0)
WHEN(net_devices, p->network.n_devices > 0)
WHEN(uts_names, p->uts.hostname || p->uts.domainname)
WHEN(sysctls, p->sysctl.n > 0)
WHEN(new_keyring, p->keyring.name != NULL)
WHEN(oom_score, p->program.oom_score_adj != NULL)
WHEN(oom_score_own, p->program.oom_score_adj && !plan_has_user_namespace(p))
WHEN(oom_score_of_child, p->program.oom_score_adj && plan_has_user_namespace(p))
WHEN(mounts, p->mounts.n > 0 && !p->mounts.skipped)
WHEN(runtime_hooks, hook_any(&p->hooks, HOOK_PRESTART) || hook_any(&p->hooks, HOOK_CREATE_RUNTIME))
WHEN(container_hooks, hook_any(&p->hooks, HOOK_CREATE_CONTAINER))
WHEN(hook_runner, hook_any(&p->hooks, HOOK_CREATE_CONTAINER) && plan_forks_late(p))
WHEN(proc_context, p->proc_contexts > 0)
WHEN(start_hooks, hook_any(&p->hooks, HOOK_START_CONTAINER))
WHEN(poststop_hooks, hook_any(&p->hooks, HOOK_POSTSTOP))
WHEN(personality, p->program.set_personality)
WHEN(session, p->process && (!plan_forks_late(p) || p->session_before))
WHEN(session_inside, p->process && plan_forks_late(p) && !p->session_before)
WHEN(capabilities, p->process || plan_forks_late(p))
WHEN(scheduler_of_child, plan_forks_late(p) && scheduler_is_privileged(&p->scheduler))
WHEN(agent_early, p->seccomp.notify && p->seccomp.when == SECCOMP_PRIVILEGED)
WHEN(agent_joiner, p->seccomp.notify && p->seccomp.when == SECCOMP_JOINER)
WHEN(agent, p->seccomp.notify && p->seccomp.when != SECCOMP_PRIVILEGED)
WHEN(labels, p->selinux.label || p->apparmor.profile)
WHEN(limits, p->limits.n_limits > 0)
WHEN(limits_joiner, plan_forks_late(p) && limit_has(&p->limits, RLIMIT_NOFILE))
WHEN(last_limits,
     limit_has_last(&p->limits, plan_forks_late(p), plan_last_descriptors(p)))
WHEN(drops_bounding, p->capabilities.drop != 0)
WHEN(seccomp_early, p->seccomp.enabled && p->seccomp.when == SECCOMP_PRIVILEGED)
WHEN(seccomp_joiner, p->seccomp.enabled && p->seccomp.when == SECCOMP_JOINER)
WHEN(seccomp_inside, p->seccomp.enabled && p->seccomp.when == SECCOMP_INSIDE)
WHEN(capability_joiner, p->capabilities.inside && p->seccomp.when == SECCOMP_JOINER)
WHEN(capability_inside, p->capabilities.inside && p->seccomp.when == SECCOMP_INSIDE)
WHEN(seccomp_late, p->seccomp.enabled && p->seccomp.when == SECCOMP_LAST)
WHEN(no_new_privs_joiner, p->program.no_new_privs && needs_no_new_privs_early(p))
WHEN(no_new_privs, p->program.no_new_privs && !needs_no_new_privs_early(p))
WHEN(pid_wanted, p->options.pid_file || p->options.pidfd_socket)
WHEN(initial_affinity, p->scheduler.initial != NULL)

/* ---- what a row prints ----------------------------------------------------------------------- */

#define SHOW(name, call) \
	static void name(const struct plan *p, struct show *out) \
	{ \
		(void)p; \
		call; \
	}

SHOW(show_state, show_act(out, "record container %s (bundle %s)", p->options.id, p->options.bundle))
SHOW(show_cgroup_unit, cgroup_unit_show(&p->cgroup, out))
SHOW(show_cgroup, cgroup_show(&p->cgroup, out))
SHOW(show_cgroup_devices, cgroup_devices_show(&p->cgroup, out))
SHOW(show_cgroup_limits, cgroup_limits_show(&p->cgroup, out))
SHOW(show_cgroup_owner, show_act(out, "give the cgroup to uid %lld", (long long)p->cgroup.owner))
SHOW(show_namespaces, namespace_show(&p->namespaces, out))
SHOW(show_proc_context,
     show_act(out, "have procfs opened by a process in the PID namespace"))
SHOW(show_id_maps, idmap_show(&p->idmap, out))
SHOW(show_time, namespace_time_show(&p->namespaces, out))
SHOW(show_loopback, show_act(out, "set lo up"))
SHOW(show_network, network_show(&p->network, out))
SHOW(show_uts, uts_show(&p->uts, out))
SHOW(show_sysctl, sysctl_show(&p->sysctl, out))
SHOW(show_keyring, keyring_show(&p->keyring, out))
SHOW(show_oom_score,
     show_act(out, "write \"%s\" to /proc/self/oom_score_adj", p->program.oom_score_adj))
SHOW(show_rootfs, rootfs_show(&p->rootfs, out))
SHOW(show_pivot, rootfs_pivot_show(&p->rootfs, out))
SHOW(show_mounts, mount_show(&p->mounts, out))
SHOW(show_devices, device_show(&p->devices, out))
SHOW(show_terminal, terminal_show(&p->terminal, out))
SHOW(show_notify, notify_socket_show(&p->notify_socket, out))
SHOW(show_runtime_hooks, hook_show(&p->hooks, HOOK_PRESTART, out);
     hook_show(&p->hooks, HOOK_CREATE_RUNTIME, out))
SHOW(show_container_hooks, hook_show(&p->hooks, HOOK_CREATE_CONTAINER, out))
SHOW(show_start_hooks, hook_show(&p->hooks, HOOK_START_CONTAINER, out))
SHOW(show_poststop_hooks, hook_show(&p->hooks, HOOK_POSTSTOP, out))
SHOW(show_mask, mask_show(&p->mask, out))
SHOW(show_scheduler, scheduler_show(&p->scheduler, out))
SHOW(show_personality, process_personality_show(&p->program, out))
SHOW(show_limits, limit_show(&p->limits, out))
SHOW(show_labels, selinux_show(&p->selinux, out); apparmor_show(&p->apparmor, out))
SHOW(show_cwd, show_act(out, "change to directory %s", p->program.cwd))
SHOW(show_capabilities, capability_show(&p->capabilities, out))
SHOW(show_user, user_show(&p->user, out))
SHOW(show_no_new_privs, show_act(out, "set no_new_privs"))
SHOW(show_seccomp, seccomp_show(&p->seccomp, out))
SHOW(show_agent, show_act(out, "send the listener to %s", p->seccomp.listener_path))
SHOW(show_descriptors, preserve_fd_show(&p->preserve_fds, out))
SHOW(show_process, process_show(&p->program, out); hook_show(&p->hooks, HOOK_POSTSTART, out))

/* ---- create and run -------------------------------------------------------------------------- */

/*
 * Rows from "init" on run in the container's first process.  Where one process cannot do it,
 * "second-process" forks another; else it only marks that the first goes on as stage 2.
 *
 * A PID namespace that is joined has inhabitants, who may have CAP_SYS_PTRACE.  There
 * "pid-namespace" forks, as late as can be: the new process has the container's user,
 * capabilities, root and nothing of the host from birth.
 */
const struct step steps_create[] = {
	/* name, stage, when, run, serve, undo, show */
	{ "poststop-hooks", STAGE_PARENT, poststop_hooks, NULL, NULL, step_poststop_undo,
	  show_poststop_hooks },
	{ "checks", STAGE_PARENT, NULL, step_checks_run, NULL, NULL, NULL },
	{ "cgroup-lookup", STAGE_PARENT, cgroup, step_cgroup_lookup_run, NULL, NULL, NULL },
	{ "state", STAGE_PARENT, NULL, step_state_run, NULL, step_state_undo, show_state },
	{ "cgroup-unit", STAGE_PARENT, cgroup_unit, step_cgroup_unit_run, NULL,
	  step_cgroup_unit_undo, show_cgroup_unit },
	{ "console-socket", STAGE_PARENT, terminal, step_console_socket_run, NULL, NULL, NULL },
	{ "seccomp-agent", STAGE_PARENT, seccomp_agent, step_seccomp_agent_run, NULL, NULL, NULL },
	{ "self-exe-prepare", STAGE_PARENT, NULL, step_self_exe_prepare_run, NULL, NULL, NULL },
	{ "cgroup", STAGE_PARENT, cgroup, step_cgroup_run, NULL, step_cgroup_undo, show_cgroup },
	/* On v1 in lines, of which the first denies everything: nobody may make nodes meanwhile. */
	{ "cgroup-device-lines", STAGE_PARENT, device_lines, step_cgroup_devices_run, NULL, NULL,
	  show_cgroup_devices },
	{ "cgroup-limits", STAGE_PARENT, cgroup_limits, step_cgroup_limits_run, NULL, NULL,
	  show_cgroup_limits },
	{ "cgroup-owner", STAGE_PARENT, cgroup_owner, step_cgroup_delegate_run, NULL, NULL,
	  show_cgroup_owner },
	{ "mount-sources", STAGE_PARENT, mounts, step_mount_sources_run, NULL, NULL, NULL },
	{ "notify-socket", STAGE_PARENT, notify_socket, step_notify_socket_run, NULL, NULL,
	  show_notify },
	{ "start-socket", STAGE_PARENT, creates, step_start_socket_run, NULL, NULL, NULL },
	{ "init", STAGE_PARENT, NULL, step_init_run, NULL, step_init_undo, show_namespaces },
	/* While the child builds: loading takes as long as ten mounts.  In force before "ready". */
	{ "cgroup-device-program", STAGE_PARENT, device_program, step_cgroup_devices_run, NULL,
	  NULL, show_cgroup_devices },

	{ "guard", STAGE_1, NULL, step_guard_run, NULL, NULL, NULL },
	{ "cgroup-join", STAGE_1, cgroup, step_cgroup_join_run, NULL, NULL, NULL },
	/*
	 * While the process is dumpable: later its file belongs to the host's root.  One that is in
	 * a user namespace of its own has it done by the parent, which may lower it if the caller
	 * may.
	 */
	{ "oom-score", STAGE_1, oom_score_own, step_oom_score_run, NULL, NULL, show_oom_score },
	{ "oom-score-of-child", STAGE_1, oom_score_of_child, NULL, step_oom_score_serve, NULL,
	  show_oom_score },
	/*
	 * Children are born in the PID namespace once it is joined, so what must not be among its
	 * inhabitants begins before: the runner of createContainer hooks, and who shuts one in that
	 * opens procfs there.
	 */
	{ "hook-runner", STAGE_1, hook_runner, step_hook_runner_run, NULL, NULL, NULL },
	{ "proc-context", STAGE_1, proc_context, step_proc_context_run, NULL, NULL,
	  show_proc_context },
	{ "namespaces-join", STAGE_1, joins, step_join_run, NULL, NULL, NULL },
	{ "namespaces-unshare", STAGE_1, unshares, step_unshare_run, NULL, NULL, NULL },
	{ "id-maps", STAGE_1, id_maps, NULL, step_id_maps_serve, NULL, show_id_maps },
	{ "root-ids", STAGE_1, user_namespace, step_root_ids_run, NULL, NULL, NULL },
	{ "time-namespace", STAGE_1, time_namespace, step_time_run, NULL, NULL, show_time },
	{ "self-exe", STAGE_1, NULL, step_self_exe_run, NULL, NULL, NULL },
	/* Before a process can be seen from a PID namespace; after the id maps, which the parent
	 * writes to files that belong to the caller only while this process is dumpable. */
	{ "dumpable", STAGE_1, NULL, step_dumpable_run, NULL, NULL, NULL },
	{ "second-process", STAGE_1, NULL, step_second_process_run, NULL, NULL, NULL },

	{ "cgroup-namespace", STAGE_2, cgroup_namespace, step_cgroup_namespace_run, NULL, NULL,
	  NULL },
	{ "cgroup-payload", STAGE_2, cgroup_payload, step_cgroup_payload_run, NULL, NULL, NULL },
	{ "loopback", STAGE_2, network_namespace, step_loopback_run, NULL, NULL, show_loopback },
	{ "net-devices", STAGE_2, net_devices, NULL, step_net_devices_serve, NULL, show_network },
	{ "uts", STAGE_2, uts_names, step_uts_run, NULL, NULL, show_uts },
	{ "sysctl", STAGE_2, sysctls, step_sysctl_run, NULL, NULL, show_sysctl },
	{ "keyring", STAGE_2, new_keyring, step_keyring_run, NULL, NULL, show_keyring },
	{ "rootfs", STAGE_2, NULL, step_rootfs_run, NULL, NULL, show_rootfs },
	{ "mounts", STAGE_2, mounts, step_mounts_run, NULL, NULL, show_mounts },
	{ "devices", STAGE_2, NULL, step_devices_run, NULL, NULL, show_devices },
	{ "console", STAGE_2, terminal, step_console_run, NULL, NULL, show_terminal },
	{ "notify-mount", STAGE_2, notify_socket, step_notify_mount_run, NULL, NULL, NULL },
	{ "runtime-hooks", STAGE_2, runtime_hooks, NULL, step_runtime_hooks_serve, NULL,
	  show_runtime_hooks },
	{ "container-hooks", STAGE_2, container_hooks, step_container_hooks_run, NULL, NULL,
	  show_container_hooks },
	{ "masked-paths", STAGE_2, NULL, step_masked_paths_run, NULL, NULL, show_mask },
	/* Makes the working directory first, since after it that cannot be made any more. */
	{ "read-only", STAGE_2, NULL, step_readonly_run, NULL, NULL, NULL },
	{ "pivot", STAGE_2, NULL, step_pivot_run, NULL, NULL, show_pivot },
	{ "scheduler", STAGE_2, process, step_scheduler_run, NULL, NULL, show_scheduler },
	{ "personality", STAGE_2, personality, step_personality_run, NULL, NULL, show_personality },
	{ "limits", STAGE_2, limits, step_limits_run, NULL, NULL, show_limits },
	{ "labels", STAGE_2, labels, step_labels_run, NULL, NULL, show_labels },
	{ "streams", STAGE_2, process, step_streams_run, NULL, NULL, NULL },
	{ "session", STAGE_2, session, step_session_run, NULL, NULL, NULL },
	{ "home", STAGE_2, home, step_home_run, NULL, NULL, NULL },
	{ "cwd", STAGE_2, process, step_cwd_run, NULL, NULL, show_cwd },
	{ "bounding", STAGE_2, drops_bounding, step_bounding_run, NULL, NULL, NULL },
	/* Before any filter: it may forbid close_range(). */
	{ "descriptors", STAGE_2, NULL, step_descriptors_run, NULL, NULL, show_descriptors },
	{ "seccomp-privileged", STAGE_2, seccomp_early, step_seccomp_run, NULL, NULL,
	  show_seccomp },
	/* At once: it may be the agent who lets the next calls pass. */
	{ "agent-privileged", STAGE_2, agent_early, NULL, step_agent_serve, NULL, show_agent },
	{ "user", STAGE_2, process, step_user_run, NULL, NULL, show_user },
	{ "capabilities", STAGE_2, capabilities, step_capabilities_run, NULL, NULL,
	  show_capabilities },
	{ "program", STAGE_2, process, step_program_run, NULL, NULL, NULL },
	{ "limits-joiner", STAGE_2, limits_joiner, step_limits_joiner_run, NULL, NULL, NULL },
	{ "no-new-privs-joiner", STAGE_2, no_new_privs_joiner, step_no_new_privs_run, NULL, NULL,
	  show_no_new_privs },
	{ "seccomp-joiner", STAGE_2, seccomp_joiner, step_seccomp_run, NULL, NULL, show_seccomp },
	{ "capabilities-joiner", STAGE_2, capability_joiner, step_capabilities_last_run, NULL, NULL,
	  NULL },
	{ "listener", STAGE_2, agent_joiner, NULL, step_listener_serve, NULL, NULL },
	{ "pid-namespace", STAGE_2, forks_late, step_fork_run, NULL, NULL, NULL },
	{ "seccomp-inside", STAGE_2, seccomp_inside, step_seccomp_run, NULL, NULL, show_seccomp },
	{ "agent", STAGE_2, agent, NULL, step_agent_serve, NULL, show_agent },
	{ "capabilities-inside", STAGE_2, capability_inside, step_capabilities_last_run, NULL, NULL,
	  NULL },
	{ "scheduler-of-child", STAGE_2, scheduler_of_child, NULL, step_scheduler_serve, NULL,
	  NULL },
	{ "session-inside", STAGE_2, session_inside, step_session_run, NULL, NULL, NULL },
	{ "ready", STAGE_2, NULL, step_ready_run, step_ready_serve, NULL, NULL },
	{ "start", STAGE_2, creates, step_start_run, NULL, NULL, NULL },
	{ "last-limits", STAGE_2, last_limits, step_last_limits_run, NULL, NULL, NULL },
	{ "no-new-privs", STAGE_2, no_new_privs, step_no_new_privs_run, NULL, NULL,
	  show_no_new_privs },
	{ "seccomp", STAGE_2, seccomp_late, step_seccomp_run, NULL, NULL, show_seccomp },
	{ "start-hooks", STAGE_2, start_hooks, step_start_hooks_run, NULL, NULL, show_start_hooks },
	{ "exec", STAGE_2, NULL, step_exec_run, NULL, NULL, show_process },
	{ 0 }
};

/* ---- exec ------------------------------------------------------------------------------------ */

/*
 * The first process stays outside the container's PID namespace, where nobody can look at it: it
 * joins the cgroup and the namespaces, does all that takes privilege, lets go of everything that
 * belongs to the host, and forks the one that becomes the program.  A container that has
 * CAP_SYS_PTRACE can do with that one what it likes, as with the program (CVE-2016-9962): it has
 * the user, the capabilities, and where the profile lets the rest of its way pass, the filter of
 * the program from birth.  What a tracer gains is what the process still has of kist: the program's
 * arguments and environment before the program has them, its streams, a copy of kist's memory, the
 * descriptors that "descriptors" keeps, and a word to the parent, which believes none of it.  It
 * can end or delay the exec (stage_look.h).
 */
const struct step steps_exec[] = {
	{ "console-socket", STAGE_PARENT, terminal, step_console_socket_run, NULL, NULL, NULL },
	{ "seccomp-agent", STAGE_PARENT, seccomp_agent, step_seccomp_agent_run, NULL, NULL, NULL },
	{ "self-exe-prepare", STAGE_PARENT, NULL, step_self_exe_prepare_run, NULL, NULL, NULL },
	{ "cgroup", STAGE_PARENT, NULL, step_cgroup_exec_run, NULL, NULL, NULL },
	{ "init", STAGE_PARENT, NULL, step_init_run, NULL, step_exec_process_undo, NULL },

	{ "guard", STAGE_1, NULL, step_guard_run, NULL, NULL, NULL },
	{ "initial-affinity", STAGE_1, initial_affinity, step_affinity_initial_run, NULL, NULL,
	  NULL },
	{ "cgroup-join", STAGE_1, NULL, step_cgroup_join_run, NULL, NULL, NULL },
	{ "oom-score", STAGE_1, oom_score, step_oom_score_run, NULL, NULL, show_oom_score },
	{ "labels", STAGE_1, labels, step_labels_run, NULL, NULL, show_labels },
	{ "dumpable", STAGE_1, NULL, step_dumpable_run, NULL, NULL, NULL },
	{ "namespaces-join", STAGE_1, NULL, step_container_join_run, NULL, NULL, show_namespaces },
	{ "root-ids", STAGE_1, user_namespace, step_root_ids_run, NULL, NULL, NULL },
	{ "self-exe", STAGE_1, NULL, step_self_exe_run, NULL, NULL, NULL },
	{ "keyring", STAGE_1, new_keyring, step_keyring_run, NULL, NULL, show_keyring },
	{ "console", STAGE_1, terminal, step_console_run, NULL, NULL, show_terminal },
	{ "scheduler", STAGE_1, process, step_scheduler_run, NULL, NULL, show_scheduler },
	{ "personality", STAGE_1, personality, step_personality_run, NULL, NULL, show_personality },
	{ "limits", STAGE_1, limits, step_limits_run, NULL, NULL, show_limits },
	{ "streams", STAGE_1, process, step_streams_run, NULL, NULL, NULL },
	{ "session-joiner", STAGE_1, session, step_session_run, NULL, NULL, NULL },
	{ "home", STAGE_1, home, step_home_run, NULL, NULL, NULL },
	{ "cwd", STAGE_1, process, step_cwd_run, NULL, NULL, show_cwd },
	{ "bounding", STAGE_1, drops_bounding, step_bounding_run, NULL, NULL, NULL },
	/* Before any filter: it may forbid close_range(). */
	{ "descriptors", STAGE_1, NULL, step_descriptors_run, NULL, NULL, show_descriptors },
	{ "user", STAGE_1, process, step_user_run, NULL, NULL, show_user },
	{ "capabilities", STAGE_1, capabilities, step_capabilities_run, NULL, NULL,
	  show_capabilities },
	{ "program", STAGE_1, process, step_program_run, NULL, NULL, NULL },
	{ "limits-joiner", STAGE_1, limits_joiner, step_limits_joiner_run, NULL, NULL, NULL },
	{ "no-new-privs", STAGE_1, no_new_privs_joiner, step_no_new_privs_run, NULL, NULL,
	  show_no_new_privs },
	{ "seccomp-joiner", STAGE_1, seccomp_joiner, step_seccomp_run, NULL, NULL, show_seccomp },
	{ "capabilities-joiner", STAGE_1, capability_joiner, step_capabilities_last_run, NULL, NULL,
	  NULL },
	{ "listener", STAGE_1, agent_joiner, NULL, step_listener_serve, NULL, NULL },
	{ "second-process", STAGE_1, NULL, step_fork_run, NULL, NULL, NULL },

	{ "seccomp-inside", STAGE_2, seccomp_inside, step_seccomp_run, NULL, NULL, show_seccomp },
	{ "agent", STAGE_2, agent, NULL, step_agent_serve, NULL, show_agent },
	{ "capabilities-inside", STAGE_2, capability_inside, step_capabilities_last_run, NULL, NULL,
	  NULL },
	{ "scheduler-of-child", STAGE_2, scheduler_of_child, NULL, step_scheduler_serve, NULL,
	  NULL },
	{ "session", STAGE_2, session_inside, step_session_run, NULL, NULL, NULL },
	{ "ready", STAGE_2, NULL, step_ready_run, NULL, NULL, NULL },
	{ "pid-file", STAGE_2, pid_wanted, NULL, step_exec_ready_serve, NULL, NULL },
	{ "last-limits", STAGE_2, last_limits, step_last_limits_run, NULL, NULL, NULL },
	{ "seccomp", STAGE_2, seccomp_late, step_seccomp_run, NULL, NULL, show_seccomp },
	{ "exec", STAGE_2, NULL, step_exec_run, NULL, NULL, show_process },
	{ 0 }
};

#define N_ROWS(table) (sizeof(table) / sizeof((table)[0]))
_Static_assert(N_ROWS(steps_create) <= JOB_ROWS_MAX, "job.h: room for the times of all rows");
_Static_assert(N_ROWS(steps_exec) <= JOB_ROWS_MAX, "job.h: room for the times of all rows");
