#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# containerd, as the distribution packages it, whose runc shim calls kist.
# shellcheck disable=SC2016,SC2154,SC2030,SC2031
load ../integration/helpers

setup_file() {
	command -v containerd >/dev/null || skip "containerd is not installed"
	command -v ctr >/dev/null || skip "ctr is not installed"
	D=$BATS_FILE_TMPDIR/containerd
	mkdir -p "$D"
	# Socket paths have 108 bytes: the private /run is short.
	export D CONTAINERD_ADDRESS=/run/ctrd/socket
	cat >"$D/config.toml" <<-END
		version = 2
		root = "$D/root"
		state = "/run/ctrd/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		address = "$CONTAINERD_ADDRESS"
		[debug]
		level = "warn"
	END
	containerd --config "$D/config.toml" >"$D/log" 2>&1 </dev/null 3>&- &
	echo $! >"$D/pid"
	wait_for ctr version
	make_image "$D"
	ctr image import "$D/image.tar" >"$D/import" 2>&1 3>&- || {
		cat "$D/import" "$D/log"
		return 1
	}
}

teardown_file() {
	[ ! -e "${D:-/none}/pid" ] || kill "$(<"$D/pid")" || true
}

# An OCI image layout of one layer, made by hand.
make_image() {
	local layer config manifest
	local dir=$1/image
	mkdir -p "$dir/blobs/sha256"
	tar -C "$KIST_TEST_SUITE/rootfs" -cf "$1/layer" .
	layer=$(blob "$dir" <"$1/layer")
	config=$(jq -cn --arg layer "sha256:$layer" '{architecture: "amd64", os: "linux", config: {Cmd: ["/bin/sh"], Env: ["PATH=/bin"]},
		rootfs: {type: "layers", diff_ids: [$layer]}}' |
		jq -c --arg machine "$(uname -m)" 'if $machine == "aarch64" then .architecture = "arm64" else . end' | tee "$1/config" | blob "$dir")
	manifest=$(jq -cn --arg config "sha256:$config" --arg layer "sha256:$layer" --argjson csize "$(stat -c %s "$1/config")" \
		--argjson lsize "$(stat -c %s "$1/layer")" '{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
		config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $config, size: $csize},
		layers: [{mediaType: "application/vnd.oci.image.layer.v1.tar", digest: $layer, size: $lsize}]}' | tee "$1/manifest" | blob "$dir")
	jq -cn --arg manifest "sha256:$manifest" --argjson size "$(stat -c %s "$1/manifest")" '{schemaVersion: 2, manifests: [{
		mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $manifest, size: $size,
		annotations: {"io.containerd.image.name": "docker.io/library/busybox:test", "org.opencontainers.image.ref.name": "test"}}]}' >"$dir/index.json"
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

IMAGE=docker.io/library/busybox:test

setup() {
	T=$BATS_TEST_TMPDIR
	NAME=c$BATS_TEST_NUMBER
}

teardown() {
	ctr task kill --signal KILL "$NAME" >/dev/null 2>&1 3>&- || true
	wait_for sh -c "! ctr task ls | grep -q '^$NAME .*RUNNING'"
	ctr task rm --force "$NAME" >/dev/null 2>&1 3>&- || true
	ctr container rm "$NAME" >/dev/null 2>&1 3>&- || true
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

@test "ctr runs a container with kist" {
	ctr_run --rm -- "$NAME" echo hello
	is "$status:$output" 0:hello
}

@test "the status is the program's" {
	ctr_run --rm -- "$NAME" sh -c 'exit 7'
	is "$status" 7
}

@test "it really is kist" {
	ctr_run --detach -- "$NAME" sleep 1000
	is "$status" 0
	[ -d "/run/containerd/runc/default/$NAME" ] || find /run -type d -name "$NAME" | grep -q .
	[ -e "$(find /run -path "*/$NAME/intent.json" | head -1)" ]
}

@test "a terminal" {
	script --quiet --return --command "ctr run --rm -t --runtime io.containerd.runc.v2 --runc-binary $KIST --snapshotter native $IMAGE $NAME sh -c 'test -t 0 && tty'" \
		"$T/screen" </dev/null >/dev/null 2>&1 3>&-
	grep -q /dev/pts/ "$T/screen"
}

@test "exec, its status, its terminal" {
	ctr_run --detach -- "$NAME" sleep 1000
	is "$status" 0
	ok ctr task exec --exec-id e1 "$NAME" echo hello
	is "$output" hello
	try ctr task exec --exec-id e2 "$NAME" sh -c 'exit 9'
	is "$status" 9
	try ctr task exec --exec-id e3 "$NAME" no-such-program
	[ "$status" -ne 0 ]
	output_has 'executable file not found in $PATH'
	script --quiet --return --command "ctr task exec -t --exec-id e4 $NAME sh -c 'test -t 0 && tty'" "$T/screen" </dev/null >/dev/null 2>&1 3>&-
	grep -q /dev/pts/ "$T/screen"
}

@test "kill and rm" {
	ctr_run --detach -- "$NAME" sleep 1000
	is "$status" 0
	ok ctr task ls
	output_has RUNNING
	ok ctr task kill --signal KILL "$NAME"
	wait_for sh -c "ctr task ls | grep -q '^$NAME .*STOPPED'"
	try ctr task rm "$NAME"
	ok ctr container rm "$NAME"
	is "$(find /run -path "*/$NAME/intent.json")" ''
}

@test "pause and resume" {
	ctr_run --detach -- "$NAME" sleep 1000
	is "$status" 0
	ok ctr task pause "$NAME"
	ok ctr task ls
	output_has PAUSED
	ok ctr task resume "$NAME"
	ok ctr task exec --exec-id e1 "$NAME" true
}

@test "ps" {
	ctr_run --detach -- "$NAME" sleep 1000
	is "$status" 0
	ok ctr task ps "$NAME"
	is "$(tail -n +2 <<<"$output" | wc -l)" 1
}

@test "a program that is not there" {
	ctr_run --rm -- "$NAME" no-such-program
	[ "$status" -ne 0 ]
	output_has 'executable file not found in $PATH'
}

@test "mounts, environment, working directory" {
	mkdir "$T/dir" && echo text >"$T/dir/file"
	ctr_run --rm --mount "type=bind,src=$T/dir,dst=/new,options=rbind:ro" --env A=b --cwd /tmp -- "$NAME" \
		sh -c 'cat /new/file; touch /new/x 2>/dev/null || echo ro; echo $A $(pwd)'
	is "$output" $'text\nro\nb /tmp'
}

@test "nothing is left after all these" {
	is "$(find /run -name intent.json)" ''
	is "$(pgrep -fc 'sleep 1000' || true)" 0
}
