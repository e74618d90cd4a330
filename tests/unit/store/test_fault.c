/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_fault.c - whatever call fails, what was committed is there, whole
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storetest.h"

/* One turn: rows of a counted and of a plain table, deletes, a walk, a sequence. */
static int
turn(struct annex_store *store, unsigned n)
{
	struct annex_key prefix = annex_key(COUNTED), key;
	struct annex_iter it;
	uint64_t number;
	char text[32];
	int rc;

	annex_key_text(&prefix, "den");
	snprintf(text, sizeof(text), "turn %u", n);
	for (unsigned i = 0; i < 3; i++) {
		if ((rc = annex_sequence(store, &prefix, &number)) < 0)
			return rc;
		key = counted_key("den", number * 100);
		if ((rc = try_put_text(store, &key, text)) < 0)
			return rc;
	}
	key = text_key("last");
	if ((rc = try_put_text(store, &key, text)) < 0)
		return rc;
	it = annex_iter(&prefix);
	while ((rc = annex_next(store, &it)) == ANNEX_AGAIN) {
		if (annex_key_number(&it.key, 1) % 7 == 0 &&
		    (rc = annex_delete(store, &it.key)) < 0)
			return rc;
	}
	return rc;
}

static void
assert_sound(struct storetest *t)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int wrong;

	wrong = store_verify(t->dir, storetest_lists, out, t->pool, &t->why);
	fclose(out);
	if (wrong != 0)
		fail_msg("verify says %d: %s", wrong, text);
	free(text);
}

/*
 * Two turns, a third during which call n fails.  What is there afterwards is
 * what two or (where the failing call was beyond it) three turns make.
 */
static bool
fail_call(unsigned long n, int error, char *const pictures[2])
{
	struct storetest t;
	bool failed;
	char *after;
	int rc;

	storetest_init(&t);
	assert_int_equal(storetest_open(&t), ANNEX_OK);
	assert_int_equal(turn(t.store, 1), ANNEX_OK);
	commit(t.store);
	t.fault.calls = 0;
	t.fault.fail_at = n;
	t.fault.error = error;
	rc = turn(t.store, 2);
	assert_int_equal(rc < 0, store_has_failed(t.store));
	if (store_commit(t.store) < 0)
		rc = ANNEX_ESTORE;
	failed = t.fault.failed != NULL;
	assert_int_equal(failed, rc < 0);
	assert_int_equal(store_is_dead(t.store), failed && error == EIO);
	assert_false(store_in_transaction(t.store));
	if (failed && !store_is_dead(t.store)) {
		/* The turn is tried again, as the worker does, and succeeds. */
		assert_int_equal(turn(t.store, 2), ANNEX_OK);
		commit(t.store);
		rc = ANNEX_OK;
	}
	store_close(&t.store);
	assert_sound(&t);
	after = storetest_picture(&t);
	assert_string_equal(after, pictures[rc < 0 ? 0 : 1]);
	free(after);
	storetest_finish(&t);
	return failed;
}

static void
fail_every_call(int error)
{
	struct storetest t;
	char *pictures[2];
	unsigned long n = 1;

	storetest_init(&t);
	assert_int_equal(storetest_open(&t), ANNEX_OK);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(turn(t.store, i + 1), ANNEX_OK);
		commit(t.store);
		store_close(&t.store);
		pictures[i] = storetest_picture(&t);
		assert_int_equal(storetest_open(&t), ANNEX_OK);
	}
	assert_string_not_equal(pictures[0], pictures[1]);
	storetest_finish(&t);
	while (fail_call(n, error, pictures))
		n++;
	assert_true(n > 40);
	free(pictures[0]);
	free(pictures[1]);
}

static void
any_call_may_meet_a_broken_disk(void **state)
{
	fail_every_call(EIO);
}

static void
any_call_may_meet_a_full_disk(void **state)
{
	fail_every_call(ENOSPC);
}

static void
any_call_of_opening_may_fail(void **state)
{
	struct storetest t;
	struct annex_key key = text_key("a");
	unsigned long n;

	storetest_init(&t);
	assert_int_equal(storetest_open(&t), ANNEX_OK);
	put_text(t.store, &key, "there");
	commit(t.store);
	for (n = 1;; n++) {
		store_close(&t.store);
		t.fault.calls = 0;
		t.fault.fail_at = n;
		t.fault.failed = NULL;
		if (storetest_open(&t) == ANNEX_OK && t.fault.failed == NULL)
			break;
		assert_non_null(t.fault.failed);
		if (t.store != NULL) /* it does without a journal */
			continue;
		assert_true(strlen(t.why) > 10);
	}
	assert_true(n > 5);
	t.fault.fail_at = 0;
	assert_string_equal(get_text(t.store, &key), "there");
	storetest_finish(&t);
}

static void
a_dead_store_answers_nothing_more(void **state)
{
	struct storetest t;
	struct annex_key key = text_key("a");
	ProtobufCMessage *record;
	unsigned long calls;

	storetest_init(&t);
	assert_int_equal(storetest_open(&t), ANNEX_OK);
	put_text(t.store, &key, "x");
	t.fault.fail_at = t.fault.calls + 1;
	assert_int_equal(store_commit(t.store), ANNEX_ESTORE);
	assert_string_equal(t.fault.failed, "append");
	assert_true(store_is_dead(t.store));
	calls = t.fault.calls;
	assert_int_equal(annex_get(t.store, &key, &record), ANNEX_ESTORE);
	assert_int_equal(try_put_text(t.store, &key, "y"), ANNEX_ESTORE);
	assert_false(annex_has(t.store, &key));
	assert_int_equal(store_commit(t.store), ANNEX_ESTORE);
	assert_int_equal(t.fault.calls, calls);
	storetest_finish(&t);
}

static void
a_changed_row_kills_the_store(void **state)
{
	struct storetest t;
	struct annex_key key = text_key("a");
	MDB_val k = key_val(&key), v = { 6, (void *)(uintptr_t) "\1xxxxy" };
	ProtobufCMessage *record;

	storetest_init(&t);
	assert_int_equal(storetest_open(&t), ANNEX_OK);
	assert_int_equal(store_use(t.store), ANNEX_OK);
	assert_int_equal(t.env.io->put(t.env.io, t.store->txn, &k, &v, 0), 0);
	assert_int_equal(annex_get(t.store, &key, &record), ANNEX_ESTORE);
	assert_true(store_is_dead(t.store));
	assert_non_null(strstr(buf_text(&t.store->sentence), "by_text(a) does not match"));
	storetest_finish(&t);
}

/* --- Killed at any moment ------------------------------------------------------- */

/* Commits turns for ever and says each number when it is on disk. */
_Noreturn static void
work_until_killed(struct storetest *t, int ledger)
{
	struct annex_key prefix = annex_key(COUNTED), key;
	uint64_t number;

	annex_key_text(&prefix, "ledger");
	if (storetest_open(t) < 0)
		_exit(1);
	for (;;) {
		for (int i = 0; i < 3; i++) {
			if (annex_sequence(t->store, &prefix, &number) < 0)
				_exit(2);
			key = counted_key("ledger", number);
			if (try_put_text(t->store, &key, "acknowledged") < 0)
				_exit(3);
		}
		if (store_commit(t->store) < 0 ||
		    write(ledger, &number, sizeof(number)) != sizeof(number))
			_exit(4);
	}
}

/* Reads so many acknowledgements, kills, reads the rest; the last one. */
static uint64_t
kill_after(struct storetest *t, unsigned turns)
{
	uint64_t last = 0, number;
	int fd[2], status;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	if ((pid = fork()) == 0)
		work_until_killed(t, fd[1]);
	close(fd[1]);
	for (unsigned i = 0; read(fd[0], &number, sizeof(number)) == sizeof(number); i++) {
		last = number;
		if (i == turns)
			kill(pid, SIGKILL);
	}
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return last;
}

static void
nothing_acknowledged_is_lost_when_killed(void **state)
{
	struct annex_key prefix = annex_key(COUNTED);
	struct storetest t;
	struct random random;
	uint64_t rows, next;

	storetest_init(&t);
	t.options.volatile_sync = false;
	t.options.quota_bytes = 20 << 20;
	random_init_seeded(&random, 5);
	annex_key_text(&prefix, "ledger");
	for (unsigned round = 0; round < 20; round++) {
		uint64_t last = kill_after(&t, random_below(&random, 40));

		assert_sound(&t);
		assert_int_equal(storetest_open(&t), ANNEX_OK);
		assert_int_equal(annex_rows(t.store, &prefix, &rows), ANNEX_OK);
		assert_true(rows >= last);
		assert_int_equal(rows % 3, 0);
		assert_int_equal(annex_sequence(t.store, &prefix, &next), ANNEX_OK);
		assert_int_equal(next, rows + 1);
		store_close(&t.store);
	}
	storetest_finish(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_call_may_meet_a_broken_disk),
		cmocka_unit_test(any_call_may_meet_a_full_disk),
		cmocka_unit_test(any_call_of_opening_may_fail),
		cmocka_unit_test(a_dead_store_answers_nothing_more),
		cmocka_unit_test(a_changed_row_kills_the_store),
		cmocka_unit_test(nothing_acknowledged_is_lost_when_killed),
	};
	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
