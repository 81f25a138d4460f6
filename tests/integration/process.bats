#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "args, cwd and env" {
	mkdir "$ROOTFS/work"
	config_set '.process.cwd = "/work" | .process.env += ["ONE=1", "TWO=2 and 3"]'
	args sh -c 'pwd; echo "$ONE $TWO"; echo "$0 $1"' a 'b  c'
	container_says $'/work\n1 2 and 3\na b  c'
}

@test "of env entries with the same name the last one counts" {
	config_set '.process.env += ["X=1", "X=2"]'
	shell 'tr "\0" "\n" </proc/1/environ | grep ^X='
	container_says X=2
}

@test "a cwd that is not there is made" {
	config_set '.process.cwd = "/new/deep/dir"'
	args pwd
	container_says /new/deep/dir
}

@test "a cwd that is no directory is refused" {
	config_set '.process.cwd = "/bin/busybox"'
	refused 1 '/bin/busybox*not a directory' kist run --bundle "$BUNDLE" "$ID"
}

@test "a cwd that the user may not enter is entered as root, before the user is switched, as engines rely on" {
	mkdir -m 700 "$ROOTFS/closed"
	config_set '.process.cwd = "/closed" | .process.user = {"uid": 1000, "gid": 1000}'
	shell 'pwd; ls / >/dev/null; ls . 2>&1; id -u'
	container_says $'/closed\nls: .: Permission denied\n1000'
}

@test "a cwd that neither root nor the user may enter is refused" {
	# Root of a user namespace, without its capabilities over files that others own.
	config_userns
	mkdir "$ROOTFS/closed"
	chmod 000 "$ROOTFS/closed"
	chown_inside 0:0 "$ROOTFS/closed"
	! ordinary_user || skip "the file's owner is the user itself"
	chown 1:1 "$ROOTFS/closed"
	config_set '.process.cwd = "/closed"'
	refused 1 'chdir to cwd /closed set in config.json: permission denied' kist run --bundle "$BUNDLE" "$ID"
}

@test "the program is found by the container's PATH" {
	mkdir "$ROOTFS/tools"
	ln -s /bin/busybox "$ROOTFS/tools/echo"
	config_set '.process.env = ["PATH=/none:/tools"]'
	args echo found
	container_says found
	# Without PATH it is searched where a login would, and so in /bin, but not in /tools.
	config_set '.process.env = []'
	container_says found
	mv "$ROOTFS/tools/echo" "$ROOTFS/tools/tool"
	args tool
	refused 1 'exec: "tool": executable file not found in $PATH' kist run --bundle "$BUNDLE" "$ID"
	config_set '.process.env = ["PATH=/none"]'
	args echo
	refused 1 'exec: "echo": executable file not found in $PATH' kist run --bundle "$BUNDLE" "$ID"
	config_set '.process.env = ["PATH="]'
	refused 1 'exec: "echo": executable file not found in $PATH' kist run --bundle "$BUNDLE" "$ID"
}

@test "a program without a name is one that is not found, in the words that engines know" {
	args ''
	refused 1 'config.json:*: process.args[[]0]: exec: "": executable file not found in $PATH' kist create --bundle "$BUNDLE" "$ID"
	assert_nothing_left
	start_container
	refused 255 'exec: "": executable file not found in $PATH' kist exec "$ID" ''
	jq '.process | .args = [""]' "$BUNDLE/config.json" >"$T/process.json"
	refused 255 'exec: "": executable file not found in $PATH' kist exec --process "$T/process.json" "$ID"
}

@test "a relative program is found from the cwd" {
	mkdir "$ROOTFS/tools"
	printf '#!/bin/sh\necho relative\n' >"$ROOTFS/tools/run"
	chmod +x "$ROOTFS/tools/run"
	config_set '.process.cwd = "/tools"'
	args ./run
	container_says relative
}

@test "why a program cannot be executed" {
	printf '#!/no/interpreter\n' >"$ROOTFS/script"
	printf '#!/bin/sh\r\necho x\r\n' >"$ROOTFS/crlf"
	printf '\x7fELF garbage' >"$ROOTFS/garbage"
	printf 'no format' >"$ROOTFS/noformat"
	chmod +x "$ROOTFS"/{script,crlf,garbage,noformat}
	args /script
	refused 255 '/no/interpreter does not exist' kist run --bundle "$BUNDLE" "$ID"
	args /crlf
	refused 255 'CR LF' kist run --bundle "$BUNDLE" "$ID"
	args /garbage
	refused 255 'exec format error' kist run --bundle "$BUNDLE" "$ID"
	args /noformat
	refused 255 'exec format error' kist run --bundle "$BUNDLE" "$ID"
}

@test "no_new_privs" {
	args grep NoNewPrivs /proc/self/status
	container_says $'NoNewPrivs:\t1'
	config_set '.process.noNewPrivileges = false'
	container_says $'NoNewPrivs:\t0'
}

@test "personality" {
	[ "$(uname -m)" = x86_64 ] || skip "for 64-bit machines with a 32-bit personality"
	setarch i686 true 2>/dev/null || skip "the kernel has no 32-bit personality"
	config_set '.linux.personality = {"domain": "LINUX32"}'
	args uname -m
	container_says i686
}

@test "a long list of arguments, and a very long one" {
	config_set '.process.args = (["echo"] + [range(2000) | tostring])'
	run_container
	output_has ' 1999'
	config_set '.process.args = ["echo", $long]' --arg long "$(long 130000)"
	ok kist run --bundle "$BUNDLE" "$ID"
	config_set '.process.args += [.process.args[1] + .process.args[1]]'
	refused 255 'argument list too long' kist run --bundle "$BUNDLE" "$ID"
}

# ignores COMMAND...: as conmon and other engines ignore SIGPIPE, and a few more.
ignores() {
	ok env --default-signal --ignore-signal=PIPE,CHLD,USR1,TERM "$@"
}

@test "signals that an engine ignores have their default in the container" {
	args grep SigIgn /proc/self/status
	ignores "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	is "$output" $'SigIgn:\t0000000000000000'
	start_container
	ignores "$KIST" --root "$ROOT" exec "$ID" grep SigIgn /proc/self/status
	is "$output" $'SigIgn:\t0000000000000000'
	kist delete --force "$ID"
	args sleep 1000
	ignores "$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
	ok kist start "$ID"
	ok grep SigIgn "/proc/$(pid_of)/status"
	is "$output" $'SigIgn:\t0000000000000000'
}

# Groups stand before signals in /proc/self/status, and fill its first pages.
@test "a caller in a thousand groups" {
	need_root "takes groups"
	args grep SigIgn /proc/self/status
	ignores setpriv --groups "$(seq -s, 1000 1999)" "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	is "$output" $'SigIgn:\t0000000000000000'
}

@test "what nohup and a shell's background ignore stays ignored" {
	args grep SigIgn /proc/self/status
	ok sh -c 'trap "" HUP INT; exec "$@"' sh "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	is "$output" $'SigIgn:\t0000000000000003'
}

@test "a caller that ignores SIGCHLD gets the container's status" {
	shell 'exit 7'
	try env --ignore-signal=CHLD "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	is "$status" 7
	start_container
	try env --ignore-signal=CHLD "$KIST" --root "$ROOT" exec "$ID" sh -c 'exit 8'
	is "$status" 8
}

@test "a working directory that is missing is made, also in a read-only root" {
	config_set '.root.readonly = true | .process.cwd = "/new/dir"'
	args pwd
	container_says /new/dir
	[ -d "$ROOTFS/new/dir" ]
}
