/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_schema_linux.c - which property goes to which member: the Linux section (config-linux.md).
 */
#include "oci/oci_schema.h"

#define JSON_TYPE struct oci_namespace
static const struct json_field namespace[] = {
	CHOICE(type, "type", oci_namespace_types, JSON_REQUIRED),
	FIELD(path, "path", JSON_EMPTY),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_device
static const struct json_field device[] = {
	FIELD(path, "path", JSON_REQUIRED),
	CHOICE(type, "type", oci_device_types, JSON_REQUIRED),
	FIELD(major, "major", JSON_OPTIONAL),
	FIELD(minor, "minor", JSON_OPTIONAL),
	FIELD(file_mode, "fileMode", JSON_OPTIONAL),
	FIELD(uid, "uid", JSON_ID),
	FIELD(gid, "gid", JSON_ID),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_net_device
static const struct json_field net_device[] = {
	FIELD(name, "name", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_device_cgroup
static const struct json_field device_cgroup[] = {
	FIELD(allow, "allow", JSON_REQUIRED),
	CHOICE(type, "type", oci_device_cgroup_types, JSON_OPTIONAL),
	FIELD(major, "major", JSON_OPTIONAL),
	FIELD(minor, "minor", JSON_OPTIONAL),
	FIELD(access, "access", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_memory
static const struct json_field memory[] = {
	FIELD(limit, "limit", JSON_OPTIONAL),
	FIELD(reservation, "reservation", JSON_OPTIONAL),
	FIELD(swap, "swap", JSON_OPTIONAL),
	FIELD(kernel, "kernel", JSON_OPTIONAL),
	FIELD(kernel_tcp, "kernelTCP", JSON_OPTIONAL),
	FIELD(swappiness, "swappiness", JSON_OPTIONAL),
	FIELD(disable_oom_killer, "disableOOMKiller", JSON_OPTIONAL),
	FIELD(use_hierarchy, "useHierarchy", JSON_OPTIONAL),
	FIELD(check_before_update, "checkBeforeUpdate", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_cpu
static const struct json_field cpu[] = {
	FIELD(shares, "shares", JSON_OPTIONAL),
	FIELD(quota, "quota", JSON_OPTIONAL),
	FIELD(burst, "burst", JSON_OPTIONAL),
	FIELD(period, "period", JSON_OPTIONAL),
	FIELD(realtime_runtime, "realtimeRuntime", JSON_OPTIONAL),
	FIELD(realtime_period, "realtimePeriod", JSON_OPTIONAL),
	FIELD(cpus, "cpus", JSON_OPTIONAL),
	FIELD(mems, "mems", JSON_OPTIONAL),
	FIELD(idle, "idle", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_pids
static const struct json_field pids[] = {
	FIELD(limit, "limit", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_weight_device
static const struct json_field weight_device[] = {
	FIELD(major, "major", JSON_REQUIRED),
	FIELD(minor, "minor", JSON_REQUIRED),
	FIELD(weight, "weight", JSON_OPTIONAL),
	FIELD(leaf_weight, "leafWeight", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_throttle_device
static const struct json_field throttle_device[] = {
	FIELD(major, "major", JSON_REQUIRED),
	FIELD(minor, "minor", JSON_REQUIRED),
	FIELD(rate, "rate", JSON_REQUIRED),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_block_io
static const struct json_field block_io[] = {
	FIELD(weight, "weight", JSON_OPTIONAL),
	FIELD(leaf_weight, "leafWeight", JSON_OPTIONAL),
	LIST(weight_device, "weightDevice", weight_device, JSON_OPTIONAL),
	LIST(throttle_read_bps_device, "throttleReadBpsDevice", throttle_device, JSON_OPTIONAL),
	LIST(throttle_write_bps_device, "throttleWriteBpsDevice", throttle_device, JSON_OPTIONAL),
	LIST(throttle_read_iops_device, "throttleReadIOPSDevice", throttle_device, JSON_OPTIONAL),
	LIST(throttle_write_iops_device, "throttleWriteIOPSDevice", throttle_device, JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_hugepage_limit
static const struct json_field hugepage_limit[] = {
	FIELD(page_size, "pageSize", JSON_REQUIRED),
	FIELD(limit, "limit", JSON_REQUIRED),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_interface_priority
static const struct json_field interface_priority[] = {
	FIELD(name, "name", JSON_REQUIRED),
	FIELD(priority, "priority", JSON_REQUIRED),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_network
static const struct json_field network[] = {
	FIELD(class_id, "classID", JSON_OPTIONAL),
	LIST(priorities, "priorities", interface_priority, JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_rdma
static const struct json_field rdma[] = {
	FIELD(hca_handles, "hcaHandles", JSON_OPTIONAL),
	FIELD(hca_objects, "hcaObjects", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_resources
const struct json_field oci_resources_fields[] = {
	LIST(devices, "devices", device_cgroup, JSON_OPTIONAL),
	OBJECT(memory, "memory", memory, JSON_OPTIONAL),
	OBJECT(cpu, "cpu", cpu, JSON_OPTIONAL),
	OBJECT(pids, "pids", pids, JSON_OPTIONAL),
	OBJECT(block_io, "blockIO", block_io, JSON_OPTIONAL),
	LIST(hugepage_limits, "hugepageLimits", hugepage_limit, JSON_OPTIONAL),
	OBJECT(network, "network", network, JSON_OPTIONAL),
	MAP(rdma, "rdma", rdma, JSON_OPTIONAL),
	PAIRS(unified, "unified", JSON_OPTIONAL),
	OTHER_WORD("blkio", "blockIO"),
	OTHER_WORD("hugetlb", "hugepageLimits"),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_syscall_arg
static const struct json_field syscall_arg[] = {
	FIELD(index, "index", JSON_REQUIRED),
	FIELD(value, "value", JSON_REQUIRED),
	FIELD(value_two, "valueTwo", JSON_OPTIONAL),
	CHOICE(op, "op", oci_seccomp_operators, JSON_REQUIRED),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_syscall
static const struct json_field syscall_rule[] = {
	FIELD(names, "names", JSON_REQUIRED),
	CHOICE(action, "action", oci_seccomp_actions, JSON_REQUIRED),
	FIELD(errno_ret, "errnoRet", JSON_OPTIONAL),
	LIST(args, "args", syscall_arg, JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_seccomp
static const struct json_field seccomp[] = {
	CHOICE(default_action, "defaultAction", oci_seccomp_actions, JSON_REQUIRED),
	FIELD(default_errno_ret, "defaultErrnoRet", JSON_OPTIONAL),
	CHOICES(architectures, "architectures", oci_seccomp_archs, JSON_OPTIONAL),
	CHOICES(flags, "flags", oci_seccomp_flags, JSON_OPTIONAL),
	FIELD(listener_path, "listenerPath", JSON_OPTIONAL),
	FIELD(listener_metadata, "listenerMetadata", JSON_OPTIONAL),
	LIST(syscalls, "syscalls", syscall_rule, JSON_OPTIONAL),
	SPAN(source, "", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_intel_rdt
static const struct json_field intel_rdt[] = {
	FIELD(clos_id, "closID", JSON_OPTIONAL),
	FIELD(schemata, "schemata", JSON_OPTIONAL),
	FIELD(l3_cache_schema, "l3CacheSchema", JSON_OPTIONAL),
	FIELD(mem_bw_schema, "memBwSchema", JSON_OPTIONAL),
	FIELD(enable_monitoring, "enableMonitoring", JSON_OPTIONAL),
	/* Until 1.2.1; enableMonitoring took their place. */
	FIELD(enable_cmt, "enableCMT", JSON_OPTIONAL),
	FIELD(enable_mbm, "enableMBM", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_personality
static const struct json_field personality[] = {
	CHOICE(domain, "domain", oci_personality_domains, JSON_REQUIRED),
	FIELD(flags, "flags", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_time_offset
static const struct json_field time_offset[] = {
	FIELD(secs, "secs", JSON_OPTIONAL),
	FIELD(nanosecs, "nanosecs", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_time_offsets
static const struct json_field time_offsets[] = {
	OBJECT(monotonic, "monotonic", time_offset, JSON_OPTIONAL),
	OBJECT(boottime, "boottime", time_offset, JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_memory_policy
static const struct json_field memory_policy[] = {
	CHOICE(mode, "mode", oci_memory_policy_modes, JSON_REQUIRED),
	FIELD(nodes, "nodes", JSON_OPTIONAL),
	CHOICES(flags, "flags", oci_memory_policy_flags, JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct oci_linux
const struct json_field oci_linux_fields[] = {
	LIST(uid_mappings, "uidMappings", oci_id_mapping_fields, JSON_OPTIONAL),
	LIST(gid_mappings, "gidMappings", oci_id_mapping_fields, JSON_OPTIONAL),
	PAIRS(sysctl, "sysctl", JSON_OPTIONAL),
	OBJECT(resources, "resources", oci_resources_fields, JSON_OPTIONAL),
	FIELD(cgroups_path, "cgroupsPath", JSON_OPTIONAL),
	LIST(namespaces, "namespaces", namespace, JSON_OPTIONAL),
	LIST(devices, "devices", device, JSON_OPTIONAL),
	MAP(net_devices, "netDevices", net_device, JSON_OPTIONAL),
	OBJECT(seccomp, "seccomp", seccomp, JSON_OPTIONAL),
	CHOICE(rootfs_propagation, "rootfsPropagation", oci_rootfs_propagations, JSON_EMPTY),
	FIELD(masked_paths, "maskedPaths", JSON_OPTIONAL),
	FIELD(readonly_paths, "readonlyPaths", JSON_OPTIONAL),
	FIELD(mount_label, "mountLabel", JSON_OPTIONAL),
	OBJECT(intel_rdt, "intelRdt", intel_rdt, JSON_OPTIONAL),
	OBJECT(memory_policy, "memoryPolicy", memory_policy, JSON_OPTIONAL),
	OBJECT(personality, "personality", personality, JSON_OPTIONAL),
	OBJECT(time_offsets, "timeOffsets", time_offsets, JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE
