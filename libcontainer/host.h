/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.h - facts about the kernel, the cgroup layout and the caller.
 *
 * The one place where "what is this machine" is asked.  Input of plan_compile(), so that a plan can
 * be made for an invented machine (tests/golden/).
 */
#ifndef KIST_HOST_H
#define KIST_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"

enum host_cgroup_mode {
	HOST_CGROUP_NONE,   /* nothing mounted */
	HOST_CGROUP_V1,	    /* v1 hierarchies only */
	HOST_CGROUP_HYBRID, /* v1 hierarchies and a v2 one on /sys/fs/cgroup/unified */
	HOST_CGROUP_V2,	    /* pure v2 */
};

/* One mounted cgroup hierarchy. */
struct host_hierarchy {
	char *controllers; /* as in /proc/self/cgroup: "cpu,cpuacct", "name=systemd"; "" for v2 */
	char *mount; /* absolute mount point: "/sys/fs/cgroup/cpu", "/sys/fs/cgroup" for pure v2 */
	char *own_path; /* the caller's own cgroup in it, absolute in the hierarchy: "/",
			   "/user.slice/..." */
};

struct host {
	/* caller */
	uint32_t euid, egid;
	bool anybody;		 /* no caller in particular: what one of them may do is right */
	bool in_userns;		 /* the caller's user namespace is not the initial one */
	uint64_t caps_effective; /* bit n = capability n */
	uint64_t caps_bounding;
	uint32_t last_cap; /* /proc/sys/kernel/cap_last_cap */
	char *user_name;   /* for /etc/subuid; may be NULL */
	/* cgroups */
	enum host_cgroup_mode cgroup_mode;
	struct host_hierarchy *hierarchies; /* v2 first, if there is one */
	size_t n_hierarchies;
	/* Pure v2: a v1 hierarchy "name=systemd" that is there all the same, not one of those. */
	struct host_hierarchy *systemd_v1;
	char *v2_controllers; /* what cgroup.controllers of v2's mount lists; NULL: not readable */
	/* security modules that are enabled */
	bool selinux, apparmor;
	/* kernel */
	char *arch; /* uname -m */
	bool proc_pidns; /* a procfs can be of another PID namespace than its maker's (6.18) */
};

/*
 * Reads the facts: a handful of small files and statfs() calls, no mountinfo.
 * 0 or negative with err.
 */
int host_read(struct host *h, struct arena *a, struct error *err);

/* The same without the cgroups: for a process in a container that is there. */
int host_read_process(struct host *h, struct arena *a, struct error *err);

/* The name of an id in the machine's /etc/passwd; NULL: it has none, or there is no such file. */
char *host_user_name(uint32_t uid, struct arena *a);

/* The fact in_userns alone, for who needs no other. */
bool host_in_userns(void);

/*
 * The machine with "name=systemd" among its hierarchies, for containers that are to see it; h where
 * there is none, or where it is one of them already.
 */
const struct host *host_with_systemd_v1(const struct host *h, struct arena *a);

/* Whether the caller may do what only root of the initial user namespace may (mknod, cgroup v1
 * devices, ...). */
static inline bool host_is_privileged(const struct host *h)
{
	return h->euid == 0 && !h->in_userns;
}

#endif
