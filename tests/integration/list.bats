#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "a table, sorted by id" {
	local owner=root
	! ordinary_user || owner=$EUID
	ok kist create --bundle "$BUNDLE" zz
	ok kist create --bundle "$BUNDLE" aa
	ok kist list
	[[ ${output%%$'\n'*} =~ ^ID\ +PID\ +STATUS\ +BUNDLE\ +CREATED\ +OWNER$ ]]
	is "$(tail -n +2 <<<"$output" | cut -d' ' -f1 | xargs)" "aa zz"
	[[ $output =~ aa\ +[0-9]+\ +created\ +"$BUNDLE"\ +20.*\ $owner ]]
}

@test "JSON on one line" {
	ok kist create --bundle "$BUNDLE" aa
	ok kist list -f json
	is "$(wc -l <"$T/output")" 1
	jq -e '.[0].id == "aa" and .[0].status == "created" and (.[0].pid | type) == "number"' <<<"$output"
}

@test "no containers: an empty array, an empty list of ids" {
	mkdir "$ROOT"
	ok kist list --format json
	is "$output" '[]'
	ok kist list --quiet
	is "$output" ''
}

@test "--quiet prints ids" {
	ok kist create --bundle "$BUNDLE" aa
	ok kist list -q
	is "$output" aa
}

@test "a state root that was asked for and is not there is an error, the default is not" {
	refused 1 'no such file or directory' kist list
	ok "$KIST" list
}

@test "a damaged container is listed with a warning, and does not hide the others" {
	ok kist create --bundle "$BUNDLE" good
	mkdir -m 700 "$ROOT/bad" "$ROOT/empty"
	echo '{' >"$ROOT/bad/state.json"
	ok kist list
	output_has 'container bad: its record is damaged'
	output_has 'container empty has no record yet'
	output_has $'\ngood '
}

@test "what kist did not make is no container: not listed, and not deleted" {
	local command
	kist create --bundle "$BUNDLE" "$ID" </dev/null 3>&-
	mkdir -p "$ROOT"/alice/docs "$ROOT"/bob "$ROOT"/carol "$ROOT"/dan/notify/docs
	chmod 700 "$ROOT"/*
	: >"$ROOT/alice/docs/precious"
	: >"$ROOT/bob/start"
	: >"$ROOT/file"
	# Another runtime's record, too.
	echo '{"id": "carol"}' >"$ROOT/carol/state.json"
	mkfifo "$ROOT/carol/exec.fifo"
	for name in alice bob carol dan; do
		for command in "state $name" "delete $name" "delete --force $name" "kill $name" "exec $name true"; do
			# shellcheck disable=SC2086 # words
			try kist $command
			[ "$status" -ne 0 ] || fail "$command succeeded"
			output_has "$name in the state directory is not a container's directory: it has no record, but "
			output_lacks 'delete --force'
		done
	done
	ok kist list
	for name in alice bob carol dan; do
		output_has "$name in the state directory is not a container's directory"
		output_lacks $'\n'"$name "
	done
	output_lacks 'delete --force'
	rm -r "$ROOT/carol"
	is "$(kist list --quiet)" "$ID"
	ok kist delete --force --regex '.*'
	[ -e "$ROOT/alice/docs/precious" ] && [ -e "$ROOT/bob/start" ] && [ -d "$ROOT/dan/notify/docs" ] && [ -e "$ROOT/file" ]
	[ ! -e "$ROOT/$ID" ]
	rm -r "$ROOT"
}

@test "what an interrupted command of kist may leave is removed" {
	mkdir -m 700 "$ROOT" "$ROOT"/{a,b,c}
	ok kist delete --force a
	: >"$ROOT/b/devices.json"
	: >"$ROOT/b/.tmp-0123456789abcdef"
	ok kist delete --force b
	: >"$ROOT/c/intent.json"
	mkdir -p "$ROOT/c/notify/1/2/3"
	ok kist delete --force c
	is "$(ls -A "$ROOT")" ''
}

@test "what a bundle's name contains does not reach the terminal" {
	mv "$BUNDLE" "$T/esc"$'\e'"[31m"
	BUNDLE=$T/esc$'\e'"[31m"
	create_container
	ok kist list
	output_lacks $'\e'
}

@test "the owner by name, or by number where there is none" {
	need_root "changes the record"
	create_container
	local nobody record
	nobody=$(awk -F: '$1 == "nobody" { print $3; exit }' /etc/passwd)
	[ -n "$nobody" ] || skip "there is no user nobody"
	for record in "$ROOT/$ID"/{state,intent}.json; do
		jq -c --argjson uid "$nobody" '.owner = $uid' "$record" >"$T/record"
		cat "$T/record" >"$record"
	done
	is "$(kist list --format json | jq -r '.[0].owner')" nobody
	ok kist list
	output_has ' nobody'
	for record in "$ROOT/$ID"/{state,intent}.json; do
		jq -c '.owner = 4000000000' "$record" >"$T/record"
		cat "$T/record" >"$record"
	done
	is "$(kist list --format json | jq -r '.[0].owner')" 4000000000
}
