/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.h - the container's control groups: chosen, made, limited, joined, frozen, killed,
 * removed.
 *
 * Life of a cgroup at create:
 *
 *	cgroup_compile()	pure: paths, file writes, device rules: struct cgroup_plan
 *	cgroup_open_run()	looks, changes nothing; cg->ref is complete and can be recorded
 *	cgroup_unit_run()	systemd manager only: the unit is asked for, not waited for
 *	cgroup_create_run()	directories, controllers
 *	cgroup_devices_run()	device rules
 *	cgroup_limits_run()	resource limits
 *	cgroup_delegate_run()	ownership, if the payload may manage its cgroup2 itself
 *	clone3(CLONE_INTO_CGROUP) with cgroup_clone_fd(); cgroup_join_self_run() in the child
 *	cgroup_settle()		systemd manager only: what kept the unit alive so far may go
 *	cgroup_remove()		if anything failed
 *
 * All other commands start from the recorded struct cgroup_ref.
 *
 * A cgroup is only ever reached through a descriptor of its hierarchy's mount point, checked by
 * fstatfs() to be the right file system, and from there without symlinks, ".." or crossing a
 * mount.  Two small vtables (cgroup_impl.h) hold what differs: the hierarchy (v1, v2) and the
 * manager (fs, systemd, none).
 */
#ifndef KIST_CGROUP_H
#define KIST_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "cgroup/cgroup_device.h"
#include "cgroup/cgroup_helper.h"
#include "cgroup/cgroup_knob.h"
#include "cgroup/cgroup_property.h"
#include "cgroup/cgroup_unit.h"
#include "host.h"
#include "json/json.h"
#include "oci/oci.h"
#include "show.h"

/* More than the kernel has controllers (14), with room for named v1 hierarchies. */
#define CGROUP_DIRS_MAX 24

enum cgroup_manager {
	CGROUP_MANAGER_FS,
	CGROUP_MANAGER_SYSTEMD,
	CGROUP_MANAGER_NONE,		/* never touch a cgroup */
};

/* The container's directory in one hierarchy. */
struct cgroup_dir {
	char *controllers;		/* as struct host_hierarchy: "" is v2 */
	char *mount;			/* "/sys/fs/cgroup/memory" */
	char *path;			/* below the mount: "/docker/ID"; "": not used */
	uint32_t made;			/* trailing components of path that are ours to remove */
};

/* What the state record keeps; with it every later command finds the cgroup. */
struct cgroup_ref {
	struct cgroup_dir *dirs;	/* v2 first, if there is one */
	size_t n_dirs;			/* 0: the container has no cgroup */
	char *unit;			/* systemd manager: the unit whose cgroup it is */
	bool user;			/* of the caller's own systemd, not of the machine's */
	const char *available;		/* not kept: v2's controllers; NULL: not known */
};

extern const struct json_field cgroup_ref_fields[];

struct cgroup_options {
	enum cgroup_manager manager;
	const char *id;			/* container id; the default path is "/<id>" */
	bool rootless;			/* without permission, do without if nothing was asked */
};

struct cgroup_plan {
	const struct oci_config *config;	/* for the position of a member in an error */
	enum cgroup_manager manager;
	bool rootless;
	bool path_given;		/* linux.cgroupsPath is in the config */
	struct cgroup_ref ref;		/* made is 0 in all: cgroup_open_run() finds out */
	struct cgroup_write *writes;	/* in this order */
	size_t n_writes;
	struct cgroup_device_plan devices;
	struct cgroup_unit unit;		/* systemd manager only, as what follows */
	struct cgroup_properties properties;
	const char *subgroup;			/* below the unit's cgroup; NULL: none */
	const char *delegate;			/* below that, for the payload; NULL: none */
	bool update;				/* the unit is there: its properties are changed */
	int64_t owner;			/* host uid that shall own the v2 leaf, or -1 */
};

/* An open cgroup. */
struct cgroup {
	struct cgroup_ref ref;
	/* The leaf of ref.dirs[i], or -1; before create: its deepest existing parent. */
	int dirs[CGROUP_DIRS_MAX];
	int tasks[CGROUP_DIRS_MAX];	/* v1: its "tasks" file for writing, or -1 */
	int delegate;			/* cgroup.procs of the payload's own sub-cgroup, or -1 */
	struct cgroup_helper *helper;	/* systemd manager: the caller's, started early */
	pid_t keeper;			/* keeps the unit alive until the container is there; 0 */
	bool wait_thaw;			/* exec: a frozen cgroup may be joined; set by the caller */
};

/*
 * Decides everything.  linux.cgroupsPath: absolute: below each mount; relative: below the parent
 * of the caller's own cgroup (left open by config-linux.md "Cgroups Path"); absent: "/<id>".
 * Errors: ".." in the path, a systemd path for the fs manager, settings that the mounted cgroup
 * version cannot express.
 */
int cgroup_compile(const struct oci_config *c, const struct host *h, const struct cgroup_options *o,
		   struct arena *a, struct cgroup_plan *out, struct error *err);

/*
 * The same for `update` of an existing container: c has only linux.resources (and doc) filled.
 * Device rules are not part of it: engines send a deny-all with every update and mean nothing by
 * it.
 */
int cgroup_compile_update(const struct oci_config *c, const struct cgroup_ref *ref, struct arena *a,
			  struct cgroup_plan *out, struct error *err);

/* What each of the steps does: the unit, making, device rules, limits. */
void cgroup_unit_show(const struct cgroup_plan *p, struct show *out);
void cgroup_show(const struct cgroup_plan *p, struct show *out);
void cgroup_devices_show(const struct cgroup_plan *p, struct show *out);
void cgroup_limits_show(const struct cgroup_plan *p, struct show *out);

/*
 * Opens the leaf, or its deepest existing parent, in each hierarchy and counts what create will
 * make (cg->ref.dirs[].made; memory from a).  No side effect, so that the record can be written
 * before the first one. Refuses a leaf that holds processes or is frozen (config-linux.md "Control
 * groups").
 */
int cgroup_open_run(const struct cgroup_plan *p, struct arena *a, struct cgroup *cg,
		    struct error *err);

/* systemd manager: asks for the unit.  It starts while the caller goes on with other things. */
int cgroup_unit_run(const struct cgroup_plan *p, struct arena *a, struct cgroup *cg,
		    struct error *err);

/*
 * Makes the directories and has the controllers enabled: every available one where that is
 * possible, those that a setting needs without fail.  Without permission, rootless, and with
 * nothing asked for, the hierarchy is skipped.
 */
int cgroup_create_run(const struct cgroup_plan *p, struct cgroup *cg, struct error *err);

int cgroup_devices_run(const struct cgroup_plan *p, const struct cgroup *cg, struct error *err);
int cgroup_limits_run(const struct cgroup_plan *p, const struct cgroup *cg, struct error *err);

/* Gives the v2 leaf, and the files in it that /sys/kernel/cgroup/delegate lists, to p->owner. */
int cgroup_delegate_run(const struct cgroup_plan *p, const struct cgroup *cg, struct error *err);

/* The container's process is in its cgroup: whatever held the unit before is let go. */
void cgroup_settle(struct cgroup *cg);

/*
 * In the container's process, when its cgroup namespace has begun: moves to the payload's own
 * sub-cgroup.  cgroup_delegate_ready_run() then has the controllers enabled in it, by the parent.
 */
int cgroup_join_delegate_run(const struct cgroup *cg, struct error *err);
int cgroup_delegate_ready_run(const struct cgroup_plan *p, struct cgroup *cg, struct error *err);

/* Descriptor of the v2 leaf for CLONE_INTO_CGROUP, still owned by cg; -1: none. */
int cgroup_clone_fd(const struct cgroup *cg);

/*
 * Called by a single-threaded child: joins the v1 cgroups by writing "0" to each tasks file, which
 * (unlike cgroup.procs) does not wait for an RCU grace period.  Nothing to do on pure v2.  No
 * allocation.
 */
int cgroup_join_self_run(const struct cgroup *cg, struct error *err);

/*
 * Where CLONE_INTO_CGROUP is refused: moves pid into every cgroup through cgroup.procs (slow: 5-12
 * ms).
 */
int cgroup_join_pid(const struct cgroup *cg, pid_t pid, struct error *err);

void cgroup_close(struct cgroup *cg);

/* --- by reference: commands on an existing container --- */

/*
 * Opens the recorded cgroup for a process to join.  subs: `exec --cgroup` values
 * "[CONTROLLER,...:]PATH" relative to the container's cgroup, or NULL.  A frozen one of these is an
 * error, unless cg->wait_thaw.
 */
int cgroup_open_exec(const struct cgroup_ref *ref, char *const *subs, struct arena *a,
		     struct cgroup *cg, struct error *err);

/*
 * When the leaf cannot be joined (EBUSY: the payload has enabled controllers in it and moved
 * itself below, as systemd does): the v2 cgroup that init_pid is in now, which must be below the
 * leaf.  Replaces cg's v2 descriptor.  A frozen one is an error, -EAGAIN, unless cg->wait_thaw.
 */
int cgroup_follow_init(struct cgroup *cg, pid_t init_pid, struct error *err);

/*
 * All processes, those of sub-cgroups included, ascending; a cgroup that is absent, or is removed
 * meanwhile, has none.
 */
int cgroup_procs(const struct cgroup_ref *ref, struct arena *a, pid_t **pids, size_t *n,
		 struct error *err);

/*
 * Sends sig to every process.  SIGKILL: cgroup.kill (Linux 5.14), else frozen, signalled, thawed
 * until nobody is new; a paused container is thawed, and what it has frozen itself, for v1 delivers
 * nothing to the frozen.
 */
int cgroup_kill(const struct cgroup_ref *ref, int sig, struct error *err);

/*
 * On v1's freezer where it is mounted, else on v2.  On expiry of timeout_ms the cgroup is thawed
 * again and the error says which state it was in.
 */
int cgroup_freeze(const struct cgroup_ref *ref, int timeout_ms, struct error *err);

/* On both: whoever froze the container, it runs afterwards. */
int cgroup_thaw(const struct cgroup_ref *ref, int timeout_ms, struct error *err);

/* After a SIGKILL: v1's freezer keeps even the killed. */
int cgroup_thaw_killed(const struct cgroup_ref *ref, int timeout_ms, struct error *err);

/* A hierarchy's mount that stays open from one question to the next. */
struct cgroup_mount {
	const char *path;
	int fd;
};

struct cgroup_freezers {
	struct cgroup_mount v1, v2;
};

#define CGROUP_FREEZERS_INIT { .v1 = { .fd = -1 }, .v2 = { .fd = -1 } }

void cgroup_freezers_close(struct cgroup_freezers *f);

/*
 * Whether the container stands still, because of its own cgroup or one above it, on v1 or on v2: 1,
 * 0, or -errno; 0 if there is no cgroup (any more).  Opens what *at does not hold.
 */
int cgroup_is_frozen(const struct cgroup_ref *ref, struct cgroup_freezers *at);

/*
 * What cgroup_create_run() would be refused for want of permission, without making anything; says
 * nothing of systemd's.
 */
int cgroup_check_permission(const struct cgroup_plan *p, struct arena *a, struct error *err);

/* Whether there is a cgroup: ref may be NULL, or name hierarchies that the caller could not use. */
bool cgroup_ref_is_used(const struct cgroup_ref *ref);

/*
 * Removes what create made: sub-cgroups of the payload depth first, the leaf, and made parents
 * that are empty. Kills nothing; waits timeout_ms for processes that are dying.  Already gone is
 * success.
 */
int cgroup_remove(const struct cgroup_ref *ref, int timeout_ms, struct error *err);

#endif
