#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

# What `kist ps` calls; procps reads the machine's age in a way that not every kernel's /proc/stat allows.
need_ps() {
	ps -ef >/dev/null 2>&1 || skip "ps -ef does not work here"
}

@test "a table as ps prints it" {
	need_ps
	start_container
	ok kist ps "$ID"
	[[ ${output%%$'\n'*} == *PID*CMD* ]]
	output_has 'sleep 1000'
}

@test "JSON is an array of pids" {
	start_container
	ok kist ps --format json "$ID"
	is "$(jq -c . <<<"$output")" "[$(pid_of)]"
}

@test "all processes of the container are there" {
	need_ps
	start_container sh -c 'sleep 1000 & sleep 1001'
	wait_for test "$(kist ps -f json "$ID" | jq length)" -ge 2
	ok kist ps "$ID"
	output_has 'sleep 1000'
	output_has 'sleep 1001'
}

@test "options after the id are those of ps" {
	start_container
	ok kist ps "$ID" -- -o pid,args
	output_has PID
	ok kist ps "$ID" -o pid,args
	[[ ${output%%$'\n'*} =~ PID\ +COMMAND ]]
}

@test "no process hides, or shows itself in another container, by its name" {
	need_ps
	local columns
	mkfifo "$ROOTFS/fifo"
	start_container sh -c 'printf "1 1 x" >/proc/self/comm; read -r line </fifo'
	wait_for grep -q '^1 1 x$' "/proc/$(pid_of)/comm"
	for columns in -eocomm,pid -eocomm,ppid,pid -eolstart,pid -eocomm,pid,args; do
		ok kist ps "$ID" "$columns"
		is "$(wc -l <"$T/output")" 2
		output_has "$(pid_of)"
	done
	ok kist ps "$ID" -eo comm,pid
	is "$(sed 's/  */ /g' "$T/output")" "COMMAND PID"$'\n'"1 1 x $(pid_of)"
	ok kist ps "$ID" -- -eo pid,comm
	output_has "$(pid_of) 1 1 x"
	refused 1 'no PID column' kist ps "$ID" -eo comm
}

@test "of a stopped container: nothing, and success" {
	start_container true
	wait_for stopped
	ok kist ps -f json "$ID"
	is "$(jq -c . <<<"$output")" '[]'
}

@test "of an unknown container: an error" {
	refused 1 'does not exist' kist ps nobody
}
