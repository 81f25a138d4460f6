#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

setup() {
	setup_container
	config_userns
}

@test "the maps are those of the configuration" {
	shell 'cat /proc/self/uid_map /proc/self/gid_map; id -u'
	run_container
	[[ $output =~ ^\ *0\ +$(host_id 0)\ +[1-9] ]]
	is "${output##*$'\n'}" 0
}

@test "several ranges" {
	local low high
	low=$(host_id 1)
	high=$(host_id 2000)
	config_set '.linux.uidMappings = [{"containerID": 0, "hostID": $low, "size": 10}, {"containerID": 10, "hostID": $high, "size": 5}]' \
		--argjson low "$low" --argjson high "$high"
	shell 'xargs </proc/self/uid_map'
	container_says "0 $low 10 10 $high 5"
}

@test "the processes have the mapped ids outside" {
	start_container
	is "$(stat -c %u "/proc/$(pid_of)")" "$(host_id 0)"
	ok kist exec --user 5:6 --detach --pid-file "$T/pid" "$ID" sleep 1000
	is "$(stat -c '%u %g' "/proc/$(<"$T/pid")")" "$(host_id 5) $(host_id 6)"
}

@test "files that the container makes have the mapped ids outside" {
	shell 'touch /tmp/x; stat -c %u /tmp/x'
	container_says 0
	is "$(stat -c %u "$ROOTFS/tmp/x")" "$(host_id 0)"
}

@test "a user that is not mapped is refused" {
	config_set '.process.user.uid = 70000'
	refused 1 '70000' kist run --bundle "$BUNDLE" "$ID"
	config_set '.process.user.uid = 0 | .process.user.additionalGids = [70000]'
	refused 1 '70000' kist run --bundle "$BUNDLE" "$ID"
}

@test "a user namespace without maps is refused, and maps that overlap too" {
	config_set '.linux.uidMappings = [{"containerID": 0, "hostID": 1, "size": 5}, {"containerID": 3, "hostID": 10, "size": 5}]'
	refused 1 'uidMappings' kist run --bundle "$BUNDLE" "$ID"
	config_set 'del(.linux.uidMappings, .linux.gidMappings)'
	refused 1 'uidMappings' kist run --bundle "$BUNDLE" "$ID"
}

@test "the capabilities are of the container's namespace only" {
	config_set '.process.capabilities.bounding += ["CAP_SYS_ADMIN"] | .process.capabilities.effective += ["CAP_SYS_ADMIN"]
		| .process.capabilities.permitted += ["CAP_SYS_ADMIN"]'
	shell 'exec 2>/dev/null; mount -t tmpfs tmpfs /tmp && echo mounted; chown 70000 /tmp || echo no chown
		mount -t ext4 /dev/vda /tmp || echo no disk
		mount -t proc proc /tmp && echo 1 >/tmp/sys/vm/drop_caches || echo no sysctl; head -c 1 /proc/kcore | wc -c'
	container_says $'mounted\nno chown\nno disk\nno sysctl\n0'
}

@test "a user namespace by path is joined" {
	start_container
	config_set '.linux.namespaces |= map(if .type == "user" then .path = $path else . end) | del(.linux.uidMappings, .linux.gidMappings)' \
		--arg path "/proc/$(pid_of)/ns/user"
	shell 'readlink /proc/self/ns/user; id -u'
	ok kist run --bundle "$BUNDLE" "other$ID"
	is "$output" "$(readlink "/proc/$(pid_of)/ns/user")"$'\n'0
}

# join FILTER: config.json joins the user namespace of the container that runs, and is changed by the filter.
join() {
	config_set '.linux.namespaces |= map(if .type == "user" then .path = $path else . end)' --arg path "${path:-/proc/$(pid_of)/ns/user}"
	config_set "$1"
}

@test "mappings beside a user namespace by path are those that it has" {
	start_container
	args true
	join .
	ok kist run --bundle "$BUNDLE" "other$ID"
	join '.linux.uidMappings[0].hostID += 1'
	refused 1 'config.json:*: linux.uidMappings: the user namespace to join has other mappings' kist run --bundle "$BUNDLE" "other$ID"
	join '.linux.uidMappings[0].hostID -= 1 | .linux.gidMappings[0].size += 1'
	refused 1 'linux.gidMappings: the user namespace to join has other mappings' kist run --bundle "$BUNDLE" "other$ID"
	# The same in other pieces is the same.
	join '.linux.gidMappings = .linux.uidMappings
		| .linux.uidMappings |= (.[0] as $m | [($m | .size = 1), ($m | .containerID += 1 | .hostID += 1 | .size -= 1)])'
	ok kist run --bundle "$BUNDLE" "other$ID"
}

@test "a process that is stopped in a user namespace by path is given up" {
	need_strace
	start_container
	args true
	join .
	try timeout -s KILL 60 strace -f -qq -o /dev/null -e inject=setns:signal=SIGSTOP:when=1 \
		"$KIST" --root "$ROOT" run --bundle "$BUNDLE" "other$ID"
	is "$status" 1
	output_has 'join the user namespace to read its maps: no answer for 10 s'
}

@test "the maps of a user namespace that a mount keeps are compared, too" {
	need_root 'binds a namespace'
	start_container
	args true
	touch "$T/user"
	mount --bind "/proc/$(pid_of)/ns/user" "$T/user"
	path=$T/user join .
	try kist run --bundle "$BUNDLE" "other$ID"
	local same=$status
	path=$T/user join '.linux.uidMappings[0].hostID += 1'
	try kist run --bundle "$BUNDLE" "other$ID"
	umount "$T/user"
	[ "$same" -eq 0 ]
	[ "$status" -eq 1 ]
	output_has 'other mappings'
}

@test "the caller's own user namespace is none to join" {
	path=/proc/self/ns/user join .
	refused 1 "linux.namespaces*: /proc/self/ns/user is the caller's own user namespace" kist run --bundle "$BUNDLE" "$ID"
	config_set 'del(.linux.uidMappings, .linux.gidMappings)'
	refused 1 "own user namespace" kist run --bundle "$BUNDLE" "$ID"
}

@test "life of a container with ids: create, start, exec, kill, delete" {
	config_cgroup
	start_container
	ok kist exec "$ID" id -u
	is "$output" 0
	ok kist pause "$ID"
	ok kist resume "$ID"
	ok kist kill "$ID" KILL
	wait_for stopped
	ok kist delete "$ID"
}
