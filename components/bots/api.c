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

#define POLL_S 50
#define POLL_MOST_S 100
#define EVENTS 32
#define EVENTS_MOST 100
#define GONE_MS ((int64_t)POLL_MOST_S * 2000) /* without a poll its events wait for others */

/* --- Answers -------------------------------------------------------------------- */

void
request_fail(struct request *q, unsigned status, const char *word, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	q->status = status;
	q->type = "application/json";
	q->answer.len = 0;
	text_open(&q->answer);
	text_member(&q->answer, "error", word);
	text_member(&q->answer, "text", annex_vsprintf(q->pool, fmt, args));
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
act_on(struct request *q, json_t *json)
{
	const char *key = request_header(q, "Idempotency-Key");
	char *line;

	if (key != NULL && json_object_get(json, "key") == NULL)
		json_object_set_new(json, "key", json_string(key));
	if (json_object_get(json, "key") == NULL && json_object_get(json, "id") == NULL)
		json_object_set_new(json, "id", json_string("http"));
	line = json_dumps(json, JSON_COMPACT);
	if (line == NULL)
		request_fail(q, 400, "bad-json", "a header is not UTF-8");
	else
		act(q, line, strlen(line));
	free(line);
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

/* POST /v1/send/JID: a text, or an action without its "to". */
static void
serve_send(struct request *q)
{
	const char *to = q->path + strlen(q->route->path);
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
	json_object_set_new(json, "to", json_string(to));
	act_on(q, json);
	json_decref(json);
}

/* POST /v1/do: one action, or {"txn":[...]}. */
static void
serve_do(struct request *q)
{
	json_t *json = read_object(q);

	if (json == NULL)
		return;
	if (json_object_get(json, "hello") != NULL)
		request_fail(q, 400, "bad-json", "\"hello\" is for programs that stay");
	else if (json_object_get(json, "txn") != NULL)
		act(q, q->body.bytes, q->body.len);
	else
		act_on(q, json);
	json_decref(json);
}

/* POST /v1/in/BOT/SECRET: something that a web service has to say. */
static void
serve_in(struct request *q)
{
	struct bots *m = request_bots(q);
	const char *name = q->path + strlen(q->route->path), *secret = strchr(name, '/');
	const char *type = request_header(q, "Content-Type"), *text, *why = NULL;
	json_t *json;

	if (secret == NULL || token_find(m, q->pool, secret + 1, &q->token) < 0 ||
	    (q->token.scopes & SCOPE_HOOK) == 0 ||
	    strlen(q->token.bot) != (size_t)(secret - name) ||
	    memcmp(q->token.bot, name, (size_t)(secret - name)) != 0 ||
	    (q->bot = bot_find(m, q->token.bot)) == NULL) {
		request_fail(q, 404, "item-not-found", "there is no such hook");
		return;
	}
	if (!request_is_moderate(q))
		return;
	text = hook_text(q->pool, type != NULL ? type : "", q->body.len > 0 ? q->body.bytes : "",
	    q->body.len, &why);
	if (text == NULL) {
		request_fail(q, 400, "bad-request", "%s", why);
		return;
	}
	json = json_pack("{ss ss}", "to", q->token.to, "body", text);
	act_on(q, json);
	json_decref(json);
	if (q->status != 202)
		return;
	/* What posts to Slack takes no other answer for a success. */
	q->status = 200;
	q->type = "text/plain";
	q->answer.len = 0;
	text_puts(&q->answer, "ok");
}

/* --- Events --------------------------------------------------------------------------- */

static int64_t
number_of(const struct request *q, const char *name, int64_t preset, int64_t most)
{
	const char *text = request_argument(q, name);
	int64_t n = text == NULL ? preset : strtoll(text, NULL, 10);

	return n < 0 ? 0 : n > most ? most : n;
}

void
poller_answer(struct poller *p)
{
	struct request *q = p->waiting;
	size_t n = 0;

	if (q == NULL)
		return;
	annex_timer_stop(p->late);
	annex_timer_stop(p->soon);
	p->waiting = NULL;
	q->status = 200;
	q->type = "application/json";
	text_puts(&q->answer, "[");
	ANNEX_LIST_EACH (&p->consumer->taken, l) {
		size_t len;
		const char *line;

		if (n == p->most)
			break;
		line = event_line(annex_container_of(l, struct event, link), q->pool, &len);
		text_puts(&q->answer, n++ > 0 ? ",\n" : "");
		text_add(&q->answer, line, len);
	}
	text_puts(&q->answer, "]\n");
	request_done(q);
}

/*
 * GET /v1/events?after=SEQ&timeout=SECONDS&max=N: after acknowledges all up
 * to it; what is not acknowledged is told again by the next poll.
 */
static void
serve_events(struct request *q)
{
	struct poller *p = poller_of(q);
	struct consumer *c = p->consumer;

	if (p->waiting != NULL) /* an earlier poll of the same program: it was given up */
		poller_answer(p);
	consumer_ack(c, (uint64_t)number_of(q, "after", 0, INT64_MAX));
	p->waiting = q;
	q->poller = p;
	p->most = (size_t)number_of(q, "max", EVENTS, EVENTS_MOST);
	if (p->most == 0)
		p->most = 1;
	annex_timer_start(p->gone, GONE_MS);
	if (!c->attached)
		consumer_attach(c);
	else
		dispatch(c->bot);
	if (!annex_list_is_empty(&c->taken))
		annex_timer_start(p->soon, 0);
	annex_timer_start(p->late, number_of(q, "timeout", POLL_S, POLL_MOST_S) * 1000);
}

const struct route http_routes[] = {
	{ "POST", "/v1/send/", SCOPE_SEND, serve_send },
	{ "POST", "/v1/do", SCOPE_SEND, serve_do },
	{ "GET", "/v1/events", SCOPE_EVENTS, serve_events },
	{ "POST", "/v1/in/", 0, serve_in },
	{ 0 },
};
