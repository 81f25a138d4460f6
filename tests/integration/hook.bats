#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

# A hook that writes its name, and what it is told, into $T/log.
note() {
	cat >"$T/note" <<-END
		#!/bin/sh
		exec >>"$T/log"
		echo "\$1 \$(cat)"
	END
	chmod +x "$T/note"
}

# hook KIND [MEMBERS]: adds one that notes its kind.
hook() {
	config_set ".hooks.$1 += [{\"path\": \$note, \"args\": [\"note\", \"$1\"]} + ${2:-{\}}]" --arg note "$T/note"
}

@test "hooks of the host run in their order, with the state on their standard input" {
	local kind
	note
	for kind in poststop poststart createRuntime prestart; do
		hook $kind
	done
	config_set '.annotations = {"key": "value"}'
	run_container
	is "$(cut -d' ' -f1 "$T/log" | xargs)" 'prestart createRuntime poststart poststop'
	local line
	while read -r _ line; do
		jq -e --arg id "$ID" --arg bundle "$BUNDLE" '.id == $id and .bundle == $bundle and .annotations.key == "value" and (.ociVersion | startswith("1."))' <<<"$line"
	done <"$T/log"
	is "$(cut -d' ' -f2- "$T/log" | jq -r .status | xargs)" 'created created running stopped'
	is "$(cut -d' ' -f2- "$T/log" | jq -r '(.pid // 0) > 0' | xargs)" 'true true true false'
}

@test "hooks of the container run in its namespaces: before the pivot and before the program" {
	printf '#!/bin/sh\necho "start $(hostname) $PWD" >>/log; cat >>/log\n' >"$ROOTFS/hook"
	chmod +x "$ROOTFS/hook"
	printf '#!/bin/sh\nreadlink /proc/self/ns/mnt >"%s"\ncat >/dev/null\n' "$T/mnt" >"$T/hook"
	chmod +x "$T/hook"
	config_set '.hostname = "inside" | .hooks.createContainer = [{"path": $hook}] | .hooks.startContainer = [{"path": "/hook"}]' --arg hook "$T/hook"
	shell 'cat /log'
	run_container
	output_has 'start inside'
	[ "$(<"$T/mnt")" != "$(readlink /proc/self/ns/mnt)" ]
}

@test "the order of create and start" {
	note
	hook createRuntime
	hook poststart
	hook poststop
	args sleep 1000
	create_container
	is "$(cut -d' ' -f1 "$T/log" | xargs)" createRuntime
	ok kist start "$ID"
	is "$(cut -d' ' -f1 "$T/log" | xargs)" 'createRuntime poststart'
	ok kist delete -f "$ID"
	is "$(cut -d' ' -f1 "$T/log" | xargs)" 'createRuntime poststart poststop'
}

@test "a failing hook before the start fails the container, and nothing is left" {
	local kind
	for kind in prestart createRuntime createContainer startContainer; do
		config_set ".hooks = {\"$kind\": [{\"path\": \"/bin/sh\", \"args\": [\"sh\", \"-c\", \"echo why >&2; exit 7\"]}]}"
		shell 'echo ran >/ran'
		refused 1 "$kind" kist run --bundle "$BUNDLE" "$ID"
		output_has 7
		[ ! -e "$ROOTFS/ran" ]
		assert_nothing_left
	done
}

@test "a failing poststart hook stops the container" {
	config_set '.hooks.poststart = [{"path": "/bin/false"}]'
	args sleep 1000
	create_container
	refused 1 'poststart' kist start "$ID"
	output_lacks 'output:'
	wait_for stopped
	ok kist delete --force "$ID"
	refused 1 'poststart' kist run --bundle "$BUNDLE" "$ID"
}

@test "a failing poststop hook is a warning, and the others run" {
	note
	config_set '.hooks.poststop = [{"path": "/bin/false"}]'
	hook poststop
	create_container
	ok kist delete "$ID"
	is "$(cut -d' ' -f1 "$T/log")" poststop
	assert_nothing_left
}

@test "a signal to kist ends one poststop hook, and the others run" {
	note
	printf '#!/bin/sh\n: >"%s"\nexec sleep 1000\n' "$T/runs" >"$T/slow"
	chmod +x "$T/slow"
	config_set '.hooks.poststop = [{"path": $slow}]' --arg slow "$T/slow"
	hook poststop
	hook poststop
	args true
	"$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID" >"$T/output" 2>&1 </dev/null 3>&- &
	wait_for test -e "$T/runs"
	kill -TERM $!
	wait $! || true
	is "$(cut -d' ' -f1 "$T/log" | xargs)" 'poststop poststop'
	grep 'poststop hook #0: ended by a signal' "$T/output"
	assert_nothing_left
}

@test "a time-out ends a hook, and its children" {
	config_set '.hooks.createRuntime = [{"path": "/bin/sh", "args": ["sh", "-c", "sleep 1000 & sleep 1000"], "timeout": 1}]'
	refused 1 'createRuntime' kist run --bundle "$BUNDLE" "$ID"
	[[ $output == *time* ]]
	assert_nothing_left
}

@test "a hook's environment is the configuration's, and nothing else" {
	cat >"$T/env" <<-END
		#!/bin/sh
		tr '\0' '\n' </proc/self/environ >"$T/env-seen"
		env >"$T/env-seen"
	END
	chmod +x "$T/env"
	config_set '.hooks.createRuntime = [{"path": $hook, "env": ["A=1", "B=2"]}] | .process.env += ["LD_PRELOAD=/evil.so"]' --arg hook "$T/env"
	SECRET=1 run_container
	is "$(grep -vE '^(PWD|SHLVL|_)=' "$T/env-seen" | sort | xargs)" 'A=1 B=2'
}

@test "a hook that is not there is found before anything is made" {
	config_set '.hooks.poststop = [{"path": "/no/hook"}]'
	refused 1 '/no/hook' kist create --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "a hook that does not read its input does no harm" {
	config_set '.annotations = {"long": $long} | .hooks.createRuntime = [{"path": "/bin/true"}] | .hooks.poststop = [{"path": "/bin/true"}]' --arg long "$(long 100000)"
	run_container
}

@test "hooks see the container's cgroup" {
	config_cgroup
	printf '#!/bin/sh\ngrep -l . /proc/$(grep -o "\\"pid\\": *[0-9]*" | grep -o "[0-9]*$")/cgroup | xargs cat >"%s"\n' "$T/cgroup" >"$T/hook"
	chmod +x "$T/hook"
	config_set '.hooks.createRuntime = [{"path": $hook}]' --arg hook "$T/hook"
	run_container
	grep "/test-$ID" "$T/cgroup"
}

@test "a failing hook is told with its position and its member" {
	local kind line
	for kind in createRuntime createContainer startContainer; do
		config_set '.hooks = {($kind): [{"path": "/bin/true"}, {"path": "/bin/false"}]}' --arg kind "$kind"
		line=$(grep -n '"/bin/false"' "$BUNDLE/config.json" | cut -d: -f1)
		refused 1 "config.json:$line:*: hooks.${kind}[[]1].path: error running $kind hook #1: exit status 1" \
			kist run --bundle "$BUNDLE" "$ID"
	done
}

# Fails without the row "hook-runner": the hook of the container would be in its PID namespace, among others.
@test "with a PID namespace that is joined, hooks before the start are outside of it, and in all the others" {
	start_container
	config_set '.linux.namespaces |= map(if .type == "pid" then .path = $path else . end)' --arg path "/proc/$(pid_of)/ns/pid"
	config_join_userns "$(pid_of)"
	cat >"$T/look" <<-END
		#!/bin/sh
		kind=\$1
		if [ \$kind = createRuntime ]; then
			process=/proc/\$(grep -o '"pid": *[0-9]*' | grep -o '[0-9]*\$')
		else
			process=/proc/self
			cat >/dev/null
			pwd >"$T/pwd"
			sed 's/.*:\//\//' /proc/self/cgroup | sort -u >"$T/cgroup"
		fi
		for n in mnt net ipc uts user pid; do
			readlink "\$process/ns/\$n"
		done >"$T/\$kind"
	END
	chmod +x "$T/look"
	config_set '.hooks = {"createRuntime": [{"path": $look, "args": ["look", "createRuntime"]}],
		"createContainer": [{"path": $look, "args": ["look", "createContainer"]}]} | .hostname = "inside"' --arg look "$T/look"
	shell 'for n in mnt net ipc uts user pid; do readlink /proc/self/ns/$n; done'
	ok kist run --bundle "$BUNDLE" "other$ID"
	# The container's own, but for the last.
	! ordinary_user && is "$(head -5 "$T/createRuntime")" "$(head -5 <<<"$output")"
	is "$(head -5 "$T/createContainer")" "$(head -5 <<<"$output")"
	is "$(tail -1 "$T/createContainer")" "$(readlink /proc/self/ns/pid)"
	is "$(<"$T/pwd")" "$BUNDLE"
	# The root of the cgroup namespace: that of the container.
	is "$(<"$T/cgroup")" /
}

@test "with a PID namespace that is joined, a failing hook of the container is told" {
	local line
	start_container
	config_set '.linux.namespaces |= map(if .type == "pid" then .path = $path else . end)' --arg path "/proc/$(pid_of)/ns/pid"
	config_join_userns "$(pid_of)"
	config_set '.hooks.createContainer = [{"path": "/bin/true"}, {"path": "/bin/sh", "args": ["sh", "-c", "echo why >&2; exit 7"]}]'
	line=$(grep -n '"/bin/sh"' "$BUNDLE/config.json" | cut -d: -f1)
	refused 1 "config.json:$line:*: hooks.createContainer[[]1].path: error running createContainer hook #1: exit status 7, output: why" \
		kist run --bundle "$BUNDLE" "other$ID"
	config_set '.hooks.createContainer = [{"path": "/bin/sleep", "args": ["sleep", "1000"], "timeout": 1}]'
	refused 1 'createContainer*timeout' kist run --bundle "$BUNDLE" "other$ID"
	[ ! -e "$ROOT/other$ID" ]
}

@test "with a PID namespace that is joined, a signal to kist ends a hook of the container" {
	local pid
	start_container
	config_set '.linux.namespaces |= map(if .type == "pid" then .path = $path else . end)' --arg path "/proc/$(pid_of)/ns/pid"
	config_join_userns "$(pid_of)"
	printf '#!/bin/sh\necho $$ >"%s"\nexec sleep 1000\n' "$T/runs" >"$T/slow"
	chmod +x "$T/slow"
	config_set '.hooks.createContainer = [{"path": $slow}]' --arg slow "$T/slow"
	"$KIST" --root "$ROOT" run --bundle "$BUNDLE" "other$ID" >"$T/output" 2>&1 </dev/null 3>&- &
	wait_for test -s "$T/runs"
	pid=$(<"$T/runs")
	kill -TERM $!
	wait $! || true
	wait_for sh -c "! kill -0 $pid"
	[ ! -e "$ROOT/other$ID" ]
}
