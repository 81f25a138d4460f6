#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "state has the members of the specification and runc's" {
	local owner=root
	! ordinary_user || owner=$EUID
	config_set '.annotations = {"a.b": "c\"d"}'
	start_container
	ok kist state "$ID"
	jq -e --arg id "$ID" --arg bundle "$BUNDLE" '.id == $id and .bundle == $bundle and .status == "running" and
		(.ociVersion | test("^1\\.")) and .pid > 1 and .rootfs == $bundle + "/rootfs" and
		.annotations["a.b"] == "c\"d" and (.created | test("^20.*Z$")) and .owner == $owner' --arg owner "$owner" <<<"$output"
}

@test "the pid is the host's, of the program" {
	start_container
	is "$(tr '\0' ' ' <"/proc/$(pid_of)/cmdline")" "sleep 1000 "
}

@test "a container goes from created over running to stopped" {
	shell 'while [ ! -e /end ]; do sleep 0.02; done'
	create_container
	has_status created
	ok kist start "$ID"
	has_status running
	touch "$ROOTFS/end"
	wait_for stopped
	is "$(pid_of)" 0
}

@test "a program whose first thread has ended runs as long as another lives" {
	cp "$ADVERSARY" "$ROOTFS/adversary"
	start_container /adversary threads
	wait_for grep -q '^State:.*zombie' "/proc/$(pid_of)/status"
	has_status running
	refused 1 'is not stopped' kist delete "$ID"
	# The namespaces are those of the other thread.
	try kist exec "$ID" sh -c 'readlink /proc/self/ns/mnt; ls /adversary'
	if [ "$status" -eq 0 ]; then
		local tasks=("/proc/$(pid_of)/task/"*)
		is "$output" "$(readlink "${tasks[-1]}/ns/mnt")"$'\n/adversary'
	else
		output_has 'before Linux 6.9 nobody can join the others'
	fi
	kist kill "$ID" KILL
	wait_for stopped
	is "$(pid_of)" 0
}

@test "an unknown container is an error" {
	refused 1 'container nobody does not exist' kist state nobody
}

@test "bad ids are refused by every command" {
	local command
	mkdir -p "$ROOT" "$T/keep"
	for command in state start delete 'delete --force' kill pause resume ps; do
		# shellcheck disable=SC2086 # words are wanted
		try kist $command -- ../x
		[ "$status" -ne 0 ] || fail "$command accepted ../x"
	done
	try kist delete --force -- ..
	[ "$status" -ne 0 ] && [ -d "$T/keep" ]
}

@test "a stopped container shows the pid 0 even when its pid is another process's" {
	start_container true
	wait_for stopped
	is "$(kist state "$ID" | jq .pid)" 0
}
