/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_key.c - packed keys sort as their parts do
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "storetest.h"

static const struct annex_key_part all_parts[] = {
	{ "name", ANNEX_KEY_TEXT },
	{ "hash", ANNEX_KEY_BYTES },
	{ "id", ANNEX_KEY_U64 },
	{ 0 },
};
static const struct annex_table all_kinds = { 300, "all", all_parts, &test__record__descriptor, 1 };

struct tuple {
	char text[200];
	unsigned char bytes[200];
	size_t len;
	uint64_t number;
};

/* Few letters, so that many share a beginning; the lowest and highest among them. */
static void
draw_tuple(struct random *random, struct tuple *tuple, size_t longest)
{
	static const unsigned char letters[] = { 0x01, 'a', 0xfe, 0xff };
	static const unsigned char bytes[] = { 0x00, 0x01, 0x02, 0xff };
	size_t n = random_below(random, (uint32_t)longest + 1);

	memset(tuple, 0, sizeof(*tuple));
	for (size_t i = 0; i < n; i++)
		tuple->text[i] = (char)letters[random_below(random, 4)];
	tuple->len = random_below(random, (uint32_t)longest + 1);
	for (size_t i = 0; i < tuple->len; i++)
		tuple->bytes[i] = bytes[random_below(random, 4)];
	tuple->number = (uint64_t)random_below(random, 3) << (8 * random_below(random, 8));
}

static struct annex_key
pack(const struct tuple *tuple)
{
	struct annex_key key = annex_key(&all_kinds);

	annex_key_text(&key, tuple->text);
	annex_key_bytes(&key, tuple->bytes, tuple->len);
	return *annex_key_u64(&key, tuple->number);
}

static int
sign(long n)
{
	return (n > 0) - (n < 0);
}

static int
compare_tuples(const struct tuple *a, const struct tuple *b)
{
	size_t shorter = a->len < b->len ? a->len : b->len;
	int order = strcmp(a->text, b->text);

	if (order == 0)
		order = memcmp(a->bytes, b->bytes, shorter);
	if (order == 0)
		order = sign((long)a->len - (long)b->len);
	if (order == 0)
		order = a->number < b->number ? -1 : a->number > b->number;
	return sign(order);
}

static int
compare_keys(const struct annex_key *a, const struct annex_key *b)
{
	return key_is_before(a, b) ? -1 : key_is_before(b, a);
}

static void
order_is_that_of_the_parts(void **state)
{
	struct random random;

	random_init_seeded(&random, 1);
	for (unsigned i = 0; i < 20000; i++) {
		struct tuple a, b;
		struct annex_key ka, kb;

		draw_tuple(&random, &a, 5);
		draw_tuple(&random, &b, 5);
		if (random_below(&random, 3) == 0)
			strcpy(b.text, a.text);
		ka = pack(&a);
		kb = pack(&b);
		assert_int_equal(compare_keys(&ka, &kb), compare_tuples(&a, &b));
	}
}

static void
parts_come_back_as_they_were(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct random random;
	const unsigned char *bytes;
	size_t len;

	random_init_seeded(&random, 2);
	for (unsigned i = 0; i < 5000; i++) {
		struct tuple tuple;
		struct annex_key key, read;

		draw_tuple(&random, &tuple, 60);
		key = pack(&tuple);
		assert_int_equal(key_read(&read, &all_kinds, key.bytes, key.len), ANNEX_OK);
		assert_string_equal(annex_key_string(&read, 0, pool), tuple.text);
		bytes = annex_key_blob(&read, 1, pool, &len);
		assert_int_equal(len, tuple.len);
		assert_memory_equal(bytes, tuple.bytes, len);
		assert_true(annex_key_number(&read, 2) == tuple.number);
		annex_pool_reset(pool);
	}
	annex_pool_destroy(&pool);
}

/* Of 110 to 140 bytes: shorter, equal and longer than what is kept. */
static void
long_parts_differ_whatever_they_hold(void **state)
{
	enum { N = 400 };
	struct tuple *tuples = calloc(N, sizeof(*tuples));
	struct annex_key *keys = calloc(N, sizeof(*keys)), read;
	struct random random;

	random_init_seeded(&random, 3);
	for (unsigned i = 0; i < N; i++) {
		struct tuple *t = &tuples[i];
		size_t len = 110 + random_below(&random, 31);

		memset(t->text, 'a', len);
		t->text[len - 1] = "a\001\002b"[random_below(&random, 4)];
		t->len = 110 + random_below(&random, 31);
		memset(t->bytes, 7, t->len);
		t->bytes[t->len - 1] = (unsigned char)random_below(&random, 3);
		t->bytes[random_below(&random, (uint32_t)t->len)] = 0;
		keys[i] = pack(t);
		assert_int_equal(key_read(&read, &all_kinds, keys[i].bytes, keys[i].len), ANNEX_OK);
	}
	for (unsigned i = 0; i < N; i++)
		for (unsigned j = 0; j < N; j++)
			assert_int_equal(compare_keys(&keys[i], &keys[j]) == 0,
			    compare_tuples(&tuples[i], &tuples[j]) == 0);
	free(tuples);
	free(keys);
}

static void
a_long_text_keeps_its_place_by_its_beginning(void **state)
{
	struct tuple shorter = { .text = "" }, longer = { .text = "" }, behind = { .text = "" };
	struct annex_key a, b, c;

	memset(shorter.text, 'k', 120);
	memset(longer.text, 'k', 130);
	memset(behind.text, 'k', 119);
	behind.text[119] = 'l';
	a = pack(&shorter);
	b = pack(&longer);
	c = pack(&behind);
	assert_true(key_is_before(&a, &b));
	assert_true(key_is_before(&b, &c));
}

static void
a_cut_text_is_not_given_back(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct tuple tuple = { .text = "" };
	struct annex_key key;
	size_t len;

	memset(tuple.text, 'k', 120);
	memset(tuple.bytes, 1, tuple.len = 120);
	key = pack(&tuple);
	assert_string_equal(annex_key_string(&key, 0, pool), tuple.text);
	assert_non_null(annex_key_blob(&key, 1, pool, &len));
	tuple.text[120] = 'k';
	tuple.bytes[0] = 0;
	key = pack(&tuple);
	assert_null(annex_key_string(&key, 0, pool));
	assert_null(annex_key_blob(&key, 1, pool, &len));
	annex_pool_destroy(&pool);
}

static void
the_longest_key_is_what_the_table_was_measured_for(void **state)
{
	struct tuple tuple = { .len = 200 };
	struct annex_key key;

	memset(tuple.text, 'k', 199);
	memset(tuple.bytes, 1, 200);
	key = pack(&tuple);
	assert_true(key.len <= key_table_max(&all_kinds));
	assert_true(key.len + 2u >= key_table_max(&all_kinds));
}

static void
the_key_after_a_prefix_is_behind_all_that_begin_with_it(void **state)
{
	struct annex_key prefix = annex_key(&all_kinds), after;
	struct annex_key highest = { .len = 2, .bytes = { 0xff, 0xff } };

	assert_true(key_after(&after, &prefix));
	assert_int_equal(after.len, 2);
	assert_int_equal(after.bytes[1], prefix.bytes[1] + 1);
	assert_false(key_after(&after, &highest));
}

static void
bytes_that_are_no_key_are_told_from_one(void **state)
{
	struct tuple tuple = { .text = "den", .bytes = { 0, 1 }, .len = 2, .number = 5 };
	struct annex_key key = pack(&tuple), read;
	unsigned char longer[ANNEX_KEY_MAX];

	for (unsigned len = 0; len < key.len; len++)
		assert_int_equal(key_read(&read, &all_kinds, key.bytes, len), ANNEX_EINVAL);
	memcpy(longer, key.bytes, key.len);
	longer[key.len] = 0;
	assert_int_equal(key_read(&read, &all_kinds, longer, key.len + 1u), ANNEX_EINVAL);
	assert_int_equal(key_read(&read, &all_kinds, longer, key.len), ANNEX_OK);
	longer[1]++;
	assert_int_equal(key_read(&read, &all_kinds, longer, key.len), ANNEX_EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_that_of_the_parts),
		cmocka_unit_test(parts_come_back_as_they_were),
		cmocka_unit_test(long_parts_differ_whatever_they_hold),
		cmocka_unit_test(a_long_text_keeps_its_place_by_its_beginning),
		cmocka_unit_test(a_cut_text_is_not_given_back),
		cmocka_unit_test(the_longest_key_is_what_the_table_was_measured_for),
		cmocka_unit_test(the_key_after_a_prefix_is_behind_all_that_begin_with_it),
		cmocka_unit_test(bytes_that_are_no_key_are_told_from_one),
	};
	return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
