/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_writer.c - trees become bytes
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <annex/pool.h>
#include <cmocka.h>

#include "base/clock.h"
#include "show.h"
#include "xml/writer.h"

struct fixture {
	struct annex_pool *pool;
	struct buf buf;
};

static int
set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture) { .pool = annex_pool_create(NULL, "test") };
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	annex_pool_destroy(&f->pool);
	buf_finish(&f->buf);
	return 0;
}

static void
assert_writes(struct fixture *f, const struct annex_element *el, const char *expected)
{
	buf_clear(&f->buf);
	assert_int_equal(xml_write(&f->buf, el, ANNEX_NS_STANZA), ANNEX_OK);
	assert_string_equal(buf_text(&f->buf), expected);
}

static void
assert_refuses(struct fixture *f, const struct annex_element *el)
{
	buf_clear(&f->buf);
	buf_puts(&f->buf, "before");
	assert_int_equal(xml_write(&f->buf, el, ANNEX_NS_STANZA), ANNEX_EINVAL);
	assert_string_equal(buf_text(&f->buf), "before");
	assert_int_equal(f->buf.len, 6);
	assert_int_equal(f->buf.error, ANNEX_OK);
}

static struct annex_element *
message(struct fixture *f)
{
	return annex_element(f->pool, ANNEX_NS_STANZA, "message");
}

/* What goes through the writer and back is what it was, in a stream and on its own. */
static void
assert_survives(struct fixture *f, const struct annex_element *el)
{
	struct xml_limits limits = xml_limits_default;
	struct xml_parser *p;
	struct buf want = { 0 }, got = { 0 }, text = { 0 };
	struct annex_element *copy;
	struct xml_event *event;
	const char *alone;
	size_t len;

	limits.namespaces = 1000;
	p = xml_parser_create(&limits, 4711);
	show_element(&want, el);
	buf_puts(&text, "<s xmlns='" ANNEX_NS_STANZA "'>");
	assert_int_equal(xml_write(&text, el, ANNEX_NS_STANZA), ANNEX_OK);
	assert_int_equal(xml_parser_feed(p, text.data, text.len), ANNEX_OK);
	assert_int_equal(xml_parser_flush(p), ANNEX_OK);
	xml_event_free(p, xml_parser_next(p));
	assert_non_null(event = xml_parser_next(p));
	show_element(&got, event->element);
	assert_string_equal(buf_text(&got), buf_text(&want));
	xml_event_free(p, event);
	xml_parser_destroy(&p);

	assert_non_null(alone = annex_element_write(el, f->pool, &len));
	assert_int_equal(len, strlen(alone));
	assert_non_null(copy = annex_element_read(f->pool, alone, len, len));
	buf_clear(&got);
	show_element(&got, copy);
	assert_string_equal(buf_text(&got), buf_text(&want));
	buf_finish(&text);
	buf_finish(&want);
	buf_finish(&got);
}

static void
a_stanza_is_written_without_its_namespace(void **state)
{
	struct fixture *f = *state;
	struct annex_element *el = message(f);

	annex_attr_set(el, "to", "a@b");
	assert_writes(f, el, "<message to='a@b'/>");
	annex_add_text(el, NULL, "body", "hi");
	assert_writes(f, el, "<message to='a@b'><body>hi</body></message>");
}

static void
a_namespace_is_declared_where_it_changes(void **state)
{
	struct fixture *f = *state;
	struct annex_element *el = message(f), *x = annex_add(el, "urn:x", "x"), *fwd;

	annex_add(x, NULL, "a");
	annex_add(x, "", "b");
	fwd = annex_add(x, "jabber:client", "message");
	annex_add_text(fwd, NULL, "body", "hi");
	annex_add(x, ANNEX_NS_STANZA, "c");
	annex_add(el, NULL, "d");
	assert_writes(f, el,
	    "<message><x xmlns='urn:x'><a/><b xmlns=''/><message xmlns='jabber:client'>"
	    "<body>hi</body></message><c xmlns='jabber:component:accept'/></x><d/></message>");
	assert_survives(f, el);
}

static void
a_text_on_its_own_declares_its_namespace(void **state)
{
	struct fixture *f = *state;
	struct annex_element *el = annex_element(f->pool, "urn:x", "x");
	size_t len;

	assert_string_equal(annex_element_write(el, f->pool, &len), "<x xmlns='urn:x'/>");
	assert_int_equal(len, 18);
	el = annex_element(f->pool, "", "x");
	assert_string_equal(annex_element_write(el, f->pool, NULL), "<x/>");
	assert_writes(f, el, "<x xmlns=''/>");
}

static void
attributes_with_namespaces_get_prefixes(void **state)
{
	struct fixture *f = *state;
	struct annex_element *el = message(f);

	annex_attr_set(el, "a", "1");
	annex_attr_set_ns(el, "urn:x", "a", "2");
	annex_attr_set_ns(el, ANNEX_NS_XML, "lang", "de");
	annex_attr_set_ns(el, "urn:y", "a", "3");
	annex_attr_set_ns(el, "urn:x", "b", "4");
	assert_writes(f, el,
	    "<message a='1' xmlns:ns2='urn:x' ns2:a='2' xml:lang='de' xmlns:ns4='urn:y' "
	    "ns4:a='3' ns2:b='4'/>");
	assert_survives(f, el);
}

static void
an_element_of_the_namespace_of_xml_keeps_its_prefix(void **state)
{
	struct fixture *f = *state;
	struct annex_element *el = message(f), *x = annex_add(el, ANNEX_NS_XML, "x");

	annex_add(annex_add(x, NULL, "y"), "urn:z", "z");
	annex_add(x, ANNEX_NS_STANZA, "a");
	assert_writes(
	    f, el, "<message><xml:x><xml:y><z xmlns='urn:z'/></xml:y><a/></xml:x></message>");
	assert_survives(f, el);
	assert_survives(f, x);
}

static void
text_and_values_are_escaped(void **state)
{
	struct fixture *f = *state;
	struct annex_element *el = message(f);

	annex_attr_set(el, "a", "<>&'\"\t\r\n]]>");
	annex_text_append(el, "<>&'\"\t\r\n]]>");
	assert_writes(f, el,
	    "<message a='&lt;&gt;&amp;&apos;\"&#9;&#13;&#10;]]&gt;'>"
	    "&lt;&gt;&amp;'\"\t&#13;\n]]&gt;</message>");
	assert_survives(f, el);
}

static void
escaped_text_may_be_appended_anywhere(void **state)
{
	struct fixture *f = *state;

	buf_puts(&f->buf, "to='");
	assert_int_equal(xml_write_escaped(&f->buf, "o'neil@a", 8), ANNEX_OK);
	assert_string_equal(buf_text(&f->buf), "to='o&apos;neil@a");
	assert_int_equal(xml_write_escaped(&f->buf, "a\0b", 3), ANNEX_EINVAL);
	assert_string_equal(buf_text(&f->buf), "to='o&apos;neil@a");
	assert_int_equal(xml_write_escaped(&f->buf, "", 0), ANNEX_OK);
}

/* Wherever it falls in the words that are looked at at once. */
static void
every_byte_in_every_place_survives_or_is_refused(void **state)
{
	struct fixture *f = *state;
	struct annex_element *el;
	char text[36]; /* two rows and a rest */
	bool good;

	for (int c = 1; c < 256; c++) {
		good = c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0x80);
		for (size_t at = 0; at < sizeof(text) - 1; at++) {
			memset(text, 'x', sizeof(text) - 1);
			text[sizeof(text) - 1] = '\0';
			text[at] = (char)c;
			if (at > 0 && at % 3 == 0)
				text[at - 1] = '&';
			el = message(f);
			annex_attr_set(el, "a", text);
			annex_text_append(el, text);
			if (good)
				assert_survives(f, el);
			else
				assert_refuses(f, el);
		}
		annex_pool_reset(f->pool);
	}
}

static void
only_characters_of_xml_are_written(void **state)
{
	static const char *const good[] = { "\x7f", "\xc2\x80", "\xed\x9f\xbf", "\xee\x80\x80",
		"\xef\xbf\xbd", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = { "\x01", "\x1f", "\x80", "\xc0\x80", "\xc2", "\xc2x",
		"\xed\xa0\x80", "\xef\xbf\xbe", "\xef\xbf\xbf", "\xf4\x90\x80\x80", "\xfe" };
	struct fixture *f = *state;
	struct annex_element *el;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		el = message(f);
		annex_text_append(el, good[i]);
		annex_attr_set(el, "a", good[i]);
		assert_survives(f, el);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		el = message(f);
		annex_text_append(el, bad[i]);
		assert_refuses(f, el);
		el = message(f);
		annex_attr_set(el, "a", bad[i]);
		assert_refuses(f, el);
		assert_refuses(f, annex_element(f->pool, bad[i], "a"));
		assert_null(annex_element_write(el, f->pool, NULL));
	}
	el = message(f);
	annex_text_append(el, "ab");
	el->first->text = "a\0b";
	el->first->text_len = 3;
	assert_refuses(f, el);
}

static void
only_names_are_written_as_names(void **state)
{
	static const char *const bad[] = { "", "1", "a b", "a>", "a:b", "xmlns:a", "a'", "\xff",
		"\xcc\x80" };
	struct fixture *f = *state;
	struct annex_element *el;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_refuses(f, annex_element(f->pool, ANNEX_NS_STANZA, bad[i]));
		el = message(f);
		annex_attr_set(el, bad[i], "");
		assert_refuses(f, el);
	}
	el = annex_element(f->pool, ANNEX_NS_STANZA, "\xc3\xa9t\xc3\xa9");
	annex_attr_set(el, "\xce\xb1", "");
	assert_survives(f, el);
	el = message(f);
	annex_attr_set(el, "xmlns", "urn:x");
	assert_refuses(f, el);
}

static void
reserved_namespaces_cannot_be_forged(void **state)
{
	static const char xmlns[] = "http://www.w3.org/2000/xmlns/";
	struct fixture *f = *state;
	struct annex_element *el = message(f);

	annex_attr_set_ns(el, xmlns, "x", "urn:x");
	assert_refuses(f, el);
	assert_refuses(f, annex_element(f->pool, xmlns, "x"));
}

static void
a_full_buffer_stays_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct annex_element *el = message(f);
	size_t whole, at;

	annex_attr_set(el, "to", "a<b");
	annex_add_text(el, "urn:x", "x", "some text & more, \xe2\x82\xac too");
	assert_int_equal(xml_write(&f->buf, el, ANNEX_NS_STANZA), ANNEX_OK);
	whole = f->buf.len;
	for (size_t max = 3; max <= whole + 3; max++) {
		buf_finish(&f->buf);
		f->buf.max = max;
		buf_puts(&f->buf, "abc");
		if (max < whole - strlen("a&lt;b") + 3)
			assert_int_equal(
			    xml_write_split(&f->buf, el, ANNEX_NS_STANZA, &at, &at), ANNEX_ELIMIT);
		assert_string_equal(buf_text(&f->buf), "abc");
		assert_int_equal(xml_write(&f->buf, el, ANNEX_NS_STANZA),
		    max < whole + 3 ? ANNEX_ELIMIT : ANNEX_OK);
		assert_int_equal(f->buf.len, max < whole + 3 ? 3 : whole + 3);
	}
	f->buf.error = ANNEX_ELIMIT;
	assert_int_equal(xml_write(&f->buf, el, ANNEX_NS_STANZA), ANNEX_ELIMIT);
	assert_int_equal(f->buf.len, whole + 3);
}

static void
a_body_for_many_leaves_room_for_what_differs(void **state)
{
	struct fixture *f = *state;
	struct annex_element *el = message(f);
	struct buf patched = { 0 };
	size_t to_at, tail_at;

	annex_attr_set(el, "from", "room@a");
	annex_attr_set(el, "to", "nobody");
	annex_add_text(el, NULL, "body", "hi");
	buf_puts(&f->buf, "...");
	assert_int_equal(xml_write_split(&f->buf, el, ANNEX_NS_STANZA, &to_at, &tail_at), ANNEX_OK);
	assert_string_equal(
	    buf_text(&f->buf), "...<message to='' from='room@a'><body>hi</body></message>");
	buf_append(&patched, f->buf.data, to_at);
	buf_puts(&patched, "me");
	buf_append(&patched, f->buf.data + to_at, tail_at - to_at);
	buf_puts(&patched, "<x/>");
	buf_puts(&patched, f->buf.data + tail_at);
	assert_string_equal(
	    buf_text(&patched), "...<message to='me' from='room@a'><body>hi</body><x/></message>");
	buf_finish(&patched);

	buf_clear(&f->buf);
	assert_int_equal(xml_write_split(&f->buf, annex_element(f->pool, "urn:x", "presence"),
			     ANNEX_NS_STANZA, &to_at, &tail_at),
	    ANNEX_OK);
	assert_string_equal(buf_text(&f->buf), "<presence xmlns='urn:x' to=''></presence>");
	assert_string_equal(f->buf.data + to_at, "'></presence>");
	assert_string_equal(f->buf.data + tail_at, "</presence>");
}

static void
a_tree_of_any_depth_takes_no_stack(void **state)
{
	struct fixture *f = *state;
	struct annex_element *root = message(f), *el = root;
	struct annex_element *copy;

	for (int i = 0; i < 200000; i++)
		el = annex_add(el, i % 2 == 0 ? "urn:x" : ANNEX_NS_XML, "a");
	annex_text_append(el, "deep");
	copy = annex_element_copy(f->pool, root);
	assert_string_equal(annex_text_all(copy, f->pool), "deep");
	assert_int_equal(xml_write(&f->buf, copy, ANNEX_NS_STANZA), ANNEX_OK);
	assert_non_null(strstr(buf_text(&f->buf), "<xml:a>deep</xml:a></a>"));
}

/* Trees of all shapes. */

static const char *const namespaces[] = { "", ANNEX_NS_STANZA, "jabber:client", "urn:x",
	"urn:y'&<>\"\n\t \xc3\xa9", ANNEX_NS_XML };
static const char *const names[] = { "a", "xmlns", "to", "x-1._", "\xc3\xa9", "message" };
static const char *const texts[] = { "", " ", "\r\n", "a\tb", "<![CDATA[x]]>", "]]>", "&amp;",
	"'\"", "\xf0\x9f\x90\xa6", "plain text of some length that is more than a word" };

#define PICK(random, array) (array)[random_below((random), sizeof(array) / sizeof((array)[0]))]

static void
grow(struct random *random, struct annex_element *el, unsigned depth)
{
	const char *name, *ns;

	for (uint32_t n = random_below(random, 4); n > 0; n--) {
		name = PICK(random, names);
		ns = PICK(random, namespaces);
		if (random_below(random, 2) == 0 || ns[0] == '\0')
			ns = NULL;
		if (ns == NULL && strcmp(name, "xmlns") == 0)
			continue;
		annex_attr_set_ns(el, ns, name, PICK(random, texts));
	}
	for (uint32_t n = random_below(random, 5); n > 0 && depth > 0; n--) {
		if (random_below(random, 3) == 0)
			annex_text_append(el, PICK(random, texts));
		else
			grow(random,
			    annex_add(el, random_below(random, 2) ? NULL : PICK(random, namespaces),
				PICK(random, names)),
			    depth - 1);
	}
}

static void
random_trees_survive(void **state)
{
	struct fixture *f = *state;
	struct annex_element *el;
	struct random random;

	for (uint64_t seed = 0; seed < 2000; seed++) {
		random_init_seeded(&random, seed);
		el = annex_element(f->pool, PICK(&random, namespaces), PICK(&random, names));
		grow(&random, el, 6);
		assert_survives(f, el);
		assert_survives(f, annex_element_copy(f->pool, el));
		annex_pool_reset(f->pool);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_stanza_is_written_without_its_namespace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_namespace_is_declared_where_it_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_text_on_its_own_declares_its_namespace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    attributes_with_namespaces_get_prefixes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    an_element_of_the_namespace_of_xml_keeps_its_prefix, set_up, tear_down),
		cmocka_unit_test_setup_teardown(text_and_values_are_escaped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    escaped_text_may_be_appended_anywhere, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    every_byte_in_every_place_survives_or_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    only_characters_of_xml_are_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_names_are_written_as_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    reserved_namespaces_cannot_be_forged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_buffer_stays_as_it_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_body_for_many_leaves_room_for_what_differs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_tree_of_any_depth_takes_no_stack, set_up, tear_down),
		cmocka_unit_test_setup_teardown(random_trees_survive, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
