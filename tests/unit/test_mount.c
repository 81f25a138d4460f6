/* SPDX-License-Identifier: Apache-2.0 */
#include "mount.h"

#include "tap.h"

static struct arena arena = ARENA_INIT;
static struct mount_plan plan;
static struct error err;

#define LINUX "\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}"
#define USER_LINUX                                                                                 \
	"\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"user\"}],"                    \
	"\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":1},{\"containerID\":1,"      \
	"\"hostID\":5000,\"size\":10}],"                                                           \
	"\"gidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":5}]}"

static int compile_on(const struct host *h, const char *mounts, const char *linux_part)
{
	const char *text = arena_printf(&arena, "{\"ociVersion\":\"1.3.0\",\"mounts\":[%s],%s}",
					mounts, linux_part);
	struct oci_config *c;

	err.text[0] = '\0';
	if (oci_config_parse(text, strlen(text), "config.json", &arena, &c, &err) < 0) {
		printf("# %s\n", err.text);
		bail_out("the test's own config");
	}
	return mount_compile(c, h, &arena, &plan, &err);
}

static int compile(const char *mounts)
{
	static const struct host h = { .cgroup_mode = HOST_CGROUP_NONE };

	return compile_on(&h, mounts, LINUX);
}

static void refused(const char *mounts, const char *words)
{
	int r = compile(mounts);

	ok(r < 0 && strstr(err.text, words), "refused: %s", words);
	if (r >= 0 || !strstr(err.text, words))
		printf("# got: %s\n", err.text);
}

static const struct mnt_param *param(const char *key)
{
	for (size_t i = 0; i < plan.entries[0].fs.n_params; i++)
		if (strcmp(plan.entries[0].fs.params[i].key, key) == 0)
			return &plan.entries[0].fs.params[i];
	return NULL;
}

static void test_file_systems(void)
{
	const struct mount_entry *e;

	is_int(compile("{\"destination\":\"//dev/./shm/\",\"type\":\"tmpfs\",\"source\":\"shm\","
		       "\"options\":[\"nosuid\",\"mode=1777\",\"size=64k\",\"noswap\"]}"),
	       0, "a tmpfs");
	e = plan.entries;
	is_int(e->kind, MOUNT_FS, "is a file system");
	is_str(e->destination, "/dev/shm", "its destination is clean");
	is_str(e->fs.source, "shm", "its source is kept");
	is_int(e->fs.attr, MOUNT_ATTR_NOSUID, "its attribute");
	is_str(param("mode")->value, "1777", "its mode");
	ok(param("noswap") && !param("noswap")->value, "a flag of the file system");
	ok(!e->inherit_mode, "a given mode is not inherited");

	is_int(compile("{\"destination\":\"/t\",\"type\":\"tmpfs\",\"options\":[\"ro\"]}"), 0,
	       "a read-only tmpfs");
	e = plan.entries;
	ok(e->late_readonly && !(e->fs.attr & MOUNT_ATTR_RDONLY), "becomes read-only late");
	ok(e->inherit_mode, "and inherits its mode");
	is_str(e->fs.source, "tmpfs", "a source that is missing is the type");

	is_int(compile("{\"destination\":\"/sys\",\"type\":\"sysfs\",\"options\":[\"ro\"]}"), 0,
	       "a read-only sysfs");
	e = plan.entries;
	ok(e->fs.attr == MOUNT_ATTR_RDONLY && e->fs.ms == 0, "the mount alone is read-only");
	ok(e->ordinary, "its destination must be a directory");
	ok(e->sysfs_fallback, "with the host's network it may be bound");

	compile("{\"destination\":\"/d\",\"type\":\"ext4\",\"source\":\"/dev/"
		"x\",\"options\":[\"ro\"]}");
	is_int(plan.entries[0].fs.ms, MS_RDONLY, "a read-only disk has a read-only superblock");

	compile("{\"destination\":\"relative\",\"type\":\"tmpfs\"}");
	is_str(plan.entries[0].destination, "/relative", "a relative destination starts at /");
	compile("{\"destination\":\"/a/../../b\",\"type\":\"tmpfs\"}");
	is_str(plan.entries[0].destination, "/b", "dots do not leave the root");
	compile("{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\"}");
	is_int(plan.entries[0].kind, MOUNT_CGROUP, "type cgroup");
}

static void test_binds(void)
{
	const struct mount_entry *e;

	is_int(compile("{\"destination\":\"/b\",\"source\":\"src\",\"options\":[\"rbind\"]}"), 0,
	       "a bind without type");
	e = plan.entries;
	is_int(e->kind, MOUNT_FROM, "is a bind");
	ok(e->flags.attr.implied == 0, "without flags it keeps the source's");
	compile("{\"destination\":\"/b\",\"source\":\"/s\",\"type\":\"bind\"}");
	is_int(plan.entries[0].kind, MOUNT_FROM, "type bind is enough");
	compile("{\"destination\":\"/b\",\"source\":\"/"
		"s\",\"type\":\"none\",\"options\":[\"bind\",\"nosuid\"]}");
	e = plan.entries;
	is_int(e->flags.attr.implied, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
	       MOUNT_ATTR_NOSYMFOLLOW, "with one flag the others go");
	compile("{\"destination\":\"/b\",\"source\":\"/s\",\"options\":[\"bind\",\"noatime\"]}");
	is_int(plan.entries[0].flags.attr.clr, MOUNT_ATTR__ATIME,
	       "an access time replaces the source's");
	is_int(compile("{\"destination\":\"/b\",\"source\":\"/"
		       "s\",\"options\":[\"bind\",\"mode=755\",\"size=1k\",\"\"]}"),
	       0, "mode= and size= are passed over");
	is_int(compile("{\"destination\":\"/b\",\"source\":\"/s\",\"options\":[\"bind\",\"x-foo\","
		       "\"x-bar=1\"]}"), 0, "comments are passed over");
	is_int(compile("{\"destination\":\"/b\",\"type\":\"tmpfs\",\"options\":[\"x-foo\","
		       "\"size=1k\"]}"), 0, "also those of a file system");
	is_int(plan.entries[0].fs.n_params, 1, "which does not get them");
	refused("{\"destination\":\"/b\",\"source\":\"/s\",\"options\":[\"bind\",\"nocopy\"]}",
		"unknown option \"nocopy\"");
	refused("{\"destination\":\"/b\",\"source\":\"/s\",\"options\":[\"bind\",\"z\"]}",
		"unknown option \"z\"");
	refused("{\"destination\":\"/b\",\"source\":\"/s\",\"options\":[\"bind\",\"foo=bar\"]}",
		"unknown option \"foo=bar\"");

	refused("{\"destination\":\"/b\",\"source\":\"/s\",\"options\":[\"bind\",\"nosiud\"]}",
		"mounts[0].options[1]: unknown option \"nosiud\" of a bind mount: did you mean "
		"\"nosuid\"?");
	refused("{\"destination\":\"/b\",\"source\":\"/s\",\"options\":[\"bind\",\"uid=3\"]}",
		"unknown option \"uid=3\"");
	refused("{\"destination\":\"/b\",\"options\":[\"bind\"]}", "needs a source");
}

static void test_refusals(void)
{
	refused("{\"destination\":\"/b\",\"source\":\"/s\"}", "needs a type");
	refused("{\"destination\":\"/\",\"type\":\"tmpfs\"}", "root file system itself");
	refused("{\"destination\":\"/proc\",\"type\":\"tmpfs\"}", "is not of type proc");
	refused("{\"destination\":\"/x/../proc//sys\",\"type\":\"tmpfs\"}",
		"/proc/sys cannot be mounted");
	refused("{\"destination\":\"/b\",\"source\":\"/s\",\"options\":[\"bind\",\"tmpcopyup\"]}",
		"tmpcopyup");
	is_int(compile("{\"destination\":\"/proc/meminfo\",\"source\":\"/"
		       "s\",\"options\":[\"bind\"]}"),
	       0, "lxcfs may cover /proc/meminfo");
	ok(plan.entries[0].in_proc, "as an exception");
}

static void test_idmap(void)
{
	static const struct host h = { .cgroup_mode = HOST_CGROUP_NONE };

#define IDMAP(o) "{\"destination\":\"/b\",\"source\":\"/s\",\"options\":[\"bind\",\"" o "\"]}"
	refused(IDMAP("idmap"), "needs a mapping");
	refused(IDMAP("idmap=uids=0-1-2"), "both uids= and gids=");
	refused(IDMAP("idmap=uids=0-1;gids=0-1-2"), "\"uids=0-1\" is not a list");
	refused(IDMAP("idmap=users=0-1-2"), "not \"users=0-1-2\"");
	is_int(compile(IDMAP("idmap=uids=0-1-10#10-11-10;gids=0-100-10")), 0,
	       "an explicit mapping");
	is_str(plan.entries[0].uid_map, "0 1 10\n10 11 10\n", "its users");
	is_str(plan.entries[0].gid_map, "0 100 10\n", "its groups");
	is_int(compile_on(&h, IDMAP("idmap=uids=@1-3-2;gids=0-0-1"), USER_LINUX), 0,
	       "a relative mapping");
	is_str(plan.entries[0].uid_map, "1 5002 2\n", "is turned into the host's ids");
	is_int(compile_on(&h, IDMAP("idmap=uids=@1-50-2;gids=0-0-1"), USER_LINUX) < 0, 1,
	       "unless there is none");
	is_int(compile_on(&h, IDMAP("idmap"), USER_LINUX), 0, "the container's own mapping");
	is_str(plan.entries[0].uid_map, "0 1000 1\n1 5000 10\n", "is the config's");
	is_int(compile("{\"destination\":\"/b\",\"source\":\"/s\",\"options\":[\"bind\"],"
		       "\"uidMappings\":[{\"containerID\":0,\"hostID\":7,\"size\":1}],"
		       "\"gidMappings\":[{\"containerID\":0,\"hostID\":8,\"size\":1}]}"),
	       0, "mappings of the mount");
	is_str(plan.entries[0].gid_map, "0 8 1\n", "are taken");
	refused("{\"destination\":\"/b\",\"source\":\"/s\",\"options\":[\"bind\"],"
		"\"uidMappings\":[{\"containerID\":0,\"hostID\":7,\"size\":1}]}", "given together");
}

static void test_user_namespace(void)
{
	static const struct host h = { .cgroup_mode = HOST_CGROUP_NONE };

#define PTS(o) "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"options\":[\"" o "\"]}"
	is_int(compile_on(&h, PTS("gid=4"), USER_LINUX), 0, "a mapped group");
	ok(plan.userns, "the plan knows of the user namespace");
	is_int(compile_on(&h, PTS("gid=5"), USER_LINUX) < 0, 1, "a group beyond the map");
	ok(strstr(err.text, "group 5 is not mapped"), "is named: %s", err.text);
	is_int(compile_on(&h, PTS("uid=11"), USER_LINUX) < 0, 1, "a user beyond the map");
	is_int(compile(PTS("gid=5")), 0, "without a user namespace all ids are there");
}

static void test_cgroups(void)
{
	static struct host_hierarchy list[] = {
		{ (char *)"", (char *)"/sys/fs/cgroup/unified", (char *)"/" },
		{ (char *)"cpu,cpuacct", (char *)"/sys/fs/cgroup/cpu,cpuacct", (char *)"/" },
		{ (char *)"name=systemd", (char *)"/sys/fs/cgroup/systemd", (char *)"/" },
	};
	const struct host h = { .cgroup_mode = HOST_CGROUP_HYBRID,
				.hierarchies = list,
				.n_hierarchies = 3 };
	const struct mount_cgroup_hierarchy *found;

	compile_on(&h, "", LINUX);
	is_int(plan.cgroup.n, 3, "all hierarchies");
	ok(!plan.cgroup.unified, "hybrid is not pure v2");
	found = plan.cgroup.hierarchies;
	is_str(found[0].name, "unified", "v2 has its directory");
	ok(!found[0].links[0], "and no further name");
	is_str(found[1].name, "cpu,cpuacct", "a joint hierarchy");
	ok(found[1].links[0] && found[1].links[1] && !found[1].links[2], "has two links");
	is_str(found[1].links[1], "cpuacct", "one for each controller");
	ok(!found[2].links[0], "a named one has none");
}

static void test_no_namespace(void)
{
	static const struct host h = { .cgroup_mode = HOST_CGROUP_NONE };

	is_int(compile_on(&h, "{\"destination\":\"/proc\",\"type\":\"proc\"}",
			  "\"linux\":{\"namespaces\":[]}"),
	       0, "mounts without a mount namespace");
	ok(plan.skipped, "are left out");
}

static void test_show(void)
{
	struct show out;
	const char *text;

	compile("{\"destination\":\"/t\",\"type\":\"tmpfs\",\"options\":[\"nosuid\",\"size=1m\"]},"
		"{\"destination\":\"/b\",\"source\":\"/s\",\"options\":[\"rbind\",\"ro\"]}");
	show_begin(&out, &arena, false);
	show_step(&out, "mounts", "stage 2");
	mount_show(&plan, &out);
	text = show_end(&out);
	ok(strstr(text, "mount tmpfs on /t type tmpfs (nosuid,size=1m)"), "a plan shows its tmpfs");
	ok(strstr(text, "mount /s on /b type bind (rbind,ro)"), "and its bind");
	if (!strstr(text, "(rbind,ro)"))
		printf("# %s\n", text);
}

int main(void)
{
	test_file_systems();
	test_binds();
	test_refusals();
	test_idmap();
	test_user_namespace();
	test_cgroups();
	test_no_namespace();
	test_show();
	arena_free(&arena);
	return done();
}
