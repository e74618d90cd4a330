/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_yaml.c - the tree, its places, and each thing that is not YAML to us
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "config/config.h"

struct fixture {
	struct annex_pool *pool;
	struct config_errors errors;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->pool = annex_pool_create(NULL, "test");
	f->errors.pool = f->pool;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	annex_pool_destroy(&f->pool);
	free(f);
	return 0;
}

static struct config_node *
read_text(struct fixture *f, const char *text)
{
	return config_read_text("a.yaml", text, strlen(text), f->pool, &f->errors);
}

/* All sentences, one per line. */
static const char *
sentences(struct fixture *f)
{
	const char *all = "";

	for (const struct config_error *e = f->errors.first; e != NULL; e = e->next)
		all = annex_sprintf(f->pool, "%s%s\n", all, e->text);
	return all;
}

static void
check_sentences(const char *const (*rows)[2], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		void *state;
		struct fixture *f;

		setup(&state);
		f = state;
		read_text(f, rows[i][0]);
		assert_string_equal(sentences(f), rows[i][1]);
		teardown(&state);
	}
}

static void
test_a_tree_remembers_where_everything_stood(void **state)
{
	struct fixture *f = *state;
	struct config_node *root, *servers, *hosts;

	root = read_text(f,
	    "# a file\n"
	    "state-dir: /var/lib\n"
	    "servers:\n"
	    "  main:\n"
	    "    host: [one, 'two words', \"th\\x72ee\"]\n"
	    "    tls: no\n"
	    "    none:\n");
	assert_non_null(root);
	assert_int_equal(f->errors.count, 0);
	assert_int_equal(root->kind, CONFIG_MAP);
	assert_null(root->key);
	assert_string_equal(config_child(root, "state-dir")->text, "/var/lib");
	assert_null(config_child(root, "nothing"));
	servers = config_child(root, "servers");
	assert_int_equal(servers->kind, CONFIG_MAP);
	assert_int_equal(servers->key_line, 3);
	assert_int_equal(servers->key_column, 1);
	assert_int_equal(servers->line, 4);
	assert_int_equal(servers->column, 3);
	hosts = config_child(config_child(servers, "main"), "host");
	assert_int_equal(hosts->kind, CONFIG_LIST);
	assert_string_equal(hosts->first->text, "one");
	assert_false(hosts->first->quoted);
	assert_int_equal(hosts->first->line, 5);
	assert_int_equal(hosts->first->column, 12);
	assert_string_equal(hosts->first->next->text, "two words");
	assert_true(hosts->first->next->quoted);
	assert_string_equal(hosts->last->text, "three");
	assert_null(hosts->last->next);
	assert_string_equal(hosts->next->text, "no");
	assert_string_equal(hosts->next->next->text, "");
	assert_string_equal(hosts->file, "a.yaml");
}

static void
test_a_column_counts_characters_not_bytes(void **state)
{
	struct fixture *f = *state;
	struct config_node *root = read_text(f, "\xc3\xa9t\xc3\xa9: x\n");

	assert_int_equal(config_child(root, "\xc3\xa9t\xc3\xa9")->column, 6);
}

static void
test_a_byte_order_mark_is_no_content(void **state)
{
	struct fixture *f = *state;
	struct config_node *root = read_text(f,
	    "\xef\xbb\xbf"
	    "a: b\n");

	assert_string_equal(config_child(root, "a")->text, "b");
}

static void
test_what_is_ambiguous_is_refused_by_name(void **state)
{
	static const char *const rows[][2] = {
		{ "a: &x 1\nb: 2\n",
		    "a.yaml:1:4: anchors (&x) are not understood here; write the value out\n" },
		{ "a: &x 1\nb: *x\n",
		    "a.yaml:1:4: anchors (&x) are not understood here; write the value out\n"
		    "a.yaml:2:4: aliases (*x) are not understood here; write the value out\n" },
		{ "a: &x {b: c}\n",
		    "a.yaml:1:4: anchors (&x) are not understood here; write the value out\n" },
		{ "a: &x [b]\n",
		    "a.yaml:1:4: anchors (&x) are not understood here; write the value out\n" },
		{ "a: !!int 5\n",
		    "a.yaml:1:4: tags (tag:yaml.org,2002:int) are not understood here; "
		    "the option decides what a value is\n" },
		{ "a: !secret [x]\n",
		    "a.yaml:1:4: tags (!secret) are not understood here; "
		    "the option decides what a value is\n" },
		{ "a: !m {x: y}\n",
		    "a.yaml:1:4: tags (!m) are not understood here; "
		    "the option decides what a value is\n" },
		{ "a: 1\nb: 2\na: 3\n",
		    "a.yaml:3:1: \"a\" stands here a second time; the first is in line 1\n" },
		{ "m:\n  k: 1\n  k: {x: y}\nn:\n  k: 2\n",
		    "a.yaml:3:3: \"k\" stands here a second time; the first is in line 2\n" },
		{ "a: 1\n---\nb: 2\n",
		    "a.yaml:2:1: a second document begins here; one file is one\n" },
		{ "? [a, b]\n: c\n",
		    "a.yaml:1:3: a list or map cannot be a key; "
		    "a key is a word with a colon behind it\n" },
		{ "{{a: b}: c}\n",
		    "a.yaml:1:2: a list or map cannot be a key; "
		    "a key is a word with a colon behind it\n" },
		{ "*x : b\n",
		    "a.yaml:1:1: aliases (*x) are not understood here; write the value out\n" },
	};

	check_sentences(rows, sizeof(rows) / sizeof(rows[0]));
}

static void
test_what_is_not_yaml_says_where_and_why(void **state)
{
	static const char *const rows[][2] = {
		{ "", "a.yaml:1:1: nothing is in this file\n" },
		{ "# only a comment\n", "a.yaml:1:1: nothing is in this file\n" },
		{ "a: [b\n",
		    "a.yaml:2:1: not YAML: did not find expected ',' or ']' "
		    "(while parsing a flow sequence that begins in line 1)\n" },
		{ "a:\n\tb: c\n",
		    "a.yaml:2:1: not YAML: found character that cannot start any "
		    "token; indent with spaces, not tabs\n" },
		{ "a: b: c\n",
		    "a.yaml:1:5: not YAML: mapping values are not allowed in this "
		    "context\n" },
		{ "a: \"b\n",
		    "a.yaml:2:1: not YAML: found unexpected end of stream "
		    "(while scanning a quoted scalar that begins in line 1)\n" },
		{ "a: b\n\x01\n", "a.yaml:2:1: a control character stands here\n" },
		{ "a: b\nc: \xff\n", "a.yaml:2:4: not UTF-8 (the byte 0xff)\n" },
		{ "\xfe\xff", "a.yaml:1:1: not UTF-8 (the byte 0xfe)\n" },
		{ "a: \"x\\0y\"\n", "a.yaml:1:4: a zero byte cannot be in a text\n" },
	};

	check_sentences(rows, sizeof(rows) / sizeof(rows[0]));
}

static void
test_sixteen_levels_are_enough(void **state)
{
	struct fixture *f = *state;

	assert_non_null(read_text(f, "a: [[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]\n"));
	assert_int_equal(f->errors.count, 0);
	assert_null(read_text(f, "a: [[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]\n"));
	assert_string_equal(sentences(f), "a.yaml:1:19: nested deeper than 16 levels\n");
}

static void
test_a_hundred_thousand_levels_are_refused_at_once(void **state)
{
	struct fixture *f = *state;
	char *text = malloc(100001);

	memset(text, '[', 100000);
	text[100000] = '\0';
	assert_null(read_text(f, text));
	assert_int_equal(f->errors.count, 1);
	free(text);
}

static void
test_a_text_above_a_mebibyte_is_refused(void **state)
{
	struct fixture *f = *state;
	char *text = malloc(CONFIG_FILE_MAX + 1);

	memset(text, '#', CONFIG_FILE_MAX + 1);
	assert_null(config_read_text("a.yaml", text, CONFIG_FILE_MAX + 1, f->pool, &f->errors));
	assert_string_equal(sentences(f), "a.yaml: larger than 1048576 bytes\n");
	free(text);
}

static void
test_a_file_that_cannot_be_read_says_why(void **state)
{
	struct fixture *f = *state;

	assert_null(config_read_file("/nonexistent/annex.yaml", f->pool, &f->errors));
	assert_null(config_read_file("/", f->pool, &f->errors));
	assert_string_equal(sentences(f),
	    "/nonexistent/annex.yaml: cannot be read: No such file or directory\n"
	    "/: cannot be read: Is a directory\n");
}

static void
test_a_file_too_large_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[] = "/tmp/annex-test-yaml.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, CONFIG_FILE_MAX + 1), 0);
	close(fd);
	assert_null(config_read_file(path, f->pool, &f->errors));
	unlink(path);
	assert_string_equal(
	    sentences(f), annex_sprintf(f->pool, "%s: larger than 1048576 bytes\n", path));
}

static void
test_sentences_come_in_the_order_of_the_file(void **state)
{
	struct fixture *f = *state;

	config_error_in(&f->errors, "f", 9, 1, "last");
	config_error_in(&f->errors, "f", 2, 7, "third");
	config_error_in(&f->errors, "f", 2, 3, "second");
	config_error_in(&f->errors, "f", 0, 0, "first");
	config_error_in(&f->errors, "f", 9, 1, "very last");
	assert_string_equal(
	    sentences(f), "f: first\nf:2:3: second\nf:2:7: third\nf:9:1: last\nf:9:1: very last\n");
}

static void
test_a_sentence_stays_one_line(void **state)
{
	struct fixture *f = *state;
	struct config_node *root = read_text(f, "\"a\\nb\\x7f\": 1\n\"a\\nb\\x7f\": 2\n");

	assert_non_null(root);
	assert_string_equal(sentences(f),
	    "a.yaml:2:1: \"a\\x0ab\\x7f\" stands here a second time; "
	    "the first is in line 1\n");
}

static void
test_warnings_are_no_errors(void **state)
{
	struct fixture *f = *state;
	struct config_node *root = read_text(f, "a: b\n");

	config_warn_at(&f->errors, root->first, "odd");
	config_warn_at_key(&f->errors, root->first, "%s", "strange");
	assert_int_equal(f->errors.count, 0);
	assert_string_equal(
	    sentences(f), "a.yaml:1:1: warning: strange\na.yaml:1:4: warning: odd\n");
}

static void
test_a_flood_of_mistakes_is_counted_not_kept(void **state)
{
	struct fixture *f = *state;
	struct buf text = { 0 };

	for (int i = 0; i < 100000; i++)
		buf_puts(&text, "a: b\n");
	assert_non_null(read_text(f, buf_text(&text)));
	assert_int_equal(f->errors.count, 99999);
	assert_int_equal(f->errors.kept, CONFIG_ERRORS_MAX);
	buf_finish(&text);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_tree_remembers_where_everything_stood),
		TEST(test_a_column_counts_characters_not_bytes),
		TEST(test_a_byte_order_mark_is_no_content),
		cmocka_unit_test(test_what_is_ambiguous_is_refused_by_name),
		cmocka_unit_test(test_what_is_not_yaml_says_where_and_why),
		TEST(test_sixteen_levels_are_enough),
		TEST(test_a_hundred_thousand_levels_are_refused_at_once),
		TEST(test_a_text_above_a_mebibyte_is_refused),
		TEST(test_a_file_that_cannot_be_read_says_why),
		TEST(test_a_file_too_large_is_refused),
		TEST(test_sentences_come_in_the_order_of_the_file),
		TEST(test_a_sentence_stays_one_line),
		TEST(test_warnings_are_no_errors),
		TEST(test_a_flood_of_mistakes_is_counted_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
