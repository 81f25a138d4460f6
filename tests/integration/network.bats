#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "the loopback of a new namespace is up" {
	shell 'ip addr show lo'
	run_container
	output_has '127.0.0.1/8'
	output_has 'UP'
}

@test "a device moves in, with another name, and keeps its address" {
	need_root "makes a network device"
	ip link add "d$BATS_TEST_NUMBER" type dummy || skip "the kernel has no dummy devices"
	ip addr add 10.11.12.13/24 dev "d$BATS_TEST_NUMBER"
	ip link set "d$BATS_TEST_NUMBER" up
	config_set ".linux.netDevices = {\"d$BATS_TEST_NUMBER\": {\"name\": \"eth0\"}}"
	shell 'ip -o addr show eth0; ip -o link show eth0'
	run_container
	output_has '10.11.12.13/24'
	output_has 'UP'
}

@test "a device that is not there is named" {
	config_set '.linux.netDevices = {"none0": {}}'
	local text=none0
	! ordinary_user || text='netDevices: only root of the host'
	refused 1 "$text" kist run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "devices need a network namespace of one's own" {
	config_set '.linux.netDevices = {"lo": {}} | .linux.namespaces |= map(select(.type != "network"))'
	refused 1 'netDevices' kist run --bundle "$BUNDLE" "$ID"
}
