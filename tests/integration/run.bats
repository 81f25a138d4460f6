#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "run warns of what its program may have left where nothing holds its processes together" {
	config_shared_pids
	args true
	ok kist --cgroup-manager=disabled run --bundle "$BUNDLE" "$ID"
	output_has 'has neither a cgroup nor a PID namespace'
	run_container
	is "$output" ""
}

@test "a container runs, and nothing of it stays" {
	shell 'echo "pid $$"; cat /etc/hostname 2>/dev/null; pwd'
	container_says $'pid 1\n/'
	assert_nothing_left
}

@test "the status is the program's" {
	shell 'exit 42'
	refused 42 '' kist run --bundle "$BUNDLE" "$ID"
}

@test "a program killed by a signal gives 128 and its number" {
	local status=0
	args sleep 1000
	"$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID" >"$T/out" 2>&1 </dev/null 3>&- &
	wait_for has_status running
	kill -KILL "$(pid_of)"
	wait $! || status=$?
	is $status 137
}

@test "--detach returns while the container runs" {
	args sleep 1000
	run_container --detach
	has_status running
}

@test "--keep leaves a stopped container" {
	run_container --keep
	has_status stopped
	ok kist delete "$ID"
}

@test "the working directory is the default bundle" {
	cd "$BUNDLE"
	ok kist run "$ID"
}

@test "--config names another file of the bundle" {
	mv "$BUNDLE/config.json" "$BUNDLE/other.json"
	run_container --config other.json
}

@test "--pid-file holds the pid without a newline" {
	shell 'sleep 1000'
	run_container --detach --pid-file "$T/pid"
	is "$(<"$T/pid")" "$(pid_of)"
	is "$(wc -c <"$T/pid")" "${#output}" || [ "$(tail -c 1 "$T/pid" | tr -d 0-9)" = '' ]
}

@test "a relative --pid-file is the caller's, not the bundle's" {
	args sleep 1000
	cd "$T"
	run_container --detach --pid-file here
	[ -s "$T/here" ]
}

@test "a pid file that cannot be written fails and leaves nothing" {
	refused 1 'no such file or directory' kist run --bundle "$BUNDLE" --pid-file "$T/no/pid" "$ID"
	assert_nothing_left
}

@test "signals reach the container" {
	shell 'trap "echo got it; exit 3" TERM; echo ready; while :; do sleep 0.05; done'
	"$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID" >"$T/out" 2>&1 3>&- &
	local pid=$! status=0
	wait_for grep -q ready "$T/out"
	kill -TERM $pid
	wait $pid || status=$?
	is "$status" 3
	grep 'got it' "$T/out"
}

@test "standard input reaches the container" {
	shell 'read line; echo "got $line"'
	is "$(echo words | kist run --bundle "$BUNDLE" "$ID" 3>&-)" "got words"
}

@test "the streams stay apart" {
	shell 'echo out; echo err >&2'
	kist run --bundle "$BUNDLE" "$ID" >"$T/out" 2>"$T/err" 3>&-
	is "$(<"$T/out")" out
	is "$(<"$T/err")" err
}

@test "closed standard streams do no harm" {
	shell 'echo >&2; echo; cat; :'
	local closed
	for closed in '<&-' '>&-' '2>&-' '<&- >&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
		eval "'$KIST' --root '$ROOT' run --bundle '$BUNDLE' '$ID' </dev/null 3>&- $closed" >"$T/out" 2>&1 ||
			fail "with $closed: $(<"$T/out")"
	done
}

@test "a process that the init left behind ends with it" {
	shell 'sleep 1000 & echo end'
	container_says end
	assert_nothing_left
}

@test "a run of a bundle without config.json says so" {
	rm "$BUNDLE/config.json"
	refused 1 'config.json*no such file or directory' kist run --bundle "$BUNDLE" "$ID"
}

@test "a run without a bundle says so" {
	refused 1 "$T/none: no such file or directory" kist run --bundle "$T/none" "$ID"
}

@test "a process that was waited for gets no signal: its number may be another's" {
	need_strace
	# A kernel that opens something whatever number it is asked for.
	ok strace -qq -o "$T/trace" -e trace=pidfd_open,pidfd_send_signal,kill -e inject=pidfd_open:retval=0 \
		"$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	! grep -e send_signal -e '^kill' "$T/trace" || fail "a signal was sent"
}
