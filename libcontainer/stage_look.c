/* SPDX-License-Identifier: Apache-2.0 */
#include "stage_look.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "hook.h"
#include "oci/oci.h"
#include "plan.h"
#include "state.h"

/*
 * What such a process still has to do takes no time.  But it is among others, who may stop it,
 * trace it, or freeze its cgroup; and its parent would wait as long as for a slow mount.  Held two
 * times in a row is as good as for ever.  Whatever else keeps a process, such as a slow file system
 * or the want of a processor, gets a minute.
 */
#define LOOK_NS (UINT64_C(5) * 1000000000)
#define LOOKS_HELD 2
#define LOOKS_MAX 12

bool stage_look_applies(const struct job *job)
{
	return !job->plan || plan_forks_late(job->plan);
}

/* ---- who may be given up --------------------------------------------------------------------- */

/* Where nobody but the container's own processes sees it, whoever holds it harms only itself. */
static bool start_may_give_up(const struct job *job)
{
	const struct oci_namespace *pid;
	struct oci_config *c;
	struct error err;

	if (state_load_config(job->state_dir, job->state, job->arena, &err) < 0 ||
	    oci_config_parse(job->state->config.text, job->state->config.len, "config.json",
			     job->arena, &c, &err) < 0)
		return false;
	pid = oci_namespace_find(c, CLONE_NEWPID);
	return (!pid || pid->path) && !(c->hooks && c->hooks->n_start_container) &&
	       !(c->linux && c->linux->seccomp && c->linux->seccomp->listener_path);
}

/* A seccomp agent, a startContainer hook and a paused cgroup (--ignore-paused) have more time. */
static bool may_give_up(const struct job *job)
{
	const struct plan *p = job->plan;

	if (!p)
		return start_may_give_up(job);
	return !p->seccomp.notify && !job->cgroup.wait_thaw &&
	       !hook_any(&p->hooks, HOOK_START_CONTAINER);
}

/* ---- what holds it --------------------------------------------------------------------------- */

static bool is_frozen(const struct job *job)
{
	const struct cgroup_ref *ref = job->cgroup.ref.n_dirs ? &job->cgroup.ref :
								job->state->cgroup;
	struct cgroup_freezers at = CGROUP_FREEZERS_INIT;
	bool frozen = ref && cgroup_is_frozen(ref, &at) == 1;

	cgroup_freezers_close(&at);
	return frozen;
}

/* Whoever traces this command as well, does it for its user: strace -f. */
static bool is_users(const struct job *job, pid_t tracer)
{
	struct proc_tracer own;

	return tracer > 0 && proc_tracer(job->proc, getpid(), &own) == 0 && own.pid == tracer;
}

/* Fills err with what keeps the process from running.  false: nothing. */
static bool is_held(const struct job *job, pid_t pid, char state, bool inside, struct error *err)
{
	struct proc_tracer tracer;

	if (is_frozen(job)) {
		error_set(err, 0, "process %d does not get on: its cgroup is frozen", (int)pid);
		return true;
	}
	/* The first process is outside, where the container sees nobody. */
	if (!inside || (state != 'T' && state != 't') ||
	    proc_tracer(job->proc, pid, &tracer) < 0 || is_users(job, tracer.pid))
		return false;
	if (tracer.pid > 0)
		error_set(err, 0, "process %d does not get on: process %d (%s) traces it",
			  (int)pid, (int)tracer.pid, tracer.name);
	else
		error_set(err, 0, "process %d does not get on: somebody in %s has stopped it",
			  (int)pid, job->plan && plan_has_own_pid_namespace(job->plan) ?
			  "the container" : "its PID namespace");
	return true;
}

/* ---- the look -------------------------------------------------------------------------------- */

/* inside: it is the one that becomes the program. */
static pid_t find_process(const struct job *job, bool *inside)
{
	*inside = true;
	if (!job->plan)
		return job->state->pid;
	if (job->init_pid > 0)
		return job->init_pid;
	if (job->own->init_pid > 0)
		return job->own->init_pid;
	*inside = false;
	return job->stage1_pid;
}

static int look_once(const struct job *job, struct stage_look *look, struct error *err)
{
	struct proc_stat st;
	bool inside;
	pid_t pid = find_process(job, &inside);

	if (pid <= 0 || proc_stat(job->proc, pid, &st) < 0)
		return 0;
	if (!job->plan && st.start_time != job->state->start_time)
		return 0;
	/* It can leave behind nothing of the channel but what another process took from it. */
	if (inside && st.executed)
		return 1;
	if (!look->asked)
		look->may_give_up = may_give_up(job);
	look->asked = true;
	if (!look->may_give_up)
		return 0;
	look->held = is_held(job, pid, st.state, inside, err) ? look->held + 1 : 0;
	look->n += inside;
	if (look->held == 0 && look->n >= LOOKS_MAX)
		return error_set(err, 0, "process %d does not get on: for a minute it %s", (int)pid,
				 st.state == 'S' ? "has waited for something, as for a slow file "
						   "system" :
						   "had no processor, memory or disk");
	return look->held >= LOOKS_HELD ? -EBUSY : 0;
}

int stage_look(const struct job *job, struct stage_look *look, struct error *err)
{
	uint64_t now = clock_ns();
	bool first = look->next_ns == 0;

	if (now < look->next_ns)
		return 0;
	look->next_ns = now + LOOK_NS;
	return first ? 0 : look_once(job, look, err);
}
