#!/bin/sh
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# test_suite.sh - suites are counted as suite.sh says
set -eu
. "$(dirname "$0")/suite.sh"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
logs=$dir
results=$dir/results
bad=0

# counts WHAT PASSED,FAILED SCRIPT: a suite made of a script's words
counts() {
	: >"$results"
	printf '#!/bin/sh\n%s\n' "$3" >"$dir/script"
	chmod +x "$dir/script"
	suite fake 3 "$1" "$dir/script" >"$dir/said" 2>&1
	status=0
	last=$(suite_end | tail -n 1) || true
	suite_end >/dev/null || status=1
	want="${2%,*} passed, ${2#*,} failed" want_status=0
	[ "$2" != "${2%,0}" ] && [ "$2" != 0,0 ] || want_status=1
	if [ "$last" != "$want" ] || [ $status -ne $want_status ]; then
		echo "$1: \"$last\", status $status; expected \"$want\", status $want_status"
		bad=1
	fi
}
says() {
	grep -q -e "$1" "$dir/said" || {
		echo "did not say \"$1\":"
		cat "$dir/said"
		bad=1
	}
}
is_silent_about() {
	! grep -q -e "$1" "$dir/said" || {
		echo "said \"$1\""
		bad=1
	}
}

counts "each name counts once" 2,0 'echo PASS a; echo PASS: a; echo "chatter"; echo PASS b'
is_silent_about chatter
counts "one that failed and passed has failed" 1,1 'echo FAIL a; echo PASS a; echo PASS b; exit 1'
counts "a failure with status 0 is one" 0,1 'echo FAIL a'
counts "what stands above a failure is shown" 1,1 'echo PASS a; echo because; echo FAIL b; exit 1'
says because
counts "a crash behind the last test counts" 1,1 'echo PASS a; kill -SEGV $$'
says "ended with status 139"
counts "a status without a name counts" 1,1 'echo PASS a; echo "out of luck"; exit 3'
says "out of luck"
counts "nothing is a failure" 0,1 'exit 0'
says "ran nothing"
counts "skipped tests alone are nothing" 0,1 'echo SKIP a'
says "skipped: a"
counts "too slow" 1,1 'echo PASS a; sleep 60 & wait'
says "took more than 3 s"

# Beside others: its line comes when it is awaited, and it counts as they do.
: >"$results"
printf '#!/bin/sh\nuntil [ -e %s/others ]; do sleep 0.1; done\necho PASS b\necho why\necho FAIL c\n' "$dir" >"$dir/script"
suite_beside slow 10 "the other" "$dir/script" >"$dir/said"
suite fake 5 "one" echo "PASS a" >>"$dir/said"
touch "$dir/others"
suite_await >>"$dir/said"
suite_await >>"$dir/said"
says "^== one  *1 passed  ([0-9]* s)"
says "^== the other  *1 passed, 1 failed  ([0-9]* s)"
says "    why"
[ "$(suite_end | tail -n 1)" = "2 passed, 1 failed" ] || {
	echo "one beside others is not counted"
	bad=1
}
: >"$results"
printf '#!/bin/sh\necho $$ >%s/pid\nexec sleep 60\n' "$dir" >"$dir/script"
suite_beside slow 50 "interrupted" "$dir/script"
until [ -s "$dir/pid" ]; do sleep 0.1; done
suite_interrupt
wait "$suite_beside" || true
suite_beside=
until ! kill -0 "$(cat "$dir/pid")" 2>/dev/null; do sleep 0.1; done

: >"$results"
suite fake 5 "missing" "$dir/no-such-suite" >"$dir/said"
says "cannot be run"
[ "$(suite_end | tail -n 1)" = "0 passed, 1 failed" ] || bad=1
: >"$results"
! suite_end >"$dir/said" || {
	echo "a run without tests passed"
	bad=1
}
exit $bad
