#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

setup() {
	setup_container
	config_cgroup
}

stats() {
	kist events --stats "$ID"
}

# The events go to $T/events, as long as the container lives.
start_events() {
	"$KIST" --root "$ROOT" events "$@" "$ID" >"$T/events" 2>"$T/events.err" </dev/null 3>&- &
	helper=$!
}

has_line() {
	jq -se "any(.[]; $1)" "$T/events" >/dev/null
}

@test "--stats prints one line" {
	# Enough work to be seen where the kernel counts by ticks.
	start_container sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; echo >/ready; sleep 1000'
	wait_for test -s "$ROOTFS/ready"
	local text
	text=$(stats)
	[[ $text == '{"type":"stats","id":"'$ID'","data":{"cpu":{"usage":{"total":'* ]] || fail "$text"
	is "$(wc -l <<<"$text")" 1
	jq -e '.data | .cpu.usage.total > 0 and (.cpu.usage | has("kernel") and has("user"))
		and (.cpuset | has("mem_hardwall")) and (.memory.usage | has("limit") and has("failcnt"))
		and (.memory.swap | has("limit")) and (.hugetlb | type == "object")
		and (.blkio | type == "object")' <<<"$text"
}

@test "the numbers are those of the container" {
	for controller in memory pids; do
		has_controller "$controller" || skip "no $controller controller"
	done
	config_set '.linux.resources.memory.limit = 67108864 | .linux.resources.pids.limit = 20'
	start_container sh -c 'head -c 8388608 /dev/zero >/dev/shm/x; sleep 1000 & sleep 1000 & echo >/ready; wait'
	wait_for test -s "$ROOTFS/ready"
	stats | jq -e '.data | .memory.usage.limit == 67108864 and .memory.usage.usage > 8388608
		and .memory.usage.max > 8388608 and (.memory.raw | length > 5)
		and .pids.current == 3 and .pids.limit == 20'
}

@test "pressure is counted where the kernel does" {
	[ -e /proc/pressure/cpu ] || skip "no PSI"
	only_v2 || [ -d /sys/fs/cgroup/unified ] || skip "no cgroup v2"
	start_container
	stats | jq -e '.data | [.cpu.psi, .memory.psi, .blkio.psi][] | .some.total >= 0 and (.full | has("avg10"))'
}

@test "interfaces of the container's own network are counted" {
	start_container
	ok kist exec "$ID" true
	stats | jq -e '.data.network_interfaces == []'
	local pid
	pid=$(pid_of)
	enter "$pid" --net ip link add test0 type dummy || skip "no dummy interfaces"
	enter "$pid" --net ip link set test0 up
	stats | jq -e '.data.network_interfaces | length == 1 and .[0].Name == "test0" and (.[0] | has("RxBytes"))'
}

@test "the stream brings statistics at intervals until the container ends" {
	start_container
	start_events --interval 100ms
	wait_for sh -c "[ \$(wc -l <'$T/events') -ge 3 ]"
	is "$(jq -r .type "$T/events" | sort -u)" stats
	ok kist kill "$ID" KILL
	wait_helper
	is "$(cat "$T/events.err")" ""
}

@test "the stream ends with its reader" {
	start_container
	local status=0
	# Nothing is written for an hour, and yet it ends.
	(
		trap - PIPE
		"$KIST" --root "$ROOT" events --interval 1h "$ID" 2>"$T/err" 3>&-
		echo "$?" >"$T/status"
	) | true
	wait_for test -s "$T/status"
	is "$(cat "$T/status") $(cat "$T/err")" "0 "
	("$KIST" --root "$ROOT" events --interval 20ms "$ID" 2>"$T/err" 3>&-; echo "$?" >"$T/status") | head -1 |
		jq -e '.type == "stats"'
	wait_for test -s "$T/status"
	is "$(cat "$T/status") $(cat "$T/err")" "0 "
}

@test "the stream ends with the reader of a socket" {
	start_container
	timeout 15 perl -e 'use Socket; socketpair(our $a, our $b, AF_UNIX, SOCK_STREAM, 0); my $child = fork;
		if (!$child) { close $a; open STDOUT, ">&", $b; close $b; exec @ARGV }
		close $b; select undef, undef, undef, 0.5; close $a; waitpid $child, 0; exit $? != 0' \
		"$KIST" --root "$ROOT" events --interval 1h "$ID" 3>&-
}

@test "out of memory is an event, with whose limit it was" {
	has_controller memory || skip "no memory controller"
	config_set '.linux.resources.memory = {"limit": 16777216, "swap": 16777216}'
	start_container sh -c 'while [ ! -e /go ]; do sleep 0.05; done; x=x; while :; do x=$x$x; done; sleep 1000'
	start_events --interval 1h
	local plain=$helper
	"$KIST" --root "$ROOT" events --interval 1h --all "$ID" >"$T/all" </dev/null 3>&- &
	sleep 0.3
	touch "$ROOTFS/go"
	wait_for grep -q oom "$T/events"
	is "$(head -1 "$T/events")" '{"type":"oom","id":"'"$ID"'"}'
	wait_for grep -q oom "$T/all"
	jq -se --arg path "/test-$ID" 'map(select(.type == "oom")) | .[0].data
		| .level == "own" and (.cgroup | endswith($path)) and .limit == 16777216' "$T/all"
	kist kill "$ID" KILL || true
	wait "$plain" "$helper"
	wait
	is "$(tail -1 "$T/all")" '{"type":"exit","id":"'"$ID"'"}'
}

# limit_above CONTROLLER: a cgroup $above in which the container's will be, and in which it can be used.
limit_above() {
	has_controller "$1" || skip "no $1 controller"
	above=$(controller_mount "$1")/above-$ID
	[ ! -e "${above%/*}/cgroup.controllers" ] || echo "+$1" >"${above%/*}/cgroup.subtree_control"
	mkdir "$above"
	[ ! -e "$above/cgroup.controllers" ] || echo "+$1" >"$above/cgroup.subtree_control"
	config_cgroup "/above-$ID/test"
}

remove_above() {
	ok kist delete --force "$ID"
	rmdir "$above" 2>/dev/null || true
}

@test "a limit of a cgroup above the container is told apart" {
	limit_above memory
	if [ -e "$above/memory.max" ]; then
		echo 16777216 >"$above/memory.max"
		echo 0 >"$above/memory.swap.max" || true
	else
		echo 16777216 >"$above/memory.limit_in_bytes"
		echo 16777216 >"$above/memory.memsw.limit_in_bytes" || true
	fi
	start_container sh -c 'while [ ! -e /go ]; do sleep 0.05; done; x=x; while :; do x=$x$x; done'
	ok kist update --memory 32m "$ID"
	output_has "has no effect: cgroup */above-$ID above the container allows only 16777216"
	start_events --interval 1h --all
	sleep 0.3
	touch "$ROOTFS/go"
	wait_helper
	jq -se --arg path "/above-$ID" 'map(select(.type == "oom")) | .[0].data
		| .level == "parent" and (.cgroup | endswith($path)) and .limit == 16777216' "$T/events"
	remove_above
}

@test "--all: a refused fork, and whose limit it met" {
	has_controller pids || skip "no pids controller"
	config_set '.linux.resources.pids.limit = 5'
	start_container
	start_events --interval 200ms --all
	sleep 0.1
	try kist exec "$ID" sh -c 'for i in 1 2 3 4 5 6; do sleep 1000 & done'
	[ "$status" -ne 0 ]
	wait_for has_line '.type == "pids" and .data.max > 0 and .data.level == "own" and .data.limit == 5'
	ok kist kill "$ID" KILL
	wait_helper
}

@test "--all: a refused fork, by the limit of a cgroup above" {
	limit_above pids
	echo 6 >"$above/pids.max"
	config_set '.linux.resources.pids.limit = 50'
	start_container
	start_events --interval 200ms --all
	sleep 0.1
	try kist exec "$ID" sh -c 'for i in 1 2 3 4 5 6; do sleep 1000 & done'
	wait_for has_line '.type == "pids" and .data.level == "parent" and .data.limit == 6
		and (.data.cgroup | endswith("/above-'"$ID"'"))'
	ok kist kill "$ID" KILL
	wait_helper
	remove_above
}

# A container that wants more CPU time than a quota of a tenth gives.
start_busy() {
	start_container sh -c 'while :; do :; done'
	start_events --interval 200ms --all
}

@test "--all: a quota of CPU time that is used up" {
	has_controller cpu || skip "no cpu controller"
	config_set '.linux.resources.cpu = {"quota": 5000, "period": 50000}'
	start_busy
	wait_for has_line '.type == "cpu" and .data.level == "own" and (.data.cgroup | endswith("/test-'"$ID"'"))
		and .data.nr_throttled > 0 and .data.nr_periods > 0
		and (.data | .throttled_usec // .throttled_time) > 0'
	ok kist kill "$ID" KILL
	wait_helper
}

@test "--all: a quota of CPU time of a cgroup above" {
	limit_above cpu
	if [ -e "$above/cpu.max" ]; then
		echo 5000 50000 >"$above/cpu.max"
	else
		echo 50000 >"$above/cpu.cfs_period_us"
		echo 5000 >"$above/cpu.cfs_quota_us"
	fi
	start_busy
	wait_for has_line '.type == "cpu" and .data.level == "parent" and (.data.cgroup | endswith("/above-'"$ID"'"))'
	ok kist kill "$ID" KILL
	wait_helper
	remove_above
}

@test "--all: a huge page that the limit refuses" {
	has_controller hugetlb || skip "no hugetlb controller"
	[ -e "$(controller_mount hugetlb)/cgroup.controllers" ] || skip "cgroup v1 has no such event"
	config_set '.linux.resources.hugepageLimits = [{"pageSize": "2MB", "limit": 0}]
		| .mounts += [{"destination": "/huge", "type": "hugetlbfs", "source": "none", "options": ["pagesize=2M"]}]'
	start_container
	start_events --interval 1h --all
	sleep 0.2
	try kist exec "$ID" fallocate -l 2097152 /huge/page
	[ "$status" -ne 0 ]
	wait_for has_line '.type == "hugetlb" and .data.pageSize == "2MB" and .data.max > 0 and .data.level == "own"
		and .data.limit == 0'
	ok kist kill "$ID" KILL
	wait_helper
}

@test "--all: the counters of memory" {
	only_v2 && has_controller memory || skip "no memory controller of cgroup v2"
	config_set '.linux.resources = {"memory": {"limit": 33554432}, "unified": {"memory.high": "8388608"}}'
	start_container sh -c 'while [ ! -e /go ]; do sleep 0.05; done; head -c 16777216 /dev/zero >/dev/shm/x; sleep 1000'
	start_events --interval 1h --all
	sleep 0.3
	touch "$ROOTFS/go"
	wait_for has_line '.type == "memory" and .data.high > 0 and (.data | has("max") and has("oom") and has("oom_kill"))'
	ok kist kill "$ID" KILL
	wait_helper
}

@test "--all: pause, resume and exit" {
	only_v2 || [ -d /sys/fs/cgroup/unified ] || skip "no cgroup v2"
	start_container
	start_events --interval 200ms --all
	sleep 0.1
	if only_v2; then
		ok kist pause "$ID"
		wait_for has_line '.type == "cgroup" and .data.frozen == 1'
		ok kist resume "$ID"
	fi
	ok kist kill "$ID" KILL
	wait_helper
	has_line '.type == "exit"'
}

@test "--pressure tells that tasks were held up" {
	[ -e /proc/pressure/cpu ] || skip "no PSI"
	only_v2 || [ -d /sys/fs/cgroup/unified ] || skip "no cgroup v2"
	has_controller cpu || skip "no cpu controller"
	# Two that want all of one CPU: each waits for the other.
	config_set '.linux.resources.cpu.cpus = "0"'
	start_container sh -c 'while :; do :; done & while :; do :; done'
	start_events --interval 1h --pressure cpu:some:100ms/2s
	wait_for has_line '.type == "pressure" and .data.resource == "cpu" and .data.kind == "some"
		and .data.stall_us == 100000 and .data.window_us == 2000000'
	ok kist kill "$ID" KILL
	wait_helper
}

@test "what is wrong is refused" {
	start_container
	refused 1 'takes a duration' kist events --interval 5 "$ID"
	refused 1 'takes a duration' kist events --interval -5s "$ID"
	refused 1 'greater than 0' kist events --interval 0s "$ID"
	refused 1 'option --pressure takes' kist events --pressure disk "$ID"
	refused 1 'option --pressure takes' kist events --pressure memory:few "$ID"
	refused 1 'option --pressure takes' kist events --pressure memory:some:5 "$ID"
	refused 1 'does not exist' kist events --stats nobody
	ok kist kill "$ID" KILL
	wait_for stopped
	refused 1 'is not running' kist events --stats "$ID"
}
