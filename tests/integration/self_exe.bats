#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

# The container's root must never get hold of the runtime's own binary (CVE-2019-5736).

sum() {
	sha256sum <"$KIST"
}

setup() {
	setup_container
	before=$(sum)
	config_set '.process.capabilities.bounding += ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"]
		| .process.capabilities.effective = .process.capabilities.bounding | .process.capabilities.permitted = .process.capabilities.bounding'
}

teardown() {
	is "$(sum)" "$before"
	teardown_container
}

@test "the waiting init's executable is not the file of the host" {
	need_root "sees the executable of a process that is not dumpable"
	create_container
	local exe
	exe=$(stat -Lc '%d:%i' "/proc/$(pid_of)/exe")
	[ "$exe" != "$(stat -c '%d:%i' "$KIST")" ]
	try sh -c "echo overwritten >>/proc/$(pid_of)/exe"
	[ "$status" -ne 0 ]
}

@test "a program that is a script of /proc/self/exe" {
	printf '#!/proc/self/exe\n' >"$ROOTFS/evil"
	chmod +x "$ROOTFS/evil"
	args /evil
	try kist run --bundle "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
}

@test "a program that is a link to /proc/self/exe" {
	ln -s /proc/self/exe "$ROOTFS/evil"
	args /evil --version
	create_container
	# A kernel that cannot part a process from its binary has it run from a sealed copy: that, it may have.
	local exe
	# Of a process that is not dumpable an ordinary user sees the name of what was executed only.
	exe=$(readlink "/proc/$(pid_of)/exe") || exe=/$(<"/proc/$(pid_of)/comm")
	ok kist delete --force "$ID"
	try kist run --bundle "$BUNDLE" "$ID"
	[ "$status" -ne 0 ] || [[ $exe == /memfd:* ]] || output_lacks 'kist version'
	start_container
	try kist exec "$ID" /evil
	[ "$status" -ne 0 ]
	printf '#!/proc/self/exe\n' >"$ROOTFS/evil2"
	chmod +x "$ROOTFS/evil2"
	try kist exec "$ID" /evil2
	[ "$status" -ne 0 ]
}

@test "a container that waits for processes of exec cannot open them for writing" {
	start_container sh -c 'while [ ! -e /end ]; do for p in /proc/[0-9]*; do
		[ "$p" = /proc/1 ] || { ls -l $p/fd $p/exe 2>/dev/null | grep -v busybox >>/seen; echo x 2>/dev/null >>$p/exe; }; done; done'
	local i
	for ((i = 0; i < 50; i++)); do
		kist exec "$ID" true </dev/null >/dev/null 2>&1 3>&- || fail "round $i: status $?"
	done
	touch "$ROOTFS/end"
	wait_for stopped
	# A build that cannot part with its binary runs from a sealed copy, which keeps the name.
	sed -i '/memfd:/d' "$ROOTFS/seen"
	! grep -q -e "$KIST_TEST_SUITE" -e /sys/fs/cgroup -e "$ROOT" "$ROOTFS/seen" || fail "$(grep -e kist -e "$ROOT" "$ROOTFS/seen" | head)"
}

@test "in a shared pid namespace neither" {
	need_root "sees the executable of a process that is not dumpable"
	config_set '.linux.namespaces |= map(select(.type != "pid"))'
	config_cgroup
	create_container
	[ "$(stat -Lc '%d:%i' "/proc/$(pid_of)/exe")" != "$(stat -c '%d:%i' "$KIST")" ]
}
