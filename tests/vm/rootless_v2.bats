#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
#
# An ordinary user with a cgroup that systemd --user delegated: `tests/vm/inside direct` sets the stage.
load ../integration/helpers

setup() {
	setup_container
	config_set '.linux.cgroupsPath = $path' --arg path "$KIST_VM_CGROUP/test-$ID"
}

teardown() {
	delete_all
	[ ! -e "/sys/fs/cgroup$KIST_VM_CGROUP/test-$ID" ]
}

has() {
	is "$1: $(<"/sys/fs/cgroup$KIST_VM_CGROUP/test-$ID/$1")" "$1: $2"
}

@test "a container in the delegated cgroup" {
	shell 'id -u; cat /proc/self/cgroup'
	container_says $'0\n0::/'
}

@test "without a path it lands in the delegated tree too" {
	config_set 'del(.linux.cgroupsPath)'
	start_container
	grep user@ "/proc/$(pid_of)/cgroup"
}

@test "memory, cpu and pids limits are what the kernel has" {
	config_set '.linux.resources += {"memory": {"limit": 67108864}, "pids": {"limit": 23}, "cpu": {"quota": 20000, "period": 100000}}'
	start_container
	has memory.max 67108864
	has pids.max 23
	has cpu.max '20000 100000'
}

@test "the memory limit holds" {
	config_set '.linux.resources += {"memory": {"limit": 16777216, "swap": 16777216}}'
	args tail -c 100000000 /dev/zero
	refused 137 '' kist run --bundle "$BUNDLE" "$ID"
}

@test "update, pause, resume, exec" {
	start_container
	ok kist update --pids-limit 31 "$ID"
	has pids.max 31
	ok kist pause "$ID"
	has cgroup.freeze 1
	ok kist resume "$ID"
	ok kist exec "$ID" id -u
	is "$output" 0
}

@test "subordinate ids" {
	local first
	first=$(awk -F: -v user="$USER" '$1 == user { print $2; exit }' /etc/subuid)
	config_set '.linux.uidMappings += [{"containerID": 1, "hostID": $first, "size": 65535}]
		| .linux.gidMappings = .linux.uidMappings
		| .linux.gidMappings[0].hostID = $gid' --argjson first "$first" --argjson gid "$(id -g)"
	shell 'awk "{ print \$3 }" /proc/self/uid_map | xargs'
	container_says '1 65535'
}
