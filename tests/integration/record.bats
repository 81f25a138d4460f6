#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # variables of helpers.bash
load helpers

# The record on disk was changed by somebody, in ways that still are JSON.  `delete --force` finds everything, and no
# command touches what is not the container's.

setup() {
	setup_container
	config_cgroup
	sleep 1000 >/dev/null 2>&1 3>&- &
	stranger=$!
	disown
	remember_world
}

teardown() {
	kill -KILL "$stranger"
	wait_for sh -c "! kill -0 $stranger"
	delete_all
}

# rewrite FILTER: changes state.json.
rewrite() {
	jq -c "$1" "$ROOT/$ID/state.json" >"$T/new"
	cat "$T/new" >"$ROOT/$ID/state.json"
}

@test "whatever a member says, delete --force leaves nothing, and strangers live" {
	local filter verb
	for filter in '.id = "other"' '.id = "../.."' 'del(.pid)' '.pid = 0' '.pid = -1' '.pid = 2147483647' \
		".pid = $stranger" '.pid = 1' '.startTime = 5' 'del(.cgroup)' '.cgroup = null' '.cgroup = {}' \
		'.cgroup.dirs[].path = "/"' '.cgroup.dirs[].path = "/../.."' '.bundle = "/none"' '.created = ""'; do
		start_container
		rewrite "$filter"
		for verb in state ps 'kill 0' 'exec true' start pause resume; do
			# shellcheck disable=SC2086 # a signal is a word of its own
			set -- $verb
			try timeout 20 "$KIST" --root "$ROOT" "$1" "$ID" ${2:+"$2"}
			[ "$status" -lt 124 ] || [ "$status" -eq 255 ] || fail "$filter: $verb: status $status"
		done
		ok timeout 20 "$KIST" --root "$ROOT" delete --force "$ID"
		kill -0 "$stranger" || fail "$filter: a stranger was killed"
		left=$(assert_nothing_left 2>&1) || fail "$filter: $left"
	done
}

@test "a running container without its state.json is not deleted by mistake" {
	start_container
	rm "$ROOT/$ID/state.json"
	refused 1 'delete --force' kist delete "$ID"
	is "$(find /sys/fs/cgroup -path "*/test-$ID/cgroup.procs" -exec cat {} + | sort -u | grep -c .)" 1
	ok kist delete --force "$ID"
	assert_nothing_left
}

@test "a container whose record is damaged, and which runs, is not called stopped" {
	local command
	start_container
	: >"$ROOT/$ID/state.json"
	for command in "state $ID" "kill $ID" "exec $ID true" "update --pids-limit 5 $ID"; do
		# shellcheck disable=SC2086 # words
		try kist $command
		[ "$status" -ne 0 ] && output_has 'its record is damaged' || fail "$command: $output"
	done
	ok kist list
	output_has 'its record is damaged'
	ok kist kill --all "$ID" CONT
	ok kist delete --force "$ID"
	assert_nothing_left
}

@test "a create of an id that is in use does not touch its container, even in the same cgroup" {
	start_container
	refused 1 exists kist create --bundle "$BUNDLE" "$ID"
	refused 1 exists kist run --bundle "$BUNDLE" "$ID"
	has_status running
}
