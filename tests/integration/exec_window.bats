#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

# The short time between the first process of exec and the program, with a container that looks all the time.

ROUNDS=${KIST_TEST_LONG:+10000}

# Mutations, each alone: "capabilities" or "descriptors" comes after "second-process" in steps_exec[].
@test "a joining process that the container can see has no more than it needs (CVE-2016-9962)" {
	local i seen
	config_set '.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE"]) | del(.process.capabilities.ambient)'
	# The container's own streams, of which a shell keeps copies while it redirects, are not what is looked for.
	start_container sh -c 'exec >/dev/null 2>&1; while [ ! -e /end ]; do
		awk "/^Name/ { joiner = /kist/ } /^CapPrm/ && joiner { print \$2 }" /proc/[0-9]*/status 2>/dev/null >>/caps
		ls -l /proc/[0-9]*/fd/[3-9] /proc/[0-9]*/fd/[1-9][0-9] /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/exe 2>/dev/null | grep -e "-> /" |
			grep -v -e "-> /$" -e "-> /links$" -e /bin/busybox -e "-> /memfd:" -e "-> /proc" -e "-> /dev/null" >>/links; done'
	for ((i = 0; i < ${ROUNDS:-150}; i++)); do
		kist exec "$ID" true </dev/null 3>&-
	done
	touch "$ROOTFS/end"
	wait_for stopped
	# Bit 21 is CAP_SYS_ADMIN, 16 CAP_SYS_MODULE, 17 CAP_SYS_RAWIO: never before the program has them.
	while read -r seen; do
		[ $((0x$seen & (1 << 21 | 1 << 16 | 1 << 17))) -eq 0 ] || fail "a joiner was seen with $seen"
	done < <(sort -u "$ROOTFS/caps")
	[ ! -s "$ROOTFS/links" ] || fail "$(sort "$ROOTFS/links" | uniq -c | head)"
}

# Here it is a matter of chance; in the next test the first process is held back.
@test "the pid of exec is known, however soon the program is ready" {
	local i pid
	start_container
	for ((i = 0; i < ${ROUNDS:-150}; i++)); do
		kist exec --detach --pid-file "$T/pid" "$ID" true </dev/null 3>&-
		pid=$(<"$T/pid")
		[[ $pid =~ ^[1-9][0-9]*$ ]] || fail "round $i: the pid file says $pid"
	done
}

# Mutation: step_fork_run() writes the number into the page itself, after the fork.
@test "the pid of exec is known while its first process is held back" {
	need_strace
	start_container
	ok strace -f -qq -o /dev/null -e inject=clone,clone3:delay_exit=500000:when=1 \
		"$KIST" --root "$ROOT" exec --detach --pid-file "$T/pid" "$ID" true
	[[ $(<"$T/pid") =~ ^[1-9][0-9]*$ ]] || fail "the pid file says $(<"$T/pid")"
}
