#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
#
# Where a Linux security module is at work: the container has the profile or the label of its configuration.
load ../integration/helpers

# The suite's own /sys has only what the kernel gives to every sysfs.
setup() {
	mountpoint -q /sys/kernel/security || mount -t securityfs securityfs /sys/kernel/security
	mountpoint -q /sys/fs/selinux || mount -t selinuxfs selinuxfs /sys/fs/selinux 2>/dev/null || true
	setup_container
}

need_apparmor() {
	[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] || skip "no AppArmor"
	printf 'profile kist-test flags=(attach_disconnected,mediate_deleted) {\n file,\n capability,\n network,\n signal,\n deny /etc/secret rw,\n}\n' >"$T/profile"
	apparmor_parser -Kr "$T/profile"
}

need_selinux() {
	[ -e /sys/fs/selinux/enforce ] || skip "no SELinux"
	[ "$(tr -d '\0' </proc/self/attr/current)" != kernel ] || skip "no policy is loaded"
}

@test "AppArmor: the profile of the configuration, for exec too, and it holds" {
	need_apparmor
	echo secret >"$ROOTFS/etc/secret"
	config_set '.process.apparmorProfile = "kist-test"'
	start_container
	is "$(tr -d '\0' <"/proc/$(pid_of)/attr/current")" 'kist-test (enforce)'
	ok kist exec "$ID" cat /proc/self/attr/current
	is "$output" 'kist-test (enforce)'
	refused 1 'Permission denied' kist exec "$ID" cat /etc/secret
}

@test "AppArmor: a profile that is not loaded is an error that names it" {
	need_apparmor
	config_set '.process.apparmorProfile = "kist-none"'
	refused 1 'kist-none' kist run --bundle "$BUNDLE" "$ID"
}

@test "AppArmor: a created container is not yet in the profile's power, a started one is" {
	need_apparmor
	config_set '.process.apparmorProfile = "kist-test"'
	args sleep 1000
	create_container
	ok kist start "$ID"
	wait_for grep -q kist-test "/proc/$(pid_of)/attr/current"
}

@test "SELinux: the process has the label of the configuration, and so has exec's" {
	need_selinux
	config_set '.process.selinuxLabel = "system_u:system_r:svirt_t:s0:c1,c2"'
	start_container
	is "$(tr -d '\0' <"/proc/$(pid_of)/attr/current")" system_u:system_r:svirt_t:s0:c1,c2
	ok kist exec "$ID" cat /proc/self/attr/current
	output_has svirt_t:s0:c1,c2
}

@test "SELinux: mounts have the label of the configuration" {
	need_selinux
	config_set '.linux.mountLabel = "system_u:object_r:svirt_image_t:s0:c1,c2"'
	shell 'grep " /dev/shm " /proc/self/mountinfo'
	run_container
	output_has svirt_image_t
}

@test "SELinux: a label that the policy does not have is an error that names it" {
	need_selinux
	config_set '.process.selinuxLabel = "system_u:system_r:kist_none_t:s0"'
	refused 1 'kist_none_t' kist run --bundle "$BUNDLE" "$ID"
	config_set 'del(.process.selinuxLabel) | .linux.mountLabel = "system_u:object_r:kist_none_t:s0"'
	refused 1 'linux.mountLabel*kist_none_t' kist run --bundle "$BUNDLE" "$ID"
}
