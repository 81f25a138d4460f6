/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idmap.h - the id maps of a new user namespace.
 *
 * The child only waits; the parent writes, because an unprivileged parent may need the setuid
 * helpers newuidmap(1) and newgidmap(1), which check /etc/subuid and /etc/subgid.  They are used
 * only when more than the caller's own id is mapped and the caller has no privilege over the
 * others.
 *
 * A user namespace that is joined has maps already.  Mappings that are given beside its path must
 * be the same (idmap_check): ids of mounts and devices are worked out from them.
 *
 * Sources: config-linux.md "User namespace mappings"; user_namespaces(7) on who may write which
 * map, and why setgroups must be denied first (CVE-2014-8989).
 */
#ifndef KIST_IDMAP_H
#define KIST_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "show.h"

/* How one of the two maps gets into the kernel. */
struct idmap_side {
	const char *text;		/* for uid_map or gid_map: "0 1000 1\n..." */
	bool helper;			/* by newuidmap or newgidmap */
	char **argv;			/* of the helper; argv[1] is left for the pid */
};

struct idmap_plan {
	bool needed;			/* a new user namespace is made */
	bool deny_setgroups;
	struct idmap_side uid, gid;
	const char *user;		/* for messages: the caller's name or number */
	const struct oci_config *joined; /* whose mappings stand beside a namespace by path */
};

int idmap_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		  struct idmap_plan *out, struct error *err);

/*
 * In the parent: writes the maps of process pid, which is in its new user namespace and waits.
 * proc: the host's procfs.  0 or negative.
 */
int idmap_serve(const struct idmap_plan *p, int proc, pid_t pid, struct error *err);

/*
 * In the parent, before the first side effect: compares the mappings beside a user namespace by
 * path with the maps that the namespace has.  userns: a descriptor of it.  cancel: a descriptor
 * that ends the wait when it is readable, or -1.  0, or negative: they differ, or were not read.
 */
int idmap_check(const struct idmap_plan *p, int userns, int proc, int cancel, struct error *err);

/* The caller's id that is `id` inside, for n mappings.  0, or -ENOENT when it is not mapped. */
int idmap_to_host(const struct oci_id_mapping *map, size_t n, uint32_t id, uint32_t *out);

void idmap_show(const struct idmap_plan *p, struct show *out);

#endif
