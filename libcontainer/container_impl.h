/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_impl.h - what the container*.c files share; nobody else includes it.
 */
#ifndef KIST_CONTAINER_IMPL_H
#define KIST_CONTAINER_IMPL_H

#include "container.h"
#include "host.h"
#include "job.h"
#include "plan.h"
#include "stage.h"
#include "state.h"
#include "state_lock.h"
#include "steps.h"

/* How long the kernel may take to freeze or thaw a container. */
#define FREEZE_TIMEOUT_MS 10000

/* A container of the state root, opened. */
struct container {
	int root;		/* the state root */
	int dir;		/* its directory there */
	int proc;
	bool locked;   /* dir holds the container's lock */
	bool creating; /* somebody else held it when the record had no pid yet */
	struct cgroup_freezers freezers;
	struct state *state;
	int alive;		/* what state_alive() said in container_status_of() */
};

#define CONTAINER_CLOSED \
	{ .root = -1, .dir = -1, .proc = -1, .freezers = CGROUP_FREEZERS_INIT }

/* Opens ctx->root, or the default (which is then kept in ctx).  >= 0 or negative. */
int container_root_open(struct container_context *ctx, bool create, struct error *err);

/*
 * Opens a container and reads its record; if asked, under its lock.  -ENOENT: it does not exist, or
 * was deleted while the lock was waited for; or another negative error.  container_close() also
 * after a failure.
 */
int container_open(struct container_context *ctx, const char *id, bool lock, struct container *out,
		   struct error *err);

/* Takes the lock of a container that was opened without, and reads the record again.  As above. */
int container_lock(struct container_context *ctx, struct container *c, bool by_force,
		   struct error *err);
void container_unlock(struct container *c);
void container_close(struct container *c);

/*
 * 0, or the error for a container of which no record can be read, or none that names the process
 * that its cgroup shows.  -ENOTEMPTY: it is no container at all (state_check_names()).
 */
int container_check_record(struct container_context *ctx, const struct container *c,
			   struct error *err);

/* Warns of the processes that a container which has ended may have left, and nothing can find. */
void container_warn_left(const struct state *s);

/* The error for a container that has ended, in the words that engines look for.  Negative. */
int container_not_running(const struct container *c, struct error *err);

enum container_status container_status_of(struct container *c);
const char *container_status_name(enum container_status status);

/* Sends a signal to the init process, never to another that got its pid.  0 or negative. */
int container_signal_init(const struct container *c, int sig, struct error *err);

/* Host pids of a container without a cgroup whose init lives, ascending.  0 or negative. */
int container_members(const struct container *c, struct arena *a, pid_t **out, size_t *n,
		      struct error *err);

/*
 * A container with neither a cgroup nor a PID namespace of its own leaves processes behind when its
 * init dies.  While that lives, its own mount namespace tells which they are: hold_members()
 * returns a descriptor of it, so that its number cannot become another's, or -1 where there is
 * nothing to hold; kill_members() kills all that are in it.
 */
int container_hold_members(const struct container *c);
int container_kill_members(const struct container *c, int members, struct error *err);

/* What the caller passes on; before anything is opened, or a descriptor of kist's own would be
 * taken for it. */
int container_preserve_fds(struct container_context *ctx, unsigned int preserve,
			   struct preserve_fd_plan *out, struct error *err);

/* Whether cgroups that may not be touched are done without. */
bool container_is_rootless(const struct container_context *ctx, const struct host *h);

/*
 * In the foreground: forwards signals and the terminal until pid ends.  *status as of a shell: the
 * exit status, or 128 + signal.  0 or negative.
 */
int container_wait(struct job *job, int *status, struct error *err);

/* The configuration as create read it.  0 or negative. */
int container_saved_config(struct container_context *ctx, int dir, struct state *s,
			   struct oci_config **out, struct error *err);

/* Waits for the container's READY=1 and passes it on, if there is a service manager that waits for
 * it. */
int container_notify(struct job *job, const struct notify_socket_plan *p, struct error *err);

/* Runs the poststart hooks of a container that was started.  0, or negative: the caller has to kill
 * it. */
int container_poststart(struct container_context *ctx, struct job *job, struct error *err);

#endif
