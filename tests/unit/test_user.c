/* SPDX-License-Identifier: Apache-2.0 */
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/sys.h"
#include "room.h"

static char dir[] = "/tmp/kist-user-XXXXXX";
static int root;

static void write_passwd(const char *text)
{
	int fd;

	unlinkat(root, "etc/passwd", 0);
	fd = openat(root, "etc/passwd", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		bail_out("cannot write etc/passwd");
	close(fd);
}

static void is_home(uint32_t uid, const char *want, const char *what)
{
	char home[64];

	user_home_run(root, uid, home, sizeof(home));
	is_str(home, want, "%s", what);
}

static void test_home(void)
{
	char *big = malloc(3000000);

	is_home(0, "/", "no etc/passwd");
	write_passwd("root:x:0:0:root:/root:/bin/sh\nbad "
		     "line\nu:x:1000:1000::/home/u:/bin/sh\nr:x:rel:1:::\n"
		     "rel:x:7:7::relative:/bin/sh\n1000:x:8:8::/home/number:\nlast:x:9:9::/home/"
		     "last:/bin/sh");
	is_home(0, "/root", "root");
	is_home(1000, "/home/u", "an ordinary user; numbers are no names");
	is_home(7, "/", "a home that is not absolute");
	is_home(9, "/home/last", "a last line without line end");
	is_home(12345, "/", "not in the file");
	memset(big, 'x', 3000000);
	strcpy(big + 9000, "\nu:x:5:5::/home/five:/bin/sh\n");
	write_passwd(big);
	is_home(5, "/home/five", "a line longer than the buffer is passed over");
	memset(big, '\n', 2000000);
	strcpy(big + 2000000, "u:x:6:6::/home/six:/bin/sh\n");
	write_passwd(big);
	is_home(6, "/", "no more than 1 MiB is read");
	write_passwd("u:x:3:3::/a-home-that-is-longer-than-the-room-there-is-for-it/"
		     "0123456789012345:/bin/sh\n");
	is_home(3, "/", "a home that does not fit");
	free(big);
	unlinkat(root, "etc/passwd", 0);
	mkfifoat(root, "etc/passwd", 0644);
	is_home(0, "/", "a FIFO does not block");
	unlinkat(root, "etc/passwd", 0);
	if (symlinkat("/etc/passwd", root, "etc/passwd") == 0)
		is_home(0, "/", "the host's file is not read through a symlink of the same name");
	unlinkat(root, "etc/passwd", 0);
	write_passwd("root:x:0:0:root:/linked:/bin/sh\n");
	if (renameat(root, "etc", root, "store") == 0 && symlinkat("/store", root, "etc") == 0)
		is_home(0, "/linked", "etc is an absolute symlink of the image");
	unlinkat(root, "etc", 0);
	renameat(root, "store", root, "etc");
	if (renameat(root, "etc/passwd", root, "other") == 0 &&
	    symlinkat("../../../../../other", root, "etc/passwd") == 0)
		is_home(0, "/linked", "etc/passwd is a symlink that would leave the root");
	unlinkat(root, "etc/passwd", 0);
	unlinkat(root, "other", 0);
}

static void test_spec(void)
{
	static const struct {
		const char *text;
		int ret;
		uint32_t uid, gid;
	} rows[] = {
		{ "0", 0, 0, 77 },
		{ "1000:100", 0, 1000, 100 },
		{ "4294967294", 0, 4294967294u, 77 },
		{ "4294967295", -EINVAL, 9, 77 },
		{ "4294967296", -EINVAL, 9, 77 },
		{ "-1", -EINVAL, 9, 77 },
		{ "", -EINVAL, 9, 77 },
		{ "1:", -EINVAL, 9, 77 },
		{ ":1", -EINVAL, 9, 77 },
		{ "root", -EINVAL, 9, 77 },
		{ "1:2:3", -EINVAL, 9, 77 },
		{ "1 ", -EINVAL, 9, 77 },
		{ "99999999999999999999999", -EINVAL, 9, 77 },
		{ "1:-1", -EINVAL, 9, 77 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t uid = 9, gid = 77;
		struct error err;

		is_int(user_parse_spec(rows[i].text, &uid, &gid, &err), rows[i].ret, "user \"%s\"",
		       rows[i].text);
		ok(uid == rows[i].uid && gid == rows[i].gid, "user \"%s\": ids", rows[i].text);
	}
}

static void test_compile(void)
{
	struct oci_namespace userns = { .type = CLONE_NEWUSER };
	struct oci_id_mapping map = { .container_id = 0, .host_id = 1000, .size = 1 };
	struct oci_linux l = { .namespaces = &userns,
			       .n_namespaces = 1,
			       .uid_mappings = &map,
			       .n_uid_mappings = 1,
			       .gid_mappings = &map,
			       .n_gid_mappings = 1 };
	struct oci_config c = { .linux = &l };
	struct host h = { .euid = 1000 };
	struct oci_process p = { .user = { .uid = 1000 } };
	uint32_t gids[] = { 0 }, mask = 01000;
	struct arena a = ARENA_INIT;
	struct user_plan plan;
	struct error err;

	ok(user_compile(&c, &p, &h, &a, &plan, &err) < 0 &&
		   strstr(err.text, "cannot setuid to unmapped uid 1000 in user namespace") != NULL,
	   "%s", err.text);
	p.user.uid = 0;
	is_int(user_compile(&c, &p, &h, &a, &plan, &err), 0, "a mapped user");
	is_int(plan.umask, 022, "umask when none is given");
	p.user.additional_gids = gids;
	p.user.n_additional_gids = 1;
	ok(user_compile(&c, &p, &h, &a, &plan, &err) < 0, "setgroups is denied: %s", err.text);
	h.euid = 0;
	is_int(user_compile(&c, &p, &h, &a, &plan, &err), 0, "not for root");
	p.user.umask = &mask;
	ok(user_compile(&c, &p, &h, &a, &plan, &err) < 0, "umask too large: %s", err.text);
	p.user.umask = NULL;
	p.user.uid = UINT32_MAX;
	ok(user_compile(&(struct oci_config){ 0 }, &p, &h, &a, &plan, &err) < 0, "uid -1: %s",
	   err.text);
	arena_free(&a);
}

/* The annotation run.oci.keep_original_groups with a user namespace, and without. */
static void test_keep_groups(void)
{
	static const char keep[] =
		"\"annotations\": {\"run.oci.keep_original_groups\": \"1\"}";
	static const char userns[] =
		"\"linux\": {\"namespaces\": [{\"type\": \"user\"}], "
		"\"uidMappings\": [{\"containerID\": 0, \"hostID\": 1000, \"size\": 1}], "
		"\"gidMappings\": [{\"containerID\": 0, \"hostID\": 1000, \"size\": 1}]}";
	struct host root_host = room_root(), user = room_user(), any = room_root();
	uint32_t gids[] = { 0, 7 };
	struct oci_process p = { .user = { .additional_gids = gids, .n_additional_gids = 2 } };
	struct arena a = ARENA_INIT;
	struct oci_config *plain = room_config(&a, keep), *mapped;
	struct user_plan plan;
	struct error err = { 0 };

	mapped = room_config(&a, arena_printf(&a, "%s, %s", keep, userns));
	any.anybody = true;
	is_int(user_compile(plain, &p, &root_host, &a, &plan, &err), 0, "root");
	ok(plan.keep_groups, "root's groups stay without a user namespace");
	is_int(user_compile(mapped, &p, &user, &a, &plan, &err), 0,
	       "groups that have no effect are no error");
	ok(plan.keep_groups && plan.n_groups == 0, "a user's groups stay in its user namespace");
	is_int(user_compile(mapped, &p, &any, &a, &plan, &err), 0, "for anybody neither");
	p.user.n_additional_gids = 1;
	is_int(user_compile(mapped, &p, &root_host, &a, &plan, &err), 0,
	       "root, user namespace");
	ok(!plan.keep_groups && plan.n_groups == 1, "root's groups do not get into it");
	arena_free(&a);
}

int main(void)
{
	if (mkdtemp(dir) == NULL || (root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ||
	    mkdirat(root, "etc", 0755) < 0)
		bail_out("cannot make a directory in /tmp");
	alarm(30);
	test_home();
	test_spec();
	test_compile();
	test_keep_groups();
	unlinkat(root, "etc", AT_REMOVEDIR);
	rmdir(dir);
	return done();
}
