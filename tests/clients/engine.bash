# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Loaded after helpers.bash by the tests of engines: each engine gets storage and a configuration of its own, which
# leaves those of the machine as they are, and an image that is made without a registry.

# One command of an engine is several programs, which take their time on a busy machine.
export KIST_TEST_WAIT=${KIST_TEST_WAIT:-30}

# in_terminal TEXT...: a command line, at a terminal whose output is in $T/screen.
in_terminal() {
	script --quiet --return --command "$*" "$T/screen" </dev/null >/dev/null 2>&1 3>&-
}

# ---- Podman: busybox:test ------------------------------------------------------------------------------------------

# podman_setup DIR
podman_setup() {
	mkdir -p "$1/tmp"
	export CONTAINERS_CONF=$1/containers.conf CONTAINERS_STORAGE_CONF=$1/storage.conf TMPDIR=$1/tmp
	# A machine without CAP_SYS_RESOURCE cannot raise limits, one without the pids controller cannot set any; and
	# with SELinux there may be no policy that knows Podman's labels.
	{
		echo '[containers]'
		echo 'label = false'
		echo 'default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]'
		has_controller pids || echo 'pids_limit = 0'
		echo '[engine]'
		echo 'cgroup_manager = "cgroupfs"'
		echo 'events_logger = "file"'
		# As a user would have it: Podman ignores a key that it does not know without a word.
		grep '^runtime' "$KIST_TEST_TOP/contrib/engines/podman.conf"
		echo '[engine.runtimes]'
		echo "kist = [\"$KIST\"]"
		echo '[network]'
		echo "network_config_dir = \"$1/networks\""
	} >"$CONTAINERS_CONF"
	{
		echo '[storage]'
		echo "driver = \"$(storage_driver "$1")\""
		echo "graphroot = \"$1/storage\""
		echo "runroot = \"$1/run\""
	} >"$CONTAINERS_STORAGE_CONF"
	tar -C "$KIST_TEST_SUITE/rootfs" -cf "$1/image.tar" .
	podman import --change 'CMD ["/bin/sh"]' "$1/image.tar" busybox:test >"$1/import" 2>&1 3>&- || {
		cat "$1/import"
		return 1
	}
}

# Overlay is the faster one, where the file system below it allows it.
storage_driver() {
	mkdir "$1/lower" "$1/upper" "$1/work" "$1/merged"
	if mount -t overlay -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work" overlay "$1/merged" 2>/dev/null; then
		umount "$1/merged"
		echo overlay
	else
		echo vfs
	fi
}

# ---- containerd: $IMAGE --------------------------------------------------------------------------------------------

IMAGE=docker.io/library/busybox:test

# containerd_setup DIR: starts it; containerd_stop DIR ends it.
containerd_setup() {
	mkdir -p "$1"
	# Socket paths have 108 bytes: /run is short.
	export CONTAINERD_ADDRESS=/run/ctrd/socket
	cat >"$1/config.toml" <<-END
		version = 2
		root = "$1/root"
		state = "/run/ctrd/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		address = "$CONTAINERD_ADDRESS"
		[debug]
		level = "warn"
	END
	containerd --config "$1/config.toml" >"$1/log" 2>&1 </dev/null 3>&- &
	echo $! >"$1/pid"
	wait_for ctr version
	containerd_image "$1"
	ctr image import "$1/image.tar" >"$1/import" 2>&1 3>&- || {
		cat "$1/import" "$1/log"
		return 1
	}
}

containerd_stop() {
	[ ! -e "$1/pid" ] || kill "$(<"$1/pid")" || true
}

# ctr_run OPTION... -- NAME COMMAND...
ctr_run() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	try ctr run --runtime io.containerd.runc.v2 --runc-binary "$KIST" --snapshotter native "${options[@]}" "$IMAGE" "$@"
}

ctr_remove() { # NAME
	ctr task kill --signal KILL "$1" >/dev/null 2>&1 3>&- || true
	wait_for sh -c "! ctr task ls | grep -q '^$1 .*RUNNING'"
	ctr task rm --force "$1" >/dev/null 2>&1 3>&- || true
	ctr container rm "$1" >/dev/null 2>&1 3>&- || true
}

# An OCI image layout of one layer, made by hand.
containerd_image() {
	local dir=$1/image machine layer config manifest type=application/vnd.oci.image
	machine=$(uname -m)
	mkdir -p "$dir/blobs/sha256"
	tar -C "$KIST_TEST_SUITE/rootfs" -cf "$1/layer" .
	layer=$(blob "$dir" <"$1/layer")
	# shellcheck disable=SC2016 # jq's variables
	jq -cn --arg layer "sha256:$layer" --arg machine "$machine" '{
		architecture: ({x86_64: "amd64", aarch64: "arm64"}[$machine] // $machine), os: "linux",
		config: {Cmd: ["/bin/sh"], Env: ["PATH=/bin"]}, rootfs: {type: "layers", diff_ids: [$layer]}}' >"$1/config"
	config=$(blob "$dir" <"$1/config")
	# shellcheck disable=SC2016
	jq -cn --arg type "$type" --arg config "sha256:$config" --argjson config_size "$(stat -c %s "$1/config")" \
		--arg layer "sha256:$layer" --argjson layer_size "$(stat -c %s "$1/layer")" '{
		schemaVersion: 2, mediaType: "\($type).manifest.v1+json",
		config: {mediaType: "\($type).config.v1+json", digest: $config, size: $config_size},
		layers: [{mediaType: "\($type).layer.v1.tar", digest: $layer, size: $layer_size}]}' >"$1/manifest"
	manifest=$(blob "$dir" <"$1/manifest")
	# shellcheck disable=SC2016
	jq -cn --arg type "$type" --arg image "$IMAGE" --arg manifest "sha256:$manifest" \
		--argjson size "$(stat -c %s "$1/manifest")" '{
		schemaVersion: 2, manifests: [{mediaType: "\($type).manifest.v1+json", digest: $manifest, size: $size,
		annotations: {"io.containerd.image.name": $image, "org.opencontainers.image.ref.name": "test"}}]}' \
		>"$dir/index.json"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$dir/oci-layout"
	tar -C "$dir" -cf "$1/image.tar" .
}

# Standard input as a blob of the layout; prints its digest.
blob() {
	local digest
	cat >"$1/new"
	digest=$(sha256sum <"$1/new" | cut -d' ' -f1)
	mv "$1/new" "$1/blobs/sha256/$digest"
	echo "$digest"
}

# ---- cgroup2: what the kernel and systemd have of a container ----------------------------------------------------

# find_cgroup PID: sets $cgroup, a path, and $unit, which is only one where systemd made the cgroup.
find_cgroup() {
	cgroup=$(sed -n 's/^0:://p' "/proc/$1/cgroup")
	unit=${cgroup##*/}
}

# cgroup_has FILE VALUE
cgroup_has() {
	is "$1: $(<"/sys/fs/cgroup$cgroup/$1")" "$1: $2"
}

# unit_has NAME VALUE: the unit's property.
unit_has() {
	local systemctl=(systemctl)
	[ "$(id -u)" -eq 0 ] || systemctl+=(--user)
	is "$("${systemctl[@]}" show --property "$1" "$unit")" "$1=$2"
}

cgroup_uses() { # BYTES, at least
	[ "$(<"/sys/fs/cgroup$cgroup/memory.current")" -ge "$1" ]
}
