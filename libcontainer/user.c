/* SPDX-License-Identifier: Apache-2.0 */
/* user.c - uid, gid, groups, umask and home of the container process. */
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"

#define PASSWD_MAX (1024 * 1024)

static bool is_mapped(const struct oci_id_mapping *map, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (id >= map[i].container_id && id - map[i].container_id < map[i].size)
			return true;
	return n ==
	       0; /* no mapping written here: the namespace has its own, and setuid will tell */
}

static int check_ids(const struct oci_config *c, const struct oci_user *u, bool keep_groups,
		     struct error *err)
{
	const struct oci_namespace *ns = oci_namespace_find(c, CLONE_NEWUSER);
	const struct oci_linux *l = c->linux;
	int r = 0;

	/*
	 * (uid_t)-1 means "leave it as it is" to the kernel: the process would stay the caller,
	 * root.
	 */
	if (u->uid > STR_ID_MAX)
		return oci_error(c, &u->uid, err, "uid %u is out of range (0 to %u)", u->uid,
				 STR_ID_MAX);
	if (u->gid > STR_ID_MAX)
		return oci_error(c, &u->gid, err, "gid %u is out of range (0 to %u)", u->gid,
				 STR_ID_MAX);
	/* Mappings beside a path are those of the namespace (idmap_check). */
	if (ns == NULL || (ns->path != NULL && l->n_uid_mappings + l->n_gid_mappings == 0))
		return 0;
	if (!is_mapped(l->uid_mappings, l->n_uid_mappings, u->uid))
		r = oci_error(c, &u->uid, err,
			      "cannot setuid to unmapped uid %u in user namespace", u->uid);
	if (oci_goes_on(c, r) && !is_mapped(l->gid_mappings, l->n_gid_mappings, u->gid))
		oci_keep(&r, oci_error(c, &u->gid, err,
				       "cannot setgid to unmapped gid %u in user namespace",
				       u->gid));
	for (size_t i = 0; !keep_groups && i < u->n_additional_gids && oci_goes_on(c, r); i++)
		if (!is_mapped(l->gid_mappings, l->n_gid_mappings, u->additional_gids[i]))
			oci_keep(&r, oci_error(c, &u->additional_gids[i], err,
					       "cannot set unmapped additional gid %u in user "
					       "namespace",
					       u->additional_gids[i]));
	return r;
}

/*
 * An unprivileged caller without newgidmap can map one gid only, and the kernel then wants
 * setgroups denied.
 */
static bool setgroups_denied(const struct oci_config *c, const struct host *h)
{
	const struct oci_namespace *ns = oci_namespace_find(c, CLONE_NEWUSER);

	return h->euid != 0 && ns != NULL && ns->path == NULL && c->linux->n_gid_mappings == 1 &&
	       c->linux->gid_mappings[0].size == 1;
}

/*
 * The caller's groups are what additionalGids could ask for as well, but for one case: in a user
 * namespace that does not map them they could not be asked for.  There root, who starts containers
 * for others, does not give its own away; an ordinary user has only itself to give to.
 */
static bool keeps_groups(const struct oci_config *c, const struct host *h)
{
	static const char name[] = "run.oci.keep_original_groups";
	const char *keep = oci_annotation(c, name);

	if (!keep || strcmp(keep, "1") != 0)
		return false;
	if (h->anybody || !host_is_privileged(h) || !oci_namespace_find(c, CLONE_NEWUSER))
		return true;
	for (size_t i = 0; i < c->n_annotations; i++)
		if (strcmp(c->annotations[i].key, name) == 0)
			json_warn(c->doc, JSON_CONFLICT, &c->annotations[i],
				  "has no effect: root's own groups are not for a container with "
				  "a user namespace");
	return false;
}

int user_compile(const struct oci_config *c, const struct oci_process *p, const struct host *h,
		 struct arena *a, struct user_plan *out, struct error *err)
{
	const struct oci_user *u = &p->user;
	int r;

	memset(out, 0, sizeof(*out));
	out->uid = u->uid;
	out->gid = u->gid;
	out->umask = u->umask != NULL ? *u->umask : 022;
	if (out->umask > 0777)
		return oci_error(c, &u->umask, err, "umask %u is above 0777 (octal)", *u->umask);
	out->keep_groups = keeps_groups(c, h);
	r = check_ids(c, u, out->keep_groups, err);
	if (r < 0)
		return r;
	out->groups_denied_ok = !host_is_privileged(h);
	if (out->keep_groups && u->n_additional_gids > 0)
		json_warn(c->doc, JSON_CONFLICT, &u->additional_gids,
			  "has no effect: the annotation run.oci.keep_original_groups keeps the "
			  "caller's groups");
	if (out->keep_groups)
		return 0;
	if (u->n_additional_gids > 0 && setgroups_denied(c, h))
		return oci_error(c, &u->additional_gids, err,
				 "cannot set additional groups: a user namespace with a single gid "
				 "mapping denies "
				 "setgroups (map more gids with /etc/subgid and newgidmap)");
	if (u->n_additional_gids > 65536)
		return oci_error(c, &u->additional_gids, err, "more than 65536 groups");
	out->n_groups = u->n_additional_gids;
	out->groups = ARENA_NEW_ARRAY(a, gid_t, out->n_groups);
	for (size_t i = 0; i < out->n_groups; i++)
		out->groups[i] = u->additional_gids[i];
	return 0;
}

static int unmapped_uid(const struct user_plan *p, struct error *err)
{
	return error_set(err, EINVAL, "cannot setuid to unmapped uid %u in user namespace", p->uid);
}

static int unmapped_gid(const struct user_plan *p, struct error *err)
{
	return error_set(err, EINVAL, "cannot setgid to unmapped gid %u in user namespace", p->gid);
}

static int set_groups(const struct user_plan *p, struct error *err)
{
	int r;

	if (p->keep_groups)
		return 0;
	/*
	 * Exactly the configured list, also when it is empty: the caller's groups must go
	 * (CVE-2022-2989).
	 */
	r = sys_setgroups(p->n_groups, p->groups);
	if (r == -EPERM && p->n_groups == 0 && p->groups_denied_ok)
		return 0;
	if (r == -EPERM)
		return error_set(
			err, EPERM,
			"set %zu additional groups (does the user namespace deny setgroups?)",
			p->n_groups);
	if (r == -EINVAL)
		return error_set(err, EINVAL,
				 "set additional groups: one is not mapped in the user namespace");
	return r < 0 ? error_set(err, -r, "set %zu additional groups", p->n_groups) : 0;
}

/*
 * Groups could not be set.  An id that the user namespace does not map comes of the same cause, and
 * says more of it than the groups.  The process ends here, so ids are asked for by setting them.
 */
static int blame_ids(const struct user_plan *p, int ret, struct error *err)
{
	if (sys_setresgid(p->gid, p->gid, p->gid) == -EINVAL)
		return unmapped_gid(p, err);
	if (sys_setresuid(p->uid, p->uid, p->uid) == -EINVAL)
		return unmapped_uid(p, err);
	return ret;
}

int user_run(const struct user_plan *p, struct error *err)
{
	int r;

	umask(p->umask);
	r = set_groups(p, err);
	if (r < 0)
		return blame_ids(p, r, err);
	/*
	 * Leaving uid 0 empties the permitted set unless told not to; capability_run() sets it
	 * right after.
	 */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return error_set(err, errno, "keep capabilities over the change of user");
	/* The group first: without uid 0 it could no longer be changed. */
	r = sys_setresgid(p->gid, p->gid, p->gid);
	if (r == -EINVAL)
		return unmapped_gid(p, err);
	if (r < 0)
		return error_set(err, -r, "setgid to %u", p->gid);
	r = sys_setresuid(p->uid, p->uid, p->uid);
	if (r == -EINVAL)
		return unmapped_uid(p, err);
	if (r < 0)
		return error_set(err, -r, "setuid to %u", p->uid);
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return error_set(err, errno, "reset keep-capabilities");
	return 0;
}

void user_show(const struct user_plan *p, struct show *out)
{
	struct arena_text text = ARENA_TEXT(out->arena);

	for (size_t i = 0; i < p->n_groups; i++)
		arena_text_addf(&text, "%s%u", i > 0 ? "," : "", p->groups[i]);
	show_act(out, "set umask %04o", (unsigned int)p->umask);
	if (p->keep_groups)
		show_act(out, "keep the caller's groups");
	else
		show_act(out, "set additional groups: %s", p->n_groups > 0 ? text.text : "none");
	show_act(out, "set gid %u", p->gid);
	show_act(out, "set uid %u", p->uid);
}

/*
 * Looks at one line of passwd(5), name:password:uid:gid:gecos:home:shell.  True: it is uid's, home
 * is filled.
 */
static bool passwd_line(char *line, uint32_t uid, char *home, size_t size)
{
	char *field[7];
	size_t n = 0;
	uint32_t id;

	field[n++] = line;
	for (char *s = line; *s != '\0' && n < 7; s++)
		if (*s == ':') {
			*s = '\0';
			field[n++] = s + 1;
		}
	if (n < 6 || str_to_id(field[2], &id) < 0 || id != uid)
		return false;
	if (field[5][0] != '/' || strlen(field[5]) >= size)
		return false;
	memcpy(home, field[5], strlen(field[5]) + 1);
	return true;
}

/*
 * Takes the complete lines off the front of buf[*len]; a line longer than the buffer is skipped
 * whole.
 */
static bool passwd_lines(char *buf, size_t *len, bool *skip, uint32_t uid, char *home, size_t size)
{
	char *start = buf, *end = buf + *len, *nl;

	while ((nl = memchr(start, '\n', (size_t)(end - start))) != NULL) {
		*nl = '\0';
		if (!*skip && passwd_line(start, uid, home, size))
			return true;
		*skip = false;
		start = nl + 1;
	}
	*len = (size_t)(end - start);
	memmove(buf, start, *len);
	return false;
}

void user_home_run(int root, uint32_t uid, char *home, size_t size)
{
	owned_fd fd = path_open(root, "etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, 0);
	char buf[4096];
	size_t len = 0, total = 0;
	bool skip = false;
	struct stat st;

	memcpy(home, "/", 2);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	while (total < PASSWD_MAX) {
		ssize_t n = read(fd, buf + len, sizeof(buf) - 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
		total += (size_t)n;
		if (passwd_lines(buf, &len, &skip, uid, home, size))
			return;
		if (len == sizeof(buf) - 1) {
			skip = true;
			len = 0;
		}
	}
	buf[len] = '\0';
	if (!skip && len > 0)
		passwd_line(buf, uid, home, size);
}

int user_parse_spec(const char *spec, uint32_t *uid, uint32_t *gid, struct error *err)
{
	const char *colon = strchr(spec, ':');
	size_t n = colon != NULL ? (size_t)(colon - spec) : strlen(spec);
	uint32_t u, g = *gid;
	char text[16];

	if (n >= sizeof(text))
		return error_set(err, 0, "invalid user \"%s\": uid is above %u", spec, STR_ID_MAX);
	memcpy(text, spec, n);
	text[n] = '\0';
	if (str_to_id(text, &u) < 0)
		return error_set(err, 0, "invalid user \"%s\": uid must be a number from 0 to %u",
				 spec, STR_ID_MAX);
	if (colon != NULL && str_to_id(colon + 1, &g) < 0)
		return error_set(err, 0, "invalid user \"%s\": gid must be a number from 0 to %u",
				 spec, STR_ID_MAX);
	*uid = u;
	*gid = g;
	return 0;
}
