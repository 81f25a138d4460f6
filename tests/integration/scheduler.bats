#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "policy and nice value" {
	config_set '.process.scheduler = {"policy": "SCHED_BATCH", "nice": 5}'
	start_container
	ok chrt -p "$(pid_of)"
	output_has SCHED_BATCH
	is "$(ps -o ni= -p "$(pid_of)" | xargs)" 5
}

@test "deadline" {
	config_set '.process.scheduler = {"policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 10000000, "period": 10000000} | .linux.namespaces |= .'
	config_set '.process.args = ["sleep", "1000"]'
	# Whether the machine has such a policy, and lets this caller have it, is asked without kist.
	chrt --deadline --sched-runtime 1000000 --sched-deadline 10000000 --sched-period 10000000 0 true 2>"$T/refused" ||
		skip "no deadline scheduling here: $(<"$T/refused")"
	create_container
	ok kist start "$ID"
	ok chrt -p "$(pid_of)"
	output_has SCHED_DEADLINE
}

@test "a policy and members that do not fit" {
	config_set '.process.scheduler = {"policy": "SCHED_OTHER", "priority": 5}'
	refused 1 'scheduler' kist run --bundle "$BUNDLE" "$ID"
	config_set '.process.scheduler = {"policy": "SCHED_NONE"}'
	refused 1 'scheduler' kist run --bundle "$BUNDLE" "$ID"
}

@test "io priority" {
	config_set '.process.ioPriority = {"class": "IOPRIO_CLASS_BE", "priority": 6}'
	start_container
	ok ionice -p "$(pid_of)"
	is "$output" 'best-effort: prio 6'
}

@test "a narrow affinity of the caller does not stay" {
	[ "$(nproc --all)" -gt 1 ] || skip "one processor"
	shell 'grep Cpus_allowed_list /proc/1/status'
	container_says "Cpus_allowed_list:"$'\t'"$(awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status)"
	local wide=$output
	ok taskset -c 0 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	is "$output" "$wide"
}

@test "exec's affinity" {
	config_set '.process.execCPUAffinity = {"initial": "0", "final": "0"}'
	start_container
	ok kist exec "$ID" grep Cpus_allowed_list /proc/self/status
	is "${output##*$'\t'}" 0
}

@test "a memory policy" {
	# The file is there exactly where the kernel has memory policies (CONFIG_NUMA).
	[ -e /proc/self/numa_maps ] || skip "the kernel has no NUMA"
	config_set '.linux.memoryPolicy = {"mode": "MPOL_PREFERRED", "nodes": "0"}'
	start_container
	grep -q 'prefer.*:0' "/proc/$(pid_of)/numa_maps" || fail "the policy: $(head -3 "/proc/$(pid_of)/numa_maps")"
	ok kist delete -f "$ID"
	config_set '.linux.memoryPolicy = {"mode": "MPOL_NONE", "nodes": "0"}'
	refused 1 'memoryPolicy' kist run --bundle "$BUNDLE" "$ID"
}

@test "exec takes the container's scheduler" {
	config_set '.process.scheduler = {"policy": "SCHED_IDLE"}'
	start_container
	ok kist exec --detach --pid-file "$T/pid" "$ID" sleep 1000
	ok chrt -p "$(<"$T/pid")"
	output_has SCHED_IDLE
}
