#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Podman, as the distribution packages it, with kist as its runtime.
# shellcheck disable=SC2016,SC2154,SC2030,SC2031
load ../integration/helpers
load engine

setup_file() {
	command -v podman >/dev/null || skip "podman is not installed"
	command -v conmon >/dev/null || skip "conmon is not installed"
	export P=$BATS_FILE_TMPDIR/podman
	podman_setup "$P"
}

teardown_file() {
	[ ! -e "${P:-/none}" ] || podman rm --all --force --time 0 >/dev/null 2>&1 3>&- || true
}

setup() {
	T=$BATS_TEST_TMPDIR
	NAME=c$BATS_TEST_NUMBER
}

teardown() {
	podman rm --force --time 0 --ignore "$NAME" >/dev/null 2>&1 3>&- || true
}

# Bridges are another program's work: the container has a network of its own, with a loopback.
prun() {
	ok podman run --network none --name "$NAME" "$@"
}

@test "podman runs a container with kist" {
	prun --rm busybox:test echo hello
	is "$output" hello
}

@test "podman info shows kist" {
	ok podman info --format '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}}'
	is "$output" "kist $KIST"
	ok podman info
	output_has 'kist version'
}

@test "run: exit status, environment, user, working directory, hostname" {
	try podman run --rm --network none --name "$NAME" --env A=b --user 5:6 --workdir /tmp --hostname there busybox:test \
		sh -c 'echo $A $(id -u) $(id -g) $(pwd) $(hostname); exit 7'
	is "$status" 7
	is "$output" 'b 5 6 /tmp there'
}

@test "run -it: a terminal" {
	# Podman may lose what a very short program wrote.
	in_terminal "podman run --rm -it --network none --name $NAME busybox:test sh -c 'test -t 0 && tty; sleep 0.3'"
	grep -q /dev/pts/0 "$T/screen"
}

@test "a program that is not there: 127, one that may not be executed: 126" {
	try podman run --rm --network none --name "$NAME" busybox:test no-such-program
	is "$status" 127
	output_has 'executable file not found in $PATH'
	try podman run --rm --network none --name "$NAME" busybox:test /etc
	is "$status" 126
}

@test "exec, exec -it, exec with another user, and its status" {
	prun --detach busybox:test sleep 1000
	ok podman exec "$NAME" echo hello
	is "$output" hello
	ok podman exec --user 7 --env X=y --workdir /tmp "$NAME" sh -c 'echo $(id -u) $X $(pwd)'
	is "$output" '7 y /tmp'
	try podman exec "$NAME" sh -c 'exit 9'
	is "$status" 9
	try podman exec "$NAME" no-such-program
	is "$status" 127
	in_terminal "podman exec -it $NAME sh -c 'test -t 0 && tty; sleep 0.3'"
	grep -q /dev/pts/ "$T/screen"
	ok podman exec --detach "$NAME" sh -c 'echo detached >/tmp/x'
	wait_for podman exec "$NAME" test -s /tmp/x
}

@test "logs" {
	prun --detach busybox:test sh -c 'echo out; echo err >&2'
	ok podman wait "$NAME"
	ok podman logs "$NAME"
	output_has out
	output_has err
}

@test "stop, with and without its time" {
	prun --detach busybox:test sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done'
	ok podman stop --time 10 "$NAME"
	ok podman inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$NAME"
	is "$output" 'exited 3'
	ok podman rm "$NAME"
	prun --detach busybox:test sleep 1000
	ok podman stop --time 1 "$NAME"
	ok podman inspect --format '{{.State.ExitCode}}' "$NAME"
	is "$output" 137
}

@test "kill and restart" {
	prun --detach busybox:test sleep 1000
	ok podman kill "$NAME"
	ok podman wait "$NAME"
	is "$output" 137
	ok podman start "$NAME"
	ok podman restart --time 0 "$NAME"
	ok podman inspect --format '{{.State.Running}}' "$NAME"
	is "$output" true
}

@test "pause and unpause" {
	prun --detach busybox:test sleep 1000
	ok podman pause "$NAME"
	ok podman inspect --format '{{.State.Status}}' "$NAME"
	is "$output" paused
	ok podman unpause "$NAME"
	ok podman exec "$NAME" true
}

@test "rm --force of a running container leaves nothing" {
	prun --detach busybox:test sleep 1001
	ok podman rm --force --time 0 "$NAME"
	[ -z "$(find /sys/fs/cgroup -name 'libpod-*')" ]
	is "$(pgrep -fc 'sleep 1001' || true)" 0
	[ ! -d /run/kist ] || is "$(find /run/kist -mindepth 1 -maxdepth 1 ! -name .cache)" ''
}

@test "create, start, attach to the output" {
	ok podman create --network none --name "$NAME" busybox:test echo attached
	ok podman start --attach "$NAME"
	is "$output" attached
}

@test "volumes, tmpfs, read-only, devices" {
	mkdir "$T/volume"
	echo text >"$T/volume/file"
	prun --rm --volume "$T/volume:/v:ro" --tmpfs /t:size=1m --read-only --device /dev/zero:/dev/mine busybox:test \
		sh -c 'cat /v/file; touch /v/x 2>/dev/null || echo ro; touch /t/x && echo tmpfs
			touch /x 2>/dev/null || echo root; head -c 3 /dev/mine | wc -c'
	is "$output" $'text\nro\ntmpfs\nroot\n3'
}

@test "limits and capabilities" {
	[ -d /sys/fs/cgroup/memory ] || skip "no memory controller"
	prun --rm --memory 64m --pids-limit 50 --cpus 0.5 --cap-drop all --cap-add net_raw busybox:test \
		sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max; grep CapEff /proc/self/status'
	is "$output" $'67108864\n50\nCapEff:\t0000000000002000'
}

@test "no limit of processes" {
	local limit
	[ -d /sys/fs/cgroup/pids ] || skip "no pids controller"
	for limit in -1 0; do
		prun --rm --pids-limit "$limit" busybox:test sh -c 'true | cat; cat /sys/fs/cgroup/pids/pids.max'
		is "$output" max
	done
}

@test "a pod's containers share namespaces" {
	prun --detach busybox:test sleep 1000
	ok podman run --rm --network "container:$NAME" --pid "container:$NAME" --ipc "container:$NAME" busybox:test ps
	output_has 'sleep 1000'
}

@test "a user namespace with mapped ids" {
	prun --rm --uidmap 0:100000:65536 busybox:test sh -c 'xargs </proc/self/uid_map; id -u'
	is "$output" $'0 100000 65536\n0'
}

@test "top and ps" {
	prun --detach busybox:test sleep 1000
	ok podman top "$NAME"
	output_has 'sleep 1000'
	ok podman ps --format '{{.Names}}'
	output_has "$NAME"
}

@test "privileged" {
	prun --rm --privileged busybox:test sh -c 'mount -t tmpfs tmpfs /tmp && echo mounted'
	[ "$status" -eq 0 ]
	is "$output" mounted
}

@test "without cgroups, which Podman asks of a runtime in runtime_supports_nocgroup only" {
	prun --detach --cgroups disabled busybox:test sleep 1000
	is "$(find /sys/fs/cgroup -name "*$(podman inspect --format '{{.ID}}' "$NAME")*")" ''
	ok podman exec "$NAME" true
	ok podman rm --force --time 0 "$NAME"
}

@test "an empty program name: 127" {
	try podman run --rm --network none --name "$NAME" busybox:test ''
	is "$status" 127
	output_has 'exec: "": executable file not found in $PATH'
}

@test "--preserve-fds of run and exec, where Podman passes a range" {
	podman run --rm --network none --name "$NAME" --preserve-fds 2 busybox:test sh -c 'cat <&3; cat <&4' \
		3< <(echo three) 4< <(echo four) >"$T/out" 2>&1 </dev/null
	is "$(<"$T/out")" $'three\nfour'
	prun --detach busybox:test sleep 1000
	podman exec --preserve-fds 2 "$NAME" sh -c 'cat <&3; cat <&4' 3< <(echo three) 4< <(echo four) >"$T/out" 2>&1 </dev/null
	is "$(<"$T/out")" $'three\nfour'
}

@test "--group-add keep-groups" {
	try setpriv --groups 4242 podman run --rm --network none --name "$NAME" --group-add keep-groups busybox:test \
		sh -c 'grep Groups: /proc/self/status | xargs'
	is "$status" 0
	output_has 4242
}

@test "an idmapped volume" {
	mkdir "$T/volume" && touch "$T/volume/file" && chown 5:6 "$T/volume/file"
	prun --rm --uidmap 0:100000:65536 --gidmap 0:100000:65536 --volume "$T/volume:/v:idmap" busybox:test \
		sh -c 'stat -c "%u %g" /v/file; touch /v/mine'
	is "$output" '5 6'
	is "$(stat -c '%u %g' "$T/volume/mine")" '0 0'
}
