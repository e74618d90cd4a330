# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# packages.sh - what Annex needs from Debian's packages; sourced by scripts
#
# need_packages REASON PACKAGE... installs what is missing, with sudo where
# the user is not root, and says so; it touches nothing where all is there.

packages_build="gcc make autoconf automake libtool pkg-config libexpat1-dev
	libsodium-dev liblmdb-dev libev-dev libssl-dev libidn-dev libyaml-dev
	libprotobuf-c-dev protobuf-c-compiler libjansson-dev"
packages_demo="prosody python3 python3-slixmpp"
packages_test="libcmocka-dev clang-14 clang-format-14 libclang-rt-14-dev
	prosody ejabberd python3 python3-slixmpp jing mandoc systemd binutils
	openssl curl"

need_packages() {
	reason=$1
	shift
	missing=
	for package in "$@"; do
		status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=
		[ "$status" = installed ] || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	echo "== Installing$missing ($reason)"
	as_root=
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null || {
			echo "Not root, and there is no sudo: please install$missing" >&2
			return 1
		}
		as_root=sudo
	fi
	# Servers that are installed here are for tests: none is started.
	$as_root sh -c "set -e
		export DEBIAN_FRONTEND=noninteractive
		apt-get update -qq
		policy=/usr/sbin/policy-rc.d; ours=
		[ -e \$policy ] || { printf '#!/bin/sh\nexit 101\n' >\$policy; chmod 755 \$policy; ours=1; }
		apt-get install -y -qq --no-install-recommends $missing >/dev/null || status=\$?
		[ -z \"\$ours\" ] || rm -f \$policy
		exit \${status:-0}"
}
