/* SPDX-License-Identifier: Apache-2.0 */
/* linux.cgroupsPath in all its forms, as the systemd manager reads it. */
#include "cgroup/cgroup_unit.h"

#include "tap.h"

static struct error err;

static int compile(struct arena *a, const char *id, const char *path, bool user,
		   struct cgroup_unit *out)
{
	struct oci_linux *linux_ = ARENA_NEW(a, struct oci_linux);
	struct oci_config *c = ARENA_NEW(a, struct oci_config);

	linux_->cgroups_path = path ? arena_strdup(a, path) : NULL;
	c->linux = linux_;
	return cgroup_unit_compile(c, id, user, a, out, &err);
}

static void unit_is(struct arena *a, const char *path, const char *name, const char *place)
{
	struct cgroup_unit u;

	if (compile(a, "box", path, false, &u) < 0) {
		ok(false, "%s: %s", path, err.text);
		return;
	}
	is_str(u.name, name, "the unit of %s", path ? path : "(absent)");
	is_str(u.path, place, "the cgroup of %s", path ? path : "(absent)");
}

static void test_forms(struct arena *a)
{
	struct cgroup_unit u;

	unit_is(a, NULL, "kist-box.scope", "/system.slice/kist-box.scope");
	unit_is(a, "", "kist-box.scope", "/system.slice/kist-box.scope");
	unit_is(a, "a.slice:p:n", "p-n.scope", "/a.slice/p-n.scope");
	unit_is(a, "a.slice::n", "n.scope", "/a.slice/n.scope");
	unit_is(a, ":p:n", "p-n.scope", "/system.slice/p-n.scope");
	unit_is(a, "::n", "n.scope", "/system.slice/n.scope");
	unit_is(a, "-:p:n", "p-n.scope", "/p-n.scope");
	unit_is(a, "-.slice:p:n", "p-n.scope", "/p-n.scope");
	unit_is(a, "n", "n.scope", "/system.slice/n.scope");
	unit_is(a, "n.scope", "n.scope", "/system.slice/n.scope");
	unit_is(a, "a-b-c.slice:p:n", "p-n.scope", "/a.slice/a-b.slice/a-b-c.slice/p-n.scope");
	unit_is(a, "a.slice:p:x-y.slice", "x-y.slice", "/x.slice/x-y.slice");
	unit_is(a, "a.slice::_n", "_n.scope", "/a.slice/__n.scope");
	unit_is(a, "a.slice::cpu.n", "cpu.n.scope", "/a.slice/_cpu.n.scope");
	ok(compile(a, "box", "::n", true, &u) == 0, "a user's unit");
	is_str(u.slice, "user.slice", "lies in user.slice");
	ok(compile(a, "a+b", NULL, false, &u) == 0, "an id with a +");
	is_str(u.name, "kist-a\\x2bb.scope", "is escaped");
	ok(compile(a, "x.slice", NULL, false, &u) == 0, "an id that looks like a slice");
	is_str(u.name, "kist-x.slice.scope", "is a scope all the same");
	ok(compile(a, "x.scope", NULL, false, &u) == 0, "an id that looks like a scope");
	is_str(u.name, "kist-x.scope.scope", "is not the scope of x");
	ok(compile(a, "box", "a.slice:p:x.slice", false, &u) == 0 && !u.slice,
	   "a slice is in no slice");
}

static void refused(struct arena *a, const char *path, const char *want)
{
	struct cgroup_unit u;
	int ret = compile(a, "box", path, false, &u);

	ok(ret < 0 && strstr(err.text, want), "%s is refused: %s", path, err.text);
}

static void test_refused(struct arena *a)
{
	char *name = arena_alloc(a, 300);

	refused(a, "/a/b", "of format \"slice:prefix:name\"");
	refused(a, "a/b", "of format");
	refused(a, "a.slice:n", "of format");
	refused(a, "a.slice:p:n:m", "of format");
	refused(a, "a.slice:p:", "of format");
	refused(a, "a.slice:p/q:n", "of format");
	refused(a, "a:p:n", "not the name of a slice");
	refused(a, "a--b.slice:p:n", "not the name of a slice");
	refused(a, "-a.slice:p:n", "not the name of a slice");
	refused(a, "a-.slice:p:n", "not the name of a slice");
	refused(a, ".slice:p:n", "not the name of a slice");
	refused(a, "::-.slice", "not the name of a slice for a container");
	refused(a, "::a b", "not the name of a unit");
	refused(a, "::a@b", "not the name of a unit");
	memset(name, 'n', 299);
	refused(a, name, "not the name of a unit");
}

int main(void)
{
	struct arena a = ARENA_INIT;

	test_forms(&a);
	test_refused(&a);
	arena_free(&a);
	return done();
}
