/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_query.c - questions whose answer takes many turns
 */
#include <annex/query.h>

#include "fixture.h"

#define ASK(from, id)                                                                     \
	"<iq type='get' from='" from "/x' to='" DOMAIN "' id='" id "'><q xmlns='urn:q'/>" \
	"</iq>"
#define RESULT(to, id) "<iq from='" DOMAIN "' to='" to "/x' type='result' id='" id "'/>"

/* How the next query is: slices it takes, how it ends. */
struct habit {
	struct annex_queries *queries;
	unsigned slices, looked, ended;
	int looks_like, answers;
	char order[32]; /* whose slices were looked at: the first letters of their JIDs */
};

struct query {
	struct habit *habit;
	unsigned left;
	char by;
};

static void
forgotten(void *arg)
{
	((struct habit *)arg)->ended++;
}

static int
look(struct annex_instance *inst, void *cookie)
{
	struct query *q = cookie;
	struct habit *h = q->habit;

	assert_true(inst->entered);
	h->order[h->looked++ % (sizeof(h->order) - 1)] = q->by;
	if (q->left-- > 1)
		return ANNEX_AGAIN;
	return h->looks_like;
}

static int
answer(struct annex_instance *inst, void *cookie, struct annex_stanza *result)
{
	struct query *q = cookie;

	return q->habit->answers < 0 ? q->habit->answers : annex_send(inst, result);
}

static struct annex_error
refusal(const void *query, int status)
{
	return (struct annex_error) { .condition = status == ANNEX_ELIMIT
		    ? ANNEX_RESOURCE_CONSTRAINT
		    : ANNEX_ITEM_NOT_FOUND };
}

static const struct annex_query_kind kind = {
	.look = look,
	.answer = answer,
	.refusal = refusal,
	.most = 3,
	.most_each = 2,
};

static enum annex_verdict
take(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct habit *h = inst->settings;
	struct annex_pool *pool = annex_pool_create(annex_pool(inst), "query");
	struct query *q = annex_new(pool, struct query);
	enum annex_verdict verdict;

	if (h->queries == NULL)
		h->queries = annex_queries(inst, &kind);
	q->habit = h;
	q->left = h->slices;
	q->by = in->from->bare[0];
	annex_pool_on_destroy(pool, forgotten, h);
	verdict = annex_query(h->queries, in, 0, &pool, q);
	assert_null(pool);
	return verdict;
}

static const struct annex_route routes[] = {
	{ ANNEX_IQ_GET, "urn:q", "q", take },
	{ 0 },
};
static const struct annex_module module = { .name = "asked", .routes = routes };

static int
setup(void **state)
{
	struct fixture *f = fixture_create(&module);
	struct habit *h = annex_new(f->pool, struct habit);

	h->slices = 1;
	f->inst.settings = h;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	fixture_destroy(*state);
	return 0;
}

static struct habit *
habit(struct fixture *f)
{
	return f->inst.settings;
}

static void
what_is_done_at_once_is_answered_at_once(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(fixture_say(f, ASK("a@x", "1")), RESULT("a@x", "1"));
	assert_int_equal(habit(f)->ended, 1);
	habit(f)->looks_like = ANNEX_ENOENT;
	assert_non_null(strstr(fixture_say(f, ASK("a@x", "2")), "item-not-found"));
	habit(f)->looks_like = ANNEX_OK;
	habit(f)->answers = ANNEX_ELIMIT;
	assert_non_null(strstr(fixture_say(f, ASK("a@x", "3")), "resource-constraint"));
	assert_int_equal(habit(f)->ended, 3);
}

static void
those_that_are_held_take_turns(void **state)
{
	struct fixture *f = *state;

	habit(f)->slices = 3;
	assert_string_equal(fixture_say(f, ASK("a@x", "1")), "");
	assert_string_equal(fixture_say(f, ASK("b@x", "2")), "");
	assert_int_equal(habit(f)->looked, 2);
	fixture_pass(f, 0);
	fixture_pass(f, 0);
	fixture_pass(f, 0);
	fixture_pass(f, 0);
	assert_string_equal(fixture_heard(f), RESULT("a@x", "1") RESULT("b@x", "2"));
	assert_string_equal(habit(f)->order, "ababab");
	assert_int_equal(habit(f)->ended, 2);
}

static void
one_that_fails_on_its_way_is_refused(void **state)
{
	struct fixture *f = *state;

	habit(f)->slices = 2;
	habit(f)->looks_like = ANNEX_ENOENT;
	assert_string_equal(fixture_say(f, ASK("a@x", "1")), "");
	fixture_pass(f, 1);
	assert_non_null(strstr(fixture_heard(f), "item-not-found"));
	assert_int_equal(habit(f)->ended, 1);
}

static void
nobody_holds_more_than_their_share(void **state)
{
	struct fixture *f = *state;

	habit(f)->slices = 1000;
	assert_string_equal(fixture_say(f, ASK("a@x", "1")), "");
	assert_string_equal(fixture_say(f, ASK("a@x", "2")), "");
	assert_non_null(strstr(fixture_say(f, ASK("a@x", "3")), "resource-constraint"));
	assert_string_equal(fixture_say(f, ASK("b@x", "4")), "");
	assert_non_null(strstr(fixture_say(f, ASK("c@x", "5")), "resource-constraint"));
	assert_int_equal(habit(f)->ended, 2);
}

static void
nothing_is_looked_for_that_nobody_waits_for(void **state)
{
	struct fixture *f = *state;
	unsigned looked;

	habit(f)->slices = UINT32_MAX;
	assert_string_equal(fixture_say(f, ASK("a@x", "1")), "");
	f->clock.mono_us += 61000 * INT64_C(1000);
	fixture_pass(f, 0);
	fixture_pass(f, 0);
	fixture_pass(f, 0);
	assert_non_null(strstr(fixture_heard(f), "remote-server-timeout"));
	assert_int_equal(habit(f)->ended, 1);
	looked = habit(f)->looked;
	fixture_pass(f, 1000);
	assert_int_equal(habit(f)->looked, looked);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_done_at_once_is_answered_at_once),
		TEST(those_that_are_held_take_turns),
		TEST(one_that_fails_on_its_way_is_refused),
		TEST(nobody_holds_more_than_their_share),
		TEST(nothing_is_looked_for_that_nobody_waits_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
