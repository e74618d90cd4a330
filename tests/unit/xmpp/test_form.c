/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_form.c - data forms (XEP-0004, XEP-0122), out of a table and back
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <annex/form.h>

#include "tree.h"

struct room {
	const char *name;
	const char *topic;
	const char *secret;
	const char *language;
	const char *whois;
	const char *logo;
	const char *contact;
	const char *token;
	bool hidden;
	int64_t most;
	int64_t history;
	struct annex_strings admins;
	struct annex_strings roles;
	struct annex_strings tags;
	struct annex_strings lines;
};

static const struct annex_choice whois_choices[] = {
	{ "moderators", "Moderators only" },
	{ "anyone", "Anyone" },
	{ NULL, NULL },
};

static const struct annex_choice role_choices[] = {
	{ "moderator", "Moderator" },
	{ "participant", "Participant" },
	{ "visitor", "Visitor" },
	{ NULL, NULL },
};

static const struct annex_choice history_choices[] = {
	{ "0", NULL },
	{ "20", NULL },
	{ NULL, NULL },
};

static const struct annex_field room_fields[] = {
	{ .var = "", .type = ANNEX_FIXED, .label = "About" },
	ANNEX_FIELD(struct room, name, "name", ANNEX_TEXT_SINGLE, "Name", .max = 10,
	    .required = true, .desc = "What it is called"),
	ANNEX_FIELD(struct room, topic, "topic", ANNEX_TEXT_MULTI, "Topic", .max = 20),
	ANNEX_FIELD(
	    struct room, secret, "secret", ANNEX_TEXT_PRIVATE, "Password", .min = 3, .max = 8),
	ANNEX_FIELD(struct room, language, "lang", ANNEX_TEXT_SINGLE, "Language",
	    .datatype = "xs:language"),
	ANNEX_FIELD(struct room, whois, "whois", ANNEX_LIST_SINGLE, "Who sees JIDs",
	    .choices = whois_choices),
	ANNEX_FIELD(struct room, contact, "contact", ANNEX_JID_SINGLE, "Contact"),
	ANNEX_FIELD(struct room, token, "token", ANNEX_HIDDEN, NULL),
	ANNEX_FIELD(struct room, hidden, "hidden", ANNEX_BOOLEAN, "Hidden"),
	ANNEX_FIELD(
	    struct room, most, "most", ANNEX_TEXT_SINGLE, "Most occupants", .min = 1, .max = 500),
	ANNEX_FIELD(struct room, history, "history", ANNEX_LIST_SINGLE, "History",
	    .choices = history_choices),
	ANNEX_FIELD(struct room, admins, "admins", ANNEX_JID_MULTI, "Admins", .most = 3),
	ANNEX_FIELD(struct room, roles, "roles", ANNEX_LIST_MULTI, "Roles", .choices = role_choices,
	    .most = 2),
	ANNEX_FIELD(struct room, tags, "tags", ANNEX_LIST_MULTI, "Tags", .choices = role_choices,
	    .open = true, .max = 4),
	ANNEX_FIELD(struct room, lines, "lines", ANNEX_TEXT_MULTI, "Lines", .max = 4, .most = 2),
	{ 0 },
};

static const struct annex_form room_form = {
	.type = "urn:room",
	.title = "Room",
	.instructions = "Fill in",
	.fields = room_fields,
};

#define X(type, inside) "<x xmlns='jabber:x:data' type='" type "'>" inside "</x>"
#define VALIDATE "<validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='"

static const char *
render(struct annex_pool *pool, const struct annex_form *form, const char *kind, const void *values)
{
	struct annex_element *query = annex_element(pool, "urn:q", "query");

	annex_form_add(query, form, kind, values);
	return text_within(pool, query);
}

/* A form of the one row with that var. */
static struct annex_form
form_of(struct annex_pool *pool, const char *var)
{
	struct annex_field *fields = annex_new_array(pool, struct annex_field, 2);

	for (const struct annex_field *f = room_fields; f->var != NULL; f++)
		if (strcmp(f->var, var) == 0)
			fields[0] = *f;
	assert_non_null(fields[0].var);
	return (struct annex_form) { .fields = fields };
}

static const char *const admins[] = { "a@b", "c@d/e" };
static const char *const roles[] = { "visitor" };

static struct room
example(void)
{
	return (struct room) {
		.name = "Den",
		.topic = "one\n\ntwo",
		.secret = "abc",
		.language = "en",
		.whois = "anyone",
		.token = "t",
		.hidden = true,
		.most = 20,
		.history = 20,
		.admins = { admins, 2 },
		.roles = { roles, 1 },
	};
}

static const struct {
	const char *var, *expected;
} rendered[] = {
	{ "", "<field type='fixed'><value>About</value></field>" },
	{ "name",
	    "<field var='name' type='text-single' label='Name'>"
	    "<desc>What it is called</desc><required/><value>Den</value></field>" },
	{ "topic",
	    "<field var='topic' type='text-multi' label='Topic'>"
	    "<value>one</value><value/><value>two</value></field>" },
	{ "secret",
	    "<field var='secret' type='text-private' label='Password'>"
	    "<value>abc</value></field>" },
	{ "lang",
	    "<field var='lang' type='text-single' label='Language'><value>en</value>" VALIDATE
	    "xs:language'><basic/></validate></field>" },
	{ "whois",
	    "<field var='whois' type='list-single' label='Who sees JIDs'><value>anyone</value>"
	    "<option label='Moderators only'><value>moderators</value></option>"
	    "<option label='Anyone'><value>anyone</value></option></field>" },
	{ "contact", "<field var='contact' type='jid-single' label='Contact'/>" },
	{ "token", "<field var='token' type='hidden'><value>t</value></field>" },
	{ "hidden", "<field var='hidden' type='boolean' label='Hidden'><value>1</value></field>" },
	{ "most",
	    "<field var='most' type='text-single' label='Most occupants'><value>20</value>" VALIDATE
	    "xs:integer'><range min='1' max='500'/></validate></field>" },
	{ "history",
	    "<field var='history' type='list-single' label='History'><value>20</value>"
	    "<option><value>0</value></option><option><value>20</value></option>"
	    "</field>" },
	{ "admins",
	    "<field var='admins' type='jid-multi' label='Admins'><value>a@b</value>"
	    "<value>c@d/e</value></field>" },
	{ "roles",
	    "<field var='roles' type='list-multi' label='Roles'><value>visitor</value>"
	    "<option label='Moderator'><value>moderator</value></option>"
	    "<option label='Participant'><value>participant</value></option>"
	    "<option label='Visitor'><value>visitor</value></option>" VALIDATE
	    "xs:string'><basic/><list-range max='2'/></validate></field>" },
	{ "tags",
	    "<field var='tags' type='list-multi' label='Tags'>"
	    "<option label='Moderator'><value>moderator</value></option>"
	    "<option label='Participant'><value>participant</value></option>"
	    "<option label='Visitor'><value>visitor</value></option>" VALIDATE
	    "xs:string'><open/></validate></field>" },
};

static void
test_each_type_is_rendered(void **state)
{
	struct room room = example();

	for (size_t i = 0; i < sizeof(rendered) / sizeof(rendered[0]); i++) {
		struct annex_form form = form_of(*state, rendered[i].var);

		assert_string_equal(render(*state, &form, "form", &room),
		    annex_sprintf(*state, X("form", "%s"), rendered[i].expected));
	}
}

static void
test_a_form_begins_with_title_and_type(void **state)
{
	const char *text = render(*state, &room_form, "form", NULL);
	static const char head[] =
	    "<x xmlns='jabber:x:data' type='form'><title>Room</title>"
	    "<instructions>Fill in</instructions>"
	    "<field var='FORM_TYPE' type='hidden'><value>urn:room</value></field>"
	    "<field type='fixed'>";

	assert_memory_equal(text, head, sizeof(head) - 1);
}

static void
test_without_values_there_are_no_presets(void **state)
{
	struct annex_form form = form_of(*state, "most");

	assert_string_equal(render(*state, &form, "form", NULL),
	    X("form",
		"<field var='most' type='text-single' label='Most occupants'>" VALIDATE
		"xs:integer'><range min='1' max='500'/></validate></field>"));
}

static void
test_a_result_is_values_only(void **state)
{
	static const struct annex_field fields[] = {
		{ .var = "", .type = ANNEX_FIXED, .label = "About" },
		ANNEX_FIELD(struct room, whois, "whois", ANNEX_LIST_SINGLE, "Who",
		    .choices = whois_choices, .desc = "d", .required = true),
		ANNEX_FIELD(struct room, most, "most", ANNEX_TEXT_SINGLE, "Most", .max = 9),
		{ 0 },
	};
	const struct annex_form form = { .type = "urn:room", .title = "t", .fields = fields };
	struct room room = example();

	assert_string_equal(render(*state, &form, "result", &room),
	    X("result",
		"<field var='FORM_TYPE' type='hidden'><value>urn:room</value></field>"
		"<field var='whois'><value>anyone</value></field>"
		"<field var='most'><value>20</value></field>"));
}

static const struct annex_translation german[] = {
	{ "Room", "Raum" },
	{ "Fill in", "Bitte ausfüllen" },
	{ "Head", "Kopf" },
	{ "Who", "Wer" },
	{ "Moderators only", "Nur Moderatoren" },
	{ 0 },
};
static const struct annex_translation austrian[] = { { "Head", "Schädel" }, { 0 } };
static const struct annex_language languages[] = {
	{ "de", german },
	{ "de-AT", austrian },
	{ 0 },
};

static const char *
asked_in(struct annex_pool *pool, const char *lang)
{
	static const struct annex_field fields[] = {
		{ .var = "", .type = ANNEX_FIXED, .label = "Head" },
		ANNEX_FIELD(struct room, whois, "whois", ANNEX_LIST_SINGLE, "Who",
		    .choices = whois_choices, .desc = "Who"),
		ANNEX_FIELD(struct room, name, "name", ANNEX_TEXT_SINGLE, "Name"),
		{ 0 },
	};
	const struct annex_form form = {
		.title = "Room", .instructions = "Fill in", .fields = fields, .languages = languages
	};
	const struct room room = { .whois = "anyone", .name = "Room" };
	struct annex_element *stanza = annex_element(pool, "urn:q", "iq");

	annex_form_ask(annex_add(stanza, NULL, "query"), &form, &room, lang);
	return annex_element_write(stanza, pool, NULL);
}

#define ASKED(lang, title, instructions, head, who, moderators)                               \
	"<iq xmlns='urn:q'" lang "><query><x xmlns='jabber:x:data' type='form'><title>" title \
	"</title><instructions>" instructions "</instructions><field type='fixed'>"           \
	"<value>" head "</value></field><field var='whois' type='list-single' label='" who    \
	"'><desc>" who "</desc><value>anyone</value><option label='" moderators               \
	"'><value>moderators</value></option><option label='Anyone'><value>anyone</value>"    \
	"</option></field><field var='name' type='text-single' label='Name'><value>Room"      \
	"</value></field></x></query></iq>"
#define GERMAN ASKED(" xml:lang='de'", "Raum", "Bitte ausfüllen", "Kopf", "Wer", "Nur Moderatoren")
#define ENGLISH ASKED("", "Room", "Fill in", "Head", "Who", "Moderators only")

/* Texts of the tables are; values are not, even where they say the same. */
static void
test_a_form_is_in_the_language_that_is_read(void **state)
{
	assert_string_equal(asked_in(*state, "de"), GERMAN);
	assert_string_equal(asked_in(*state, "DE-ch"), GERMAN);
	assert_string_equal(asked_in(*state, "de-AT-1996"),
	    ASKED(" xml:lang='de-AT'", "Room", "Fill in", "Schädel", "Who", "Moderators only"));
	assert_string_equal(asked_in(*state, NULL), ENGLISH);
	assert_string_equal(asked_in(*state, ""), ENGLISH);
	assert_string_equal(asked_in(*state, "d"), ENGLISH);
	assert_string_equal(asked_in(*state, "den"), ENGLISH);
}

static void
test_a_range_may_be_open_at_an_end(void **state)
{
	struct annex_field fields[] = { ANNEX_FIELD(struct room, most, "most", ANNEX_TEXT_SINGLE,
					    NULL, .min = 1, .max = INT64_MAX),
		{ 0 } };
	struct annex_form form = { .fields = fields };

	assert_string_equal(render(*state, &form, "form", NULL),
	    X("form",
		"<field var='most' type='text-single'>" VALIDATE
		"xs:integer'><range min='1'/></validate></field>"));
	fields[0].min = INT64_MIN;
	fields[0].max = 5;
	assert_string_equal(render(*state, &form, "form", NULL),
	    X("form",
		"<field var='most' type='text-single'>" VALIDATE
		"xs:integer'><range max='5'/></validate></field>"));
	fields[0].min = fields[0].max = 0;
	assert_string_equal(render(*state, &form, "form", NULL),
	    X("form",
		"<field var='most' type='text-single'>" VALIDATE
		"xs:integer'><basic/></validate></field>"));
}

static void
test_a_required_list_has_a_least_number(void **state)
{
	static const struct annex_field fields[] = { ANNEX_FIELD(struct room, roles, "roles",
							 ANNEX_LIST_MULTI, NULL, .most = 3,
							 .required = true, .open = true),
		{ 0 } };
	const struct annex_form form = { .fields = fields };

	assert_string_equal(render(*state, &form, "form", NULL),
	    X("form",
		"<field var='roles' type='list-multi'><required/>" VALIDATE
		"xs:string'><open/><list-range min='1' max='3'/></validate></field>"));
}

/* Reading. */

static int
submit(
    struct annex_pool *pool, const char *inside, struct room *room, uint64_t *set, const char **why)
{
	return annex_form_read(&room_form,
	    tree_of(pool, annex_sprintf(pool, X("submit", "%s"), inside)), room, set, pool, why);
}

#define FIELD(var, values) "<field var='" var "'>" values "</field>"
#define VALUE(text) "<value>" text "</value>"

static void
test_what_is_sent_is_read_and_the_rest_stays(void **state)
{
	struct room room = example();
	uint64_t set;
	const char *why;

	assert_int_equal(submit(*state,
			     FIELD("name", VALUE("Lair")) FIELD("hidden", VALUE("false"))
				 FIELD("most", VALUE(" 500\n")) FIELD("unknown", VALUE("x")),
			     &room, &set, &why),
	    ANNEX_OK);
	assert_string_equal(room.name, "Lair");
	assert_false(room.hidden);
	assert_int_equal(room.most, 500);
	assert_string_equal(room.whois, "anyone");
	assert_string_equal(room.topic, "one\n\ntwo");
	assert_int_equal(room.admins.count, 2);
	assert_int_equal(set, 1 << 1 | 1 << 8 | 1 << 9);
	assert_null(why);
}

static void
test_every_type_is_read(void **state)
{
	struct room room = { .most = 7 };
	const char *why;

	assert_int_equal(
	    submit(*state,
		FIELD("FORM_TYPE", VALUE("urn:room")) FIELD("name", VALUE("Den")) FIELD(
		    "topic", VALUE("one") VALUE("") VALUE("two")) FIELD("secret", VALUE("abc"))
		    FIELD("lang", VALUE("de")) FIELD("whois", VALUE("moderators"))
			FIELD("contact", VALUE("Me@B/C")) FIELD("token", VALUE("t"))
			    FIELD("hidden", VALUE("true")) FIELD("history", VALUE("20"))
				FIELD("admins", VALUE("A@b") VALUE("c@D.") VALUE("a@B")) FIELD(
				    "roles", VALUE("visitor") VALUE("moderator") VALUE("visitor"))
				    FIELD("tags", VALUE("own") VALUE("visitor"))
					FIELD("lines", VALUE("x") VALUE("x")),
		&room, NULL, &why),
	    ANNEX_EINVAL);
	assert_string_equal(why, "Tags (tags): expected at most 4 bytes, not 7.");
	assert_int_equal(
	    submit(*state,
		FIELD("FORM_TYPE", VALUE("urn:room")) FIELD("name", VALUE("Den")) FIELD(
		    "topic", VALUE("one") VALUE("") VALUE("two")) FIELD("secret", VALUE("abc"))
		    FIELD("lang", VALUE("de")) FIELD("whois", VALUE("moderators"))
			FIELD("contact", VALUE("Me@B/C")) FIELD("token", VALUE("t"))
			    FIELD("hidden", VALUE("true")) FIELD("history", VALUE("20"))
				FIELD("admins", VALUE("A@b") VALUE("c@D.") VALUE("a@B")) FIELD(
				    "roles", VALUE("visitor") VALUE("moderator") VALUE("visitor"))
				    FIELD("tags", VALUE("own") VALUE(""))
					FIELD("lines", VALUE("x") VALUE("x")),
		&room, NULL, &why),
	    ANNEX_OK);
	assert_string_equal(room.topic, "one\n\ntwo");
	assert_string_equal(room.secret, "abc");
	assert_string_equal(room.language, "de");
	assert_string_equal(room.whois, "moderators");
	assert_string_equal(room.contact, "me@b/C");
	assert_string_equal(room.token, "t");
	assert_true(room.hidden);
	assert_int_equal(room.most, 7);
	assert_int_equal(room.history, 20);
	assert_int_equal(room.admins.count, 2);
	assert_string_equal(room.admins.value[0], "a@b");
	assert_string_equal(room.admins.value[1], "c@d");
	assert_int_equal(room.roles.count, 2);
	assert_string_equal(room.roles.value[0], "visitor");
	assert_string_equal(room.roles.value[1], "moderator");
	assert_int_equal(room.tags.count, 1);
	assert_string_equal(room.tags.value[0], "own");
	assert_int_equal(room.lines.count, 2);
}

static void
test_booleans_are_four_words(void **state)
{
	static const struct {
		const char *value;
		bool truth;
	} words[] = { { VALUE("1"), true }, { VALUE("true"), true }, { VALUE("0"), false },
		{ VALUE("false"), false }, { "", false }, { VALUE(""), false } };
	const char *why;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct room room = example();

		room.hidden = !words[i].truth;
		assert_int_equal(
		    submit(*state, annex_sprintf(*state, FIELD("hidden", "%s"), words[i].value),
			&room, NULL, &why),
		    ANNEX_OK);
		assert_int_equal(room.hidden, words[i].truth);
	}
}

static const struct {
	const char *inside, *why;
} refused[] = {
	{ FIELD("hidden", VALUE("yes")), "Hidden (hidden): expected true or false, not \"yes\"." },
	{ FIELD("most", VALUE("0")),
	    "Most occupants (most): expected a whole number from 1 to 500, not \"0\"." },
	{ FIELD("most", VALUE("501")),
	    "Most occupants (most): expected a whole number from 1 to 500, not \"501\"." },
	{ FIELD("most", VALUE("ten")),
	    "Most occupants (most): expected a whole number from 1 to 500, not \"ten\"." },
	{ FIELD("most", VALUE("99999999999999999999")),
	    "Most occupants (most): expected a whole number from 1 to 500, not "
	    "\"99999999999999999999\"." },
	{ FIELD("most", ""),
	    "Most occupants (most): expected a whole number from 1 to 500, not \"\"." },
	{ FIELD("most", VALUE("1") VALUE("2")),
	    "Most occupants (most): expected one value, not several." },
	{ FIELD("history", VALUE("10")), "History (history): expected one of 0, 20, not \"10\"." },
	{ FIELD("name", VALUE("01234567890")), "Name (name): expected at most 10 bytes, not 11." },
	{ FIELD("name", VALUE("")), "Name (name): expected a value." },
	{ FIELD("name", VALUE("a") VALUE("b")), "Name (name): expected one value, not several." },
	{ FIELD("secret", VALUE("ab")), "Password (secret): expected at least 3 bytes, not 2." },
	{ FIELD("topic", VALUE("0123456789") VALUE("0123456789")),
	    "Topic (topic): expected at most 20 bytes, not 21." },
	{ FIELD("lang", VALUE("en_GB")),
	    "Language (lang): expected the datatype xs:language, not \"en_GB\"." },
	{ FIELD("whois", VALUE("nobody")),
	    "Who sees JIDs (whois): expected one of moderators, anyone, not \"nobody\"." },
	{ FIELD("whois", ""),
	    "Who sees JIDs (whois): expected one of moderators, anyone, not \"\"." },
	{ FIELD("contact", VALUE("a@b@c")), "Contact (contact): expected a JID, not \"a@b@c\"." },
	{ FIELD("admins", VALUE("a@b") VALUE("@")), "Admins (admins): expected a JID, not \"@\"." },
	{ FIELD("admins", VALUE("a@b") VALUE("b@b") VALUE("c@b") VALUE("d@b")),
	    "Admins (admins): expected at most 3 values, not 4." },
	{ FIELD("admins",
	      VALUE("1") VALUE("2") VALUE("3") VALUE("4") VALUE("5") VALUE("6") VALUE("7")),
	    "Admins (admins): expected at most 3 values, not 7." },
	{ FIELD("roles", VALUE("visitor") VALUE("king")),
	    "Roles (roles): expected one of moderator, participant, visitor, not \"king\"." },
	{ FIELD("lines", VALUE("12345")), "Lines (lines): expected at most 4 bytes, not 5." },
	{ FIELD("lines", VALUE("1") VALUE("2") VALUE("3")),
	    "Lines (lines): expected at most 2 values, not 3." },
	{ FIELD("FORM_TYPE", VALUE("urn:other")), "FORM_TYPE: expected urn:room." },
};

static void
test_what_is_wrong_is_refused_by_name_and_nothing_changes(void **state)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct room room = example(), before = room;
		const char *why, *inside = refused[i].inside;

		/* A field before and one behind that are fine must not come through either. */
		inside = annex_sprintf(*state, "%s%s", inside, FIELD("token", VALUE("new")));
		if (strstr(inside, "var='name'") == NULL)
			inside = annex_sprintf(*state, "%s%s", FIELD("name", VALUE("New")), inside);
		assert_int_equal(submit(*state, inside, &room, NULL, &why), ANNEX_EINVAL);
		assert_string_equal(why, refused[i].why);
		assert_memory_equal(&room, &before, sizeof(room));
	}
}

static void
test_a_long_value_is_cut_in_the_sentence(void **state)
{
	struct room room = example();
	const char *why, *text = "";

	for (int i = 0; i < 60; i++)
		text = annex_sprintf(*state, "%s\xc3\xa4", text);
	assert_int_equal(submit(*state, annex_sprintf(*state, FIELD("whois", VALUE("%s")), text),
			     &room, NULL, &why),
	    ANNEX_EINVAL);
	assert_string_equal(why,
	    annex_sprintf(*state,
		"Who sees JIDs (whois): expected one of moderators, anyone, not \"%.100s...\".",
		text));
}

/* XEP-0060 §12.23: a range is of the number; the word that means as many as there may be is in any. */
static void
test_a_text_that_is_a_number_has_a_range(void **state)
{
	struct annex_field fields[] = { ANNEX_FIELD(struct room, name, "n", ANNEX_TEXT_SINGLE, NULL,
					    .datatype = "pubsub:integer-or-max", .min = 1,
					    .max = INT64_MAX),
		{ 0 } };
	const struct annex_form form = { .fields = fields };
	static const char *const fine[] = { "1", "max", "99999999999999999999", "" };
	static const char *const wrong[] = { "0", "-1", "-0", "+0" };
	struct room room = { .name = "7" };
	const char *why;

	assert_string_equal(render(*state, &form, "form", &room),
	    X("form",
		"<field var='n' type='text-single'><value>7</value>" VALIDATE
		"pubsub:integer-or-max'><range min='1'/></validate></field>"));
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		const char *text =
		    annex_sprintf(*state, X("submit", FIELD("n", VALUE("%s"))), fine[i]);

		assert_int_equal(
		    annex_form_read(&form, tree_of(*state, text), &room, NULL, *state, &why),
		    ANNEX_OK);
		assert_string_equal(room.name, fine[i]);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *text =
		    annex_sprintf(*state, X("submit", FIELD("n", VALUE("%s"))), wrong[i]);

		assert_int_equal(
		    annex_form_read(&form, tree_of(*state, text), &room, NULL, *state, &why),
		    ANNEX_EINVAL);
	}
	assert_string_equal(why, "n: expected a whole number of at least 1, not \"+0\".");
	fields[0].max = 9;
	assert_int_equal(
	    annex_form_read(&form,
		tree_of(*state, X("submit", FIELD("n", VALUE("99999999999999999999")))), &room,
		NULL, *state, &why),
	    ANNEX_EINVAL);
	assert_string_equal(
	    why, "n: expected a whole number from 1 to 9, not \"99999999999999999999\".");
}

static void
test_a_password_is_never_repeated(void **state)
{
	static const struct annex_field fields[] = { ANNEX_FIELD(struct room, secret, "secret",
							 ANNEX_TEXT_PRIVATE, "Password",
							 .datatype = "xs:integer"),
		{ 0 } };
	const struct annex_form form = { .fields = fields };
	struct room room = { 0 };
	const char *why;

	assert_int_equal(
	    annex_form_read(&form, tree_of(*state, X("submit", FIELD("secret", VALUE("hunter2")))),
		&room, NULL, *state, &why),
	    ANNEX_EINVAL);
	assert_string_equal(why, "Password (secret): expected the datatype xs:integer.");
}

static void
test_a_pattern_is_shown_and_matched_as_a_whole(void **state)
{
	static const struct annex_field fields[] = {
		ANNEX_FIELD(struct room, name, "code", ANNEX_TEXT_SINGLE, NULL,
		    .pattern = "[0-9]{3}|[0-9]{3}-[0-9]{2}"),
		{ 0 },
	};
	const struct annex_form form = { .fields = fields };
	static const char *const good[] = { "123", "123-45" };
	static const char *const bad[] = { "12", "1234", "x123", "123-4", "123-456", "123\n" };
	struct room room = { 0 };
	const char *why;

	assert_string_equal(render(*state, &form, "form", NULL),
	    X("form",
		"<field var='code' type='text-single'>" VALIDATE
		"xs:string'><regex>[0-9]{3}|[0-9]{3}-[0-9]{2}</regex></validate></field>"));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		room.name = good[i];
		assert_int_equal(
		    annex_form_read(&form, tree_of(*state, render(*state, &form, "submit", &room)),
			&room, NULL, *state, &why),
		    ANNEX_OK);
		assert_string_equal(room.name, good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct room other = { .name = bad[i] };

		assert_int_equal(
		    annex_form_read(&form, tree_of(*state, render(*state, &form, "submit", &other)),
			&room, NULL, *state, &why),
		    ANNEX_EINVAL);
		assert_non_null(strstr(why, "code: expected what matches [0-9]"));
		assert_string_equal(room.name, good[1]);
	}
}

static void
test_nothing_unsets_a_text_and_a_list(void **state)
{
	struct room room = example();
	const char *why;

	assert_int_equal(submit(*state,
			     FIELD("topic", "") FIELD("lang", VALUE("")) FIELD("contact", "")
				 FIELD("admins", "") FIELD("roles", VALUE("")),
			     &room, NULL, &why),
	    ANNEX_OK);
	assert_string_equal(room.topic, "");
	assert_string_equal(room.language, "");
	assert_string_equal(room.contact, "");
	assert_int_equal(room.admins.count, 0);
	assert_int_equal(room.roles.count, 0);
}

static void
test_a_required_field_may_be_left_out_where_it_has_a_value(void **state)
{
	struct room room = { .most = 1 };
	const char *why;

	assert_int_equal(submit(*state, "", &room, NULL, &why), ANNEX_EINVAL);
	assert_string_equal(why, "Name (name): expected a value.");
	room.name = "Den";
	assert_int_equal(submit(*state, "", &room, NULL, &why), ANNEX_OK);
	assert_string_equal(room.name, "Den");
}

static void
test_fixed_fields_are_never_read(void **state)
{
	static const struct annex_field fields[] = {
		ANNEX_FIELD(struct room, name, "name", ANNEX_FIXED, "Name"), { 0 }
	};
	const struct annex_form form = { .fields = fields };
	struct room room = { .name = "Den" };
	uint64_t set;
	const char *why;

	assert_int_equal(
	    annex_form_read(&form, tree_of(*state, X("submit", FIELD("name", VALUE("Lair")))),
		&room, &set, *state, &why),
	    ANNEX_OK);
	assert_string_equal(room.name, "Den");
	assert_int_equal(set, 0);
}

static void
test_strings_do_not_need_the_stanza(void **state)
{
	struct annex_pool *other = annex_pool_create(NULL, "stanza");
	struct room room = example();
	const char *why;

	assert_int_equal(
	    annex_form_read(&room_form, tree_of(other, X("submit", FIELD("name", VALUE("Lair")))),
		&room, NULL, *state, &why),
	    ANNEX_OK);
	annex_pool_destroy(&other);
	assert_string_equal(room.name, "Lair");
}

static void
test_only_a_submission_is_read(void **state)
{
	struct room room = example();
	const char *why;

	assert_int_equal(annex_form_read(&room_form, tree_of(*state, X("cancel", "")), &room, NULL,
			     *state, &why),
	    ANNEX_EINVAL);
	assert_string_equal(why, "A data form of type \"submit\" is expected.");
	assert_int_equal(
	    annex_form_read(&room_form, NULL, &room, NULL, *state, &why), ANNEX_EINVAL);
}

static void
test_what_is_rendered_can_be_submitted(void **state)
{
	struct room room = example(), back = { .most = 1 };
	struct annex_element *query = annex_element(*state, "urn:q", "query");
	const char *why;

	assert_int_equal(
	    annex_form_read(&room_form, annex_form_add(query, &room_form, "submit", &room), &back,
		NULL, *state, &why),
	    ANNEX_OK);
	assert_string_equal(back.name, room.name);
	assert_string_equal(back.topic, room.topic);
	assert_string_equal(back.whois, room.whois);
	assert_int_equal(back.most, room.most);
	assert_true(back.hidden);
	assert_int_equal(back.admins.count, 2);
	assert_string_equal(back.admins.value[1], "c@d/e");
}

static void
test_a_form_is_found_by_its_type(void **state)
{
	struct annex_element *el = tree_of(*state,
	    "<q xmlns='urn:q'>" X("submit", FIELD("a", VALUE("0")))
		X("submit", FIELD("FORM_TYPE", VALUE("urn:a")) FIELD("a", VALUE("1")))
		    X("submit", FIELD("FORM_TYPE", VALUE("urn:b")) FIELD("a", VALUE("2"))) "</q>");

	assert_string_equal(annex_form_value(annex_form_find(el, "urn:b"), "a"), "2");
	assert_string_equal(annex_form_value(annex_form_find(el, "urn:a"), "a"), "1");
	assert_string_equal(annex_form_value(annex_form_find(el, NULL), "a"), "0");
	assert_null(annex_form_find(el, "urn:c"));
	assert_null(annex_form_value(annex_form_find(el, "urn:a"), "b"));
	assert_null(annex_form_find(tree_of(*state, "<q xmlns='urn:q'/>"), NULL));
}

static void
test_a_form_without_fields_is_of_any_type(void **state)
{
	struct annex_element *el =
	    tree_of(*state, "<q xmlns='urn:q'><x xmlns='jabber:x:data' type='cancel'/></q>");
	struct annex_element *x = annex_form_find(el, "urn:a");

	assert_non_null(x);
	assert_true(annex_form_is_cancelled(x));
	assert_false(annex_form_is_cancelled(tree_of(*state, X("submit", ""))));
	assert_false(annex_form_is_cancelled(tree_of(*state, "<x xmlns='jabber:x:data'/>")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_type_is_rendered),
		cmocka_unit_test(test_a_form_begins_with_title_and_type),
		cmocka_unit_test(test_without_values_there_are_no_presets),
		cmocka_unit_test(test_a_result_is_values_only),
		cmocka_unit_test(test_a_form_is_in_the_language_that_is_read),
		cmocka_unit_test(test_a_range_may_be_open_at_an_end),
		cmocka_unit_test(test_a_text_that_is_a_number_has_a_range),
		cmocka_unit_test(test_a_required_list_has_a_least_number),
		cmocka_unit_test(test_what_is_sent_is_read_and_the_rest_stays),
		cmocka_unit_test(test_every_type_is_read),
		cmocka_unit_test(test_booleans_are_four_words),
		cmocka_unit_test(test_what_is_wrong_is_refused_by_name_and_nothing_changes),
		cmocka_unit_test(test_a_long_value_is_cut_in_the_sentence),
		cmocka_unit_test(test_a_password_is_never_repeated),
		cmocka_unit_test(test_a_pattern_is_shown_and_matched_as_a_whole),
		cmocka_unit_test(test_nothing_unsets_a_text_and_a_list),
		cmocka_unit_test(test_a_required_field_may_be_left_out_where_it_has_a_value),
		cmocka_unit_test(test_fixed_fields_are_never_read),
		cmocka_unit_test(test_strings_do_not_need_the_stanza),
		cmocka_unit_test(test_only_a_submission_is_read),
		cmocka_unit_test(test_what_is_rendered_can_be_submitted),
		cmocka_unit_test(test_a_form_is_found_by_its_type),
		cmocka_unit_test(test_a_form_without_fields_is_of_any_type),
	};

	return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}
