# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# packages.sh - what Annex needs from Debian's packages; sourced by scripts
#
# need_packages REASON PACKAGE... installs what is missing, with sudo where
# the user is not root, and says so; it touches nothing where all is there.
# Where there is no dpkg it believes that all is there.

packages_build="gcc make autoconf automake libtool pkg-config libexpat1-dev
	libsodium-dev liblmdb-dev libev-dev libssl-dev libidn-dev libyaml-dev
	libprotobuf-c-dev protobuf-c-compiler libjansson-dev
	libcurl4-openssl-dev libmicrohttpd-dev"
packages_demo="prosody python3 python3-slixmpp"
packages_test="libcmocka-dev clang-14 clang-format-14 libclang-rt-14-dev
	prosody prosody-modules ejabberd python3 python3-slixmpp jing mandoc systemd binutils
	openssl curl patch procps xz-utils jq nodejs"

# Forbids starting services while it stands there.
packages_policy=/usr/sbin/policy-rc.d

need_packages() {
	reason=$1
	shift
	command -v dpkg-query >/dev/null || return 0
	missing=
	for package in "$@"; do
		status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=
		[ "$status" = installed ] || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	as_root=
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null || {
			echo "Not root, and there is no sudo. Please install$missing ($reason)" >&2
			return 1
		}
		as_root=sudo
	fi
	echo "== Installing$missing ($reason)"
	# Servers that are installed here are for tests: none is started.
	$as_root sh -c "set -e
		export DEBIAN_FRONTEND=noninteractive
		apt-get update -qq
		if [ ! -e $packages_policy ]; then
			trap 'rm -f $packages_policy' EXIT
			trap 'exit 1' INT TERM
			printf '#!/bin/sh\nexit 101\n' >$packages_policy
			chmod 755 $packages_policy
		fi
		apt-get install -y -qq --no-install-recommends $missing >/dev/null" || {
		echo "Could not install$missing ($reason)" >&2
		return 1
	}
}
