/* SPDX-License-Identifier: Apache-2.0 */
/* test_idmap.c - id maps: text, way into the kernel, errors; and one written for a real child. */
#include "idmap.h"

#include <sched.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/proc.h"
#include "room.h"

static struct arena arena = ARENA_INIT;

static int compile(const struct host *h, const char *linux_members, struct idmap_plan *out,
		   struct error *err)
{
	struct oci_config *c =
		room_config(&arena, arena_printf(&arena, "\"linux\": {%s}", linux_members));

	memset(err, 0, sizeof(*err));
	return idmap_compile(c, h, &arena, out, err);
}

#define USER "\"namespaces\":[{\"type\":\"user\"}]"
#define RANGE(c, h, n) "{\"containerID\":" #c ",\"hostID\":" #h ",\"size\":" #n "}"

static void test_compile(void)
{
	struct host root = room_root(), user = room_user();
	struct idmap_plan p;
	struct error err;

	is_int(compile(&root,
		       USER ",\"uidMappings\":[" RANGE(0, 1000, 10) "," RANGE(
			       10, 5000, 1) "],\"gidMappings\":[" RANGE(0, 1000, 10) "]",
		       &p, &err),
	       0, "root maps a range %s", err.text);
	is_str(p.uid.text, "0 1000 10\n10 5000 1\n", "text of uid_map");
	ok(!p.uid.helper && !p.gid.helper && !p.deny_setgroups,
	   "written directly, setgroups stays");

	is_int(compile(&user,
		       USER
		       ",\"uidMappings\":[" RANGE(0, 1000, 1) "],\"gidMappings\":[" RANGE(0, 1000,
											  1) "]",
		       &p, &err),
	       0, "a user maps itself %s", err.text);
	ok(!p.uid.helper && !p.gid.helper && p.deny_setgroups,
	   "written directly, setgroups denied");

	is_int(compile(&user,
		       USER ",\"uidMappings\":[" RANGE(0, 1000, 1) "," RANGE(
			       1, 100000, 9) "],\"gidMappings\":[" RANGE(0, 1000, 1) "]",
		       &p, &err),
	       0, "a user maps more uids");
	ok(p.uid.helper && !p.gid.helper, "those by newuidmap");
	is_str(p.uid.argv[0], "newuidmap", "its name");
	is_str(p.uid.argv[7], "9", "its last argument");
	ok(p.uid.argv[8] == NULL, "and no more");
}

static void refuse(const struct host *h, const char *members, const char *want)
{
	struct idmap_plan p;
	struct error err;

	ok(compile(h, members, &p, &err) < 0 && strstr(err.text, want) != NULL, "refused: %s",
	   err.text);
}

static void test_refused(void)
{
	struct host root = room_root(), user = room_user();

	refuse(&user, "", "must ask for a user namespace");
	refuse(&user, USER, "needs linux.uidMappings");
	refuse(&root,
	       USER ",\"uidMappings\":[" RANGE(0, 0, 0) "],\"gidMappings\":[" RANGE(0, 0, 1) "]",
	       "no ids");
	refuse(&root,
	       USER ",\"uidMappings\":[" RANGE(0, 4294967290, 9) "],\"gidMappings\":[" RANGE(0, 0,
											     1) "]",
	       "largest id");
	refuse(&root,
	       USER ",\"uidMappings\":[" RANGE(0, 0, 5) "," RANGE(
		       4, 100, 5) "],\"gidMappings\":[" RANGE(0, 0, 1) "]",
	       "earlier entry");
	refuse(&root,
	       USER ",\"uidMappings\":[" RANGE(0, 0, 5) "," RANGE(
		       5, 4, 5) "],\"gidMappings\":[" RANGE(0, 0, 1) "]",
	       "earlier entry");
}

static void test_lookup(void)
{
	const struct oci_id_mapping map[] = {
		{ .container_id = 0, .host_id = 1000, .size = 1 },
		{ .container_id = 1, .host_id = 100000, .size = 10 },
	};
	uint32_t id;

	ok(idmap_to_host(map, 2, 3, &id) == 0 && id == 100002, "an id inside is found outside");
	ok(idmap_to_host(map, 2, 11, &id) < 0, "one beyond is not");
}

static void test_serve(int proc)
{
	struct host host = { .euid = geteuid(), .egid = getegid() };
	struct idmap_plan p;
	struct error err;
	int ready[2], go[2], status;
	char byte = 0;
	pid_t pid;

	if (compile(&host,
		    arena_printf(&arena,
				 USER
				 ",\"uidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":1}],"
				 "\"gidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":1}]",
				 host.euid, host.egid),
		    &p, &err) < 0)
		bail_out(err.text);
	if (pipe(ready) < 0 || pipe(go) < 0)
		bail_out("pipe");
	pid = fork();
	if (pid == 0) {
		byte = unshare(CLONE_NEWUSER) < 0;
		if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(1);
		_exit(getuid() == 0 && getgid() == 0 ? 0 : 2);
	}
	if (read(ready[0], &byte, 1) != 1)
		bail_out("the child died");
	if (byte != 0)
		skip("no user namespaces here");
	else
		is_int(idmap_serve(&p, proc, pid, &err), 0, "the maps are written %s", err.text);
	if (write(go[1], "", 1) != 1)
		bail_out("write");
	waitpid(pid, &status, 0);
	ok(byte != 0 || status == 0, "the child is root in its user namespace");
}

int main(void)
{
	owned_fd proc = proc_open();

	test_compile();
	test_refused();
	test_lookup();
	test_serve(proc);
	arena_free(&arena);
	return done();
}
