/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * poll.c - programs that come and ask for events: whoever uses a token is one
 *
 * What one has been given and not acknowledged is told again at its next poll.  One
 * that does not come any more is forgotten, and its events wait for others.
 */
#include <stdlib.h>
#include <string.h>

#include "http.h"

#define EVENTS 32
#define EVENTS_MOST 100
#define GONE_MS ((int64_t)HTTP_WAIT_MOST_S * 2000) /* without a request */

static void
soon(struct annex_instance *inst, void *cookie)
{
	(void)inst;
	poller_answer(cookie);
}

/* Nothing points to it any more; its consumer is the caller's affair. */
static void
poller_free(struct poller *p)
{
	struct annex_pool *pool = p->pool;

	poller_answer(p);
	annex_list_remove(&p->link);
	ANNEX_LIST_EACH (&p->http->requests, l)
		if (annex_container_of(l, struct request, link)->poller == p)
			annex_container_of(l, struct request, link)->poller = NULL;
	annex_timer_free(&p->soon);
	annex_timer_free(&p->late);
	annex_timer_free(&p->gone);
	annex_pool_destroy(&pool);
}

static void
gone(struct annex_instance *inst, void *cookie)
{
	struct poller *p = cookie;
	struct consumer *c = p->consumer;

	(void)inst;
	consumer_detach(c, false);
	poller_free(p);
	consumer_destroy(c);
}

static struct poller *
poller_make(struct request *q, const char *key)
{
	struct annex_instance *inst = q->http->bots->inst;
	struct annex_pool *pool = annex_pool_create(annex_pool(inst), "poller");
	struct poller *p = annex_new(pool, struct poller);

	p->pool = pool;
	p->http = q->http;
	p->key = annex_strdup(pool, key);
	p->consumer = consumer_create(q->bot, &http_carrier, p);
	p->consumer->name = annex_strdup(p->consumer->pool, q->token.name);
	p->consumer->window = EVENTS_MOST;
	/* Handed over is what a poll was answered with, not what waits for one. */
	p->acknowledges = p->consumer->ack == ACK_AUTO;
	if (p->acknowledges)
		p->consumer->ack = ACK_EXPLICIT;
	p->soon = annex_timer(inst, soon, p);
	p->late = annex_timer(inst, soon, p);
	p->gone = annex_timer(inst, gone, p);
	annex_list_append(&q->http->pollers, &p->link);
	return p;
}

struct poller *
poller_of(struct request *q)
{
	const char *key = annex_sprintf(q->pool, "%s %s", q->bot->name, q->token.name);
	struct poller *p = NULL;

	ANNEX_LIST_EACH (&q->http->pollers, l)
		if (strcmp(annex_container_of(l, struct poller, link)->key, key) == 0)
			p = annex_container_of(l, struct poller, link);
	if (p == NULL)
		p = poller_make(q, key);
	annex_timer_start(p->gone, GONE_MS);
	return p;
}

void
pollers_forget(struct http *http, const struct bot *bot)
{
	ANNEX_LIST_EACH (&http->pollers, l)
		if (annex_container_of(l, struct poller, link)->consumer->bot == bot)
			poller_free(annex_container_of(l, struct poller, link));
}

/* --- The carrier ------------------------------------------------------------------------ */

/* It is taken; the poll is answered once all that goes now has been taken. */
static int
http_deliver(struct consumer *c, struct event *ev)
{
	struct poller *p = c->state;

	(void)ev;
	if (p->waiting != NULL)
		annex_timer_start(p->soon, 0);
	return ANNEX_OK;
}

static void
http_tell(struct consumer *c, const char *line, size_t len)
{
	struct poller *p = c->state;

	if (p->current == NULL)
		return;
	text_add(&p->current->told, line, len);
	text_add(&p->current->told, "\n", 1);
}

static void
http_close(struct consumer *c)
{
	struct poller *p = c->state;

	if (p->waiting != NULL)
		annex_timer_start(p->soon, 0);
}

const struct carrier http_carrier = {
	.name = "http",
	.deliver = http_deliver,
	.tell = http_tell,
	.close = http_close,
};

/* --- Events --------------------------------------------------------------------------- */

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
		if (p->acknowledges)
			event_done(annex_container_of(l, struct event, link));
	}
	text_puts(&q->answer, "]\n");
	request_done(q);
}

/*
 * GET /v1/events?after=SEQ&timeout=SECONDS&max=N: after acknowledges all up
 * to it; what is not acknowledged is told again by the next poll.
 */
void
serve_events(struct request *q)
{
	struct poller *p = poller_of(q);
	struct consumer *c = p->consumer;

	if (p->waiting != NULL) /* an earlier poll of the same program: it was given up */
		poller_answer(p);
	consumer_ack(c, (uint64_t)request_number(q, "after", 0, INT64_MAX));
	p->waiting = q;
	q->poller = p;
	p->most = (size_t)request_number(q, "max", EVENTS, EVENTS_MOST);
	if (p->most == 0)
		p->most = 1;
	if (!c->attached)
		consumer_attach(c);
	else
		dispatch(c->bot);
	if (!annex_list_is_empty(&c->taken))
		annex_timer_start(p->soon, 0);
	annex_timer_start(
	    p->late, request_number(q, "timeout", HTTP_WAIT_S, HTTP_WAIT_MOST_S) * 1000);
}
