/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_rsm.c - result sets (XEP-0059), by example and against a model
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <annex/rsm.h>

#include "tree.h"

/* Requests. */

static int
read_page(struct annex_pool *pool, const char *set, struct annex_page *page)
{
	return annex_page_read(page,
	    tree_of(pool, annex_sprintf(pool, "<query xmlns='urn:q'>%s</query>", set)), 20, 100);
}

#define SET(inside) "<set xmlns='http://jabber.org/protocol/rsm'>" inside "</set>"

static void
test_without_a_set_the_preset_holds(void **state)
{
	struct annex_page page;

	assert_int_equal(read_page(*state, "<item/>", &page), ANNEX_OK);
	assert_false(page.present);
	assert_int_equal(page.max, 20);
	assert_null(page.after);
	assert_null(page.before);
	assert_false(page.by_index);
}

static void
test_a_request_is_read(void **state)
{
	struct annex_page page;

	assert_int_equal(read_page(*state, SET("<max> 10 </max><after>x</after>"), &page), 0);
	assert_true(page.present);
	assert_int_equal(page.max, 10);
	assert_string_equal(page.after, "x");
	assert_int_equal(read_page(*state, SET("<before/>"), &page), ANNEX_OK);
	assert_int_equal(page.max, 20);
	assert_string_equal(page.before, "");
	assert_int_equal(read_page(*state, SET("<after>a</after><before>b</before>"), &page), 0);
	assert_string_equal(page.after, "a");
	assert_string_equal(page.before, "b");
	assert_int_equal(read_page(*state, SET("<max>0</max>"), &page), ANNEX_OK);
	assert_int_equal(page.max, 0);
	assert_int_equal(read_page(*state, SET("<index>371</index>"), &page), ANNEX_OK);
	assert_true(page.by_index);
	assert_int_equal(page.index, 371);
	assert_int_equal(read_page(*state, SET("<after/>"), &page), ANNEX_OK);
	assert_null(page.after);
}

static void
test_max_never_passes_the_limit(void **state)
{
	struct annex_page page;

	assert_int_equal(read_page(*state, SET("<max>101</max>"), &page), ANNEX_OK);
	assert_int_equal(page.max, 100);
	assert_int_equal(
	    read_page(*state, SET("<max>99999999999999999999999999999999</max>"), &page), ANNEX_OK);
	assert_int_equal(page.max, 100);
	assert_int_equal(annex_page_read(&page, tree_of(*state, "<q xmlns='urn:q'/>"), 20, 5), 0);
	assert_int_equal(page.max, 5);
}

static void
test_a_malformed_request_is_refused(void **state)
{
	static const char *const sets[] = {
		SET("<max>-1</max>"),
		SET("<max>ten</max>"),
		SET("<max/>"),
		SET("<max>1 2</max>"),
		SET("<max>+1</max>"),
		SET("<max>1.0</max>"),
		SET("<index>-1</index>"),
		SET("<index/>"),
		SET("<index>1</index><after>x</after>"),
		SET("<index>1</index><before/>"),
	};
	struct annex_page page;

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (read_page(*state, sets[i], &page) != ANNEX_EINVAL)
			fail_msg("%s", sets[i]);
}

/* Pages of an array whose items are their ids. */

#define N_LETTERS 10
static const char *const letters[N_LETTERS] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" };

static const char *
id_of(const void *item)
{
	return item;
}

static struct annex_array
array_of_letters(size_t n)
{
	return (struct annex_array) { (void *const *)(uintptr_t)letters, n, id_of };
}

/* "cde 2/10 complete": ids, index of the first, total, whether complete. */
static const char *
show(struct annex_pool *pool, const struct annex_page_result *result)
{
	const char *text = "";

	for (size_t i = 0; i < result->count; i++) {
		assert_string_equal(result->id[i], result->item[i]);
		text = annex_sprintf(pool, "%s%s", text, result->id[i]);
	}
	if (result->has_index)
		text = annex_sprintf(pool, "%s %d", text, (int)result->index);
	if (result->has_total)
		text = annex_sprintf(pool, "%s/%d", text, (int)result->total);
	return annex_sprintf(pool, "%s%s", text, result->complete ? " complete" : "");
}

static const struct {
	const char *what;
	struct annex_page page;
	const char *expected;
} pages[] = {
	{ "first page", { .max = 3 }, "abc 0/10" },
	{ "next page", { .max = 3, .after = "c" }, "def 3/10" },
	{ "last page forwards", { .max = 3, .after = "g" }, "hij 7/10 complete" },
	{ "behind the last", { .max = 3, .after = "j" }, "/10 complete" },
	{ "last page", { .max = 3, .before = "" }, "hij 7/10" },
	{ "page before", { .max = 3, .before = "h" }, "efg 4/10" },
	{ "first page backwards", { .max = 3, .before = "d" }, "abc 0/10 complete" },
	{ "less than a page", { .max = 3, .before = "c" }, "ab 0/10 complete" },
	{ "before the first", { .max = 3, .before = "a" }, "/10 complete" },
	{ "all", { .max = 10 }, "abcdefghij 0/10 complete" },
	{ "all backwards", { .max = 10, .before = "" }, "abcdefghij 0/10 complete" },
	{ "between", { .max = 9, .after = "b", .before = "f" }, "cde 2/10 complete" },
	{ "between, the last", { .max = 2, .after = "b", .before = "f" }, "de 3/10" },
	{ "between neighbours", { .max = 2, .after = "b", .before = "c" }, "/10 complete" },
	{ "between, inverted", { .max = 2, .after = "f", .before = "b" }, "/10 complete" },
	{ "between itself", { .max = 2, .after = "f", .before = "f" }, "/10 complete" },
	{ "last behind", { .max = 3, .after = "c", .before = "" }, "hij 7/10" },
	{ "all behind", { .max = 9, .after = "g", .before = "" }, "hij 7/10 complete" },
	{ "at an index", { .max = 3, .by_index = true, .index = 4 }, "efg 4/10" },
	{ "at index 0", { .max = 3, .by_index = true }, "abc 0/10" },
	{ "at the end", { .max = 3, .by_index = true, .index = 8 }, "ij 8/10 complete" },
	{ "beyond the end", { .max = 3, .by_index = true, .index = 10 }, "/10 complete" },
	{ "far beyond", { .max = 3, .by_index = true, .index = UINT64_MAX }, "/10 complete" },
	{ "count only", { .max = 0 }, "/10" },
	{ "count only, last page", { .max = 0, .before = "" }, "/10" },
};

static void
test_pages_are_what_was_asked_for(void **state)
{
	struct annex_array array = array_of_letters(N_LETTERS);
	struct annex_source source = annex_array_source(&array);
	struct annex_page_result result;

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		assert_int_equal(annex_page_fetch(&source, &pages[i].page, *state, &result), 0);
		if (strcmp(show(*state, &result), pages[i].expected) != 0)
			fail_msg("%s: %s", pages[i].what, show(*state, &result));
	}
}

static void
test_an_unknown_id_is_not_found(void **state)
{
	static const struct annex_page asked[] = {
		{ .max = 3, .after = "x" },
		{ .max = 3, .before = "x" },
		{ .max = 3, .after = "x", .before = "" },
		{ .max = 3, .after = "x", .before = "c" },
		{ .max = 3, .after = "c", .before = "x" },
	};
	struct annex_array array = array_of_letters(N_LETTERS);
	struct annex_source source = annex_array_source(&array);
	struct annex_page_result result;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
			assert_int_equal(
			    annex_page_fetch(&source, &asked[i], *state, &result), ANNEX_ENOENT);
		source.index_of = NULL;
	}
}

static void
test_a_source_may_know_no_count_and_no_index(void **state)
{
	struct annex_array array = array_of_letters(N_LETTERS);
	struct annex_source source = annex_array_source(&array);
	const struct annex_page page = { .max = 2, .after = "c" };
	const struct annex_page at = { .max = 2, .by_index = true, .index = 2 };
	struct annex_page_result result;

	source.count = NULL;
	source.index_of = NULL;
	assert_int_equal(annex_page_fetch(&source, &page, *state, &result), ANNEX_OK);
	assert_string_equal(show(*state, &result), "de");
	source.seek = NULL;
	assert_int_equal(annex_page_fetch(&source, &at, *state, &result), ANNEX_ELIMIT);
}

static int
fail_walk(void *cookie, const char *from, bool backwards, annex_take_fn *take, void *taker)
{
	return ANNEX_ESTORE;
}

static int
fail_count(void *cookie, uint64_t *count_r)
{
	return ANNEX_ESTORE;
}

static void
test_a_failing_source_fails_the_page(void **state)
{
	struct annex_array array = array_of_letters(N_LETTERS);
	struct annex_source source = annex_array_source(&array);
	const struct annex_page page = { .max = 2 };
	struct annex_page_result result;

	source.count = fail_count;
	assert_int_equal(annex_page_fetch(&source, &page, *state, &result), ANNEX_ESTORE);
	source.walk = fail_walk;
	assert_int_equal(annex_page_fetch(&source, &page, *state, &result), ANNEX_ESTORE);
}

/* The model: look at every item, keep what is in the range, cut. */
struct model {
	size_t first, count;
	bool complete;
};

static struct model
model_of(const struct annex_page *page, size_t n)
{
	size_t begin = 0, end = n;
	struct model m;

	for (size_t i = 0; i < n; i++) {
		if (page->after != NULL && strcmp(letters[i], page->after) == 0)
			begin = i + 1;
		if (page->before != NULL && strcmp(letters[i], page->before) == 0)
			end = i;
	}
	if (page->by_index)
		begin = page->index < n ? (size_t)page->index : n;
	if (end < begin)
		end = begin;
	m.count = end - begin < page->max ? end - begin : page->max;
	m.first = page->before != NULL ? end - m.count : begin;
	m.complete = m.count == end - begin;
	return m;
}

static uint64_t
draw(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static struct annex_page
draw_page(uint64_t *seed, size_t n)
{
	struct annex_page page = { .present = true, .max = draw(seed) % 12 };

	if (draw(seed) % 4 == 0) {
		page.by_index = true;
		page.index = draw(seed) % 13;
		return page;
	}
	if (n > 0 && draw(seed) % 2 == 0)
		page.after = letters[draw(seed) % n];
	if (draw(seed) % 2 == 0)
		page.before = n == 0 || draw(seed) % 3 == 0 ? "" : letters[draw(seed) % n];
	return page;
}

static void
test_random_requests_are_answered_as_the_model_does(void **state)
{
	uint64_t seed = 20240606;

	for (int round = 0; round < 50000; round++) {
		size_t n = draw(&seed) % (N_LETTERS + 1);
		struct annex_array array = array_of_letters(n);
		struct annex_source source = annex_array_source(&array);
		struct annex_page page = draw_page(&seed, n);
		struct model m = model_of(&page, n);
		struct annex_page_result result;

		assert_int_equal(annex_page_fetch(&source, &page, *state, &result), ANNEX_OK);
		assert_int_equal(result.count, m.count);
		assert_int_equal(result.total, n);
		assert_int_equal(result.complete, m.complete);
		assert_int_equal(result.has_index, m.count > 0);
		for (size_t i = 0; i < m.count; i++) {
			assert_ptr_equal(result.item[i], letters[m.first + i]);
			assert_string_equal(result.id[i], letters[m.first + i]);
		}
		if (m.count > 0)
			assert_int_equal(result.index, m.first);
		annex_pool_reset(*state);
	}
}

/* Page by page, in both directions, everything is met once and in order. */
static void
test_paging_meets_everything_once(void **state)
{
	struct annex_array array = array_of_letters(N_LETTERS);
	struct annex_source source = annex_array_source(&array);
	struct annex_page_result result;

	for (size_t max = 1; max <= N_LETTERS; max++) {
		struct annex_page page = { .max = max };
		size_t met = 0;

		do {
			assert_int_equal(annex_page_fetch(&source, &page, *state, &result), 0);
			for (size_t i = 0; i < result.count; i++)
				assert_string_equal(result.id[i], letters[met++]);
			page.after = result.id[result.count - 1];
		} while (!result.complete);
		assert_int_equal(met, N_LETTERS);
		page = (struct annex_page) { .max = max, .before = "" };
		do {
			assert_int_equal(annex_page_fetch(&source, &page, *state, &result), 0);
			for (size_t i = result.count; i > 0; i--)
				assert_string_equal(result.id[i - 1], letters[--met]);
			page.before = result.id[0];
		} while (!result.complete);
		assert_int_equal(met, 0);
	}
}

static void
test_ids_outlive_the_walk(void **state)
{
	char text[4] = "one";
	void *const items[] = { text };
	struct annex_array array = { items, 1, id_of };
	struct annex_source source = annex_array_source(&array);
	const struct annex_page page = { .max = 5 };
	struct annex_page_result result;

	assert_int_equal(annex_page_fetch(&source, &page, *state, &result), ANNEX_OK);
	memcpy(text, "two", 3);
	assert_string_equal(result.id[0], "one");
}

static const char *
answer(struct annex_pool *pool, const struct annex_page *page, size_t n)
{
	struct annex_array array = array_of_letters(n);
	struct annex_source source = annex_array_source(&array);
	struct annex_element *query = annex_element(pool, "urn:q", "query");
	struct annex_page_result result;

	assert_int_equal(annex_page_fetch(&source, page, pool, &result), ANNEX_OK);
	annex_page_add(query, &result);
	return text_within(pool, query);
}

static void
test_the_answer_says_where_the_page_is(void **state)
{
	const struct annex_page page = { .max = 2, .after = "c" }, none = { .max = 0 };

	assert_string_equal(answer(*state, &page, 10),
	    SET("<first index='3'>d</first><last>e</last><count>10</count>"));
	assert_string_equal(answer(*state, &none, 10), SET("<count>10</count>"));
	assert_string_equal(answer(*state, &none, 0), SET("<count>0</count>"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_set_the_preset_holds),
		cmocka_unit_test(test_a_request_is_read),
		cmocka_unit_test(test_max_never_passes_the_limit),
		cmocka_unit_test(test_a_malformed_request_is_refused),
		cmocka_unit_test(test_pages_are_what_was_asked_for),
		cmocka_unit_test(test_an_unknown_id_is_not_found),
		cmocka_unit_test(test_a_source_may_know_no_count_and_no_index),
		cmocka_unit_test(test_a_failing_source_fails_the_page),
		cmocka_unit_test(test_random_requests_are_answered_as_the_model_does),
		cmocka_unit_test(test_paging_meets_everything_once),
		cmocka_unit_test(test_ids_outlive_the_walk),
		cmocka_unit_test(test_the_answer_says_where_the_page_is),
	};

	return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}
