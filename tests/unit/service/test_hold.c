/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_hold.c - IQs that are answered later
 */
#include "fixture.h"

#define ASK \
	"<iq type='get' from='a@example.org/x' to='" DOMAIN "' id='%s'><q xmlns='urn:hold'/></iq>"
#define ASK_AS \
	"<iq type='get' from='%d@example.org/x' to='" DOMAIN "' id='%s'><q xmlns='urn:hold'/></iq>"
#define RESULT "<iq from='" DOMAIN "' to='a@example.org/x' type='result' id='%s'/>"
#define ERROR(id, type, condition)                                                            \
	"<iq from='" DOMAIN "' to='a@example.org/x' type='error' id='" id "'>"                \
	"<error type='" type "'><" condition " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" \
	"</error></iq>"

/* How the component treats the next IQ. */
struct habit {
	annex_hold_t last;
	bool twice, after_answer, and_answer, release, fail;
};

static enum annex_verdict
take(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct habit *h = inst->settings;
	enum annex_verdict verdict;
	annex_hold_t again;

	if (h->after_answer)
		annex_confirm(inst, in);
	verdict = annex_hold(inst, in, &h->last);
	if (h->twice) {
		assert_int_equal(annex_hold(inst, in, &again), ANNEX_HELD);
		assert_true(again == h->last);
	}
	if (h->and_answer)
		annex_confirm(inst, in);
	if (h->release)
		annex_send(inst, annex_release(inst, h->last));
	if (h->fail)
		annex_fail_turn(inst, "on purpose");
	return verdict;
}

static const struct annex_route routes[] = {
	{ ANNEX_IQ_GET, "urn:hold", "q", take },
	{ 0 },
};
static const struct annex_module module = { .name = "holder", .routes = routes };

static int
setup(void **state)
{
	struct fixture *f = fixture_create(&module);

	f->inst.settings = annex_new(f->pool, struct habit);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	fixture_destroy(*state);
	return 0;
}

static annex_hold_t
hold(struct fixture *f, const char *id)
{
	struct habit *h = f->inst.settings;

	assert_string_equal(fixture_say(f, ASK, id), "");
	assert_true(h->last != 0);
	return h->last;
}

/* Answer it in a turn. */
static int
answer(struct fixture *f, annex_hold_t number)
{
	struct annex_stanza *out;
	int r = ANNEX_ENOENT;

	assert_true(instance_enter(&f->inst));
	if ((out = annex_release(&f->inst, number)) != NULL)
		r = annex_send(&f->inst, out);
	instance_leave(&f->inst);
	return r;
}

static void
a_held_iq_is_answered_later_and_once(void **state)
{
	struct fixture *f = *state;
	annex_hold_t number = hold(f, "1");

	fixture_pass(f, 59000);
	assert_int_equal(answer(f, number), ANNEX_OK);
	assert_string_equal(fixture_heard(f), "");
	assert_int_equal(answer(f, number), ANNEX_ENOENT); /* in the same turn */
	assert_true(fixture_end(f));
	assert_string_equal(fixture_heard(f),
	    "<iq from='" DOMAIN "' to='a@example.org/x' "
	    "type='result' id='1'/>");
	assert_int_equal(answer(f, number), ANNEX_ENOENT);
	fixture_pass(f, 60000);
	assert_string_equal(fixture_heard(f), "");
}

static void
two_results_to_one_hold_are_one(void **state)
{
	struct fixture *f = *state;
	annex_hold_t number = hold(f, "1");
	struct annex_stanza *one, *two;

	assert_true(instance_enter(&f->inst));
	one = annex_release(&f->inst, number);
	two = annex_release(&f->inst, number);
	assert_int_equal(annex_send(&f->inst, one), ANNEX_OK);
	assert_int_equal(annex_send(&f->inst, two), ANNEX_EINVAL);
	instance_leave(&f->inst);
	assert_true(fixture_end(f));
	assert_null(strstr(strstr(fixture_heard(f), "<iq") + 1, "<iq"));
}

static void
a_refusal_is_an_answer(void **state)
{
	struct fixture *f = *state;
	const struct annex_error error = { .condition = ANNEX_FORBIDDEN };
	annex_hold_t number = hold(f, "1");

	assert_true(instance_enter(&f->inst));
	annex_refuse_held(&f->inst, number, &error);
	annex_refuse_held(&f->inst, number, &error);
	assert_null(annex_release(&f->inst, number));
	instance_leave(&f->inst);
	assert_true(fixture_end(f));
	assert_string_equal(fixture_heard(f), ERROR("1", "auth", "forbidden"));
}

static void
a_deadline_ends_it(void **state)
{
	struct fixture *f = *state;
	annex_hold_t number = hold(f, "1");

	fixture_pass(f, 59999);
	assert_string_equal(fixture_heard(f), "");
	fixture_pass(f, 1);
	assert_string_equal(fixture_heard(f), ERROR("1", "wait", "remote-server-timeout"));
	assert_int_equal(answer(f, number), ANNEX_ENOENT);
}

static void
it_survives_the_loss_of_the_link(void **state)
{
	struct fixture *f = *state;
	annex_hold_t number = hold(f, "1");

	fixture_link_down(f);
	fixture_link_up(f);
	assert_int_equal(answer(f, number), ANNEX_OK);
	assert_true(fixture_end(f));
	assert_string_not_equal(fixture_heard(f), "");
}

static void
a_reset_answers_wait(void **state)
{
	struct fixture *f = *state;
	annex_hold_t number = hold(f, "1");

	instance_fail(&f->inst, "on purpose");
	assert_false(fixture_end(f));
	assert_string_equal(fixture_heard(f), ERROR("1", "wait", "resource-constraint"));
	assert_int_equal(answer(f, number), ANNEX_ENOENT);
}

static void
one_answered_in_a_turn_that_fails_is_still_there(void **state)
{
	struct fixture *f = *state;
	annex_hold_t number = hold(f, "1");

	assert_int_equal(answer(f, number), ANNEX_OK);
	output_drop(&f->inst);
	holds_turn_failed(&f->inst);
	assert_int_equal(answer(f, number), ANNEX_OK);
	assert_true(fixture_end(f));
	assert_string_not_equal(fixture_heard(f), "");
}

static void
one_taken_in_a_turn_that_fails_is_forgotten(void **state)
{
	struct fixture *f = *state;
	struct habit *h = f->inst.settings;

	h->fail = true;
	assert_string_equal(fixture_say(f, ASK, "1"), "");
	fixture_pass(f, 61000);
	assert_string_equal(fixture_heard(f), "");
	assert_int_equal(answer(f, h->last), ANNEX_ENOENT);
}

static void
one_taken_and_answered_in_a_turn_is_gone_after_it(void **state)
{
	struct fixture *f = *state;
	struct habit *h = f->inst.settings;

	h->release = true;
	assert_non_null(strstr(fixture_say(f, ASK, "1"), "type='result' id='1'"));
	assert_int_equal(answer(f, h->last), ANNEX_ENOENT);
	fixture_pass(f, 61000);
	assert_string_equal(fixture_heard(f), "");
}

static void
holding_twice_is_holding_once(void **state)
{
	struct fixture *f = *state;
	struct habit *h = f->inst.settings;

	h->twice = true;
	assert_int_equal(answer(f, hold(f, "1")), ANNEX_OK);
	assert_true(fixture_end(f));
	fixture_heard(f);
	fixture_pass(f, 61000);
	assert_string_equal(fixture_heard(f), "");
}

static void
what_was_answered_cannot_be_held(void **state)
{
	struct fixture *f = *state;
	struct habit *h = f->inst.settings;
	const char *heard;

	h->after_answer = true;
	heard = fixture_say(f, ASK, "1");
	assert_non_null(strstr(heard, "type='result'"));
	assert_true(h->last == 0);
	assert_true(fixture_logged(f, "level=bug"));
}

static void
what_is_held_cannot_be_answered_beside_it(void **state)
{
	struct fixture *f = *state;
	struct habit *h = f->inst.settings;

	h->and_answer = true;
	assert_string_equal(fixture_say(f, ASK, "1"), "");
	assert_int_equal(answer(f, h->last), ANNEX_OK);
	assert_true(fixture_end(f));
	assert_non_null(strstr(fixture_heard(f), "type='result'"));
}

static void
beyond_ten_thousand_it_is_refused(void **state)
{
	struct fixture *f = *state;
	struct habit *h = f->inst.settings;
	char id[16];

	for (int i = 0; i < 9999; i++) {
		snprintf(id, sizeof(id), "%d", i);
		assert_string_equal(fixture_say(f, ASK_AS, i / 500, id), "");
	}
	hold(f, "last");
	assert_string_equal(
	    fixture_say(f, ASK, "full"), ERROR("full", "wait", "resource-constraint"));
	assert_true(h->last == 0);
	fixture_pass(f, 60000);
	hold(f, "again");
}

static void
nobody_has_more_than_five_hundred(void **state)
{
	struct fixture *f = *state;
	struct habit *h = f->inst.settings;
	annex_hold_t first = hold(f, "first");
	char id[16];

	for (int i = 1; i < 500; i++) {
		snprintf(id, sizeof(id), "%d", i);
		hold(f, id);
	}
	assert_string_equal(
	    fixture_say(f, ASK, "full"), ERROR("full", "wait", "resource-constraint"));
	assert_true(h->last == 0);
	assert_string_equal(fixture_say(f, ASK_AS, 7, "another"), "");
	assert_true(h->last != 0);
	assert_int_equal(answer(f, first), ANNEX_OK);
	assert_true(fixture_end(f));
	fixture_heard(f);
	hold(f, "room");
}

static void
numbers_of_another_process_name_nothing(void **state)
{
	struct fixture *f = *state;
	struct habit *h = f->inst.settings;
	annex_hold_t number = hold(f, "1");

	fixture_restart(f, NULL);
	f->inst.settings = h;
	hold(f, "2");
	assert_true(h->last != number);
	assert_int_equal(answer(f, number), ANNEX_ENOENT);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_held_iq_is_answered_later_and_once),
		TEST(two_results_to_one_hold_are_one),
		TEST(a_refusal_is_an_answer),
		TEST(a_deadline_ends_it),
		TEST(it_survives_the_loss_of_the_link),
		TEST(a_reset_answers_wait),
		TEST(one_answered_in_a_turn_that_fails_is_still_there),
		TEST(one_taken_in_a_turn_that_fails_is_forgotten),
		TEST(one_taken_and_answered_in_a_turn_is_gone_after_it),
		TEST(holding_twice_is_holding_once),
		TEST(what_was_answered_cannot_be_held),
		TEST(what_is_held_cannot_be_answered_beside_it),
		TEST(beyond_ten_thousand_it_is_refused),
		TEST(nobody_has_more_than_five_hundred),
		TEST(numbers_of_another_process_name_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
