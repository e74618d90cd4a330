/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_disco.c - service discovery (XEP-0030), its paging (XEP-0059), its hash (XEP-0115)
 */
#include <annex/caps.h>
#include <annex/command.h>
#include <annex/disco.h>

#include "fixture.h"

#define JULIET "juliet@capulet.com/balcony"
#define FROM(from, to, id) "<iq type='get' from='" from "' to='" to "' id='" id "'>"
#define INFO(to, attrs) \
	FROM(JULIET, to, "i") "<query xmlns='http://jabber.org/protocol/disco#info'" attrs "/></iq>"
#define ITEMS(to, attrs)      \
	FROM(JULIET, to, "i") \
	"<query xmlns='http://jabber.org/protocol/disco#items'" attrs "/></iq>"
#define PAGE(set)                                                \
	FROM(JULIET, "many@" DOMAIN, "i")                        \
	"<query xmlns='http://jabber.org/protocol/disco#items'>" \
	"<set xmlns='http://jabber.org/protocol/rsm'>" set "</set></query></iq>"
#define RESULT(from, ns, attrs)                                     \
	"<iq from='" from "' to='" JULIET "' type='result' id='i'>" \
	"<query xmlns='http://jabber.org/protocol/" ns "'" attrs
#define COMMANDS " node='http://jabber.org/protocol/commands'"
#define FEATURE(var) "<feature var='" var "'/>"

/* --- A component --------------------------------------------------------- */

static int
info(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_disco_info *info, struct annex_error *error)
{
	assert_true(inst->entered);
	if (strcmp(in->to->full, DOMAIN) == 0 && node == NULL) {
		annex_disco_feature(info, "urn:more");
		annex_disco_feature(info, "jabber:iq:version"); /* known already */
		return ANNEX_OK;
	}
	if (strcmp(in->to->full, "secret@" DOMAIN) == 0) {
		*error = (struct annex_error) { .condition = ANNEX_NOT_AUTHORIZED };
		return ANNEX_EDENIED;
	}
	if (strcmp(in->to->full, "broken@" DOMAIN) == 0)
		return ANNEX_EIO;
	if (strcmp(in->to->full, "room@" DOMAIN) != 0 ||
	    (node != NULL && strcmp(node, "corner") != 0))
		return ANNEX_ENOENT;
	annex_disco_identity(info, "conference", "text", "A dark cave");
	annex_disco_identity(info, "automation", "room", NULL);
	annex_disco_identity(info, "conference", "text", "A dark cave");
	annex_disco_feature(info, "muc_open");
	annex_disco_feature(info, "http://jabber.org/protocol/muc");
	annex_disco_feature(info, "muc_open");
	annex_attr_set(annex_add(annex_disco_query(info), "jabber:x:data", "x"), "type", "result");
	return ANNEX_OK;
}

static const char *
id_of(const void *item)
{
	return ((const struct annex_disco_item *)item)->jid;
}

static void
items_make(struct annex_instance *inst, size_t n, size_t name_len, struct annex_source *source_r)
{
	struct annex_pool *pool = inst->scratch;
	struct annex_array *array = annex_new(pool, struct annex_array);
	void **item = annex_new_array(pool, void *, n);
	char *name = annex_pool_zalloc(pool, name_len + 1);

	memset(name, 'n', name_len);
	for (size_t i = 0; i < n; i++) {
		struct annex_disco_item *it = annex_new(pool, struct annex_disco_item);

		it->jid = annex_sprintf(pool, "%04zu@" DOMAIN, i);
		it->name = name;
		item[i] = it;
	}
	*array = (struct annex_array) { item, n, id_of };
	*source_r = annex_array_source(array);
}

static int
items(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_source *source_r, struct annex_error *error)
{
	const char *to = in->to->full;

	assert_true(inst->entered);
	if (strcmp(to, DOMAIN) == 0 && node == NULL)
		return ANNEX_ENOENT;
	if (strcmp(to, "three@" DOMAIN) == 0)
		items_make(inst, 3, 1, source_r);
	else if (strcmp(to, "many@" DOMAIN) == 0)
		items_make(inst, 1500, 1, source_r);
	else if (strcmp(to, "fat@" DOMAIN) == 0)
		items_make(inst, 500, 1000, source_r);
	else
		return ANNEX_ENOENT;
	return ANNEX_OK;
}

static int
never(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	return ANNEX_EIO;
}

static const struct annex_identity identities[] = {
	{ "conference", "text", "Play-Specific Chatrooms" },
	{ "directory", "chatroom", NULL },
	{ 0 },
};
static const char *const features[] = { "urn:mine", "http://jabber.org/protocol/muc", NULL };
static const struct annex_disco disco = { identities, features, info, items };
static const struct annex_disco disco_without_items = { identities, features, info, NULL };
static const struct annex_command commands[] = {
	{ "list", "List things", ANNEX_WHO_ANYBODY, NULL, 0, never },
	{ "config", "Configure", ANNEX_WHO_ADMIN, NULL, 0, never },
	{ "operate", "For annexctl", ANNEX_WHO_OPERATOR, NULL, 0, never },
	{ 0 },
};
static const struct annex_command commands_of_operators[] = {
	{ "operate", "For annexctl", ANNEX_WHO_OPERATOR, NULL, 0, never },
	{ 0 },
};
static const struct annex_route routes[] = { { 0 } };
static const struct annex_module module = {
	.name = "cave",
	.routes = routes,
	.disco = &disco,
	.commands = commands,
};

static int
setup(void **state)
{
	*state = fixture_create(&module);
	return 0;
}

static int
setup_plain(void **state)
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

/* --- Info ---------------------------------------------------------------- */

static void
a_component_without_tables_answers_all_the_same(void **state)
{
	assert_string_equal(fixture_say(*state, INFO(DOMAIN, "")),
	    RESULT(DOMAIN, "disco#info", ">") "<identity category='component' type='generic' name='plain'/>" FEATURE(
		"http://jabber.org/protocol/disco#info")
		FEATURE("http://jabber.org/protocol/disco#items") FEATURE("jabber:iq:last")
		    FEATURE("jabber:iq:version") FEATURE("urn:xmpp:ping") FEATURE("urn:xmpp:time")
			FEATURE("vcard-temp") "</query></iq>");
	assert_string_equal(
	    fixture_say(*state, ITEMS(DOMAIN, "")), RESULT(DOMAIN, "disco#items", "/></iq>"));
	assert_non_null(strstr(fixture_say(*state, INFO("x@" DOMAIN, "")), "<item-not-found "));
	assert_non_null(strstr(fixture_say(*state, ITEMS("x@" DOMAIN, "")), "<item-not-found "));
	assert_non_null(strstr(fixture_say(*state, ITEMS(DOMAIN, COMMANDS)), "<item-not-found "));
}

static void
the_domain_says_what_the_tables_say_sorted_and_once(void **state)
{
	assert_string_equal(fixture_say(*state, INFO(DOMAIN, "")),
	    RESULT(DOMAIN, "disco#info",
		">") "<identity category='conference' type='text' name='Play-Specific Chatrooms'/>"
		     "<identity category='directory' type='chatroom'/>" FEATURE(
			 "http://jabber.org/protocol/commands")
			 FEATURE("http://jabber.org/protocol/disco#info")
			     FEATURE("http://jabber.org/protocol/disco#items")
				 FEATURE("http://jabber.org/protocol/muc") FEATURE("jabber:iq:last")
				     FEATURE("jabber:iq:version") FEATURE("jabber:x:data")
					 FEATURE("urn:mine") FEATURE("urn:more")
					     FEATURE("urn:xmpp:ping") FEATURE("urn:xmpp:time")
						 FEATURE("vcard-temp") "</query></iq>");
}

static void
an_empty_node_is_none(void **state)
{
	assert_non_null(strstr(fixture_say(*state, INFO(DOMAIN, " node=''")), FEATURE("urn:mine")));
}

static void
contact_addresses_are_a_form(void **state)
{
	struct fixture *f = *state;
	const char *const uris[] = { "xmpp:admin@example.org", "mailto:root@example.org", NULL };
	const char *heard, *form;

	f->inst.contact_uris = uris;
	heard = fixture_say(f, INFO(DOMAIN, ""));
	form = strstr(heard, "<x xmlns='jabber:x:data' type='result'>");
	assert_non_null(form);
	assert_non_null(strstr(form, "<value>http://jabber.org/network/serverinfo</value>"));
	assert_non_null(strstr(form, "<field var='admin-addresses'"));
	assert_non_null(strstr(
	    form, "<value>xmpp:admin@example.org</value><value>mailto:root@example.org</value>"));
	assert_null(strstr(form, "<feature")); /* forms come last */
}

static void
other_addresses_are_asked_of_the_component(void **state)
{
	assert_string_equal(fixture_say(*state, INFO("room@" DOMAIN, "")),
	    RESULT("room@" DOMAIN, "disco#info",
		">") "<identity category='automation' type='room'/>"
		     "<identity category='conference' type='text' name='A dark cave'/>" FEATURE(
			 "http://jabber.org/protocol/disco#info")
			 FEATURE("http://jabber.org/protocol/disco#items")
			     FEATURE("http://jabber.org/protocol/muc") FEATURE(
				 "muc_open") "<x xmlns='jabber:x:data' type='result'/></query></iq>");
	assert_string_equal(fixture_say(*state, INFO("room@" DOMAIN, " node='corner'")),
	    RESULT("room@" DOMAIN, "disco#info",
		" node='corner'>") "<identity category='automation' type='room'/>"
				   "<identity category='conference' type='text' name='A dark cave'/>" FEATURE(
				       "http://jabber.org/protocol/muc")
				       FEATURE(
					   "muc_open") "<x xmlns='jabber:x:data' type='result'/></query></iq>");
}

static void
what_is_not_there_is_not_found(void **state)
{
	assert_non_null(strstr(fixture_say(*state, INFO("hall@" DOMAIN, "")), "<item-not-found "));
	assert_non_null(
	    strstr(fixture_say(*state, INFO("room@" DOMAIN, " node='attic'")), "<item-not-found "));
	assert_non_null(
	    strstr(fixture_say(*state, INFO(DOMAIN, " node='attic'")), "<item-not-found "));
	assert_non_null(
	    strstr(fixture_say(*state, ITEMS(DOMAIN, " node='attic'")), "<item-not-found "));
}

static void
the_components_own_refusal_is_told(void **state)
{
	assert_non_null(
	    strstr(fixture_say(*state, INFO("secret@" DOMAIN, "")), "<not-authorized "));
	assert_non_null(
	    strstr(fixture_say(*state, INFO("broken@" DOMAIN, "")), "<internal-server-error "));
}

static void
set_is_not_allowed(void **state)
{
	assert_non_null(strstr(fixture_say(*state,
				   "<iq type='set' from='" JULIET "' to='" DOMAIN "' id='i'>"
				   "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>"),
	    "<error type='cancel'><not-allowed "));
	assert_non_null(strstr(fixture_say(*state,
				   "<iq type='set' from='" JULIET "' to='room@" DOMAIN "' id='i'>"
				   "<query xmlns='http://jabber.org/protocol/disco#items'/></iq>"),
	    "<not-allowed "));
}

/* --- Commands (XEP-0050 §2) ---------------------------------------------- */

static void
commands_are_listed_for_who_may(void **state)
{
	assert_string_equal(fixture_say(*state, ITEMS(DOMAIN, COMMANDS)),
	    RESULT(DOMAIN, "disco#items",
		COMMANDS ">") "<item jid='" DOMAIN
			      "' node='list' name='List things'/></query></iq>");
	assert_string_equal(
	    fixture_say(*state,
		FROM("admin@example.org/x", DOMAIN,
		    "i") "<query xmlns='http://jabber.org/protocol/disco#items'" COMMANDS
			 "/></iq>"),
	    "<iq from='" DOMAIN "' to='admin@example.org/x' type='result' id='i'>"
	    "<query xmlns='http://jabber.org/protocol/disco#items'" COMMANDS ">"
	    "<item jid='" DOMAIN "' node='list' name='List things'/>"
	    "<item jid='" DOMAIN "' node='config' name='Configure'/></query></iq>");
}

static void
a_command_is_a_node(void **state)
{
	assert_string_equal(fixture_say(*state, INFO(DOMAIN, " node='list'")),
	    RESULT(DOMAIN, "disco#info", " node='list'>") "<identity category='automation' type='command-node' name='List things'/>" FEATURE(
		"http://jabber.org/protocol/commands") FEATURE("jabber:x:data") "</query></iq>");
	assert_non_null(strstr(fixture_say(*state, INFO(DOMAIN, " node='config'")), "<forbidden "));
	assert_non_null(
	    strstr(fixture_say(*state, INFO(DOMAIN, " node='operate'")), "<item-not-found "));
	assert_string_equal(fixture_say(*state, ITEMS(DOMAIN, " node='list'")),
	    RESULT(DOMAIN, "disco#items", " node='list'/></iq>"));
	assert_non_null(strstr(fixture_say(*state, INFO(DOMAIN, COMMANDS)),
	    "<identity category='automation' type='command-list'"));
}

static void
commands_of_operators_are_no_feature(void **state)
{
	struct fixture *f = *state;

	f->module.commands = commands_of_operators;
	assert_null(strstr(fixture_say(f, INFO(DOMAIN, "")), "protocol/commands"));
}

/* --- Items --------------------------------------------------------------- */

static void
items_come_whole_where_they_fit(void **state)
{
	assert_string_equal(fixture_say(*state, ITEMS("three@" DOMAIN, "")),
	    RESULT("three@" DOMAIN, "disco#items",
		">") "<item jid='0000@" DOMAIN "' name='n'/><item jid='0001@" DOMAIN "' name='n'/>"
		     "<item jid='0002@" DOMAIN "' name='n'/></query></iq>");
	assert_non_null(strstr(fixture_say(*state, ITEMS("room@" DOMAIN, "")), "<item-not-found "));
}

static void
what_exists_without_items_has_none(void **state)
{
	struct fixture *f = *state;

	f->module.disco = &disco_without_items;
	assert_string_equal(fixture_say(f, ITEMS("room@" DOMAIN, "")),
	    RESULT("room@" DOMAIN, "disco#items", "/></iq>"));
	assert_non_null(strstr(fixture_say(f, ITEMS("hall@" DOMAIN, "")), "<item-not-found "));
}

static unsigned
count(const char *heard)
{
	unsigned n = 0;

	while ((heard = strstr(heard, "<item ")) != NULL) {
		heard++;
		n++;
	}
	return n;
}

static void
too_many_come_as_a_page(void **state)
{
	const char *heard = fixture_say(*state, ITEMS("many@" DOMAIN, ""));

	assert_int_equal(count(heard), 1000);
	assert_non_null(strstr(heard,
	    "<set xmlns='http://jabber.org/protocol/rsm'>"
	    "<first index='0'>0000@" DOMAIN "</first>"
	    "<last>0999@" DOMAIN "</last><count>1500</count></set>"));
}

/* XEP-0059 §2.2 to §2.7. */
static void
pages_go_forth_and_back(void **state)
{
	const char *heard = fixture_say(*state, PAGE("<max>10</max>"));

	assert_int_equal(count(heard), 10);
	assert_non_null(strstr(heard,
	    "<first index='0'>0000@" DOMAIN "</first>"
	    "<last>0009@" DOMAIN "</last><count>1500</count>"));
	heard = fixture_say(*state, PAGE("<max>10</max><after>0009@" DOMAIN "</after>"));
	assert_non_null(strstr(heard,
	    "<first index='10'>0010@" DOMAIN "</first>"
	    "<last>0019@" DOMAIN "</last>"));
	heard = fixture_say(*state, PAGE("<max>10</max><before>0010@" DOMAIN "</before>"));
	assert_non_null(strstr(heard,
	    "<first index='0'>0000@" DOMAIN "</first>"
	    "<last>0009@" DOMAIN "</last>"));
	heard = fixture_say(*state, PAGE("<max>10</max><before/>"));
	assert_non_null(strstr(heard,
	    "<first index='1490'>1490@" DOMAIN "</first>"
	    "<last>1499@" DOMAIN "</last>"));
	heard = fixture_say(*state, PAGE("<max>10</max><index>371</index>"));
	assert_non_null(strstr(heard, "<first index='371'>0371@" DOMAIN "</first>"));
	heard = fixture_say(*state, PAGE("<max>0</max>"));
	assert_int_equal(count(heard), 0);
	assert_non_null(strstr(heard, "<count>1500</count>"));
	assert_non_null(strstr(
	    fixture_say(*state, PAGE("<max>10</max><after>nobody</after>")), "<item-not-found "));
	assert_non_null(strstr(fixture_say(*state, PAGE("<max>many</max>")), "<bad-request "));
}

static void
a_page_is_cut_where_a_stanza_is_full(void **state)
{
	struct fixture *f = *state;
	const char *heard = fixture_say(f, ITEMS("fat@" DOMAIN, ""));
	unsigned n = count(heard);
	char expected[64];

	assert_in_range(n, 100, 250);
	assert_true(strlen(heard) < 256 << 10);
	snprintf(expected, sizeof(expected), "<last>%04u@" DOMAIN "</last>", n - 1);
	assert_non_null(strstr(heard, expected));
	heard = fixture_say(f,
	    FROM(JULIET, "fat@" DOMAIN,
		"i") "<query xmlns='http://jabber.org/protocol/disco#items'>"
		     "<set xmlns='http://jabber.org/protocol/rsm'><before/></set></query></iq>");
	assert_int_equal(count(heard), n);
	snprintf(expected, sizeof(expected), "<first index='%u'>%04u@" DOMAIN "</first>", 500 - n,
	    500 - n);
	assert_non_null(strstr(heard, expected));
	assert_non_null(strstr(heard, "<last>0499@" DOMAIN "</last>"));
}

/* --- Hash ---------------------------------------------------------------- */

static void
the_hash_is_of_what_info_says(void **state)
{
	struct fixture *f = *state;
	struct annex_element *iq;
	const char *heard, *hash, *of_heard;

	assert_true(instance_enter(&f->inst));
	hash = annex_strdup(f->pool, annex_disco_hash(&f->inst));
	instance_leave(&f->inst);
	heard = fixture_say(f, INFO(DOMAIN, ""));
	iq = annex_element_read(f->pool, heard, strlen(heard), 1 << 20);
	assert_non_null(iq);
	of_heard = annex_caps_hash(annex_child(iq, NULL, NULL), f->pool);
	assert_string_equal(hash, of_heard);
	heard = fixture_say(f, INFO(DOMAIN, " node='https://annex.test#%s'"), hash);
	assert_non_null(strstr(heard, FEATURE("urn:mine")));
	assert_non_null(strstr(heard, "node='https://annex.test#"));
	assert_non_null(strstr(fixture_say(f, INFO(DOMAIN, " node='https://annex.test#%s'"),
				   "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
	    "<item-not-found "));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_component_without_tables_answers_all_the_same, setup_plain, teardown),
		TEST(the_domain_says_what_the_tables_say_sorted_and_once),
		TEST(an_empty_node_is_none),
		TEST(contact_addresses_are_a_form),
		TEST(other_addresses_are_asked_of_the_component),
		TEST(what_is_not_there_is_not_found),
		TEST(the_components_own_refusal_is_told),
		TEST(set_is_not_allowed),
		TEST(commands_are_listed_for_who_may),
		TEST(a_command_is_a_node),
		TEST(commands_of_operators_are_no_feature),
		TEST(items_come_whole_where_they_fit),
		TEST(what_exists_without_items_has_none),
		TEST(too_many_come_as_a_page),
		TEST(pages_go_forth_and_back),
		TEST(a_page_is_cut_where_a_stanza_is_full),
		TEST(the_hash_is_of_what_info_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
