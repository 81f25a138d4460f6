/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "version.h"

#include "container.h"
#include "oci/oci.h"

void version_print(FILE *out)
{
	struct arena arena = ARENA_INIT;
	struct container_build build;

	container_build(&arena, &build);
	fprintf(out, "kist version %s\ncommit: %s\nspec: %s\n", PACKAGE_VERSION,
		*KIST_COMMIT ? KIST_COMMIT : "unknown", OCI_VERSION);
	if (build.libseccomp)
		fprintf(out, "libseccomp: %s\n", build.libseccomp);
	for (const char *const *feature = build.features; *feature; feature++)
		fprintf(out, "+%s%s", *feature, feature[1] ? " " : "\n");
	arena_free(&arena);
}
