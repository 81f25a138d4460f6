#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

# Two commands at once on one id.  One of them is held at a certain moment: by strace, by a hook that does not end, or by
# somebody else's lock.  Above each test: the change of kist that was tried once, and made the test fail.

background() { # sets $pid; what it says goes into $T/background
	"$@" >"$T/background" 2>&1 </dev/null 3>&- &
	pid=$!
}

# ended PID [STATUS]: within 20 s.
ended() {
	local status=0
	wait_for sh -c "! kill -0 $1" || fail "process $1 does not end: $(<"$T/background")"
	wait "$1" || status=$?
	is $status "${2:-0}"
}

# within SECONDS COMMAND...: it must succeed, and not wait for a lock meanwhile.
within() {
	local limit=$1
	shift
	ok timeout "$limit" "$KIST" --root "$ROOT" "$@"
}

# hung_hook KIND: a hook of that kind that does not end by itself, and says where it is.
hung_hook() {
	config_set '.hooks = {($kind): [{"path": "/bin/sh", "args": ["sh", "-c", $text]}]}' --arg kind "$1" \
		--arg text "echo \$\$ >${2:-$T}/hook; exec sleep 1000"
}

# ---- run --------------------------------------------------------------------------------------------------------------

# Mutation: container_run() does without state_lock_release().
@test "a container that runs in the foreground can be paused, resumed, updated, entered and listed" {
	config_cgroup
	args sleep 1000
	background "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	wait_for status_is running
	within 5 pause "$ID"
	within 5 resume "$ID"
	! has_controller pids || within 5 update --pids-limit 100 "$ID"
	within 5 exec "$ID" true
	within 5 kill --all "$ID" CONT
	within 5 delete --force "$ID"
	ended $pid 137
	[ ! -s "$T/background" ] || fail "$(<"$T/background")"
}

status_is() {
	[ "$(status_of 2>/dev/null)" = "$1" ]
}

# Mutation: clean_up() of container_create.c goes on when the lock says -ENOENT.
@test "run does not remove the container that has got its id meanwhile" {
	args sleep 1000
	background "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	wait_for status_is running
	kill -STOP $pid
	ok kist delete --force "$ID"
	create_container
	kill -CONT $pid
	ended $pid 137
	has_status created
}

# Mutation: container_poststart() gives hook_run() no descriptor that ends the wait.
@test "TERM ends a run that waits for a poststart hook, and the container with it" {
	hung_hook poststart
	args sleep 1000
	background "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	wait_for test -s "$T/hook"
	kill -TERM $pid
	ended $pid 1
	assert_nothing_left
}

# Mutation: container_notify() gives notify_socket_serve() no descriptor that ends the wait.
@test "TERM ends a run that waits for READY=1, and the container with it" {
	args sleep 1000
	background env NOTIFY_SOCKET="$T/notify" "$KIST" --root "$ROOT" run --detach --bundle "$BUNDLE" "$ID"
	wait_for status_is running
	kill -TERM $pid
	ended $pid 1
	assert_nothing_left
}

# ---- delete --force always wins ---------------------------------------------------------------------------------------

# Mutation: start_opened() does without container_unlock().
@test "a container whose poststart hook hangs can be paused and deleted" {
	config_cgroup
	hung_hook poststart
	args sleep 1000
	create_container
	background "$KIST" --root "$ROOT" start "$ID"
	wait_for test -s "$T/hook"
	within 5 pause "$ID"
	within 5 resume "$ID"
	within 5 delete --force "$ID"
	kill "$(<"$T/hook")"
	ended $pid 1
}

# Mutation: container_delete() does without container_signal_init(), which kills before the lock.
@test "a container whose startContainer hook hangs can be deleted" {
	hung_hook startContainer /tmp
	args sleep 1000
	create_container
	background "$KIST" --root "$ROOT" start "$ID"
	wait_for test -s "$ROOTFS/tmp/hook"
	within 5 delete --force "$ID"
	ended $pid 1
	grep -q 'the process ended unexpectedly' "$T/background" || fail "$(<"$T/background")"
}

# Mutation: container_delete() asks for the lock without force.
@test "a create whose hook hangs is ended by delete --force" {
	config_cgroup
	hung_hook createRuntime
	background "$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
	wait_for test -s "$T/hook"
	within 12 delete --force "$ID"
	ended $pid 1
	! kill -0 "$(<"$T/hook")" 2>/dev/null || fail "the hook lives"
	assert_nothing_left
}

# Mutation: wait_by_force() sends no SIGCONT after SIGTERM.
@test "a create that was stopped is ended by delete --force" {
	config_cgroup
	hung_hook createRuntime
	background "$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
	wait_for test -s "$T/hook"
	kill -STOP $pid
	within 12 delete --force "$ID"
	ended $pid 1
	assert_nothing_left
}

# Mutations, each alone: read_command() looks for " delete " in the text of the command line; is_kist() compares the name of the
# process; end_holder() sends a delete nothing, not even SIGCONT.
@test "a create is ended whatever its words and its program are called, and a delete that was stopped goes on" {
	mv "$BUNDLE" "$T/a delete b"
	BUNDLE="$T/a delete b"
	cp "$KIST" "$T/kist"
	ln -s kist "$T/runc"
	hung_hook createRuntime
	background "$T/runc" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
	wait_for test -s "$T/hook"
	ok timeout 12 "$T/kist" --root "$ROOT" delete --force "$ID"
	ended $pid 1
	assert_nothing_left
	need_strace
	config_set 'del(.hooks)'
	args sleep 1000
	create_container
	# Stopped when it has the lock.
	background strace -f -qq -o /dev/null -e inject=flock:signal=STOP:when=1 "$KIST" --root "$ROOT" delete --force "$ID"
	wait_for sh -c "grep -q 't (tracing stop)\|T (stopped)' /proc/\$(pgrep -P $pid)/status"
	within 12 delete --force "$ID"
	ended $pid
}

# Mutation: find_holder() does without find_among_all().
@test "a create that was killed, with a child that was stopped before it could let go of the lock" {
	need_strace
	config_cgroup
	args sleep 1000
	# The first act of the child is a close_range(); there it stops.
	background strace -f -qq -o /dev/null -e inject=close_range:signal=STOP:when=1 \
		"$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
	wait_for child_stopped
	kill -KILL "$(pgrep -P $pid)"
	kill -KILL $pid
	wait $pid || true
	kill -STOP "$child" 2>/dev/null || true
	within 12 delete --force "$ID"
	assert_nothing_left
}

child_stopped() {
	local creator
	creator=$(pgrep -P $pid) && child=$(pgrep -P "$creator") && grep -q '^State:.[tT]' "/proc/$child/status"
}

# Mutation: read_command() takes no command for a delete.
@test "two commands that wait for each other's lock do not end a delete" {
	need_strace
	args sleep 1000
	create_container
	background strace -f -qq -o /dev/null -e inject=rmdir,unlinkat:delay_enter=6000000:when=1 \
		"$KIST" --root "$ROOT" delete --force "$ID"
	sleep 0.5
	within 12 delete --force "$ID"
	ended $pid
}

# Mutation: read_record() of state.c takes EMFILE for a damaged file.
@test "delete --force is no success while the container lives, whatever cannot be opened" {
	need_strace
	local n manager
	args sleep 1000
	for manager in cgroupfs disabled; do
		# One file, and that with all after it: what cannot be opened once may be opened again.
		for n in {1..7} {1..7}+; do
			ok kist --cgroup-manager=$manager run --detach --bundle "$BUNDLE" "$ID"
			pid=$(pid_of)
			try strace -qq -o /dev/null -e "inject=openat:error=EMFILE:when=$n" "$KIST" --root "$ROOT" \
				--cgroup-manager=$manager delete --force "$ID"
			[ "$status" -le 1 ] || fail "openat $n: status $status: $output"
			if [ "$status" -eq 0 ]; then
				wait_for sh -c "! kill -0 $pid" || fail "openat $n: success, and its process lives"
				refused 1 'does not exist' kist state "$ID"
			fi
			ok kist --cgroup-manager=$manager delete --force "$ID"
		done
	done
}

# ---- a lock on a directory that is gone -------------------------------------------------------------------------------

# Mutation: take() does without state_lock_fits().
@test "a delete --force that comes late does not kill the new container of the same id" {
	need_strace
	start_container
	background strace -qq -o /dev/null -e inject=flock:delay_enter=2000000:when=1 \
		"$KIST" --root "$ROOT" delete --force "$ID"
	sleep 0.5
	ok kist delete --force "$ID"
	start_container
	ended $pid
	has_status running
}

# The same mutation.
@test "pause, update and kill --all that come late leave the new container of the same id alone" {
	need_strace
	local verb
	config_cgroup
	echo '{}' >"$T/nothing"
	for verb in pause "update -r $T/nothing" 'kill --all'; do
		start_container
		# shellcheck disable=SC2086 # two words
		background strace -qq -o /dev/null -e inject=flock:delay_enter=2000000:when=1 \
			"$KIST" --root "$ROOT" $verb "$ID"
		sleep 0.5
		ok kist delete --force "$ID"
		start_container
		ended $pid 1
		grep -q 'does not exist' "$T/background" || fail "$(<"$T/background")"
		has_status running
		ok kist delete --force "$ID"
	done
}

# Mutation: state_new() removes the directory also where the intent is there already.
@test "a create that loses the id before it has locked it leaves the winner's record alone" {
	need_strace
	args sleep 1000
	config_cgroup
	# Its directory is made, and not yet opened.
	background strace -f -qq -o /dev/null -e inject=mkdirat:delay_exit=1500000:when=1 \
		"$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
	wait_for test -d "$ROOT/$ID"
	ok kist delete --force "$ID"
	create_container
	ended $pid 1
	grep -q "container with id $ID already exists" "$T/background" || fail "$(<"$T/background")"
	has_status created
	is "$(jq -r .id "$ROOT/$ID/intent.json")" "$ID"
}

# Mutation: NEW_TRIES_MAX is 1.
@test "a create whose directory is removed before it is locked makes another" {
	need_strace
	args sleep 1000
	background strace -qq -o /dev/null -e inject=flock:delay_enter=1500000:when=1 \
		"$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
	wait_for test -d "$ROOT/$ID"
	ok kist delete --force "$ID"
	ended $pid
	has_status created
}

# late COMMAND...: opens the container now, and asks for its lock 1.5 s later; sets $late.
late() {
	strace -qq -o /dev/null -e inject=flock:delay_enter=1500000:when=1 "$KIST" --root "$ROOT" "$@" >"$T/late" 2>&1 </dev/null 3>&- &
	late=$!
}

late_ends() { # STATUS SECONDS
	local status=0
	timeout "$2" tail --pid="$late" -f /dev/null || fail "it waits: $(<"$T/late")"
	wait "$late" || status=$?
	is $status "$1"
}

@test "a delete keeps nobody out while its poststop hook runs" {
	need_strace
	hung_hook poststop
	start_container true
	wait_for status_is stopped
	late delete --force "$ID"
	background "$KIST" --root "$ROOT" delete "$ID"
	wait_for test -s "$T/hook"
	late_ends 0 6
	kill -0 "$(<"$T/hook")" || fail "the hook was ended"
	config_set '.hooks = {}'
	create_container
	kill "$(<"$T/hook")"
	ended $pid
	has_status created
}

@test "a run has the status of its program, and its poststop hook runs, though a delete --force waits" {
	need_strace
	hung_hook poststop
	args sh -c 'sleep 1; exit 7'
	background "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	wait_for status_is running
	late delete --force "$ID"
	# The signal of delete may be the first.
	wait_for test -s "$T/hook"
	late_ends 0 6
	kill -0 "$(<"$T/hook")" || fail "the hook was ended"
	kill "$(<"$T/hook")"
	wait "$pid" || status=$?
	[ "$status" -eq 7 ] || [ "$status" -eq 137 ] || fail "status $status: $(<"$T/background")"
}

@test "a container that is asked for while its create ends is not called stopped" {
	need_strace
	config_set '.hooks = {createRuntime: [{"path": "/bin/sh", "args": ["sh", "-c", $text]}]}' \
		--arg text ": >$T/hook; until [ -e $T/go ]; do sleep 0.05; done"
	args sleep 1000
	background "$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
	wait_for test -e "$T/hook"
	late state "$ID"
	sleep 0.5
	touch "$T/go"
	ended $pid
	late_ends 0 6
	is "$(jq -r .status "$T/late")" created
}

@test "a container that cannot be seen for want of descriptors is not called dead" {
	local n manager
	args sleep 1000
	for manager in cgroupfs disabled; do
		for n in {4..14}; do
			ok kist --cgroup-manager=$manager run --detach --bundle "$BUNDLE" "$ID"
			pid=$(pid_of)
			for command in "kill $ID CONT" "exec $ID true" "events --stats $ID" "pause $ID"; do
				# shellcheck disable=SC2086 # words
				try prlimit --nofile=$n:$n "$KIST" --root "$ROOT" $command
				[[ $output != *'not running'* ]] || fail "$n descriptors: $command: $output"
			done
			kist resume "$ID" 2>/dev/null || true
			try prlimit --nofile="$n:$n" "$KIST" --root "$ROOT" list --quiet --format json
			try prlimit --nofile="$n:$n" "$KIST" --root "$ROOT" list --format json
			[ "$status" -ne 0 ] || [[ $output == *'"status":"running"'* ]] || fail "$n descriptors: list: $output"
			try prlimit --nofile="$n:$n" "$KIST" --root "$ROOT" --cgroup-manager=$manager delete --force "$ID"
			[ "$status" -le 1 ] || fail "$n descriptors: status $status: $output"
			[ "$status" -ne 0 ] || wait_for sh -c "! kill -0 $pid" || fail "$n descriptors: success, and its process lives"
			ok kist --cgroup-manager=$manager delete --force "$ID"
		done
	done
}

@test "delete --force ends what a run has left that was at work when it came" {
	need_strace
	config_shared_pids
	config_set '.hooks = {createRuntime: [{"path": "/bin/sh", "args": ["sh", "-c", $text]}]}' \
		--arg text ": >$T/hook; until [ -e $T/go ]; do sleep 0.05; done"
	args sh -c 'sleep 999 & exec sleep 1000'
	background "$KIST" --root "$ROOT" --cgroup-manager=disabled run --bundle "$BUNDLE" "$ID"
	wait_for test -e "$T/hook"
	strace -qq -o /dev/null -e inject=flock:delay_exit=700000 "$KIST" --root "$ROOT" --cgroup-manager=disabled \
		delete --force "$ID" >"$T/late" 2>&1 </dev/null 3>&- &
	late=$!
	sleep 0.5
	touch "$T/go"
	late_ends 0 10
	ended $pid 137
	assert_nothing_left
}

@test "the caller's alarm ends a wait for the lock, and another SIGALRM does not" {
	start_container
	flock "$ROOT/$ID" sleep 30 3>&- &
	local holder=$! status=0
	wait_for sh -c "! flock --nonblock '$ROOT/$ID' true"
	timeout 8 perl -e 'alarm 1; exec @ARGV' "$KIST" --root "$ROOT" pause "$ID" 3>&- || status=$?
	is $status 142
	background "$KIST" --root "$ROOT" pause "$ID"
	sleep 0.5
	kill -ALRM $pid
	sleep 0.5
	kill -0 $pid || fail "$(<"$T/background")"
	pkill -P $holder
	ended $pid
	has_status paused
	ok kist resume "$ID"
}

@test "only files that are locked are looked at for the holder of the lock" {
	need_strace
	hung_hook createRuntime
	background "$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
	wait_for test -s "$T/hook"
	refused 1 "locked by process $pid" strace -qq -o "$T/calls" -e trace=newfstatat,statx,fstat,stat "$KIST" --root "$ROOT" pause "$ID"
	# Standard streams of the holder may be files of a server that does not answer.
	! grep -E '\([0-9]+, "[0-2]",' "$T/calls" || fail "they were looked at"
	grep -qE '\([0-9]+, "[0-9]+",' "$T/calls"
	kill -TERM $pid
	ended $pid 1
}

# ---- who holds it -----------------------------------------------------------------------------------------------------

# Mutation: locked_error() does without describe_holder().
@test "whoever waits in vain is told which process holds the lock, and with what command" {
	config_cgroup
	hung_hook createRuntime
	background "$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
	wait_for test -s "$T/hook"
	refused 1 "container $ID is locked by process $pid ($KIST --root $ROOT create --bundle $BUNDLE $ID) for 10 s" \
		kist pause "$ID"
	has_status creating
	kill -TERM $pid
	ended $pid 1
}

# ---- the record -------------------------------------------------------------------------------------------------------

# Mutation: RECORD_MAX is one MiB.
@test "a container with a megabyte of annotations has a whole life" {
	local text
	args sleep 1000
	text=$(head -c 1000000 /dev/zero | tr '\0' x)
	jq --rawfile text <(printf %s "$text") '.annotations = {a: $text, b: ($text | .[0:500000])}' "$BUNDLE/config.json" >"$T/big"
	mv "$T/big" "$BUNDLE/config.json"
	create_container
	ok kist start "$ID"
	ok kist exec "$ID" true
	has_status running
	ok kist delete --force "$ID"
}

# Mutation: state_new() does not compare with RECORD_MAX.
@test "a configuration whose record could not be read again is refused, and nothing is made" {
	head -c 12000000 /dev/zero | tr '\0' x >"$T/text"
	jq --rawfile text "$T/text" '.annotations = {a: $text}' "$BUNDLE/config.json" >"$T/big"
	mv "$T/big" "$BUNDLE/config.json"
	refused 1 'makes a record of 2*bytes; it may have 16777088' kist create --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

# Mutations, each alone: check_owner() of state.c does not look at the owner, or not at the mode.
@test "a record that another user has planted is not obeyed" {
	need_root "is another user"
	local verb
	start_container
	mkdir -m 1777 "$T/shared"
	cp -a "$ROOT/$ID" "$T/shared/planted"
	for verb in state start pause resume ps kill delete 'delete --force' 'exec planted true'; do
		# shellcheck disable=SC2086 # words
		set -- $verb
		[ $# -eq 3 ] || set -- "$@" planted
		chown -R 4242:4242 "$T/shared/planted"
		chmod 700 "$T/shared/planted"
		try "$KIST" --root "$T/shared" "$@"
		[ "$status" -ne 0 ] || fail "$verb obeyed it"
		output_has 'belongs to user 4242, but kist runs as user 0'
		chown -R 0:0 "$T/shared/planted"
		chmod 770 "$T/shared/planted"
		try "$KIST" --root "$T/shared" "$@"
		[ "$status" -ne 0 ] || fail "$verb obeyed it"
		output_has 'can be written by others'
	done
	ok "$KIST" --root "$T/shared" list
	output_has 'left out'
	has_status running
}
