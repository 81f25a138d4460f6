#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "a paused container stands still until it is resumed" {
	config_cgroup
	start_container sh -c 'while :; do echo >>/ticks; sleep 0.01; done'
	wait_for test -s "$ROOTFS/ticks"
	ok kist pause "$ID"
	has_status paused
	local before
	before=$(wc -c <"$ROOTFS/ticks")
	sleep 0.1
	is "$(wc -c <"$ROOTFS/ticks")" "$before"
	ok kist resume "$ID"
	has_status running
	wait_for sh -c "[ \$(wc -c <'$ROOTFS/ticks') -gt $before ]"
}

@test "what cannot be paused or resumed is refused" {
	config_cgroup
	start_container
	refused 1 "container $ID: container not paused" kist resume "$ID"
	ok kist pause "$ID"
	refused 1 'paused' kist pause "$ID"
	ok kist resume "$ID"
	refused 1 'does not exist' kist pause nobody
	refused 1 'does not exist' kist resume nobody
	ok kist kill "$ID" KILL
	wait_for stopped
	refused 1 'not running' kist pause "$ID"
}

@test "exec into a paused container is refused, with --ignore-paused it waits" {
	config_cgroup
	start_container
	ok kist pause "$ID"
	refused 255 'paused' kist exec "$ID" true
	"$KIST" --root "$ROOT" exec --ignore-paused "$ID" touch /ran >"$T/exec" 2>&1 </dev/null 3>&- &
	helper=$!
	sleep 0.2
	[ ! -e "$ROOTFS/ran" ]
	ok kist resume "$ID"
	wait $helper
	[ -e "$ROOTFS/ran" ]
}

@test "a container below a frozen cgroup is paused, and what is refused says why" {
	local top file=cgroup.freeze frozen=1 thawed=0 started
	if only_v2; then
		top=/sys/fs/cgroup$CGROUP_ABOVE
	else
		top=$(controller_mount freezer) file=freezer.state frozen=FROZEN thawed=THAWED
	fi
	mkdir -p "$top/above-$ID"
	config_cgroup "/above-$ID/test"
	start_container
	echo $frozen >"$top/above-$ID/$file"
	wait_for has_status paused
	started=$SECONDS
	refused 255 'cannot exec in a paused container' timeout 20 "$KIST" --root "$ROOT" exec "$ID" true
	refused 1 'a cgroup above it is frozen: thaw that' kist resume "$ID"
	[ $((SECONDS - started)) -le 2 ]
	echo $thawed >"$top/above-$ID/$file"
	wait_for has_status running
	ok kist exec "$ID" true
	ok kist delete --force "$ID"
	rmdir "$top/above-$ID" 2>/dev/null || true
}

@test "pause looks once more after its time, which it may have missed" {
	need_strace
	config_cgroup
	# Many who are busy, so that the kernel is not done at once.
	start_container sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do while :; do :; done & done; wait'
	# As if it was stopped between the beginning of its time and what it asks of the kernel.
	ok strace -f --seccomp-bpf -qq -y -o "$T/trace" -e trace=write -e inject=write:delay_enter=10500000:when=1 \
		"$KIST" --root "$ROOT" pause "$ID"
	grep -m1 write "$T/trace" | grep -e freeze || fail "something else was delayed: $(<"$T/trace")"
	has_status paused
}

# Mutation: only v1's freezer is asked, where it is mounted.
@test "beside v1's freezer a container that is frozen on v2 is paused, too" {
	local top=/sys/fs/cgroup/unified file dir
	has_controller freezer && [ -d "$top" ] || skip "needs v1's freezer and v2"
	config_cgroup
	start_container
	dir=$(jq -r '.cgroup.dirs[] | select(.controllers == "") | .mount + .path' "$ROOT/$ID/state.json")
	file=$dir/cgroup.freeze
	[ -e "$file" ] || skip "the container has no cgroup on v2"
	echo 1 >"$file"
	has_status paused
	refused 255 'cannot exec in a paused container' timeout 20 "$KIST" --root "$ROOT" exec "$ID" true
	refused 1 'already paused' kist pause "$ID"
	ok kist resume "$ID"
	is "$(<"$file")" 0
	has_status running
	ok kist exec "$ID" true
	# Both at once.
	ok kist pause "$ID"
	echo 1 >"$file"
	ok kist resume "$ID"
	has_status running
	ok kist exec "$ID" true
	# What is killed need not be thawed there.
	echo 1 >"$file"
	ok kist kill "$ID" KILL
	wait_for stopped
	is "$(<"$file")" 1
}

@test "beside v1's freezer a container below a cgroup that is frozen on v2 is paused" {
	local top=/sys/fs/cgroup/unified
	has_controller freezer && [ -e "$top/cgroup.procs" ] || skip "needs v1's freezer and v2"
	mkdir -p "$top/above-$ID"
	config_cgroup "/above-$ID/test"
	start_container
	echo 1 >"$top/above-$ID/cgroup.freeze"
	wait_for has_status paused
	refused 1 'a cgroup above it is frozen: thaw that' kist resume "$ID"
	ok kist kill "$ID" KILL
	wait_for stopped
	echo 0 >"$top/above-$ID/cgroup.freeze"
	ok kist delete --force "$ID"
	rmdir "$top/above-$ID" 2>/dev/null || true
}
