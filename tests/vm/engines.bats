#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2034,SC2154 # variables of the container's shell, and of the helpers
#
# Podman over kist where systemd is process 1 and cgroup2 has its controllers: what Podman is asked for is what the
# kernel and systemd have.  With both cgroup managers as root, with that of systemd as an ordinary user:
# `tests/vm/inside direct` sets the stage.
load ../integration/helpers
load ../clients/engine

setup_file() {
	[ -e /sys/fs/cgroup/cgroup.controllers ] || skip "these look at files of cgroup v2"
	command -v podman >/dev/null || skip "podman is not installed"
	export P=$BATS_FILE_TMPDIR/podman
	podman_setup "$P"
}

# What Podman itself leaves until the machine ends: its user namespace, its mount, its slice, its parent of all cgroups.
teardown_file() {
	[ -e "${P:-/none}" ] || return 0
	if [ "$(id -u)" -eq 0 ]; then
		! mountpoint --quiet "$P/storage/overlay" || umount "$P/storage/overlay"
		systemctl stop machine.slice
		[ ! -e /sys/fs/cgroup/libpod_parent ] || find /sys/fs/cgroup/libpod_parent -depth -type d -exec rmdir {} +
	else
		podman system migrate >/dev/null 2>&1 3>&-
		wait_for sh -c '! systemctl --user --quiet is-active "podman-pause-*"'
	fi
}

setup() {
	T=$BATS_TEST_TMPDIR
	NAME=c$BATS_TEST_NUMBER
	manager=${BATS_TEST_DESCRIPTION#podman, }
	manager=${manager%%:*}
	[ "$manager" = systemd ] || [ "$(id -u)" -eq 0 ] || skip "an ordinary user gets cgroups from systemd only"
	systemctl=(systemctl)
	state=/run/kist
	[ "$(id -u)" -eq 0 ] || { systemctl+=(--user) && state=$XDG_RUNTIME_DIR/kist; }
}

teardown() {
	[ -n "${manager:-}" ] || return 0
	[[ $BATS_TEST_DESCRIPTION != *pod\ with* ]] || engine pod rm --force --time 0 --ignore "$NAME-pod" >/dev/null 2>&1 3>&-
	engine rm --force --time 0 --ignore "$NAME" >/dev/null 2>&1 3>&-
	# Podman's monitor ends by itself, after its container is removed.
	wait_for nothing_of_ours || fail "$(whats_left)"
}

whats_left() {
	"${systemctl[@]}" list-units --all --plain --no-legend '*libpod*'
	find /sys/fs/cgroup -name '*libpod*-*'
	pgrep -a 'conmon|kist|^sleep'
	find "$state" -mindepth 1 -maxdepth 1 ! -name .cache 2>/dev/null
}

nothing_of_ours() {
	[ -z "$(whats_left)" ]
}

# As from a login: in a unit that says its name, Podman leaves its monitor.
engine() {
	env --unset INVOCATION_ID podman --runtime "$KIST" --cgroup-manager "$manager" "$@"
}

# start OPTION... [-- COMMAND...]: a container that stays.
start() {
	local options=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	[ $# -gt 0 ] || set -- -- sleep 1000
	ok engine run --detach --network none --name "$NAME" "${options[@]}" busybox:test "${@:2}"
	look
}

look() {
	find_cgroup "$(engine inspect --format '{{.State.Pid}}' "$NAME")"
}

# both FILE VALUE PROPERTY VALUE: what the kernel has, and what systemd has if it is the manager.
both() {
	cgroup_has "$1" "$2"
	[ "$manager" != systemd ] || unit_has "$3" "$4"
}

# The block device that the machine runs from.
set_disk() {
	disk=vda
	[ -e /dev/$disk ] || disk=ubda
	numbers=$(<"/sys/class/block/$disk/dev")
}

MIB=$((1 << 20))

# ---- each with both managers --------------------------------------------------------------------------------------

limits_are_set() {
	start --memory 64m --memory-swap 96m --memory-reservation 32m --cgroup-conf memory.high=$((48 * MIB)) \
		--cpus 0.5 --cpu-shares 512 --pids-limit 50
	case $manager:$(id -u) in
	systemd:0) is "${cgroup%-*}" /machine.slice/libpod ;;
	systemd:*) is "${cgroup%-*}" "/user.slice/user-$UID.slice/user@$UID.service/user.slice/libpod" ;;
	cgroupfs:*) is "${cgroup%-*}" /libpod_parent/libpod ;;
	esac
	both memory.max $((64 * MIB)) MemoryMax $((64 * MIB))
	both memory.swap.max $((32 * MIB)) MemorySwapMax $((32 * MIB))
	both memory.low $((32 * MIB)) MemoryLow $((32 * MIB))
	both memory.high $((48 * MIB)) MemoryHigh $((48 * MIB))
	both cpu.max '50000 100000' CPUQuotaPerSecUSec 500ms
	both cpu.weight 59 CPUWeight 59
	both pids.max 50 TasksMax 50
}

update_changes_limits() {
	start --memory 64m --cpus 0.5 --pids-limit 50
	ok engine update --memory 48m --memory-swap 80m --memory-reservation 24m --cpus 0.25 --cpu-shares 256 "$NAME"
	updated
	[ "$manager" != systemd ] || "${systemctl[@]}" daemon-reload
	updated
}

updated() {
	both memory.max $((48 * MIB)) MemoryMax $((48 * MIB))
	both memory.swap.max $((32 * MIB)) MemorySwapMax $((32 * MIB))
	both memory.low $((24 * MIB)) MemoryLow $((24 * MIB))
	both cpu.max '25000 100000' CPUQuotaPerSecUSec 250ms
	both cpu.weight 35 CPUWeight 35
	both pids.max 50 TasksMax 50
}

exec_is_limited() {
	start --pids-limit 3
	ok engine exec --detach "$NAME" sleep 1001
	runs 'sleep sleep'
	try engine exec "$NAME" sh -c 'true & true & true & wait'
	[ "$status" -ne 0 ]
	grep -q 'max [1-9]' "/sys/fs/cgroup$cgroup/pids.events"
}

# The shell keeps 4 MB of its own, and cannot be replaced by the program that is not its last one.
stats_are_plausible() {
	start --memory 64m -- sh -c 'x=$(head -c 4194304 /dev/zero | tr "\0" x); sleep 1000; true'
	wait_for runs 'sh sleep'
	engine stats --no-stream --format json "$NAME" 3>&- | sed -n '/^\[/,$p' >"$T/stats"
	jq -e --arg name "$NAME" '.[0] | .name == $name and .pids == "2" and .cpu_time != "0s"
		and (.mem_usage | endswith(" / 67.11MB"))
		and (.mem_percent | rtrimstr("%") | tonumber | . > 6 and . < 50)' "$T/stats" || fail "$(<"$T/stats")"
}

runs() { # NAMES of processes in the container's cgroup
	[ "$(paste -sd, "/sys/fs/cgroup$cgroup/cgroup.procs" | xargs ps -o comm= -p | sort | xargs)" = "$1" ]
}

pause_freezes() {
	start
	ok engine pause "$NAME"
	cgroup_has cgroup.freeze 1
	grep -q 'frozen 1' "/sys/fs/cgroup$cgroup/cgroup.events"
	is "$(engine inspect --format '{{.State.Status}}' "$NAME")" paused
	ok engine unpause "$NAME"
	cgroup_has cgroup.freeze 0
	is "$(engine exec "$NAME" echo back)" back
}

life() {
	start --memory 64m -- sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done'
	ok engine stop --time 10 "$NAME"
	is "$(engine inspect --format '{{.State.ExitCode}}' "$NAME")" 3
	[ ! -e "/sys/fs/cgroup$cgroup" ]
	ok engine start "$NAME"
	look
	both memory.max $((64 * MIB)) MemoryMax $((64 * MIB))
	ok engine kill "$NAME"
	is "$(engine wait "$NAME")" 137
	ok engine rm "$NAME"
	ok engine run --rm --network none --name "$NAME" --memory 64m busybox:test true
}

devices_are_denied() {
	[ "$(id -u)" -eq 0 ] || skip "device rules are for root"
	start --device /dev/kmsg:/dev/mine:r
	may_use_devices
	[ "$manager" != systemd ] || systemctl daemon-reload
	may_use_devices
}

may_use_devices() {
	ok engine exec "$NAME" sh -c 'exec 2>&1
		head -c 1 /dev/zero >/dev/null && echo zero
		dd if=/dev/mine of=/dev/null count=0 2>/dev/null && echo mine
		(echo x >/dev/mine)
		[ -e /mem ] || mknod /mem c 1 1
		head -c 1 /mem || true'
	is "$output" "$(printf '%s\n' zero mine "sh: can't create /dev/mine: Operation not permitted" \
		'head: /mem: Operation not permitted')"
}

io_rate_is_limited() {
	set_disk
	start --device-read-bps "/dev/$disk:1mb" --device-write-iops "/dev/$disk:100"
	both io.max "$numbers rbps=1048576 wbps=max riops=max wiops=100" \
		IOReadBandwidthMax "/dev/block/$numbers 1048576"
	[ "$manager" != systemd ] || unit_has IOWriteIOPSMax "/dev/block/$numbers 100"
}

io_weight_is_set() {
	local file files
	modprobe -q bfq || true
	files=$(find /sys/fs/cgroup/*.slice -maxdepth 1 -name 'io*weight' -printf '%f\n' | sort -u)
	if [ -z "$files" ]; then
		refused 126 'has no io.bfq.weight and no io.weight' \
			engine run --network none --name "$NAME" --blkio-weight 200 busybox:test true
		return 0
	fi
	start --blkio-weight 200
	# The scale of BFQ is that of the option; the other one is that of systemd too.
	case $files in
	*io.bfq.weight*) both io.bfq.weight 'default 200' IOWeight 1920 ;;
	*) both io.weight 'default 1920' IOWeight 1920 ;;
	esac
}

cpuset_is_set() {
	local last
	grep -qw cpuset /sys/fs/cgroup/cgroup.controllers || skip "the machine has no controller cpuset"
	last=$(($(nproc) - 1))
	start --cpuset-cpus "0-$last" --cpuset-mems 0
	both cpuset.cpus.effective "$(cat /sys/fs/cgroup/cpuset.cpus.effective)" AllowedMemoryNodes 0
	cgroup_has cpuset.mems 0
	ok engine update --cpuset-cpus "$last" "$NAME"
	both cpuset.cpus "$last" AllowedCPUs "$last"
	[ "$manager" != systemd ] || "${systemctl[@]}" daemon-reload
	cgroup_has cpuset.cpus "$last"
	is "$(engine exec "$NAME" sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status)" "$last"
}

a_pod_is_limited() {
	ok engine pod create --name "$NAME-pod" --infra-image busybox:test --infra-command 'sleep 1000' --network none \
		--memory 96m --cpus 0.5
	ok engine run --detach --pod "$NAME-pod" --name "$NAME" --memory 64m busybox:test sleep 1000
	look
	both memory.max $((64 * MIB)) MemoryMax $((64 * MIB))
	find_cgroup_of_pod
	both memory.max $((96 * MIB)) MemoryMax $((96 * MIB))
	both cpu.max '50000 100000' CPUQuotaPerSecUSec 500ms
}

find_cgroup_of_pod() {
	cgroup=${cgroup%/*}
	unit=${cgroup##*/}
}

@test "podman, systemd: limits are what kernel and systemd have" {
	limits_are_set
}
@test "podman, cgroupfs: limits are what the kernel has" {
	limits_are_set
}

@test "podman, systemd: update changes them, and a reload leaves them" {
	update_changes_limits
}
@test "podman, cgroupfs: update changes them" {
	update_changes_limits
}

@test "podman, systemd: exec is below the same limits" {
	exec_is_limited
}
@test "podman, cgroupfs: exec is below the same limits" {
	exec_is_limited
}

@test "podman, systemd: stats" {
	stats_are_plausible
}
@test "podman, cgroupfs: stats" {
	stats_are_plausible
}

@test "podman, systemd: pause and unpause" {
	pause_freezes
}
@test "podman, cgroupfs: pause and unpause" {
	pause_freezes
}

@test "podman, systemd: stop, start again, kill, rm" {
	life
}
@test "podman, cgroupfs: stop, start again, kill, rm" {
	life
}

@test "podman, systemd: a device is given, others are denied, after a reload too" {
	devices_are_denied
}
@test "podman, cgroupfs: a device is given, others are denied" {
	devices_are_denied
}

@test "podman, systemd: limits of a disk's rate" {
	io_rate_is_limited
}
@test "podman, cgroupfs: limits of a disk's rate" {
	io_rate_is_limited
}

@test "podman, systemd: a disk's weight, or a clear error" {
	io_weight_is_set
}
@test "podman, cgroupfs: a disk's weight, or a clear error" {
	io_weight_is_set
}

@test "podman, systemd: cpuset, and its update" {
	cpuset_is_set
}
@test "podman, cgroupfs: cpuset, and its update" {
	cpuset_is_set
}

@test "podman, systemd: a pod with limits" {
	a_pod_is_limited
}
@test "podman, cgroupfs: a pod with limits" {
	a_pod_is_limited
}
