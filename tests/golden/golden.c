/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden.c - prints the plan of a container on an invented machine.
 *
 *	golden [--json] HOST.json CASE
 *
 * CASE is a directory with config.json and perhaps options.json.  The output is what `kist create
 * --dry-run` would print on the machine that HOST.json describes: warnings, then the plan, or
 * "error: ..." in its place.  Nothing of the machine that the test runs on is looked at, so the
 * output is the same everywhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "json/json.h"
#include "oci/oci.h"
#include "plan.h"
#include "stage.h"
#include "steps.h"

#define BUNDLE "/bundle"
#define LAST_CAP 40	/* CAP_CHECKPOINT_RESTORE, Linux 5.9 */

/* ---- the machine ---------------------------------------------------------------------- */

static const struct json_choice cgroup_modes[] = {
	{ "none", HOST_CGROUP_NONE },
	{ "v1", HOST_CGROUP_V1 },
	{ "hybrid", HOST_CGROUP_HYBRID },
	{ "v2", HOST_CGROUP_V2 },
	{ NULL, 0 }
};

static const struct json_choice managers[] = {
	{ "cgroupfs", CGROUP_MANAGER_FS },
	{ "systemd", CGROUP_MANAGER_SYSTEMD },
	{ "disabled", CGROUP_MANAGER_NONE },
	{ NULL, 0 }
};

/* struct host, and what is written otherwise than it is kept there. */
struct machine {
	struct host host;
	char **caps_effective;		/* names; absent: all for root, none for others */
	char **caps_bounding;		/* names; absent: all */
	int cgroup_mode;
	int manager;			/* of cgroups, that engines use there */
	struct host_hierarchy *hierarchies;
	size_t n_hierarchies;
};

#define JSON_TYPE struct host_hierarchy
static const struct json_field hierarchy_fields[] = {
	FIELD(controllers, "controllers", JSON_REQUIRED),
	FIELD(mount, "mount", JSON_REQUIRED),
	FIELD(own_path, "ownPath", JSON_REQUIRED),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct machine
static const struct json_field machine_fields[] = {
	FIELD(host.euid, "euid", JSON_REQUIRED),
	FIELD(host.egid, "egid", JSON_REQUIRED),
	FIELD(host.in_userns, "inUserns", JSON_OPTIONAL),
	FIELD(host.user_name, "userName", JSON_OPTIONAL),
	FIELD(caps_effective, "capsEffective", JSON_OPTIONAL),
	FIELD(caps_bounding, "capsBounding", JSON_OPTIONAL),
	CHOICE(cgroup_mode, "cgroupMode", cgroup_modes, JSON_REQUIRED),
	CHOICE(manager, "manager", managers, JSON_OPTIONAL),
	LIST(hierarchies, "hierarchies", hierarchy_fields, JSON_OPTIONAL),
	FIELD(host.v2_controllers, "v2Controllers", JSON_OPTIONAL),
	FIELD(host.selinux, "selinux", JSON_OPTIONAL),
	FIELD(host.apparmor, "apparmor", JSON_OPTIONAL),
	FIELD(host.arch, "arch", JSON_REQUIRED),
	FIELD(host.proc_pidns, "procPidns", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

/* ---- the command ----------------------------------------------------------------------- */

static const struct json_choice commands[] = {
	{ "create", PLAN_CREATE },
	{ "run", PLAN_RUN },
	{ NULL, 0 }
};

struct command {
	int command;
	char *id;
	int manager;			/* absent: the machine's */
	bool *rootless;			/* absent: as the machine suggests */
	bool detach;
	bool no_pivot;
	bool no_new_keyring;
	char *console_socket;
	uint32_t preserve_fds;
	char *listen_fds;		/* environment of the caller */
	char *notify_socket;
	char **steps;			/* print only these; absent: all */
	char **hide;			/* acts that are not printed, by their first words */
};

#define JSON_TYPE struct command
static const struct json_field command_fields[] = {
	CHOICE(command, "command", commands, JSON_OPTIONAL),
	FIELD(id, "id", JSON_OPTIONAL),
	CHOICE(manager, "manager", managers, JSON_OPTIONAL),
	FIELD(rootless, "rootless", JSON_OPTIONAL),
	FIELD(detach, "detach", JSON_OPTIONAL),
	FIELD(no_pivot, "noPivot", JSON_OPTIONAL),
	FIELD(no_new_keyring, "noNewKeyring", JSON_OPTIONAL),
	FIELD(console_socket, "consoleSocket", JSON_OPTIONAL),
	FIELD(preserve_fds, "preserveFds", JSON_OPTIONAL),
	FIELD(listen_fds, "LISTEN_FDS", JSON_OPTIONAL),
	FIELD(notify_socket, "NOTIFY_SOCKET", JSON_OPTIONAL),
	FIELD(steps, "steps", JSON_OPTIONAL),
	FIELD(hide, "hide", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

/* ---- reading --------------------------------------------------------------------------- */

struct golden {
	struct arena arena;
	struct machine machine;
	struct command command;
	struct oci_config *config;
	struct preserve_fd_plan preserve_fds;
	struct plan plan;
	bool json;
};

/* A fault of the test itself, not of the case. */
static void __attribute__((noreturn)) give_up(const char *text)
{
	fprintf(stderr, "golden: %s\n", text);
	exit(EXIT_FAILURE);
}

static void print_log(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	if (level == LOG_LEVEL_WARNING)
		printf("warning: %s\n", text);
}

static void read_table(struct golden *g, const char *path, const struct json_field *fields,
		       void *out)
{
	struct json_doc doc = { .name = path, .arena = &g->arena, .strict = true };
	struct error err = { 0 };
	char *text;

	if (file_read(AT_FDCWD, path, JSON_TEXT_MAX, &g->arena, &text, &doc.len) < 0)
		give_up(arena_printf(&g->arena, "cannot read %s", path));
	doc.text = text;
	if (json_read(&doc, fields, out, &err) < 0)
		give_up(err.text);
}

static uint64_t capability_mask(char *const *names, uint64_t absent)
{
	uint64_t mask = 0;

	if (!names)
		return absent;
	for (; *names; names++) {
		int n = capability_number(*names);

		if (n < 0)
			give_up(*names);
		mask |= UINT64_C(1) << n;
	}
	return mask;
}

static void read_machine(struct golden *g, const char *path)
{
	const uint64_t all = (UINT64_C(1) << (LAST_CAP + 1)) - 1;
	struct machine *m = &g->machine;
	struct host *h = &m->host;

	read_table(g, path, machine_fields, m);
	h->cgroup_mode = (enum host_cgroup_mode)m->cgroup_mode;
	h->hierarchies = m->hierarchies;
	h->n_hierarchies = m->n_hierarchies;
	h->last_cap = LAST_CAP;
	h->caps_bounding = capability_mask(m->caps_bounding, all);
	h->caps_effective = capability_mask(m->caps_effective, h->euid == 0 ? all : 0);
}

static void read_command(struct golden *g, const char *path)
{
	struct command *c = &g->command;

	*c = (struct command){ .command = PLAN_CREATE, .manager = g->machine.manager };
	if (access(path, F_OK) == 0)
		read_table(g, path, command_fields, c);
	if (!c->id)
		c->id = arena_strdup(&g->arena, "box");
	/* The one variable that a plan depends on. */
	unsetenv("NOTIFY_SOCKET");
	if (c->notify_socket)
		setenv("NOTIFY_SOCKET", c->notify_socket, 1);
}

/* ---- the plan -------------------------------------------------------------------------- */

/* As container_create.c does, without the machine. */
static int compile(struct golden *g, const char *path, struct error *err)
{
	const struct command *c = &g->command;
	const struct host *h = &g->machine.host;
	const struct preserve_fd_request fds = {
		.preserve = c->preserve_fds,
		.listen_fds = c->listen_fds,
	};
	const struct plan_options o = {
		.command = (enum plan_command)c->command,
		.id = c->id,
		.bundle = BUNDLE,
		.manager = (enum cgroup_manager)c->manager,
		.rootless = c->rootless ? *c->rootless : !host_is_privileged(h),
		.console_socket = c->console_socket,
		.preserve_fds = &g->preserve_fds,
		.no_pivot = c->no_pivot,
		.no_new_keyring = c->no_new_keyring,
		.detach = c->command == PLAN_CREATE || c->detach,
	};
	char *text;
	size_t len;
	int ret;

	if (file_read(AT_FDCWD, path, JSON_TEXT_MAX, &g->arena, &text, &len) < 0)
		give_up(arena_printf(&g->arena, "cannot read %s", path));
	ret = preserve_fd_compile(&fds, &g->arena, &g->preserve_fds, err);
	if (ret == 0)
		ret = oci_config_parse(text, len, "config.json", &g->arena, &g->config, err);
	if (ret == 0)
		ret = oci_config_check(g->config, err);
	return ret < 0 ? ret : plan_compile(g->config, h, &o, &g->arena, &g->plan, err);
}

/* In text form a step begins at the margin, "stage 2  mounts", and its acts are indented. */
static bool is_wanted(const struct golden *g, const char *line, bool before)
{
	const char *name = strrchr(line, ' ');

	if (g->json)
		return true;
	if (*line == ' ')
		return before;
	if (!g->command.steps)
		return true;
	for (char **step = g->command.steps; *step; step++) {
		if (name && strcmp(name + 1, *step) == 0)
			return true;
	}
	return false;
}

static bool is_hidden(const struct golden *g, const char *line)
{
	line += strspn(line, " ");
	for (char **words = g->command.hide; words && *words; words++)
		if (str_starts(line, *words))
			return true;
	return false;
}

static void print_plan(struct golden *g)
{
	struct job job = { .steps = steps_create, .plan = &g->plan, .arena = &g->arena };
	struct show show;
	char *rest, *line;
	bool wanted = false;

	show_begin(&show, &g->arena, g->json);
	stage_show(&job, &show);
	rest = arena_strdup(&g->arena, show_end(&show));
	while ((line = strsep(&rest, "\n")) && rest) {
		wanted = is_wanted(g, line, wanted);
		if (wanted && (g->json || !is_hidden(g, line)))
			puts(line);
	}
}

int main(int argc, char **argv)
{
	struct golden g = { .arena = ARENA_INIT };
	struct error err = { 0 };
	const char *dir;

	g.json = argc > 1 && strcmp(argv[1], "--json") == 0;
	argv += g.json;
	argc -= g.json;
	if (argc != 3)
		give_up("usage: golden [--json] HOST.json CASE");
	dir = argv[2];
	read_machine(&g, argv[1]);
	read_command(&g, arena_printf(&g.arena, "%s/options.json", dir));
	log_set_sink(g.json ? NULL : print_log, NULL, LOG_LEVEL_WARNING);
	if (compile(&g, arena_printf(&g.arena, "%s/config.json", dir), &err) == 0)
		print_plan(&g);
	else if (!g.json)
		printf("error: %s\n", err.text);
	arena_free(&g.arena);
	return EXIT_SUCCESS;
}
