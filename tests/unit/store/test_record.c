/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_record.c - an envelope shows every changed bit
 */
#include "config.h"

#include <string.h>

#include "storetest.h"

struct sealed {
	struct annex_key key;
	struct buf value;
};

static struct sealed
seal(const char *name, const char *text)
{
	struct sealed s = { .key = text_key(name) };
	Test__Record record = TEST__RECORD__INIT;

	record.text = (char *)(uintptr_t)text;
	record_seal(&s.value, &s.key, &record.base);
	return s;
}

static const char *
complaint(const struct sealed *s)
{
	const char *why = NULL;
	size_t len;

	if (record_open(s->key.bytes, s->key.len, s->value.data, s->value.len, &len, &why) != NULL)
		return NULL;
	return why;
}

static void
what_was_sealed_opens(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct sealed s = seal("den", "a text");
	const unsigned char *bytes;
	ProtobufCMessage *record;
	const char *why;
	size_t len;

	bytes = record_open(s.key.bytes, s.key.len, s.value.data, s.value.len, &len, &why);
	assert_non_null(bytes);
	record = record_decode(&test__record__descriptor, bytes, len, pool);
	assert_non_null(record);
	assert_string_equal(((Test__Record *)record)->text, "a text");
	buf_finish(&s.value);
	annex_pool_destroy(&pool);
}

static void
every_flipped_bit_is_seen(void **state)
{
	struct sealed s = seal("den", "a text");

	for (size_t bit = 0; bit < s.value.len * 8; bit++) {
		s.value.data[bit / 8] ^= (char)(1 << bit % 8);
		assert_non_null(complaint(&s));
		s.value.data[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t bit = 0; bit < s.key.len * 8u; bit++) {
		s.key.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_non_null(complaint(&s));
		s.key.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	assert_null(complaint(&s));
	buf_finish(&s.value);
}

static void
a_cut_value_is_seen(void **state)
{
	struct sealed s = seal("den", "a text");

	while (s.value.len > 0) {
		s.value.len--;
		assert_non_null(complaint(&s));
	}
	buf_finish(&s.value);
}

/* What a newer program wrote survives an older one that rewrites the row. */
static void
unknown_fields_survive_an_older_program(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	Test__Record record = TEST__RECORD__INIT;
	Test__OldRecord *old;
	uint8_t packed[256], again[256];
	size_t len;

	record.text = (char *)(uintptr_t) "first";
	record.has_number = true;
	record.number = 17;
	len = test__record__pack(&record, packed);
	old = (Test__OldRecord *)record_decode(&test__old_record__descriptor, packed, len, pool);
	assert_non_null(old);
	old->text = (char *)(uintptr_t) "second";
	len = test__old_record__pack(old, again);
	old = NULL;
	record = *(Test__Record *)record_decode(&test__record__descriptor, again, len, pool);
	assert_string_equal(record.text, "second");
	assert_true(record.has_number && record.number == 17);
	annex_pool_destroy(&pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_opens),
		cmocka_unit_test(every_flipped_bit_is_seen),
		cmocka_unit_test(a_cut_value_is_seen),
		cmocka_unit_test(unknown_fields_survive_an_older_program),
	};
	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
