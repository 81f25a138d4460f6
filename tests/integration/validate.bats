#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

# wrong FILTER PATTERN: config.json changed by the filter is refused with a place, both by validate and by create.
wrong() {
	cp "$BUNDLE/config.json" "$T/good.json"
	config_set "$1"
	refused 1 "$2" kist validate --bundle "$BUNDLE"
	[[ $output =~ config.json:[0-9]+:[0-9]+ ]] || fail "no line and column in:" "$output"
	refused 1 "$2" kist create --bundle "$BUNDLE" "$ID"
	cp "$T/good.json" "$BUNDLE/config.json"
}

@test "a good configuration" {
	ok kist validate --bundle "$BUNDLE"
}

@test "the place and the path of a mistake" {
	printf '{\n "ociVersion": "1.0.0",\n "process": {\n  "cwd": "/", "user": {"uid": "root"}\n }\n}\n' >"$BUNDLE/config.json"
	refused 1 'config.json:4:*process.user.uid' kist validate --bundle "$BUNDLE"
}

@test "wrong types are not read as something else" {
	wrong '.process.user.uid = "1000"' 'process.user.uid'
	wrong '.process.user.uid = true' 'process.user.uid'
	wrong '.process.user.uid = -1' 'process.user.uid'
	wrong '.process.user.uid = 4294967296' 'process.user.uid'
	wrong '.process.user.uid = 1.5' 'process.user.uid'
	wrong '.root.readonly = "true"' 'root.readonly'
	wrong '.process.noNewPrivileges = "true"' 'process.noNewPrivileges'
	wrong '.process.args = "sh"' 'process.args'
	wrong '.process.args[0] = null' 'process.args'
	wrong '.mounts[0].options = [null]' 'options'
	wrong '.linux.namespaces = {}' 'linux.namespaces'
	wrong '.hooks = []' 'hooks'
}

@test "null is an absent member, as for the engines, which write what they have not set; it is none of a list" {
	config_set '.process.user = {"uid": null, "gid": null, "umask": null, "additionalGids": null}
		| .process.oomScoreAdj = null | .process.noNewPrivileges = null | .process.consoleSize = null
		| .linux.resources = {"pids": {"limit": null}, "memory": null, "cpu": {"shares": null}, "rdma": null}
		| .linux.seccomp = null | .linux.sysctl = null | .root.readonly = null | .hostname = null | .hooks = null'
	ok kist validate --bundle "$BUNDLE"
	is "$output" ''
	ok kist validate --strict --bundle "$BUNDLE"
	shell 'id -u; id -g; grep NoNewPrivs /proc/self/status'
	container_says $'0\n0\nNoNewPrivs:\t0'
	# What must be there is not absent without a word.
	wrong '.ociVersion = null' '"ociVersion" is required'
	wrong '.process.cwd = null' 'process: "cwd" is required'
	wrong '.root.path = null' 'root: "path" is required'
	wrong '.process.rlimits = [{"type": null, "hard": 1, "soft": 1}]' '"type" is required'
	wrong '.process.args = [null]' 'process.args[[]0]: must be a string, not null'
	wrong '.process.user.additionalGids = [null]' 'additionalGids[[]0]: must be*not null'
}

@test "values that the specification forbids" {
	wrong '.process.cwd = "relative"' 'process.cwd'
	wrong '.process.args = []' 'process.args'
	wrong '.process.env = ["NOEQUALS"]' 'process.env'
	wrong '.process.rlimits += [.process.rlimits[0]]' 'rlimits'
	wrong '.process.rlimits[0].type = "RLIMIT_NONE"' 'rlimits'
	wrong '.linux.namespaces += [{"type": "pid"}]' 'namespaces'
	wrong '.linux.namespaces += [{"type": "nosuch"}]' 'namespaces'
	wrong '.linux.rootfsPropagation = "foo"' 'rootfsPropagation'
	wrong '.ociVersion = "9.9.9"' 'ociVersion'
	wrong 'del(.ociVersion)' 'ociVersion'
	wrong 'del(.root)' 'root'
	wrong '.linux.devices = [{"path": "/dev/x", "type": "z", "major": 1, "minor": 3}]' 'devices'
	wrong '.linux.seccomp = {"defaultAction": "SCMP_ACT_MAYBE"}' 'seccomp'
	wrong '.linux.maskedPaths = ["relative"]' 'maskedPaths'
	wrong '.hostname = "x" | .linux.namespaces |= map(select(.type != "uts"))' 'hostname'
	wrong '.hooks.poststop = [{"path": "relative"}]' 'hooks.poststop'
	wrong '.linux.namespaces |= map(select(.type != "user")) | .linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 1}]' 'uidMappings'
}

@test "what is no JSON" {
	local text
	for text in '' '{' '{"a": 1,}' '[]' 'null' '{"ociVersion": "1.0.0"} x' $'{"ociVersion": "\xff"}' '// x'; do
		printf '%s' "$text" >"$BUNDLE/config.json"
		try kist validate --bundle "$BUNDLE"
		[ "$status" -eq 1 ] || fail "status $status for $text"
		try kist create --bundle "$BUNDLE" "$ID"
		[ "$status" -eq 1 ] || fail "status $status for $text"
	done
}

@test "deep nesting and long strings are no danger" {
	(head -c 100000 /dev/zero | tr '\0' '[') >"$BUNDLE/config.json"
	refused 1 '' kist validate --bundle "$BUNDLE"
	cp "$KIST_TEST_SUITE/config.json" "$BUNDLE"
	config_set '.annotations = {"long": $long}' --arg long "$(long 100000)"
	run_container
}

@test "an unknown member is a warning with the nearest name, and with --strict an error" {
	config_set '.process.noNewPrivs = true'
	ok kist validate --bundle "$BUNDLE"
	output_has 'noNewPriv'
	refused 1 'noNewPriv' kist validate --strict --bundle "$BUNDLE"
	run_container
}

@test "findings as JSON" {
	config_set '.process.user.uid = "x"'
	try kist validate --json --bundle "$BUNDLE"
	[ "$status" -eq 1 ]
	jq -e 'tostring | contains("uid")' "$T/output"
}

@test "a process file and a resources file" {
	jq .process "$BUNDLE/config.json" >"$T/process.json"
	ok kist validate --process "$T/process.json"
	echo '{"pids": {"limit": 5}}' >"$T/resources.json"
	ok kist validate --resources "$T/resources.json"
	echo '{"pids": {"limit": "x"}}' >"$T/resources.json"
	refused 1 'pids.limit' kist validate --resources "$T/resources.json"
}

# finds FILTER PATTERN...: config.json changed by the filter has all these findings, each with a place, in one run.
finds() {
	cp "$BUNDLE/config.json" "$T/good.json"
	config_set "$1"
	shift
	try kist validate --bundle "$BUNDLE"
	local pattern
	for pattern; do
		grep -E "^[^ ]*config.json:[0-9]+:[0-9]+: " "$T/output" | grep -qE -- "$pattern" || fail "no \"$pattern\" in:" "$output"
	done
	cp "$T/good.json" "$BUNDLE/config.json"
}

@test "all that create refuses by the text alone, at once" {
	finds '.linux.namespaces |= map(select(.type != "user")) + [{"type": "user"}] | del(.linux.uidMappings, .linux.gidMappings)' \
		'error: linux.namespaces.*needs linux.uidMappings'
	finds '.linux.namespaces |= map(select(.type != "user")) + [{"type": "user"}] | .process.user = {"uid": 7, "gid": 8, "additionalGids": [9, 10]}
		| .linux.uidMappings = [{"containerID": 0, "hostID": 1000, "size": 1}] | .linux.gidMappings = .linux.uidMappings' \
		'error: process.user.uid: .*unmapped uid 7' 'error: process.user.gid: .*unmapped gid 8' 'additionalGids\[0\].* 9 ' 'additionalGids\[1\].* 10 '
	finds '.process.capabilities.bounding += ["CAP_TYPO"]' 'warning: process.capabilities.bounding\[[0-9]+\]: unknown capability, left out: CAP_TYPO'
	finds '.mounts += [{"destination": "/x", "type": "bind", "source": "/", "options": ["rbnd", "nosiud"]}, {"destination": "/proc/sys", "type": "bind",
		"source": "/"}, {"destination": "/", "type": "tmpfs"}]' 'rbnd.*did you mean "rbind"' 'nosiud.*"nosuid"' 'inside /proc' 'cannot be mounted over'
	finds '.linux.sysctl = {"vm.swappiness": "1", "kernel.foo": "1"}' 'vm.swappiness.*not in a separate' 'kernel.foo.*not in a separate'
	finds '.linux.namespaces |= map(select(.type != "mount")) | .root.readonly = true | .linux.maskedPaths = ["/a"] | .linux.readonlyPaths = ["/b"]' \
		'error: root.readonly' 'error: linux.maskedPaths' 'error: linux.readonlyPaths'
	finds '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x", "syscalls": [{"names": ["sendmsg"], "action": "SCMP_ACT_NOTIFY"},
		{"names": ["write"], "action": "SCMP_ACT_NOTIFY"}]}' 'syscalls\[0\].names\[0\].*sendmsg' 'syscalls\[1\].names\[0\].*write'
	finds 'del(.root)' ':1:1: error: "root" is required'
	finds '.linux.devices = [{"path": "/dev/x", "type": "z"}]' 'devices\[0\].type: .*known: c, b, u, p'
	finds '.process.noNewPrivs = true' 'did you mean "noNewPrivileges"'
	finds '.linux.resources = {"memory": {"limit": -1, "swap": 200000000}, "pids": {"limit": -2}, "cpu": {"period": 2147483648, "quota": 999}}
		| .linux.cgroupsPath = "/" + "a/" * 1200' \
		'error: linux.resources.memory.swap: a swap limit needs a memory limit' 'error: linux.resources.pids.limit: -2 is no number' \
		'error: linux.resources.cpu.period: 2147483648 is out of range .1000 to 1000000' 'error: linux.resources.cpu.quota: 999 is out of range' \
		'error: linux.cgroupsPath: longer than 2048 bytes'
	finds '.linux.intelRdt = {"closID": "guaranteed"}' 'error: linux.intelRdt: Intel RDT is not supported'
}

@test "one mistake is one finding, though two rules see it" {
	config_set '.process.args = [] | .process.oomScoreAdj = 5000 | .process.scheduler = {"policy": "SCHED_OTHER", "nice": 99}'
	try kist validate --bundle "$BUNDLE"
	is "$(grep -c error: "$T/output")" 3
}

@test "Intel RDT is refused, since nothing carries it out" {
	wrong '.linux.intelRdt = {}' 'linux.intelRdt: Intel RDT is not supported'
}

@test "a resources file: the rules beyond types" {
	echo '{"devices": [{"allow": true, "access": "x"}], "cpu": {"cpus": "a"}}' >"$T/resources.json"
	refused 1 'devices\[0\].access' kist validate --resources "$T/resources.json"
	output_has 'cpu.cpus'
}

@test "a process file: the rules of exec" {
	echo '{"cwd": "/", "args": ["a"], "user": {"umask": 999}, "scheduler": {"policy": "SCHED_FIFO"}}' >"$T/process.json"
	refused 1 'user.umask' kist validate --process "$T/process.json"
	output_has 'scheduler'
	echo '{"cwd": "/"}' >"$T/process.json"
	refused 1 'process.json:1:1: error: args must not be empty' kist validate --process "$T/process.json"
}

@test "against the host: what only this machine decides" {
	ok kist validate --against-host --bundle "$BUNDLE"
	config_set '.mounts += [{"destination": "/x", "type": "bind", "source": "/no/such", "options": ["rbind"]}] | .hooks.poststop = [{"path": "/no/hook"}]'
	ok kist validate --bundle "$BUNDLE"
	refused 1 'mounts*source: /no/such: no such file' kist validate --against-host --bundle "$BUNDLE"
	output_has 'hooks.poststop'
	config_set 'del(.hooks) | .mounts |= .[:-1] | .root.path = "nowhere" | .linux.namespaces += [{"type": "time", "path": "/no/time"}]'
	ok kist validate --bundle "$BUNDLE"
	refused 1 'root.path: nowhere: no such file' kist validate --against-host --bundle "$BUNDLE"
	output_has '/no/time'
	refused 1 'against-host' kist validate --against-host --resources "$T/none"
}

@test "against the host: sources in an earlier mount, and symlinks that lead nowhere" {
	need_root "binds directories of root"
	mkdir "$T/dir" "$T/dir/sub" && touch "$T/dir/sub/file"
	config_set '.mounts += [{"destination": "/first/new", "source": "\($t)/dir", "options": ["bind"]},
		{"destination": "/second", "source": "rootfs/first/new/sub", "options": ["bind"]}] | .process.args = ["ls", "/second"]' \
		--arg t "$T"
	ok kist validate --against-host --bundle "$BUNDLE"
	ok kist run --bundle "$BUNDLE" "$ID"
	output_has file
	config_set '.mounts |= .[:-2] + [.[-1], .[-2]]'
	rm -r "$ROOTFS/first"
	refused 1 'source: rootfs/first/new/sub: no such file' kist validate --against-host --bundle "$BUNDLE"
	refused 1 'rootfs/first/new/sub' kist run --bundle "$BUNDLE" "$ID"
	ln -s nowhere "$BUNDLE/link"
	config_set '.mounts |= .[:-2] + [{"destination": "/second", "source": "link", "options": ["bind"]}]'
	refused 1 'source: link: no such file' kist validate --against-host --bundle "$BUNDLE"
	refused 1 'link' kist run --bundle "$BUNDLE" "$ID"
	config_set '.mounts[-1].options += ["copy-symlink"]'
	ok kist validate --against-host --bundle "$BUNDLE"
}

@test "against the host: with the host's own root no source lies in an earlier mount" {
	need_root "binds directories of root"
	mkdir "$T/first" "$T/second"
	config_set '.root.path = "/" | .mounts |= map(select(.destination != "/sys")) + [
		{"destination": "\($t)/first", "type": "tmpfs", "source": "tmpfs"},
		{"destination": "\($t)/second", "source": "\($t)/first/new", "options": ["bind"]}]' --arg t "$T"
	refused 1 "source: $T/first/new: no such file" kist validate --against-host --bundle "$BUNDLE"
	refused 1 "$T/first/new" kist run --bundle "$BUNDLE" "$ID"
	mkdir "$T/first/new" && touch "$T/first/new/file"
	args ls "$T/second"
	ok kist validate --against-host --bundle "$BUNDLE"
	ok kist run --bundle "$BUNDLE" "$ID"
	output_has file
}

@test "what there may not be more of, for validate as for create" {
	wrong '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [range(5000) | "mkdir"], "action": "SCMP_ACT_ERRNO"}]}' \
		'linux.seccomp.syscalls\[0\].names\[4096\]: more than 4096 seccomp rules'
	wrong '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [range(1000) | {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO",
		"args": [range(5) | {"index": 0, "value": ., "op": "SCMP_CMP_EQ"}]}]}' 'more than 4096 seccomp rules'
	wrong '.linux.resources.devices = [range(5000) | {"allow": true, "type": "c", "major": 20, "minor": ., "access": "r"}]' \
		'more than 4096 device rules'
	wrong '.linux.resources.devices = [range(3000) | {"allow": true, "access": "rrr"}]' \
		'linux.resources.devices\[2048\]: more than 4096 device rules'
	wrong '.mounts = [range(10001) | {"destination": "/m\(.)", "type": "tmpfs"}]' 'more than 10000 mounts'
	wrong '.linux.namespaces += [range(100) | {"type": "pid"}]' 'twice'
	wrong '.linux.maskedPaths = [range(10001) | "/m\(.)"]' 'linux.maskedPaths\[10000\]: more than 10000 paths'
	wrong '.linux.netDevices = ([range(1025) | {"key": "d\(.)", "value": {}}] | from_entries)' 'more than 1024 network devices'
	wrong '.linux.uidMappings = [range(341) | {"containerID": ., "hostID": ., "size": 1}] | .linux.namespaces += [{"type": "user"}]' \
		'more than 340 mappings'
	wrong '.mounts += [{"destination": "/x", "type": "bind", "source": "/", "options": ["bind",
		"idmap=uids=" + ([range(341) | "\(.)-\(.)-1"] | join("#")) + ";gids=0-0-1"]}]' \
		'options: idmap: more than 340 ranges'
	# What stands there again is no more.
	config_set '.linux.resources.devices = [range(5000) | {"allow": false, "access": ""}]'
	ok kist validate --bundle "$BUNDLE"
	config_set '.linux.maskedPaths = [range(10000) | "/m\(.)"] + ["/m7"] | .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW",
		"syscalls": [{"names": [range(5000) | "mkdir"], "action": "SCMP_ACT_ALLOW"}]}'
	ok kist validate --bundle "$BUNDLE"
}

@test "what asks for something that is not done is a warning, and the container runs" {
	finds '.annotations = {"run.oci.handler": "wasm", "run.oci.nosuch": "1", "krun.cpus": "2"}' \
		'warning: annotations\["run.oci.handler"\]' 'warning: annotations\["run.oci.nosuch"\]' 'warning: annotations\["krun.cpus"\]'
	finds '.mounts += [{"destination": "/x", "type": "bind", "source": "/", "options": ["rbind", "sync", "rsync"]}, {"destination": "/y", "type": "tmpfs",
		"source": "tmpfs", "options": ["copy-symlink", "sync"]}]' 'warning: .*options\[1\]: sync has no effect on a bind' \
		'warning: .*options\[2\]: rsync' 'warning: .*options\[0\]: copy-symlink has no effect'
	output_lacks 'options[1]: sync has no effect on a new'
	finds '.mounts += [{"destination": "/dev", "type": "bind", "source": "/dev"}] | .linux.devices = [{"path": "/dev/q", "type": "c", "major": 1, "minor": 3}]' \
		'warning: linux.devices: no device is made'
	finds '.linux.namespaces |= map(select(.type != "mount")) | .linux.rootfsPropagation = "rslave"' 'warning: linux.rootfsPropagation'
	finds '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}' 'warning: linux.seccomp.flags\[0\]'
	config_set '.annotations = {"run.oci.handler": "wasm"}'
	run_container
}

@test "what engines write has no warnings" {
	kist spec --bundle "$T"
	ok kist validate --config "$T/config.json"
	is "$output" ''
	# Docker, containerd and Podman in one.
	config_set '.mounts += [{"destination": "/a", "type": "bind", "source": "/", "options": ["rbind", "rprivate"]},
			{"destination": "/b", "type": "bind", "source": "/", "options": ["bind", "ro", "nosuid", "nodev", "private", ""]},
			{"destination": "/c", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "rprivate", "tmpcopyup", "mode=1777", "size=65536k"]},
			{"destination": "/d", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro", "relatime", "strictatime"]},
			{"destination": "/e", "type": "cgroup", "source": "cgroup", "options": ["ro", "nosuid", "noexec", "nodev", "rprivate"]}]
		| .linux.rootfsPropagation = "rslave"
		| .annotations = {"io.kubernetes.cri.container-type": "sandbox", "io.podman.annotations.autoremove": "FALSE",
			"org.opencontainers.image.base.name": "x", "run.oci.keep_original_groups": "1"}'
	ok kist validate --bundle "$BUNDLE"
	is "$output" ''
}

@test "members for other platforms, and a missing process, are warnings" {
	config_set '.windows = {} | .vm = {} | .process.commandLine = "x" | .process.user.username = "u"'
	ok kist validate --bundle "$BUNDLE"
	output_has 'warning: windows: is ignored'
	output_has 'warning: vm: is ignored'
	output_has 'warning: process.commandLine: is ignored'
	output_has 'warning: process.user.username: is ignored'
	config_set 'del(.process, .windows, .vm)'
	ok kist validate --bundle "$BUNDLE"
	output_has '"process" is missing: the container can be created, but not started'
}

@test "one mistake is one error" {
	config_set '.process.args = "sh"'
	refused 1 'process.args: must be an array' kist validate --bundle "$BUNDLE"
	is "$(grep -c error: <<<"$output")" 1
	config_set '.process.args = ["sh"] | .linux.devices = [{"path": "/dev/x", "type": "c", "major": 1}]'
	refused 1 'needs major and minor' kist validate --bundle "$BUNDLE"
	is "$(grep -c error: <<<"$output")" 1
}

@test "a file that is none, a byte order mark, standard input by its name" {
	refused 1 'is a directory' kist validate -f "$T"
	printf '\xef\xbb\xbf{}' >"$T/mark.json"
	refused 1 'mark.json:1:1: error: a byte order mark' kist validate -f "$T/mark.json"
	echo '{}' >"$T/empty.json"
	refused 1 'standard input:1:1: error:' sh -c '"$1" validate -f - <"$2"' - "$KIST" "$T/empty.json"
}

@test "what every create refuses is an error without a machine to look at" {
	wrong '.linux.resources.unified = {"memory": "max"}' 'unified.memory'
	wrong '.linux.cgroupsPath = "/"' 'linux.cgroupsPath: "/" is the root'
	wrong '.linux.cgroupsPath = "/a/" + ("n" * 256) + "/b"' 'linux.cgroupsPath: a component is longer than 255 bytes'
	wrong '.linux.resources.devices = [{"allow": true, "type": "c", "major": 1099511627776, "minor": 0}]' 'devices\[0\].major'
	cp "$KIST_TEST_SUITE/config.json" "$BUNDLE"
	config_set '.linux.cgroupsPath = "a:b:c"'
	refused 1 'slice:prefix:name is for the systemd manager' kist validate --against-host --bundle "$BUNDLE"
}

@test "zero values of encoders are absent members" {
	config_set '.linux.namespaces |= map(if .type == "mount" then .path = "" else . end) | .linux.rootfsPropagation = ""'
	ok kist validate --bundle "$BUNDLE"
	is "$output" ''
	run_container
}

# Mutation: each finding of the rooms is compared with each of the rules before.
@test "many findings are told in a time that grows as they do" {
	config_set '.process.env = [range(150000) | "x\(.)"]
		| .mounts += [{"destination": "/x", "type": "bind", "source": "/", "options": ["bind", (range(150000) | "o\(.)")]}]'
	try timeout 60 "$KIST" validate --bundle "$BUNDLE"
	is "$status" 1
	is "$(grep -c error: "$T/output")" 300000
}
