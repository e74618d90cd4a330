/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * carrier.c - consumers: whoever takes events, by whichever carrier
 */
#include <inttypes.h>
#include <string.h>

#include "carrier.h"

const struct carrier *const carriers[] = { &exec_carrier, &child_carrier, &socket_carrier, NULL };

static enum ack_mode
ack_mode_of(const struct bot *bot)
{
	switch (bot->set->ack[0]) {
	case 'e':
		return ACK_EXPLICIT;
	case 'a':
		return ACK_AUTO;
	default:
		return ACK_REPLY;
	}
}

struct consumer *
consumer_create(struct bot *bot, const struct carrier *carrier, void *state)
{
	struct annex_pool *pool = annex_pool_create(bot->pool, "consumer");
	struct consumer *c = annex_new(pool, struct consumer);

	c->magic = CONSUMER_MAGIC;
	c->pool = pool;
	c->bot = bot;
	c->carrier = carrier;
	c->state = state;
	c->name = "";
	c->ack = ack_mode_of(bot);
	c->window = (size_t)bot->set->window;
	c->partial.pool = c->status.pool = pool;
	annex_list_init(&c->link);
	annex_list_init(&c->taken);
	return c;
}

void
consumer_attach(struct consumer *c)
{
	if (c->link.next == &c->link)
		annex_list_append(&c->bot->consumers, &c->link);
	c->attached = true;
	c->standby = false;
	if (c->bot->consumer_count++ == 0)
		bot_tell_truth(c->bot);
	show_program(c);
	dispatch(c->bot);
}

/* --- Names ------------------------------------------------------------------- */

static struct consumer *
of_that_name(const struct consumer *c, const char *name, bool standby)
{
	ANNEX_LIST_EACH (&c->bot->consumers, l) {
		struct consumer *other = annex_container_of(l, struct consumer, link);

		if (other != c && other->carrier == c->carrier && other->standby == standby &&
		    (other->attached || standby) && strcmp(other->name, name) == 0)
			return other;
	}
	return NULL;
}

static void
stand_by(struct consumer *c)
{
	consumer_detach(c, false);
	c->standby = true;
	annex_list_append(&c->bot->consumers, &c->link);
}

static void
send_away(struct consumer *c, const char *bye)
{
	c->carrier->tell(c, bye, strlen(bye));
	consumer_detach(c, false);
	c->carrier->close(c);
}

void
consumer_name(struct consumer *c, const char *name, bool standby)
{
	struct consumer *other = of_that_name(c, name, false);

	c->name = annex_strdup(c->pool, name);
	if (standby && other != NULL) {
		stand_by(c);
		return;
	}
	if (other != NULL) {
		other->seen = other->seen && !c->seen; /* whoever sees it sees no change */
		send_away(other, "{\"bye\":\"replaced\"}");
	}
	if (!c->attached)
		consumer_attach(c);
}

/* --- Going ---------------------------------------------------------------------- */

/* From the last, so that each finds its place at the front at once. */
void
consumer_detach(struct consumer *c, bool crashed)
{
	struct consumer *next;
	struct event *suspect = crashed && !annex_list_is_empty(&c->taken)
	    ? annex_container_of(c->taken.next, struct event, link)
	    : NULL;

	annex_list_remove(&c->link);
	c->standby = false;
	if (!c->attached)
		return;
	c->attached = false;
	hide_program(c);
	if (--c->bot->consumer_count == 0)
		bot_tell_truth(c->bot);
	while (!annex_list_is_empty(&c->taken)) {
		struct event *ev = annex_container_of(c->taken.prev, struct event, link);

		if (ev == suspect)
			event_failed(ev, false, "the program ended");
		else
			event_release(ev);
		if (!annex_list_is_empty(&c->taken) && c->taken.prev == &ev->link)
			return; /* the store failed: the turn will be undone */
	}
	next = of_that_name(c, c->name, true);
	if (next != NULL)
		consumer_attach(next);
	else
		dispatch(c->bot);
}

void
consumer_destroy(struct consumer *c)
{
	struct annex_pool *pool = c->pool;

	consumer_detach(c, false);
	annex_timer_free(&c->said);
	c->magic = 0;
	annex_pool_destroy(&pool);
}

void
consumers_end(struct bot *bot)
{
	while (!annex_list_is_empty(&bot->consumers))
		send_away(annex_container_of(bot->consumers.next, struct consumer, link),
		    "{\"bye\":\"removed\"}");
}

/* What was given to it behind that one it may not have seen yet, also where it has a lower number:
 * such an event had failed before. */
void
consumer_ack(struct consumer *c, uint64_t seq)
{
	ANNEX_LIST_EACH (&c->taken, l) {
		struct event *ev = annex_container_of(l, struct event, link);
		bool last = ev->seq == seq || (ev->seq > seq && !c->jumbled);

		if (ev->seq <= seq) {
			event_done(ev);
			c->useful = true;
		}
		if (last)
			break;
	}
}

void
consumer_greet(struct consumer *c)
{
	struct bot *bot = c->bot;
	struct text t = { .pool = annex_scratch(bot->bots->inst) };

	text_open(&t);
	text_number(&t, "seq", 0);
	text_member(&t, "kind", "hello");
	text_number(&t, "v", 1);
	text_member(&t, "bot", bot->jid);
	text_number(&t, "cursor", (int64_t)bot->last_seq);
	text_number(&t, "lag", (int64_t)bot->stored);
	text_name(&t, "limits");
	text_open(&t);
	text_number(&t, "line", bot->bots->set->max_line_bytes);
	text_number(&t, "body", bot->bots->set->max_body_bytes);
	text_close(&t);
	text_close(&t);
	c->carrier->tell(c, t.bytes, t.len);
}
