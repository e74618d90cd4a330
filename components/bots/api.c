/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * api.c - what HTTP requests ask for
 *
 * The grammar is that of all carriers; an address is a short way to say an
 * action.  A status tells the truth: 202 is on disk and will be sent, and
 * nothing that will not be sent is ever a 2xx.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <annex/jid.h>
#include <annex/timer.h>

#include <jansson.h>

#include "http.h"

/* --- Answers -------------------------------------------------------------------- */

void
request_fail(struct request *q, unsigned status, const char *word, const char *fmt, ...)
{
	const char *why;
	va_list args;

	va_start(args, fmt);
	q->status = status;
	q->type = "application/json";
	q->answer.len = 0;
	text_open(&q->answer);
	text_member(&q->answer, "error", word);
	why = annex_vsprintf(q->pool, fmt, args);
	text_member(&q->answer, "text", clean_utf8(q->pool, why, strlen(why)));
	text_close(&q->answer);
	text_puts(&q->answer, "\n");
	va_end(args);
}

/* What went wrong, as a status of HTTP; a word that is not here is 422: understood, and refused. */
static unsigned
status_of(const char *word)
{
	static const struct {
		const char *word;
		unsigned status;
	} words[] = {
		{ "bad-json", 400 },
		{ "forbidden", 403 },
		{ "item-not-found", 404 },
		{ "no-such-contact", 404 },
		{ "conflict", 409 },
		{ "too-large", 413 },
		{ "rate-limited", 429 },
		{ "resource-constraint", 503 },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].status;
	return 422;
}

/* The lines that the actions were answered with, as one answer: the first that went wrong decides. */
static void
answer_told(struct request *q)
{
	char *line = q->told.len > 0 ? q->told.bytes : NULL, *rest = NULL;

	q->status = 202;
	q->type = "application/json";
	for (line = line == NULL ? NULL : strtok_r(line, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		json_t *json = json_loads(line, 0, NULL);
		const char *word = json_string_value(json_object_get(json, "error"));

		if (word != NULL && q->status == 202)
			q->status = status_of(word);
		text_puts(&q->answer, line);
		text_puts(&q->answer, "\n");
		json_decref(json);
	}
	if (q->answer.len == 0)
		text_puts(&q->answer, "{\"state\":\"done\"}\n");
}

/* --- Actions ------------------------------------------------------------------------ */

/* What the verbs are to the scopes of tokens; the others are SCOPE_SEND's. */
static unsigned
scope_of(const json_t *action)
{
	static const struct {
		const char *verb;
		unsigned scope;
	} verbs_of[] = {
		{ "kind", SCOPE_PRESENCE }, { "beat", SCOPE_PRESENCE }, { "get", SCOPE_CONTACTS },
		{ "contact", SCOPE_CONTACTS }, { "reply", SCOPE_EVENTS }, { "ack", SCOPE_EVENTS },
		{ "token", 0 }, /* none makes others */
	};

	for (size_t i = 0; i < sizeof(verbs_of) / sizeof(verbs_of[0]); i++)
		if (json_object_get(action, verbs_of[i].verb) != NULL)
			return verbs_of[i].scope;
	return SCOPE_SEND;
}

/* A token may be for one reader, or for those of one domain. */
bool
request_is_reader(const struct request *q, const char *to)
{
	const struct annex_jid *wanted = annex_jid(q->pool, q->token.to);
	const struct annex_jid *jid = to == NULL ? NULL : annex_jid(q->pool, to);

	if (*q->token.to == '\0')
		return true;
	if (wanted == NULL || jid == NULL)
		return false;
	return wanted->local == NULL ? strcmp(jid->domain, wanted->domain) == 0
				     : strcmp(jid->bare, wanted->bare) == 0;
}

/* What has no reader it may not do then, but answer events. */
static bool
is_for(const struct request *q, const json_t *action)
{
	if ((scope_of(action) & SCOPE_EVENTS) != 0)
		return true;
	return request_is_reader(q, json_string_value(json_object_get(action, "to"))) &&
	    (*q->token.to == '\0' || json_object_get(action, "group") == NULL);
}

static bool
may_act(struct request *q, const json_t *action)
{
	if (json_object_get(action, "hello") != NULL)
		request_fail(q, 400, "bad-json", "\"hello\" is for programs that stay");
	else if ((q->token.scopes & scope_of(action)) == 0)
		request_fail(q, 403, "forbidden", "this token is for something else");
	else if (!is_for(q, action))
		request_fail(q, 403, "forbidden", "this token is for %s alone", q->token.to);
	return q->status == 0;
}

/* One line of the grammar, said by the program that has this token. */
static void
act(struct request *q, const char *line, size_t len)
{
	struct poller *p = poller_of(q);

	p->current = q;
	p->consumer->lines = 1;
	consumer_line(p->consumer, line, len);
	p->current = NULL;
	answer_told(q);
}

static bool
is_json(const struct request *q)
{
	const char *type = request_header(q, "Content-Type");

	return type != NULL && strncmp(type, "application/json", 16) == 0;
}

static void
act_on_json(struct request *q, const json_t *json)
{
	char *line = json_dumps(json, JSON_COMPACT);

	if (line == NULL)
		request_fail(q, 400, "bad-json", "a header is not UTF-8");
	else
		act(q, line, strlen(line));
	free(line);
}

static void
act_on(struct request *q, json_t *json)
{
	const char *key = request_header(q, "Idempotency-Key");

	if (!may_act(q, json) || !await_judge(q))
		return;
	if (key != NULL && json_object_get(json, "key") == NULL && scope_of(json) == SCOPE_SEND &&
	    json_object_set_new(json, "key", json_string(key)) < 0) {
		request_fail(q, 400, "bad-request", "Idempotency-Key is not UTF-8");
		return;
	}
	if (json_object_get(json, "key") == NULL && json_object_get(json, "id") == NULL)
		json_object_set_new(json, "id", json_string("http"));
	act_on_json(q, json);
	await_sent(q);
}

/* What was posted as an object; NULL: it was refused. */
static json_t *
read_object(struct request *q)
{
	json_error_t error;
	json_t *json = json_loadb(
	    q->body.len > 0 ? q->body.bytes : "", q->body.len, JSON_REJECT_DUPLICATES, &error);

	if (json_is_object(json))
		return json;
	if (json != NULL)
		request_fail(q, 400, "bad-json", "an object is expected");
	else
		request_fail(q, 400, "bad-json", "line %d, column %d: %s", error.line, error.column,
		    error.text);
	json_decref(json);
	return NULL;
}

/* What ends the path becomes a member; false: it was refused. */
static bool
take_from_path(struct request *q, json_t *json, const char *name)
{
	if (json_object_set_new(json, name, json_string(q->path + strlen(q->route->path))) == 0)
		return true;
	request_fail(q, 400, "bad-request", "the path is not UTF-8");
	return false;
}

/* POST /v1/send/JID: a text, or an action without its "to". */
static void
serve_send(struct request *q)
{
	json_t *json;

	if (is_json(q)) {
		if ((json = read_object(q)) == NULL)
			return;
	} else {
		json = json_object();
		json_object_set_new(json, "body",
		    json_string(
			clean_utf8(q->pool, q->body.len > 0 ? q->body.bytes : "", q->body.len)));
	}
	if (take_from_path(q, json, "to"))
		act_on(q, json);
	json_decref(json);
}

/* POST /v1/do: one action, or {"txn":[...]}. */
static void
serve_do(struct request *q)
{
	json_t *json = read_object(q), *txn = json_object_get(json, "txn"), *action;
	size_t i;

	if (json == NULL)
		return;
	if (txn == NULL) {
		act_on(q, json);
	} else {
		json_array_foreach(txn, i, action) if (!may_act(q, action)) break;
		if (q->status == 0)
			act(q, q->body.bytes, q->body.len);
	}
	json_decref(json);
}

/* --- Contacts and presence ----------------------------------------------------------- */

/* The member of the one line that it was answered with, as the answer. */
static void
answer_member(struct request *q, const char *name, bool first)
{
	json_t *json =
	    q->status == 202 ? json_loadb(q->answer.bytes, q->answer.len, 0, NULL) : NULL;
	const json_t *member = json_object_get(json, name);
	char *text = member == NULL
	    ? NULL
	    : json_dumps(first ? json_array_get(member, 0) : member, JSON_COMPACT);

	if (text != NULL) {
		q->status = 200;
		q->answer.len = 0;
		text_puts(&q->answer, text);
		text_puts(&q->answer, "\n");
	}
	free(text);
	json_decref(json);
}

/* GET /v1/contacts?online=1, /v1/contacts/JID */
static void
serve_contacts(struct request *q)
{
	const char *online = request_argument(q, "online");
	const char *path = q->route->path;
	bool one = path[strlen(path) - 1] == '/';
	json_t *json = json_pack("{ss ss sb}", "get", "contacts", "id", "http", "online",
	    online != NULL && strcmp(online, "0") != 0);

	if (!one || take_from_path(q, json, "of")) {
		act_on(q, json);
		answer_member(q, "contacts", one);
	}
	json_decref(json);
}

/* PUT /v1/presence/JID or *: {"show","status","for"}; DELETE ends it. */
static void
serve_presence(struct request *q)
{
	json_t *json = *q->route->method == 'D' ? json_pack("{sb}", "clear", true) : read_object(q);

	if (json == NULL)
		return;
	json_object_set_new(json, "kind", json_string("presence"));
	if (take_from_path(q, json, "to"))
		act_on(q, json);
	json_decref(json);
}

/* --- Hooks ----------------------------------------------------------------------------- */

/* POST /v1/in/BOT/SECRET: something that a web service has to say. */
static void
serve_in(struct request *q)
{
	const char *type = request_header(q, "Content-Type"), *text, *why = NULL;
	json_t *json;

	text = hook_text(q->pool, type != NULL ? type : "", q->body.len > 0 ? q->body.bytes : "",
	    q->body.len, &why);
	if (text == NULL) {
		request_fail(q, 400, "bad-request", "%s", why);
		return;
	}
	json = json_pack("{ss ss ss}", "to", q->token.to, "body", text, "id", "http");
	act_on_json(q, json);
	json_decref(json);
	if (q->status != 202)
		return;
	/* What posts to Slack takes no other answer for a success. */
	q->status = 200;
	q->type = "text/plain";
	q->answer.len = 0;
	text_puts(&q->answer, "ok");
}

/* --- Numbers --------------------------------------------------------------------------- */

int64_t
request_number(const struct request *q, const char *name, int64_t preset, int64_t most)
{
	const char *text = request_argument(q, name);
	int64_t n = text == NULL ? preset : strtoll(text, NULL, 10);

	return n < 0 ? 0 : n > most ? most : n;
}

/* POST /v1/poke: what failed is tried again now. */
static void
serve_poke(struct request *q)
{
	dispatch_anew(q->bot);
	q->status = 202;
	q->type = "application/json";
	text_puts(&q->answer, "{\"state\":\"done\"}\n");
}

const struct route http_routes[] = {
	{ "POST", "/v1/send/", SCOPE_SEND, serve_send },
	{ "GET", "/v1/sends/", SCOPE_SEND, serve_sends },
	{ "GET", "/v1/asks/", SCOPE_SEND, serve_asks },
	{ "POST", "/v1/do", SCOPE_SEND | SCOPE_EVENTS | SCOPE_PRESENCE | SCOPE_CONTACTS, serve_do },
	{ "GET", "/v1/events", SCOPE_EVENTS, serve_events },
	{ "POST", "/v1/poke", SCOPE_EVENTS, serve_poke },
	{ "GET", "/v1/contacts", SCOPE_CONTACTS, serve_contacts },
	{ "GET", "/v1/contacts/", SCOPE_CONTACTS, serve_contacts },
	{ "PUT", "/v1/presence/", SCOPE_PRESENCE, serve_presence },
	{ "DELETE", "/v1/presence/", SCOPE_PRESENCE, serve_presence },
	{ "POST", "/v1/in/", SCOPE_HOOK, serve_in },
	{ "GET", "/v1/files/", 0, serve_file },
	{ "HEAD", "/v1/files/", 0, serve_file },
	{ 0 },
};
