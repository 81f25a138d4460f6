#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

# Descriptors of the caller that are not asked for, opened without close-on-exec: the engines' shims do that.
leaky() {
	"$@" 5<"$KIST_TEST_SUITE/config.json" 6>"$T/leak" 7</ 9< <(:)
}

@test "no descriptor of the caller or of kist reaches the container" {
	args sleep 1000
	leaky kist run --detach --pid-file "$T/pid" --bundle "$BUNDLE" "$ID" >"$T/out" 2>&1 </dev/null 3>&-
	is "$(find "/proc/$(<"$T/pid")/fd" -type l -printf '%f\n' | sort | xargs)" '0 1 2'
}

@test "no descriptor of the caller or of kist reaches a process of exec" {
	start_container
	leaky kist exec --detach --pid-file "$T/pid" "$ID" sleep 1000 </dev/null 3>&-
	is "$(find "/proc/$(<"$T/pid")/fd" -type l -printf '%f\n' | sort | xargs)" '0 1 2'
}

@test "no descriptor reaches a hook" {
	cat >"$T/hook" <<-END
		#!/bin/sh
		echo \$(ls /proc/self/fd) >>"$T/hook-fds"
		cat >/dev/null
	END
	chmod +x "$T/hook"
	config_set '.hooks = {"createRuntime": [{"path": $hook}], "poststart": [{"path": $hook}], "poststop": [{"path": $hook}]}' \
		--arg hook "$T/hook"
	leaky kist run --bundle "$BUNDLE" "$ID" </dev/null 3>&-
	# ls has the directory open as 3.
	is "$(sort -u "$T/hook-fds")" '0 1 2 3'
	is "$(wc -l <"$T/hook-fds")" 3
}

@test "a waiting init holds nothing of the caller, and no path of the host" {
	need_root "sees what a process that is not dumpable has open"
	local link
	leaky create_container
	for link in "/proc/$(pid_of)/fd/"*; do
		[ "${link##*/}" -gt 2 ] || continue
		case $(readlink "$link") in
		socket:* | anon_inode:* | pipe:* | /memfd:*) ;;
		/proc | / | /proc/*) fail "descriptor ${link##*/} is $(readlink "$link")" ;;
		*) fail "descriptor ${link##*/} is $(readlink "$link")" ;;
		esac
	done
}

@test "no environment variable of the caller or of kist reaches the container" {
	shell 'tr "\0" "\n" </proc/1/environ | sort'
	SECRET=1 _OCI_SYNCPIPE=3 run_container
	is "$output" $'HOME=/\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nTERM=xterm'
}

@test "no environment variable of the caller reaches a process of exec" {
	start_container
	SECRET=1 ok kist exec "$ID" sh -c 'tr "\0" "\n" </proc/self/environ | grep -c SECRET || true'
	is "$output" 0
}

@test "nothing of the program's own remains in the process: mappings, signals, names" {
	start_container
	local pid
	pid=$(pid_of)
	is "$(grep -ci kist "/proc/$pid/maps")" 0
	is "$(awk '/^SigBlk/ { print $2 }' "/proc/$pid/status")" 0000000000000000
	# Of what the caller ignores, HUP and INT (bits 0 and 1) stay ignored.
	is $((16#$(awk '/^SigIgn/ { print $2 }' "/proc/$pid/status"))) $((16#$(awk '/^SigIgn/ { print $2 }' /proc/self/status) & 3))
	is "$(awk '/^TracerPid/ { print $2 }' "/proc/$pid/status")" 0
	is "$(<"/proc/$pid/comm")" sleep
}

# mask_of COMMAND...: the mask of blocked signals that a program gets: USR1 (10) is bit 9.
mask_of() {
	"$@" 2>&1 </dev/null 3>&- | awk '/^SigBlk/ { print $2 }'
}

@test "kist blocks signals for itself: the program gets the mask that kist was started with" {
	args grep SigBlk /proc/self/status
	is "$(mask_of kist run --bundle "$BUNDLE" "$ID")" 0000000000000000
	is "$(mask_of env --block-signal=USR1 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID")" 0000000000000200
	start_container
	is "$(mask_of kist exec "$ID" grep SigBlk /proc/self/status)" 0000000000000000
	is "$(mask_of env --block-signal=USR1 "$KIST" --root "$ROOT" exec "$ID" grep SigBlk /proc/self/status)" 0000000000000200
}

@test "create leaves one process, whose parent is the reaper, and no zombie" {
	local new
	create_container
	see_processes
	new=$(for pid in $processes; do [[ $world_processes == *" $pid "* ]] || [ ! -d "/proc/$pid" ] || echo "$pid"; done)
	is "$new" "$(pid_of)"
	is "$(awk '/^PPid/ { print $2 }' "/proc/$new/status")" "$(reaper)"
}

@test "exec leaves no zombie in the container" {
	start_container
	local word
	for word in five times each its own; do
		ok kist exec "$ID" echo "$word"
	done
	is "$(kist ps -f json "$ID" | jq length)" 1
}

@test "a failed create leaves nothing, whatever failed" {
	args no-such-program
	refused 1 'executable file not found' kist create --bundle "$BUNDLE" "$ID"
	assert_nothing_left
	args true
	config_set '.mounts += [{"destination": "/x", "type": "nosuchfs", "source": "x"}]'
	refused 1 'no file system type "nosuchfs"' kist create --bundle "$BUNDLE" "$ID"
	assert_nothing_left
	config_set 'del(.mounts[-1]) | .hooks.createRuntime = [{"path": "/bin/false"}]'
	refused 1 'error running createRuntime hook' kist create --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "few descriptors are enough" {
	config_set 'del(.process.rlimits)'
	# One a hierarchy, and some.
	local enough=48
	! only_v2 || enough=20
	(ulimit -n $enough && run_container)
}
