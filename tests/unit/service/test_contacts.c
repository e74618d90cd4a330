/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_contacts.c - what takes days, and what takes thousands of contacts
 *
 * The rest is told in conversations: tests/wire/probe/contacts-*.xct.
 */
#include <annex/caps.h>

#include "fixture.h"
#include "service/contact.h"

#define HOUR ((int64_t)3600000)
#define DAY (24 * HOUR)
#define ME "bot@" DOMAIN

static enum annex_decision
decide(struct annex_instance *inst, const struct annex_request *request)
{
	return ANNEX_ACCEPT_AND_ASK;
}

static void
changed(struct annex_instance *inst, const char *me, const char *contact,
    enum annex_contact_event event)
{
	unsigned *events = inst->settings;

	events[event]++;
}

static const struct annex_contacts contacts = { .decide = decide, .changed = changed };
static const struct annex_route routes[] = { { 0 } };
static const struct annex_module module = {
	.name = "buddies",
	.routes = routes,
	.contacts = &contacts,
};

static unsigned events[ANNEX_CONTACT_STALE + 1];

static int
setup(void **state)
{
	struct fixture *f = fixture_create(&module);
	static const struct contacts_settings set = {
		.pace = 200,
		.interval_ms = 5000,
		.ask_ttl_ms = 14 * DAY,
		.tombstone_ms = 90 * DAY,
	};

	memset(events, 0, sizeof(events));
	f->inst.settings = events;
	contacts_configure(&f->inst, &set);
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
count(const char *text, const char *part)
{
	unsigned n = 0;

	for (; (text = strstr(text, part)) != NULL; text += strlen(part))
		n++;
	return n;
}

static struct annex_contact
get(struct fixture *f, const char *jid)
{
	struct annex_contact c = { 0 };

	assert_int_equal(annex_contact_get(&f->inst, ME, jid, &c), ANNEX_OK);
	return c;
}

static void
have(struct fixture *f, const char *jid, int64_t heard_ms)
{
	contact_row *row;

	assert_int_equal(contact_load(&f->inst, ME, jid, &row), ANNEX_ENOENT);
	row->out = row->in = ANNEX_SUBSCRIBED;
	row->heard_ms = heard_ms;
	assert_int_equal(contact_put(&f->inst, row), ANNEX_OK);
}

static void
view(struct fixture *f, enum annex_show show)
{
	const struct annex_view v = { .show = show };

	assert_true(instance_enter(&f->inst));
	assert_int_equal(
	    annex_view_set(&f->inst, ME "/bot", ANNEX_VIEW_DEFAULT, NULL, &v), ANNEX_OK);
	instance_leave(&f->inst);
	assert_true(fixture_end(f));
}

/* A pending question is shown to the user at each login: it does not stay for ever. */
static void
a_question_is_withdrawn(void **state)
{
	struct fixture *f = *state;
	const char *heard = fixture_say(
	    f, "<presence from='romeo@example.org' to='" ME "' type='subscribe' id='1'/>");

	assert_int_equal(count(heard, "type='subscribe'"), 1);
	fixture_pass(f, 14 * DAY - HOUR);
	assert_int_equal(get(f, "romeo@example.org").in, ANNEX_SUBSCRIBED_PENDING);
	fixture_heard(f);
	fixture_pass(f, 3 * HOUR);
	assert_int_equal(count(fixture_heard(f), "type='unsubscribe'"), 1);
	assert_int_equal(get(f, "romeo@example.org").in, ANNEX_SUBSCRIBED_NOT);
	/* And not put again. */
	heard = fixture_say(
	    f, "<presence from='romeo@example.org' to='" ME "' type='subscribe' id='2'/>");
	assert_int_equal(count(heard, "type='subscribe'"), 0);
}

static void
a_tombstone_goes(void **state)
{
	struct fixture *f = *state;
	struct annex_contact c;

	fixture_say(f, "<presence from='romeo@example.org' to='" ME "' type='subscribe' id='1'/>");
	fixture_say(
	    f, "<presence from='romeo@example.org' to='" ME "' type='unsubscribed' id='2'/>");
	fixture_say(
	    f, "<presence from='romeo@example.org' to='" ME "' type='unsubscribe' id='3'/>");
	fixture_pass(f, 5000);
	fixture_return_fences(f);
	fixture_pass(f, 90 * DAY - HOUR);
	assert_int_equal(get(f, "romeo@example.org").out, ANNEX_SUBSCRIBED_NOT);
	fixture_pass(f, 3 * HOUR);
	assert_int_equal(annex_contact_get(&f->inst, ME, "romeo@example.org", &c), ANNEX_ENOENT);
}

static void
bounce(struct fixture *f, const char *condition)
{
	fixture_say(f,
	    "<presence from='romeo@example.org' to='" ME
	    "' type='error' id='e'><error type='cancel'>"
	    "<%s xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
	    condition);
}

static void
errors_of_three_days_make_stale(void **state)
{
	struct fixture *f = *state;

	have(f, "romeo@example.org", f->clock.wall_us / 1000);
	assert_true(fixture_end(f));
	bounce(f, "item-not-found");
	bounce(f, "gone");
	fixture_pass(f, DAY);
	bounce(f, "forbidden");
	bounce(f, "policy-violation");
	assert_false(get(f, "romeo@example.org").stale);
	fixture_pass(f, DAY);
	bounce(f, "not-authorized");
	assert_true(get(f, "romeo@example.org").stale);
	assert_int_equal(get(f, "romeo@example.org").out, ANNEX_SUBSCRIBED);
	assert_int_equal(events[ANNEX_CONTACT_STALE], 1);
	fixture_heard(f);
	view(f, ANNEX_SHOW_AWAY);
	assert_string_equal(fixture_heard(f), "");
	fixture_say(f, "<presence from='romeo@example.org/a' to='" ME "' id='p'/>");
	assert_false(get(f, "romeo@example.org").stale);
	assert_int_equal(events[ANNEX_CONTACT_STALE], 2);
}

static void
months_of_silence_make_stale(void **state)
{
	struct fixture *f = *state;

	have(f, "romeo@example.org", f->clock.wall_us / 1000 - 179 * DAY);
	assert_true(fixture_end(f));
	fixture_pass(f, 2 * HOUR);
	assert_false(get(f, "romeo@example.org").stale);
	fixture_pass(f, 2 * DAY);
	assert_true(get(f, "romeo@example.org").stale);
}

/* --- Ten thousand --------------------------------------------------------------- */

#define MANY 10000

static void
have_many(struct fixture *f)
{
	int64_t now_ms = f->clock.wall_us / 1000;
	char jid[64];

	for (unsigned i = 0; i < MANY; i++) {
		snprintf(jid, sizeof(jid), "user%05u@example.org", i);
		have(f, jid, now_ms - (i >= MANY - 10 ? HOUR / 2 : 40 * DAY));
		annex_pool_reset(f->inst.scratch);
	}
	assert_true(fixture_end(f));
}

static void
many_are_asked_at_the_pace(void **state)
{
	struct fixture *f = *state;
	unsigned first;
	const char *heard;

	have_many(f);
	fixture_link_down(f);
	for (int i = 0; i < 100 && f->net.link == NULL; i++)
		fixture_pass(f, 100);
	fixture_link_up(f);
	/* Those heard of last come before all others, though they are last in the table. */
	fixture_pass(f, 60);
	heard = fixture_heard(f);
	assert_int_equal(count(heard, "to='user0999"), 10);
	first = count(heard, "type='probe'");
	fixture_pass(f, 1000);
	first += count(fixture_heard(f), "type='probe'");
	assert_in_range(first, 150, 300);
	fixture_pass(f, 58000);
	assert_int_equal(first + count(fixture_heard(f), "type='probe'"), MANY);
}

static void
many_are_shown_a_change_once(void **state)
{
	struct fixture *f = *state;

	view(f, ANNEX_SHOW_ONLINE);
	have_many(f);
	view(f, ANNEX_SHOW_AWAY);
	fixture_heard(f);
	view(f, ANNEX_SHOW_DND);
	view(f, ANNEX_SHOW_XA);
	fixture_pass(f, 20000);
	assert_int_equal(count(fixture_heard(f), "<show>xa</show>"), MANY);
}

/* Who does not answer in 30 s is offline, also where the turn in which that is seen fails. */
static void
silence_is_told_whatever_becomes_of_the_turn(void **state)
{
	struct fixture *f = *state;

	have(f, "juliet@example.org", clock_wall_ms(&f->clock));
	assert_true(fixture_end(f));
	fixture_say(f, "<presence from='juliet@example.org/b' to='" ME "' id='1'/>");
	fixture_link_down(f);
	fixture_link_up(f);
	fixture_pass(f, 5000);
	assert_int_equal(
	    annex_contact_availability(&f->inst, ME, "juliet@example.org"), ANNEX_UNKNOWN);
	annex_fail_turn(&f->inst, "on purpose");
	fixture_pass(f, 40000);
	assert_string_equal(f->why, "on purpose");
	assert_int_equal(
	    annex_contact_availability(&f->inst, ME, "juliet@example.org"), ANNEX_OFFLINE);
}

/* What waited for the end of the interval is shown, also where the turn of that moment fails. */
static void
what_was_saved_up_is_shown_whatever_becomes_of_the_turn(void **state)
{
	struct fixture *f = *state;

	have(f, "romeo@example.org", clock_wall_ms(&f->clock));
	view(f, ANNEX_SHOW_AWAY);
	view(f, ANNEX_SHOW_DND);
	assert_int_equal(count(fixture_heard(f), "<show>"), 1);
	fixture_pass(f, 4999);
	annex_fail_turn(&f->inst, "on purpose");
	fixture_pass(f, 1000);
	assert_string_equal(f->why, "on purpose");
	assert_int_equal(count(fixture_heard(f), "<show>dnd</show>"), 1);
}

/* --- What clients can ---------------------------------------------------------- */

#define FEATURE "urn:feature"
#define ASKED "type='get'"

static void
show_picture(struct fixture *f)
{
	static const unsigned char picture[33] =
	    "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x20\0\0\0\x20";
	struct annex_view v = { 0 };

	assert_true(instance_enter(&f->inst));
	assert_int_equal(annex_avatar_put(&f->inst, picture, sizeof(picture), &v.avatar), ANNEX_OK);
	assert_int_equal(
	    annex_view_set(&f->inst, ME "/bot", ANNEX_VIEW_DEFAULT, NULL, &v), ANNEX_OK);
	instance_leave(&f->inst);
	assert_true(fixture_end(f));
	fixture_pass(f, 1000);
	fixture_heard(f);
}

/* A resource says that its client is number n of its kind; what is heard then. */
static const char *
is_client(struct fixture *f, const char *resource, unsigned n)
{
	char ver[SHA1_BASE64_ROOM], text[64];
	int len = snprintf(text, sizeof(text), "client/pc//%u<" FEATURE "<", n);

	assert_int_equal(sha1_base64(text, (size_t)len, ver), ANNEX_OK);
	fixture_say(f,
	    "<presence from='romeo@example.org/%s' to='" ME "' id='p'><c xmlns='" ANNEX_NS_CAPS
	    "' hash='sha-1' node='urn:c' ver='%s'/></presence>",
	    resource, ver);
	fixture_pass(f, 1);
	return fixture_heard(f);
}

static void
answer_client(struct fixture *f, const char *question, const char *resource, unsigned n)
{
	assert_int_equal(count(question, ASKED), 1);
	fixture_say(f,
	    "<iq from='romeo@example.org/%s' to='" ME
	    "' type='result' id='%s'><query xmlns='" ANNEX_NS_DISCO_INFO
	    "'><identity category='client' type='pc' name='%u'/>"
	    "<feature var='" FEATURE "'/></query></iq>",
	    resource, attr_of(f, question, "id"), n);
}

/* A burst, and then so many a second; who was not asked is, when there is news of them. */
static void
questions_are_paced(void **state)
{
	struct fixture *f = *state;
	unsigned asked = 0;

	have(f, "romeo@example.org", annex_wall_ms(&f->inst));
	show_picture(f);
	for (unsigned n = 0; n < 300; n++)
		asked += count(is_client(f, "r", n), ASKED);
	assert_in_range(asked, 200, 206); /* in 300 ms */
	fixture_pass(f, 1000);
	fixture_heard(f);
	assert_int_equal(count(is_client(f, "r", 300), ASKED), 1);
}

/* A thousand are known, and the one that was used longest ago goes. */
static void
kinds_are_forgotten(void **state)
{
	struct fixture *f = *state;

	have(f, "romeo@example.org", annex_wall_ms(&f->inst));
	show_picture(f);
	for (unsigned n = 0; n < 1000; n++) {
		answer_client(f, is_client(f, "r", n), "r", n);
		fixture_pass(f, 100);
		fixture_heard(f);
	}
	assert_int_equal(count(is_client(f, "r", 0), ASKED), 0);
	answer_client(f, is_client(f, "r", 1000), "r", 1000);
	assert_int_equal(count(is_client(f, "r", 0), ASKED), 0);
	assert_int_equal(count(is_client(f, "r", 2), ASKED), 0);
	assert_int_equal(count(is_client(f, "r", 1), ASKED), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_question_is_withdrawn, setup, teardown),
		cmocka_unit_test_setup_teardown(a_tombstone_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(errors_of_three_days_make_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(months_of_silence_make_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(many_are_asked_at_the_pace, setup, teardown),
		cmocka_unit_test_setup_teardown(many_are_shown_a_change_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    silence_is_told_whatever_becomes_of_the_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    what_was_saved_up_is_shown_whatever_becomes_of_the_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(questions_are_paced, setup, teardown),
		cmocka_unit_test_setup_teardown(kinds_are_forgotten, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
