#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "start runs the program once" {
	shell 'echo ran >>/ran; sleep 1000'
	create_container
	ok kist start "$ID"
	refused 1 'it is running' kist start "$ID"
	wait_for test -e "$ROOTFS/ran"
	is "$(<"$ROOTFS/ran")" ran
}

@test "a stopped container cannot be started" {
	start_container true
	wait_for stopped
	refused 1 'stopped' kist start "$ID"
}

@test "an unknown container cannot be started" {
	refused 1 'container nobody does not exist' kist start nobody
}

@test "a created container whose process was killed cannot be started" {
	create_container
	kill -KILL "$(pid_of)"
	wait_for stopped
	refused 1 'not running' kist start "$ID"
}

@test "a program that vanished after create fails at start" {
	echo '#!/bin/sh' >"$ROOTFS/etc/script"
	chmod +x "$ROOTFS/etc/script"
	args /etc/script
	create_container
	rm "$ROOTFS/etc/script"
	refused 1 'exec*/etc/script*no such file or directory' kist start "$ID"
	wait_for stopped
}

@test "create and start may have different parents, and two starts race for one win" {
	local i won=0 pids=()
	shell 'echo ran >>/ran; sleep 1000'
	create_container
	for i in 1 2 3 4 5; do
		"$KIST" --root "$ROOT" start "$ID" >"$T/start$i" 2>&1 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		! wait "$i" || won=$((won + 1))
	done
	is $won 1
	wait_for test -e "$ROOTFS/ran"
	is "$(<"$ROOTFS/ran")" ran
}

# Once such a process is reaped, nobody can tell that it never executed its program: it must not come so far.
@test "a filter that does not let the program be executed is refused before there is a process" {
	local action
	for action in SCMP_ACT_KILL_PROCESS SCMP_ACT_KILL SCMP_ACT_TRAP; do
		config_set '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["execve", "execveat"], "action": $action}]}' \
			--arg action $action
		refused 1 'config.json:*linux.seccomp: the filter does not let the process execute the program*execve' \
			kist create --bundle "$BUNDLE" "$ID"
	done
	# A filter that only wants arguments.
	config_set '.linux.seccomp.syscalls[0] |= (.names = ["execve"] | .args = [{"index": 1, "value": 0, "op": "SCMP_CMP_EQ"}])'
	run_container
	# An error of the call is the program's own.
	config_set '.linux.seccomp.syscalls[0] = {"names": ["execve"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}'
	create_container
	refused 1 'exec*operation not supported' kist start "$ID"
}

# Fails when start only reports the error: the program would run, or the container wait for a start that cannot come.
@test "a start that fails ends the container" {
	create_container
	kill -STOP "$(pid_of)"
	refused 1 "the container's process does not answer: *timed out" kist start "$ID"
	wait_for stopped
	kist delete "$ID"
}

# holding_start: start of a container in the caller's PID namespace, whose process somebody stops when it has answered.
holding_start() {
	local tracer
	need_strace
	config_shared_pids
	create_container
	strace -qq -o /dev/null -e "inject=$1" -p "$(pid_of)" >"$T/strace" 2>&1 3>&- &
	tracer=$!
	traced() { grep -q "TracerPid:.*[1-9]" "/proc/$(pid_of)/status"; }
	wait_for traced
	try timeout -s KILL 40 "$KIST" --root "$ROOT" start "$ID"
	kill $tracer || true
	wait $tracer || true
}

# Fails when start does not look at the process, as stage_look_applies() has it do.
@test "start gives up a process that another one holds, which sees it in its PID namespace" {
	holding_start execve:delay_enter=30000000:when=1
	is "$status" 1
	output_has 'does not get on: process * (strace) traces it'
	wait_for stopped
}

# Fails without the look for such hooks in start_may_give_up().
@test "start gives up no process that has hooks of its own to run" {
	config_set '.hooks.startContainer = [{"path": "/bin/true"}]'
	holding_start execve:delay_enter=12000000:when=1
	is "$status" 0
	[ -z "$output" ] || fail "$output"
}

# Fails when "descriptors" comes after "seccomp-privileged" in steps_create[].
@test "a profile that denies close_range does not make a container without /proc close every number that there could be" {
	need_strace
	local n
	config_set '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["close_range"], "action": "SCMP_ACT_ERRNO"}]}
		| .mounts |= map(select(.destination != "/proc")) | .linux.maskedPaths = [] | .linux.readonlyPaths = []
		| .process.noNewPrivileges = false | .process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 20000, "hard": 20000}]'
	ok strace -f -qq -o "$T/trace" -e trace=close "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	n=$(grep -c close "$T/trace")
	[ "$n" -lt 2000 ] || fail "$n calls of close()"
}
