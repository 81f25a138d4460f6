/* SPDX-License-Identifier: Apache-2.0 */
/* sysctl.c - kernel parameters of the container's own namespaces. */
#include "sysctl.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/str.h"

/* Which parameters belong to which namespace: a whole name, or a prefix that ends in "/". */
static const struct sysctl_rule {
	const char *name;
	int namespace_;
	const char *type;		/* word of the specification */
} rules[] = {
	{ "net/", CLONE_NEWNET, "network" },
	{ "fs/mqueue/", CLONE_NEWIPC, "ipc" },
	{ "kernel/msgmax", CLONE_NEWIPC, "ipc" },
	{ "kernel/msgmnb", CLONE_NEWIPC, "ipc" },
	{ "kernel/msgmni", CLONE_NEWIPC, "ipc" },
	{ "kernel/msg_next_id", CLONE_NEWIPC, "ipc" },
	{ "kernel/sem", CLONE_NEWIPC, "ipc" },
	{ "kernel/sem_next_id", CLONE_NEWIPC, "ipc" },
	{ "kernel/shmall", CLONE_NEWIPC, "ipc" },
	{ "kernel/shmmax", CLONE_NEWIPC, "ipc" },
	{ "kernel/shmmni", CLONE_NEWIPC, "ipc" },
	{ "kernel/shm_next_id", CLONE_NEWIPC, "ipc" },
	{ "kernel/shm_rmid_forced", CLONE_NEWIPC, "ipc" },
	{ "kernel/hostname", CLONE_NEWUTS, "uts" },
	{ "kernel/domainname", CLONE_NEWUTS, "uts" },
	{ "user/", CLONE_NEWUSER, "user" },
};

#define SYSCTL_PREFIX "sys/"

static const struct sysctl_rule *find_rule(const char *name)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		size_t len = strlen(rules[i].name);

		if (rules[i].name[len - 1] == '/' ? strncmp(name, rules[i].name, len) == 0
						  : strcmp(name, rules[i].name) == 0)
			return &rules[i];
	}
	return NULL;
}

/*
 * The separator is whichever of "." and "/" comes first; the other is then part of a name: an
 * interface "eth0.100" is net.ipv4.conf.eth0/100.forwarding or net/ipv4/conf/eth0.100/forwarding.
 */
static char *to_path(const char *key, struct arena *a)
{
	char *path = arena_printf(a, SYSCTL_PREFIX "%s", key);
	size_t first = strcspn(key, "./");

	if (key[first] != '.')
		return path;
	for (char *p = path + strlen(SYSCTL_PREFIX); *p != '\0'; p++)
		*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	return path;
}

/*
 * Characters that no parameter has, and that callers have used to smuggle a second one in
 * (CVE-2022-0811).
 */
static bool has_bad_character(const char *key)
{
	for (; *key != '\0'; key++)
		if ((unsigned char)*key <= ' ' || *key == 0x7f ||
		    strchr("+=;,'\"\\*?", *key) != NULL)
			return true;
	return false;
}

static bool is_clean_path(const char *path)
{
	size_t len;

	for (; *path != '\0'; path += len + (path[len] == '/')) {
		len = strcspn(path, "/");
		if (len == 0 || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (path[len] == '/' && path[len + 1] == '\0')
			return false;
	}
	return true;
}

static int compile_one(const struct oci_config *c, const struct oci_pair *pair, struct arena *a,
		       struct sysctl_entry *out, struct error *err)
{
	const struct sysctl_rule *rule;

	out->key = pair->key;
	out->member = pair;
	out->value = pair->value;
	out->value_len = strlen(pair->value);
	out->path = to_path(pair->key, a);
	if (pair->key[0] == '\0' || has_bad_character(pair->key) || !is_clean_path(out->path))
		return oci_error(c, pair, err, "\"%s\" is not the name of a sysctl", pair->key);
	if (strpbrk(pair->value, "\r\n") != NULL)
		return oci_error(c, pair, err, "the value of sysctl \"%s\" has more than one line",
				 pair->key);
	rule = find_rule(out->path + strlen(SYSCTL_PREFIX));
	if (rule == NULL)
		return oci_error(c, pair, err,
				 "sysctl \"%s\" is not in a separate kernel namespace: it would "
				 "change the host",
				 pair->key);
	if (oci_namespace_find(c, rule->namespace_) == NULL)
		return oci_error(c, pair, err,
				 "sysctl \"%s\" is not in a separate kernel namespace: it needs "
				 "{\"type\": \"%s\"} in linux.namespaces",
				 pair->key, rule->type);
	out->namespace_ = rule->namespace_;
	if (strcmp(rule->name, "kernel/hostname") == 0 && c->hostname != NULL &&
	    c->hostname[0] != '\0')
		return oci_error(c, pair, err, "sysctl \"%s\" conflicts with hostname", pair->key);
	if (strcmp(rule->name, "kernel/domainname") == 0 && c->domainname != NULL &&
	    c->domainname[0] != '\0')
		return oci_error(c, pair, err, "sysctl \"%s\" conflicts with domainname",
				 pair->key);
	return 0;
}

int sysctl_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		   struct sysctl_plan *out, struct error *err)
{
	int r = 0;

	(void)h;
	memset(out, 0, sizeof(*out));
	out->config = c;
	if (c->linux == NULL || c->linux->n_sysctl == 0)
		return 0;
	out->entries = ARENA_NEW_ARRAY(a, struct sysctl_entry, c->linux->n_sysctl);
	for (; out->n < c->linux->n_sysctl && oci_goes_on(c, r); out->n++)
		oci_keep(&r, compile_one(c, &c->linux->sysctl[out->n], a, &out->entries[out->n],
					 err));
	return r;
}

int sysctl_check(const struct sysctl_plan *p, uint64_t separate, struct error *err)
{
	for (size_t i = 0; i < p->n; i++)
		if (!(separate & (uint64_t)p->entries[i].namespace_))
			return oci_error(p->config, p->entries[i].member, err,
					 "sysctl \"%s\" is not in a separate kernel namespace: the "
					 "namespace to join is the caller's own",
					 p->entries[i].key);
	return 0;
}

static int apply(const struct sysctl_entry *e, int proc)
{
	/*
	 * By system call: the files of the uts namespace belong to the host's root even in a user
	 * namespace.
	 */
	if (strcmp(e->path, SYSCTL_PREFIX "kernel/hostname") == 0)
		return sethostname(e->value, e->value_len) < 0 ? -errno : 0;
	if (strcmp(e->path, SYSCTL_PREFIX "kernel/domainname") == 0)
		return setdomainname(e->value, e->value_len) < 0 ? -errno : 0;
	return proc_write(proc, e->path, e->value);
}

int sysctl_run(const struct sysctl_plan *p, int proc, struct error *err)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct sysctl_entry *e = &p->entries[i];
		int r = apply(e, proc);

		if (r < 0)
			return error_set(err, -r, "set sysctl %s to \"%s\"", e->key, e->value);
	}
	return 0;
}

void sysctl_show(const struct sysctl_plan *p, struct show *out)
{
	for (size_t i = 0; i < p->n; i++)
		show_act(out, "write \"%s\" to /proc/%s", p->entries[i].value, p->entries[i].path);
}
