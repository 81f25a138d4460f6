#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

caps() {
	awk -v name="Cap$1:" '$1 == name { print $2 }' <<<"$output"
}

@test "exactly the capabilities of the configuration" {
	config_set '.process.capabilities = {"bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_SYS_CHROOT"], "permitted": ["CAP_CHOWN", "CAP_KILL"],
		"effective": ["CAP_CHOWN"], "inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"]}'
	args cat /proc/self/status
	run_container
	is "$(caps Bnd)" 0000000000040021
	is "$(caps Amb)" 0000000000000020
	is "$(caps Inh)" 0000000000000020
}

@test "a user that is not root has what is ambient only" {
	config_set '.process.user = {"uid": 1000, "gid": 1000}'
	args cat /proc/self/status
	run_container
	is "$(caps Eff)" 0000000000000000
	is "$(caps Prm)" 0000000000000000
	config_set '.process.capabilities.inheritable = ["CAP_KILL"] | .process.capabilities.ambient = ["CAP_KILL"]'
	run_container
	is "$(caps Eff)" 0000000000000020
}

@test "no capabilities object: none at all" {
	config_set 'del(.process.capabilities)'
	args cat /proc/self/status
	run_container
	local set
	for set in Bnd Eff Prm Inh Amb; do
		is "$(caps $set)" 0000000000000000
	done
}

@test "unknown capabilities are one warning, for whatever sets" {
	config_set '.process.capabilities.effective += ["CAP_NONSENSE"] | .process.capabilities.bounding += ["CAP_NONSENSE", "CAP_MORE"]'
	args sleep 1000
	create_container
	output_has 'unknown capability*CAP_NONSENSE'
	output_has 'CAP_MORE'
	is "$(grep -c 'unknown capability' <<<"$output")" 1
	ok kist start "$ID"
	ok kist exec --cap CAP_NONSENSE "$ID" true
	output_has 'CAP_NONSENSE'
	is "$(grep -c CAP_NONSENSE <<<"$output")" 1
}

@test "ambient capabilities that are not inheritable are left out: one warning of validate, a word for debugging else" {
	config_set '.process.capabilities.ambient = ["CAP_KILL", "CAP_CHOWN", "CAP_FOWNER"] | .process.capabilities.inheritable = []
		| .process.capabilities.permitted = ["CAP_KILL", "CAP_CHOWN"] | .process.capabilities.bounding = ["CAP_KILL", "CAP_CHOWN"]
		| .process.capabilities.effective = []'
	args cat /proc/self/status
	ok kist validate --bundle "$BUNDLE"
	output_has 'warning: process.capabilities.ambient: *CAP_CHOWN CAP_FOWNER CAP_KILL'
	is "$(grep -c warning <<<"$output")" 1
	ok kist --debug run --bundle "$BUNDLE" "$ID"
	output_has 'process.capabilities.ambient: left out*CAP_CHOWN CAP_FOWNER CAP_KILL'
	# Engines write such sets for every container.
	run_container
	is "$(grep -c '^kist: ' <<<"$output")" 0
	is "$(caps Amb)" 0000000000000000
}

@test "a process of exec has the container's capabilities" {
	config_set '.process.capabilities.bounding = ["CAP_KILL"] | .process.capabilities.effective = ["CAP_KILL"] | .process.capabilities.permitted = ["CAP_KILL"]'
	start_container
	ok kist exec "$ID" cat /proc/self/status
	is "$(caps Bnd)" 0000000000000020
	is "$(caps Eff)" 0000000000000020
	ok kist exec --user 1000 "$ID" cat /proc/self/status
	is "$(caps Eff)" 0000000000000000
}

@test "a capability without a name is one that is not known" {
	config_set '.process.capabilities.bounding += [""]'
	ok timeout -s KILL 20 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	output_has 'unknown capability, left out: ""'
}
