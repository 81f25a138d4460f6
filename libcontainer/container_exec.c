/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_exec.c - exec: another process in a container that exists.
 */
#include "container_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"


struct execution {
	struct container_context *ctx;
	const struct container_exec_options *o;
	struct container c;
	struct host host;
	struct oci_config *config;
	struct oci_process *process;
	struct preserve_fd_plan preserve_fds;
	struct plan plan;
};

/* ---- the process: of a file, or that of the configuration with the options put over it ------ */

static size_t count(char **list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/*
 * base, then more: for env the later one wins (process.c).  What is wrong with the later ones is
 * told of the option.  Copies, since the process forgets the command line (process_forget_caller).
 */
static char **concatenate(struct execution *e, char **base, char **more, const char *option)
{
	struct arena *a = e->ctx->arena;
	size_t n = count(base), m = count(more);
	char **list = ARENA_NEW_ARRAY(a, char *, n + m + 1);

	if (n)
		memcpy(list, base, n * sizeof(*list));
	for (size_t i = 0; i < m; i++) {
		list[n + i] = arena_strdup(a, more[i]);
		json_place_name(e->config->doc, &list[n + i], option);
	}
	return list;
}

/*
 * --cap adds to what the process may use; to the ambient set only where the configuration has
 * inheritable capabilities, since ambient ones need them (CVE-2022-29162: inheritable itself is
 * left alone).
 */
static void add_capabilities(struct execution *e, struct oci_process *p)
{
	char **caps = e->o->caps;
	struct oci_capabilities *sets;

	if (!caps || !*caps)
		return;
	if (!p->capabilities)
		p->capabilities = ARENA_NEW(e->ctx->arena, struct oci_capabilities);
	sets = p->capabilities;
	sets->bounding = concatenate(e, sets->bounding, caps, "--cap");
	sets->effective = concatenate(e, sets->effective, caps, "--cap");
	sets->permitted = concatenate(e, sets->permitted, caps, "--cap");
	if (count(sets->inheritable) > 0)
		sets->ambient = concatenate(e, sets->ambient, caps, "--cap");
}

static int set_groups(struct execution *e, struct oci_process *p, struct error *err)
{
	char **gids = e->o->additional_gids;
	size_t n = count(gids);

	if (n == 0)
		return 0;
	p->user.additional_gids = ARENA_NEW_ARRAY(e->ctx->arena, uint32_t, n);
	json_place_name(e->config->doc, &p->user.additional_gids, "--additional-gids");
	p->user.n_additional_gids = n;
	for (size_t i = 0; i < n; i++) {
		if (str_to_id(gids[i], &p->user.additional_gids[i]) < 0)
			return error_set(err, 0,
					 "--additional-gids %s: a group id is a number, at most %u",
					 gids[i], STR_ID_MAX);
		json_place_name(e->config->doc, &p->user.additional_gids[i], "--additional-gids");
	}
	return 0;
}

static void set_text(struct execution *e, char **member, const char *value, const char *option)
{
	if (!value)
		return;
	*member = arena_strdup(e->ctx->arena, value);
	json_place_name(e->config->doc, member, option);
}

/*
 * The options are put over the process of the configuration, which is this command's own copy.
 * Errors about them name the option, not the file.
 */
static int process_of_options(struct execution *e, struct error *err)
{
	const struct container_exec_options *o = e->o;
	struct json_doc *doc = e->config->doc;
	struct oci_process *p = e->config->process;
	int ret;

	if (!p)
		return error_set(err, 0,
				 "container %s has no process to take defaults from: use --process",
				 e->c.state->id);
	p->args = concatenate(e, NULL, o->args, "command");
	p->terminal = o->tty;
	json_place_name(doc, &p->terminal, "--tty");
	p->env = concatenate(e, p->env, o->env, "--env");
	p->no_new_privileges = p->no_new_privileges || o->no_new_privs;
	set_text(e, &p->cwd, o->cwd, "--cwd");
	set_text(e, &p->apparmor_profile, o->apparmor, "--apparmor");
	set_text(e, &p->selinux_label, o->process_label, "--process-label");
	if (o->user && user_parse_spec(o->user, &p->user.uid, &p->user.gid, err) < 0)
		return -EINVAL;
	if (o->user) {
		json_place_name(doc, &p->user.uid, "--user");
		json_place_name(doc, &p->user.gid, "--user");
	}
	add_capabilities(e, p);
	e->process = p;
	ret = set_groups(e, p, err);
	return ret < 0 ? ret : oci_process_check(p, doc, err);
}

static int process_of_file(struct execution *e, struct error *err)
{
	struct json_doc *doc = ARENA_NEW(e->ctx->arena, struct json_doc);
	int ret;

	*doc = (struct json_doc){ .arena = e->ctx->arena };
	ret = oci_text_read(e->o->process, doc, err);
	if (ret < 0)
		return ret;
	/* Only the process can be wrong: the configuration passed when the container was made. */
	e->config->doc = doc;
	ret = oci_process_parse(doc, &e->process, err);
	if (ret == 0)
		ret = oci_process_check(e->process, doc, err);
	if (ret == 0)
		e->process->terminal = e->process->terminal || e->o->tty;
	return ret;
}

/* ---- checks before the first act ------------------------------------------------------------ */

/*
 * An init whose first thread has ended has left its namespaces with that thread; the others are in
 * them.  pidfd: the init's; what is opened is a thread of it as long as that tells no end.
 */
static int open_other_thread(struct execution *e, int *pidfd, struct job *job, struct error *err)
{
	struct proc_stat st;
	owned_fd thread = -1;
	pid_t tid;

	job->join_pid = e->c.state->pid;
	if (proc_stat(e->c.proc, job->join_pid, &st) < 0 || st.state != 'Z' || st.threads < 2)
		return 0;
	tid = proc_live_thread(e->c.proc, job->join_pid);
	if (tid < 0)
		return 0;
	thread = sys_pidfd_open(tid, PIDFD_THREAD);
	if (thread == -EINVAL)
		return error_set(err, 0,
				 "the first thread of the container's process %d has ended: before "
				 "Linux 6.9 nobody can join the others", job->join_pid);
	/* It is the init's before and after it was opened, and that has kept its number. */
	if (thread < 0 || proc_live_thread(e->c.proc, job->join_pid) != tid ||
	    sys_pidfd_send_signal(*pidfd, 0) < 0)
		return error_set(err, 0, "the threads of the container's process %d end one after "
				 "the other: try again", job->join_pid);
	job->join_pid = tid;
	fd_close(pidfd);
	*pidfd = fd_take(&thread);
	return 0;
}

/*
 * Opens the container's init.  First the descriptor, then the look at the process of that number:
 * if that is the recorded one, so is the opened one.
 */
static int check_status(struct execution *e, struct job *job, struct error *err)
{
	owned_fd pidfd = sys_pidfd_open(e->c.state->pid, 0);
	enum container_status status = container_status_of(&e->c);

	if (container_check_record(e->ctx, &e->c, err) < 0)
		return -EINVAL;
	if (status == CONTAINER_STOPPED || status == CONTAINER_CREATING)
		return error_set(err, 0, "cannot exec in a %s container: container not running",
				 container_status_name(status));
	/* The new process would be frozen before it has said a word; engines would wait for ever.
	 */
	if (status == CONTAINER_PAUSED && !e->o->ignore_paused)
		return error_set(
			err, 0,
			"cannot exec in a paused container (use --ignore-paused to override)");
	if (pidfd < 0 && pidfd != -ESRCH)
		return error_set(err, -pidfd, "open process %d", e->c.state->pid);
	if (pidfd < 0)
		return container_not_running(&e->c, err);
	/* Where that cannot be seen, its number may be another's by now. */
	if (e->c.alive < 0)
		return error_set(err, -e->c.alive, "look at process %d", e->c.state->pid);
	if (e->o->cgroups && !cgroup_ref_is_used(e->c.state->cgroup))
		return error_set(err, 0,
				 "container %s has no cgroup: --cgroup %s names none below it",
				 e->c.state->id, e->o->cgroups[0]);
	if (open_other_thread(e, &pidfd, job, err) < 0)
		return -EINVAL;
	job->join_pidfd = fd_take(&pidfd);
	return 0;
}

static int compile(struct execution *e, const char *id, struct error *err)
{
	struct plan_options o = {
		.command = PLAN_EXEC,
		.id = id,
		.bundle = e->c.state->bundle,
		.manager = (enum cgroup_manager)e->ctx->cgroup_manager,
		.rootless = e->ctx->rootless == CONTAINER_ROOTLESS_TRUE,
		.console_socket = e->o->console_socket,
		.pid_file = e->o->pid_file,
		.pidfd_socket = e->o->pidfd_socket,
		.preserve_fds = &e->preserve_fds,
		.detach = e->o->detach,
	};
	int ret = container_saved_config(e->ctx, e->c.dir, e->c.state, &e->config,
					 err);

	if (ret == 0)
		ret = e->o->process ? process_of_file(e, err) : process_of_options(e, err);
	if (ret == 0)
		ret = host_read_process(&e->host, e->ctx->arena, err);
	o.process = e->process;
	if (ret == 0)
		ret = plan_compile(e->config, &e->host, &o, e->ctx->arena, &e->plan, err);
	return ret;
}

/*
 * A container that ends meanwhile makes any step fail, each in its own words: there is no process
 * to join, no cgroup, no room in its PID namespace.  Callers know one phrase for that.  An init
 * that is on its way out counts: it has left its namespaces already.
 */
static void explain_end(const struct job *job, struct error *err)
{
	struct pollfd p = { .fd = job->join_pidfd, .events = POLLIN };
	struct error reason = *err;
	struct proc_stat st;

	/* It was the caller's signal. */
	if (err->errnum == EINTR || job->join_pidfd < 0 || poll(&p, 1, 0) < 0)
		return;
	/* While the descriptor does not tell its end, the number is its own. */
	if (!p.revents && (proc_stat(job->proc, job->join_pid, &st) < 0 || !st.exiting))
		return;
	error_set(err, 0, "container not running (%s)", reason.text);
	err->exit_code = reason.exit_code;
}

/* What had_tracer() asks, and where the answer is kept true. */
struct tracer_look {
	int dir;
	struct job *job;
};

static bool had_tracer(void *data)
{
	struct tracer_look *look = data;

	return state_tracer_look(look->dir, &look->job->no_tracer);
}

static int place_seccomp(struct execution *e, struct job *job, struct error *err)
{
	struct tracer_look look = { e->c.dir, job };
	int ret;

	e->plan.options.had_tracer = had_tracer;
	e->plan.options.had_tracer_data = &look;
	ret = plan_seccomp(&e->plan, e->c.root, e->ctx->arena, err);
	e->plan.options.had_tracer = NULL;
	if (ret == 0 && plan_brings_tracer(&e->plan))
		ret = state_tracer_add(e->c.dir, err);
	return ret;
}

static int carry_out(struct execution *e, struct job *job, struct error *err)
{
	int ret;

	job->steps = steps_exec;
	job->argv = e->ctx->argv;
	job->plan = &e->plan;
	job->host = &e->host;
	job->state = e->c.state;
	job->proc = fd_take(&e->c.proc);
	job->init_root = arena_printf(e->ctx->arena, "%d/root", job->join_pid);
	job->wait_exec = true;
	job->exec_cgroups = e->o->cgroups;
	job->cgroup.wait_thaw = e->o->ignore_paused;
	if (e->ctx->fault && stage_parse_fault(e->ctx->fault, &job->fault, e->ctx->arena, err) < 0)
		return -EINVAL;
	if (place_seccomp(e, job, err) < 0)
		return -EINVAL;
	/* Neither may be open in a process that the container can see. */
	fd_close(&e->c.dir);
	fd_close(&e->c.root);
	cgroup_freezers_close(&e->c.freezers);
	if (job_watch_signals(job, err) < 0 || stage_page_new(job, false, err) < 0)
		return -EINVAL;
	ret = stage_run(job, err);
	fd_close(&job->no_tracer);
	if (ret < 0)
		explain_end(job, err);
	return ret;
}

int container_exec(struct container_context *ctx, const char *id,
		   const struct container_exec_options *o, int *status, struct error *err)
{
	struct execution *e = ARENA_NEW(ctx->arena, struct execution);
	struct job job;
	int ret;

	*status = 0;
	e->ctx = ctx;
	e->o = o;
	job_init(&job, ctx->arena, ctx->trace);
	e->c = (struct container)CONTAINER_CLOSED;
	ret = container_preserve_fds(ctx, o->preserve_fds, &e->preserve_fds, err);
	if (ret == 0)
		ret = container_open(ctx, id, false, &e->c, err);
	if (ret == 0)
		ret = check_status(e, &job, err);
	if (ret == 0)
		ret = compile(e, id, err);
	if (ret == 0)
		ret = carry_out(e, &job, err);
	if (ret == 0 && !o->detach)
		ret = container_wait(&job, status, err);
	container_close(&e->c);
	job_close(&job);
	return ret;
}
