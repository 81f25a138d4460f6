#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
#
# What the systemd manager leaves behind, whatever happens, and the forms of its configuration; as root:
# `tests/vm/inside direct` sets the stage.
load ../integration/helpers

setup() {
	[ "$(cat /proc/1/comm)" = systemd ] || skip "systemd is not process 1 here"
	[ -e /sys/fs/cgroup/cgroup.controllers ] || skip "these look at files of cgroup v2"
	HELPER=${KIST%/*}/libexec/kist-systemd
	[ -x "$HELPER" ] || skip "kist was built without kist-systemd"
	# systemd starts and ends what it likes meanwhile: only what is ours is compared.
	T=$BATS_TEST_TMPDIR
	ROOT=$T/state
	ID=c$BATS_TEST_NUMBER
	UNIT=kist-$ID.scope
	bundle_new "$T/bundle"
	args sleep 1000
}

teardown() {
	[ -n "${T:-}" ] || return 0
	delete_all
	nothing_of_ours
}

# In teardown and before "||" a failure alone would not end it.
nothing_of_ours() {
	local left
	left=$(systemctl list-units --all --plain --no-legend 'kist-*.scope' '*-box.scope')
	[ -z "$left" ] || fail "units are left:" "$left" || return 1
	left=$(find /sys/fs/cgroup -type d \( -name 'kist-*.scope' -o -name '*-box.scope' \))
	[ -z "$left" ] || fail "cgroups are left:" "$left" || return 1
	wait_for sh -c '! pgrep -x kist-systemd' || return 1
	left=$(find "$ROOT" -mindepth 1 -maxdepth 1 ! -name .cache 2>/dev/null)
	[ -z "$left" ] || fail "state is left:" "$left" || return 1
}

skist() {
	kist --systemd-cgroup "$@"
}

start_scope() {
	ok skist run --detach --bundle "$BUNDLE" "$ID"
}

# The container's own cgroup directory.
own() {
	echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid_of)/cgroup")"
}

property_is() {
	local value
	value=$(systemctl show --value --property "$1" "$UNIT")
	[ "$value" = "$2" ] || fail "$1 is $value, not $2"
}

file_is() {
	local value
	value=$(<"$(own)/$1")
	[ "$value" = "$2" ] || fail "$1 is $value, not $2"
}

needs() {
	grep -qw "$1" /sys/fs/cgroup/cgroup.controllers || skip "the machine has no controller $1"
}

@test "a scope of its own, delegated and collected" {
	start_scope
	is "$(own)" "/sys/fs/cgroup/system.slice/$UNIT"
	property_is Delegate yes
	property_is CollectMode inactive-or-failed
	property_is TasksMax infinity
	ok kist kill "$ID" KILL
	wait_for stopped
	ok kist delete "$ID"
	property_is LoadState not-found
}

@test "a created container has no placeholder beside it" {
	ok skist create --bundle "$BUNDLE" "$ID"
	is "$(cat "$(own)/cgroup.procs")" "$(pid_of)"
	ok kist start "$ID"
}

@test "cgroupsPath: slice, prefix and name" {
	config_set '.linux.cgroupsPath = "kt-a.slice:p:box"'
	start_scope
	is "$(own)" /sys/fs/cgroup/kt.slice/kt-a.slice/p-box.scope
	ok kist delete --force "$ID"
	config_set '.linux.cgroupsPath = "-::q-box"'
	start_scope
	is "$(own)" /sys/fs/cgroup/q-box.scope
	ok kist delete --force "$ID"
	config_set '.linux.cgroupsPath = "/a/b"'
	refused 1 'slice:prefix:name' skist run --bundle "$BUNDLE" "$ID"
	systemctl stop kt-a.slice kt.slice
}

@test "every kind of limit survives a reload" {
	needs memory
	needs cpu
	needs pids
	config_set '.linux.resources = {
		memory: { limit: 67108864, swap: 134217728, reservation: 33554432 },
		cpu: { shares: 512, quota: 50000, period: 200000 },
		pids: { limit: 77 }, unified: { "memory.high": "61440000" } }'
	start_scope
	systemctl daemon-reload
	file_is memory.max 67108864
	file_is memory.swap.max 67108864
	file_is memory.low 33554432
	file_is memory.high 61440000
	file_is cpu.weight 59
	file_is cpu.max "50000 200000"
	file_is pids.max 77
	property_is CPUQuotaPerSecUSec 250ms
	ok skist update --cpu-quota 30000 "$ID"
	systemctl daemon-reload
	file_is cpu.max "30000 200000"
	file_is memory.max 67108864
}

@test "device rules: what is not limited by kist is not limited by systemd" {
	config_set '.linux.resources.devices = [{ allow: true, access: "rwm" }]'
	start_scope
	property_is DevicePolicy auto
}

@test "annotations set properties, from a list" {
	config_set '.annotations = { "org.systemd.property.TimeoutStopSec": "7",
		"org.systemd.property.KillSignal": "int32 3", "org.systemd.property.Description": "\u0027my box\u0027" }'
	start_scope
	property_is TimeoutStopUSec 7s
	property_is KillSignal 3
	property_is Description "my box"
	ok kist delete --force "$ID"
	config_set '.annotations = { "org.systemd.property.ExecStartPre": "\u0027touch /marker\u0027" }'
	refused 1 'config.json:*may not set the property ExecStartPre' skist run --bundle "$BUNDLE" "$ID"
	[ ! -e /marker ]
}

@test "sub-cgroup, and a cgroup for the payload" {
	needs memory
	config_set '.annotations = { "run.oci.systemd.subgroup": "sub", "run.oci.delegate-cgroup": "payload" }
		| .linux.resources = { memory: { limit: 67108864 } }
		| .linux.namespaces |= (map(select(.type != "cgroup")) + [{ type: "cgroup" }])'
	start_scope
	is "$(own)" "/sys/fs/cgroup/system.slice/$UNIT/sub/payload"
	is "$(cat "/sys/fs/cgroup/system.slice/$UNIT/sub/memory.max")" 67108864
	grep -qw memory "$(own)/cgroup.controllers"
	ok kist exec "$ID" cat /proc/self/cgroup
	output_has 0::/payload
}

@test "the v1 hierarchy of an old systemd, by annotation, has the unit's path and goes with it" {
	mkdir /sys/fs/cgroup/systemd
	mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
	config_set '.annotations = { "run.oci.systemd.force_cgroup_v1": "/sys/fs/cgroup" }'
	start_scope
	grep -q ":name=systemd:/system.slice/$UNIT\$" "/proc/$(pid_of)/cgroup"
	is "$(own)" "/sys/fs/cgroup/system.slice/$UNIT"
	is "$(kist exec "$ID" ls /sys/fs/cgroup)" systemd
	ok kist delete --force "$ID"
	[ -z "$(find /sys/fs/cgroup/systemd -mindepth 1 -type d)" ]
	umount /sys/fs/cgroup/systemd
	rmdir /sys/fs/cgroup/systemd
}

@test "a unit of the same name that has just ended is no obstacle" {
	systemd-run --quiet --unit "$UNIT" --scope sh -c 'kill -9 $$' || true
	start_scope
}

@test "another container's unit is an error, and stays" {
	config_set '.linux.cgroupsPath = "::same-box"'
	start_scope
	refused 1 'not empty*same-box.scope' skist run --bundle "$BUNDLE" "$ID-2"
	has_status running
}

@test "without its program the manager is a clear error" {
	mv "$HELPER" "$HELPER.away"
	refused 1 'the systemd cgroup manager needs the program*libsystemd' skist run --bundle "$BUNDLE" "$ID"
	mv "$HELPER.away" "$HELPER"
}

@test "without a systemd there is one clear line" {
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere refused 1 'connect to systemd' skist run --bundle "$BUNDLE" "$ID"
	is "$(wc -l <<<"$output")" 1
}

@test "a systemd that starts anew meanwhile is waited for" {
	local i
	for i in 1 2 3; do
		systemctl daemon-reexec --no-block
		start_scope
		ok kist delete --force "$ID"
	done
}

@test "a message bus that starts anew meanwhile is waited for" {
	local i
	systemctl --quiet is-active dbus || skip "no message bus"
	# Not systemd's own socket.
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/dbus/system_bus_socket
	for i in 1 2 3 4; do
		systemctl reset-failed dbus
		systemctl restart --no-block dbus
		[ $((i % 2)) = 0 ] || sleep 0.05
		start_scope
		property_is ActiveState active
		systemctl restart --no-block dbus
		ok skist kill "$ID" KILL
		wait_for stopped
		ok skist delete "$ID"
		nothing_of_ours
	done
}

# service NAME PROPERTY...: starts a unit of type oneshot.
service() {
	systemd-run --quiet --unit "$1" --property Type=oneshot --property RemainAfterExit=yes \
		--property TimeoutSec=infinity "${@:2}"
}

@test "a job that systemd does not come to is an error after its time, and leaves nothing" {
	local began=$SECONDS stopping
	# The stop of one waits for the service that is behind it, the start of the other for that before it.
	ok skist run --detach --bundle "$BUNDLE" "$ID-2"
	service kt-slow-stop.service --property ExecStop='/bin/sleep 1000' --property After="kist-$ID-2.scope" true
	systemctl stop --no-block kt-slow-stop.service
	service kt-slow-start.service --no-block sleep 1000
	"$KIST" --root "$ROOT" --systemd-cgroup delete --force "$ID-2" >"$T/stop" 2>&1 </dev/null 3>&- &
	stopping=$!
	config_set '.annotations = { "org.systemd.property.After": "[\u0027kt-slow-start.service\u0027]" }'
	refused 1 "start unit $UNIT: systemd has not finished job [0-9]* within 30 s; the unit is inactive/dead (the job waits" \
		skist run --bundle "$BUNDLE" "$ID"
	output_has 'the job waits for job [0-9]* (start) of unit kt-slow-start.service)'
	[ $((SECONDS - began)) -lt 60 ]
	# Empty, the cgroup can go without systemd.
	wait "$stopping" || fail "delete: $(<"$T/stop")"
	grep -q "stop unit kist-$ID-2.scope: systemd has not finished job" "$T/stop"
	grep -q '(the job waits for job [0-9]* (stop) of unit kt-slow-stop.service)' "$T/stop"
	# What systemd was asked for it does when it can; a unit that another names stays known.
	systemctl kill --signal KILL kt-slow-start.service kt-slow-stop.service
	wait_for systemctl reset-failed kt-slow-start.service kt-slow-stop.service
	wait_for nothing_of_ours
}

@test "a failure at every step leaves no unit" {
	local step
	for step in $(skist create --dry-run=json --bundle "$BUNDLE" "$ID" | jq -r '.[].step'); do
		try kist --systemd-cgroup --fault "$step=ENOSPC" create --bundle "$BUNDLE" "$ID"
		[ "$status" -ne 0 ] || kist delete --force "$ID"
		nothing_of_ours || fail "^ after a failure at $step"
	done
}

@test "killed at every step, delete removes everything" {
	local step
	for step in $(skist create --dry-run=json --bundle "$BUNDLE" "$ID" | jq -r '.[].step'); do
		try kist --systemd-cgroup --fault "$step=kill" create --bundle "$BUNDLE" "$ID"
		ok kist delete --force "$ID"
		nothing_of_ours || fail "^ after a death at $step"
	done
}

@test "killed at any moment, delete removes everything" {
	local i pid
	for ((i = 0; i < 100; i++)); do
		"$KIST" --root "$ROOT" --systemd-cgroup create --bundle "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null 3>&- &
		pid=$!
		sleep "0.0$((RANDOM % 90 + 10))"
		kill -KILL $pid 2>/dev/null || true
		wait $pid 2>/dev/null || true
		ok kist delete --force "$ID"
	done
}
