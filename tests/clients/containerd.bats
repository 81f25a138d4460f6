#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# containerd, as the distribution packages it, whose runc shim calls kist.
# shellcheck disable=SC2016,SC2154,SC2030,SC2031
load ../integration/helpers
load engine

setup_file() {
	command -v containerd >/dev/null || skip "containerd is not installed"
	command -v ctr >/dev/null || skip "ctr is not installed"
	export D=$BATS_FILE_TMPDIR/containerd
	containerd_setup "$D"
}

teardown_file() {
	[ -z "${D:-}" ] || containerd_stop "$D"
}

setup() {
	T=$BATS_TEST_TMPDIR
	NAME=c$BATS_TEST_NUMBER
}

teardown() {
	ctr_remove "$NAME"
}

@test "ctr runs a container with kist" {
	ctr_run --rm -- "$NAME" echo hello
	is "$status:$output" 0:hello
}

@test "the status is the program's" {
	ctr_run --rm -- "$NAME" sh -c 'exit 7'
	is "$status" 7
}

@test "it really is kist" {
	ctr_run --detach -- "$NAME" sleep 1000
	is "$status" 0
	[ -d "/run/containerd/runc/default/$NAME" ] || find /run -type d -name "$NAME" | grep -q .
	[ -e "$(find /run -path "*/$NAME/intent.json" | head -1)" ]
}

@test "a terminal" {
	in_terminal "ctr run --rm -t --runtime io.containerd.runc.v2 --runc-binary $KIST --snapshotter native" \
		"$IMAGE $NAME sh -c 'test -t 0 && tty'"
	grep -q /dev/pts/ "$T/screen"
}

@test "exec, its status, its terminal" {
	ctr_run --detach -- "$NAME" sleep 1000
	is "$status" 0
	ok ctr task exec --exec-id e1 "$NAME" echo hello
	is "$output" hello
	try ctr task exec --exec-id e2 "$NAME" sh -c 'exit 9'
	is "$status" 9
	try ctr task exec --exec-id e3 "$NAME" no-such-program
	[ "$status" -ne 0 ]
	output_has 'executable file not found in $PATH'
	in_terminal "ctr task exec -t --exec-id e4 $NAME sh -c 'test -t 0 && tty'"
	grep -q /dev/pts/ "$T/screen"
}

@test "kill and rm" {
	ctr_run --detach -- "$NAME" sleep 1000
	is "$status" 0
	ok ctr task ls
	output_has RUNNING
	ok ctr task kill --signal KILL "$NAME"
	wait_for sh -c "ctr task ls | grep -q '^$NAME .*STOPPED'"
	try ctr task rm "$NAME"
	ok ctr container rm "$NAME"
	is "$(find /run -path "*/$NAME/intent.json")" ''
}

@test "pause and resume" {
	ctr_run --detach -- "$NAME" sleep 1000
	is "$status" 0
	ok ctr task pause "$NAME"
	ok ctr task ls
	output_has PAUSED
	ok ctr task resume "$NAME"
	ok ctr task exec --exec-id e1 "$NAME" true
}

@test "ps" {
	ctr_run --detach -- "$NAME" sleep 1000
	is "$status" 0
	ok ctr task ps "$NAME"
	is "$(tail -n +2 <<<"$output" | wc -l)" 1
}

@test "a program that is not there" {
	ctr_run --rm -- "$NAME" no-such-program
	[ "$status" -ne 0 ]
	output_has 'executable file not found in $PATH'
}

@test "a program without a name" {
	ctr_run --rm -- "$NAME" ''
	[ "$status" -ne 0 ]
	output_has 'exec: "": executable file not found in $PATH'
}

@test "a user namespace, with a volume" {
	mkdir "$T/dir" && echo text >"$T/dir/file"
	ctr_run --rm --uidmap 0:100000:65536 --gidmap 0:100000:65536 --mount "type=bind,src=$T/dir,dst=/new,options=rbind:ro" -- "$NAME" \
		sh -c 'cat /new/file; xargs </proc/self/uid_map'
	is "$output" $'text\n0 100000 65536'
}

@test "mounts, environment, working directory" {
	mkdir "$T/dir" && echo text >"$T/dir/file"
	ctr_run --rm --mount "type=bind,src=$T/dir,dst=/new,options=rbind:ro" --env A=b --cwd /tmp -- "$NAME" \
		sh -c 'cat /new/file; touch /new/x 2>/dev/null || echo ro; echo $A $(pwd)'
	is "$output" $'text\nro\nb /tmp'
}

@test "nothing is left after all these" {
	is "$(find /run -name intent.json)" ''
	is "$(pgrep -fc 'sleep 1000' || true)" 0
}
