/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container.h - the library's public interface: one function a command.
 *
 * Nothing here prints or exits.  Each function opens and locks what it needs, acts, and closes it;
 * on failure it has undone what it did, and err says why (err->exit_code != 0: the command should
 * exit with that). All return 0 or negative.
 */
#ifndef KIST_CONTAINER_H
#define KIST_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "json/json.h"

enum container_cgroup_manager {
	CONTAINER_CGROUPFS,
	CONTAINER_CGROUP_SYSTEMD,
	CONTAINER_CGROUP_DISABLED,	/* never touch a cgroup */
};

enum container_rootless {
	CONTAINER_ROOTLESS_AUTO,
	CONTAINER_ROOTLESS_TRUE,
	CONTAINER_ROOTLESS_FALSE
};

/* What holds for every command: the global options. */
struct container_context {
	const char *root;		/* state root; NULL: the default (container_default_root) */
	enum container_cgroup_manager cgroup_manager;
	enum container_rootless rootless;
	struct arena *arena;		/* everything returned lives here */
	char *const *argv;		/* of kist, or NULL: to be forgotten in a container */
	const char *trace;		/* --trace FILE: Chrome trace-event JSON, or NULL */
	const char *fault;		/* --fault STEP=ERRNO|kill: for tests, or NULL */
};

enum container_dry_run { CONTAINER_ACT, CONTAINER_DRY_RUN_TEXT, CONTAINER_DRY_RUN_JSON };

struct container_create_options {
	const char *bundle;		/* NULL: the working directory */
	const char *config;		/* NULL: "config.json" in the bundle */
	const char *console_socket;
	const char *pid_file;
	const char *pidfd_socket;
	unsigned int preserve_fds;
	bool no_pivot;
	bool no_new_keyring;
	/* `run` only */
	bool detach;
	bool keep;
	bool no_subreaper;
	enum container_dry_run dry_run;
};

struct container_exec_options {
	const char *process;		/* --process FILE; then args must be NULL */
	char **args;
	const char *cwd;
	char **env;			/* KEY=VALUE, added */
	const char *user;		/* UID[:GID], numbers only */
	char **additional_gids;
	char **caps;
	const char *apparmor;
	const char *process_label;
	char **cgroups;			/* [CONTROLLER,...:]PATH */
	const char *console_socket;
	const char *pid_file;
	const char *pidfd_socket;
	unsigned int preserve_fds;
	bool tty;
	bool detach;
	bool no_new_privs;
	bool ignore_paused;
};

/* Values as texts: sizes as units_size() reads them, other numbers plain; NULL: not given. */
struct container_update_options {
	const char *resources; /* a JSON file, or "-": standard input; then no other value counts */
	const char *blkio_weight;
	const char *cpu_period;		/* microseconds, as all times here */
	const char *cpu_quota;
	const char *cpu_burst;
	const char *cpu_shares;
	const char *cpu_idle;
	const char *cpu_rt_period;
	const char *cpu_rt_runtime;
	const char *cpuset_cpus;
	const char *cpuset_mems;
	const char *memory;
	const char *memory_reservation;
	const char *memory_swap;	/* memory and swap together */
	const char *kernel_memory;	/* ignored, with a warning */
	const char *kernel_memory_tcp;
	const char *pids_limit;
	const char *l3_cache_schema;
	const char *mem_bw_schema;
	char **devices; /* "allow|deny TYPE MAJOR:MINOR ACCESS" each, also beside resources */
};

struct container_events_options {
	bool stats;			/* one line of statistics, and no more */
	const char *interval; /* between statistics, as units_duration() reads it; NULL: 5s */
	bool all;	      /* also memory, pids, cgroup and exit events, and details of oom */
	char **pressures;		/* "RESOURCE[:some|full[:STALL/WINDOW]]" each */
	int output;			/* a descriptor with whose reader the stream ends, or -1 */
};

enum container_status {
	CONTAINER_CREATING,
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_STOPPED,
};

struct oci_pair;

/* What `state` and `list` print. */
struct container_state {
	char *oci_version;
	char *id;
	int pid;			/* 0 when stopped */
	char *status;			/* "creating", "created", "running", "paused", "stopped" */
	char *bundle;
	char *rootfs;
	char *created;			/* RFC 3339, UTC, nanoseconds */
	char *owner; /* user name or number; "" for root in `state` as runc does */
	struct oci_pair *annotations;
	size_t n_annotations;
};

extern const struct json_field container_state_fields[];

/*
 * The first thing that create, run and exec do: where the kernel does not let a process part with
 * its binary (self_exe.h), they go on from a sealed copy of it.  Returns 0 when there is nothing to
 * do; a copy that was started does not return.
 */
int container_protect_binary(char *const *argv, struct error *err);

/*
 * "/run/kist" for root, or below XDG_RUNTIME_DIR for a caller without privilege, and for the root
 * of a user namespace who has one (an empty variable counts as unset).  Without the variable an
 * ordinary user's is /run/user/UID/kist, or else /tmp/kist-UID, which is made here (0700).
 */
int container_default_root(struct arena *a, char **out, struct error *err);

/* create, run: out (when dry_run) receives the plan's text. */
int container_create(struct container_context *ctx, const char *id,
		     const struct container_create_options *o, char **out, struct error *err);
/* Waits for the container unless o->detach; *status: its exit status, or 128 + signal. */
int container_run(struct container_context *ctx, const char *id,
		  const struct container_create_options *o, int *status, char **out,
		  struct error *err);
int container_start(struct container_context *ctx, const char *id, struct error *err);
int container_exec(struct container_context *ctx, const char *id,
		   const struct container_exec_options *o, int *status, struct error *err);
int container_kill(struct container_context *ctx, const char *id, int sig, bool all,
		   struct error *err);
int container_delete(struct container_context *ctx, const char *id, bool force, struct error *err);
int container_pause(struct container_context *ctx, const char *id, struct error *err);
int container_resume(struct container_context *ctx, const char *id, struct error *err);
int container_state_get(struct container_context *ctx, const char *id, struct container_state *out,
			struct error *err);
/* Sorted by id.  A damaged container is listed as far as it is known, with a warning in the log. */
int container_list(struct container_context *ctx, struct container_state **out, size_t *n,
		   struct error *err);
/* Ids only, sorted, cheap (for list -q, and -r of kill and delete). */
int container_list_ids(struct container_context *ctx, char ***out, size_t *n, struct error *err);
/* Host pids of all processes of the container, ascending. */
int container_ps(struct container_context *ctx, const char *id, pid_t **out, size_t *n,
		 struct error *err);

/*
 * Changes limits of a container, all that are named or none.  Device rules in a resources file are
 * ignored: engines put "deny everything" there and mean nothing by it.
 */
int container_update(struct container_context *ctx, const char *id,
		     const struct container_update_options *o, struct error *err);

/* Takes one event: a line of JSON, without a newline.  Negative ends the stream. */
typedef int container_event(void *data, const char *line);

/*
 * Statistics and events of a running container until it ends, or `each` returns negative (which is
 * no error).
 */
int container_events(struct container_context *ctx, const char *id,
		     const struct container_events_options *o, container_event *each, void *data,
		     struct error *err);

enum container_validate_what {
	CONTAINER_VALIDATE_CONFIG,	/* config.json, for create */
	CONTAINER_VALIDATE_PROCESS,	/* for exec --process */
	CONTAINER_VALIDATE_RESOURCES,	/* for update --resources */
};

struct container_validate_options {
	enum container_validate_what what;
	const char *bundle;		/* for against_host; NULL: the working directory */
	bool against_host;		/* also what only this machine decides */
};

/*
 * `validate`: every rule that the text has to pass before the command acts.  Findings go to doc's
 * collector, which must be set; negative also when there was one that is an error.
 */
int container_validate(struct container_context *ctx, const struct container_validate_options *o,
		       struct json_doc *doc, struct error *err);

/* `features`: the whole JSON text. */
int container_features(struct container_context *ctx, char **out, struct error *err);

/* What was compiled in, for --version. */
struct container_build {
	const char *libseccomp;		/* its version, or NULL: built without */
	const char *const
		*features; /* "SECCOMP", "SELINUX", ...: upper-case words, NULL-terminated */
};

void container_build(struct arena *a, struct container_build *out);

#endif
