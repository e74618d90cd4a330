/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * out.c - messages on their way to the server
 *
 * Each is a row until a fence behind it has returned.  While this process
 * lives the framework sends again what a lost link swallowed
 * (annex_make_durable); the rows are for the next process, which sends
 * what it finds, under the ids it had.
 *
 *	row ─▶ sent ─▶ fence asked ─▶ returned: row deleted
 *
 * Where the queue to the server is full, rows wait in the store alone and
 * follow in order.
 */
#include <string.h>

#include "bots.h"

#define ROW_BYTES (1 << 20)
#define AT_ONCE 200 /* rows that are sent in one turn */
#define PAUSE_MS 50

struct out {
	struct bots *bots;
	uint64_t next;           /* number of the next row */
	uint64_t sent;           /* rows up to here were sent by this process */
	uint64_t routed;         /* and up to here are gone */
	bool asked;              /* a fence is out */
	struct annex_link marks; /* of rows whose fate somebody wants to know, in order */
	struct annex_timer *more;
};

struct mark {
	struct annex_link link;
	uint64_t number;
	struct annex_pool *pool;
	const char *bot, *id;
};

static void
mark_add(struct out *o, uint64_t number, const char *bot, const char *id)
{
	struct annex_pool *pool = annex_pool_create(annex_pool(o->bots->inst), "mark");
	struct mark *mark = annex_new(pool, struct mark);

	mark->pool = pool;
	mark->number = number;
	mark->bot = annex_strdup(pool, bot);
	mark->id = annex_strdup(pool, id);
	annex_list_append(&o->marks, &mark->link);
}

static void
marks_reached(struct out *o, uint64_t upto)
{
	ANNEX_LIST_EACH (&o->marks, l) {
		struct mark *mark = annex_container_of(l, struct mark, link);
		struct annex_pool *pool = mark->pool;
		struct bot *bot = bot_find(o->bots, mark->bot);

		if (mark->number > upto)
			return;
		annex_list_remove(l);
		if (bot != NULL)
			send_reached(bot, mark->id, SEND_SENT, NULL);
		annex_pool_destroy(&pool);
	}
}

static struct annex_key
row_key(uint64_t number)
{
	struct annex_key key = annex_key(&bots_tables[TABLE_OUT]);

	annex_key_u64(&key, number);
	return key;
}

/* --- The fence ------------------------------------------------------------------- */

static void ask(struct out *o);

static void
returned(struct annex_instance *inst, int status, const void *cookie, size_t cookie_len)
{
	struct bots *m = annex_state(inst);
	struct out *o = m->out;
	uint64_t upto;

	memcpy(&upto, cookie, cookie_len);
	o->asked = false;
	if (status < 0)
		return; /* the link was lost: asked again when it is up */
	for (; o->routed < upto; o->routed++) {
		struct annex_key key = row_key(o->routed + 1);

		if (bots_must(m, annex_delete(m->store, &key)) < 0)
			return;
	}
	marks_reached(o, upto);
	ask(o);
}

static void
ask(struct out *o)
{
	if (o->asked || o->sent == o->routed || !annex_is_up(o->bots->inst))
		return;
	o->asked = true;
	annex_fence(o->bots->inst, returned, &o->sent, sizeof(o->sent));
}

/* --- Sending ----------------------------------------------------------------------- */

static int
send_now(struct out *o, struct annex_stanza *stanza)
{
	struct annex_instance *inst = o->bots->inst;
	const char *from = annex_attr(stanza->element, "from");
	int r;

	annex_make_durable(stanza);
	r = annex_send_on(inst,
	    annex_flow(inst, annex_strndup(annex_scratch(inst), from, strcspn(from, "@"))), stanza);
	return r == ANNEX_ELIMIT || r == ANNEX_EINVAL ? r : ANNEX_OK;
}

static void
wait_for_room(struct out *o)
{
	annex_timer_start(o->more, PAUSE_MS);
}

/* The rest of what is built goes into the stanza that may be sent. */
static struct annex_stanza *
stanza_of(struct bots *m, const char *xml)
{
	struct annex_element *el =
	    annex_element_read(annex_scratch(m->inst), xml, strlen(xml), ROW_BYTES);
	struct annex_stanza *out;

	if (el == NULL)
		return NULL;
	out = annex_message(
	    m->inst, annex_attr(el, "from"), annex_attr(el, "to"), annex_attr(el, "type"));
	annex_attr_set(out->element, "id", annex_attr(el, "id"));
	annex_add_copies(out->element, el);
	return out;
}

/* No server would have it: it is too large.  Whoever asks is told so. */
static int
dropped(struct bot *bot, const char *tracked)
{
	if (bot != NULL && *tracked != '\0')
		send_reached(bot, tracked, SEND_DROPPED, "too-large");
	return ANNEX_OK;
}

static int
send_row(struct out *o, uint64_t number)
{
	struct annex_key key = row_key(number);
	struct annex_stanza *stanza = NULL;
	ProtobufCMessage *record;
	const Bots__Out *row;
	int r = annex_get(o->bots->store, &key, &record);

	if (r < 0)
		return r == ANNEX_ENOENT ? ANNEX_OK : r;
	if ((stanza = stanza_of(o->bots, ((const Bots__Out *)record)->xml)) == NULL)
		return ANNEX_OK;
	row = (const Bots__Out *)record;
	r = send_now(o, stanza);
	if (r == ANNEX_EINVAL)
		return dropped(bot_find(o->bots, row->bot), row->tracked);
	if (r >= 0 && *row->tracked != '\0')
		mark_add(o, number, row->bot, row->tracked);
	return r;
}

static void
send_more(struct annex_instance *inst, void *cookie)
{
	struct out *o = cookie;

	if (!annex_is_up(inst))
		return;
	for (int n = 0; o->sent + 1 < o->next; n++) {
		if (n == AT_ONCE || annex_is_congested(inst) || send_row(o, o->sent + 1) < 0) {
			wait_for_room(o);
			break;
		}
		o->sent++;
	}
	ask(o);
}

bool
out_is_full(const struct bots *m)
{
	return m->out->next - 1 - m->out->routed >= (uint64_t)m->set->max_unsent;
}

int
out_send(struct bot *bot, struct annex_stanza *stanza, const char *tracked)
{
	struct bots *m = bot->bots;
	struct out *o = m->out;
	struct annex_key key = row_key(o->next);
	Bots__Out row = BOTS__OUT__INIT;
	size_t len;
	int r;

	row.bot = (char *)(uintptr_t)bot->name;
	row.tracked = (char *)(uintptr_t)(tracked != NULL ? tracked : "");
	row.xml =
	    (char *)(uintptr_t)annex_element_write(stanza->element, annex_scratch(m->inst), &len);
	if ((r = annex_put(m->store, &key, &row.base)) < 0)
		return r;
	annex_count(m->sent, 1);
	r = o->sent + 1 == o->next ? send_now(o, stanza) : ANNEX_ELIMIT;
	if (r != ANNEX_ELIMIT)
		o->sent++;
	else
		wait_for_room(o);
	if (r == ANNEX_EINVAL)
		dropped(bot, row.tracked);
	else if (r >= 0 && tracked != NULL)
		mark_add(o, o->next, bot->name, tracked);
	o->next++;
	ask(o);
	return ANNEX_OK;
}

int
out_send_text(struct bot *bot, const char *xml, const char *tracked)
{
	struct annex_stanza *stanza = stanza_of(bot->bots, xml);

	return stanza == NULL ? ANNEX_OK : out_send(bot, stanza, tracked);
}

/* --- Life ------------------------------------------------------------------------------ */

void
out_link_up(struct bots *m)
{
	send_more(m->inst, m->out);
}

/* What is there was not routed, as far as we know: all of it is sent again. */
int
out_init(struct bots *m)
{
	struct annex_key prefix = annex_key(&bots_tables[TABLE_OUT]);
	struct annex_iter it = annex_iter(&prefix), last = annex_iter_backwards(&prefix);
	struct out *o = annex_new(annex_pool(m->inst), struct out);
	int r;

	m->out = o;
	o->bots = m;
	o->next = 1;
	annex_list_init(&o->marks);
	o->more = annex_timer(m->inst, send_more, o);
	it.keys_only = last.keys_only = true;
	if ((r = annex_next(m->store, &it)) != ANNEX_AGAIN)
		return r < 0 && r != ANNEX_ENOENT ? r : ANNEX_OK;
	o->sent = o->routed = annex_key_number(&it.key, 0) - 1;
	if ((r = annex_next(m->store, &last)) != ANNEX_AGAIN)
		return r < 0 ? r : ANNEX_OK;
	o->next = annex_key_number(&last.key, 0) + 1;
	return ANNEX_OK;
}
