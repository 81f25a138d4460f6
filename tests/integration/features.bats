#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "features is the JSON that engines ask for, and standard error is silent" {
	kist features >"$T/features" 2>"$T/errors"
	[ ! -s "$T/errors" ]
	jq -e '.ociVersionMin == "1.0.0" and (.ociVersionMax | test("^1\\.[0-9]"))
		and (.mountOptions | contains(["rro", "ro", "bind", "rbind", "nosuid", "tmpcopyup"]))
		and (.hooks | contains(["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]))
		and (.linux.namespaces | contains(["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"]))
		and (.linux.capabilities | contains(["CAP_CHOWN", "CAP_CHECKPOINT_RESTORE"]))
		and (.linux.cgroup | .v1 and .v2) and .linux.mountExtensions.idmap.enabled' "$T/features"
}

@test "features tells what the build has" {
	ok kist features
	jq -e '.linux.seccomp.enabled | type == "boolean"' <<<"$output"
	if jq -e '.linux.seccomp.enabled' <<<"$output"; then
		jq -e '.linux.seccomp | (.actions | contains(["SCMP_ACT_ERRNO", "SCMP_ACT_NOTIFY"]))
			and (.operators | contains(["SCMP_CMP_MASKED_EQ"])) and (.archs | contains(["SCMP_ARCH_X86_64"]))' <<<"$output"
	fi
}

@test "features claims nothing that is not done" {
	ok kist features
	jq -e '.linux.intelRdt.enabled == false and (.linux.intelRdt | has("schemata") or has("monitoring") | not)
		and (.potentiallyUnsafeConfigAnnotations == ["org.systemd.property.", "run.oci."])
		and (["rsync", "rasync", "rmand", "rnomand", "rdirsync"] - .mountOptions | length == 5)' <<<"$output"
}

@test "features lists what is taken without a warning" {
	ok kist features
	jq -e '["norelatime", "relatime", "nostrictatime", "defaults"] - .mountOptions == []' <<<"$output"
	config_set '.mounts += [{"destination": "/x", "type": "tmpfs", "source": "tmpfs", "options": ["relatime", "norelatime"]}]'
	ok kist validate --bundle "$BUNDLE"
	is "$output" ''
}

@test "every architecture of features is accepted, and no other" {
	ok kist features
	jq -e .linux.seccomp.enabled <<<"$output" || skip 'built without libseccomp'
	jq -r '.linux.seccomp.archs[]' <<<"$output" >"$T/archs"
	[ -s "$T/archs" ]
	local arch
	while read -r arch; do
		config_set '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": [$arch]}' --arg arch "$arch"
		ok kist validate --against-host --bundle "$BUNDLE"
	done <"$T/archs"
	for arch in M68K SH SHEB LOONGARCH64 S390X; do
		! grep -qx "SCMP_ARCH_$arch" "$T/archs" || continue
		config_set '.linux.seccomp.architectures = [$arch]' --arg arch "SCMP_ARCH_$arch"
		refused 1 'architectures' kist create --bundle "$BUNDLE" "$ID"
	done
}

@test "every mount option of features is accepted" {
	ok kist features
	local option
	# "remount" needs something below, recursive attributes of a time need each other.
	jq -r '.mountOptions[]' <<<"$output" | grep -vxE 'remount|idmap|ridmap|.*copy.*|.*nofollow|defaults' >"$T/options"
	[ -s "$T/options" ]
	while read -r option; do
		config_set '.mounts += [{"destination": "/bound", "type": "none", "source": $source, "options": ["rbind", $option]}]' \
			--arg source "$T" --arg option "$option"
		try kist run --bundle "$BUNDLE" "$ID"
		# An ordinary user may not change when its source's access times are written.
		[ "$status" -eq 0 ] || { ordinary_user && [[ $option == *atime* && $output == *'user namespace may not'* ]]; } ||
			fail "option $option:" "$output"
		config_set 'del(.mounts[-1])'
	done <"$T/options"
}
