/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci.h - the runtime configuration (runtime-spec 1.3) as plain structs.
 *
 * A member has the name of its JSON property in snake_case.  A pointer is optional, NULL meaning
 * "absent"; a list is a pointer and a count `n_<member>`; a list of strings is a NULL-terminated
 * `char **` (NULL = absent). Everything lives in the arena given to the reader.  oci_schema.c has
 * the tables that map the properties.
 */
#ifndef KIST_OCI_H
#define KIST_OCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "json/json.h"

#define OCI_VERSION "1.3.0"

/*
 * The most bytes that a configuration, a process or a resources document, and the record of a
 * container may have: a hundred times what engines write.
 */
#define OCI_TEXT_MAX (16u << 20)

/* Map of string to string (annotations, sysctl, unified). */
struct oci_pair {
	char *key;
	char *value;
};

struct oci_root {
	char *path;
	bool readonly;
};

struct oci_id_mapping {
	char whole;			/* see JSON_LIST */
	uint32_t container_id;
	uint32_t host_id;
	uint32_t size;
};

struct oci_mount {
	char *destination;
	char *type;
	char *source;
	char **options;
	struct oci_id_mapping *uid_mappings;
	size_t n_uid_mappings;
	struct oci_id_mapping *gid_mappings;
	size_t n_gid_mappings;
};

struct oci_hook {
	char *path;
	char **args;
	char **env;
	int64_t *timeout;		/* seconds, > 0 */
};

struct oci_hooks {
	struct oci_hook *prestart;
	size_t n_prestart;
	struct oci_hook *create_runtime;
	size_t n_create_runtime;
	struct oci_hook *create_container;
	size_t n_create_container;
	struct oci_hook *start_container;
	size_t n_start_container;
	struct oci_hook *poststart;
	size_t n_poststart;
	struct oci_hook *poststop;
	size_t n_poststop;
};

struct oci_box {
	uint32_t height;
	uint32_t width;
};

struct oci_user {
	uint32_t uid;
	uint32_t gid;
	uint32_t *umask;
	uint32_t *additional_gids;
	size_t n_additional_gids;
	char *username;			/* Windows only; known so that it is no "unknown member" */
};

struct oci_capabilities {
	char **bounding;
	char **effective;
	char **inheritable;
	char **permitted;
	char **ambient;
};

struct oci_rlimit {
	int type;			/* RLIMIT_* */
	uint64_t hard;
	uint64_t soft;
};

struct oci_scheduler {
	int policy;			/* SCHED_* of the kernel */
	int32_t *nice;
	int32_t *priority;
	int *flags;			/* SCHED_FLAG_* each */
	size_t n_flags;
	uint64_t *runtime;
	uint64_t *deadline;
	uint64_t *period;
};

struct oci_io_priority {
	int class_;			/* IOPRIO_CLASS_* */
	int32_t *priority;
};

struct oci_exec_cpu_affinity {
	char *initial;
	char *final;
};

struct oci_process {
	bool terminal;
	struct oci_box *console_size;
	struct oci_user user;
	char **args;
	char **env;
	char *cwd;
	struct oci_capabilities *capabilities;
	struct oci_rlimit *rlimits;
	size_t n_rlimits;
	bool no_new_privileges;
	char *apparmor_profile;
	int32_t *oom_score_adj;
	struct oci_scheduler *scheduler;
	char *selinux_label;
	struct oci_io_priority *io_priority;
	struct oci_exec_cpu_affinity *exec_cpu_affinity;
	char *command_line;		/* Windows only */
};

struct oci_namespace {
	int type;			/* CLONE_NEW* */
	char *path;
};

struct oci_device {
	char *path;
	int type;			/* 'c' ('u' is read as 'c'), 'b' or 'p' */
	int64_t *major;
	int64_t *minor;
	uint32_t *file_mode;
	uint32_t *uid;
	uint32_t *gid;
};

struct oci_net_device {
	char *key;			/* name on the host */
	char *name;			/* name in the container, or NULL: the same */
};

struct oci_device_cgroup {
	char whole;			/* see JSON_LIST */
	bool allow;
	int type;			/* 'a', 'b', 'c'; 0 = absent = 'a' */
	int64_t *major;			/* NULL or -1 = any */
	int64_t *minor;
	char *access;			/* subset of "rwm"; NULL = all */
};

struct oci_memory {
	int64_t *limit;
	int64_t *reservation;
	int64_t *swap;
	int64_t *kernel;
	int64_t *kernel_tcp;
	uint64_t *swappiness;
	bool *disable_oom_killer;
	bool *use_hierarchy;
	bool *check_before_update;
};

struct oci_cpu {
	uint64_t *shares;
	int64_t *quota;
	uint64_t *burst;
	uint64_t *period;
	int64_t *realtime_runtime;
	uint64_t *realtime_period;
	char *cpus;
	char *mems;
	int64_t *idle;
};

struct oci_pids {
	int64_t *limit;
};

struct oci_weight_device {
	char whole;			/* see JSON_LIST */
	int64_t major;
	int64_t minor;
	uint16_t *weight;
	uint16_t *leaf_weight;
};

struct oci_throttle_device {
	int64_t major;
	int64_t minor;
	uint64_t rate;
};

struct oci_block_io {
	uint16_t *weight;
	uint16_t *leaf_weight;
	struct oci_weight_device *weight_device;
	size_t n_weight_device;
	struct oci_throttle_device *throttle_read_bps_device;
	size_t n_throttle_read_bps_device;
	struct oci_throttle_device *throttle_write_bps_device;
	size_t n_throttle_write_bps_device;
	struct oci_throttle_device *throttle_read_iops_device;
	size_t n_throttle_read_iops_device;
	struct oci_throttle_device *throttle_write_iops_device;
	size_t n_throttle_write_iops_device;
};

struct oci_hugepage_limit {
	char *page_size;
	uint64_t limit;
};

struct oci_interface_priority {
	char *name;
	uint32_t priority;
};

struct oci_network {
	uint32_t *class_id;
	struct oci_interface_priority *priorities;
	size_t n_priorities;
};

struct oci_rdma {
	char *key;			/* device */
	uint32_t *hca_handles;
	uint32_t *hca_objects;
};

struct oci_resources {
	struct oci_device_cgroup *devices;
	size_t n_devices;
	struct oci_memory *memory;
	struct oci_cpu *cpu;
	struct oci_pids *pids;
	struct oci_block_io *block_io;
	struct oci_hugepage_limit *hugepage_limits;
	size_t n_hugepage_limits;
	struct oci_network *network;
	struct oci_rdma *rdma;
	size_t n_rdma;
	struct oci_pair *unified;
	size_t n_unified;
};

struct oci_syscall_arg {
	uint32_t index;
	uint64_t value;
	uint64_t value_two;
	int op;				/* enum oci_seccomp_operator */
};

struct oci_syscall {
	char **names;
	int action;			/* enum oci_seccomp_action */
	uint32_t *errno_ret;
	struct oci_syscall_arg *args;
	size_t n_args;
};

enum oci_seccomp_action {
	OCI_ACT_KILL = 1,
	OCI_ACT_KILL_PROCESS,
	OCI_ACT_KILL_THREAD,
	OCI_ACT_TRAP,
	OCI_ACT_ERRNO,
	OCI_ACT_TRACE,
	OCI_ACT_ALLOW,
	OCI_ACT_LOG,
	OCI_ACT_NOTIFY,
};

/* The numbers of libseccomp's enum scmp_compare, so that they can be handed to it as they are. */
enum oci_seccomp_operator {
	OCI_CMP_NE = 1,
	OCI_CMP_LT,
	OCI_CMP_LE,
	OCI_CMP_EQ,
	OCI_CMP_GE,
	OCI_CMP_GT,
	OCI_CMP_MASKED_EQ,
};

/*
 * x32 system calls carry x86_64's AUDIT_ARCH number; libseccomp tells it apart by clearing the
 * 64-bit flag.
 */
#define OCI_ARCH_X32 0x4000003eu

struct oci_seccomp {
	int default_action;
	uint32_t *default_errno_ret;
	uint32_t *architectures;	/* AUDIT_ARCH_* or OCI_ARCH_X32, in file order */
	size_t n_architectures;
	uint32_t *flags;		/* SECCOMP_FILTER_FLAG_* each */
	size_t n_flags;
	char *listener_path;
	char *listener_metadata;
	struct oci_syscall *syscalls;
	size_t n_syscalls;
	struct json_span source;	/* the object's own text: the key of the filter cache */
};

struct oci_intel_rdt {
	char *clos_id;
	char **schemata;
	char *l3_cache_schema;
	char *mem_bw_schema;
	bool *enable_cmt;		/* older spec versions */
	bool *enable_mbm;
	bool *enable_monitoring;
};

struct oci_personality {
	int domain;			/* PER_LINUX, PER_LINUX32 */
	char **flags;
};

struct oci_time_offset {
	int64_t secs;
	uint32_t nanosecs;
};

struct oci_time_offsets {
	struct oci_time_offset *monotonic;
	struct oci_time_offset *boottime;
};

struct oci_memory_policy {
	int mode;			/* MPOL_* */
	char *nodes;
	int *flags;			/* MPOL_F_* each */
	size_t n_flags;
};

struct oci_linux {
	struct oci_device *devices;
	size_t n_devices;
	struct oci_net_device *net_devices;
	size_t n_net_devices;
	struct oci_id_mapping *uid_mappings;
	size_t n_uid_mappings;
	struct oci_id_mapping *gid_mappings;
	size_t n_gid_mappings;
	struct oci_pair *sysctl;
	size_t n_sysctl;
	char *cgroups_path;
	struct oci_resources *resources;
	uint64_t *rootfs_propagation; /* MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE; | MS_REC */
	struct oci_seccomp *seccomp;
	struct oci_namespace *namespaces;
	size_t n_namespaces;
	char **masked_paths;
	char **readonly_paths;
	char *mount_label;
	struct oci_intel_rdt *intel_rdt;
	struct oci_personality *personality;
	struct oci_time_offsets *time_offsets;
	struct oci_memory_policy *memory_policy;
};

struct oci_config {
	char *oci_version;
	struct oci_root *root;
	struct oci_mount *mounts;
	size_t n_mounts;
	struct oci_process *process;
	struct oci_hooks *hooks;
	char *hostname;
	char *domainname;
	struct oci_pair *annotations;
	size_t n_annotations;
	struct oci_linux *linux;
	struct json_doc *doc;		/* where each member was read: for oci_error() */
};

/*
 * Reading.  Each returns 0 or negative with err; findings beyond the first go to the doc's
 * collector (json.h).
 */

/* config.json from text.  name: what to call the file in messages ("config.json"). */
int oci_config_parse(const char *text, size_t len, const char *name, struct arena *a,
		     struct oci_config **out, struct error *err);
/* The same with a collector and options set by the caller in doc (validate). */
int oci_config_parse_doc(struct json_doc *doc, struct arena *a, struct oci_config **out,
			 struct error *err);
/*
 * Reads a document that the caller names: a regular file, the pipe of a shell's <(...), or "-" for
 * standard input.  Fills name, text and len of doc, whose arena is set.  0 or negative.
 */
int oci_text_read(const char *path, struct json_doc *doc, struct error *err);

/*
 * process.json of `exec --process`, resources.json of `update --resources`.  The caller has set
 * name, text, len and arena of doc, which must outlive *out.
 */
int oci_process_parse(struct json_doc *doc, struct oci_process **out, struct error *err);
int oci_resources_parse(struct json_doc *doc, struct oci_resources **out, struct error *err);

/*
 * The rules of the specification that one member alone cannot show: duplicates, relative cwd,
 * hostname without a uts namespace, ...  Every finding goes to the doc's collector; without one the
 * first is the error. Reading does not check: callers do, once, before they use what was read.  A
 * config that was read with errors (collector) may be checked too.
 */
int oci_config_check(const struct oci_config *c, struct error *err);
int oci_process_check(const struct oci_process *p, struct json_doc *doc, struct error *err);
int oci_resources_check(const struct oci_resources *r, struct json_doc *doc, struct error *err);

/*
 * Whether the configuration was written for a version of the specification before 1.<minor>, where
 * a member may have meant something else.  One without a version counts as new.
 */
bool oci_version_before(const struct oci_config *c, unsigned int minor);

/*
 * An error about one member: "<file>:<line>:<column>: <json.path>: <text>".  member is the address
 * of the struct member (or of the array element, or of the string list's element) that was read; an
 * address that no property filled (absent, or config made by code) gives just "<file>: <text>".
 * Returns negative.  errnum as in error_set().
 */
int oci_error(const struct oci_config *c, const void *member, struct error *err, const char *fmt,
	      ...) __attribute__((format(printf, 4, 5)));

/*
 * Where a member was read, "config.json:12:7: mounts[3].source", for an error that comes only when
 * the plan is carried out: a child can print it without looking anything up.  path: the answer for
 * a member that was not read (a config made by code).
 */
const char *oci_position(const struct oci_config *c, const void *member, struct arena *a,
			 const char *path);

/*
 * The results of several rules in a row: the first error is kept.  Under a collector (validate) all
 * rules are asked, as each finding is told; else the first error ends it.
 */
static inline bool oci_goes_on(const struct oci_config *c, int r)
{
	return r == 0 || (c->doc && c->doc->collect);
}

static inline void oci_keep(int *r, int next)
{
	*r = *r < 0 ? *r : next;
}

/* Lookup helpers; NULL / default when absent. */
const struct oci_namespace *oci_namespace_find(const struct oci_config *c, int type);
const char *oci_annotation(const struct oci_config *c, const char *key);

/*
 * The first option in the text of one member of mounts[].options, which may have several with
 * commas between them, as fstab(5) writes them: its length; *next is what follows, or NULL.  A
 * comma separates if an option may follow: a word, alone or with '='.  One after a backslash, in
 * quotes, or before a number belongs to the value (overlay's directories, labels, tmpfs's mpol).
 */
size_t oci_mount_option(const struct oci_mount *m, const char *text, const char **next);

/* Whether the mount has that option. */
bool oci_mount_has(const struct oci_mount *m, const char *option);

/* A rule for all access to all devices.  It replaces all before it. */
bool oci_device_is_everything(const struct oci_device_cgroup *d);

/* Of linux.namespaces: there are eight types, of which each may be there once. */
#define OCI_NAMESPACES_MAX 64

/* Each is compared with those before it, if its source is inside the root file system. */
#define OCI_MOUNTS_MAX 10000

/* user_namespaces(7): lines of an id map, since Linux 4.15. */
#define OCI_MAPPINGS_MAX 340

/* Tables (oci_schema.c), read by reader, writer, `features`, validation and tests. */
extern const struct json_field oci_config_fields[];
extern const struct json_field oci_process_fields[];
extern const struct json_field oci_resources_fields[];
extern const struct json_choice oci_namespace_types[];
extern const struct json_choice oci_rlimit_types[];
extern const struct json_choice oci_seccomp_actions[];
extern const struct json_choice oci_seccomp_operators[];
extern const struct json_choice oci_seccomp_archs[];
extern const struct json_choice oci_seccomp_flags[];
extern const struct json_choice oci_rootfs_propagations[];
extern const struct json_choice oci_memory_policy_modes[];
extern const struct json_choice oci_memory_policy_flags[];

/*
 * The default configuration of `kist spec` (oci_default.c): a terminal with sh in a read-only
 * "rootfs". rootless: with a user namespace that maps the caller (uid, gid) to root, the host's
 * network, and nothing that needs privilege on the host.
 */
struct oci_config *oci_default(struct arena *a, bool rootless, uint32_t uid, uint32_t gid);

/* What `features` tells (features.md): facts of the build, none of the host. */
struct oci_features {
	const char *version;			/* of kist */
	const char *commit;			/* "" when not known */
	const char *libseccomp_version;		/* NULL: built without */
	const char *const *seccomp_archs;	/* NULL-terminated; those libseccomp takes */
	const char *const *mount_options;	/* NULL-terminated */
	const char *const *capabilities;	/* NULL-terminated */
	bool systemd;
	bool apparmor;
	bool selinux;
	bool checkpoint;
};

/*
 * Writes the features structure; lists and names come from the tables the reader uses
 * (oci_features.c).
 */
void oci_features_write(struct json_out *out, const struct oci_features *f);

#endif
