/* SPDX-License-Identifier: Apache-2.0 */
#include "container_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"

#define JSON_TYPE struct container_state
const struct json_field container_state_fields[] = {
	FIELD(oci_version, "ociVersion", JSON_REQUIRED),
	FIELD(id, "id", JSON_REQUIRED),
	FIELD(pid, "pid", JSON_REQUIRED),
	FIELD(status, "status", JSON_REQUIRED),
	FIELD(bundle, "bundle", JSON_REQUIRED),
	FIELD(rootfs, "rootfs", JSON_REQUIRED),
	FIELD(created, "created", JSON_REQUIRED),
	PAIRS(annotations, "annotations", JSON_OPTIONAL),
	FIELD(owner, "owner", JSON_REQUIRED),
	{ 0 }
};
#undef JSON_TYPE

static const char *const status_names[] = { "creating", "created", "running", "paused", "stopped" };

int container_protect_binary(char *const *argv, struct error *err)
{
	return self_exe_reexec(argv, err);
}

/* ---- opening -------------------------------------------------------------------------------- */

/* Whether path, not through a symlink, is a directory of the caller's, and of nobody else. */
static bool is_own_directory(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* Without a session (cron, su): its directory may be there all the same, else one of our own. */
static int sessionless_root(struct arena *a, char **out, struct error *err)
{
	char *run = arena_printf(a, "/run/user/%u", geteuid());
	struct stat tmp;

	if (is_own_directory(run)) {
		*out = arena_printf(a, "%s/kist", run);
		return 0;
	}
	*out = arena_printf(a, "/tmp/kist-%u", geteuid());
	/*
	 * Anybody may have made that name first.  If it is ours, nobody else can exchange it as
	 * long as /tmp is sticky.
	 */
	if ((mkdir(*out, 0700) < 0 && errno != EEXIST) || !is_own_directory(*out) ||
	    stat("/tmp", &tmp) < 0 || ((tmp.st_mode & S_IWOTH) && !(tmp.st_mode & S_ISVTX)))
		return error_set(err, 0, "XDG_RUNTIME_DIR is not set, and neither %s nor %s is a "
				 "directory of the caller alone: give one with --root", run, *out);
	return 0;
}

int container_default_root(struct arena *a, char **out, struct error *err)
{
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR");
	/* As the XDG specification has it: what is not absolute is not valid. */
	bool given = runtime_dir && *runtime_dir == '/';

	/* In a user namespace, as rootless Podman's, root may be an ordinary user: /run is not
	 * his. */
	if (geteuid() == 0 && !(given && host_in_userns())) {
		*out = arena_strdup(a, "/run/kist");
		return 0;
	}
	if (!given)
		return sessionless_root(a, out, err);
	*out = arena_printf(a, "%s/kist", runtime_dir);
	return 0;
}

int container_root_open(struct container_context *ctx, bool create, struct error *err)
{
	char *root = NULL;

	if (!ctx->root) {
		if (container_default_root(ctx->arena, &root, err) < 0)
			return -EINVAL;
		ctx->root = root;
	}
	return state_root_open(ctx->root, create, err);
}

/*
 * Between the making of a directory and its lock, and between the lock and the record, a container
 * looks like a damaged one.  The same holds at the very end of a delete.  Both last microseconds.
 */
#define SETTLE_TRIES 10
#define SETTLE_MS    10

/* Reads the record of c->dir.  0; -ENOENT: the container was deleted meanwhile; or negative. */
static int read_record(struct container_context *ctx, struct container *c, const char *id,
		       struct error *err)
{
	int ret = state_read(c->dir, id, ctx->arena, &c->state, err);

	for (int i = 0; ret == 0 && i < SETTLE_TRIES && state_is_damaged(c->state) && !c->locked;
	     i++) {
		if (state_lock_fits(c->dir, id) == 0) {
			error_set(err, 0, "container %s does not exist", id);
			return -ENOENT;
		}
		(void)poll(NULL, 0, SETTLE_MS);
		ret = state_read(c->dir, id, ctx->arena, &c->state, err);
	}
	c->creating = false;
	if (ret < 0 || c->state->pid > 0 || c->locked)
		return ret;
	/*
	 * Only the intent: its creator is at work as long as the lock is held.  If it is not, the
	 * creator may have finished between the two looks; what is there now is final.
	 */
	c->creating = state_lock_is_held(c->dir);
	return c->creating ? 0 : state_read(c->dir, id, ctx->arena, &c->state, err);
}

/* Opens c->dir, with c->root open, and reads the record.  As container_open(). */
static int open_directory(struct container_context *ctx, struct container *c, const char *id,
			  bool lock, struct error *err)
{
	int ret = c->dir = state_open(c->root, id, err);

	if (ret >= 0 && lock)
		ret = state_lock_take(c->dir, id, err);
	if (ret < 0)
		return ret;
	c->locked = lock;
	return read_record(ctx, c, id, err);
}

int container_open(struct container_context *ctx, const char *id, bool lock, struct container *out,
		   struct error *err)
{
	*out = (struct container)CONTAINER_CLOSED;
	out->root = container_root_open(ctx, false, err);
	if (out->root < 0 && err->errnum == ENOENT) {
		error_set(err, 0, "container %s does not exist", id);
		return -ENOENT;
	}
	if (out->root < 0)
		return -EINVAL;
	out->proc = proc_open();
	if (out->proc < 0) {
		error_set(err, -out->proc, "open /proc");
		/* Whatever the reason, it is not that there is no such container. */
		return -EINVAL;
	}
	return open_directory(ctx, out, id, lock, err);
}

int container_lock(struct container_context *ctx, struct container *c, bool by_force,
		   struct error *err)
{
	const char *id = c->state->id;
	int ret = by_force ? state_lock_take_by_force(c->dir, id, err) :
			     state_lock_take(c->dir, id, err);

	if (ret < 0)
		return ret;
	c->locked = true;
	return read_record(ctx, c, id, err);
}

void container_unlock(struct container *c)
{
	if (c->locked)
		state_lock_release(c->dir);
	c->locked = false;
}

void container_close(struct container *c)
{
	fd_close(&c->dir);
	fd_close(&c->root);
	fd_close(&c->proc);
	cgroup_freezers_close(&c->freezers);
}

enum container_status container_status_of(struct container *c)
{
	const struct state *s = c->state;

	if (s->pid == 0)
		return c->creating ? CONTAINER_CREATING : CONTAINER_STOPPED;
	/* If /proc cannot be read, assume that the process is alive. */
	c->alive = state_alive(s, c->proc);
	if (c->alive == 0)
		return CONTAINER_STOPPED;
	if (s->cgroup && cgroup_is_frozen(s->cgroup, &c->freezers) == 1)
		return CONTAINER_PAUSED;
	return state_waits_for_start(c->dir) ? CONTAINER_CREATED : CONTAINER_RUNNING;
}

int container_not_running(const struct container *c, struct error *err)
{
	return error_set(err, 0, "container %s: container not running", c->state->id);
}

static int no_record(const struct container *c, struct error *err)
{
	const char *id = c->state->id;
	int ret = state_check_names(c->dir, c->state, err);

	if (ret < 0)
		return ret;
	if (c->state->blank)
		return error_set(err, 0,
				 "container %s has no record yet: its creation has just begun, or "
				 "was interrupted; `kist delete --force %s` removes what there is",
				 id, id);
	return error_set(err, 0,
			 "container %s: its record is damaged; remove it with `kist delete "
			 "--force %s`", id, id);
}

/* Whether the cgroup shows that a container runs whose process no record names. */
static bool runs_unrecorded(struct container_context *ctx, const struct state *s)
{
	struct error ignored;
	pid_t *pids = NULL;
	size_t n = 0;

	return s->pid == 0 && s->cgroup &&
	       cgroup_procs(s->cgroup, ctx->arena, &pids, &n, &ignored) == 0 && n > 0;
}

int container_check_record(struct container_context *ctx, const struct container *c,
			   struct error *err)
{
	if (c->creating || (!state_is_damaged(c->state) && !runs_unrecorded(ctx, c->state)))
		return 0;
	return no_record(c, err);
}

const char *container_status_name(enum container_status status)
{
	return status_names[status];
}

/* ---- state, list, ps ------------------------------------------------------------------------ */

static char *owner_name(struct arena *a, uint32_t uid)
{
	char *name = host_user_name(uid, a);

	return name ? name : arena_printf(a, "%u", uid);
}

static char *or_empty(struct arena *a, char *s)
{
	return s ? s : arena_strdup(a, "");
}

static void fill_state(struct container *c, struct arena *a, struct container_state *out)
{
	const struct state *s = c->state;
	enum container_status status = container_status_of(c);

	*out = (struct container_state){
		.oci_version = or_empty(a, s->oci_version),
		.id = s->id,
		.pid = status == CONTAINER_STOPPED ? 0 : s->pid,
		.status = arena_strdup(a, status_names[status]),
		.bundle = or_empty(a, s->bundle),
		.rootfs = or_empty(a, s->rootfs),
		.created = or_empty(a, s->created),
		.owner = owner_name(a, s->owner),
		.annotations = s->annotations,
		.n_annotations = s->n_annotations,
	};
}

int container_state_get(struct container_context *ctx, const char *id, struct container_state *out,
			struct error *err)
{
	struct container c;
	int ret = container_open(ctx, id, false, &c, err);

	if (ret == 0)
		ret = container_check_record(ctx, &c, err);
	if (ret == 0)
		fill_state(&c, ctx->arena, out);
	container_close(&c);
	return ret;
}

/* Opens the state root, and reads the names in it that may be containers'. */
static int read_root(struct container_context *ctx, int *root, char ***ids, size_t *n,
		     struct error *err)
{
	bool default_root = !ctx->root;

	*n = 0;
	*ids = NULL;
	*root = container_root_open(ctx, false, err);
	/* Nobody has created anything yet; but a directory that was asked for must be there. */
	if (*root < 0 && default_root && err->errnum == ENOENT)
		return 0;
	return *root < 0 ? *root : state_ids(*root, ctx->arena, ids, n, err);
}

int container_list_ids(struct container_context *ctx, char ***out, size_t *n, struct error *err)
{
	owned_fd root = -1;
	size_t n_names;
	char **names;
	int ret = read_root(ctx, &root, &names, &n_names, err);

	*n = 0;
	*out = names;
	for (size_t i = 0; ret == 0 && i < n_names; i++) {
		if (!state_is_foreign(root, names[i]))
			names[(*n)++] = names[i];
	}
	return ret;
}

/* This process can see no container just now: a list without them would say that there are none. */
static bool is_short_of_resources(int errnum)
{
	return errnum == EMFILE || errnum == ENFILE || errnum == ENOMEM;
}

/*
 * 1: the container has a line in the list; 0: none, which a warning says unless it was just
 * deleted; or negative: none can be seen.
 */
static int list_one(struct container_context *ctx, struct container *c, const char *id,
		    struct container_state *out, struct error *err)
{
	struct error e = { 0 };
	int ret = open_directory(ctx, c, id, false, &e);

	if (ret < 0 && is_short_of_resources(e.errnum)) {
		*err = e;
		return ret;
	}
	/* -ENOENT: deleted since the state root was read. */
	if (ret < 0) {
		if (ret != -ENOENT)
			log_warning("%s: left out", e.text);
		return 0;
	}
	ret = container_check_record(ctx, c, &e);
	if (ret < 0)
		log_warning("%s%s", e.text, ret == -ENOTEMPTY ? ": left out" : "");
	/* One with a damaged record is a container all the same. */
	if (ret == -ENOTEMPTY)
		return 0;
	fill_state(c, ctx->arena, out);
	return 1;
}

int container_list(struct container_context *ctx, struct container_state **out, size_t *n,
		   struct error *err)
{
	struct container c = CONTAINER_CLOSED;
	size_t n_ids;
	char **ids;
	int ret = read_root(ctx, &c.root, &ids, &n_ids, err);

	*n = 0;
	*out = NULL;
	if (ret < 0 || n_ids == 0) {
		container_close(&c);
		return ret;
	}
	c.proc = proc_open();
	if (c.proc < 0) {
		ret = error_set(err, -c.proc, "open /proc");
		container_close(&c);
		return ret;
	}
	*out = ARENA_NEW_ARRAY(ctx->arena, struct container_state, n_ids);
	for (size_t i = 0; ret >= 0 && i < n_ids; i++) {
		ret = list_one(ctx, &c, ids[i], &(*out)[*n], err);
		*n += ret == 1;
		fd_close(&c.dir);
	}
	container_close(&c);
	return ret < 0 ? ret : 0;
}

int container_ps(struct container_context *ctx, const char *id, pid_t **out, size_t *n,
		 struct error *err)
{
	struct container c;
	int ret = container_open(ctx, id, false, &c, err), alive;

	*n = 0;
	*out = NULL;
	if (ret == 0 && cgroup_ref_is_used(c.state->cgroup))
		ret = cgroup_procs(c.state->cgroup, ctx->arena, out, n, err);
	if (ret == 0 && *n == 0 && (alive = state_alive(c.state, c.proc)) != 0)
		ret = alive < 0 ? error_set(err, -alive, "look at process %d", c.state->pid) :
				  container_members(&c, ctx->arena, out, n, err);
	container_close(&c);
	return ret;
}

/* ---- pause, resume -------------------------------------------------------------------------- */

static int freeze(struct container_context *ctx, const char *id, bool frozen, struct error *err)
{
	struct container c;
	int ret = container_open(ctx, id, true, &c, err);
	enum container_status status;

	if (ret < 0)
		goto out;
	status = container_status_of(&c);
	if (frozen && status != CONTAINER_RUNNING && status != CONTAINER_CREATED)
		ret = error_set(err, 0, "container %s: container %s", id,
				status == CONTAINER_PAUSED ? "already paused" : "not running");
	else if (!frozen && status != CONTAINER_PAUSED)
		ret = error_set(err, 0, "container %s: container %s", id,
				status == CONTAINER_STOPPED ? "not running" : "not paused");
	else if (!cgroup_ref_is_used(c.state->cgroup))
		ret = error_set(err, 0, "container %s has no cgroup: it cannot be paused", id);
	else if (frozen)
		ret = cgroup_freeze(c.state->cgroup, FREEZE_TIMEOUT_MS, err);
	else
		ret = cgroup_thaw(c.state->cgroup, FREEZE_TIMEOUT_MS, err);
out:
	container_close(&c);
	return ret;
}

int container_pause(struct container_context *ctx, const char *id, struct error *err)
{
	return freeze(ctx, id, true, err);
}

int container_resume(struct container_context *ctx, const char *id, struct error *err)
{
	return freeze(ctx, id, false, err);
}

/* ---- delete --------------------------------------------------------------------------------- */

void container_warn_left(const struct state *s)
{
	if (s->pid > 0 && !s->cgroup && !s->pid_namespace)
		log_warning("container %s has neither a cgroup nor a PID namespace: if its first "
			    "process has left others behind, they live on",
			    s->id);
}

static int delete_opened(struct container_context *ctx, struct container *c, bool force,
			 struct error *err)
{
	enum container_status status = container_status_of(c);
	struct host host = { 0 };
	struct job job;

	state_recover_cgroup(c->dir, c->state, ctx->arena);
	if (state_is_damaged(c->state) && state_check_names(c->dir, c->state, err) < 0)
		return -EINVAL;
	if (!force && container_check_record(ctx, c, err) < 0)
		return -EINVAL;
	/* Engines delete what they created and never started; the specification would have them
	 * kill it first. */
	if (!force && status != CONTAINER_STOPPED && status != CONTAINER_CREATED)
		return error_set(err, 0, "cannot delete container %s that is not stopped: %s",
				 c->state->id, status_names[status]);
	if (c->state->lost && !c->state->cgroup)
		log_warning("container %s: its record is damaged and names no cgroup: if a process "
			    "of it lives, kist cannot find it",
			    c->state->id);
	if (status == CONTAINER_STOPPED && !force)
		container_warn_left(c->state);
	/* The hooks run when the record is gone. */
	if (c->state->poststop && (host_read(&host, ctx->arena, err) < 0 ||
				   state_load_config(c->dir, c->state, ctx->arena, err) < 0)) {
		if (!force)
			return -EINVAL;
		log_warning("%s: its poststop hooks will not run", err->text);
	}
	job_init(&job, ctx->arena, ctx->trace);
	job.steps = steps_create;
	job.host = &host;
	job.state = c->state;
	job.state_dir = c->dir;
	job.proc = c->proc;
	return stage_undo(&job, err);
}

int container_delete(struct container_context *ctx, const char *id, bool force, struct error *err)
{
	struct container c;
	owned_fd members = -1;
	int ret = container_open(ctx, id, false, &c, err);

	/* Before the lock: whoever holds it may be waiting for what this process does. */
	if (ret == 0 && force) {
		members = container_hold_members(&c);
		(void)container_signal_init(&c, SIGKILL, NULL);
	}
	if (ret == 0)
		ret = container_lock(ctx, &c, force, err);
	/* It is not there, or somebody else has removed it: with --force that is what was asked
	 * for. */
	if (ret == -ENOENT && force)
		ret = 0;
	else if (ret == 0) {
		/* The process may have been made since: `create` wrote it down under the lock. */
		if (force && members < 0)
			members = container_hold_members(&c);
		/* Before the record goes, so that a failure can be repeated. */
		if (members >= 0)
			ret = container_kill_members(&c, members, err);
		if (ret == 0)
			ret = delete_opened(ctx, &c, force, err);
	}
	container_close(&c);
	return ret;
}
