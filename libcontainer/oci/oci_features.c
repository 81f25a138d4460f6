/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_features.c - the features structure (features.md, features-linux.md).
 *
 * It tells what this build recognizes, whatever the host can do: so its lists are the reader's own
 * tables.
 */
#include "oci/oci_schema.h"

#define OCI_VERSION_MIN "1.0.0"

/* Annotations of a config that change what the runtime does; a final dot makes a prefix. */
static const char *const unsafe_annotations[] = {
	"org.systemd.property.", "run.oci.", NULL,
};

static void write_strings(struct json_out *out, const char *key, const char *const *list)
{
	json_out_key(out, key);
	json_out_open_array(out);
	for (; list && *list; list++)
		json_out_string(out, *list);
	json_out_close_array(out);
}

static void write_choices(struct json_out *out, const char *key, const struct json_choice *choices)
{
	json_out_key(out, key);
	json_out_open_array(out);
	for (; choices->name; choices++)
		json_out_string(out, choices->name);
	json_out_close_array(out);
}

static void write_bool(struct json_out *out, const char *key, bool value)
{
	json_out_key(out, key);
	json_out_bool(out, value);
}

static void write_enabled(struct json_out *out, const char *key, bool value)
{
	json_out_key(out, key);
	json_out_open_object(out);
	write_bool(out, "enabled", value);
	json_out_close_object(out);
}

static void write_hooks(struct json_out *out)
{
	json_out_key(out, "hooks");
	json_out_open_array(out);
	for (const struct json_field *field = oci_hooks_fields; field->name; field++)
		json_out_string(out, field->name);
	json_out_close_array(out);
}

static void write_cgroup(struct json_out *out, const struct oci_features *f)
{
	json_out_key(out, "cgroup");
	json_out_open_object(out);
	write_bool(out, "v1", true);
	write_bool(out, "v2", true);
	write_bool(out, "systemd", f->systemd);
	write_bool(out, "systemdUser", f->systemd);
	write_bool(out, "rdma", true);
	json_out_close_object(out);
}

static void write_seccomp(struct json_out *out, const struct oci_features *f)
{
	json_out_key(out, "seccomp");
	json_out_open_object(out);
	write_bool(out, "enabled", f->libseccomp_version);
	if (f->libseccomp_version) {
		write_choices(out, "actions", oci_seccomp_actions);
		write_choices(out, "operators", oci_seccomp_operators);
		write_strings(out, "archs", f->seccomp_archs);
		write_choices(out, "knownFlags", oci_seccomp_flags);
		write_choices(out, "supportedFlags", oci_seccomp_flags);
	}
	json_out_close_object(out);
}

static void write_linux(struct json_out *out, const struct oci_features *f)
{
	json_out_key(out, "linux");
	json_out_open_object(out);
	write_choices(out, "namespaces", oci_namespace_types);
	write_strings(out, "capabilities", f->capabilities);
	write_cgroup(out, f);
	write_seccomp(out, f);
	write_enabled(out, "apparmor", f->apparmor);
	write_enabled(out, "selinux", f->selinux);
	write_enabled(out, "intelRdt", false);
	json_out_key(out, "memoryPolicy");
	json_out_open_object(out);
	write_choices(out, "modes", oci_memory_policy_modes);
	write_choices(out, "flags", oci_memory_policy_flags);
	json_out_close_object(out);
	json_out_key(out, "mountExtensions");
	json_out_open_object(out);
	write_enabled(out, "idmap", true);
	json_out_close_object(out);
	write_enabled(out, "netDevices", true);
	json_out_close_object(out);
}

static void write_annotations(struct json_out *out, const struct oci_features *f)
{
	/* Podman and containerd ask for the second name before they offer checkpoints. */
	static const char *const checkpoint[] = {
		"run.kist.checkpoint.enabled", "org.opencontainers.runc.checkpoint.enabled",
	};

	json_out_key(out, "annotations");
	json_out_open_object(out);
	json_out_key(out, "run.kist.version");
	json_out_string(out, f->version);
	json_out_key(out, "run.kist.commit");
	json_out_string(out, f->commit);
	for (size_t i = 0; i < sizeof(checkpoint) / sizeof(checkpoint[0]); i++) {
		json_out_key(out, checkpoint[i]);
		json_out_string(out, f->checkpoint ? "true" : "false");
	}
	if (f->libseccomp_version) {
		json_out_key(out, "io.github.seccomp.libseccomp.version");
		json_out_string(out, f->libseccomp_version);
	}
	json_out_close_object(out);
}

void oci_features_write(struct json_out *out, const struct oci_features *f)
{
	json_out_open_object(out);
	json_out_key(out, "ociVersionMin");
	json_out_string(out, OCI_VERSION_MIN);
	json_out_key(out, "ociVersionMax");
	json_out_string(out, OCI_VERSION);
	write_hooks(out);
	write_strings(out, "mountOptions", f->mount_options);
	write_linux(out, f);
	write_annotations(out, f);
	write_strings(out, "potentiallyUnsafeConfigAnnotations", unsafe_annotations);
	json_out_close_object(out);
}
