/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_command.c - commands over XMPP (XEP-0050), its examples among them
 */
#include <annex/command.h>

#include "fixture.h"

#define ME "requester@domain/pda"
#define SET(from, attrs, body)                                       \
	"<iq type='set' from='" from "' to='" DOMAIN "' id='exec1'>" \
	"<command xmlns='http://jabber.org/protocol/commands' " attrs ">" body "</command></iq>"
#define SUBMIT(fields) "<x xmlns='jabber:x:data' type='submit'>" fields "</x>"
#define FIELD(var, value) "<field var='" var "'><value>" value "</value></field>"
#define SPECIFIC(name) "<" name " xmlns='http://jabber.org/protocol/commands'/>"
#define MODIFY "<error type='modify'><bad-request "
#define CANCEL "<error type='cancel'><not-allowed "

/* --- Commands ------------------------------------------------------------ */

static int
list_run(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	static const char *const var[] = { "service", "runlevel-1", NULL };
	static const char *const label[] = { "Service", "Single-User mode", NULL };
	static const char *const rows[][2] = { { "httpd", "off" }, { "postgresql", NULL } };

	assert_true(inst->entered);
	assert_string_equal(annex_run_by(run)->full, ME);
	annex_run_columns(run, var, label);
	for (size_t i = 0; i < 2; i++)
		annex_run_row(run, rows[i]);
	annex_run_say(run, "%d services.", 2);
	return ANNEX_OK;
}

static int
big_run(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	static const char *const var[] = { "n", NULL };
	static const char *const row[] = {
		"a row that is as long as rows of a table of rooms may well be, or so"
	};

	annex_run_columns(run, var, NULL);
	for (int i = 0; i < 10000; i++)
		annex_run_row(run, row);
	return ANNEX_OK;
}

struct config {
	const char *service, *state;
	struct annex_strings runlevel;
};

static const struct annex_choice services[] = { { "httpd", NULL }, { "jabberd", NULL }, { 0 } };
static const struct annex_choice states[] = { { "off", "Active" }, { "on", "Inactive" }, { 0 } };
static const struct annex_field first_fields[] = {
	ANNEX_FIELD(struct config, service, "service", ANNEX_LIST_SINGLE, "Service",
	    .choices = services, .required = true),
	{ 0 },
};
static const struct annex_form first_form = {
	.title = "Configure Service",
	.instructions = "Please select the service to configure.",
	.fields = first_fields,
};

static void
config_preset(struct annex_instance *inst, struct annex_run *run, void *values)
{
	struct config *c = values;

	c->service = annex_sprintf(annex_scratch(inst), "%s", "jabberd");
	c->state = annex_sprintf(annex_run_pool(run), "%s", "off");
}

/* The second form is made up, in memory that is soon gone. */
static void
ask_second(struct annex_instance *inst, struct annex_run *run, const struct config *c)
{
	struct annex_pool *pool = annex_scratch(inst);
	struct annex_form *form = annex_new(pool, struct annex_form);
	struct annex_field *fields = annex_new_array(pool, struct annex_field, 3);

	fields[0] = (struct annex_field)ANNEX_FIELD(
	    struct config, runlevel, "runlevel", ANNEX_TEXT_MULTI, annex_strdup(pool, "Run Modes"));
	fields[1] = (struct annex_field)ANNEX_FIELD(
	    struct config, state, "state", ANNEX_LIST_SINGLE, "Run State", .choices = states);
	form->title = annex_sprintf(pool, "Modes and state for %s", c->service);
	form->fields = fields;
	annex_run_ask(run, form);
}

static int
config_run(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	struct config *c = values;

	if (stage == 0) {
		ask_second(inst, run, c);
		return ANNEX_AGAIN;
	}
	assert_int_equal(stage, 1);
	annex_run_say(run, "Service '%s' has been configured: %s, %zu.", c->service, c->state,
	    c->runlevel.count);
	return ANNEX_OK;
}

struct word {
	const char *word;
};
static const struct annex_field word_fields[] = {
	ANNEX_FIELD(struct word, word, "word", ANNEX_TEXT_SINGLE, "A word", .max = 4096),
	{ 0 },
};
static const struct annex_form word_form = { .fields = word_fields };

static int
fail_run(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const char *word = ((struct word *)values)->word;

	if (strcmp(word, "mend") == 0)
		annex_run_fail(run, ANNEX_NOT_ACCEPTABLE, "Not %s.", word);
	else if (strcmp(word, "gone") == 0)
		annex_run_fail(run, ANNEX_CONFLICT, "It is %s.", word);
	else if (strcmp(word, "turn") == 0)
		annex_fail_turn(inst, "on purpose");
	return strcmp(word, "none") == 0 ? ANNEX_ENOENT
	    : strcmp(word, "lost") == 0  ? ANNEX_AGAIN
					 : ANNEX_EINVAL;
}

static int
late_run(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	if (stage == 0) {
		annex_run_say(run, "One more thing.");
		annex_run_ask(run, &word_form);
		return ANNEX_AGAIN;
	}
	annex_run_say(run, "You said %s.", ((struct word *)values)->word);
	return ANNEX_OK;
}

static const struct annex_command commands[] = {
	{ "list", "List", ANNEX_WHO_ANYBODY, NULL, 0, list_run },
	{ "config", "Configure", ANNEX_WHO_ANYBODY, &first_form, sizeof(struct config), config_run,
	    NULL, config_preset, 2 },
	{ "fail", "Fail", ANNEX_WHO_ANYBODY, &word_form, sizeof(struct word), fail_run },
	{ "late", "Ask late", ANNEX_WHO_ANYBODY, NULL, sizeof(struct word), late_run, .stages = 2 },
	{ "big", "Big", ANNEX_WHO_ANYBODY, NULL, 0, big_run },
	{ "local", "Local", ANNEX_WHO_LOCAL, NULL, 0, big_run },
	{ "admin", "Admin", ANNEX_WHO_ADMIN, NULL, 0, big_run },
	{ "operate", "Operate", ANNEX_WHO_OPERATOR, NULL, 0, big_run },
	{ 0 },
};
static const struct annex_route routes[] = { { 0 } };
static const struct annex_module module = {
	.name = "commander",
	.routes = routes,
	.commands = commands,
};

static int
setup(void **state)
{
	*state = fixture_create(&module);
	return 0;
}

static int
teardown(void **state)
{
	fixture_destroy(*state);
	return 0;
}

static void
expect(const char *heard, const char *part)
{
	if (strstr(heard, part) == NULL)
		fail_msg("%s\nis not in\n%s", part, heard);
}

static void
expect_failed(const char *heard, const char *error, const char *specific)
{
	expect(heard, error);
	expect(heard, specific);
}

/* Start it; the session. */
static const char *
start(struct fixture *f, const char *node)
{
	const char *heard = fixture_say(f, SET(ME, "node='%s' action='execute'", ""), node);

	expect(heard, "status='executing'");
	return attr_of(f, heard, "sessionid");
}

#define SAY(f, session, attrs, body) \
	fixture_say(f, SET(ME, "node='config' sessionid='%s' " attrs, body), session)

/* --- Examples ------------------------------------------------------------ */

static void
a_command_without_a_form_runs_at_once(void **state)
{
	const char *heard = fixture_say(*state, SET(ME, "node='list' action='execute'", ""));

	expect(heard,
	    "<iq from='" DOMAIN "' to='" ME "' type='result' id='exec1'>"
	    "<command xmlns='http://jabber.org/protocol/commands' node='list' "
	    "sessionid='");
	expect(heard,
	    " status='completed'><x xmlns='jabber:x:data' type='result'><reported>"
	    "<field var='service' label='Service'/>"
	    "<field var='runlevel-1' label='Single-User mode'/></reported>"
	    "<item><field var='service'><value>httpd</value></field>"
	    "<field var='runlevel-1'><value>off</value></field></item>"
	    "<item><field var='service'><value>postgresql</value></field>"
	    "<field var='runlevel-1'><value/></field></item></x>"
	    "<note type='info'>2 services.</note></command></iq>");
	expect(fixture_say(*state, SET(ME, "node='list'", "")), "status='completed'");
}

static void
stages_follow_each_other(void **state)
{
	struct fixture *f = *state;
	const char *heard = fixture_say(f, SET(ME, "node='config' action='execute'", ""));
	const char *session = attr_of(f, heard, "sessionid");

	expect(heard,
	    "status='executing'><actions execute='next'><next/></actions>"
	    "<x xmlns='jabber:x:data' type='form'><title>Configure Service</title>");
	heard = SAY(f, session, "", SUBMIT(FIELD("service", "httpd")));
	assert_string_equal(attr_of(f, heard, "sessionid"), session);
	expect(heard,
	    "status='executing'><actions execute='complete'><prev/><complete/></actions>"
	    "<x xmlns='jabber:x:data' type='form'><title>Modes and state for httpd");
	expect(heard, "<value>off</value>"); /* preset */
	heard = SAY(f, session, "",
	    SUBMIT("<field var='runlevel'><value>3</value><value>5</value></field>" FIELD(
		"state", "on")));
	assert_string_equal(attr_of(f, heard, "sessionid"), session);
	expect(heard,
	    "status='completed'><note type='info'>"
	    "Service 'httpd' has been configured: on, 2.</note></command>");
	expect_failed(
	    SAY(f, session, "", SUBMIT(FIELD("state", "on"))), CANCEL, SPECIFIC("session-expired"));
}

static void
going_back_keeps_what_was_entered(void **state)
{
	struct fixture *f = *state;
	const char *session = start(f, "config"), *heard;

	SAY(f, session, "action='next'", SUBMIT(FIELD("service", "httpd")));
	heard = SAY(f, session, "action='prev'", "");
	expect(heard, "<actions execute='next'><next/></actions>");
	expect(heard, "<title>Configure Service</title>");
	expect(heard, "<value>httpd</value><option>");
	heard = SAY(f, session, "action='next'", SUBMIT(FIELD("service", "jabberd")));
	expect(heard, "Modes and state for jabberd");
	expect(SAY(f, session, "action='complete'", SUBMIT("")), "'jabberd'");
}

static void
cancelling_ends_it(void **state)
{
	struct fixture *f = *state;
	const char *session = start(f, "config");

	SAY(f, session, "action='next'", SUBMIT(FIELD("service", "httpd")));
	expect(SAY(f, session, "action='cancel'", ""), "status='canceled'/></iq>");
	expect_failed(SAY(f, session, "action='cancel'", ""), CANCEL, SPECIFIC("session-expired"));
}

static void
a_form_of_type_cancel_is_one_of_type_submit(void **state)
{
	struct fixture *f = *state;

	expect(SAY(f, start(f, "config"), "",
		   "<x xmlns='jabber:x:data' type='cancel'>" FIELD("service", "httpd") "</x>"),
	    "Modes and state for httpd");
}

static void
a_command_may_ask_after_it_began(void **state)
{
	struct fixture *f = *state;
	const char *heard = fixture_say(f, SET(ME, "node='late'", ""));
	const char *session = attr_of(f, heard, "sessionid");

	expect(heard, "<actions execute='complete'><complete/></actions>");
	expect(heard, "<note type='info'>One more thing.</note>");
	expect_failed(
	    fixture_say(f, SET(ME, "node='late' sessionid='%s' action='prev'", ""), session),
	    MODIFY, SPECIFIC("bad-action"));
	expect(fixture_say(
		   f, SET(ME, "node='late' sessionid='%s'", SUBMIT(FIELD("word", "yes"))), session),
	    "You said yes.");
}

/* --- Errors -------------------------------------------------------------- */

static void
actions_are_checked(void **state)
{
	struct fixture *f = *state;
	const char *session = start(f, "config");

	expect_failed(SAY(f, session, "action='dance'", ""), MODIFY, SPECIFIC("malformed-action"));
	expect_failed(SAY(f, session, "action='prev'", ""), MODIFY, SPECIFIC("bad-action"));
	expect_failed(SAY(f, session, "action='complete'", SUBMIT(FIELD("service", "httpd"))),
	    MODIFY, SPECIFIC("bad-action"));
	SAY(f, session, "action='next'", SUBMIT(FIELD("service", "httpd")));
	expect_failed(SAY(f, session, "action='next'", SUBMIT("")), MODIFY, SPECIFIC("bad-action"));
	expect(SAY(f, session, "action='complete'", SUBMIT("")), "status='completed'");
}

static void
a_wrong_form_may_be_mended(void **state)
{
	struct fixture *f = *state;
	const char *session = start(f, "config"), *heard;

	expect(SAY(f, session, "", ""), "<bad-payload ");
	heard = SAY(f, session, "", SUBMIT(FIELD("service", "telnetd")));
	expect(heard, "<bad-payload ");
	expect(heard, "service"); /* which field */
	expect(SAY(f, session, "", SUBMIT(FIELD("service", ""))), "<bad-payload ");
	expect(SAY(f, session, "", SUBMIT(FIELD("service", "httpd"))), "Modes and state");
}

static void
sessions_belong_to_who_began_them(void **state)
{
	struct fixture *f = *state;
	const char *session = start(f, "config");

	expect_failed(
	    fixture_say(
		f, SET("requester@domain/other", "node='config' sessionid='%s'", ""), session),
	    MODIFY, SPECIFIC("bad-sessionid"));
	expect_failed(fixture_say(f, SET(ME, "node='fail' sessionid='%s'", ""), session), MODIFY,
	    SPECIFIC("bad-sessionid"));
	expect_failed(SAY(f, "never-1", "", ""), MODIFY, SPECIFIC("bad-sessionid"));
	expect_failed(SAY(f, "", "", ""), MODIFY, SPECIFIC("bad-sessionid"));
	expect(SAY(f, session, "", SUBMIT(FIELD("service", "httpd"))), "Modes and state");
}

static void
who_may_not_is_forbidden(void **state)
{
	struct fixture *f = *state;

	expect(fixture_say(f, SET(ME, "node='admin'", "")), "<error type='auth'><forbidden ");
	expect(fixture_say(f, SET(ME, "node='local'", "")), "<forbidden ");
	expect(fixture_say(f, SET("a@example.org/x", "node='admin'", "")), "<forbidden ");
	expect(fixture_say(f, SET("a@example.org/x", "node='local'", "")), "status='completed'");
	expect(
	    fixture_say(f, SET("admin@example.org/x", "node='admin'", "")), "status='completed'");
	expect(fixture_say(f, SET("admin@example.org/x", "node='operate'", "")),
	    "<error type='cancel'><item-not-found ");
	expect(fixture_say(f, SET(ME, "node='other'", "")), "<item-not-found ");
	expect(fixture_say(f, SET(ME, "action='execute'", "")), "<bad-request ");
}

static void
commands_are_the_domains(void **state)
{
	expect(fixture_say(*state,
		   "<iq type='set' from='" ME "' to='room@" DOMAIN "' id='1'>"
		   "<command xmlns='http://jabber.org/protocol/commands' "
		   "node='list'/></iq>"),
	    "<service-unavailable ");
}

static const char *
try_word(struct fixture *f, const char *session, const char *word)
{
	return fixture_say(
	    f, SET(ME, "node='fail' sessionid='%s'", SUBMIT(FIELD("word", "%s"))), session, word);
}

static void
a_refusal_is_an_error_with_its_reason(void **state)
{
	struct fixture *f = *state;
	const char *session = start(f, "fail"), *heard;

	heard = try_word(f, session, "mend");
	expect(heard, "<not-acceptable ");
	expect(heard, ">Not mend.</text>");
	heard = try_word(f, session, "gone"); /* what can be mended left the session alive */
	expect(heard, "<conflict ");
	expect(heard, ">It is gone.</text>");
	expect(try_word(f, session, "mend"), "<session-expired ");
	expect(try_word(f, start(f, "fail"), "none"), "<item-not-found ");
	expect(try_word(f, start(f, "fail"), "lost"), "<internal-server-error ");
	assert_true(fixture_logged(f, "level=bug"));
}

static void
a_turn_that_fails_ends_the_sessions(void **state)
{
	struct fixture *f = *state;
	const char *session = start(f, "fail");

	assert_string_equal(try_word(f, session, "turn"), "");
	expect(try_word(f, session, "mend"), "<session-expired ");
}

/* --- Forgetful clients --------------------------------------------------- */

static void
who_forgets_the_sessionid_means_the_latest(void **state)
{
	struct fixture *f = *state;
	const char *old = start(f, "config"), *session = start(f, "config"), *heard;

	assert_string_not_equal(old, session);
	heard = fixture_say(f, SET(ME, "node='config'", SUBMIT(FIELD("service", "httpd"))));
	assert_string_equal(attr_of(f, heard, "sessionid"), session);
	expect(heard, "Modes and state");
	heard = fixture_say(f, SET(ME, "node='config' action='prev'", ""));
	expect(heard, "Configure Service");
	heard = fixture_say(f, SET(ME, "node='config' action='cancel'", ""));
	assert_string_equal(attr_of(f, heard, "sessionid"), session);
	expect(heard, "status='canceled'");
	heard = fixture_say(f, SET(ME, "node='config' action='cancel'", ""));
	assert_string_equal(attr_of(f, heard, "sessionid"), old);
	expect(fixture_say(f, SET(ME, "node='config' action='cancel'", "")), "<bad-sessionid ");
	expect(fixture_say(f, SET(ME, "node='config' action='prev'", "")), "<bad-action ");
	expect(fixture_say(f, SET(ME, "node='config' action='complete'", "")), "<bad-action ");
	expect(fixture_say(f, SET(ME, "node='config'", SUBMIT(FIELD("service", "httpd")))),
	    "Modes and state"); /* nothing was begun: this begins it */
}

/* --- Limits -------------------------------------------------------------- */

static void
sessions_expire_after_ten_minutes_without_a_word(void **state)
{
	struct fixture *f = *state;
	const char *session = start(f, "config");

	fixture_pass(f, 599 * 1000);
	expect(SAY(f, session, "action='next'", SUBMIT(FIELD("service", "httpd"))), "Modes");
	fixture_pass(f, 599 * 1000);
	expect(SAY(f, session, "action='prev'", ""), "Configure Service");
	fixture_pass(f, 600 * 1000);
	expect_failed(SAY(f, session, "action='next'", SUBMIT(FIELD("service", "httpd"))), CANCEL,
	    SPECIFIC("session-expired"));
}

static void
the_hundred_and_first_session_of_an_account_ends_its_first(void **state)
{
	struct fixture *f = *state;
	const char *first = start(f, "config"), *second = start(f, "config");

	for (int i = 2; i < 101; i++)
		start(f, "config");
	expect(SAY(f, first, "action='cancel'", ""), "<session-expired ");
	expect(SAY(f, second, "action='cancel'", ""), "status='canceled'");
}

static void
a_thousand_sessions_are_enough(void **state)
{
	struct fixture *f = *state;
	const char *heard;

	for (int i = 0; i < 1000; i++) {
		heard = fixture_say(f,
		    "<iq type='set' from='u%d@domain' to='" DOMAIN "' id='1'>"
		    "<command xmlns='http://jabber.org/protocol/commands' node='fail'/></iq>",
		    i);
		expect(heard, "status='executing'");
	}
	heard = fixture_say(f, SET(ME, "node='fail'", ""));
	expect(heard, "<error type='wait'><resource-constraint ");
	fixture_pass(f, 600 * 1000);
	start(f, "fail");
}

static void
sessions_do_not_grow(void **state)
{
	struct fixture *f = *state;
	const char *session = start(f, "config");

	for (int i = 0; i < 200; i++) {
		expect(
		    SAY(f, session, "action='next'", SUBMIT(FIELD("service", "httpd"))), "Modes");
		expect(SAY(f, session, "action='prev'", ""), "Configure");
	}
	expect(SAY(f, session, "action='next'", SUBMIT(FIELD("service", "httpd"))), "Modes");
}

static void
a_result_is_cut_where_a_stanza_is_full(void **state)
{
	const char *heard = fixture_say(*state, SET(ME, "node='big'", ""));

	assert_true(strlen(heard) > 64 << 10 && strlen(heard) < 256 << 10);
	expect(heard, "<note type='warn'>");
	expect(heard, " more rows do not fit here.</note>");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_command_without_a_form_runs_at_once),
		TEST(stages_follow_each_other),
		TEST(going_back_keeps_what_was_entered),
		TEST(cancelling_ends_it),
		TEST(a_form_of_type_cancel_is_one_of_type_submit),
		TEST(a_command_may_ask_after_it_began),
		TEST(actions_are_checked),
		TEST(a_wrong_form_may_be_mended),
		TEST(sessions_belong_to_who_began_them),
		TEST(who_may_not_is_forbidden),
		TEST(commands_are_the_domains),
		TEST(a_refusal_is_an_error_with_its_reason),
		TEST(a_turn_that_fails_ends_the_sessions),
		TEST(who_forgets_the_sessionid_means_the_latest),
		TEST(sessions_expire_after_ten_minutes_without_a_word),
		TEST(the_hundred_and_first_session_of_an_account_ends_its_first),
		TEST(a_thousand_sessions_are_enough),
		TEST(sessions_do_not_grow),
		TEST(a_result_is_cut_where_a_stanza_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
