#!/bin/sh
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# validate.sh - every stanza that was sent while conversations were played,
# held against schemas/xmpp, in one run of jing
#
# Run from the top of the build tree, as make check does.
set -u
schema=${srcdir:-.}/tests/wire/stanzas.rnc

command -v jing >/dev/null || {
	echo "jing is not installed"
	exit 77
}
set -- tests/wire/sent/*.xml
[ -e "$1" ] || {
	echo "nothing was sent: play some conversations first"
	exit 1
}
# LINE:COLUMN of a complaint is a stanza, so that is shown as well.
if jing -c "$schema" "$@" >tests/wire/complaints 2>&1; then
	echo "$# files, $(cat "$@" | grep -c '^<!--') stanzas are valid"
	rm -f tests/wire/complaints
	exit 0
fi
while IFS= read -r complaint; do
	printf '%s\n' "$complaint"
	file=${complaint%%:*}
	rest=${complaint#*:}
	line=${rest%%:*}
	[ -f "$file" ] && sed -n "${line}p" "$file"
done <tests/wire/complaints
rm -f tests/wire/complaints
exit 1
