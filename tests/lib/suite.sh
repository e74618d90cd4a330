# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# suite.sh - run a suite of tests, count what it says; sourced by tests/run
#
# A suite is a program that prints a line "PASS name" or "FAIL name" for each
# test, what happened above a FAIL, and whatever else it likes.  A name counts
# once, and has failed where it failed at all.  A suite that cannot be run, dies,
# ends badly without naming a test, takes too long, or runs nothing has failed
# as one test.
#
# Whoever sources this sets results, a file to which all lines are appended,
# and logs, a directory that keeps what suites printed.

suite_running=

# The tests of a log: "PASS name", "FAIL name" or "SKIP name", each name once.
suite_tally() {
	awk '
	/^(PASS|FAIL|SKIP)[: ]/ {
		name = $0
		sub(/^....:? */, "", name)
		if (!(name in rank))
			order[++n] = name
		worse = index("SKIP PASS FAIL", substr($0, 1, 4))
		if (worse > rank[name] + 0)
			rank[name] = worse
	}
	END {
		for (i = 1; i <= n; i++)
			print substr("SKIP PASS FAIL", rank[order[i]], 4), order[i]
	}' "$1"
}

# What stands above each FAIL, up to the test before: 40 lines at most, of 10 tests at most.
suite_excerpts() {
	awk '
	/^FAIL[: ]/ {
		if (++shown <= 10) {
			for (i = n > 40 ? n - 39 : 1; i <= n; i++)
				print "    " kept[i]
			print "    " $0
		}
		n = 0
		next
	}
	/^(PASS|SKIP)[: ]/ { n = 0; next }
	{ kept[++n] = $0 }' "$1"
}

# Of a suite that ended with a status, what was wrong; nothing where it named it.
suite_problem() {
	case $1 in
	0) grep -Eq '^(PASS|FAIL) ' "$2" || echo "ran nothing" ;;
	124 | 137) echo "took more than $3 s" ;;
	126 | 127) echo "cannot be run" ;;
	*) grep -q '^FAIL ' "$2" || echo "ended with status $1" ;;
	esac
}

# suite NAME SECONDS TITLE COMMAND...
suite() {
	suite_log=$logs/$1.log
	suite_name=$1 suite_seconds=$2
	printf '== %-52s' "$3"
	shift 3
	suite_start=$(date +%s)
	suite_status=0
	timeout -k 10 "$suite_seconds" "$@" >"$suite_log" 2>&1 </dev/null &
	suite_running=$!
	wait "$suite_running" || suite_status=$?
	suite_running=
	suite_tally "$suite_log" >"$logs/$suite_name.tally"
	suite_what=$(suite_problem "$suite_status" "$logs/$suite_name.tally" "$suite_seconds")
	[ -z "$suite_what" ] || echo "FAIL $suite_name ($suite_what)" >>"$logs/$suite_name.tally"
	suite_failed=$(grep -c '^FAIL ' "$logs/$suite_name.tally" || true)
	printf '%4d passed' "$(grep -c '^PASS ' "$logs/$suite_name.tally" || true)"
	[ "$suite_failed" -eq 0 ] || printf ', %d failed' "$suite_failed"
	printf '  (%d s)\n' $(($(date +%s) - suite_start))
	sed -n 's/^SKIP /    skipped: /p' "$logs/$suite_name.tally"
	suite_excerpts "$suite_log"
	if [ -n "$suite_what" ]; then
		tail -n 40 "$suite_log" | sed 's/^/    /'
		echo "    FAIL $suite_name ($suite_what)"
	fi
	[ "$suite_failed" -eq 0 ] || echo "    all of it is in $suite_log"
	cat "$logs/$suite_name.tally" >>"$results"
	rm -f "$logs/$suite_name.tally"
}

# End a suite that runs, with all it started.
suite_interrupt() {
	[ -z "$suite_running" ] || kill "$suite_running" 2>/dev/null || true
}

# The last words: what failed, and how many; the status says whether all is well.
suite_end() {
	passed=$(grep -c '^PASS ' "$results" || true)
	failed=$(grep -c '^FAIL ' "$results" || true)
	grep '^FAIL ' "$results" || true
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
