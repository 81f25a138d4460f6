/* SPDX-License-Identifier: Apache-2.0 */
/* netlink.c - requests and answers of rtnetlink(7). */
#include "base/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/fd.h"

#define NETLINK_ANSWER_MAX 32768	/* the kernel's largest dump block */
#define NETLINK_TIMEOUT_S 10

int netlink_open(void)
{
	const struct timeval timeout = { .tv_sec = NETLINK_TIMEOUT_S };
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	owned_fd sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	/* Connected to the kernel (port 0), so that no other process's message is taken. */
	if (sock < 0 || connect(sock, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0 ||
	    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
		return -errno;
	return fd_take(&sock);
}

static void append(struct netlink_message *m, const void *data, size_t len)
{
	size_t at = NLMSG_ALIGN(m->header.nlmsg_len), end;

	if (len > sizeof(m->bytes) || at + NLMSG_ALIGN(len) > sizeof(m->bytes)) {
		m->overflow = true;
		return;
	}
	end = at + len;
	if (len > 0)
		memcpy(m->bytes + at, data, len);
	m->header.nlmsg_len = (uint32_t)end;
}

void netlink_begin(struct netlink_message *m, uint16_t type, uint16_t flags, const void *body,
		   size_t len)
{
	memset(m, 0, sizeof(*m));
	m->header.nlmsg_len = NLMSG_HDRLEN;
	m->header.nlmsg_type = type;
	m->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	append(m, body, len);
}

void netlink_attr(struct netlink_message *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr attr = { .nla_type = type };

	if (len > sizeof(m->bytes)) {
		m->overflow = true;
		return;
	}
	attr.nla_len = (uint16_t)(NLA_HDRLEN + len);	/* fits: len is below NETLINK_MESSAGE_MAX */
	append(m, &attr, sizeof(attr));
	append(m, data, len);
}

void netlink_attr_u32(struct netlink_message *m, uint16_t type, uint32_t value)
{
	netlink_attr(m, type, &value, sizeof(value));
}

void netlink_attr_string(struct netlink_message *m, uint16_t type, const char *s)
{
	netlink_attr(m, type, s, strlen(s) + 1);
}

/* One message of an answer.  1: goes on, 0: the end, or -errno. */
static int one_answer(const struct nlmsghdr *h, netlink_visit *visit, void *ctx)
{
	size_t len = h->nlmsg_len - NLMSG_HDRLEN;
	const char *body = (const char *)h + NLMSG_HDRLEN;
	struct nlmsgerr error;
	int r;

	if (h->nlmsg_type == NLMSG_DONE)
		return 0;
	if (h->nlmsg_type == NLMSG_ERROR) {
		if (len < sizeof(error))
			return -EBADMSG;
		memcpy(&error, body, sizeof(error));
		return error.error > 0 ? -EBADMSG : error.error;
	}
	r = visit != NULL ? visit(h, body, len, ctx) : 0;
	return r < 0 ? r : 1;
}

static int read_answer(int sock, uint32_t seq, netlink_visit *visit, void *ctx)
{
	char buf[NETLINK_ANSWER_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));

	for (;;) {
		ssize_t n = recv(sock, buf, sizeof(buf), MSG_TRUNC);
		size_t at = 0, size;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (errno == EAGAIN ? -ETIMEDOUT : -errno) : -EBADMSG;
		size = (size_t)n;
		if (size > sizeof(buf))
			return -EMSGSIZE;
		while (size - at >= NLMSG_HDRLEN) {
			const struct nlmsghdr *h = (const struct nlmsghdr *)(buf + at);
			int r;

			if (h->nlmsg_len < NLMSG_HDRLEN || h->nlmsg_len > size - at)
				return -EBADMSG;
			r = h->nlmsg_seq == seq ? one_answer(h, visit, ctx) : 1;
			if (r <= 0)
				return r;
			at += NLMSG_ALIGN(h->nlmsg_len) < size - at ? NLMSG_ALIGN(h->nlmsg_len)
								    : size - at;
		}
	}
}

int netlink_call(int sock, struct netlink_message *m, netlink_visit *visit, void *ctx)
{
	if (m->overflow)
		return -EMSGSIZE;
	m->header.nlmsg_seq = 1;	/* one request at a time, and each is read to its end */
	if (send(sock, m->bytes, m->header.nlmsg_len, 0) < 0)
		return -errno;
	return read_answer(sock, m->header.nlmsg_seq, visit, ctx);
}

const void *netlink_find(const void *attrs, size_t size, uint16_t type, size_t *len)
{
	const char *p = attrs;

	while (size >= NLA_HDRLEN) {
		struct nlattr attr;
		size_t step;

		memcpy(&attr, p, sizeof(attr));
		if (attr.nla_len < NLA_HDRLEN || attr.nla_len > size)
			return NULL;
		if ((attr.nla_type & NLA_TYPE_MASK) == type) {
			*len = (size_t)attr.nla_len - NLA_HDRLEN;
			return p + NLA_HDRLEN;
		}
		step = NLA_ALIGN(attr.nla_len);
		if (step >= size)
			return NULL;
		p += step;
		size -= step;
	}
	return NULL;
}
