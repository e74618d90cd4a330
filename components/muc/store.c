/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * store.c - the tables of muc
 *
 * Most are keyed by the room first, so that a room is a run of rows in
 * each.  nicks is the index of reserved nicknames in affiliations, listed
 * that of public rooms, made that of rooms by who made them, live that of rooms with
 * somebody in them: they are written together with what they index, and so is how many are listed.
 */
#include <string.h>

#include "muc.h"

static const struct annex_key_part by_room[] = { { "room", ANNEX_KEY_TEXT }, { 0 } };
static const struct annex_key_part by_room_jid[] = { { "room", ANNEX_KEY_TEXT },
	{ "jid", ANNEX_KEY_TEXT }, { 0 } };
static const struct annex_key_part by_room_nick[] = { { "room", ANNEX_KEY_TEXT },
	{ "nick", ANNEX_KEY_TEXT }, { 0 } };
static const struct annex_key_part by_room_number[] = { { "room", ANNEX_KEY_TEXT },
	{ "number", ANNEX_KEY_U64 }, { 0 } };
static const struct annex_key_part by_table[] = { { "table", ANNEX_KEY_TEXT }, { 0 } };

static const struct annex_key_part by_jid_room[] = { { "jid", ANNEX_KEY_TEXT },
	{ "room", ANNEX_KEY_TEXT }, { 0 } };

/* In the order of the enum in muc.h. */
const struct annex_table muc_tables[] = {
	{ .number = 1,
	    .name = "rooms",
	    .key = by_room,
	    .record = &muc__room__descriptor,
	    .version = 1 },
	{ .number = 2,
	    .name = "affiliations",
	    .key = by_room_jid,
	    .record = &muc__affiliation__descriptor,
	    .version = 1 },
	{ .number = 3,
	    .name = "nicks",
	    .key = by_room_nick,
	    .record = &muc__nick__descriptor,
	    .version = 1 },
	{ .number = 4,
	    .name = "sessions",
	    .key = by_room_jid,
	    .record = &muc__session__descriptor,
	    .version = 1 },
	{ .number = 5,
	    .name = "archive",
	    .key = by_room_number,
	    .record = &muc__line__descriptor,
	    .version = 1,
	    .counted = true },
	{ .number = 6,
	    .name = "listed",
	    .key = by_room,
	    .record = &muc__listed__descriptor,
	    .version = 1 },
	{ .number = 20,
	    .name = "vcards",
	    .key = by_room,
	    .record = &muc__vcard__descriptor,
	    .version = 1 },
	{ .number = 21,
	    .name = "usage",
	    .key = by_room,
	    .record = &muc__usage__descriptor,
	    .version = 1 },
	{ .number = 22,
	    .name = "hats",
	    .key = by_room_jid,
	    .record = &muc__hats__descriptor,
	    .version = 1 },
	{ .number = 23,
	    .name = "slow",
	    .key = by_room_jid,
	    .record = &muc__slow__descriptor,
	    .version = 1 },
	{ .number = 7,
	    .name = "live",
	    .key = by_room,
	    .record = &muc__live__descriptor,
	    .version = 1 },
	{ .number = 8,
	    .name = "unrouted",
	    .key = by_room_number,
	    .record = &muc__unrouted__descriptor,
	    .version = 1 },
	{ .number = 9,
	    .name = "made",
	    .key = by_jid_room,
	    .record = &muc__made__descriptor,
	    .version = 1 },
	{ .number = 10,
	    .name = "voices",
	    .key = by_room_jid,
	    .record = &muc__voice__descriptor,
	    .version = 1 },
	{ .number = 11,
	    .name = "requests",
	    .key = by_room_jid,
	    .record = &muc__request__descriptor,
	    .version = 1 },
	{ .number = 12,
	    .name = "totals",
	    .key = by_table,
	    .record = &muc__total__descriptor,
	    .version = 1 },
	{ 0 },
};

char *
record_text(const char *text)
{
	return (char *)(uintptr_t)(text == NULL ? "" : text);
}

/* More than a stanza has, whatever was added to it. */
#define KEPT_MAX ((size_t)1 << 20)

struct annex_element *
kept_element(struct annex_pool *pool, const char *text)
{
	return text == NULL ? NULL : annex_element_read(pool, text, strlen(text), KEPT_MAX);
}

struct annex_key
muc_key(int table, const char *room)
{
	struct annex_key key = annex_key(&muc_tables[table]);

	annex_key_text(&key, room);
	return key;
}

struct annex_key
muc_key_in(int table, const char *room, const char *name)
{
	struct annex_key key = muc_key(table, room);

	annex_key_text(&key, name);
	return key;
}

int
muc_must(struct muc *m, int status)
{
	if (status < 0 && status != ANNEX_ENOENT)
		annex_fail_turn(m->inst, "a change could not be written whole");
	return status;
}

int
muc_must_unless_full(struct muc *m, int status)
{
	return status == ANNEX_EFULL ? ANNEX_OK : muc_must(m, status);
}
