#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
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
