/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * guard.c - what never becomes an event
 *
 * Encrypted messages, which are answered once a day; what was delivered
 * before; who says more than a person would; and two machines that answer
 * each other: the same text from the same contact again and again.
 */
#include <string.h>

#include <annex/limit.h>

#include "bots.h"

#define NS_OMEMO_OLD "eu.siacs.conversations.axolotl"
#define NS_OMEMO "urn:xmpp:omemo:2"
#define NS_EME "urn:xmpp:eme:0"
#define DAY_MS ((int64_t)86400000)
#define LOOP_TIMES 10 /* the same text, */
#define LOOP_S 60     /* in this time */

void
guard_init(struct bots *m)
{
	struct annex_pool *pool = annex_pool(m->inst);

	m->loops = annex_buckets_create(pool, (double)LOOP_TIMES / LOOP_S, LOOP_TIMES, 10000);
	m->talk = annex_buckets_create(
	    pool, (double)m->set->rate_each, (double)m->set->burst_each, 100000);
}

static const char *
bucket_key(const struct bot *bot, const struct annex_stanza *in, const char *more)
{
	return annex_sprintf(
	    annex_scratch(bot->bots->inst), "%s\n%s\n%.500s", bot->name, in->from->bare, more);
}

/* --- Encrypted -------------------------------------------------------------------- */

static bool
is_encrypted(const struct annex_element *el)
{
	return annex_child(el, NS_OMEMO_OLD, "encrypted") != NULL ||
	    annex_child(el, NS_OMEMO, "encrypted") != NULL ||
	    annex_child(el, NS_EME, "encryption") != NULL;
}

bool
guard_encrypted(struct bot *bot, const struct annex_stanza *in)
{
	struct bots *m = bot->bots;
	struct annex_key key = bots_key_in(TABLE_NOTICES, bot->name, in->from->bare);
	int64_t now_ms = annex_wall_ms(m->inst);
	Bots__Notice record = BOTS__NOTICE__INIT;
	ProtobufCMessage *before;
	struct annex_stanza *out;

	if (!is_encrypted(in->element))
		return false;
	if (annex_get(m->store, &key, &before) >= 0 &&
	    now_ms - ((const Bots__Notice *)before)->said_ms < DAY_MS)
		return true;
	record.said_ms = now_ms;
	if (annex_put(m->store, &key, &record.base) < 0)
		return true;
	tidy_later(m);
	out = annex_message(m->inst, bot->full,
	    rooms_reply_to(bot, in->from->full, in->from->bare, in->type), in->type);
	annex_attr_set(out->element, "id", annex_random_id(m->inst));
	annex_add_text(out->element, NULL, "body",
	    "I cannot read encrypted messages. Switch encryption off for me, please.");
	bots_must(m, out_send(bot, out, NULL));
	return true;
}

/* --- Too much ---------------------------------------------------------------------- */

static bool
talks_too_much(struct bot *bot, const struct annex_stanza *in, const char *body)
{
	struct bots *m = bot->bots;
	int64_t now_ms = annex_now_ms(m->inst);

	if (!annex_buckets_take(m->loops, bucket_key(bot, in, body), 1, now_ms)) {
		annex_buckets_empty(m->loops, bucket_key(bot, in, body), now_ms);
		annex_count(m->muted, 1);
		annex_log(m->inst, ANNEX_LOG_REMOTE, "%s says the same again and again: to=%s",
		    in->from->bare, bot->name);
		return true; /* no answer: that is what keeps a loop going */
	}
	if (annex_buckets_take(m->talk, bucket_key(bot, in, ""), 1, now_ms))
		return false;
	annex_refuse_with(m->inst, in,
	    &(struct annex_error) { .condition = ANNEX_POLICY_VIOLATION,
		.type = ANNEX_ERROR_WAIT,
		.text = "You say too much at once." });
	return true;
}

bool
guard_admits(struct bot *bot, const struct annex_stanza *in, const char *body)
{
	return !guard_encrypted(bot, in) && !talks_too_much(bot, in, body) &&
	    !seen_before(bot, in, body);
}
