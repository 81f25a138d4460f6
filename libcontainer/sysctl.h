/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysctl.h - kernel parameters of the container's own namespaces.
 *
 * Only parameters that belong to a namespace which the container does not share are written;
 * everything else would change the host (CVE-2022-0811, GHSA-w2j5-3rcx-vx7x). Source:
 * config-linux.md "Sysctl"; sysctl(8) for the two separators; proc_sys(5), namespaces(7).
 */
#ifndef KIST_SYSCTL_H
#define KIST_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "show.h"

struct sysctl_entry {
	const char *key;		/* as written in the config */
	const char *path;		/* below /proc: "sys/net/ipv4/ip_forward" */
	const char *value;
	size_t value_len;
	int namespace_;			/* CLONE_NEW* it belongs to */
	const void *member;
};

struct sysctl_plan {
	struct sysctl_entry *entries;
	size_t n;
	const struct oci_config *config;
};

int sysctl_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		   struct sysctl_plan *out, struct error *err);

/* The second check, when the paths of namespaces have been opened; as uts_check(). */
int sysctl_check(const struct sysctl_plan *p, uint64_t separate, struct error *err);

/*
 * In the child, inside its namespaces, before /proc/sys is made read-only.  proc: any procfs that
 * was verified.
 */
int sysctl_run(const struct sysctl_plan *p, int proc, struct error *err);

void sysctl_show(const struct sysctl_plan *p, struct show *out);

#endif
