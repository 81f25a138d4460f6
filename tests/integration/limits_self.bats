#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

# kist itself under limits: it works, or says what failed and leaves nothing.

# life COMMAND...: a whole life, each command of it run by COMMAND (prlimit and such).
life() {
	config_set 'del(.process.rlimits)'
	args sleep 1000
	ok "$@" "$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
	ok "$@" "$KIST" --root "$ROOT" start "$ID"
	ok "$@" "$KIST" --root "$ROOT" "${question:-state}" "$ID"
	ok "$@" "$KIST" --root "$ROOT" exec "$ID" true
	ok "$@" "$KIST" --root "$ROOT" delete --force "$ID"
	assert_nothing_left
}

# refused_life COMMAND...: create fails, with a message, and nothing is left.
refused_life() {
	config_set 'del(.process.rlimits)'
	args sleep 1000
	refused 1 'kist: ' "$@" "$KIST" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "twelve descriptors are enough on cgroup2, and on every layout too few leave nothing" {
	local few enough=12
	# For an ordinary user newuidmap and newgidmap are run, over a pipe.
	! ordinary_user || enough=20
	if only_v2; then
		# Those of the test program count as well.
		life bash -c 'for fd in {3..20}; do eval "exec $fd>&-"; done; exec prlimit --nofile=$0:$0 "$@"' "$enough"
	fi
	life prlimit --nofile=64:64
	for few in 6 8 9 10; do
		refused_life prlimit --nofile=$few:$few
	done
}

@test "8 MiB of addresses are enough" {
	! sanitized || skip "a build with sanitizers needs far more memory"
	life prlimit --as=$((8 << 20))
}

@test "a stack of 16 KiB is enough" {
	# The environment lies on it.
	life env -i prlimit --stack=$((16 << 10))
}

@test "no file may be written: an error, not a death by SIGXFSZ" {
	local size
	for size in 64 512; do
		refused_life prlimit --fsize=$size
	done
}

@test "standard streams may be closed" {
	local mask fd closed question
	for mask in 1 2 3 4 5 6 7; do
		closed=
		for fd in 0 1 2; do
			(((mask >> fd) & 1)) && closed+=" $fd>&-"
		done
		# A state that cannot be printed is an error.
		question="state"
		((!(mask & 2))) || question="kill"
		life bash -c "exec \"\$@\" $closed" bash
	done
}

# in_cgroup CONTROLLER FILE LIMIT COMMAND...: in a cgroup with that limit.
in_cgroup() {
	local dir=/sys/fs/cgroup/$1/self$ID
	echo "$3" >"$dir/$2"
	bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$dir" "${@:4}"
}

@test "two processes are enough" {
	[ -e /sys/fs/cgroup/pids/cgroup.procs ] || skip "no pids controller of v1"
	mkdir "/sys/fs/cgroup/pids/self$ID"
	remember_world
	life in_cgroup pids pids.max 2
	refused_life in_cgroup pids pids.max 1
	rmdir "/sys/fs/cgroup/pids/self$ID"
	remember_world
}

@test "a container of 512 KiB starts, one of 64 KiB is an error" {
	[ -e /sys/fs/cgroup/memory/cgroup.procs ] || skip "no memory controller of v1"
	# 224 KiB are enough where the kernel is idle; but each processor may hold 64 pages of charges in stock.
	config_set '.linux.resources.memory.limit = 524288'
	run_container
	config_set '.linux.resources.memory.limit = 65536'
	refused 1 'memory limit may be too low' kist run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "a full state directory is an error that leaves nothing, and stops nobody" {
	need_root "mounts"
	local option
	args sleep 1000
	mkdir "$T/small"
	for option in size=4k nr_inodes={2,3,4,5}; do
		mount -t tmpfs -o "$option" small "$T/small"
		try "$KIST" --root "$T/small/state" create --bundle "$BUNDLE" "$ID"
		[ "$status" -eq 1 ]
		output_has 'no space left on device'
		is "$(find "$T/small/state" -mindepth 1 ! -name .cache 2>/dev/null)" ''
		umount "$T/small"
		assert_nothing_left
	done
	mount -t tmpfs -o size=64k small "$T/small"
	ok "$KIST" --root "$T/small/state" run --detach --bundle "$BUNDLE" "$ID"
	dd if=/dev/zero of="$T/small/fill" 2>/dev/null || true
	ok "$KIST" --root "$T/small/state" exec "$ID" true
	ok "$KIST" --root "$T/small/state" delete --force "$ID"
	umount "$T/small"
}
