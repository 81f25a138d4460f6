/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_check_linux.c - rules of config-linux.md that one member alone cannot show.
 */
#include <limits.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <sched.h>
#include <string.h>

#include "base/path.h"
#include "oci/oci_check.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

#define DEVICE_MAJOR_MAX 4095		/* MINORBITS is 20: dev_t of the kernel has 32 bits */
#define DEVICE_MINOR_MAX 1048575
#define NET_DEVICES_MAX 1024		/* each is compared with each */
#define INTERFACE_NAME_LEN 15		/* IFNAMSIZ with its NUL */

static void check_namespaces(struct check *ck, const struct oci_linux *l)
{
	int seen = 0;	/* types are flags of clone(2), one bit each */

	for (size_t i = 0; i < l->n_namespaces; i++) {
		const struct oci_namespace *n = &l->namespaces[i];

		if (i == OCI_NAMESPACES_MAX) {
			oci_fault(ck, JSON_BAD_VALUE, n, "more than %d namespaces",
				  OCI_NAMESPACES_MAX);
			return;
		}
		oci_check_absolute(ck, &n->path);
		if (seen & n->type)
			oci_fault(ck, JSON_DUPLICATE, &n->type, "namespace type %s is there twice",
				  json_choice_name(oci_namespace_types, n->type));
		seen |= n->type;
	}
}

/*
 * A user namespace by path together with mappings is allowed: engines give the mappings of the
 * pod's namespace along, and whether they are the same can only be seen in /proc.
 */
static void check_id_maps(struct check *ck, const struct oci_config *c)
{
	const struct oci_linux *l = c->linux;

	if (!oci_namespace_find(c, CLONE_NEWUSER)) {
		if (l->n_uid_mappings > 0)
			oci_fault(ck, JSON_CONFLICT, &l->uid_mappings,
				  "uidMappings need a user namespace");
		if (l->n_gid_mappings > 0)
			oci_fault(ck, JSON_CONFLICT, &l->gid_mappings,
				  "gidMappings need a user namespace");
	}
	oci_check_mappings(ck, l->uid_mappings, l->n_uid_mappings);
	oci_check_mappings(ck, l->gid_mappings, l->n_gid_mappings);
}

static void check_time_offsets(struct check *ck, const struct oci_config *c)
{
	const struct oci_time_offsets *t = c->linux->time_offsets;
	const struct oci_namespace *n = oci_namespace_find(c, CLONE_NEWTIME);
	const struct oci_time_offset *const clocks[] = { t->monotonic, t->boottime };

	if (!t->monotonic && !t->boottime)
		return;
	if (!n)
		oci_fault(ck, JSON_CONFLICT, &c->linux->time_offsets,
			  "timeOffsets need a time namespace");
	else if (n->path)
		/* time_namespaces(7): offsets are fixed once a process is inside. */
		oci_fault(ck, JSON_CONFLICT, &c->linux->time_offsets,
			    "timeOffsets need a new time namespace, not one by path");
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++)
		if (clocks[i] && clocks[i]->nanosecs > 999999999)
			oci_fault(ck, JSON_BAD_VALUE, &clocks[i]->nanosecs,
				  "%u is out of range (0 to 999999999)", clocks[i]->nanosecs);
}

static void check_device_number(struct check *ck, int64_t *const *member, int64_t max)
{
	if (*member && (**member < 0 || **member > max))
		oci_fault(ck, JSON_BAD_VALUE, member, "%lld is out of range (0 to %lld)",
			  (long long)**member, (long long)max);
}

static void check_devices(struct check *ck, const struct oci_linux *l)
{
	for (size_t i = 0; i < l->n_devices; i++) {
		const struct oci_device *d = &l->devices[i];

		oci_check_absolute(ck, &d->path);
		if (d->path && path_has_dotdot(d->path))
			oci_fault(ck, JSON_BAD_VALUE, &d->path, "path \"%s\" has a \"..\" in it",
				  d->path);
		if (d->type && d->type != 'p' && (!d->major || !d->minor))
			oci_fault(ck, JSON_MISSING, &d->type, "type \"%c\" needs major and minor",
				  d->type);
		check_device_number(ck, &d->major, DEVICE_MAJOR_MAX);
		check_device_number(ck, &d->minor, DEVICE_MINOR_MAX);
	}
}

/* dev_valid_name() of the kernel, and what sysfs and ip(8) would trip over. */
static bool interface_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > INTERFACE_NAME_LEN || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return false;
	for (; *name; name++)
		if (*name == '/' || *name == ':' || (unsigned char)*name <= ' ' || *name == 0x7f)
			return false;
	return true;
}

/* One "%d" makes the kernel choose a number; any other '%' it refuses. */
static bool interface_template(const char *name)
{
	const char *percent = strchr(name, '%');

	return !percent || (percent[1] == 'd' && !strchr(percent + 1, '%'));
}

static const char *net_device_target(const struct oci_net_device *d)
{
	return d->name && *d->name ? d->name : d->key;
}

static void check_net_devices(struct check *ck, const struct oci_config *c)
{
	const struct oci_linux *l = c->linux;

	if (l->n_net_devices > 0 && !oci_namespace_find(c, CLONE_NEWNET))
		oci_fault(ck, JSON_CONFLICT, &l->net_devices,
			  "netDevices need a network namespace");
	if (l->n_net_devices > NET_DEVICES_MAX) {
		oci_fault(ck, JSON_BAD_VALUE, &l->net_devices, "more than %d network devices",
			  NET_DEVICES_MAX);
		return;
	}
	for (size_t i = 0; i < l->n_net_devices; i++) {
		const struct oci_net_device *d = &l->net_devices[i];
		const char *target = net_device_target(d);

		if (!interface_name(d->key) || strchr(d->key, '%'))
			oci_fault(ck, JSON_BAD_VALUE, d, "\"%s\" is no name of a network device",
				  d->key);
		else if (!interface_name(target) || !interface_template(target))
			oci_fault(ck, JSON_BAD_VALUE, &d->name,
				  "\"%s\" is no name for a network device", target);
		for (size_t j = 0; j < i; j++)
			if (!strchr(target, '%') &&
			    strcmp(net_device_target(&l->net_devices[j]), target) == 0)
				oci_fault(ck, JSON_CONFLICT, d, "two devices would be named \"%s\"",
					  target);
	}
}

/* Syntax alone: "net.ipv4.ip_forward" or "net/ipv4/ip_forward", no way out of /proc/sys. */
static bool sysctl_key(const char *key)
{
	size_t len = strlen(key);

	if (len == 0 || strchr("./", key[0]) || strchr("./", key[len - 1]) || strstr(key, "..") ||
	    strstr(key, "//"))
		return false;
	for (; *key; key++)
		if ((unsigned char)*key <= ' ' || *key == 0x7f)
			return false;
	return true;
}

static void check_sysctls(struct check *ck, const struct oci_linux *l)
{
	for (size_t i = 0; i < l->n_sysctl; i++)
		if (!sysctl_key(l->sysctl[i].key))
			oci_fault(ck, JSON_BAD_VALUE, &l->sysctl[i],
				  "\"%s\" is no name of a sysctl", l->sysctl[i].key);
}

static void check_paths(struct check *ck, char *const *paths)
{
	for (; paths && *paths; paths++)
		oci_check_absolute(ck, paths);
}

static void check_rdt_line(struct check *ck, char *const *member)
{
	if (*member && strchr(*member, '\n'))
		oci_fault(ck, JSON_BAD_VALUE, member, "a schema is one line, without line ends");
}

static void check_intel_rdt(struct check *ck, const struct oci_intel_rdt *r)
{
	const char *id = r->clos_id;

	/*
	 * It becomes the name of a directory below the resctrl mount; "/" alone is the default
	 * class.
	 */
	if (id && strcmp(id, "/") != 0 &&
	    (!*id || strchr(id, '/') || !strcmp(id, ".") || !strcmp(id, "..")))
		oci_fault(ck, JSON_BAD_VALUE, &r->clos_id, "\"%s\" is no name of a directory", id);
	check_rdt_line(ck, &r->l3_cache_schema);
	check_rdt_line(ck, &r->mem_bw_schema);
	for (char **s = r->schemata; s && *s; s++)
		check_rdt_line(ck, s);
	if (r->mem_bw_schema && strncmp(r->mem_bw_schema, "MB:", 3) != 0)
		oci_fault(ck, JSON_BAD_VALUE, &r->mem_bw_schema, "must start with \"MB:\"");
	if (r->l3_cache_schema && strncmp(r->l3_cache_schema, "L3:", 3) != 0)
		oci_warn(ck, &r->l3_cache_schema, "should start with \"L3:\"");
}

/* set_mempolicy(2). */
static void check_memory_policy(struct check *ck, const struct oci_memory_policy *p)
{
	bool nodes = p->nodes && *p->nodes;
	const char *name = json_choice_name(oci_memory_policy_modes, p->mode);
	unsigned int flags = 0;

	for (size_t i = 0; i < p->n_flags; i++)
		flags |= (unsigned int)p->flags[i];
	oci_check_cpu_list(ck, &p->nodes, false);
	if ((p->mode == MPOL_DEFAULT || p->mode == MPOL_LOCAL) && nodes)
		oci_fault(ck, JSON_CONFLICT, &p->nodes, "%s takes no nodes", name);
	else if (p->mode != MPOL_DEFAULT && p->mode != MPOL_LOCAL && p->mode != MPOL_PREFERRED &&
		 !nodes)
		oci_fault(ck, JSON_MISSING, &p->mode, "%s needs nodes", name);
	if (flags && (p->mode == MPOL_DEFAULT || p->mode == MPOL_LOCAL))
		oci_fault(ck, JSON_CONFLICT, &p->flags, "%s takes no flags", name);
	if ((flags & MPOL_F_STATIC_NODES) && (flags & MPOL_F_RELATIVE_NODES))
		oci_fault(ck, JSON_CONFLICT, &p->flags,
			    "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
}

static void check_personality(struct check *ck, const struct oci_personality *p)
{
	for (char **flag = p->flags; flag && *flag; flag++)
		oci_fault(ck, JSON_BAD_VALUE, flag,
			  "\"%s\": the specification knows no personality flags", *flag);
}

/* Whether some component is longer than the name of a directory may be. */
static bool has_long_component(const char *path)
{
	for (size_t len; *path; path += len + (path[len] == '/')) {
		len = strcspn(path, "/");
		if (len > NAME_MAX)
			return true;
	}
	return false;
}

/* What no cgroup manager takes. */
static void check_cgroups_path(struct check *ck, char *const *member)
{
	const char *path = *member, *colon = strchr(path, ':');
	/* "slice:prefix:name": names of units, which cgroup_unit.c judges. */
	bool units = *path != '/' && colon && strchr(colon + 1, ':');
	char clean[PATH_MAX];

	/* A cgroup outside the hierarchy's root, or another container's, is one "../" away. */
	if (path_has_dotdot(path))
		oci_fault(ck, JSON_BAD_VALUE, member, "path \"%s\" has a \"..\" in it", path);
	else if (*path == '/' && path_clean(path, clean, sizeof(clean)) >= 0 &&
		 strcmp(clean, "/") == 0)
		oci_fault(ck, JSON_BAD_VALUE, member, "\"%s\" is the root of the cgroup hierarchy",
			  path);
	else if (strlen(path) >= PATH_MAX / 2)
		oci_fault(ck, JSON_BAD_VALUE, member, "longer than %d bytes", PATH_MAX / 2);
	else if (!units && has_long_component(path))
		oci_fault(ck, JSON_BAD_VALUE, member, "a component is longer than %d bytes",
			  NAME_MAX);
}

void oci_check_linux(struct check *ck, const struct oci_config *c)
{
	const struct oci_linux *l = c->linux;

	check_namespaces(ck, l);
	check_id_maps(ck, c);
	if (l->time_offsets)
		check_time_offsets(ck, c);
	check_devices(ck, l);
	check_net_devices(ck, c);
	check_sysctls(ck, l);
	if (l->cgroups_path)
		check_cgroups_path(ck, &l->cgroups_path);
	check_paths(ck, l->masked_paths);
	check_paths(ck, l->readonly_paths);
	if (l->resources)
		oci_check_resources(ck, l->resources);
	if (l->seccomp)
		oci_check_seccomp(ck, l->seccomp);
	if (l->rootfs_propagation && !oci_namespace_find(c, CLONE_NEWNS))
		oci_warn(ck, &l->rootfs_propagation,
			 "has no effect without a mount namespace");
	if (l->intel_rdt) {
		check_intel_rdt(ck, l->intel_rdt);
		oci_fault(ck, JSON_BAD_VALUE, &l->intel_rdt,
			  "Intel RDT is not supported by this version of kist");
	}
	if (l->memory_policy)
		check_memory_policy(ck, l->memory_policy);
	if (l->personality)
		check_personality(ck, l->personality);
}
