#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "values are set in the container only" {
	local before
	before=$(cat /proc/sys/net/ipv4/ip_default_ttl)
	config_set '.linux.sysctl = {"net.ipv4.ip_default_ttl": "33", "net/ipv4/ip_forward": "1", "kernel.msgmax": "4096", "fs.mqueue.msg_max": "7"}'
	shell 'cd /proc/sys; cat net/ipv4/ip_default_ttl net/ipv4/ip_forward kernel/msgmax fs/mqueue/msg_max'
	container_says $'33\n1\n4096\n7'
	is "$(cat /proc/sys/net/ipv4/ip_default_ttl)" "$before"
}

@test "what is not the container's own is refused" {
	local name names=(vm.swappiness kernel.core_pattern net.ipv4 kernel.hostname+x ../x net..x 'net.ipv4.ip_forward ')
	# Of a user namespace, and an ordinary user's container has one.
	ordinary_user || names+=(user.max_user_namespaces)
	for name in "${names[@]}"; do
		config_set '.linux.sysctl = {($name): "1"}' --arg name "$name"
		try kist run --bundle "$BUNDLE" "$ID"
		[ "$status" -eq 1 ] || fail "$name: status $status" "$output"
	done
	assert_nothing_left
}

@test "net.* without a network namespace, kernel.msg* without an ipc one" {
	config_set '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .linux.namespaces |= map(select(.type != "network"))'
	refused 1 'net.ipv4.ip_forward' kist run --bundle "$BUNDLE" "$ID"
	config_set '.linux.sysctl = {"kernel.msgmax": "1"} | .linux.namespaces |= map(select(.type != "ipc"))'
	refused 1 'kernel.msgmax' kist run --bundle "$BUNDLE" "$ID"
}

@test "the host's own network namespace by path counts as the host's" {
	config_set '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .linux.namespaces |= map(if .type == "network" then .path = "/proc/self/ns/net" else . end)'
	refused 1 'net.ipv4.ip_forward' kist run --bundle "$BUNDLE" "$ID"
}

@test "a value that the kernel does not take" {
	config_set '.linux.sysctl = {"net.ipv4.ip_default_ttl": "lots"}'
	refused 1 'net.ipv4.ip_default_ttl*invalid argument' kist run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "in a user namespace" {
	config_userns
	config_set '.linux.sysctl = {"net.ipv4.ip_default_ttl": "33"}'
	args cat /proc/sys/net/ipv4/ip_default_ttl
	container_says 33
}
