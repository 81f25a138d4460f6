#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "spec writes a config.json that validates and runs" {
	mkdir "$T/new"
	local options=()
	! ordinary_user || options=(--rootless)
	ok kist spec "${options[@]}" --bundle "$T/new"
	ok kist validate --strict --bundle "$T/new"
	jq '.process.terminal = false | .process.args = ["echo", "hi"]' "$T/new/config.json" >"$BUNDLE/config.json"
	container_says hi
}

@test "spec does not overwrite" {
	refused 1 'exists' kist spec --bundle "$BUNDLE"
	is "$(jq -r '.process.args[0]' "$BUNDLE/config.json")" true
}

@test "spec writes another file, or to standard output" {
	ok kist spec --bundle "$T" --file other.json
	jq -e .ociVersion "$T/other.json"
	ok kist spec --file -
	diff <(jq -S . <<<"$output") <(jq -S . "$T/other.json")
}

@test "what spec writes is safe: no ambient or inheritable capabilities, masked power readings" {
	ok kist spec --file -
	jq -e '(.process.capabilities | has("ambient") or has("inheritable") | not) and .process.noNewPrivileges
		and (.linux.maskedPaths | contains(["/sys/devices/virtual/powercap", "/proc/kcore", "/sys/firmware"]))
		and (.linux.readonlyPaths | contains(["/proc/sys"])) and .root.readonly' <<<"$output"
}

@test "spec --rootless has a user namespace of one id" {
	ok as_user "$KIST" spec --rootless --file -
	jq -e --argjson uid "$USER_ID" '(.linux.namespaces | any(.type == "user"))
		and .linux.uidMappings == [{"containerID": 0, "hostID": $uid, "size": 1}]' <<<"$output"
}
