/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_default.c - the configuration that `kist spec` writes: the starting point users know from
 * runc.
 */
#include <linux/sched.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

#include "oci/oci.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_OPTIONS 8

struct default_mount {
	const char *destination;
	const char *type;
	const char *source;
	const char *options[MAX_OPTIONS];
};

static const struct default_mount mounts[] = {
	{ "/proc", "proc", "proc", { NULL } },
	{ "/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=65536k" } },
	/* gid 5 is tty in every distribution. */
	{ "/dev/pts", "devpts", "devpts",
	  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" } },
	{ "/dev/shm", "tmpfs", "shm", { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" } },
	{ "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
	{ "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" } },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", { "nosuid", "noexec", "nodev", "relatime", "ro" } },
};

/* Without a network namespace of one's own the kernel refuses a new sysfs: the host's is bound. */
static const struct default_mount rootless_sys = {
	"/sys", "none", "/sys", { "rbind", "nosuid", "noexec", "nodev", "ro" },
};

/* Files that tell about the host or act on it. */
static const char *const masked_paths[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/sys/devices/virtual/powercap", /* power readings leak secrets: CVE-2020-8694 */
	"/sys/firmware",
	NULL,
};

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};

static const char *const default_caps[] = {
	"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE", NULL,
};

static const char *const default_args[] = { "sh", NULL };

static const char *const default_env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", NULL,
};

static char **copy_list(struct arena *a, const char *const *list)
{
	size_t n = 0;
	char **copy;

	while (list[n])
		n++;
	copy = ARENA_NEW_ARRAY(a, char *, n + 1);
	for (size_t i = 0; i < n; i++)
		copy[i] = arena_strdup(a, list[i]);
	return copy;
}

static struct oci_process *default_process(struct arena *a)
{
	struct oci_process *p = ARENA_NEW(a, struct oci_process);

	p->terminal = true;
	p->args = copy_list(a, default_args);
	p->env = copy_list(a, default_env);
	p->cwd = arena_strdup(a, "/");
	p->no_new_privileges = true;
	p->capabilities = ARENA_NEW(a, struct oci_capabilities);
	p->capabilities->bounding = copy_list(a, default_caps);
	p->capabilities->effective = copy_list(a, default_caps);
	p->capabilities->permitted = copy_list(a, default_caps);
	p->n_rlimits = 1;
	p->rlimits = ARENA_NEW(a, struct oci_rlimit);
	p->rlimits[0] = (struct oci_rlimit){ .type = RLIMIT_NOFILE, .hard = 1024, .soft = 1024 };
	return p;
}

/* Options that name an id: the caller's one mapped id is no other user's. */
static bool is_id_option(const char *option)
{
	return strncmp(option, "gid=", 4) == 0 || strncmp(option, "uid=", 4) == 0;
}

static void default_mounts(struct oci_config *c, struct arena *a, bool rootless)
{
	c->n_mounts = COUNT(mounts);
	c->mounts = ARENA_NEW_ARRAY(a, struct oci_mount, COUNT(mounts));
	for (size_t i = 0; i < COUNT(mounts); i++) {
		const struct default_mount *from = &mounts[i];
		const char *options[MAX_OPTIONS + 1] = { NULL };
		size_t n = 0;

		if (rootless && strcmp(from->destination, "/sys") == 0)
			from = &rootless_sys;
		for (size_t j = 0; j < MAX_OPTIONS && from->options[j]; j++)
			if (!rootless || !is_id_option(from->options[j]))
				options[n++] = from->options[j];
		c->mounts[i] = (struct oci_mount){
			.destination = arena_strdup(a, from->destination),
			.type = arena_strdup(a, from->type),
			.source = arena_strdup(a, from->source),
			.options = n > 0 ? copy_list(a, options) : NULL,
		};
	}
}

static struct oci_id_mapping *default_mapping(struct arena *a, uint32_t id)
{
	struct oci_id_mapping *m = ARENA_NEW(a, struct oci_id_mapping);

	*m = (struct oci_id_mapping){ .container_id = 0, .host_id = id, .size = 1 };
	return m;
}

static void default_namespaces(struct oci_linux *l, struct arena *a, bool rootless)
{
	static const int types[] = { CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC,
				     CLONE_NEWUTS, CLONE_NEWNS,  CLONE_NEWCGROUP };

	l->namespaces = ARENA_NEW_ARRAY(a, struct oci_namespace, COUNT(types) + 1);
	for (size_t i = 0; i < COUNT(types); i++)
		/* Nobody could give a private network a way out without privilege on the host. */
		if (!rootless || types[i] != CLONE_NEWNET)
			l->namespaces[l->n_namespaces++].type = types[i];
	if (rootless)
		l->namespaces[l->n_namespaces++].type = CLONE_NEWUSER;
}

static struct oci_linux *default_linux(struct arena *a, bool rootless, uint32_t uid, uint32_t gid)
{
	struct oci_linux *l = ARENA_NEW(a, struct oci_linux);

	default_namespaces(l, a, rootless);
	l->masked_paths = copy_list(a, masked_paths);
	l->readonly_paths = copy_list(a, readonly_paths);
	if (rootless) {
		/* No resources: without delegation every limit would be an error. */
		l->n_uid_mappings = l->n_gid_mappings = 1;
		l->uid_mappings = default_mapping(a, uid);
		l->gid_mappings = default_mapping(a, gid);
		return l;
	}
	l->resources = ARENA_NEW(a, struct oci_resources);
	l->resources->n_devices = 1;
	l->resources->devices = ARENA_NEW(a, struct oci_device_cgroup);
	l->resources->devices[0].access = arena_strdup(a, "rwm");
	return l;
}

struct oci_config *oci_default(struct arena *a, bool rootless, uint32_t uid, uint32_t gid)
{
	struct oci_config *c = ARENA_NEW(a, struct oci_config);

	c->oci_version = arena_strdup(a, OCI_VERSION);
	c->hostname = arena_strdup(a, "kist");
	c->root = ARENA_NEW(a, struct oci_root);
	c->root->path = arena_strdup(a, "rootfs");
	c->root->readonly = true;
	c->process = default_process(a);
	default_mounts(c, a, rootless);
	c->linux = default_linux(a, rootless, uid, gid);
	return c;
}
