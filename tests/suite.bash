# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced by contrib/check and .ci/run: runs suites and adds up what they report.
#
# A suite prints TAP, or the lines of `make check`.  Nothing passes by not being there: a suite that ends early, that
# reports no test or whose status is not 0 without a failed test counts as a failure.

set -euo pipefail

suite_passed=0
suite_failed=0
suite_skipped=0
suite_logs=$(mktemp -d "${TMPDIR:-/tmp}/kist-check.XXXXXX")
suite_notes=()

# suite NAME COMMAND...: runs the command and counts.
suite() {
	local name=$1 log status=0
	local passed failed skipped planned
	shift
	log=$(mktemp "$suite_logs/XXXXXX")
	echo
	echo "== $name"
	"$@" 2>&1 </dev/null | tee "$log" || status=$?
	read -r passed failed skipped planned < <(suite_count "$log")

	if [ $((passed + failed + skipped)) -lt "$planned" ]; then
		suite_note "$name: $planned tests planned, only $((passed + failed + skipped)) ran"
		failed=$((planned - passed - skipped))
	elif [ $((passed + failed + skipped)) -eq 0 ]; then
		suite_note "$name: ran no test (exit status $status)"
		failed=1
	elif [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
		suite_note "$name: exit status $status"
		failed=1
	fi
	suite_passed=$((suite_passed + passed))
	suite_failed=$((suite_failed + failed))
	suite_skipped=$((suite_skipped + skipped))
	echo "== $name: $passed passed, $failed failed, $skipped skipped"
	suite_explain "$name" "$log"
}

suite_note() {
	suite_notes+=("$1")
}

# Prints: passed failed skipped planned.
suite_count() {
	awk '
	/^1\.\.[0-9]+/ { sub(/^1\.\./, ""); planned += $1 + 0; next }
	/^ok / { if (tolower($0) ~ /# *skip/) skipped++; else passed++; next }
	/^not ok / { if ($0 ~ /# *[T]ODO/) skipped++; else failed++; next }
	/^(PASS|XFAIL): / { passed++ }
	/^SKIP: / { skipped++ }
	/^(FAIL|ERROR|XPASS): / { failed++ }
	END { print passed + 0, failed + 0, skipped + 0, planned + 0 }' "$1"
}

# Remembers the failures and the reasons of the skips for the end.
suite_explain() {
	local line
	while IFS= read -r line; do
		suite_note "$1: $line"
	done < <(grep -E '^not ok |^(FAIL|ERROR|XPASS): |^ok .*# *[sS][kK][iI][pP]|^SKIP: ' "$2" || true)
}

# The last thing a script does: notes, the sum, and the status.
suite_end() {
	echo
	[ ${#suite_notes[@]} -eq 0 ] || printf '%s\n' "${suite_notes[@]}"
	rm -rf "$suite_logs"
	echo "$suite_passed passed, $suite_failed failed, $suite_skipped skipped"
	[ "$suite_failed" -eq 0 ] && [ "$suite_passed" -gt 0 ]
}
