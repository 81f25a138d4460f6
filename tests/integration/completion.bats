#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helpers

@test "bash: commands, options, words, containers, signals" {
	create_container
	# shellcheck disable=SC2016 # the inner shell's variables
	ok env PATH="${KIST%/*}:$PATH" bash -c '
		. "$1"
		complete_words() {
			COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
			_kist
			echo "${COMPREPLY[*]}"
		}
		complete_words kist cr
		complete_words kist --log-f
		complete_words kist --log-format = j
		complete_words kist run --dry-run --bun
		complete_words kist --root "$2" start ""
		complete_words kist create ""
		complete_words kist kill some US' - "$BATS_TEST_DIRNAME/../../contrib/completions/kist.bash" "$ROOT"
	is "$output" "create
--log-format
json
--bundle
$ID

USR1 USR2"
}
