/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_prep.c - the fast path says what libidn says, and preparing twice
 * is preparing once
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <annex/jid.h>
#include <annex/pool.h>

#include <stringprep.h>

#include "tree.h"
#include "xmpp/prep.h"

#define ROUNDS 100000

/* xorshift: the same numbers on every machine. */
static uint64_t
draw(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Mostly what JIDs are made of, so that whole texts are often allowed. */
static void
draw_ascii(uint64_t *seed, char *text, size_t room)
{
	static const char usual[] = "abcXYZ019-_.";
	size_t len = 1 + draw(seed) % (room - 1);

	for (size_t i = 0; i < len; i++)
		text[i] = draw(seed) % 24 == 0 ? (char)(1 + draw(seed) % 127)
					       : usual[draw(seed) % (sizeof(usual) - 1)];
	text[len] = '\0';
}

static void
assert_as_libidn(
    bool ok, const struct span *part, char *text, size_t room, const Stringprep_profile *profile)
{
	bool expected = stringprep(text, room, 0, profile) == STRINGPREP_OK && text[0] != '\0';

	if (ok != expected)
		fail_msg("%s: %d", text, ok);
	if (ok && (part->len != strlen(text) || memcmp(part->text, text, part->len) != 0))
		fail_msg("%s is not %.*s", text, (int)part->len, part->text);
}

static void
test_fast_local_is_nodeprep(void **state)
{
	uint64_t seed = 20240601;
	char text[24], room[PREP_ROOM];

	for (int i = 0; i < ROUNDS; i++) {
		struct span part = { text, 0 };

		draw_ascii(&seed, text, sizeof(text));
		part.len = strlen(text);
		assert_as_libidn(
		    prep_local(&part, room), &part, text, sizeof(text), stringprep_xmpp_nodeprep);
	}
}

static void
test_fast_resource_is_resourceprep(void **state)
{
	uint64_t seed = 20240602;
	char text[40], room[PREP_ROOM];

	for (int i = 0; i < ROUNDS; i++) {
		struct span part = { text, 0 };

		draw_ascii(&seed, text, sizeof(text));
		part.len = strlen(text);
		assert_as_libidn(prep_resource(&part, room), &part, text, sizeof(text),
		    stringprep_xmpp_resourceprep);
	}
}

static bool
is_host_name(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t len = strlen(text);

	return text[0] != '.' && strstr(text, "..") == NULL && strspn(text, allowed) == len;
}

static void
test_fast_domain_is_nameprep_of_host_names(void **state)
{
	uint64_t seed = 20240603;
	char text[24], room[PREP_ROOM];
	size_t len, names = 0;
	bool ok;

	for (int i = 0; i < ROUNDS; i++) {
		struct span part = { text, 0 };

		draw_ascii(&seed, text, sizeof(text));
		part.len = strlen(text);
		ok = prep_domain(&part, room);
		assert_int_equal(stringprep(text, sizeof(text), 0, stringprep_nameprep), 0);
		assert_int_equal(ok, is_host_name(text));
		if (!ok)
			continue;
		names++;
		len = strlen(text);
		len -= text[len - 1] == '.';
		assert_int_equal(part.len, len);
		assert_memory_equal(part.text, text, len);
	}
	assert_true(names > ROUNDS / 10);
}

static size_t
put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 63));
		to[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 63));
	to[2] = (char)(0x80 | (c >> 6 & 63));
	to[3] = (char)(0x80 | (c & 63));
	return 4;
}

/* A few characters from all over Unicode, combining ones and Hangul often. */
static void
draw_unicode(uint64_t *seed, char *text)
{
	static const uint32_t range[][2] = { { 0x21, 0x7e }, { 0xa1, 0x24f }, { 0x300, 0x36f },
		{ 0x370, 0x6ff }, { 0x900, 0xeff }, { 0x1100, 0x11ff }, { 0x1e00, 0x20ff },
		{ 0x2100, 0x2fff }, { 0x3000, 0x33ff }, { 0xac00, 0xd7a3 }, { 0xf900, 0xffef },
		{ 0x10000, 0x10ffff } };
	size_t n = 1 + draw(seed) % 5, row;

	for (size_t i = 0; i < n; i++) {
		row = draw(seed) % (sizeof(range) / sizeof(range[0]));
		text += put_utf8(text,
		    range[row][0] + (uint32_t)(draw(seed) % (range[row][1] - range[row][0] + 1)));
	}
	*text = '\0';
}

/* Prepare; where that is allowed, prepare the result, which must stay. */
static bool
stays(struct annex_pool *pool, const char *text,
    const char *(*prep)(struct annex_pool *, const char *))
{
	const char *once = prep(pool, text), *twice;

	if (once == NULL)
		return false;
	twice = prep(pool, once);
	if (twice == NULL || strcmp(once, twice) != 0)
		fail_msg("%s -> %s -> %s", text, once, twice == NULL ? "nothing" : twice);
	return true;
}

static void
test_preparing_twice_is_preparing_once(void **state)
{
	uint64_t seed = 20240604;
	size_t allowed = 0;
	char text[64];

	for (int i = 0; i < 20000; i++) {
		draw_unicode(&seed, text);
		allowed += stays(*state, text, annex_prep_local);
		allowed += stays(*state, text, annex_prep_domain);
		allowed += stays(*state, text, annex_prep_resource);
		annex_pool_reset(*state);
	}
	assert_true(allowed > 10000);
}

static void
test_every_character_alone_stays(void **state)
{
	char text[8];

	for (uint32_t c = 1; c < 0x20000; c++) {
		if (c == 0xd800)
			c = 0xe000;
		text[put_utf8(text, c)] = '\0';
		stays(*state, text, annex_prep_local);
		stays(*state, text, annex_prep_domain);
		stays(*state, text, annex_prep_resource);
		annex_pool_reset(*state);
	}
}

static void
test_strict_refuses_what_unicode_3_2_did_not_know(void **state)
{
	static const char robot[] = "\xf0\x9f\xa4\x96";

	assert_string_equal(annex_prep_resource(*state, robot), robot);
	assert_null(annex_prep_resource_strict(*state, robot));
	assert_string_equal(annex_prep_resource_strict(*state, "Owl"), "Owl");
	assert_string_equal(annex_prep_resource_strict(*state, "\xc3\xa4"), "\xc3\xa4");
	assert_null(annex_prep_resource_strict(*state, "a\x01"));
}

static void
test_nothing_is_no_part(void **state)
{
	assert_null(annex_prep_local(*state, ""));
	assert_null(annex_prep_domain(*state, ""));
	assert_null(annex_prep_resource(*state, ""));
	assert_null(annex_prep_resource_strict(*state, ""));
	assert_null(annex_prep_local(*state, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fast_local_is_nodeprep),
		cmocka_unit_test(test_fast_resource_is_resourceprep),
		cmocka_unit_test(test_fast_domain_is_nameprep_of_host_names),
		cmocka_unit_test(test_preparing_twice_is_preparing_once),
		cmocka_unit_test(test_every_character_alone_stays),
		cmocka_unit_test(test_strict_refuses_what_unicode_3_2_did_not_know),
		cmocka_unit_test(test_nothing_is_no_part),
	};

	return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}
