# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced by `run` and by tests/vm/inside: makes one TAP report of those of many bats files.

tap_passed=0
tap_failed=0
tap_skipped=0
tap_number=0

# tap_file NAME STATUS-FILE: reads what bats said of a file.  Numbers the tests through, names their file, and reports those
# that did not run as failed; the exit status of bats is read at the end.
tap_file() {
	local file=$1 line planned=0 seen=0 status
	while IFS= read -r line; do
		case $line in
		1..*) planned=${line#1..} && continue ;;
		"ok "*" # skip"*) tap_skipped=$((tap_skipped + 1)) ;;
		"ok "*) tap_passed=$((tap_passed + 1)) ;;
		"not ok "*) tap_failed=$((tap_failed + 1)) ;;
		"#"*) ;;
		*) line="# $line" ;;
		esac
		if [[ $line =~ ^((not )?ok)\ [0-9]+\ (.*)$ ]]; then
			seen=$((seen + 1))
			tap_number=$((tap_number + 1))
			line="${BASH_REMATCH[1]} $tap_number - ${file%.bats}: ${BASH_REMATCH[3]}"
		fi
		printf '%s\n' "$line"
	done
	status=$(<"$2")
	if [ "$seen" -lt "$planned" ] || { [ "$planned" -eq 0 ] && [ "$status" -ne 0 ]; }; then
		tap_number=$((tap_number + 1))
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_number - $file: $seen of $planned tests ran (status $status)"
	fi
}

# tap_end: the plan and the sum.  Its status is 0 when nothing failed.
tap_end() {
	echo "1..$tap_number"
	echo "$tap_passed passed, $tap_failed failed, $tap_skipped skipped"
	[ "$tap_failed" -eq 0 ] && [ "$tap_passed" -gt 0 ]
}
