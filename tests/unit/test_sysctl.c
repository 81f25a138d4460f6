/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sysctl.c - which sysctls are a container's own, and how their names become paths; names of
 * the uts namespace.
 */
#include "sysctl.h"

#include <sched.h>

#include "room.h"
#include "uts.h"

static struct arena arena = ARENA_INIT;
static const char all[] =
	"\"linux\": {\"namespaces\": [{\"type\":\"network\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},"
	"{\"type\":\"user\"}], \"sysctl\": {\"%s\": \"%s\"}}%s";

static int compile(const char *key, const char *value, const char *more, struct sysctl_plan *out,
		   struct error *err)
{
	struct host host = room_root();
	char text[512];

	memset(err, 0, sizeof(*err));
	snprintf(text, sizeof(text), all, key, value, more);
	return sysctl_compile(room_config(&arena, text), &host, &arena, out, err);
}

static void accept(const char *key, const char *path)
{
	struct sysctl_plan p;
	struct error err;

	if (ok(compile(key, "1", "", &p, &err) == 0 && p.n == 1, "%s is taken %s", key, err.text))
		is_str(p.entries[0].path, path, "path of %s", key);
}

static void refuse(const char *key, const char *value, const char *more, const char *want)
{
	struct sysctl_plan p;
	struct error err;

	ok(compile(key, value, more, &p, &err) < 0 && strstr(err.text, want) != NULL, "refused: %s",
	   err.text);
}

static void test_names(void)
{
	accept("net.ipv4.ip_forward", "sys/net/ipv4/ip_forward");
	accept("net/ipv4/conf/eth0.100/forwarding", "sys/net/ipv4/conf/eth0.100/forwarding");
	accept("net.ipv4.conf.eth0/100.forwarding", "sys/net/ipv4/conf/eth0.100/forwarding");
	accept("kernel.msgmax", "sys/kernel/msgmax");
	accept("kernel.shm_rmid_forced", "sys/kernel/shm_rmid_forced");
	accept("fs.mqueue.msg_max", "sys/fs/mqueue/msg_max");
	accept("kernel.domainname", "sys/kernel/domainname");
	accept("user.max_user_namespaces", "sys/user/max_user_namespaces");
	refuse("kernel.core_pattern", "x", "", "not in a separate kernel namespace");
	refuse("kernel.shmmaxx", "1", "", "not in a separate kernel namespace");
	refuse("kernel.sem+kernel.core_pattern", "1", "", "not the name of a sysctl");
	refuse("net/../kernel/core_pattern", "1", "", "not the name of a sysctl");
	refuse("net..core", "1", "", "not the name of a sysctl");
	refuse("net/", "1", "", "not the name of a sysctl");
	refuse("net.core.somaxconn", "1\\n2", "", "more than one line");
	refuse("kernel.hostname", "a", ", \"hostname\": \"b\"", "conflicts with hostname");
	refuse("kernel/domainname", "a", ", \"domainname\": \"b\"", "conflicts with domainname");
}

static void test_scope(void)
{
	struct host host = room_root();
	struct sysctl_plan p;
	struct error err = { 0 };
	struct oci_config *c =
		room_config(&arena, "\"linux\": {\"sysctl\": {\"net.core.somaxconn\": \"1\"}}");

	ok(sysctl_compile(c, &host, &arena, &p, &err) < 0 && strstr(err.text, "network") != NULL,
	   "refused: %s", err.text);
	is_int(compile("net.core.somaxconn", "1", "", &p, &err), 0,
	       "with a network namespace it is taken");
	is_int(sysctl_check(&p, CLONE_NEWNET, &err), 0, "when that is separate");
	ok(sysctl_check(&p, CLONE_NEWIPC, &err) < 0, "but not when it is the caller's: %s",
	   err.text);
}

static void test_uts(void)
{
	struct host host = room_root();
	struct uts_plan p;
	struct error err = { 0 };
	struct oci_config *c = room_config(&arena, "\"hostname\": \"box\"");

	ok(uts_compile(c, &host, &arena, &p, &err) < 0 && strstr(err.text, "hostname: ") != NULL,
	   "refused: %s", err.text);
	c = room_config(
		&arena,
		"\"hostname\": \"box\", \"linux\": {\"namespaces\": [{\"type\": \"uts\"}]}");
	is_int(uts_compile(c, &host, &arena, &p, &err), 0, "with a uts namespace it is taken");
	is_str(p.hostname, "box", "the name");
	ok(uts_check(&p, 0, &err) < 0, "but not when that is the caller's: %s", err.text);
}

int main(void)
{
	test_names();
	test_scope();
	test_uts();
	arena_free(&arena);
	return done();
}
