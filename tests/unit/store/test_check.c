/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_check.c - verify finds what is wrong, and survives it
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storetest.h"

static int
setup(void **state)
{
	struct storetest *t = calloc(1, sizeof(*t));
	struct annex_key key;

	storetest_init(t);
	assert_int_equal(storetest_open(t), ANNEX_OK);
	for (unsigned i = 0; i < 2000; i++) {
		key = counted_key(i % 3 == 0 ? "a" : "b", (uint64_t)i * i);
		put_text(t->store, &key, "a row with some text in it");
		key = number_key(i);
		put_text(t->store, &key, "another");
		if (i % 100 == 0)
			commit(t->store);
	}
	commit(t->store);
	*state = t;
	return 0;
}

static int
verify(struct storetest *t, const struct annex_table *const *lists, char **text_r)
{
	size_t len;
	FILE *out = open_memstream(text_r, &len);
	int wrong;

	store_close(&t->store);
	wrong = store_verify(t->dir, lists, out, t->pool, &t->why);
	fclose(out);
	return wrong;
}

static void
assert_finds(struct storetest *t, int wrong, const char *sentence)
{
	char *text = NULL;
	int found = verify(t, storetest_lists, &text);

	if (found != wrong || strstr(text, sentence) == NULL)
		fail_msg("%d things: %s", found, text);
	free(text);
}

/* Behind the store's back. */
static void
put_raw(struct storetest *t, const struct annex_key *key, const ProtobufCMessage *record)
{
	assert_int_equal(store_use(t->store), ANNEX_OK);
	assert_int_equal(system_put(t->store, key, record), ANNEX_OK);
	commit(t->store);
}

static void
a_sound_store_is_called_sound(void **state)
{
	struct storetest *t = *state;
	char *text = NULL;

	assert_int_equal(verify(t, storetest_lists, &text), 0);
	assert_non_null(strstr(text, "by_number: 2000 rows\n"));
	assert_non_null(strstr(text, "counted: 2000 rows\n"));
	assert_non_null(strstr(text, "nothing is wrong\n"));
	free(text);
}

static void
a_store_whose_tables_are_not_known_is_checked_all_the_same(void **state)
{
	const struct annex_table *const none[] = { NULL };
	struct storetest *t = *state;
	char *text = NULL;

	assert_int_equal(verify(t, none, &text), 0);
	assert_non_null(strstr(text, "table number 2, which this program does not know: 2000"));
	free(text);
}

static void
a_wrong_count_is_found(void **state)
{
	Annex__Store__Count count = ANNEX__STORE__COUNT__INIT;
	struct storetest *t = *state;
	struct annex_key group = annex_key(COUNTED), key;

	annex_key_text(&group, "a");
	key = count_root_key(group.bytes, group.len);
	count.rows = 17;
	count.height = 3;
	put_raw(t, &key, &count.base);
	assert_finds(t, 1, "counts 17 where there are 667");
}

static void
a_wrong_weight_is_found(void **state)
{
	Annex__Store__Count count = ANNEX__STORE__COUNT__INIT;
	struct storetest *t = *state;
	struct annex_key group = annex_key(COUNTED), key;

	annex_key_text(&group, "a");
	key = count_root_key(group.bytes, group.len);
	count.rows = 667;
	count.height = 3;
	count.weight = 17;
	put_raw(t, &key, &count.base);
	assert_finds(t, 1, "weighs 17 where its rows weigh 17342");
}

static void
a_count_of_nothing_is_found(void **state)
{
	Annex__Store__Count count = ANNEX__STORE__COUNT__INIT;
	struct storetest *t = *state;
	struct annex_key group = annex_key(COUNTED), key;

	annex_key_text(&group, "nobody");
	key = count_root_key(group.bytes, group.len);
	count.rows = 1;
	put_raw(t, &key, &count.base);
	assert_finds(t, 1, "counts are there");
}

static void
a_number_that_no_row_has_is_no_fault(void **state)
{
	struct storetest *t = *state;
	struct annex_key group = annex_key(COUNTED);
	uint64_t number;

	annex_key_text(&group, "nobody");
	assert_int_equal(annex_sequence(t->store, &group, &number), ANNEX_OK);
	commit(t->store);
	assert_finds(t, 0, "nothing is wrong");
}

static void
a_row_that_was_not_counted_is_found(void **state)
{
	Test__Record record = TEST__RECORD__INIT;
	struct storetest *t = *state;
	struct annex_key key = counted_key("a", 1);

	put_raw(t, &key, &record.base);
	/* Its two nodes and the root. */
	assert_finds(t, 3, "where there are 668");
}

static void
a_row_that_does_not_decode_is_found(void **state)
{
	Annex__Store__Format other = ANNEX__STORE__FORMAT__INIT;
	struct storetest *t = *state;
	struct annex_key key = number_key(7);

	/* Field 1 is a number there and a text here. */
	other.format = 1;
	put_raw(t, &key, &other.base);
	assert_finds(t, 1, "the row by_number(7) cannot be decoded");
}

static void
a_row_under_another_key_is_found(void **state)
{
	struct storetest *t = *state;
	struct annex_key one = number_key(1), two = number_key(2);
	MDB_val k = key_val(&one), v;
	char copy[64];

	assert_int_equal(store_use(t->store), ANNEX_OK);
	assert_int_equal(t->env.io->get(t->env.io, t->store->txn, &k, &v), 0);
	v.mv_data = memcpy(copy, v.mv_data, v.mv_size);
	k = key_val(&two);
	assert_int_equal(t->env.io->put(t->env.io, t->store->txn, &k, &v, 0), 0);
	store_wrote(t->store, 0);
	commit(t->store);
	assert_finds(t, 1, "does not match its checksum");
}

static void
a_flipped_bit_anywhere_never_crashes_who_asks(void **state)
{
	struct storetest *t = *state;
	struct random random;
	char *text = NULL, byte, was;
	unsigned found = 0, refused = 0;
	int fd, wrong;
	off_t at;
	struct store_stat stat;
	uint64_t used;

	assert_int_equal(store_stat(t->store, false, t->pool, &stat), ANNEX_OK);
	used = stat.bytes_used + stat.bytes_free_inside;
	store_close(&t->store);
	random_init_seeded(&random, 6);
	fd = open(storetest_file(t, "data.mdb"), O_RDWR);
	for (int i = 0; i < 120; i++) {
		at = random_below(&random, (uint32_t)used);
		/* Half of them in the first bytes of a page, where the tree is. */
		if (i % 2 == 0)
			at = at / 4096 * 4096 + random_below(&random, 48);
		assert_int_equal(pread(fd, &was, 1, at), 1);
		byte = (char)(was ^ 1 << random_below(&random, 8));
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		wrong = verify(t, storetest_lists, &text);
		if (wrong < 0) {
			refused++;
			assert_true(strlen(t->why) > 10);
		}
		found += wrong > 0;
		free(text);
		assert_int_equal(pwrite(fd, &was, 1, at), 1);
	}
	close(fd);
	/* The rest lies in free pages and in room that rows do not fill. */
	assert_true(found > 10);
	assert_int_equal(verify(t, storetest_lists, &text), 0);
	free(text);
}

static void
a_damaged_row_is_left_out_of_an_export_and_named(void **state)
{
	struct storetest *t = *state;
	struct annex_key key = number_key(3);
	MDB_val k = key_val(&key), v = { 6, (void *)(uintptr_t) "\1xxxxy" };
	char *text = NULL;
	size_t len;
	FILE *out;

	assert_int_equal(store_use(t->store), ANNEX_OK);
	assert_int_equal(t->env.io->put(t->env.io, t->store->txn, &k, &v, 0), 0);
	store_wrote(t->store, 0);
	commit(t->store);
	store_close(&t->store);
	out = open_memstream(&text, &len);
	assert_int_equal(store_export(t->dir, storetest_lists, out, t->pool, &t->why), 1);
	fclose(out);
	assert_non_null(strstr(text, "{\"damaged\":\"the row "));
	assert_non_null(strstr(text, "\"key\":{\"id\":2}"));
	assert_null(strstr(text, "\"key\":{\"id\":3}"));
	unlink(storetest_file(t, "data.mdb"));
	out = fmemopen(text, len, "r");
	assert_int_equal(store_import(t->dir, storetest_lists, out, t->pool, &t->why), ANNEX_OK);
	fclose(out);
	free(text);
	text = NULL;
	assert_int_equal(verify(t, storetest_lists, &text), 0);
	assert_non_null(strstr(text, "by_number: 1999 rows"));
	free(text);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, storetest_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_sound_store_is_called_sound),
		TEST(a_store_whose_tables_are_not_known_is_checked_all_the_same),
		TEST(a_wrong_count_is_found),
		TEST(a_wrong_weight_is_found),
		TEST(a_count_of_nothing_is_found),
		TEST(a_number_that_no_row_has_is_no_fault),
		TEST(a_row_that_was_not_counted_is_found),
		TEST(a_row_that_does_not_decode_is_found),
		TEST(a_row_under_another_key_is_found),
		TEST(a_flipped_bit_anywhere_never_crashes_who_asks),
		TEST(a_damaged_row_is_left_out_of_an_export_and_named),
	};
	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
