/* SPDX-License-Identifier: Apache-2.0 */
/* test_netlink.c - lengths are checked when writing and when reading. */
#include "base/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "tap.h"

static int count(const struct nlmsghdr *h, const void *body, size_t len, void *ctx)
{
	size_t n;
	const char *name;

	if (h->nlmsg_type != RTM_NEWLINK || len < NLMSG_ALIGN(sizeof(struct ifinfomsg)))
		return -EBADMSG;
	len -= NLMSG_ALIGN(sizeof(struct ifinfomsg));
	name = netlink_find((const char *)body + NLMSG_ALIGN(sizeof(struct ifinfomsg)), len,
			    IFLA_IFNAME, &n);
	if (name != NULL && strcmp(name, "lo") == 0)
		++*(int *)ctx;
	return 0;
}

static void test_overflow(void)
{
	struct netlink_message m;
	char *big = calloc(1, 70000);

	netlink_begin(&m, RTM_NEWLINK, 0, NULL, 0);
	netlink_attr(&m, 1, big, 65532);	/* with its header 65536: 0 in 16 bits */
	ok(m.overflow, "a length that does not fit 16 bits is noticed");
	is_int(netlink_call(-1, &m, NULL, NULL), -EMSGSIZE, "and such a message is not sent");
	netlink_begin(&m, RTM_NEWLINK, 0, NULL, 0);
	for (int i = 0; i < 1000 && !m.overflow; i++)
		netlink_attr_u32(&m, 1, 1);
	ok(m.overflow && m.header.nlmsg_len <= NETLINK_MESSAGE_MAX, "a full message is noticed");
	free(big);
}

static void test_find(void)
{
	struct netlink_message m;
	const char *attrs;
	size_t size, len;
	struct nlattr broken = { .nla_len = 100, .nla_type = 7 };

	netlink_begin(&m, RTM_NEWLINK, 0, NULL, 0);
	netlink_attr_string(&m, 3, "abc");
	netlink_attr_u32(&m, 4, 99);
	attrs = m.bytes + NLMSG_HDRLEN;
	size = m.header.nlmsg_len - NLMSG_HDRLEN;
	is_str(netlink_find(attrs, size, 3, &len), "abc", "an attribute is found");
	ok(netlink_find(attrs, size, 4, &len) != NULL && len == 4, "the next too");
	ok(netlink_find(attrs, size, 5, &len) == NULL, "one that is not there is not");
	ok(netlink_find(attrs, size - 1, 4, &len) == NULL, "nor one that is cut");
	ok(netlink_find(&broken, sizeof(broken), 7, &len) == NULL,
	   "nor one that is longer than the message");
	ok(netlink_find(&broken, 3, 7, &len) == NULL, "nor one in less than a header");
}

int main(void)
{
	const struct ifinfomsg all = { .ifi_family = AF_UNSPEC }, none = { .ifi_index = 0x7ffffff };
	owned_fd sock = netlink_open();
	struct netlink_message m;
	int n = 0;

	test_overflow();
	test_find();
	if (sock < 0) {
		skip("no netlink here");
		return done();
	}
	netlink_begin(&m, RTM_GETLINK, NLM_F_DUMP, &all, sizeof(all));
	is_int(netlink_call(sock, &m, count, &n), 0, "a dump is read to its end");
	is_int(n, 1, "lo is in it");
	netlink_begin(&m, RTM_GETLINK, 0, &none, sizeof(none));
	is_int(netlink_call(sock, &m, NULL, NULL), -ENODEV, "the kernel's errno comes back");
	return done();
}
