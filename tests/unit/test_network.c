/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_network.c - lo, and devices moved with their addresses, in a user namespace that owns two
 * network namespaces.
 */
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/netlink.h"
#include "base/sys.h"
#include "room.h"

static struct arena arena = ARENA_INIT;

static struct network_plan compile(const char *devices)
{
	struct host host = room_root();
	struct network_plan plan;
	struct error err = { 0 };
	struct oci_config *c =
		room_config(&arena, arena_printf(&arena,
						 "\"linux\": {\"namespaces\": [{\"type\": "
						 "\"network\"}], \"netDevices\": {%s}}",
						 devices));

	if (network_compile(c, &host, &arena, &plan, &err) < 0)
		bail_out(err.text);
	return plan;
}

static void refuse(const char *linux_members, const char *want)
{
	struct host host = room_root();
	struct network_plan plan;
	struct error err = { 0 };
	struct oci_config *c =
		room_config(&arena, arena_printf(&arena, "\"linux\": {%s}", linux_members));

	ok(network_compile(c, &host, &arena, &plan, &err) < 0 && strstr(err.text, want) != NULL,
	   "refused: %s", err.text);
}

static void test_compile(void)
{
	struct network_plan p = compile("");
	struct error err = { 0 };

	ok(p.loopback && p.n_devices == 0, "a new namespace gets lo");
	p = compile("\"eth1\": {\"name\": \"eth%d\"}");
	is_str(p.devices[0].name, "eth%d", "a template is taken");
	ok(network_check(&p, 0, &err) < 0, "not into the caller's own: %s", err.text);
	refuse("\"netDevices\": {\"eth0\": {}}", "network namespace");
	refuse("\"namespaces\": [{\"type\": \"network\"}], \"netDevices\": {\"a/b\": {}}",
	       "not the name");
	refuse("\"namespaces\": [{\"type\": \"network\"}], \"netDevices\": {\"eth0\": {\"name\": "
	       "\"%s\"}}",
	       "not the name");
	refuse("\"namespaces\": [{\"type\": \"network\"}], \"netDevices\": {\"eth0\": {\"name\": "
	       "\"sixteen_or_more_\"}}",
	       "not the name");
}

static int make_device(int sock, const char *name)
{
	const struct ifinfomsg info = { .ifi_family = AF_UNSPEC };
	/* IFLA_INFO_KIND "veth", as a nested attribute. */
	const struct {
		struct nlattr attr;
		char kind[8];
	} link = { { .nla_len = NLA_HDRLEN + 5, .nla_type = IFLA_INFO_KIND }, "veth" };
	struct netlink_message m;

	netlink_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	netlink_attr_string(&m, IFLA_IFNAME, name);
	netlink_attr(&m, IFLA_LINKINFO, &link, sizeof(link));
	return netlink_call(sock, &m, NULL, NULL);
}

static int add_address(int sock, const char *device, const char *text, uint8_t scope)
{
	const struct ifaddrmsg addr = {
		.ifa_family = AF_INET,
		.ifa_prefixlen = 24,
		.ifa_scope = scope,
		.ifa_index = if_nametoindex(device),
	};
	struct netlink_message m;
	uint32_t ip = inet_addr(text);

	netlink_begin(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &addr, sizeof(addr));
	netlink_attr_u32(&m, IFA_LOCAL, ip);
	netlink_attr_u32(&m, IFA_ADDRESS, ip);
	return netlink_call(sock, &m, NULL, NULL);
}

static int count_ipv4(const struct nlmsghdr *h, const void *body, size_t len, void *ctx)
{
	const struct ifaddrmsg *addr = body;

	(void)len;
	if (h->nlmsg_type == RTM_NEWADDR && addr->ifa_family == AF_INET)
		++*(int *)ctx;
	return 0;
}

static int addresses(int sock)
{
	const struct ifaddrmsg addr = { .ifa_family = AF_INET };
	struct netlink_message m;
	int n = 0;

	netlink_begin(&m, RTM_GETADDR, NLM_F_DUMP, &addr, sizeof(addr));
	return netlink_call(sock, &m, count_ipv4, &n) < 0 ? -1 : n;
}

static bool is_up(const char *device)
{
	struct ifreq req = { 0 };
	owned_fd sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", device);
	return ioctl(sock, SIOCGIFFLAGS, &req) == 0 && (req.ifr_flags & IFF_UP);
}

static void test_move(int own, int other)
{
	struct network_plan p =
		compile("\"moved0\": {\"name\": \"eth0\"}, \"moved1\": {\"name\": \"eth%d\"}");
	struct network_plan bad = compile("\"back0\": {}, \"missing0\": {}");
	struct error err = { 0 };
	owned_fd sock = netlink_open();

	if (make_device(sock, "moved0") < 0) {
		skip("no veth devices here");
		return;
	}
	make_device(sock, "moved1");
	make_device(sock, "back0");
	is_int(add_address(sock, "moved0", "192.0.2.1", RT_SCOPE_UNIVERSE), 0, "a global address");
	is_int(add_address(sock, "moved0", "198.51.100.2", RT_SCOPE_LINK), 0, "one of the link");
	is_int(add_address(sock, "back0", "192.0.2.3", RT_SCOPE_UNIVERSE), 0,
	       "one of another device");

	ok(network_serve(&bad, own, other, &arena, &err) < 0 &&
		   strstr(err.text, "missing0") != NULL,
	   "%s", err.text);
	ok(if_nametoindex("back0") != 0 && addresses(sock) == 3,
	   "the one before is back, with its address");

	is_int(network_serve(&p, own, other, &arena, &err), 0, "moved %s", err.text);
	ok(if_nametoindex("moved0") == 0 && if_nametoindex("moved1") == 0, "they are gone here");
	ok(network_serve(&p, own, other, &arena, &err) < 0, "a second time: %s", err.text);
	make_device(sock, "moved0");
	ok(network_serve(&p, own, other, &arena, &err) < 0 && strstr(err.text, "already") != NULL,
	   "%s", err.text);
	sys_setns(other, CLONE_NEWNET);
	ok(is_up("eth0") && is_up("eth1"), "both are there, one by template, and up");
	fd_close(&sock);
	sock = netlink_open();
	is_int(addresses(sock), 1, "with the global address only");
}

static void test_in_namespace(void)
{
	struct network_plan p = compile("");
	struct error err = { 0 };
	owned_fd own = -1, other = -1;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		skip("no user namespaces here");
		return;
	}
	other = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	ok(!is_up("lo"), "lo is down at first");
	is_int(network_run(&p, &err), 0, "lo %s", err.text);
	ok(is_up("lo"), "lo is up");
	if (unshare(CLONE_NEWNET) < 0)
		bail_out("unshare");
	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	sys_setns(other, CLONE_NEWNET);
	sys_setns(own, CLONE_NEWNET);
	/* lo of `other` has 127.0.0.1: a third namespace without it keeps the count simple. */
	fd_close(&other);
	if (unshare(CLONE_NEWNET) < 0)
		bail_out("unshare");
	other = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	sys_setns(own, CLONE_NEWNET);
	test_move(own, other);
}

int main(void)
{
	test_compile();
	test_in_namespace();
	arena_free(&arena);
	return done();
}
