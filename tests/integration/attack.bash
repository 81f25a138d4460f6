# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154 # variables of jq, and of helpers.bash
#
# Loaded by the attack tests.  Each of them stands for a published hole, here or in another runtime, and runs the same
# container without the attack first, so that no refusal passes by accident.  "Defence:" says what makes the test fail
# when it is taken away; each was taken away once.

# The container works without the attack; what lies in $T/out is the host's.
control() {
	run_container
	mkdir -p "$T/out"
	chmod 777 "$T/out"
}

untouched() {
	is "$(ls -A "$T/out")" ''
}

# /dev is then what the image has.
without_dev() {
	config_set '.mounts |= map(select(.destination | startswith("/dev") | not))'
}

all_caps() {
	config_set '.process.capabilities.bounding += $more | .process.capabilities.effective = .process.capabilities.bounding
		| .process.capabilities.permitted = .process.capabilities.bounding' --argjson more "$(jq -nc '$ARGS.positional' --args -- "$@")"
}

# need_adversary: it must run inside a container, which has no libraries.
need_adversary() {
	[[ $(ldd "$ADVERSARY" 2>/dev/null) != *'=>'* ]] || skip "the adversary is not linked statically"
	cp "$ADVERSARY" "$ROOTFS/bin/adversary"
}
