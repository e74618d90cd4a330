/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_core.c - ping, version, time, last activity
 */
#include "fixture.h"

#define GET(to, id, payload) \
	"<iq type='get' from='juliet@capulet.com/balcony' to='" to "' id='" id "'>" payload "</iq>"
#define RESULT(id) "<iq from='" DOMAIN "' to='juliet@capulet.com/balcony' type='result' id='" id "'"
#define PING "<ping xmlns='urn:xmpp:ping'/>"
#define VERSION "<query xmlns='jabber:iq:version'/>"
#define TIME "<time xmlns='urn:xmpp:time'/>"
#define LAST "<query xmlns='jabber:iq:last'/>"

static int
setup(void **state)
{
	*state = fixture_create(NULL);
	return 0;
}

static int
teardown(void **state)
{
	fixture_destroy(*state);
	return 0;
}

static void
the_domain_answers_ping(void **state)
{
	assert_string_equal(fixture_say(*state, GET(DOMAIN, "s2c1", PING)), RESULT("s2c1") "/>");
}

static void
version_says_nothing_of_the_machine(void **state)
{
	assert_string_equal(fixture_say(*state, GET(DOMAIN, "version_1", VERSION)),
	    RESULT("version_1") "><query xmlns='jabber:iq:version'><name>Annex/plain</name>"
				"<version>1.2</version></query></iq>");
}

static void
time_is_utc(void **state)
{
	assert_string_equal(fixture_say(*state, GET(DOMAIN, "time_1", TIME)),
	    RESULT("time_1") "><time xmlns='urn:xmpp:time'><tzo>+00:00</tzo>"
			     "<utc>2026-09-21T14:13:20Z</utc></time></iq>");
}

static void
last_activity_is_uptime(void **state)
{
	struct fixture *f = *state;

	fixture_pass(f, 123456);
	assert_string_equal(fixture_say(f, GET(DOMAIN, "last2", LAST)),
	    RESULT("last2") "><query xmlns='jabber:iq:last' seconds='123'/></iq>");
	f->clock.wall_us = 0; /* set back by somebody */
	assert_non_null(strstr(fixture_say(f, GET(DOMAIN, "l", LAST)), "seconds='0'"));
}

static void
other_addresses_are_the_components(void **state)
{
	static const char *const payloads[] = { PING, VERSION, TIME, LAST };

	for (size_t i = 0; i < 4; i++)
		assert_non_null(
		    strstr(fixture_say(*state,
			       "<iq type='get' from='a@b.c' to='x@" DOMAIN "' id='1'>%s</iq>",
			       payloads[i]),
			"<service-unavailable "));
}

static void
sets_are_not_answered_as_gets(void **state)
{
	assert_non_null(strstr(
	    fixture_say(*state, "<iq type='set' from='a@b.c' to='" DOMAIN "' id='1'>" PING "</iq>"),
	    "<service-unavailable "));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_domain_answers_ping),
		TEST(version_says_nothing_of_the_machine),
		TEST(time_is_utc),
		TEST(last_activity_is_uptime),
		TEST(other_addresses_are_the_components),
		TEST(sets_are_not_answered_as_gets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
