/* SPDX-License-Identifier: Apache-2.0 */
/* idmap.c - the id maps of a new user namespace. */
#include "idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/spawn.h"
#include "base/str.h"
#include "base/sys.h"

#define IDMAP_EXTENTS_MAX 340	/* UID_GID_MAP_MAX_EXTENTS of the kernel since Linux 4.15 */
#define IDMAP_TEXT_MAX 4096	/* one write() of less than a page */
#define IDMAP_LINE_MAX 34	/* three columns of ten, as the kernel prints them */
#define HELPER_TIMEOUT_MS 10000

/* What differs between uids and gids. */
static const struct idmap_kind {
	const char *member;		/* in linux */
	const char *map;		/* file below /proc/PID */
	const char *helper;
	const char *sub;		/* what the helper goes by */
	int capability;
} kind_uid = { "uidMappings", "uid_map", "newuidmap", "/etc/subuid", CAP_SETUID },
  kind_gid = { "gidMappings", "gid_map", "newgidmap", "/etc/subgid", CAP_SETGID };

static bool ranges_overlap(uint32_t a, uint32_t b, uint32_t a_size, uint32_t b_size)
{
	return a < (uint64_t)b + b_size && b < (uint64_t)a + a_size;
}

/* The rules of the kernel, which itself says just EINVAL. */
static int check_mapping(const struct oci_config *c, const struct oci_id_mapping *map, size_t i,
			 struct error *err)
{
	const struct oci_id_mapping *m = &map[i];

	if (m->size == 0)
		return oci_error(c, &m->size, err, "a mapping of no ids");
	if ((uint64_t)m->container_id + m->size > (uint64_t)STR_ID_MAX + 1 ||
	    (uint64_t)m->host_id + m->size > (uint64_t)STR_ID_MAX + 1)
		return oci_error(c, &m->size, err, "the mapping goes beyond the largest id, %u",
				 STR_ID_MAX);
	for (size_t k = 0; k < i; k++) {
		if (ranges_overlap(m->container_id, map[k].container_id, m->size, map[k].size))
			return oci_error(c, &m->container_id, err,
					 "the ids are mapped by an earlier entry already");
		if (ranges_overlap(m->host_id, map[k].host_id, m->size, map[k].size))
			return oci_error(c, &m->host_id, err,
					 "the ids are used by an earlier entry already");
	}
	return 0;
}

static int compile_text(const struct oci_config *c, const struct oci_id_mapping *map, size_t n,
			struct arena *a, struct idmap_side *out, struct error *err)
{
	char buf[IDMAP_TEXT_MAX];
	struct strbuf text = STRBUF(buf);

	if (n > IDMAP_EXTENTS_MAX)
		return oci_error(c, map, err, "%zu mappings; the kernel takes %d", n,
				 IDMAP_EXTENTS_MAX);
	for (size_t i = 0; i < n; i++) {
		int r = check_mapping(c, map, i, err);

		if (r < 0)
			return r;
		strbuf_addf(&text, "%u %u %u\n", map[i].container_id, map[i].host_id, map[i].size);
	}
	if (text.overflow)
		return oci_error(
			c, map, err,
			"the mappings need more than %d bytes, which the kernel does not take",
			IDMAP_TEXT_MAX - 1);
	out->text = arena_strdup(a, buf);
	return 0;
}

static void compile_helper(const struct idmap_kind *k, const struct oci_id_mapping *map, size_t n,
			   struct arena *a, struct idmap_side *out)
{
	size_t at = 2;

	out->helper = true;
	out->argv = ARENA_NEW_ARRAY(a, char *, 3 + 3 * n);
	out->argv[0] = arena_strdup(a, k->helper);
	out->argv[1] = (char *)"PID";
	for (size_t i = 0; i < n; i++) {
		out->argv[at++] = arena_printf(a, "%u", map[i].container_id);
		out->argv[at++] = arena_printf(a, "%u", map[i].host_id);
		out->argv[at++] = arena_printf(a, "%u", map[i].size);
	}
}

/* The one mapping that every user may write: itself. */
static bool is_own_id(const struct oci_id_mapping *map, size_t n, uint32_t own)
{
	return n == 1 && map->size == 1 && map->host_id == own;
}

static bool has_capability(const struct host *h, int capability)
{
	return (h->caps_effective >> capability) & 1;
}

int idmap_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		  struct idmap_plan *out, struct error *err)
{
	const struct oci_namespace *ns = oci_namespace_find(c, CLONE_NEWUSER);
	const struct oci_linux *l = c->linux;
	int r;

	memset(out, 0, sizeof(*out));
	if (ns == NULL) {
		if (h->euid != 0)
			return oci_error(
				c, l != NULL ? (const void *)&l->namespaces : NULL, err,
				"a caller that is not root must ask for a user namespace: add "
				"{\"type\": \"user\"} to linux.namespaces, and uidMappings and "
				"gidMappings");
		return 0;
	}
	if (ns->path != NULL && ns->path[0] != '\0') {
		out->joined = l->n_uid_mappings + l->n_gid_mappings > 0 ? c : NULL;
		return 0;
	}
	if (l->n_uid_mappings == 0 || l->n_gid_mappings == 0)
		return oci_error(c, ns, err,
				 "a new user namespace needs linux.uidMappings and "
				 "linux.gidMappings, such as [{\"containerID\": 0, \"hostID\": %u, "
				 "\"size\": 1}]",
				 h->euid);
	out->needed = true;
	out->user = h->user_name != NULL ? h->user_name : arena_printf(a, "%u", h->euid);
	r = compile_text(c, l->uid_mappings, l->n_uid_mappings, a, &out->uid, err);
	if (r == 0)
		r = compile_text(c, l->gid_mappings, l->n_gid_mappings, a, &out->gid, err);
	if (r < 0)
		return r;
	if (!has_capability(h, CAP_SETUID) &&
	    !is_own_id(l->uid_mappings, l->n_uid_mappings, h->euid))
		compile_helper(&kind_uid, l->uid_mappings, l->n_uid_mappings, a, &out->uid);
	if (has_capability(h, CAP_SETGID))
		return 0;
	/*
	 * newgidmap knows by /etc/subgid when setgroups may stay allowed; without it the kernel
	 * wants it denied.
	 */
	if (is_own_id(l->gid_mappings, l->n_gid_mappings, h->egid))
		out->deny_setgroups = true;
	else
		compile_helper(&kind_gid, l->gid_mappings, l->n_gid_mappings, a, &out->gid);
	return 0;
}

static int run_helper(const struct idmap_plan *p, const struct idmap_kind *k,
		      const struct idmap_side *side, pid_t pid, struct error *err)
{
	char path[4096], number[16], output[512];
	char *const no_env[] = { NULL };
	char *argv[3 + 3 * IDMAP_EXTENTS_MAX];
	struct spawn_result result;
	struct spawn spawn = {
		.path = path,
		.argv = argv,
		.envp = no_env,
		.timeout_ms = HELPER_TIMEOUT_MS,
		.output = output,
		.output_size = sizeof(output),
	};
	size_t n = 0;
	int r;

	if (!spawn_find(k->helper, path, sizeof(path)))
		return error_set(err, 0,
				 "linux.%s maps more than the caller's own id, which needs %s: "
				 "executable file not found in $PATH (Debian package uidmap, "
				 "elsewhere shadow-utils)",
				 k->member, k->helper);
	snprintf(number, sizeof(number), "%d", (int)pid);
	for (; side->argv[n] != NULL; n++)
		argv[n] = n == 1 ? number : side->argv[n];
	argv[n] = NULL;
	r = spawn_run(&spawn, &result);
	if (r < 0)
		return error_set(err, -r, "run %s", path);
	if (result.end == SPAWN_EXITED && result.status == 0)
		return 0;
	output[strcspn(output, "\n")] = '\0';
	if (result.end == SPAWN_TIMED_OUT)
		return error_set(err, ETIMEDOUT, "%s did not end within %d s", path,
				 HELPER_TIMEOUT_MS / 1000);
	return error_set(err, 0,
			 "%s refused linux.%s: %s (user %s may map its own id and the ranges that "
			 "%s lists for it)",
			 path, k->member, output, p->user, k->sub);
}

static int write_side(const struct idmap_plan *p, const struct idmap_kind *k,
		      const struct idmap_side *side, int proc, pid_t pid, struct error *err)
{
	char file[64];
	int r;

	if (side->helper)
		return run_helper(p, k, side, pid, err);
	snprintf(file, sizeof(file), "%d/%s", (int)pid, k->map);
	r = proc_write(proc, file, side->text);
	if (r == 0)
		return 0;
	error_set(err, -r, "write linux.%s to /proc/%s", k->member, file);
	if (r == -EPERM)
		error_append(err, " (an id on the host's side is not mapped in the caller's own "
				  "user namespace)");
	return r;
}

int idmap_serve(const struct idmap_plan *p, int proc, pid_t pid, struct error *err)
{
	char file[64];
	int r;

	if (!p->needed)
		return 0;
	if (p->deny_setgroups) {
		/* First: the kernel takes a gid_map of an unprivileged writer only then. */
		snprintf(file, sizeof(file), "%d/setgroups", (int)pid);
		r = proc_write(proc, file, "deny");
		if (r < 0)
			return error_set(err, -r, "write \"deny\" to /proc/%s", file);
	}
	r = write_side(p, &kind_uid, &p->uid, proc, pid, err);
	if (r == 0)
		r = write_side(p, &kind_gid, &p->gid, proc, pid, err);
	return r;
}

/* The kernel's text of a map into extents.  Their number. */
static size_t parse_map(const char *text, struct oci_id_mapping *out)
{
	size_t n = 0;

	while (n < IDMAP_EXTENTS_MAX) {
		uint32_t *const fields[] = { &out[n].container_id, &out[n].host_id, &out[n].size };

		for (size_t i = 0; i < 3; i++) {
			char *end;

			*fields[i] = (uint32_t)strtoul(text, &end, 10);
			if (end == text)
				return n;
			text = end;
		}
		n++;
	}
	return n;
}

/* Whether each id that a maps is mapped by b to the same: extents may be cut otherwise. */
static bool is_within(const struct oci_id_mapping *a, size_t n_a, const struct oci_id_mapping *b,
		      size_t n_b)
{
	for (size_t i = 0; i < n_a; i++) {
		uint32_t done = 0;

		while (done < a[i].size) {
			uint32_t id = a[i].container_id + done, to = a[i].host_id + done;
			size_t k = 0;

			while (k < n_b && (id < b[k].container_id ||
					   id - b[k].container_id >= b[k].size))
				k++;
			if (k == n_b || b[k].host_id + (id - b[k].container_id) != to)
				return false;
			id = b[k].size - (id - b[k].container_id);
			done = id > a[i].size - done ? a[i].size : done + id;
		}
	}
	return true;
}

static int compare_side(const struct oci_config *c, const struct idmap_kind *k, int proc,
			pid_t pid, struct error *err)
{
	const struct oci_linux *l = c->linux;
	bool uid = k == &kind_uid;
	const struct oci_id_mapping *map = uid ? l->uid_mappings : l->gid_mappings;
	const void *member = uid ? (const void *)&l->uid_mappings : &l->gid_mappings;
	size_t n = uid ? l->n_uid_mappings : l->n_gid_mappings, n_real;
	struct oci_id_mapping real[IDMAP_EXTENTS_MAX];
	char path[48], text[IDMAP_EXTENTS_MAX * IDMAP_LINE_MAX];
	ssize_t len;

	if (n == 0)
		return 0;
	snprintf(path, sizeof(path), "%d/%s", (int)pid, k->map);
	len = proc_read(proc, path, text, sizeof(text));
	if (len < 0)
		return error_set(err, (int)-len, "read /proc/%s", path);
	n_real = parse_map(text, real);
	if (is_within(map, n, real, n_real) && is_within(real, n_real, map, n))
		return 0;
	return oci_error(c, member, err,
			 "the user namespace to join has other mappings (%zu; the first is %u to "
			 "%u, %u ids): leave these out, or give the same",
			 n_real, n_real ? real->container_id : 0, n_real ? real->host_id : 0,
			 n_real ? real->size : 0);
}

/* How long a process may take to enter a user namespace. */
#define JOIN_MS 10000

/*
 * The maps of a namespace are shown for a process that is in it.  The path may name no process (a
 * bind mount keeps it), so a child goes there and waits; it is the parent who reads, since the
 * second column counts in the reader's own namespace.  The child runs nothing, and nobody inside
 * can look at it: it is not dumpable.
 */
static pid_t clone_into(int userns, int *channel)
{
	const struct sys_clone clone = { .exit_signal = SIGCHLD };
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = sys_clone3(&clone);
	if (pid == 0) {
		int r;

		close(pair[0]);
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		r = sys_setns(userns, CLONE_NEWUSER);
		/* Which made it as dumpable as the sysctl fs.suid_dumpable says. */
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		/* It ends with the parent, if that does not end it before. */
		_exit(write(pair[1], &r, sizeof(r)) < 0 || read(pair[1], &r, 1) < 0);
	}
	close(pair[1]);
	*channel = pair[0];
	return pid;
}

/* Whoever shares a PID namespace with the child, and has CAP_KILL in its new one, may stop it. */
static int wait_joined(int channel, int cancel, struct error *err)
{
	struct pollfd p[2] = { { .fd = channel, .events = POLLIN },
			       { .fd = cancel, .events = POLLIN } };
	int n, r;

	do {
		n = poll(p, 2, JOIN_MS);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set(err, errno, "poll");
	if (n == 0)
		return error_set(err, ETIMEDOUT, "join the user namespace to read its maps: no "
				 "answer for %d s", JOIN_MS / 1000);
	if (!p[0].revents)
		return error_set(err, EINTR, "a signal came");
	/* End of file: the child died. */
	if (read(channel, &r, sizeof(r)) != sizeof(r))
		r = -EPIPE;
	return r < 0 ? error_set(err, -r, "join the user namespace to read its maps") : 0;
}

int idmap_check(const struct idmap_plan *p, int userns, int proc, int cancel, struct error *err)
{
	owned_fd channel = -1;
	pid_t pid;
	int ret;

	if (p->joined == NULL || userns < 0)
		return 0;
	pid = clone_into(userns, &channel);
	if (pid < 0)
		return error_set(err, (int)-pid,
				 "make a process to read the maps of the user namespace");
	ret = wait_joined(channel, cancel, err);
	if (ret == 0)
		ret = compare_side(p->joined, &kind_uid, proc, pid, err);
	if (ret == 0)
		ret = compare_side(p->joined, &kind_gid, proc, pid, err);
	/* It is a child that nobody has waited for; SIGKILL ends what is stopped, too. */
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return ret;
}

int idmap_to_host(const struct oci_id_mapping *map, size_t n, uint32_t id, uint32_t *out)
{
	for (size_t i = 0; i < n; i++) {
		if (id < map[i].container_id || id - map[i].container_id >= map[i].size)
			continue;
		*out = map[i].host_id + (id - map[i].container_id);
		return 0;
	}
	return -ENOENT;
}

static void show_side(const struct idmap_kind *k, const struct idmap_side *side, struct show *out)
{
	const char *at = side->text;
	const char *end = side->helper ? k->helper : "";

	while (*at != '\0') {
		size_t len = strcspn(at, "\n");

		show_act(out, "write \"%.*s\" to %s%s%s", (int)len, at, k->map,
			 side->helper ? " by " : "", end);
		at += len + (at[len] == '\n');
	}
}

void idmap_show(const struct idmap_plan *p, struct show *out)
{
	if (!p->needed)
		return;
	if (p->deny_setgroups)
		show_act(out, "write \"deny\" to setgroups");
	show_side(&kind_uid, &p->uid, out);
	show_side(&kind_gid, &p->gid, out);
}
