/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netlink.h - as much of netlink(7) as moving a network device takes.
 *
 * Every length is checked when it is written and when it is read: a 16-bit attribute length that
 * overflows made a runtime drop namespaces once (CVE-2021-43784).  No allocation.  All return 0 or
 * -errno.
 */
#ifndef KIST_BASE_NETLINK_H
#define KIST_BASE_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETLINK_MESSAGE_MAX 2048

/* A request being built. */
struct netlink_message {
	union {
		struct nlmsghdr header;
		char bytes[NETLINK_MESSAGE_MAX];
	};
	bool overflow;		/* something did not fit: sending it fails with -EMSGSIZE */
};

/* NETLINK_ROUTE socket of the caller's network namespace; >= 0 or -errno. */
int netlink_open(void);

/* Starts a request.  body: the family's fixed struct (ifinfomsg, ifaddrmsg). */
void netlink_begin(struct netlink_message *m, uint16_t type, uint16_t flags, const void *body,
		   size_t len);
void netlink_attr(struct netlink_message *m, uint16_t type, const void *data, size_t len);
void netlink_attr_u32(struct netlink_message *m, uint16_t type, uint32_t value);
void netlink_attr_string(struct netlink_message *m, uint16_t type, const char *s);

/* Called for each message of an answer; a negative return ends the reading and is passed on. */
typedef int netlink_visit(const struct nlmsghdr *header, const void *body, size_t len, void *ctx);

/*
 * Sends the request and reads the answer: an acknowledgement, or messages for visit (which may be
 * NULL) up to the end of the dump.  The kernel's errno is returned.
 */
int netlink_call(int sock, struct netlink_message *m, netlink_visit *visit, void *ctx);

/*
 * Looks for an attribute after the fixed struct of a message.  Returns its data and *len, or NULL.
 * attrs, size: what follows the fixed struct.
 */
const void *netlink_find(const void *attrs, size_t size, uint16_t type, size_t *len);

#endif
