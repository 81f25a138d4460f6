#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

setup() {
	setup_container
	# Keyrings have no namespace: those of other containers are listed as well, which may have any short id.
	ID=${BATS_RUN_TMPDIR##*/}-$BATS_TEST_NUMBER
	[ -e /proc/keys ] || skip "the kernel has no keyrings"
	config_set '.linux.maskedPaths = []'
}

@test "the container has a session keyring of its own, named after it" {
	args cat /proc/keys
	run_container
	output_has "_ses.$ID:"
}

@test "--no-new-keyring" {
	args cat /proc/keys
	run_container --no-new-keyring
	output_lacks "_ses.$ID:"
}

# /proc/keys would show it to a process of another keyring, too: the owner is the same.
@test "a process of exec has the container's keyring, not the caller's" {
	cp "$ADVERSARY" "$ROOTFS/adversary"
	start_container sh -c '/adversary key-put "$0" >/put; exec sleep 1000' "of-$ID"
	wait_for grep -q ok "$ROOTFS/put"
	ok kist exec "$ID" /adversary key-find "of-$ID"
	is "$output" ok
}

@test "in a user namespace" {
	config_userns
	shell 'cat /proc/keys >/dev/null; echo runs'
	container_says runs
}
