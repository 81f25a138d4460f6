#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers

# add MOUNT: one more mount, in jq's words; $T is $t there.
add() {
	config_set ".mounts += [$1]" --arg t "$T"
}

# hides WORD FILE...: the word is nowhere in them.
hides() {
	! grep -q "$@" || fail "$(grep "$@")"
}

@test "the default mounts, in order, with their options" {
	shell 'while read -r _ _ _ _ where options _; do echo "$where $options"; done </proc/self/mountinfo'
	run_container
	output_has $'/proc rw,relatime\n'
	output_has $'/dev rw,nosuid'
	output_has $'/dev/pts rw,nosuid,noexec'
	output_has $'/dev/shm rw,nosuid,nodev,noexec'
	output_has $'/dev/mqueue rw,nosuid,nodev,noexec'
	output_has $'/sys ro,nosuid,nodev,noexec'
}

@test "bind: a directory, a file, read-only" {
	mkdir "$T/dir" && echo text >"$T/dir/file"
	add '{"destination": "/new/dir", "type": "bind", "source": "\($t)/dir", "options": ["bind", "ro"]}'
	add '{"destination": "/new/file", "type": "bind", "source": "\($t)/dir/file", "options": ["bind"]}'
	shell 'cat /new/dir/file /new/file; echo x >/new/dir/x; echo changed >/new/file'
	run_container
	output_has $'text\ntext'
	output_has 'Read-only file system'
	is "$(<"$T/dir/file")" changed
}

@test "bind: a source relative to the bundle" {
	mkdir "$BUNDLE/source" && touch "$BUNDLE/source/here"
	add '{"destination": "/new", "type": "bind", "source": "source/", "options": ["bind"]}'
	shell 'ls /new'
	container_says here
}

@test "bind: a source that is not there is named" {
	add '{"destination": "/new", "type": "bind", "source": "\($t)/none", "options": ["bind"]}'
	refused 1 "$T/none*no such file or directory" kist run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "bind: an unknown option is refused, not ignored" {
	add '{"destination": "/new", "type": "bind", "source": "\($t)", "options": ["bind", "nosiud"]}'
	refused 1 'nosiud' kist run --bundle "$BUNDLE" "$ID"
}

@test "rbind takes what is mounted below, bind does not" {
	need_root "mounts"
	mkdir -p "$T/dir/sub"
	mount -t tmpfs tmpfs "$T/dir/sub" && touch "$T/dir/sub/below"
	add '{"destination": "/all", "source": "\($t)/dir", "options": ["rbind"]}'
	add '{"destination": "/one", "source": "\($t)/dir", "options": ["bind"]}'
	shell 'ls /all/sub; ls /one/sub'
	try kist run --bundle "$BUNDLE" "$ID"
	umount "$T/dir/sub"
	is "$output" below
}

@test "rro makes all of it read-only" {
	need_root "mounts"
	mkdir -p "$T/dir/sub"
	mount -t tmpfs tmpfs "$T/dir/sub"
	add '{"destination": "/all", "source": "\($t)/dir", "options": ["rbind", "rro"]}'
	shell 'touch /all/sub/x'
	try kist run --bundle "$BUNDLE" "$ID"
	umount "$T/dir/sub"
	output_has 'Read-only file system'
}

@test "options of binds: nosuid nodev noexec noatime nosymfollow" {
	mkdir "$T/dir"
	local atime=noatime
	# In a user namespace that does not own the source's mount, the kernel lets it be.
	! ordinary_user || atime=relatime
	add '{"destination": "/new", "source": "\($t)/dir", "options": ["bind", "nosuid", "nodev", "noexec", "'$atime'", "nosymfollow"]}'
	shell 'grep " /new " /proc/self/mountinfo'
	run_container
	output_has "nosuid,nodev,noexec,$atime,nosymfollow"
}

@test "a bind keeps the flags of its source, unless others are asked for" {
	need_root "mounts"
	mkdir "$T/dir"
	mount -t tmpfs -o noexec,nodev tmpfs "$T/dir"
	add '{"destination": "/new", "source": "\($t)/dir", "options": ["bind"]}'
	shell 'grep " /new " /proc/self/mountinfo'
	try kist run --bundle "$BUNDLE" "$ID"
	umount "$T/dir"
	output_has 'nodev,noexec'
}

@test "propagation of a bind" {
	mkdir "$T/dir"
	add '{"destination": "/new", "source": "\($t)/dir", "options": ["rbind", "rshared"]}'
	shell 'grep " /new " /proc/self/mountinfo'
	run_container
	output_has ' shared:'
}

@test "tmpfs: size, mode, owner" {
	add '{"destination": "/new", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k", "mode=1757", "uid=7", "gid=8"]}'
	shell 'stat -c "%a %u %g" /new; grep " /new " /proc/self/mountinfo; head -c 100000 /dev/zero 2>/dev/null >/new/x || echo full'
	run_container
	output_has '1757 7 8'
	output_has 'size=64k'
	output_has 'full'
}

@test "tmpfs: without a mode it has that of the directory below" {
	mkdir -m 710 "$ROOTFS/has-mode"
	add '{"destination": "/has-mode", "type": "tmpfs", "source": "tmpfs"}'
	add '{"destination": "/made", "type": "tmpfs", "source": "tmpfs"}'
	shell 'stat -c "%a" /has-mode /made'
	container_says $'710\n1777'
}

@test "tmpfs: a wrong value is told in the kernel's words" {
	add '{"destination": "/new", "type": "tmpfs", "source": "tmpfs", "options": ["size=lots"]}'
	refused 1 '/new' kist run --bundle "$BUNDLE" "$ID"
	output_has 'size'
}

@test "tmpcopyup copies what the image has there" {
	mkdir -p "$ROOTFS/data/sub"
	echo text >"$ROOTFS/data/sub/file"
	chmod 644 "$ROOTFS/data/sub/file"
	chown_inside 5:6 "$ROOTFS/data/sub/file"
	ln -s sub/file "$ROOTFS/data/link"
	mkfifo "$ROOTFS/data/fifo"
	add '{"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}'
	shell 'cat /data/link; stat -c "%a %u %g" /data/sub/file; test -p /data/fifo && echo fifo; touch /data/new'
	container_says $'text\n644 5 6\nfifo'
	[ ! -e "$ROOTFS/data/new" ]
}

@test "mounts go in order: a bind below a tmpfs, and a source inside an earlier mount's directory" {
	mkdir "$T/dir" && touch "$T/dir/file"
	add '{"destination": "/new", "type": "tmpfs", "source": "tmpfs"}'
	add '{"destination": "/new/a/b", "source": "\($t)/dir", "options": ["bind"]}'
	shell 'ls /new/a/b'
	container_says file
}

@test "destinations are followed inside the root only" {
	mkdir "$T/dir" "$T/out" "$ROOTFS/inside"
	touch "$T/dir/file"
	ln -s /inside "$ROOTFS/link"
	ln -s "$T/out" "$ROOTFS/evil"
	ln -s ../../../../../../../../inside "$ROOTFS/up"
	add '{"destination": "/link/a", "source": "\($t)/dir", "options": ["bind"]}'
	add '{"destination": "/evil/b", "source": "\($t)/dir", "options": ["bind"]}'
	add '{"destination": "/up/c", "source": "\($t)/dir", "options": ["bind"]}'
	shell 'ls /inside/a /inside/c; ls "$0"'
	config_set '.process.args += [$out]' --arg out "$T/out/b"
	container_says $'/inside/a:\nfile\n\n/inside/c:\nfile\nfile'
	is "$(ls -A "$T/out")" ''
}

@test "an unknown file system is named, with the mount's place in the configuration" {
	add '{"destination": "/new", "type": "nosuchfs", "source": "x"}'
	refused 1 'nosuchfs' kist run --bundle "$BUNDLE" "$ID"
	output_has '/new'
}

@test "a mount over a part of /proc is refused, but for the files that lxcfs has" {
	mkdir "$T/dir" && touch "$T/file"
	add '{"destination": "/proc/sys/kernel", "source": "\($t)/dir", "options": ["bind"]}'
	refused 1 '/proc/sys/kernel' kist run --bundle "$BUNDLE" "$ID"
	config_set 'del(.mounts[-1])'
	echo lxcfs >"$T/file"
	add '{"destination": "/proc/uptime", "source": "\($t)/file", "options": ["bind"]}'
	shell 'cat /proc/uptime'
	container_says lxcfs
}

@test "/proc and /sys must be directories of the image" {
	rmdir "$ROOTFS/proc" && ln -s /tmp "$ROOTFS/proc"
	refused 1 '/proc' kist run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "an idmapped bind shows other owners" {
	need_root "maps the ids of a mount"
	mkdir "$T/dir" && touch "$T/dir/file" && chown 5:6 "$T/dir/file"
	add '{"destination": "/new", "source": "\($t)/dir", "options": ["bind"],
		"uidMappings": [{"containerID": 0, "hostID": 1000, "size": 100}],
		"gidMappings": [{"containerID": 0, "hostID": 2000, "size": 100}]}'
	shell 'stat -c "%u %g" /new/file'
	run_container
	output_has '1005 2006'
}

@test "in a user namespace: an idmapped bind shows the container's owners" {
	need_root "maps the ids of a mount"
	config_userns
	mkdir "$T/dir" && touch "$T/dir/file" && chown 5:6 "$T/dir/file"
	add '{"destination": "/new", "source": "\($t)/dir", "options": ["bind", "idmap"]}'
	shell 'stat -c "%u %g" /new/file; touch /new/mine'
	container_says '5 6'
	is "$(stat -c '%u %g' "$T/dir/mine")" '0 0'
}

@test "in a user namespace: a bind whose source only the host's root can reach" {
	config_userns
	mkdir -p "$T/closed/dir" && echo text >"$T/closed/dir/file"
	chmod 700 "$T/closed"
	add '{"destination": "/new", "source": "\($t)/closed/dir", "options": ["bind"]}'
	shell 'cat /new/file'
	container_says text
}

@test "an overlay mount" {
	mkdir "$T/lower" "$T/upper" "$T/work" && touch "$T/lower/low"
	add '{"destination": "/new", "type": "overlay", "source": "overlay",
		"options": ["lowerdir=\($t)/lower", "upperdir=\($t)/upper", "workdir=\($t)/work"]}'
	shell 'ls /new; touch /new/up'
	container_says low
	[ -e "$T/upper/up" ]
}

@test "mqueue, devpts, sysfs and proc options" {
	shell 'grep -E " (mqueue|devpts|sysfs|proc) " /proc/self/mountinfo'
	run_container
	output_has 'ptmxmode=666'
	local gid=5
	! ordinary_user || gid=$(host_id 5)
	output_has "gid=$gid"
	output_has 'mqueue'
}

@test "an empty option is no option" {
	mkdir "$T/dir"
	add '{"destination": "/new", "type": "tmpfs", "source": "tmpfs", "options": ["", "size=64k"]}'
	run_container
}

@test "options in one string, with commas between them" {
	mkdir "$T/lower" "$T/upper" "$T/work" "$T/comma,dir" && touch "$T/lower/low" "$T/comma,dir/in"
	add '{"destination": "/tmpfs", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid,size=1m,mode=700"]}'
	add '{"destination": "/ro", "type": "tmpfs", "source": "tmpfs", "options": ["ro,size=64k", "nodev"]}'
	add '{"destination": "/bind", "source": "\($t)/lower", "options": ["rbind,ro"]}'
	add '{"destination": "/overlay", "type": "overlay", "source": "overlay",
		"options": ["lowerdir=\($t)/lower:\($t)/comma\\,dir,upperdir=\($t)/upper,workdir=\($t)/work"]}'
	shell 'grep -E " /(tmpfs|ro|bind) " /proc/mounts; stat -c %a /tmpfs; ls -x /overlay'
	run_container
	output_has 'tmpfs /tmpfs tmpfs rw,nosuid,relatime,size=1024k,mode=700'
	output_has 'tmpfs /ro tmpfs ro,nodev,relatime,size=64k'
	output_has ' /bind * ro,'
	output_has $'\n700\n'
	[[ $output =~ in\ +low ]]
	add '{"destination": "/x", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "size=1m,moed=700"]}'
	refused 1 'mount tmpfs on /x (nosuid; size=1m,moed=700)*moed' kist run --bundle "$BUNDLE" "$ID"
	config_set 'del(.mounts[-1])'
	add '{"destination": "/x", "source": "\($t)/lower", "options": ["bind,noexce"]}'
	refused 1 'options[[]0]: unknown option "noexce" of a bind mount: did you mean "noexec"?' \
		kist run --bundle "$BUNDLE" "$ID"
}

@test "a read-only /dev is made so when all is in it" {
	config_set '(.mounts[] | select(.destination == "/dev") | .options) += ["ro"]'
	shell 'touch /dev/x; ls -l /dev/null'
	run_container
	output_has 'Read-only file system'
	output_has '1,   3'
}

@test "mounts are gone with the container" {
	mkdir "$T/dir"
	add '{"destination": "/new", "source": "\($t)/dir", "options": ["bind"]}'
	start_container
	is "$(grep -c "$ROOTFS" /proc/self/mountinfo)" 0
	ok kist delete -f "$ID"
	rmdir "$T/dir"
}

# position MEMBER-TEXT: "LINE:COLUMN" of the first place of a text in config.json.
position() {
	awk -v text="$1" 'i = index($0, text) { print NR ":" i; exit }' "$BUNDLE/config.json"
}

@test "errors of the act have the position, the member, the flags and the data" {
	add '{"destination": "/new", "type": "bind", "source": "\($t)/none", "options": ["rbind", "ro", "nosuid"]}'
	local n
	n=$(jq '.mounts | length - 1' "$BUNDLE/config.json")
	refused 1 "config.json:$(position "\"$T/none\""): mounts[[]$n].source: bind $T/none on /new (nosuid,rbind,ro): open the source: no such file or directory" \
		kist run --bundle "$BUNDLE" "$ID"
	config_set 'del(.mounts[-1])'
	add '{"destination": "/bad-size", "type": "tmpfs", "source": "tmpfs", "options": ["nodev", "mode=700", "size=lots"]}'
	refused 1 "config.json:$(position '"/bad-size"'): mounts[[]$n].destination: mount tmpfs on /bad-size (nodev; mode=700,size=lots): *size*: invalid argument" \
		kist run --bundle "$BUNDLE" "$ID"
	config_set '.mounts[-1] = {"destination": "/tmp/not-there", "type": "none", "options": ["remount", "ro"]}'
	refused 1 "config.json:$(position '"/tmp/not-there"'): mounts[[]$n].destination: remount none on /tmp/not-there (remount,ro): destination: no such file" \
		kist run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "a file system on a device: the error points at the source and names it" {
	need_root "mounts"
	add '{"destination": "/new", "type": "ext4", "source": "/dev/none"}'
	refused 1 "config.json:$(position '"/dev/none"'): mounts[[]*].source: mount ext4 on /new*(source /dev/none)" \
		kist run --bundle "$BUNDLE" "$ID"
}

@test "errors and dry runs show no value that may be a password" {
	add '{"destination": "/new", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k", "password=SECRET"]}'
	ok kist run --dry-run --bundle "$BUNDLE" "$ID"
	output_has 'size=64k,password=[*][*][*])'
	hides SECRET "$T/output"
	refused 1 'mount tmpfs on /new (size=64k,password=[*][*][*])' kist --log "$T/log" run --bundle "$BUNDLE" "$ID"
	hides SECRET "$T/output" "$T/log"
	config_set 'del(.mounts[-1])'
	add '{"destination": "/new", "source": "\($t)", "options": ["bind", "password=SECRET"]}'
	refused 1 'unknown option "password=[*][*][*]" of a bind mount' kist --log "$T/log" run --bundle "$BUNDLE" "$ID"
	hides SECRET "$T/output" "$T/log"
}

@test "errors and dry runs show the values of file systems that have no secrets" {
	add '{"destination": "/new", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k", "other=shown"]}'
	ok kist run --dry-run --bundle "$BUNDLE" "$ID"
	output_has 'type tmpfs (size=64k,other=shown)'
	refused 1 'mount tmpfs on /new (size=64k,other=shown)' kist run --bundle "$BUNDLE" "$ID"
	config_set 'del(.mounts[-1])'
	add '{"destination": "/new", "source": "\($t)", "options": ["bind", "other=shown"]}'
	refused 1 'unknown option "other=shown" of a bind mount' kist run --bundle "$BUNDLE" "$ID"
	config_set '.mounts[-1].options = ["bind", "x-other=shown"]'
	run_container
}

@test "an overlay whose directory is missing: which one" {
	mkdir "$T/lower" "$T/lower:2" "$T/upper" "$T/work"
	local missing lower="$T/lower:$T/lower\\\\:2"
	for missing in "lowerdir=$lower:$T/none" "upperdir=$T/none" "workdir=$T/none"; do
		add '{"destination": "/new", "type": "overlay", "source": "overlay",
			"options": ["lowerdir='"$lower"'", "upperdir=\($t)/upper", "workdir=\($t)/work"]}'
		config_set '.mounts[-1].options |= map(if startswith($key) then $missing else . end)' \
			--arg key "${missing%%=*}" --arg missing "${missing//\\\\/\\}"
		refused 1 "mounts[[]*].destination: mount overlay on /new*(${missing%%=*} $T/none does not exist)" \
			kist run --bundle "$BUNDLE" "$ID"
		config_set 'del(.mounts[-1])'
	done
	add '{"destination": "/new", "type": "overlay", "source": "overlay",
		"options": ["redirect_dir=on", "lowerdir=\($t)/none", "upperdir=\($t)/upper", "workdir=\($t)/work"]}'
	refused 1 "(lowerdir $T/none does not exist)" kist run --bundle "$BUNDLE" "$ID"
	config_set 'del(.mounts[-1])'
	add '{"destination": "/new", "type": "overlay", "source": "overlay",
		"options": ["lowerdir='"$lower"'", "upperdir=\($t)/upper", "workdir=\($t)/work"]}'
	run_container
}

@test "a source in an earlier mount of the container shows that mount, idmapped too" {
	need_root "maps the ids of a mount"
	mkdir "$T/dir" "$ROOTFS/first" && echo text >"$T/dir/file" && chown 5:6 "$T/dir/file"
	add '{"destination": "/first", "source": "\($t)/dir", "options": ["bind"]}'
	add '{"destination": "/second", "source": "\($t)/bundle/rootfs/first", "options": ["bind"],
		"uidMappings": [{"containerID": 0, "hostID": 1000, "size": 100}],
		"gidMappings": [{"containerID": 0, "hostID": 2000, "size": 100}]}'
	shell 'cat /second/file; stat -c "%u %g" /second/file'
	container_says $'text\n1005 2006'
}

@test "in a user namespace: a remount covers no source" {
	need_root "maps the ids of a mount"
	config_userns
	mkdir "$ROOTFS/first" && echo text >"$ROOTFS/first/file"
	chown 0:0 "$ROOTFS/first" "$ROOTFS/first/file"
	add '{"destination": "/", "options": ["remount", "bind", "nosuid"]}'
	add '{"destination": "/second", "source": "rootfs/first", "options": ["bind", "idmap"]}'
	shell 'cat /second/file'
	container_says text
}

@test "in a user namespace: an idmapped source in an earlier mount is refused, not an empty directory" {
	need_root "maps the ids of a mount"
	config_userns
	mkdir "$T/dir" "$ROOTFS/first" "$ROOTFS/other" && touch "$T/dir/file" "$ROOTFS/other/image"
	chown 100000:100000 "$ROOTFS/first" "$ROOTFS/other"
	ln -s rootfs "$BUNDLE/link"
	add '{"destination": "/first", "source": "\($t)/dir", "options": ["bind"]}'
	add '{"destination": "/second", "source": "link/first", "options": ["bind", "idmap"]}'
	shell 'ls /second'
	refused 1 'mounts[[]*].source: link/first lies in the earlier mount on /first' kist run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
	config_set '.mounts[-2] |= {destination, type: "tmpfs", source: "tmpfs"}'
	refused 1 'lies in the earlier mount on /first' kist run --bundle "$BUNDLE" "$ID"
	# What the image itself has is no such case, nor is a name that begins with the same letters.
	config_set '.mounts[-2].destination = "/oth"'
	config_set '.mounts[-1].source = "rootfs/other"'
	container_says image
}

@test "in a user namespace: a source that only the parent reaches, in an earlier mount, is not what lies below" {
	config_userns
	mkdir -p "$T/closed" "$ROOTFS/first" "$T/dir" && touch "$T/dir/file"
	mv "$BUNDLE" "$T/closed/bundle"
	BUNDLE=$T/closed/bundle ROOTFS=$T/closed/bundle/rootfs
	add '{"destination": "/first", "source": "\($t)/dir", "options": ["bind"]}'
	add '{"destination": "/second", "source": "\($t)/closed/bundle/rootfs/first", "options": ["bind"]}'
	chmod 700 "$T/closed"
	shell 'ls /second'
	try kist run --bundle "$BUNDLE" "$ID"
	chmod 755 "$T/closed"
	[ "$status:$output" = 0:file ] || { [ "$status" -ne 0 ] && output_has 'open the source: permission denied'; }
}
