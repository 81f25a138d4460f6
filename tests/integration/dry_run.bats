#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "a dry run prints the steps and does nothing" {
	config_cgroup
	ok kist create --dry-run --bundle "$BUNDLE" "$ID"
	output_has 'rootfs'
	output_has 'mounts'
	output_has 'exec'
	output_has '/proc'
	assert_nothing_left
	refused 1 'does not exist' kist state "$ID"
}

@test "as JSON: step, stage and acts of each row, in order" {
	ok kist run --dry-run=json --bundle "$BUNDLE" "$ID"
	jq -e 'length > 20 and all(.[]; (.step | type) == "string" and (.stage | IN("parent", "stage 1", "stage 2"))
		and (.acts | type) == "array") and .[-1].step == "exec"' <<<"$output"
	jq -e 'map(.step) | index("state") < index("cgroup") and index("cgroup") < index("init")
		and index("rootfs") < index("pivot") and index("pivot") < index("user")' <<<"$output"
}

@test "it shows what the configuration asks for" {
	config_set '.hostname = "some-name" | .linux.sysctl = {"net.ipv4.ip_forward": "1"}'
	ok kist create --dry-run --bundle "$BUNDLE" "$ID"
	output_has 'some-name'
	output_has 'ip_forward'
}

@test "mistakes are found" {
	config_set '.process.cwd = "x"'
	refused 1 'process.cwd' kist create --dry-run --bundle "$BUNDLE" "$ID"
}

@test "an ordinary user may look" {
	bundle_user
	ok user_kist run --dry-run --bundle "$BUNDLE" "$ID"
	output_has 'id-maps'
}
