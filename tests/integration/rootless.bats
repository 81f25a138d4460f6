#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

setup() {
	setup_container
	bundle_user
}

teardown() {
	local id
	for id in "$ROOT"/*; do
		[ ! -d "$id" ] || user_kist delete --force "${id##*/}"
	done
	rm -rf "/run/user/$USER_ID/kist"
	assert_nothing_left
}

@test "run" {
	shell 'id -u; echo $$; hostname'
	ok user_kist run --bundle "$BUNDLE" "$ID"
	is "${output%%$'\n'*}" 0
}

@test "create, start, exec, ps, kill, delete" {
	args sleep 1000
	ok user_kist create --bundle "$BUNDLE" "$ID"
	is "$(user_kist state "$ID" | jq -r '.status + " " + .owner')" "created $(id -un "$USER_ID")"
	ok user_kist start "$ID"
	ok user_kist exec "$ID" sh -c 'echo hello; exit 0'
	is "$output" hello
	ok user_kist ps -f json "$ID"
	jq -e 'length >= 1' <<<"$output"
	ok user_kist list -q
	is "$output" "$ID"
	is "$(stat -c %u "/proc/$(user_kist state "$ID" | jq .pid)")" "$USER_ID"
	ok user_kist kill "$ID" KILL
	wait_for sh -c "[ \$(jq -r .pid '$ROOT/$ID/state.json' 2>/dev/null || echo 0) = 0 ] || ! kill -0 \$(jq -r .pid '$ROOT/$ID/state.json')"
	ok user_kist delete "$ID"
}

@test "the default state root is below XDG_RUNTIME_DIR" {
	args sleep 1000
	ok as_user "$KIST" create --bundle "$BUNDLE" "$ID"
	[ -d "/run/user/$USER_ID/kist/$ID" ]
	is "$(stat -c '%a %u' "/run/user/$USER_ID/kist")" "700 $USER_ID"
	ok as_user "$KIST" delete "$ID"
}

@test "the root of a user namespace uses XDG_RUNTIME_DIR too" {
	args sleep 1000
	ok as_user "$KIST" create --bundle "$BUNDLE" "$ID"
	ok as_user unshare --map-root-user "$KIST" state "$ID"
	output_has '"status": "created"'
	ok as_user unshare --map-root-user "$KIST" list --quiet
	is "$output" "$ID"
	ok as_user "$KIST" delete "$ID"
}

@test "another user cannot see the container" {
	need_root "becomes another user"
	args sleep 1000
	ok user_kist create --bundle "$BUNDLE" "$ID"
	try setpriv --reuid 4243 --regid 4243 --clear-groups "$KIST" --root "$ROOT" state "$ID"
	[ "$status" -ne 0 ]
}

@test "subordinate ids, by newuidmap" {
	command -v newuidmap >/dev/null || skip "newuidmap is not installed"
	local first=300000
	! ordinary_user || first=$(host_id 1)
	config_set '.linux.uidMappings += [{"containerID": 1, "hostID": $first, "size": 1000}] | .linux.gidMappings = .linux.uidMappings' \
		--argjson first "$first"
	config_set '.linux.gidMappings[0].hostID = $id' --argjson id "$USER_ID"
	shell 'wc -l </proc/self/uid_map; touch /tmp/x && chown 5:6 /tmp/x'
	config_set '.process.capabilities.effective += ["CAP_CHOWN"] | .process.capabilities.permitted += ["CAP_CHOWN"]
		| .process.capabilities.bounding += ["CAP_CHOWN"]'
	ok user_kist run --bundle "$BUNDLE" "$ID"
	is "$output" 2
	is "$(stat -c '%u %g' "$ROOTFS/tmp/x")" "$((first + 4)) $((first + 5))"
}

@test "ids that are not the user's are refused, with a hint" {
	config_set '.linux.uidMappings += [{"containerID": 1, "hostID": 5000, "size": 1000}]'
	try user_kist run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	output_has 'id-maps'
}

@test "without a user namespace the error says what is missing" {
	config_set '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
	try user_kist run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	output_has 'user namespace'
}

@test "a new network namespace has its loopback" {
	config_set '.linux.namespaces += [{"type": "network"}]'
	shell 'ip addr show lo'
	ok user_kist run --bundle "$BUNDLE" "$ID"
	output_has '127.0.0.1'
}

@test "a program that is not there leaves nothing" {
	args no-such
	try user_kist run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	output_has 'executable file not found'
	assert_nothing_left
}

@test "cgroup limits that cannot be set are an error, unless none were asked for" {
	config_set '.linux.cgroupsPath = "/kist-user"'
	config_set '.linux.resources.pids = {"limit": 10}'
	try user_kist run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	output_has 'cgroup'
	assert_nothing_left
}

@test "a delegated cgroup is used" {
	only_v2 || skip "delegation needs cgroup2"
	need_root "delegates a cgroup"
	mkdir "/sys/fs/cgroup/user$ID"
	chown -R "$USER_ID" "/sys/fs/cgroup/user$ID"
	mkdir "/sys/fs/cgroup/user$ID/login"
	chown -R "$USER_ID" "/sys/fs/cgroup/user$ID/login"
	config_set ".linux.cgroupsPath = \"/user$ID/test\""
	shell 'cat /proc/self/cgroup'
	(
		echo "$BASHPID" >"/sys/fs/cgroup/user$ID/login/cgroup.procs"
		ok user_kist run --bundle "$BUNDLE" "$ID"
	)
	rmdir "/sys/fs/cgroup/user$ID/login" "/sys/fs/cgroup/user$ID"
}

# sessionless COMMAND...: as from cron; an empty variable counts as unset.
sessionless() {
	as_user env -i XDG_RUNTIME_DIR= "$@"
}

@test "without XDG_RUNTIME_DIR the state is where a session has it" {
	args sleep 1000
	ok sessionless "$KIST" create --bundle "$BUNDLE" "$ID"
	[ -d "/run/user/$USER_ID/kist/$ID" ]
	ok sessionless "$KIST" list --quiet
	is "$output" "$ID"
	# One that is not absolute counts as unset.
	ok as_user env -i XDG_RUNTIME_DIR=relative "$KIST" list --quiet
	is "$output" "$ID"
	ok as_user "$KIST" delete "$ID"
}

@test "without a session's directory the state is in one of the user's own below /tmp" {
	need_root "takes a session away"
	local own=/tmp/kist-$USER_ID
	args sleep 1000
	chmod 770 "/run/user/$USER_ID"
	rm -rf "$own"
	ok sessionless "$KIST" create --bundle "$BUNDLE" "$ID"
	is "$(stat -c '%a %u' "$own")" "700 $USER_ID"
	ok sessionless "$KIST" delete "$ID"
	rm -r "$own"
	mkdir -m 777 "$own"
	refused 1 'XDG_RUNTIME_DIR is not set' sessionless "$KIST" create --bundle "$BUNDLE" "$ID"
	rmdir "$own"
	ln -s "/run/user/$USER_ID" "$own"
	refused 1 'XDG_RUNTIME_DIR is not set' sessionless "$KIST" create --bundle "$BUNDLE" "$ID"
	rm "$own"
	chmod 700 "/run/user/$USER_ID"
}

@test "terminal for an ordinary user" {
	config_set '.process.terminal = true'
	shell 'test -t 0 && echo a terminal'
	listen tty "$T/socket" && true
	chmod 777 "$T/socket"
	ok user_kist create --bundle "$BUNDLE" --console-socket "$T/socket" "$ID"
	ok user_kist start "$ID"
	wait_helper
	grep 'a terminal' "$T/received"
}

@test "a PID namespace that is joined, with hooks, on Linux before 6.18, too" {
	! sanitized || skip "a sanitizer makes more calls than are let to who opens procfs"
	local first how
	args sleep 1000
	ok user_kist create --bundle "$BUNDLE" "$ID"
	ok user_kist start "$ID"
	first=$(user_kist state "$ID" | jq .pid)
	config_set '.linux.namespaces |= map(if .type == "user" or .type == "pid" then .path = "/proc/\($pid)/ns/\(.type)" else . end)
		| del(.linux.uidMappings, .linux.gidMappings)' --arg pid "$first"
	config_set '.hooks.createRuntime = [{"path": "/bin/true"}]
		| .hooks.createContainer = [{"path": "/bin/sh", "args": ["sh", "-c", "cat >/dev/null; id -u; readlink /proc/self/ns/user /proc/self/ns/pid"]}]'
	# What a hook says is only told when it fails.
	config_set '.hooks.createContainer[0].args[2] += "; exit 3"'
	for how in env 'setarch --uname-2.6'; do
		# shellcheck disable=SC2086 # a program and its option
		try as_user $how "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "other$ID"
		grep -F 'exit status 3, output: 0\nuser:' <<<"$output"
		grep -F "$(readlink "/proc/$first/ns/user")\n$(readlink /proc/self/ns/pid)" <<<"$output"
	done
	config_set 'del(.hooks.createContainer[0].args) | .hooks.createContainer[0].path = "/bin/true"'
	shell 'tr "\\0" " " </proc/1/cmdline; grep Cap /proc/self/status'
	for how in env 'setarch --uname-2.6'; do
		# shellcheck disable=SC2086
		ok as_user $how "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "other$ID"
		output_has 'sleep 1000'
	done
}
