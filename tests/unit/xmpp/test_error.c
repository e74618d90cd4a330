/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * test_error.c - stanza errors (RFC 6120 §8.3), out and in
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <annex/error.h>

#include "tree.h"

#define CONDITION_NS "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"

/* RFC 6120 §8.3.3.1 to .22. */
static const struct {
	enum annex_condition condition;
	const char *name, *type;
} conditions[] = {
	{ ANNEX_BAD_REQUEST, "bad-request", "modify" },
	{ ANNEX_CONFLICT, "conflict", "cancel" },
	{ ANNEX_FEATURE_NOT_IMPLEMENTED, "feature-not-implemented", "cancel" },
	{ ANNEX_FORBIDDEN, "forbidden", "auth" },
	{ ANNEX_GONE, "gone", "cancel" },
	{ ANNEX_INTERNAL_SERVER_ERROR, "internal-server-error", "cancel" },
	{ ANNEX_ITEM_NOT_FOUND, "item-not-found", "cancel" },
	{ ANNEX_JID_MALFORMED, "jid-malformed", "modify" },
	{ ANNEX_NOT_ACCEPTABLE, "not-acceptable", "modify" },
	{ ANNEX_NOT_ALLOWED, "not-allowed", "cancel" },
	{ ANNEX_NOT_AUTHORIZED, "not-authorized", "auth" },
	{ ANNEX_POLICY_VIOLATION, "policy-violation", "modify" },
	{ ANNEX_RECIPIENT_UNAVAILABLE, "recipient-unavailable", "wait" },
	{ ANNEX_REDIRECT, "redirect", "modify" },
	{ ANNEX_REGISTRATION_REQUIRED, "registration-required", "auth" },
	{ ANNEX_REMOTE_SERVER_NOT_FOUND, "remote-server-not-found", "cancel" },
	{ ANNEX_REMOTE_SERVER_TIMEOUT, "remote-server-timeout", "wait" },
	{ ANNEX_RESOURCE_CONSTRAINT, "resource-constraint", "wait" },
	{ ANNEX_SERVICE_UNAVAILABLE, "service-unavailable", "cancel" },
	{ ANNEX_SUBSCRIPTION_REQUIRED, "subscription-required", "auth" },
	{ ANNEX_UNDEFINED_CONDITION, "undefined-condition", "cancel" },
	{ ANNEX_UNEXPECTED_REQUEST, "unexpected-request", "wait" },
};

static void
test_each_condition_has_its_name_and_type(void **state)
{
	assert_int_equal(sizeof(conditions) / sizeof(conditions[0]), ANNEX_UNEXPECTED_REQUEST);
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
		enum annex_condition c = conditions[i].condition;

		assert_string_equal(annex_condition_name(c), conditions[i].name);
		assert_int_equal(annex_condition_of(conditions[i].name), c);
		assert_string_equal(
		    annex_error_type_name(annex_condition_type(c)), conditions[i].type);
	}
}

static void
test_what_is_unknown_is_undefined(void **state)
{
	assert_int_equal(annex_condition_of("payment-required"), ANNEX_UNDEFINED_CONDITION);
	assert_int_equal(annex_condition_of(""), ANNEX_UNDEFINED_CONDITION);
	assert_string_equal(annex_condition_name((enum annex_condition)99), "undefined-condition");
}

static void
test_an_error_takes_the_default_type(void **state)
{
	struct annex_element *stanza = stanza_in(*state, "iq");

	annex_error_add(stanza, &(struct annex_error) { .condition = ANNEX_ITEM_NOT_FOUND });
	assert_string_equal(text_within(*state, stanza),
	    "<error xmlns='jabber:component:accept' type='cancel'>"
	    "<item-not-found " CONDITION_NS "/></error>");
}

static void
test_an_error_says_all_it_has(void **state)
{
	struct annex_element *stanza = stanza_in(*state, "iq");
	const struct annex_error error = {
		.condition = ANNEX_FEATURE_NOT_IMPLEMENTED,
		.type = ANNEX_ERROR_MODIFY,
		.text = "No <such> thing.",
		.by = "pubsub.example.org",
		.app_ns = "http://jabber.org/protocol/pubsub#errors",
		.app_name = "unsupported",
		.app_feature = "purge-nodes",
	};

	annex_error_add(stanza, &error);
	assert_string_equal(text_within(*state, stanza),
	    "<error xmlns='jabber:component:accept' type='modify' by='pubsub.example.org'>"
	    "<feature-not-implemented " CONDITION_NS "/>"
	    "<text " CONDITION_NS " xml:lang='en'>No &lt;such&gt; thing.</text>"
	    "<unsupported xmlns='http://jabber.org/protocol/pubsub#errors' "
	    "feature='purge-nodes'/></error>");
}

static void
assert_same(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void
test_what_was_added_is_read(void **state)
{
	static const struct annex_error errors[] = {
		{ ANNEX_CONFLICT, ANNEX_ERROR_CANCEL, NULL, NULL, NULL, NULL, NULL, NULL },
		{ ANNEX_FORBIDDEN, ANNEX_ERROR_CONTINUE, "No.", "a@b", NULL, NULL, NULL, NULL },
		{ ANNEX_GONE, ANNEX_ERROR_CANCEL, NULL, NULL, "xmpp:new@rooms?join", NULL, NULL,
		    NULL },
		{ ANNEX_BAD_REQUEST, ANNEX_ERROR_WAIT, "t", NULL, NULL, "urn:x", "y", "z" },
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct annex_element *stanza = stanza_in(*state, "message");
		struct annex_error read;

		annex_error_add(stanza, &errors[i]);
		read = annex_error_read(stanza);
		assert_int_equal(read.condition, errors[i].condition);
		assert_int_equal(read.type, errors[i].type);
		assert_same(read.text, errors[i].text);
		assert_same(read.by, errors[i].by);
		assert_same(read.uri, errors[i].uri);
		assert_same(read.app_ns, errors[i].app_ns);
		assert_same(read.app_name, errors[i].app_name);
		assert_same(read.app_feature, errors[i].app_feature);
	}
}

static struct annex_error
read_error(struct annex_pool *pool, const char *error)
{
	return annex_error_read(tree_of(pool,
	    annex_sprintf(
		pool, "<iq xmlns='jabber:component:accept' type='error'>%s</iq>", error)));
}

static void
test_no_error_reads_as_nothing(void **state)
{
	assert_int_equal(read_error(*state, "<query xmlns='x'/>").condition, 0);
	assert_int_equal(read_error(*state, "<error xmlns='x'/>").condition, 0);
}

static void
test_a_missing_or_unknown_type_is_the_conditions_own(void **state)
{
	assert_int_equal(read_error(*state, "<error><forbidden " CONDITION_NS "/></error>").type,
	    ANNEX_ERROR_AUTH);
	assert_int_equal(
	    read_error(*state, "<error type='sulk'><gone " CONDITION_NS "/></error>").type,
	    ANNEX_ERROR_CANCEL);
}

static void
test_an_error_from_before_conditions_is_understood(void **state)
{
	struct annex_error error = read_error(*state, "<error code='404'>Not here</error>");

	assert_int_equal(error.condition, ANNEX_ITEM_NOT_FOUND);
	assert_int_equal(error.type, ANNEX_ERROR_CANCEL);
	assert_string_equal(error.text, "Not here");
	error = read_error(*state, "<error code='999'/>");
	assert_int_equal(error.condition, ANNEX_UNDEFINED_CONDITION);
	assert_null(error.text);
	error = read_error(*state, "<error/>");
	assert_int_equal(error.condition, ANNEX_UNDEFINED_CONDITION);
}

static void
test_the_order_in_an_error_does_not_matter(void **state)
{
	struct annex_error error = read_error(*state,
	    "<error type='wait'><x xmlns='urn:x'/><text " CONDITION_NS ">later</text>"
	    "<resource-constraint " CONDITION_NS "/><text " CONDITION_NS
	    " xml:lang='de'>nachher</text></error>");

	assert_int_equal(error.condition, ANNEX_RESOURCE_CONSTRAINT);
	assert_string_equal(error.text, "later");
	assert_string_equal(error.app_name, "x");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_condition_has_its_name_and_type),
		cmocka_unit_test(test_what_is_unknown_is_undefined),
		cmocka_unit_test(test_an_error_takes_the_default_type),
		cmocka_unit_test(test_an_error_says_all_it_has),
		cmocka_unit_test(test_what_was_added_is_read),
		cmocka_unit_test(test_no_error_reads_as_nothing),
		cmocka_unit_test(test_a_missing_or_unknown_type_is_the_conditions_own),
		cmocka_unit_test(test_an_error_from_before_conditions_is_understood),
		cmocka_unit_test(test_the_order_in_an_error_does_not_matter),
	};

	return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}
