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

@test "of a stopped container: nothing, and success" {
	start_container true
	wait_for stopped
	ok kist ps -f json "$ID"
	is "$(jq -c . <<<"$output")" '[]'
}

@test "of an unknown container: an error" {
	refused 1 'does not exist' kist ps nobody
}
