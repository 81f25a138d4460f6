#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

# Hostile images, arguments and records.  Each test has the number of the hole that it stands for; before each attack
# the same container runs without it, so that no refusal passes by accident.

control() {
	run_container
	mkdir -p "$T/out"
	chmod 777 "$T/out"
}

untouched() {
	is "$(ls -A "$T/out")" ''
}

without_dev() {
	config_set '.mounts |= map(select(.destination | startswith("/dev") | not))'
}

@test "CVE-2026-41579: /dev of the image is a link to the host" {
	without_dev
	control
	rm -rf "${ROOTFS:?}/dev"
	ln -s "$T/out" "$ROOTFS/dev"
	try kist run --bundle "$BUNDLE" "$ID"
	untouched
}

@test "CVE-2026-88264, CVE-2025-52565: /dev/console of the image is a link to the host" {
	without_dev
	control
	config_set '.process.terminal = true'
	ln -s "$T/out/created" "$ROOTFS/dev/console"
	listen tty "$T/socket"
	try kist create --console-socket "$T/socket" --bundle "$BUNDLE" "$ID"
	kist delete --force "$ID" || true
	stop_helper
	untouched
	touch "$T/out/created"
	listen tty "$T/socket2"
	try kist create --console-socket "$T/socket2" --bundle "$BUNDLE" "$ID"
	is "$(grep -c "$T/out" /proc/self/mountinfo)" 0
	kist delete --force "$ID" || true
	stop_helper
}

@test "CVE-2026-88265: /dev/null of the image is a link, a file, a fifo" {
	without_dev
	control
	shell 'stat -Lc "%F" /proc/self/fd/0 >/seen; echo to out; echo to err >&2'
	local kind
	for kind in link file fifo; do
		rm -f "$ROOTFS/dev/null" "$ROOTFS/seen"
		case $kind in
		link) ln -s "$T/out/null" "$ROOTFS/dev/null" ;;
		file) echo trap >"$ROOTFS/dev/null" ;;
		fifo) mkfifo "$ROOTFS/dev/null" ;;
		esac
		try timeout 10 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
		[ "$status" -ne 124 ] || fail "$kind: it hangs"
		[ "$status" -ne 0 ] || { output_has 'to out'; grep -q 'character special' "$ROOTFS/seen"; }
		kist delete --force "$ID" 2>/dev/null || true
	done
	untouched
}

@test "CVE-2025-31133: masks do not come from the image's /dev/null" {
	without_dev
	config_set '.linux.maskedPaths += ["/secret"]'
	echo hidden >"$ROOTFS/secret"
	control
	echo evil >"$ROOTFS/dev/other"
	rm -f "$ROOTFS/dev/null"
	ln -s other "$ROOTFS/dev/null"
	shell 'cat /secret; echo x >/secret; cat /proc/kcore | head -c 5'
	try kist run --bundle "$BUNDLE" "$ID"
	output_lacks evil
	output_lacks hidden
	is "$(<"$ROOTFS/dev/other")" evil
}

@test "CVE-2019-19921: /proc of the image is a link" {
	control
	rmdir "$ROOTFS/proc"
	mkdir "$ROOTFS/elsewhere"
	ln -s elsewhere "$ROOTFS/proc"
	try kist run --bundle "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
}

@test "CVE-2019-16884, CVE-2025-52881: a false /proc" {
	control
	mkdir -p "$T/fake/self/attr" "$T/fake/sys/net/ipv4"
	config_set '.mounts |= [{"destination": "/proc", "source": $fake, "options": ["bind"]}] + map(select(.destination != "/proc"))
		| .linux.sysctl = {"net.ipv4.ip_forward": "1"}' --arg fake "$T/fake"
	try kist run --bundle "$BUNDLE" "$ID"
	is "$(find "$T/fake" -type f)" ''
}

@test "CVE-2024-21626: no way out through a descriptor as working directory" {
	control
	local fd
	for fd in 3 4 5 6 7 8 9 10 11; do
		config_set ".process.cwd = \"/proc/self/fd/$fd/../../..\""
		shell 'ls -d usr lib64 2>/dev/null'
		try kist run --bundle "$BUNDLE" "$ID"
		[[ $output != *$'usr\n'* && $output != *lib64* ]] || fail "descriptor $fd leads out"
		kist delete -f "$ID" 2>/dev/null
	done
	config_set '.process.cwd = "/"'
	start_container
	for fd in 3 4 5 6 7 8 9 10 11; do
		try kist exec --cwd "/proc/self/fd/$fd" "$ID" ls -d usr
		[ "$status" -ne 0 ] || fail "descriptor $fd leads out"
	done
}

@test "CVE-2024-21626: the image's own cwd is a link to a descriptor" {
	control
	ln -s /proc/self/fd/7/../../.. "$ROOTFS/work"
	config_set '.process.cwd = "/work"'
	shell 'ls -d usr'
	try kist run --bundle "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
}

@test "CVE-2026-55686: a cwd that is made stays in the image" {
	control
	ln -s "$T/out" "$ROOTFS/work"
	config_set '.process.cwd = "/work/made"'
	try kist run --bundle "$BUNDLE" "$ID"
	untouched
}

@test "CVE-2019-18837: mount destinations that are links" {
	mkdir "$T/source"
	control
	ln -s "$T/out" "$ROOTFS/a"
	ln -s / "$ROOTFS/b"
	ln -s ../../../../../../../.. "$ROOTFS/c"
	config_set '.mounts += [{"destination": "/a/x", "source": $s, "options": ["bind"]}, {"destination": "/a/y", "type": "tmpfs", "source": "tmpfs"},
		{"destination": "/b/\($t)/out/z", "source": $s, "options": ["bind"]}, {"destination": "/c/\($t)/out/w", "type": "tmpfs", "source": "tmpfs"}]' \
		--arg s "$T/source" --arg t "$T"
	try kist run --bundle "$BUNDLE" "$ID"
	untouched
	is "$(grep -c "$T/out" /proc/self/mountinfo)" 0
}

@test "CVE-2024-45310, CVE-2021-30465: directories and links change places while mounts are made (short form)" {
	mkdir -p "$T/source" "$ROOTFS/race"
	config_set '.mounts += [{"destination": "/race/dir/sub/deeper", "source": $s, "options": ["bind"]}]' --arg s "$T/source"
	control
	mkdir -p "$ROOTFS/race/real"
	(set +e; while :; do
		rm -rf "$ROOTFS/race/dir"
		ln -s "$T/out" "$ROOTFS/race/dir"
		rm -rf "$ROOTFS/race/dir"
		mkdir "$ROOTFS/race/dir"
	done) >/dev/null 2>&1 3>&- &
	local i changer=$! tries=40
	[ -z "${KIST_TEST_LONG:-}" ] || tries=2000
	for ((i = 0; i < tries; i++)); do
		kist run --bundle "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null 3>&- || true
		[ -z "$(ls -A "$T/out")" ] || break
	done
	kill $changer
	wait $changer 2>/dev/null || true
	untouched
}

@test "CVE-2026-47262: passwd is a fifo, a device, a link out, very large" {
	printf 'root:x:0:0::/from-passwd:\n' >"$ROOTFS/etc/passwd"
	config_set '.process.env |= map(select(startswith("HOME=") | not))'
	shell 'echo $HOME'
	container_says /from-passwd
	local kind
	local kinds="fifo link large"
	ordinary_user || kinds+=" device"
	for kind in $kinds; do
		rm -f "$ROOTFS/etc/passwd"
		case $kind in
		fifo) mkfifo "$ROOTFS/etc/passwd" ;;
		device) mknod "$ROOTFS/etc/passwd" c 1 5 ;;
		link) ln -s "$T/passwd" "$ROOTFS/etc/passwd"; echo 'root:x:0:0::/from-host:' >"$T/passwd" ;;
		large) truncate -s 2G "$ROOTFS/etc/passwd" ;;
		esac
		try timeout 10 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
		[ "$status" -ne 124 ] || fail "$kind: it hangs"
		output_lacks from-host
	done
}

@test "CVE-2024-40635, CVE-2026-30892: users that do not fit are not root" {
	control
	start_container
	local user
	for user in 4294967296 -1 18446744073709551616 4294967295; do
		try kist exec --user "$user" "$ID" id -u
		[ "$status" -ne 0 ] || fail "--user $user ran as $output"
	done
}

@test "CVE-2016-3697: a number is a number, whatever passwd calls so" {
	printf '1000:x:0:0::/:\n' >"$ROOTFS/etc/passwd"
	start_container
	ok kist exec --user 1000 "$ID" id -u
	is "$output" 1000
}

@test "CVE-2022-29162: nothing is inheritable" {
	control
	start_container
	ok kist exec --cap CAP_NET_RAW "$ID" grep CapInh /proc/self/status
	is "${output##*$'\t'}" 0000000000000000
}

@test "CVE-2022-0811: sysctl values cannot smuggle another" {
	control
	config_set '.linux.sysctl = {"kernel.shm_rmid_forced": "1+kernel.core_pattern=|/evil"}'
	refused 1 'kernel.shm_rmid_forced' kist run --bundle "$BUNDLE" "$ID"
}

@test "CVE-2025-23266: the image's environment does not reach hooks" {
	control
	printf '#!/bin/sh\nenv >"%s/hook-env"\n' "$T" >"$T/hook"
	chmod +x "$T/hook"
	config_set '.process.env += ["LD_PRELOAD=/evil.so", "EVIL=1"] | .hooks.createRuntime = [{"path": $hook}] | .hooks.createContainer = [{"path": $hook}]' --arg hook "$T/hook"
	run_container
	is "$(grep -c -e EVIL -e LD_PRELOAD "$T/hook-env")" 0
}

@test "CVE-2021-41103, CVE-2015-1331: the state belongs to its owner alone" {
	start_container
	is "$(stat -c %a "$ROOT")" 700
	is "$(stat -c %a "$ROOT/$ID")" 700
	is "$(find "$ROOT" -perm /077 ! -type l ! -type s)" ''
}

abstract_sockets() {
	grep -o ' @.*' | sort
}

@test "CVE-2020-15257: no abstract socket" {
	local before
	before=$(abstract_sockets </proc/net/unix)
	args sleep 1000
	create_container
	is "$(abstract_sockets </proc/net/unix)" "$before"
	# Before that an ordinary user cannot look inside.
	! ordinary_user || ok kist start "$ID"
	is "$(kist exec "$ID" cat /proc/net/unix | abstract_sockets)" ''
}

@test "a pid file that is a link is replaced, not followed" {
	control
	echo precious >"$T/precious"
	ln -s "$T/precious" "$T/pid"
	args sleep 1000
	create_container --pid-file "$T/pid"
	is "$(<"$T/precious")" precious
}

@test "ids cannot leave the state root" {
	mkdir -p "$ROOT" "$T/precious"
	local id
	for id in .. ../precious /etc . ./. '' a/..; do
		try kist delete --force -- "$id"
		try kist create --bundle "$BUNDLE" -- "$id"
		[ "$status" -ne 0 ] || fail "the id \"$id\" was accepted"
	done
	[ -d "$T/precious" ]
	[ -d "$ROOT" ]
}

@test "device paths cannot leave the root" {
	control
	ln -s "$T/out" "$ROOTFS/link"
	local path
	for path in /link/dev "/dev/../../../../../../../../../$T/out/dev" "../../../../../../../$T/out/dev"; do
		config_set '.linux.devices = [{"path": $path, "type": "c", "major": 1, "minor": 3}]' --arg path "$path"
		try kist run --bundle "$BUNDLE" "$ID"
	done
	untouched
}

@test "annotations change nothing" {
	config_set '.annotations = {"run.oci.hooks.stdout": "\($t)/out/1", "run.oci.hooks.stderr": "\($t)/out/2", "run.oci.handler": "krun",
		"org.systemd.property.ExecStartPre": "touch \($t)/out/3", "run.oci.seccomp_bpf_data": "AA==", "module.wasm.image/variant": "compat",
		"run.oci.delegate-cgroup": "../../x"}' --arg t "$T"
	mkdir "$T/out"
	try kist run --bundle "$BUNDLE" "$ID"
	untouched
}

@test "a pid that another process has got since is not killed" {
	start_container true
	wait_for stopped
	sleep 1000 3>&- &
	local stranger=$!
	jq -c ".pid = $stranger" "$ROOT/$ID/state.json" >"$T/new"
	cat "$T/new" >"$ROOT/$ID/state.json"
	try kist kill "$ID" KILL
	try kist kill --all "$ID" KILL
	try kist delete --force "$ID"
	kill -0 $stranger || fail "a stranger was killed"
	kill $stranger
	wait $stranger 2>/dev/null || true
}

@test "a record that is damaged in any way can be deleted, and nothing is left" {
	local file damage complaints='' state
	config_cgroup
	args sleep 1000
	for file in state.json intent.json both; do
		for damage in empty gone garbage half nul huge fifo directory link readonly null array; do
			create_container
			for state in "$ROOT/$ID"/{state,intent}.json; do
				[ "$file" = both ] || [ "${state##*/}" = $file ] || continue
				[ "$file" != both ] || [ "${state##*/}" != intent.json ] || [ $damage != readonly ] || continue
				spoil $damage "$state"
			done
			try timeout 20 "$KIST" --root "$ROOT" state "$ID"
			[ "$status" -le 1 ] || complaints+="$file $damage: state: status $status"$'\n'
			try timeout 20 "$KIST" --root "$ROOT" list
			[ "$status" -le 1 ] || complaints+="$file $damage: list: status $status"$'\n'
			try timeout 20 "$KIST" --root "$ROOT" delete --force "$ID"
			[ "$status" -eq 0 ] || complaints+="$file $damage: delete: status $status: $output"$'\n'
			if [ "$file" != both ]; then
				left=$(assert_nothing_left 2>&1) || complaints+="$file $damage: $left"$'\n'
			else
				[ ! -e "$ROOT/$ID" ] || complaints+="$file $damage: the state directory is left"$'\n'
				clean_up_after_both
			fi
		done
	done
	[ -z "$complaints" ] || fail "$complaints"
}

# Without any record, nobody can know what belongs to the id: the state must go, the rest is this test's.
clean_up_after_both() {
	local pid
	see_processes
	for pid in $processes; do
		[[ "$world_processes $BASHPID $$ " == *" $pid "* ]] || kill -KILL "$pid" 2>/dev/null || true
	done
	sleep 0.05
	find "/sys/fs/cgroup$CGROUP_ABOVE" -depth -name "test-$ID" -exec rmdir {} + 2>/dev/null || true
	rm -rf "${ROOT:?}/$ID"
}

spoil() {
	case $1 in
	empty) : >"$2" ;;
	gone) rm "$2" ;;
	garbage) head -c 500 /dev/urandom >"$2" ;;
	half) truncate -s $(($(stat -c %s "$2") / 2)) "$2" ;;
	nul) head -c 500 /dev/zero >"$2" ;;
	huge) truncate -s 1G "$2" ;;
	fifo) rm "$2" && mkfifo "$2" ;;
	directory) rm "$2" && mkdir -p "$2/sub" ;;
	link) mv "$2" "$2.moved" && ln -s "$2.moved" "$2" ;;
	readonly) chmod 0 "$2" ;;
	null) echo null >"$2" ;;
	array) echo '[1]' >"$2" ;;
	esac
}

@test "CVE-2017-5226: no way to push input into the caller's terminal" {
	shell 'cut -d" " -f6 /proc/1/stat; exec 2>/dev/null; true </dev/tty && echo has a terminal'
	try kist run --bundle "$BUNDLE" "$ID"
	output_lacks 'has a terminal'
	start_container
	try kist exec "$ID" sh -c 'true </dev/tty && echo has a terminal'
	output_lacks 'has a terminal'
}

@test "CVE-2016-9962: the container's root cannot look into a process that joins" {
	config_set '.process.capabilities.bounding += ["CAP_SYS_PTRACE"] | .process.capabilities.effective = .process.capabilities.bounding
		| .process.capabilities.permitted = .process.capabilities.bounding'
	start_container sh -c 'while [ ! -e /end ]; do for p in /proc/[0-9]*; do
		[ $p = /proc/1 ] || { ls -l $p/fd $p/cwd $p/root 2>/dev/null >>/seen; }; done; done'
	local i
	for ((i = 0; i < 30; i++)); do
		kist exec "$ID" true </dev/null >/dev/null 2>&1 3>&-
	done
	touch "$ROOTFS/end"
	wait_for stopped
	! grep -q -e "$T" -e /sys/fs -e 'state' "$ROOTFS/seen" || fail "$(grep -e "$T" -e /sys/fs -e state "$ROOTFS/seen" | head)"
}

@test "a set-user-ID copy refuses to run" {
	need_root "becomes another user"
	cp "$KIST" "$T/suid"
	chmod 4755 "$T/suid"
	refused 1 'set-user-ID' as_user "$T/suid" --version
}

@test "hostile files in /tmp are of no interest" {
	local before
	before=$(ls -A /tmp)
	TMPDIR=/no/such/dir run_container
	is "$(ls -A /tmp)" "$before"
}
