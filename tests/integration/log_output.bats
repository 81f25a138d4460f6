#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --log, --log-format, --log-level: what engines read after a failure.
load helpers

@test "a JSON log has exactly one object after a failure" {
	config_set '.noSuchMember = 1 | .process.cwd = "relative"'
	refused 1 'cwd' kist --log "$T/log" --log-format json create --bundle "$BUNDLE" "$ID"
	jq -es 'length == 1 and .[0].level == "error" and (.[0] | keys == ["level", "msg", "time"])' "$T/log"
	jq -e '.time | fromdateiso8601 > 1700000000' "$T/log"
	# The same words on standard error, which conmon reads.
	is "$output" "kist: $(jq -r .msg "$T/log")"
}

@test "an error on the command line is logged too" {
	refused 1 'unknown option' kist --log "$T/log" --log-format=json create --bogus "$ID"
	jq -es 'length == 1 and (.[0].msg | contains("unknown option --bogus"))' "$T/log"
}

@test "a log that is not needed is empty, and is appended to" {
	ok kist --log "$T/log" --log-format json features
	[ -e "$T/log" ] && [ ! -s "$T/log" ]
	refused 1 '' kist --log "$T/log" state one
	refused 1 '' kist --log "file:$T/log" state two
	is "$(grep -c 'level=error msg="container .* does not exist"' "$T/log")" 2
	is "$(stat -c %a "$T/log")" 644
}

@test "warnings: on standard error, in a text log, and in a JSON log when asked for" {
	config_set '.noSuchMember = 1'
	run_container
	output_has 'warning: *noSuchMember'
	run_container_logged --log "$T/text"
	is "$output" ''
	grep -q 'level=warning msg=.*noSuchMember' "$T/text"
	run_container_logged --log "$T/json" --log-format json
	[ ! -s "$T/json" ]
	run_container_logged --log "$T/json" --log-format json --log-level warning
	jq -es 'length > 0 and .[0].level == "warning"' "$T/json"
}

run_container_logged() {
	ok kist "$@" run --bundle "$BUNDLE" "$ID"
}

@test "wrong logs" {
	refused 1 'unknown log "nonsense:x"' kist --log nonsense:x list
	refused 1 'open log file */none/log: no such file or directory' kist --log "$T/none/log" list
	refused 1 'option --log-format is one of text|json' kist --log-format xml list
	refused 1 'option --log-level is one of' kist --log-level loud list
}

@test "journald and syslog are told through their sockets, or it is said that they are not there" {
	[ ! -e /run/systemd/journal/socket ] || skip "journald runs here"
	refused 1 'connect to /run/systemd/journal/socket' kist --log journald:test list
	[ -e /dev/log ] || refused 1 'connect to /dev/log' kist --log syslog:test list
}
