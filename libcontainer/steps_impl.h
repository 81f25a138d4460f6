/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steps_impl.h - the functions that the rows of steps.c name; nobody else includes it.
 *
 * Each ties one row to the room that does the work: it hands over the room's part of the plan and
 * the descriptors that the room needs.  steps_parent.c has what runs in the parent, steps_outside.c
 * the helpers beside a PID namespace that is joined, steps_child.c the rest.
 */
#ifndef KIST_STEPS_IMPL_H
#define KIST_STEPS_IMPL_H

#include "job.h"
#include "plan.h"
#include "show.h"
#include "steps.h"

#define STEP_FN(name) int name(struct job *job, struct error *err)

/* steps_parent.c */
STEP_FN(step_checks_run);
STEP_FN(step_cgroup_lookup_run);
STEP_FN(step_state_run);
STEP_FN(step_cgroup_unit_run);
STEP_FN(step_cgroup_unit_undo);
STEP_FN(step_state_undo);
STEP_FN(step_poststop_undo);
STEP_FN(step_console_socket_run);
STEP_FN(step_seccomp_agent_run);
STEP_FN(step_self_exe_prepare_run);
STEP_FN(step_cgroup_run);
STEP_FN(step_cgroup_undo);
STEP_FN(step_cgroup_devices_run);
STEP_FN(step_cgroup_limits_run);
STEP_FN(step_cgroup_delegate_run);
STEP_FN(step_cgroup_exec_run);
STEP_FN(step_mount_sources_run);
STEP_FN(step_notify_socket_run);
STEP_FN(step_start_socket_run);
STEP_FN(step_init_run);
STEP_FN(step_init_undo);
STEP_FN(step_exec_process_undo);
STEP_FN(step_oom_score_serve);
STEP_FN(step_scheduler_serve);
STEP_FN(step_listener_serve);
STEP_FN(step_agent_serve);
STEP_FN(step_id_maps_serve);
STEP_FN(step_net_devices_serve);
STEP_FN(step_runtime_hooks_serve);
STEP_FN(step_ready_serve);
STEP_FN(step_exec_ready_serve);

/* steps_child.c */
STEP_FN(step_guard_run);
STEP_FN(step_cgroup_join_run);
STEP_FN(step_affinity_initial_run);
STEP_FN(step_join_run);
STEP_FN(step_unshare_run);
STEP_FN(step_container_join_run);
STEP_FN(step_root_ids_run);
STEP_FN(step_time_run);
STEP_FN(step_self_exe_run);
STEP_FN(step_second_process_run);
STEP_FN(step_fork_run);
STEP_FN(step_dumpable_run);
STEP_FN(step_cgroup_namespace_run);
STEP_FN(step_cgroup_payload_run);
STEP_FN(step_loopback_run);
STEP_FN(step_uts_run);
STEP_FN(step_sysctl_run);
STEP_FN(step_keyring_run);
STEP_FN(step_oom_score_run);
STEP_FN(step_rootfs_run);
STEP_FN(step_mounts_run);
STEP_FN(step_devices_run);
STEP_FN(step_console_run);
STEP_FN(step_notify_mount_run);
STEP_FN(step_container_hooks_run);
STEP_FN(step_masked_paths_run);
STEP_FN(step_readonly_run);
STEP_FN(step_pivot_run);
STEP_FN(step_scheduler_run);
STEP_FN(step_personality_run);
STEP_FN(step_limits_run);
STEP_FN(step_limits_joiner_run);
STEP_FN(step_last_limits_run);
STEP_FN(step_labels_run);
STEP_FN(step_bounding_run);
STEP_FN(step_seccomp_run);
STEP_FN(step_streams_run);
STEP_FN(step_session_run);
STEP_FN(step_home_run);
STEP_FN(step_user_run);
STEP_FN(step_capabilities_run);
STEP_FN(step_capabilities_last_run);
STEP_FN(step_cwd_run);
STEP_FN(step_program_run);
STEP_FN(step_descriptors_run);
STEP_FN(step_ready_run);
STEP_FN(step_start_run);
STEP_FN(step_no_new_privs_run);
STEP_FN(step_start_hooks_run);
STEP_FN(step_exec_run);

/* steps_outside.c */
STEP_FN(step_hook_runner_run);
STEP_FN(step_proc_context_run);
/* The createContainer hooks, by that runner. */
STEP_FN(steps_outside_hooks_run);

#endif
