#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "fifty lifecycles at once" {
	local i pids=() complaints=
	for ((i = 0; i < 50; i++)); do
		lifecycle "p$i" >"$T/log$i" 2>&1 </dev/null 3>&- &
		pids+=($!)
	done
	for i in "${!pids[@]}"; do
		wait "${pids[$i]}" || complaints+="$i: $(<"$T/log$i")"$'\n'
	done
	[ -z "$complaints" ] || fail "$complaints"
	is "$(kist list -q)" ''
}

lifecycle() {
	set -e
	kist create --bundle "$BUNDLE" "$1"
	kist state "$1" >/dev/null
	kist start "$1"
	kist list >/dev/null
	kist delete --force "$1"
}

@test "one of twenty creates of the same id wins, and all others say so" {
	local i round won pids
	args sleep 1000
	for round in 1 2 3 4 5; do
		won=0
		pids=()
		for ((i = 0; i < 20; i++)); do
			"$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID" >"$T/log$i" 2>&1 </dev/null 3>&- &
			pids+=($!)
		done
		for i in "${!pids[@]}"; do
			if wait "${pids[$i]}"; then
				won=$((won + 1))
			else
				grep -q exists "$T/log$i" || fail "round $round: $(<"$T/log$i")"
			fi
		done
		is $won 1
		has_status created
		ok kist delete --force "$ID"
		assert_nothing_left
	done
}

@test "an id that is taken between two looks is the reason, not the cgroup in use" {
	need_strace
	args sleep 1000
	create_container
	# The first look misses the container, as if it had been made right after it.
	refused 1 "container with id $ID already exists" strace -f -qq -o /dev/null \
		-e inject=faccessat,faccessat2:error=ENOENT:when=1 "$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
}

@test "a create and a list meet in the container's directory: create waits, list has nothing to complain of" {
	need_strace
	local creator looker
	args sleep 1000
	# The directory is there before it is locked, and locked before there is a record in it.
	strace -qq -o /dev/null -e inject=mkdirat:delay_exit=500000:when=1 -e inject=flock:delay_exit=1500000:when=2 \
		"$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID" >"$T/created" 2>&1 </dev/null 3>&- &
	creator=$!
	wait_for test -d "$ROOT/$ID"
	flock --shared "$ROOT/$ID" sleep 1 &
	looker=$!
	wait $looker
	sleep 0.3
	ok kist list
	output_lacks damaged
	wait $creator || fail "$(<"$T/created")"
	has_status created
}

@test "all verbs at once on one container: no crash, no hang, and delete -f ends it" {
	local i verb word pids status
	config_cgroup
	args sleep 1000
	for i in 1 2 3; do
		run_container --detach
		pids=()
		for verb in state ps list pause resume 'exec true' 'kill KILL' delete 'delete -f' 'delete --force' start; do
			read -r verb word <<<"$verb"
			case $verb$word in
			list) set -- list ;;
			delete-*) set -- delete "$word" "$ID" ;;
			*) set -- "$verb" "$ID" ${word:+"$word"} ;;
			esac
			timeout 30 "$KIST" --root "$ROOT" "$@" >"$T/log" 2>&1 </dev/null 3>&- &
			pids+=($!)
		done
		for verb in "${pids[@]}"; do
			status=0
			wait "$verb" || status=$?
			[ $status -lt 124 ] || [ $status -eq 255 ] || [ $status -eq 137 ] || fail "status $status"
		done
		ok kist delete --force "$ID"
		assert_nothing_left
	done
}

@test "a create and a delete --force of the same id" {
	local i
	args sleep 1000
	for i in 1 2 3 4 5 6 7 8 9 10; do
		"$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID" >"$T/create$i" 2>&1 </dev/null 3>&- &
		"$KIST" --root "$ROOT" delete --force "$ID" >"$T/delete$i" 2>&1 </dev/null 3>&- || fail "$(<"$T/delete$i")"
		wait $! || true
		ok kist delete --force "$ID"
		assert_nothing_left
	done
}
