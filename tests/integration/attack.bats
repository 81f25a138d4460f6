#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers
load attack

# Hostile arguments, configurations, records and processes.  Images are in attack_rootfs.bats, races in attack_race.bats.

setup() {
	setup_container
	STRANGER=
}

teardown() {
	[ -z "$STRANGER" ] || kill "$STRANGER" 2>/dev/null || true
	teardown_container
}

# ---- users, groups, capabilities, keys ------------------------------------------------------------------------------

# Defence: str_to_id() in base/str.c takes nothing but digits, parse_integer() in json/json_value.c keeps to the range of the
# member (each was taken away).  STR_ID_MAX has a second place, check_ids() in user.c; both were taken away.
@test "CVE-2024-40635, CVE-2026-30892, CVE-2026-46680: users that do not fit are not root" {
	local user
	start_container
	ok kist exec --user 1 "$ID" id -u
	is "$output" 1
	for user in 4294967296 -1 18446744073709551616 4294967295 '' ' 1' 1x +1 0x1 1: :1; do
		try kist exec --user "$user" "$ID" id -u
		[ "$status" -ne 0 ] || fail "--user \"$user\" ran as $output"
	done
	kist delete --force "$ID"
	args id -u
	config_set '.process.user.uid = 1'
	container_says 1
	cp "$BUNDLE/config.json" "$T/good"
	for user in 4294967296 -1 18446744073709551616 4294967295 '"1"' true 1.5 1e0 '[]'; do
		sed "s/\"uid\": 1,/\"uid\": $user,/" "$T/good" >"$BUNDLE/config.json"
		! cmp -s "$T/good" "$BUNDLE/config.json" || fail "the configuration is as before"
		try kist run --bundle "$BUNDLE" "$ID"
		[ "$status" -ne 0 ] || fail "uid $user ran as $output"
	done
}

# Defence: set_groups() in user.c sets exactly the configured list.
@test "CVE-2022-2989, CVE-2022-2990, CVE-2022-2995, CVE-2022-36109, CVE-2023-25173: the caller's groups stay outside" {
	need_root "has groups to give away"
	args grep Groups: /proc/self/status
	local run=(setpriv --groups "4000,4001" "$KIST" --root "$ROOT")
	ok setpriv --groups "4000,4001" grep Groups: /proc/self/status
	output_has '4000 4001'
	ok "${run[@]}" run --bundle "$BUNDLE" "$ID"
	output_lacks 400
	config_set '.process.user.additionalGids = [77, 78]'
	ok "${run[@]}" run --bundle "$BUNDLE" "$ID"
	output_lacks 400
	output_has '77 78'
	start_container
	ok "${run[@]}" exec "$ID" grep Groups: /proc/self/status
	output_lacks 400
	output_has '77 78'
	ok "${run[@]}" exec --user 5:5 "$ID" grep Groups: /proc/self/status
	output_lacks 400
}

# Defence: capability_run() in capability.c sets the inheritable set too, add_capabilities() in container_exec.c leaves it.
@test "CVE-2022-29162, CVE-2022-27650, CVE-2022-24769, CVE-2025-27612: nothing is inheritable" {
	local run=(setpriv --inh-caps "+net_raw,+chown" "$KIST" --root "$ROOT")
	! ordinary_user || run=("$KIST" --root "$ROOT")
	args grep CapInh /proc/self/status
	if ! ordinary_user; then
		ok setpriv --inh-caps "+net_raw,+chown" grep CapInh /proc/self/status
		output_lacks 0000000000000000
	fi
	ok "${run[@]}" run --bundle "$BUNDLE" "$ID"
	is "${output##*$'\t'}" 0000000000000000
	start_container
	ok "${run[@]}" exec "$ID" grep CapInh /proc/self/status
	is "${output##*$'\t'}" 0000000000000000
	ok "${run[@]}" exec --cap CAP_NET_RAW "$ID" grep Cap /proc/self/status
	output_has $'CapInh:\t0000000000000000'
	output_has $'CapBnd:\t00000000'
	[ $((0x$(sed -n 's/^CapEff:\t//p' <<<"$output") & 1 << 13)) -ne 0 ] || fail "--cap does nothing"
}

# Defence: capability_run() in capability.c raises only the ambient ones that were asked for; and an execve without them
# empties the sets of a user that is not root.
@test "CVE-2016-8867, CVE-2018-10856: a program of another user than root has no capability" {
	config_set '.process.user = {"uid": 1000, "gid": 1000} | .process.capabilities.inheritable = .process.capabilities.permitted'
	args grep Cap /proc/self/status
	run_container
	local set
	for set in CapPrm CapEff CapAmb; do
		output_has "$set:"$'\t0000000000000000'
	done
	config_set '.process.capabilities.ambient = ["CAP_KILL"]'
	run_container
	output_has $'CapAmb:\t0000000000000020'
	config_set 'del(.process.capabilities.ambient, .process.user)'
	start_container
	ok kist exec --user 1000 "$ID" grep Cap /proc/self/status
	for set in CapPrm CapEff CapAmb; do
		output_has "$set:"$'\t0000000000000000'
	done
}

# Defence: the "keyring" rows of both tables in steps.c.
@test "CWE-732: the caller's keys are out of reach, for exec too" {
	[ -e /proc/keys ] || skip "the kernel has no keyrings"
	need_adversary
	local run=("$ADVERSARY" key-add "kist-$ID" "$KIST" --root "$ROOT")
	args adversary key-find "kist-$ID"
	ok "${run[@]}" run --no-new-keyring --bundle "$BUNDLE" "$ID"
	is "$output" ok
	ok "${run[@]}" run --bundle "$BUNDLE" "$ID"
	[ "$output" != ok ] || fail "the container has found it"
	args sleep 1000
	ok "${run[@]}" create --bundle "$BUNDLE" "$ID"
	ok kist start "$ID"
	ok "${run[@]}" exec "$ID" adversary key-find "kist-$ID"
	[ "$output" != ok ] || fail "exec has found it"
}

# ---- the program is as confined as it was asked for -------------------------------------------------------------------

# Defence: each of the rows cgroup-join, oom-score, limits, last-limits, capabilities, bounding, no-new-privs, seccomp of steps_exec in
# steps.c (each was taken away alone).
@test "CVE-2019-10144, CVE-2019-10145, CVE-2019-10147: a process of exec is confined as the first one is" {
	local look='grep -E "^(Cap|NoNewPrivs|Seccomp:|Groups|[UG]id)" /proc/self/status; cat /proc/self/limits /proc/self/oom_score_adj /proc/self/cgroup
		for n in cgroup ipc mnt net pid uts; do readlink /proc/self/ns/$n; done; umask'
	config_cgroup
	config_set '.process.oomScoreAdj = 321 | .process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 123, "hard": 234}, {"type": "RLIMIT_FSIZE", "soft": 77777, "hard": 77777}]
		| .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["swapon"], "action": "SCMP_ACT_ERRNO"}]}'
	local first nnp
	for nnp in true false; do
		config_set ".process.noNewPrivileges = $nnp"
		# Once as another user, whose capabilities an execve does not bring back.
		[ $nnp = true ] || config_set '.process.user = {"uid": 1000, "gid": 1000} | .process.capabilities.inheritable = ["CAP_KILL"]
			| .process.capabilities.ambient = ["CAP_KILL"]'
		[ $nnp = true ] || { : >"$ROOTFS/seen" && chmod 666 "$ROOTFS/seen"; }
		start_container sh -c "{ $look; } >/seen; exec sleep 1000"
		wait_for test -s "$ROOTFS/seen"
		wait_for grep -q '^00' "$ROOTFS/seen"
		first=$(<"$ROOTFS/seen")
		[[ $first == *$'Seccomp:\t2'* && $first == *234*$'\n321\n'* ]] || fail "$first"
		ok kist exec "$ID" sh -c "$look"
		[ "$output" = "$first" ] || fail "$(diff <(echo "$first") <(echo "$output"))"
		ok kist delete --force "$ID"
		rm "$ROOTFS/seen"
	done
}

# Defence: add_rule() in seccomp_program.c passes 64 bits of both values on.
@test "CVE-2019-9893, CVE-2019-7303: arguments of system calls are compared in 64 bits, or as masked" {
	"$KIST" features | jq -e '.linux.seccomp.enabled' >/dev/null || skip "built without seccomp"
	[ "$(uname -m)" = x86_64 ] || skip "the numbers are those of x86-64"
	need_adversary
	config_set '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{"names": ["ioctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 77, "args": [{"index": 1, "value": 4294967295, "valueTwo": 21522, "op": "SCMP_CMP_MASKED_EQ"}]},
		{"names": ["lseek"], "action": "SCMP_ACT_ERRNO", "errnoRet": 78, "args": [{"index": 1, "value": 4294967297, "op": "SCMP_CMP_EQ"}]},
		{"names": ["lseek"], "action": "SCMP_ACT_ERRNO", "errnoRet": 79, "args": [{"index": 1, "value": 8589934592, "op": "SCMP_CMP_GT"}]}]}'
	start_container
	local call want
	while read -r want call; do
		# shellcheck disable=SC2086 # words
		ok kist exec "$ID" adversary syscall $call
		[ "$output" = "$want" ] || fail "$call: $output, not $want"
	done <<-'END'
		77 ioctl 0 0x5412 0
		77 ioctl 0 0x100005412 0
		77 ioctl 0 0xffffffff00005412 0
		25 ioctl 0 0x5413 0
		78 lseek 0 0x100000001 0
		ok lseek 0 1 0
		ok lseek 0 0x100000000 0
		ok lseek 0 0x200000000 0
		79 lseek 0 0x200000001 0
	END
}

# Defence: add_rule() in seccomp_program.c: rules add up, and so do arguments of one index within a rule.
@test "CVE-2026-31431: AF_ALG is refused by a profile of three rules for socket, of which each may allow" {
	"$KIST" features | jq -e '.linux.seccomp.enabled' >/dev/null || skip "built without seccomp"
	need_adversary
	local rules
	for rules in '{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 77, "args": [{"index": 0, "value": 38, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 40, "op": "SCMP_CMP_EQ"}]}' \
		'{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 77, "args": [{"index": 0, "value": 38, "op": "SCMP_CMP_EQ"}]},
		 {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 77, "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_EQ"}]},
		 {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 77, "args": [{"index": 0, "value": 45, "op": "SCMP_CMP_GT"}]}'; do
		config_set ".linux.seccomp = {\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [$rules]}"
		start_container
		ok kist exec "$ID" adversary syscall socket 2 2 0
		is "$output" ok
		ok kist exec "$ID" adversary syscall socket 38 5 0
		is "$output" 77
		ok kist exec "$ID" adversary syscall socket 40 1 0
		is "$output" 77
		ok kist delete --force "$ID"
	done
}

# What a profile needs that allows by name, so that a shell or the adversary runs.
NAMES='["execve","exit","exit_group","read","write","brk","mmap","munmap","mprotect","arch_prctl","set_tid_address","getuid","getpid","rt_sigaction","fstat",
	"rt_sigprocmask","newfstatat","open","openat","close","prctl","getrandom","readlink","readlinkat","uname","prlimit64","set_robust_list","rseq","capset",
	"access","faccessat","setuid","setgid","setgroups","setresuid","setresgid","getcwd","ioctl","lseek","futex","sendmsg","recvmsg","capget","close_range",
	"fcntl","stat","lstat","fchdir","chdir","poll","faccessat2","accept4"]'

# Defence: the prologue of seccomp_program.c, and the comparison of the architecture in front of every rule.
@test "CWE-863: calls newer than the profile do not exist, and entries for other architectures are no way around it" {
	"$KIST" features | jq -e '.linux.seccomp.enabled' >/dev/null || skip "built without seccomp"
	[ "$(uname -m)" = x86_64 ] || skip "the numbers are those of x86-64"
	need_adversary
	start_container
	ok kist exec "$ID" adversary int80 20
	local has_int80=$output
	kist delete --force "$ID"
	config_set '.linux.seccomp = {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
		"syscalls": [{"names": $names, "action": "SCMP_ACT_ALLOW"}]}' --argjson names "$NAMES"
	args adversary syscall 1000
	container_says 38
	args adversary syscall 165
	container_says 1
	# mkdir of x32, getpid and mkdir of i386.
	args adversary syscall 0x40000053
	try kist run --bundle "$BUNDLE" "$ID"
	[ "$status" -ne 0 ] || [ "$output" = 38 ] || fail "x32: $output"
	[ "$has_int80" = ok ] || return 0
	args adversary int80 20
	try kist run --bundle "$BUNDLE" "$ID"
	[ "$status" -ne 0 ] || fail "i386: $output"
}

# Defence: step_session_run() in steps_child.c starts a session; terminal_attach_run() in terminal.c as well.
@test "CVE-2017-5226, CVE-2016-10124: no way to push input into the caller's terminal" {
	local look='true </dev/tty && echo has a terminal' run=("$ADVERSARY" terminal "$KIST" --root "$ROOT")
	ok "$ADVERSARY" terminal sh -c "$look"
	output_has 'has a terminal'
	config_set 'del(.mounts[] | select(.destination == "/dev/pts"))'
	shell "{ $look; } 2>/dev/null; echo done"
	ok "${run[@]}" run --bundle "$BUNDLE" "$ID"
	output_lacks 'has a terminal'
	output_has 'done'
	start_container sleep 1000
	ok "${run[@]}" exec "$ID" sh -c "{ $look; } 2>/dev/null; echo done"
	output_lacks 'has a terminal'
	output_has 'done'
}

# Defence: what `spec` lists in oci_default.c, and run_masked(), run_readonly() in mask.c.
@test "CVE-2015-3630, CVE-2020-8694: what the default configuration hides cannot be read, what it protects cannot be written" {
	local path listed
	listed=$(jq -r '.linux.maskedPaths[], .linux.readonlyPaths[]' "$BUNDLE/config.json")
	for path in /proc/{acpi,asound,interrupts,kcore,keys,latency_stats,sched_debug,scsi,timer_list,timer_stats,bus,fs,irq,sys,sysrq-trigger} \
		/sys/firmware /sys/devices/virtual/powercap; do
		grep -qxF "$path" <<<"$listed" || fail "$path is not in the default configuration"
	done
	all_caps CAP_DAC_OVERRIDE CAP_SYS_RAWIO CAP_SYSLOG
	shell 'for p in $MASKED; do [ ! -d $p ] || ls -A $p; [ ! -f $p ] || cat $p; [ ! -c $p ] || cat $p; done 2>&1 | head -c 200
		for p in $READONLY; do for f in $p $(find $p -maxdepth 2 -type f 2>/dev/null | head -20); do
		[ ! -f $f ] || { true >>$f; } 2>/dev/null && [ -f $f ] && echo "may write $f"; done; done; true'
	config_set '.process.env += ["MASKED=\(.linux.maskedPaths | join(" "))", "READONLY=\(.linux.readonlyPaths | join(" "))"]'
	container_says ''
	config_set '.linux.maskedPaths = [] | .linux.readonlyPaths = []'
	run_container
	[ -n "$output" ] || fail "nothing would be seen without masks either"
}

# Defence: find_rule() in sysctl.c knows which sysctls have a namespace; is_clean_path() there, and sysctl_key() in
# oci_check_linux.c, let no path climb out of it (both were taken away); compile_one() wants one line.
@test "CVE-2022-0811: sysctl values cannot smuggle another" {
	local key value now
	# Should one get through, the host has the value that it had.
	now=$(cat /proc/sys/vm/overcommit_memory)
	config_set '.linux.sysctl = {"kernel.shm_rmid_forced": "1"}'
	run_container
	while IFS='|' read -r key value; do
		config_set '.linux.sysctl = {($key): $value}' --arg key "$key" --arg value "$value"
		refused 1 'sysctl' kist run --bundle "$BUNDLE" "$ID"
	done <<-END
		kernel.shm_rmid_forced|1+vm.overcommit_memory=$now
		kernel.shm_rmid_forced+vm.overcommit_memory|1
		net/../vm/overcommit_memory|$now
		net.ipv4/../../vm/overcommit_memory|$now
		net/ipv4/../../vm/overcommit_memory|$now
		kernel/../vm/overcommit_memory|$now
		vm.overcommit_memory|$now
		vm/overcommit_memory|$now
	END
	config_set '.linux.sysctl = {"kernel.shm_rmid_forced": "1\n2"}'
	refused 1 'more than one line' kist run --bundle "$BUNDLE" "$ID"
}

# Defence: sysctl_check() in sysctl.c wants a namespace that is not the caller's own.  compile_one() refuses by the text alone
# what that would refuse later.
@test "GHSA-w2j5-3rcx-vx7x: a sysctl needs a namespace of the container's own, and the host's by path is none" {
	local before
	before=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)
	config_set '.linux.sysctl = {"net.ipv4.ip_unprivileged_port_start": "99"}'
	run_container
	config_set '.linux.namespaces |= map(if .type == "network" then .path = "/proc/\($pid)/ns/net" else . end)' --arg pid $$
	refused 1 'separate kernel namespace' kist run --bundle "$BUNDLE" "$ID"
	config_set '.linux.namespaces |= map(select(.type != "network"))'
	refused 1 'separate kernel namespace' kist run --bundle "$BUNDLE" "$ID"
	config_set '.linux.sysctl = {"kernel.shmmni": "99"} | .linux.namespaces |= map(select(.type != "ipc"))'
	refused 1 'separate kernel namespace' kist run --bundle "$BUNDLE" "$ID"
	is "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" "$before"
}

# Defence: cgroup_device_rules() in cgroup/cgroup_device.c begins with "deny all", whatever the rules are.
@test "GHSA-g54h-m393-cpwq: rules for devices are added to a denial of all, and without any rule all is denied" {
	has_controller devices || only_v2 || skip "no devices controller, and no cgroup2 for the program that replaces it"
	need_root "makes devices"
	config_cgroup
	# No driver has these: who may open them is told so, all others may not.
	mknod "$ROOTFS/one" c 240 1
	mknod "$ROOTFS/two" c 240 2
	local rules
	shell 'for f in one two; do cat /$f; done; head -c 1 /dev/zero | wc -c'
	for rules in 'del(.linux.resources)' '.linux.resources = {}' '.linux.resources.devices = []' \
		'.linux.resources.devices = [{"allow": false, "type": "c", "major": 5, "minor": 9, "access": "rwm"}]' \
		'.linux.resources.devices = [{"allow": true, "type": "c", "major": 240, "minor": 1, "access": "w"}]'; do
		config_set "$rules"
		run_container
		is "$(grep -c 'Operation not permitted' <<<"$output")" 2
		is "${output##*$'\n'}" 1
	done
	config_set '.linux.resources.devices = [{"allow": true, "type": "c", "major": 240, "minor": 1, "access": "r"}]'
	run_container
	output_has "'/one': No such device"
	output_has "'/two': Operation not permitted"
}

# Defence: clone_first() in steps_parent.c passes on all flags of the plan (CLONE_NEWUTS was left out); nothing is packed into a
# message with 16-bit lengths.
@test "CVE-2021-43784: fields of more than 64 KiB cost no namespace" {
	config_mapped_lines() {
		config_set '.linux.uidMappings = [range(0; 250) | {"containerID": ., "hostID": (100000 + .), "size": 1}] | .linux.gidMappings = .linux.uidMappings'
	}
	config_userns
	ordinary_user || config_mapped_lines
	config_set '.annotations = {"long": ("x" * 70000)} | .process.env += ["LONG=\("y" * 70000)"] | .hostname = "own"'
	shell 'for n in cgroup ipc mnt net pid user uts; do readlink /proc/self/ns/$n; done; hostname; echo ${#LONG}'
	run_container
	local name
	for name in cgroup ipc mnt net pid user uts; do
		output_has "$name:"
		output_lacks "$(readlink /proc/self/ns/$name)"
	done
	output_has own
	output_has 70000
}

# Defence: rootfs_prepare_run() in rootfs.c cuts the mount namespace off before anything is mounted.
@test "CWE-668: mounts of the container do not reach the host, even where / is shared" {
	need_root "mounts"
	all_caps CAP_SYS_ADMIN
	mkdir "$T/volume" "$ROOTFS/volume"
	config_set '.mounts += [{"destination": "/volume", "source": $v, "options": ["rbind"]}]' --arg v "$T/volume"
	shell 'mkdir -p /volume/in && mount -t tmpfs none /volume/in && mount -t tmpfs none /tmp && echo mounted; echo; sleep 0'
	# A mount of its own: the one that holds the root file system is never shared.
	local look='mount -t tmpfs none "$0" && mount --make-rshared / && "$@" && cat /proc/self/mountinfo'
	ok unshare --mount --propagation unchanged sh -c "$look" "$T/volume" "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	output_has mounted
	[[ $output != *"$T/volume/in"* ]] || fail "a mount of the container is on the host"
	config_set '.mounts[-1].options = ["rbind", "rshared"] | .linux.rootfsPropagation = "rshared"'
	ok unshare --mount --propagation unchanged sh -c "$look" "$T/volume" "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	[[ $output == *"$T/volume/in"* ]] || fail "it would not be seen: $output"
}

# Defence: the status is asked for in container_exec.c, before the process is made.
@test "CWE-400: a paused container takes no process" {
	has_controller freezer || only_v2 || skip "nothing can be paused here"
	config_cgroup
	start_container
	ok kist exec "$ID" true
	ok kist pause "$ID"
	refused 255 'paused' timeout 20 "$KIST" --root "$ROOT" exec "$ID" true
	ok kist resume "$ID"
	ok kist exec "$ID" true
}

# ---- the runtime's own things -------------------------------------------------------------------------------------------

# Defence: self_exe_run() in self_exe.c parts the process from the binary, before the container's root is entered.
@test "CVE-2019-5736: the runtime's binary cannot be opened by the container" {
	need_root "sees the executable of a process that is not dumpable"
	! sanitized || skip "a sealed copy is run, of which the container may have the name"
	local before host exe
	before=$(sha256sum <"$KIST")
	host=$(stat -Lc '%d:%i' "$KIST")
	all_caps CAP_SYS_PTRACE CAP_DAC_OVERRIDE
	# A program whose interpreter is itself: the kernel opens what the joining process is.
	printf '#!/proc/self/exe\n' >"$ROOTFS/evil"
	ln -s /proc/self/exe "$ROOTFS/link"
	chmod +x "$ROOTFS/evil"
	start_container sh -c 'echo >/begun; while [ ! -e /end ]; do for p in /proc/[0-9]*; do stat -Lc "%d:%i" $p/exe; ls $p/map_files; echo x >>$p/exe; done; done 2>/dev/null >>/seen'
	wait_for test -e "$ROOTFS/begun"
	exe=$(stat -Lc '%d:%i' "/proc/$(pid_of)/exe")
	grep -qxF "$exe" "$ROOTFS/seen" || wait_for grep -qxF "$exe" "$ROOTFS/seen"
	local i
	for ((i = 0; i < ${KIST_TEST_LONG:+480} + 20; i++)); do
		try kist exec "$ID" /evil
		[ "$status" -ne 0 ]
		try kist exec "$ID" /link --version
		[ "$status" -ne 0 ]
	done
	touch "$ROOTFS/end"
	wait_for stopped
	! grep -qxF "$host" "$ROOTFS/seen" || fail "it was seen"
	is "$(sha256sum <"$KIST")" "$before"
	kist delete --force "$ID"
	create_container
	[ "$(stat -Lc '%d:%i' "/proc/$(pid_of)/exe")" != "$host" ] || fail "the waiting process runs from it"
}

# Defence: mode 0700 in make_directories() and state_new() of state.c.
@test "CVE-2021-41103, CVE-2024-25621, CVE-2015-1331: the state belongs to its owner alone" {
	start_container
	is "$(stat -c %a "$ROOT")" 700
	is "$(stat -c %a "$ROOT/$ID")" 700
	is "$(find "$ROOT" -perm /077 ! -type l ! -type s)" ''
	ordinary_user || refused 1 'ermission denied' as_user "$KIST" --root "$ROOT" state "$ID"
}

abstract_sockets() {
	grep -o ' @.*' | sort
}

# Defence: the sockets of unix_socket.c have names in the state directory.
@test "CVE-2020-15257: no abstract socket, in a network that the container shares neither" {
	local before
	args sleep 1000
	ordinary_user || config_set '.linux.namespaces |= map(select(.type != "network"))'
	before=$(abstract_sockets </proc/net/unix)
	create_container
	ordinary_user || grep -q "start" /proc/net/unix || fail "the socket for start is not seen: nothing would be"
	is "$(abstract_sockets </proc/net/unix)" "$before"
	ok kist start "$ID"
	is "$(abstract_sockets </proc/net/unix)" "$before"
	ordinary_user || return 0
	is "$(kist exec "$ID" cat /proc/net/unix | abstract_sockets)" ''
}

# Defence: str_is_container_id() in base/str.c, and state_id_is_valid() in state.c for the name of kist's own directory.
@test "CWE-22: ids cannot leave the state root" {
	mkdir -p "$ROOT" "$T/precious"
	local id
	for id in .. ../precious "$T/precious" . ./. '' a/.. $'a\nb' .cache; do
		refused 1 'invalid container id' kist delete --force -- "$id"
		refused 1 'invalid container id' kist create --bundle "$BUNDLE" -- "$id"
	done
	[ -d "$T/precious" ]
	[ -d "$ROOT" ]
	run_container
}

# Defence: path_has_dotdot() in cgroup/cgroup.c and oci_check_linux.c (both were taken away), and in apply_sub() for exec.
@test "CVE-2023-6476, CWE-22: cgroup paths cannot leave their place" {
	local path before
	config_cgroup
	start_container
	ok kist delete --force "$ID"
	before=$(see_things)
	for path in "$CGROUP_ABOVE/../kist-escape" "../../kist-escape" "$CGROUP_ABOVE/a/../../kist-escape"; do
		config_set '.linux.cgroupsPath = $path' --arg path "$path"
		refused 1 'cgroupsPath' kist create --bundle "$BUNDLE" "$ID"
		is "$(see_things)" "$before"
	done
	config_cgroup
	config_set '.annotations = {"run.oci.delegate-cgroup": "../kist-escape"}'
	try kist create --bundle "$BUNDLE" "$ID"
	[ "$status" -ne 0 ] || kist delete --force "$ID"
	is "$(find /sys/fs/cgroup -name '*kist-escape*')" ''
	config_set 'del(.annotations)'
	start_container
	for path in ../kist-escape "../test-$ID-2" a/../../kist-escape; do
		try kist exec --cgroup "$path" "$ID" true
		[ "$status" -ne 0 ] || fail "--cgroup $path"
		output_has 'bad sub cgroup path'
	done
	is "$(find /sys/fs/cgroup -name '*kist-escape*')" ''
}

# Defence: emit_unified_pair() in cgroup/cgroup_knob.c and check_unified() in oci_check_resources.c refuse slashes (both were
# taken away), is_runtimes() in the latter the files of the runtime.
@test "CVE-2023-6476: a unified setting is a file of the container's own cgroup" {
	only_v2 || skip "unified is for cgroup v2 alone"
	config_cgroup
	config_set '.linux.resources.unified = {"cgroup.max.depth": "5"}'
	run_container
	local name
	echo max >"/sys/fs/cgroup$CGROUP_ABOVE/cgroup.max.depth"
	for name in "/sys/fs/cgroup$CGROUP_ABOVE/cgroup.max.depth" ../cgroup.procs cgroup.procs/../../cgroup.freeze /etc/evil cgroup.procs cgroup.kill; do
		config_set '.linux.resources.unified = {($name): "0"}' --arg name "$name"
		refused 1 'linux.resources.unified[[]' kist run --bundle "$BUNDLE" "$ID"
	done
	# A directory that the container has made may begin with the name of a controller.
	config_set 'del(.linux.resources.unified)'
	start_container
	mkdir "/sys/fs/cgroup$CGROUP_ABOVE/test-$ID/cgroup.x"
	echo '{"unified": {"cgroup.x/../../cgroup.max.depth": "0"}}' >"$T/update"
	refused 1 'unified' kist update -r "$T/update" "$ID"
	is "$(cat "/sys/fs/cgroup$CGROUP_ABOVE/cgroup.max.depth")" max
}

# in_all_cgroups PID: that process is in each cgroup that the record names.
in_all_cgroups() {
	local controllers path
	while IFS='|' read -r controllers path; do
		cut -d: -f2- "/proc/$1/cgroup" | grep -qxF "$controllers:$path" ||
			fail "not in $path of \"$controllers\":" "$(<"/proc/$1/cgroup")"
	done < <(jq -r '.cgroup.dirs[] | select(.path != "") | "\(.controllers)|\(.path)"' "$ROOT/$ID/state.json")
	grep -q "/test-$ID$" "/proc/$1/cgroup"
}

# Defence: cgroup_join_self_run() in cgroup/cgroup.c for v1, CLONE_INTO_CGROUP in steps_parent.c or cgroup_join_pid() for v2,
# before the user namespace takes the right to move away.
@test "CVE-2025-47291: the first process is in the cgroup of the configuration, with a user namespace too" {
	config_cgroup
	start_container
	in_all_cgroups "$(pid_of)"
	ok kist delete --force "$ID"
	config_userns
	start_container
	in_all_cgroups "$(pid_of)"
	ok kist delete --force "$ID"
}

# Defence: annotations are data but for the few that ARCHITECTURE.md and `features` name, and none of those is a path.
@test "CVE-2020-27151, CVE-2026-44210, CVE-2026-53488: annotations name no program and no path to write to" {
	local name value ran=0
	control
	printf '#!/bin/sh\ntouch "%s/out/run"\n' "$T" >"$T/evil"
	chmod +x "$T/evil"
	config_set '.hooks.createRuntime = [{"path": "/bin/sh", "args": ["sh", "-c", "echo out; echo err >&2"]}]'
	run_container
	while IFS='|' read -r name value; do
		config_set '.annotations = {($name): $value}' --arg name "$name" --arg value "$value"
		try kist run --bundle "$BUNDLE" "$ID"
		[ "$status" -ne 0 ] || ran=$((ran + 1))
		untouched
	done <<-END
		run.oci.hooks.stdout|$T/out/stdout
		run.oci.hooks.stderr|$T/out/stderr
		run.oci.handler|krun
		run.oci.handler|$T/evil
		run.oci.seccomp_bpf_data|AA==
		run.oci.pidfd_receiver|$T/out/receiver
		run.oci.criu.config|$T/evil
		org.criu.config|$T/evil
		org.systemd.property.ExecStartPre|touch $T/out/unit
		module.wasm.image/variant|compat
		io.katacontainers.config.hypervisor.path|$T/evil
		io.kubernetes.cri-o.LABEL|\$(touch $T/out/label)
	END
	[ $ran -gt 0 ] || fail "no container ran"
}

# Defence: find_allowed() of cgroup/cgroup_property.c, before anything is asked of systemd.
@test "CVE-2024-3154: an annotation gives the container's unit no command" {
	local name
	for name in ExecStartPre ExecStart ExecStopPost ExecReload User Environment Type Slice; do
		config_set '.annotations = {"org.systemd.property.\($name)": "[]"}' --arg name $name
		refused 1 "may not set the property $name" kist --systemd-cgroup create --bundle "$BUNDLE" "$ID"
	done
}

# Defence: state_alive() in state.c compares the start time too.
@test "CWE-367: a pid that another process has got since is not killed" {
	start_container true
	wait_for stopped
	sleep 1000 3>&- &
	STRANGER=$!
	jq -c ".pid = $STRANGER" "$ROOT/$ID/state.json" >"$T/new"
	cat "$T/new" >"$ROOT/$ID/state.json"
	has_status stopped
	try kist kill "$ID" KILL
	try kist kill --all "$ID" KILL
	try kist delete --force "$ID"
	kill -0 "$STRANGER" || fail "a stranger was killed"
}

# Defence: refuse_elevation() in main.c.
@test "CVE-2026-41163, CVE-2020-5291, CVE-2016-8659: a set-user-ID copy refuses to run" {
	need_root "becomes another user"
	cp "$KIST" "$T/suid"
	chmod 755 "$T/suid"
	ok as_user "$T/suid" --version
	chmod 4755 "$T/suid"
	refused 1 'set-user-ID' as_user "$T/suid" --version
	chown 0:4242 "$T/suid"
	chmod 2755 "$T/suid"
	ok as_user "$T/suid" --version
	chown 0:0 "$T/suid"
	chmod 2755 "$T/suid"
	refused 1 'set-group-ID' as_user "$T/suid" --version
}

# Defence: nothing is made in a temporary directory: the binary's copy, inputs of hooks and programs of filters are memory files.
@test "CVE-2019-12439: no file is made in a temporary directory, where others wait for its name" {
	need_root "mounts a /tmp of its own, with nothing in it but this suite"
	# What the suite has in /tmp stays there, by way of the /run that is this file's own.
	local keep=/run/keep-$ID
	mkdir "$T/tmpdir" "$keep"
	config_set '.hooks.createRuntime = [{"path": "/bin/true"}] | .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW"}'
	local suite=$KIST_TEST_SUITE
	before=$T/before after=$T/after ok unshare --mount --propagation private sh -c '
		keep=$1 suite=$2 && shift 2 && mount --bind "$suite" "$keep" && mount -t tmpfs none /tmp && mount -t tmpfs none /var/tmp &&
		mkdir -p "$suite" && mount --bind "$keep" "$suite" && stat -c "%y %z" /tmp /var/tmp >"$before" && "$@" &&
		stat -c "%y %z" /tmp /var/tmp >"$after"' - "$keep" "$suite" env TMPDIR="$T/tmpdir" "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	rmdir "$keep"
	cmp "$T/before" "$T/after"
	is "$(ls -A "$T/tmpdir")" ''
}

# Defence: read_text() in state.c opens without blocking and takes bounded regular files; the second file then tells what to
# remove: state_read(), and state_recover_cgroup() (both were taken away).
@test "CWE-755: a record that is damaged in any way can be deleted, and nothing is left" {
	local file damage complaints='' state
	config_cgroup
	args sleep 1000
	for file in state.json intent.json both; do
		for damage in empty gone garbage half nul huge fifo directory tree link readonly null array; do
			# Beside a tree that kist did not make there must be a record.
			[ "$file" != both ] || [ $damage != tree ] || continue
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
	directory) rm "$2" && mkdir "$2" ;;
	tree) rm "$2" && mkdir -p "$2/sub" ;;
	link) mv "$2" "$T/moved" && ln -s "$T/moved" "$2" ;;
	readonly) chmod 0 "$2" ;;
	null) echo null >"$2" ;;
	array) echo '[1]' >"$2" ;;
	esac
}
