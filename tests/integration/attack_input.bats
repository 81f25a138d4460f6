#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # variables of the container's shell, and of helpers.bash
#
# What configurations, names and files of the caller can do to kist.  Above each test: the change of kist that was tried
# once, and made the test fail.
load helpers

# ---- input that costs more than its length ------------------------------------------------------------------------

# config_big FILTER N [OPTION-OF-JQ...]: config.json, changed by a filter that makes N of something.
config_big() {
	config_set "$1" --compact-output --argjson n "$2" "${@:3}"
}

# seconds COMMAND...: how long it takes, as the processor's time, which a busy machine does not change much.  What comes to no
# end is no number.
seconds() {
	local TIMEFORMAT='%U %S' times
	rm -f "$T/status"
	times=$({ time timeout --kill-after=1 30 "$@" >"$T/output" 2>&1 </dev/null || echo $? >"$T/status"; } 2>&1)
	[ ! -e "$T/status" ] || [ "$(<"$T/status")" -lt 124 ] ||
		fail "no end within 30 s: $*" || return
	awk '{ print $1 + $2 }' <<<"$times"
}

# not_quadratic FILTER [N]: eight times as much takes at most 24 times as long, where squares would take 64.  What is
# refused for its number is refused soon.  All of it stands on one line, as engines write it.
not_quadratic() {
	local n=${2:-200000} few many command
	cp "$BUNDLE/config.json" "$T/config.before"
	for command in run validate; do
		local words=("$KIST" validate --bundle "$BUNDLE")
		[ $command = validate ] || words=("$KIST" --root "$ROOT" run --dry-run --bundle "$BUNDLE" "$ID")
		config_big "$1" $((n / 8))
		few=$(seconds "${words[@]}")
		config_big "$1" "$n"
		many=$(seconds "${words[@]}")
		awk -v few="$few" -v many="$many" 'BEGIN { exit !(many <= 24 * (few < 0.05 ? 0.05 : few)) }' ||
			fail "$command: $((n / 8)): $few s, $n: $many s"
		# What is wrong with one may be found before the next is looked at.
		cp "$T/config.before" "$BUNDLE/config.json"
	done
}

# Fails when unique_names() compares each variable with each, as it did.
@test "100,000 variables" {
	not_quadratic '.process.env = [range($n) | "V\(.)=x"]'
}

# Fails when map_key() looks for each key among all before it.
@test "100,000 annotations" {
	not_quadratic '.annotations = ([range($n) | { key: "a\(.)", value: "x" }] | from_entries)'
}

# Fails when check_namespaces() or check_rlimits() looks for each type among all before it.
@test "400,000 namespaces and 200,000 limits" {
	not_quadratic '.linux.namespaces = [range($n) | { type: (if . < $n / 2 then "mount" else "pid" end) }]' 400000
	not_quadratic '.process.rlimits = [range($n) |
		{ type: (if . < $n / 2 then "RLIMIT_NOFILE" else "RLIMIT_CORE" end), soft: 1, hard: 1 }]'
}

# Fails when find_line() counts from the beginning of the line.
@test "400,000 unknown members and 100,000 mounts on one line" {
	not_quadratic '. + ([range($n) | { key: "zz\(.)", value: 1 }] | from_entries)' 400000
	not_quadratic '.mounts = [range($n) | { destination: "/m\(.)", type: "tmpfs", source: "tmpfs" }]' 100000
}

# Fails when keep_first() compares each path with each.
@test "200,000 masked paths" {
	not_quadratic '.linux.maskedPaths = [range($n) | "/m\(if . > 9000 then 9000 else . end)"]'
}

# Fails when find_cover() calls covers_fill() for each source.  The step that opens the sources takes no longer than
# the one that mounts them.
@test "2,000 binds that only root may open, in a user namespace" {
	need_root "opens what others may not"
	config_userns
	mkdir -m 700 "$T/private" && mkdir "$T/private/dir"
	config_big '.mounts += [range($n) | { destination: "/m/\(.)", source: "\($t)/private/dir", options: ["bind"] }]' 2000 --arg t "$T"
	ok timeout --kill-after=1 60 "$KIST" --root "$ROOT" run --trace "$T/trace" --bundle "$BUNDLE" "$ID"
	jq -c '[.traceEvents[] | select(.name == "mount-sources" or .name == "mounts") | { key: .name, value: .dur }] | from_entries' \
		"$T/trace" >"$T/times"
	jq -e '.["mount-sources"] < .mounts' "$T/times" || fail "$(<"$T/times")"
}

# Fails without DEVICE_RULES_MAX.
@test "100,000 device rules are refused, 4,000 taken in a moment" {
	local rules='.linux.resources.devices = [range($n) | { allow: (. % 2 == 0), type: "c", major: 20, minor: ., access: "rwm" }]'
	config_big "$rules" 100000
	refused 1 'more than 4096 device rules' kist run --bundle "$BUNDLE" "$ID"
	output_has 'linux.resources.devices['
	ordinary_user || {
		config_big "$rules" 4000
		ok timeout --kill-after=1 60 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	}
}

# Fails when the way without a jump is that of a rule that fits (BPF_JNE to the next one): the verifier gives up after 4 s.
@test "4,000 device rules that allow a part of rwm" {
	need_root "device rules"
	config_big '.linux.resources.devices = [{ allow: false, access: "rwm" }] + [range($n) |
		{ allow: true, type: "c", major: 20, minor: ., access: ["r", "w", "rm"][. % 3] }]' 4000
	ok timeout --kill-after=1 60 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
}

# Fails when take_back() does not remember what it has taken back: 4,000 rules would be two million lines.
@test "rules that take back the same exceptions again and again" {
	need_root "device rules"
	local rules='.linux.resources.devices = [range($n) | { allow: (. < $n / 2), type: "c", major: 20, access: "rwm" }
		+ if . < $n / 2 then { minor: . } else {} end]'
	config_big "$rules" 400
	ok kist run --dry-run --bundle "$BUNDLE" "$ID"
	[ "$(grep -c 'write "c 20:' <<<"$output")" -le 400 ]
	config_big "$rules" 4000
	ok timeout --kill-after=1 60 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
}

# Fails without RULES_MAX of seccomp.c.
@test "100,000 seccomp rules are refused" {
	config_big '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [range($n) | { names: ["mkdir"],
		action: "SCMP_ACT_ERRNO", args: [{ index: 0, value: ., op: "SCMP_CMP_EQ" }] }] }' 100000
	refused 1 'more than 4096 seccomp rules' in_time "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	refused 1 'more than 4096 seccomp rules' in_time "$KIST" validate --bundle "$BUNDLE"
}

# Fails without OCI_TEXT_MAX and JSON_VALUES_MAX.
@test "what is longer than a text may be is refused, and takes no memory" {
	printf '{"ociVersion":"1.0.0","annotations":{"a":"%*s"}}' 20000000 '' >"$BUNDLE/config.json"
	refused 1 'more than 16 MiB' kist create --bundle "$BUNDLE" "$ID"
	refused 1 'more than 16 MiB' kist validate --bundle "$BUNDLE"
	printf '{"ociVersion":"1.0.0","process":{"user":{"additionalGids":[0%s]}}}' "$(printf ',%.0s0' {1..1100000})" \
		>"$BUNDLE/config.json"
	refused 1 'more than 1048576 values' kist create --bundle "$BUNDLE" "$ID"
}

# ---- forged terminal output -----------------------------------------------------------------------------------

# ESC, new line, a C1 byte alone and as UTF-8, an override of the direction of writing.
EVIL=$'\e[2J\nkist: all is well\x9b31m\u009b31m\u202etxt'

# harmless FILE...: nothing of $EVIL is there but in visible form.
harmless() {
	! LC_ALL=C grep -aqE $'\e|\x9b|\xe2\x80\xae' "$@" || fail "$(cat -v "$@")"
	! grep -aq '^kist: all is well' "$@" || fail "$(cat -v "$@")"
}

# shows TEXT: as it is, while output_has takes a pattern.
shows() {
	grep -qF -- "$1" "$T/output" || fail "no $1 in:" "$output"
}

# Fails when write_line() writes its text as it is.
@test "errors, warnings and logs show what a terminal would obey" {
	args "no-such$EVIL"
	config_set '.[$evil] = 1' --arg evil "$EVIL"
	refused 1 '' kist --log "$T/log" create --bundle "$BUNDLE" "$ID"
	shows '\x1b[2J'
	grep -qF 'unknown member' "$T/log"
	harmless "$T/output" "$T/log"
	refused 1 '' kist --log "$T/json" --log-format json create --bundle "$BUNDLE" "$ID"
	harmless "$T/output"
	is "$(jq -s 'map(.msg | contains("\u001b[2J\nkist: all is well")) | any' "$T/json")" true
	refused 3 '' kist "$EVIL"
	harmless "$T/output"
	refused 1 '' kist state "$EVIL"
	harmless "$T/output"
}

# The same change.
@test "the output of a hook that fails" {
	config_set '.hooks.createRuntime = [{ path: "/bin/sh", args: ["sh", "-c", "printf %s\\\\233 \"$0\" >&2; exit 3", $evil] }]' \
		--arg evil "$EVIL"
	refused 1 'exit status 3' kist create --bundle "$BUNDLE" "$ID"
	shows '\x1b[2J\nkist: all is well'
	shows '\x9b'
	harmless "$T/output"
}

# Fails when output_columns() or output_line() writes its text as it is.
@test "tables, findings and dry runs" {
	mv "$BUNDLE" "$T/$EVIL"
	BUNDLE=$T/$EVIL
	config_set '.process.args = ["sh", "-c", "exec sleep 1000", $evil] | .[$evil] = 1' --arg evil "$EVIL"
	ok kist run --dry-run --bundle "$BUNDLE" "$ID"
	harmless "$T/output"
	try kist validate --bundle "$BUNDLE"
	shows '\x1b[2J'
	harmless "$T/output"
	start_container
	ok kist list
	shows '\x1b[2J'
	harmless "$T/output"
	is "$(kist list --format json | jq '.[0].bundle | contains("\u001b[2J\nkist: all is well")')" true
}

# Fails when print_table() of ps uses output_text().
@test "process names, where ps prints them raw" {
	args sleep 1000
	start_container
	mkdir "$T/bin"
	printf '#!/bin/sh\nprintf "PID CMD\\n%%s \\033[2J\\233\\n" "$1"\n' >"$T/bin/ps"
	chmod 755 "$T/bin/ps"
	PATH=$T/bin:$PATH ok kist ps "$ID" "$(kist state "$ID" | jq .pid)"
	shows '\x1b[2J\x9b'
	harmless "$T/output"
}

# ---- new lines where lines have a meaning ---------------------------------------------------------------------

# Fails when add_string() of json_write.c escapes no control character.
@test "a new line in a value is a part of the value" {
	config_set '.annotations = { "a\nb": "1\n\"pid\": 1" } | .process.env += ["X=1\nY=2"]'
	shell 'printf "%s|%s" "$X" "$Y"; sleep 1000'
	create_container --pid-file "$T/pid"
	is "$(kist state "$ID" | jq -r '.annotations["a\nb"]')" $'1\n"pid": 1'
	is "$(<"$T/pid")" "$(kist state "$ID" | jq .pid)"
	is "$(tr '\0' '#' <"/proc/$(<"$T/pid")/environ" | grep -c '^Y=2' || true)" 0
	refused 1 'invalid container id' kist create --bundle "$BUNDLE" $'a\nb'
	refused 1 'invalid container id ".cache": this name is reserved' kist create --bundle "$BUNDLE" .cache
	refused 1 'invalid container id ".cache": this name is reserved' kist state .cache
	refused 1 'invalid container id "..": use letters, digits, _ . + - (at most 255, and neither . nor ..)' kist state ..
}

# Fails when compile_name() of uts.c cuts the name at the end of its first line; when write_line() writes its text as it is; or without
# path_has_dotdot() in check_linux() of oci_check_linux.c and check_path() of cgroup.c together.
@test "a new line in a host name is taken as it is, and in a cgroup's path refused" {
	config_set '.hostname = "a\nb"'
	args cat /proc/sys/kernel/hostname
	container_says $'a\nb'
	config_set 'del(.hostname)'
	# The kernel takes it for no cgroup.
	config_cgroup "/x$EVIL"
	refused 1 '' kist run --bundle "$BUNDLE" "$ID"
	shows '\x1b[2J\nkist: all is well'
	harmless "$T/output"
	config_cgroup $'/x\n/../'"y-$ID"
	refused 1 '..' kist run --bundle "$BUNDLE" "$ID"
}

# ---- files that the caller names ------------------------------------------------------------------------------

# in_time COMMAND...: far below the deadlines of those who wait for an engine, and enough for a busy machine.
in_time() {
	timeout 8 "$@"
}

# Fails without O_NONBLOCK in open_target(), and without open_resources().
@test "a FIFO without anybody behind it" {
	mkfifo "$T/fifo"
	refused 1 'a FIFO that nobody reads' in_time "$KIST" --root "$ROOT" --log "$T/fifo" list
	args sleep 1000
	start_container
	refused 1 'neither a regular file nor a pipe' in_time "$KIST" --root "$ROOT" update -r "$T/fifo" "$ID"
	refused 255 '' in_time "$KIST" --root "$ROOT" exec --process "$T/fifo" "$ID"
	refused 1 '' in_time "$KIST" --root "$ROOT" create --bundle "$BUNDLE" --config "$T/fifo" other
	refused 1 '' in_time "$KIST" --root "$ROOT" validate --config "$T/fifo"
	refused 255 "write the pid file $T/fifo: it is a FIFO that nobody reads" \
		in_time "$KIST" --root "$ROOT" exec --detach --pid-file "$T/fifo" "$ID" true
	[ -p "$T/fifo" ]
}

# Fails when has_room() waits without FULL_MS, and when it forgets that it has waited in vain.
@test "a FIFO whose reader does not read" {
	mkfifo "$T/fifo"
	sleep 1000 <>"$T/fifo" 3>&- &
	helper=$!
	wait_for sh -c "[ \$(readlink /proc/$helper/fd/0) = '$T/fifo' ]"
	dd if=/dev/zero of="$T/fifo" oflag=nonblock bs=4096 count=1000 2>/dev/null || true
	refused 1 'does not exist' in_time "$KIST" --root "$ROOT" --log "$T/fifo" state nobody
	# One wait for all lines.
	config_set '. + ([range(30) | { key: "zz\(.)", value: 1 }] | from_entries)'
	ok in_time "$KIST" --root "$ROOT" --log "$T/fifo" run --dry-run --bundle "$BUNDLE" "$ID"
	stop_helper
}

# Fails when open_target() follows no link at all; when file_open_own() takes those of procfs for any others; when
# open_resources() takes no pipe.
@test "descriptors of the shell still are files" {
	local name
	for name in /dev/stderr /dev/fd/2 /proc/self/fd/2; do
		kist --log "$name" state nobody 2>&1 | grep -q level=error
	done
	args sleep 1000
	start_container
	ok in_time "$KIST" --root "$ROOT" update -r <(echo '{}') "$ID"
	echo '{}' | in_time "$KIST" --root "$ROOT" update -r - "$ID"
}

# Fails when open_target() uses open().
@test "symlinks that somebody else has put into a directory for all are not followed" {
	need_root "makes files of another user"
	mkdir -m 1777 "$T/all"
	ln -s "$T/target" "$T/all/log"
	ln -s "$T" "$T/all/dir"
	chown -h 4242 "$T/all/log" "$T/all/dir"
	refused 1 "open log file $T/all/log: permission denied" kist --log "$T/all/log" state nobody
	refused 1 'permission denied' kist --log "$T/all/dir/target" state nobody
	[ ! -e "$T/target" ]
	ln -s "$T/target" "$T/all/own"
	refused 1 'does not exist' kist --log "$T/all/own" state nobody
	grep -q 'does not exist' "$T/target"
}

# Fails when file_replace() opens its path.
@test "pid files and traces replace a symlink" {
	echo precious >"$T/target"
	ln -s "$T/target" "$T/pid"
	ln -s "$T/target" "$T/trace"
	create_container --pid-file "$T/pid" --trace "$T/trace"
	is "$(<"$T/target")" precious
	[ ! -L "$T/pid" ]
	[ ! -L "$T/trace" ]
}

# Fails when file_put() is file_replace().
@test "pid files and traces replace nothing but files" {
	local target pid
	mkfifo "$T/fifo"
	ln -s fifo "$T/to-fifo"
	ln -s "$T/loop" "$T/loop"
	mkdir "$T/dir"
	shell 'echo ran'
	for target in fifo to-fifo loop dir; do
		refused 1 "write the pid file $T/$target: " in_time "$KIST" --root "$ROOT" run --pid-file "$T/$target" --bundle "$BUNDLE" "$ID"
		ok in_time "$KIST" --root "$ROOT" --trace "$T/$target" run --bundle "$BUNDLE" "$ID"
		output_has "write the trace $T/$target: "
		output_has ran
	done
	[ -p "$T/fifo" ] && [ -L "$T/to-fifo" ] && [ -L "$T/loop" ] && [ -d "$T/dir" ]
	# With somebody behind it.
	cat "$T/fifo" >"$T/read" 3>&- &
	pid=$!
	ok in_time "$KIST" --root "$ROOT" --trace "$T/to-fifo" run --bundle "$BUNDLE" "$ID"
	wait "$pid"
	jq -e '.traceEvents | length > 20' "$T/read"
	cat "$T/fifo" >"$T/read" 3>&- &
	pid=$!
	args sleep 1000
	ok in_time "$KIST" --root "$ROOT" create --pid-file "$T/fifo" --bundle "$BUNDLE" "$ID"
	wait "$pid"
	is "$(<"$T/read")" "$(pid_of)"
}

# The same mutation.  A directory of devices of the test's own stands in for /dev.
@test "pid files and traces leave devices and descriptors where they are" {
	need_root "makes devices"
	mkdir "$T/dev"
	mount -t tmpfs -o mode=755 none "$T/dev"
	mknod "$T/dev/null" c 1 3
	mknod "$T/dev/disk" b 250 250
	ln -s /proc/self/fd/1 "$T/dev/stdout"
	shell 'echo ran; sleep 1000'
	ok kist --trace "$T/dev/null" create --pid-file "$T/dev/null" --bundle "$BUNDLE" "$ID"
	ok kist --trace "$T/dev/stdout" delete --force "$ID"
	output_has traceEvents
	refused 1 "$T/dev/disk: it is a block device" kist run --pid-file "$T/dev/disk" --bundle "$BUNDLE" "$ID"
	args true
	kist --trace "$T/dev/stdout" run --bundle "$BUNDLE" "$ID" </dev/null 2>&1 3>&- | cat >"$T/read"
	jq -e '.traceEvents | length > 20' "$T/read"
	[ -c "$T/dev/null" ] && [ -b "$T/dev/disk" ] && [ -L "$T/dev/stdout" ]
	umount "$T/dev"
}

# Fails when terminal_stdio_run() takes regular files.
@test "a file as a standard stream stays its owner's" {
	need_root "gives files away"
	config_set '.process.user = { uid: 1000, gid: 1000 }'
	args true
	echo words >"$T/in"
	"$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID" <"$T/in" >"$T/out" 2>"$T/err" 3>&-
	is "$(stat -c %u "$T/in" "$T/out" "$T/err" | sort -u)" 0
}

# ---- engines that do not answer ---------------------------------------------------------------------------------

# waits_for_engine TEXT COMMAND...: it ends by itself after ten seconds with that text, and at once by a signal, which
# timeout(1) passes on.
waits_for_engine() {
	local text=$1 pid status=0
	shift
	listen full "$T/socket"
	refused 1 "$text" timeout --kill-after=1 40 "$@"
	timeout --kill-after=5 60 "$@" >"$T/ended" 2>&1 </dev/null 3>&- &
	pid=$!
	wait_for pgrep -P "$pid"
	# It polls one descriptor, for 10 ms (poll), or for a time that lies in memory (ppoll).
	wait_for grep -qE '^[0-9]+ 0x[0-9a-f]+ 0x1 0x(a|[0-9a-f]{8,}) ' "/proc/$(pgrep -P "$pid")/syscall"
	kill -TERM "$pid"
	wait "$pid" || status=$?
	is "$status" 1
	grep -q 'signal 15' "$T/ended" || fail "$(cat "$T/ended")"
	stop_helper
	rm "$T/socket"
}

# Fails when connect_to() calls connect() on a blocking socket.
@test "a console socket whose queue is full" {
	config_set '.process.terminal = true'
	waits_for_engine 'took the connection for 10 s' "$KIST" --root "$ROOT" create --bundle "$BUNDLE" \
		--console-socket "$T/socket" "$ID"
}

# The same; and when connect_within() does not look at the descriptor that ends the wait.
@test "a seccomp agent whose queue is full" {
	config_set '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: $path,
		syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }] }' --arg path "$T/socket"
	waits_for_engine 'took no connection for 10 s' "$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
}

# The same.
@test "a pidfd socket whose queue is full" {
	waits_for_engine 'took the connection for 10 s' "$KIST" --root "$ROOT" create --bundle "$BUNDLE" \
		--pidfd-socket "$T/socket" "$ID"
}
