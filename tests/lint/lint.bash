# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced by the checks beside it.  Each check is a TAP program: a rule is a test, the places that break it are its
# diagnostics.  No check writes into the tree, so all of them run in a read-only one.
#
# top: the source tree; build: the tree that make runs in (BUILD, default: the current directory).

set -euo pipefail
shopt -s lastpipe # rule counts in this shell, not in one of a pipeline
export LC_ALL=C

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034 # used by the checks
build=${BUILD:-$PWD}
lint_n=0
lint_bad=0

# rule TEXT: standard input is the list of violations, empty when the rule holds.
rule() {
	local found
	found=$(cat)
	lint_n=$((lint_n + 1))
	if [ -z "$found" ]; then
		echo "ok $lint_n - $1"
		return
	fi
	lint_bad=$((lint_bad + 1))
	echo "not ok $lint_n - $1"
	echo "# ${found//$'\n'/$'\n'# }"
}

# skip TEXT REASON: a rule that cannot be checked here.
skip() {
	lint_n=$((lint_n + 1))
	echo "ok $lint_n - $1 # SKIP $2"
}

# Last line of every check.
finish() {
	echo "1..$lint_n"
	[ "$lint_bad" -eq 0 ]
}

# sources DIR...: the C files below, relative to top, sorted.
sources() {
	(cd "$top" && find "$@" -name '*.[ch]' -type f | sort)
}

# functions FILE...: name, file, first line, last line, "file" or "-" (static or not), parameters; tab-separated.
functions() {
	local ctags
	ctags=$(lint_ctags) || return 1
	(cd "$top" && "$ctags" --languages=C --langmap=C:.c.h --kinds-C=f --fields=+neS --sort=no -x --_xformat='%{name}	%{input}	%{line}	%{end}	%{file}	%{signature}' "$@")
}

# Name of universal-ctags, or failure.
lint_ctags() {
	local name
	for name in ctags-universal universal-ctags ctags; do
		if "$name" --version 2>/dev/null | grep -q Universal; then
			echo "$name"
			return
		fi
	done
	return 1
}

# Shell scripts and bats files, relative to top, sorted: known by their first line or their ending.
scripts() {
	(
		cd "$top"
		find . \( -name .git -o -name autom4te.cache -o -name 'build-*' -o -name 'kist-[0-9]*' -o -name _build \
			-o -path ./tests/fuzz/corpus \
			-o -name _inst \) -prune -o -type f -size -256k ! -name '*.[cho]' ! -name '*~' ! -name '*.log' \
			! -path ./configure ! -name config.status -print | sort | xargs awk '
			FNR == 1 && (/^#!.*(bash|bats|[\/ ]sh)/ || FILENAME ~ /\.(bash|bats)$/) {
				print substr(FILENAME, 3)
			}
			FNR == 1 { nextfile }'
	)
}
