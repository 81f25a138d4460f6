/* SPDX-License-Identifier: Apache-2.0 */
/* apparmor.c - the AppArmor profile of the container process (aa_change_onexec(2)). */
#include "apparmor.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/proc.h"

/*
 * Since Linux 5.8 each security module has a directory of its own; the shared file belongs to the
 * first.
 */
#define ATTR_OWN    "self/attr/apparmor/exec"
#define ATTR_SHARED "self/attr/exec"

int apparmor_compile(const struct oci_config *c, const struct oci_process *p, const struct host *h,
		     struct arena *a, struct apparmor_plan *out, struct error *err)
{
	const char *profile = p->apparmor_profile;

	memset(out, 0, sizeof(*out));
	if (profile == NULL || *profile == '\0')
		return 0;
	if (!h->apparmor && strcmp(profile, "unconfined") == 0)
		return 0;
	if (!h->apparmor)
		return oci_error(
			c, &p->apparmor_profile, err,
			"AppArmor profile \"%s\" is given, but AppArmor is not enabled here",
			profile);
	if (strchr(profile, '\n') != NULL)
		return oci_error(c, &p->apparmor_profile, err,
				 "an AppArmor profile cannot contain a line break");
	out->profile = profile;
	out->command = arena_printf(a, "exec %s", profile);
	return 0;
}

int apparmor_run(const struct apparmor_plan *p, int proc, struct error *err)
{
	const char *attr = ATTR_OWN;
	int fd, r;

	if (p->profile == NULL)
		return 0;
	/*
	 * Which file it is must be known from its existence: ENOENT from the write means "no such
	 * profile".
	 */
	fd = proc_open_file(proc, attr, 0);
	if (fd == -ENOENT)
		attr = ATTR_SHARED;
	fd_close(&fd);
	/*
	 * A checked procfs: the image cannot lead this write elsewhere (CVE-2023-28642,
	 * CVE-2025-52881).
	 */
	r = proc_write(proc, attr, p->command);
	if (r == -ENOENT)
		return error_set(err, ENOENT,
				 "write to `/proc/%s`: AppArmor profile %s is not loaded", attr,
				 p->profile);
	if (r == -EACCES || r == -EPERM)
		return error_set(
			err, -r,
			"write to `/proc/%s`: the runtime's own confinement does not allow the "
			"change to AppArmor profile %s",
			attr, p->profile);
	return r < 0 ? error_set(err, -r, "write to `/proc/%s`: set AppArmor profile %s", attr,
				 p->profile)
		     : 0;
}

void apparmor_show(const struct apparmor_plan *p, struct show *out)
{
	if (p->profile != NULL)
		show_act(out, "set the AppArmor profile for exec: %s", p->profile);
}
