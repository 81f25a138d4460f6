#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

# A container that has CAP_SYS_PTRACE and waits for the processes that kist starts in it.  Its first process is
# `tracer` (tracer.c), which stops each newcomer at once.  Every test has a control: the same tracer against a
# process without defence, which must fall to it.

# Tries of one attack, unless the machine is too slow for that; some come too late, when the program is executed
# already.  CAUGHT of them must not.
ROUNDS=${KIST_TEST_LONG:+5000}
ROUNDS=${ROUNDS:-150}
SECONDS_MAX=${KIST_TEST_LONG:+600}
# A machine under emulation waits longer.
SECONDS_MAX=${SECONDS_MAX:-$((3 * ${KIST_TEST_WAIT:-10} / 2))}
CAUGHT=10

setup() {
	setup_container
	need_root "the attacker is in the runtime's user namespace"
	! sanitized || skip "a sanitizer's memory and tracer stand between the attacker and kist"
	cp "$TRACER" "$ROOTFS/tracer"
	config_set '.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE", "CAP_KILL"]) | del(.process.capabilities.ambient)
		| .linux.seccomp = null | .process.execCPUAffinity = {"initial": "0", "final": "0"}'
}

# another: whether there is to be another round; counts them in $tried.
another() {
	[ "$tried" -lt "$ROUNDS" ] && [ "$SECONDS" -lt "$end" ] || return 1
	tried=$((tried + 1))
}

begin_tries() {
	rm -f "$ROOTFS/end" "$ROOTFS/result"
	tried=0 end=$((SECONDS + SECONDS_MAX))
}

# hostile WORD...: starts the container with that attack.
hostile() {
	begin_tries
	start_container /tracer "$@"
}

# The attack's result, a file.
end_attack() {
	touch "$ROOTFS/end"
	wait_for test -e "$ROOTFS/result"
	result=$(<"$ROOTFS/result")
	kist delete --force "$ID"
	echo "# $tried tries, $(grep -e ^seen -e ^attacked <<<"$result" | xargs)" >&3
}

# result_of WORD: the number that the tracer counted.
result_of() {
	awk -v word="$1" '$1 == word { n = $2 } END { print n + 0 }' <<<"$result"
}

# Many must have been caught on their way, or the test has tried nothing.
caught_enough() {
	[ "$(result_of seen)" -ge $CAUGHT ] || fail "only $(result_of seen) of $tried were caught:" "$(sort <<<"$result" | uniq -c)"
}

# A joiner that still has all capabilities when it is inside.
naive_joiner() {
	# nsenter stops itself with its child, and nobody lets it go on.
	timeout -s KILL 5 nsenter --target "$(pid_of)" --pid --mount sleep 0.2 </dev/null >/dev/null 2>&1 3>&- || true
}

# believes_nothing KIND: whatever such a container writes into the memory that it shares with exec, exec ends in order, and
# takes no number of it for a pid.
believes_nothing() {
	local victim status file
	sleep 1000 3>&- &
	victim=$!
	hostile "$1" "$victim"
	while another; do
		status=0
		rm -f "$T/pid"
		kist exec --detach --pid-file "$T/pid" "$ID" true >"$T/output" 2>&1 </dev/null 3>&- || status=$?
		[ "$status" -lt 128 ] || [ "$status" -eq 255 ] || fail "exec ended with $status in round $tried" "$(<"$T/output")"
		kill -0 "$victim" || fail "the victim was killed in round $tried"
		! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' "$T/output" || fail "raw bytes in round $tried: $(cat -v "$T/output")"
		[ -e "$T/pid" ] || continue
		file=$(<"$T/pid")
		[ "$file" != "$victim" ] || fail "the pid file names the victim in round $tried"
		[ "$file" -gt "$victim" ] || fail "the pid file says $file in round $tried"
	done
	end_attack
	kill "$victim"
	caught_enough
	# The control: memory was written in most of them.
	[ "$(result_of attacked)" -ge $CAUGHT ] || fail "$(sort <<<"$result" | uniq -c)"
}

# Fails without the madvise() in step_guard_run(): the victim is killed.
@test "what a container writes into shared memory is never taken for a pid" {
	believes_nothing page
}

# Fails without the bound in last_row(): exec reads far behind its table.  A process that lived on would write its row anew.
@test "what a container writes into shared memory, and leaves there, is never taken for an index" {
	believes_nothing wreck
}

# Fails when stage_page_new() keeps job->own in the object of job->page (remap_file_pages(2) maps any place of an object).
@test "a container cannot map the memory that kist believes" {
	[ "$(uname -m)" = x86_64 ] || skip "the tracer knows the registers of x86_64 only"
	believes_nothing remap
	! grep '^pids' <<<"$result" | sort | uniq -c | grep -v 'pids 0$' || fail "pids of kist were within reach"
}

# Fails without process_forget_caller() in step_fork_run().
@test "a joining process has nothing of the caller's environment and command line in memory" {
	hostile spy HOST.SECRET
	while another; do
		TOKEN=HOSTSECRET kist exec --pid-file "$T/HOSTSECRET" "$ID" true >"$T/output" 2>&1 </dev/null 3>&- || fail "$(<"$T/output")"
	done
	end_attack
	caught_enough
	[ "$(result_of attacked)" -ge $CAUGHT ] || fail "$(sort <<<"$result" | uniq -c)"
	! grep '^found' <<<"$result" | sort | uniq -c | grep . || fail "the caller's secret was found"

	hostile spy HOST.SECRET
	TOKEN=HOSTSECRET naive_joiner
	end_attack
	grep -q '^found' <<<"$result" || fail "the control was not had:" "$(sort <<<"$result" | uniq -c)"

	# A container that joins the PID namespace.
	hostile spy HOST.SECRET
	TOKEN=HOSTSECRET join_hostile .
	end_attack
	caught_enough
	! grep '^found' <<<"$result" | sort | uniq -c | grep . || fail "the caller's secret was found"
}

# Fails with a capability more in step_capabilities_run(), such as a joiner had that looked up paths by itself.
@test "a joining process cannot be made to open a file of the host" {
	[ "$(uname -m)" = x86_64 ] || skip "the tracer knows the registers of x86_64 only"
	local secret
	echo "the host's" >"$T/secret"
	secret=$("$TRACER" handle "$T/secret") || skip "this file system has no handles"
	hostile act "$secret"
	while another; do
		kist exec --pid-file "$T/pid" "$ID" true >"$T/output" 2>&1 </dev/null 3>&- || true
	done
	end_attack
	caught_enough
	[ "$(result_of attacked)" -ge $CAUGHT ] || fail "$(sort <<<"$result" | uniq -c)"
	! grep -e '^read' -e '^call [0-9]' <<<"$result" || fail "a file of the host was read"

	hostile act "$secret"
	naive_joiner
	end_attack
	grep -q "^read the host's" <<<"$result" || fail "the control was not had:" "$(sort <<<"$result" | uniq -c)"
}

# look_at FILTER STATUS...: what joiners have at birth under a configuration; each must have those lines of /proc/PID/status.
look_at() {
	local line
	config_set "$1"
	hostile look
	while another; do
		# With a question to the parent on the way.
		kist exec --pid-file "$T/pid" "$ID" true >"$T/output" 2>&1 </dev/null 3>&- || fail "$(<"$T/output")"
	done
	end_attack
	caught_enough
	shift
	for line in "$@"; do
		[ "$(grep -c "${line%%:*}:" <<<"$result")" -ge $CAUGHT ] || fail "no $line"
		! grep "^${line%%:*}:" <<<"$result" | sort | uniq -c | grep -v "$line" || fail "not always $line"
	done
	# The container's own streams, and the socket to kist: nothing with a name on the host, and no other socket.
	! grep '^descriptor /' <<<"$result" | sort | uniq -c | grep . || fail "descriptors of the host are open"
	[ "$(grep -c '^sockets 1$' <<<"$result")" -ge $CAUGHT ] || fail "no socket to kist was seen"
	# None is left of one that executes its program just now.
	! grep '^sockets' <<<"$result" | sort | uniq -c | grep -v 'sockets [01]$' || fail "more sockets"
}

# Fails when "capabilities", "seccomp-joiner" or "descriptors" comes after "second-process" in steps_exec[], each alone; so
# do "user", behind the first, and "no-new-privs", before the second, alone they end exec.
@test "a joining process has the program's user, capabilities, no_new_privs and filter from birth" {
	look_at '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["open_by_handle_at"], "action": "SCMP_ACT_ERRNO"}]}' \
		$'CapPrm:\t0000000020080420' $'CapEff:\t0000000020080420' $'CapBnd:\t0000000020080420' $'CapInh:\t0000000000000000' \
		$'NoNewPrivs:\t1' $'Seccomp:\t2' $'Uid:\t0'
}

# Fails when place_seccomp() has every such filter loaded by the new process.
@test "a joining process has the filter from birth without no_new_privs, too" {
	look_at '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["open_by_handle_at"], "action": "SCMP_ACT_ERRNO"}]}
		| .process.noNewPrivileges = false' $'CapPrm:\t0000000020080420' $'NoNewPrivs:\t0' $'Seccomp:\t2'
}

# Fails without "limits-joiner" in steps_exec[], and when raise_by_one() leaves the caller's hard limit.
@test "a joining process has the program's limits from birth" {
	ulimit -Sn 500
	look_at '.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 300, "hard": 400}, {"type": "RLIMIT_NPROC", "soft": 100, "hard": 100}]' \
		'files: 300 400' 'processes: 10[01] 10[01]'
}

# Fails without process_dumpable_run() in own_ids(), where the sysctl fs.suid_dumpable is 1; that it is called shows anywhere.
@test "no change of ids makes a joining process one that others may look into" {
	need_strace
	start_container
	ok strace -f -qq -o "$T/calls" -e trace=setresuid,setresgid,prctl,clone,clone3 "$KIST" --root "$ROOT" exec --user 1000:1000 "$ID" true
	is "$(grep -oE 'setresuid\(1000|PR_SET_DUMPABLE, SUID_DUMP_DISABLE|clone3\(' "$T/calls" | tail -3)" \
		$'setresuid(1000\nPR_SET_DUMPABLE, SUID_DUMP_DISABLE\nclone3('
}

# denied CALL: with an error, which a program that does not need the call gets over.
denied() {
	config_set '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [$call], "action": "SCMP_ACT_ERRNO"}]}
		| .process.noNewPrivileges = false' --arg call "$1"
}

# The first process of the container, without CAP_SYS_PTRACE.
process_file() {
	jq '.process | .capabilities |= map_values(. - ["CAP_SYS_PTRACE"]) | .args = ["true"]' "$BUNDLE/config.json" >"$T/process.json"
}

# Fails when has_tracers() says no, when it does not ask for the container's first process, and when it does not ask whose the
# PID namespace is; when it always says yes, at the end.
@test "a profile that only a privileged joiner could load is refused where the container could take that over" {
	denied poll
	process_file
	start_container
	refused 255 'CAP_SYS_PTRACE' kist exec "$ID" true
	# It is the inhabitants' capability that counts, not that of the new process.
	refused 255 'CAP_SYS_PTRACE' kist exec --process "$T/process.json" "$ID"
	# So it is in a PID namespace that is joined: of those who live there nothing is known.
	mkdir "$T/other"
	jq '.linux.namespaces |= map(if .type == "pid" then .path = $path else . end)
		| .process.capabilities |= map_values(. - ["CAP_SYS_PTRACE"])' \
		--arg path "/proc/$(pid_of)/ns/pid" "$BUNDLE/config.json" >"$T/other/config.json"
	ln -s "$ROOTFS" "$T/other/rootfs"
	refused 1 'CAP_SYS_PTRACE' kist run --bundle "$T/other" "other$ID"
	rm -r "$T/other"
	kist delete --force "$ID"
	# Nobody can, without that capability.
	config_set '.process.capabilities |= map_values(. - ["CAP_SYS_PTRACE"])'
	start_container
	ok kist exec "$ID" grep Seccomp: /proc/self/status
	output_has $'Seccomp:\t2'
	ok kist exec "$ID" grep CapPrm: /proc/self/status
	is "$(tail -1 <<<"$output")" "$(grep CapPrm: "/proc/$(pid_of)/status")"
	# But an exec with that capability may be there, which nobody has written down.
	output_has 'warning: *linux.seccomp: this profile can only be loaded by a process that others see'
}

@test "a filter that a joiner can only load where others trace it already is told" {
	denied poll
	config_set '.process.noNewPrivileges = true'
	start_container
	# It has no capability that the program has not; but somebody may keep it without the filter.
	ok kist exec "$ID" grep -E 'NoNewPrivs:|Seccomp:' /proc/self/status
	output_has 'warning: *linux.seccomp: *before it has the filter*'$'\nNoNewPrivs:\t1\nSeccomp:\t2'
	kist delete --force "$ID"
	config_set '.process.capabilities |= map_values(. - ["CAP_SYS_PTRACE"])'
	start_container
	ok kist exec "$ID" true
	is "$output" ""
}

# Fails when loads_before_fork() tries to do without a session only where find_tracers() is sure.
@test "a joining process has no privilege of its own where an earlier exec has CAP_SYS_PTRACE" {
	denied setsid
	config_set '.process.capabilities |= map_values(. - ["CAP_SYS_PTRACE", "CAP_KILL"])'
	begin_tries
	start_container
	ok kist exec --detach --cap CAP_SYS_PTRACE --cap CAP_KILL "$ID" /tracer look
	while another; do
		kist exec --pid-file "$T/pid" "$ID" true >"$T/output" 2>&1 </dev/null 3>&- || fail "$(<"$T/output")"
	done
	end_attack
	caught_enough
	! grep '^CapEff:' <<<"$result" | sort | uniq -c | grep -v $'CapEff:\t0000000020000400' || fail "more capabilities"
	! grep '^Seccomp:' <<<"$result" | sort | uniq -c | grep -v $'Seccomp:\t2' || fail "no filter"
}

# Fails when step_guard_run() does not close job->seccomp_socket and step_descriptors_run() keeps it.
@test "a container cannot speak to the seccomp agent in kist's name" {
	local message
	listen fds "$T/agent"
	config_set '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": $agent,
		"syscalls": [{"names": ["sethostname"], "action": "SCMP_ACT_NOTIFY"}]}' --arg agent "$T/agent"
	for message in true false; do
		config_set ".process.noNewPrivileges = $message"
		: >"$T/pids"
		hostile agent FORGED
		while another; do
			kist exec --pid-file "$T/pid" "$ID" true >"$T/output" 2>&1 </dev/null 3>&- || fail "$(<"$T/output")"
			{ cat "$T/pid" && echo; } >>"$T/pids"
		done
		end_attack
		caught_enough
		[ "$(result_of attacked)" -ge $CAUGHT ] || fail "$(sort <<<"$result" | uniq -c)"
		! grep '^sent' <<<"$result" | uniq -c | grep . || fail "a message was sent"
		! grep -a FORGED "$T/received" || fail "the agent believes the container"
		# One for each exec: the process's number, by the kernel's word, and its listener.
		is "$(grep '^{' "$T/received" | tail -n "$(wc -l <"$T/pids")" | jq -r 'select(.pid == .state.pid) | .pid')" "$(<"$T/pids")"
	done
	stop_helper
	! grep '^descriptor' "$T/received" | grep -v 'anon_inode:seccomp notify' || fail "another descriptor"
}

# Fails without state_tracer_add() in container_exec.c: the second exec has CAP_SYS_ADMIN before the eyes of the first.
@test "a process with CAP_SYS_PTRACE that an earlier exec brought in is remembered" {
	local options
	denied poll
	config_set '.process.capabilities |= map_values(. - ["CAP_SYS_PTRACE"])'
	jq '.process | .noNewPrivileges = true | .capabilities.bounding += ["CAP_SYS_PTRACE"] | .args = ["sleep", "1000"]' \
		"$BUNDLE/config.json" >"$T/tracer.json"
	for options in "--no-new-privs --cap CAP_SYS_PTRACE -- ID sleep 1000" "--process $T/tracer.json ID"; do
		start_container sleep 1000
		ok kist exec "$ID" true
		# shellcheck disable=SC2086 # words
		ok kist exec --detach --pid-file "$T/pid" ${options/ID/$ID}
		refused 255 'CAP_SYS_PTRACE' kist exec "$ID" true
		# It may have left others behind.
		kill -KILL "$(<"$T/pid")"
		wait_for sh -c "! kill -0 $(<"$T/pid")"
		refused 255 'CAP_SYS_PTRACE' kist exec "$ID" true
		# Who needs no privilege inside is not concerned.
		ok kist exec --no-new-privs "$ID" true
		ok kist delete --force "$ID"
		[ ! -e "$ROOT/$ID" ]
	done
}

# Fails without look_at_second(): exec waits for ten minutes.
@test "a joining process that the container stops is given up" {
	local before status=0
	config_set '.process.capabilities |= map_values(. - ["CAP_SYS_PTRACE"])'
	hostile hold
	while another; do
		before=$SECONDS
		status=0
		timeout -s KILL 60 "$KIST" --root "$ROOT" exec --pid-file "$T/pid" "$ID" true >"$T/output" 2>&1 </dev/null 3>&- || status=$?
		[ "$status" -eq 0 ] || break
	done
	[ "$status" -eq 255 ] || fail "status $status" "$(<"$T/output")"
	grep 'does not get on: somebody in the container has stopped it' "$T/output"
	[ $((SECONDS - before)) -le 30 ] || fail "after $((SECONDS - before)) s"
	end_attack
}

# caught_exec WORD...: kist exec with a question to the parent on the way, by an attack that hits it sooner or later; sets
# $status and $took, in seconds.  The last round counts.
caught_exec() {
	local before=$SECONDS
	status=0
	timeout -s KILL 60 "$KIST" --root "$ROOT" exec --pid-file "$T/pid" "$@" >"$T/output" 2>&1 </dev/null 3>&- || status=$?
	took=$((SECONDS - before))
}

# Fails when unix_socket_receive() takes a message with descriptors and closes them, or unix_socket_drop() only closes.
@test "a socket that a joining process is made to send keeps exec waiting for nobody" {
	local status=0 took
	ip link set lo up
	hostile linger
	while another && [ "$status" -eq 0 ]; do
		caught_exec "$ID" true
	done
	[ "$status" -eq 255 ] || fail "status $status" "$(<"$T/output")"
	grep 'sent a descriptor, which nobody has asked for' "$T/output"
	[ "$took" -le 5 ] || fail "after $took s"
	end_attack
}

# Fails without the look at `executed` in stage_look.c: the program is killed.
@test "a channel that the container keeps open is not taken for a process that was stopped" {
	local status=0 took=0
	hostile keep
	while another && [ "$status" -eq 0 ] && [ "$took" -le 3 ]; do
		caught_exec --detach "$ID" sleep 1000
	done
	[ "$status" -eq 0 ] || fail "status $status" "$(<"$T/output")"
	[ "$took" -gt 3 ] || fail "no channel was kept"
	kill -0 "$(<"$T/pid")"
	end_attack
}

# Fails without the look at the tracer in wait_death().
@test "delete names the process of another container that keeps this one's from its end" {
	local pid
	hostile exit
	cp -r "$BUNDLE" "$T/other"
	jq '.linux.namespaces |= map(if .type == "pid" then .path = $path else . end) | .process.args = ["sleep", "1000"]' \
		--arg path "/proc/$(pid_of)/ns/pid" "$BUNDLE/config.json" >"$T/other/config.json"
	traced() { grep -q "TracerPid:.*[1-9]" "/proc/$pid/status"; }
	# Not each one is caught before it has executed its program.
	for _ in {1..20}; do
		ok kist run --detach --bundle "$T/other" "other$ID"
		pid=$(kist state "other$ID" | jq .pid)
		for _ in {1..15}; do
			! traced || break 2
			sleep 0.1
		done
		ok kist delete --force "other$ID"
	done
	traced
	refused 1 "process $pid does not end after SIGKILL: process $(pid_of) (tracer) traces it, and must end first" \
		kist delete --force "other$ID"
	# The neighbour is not this container's to kill.
	has_status running
	ok kist kill "$ID" KILL
	ok kist delete --force "other$ID"
	rm -r "$T/other"
}

# Fails when only the new process's own capabilities are looked at.
@test "a joining process has no privilege of its own where the filter forbids it a session" {
	denied setsid
	process_file
	hostile look
	while another; do
		kist exec --process "$T/process.json" --pid-file "$T/pid" "$ID" >"$T/output" 2>&1 </dev/null 3>&- || fail "$(<"$T/output")"
	done
	end_attack
	caught_enough
	! grep '^CapEff:' <<<"$result" | sort | uniq -c | grep -v $'CapEff:\t0000000020000420' || fail "more capabilities"
	! grep '^Seccomp:' <<<"$result" | sort | uniq -c | grep -v $'Seccomp:\t2' || fail "no filter"
}

# The bundle $T/other, of a container that joins the PID namespace of the hostile one; changed by a filter.
bundle_other() {
	cp -r "$BUNDLE" "$T/other"
	jq '.linux.namespaces |= map(if .type == "pid" then .path = $path else . end) | .process.args = ["true"]' \
		--arg path "/proc/$(pid_of)/ns/pid" "$BUNDLE/config.json" | jq "$1" >"$T/other/config.json"
}

# run_other [COMMAND...]: runs it once, by that command.
run_other() {
	"$@" "$KIST" --root "$ROOT" run --bundle "$T/other" "other$ID" >"$T/output" 2>&1 </dev/null 3>&-
}

# join_hostile FILTER [COMMAND...]: runs it again and again.
join_hostile() {
	bundle_other "$1"
	shift
	while another; do
		run_other "$@" || fail "$(<"$T/output")"
	done
	rm -r "$T/other"
}

# As on Linux before 6.18, whose procfs are always of their maker's PID namespace.
old_kernel() {
	setarch --uname-2.6 "$@"
}

# In a mount namespace of its own, which the container joins.
joined_mounts() {
	local holder status=0
	# The mount namespace is there when the program is.
	unshare --mount --propagation private sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
	holder=$!
	wait_for grep -qx sleep "/proc/$holder/comm"
	jq '.linux.namespaces |= map(if .type == "mount" then .path = $path else . end)' --arg path "/proc/$holder/ns/mnt" \
		"$T/other/config.json" >"$T/other/config.new"
	mv "$T/other/config.new" "$T/other/config.json"
	"$@" || status=$?
	kill "$holder"
	wait "$holder" || true
	return $status
}

reads_no_root() {
	echo "the host's" >"$T/secret"
	hostile root "$T/secret"
	join_hostile "$@"
	end_attack
	[ "$(result_of seen)" -ge $CAUGHT ] || fail "only $(result_of seen) were caught:" "$(sort <<<"$result" | uniq -c)"
	! grep '^read' <<<"$result" || fail "the host's root was within reach"

	hostile root "$T/secret"
	# Until one is caught, which shows: nsenter stops itself with its child, and nobody lets it go on.
	for _ in {1..20}; do
		status=0
		timeout -s KILL 3 nsenter --target "$(pid_of)" --pid setpriv --bounding-set=-all --inh-caps=-all sleep 0.5 \
			</dev/null >/dev/null 2>&1 3>&- || status=$?
		[ $status -ne 137 ] || break
	done
	end_attack
	grep -q "^read the host's" <<<"$result" || fail "the control was not had:" "$(sort <<<"$result" | uniq -c)"
}

mapped='.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 65536}]
	| .linux.gidMappings = .linux.uidMappings | .mounts |= map(select(.type | IN("proc", "sysfs", "cgroup", "mqueue") | not))'

# Fails when "pid-namespace" stands before "pivot" in steps_create[].
@test "a container that joins a PID namespace shows the host's root to nobody there" {
	reads_no_root .
}

# The same change.  "dumpable" may come late here: the root is entered before.
@test "a container that joins a PID namespace shows the host's root to nobody there, with a user namespace" {
	reads_no_root "$mapped"
}

# Fails when plan_forks_late() is false with such hooks.
@test "a container that joins a PID namespace shows the host's root to nobody there, with a createRuntime hook" {
	reads_no_root '.hooks.createRuntime = [{"path": "/bin/true"}]'
}

# Fails without the row "hook-runner": the hook is born inside.
@test "a container that joins a PID namespace shows the host's root to nobody there, with a createContainer hook" {
	reads_no_root '.hooks.createContainer = [{"path": "/bin/true"}]'
}

@test "a container that joins a PID namespace shows the host's root to nobody there, with that hook and a user namespace" {
	reads_no_root "$mapped | .hooks.createContainer = [{\"path\": \"/bin/true\"}]"
}

# Fails when plan_forks_late() is false with a mount namespace that is joined.
@test "a container that joins a PID namespace shows the host's root to nobody there, with a joined mount namespace" {
	reads_no_root . joined_mounts
}

# Fails without enter_nothing().
@test "a container that joins a PID namespace shows the host's root to nobody there, on Linux before 6.18" {
	reads_no_root . old_kernel
}

# look_other FILTER COMMAND...: what those have that the hostile container sees.
look_other() {
	hostile look
	join_hostile "$@"
	end_attack
	caught_enough
	! grep -e '^descriptor /' -e '^exe /' <<<"$result" | grep -v -e '^exe /memfd:' -e '^exe /bin/busybox$' |
		sort | uniq -c | grep . || fail "things of the host are open"
}

filtered='.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["open_by_handle_at"], "action": "SCMP_ACT_ERRNO"}]}'

# has_no_more FILTER COMMAND...: what is seen has the container's capabilities and filter; or, on Linux before 6.18, the one
# capability and the filter of who opens procfs.
has_no_more() {
	look_other "$@"
	! grep '^CapEff:' <<<"$result" | sort | uniq -c | grep -v -e $'CapEff:\t0000000020080420' -e $'CapEff:\t0000000000200000' || fail "more capabilities"
	! grep '^Seccomp:' <<<"$result" | sort | uniq -c | grep -v $'Seccomp:\t2' || fail "no filter"
}

# Fails when plan_forks_late() is false with hooks, or the runner of hooks is born inside.
@test "a container that joins a PID namespace has no privilege there, with hooks" {
	has_no_more "$filtered"' | .hooks = {"prestart": [{"path": "/bin/true"}], "createContainer": [{"path": "/bin/true"}]}' env
}

# Fails when plan_forks_late() is false with a mount namespace that is joined.
@test "a container that joins a PID namespace has no privilege there, with a joined mount namespace" {
	has_no_more "$filtered" joined_mounts
}

# Each has the filter of the container, or can do nothing but open procfs.  Fails without load_filter(), keep_one_capability(),
# close_others(), or self_exe_run() in prepare_opener().
@test "who opens procfs in a PID namespace that is joined can do nothing else, on Linux before 6.18" {
	look_other "$filtered" old_kernel
	! grep '^CapEff:' <<<"$result" | sort | uniq -c | grep -v -e $'CapEff:\t0000000020080420' -e $'CapEff:\t0000000000200000' || fail "more capabilities"
	[ "$(grep -c $'^CapEff:\t0000000000200000' <<<"$result")" -ge $CAUGHT ] || fail "it was not seen"
	! grep '^Seccomp:' <<<"$result" | sort | uniq -c | grep -v $'Seccomp:\t2' || fail "no filter"
	is "$(grep -c $'^NoNewPrivs:\t0' <<<"$result")" 0
}

# Fails without both keep_one_capability() and load_filter().
@test "who opens procfs in a PID namespace that is joined cannot be made to open a file of the host" {
	[ "$(uname -m)" = x86_64 ] || skip "the tracer knows the registers of x86_64 only"
	local secret
	echo "the host's" >"$T/secret"
	secret=$("$TRACER" handle "$T/secret") || skip "this file system has no handles"
	hostile act "$secret"
	bundle_other .
	while another; do
		run_other old_kernel || true
		! grep -e 'does not get on' "$T/output" || fail "$(<"$T/output")"
	done
	end_attack
	caught_enough
	# Who is killed by its filter makes no call: -1.
	! grep -e '^read' -e '^call [^-]' -e '^call -[0-9][0-9]*[0-9]' <<<"$result" || fail "it made the call"
}

# Fails without the look at the sender in proc_context_receive(): kist tries to mount what it got.
@test "what others send instead of a procfs is not taken" {
	local refusals=0
	hostile send
	bundle_other .
	while another; do
		if ! run_other old_kernel; then
			grep -e 'somebody in the PID namespace has sent something else' "$T/output" || fail "$(<"$T/output")"
			refusals=$((refusals + 1))
		fi
	done
	end_attack
	[ "$refusals" -ge $CAUGHT ] || fail "only $refusals refusals" "$(sort <<<"$result" | uniq -c)"
	[ "$(result_of attacked)" -ge "$refusals" ] || fail "$(sort <<<"$result" | uniq -c)"
}

# in_chroot COMMAND...: as an engine inside a chroot: "/" is a mount point, but not the root of the mount namespace.
in_chroot() {
	unshare --mount --propagation private sh -ec 'top=$1; shift
		mount --bind "$top" "$top"
		mount --rbind /proc "$top/proc"; mount --rbind /sys "$top/sys"; mount --rbind /dev "$top/dev"
		exec chroot "$top" "$@"' sh "$T/top" "$@"
}

# Fails without the chroot() in step_container_join_run().
@test "exec enters the root of a container that was made inside a chroot" {
	local want
	mkdir -p "$T"/top/{proc,sys,dev,tmp,run,bundle,state,bin,lib,lib64,usr}
	cp "$KIST" "$T/top/bin/kist"
	! ldd "$KIST" 2>/dev/null | grep -q "=>" || skip "kist is not static"
	cp -r "$BUNDLE/." "$T/top/bundle"
	jq '.process.args = ["sleep", "1000"]' "$BUNDLE/config.json" >"$T/top/bundle/config.json"
	in_chroot /bin/kist --root /state create --bundle /bundle "$ID" </dev/null >"$T/output" 2>&1 3>&- ||
		fail "$(<"$T/output")"
	in_chroot /bin/kist --root /state start "$ID"
	want=$(stat -c %d:%i "$T/top/bundle/rootfs")
	in_chroot /bin/kist --root /state exec "$ID" stat -c %d:%i / >"$T/inside" 2>&1 </dev/null 3>&- || true
	"$KIST" --root "$T/top/state" exec "$ID" stat -c %d:%i / >"$T/outside" 2>&1 </dev/null 3>&- || true
	in_chroot /bin/kist --root /state delete --force "$ID"
	is "$(<"$T/inside")" "$want"
	is "$(<"$T/outside")" "$want"
}
