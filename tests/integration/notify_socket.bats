#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

teardown() {
	stop_helper
	teardown_container
}

@test "start passes READY=1 on, with the container's main process" {
	listen text "$T/notify"
	cat >"$ROOTFS/say" <<-'END'
		#!/bin/sh
		ls -l "$NOTIFY_SOCKET" >/seen 2>&1
		echo "$NOTIFY_SOCKET" >>/seen
		exec sleep 1000
	END
	chmod +x "$ROOTFS/say"
	args /say
	NOTIFY_SOCKET=$T/notify ok kist create --bundle "$BUNDLE" "$ID"
	NOTIFY_SOCKET=$T/notify "$KIST" --root "$ROOT" start "$ID" >"$T/start" 2>&1 </dev/null 3>&- &
	local start=$!
	wait_for test -s "$ROOTFS/seen"
	# busybox cannot send a datagram: the test does it for the program, in its mount namespace.
	local path
	path=$(tail -n 1 "$ROOTFS/seen")
	nsenter -t "$(pid_of)" -m -- sh -c "test -S '$path'" 2>/dev/null || [ -S "/proc/$(pid_of)/root$path" ]
	"$RECEIVE" ready "/proc/$(pid_of)/root$path"
	wait "$start"
	wait_helper
	grep -q 'READY=1' "$T/received"
}

@test "without NOTIFY_SOCKET the container has none" {
	shell 'echo "${NOTIFY_SOCKET:-none}"'
	container_says none
}

# Mutation: the notify socket is mounted wherever the container's root is, also on the host's own /run/notify.
@test "without a mount namespace the notify socket is mounted nowhere, and nobody waits for READY=1" {
	need_root "a container in the caller's mount namespace"
	config_set '.linux.namespaces |= map(select(.type != "mount")) | .root.readonly = false |
		del(.mounts, .linux.maskedPaths, .linux.readonlyPaths)'
	args /bin/sh -c 'echo "${NOTIFY_SOCKET:-none}"; exec sleep 1000'
	local before
	before=$(<"/proc/$$/mountinfo")
	NOTIFY_SOCKET=$T/notify ok kist create --bundle "$BUNDLE" "$ID"
	output_has 'NOTIFY_SOCKET is not passed on'
	is "$(<"/proc/$$/mountinfo")" "$before"
	[ ! -e "$ROOTFS/run/notify" ]
	NOTIFY_SOCKET=$T/notify ok timeout 20 "$KIST" --root "$ROOT" start "$ID"
	output_has 'READY=1 is not waited for'
	has_status running
	ok kist delete --force "$ID"
	is "$(<"/proc/$$/mountinfo")" "$before"
}

@test "start with a NOTIFY_SOCKET that create did not have" {
	args sleep 1000
	ok kist create --bundle "$BUNDLE" "$ID"
	NOTIFY_SOCKET=$T/notify ok timeout 20 "$KIST" --root "$ROOT" start "$ID"
	output_has 'READY=1 is not waited for'
	has_status running
}
