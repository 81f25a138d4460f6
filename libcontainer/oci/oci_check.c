/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_check.c - rules of config.md that one member alone cannot show. Those of config-linux.md are
 * in oci_check_linux.c, of resources and seccomp in oci_check_resources.c.
 */
#include "oci/oci_check.h"

#include <ctype.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define HOST_NAME_LEN 64	/* __NEW_UTS_LEN: sethostname(2), setdomainname(2) */
#define ID_END 4294967295u	/* (uid_t)-1 is no id */

void oci_fault(struct check *ck, enum json_class class_, const void *member, const char *fmt, ...)
{
	va_list ap;
	int r;

	/* Nobody listens to a second one. */
	if (ck->result < 0 && !(ck->doc && ck->doc->collect))
		return;
	va_start(ap, fmt);
	r = json_vfault(ck->doc, class_, member, ck->err, fmt, ap);
	va_end(ap);
	if (ck->result == 0)
		ck->result = r;
}

void oci_warn(struct check *ck, const void *member, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	if (!ck->doc)
		return;
	va_start(ap, fmt);
	text = arena_vprintf(ck->doc->arena, fmt, ap);
	va_end(ap);
	json_warn(ck->doc, JSON_BAD_VALUE, member, "%s", text);
}

void oci_check_env(struct check *ck, char *const *env)
{
	for (; env && *env; env++) {
		const char *equals = strchr(*env, '=');

		if (!equals)
			oci_fault(ck, JSON_BAD_VALUE, env, "\"%s\" has no '=': write NAME=VALUE",
				  *env);
		else if (equals == *env)
			oci_fault(ck, JSON_BAD_VALUE, env, "\"%s\" has no name before the '='",
				  *env);
	}
}

void oci_check_absolute(struct check *ck, char *const *member)
{
	if (*member && **member != '/')
		oci_fault(ck, JSON_BAD_VALUE, member, "path \"%s\" is not absolute", *member);
}

/* ":2/4" after a range: of each group of 4 the first 2.  bitmap_parselist() of the kernel. */
static const char *cpu_stride(const char *s)
{
	unsigned long used, group;
	char *end;

	if (!isdigit((unsigned char)s[1]))
		return NULL;
	used = strtoul(s + 1, &end, 10);
	if (*end != '/' || !isdigit((unsigned char)end[1]))
		return NULL;
	group = strtoul(end + 1, &end, 10);
	return group > 0 && used <= group ? end : NULL;
}

/* One number or range; returns what follows, or NULL. */
static const char *cpu_range(const char *s, bool strides)
{
	unsigned long first, last;
	char *end;

	if (!isdigit((unsigned char)*s))
		return NULL;
	first = last = strtoul(s, &end, 10);
	if (*end == '-') {
		if (!isdigit((unsigned char)end[1]))
			return NULL;
		last = strtoul(end + 1, &end, 10);
		if (strides && first <= last && *end == ':')
			return cpu_stride(end);
	}
	return first <= last ? end : NULL;
}

void oci_check_cpu_list(struct check *ck, char *const *member, bool strides)
{
	const char *s = *member;

	if (!s || !*s)
		return;
	for (;;) {
		s = cpu_range(s + strspn(s, " "), strides);
		if (!s)
			break;
		s += strspn(s, " ");
		if (!*s)
			return;
		if (*s++ != ',')
			break;
	}
	oci_fault(ck, JSON_BAD_VALUE, member,
		  "\"%s\" is no list of numbers and ranges like \"0-3,7\"", *member);
}

static bool overlap(uint32_t a, uint32_t b, uint32_t size_a, uint32_t size_b)
{
	return a < (uint64_t)b + size_b && b < (uint64_t)a + size_a;
}

static void check_mapping_pair(struct check *ck, const struct oci_id_mapping *m,
			       const struct oci_id_mapping *o)
{
	if (overlap(m->container_id, o->container_id, m->size, o->size))
		oci_fault(ck, JSON_CONFLICT, m, "container ids from %u overlap those from %u",
			    m->container_id, o->container_id);
	if (overlap(m->host_id, o->host_id, m->size, o->size))
		oci_fault(ck, JSON_CONFLICT, m, "host ids from %u overlap those from %u",
			  m->host_id, o->host_id);
}

void oci_check_mappings(struct check *ck, const struct oci_id_mapping *map, size_t n)
{
	if (n > OCI_MAPPINGS_MAX) {
		oci_fault(ck, JSON_BAD_VALUE, &map[OCI_MAPPINGS_MAX],
			  "more than %d mappings: the kernel takes no more", OCI_MAPPINGS_MAX);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct oci_id_mapping *m = &map[i];

		if (m->size == 0)
			oci_fault(ck, JSON_BAD_VALUE, &m->size, "a mapping of no ids");
		else if (m->size > ID_END - m->container_id || m->size > ID_END - m->host_id)
			oci_fault(ck, JSON_BAD_VALUE, &m->size, "the mapping goes beyond id %u",
				  ID_END - 1);
		for (size_t j = 0; j < i; j++)
			check_mapping_pair(ck, m, &map[j]);
	}
}

/* Process. -------------------------------------------------------------- */

static void check_rlimits(struct check *ck, const struct oci_process *p)
{
	uint64_t seen = 0;	/* RLIMIT_* are small numbers, one bit each */

	for (size_t i = 0; i < p->n_rlimits; i++) {
		const struct oci_rlimit *l = &p->rlimits[i];
		uint64_t bit = UINT64_C(1) << l->type;

		if (l->soft > l->hard)
			oci_fault(ck, JSON_CONFLICT, &l->soft,
				  "soft limit %llu is above hard limit %llu",
				  (unsigned long long)l->soft, (unsigned long long)l->hard);
		if (seen & bit)
			oci_fault(ck, JSON_DUPLICATE, &l->type, "%s is set twice",
				  json_choice_name(oci_rlimit_types, l->type));
		seen |= bit;
	}
}

/* sched(7), sched_setattr(2). */
static void check_deadline(struct check *ck, const struct oci_scheduler *s)
{
	uint64_t runtime = s->runtime ? *s->runtime : 0;
	uint64_t deadline = s->deadline ? *s->deadline : 0;
	uint64_t period = s->period && *s->period ? *s->period : deadline;

	if (runtime == 0 || deadline == 0)
		oci_fault(ck, JSON_MISSING, &s->policy,
			  "SCHED_DEADLINE needs runtime and deadline above 0");
	else if (runtime > deadline || deadline > period)
		oci_fault(ck, JSON_CONFLICT, &s->policy,
			  "SCHED_DEADLINE needs runtime <= deadline <= period");
}

static void check_scheduler(struct check *ck, const struct oci_scheduler *s)
{
	bool realtime = s->policy == SCHED_FIFO || s->policy == SCHED_RR;
	int priority = s->priority ? *s->priority : 0;

	if (s->nice && (*s->nice < -20 || *s->nice > 19))
		oci_fault(ck, JSON_BAD_VALUE, &s->nice, "nice value %d is out of range (-20 to 19)",
			  *s->nice);
	if (realtime && (priority < 1 || priority > 99))
		oci_fault(ck, JSON_BAD_VALUE, s->priority ? (const void *)&s->priority : &s->policy,
			  "%s needs a priority from 1 to 99",
			  json_choice_name(oci_scheduler_policies, s->policy));
	else if (!realtime && priority != 0)
		oci_fault(ck, JSON_CONFLICT, &s->priority,
			  "priority is for SCHED_FIFO and SCHED_RR");
	if (s->policy == SCHED_DEADLINE)
		check_deadline(ck, s);
	else if (s->runtime || s->deadline || s->period)
		oci_fault(ck, JSON_CONFLICT, &s->policy,
			  "runtime, deadline and period are for SCHED_DEADLINE");
	if (s->policy == SCHED_ISO)
		oci_fault(ck, JSON_BAD_VALUE, &s->policy,
			  "SCHED_ISO is a name that Linux never gave a meaning");
}

/* Of the wrong type, so that it was not taken, and that has been told. */
static bool was_refused(const struct check *ck, char **const *member)
{
	struct json_position at;

	return !*member && json_locate(ck->doc, member, &at);
}

static void check_program(struct check *ck, const struct oci_process *p, const void *at)
{
	if (p->command_line)
		oci_warn(ck, &p->command_line, "is ignored: it is for Windows, use args");
	if (p->user.username)
		oci_warn(ck, &p->user.username, "is ignored: it is for Windows, use uid and gid");
	if (p->cwd && *p->cwd != '/')
		oci_fault(ck, JSON_BAD_VALUE, &p->cwd,
			  "working directory \"%s\" is not an absolute path", p->cwd);
	if (was_refused(ck, &p->args))
		return;
	if (!p->args || !p->args[0])
		oci_fault(ck, JSON_MISSING, p->args ? &p->args : at,
			    "args must not be empty: the program is missing");
	else if (!*p->args[0])
		/* In the words of a lookup in vain: engines turn them into the status 127. */
		oci_fault(ck, JSON_BAD_VALUE, &p->args[0],
			  "exec: \"\": executable file not found in $PATH (the program's name is "
			  "empty)");
}

/* at: where the object stands, for what is missing in it. */
static void check_process(struct check *ck, const struct oci_process *p, const void *at)
{
	check_program(ck, p, at);
	oci_check_env(ck, p->env);
	if (p->user.umask && *p->user.umask > 0777)
		oci_fault(ck, JSON_BAD_VALUE, &p->user.umask, "umask %u is out of range (0 to 511)",
			  *p->user.umask);
	if (p->oom_score_adj && (*p->oom_score_adj < -1000 || *p->oom_score_adj > 1000))
		oci_fault(ck, JSON_BAD_VALUE, &p->oom_score_adj,
			  "%d is out of range (-1000 to 1000)", *p->oom_score_adj);
	check_rlimits(ck, p);
	if (p->scheduler)
		check_scheduler(ck, p->scheduler);
	if (p->io_priority && p->io_priority->priority &&
	    (*p->io_priority->priority < 0 || *p->io_priority->priority > 7))
		oci_fault(ck, JSON_BAD_VALUE, &p->io_priority->priority,
			  "%d is out of range (0 to 7)", *p->io_priority->priority);
	if (p->exec_cpu_affinity) {
		oci_check_cpu_list(ck, &p->exec_cpu_affinity->initial, false);
		oci_check_cpu_list(ck, &p->exec_cpu_affinity->final, false);
	}
}

/* The rest of config.md. ------------------------------------------------ */

/* A number of a version: digits without a leading zero.  Returns what follows, or NULL. */
static const char *semver_number(const char *s, unsigned int *out)
{
	size_t len = strspn(s, "0123456789");

	if (len == 0 || len > 9 || (len > 1 && *s == '0'))
		return NULL;
	*out = (unsigned int)strtoul(s, NULL, 10);
	return s + len;
}

/* https://semver.org/spec/v2.0.0.html: MAJOR.MINOR.PATCH, maybe -pre.release and +build. */
static bool semver(const char *s, unsigned int *major, unsigned int *minor)
{
	static const char words[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	unsigned int patch;

	s = semver_number(s, major);
	if (!s || *s++ != '.')
		return false;
	s = semver_number(s, minor);
	if (!s || *s++ != '.')
		return false;
	s = semver_number(s, &patch);
	for (const char *sign = "-+"; s && *sign; sign++) {
		size_t len = *s == *sign ? strspn(s + 1, words) : 0;

		if (*s == *sign && (len == 0 || s[1] == '.' || s[len] == '.'))
			return false;
		s += len ? len + 1 : 0;
	}
	return s && !*s;
}

bool oci_version_before(const struct oci_config *c, unsigned int minor)
{
	unsigned int major, of_config;

	return c->oci_version && semver(c->oci_version, &major, &of_config) && of_config < minor;
}

static void check_version(struct check *ck, const struct oci_config *c)
{
	unsigned int major, minor, our_major, our_minor;

	if (!c->oci_version)
		return;
	if (!semver(c->oci_version, &major, &minor)) {
		oci_fault(ck, JSON_BAD_VALUE, &c->oci_version,
			  "\"%s\" is not a version like \"" OCI_VERSION "\"", c->oci_version);
		return;
	}
	semver(OCI_VERSION, &our_major, &our_minor);
	if (major != our_major)
		oci_fault(ck, JSON_BAD_VALUE, &c->oci_version,
			  "version %s is not supported (1.0.0 to " OCI_VERSION " is)",
			  c->oci_version);
	else if (minor > our_minor)
		oci_warn(ck, &c->oci_version, "version %s is newer than " OCI_VERSION
			   ": members it adds are ignored", c->oci_version);
}

static void check_mounts(struct check *ck, const struct oci_config *c)
{
	for (size_t i = 0; i < c->n_mounts; i++) {
		const struct oci_mount *m = &c->mounts[i];

		if (i == OCI_MOUNTS_MAX) {
			oci_fault(ck, JSON_BAD_VALUE, &m->destination, "more than %d mounts",
				  OCI_MOUNTS_MAX);
			return;
		}
		if (m->destination && !*m->destination)
			oci_fault(ck, JSON_BAD_VALUE, &m->destination, "the destination is empty");
		else if (m->destination && *m->destination != '/')
			oci_warn(ck, &m->destination,
				 "relative destination \"%s\" is deprecated: taken from \"/\"",
				 m->destination);
		if ((m->n_uid_mappings > 0) != (m->n_gid_mappings > 0))
			oci_fault(ck, JSON_MISSING,
				  m->n_uid_mappings ? &m->uid_mappings : &m->gid_mappings,
				  "uidMappings and gidMappings must be set together");
		oci_check_mappings(ck, m->uid_mappings, m->n_uid_mappings);
		oci_check_mappings(ck, m->gid_mappings, m->n_gid_mappings);
		if (m->n_uid_mappings == 0 &&
		    (oci_mount_has(m, "idmap") || oci_mount_has(m, "ridmap")) &&
		    !oci_namespace_find(c, CLONE_NEWUSER))
			oci_fault(
				ck, JSON_CONFLICT, &m->options,
				"idmap needs both mappings, or a user namespace to take them from");
	}
}

static void check_hook_list(struct check *ck, const struct oci_hook *hooks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		oci_check_absolute(ck, &hooks[i].path);
		oci_check_env(ck, hooks[i].env);
		if (hooks[i].timeout && *hooks[i].timeout <= 0)
			oci_fault(ck, JSON_BAD_VALUE, &hooks[i].timeout,
				  "the timeout must be above 0 seconds");
	}
}

static void check_hooks(struct check *ck, const struct oci_hooks *h)
{
	check_hook_list(ck, h->prestart, h->n_prestart);
	check_hook_list(ck, h->create_runtime, h->n_create_runtime);
	check_hook_list(ck, h->create_container, h->n_create_container);
	check_hook_list(ck, h->start_container, h->n_start_container);
	check_hook_list(ck, h->poststart, h->n_poststart);
	check_hook_list(ck, h->poststop, h->n_poststop);
}

/* Without a uts namespace of the container's own, the name set would be the host's. */
static void check_uts_name(struct check *ck, const struct oci_config *c, char *const *member,
			   const char *what)
{
	if (!*member || !**member)
		return;
	if (!oci_namespace_find(c, CLONE_NEWUTS))
		oci_fault(ck, JSON_CONFLICT, member, "a %s needs a uts namespace", what);
	if (strlen(*member) > HOST_NAME_LEN)
		oci_fault(ck, JSON_BAD_VALUE, member, "the %s is longer than %d bytes", what,
			  HOST_NAME_LEN);
}

/*
 * Annotations that ask something of a runtime, one row each; a final dot makes a prefix.  Whoever
 * wrote one relies on it: what kist does not do is told.  Rows without a reason are carried out.
 */
static const struct request {
	const char *name;
	const char *why_not;
} requests[] = {
	{ "run.oci.delegate-cgroup", NULL },
	{ "run.oci.keep_original_groups", NULL },
	{ "run.oci.systemd.force_cgroup_v1", NULL },
	{ "run.oci.systemd.subgroup", NULL },
	{ "run.oci.handler", "kist runs programs of this machine only" },
	{ "run.oci.hooks.stderr", "output of hooks goes to the log when they fail" },
	{ "run.oci.hooks.stdout", "output of hooks goes to the log when they fail" },
	{ "run.oci.mount_context_type", "mountLabel is always given as context=" },
	{ "run.oci.pidfd_receiver", "use --pidfd-socket" },
	{ "run.oci.seccomp.plugins", "filters come from linux.seccomp" },
	{ "run.oci.seccomp.receiver", "use linux.seccomp.listenerPath" },
	{ "run.oci.seccomp_bpf_data", "filters come from linux.seccomp" },
	{ "run.oci.seccomp_fail_unknown_syscall", "unknown system calls are left out" },
	{ "run.oci.timens_offset", "use linux.timeOffsets" },
	{ "run.oci.", "no such annotation is known" },
	{ "krun.", "kist makes no virtual machines" },
	{ "module.wasm.image/variant", "kist runs programs of this machine only" },
	{ "org.criu.config", "kist makes no checkpoints" },
};

static const struct request *find_request(const char *key)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		const char *name = requests[i].name;
		size_t len = strlen(name);

		if (name[len - 1] == '.' ? strncmp(key, name, len) == 0 : strcmp(key, name) == 0)
			return &requests[i];
	}
	return NULL;
}

/* Whether it asks for what kist does anyway. */
static bool is_done(const struct oci_pair *a)
{
	static const struct {
		const char *key, *value;
	} done[] = {
		{ "run.oci.mount_context_type", "context" },
		{ "run.oci.seccomp_fail_unknown_syscall", "0" },
		{ "run.oci.seccomp_fail_unknown_syscall", "false" },
	};

	for (size_t i = 0; i < sizeof(done) / sizeof(done[0]); i++)
		if (strcmp(a->key, done[i].key) == 0 && strcmp(a->value, done[i].value) == 0)
			return true;
	return false;
}

static void check_annotations(struct check *ck, const struct oci_config *c)
{
	for (size_t i = 0; i < c->n_annotations; i++) {
		const struct oci_pair *a = &c->annotations[i];
		const struct request *request = find_request(a->key);

		if (!*a->key)
			oci_fault(ck, JSON_BAD_VALUE, a, "the name of an annotation is empty");
		else if (request && request->why_not && !is_done(a))
			oci_warn(ck, a, "not carried out: %s", request->why_not);
	}
}

int oci_config_check(const struct oci_config *c, struct error *err)
{
	struct check ck = { .doc = c->doc, .err = err };

	check_version(&ck, c);
	if (!c->root)
		oci_fault(&ck, JSON_MISSING, NULL, "\"root\" is required");
	else if (c->root->path && !*c->root->path)
		oci_fault(&ck, JSON_BAD_VALUE, &c->root->path, "the path is empty");
	check_mounts(&ck, c);
	/* `create` may do without a process, `start` may not (config.md). */
	if (c->process)
		check_process(&ck, c->process, &c->process);
	else if (c->doc && c->doc->collect)
		oci_warn(&ck, NULL, "\"process\" is missing: the container can be created, but not "
				    "started");
	if (c->hooks)
		check_hooks(&ck, c->hooks);
	check_uts_name(&ck, c, &c->hostname, "hostname");
	check_uts_name(&ck, c, &c->domainname, "domainname");
	check_annotations(&ck, c);
	if (c->linux)
		oci_check_linux(&ck, c);
	return ck.result;
}

int oci_process_check(const struct oci_process *p, struct json_doc *doc, struct error *err)
{
	struct check ck = { .doc = doc, .err = err };

	check_process(&ck, p, NULL);
	return ck.result;
}

int oci_resources_check(const struct oci_resources *r, struct json_doc *doc, struct error *err)
{
	struct check ck = { .doc = doc, .err = err };

	oci_check_resources(&ck, r);
	return ck.result;
}
