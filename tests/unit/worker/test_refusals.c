/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_refusals.c - annex-worker --check, with shared objects that are no good
 *
 * The program itself is run on a configuration of a component for each, since
 * a module meets the framework only through libannex.so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <annex/component.h>

#define PROGRAM BUILDDIR "/framework/worker/annex-worker"
#define MODULES BUILDDIR "/tests/unit/worker/.libs"

struct fixture {
	char dir[64], file[80];
	char said[16384];
	int status;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/annex-test-refusals.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->file, sizeof(f->file), "%s/a.yaml", f->dir);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char path[120];

	unlink(f->file);
	snprintf(path, sizeof(path), "%s/text.so", f->dir);
	unlink(path);
	rmdir(f->dir);
	free(f);
	return 0;
}

/* What the program says, after "a.yaml:". */
static void
check_module(struct fixture *f, const char *module)
{
	char command[400];
	FILE *file = fopen(f->file, "w");
	size_t n;

	assert_non_null(file);
	fprintf(file,
	    "state-dir: .\nrun-dir: .\nmodule-dirs: [" MODULES ", .]\n"
	    "servers: {main: {host: localhost, local-domains: example.org}}\n"
	    "components: {a.example.org: {secret: correct horse, module: %s}}\n",
	    module);
	fclose(file);
	assert_int_equal(chmod(f->file, 0600), 0);
	snprintf(command, sizeof(command), "%s --check -c %s 2>&1", PROGRAM, f->file);
	file = popen(command, "r");
	assert_non_null(file);
	n = fread(f->said, 1, sizeof(f->said) - 1, file);
	f->said[n] = '\0';
	f->status = pclose(file);
}

/* One sentence, at the module's name, that ends so. */
static void
assert_refused(struct fixture *f, const char *module, const char *sentence)
{
	char expected[1000];

	check_module(f, module);
	snprintf(expected, sizeof(expected), "%s:5:61: %s\n", f->file, sentence);
	assert_string_equal(f->said, expected);
	assert_int_equal(WEXITSTATUS(f->status), 1);
}

static void
test_a_good_module_is_taken(void **state)
{
	struct fixture *f = *state;

	check_module(f, "good");
	assert_int_equal(f->status, 0);
	assert_non_null(
	    strstr(f->said, "\"module\":\"good\",\"module-path\":\"" MODULES "/good.so\""));
}

static void
test_a_missing_module_says_where_it_was_looked_for(void **state)
{
	struct fixture *f = *state;

	check_module(f, "goood");
	assert_non_null(strstr(f->said, "no module \"goood\": there is no goood.so in " MODULES));
	assert_non_null(strstr(f->said, "; did you mean \"good\"?\n"));
	assert_int_equal(WEXITSTATUS(f->status), 1);
}

static void
test_an_old_module_names_both_versions(void **state)
{
	assert_refused(*state, "old",
	    MODULES "/old.so: built for ABI 0.9, this Annex has 1.0: build it again");
}

static void
test_a_module_of_a_newer_annex_names_both_versions(void **state)
{
	assert_refused(*state, "newer",
	    MODULES "/newer.so: built for ABI 1.1, this Annex has 1.0: build it again");
}

static void
test_an_alien_shared_object_is_none_of_ours(void **state)
{
	assert_refused(*state, "alien",
	    MODULES "/alien.so: not an Annex component (it exports no annex_module)");
	assert_refused(*state, "foreign",
	    MODULES "/foreign.so: not an Annex component (its descriptor begins with the wrong "
		    "word)");
}

static void
test_a_file_that_is_no_shared_object_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[120], sentence[200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/text.so", f->dir);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("#!/bin/sh\nexit 0\n", file);
	fclose(file);
	snprintf(sentence, sizeof(sentence), "%s: not a shared object", path);
	assert_refused(f, "text", sentence);
}

static void
test_a_short_descriptor_is_refused_by_its_bytes(void **state)
{
	struct fixture *f = *state;

	check_module(f, "short");
	assert_non_null(
	    strstr(f->said, MODULES "/short.so: its descriptor is 24 bytes, at least "));
	assert_int_equal(WEXITSTATUS(f->status), 1);
}

static void
test_a_nameless_module_is_refused(void **state)
{
	assert_refused(*state, "nameless", MODULES "/nameless.so: its descriptor has no name");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_good_module_is_taken),
		TEST(test_a_missing_module_says_where_it_was_looked_for),
		TEST(test_an_old_module_names_both_versions),
		TEST(test_a_module_of_a_newer_annex_names_both_versions),
		TEST(test_an_alien_shared_object_is_none_of_ours),
		TEST(test_a_file_that_is_no_shared_object_is_refused),
		TEST(test_a_short_descriptor_is_refused_by_its_bytes),
		TEST(test_a_nameless_module_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
