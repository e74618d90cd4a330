/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_output.c - what a component may send, and when it leaves
 */
#include <annex/flow.h>

#include "fixture.h"

#define ASK "<iq type='get' from='a@example.org/x' to='" DOMAIN "' id='1'><q xmlns='urn:q'/></iq>"

/* How the component treats the next IQ. */
struct habit {
	unsigned answers;
	bool refuse, fail;
	int status; /* of the last answer */
};

static enum annex_verdict
take(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct habit *h = inst->settings;

	for (unsigned i = 0; i < h->answers; i++)
		h->status = annex_send(inst, annex_reply(inst, in));
	if (h->refuse)
		annex_refuse(inst, in, ANNEX_CONFLICT, NULL);
	if (h->fail)
		annex_fail_turn(inst, "on purpose");
	return ANNEX_DONE;
}

static const struct annex_route routes[] = { { ANNEX_IQ_GET, "urn:q", "q", take }, { 0 } };
static const struct annex_module module = { .name = "sender", .routes = routes };

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

static unsigned
count(const char *heard, const char *part)
{
	unsigned n = 0;

	for (; (heard = strstr(heard, part)) != NULL; heard++)
		n++;
	return n;
}

static int
send_one(struct fixture *f, const char *from, const char *to, const char *body)
{
	struct annex_stanza *out;
	int r;

	assert_true(instance_enter(&f->inst));
	out = annex_message(&f->inst, from, to, "chat");
	annex_add_text(out->element, NULL, "body", body);
	r = annex_send(&f->inst, out);
	instance_leave(&f->inst);
	return r;
}

static void
nothing_leaves_before_the_turn_is_durable(void **state)
{
	struct fixture *f = *state;
	const char *heard;

	assert_int_equal(send_one(f, NULL, "a@example.org", "one"), ANNEX_OK);
	assert_int_equal(send_one(f, "x@" DOMAIN "/y", "a@example.org", "two"), ANNEX_OK);
	stream_flush(f->inst.stream);
	assert_string_equal(fixture_heard(f), "");
	assert_true(fixture_end(f));
	heard = fixture_heard(f);
	assert_int_equal(count(heard, "<message "), 2);
	assert_int_equal(count(heard, " id='"), 2);
	assert_true(strstr(heard, "one") < strstr(heard, "two"));
}

static void
nothing_leaves_a_turn_that_fails(void **state)
{
	struct fixture *f = *state;
	struct habit *h = f->inst.settings;

	h->answers = 1;
	h->fail = true;
	assert_string_equal(fixture_say(f, ASK), "");
	h->fail = false;
	assert_int_equal(count(fixture_say(f, ASK), "type='result'"), 1);
}

static void
an_iq_has_one_answer_however_many_are_sent(void **state)
{
	struct fixture *f = *state;
	struct habit *h = f->inst.settings;
	const char *heard;

	h->answers = 3;
	h->refuse = true;
	heard = fixture_say(f, ASK);
	assert_int_equal(h->status, ANNEX_EINVAL);
	assert_int_equal(count(heard, "<iq "), 1);
	assert_int_equal(count(heard, "type='result'"), 1);
	assert_int_equal(fixture_count(f, "stanzas_refused_total"), 3);
}

static void
nobody_answers_what_was_not_asked(void **state)
{
	struct fixture *f = *state;
	struct outgoing *out;

	assert_true(instance_enter(&f->inst));
	out = outgoing_create(
	    &f->inst, ANNEX_IQ_GET, "iq", NULL, "a@example.org", "result", "made-up");
	assert_int_equal(annex_send(&f->inst, &out->stanza), ANNEX_EINVAL);
	instance_leave(&f->inst);
	assert_true(fixture_end(f));
	assert_string_equal(fixture_heard(f), "");
}

static void
what_is_wrong_is_refused_and_the_rest_goes(void **state)
{
	struct fixture *f = *state;
	static char large[300 << 10];

	memset(large, 'x', sizeof(large) - 1);
	assert_int_equal(send_one(f, NULL, "a@example.org", "before"), ANNEX_OK);
	assert_int_equal(send_one(f, "a@elsewhere.test", "a@example.org", "x"), ANNEX_EINVAL);
	assert_int_equal(send_one(f, "x@sub." DOMAIN, "a@example.org", "x"), ANNEX_EINVAL);
	assert_int_equal(send_one(f, NULL, "@example.org", "x"), ANNEX_EINVAL);
	assert_int_equal(send_one(f, NULL, NULL, "x"), ANNEX_EINVAL);
	assert_int_equal(send_one(f, NULL, "a@example.org", "a\001b"), ANNEX_EINVAL);
	assert_int_equal(send_one(f, NULL, "a@example.org",
			     "a\xff"
			     "b"),
	    ANNEX_EINVAL);
	assert_int_equal(send_one(f, NULL, "a@example.org", large), ANNEX_EINVAL);
	assert_int_equal(send_one(f, NULL, "a@example.org", "after"), ANNEX_OK);
	assert_true(fixture_end(f));
	assert_int_equal(count(fixture_heard(f), "<message "), 2);
	assert_int_equal(fixture_count(f, "stanzas_refused_total"), 7);
	assert_true(fixture_logged(f, "sender sent a message that was refused"));
}

static void
a_fan_out_goes_to_all(void **state)
{
	struct fixture *f = *state;
	struct annex_fanout *fanout;
	struct annex_stanza *body;
	const char *heard;
	int variant;

	assert_true(instance_enter(&f->inst));
	fanout = annex_fanout(&f->inst);
	body = annex_message(&f->inst, "den@" DOMAIN, NULL, "groupchat");
	annex_add_text(body->element, NULL, "body", "hi");
	variant = annex_fanout_variant(fanout, body);
	assert_int_equal(variant, 0);
	assert_int_equal(annex_fanout_add(fanout, variant, "a@example.org", NULL), ANNEX_OK);
	assert_int_equal(annex_fanout_add(fanout, variant, "b@example.org", NULL), ANNEX_OK);
	assert_int_equal(annex_fanout_send(fanout, annex_flow(&f->inst, "den")), ANNEX_OK);
	instance_leave(&f->inst);
	assert_string_equal(fixture_heard(f), "");
	assert_true(fixture_end(f));
	heard = fixture_heard(f);
	assert_int_equal(count(heard, "<body>hi</body>"), 2);
	assert_int_equal(count(heard, "to='b@example.org'"), 1);
}

static void
what_is_kept_is_sent_to_one_and_to_many(void **state)
{
	struct fixture *f = *state;
	struct annex_pool *pool = annex_pool_create(NULL, "room");
	struct annex_audience *audience = annex_audience(pool);
	struct annex_stanza *shown;
	struct annex_body *body, *none;
	struct annex_fanout *fanout;
	const char *heard;

	assert_int_equal(annex_audience_add(audience, 0, "a@example.org"), ANNEX_OK);
	assert_int_equal(annex_audience_add(audience, 0, "b@example.org"), ANNEX_OK);
	assert_int_equal(annex_audience_add(audience, 0, "c\001@example.org"), ANNEX_EINVAL);
	assert_true(instance_enter(&f->inst));
	shown = annex_presence(&f->inst, "den@" DOMAIN "/owl", "nobody@example.org", NULL);
	assert_int_equal(annex_body(&f->inst, pool, shown, &body), ANNEX_OK);
	assert_int_equal(annex_send_body(&f->inst, NULL, body, "o'x@example.org"), ANNEX_OK);
	assert_int_equal(annex_send_body(&f->inst, NULL, body, "\002@example.org"), ANNEX_EINVAL);
	fanout = annex_fanout(&f->inst);
	assert_int_equal(annex_fanout_body(fanout, body), 0);
	annex_fanout_add_audience(fanout, audience, NULL);
	assert_int_equal(annex_fanout_send(fanout, annex_flow(&f->inst, "den")), ANNEX_OK);
	annex_body_drop(&body);
	/* What may not be sent may not be kept. */
	shown = annex_presence(&f->inst, "den@elsewhere.test", NULL, NULL);
	assert_int_equal(annex_body(&f->inst, pool, shown, &none), ANNEX_EINVAL);
	assert_null(none);
	instance_leave(&f->inst);
	annex_pool_destroy(&pool);
	assert_true(fixture_end(f));
	heard = fixture_heard(f);
	assert_int_equal(count(heard, "<presence to='"), 3);
	assert_int_equal(count(heard, "to='o&apos;x@example.org'"), 1);
	assert_int_equal(count(heard, "to='b@example.org'"), 1);
	assert_int_equal(fixture_count(f, "stanzas_refused_total"), 1);
}

static void
bump(struct annex_instance *inst, void *cookie)
{
	assert_true(inst->entered);
	++*(unsigned *)cookie;
}

static void
when_durable_is_after_the_commit_and_never_without(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;

	annex_when_durable(&f->inst, bump, &n);
	assert_false(instance_durable_waiting(&f->inst));
	assert_true(fixture_end(f));
	assert_true(instance_durable_waiting(&f->inst));
	instance_durable_run(&f->inst);
	assert_int_equal(n, 1);
	annex_when_durable(&f->inst, bump, &n);
	instance_fail(&f->inst, "on purpose");
	assert_false(fixture_end(f));
	assert_false(instance_durable_waiting(&f->inst));
	assert_int_equal(n, 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(nothing_leaves_before_the_turn_is_durable),
		TEST(nothing_leaves_a_turn_that_fails),
		TEST(an_iq_has_one_answer_however_many_are_sent),
		TEST(nobody_answers_what_was_not_asked),
		TEST(what_is_wrong_is_refused_and_the_rest_goes),
		TEST(a_fan_out_goes_to_all),
		TEST(what_is_kept_is_sent_to_one_and_to_many),
		TEST(when_durable_is_after_the_commit_and_never_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
