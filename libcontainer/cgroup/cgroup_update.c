/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/cgroup_update.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "cgroup/cgroup_impl.h"
#include "cgroup/cgroup_stats.h"

/* io.max of a machine with many limited disks. */
#define OLD_TEXT_MAX 8192

void cgroup_update_complete(const struct cgroup_ref *ref, struct arena *a, struct oci_resources *r)
{
	struct oci_memory *m = r->memory;
	int i = cgroup_knob_dir(ref, "");
	owned_fd dir = -1;
	uint64_t limit;

	if (!m || !m->swap || *m->swap <= 0 || (m->limit && *m->limit != 0) || i < 0 ||
	    cgroup_knob_dir(ref, "memory") >= 0 || !cgroup_dir_used(&ref->dirs[i]))
		return;
	dir = cgroup_leaf_open(&ref->dirs[i]);
	limit = dir < 0 ? 0 : cgroup_stats_number(dir, "memory.max");
	if (limit == 0 || limit > INT64_MAX)
		return;
	m->limit = ARENA_NEW(a, int64_t);
	*m->limit = (int64_t)limit;
}

/* --- taking back --- */

/* What brings a file back to what it said; value NULL: nothing can. */
struct cgroup_old_value {
	const char *file;
	const char *value;
};

/* The line of text that begins with the key and a space; NULL if there is none. */
static char *keyed_line(const char *text, const char *key, size_t key_len, struct arena *a)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, key_len) == 0 && line[key_len] == ' ')
			return arena_strndup(a, line, strcspn(line, "\n"));
	}
	return NULL;
}

/* No line: the device had no limit or weight of its own.  What says so differs. */
static char *unset_line(const char *file, const char *key, size_t key_len, struct arena *a)
{
	const char *unset = NULL;

	if (strcmp(file, "io.max") == 0)
		unset = "rbps=max wbps=max riops=max wiops=max";
	else if (str_starts(file, "blkio.throttle.") || str_ends(file, "weight_device"))
		unset = "0";
	else if (strstr(file, "weight"))
		unset = "default";
	return unset ? arena_printf(a, "%.*s %s", (int)key_len, key, unset) : NULL;
}

/*
 * The files are read in another form than they are written: some hold a line for each device, of
 * which a write changes one.
 */
static const char *old_text(const char *file, const char *written, const char *text,
			    struct arena *a)
{
	size_t key_len = strcspn(written, " ");
	bool keyed = written[key_len] && strcmp(file, "cpu.max") != 0;
	char *line;

	if (strcmp(file, "memory.oom_control") == 0)
		return cgroup_stats_keyed(text, "oom_kill_disable") ? "1" : "0";
	if (!keyed)
		/* An empty list (v2's cpuset.cpus) is written as an empty line. */
		return *text ? arena_strndup(a, text, strcspn(text, "\n")) : "\n";
	line = keyed_line(text, written, key_len, a);
	return line ? line : unset_line(file, written, key_len, a);
}

static struct cgroup_old_value save(const struct cgroup_write *w, int dir, struct arena *a)
{
	struct cgroup_old_value old = { .file = w->file };
	const char *written = w->value;
	char text[OLD_TEXT_MAX];
	ssize_t n;

	if (dir < 0)
		return old;
	n = file_read_small(dir, w->file, text, sizeof(text));
	if (n == -ENOENT && w->alt_file) {
		old.file = w->alt_file;
		written = w->alt_value;
		n = file_read_small(dir, w->alt_file, text, sizeof(text));
	}
	if (n >= 0)
		old.value = old_text(old.file, written, text, a);
	return old;
}

/* A write that was refused has changed nothing; to write the same again may be refused, too. */
static bool is_unchanged(const struct cgroup_write *w, int dir, const struct cgroup_old_value *old)
{
	struct arena scratch = ARENA_INIT;
	struct cgroup_old_value now = save(w, dir, &scratch);
	bool same = now.value && strcmp(now.file, old->file) == 0 &&
		    strcmp(now.value, old->value) == 0;

	arena_free(&scratch);
	return same;
}

/*
 * Last write first.  Values that bound each other may need the other order: what was refused is
 * tried once more.
 */
void cgroup_update_restore(const struct cgroup_plan *p, const struct cgroup *cg,
			   struct cgroup_old_value *old)
{
	for (int try = 0; try < 2; try++) {
		for (size_t i = p->n_writes; i-- > 0;) {
			const struct cgroup_write *w = &p->writes[i];
			int ret;

			if (!old[i].value || is_unchanged(w, cg->dirs[w->dir], &old[i]))
				continue;
			ret = file_write(cg->dirs[w->dir], old[i].file, old[i].value);
			if (ret == 0)
				old[i].value = NULL;
			else if (try == 1)
				log_warning("%s: write \"%s\" back to %s: %s", w->member,
					    old[i].value, old[i].file, error_text(-ret));
		}
	}
}

int cgroup_update_run(const struct cgroup_plan *p, const struct cgroup *cg, struct arena *a,
		      struct cgroup_old_value **out, struct error *err)
{
	struct cgroup_old_value *old = ARENA_NEW_ARRAY(a, struct cgroup_old_value, p->n_writes);
	int ret;

	for (size_t i = 0; i < p->n_writes; i++)
		old[i] = save(&p->writes[i], cg->dirs[p->writes[i].dir], a);
	ret = cgroup_limits_run(p, cg, err);
	if (ret < 0)
		cgroup_update_restore(p, cg, old);
	else
		*out = old;
	return ret;
}

/* --- devices --- */

/* Whether b begins with all lines of a. */
static bool continues(const struct cgroup_device_plan *a, const struct cgroup_device_plan *b)
{
	if (a->n_lines > b->n_lines)
		return false;
	for (size_t i = 0; i < a->n_lines; i++)
		if (a->lines[i].allow != b->lines[i].allow ||
		    strcmp(a->lines[i].text, b->lines[i].text) != 0)
			return false;
	return true;
}

/* The rules so far, and what an update adds. */
static int collect_rules(const struct oci_config *container, const struct oci_resources *earlier,
			 const struct oci_resources *added, struct arena *a,
			 struct cgroup_device_plan *out, struct error *err)
{
	const struct oci_resources *more[] = { earlier, added };
	int ret = cgroup_device_rules(container, a, out, err);

	for (size_t i = 0; ret == 0 && i < 2; i++)
		if (more[i])
			ret = cgroup_device_add(more[i], a, out, err);
	return ret;
}

int cgroup_update_devices_compile(const struct oci_config *container,
				  const struct oci_resources *earlier,
				  const struct oci_resources *added, struct arena *a,
				  struct cgroup_plan *p, struct error *err)
{
	int v1 = cgroup_knob_dir(&p->ref, "devices");
	struct cgroup_device_plan *devices = &p->devices;
	struct cgroup_device_plan before = { .dir = v1 };
	struct oci_config plain = *container;
	int ret;

	/* The config was good for create: what is wrong now is not in its text. */
	plain.doc = NULL;
	container = &plain;
	*devices = (struct cgroup_device_plan){ .dir = v1 };
	if (v1 < 0)
		devices->dir = cgroup_knob_dir(&p->ref, "");
	if (devices->dir < 0 || !cgroup_dir_used(&p->ref.dirs[devices->dir]))
		return error_set(err, 0, "the container has no cgroup that controls devices");
	ret = collect_rules(container, earlier, added, a, devices, err);
	if (ret < 0)
		return ret;
	if (v1 < 0) {
		cgroup_device_program(a, devices);
		return 0;
	}
	/*
	 * v1: only what is new.  To begin with "deny everything" again would be refused once the
	 * payload has cgroups of its own, and be a moment without any device.
	 */
	ret = collect_rules(container, earlier, NULL, a, &before, err);
	if (ret == 0)
		ret = cgroup_device_lines(container, a, &before, err);
	if (ret == 0)
		ret = cgroup_device_lines(container, a, devices, err);
	if (ret == 0 && continues(&before, devices)) {
		devices->lines += before.n_lines;
		devices->n_lines -= before.n_lines;
	}
	return ret;
}

int cgroup_update_devices_run(const struct cgroup_plan *p, const struct cgroup *cg,
			      struct error *err)
{
	const struct cgroup_device_plan *d = &p->devices;
	int dir = cg->dirs[d->dir];

	if (d->n_insns)
		return cgroup_device_attach(d, dir, true, err);
	return cgroup_device_write_lines(d, dir, err);
}

int cgroup_update_devices_keep(const struct cgroup_plan *p, struct error *err)
{
	int ret = p->ref.unit ? cgroup_systemd_set_devices(p, err) : 0;

	return ret < 0 ? error_prefix(err, "the rules hold, but only until systemd reloads") : 0;
}
