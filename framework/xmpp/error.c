/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * error.c - stanza errors (RFC 6120 §8.3): one table of the conditions, and
 * the element in both directions
 */
#include <stdlib.h>
#include <string.h>

#include <annex/element.h>
#include <annex/error.h>

/* clang-format off */
static const struct condition {
	const char *name;
	enum annex_error_type type;
	const char *section;	/* of RFC 6120 */
	int code;		/* of XEP-0086, for reading only; 0 = none */
} conditions[] = {
	[ANNEX_BAD_REQUEST] = { "bad-request", ANNEX_ERROR_MODIFY, "8.3.3.1", 400 },
	[ANNEX_CONFLICT] = { "conflict", ANNEX_ERROR_CANCEL, "8.3.3.2", 409 },
	[ANNEX_FEATURE_NOT_IMPLEMENTED] = {
	    "feature-not-implemented", ANNEX_ERROR_CANCEL, "8.3.3.3", 501 },
	[ANNEX_FORBIDDEN] = { "forbidden", ANNEX_ERROR_AUTH, "8.3.3.4", 403 },
	[ANNEX_GONE] = { "gone", ANNEX_ERROR_CANCEL, "8.3.3.5", 0 },
	[ANNEX_INTERNAL_SERVER_ERROR] = { "internal-server-error", ANNEX_ERROR_CANCEL, "8.3.3.6", 500 },
	[ANNEX_ITEM_NOT_FOUND] = { "item-not-found", ANNEX_ERROR_CANCEL, "8.3.3.7", 404 },
	[ANNEX_JID_MALFORMED] = { "jid-malformed", ANNEX_ERROR_MODIFY, "8.3.3.8", 0 },
	[ANNEX_NOT_ACCEPTABLE] = { "not-acceptable", ANNEX_ERROR_MODIFY, "8.3.3.9", 406 },
	[ANNEX_NOT_ALLOWED] = { "not-allowed", ANNEX_ERROR_CANCEL, "8.3.3.10", 405 },
	[ANNEX_NOT_AUTHORIZED] = { "not-authorized", ANNEX_ERROR_AUTH, "8.3.3.11", 401 },
	[ANNEX_POLICY_VIOLATION] = { "policy-violation", ANNEX_ERROR_MODIFY, "8.3.3.12", 0 },
	[ANNEX_RECIPIENT_UNAVAILABLE] = { "recipient-unavailable", ANNEX_ERROR_WAIT, "8.3.3.13", 0 },
	[ANNEX_REDIRECT] = { "redirect", ANNEX_ERROR_MODIFY, "8.3.3.14", 302 },
	[ANNEX_REGISTRATION_REQUIRED] = { "registration-required", ANNEX_ERROR_AUTH, "8.3.3.15", 407 },
	[ANNEX_REMOTE_SERVER_NOT_FOUND] = { "remote-server-not-found", ANNEX_ERROR_CANCEL, "8.3.3.16", 0 },
	[ANNEX_REMOTE_SERVER_TIMEOUT] = { "remote-server-timeout", ANNEX_ERROR_WAIT, "8.3.3.17", 504 },
	[ANNEX_RESOURCE_CONSTRAINT] = { "resource-constraint", ANNEX_ERROR_WAIT, "8.3.3.18", 0 },
	[ANNEX_SERVICE_UNAVAILABLE] = { "service-unavailable", ANNEX_ERROR_CANCEL, "8.3.3.19", 503 },
	[ANNEX_SUBSCRIPTION_REQUIRED] = { "subscription-required", ANNEX_ERROR_AUTH, "8.3.3.20", 0 },
	[ANNEX_UNDEFINED_CONDITION] = { "undefined-condition", ANNEX_ERROR_CANCEL, "8.3.3.21", 0 },
	[ANNEX_UNEXPECTED_REQUEST] = { "unexpected-request", ANNEX_ERROR_WAIT, "8.3.3.22", 0 },
};
/* clang-format on */
#define N_CONDITIONS (sizeof(conditions) / sizeof(conditions[0]))

/* RFC 6120 §8.3.2. */
static const char *const types[] = {
	[ANNEX_ERROR_AUTH] = "auth",
	[ANNEX_ERROR_CANCEL] = "cancel",
	[ANNEX_ERROR_CONTINUE] = "continue",
	[ANNEX_ERROR_MODIFY] = "modify",
	[ANNEX_ERROR_WAIT] = "wait",
};
#define N_TYPES (sizeof(types) / sizeof(types[0]))

static const struct condition *
condition_row(enum annex_condition condition)
{
	if (condition < ANNEX_BAD_REQUEST || (size_t)condition >= N_CONDITIONS)
		condition = ANNEX_UNDEFINED_CONDITION;
	return &conditions[condition];
}

const char *
annex_condition_name(enum annex_condition condition)
{
	return condition_row(condition)->name;
}

enum annex_condition
annex_condition_of(const char *name)
{
	for (size_t i = ANNEX_BAD_REQUEST; i < N_CONDITIONS; i++)
		if (strcmp(conditions[i].name, name) == 0)
			return (enum annex_condition)i;
	return ANNEX_UNDEFINED_CONDITION;
}

enum annex_error_type
annex_condition_type(enum annex_condition condition)
{
	return condition_row(condition)->type;
}

const char *
annex_error_type_name(enum annex_error_type type)
{
	if (type <= ANNEX_ERROR_DEFAULT || (size_t)type >= N_TYPES)
		type = ANNEX_ERROR_CANCEL;
	return types[type];
}

static enum annex_error_type
type_of(const char *name)
{
	for (size_t i = ANNEX_ERROR_AUTH; name != NULL && i < N_TYPES; i++)
		if (strcmp(types[i], name) == 0)
			return (enum annex_error_type)i;
	return ANNEX_ERROR_DEFAULT;
}

void
annex_error_add(struct annex_element *stanza, const struct annex_error *error)
{
	enum annex_error_type type = error->type;
	struct annex_element *el = annex_add(stanza, NULL, "error"), *child;

	if (type == ANNEX_ERROR_DEFAULT)
		type = annex_condition_type(error->condition);
	annex_attr_set(el, "type", annex_error_type_name(type));
	annex_attr_set(el, "by", error->by);
	child = annex_add(el, ANNEX_NS_STANZA_ERRORS, annex_condition_name(error->condition));
	if (error->uri != NULL)
		annex_text_append(child, error->uri);
	child = annex_add_text(el, ANNEX_NS_STANZA_ERRORS, "text", error->text);
	if (child != NULL)
		annex_attr_set_ns(child, ANNEX_NS_XML, "lang", "en");
	if (error->app_ns != NULL && error->app_name != NULL) {
		child = annex_add(el, error->app_ns, error->app_name);
		annex_attr_set(child, "feature", error->app_feature);
	}
}

/* Before RFC 3920 an error was a number and a text. */
static enum annex_condition
condition_of_code(const char *code)
{
	long number = code == NULL ? 0 : strtol(code, NULL, 10);

	for (size_t i = ANNEX_BAD_REQUEST; number != 0 && i < N_CONDITIONS; i++)
		if (conditions[i].code == number)
			return (enum annex_condition)i;
	return ANNEX_UNDEFINED_CONDITION;
}

static void
read_child(struct annex_error *error, const struct annex_element *child)
{
	if (strcmp(child->ns, ANNEX_NS_STANZA_ERRORS) != 0) {
		if (error->app_name == NULL) {
			error->app_ns = child->ns;
			error->app_name = child->name;
			error->app_feature = annex_attr(child, "feature");
		}
	} else if (strcmp(child->name, "text") == 0) {
		if (error->text == NULL)
			error->text = annex_text(child);
	} else if (error->condition == 0) {
		error->condition = annex_condition_of(child->name);
		if (annex_text(child)[0] != '\0')
			error->uri = annex_text(child);
	}
}

struct annex_error
annex_error_read(const struct annex_element *stanza)
{
	struct annex_error error = { 0 };
	const struct annex_element *el = annex_child(stanza, NULL, "error");

	if (el == NULL)
		return error;
	error.by = annex_attr(el, "by");
	ANNEX_CHILDREN (el, child)
		read_child(&error, child);
	if (error.condition == 0) {
		error.condition = condition_of_code(annex_attr(el, "code"));
		if (error.text == NULL && annex_text(el)[0] != '\0')
			error.text = annex_text(el);
	}
	error.type = type_of(annex_attr(el, "type"));
	if (error.type == ANNEX_ERROR_DEFAULT)
		error.type = annex_condition_type(error.condition);
	return error;
}
