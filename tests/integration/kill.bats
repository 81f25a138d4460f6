#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

trapper() {
	start_container sh -c 'trap "echo term >/got; exit" TERM; trap "echo usr1 >/got; exit" USR1; touch /ready
		while :; do sleep 0.05; done'
	wait_for test -e "$ROOTFS/ready"
}

@test "the default signal is TERM" {
	trapper
	ok kist kill "$ID"
	wait_for grep -x term "$ROOTFS/got"
}

@test "signals have names, short names, any case, and numbers" {
	local signal
	for signal in USR1 SIGUSR1 usr1 sigusr1 10; do
		rm -f "$ROOTFS/ready" "$ROOTFS/got"
		trapper
		ok kist kill "$ID" "$signal"
		wait_for grep -x usr1 "$ROOTFS/got"
		wait_for stopped
		ok kist delete "$ID"
	done
}

@test "an unknown signal is refused" {
	start_container
	refused 1 'signal' kist kill "$ID" NOSUCH
	refused 1 'signal' kist kill "$ID" 99
	has_status running
	refused 1 'unknown signal "999": it is a name such as TERM*, or a number from 0 to 64' kist kill "$ID" 999
}

@test "a created container can be killed" {
	create_container
	ok kist kill "$ID" KILL
	wait_for stopped
}

@test "what asks a process to end ends a created container, too" {
	local signal
	# Bash lets what runs in the background ignore INT and QUIT, and these stay so.
	for signal in HUP TERM; do
		create_container
		ok kist kill "$ID" USR1
		has_status created
		ok kist kill "$ID" $signal
		wait_for stopped
		refused 1 'container not running' kist start "$ID"
		ok kist delete "$ID"
	done
	# The program has no handler, and none of kist's.
	args sh -c 'grep -E "SigCgt|SigBlk" /proc/self/status'
	container_says $'SigBlk:\t0000000000000000\nSigCgt:\t0000000000000000'
	args sleep 1000
	create_container
	ok kist start "$ID"
	ok kist kill "$ID" TERM
	has_status running
}

@test "--all of a container without a cgroup reaches every process, and ps lists them" {
	local kind
	for kind in own shared; do
		[ $kind = own ] || config_shared_pids
		args sh -c 'sleep 1000 & exec sleep 1001'
		ok kist --cgroup-manager=disabled run --detach --bundle "$BUNDLE" "$ID"
		ok kist exec --detach "$ID" sleep 1002
		wait_for sh -c "[ \$('$KIST' --root '$ROOT' ps --format json $ID | jq length) -eq 3 ]"
		ok kist kill --all "$ID" TERM
		wait_for sh -c "[ \$('$KIST' --root '$ROOT' ps --format json $ID | jq length) -le 1 ]"
		ok kist --cgroup-manager=disabled delete --force "$ID"
	done
}

@test "a stopped container cannot, but --all of it is a success" {
	start_container true
	wait_for stopped
	refused 1 "container $ID: container not running" kist kill "$ID" KILL
	ok kist kill --all "$ID" KILL
	ok kist kill -a "$ID" 9
}

@test "an unknown container cannot be killed" {
	refused 1 'container nobody does not exist' kist kill nobody KILL
}

@test "--all reaches every process" {
	config_cgroup
	start_container sh -c 'trap "" TERM; (trap "echo >/child; exit" TERM; touch /ready; while :; do sleep 0.05; done) &
		while :; do sleep 0.05; done'
	wait_for test -e "$ROOTFS/ready"
	ok kist kill --all "$ID" TERM
	wait_for test -e "$ROOTFS/child"
	has_status running
}

@test "KILL of a container in a shared pid namespace ends all of it" {
	config_cgroup
	config_shared_pids
	start_container sh -c 'sleep 1000 & sleep 1000'
	ok kist kill "$ID" KILL
	wait_for sh -c "[ \$('$KIST' --root '$ROOT' ps -f json $ID | jq length) = 0 ]"
}

@test "KILL of a paused container ends it" {
	config_cgroup
	start_container
	ok kist pause "$ID"
	ok kist kill "$ID" KILL
	wait_for stopped
}

@test "signal 0 asks whether it is there" {
	start_container
	ok kist kill "$ID" 0
}

@test "--regex signals what matches" {
	args sleep 1000
	ok kist run -d --bundle "$BUNDLE" aa1
	ok kist run -d --bundle "$BUNDLE" bb1
	ok kist kill --regex 'a{2}' KILL
	wait_for sh -c "[ \$('$KIST' --root '$ROOT' state aa1 | jq -r .status) = stopped ]"
	is "$(status_of bb1)" running
}
