/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_element.c - XML as trees
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <annex/pool.h>
#include <cmocka.h>

#include "show.h"

static int
set_up(void **state)
{
	*state = annex_pool_create(NULL, "test");
	return 0;
}

static int
tear_down(void **state)
{
	struct annex_pool *pool = *state;

	annex_pool_destroy(&pool);
	return 0;
}

static void
assert_shows(const struct annex_element *el, const char *expected)
{
	struct buf buf = { 0 };

	show_element(&buf, el);
	assert_string_equal(buf_text(&buf), expected);
	buf_finish(&buf);
}

static void
children_take_the_namespace_of_their_parent(void **state)
{
	struct annex_element *el = annex_element(*state, "urn:x", "a");

	annex_add(el, NULL, "b");
	annex_add(el, "urn:y", "c");
	assert_shows(el, "{urn:x}a({urn:x}b {urn:y}c)");
}

static void
attributes_are_set_replaced_and_removed(void **state)
{
	struct annex_element *el = annex_element(*state, ANNEX_NS_STANZA, "a");
	char value[] = "1";

	annex_attr_set(el, "x", value);
	value[0] = '?';
	annex_attr_setf(el, "y", "%d/%s", 2, "two");
	annex_attr_set_ns(el, "urn:n", "x", "3");
	assert_shows(el, "a[x=\"1\" y=\"2/two\" {urn:n}x=\"3\"]");
	assert_string_equal(annex_attr(el, "x"), "1");
	assert_string_equal(annex_attr_ns(el, "urn:n", "x"), "3");
	assert_string_equal(annex_attr_ns(el, NULL, "x"), "1");
	assert_string_equal(annex_attr_ns(el, "", "x"), "1");
	assert_null(annex_attr(el, "z"));
	assert_null(annex_attr_ns(el, "urn:m", "x"));
	annex_attr_set(el, "x", "4");
	assert_shows(el, "a[x=\"4\" y=\"2/two\" {urn:n}x=\"3\"]");
	annex_attr_set_ns(el, "urn:n", "x", NULL);
	annex_attr_set(el, "nothing", NULL);
	annex_attr_set(el, "z", "5");
	assert_shows(el, "a[x=\"4\" y=\"2/two\" z=\"5\"]");
	annex_attr_set(el, "x", NULL);
	annex_attr_set(el, "z", NULL);
	annex_attr_set(el, "y", NULL);
	assert_shows(el, "a");
	annex_attr_set(el, "x", "6");
	assert_shows(el, "a[x=\"6\"]");
}

static void
text_side_by_side_is_one_run(void **state)
{
	struct annex_element *el = annex_element(*state, ANNEX_NS_STANZA, "a"), *b;

	assert_string_equal(annex_text(el), "");
	annex_text_append(el, "");
	assert_null(el->first);
	annex_text_append(el, "one");
	annex_text_appendf(el, " %s", "two");
	assert_shows(el, "a(\"one two\")");
	assert_string_equal(annex_text(el), "one two");
	assert_string_equal(annex_text(el->first), "one two");
	b = annex_add_text(el, NULL, "b", "in b");
	annex_text_append(el, "three");
	assert_shows(el, "a(\"one two\" b(\"in b\") \"three\")");
	assert_string_equal(annex_text(el), "one two");
	assert_string_equal(annex_text_all(el, *state), "one twoin bthree");
	annex_element_remove(b);
	assert_shows(el, "a(\"one twothree\")");
	annex_text_append(el, "four");
	assert_shows(el, "a(\"one twothreefour\")");
	assert_null(annex_text(NULL));
}

static void
a_missing_text_adds_nothing(void **state)
{
	struct annex_element *el = annex_element(*state, ANNEX_NS_STANZA, "a");

	assert_null(annex_add_text(el, NULL, "b", NULL));
	assert_shows(el, "a");
	assert_non_null(annex_add_text(el, NULL, "b", ""));
	assert_shows(el, "a(b)");
}

static struct annex_element *
family(struct annex_pool *pool)
{
	struct annex_element *el = annex_element(pool, ANNEX_NS_STANZA, "a");

	annex_text_append(el, "text");
	annex_add_text(el, NULL, "b", "b1");
	annex_add_text(el, "urn:x", "b", "x1");
	annex_add_text(el, "urn:x", "c", "x2");
	annex_add_text(el, NULL, "b", "b2");
	return el;
}

static void
children_are_found_by_namespace_and_name(void **state)
{
	struct annex_element *el = family(*state), *child;

	child = annex_child(el, NULL, "b");
	assert_string_equal(annex_text(child), "b1");
	child = annex_child_after(child, NULL, "b");
	assert_string_equal(annex_text(child), "b2");
	assert_null(annex_child_after(child, NULL, "b"));
	child = annex_child(el, "urn:x", NULL);
	assert_string_equal(annex_text(child), "x1");
	child = annex_child_after(child, "urn:x", NULL);
	assert_string_equal(annex_text(child), "x2");
	assert_string_equal(annex_child_text(el, "urn:x", "c"), "x2");
	assert_null(annex_child_text(el, NULL, "c"));
	assert_null(annex_child(el, "urn:y", NULL));
}

static void
a_loop_over_children_sees_elements_and_may_remove_them(void **state)
{
	struct annex_element *el = family(*state);
	int n = 0;

	ANNEX_CHILDREN (el, child)
		n++;
	assert_int_equal(n, 4);
	ANNEX_CHILDREN (el, child)
		if (annex_is(child, ANNEX_NS_STANZA, "b"))
			annex_element_remove(child);
	assert_shows(el, "a(\"text\" {urn:x}b(\"x1\") {urn:x}c(\"x2\"))");
	annex_add(el, NULL, "d");
	assert_shows(el, "a(\"text\" {urn:x}b(\"x1\") {urn:x}c(\"x2\") d)");
	ANNEX_CHILDREN (el, child)
		annex_element_remove(child);
	annex_element_remove(el->first);
	assert_shows(el, "a");
	assert_null(el->last);
	annex_element_remove(el);
}

static void
what_an_element_is(void **state)
{
	struct annex_element *el = annex_element(*state, "urn:x", "a");

	assert_true(annex_is(el, "urn:x", "a"));
	assert_true(annex_is(el, NULL, "a"));
	assert_false(annex_is(el, "urn:y", "a"));
	assert_false(annex_is(el, "urn:x", "b"));
	assert_false(annex_is(NULL, "urn:x", "b"));
	annex_text_append(el, "text");
	assert_false(annex_is(el->first, "urn:x", "a"));
}

static void
the_language_comes_from_the_nearest_that_says_one(void **state)
{
	struct annex_element *el = annex_element(*state, "urn:x", "a");
	struct annex_element *child = annex_add(annex_add(el, NULL, "b"), NULL, "c");

	assert_null(annex_lang(child));
	annex_attr_set(el, "lang", "no");
	assert_null(annex_lang(child));
	annex_attr_set_ns(el, ANNEX_NS_XML, "lang", "de");
	assert_string_equal(annex_lang(child), "de");
	annex_attr_set_ns(child, ANNEX_NS_XML, "lang", "fr");
	assert_string_equal(annex_lang(child), "fr");
}

static void
a_copy_owes_nothing_to_its_original(void **state)
{
	struct annex_pool *other = annex_pool_create(NULL, "original");
	struct annex_element *el = family(other), *copy, *parent;
	struct buf want = { 0 };

	annex_attr_set_ns(el, annex_strdup(other, "urn:a"), annex_strdup(other, "n"), "v");
	annex_add(annex_add(annex_add(el, NULL, "d"), annex_strdup(other, "urn:e"), "e"), NULL,
	    annex_strdup(other, "f"));
	show_element(&want, el);
	copy = annex_element_copy(*state, el);
	parent = annex_element(*state, ANNEX_NS_STANZA, "p");
	annex_add_copy(parent, el->first);
	annex_add_copies(parent, el);
	annex_add_copy(parent, el->last);
	annex_pool_destroy(&other);
	assert_shows(copy, buf_text(&want));
	assert_null(copy->parent);
	assert_shows(parent,
	    "p(\"texttext\" b(\"b1\") {urn:x}b(\"x1\") {urn:x}c(\"x2\") b(\"b2\") "
	    "d({urn:e}e({urn:e}f)) d({urn:e}e({urn:e}f)))");
	buf_finish(&want);
}

static void
children_may_be_copied_to_where_they_are(void **state)
{
	struct annex_element *el = family(*state);

	annex_element_remove(el->first);
	annex_add_copies(el, el);
	assert_shows(el,
	    "a(b(\"b1\") {urn:x}b(\"x1\") {urn:x}c(\"x2\") b(\"b2\") "
	    "b(\"b1\") {urn:x}b(\"x1\") {urn:x}c(\"x2\") b(\"b2\"))");
}

static struct annex_element *
read_text(void **state, const char *text)
{
	return annex_element_read(*state, text, strlen(text), 1000);
}

static void
what_was_stored_is_read_back(void **state)
{
	assert_shows(read_text(state, "<a xmlns='urn:x' b='c'><d/>t</a>"),
	    "{urn:x}a[b=\"c\"]({urn:x}d \"t\")");
	assert_shows(read_text(state, "<?xml version='1.0'?>\n<a><b/></a>\n"), "{}a({}b)");
	assert_shows(read_text(state, "<x:a xmlns:x='urn:x'/>"), "{urn:x}a");
}

static void
what_is_not_one_plain_element_is_not_read(void **state)
{
	static const char *const bad[] = { "", " ", "text", "<a>", "<a/><b/>", "<a/>x", "<a></b>",
		"<!DOCTYPE a><a/>", "<!-- --><a/>", "<a><!-- --></a>", "<a/><?x y?>",
		"<a><?x y?></a>", "<x:a/>", "<a x:b=''/>", "<a>\xff</a>", "<a>&b;</a>", "</a>",
		"<a/></a>" };
	char large[1002];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (read_text(state, bad[i]) != NULL)
			fail_msg("\"%s\"", bad[i]);
	memset(large, ' ', sizeof(large));
	memcpy(large, "<a/>", 4);
	assert_non_null(annex_element_read(*state, large, 1000, 1000));
	assert_null(annex_element_read(*state, large, 1001, 1000));
}

static void
an_element_is_added_as_it_is(void **state)
{
	struct annex_pool *pool = *state;
	struct annex_element *parent = annex_element(pool, "a", "parent");
	struct annex_element *child = annex_element(pool, "b", "child");

	annex_add(parent, NULL, "first");
	annex_add_element(parent, child);
	annex_add(child, NULL, "inner");
	assert_ptr_equal(annex_child(parent, "b", "child"), child);
	assert_ptr_equal(child->parent, parent);
	assert_non_null(annex_child(child, "b", "inner"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_element_is_added_as_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    children_take_the_namespace_of_their_parent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    attributes_are_set_replaced_and_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(text_side_by_side_is_one_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_missing_text_adds_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    children_are_found_by_namespace_and_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_loop_over_children_sees_elements_and_may_remove_them, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_an_element_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    the_language_comes_from_the_nearest_that_says_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_copy_owes_nothing_to_its_original, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    children_may_be_copied_to_where_they_are, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_stored_is_read_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    what_is_not_one_plain_element_is_not_read, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
