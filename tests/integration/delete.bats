#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "delete removes a stopped container" {
	start_container true
	wait_for stopped
	ok kist delete "$ID"
	refused 1 'does not exist' kist state "$ID"
	assert_nothing_left
}

@test "delete removes a container that was never started" {
	create_container
	ok kist delete "$ID"
	assert_nothing_left
}

@test "a running container is not deleted" {
	start_container
	refused 1 'not stopped' kist delete "$ID"
	has_status running
}

@test "delete --force kills" {
	start_container
	ok kist delete --force "$ID"
	assert_nothing_left
}

@test "delete --force of an unknown container is a success, delete is not" {
	ok kist delete --force nobody
	refused 1 'container nobody does not exist' kist delete nobody
}

@test "delete --force of a paused container" {
	config_cgroup
	start_container
	ok kist pause "$ID"
	ok kist delete --force "$ID"
	assert_nothing_left
}

@test "delete --force of a whole tree of processes" {
	start_container sh -c 'for i in 1 2 3 4 5; do (sleep 1000 & sleep 1000) & done; wait'
	ok kist delete --force "$ID"
	assert_nothing_left
}

@test "cgroups that the container made below its own go too" {
	config_cgroup
	start_container
	local mount
	while read -r mount; do
		mkdir -p "$mount/test-$ID/sub/sub"
	done < <(find /sys/fs/cgroup -name "test-$ID" -printf '%h\n')
	ok kist delete --force "$ID"
	assert_nothing_left
}

@test "a cgroup that was there before create stays" {
	local dir
	config_cgroup "/before-$ID/test"
	find "/sys/fs/cgroup$CGROUP_ABOVE" -maxdepth 2 -name cgroup.procs -not -path '*/runner/*' -printf '%h\n' >"$T/mounts"
	while read -r dir; do
		mkdir "$dir/before-$ID"
		[ ! -e "$dir/cpuset.cpus" ] || cat "$dir/cpuset.cpus" >"$dir/before-$ID/cpuset.cpus" || true
		[ ! -e "$dir/cpuset.mems" ] || cat "$dir/cpuset.mems" >"$dir/before-$ID/cpuset.mems" || true
	done <"$T/mounts"
	run_container
	while read -r dir; do
		rmdir "$dir/before-$ID"
	done <"$T/mounts"
}

@test "a shared pid namespace: delete --force ends everything" {
	config_cgroup
	config_shared_pids
	start_container sh -c 'sleep 1000 & sleep 1000'
	ok kist delete --force "$ID"
	assert_nothing_left
}

@test "without a cgroup and a pid namespace: delete --force ends everything that is in the mount namespace" {
	config_shared_pids
	args sh -c 'sleep 1005 & setsid sleep 1005 & exec sleep 1005'
	ok kist --cgroup-manager=disabled run --detach --bundle "$BUNDLE" "$ID"
	wait_for sh -c '[ "$(pgrep -fxc "sleep 1005")" -eq 3 ]'
	ok kist --cgroup-manager=disabled delete --force "$ID"
	assert_nothing_left
}

@test "--regex deletes what matches" {
	ok kist create --bundle "$BUNDLE" aa1
	ok kist create --bundle "$BUNDLE" aa2
	ok kist create --bundle "$BUNDLE" bb1
	ok kist delete --force --regex '^aa'
	is "$(kist list -q)" bb1
}

@test "a regular expression whose repetitions would fill the memory is refused" {
	local pattern deep limit='ulimit -v 200000 &&'
	! sanitized || limit=
	deep=$(printf '(%.0s' $(seq 100))a$(printf '+)%.0s' $(seq 100))
	create_container
	for pattern in 'a{1,30000}{1,30000}' 'a{,30000}{,30000}' 'a{200,}{200,}' '((a{1,100}){1,100}){1,100}' \
		'(b|[]{1,2}]{2000}){9}' "$deep"; do
		refused 1 'with its repetitions written out it has more than 10000 parts' \
			bash -c "$limit"'exec timeout -s KILL 20 "$@"' x "$KIST" --root "$ROOT" delete --regex "$pattern"
		refused 1 'more than 10000 parts' "$KIST" --root "$ROOT" kill --regex "$pattern" 0
	done
	refused 1 'the regular expression has more than 1024 characters' kist delete --regex "$(printf '(%.0s' $(seq 20000))"
	refused 1 'Invalid content of' kist delete --regex 'a{2,x}'
	# What people write is far from that; and a bracket's own signs repeat nothing.
	for pattern in '^[0-9a-f]{64}$' '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' '[{1,9999}]x[[:alpha:]{9}]' '\{9999,9999\}' 'y+z*'; do
		ok kist delete --regex "$pattern"
	done
	has_status created
	ok kist delete --force --regex "^c{1,255}[0-9]{1,20}\$"
	[ ! -e "$ROOT/$ID" ]
}
