#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "the version is what engines look for" {
	ok kist --version
	[[ $output =~ ^kist\ version\ [0-9] ]]
	grep -q '^commit: ' <<<"$output"
	grep -q '^spec: 1[.]' <<<"$output"
	ok kist -v
}

@test "help, for all and for each command" {
	local command
	ok kist --help
	for command in create start run exec kill delete state list ps pause resume spec features validate; do
		output_has " $command"
	done
	for command in create start run exec kill delete state list ps pause resume spec features validate; do
		ok "$KIST" "$command" --help
		output_has "$command"
		ok "$KIST" "$command" -h
	done
}

@test "an unknown command gets the nearest name and status 3" {
	refused 3 'start' kist strat x
	refused 3 'frobnicate' kist frobnicate
}

@test "an unknown option gets the nearest name" {
	refused 1 '--bundle' kist run --bundel x "$ID"
	refused 1 '--nosuch' kist --nosuch list
	refused 1 'requires an argument' kist run --bundle
}

@test "too few and too many arguments" {
	refused 1 '' kist run
	refused 1 '' kist state
	refused 1 '' kist state a b
	refused 1 '' kist
	refused 1 '' kist list a
}

@test "forms of options: =, two words, single dash, letters together" {
	args sleep 1000
	ok kist run --bundle="$BUNDLE" -d "$ID"
	ok kist delete -f "$ID"
	ok kist run -b "$BUNDLE" --detach=true "$ID"
	ok kist delete --force=true "$ID"
	ok kist run -d -no-subreaper -b"$BUNDLE" "$ID"
	ok kist -root "$ROOT" delete -force "$ID"
}

@test "options after the id" {
	args sleep 1000
	ok kist run "$ID" --bundle "$BUNDLE" --detach
	ok kist delete "$ID" --force
}

@test "global options that clients use are accepted" {
	ok kist --debug --log /dev/null --log-format json --rootless=true list --help
	ok kist --cgroup-manager disabled run --bundle "$BUNDLE" "$ID"
	ok kist --cgroup-manager=cgroupfs run --bundle "$BUNDLE" "$ID"
	refused 1 'cgroup-manager' kist --cgroup-manager nosuch list
}

@test "the state root: never /, may be relative, is made 0700" {
	refused 1 '--root' "$KIST" --root / list
	refused 1 '--root' "$KIST" --root // list
	refused 1 '--root' "$KIST" --root '' list
	cd "$T"
	args sleep 1000
	ok "$KIST" --root relative/root create --bundle "$BUNDLE" "$ID"
	is "$(stat -c %a relative/root)" 700
	ok "$KIST" --root "$T/relative/root" delete --force "$ID"
}

@test "the default state root is /run/kist, an ordinary user's below XDG_RUNTIME_DIR" {
	local default=/run/kist
	! ordinary_user || default=$XDG_RUNTIME_DIR/kist
	args sleep 1000
	ok "$KIST" create --bundle "$BUNDLE" "$ID"
	[ -d "$default/$ID" ]
	ok "$KIST" delete "$ID"
	rm -rf "$default"
}

@test "an empty environment is enough" {
	ok env -i "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
}

@test "standard output that is full is an error" {
	try sh -c "'$KIST' features >/dev/full"
	[ "$status" -eq 1 ]
}
