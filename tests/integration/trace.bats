#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

# Chrome trace events: an array, or an object with traceEvents.
events() {
	jq 'if type == "array" then . else .traceEvents end' "$1"
}

@test "--trace writes the time of each step" {
	ok kist run --trace "$T/trace" --bundle "$BUNDLE" "$ID"
	events "$T/trace" | jq -e 'map(select(.ph == "X")) | length > 20 and all(.[]; .dur >= 0 and .ts >= 0)
		and (map(.name) | contains(["rootfs", "mounts", "pivot"]))'
}

@test "it is a global option too" {
	ok kist --trace "$T/trace" create --bundle "$BUNDLE" "$ID"
	events "$T/trace" | jq -e 'length > 20'
}

@test "also of a failure" {
	config_set '.mounts += [{"destination": "/x", "type": "nosuchfs", "source": "x"}]'
	refused 1 'mounts' kist run --trace "$T/trace" --bundle "$BUNDLE" "$ID"
	events "$T/trace" | jq -e 'map(.name) | contains(["rootfs"])'
}

@test "a trace that cannot be written does not stop the container" {
	shell 'echo ran'
	ok kist run --trace "$T/no/such/dir" --bundle "$BUNDLE" "$ID"
	output_has 'ran'
	output_has 'no such file or directory'
}

@test "--trace of start and delete" {
	args sleep 1000
	create_container
	ok kist --trace "$T/start" start "$ID"
	events "$T/start" | jq -e 'map(.name) | contains(["no-new-privs"])'
	ok kist kill "$ID" KILL
	wait_for has_status stopped
	ok kist --trace "$T/delete" delete "$ID"
	events "$T/delete" | jq -e 'map(select(.cat == "undo").name) | contains(["cgroup", "state"])'
}
