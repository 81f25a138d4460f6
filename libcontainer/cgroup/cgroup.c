/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "cgroup/cgroup_impl.h"

#define JSON_TYPE struct cgroup_dir
static const struct json_field dir_fields[] = {
	FIELD(controllers, "controllers", JSON_REQUIRED),
	FIELD(mount, "mount", JSON_REQUIRED),
	FIELD(path, "path", JSON_REQUIRED),
	FIELD(made, "made", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct cgroup_ref
const struct json_field cgroup_ref_fields[] = {
	LIST(dirs, "dirs", dir_fields, JSON_OPTIONAL),
	FIELD(unit, "unit", JSON_OPTIONAL),
	FIELD(user, "user", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

/* --- choosing --- */

static int check_path(const struct oci_config *c, const char *path, struct error *err)
{
	const char *colon = strchr(path, ':');
	const void *at = &c->linux->cgroups_path;

	/* CVE class: a path that leaves the container's place in the hierarchy. */
	if (path_has_dotdot(path))
		return oci_error(c, at, err, "\"%s\" must not contain \"..\"", path);
	if (*path != '/' && colon && strchr(colon + 1, ':'))
		return oci_error(c, at, err,
				 "expected cgroupsPath to be a path for the cgroupfs manager, got "
				 "\"%s\"; the form "
				 "slice:prefix:name is for the systemd manager (--systemd-cgroup)",
				 path);
	return 0;
}

/*
 * The parent of the caller's own cgroup: its own one has processes, so nothing can be limited
 * below it on v2.
 */
static char *own_parent(const struct host_hierarchy *h, struct arena *a)
{
	char *path, *slash;

	/* A caller outside the root of its cgroup namespace: "/../..". */
	if (path_has_dotdot(h->own_path))
		return (char *)"";
	path = arena_strdup(a, h->own_path);
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	return path;
}

static int add_dir(const struct oci_config *c, const struct host_hierarchy *h, const char *path,
		   struct arena *a, struct cgroup_ref *ref, struct error *err)
{
	struct cgroup_dir *d = &ref->dirs[ref->n_dirs];
	char clean[PATH_MAX];
	char *full = *path == '/' ? arena_strdup(a, path) :
		arena_printf(a, "%s/%s", own_parent(h, a), path);

	if (path_clean(full, clean, sizeof(clean)) < 0)
		return oci_error(c, &c->linux->cgroups_path, err, "the cgroup's path is too long");
	if (strcmp(clean, "/") == 0)
		return oci_error(c, &c->linux->cgroups_path, err,
				 "\"%s\" is the root of the cgroup hierarchy", path);
	*d = (struct cgroup_dir){ h->controllers, h->mount, arena_strdup(a, clean), 0 };
	ref->n_dirs++;
	return 0;
}

static int choose_dirs(const struct oci_config *c, const struct host *h,
		       const struct cgroup_options *o, struct arena *a, struct cgroup_plan *out,
		       struct error *err)
{
	const char *path = c->linux && c->linux->cgroups_path ? c->linux->cgroups_path : "";

	out->path_given = *path;
	if (o->manager == CGROUP_MANAGER_NONE)
		return 0;
	if (h->n_hierarchies > CGROUP_DIRS_MAX)
		return error_set(err, 0, "more than %d cgroup hierarchies are mounted",
				 CGROUP_DIRS_MAX);
	out->ref.available = h->v2_controllers;
	if (o->manager == CGROUP_MANAGER_SYSTEMD)
		return cgroup_systemd_compile(c, h, o->id, a, out, err);
	if (!out->path_given)
		path = arena_printf(a, "/%s", o->id);
	else if (check_path(c, path, err) < 0)
		return -EINVAL;
	out->ref.dirs = ARENA_NEW_ARRAY(a, struct cgroup_dir, h->n_hierarchies);
	for (size_t i = 0; i < h->n_hierarchies; i++) {
		int ret = add_dir(c, &h->hierarchies[i], path, a, &out->ref, err);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static bool mounts_cgroup_writable(const struct oci_config *c)
{
	char clean[PATH_MAX];

	for (size_t i = 0; i < c->n_mounts; i++) {
		const struct oci_mount *m = &c->mounts[i];

		if (!m->source || strcmp(m->source, "cgroup") || !m->destination ||
		    path_clean(m->destination, clean, sizeof(clean)) < 0 ||
		    strcmp(clean, "/sys/fs/cgroup"))
			continue;
		if (!oci_mount_has(m, "ro"))
			return true;
	}
	return false;
}

/*
 * Who shall own the leaf (config-linux.md "Cgroup ownership"): with a cgroup namespace of its own
 * and a writable cgroup2, the host uid of the container's user.  Never on v1, where delegation is
 * not safe.
 */
static int64_t choose_owner(const struct oci_config *c, const struct host *h)
{
	const struct oci_namespace *ns = oci_namespace_find(c, CLONE_NEWCGROUP);
	uint32_t uid = c->process ? c->process->user.uid : 0;

	if (h->cgroup_mode != HOST_CGROUP_V2 || !ns || ns->path || !mounts_cgroup_writable(c))
		return -1;
	if (c->linux->n_uid_mappings == 0)
		return uid == h->euid ? -1 : (int64_t)uid;
	for (size_t i = 0; i < c->linux->n_uid_mappings; i++) {
		const struct oci_id_mapping *m = &c->linux->uid_mappings[i];

		if (uid < m->container_id || uid - m->container_id >= m->size)
			continue;
		uid = m->host_id + (uid - m->container_id);
		return uid == h->euid ? -1 : (int64_t)uid;
	}
	return -1;
}

static int compile_devices(const struct oci_config *c, struct arena *a, struct cgroup_plan *out,
			   struct error *err)
{
	struct cgroup_device_plan *devices = &out->devices;
	int v1_devices = cgroup_knob_dir(&out->ref, "devices");
	int ret;

	devices->dir = v1_devices >= 0 ? v1_devices : cgroup_knob_dir(&out->ref, "");
	if (devices->dir < 0) {
		/* Not an error: every engine asks, whatever the machine has. */
		if (!out->rootless && c->linux && c->linux->resources &&
		    c->linux->resources->n_devices)
			log_warning("linux.resources.devices is ignored: neither cgroup v2 nor "
				    "v1's controller \"devices\" is mounted below "
				    "/sys/fs/cgroup");
		return 0;
	}
	ret = cgroup_device_rules(c, a, devices, err);
	if (ret == 0 && v1_devices >= 0)
		ret = cgroup_device_lines(c, a, devices, err);
	else if (ret == 0)
		cgroup_device_program(a, devices);
	return ret;
}

/* Annotations that ask for what the systemd manager alone does. */
static void warn_annotations(const struct oci_config *c, struct arena *a)
{
	for (size_t i = 0; i < c->n_annotations; i++) {
		const char *key = c->annotations[i].key;

		if (strcmp(key, "run.oci.systemd.subgroup") == 0 ||
		    strcmp(key, "run.oci.delegate-cgroup") == 0 || cgroup_property_limits(key, a))
			json_warn(c->doc, JSON_BAD_VALUE, &c->annotations[i],
				  "\"%s\" has no effect without the systemd cgroup manager "
				  "(--systemd-cgroup)", key);
	}
}

/* With the manager "none" somebody else limits the container; engines leave the resources in. */
static void warn_disabled(const struct oci_config *c, bool rootless, struct arena *a)
{
	const struct oci_resources *r = c->linux ? c->linux->resources : NULL;
	static const char why[] = "not applied: the cgroup manager is \"disabled\"";

	cgroup_knob_warn(c, why, a);
	if (r && r->n_devices && !rootless)
		json_warn(c->doc, JSON_BAD_VALUE, &r->devices, "%s", why);
	if (c->linux && c->linux->cgroups_path && *c->linux->cgroups_path)
		json_warn(c->doc, JSON_BAD_VALUE, &c->linux->cgroups_path, "%s", why);
}

int cgroup_compile(const struct oci_config *c, const struct host *h, const struct cgroup_options *o,
		   struct arena *a, struct cgroup_plan *out, struct error *err)
{
	int ret;

	*out = (struct cgroup_plan){
		.config = c, .manager = o->manager, .rootless = o->rootless,
		.devices.dir = -1, .owner = -1,
	};
	ret = choose_dirs(c, h, o, a, out, err);
	if (ret < 0)
		return ret;
	if (o->manager != CGROUP_MANAGER_SYSTEMD)
		warn_annotations(c, a);
	if (o->manager == CGROUP_MANAGER_NONE) {
		warn_disabled(c, o->rootless, a);
		return 0;
	}
	ret = cgroup_knob_compile(c, &out->ref, a, &out->writes, &out->n_writes, err);
	if (ret < 0)
		return ret;
	out->owner = choose_owner(c, h);
	ret = compile_devices(c, a, out, err);
	if (ret == 0 && out->unit.name)
		ret = cgroup_systemd_properties(c, o->id, a, out, err);
	return ret;
}

bool cgroup_ref_is_used(const struct cgroup_ref *ref)
{
	for (size_t i = 0; ref && i < ref->n_dirs; i++)
		if (cgroup_dir_used(&ref->dirs[i]))
			return true;
	return false;
}

int cgroup_compile_update(const struct oci_config *c, const struct cgroup_ref *ref, struct arena *a,
			  struct cgroup_plan *out, struct error *err)
{
	*out = (struct cgroup_plan){
		.config = c, .manager = CGROUP_MANAGER_FS, .path_given = true, .ref = *ref,
		.devices.dir = -1, .owner = -1, .update = true,
	};
	return cgroup_knob_compile(c, &out->ref, a, &out->writes, &out->n_writes, err);
}

void cgroup_devices_show(const struct cgroup_plan *p, struct show *out)
{
	const struct cgroup_device_plan *d = &p->devices;
	char text[CGROUP_DEVICE_TEXT];

	/* v1's lines are not the rules: they say what the rules change. */
	for (size_t i = 0; i < d->n_lines; i++)
		show_act(out, "write \"%s\" to devices.%s", d->lines[i].text,
			 d->lines[i].allow ? "allow" : "deny");
	if (d->n_insns == 0)
		return;
	for (size_t i = 0; i < d->n_rules; i++) {
		cgroup_device_text(&d->rules[i], text);
		show_act(out, "%s %s", d->rules[i].allow ? "allow" : "deny", text);
	}
	show_act(out, "attach them as a BPF program of %zu instructions", d->n_insns);
}

void cgroup_show(const struct cgroup_plan *p, struct show *out)
{
	for (size_t i = 0; i < p->ref.n_dirs; i++)
		show_act(out, "make cgroup %s%s", p->ref.dirs[i].mount, p->ref.dirs[i].path);
}

/* What is done if the file is not there, or else on which condition the value is written. */
static void show_condition(const struct cgroup_write *w, char *text, size_t size)
{
	*text = '\0';
	if (w->alt_file)
		snprintf(text, size, ", else \"%s\" to %s", w->alt_value, w->alt_file);
	else if (w->flags & CGROUP_WRITE_OPTIONAL)
		snprintf(text, size, " if it is there");
	else if (w->usage_file)
		snprintf(text, size, " if %s is not above", w->usage_file);
}

void cgroup_limits_show(const struct cgroup_plan *p, struct show *out)
{
	for (size_t i = 0; i < p->n_writes; i++) {
		const struct cgroup_write *w = &p->writes[i];
		const struct cgroup_dir *d = &p->ref.dirs[w->dir];
		char condition[128];

		show_condition(w, condition, sizeof(condition));
		show_act(out, "write \"%s%s\" to %s%s/%s%s (%s)",
			 w->flags & CGROUP_WRITE_KEEP_QUOTA ? "<quota in force> " : "", w->value,
			 d->mount, d->path, w->file, condition, w->member);
	}
}

/* --- making --- */

static void begin(struct cgroup *cg, const struct cgroup_ref *ref, struct arena *a)
{
	cg->ref = *ref;
	cg->delegate = -1;
	cg->keeper = 0;
	cg->ref.n_dirs = ref->n_dirs < CGROUP_DIRS_MAX ? ref->n_dirs : CGROUP_DIRS_MAX;
	cg->ref.dirs = arena_memdup(a, ref->dirs, cg->ref.n_dirs * sizeof(*ref->dirs));
	for (size_t i = 0; i < CGROUP_DIRS_MAX; i++)
		cg->dirs[i] = cg->tasks[i] = -1;
}

void cgroup_close(struct cgroup *cg)
{
	for (size_t i = 0; i < cg->ref.n_dirs; i++) {
		fd_close(&cg->dirs[i]);
		fd_close(&cg->tasks[i]);
	}
	if (cg->ref.n_dirs)
		fd_close(&cg->delegate);
}

/* Opens the deepest part of the path that is there, and counts the rest. */
static int open_deepest(struct cgroup *cg, size_t i)
{
	struct cgroup_dir *d = &cg->ref.dirs[i];
	owned_fd mount = cgroup_mount_open(d);
	char path[PATH_MAX], *slash;

	if (mount < 0)
		return mount;
	if ((size_t)snprintf(path, sizeof(path), "%s", d->path) >= sizeof(path))
		return -ENAMETOOLONG;
	d->made = 0;
	while ((slash = strrchr(path, '/'))) {
		int fd = cgroup_dir_open(mount, path);

		if (fd != -ENOENT) {
			cg->dirs[i] = fd;
			return fd < 0 ? fd : 0;
		}
		d->made++;
		*slash = '\0';
	}
	cg->dirs[i] = fd_take(&mount);
	return 0;
}

/* A cgroup that was there before: is it fit for the container? */
static int check_existing(const struct cgroup *cg, size_t i, struct arena *a, struct error *err)
{
	const struct cgroup_dir *d = &cg->ref.dirs[i];
	pid_t *pids = NULL;
	size_t n = 0;
	int ret = cgroup_tree_procs(cg->dirs[i], a, &pids, &n);

	if (ret < 0)
		return error_set(err, -ret, "list processes of cgroup %s%s", d->mount, d->path);
	if (n > 0)
		return error_set(err, EBUSY,
				 "container's cgroup is not empty: %zu process(es) found in %s%s",
				 n, d->mount, d->path);
	return 0;
}

/* The cgroup, or the one that it will be made in, may stand still; its first process would, too. */
static int check_frozen(const struct cgroup *cg, size_t i, struct error *err)
{
	const struct cgroup_dir *d = &cg->ref.dirs[i];
	int len = (int)strlen(d->path);

	if (!cgroup_dir_is_v2(d) && !cgroup_list_has(d->controllers, "freezer", ','))
		return 0;
	if (cgroup_hierarchy(d)->holds(cg->dirs[i]) != 1)
		return 0;
	for (uint32_t n = d->made; n > 0; n--)
		do {
			len--;
		} while (d->path[len] != '/');
	return error_set(err, 0, "container's cgroup unexpectedly frozen: %s%.*s%s", d->mount, len,
			 d->path,
			 cgroup_hierarchy(d)->frozen(cg->dirs[i]) == 1 && cgroup_dir_is_v2(d) ?
			 " (thaw it: write 0 to its cgroup.freeze)" :
			 " (it, or a cgroup above it; thaw that)");
}

int cgroup_open_run(const struct cgroup_plan *p, struct arena *a, struct cgroup *cg,
		    struct error *err)
{
	int ret;

	begin(cg, &p->ref, a);
	ret = p->unit.name ? cgroup_systemd_locate(p, a, cg, err) : 0;
	for (size_t i = 0; ret == 0 && i < cg->ref.n_dirs; i++) {
		const struct cgroup_dir *d = &cg->ref.dirs[i];

		ret = open_deepest(cg, i);

		if (ret < 0)
			ret = error_set(err, -ret, "open cgroup %s%s", d->mount, d->path);
		else if (d->made == 0)
			ret = check_existing(cg, i, a, err);
		if (ret == 0)
			ret = check_frozen(cg, i, err);
	}
	if (ret < 0)
		cgroup_close(cg);
	else if (p->unit.name)
		cgroup_systemd_own(p, cg);
	return ret;
}

int cgroup_check_permission(const struct cgroup_plan *p, struct arena *a, struct error *err)
{
	struct cgroup cg;
	int ret = 0;

	if (p->manager != CGROUP_MANAGER_FS)
		return 0;
	begin(&cg, &p->ref, a);
	for (size_t i = 0; ret == 0 && i < cg.ref.n_dirs; i++) {
		const struct cgroup_dir *d = &cg.ref.dirs[i];

		ret = open_deepest(&cg, i);
		if (ret == 0 && faccessat(cg.dirs[i], ".", W_OK | X_OK, AT_EACCESS) < 0)
			ret = -errno;
		if (cgroup_is_denied(ret))
			ret = cgroup_denied(p, &cg, i, ret, err);
		else if (ret < 0)
			ret = error_set(err, -ret, "open cgroup %s%s", d->mount, d->path);
	}
	cgroup_close(&cg);
	return ret;
}

static const struct cgroup_manager_ops *manager(const struct cgroup_plan *p)
{
	static const struct cgroup_manager_ops *const managers[] = {
		[CGROUP_MANAGER_FS] = &cgroup_manager_fs,
		[CGROUP_MANAGER_SYSTEMD] = &cgroup_manager_systemd,
		[CGROUP_MANAGER_NONE] = &cgroup_manager_none,
	};

	return managers[p->manager];
}

int cgroup_create_run(const struct cgroup_plan *p, struct cgroup *cg, struct error *err)
{
	return manager(p)->create(p, cg, err);
}

int cgroup_devices_run(const struct cgroup_plan *p, const struct cgroup *cg, struct error *err)
{
	const struct cgroup_device_plan *d = &p->devices;
	struct error why;
	int ret;

	if (d->dir < 0 || cg->dirs[d->dir] < 0)
		return 0;
	if (d->n_lines)
		ret = cgroup_device_write_lines(d, cg->dirs[d->dir], &why);
	else
		ret = cgroup_device_attach(d, cg->dirs[d->dir], cg->ref.dirs[d->dir].made == 0,
					   &why);
	if (ret == 0)
		return 0;
	/*
	 * In a user namespace nodes cannot be made, and the outer container's own rules still
	 * hold.
	 */
	if (p->rootless && (ret == -EPERM || ret == -EACCES)) {
		log_debug("no device control: %s", why.text);
		return 0;
	}
	if (err)
		*err = why;
	return ret;
}

int cgroup_chown(int dir, uid_t uid, struct error *err)
{
	char list[1024], *rest = list, *name;

	if (file_read_small(AT_FDCWD, "/sys/kernel/cgroup/delegate", list, sizeof(list)) < 0)
		snprintf(list, sizeof(list),
			 "cgroup.procs\ncgroup.subtree_control\ncgroup.threads");
	/*
	 * Nobody is in the cgroup yet, so nobody can have prepared anything for us to stumble
	 * over.
	 */
	if (fchown(dir, uid, (gid_t)-1) < 0)
		return error_set(err, errno, "chown the container's cgroup to %u", uid);
	while ((name = strsep(&rest, "\n"))) {
		if (!*name || strchr(name, '/'))
			continue;
		if (fchownat(dir, name, uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0 &&
		    errno != ENOENT)
			return error_set(err, errno, "chown %s of the container's cgroup", name);
	}
	return 0;
}

int cgroup_delegate_run(const struct cgroup_plan *p, const struct cgroup *cg, struct error *err)
{
	int dir = cgroup_clone_fd(cg), ret = 0;

	if (p->owner < 0 || dir < 0)
		return 0;
	/* With a sub-cgroup of its own the payload gets that one, and only that. */
	if (!p->delegate)
		ret = cgroup_chown(dir, (uid_t)p->owner, err);
	/* Beside pure v2 there is at most "name=systemd": nothing is limited there. */
	for (size_t i = 1; ret == 0 && i < cg->ref.n_dirs; i++) {
		if (cg->dirs[i] < 0)
			continue;
		ret = cgroup_chown(cg->dirs[i], (uid_t)p->owner, err);
		if (ret == 0 && fchownat(cg->dirs[i], "tasks", (uid_t)p->owner, (gid_t)-1,
					 AT_SYMLINK_NOFOLLOW) < 0)
			ret = error_set(err, errno, "chown tasks of the container's cgroup");
	}
	return ret;
}

/* --- joining --- */

int cgroup_clone_fd(const struct cgroup *cg)
{
	return cg->ref.n_dirs && cgroup_dir_is_v2(&cg->ref.dirs[0]) ? cg->dirs[0] : -1;
}

int cgroup_join_self_run(const struct cgroup *cg, struct error *err)
{
	for (size_t i = 0; i < cg->ref.n_dirs; i++) {
		const struct cgroup_dir *d = &cg->ref.dirs[i];

		if (cg->tasks[i] < 0)
			continue;
		if (write(cg->tasks[i], "0", 1) == 1)
			continue;
		error_set(err, errno, "join cgroup %s%s", d->mount, d->path);
		if (err && err->errnum == EINVAL && cgroup_list_has(d->controllers, "cpu", ','))
			error_append(err, " (a realtime process needs cpu.rt_runtime_us in it)");
		return err ? -err->errnum : -EIO;
	}
	return 0;
}

/*
 * What the kernel's refusal means.  A cgroup.subtree_control that somebody set is left as it is:
 * the cgroup may be meant for others below it, as a slice is that is empty just now.
 */
static void explain_join(const struct cgroup *cg, size_t i, int ret, struct error *err)
{
	const struct cgroup_dir *d = &cg->ref.dirs[i];
	char enabled[512];
	ssize_t n = ret == -EBUSY ? file_read_small(cg->dirs[i], "cgroup.subtree_control", enabled,
						    sizeof(enabled))
				  : 0;

	if (ret == -EOPNOTSUPP)
		error_append(err, " (its cgroup.type is \"domain invalid\", since a cgroup "
				  "above has processes and hands controllers down: choose "
				  "another linux.cgroupsPath)");
	else if (n > 0)
		error_append(err,
			     " (it was there before, and hands controllers down to cgroups "
			     "below it, so that it can have no processes of its own: take \"%s\" "
			     "out of %s%s/cgroup.subtree_control, or choose another "
			     "linux.cgroupsPath)",
			     enabled, d->mount, d->path);
}

int cgroup_join_pid(const struct cgroup *cg, pid_t pid, struct error *err)
{
	for (size_t i = 0; i < cg->ref.n_dirs; i++) {
		const struct cgroup_dir *d = &cg->ref.dirs[i];
		int ret = cg->dirs[i] < 0
				  ? 0
				  : file_writef(cg->dirs[i], "cgroup.procs", "%d", (int)pid);

		/* From outside a delegated tree nobody but systemd can move a process into it. */
		if ((ret == -EACCES || ret == -EPERM) && cg->ref.unit && cgroup_dir_is_v2(d))
			ret = cgroup_systemd_attach(cg, pid, err);
		else if (ret < 0)
			error_set(err, -ret, "%s%s", d->mount, d->path);
		if (ret < 0 && cgroup_dir_is_v2(d))
			explain_join(cg, i, ret, err);
		if (ret < 0)
			return error_prefix(err, "error adding pid %d to cgroups", (int)pid);
	}
	return 0;
}

int cgroup_join_delegate_run(const struct cgroup *cg, struct error *err)
{
	if (write(cg->delegate, "0", 1) != 1)
		return error_set(err, errno, "join the cgroup of the payload");
	return 0;
}

/* One `exec --cgroup` value: changes the path of the hierarchies it names. */
static int apply_sub(struct cgroup *cg, const char *sub, struct arena *a, struct error *err)
{
	const char *colon = strchr(sub, ':');
	const char *path = colon ? colon + 1 : sub;
	char *list, *name;

	if (path_has_dotdot(path))
		return error_set(err, 0, "bad sub cgroup path: %s", sub);
	if (!colon) {
		for (size_t i = 0; i < cg->ref.n_dirs; i++)
			if (cgroup_dir_used(&cg->ref.dirs[i]))
				cg->ref.dirs[i].path =
					arena_printf(a, "%s/%s", cg->ref.dirs[i].path, path);
		return 0;
	}
	list = arena_strndup(a, sub, (size_t)(colon - sub));
	while ((name = strsep(&list, ","))) {
		int i = cgroup_knob_dir(&cg->ref, name);

		if (i < 0 || !cgroup_dir_used(&cg->ref.dirs[i]))
			return error_set(err, 0, "unknown controller %s in --cgroup %s", name, sub);
		cg->ref.dirs[i].path = arena_printf(a, "%s/%s", cg->ref.dirs[i].path, path);
	}
	return 0;
}

/*
 * The container can freeze cgroups of its own.  A process that is born in one would not run, nor
 * answer, and its caller would wait: it is the same as a paused container.
 */
static int check_runs(const struct cgroup *cg, const struct cgroup_dir *d, int dir,
		      const char *path, struct error *err)
{
	owned_fd mount = -1;
	int ret = 0;

	if (cg->wait_thaw ||
	    (!cgroup_dir_is_v2(d) && !cgroup_list_has(d->controllers, "freezer", ',')))
		return 0;
	if (cgroup_hierarchy(d)->holds(dir) != 1) {
		mount = cgroup_mount_open(d);
		ret = mount < 0 ? mount : cgroup_path_frozen(d, mount, path);
		if (ret == 0)
			return 0;
	}
	if (ret < 0)
		return error_set(err, -ret, "open cgroup %s%s", d->mount, path);
	error_set(err, 0, "cannot exec in a paused container (use --ignore-paused to override): "
		  "cgroup %s%s, or one above it, is frozen", d->mount, path);
	return -EAGAIN;
}

int cgroup_open_exec(const struct cgroup_ref *ref, char *const *subs, struct arena *a,
		     struct cgroup *cg, struct error *err)
{
	bool below = subs && *subs;
	int ret = 0;

	begin(cg, ref, a);
	for (; subs && *subs && ret == 0; subs++)
		ret = apply_sub(cg, *subs, a, err);
	for (size_t i = 0; ret == 0 && i < cg->ref.n_dirs; i++) {
		const struct cgroup_dir *d = &cg->ref.dirs[i];

		if (!cgroup_dir_used(d))
			continue;
		cg->dirs[i] = cgroup_leaf_open(d);
		if (cg->dirs[i] >= 0 && !cgroup_dir_is_v2(d)) {
			cg->tasks[i] =
				openat(cg->dirs[i], "tasks", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
			ret = cg->tasks[i] < 0 ? -errno : 0;
		} else if (cg->dirs[i] < 0) {
			ret = cg->dirs[i];
		}
		if (ret < 0)
			error_set(err, -ret, "error adding pid to cgroups: open %s%s", d->mount,
				  d->path);
		/* Of the container's own cgroup its status has told already. */
		else if (below)
			ret = check_runs(cg, d, cg->dirs[i], d->path, err);
	}
	if (ret < 0)
		cgroup_close(cg);
	return ret;
}

int cgroup_follow_init(struct cgroup *cg, pid_t init_pid, struct error *err)
{
	struct cgroup_dir *d = &cg->ref.dirs[0];
	char text[PATH_MAX], file[64], *line, *end;
	owned_fd proc = proc_open();
	owned_fd mount = -1;
	ssize_t n;
	int fd;

	if (cgroup_clone_fd(cg) < 0)
		return 0;
	snprintf(file, sizeof(file), "%d/cgroup", (int)init_pid);
	n = proc < 0 ? proc : proc_read(proc, file, text, sizeof(text));
	if (n < 0)
		return error_set(err, (int)-n, "read /proc/%s", file);
	line = strstr(text, "0::");
	end = line ? strchr(line, '\n') : NULL;
	if (end)
		*end = '\0';
	/*
	 * Where init went is the container's choice: it must not lead out of what the container
	 * was given.
	 */
	if (!line || !path_is_below(line + 3, d->path))
		return error_set(err, 0, "the container's process %d has left its cgroup %s%s",
				 (int)init_pid, d->mount, d->path);
	mount = cgroup_mount_open(d);
	fd = mount < 0 ? mount : cgroup_dir_open(mount, line + 3);
	if (fd < 0)
		return error_set(err, -fd, "open cgroup %s%s", d->mount, line + 3);
	fd_close(&cg->dirs[0]);
	cg->dirs[0] = fd;
	return check_runs(cg, d, fd, line + 3, err);
}

/* --- by reference --- */

int cgroup_remove(const struct cgroup_ref *ref, int timeout_ms, struct error *err)
{
	const struct cgroup_manager_ops *ops =
		ref->unit ? &cgroup_manager_systemd : &cgroup_manager_fs;

	return ops->remove(ref, timeout_ms, err);
}
