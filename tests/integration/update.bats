#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

setup() {
	setup_container
	config_cgroup
}

need() {
	local controller
	for controller; do
		has_controller "$controller" || skip "no $controller controller"
	done
}

# value_is CONTROLLER V1-FILE V1-VALUE V2-FILE V2-VALUE
value_is() {
	local want=$3
	[ ! -e "$(controller_mount "$1")/cgroup.controllers" ] || want=$5
	is "$(cgroup_value "$1" "$2" "$4")" "$want"
}

pids_limit_is() {
	value_is pids pids.max "$1" pids.max "$1"
}

memory_is() {
	value_is memory memory.limit_in_bytes "$1" memory.max "$1"
}

cpu_is() {
	if [ -e "$(controller_mount cpu)/cgroup.controllers" ]; then
		is "$(cgroup_value cpu - cpu.max)" "${1/#-1/max} $2"
	else
		is "$(cgroup_value cpu cpu.cfs_quota_us - "/test-$ID") $(cgroup_value cpu cpu.cfs_period_us -)" "$1 $2"
	fi
}

@test "sizes have units, and -1 takes a limit away" {
	need memory pids
	start_container
	ok kist update --memory 10m "$ID"
	memory_is $((10 << 20))
	ok kist update --memory 1.5GiB --pids-limit 17 "$ID"
	memory_is $((3 << 29))
	pids_limit_is 17
	ok kist update --pids-limit -1 "$ID"
	pids_limit_is max
	memory_is $((3 << 29))
	ok kist update --memory -1 "$ID"
	value_is memory memory.limit_in_bytes 9223372036854771712 memory.max max
}

@test "pids.limit 0 means what it means in the container's configuration" {
	need pids
	config_set '.ociVersion = "1.0.2" | .linux.resources.pids.limit = 7'
	start_container
	echo '{"pids": {"limit": 0}}' >"$T/resources"
	ok kist update -r "$T/resources" "$ID"
	pids_limit_is max
	ok kist update --pids-limit 8 "$ID"
	ok kist update --pids-limit 0 "$ID"
	pids_limit_is max
	ok kist delete -f "$ID"
	config_set '.ociVersion = "1.3.0"'
	start_container
	ok kist update -r "$T/resources" "$ID"
	pids_limit_is 1
}

@test "memory and swap change together, in both directions" {
	need memory
	[ -e "$(controller_mount memory)/memory.memsw.limit_in_bytes" ] || only_v2 || skip "no swap accounting"
	start_container
	ok kist update --memory 32m --memory-swap 64m "$ID"
	ok kist update --memory 128m --memory-swap 256m "$ID"
	memory_is $((128 << 20))
	ok kist update --memory 16m --memory-swap 16m "$ID"
	memory_is $((16 << 20))
	ok kist update --memory-swap 48m "$ID"
	value_is memory memory.memsw.limit_in_bytes $((48 << 20)) memory.swap.max $((32 << 20))
}

@test "quota and period keep each other's value" {
	need cpu
	start_container
	ok kist update --cpu-period 50000 "$ID"
	cpu_is -1 50000
	ok kist update --cpu-quota 30000 "$ID"
	cpu_is 30000 50000
	ok kist update --cpu-period 100000 "$ID"
	cpu_is 30000 100000
	ok kist update --cpu-quota 600000 --cpu-period 200000 "$ID"
	cpu_is 600000 200000
	ok kist update --cpu-quota -1 "$ID"
	cpu_is -1 200000
}

@test "shares, burst and idle" {
	need cpu
	start_container
	ok kist update --cpu-share 512 "$ID"
	value_is cpu cpu.shares 512 cpu.weight 59
	ok kist update --cpu-quota 50000 --cpu-burst 10000 "$ID"
	value_is cpu cpu.cfs_burst_us 10000 cpu.max.burst 10000
	ok kist update --cpu-idle 1 "$ID"
	value_is cpu cpu.idle 1 cpu.idle 1
}

@test "a resources file, by name and on standard input" {
	need pids
	start_container
	echo '{"pids": {"limit": 23}, "devices": [{"allow": false, "access": "rwm"}]}' >"$T/resources"
	ok kist update --resources "$T/resources" "$ID"
	pids_limit_is 23
	ok kist exec "$ID" sh -c 'echo >/dev/null'
	kist update -r - "$ID" <<<'{"pids": {"limit": 24}}'
	pids_limit_is 24
	ok kist update --pids-limit 99 -r "$T/resources" "$ID"
	pids_limit_is 23
	kist update --resources=- "$ID" <<<'{}'
	pids_limit_is 23
}

@test "what is wrong is refused, with its place, and changes nothing" {
	need pids memory
	config_set '.linux.resources.pids.limit = 50'
	start_container
	echo '{"pids": {"limit": "many"}}' >"$T/resources"
	refused 1 "$T/resources:1:*pids.limit" kist update -r "$T/resources" "$ID"
	refused 1 'no such file' kist update -r "$T/nothing" "$ID"
	refused 1 'takes a size' kist update --memory 10x "$ID"
	refused 1 'takes a number of processes' kist update --pids-limit many "$ID"
	refused 1 'takes a number from 10 to 1000' kist update --blkio-weight 65536 "$ID"
	refused 1 'not supported by this build' kist update --l3-cache-schema L3:0=f "$ID"
	refused 1 'does not exist' kist update --pids-limit 3 nobody
	pids_limit_is 50
	ok kist kill "$ID" KILL
	wait_for stopped
	refused 1 'container not running' kist update --pids-limit 3 "$ID"
}

@test "a refused limit takes back those that were set before it" {
	need cpu pids cpuset
	start_container
	ok kist update --cpu-share 300 --pids-limit 40 "$ID"
	local shares
	shares=$(cgroup_value cpu cpu.shares cpu.weight)
	refused 1 'cpu.cpus' kist update --cpu-share 700 --cpu-quota 20000 --cpuset-cpus 4000 "$ID"
	is "$(cgroup_value cpu cpu.shares cpu.weight)" "$shares"
	cpu_is -1 100000
	pids_limit_is 40
}

@test "limits of single disks come and go" {
	need "$(only_v2 && echo io || echo blkio)"
	local disk
	disk=$(cat /sys/block/[sv]d?/dev 2>/dev/null | head -1)
	[ -n "$disk" ] || skip "no disk"
	start_container
	limit_disk() {
		kist update -r - "$ID" <<<"{\"blockIO\": {\"throttleReadBpsDevice\":
			[{\"major\": ${disk%:*}, \"minor\": ${disk#*:}, \"rate\": $1}]}$2}"
	}
	limit_disk 1048576
	[[ $(cgroup_value blkio blkio.throttle.read_bps_device io.max) == *1048576* ]]
	# Refused behind it: as it was.
	run ! limit_disk 4096 ', "hugepageLimits": [{"pageSize": "3MB", "limit": 1}]'
	[[ $(cgroup_value blkio blkio.throttle.read_bps_device io.max) == *1048576* ]]
	limit_disk 0
	[[ $(cgroup_value blkio blkio.throttle.read_bps_device io.max) != *1048576* ]]
}

@test "checkBeforeUpdate refuses less memory than is in use" {
	only_v2 || skip "cgroup v1 refuses by itself"
	need memory
	start_container
	refused 1 'rejecting memory limit' kist update -r <(echo '{"memory": {"limit": 4096, "checkBeforeUpdate": true}}') "$ID"
}

@test "a paused or created container can be updated" {
	need pids
	args sleep 1000
	create_container
	ok kist update --pids-limit 31 "$ID"
	pids_limit_is 31
	ok kist start "$ID"
	ok kist pause "$ID"
	ok kist update --pids-limit 32 "$ID"
	pids_limit_is 32
	has_status paused
}

@test "kernel memory is ignored with a warning" {
	need pids
	start_container
	ok kist update --kernel-memory 10m --pids-limit 9 "$ID"
	output_has 'kernel-memory*ignored'
	pids_limit_is 9
}

@test "a limit without effect is a warning" {
	need pids memory
	start_container
	ok kist update --memory 4096g "$ID"
	output_has "more than the machine's memory"
}

# The container tries to open a device; its device cgroup decides.
can_open() {
	kist exec "$ID" sh -c ': </dev/it' >/dev/null 2>&1
}

@test "devices are allowed and denied while the container runs" {
	need_root "makes devices"
	has_controller devices || only_v2 || skip "no device controller"
	local minor
	# One that can be opened without further rights.
	minor=$(sed -nE 's/^ *([0-9]+) (fuse|loop-control|vga_arbiter)$/\1/p' /proc/misc | head -1)
	[ -n "$minor" ] || skip "no device to try"
	config_set '.linux.devices = [{"path": "/dev/it", "type": "c", "major": 10, "minor": $minor}]
		| .linux.resources.devices = [{"allow": false, "access": "rwm"}]' --argjson minor "$minor"
	start_container
	! can_open || fail "it could be opened from the start"
	ok kist update --device "allow c 10:$minor rw" "$ID"
	can_open
	ok kist update --device 'allow b 7:0 rw' --device 'deny b 7:1 rw' "$ID"
	can_open
	kist update -r - "$ID" <<<'{"devices": [{"allow": false, "access": "rwm"}]}'
	can_open
	ok kist update --device "deny c 10:$minor rw" "$ID"
	! can_open || fail "it can still be opened"
	ok kist exec "$ID" sh -c ': </dev/null'
	ok kist update --device "allow c 10:$minor" "$ID"
	can_open
	refused 1 'option --device takes' kist update --device 'allow 1:11' "$ID"
	refused 1 'option --device takes' kist update --device 'allow c 1:x rw' "$ID"
	refused 1 'option --device takes' kist update --device 'allow c 1:1 rwx' "$ID"
}

@test "a device rule that cannot be recorded takes back the limits that were set before it" {
	need_root "makes device rules"
	need_strace
	has_controller pids || skip "no pids controller"
	start_container
	ok kist update --pids-limit 50 "$ID"
	refused 1 'write devices.json' strace -qq -o /dev/null -e inject=rename,renameat,renameat2:error=EIO \
		"$KIST" --root "$ROOT" update --pids-limit 77 --device 'allow c 10:200 rwm' "$ID"
	pids_limit_is 50
	[ ! -e "$ROOT/$ID/devices.json" ]
	ok kist update --pids-limit 77 --device 'allow c 10:200 rwm' "$ID"
	pids_limit_is 77
	jq -e '.devices | length == 1' "$ROOT/$ID/devices.json"
}

@test "device rules before one for everything are forgotten" {
	need_root "makes devices"
	has_controller devices || only_v2 || skip "no device controller"
	start_container
	ok kist update --device 'allow c 10:1 r' --device 'allow b 7:1 rwm' "$ID"
	is "$(jq '.devices | length' "$ROOT/$ID/devices.json")" 2
	ok kist update --device 'deny a' --device 'allow c 1:3 rw' "$ID"
	is "$(jq -c '[.devices[] | .type]' "$ROOT/$ID/devices.json")" '["a","c"]'
	ok kist update --device 'allow b 7:2 r' --device 'deny a *:* rwm' "$ID"
	is "$(jq '.devices | length' "$ROOT/$ID/devices.json")" 1
}

@test "values that make no sense are refused, with the option" {
	start_container
	refused 1 'option --cpu-quota takes a number of microseconds, or -1 for no limit, not "-5"' \
		kist update --cpu-quota -5 "$ID"
	refused 1 'option --pids-limit takes*or -1*not "-7"' kist update --pids-limit -7 "$ID"
	refused 1 'option --blkio-weight takes a number from 10 to 1000, not "5"' kist update --blkio-weight 5 "$ID"
	refused 1 'option --cpu-idle takes 0 or 1, not "2"' kist update --cpu-idle 2 "$ID"
	refused 1 '--cpuset-cpus: "foo" is no list' kist update --cpuset-cpus foo "$ID"
	refused 1 '--memory-swap: memory and swap together' kist update --memory 10m --memory-swap 5m "$ID"
	refused 1 'update needs --resources, or an option that says what to change' kist update "$ID"
	ok kist update --cpuset-cpus= "$ID"
	output_has 'option --cpuset-cpus is empty, and changes nothing'
}

@test "a value that the kernel refuses is told with what it takes" {
	need cpu pids
	start_container
	refused 1 '--cpu-quota: 50 is out of range (1000 microseconds or more)' kist update --cpu-quota 50 "$ID"
	refused 1 '--cpu-period: 5 is out of range (1000 to 1000000 microseconds)' kist update --cpu-period 5 "$ID"
	refused 1 '--pids-limit: set pids.limit: *invalid argument (at most 4194304 processes)' \
		kist update --pids-limit 99999999 "$ID"
}

@test "an option beside a resources file is ignored with a warning, its device rules with a word for debugging" {
	start_container
	echo '{"devices": [{"allow": false, "access": "rwm"}]}' >"$T/resources"
	ok kist update -r "$T/resources" --memory 10m --pids-limit 5 "$ID"
	output_has 'option --memory is ignored: --resources is given'
	output_has 'option --pids-limit is ignored: --resources is given'
	ok kist update -r "$T/resources" --kernel-memory 1m --kernel-memory-tcp 1m --l3-cache-schema L3:0=f --mem-bw-schema MB:0=9 "$ID"
	local option
	for option in kernel-memory kernel-memory-tcp l3-cache-schema mem-bw-schema; do
		output_has "option --$option is ignored: --resources is given"
	done
	ok kist update -r "$T/resources" "$ID"
	is "$output" ''
	ok kist --debug update -r "$T/resources" "$ID"
	output_has 'devices is ignored'
}

@test "a container without a cgroup: update and exec --cgroup say so, events knows no limit" {
	args sleep 1000
	ok kist --cgroup-manager disabled create --bundle "$BUNDLE" "$ID"
	ok kist start "$ID"
	refused 1 "container $ID has no cgroup: its limits cannot be changed" kist update --memory 10m "$ID"
	refused 1 "container $ID has no cgroup: its limits cannot be changed" kist update --device 'allow c 1:11 r' "$ID"
	refused 255 "container $ID has no cgroup: --cgroup x names none" kist exec --cgroup x "$ID" true
	kist update -r - "$ID" <<<'{}'
	# Not by jq, for which such numbers are not exact.
	ok kist events --stats "$ID"
	output_has '"memory":{"usage":{"limit":18446744073709551615,*"swap":{"limit":18446744073709551615,'
}

@test "a value that something else in force rules out is told with that" {
	need cpu memory
	start_container
	if [ -e "$(controller_mount cpu)/test-$ID/cpu.idle" ]; then
		ok kist update --cpu-idle 1 "$ID"
		refused 1 '--cpu-share: set cpu.shares: *invalid argument (cpu.idle is 1, *--cpu-idle, to 0*' kist update --cpu-share 512 "$ID"
		output_lacks 'back to'
		ok kist update --cpu-idle 0 --cpu-share 512 "$ID"
	fi
	[ -e "$(controller_mount memory)/test-$ID/memory.memsw.limit_in_bytes" ] || return 0
	ok kist update --memory 32m --memory-swap 64m "$ID"
	refused 1 "--memory: set memory.limit: *invalid argument (above memory and swap together, $((64 << 20)): give memory.swap, --memory-swap*" \
		kist update --memory 200m "$ID"
	output_lacks 'back to'
	memory_is $((32 << 20))
}
