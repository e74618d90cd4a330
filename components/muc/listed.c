/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * listed.c - the index of listed rooms (XEP-0045 §6.3)
 *
 * It has all that lists and searches show of a room, so that none is loaded
 * for one, and a row that says how many there are.
 */
#include <string.h>

#include <annex/disco.h>

#include "muc.h"

/* So many rooms are passed at most to get to a page by its index. */
#define PASSED_MAX 2000

/* --- How many ---------------------------------------------------------------- */

static struct annex_key
total_key(void)
{
	return muc_key(TABLE_TOTALS, "listed");
}

static int
listed_count(void *cookie, uint64_t *count_r)
{
	struct muc *m = cookie;
	struct annex_key key = total_key();
	ProtobufCMessage *record;
	int r = annex_get(m->store, &key, &record);

	*count_r = r == ANNEX_OK ? ((const Muc__Total *)record)->rows : 0;
	return r == ANNEX_ENOENT ? ANNEX_OK : r;
}

static int
count_one(struct muc *m, bool more)
{
	struct annex_key key = total_key();
	Muc__Total record = MUC__TOTAL__INIT;
	int r = listed_count(m, &record.rows);

	if (r < 0 || (!more && record.rows == 0))
		return r;
	record.rows = more ? record.rows + 1 : record.rows - 1;
	return annex_put(m->store, &key, &record.base);
}

/* --- Writing ------------------------------------------------------------------- */

/* Once for each configuration, not for each who comes in. */
static void
fold(struct room *room)
{
	struct annex_pool *pool = annex_scratch(room->muc->inst);

	room->name_folded = annex_strdup(room->pool, words_fold(pool, room->config.name));
	room->desc_folded = annex_strdup(room->pool, words_fold(pool, room->config.desc));
	room->garbage += strlen(room->name_folded) + strlen(room->desc_folded) + 2;
}

static void
listed_write(struct room *room, Muc__Listed *record)
{
	const struct room_config *c = &room->config;

	record->room = record_text(room->name);
	record->name = record_text(c->name);
	record->desc = record_text(c->desc);
	record->lang = record_text(c->lang);
	record->is_open = !c->members_only && !c->guarded;
	record->shows_jids = room_shows_jids(room);
	record->occupants = room->occupant_count;
	record->name_folded = record_text(room->name_folded);
	record->desc_folded = record_text(room->desc_folded);
	room->listed_count = room->occupant_count;
}

static bool
is_listed(const struct room *room)
{
	return room->config.listed && !room->locked && !room->gone;
}

int
listed_drop(struct muc *m, const char *room)
{
	struct annex_key key = muc_key(TABLE_LISTED, room);

	if (!annex_has(m->store, &key))
		return ANNEX_OK;
	annex_delete(m->store, &key);
	return count_one(m, false);
}

int
listed_put(struct room *room)
{
	struct muc *m = room->muc;
	struct annex_key key = muc_key(TABLE_LISTED, room->name);
	Muc__Listed record = MUC__LISTED__INIT;
	int r;

	if (!is_listed(room))
		return listed_drop(m, room->name);
	if (!annex_has(m->store, &key) && (r = count_one(m, true)) < 0)
		return r;
	fold(room);
	listed_write(room, &record);
	return annex_put(m->store, &key, &record.base);
}

/* How many are in it is in the index as well, softly: nobody waits for that. */
void
room_traffic(struct room *room)
{
	struct annex_key key = muc_key(TABLE_LISTED, room->name);
	Muc__Listed record = MUC__LISTED__INIT;

	if (room->occupant_count <= 1)
		muc_must(room->muc, usage_touch(room));
	if (!is_listed(room) || room->listed_count == room->occupant_count)
		return;
	if (room->name_folded == NULL)
		fold(room);
	listed_write(room, &record);
	muc_must_unless_full(room->muc, annex_put_soft(room->muc->store, &key, &record.base));
}

/* --- Reading ------------------------------------------------------------------- */

const Muc__Listed *
listed_get(struct muc *m, const char *room)
{
	struct annex_key key = muc_key(TABLE_LISTED, room);
	ProtobufCMessage *record;

	return annex_get(m->store, &key, &record) == ANNEX_OK ? (const Muc__Listed *)record : NULL;
}

/* Hand on all from where the iterator stands; not the one that is called skip. */
static int
listed_take(
    struct muc *m, struct annex_iter *it, const char *skip, annex_take_fn *take, void *taker)
{
	struct annex_pool *pool = annex_scratch(m->inst);
	int r;

	while ((r = annex_next(m->store, it)) == ANNEX_AGAIN) {
		struct annex_disco_item *item = annex_new(pool, struct annex_disco_item);
		const Muc__Listed *listed = (const Muc__Listed *)it->record;

		item->jid = annex_sprintf(pool, "%s@%s", listed->room, annex_domain(m->inst));
		item->name =
		    annex_strdup(pool, listed->name[0] != '\0' ? listed->name : listed->room);
		if (skip != NULL && strcmp(item->jid, skip) == 0)
			continue;
		if (!take(taker, item->jid, item))
			return ANNEX_OK;
	}
	return r;
}

static int
listed_walk(void *cookie, const char *from, bool backwards, annex_take_fn *take, void *taker)
{
	struct muc *m = cookie;
	struct annex_key prefix = annex_key(&muc_tables[TABLE_LISTED]), key;
	struct annex_iter it = backwards ? annex_iter_backwards(&prefix) : annex_iter(&prefix);
	const struct annex_jid *jid;

	if (from != NULL) {
		jid = annex_jid(annex_scratch(m->inst), from);
		if (jid == NULL || jid->local == NULL)
			return ANNEX_ENOENT;
		key = muc_key(TABLE_LISTED, jid->local);
		it = annex_iter_from(&prefix, &key);
		it.backwards = backwards;
	}
	return listed_take(m, &it, from, take, taker);
}

static int
listed_seek(void *cookie, uint64_t index, annex_take_fn *take, void *taker)
{
	struct muc *m = cookie;
	struct annex_key prefix = annex_key(&muc_tables[TABLE_LISTED]);
	struct annex_iter it = annex_iter(&prefix);
	int r = ANNEX_AGAIN;

	if (index > PASSED_MAX)
		return ANNEX_ELIMIT;
	it.keys_only = true;
	while (index-- > 0 && (r = annex_next(m->store, &it)) == ANNEX_AGAIN)
		;
	if (r != ANNEX_AGAIN)
		return r;
	it.keys_only = false;
	return listed_take(m, &it, NULL, take, taker);
}

struct annex_source
listed_source(struct muc *m)
{
	return (struct annex_source) {
		.cookie = m, .walk = listed_walk, .seek = listed_seek, .count = listed_count
	};
}
