/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h - what kist remembers of a container: its record.
 *
 * A container has a directory <state root>/<id>, mode 0700.  state_lock.h says who may use it when.
 * In it:
 *
 *	intent.json	written before the first side effect, never changed: what will be made (id,
 *			bundle, cgroup) and the configuration as it was read; `delete --force` needs
 *			no more
 *	state.json	written when the container's process is complete: adds the pid and its start
 *			time
 *	devices.json	device rules that `update` has added
 *	start		socket of a created container; it is there until `start` has been called
 *	notify		directory with the socket to which the container says that it is ready
 *
 * Nothing is read through a link, beyond a limit, or in a directory that another user could write.
 * Where one of the first two is damaged, the other serves.
 */
#ifndef KIST_STATE_H
#define KIST_STATE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "cgroup/cgroup.h"
#include "json/json.h"
#include "oci/oci.h"

#define STATE_START_SOCKET "start"
#define STATE_DEVICES_FILE "devices.json"
#define STATE_TRACER_FILE "tracer"
#define STATE_ID_MAX NAME_MAX
#define STATE_CACHE ".cache"		/* in the state root, beside the containers */

struct state {
	char *oci_version;
	char *id;
	int32_t pid; /* of the container's process in the caller's pid namespace; 0 = not known */
	uint64_t start_time; /* of that process (proc_stat): with the pid, its identity */
	char *bundle;
	char *rootfs;
	char *created;			/* RFC 3339, UTC */
	uint32_t owner;			/* effective uid of who created it */
	bool pid_namespace; /* has one of its own: its init's death ends all its processes */
	bool mount_namespace; /* has one of its own */
	bool poststart;	    /* there are hooks of that kind: the configuration must be read */
	bool poststop;
	struct oci_pair *annotations;
	size_t n_annotations;
	struct cgroup_ref *cgroup;	/* NULL: none */
	bool lost;	    /* state.json is damaged: there was a process, but which is not known */
	bool blank;	    /* there is neither file: nothing was made yet */
	struct json_span config;	/* intent.json only: the configuration's own text */
};

/* Whether a container may be called so: str_is_container_id(), and not the name of kist's own
 * directory. */
bool state_id_is_valid(const char *id);
/* Says what is wrong with one that is not valid.  -EINVAL or the like. */
int state_id_error(const char *id, struct error *err);

/* Opens (creating it, mode 0700, with parents) the state root.  >= 0 or negative with err; -ENOENT
 * if it is not there. */
int state_root_open(const char *root, bool create, struct error *err);

/*
 * Makes the container's directory, takes its lock and writes the intent.  Returns the directory's
 * descriptor, with the lock; -EEXIST: the id is in use; or another negative error.
 */
int state_new(int root, const struct state *s, struct arena *a, struct error *err);

/* Writes state.json.  0 or negative. */
int state_save(int dir, const struct state *s, struct arena *a, struct error *err);

/*
 * Opens a container's directory.  >= 0; -ENOENT: "container ... does not exist"; or another
 * negative error, also where the directory is another user's, or others may write in it.
 */
int state_open(int root, const char *id, struct error *err);

/*
 * Reads what is there.  A container whose files are all damaged still loads, with nothing but its
 * id: state_is_damaged() says so.  Negative only where there is no descriptor or memory left to
 * read with.
 */
int state_read(int dir, const char *id, struct arena *a, struct state **out, struct error *err);

/* Whether neither file could be read. */
static inline bool state_is_damaged(const struct state *s)
{
	return !s->created;
}

/* Where the record lost its cgroup, that of the intent: what is left behind must be found. */
void state_recover_cgroup(int dir, struct state *s, struct arena *a);

/* Fills s->config from intent.json.  0 or negative. */
int state_load_config(int dir, struct state *s, struct arena *a, struct error *err);

/*
 * An exec that gives its process CAP_SYS_PTRACE is recorded before that process is born: what it
 * could look into must have no privilege from then on.  0; -EBUSY while somebody holds what
 * state_tracer_look() gave; or another negative error.
 */
int state_tracer_add(int dir, struct error *err);

/*
 * Whether there was such an exec, or whether that cannot be known.  Where not, none begins as long
 * as *hold is open (in any process).
 */
bool state_tracer_look(int dir, int *hold);

/*
 * A state root may be a mistyped one, with directories that kist never made: where no record can be
 * read, everything in the directory must be what kist puts there.  0; -ENOTEMPTY: it is no
 * container's; or another negative error.
 */
int state_check_names(int dir, const struct state *s, struct error *err);

/*
 * Removes the directory and all in it, which has a record or has passed state_check_names().  The
 * caller holds its lock, so the id names this directory and no other.  0 or negative.
 */
int state_remove(int dir, const char *id, struct error *err);

/*
 * Whether a name in the state root is surely no container's: a file, or a directory that has no
 * record and does not pass state_check_names().  Cheap: the record is not read.
 */
bool state_is_foreign(int root, const char *name);

/* The names in the state root that may be ids, sorted.  0 or negative. */
int state_ids(int root, struct arena *a, char ***out, size_t *n, struct error *err);

/* Whether the container's process lives: 1, 0 (ended, a zombie, or its pid is another process's
 * now) or -errno. */
int state_alive(const struct state *s, int proc);

/* Whether it was created and waits for `start`. */
bool state_waits_for_start(int dir);

/* "2026-11-22T08:00:00.123456789Z" */
char *state_now(struct arena *a);

/*
 * The state object of the specification, compact, for the standard input of hooks (runtime.md,
 * State).
 */
const char *state_for_hooks(const struct state *s, const char *status, struct arena *a);

#endif
