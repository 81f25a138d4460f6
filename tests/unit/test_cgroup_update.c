/* SPDX-License-Identifier: Apache-2.0 */
/* Device rules of an update, and that a refused limit takes the others back. */
#include "cgroup/cgroup_update.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "tap.h"

static struct cgroup_dir v2_dirs[] = { { (char *)"", (char *)"/u", (char *)"/x", 0 } };
static struct cgroup_dir v1_dirs[] = { { (char *)"devices", (char *)"/d", (char *)"/x", 0 } };
static struct cgroup_dir hidden_dirs[] = { { (char *)"devices", (char *)"/d", (char *)"", 0 } };

static struct error err;
static char top[] = "/tmp/kist-test-update-XXXXXX";

static struct oci_resources *resources(struct arena *a, const char *json)
{
	struct json_doc *doc = ARENA_NEW(a, struct json_doc);
	struct oci_resources *r = NULL;

	*doc = (struct json_doc){ .name = "r", .text = json, .len = strlen(json), .arena = a };
	if (oci_resources_parse(doc, &r, &err) < 0)
		bail_out(err.text);
	return r;
}

/* The lines that v1 gets for an update, or "error". */
static const char *lines(struct arena *a, const char *config, const char *earlier,
			 const char *added)
{
	struct oci_linux linux_ = { .resources = resources(a, config) };
	struct oci_config c = { .linux = &linux_ };
	struct cgroup_plan p = { .ref = { .dirs = v1_dirs, .n_dirs = 1 } };
	const char *text = "";

	if (cgroup_update_devices_compile(&c, earlier ? resources(a, earlier) : NULL,
					  resources(a, added), a, &p, &err) < 0)
		return "error";
	for (size_t i = 0; i < p.devices.n_lines; i++)
		text = arena_printf(a, "%s%s %s;", text,
				    p.devices.lines[i].allow ? "allow" : "deny",
				    p.devices.lines[i].text);
	return text;
}

#define RULE(allow, rest) "{\"devices\":[{\"allow\":" allow "," rest "}]}"
#define FUSE "\"type\":\"c\",\"major\":10,\"minor\":229,\"access\":\"rw\""
#define TUN "\"type\":\"c\",\"major\":10,\"minor\":200,\"access\":\"rw\""

static void test_devices(struct arena *a)
{
	struct oci_config c = { 0 };
	struct cgroup_plan p = { .ref = { .dirs = hidden_dirs, .n_dirs = 1 } };

	is_str(lines(a, "{}", NULL, RULE("true", FUSE)), "allow c 10:229 rw;", "only what is new");
	is_str(lines(a, "{}", RULE("true", FUSE), RULE("false", FUSE)), "deny c 10:229 rw;",
	       "an earlier rule taken back");
	is_str(lines(a, "{}", NULL, RULE("false", TUN)), "deny c 10:200 rw;",
	       "it wins over a default rule");
	is_str(lines(a, RULE("true", "\"access\":\"rwm\""), NULL, RULE("false", FUSE)),
	       "deny c 10:229 rw;", "of a container that may use all");
	is_str(lines(a, "{}", RULE("true", FUSE), RULE("true", "\"type\":\"a\"")), "allow a;",
	       "everything");
	is_str(lines(a, "{}", NULL, RULE("false", "\"type\":\"c\",\"major\":136,\"minor\":3")),
	       "error", "a part of a wider rule");
	ok(strstr(err.text, "wider earlier rule"), "%s", err.text);
	ok(cgroup_update_devices_compile(&c, NULL, resources(a, "{}"), a, &p, &err) < 0, "%s",
	   err.text);

	p.ref = (struct cgroup_ref){ .dirs = v2_dirs, .n_dirs = 1 };
	ok(cgroup_update_devices_compile(&c, NULL, resources(a, RULE("true", FUSE)), a, &p,
					 &err) == 0 &&
	   p.devices.n_insns > 0 && p.devices.n_lines == 0, "v2 gets a program");
	ok(p.devices.rules[p.devices.n_rules - 1].minor == 229, "the new rule comes last");
}

static void put(int dir, const char *name, const char *text)
{
	if (file_create(dir, name, 0600, text, strlen(text)) < 0)
		bail_out(name);
}

static void file_is(int dir, const char *name, const char *want)
{
	char text[256] = "";

	(void)file_read_small(dir, name, text, sizeof(text));
	is_str(text, want, "%s", name);
}

/* Ordinary files: a write leaves what is longer than it. */
static void test_taking_back(struct arena *a)
{
	struct cgroup_write writes[] = {
		{ .file = "pids.max", .value = "77", .member = "pids.limit" },
		{ .file = "io.max", .value = "8:0 rbps=4096", .member = "blockIO" },
		{ .file = "io.weight", .value = "default 300", .member = "blockIO.weight" },
		{ .file = "io.bfq.weight", .value = "30", .alt_file = "io.other.weight",
		  .alt_value = "8:1 99", .member = "blockIO.weight" },
		{ .file = "missing", .value = "1", .member = "memory.limit" },
	};
	struct oci_config config = { 0 };
	struct cgroup_plan p = {
		.config = &config, .ref = { .dirs = v2_dirs, .n_dirs = 1 },
		.writes = writes, .n_writes = 5,
	};
	struct cgroup_old_value *old = NULL;
	owned_fd dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct cgroup cg = { .ref = { .dirs = v2_dirs, .n_dirs = 1 }, .dirs = { dir } };

	put(dir, "pids.max", "50");
	put(dir, "io.max", "7:0 rbps=1\n8:0 rbps=8192 wbps=max");
	put(dir, "io.weight", "default 100");
	put(dir, "io.other.weight", "default 100");
	ok(cgroup_update_run(&p, &cg, a, &old, &err) < 0, "refused: %s", err.text);
	file_is(dir, "pids.max", "50");
	file_is(dir, "io.weight", "default 100");
	ok(file_read_small(dir, "io.max", (char[256]){ "" }, 256) > 0, "io.max is there");
	file_is(dir, "io.other.weight", "8:1 default");
}

int main(void)
{
	struct arena a = ARENA_INIT;

	if (!mkdtemp(top))
		bail_out("mkdtemp");
	test_devices(&a);
	test_taking_back(&a);
	arena_free(&a);
	return dir_remove_tree(AT_FDCWD, top) < 0 ? EXIT_FAILURE : done();
}
