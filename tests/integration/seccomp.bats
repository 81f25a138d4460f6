#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

setup() {
	setup_container
	"$KIST" features | jq -e '.linux.seccomp.enabled' >/dev/null || skip "built without seccomp"
	config_set '.process.noNewPrivileges = false'
}

# filter RULES: allows all but the rules, in jq's words.
filter() {
	config_set ".linux.seccomp = {\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [$1]}"
}

@test "a call is refused with the errno of the rule" {
	filter '{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}'
	shell 'mkdir /x'
	refused 1 'No space left' kist run --bundle "$BUNDLE" "$ID"
	filter '{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}'
	refused 1 'Operation not permitted' kist run --bundle "$BUNDLE" "$ID"
}

@test "the filter is on: mode 2" {
	filter '{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}'
	args grep Seccomp: /proc/self/status
	container_says $'Seccomp:\t2'
}

@test "a call kills the program" {
	filter '{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_KILL_PROCESS"}'
	shell 'mkdir /x; echo $?'
	container_says $'Bad system call\n159'
}

@test "arguments are compared" {
	filter '{"names": ["chmod"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 384, "op": "SCMP_CMP_EQ"}]},
		{"names": ["fchmodat"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 2, "value": 384, "op": "SCMP_CMP_EQ"}]}'
	shell 'touch /x; chmod 644 /x && echo allowed; chmod 600 /x'
	refused 1 'allowed*not permitted' kist run --bundle "$BUNDLE" "$ID"
}

@test "a profile that allows what a shell needs, and nothing else" {
	config_set '.linux.seccomp = {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
		"syscalls": [{"names": $names, "action": "SCMP_ACT_ALLOW"}]}' --argjson names '["execve", "exit", "exit_group", "read", "write",
		"brk", "mmap", "munmap", "mprotect", "arch_prctl", "set_tid_address", "getuid", "getpid", "getppid", "rt_sigaction", "rt_sigprocmask",
		"stat", "newfstatat", "fstat", "open", "openat", "close", "prctl", "getrandom", "readlink", "readlinkat", "uname", "prlimit64",
		"set_robust_list", "rseq", "access", "wait4", "setuid", "setgid", "geteuid", "getegid", "getgid", "getcwd", "ioctl", "lseek", "futex"]'
	config_set '.process.noNewPrivileges = true'
	shell 'echo runs; exec mkdir /x'
	refused 1 'runs*not permitted' kist run --bundle "$BUNDLE" "$ID"
}

@test "an unknown action is refused, unknown names of calls are not" {
	filter '{"names": ["no_such_call", "mkdir"], "action": "SCMP_ACT_ERRNO"}'
	run_container
	filter '{"names": ["mkdir"], "action": "SCMP_ACT_DREAM"}'
	refused 1 'SCMP_ACT_DREAM' kist run --bundle "$BUNDLE" "$ID"
}

@test "a process of exec is under the same filter" {
	filter '{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}'
	start_container
	refused 1 'Operation not permitted' kist exec "$ID" mkdir /x
}

@test "the second run takes the program from the cache" {
	filter '{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}'
	run_container
	[ -n "$(find "$ROOT/.cache" -type f)" ]
	shell 'mkdir /x'
	refused 1 'not permitted' kist run --bundle "$BUNDLE" "$ID"
	filter '{"names": ["getrlimit"], "action": "SCMP_ACT_ERRNO"}'
	run_container
}

@test "a damaged cache is not trusted" {
	filter '{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}'
	run_container
	local file
	while read -r file; do
		head -c 100 /dev/urandom >"$file"
	done < <(find "$ROOT/.cache" -type f)
	shell 'mkdir /x'
	refused 1 'not permitted' kist run --bundle "$BUNDLE" "$ID"
}

@test "the agent gets the listener and the state" {
	listen fd "$T/agent"
	config_set '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": $agent, "listenerMetadata": "meta data",
		"syscalls": [{"names": ["sethostname"], "action": "SCMP_ACT_NOTIFY"}]}' --arg agent "$T/agent"
	shell 'echo runs'
	container_says runs
	wait_helper
	head -n 1 "$T/received" | jq -e --arg id "$ID" '.metadata == "meta data" and .state.id == $id and .pid > 0 and (.fds | index("seccompFd") != null)'
	grep -E '^descriptor anon_inode:.*seccomp' "$T/received"
}

@test "the agent is told the pid, even if the process is faster than its parent" {
	need_strace
	listen fd "$T/agent"
	config_set '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": $agent,
		"syscalls": [{"names": ["sethostname"], "action": "SCMP_ACT_NOTIFY"}]}' --arg agent "$T/agent"
	# The parent stands still for a moment, and the filter is loaded before it is asked for anything.
	ok strace -qq -o /dev/null -e inject=clone3:delay_exit=300000 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	wait_helper
	head -n 1 "$T/received" | jq -e '.pid > 0 and .state.pid == .pid'
}

@test "an agent may decide about what kist itself does on the way" {
	local nnp calls
	! sanitized || skip "a sanitizer makes calls of its own"
	listen agent "$T/agent"
	for nnp in true false; do
		for calls in '["execve"]' '["clone", "clone3", "exit_group"]' '["setsid", "prctl", "rt_sigaction", "prlimit64", "accept4"]' \
			'["poll", "ppoll", "recvmsg", "close", "capset"]' '["setresuid", "openat", "close_range", "fcntl"]'; do
			config_set '.process.noNewPrivileges = $nnp | .process.args = ["true"] | .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW",
				"listenerPath": $agent, "syscalls": [{"names": $calls, "action": "SCMP_ACT_NOTIFY"}]}' \
				--argjson nnp $nnp --arg agent "$T/agent" --argjson calls "$calls"
			ok timeout 20 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
			args sleep 1000
			ok timeout 20 "$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
			ok timeout 20 "$KIST" --root "$ROOT" start "$ID"
			ok timeout 20 "$KIST" --root "$ROOT" exec "$ID" true
			kist delete --force "$ID"
		done
	done
	stop_helper
	is "$(grep -c '^{' "$T/received")" 30
	is "$(jq -s '[.[].state.status] | group_by(.) | map([.[0], length])' -c <(grep '^{' "$T/received"))" '[["creating",20],["running",10]]'
}

# The whole of it is told in "create": later kist is not there to do it.
@test "the agent has the listener when create is done" {
	local nnp
	for nnp in true false; do
		listen fd "$T/agent"
		config_set '.process.noNewPrivileges = $nnp | .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": $agent,
			"syscalls": [{"names": ["sethostname"], "action": "SCMP_ACT_NOTIFY"}]}' --argjson nnp $nnp --arg agent "$T/agent"
		create_container
		wait_helper
		is "$(head -n 1 "$T/received" | jq -r '[.pid, .state.pid, .state.status] | join(" ")')" "$(pid_of) $(pid_of) creating"
		rm "$T/agent"
		# Nobody answers any more.
		ok kist start "$ID"
		kist delete --force "$ID"
	done
}

@test "an agent that is not there is an error" {
	config_set '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/none", "syscalls": [{"names": ["sethostname"], "action": "SCMP_ACT_NOTIFY"}]}'
	refused 1 '/none' kist run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "without no_new_privs and without CAP_SYS_ADMIN the filter is loaded all the same" {
	filter '{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}'
	config_set '.process.user = {"uid": 1000, "gid": 1000} | .process.capabilities = {}'
	shell 'grep -E "NoNewPrivs|Seccomp:" /proc/self/status'
	container_says $'NoNewPrivs:\t0\nSeccomp:\t2'
}

@test "a profile that forbids what the last steps need is named as the reason" {
	! sanitized || skip "a sanitizer makes calls of its own where a process ends"
	config_set '.linux.seccomp = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
		{"names": ["exit_group", "exit", "write"], "action": "SCMP_ACT_ALLOW"}]}'
	refused 1 'operation not permitted (the seccomp filter is in force by now: linux.seccomp may be' \
		kist run --bundle "$BUNDLE" "$ID"
}

# What kist itself does after the fork, what the smallest program needs, and MORE.
smallest_profile() {
	config_set '.process.noNewPrivileges = $nnp
		| .linux.seccomp = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"action": "SCMP_ACT_ALLOW", "names": (
			["clone", "exit_group", "prctl", "poll", "ppoll", "setsid", "sendmsg", "recvmsg", "prlimit64", "close", "rt_sigaction",
			"rt_sigprocmask", "execve", "ioctl", "dup2", "dup3", "accept4"]
			+ ["brk", "arch_prctl", "set_tid_address", "mprotect", "set_robust_list", "rseq", "exit", "pause", "lseek", "write", "fstat"] + $more)}]}' \
		--argjson nnp "$1" --argjson more "$2"
}

@test "a filter that allows no more than the rest of the way lets a process join" {
	need_root "joins a PID namespace"
	# The rootfs has no program without libraries, and a loader does much.
	cp "$ADVERSARY" "$ROOTFS/adversary"
	local nnp program=(/adversary syscall lseek 99) more='[]'
	cp -r "$BUNDLE" "$T/other"
	for nnp in true false; do
		smallest_profile $nnp "$more"
		start_container /adversary pause
		jq '.linux.namespaces |= map(if .type == "pid" then .path = $path else . end) | .process.args = $ARGS.positional' \
			--arg path "/proc/$(pid_of)/ns/pid" "$BUNDLE/config.json" --args "${program[@]}" >"$T/other/config.json"
		ok kist exec "$ID" "${program[@]}"
		ok kist exec --pid-file "$T/pid" "$ID" "${program[@]}"
		ok "$ADVERSARY" terminal "$KIST" --root "$ROOT" exec --tty "$ID" "${program[@]}"
		ok kist run --bundle "$T/other" "other$ID"
		ok kist create --bundle "$T/other" "other$ID"
		ok kist start "other$ID"
		ok kist delete --force "other$ID"
		ok kist delete --force "$ID"
		# Without no_new_privs it is loaded before the user is switched, and the program looked up.
		more='["capget", "capset", "setuid", "setgid", "setgroups", "setresuid", "setresgid", "chdir", "fchdir", "openat", "openat2",
			"close_range", "fcntl", "read", "newfstatat", "statx", "faccessat2", "access", "faccessat", "getdents64"]'
	done
	rm -r "$T/other"
}
