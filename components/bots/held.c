/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * held.c - messages that wait for their reader to be there
 *
 *	when      now; online; available (online, and neither away nor busy);
 *	          active (available, and not idle)
 *	ttl       how long it waits
 *	else      and then: store (sent even so, for the server to keep), drop, or the
 *	          name of another bot, whose program gets it
 *	collapse  it takes the place of what waits under the same word
 */
#include <inttypes.h>
#include <string.h>

#include "action.h"

#define WAITING_MOST 1000 /* messages for one contact */
#define TTL_MS ((int64_t)86400000)
#define IDLE_MS 300000 /* whoever touched nothing for so long is not active */

static struct annex_key
row_prefix(const struct bot *bot, const char *contact)
{
	return bots_key_in(TABLE_HELD, bot->name, contact);
}

static bool
is_full(const struct action *a)
{
	struct annex_key prefix = row_prefix(a->bot, a->to->bare);

	return annex_rows_upto(a->bot->bots->store, &prefix, WAITING_MOST) == WAITING_MOST;
}

int
held_judge(struct action *a)
{
	if (a->when != NULL && strcmp(a->when, "now") != 0 && is_full(a))
		return action_wrong(a, "resource-constraint", "%d messages wait for %s already",
		    WAITING_MOST, a->to->bare);
	if (a->otherwise != NULL && strcmp(a->otherwise, "store") != 0 &&
	    strcmp(a->otherwise, "drop") != 0 && bot_find(a->bot->bots, a->otherwise) == NULL)
		return action_wrong(
		    a, "bad-json", "\"else\" must be store, drop or the name of a bot");
	return ANNEX_OK;
}

/* --- Is it time? ---------------------------------------------------------------- */

static bool
is_there(const struct bot *bot, const char *contact, const char *when)
{
	struct annex_instance *inst = bot->bots->inst;
	const struct annex_resource *best = annex_contact_best(inst, bot->jid, contact);

	if (best == NULL)
		return false;
	if (strcmp(when, "online") == 0)
		return true;
	if (best->show != ANNEX_SHOW_ONLINE && best->show != ANNEX_SHOW_CHAT)
		return false;
	return strcmp(when, "active") != 0 || best->idle_ms == 0 ||
	    annex_wall_ms(inst) - best->idle_ms < IDLE_MS;
}

bool
held_must_wait(const struct action *a)
{
	return a->when != NULL && strcmp(a->when, "now") != 0 &&
	    !is_there(a->bot, a->to->bare, a->when);
}

/* --- Rows --------------------------------------------------------------------------- */

static const char *
alarm_key(struct annex_pool *pool, const char *bot, const char *contact, uint64_t number)
{
	return annex_sprintf(pool, "%s\n%s\n%" PRIu64, bot, contact, number);
}

static int
remove_row(struct bot *bot, const char *contact, const struct annex_key *row)
{
	struct annex_instance *inst = bot->bots->inst;
	const char *alarm =
	    alarm_key(annex_scratch(inst), bot->name, contact, annex_key_number(row, 2));

	if (bots_must(bot->bots, annex_delete(bot->bots->store, row)) < 0)
		return ANNEX_ESTORE;
	return bots_must(bot->bots, annex_alarm_clear(inst, "held", alarm, strlen(alarm)));
}

int
held_collapse(struct action *a)
{
	struct annex_key prefix = row_prefix(a->bot, a->to->bare);
	struct annex_iter it = annex_iter(&prefix);
	int r;

	while (a->collapse != NULL && (r = annex_next(a->bot->bots->store, &it)) == ANNEX_AGAIN) {
		const Bots__Held *held = (const Bots__Held *)it.record;

		if (strcmp(held->collapse, a->collapse) != 0)
			continue;
		if (remove_row(a->bot, a->to->bare, &it.key) < 0)
			return ANNEX_ESTORE;
		send_reached(a->bot, held->id, SEND_DROPPED, "replaced");
	}
	return ANNEX_OK;
}

int
held_add(struct action *a, const char *body, const char *id, const char *xml)
{
	struct annex_instance *inst = a->bot->bots->inst;
	struct annex_key key = row_prefix(a->bot, a->to->bare), numbers = row_prefix(a->bot, "");
	int64_t until_ms = annex_wall_ms(inst) + (a->ttl_ms > 0 ? a->ttl_ms : TTL_MS);
	Bots__Held row = BOTS__HELD__INIT;
	const char *alarm;
	uint64_t number;
	int r;

	if ((r = annex_sequence(a->bot->bots->store, &numbers, &number)) < 0)
		return r;
	row.id = (char *)(uintptr_t)id;
	row.xml = (char *)(uintptr_t)xml;
	row.when = (char *)(uintptr_t)a->when;
	row.collapse = (char *)(uintptr_t)(a->collapse != NULL ? a->collapse : "");
	row.otherwise = (char *)(uintptr_t)(a->otherwise != NULL ? a->otherwise : "store");
	row.body = (char *)(uintptr_t)body;
	annex_key_u64(&key, number);
	if ((r = annex_put(a->bot->bots->store, &key, &row.base)) < 0)
		return r;
	alarm = alarm_key(a->pool, a->bot->name, a->to->bare, number);
	return bots_must(
	    a->bot->bots, annex_alarm_set(inst, "held", alarm, strlen(alarm), until_ms));
}

/* Of the parts of a message the first speaks for all. */
static const char *
id_of(const Bots__Held *held)
{
	return *held->id != '\0' ? held->id : NULL;
}

void
held_look(struct bot *bot, const char *contact)
{
	struct annex_key prefix = row_prefix(bot, contact);
	struct annex_iter it = annex_iter(&prefix);

	while (annex_next(bot->bots->store, &it) == ANNEX_AGAIN) {
		const Bots__Held *held = (const Bots__Held *)it.record;

		if (!is_there(bot, contact, held->when))
			continue;
		if (bots_must(bot->bots, out_send_text(bot, held->xml, id_of(held))) < 0 ||
		    remove_row(bot, contact, &it.key) < 0)
			return;
	}
}

void
held_drop(struct bot *bot, const char *contact)
{
	struct annex_key prefix = row_prefix(bot, contact);
	struct annex_iter it = annex_iter(&prefix);

	while (annex_next(bot->bots->store, &it) == ANNEX_AGAIN) {
		const Bots__Held *held = (const Bots__Held *)it.record;

		if (remove_row(bot, contact, &it.key) < 0)
			return;
		send_reached(bot, held->id, SEND_DROPPED, "unsubscribed");
	}
}

/* --- Too late ----------------------------------------------------------------------------- */

/* Another bot's program is told what could not be. */
static int
hand_on(struct bot *bot, const struct annex_jid *contact, const Bots__Held *held)
{
	struct bot *other = bot_find(bot->bots, held->otherwise);
	struct event *ev;
	struct text t;
	int r;

	if (other == NULL)
		return ANNEX_OK;
	if ((r = event_make(other, "undelivered", contact, &ev)) < 0)
		return r;
	ev->body = annex_strdup(ev->pool, held->body);
	t = event_begin(ev);
	text_member(&t, "bot", bot->jid);
	text_member(&t, "id", id_of(held));
	text_member(&t, "body", held->body);
	event_end(ev, &t);
	return event_offer(ev);
}

static void
expire(struct bot *bot, const char *contact, const Bots__Held *held)
{
	const struct annex_jid *jid = annex_jid(annex_scratch(bot->bots->inst), contact);

	if (strcmp(held->otherwise, "store") == 0) {
		bots_must(bot->bots, out_send_text(bot, held->xml, id_of(held)));
		return;
	}
	send_reached(bot, held->id, SEND_EXPIRED, NULL);
	if (strcmp(held->otherwise, "drop") != 0 && jid != NULL)
		bots_must(bot->bots, hand_on(bot, jid, held));
}

void
held_ring(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms)
{
	struct bots *m = annex_state(inst);
	char *name = annex_strndup(annex_scratch(inst), key, key_len), *contact, *number;
	struct annex_key row;
	ProtobufCMessage *record;
	struct bot *bot;

	(void)due_wall_ms;
	if ((contact = strchr(name, '\n')) == NULL || (number = strchr(contact + 1, '\n')) == NULL)
		return;
	*contact++ = *number++ = '\0';
	if ((bot = bot_find(m, name)) == NULL)
		return;
	row = row_prefix(bot, contact);
	annex_key_u64(&row, strtoull(number, NULL, 10));
	if (annex_get(m->store, &row, &record) < 0)
		return;
	expire(bot, contact, (const Bots__Held *)record);
	bots_must(m, annex_delete(m->store, &row));
}
