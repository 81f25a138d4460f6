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
