/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_power.c - the power goes, at any moment
 *
 * A store works through turns that a seed decides.  For many moments the files are made
 * anew as a disk may have them that lost its power then (disk.h), and opened: what was acknowledged
 * before is all there, and of the turn that was under way all or nothing.  The next
 * life begins with what one of them left.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "storetest.h"

#define SEEDS 12
#define LIVES 4
#define MOMENTS 16
#define EARLY 8 /* of them are the first of a life, while the store is opened */
#define STEPS 40
#define ROWS 10
#define STATES (2 * LIVES * STEPS + 1)
#define MARKS (3 * STATES)

/* What the store holds: in each row the turn that wrote it, 0 where there is none. */
struct state {
	unsigned row[ROWS];
	unsigned counted;
};

/* From this moment on it is `last` that is acknowledged, and `next` may be there instead. */
struct mark {
	size_t moment;
	unsigned last, next;
};

struct power {
	struct storetest t;
	uint64_t random;
	struct state states[STATES];
	unsigned count, last;
	struct mark marks[MARKS];
	unsigned mark_count;
	int backup;
	unsigned backed_up;
};

/* --- States --------------------------------------------------------------------------------- */

static void
mark(struct power *p, unsigned next)
{
	assert_true(p->mark_count < MARKS);
	p->marks[p->mark_count++] = (struct mark) { disk_moment(), p->last, next };
}

/* As long as the turn's number says: some are a page, some many. */
static char *
text_of(struct annex_pool *pool, unsigned turn)
{
	size_t len = turn % 11 == 0 ? 60000 : turn % 5 == 0 ? 5000 : 20;
	char *text = annex_pool_zalloc(pool, len + 1);

	memset(text, '.', len);
	text[snprintf(text, len, "%u", turn)] = ' ';
	return text;
}

static struct annex_key
row_key(unsigned row)
{
	char name[12];

	snprintf(name, sizeof(name), "row %u", row);
	return text_key(name);
}

static bool
row_is(struct storetest *t, unsigned row, unsigned turn)
{
	struct annex_key key = row_key(row);
	const char *text = get_text(t->store, &key);

	if (turn == 0 || text == NULL)
		return turn == 0 && text == NULL;
	return strcmp(text, text_of(t->pool, turn)) == 0;
}

static bool
state_is(struct storetest *t, const struct state *state)
{
	struct annex_key group = annex_key(COUNTED);
	uint64_t rows;

	assert_int_equal(annex_rows(t->store, annex_key_text(&group, "den"), &rows), ANNEX_OK);
	for (unsigned row = 0; row < ROWS; row++)
		if (!row_is(t, row, state->row[row]))
			return false;
	return rows == state->counted;
}

/* --- Turns ---------------------------------------------------------------------------------- */

static void
change(struct power *p, struct state *state)
{
	unsigned row = disk_random(&p->random, ROWS);
	struct annex_key key = row_key(row);

	if (state->row[row] != 0 && disk_random(&p->random, 4) == 0) {
		assert_int_equal(annex_delete(p->t.store, &key), ANNEX_OK);
		state->row[row] = 0;
		return;
	}
	put_text(p->t.store, &key, text_of(p->t.pool, p->count));
	state->row[row] = p->count;
}

/* Changes that are not committed yet, from the last state to the next. */
static void
changes(struct power *p)
{
	struct state *next = &p->states[++p->count];
	struct annex_key group = annex_key(COUNTED);
	uint64_t number;

	assert_true(p->count < STATES);
	*next = p->states[p->last];
	for (unsigned n = 1 + disk_random(&p->random, 3); n > 0; n--)
		change(p, next);
	annex_key_text(&group, "den");
	assert_int_equal(annex_sequence(p->t.store, &group, &number), ANNEX_OK);
	put_text(p->t.store, annex_key_u64(&group, number), "x");
	next->counted++;
}

static void
turn(struct power *p)
{
	changes(p);
	mark(p, p->count);
	commit(p->t.store);
	p->last = p->count;
	mark(p, p->last);
}

static void
turn_undone(struct power *p)
{
	changes(p);
	store_abort(p->t.store);
}

/* All that was written may be on the disk; but somebody is told that it was not done. */
static void
turn_without_space(struct power *p)
{
	changes(p);
	mark(p, p->count);
	disk_fail_sync("journal", ENOSPC);
	if (store_commit(p->t.store) == ANNEX_OK)
		p->last = p->count; /* this one went to LMDB */
	disk_fail_sync(NULL, 0);
	mark(p, p->last);
	assert_false(store_is_dead(p->t.store));
}

static void
checkpoint(struct power *p)
{
	store_tend(p->t.store);
}

static void
opened_again(struct power *p)
{
	storetest_reopen(&p->t);
}

static void
backed_up(void *cookie, int status, const char *why)
{
	assert_int_equal(status, ANNEX_OK);
}

static void
backup(struct power *p)
{
	if (p->backup >= 0)
		close(p->backup);
	p->backup = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	assert_true(p->backup >= 0);
	assert_int_equal(store_backup(p->t.store, p->backup, backed_up, p), ANNEX_OK);
	p->backed_up = p->last;
}

static void
restored(struct power *p)
{
	struct storetest *t = &p->t;

	if (p->backup < 0)
		return;
	store_close(&t->store);
	lseek(p->backup, 0, SEEK_SET);
	mark(p, p->backed_up);
	if (store_restore(t->dir, p->backup, t->pool, &t->why) < 0)
		fail_msg("%s", t->why);
	p->last = p->backed_up;
	mark(p, p->last);
	if (storetest_open(t) < 0)
		fail_msg("%s", t->why);
}

/* What is in the journal between them has the numbers of what will be after them. */
static void
restored_twice(struct power *p)
{
	restored(p);
	turn(p);
	turn(p);
	restored(p);
}

static const struct step {
	void (*take)(struct power *p);
	unsigned weight;
} steps[] = {
	{ turn, 66 },
	{ turn_undone, 8 },
	{ turn_without_space, 5 },
	{ checkpoint, 6 },
	{ opened_again, 4 },
	{ backup, 5 },
	{ restored_twice, 6 },
};

static void
step(struct power *p)
{
	unsigned at = disk_random(&p->random, 100);
	const struct step *s = steps;

	while (at >= s->weight)
		at -= s++->weight;
	s->take(p);
}

/* --- The power goes ------------------------------------------------------------------------- */

static void
empty(struct storetest *t)
{
	DIR *dir = opendir(t->dir);
	struct dirent *entry;

	while ((entry = readdir(dir)) != NULL)
		unlink(storetest_file(t, entry->d_name));
	closedir(dir);
}

static const struct mark *
mark_at(const struct power *p, size_t moment)
{
	unsigned i = 0;

	while (i + 1 < p->mark_count && p->marks[i + 1].moment <= moment)
		i++;
	return &p->marks[i];
}

/* Lose it, open what is left in after, and say which state it is in. */
static unsigned
lose_power(struct power *p, size_t moment, struct storetest *after, unsigned seed)
{
	const struct mark *m = mark_at(p, moment);

	disk_lose_power(moment, &p->random, after->dir);
	if (storetest_open(after) < 0)
		fail_msg("seed %u, moment %zu: %s", seed, moment, after->why);
	if (state_is(after, &p->states[m->last]))
		return m->last;
	if (!state_is(after, &p->states[m->next]))
		fail_msg("seed %u, moment %zu: neither the state %u nor %u", seed, moment, m->last,
		    m->next);
	return m->next;
}

static void
live(struct power *p)
{
	disk_start(p->t.dir);
	p->mark_count = 0;
	mark(p, p->last);
	if (storetest_open(&p->t) < 0)
		fail_msg("%s", p->t.why);
	for (unsigned n = disk_random(&p->random, STEPS); n > 0; n--)
		step(p);
	disk_stop();
	store_close(&p->t.store);
}

static void
test_init(struct storetest *t)
{
	storetest_init(t);
	t->env.io = &store_io_lmdb;
	t->options.volatile_sync = false;
	t->options.map_bytes = 64 << 20;
}

static unsigned
lose_power_and_look(struct power *p, size_t moment, unsigned seed)
{
	struct storetest after;
	unsigned found;

	test_init(&after);
	found = lose_power(p, moment, &after, seed);
	storetest_finish(&after);
	return found;
}

/* The files as they are left, not opened yet; they are made twice, for they are looked at first. */
static void
die(struct power *p, size_t moment, unsigned seed)
{
	uint64_t random = p->random;

	p->last = lose_power_and_look(p, moment, seed);
	empty(&p->t);
	disk_lose_power(moment, &random, p->t.dir);
}

static void
lives(unsigned seed)
{
	struct power *p = calloc(1, sizeof(*p));

	p->random = seed;
	p->backup = -1;
	test_init(&p->t);
	for (unsigned life = 0; life < LIVES; life++) {
		unsigned moments;

		live(p);
		moments = (unsigned)disk_moment() + 1;
		for (unsigned i = 0; i < MOMENTS; i++)
			lose_power_and_look(p,
			    i < EARLY && i < moments ? i : disk_random(&p->random, moments), seed);
		die(p, disk_random(&p->random, moments), seed);
	}
	if (p->backup >= 0)
		close(p->backup);
	storetest_finish(&p->t);
	disk_free();
	free(p);
}

static void
nothing_that_was_acknowledged_is_lost(void **state)
{
	for (unsigned seed = 1; seed <= SEEDS; seed++)
		lives(seed);
}

/* The page cache has what the disk did not take, and the next start reads that. */
static void
what_the_disk_refused_is_not_done(void **state)
{
	struct power *p = calloc(1, sizeof(*p));

	test_init(&p->t);
	p->backup = -1;
	disk_start(p->t.dir);
	assert_int_equal(storetest_open(&p->t), ANNEX_OK);
	turn(p);
	changes(p);
	disk_fail_sync("journal", EIO);
	assert_int_equal(store_commit(p->t.store), ANNEX_ESTORE);
	assert_true(store_is_dead(p->t.store));
	storetest_reopen(&p->t);
	assert_true(state_is(&p->t, &p->states[p->last]));
	storetest_finish(&p->t);
	disk_free();
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_that_was_acknowledged_is_lost),
		cmocka_unit_test(what_the_disk_refused_is_not_done),
	};
	return cmocka_run_group_tests_name("power", tests, NULL, NULL);
}
