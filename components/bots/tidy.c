/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * tidy.c - what is old goes: fates of messages, their keys, what rooms call them, answers
 * that nobody fetched, dead letters, files, messages that nobody sends again, and when somebody
 * reacted to what, or was told that we cannot read what they send
 *
 * All tables are walked once an hour, some rows at a time, so that nobody waits for it.
 */
#include "bots.h"

#define DAY_MS ((int64_t)86400000)
#define TIDY_MS ((int64_t)3600000)
#define PAUSE_MS 1000
#define ROWS 1000 /* at a time */

static bool
is_old_send(const ProtobufCMessage *record, int64_t now_ms)
{
	return ((const Bots__Send *)record)->made_ms <= now_ms - DAY_MS;
}

static bool
is_old_seen(const ProtobufCMessage *record, int64_t now_ms)
{
	return ((const Bots__Seen *)record)->seen_ms <= now_ms - DAY_MS;
}

static bool
is_old_dead(const ProtobufCMessage *record, int64_t now_ms)
{
	return ((const Bots__Dead *)record)->given_up_ms <= now_ms - 30 * DAY_MS;
}

static bool
is_old_answer(const ProtobufCMessage *record, int64_t now_ms)
{
	return ((const Bots__Answer *)record)->until_ms <= now_ms;
}

static bool
is_old_notice(const ProtobufCMessage *record, int64_t now_ms)
{
	return ((const Bots__Notice *)record)->said_ms <= now_ms - DAY_MS;
}

static bool
is_old_reaction(const ProtobufCMessage *record, int64_t now_ms)
{
	return ((const Bots__Reaction *)record)->heard_ms <= now_ms - DAY_MS;
}

static const struct old {
	int table;
	bool (*is_old)(const ProtobufCMessage *record, int64_t now_ms);
} olds[] = {
	{ TABLE_SENDS, is_old_send },
	{ TABLE_KEYS, is_old_send },
	{ TABLE_ANSWERS, is_old_answer },
	{ TABLE_NOTICES, is_old_notice },
	{ TABLE_DEAD, is_old_dead },
	{ TABLE_SEEN, is_old_seen },
	{ TABLE_ECHOES, is_old_send },
	{ TABLE_REACTIONS, is_old_reaction },
};

/* The next rows of a table; false: that was all. */
static bool
walk(struct bots *m, const struct old *old, int64_t now_ms)
{
	struct annex_key prefix = annex_key(&bots_tables[old->table]);
	struct annex_iter it =
	    m->tidy_within ? annex_iter_from(&prefix, &m->tidy_at) : annex_iter(&prefix);

	for (size_t n = 0; n < ROWS; n++) {
		if (annex_next(m->store, &it) != ANNEX_AGAIN)
			return false;
		m->tidy_at = it.key;
		if (old->is_old(it.record, now_ms) && annex_delete(m->store, &it.key) < 0)
			return false;
	}
	return true;
}

void
tidy_ring(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms)
{
	struct bots *m = annex_state(inst);
	int64_t now_ms = annex_wall_ms(inst);

	(void)key;
	(void)key_len;
	(void)due_wall_ms;
	places_tidy(m);
	m->tidy_within = walk(m, &olds[m->tidy_table], now_ms);
	if (!m->tidy_within)
		m->tidy_table = (m->tidy_table + 1) % (sizeof(olds) / sizeof(olds[0]));
	bots_must(m,
	    annex_alarm_set(inst, "tidy", "", 0,
		now_ms + (m->tidy_within || m->tidy_table > 0 ? PAUSE_MS : TIDY_MS)));
}

/* There is something that will be old. */
void
tidy_later(struct bots *m)
{
	if (m->tidying)
		return;
	m->tidying = true;
	bots_must(m, annex_alarm_set(m->inst, "tidy", "", 0, annex_wall_ms(m->inst) + TIDY_MS));
}
