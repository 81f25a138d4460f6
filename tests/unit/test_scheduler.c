/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tap.h"

static struct arena arena;

static void test_lists(void)
{
	static const struct {
		const char *text;
		int ret;
		unsigned long bits;
	} rows[] = {
		{ "0", 0, 1 },	      { "0-3,7", 0, 0x8f },
		{ "5,5", 0, 0x20 },   { "63", 0, 1UL << 63 },
		{ "", -EINVAL, 0 },   { "1-", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 }, { "3-1", -EINVAL, 0 },
		{ "1,", -EINVAL, 0 }, { "1 2", -EINVAL, 0 },
		{ "64", -ERANGE, 0 }, { "0-64", -ERANGE, 0 },
		{ "a", -EINVAL, 0 },  { "99999999999999999999", -ERANGE, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned long bits = 0;

		is_int(scheduler_parse_list(rows[i].text, &bits, 64), rows[i].ret, "list \"%s\"",
		       rows[i].text);
		if (rows[i].ret == 0)
			ok(bits == rows[i].bits, "list \"%s\": bits", rows[i].text);
	}
}

static int compile(struct oci_scheduler *s, struct oci_memory_policy *m,
		   struct scheduler_plan *plan, struct error *err)
{
	struct oci_process p = { .scheduler = s };
	struct oci_linux l = { .memory_policy = m };
	struct oci_config c = { .linux = &l };

	return scheduler_compile(&c, &p, false, &arena, plan, err);
}

static void test_policies(void)
{
	int32_t nice = 20, priority = 5, zero = 0;
	uint64_t runtime = 1000;
	struct scheduler_plan plan;
	struct error err;

	ok(compile(&(struct oci_scheduler){ .policy = SCHED_OTHER, .nice = &nice }, NULL, &plan,
		   &err) < 0,
	   "%s", err.text);
	ok(compile(&(struct oci_scheduler){ .policy = SCHED_OTHER, .priority = &priority }, NULL,
		   &plan, &err) < 0,
	   "%s", err.text);
	ok(compile(&(struct oci_scheduler){ .policy = SCHED_FIFO }, NULL, &plan, &err) < 0, "%s",
	   err.text);
	ok(compile(&(struct oci_scheduler){ .policy = SCHED_FIFO,
					    .runtime = &runtime,
					    .priority = &priority },
		   NULL, &plan, &err) < 0,
	   "%s", err.text);
	is_int(compile(&(struct oci_scheduler){ .policy = SCHED_FIFO, .priority = &priority }, NULL,
		       &plan, &err),
	       0, "SCHED_FIFO with a priority");
	is_int(plan.attr->priority, 5, "its priority");
	is_int(compile(&(struct oci_scheduler){ .policy = SCHED_BATCH, .priority = &zero }, NULL,
		       &plan, &err),
	       0, "priority 0 is none");
}

static void test_memory(void)
{
	int both[] = { MPOL_F_STATIC_NODES, MPOL_F_RELATIVE_NODES };
	struct oci_memory_policy bind = { .mode = MPOL_BIND, .nodes = (char *)"0" };
	struct oci_memory_policy bare = { .mode = MPOL_BIND };
	struct oci_memory_policy local = { .mode = MPOL_LOCAL, .nodes = (char *)"0" };
	struct oci_memory_policy bad = { .mode = MPOL_INTERLEAVE, .nodes = (char *)"0;1" };
	struct oci_memory_policy two = {
		.mode = MPOL_BIND, .nodes = (char *)"0", .flags = both, .n_flags = 2
	};
	struct scheduler_plan plan;
	struct error err;

	is_int(compile(NULL, &bind, &plan, &err), 0, "MPOL_BIND on a node");
	ok(plan.memory->has_nodes && plan.memory->nodes[0] == 1, "its mask");
	ok(compile(NULL, &bare, &plan, &err) < 0, "%s", err.text);
	ok(compile(NULL, &local, &plan, &err) < 0, "%s", err.text);
	ok(compile(NULL, &bad, &plan, &err) < 0, "%s", err.text);
	ok(compile(NULL, &two, &plan, &err) < 0, "%s", err.text);
}

static void test_affinity(void)
{
	struct oci_exec_cpu_affinity given = { .initial = (char *)"0", .final = (char *)"0-1" };
	struct oci_process p = { .exec_cpu_affinity = &given };
	struct oci_config c = { 0 };
	struct scheduler_plan plan;
	struct error err;

	is_int(scheduler_compile(&c, &p, false, &arena, &plan, &err), 0, "for create");
	ok(plan.initial == NULL && strcmp(plan.final->text, "all") == 0,
	   "execCPUAffinity does not count");
	is_int(scheduler_compile(&c, &p, true, &arena, &plan, &err), 0, "for exec");
	ok(plan.initial->bits[0] == 1 && plan.final->bits[0] == 3, "it does");
	given.final = (char *)"";
	is_int(scheduler_compile(&c, &p, true, &arena, &plan, &err), 0, "initial only");
	ok(plan.final == NULL, "the kernel decides on the final one");
	given.initial = (char *)"0-9999";
	ok(scheduler_compile(&c, &p, true, &arena, &plan, &err) < 0, "%s", err.text);
}

/* A nice value, the best-effort class and the affinity reset need no rights. */
static void test_run(void)
{
	int32_t nice = 7, priority = 6;
	struct oci_scheduler s = { .policy = SCHED_BATCH, .nice = &nice };
	struct oci_io_priority io = { .class_ = 2, .priority = &priority };
	struct oci_process p = { .scheduler = &s, .io_priority = &io };
	struct oci_config c = { 0 };
	struct scheduler_plan plan;
	struct error err;
	pid_t pid;
	int status;

	is_int(scheduler_compile(&c, &p, false, &arena, &plan, &err), 0,
	       "SCHED_BATCH, I/O class 2");
	pid = fork();
	if (pid == 0) {
		if (setpgid(0, 0) < 0 || scheduler_affinity_run(&plan, &err) < 0 ||
		    scheduler_run(&plan, 0, &err) < 0 ||
		    scheduler_memory_run(&plan, &err) < 0)
			_exit(1);
		_exit(sched_getscheduler(0) == SCHED_BATCH && getpriority(PRIO_PROCESS, 0) == 7 &&
				      syscall(SYS_ioprio_get, 1, 0) == (2 << 13 | 6)
			      ? 0
			      : 2);
	}
	ok(waitpid(pid, &status, 0) == pid && status == 0, "set, and read back");
}

int main(void)
{
	test_lists();
	test_policies();
	test_memory();
	test_affinity();
	test_run();
	arena_free(&arena);
	return done();
}
