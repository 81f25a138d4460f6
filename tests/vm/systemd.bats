#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
#
# The systemd manager, of the system or of the user: `tests/vm/inside direct` sets the stage.
load ../integration/helpers

setup() {
	[ -x "${KIST%/*}/libexec/kist-systemd" ] || skip "kist was built without kist-systemd"
	setup_container
	manager=(systemctl)
	slice=system.slice
	[ "$(id -u)" -eq 0 ] || { manager+=(--user) && slice=user.slice; }
	unit=kist-$ID.scope
	config_set '.linux.cgroupsPath = $path' --arg path "$slice:kist:$ID"
}

teardown() {
	delete_all
	! "${manager[@]}" --quiet is-active "$unit"
}

kist() {
	"$KIST" --root "$ROOT" --systemd-cgroup "$@"
}

# property NAME VALUE: of the unit, as systemd has it.
property() {
	is "$("${manager[@]}" show --property "$1" "$unit")" "$1=$2"
}

# has FILE VALUE: in the container's cgroup, as the kernel has it.
has() {
	local path
	path=$(sed -n 's/^0:://p' "/proc/$(pid_of)/cgroup")
	is "$1: $(<"/sys/fs/cgroup$path/$1")" "$1: $2"
}

@test "the container is in a scope of its name, in its slice" {
	start_container
	property ActiveState active
	property Slice "$slice"
	grep -q "$unit" "/proc/$(pid_of)/cgroup"
}

# What systemd itself does with the placeholder that holds the unit open is not seen here.
@test "kist moves no process: the container is born in its cgroup" {
	command -v strace >/dev/null || skip "strace is missing"
	args sleep 1000
	# Not followed into the container, which strace would wait for.
	ok strace -qq -o "$T/trace" -e trace=clone3,openat,openat2,write "$KIST" --root "$ROOT" --systemd-cgroup \
		create --bundle "$BUNDLE" "$ID"
	ok kist start "$ID"
	grep -q 'clone3(.*CLONE_INTO_CGROUP' "$T/trace"
	! grep -E 'open.*"([^"]*/)?(cgroup\.procs|cgroup\.threads|tasks)".*O_(WRONLY|RDWR)' "$T/trace" ||
		fail "it opens a list of processes for writing"
	grep -q "$unit" "/proc/$(pid_of)/cgroup"
}

@test "limits are what systemd and the kernel have" {
	config_set '.linux.resources += {"memory": {"limit": 67108864}, "pids": {"limit": 29}, "cpu": {"quota": 20000, "period": 100000}}'
	start_container
	property MemoryMax 67108864
	property TasksMax 29
	has memory.max 67108864
	has pids.max 29
	has cpu.max '20000 100000'
}

@test "update changes both, and a reload of systemd leaves them" {
	start_container
	ok kist update --memory 48m --pids-limit 31 "$ID"
	property MemoryMax $((48 << 20))
	has memory.max $((48 << 20))
	"${manager[@]}" daemon-reload
	has memory.max $((48 << 20))
	has pids.max 31
}

# The container tries to read a disk, and to write a line to the kernel's log: systemd's program and kist's decide.
make_devices() {
	local numbers
	[ "$(id -u)" -eq 0 ] || skip "device rules are for root"
	numbers=$(cat /sys/class/block/{vda,ubda}/dev 2>/dev/null || true)
	disk="b $numbers"
	mknod "$ROOTFS/disk" b "${numbers%:*}" "${numbers#*:}"
	mknod "$ROOTFS/kmsg" c 1 11
}

can_read() {
	kist exec "$ID" head -c 1 /disk >/dev/null 2>&1
}

can_log() {
	kist exec "$ID" sh -c 'echo kist >/kmsg' >/dev/null 2>&1
}

@test "update --device changes both, and a reload of systemd leaves them" {
	make_devices
	config_set '.linux.resources.devices = [{"allow": false, "access": "rwm"},
		{"allow": true, "type": "c", "major": 1, "minor": 11, "access": "rw"}]'
	start_container
	can_log
	! can_read || fail "it could be read from the start"

	ok kist update --device "allow $disk rw" "$ID"
	can_read
	"${manager[@]}" show --property DeviceAllow "$unit" | grep -q "${disk#b } rw"
	systemctl daemon-reload
	can_read

	ok kist update --device "deny $disk rw" --device 'deny c 1:11 w' "$ID"
	! can_read || fail "it can still be read"
	systemctl daemon-reload
	! can_read || fail "it can be read after a reload"
	! can_log || fail "it can still be written to"

	# Another property: systemd applies all of them again.
	ok kist update --device "allow $disk r" --pids-limit 40 "$ID"
	ok kist update --pids-limit 50 "$ID"
	can_read
	property DevicePolicy strict
}

@test "update --device allows everything, and then not" {
	make_devices
	config_set '.linux.resources.devices = [{"allow": false, "access": "rwm"}]'
	start_container
	ok kist update --device 'allow a' "$ID"
	property DevicePolicy auto
	systemctl daemon-reload
	can_read
	ok kist update --device 'deny a' "$ID"
	property DevicePolicy strict
	systemctl daemon-reload
	! can_read || fail "it can still be read"
}

@test "exec is in the same scope, and sees the limit" {
	start_container
	ok kist exec --detach --pid-file "$T/pid" "$ID" sleep 1000
	grep -q "$unit" "/proc/$(<"$T/pid")/cgroup"
}

@test "pause and resume" {
	start_container
	ok kist pause "$ID"
	has cgroup.freeze 1
	ok kist resume "$ID"
	has cgroup.freeze 0
}

@test "the scope ends with a run, whatever its status" {
	shell 'exit 7'
	refused 7 '' kist run --bundle "$BUNDLE" "$ID"
	wait_for sh -c "! ${manager[*]} --quiet is-active $unit"
}

@test "a device that is not allowed is denied, after a reload of systemd too" {
	[ "$(id -u)" -eq 0 ] || skip "device rules are for root"
	mknod "$ROOTFS/mem" c 1 1
	config_set '.linux.resources.devices = [{"allow": false, "access": "rwm"}]'
	start_container
	refused 1 'Operation not permitted' kist exec "$ID" head -c 1 /mem
	systemctl daemon-reload
	refused 1 'Operation not permitted' kist exec "$ID" head -c 1 /mem
	ok kist exec "$ID" sh -c 'head -c 1 /dev/zero >/dev/null'
}
