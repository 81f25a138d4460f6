#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "masked files are empty, masked directories too, and nothing can be written there" {
	mkdir "$ROOTFS/secret" && echo secret >"$ROOTFS/secret/file"
	echo secret >"$ROOTFS/file"
	config_set '.linux.maskedPaths += ["/secret", "/file", "/not/there", "/proc/kcore"]'
	shell 'cat /file; ls -A /secret; head -c 1 /proc/kcore 2>/dev/null | wc -c; touch /secret/x; echo x >/file; cat /file'
	container_says $'0\ntouch: /secret/x: Read-only file system'
	is "$(<"$ROOTFS/file")" secret
}

@test "readonly paths can be read" {
	mkdir "$ROOTFS/dir" && echo text >"$ROOTFS/dir/file"
	config_set '.linux.readonlyPaths += ["/dir", "/not/there"]'
	shell 'cat /dir/file; echo x >/dir/file; echo x >/proc/sys/kernel/domainname; true'
	run_container
	output_has 'text'
	is "$(grep -c 'Read-only file system' <<<"$output")" 2
}

@test "a path that is listed twice is masked once" {
	mkdir "$ROOTFS/dir" && touch "$ROOTFS/file"
	config_set '.linux.maskedPaths += ["/dir", "/file", "/dir", "/file"]'
	shell 'grep -c " /dir " /proc/self/mountinfo; grep -c " /file " /proc/self/mountinfo'
	container_says $'1\n1'
}

@test "a mask cannot be taken away" {
	config_set '.linux.maskedPaths += ["/etc"]'
	shell 'umount /etc; umount /proc/interrupts; mount -o remount,rw /proc/sys'
	try kist run --bundle "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	is "$(grep -ci -e 'not permitted' -e 'permission denied' -e 'are you root' <<<"$output")" 3
}

@test "exec sees the same masks" {
	config_set '.linux.maskedPaths += ["/tmp"]'
	touch "$ROOTFS/tmp/x"
	start_container
	ok kist exec "$ID" ls -A /tmp
	is "$output" ''
}
