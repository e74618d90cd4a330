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

suite_running= suite_beside=

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
	printf '== %-52s' "$3"
	suite_begin "$@"
	suite_running=$!
	suite_finish "$suite_running" "$1" "$2"
	suite_running=
}

# suite_beside NAME SECONDS TITLE COMMAND...: one that takes what processors the suites
# behind it leave, until suite_await.  One at a time.
suite_beside() {
	suite_beside_name=$1 suite_beside_seconds=$2 suite_beside_title=$3
	shift 3
	suite_begin "$suite_beside_name" "$suite_beside_seconds" "$suite_beside_title" nice -n 19 "$@"
	suite_beside=$!
}
suite_await() {
	[ -n "$suite_beside" ] || return 0
	printf '== %-52s' "$suite_beside_title"
	suite_finish "$suite_beside" "$suite_beside_name" "$suite_beside_seconds"
	suite_beside=
}

# Its log is NAME.log, its status and how long it took are NAME.end.
suite_begin() {
	suite_log=$logs/$1.log suite_end=$logs/$1.end suite_seconds=$2
	rm -f "$suite_end"
	shift 3
	(
		suite_start=$(date +%s) suite_status=0 suite_command=
		trap 'kill "$suite_command" 2>/dev/null; exit 143' TERM
		timeout -k 10 "$suite_seconds" "$@" >"$suite_log" 2>&1 </dev/null &
		suite_command=$!
		wait "$suite_command" || suite_status=$?
		echo "$suite_status $(($(date +%s) - suite_start))" >"$suite_end"
	) &
}

# What a suite said, once it has ended: suite_finish PID NAME SECONDS
suite_finish() {
	suite_log=$logs/$2.log suite_tally=$logs/$2.tally suite_end=$logs/$2.end
	wait "$1" || true
	read -r suite_status suite_took <"$suite_end" || suite_status=143 suite_took=0
	suite_tally "$suite_log" >"$suite_tally"
	suite_what=$(suite_problem "$suite_status" "$suite_tally" "$3")
	[ -z "$suite_what" ] || echo "FAIL $2 ($suite_what)" >>"$suite_tally"
	suite_failed=$(grep -c '^FAIL ' "$suite_tally" || true)
	printf '%4d passed' "$(grep -c '^PASS ' "$suite_tally" || true)"
	[ "$suite_failed" -eq 0 ] || printf ', %d failed' "$suite_failed"
	printf '  (%d s)\n' "$suite_took"
	sed -n 's/^SKIP /    skipped: /p' "$suite_tally"
	suite_excerpts "$suite_log"
	if [ -n "$suite_what" ]; then
		tail -n 40 "$suite_log" | sed 's/^/    /'
		echo "    FAIL $2 ($suite_what)"
	fi
	[ "$suite_failed" -eq 0 ] || echo "    all of it is in $suite_log"
	cat "$suite_tally" >>"$results"
	rm -f "$suite_tally" "$suite_end"
}

# End the suites that run, with all they started.
suite_interrupt() {
	for suite_pid in $suite_running $suite_beside; do
		kill "$suite_pid" 2>/dev/null || true
	done
}

# The last words: what failed, and how many; the status says whether all is well.
suite_end() {
	passed=$(grep -c '^PASS ' "$results" || true)
	failed=$(grep -c '^FAIL ' "$results" || true)
	grep '^FAIL ' "$results" || true
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
