#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "root.path may be relative or absolute" {
	config_set '.root.path = $path' --arg path "$ROOTFS"
	run_container
	config_set '.root.path = "rootfs"'
	run_container
	config_set '.root.path = "./rootfs/"'
	run_container
}

@test "a root that is not there, or no directory" {
	config_set '.root.path = "none"'
	refused 1 'none' kist run --bundle "$BUNDLE" "$ID"
	config_set '.root.path = "config.json"'
	refused 1 'config.json' kist run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "the bundle may be the root" {
	cp -al "$ROOTFS"/* "$BUNDLE"
	config_set '.root.path = "."'
	run_container
}

@test "root.readonly" {
	config_set '.root.readonly = true'
	shell 'touch /x; touch /dev/shm/x && echo written'
	run_container
	output_has 'Read-only file system'
	output_has 'written'
	[ ! -e "$ROOTFS/x" ]
}

@test "nothing of the host's mounts is visible, and nothing leads out" {
	shell 'cut -d" " -f5 /proc/self/mountinfo | sort -u; cd /../../..; ls -d bin'
	run_container
	output_lacks "$T"
	output_lacks '/run/etc'
	output_has 'bin'
}

@test "the default links and devices of /dev" {
	shell 'cd /dev; for l in fd stdin stdout stderr ptmx; do echo $l $(readlink $l); done
		for d in null zero full random urandom tty; do stat -c "%n %F %t:%T %a" $d; done'
	container_says 'fd /proc/self/fd
stdin /proc/self/fd/0
stdout /proc/self/fd/1
stderr /proc/self/fd/2
ptmx pts/ptmx
null character special file 1:3 666
zero character special file 1:5 666
full character special file 1:7 666
random character special file 1:8 666
urandom character special file 1:9 666
tty character special file 5:0 666'
}

@test "propagation: private, slave, shared, unbindable" {
	local word field
	for word in private slave shared unbindable; do
		config_set ".linux.rootfsPropagation = \"$word\""
		shell "grep ' / / ' /proc/self/mountinfo; cut -d' ' -f5,7 /proc/self/mountinfo | grep '^/ '"
		try kist run --bundle "$BUNDLE" "$ID"
		[ "$status" -eq 0 ] || fail "$word:" "$output"
		case $word in
		private) field='/ -' ;;
		slave) continue ;; # of a mount that is shared outside only
		*) field="/ $word" ;;
		esac
		output_has "$field"
	done
}

@test "a mount made in the container is not seen outside, with the default propagation" {
	config_set '.process.capabilities.effective += ["CAP_SYS_ADMIN"] | .process.capabilities.bounding += ["CAP_SYS_ADMIN"]
		| .process.capabilities.permitted += ["CAP_SYS_ADMIN"]'
	start_container sh -c 'mount -t tmpfs tmpfs /tmp; touch /tmp/inside; sleep 1000'
	wait_for enter "$(pid_of)" --mount test -e /tmp/inside
	is "$(ls "$ROOTFS/tmp")" ''
	is "$(grep -c "$ROOTFS" /proc/self/mountinfo)" 0
}

@test "without a mount namespace: chroot" {
	need_root "makes devices"
	config_set '.linux.namespaces |= map(select(.type != "mount")) | .mounts = [] | del(.linux.maskedPaths, .linux.readonlyPaths)'
	shell 'ls /'
	run_container
	output_has 'bin'
	output_lacks 'usr'
}

@test "--no-pivot" {
	shell 'ls /'
	run_container --no-pivot
	output_lacks 'usr'
}

@test "a root file system on tmpfs" {
	need_root "mounts"
	mkdir "$T/tmpfs"
	mount -t tmpfs tmpfs "$T/tmpfs"
	cp -a "$ROOTFS" "$T/tmpfs/rootfs"
	config_set '.root.path = $path' --arg path "$T/tmpfs/rootfs"
	try kist run --bundle "$BUNDLE" "$ID"
	umount "$T/tmpfs"
	is "$status" 0
}

@test "a root file system on overlay, given as the mount point itself" {
	need_root "mounts"
	mkdir "$T/upper" "$T/work" "$T/merged"
	mount -t overlay -o "lowerdir=$ROOTFS,upperdir=$T/upper,workdir=$T/work" overlay "$T/merged"
	config_set '.root.path = $path' --arg path "$T/merged"
	shell 'echo made >/made'
	try kist run --bundle "$BUNDLE" "$ID"
	umount "$T/merged"
	is "$status" 0
	is "$(<"$T/upper/made")" made
}

@test "errors have the position and the member" {
	config_set '.root.path = "none"'
	local line
	line=$(grep -n '"none"' "$BUNDLE/config.json" | cut -d: -f1)
	refused 1 "config.json:$line:*: root.path: open the root file system none: no such file" kist run --bundle "$BUNDLE" "$ID"
	config_set '.root.path = "config.json"'
	refused 1 "config.json:*: root.path: open the root file system config.json: not a directory" kist run --bundle "$BUNDLE" "$ID"
}
