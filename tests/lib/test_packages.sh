#!/bin/sh
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# test_packages.sh - missing packages are installed, and nothing else is done
#
# With programs of its own in front of dpkg-query, apt-get, sudo and id.
set -eu
. "$(dirname "$0")/../../contrib/packages.sh"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
packages_policy=$dir/policy-rc.d
bad=0

program() {
	printf '#!/bin/sh\n%s\n' "$2" >"$dir/bin/$1"
	chmod +x "$dir/bin/$1"
}
# ground UID INSTALLED: a machine, and who is there
ground() {
	rm -rf "$dir/bin" "$dir/did" "$dir/policy-rc.d"
	mkdir "$dir/bin"
	for tool in sh cat chmod rm printf grep; do
		ln -s "$(command -v $tool)" "$dir/bin/$tool" 2>/dev/null || true
	done
	program id "echo $1"
	program dpkg-query "case ' $2 ' in *\" \$4 \"*) printf installed ;; *) exit 1 ;; esac"
	program apt-get "echo apt-get \$* >>$dir/did
		[ \$1 != install ] || [ -x $packages_policy ] || echo 'services may start' >>$dir/did"
	program sudo "echo sudo >>$dir/did; exec \"\$@\""
}
# expect WHAT STATUS SAID DID PACKAGE...: run need_packages there
expect() {
	what=$1 want=$2 said=$3 did=$4
	shift 4
	got=0
	(PATH=$dir/bin; need_packages "for a test" "$@") >"$dir/said" 2>&1 || got=$?
	[ -e "$dir/did" ] || : >"$dir/did"
	if [ "$got" != "$want" ] || [ "$(cat "$dir/said")" != "$said" ] ||
		[ "$(cat "$dir/did")" != "$did" ] || [ -e "$packages_policy" ]; then
		echo "$what: status $got"
		cat "$dir/said" "$dir/did"
		bad=1
	fi
}
installs="apt-get update -qq
apt-get install -y -qq --no-install-recommends"

ground 0 "one two"
expect "nothing is missing" 0 "" "" one two

ground 0 "one"
expect "root" 0 "== Installing two three (for a test)" "$installs two three" one two three

ground 1000 "one"
expect "somebody with sudo" 0 "== Installing two (for a test)" "sudo
$installs two" one two

ground 1000 ""
rm "$dir/bin/sudo"
expect "somebody without sudo" 1 \
	"Not root, and there is no sudo. Please install one (for a test)" "" one

ground 0 ""
program apt-get "echo 'E: no network' >&2; exit 100"
expect "no network" 1 "== Installing one (for a test)
E: no network
Could not install one (for a test)" "" one

ground 0 ""
rm "$dir/bin/dpkg-query"
expect "no Debian" 0 "" "" one

# A policy of the machine's own stays.
ground 0 ""
echo own >"$packages_policy"
(PATH=$dir/bin; need_packages "for a test" one) >/dev/null
[ "$(cat "$packages_policy")" = own ] || {
	echo "a policy-rc.d that was there is gone"
	bad=1
}
exit $bad
