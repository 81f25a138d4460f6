/* SPDX-License-Identifier: Apache-2.0 */
/* uts.c - host name and domain name. */
#include "uts.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#define UTS_NAME_MAX 64		/* __NEW_UTS_LEN of the kernel */

static int compile_name(const struct oci_config *c, char *const *member, const char **name,
			size_t *len, struct error *err)
{
	if (*member == NULL || (*member)[0] == '\0')
		return 0;
	if (oci_namespace_find(c, CLONE_NEWUTS) == NULL)
		return oci_error(
			c, member, err,
			"cannot be set without a uts namespace: add {\"type\": \"uts\"} to "
			"linux.namespaces");
	*len = strlen(*member);
	if (*len > UTS_NAME_MAX)
		return oci_error(c, member, err, "%zu bytes are too long, the kernel takes %d",
				 *len, UTS_NAME_MAX);
	*name = *member;
	return 0;
}

int uts_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		struct uts_plan *out, struct error *err)
{
	int r;

	(void)h;
	(void)a;
	memset(out, 0, sizeof(*out));
	out->config = c;
	r = compile_name(c, &c->hostname, &out->hostname, &out->hostname_len, err);
	if (r == 0)
		r = compile_name(c, &c->domainname, &out->domainname, &out->domainname_len, err);
	return r;
}

int uts_check(const struct uts_plan *p, uint64_t separate, struct error *err)
{
	if (separate & CLONE_NEWUTS)
		return 0;
	if (p->hostname != NULL)
		return oci_error(p->config, &p->config->hostname, err,
				 "the uts namespace to join is the caller's own, whose name it "
				 "would change");
	if (p->domainname != NULL)
		return oci_error(p->config, &p->config->domainname, err,
				 "the uts namespace to join is the caller's own, whose name it "
				 "would change");
	return 0;
}

int uts_run(const struct uts_plan *p, struct error *err)
{
	if (p->hostname != NULL && sethostname(p->hostname, p->hostname_len) < 0)
		return error_set(err, errno, "set hostname \"%s\"", p->hostname);
	if (p->domainname != NULL && setdomainname(p->domainname, p->domainname_len) < 0)
		return error_set(err, errno, "set domainname \"%s\"", p->domainname);
	return 0;
}

void uts_show(const struct uts_plan *p, struct show *out)
{
	if (p->hostname != NULL)
		show_act(out, "set hostname %s", p->hostname);
	if (p->domainname != NULL)
		show_act(out, "set domainname %s", p->domainname);
}
