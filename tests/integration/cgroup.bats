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
	local unmounted='^$'
	# What is not mounted cannot be used, but is listed.
	only_v2 || [ -d /sys/fs/cgroup/unified ] || unmounted=^0::
	is "$(grep -v "$unmounted" "/proc/$(pid_of)/cgroup" | cut -d: -f3 | sort -u | grep -vx / | xargs)" "$CGROUP_ABOVE/test-$ID"
}

@test "a relative path, and none, are below where kist puts containers, with the id" {
	config_set '.linux.cgroupsPath = "a/b"'
	start_container
	grep -q 'a/b$' "/proc/$(pid_of)/cgroup"
	ok kist delete -f "$ID"
	assert_nothing_left
	config_set 'del(.linux.cgroupsPath)'
	start_container
	# An ordinary user need not have a cgroup: the container may stay in the caller's.
	ordinary_user || grep -q "$ID" "/proc/$(pid_of)/cgroup"
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

@test "pids.limit 0 is no limit before version 1.3 of the specification, and the least one since" {
	local version
	for version in 1.0.0 1.0.2-dev 1.2.1+dev; do
		config_set '.ociVersion = $version' --arg version "$version"
		limit pids '{"pids": {"limit": 0}}' pids.max max pids.max max
	done
	for version in 1.3.0 1.3.0-rc.1; do
		config_set '.ociVersion = $version' --arg version "$version"
		limit pids '{"pids": {"limit": 0}}' pids.max 1 pids.max 1
	done
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

# only_v1 CONTROLLER MEMBER VALUE FILE TEXT: a line of the file on cgroup v1, an error on v2.
only_v1() {
	has_controller "$1" || return 0
	checked=1
	config_set ".linux.resources = {} | .linux.resources.$2 = $3"
	if [ -e "$(controller_mount "$1")/cgroup.controllers" ]; then
		refused 1 "config.json:*linux.resources.$2: *cgroup v2 has no setting for $2" \
			kist create --bundle "$BUNDLE" "$ID"
		return
	fi
	args sleep 1000
	create_container
	cgroup_value "$1" "$4" - | grep -x "$5"
	ok kist delete --force "$ID"
}

@test "what only cgroup v1 has is an error on v2" {
	local checked=
	only_v1 memory memory.swappiness 37 memory.swappiness 37
	only_v1 memory memory.disableOOMKiller true memory.oom_control 'oom_kill_disable 1'
	[ -n "$checked" ] || skip "no controller that could tell"
}

@test "a realtime runtime is what cgroup v1 has, and an error on v2" {
	local budget
	has_controller cpu || skip "no cpu controller"
	budget=$(controller_mount cpu)/cpu.rt_runtime_us
	if [ ! -e "$(controller_mount cpu)/cgroup.controllers" ]; then
		[ -e "$budget" ] || skip "the kernel has no realtime group scheduling"
		# What the cgroup above has not, it cannot give.
		[ "$(<"$budget")" -ge 1000 ] || echo 1000 2>/dev/null >"$budget" ||
			skip "the cgroup above has no realtime budget, and cannot get one: $budget is $(<"$budget")"
	fi
	only_v1 cpu cpu.realtimeRuntime 1000 cpu.rt_runtime_us 1000
}

@test "a limit on kernel memory is ignored with a warning" {
	has_controller memory || skip "no memory controller"
	config_set '.linux.resources = {"memory": {"kernel": 16777216}}'
	run_container
	output_has 'memory.kernel is ignored'
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
	run_container
}

@test "a value that the kernel does not take is named" {
	has_controller pids || skip "no pids controller"
	config_set '.linux.resources = {"pids": {"limit": 99999999}}'
	refused 1 'set pids.limit: write "99999999" to ' kist run --bundle "$BUNDLE" "$ID"
	output_has 'invalid argument'
	assert_nothing_left
}

@test "unified values" {
	local mount file
	for file in hugetlb.2MB.max memory.high; do
		mount=$(controller_mount "${file%%.*}")
		[ ! -e "$mount/cgroup.controllers" ] || break
	done
	[ -e "$mount/cgroup.controllers" ] || skip "no controller of cgroup2"
	config_set '.linux.resources.unified = {($file): "2097152"}' --arg file "$file"
	args sleep 1000
	create_container
	is "$(cat "$mount/test-$ID/$file")" 2097152
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

@test "exec where no process more is allowed names the limit" {
	has_controller pids || skip "no pids controller"
	config_set '.linux.resources.pids = {"limit": 4}'
	start_container sh -c 'for i in 1 2 3; do sleep 1000 & done; echo >/ready; wait'
	wait_for test -s "$ROOTFS/ready"
	refused 255 "make a process: resource temporarily unavailable*pids.max is 4*update --pids-limit" kist exec "$ID" true
	refused 255 "/test-$ID/pids.max is 4" kist exec --detach "$ID" true
	[ "$(cgroup_value pids pids.current pids.current)" -eq 4 ]
	ok kist update --pids-limit 9 "$ID"
	ok kist exec "$ID" true
}

@test "exec where a cgroup above allows no process more names that one" {
	has_controller pids || skip "no pids controller"
	local above
	above=$(controller_mount pids)/above-$ID
	[ ! -e "${above%/*}/cgroup.controllers" ] || echo +pids >"${above%/*}/cgroup.subtree_control"
	mkdir "$above"
	echo 1 >"$above/pids.max"
	config_cgroup "/above-$ID/test"
	start_container
	refused 255 "/above-$ID/pids.max is 1" kist exec "$ID" true
	output_lacks 'update --pids-limit'
	ok kist delete --force "$ID"
	rmdir "$above" 2>/dev/null || true
}

@test "a container that does nothing but fork can be ended" {
	has_controller pids || skip "no pids controller"
	local i
	config_set '.linux.resources.pids = {"limit": 40}'
	# Each of them goes on when it cannot fork.
	echo 'BEGIN { for (;;) system("awk -f /bomb &") }' >"$ROOTFS/bomb"
	for i in kill delete; do
		start_container sh -c 'exec awk -f /bomb >/dev/null 2>&1'
		wait_for sh -c "[ \$(cat '$(controller_mount pids)/test-$ID/pids.current') -ge 39 ]"
		# For a moment there may be room; what must not be is that it takes long.
		try timeout 20 "$KIST" --root "$ROOT" exec "$ID" true
		if [ "$status" -ne 0 ]; then
			is "$status" 255
			output_has 'pids.max is 40'
		fi
		if [ $i = kill ]; then
			ok timeout 20 "$KIST" --root "$ROOT" kill --all "$ID" KILL
			wait_for stopped
		fi
		ok timeout 20 "$KIST" --root "$ROOT" delete --force "$ID"
		assert_nothing_left
	done
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

# named_hierarchy: the v1 hierarchy that an old systemd knows is there, on cgroup v2 as well.
named_hierarchy() {
	! mountpoint -q /sys/fs/cgroup/systemd || return 0
	only_v2 || skip "no hierarchy name=systemd"
	need_root "mounts a hierarchy"
	mkdir /sys/fs/cgroup/systemd
	# A new hierarchy can be made from the machine's own cgroup namespace only.
	mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd 2>/dev/null ||
		{ rmdir /sys/fs/cgroup/systemd && skip "the machine has no hierarchy name=systemd"; }
	made_named=1
}

remove_named_hierarchy() {
	ok kist delete --force "$ID"
	[ -n "${made_named:-}" ] || return 0
	umount /sys/fs/cgroup/systemd
	rmdir /sys/fs/cgroup/systemd
}

config_force_cgroup_v1() {
	config_set '.annotations = {"run.oci.systemd.force_cgroup_v1": "/sys/fs/cgroup"}
		| (.mounts[] | select(.type == "cgroup") | .options) |= map(select(. != "ro"))
		| .linux.namespaces |= (map(select(.type != "cgroup")) + [{"type": "cgroup"}])'
}

@test "by annotation a container sees the v1 hierarchy of an old systemd, and only its own part" {
	named_hierarchy
	config_force_cgroup_v1
	start_container
	grep -q ":name=systemd:/test-$ID$" "/proc/$(pid_of)/cgroup"
	is "$(kist exec "$ID" ls /sys/fs/cgroup)" systemd
	is "$(kist exec "$ID" cat /sys/fs/cgroup/systemd/tasks | head -1)" 1
	ok kist exec "$ID" sh -c 'cd /sys/fs/cgroup/systemd && mkdir payload && echo 1 >payload/tasks'
	[ -e "/sys/fs/cgroup/systemd/test-$ID/payload" ]
	# Nothing that reaches the host's root of it.
	[ ! -e "/proc/$(pid_of)/root/sys/fs/cgroup/systemd/release_agent" ]
	ok kist delete --force "$ID"
	[ ! -e "/sys/fs/cgroup/systemd/test-$ID" ]
	config_set '.annotations."run.oci.systemd.force_cgroup_v1" = "/elsewhere"'
	refused 1 'config.json:*no mount has the destination /elsewhere' kist create --bundle "$BUNDLE" "$ID"
	config_set '.annotations."run.oci.systemd.force_cgroup_v1" = "cgroup"'
	refused 1 'config.json:*"cgroup" is not an absolute path' kist create --bundle "$BUNDLE" "$ID"
	remove_named_hierarchy
}

@test "the v1 hierarchy belongs to the root of a user namespace" {
	only_v2 || skip "on cgroup v1 nothing is handed over"
	named_hierarchy
	config_userns
	config_force_cgroup_v1
	start_container
	ok kist exec "$ID" sh -c 'cd /sys/fs/cgroup/systemd && mkdir payload && echo 1 >payload/tasks'
	is "$(stat -c %u "/sys/fs/cgroup/systemd/test-$ID/tasks")" 100000
	remove_named_hierarchy
}

@test "a v1 hierarchy that is not there is an error that says how to get it" {
	only_v2 || skip "it is there"
	config_force_cgroup_v1
	refused 1 'config.json:*no cgroup v1 hierarchy "name=systemd": mkdir */sys/fs/cgroup/systemd && mount -t cgroup' \
		kist create --bundle "$BUNDLE" "$ID"
}

# traced NAME COMMAND...: with what opens files, writes to them or makes processes in $T/NAME.
traced() {
	local name=$1
	shift
	strace -f -qq -y -o "$T/$name" -e 'trace=?open,?creat,openat,openat2,write,pwrite64,writev,pwritev,clone3' \
		"$KIST" --root "$ROOT" "$@" </dev/null >/dev/null 2>&1 3>&-
}

# moves_nobody NAME: the trace has no file open for writing that moves processes, nor a write to one.
moves_nobody() {
	local list='(cgroup\.procs|cgroup\.threads|tasks)'
	[ -s "$T/$1" ]
	! grep -E "(open|openat|openat2|creat)\(.*[/\"]$list\".*(O_WRONLY|O_RDWR|creat)|write[v0-9]*\([0-9]+<[^>]*/$list" \
		"$T/$1" || fail "$1 moves a process"
}

@test "on v2 nobody is moved between cgroups, which takes long: processes are born in theirs" {
	only_v2 || skip "on cgroup v1 a process has to join"
	need_strace
	local tracer name
	args sleep 1000
	# Until the container's process ends, which is traced, too.
	traced create create --bundle "$BUNDLE" "$ID" &
	tracer=$!
	wait_for has_status created
	traced start start "$ID"
	traced exec exec "$ID" true
	is "$(kist ps --format json "$ID" | jq length)" 1
	ok kist delete --force "$ID"
	wait "$tracer" || true
	args true
	traced run run --bundle "$BUNDLE" "$ID"
	for name in create start exec run; do
		moves_nobody $name
		[ $name = start ] || grep -q 'clone3(.*CLONE_INTO_CGROUP' "$T/$name" || fail "$name clones into no cgroup"
	done
}

@test "a cgroup that is not empty is refused" {
	start_container
	refused 1 'not empty' kist create --bundle "$BUNDLE" "other$ID"
	has_status running
}

@test "a frozen cgroup is refused instead of waited for" {
	local dir
	if only_v2; then
		dir=/sys/fs/cgroup$CGROUP_ABOVE/test-$ID
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

@test "a cgroup above that is frozen is refused as well, whether the container's own is there or not" {
	local top file frozen thawed above
	if only_v2; then
		top=/sys/fs/cgroup$CGROUP_ABOVE file=cgroup.freeze frozen=1 thawed=0
	else
		top=$(controller_mount freezer) file=freezer.state frozen=FROZEN thawed=THAWED
	fi
	above=$top/above-$ID
	mkdir -p "$above/middle"
	config_cgroup "/above-$ID/middle/test"
	echo $frozen >"$above/$file"
	refused 1 "cgroup unexpectedly frozen: $above/middle *thaw" timeout 20 "$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
	mkdir "$above/middle/test"
	refused 1 "cgroup unexpectedly frozen: $above/middle/test *thaw" timeout 20 "$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
	echo $thawed >"$above/$file"
	run_container
	rmdir "$above/middle/test" "$above/middle" "$above"
}

@test "a cgroup above that has processes is an error that names controller, place and way out" {
	local above=/sys/fs/cgroup$CGROUP_ABOVE/above-$ID
	only_v2 && has_controller pids || skip "no pids controller of cgroup v2"
	mkdir "$above"
	sleep 1000 3>&- &
	helper=$!
	echo $helper >"$above/cgroup.procs"
	config_cgroup "/above-$ID/test"
	run_container
	is "$(<"$above/cgroup.subtree_control")" ""
	config_set '.linux.resources.pids.limit = 5'
	refused 1 "config.json:*pids.limit*controller \"pids\" in $above/cgroup.subtree_control*processes of its own" \
		kist create --bundle "$BUNDLE" "$ID"
	[ ! -e "$above/test" ]
	echo +pids >"$above/cgroup.subtree_control"
	refused 1 "$above/test: operation not supported (its cgroup.type is" kist create --bundle "$BUNDLE" "$ID"
	[ ! -e "$above/test" ]
	stop_helper
	wait_for rmdir "$above"
}

@test "an existing cgroup that hands controllers down is left alone, with the file and the way out" {
	local top=/sys/fs/cgroup$CGROUP_ABOVE dir name
	only_v2 || top=/sys/fs/cgroup/unified
	dir=$top/test-$ID
	# With the threaded ones alone it can have processes.
	for name in hugetlb memory io; do
		! grep -qw $name "$top/cgroup.controllers" 2>/dev/null || break
	done
	echo "+$name" >"$top/cgroup.subtree_control" || skip "no controller of domains on cgroup v2"
	mkdir "$dir"
	echo "+$name" >"$dir/cgroup.subtree_control"
	config_cgroup
	refused 1 "$dir: device or resource busy (*take \"$name\" out of $dir/cgroup.subtree_control, or choose another linux.cgroupsPath)" \
		kist create --bundle "$BUNDLE" "$ID"
	is "$(<"$dir/cgroup.subtree_control")" "$name"
	echo "-$name" >"$dir/cgroup.subtree_control"
	run_container
	rmdir "$dir" 2>/dev/null || true
}

@test "a cgroup that was killed before can be the container's, or the caller's" {
	local top=/sys/fs/cgroup$CGROUP_ABOVE own
	only_v2 || top=/sys/fs/cgroup/unified
	[ -e "$top/cgroup.procs" ] || skip "no cgroup v2"
	config_cgroup
	config_set '.linux.namespaces |= map(select(.type != "cgroup"))'
	shell 'grep ^0:: /proc/self/cgroup'
	mkdir "$top/test-$ID"
	[ -e "$top/test-$ID/cgroup.kill" ] || { rmdir "$top/test-$ID" && skip "no cgroup.kill in this kernel"; }
	echo 1 >"$top/test-$ID/cgroup.kill"
	container_says "0::$CGROUP_ABOVE/test-$ID"
	rmdir "$top/test-$ID" 2>/dev/null || true
	own=$top/own-$ID
	mkdir "$own"
	echo 1 >"$own/cgroup.kill"
	(
		echo "$BASHPID" >"$own/cgroup.procs"
		container_says "0::$CGROUP_ABOVE/test-$ID"
		shell 'echo >/ready; exec sleep 1000'
		create_container
		kist start "$ID"
		is "$(kist exec "$ID" grep ^0:: /proc/self/cgroup)" "0::$CGROUP_ABOVE/test-$ID"
		kist delete --force "$ID"
	)
	wait_for rmdir "$own"
}

@test "read-only hierarchies: an error, and nothing is left of the container" {
	need_root "mounts"
	local mount mounts=()
	for mount in /sys/fs/cgroup /sys/fs/cgroup/*; do
		[ ! -e "$mount/cgroup.procs" ] || [ -L "$mount" ] || ! mountpoint -q "$mount" || mounts+=("$mount")
	done
	config_cgroup
	refused 1 'read-only file system' unshare --mount sh -c '
		while [ "$1" != -- ]; do mount -o remount,bind,ro "$1" && shift || exit 99; done
		shift
		exec "$@"' sh "${mounts[@]}" -- "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	output_lacks undo
	is "$(ls -A "$ROOT")" ''
}

@test "signals to all processes go by descriptor, not by a number that may be another's by then" {
	need_strace
	start_container sh -c 'trap "echo >>/got" USR1; echo >/ready; while :; do sleep 0.01; done'
	wait_for test -s "$ROOTFS/ready"
	ok strace -f -qq -o "$T/strace" -e trace=kill,pidfd_send_signal "$KIST" --root "$ROOT" kill --all "$ID" USR1
	wait_for test -s "$ROOTFS/got"
	grep -q '^[0-9]* *pidfd_send_signal(.*SIGUSR1' "$T/strace"
	! grep -q '^[0-9]* *kill(' "$T/strace" || fail "$(<"$T/strace")"
}

# listings_for N: how often kill --all lists the cgroup of a container with so many processes more.
listings_for() {
	start_container sh -c 'i=0; while [ $i -lt '"$1"' ]; do sleep 1000 & i=$((i + 1)); done; echo >/ready; exec sleep 1000'
	wait_for test -s "$ROOTFS/ready"
	rm "$ROOTFS/ready"
	ok strace -f -qq -o "$T/strace" -e trace=openat,openat2 "$KIST" --root "$ROOT" kill --all "$ID" URG
	listings=$(grep -c '"cgroup\.procs"' "$T/strace")
	ok kist delete --force "$ID"
}

@test "kill --all lists many processes no more often than few" {
	local few
	need_strace
	listings_for 3
	few=$listings
	listings_for 300
	is "$listings" "$few"
}

@test "resume does not take another thaw that is about to end for a frozen cgroup above" {
	local above
	need_strace
	if only_v2; then
		above=/sys/fs/cgroup$CGROUP_ABOVE/above-$ID file=cgroup.freeze frozen=1 thawed=0
	else
		above=$(controller_mount freezer)/above-$ID file=freezer.state frozen=FROZEN thawed=THAWED
	fi
	config_cgroup "/above-$ID/test"
	start_container
	echo $frozen >"$above/$file"
	wait_for has_status paused
	refused 1 'a cgroup above it is frozen' kist resume "$ID"
	# It is thawed while the command waits.
	strace -f -qq -o "$T/strace" -e trace=poll -e inject=poll:delay_enter=3000000 \
		"$KIST" --root "$ROOT" resume "$ID" >"$T/resume" 2>&1 </dev/null 3>&- &
	helper=$!
	sleep 1
	echo $thawed >"$above/$file"
	wait $helper || fail "$(<"$T/resume")"
	has_status running
}

@test "4,096 device rules of a configuration are taken, and further ones of updates" {
	local rules='.linux.resources.devices = [range($n) | {allow: true, type: "c", major: 20, minor: ., access: "rwm"}]' i
	local further=()
	need_root "an ordinary user has no device rules"
	config_set "$rules" --argjson n 4097
	refused 1 'config.json:*linux.resources.devices\[4096\]*more than 4096 device rules' kist create --bundle "$BUNDLE" "$ID"
	config_set "$rules" --argjson n 4096
	# The first one is for everything: it replaces what was before it, and does not count.
	config_set '.linux.resources.devices |= [{allow: false, access: "rwm"}] + .'
	start_container
	for ((i = 0; i < 2048; i++)); do
		further+=(--device "allow c 21:$i rw")
	done
	ok kist update "${further[@]}" "$ID"
	refused 1 'more than 2048 device rules in all updates' kist update --device 'allow c 22:1 rwm' "$ID"
}

@test "a limit without permission is named, with what engines look for and the way to get it" {
	need_root "becomes another user, who has no cgroup"
	bundle_user
	config_set '.linux.resources.pids.limit = 5'
	has_controller pids || config_set '.linux.resources = {"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}'
	refused 1 'config.json:[0-9]*: linux.resources.*: rootless needs no limits + no cgrouppath when no permission is granted for cgroups: mkdir *permission denied*Delegate=yes' \
		user_kist create --bundle "$BUNDLE" "$ID"
	# What only looks says the same.
	refused 1 'config.json:[0-9]*: linux.resources.*: *which this user may not make: rootless needs no limits*Delegate=yes' \
		user_kist create --dry-run --bundle "$BUNDLE" "$ID"
	refused 1 'linux.resources.*: *which this user may not make: rootless needs no limits*Delegate=yes' \
		user_kist validate --against-host --bundle "$BUNDLE"
	config_set 'del(.linux.resources) | .linux.cgroupsPath = "/test"'
	refused 1 'config.json:[0-9]*: linux.cgroupsPath: unable to apply cgroup configuration: mkdir *permission denied*Delegate=yes' \
		user_kist create --bundle "$BUNDLE" "$ID"
	rm -rf "${ROOT:?}"
}

@test "with --cgroup-manager disabled a warning names each limit that is not applied" {
	config_set '.linux.resources = {"pids": {"limit": 5}, "memory": {"limit": 1048576, "swap": 2097152, "kernel": 1048576}, "unified": {"cpu.max": "max"},
		"devices": [{"allow": false, "access": "rwm"}]}'
	args true
	ok kist --cgroup-manager disabled run --bundle "$BUNDLE" "$ID"
	local member
	for member in pids.limit memory.limit memory.swap memory.kernel unified devices; do
		output_has "config.json:[0-9]*linux.resources.$member*: not applied: the cgroup manager is \"disabled\""
	done
	output_has 'linux.cgroupsPath: not applied'
	is "$(grep '^kist: warning' <<<"$output" | sort | uniq -d)" ''
}

@test "with --cgroup-manager disabled a limit is not applied, whichever cgroup version has it" {
	local members='memory.kernel memory.kernelTCP memory.swappiness memory.disableOOMKiller memory.useHierarchy cpu.period cpu.realtimePeriod
		cpu.realtimeRuntime network.classID network.priorities blockIO.leafWeight' member
	config_set '.linux.resources = {
		"memory": {"kernel": 16777216, "kernelTCP": 16777216, "swappiness": 10, "disableOOMKiller": true, "useHierarchy": true},
		"cpu": {"period": 100000, "realtimePeriod": 1000000, "realtimeRuntime": 1000},
		"network": {"classID": 5, "priorities": [{"name": "lo", "priority": 3}]}, "blockIO": {"leafWeight": 20}}'
	args true
	ok kist --cgroup-manager disabled run --bundle "$BUNDLE" "$ID"
	output_lacks 'is ignored'
	for member in $members; do
		is "$member $(grep -c "linux.resources.$member: not applied" <<<"$output")" "$member 1"
	done
	ok kist --cgroup-manager disabled validate --bundle "$BUNDLE" --against-host
	output_lacks 'no setting for'
	output_lacks 'is ignored'
}

@test "an annotation for systemd is named in a warning where systemd does not manage the cgroup" {
	local key
	config_set '.annotations = {"org.systemd.property.MemoryMax": "uint64 10000000", "org.systemd.property.RuntimeMaxSec": "7",
		"org.systemd.property.ExecStartPre": "[]", "run.oci.systemd.subgroup": "x", "run.oci.delegate-cgroup": "y"}'
	run_container
	output_has 'config.json:[0-9]*"org.systemd.property.MemoryMax" has no effect without the systemd cgroup manager'
	for key in property.MemoryMax property.RuntimeMaxSec property.ExecStartPre run.oci.systemd.subgroup run.oci.delegate-cgroup; do
		is "$key $(grep -c "$key\".*has no effect" <<<"$output") $(grep -c "$key" <<<"$output")" "$key 1 1"
	done
}

@test "what engines tell systemd of every container's unit is no warning where there is no unit" {
	config_set '.annotations = {"org.systemd.property.TimeoutStopUSec": "uint64 10000000", "org.systemd.property.TimeoutStopSec": "10",
		"org.systemd.property.KillSignal": "15", "org.systemd.property.CollectMode": "\u0027inactive-or-failed\u0027",
		"org.systemd.property.After": "[\u0027a.service\u0027]", "org.systemd.property.Description": "\u0027d\u0027", "org.other": "y"}'
	args true
	run_container
	is "$output" ''
}

@test "an option of a cgroup mount that changes nothing is named in a warning" {
	config_set '(.mounts[] | select(.type == "cgroup") | .options) += ["nsdelegate"]'
	run_container
	output_has 'config.json:[0-9]*options*"nsdelegate" has no effect'
	only_v2 || return 0
	config_set '.linux.namespaces |= (map(select(.type != "cgroup")) + [{"type": "cgroup"}])
		| (.mounts[] | select(.type == "cgroup")) |= (.type = "cgroup2" | .options = ["ro", "memory_recursiveprot"])'
	run_container
	output_has '"memory_recursiveprot" has no effect'
}

@test "--cgroup-manager disabled touches none" {
	args sleep 1000
	ok kist --cgroup-manager disabled create --bundle "$BUNDLE" "$ID"
	[ -z "$(find /sys/fs/cgroup -name "test-$ID")" ]
	ok kist delete -f "$ID"
}

@test "a cgroup's path that is a file of the kernel is an error, and leaves nothing" {
	local file
	for file in cgroup.procs tasks; do
		config_cgroup "/test-$ID/$file"
		# "tasks" is a name like any other on cgroup2.
		if [ $file = tasks ] && only_v2; then
			create_container
		else
			refused 1 "/test-$ID/$file" kist create --bundle "$BUNDLE" "$ID"
		fi
		ok kist delete --force "$ID"
		assert_nothing_left
	done
}

@test "files with which the runtime itself works are no limits" {
	local file
	for file in cgroup.freeze cgroup.kill cgroup.procs cgroup.subtree_control; do
		config_set '.linux.resources.unified = {($file): "1"}' --arg file "$file"
		refused 1 "config.json:*linux.resources.unified*$file" kist create --bundle "$BUNDLE" "$ID"
	done
	config_set 'del(.linux.resources.unified)'
	start_container
	echo '{"unified": {"cgroup.freeze": "1"}}' >"$T/resources"
	refused 1 'cgroup.freeze' kist update -r "$T/resources" "$ID"
	has_status running
}
