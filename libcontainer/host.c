/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define SYSTEMD_V1  "name=systemd"
#define PROC_SMALL  4096
#define CONTROLLERS_MAX 512
#define PASSWD_MAX  (1u << 20)

static bool is_fs(const char *path, unsigned long magic)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (unsigned long)fs.f_type == magic;
}

/*
 * The initial user namespace maps the whole range in one extent; anything else is a namespace of
 * somebody's. uid_map tells that without privilege, and for 30 us less than comparing namespace
 * inodes.
 */
bool host_in_userns(void)
{
	char map[256];
	unsigned long inside, outside, count;
	char *end;

	if (file_read_small(AT_FDCWD, "/proc/self/uid_map", map, sizeof(map)) < 0)
		return false;
	inside = strtoul(map, &end, 10);
	outside = strtoul(end, &end, 10);
	count = strtoul(end, &end, 10);
	return !(inside == 0 && outside == 0 && count == 4294967295UL);
}

static void read_capabilities(struct host *h)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (syscall(SYS_capget, &header, data) == 0)
		h->caps_effective = (uint64_t)data[1].effective << 32 | data[0].effective;
	h->last_cap = CAP_LAST_CAP;
	h->caps_bounding = 0;
	for (uint32_t cap = 0; cap < 64; cap++) {
		/* PR_CAPBSET_READ fails with EINVAL beyond the kernel's last capability: no file
		 * need be read. */
		long set = syscall(SYS_prctl, 23 /* PR_CAPBSET_READ */, cap, 0, 0, 0);

		if (set < 0 && errno == EINVAL)
			break;
		h->last_cap = cap;
		/* One that cannot be asked about (an outer filter) counts as there: it is dropped
		 * if it is not wanted. */
		if (set != 0)
			h->caps_bounding |= 1ULL << cap;
	}
}

/* Where a v1 hierarchy is mounted: by its controllers' names as one directory, or (name=x) by its
 * name. */
static char *find_mount(const char *controllers, struct arena *a)
{
	const char *name = str_starts(controllers, "name=") ? controllers + 5 : controllers;
	char *path = arena_printf(a, CGROUP_ROOT "/%s", name);
	char *comma;

	if (is_fs(path, CGROUP_SUPER_MAGIC))
		return path;
	/* "cpu,cpuacct" may be mounted as /sys/fs/cgroup/cpu alone. */
	comma = strrchr(path, ',');
	while (comma) {
		*comma = '\0';
		if (is_fs(path, CGROUP_SUPER_MAGIC))
			return path;
		comma = strrchr(path, ',');
	}
	return NULL;
}

static char *read_controllers(const char *mount, struct arena *a)
{
	char text[CONTROLLERS_MAX];
	char *path = arena_printf(a, "%s/cgroup.controllers", mount);

	return file_read_small(AT_FDCWD, path, text, sizeof(text)) < 0 ? NULL
								       : arena_strdup(a, text);
}

/* One line of /proc/self/cgroup, "ID:CONTROLLERS:PATH".  Hierarchies that are not mounted are left
 * out. */
static void add_hierarchy(struct host *h, struct arena *a, char *line)
{
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;
	struct host_hierarchy entry;
	bool named = false;

	if (!path)
		return;
	*controllers++ = '\0';
	*path++ = '\0';
	if (*controllers) {
		named = h->cgroup_mode == HOST_CGROUP_V2 && strcmp(controllers, SYSTEMD_V1) == 0;
		if (h->cgroup_mode == HOST_CGROUP_V2 && !named)
			return;
		entry.mount = find_mount(controllers, a);
	} else if (h->cgroup_mode == HOST_CGROUP_V2) {
		entry.mount = arena_strdup(a, CGROUP_ROOT);
	} else {
		entry.mount = is_fs(CGROUP_ROOT "/unified", CGROUP2_SUPER_MAGIC)
				      ? arena_strdup(a, CGROUP_ROOT "/unified")
				      : NULL;
	}
	if (!entry.mount)
		return;
	if (!*controllers)
		h->v2_controllers = read_controllers(entry.mount, a);
	entry.controllers = arena_strdup(a, controllers);
	entry.own_path = arena_strdup(a, path);
	if (named) {
		h->systemd_v1 = arena_memdup(a, &entry, sizeof(entry));
		return;
	}
	h->hierarchies = arena_grow(a, h->hierarchies, h->n_hierarchies, sizeof(entry));
	h->hierarchies[h->n_hierarchies++] = entry;
}

/* v2 first: the one hierarchy that clone3() can place a process into. */
static void put_v2_first(struct host *h)
{
	for (size_t i = 1; i < h->n_hierarchies; i++) {
		struct host_hierarchy v2 = h->hierarchies[i];

		if (*v2.controllers)
			continue;
		memmove(h->hierarchies + 1, h->hierarchies, i * sizeof(v2));
		h->hierarchies[0] = v2;
	}
}

static void choose_mode(struct host *h)
{
	bool v1 = false, v2 = false;

	if (h->cgroup_mode == HOST_CGROUP_V2)
		return;
	for (size_t i = 0; i < h->n_hierarchies; i++) {
		if (*h->hierarchies[i].controllers)
			v1 = true;
		else
			v2 = true;
	}
	h->cgroup_mode = v1 && v2 ? HOST_CGROUP_HYBRID
			 : v1	  ? HOST_CGROUP_V1
			 : v2	  ? HOST_CGROUP_V2
				  : HOST_CGROUP_NONE;
}

static int read_cgroups(struct host *h, struct arena *a, struct error *err)
{
	char text[PROC_SMALL], *rest = text, *line;
	ssize_t n;

	h->cgroup_mode =
		is_fs(CGROUP_ROOT, CGROUP2_SUPER_MAGIC) ? HOST_CGROUP_V2 : HOST_CGROUP_NONE;
	n = file_read_small(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text));
	if (n == -ENOENT)
		return 0; /* a kernel without cgroups */
	if (n < 0)
		return error_set(err, (int)-n, "read /proc/self/cgroup");
	while ((line = strsep(&rest, "\n")))
		add_hierarchy(h, a, line);
	put_v2_first(h);
	choose_mode(h);
	return 0;
}

/* Whether "6.18.2-amd64" is that release or a later one. */
static bool is_release(const char *text, unsigned long major, unsigned long minor)
{
	char *end;
	unsigned long own = strtoul(text, &end, 10);

	return own > major || (own == major && *end == '.' && strtoul(end + 1, NULL, 10) >= minor);
}

int host_read_process(struct host *h, struct arena *a, struct error *err)
{
	struct utsname uts;
	char flag[8];

	*h = (struct host){ .euid = geteuid(), .egid = getegid() };
	h->in_userns = host_in_userns();
	read_capabilities(h);
	h->user_name = getenv("USER");
	h->selinux = is_fs("/sys/fs/selinux", SELINUX_MAGIC);
	h->apparmor = file_read_small(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", flag,
				      sizeof(flag)) > 0 &&
		      flag[0] == 'Y';
	if (uname(&uts) < 0)
		return error_set(err, errno, "uname");
	h->arch = arena_strdup(a, uts.machine);
	h->proc_pidns = is_release(uts.release, 6, 18);
	return 0;
}

int host_read(struct host *h, struct arena *a, struct error *err)
{
	int ret;

	if (!is_fs("/proc", PROC_SUPER_MAGIC))
		return error_set(
			err, 0, "/proc is not a procfs: mount it first (mount -t proc proc /proc)");
	ret = host_read_process(h, a, err);
	return ret < 0 ? ret : read_cgroups(h, a, err);
}

const struct host *host_with_systemd_v1(const struct host *h, struct arena *a)
{
	struct host *more;

	if (!h->systemd_v1)
		return h;
	more = arena_memdup(a, h, sizeof(*h));
	more->hierarchies = ARENA_NEW_ARRAY(a, struct host_hierarchy, h->n_hierarchies + 1);
	memcpy(more->hierarchies, h->hierarchies, h->n_hierarchies * sizeof(*h->hierarchies));
	more->hierarchies[more->n_hierarchies++] = *h->systemd_v1;
	return more;
}

char *host_user_name(uint32_t uid, struct arena *a)
{
	char *text, *line;

	if (uid == 0)
		return arena_strdup(a, "root");
	/* By hand: the C library's lookup would load shared objects into a static program. */
	if (file_read(AT_FDCWD, "/etc/passwd", PASSWD_MAX, a, &text, NULL) < 0)
		return NULL;
	while ((line = strsep(&text, "\n")) != NULL) {
		const char *name = strsep(&line, ":"), *id;
		uint32_t found;

		strsep(&line, ":");
		id = strsep(&line, ":");
		if (id != NULL && *name != '\0' && str_to_id(id, &found) == 0 && found == uid)
			return arena_strdup(a, name);
	}
	return NULL;
}
