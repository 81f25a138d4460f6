/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_create.c - create and run: from a bundle to a process.
 */
#include "container_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"
#include "seccomp_cache.h"
#include "show.h"

/* What create and run prepare before the first side effect. */
struct creation {
	struct container_context *ctx;
	const struct container_create_options *o;
	const char *id;
	char *bundle;			/* absolute, resolved */
	int bundle_fd;
	char *text;			/* of the configuration */
	size_t len;
	struct host host;
	struct cgroup_helper cgroup_helper;
	struct oci_config *config;
	struct preserve_fd_plan preserve_fds;
	struct plan plan;
	struct state state;
};

int container_preserve_fds(struct container_context *ctx, unsigned int preserve,
			   struct preserve_fd_plan *out, struct error *err)
{
	const struct preserve_fd_request request = {
		.preserve = preserve,
		.listen_fds = getenv("LISTEN_FDS"),
		.listen_pid = getenv("LISTEN_PID"),
		.listen_fdnames = getenv("LISTEN_FDNAMES"),
		.own_pid = getpid(),
	};
	int ret = preserve_fd_compile(&request, ctx->arena, out, err);

	if (ret == 0)
		preserve_fd_find(out, ctx->arena);
	return ret;
}

static int open_bundle(struct creation *c, struct error *err)
{
	const char *bundle = c->o->bundle ? c->o->bundle : ".";
	char path[PATH_MAX];

	if (!realpath(bundle, path))
		return error_set(err, errno, "bundle %s", bundle);
	c->bundle = arena_strdup(c->ctx->arena, path);
	c->bundle_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->bundle_fd < 0)
		return error_set(err, errno, "open the bundle %s", path);
	return 0;
}

static int read_config(struct creation *c, struct error *err)
{
	const char *name = c->o->config ? c->o->config : "config.json";
	int ret = file_read(c->bundle_fd, name, OCI_TEXT_MAX, c->ctx->arena, &c->text, &c->len);

	if (ret == -EFBIG)
		return error_set(err, EFBIG, "read %s of the bundle %s: more than %u MiB", name,
				 c->bundle, OCI_TEXT_MAX >> 20);
	if (ret < 0)
		return error_set(err, -ret, "read %s of the bundle %s", name, c->bundle);
	ret = oci_config_parse(c->text, c->len, name, c->ctx->arena, &c->config, err);
	return ret < 0 ? ret : oci_config_check(c->config, err);
}

bool container_is_rootless(const struct container_context *ctx, const struct host *h)
{
	if (ctx->rootless != CONTAINER_ROOTLESS_AUTO)
		return ctx->rootless == CONTAINER_ROOTLESS_TRUE;
	return !host_is_privileged(h);
}

/* First of all: it starts and connects while the configuration is read.  It does nothing before it
 * is asked. */
static int start_cgroup_helper(struct creation *c, struct error *err)
{
	if (c->ctx->cgroup_manager != CONTAINER_CGROUP_SYSTEMD || c->o->dry_run != CONTAINER_ACT)
		return 0;
	return cgroup_helper_start(&c->cgroup_helper, c->host.euid != 0 || c->host.in_userns,
				   c->ctx->arena, err);
}

static int compile(struct creation *c, bool run, struct error *err)
{
	struct plan_options o = {
		.command = run ? PLAN_RUN : PLAN_CREATE,
		.id = c->id,
		.manager = (enum cgroup_manager)c->ctx->cgroup_manager,
		.console_socket = c->o->console_socket,
		.pid_file = c->o->pid_file,
		.pidfd_socket = c->o->pidfd_socket,
		.preserve_fds = &c->preserve_fds,
		.no_pivot = c->o->no_pivot,
		.no_new_keyring = c->o->no_new_keyring,
		.detach = !run || c->o->detach,
	};

	if (!state_id_is_valid(c->id)) {
		(void)state_id_error(c->id, err);
		return -EINVAL;
	}
	if (container_preserve_fds(c->ctx, c->o->preserve_fds, &c->preserve_fds, err) < 0)
		return -EINVAL;
	if (host_read(&c->host, c->ctx->arena, err) < 0 || start_cgroup_helper(c, err) < 0 ||
	    open_bundle(c, err) < 0 || read_config(c, err) < 0)
		return -EINVAL;
	o.bundle = c->bundle;
	o.rootless = container_is_rootless(c->ctx, &c->host);
	return plan_compile(c->config, &c->host, &o, c->ctx->arena, &c->plan, err);
}

/* The record as it is before the first side effect. */
static void make_state(struct creation *c)
{
	struct arena *a = c->ctx->arena;
	const struct oci_hooks *hooks = c->config->hooks;
	const struct oci_namespace *mounts = oci_namespace_find(c->config, CLONE_NEWNS);
	const char *root = c->config->root ? c->config->root->path : "";

	c->state = (struct state){
		.oci_version = arena_strdup(a, OCI_VERSION),
		.id = arena_strdup(a, c->id),
		.bundle = c->bundle,
		.rootfs = *root == '/' ? arena_strdup(a, root)
				       : arena_printf(a, "%s/%s", c->bundle, root),
		.created = state_now(a),
		.owner = c->host.euid,
		.pid_namespace = plan_has_own_pid_namespace(&c->plan),
		.mount_namespace = mounts && !mounts->path,
		.poststart = hooks && hooks->n_poststart > 0,
		.poststop = hooks && hooks->n_poststop > 0,
		.annotations = c->config->annotations,
		.n_annotations = c->config->n_annotations,
		.config = { c->text, c->len },
	};
}

static void show_plan(const struct creation *c, char **out)
{
	struct show show;
	struct job job;

	job_init(&job, c->ctx->arena, c->ctx->trace);
	job.steps = steps_create;
	job.plan = &c->plan;
	show_begin(&show, c->ctx->arena, c->o->dry_run == CONTAINER_DRY_RUN_JSON);
	stage_show(&job, &show);
	*out = arena_strdup(c->ctx->arena, show_end(&show));
}

static int carry_out(struct creation *c, struct job *job, struct error *err)
{
	char root[PATH_MAX] = "";

	make_state(c);
	job->steps = steps_create;
	job->argv = c->ctx->argv;
	job->plan = &c->plan;
	job->host = &c->host;
	job->state = &c->state;
	fd_close(&c->bundle_fd);
	job->cgroup.helper = c->plan.cgroup.unit.name ? &c->cgroup_helper : NULL;
	job->wait_exec = c->plan.command == PLAN_RUN;
	/* Inside, the container's process is number 1 of its own PID namespace. */
	c->state.pid = c->state.pid_namespace ? 1 : 0;
	job->hook_state = state_for_hooks(&c->state, "creating", c->ctx->arena);
	c->state.pid = 0;
	if (c->ctx->fault && stage_parse_fault(c->ctx->fault, &job->fault, c->ctx->arena, err) < 0)
		return -EINVAL;
	job->proc = proc_open();
	if (job->proc < 0)
		return error_set(err, -job->proc, "open /proc");
	job->state_root = container_root_open(c->ctx, true, err);
	if (job->state_root < 0)
		return job->state_root;
	if (c->plan.notify_socket.host && !realpath(c->ctx->root, root))
		return error_set(err, errno, "state directory %s", c->ctx->root);
	job->state_path = arena_printf(c->ctx->arena, "%s/%s", root, c->id);
	if (job_watch_signals(job, err) < 0 ||
	    stage_page_new(job, c->plan.command == PLAN_CREATE, err) < 0)
		return -EINVAL;
	/* After everything that may fail without a trace: compiling a filter takes 20 ms, a cached
	 * one 0.1. */
	if (plan_seccomp(&c->plan, job->state_root, c->ctx->arena, err) < 0)
		return -EINVAL;
	return stage_run(job, err);
}

/* What only the attempt would show is looked for first: a promise that fails is none. */
static int dry_run(struct creation *c, char **out, struct error *err)
{
	int ret = cgroup_check_permission(&c->plan.cgroup, c->ctx->arena, err);

	if (ret == 0)
		show_plan(c, out);
	fd_close(&c->bundle_fd);
	return ret;
}

int container_create(struct container_context *ctx, const char *id,
		     const struct container_create_options *o, char **out, struct error *err)
{
	struct creation *c = ARENA_NEW(ctx->arena, struct creation);
	struct job job;
	int ret;

	*c = (struct creation){
		.ctx = ctx, .o = o, .id = id, .bundle_fd = -1, .cgroup_helper = CGROUP_HELPER_INIT,
	};
	ret = compile(c, false, err);
	if (ret == 0 && o->dry_run != CONTAINER_ACT)
		return dry_run(c, out, err);
	job_init(&job, ctx->arena, ctx->trace);
	if (ret == 0)
		ret = carry_out(c, &job, err);
	cgroup_helper_close(&c->cgroup_helper);
	fd_close(&c->bundle_fd);
	job_close(&job);
	return ret;
}

/* The container has ended, or could not be used: everything goes. */
static int clean_up(struct job *job, const struct container_create_options *o, int ret,
		    struct error *err)
{
	struct error undo = { 0 };
	struct container c = CONTAINER_CLOSED;
	owned_fd members = -1;
	int undone;

	if (ret == 0 && o->keep)
		return 0;
	/* Whoever holds the lock may be waiting for what this process does; and it must not live
	 * on where the lock cannot be had. */
	c.state = job->state;
	c.proc = job->proc;
	if (ret < 0) {
		members = container_hold_members(&c);
		(void)container_signal_init(&c, SIGKILL, NULL);
	} else {
		container_warn_left(c.state);
	}
	undone = state_lock_take(job->state_dir, job->state->id, &undo);
	/* Somebody else has deleted it. */
	if (undone == -ENOENT)
		return ret;
	if (undone == 0 && members >= 0)
		undone = container_kill_members(&c, members, &undo);
	if (undone == 0)
		undone = stage_undo(job, &undo);
	if (undone < 0) {
		if (ret < 0) {
			log_warning("%s", undo.text);
			return ret;
		}
		*err = undo;
		return -EINVAL;
	}
	return ret;
}

int container_run(struct container_context *ctx, const char *id,
		  const struct container_create_options *o, int *status, char **out,
		  struct error *err)
{
	struct creation *c = ARENA_NEW(ctx->arena, struct creation);
	struct job job;
	int ret;

	*status = 0;
	*c = (struct creation){
		.ctx = ctx, .o = o, .id = id, .bundle_fd = -1, .cgroup_helper = CGROUP_HELPER_INIT,
	};
	ret = compile(c, true, err);
	if (ret == 0 && o->dry_run != CONTAINER_ACT)
		return dry_run(c, out, err);
	job_init(&job, ctx->arena, ctx->trace);
	if (ret == 0)
		ret = carry_out(c, &job, err);
	cgroup_helper_close(&c->cgroup_helper);
	if (ret == 0) {
		/* It is complete: pause, update, delete and others are for everybody now. */
		state_lock_release(job.state_dir);
		ret = container_poststart(ctx, &job, err);
		if (ret == 0)
			ret = container_notify(&job, &c->plan.notify_socket, err);
		if (ret < 0)
			ret = clean_up(&job, o, ret, err);
	}
	if (ret == 0 && !o->detach) {
		ret = container_wait(&job, status, err);
		ret = clean_up(&job, o, ret, err);
	}
	fd_close(&c->bundle_fd);
	job_close(&job);
	return ret;
}
