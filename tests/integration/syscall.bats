#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

# System calls that an older kernel or an outer filter answers with an error: what the container gets must be the same,
# or there must be no container.  strace plays the kernel.

setup() {
	setup_container
	need_strace
	config_set '.linux.sysctl = {"net.ipv4.ip_unprivileged_port_start": "77"} | .process.oomScoreAdj = 500
		| .process.user = {"uid": 1000, "gid": 1000, "additionalGids": [5, 6]}
		| .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["swapon"], "action": "SCMP_ACT_ERRNO"}]}'
	args sh -c "$LOOK"
	expected=$(looked kist run --bundle "$BUNDLE" "$ID")
	[[ $expected == *CapBnd* ]]
}

# What a lost step would change.
LOOK='grep -E "^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)" /proc/self/status; cut -d" " -f5,6 /proc/self/mountinfo | sort
cat /proc/self/oom_score_adj /proc/sys/net/ipv4/ip_unprivileged_port_start; sed "s/.*://" /proc/self/cgroup | sort -u
echo x >/proc/sys/kernel/domainname; cut -d" " -f6 /proc/$$/stat; umask; pwd'

looked() {
	"$@" 2>&1 </dev/null 3>&-
}

# without CALLS ERRNO [WHEN]: a container as expected, or an error; then nothing is left.
without() {
	local say
	say=$(looked timeout 30 strace -f -qq -o /dev/null -e "inject=$1:error=$2${3:+:when=$3}" \
		"$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID") || [[ $say == *kist:* ]] || fail "$1 $2: $say"
	[[ $say == *kist:* ]] || [ "$say" = "$expected" ] || fail "$1 $2:" "$(diff <(echo "$expected") <(echo "$say"))"
	kist delete --force "$ID" >/dev/null 2>&1 || fail "$1 $2: delete"
	assert_nothing_left
}

# works_without CALLS ERRNO: there is another way.
works_without() {
	without "$@"
	is "$(looked strace -f -qq -o /dev/null -e "inject=$1:error=$2" "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID")" \
		"$expected"
}

MOUNT_API=fsopen,fsmount,fsconfig,fspick,open_tree,move_mount,mount_setattr

@test "without the new mount API" {
	works_without $MOUNT_API ENOSYS
	works_without open_tree EPERM
	works_without mount_setattr ENOSYS
	without $MOUNT_API EPERM
	without move_mount ENOSYS
}

@test "without clone3, close_range and pidfds" {
	works_without clone3 ENOSYS
	works_without close_range ENOSYS
	works_without close_range EPERM
	works_without pidfd_open ENOSYS
	without clone3 EPERM
}

@test "without openat2 there is no container" {
	without openat2 ENOSYS
	[[ $(looked strace -f -qq -o /dev/null -e inject=openat2:error=ENOSYS "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID") == *"not implemented"* ]]
}

@test "one call fails once: the container is as expected, or there is none" {
	local call when
	# Each of these once lost something without a word.
	without move_mount ENOSYS 12
	without clone3 EPERM 1
	without prctl ENOMEM 2
	without write ENOSPC 2
	without openat2 EAGAIN 8
	[ -n "${KIST_TEST_LONG:-}" ] || return 0
	for call in clone3 openat2 openat open_tree move_mount fsmount fsopen mount_setattr mmap read write close setgroups \
		setresuid setresgid capset prctl seccomp sendmsg recvmsg poll mkdirat unlinkat symlinkat mknodat memfd_create; do
		for when in 1 2 3 5 8 13; do
			without $call ENOMEM $when
		done
	done
}

# content ERRNO: each move_mount() and open_tree() of a run fails once.  The mounts are of every kind: a file system, a
# bind, an idmapped bind, cgroups, a device that is bound, masks, a read-only path.
content() {
	local call when say good
	good=$(looked kist run --bundle "$BUNDLE" "$ID")
	[[ $good == *bound*mapped* ]] || fail "the control: $good"
	for call in move_mount open_tree; do
		for ((when = 1; ; when++)); do
			say=$(looked timeout 30 strace -f -qq -o "$T/trace" -e "inject=$call:error=$1:when=$when" \
				"$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID") || [[ $say == *kist:* ]] || fail "$call $when: $say"
			[[ $say == *kist:* ]] || [ "$say" = "$good" ] ||
				fail "$call $when, $1: other content:" "$(diff <(echo "$good") <(echo "$say"))"
			kist delete --force "$ID" >/dev/null 2>&1 || fail "$call $when: delete"
			# Behind the last one of the process that has the most.
			grep -q INJECTED "$T/trace" || break
		done
		[ "$when" -gt 4 ] || fail "$call failed only $((when - 1)) times"
	done
	assert_nothing_left
}

config_content() {
	mkdir "$T/bound" "$T/mapped" "$ROOTFS/bound" "$ROOTFS/mapped"
	touch "$T/bound/bound" "$T/mapped/mapped" "$ROOTFS/bound/image" "$ROOTFS/mapped/image"
	config_set '.mounts += [{"destination": "/bound", "source": "\($t)/bound", "options": ["bind", "ro"]},
		{"destination": "/mapped", "source": "\($t)/mapped", "options": ["bind"],
			"uidMappings": [{"containerID": 0, "hostID": 1000, "size": 100}],
			"gidMappings": [{"containerID": 0, "hostID": 2000, "size": 100}]}]
		| .linux.maskedPaths = ["/proc/keys", "/proc/scsi"] | .linux.readonlyPaths = ["/proc/sys"]' --arg t "$T"
	shell 'ls -1 /bound; ls -n1 /mapped; ls /sys /sys/fs/cgroup /dev /proc/scsi; cat /proc/keys; find /sys/fs/cgroup -name "*.procs" | sort
		cut -d" " -f4,5,6 /proc/self/mountinfo | sort; head -c1 /dev/zero | wc -c'
}

@test "a mount that cannot be attached or copied is an error: nothing else is mounted in its place" {
	local errno
	config_content
	for errno in ELOOP EPERM EINVAL ENOENT; do
		content $errno
	done
}

@test "the same in a user namespace, where /sys and devices are the host's" {
	config_content
	config_userns
	config_set '.mounts |= map(select(.type != "mqueue")) | .linux.namespaces |= map(select(.type != "network" and .type != "ipc"))
		| del(.linux.sysctl) | .mounts[-1] |= (del(.uidMappings, .gidMappings) | .options += ["idmap"])'
	for errno in ELOOP EPERM EINVAL ENOENT; do
		content $errno
	done
}
