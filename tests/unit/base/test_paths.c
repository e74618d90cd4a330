/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_paths.c - where the other parts of Annex are
 */
#include <fcntl.h>
#include <ftw.h>
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

#include <annex/pool.h>

#include "base/paths.h"

static const struct paths_configured usr = { "/usr/sbin", "/usr/bin", "/usr/libexec",
	"/usr/lib/annex" };

struct place {
	struct annex_pool *pool;
	char top[64];
};

static void
make_dir(const struct place *p, const char *name)
{
	assert_int_equal(mkdir(annex_sprintf(p->pool, "%s/%s", p->top, name), 0700), 0);
}

static int
setup(void **state)
{
	static const char *const dirs[] = { "framework", "framework/worker", "framework/supervisor",
		"framework/supervisor/.libs", "components", "components/muc",
		"components/muc/.libs", "components/echo", "components/.deps", "tests",
		"tests/wire" };
	struct place *p = test_malloc(sizeof(*p));
	int fd;

	p->pool = annex_pool_create(NULL, "test");
	strcpy(p->top, "/tmp/test_paths.XXXXXX");
	assert_non_null(mkdtemp(p->top));
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		make_dir(p, dirs[i]);
	fd = open(annex_sprintf(p->pool, "%s/config.status", p->top), O_CREAT | O_WRONLY, 0700);
	assert_true(fd >= 0);
	close(fd);
	fd = open(
	    annex_sprintf(p->pool, "%s/components/Makefile", p->top), O_CREAT | O_WRONLY, 0700);
	assert_true(fd >= 0);
	close(fd);
	*state = p;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	return remove(path);
}

static int
teardown(void **state)
{
	struct place *p = *state;

	nftw(p->top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	annex_pool_destroy(&p->pool);
	test_free(p);
	return 0;
}

static void
every_installed_program_finds_the_worker(void **state)
{
	static const char *const programs[] = { "/usr/sbin/annexd", "/usr/bin/annexctl",
		"/usr/libexec/annex/annex-worker", "/usr/sbin/annexd (deleted)" };
	struct place *p = *state;
	struct paths paths;

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		paths_find(&paths, p->pool, programs[i], &usr);
		assert_true(paths.installed);
		assert_string_equal(paths.root, "");
		assert_string_equal(paths.worker, "/usr/libexec/annex/annex-worker");
		assert_string_equal(paths.modules[0], "/usr/lib/annex");
		assert_null(paths.modules[1]);
	}
}

static void
a_destdir_stays_in_front(void **state)
{
	struct place *p = *state;
	struct paths paths;

	paths_find(&paths, p->pool, "/srv/stage/usr/bin/annexctl", &usr);
	assert_true(paths.installed);
	assert_string_equal(paths.root, "/srv/stage");
	assert_string_equal(paths.worker, "/srv/stage/usr/libexec/annex/annex-worker");
	assert_string_equal(paths.modules[0], "/srv/stage/usr/lib/annex");
}

static void
a_destdir_inside_the_build_tree_is_an_installation(void **state)
{
	struct place *p = *state;
	struct paths paths;

	paths_find(
	    &paths, p->pool, annex_sprintf(p->pool, "%s/stage/usr/sbin/annexd", p->top), &usr);
	assert_true(paths.installed);
	assert_string_equal(paths.root, annex_sprintf(p->pool, "%s/stage", p->top));
}

static void
a_name_that_only_ends_alike_is_no_destdir(void **state)
{
	struct place *p = *state;
	struct paths_configured odd = usr;
	struct paths paths;

	odd.sbindir = "/sbin";
	paths_find(&paths, p->pool, "/opt/mysbin/annexd", &odd);
	assert_string_equal(paths.root, "");
}

static void
the_build_tree_is_found_from_anywhere_in_it(void **state)
{
	static const char *const programs[] = { "framework/supervisor/annexd",
		"framework/supervisor/.libs/annexd", "framework/supervisor/.libs/lt-annexd",
		"tests/wire/player", "annexd" };
	struct place *p = *state;
	struct paths paths;

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		paths_find(
		    &paths, p->pool, annex_sprintf(p->pool, "%s/%s", p->top, programs[i]), &usr);
		assert_false(paths.installed);
		assert_string_equal(paths.root, p->top);
		assert_string_equal(paths.worker,
		    annex_sprintf(p->pool, "%s/framework/worker/annex-worker", p->top));
	}
}

static void
the_build_tree_has_a_module_directory_per_component(void **state)
{
	static const char *const want[] = { "components/echo", "components/muc/.libs",
		"components/muc" };
	struct place *p = *state;
	struct paths paths;
	size_t n = sizeof(want) / sizeof(want[0]);

	paths_find(&paths, p->pool, annex_sprintf(p->pool, "%s/tests/wire/player", p->top), &usr);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(
		    paths.modules[i], annex_sprintf(p->pool, "%s/%s", p->top, want[i]));
	assert_null(paths.modules[n]);
	make_dir(p, "components/.libs");
	paths_find(&paths, p->pool, annex_sprintf(p->pool, "%s/tests/wire/player", p->top), &usr);
	assert_string_equal(
	    paths.modules[0], annex_sprintf(p->pool, "%s/components/.libs", p->top));
	assert_null(paths.modules[n + 1]);
}

static void
a_program_from_nowhere_belongs_to_the_installation(void **state)
{
	static const char *const programs[] = { "/annexd", "/nowhere/annexd", "annexd", "", NULL };
	struct place *p = *state;
	struct paths paths;

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		paths_find(&paths, p->pool, programs[i], &usr);
		assert_true(paths.installed);
		assert_string_equal(paths.worker, "/usr/libexec/annex/annex-worker");
	}
}

static void
the_running_program_knows_itself(void **state)
{
	struct place *p = *state;
	const char *self = paths_self(p->pool);

	assert_non_null(self);
	assert_int_equal(self[0], '/');
	assert_non_null(strstr(self, "test_paths"));
}

static void
a_module_has_programs_of_its_own(void **state)
{
	struct place *p = *state;
	struct paths paths;

	paths_find(&paths, p->pool, "/srv/stage/usr/sbin/annexd", &usr);
	assert_string_equal(
	    paths_programs(&paths, p->pool, "bots"), "/srv/stage/usr/libexec/annex/bots");
	paths_find(&paths, p->pool, annex_sprintf(p->pool, "%s/tests/wire/player", p->top), &usr);
	assert_string_equal(paths_programs(&paths, p->pool, "bots"),
	    annex_sprintf(p->pool, "%s/components/bots/programs", p->top));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_installed_program_finds_the_worker),
		T(a_destdir_stays_in_front),
		T(a_destdir_inside_the_build_tree_is_an_installation),
		T(a_name_that_only_ends_alike_is_no_destdir),
		T(the_build_tree_is_found_from_anywhere_in_it),
		T(the_build_tree_has_a_module_directory_per_component),
		T(a_program_from_nowhere_belongs_to_the_installation),
		T(a_module_has_programs_of_its_own),
		T(the_running_program_knows_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
