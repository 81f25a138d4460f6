/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_schema.c - which property goes to which member: what all platforms share (config.md).
 * The Linux section is in oci_schema_linux.c, names and their numbers in oci_schema_names.c.
 *
 * Order is the order in which `spec` writes.
 */
#include "oci/oci_schema.h"

#define JSON_TYPE struct oci_root
static const struct json_field root[] = {
	FIELD(path, "path", JSON_REQUIRED),
	FIELD(readonly, "readonly", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_id_mapping
const struct json_field oci_id_mapping_fields[] = {
	FIELD(container_id, "containerID", JSON_REQUIRED | JSON_ID),
	FIELD(host_id, "hostID", JSON_REQUIRED | JSON_ID),
	FIELD(size, "size", JSON_REQUIRED),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_mount
static const struct json_field mount[] = {
	FIELD(destination, "destination", JSON_REQUIRED),
	FIELD(type, "type", JSON_OPTIONAL),
	FIELD(source, "source", JSON_OPTIONAL),
	FIELD(options, "options", JSON_OPTIONAL),
	OTHER_WORD("target", "destination"),
	LIST(uid_mappings, "uidMappings", oci_id_mapping_fields, JSON_OPTIONAL),
	LIST(gid_mappings, "gidMappings", oci_id_mapping_fields, JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_hook
static const struct json_field hook[] = {
	FIELD(path, "path", JSON_REQUIRED),
	FIELD(args, "args", JSON_OPTIONAL),
	FIELD(env, "env", JSON_OPTIONAL),
	FIELD(timeout, "timeout", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_hooks
const struct json_field oci_hooks_fields[] = {
	LIST(prestart, "prestart", hook, JSON_OPTIONAL),
	LIST(create_runtime, "createRuntime", hook, JSON_OPTIONAL),
	LIST(create_container, "createContainer", hook, JSON_OPTIONAL),
	LIST(start_container, "startContainer", hook, JSON_OPTIONAL),
	LIST(poststart, "poststart", hook, JSON_OPTIONAL),
	LIST(poststop, "poststop", hook, JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_box
static const struct json_field box[] = {
	FIELD(height, "height", JSON_REQUIRED),
	FIELD(width, "width", JSON_REQUIRED),
	{ 0 }
};
#undef JSON_TYPE

/* The schema lets uid and gid be absent, and so do engines for root: then they are 0. */
#define JSON_TYPE struct oci_user
static const struct json_field user[] = {
	FIELD(uid, "uid", JSON_ID | JSON_WRITTEN),
	FIELD(gid, "gid", JSON_ID | JSON_WRITTEN),
	FIELD(umask, "umask", JSON_OPTIONAL),
	NUMBERS(additional_gids, "additionalGids", JSON_ID),
	FIELD(username, "username", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_capabilities
static const struct json_field capabilities[] = {
	FIELD(bounding, "bounding", JSON_OPTIONAL),
	FIELD(effective, "effective", JSON_OPTIONAL),
	FIELD(inheritable, "inheritable", JSON_OPTIONAL),
	FIELD(permitted, "permitted", JSON_OPTIONAL),
	FIELD(ambient, "ambient", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_rlimit
static const struct json_field rlimit[] = {
	CHOICE(type, "type", oci_rlimit_types, JSON_REQUIRED),
	FIELD(hard, "hard", JSON_REQUIRED),
	FIELD(soft, "soft", JSON_REQUIRED),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_scheduler
static const struct json_field scheduler[] = {
	CHOICE(policy, "policy", oci_scheduler_policies, JSON_REQUIRED),
	FIELD(nice, "nice", JSON_OPTIONAL),
	FIELD(priority, "priority", JSON_OPTIONAL),
	CHOICES(flags, "flags", oci_scheduler_flags, JSON_OPTIONAL),
	FIELD(runtime, "runtime", JSON_OPTIONAL),
	FIELD(deadline, "deadline", JSON_OPTIONAL),
	FIELD(period, "period", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_io_priority
static const struct json_field io_priority[] = {
	CHOICE(class_, "class", oci_io_priority_classes, JSON_REQUIRED),
	FIELD(priority, "priority", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_exec_cpu_affinity
static const struct json_field exec_cpu_affinity[] = {
	FIELD(initial, "initial", JSON_OPTIONAL),
	FIELD(final, "final", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_process
const struct json_field oci_process_fields[] = {
	FIELD(terminal, "terminal", JSON_OPTIONAL),
	OBJECT(console_size, "consoleSize", box, JSON_OPTIONAL),
	EMBEDDED(user, "user", user, JSON_OPTIONAL),
	FIELD(args, "args", JSON_OPTIONAL),
	FIELD(env, "env", JSON_OPTIONAL),
	FIELD(cwd, "cwd", JSON_REQUIRED),
	OBJECT(capabilities, "capabilities", capabilities, JSON_OPTIONAL),
	LIST(rlimits, "rlimits", rlimit, JSON_OPTIONAL),
	FIELD(no_new_privileges, "noNewPrivileges", JSON_OPTIONAL),
	FIELD(apparmor_profile, "apparmorProfile", JSON_OPTIONAL),
	FIELD(oom_score_adj, "oomScoreAdj", JSON_OPTIONAL),
	OBJECT(scheduler, "scheduler", scheduler, JSON_OPTIONAL),
	FIELD(selinux_label, "selinuxLabel", JSON_OPTIONAL),
	OBJECT(io_priority, "ioPriority", io_priority, JSON_OPTIONAL),
	OBJECT(exec_cpu_affinity, "execCPUAffinity", exec_cpu_affinity, JSON_OPTIONAL),
	FIELD(command_line, "commandLine", JSON_OPTIONAL),
	OTHER_WORD("noNewPrivs", "noNewPrivileges"),
	OTHER_WORD("no_new_privs", "noNewPrivileges"),
	OTHER_WORD("caps", "capabilities"),
	OTHER_WORD("command", "args"),
	OTHER_WORD("environment", "env"),
	OTHER_WORD("workdir", "cwd"),
	OTHER_WORD("workingDir", "cwd"),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_config
const struct json_field oci_config_fields[] = {
	FIELD(oci_version, "ociVersion", JSON_REQUIRED),
	OBJECT(process, "process", oci_process_fields, JSON_OPTIONAL),
	OBJECT(root, "root", root, JSON_OPTIONAL),
	FIELD(hostname, "hostname", JSON_OPTIONAL),
	FIELD(domainname, "domainname", JSON_OPTIONAL),
	LIST(mounts, "mounts", mount, JSON_OPTIONAL),
	OBJECT(hooks, "hooks", oci_hooks_fields, JSON_OPTIONAL),
	PAIRS(annotations, "annotations", JSON_OPTIONAL),
	OBJECT(linux, "linux", oci_linux_fields, JSON_OPTIONAL),
	/* Other platforms' sections may stand in a config; they say nothing about this one. */
	IGNORED("freebsd"),
	IGNORED("solaris"),
	IGNORED("vm"),
	IGNORED("windows"),
	IGNORED("zos"),
	{ 0 }
};
#undef JSON_TYPE
