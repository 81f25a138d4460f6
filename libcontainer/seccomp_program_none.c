/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_program_none.c - for a build without libseccomp: a profile is refused, never skipped. */
#include "seccomp.h"

void seccomp_library_version(unsigned int v[3])
{
	v[0] = v[1] = v[2] = 0;
}

const char *const *seccomp_library_archs(struct arena *a)
{
	return ARENA_NEW_ARRAY(a, const char *, 1);
}

int seccomp_program(const struct oci_config *c, struct arena *a, struct seccomp_plan *out,
		    struct error *err)
{
	(void)a;
	(void)out;
	return oci_error(c, &c->linux->seccomp, err,
			 "a seccomp profile is given, but this kist was built without libseccomp");
}
