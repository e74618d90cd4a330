/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_iq.c - questions and fences
 */
#include "fixture.h"

/* What the last answer was. */
struct answers {
	unsigned count;
	int status;
	char cookie[16], text[64];
	bool again; /* ask again from the callback */
	bool fail;  /* fail its turn */
};

static struct answers *
answers_of(struct annex_instance *inst)
{
	return inst->settings;
}

static void answered(struct annex_instance *inst, int status, const struct annex_stanza *answer,
    const void *cookie, size_t len);

static int
ask_to(struct fixture *f, const char *to, int64_t timeout_ms, const char *cookie)
{
	struct annex_stanza *q = annex_iq(&f->inst, NULL, to, "get");

	annex_add(q->element, "urn:xmpp:ping", "ping");
	return annex_ask(&f->inst, q, timeout_ms, answered, cookie, strlen(cookie) + 1);
}

static void
answered(struct annex_instance *inst, int status, const struct annex_stanza *answer,
    const void *cookie, size_t len)
{
	struct answers *a = answers_of(inst);

	assert_true(inst->entered);
	a->count++;
	a->status = status;
	assert_int_equal(len, strlen(cookie) + 1);
	snprintf(a->cookie, sizeof(a->cookie), "%s", (const char *)cookie);
	snprintf(a->text, sizeof(a->text), "%s",
	    answer != NULL && answer->payload != NULL ? annex_text(answer->payload) : "none");
	if (a->fail)
		annex_fail_turn(inst, "on purpose");
	if (a->again) {
		a->again = false;
		ask_to((struct fixture *)inst, "b@example.org", 0, "again");
	}
}

static int
setup(void **state)
{
	struct fixture *f = fixture_create(NULL);

	f->inst.settings = annex_new(f->pool, struct answers);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	fixture_destroy(*state);
	return 0;
}

/* Ask in a turn; the id. */
static const char *
ask(struct fixture *f, const char *to, int64_t timeout_ms, const char *cookie)
{
	const char *heard;

	assert_true(instance_enter(&f->inst));
	assert_int_equal(ask_to(f, to, timeout_ms, cookie), ANNEX_OK);
	instance_leave(&f->inst);
	assert_true(fixture_end(f));
	heard = fixture_heard(f);
	return attr_of(f, heard, "id");
}

static void
an_answer_is_matched_by_id_and_sender(void **state)
{
	struct fixture *f = *state;
	struct answers *a = f->inst.settings;
	const char *id = ask(f, "a@example.org/x", 0, "key");

	fixture_say(f, "<iq type='result' from='mallory@evil.test' to='" DOMAIN "' id='%s'/>", id);
	fixture_say(f, "<iq type='result' from='a@example.org' to='" DOMAIN "' id='%s'/>", id);
	fixture_say(f, "<iq type='result' from='a@example.org/x' to='" DOMAIN "' id='other'/>");
	assert_int_equal(a->count, 0);
	fixture_say(f,
	    "<iq type='result' from='A@EXAMPLE.org/x' to='" DOMAIN "' id='%s'>"
	    "<q xmlns='urn:x'>yes</q></iq>",
	    id);
	assert_int_equal(a->count, 1);
	assert_int_equal(a->status, ANNEX_OK);
	assert_string_equal(a->cookie, "key");
	assert_string_equal(a->text, "yes");
	fixture_say(f, "<iq type='result' from='a@example.org/x' to='" DOMAIN "' id='%s'/>", id);
	assert_int_equal(a->count, 1);
}

static void
an_error_is_an_answer(void **state)
{
	struct fixture *f = *state;
	struct answers *a = f->inst.settings;
	const char *id = ask(f, "example.org", 0, "k");

	fixture_say(f,
	    "<iq type='error' from='example.org' to='" DOMAIN "' id='%s'>"
	    "<error type='cancel'/></iq>",
	    id);
	assert_int_equal(a->count, 1);
	assert_int_equal(a->status, ANNEX_EDENIED);
}

static void
silence_ends_at_the_timeout(void **state)
{
	struct fixture *f = *state;
	struct answers *a = f->inst.settings;
	const char *id = ask(f, "a@example.org", 5000, "k");

	fixture_pass(f, 4999);
	assert_int_equal(a->count, 0);
	fixture_pass(f, 1);
	assert_int_equal(a->count, 1);
	assert_int_equal(a->status, ANNEX_AGAIN);
	assert_string_equal(a->text, "none");
	fixture_say(f, "<iq type='result' from='a@example.org' to='" DOMAIN "' id='%s'/>", id);
	assert_int_equal(a->count, 1);
	ask(f, "a@example.org", 0, "k");
	fixture_pass(f, 29999);
	assert_int_equal(a->count, 1);
	fixture_pass(f, 1);
	assert_int_equal(a->count, 2);
	assert_int_equal(fixture_count(f, "questions_timeout_total"), 2);
}

static void
ids_differ_between_questions_and_processes(void **state)
{
	struct fixture *f = *state;
	const char *one = ask(f, "a@example.org", 0, "k"), *two = ask(f, "a@example.org", 0, "k");
	struct answers *a = f->inst.settings;

	assert_string_not_equal(one, two);
	assert_true(strlen(one) > 16);
	fixture_restart(f, NULL);
	f->inst.settings = a;
	assert_int_not_equal(strncmp(one, ask(f, "a@example.org", 0, "k"), 16), 0);
	fixture_say(f, "<iq type='result' from='a@example.org' to='" DOMAIN "' id='%s'/>", one);
	assert_int_equal(a->count, 0);
}

static void
all_pending_fail_when_the_link_is_lost(void **state)
{
	struct fixture *f = *state;
	struct answers *a = f->inst.settings;
	const char *id = ask(f, "a@example.org", 0, "k");

	ask(f, "b@example.org", 0, "l");
	a->again = true;
	fixture_link_down(f);
	fixture_pass(f, 0);
	fixture_pass(f, 0);
	assert_int_equal(a->count, 3); /* the third was asked while there was no link */
	assert_int_equal(a->status, ANNEX_EOFFLINE);
	assert_string_equal(a->cookie, "again");
	fixture_link_up(f);
	fixture_say(f, "<iq type='result' from='a@example.org' to='" DOMAIN "' id='%s'/>", id);
	fixture_pass(f, 60000);
	assert_int_equal(a->count, 3);
}

static void
without_a_link_a_question_fails_at_once_but_not_at_the_asker(void **state)
{
	struct fixture *f = *state;
	struct answers *a = f->inst.settings;

	fixture_link_down(f);
	assert_true(instance_enter(&f->inst));
	assert_int_equal(ask_to(f, "a@example.org", 0, "k"), ANNEX_OK);
	assert_int_equal(a->count, 0);
	instance_leave(&f->inst);
	fixture_end(f);
	fixture_pass(f, 0);
	assert_int_equal(a->count, 1);
	assert_int_equal(a->status, ANNEX_EOFFLINE);
	assert_string_equal(fixture_heard(f), "");
}

static void
a_reset_forgets_questions(void **state)
{
	struct fixture *f = *state;
	struct answers *a = f->inst.settings;
	const char *id = ask(f, "a@example.org", 1000, "k");

	instance_fail(&f->inst, "on purpose");
	assert_false(fixture_end(f));
	fixture_say(f, "<iq type='result' from='a@example.org' to='" DOMAIN "' id='%s'/>", id);
	fixture_pass(f, 2000);
	assert_int_equal(a->count, 0);
}

static void
what_is_asked_in_a_turn_that_fails_never_leaves(void **state)
{
	struct fixture *f = *state;
	struct answers *a = f->inst.settings;

	assert_true(instance_enter(&f->inst));
	assert_int_equal(ask_to(f, "a@example.org", 1000, "k"), ANNEX_OK);
	annex_fail_turn(&f->inst, "on purpose");
	instance_leave(&f->inst);
	assert_false(fixture_end(f));
	assert_string_equal(fixture_heard(f), "");
	fixture_pass(f, 2000);
	assert_int_equal(a->count, 0);
}

static void
an_answer_may_fail_its_turn(void **state)
{
	struct fixture *f = *state;
	struct answers *a = f->inst.settings;
	const char *id = ask(f, "a@example.org", 1000, "k");

	a->fail = true;
	fixture_say(f, "<iq type='result' from='a@example.org' to='" DOMAIN "' id='%s'/>", id);
	assert_int_equal(a->count, 1);
	assert_int_equal(f->lives, 2);
}

static void
ten_thousand_may_be_pending(void **state)
{
	struct fixture *f = *state;
	struct answers *a = f->inst.settings;

	for (int i = 0; i < 10000; i++) {
		assert_true(instance_enter(&f->inst));
		assert_int_equal(ask_to(f, "a@example.org", 0, "k"), ANNEX_OK);
		instance_leave(&f->inst);
	}
	assert_true(instance_enter(&f->inst));
	assert_int_equal(ask_to(f, "a@example.org", 0, "k"), ANNEX_ELIMIT);
	instance_leave(&f->inst);
	assert_true(fixture_end(f));
	fixture_pass(f, 30000);
	assert_int_equal(a->count, 10000);
	ask(f, "a@example.org", 0, "k");
}

static void
whom_nobody_could_answer_for_is_not_asked(void **state)
{
	struct fixture *f = *state;

	assert_true(instance_enter(&f->inst));
	assert_int_equal(ask_to(f, "@example.org", 0, "k"), ANNEX_EINVAL);
	assert_int_equal(ask_to(f, NULL, 0, "k"), ANNEX_EINVAL);
	instance_leave(&f->inst);
	assert_true(fixture_end(f));
	assert_string_equal(fixture_heard(f), "");
}

/* --- Fences -------------------------------------------------------------- */

static void
fenced(struct annex_instance *inst, int status, const void *cookie, size_t len)
{
	struct answers *a = answers_of(inst);

	assert_true(inst->entered);
	assert_int_equal(len, 4);
	a->count++;
	a->status = status;
	snprintf(a->cookie, sizeof(a->cookie), "%s", (const char *)cookie);
}

static void
fence(struct fixture *f)
{
	assert_true(instance_enter(&f->inst));
	annex_fence(&f->inst, fenced, "key", 4);
	annex_send(&f->inst, annex_message(&f->inst, NULL, "a@example.org", NULL));
	instance_leave(&f->inst);
}

static void
a_fence_stands_behind_the_output_of_its_turn(void **state)
{
	struct fixture *f = *state;
	struct answers *a = f->inst.settings;
	const char *text, *message, *ping;

	fence(f);
	assert_string_equal(memory_heard(&f->net), "");
	assert_true(fixture_end(f));
	text = memory_heard(&f->net);
	message = strstr(text, "<message");
	ping = strstr(text, "urn:xmpp:ping");
	assert_non_null(message);
	assert_non_null(ping);
	assert_true(message < ping);
	assert_int_equal(a->count, 0);
}

static void
a_fence_comes_back(void **state)
{
	struct fixture *f = *state;
	struct answers *a = f->inst.settings;

	fence(f);
	assert_true(fixture_end(f));
	fixture_return_fences(f);
	fixture_pass(f, 0);
	assert_int_equal(a->count, 1);
	assert_int_equal(a->status, ANNEX_OK);
	assert_string_equal(a->cookie, "key");
}

static void
fences_on_flows_come_back(void **state)
{
	struct fixture *f = *state;
	struct answers *a = f->inst.settings;
	struct annex_flow *flow;

	assert_true(instance_enter(&f->inst));
	flow = annex_flow(&f->inst, "den");
	annex_fence_on(&f->inst, flow, fenced, "one", 4);
	annex_fence_on(&f->inst, NULL, fenced, "two", 4);
	annex_send_on(&f->inst, flow, annex_message(&f->inst, NULL, "a@example.org", NULL));
	instance_leave(&f->inst);
	assert_true(fixture_end(f));
	assert_int_equal(a->count, 0);
	fixture_return_fences(f);
	fixture_pass(f, 0);
	assert_int_equal(a->count, 2);
	assert_int_equal(a->status, ANNEX_OK);
}

static void
a_fence_fails_with_the_link(void **state)
{
	struct fixture *f = *state;
	struct answers *a = f->inst.settings;

	fence(f);
	assert_true(fixture_end(f));
	fixture_link_down(f);
	fixture_pass(f, 0);
	assert_int_equal(a->count, 1);
	assert_int_equal(a->status, ANNEX_EOFFLINE);
	fence(f);
	assert_true(fixture_end(f));
	fixture_pass(f, 0);
	assert_int_equal(a->count, 2);
}

static void
a_reset_forgets_fences(void **state)
{
	struct fixture *f = *state;
	struct answers *a = f->inst.settings;

	fence(f);
	assert_true(fixture_end(f));
	fence(f); /* and one of the turn that fails */
	instance_fail(&f->inst, "on purpose");
	assert_false(fixture_end(f));
	fixture_return_fences(f);
	fixture_link_down(f);
	fixture_pass(f, 0);
	assert_int_equal(a->count, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_answer_is_matched_by_id_and_sender),
		TEST(an_error_is_an_answer),
		TEST(silence_ends_at_the_timeout),
		TEST(ids_differ_between_questions_and_processes),
		TEST(all_pending_fail_when_the_link_is_lost),
		TEST(without_a_link_a_question_fails_at_once_but_not_at_the_asker),
		TEST(a_reset_forgets_questions),
		TEST(what_is_asked_in_a_turn_that_fails_never_leaves),
		TEST(an_answer_may_fail_its_turn),
		TEST(ten_thousand_may_be_pending),
		TEST(whom_nobody_could_answer_for_is_not_asked),
		TEST(a_fence_stands_behind_the_output_of_its_turn),
		TEST(a_fence_comes_back),
		TEST(fences_on_flows_come_back),
		TEST(a_fence_fails_with_the_link),
		TEST(a_reset_forgets_fences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
