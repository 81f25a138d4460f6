/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uts.h - host name and NIS domain name of the container's uts namespace.
 * Source: config.md "Hostname", "Domainname"; sethostname(2), setdomainname(2).
 */
#ifndef KIST_UTS_H
#define KIST_UTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "show.h"

struct uts_plan {
	const char *hostname;		/* or NULL: left as it is */
	const char *domainname;
	size_t hostname_len;
	size_t domainname_len;
	const struct oci_config *config;
};

int uts_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		struct uts_plan *out, struct error *err);

/*
 * Refuses names when the container shares the caller's uts namespace after all: separate is that of
 * namespace_open(), which has looked behind the paths.  In the parent, before any side effect.
 */
int uts_check(const struct uts_plan *p, uint64_t separate, struct error *err);

/* In the child, inside its uts namespace. */
int uts_run(const struct uts_plan *p, struct error *err);

void uts_show(const struct uts_plan *p, struct show *out);

#endif
