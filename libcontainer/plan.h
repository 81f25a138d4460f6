/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h - everything decided before the first act.
 *
 * plan_compile() calls each room's compile; it reads the configuration and the facts about the host
 * and touches nothing.  All errors that can be known are found here.  The plan is then const; every
 * process of the job sees it by fork.
 */
#ifndef KIST_PLAN_H
#define KIST_PLAN_H

#include <stdbool.h>

#include "apparmor.h"
#include "base/arena.h"
#include "base/error.h"
#include "capability.h"
#include "cgroup/cgroup.h"
#include "device.h"
#include "hook.h"
#include "host.h"
#include "idmap.h"
#include "keyring.h"
#include "limit.h"
#include "mask.h"
#include "mount.h"
#include "namespace.h"
#include "network.h"
#include "notify_socket.h"
#include "oci/oci.h"
#include "preserve_fd.h"
#include "process.h"
#include "rootfs.h"
#include "scheduler.h"
#include "seccomp.h"
#include "selinux.h"
#include "sysctl.h"
#include "terminal.h"
#include "user.h"
#include "uts.h"

enum plan_command { PLAN_CREATE, PLAN_RUN, PLAN_EXEC };

struct plan_options {
	enum plan_command command;
	const struct oci_process *process; /* of exec; NULL: that of the configuration */
	const char *id;
	const char *bundle; /* absolute */
	enum cgroup_manager manager;
	bool rootless;
	const char *console_socket;
	const char *pid_file;
	const char *pidfd_socket;
	const struct preserve_fd_plan
		*preserve_fds; /* checked before kist itself opened anything */
	bool no_pivot;
	bool no_new_keyring;
	bool detach;
	/*
	 * exec: whether an exec before may have brought CAP_SYS_PTRACE into the container; asked
	 * only where it matters.  NULL: none has.
	 */
	bool (*had_tracer)(void *data);
	void *had_tracer_data;
	bool any_machine; /* judged by the text alone (validate): which cgroups there are is open */
};

struct plan {
	enum plan_command command;
	struct plan_options options;
	const struct oci_config *config;
	const struct oci_process *process; /* of the config, or of exec */
	const struct host *host;
	struct namespace_plan namespaces;
	struct idmap_plan idmap;
	struct cgroup_plan cgroup;
	struct rootfs_plan rootfs;
	struct mount_plan mounts;
	struct device_plan devices;
	struct mask_plan mask;
	struct uts_plan uts;
	struct sysctl_plan sysctl;
	struct network_plan network;
	struct keyring_plan keyring;
	struct hook_plan hooks;
	struct terminal_plan terminal;
	struct notify_socket_plan notify_socket;
	struct preserve_fd_plan preserve_fds;
	struct user_plan user;
	struct capability_plan capabilities;
	struct limit_plan limits;
	struct scheduler_plan scheduler;
	struct process_plan program;
	struct selinux_plan selinux;
	struct apparmor_plan apparmor;
	struct seccomp_plan seccomp;
	bool forks_late; /* see plan_forks_late() */
	unsigned int proc_contexts; /* procfs that only a process inside can open: how many */
	bool session_before; /* the session begins before that fork: the filter forbids it then */
};

/* 0 or negative with err. */
int plan_compile(const struct oci_config *c, const struct host *h, const struct plan_options *o,
		 struct arena *a, struct plan *out, struct error *err);

/*
 * The seccomp filter: from the cache in the state root, or generated (20 ms) and put there.  Apart
 * from the rest because it is the one part that is kept on disk.
 */
int plan_seccomp(struct plan *p, int state_root, struct arena *a, struct error *err);

/*
 * Whether the process of an exec may have CAP_SYS_PTRACE, and later ones must know, whatever the
 * configuration gives to others.
 */
bool plan_brings_tracer(const struct plan *p);

/* CLONE_NEW* of all namespaces that the container has of its own, made or joined. */
uint64_t plan_namespaces(const struct plan *p);
bool plan_has_user_namespace(const struct plan *p);

/* Whether the first process only prepares, and a second one becomes the container's. */
bool plan_has_two_processes(const struct plan *p);

/*
 * Whether the second process is forked last of all, with the container's rights and no others: who
 * lives in the PID namespace already may have CAP_SYS_PTRACE.
 */
bool plan_forks_late(const struct plan *p);

/* What a process may need of descriptors after it was forked late, the container's included. */
uint64_t plan_last_descriptors(const struct plan *p);

/* Whether the death of the container's process ends all its processes. */
bool plan_has_own_pid_namespace(const struct plan *p);

#endif
