/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each rule by a configuration that breaks it alone: a good configuration whose parts the rows
 * replace.
 */
#include "oci/oci.h"

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

/* where: "" members of the top, "process", "linux", "resources" or "seccomp". */
static const char *config_of(const char *where, const char *text)
{
	bool top = !*where, process = !strcmp(where, "process"),
	     linux_part = !strcmp(where, "linux");
	bool resources = !strcmp(where, "resources"), seccomp = !strcmp(where, "seccomp");

	return arena_printf(&arena,
			    "{%s%s\"root\":{\"path\":\"r\"},\"process\":{%s%s},\"linux\":{%s%s%s%s%"
			    "s%s\"mountLabel\":\"\"}}",
			    top ? text : "", top ? "," : "\"ociVersion\":\"1.0.0\",",
			    process ? text : "\"cwd\":\"/\",\"args\":[\"sh\"]", "",
			    linux_part ? text : "", linux_part ? "," : "",
			    resources ? "\"resources\":{"
			    : seccomp ? "\"seccomp\":{"
				      : "",
			    resources || seccomp ? text : "", resources || seccomp ? "}" : "",
			    resources || seccomp ? "," : "");
}

static int check(const char *where, const char *text)
{
	const char *config = config_of(where, text);
	struct oci_config *c;

	error.text[0] = warning[0] = '\0';
	if (oci_config_parse(config, strlen(config), "c", &arena, &c, &error) < 0)
		return -1;
	return oci_config_check(c, &error);
}

#define V "\"ociVersion\":\"1.0.0\","
#define P "\"cwd\":\"/\",\"args\":[\"a\"],"
#define NS(type) "\"namespaces\":[{\"type\":\"" type "\"}]"
#define MAP1 "[{\"containerID\":0,\"hostID\":1000,\"size\":10}]"

/* error: a part of the message; NULL: no error. */
struct row {
	const char *where, *text, *error;
};

#define NAME_51 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define NAME_255 NAME_51 NAME_51 NAME_51 NAME_51 NAME_51

static const struct row top_rows[] = {
	{ "", "\"ociVersion\":\"1.2.3-rc.1+b.5\"", NULL },
	{ "", "\"ociVersion\":\"1.0.2-dev\"", NULL },
	{ "", "\"ociVersion\":\"invalid\"", "ociVersion: \"invalid\" is not a version" },
	{ "", "\"ociVersion\":\"\"", "is not a version" },
	{ "", "\"ociVersion\":\"1.0\"", "is not a version" },
	{ "", "\"ociVersion\":\"1.0.0-\"", "is not a version" },
	{ "", "\"ociVersion\":\"01.0.0\"", "is not a version" },
	{ "", "\"ociVersion\":\"1.0.0 \"", "is not a version" },
	{ "", "\"ociVersion\":\"9.9.9\"", "version 9.9.9 is not supported" },
	{ "", "\"ociVersion\":\"0.6.0\"", "not supported" },
	{ "", V "\"hostname\":\"h\"", "hostname: a hostname needs a uts namespace" },
	{ "", V "\"hostname\":\"\"", NULL },
	{ "", V "\"domainname\":\"h\"", "domainname: a domainname needs a uts namespace" },
	{ "", V "\"annotations\":{\"\":\"x\"}",
	  "annotations[\"\"]: the name of an annotation is empty" },
	{ "", V "\"mounts\":[{\"destination\":\"\"}]",
	  "mounts[0].destination: the destination is empty" },
	{ "", V "\"mounts\":[{\"destination\":\"/a\",\"uidMappings\":" MAP1 "}]",
	  "must be set together" },
	{ "", V "\"mounts\":[{\"destination\":\"/a\",\"options\":[\"idmap\"]}]",
	  "or a user namespace to take" },
	{ "",
	  V "\"mounts\":[{\"destination\":\"/a\",\"options\":[\"idmap\"],\"uidMappings\":" MAP1
	    ",\"gidMappings\":" MAP1 "}]",
	  NULL },
	{ "", V "\"hooks\":{\"poststop\":[{\"path\":\"rel\"}]}",
	  "hooks.poststop[0].path: path \"rel\" is not" },
	{ "", V "\"hooks\":{\"prestart\":[{\"path\":\"/h\",\"timeout\":0}]}", "must be above 0" },
	{ "", V "\"hooks\":{\"prestart\":[{\"path\":\"/h\",\"env\":[\"A\"]}]}",
	  "env[0]: \"A\" has no '='" },
};

static const struct row process_rows[] = {
	{ "process", "\"cwd\":\"a\",\"args\":[\"a\"]",
	  "process.cwd: working directory \"a\" is not" },
	{ "process", "\"cwd\":\"/\"", "args must not be empty" },
	{ "process", "\"cwd\":\"/\",\"args\":[]", "process.args: args must not be empty" },
	{ "process", "\"cwd\":\"/\",\"args\":[\"\"]",
	  "process.args[0]: exec: \"\": executable file not found in $PATH (the program's name "
	  "is empty)" },
	{ "process", P "\"env\":[\"A=1\",\"B=\",\"C\"]", "process.env[2]: \"C\" has no '='" },
	{ "process", P "\"env\":[\"=1\"]", "has no name" },
	{ "process", P "\"user\":{\"umask\":512}",
	  "process.user.umask: umask 512 is out of range" },
	{ "process", P "\"oomScoreAdj\":1001", "out of range (-1000 to 1000)" },
	{ "process", P "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":2,\"hard\":1}]",
	  "process.rlimits[0].soft: soft limit 2 is above hard limit 1" },
	{ "process",
	  P "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":1,\"hard\":1},"
	    "{\"type\":\"RLIMIT_CORE\",\"soft\":1,\"hard\":1}]",
	  "rlimits[1].type: RLIMIT_CORE is set twice" },
	{ "process", P "\"scheduler\":{\"policy\":\"SCHED_FIFO\"}",
	  "needs a priority from 1 to 99" },
	{ "process", P "\"scheduler\":{\"policy\":\"SCHED_FIFO\",\"priority\":50}", NULL },
	{ "process", P "\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"priority\":50}",
	  "priority is for" },
	{ "process", P "\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"nice\":20}", "(-20 to 19)" },
	{ "process", P "\"scheduler\":{\"policy\":\"SCHED_DEADLINE\"}",
	  "needs runtime and deadline" },
	{ "process", P "\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"runtime\":3,\"deadline\":2}",
	  "runtime <= deadline <= period" },
	{ "process", P "\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"runtime\":1,\"deadline\":2}",
	  NULL },
	{ "process", P "\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"runtime\":1}",
	  "are for SCHED_DEADLINE" },
	{ "process", P "\"scheduler\":{\"policy\":\"SCHED_ISO\"}", "never gave a meaning" },
	{ "process", P "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":8}",
	  "(0 to 7)" },
	{ "process", P "\"execCPUAffinity\":{\"initial\":\"0-3, 7\",\"final\":\"\"}", NULL },
	{ "process", P "\"execCPUAffinity\":{\"initial\":\"3-1\"}", "initial: \"3-1\" is no list" },
	{ "process", P "\"execCPUAffinity\":{\"final\":\"1,\"}", "final: \"1,\" is no list" },
};

static const struct row linux_rows[] = {
	{ "linux", "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\"}]",
	  "type pid is there twice" },
	{ "linux", "\"namespaces\":[{\"type\":\"pid\",\"path\":\"x\"}]",
	  "path \"x\" is not absolute" },
	{ "linux", "\"uidMappings\":" MAP1,
	  "linux.uidMappings: uidMappings need a user namespace" },
	{ "linux", "\"gidMappings\":" MAP1, "gidMappings need a user namespace" },
	{ "linux", NS("user") ",\"uidMappings\":" MAP1 ",\"gidMappings\":" MAP1, NULL },
	{ "linux", NS("user") ",\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":0}]",
	  "no ids" },
	{ "linux",
	  NS("user") ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":4294967295}]",
	  "beyond id 4294967294" },
	{ "linux",
	  NS("user") ",\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":4294967295}]",
	  NULL },
	{ "linux",
	  NS("user") ",\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":10},"
		     "{\"containerID\":9,\"hostID\":100,\"size\":1}]",
	  "container ids from 9 overlap those from 0" },
	{ "linux",
	  NS("user") ",\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":10},"
		     "{\"containerID\":10,\"hostID\":5,\"size\":1}]",
	  "host ids from 5 overlap those from 0" },
	{ "linux", "\"timeOffsets\":{\"boottime\":{\"secs\":1}}", "need a time namespace" },
	{ "linux", NS("time") ",\"timeOffsets\":{\"boottime\":{\"secs\":-1}}", NULL },
	{ "linux", NS("time") ",\"timeOffsets\":{\"boottime\":{\"nanosecs\":1000000000}}",
	  "out of range" },
	{ "linux", "\"devices\":[{\"path\":\"dev\",\"type\":\"p\"}]",
	  "path \"dev\" is not absolute" },
	{ "linux", "\"devices\":[{\"path\":\"/dev/../x\",\"type\":\"p\"}]", "has a \"..\" in it" },
	{ "linux", "\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":1}]",
	  "needs major and minor" },
	{ "linux", "\"devices\":[{\"path\":\"/dev/x\",\"type\":\"b\",\"major\":4096,\"minor\":0}]",
	  "devices[0].major: 4096 is out of range" },
	{ "linux", "\"devices\":[{\"path\":\"/dev/x\",\"type\":\"p\"}]", NULL },
	{ "linux", "\"netDevices\":{\"eth0\":{}}", "need a network namespace" },
	{ "linux", NS("network") ",\"netDevices\":{\"eth0\":{\"name\":\"e%d\"}}", NULL },
	{ "linux", NS("network") ",\"netDevices\":{\"a/b\":{}}", "\"a/b\" is no name" },
	{ "linux", NS("network") ",\"netDevices\":{\"eth0\":{\"name\":\"0123456789abcdef\"}}",
	  "is no name" },
	{ "linux", NS("network") ",\"netDevices\":{\"eth0\":{\"name\":\"a%s\"}}", "is no name" },
	{ "linux", NS("network") ",\"netDevices\":{\"a\":{\"name\":\"x\"},\"b\":{\"name\":\"x\"}}",
	  "two devices would be named \"x\"" },
	{ "linux", "\"sysctl\":{\"net.ipv4.conf.eth0/1.x\":\"1\"}", NULL },
	{ "linux", "\"sysctl\":{\"../x\":\"1\"}",
	  "linux.sysctl[\"../x\"]: \"../x\" is no name of a sysctl" },
	{ "linux", "\"sysctl\":{\"a..b\":\"1\"}", "is no name of a sysctl" },
	{ "linux", "\"sysctl\":{\"\":\"1\"}", "is no name of a sysctl" },
	{ "linux", "\"cgroupsPath\":\"/a/../../b\"",
	  "linux.cgroupsPath: path \"/a/../../b\" has a \"..\"" },
	{ "linux", "\"cgroupsPath\":\"a.slice:b:c\"", NULL },
	{ "linux", "\"cgroupsPath\":\"/\"", "linux.cgroupsPath: \"/\" is the root" },
	{ "linux", "\"cgroupsPath\":\"//./\"", "is the root of the cgroup hierarchy" },
	{ "linux", "\"cgroupsPath\":\"/...\"", NULL },
	{ "linux", "\"cgroupsPath\":\"/a/" NAME_255 "\"", NULL },
	{ "linux", "\"cgroupsPath\":\"/a/" NAME_255 "x/b\"",
	  "linux.cgroupsPath: a component is longer than 255 bytes" },
	{ "linux", "\"rootfsPropagation\":\"\"", NULL },
	{ "linux", "\"namespaces\":[{\"type\":\"pid\",\"path\":\"\"}]", NULL },
	{ "linux", "\"maskedPaths\":[\"/a\",\"b\"]",
	  "linux.maskedPaths[1]: path \"b\" is not absolute" },
	{ "linux", "\"readonlyPaths\":[\"b\"]", "linux.readonlyPaths[0]" },
	{ "linux", "\"intelRdt\":{\"closID\":\"/\"}", "intelRdt: Intel RDT is not supported" },
	{ "linux", "\"intelRdt\":{\"closID\":\"../x\"}", "is no name of a directory" },
	{ "linux", "\"intelRdt\":{\"memBwSchema\":\"L3:0=1\"}", "must start with \"MB:\"" },
	{ "linux", "\"intelRdt\":{\"schemata\":[\"a\\nb\"]}", "schemata[0]: a schema is one line" },
	{ "linux", "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\"}", "MPOL_BIND needs nodes" },
	{ "linux", "\"memoryPolicy\":{\"mode\":\"MPOL_LOCAL\",\"nodes\":\"0\"}", "takes no nodes" },
	{ "linux",
	  "\"memoryPolicy\":{\"mode\":\"MPOL_DEFAULT\",\"flags\":[\"MPOL_F_STATIC_NODES\"]}",
	  "takes no flags" },
	{ "linux",
	  "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":"
	  "[\"MPOL_F_STATIC_NODES\",\"MPOL_F_RELATIVE_NODES\"]}",
	  "exclude each other" },
	{ "linux", "\"personality\":{\"domain\":\"LINUX32\",\"flags\":[\"X\"]}",
	  "no personality flags" },
};

static const struct row resource_rows[] = {
	{ "resources", "\"devices\":[{\"allow\":true,\"access\":\"rx\"}]",
	  "access: \"rx\" has other" },
	{ "resources", "\"devices\":[{\"allow\":true,\"type\":\"c\",\"major\":-2}]",
	  "nor -1 for all" },
	{ "resources", "\"devices\":[{\"allow\":true,\"type\":\"c\",\"major\":1099511627776}]",
	  "devices[0].major: 1099511627776 is no major number" },
	{ "resources", "\"devices\":[{\"allow\":true,\"type\":\"c\",\"minor\":4294967296}]",
	  "devices[0].minor: 4294967296 is no minor number" },
	{ "resources", "\"devices\":[{\"allow\":true,\"type\":\"c\",\"minor\":4294967295}]",
	  NULL },
	{ "resources", "\"memory\":{\"swappiness\":101}", "(0 to 100)" },
	{ "resources", "\"memory\":{\"limit\":10,\"swap\":9}", "are less than memory (10)" },
	{ "resources", "\"memory\":{\"limit\":10,\"swap\":-1}", NULL },
	{ "resources", "\"cpu\":{\"cpus\":\"x\"}", "cpu.cpus: \"x\" is no list" },
	{ "resources", "\"cpu\":{\"cpus\":\"0-31:2/4, 40\",\"mems\":\"0-3:0/1\"}", NULL },
	{ "resources", "\"cpu\":{\"cpus\":\"0-31:5/4\"}", "cpu.cpus: \"0-31:5/4\" is no list" },
	{ "resources", "\"cpu\":{\"cpus\":\"0-31:0/0\"}", "is no list" },
	{ "resources", "\"cpu\":{\"cpus\":\"3:1/2\"}", "is no list" },
	{ "resources", "\"cpu\":{\"cpus\":\"0-31:2\"}", "is no list" },
	{ "resources", "\"cpu\":{\"quota\":5,\"burst\":6}", "burst 6 is above quota 5" },
	{ "resources", "\"cpu\":{\"idle\":2}", "neither 0 nor 1" },
	{ "resources", "\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0}]}",
	  "linux.resources.blockIO.weightDevice[0]: needs weight or leafWeight" },
	{ "resources", "\"hugepageLimits\":[{\"pageSize\":\"64kB\",\"limit\":1}]", "no page size" },
	{ "resources", "\"rdma\":{\"m\":{}}",
	  "linux.resources.rdma.m: needs hcaHandles or hcaObjects" },
	{ "resources", "\"unified\":{\"../x\":\"1\"}", "is no name of a cgroup file" },
	{ "resources", "\"unified\":{\"memory\":\"1\"}",
	  "unified.memory: unified resource \"memory\" must be in the form" },
	{ "resources", "\"unified\":{\".max\":\"1\"}", "must be in the form" },
	{ "seccomp", "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38", NULL },
	{ "seccomp", "\"defaultAction\":\"SCMP_ACT_KILL\",\"defaultErrnoRet\":38",
	  "seccomp.defaultErrnoRet: SCMP_ACT_KILL returns no errno" },
	{ "seccomp", "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":4096",
	  "(0 to 4095)" },
	{ "seccomp", "\"defaultAction\":\"SCMP_ACT_NOTIFY\"", "cannot be the default" },
	{ "seccomp", "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerMetadata\":\"x\"",
	  "needs a listenerPath" },
	{ "seccomp",
	  "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],"
	  "\"action\":\"SCMP_ACT_NOTIFY\"}]",
	  "SCMP_ACT_NOTIFY needs a listenerPath" },
	{ "seccomp",
	  "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/s\",\"syscalls\":[{\"names\":"
	  "[\"a\",\"write\"],\"action\":\"SCMP_ACT_NOTIFY\"}]",
	  "names[1]: SCMP_ACT_NOTIFY cannot be used" },
	{ "seccomp",
	  "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[],"
	  "\"action\":\"SCMP_ACT_LOG\"}]",
	  "syscalls[0].names: must name at least one" },
	{ "seccomp",
	  "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"action\":"
	  "\"SCMP_ACT_LOG\",\"args\":[{\"index\":6,\"value\":0,\"op\":\"SCMP_CMP_EQ\"}]}]",
	  "(0 to 5)" },
};

static void run_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int ret = check(rows[i].where, rows[i].text);
		bool good = rows[i].error ? ret < 0 && strstr(error.text, rows[i].error) : ret == 0;

		if (!ok(good, "%s", rows[i].text))
			printf("#  got: %s\n# want: %s\n", error.text,
			       rows[i].error ? rows[i].error : "");
	}
}

#define RUN(rows) run_rows(rows, sizeof(rows) / sizeof((rows)[0]))

static void test_warnings(void)
{
	is_int(check("", "\"ociVersion\":\"1.9.0\""), 0, "a newer minor version is taken");
	ok(strstr(warning, "ociVersion: version 1.9.0 is newer"), "with a warning");
	is_int(check("", V "\"mounts\":[{\"destination\":\"a\"}]"), 0,
	       "a relative destination is taken");
	ok(strstr(warning, "mounts[0].destination: relative destination \"a\""), "with a warning");
	check("", V "\"annotations\":{\"run.oci.handler\":\"wasm\"}");
	ok(strstr(warning, "annotations[\"run.oci.handler\"]: not carried out"), "%s", warning);
	check("", V "\"annotations\":{\"run.oci.timens_offset\":\"1\"}");
	ok(strstr(warning, "not carried out: use linux.timeOffsets"), "%s", warning);
	check("", V "\"annotations\":{\"run.oci.keep_original_groups\":\"1\",\"a\":\"b\"}");
	is_str(warning, "", "annotations that are carried out, or that ask for nothing");
	check("", V "\"annotations\":{\"run.oci.mount_context_type\":\"context\","
		  "\"run.oci.seccomp_fail_unknown_syscall\":\"0\"}");
	is_str(warning, "", "annotations that ask for what is done anyway");
	check("", V "\"annotations\":{\"run.oci.mount_context_type\":\"rootcontext\"}");
	ok(strstr(warning, "mount_context_type\"]: not carried out"), "%s", warning);
	check("linux", "\"rootfsPropagation\":\"rslave\"");
	ok(strstr(warning, "rootfsPropagation: has no effect without a mount"), "%s", warning);
	check("linux", NS("mount") ",\"rootfsPropagation\":\"rslave\"");
	is_str(warning, "", "with one it has");
	check("seccomp", "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":["
			 "\"SECCOMP_FILTER_FLAG_LOG\","
			 "\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"]");
	ok(strstr(warning, "flags[1]: has no effect without SCMP_ACT_NOTIFY"), "%s", warning);
	check("process", P "\"noNewPrivs\":true");
	ok(strstr(warning, "noNewPrivs: unknown member, did you mean \"noNewPrivileges\"?"), "%s",
	   warning);
}

static void count(void *ctx, const struct json_finding *f)
{
	(void)f;
	++*(int *)ctx;
}

static void test_collector(void)
{
	static const char text[] =
		"{\"ociVersion\":\"9.0.0\",\"hostname\":\"a\",\"process\":{\"cwd\":3},"
		"\"linux\":{\"cgroupsPath\":\"..\"}}";
	int n = 0;
	struct json_doc doc = { .name = "c", .text = text, .len = strlen(text), .arena = &arena,
				.collect = count, .collect_ctx = &n };
	struct oci_config *c;

	ok(oci_config_parse_doc(&doc, &arena, &c, &error) < 0, "read with errors");
	is_int(n, 1, "of the reader");
	ok(oci_config_check(c, &error) < 0, "checked all the same");
	is_int(n, 6, "every rule that is broken is told");
	is_str(error.text, "c:1:55: process.cwd: must be a string, not a number",
	       "the first stays");
}

int main(void)
{
	log_set_sink(take_warning, NULL, LOG_LEVEL_WARNING);
	RUN(top_rows);
	RUN(process_rows);
	RUN(linux_rows);
	RUN(resource_rows);
	test_warnings();
	test_collector();
	arena_free(&arena);
	return done();
}
