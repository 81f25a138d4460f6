/* SPDX-License-Identifier: Apache-2.0 */
#include "mount_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define CONTROLLERS_MAX 16

/*
 * Further names of a hierarchy: each controller of "cpu,cpuacct" that is not the directory's own
 * name.
 */
static char **split_links(struct arena *a, const char *controllers, const char *name)
{
	char *copy = arena_strdup(a, controllers), *save = NULL;
	char **links = NULL;
	size_t n = 0;

	for (char *c = strtok_r(copy, ",", &save); c; c = strtok_r(NULL, ",", &save)) {
		if (strcmp(c, name) == 0 || strchr(c, '='))
			continue;
		links = arena_grow(a, links, n, sizeof(*links));
		links[n++] = c;
	}
	links = arena_grow(a, links, n, sizeof(*links));
	links[n] = NULL;
	return links;
}

static void add_hierarchy(const struct host_hierarchy *from, struct arena *a,
			  struct mount_cgroup_plan *out)
{
	struct mount_cgroup_hierarchy *to = &out->hierarchies[out->n++];
	const char *slash = strrchr(from->mount, '/');

	to->controllers = from->controllers;
	to->mount = from->mount;
	to->name = slash ? slash + 1 : from->mount;
	to->links = split_links(a, from->controllers, to->name);
}

void mount_cgroup_compile(const struct host *h, struct arena *a, struct mount_cgroup_plan *out)
{
	*out = (struct mount_cgroup_plan){ .unified = h->cgroup_mode == HOST_CGROUP_V2 };
	out->hierarchies = ARENA_NEW_ARRAY(a, struct mount_cgroup_hierarchy, h->n_hierarchies);
	for (size_t i = 0; i < h->n_hierarchies; i++)
		add_hierarchy(&h->hierarchies[i], a, out);
}

bool mount_cgroup_compile_systemd(const struct host *h, struct arena *a,
				  struct mount_cgroup_plan *out)
{
	*out = (struct mount_cgroup_plan){ .required = true };
	out->hierarchies = ARENA_NEW(a, struct mount_cgroup_hierarchy);
	for (size_t i = 0; i < h->n_hierarchies && out->n == 0; i++)
		if (strcmp(h->hierarchies[i].controllers, "name=systemd") == 0)
			add_hierarchy(&h->hierarchies[i], a, out);
	return out->n > 0;
}

static const char *find_path(const struct mount_cgroup_env *env, const char *controllers)
{
	for (size_t i = 0; env->paths && env->paths[i]; i += 2)
		if (strcmp(env->paths[i], controllers) == 0)
			return env->paths[i + 1];
	return NULL;
}

/* A new mount of the hierarchy, which the kernel roots at the cgroup namespace's root. */
static int create_new(const struct mount_cgroup_hierarchy *h, uint64_t attr, struct mnt *m)
{
	struct mnt_param params[CONTROLLERS_MAX];
	struct mnt_fs fs = { .type = "cgroup", .source = "cgroup", .params = params, .attr = attr };
	char names[256];
	char *save = NULL;
	size_t len = strlen(h->controllers);

	if (!*h->controllers)
		fs.type = "cgroup2";
	if (str_starts(h->controllers, "name=")) {
		params[fs.n_params++] = (struct mnt_param){ "none", NULL };
		params[fs.n_params++] = (struct mnt_param){ "name", h->controllers + 5 };
		return mnt_create(&fs, m, NULL, 0);
	}
	if (len >= sizeof(names))
		return -E2BIG;
	memcpy(names, h->controllers, len + 1);
	for (char *c = strtok_r(names, ",", &save); c; c = strtok_r(NULL, ",", &save)) {
		if (fs.n_params == CONTROLLERS_MAX)
			return -E2BIG;
		params[fs.n_params++] = (struct mnt_param){ c, NULL };
	}
	return mnt_create(&fs, m, NULL, 0);
}

/*
 * Each of the next three gives 1 when the kernel lets it show nothing there: then the caller tries
 * another way.  A mount that was made and could not be attached is an error, never a reason to show
 * something else.
 */
static int attach_new(const struct mount_cgroup_hierarchy *h, const struct mnt_dest *d,
		      const struct mnt_attr *attr)
{
	const struct mnt_attr rest = { .propagation = attr->propagation };
	struct mnt m = MNT_INIT;
	int r = create_new(h, attr->set | attr->rec_set, &m);

	/*
	 * EPERM: a user namespace without rights over the cgroup namespace; EBUSY, EINVAL: another
	 * hierarchy's options.  Without fsopen(2) the parameters are gone by now.
	 */
	if (r == -EPERM || r == -EBUSY || r == -EINVAL || (r == 0 && m.fs))
		r = 1;
	else if (r == 0)
		r = mnt_attach(&m, d, &rest);
	fd_close(&m.fd);
	return r;
}

/* The container's own directory in the host's mount: the paths above it do not appear. */
static int attach_bind(const struct mount_cgroup_hierarchy *h, const char *path,
		       const struct mnt_dest *d, const struct mnt_attr *attr)
{
	struct mnt_attr own = *attr;
	struct mnt m = MNT_INIT;
	char source[PATH_MAX];
	int r;

	if (!own.propagation)
		own.propagation = MS_PRIVATE;	/* a copy of a shared mount would be its peer */

	r = snprintf(source, sizeof(source), "%s%s%s", h->mount, path[0] == '/' ? "" : "/", path);
	if (r < 0 || (size_t)r >= sizeof(source))
		return -ENAMETOOLONG;
	r = mnt_clone(AT_FDCWD, source, 0, &m);
	if (r == -ENOENT)
		r = 1;
	else if (r == 0)
		r = mnt_attach(&m, d, &own);
	fd_close(&m.fd);
	return r;
}

/* The bind shows the same directory as the new mount would. */
static int attach_one(const struct mount_cgroup_hierarchy *h, const struct mount_cgroup_env *env,
		      const struct mnt_dest *d, const struct mnt_attr *attr)
{
	const char *path = find_path(env, h->controllers);
	int r = env->cgroupns ? attach_new(h, d, attr) : 1;

	return r == 1 && path ? attach_bind(h, path, d, attr) : r;
}

/* An empty read-only directory: what is not the container's is not shown (CVE-2023-25809). */
static int attach_empty(const struct mnt_dest *d)
{
	static const struct mnt_param params[] = { { "mode", "555" }, { "nr_inodes", "2" } };
	static const struct mnt_fs fs = {
		.type = "tmpfs",
		.source = "tmpfs",
		.params = params,
		.n_params = 2,
		.attr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			MOUNT_ATTR_NOEXEC,
	};
	struct mnt m = MNT_INIT;
	int r = mnt_create(&fs, &m, NULL, 0);

	if (r == 0)
		r = mnt_attach(&m, d, NULL);
	fd_close(&m.fd);
	return r;
}

static int run_unified(const struct mount_cgroup_plan *p, const struct mount_cgroup_env *env,
		       const struct mnt_dest *d, const struct mnt_attr *attr, struct error *err)
{
	int r = p->n ? attach_one(&p->hierarchies[0], env, d, attr) : 1;

	if (r == 1)
		r = attach_empty(d);
	return r < 0 ? error_set(err, -r, "cgroup2") : 0;
}

/* One hierarchy in a directory of the tmpfs, and its further names. */
static int run_hierarchy(const struct mount_cgroup_hierarchy *h, const struct mount_cgroup_env *env,
			 const struct mnt_dest *top, const struct mnt_attr *attr, struct error *err)
{
	char path[PATH_MAX];
	struct mnt_dest d = { .root = top->root, .path = path };
	int r;

	if (!find_path(env, h->controllers))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", top->path, h->name);
	if (mkdirat(top->fd, h->name, 0755) < 0)
		return error_set(err, errno, "create directory %s", h->name);
	d.fd = openat(top->fd, h->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (d.fd < 0)
		return error_set(err, errno, "open directory %s", h->name);
	r = attach_one(h, env, &d, attr);
	close(d.fd);
	if (r != 0)
		return error_set(err, r < 0 ? -r : EPERM, "hierarchy %s", h->name);
	for (char **link = h->links; *link; link++)
		if (symlinkat(h->name, top->fd, *link) < 0 && errno != EEXIST)
			return error_set(err, errno, "symlink %s", *link);
	return 0;
}

static int run_tmpfs(const struct mount_cgroup_plan *p, const struct mount_cgroup_env *env,
		     const struct mnt_dest *d, const struct mnt_attr *attr, struct error *err)
{
	static const struct mnt_param params[] = { { "mode", "755" }, { "size", "65536" } };
	const struct mnt_fs fs = {
		.type = "tmpfs", .source = "tmpfs", .params = params, .n_params = 2,
		.attr = (attr->set | attr->rec_set) & ~(uint64_t)MOUNT_ATTR_RDONLY,
	};
	const struct mnt_attr readonly = { .set = (attr->set | attr->rec_set) & MOUNT_ATTR_RDONLY };
	const struct mnt_attr rest = { .propagation = attr->propagation };
	struct mnt m = MNT_INIT;
	int r = mnt_create(&fs, &m, NULL, 0);

	if (r == 0)
		r = mnt_attach(&m, d, &rest);
	if (r < 0) {
		fd_close(&m.fd);
		return error_set(err, -r, "tmpfs");
	}
	for (size_t i = 0; i < p->n && r >= 0; i++) {
		const struct mnt_dest top = { .fd = m.fd, .root = d->root, .path = d->path };

		if (p->required && !find_path(env, p->hierarchies[i].controllers)) {
			r = error_set(err, 0, "the container has no cgroup in %s: its caller may "
				      "make none there, or cgroups are disabled",
				      p->hierarchies[i].mount);
			break;
		}
		r = run_hierarchy(&p->hierarchies[i], env, &top, attr, err);
	}
	if (r >= 0 && readonly.set) {
		r = mnt_setattr(m.fd, &readonly);
		if (r < 0)
			error_set(err, -r, "make it read-only");
	}
	fd_close(&m.fd);
	return r < 0 ? r : 0;
}

int mount_cgroup_run(const struct mount_cgroup_plan *p, const struct mount_cgroup_env *env,
		     const struct mnt_dest *d, const struct mnt_attr *attr, struct error *err)
{
	static const struct mount_cgroup_env none = { false, NULL };

	if (!env)
		env = &none;
	if (p->unified)
		return run_unified(p, env, d, attr, err);
	return run_tmpfs(p, env, d, attr, err);
}
