#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of the helpers
#
# containerd over kist where systemd is process 1 and cgroup2 has its controllers, with both cgroup managers, as root:
# `tests/vm/inside direct` sets the stage.
load ../integration/helpers
load ../clients/engine

setup_file() {
	[ -e /sys/fs/cgroup/cgroup.controllers ] || skip "these look at files of cgroup v2"
	command -v containerd >/dev/null || skip "containerd is not installed"
	export D=$BATS_FILE_TMPDIR/containerd
	containerd_setup "$D"
}

teardown_file() {
	[ -z "${D:-}" ] || containerd_stop "$D"
}

setup() {
	T=$BATS_TEST_TMPDIR
	NAME=c$BATS_TEST_NUMBER
	manager=${BATS_TEST_DESCRIPTION#containerd, }
	manager=${manager%%:*}
}

teardown() {
	[ -n "${NAME:-}" ] || return 0
	ctr_remove "$NAME"
	# The shim ends by itself.
	wait_for nothing_of_ours || fail "$(whats_left)"
}

whats_left() {
	systemctl list-units --all --plain --no-legend 'ctr-*'
	find /sys/fs/cgroup -name 'ctr-*' -o -path /sys/fs/cgroup/default
	pgrep -a 'containerd-shim|kist|^sleep'
	find /run/containerd/runc/default /run/ctrd/state/io.containerd.runtime.v2.task/default -mindepth 1 -maxdepth 1
}

nothing_of_ours() {
	[ -z "$(whats_left)" ]
}

# start OPTION... [-- COMMAND...]: a container that stays.
start() {
	local options=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	[ $# -gt 0 ] || set -- -- sleep 1000
	[ "$manager" != systemd ] || options+=(--runc-systemd-cgroup --cgroup "system.slice:ctr:$NAME")
	ctr_run --detach "${options[@]}" -- "$NAME" "${@:2}"
	is "$status:$output" 0:
	find_cgroup "$(ctr task ls | awk -v name="$NAME" '$1 == name { print $2 }')"
}

# both FILE VALUE PROPERTY VALUE: what the kernel has, and what systemd has if it is the manager.
both() {
	cgroup_has "$1" "$2"
	[ "$manager" != systemd ] || unit_has "$3" "$4"
}

MIB=$((1 << 20))

# ---- each with both managers --------------------------------------------------------------------------------------

limits_are_set() {
	start --memory-limit $((64 * MIB)) --cpus 0.5 --cpu-shares 512
	case $manager in
	systemd) is "$cgroup" "/system.slice/ctr-$NAME.scope" ;;
	cgroupfs) is "$cgroup" "/default/$NAME" ;;
	esac
	limited
	[ "$manager" != systemd ] || systemctl daemon-reload
	limited
}

limited() {
	both memory.max $((64 * MIB)) MemoryMax $((64 * MIB))
	both cpu.max '50000 100000' CPUQuotaPerSecUSec 500ms
	both cpu.weight 59 CPUWeight 59
}

exec_is_limited() {
	start --memory-limit $((64 * MIB))
	ok ctr task exec --exec-id e1 --detach "$NAME" sleep 1001
	is "$(wc -l <"/sys/fs/cgroup$cgroup/cgroup.procs")" 2
	ok ctr task exec --exec-id e2 "$NAME" cat /proc/self/cgroup
	is "$output" "0::$cgroup"
	# What takes more than the limit dies, and nothing else.
	try ctr task exec --exec-id e3 "$NAME" tail -c 100000000 /dev/zero
	is "$status" 137
	grep -q 'oom_kill [1-9]' "/sys/fs/cgroup$cgroup/memory.events"
	ok ctr task exec --exec-id e4 "$NAME" true
}

metrics_are_the_kernels() {
	start --memory-limit $((64 * MIB)) -- sh -c 'head -c 8388608 /dev/zero >/dev/shm/file; exec sleep 1000'
	wait_for cgroup_uses $((8 * MIB))
	ctr task metrics --format json "$NAME" >"$T/metrics" 3>&-
	jq -e '.pids.current >= 1 and .memory.usage_limit == 67108864 and .cpu.usage_usec > 0
		and (.memory.usage | . >= 8388608 and . < 67108864)' "$T/metrics" || fail "$(<"$T/metrics")"
}

pause_freezes() {
	start
	ok ctr task pause "$NAME"
	cgroup_has cgroup.freeze 1
	grep -q 'frozen 1' "/sys/fs/cgroup$cgroup/cgroup.events"
	ok ctr task ls
	output_has PAUSED
	ok ctr task resume "$NAME"
	cgroup_has cgroup.freeze 0
	ok ctr task exec --exec-id e1 "$NAME" true
}

kill_and_delete() {
	start
	ok ctr task kill --signal KILL "$NAME"
	wait_for sh -c "ctr task ls | grep -q '^$NAME .*STOPPED'"
	try ctr task delete "$NAME"
	ok ctr container delete "$NAME"
	[ ! -e "/sys/fs/cgroup$cgroup" ]
}

devices_are_denied() {
	start --device /dev/kmsg --cap-add CAP_MKNOD
	may_use_devices before
	[ "$manager" != systemd ] || systemctl daemon-reload
	may_use_devices after
}

may_use_devices() { # NAME of the exec
	ok ctr task exec --exec-id "$1" "$NAME" sh -c 'exec 2>&1
		dd if=/dev/kmsg of=/dev/null count=0 2>/dev/null && echo kmsg
		[ -e /mem ] || mknod /mem c 1 1
		head -c 1 /mem || true'
	is "$output" $'kmsg\nhead: /mem: Operation not permitted'
}

@test "containerd, systemd: limits are what kernel and systemd have, after a reload too" {
	limits_are_set
}
@test "containerd, cgroupfs: limits are what the kernel has" {
	limits_are_set
}

@test "containerd, systemd: exec is below the same limits" {
	exec_is_limited
}
@test "containerd, cgroupfs: exec is below the same limits" {
	exec_is_limited
}

@test "containerd, systemd: metrics" {
	metrics_are_the_kernels
}
@test "containerd, cgroupfs: metrics" {
	metrics_are_the_kernels
}

@test "containerd, systemd: pause and resume" {
	pause_freezes
}
@test "containerd, cgroupfs: pause and resume" {
	pause_freezes
}

@test "containerd, systemd: kill and delete" {
	kill_and_delete
}
@test "containerd, cgroupfs: kill and delete" {
	kill_and_delete
}

@test "containerd, systemd: a device is given, others are denied, after a reload too" {
	devices_are_denied
}
@test "containerd, cgroupfs: a device is given, others are denied" {
	devices_are_denied
}
