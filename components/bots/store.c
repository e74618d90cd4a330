/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * store.c - the tables of bots
 *
 * All but out, tokens, files and seen are keyed by the bot's name first, so that a bot is a run of
 * rows in each.
 */
#include "bots.h"

static const struct annex_key_part by_bot[] = { { "bot", ANNEX_KEY_TEXT }, { 0 } };
static const struct annex_key_part by_bot_seq[] = { { "bot", ANNEX_KEY_TEXT },
	{ "seq", ANNEX_KEY_U64 }, { 0 } };
static const struct annex_key_part by_bot_seq_contact[] = { { "bot", ANNEX_KEY_TEXT },
	{ "seq", ANNEX_KEY_U64 }, { "contact", ANNEX_KEY_TEXT }, { 0 } };
static const struct annex_key_part by_bot_id[] = { { "bot", ANNEX_KEY_TEXT },
	{ "id", ANNEX_KEY_TEXT }, { 0 } };
static const struct annex_key_part by_bot_contact[] = { { "bot", ANNEX_KEY_TEXT },
	{ "contact", ANNEX_KEY_TEXT }, { 0 } };
static const struct annex_key_part by_bot_contact_number[] = { { "bot", ANNEX_KEY_TEXT },
	{ "contact", ANNEX_KEY_TEXT }, { "number", ANNEX_KEY_U64 }, { 0 } };
static const struct annex_key_part by_bot_room[] = { { "bot", ANNEX_KEY_TEXT },
	{ "room", ANNEX_KEY_TEXT }, { 0 } };
static const struct annex_key_part by_bot_resource[] = { { "bot", ANNEX_KEY_TEXT },
	{ "resource", ANNEX_KEY_TEXT }, { 0 } };
static const struct annex_key_part by_hash[] = { { "hash", ANNEX_KEY_TEXT }, { 0 } };
static const struct annex_key_part by_number[] = { { "number", ANNEX_KEY_U64 }, { 0 } };
static const struct annex_key_part by_number_reader[] = { { "number", ANNEX_KEY_U64 },
	{ "reader", ANNEX_KEY_U64 }, { 0 } };

/* In the order of the enum in bots.h. */
const struct annex_table bots_tables[] = {
	{ .number = 1,
	    .name = "bots",
	    .key = by_bot,
	    .record = &bots__bot__descriptor,
	    .version = 1 },
	{ .number = 2,
	    .name = "inbox",
	    .key = by_bot_seq_contact, /* so that those of a contact are counted by keys alone */
	    .record = &bots__event__descriptor,
	    .version = 1 },
	{ .number = 3,
	    .name = "dead",
	    .key = by_bot_seq,
	    .record = &bots__dead__descriptor,
	    .version = 1,
	    .counted = true },
	{ .number = 4,
	    .name = "out",
	    .key = by_number,
	    .record = &bots__out__descriptor,
	    .version = 1 },
	{ .number = 5,
	    .name = "sends",
	    .key = by_bot_id,
	    .record = &bots__send__descriptor,
	    .version = 1 },
	{ .number = 6,
	    .name = "keys",
	    .key = by_bot_id,
	    .record = &bots__send__descriptor,
	    .version = 1 },
	{ .number = 7,
	    .name = "held",
	    .key = by_bot_contact_number,
	    .record = &bots__held__descriptor,
	    .version = 1 },
	{ .number = 8,
	    .name = "asks",
	    .key = by_bot_contact,
	    .record = &bots__ask__descriptor,
	    .version = 1 },
	{ .number = 9,
	    .name = "shown",
	    .key = by_bot,
	    .record = &bots__shown__descriptor,
	    .version = 1 },
	{ .number = 10,
	    .name = "commands",
	    .key = by_bot,
	    .record = &bots__commands__descriptor,
	    .version = 1 },
	{ .number = 11,
	    .name = "rooms",
	    .key = by_bot_room,
	    .record = &bots__room__descriptor,
	    .version = 1 },
	{ .number = 12,
	    .name = "notices",
	    .key = by_bot_contact,
	    .record = &bots__notice__descriptor,
	    .version = 1 },
	{ .number = 13,
	    .name = "later",
	    .key = by_bot_seq,
	    .record = &bots__event__descriptor,
	    .version = 1 },
	{ .number = 14,
	    .name = "tokens",
	    .key = by_hash,
	    .record = &bots__token__descriptor,
	    .version = 1 },
	{ .number = 15,
	    .name = "made",
	    .key = by_bot,
	    .record = &bots__made__descriptor,
	    .version = 1 },
	{ .number = 16,
	    .name = "workers",
	    .key = by_bot_resource,
	    .record = &bots__worker__descriptor,
	    .version = 1 },
	{ .number = 17,
	    .name = "answers",
	    .key = by_bot_id,
	    .record = &bots__answer__descriptor,
	    .version = 1 },
	{ .number = 18,
	    .name = "beats",
	    .key = by_bot_id,
	    .record = &bots__beat__descriptor,
	    .version = 1 },
	{ .number = 19,
	    .name = "timers",
	    .key = by_bot_id,
	    .record = &bots__timer__descriptor,
	    .version = 1 },
	{ .number = 20,
	    .name = "files",
	    .key = by_number_reader,
	    .record = &bots__file__descriptor,
	    .version = 1 },
	{ .number = 21,
	    .name = "seen",
	    .key = by_number,
	    .record = &bots__seen__descriptor,
	    .version = 1 },
	{ .number = 22,
	    .name = "bans",
	    .key = by_bot_contact,
	    .record = &bots__ban__descriptor,
	    .version = 1 },
	{ .number = 23,
	    .name = "echoes",
	    .key = by_bot_id,
	    .record = &bots__send__descriptor,
	    .version = 1 },
	{ .number = 24,
	    .name = "reactions",
	    .key = by_bot_id,
	    .record = &bots__reaction__descriptor,
	    .version = 1 },
	{ .number = 25,
	    .name = "places",
	    .key = by_bot_seq,
	    .record = &bots__place__descriptor,
	    .version = 1,
	    .counted = true,
	    .weigh = place_weigh },
	{ .number = 26,
	    .name = "placed",
	    .key = by_bot_seq,
	    .record = &bots__placed__descriptor,
	    .version = 1 },
	{ 0 },
};

struct annex_key
bots_key(int table, const char *bot)
{
	struct annex_key key = annex_key(&bots_tables[table]);

	annex_key_text(&key, bot);
	return key;
}

struct annex_key
bots_key_seq(int table, const char *bot, uint64_t seq)
{
	struct annex_key key = bots_key(table, bot);

	annex_key_u64(&key, seq);
	return key;
}

struct annex_key
bots_key_in(int table, const char *bot, const char *name)
{
	struct annex_key key = bots_key(table, bot);

	annex_key_text(&key, name);
	return key;
}

int
bots_must(struct bots *m, int status)
{
	if (status < 0 && status != ANNEX_ENOENT)
		annex_fail_turn(m->inst, "a change could not be written whole");
	return status;
}
