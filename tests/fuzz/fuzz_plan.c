/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_plan.c - config.json from anybody, up to the plan of a container: every room's compile, and
 * the dry run's text and JSON, on several machines.
 */
#include "fuzz.h"
#include "oci/oci.h"
#include "plan.h"
#include "stage.h"
#include "steps.h"

static char v2[] = "", cpu[] = "cpu,cpuacct", memory[] = "memory", devices[] = "devices",
	    pids[] = "pids", where[] = "/sys/fs/cgroup/x", root[] = "/", own[] = "/user.slice/a",
	    arch[] = "x86_64", some[] = "cpu memory pids", name[] = "someone";

static struct host_hierarchy unified[] = { { v2, where, own } };
static struct host_hierarchy hybrid[] = {
	{ v2, where, root },	  { cpu, where, root },	 { memory, where, root },
	{ devices, where, root }, { pids, where, root },
};

#define CAPS ((UINT64_C(1) << 41) - 1)
#define MACHINE .arch = arch, .last_cap = 40, .caps_bounding = CAPS

static const struct host machines[] = {
	{ MACHINE, .caps_effective = CAPS, .cgroup_mode = HOST_CGROUP_V2, .hierarchies = unified,
	  .n_hierarchies = 1, .v2_controllers = some, .apparmor = true },
	{ MACHINE, .caps_effective = CAPS, .cgroup_mode = HOST_CGROUP_HYBRID,
	  .hierarchies = hybrid, .n_hierarchies = 5, .selinux = true },
	{ MACHINE, .caps_effective = CAPS, .cgroup_mode = HOST_CGROUP_V1,
	  .hierarchies = hybrid + 1, .n_hierarchies = 4 },
	{ MACHINE, .euid = 1000, .egid = 1000, .user_name = name, .cgroup_mode = HOST_CGROUP_V2,
	  .hierarchies = unified, .n_hierarchies = 1, .v2_controllers = some },
	{ MACHINE, .in_userns = true, .cgroup_mode = HOST_CGROUP_NONE },
};

#define N_MACHINES (sizeof(machines) / sizeof(machines[0]))

static void show(const struct plan *p, bool json, struct arena *a)
{
	struct job job = { .steps = steps_create, .plan = p, .arena = a };
	struct show out;

	show_begin(&out, a, json);
	stage_show(&job, &out);
	if (strlen(show_end(&out)) == 0)
		abort();
}

static void compile(const struct oci_config *c, size_t choice, struct arena *a)
{
	static const struct preserve_fd_plan fds;
	const struct host *h = &machines[choice % N_MACHINES];
	const struct plan_options o = {
		.command = choice & 1 ? PLAN_RUN : PLAN_CREATE,
		.id = "box",
		.bundle = "/bundle",
		.manager = choice & 2 ? CGROUP_MANAGER_SYSTEMD : CGROUP_MANAGER_FS,
		.rootless = !host_is_privileged(h),
		.console_socket = choice & 4 ? "/console" : NULL,
		.preserve_fds = &fds,
		.detach = true,
	};
	struct plan plan = { 0 };
	struct error err;

	if (plan_compile(c, h, &o, a, &plan, &err) < 0)
		return;
	show(&plan, false, a);
	show(&plan, true, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct oci_config *c;
	struct error err;
	char *text = fuzz_copy(data, size);

	fuzz_quiet();
	/* Machine and command follow from the length: a file stands for one of them, always. */
	if (oci_config_parse(text, size, "f", &a, &c, &err) == 0 && oci_config_check(c, &err) == 0)
		compile(c, size, &a);
	arena_free(&a);
	free(text);
	return 0;
}
