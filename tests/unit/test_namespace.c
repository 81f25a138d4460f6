/* SPDX-License-Identifier: Apache-2.0 */
/* test_namespace.c - who makes and joins which namespace, and what the errors say. */
#include "namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fd.h"
#include "base/proc.h"
#include "room.h"

#define ALL (CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS)

static struct arena arena = ARENA_INIT;

static struct namespace_plan compile(const char *namespaces, const char *more)
{
	struct host host = room_root();
	struct namespace_plan plan;
	struct error err = { 0 };
	struct oci_config *c =
		room_config(&arena, arena_printf(&arena, "\"linux\": {\"namespaces\": [%s]%s}",
						 namespaces, more));

	if (namespace_compile(c, &host, &arena, &plan, &err) < 0)
		bail_out(err.text);
	return plan;
}

#define COMMON                                                                                     \
	"{\"type\":\"pid\"},{\"type\":\"network\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{"        \
	"\"type\":\"mount\"}"

static void test_distribution(void)
{
	struct namespace_plan p = compile(COMMON ",{\"type\":\"cgroup\"}", "");

	ok(p.clone_first == ALL && p.unshare == 0 && !p.two_stages, "new ones: one clone3 does it");
	ok(p.create & CLONE_NEWCGROUP, "the cgroup namespace is left to the child");

	p = compile(COMMON ",{\"type\":\"user\"}", "");
	ok(p.clone_first == (ALL | CLONE_NEWUSER) && !p.two_stages, "a user namespace too");

	p = compile("{\"type\":\"mount\"},{\"type\":\"pid\",\"path\":\"/p\"}", "");
	ok(p.two_stages && p.clone_first == CLONE_NEWNS && p.clone_second == 0,
	   "joining a pid namespace takes two processes");

	p = compile(
		"{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"network\",\"path\":\"/n\"}",
		"");
	ok(!p.two_stages && p.n_join == 1, "joining another one does not");

	p = compile("{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"user\",\"path\":\"/u\"}",
		    "");
	ok(p.two_stages && p.clone_first == 0 && p.unshare == CLONE_NEWNS &&
		   p.clone_second == CLONE_NEWPID,
	   "new namespaces are made inside a joined user namespace");

	p = compile(
		"{\"type\":\"mount\"},{\"type\":\"user\"},{\"type\":\"network\",\"path\":\"/n\"}",
		"");
	ok(!p.two_stages && p.clone_first == 0 && p.unshare == (CLONE_NEWNS | CLONE_NEWUSER),
	   "what is joined comes before a new user namespace");

	p = compile("{\"type\":\"time\"}", ",\"timeOffsets\":{\"monotonic\":{\"secs\":7},"
					   "\"boottime\":{\"secs\":-1,\"nanosecs\":5}}");
	ok(p.unshare == CLONE_NEWTIME && p.clone_first == 0 && !p.two_stages,
	   "time offsets: unshared");
	is_str(p.time_offsets, "monotonic 7 0\nboottime -1 5\n", "text of timens_offsets");
}

static void test_errors(void)
{
	struct host host = room_root();
	struct namespace_plan plan;
	struct error err = { 0 };
	struct oci_config *c =
		room_config(&arena, "\"linux\": {\"timeOffsets\": {\"boottime\": {\"secs\": 1}}}");

	ok(namespace_compile(c, &host, &arena, &plan, &err) < 0 &&
		   strstr(err.text, "linux.timeOffsets: ") != NULL,
	   "offsets without a time namespace: %s", err.text);
	namespace_create_error(-1, CLONE_NEWNET | CLONE_NEWUSER, ENOSPC, &err);
	ok(strstr(err.text, "create namespaces (user, network): no space left on device") != NULL,
	   "%s", err.text);
}

static void try_open(int proc, const char *type, const char *path, const char *want)
{
	struct namespace_plan p =
		compile(arena_printf(&arena, "{\"type\":\"%s\",\"path\":\"%s\"}", type, path), "");
	struct namespace_fds fds;
	struct error err = { 0 };
	int r = namespace_open(&p, proc, &fds, &err);

	ok(r < 0 && strstr(err.text, want) != NULL &&
		   strstr(err.text, "namespaces[0].path") != NULL,
	   "%s", err.text);
}

static void test_open(int proc)
{
	struct namespace_plan p =
		compile("{\"type\":\"uts\",\"path\":\"/proc/self/ns/uts\"},{\"type\":\"ipc\"}", "");
	struct namespace_fds fds;
	struct error err = { 0 };

	is_int(namespace_open(&p, proc, &fds, &err), 0, "open the caller's own namespace %s",
	       err.text);
	ok(fds.fd[0] == -1 && fds.separate == CLONE_NEWIPC, "it counts as shared with the caller");
	namespace_close(&fds);
	try_open(proc, "network", "/proc/self/ns/uts",
		 "is a uts namespace, not a network namespace");
	try_open(proc, "network", "/dev/null", "is no namespace");
	try_open(proc, "network", "/nowhere", "no such file or directory");
}

/* Time and uts in a child that has a user namespace: nothing of it needs root. */
static void test_run(int proc)
{
	struct namespace_plan p =
		compile("{\"type\":\"time\"},{\"type\":\"user\"},{\"type\":\"cgroup\"}",
			",\"timeOffsets\":{\"monotonic\":{\"secs\":100000}}");
	struct timespec before, after;
	struct error err = { 0 };
	int status;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &before);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER) < 0)
			_exit(77);
		if (namespace_time_run(&p, proc, &err) < 0 ||
		    namespace_cgroup_run(&p, proc, &err) < 0) {
			printf("# %s\n", err.text);
			fflush(stdout);
			_exit(err.errnum == EPERM || err.errnum == EACCES ? 77 : 1);
		}
		clock_gettime(CLOCK_MONOTONIC, &after);
		_exit(after.tv_sec - before.tv_sec >= 100000 ? 0 : 2);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip("no user namespaces here");
	else
		is_int(status, 0, "one process enters a time namespace with offsets");
}

int main(void)
{
	owned_fd proc = proc_open();

	test_distribution();
	test_errors();
	test_open(proc);
	test_run(proc);
	arena_free(&arena);
	return done();
}
