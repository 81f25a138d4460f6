#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

# What a container can make of the cgroups and directories that it can write to.  Each test names the change to kist
# that takes the defence away and makes it fail.

setup() {
	setup_container
	config_cgroup
	trees=()
}

teardown() {
	local tree
	stop_helper
	for tree in "${trees[@]}"; do
		# find(1) cannot, for the paths are longer than a path may be.
		[ ! -e "$tree/freezer.state" ] || find "$tree" -maxdepth 2 -name freezer.state -exec sh -c 'echo THAWED >"$1"' sh {} \;
		[ ! -e "$tree/cgroup.kill" ] || echo 1 2>/dev/null >"$tree/cgroup.kill" || true
	done
	for tree in "${trees[@]}"; do
		wait_for "$DIRECTORIES" remove "$tree" || true
	done
	teardown_container
}

# use_leaf: $leaf is the container's cgroup in the hierarchy where its processes are looked up, $freezer where it is frozen.
use_leaf() {
	leaf=$(jq -r '.cgroup.dirs[0] | .mount + .path' "$ROOT/$ID/state.json")
	freezer=$(jq -r '[.cgroup.dirs[] | select(.controllers == "freezer")][0] // .cgroup.dirs[0] | .mount + .path' "$ROOT/$ID/state.json")
	trees+=("$leaf" "$freezer")
}

# within LIMIT ARGUMENT...: kist with that many descriptors and none but the first three open, and the usual stack.
within() {
	local fd limit=$1
	shift
	(
		for fd in /proc/"$BASHPID"/fd/*; do
			[ "${fd##*/}" -le 2 ] || eval "exec ${fd##*/}>&-"
		done
		ulimit -n "$limit"
		exec timeout --kill-after=1 20 "$KIST" --root "$ROOT" "$@"
	)
}

confined() {
	within 40 "$@"
}

# start_two: $init, and $other, which does not end with it: they are in the caller's PID namespace.  It is the other one
# that hides, for init is named and killed wherever it is.
start_two() {
	config_shared_pids
	start_container sh -c 'sleep 999 & exec sleep 1000'
	use_leaf
	wait_for has_processes 2
	init=$(pid_of)
	other=$(kist ps --format json "$ID" | jq --argjson init "$init" '.[] | select(. != $init)')
}

has_processes() {
	[ "$(kist ps --format json "$ID" | jq length)" -eq "$1" ]
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# caught [kill|delete]: ps finds the other process wherever it is, and the command ends it.
caught() {
	ok confined ps --format json "$ID"
	is "$(jq -c sort <<<"$output")" "$(jq -nc --argjson a "$init" --argjson b "$other" '[$a, $b] | sort')"
	if [ "${1:-kill}" = kill ]; then
		ok confined kill --all "$ID" KILL
		wait_for gone "$other"
		wait_for stopped
	fi
	ok confined delete --force "$ID"
	wait_for gone "$other"
	[ ! -e "$leaf" ]
}

# Mutation: cgroup_tree_walk() calls itself for each child.
@test "cgroups nested 600 and 2,600 levels deep neither crash nor hide anything" {
	local levels
	for levels in 600 2600; do
		start_two
		"$DIRECTORIES" deep "$leaf" $levels "$other"
		caught
	done
}

# Mutation: cgroup_tree_walk() keeps a descriptor for each cgroup that it has seen.
@test "3,000 cgroups beside each other neither crash nor hide anything" {
	start_two
	"$DIRECTORIES" wide "$leaf" 3000
	echo "$other" >"$leaf/w2999/cgroup.procs"
	caught
}

# become_threaded CGROUP PID...: a process of a container right below the hierarchy's root could do this itself; from
# another place only if nobody is in its cgroup meanwhile.
become_threaded() {
	local above=${1%/*} pid controller
	for controller in $(<"$above/cgroup.subtree_control"); do
		echo "-$controller" >"$above/cgroup.subtree_control"
	done
	for pid in "$init" "$other"; do
		echo "$pid" >"$above/cgroup.procs"
	done
	echo threaded >"$1/cgroup.type"
	for pid in "$init" "$other"; do
		echo "$pid" >"$1/cgroup.threads"
	done
}

# hide_below: the other process is in a threaded cgroup below the leaf.
hide_below() {
	mkdir "$leaf/below"
	echo threaded >"$leaf/below/cgroup.type"
	echo "$other" >"$leaf/below/cgroup.threads"
}

# Mutation: collect_procs() takes EOPNOTSUPP for an error.
@test "a container does not hide by making a cgroup below its own threaded" {
	local how
	for how in kill delete; do
		start_two
		[ -e "$leaf/cgroup.type" ] || skip "no cgroup2"
		hide_below
		caught $how
	done
}

# Mutations: collect_procs() does without collect_threads(), or asks it for the container's own cgroup only.
@test "a container does not hide by making its own cgroup, and those below, threaded" {
	local above how place
	config_cgroup "/above-$ID/test"
	for how in kill delete; do
		for place in own below; do
			start_two
			[ -e "$leaf/cgroup.type" ] || skip "no cgroup2"
			above=${leaf%/*}
			trees+=("$above")
			become_threaded "$leaf"
			refused 1 'not supported' cat "$leaf/cgroup.procs"
			[ $place = own ] || hide_below
			caught $how
		done
	done
}

# hide_closed: the other process is in a cgroup that its mode lets nobody enter.
hide_closed() {
	mkdir -p "$leaf/closed/below"
	echo "$other" >"$leaf/closed/below/cgroup.procs"
	chmod 000 "$leaf/closed/below" "$leaf/closed"
}

# It is root's privilege that opens it; where kist has not that, it must say so.  Mutation: cgroup_is_gone() takes EACCES for
# the end of a cgroup: ps and kill --all succeed without the other process.
@test "a cgroup of mode 000 hides nothing" {
	local closed=(setpriv --bounding-set "-dac_override,-dac_read_search" "$KIST" --root "$ROOT")
	start_two
	hide_closed
	if ! ordinary_user; then
		refused 1 'ermission denied' "${closed[@]}" ps "$ID"
		refused 1 'ermission denied' "${closed[@]}" kill --all "$ID" TERM
		kill -0 "$other"
	fi
	caught
}

# Mutation: thaw_killed() thaws the container's own cgroup only.
@test "a container that has frozen a cgroup of its own can be ended" {
	local file=freezer.state frozen=FROZEN
	start_two
	[ -e "$freezer/$file" ] || { file=cgroup.freeze frozen=1; }
	mkdir "$freezer/below"
	echo "$other" >"$freezer/below/cgroup.procs"
	echo $frozen >"$freezer/below/$file"
	caught
}

# frozen_init LEVELS: init sits so many levels below the container's cgroup, the first of which is frozen, and which holds
# no process itself, since it hands a controller down.
frozen_init() {
	local controller
	controller=$(awk '{ print $1 }' "$leaf/cgroup.controllers")
	[ -n "$controller" ] || skip "no controller of cgroup2"
	"$DIRECTORIES" deep "$leaf" "$1" "$(pid_of)"
	echo "+$controller" >"$leaf/cgroup.subtree_control"
	echo 1 >"$leaf/d/cgroup.freeze"
}

# So many that every number of processes that is left for the last batch occurs.  Mutation: list_again() gives up nothing.
@test "kill --all reaches more processes than kist may have descriptors" {
	local limit fd
	config_shared_pids
	start_container sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do for j in 1 2 3 4 5 6 7 8 9 10; do sleep 999 & done; done; exec sleep 1000'
	use_leaf
	wait_for has_processes 101
	for limit in {20..44} 9999; do
		within "$limit" kill --all "$ID" CONT || fail "kill --all with $limit descriptors"
	done
	ok confined kill --all "$ID" TERM
	wait_for stopped
	wait_for sh -c "[ -z \"\$(cat '$leaf/cgroup.procs')\" ]"
}

# Mutation: cgroup_follow_init() does without check_runs().
@test "exec answers at once where init sits in a frozen cgroup of the container" {
	local levels
	for levels in 1 40; do
		start_container
		use_leaf
		[ -e "$leaf/cgroup.freeze" ] || skip "no cgroup2"
		frozen_init $levels
		refused 255 'cannot exec in a paused container*frozen' timeout --kill-after=1 20 "$KIST" --root "$ROOT" exec "$ID" true
		# Whoever asks for it waits.
		"$KIST" --root "$ROOT" exec --ignore-paused "$ID" touch "/ran$levels" >"$T/exec" 2>&1 </dev/null 3>&- &
		helper=$!
		# It is born where init is.
		wait_for has_processes 2
		[ ! -e "$ROOTFS/ran$levels" ]
		echo 0 >"$leaf/d/cgroup.freeze"
		wait $helper
		[ -e "$ROOTFS/ran$levels" ]
		ok kist exec "$ID" true
		ok kist delete --force "$ID"
	done
}

# Mutation: cgroup_open_exec() does without check_runs().
@test "exec answers at once where the cgroup that it shall join is frozen" {
	start_container
	use_leaf
	if [ -e "$freezer/freezer.state" ]; then
		mkdir "$freezer/below"
		echo FROZEN >"$freezer/below/freezer.state"
		refused 255 'cannot exec in a paused container*frozen' timeout --kill-after=1 20 "$KIST" --root "$ROOT" exec --cgroup freezer:below "$ID" true
	else
		mkdir "$freezer/below"
		echo 1 >"$freezer/below/cgroup.freeze"
		refused 255 'cannot exec in a paused container*frozen' timeout --kill-after=1 20 "$KIST" --root "$ROOT" exec --cgroup below "$ID" true
	fi
	ok kist exec "$ID" true
}

# Mutation: the notify mount without MOUNT_ATTR_RDONLY.
@test "the directory of the notify socket takes nothing from the container" {
	listen text "$T/notify"
	cp "$DIRECTORIES" "$ROOTFS/directories"
	shell 'cd /run/notify; /directories deep . 12; head -c 20971520 /dev/zero >fill; ln -s /etc link; rm -f notify.sock
		mount -o remount,rw,bind /run/notify; touch again; echo done >/done; exec sleep 1000'
	NOTIFY_SOCKET=$T/notify ok kist create --bundle "$BUNDLE" "$ID"
	NOTIFY_SOCKET=$T/notify "$KIST" --root "$ROOT" start "$ID" >"$T/start" 2>&1 </dev/null 3>&- &
	local start=$!
	wait_for test -s "$ROOTFS/done"
	is "$(ls -A "$ROOT/$ID/notify")" notify.sock
	# What it is for still works.
	"$RECEIVE" ready "/proc/$(pid_of)/root/run/notify/notify.sock"
	wait "$start"
	wait_helper
	grep -q 'READY=1' "$T/received"
	ok kist delete --force "$ID"
}

# Mutation: dir_remove_tree() goes down 8 levels only, or opens each level before it is done with the one above.
@test "a state directory that was filled with a deep and a wide tree is removed" {
	local what
	for what in 'deep 12' 'deep 3000' 'wide 3000'; do
		start_container
		mkdir "$ROOT/$ID/notify"
		ln -s "$ROOTFS" "$ROOT/$ID/notify/link"
		# shellcheck disable=SC2086 # two words
		"$DIRECTORIES" ${what% *} "$ROOT/$ID/notify" ${what#* }
		ok confined delete --force "$ID"
		[ -d "$ROOTFS/bin" ]
	done
}

# Mutations, both together: the notify mount without MOUNT_ATTR_RDONLY, and unix_socket_bind() gives the mode by fchmodat().
@test "the notify socket is not replaced by a symlink while the container starts" {
	local tries=${KIST_TEST_LONG:+500} i pid
	need_root "enters the container's namespace"
	listen text "$T/notify"
	cp "$DIRECTORIES" "$ROOTFS/directories"
	mkdir "$T/out"
	touch "$T/out/victim"
	chmod 600 "$T/out/victim"
	args sleep 1000
	for ((i = 0; i < ${tries:-20}; i++)); do
		NOTIFY_SOCKET=$T/notify ok kist create --bundle "$BUNDLE" "$ID"
		pid=$(pid_of)
		nsenter --target "$pid" --mount --root -- /directories link /run/notify notify.sock "$T/out/victim" >"$T/link" 2>&1 </dev/null 3>&- &
		local link=$!
		NOTIFY_SOCKET=$T/notify "$KIST" --root "$ROOT" start "$ID" >"$T/start" 2>&1 </dev/null 3>&- &
		local start=$!
		wait_for sh -c "[ -S '$ROOT/$ID/notify/notify.sock' ] || [ -L '$ROOT/$ID/notify/notify.sock' ] || ! kill -0 $start"
		kill "$link" "$start" 2>/dev/null || true
		wait "$link" "$start" || true
		ok kist delete --force "$ID"
		is "$(stat -c %a "$T/out/victim")" 600
	done
}

# understandable FILE...: what the commands said of a container that was deleted meanwhile.
understandable() {
	local said words='container * does not exist'
	while read -r said; do
		# shellcheck disable=SC2053 # a pattern is wanted
		[[ $said == *$words* || $said == *'container not running'* ]] || fail "$said"
	done < <(cat "$@")
}

# Here the lock keeps the commands apart nearly always; the next test holds them where it does not.
@test "ps, kill --all and state beside a delete have an answer that a user understands" {
	local i j tries=${KIST_TEST_LONG:+200}
	for ((i = 0; i < ${tries:-12}; i++)); do
		start_container
		use_leaf
		"$DIRECTORIES" wide "$leaf" 20
		for j in 'ps' 'kill --all' 'state' 'ps --format json'; do
			(for _ in 1 2 3 4 5 6 7 8; do
				# shellcheck disable=SC2086 # words
				kist $j "$ID" 2>&1 >/dev/null </dev/null 3>&- || true
			done) >>"$T/said.${j// /-}" 3>&- &
		done
		ok kist delete --force "$ID"
		wait
	done
	understandable "$T"/said.*
}

# Each is held before one of its calls, the container is deleted, and it goes on.  Mutations, each alone: cgroup_procs() takes
# the end of a cgroup for an error (ps); read_record() of container.c does not ask whether the id has still that directory
# (state).
@test "ps, kill --all and state that were held while the container was deleted have such an answer, too" {
	need_strace
	local call j held
	for call in openat:when={1..7} openat2:when={1..3}; do
		start_container
		use_leaf
		held=()
		for j in 'ps' 'kill --all' 'state'; do
			# shellcheck disable=SC2086 # words
			strace -qq -o /dev/null -e "inject=${call/:/:delay_enter=1000000:}" "$KIST" --root "$ROOT" $j "$ID" \
				2>"$T/said.$call.${j%% *}" >/dev/null </dev/null 3>&- &
			held+=($!)
		done
		sleep 0.5
		ok kist delete --force "$ID"
		wait "${held[@]}" || true
	done
	understandable "$T"/said.*
}
