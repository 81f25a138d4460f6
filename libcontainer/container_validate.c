/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_validate.c - what create, exec and update would find wrong before they act.
 *
 * The same rules in the same order: the tables (json_read), what the specification says of several
 * members (oci_*_check), what the rooms refuse (plan_compile).  The document's collector makes all
 * of them go on after a finding.
 */
#include "container_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"

/* The caller's collector, behind one that lets the rooms say nothing twice. */
struct sieve {
	struct json_doc *doc;
	json_collect *collect;
	void *collect_ctx;
	const struct json_finding **told;	/* before the rooms were asked; then sorted */
	size_t n_told;
	bool rooms;
	bool not_json;			/* what was not reached would look missing */
};

static int compare_places(const struct json_finding *x, const struct json_finding *y)
{
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* By place; of one place errors before warnings. */
static int compare_findings(const void *a, const void *b)
{
	const struct json_finding *x = *(const struct json_finding *const *)a;
	const struct json_finding *y = *(const struct json_finding *const *)b;
	int order = compare_places(x, y);

	return order ? order : (int)x->warning - (int)y->warning;
}

/* From here on what was told of a place is not told again. */
static void ask_rooms(struct sieve *s)
{
	s->rooms = true;
	if (s->n_told)
		qsort(s->told, s->n_told, sizeof(*s->told), compare_findings);
}

static bool is_told(const struct sieve *s, const struct json_finding *f)
{
	size_t low = 0, high = s->n_told;

	/* The first that is not before f. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_places(s->told[middle], f) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->n_told && compare_places(s->told[low], f) == 0 &&
	       s->told[low]->warning <= f->warning;
}

static void sift(void *ctx, const struct json_finding *f)
{
	struct sieve *s = ctx;

	if (s->rooms && is_told(s, f))
		return;
	if (!s->rooms) {
		s->told = arena_grow(s->doc->arena, s->told, s->n_told, sizeof(*s->told));
		s->told[s->n_told++] = arena_memdup(s->doc->arena, f, sizeof(*f));
	}
	s->not_json |= f->class_ == JSON_SYNTAX;
	s->collect(s->collect_ctx, f);
}

/* A machine that lacks nothing, and a caller who may do everything: only the text can be wrong. */
static void any_machine(struct host *h, struct arena *a)
{
	struct utsname uts;

	*h = (struct host){
		.anybody = true,
		.caps_effective = UINT64_MAX,
		.caps_bounding = UINT64_MAX,
		.last_cap = 63,
		.selinux = true,
		.apparmor = true,
		.systemd_v1 = ARENA_NEW(a, struct host_hierarchy),
	};
	h->arch = arena_strdup(a, uname(&uts) == 0 ? uts.machine : "unknown");
	h->systemd_v1->controllers = arena_strdup(a, "name=systemd");
	h->systemd_v1->mount = arena_strdup(a, "/sys/fs/cgroup/systemd");
	h->systemd_v1->own_path = arena_strdup(a, "/");
}

static int check_files(const struct job *job, struct error *err)
{
	const struct plan *p = job->plan;
	struct mount_origin from = {
		.root = p->rootfs.path, .proc = job->proc, .arena = job->arena,
	};
	owned_fd bundle = open(p->options.bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int ret = 0;

	if (bundle < 0)
		return error_set(err, errno, "open the bundle %s", p->options.bundle);
	if (fstatat(bundle, p->rootfs.path, &st, 0) < 0)
		ret = oci_error(p->config, &p->config->root->path, err, "%s: %s", p->rootfs.path,
				error_text(errno));
	else if (!S_ISDIR(st.st_mode))
		ret = oci_error(p->config, &p->config->root->path, err, "%s is not a directory",
				p->rootfs.path);
	from.bundle = bundle;
	/* Sources of binds: everything else that a mount needs is made with it. */
	oci_keep(&ret, mount_check_sources(p->config, &p->mounts, &from, err));
	return ret;
}

/*
 * What only this machine decides, beyond plan_compile(): looked at, not touched.  compiled: whether
 * p is whole; else only what does not depend on the rest.
 */
static int check_host(struct container_context *ctx, struct plan *p, bool compiled,
		      struct error *err)
{
	struct job job;
	int ret;

	job_init(&job, ctx->arena, NULL);
	job.plan = p;
	job.proc = proc_open();
	ret = job.proc < 0 ? error_set(err, -job.proc, "open /proc") : 0;
	if (ret == 0)
		ret = namespace_check(&p->namespaces, job.proc, err);
	if (compiled && job.proc >= 0)
		oci_keep(&ret, steps_check_host(&job, err));
	if (p->rootfs.path && job.proc >= 0)
		oci_keep(&ret, check_files(&job, err));
	job_close(&job);
	if (compiled)
		oci_keep(&ret, cgroup_check_permission(&p->cgroup, ctx->arena, err));
	if (compiled && p->seccomp.enabled)
		oci_keep(&ret, seccomp_program(p->config, ctx->arena, &p->seccomp, err));
	return ret;
}

static int check_plan(struct container_context *ctx, const struct container_validate_options *o,
		      const struct oci_config *c, const struct oci_process *process,
		      struct error *err)
{
	struct plan *p = ARENA_NEW(ctx->arena, struct plan);
	struct preserve_fd_plan *none = ARENA_NEW(ctx->arena, struct preserve_fd_plan);
	struct host *h = ARENA_NEW(ctx->arena, struct host);
	struct plan_options options = {
		.command = process ? PLAN_EXEC : PLAN_CREATE,
		.process = process,
		.id = "validate",
		.bundle = o->bundle ? o->bundle : ".",
		.manager = (enum cgroup_manager)ctx->cgroup_manager,
		.preserve_fds = none,
		.detach = true,
		.any_machine = !o->against_host,
	};
	int ret = 0;

	if (!process)
		process = c->process;
	/* The engine's to give; nothing connects to it here. */
	if (process && process->terminal)
		options.console_socket = "console";
	if (o->against_host)
		ret = host_read(h, ctx->arena, err);
	else
		any_machine(h, ctx->arena);
	options.rootless = container_is_rootless(ctx, h);
	if (ret < 0)
		return ret;
	ret = plan_compile(c, h, &options, ctx->arena, p, err);
	if (o->against_host && options.command != PLAN_EXEC)
		oci_keep(&ret, check_host(ctx, p, ret == 0, err));
	return ret;
}

static int check_config(struct container_context *ctx, const struct container_validate_options *o,
			struct sieve *s, struct error *err)
{
	struct oci_config *c = NULL;
	int ret = oci_config_parse_doc(s->doc, ctx->arena, &c, err);
	/* Rooms count on members that are required, and on values of the right type. */
	bool whole = ret == 0 && c->root;

	if (!s->not_json)
		oci_keep(&ret, oci_config_check(c, err));
	ask_rooms(s);
	if (whole)
		oci_keep(&ret, check_plan(ctx, o, c, NULL, err));
	return ret;
}

static int check_process(struct container_context *ctx, const struct container_validate_options *o,
			 struct sieve *s, struct error *err)
{
	struct oci_config *c = ARENA_NEW(ctx->arena, struct oci_config);
	struct oci_process *p = NULL;
	int ret = oci_process_parse(s->doc, &p, err);
	bool whole = ret == 0;

	if (!s->not_json)
		oci_keep(&ret, oci_process_check(p, s->doc, err));
	c->doc = s->doc;
	ask_rooms(s);
	if (whole)
		oci_keep(&ret, check_plan(ctx, o, c, p, err));
	return ret;
}

static int check_resources(struct sieve *s, struct error *err)
{
	struct oci_resources *r = NULL;
	int ret = oci_resources_parse(s->doc, &r, err);

	if (!s->not_json)
		oci_keep(&ret, oci_resources_check(r, s->doc, err));
	return ret;
}

int container_validate(struct container_context *ctx, const struct container_validate_options *o,
		       struct json_doc *doc, struct error *err)
{
	struct sieve s = {
		.doc = doc, .collect = doc->collect, .collect_ctx = doc->collect_ctx,
	};

	int ret;

	doc->collect = sift;
	doc->collect_ctx = &s;
	if (o->what == CONTAINER_VALIDATE_PROCESS)
		ret = check_process(ctx, o, &s, err);
	else if (o->what == CONTAINER_VALIDATE_RESOURCES)
		ret = check_resources(&s, err);
	else
		ret = check_config(ctx, o, &s, err);
	/* The sieve ends here; the text may live on. */
	doc->collect = s.collect;
	doc->collect_ctx = s.collect_ctx;
	return ret;
}
