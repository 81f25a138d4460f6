/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci.h"

#include <linux/audit.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "base/log.h"

#include "tap.h"

static struct arena arena;
static struct error error;
static char warning[512];

static void take_warning(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	snprintf(warning, sizeof(warning), "%s", text);
}

static struct oci_config *parse(const char *text)
{
	struct oci_config *c;

	error.text[0] = warning[0] = '\0';
	return oci_config_parse(text, strlen(text), "config.json", &arena, &c, &error) < 0 ? NULL
											   : c;
}

/* Written with every member of a kind that is easily got wrong. */
static void test_parse(void)
{
	static const char text[] =
		"{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"rootfs\"},\n"
		"\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"],\"user\":{\"uid\":1,\"umask\":18,"
		"\"additionalGids\":[5,6]},\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":2,"
		"\"soft\":1}]},\n"
		"\"annotations\":{\"a.b\":\"c\"},\n"
		"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"time\",\"path\":\"/"
		"t\"}],\n"
		"\"devices\":[{\"path\":\"/dev/x\",\"type\":\"u\",\"major\":1,\"minor\":2}],\n"
		"\"rootfsPropagation\":\"rslave\",\"rdma\":null,\n"
		"\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}],"
		"\"hugepageLimits\":"
		"[{\"pagesize\":\"2MB\",\"limit\":1}],\"rdma\":{\"mlx\":{\"hcaHandles\":1}}},\n"
		"\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_"
		"X32\","
		"\"SCMP_ARCH_X86_64\"],\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_"
		"ALLOW\","
		"\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]}}}";
	struct oci_config *c = parse(text);
	const struct oci_linux *l;

	if (!ok(c, "a configuration is read"))
		bail_out(error.text);
	l = c->linux;
	is_int(c->process->user.n_additional_gids, 2, "additional groups");
	ok(*c->process->user.umask == 18 && c->process->user.uid == 1, "user");
	is_int(c->process->rlimits[0].type, RLIMIT_NOFILE, "rlimit");
	is_int(l->namespaces[0].type, CLONE_NEWPID, "namespace");
	is_str(oci_namespace_find(c, CLONE_NEWTIME)->path, "/t", "is found");
	ok(!oci_namespace_find(c, CLONE_NEWNET), "another is not");
	is_str(oci_annotation(c, "a.b"), "c", "annotation");
	ok(!oci_annotation(c, "a"), "another is not there");
	is_int(l->devices[0].type, 'c', "device type u is c");
	is_int(*l->rootfs_propagation, MS_SLAVE | MS_REC, "propagation");
	is_str(l->resources->hugepage_limits[0].page_size, "2MB", "pagesize in lower case");
	is_str(l->resources->rdma[0].key, "mlx", "rdma by key");
	is_int(l->seccomp->architectures[0], OCI_ARCH_X32, "x32");
	is_int(l->seccomp->architectures[1], AUDIT_ARCH_X86_64, "x86_64");
	is_int(l->seccomp->syscalls[0].args[0].op, 7, "operators have libseccomp's numbers");
	ok(l->seccomp->source.text[0] == '{' &&
	   l->seccomp->source.text[l->seccomp->source.len - 1] == '}', "the text of seccomp");
	oci_error(c, &l->seccomp->syscalls[0].names[0], &error, "no such call");
	is_str(error.text, "config.json:8:120: linux.seccomp.syscalls[0].names[0]: no such call",
	       "an error about a member");
	oci_error(c, &l->cgroups_path, &error, "needed");
	is_str(error.text, "config.json: needed", "an error about an absent member");
}

static void test_errors(void)
{
	static const struct { const char *text, *error;
	} rows[] = {
		{ "{}", "config.json:1:1: \"ociVersion\" is required" },
		{ "{\"ociVersion\":1}",
		  "config.json:1:15: ociVersion: must be a string, not a number" },
		{ "{\"ociVersion\":\"1.0.0\",\"process\":{\"user\":{\"uid\":4294967295},\"cwd\":\"/"
		  "\"}}",
		  "config.json:1:48: process.user.uid: 4294967295 is out of range (0 to "
		  "4294967294)" },
		{ "{\"ociVersion\":\"1.0.0\",\"process\":{}}",
		  "config.json:1:33: process: \"cwd\" is required" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ok(!parse(rows[i].text), "refused: %s", rows[i].text);
		is_str(error.text, rows[i].error, "and told");
	}
	ok(!parse("{\"ociVersion\":\"1.0.0\",\"linux\":{\"namespaces\":[{\"type\":\"nett\"}]}}"),
	   "namespace");
	ok(strstr(error.text,
		  "linux.namespaces[0].type: unknown value \"nett\" (known: cgroup, ipc, "),
	   "the names are told");
	ok(parse("{\"ociVersion\":\"1.0.0\",\"windows\":{\"x\":[1]}}") &&
	   strstr(warning, "windows: is ignored: it is for another platform"),
	   "another platform");
}

static void test_default(bool rootless)
{
	struct oci_config *c = oci_default(&arena, rootless, 1000, 1001), *again;
	struct json_out out, second;

	is_int(oci_config_check(c, &error), 0, "the default breaks no rule");
	json_out_begin(&out, &arena, 4);
	json_out_object(&out, oci_config_fields, c);
	again = parse(json_out_text(&out));
	if (!ok(again, "it is read again: %s", error.text))
		return;
	is_str(warning, "", "without a warning");
	is_int(oci_config_check(again, &error), 0, "and breaks no rule");
	json_out_begin(&second, &arena, 4);
	json_out_object(&second, oci_config_fields, again);
	is_str(json_out_text(&second), json_out_text(&out), "and is the same");
	ok(c->process->terminal && c->root->readonly, "terminal, read-only root");
	ok(!oci_namespace_find(c, CLONE_NEWNET) == rootless, "network");
	ok(!oci_namespace_find(c, CLONE_NEWUSER) == !rootless, "user");
	ok(!c->linux->resources == rootless, "resources");
	if (rootless)
		ok(c->linux->uid_mappings[0].host_id == 1000 &&
			   c->linux->gid_mappings[0].host_id == 1001 &&
			   !strstr(json_out_text(&out), "gid=5"),
		   "the caller's ids alone");
}

static void test_parts(void)
{
	static const char process[] = "{\"cwd\":\"/\",\"args\":[\"x\"]}";
	static const char resources[] = "{\"pids\":{\"limit\":-1},\"memory\":{\"swap\":-1}}";
	struct json_doc doc = {
		.name = "p", .text = process, .len = strlen(process), .arena = &arena,
	};
	struct oci_process *p;
	struct oci_resources *r;

	is_int(oci_process_parse(&doc, &p, &error), 0, "process.json");
	is_int(oci_process_check(p, &doc, &error), 0, "breaks no rule");
	p->args[0] = arena_strdup(&arena, "");
	oci_process_check(p, &doc, &error);
	is_str(error.text, "p:1:20: args[0]: exec: \"\": executable file not found in $PATH (the "
	       "program's name is empty)", "a rule");
	doc.text = resources;
	doc.len = strlen(resources);
	is_int(oci_resources_parse(&doc, &r, &error), 0, "resources.json");
	is_int(oci_resources_check(r, &doc, &error), 0, "breaks no rule");
	ok(*r->pids->limit == -1 && *r->memory->swap == -1, "values");
}

/* The options in a text, one a line. */
static const char *options_in(const char *type, const char *text)
{
	struct oci_mount m = { .type = arena_strdup(&arena, type) };
	const char *all = "", *next;

	for (; text; text = next) {
		size_t len = oci_mount_option(&m, text, &next);

		all = arena_printf(&arena, "%s%.*s\n", all, (int)len, text);
	}
	return all;
}

static void test_mount_options(void)
{
	char *options[] = { arena_strdup(&arena, "size=1m,ro"), arena_strdup(&arena, "x=bind"),
			    NULL };
	struct oci_mount m = { .options = options };

	is_str(options_in("tmpfs", "size=1m,mode=700,noswap"), "size=1m\nmode=700\nnoswap\n",
	       "several options in one text");
	is_str(options_in("tmpfs", ",size=1m,,ro,"), "\nsize=1m\n\nro\n\n", "and empty ones");
	is_str(options_in("tmpfs", "mpol=bind:0,2-3,size=1m"), "mpol=bind:0,2-3\nsize=1m\n",
	       "a number is part of a list");
	is_str(options_in("overlay", "lowerdir=/a:/b,upperdir=/c,workdir=/d,userxattr"),
	       "lowerdir=/a:/b\nupperdir=/c\nworkdir=/d\nuserxattr\n", "overlay");
	is_str(options_in("overlay", "lowerdir=/a\\,b\\:c,upperdir=/d\\\\,volatile"),
	       "lowerdir=/a\\,b\\:c\nupperdir=/d\\\\\nvolatile\n", "what is escaped is no end");
	is_str(options_in("overlay", "lowerdir=/a,b/c:/d,1"), "lowerdir=/a,b/c:/d,1\n",
	       "nor what no option follows");
	is_str(options_in("tmpfs", "context=u:r:t:s0:c1,c2.c9,ro"),
	       "context=u:r:t:s0:c1,c2.c9\nro\n", "a label's categories");
	is_str(options_in("tmpfs", "context=\"u:r:t:s0:a,b\",ro"),
	       "context=\"u:r:t:s0:a,b\"\nro\n", "a label in quotes");
	is_str(options_in("cifs", "pass=a,ro=b"), "pass=a,ro=b\n", "a password is not cut");
	ok(oci_mount_has(&m, "ro") && !oci_mount_has(&m, "size") && !oci_mount_has(&m, "bind"),
	   "an option is found as a whole");
}

int main(void)
{
	log_set_sink(take_warning, NULL, LOG_LEVEL_WARNING);
	test_parse();
	test_errors();
	test_default(false);
	test_default(true);
	test_parts();
	test_mount_options();
	arena_free(&arena);
	return done();
}
