#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "a created container waits, and has not run its program" {
	shell 'echo ran >/ran; sleep 1000'
	create_container
	has_status created
	[ ! -e "$ROOTFS/ran" ]
	ok kist start "$ID"
	has_status running
	wait_for test -e "$ROOTFS/ran"
}

@test "an id in use is refused, and its container lives on" {
	start_container
	refused 1 'exists' kist create --bundle "$BUNDLE" "$ID"
	has_status running
}

@test "ids that are no names are refused" {
	local id
	for id in '' . .. a/b ../a 'a b' a$'\n' 'ä' "$(long 300)" '*'; do
		refused 1 'invalid container id' kist create --bundle "$BUNDLE" -- "$id"
	done
	assert_nothing_left
}

@test "unusual ids are accepted" {
	local id
	for id in a.b A_b+c-1 0 .a "$(long 255)"; do
		ok kist create --bundle "$BUNDLE" -- "$id"
		ok kist delete -- "$id"
	done
}

@test "the pid file is complete when create returns" {
	create_container --pid-file "$T/pid"
	is "$(cat "$T/pid")" "$(pid_of)"
}

@test "an old pid file is replaced" {
	echo something longer than a pid >"$T/pid"
	create_container --pid-file "$T/pid"
	is "$(cat "$T/pid")" "$(pid_of)"
}

@test "the configuration is read at create only" {
	shell 'echo first >/which'
	create_container
	echo '{"ociVersion":"1.0.0"}' >"$BUNDLE/config.json"
	ok kist start "$ID"
	wait_for grep first "$ROOTFS/which"
}

@test "create without a process makes a container" {
	config_set 'del(.process)'
	create_container
	has_status created
}

@test "a program that does not exist fails at create" {
	args no-such-program
	refused 1 'exec: "no-such-program": executable file not found in $PATH' kist create --bundle "$BUNDLE" "$ID"
	args /no/such/program
	refused 1 'no such file or directory' kist create --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "a program that is not executable fails at create" {
	echo data >"$ROOTFS/etc/data"
	args /etc/data
	refused 1 'exec: "/etc/data": permission denied' kist create --bundle "$BUNDLE" "$ID"
	args /etc
	refused 1 'is a directory: permission denied' kist create --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "the working directory's parent may vanish from view" {
	mkdir -p "$T/deep/er"
	cd "$T/deep/er"
	ln -s "$BUNDLE" link
	ok kist create --bundle link "$ID"
	is "$(kist state "$ID" | jq -r .bundle)" "$BUNDLE"
}

@test "TERM during create undoes it" {
	config_set '.hooks.createRuntime = [{"path": "/bin/sleep", "args": ["sleep", "1000"]}]'
	"$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID" >"$T/out" 2>&1 </dev/null 3>&- &
	local pid=$! status=0
	wait_for pgrep -x sleep
	kill -TERM $pid
	wait_for sh -c "! kill -0 $pid" || { kill -KILL $pid && pkill -x sleep; }
	wait $pid || status=$?
	[ $status -ne 0 ]
	[ $status -ne 137 ]
	assert_nothing_left
}

# The memory limit is one cause of that signal; another is somebody who sends it.
@test "a process that somebody kills during create did not run out of memory" {
	printf '#!/bin/sh\nkill -KILL "$(sed "s/.*\\"pid\\":\\([0-9]*\\).*/\\1/")"\n' >"$T/hook"
	chmod +x "$T/hook"
	config_set '.hooks.createRuntime = [{"path": $hook}]' --arg hook "$T/hook"
	refused 1 'killed by signal 9' kist create --bundle "$BUNDLE" "$ID"
	[[ $output != *memory* ]] || fail "$output"
	assert_nothing_left
}
