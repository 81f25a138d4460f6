# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2119,SC2120 # variables of jq; many arguments are optional
#
# Loaded by every .bats file here.  A test has its own state root, bundle and container id, and begins with a bundle
# whose container runs `true`; it fails if it leaves a process, mount, cgroup or state directory behind.
#
#	$KIST   the program             $BUNDLE   the bundle       $ROOTFS  its root file system
#	$ROOT   the state root          $ID       the container    $T       a scratch directory
#
# `tests/integration/run` sets the stage, for root; `tests/vm/inside user` does it for an ordinary user, whose containers
# have a user namespace with the user's subordinate ids, and their cgroups below the one that systemd delegated.

bats_require_minimum_version 1.5.0

if [ "$EUID" -eq 0 ]; then
	USER_ID=4242
	CGROUP_ABOVE=
else
	USER_ID=$EUID
	CGROUP_ABOVE=${KIST_VM_CGROUP:?is set by tests/vm/inside}
fi

# ---- a test's beginning and end -----------------------------------------------------------------------------

setup() {
	setup_container
}

teardown() {
	teardown_container
}

setup_container() {
	: "${KIST:?is set by tests/integration/run}"
	T=$BATS_TEST_TMPDIR
	chmod 711 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "${T%/*}" "$T"
	ROOT=$T/state
	ID=c$BATS_TEST_NUMBER
	bundle_new "$T/bundle"
	remember_world
}

teardown_container() {
	delete_all
	assert_nothing_left
}

delete_all() {
	local id
	for id in "$ROOT"/*; do
		[ ! -d "$id" ] || kist delete --force "${id##*/}" >>"$T/teardown" 2>&1 </dev/null || cat "$T/teardown"
	done
}

# ---- what a container could leave behind ---------------------------------------------------------------------

# need_root REASON: for what the kernel lets no ordinary user do, in whatever words a test asks for it.
need_root() {
	[ "$EUID" -eq 0 ] || skip "needs root: $1"
}

# ordinary_user: whether these are the tests of one.
ordinary_user() {
	[ "$EUID" -ne 0 ]
}

# Nothing else runs in the namespaces of a test file, or in its machine, so all of it can be compared.
see_things() {
	cat /proc/self/mountinfo
	find /sys/fs/cgroup -mindepth 1 -type d -printf 'cgroup %p\n'
	ls -A /run/kist /run/user/$USER_ID 2>/dev/null || true
}

# In this shell: a process made for looking would be seen.
see_processes() {
	local pids=(/proc/[0-9]*)
	processes=" ${pids[*]##*/} "
}

remember_world() {
	world_things=$(see_things)
	see_processes
	world_processes=$processes
}

# Prints what is there and was not at remember_world.  Its status is 0 when that is nothing.
nothing_left() {
	local pid id bad=0 state='' own things
	own=$(own_subshells "$BASHPID")
	see_processes
	for pid in $processes; do
		[[ "$world_processes $own " != *" $pid "* ]] || continue
		! kernel_thread "$pid" || continue
		{ state=$(head -3 "/proc/$pid/status" | tr '\n' ' '); } 2>/dev/null || continue
		echo "process $pid is left: $state $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline")"
		bad=1
	done
	things=$(see_things)
	if [ "$things" != "$world_things" ]; then
		diff <(echo "$world_things") <(echo "$things") | sed -n 's/^> /left: /p; s/^< /gone: /p'
		bad=1
	fi
	for id in "$ROOT"/*; do
		[ ! -e "$id" ] || { echo "left: $id" && bad=1; }
	done
	return $bad
}

# kernel_thread PID: the kernel's own, which come and go in a machine.  Field 9 has the flags, 0x200000 is PF_KTHREAD.
kernel_thread() {
	local stat flags
	# Not $(<): a process that vanishes while it is read would end the shell.
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	read -r _ _ _ _ _ _ flags _ <<<"${stat##*) }"
	[ $((${flags:-0} & 0x200000)) -ne 0 ]
}

# own_subshells PID: that process and its parents, up to the test's.
own_subshells() {
	local pid=$1 stat
	while [ "$pid" -gt 1 ] && [ "$pid" -ne $$ ]; do
		echo -n "$pid "
		stat=$(<"/proc/$pid/stat")
		read -r _ pid _ <<<"${stat##*) }"
	done
	echo -n $$
}

assert_nothing_left() {
	local tries left=
	# What was killed needs a moment to be reaped.
	for tries in 1 2 3 4 5 6 7 8 9 10; do
		left=$(nothing_left) && return 0
		sleep 0.0$tries
	done
	fail "$left"
}

# ---- bundles --------------------------------------------------------------------------------------------------

# bundle_new DIR: makes $BUNDLE and $ROOTFS, with what `kist spec` writes made to run `true` without a terminal.
bundle_new() {
	BUNDLE=$1
	ROOTFS=$BUNDLE/rootfs
	mkdir -p "$ROOTFS"
	(cd "$ROOTFS" && mkdir dev etc proc root run sys && mkdir -m 1777 tmp)
	# Programs are linked, since no container may write to them; what tests write to is their own.
	cp -al "$KIST_TEST_SUITE/rootfs/bin" "$ROOTFS/bin"
	[ -e "$KIST_TEST_SUITE/config.json" ] || make_config
	cp "$KIST_TEST_SUITE/config.json" "$BUNDLE"
}

make_config() {
	local dir
	# Files run at the same time, in pid namespaces of their own: a pid would not be unique.
	dir=$(mktemp -d "$KIST_TEST_SUITE/config.XXXXXX")
	"$KIST" spec --bundle "$dir"
	jq '.process.terminal = false | .process.args = ["true"] | .root.readonly = false' "$dir/config.json" \
		>"$dir/ready"
	mv "$dir/ready" "$KIST_TEST_SUITE/config.json"
	rm -r "$dir"
}

# config_set FILTER [JQ OPTION...]: changes config.json.
config_set() {
	local filter=$1
	shift
	jq "$@" "$filter" "$BUNDLE/config.json" >"$BUNDLE/config.new"
	mv "$BUNDLE/config.new" "$BUNDLE/config.json"
}

# args WORD...: what the container runs.
args() {
	# shellcheck disable=SC2016 # jq's variable
	config_set ".process.args = $(jq -nc '$ARGS.positional' --args -- "$@")"
}

# shell TEXT: the container runs a shell script.
shell() {
	jq --arg text "$1" '.process.args = ["sh", "-c", $text]' "$BUNDLE/config.json" >"$BUNDLE/config.new"
	mv "$BUNDLE/config.new" "$BUNDLE/config.json"
}

# Maps the container's ids 0-65535 to 100000 and up, in a user namespace of its own; an ordinary user's has one already.
config_userns() {
	ordinary_user || config_mapped
}

config_mapped() {
	config_set '.linux.namespaces += [{"type": "user"}]
		| .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
		| .linux.gidMappings = .linux.uidMappings'
	chown -R --no-dereference 100000:100000 "$ROOTFS"/{dev,etc,proc,root,run,sys,tmp} "$ROOTFS"
}

# The container is in the caller's pid namespace; an ordinary user's can only have the host's /proc then.
config_shared_pids() {
	config_set '.linux.namespaces |= map(select(.type != "pid"))'
	! ordinary_user || config_set '(.mounts[] | select(.destination == "/proc"))
		|= {destination, type: "none", source: "/proc", options: ["rbind"]}'
}

# host_id ID: what an id of a container with config_userns is outside.  An ordinary user's numbers and those of its group
# are the same in the machine, and so are both subordinate ranges.
host_id() {
	local first
	ordinary_user || { echo $((100000 + $1)) && return; }
	[ "$1" -ne 0 ] || { id -u && return; }
	first=$(awk -F: -v user="$(id -un)" '$1 == user { print $2; exit }' /etc/subuid)
	echo $((first + $1 - 1))
}

# chown_inside UID:GID FILE...: to the ids of the container's user namespace, where these are an ordinary user's.
chown_inside() {
	if ordinary_user; then
		unshare --user --map-auto --map-root-user chown "$@"
	else
		chown "$@"
	fi
}

# config_join_userns PID: an ordinary user's container joins the user namespace of that process, which owns its others.
config_join_userns() {
	! ordinary_user || config_set '.linux.namespaces |= map(if .type == "user" then .path = $path else . end)
		| del(.linux.uidMappings, .linux.gidMappings)' --arg path "/proc/$1/ns/user"
}

# enter PID OPTION...: nsenter, which an ordinary user can use in its own user namespace only.
enter() {
	local pid=$1 own=()
	shift
	! ordinary_user || own=(--user --preserve-credentials)
	nsenter --target "$pid" "${own[@]}" "$@"
}

# reaper: whose child a process without its parent becomes.
reaper() {
	local orphan
	orphan=$(sh -c 'sleep 1000 >/dev/null 2>&1 3>&- & echo $!')
	awk '/^PPid/ { print $2 }' "/proc/$orphan/status"
	kill "$orphan"
}

# ---- running ------------------------------------------------------------------------------------------------------

kist() {
	"$KIST" --root "$ROOT" "$@"
}

# try COMMAND...: sets $status, and $output (both streams).  They go through a file: a pipe would stay open as long as
# the container.
try() {
	status=0
	# The container's user may own it since.
	rm -f "$T/output"
	"$@" >"$T/output" 2>&1 </dev/null 3>&- || status=$?
	output=$(tr '\0' '?' <"$T/output")
}

fail() {
	printf '%s\n' "$@" >&2
	return 1
}

# Its output must be empty or what the test looks at afterwards.
ok() {
	try "$@"
	[ "$status" -eq 0 ] || fail "status $status of: $*" "$output"
}

# refused STATUS TEXT COMMAND...: it must fail with that status and say that (a pattern of bash).
refused() {
	local want=$1 text=$2
	shift 2
	try "$@"
	[ "$status" -eq "$want" ] || fail "status $status, not $want, of: $*" "$output"
	# shellcheck disable=SC2053 # a pattern is wanted
	[[ $output == *$text* ]] || fail "no \"$text\" in what $* said:" "$output"
}

# run_container [OPTION...]: from $BUNDLE, as $ID, to its end.
run_container() {
	ok kist run --bundle "$BUNDLE" "$@" "$ID"
}

create_container() {
	ok kist create --bundle "$BUNDLE" "$@" "$ID"
}

# A container that stays, and takes no notice of TERM.
start_container() {
	[ $# -eq 0 ] || args "$@"
	[ $# -gt 0 ] || args sleep 1000
	create_container
	ok kist start "$ID"
}

# container_says TEXT: the whole output of a run.
container_says() {
	run_container
	[ "$output" = "$1" ] || fail "the container said:" "$output" "instead of:" "$1"
}

# output_has TEXT / output_lacks TEXT: a pattern of bash.
output_has() {
	# shellcheck disable=SC2053
	[[ $output == *$1* ]] || fail "no \"$1\" in:" "$output"
}

output_lacks() {
	# shellcheck disable=SC2053
	[[ $output != *$1* ]] || fail "\"$1\" in:" "$output"
}

is() {
	[ "$1" = "$2" ] || fail "it is \"$1\", not \"$2\""
}

# The container's status / pid, as `state` has it.
status_of() {
	kist state "${1:-$ID}" | jq -r .status
}

pid_of() {
	kist state "${1:-$ID}" | jq -r .pid
}

has_status() {
	is "$(status_of)" "$1"
}

# wait_for COMMAND...: until it succeeds, $KIST_TEST_WAIT seconds (10) at most.
wait_for() {
	local end=$((SECONDS + ${KIST_TEST_WAIT:-10}))
	while [ $SECONDS -lt $end ]; do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.02
	done
	fail "waited in vain for: $*"
}

stopped() {
	[ "$(status_of)" = stopped ]
}

# long N: that many letters.
long() {
	head -c "$1" /dev/zero | tr '\0' x
}

# A helper in the background, ended by stop_helper (or by itself).
start_helper() {
	"$@" 3>&- &
	helper=$!
}

stop_helper() {
	[ -n "${helper:-}" ] || return 0
	kill "$helper" 2>/dev/null || true
	wait "$helper" 2>/dev/null || true
}

# listen KIND SOCKET: starts `receive`, which writes to $T/received; wait_helper waits for its end.
listen() {
	"$RECEIVE" "$1" "$2" >"$T/received" 2>"$T/listening" </dev/null 3>&- &
	helper=$!
	wait_for grep -q listening "$T/listening"
}

wait_helper() {
	wait_for sh -c "! kill -0 $helper"
	wait "$helper"
}

# ---- cgroups ----------------------------------------------------------------------------------------------------------

# Whether kist was built with --enable-sanitizers.
# A test that needs strace; under it newuidmap has not the privilege to map an ordinary user's ids.
need_strace() {
	command -v strace >/dev/null || skip "strace is missing"
	! sanitized || skip "LeakSanitizer does not work under strace"
	need_root "traces what makes id maps"
}

sanitized() {
	grep -qa __asan_init "$KIST"
}

# has_controller NAME: whether it is there, on either version.
has_controller() {
	[ -n "$(controller_mount "$1")" ]
}

# controller_mount NAME: the mount point of a controller, or, of an ordinary user, the cgroup below it that is its own.
controller_mount() {
	if [ -d "/sys/fs/cgroup/$1" ] && [ -e "/sys/fs/cgroup/$1/cgroup.procs" ] && [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
		echo "/sys/fs/cgroup/$1"
	elif grep -qw "$1" "/sys/fs/cgroup$CGROUP_ABOVE/cgroup.controllers" 2>/dev/null; then
		echo "/sys/fs/cgroup$CGROUP_ABOVE"
	elif grep -qw "$1" /sys/fs/cgroup/unified/cgroup.controllers 2>/dev/null; then
		echo /sys/fs/cgroup/unified
	fi
}

# cgroup_value CONTROLLER V1-FILE V2-FILE [PATH]: what the container's cgroup has there.
cgroup_value() {
	local mount path=${4:-/test-$ID}
	mount=$(controller_mount "$1")
	if [ -e "$mount/cgroup.controllers" ]; then
		cat "$mount$path/$3"
	else
		cat "$mount$path/$2"
	fi
}

only_v2() {
	[ -e /sys/fs/cgroup/cgroup.controllers ]
}

# config_cgroup [PATH]: the test's container gets /test-$ID as its cgroup, below the one that is the caller's.
config_cgroup() {
	config_set '.linux.cgroupsPath = $path' --arg path "$CGROUP_ABOVE${1:-/test-$ID}"
}

# ---- an ordinary user -------------------------------------------------------------------------------------------------

# as_user COMMAND...: as the ordinary user, in a session like a login's.
as_user() {
	local role=()
	ordinary_user || role=(setpriv --reuid "$USER_ID" --regid "$USER_ID" --init-groups --reset-env)
	"${role[@]}" env HOME=/run/user/$USER_ID XDG_RUNTIME_DIR=/run/user/$USER_ID "$@"
}

user_kist() {
	as_user "$KIST" --root "$ROOT" "$@"
}

# The bundle becomes the user's, with what `spec --rootless` writes.
bundle_user() {
	chown -R --no-dereference $USER_ID:$USER_ID "$BUNDLE" "$ROOTFS"/{dev,etc,proc,root,run,sys,tmp}
	rm "$BUNDLE/config.json"
	as_user "$KIST" spec --rootless --bundle "$BUNDLE"
	config_set '.process.terminal = false | .process.args = ["true"] | .root.readonly = false'
	mkdir "$ROOT"
	chown $USER_ID:$USER_ID "$ROOT"
}
