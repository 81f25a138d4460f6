#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # variables of the container's shell, and of helpers.bash
load helpers
load attack

# Hostile images: their links, files, devices, and what they bring for a runtime to read or to run.

# ---- /dev ---------------------------------------------------------------------------------------------------------

# Defence: open_dev() in device.c refuses a link, and path_open() walks with RESOLVE_IN_ROOT (both were taken away).
@test "CVE-2026-41579, CVE-2026-47766: nothing is made where the image's /dev leads to" {
	without_dev
	control
	rm -rf "${ROOTFS:?}/dev"
	ln -s "$T/out" "$ROOTFS/dev"
	refused 1 'symbolic link' kist run --bundle "$BUNDLE" "$ID"
	untouched
}

# Defence: O_EXCL and O_NOFOLLOW of device_console_run() in device.c (both were taken away).
@test "CVE-2026-88264: /dev/console is not made where the image's link leads to" {
	without_dev
	control
	config_set '.process.terminal = true
		| .mounts += [{"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance", "ptmxmode=0666"]}]'
	listen tty "$T/socket"
	create_container --console-socket "$T/socket"
	ok kist delete --force "$ID"
	stop_helper
	rm -f "$ROOTFS/dev/console"
	ln -s "$T/out/created" "$ROOTFS/dev/console"
	listen tty "$T/socket2"
	refused 1 'symbolic link' kist create --console-socket "$T/socket2" --bundle "$BUNDLE" "$ID"
	stop_helper
	untouched
}

# Defence: O_NOFOLLOW of the second openat() in device_console_run(), for what is there already.
@test "CVE-2025-52565: the terminal is not mounted on what the image's /dev/console leads to" {
	without_dev
	control
	config_set '.process.terminal = true
		| .mounts += [{"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance", "ptmxmode=0666"]}]'
	touch "$T/out/there" "$ROOTFS/dev/console"
	listen tty "$T/socket"
	create_container --console-socket "$T/socket"
	ok kist delete --force "$ID"
	stop_helper
	rm -f "$ROOTFS/dev/console"
	ln -s "$T/out/there" "$ROOTFS/dev/console"
	listen tty "$T/socket2"
	refused 1 'symbolic link' kist create --console-socket "$T/socket2" --bundle "$BUNDLE" "$ID"
	stop_helper
	is "$(grep -c "$T/out" /proc/self/mountinfo)" 0
}

# Defence: make() in device.c compares what the image has there (is_node()); with a user namespace, O_NOFOLLOW of open_target().
@test "CVE-2026-88265: /dev/null is the kernel's, whatever the image has there, and the streams are the caller's" {
	without_dev
	shell 'stat -c "%F %t:%T" /dev/null >/seen; echo trap >/dev/null; echo to out; echo to err >&2'
	control
	local kind userns
	for userns in '' yes; do
		[ -z "$userns" ] || config_userns
		for kind in link file fifo; do
			rm -f "$ROOTFS/dev/null" "$ROOTFS/seen" "$T/out/null"
			case $kind in
			link) touch "$T/out/null" && chmod 666 "$T/out/null" && ln -s "$T/out/null" "$ROOTFS/dev/null" ;;
			file) : >"$ROOTFS/dev/null" ;;
			fifo) mkfifo "$ROOTFS/dev/null" ;;
			esac
			try timeout 10 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
			[ "$status" -eq 0 ] || fail "$kind: status $status" "$output"
			output_has 'to out'
			output_has 'to err'
			is "$(<"$ROOTFS/seen")" 'character special file 1:3'
			[ ! -s "$T/out/null" ] || fail "$kind: the host's file was written to"
		done
	done
}

# Defence: compile_one() in device.c refuses "..", path_parent() and mknodat() stay in the root (RESOLVE_IN_ROOT).
@test "CWE-59: device paths cannot leave the root" {
	need_root "makes devices"
	control
	ln -s "$T/out" "$ROOTFS/link"
	local path
	config_set '.linux.devices = [{"path": "/link/dev", "type": "c", "major": 1, "minor": 3}]'
	run_container
	[ -c "$ROOTFS$T/out/dev" ] || fail "the device is not where the link leads to inside the root"
	untouched
	for path in "/dev/../../../../../../../../../../$T/out/dev" "../../../../../../../$T/out/dev"; do
		config_set '.linux.devices = [{"path": $path, "type": "c", "major": 1, "minor": 3}]' --arg path "$path"
		refused 1 'path' kist run --bundle "$BUNDLE" "$ID"
		untouched
	done
}

# ---- /proc, /sys, masks -------------------------------------------------------------------------------------------

# Defence: is_null() in mask.c looks at the descriptor.  Where /dev is the user's own, device.c does not repair it before.
@test "CVE-2025-31133, CVE-2025-62161: what masks is the kernel's null device, not the image's file" {
	mkdir "$T/dev" && touch "$T/dev/null" "$T/dev/other"
	chmod 666 "$T/dev/other"
	echo hidden >"$ROOTFS/secret"
	shell 'cat /secret; echo x >/secret; true'
	run_container
	output_has hidden
	echo hidden >"$ROOTFS/secret"
	config_set '.mounts |= map(select(.destination | startswith("/dev") | not)) + [{"destination": "/dev", "source": $dev, "options": ["bind"]}]
		| .linux.maskedPaths += ["/secret"]' --arg dev "$T/dev"
	local kind
	for kind in file link; do
		rm "$T/dev/null"
		case $kind in
		file) echo evil >"$T/dev/null" ;;
		link) echo evil >"$T/dev/other" && ln -s other "$T/dev/null" ;;
		esac
		try kist run --bundle "$BUNDLE" "$ID"
		[ "$status" -eq 0 ] || fail "$kind: $output"
		output_lacks evil
		output_lacks hidden
	done
	is "$(<"$T/dev/other")" evil
	is "$(<"$ROOTFS/secret")" hidden
}

# Defence: find() in mask.c looks with path_lookup_nofollow(), which follows the links before the last name inside the
# root; clean_path() leaves ".." to it.
@test "a masked or read-only path behind a link of the image is covered where the link leads" {
	local link
	mkdir -p "$ROOTFS/real/dir" "$ROOTFS/real/deep"
	echo secret | tee "$ROOTFS/real/file" >"$ROOTFS/real/dir/in"
	ln -s real "$ROOTFS/relative"
	ln -s /real "$ROOTFS/absolute"
	ln -s ../../../../../../../real "$ROOTFS/up"
	ln -s relative "$ROOTFS/link"
	ln -s real/deep "$ROOTFS/deep"
	shell 'cat /real/file /real/dir/in; echo x >/real/dir/new; true'
	for link in relative absolute up link deep/.. ./deep/.././/; do
		config_set '.linux.maskedPaths = ["/\($l)/file", "/\($l)/dir/"] | .linux.readonlyPaths = []' --arg l "$link"
		run_container
		output_lacks secret
		config_set '.linux.maskedPaths = [] | .linux.readonlyPaths = ["/\($l)/dir"]' --arg l "$link"
		run_container
		output_has 'Read-only file system'
	done
	[ ! -e "$ROOTFS/real/dir/new" ]
	# As a link as the last name it is refused; one out of procfs to elsewhere is, too.
	ln -s / "$ROOTFS/real/root"
	for link in relative/root /proc/self/root/real/file; do
		config_set '.linux.maskedPaths = ["/\($l)"] | .linux.readonlyPaths = []' --arg l "$link"
		refused 1 'it is a symbolic link' kist run --bundle "$BUNDLE" "$ID"
	done
}

# Defence: find() in mask.c does not follow.
@test "CVE-2025-31133: a masked path that is a link is refused, as is one to be read-only" {
	echo hidden >"$ROOTFS/secret"
	ln -s secret "$ROOTFS/link"
	control
	config_set '.linux.maskedPaths += ["/link"]'
	refused 1 '/link*symbolic link' kist run --bundle "$BUNDLE" "$ID"
	config_set '.linux.maskedPaths -= ["/link"] | .linux.readonlyPaths += ["/link"]'
	refused 1 '/link*symbolic link' kist run --bundle "$BUNDLE" "$ID"
}

# Defence: open_destination() in mount_run.c looks up "ordinary" mounts without following, and refuses a link.
@test "CVE-2019-19921, CVE-2023-27561, CVE-2023-28642, CVE-2025-54867: /proc or /sys of the image is a link" {
	control
	local name
	for name in proc sys; do
		rmdir "$ROOTFS/$name"
		mkdir "$ROOTFS/elsewhere-$name"
		ln -s "elsewhere-$name" "$ROOTFS/$name"
		refused 1 'must be mounted on ordinary directory, not a symbolic link' kist run --bundle "$BUNDLE" "$ID"
		rm "$ROOTFS/$name"
		mkdir "$ROOTFS/$name"
	done
	run_container
}

# Defence: run_bind_from() in mount_run.c asks the source's file system for its type, check_proc() keeps mounts out of /proc.
# What compile_destination() refuses by its text alone, check_proc() would refuse later.
@test "CVE-2019-16884, CVE-2015-3631: nothing but procfs is mounted on /proc, and nothing in it" {
	mkdir -p "$T/fake/self/attr" "$T/fake/sys/net/ipv4"
	control
	mkdir "$ROOTFS/run/into"
	ln -s /proc/self "$ROOTFS/self"
	ln -s /proc "$ROOTFS/kernel"
	config_set '.mounts += [{"destination": "/run/into", "source": $fake, "options": ["bind"]}]' --arg fake "$T/fake"
	run_container
	local destination
	for destination in /proc/self/attr /self/attr /kernel/sys/net /proc/../proc/sys; do
		config_set '.mounts[-1].destination = $to' --arg to "$destination"
		refused 1 '/proc' kist run --bundle "$BUNDLE" "$ID"
	done
	config_set 'del(.mounts[-1]) | .mounts |= [{"destination": "/proc", "source": $fake, "options": ["bind"]}] + map(select(.destination != "/proc"))' \
		--arg fake "$T/fake"
	refused 1 'not of type proc' kist run --bundle "$BUNDLE" "$ID"
	is "$(find "$T/fake" -type f)" ''
}

# Defence: labels, oom score and sysctls are written below job->proc, which proc_open() in base/proc.c took of the host
# before any namespace was joined.
@test "CVE-2025-52881, CVE-2025-62596, CVE-2015-1334: settings do not land in the image's own files of /proc" {
	config_set '.mounts |= map(select(.destination != "/proc")) | .linux.maskedPaths = [] | .linux.readonlyPaths = []
		| .process.oomScoreAdj = 77 | .linux.sysctl = {"net.ipv4.ip_unprivileged_port_start": "78"}'
	mkdir -p "$ROOTFS/proc/self/attr" "$ROOTFS/proc/sys/net/ipv4" "$ROOTFS/proc/thread-self/attr"
	local file
	for file in self/oom_score_adj self/attr/exec thread-self/attr/exec self/attr/keycreate sys/net/ipv4/ip_unprivileged_port_start; do
		echo untouched >"$ROOTFS/proc/$file"
		chmod 666 "$ROOTFS/proc/$file"
	done
	start_container
	is "$(<"/proc/$(pid_of)/oom_score_adj")" 77
	is "$(nsenter --net -t "$(pid_of)" cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" 78
	kist exec --detach --pid-file "$T/pid" "$ID" sleep 1000 </dev/null >/dev/null 2>&1 3>&-
	is "$(<"/proc/$(<"$T/pid")/oom_score_adj")" 77
	is "$(find "$ROOTFS/proc" -type f -exec cat {} + | sort -u)" untouched
}

# Defence: RESOLVE_NO_XDEV of open_below() in base/proc.c; for a whole false /proc the checks of proc_open() there and of
# host_read() in host.c (both were taken away).
@test "CVE-2025-52881: a file that something covers in the host's /proc is not written" {
	need_root "mounts"
	config_set '.linux.sysctl = {"net.ipv4.ip_unprivileged_port_start": "78"}'
	control
	mkdir -p "$T/sys/net/ipv4" "$T/fake/sys/net/ipv4"
	echo untouched >"$T/sys/net/ipv4/ip_unprivileged_port_start"
	refused 1 'net.ipv4.ip_unprivileged_port_start' unshare --mount --propagation private sh -c '
		mount --bind "$1" /proc/sys && shift && exec "$@"' - "$T/sys" "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	is "$(<"$T/sys/net/ipv4/ip_unprivileged_port_start")" untouched
	# A sanitizer looks for the process's own memory there, without an end.
	! sanitized || return 0
	# A whole false /proc, with what would be believed for as long as it takes to write there.
	ln -s 42 "$T/fake/self"
	cp -r "$T/sys" "$T/fake"
	mkdir -p "$T/fake/42/ns" "$T/fake/42/attr" "$T/fake/sys/kernel"
	cp /proc/sys/kernel/cap_last_cap "$T/fake/sys/kernel"
	cp /proc/self/{mountinfo,cgroup,status,uid_map,gid_map,setgroups,oom_score_adj,stat} "$T/fake/42" 2>/dev/null
	cp /proc/{cgroups,filesystems,mounts} "$T/fake"
	ln -s "$KIST" "$T/fake/42/exe"
	refused 1 '/proc' unshare --mount --propagation private sh -c 'mount --bind "$1" /proc && shift && exec "$@"' - "$T/fake" \
		"$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	is "$(<"$T/fake/sys/net/ipv4/ip_unprivileged_port_start")" untouched
}

# ---- mounts ---------------------------------------------------------------------------------------------------------

# Defence: RESOLVE_IN_ROOT of path_open() in base/path.c, and walk_link() in it for what has to be made.
@test "CVE-2019-18837, CVE-2015-1335, CVE-2026-87766: mount destinations that are links stay in the root" {
	mkdir "$T/source"
	echo here >"$T/source/marker"
	control
	ln -s "$T/out" "$ROOTFS/a"
	ln -s / "$ROOTFS/b"
	ln -s ../../../../../../../.. "$ROOTFS/c"
	config_set '.mounts += [{"destination": "/a/x", "source": $s, "options": ["bind"]}, {"destination": "/a/y", "type": "tmpfs", "source": "tmpfs"},
		{"destination": "/b/\($t)/out/z", "source": $s, "options": ["bind"]}, {"destination": "/c/\($t)/out/w", "type": "tmpfs", "source": "tmpfs"},
		{"destination": "/a/file", "source": "\($s)/marker", "options": ["bind"]}]' \
		--arg s "$T/source" --arg t "$T"
	shell 'cat /a/x/marker /b/'"$T"'/out/z/marker /a/file'
	container_says $'here\nhere\nhere'
	untouched
	is "$(grep -c "$T/out" /proc/self/mountinfo)" 0
}

# Defence: AT_SYMLINK_NOFOLLOW and O_NOFOLLOW of copy_entry() and copy_file() in mount_copyup.c, and the destination
# that open_destination() walked inside the root (RESOLVE_IN_ROOT was taken away from path_open()).
@test "CVE-2022-23648, CVE-2026-41326: tmpcopyup copies nothing of the host" {
	mkdir "$T/host" "$ROOTFS/data"
	echo from-host >"$T/host/secret"
	echo from-image >"$ROOTFS/data/file"
	config_set '.mounts += [{"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}]'
	shell 'cat /data/* 2>/dev/null; ls -l /data; true'
	control
	output_has from-image
	ln -s "$T/host/secret" "$ROOTFS/data/link"
	ln -s "$T/host" "$ROOTFS/data/dir"
	run_container
	output_has from-image
	output_has "link -> $T/host/secret"
	output_has "dir -> $T/host"
	output_lacks from-host
	rm -r "$ROOTFS/data"
	ln -s "$T/host" "$ROOTFS/data"
	shell 'cat /data/secret; true'
	run_container
	output_lacks from-host
	# The link led inside the root: there the directory was made for it.
	[ -d "$ROOTFS$T/host" ]
}

# Defence: path_is_below() in base/path.c compares whole components.
@test "CVE-2026-17106: a name that begins like another is not inside it" {
	mkdir "$ROOTFS/process" "$T/source"
	echo here >"$T/source/marker"
	control
	config_set '.mounts += [{"destination": "/process", "source": $s, "options": ["bind"]}, {"destination": "/proc2/x", "source": $s, "options": ["bind"]}]
		| .linux.maskedPaths += ["/proc2/x"]' --arg s "$T/source"
	mkdir -p "$ROOTFS/proc2/xy"
	echo here >"$ROOTFS/proc2/xy/marker"
	shell 'cat /process/marker /proc2/xy/marker; ls -A /proc2/x'
	container_says $'here\nhere'
	config_set '.mounts[-1].destination = "/proc/2"'
	refused 1 'inside /proc' kist run --bundle "$BUNDLE" "$ID"
}

# Defence: bind_sysfs() in mount_run.c makes all of the tree read-only; attach_new() and attach_bind() in mount_cgroup.c
# take the mount's flags.
@test "CVE-2023-25809, CVE-2022-0492: cgroups are read-only, whatever namespaces the container has" {
	local cgroup net user mounted wanted
	cp "$BUNDLE/config.json" "$T/original.json"
	shell 'for d in $(find /sys/fs/cgroup -maxdepth 2 -type d); do mkdir $d/hole 2>/dev/null && echo "made $d/hole" && rmdir $d/hole
		for f in release_agent cgroup.procs notify_on_release; do [ ! -e $d/$f ] || { echo 0 >>$d/$f; } 2>/dev/null && [ -e $d/$f ] && echo "wrote $d/$f"; done
		done; mkdir /sys/fs/hole 2>/dev/null && echo made; true'
	config_cgroup
	config_set '(.mounts[] | select(.destination == "/sys/fs/cgroup")).options |= map(select(. != "ro"))'
	if ! ordinary_user; then
		run_container
		output_has made
	fi
	config_set '(.mounts[] | select(.destination == "/sys/fs/cgroup")).options += ["ro"]'
	cp "$BUNDLE/config.json" "$T/original.json"
	# "same": a user namespace whose root is the host's, to which files of the host's cgroups belong.
	for user in '' user same; do
		for cgroup in '' cgroup; do
			for net in '' network; do
				cp "$T/original.json" "$BUNDLE/config.json"
				[ -z "$user" ] || config_userns
				[ "$user" != same ] || ordinary_user || config_set '.linux.uidMappings[0].hostID = 0 | .linux.gidMappings[0].hostID = 0'
				[ -n "$cgroup" ] || config_set '.linux.namespaces |= map(select(.type != "cgroup"))'
				[ -n "$net" ] || config_set '.linux.namespaces |= map(select(.type != "network"))'
				for mounted in cgroup ''; do
					[ -n "$mounted" ] || config_set 'del(.mounts[] | select(.destination == "/sys/fs/cgroup"))'
					wanted="namespaces $user $cgroup $net, mount $mounted"
					try kist run --bundle "$BUNDLE" "$ID"
					[ "$status" -eq 0 ] || fail "$wanted: $output"
					[ -z "$output" ] || fail "$wanted: $output"
				done
			done
		done
	done
}

# ---- the program and its user ---------------------------------------------------------------------------------------

# Defence: RESOLVE_NO_MAGICLINKS of path_open() in base/path.c.  RESOLVE_IN_ROOT would do the same, and process_cwd_run() asks
# getcwd() (all were taken away, and the first alone).
@test "CVE-2024-21626: no descriptor of the host is the working directory" {
	mkdir "$ROOTFS/work"
	config_set '.process.cwd = "/work"'
	args pwd
	container_says /work
	local fd seen=0
	for fd in 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		ln -sfn /proc/self/fd/$fd/../../.. "$ROOTFS/link"
		for path in /proc/self/fd/$fd /proc/self/fd/$fd/../../.. /link; do
			config_set ".process.cwd = \"$path\""
			refused 1 'cwd' kist run --bundle "$BUNDLE" "$ID"
			[[ $output != *"too many levels"* && $output != *"magic link"* ]] || seen=$((seen + 1))
		done
	done
	[ $seen -gt 0 ] || fail "no descriptor was open: nothing was shown"
	config_set '.process.cwd = "/"'
	start_container
	ok kist exec --cwd /work "$ID" pwd
	is "$output" /work
	for fd in 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		refused 255 'cwd' kist exec --cwd "/proc/self/fd/$fd" "$ID" pwd
	done
}

# Defence: close_range() in step_guard_run() and step_descriptors_run() of steps_child.c, and in child_exec() of
# base/spawn.c for hooks (all taken away together, since each closes what the one before left).
@test "CVE-2024-21626, CVE-2015-3627: a descriptor that the caller left open is nobody's in the container" {
	printf '#!/bin/sh\nls -l /proc/self/fd >>"%s/hook-fds"\n' "$T" >"$T/hook"
	chmod +x "$T/hook"
	shell 'ls -l /proc/self/fd'
	mkdir "$T/leak"
	exec 7<"$T/leak"
	kist run --bundle "$BUNDLE" --preserve-fds 1 "$ID" </dev/null 3<&7 | grep "3 -> $T/leak"
	config_set '.hooks.createRuntime = [{"path": $hook}] | .hooks.createContainer = [{"path": $hook}]' --arg hook "$T/hook"
	run_container
	output_lacks leak
	start_container
	ok kist exec "$ID" ls -l /proc/self/fd
	output_lacks leak
	exec 7<&-
	[ -s "$T/hook-fds" ]
	! grep leak "$T/hook-fds" || fail "a hook has it"
}

# Defence: the row "cwd" comes after "pivot" in steps.c, and makes it by path_mkdirs() inside the root (both were taken away).
@test "CVE-2026-55686: a working directory that is made stays in the image" {
	control
	ln -s "$T/out" "$ROOTFS/work"
	config_set '.process.cwd = "/work/made"'
	run_container
	[ -d "$ROOTFS$T/out/made" ] || fail "it was not made inside the root"
	untouched
}

# Defence: user_home_run() in user.c opens without blocking, takes regular files only, and reads no more than PASSWD_MAX.  It
# does so after "pivot", so that no link leads out.
@test "CVE-2026-47262: passwd is a fifo, a device, a link out, very large" {
	printf 'root:x:0:0::/from-passwd:\n' >"$ROOTFS/etc/passwd"
	config_set '.process.env |= map(select(startswith("HOME=") | not))'
	shell 'echo $HOME'
	container_says /from-passwd
	local kind
	local kinds="fifo link large long"
	ordinary_user || kinds+=" device"
	for kind in $kinds; do
		rm -f "$ROOTFS/etc/passwd"
		case $kind in
		fifo) mkfifo "$ROOTFS/etc/passwd" ;;
		device) mknod "$ROOTFS/etc/passwd" c 1 5 ;;
		link) ln -s "$T/passwd" "$ROOTFS/etc/passwd"; echo 'root:x:0:0::/from-host:' >"$T/passwd" ;;
		large) truncate -s 20G "$ROOTFS/etc/passwd" ;;
		long) { long 3000000; printf '\nroot:x:0:0::/too-late:\n'; } >"$ROOTFS/etc/passwd" ;;
		esac
		try timeout 10 "$KIST" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
		[ "$status" -eq 0 ] || fail "$kind: status $status" "$output"
		is "$output" /
	done
}

# Defence: passwd_line() in user.c compares the third field, never the name.
@test "CVE-2016-3697: a number is a number, whatever passwd calls so" {
	printf '1000:x:0:0::/of-root:\nuser:x:1000:1000::/of-user:\n' >"$ROOTFS/etc/passwd"
	config_set '.process.user = {"uid": 1000, "gid": 1000}'
	shell 'id -u; echo $HOME'
	container_says $'1000\n/of-user'
	start_container sleep 1000
	ok kist exec --user 1000 "$ID" sh -c 'id -u; echo $HOME'
	is "$output" $'1000\n/of-user'
}

# ---- what an image brings for a runtime -----------------------------------------------------------------------------

# Defence: nothing but config.json is opened by name below the bundle.  A file that is read gets a new access time.
@test "CVE-2026-40226, CVE-2025-24965: no file of the image or the bundle is a configuration, none is written" {
	local file old
	printf 'root:x:0:0::/:\n' >"$ROOTFS/etc/passwd"
	mkdir -p "$ROOTFS/etc/kist" "$ROOTFS/etc/containers" "$ROOTFS/usr/lib" "$BUNDLE/config.json.d" "$T/out"
	local files=("$ROOTFS"/{.krun_config.json,config.json,.nspawn,.dockerenv,.kist.json,etc/group,etc/kist/config.json,etc/kist.json,etc/nsswitch.conf}
		"$ROOTFS"/{etc/ld.so.preload,etc/ld.so.cache,etc/localtime,etc/os-release,etc/hosts,etc/subuid,usr/lib/os-release,run/.containerenv}
		"$BUNDLE"/{kist.json,process.json,settings.nspawn,rootfs.nspawn,config.json.d/10.json,.env})
	for file in "${files[@]}"; do
		echo '{"process": {"args": ["evil"]}}' >"$file"
	done
	ordinary_user || chmod 666 "${files[@]}"
	find "$BUNDLE" -type f -not -path '*/bin/*' -exec touch -a -d 2001-01-01 {} +
	old=$(stat -c %X "$BUNDLE/.env")
	run_container
	# The two that may be read show that this would be seen.
	[ "$(stat -c %X "$BUNDLE/config.json")" != "$old" ] || skip "this file system keeps no access times"
	[ "$(stat -c %X "$ROOTFS/etc/passwd")" != "$old" ]
	for file in "${files[@]}"; do
		is "$(stat -c %X "$file") $file" "$old $file"
	done
	ln -sfn "$T/out/written" "$ROOTFS/.krun_config.json"
	ln -sfn "$T/out/written" "$ROOTFS/run/.containerenv"
	run_container
	untouched
}

# Defence: spawn_find() in base/spawn.c takes absolute directories of $PATH only, and helpers run before the root is entered.
@test "CVE-2026-41567: no helper is looked for in the image or in the working directory" {
	need_root "becomes another user"
	local name
	bundle_user
	ln -s /etc/shadow "$ROOTFS/etc/link"
	mkdir -p "$ROOTFS/usr/bin" "$T/out"
	chmod 777 "$T/out"
	for name in newuidmap newgidmap kist-systemd ps criu systemctl ip mount modprobe; do
		rm -f "$ROOTFS/bin/$name"
		printf '#!/bin/sh\necho %s >>"%s/out/$0"\n' "$name" "$T" >"$ROOTFS/$name"
		sed -i 's#/\$0#/run#' "$ROOTFS/$name"
		chmod 755 "$ROOTFS/$name"
		cp "$ROOTFS/$name" "$ROOTFS/bin/$name"
		cp "$ROOTFS/$name" "$ROOTFS/usr/bin/$name"
	done
	config_set '.linux.uidMappings = [{"containerID": 0, "hostID": 4242, "size": 1}, {"containerID": 1, "hostID": 300000, "size": 100}]
		| .linux.gidMappings = .linux.uidMappings | .process.args = ["sleep", "1000"]'
	cd "$ROOTFS"
	# The control: where the caller's $PATH names the directory, the program is run.
	try user_kist_with "PATH=$ROOTFS/bin:$PATH" create --bundle "$BUNDLE" "$ID"
	[ -s "$T/out/run" ] || fail "the markers do not work: $output"
	try user_kist delete --force "$ID"
	rm "$T/out/run"
	try user_kist_with "PATH=.:bin::$PATH" create --bundle "$BUNDLE" "$ID"
	[ ! -e "$T/out/run" ] || fail "run at create: $(<"$T/out/run")"
	try user_kist_with "PATH=.:bin::$PATH" ps "$ID"
	try user_kist_with "PATH=.:bin::$PATH" exec "$ID" true
	try user_kist_with "PATH=.:bin::$PATH" delete --force "$ID"
	try user_kist_with "PATH=.:bin::" --systemd-cgroup create --bundle "$BUNDLE" "$ID"
	try user_kist delete --force "$ID"
	[ ! -e "$T/out/run" ] || fail "run: $(<"$T/out/run")"
}

user_kist_with() {
	local path=$1
	shift
	as_user env "$path" "$KIST" --root "$ROOT" "$@"
}

# Defence: copy_symlink aside, hooks get config.json's environment only: compile_one() in hook.c.
@test "CVE-2025-23266: the image's environment does not reach hooks" {
	printf '#!/bin/sh\nenv >"%s/hook-env"\n' "$T" >"$T/hook"
	chmod +x "$T/hook"
	config_set '.process.env += ["LD_PRELOAD=/evil.so", "EVIL=1"]
		| .hooks.createRuntime = [{"path": $hook, "env": ["GOOD=1"]}]' --arg hook "$T/hook"
	run_container
	grep -q GOOD "$T/hook-env"
	config_set '.hooks.createContainer = [{"path": $hook}]' --arg hook "$T/hook"
	EVIL=2 run_container
	! grep -e EVIL -e LD_PRELOAD "$T/hook-env" || fail "a hook has it"
}
