#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

# Every row of the step tables (libcontainer/steps.c) fails, and dies, once.  Which rows there are comes from the
# program's dry run, which have a parent's half from the table itself.

STEPS=$KIST_TEST_TOP/libcontainer/steps.c
loads=()

# What kist is started by.
machine=()

kist() {
	"${machine[@]}" "$KIST" --root "$ROOT" "$@"
}

bundle_again() {
	cp "$KIST_TEST_SUITE/config.json" "$BUNDLE"
}

# columns TABLE NUMBER: the first column, name, of each row and that of the number.
columns() {
	awk -v table="steps_$1[]" -v number="$2" '
		index($0, table) { on = 1 }
		on && /^};/ { on = 0 }
		on && /^\t\{ "/ { row = $0; if (row !~ /\}/) { getline; row = row $0 }
			split(row, column, ", *")
			gsub(/[{" \t]/, "", column[1])
			print column[1], column[number] }' "$STEPS"
}

# Rows of the table $1 that have a parent's half (serve is not NULL), and those that always apply (when is NULL).
served() {
	columns "$1" 5 | sed -n '/ NULL$/!s/ .*//p'
}

unconditional() {
	columns "$1" 3 | sed -n 's/ NULL$//p'
}

rows() {
	awk -v table="steps_$1[]" '
		index($0, table) { on = 1 }
		on && /^};/ { on = 0 }
		on && /^\t\{ "/ { gsub(/[{",]/, "", $0); print $1 }' "$STEPS"
}

# The rows that apply to $BUNDLE.  At which of them the filter is loaded before a late fork, a dry run does not find out:
# that is $loads, if it is not empty.
applying() {
	local rows
	rows=$(kist create --dry-run=json --bundle "$BUNDLE" "$@" "$ID" | jq -r '.[].step')
	[ ${#loads[@]} -eq 0 ] ||
		rows=$(grep -vxE 'seccomp(-privileged|-inside)?|agent(-privileged)?' <<<"$rows" && printf '%s\n' "${loads[@]}")
	echo "$rows"
}

# Fails with a full disk at a row: of create, or, past the point where create is done, of start.
fails_at() {
	local fault=$1 step=${1%/serve}
	shift
	start_receiver
	try kist --fault "$fault=ENOSPC" create --bundle "$BUNDLE" "$@" "$ID"
	if [ "$status" -eq 0 ]; then
		try kist start "$ID"
		kist delete --force "$ID"
	fi
	stop_receiver
	[ "$status" -eq 1 ] || { echo "$fault: status $status: $output"; return; }
	# At "start", create has ended and nobody listens yet: what `start` finds is a stopped container.
	[[ $output == *"$step"*"no space left on device"* || $step = start ]] || echo "$fault: it says: $output"
	left=$(assert_nothing_left 2>&1) || echo "$fault: $left"
}

add_device() {
	ip link add "dummy$BATS_TEST_NUMBER" type dummy 2>/dev/null
}

# One that had moved ends with the container's network namespace.
fails_at_with_device() {
	ip link show "dummy$BATS_TEST_NUMBER" >/dev/null 2>&1 || add_device || true
	fails_at "$@"
}

# The process that the row runs in is killed there.
dies_at() {
	local fault=$1 step=${1%/serve}
	shift
	start_receiver
	try kist --fault "$fault=kill" create --bundle "$BUNDLE" "$@" "$ID"
	if [ "$status" -eq 0 ]; then
		try kist start "$ID"
	fi
	stop_receiver
	# A death in the last row looks like a program that ended at once.
	[ "$status" -ne 0 ] || [ "$step" = exec ] || echo "$fault=kill: status 0"
	case $status:$step:$output in
	1:start:* | 1:*"$step"*"killed by signal"* | 1:*"$step"*"ended unexpectedly"*) ;;
	1:*) echo "$fault=kill: it says: $output" ;;
	esac
	kist delete --force "$ID" >"$T/delete" 2>&1 || echo "$fault=kill: delete -f: $(<"$T/delete")"
	left=$(assert_nothing_left 2>&1) || echo "$fault=kill: $left"
}

# A test may need somebody at the other end of a socket.
start_receiver() {
	receivers=()
	local socket
	for socket in "${sockets[@]}"; do
		rm -f "$T/$socket.socket" "$T/$socket.listening"
		"$RECEIVE" "$socket" "$T/$socket.socket" >/dev/null 2>"$T/$socket.listening" </dev/null 3>&- &
		receivers+=($!)
		wait_for grep -qs listening "$T/$socket.listening"
	done
}

stop_receiver() {
	[ ${#receivers[@]} -eq 0 ] || { kill "${receivers[@]}" && wait "${receivers[@]}"; } 2>/dev/null || true
}

# each FUNCTION [OPTION...]: for each row that applies, and each parent's half.
each() {
	local function=$1 step complaints=
	shift
	applying "$@" >"$T/applying"
	[ "$(wc -l <"$T/applying")" -gt 20 ] || fail "only $(wc -l <"$T/applying") rows apply"
	served create >"$T/served"
	while read -r step; do
		complaints+=$("$function" "$step" "$@")
		! grep -qx -- "$step" "$T/served" || complaints+=$("$function" "$step/serve" "$@")
	done <"$T/applying"
	[ -z "$complaints" ] || fail "$complaints"
}

# Configurations that together need every row.
plain_config() {
	sockets=()
	config_cgroup
	config_set '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["getrlimit"], "action": "SCMP_ACT_ERRNO"}]}'
}

rich_config() {
	sockets=(tty fd)
	config_cgroup
	config_set '.process.terminal = true
		| .process.noNewPrivileges = false
		| .process.oomScoreAdj = 500
		| .process.scheduler = {"policy": "SCHED_BATCH"}
		| .hostname = "kist"
		| .linux.sysctl = {"net.ipv4.ip_forward": "1"}
		| .linux.personality = {"domain": "LINUX"}
		| .linux.namespaces += [{"type": "time"}]
		| .linux.timeOffsets = {"monotonic": {"secs": 5}}
		| .linux.resources.pids = {"limit": 50}
		| .linux.resources.hugepageLimits = [{"pageSize": "2MB", "limit": 0}]
		| .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": $socket,
			"syscalls": [{"names": ["getrlimit"], "action": "SCMP_ACT_NOTIFY"}]}
		| .hooks = ({} | .prestart = [{"path": "/bin/true"}] | .createRuntime = .prestart
			| .createContainer = .prestart | .startContainer = .prestart | .poststart = .prestart
			| .poststop = .prestart)' --arg socket "$T/fd.socket"
	config_set '.hooks.createContainer[0].path = "/bin/true" | .hooks.startContainer[0].path = "/bin/true"'
	has_controller pids || config_set 'del(.linux.resources.pids)'
	has_controller hugetlb || config_set 'del(.linux.resources.hugepageLimits)'
}

userns_config() {
	sockets=()
	config_cgroup
	config_userns
	mkdir "$T/source"
	# The host's ipc namespace is another owner's: nothing of it can be mounted.
	config_set '.process.noNewPrivileges = false | .process.oomScoreAdj = 500
		| .mounts |= map(select(.type != "mqueue"))
		| .linux.netDevices = {"dummy\($id)": {"name": "d0"}}
		| .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW",
			"syscalls": [{"names": ["getrlimit"], "action": "SCMP_ACT_ERRNO"}]}
		| .mounts += [{"destination": "/bound", "type": "bind", "source": $source, "options": ["bind"]}]
		| .linux.namespaces |= map(if .type == "ipc" then .path = "/proc/\($pid)/ns/ipc" else . end)' \
		--arg source "$T/source" --arg pid $$ --arg id "$BATS_TEST_NUMBER"
	# Neither is for an ordinary user's container.
	! ordinary_user || config_set 'del(.linux.namespaces[].path, .linux.netDevices)'
	chmod 711 "$T"
}

# A container in the PID namespace of others: what has privilege comes before it is entered.
joined_config() {
	sockets=()
	loads=(seccomp-joiner)
	config_cgroup
	config_set '.process.scheduler = {"policy": "SCHED_BATCH"}
		| .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["getrlimit"], "action": "SCMP_ACT_ERRNO"}]}
		| .linux.namespaces |= map(if .type == "pid" then .path = "/proc/\($pid)/ns/pid" else . end)' --arg pid $$
}

# The same with an agent, and without no_new_privs: the capability that loading takes is let go of.
joined_agent_config() {
	joined_config
	sockets=(fd)
	loads=(seccomp-joiner capabilities-joiner listener agent)
	config_set '.process.noNewPrivileges = false
		| .linux.seccomp.listenerPath = $socket
		| .linux.seccomp.syscalls[0].action = "SCMP_ACT_NOTIFY"' --arg socket "$T/fd.socket"
}

# With a filter that only the last process can load.  It needs CAP_SYS_ADMIN for that, which is refused to those who
# may not have it.
joined_inside_config() {
	joined_agent_config
	loads=(seccomp-inside agent capabilities-inside)
	config_set '.process.capabilities.permitted += ["CAP_SYS_ADMIN"] | .process.capabilities.bounding += ["CAP_SYS_ADMIN"]
		| .linux.seccomp.syscalls[0].names = ["poll", "ppoll"]'
}

# The same with hooks, as on Linux before 6.18.
joined_old_config() {
	joined_config
	machine=(setarch --uname-2.6)
	config_set '.hooks = {"createRuntime": [{"path": "/bin/true"}], "createContainer": [{"path": "/bin/true"}]}'
}

# A user namespace that is joined, so that its PID namespace is made by the first process, for a second one.
joined_user_config() {
	sockets=(fd)
	loads=()
	machine=()
	config_mapped
	start_helper unshare --user sleep 1000
	wait_for grep -qx sleep "/proc/$helper/comm"
	echo 0 100000 65536 >"/proc/$helper/uid_map"
	echo 0 100000 65536 >"/proc/$helper/gid_map"
	user=$helper
	remember_world
	config_set 'del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(if .type == "user" then .path = $path else . end)
		| .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": $socket,
			"syscalls": [{"names": ["getrlimit"], "action": "SCMP_ACT_NOTIFY"}]}' \
		--arg path "/proc/$helper/ns/user" --arg socket "$T/fd.socket"
}

@test "plain: each step fails with its name and leaves nothing" {
	plain_config
	each fails_at
}

@test "plain: each step is killed, and delete -f leaves nothing" {
	plain_config
	each dies_at
}

@test "everything: each step fails with its name and leaves nothing" {
	rich_config
	each fails_at --console-socket "$T/tty.socket"
}

@test "everything: each step is killed, and delete -f leaves nothing" {
	rich_config
	each dies_at --console-socket "$T/tty.socket"
}

@test "a user namespace: each step fails with its name and leaves nothing" {
	userns_config
	add_device || config_set 'del(.linux.netDevices)'
	each fails_at_with_device
}

@test "a user namespace: each step is killed, and delete -f leaves nothing" {
	userns_config
	config_set 'del(.linux.netDevices)'
	each dies_at
}

@test "a joined PID namespace: each step fails with its name and leaves nothing" {
	need_root "joins a namespace of the host"
	joined_config
	each fails_at
	joined_agent_config
	each fails_at
	joined_inside_config
	each fails_at
	bundle_again
	joined_old_config
	each fails_at
}

@test "a joined PID namespace: each step is killed, and delete -f leaves nothing" {
	need_root "joins a namespace of the host"
	joined_config
	each dies_at
	joined_agent_config
	each dies_at
	joined_inside_config
	each dies_at
	bundle_again
	joined_old_config
	each dies_at
}

@test "a joined user namespace: each step fails with its name and leaves nothing" {
	need_root "maps ids of others"
	joined_user_config
	each fails_at
	kill "$user"
}

@test "a joined user namespace: each step is killed, and delete -f leaves nothing" {
	need_root "maps ids of others"
	joined_user_config
	each dies_at
	kill "$user"
}

@test "run: each step fails with its name and leaves nothing" {
	local step complaints=
	plain_config
	while read -r step; do
		try kist --fault "$step=EIO" run --bundle "$BUNDLE" "$ID"
		[ "$status" -eq 1 ] && [[ $output == *"$step"*"input/output error"* ]] ||
			complaints+="$step: status $status: $output"$'\n'
		left=$(assert_nothing_left 2>&1) || complaints+="$step: $left"$'\n'
	done < <(kist run --dry-run=json --bundle "$BUNDLE" "$ID" | jq -r '.[].step' | grep -vxE 'cgroup-owner|poststop-hooks')
	[ -z "$complaints" ] || fail "$complaints"
}

# exec_rows: sets $ran, the rows that `exec` goes through in this container, and the parent's halves of them: those that
# always apply, and what its trace has.  A fault at one of these must end the command, at another it must not.
exec_rows() {
	ok kist --trace "$T/trace" exec --pid-file "$T/pid" "$ID" true
	ran=$(jq -r 'if type == "array" then . else .traceEvents end | .[] | select(.ph == "X" and .cat != "undo").name' "$T/trace")
	ran=$(sort -u <<<"$ran"; unconditional exec; served exec | grep -xF "$ran" | sed 's|$|/serve|')
	[ "$(wc -l <<<"$ran")" -gt 20 ] || fail "only these rows ran: $(xargs <<<"$ran")"
}

@test "exec: each step fails with its name, and the container lives on" {
	local step complaints='' before
	plain_config
	start_container
	exec_rows
	before=$(kist ps -f json "$ID" | jq -c .)
	while read -r step; do
		try kist --fault "$step=EMFILE" exec --pid-file "$T/pid" "$ID" true
		case $status:$output in
		255:*"${step%/serve}"*"too many open files"*) grep -qxF -- "$step" <<<"$ran" || complaints+="$step did not run"$'\n' ;;
		0:*) ! grep -qxF -- "$step" <<<"$ran" || complaints+="$step: the fault did not fire"$'\n' ;;
		*) complaints+="$step: status $status: $output"$'\n' ;;
		esac
		wait_for sh -c "[ \"\$('$KIST' --root '$ROOT' ps -f json $ID | jq -c .)\" = '$before' ]" ||
			complaints+="$step: a process is left"$'\n'
	done < <(rows exec; served exec | sed 's|$|/serve|')
	has_status running
	[ -z "$complaints" ] || fail "$complaints"
}

@test "exec: each step is killed, and the container lives on" {
	local step complaints='' before
	plain_config
	start_container
	exec_rows
	before=$(kist ps -f json "$ID" | jq -c .)
	while read -r step; do
		try kist --fault "$step=kill" exec --pid-file "$T/pid" "$ID" true
		if [ "$status" -eq 0 ]; then
			# What is killed in the last row has executed the program, as far as anybody can tell.
			[ "$step" = exec ] || ! grep -qxF -- "$step" <<<"$ran" || complaints+="$step: the fault did not fire"$'\n'
			continue
		fi
		wait_for sh -c "[ \"\$('$KIST' --root '$ROOT' ps -f json $ID | jq -c .)\" = '$before' ]" ||
			complaints+="$step: a process is left"$'\n'
	done < <(rows exec; served exec | sed 's|$|/serve|')
	has_status running
	[ -z "$complaints" ] || fail "$complaints"
}

@test "every row of create is failed by one of these tests" {
	local seen others='labels|cgroup-owner|cgroup-payload|cgroup-unit|cgroup-device-(lines|program)'
	# An ordinary user's container has neither namespaces nor devices of the host.
	! ordinary_user || others+='|namespaces-(join|unshare)|net-devices|oom-score|pid-namespace|hook-runner|proc-context|.*-(joiner|inside|of-child|privileged)|listener|agent'
	seen=$(
		plain_config
		applying
		rich_config
		applying --console-socket "$T/tty.socket"
		kist run --dry-run=json --bundle "$BUNDLE" "$ID" | jq -r '.[].step'
		cp "$KIST_TEST_SUITE/config.json" "$BUNDLE"
		userns_config
		applying
		NOTIFY_SOCKET=$T/notify applying
		bundle_again
		joined_config
		applying
		joined_agent_config
		applying
		joined_inside_config
		applying
			bundle_again
		joined_old_config
		applying
		bundle_again
		ordinary_user || {
			joined_user_config
			applying
			kill "$user"
		}
	)
	[ "$(rows create | wc -l)" -gt 40 ] || fail "$STEPS has only these rows: $(rows create | xargs)"
	# An LSM and systemd are another machine's; a cgroup's owner is set on cgroup2 only; device rules have one row a version.
	comm -23 <(rows create | sort) <(sort -u <<<"$seen") |
		grep -vxE "$others" >"$T/unseen" || true
	grep -q '^cgroup-device-' <<<"$seen"
	[ ! -s "$T/unseen" ] || fail "not failed: $(xargs <"$T/unseen")"
}

@test "a fault at a step that does not exist is refused" {
	try kist --fault nonsense create --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	try kist --fault rootfs=ENONSENSE create --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	assert_nothing_left
}

@test "create killed at any moment leaves nothing after delete -f" {
	killed_at_random create
}

@test "delete killed at any moment leaves nothing after delete -f" {
	killed_at_random delete
}

# The time of a kill goes evenly from none to a little more than the command takes.
killed_at_random() {
	local i begin span rounds=100 wait
	[ -z "${KIST_TEST_LONG:-}" ] || rounds=1000
	config_cgroup
	args sleep 1000
	begin=$(date +%s%N)
	create_container
	span=$((($(date +%s%N) - begin) * 12 / 10000))
	[ "$1" = create ] || span=$((span * 2))
	kist delete --force "$ID"
	for ((i = 0; i < rounds; i++)); do
		printf -v wait '0.%06d' $((RANDOM * span / 32768 + 1))
		if [ "$1" = create ]; then
			timeout --foreground -s KILL "$wait" "$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID" \
				>"$T/out" 2>&1 </dev/null 3>&- || true
		else
			create_container
			timeout --foreground -s KILL "$wait" "$KIST" --root "$ROOT" delete --force "$ID" \
				>"$T/out" 2>&1 </dev/null 3>&- || true
		fi
		kist delete --force "$ID" >"$T/delete" 2>&1 3>&- || fail "round $i, killed after $wait s: $(<"$T/delete")"
		nothing_left >"$T/left" || assert_nothing_left || fail "round $i, killed after $wait s"
	done
}
