/* SPDX-License-Identifier: Apache-2.0 */
/* hook.c - the programs of the caller that run at points of the container's life. */
#include "hook.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/spawn.h"

#define HOOK_OUTPUT_MAX 1024	/* of a failed hook's output, the end */

static const struct hook_kind_row {
	const char *name;		/* property below "hooks" */
	bool in_container;		/* path is one of the container */
} kinds[HOOK_KINDS] = {
	[HOOK_PRESTART] = { "prestart", false },
	[HOOK_CREATE_RUNTIME] = { "createRuntime", false },
	[HOOK_CREATE_CONTAINER] = { "createContainer", false },
	[HOOK_START_CONTAINER] = { "startContainer", true },
	[HOOK_POSTSTART] = { "poststart", false },
	[HOOK_POSTSTOP] = { "poststop", false },
};

static int compile_one(const struct oci_config *c, const struct oci_hook *in,
		       const struct hook_kind_row *kind, struct arena *a, struct hook *out,
		       struct error *err)
{
	if (in->path == NULL || in->path[0] != '/')
		return oci_error(c, in->path != NULL ? (const void *)&in->path : in, err,
				 "the path of a hook must be absolute");
	if (in->timeout != NULL && *in->timeout <= 0)
		return oci_error(c, &in->timeout, err, "a timeout must be greater than 0 seconds");
	out->path = in->path;
	out->member = &in->path;
	out->where = oci_position(c, &in->path, a, arena_printf(a, "hooks.%s", kind->name));
	out->argv = in->args;
	if (in->args == NULL || in->args[0] == NULL) {
		char **argv = ARENA_NEW_ARRAY(a, char *, 2);

		argv[0] = in->path;
		out->argv = argv;
	}
	out->envp = in->env;
	if (in->env == NULL && !kind->in_container)
		out->envp = ARENA_NEW_ARRAY(a, char *, 1);
	if (in->timeout != NULL)
		out->timeout_ms =
			*in->timeout > INT_MAX / 1000 ? INT_MAX : (int)*in->timeout * 1000;
	return 0;
}

/* The entries of one kind in the configuration. */
struct source {
	const struct oci_hook *hooks;
	size_t n;
};

static int compile_list(struct hook_plan *out, const struct source *in, enum hook_kind kind,
			struct arena *a, struct error *err)
{
	struct hook_list *list = &out->kinds[kind];
	int r = 0;

	list->hooks = ARENA_NEW_ARRAY(a, struct hook, in->n);
	for (; list->n < in->n && oci_goes_on(out->config, r); list->n++)
		oci_keep(&r, compile_one(out->config, &in->hooks[list->n], &kinds[kind], a,
					 &list->hooks[list->n], err));
	return r;
}

static int compile_all(struct hook_plan *out, const struct oci_hooks *in, struct arena *a,
		       struct error *err)
{
	const struct source lists[HOOK_KINDS] = {
		[HOOK_PRESTART] = { in->prestart, in->n_prestart },
		[HOOK_CREATE_RUNTIME] = { in->create_runtime, in->n_create_runtime },
		[HOOK_CREATE_CONTAINER] = { in->create_container, in->n_create_container },
		[HOOK_START_CONTAINER] = { in->start_container, in->n_start_container },
		[HOOK_POSTSTART] = { in->poststart, in->n_poststart },
		[HOOK_POSTSTOP] = { in->poststop, in->n_poststop },
	};
	int r = 0;

	for (size_t k = 0; k < HOOK_KINDS && oci_goes_on(out->config, r); k++)
		oci_keep(&r, compile_list(out, &lists[k], (enum hook_kind)k, a, err));
	return r;
}

int hook_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		 struct hook_plan *out, struct error *err)
{
	(void)h;
	memset(out, 0, sizeof(*out));
	out->config = c;
	return c->hooks != NULL ? compile_all(out, c->hooks, a, err) : 0;
}

static int check_one(const struct hook_plan *p, const struct hook *hook, struct error *err)
{
	struct stat st;

	if (stat(hook->path, &st) < 0)
		return oci_error(p->config, hook->member, err, "hook %s: %s", hook->path,
				 error_text(errno));
	if (S_ISDIR(st.st_mode))
		return oci_error(p->config, hook->member, err, "hook %s: is a directory",
				 hook->path);
	if (access(hook->path, X_OK) < 0)
		return oci_error(p->config, hook->member, err, "hook %s: %s", hook->path,
				 error_text(errno));
	return 0;
}

int hook_check(const struct hook_plan *p, struct error *err)
{
	for (size_t k = 0; k < HOOK_KINDS; k++) {
		if (kinds[k].in_container)
			continue;
		for (size_t i = 0; i < p->kinds[k].n; i++) {
			int r = check_one(p, &p->kinds[k].hooks[i], err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* The signals that end programs; strsignal() would look up a translation. */
static const char *signal_text(int sig)
{
	switch (sig) {
	case SIGABRT:
		return "aborted";
	case SIGBUS:
		return "bus error";
	case SIGFPE:
		return "floating point exception";
	case SIGILL:
		return "illegal instruction";
	case SIGKILL:
		return "killed";
	case SIGPIPE:
		return "broken pipe";
	case SIGSEGV:
		return "segmentation fault";
	case SIGSYS:
		return "bad system call";
	case SIGTERM:
		return "terminated";
	default:
		return "unexpected";
	}
}

static int failed(const struct hook *hook, const char *name, const struct spawn_result *result,
		  char *output, struct error *err)
{
	size_t len = strlen(output);

	while (len > 0 && output[len - 1] == '\n')
		output[--len] = '\0';
	if (result->end == SPAWN_TIMED_OUT)
		error_set(err, 0, "error running %s: %s did not end within its timeout of %d s",
			  name, hook->path, hook->timeout_ms / 1000);
	else if (result->end == SPAWN_SIGNALED)
		error_set(err, 0, "error running %s: signal %d: %s", name, result->status,
			  signal_text(result->status));
	else
		error_set(err, 0, "error running %s: exit status %d", name, result->status);
	if (len > 0)
		error_append(err, ", output: %s", output);
	return -EINVAL;
}

static int run_one(const struct hook *hook, const char *name, const struct hook_input *input,
		   struct error *err)
{
	char *const no_env[] = { NULL };
	char *const *environment = input->process_env != NULL ? input->process_env : no_env;
	char output[HOOK_OUTPUT_MAX] = "";
	struct spawn_result result;
	const struct spawn spawn = {
		.path = hook->path,
		.argv = hook->argv,
		.envp = hook->envp != NULL ? hook->envp : environment,
		.input = input->state,
		.input_len = strlen(input->state),
		.cancel = input->cancel,
		.timeout_ms = hook->timeout_ms,
		.output = output,
		.output_size = sizeof(output),
	};
	int r = spawn_run(&spawn, &result);

	if (r == -ECANCELED)
		return error_set(err, EINTR, "error running %s: ended by a signal to kist", name);
	if (r < 0)
		return error_set(err, -r, "error running %s: fork/exec %s", name, hook->path);
	if (result.end == SPAWN_EXITED && result.status == 0)
		return 0;
	return failed(hook, name, &result, output, err);
}

/* What is waiting in a signalfd would end each hook that follows. */
static void take_signals(int signals)
{
	struct signalfd_siginfo info;

	while (signals > 0 && read(signals, &info, sizeof(info)) == sizeof(info))
		;
}

int hook_run(const struct hook_plan *p, enum hook_kind kind, const struct hook_input *input,
	     struct error *err)
{
	const struct hook_list *list = &p->kinds[kind];
	char name[64];

	for (size_t i = 0; i < list->n; i++) {
		int r;

		/* The signal that ended the command, or the hook before, does not end this one. */
		if (kind == HOOK_POSTSTOP)
			take_signals(input->cancel);
		snprintf(name, sizeof(name), "%s hook #%zu", kinds[kind].name, i);
		r = run_one(&list->hooks[i], name, input, err);
		if (r == 0)
			continue;
		error_prefix(err, "%s", list->hooks[i].where);
		if (kind != HOOK_POSTSTOP)
			return r;
		if (err != NULL)
			log_warning("%s", err->text);
	}
	return 0;
}

void hook_show(const struct hook_plan *p, enum hook_kind kind, struct show *out)
{
	const struct hook_list *list = &p->kinds[kind];

	for (size_t i = 0; i < list->n; i++) {
		const struct hook *hook = &list->hooks[i];

		if (hook->timeout_ms > 0)
			show_act(out, "run %s hook #%zu %s, for at most %d s", kinds[kind].name, i,
				 hook->path, hook->timeout_ms / 1000);
		else
			show_act(out, "run %s hook #%zu %s", kinds[kind].name, i, hook->path);
		for (size_t k = 0; hook->argv[k] != NULL; k++)
			show_act(out, "  argv[%zu] %s", k, hook->argv[k]);
		if (hook->envp == NULL)
			show_act(out, "  env as of the container's process");
		for (size_t k = 0; hook->envp != NULL && hook->envp[k] != NULL; k++)
			show_act(out, "  env %s", hook->envp[k]);
	}
}
