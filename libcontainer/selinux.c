/* SPDX-License-Identifier: Apache-2.0 */
/* selinux.c - SELinux labels of the container process (proc_pid_attr(5)). */
#include "selinux.h"

#include <errno.h>
#include <string.h>

#include "base/proc.h"

static int take_label(const struct oci_config *c, char *const *member, const struct host *h,
		      const char **out, struct error *err)
{
	*out = NULL;
	if (*member == NULL || **member == '\0')
		return 0;
	if (!h->selinux)
		return oci_error(c, member, err,
				 "SELinux label \"%s\" is given, but SELinux is not enabled here",
				 *member);
	if (strpbrk(*member, "\"\n") != NULL)
		return oci_error(c, member, err,
				 "an SELinux label cannot contain a quote or a line break");
	*out = *member;
	return 0;
}

int selinux_compile(const struct oci_config *c, const struct oci_process *p, const struct host *h,
		    struct arena *a, struct selinux_plan *out, struct error *err)
{
	int r = p != NULL ? take_label(c, &p->selinux_label, h, &out->label, err) : 0;

	const char *mount_label;

	(void)a;
	if (p == NULL)
		out->label = NULL;
	if (r == 0 && c->linux != NULL)
		r = take_label(c, &c->linux->mount_label, h, &mount_label, err);
	return r;
}

/*
 * proc is a checked procfs descriptor, so the write cannot be led elsewhere (CVE-2019-16884,
 * CVE-2025-52881).
 */
static int write_attr(int proc, const char *attr, const char *label, struct error *err)
{
	int r = proc_write(proc, attr, label);

	if (r == -EINVAL)
		return error_set(err, EINVAL,
				 "write to `/proc/%s`: SELinux label %s is not valid in the loaded "
				 "policy",
				 attr, label);
	if (r == -EACCES)
		return error_set(err, EACCES,
				 "write to `/proc/%s`: the policy does not let the runtime set "
				 "SELinux label %s",
				 attr, label);
	return r < 0 ? error_set(err, -r, "write to `/proc/%s`: set SELinux label %s", attr, label)
		     : 0;
}

int selinux_keycreate_run(const struct selinux_plan *p, int proc, struct error *err)
{
	return p->label != NULL ? write_attr(proc, "self/attr/keycreate", p->label, err) : 0;
}

int selinux_run(const struct selinux_plan *p, int proc, struct error *err)
{
	return p->label != NULL ? write_attr(proc, "self/attr/exec", p->label, err) : 0;
}

void selinux_show(const struct selinux_plan *p, struct show *out)
{
	if (p->label != NULL)
		show_act(out, "set the SELinux label for exec: %s", p->label);
}
