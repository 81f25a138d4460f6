#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

setup() {
	setup_container
	config_set '.process.terminal = true'
}

teardown() {
	stop_helper
	teardown_container
}

# What came from the terminal, whatever its line ends.
received() {
	tr -d '\r' <"$T/received"
}

# on_terminal COMMAND...: with a terminal as its standard streams; what it shows is in $T/screen.
on_terminal() {
	local words
	printf -v words '%q ' "$@"
	script --quiet --return --command "$words" "$T/screen" </dev/null >/dev/null 2>&1 3>&-
}

@test "the console socket gets one descriptor, and the container its terminal" {
	listen tty "$T/socket"
	shell 'tty; test -t 0 && test -t 1 && test -t 2 && echo all three; ls -l /dev/console | cut -c1'
	create_container --console-socket "$T/socket"
	ok kist start "$ID"
	wait_helper
	is "$(received)" $'/dev/pts/0\nall three\nc'
}

@test "the end of standard input is the end of what a program reads from its terminal" {
	local input
	shell 'cat >/read; echo "status $?"'
	for input in '' $'line\n' $'line\nrest'; do
		status=0
		timeout --signal KILL 20 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID" \
			< <(printf %s "$input") >"$T/received" 2>&1 3>&- || status=$?
		is "$status" 0
		is "$(<"$ROOTFS/read")." "${input%$'\n'}."
		[[ $(received) == *"status 0" ]]
	done
	# Without a standard input as with an empty one; of a second process, too.
	status=0
	timeout --signal KILL 20 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID" <&- >"$T/received" 2>&1 3>&- || status=$?
	is "$status $(received)" "0 status 0"
	config_set '.process.terminal = false'
	start_container
	ok timeout --signal KILL 20 "$KIST" --root "$ROOT" exec --tty "$ID" cat
	is "$output" ''
	# Who reads bytes gets those that were sent, and no other.
	output=$({ wait_for test -s "$ROOTFS/ready" && printf x; } 3>&- |
		timeout --signal KILL 20 "$KIST" --root "$ROOT" exec --tty "$ID" \
		sh -c 'stty raw -echo; echo >/ready; timeout 1 cat | od -c; echo .' 3>&-)
	[[ $output == *' x'*0000001*. ]] || fail "$output"
}

@test "the size of the configuration" {
	config_set '.process.consoleSize = {"height": 33, "width": 77}'
	listen tty "$T/socket"
	shell 'stty size'
	create_container --console-socket "$T/socket"
	ok kist start "$ID"
	wait_helper
	is "$(received)" '33 77'
}

@test "it is the controlling terminal of a session of its own" {
	listen tty "$T/socket"
	shell 'cut -d" " -f6,7,8 /proc/1/stat'
	create_container --console-socket "$T/socket"
	ok kist start "$ID"
	wait_helper
	[[ $(received) =~ ^1\ 3[0-9]+\ 1 ]]
}

@test "the terminal belongs to the user" {
	config_set '.process.user = {"uid": 1000, "gid": 1000}'
	listen tty "$T/socket"
	shell 'stat -Lc "%u" /proc/self/fd/0; echo x >/dev/tty'
	create_container --console-socket "$T/socket"
	ok kist start "$ID"
	wait_helper
	is "$(received)" $'1000\nx'
}

@test "no console socket where one is needed, and one where none is" {
	refused 1 'console' kist create --bundle "$BUNDLE" "$ID"
	refused 1 'console' kist run --detach --bundle "$BUNDLE" "$ID"
	config_set '.process.terminal = false'
	listen tty "$T/socket"
	refused 1 'console' kist create --console-socket "$T/socket" --bundle "$BUNDLE" "$ID"
	assert_console_helper
}

# The helper is the test's own.
assert_console_helper() {
	stop_helper
	assert_nothing_left
}

@test "a console socket that is not there" {
	refused 1 "$T/none" kist create --console-socket "$T/none" --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "in the foreground the caller's terminal is passed on, with its size" {
	shell 'test -t 0 && stty size; echo the end; exit 5'
	local status=0
	on_terminal sh -c "stty rows 21 cols 55; exec '$KIST' --root '$ROOT' run --bundle '$BUNDLE' '$ID'" || status=$?
	is $status 5
	grep -q '21 55' "$T/screen"
	grep -q 'the end' "$T/screen"
}

@test "a terminal without a size does not take that of the configuration away" {
	config_set '.process.consoleSize = { height: 31, width: 77 }'
	shell 'sleep 0.3; stty size'
	on_terminal sh -c "stty rows 0 cols 0; exec '$KIST' --root '$ROOT' run --bundle '$BUNDLE' '$ID'"
	grep -q '31 77' "$T/screen"
}

@test "what is typed in the foreground arrives, and the terminal is given back as it was" {
	shell 'read line; echo "got $line"'
	(sleep 0.3; echo words; sleep 0.3) | script --quiet --command \
		"stty -a >'$T/before'; '$KIST' --root '$ROOT' run --bundle '$BUNDLE' '$ID'; stty -a >'$T/after'" "$T/screen" >/dev/null 2>&1 3>&-
	grep -q 'got words' "$T/screen"
	diff "$T/before" "$T/after"
}

@test "exec --tty in the foreground" {
	config_set '.process.terminal = false'
	start_container
	on_terminal "$KIST" --root "$ROOT" exec --tty "$ID" sh -c 'test -t 0 && tty'
	grep -q /dev/pts/ "$T/screen"
}

# on_stalled_terminal COMMAND...: in the background; with a terminal that nobody reads.  Its pid is in $T/pid.
on_stalled_terminal() {
	local words
	printf -v words '%q ' "$@"
	rm -f "$T/pid"
	start_helper "$RECEIVE" stall "echo \$\$ >'$T/pid'; exec $words" </dev/null
	wait_for test -s "$T/pid"
}

# ends_with STATUS: the command on the stalled terminal.
ends_with() {
	local status=0
	wait_for sh -c "! kill -0 $(<"$T/pid")"
	wait "$helper" || status=$?
	is "$status" "$1"
}

@test "signals and the end come through while nobody takes the output from the caller's terminal" {
	local signal
	# More than any terminal holds; it is stuck when no more of it has been written for a while.
	shell 'trap "exit 7" TERM HUP USR1; yes & echo >/ready; wait'
	for signal in TERM HUP USR1; do
		rm -f "$ROOTFS/ready"
		on_stalled_terminal "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
		wait_for test -e "$ROOTFS/ready"
		sleep 0.5
		kill "-$signal" "$(<"$T/pid")"
		ends_with 7
	done
	rm -f "$ROOTFS/ready"
	on_stalled_terminal "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	wait_for test -e "$ROOTFS/ready"
	sleep 0.5
	ok kist delete --force "$ID"
	try ends_with 137
	[ "$status" -eq 0 ] || fail "$output"
	config_set '.process.terminal = false'
	start_container
	rm -f "$ROOTFS/ready"
	on_stalled_terminal "$KIST" --root "$ROOT" exec --tty "$ID" sh -c 'trap "exit 8" TERM; yes & echo >/ready; wait'
	wait_for test -e "$ROOTFS/ready"
	sleep 0.5
	kill -TERM "$(<"$T/pid")"
	ends_with 8
}

@test "exec --tty over a console socket" {
	config_set '.process.terminal = false'
	start_container
	listen tty "$T/socket"
	ok kist exec --tty --detach --console-socket "$T/socket" "$ID" sh -c 'test -t 0 && echo a terminal'
	wait_helper
	grep 'a terminal' "$T/received"
}

@test "run on something that is no terminal still gives the program one" {
	shell 'test -t 0 && echo a terminal'
	ok kist run --bundle "$BUNDLE" "$ID"
	is "${output%$'\r'}" 'a terminal'
}

@test "in a user namespace" {
	config_userns
	listen tty "$T/socket"
	shell 'test -t 0 && stat -Lc %u /proc/self/fd/0'
	create_container --console-socket "$T/socket"
	ok kist start "$ID"
	wait_helper
	is "$(received)" 0
}
