#!/bin/sh
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# selftest.sh - annex-play finds what it is for
#
# Conversations that are wrong in one way each, and what must be said of them.
# Run from the top of the build tree, as make check does.
set -u
play=$PWD/tests/wire/annex-play
modules="-m $PWD/components/echo/.libs -m $PWD/tests/wire/probe/.libs"
dir=$(mktemp -d "${TMPDIR:-/tmp}/annex-selftest.XXXXXX")
trap 'rm -rf "$dir"' EXIT
failed=0

# wrong NAME LINE TEXT [OPTION...] <conversation: it fails at that line, and TEXT is said
wrong() {
	name=$1 line=$2 text=$3
	shift 3
	cat >"$dir/$name.xct"
	"$play" $modules "${@:--q}" "$dir/$name.xct" >"$dir/said" 2>&1
	status=$?
	if [ $status -ne 1 ] || ! grep -qF "$name.xct:$line: " "$dir/said" || ! grep -qF "$text" "$dir/said"; then
		echo "FAIL $name: exit status $status, expected 1, at line $line: $text"
		cat "$dir/said"
		failed=1
	fi
}

wrong text 3 'the text is "hello", not "hallo"' <<'END'
component echo
> <message from='a@example.org/1' to='echo.test' id='1'><body>hello</body></message>
< <message from='echo.test' to='a@example.org/1' id='1'><body>hallo</body></message>
END
wrong attribute 3 'to is "a@example.org/1", not "a@example.org/2"' <<'END'
component echo
> <message from='a@example.org/1' to='echo.test' id='1'><body>x</body></message>
< <message from='echo.test' to='a@example.org/2' id='1'><body>x</body></message>
END
wrong more 3 '<subject> was not expected' <<'END'
component echo
> <message from='a@example.org/1' to='echo.test' id='1'><body>x</body><subject>y</subject></message>
< <message from='echo.test' to='a@example.org/1' id='1'><body>x</body></message>
END
wrong namespace 3 'its namespace is "urn:a", not "urn:b"' <<'END'
component echo
> <message from='a@example.org/1' to='echo.test' id='1'><body>x</body><q xmlns='urn:a'/></message>
< <message from='echo.test' to='a@example.org/1' id='1'><body>x</body><q xmlns='urn:b'/></message>
END
wrong path 3 'but got' <<'END'
component echo
> <message from='a@example.org/1' to='echo.test' id='1'><body>x</body></message>
< message[@to='a@example.org/1'][not(body)]
END
wrong position 3 'but got' <<'END'
component echo
> <message from='a@example.org/1' to='echo.test' id='1'><body>x</body><q xmlns='urn:a'><z/></q></message>
< message[@to='a@example.org/1'][not(q[2])]
END
wrong bound 5 'id is "1", not "$b"' <<'END'
component echo
> <message from='a@example.org/1' to='echo.test' id='1'><body>2</body></message>
< <message from='echo.test' to='a@example.org/1' id='1'><body>$b</body></message>
> <message from='a@example.org/1' to='echo.test' id='1'><body>x</body></message>
< <message from='echo.test' to='a@example.org/1' id='$b'><body>x</body></message>
END
wrong order 4 'which came, but behind' <<'END'
component echo
> <message from='a@example.org/1' to='echo.test' id='1'><body>x</body></message>
> <message from='a@example.org/1' to='echo.test' id='2'><body>x</body></message>
< message[@id='2']
< message[@id='1']
END
wrong left 2 'expected nothing (more), but got' <<'END'
component echo
> <message from='a@example.org/1' to='echo.test' id='1'><body>x</body></message>
END
wrong missing 3 'nothing' <<'END'
component echo
> <message from='a@example.org/1' to='echo.test' id='1'/>
< message
END
wrong complaint 2 'an unexpected complaint' <<'END'
component probe
> <iq from='a@example.org/1' to='probe.test' id='1' type='get'><never xmlns='urn:annex:probe'/></iq>
< iq[@type='error']
END
wrong announced 3 'no warning was logged with "boo" in it' <<'END'
component echo
link is up
log warning "boo"
END
wrong unanswered 2 'this IQ was never answered' <<'END'
component probe
> <iq from='a@example.org/1' to='probe.test' id='1' type='get'><later xmlns='urn:annex:probe'/></iq>
END
wrong crash 2 'the worker died' <<'END'
component probe
> <message from='a@example.org/1' to='probe.test' id='1'><body>crash</body></message>
< nothing
END
wrong survived 3 'the worker did not crash' <<'END'
component echo
> <message from='a@example.org/1' to='echo.test' id='1'><body>x</body></message>
dies
END
wrong unbound 2 'nothing was bound to $nobody' <<'END'
component echo
> <message from='$nobody' to='echo.test' id='1'><body>x</body></message>
END
wrong word 3 'unknown word "jump"' <<'END'
component echo
link is up
jump 3
END
wrong xml 2 'what is expected here is no XML' <<'END'
component echo
< <message><body></message>
END
wrong brackets 2 '[ without ]' <<'END'
component echo
< message[@to='x'
END
# What goes well whole may still go wrong in pieces, or with a store that fails: which run it was is said.
wrong which 6 'again: annex-play --run soft:' --splits 1 <<'END'
component probe
> <message from='a@example.org/1' to='probe.test' id='1'><body>lives</body></message>
< message/body[.='1 messages in this life']
> <message from='a@example.org/1' to='probe.test' id='2'><body>count&#10;lives</body></message>
< message/body[.='count 1']
< message/body[.='2 messages in this life']
END

[ $failed -eq 0 ] && echo "all mistakes were found"
exit $failed
