/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * error.h - stanza errors (RFC 6120 §8.3)
 */
#ifndef ANNEX_ERROR_H
#define ANNEX_ERROR_H

#pragma GCC visibility push(default)

struct annex_element;

#define ANNEX_NS_STANZA_ERRORS "urn:ietf:params:xml:ns:xmpp-stanzas"

/* RFC 6120 §8.3.3.1 to §8.3.3.22, and policy-violation; each has a default type there. */
enum annex_condition {
	ANNEX_BAD_REQUEST = 1,
	ANNEX_CONFLICT,
	ANNEX_FEATURE_NOT_IMPLEMENTED,
	ANNEX_FORBIDDEN,
	ANNEX_GONE,
	ANNEX_INTERNAL_SERVER_ERROR,
	ANNEX_ITEM_NOT_FOUND,
	ANNEX_JID_MALFORMED,
	ANNEX_NOT_ACCEPTABLE,
	ANNEX_NOT_ALLOWED,
	ANNEX_NOT_AUTHORIZED,
	ANNEX_POLICY_VIOLATION,
	ANNEX_RECIPIENT_UNAVAILABLE,
	ANNEX_REDIRECT,
	ANNEX_REGISTRATION_REQUIRED,
	ANNEX_REMOTE_SERVER_NOT_FOUND,
	ANNEX_REMOTE_SERVER_TIMEOUT,
	ANNEX_RESOURCE_CONSTRAINT,
	ANNEX_SERVICE_UNAVAILABLE,
	ANNEX_SUBSCRIPTION_REQUIRED,
	ANNEX_UNDEFINED_CONDITION,
	ANNEX_UNEXPECTED_REQUEST,
};

enum annex_error_type {
	ANNEX_ERROR_DEFAULT, /* the condition's own */
	ANNEX_ERROR_AUTH,
	ANNEX_ERROR_CANCEL,
	ANNEX_ERROR_CONTINUE,
	ANNEX_ERROR_MODIFY,
	ANNEX_ERROR_WAIT,
};

/* A whole error, where condition and text are not enough. */
struct annex_error {
	enum annex_condition condition;
	enum annex_error_type type;
	const char *text;   /* for people, or NULL */
	const char *by;     /* the JID that refused, or NULL */
	const char *uri;    /* of gone and redirect: the new address, or NULL */
	const char *app_ns; /* application-specific condition, or NULL */
	const char *app_name;
	const char *app_feature; /* its attribute "feature" (XEP-0060), or NULL */
};

const char *annex_condition_name(enum annex_condition condition); /* "item-not-found" */
enum annex_condition annex_condition_of(const char *name);        /* or undefined-condition */
enum annex_error_type annex_condition_type(enum annex_condition condition);
const char *annex_error_type_name(enum annex_error_type type);

/* Append <error/> to a stanza; read the one in a stanza (zeroes where there is none:
 * condition 0; strings borrowed from the tree). */
void annex_error_add(struct annex_element *stanza, const struct annex_error *error);
struct annex_error annex_error_read(const struct annex_element *stanza);

#pragma GCC visibility pop

#endif /* ANNEX_ERROR_H */
