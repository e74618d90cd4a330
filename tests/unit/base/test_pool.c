/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_pool.c - memory that is freed in one piece
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/pool.h"

static void
what_it_hands_out_is_aligned_separate_and_keeps_its_bytes(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct random random;
	unsigned char *piece[2000];
	size_t size[2000];

	random_init_seeded(&random, 1);
	for (int i = 0; i < 2000; i++) {
		size[i] = random_below(&random, i % 50 == 0 ? 100000 : 300);
		piece[i] = annex_pool_alloc(pool, size[i]);
		assert_non_null(piece[i]);
		assert_int_equal((uintptr_t)piece[i] % _Alignof(max_align_t), 0);
		memset(piece[i], i & 0xff, size[i]);
		/* Odd lengths in between must not disturb the alignment. */
		annex_strndup(pool, "unaligned", i % 9);
	}
	for (int i = 0; i < 2000; i++)
		for (size_t k = 0; k < size[i]; k++)
			assert_int_equal(piece[i][k], i & 0xff);
	annex_pool_destroy(&pool);
	assert_null(pool);
}

static void
destroying_nothing_is_fine(void **state)
{
	struct annex_pool *pool = NULL;

	annex_pool_destroy(&pool);
	assert_null(pool);
}

struct note {
	char *log;
	char letter;
};

static void
write_letter(void *arg)
{
	struct note *note = arg;

	strncat(note->log, &note->letter, 1);
}

static void
clean_ups_run_newest_first_and_children_before_their_parent(void **state)
{
	char log[16] = "";
	struct note a = { log, 'a' }, b = { log, 'b' }, c = { log, 'c' }, d = { log, 'd' };
	struct annex_pool *parent = annex_pool_create(NULL, "parent");
	struct annex_pool *older = annex_pool_create(parent, "older");
	struct annex_pool *newer = annex_pool_create(parent, "newer");

	annex_pool_on_destroy(parent, write_letter, &a);
	annex_pool_on_destroy(parent, write_letter, &b);
	annex_pool_on_destroy(older, write_letter, &c);
	annex_pool_on_destroy(newer, write_letter, &d);
	annex_pool_destroy(&parent);
	assert_string_equal(log, "dcba");
}

static void
a_child_destroyed_alone_leaves_its_siblings(void **state)
{
	char log[16] = "";
	struct note notes[5];
	struct annex_pool *parent = annex_pool_create(NULL, "parent"), *child[5];

	for (int i = 0; i < 5; i++) {
		child[i] = annex_pool_create(parent, "child");
		notes[i] = (struct note) { log, (char)('0' + i) };
		annex_pool_on_destroy(child[i], write_letter, &notes[i]);
	}
	annex_pool_destroy(&child[2]);
	annex_pool_destroy(&child[4]);
	annex_pool_destroy(&child[0]);
	assert_string_equal(log, "240");
	annex_pool_destroy(&parent);
	assert_string_equal(log, "24031");
}

static void
reset_runs_the_clean_ups_once_and_keeps_the_first_chunk(void **state)
{
	char log[16] = "";
	struct note a = { log, 'a' }, b = { log, 'b' };
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	struct annex_pool *child = annex_pool_create(pool, "child");
	size_t fresh = annex_pool_bytes(pool);
	void *first = annex_pool_alloc(pool, 10);

	annex_pool_on_destroy(child, write_letter, &a);
	annex_pool_on_destroy(pool, write_letter, &b);
	annex_pool_alloc(pool, 1000000);
	for (int i = 0; i < 1000; i++)
		annex_pool_alloc(pool, 1000);
	assert_true(annex_pool_bytes(pool) > fresh + 2000000);

	annex_pool_reset(pool);
	assert_string_equal(log, "ab");
	assert_true(annex_pool_bytes(pool) < fresh); /* the child is gone */
	assert_ptr_equal(annex_pool_alloc(pool, 10), first);
	annex_pool_reset(pool);
	assert_string_equal(log, "ab");
	annex_pool_destroy(&pool);
	assert_string_equal(log, "ab");
}

struct chain {
	struct annex_pool *pool;
	int left, ran;
};

static void
add_another(void *arg)
{
	struct chain *chain = arg;

	chain->ran++;
	annex_pool_create(chain->pool, "late");
	if (chain->left-- > 0)
		annex_pool_on_destroy(chain->pool, add_another, chain);
}

static void
a_clean_up_may_add_clean_ups_and_children(void **state)
{
	struct chain chain = { annex_pool_create(NULL, "test"), 3, 0 };

	annex_pool_on_destroy(chain.pool, add_another, &chain);
	annex_pool_reset(chain.pool);
	assert_int_equal(chain.ran, 4);
	assert_null(chain.pool->children);
	annex_pool_destroy(&chain.pool);
}

static void
chunks_double_and_stay_within_their_bounds(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	size_t last = annex_pool_bytes(pool), now, most = 0, handed = 0;

	assert_true(last <= 4096);
	while (handed < 1000000) {
		annex_pool_alloc(pool, 512);
		handed += 512;
		now = annex_pool_bytes(pool);
		if (now != last && now - last > most)
			most = now - last;
		last = now;
	}
	assert_int_equal(most, 65536);
	annex_pool_destroy(&pool);
}

static void
an_oversize_piece_leaves_the_current_chunk_in_use(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	char *before = annex_pool_alloc(pool, 16), *after;

	annex_pool_alloc(pool, 500000);
	after = annex_pool_alloc(pool, 16);
	assert_true(after > before && after - before < 128);
	annex_pool_destroy(&pool);
}

static void
bytes_count_the_children_too(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	size_t alone = annex_pool_bytes(pool);
	struct annex_pool *child = annex_pool_create(pool, "child");

	assert_int_equal(annex_pool_bytes(pool), 2 * alone);
	annex_pool_destroy(&child);
	assert_int_equal(annex_pool_bytes(pool), alone);
	annex_pool_destroy(&pool);
}

static void
zeroed_memory_is_zero_after_a_reset_as_well(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	int *numbers;

	memset(annex_pool_alloc(pool, 2000), 0xff, 2000);
	annex_pool_reset(pool);
	numbers = annex_new_array(pool, int, 400);
	for (int i = 0; i < 400; i++)
		assert_int_equal(numbers[i], 0);
	annex_pool_destroy(&pool);
}

static void
copies_of_text_are_terminated(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	char long_text[1000];

	assert_null(annex_strdup(pool, NULL));
	assert_string_equal(annex_strdup(pool, ""), "");
	assert_string_equal(annex_strdup(pool, "den"), "den");
	assert_string_equal(annex_strndup(pool, "denmark", 3), "den");
	assert_string_equal(annex_strndup(pool, NULL, 0), "");
	assert_memory_equal(annex_memdup(pool, "a\0b", 3), "a\0b", 3);
	assert_string_equal(annex_sprintf(pool, "%d of %s", 3, "five"), "3 of five");
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	assert_string_equal(annex_sprintf(pool, "%s", long_text), long_text);
	long_text[256] = '\0'; /* just above what is tried first */
	assert_string_equal(annex_sprintf(pool, "%s", long_text), long_text);
	long_text[255] = '\0';
	assert_string_equal(annex_sprintf(pool, "%s", long_text), long_text);
	annex_pool_destroy(&pool);
}

/* Run fn in a child; its status and what it said on standard error. */
static int
in_a_child(void (*fn)(void), char *said, size_t size)
{
	int fd[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	assert_true((pid = fork()) >= 0);
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		dup2(fd[1], STDERR_FILENO);
		fn();
		_exit(0);
	}
	close(fd[1]);
	n = read(fd[0], said, size - 1);
	said[n > 0 ? n : 0] = '\0';
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
ask_for_too_much(void)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");

	annex_pool_alloc(pool, SIZE_MAX - 4);
}

static void
ask_for_too_many(void)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");

	annex_pool_array(pool, SIZE_MAX / 8, 16);
}

static void
use_what_is_no_pool(void)
{
	char nothing[sizeof(struct annex_pool)] = { 0 };

	annex_pool_reset((struct annex_pool *)(void *)nothing);
}

static void
an_impossible_size_ends_the_process_with_a_sentence(void **state)
{
	char said[512];
	int status;

	status = in_a_child(ask_for_too_much, said, sizeof(said));
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_non_null(strstr(said, "out of memory (18446744073709551611 bytes asked for)"));
	status = in_a_child(ask_for_too_many, said, sizeof(said));
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_non_null(strstr(said, "out of memory"));
}

static void
what_is_no_pool_is_a_bug_with_file_and_line(void **state)
{
	char said[512];
	int status = in_a_child(use_what_is_no_pool, said, sizeof(said));

	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_non_null(strstr(said, "<2>BUG: "));
	assert_non_null(strstr(said, "pool.c:"));
}

#ifdef POOL_ASAN
static void
the_sanitizer_sees_what_was_not_handed_out(void **state)
{
	struct annex_pool *pool = annex_pool_create(NULL, "test");
	char *a = annex_pool_alloc(pool, 24), *b = annex_pool_alloc(pool, 24);

	assert_false(__asan_address_is_poisoned(a + 23));
	assert_true(__asan_address_is_poisoned(a + 24));
	assert_false(__asan_address_is_poisoned(b));
	annex_pool_reset(pool);
	assert_true(__asan_address_is_poisoned(a));
	annex_pool_destroy(&pool);
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_hands_out_is_aligned_separate_and_keeps_its_bytes),
		cmocka_unit_test(destroying_nothing_is_fine),
		cmocka_unit_test(clean_ups_run_newest_first_and_children_before_their_parent),
		cmocka_unit_test(a_child_destroyed_alone_leaves_its_siblings),
		cmocka_unit_test(reset_runs_the_clean_ups_once_and_keeps_the_first_chunk),
		cmocka_unit_test(a_clean_up_may_add_clean_ups_and_children),
		cmocka_unit_test(chunks_double_and_stay_within_their_bounds),
		cmocka_unit_test(an_oversize_piece_leaves_the_current_chunk_in_use),
		cmocka_unit_test(bytes_count_the_children_too),
		cmocka_unit_test(zeroed_memory_is_zero_after_a_reset_as_well),
		cmocka_unit_test(copies_of_text_are_terminated),
		cmocka_unit_test(an_impossible_size_ends_the_process_with_a_sentence),
		cmocka_unit_test(what_is_no_pool_is_a_bug_with_file_and_line),
#ifdef POOL_ASAN
		cmocka_unit_test(the_sanitizer_sees_what_was_not_handed_out),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
