#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

# ns PID TYPE: the number of a process's namespace.
ns() {
	readlink "/proc/$1/ns/$2" | tr -dc 0-9
}

@test "each namespace that is listed is new, the others are the caller's" {
	local name new='pid ipc mnt cgroup' others='net uts time user'
	shell 'for n in pid net ipc uts mnt cgroup time user; do readlink /proc/self/ns/$n; done'
	config_set '.linux.namespaces = [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "cgroup"}]'
	config_set '(.mounts |= map(select(.type != "sysfs" and .type != "cgroup"))) | del(.hostname)'
	if ordinary_user; then
		config_set '.linux.namespaces += [{"type": "user"}]'
		new+=' user' others='net uts time'
	fi
	run_container
	for name in $new; do
		output_lacks "$(ns self "$name")"
	done
	for name in $others; do
		output_has ":?$(ns self "$name")"
	done
}

@test "namespaces by path are joined" {
	start_container
	local pid type name
	pid=$(pid_of)
	for type in network:net ipc:ipc uts:uts pid:pid cgroup:cgroup; do
		name=${type#*:}
		config_set '.linux.namespaces |= map(if .type == $type then .path = $path else . end)' \
			--arg type "${type%:*}" --arg path "/proc/$pid/ns/$name"
	done
	config_join_userns "$pid"
	config_set 'del(.hostname)'
	shell 'for n in net ipc uts pid cgroup; do readlink /proc/self/ns/$n; done'
	ok kist run --bundle "$BUNDLE" "other$ID"
	for name in net ipc uts pid cgroup; do
		output_has ":?$(ns "$pid" "$name")"
	done
}

@test "a mount namespace by path" {
	local owner=()
	! ordinary_user || owner=(--user --map-auto --map-root-user)
	unshare "${owner[@]}" --mount --propagation private sleep 1000 3>&- &
	local pid=$!
	wait_for grep -qx sleep "/proc/$pid/comm"
	config_join_userns "$pid"
	config_set '.linux.namespaces |= map(if .type == "mount" then .path = $path else . end)' --arg path "/proc/$pid/ns/mnt"
	shell 'readlink /proc/self/ns/mnt; ls /'
	local joined
	joined=$(readlink "/proc/$pid/ns/mnt")
	try kist run --bundle "$BUNDLE" "$ID"
	kill $pid
	wait $pid || true
	[ "$status" -eq 0 ] || fail "$output"
	is "$output" "$joined"$'\nbin\ndev\netc\nproc\nroot\nrun\nsys\ntmp'
}

# old_kernel COMMAND...: as on Linux before 6.18, whose procfs are always of their maker's PID namespace.
old_kernel() {
	setarch --uname-2.6 "$@"
}

@test "a new procfs is that of the PID namespace that is joined, on Linux before 6.18, too" {
	! sanitized || skip "a sanitizer makes more calls than are let to who opens procfs"
	local how
	start_container
	config_set '.linux.namespaces |= map(if .type == "pid" then .path = $path else . end)' --arg path "/proc/$(pid_of)/ns/pid"
	config_join_userns "$(pid_of)"
	config_set '.mounts += [{"destination": "/more", "type": "proc", "source": "proc", "options": ["ro", "hidepid=2"]}]'
	mkdir "$ROOTFS/more"
	chown_inside 0:0 "$ROOTFS/more"
	shell 'tr "\\0" " " </proc/1/cmdline; tr "\\0" " " </more/1/cmdline; for p in /proc /more; do readlink $p/self; done | wc -l; grep " /more " /proc/mounts; kill -0 1 && echo there'
	for how in env old_kernel; do
		ok "$how" "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "other$ID"
		output_has 'sleep 1000 sleep 1000 2'
		output_has 'proc /more proc ro,*hidepid='
		output_has there
	done
}

@test "the caller's own PID namespace by path, on Linux before 6.18, too" {
	local how
	config_set '.linux.namespaces |= map(if .type == "pid" then .path = "/proc/self/ns/pid" else . end)'
	need_root "an ordinary user can only have the host's /proc then"
	shell 'readlink /proc/self/ns/pid; [ -e /proc/'$$' ] && echo there'
	for how in env old_kernel; do
		ok "$how" "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
		is "$output" "$(readlink /proc/self/ns/pid)"$'\nthere'
	done
}

# What the row "proc-context" meets is told, and nothing is left.
@test "a procfs of a PID namespace that is joined whose last process has ended" {
	local pid how
	need_root "joins a namespace of the host's"
	unshare --pid --fork --kill-child sleep 1000 3>&- &
	pid=$!
	wait_for pgrep -P $pid sleep
	touch "$T/ns"
	mount --bind "/proc/$(pgrep -P $pid sleep)/ns/pid" "$T/ns"
	kill -KILL $pid
	wait $pid || true
	config_set '.linux.namespaces |= map(if .type == "pid" then .path = $path else . end)' --arg path "$T/ns"
	for how in env old_kernel; do
		try "$how" "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
		[ "$status" -eq 1 ] || break
		output_has 'process'
	done
	umount "$T/ns"
	is "$status" 1
}

@test "a namespace of the wrong kind is refused" {
	local type
	for type in pid network ipc uts cgroup mount; do
		config_set '.linux.namespaces |= map(if .type == $type then .path = "/proc/self/ns/user" else del(.path) end)' --arg type "$type"
		try kist run --bundle "$BUNDLE" "$ID"
		[ "$status" -eq 1 ] || fail "$type: status $status"
		[[ $output == *namespace* ]] || fail "$output"
	done
	assert_nothing_left
}

@test "a path that is not there, or no namespace" {
	config_set '.linux.namespaces |= map(if .type == "ipc" then .path = "/proc/self/ns/none" else . end)'
	refused 1 '/proc/self/ns/none*no such file or directory' kist run --bundle "$BUNDLE" "$ID"
	config_set '.linux.namespaces |= map(if .type == "ipc" then .path = "/etc/passwd" else . end)'
	refused 1 '/etc/passwd' kist run --bundle "$BUNDLE" "$ID"
}

@test "time offsets" {
	[ -e /proc/self/timens_offsets ] || skip "the kernel has no time namespaces"
	config_set '.linux.namespaces += [{"type": "time"}] | .linux.timeOffsets = {"boottime": {"secs": 1000000}, "monotonic": {"secs": 7, "nanosecs": 5}}'
	shell 'cat /proc/self/timens_offsets; cut -d. -f1 /proc/uptime'
	run_container
	[[ $output =~ monotonic\ +7\ +5 ]]
	[ "${output##*$'\n'}" -gt 1000000 ]
}

@test "time offsets without a time namespace are refused" {
	config_set '.linux.timeOffsets = {"boottime": {"secs": 1}}'
	refused 1 'timeOffsets' kist run --bundle "$BUNDLE" "$ID"
}

@test "hostname and domainname" {
	config_set '.hostname = "some-host" | .domainname = "some.domain"'
	shell 'hostname; cat /proc/sys/kernel/domainname'
	container_says $'some-host\nsome.domain'
}

@test "the cgroup namespace begins at the container's cgroup" {
	config_cgroup
	shell 'cut -d: -f3 /proc/self/cgroup | sort -u'
	container_says /
}

@test "a container in a shared pid namespace ends when its program does" {
	config_cgroup
	config_shared_pids
	shell 'sleep 1000 & exit 3'
	refused 3 '' kist run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "no namespaces at all" {
	need_root "makes devices"
	config_set '.linux.namespaces = [] | .mounts = [] | del(.hostname, .linux.maskedPaths, .linux.readonlyPaths)'
	shell 'echo runs'
	container_says runs
}

@test "a namespace of another kind is named with its article" {
	config_set '(.linux.namespaces[] | select(.type == "network")).path = "/proc/self/ns/ipc"'
	refused 1 '/proc/self/ns/ipc is an ipc namespace, not a network namespace' kist create --bundle "$BUNDLE" "$ID"
}
