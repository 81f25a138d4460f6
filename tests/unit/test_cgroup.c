/* SPDX-License-Identifier: Apache-2.0 */
/* Where the container's cgroup is, on invented machines; and what refuses a config. */
#include "cgroup/cgroup_impl.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "tap.h"

static struct host_hierarchy v2_hierarchy[] = { { "", "/sys/fs/cgroup", "/user.slice/shell" } };
static struct host_hierarchy hybrid_hierarchies[] = {
	{ "", "/sys/fs/cgroup/unified", "/" },
	{ "cpu,cpuacct", "/sys/fs/cgroup/cpu", "/a/b" },
	{ "devices", "/sys/fs/cgroup/devices", "/../outside" },
};
static const struct host v2 = {
	.cgroup_mode = HOST_CGROUP_V2, .hierarchies = v2_hierarchy, .n_hierarchies = 1,
};
static const struct host hybrid = {
	.cgroup_mode = HOST_CGROUP_HYBRID, .hierarchies = hybrid_hierarchies, .n_hierarchies = 3,
};
static const struct host none = { .cgroup_mode = HOST_CGROUP_NONE };

static struct error err;

static int compile(struct arena *a, const struct host *h, enum cgroup_manager manager, char *path,
		   struct cgroup_plan *p)
{
	struct oci_linux *linux_ = ARENA_NEW(a, struct oci_linux);
	struct oci_config *c = ARENA_NEW(a, struct oci_config);
	struct cgroup_options o = { .manager = manager, .id = "box" };

	linux_->cgroups_path = path;
	c->linux = linux_;
	return cgroup_compile(c, h, &o, a, p, &err);
}

static void path_is(struct arena *a, const struct host *h, const char *path, size_t i,
		    const char *want)
{
	char *given = path ? arena_strdup(a, path) : NULL;
	struct cgroup_plan p;

	if (compile(a, h, CGROUP_MANAGER_FS, given, &p) < 0 || i >= p.ref.n_dirs)
		ok(false, "%s: %s", path ? path : "(absent)", err.text);
	else
		is_str(p.ref.dirs[i].path, want, "%s in %s", path ? path : "(absent)",
		       p.ref.dirs[i].mount);
}

static void refused(struct arena *a, const char *path, const char *want)
{
	struct cgroup_plan p;
	int ret = compile(a, &v2, CGROUP_MANAGER_FS, arena_strdup(a, path), &p);

	ok(ret < 0 && strstr(err.text, want), "%s is refused: %s", path, err.text);
}

static void test_paths(struct arena *a)
{
	path_is(a, &v2, NULL, 0, "/box");
	path_is(a, &v2, "", 0, "/box");
	path_is(a, &v2, "/a//b/", 0, "/a/b");
	path_is(a, &v2, "x/y", 0, "/user.slice/x/y");
	path_is(a, &hybrid, "x", 0, "/x");
	path_is(a, &hybrid, "x", 1, "/a/x");
	path_is(a, &hybrid, "x", 2, "/x");
	refused(a, "/a/../b", "..");
	refused(a, "..", "..");
	refused(a, "/", "root of the cgroup hierarchy");
	refused(a, "system.slice:kist:box", "expected cgroupsPath to be");
}

static void test_managers(struct arena *a)
{
	struct cgroup_plan p;

	is_int(compile(a, &v2, CGROUP_MANAGER_NONE, NULL, &p), 0, "manager none");
	ok(p.ref.n_dirs == 0 && p.devices.dir < 0, "has no cgroup");
	ok(compile(a, &v2, CGROUP_MANAGER_SYSTEMD, NULL, &p) == 0, "manager systemd: %s", err.text);
	is_str(p.ref.unit, "kist-box.scope", "a unit");
	is_str(p.ref.dirs[0].path, "/system.slice/kist-box.scope", "and its cgroup");
	ok(compile(a, &none, CGROUP_MANAGER_SYSTEMD, NULL, &p) < 0, "no cgroups: %s", err.text);
	is_int(compile(a, &none, CGROUP_MANAGER_FS, NULL, &p), 0, "no cgroups on the machine");
	is_int((long long)p.ref.n_dirs, 0, "gives no cgroup");
}

static void test_devices(struct arena *a)
{
	struct cgroup_plan p;

	is_int(compile(a, &v2, CGROUP_MANAGER_FS, NULL, &p), 0, "v2");
	ok(p.devices.dir == 0 && p.devices.n_insns > 0 && p.devices.n_lines == 0, "a program");
	is_int(compile(a, &hybrid, CGROUP_MANAGER_FS, NULL, &p), 0, "v1 devices");
	ok(p.devices.dir == 2 && p.devices.n_insns == 0 && p.devices.n_lines > 0, "lines");
}

static void test_owner(struct arena *a)
{
	struct oci_namespace ns = { .type = CLONE_NEWCGROUP };
	struct oci_id_mapping map = { .container_id = 0, .host_id = 1000, .size = 10 };
	struct oci_linux linux_ = {
		.namespaces = &ns, .n_namespaces = 1, .uid_mappings = &map, .n_uid_mappings = 1,
	};
	char *ro[] = { (char *)"ro", NULL };
	struct oci_mount mount = {
		.destination = (char *)"/sys/fs/cgroup", .source = (char *)"cgroup",
	};
	struct oci_process process = { .user.uid = 5 };
	struct oci_config c = {
		.linux = &linux_, .mounts = &mount, .n_mounts = 1, .process = &process,
	};
	struct cgroup_options o = { .id = "box" };
	struct cgroup_plan p;

	cgroup_compile(&c, &v2, &o, a, &p, &err);
	is_int(p.owner, 1005, "a writable cgroup2 belongs to the container's user");
	cgroup_compile(&c, &hybrid, &o, a, &p, &err);
	is_int(p.owner, -1, "never on v1");
	mount.options = ro;
	cgroup_compile(&c, &v2, &o, a, &p, &err);
	is_int(p.owner, -1, "nor when it is read-only");
	mount.options = NULL;
	linux_.n_namespaces = 0;
	cgroup_compile(&c, &v2, &o, a, &p, &err);
	is_int(p.owner, -1, "nor without a cgroup namespace");
}

/* An ordinary directory, with files as in a cgroup. */
static void test_directories(struct arena *a)
{
	const struct cgroup_dir d = { .controllers = (char *)"" };
	char where[] = "/tmp/kist-cgroup-XXXXXX", path[600], name[257];
	owned_fd dir = -1;
	pid_t *pids = NULL;
	size_t n = 0;

	if (!mkdtemp(where) || (dir = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		bail_out(where);
	(void)file_create(dir, "cgroup.procs", 0600, "7\n5\n7\n7\n", 8);
	is_int(cgroup_tree_procs(dir, a, &pids, &n), 0, "processes of a cgroup");
	ok(n == 2 && pids[0] == 5 && pids[1] == 7, "each once, ascending");
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(path, sizeof(path), "/%s/x", name);
	is_int(cgroup_path_frozen(&d, dir, path), -ENAMETOOLONG,
	       "a component that is too long does not end the path");
	is_int(cgroup_path_frozen(&d, dir, "/none"), -ENOENT, "one that is not there");
	is_int(cgroup_path_frozen(&d, dir, "/"), 0, "the root");
	unlinkat(dir, "cgroup.procs", 0);
	rmdir(where);
}

int main(void)
{
	struct arena a = ARENA_INIT;

	test_paths(&a);
	test_managers(&a);
	test_devices(&a);
	test_owner(&a);
	test_directories(&a);
	arena_free(&a);
	return done();
}
