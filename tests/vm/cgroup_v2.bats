#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
#
# Where cgroup2 has all controllers: limits are set and read back from the kernel, and hold.
load ../integration/helpers

setup() {
	only_v2 || skip "needs nothing but cgroup2"
	setup_container
	config_cgroup
}

need() {
	local controller
	for controller; do
		has_controller "$controller" || skip "no $controller controller"
	done
}

# has FILE VALUE: in the container's cgroup.
has() {
	is "$1: $(<"/sys/fs/cgroup/test-$ID/$1")" "$1: $2"
}

resources() {
	config_set ".linux.resources += $1"
}

@test "memory, swap and reservation" {
	need memory
	resources '{"memory": {"limit": 67108864, "swap": 100663296, "reservation": 33554432}}'
	start_container
	has memory.max 67108864
	has memory.swap.max 33554432
	has memory.low 33554432
	has memory.high max
}

@test "cpu: weight, quota with period, and burst" {
	need cpu
	resources '{"cpu": {"shares": 2048, "quota": 30000, "period": 60000, "burst": 10000}}'
	start_container
	has cpu.weight 174
	has cpu.max '30000 60000'
	has cpu.max.burst 10000
}

@test "cpu: idle" {
	need cpu
	[ -e /sys/fs/cgroup/runner/cpu.idle ] || skip "the kernel has no cpu.idle"
	resources '{"cpu": {"idle": 1}}'
	start_container
	has cpu.idle 1
}

@test "cpuset" {
	need cpuset
	resources '{"cpu": {"cpus": "0", "mems": "0"}}'
	start_container
	has cpuset.cpus 0
	has cpuset.mems 0
	has cpuset.cpus.effective 0
}

@test "io: a device's limit" {
	need io
	local device
	device=$(cat /sys/class/block/{vda,ubda}/dev 2>/dev/null || true)
	[ -e /sys/fs/cgroup/runner/io.max ] || skip "the kernel has no io.max"
	resources "{\"blockIO\": {\"throttleReadBpsDevice\": [{\"major\": ${device%:*}, \"minor\": ${device#*:}, \"rate\": 1048576}]}}"
	start_container
	has io.max "$device rbps=1048576 wbps=max riops=max wiops=max"
}

@test "hugetlb" {
	need hugetlb
	resources '{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}'
	start_container
	has hugetlb.2MB.max 4194304
}

@test "values of cgroup2 by their own names" {
	need memory pids
	resources '{"unified": {"memory.high": "50331648", "memory.oom.group": "1", "pids.max": "77"}}'
	start_container
	has memory.high 50331648
	has memory.oom.group 1
	has pids.max 77
}

@test "pids: one more cannot be made, and the cgroup counts it" {
	need pids
	resources '{"pids": {"limit": 5}}'
	start_container sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; wait'
	wait_for grep -q 'max [1-9]' "/sys/fs/cgroup/test-$ID/pids.events"
	has pids.max 5
	[ "$(<"/sys/fs/cgroup/test-$ID/pids.current")" -le 5 ]
}

@test "memory: who takes too much is killed, and the cgroup counts it" {
	need memory
	resources '{"memory": {"limit": 16777216, "swap": 16777216}}'
	start_container sh -c 'tail -c 100000000 /dev/zero; echo $? >/status; exec sleep 1000'
	wait_for grep -q 'oom_kill [1-9]' "/sys/fs/cgroup/test-$ID/memory.events"
	wait_for test -s "$ROOTFS/status"
	is "$(<"$ROOTFS/status")" 137
	has_status running
}

@test "memory: the death of the container's process is its status" {
	need memory
	resources '{"memory": {"limit": 16777216, "swap": 16777216}}'
	args tail -c 100000000 /dev/zero
	refused 137 '' kist run --bundle "$BUNDLE" "$ID"
}

@test "update changes what the kernel has, and exec is below the same limits" {
	need memory pids cpu
	start_container
	ok kist update --memory 48m --pids-limit 21 "$ID"
	has memory.max $((48 << 20))
	has pids.max 21
	config_set '.process.args = ["true"]'
	ok kist exec "$ID" cat /proc/self/cgroup
	is "$output" 0::/
}

@test "pause freezes, and delete --force ends what is frozen" {
	start_container
	ok kist pause "$ID"
	has cgroup.freeze 1
	grep -q 'frozen 1' "/sys/fs/cgroup/test-$ID/cgroup.events"
	has_status paused
	ok kist delete --force "$ID"
	[ ! -e "/sys/fs/cgroup/test-$ID" ]
}

@test "devices: a program of the kernel denies what is not allowed, also to exec" {
	mknod "$ROOTFS/mem" c 1 1
	mknod "$ROOTFS/kmsg" c 1 11
	resources '{"devices": [{"allow": false, "access": "rwm"},
		{"allow": true, "type": "c", "major": 1, "minor": 11, "access": "r"}]}'
	start_container
	refused 1 'Operation not permitted' kist exec "$ID" head -c 1 /mem
	ok kist exec "$ID" dd if=/kmsg of=/dev/null count=0
	refused 1 'Operation not permitted' kist exec "$ID" sh -c 'echo x >/kmsg'
	ok kist exec "$ID" sh -c 'head -c 1 /dev/zero >/dev/null'
}

@test "nested paths: controllers are handed down, and what was made goes again" {
	need pids
	config_set '.linux.cgroupsPath = $path' --arg path "/a-$ID/b/c"
	resources '{"pids": {"limit": 9}}'
	start_container
	is "$(<"/sys/fs/cgroup/a-$ID/b/c/pids.max")" 9
	ok kist delete --force "$ID"
	[ ! -e "/sys/fs/cgroup/a-$ID" ]
}
