/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_transfer.c - out as JSON and in again, with nothing lost
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storetest.h"

static char *export(struct storetest *t)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int wrong = store_export(t->dir, t->lists, out, t->pool, &t->why);

	fclose(out);
	assert_int_equal(wrong, 0);
	return text;
}

static int
import(struct storetest *t, const char *text)
{
	FILE *in = fmemopen((char *)(uintptr_t)text, strlen(text), "r");
	int rc = store_import(t->dir, t->lists, in, t->pool, &t->why);

	fclose(in);
	return rc;
}

static void
assert_import_says(struct storetest *t, const char *text, const char *sentence)
{
	assert_true(import(t, text) < 0);
	if (strstr(t->why, sentence) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", t->why, sentence);
}

static void
empty(struct storetest *t)
{
	store_close(&t->store);
	unlink(storetest_file(t, "data.mdb"));
	unlink(storetest_file(t, "lock.mdb"));
}

static void
put_everything(struct storetest *t)
{
	Test__Part parts[2] = { TEST__PART__INIT, TEST__PART__INIT };
	Test__Part *list[2] = { &parts[0], &parts[1] };
	char *words[] = { (char *)(uintptr_t) "one", (char *)(uintptr_t) "" };
	uint32_t sizes[] = { 0, 7, UINT32_MAX };
	struct annex_key key = text_key("everything");
	Test__Record r = TEST__RECORD__INIT;

	r.text = (char *)(uintptr_t) "\"quoted\" \xf0\x9f\xa6\x89 \n";
	r.has_blob = true;
	r.blob = (ProtobufCBinaryData) { 4, (uint8_t *)(uintptr_t) "\0\xff\x80z" };
	r.has_number = true;
	r.number = UINT64_MAX;
	r.has_signed_ = true;
	r.signed_ = INT64_MIN;
	r.has_flag = true;
	r.has_colour = true;
	r.colour = TEST__COLOUR__GREEN;
	r.has_ratio = true;
	r.ratio = 0.1;
	r.n_words = 2;
	r.words = words;
	parts[0].name = (char *)(uintptr_t) "left";
	parts[1].n_sizes = 3;
	parts[1].sizes = sizes;
	r.n_parts = 2;
	r.parts = list;
	r.part = &parts[1];
	r.either_case = TEST__RECORD__EITHER_RIGHT;
	r.has_fixed = true;
	r.fixed = 5;
	r.has_small = true;
	r.small = -3;
	r.has_third = true;
	r.third = 1.0f / 3;
	assert_int_equal(annex_put(t->store, &key, &r.base), ANNEX_OK);
	key = text_key("nothing");
	test__record__init(&r);
	assert_int_equal(annex_put(t->store, &key, &r.base), ANNEX_OK);
	r.has_ratio = true;
	r.ratio = -1 / 0.0;
	r.text = (char *)(uintptr_t) "not \xff UTF-8";
	key = text_key("odd \xfe name");
	assert_int_equal(annex_put(t->store, &key, &r.base), ANNEX_OK);
}

static void
put_keys(struct storetest *t)
{
	struct annex_key key, prefix;
	char long_name[300];
	uint64_t number;

	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	key = text_key(long_name);
	put_text(t->store, &key, "long");
	key = number_key(UINT64_MAX);
	put_text(t->store, &key, "high");
	key = annex_key(BY_BYTES);
	annex_key_bytes(&key, "\0\1\xff", 3);
	annex_key_text(&key, "");
	put_text(t->store, &key, "bytes");
	for (unsigned i = 0; i < 1000; i++) {
		key = counted_key("den", i * 999);
		put_text(t->store, &key, "counted");
	}
	prefix = annex_key(COUNTED);
	annex_key_text(&prefix, "gone");
	assert_int_equal(annex_sequence(t->store, &prefix, &number), ANNEX_OK);
}

static void
what_comes_out_goes_in_and_comes_out_the_same(void **state)
{
	struct storetest *t = *state;
	struct annex_key key = text_key("everything"), prefix = annex_key(COUNTED);
	ProtobufCMessage *got;
	char *first, *second;
	uint64_t number;
	FILE *nowhere;

	put_everything(t);
	put_keys(t);
	commit(t->store);
	store_close(&t->store);
	first = export(t);
	empty(t);
	if (import(t, first) < 0)
		fail_msg("%s", t->why);
	second = export(t);
	assert_string_equal(first, second);
	nowhere = fopen("/dev/null", "w");
	assert_int_equal(store_verify(t->dir, t->lists, nowhere, t->pool, &t->why), 0);
	fclose(nowhere);
	storetest_reopen(t);
	assert_int_equal(annex_get(t->store, &key, &got), ANNEX_OK);
	assert_true(((Test__Record *)got)->signed_ == INT64_MIN);
	assert_true(((Test__Record *)got)->ratio == 0.1);
	assert_true(((Test__Record *)got)->has_flag && !((Test__Record *)got)->flag);
	assert_int_equal(((Test__Record *)got)->either_case, TEST__RECORD__EITHER_RIGHT);
	annex_key_text(&prefix, "gone");
	assert_int_equal(annex_sequence(t->store, &prefix, &number), ANNEX_OK);
	assert_int_equal(number, 2);
	free(first);
	free(second);
}

static void
a_line_reads_as_people_expect(void **state)
{
	struct storetest *t = *state;
	struct annex_key key = counted_key("den", 5);
	char *text;

	put_text(t->store, &key, "hello");
	commit(t->store);
	store_close(&t->store);
	text = export(t);
	assert_non_null(strstr(text, "\"tables\":{\"by_text\":{\"number\":1,\"version\":1}"));
	assert_non_null(strstr(text,
	    "\n{\"table\":\"counted\",\"key\":{\"group\":\"den\",\"seq\":5},"
	    "\"record\":{\"text\":\"hello\"}}\n"));
	free(text);
}

static void
rows_of_tables_that_are_gone_are_carried_along(void **state)
{
	const struct annex_table *only_first[] = {
		(const struct annex_table[]) { storetest_tables[0], { 0 } }, NULL
	};
	struct storetest *t = *state;
	struct annex_key key = number_key(17);
	char *text, *again;

	put_text(t->store, &key, "kept");
	commit(t->store);
	store_close(&t->store);
	t->lists = only_first;
	text = export(t);
	empty(t);
	assert_int_equal(import(t, text), ANNEX_OK);
	again = export(t);
	assert_non_null(strstr(text, "{\"number\":2,\"key\":"));
	assert_non_null(strstr(again, strstr(text, "{\"number\":2,\"key\":")));
	t->lists = storetest_lists;
	storetest_reopen(t);
	assert_string_equal(get_text(t->store, &key), "kept");
	free(text);
	free(again);
}

static void
unknown_fields_are_carried_along(void **state)
{
	const struct annex_table older[] = {
		{ 1, "by_text", storetest_tables[0].key, &test__old_record__descriptor, 1 },
		{ 0 },
	};
	const struct annex_table *lists[] = { older, NULL };
	struct storetest *t = *state;
	struct annex_key key = text_key("everything");
	ProtobufCMessage *got;
	char *text;

	put_everything(t);
	commit(t->store);
	store_close(&t->store);
	t->lists = lists;
	text = export(t);
	assert_non_null(strstr(text, "_unknown"));
	empty(t);
	assert_int_equal(import(t, text), ANNEX_OK);
	t->lists = storetest_lists;
	storetest_reopen(t);
	assert_int_equal(annex_get(t->store, &key, &got), ANNEX_OK);
	assert_true(((Test__Record *)got)->number == UINT64_MAX);
	assert_int_equal(((Test__Record *)got)->n_parts, 2);
	free(text);
}

#define HEADER "{\"annex-store\":1,\"tables\":{}}\n"
#define ROW(record) \
	HEADER "{\"table\":\"by_text\",\"key\":{\"name\":\"a\"},\"record\":" record "}\n"

static void
every_mistake_of_an_import_is_a_sentence(void **state)
{
	static const char *const mistakes[][2] = {
		{ "hello\n", "line 1: " },
		{ "[]\n", "line 1: is not an object" },
		{ "{}\n", "line 1: is not an export" },
		{ "{\"annex-store\":2}\n", "newer program" },
		{ "{\"annex-store\":1,\"tables\":{\"by_text\":{\"number\":1,\"version\":2}}}\n",
		    "has the table by_text in version 2, this program knows 1" },
		{ HEADER "{\"table\":\"x\",\"key\":{},\"record\":{}}\n", "no table \"x\"" },
		{ HEADER "{\"table\":\"by_text\",\"key\":{},\"record\":{}}\n", "lacks a part" },
		{ HEADER "{\"table\":\"by_text\",\"key\":{\"id\":1},\"record\":{}}\n",
		    "other parts" },
		{ HEADER "{\"table\":\"by_text\",\"key\":{\"name\":1},\"record\":{}}\n",
		    "the part \"name\" of the key has a value of the wrong kind" },
		{ HEADER "{\"table\":\"by_number\",\"key\":{\"id\":-1},\"record\":{}}\n",
		    "wrong kind" },
		{ HEADER "{\"table\":\"by_bytes\",\"key\":{\"hash\":\"!\"},\"record\":{}}\n",
		    "not base64" },
		{ HEADER "{\"table\":\"by_text\",\"key\":{\"name\":{\"packed\":\"AAAA\"}},"
			 "\"record\":{}}\n",
		    "no packed part" },
		{ ROW("{\"nonsense\":1}"), "line 2: the field \"nonsense\" is not known" },
		{ ROW("{\"text\":1}"), "the field \"text\" has a value of the wrong kind" },
		{ ROW("{\"small\":2147483648}"), "\"small\"" },
		{ ROW("{\"fixed\":-1}"), "\"fixed\"" },
		{ ROW("{\"number\":\"18446744073709551616\"}"), "\"number\"" },
		{ ROW("{\"colour\":\"BLUE\"}"), "\"colour\"" },
		{ ROW("{\"words\":\"one\"}"), "is not a list" },
		{ ROW("{\"part\":{\"name\":[]}}"), "the field \"part\" the field \"name\"" },
		{ ROW("{\"blob\":\"a\"}"), "is not base64" },
		{ ROW("{\"text\":\"a\",\"text\":\"b\"}"), "duplicate" },
		{ ROW("[]"), "is not an object" },
		{ HEADER "{\"number\":0,\"key\":\"AAABAA==\",\"record\":\"\"}\n", "cannot be one" },
		{ HEADER "{\"number\":1,\"key\":\"AAFhAA==\",\"record\":\"\"}\n", "cannot be one" },
	};
	struct storetest *t = *state;

	empty(t);
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		assert_import_says(t, mistakes[i][0], mistakes[i][1]);
		assert_int_not_equal(access(storetest_file(t, "data.mdb"), F_OK), 0);
	}
}

static void
a_store_with_rows_takes_no_import(void **state)
{
	struct storetest *t = *state;
	struct annex_key key = text_key("a");

	put_text(t->store, &key, "there");
	commit(t->store);
	assert_import_says(t, HEADER, "already in use");
	store_close(&t->store);
	assert_import_says(t, HEADER, "is not empty");
	storetest_reopen(t);
	assert_string_equal(get_text(t->store, &key), "there");
}

static int
migrate_rows(struct annex_store *store, uint32_t from)
{
	struct annex_key key = text_key("a");

	key.table = store_table(store, 1);
	return from == 1 ? try_put_text(store, &key, "migrated") : ANNEX_EINVAL;
}

static void
rows_of_an_older_version_are_migrated_at_the_next_opening(void **state)
{
	const struct annex_table newer[] = {
		{ 1, "by_text", storetest_tables[0].key, &test__record__descriptor, 2,
		    migrate_rows },
		{ 0 },
	};
	const struct annex_table *lists[] = { newer, NULL };
	struct storetest *t = *state;
	struct annex_key key = text_key("a");
	char *text;

	put_text(t->store, &key, "old");
	commit(t->store);
	store_close(&t->store);
	text = export(t);
	empty(t);
	t->lists = lists;
	assert_int_equal(import(t, text), ANNEX_OK);
	storetest_reopen(t);
	key.table = newer;
	assert_string_equal(get_text(t->store, &key), "migrated");
	t->lists = storetest_lists;
	free(text);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, storetest_setup, storetest_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_comes_out_goes_in_and_comes_out_the_same),
		TEST(a_line_reads_as_people_expect),
		TEST(rows_of_tables_that_are_gone_are_carried_along),
		TEST(unknown_fields_are_carried_along),
		TEST(every_mistake_of_an_import_is_a_sentence),
		TEST(a_store_with_rows_takes_no_import),
		TEST(rows_of_an_older_version_are_migrated_at_the_next_opening),
	};
	return cmocka_run_group_tests_name("transfer", tests, NULL, NULL);
}
