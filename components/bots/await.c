/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * await.c - what became of messages and questions, for whoever waits for that
 *
 *	POST /v1/send/JID?wait=delivered&timeout=20   a message, and how far it came
 *	GET  /v1/sends/ID?wait=displayed              the same later
 *	GET  /v1/asks/NAME                            the answer to a question
 *
 * A request that waits holds a connection, so a token has a few at a time.
 */
#include <string.h>

#include <annex/jid.h>

#include <jansson.h>

#include "http.h"

#define WAITING_MOST 20 /* requests of a token */

/* --- Waiting --------------------------------------------------------------------- */

static void look(struct request *q, bool over);

static void
over(struct annex_instance *inst, void *cookie)
{
	(void)inst;
	look(cookie, true);
}

static bool
may_wait(struct request *q)
{
	size_t n = 0;

	ANNEX_LIST_EACH (&q->http->requests, l) {
		const struct request *other = annex_container_of(l, struct request, link);

		n += other->bot == q->bot && other->patience != NULL &&
		    strcmp(other->token.name, q->token.name) == 0;
	}
	if (n < WAITING_MOST)
		return true;
	request_fail(
	    q, 429, "rate-limited", "%d requests of this token wait already", WAITING_MOST);
	return false;
}

static void
begin(struct request *q)
{
	int64_t timeout_s = request_number(q, "timeout", HTTP_WAIT_S, HTTP_WAIT_MOST_S);

	q->status = 0;
	q->patience = annex_timer(q->bot->bots->inst, over, q);
	annex_timer_start(q->patience, timeout_s * 1000);
}

static void
end(struct request *q)
{
	annex_timer_free(&q->patience); /* it may be due in this very turn */
	q->question = q->message = NULL;
	request_done(q);
}

/* --- Questions --------------------------------------------------------------------- */

static void
tell_answer(struct request *q, const Bots__Answer *answer)
{
	q->status = 200;
	q->type = "application/json";
	text_open(&q->answer);
	text_member(&q->answer, "state",
	    answer == NULL || !answer->answered ? "asked"
		: answer->given                 ? "answered"
						: "expired");
	if (answer != NULL && answer->given) {
		text_member(&q->answer, "value", answer->value);
		text_member(&q->answer, "from", answer->from);
	}
	text_close(&q->answer);
	text_puts(&q->answer, "\n");
}

void
serve_asks(struct request *q)
{
	const char *name = q->path + strlen(q->route->path);
	const Bots__Answer *answer = answer_find(q->bot, name);

	if (answer == NULL || !request_is_reader(q, answer->to)) {
		request_fail(q, 404, "item-not-found", "no question \"%.60s\" is known", name);
	} else if (answer->answered) {
		tell_answer(q, answer);
	} else if (may_wait(q)) {
		q->question = annex_strdup(q->pool, name);
		begin(q);
	}
}

/* --- Messages ------------------------------------------------------------------------ */

static bool
is_as_far(const Bots__Send *send, enum send_state wanted)
{
	return send->state >= (uint32_t)wanted;
}

/* Where somebody waited for it to come further than it ever will that is no success. */
static void
tell_send(struct request *q, const Bots__Send *send, enum send_state wanted)
{
	bool failed = wanted != SEND_QUEUED && send->state >= SEND_BOUNCED;

	q->status = failed ? 422 : wanted == SEND_QUEUED || is_as_far(send, wanted) ? 200 : 202;
	q->type = "application/json";
	q->answer.len = 0;
	text_open(&q->answer);
	if (failed) {
		text_member(&q->answer, "error", send_states[send->state]);
		text_member(&q->answer, "text", "the message did not reach its reader");
	}
	text_member(&q->answer, "id", send->id);
	text_member(&q->answer, "key", *send->key == '\0' ? NULL : send->key);
	text_member(&q->answer, "to", send->to);
	text_member(&q->answer, "state", send_states[send->state]);
	text_close(&q->answer);
	text_puts(&q->answer, "\n");
}

static const Bots__Send *
find(const struct bot *bot, const char *name)
{
	const Bots__Send *send = send_by_id(bot, name);

	return send != NULL ? send : send_by_key(bot, name);
}

/* What of "wait" was asked for; SEND_QUEUED: nothing.  Negative: it was refused. */
static int
wanted_of(struct request *q)
{
	const char *word = request_argument(q, "wait");

	if (word == NULL)
		return SEND_QUEUED;
	for (int i = SEND_SENT; i <= SEND_DISPLAYED; i++)
		if (strcmp(send_states[i], word) == 0)
			return may_wait(q) ? i : -1;
	request_fail(q, 400, "bad-request", "\"wait\" must be sent, delivered or displayed");
	return -1;
}

static void
await(struct request *q, const Bots__Send *send, enum send_state wanted)
{
	if (wanted == SEND_QUEUED || is_as_far(send, wanted)) {
		tell_send(q, send, wanted);
		return;
	}
	q->message = annex_strdup(q->pool, send->id);
	q->wanted = wanted;
	begin(q);
}

void
serve_sends(struct request *q)
{
	const char *name = q->path + strlen(q->route->path);
	const Bots__Send *send = find(q->bot, name);
	int wanted;

	if (send == NULL || !request_is_reader(q, send->to))
		request_fail(q, 404, "item-not-found", "no message \"%.60s\" is known", name);
	else if ((wanted = wanted_of(q)) >= 0)
		await(q, send, (enum send_state)wanted);
}

bool
await_judge(struct request *q)
{
	return wanted_of(q) >= 0;
}

void
await_sent(struct request *q)
{
	int wanted = wanted_of(q);
	json_t *json = wanted <= SEND_QUEUED || q->status != 202
	    ? NULL
	    : json_loadb(q->answer.bytes, q->answer.len, JSON_DISABLE_EOF_CHECK, NULL);
	const char *id = json_string_value(json_object_get(json, "id"));
	const Bots__Send *send = id == NULL ? NULL : send_by_id(q->bot, id);

	if (send != NULL)
		await(q, send, (enum send_state)wanted);
	json_decref(json);
}

/* --- What happened -------------------------------------------------------------------- */

/* Whether that is what q waits for, or its patience is over. */
static void
look(struct request *q, bool is_over)
{
	const Bots__Send *send = q->message == NULL ? NULL : send_by_id(q->bot, q->message);

	if (q->question != NULL) {
		tell_answer(q, answer_find(q->bot, q->question));
		end(q);
	} else if (send == NULL && q->message != NULL) {
		request_fail(q, 404, "item-not-found", "it is not known any more");
		end(q);
	} else if (send != NULL && (is_over || is_as_far(send, q->wanted))) {
		tell_send(q, send, q->wanted);
		end(q);
	}
}

static bool
is_same(const char *one, const char *other)
{
	return one != NULL && other != NULL && strcmp(one, other) == 0;
}

/* Whoever waits for that question of bot, or that message. */
static void
look_at(const struct bot *bot, const char *question, const char *message)
{
	struct http *http = bot->bots->http;

	if (http == NULL)
		return;
	ANNEX_LIST_EACH (&http->requests, l) {
		struct request *q = annex_container_of(l, struct request, link);

		if (q->bot == bot &&
		    (is_same(q->question, question) || is_same(q->message, message)))
			look(q, false);
	}
}

void
http_answered(const struct bot *bot, const char *question)
{
	look_at(bot, question, NULL);
}

void
http_reached(const struct bot *bot, const char *id)
{
	look_at(bot, NULL, id);
}

static void
serve_gone(struct request *q)
{
	request_fail(q, 404, "item-not-found", "there is no such bot any more");
}

void
http_forget(struct bot *bot)
{
	static const struct route gone_route = { .serve = serve_gone };
	struct http *http = bot->bots->http;

	if (http == NULL)
		return;
	pollers_forget(http, bot);
	ANNEX_LIST_EACH (&http->requests, l) {
		struct request *q = annex_container_of(l, struct request, link);

		if (q->bot != bot)
			continue;
		q->bot = NULL;
		q->route = &gone_route;
		if (q->patience == NULL)
			continue;
		serve_gone(q);
		end(q);
	}
}
