#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Buildah, as the distribution packages it, with kist as its runtime.
# shellcheck disable=SC2016,SC2154,SC2030,SC2031
load ../integration/helpers
load engine

setup_file() {
	command -v buildah >/dev/null || skip "buildah is not installed"
	command -v podman >/dev/null || skip "podman is not installed"
	export P=$BATS_FILE_TMPDIR/podman
	podman_setup "$P"
}

teardown_file() {
	[ ! -e "${P:-/none}" ] || buildah rm --all >/dev/null 2>&1 3>&- || true
}

setup() {
	T=$BATS_TEST_TMPDIR
	NAME=b$BATS_TEST_NUMBER
	ok buildah from --pull-never --name "$NAME" localhost/busybox:test
}

teardown() {
	buildah rm "$NAME" >/dev/null 2>&1 3>&- || true
	is "$(find /run -name intent.json)" ''
}

# Without a network, which is another program's work.  Old versions ask for ambient capabilities that are not inheritable,
# of which runtimes warn.
brun() {
	try buildah run --runtime "$KIST" --isolation oci --network none "$@"
	output=$(grep -v "^kist: warning: .*ambient capabilities cannot be granted" <<<"$output" || true)
}

@test "buildah run: output, status, and what it leaves in the image" {
	brun "$NAME" -- sh -c 'echo hello; echo made >/made'
	is "$status:$output" 0:hello
	brun "$NAME" -- cat /made
	is "$status:$output" 0:made
	brun "$NAME" -- sh -c 'exit 7'
	[ "$status" -ne 0 ]
	output_has 'exit status 7'
}

@test "buildah run: a program that is not there, or has no name, is told" {
	brun "$NAME" -- no-such-program
	[ "$status" -ne 0 ]
	output_has 'exec: "no-such-program": executable file not found in $PATH'
	brun "$NAME" -- ''
	[ "$status" -ne 0 ]
	output_has 'exec: "": executable file not found in $PATH'
}

@test "buildah run: volumes: read-only" {
	mkdir "$T/dir" && echo text >"$T/dir/file"
	brun --volume "$T/dir:/v:ro" "$NAME" -- sh -c 'cat /v/file; touch /v/x 2>/dev/null || echo ro'
	is "$status:$output" $'0:text\nro'
}
