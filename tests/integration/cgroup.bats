#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

setup() {
	setup_container
	config_cgroup
}

# limit CONTROLLER RESOURCES V1-FILE V1-VALUE V2-FILE V2-VALUE: what is asked for is what the kernel has.
limit() {
	has_controller "$1" || return 0
	config_set ".linux.resources = $2"
	args sleep 1000
	create_container
	if [ -e "$(controller_mount "$1")/cgroup.controllers" ]; then
		is "$5=$(cgroup_value "$1" - "$5")" "$5=$6"
	else
		is "$3=$(cgroup_value "$1" "$3" -)" "$3=$4"
	fi
	ok kist delete --force "$ID"
	checked=1
}

@test "the process is in the cgroup of the configuration, in each hierarchy" {
	config_set '.linux.namespaces |= map(select(.type != "cgroup"))'
	start_container
	is "$(cut -d: -f3 "/proc/$(pid_of)/cgroup" | sort -u | grep -vx / | xargs)" "/test-$ID"
}

@test "a relative path, and none, are below where kist puts containers, with the id" {
	config_set '.linux.cgroupsPath = "a/b"'
	start_container
	grep -q 'a/b$' "/proc/$(pid_of)/cgroup"
	ok kist delete -f "$ID"
	assert_nothing_left
	config_set 'del(.linux.cgroupsPath)'
	start_container
	grep -q "$ID" "/proc/$(pid_of)/cgroup"
}

@test "paths that lead out are refused, or stay inside" {
	local path
	for path in /../x /a/../../x ../x a/../../x; do
		config_set '.linux.cgroupsPath = $path' --arg path "$path"
		refused 1 'cgroupsPath' kist create --bundle "$BUNDLE" "$ID"
	done
	assert_nothing_left
}

@test "limits are what the kernel has: pids" {
	limit pids '{"pids": {"limit": 33}}' pids.max 33 pids.max 33
	limit pids '{"pids": {"limit": -1}}' pids.max max pids.max max
	[ -n "${checked:-}" ] || skip "no pids controller"
}

@test "limits are what the kernel has: memory" {
	limit memory '{"memory": {"limit": 33554432}}' memory.limit_in_bytes 33554432 memory.max 33554432
	limit memory '{"memory": {"limit": 33554432, "reservation": 16777216}}' memory.soft_limit_in_bytes 16777216 memory.low 16777216
	[ -n "${checked:-}" ] || skip "no memory controller"
}

@test "limits are what the kernel has: cpu" {
	limit cpu '{"cpu": {"shares": 512}}' cpu.shares 512 cpu.weight 59
	limit cpu '{"cpu": {"quota": 20000, "period": 100000}}' cpu.cfs_quota_us 20000 cpu.max '20000 100000'
	limit cpu '{"cpu": {"quota": 20000, "period": 50000}}' cpu.cfs_period_us 50000 cpu.max '20000 50000'
	[ -n "${checked:-}" ] || skip "no cpu controller"
}

@test "limits are what the kernel has: cpuset" {
	limit cpuset '{"cpu": {"cpus": "0", "mems": "0"}}' cpuset.cpus 0 cpuset.cpus 0
	[ -n "${checked:-}" ] || skip "no cpuset controller"
}

@test "limits are what the kernel has: hugetlb" {
	limit hugetlb '{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}' hugetlb.2MB.limit_in_bytes 4194304 hugetlb.2MB.max 4194304
	[ -n "${checked:-}" ] || skip "no hugetlb controller"
}

@test "device rules of v1 are read back" {
	has_controller devices || skip "no devices controller"
	config_set '.linux.resources.devices = [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}]'
	args sleep 1000
	create_container
	ok cgroup_value devices devices.list -
	output_has 'c 10:229 rw'
	output_lacks 'a *:* rwm'
}

@test "a limit whose controller is not there is an error that names it" {
	has_controller rdma && skip "there is an rdma controller"
	config_set '.linux.resources = {"rdma": {"mlx5_1": {"hcaHandles": 3}}}'
	refused 1 'rdma' kist run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "empty sections need no controller" {
	config_set '.linux.resources = {"memory": {}, "cpu": {}, "pids": {}, "blockIO": {}, "hugepageLimits": [], "network": {}}'
	try kist run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 0 ] || { config_set 'del(.linux.resources.pids)' && run_container; }
}

@test "a value that the kernel does not take is named" {
	has_controller cpu || skip "no cpu controller"
	config_set '.linux.resources = {"cpu": {"period": 1, "quota": 1}}'
	refused 1 'cpu' kist run --bundle "$BUNDLE" "$ID"
	output_has 'invalid argument'
	assert_nothing_left
}

@test "unified values" {
	local mount
	mount=$(controller_mount hugetlb)
	[ -e "$mount/cgroup.controllers" ] || skip "no controller of cgroup2"
	config_set '.linux.resources.unified = {"hugetlb.2MB.max": "2097152"}'
	args sleep 1000
	create_container
	is "$(cat "$mount/test-$ID/hugetlb.2MB.max")" 2097152
	ok kist delete -f "$ID"
	config_set '.linux.resources.unified = {"../x": "1"}'
	refused 1 'unified' kist run --bundle "$BUNDLE" "$ID"
	config_set '.linux.resources.unified = {"hugetlb.none": "1"}'
	refused 1 'hugetlb.none' kist run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "a limit holds: no more processes than pids allows" {
	has_controller pids || skip "no pids controller"
	config_set '.linux.resources.pids = {"limit": 4}'
	shell 'for i in 1 2 3 4 5 6 7 8; do sleep 10 & done; echo not reached; kill -9 -1'
	try kist run --bundle "$BUNDLE" "$ID"
	output_has "can't fork"
}

@test "a limit holds: memory, and the death is a KILL" {
	has_controller memory || skip "no memory controller"
	config_set '.linux.resources.memory = {"limit": 8388608, "swap": 8388608}'
	args sh -c 'exec tail -c 100000000 /dev/zero'
	refused 137 '' kist run --bundle "$BUNDLE" "$ID"
}

@test "the container's /sys/fs/cgroup is its own, and read-only" {
	shell 'ls /sys/fs/cgroup; mkdir /sys/fs/cgroup/x; mkdir /sys/fs/cgroup/*/x; cat /proc/self/cgroup'
	try kist run --bundle "$BUNDLE" "$ID"
	output_lacks runner
	output_lacks "test-$ID"
	output_has 'Read-only file system'
}

@test "a writable cgroup mount may be asked for" {
	config_set '(.mounts[] | select(.type == "cgroup") | .options) |= map(select(. != "ro"))'
	if only_v2; then
		shell 'mkdir /sys/fs/cgroup/x && rmdir /sys/fs/cgroup/x && echo made'
	else
		shell 'cd /sys/fs/cgroup/freezer && mkdir x && rmdir x && echo made'
	fi
	container_says made
}

@test "a cgroup that is not empty is refused" {
	start_container
	refused 1 'not empty' kist create --bundle "$BUNDLE" "other$ID"
	has_status running
}

@test "a frozen cgroup is refused instead of waited for" {
	local dir
	if only_v2; then
		dir=/sys/fs/cgroup/test-$ID
		mkdir "$dir"
		echo 1 >"$dir/cgroup.freeze"
	else
		dir=$(controller_mount freezer)/test-$ID
		mkdir "$dir"
		echo FROZEN >"$dir/freezer.state"
	fi
	refused 1 'frozen' kist run --bundle "$BUNDLE" "$ID"
	rmdir "$dir" 2>/dev/null || true
}

@test "--cgroup-manager disabled touches none" {
	args sleep 1000
	ok kist --cgroup-manager disabled create --bundle "$BUNDLE" "$ID"
	[ -z "$(find /sys/fs/cgroup -name "test-$ID")" ]
	ok kist delete -f "$ID"
}
