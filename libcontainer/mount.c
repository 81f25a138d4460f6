/* SPDX-License-Identifier: Apache-2.0 */
#include "mount.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"

/* What everything that compiles one mount needs. */
struct compile {
	const struct oci_config *c;
	const struct host *h;
	struct arena *a;
	const struct oci_mount *m;
	struct mount_entry *e;
	struct error *err;
};

/* One option, and the member that it stands in. */
struct mount_word {
	const char *text;
	char *const *at;
};

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool is_one_of(const char *s, const char *const *names)
{
	for (; *names; names++)
		if (is(s, *names))
			return true;
	return false;
}

/*
 * File systems that live in the kernel: their superblock may be shared with the host, or has to be
 * filled before it becomes read-only, so "ro" is a flag of the mount only.  For all others (disks:
 * the journal) of both.
 */
static const char *const kernel_types[] = {
	"proc", "sysfs", "tmpfs", "ramfs", "devpts", "mqueue", "cgroup", "cgroup2", "devtmpfs",
	"bpf", "tracefs", "debugfs", "securityfs", "configfs", "overlay", NULL
};

/* File systems that take no SELinux context. */
static const char *const unlabelled_types[] = {
	"proc", "sysfs", "mqueue", "cgroup", "cgroup2", NULL
};

/*
 * What lxcfs and the like may put over procfs' own files; nothing else inside /proc
 * (CVE-2019-16884).
 */
static const char *const proc_files[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/meminfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/uptime",
	"/proc/loadavg",
	"/proc/slabinfo",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/sys/crypto/fips_enabled",
	NULL
};

static bool maps(const struct oci_id_mapping *map, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (id >= map[i].container_id && id - map[i].container_id < map[i].size)
			return true;
	return false;
}

/*
 * uid= and gid= of tmpfs and devpts are ids of the container's user namespace; the kernel only says
 * EINVAL.
 */
static int check_id_option(const struct compile *k, const struct mount_word *w)
{
	const struct oci_linux *l = k->c->linux;
	bool uid = str_starts(w->text, "uid=");
	uint32_t id;

	if (!l || !oci_namespace_find(k->c, CLONE_NEWUSER) ||
	    l->n_uid_mappings + l->n_gid_mappings == 0)
		return 0;
	if ((!uid && !str_starts(w->text, "gid=")) || str_to_id(w->text + 4, &id) < 0)
		return 0;
	if (uid ? maps(l->uid_mappings, l->n_uid_mappings, id)
		: maps(l->gid_mappings, l->n_gid_mappings, id))
		return 0;
	return oci_error(k->c, w->at, k->err,
			 "%s: %s %u is not mapped in the container's user namespace", w->text,
			 uid ? "user" : "group", id);
}

static struct mnt_param make_param(struct arena *a, const char *option)
{
	const char *equal = strchr(option, '=');
	const char *value = equal ? equal + 1 : NULL;
	size_t len = value ? strlen(value) : 0;

	if (!value)
		return (struct mnt_param){ .key = arena_strdup(a, option) };
	/* Labels are quoted for mount(2), where a comma would end them. */
	if (len > 1 && value[0] == '"' && value[len - 1] == '"') {
		value++;
		len -= 2;
	}
	return (struct mnt_param){
		.key = arena_strndup(a, option, (size_t)(equal - option)),
		.value = arena_strndup(a, value, len),
	};
}

/* "size=64k": for messages, so that a value which may be a password is left out. */
static const char *param_text(struct arena *a, const char *type, struct mnt_param p)
{
	const char *value = mount_option_shown(type, &p);

	return value ? arena_printf(a, "%s=%s", p.key, value) : p.key;
}

static void add_param(const struct compile *k, const char *option)
{
	struct mnt_param *params = arena_grow(k->a, (void *)k->e->fs.params, k->e->fs.n_params,
					      sizeof(*params));

	params[k->e->fs.n_params++] = make_param(k->a, option);
	k->e->fs.params = params;
	if (str_starts(option, "mode="))
		k->e->inherit_mode = false;
}

/* The kernel takes cgroup2's options from its first cgroup namespace only, and silently. */
static bool is_inner_cgroup2(const struct compile *k)
{
	return k->e->kind == MOUNT_FS && is(k->e->type, "cgroup2") &&
		oci_namespace_find(k->c, CLONE_NEWCGROUP);
}

/* An option that no table knows goes to the file system; a bind mount has none. */
static int compile_data(const struct compile *k, const struct mount_word *w)
{
	const char *near;

	/* Comments of whoever wrote the list, which mount(8) passes over as well. */
	if (str_starts(w->text, "x-"))
		return 0;
	if (k->e->kind == MOUNT_CGROUP || is_inner_cgroup2(k))
		json_warn(k->c->doc, JSON_BAD_VALUE, w->at,
			  "\"%s\" has no effect: a cgroup hierarchy has the options of the "
			  "host's mount",
			  param_text(k->a, k->e->type, make_param(k->a, w->text)));
	if (k->e->kind != MOUNT_FROM) {
		add_param(k, w->text);
		return check_id_option(k, w);
	}
	/* Engines of the 1.0 era gave bind mounts the options of the tmpfs they stood for. */
	if (str_starts(w->text, "mode=") || str_starts(w->text, "size=")) {
		json_warn(k->c->doc, JSON_BAD_VALUE, w->at, "%s has no effect on a bind mount",
			  w->text);
		return 0;
	}
	near = mount_option_suggest(w->text);
	return oci_error(k->c, w->at, k->err, "unknown option \"%s\" of a bind mount%s%s%s",
			 param_text(k->a, "bind", make_param(k->a, w->text)),
			 near ? ": did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static const char *const mount_names[] = {
	[MOUNT_FS] = "new",
	[MOUNT_FROM] = "bind",
	[MOUNT_AGAIN] = "remounted",
	[MOUNT_CGROUP] = "cgroup",
};

/* What the options of a mount of this kind are given to (mount_run.c). */
static enum mount_target target_of(const struct mount_entry *e)
{
	switch (e->kind) {
	case MOUNT_FROM:
		return MOUNT_TARGET_COPY;
	case MOUNT_AGAIN:
		return e->flags.special & MOUNT_BIND ? MOUNT_TARGET_MOUNT : MOUNT_TARGET_SUPER;
	case MOUNT_CGROUP:
		return MOUNT_TARGET_MOUNT;
	case MOUNT_FS:
		break;
	}
	return MOUNT_TARGET_SUPER;
}

/* Options that stand in one string are options of their own, at the string's position. */
static size_t split_options(const struct compile *k, struct mount_word **out)
{
	struct mount_word *words = NULL;
	size_t n = 0;

	for (char **o = k->m->options; o && *o; o++)
		for (const char *text = *o, *next; text; text = next) {
			size_t len = oci_mount_option(k->m, text, &next);

			words = arena_grow(k->a, words, n, sizeof(*words));
			words[n++] = (struct mount_word){
				.text = arena_strndup(k->a, text, len),
				.at = o,
			};
		}
	*out = words;
	return n;
}

static int compile_options(const struct compile *k)
{
	struct mount_entry *e = k->e;
	struct mount_word *words;
	size_t n = split_options(k, &words);
	int r = 0;

	/* First what is known, since it decides what the rest may be. */
	for (size_t i = 0; i < n; i++)
		mount_option_apply(words[i].text, &e->flags);
	if (is(e->type, "bind"))
		e->flags.special |= MOUNT_BIND;
	if (e->flags.special & MOUNT_REMOUNT)
		e->kind = MOUNT_AGAIN;
	else if (e->flags.special & MOUNT_BIND)
		e->kind = MOUNT_FROM;
	else if (is(e->type, "cgroup"))
		e->kind = MOUNT_CGROUP;
	e->inherit_mode = e->kind == MOUNT_FS && is(e->type, "tmpfs");
	for (size_t i = 0; i < n && oci_goes_on(k->c, r); i++) {
		struct mount_flags none = { .special = 0 };

		if (!mount_option_apply(words[i].text, &none))
			oci_keep(&r, compile_data(k, &words[i]));
		else if (mount_option_is_idle(words[i].text, target_of(e)))
			json_warn(k->c->doc, JSON_BAD_VALUE, words[i].at,
				  "%s has no effect on a %s mount", words[i].text,
				  mount_names[e->kind]);
	}
	return r;
}

/*
 * A bind keeps the flags of its source until one is named; then it has those that are named and no
 * other, as after mount(8)'s remount.  The access time is a field of its own.
 */
static void imply_flags(struct mnt_attr *a)
{
	a->implied = (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
		      MOUNT_ATTR_NOSYMFOLLOW) & ~a->set & ~a->clr;
	if (a->set & (MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME))
		a->implied |= (MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME) & ~a->set;
	/* The kernel takes the access time's field as a whole only. */
	if (a->implied & MOUNT_ATTR__ATIME) {
		a->implied &= ~(uint64_t)MOUNT_ATTR__ATIME;
		a->clr |= MOUNT_ATTR__ATIME;
	}
}

static void compile_fs(const struct compile *k)
{
	const struct oci_linux *l = k->c->linux;
	struct mount_entry *e = k->e;
	bool readonly = e->flags.attr.set & MOUNT_ATTR_RDONLY;

	if (e->kind == MOUNT_FROM || e->kind == MOUNT_CGROUP) {
		if (e->flags.explicit && e->kind == MOUNT_FROM)
			imply_flags(&e->flags.attr);
		return;
	}
	if (e->kind == MOUNT_FS && l && l->mount_label && k->h->selinux &&
	    !is_one_of(e->type, unlabelled_types))
		add_param(k, arena_printf(k->a, "context=%s", l->mount_label));
	e->late_readonly = e->kind == MOUNT_FS && readonly &&
			   (is(e->type, "tmpfs") || is(e->destination, "/dev"));
	if (e->late_readonly)
		e->flags.attr.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	e->fs.type = e->type;
	e->fs.source = e->source;
	e->fs.ms = e->flags.ms;
	if (readonly && !e->late_readonly && !is_one_of(e->type, kernel_types))
		e->fs.ms |= MS_RDONLY;
	e->fs.attr = e->flags.attr.set;
}

/* Lines of a map file. */
static const char *map_text(struct arena *a, const struct oci_id_mapping *map, size_t n)
{
	struct arena_text text = ARENA_TEXT(a);

	for (size_t i = 0; i < n; i++)
		arena_text_addf(&text, "%u %u %u\n", map[i].container_id, map[i].host_id,
				map[i].size);
	return text.text;
}

/*
 * "0-1-10#10-11-10": from-to-count; with '@' the second is an id of the container, turned into the
 * host's.  0, -EINVAL, or -E2BIG: there are more than the kernel takes.
 */
static int parse_ranges(const struct compile *k, const char *text, bool uids, const char **out)
{
	const struct oci_linux *l = k->c->linux;
	const struct oci_id_mapping *map = !l ? NULL : uids ? l->uid_mappings : l->gid_mappings;
	size_t n = !l ? 0 : uids ? l->n_uid_mappings : l->n_gid_mappings;
	char *copy = arena_strdup(k->a, text), *save = NULL;
	struct arena_text lines = ARENA_TEXT(k->a);
	size_t ranges = 0;

	for (char *range = strtok_r(copy, "#", &save); range; range = strtok_r(NULL, "#", &save)) {
		bool relative = *range == '@';
		char *rest = NULL;
		char *from = strtok_r(range + relative, "-", &rest);
		char *to = strtok_r(NULL, "-", &rest);
		char *count = strtok_r(NULL, "", &rest);
		uint32_t v[3];
		size_t i = 0;

		if (++ranges > OCI_MAPPINGS_MAX)
			return -E2BIG;
		if (!from || !to || !count || str_to_id(from, &v[0]) < 0 ||
		    str_to_id(to, &v[1]) < 0 || str_to_u32(count, &v[2]) < 0)
			return -EINVAL;
		while (relative && i < n && !maps(&map[i], 1, v[1]))
			i++;
		if (relative && i == n)
			return -EINVAL;
		if (relative)
			v[1] += map[i].host_id - map[i].container_id;
		arena_text_addf(&lines, "%u %u %u\n", v[0], v[1], v[2]);
	}
	*out = lines.text;
	return lines.len ? 0 : -EINVAL;
}

/* "uids=0-1-10;gids=0-100-10" */
static int compile_idmap_text(const struct compile *k)
{
	char *copy = arena_strdup(k->a, k->e->flags.idmap), *save = NULL;

	for (char *part = strtok_r(copy, ";", &save); part; part = strtok_r(NULL, ";", &save)) {
		bool uids = str_starts(part, "uids=");
		int r;

		if (!uids && !str_starts(part, "gids="))
			return oci_error(k->c, &k->m->options, k->err,
					 "idmap=%s: expected uids=FROM-TO-COUNT and "
					 "gids=FROM-TO-COUNT, not \"%s\"",
					 k->e->flags.idmap, part);
		r = parse_ranges(k, part + 5, uids, uids ? &k->e->uid_map : &k->e->gid_map);
		if (r == -E2BIG)
			return oci_error(k->c, &k->m->options, k->err,
					 "idmap: more than %d ranges: the kernel takes no more",
					 OCI_MAPPINGS_MAX);
		if (r < 0)
			return oci_error(
				k->c, &k->m->options, k->err,
				"idmap=%s: \"%s\" is not a list of [@]FROM-TO-COUNT separated by #",
				k->e->flags.idmap, part);
	}
	if (!k->e->uid_map || !k->e->gid_map)
		return oci_error(k->c, &k->m->options, k->err,
				 "idmap=%s: both uids= and gids= are needed", k->e->flags.idmap);
	return 0;
}

static int compile_idmap(const struct compile *k)
{
	const struct oci_namespace *ns = oci_namespace_find(k->c, CLONE_NEWUSER);
	const struct oci_linux *l = k->c->linux;
	const struct oci_mount *m = k->m;
	struct mount_entry *e = k->e;

	if (!(e->flags.special & MOUNT_IDMAP) && m->n_uid_mappings + m->n_gid_mappings == 0)
		return 0;
	if (e->kind == MOUNT_AGAIN || e->kind == MOUNT_CGROUP)
		return oci_error(k->c, &m->destination, k->err, "a %s mount cannot be idmapped",
				 e->kind == MOUNT_AGAIN ? "remounted" : "cgroup");
	if (e->flags.idmap)
		return compile_idmap_text(k);
	e->flags.special |= MOUNT_IDMAP;
	if (m->n_uid_mappings + m->n_gid_mappings > 0) {
		if (m->n_uid_mappings == 0 || m->n_gid_mappings == 0)
			return oci_error(k->c, &m->destination, k->err,
					 "uidMappings and gidMappings must be given together");
		e->uid_map = map_text(k->a, m->uid_mappings, m->n_uid_mappings);
		e->gid_map = map_text(k->a, m->gid_mappings, m->n_gid_mappings);
		return 0;
	}
	/*
	 * The container's own mapping: the same text makes the same mapping, without waiting for
	 * its namespace.
	 */
	if (l && l->n_uid_mappings > 0 && l->n_gid_mappings > 0) {
		e->uid_map = map_text(k->a, l->uid_mappings, l->n_uid_mappings);
		e->gid_map = map_text(k->a, l->gid_mappings, l->n_gid_mappings);
		return 0;
	}
	if (!ns || !ns->path)
		return oci_error(
			k->c, &m->options, k->err,
			"option idmap needs a mapping: uidMappings and gidMappings of the mount, "
			"idmap=uids=...;gids=..., or a user namespace");
	e->userns_path = ns->path;
	return 0;
}

static int compile_destination(const struct compile *k)
{
	struct mount_entry *e = k->e;
	char clean[PATH_MAX];

	if (!k->m->destination || !*k->m->destination)
		return oci_error(k->c, &k->m->destination, k->err, "the destination is empty");
	/* A relative one counts from "/"; oci_config_check() warned. */
	if (path_clean(arena_printf(k->a, "/%s", k->m->destination), clean, sizeof(clean)) < 0)
		return oci_error(k->c, &k->m->destination, k->err,
				 "the destination is longer than %d bytes", PATH_MAX - 1);
	e->destination = arena_strdup(k->a, clean);
	if (is(clean, "/") && e->kind != MOUNT_AGAIN)
		return oci_error(
			k->c, &k->m->destination, k->err,
			"the root file system itself cannot be mounted over; see root.path");
	if (is(clean, "/proc") && e->kind == MOUNT_FS && !is(e->type, "proc"))
		return oci_error(k->c, &k->m->destination, k->err,
				 "/proc cannot be mounted because it is not of type proc");
	e->in_proc = is_one_of(clean, proc_files);
	if (!is(clean, "/proc") && path_is_below(clean, "/proc") && !e->in_proc &&
	    e->kind != MOUNT_AGAIN)
		return oci_error(k->c, &k->m->destination, k->err,
				 "%s cannot be mounted because it is inside /proc", clean);
	e->ordinary = is(e->type, "proc") || is(e->type, "sysfs") || is(clean, "/proc") ||
		      is(clean, "/sys");
	return 0;
}

static int compile_one(const struct compile *k)
{
	struct mount_entry *e = k->e;
	const struct oci_mount *m = k->m;
	const struct oci_namespace *net;
	int r;

	e->type = m->type && *m->type && !is(m->type, "none") ? m->type : "";
	e->where = oci_position(k->c, &m->destination, k->a, NULL);
	if (!e->where)
		e->where = arena_printf(k->a, "mounts[%zu]", (size_t)(m - k->c->mounts));
	e->where_source = oci_position(k->c, &m->source, k->a, e->where);
	r = compile_options(k);
	if (oci_goes_on(k->c, r))
		oci_keep(&r, compile_destination(k));
	if (r < 0)
		return r;
	if (e->kind == MOUNT_FROM && (!m->source || !*m->source))
		return oci_error(k->c, &m->destination, k->err, "a bind mount needs a source");
	if (e->kind == MOUNT_FS && !*e->type)
		return oci_error(k->c, &m->destination, k->err,
				 "a mount needs a type, or one of the options bind and rbind");
	if (e->kind == MOUNT_FROM)
		e->type = "bind";
	e->source = m->source && *m->source ? m->source : *e->type ? e->type : "none";
	if (e->flags.special & MOUNT_TMPCOPYUP && !(e->kind == MOUNT_FS && is(e->type, "tmpfs")))
		return oci_error(k->c, &m->options, k->err,
				 "option tmpcopyup is for mounts of type tmpfs");
	/* Only the owner of a network namespace may mount a sysfs, which shows it. */
	net = oci_namespace_find(k->c, CLONE_NEWNET);
	e->sysfs_fallback = is(e->type, "sysfs") && (!net || net->path);
	compile_fs(k);
	return compile_idmap(k);
}

const struct oci_pair *mount_force_cgroup_v1(const struct oci_config *c)
{
	for (size_t i = 0; i < c->n_annotations; i++)
		if (is(c->annotations[i].key, "run.oci.systemd.force_cgroup_v1") &&
		    *c->annotations[i].value)
			return &c->annotations[i];
	return NULL;
}

/* Whatever the mount is in the configuration, it becomes one of the v1 hierarchy. */
static void become_cgroup_v1(struct mount_entry *e)
{
	e->kind = MOUNT_CGROUP;
	e->cgroup_v1 = true;
	e->type = "cgroup";
	e->source = "name=systemd";
	e->fs = (struct mnt_fs){ .type = e->type };
	if (e->late_readonly)
		e->flags.attr.set |= MOUNT_ATTR_RDONLY;
	e->late_readonly = false;
	e->uid_map = e->gid_map = e->userns_path = NULL;
}

static int compile_cgroup_v1(const struct oci_config *c, const struct host *h, struct arena *a,
			     struct mount_plan *out, struct error *err)
{
	const struct oci_pair *pair = mount_force_cgroup_v1(c);
	char clean[PATH_MAX];
	bool found = false;

	if (!pair || out->skipped)
		return 0;
	if (pair->value[0] != '/' || path_clean(pair->value, clean, sizeof(clean)) < 0)
		return oci_error(c, pair, err, "\"%s\" is not an absolute path", pair->value);
	if (!mount_cgroup_compile_systemd(h, a, &out->cgroup_v1))
		return oci_error(c, pair, err,
				 "this machine has no cgroup v1 hierarchy \"name=systemd\": mkdir "
				 "/sys/fs/cgroup/systemd && mount -t cgroup -o none,name=systemd "
				 "cgroup /sys/fs/cgroup/systemd");
	for (size_t i = 0; i < out->n; i++) {
		if (!is(out->entries[i].destination, clean))
			continue;
		become_cgroup_v1(&out->entries[i]);
		found = true;
	}
	return found ? 0 : oci_error(c, pair, err, "no mount has the destination %s", clean);
}

int mount_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		  struct mount_plan *out, struct error *err)
{
	static const struct mount_fds no_fds = { -1, -1, -1, -1 };
	int r = 0;

	*out = (struct mount_plan){ .userns = oci_namespace_find(c, CLONE_NEWUSER) };
	out->entries = ARENA_NEW_ARRAY(a, struct mount_entry, c->n_mounts);
	out->fds = ARENA_NEW_ARRAY(a, struct mount_fds, c->n_mounts);
	out->n = c->n_mounts;
	out->skipped = !oci_namespace_find(c, CLONE_NEWNS);
	if (out->skipped && out->n)
		json_warn(c->doc, JSON_CONFLICT, &c->mounts,
			  "there is no mount namespace: nothing is mounted, since nothing would "
			  "unmount it");
	for (size_t i = 0; i < out->n && oci_goes_on(c, r); i++) {
		struct compile k = { c, h, a, &c->mounts[i], &out->entries[i], err };

		out->fds[i] = no_fds;
		oci_keep(&r, compile_one(&k));
	}
	mount_cgroup_compile(h, a, &out->cgroup);
	return r < 0 ? r : compile_cgroup_v1(c, h, a, out, err);
}

void mount_close(const struct mount_plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		fd_close(&p->fds[i].tree);
		fd_close(&p->fds[i].userns);
		fd_close(&p->fds[i].late);
		fd_close(&p->fds[i].proc);
	}
}

static bool is_proc(const struct mount_plan *p, size_t i)
{
	return !p->skipped && p->entries[i].kind == MOUNT_FS &&
	       strcmp(p->entries[i].type, "proc") == 0;
}

unsigned int mount_count_proc(const struct mount_plan *p)
{
	unsigned int count = 0;

	for (size_t i = 0; i < p->n; i++)
		count += is_proc(p, i);
	return count;
}

bool mount_take_proc(const struct mount_plan *p, int *fd)
{
	for (size_t i = 0; i < p->n; i++) {
		if (!is_proc(p, i) || p->fds[i].proc >= 0)
			continue;
		p->fds[i].proc = fd_take(fd);
		return true;
	}
	return false;
}

/* Of an idmapped mount: its two mappings on one line, "0 1000 1, 1 2000 10". */
static void show_idmap(const struct mount_entry *e, struct show *out)
{
	const char *maps[] = { e->uid_map, e->gid_map };

	if (e->userns_path)
		show_act(out, "  its ids mapped as in user namespace %s", e->userns_path);
	for (size_t i = 0; i < 2 && maps[i]; i++) {
		struct arena_text text = ARENA_TEXT(out->arena);

		for (const char *at = maps[i]; *at;) {
			size_t len = strcspn(at, "\n");

			arena_text_addf(&text, "%s%.*s", text.len ? ", " : "", (int)len, at);
			at += len + (at[len] == '\n');
		}
		show_act(out, "  its %s mapped: %s", i == 0 ? "uids" : "gids", text.text);
	}
}

void mount_show(const struct mount_plan *p, struct show *out)
{
	for (size_t i = 0; i < p->n && !p->skipped; i++) {
		const struct mount_entry *e = &p->entries[i];
		struct arena_text data = ARENA_TEXT(out->arena);
		char options[512];
		bool none;

		mount_option_print(&e->flags, options, sizeof(options));
		for (size_t j = 0; j < e->fs.n_params; j++)
			arena_text_addf(&data, ",%s",
					param_text(out->arena, e->type, e->fs.params[j]));
		none = options[0] == '\0' && data.len == 0;
		show_act(out, "%s %s on %s type %s%s%s%s%s%s",
			 e->kind == MOUNT_AGAIN ? "remount" : "mount", e->source, e->destination,
			 *e->type ? e->type : "none", none ? "" : " (", options,
			 options[0] ? data.text : data.text + (data.len > 0), none ? "" : ")",
			 e->late_readonly ? ", read-only at the end" : "");
		show_idmap(e, out);
	}
}
