/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * webhook.c - what web services send, as a text for people
 *
 * Alertmanager, what posts to Slack, Atom, any JSON that has a text in one
 * of the usual places, and plain text.
 */
#include <string.h>
#include <strings.h>

#include <annex/element.h>

#include <jansson.h>

#include "http.h"

#define ALERTS 20 /* of one notification; the others are counted */
#define NS_ATOM "http://www.w3.org/2005/Atom"

static const char *
member(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name));
}

static const char *
first_of(const json_t *json, const char *const *names)
{
	const char *text = NULL;

	for (; *names != NULL && text == NULL; names++)
		text = member(json, *names);
	return text;
}

/* "FIRING HighLoad web1: load is 42", a line each. */
static void
one_alert(struct text *t, const json_t *alert)
{
	static const char *const words[] = { "summary", "description", "message", NULL };
	const json_t *labels = json_object_get(alert, "labels");
	const char *status = member(alert, "status"), *name = member(labels, "alertname");
	const char *instance = member(labels, "instance");
	const char *text = first_of(json_object_get(alert, "annotations"), words);

	text_puts(t, t->len > 0 ? "\n" : "");
	text_puts(t, status != NULL && strcmp(status, "resolved") == 0 ? "resolved: " : "FIRING: ");
	text_puts(t, name != NULL ? name : "alert");
	if (instance != NULL)
		text_printf(t, " %s", instance);
	if (text != NULL)
		text_printf(t, ": %s", text);
}

static const char *
alerts_text(struct annex_pool *pool, const json_t *alerts)
{
	size_t count = json_array_size(alerts);
	struct text t = { .pool = pool };

	for (size_t i = 0; i < count && i < ALERTS; i++)
		one_alert(&t, json_array_get(alerts, i));
	if (count > ALERTS)
		text_printf(&t, "\nand %zu more", count - ALERTS);
	return t.bytes;
}

/* Texts of Slack's attachments, behind its own. */
static const char *
slack_text(struct annex_pool *pool, const json_t *json)
{
	static const char *const words[] = { "text", "fallback", "title", NULL };
	const json_t *attachments = json_object_get(json, "attachments");
	struct text t = { .pool = pool };

	if (member(json, "text") != NULL)
		text_puts(&t, member(json, "text"));
	for (size_t i = 0; i < json_array_size(attachments) && i < ALERTS; i++) {
		const char *text = first_of(json_array_get(attachments, i), words);

		if (text != NULL)
			text_printf(&t, "%s%s", t.len > 0 ? "\n" : "", text);
	}
	return t.len > 0 ? t.bytes : NULL;
}

static const char *
json_text(struct annex_pool *pool, const json_t *json)
{
	static const char *const words[] = { "body", "message", "summary", "content", NULL };
	const char *text, *title = member(json, "title"), *link = member(json, "url");

	if (json_is_array(json_object_get(json, "alerts")))
		return alerts_text(pool, json_object_get(json, "alerts"));
	if ((text = slack_text(pool, json)) == NULL)
		text = first_of(json, words);
	if (title != NULL && text != NULL && strcmp(title, text) != 0)
		text = annex_sprintf(pool, "%s: %s", title, text);
	else if (title != NULL)
		text = title;
	if (text != NULL && link != NULL)
		text = annex_sprintf(pool, "%s\n%s", text, link);
	return text != NULL ? annex_strdup(pool, text) : NULL;
}

static const char *
read_json(struct annex_pool *pool, const char *bytes, size_t len, const char **why)
{
	json_error_t error;
	json_t *json = json_loadb(bytes, len, 0, &error);
	const char *text = json_text(pool, json);

	if (json == NULL)
		*why = annex_sprintf(
		    pool, "line %d, column %d: %s", error.line, error.column, error.text);
	else if (text == NULL)
		*why =
		    "there is no text in it: alerts, text, body, message, summary, content or title";
	json_decref(json);
	return text;
}

static const char *
read_atom(struct annex_pool *pool, const char *bytes, size_t len, const char **why)
{
	struct annex_element *entry = annex_element_read(pool, bytes, len, len);
	const struct annex_element *link;
	const char *title, *href;

	if (entry != NULL && strcmp(entry->name, "feed") == 0)
		entry = annex_child(entry, NS_ATOM, "entry");
	title = entry == NULL ? NULL : annex_child_text(entry, NS_ATOM, "title");
	if (title == NULL) {
		*why = "this is no entry of Atom with a title";
		return NULL;
	}
	link = annex_child(entry, NS_ATOM, "link");
	href = link != NULL ? annex_attr(link, "href") : NULL;
	return href != NULL ? annex_sprintf(pool, "%s\n%s", title, href) : title;
}

static bool
is_type(const char *type, const char *wanted)
{
	return strncasecmp(type, wanted, strlen(wanted)) == 0;
}

const char *
hook_text(
    struct annex_pool *pool, const char *type, const char *bytes, size_t len, const char **why)
{
	if (len == 0) {
		*why = "there is nothing in it";
		return NULL;
	}
	if (is_type(type, "application/json"))
		return read_json(pool, bytes, len, why);
	if (is_type(type, "application/atom+xml") || is_type(type, "application/xml") ||
	    is_type(type, "text/xml"))
		return read_atom(pool, bytes, len, why);
	return clean_utf8(pool, bytes, len);
}
