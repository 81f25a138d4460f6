/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manager "systemd": the cgroup is that of a transient unit, a scope with Delegate=yes, which makes
 * everything below it kist's to manage (systemd: docs/CGROUP_DELEGATION.md).
 *
 * systemd makes the directories of its own hierarchy and of the v1 controllers it knows; kist makes
 * the others at the same path.  Limits are properties of the unit, and after that written to the
 * files as well: for those that systemd has no property for, for exact values (systemd rounds
 * quotas), and to hear of what the kernel refuses.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "cgroup/cgroup_impl.h"

#define SUBGROUP_ANNOTATION "run.oci.systemd.subgroup"
#define DELEGATE_ANNOTATION "run.oci.delegate-cgroup"

/* --- deciding --- */

/* The name of a sub-cgroup that an annotation asks for; NULL: none. */
static int annotated_name(const struct oci_config *c, const char *key, const char **name,
			  struct error *err)
{
	*name = NULL;
	for (size_t i = 0; i < c->n_annotations; i++) {
		const struct oci_pair *pair = &c->annotations[i];

		if (strcmp(pair->key, key) != 0 || !*pair->value)
			continue;
		if (strchr(pair->value, '/') || pair->value[0] == '.' ||
		    strlen(pair->value) > NAME_MAX)
			return oci_error(c, pair, err, "\"%s\" is not the name of a cgroup",
					 pair->value);
		*name = pair->value;
	}
	return 0;
}

static bool is_user(const struct host *h)
{
	return h->euid != 0 || h->in_userns;
}

int cgroup_systemd_compile(const struct oci_config *c, const struct host *h, const char *id,
			   struct arena *a, struct cgroup_plan *out, struct error *err)
{
	const char *path;
	int ret;

	if (h->n_hierarchies == 0)
		return error_set(
			err, 0,
			"the systemd cgroup manager needs a cgroup file system on /sys/fs/cgroup");
	ret = cgroup_unit_compile(c, id, is_user(h), a, &out->unit, err);
	if (ret == 0)
		ret = annotated_name(c, SUBGROUP_ANNOTATION, &out->subgroup, err);
	if (ret == 0 && out->subgroup)
		ret = annotated_name(c, DELEGATE_ANNOTATION, &out->delegate, err);
	if (ret < 0)
		return ret;
	if (out->delegate && h->cgroup_mode != HOST_CGROUP_V2)
		return error_set(err, 0,
				 DELEGATE_ANNOTATION
				 " needs pure cgroup v2: delegation is not safe on v1");
	path = out->subgroup ? arena_printf(a, "%s/%s", out->unit.path, out->subgroup)
			     : out->unit.path;
	out->ref.unit = arena_strdup(a, out->unit.name);
	out->ref.user = is_user(h);
	out->ref.dirs = ARENA_NEW_ARRAY(a, struct cgroup_dir, h->n_hierarchies);
	for (; out->ref.n_dirs < h->n_hierarchies; out->ref.n_dirs++) {
		const struct host_hierarchy *hierarchy = &h->hierarchies[out->ref.n_dirs];

		out->ref.dirs[out->ref.n_dirs] = (struct cgroup_dir){
			hierarchy->controllers, hierarchy->mount, arena_strdup(a, path), 0
		};
	}
	return 0;
}

int cgroup_systemd_properties(const struct oci_config *c, const char *id, struct arena *a,
			      struct cgroup_plan *out, struct error *err)
{
	static const char *const accounting[] = {
		"CPUAccounting", "IOAccounting", "MemoryAccounting", "TasksAccounting",
	};
	struct cgroup_properties *p = &out->properties;

	cgroup_property_set(p, a, "Description", "s", arena_printf(a, "container %s (kist)", id));
	cgroup_property_set(p, a, "DefaultDependencies", "b", "0");
	for (size_t i = 0; i < sizeof(accounting) / sizeof(*accounting); i++)
		cgroup_property_set(p, a, accounting[i], "b", "1");
	if (out->unit.slice) {
		cgroup_property_set(p, a, "Slice", "s", out->unit.slice);
		cgroup_property_set(p, a, "Delegate", "b", "1");
		cgroup_property_set(p, a, "CollectMode", "s", "inactive-or-failed");
	}
	/*
	 * What was not asked for is not limited: systemd's default is a part of what the machine
	 * can have.
	 */
	cgroup_property_set(p, a, "TasksMax", "t", "18446744073709551615");
	cgroup_property_add_devices(p, a, &out->devices);
	cgroup_property_add_writes(p, a, out->writes, out->n_writes);
	return cgroup_property_add_annotations(p, c, a, err);
}

void cgroup_unit_show(const struct cgroup_plan *p, struct show *out)
{
	show_act(out, "start unit %s%s%s by %s", p->unit.name, p->unit.slice ? " in " : "",
		 p->unit.slice ? p->unit.slice : "",
		 p->ref.user ? "the user's systemd" : "systemd");
	for (size_t i = 0; i < p->properties.n; i++) {
		const struct cgroup_property *property = &p->properties.list[i];
		char text[160];
		struct strbuf b = STRBUF(text);

		for (char **word = property->values; word && *word; word++)
			strbuf_addf(&b, "%s%s", b.len ? " " : "", *word);
		show_act(out, "property %s = %s%s", property->name, text, b.overflow ? "..." : "");
	}
}

/* --- the unit's cgroup --- */

/* Of the path, the part that is kist's to remove after systemd has removed the unit. */
static uint32_t own_components(const struct cgroup_plan *p)
{
	return p->subgroup ? 2 : 1;
}

/*
 * Hierarchies in which systemd makes and removes the slices.  "name=systemd" is one, unless it is
 * there for containers only, inside the v2 hierarchy that systemd uses.
 */
static bool is_managed(const struct cgroup_ref *ref, const struct cgroup_dir *d)
{
	static const char *const controllers[] = {
		"name=systemd", "cpu", "cpuacct", "blkio", "memory", "devices", "pids",
	};

	if (cgroup_dir_is_v2(d))
		return true;
	if (cgroup_dir_is_v2(&ref->dirs[0]) && path_is_below(d->mount, ref->dirs[0].mount))
		return false;
	for (size_t i = 0; i < sizeof(controllers) / sizeof(*controllers); i++) {
		if (cgroup_list_has(d->controllers, controllers[i], ','))
			return true;
	}
	return false;
}

int cgroup_systemd_locate(const struct cgroup_plan *p, struct arena *a, struct cgroup *cg,
			  struct error *err)
{
	int ret;

	if (!cg->helper)
		return error_set(err, 0, "the systemd helper was not started");
	ret = cgroup_helper_greet(cg->helper, a, err);
	for (size_t i = 0; ret == 0 && i < cg->ref.n_dirs; i++)
		cg->ref.dirs[i].path =
			arena_printf(a, "%s%s", cg->helper->control_group, p->ref.dirs[i].path);
	return ret;
}

void cgroup_systemd_own(const struct cgroup_plan *p, struct cgroup *cg)
{
	for (size_t i = 0; i < cg->ref.n_dirs; i++) {
		if (is_managed(&cg->ref, &cg->ref.dirs[i]))
			cg->ref.dirs[i].made = own_components(p);
	}
}

int cgroup_unit_run(const struct cgroup_plan *p, struct arena *a, struct cgroup *cg,
		    struct error *err)
{
	const struct cgroup_request r = {
		.verb = CGROUP_VERB_START,
		.unit = cg->ref.unit,
		.properties = p->properties.list,
		.n_properties = p->properties.n,
		.timeout_ms = CGROUP_UNIT_TIMEOUT_MS,
	};

	return cgroup_helper_ask(cg->helper, &r, a, err);
}

/* The path without its last n components. */
static void ancestor(const char *path, uint32_t n, char out[PATH_MAX])
{
	char *slash;

	snprintf(out, PATH_MAX, "%s", path);
	while (n-- > 0 && (slash = strrchr(out, '/')))
		*slash = '\0';
}

/*
 * The place where what kist itself makes begins: the unit's parent.  The unit's own directory must
 * be there, in systemd's own hierarchy at least.
 */
static int open_base(struct cgroup *cg, size_t i, bool must_exist, struct error *err)
{
	struct cgroup_dir *d = &cg->ref.dirs[i];
	owned_fd mount = cgroup_mount_open(d);
	owned_fd base = -1, unit = -1;
	char path[PATH_MAX];

	ancestor(d->path, d->made, path);
	base = mount < 0 ? mount : cgroup_dir_open(mount, path);
	/*
	 * Without the controller systemd made nothing here: the directory that there was will do.
	 */
	if (base == -ENOENT && !must_exist)
		return 0;
	if (base < 0)
		return error_set(err, -base, "open cgroup %s%s", d->mount, path);
	ancestor(d->path, d->made - 1, path);
	unit = must_exist ? cgroup_dir_open(mount, path) : -1;
	if (must_exist && unit < 0)
		return error_set(err, -unit, "open cgroup %s%s of unit %s", d->mount, path,
				 cg->ref.unit);
	fd_close(&cg->dirs[i]);
	cg->dirs[i] = fd_take(&base);
	return 0;
}

/*
 * With a sub-cgroup the unit's own must have no process, or it could hand no controllers down.  So
 * a process is born in the sub-cgroup that keeps the unit alive, and the placeholder goes; the
 * container is born there later.
 */
static int change_place(const struct cgroup_plan *p, struct cgroup *cg, struct error *err)
{
	owned_fd unit =
		openat(cg->dirs[0], p->unit.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	owned_fd sub = -1;
	struct sys_clone clone = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	pid_t self = getpid();

	if (unit >= 0 && (mkdirat(unit, p->subgroup, 0755) == 0 || errno == EEXIST))
		sub = openat(unit, p->subgroup, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return error_set(err, errno, "make cgroup %s in unit %s", p->subgroup,
				 p->unit.name);
	clone.cgroup = sub;
	cg->keeper = sys_clone3(&clone);
	if (cg->keeper == 0) {
		/* It must not outlive kist, in the container's cgroup. */
		if (sys_die_with(self) < 0)
			_exit(1);
		(void)fd_close_range_except(0, ~0U, NULL, 0);
		for (;;)
			(void)poll(NULL, 0, -1);
	}
	/*
	 * Not allowed (rootless, from outside the delegated tree): then the controllers stay with
	 * the unit.
	 */
	if (cg->keeper < 0) {
		log_debug("controllers are not enabled in cgroup %s: %s", p->subgroup,
			  error_text(-cg->keeper));
		return 0;
	}
	cgroup_helper_close(cg->helper);
	return 0;
}

/*
 * For the payload: a cgroup below the container's.  The child moves there when its cgroup namespace
 * has begun.
 */
static int make_delegate(const struct cgroup_plan *p, struct cgroup *cg, struct error *err)
{
	owned_fd dir = -1;

	if (mkdirat(cg->dirs[0], p->delegate, 0755) < 0 && errno != EEXIST)
		return error_set(err, errno, "make cgroup %s", p->delegate);
	dir = openat(cg->dirs[0], p->delegate, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir >= 0)
		cg->delegate = openat(dir, "cgroup.procs", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (cg->delegate < 0)
		return error_set(err, errno, "open cgroup %s", p->delegate);
	if (p->owner < 0)
		return 0;
	return cgroup_chown(dir, (uid_t)p->owner, err);
}

/* Now that nobody is in the container's own cgroup any more. */
int cgroup_delegate_ready_run(const struct cgroup_plan *p, struct cgroup *cg, struct error *err)
{
	(void)err;
	return p->delegate ? cgroup_v2_hand_down(cg->dirs[0]) : 0;
}

static int systemd_create(const struct cgroup_plan *p, struct cgroup *cg, struct error *err)
{
	struct arena scratch = ARENA_INIT;
	int ret = cgroup_helper_answer(cg->helper, &scratch, err);

	arena_free(&scratch);
	for (size_t i = 0; ret == 0 && i < cg->ref.n_dirs; i++) {
		const struct cgroup_dir *d = &cg->ref.dirs[i];

		if (is_managed(&cg->ref, d))
			ret = open_base(
				cg, i, i == 0 && (cgroup_dir_is_v2(d) || cg->ref.n_dirs == 1), err);
	}
	if (ret == 0 && p->subgroup && cgroup_clone_fd(cg) >= 0)
		ret = change_place(p, cg, err);
	if (ret == 0)
		ret = cgroup_manager_fs.create(p, cg, err);
	if (ret == 0 && p->delegate)
		ret = make_delegate(p, cg, err);
	return ret;
}

void cgroup_settle(struct cgroup *cg)
{
	if (cg->keeper > 0) {
		(void)kill(cg->keeper, SIGKILL);
		(void)waitpid(cg->keeper, NULL, 0);
		cg->keeper = 0;
	}
	if (cg->helper)
		cgroup_helper_release(cg->helper);
}

/* --- a unit that exists --- */

/* One request to a helper of its own. */
static int ask(const struct cgroup_ref *ref, struct cgroup_request *r, struct error *err)
{
	struct cgroup_helper h = CGROUP_HELPER_INIT;
	struct arena scratch = ARENA_INIT;
	int ret = cgroup_helper_start(&h, ref->user, &scratch, err);

	r->unit = ref->unit;
	r->timeout_ms = CGROUP_UNIT_TIMEOUT_MS;
	if (ret == 0)
		ret = cgroup_helper_ask(&h, r, &scratch, err);
	if (ret == 0)
		ret = cgroup_helper_answer(&h, &scratch, err);
	cgroup_helper_close(&h);
	arena_free(&scratch);
	return ret;
}

/*
 * The unit, then what is left of its directories.  Without a systemd that answers an empty cgroup
 * is removed all the same: with it systemd's own interest in the unit ends.
 */
static int systemd_remove(const struct cgroup_ref *ref, int timeout_ms, struct error *err)
{
	struct cgroup_request r = { .verb = CGROUP_VERB_STOP };
	struct error why = { 0 };
	int stopped = ask(ref, &r, &why);
	int ret = cgroup_manager_fs.remove(ref, timeout_ms, err);

	if (stopped < 0 && ret < 0 && err)
		*err = why;
	else if (stopped < 0)
		log_warning("%s", why.text);
	return ret;
}

/*
 * systemd's quota is one for a second: it follows from quota and period together, of which one may
 * be as it was.  So both are read from the files.
 */
static void add_quota(struct cgroup_properties *properties, const struct cgroup *cg,
		      const struct cgroup_write *w, struct arena *a)
{
	static const char *const files[] = { "cpu.max", "cpu.cfs_period_us", "cpu.cfs_quota_us" };
	char text[64];

	if (!w->controller || strcmp(w->controller, "cpu") != 0 || cg->dirs[w->dir] < 0)
		return;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct cgroup_write now = { .file = files[i] };

		if (file_read_small(cg->dirs[w->dir], files[i], text, sizeof(text)) < 0)
			continue;
		now.value = arena_strdup(a, text);
		cgroup_property_add_writes(properties, a, &now, 1);
	}
}

int cgroup_systemd_set(const struct cgroup_plan *p, const struct cgroup *cg, struct error *err)
{
	struct cgroup_properties properties = { 0 };
	struct arena scratch = ARENA_INIT;
	struct cgroup_request r = { .verb = CGROUP_VERB_SET };
	int ret;

	cgroup_property_add_writes(&properties, &scratch, p->writes, p->n_writes);
	for (size_t i = 0; i < p->n_writes; i++)
		add_quota(&properties, cg, &p->writes[i], &scratch);
	r.properties = properties.list;
	r.n_properties = properties.n;
	ret = properties.n == 0 ? 0 : ask(&p->ref, &r, err);
	arena_free(&scratch);
	return ret;
}

int cgroup_systemd_set_devices(const struct cgroup_plan *p, struct error *err)
{
	char *const none[] = { NULL };
	struct cgroup_properties properties = { 0 };
	struct cgroup_request r = { .verb = CGROUP_VERB_SET };
	struct arena scratch = ARENA_INIT;
	int ret;

	cgroup_property_add_devices(&properties, &scratch, &p->devices);
	r.n_properties = properties.n + 1;
	r.properties = ARENA_NEW_ARRAY(&scratch, struct cgroup_property, r.n_properties);
	/* systemd adds to the list that it has, unless an empty one has cleared it. */
	r.properties[0] = (struct cgroup_property){
		.name = arena_strdup(&scratch, "DeviceAllow"),
		.type = arena_strdup(&scratch, "a(ss)"),
		.values = arena_memdup(&scratch, none, sizeof(none)),
	};
	memcpy(r.properties + 1, properties.list, properties.n * sizeof(*properties.list));
	ret = ask(&p->ref, &r, err);
	arena_free(&scratch);
	return ret;
}

int cgroup_systemd_attach(const struct cgroup *cg, pid_t pid, struct error *err)
{
	const char *path = cg->ref.n_dirs ? cg->ref.dirs[0].path : "";
	const char *unit = strstr(path, cg->ref.unit);
	struct cgroup_request r = {
		.verb = CGROUP_VERB_ATTACH,
		.pid = pid,
		.below = (char *)(unit ? unit + strlen(cg->ref.unit) : ""),
	};

	return ask(&cg->ref, &r, err);
}

const struct cgroup_manager_ops cgroup_manager_systemd = {
	.create = systemd_create,
	.remove = systemd_remove,
};
