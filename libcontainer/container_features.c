/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_features.c - what this build can do, for engines that ask before they configure.
 */
#include "config.h"

#include "container_impl.h"

#include "capability.h"
#include "mount_option.h"
#include "seccomp.h"

/* Of the libseccomp that this build has in it; NULL: none. */
static char *libseccomp_version(struct arena *a)
{
	unsigned int v[3];

	seccomp_library_version(v);
	return v[0] > 0 ? arena_printf(a, "%u.%u.%u", v[0], v[1], v[2]) : NULL;
}

void container_build(struct arena *a, struct container_build *out)
{
	const char **features = ARENA_NEW_ARRAY(a, const char *, 6);
	size_t n = 0;

	out->libseccomp = libseccomp_version(a);
	if (out->libseccomp)
		features[n++] = "SECCOMP";
	features[n++] = "SELINUX";
	features[n++] = "APPARMOR";
	if (cgroup_helper_installed(a))
		features[n++] = "SYSTEMD";
	features[n] = "YAJL";
	out->features = features;
}

int container_features(struct container_context *ctx, char **out, struct error *err)
{
	struct oci_features f = {
		.version = PACKAGE_VERSION,
		.commit = KIST_COMMIT,
		.mount_options = (const char *const *)mount_option_names(ctx->arena),
		.seccomp_archs = seccomp_library_archs(ctx->arena),
		.libseccomp_version = libseccomp_version(ctx->arena),
		.capabilities = capability_names(),
		.apparmor = true,
		.selinux = true,
		.systemd = cgroup_helper_installed(ctx->arena),
	};
	struct json_out json;

	(void)err;
	json_out_begin(&json, ctx->arena, 2);
	oci_features_write(&json, &f);
	*out = arena_strdup(ctx->arena, json_out_text(&json));
	return 0;
}
