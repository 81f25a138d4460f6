#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "--preserve-fds passes that many from 3 on" {
	shell '(ls /proc/1/fd | xargs); cat <&3; cat <&4'
	kist run --preserve-fds 2 --bundle "$BUNDLE" "$ID" 3< <(echo three) 4< <(echo four) 5</dev/null >"$T/out" 2>&1 </dev/null
	is "$(<"$T/out")" $'0 1 2 3 4\nthree\nfour'
}

@test "a descriptor of the range that is not open is not open in the container either" {
	shell '(ls /proc/1/fd | xargs); cat <&3; cat <&40'
	kist run --preserve-fds 50 --bundle "$BUNDLE" "$ID" 3< <(echo three) 40< <(echo forty) >"$T/out" 2>&1 </dev/null \
		4>&- 10>&-
	is "$(<"$T/out")" $'0 1 2 3 40\nthree\nforty'
}

@test "exec: nor is one of kist's own in its place, which a container with CAP_SYS_PTRACE could see" {
	start_container
	# kist has its log open before it looks at what is to be passed.
	kist --log "$T/log" exec --preserve-fds 10 "$ID" sh -c 'ls /proc/self/fd | xargs; cat <&9' 9< <(echo nine) >"$T/out" 2>&1 </dev/null \
		3>&- 4>&- 10>&-
	# ls has the directory open, as 3.
	is "$(<"$T/out")" $'0 1 2 3 9\nnine'
}

@test "LISTEN_FDS, too, may count descriptors that are not open" {
	shell 'echo "$LISTEN_FDS"; (ls /proc/1/fd | xargs); cat <&4'
	sh -c "LISTEN_FDS=3 LISTEN_PID=\$\$ exec '$KIST' --root '$ROOT' run --bundle '$BUNDLE' '$ID'" \
		3>&- 4< <(echo four) 10>&- >"$T/out" 2>&1 </dev/null
	is "$(<"$T/out")" $'3\n0 1 2 4\nfour'
}

@test "LISTEN_FDS passes descriptors in front, with LISTEN_PID 1" {
	shell 'echo "$LISTEN_FDS $LISTEN_PID"; (ls /proc/1/fd | xargs); cat <&3; cat <&4'
	sh -c "LISTEN_FDS=1 LISTEN_PID=\$\$ exec '$KIST' --root '$ROOT' run --preserve-fds 1 --bundle '$BUNDLE' '$ID'" \
		3< <(echo three) 4< <(echo four) >"$T/out" 2>&1 </dev/null
	is "$(<"$T/out")" $'1 1\n0 1 2 3 4\nthree\nfour'
}

@test "LISTEN_FDS for another process counts for nothing" {
	shell 'echo "${LISTEN_FDS:-none}"; [ -e /proc/1/fd/3 ] || echo closed'
	LISTEN_FDS=1 LISTEN_PID=1 kist run --bundle "$BUNDLE" "$ID" 3</dev/null >"$T/out" 2>&1 </dev/null
	is "$(<"$T/out")" $'none\nclosed'
}

@test "exec --preserve-fds" {
	start_container
	kist exec --preserve-fds 1 "$ID" sh -c 'cat <&3' 3< <(echo three) >"$T/out" 2>&1 </dev/null
	is "$(<"$T/out")" three
}

@test "create keeps them until the program has them" {
	shell 'cat <&3 >/seen; sleep 1000'
	kist create --preserve-fds 1 --bundle "$BUNDLE" "$ID" 3< <(echo three) >"$T/out" 2>&1 </dev/null
	ok kist start "$ID"
	wait_for grep three "$ROOTFS/seen"
}
