/* SPDX-License-Identifier: Apache-2.0 */
#include "limit.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tap.h"

static int compile(struct oci_rlimit *list, size_t n, struct limit_plan *plan, struct error *err)
{
	static struct arena a;
	struct oci_process p = { .rlimits = list, .n_rlimits = n };
	struct oci_config c = { 0 };
	struct host h = { 0 };

	return limit_compile(&c, &p, &h, &a, plan, err);
}

static void test_compile(void)
{
	struct oci_rlimit twice[] = { { RLIMIT_CORE, 0, 0 }, { RLIMIT_CORE, 1, 1 } };
	struct oci_rlimit turned[] = { { .type = RLIMIT_CORE, .soft = 2, .hard = 1 } };
	struct oci_rlimit unknown[] = { { .type = 99 } };
	struct limit_plan plan;
	struct error err;

	is_int(compile(NULL, 0, &plan, &err), 0, "none");
	ok(compile(twice, 2, &plan, &err) < 0 && strstr(err.text, "RLIMIT_CORE") != NULL, "%s",
	   err.text);
	ok(compile(turned, 1, &plan, &err) < 0, "%s", err.text);
	ok(compile(unknown, 1, &plan, &err) < 0, "%s", err.text);
	for (int i = 0; i < (int)RLIM_NLIMITS; i++)
		ok(strncmp(limit_name(i), "RLIMIT_", 7) == 0, "%s has a name", limit_name(i));
}

/* In a child, which the limits then bind. */
static void test_run(void)
{
	struct oci_rlimit list[] = { { .type = RLIMIT_NOFILE, .soft = 20, .hard = 30 },
				     { .type = RLIMIT_CORE, .soft = 0, .hard = 0 } };
	struct limit_plan plan;
	struct error err;
	pid_t pid;
	int status;

	compile(list, 2, &plan, &err);
	pid = fork();
	if (pid == 0) {
		struct rlimit now;
		int good = limit_run(&plan, false, -1, &err) == 0 &&
			   getrlimit(RLIMIT_NOFILE, &now) == 0 &&
			   now.rlim_cur > 20 && limit_last_run(&plan, false, 0, &err) == 0 &&
			   getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == 20 &&
			   now.rlim_max == 30;

		_exit(good ? 0 : 1);
	}
	ok(waitpid(pid, &status, 0) == pid && status == 0,
	   "limits are set, and the number of descriptors last");
}

static void test_refused(void)
{
	struct oci_rlimit list[] = { { .type = RLIMIT_CORE, .soft = 5, .hard = 10 } };
	struct rlimit low = { 1, 1 };
	struct limit_plan plan;
	struct error err;
	pid_t pid;
	int status;

	compile(list, 1, &plan, &err);
	pid = fork();
	if (pid == 0) {
		int r;

		setrlimit(RLIMIT_CORE, &low);
		r = limit_run(&plan, false, -1, &err);
		if (r == 0)
			_exit(2); /* has CAP_SYS_RESOURCE */
		_exit(r == -EPERM &&
				      strstr(err.text, "RLIMIT_CORE to soft 5, hard 10: operation "
						       "not permitted") &&
				      strstr(err.text, "hard limit here is 1") &&
				      strstr(err.text, "CAP_SYS_RESOURCE")
			      ? 0
			      : 1);
	}
	waitpid(pid, &status, 0);
	if (WEXITSTATUS(status) == 2)
		skip("may raise limits");
	else
		is_int(status, 0,
		       "the error names limit, values, the present limit and what is missing");
}

int main(void)
{
	test_compile();
	test_run();
	test_refused();
	return done();
}
