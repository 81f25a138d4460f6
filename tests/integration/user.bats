#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

@test "uid, gid and groups" {
	config_set '.process.user = {"uid": 1000, "gid": 1001, "additionalGids": [5, 6]}'
	shell 'id -u; id -g; id -G'
	container_says $'1000\n1001\n1001 5 6'
}

@test "no groups of the caller remain" {
	shell 'grep Groups /proc/self/status'
	run_container
	[[ $output =~ ^Groups:[[:space:]]*0?[[:space:]]*$ ]]
}

@test "umask: of the configuration, else 022" {
	shell 'umask'
	(umask 077 && container_says 0022)
	config_set '.process.user.umask = 63'
	container_says 0077
}

@test "a user with no line in passwd, and images without passwd" {
	# An ordinary user has not that many.
	local uid=4000000000
	! ordinary_user || uid=40000
	config_set ".process.user.uid = $uid"
	shell 'id -u; echo $HOME'
	container_says "$uid"$'\n/'
}

@test "HOME comes from passwd by number, also when a name is a number" {
	printf 'root:x:0:0::/root:\n1000:x:0:0::/numeric-name:\nuser:x:1000:1000::/home/user:\n' >"$ROOTFS/etc/passwd"
	config_set '.process.user = {"uid": 1000, "gid": 1000}'
	shell 'echo $HOME; id -u'
	container_says $'/home/user\n1000'
}

@test "HOME of the configuration wins, an empty one does not count" {
	printf 'root:x:0:0::/root-home:\n' >"$ROOTFS/etc/passwd"
	shell 'tr "\0" "\n" </proc/1/environ | grep ^HOME'
	config_set '.process.env += ["HOME=/here"]'
	container_says HOME=/here
	config_set '.process.env[-1] = "HOME="'
	container_says HOME=/root-home
}

@test "the program may use its standard streams as another user" {
	config_set '.process.user = {"uid": 1000, "gid": 1000}'
	shell 'echo x >/dev/stdout; echo y >/dev/stderr'
	run_container
	is "$(stat -c %u /dev/null)" 0
}
