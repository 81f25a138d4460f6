#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers
load attack

# Another container shares a directory, and exchanges what is in it while mounts, devices and files are made there.  It
# wins within a few dozen tries where a path is walked twice.  Tries: 60 to 120, with KIST_TEST_LONG 600 each.

tries() {
	echo "${KIST_TEST_LONG:+600}" | grep . || echo "$1"
}

teardown() {
	stop_swaps
	! mountpoint -q "$ROOTFS/data" || umount "$ROOTFS/data"
	teardown_container
}

# swap A B: exchanges the two until stop_swaps.
swap() {
	"$ADVERSARY" swap "$1" "$2" 2>"$T/swapping" 3>&- &
	swaps+=" $!"
	wait_for grep -q ready "$T/swapping"
}

stop_swaps() {
	local pid
	for pid in ${swaps:-}; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	swaps=
}

# race TRIES CHECK...: runs the container, and the check after each run; counts the runs that came to their end.
race() {
	local i n=$1 good=0
	shift
	for ((i = 0; i < n; i++)); do
		status=0
		timeout 30 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID" >"$T/output" 2>&1 </dev/null 3>&- || status=$?
		[ $status -ne 124 ] || fail "try $i: it hangs"
		[ $status -ne 0 ] || good=$((good + 1))
		"$@" || fail "try $i: status $status" "$(<"$T/output")"
	done
	[ $good -gt 0 ] || fail "all of $n runs failed, so nothing was shown" "$(<"$T/output")"
}

# What lies in $T/out, which the links lead to, is what the test has put there.
out_is_as_before() {
	[ "$(ls -A "$T/out")" = "${there:-}" ]
}

# Where it came to its end, the container has its mounts: none has gone elsewhere.
mounts_are_there() {
	out_is_as_before || return 1
	[ "$status" -ne 0 ] || [ "$(<"$T/output")" = "$wanted" ]
}

# Defence: path_mkdirs() and path_newfile() in base/path.c make each name in a descriptor of the directory before it (each made it
# by path, after a look).
@test "CVE-2024-45310: no directory and no file is made on the host while directories and links change places" {
	mkdir -p "$T/source" "$ROOTFS/race/a"
	touch "$T/source/file"
	config_set '.mounts += [{"destination": "/race/a/sub/deeper", "source": $s, "options": ["bind"]},
		{"destination": "/race/a/other/file", "source": "\($s)/file", "options": ["bind"]},
		{"destination": "/race/a/direct", "source": "\($s)/file", "options": ["bind"]}] | .process.cwd = "/race/a/cwd/made"' --arg s "$T/source"
	control
	ln -s "$T/out" "$ROOTFS/race/b"
	swap "$ROOTFS/race/a" "$ROOTFS/race/b"
	race_clean() {
		out_is_as_before || return 1
		# A name that has become the link meanwhile is no matter.
		rm -rf "${ROOTFS:?}"/race/[ab]/{sub,other,direct,cwd} "${ROOTFS:?}$T" 2>/dev/null || true
	}
	race "$(tries 100)" race_clean
}

# Defence: mnt_attach() in base/mnt.c mounts on the descriptor that open_destination() checked, not on a path.
@test "CVE-2021-30465, CVE-2015-3629, CVE-2026-41568, CVE-2026-42306: no mount goes elsewhere while directories and links change places" {
	mkdir -p "$T/source" "$ROOTFS/race/a/sub"
	config_set '.mounts += [{"destination": "/race/a/sub", "source": $s, "options": ["bind"]}, {"destination": "/race/a/sub2", "type": "tmpfs", "source": "race"}]' \
		--arg s "$T/source"
	shell 'grep -c -e "/sub " -e "/sub2 " /proc/self/mountinfo'
	control
	wanted=2
	container_says 2
	ln -s "$T/out" "$ROOTFS/race/b"
	mkdir -p "$T/out/sub" "$T/out/sub2"
	there=$'sub\nsub2'
	swap "$ROOTFS/race/a" "$ROOTFS/race/b"
	race "$(tries 100)" mounts_are_there
}

# Defence: mnt_attach() in base/mnt.c mounts on what open_destination() has opened, not on a path.
@test "CVE-2019-19921: /proc is a procfs at /proc, or there is no container, while a link takes its place" {
	shell 'grep -c " /proc .* - proc " /proc/self/mountinfo'
	control
	wanted=1
	container_says 1
	mkdir "$ROOTFS/elsewhere"
	ln -s elsewhere "$ROOTFS/link"
	swap "$ROOTFS/proc" "$ROOTFS/link"
	race_proc() { [ "$status" -ne 0 ] || [ "$(<"$T/output")" = 1 ]; }
	# For the program, too, the names change places: it looks under both, for the number of the one mount, until it has
	# looked under one while the mount was there.
	shell 'for i in $(seq 200); do
		n=$(cat /proc/self/mountinfo /elsewhere/self/mountinfo /link/self/mountinfo 2>/dev/null | grep " / .* - proc " | cut -d" " -f1 | sort -u | wc -l)
		[ "$n" = 0 ] || break
	done
	echo "$n"'
	race "$(tries 60)" race_proc
}

# Defence: O_NOFOLLOW in copy_file() and copy_subdirectory() of mount_copyup.c, which act on what they opened.
@test "CVE-2022-23648: tmpcopyup copies nothing of the host while files and links change places" {
	local i
	mkdir "$T/host" "$ROOTFS/data"
	# Names change places many times faster there, and the time between two system calls is short.
	ordinary_user || mount -t tmpfs none "$ROOTFS/data"
	echo from-host >"$T/host/secret"
	for i in 1 2 3 4 5 6 7 8 9; do
		mkdir "$ROOTFS/data/$i"
		echo from-image >"$ROOTFS/data/$i/secret"
	done
	echo from-image >"$ROOTFS/data/file"
	# A dozen copies in a run, each of which must be hit between two system calls.
	config_set '.mounts += [range(0; 12) | {"destination": "/copy\(.)", "source": $data, "options": ["bind"]},
		{"destination": "/copy\(.)", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}]' --arg data "$ROOTFS/data"
	shell 'cat /copy*/file /copy*/link /copy*/*/secret 2>/dev/null; echo end'
	control
	output_has from-image
	ln -s "$T/host/secret" "$ROOTFS/data/link"
	ln -s "$T/host" "$ROOTFS/data/dir"
	swap "$ROOTFS/data/file" "$ROOTFS/data/link"
	swap "$ROOTFS/data/5" "$ROOTFS/data/dir"
	race_copy() { ! grep -q from-host "$T/output"; }
	race "$(tries 120)" race_copy
}

# Defence: open_dev() in device.c opens /dev once; nodes and links are made in that descriptor.
@test "CVE-2026-41579: no device and no link is made on the host while /dev changes places with a link" {
	need_root "makes devices"
	without_dev
	shell 'true'
	control
	ln -s "$T/out" "$ROOTFS/link"
	swap "$ROOTFS/dev" "$ROOTFS/link"
	race_devices() {
		out_is_as_before || return 1
		find "$ROOTFS/dev/" "$ROOTFS/link/" -mindepth 1 \( -type l -o -type c \) -not -path "$T/out/*" -delete 2>/dev/null || true
	}
	race "$(tries 100)" race_devices
}

# Defence: O_NOFOLLOW and the descriptor of device_console_run() in device.c (each was taken away).
@test "CVE-2025-52565, CVE-2026-88264: the terminal is on /dev/console, or there is no container, while a link takes its place" {
	without_dev
	config_set '.mounts += [{"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance", "ptmxmode=0666"]}]
		| .process.terminal = true'
	shell 'grep -c " - devpts " /proc/self/mountinfo'
	mkdir "$T/out"
	touch "$T/out/there" "$ROOTFS/dev/console"
	ln -s "$T/out/there" "$ROOTFS/dev/link"
	run_container
	is "${output//$'\r'/}" 2
	swap "$ROOTFS/dev/console" "$ROOTFS/dev/link"
	race_console() { [ "$status" -ne 0 ] || [ "$(tr -d '\r' <"$T/output")" = 2 ]; }
	race "$(tries 100)" race_console
}

# Defence: RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS of path_open() in base/path.c, getcwd() in process_cwd_run() of process.c
# (all were taken away: process_cwd_run() opened the path by itself, process_cwd_make_run() did nothing).  The joining process
# has no number in the container's /proc, so "self" leads nowhere: the links are those of the container's first process.
@test "CVE-2024-21626: exec's working directory is in the container while it changes places with a link out" {
	mkdir "$ROOTFS/a" "$ROOTFS/d" "$T/out"
	echo "the host's" >"$T/out/secret"
	# That process has a directory of the host as a descriptor, and is in it.
	ln -s /proc/1/fd/3 "$ROOTFS/b"
	ln -s /proc/1/cwd "$ROOTFS/c"
	args sh -c 'cd /proc/self/fd/3 && exec sleep 1000'
	"$KIST" --root "$ROOT" run --detach --preserve-fds 1 --bundle "$BUNDLE" "$ID" </dev/null >"$T/output" 2>&1 3<"$T/out" ||
		fail "$(<"$T/output")"
	# The control: both links lead out.
	is "$(kist exec "$ID" cat /b/secret </dev/null)" "the host's"
	wait_for kist exec "$ID" cat /c/secret
	ok kist exec --cwd /a "$ID" pwd
	is "$output" /a
	refused 255 'stage 1: cwd: * symbolic links' kist exec --cwd /b "$ID" cat secret
	refused 255 'stage 1: cwd: * symbolic links' kist exec --cwd /c "$ID" cat secret
	swap "$ROOTFS/a" "$ROOTFS/b"
	swap "$ROOTFS/c" "$ROOTFS/d"
	local i n good=0 cwd
	n=$(tries 120)
	for ((i = 0; i < n; i++)); do
		cwd=/a
		[ $((i % 2)) -eq 0 ] || cwd=/d
		# The directory's own name, by the kernel: below the root, and one of the two.
		try kist exec --cwd $cwd "$ID" sh -c 'readlink /proc/self/cwd; cat secret || true'
		[ "$status" -eq 0 ] || continue
		good=$((good + 1))
		[[ $output =~ ^/[abcd]$'\n' && $output != *"the host's"* ]] || fail "try $i: $output"
	done
	[ $good -gt 0 ] || fail "all of $n failed"
}
