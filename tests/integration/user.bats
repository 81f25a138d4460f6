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

@test "the program may open its standard streams as another user, where they are pipes" {
	config_set '.process.user = {"uid": 1000, "gid": 1000}'
	shell 'echo x >/dev/stdout; echo y >/dev/stderr'
	kist run --bundle "$BUNDLE" "$ID" 2>&1 </dev/null 3>&- | cat >"$T/piped"
	is "$(<"$T/piped")" $'x\ny'
	is "$(stat -c %u /dev/null)" 0
}

@test "HOME: where /etc or /etc/passwd is a symlink, it is followed inside the root" {
	mkdir -p "$ROOTFS/nix/store" "$T/outside"
	printf 'root:x:0:0::/linked:\n' >"$ROOTFS/nix/store/passwd"
	printf 'root:x:0:0::/outside:\n' >"$T/outside/passwd"
	shell 'echo $HOME'
	ln -s /nix/store/passwd "$ROOTFS/etc/passwd"
	container_says /linked
	ln -sf ../../../../../../../../nix/store/passwd "$ROOTFS/etc/passwd"
	container_says /linked
	ln -sf "$T/outside/passwd" "$ROOTFS/etc/passwd"
	container_says /
	rm -r "${ROOTFS:?}/etc"
	ln -s nix/store "$ROOTFS/etc"
	container_says /linked
	start_container
	ok kist exec "$ID" sh -c 'echo $HOME'
	is "$output" /linked
}

@test "HOME: a symlink to a FIFO, a device or itself holds nothing up" {
	mkfifo "$ROOTFS/fifo"
	shell 'echo $HOME'
	local target
	for target in /fifo /dev/zero /dev/console /etc/passwd /proc/self/fd/0; do
		ln -sf "$target" "$ROOTFS/etc/passwd"
		ok timeout 20 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
		is "$output" /
	done
}

# The one group that an ordinary user's namespace could show is its own, which it has anyway.
@test "the annotation run.oci.keep_original_groups keeps the caller's groups, root's too" {
	need_root "sets groups"
	shell 'grep Groups: /proc/self/status | xargs'
	try setpriv --groups 4242,5 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	is "$output" Groups:
	config_set '.annotations["run.oci.keep_original_groups"] = "1"'
	try setpriv --groups 4242,5 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	is "$output" 'Groups: 5 4242'
	config_set '.process.user.additionalGids = [7]'
	try setpriv --groups 4242,5 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	output_has 'process.user.additionalGids: has no effect*run.oci.keep_original_groups'
	output_has 'Groups: 5 4242'
}

# Mutation: root's groups stay in a user namespace that does not map them.
@test "root's own groups stay out of a container with a user namespace, whatever it asks for" {
	need_root "sets groups"
	config_userns
	config_set '.annotations["run.oci.keep_original_groups"] = "1"'
	shell 'grep Groups: /proc/self/status | xargs'
	try setpriv --groups 4242,5 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	output_has 'annotations*run.oci.keep_original_groups*has no effect: root'
	is "${output##*$'\n'}" Groups:
	start_container sleep 1000
	try setpriv --groups 4242,5 "$KIST" --root "$ROOT" exec "$ID" grep Groups: /proc/self/status
	output_lacks 65534
}

@test "the caller's groups stay, whatever groups the configuration names beside the annotation" {
	need_root "becomes another user"
	config_set '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 4242, "size": 1}]
		| .linux.gidMappings = .linux.uidMappings | .process.user.additionalGids = [0]
		| .annotations["run.oci.keep_original_groups"] = "1" | (.mounts[].options | select(.)) -= ["gid=5"]'
	try setpriv --reuid 4242 --regid 4242 --clear-groups "$KIST" --root "$T/user" create --dry-run --bundle "$BUNDLE" "$ID"
	output_has 'additionalGids: has no effect'
	output_lacks 'cannot set additional groups'
	is "$status" 0
}

@test "an unmapped user is named, also where groups cannot be set for the same cause" {
	need_root "makes a user namespace of root"
	config_set '.process.user = {"uid": 5, "gid": 0, "additionalGids": [0]} | (.mounts[].options | select(.)) -= ["gid=5"]'
	refused 1 'cannot setuid to unmapped uid 5 in user namespace' unshare -Urmn "$KIST" --root "$T/user" run --bundle "$BUNDLE" "$ID"
	config_set '.process.user.gid = 6'
	refused 1 'cannot setgid to unmapped gid 6 in user namespace' unshare -Urmn "$KIST" --root "$T/user" run --bundle "$BUNDLE" "$ID"
}
