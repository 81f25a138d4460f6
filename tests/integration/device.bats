#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "devices of the configuration, with mode and owner" {
	need_root "makes devices"
	config_set '.linux.devices = [
		{"path": "/dev/one", "type": "c", "major": 1, "minor": 7, "fileMode": 432, "uid": 5, "gid": 6},
		{"path": "/dev/dir/pipe", "type": "p"},
		{"path": "/dev/block", "type": "b", "major": 7, "minor": 99},
		{"path": "/elsewhere/dev", "type": "u", "major": 1, "minor": 3}]'
	shell 'cd /dev; stat -c "%n %F %t:%T %a %u %g" one dir/pipe block /elsewhere/dev'
	run_container
	output_has 'one character special file 1:7 660 5 6'
	output_has 'dir/pipe fifo 0:0 666'
	output_has 'block block special file 7:63 666'
	output_has '/elsewhere/dev character special file 1:3 666'
}

@test "a device's path stays in the root" {
	ln -s "$T" "$ROOTFS/out"
	config_set '.linux.devices = [{"path": "/out/device", "type": "c", "major": 1, "minor": 3}]'
	try kist run --bundle "$BUNDLE" "$ID"
	[ ! -e "$T/device" ]
	config_set '.linux.devices = [{"path": "/dev/../../../../../../../../..'"$T"'/device", "type": "c", "major": 1, "minor": 3}]'
	try kist run --bundle "$BUNDLE" "$ID"
	[ ! -e "$T/device" ]
	config_set '.linux.devices = [{"path": "../../device", "type": "c", "major": 1, "minor": 3}]'
	refused 1 'devices' kist run --bundle "$BUNDLE" "$ID"
}

@test "in a user namespace the devices are the host's, bound" {
	config_userns
	config_set '.linux.devices = [{"path": "/dev/one", "type": "c", "major": 1, "minor": 7}]'
	shell 'head -c 1 /dev/zero | wc -c; echo x >/dev/null; stat -c "%t:%T" /dev/null'
	# The host has none of that name.
	refused 1 'device /dev/one: mknod is not allowed here' kist run --bundle "$BUNDLE" "$ID"
	config_set 'del(.linux.devices)'
	container_says $'1\n1:3'
}

@test "what the rules do not allow cannot be opened" {
	has_controller devices || only_v2 || skip "no devices controller, and no cgroup2 for the program that replaces it"
	config_cgroup
	config_set '.process.capabilities.bounding += ["CAP_MKNOD"] | .process.capabilities.effective += ["CAP_MKNOD"]
		| .process.capabilities.permitted += ["CAP_MKNOD"]
		| .linux.resources.devices = [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "minor": 11, "access": "r"}]'
	shell 'mknod /dev/mem2 c 1 1 && cat /dev/mem2; mknod /kmsg c 1 11; head -c 0 /kmsg && echo may read; echo x >/kmsg; cat /dev/null && echo default'
	run_container
	output_has 'Operation not permitted'
	output_has 'default'
}

@test "an empty list of rules is deny all but the defaults" {
	has_controller devices || only_v2 || skip "no devices controller, and no cgroup2 for the program that replaces it"
	config_cgroup
	need_root "makes devices"
	mknod "$ROOTFS/disk" b 7 0
	mknod "$ROOTFS/kmem" c 1 2
	config_set '.linux.resources.devices = []'
	shell 'cat /disk; cat /kmem; head -c 3 /dev/urandom | wc -c'
	run_container
	is "$(grep -c 'Operation not permitted' <<<"$output")" 2
	output_has 3
}

@test "exec is under the same rules" {
	has_controller devices || only_v2 || skip "no devices controller, and no cgroup2 for the program that replaces it"
	need_root "makes devices"
	config_cgroup
	mknod "$ROOTFS/kmem" c 1 2
	start_container
	refused 1 'Operation not permitted' kist exec "$ID" cat /kmem
}
