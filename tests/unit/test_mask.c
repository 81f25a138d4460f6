/* SPDX-License-Identifier: Apache-2.0 */
#include "mask.h"

#include <sys/mount.h>

#include "rootfs.h"
#include "tap.h"

static struct arena arena = ARENA_INIT;
static struct error err;
static struct host host;

static struct oci_config *parse(const char *root, const char *linux_part)
{
	const char *text = arena_printf(&arena, "{\"ociVersion\":\"1.3.0\",%s\"linux\":{%s}}", root,
					linux_part);
	struct oci_config *c;

	err.text[0] = '\0';
	if (oci_config_parse(text, strlen(text), "config.json", &arena, &c, &err) < 0) {
		printf("# %s\n", err.text);
		bail_out("the test's own config");
	}
	return c;
}

static void test_mask(void)
{
	static const char ns[] = "\"namespaces\":[{\"type\":\"mount\"}],";
	struct mask_plan p;

	is_int(mask_compile(
		       parse("",
			     arena_printf(&arena,
					  "%s\"maskedPaths\":[\"/proc/kcore\",\"/proc//kcore/\","
					  "\"/sys/firmware\"],\"readonlyPaths\":[\"/proc/sys\"]",
					  ns)),
		       &host, &arena, &p, &err),
	       0, "paths");
	is_int(p.n_masked, 2, "one given twice is masked once");
	is_str(p.masked[1], "/sys/firmware", "in order");
	is_int(p.n_readonly, 1, "read-only paths");
	ok(mask_compile(
		   parse("", arena_printf(&arena, "%s\"maskedPaths\":[\"/a\",\"proc/kcore\"]", ns)),
		   &host, &arena, &p, &err) < 0 &&
		   strstr(err.text, "linux.maskedPaths[1]"),
	   "a relative path is refused: %s", err.text);
	ok(mask_compile(parse("", arena_printf(&arena, "%s\"readonlyPaths\":[\"/..\"]", ns)), &host,
			&arena, &p, &err) < 0,
	   "the root is refused");
	ok(mask_compile(parse("", "\"maskedPaths\":[\"/a\"]"), &host, &arena, &p, &err) < 0,
	   "refused without a mount namespace");
	is_int(mask_compile(parse("", "\"maskedPaths\":[]"), &host, &arena, &p, &err), 0,
	       "unless there are none");
}

static void test_rootfs(void)
{
	static const char root[] = "\"root\":{\"path\":\"rootfs\",\"readonly\":true},";
	static const char ns[] = "\"namespaces\":[{\"type\":\"mount\"}]";
	struct rootfs_plan p;

	is_int(rootfs_compile(parse(root, ns), &host, &arena, &p, &err), 0, "a root");
	ok(p.readonly && p.first == (MS_SLAVE | MS_REC) && p.last == 0,
	   "the host's tree becomes a slave");
	rootfs_compile(parse(root, arena_printf(&arena, "%s,\"rootfsPropagation\":\"shared\"", ns)),
		       &host, &arena, &p, &err);
	ok(p.shared && p.first == 0 && p.last == MS_SHARED, "unless it is to be shared");
	ok(strstr(p.where_last, "config.json:1:") &&
		   strstr(p.where_last, ": linux.rootfsPropagation"),
	   "with its place: %s", p.where_last);
	rootfs_compile(
		parse(root, arena_printf(&arena, "%s,\"rootfsPropagation\":\"unbindable\"", ns)),
		&host, &arena, &p, &err);
	ok(p.first == (MS_PRIVATE | MS_REC) && p.last == MS_UNBINDABLE,
	   "unbindable is private while we bind");
	ok(rootfs_compile(parse("", ns), &host, &arena, &p, &err) < 0 &&
		   strstr(err.text, "root is missing"),
	   "no root: %s", err.text);
	ok(rootfs_compile(parse(root, "\"namespaces\":[]"), &host, &arena, &p, &err) < 0 &&
	   strstr(err.text, "root.readonly"), "read-only without mount namespace: %s", err.text);
}

int main(void)
{
	test_mask();
	test_rootfs();
	arena_free(&arena);
	return done();
}
