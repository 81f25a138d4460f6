#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes ./configure from configure.ac.  Needed once after a clone, not for a release tarball.
set -euo pipefail
cd "$(dirname "$0")"

missing=()
for tool in autoreconf automake pkg-config; do
	command -v "$tool" >/dev/null || missing+=("$tool")
done
if [ ${#missing[@]} -gt 0 ]; then
	echo "autogen.sh: not found: ${missing[*]}; contrib/install-deps --build installs them" >&2
	exit 1
fi

mkdir -p build-aux
autoreconf --install --force --warnings=all
