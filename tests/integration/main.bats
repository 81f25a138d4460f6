#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the program does before it looks at its words.
load helpers

@test "a reader that has gone ends nothing half way" {
	local round
	args sleep 1000
	config_set '.unknownMember = 1'
	# Its warning meets a closed pipe.
	"$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID" 2> >(exec true) >/dev/null </dev/null 3>&-
	has_status created
	ok kist delete --force "$ID"
	for round in 1 2 3 4 5 6 7 8 9 10; do
		"$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null 3>&- &
		sleep "0.00$round"
		kill -PIPE $! 2>/dev/null || true
		if wait $!; then
			has_status created
			ok kist delete --force "$ID"
		else
			# The signal came before its first line.
			assert_nothing_left
		fi
	done
	"$KIST" --root "$ROOT" features 2>"$T/errors" | true || true
	[ ! -s "$T/errors" ] || fail "$(<"$T/errors")"
}

@test "closed standard streams end in no file" {
	for mask in 0 1 2 3 4 5 6 7; do
		status=0
		(
			if ((mask & 1)); then exec <&-; fi
			if ((mask & 2)); then exec >&-; fi
			if ((mask & 4)); then exec 2>&-; fi
			exec "$KIST" --root "$ROOT" --log "$T/log.$mask" state "$ID"
		) >"$T/out" 2>&1 </dev/null || status=$?
		is "$status" 1
		is "$(grep -c 'does not exist' "$T/log.$mask")" 1
		is "$(wc -l <"$T/log.$mask")" 1
	done
}

# lost WHERE REASON WORD...: the command cannot print, and says why.
lost() {
	local where=$1 reason=$2 want=1
	shift 2
	# exec's own failures have another status than its process's.
	[ "$1" != exec ] || want=255
	status=0
	if [ "$where" = closed ]; then
		"$KIST" --root "$ROOT" "$@" >&- 2>"$T/lost" </dev/null 3>&- || status=$?
	else
		"$KIST" --root "$ROOT" "$@" >"$where" 2>"$T/lost" </dev/null 3>&- || status=$?
	fi
	[ "$status" -eq $want ] || fail "status $status, not $want, of: $* (standard output: $where)"
	output=$(<"$T/lost")
	is "$(wc -l <"$T/lost")" 1
	output_has "$reason"
}

# prints WORD...: the command prints.  So it must fail when it cannot.
prints() {
	lost closed 'bad file descriptor' "$@"
	lost /dev/full 'no space left on device' "$@"
}

@test "what cannot be printed is an error, for each command that prints" {
	local command
	start_container
	prints list
	prints list --quiet
	prints list --format json
	prints state "$ID"
	prints ps --format json "$ID"
	prints ps "$ID" -o pid
	prints events --stats "$ID"
	prints events --interval 10ms "$ID"
	prints features
	prints spec --file -
	prints create --dry-run --bundle "$BUNDLE" other
	prints create --dry-run=json --bundle "$BUNDLE" other
	prints run --dry-run --bundle "$BUNDLE" other
	prints validate --json --bundle "$BUNDLE"
	prints help
	prints --help
	prints --version
	prints __options
	for command in $("$KIST" __options | awk -F'\t' '$1 == "command" { print $2 }'); do
		prints "$command" --help
		prints help "$command"
	done
	# It has nothing to print.
	"$KIST" --root "$ROOT" kill "$ID" 0 >&-
}

@test "a process whose caller has no standard output gets one that takes all" {
	shell 'echo lost && echo told >&2'
	"$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID" >&- 2>"$T/told" </dev/null 3>&-
	is "$(<"$T/told")" told
}

@test "a file size limit is an error, not a death" {
	status=0
	(
		ulimit -f 0
		exec "$KIST" --root "$ROOT" spec -f - >"$T/config"
	) 2>/dev/null || status=$?
	is "$status" 1
}

@test "a set-user-ID kist refuses to run" {
	need_root "becomes another user"
	cp "$KIST" "$T/kist"
	chmod 4755 "$T/kist"
	refused 1 'refusing to run set-user-ID' \
		setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups "$T/kist" list
}

@test "a kist with file capabilities refuses to run" {
	need_root "gives a file capabilities"
	command -v setcap >/dev/null || skip "setcap is not installed"
	cp "$KIST" "$T/kist"
	chmod 755 "$T/kist"
	setcap cap_kill+ep "$T/kist" || skip "no file capabilities on this file system"
	refused 1 'refusing to run with file capabilities' \
		setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups "$T/kist" list
}

@test "a command that others know by another name is suggested, a word that is like none is not" {
	refused 3 'unknown command "rm" (did you mean delete?)' kist rm x
	refused 3 '(did you mean kill?)' kist stop x
	refused 3 '(did you mean state?)' kist inspect x
	refused 3 'unknown command "logs" (a container writes to the streams' kist logs x
	refused 3 '(did you mean update?)' kist upbate x
	try kist stcp
	output_lacks 'did you mean'
}

@test "an option at the wrong place, or an unknown letter, is told" {
	refused 1 'list: option --root stands before the command' "$KIST" list --root /x
	refused 1 'exec: unknown option -i in -it' kist exec -it x sh
	refused 1 'option --log is empty' kist --log= list
}

@test "help names the commands, shows what --help of each shows, and refuses what it does not know" {
	local command
	ok kist help
	is "$output" "$("$KIST" --help)"
	for command in $("$KIST" __options | awk -F'\t' '$1 == "command" { print $2 }'); do
		ok kist help "$command"
		is "$output" "$("$KIST" "$command" --help)"
	done
	refused 3 'unknown command "lst" (did you mean list?)' kist help lst
	refused 3 'unknown command "rm" (did you mean delete?)' kist help rm
	refused 3 'unknown command "foo"' kist help foo
	refused 1 'too many arguments' kist help list extra
}
