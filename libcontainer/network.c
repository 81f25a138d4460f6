/* SPDX-License-Identifier: Apache-2.0 */
/* network.c - the loopback device, and devices of the host that are moved into the container. */
#include "network.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/netlink.h"
#include "base/sys.h"

/* One device on its way. */
struct move {
	const struct network_device *device;
	int own, netns;			/* namespaces: from, to */
	int from, to;			/* netlink sockets there */
	uint32_t index;			/* number of the device where it is now */
	bool was_up;
	char temporary[IFNAMSIZ]; /* its name while it moves: that of no other device */
	struct netlink_message
		*addresses; /* requests that set them again, but for the device's number */
	size_t n_addresses;
	struct arena *arena;
};

static bool is_valid_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= IFNAMSIZ || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (; *name != '\0'; name++)
		if (*name == '/' || *name == ':' || (unsigned char)*name <= ' ')
			return false;
	return true;
}

/* A '%' is only good in "%d", once: the kernel's template. */
static bool is_template(const char *name)
{
	const char *percent = strchr(name, '%');

	return percent != NULL && percent[1] == 'd' && strchr(percent + 1, '%') == NULL;
}

static int compile_device(const struct oci_config *c, const struct oci_net_device *in,
			  struct network_device *out, struct error *err)
{
	out->host_name = in->key;
	out->name = in->name != NULL && in->name[0] != '\0' ? in->name : in->key;
	out->member = in;
	if (!is_valid_name(in->key) || strchr(in->key, '%') != NULL)
		return oci_error(c, in, err, "\"%s\" is not the name of a network device", in->key);
	if (!is_valid_name(out->name) ||
	    (strchr(out->name, '%') != NULL && !is_template(out->name)))
		return oci_error(c, &in->name, err, "\"%s\" is not the name of a network device",
				 out->name);
	return 0;
}

int network_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		    struct network_plan *out, struct error *err)
{
	const struct oci_namespace *ns = oci_namespace_find(c, CLONE_NEWNET);
	const struct oci_linux *l = c->linux;

	memset(out, 0, sizeof(*out));
	out->config = c;
	out->loopback = ns != NULL && (ns->path == NULL || ns->path[0] == '\0');
	if (l == NULL || l->n_net_devices == 0)
		return 0;
	if (ns == NULL)
		return oci_error(c, &l->net_devices, err,
				 "network devices cannot be moved without a network namespace: add "
				 "{\"type\": \"network\"} to linux.namespaces");
	if (h->euid != 0 || h->in_userns)
		return oci_error(c, &l->net_devices, err,
				 "only root of the host can move network devices");
	out->devices = ARENA_NEW_ARRAY(a, struct network_device, l->n_net_devices);
	for (; out->n_devices < l->n_net_devices; out->n_devices++) {
		int r = compile_device(c, &l->net_devices[out->n_devices],
				       &out->devices[out->n_devices], err);

		if (r < 0)
			return r;
	}
	return 0;
}

int network_check(const struct network_plan *p, uint64_t separate, struct error *err)
{
	if (p->n_devices > 0 && !(separate & CLONE_NEWNET))
		return oci_error(p->config, &p->config->linux->net_devices, err,
				 "network devices cannot be moved: the network namespace to join "
				 "is the caller's own");
	return 0;
}

int network_run(const struct network_plan *p, struct error *err)
{
	struct ifreq req = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	owned_fd sock = -1;

	if (!p->loopback)
		return 0;
	/* Any socket takes the call; AF_UNIX is always there and the cheapest. */
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || ioctl(sock, SIOCSIFFLAGS, &req) < 0)
		return error_set(err, errno, "set network device lo up");
	return 0;
}

static int visit_link(const struct nlmsghdr *h, const void *body, size_t len, void *ctx)
{
	if (h->nlmsg_type == RTM_NEWLINK && len >= sizeof(struct ifinfomsg))
		memcpy(ctx, body, sizeof(struct ifinfomsg));
	return 0;
}

/* The device called name.  0, -ENODEV, -errno. */
static int find_device(int sock, const char *name, struct ifinfomsg *found)
{
	const struct ifinfomsg info = { .ifi_family = AF_UNSPEC };
	struct netlink_message m;

	netlink_begin(&m, RTM_GETLINK, 0, &info, sizeof(info));
	netlink_attr_string(&m, IFLA_IFNAME, name);
	return netlink_call(sock, &m, visit_link, found);
}

static void copy_attr(struct netlink_message *m, uint16_t type, const char *attrs, size_t size)
{
	size_t len;
	const void *data = netlink_find(attrs, size, type, &len);

	if (data != NULL)
		netlink_attr(m, type, data, len);
}

/* Keeps what the specification wants kept: permanent addresses of global scope, of any family. */
static int visit_address(const struct nlmsghdr *h, const void *body, size_t len, void *ctx)
{
	struct move *mv = ctx;
	struct ifaddrmsg addr;
	struct netlink_message *m;
	const char *attrs = (const char *)body + NLMSG_ALIGN(sizeof(addr));
	const void *data;
	uint32_t flags;
	size_t size, n;

	if (h->nlmsg_type != RTM_NEWADDR || len < NLMSG_ALIGN(sizeof(addr)))
		return 0;
	memcpy(&addr, body, sizeof(addr));
	size = len - NLMSG_ALIGN(sizeof(addr));
	flags = addr.ifa_flags;
	data = netlink_find(attrs, size, IFA_FLAGS, &n);
	if (data != NULL && n == sizeof(flags))
		memcpy(&flags, data, sizeof(flags));
	/* The kernel's own filter by device may be missing (strict checking is optional). */
	if (addr.ifa_index != mv->index || !(flags & IFA_F_PERMANENT) ||
	    addr.ifa_scope != RT_SCOPE_UNIVERSE)
		return 0;
	mv->addresses =
		arena_grow(mv->arena, mv->addresses, mv->n_addresses, sizeof(*mv->addresses));
	m = &mv->addresses[mv->n_addresses++];
	/* What the kernel found out itself (tentative, secondary, ...) it will find out again. */
	flags &= IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE |
		 IFA_F_MCAUTOJOIN;
	addr.ifa_flags = (uint8_t)flags;
	netlink_begin(m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &addr, sizeof(addr));
	copy_attr(m, IFA_LOCAL, attrs, size);
	copy_attr(m, IFA_ADDRESS, attrs, size);
	copy_attr(m, IFA_BROADCAST, attrs, size);
	copy_attr(m, IFA_RT_PRIORITY, attrs, size);
	netlink_attr_u32(m, IFA_FLAGS, flags);
	return 0;
}

static int read_addresses(struct move *mv)
{
	const struct ifaddrmsg addr = { .ifa_family = AF_UNSPEC, .ifa_index = mv->index };
	struct netlink_message m;

	netlink_begin(&m, RTM_GETADDR, NLM_F_DUMP, &addr, sizeof(addr));
	return netlink_call(mv->from, &m, visit_address, mv);
}

/* Into namespace netns, under the name given there. */
static int move_device(int sock, uint32_t index, int netns, const char *name)
{
	const struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = (int)index };
	struct netlink_message m;

	netlink_begin(&m, RTM_NEWLINK, 0, &info, sizeof(info));
	netlink_attr_u32(&m, IFLA_NET_NS_FD, (uint32_t)netns);
	netlink_attr_string(&m, IFLA_IFNAME, name);
	return netlink_call(sock, &m, NULL, NULL);
}

static int set_device(int sock, uint32_t index, const char *name, bool up)
{
	const struct ifinfomsg info = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = (int)index,
		.ifi_change = up ? IFF_UP : 0,
		.ifi_flags = up ? IFF_UP : 0,
	};
	struct netlink_message m;

	netlink_begin(&m, RTM_NEWLINK, 0, &info, sizeof(info));
	if (name != NULL)
		netlink_attr_string(&m, IFLA_IFNAME, name);
	return netlink_call(sock, &m, NULL, NULL);
}

static int add_addresses(struct move *mv, int sock)
{
	for (size_t i = 0; i < mv->n_addresses; i++) {
		struct netlink_message *m = &mv->addresses[i];
		struct ifaddrmsg *addr = NLMSG_DATA(&m->header);
		int r;

		addr->ifa_index = mv->index;
		r = netlink_call(sock, m, NULL, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The part inside; the device is there under its temporary name. */
static int settle_device(struct move *mv, struct error *err)
{
	const struct network_device *d = mv->device;
	struct ifinfomsg info = { 0 };
	int r = find_device(mv->to, mv->temporary, &info);

	if (r < 0)
		return error_set(err, -r, "find network device %s in the container", d->host_name);
	mv->index = (uint32_t)info.ifi_index;
	r = set_device(mv->to, mv->index, d->name, false);
	if (r < 0)
		return error_set(err, -r, "rename network device %s to %s", d->host_name, d->name);
	r = add_addresses(mv, mv->to);
	if (r < 0)
		return error_set(err, -r, "give network device %s its addresses again", d->name);
	r = set_device(mv->to, mv->index, NULL, true);
	if (r < 0)
		return error_set(err, -r, "set network device %s up", d->name);
	return 0;
}

/*
 * As it was before: a virtual device would vanish with the namespace, a physical one come back with
 * another name.
 */
static void move_back(struct move *mv)
{
	struct ifinfomsg info = { 0 };

	if (move_device(mv->to, mv->index, mv->own, mv->device->host_name) < 0 ||
	    find_device(mv->from, mv->device->host_name, &info) < 0)
		return;
	mv->index = (uint32_t)info.ifi_index;
	add_addresses(mv, mv->from);
	if (mv->was_up)
		set_device(mv->from, mv->index, NULL, true);
}

static int move_one(const struct network_plan *p, struct move *mv, struct error *err)
{
	const struct network_device *d = mv->device;
	struct ifinfomsg info = { 0 }, other;
	int r = find_device(mv->from, d->host_name, &info);

	if (r < 0)
		return oci_error(p->config, d->member, err, "network device %s: %s", d->host_name,
				 error_text(-r));
	if (strchr(d->name, '%') == NULL && find_device(mv->to, d->name, &other) == 0)
		return oci_error(p->config, d->member, err,
				 "the container's network namespace has a device %s already",
				 d->name);
	mv->index = (uint32_t)info.ifi_index;
	mv->was_up = info.ifi_flags & IFF_UP;
	r = read_addresses(mv);
	if (r < 0)
		return error_set(err, -r, "read the addresses of network device %s", d->host_name);
	snprintf(mv->temporary, sizeof(mv->temporary), "kist%u", mv->index);
	r = move_device(mv->from, mv->index, mv->netns, mv->temporary);
	if (r < 0)
		return error_set(err, -r, "move network device %s to the container", d->host_name);
	r = settle_device(mv, err);
	if (r < 0)
		move_back(mv);
	return r;
}

/* A netlink socket inside netns: it belongs for ever to the namespace that its maker was in. */
static int open_inside(int own, int netns)
{
	int r = sys_setns(netns, CLONE_NEWNET), sock;

	if (r < 0)
		return r;
	sock = netlink_open();
	r = sys_setns(own, CLONE_NEWNET);
	if (r < 0)
		fd_close(&sock);
	return r < 0 ? r : sock;
}

int network_serve(const struct network_plan *p, int own, int netns, struct arena *scratch,
		  struct error *err)
{
	owned_fd from = -1, to = -1;
	struct move *moves;
	int r = 0;

	if (p->n_devices == 0)
		return 0;
	from = netlink_open();
	if (from < 0)
		return error_set(err, -from, "open a netlink socket");
	to = open_inside(own, netns);
	if (to < 0)
		return error_set(err, -to,
				 "open a netlink socket in the container's network namespace");
	moves = ARENA_NEW_ARRAY(scratch, struct move, p->n_devices);
	for (size_t i = 0; r == 0 && i < p->n_devices; i++) {
		moves[i] = (struct move){
			.device = &p->devices[i],
			.own = own,
			.netns = netns,
			.from = from,
			.to = to,
			.arena = scratch,
		};
		r = move_one(p, &moves[i], err);
		if (r == 0)
			continue;
		while (i-- > 0)
			move_back(&moves[i]);
		break;
	}
	return r;
}

void network_show(const struct network_plan *p, struct show *out)
{
	for (size_t i = 0; i < p->n_devices; i++)
		show_act(out, "move network device %s into the container as %s",
			 p->devices[i].host_name, p->devices[i].name);
}
