#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

setup() {
	setup_container
	config_cgroup
}

@test "a further process, with the status of its program" {
	start_container
	ok kist exec "$ID" echo hello
	is "$output" hello
	refused 42 '' kist exec "$ID" sh -c 'exit 42'
	refused 143 '' kist exec "$ID" sh -c 'kill -TERM $$'
}

@test "options end at the first argument, and -- is accepted" {
	start_container
	ok kist exec "$ID" echo -e x
	is "$output" x
	ok kist exec "$ID" -- echo -n y
	is "$output" y
	ok kist exec -- "$ID" echo z
	is "$output" z
}

@test "it is in the container's namespaces and cgroup" {
	start_container
	local name
	for name in pid net ipc uts mnt cgroup; do
		ok kist exec "$ID" readlink "/proc/self/ns/$name"
		is "$output" "$(readlink "/proc/$(pid_of)/ns/$name")"
	done
	ok kist exec --detach --pid-file "$T/pid" "$ID" sleep 1000
	diff "/proc/$(<"$T/pid")/cgroup" "/proc/$(pid_of)/cgroup"
}

@test "a container that waits for its start can be entered" {
	create_container
	if ordinary_user; then
		refused 255 'before its start this needs CAP_SYS_PTRACE' kist exec "$ID" true
		return
	fi
	ok kist exec "$ID" echo hello
	is "$output" hello
	has_status created
}

@test "unknown and stopped containers are errors with 255" {
	refused 255 'container nobody does not exist' kist exec nobody true
	start_container true
	wait_for stopped
	refused 255 'not running' kist exec "$ID" true
}

@test "a program that is not there is an error with 255" {
	start_container
	refused 255 'exec: "no-such": executable file not found in $PATH' kist exec "$ID" no-such
	refused 255 'no such file or directory' kist exec "$ID" /no/such
	has_status running
}

@test "no program is a usage error" {
	start_container
	try kist exec "$ID"
	[ "$status" -ne 0 ]
	output_has 'needs a command'
}

@test "--env, --cwd and --user" {
	config_set '.process.env += ["A=config", "B=config"]'
	start_container
	ok kist exec --env A=exec -e C=3 --cwd /tmp --user 7:8 "$ID" sh -c 'echo $A $B $C; pwd; id -u; id -g'
	is "$output" $'exec config 3\n/tmp\n7\n8'
}

@test "users are numbers, and only those that fit" {
	start_container
	local user
	for user in 4294967296 4294967295 -1 root 1x 0x0 ' 1' '' 1: :1 18446744073709551616; do
		try kist exec --user "$user" "$ID" id -u
		[ "$status" -eq 255 ] || fail "--user '$user' gave status $status:" "$output"
	done
	ok kist exec --user 1 "$ID" id -u
	is "$output" 1
}

@test "--additional-gids" {
	start_container
	ok kist exec --additional-gids 10 -g 11 "$ID" id -G
	is "$output" '0 10 11'
}

@test "--cap adds to what the container has, and nothing becomes inheritable" {
	start_container
	ok kist exec --cap CAP_NET_RAW "$ID" grep Cap /proc/self/status
	is "$(awk '/CapInh/ { print $2 }' <<<"$output")" 0000000000000000
	is "$(awk '/CapAmb/ { print $2 }' <<<"$output")" 0000000000000000
	is "$(awk '/CapEff/ { print $2 }' <<<"$output")" 0000000020002420
}

@test "no_new_privs, limits, oom score and capabilities are the container's" {
	config_set '.process.oomScoreAdj = 321'
	start_container
	ok kist exec "$ID" cat /proc/self/status /proc/self/limits /proc/self/oom_score_adj
	output_has $'NoNewPrivs:\t1'
	output_has $'CapEff:\t0000000020000420'
	output_has $'CapBnd:\t0000000020000420'
	[[ $output =~ open\ files\ +1024\ +1024 ]]
	is "${output##*$'\n'}" 321
}

@test "--process takes a whole process from a file" {
	start_container
	jq '.process | .args = ["sh", "-c", "echo $WHO; id -u; pwd"] | .env += ["WHO=me"] | .user.uid = 9 | .cwd = "/tmp"
		' "$BUNDLE/config.json" >"$T/process.json"
	ok kist exec --process "$T/process.json" "$ID"
	is "$output" $'me\n9\n/tmp'
}

@test "--process takes the pipe of a shell, too, and no FIFO" {
	start_container
	jq '.process | .args = ["echo", "piped"] | .terminal = false' "$BUNDLE/config.json" >"$T/process.json"
	is "$("$KIST" --root "$ROOT" exec --process <(cat "$T/process.json") "$ID")" piped
	mkfifo "$T/fifo"
	refused 255 'neither a regular file nor a pipe' timeout 5 "$KIST" --root "$ROOT" exec --process "$T/fifo" "$ID"
	ok "$KIST" validate --process <(cat "$T/process.json")
}

@test "--process with a mistake says where" {
	start_container
	jq '.process | .user.uid = "root"' "$BUNDLE/config.json" >"$T/process.json"
	refused 255 'user.uid' kist exec -p "$T/process.json" "$ID"
	[[ $output =~ process.json:[0-9]+:[0-9]+ ]]
}

@test "--detach returns, with the pid in the pid file" {
	start_container
	ok kist exec --detach --pid-file "$T/pid" "$ID" sleep 1001
	is "$(tr '\0' ' ' <"/proc/$(<"$T/pid")/cmdline")" 'sleep 1001 '
}

@test "the pid file's process is the subreaper's child" {
	start_container
	ok kist exec --detach --pid-file "$T/pid" "$ID" sleep 1001
	is "$(awk '/PPid/ { print $2 }' "/proc/$(<"$T/pid")/status")" "$(reaper)"
}

@test "a signal to exec reaches the program" {
	start_container
	"$KIST" --root "$ROOT" exec "$ID" sh -c 'trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done' \
		>"$T/out" 2>&1 </dev/null 3>&- &
	local pid=$! status=0
	wait_for grep -q ready "$T/out"
	kill -TERM $pid
	wait $pid || status=$?
	is $status 5
}

@test "--cgroup runs it below the container's cgroup" {
	start_container
	local dir mounts=()
	mapfile -t mounts < <(find "/sys/fs/cgroup$CGROUP_ABOVE" -maxdepth 2 -name "test-$ID")
	for dir in "${mounts[@]}"; do
		mkdir "$dir/sub"
		[ ! -e "$dir/cpuset.mems" ] || { cat "$dir/cpuset.cpus" >"$dir/sub/cpuset.cpus"; cat "$dir/cpuset.mems" >"$dir/sub/cpuset.mems"; }
	done
	ok kist exec --cgroup sub --detach --pid-file "$T/pid" "$ID" sleep 1000
	grep "test-$ID/sub" "/proc/$(<"$T/pid")/cgroup"
	refused 255 'cgroup' kist exec --cgroup ../.. "$ID" true
	refused 255 'cgroup' kist exec --cgroup none "$ID" true
}

@test "the process of exec has no host descriptors" {
	start_container
	ok kist exec "$ID" sh -c 'ls /proc/self/fd | xargs'
	is "$output" '0 1 2 3'
}

@test "fifty in a row leave nothing" {
	local i
	start_container
	for ((i = 0; i < 50; i++)); do
		kist exec "$ID" true </dev/null 3>&- || fail "number $i failed"
	done
	wait_for test "$(kist ps -f json "$ID" | jq length)" = 1
}

@test "an error of an option names the option, one of a process file the file" {
	start_container
	refused 255 '--cwd: working directory "rel" is not an absolute path' kist exec --cwd rel "$ID" true
	output_lacks config.json
	refused 255 '--env: "NOEQUALS" has no' kist exec --env NOEQUALS "$ID" true
	output_lacks config.json
	kist exec --cap CAP_TYPO "$ID" true 2>"$T/errors"
	grep -q -- '--cap: unknown capability.*CAP_TYPO' "$T/errors"
	jq '.process | .args = ["true"] | .user.umask = 999' "$BUNDLE/config.json" >"$T/p.json"
	refused 255 'p.json:*: user.umask' kist exec --process "$T/p.json" "$ID"
	output_lacks config.json
	jq '.process | .args = ["true"] | .capabilities.bounding += ["CAP_TYPO"]' "$BUNDLE/config.json" >"$T/p.json"
	kist exec --process "$T/p.json" "$ID" 2>"$T/errors"
	grep -q 'p.json:.*: capabilities.bounding.*CAP_TYPO' "$T/errors"
}

@test "a process file and an option that would change it: not both" {
	start_container
	jq '.process | .args = ["true"]' "$BUNDLE/config.json" >"$T/p.json"
	local option
	for option in --user=1 --cwd=/ --env=A=b --cap=CAP_KILL --additional-gids=5 --no-new-privs --apparmor=x --process-label=x; do
		refused 255 "exec takes --process or ${option%%=*}, not both" kist exec --process "$T/p.json" "$option" "$ID"
	done
	ok kist exec --process "$T/p.json" --pid-file "$T/pid" "$ID"
}

@test "a container without any namespace can be entered" {
	need_root "without a user namespace"
	config_set '.linux.namespaces = [] | .mounts = [] | del(.hostname, .linux.maskedPaths, .linux.readonlyPaths)'
	start_container
	ok kist exec "$ID" stat -c %i /
	is "$output" "$(stat -c %i "$ROOTFS")"
	refused 3 '' kist exec "$ID" sh -c 'exit 3'
}

@test "exec follows the init into the root that it has by now" {
	need_root "an ordinary user's container may not chroot"
	config_set '.process.capabilities |= map_values(. + ["CAP_SYS_CHROOT"]) | del(.process.capabilities.ambient)'
	mkdir -p "$ROOTFS/inner"
	cp -al "$ROOTFS/bin" "$ROOTFS/inner/bin"
	start_container chroot /inner sleep 1000
	wait_for test "$(stat -Lc %i "/proc/$(pid_of)/root")" = "$(stat -c %i "$ROOTFS/inner")"
	config_set '.process.cwd = "/"'
	ok kist exec "$ID" stat -c %i /
	is "$output" "$(stat -c %i "$ROOTFS/inner")"
}

is_alone() {
	[ "$(kist ps -f json "$ID" | jq length)" = 1 ]
}

@test "an exec that cannot be waited for leaves no process" {
	need_strace
	start_container
	# The second signalfd is the one that the wait begins with.
	try strace -f -o /dev/null -e inject=signalfd4:error=EMFILE:when=2 "$KIST" --root "$ROOT" exec "$ID" sleep 1003
	[ "$status" -eq 255 ] || fail "status $status" "$output"
	output_has 'too many open files'
	wait_for is_alone
}

@test "an exec whose process cannot be opened is an error, and leaves no process" {
	need_strace
	local errno n errors=0
	start_container
	for errno in EMFILE ENOSYS; do
		# Not the first, which opens the container's init; the process ends before anybody waits for it.
		for n in 2 3 4; do
			try timeout -s KILL 20 strace -qq -o /dev/null -e inject=pidfd_open:error=$errno:when=$n \
				-e inject=signalfd4:delay_enter=300000:when=2 "$KIST" --root "$ROOT" exec "$ID" true
			[ "$status" -ne 0 ] || continue
			is "$status" 255
			output_has 'open process * of the container: '
			errors=$((errors + 1))
		done
	done
	[ $errors -ge 1 ] || fail "the call that was meant was not met"
	wait_for is_alone
}

# racing_exec CALL: exec, delayed at that call of its joining process, and meanwhile the container is killed.
racing_exec() {
	start_container
	strace -f -qq -o /dev/null -e "inject=$1:delay_enter=1500000:when=1" "$KIST" --root "$ROOT" exec "$ID" true \
		>"$T/exec" 2>&1 </dev/null 3>&- &
	sleep 1
	[ "$1" = setns ] || sleep 1.2
	kist kill "$ID" KILL
	wait_for stopped
	status=0
	wait $! || status=$?
	[ "$status" -eq 255 ] || fail "status $status" "$(<"$T/exec")"
	[[ $(<"$T/exec") == *'container not running'* ]] || fail "$(<"$T/exec")"
	kist delete "$ID"
}

@test "exec says that the container is not running when that ends meanwhile" {
	need_strace
	# In the order in which the process comes to them: it joins, and makes another in the PID namespace.
	racing_exec setns
	racing_exec clone3
}

@test "a stopped exec does not keep its container from being deleted" {
	local exec program before
	start_container
	"$KIST" --root "$ROOT" exec --pid-file "$T/pid" "$ID" sleep 1004 >"$T/exec" 2>&1 </dev/null 3>&- &
	exec=$!
	wait_for test -s "$T/pid"
	program=$(<"$T/pid")
	wait_for grep -q sleep "/proc/$program/comm"
	kill -STOP "$exec"
	# The kernel keeps what is left of it for its parent, and for that the container's init.
	kill -KILL "$program"
	before=$SECONDS
	try kist delete --force "$ID"
	kill -CONT "$exec"
	is "$status" 0
	[ $((SECONDS - before)) -le 6 ] || fail "it took $((SECONDS - before)) s"
	status=0
	wait "$exec" || status=$?
	is "$status" 137
}

@test "a limit of processes holds for exec as for the container" {
	need_root "counts the processes of a user of its own"
	config_set '.process.rlimits += [{"type": "RLIMIT_NPROC", "soft": 2, "hard": 2}] | .process.user = {"uid": 7654, "gid": 7654}'
	start_container
	ok kist exec "$ID" sh -c 'ulimit -p || cat /proc/self/limits'
	ok kist exec "$ID" grep processes /proc/self/limits
	[[ $output =~ processes\ +2\ +2 ]] || fail "$output"
	ok kist exec --detach "$ID" sleep 1000
	refused 255 'resource temporarily unavailable' kist exec "$ID" true
}

@test "a process file on standard input" {
	start_container
	jq '.process | .args = ["echo", "from the file"]' "$BUNDLE/config.json" >"$T/process"
	is "$(kist exec --process - "$ID" <"$T/process")" 'from the file'
	echo '{"args": 1}' >"$T/process"
	refused 255 'standard input:1:*args' sh -c '"$1" --root "$2" exec -p - "$3" <"$4"' - "$KIST" "$ROOT" "$ID" "$T/process"
}

@test "exec into a frozen container that is ended says that its process waits for resume" {
	config_cgroup
	start_container
	ok kist pause "$ID"
	"$KIST" --root "$ROOT" exec --ignore-paused "$ID" true >"$T/said" 2>&1 </dev/null 3>&- &
	local pid=$!
	entered() { [ "$(kist ps -f json "$ID" | jq length)" = 2 ]; }
	wait_for entered
	kill "$pid"
	wait "$pid" || true
	! grep -q 'does not end after SIGKILL' "$T/said" || fail "$(<"$T/said")"
	if ! only_v2; then
		grep -q 'container is frozen: process [0-9]* was killed, and ends when the container is resumed' "$T/said" ||
			fail "$(<"$T/said")"
	else
		wait_for is_alone
	fi
	ok kist resume "$ID"
}

# held_exec CALL SECONDS OPTION...: exec in the background, whose joining process is delayed at that call; sets $pid to kist's.
held_exec() {
	need_strace
	local call=$1 delay=$2
	shift 2
	strace -f -qq -o /dev/null -e "inject=$call:delay_enter=${delay}000000:when=1" sh -c 'echo $$ >"$0"; exec "$@"' "$T/pid" \
		"$KIST" --root "$ROOT" exec "$@" >"$T/said" 2>&1 </dev/null 3>&- &
	exec=$!
	wait_for test -s "$T/pid"
	pid=$(<"$T/pid")
}

says() {
	grep -q -- "$1" "$T/said"
}

# Fails when stage_look.c looks at the second process only.
@test "an exec whose container is paused before it has its process is given up, and says why" {
	local exec pid
	config_cgroup
	start_container
	held_exec setns 3 "$ID" true
	sleep 1
	ok kist pause "$ID"
	KIST_TEST_WAIT=20 wait_for says 'namespaces-join: process [0-9]* does not get on: its cgroup is frozen'
	ok kist resume "$ID"
	! wait $exec || fail "success"
	! says 'does not end after SIGKILL' || fail "$(<"$T/said")"
	wait_for is_alone
}

# Fails when step_exec_process_undo() asks for the freezer only with --ignore-paused, where the freezer is that of v1.
@test "an exec that is ended in a container that was paused meanwhile says that its process waits for resume" {
	local exec pid
	config_cgroup
	start_container
	held_exec setns 3 "$ID" true
	sleep 1
	ok kist pause "$ID"
	sleep 3
	kill "$pid"
	wait_for says 'signal 15'
	only_v2 || wait_for says 'container is frozen: process [0-9]* was killed, and ends when the container is resumed'
	ok kist resume "$ID"
	! wait $exec || fail "success"
	! says 'does not end after SIGKILL' || fail "$(<"$T/said")"
	wait_for is_alone
}

# Fails when what the user traces together with kist counts as held; for one that sleeps see test_stage_look.c.
@test "a slow exec is not given up" {
	need_strace
	start_container
	try timeout -s KILL 40 strace -f -qq -o /dev/null -e inject=execve:delay_enter=12000000:when=1 \
		sh -c 'exec "$@"' - "$KIST" --root "$ROOT" exec "$ID" sh -c 'exit 7'
	is "$status" 7
}

# Fails when serve_row() does not learn the second process's pid before it asks how that ended.
@test "a second process that is killed before it has asked for anything was killed" {
	start_container
	refused 255 'stage 2: session: the process was killed by signal*' kist --fault session=kill exec --pid-file "$T/pid" "$ID" true
}

# Fails when step_labels_run() leaves keycreate to "keyring", which has no procfs of the host in an exec.
@test "exec gives the label to keys that it makes, as create does" {
	need_strace
	start_container
	# A machine that has SELinux by its file systems only: no label can be set, and the error says which was the first.
	refused 255 'self/attr/keycreate*label system_u:system_r:svirt_t:s0' strace -f -qq -o /dev/null -P /sys/fs/selinux \
		-e inject=statfs:retval=0:poke_exit=@arg2=8cff7cf900000000 \
		"$KIST" --root "$ROOT" exec --process-label system_u:system_r:svirt_t:s0 "$ID" true
}

# Fails when "descriptors" comes after "seccomp-privileged" in steps_exec[]: there are 20,000 numbers.
@test "a profile that denies close_range does not make exec close every number that there could be" {
	need_strace
	local n
	config_set '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["close_range"], "action": "SCMP_ACT_ERRNO"}]}
		| .process.noNewPrivileges = false | .process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 20000, "hard": 20000}]'
	start_container
	ok strace -f -qq -o "$T/trace" -e trace=close "$KIST" --root "$ROOT" exec "$ID" true
	n=$(grep -c close "$T/trace")
	[ "$n" -lt 2000 ] || fail "$n calls of close()"
}
