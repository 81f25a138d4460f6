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
