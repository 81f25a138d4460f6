#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "rlimits are set" {
	config_set '.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
		{"type": "RLIMIT_STACK", "soft": 1048576, "hard": 2097152}]'
	args cat /proc/self/limits
	run_container
	[[ $output =~ open\ files\ +100\ +200 ]]
	[[ $output =~ core\ file\ size\ +0\ +0 ]]
	[[ $output =~ stack\ size\ +1048576\ +2097152 ]]
}

@test "low limits do not disturb the runtime itself" {
	config_set '.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 3, "hard": 4}, {"type": "RLIMIT_AS", "soft": 16777216, "hard": 16777216},
		{"type": "RLIMIT_FSIZE", "soft": 0, "hard": 0}, {"type": "RLIMIT_NPROC", "soft": 1, "hard": 1}]'
	args true
	run_container
}

@test "a limit that is too high is named" {
	local without=(setpriv --bounding-set -sys_resource --inh-caps -sys_resource)
	! ordinary_user || without=()
	"${without[@]}" true 2>/dev/null || skip "cannot drop CAP_SYS_RESOURCE"
	config_set '.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 100000000, "hard": 100000000}]'
	refused 1 'RLIMIT_NOFILE' "${without[@]}" "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
}

@test "soft above hard is refused" {
	config_set '.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 200, "hard": 100}]'
	refused 1 'rlimits' kist run --bundle "$BUNDLE" "$ID"
}

@test "oomScoreAdj" {
	config_set '.process.oomScoreAdj = 777'
	args cat /proc/self/oom_score_adj
	container_says 777
	config_set '.process.oomScoreAdj = 1001'
	refused 1 'oomScoreAdj' kist run --bundle "$BUNDLE" "$ID"
}

@test "oomScoreAdj in a user namespace, and lower than the caller's where the caller may" {
	config_userns
	config_set '.process.oomScoreAdj = 778'
	args cat /proc/self/oom_score_adj
	container_says 778
	sh -c 'echo -1 >/proc/self/oom_score_adj' 2>/dev/null || skip "no CAP_SYS_RESOURCE: only the first half was tested"
	config_set '.process.oomScoreAdj = -5'
	container_says -5
}

@test "a file size limit of the caller is an error and not a death" {
	# The output is a file, too: another program writes it.
	refused 1 'file too large' \
		bash -o pipefail -c "(ulimit -f 0; exec '$KIST' --root '$ROOT' create --bundle '$BUNDLE' '$ID') 2>&1 | cat"
	ok kist delete --force "$ID"
	assert_nothing_left
}

@test "little memory is enough for kist" {
	! sanitized || skip "a build with sanitizers needs far more memory"
	(ulimit -v 65536 && run_container)
}

@test "errors have the position and the member" {
	need_root "has a hard limit to be above"
	config_set '.process.rlimits = [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}, {"type": "RLIMIT_MEMLOCK", "soft": 7, "hard": 77777777}]'
	local line
	line=$(grep -n 77777777 "$BUNDLE/config.json" | cut -d: -f1)
	refused 1 "config.json:$line:*: process.rlimits[[]1].hard: set RLIMIT_MEMLOCK to soft 7, hard 77777777: operation not permitted" \
		sh -c "ulimit -l 64; exec setpriv --bounding-set -sys_resource --inh-caps -sys_resource '$KIST' --root '$ROOT' run --bundle '$BUNDLE' '$ID'"
}

@test "more descriptors than the kernel allows: the sysctl is named, not a capability" {
	need_root "an ordinary user's hard limit comes first"
	local most
	most=$(</proc/sys/fs/nr_open)
	config_set '.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": $n, "hard": $n}]' --argjson n $((most + 1))
	refused 1 "fs.nr_open allows $most at most" kist run --bundle "$BUNDLE" "$ID"
}
