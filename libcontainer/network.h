/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network.h - the loopback device of a new network namespace, and devices of the host that are
 * moved into it.
 *
 * Source: config-linux.md "Network Devices"; rtnetlink(7), netdevice(7), network_namespaces(7).
 * At the end of the namespace the kernel gives physical devices back to the host and removes
 * virtual ones; the specification forbids the runtime to move them itself.
 */
#ifndef KIST_NETWORK_H
#define KIST_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "show.h"

struct network_device {
	const char *host_name;
	const char *name;		/* inside; may be a template such as "eth%d" */
	const void *member;
};

struct network_plan {
	bool loopback;			/* a new namespace: bring "lo" up */
	struct network_device *devices;
	size_t n_devices;
	const struct oci_config *config;
};

int network_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		    struct network_plan *out, struct error *err);

/* As uts_check(): with devices to move, the namespace must not be the caller's own. */
int network_check(const struct network_plan *p, uint64_t separate, struct error *err);

/* In the child, inside its network namespace: lo up. */
int network_run(const struct network_plan *p, struct error *err);

/*
 * In the parent: moves the devices into the network namespace netns, renames them, gives them their
 * permanent global addresses again (a move loses them) and sets them up.  own: the caller's own
 * network namespace, which it enters again before this returns.  When a device fails, it and those
 * before it go back to the host as they were. Needs CAP_NET_ADMIN on both sides and a process with
 * one thread.
 */
int network_serve(const struct network_plan *p, int own, int netns, struct arena *scratch,
		  struct error *err);

void network_show(const struct network_plan *p, struct show *out);

#endif
