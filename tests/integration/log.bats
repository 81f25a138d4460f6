#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "errors are in the log and on standard error" {
	refused 1 'container nobody does not exist' kist --log "$T/log" state nobody
	grep 'container nobody does not exist' "$T/log"
}

@test "JSON: one object, with level, msg and time" {
	try kist --log "$T/log" --log-format json state nobody
	jq -es 'length == 1 and .[0].level == "error" and (.[0].msg | contains("does not exist"))
		and (.[0].time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]+)$"))' "$T/log"
}

@test "warnings are in the log, before the one error: engines look for the last object of that level" {
	config_set '.process.noNewPrivs = true | .process.args = ["no-such"] | .process.capabilities.effective += ["CAP_NONE"]'
	refused 1 '' kist --log "$T/log" --log-format json create --bundle "$BUNDLE" "$ID"
	jq -es 'map(select(.level == "error")) | length == 1' "$T/log"
	jq -es 'length > 1 and (.[:-1] | all(.level == "warning")) and .[-1].level == "error"' "$T/log"
	# Podman, which reads one object only, takes the reason from here then.
	is "$(wc -l <"$T/output")" 1
	output_has 'executable file not found'
	refused 1 '' kist --log "$T/errors" --log-format json --log-level error create --bundle "$BUNDLE" "$ID"
	is "$(jq -s length "$T/errors")" 1
}

@test "a success writes nothing" {
	ok kist --log "$T/log" --log-format=json run --bundle "$BUNDLE" "$ID"
	[ ! -s "$T/log" ]
}

@test "the log is appended to" {
	echo before >"$T/log"
	try kist --log "$T/log" state nobody
	is "$(head -n 1 "$T/log")" before
	is "$(wc -l <"$T/log")" 2
}

@test "--debug tells more" {
	ok kist --debug --log "$T/log" run --bundle "$BUNDLE" "$ID"
	[ -s "$T/log" ]
	ok kist --log-level error --log "$T/log2" run --bundle "$BUNDLE" "$ID"
	[ ! -s "$T/log2" ]
}

@test "a log that cannot be opened, an unknown kind and an unknown format are refused" {
	refused 1 'open log file*no such file' kist --log "$T/no/log" list
	refused 1 'option --log-format is one of' kist --log-format xml list
	refused 1 'unknown log' kist --log nosuch:x list
}

@test "a message with control characters stays on its line" {
	try kist --log "$T/log" --log-format json create --bundle "$T/a"$'\n'"b\"c" "$ID"
	is "$(wc -l <"$T/log")" 1
	jq -e .msg "$T/log"
}
