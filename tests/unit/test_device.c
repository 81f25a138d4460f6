/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tap.h"

static struct arena arena = ARENA_INIT;
static struct device_plan plan;
static struct error err;
static struct host host;

static int compile(const char *devices, const char *mounts, const char *namespaces)
{
	const char *text = arena_printf(&arena, "{\"ociVersion\":\"1.3.0\",\"mounts\":[%s],"
					"\"linux\":{\"devices\":[%s],\"namespaces\":[%s]}}",
					mounts, devices, namespaces);
	struct oci_config *c;

	err.text[0] = '\0';
	if (oci_config_parse(text, strlen(text), "config.json", &arena, &c, &err) < 0) {
		printf("# %s\n", err.text);
		bail_out("the test's own config");
	}
	return device_compile(c, &host, &arena, &plan, &err);
}

static const struct device_node *node(const char *path)
{
	for (size_t i = 0; i < plan.n; i++)
		if (strcmp(plan.nodes[i].path, path) == 0)
			return &plan.nodes[i];
	return NULL;
}

static void refused(const char *devices, const char *words)
{
	int r = compile(devices, "", "");

	ok(r < 0 && strstr(err.text, words), "refused: %s", err.text);
}

static void test_defaults(void)
{
	is_int(compile("", "", "{\"type\":\"mount\"}"), 0, "no devices");
	is_int(plan.n, 6, "six defaults");
	ok(node("/dev/null") && node("/dev/null")->rdev == makedev(1, 3), "null is 1:3");
	is_str(node("/dev/tty")->name, "tty", "its name below /dev");
	is_int(node("/dev/zero")->mode, 0666, "everybody's");
	ok(!plan.bind && !plan.left_alone && plan.mount_namespace, "made by mknod");
	compile("", "", "{\"type\":\"user\"}");
	ok(plan.bind, "bound in a user namespace");
	host.in_userns = true;
	compile("", "", "");
	ok(plan.bind, "or when the caller is in one");
	host.in_userns = false;
}

static void test_explicit(void)
{
	is_int(compile("{\"path\":\"/dev/"
		       "null\",\"type\":\"c\",\"major\":1,\"minor\":3,\"fileMode\":384,\"uid\":7,"
		       "\"gid\":8},{\"path\":\"/dev//a/b\",\"type\":\"b\",\"major\":8,\"minor\":0},"
		       "{\"path\":\"/f\",\"type\":\"p\",\"major\":8,\"minor\":666},"
		       "{\"path\":\"/dev/ptmx\",\"type\":\"c\",\"major\":5,\"minor\":2}",
		       "", ""),
	       0, "devices");
	is_int(plan.n, 8, "a default given in the config is there once, ptmx not at all");
	ok(node("/dev/null")->mode == 0600 && node("/dev/null")->uid == 7 &&
		   node("/dev/null")->gid == 8,
	   "as the config says");
	ok(node("/dev/a/b")->type == S_IFBLK && !node("/dev/a/b")->name, "deeper in /dev");
	ok(node("/f")->type == S_IFIFO && node("/f")->rdev == 0, "a fifo has no number");
}

static void test_refusals(void)
{
	refused("{\"path\":\"dev/x\",\"type\":\"c\",\"major\":1,\"minor\":3}", "absolute");
	refused("{\"path\":\"/dev/../../x\",\"type\":\"c\",\"major\":1,\"minor\":3}", "\"..\"");
	refused("{\"path\":\"/dev/x\",\"type\":\"c\"}", "needs major and minor");
	refused("{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":4096,\"minor\":3}",
		"linux.devices[0].major");
	refused("{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":1,\"minor\":-1}", "minor");
}

static void test_bound_dev(void)
{
	compile("", "{\"destination\":\"/dev/\",\"type\":\"bind\",\"source\":\"/dev\"}", "");
	ok(plan.left_alone, "a bound /dev is left alone");
	compile("",
		"{\"destination\":\"/dev\",\"type\":\"none\",\"source\":\"/"
		"dev\",\"options\":[\"rbind\"]}",
		"");
	ok(plan.left_alone, "also by option");
	compile("", "{\"destination\":\"/dev\",\"type\":\"tmpfs\"}", "");
	ok(!plan.left_alone, "a tmpfs is not");
}

int main(void)
{
	test_defaults();
	test_explicit();
	test_refusals();
	test_bound_dev();
	arena_free(&arena);
	return done();
}
