/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * store.c - the tables of pubsub
 *
 * A node has a number that is never given out again; what belongs to it is under
 * that number, so that a node made anew under an old NodeID has none of the old
 * one's rows, and a NodeID of 1,023 bytes is in few keys.  Its items are under a shelf, a
 * number as well: a purge takes a new one and leaves the old one to a job.  Whatever is shown in pages
 * has numbers in its order, and is counted, so that a total, an index and the n-th row
 * cost O(log n).  Items are weighed as well: how many bytes a node has costs no row.
 *
 * numbers, listed, types, kept, made and tombstones are indexes of nodes, item_ids and created of items
 * (and words, by a job); subscribers, subscribed and pending of subscriptions;
 * affiliated, members and owners of affiliations: they are written together
 * with what they index.
 */
#include "pubsub.h"

static const struct annex_key_part by_name[] = { { "node", ANNEX_KEY_TEXT }, { 0 } };
static const struct annex_key_part by_number[] = { { "number", ANNEX_KEY_U64 }, { 0 } };
static const struct annex_key_part by_node_number[] = { { "node", ANNEX_KEY_U64 },
	{ "number", ANNEX_KEY_U64 }, { 0 } };
static const struct annex_key_part by_node_id[] = { { "node", ANNEX_KEY_U64 },
	{ "id", ANNEX_KEY_TEXT }, { 0 } };
static const struct annex_key_part by_node_jid[] = { { "node", ANNEX_KEY_U64 },
	{ "jid", ANNEX_KEY_TEXT }, { 0 } };
static const struct annex_key_part by_jid_node[] = { { "jid", ANNEX_KEY_TEXT },
	{ "node", ANNEX_KEY_U64 }, { 0 } };
static const struct annex_key_part by_type_number[] = { { "type", ANNEX_KEY_TEXT },
	{ "number", ANNEX_KEY_U64 }, { 0 } };
static const struct annex_key_part by_word[] = { { "shelf", ANNEX_KEY_U64 },
	{ "word", ANNEX_KEY_TEXT }, { "number", ANNEX_KEY_U64 }, { 0 } };
static const struct annex_key_part by_jid_number[] = { { "jid", ANNEX_KEY_TEXT },
	{ "number", ANNEX_KEY_U64 }, { 0 } };
static const struct annex_key_part by_jid_node_number[] = { { "jid", ANNEX_KEY_TEXT },
	{ "node", ANNEX_KEY_U64 }, { "number", ANNEX_KEY_U64 }, { 0 } };
static const struct annex_key_part by_jid_time_node[] = { { "jid", ANNEX_KEY_TEXT },
	{ "gone_ms", ANNEX_KEY_U64 }, { "node", ANNEX_KEY_U64 }, { 0 } };
static const struct annex_key_part by_subscription[] = { { "node", ANNEX_KEY_U64 },
	{ "subscription", ANNEX_KEY_U64 }, { "number", ANNEX_KEY_U64 }, { 0 } };

#define TABLE(number_, name_, key_, record_, ...)                                     \
	{                                                                             \
		.number = (number_), .name = (name_), .key = (key_),                  \
		.record = &pubsub__##record_##__descriptor, .version = 1, __VA_ARGS__ \
	}

/* In the order of the enum in pubsub.h. */
const struct annex_table pubsub_tables[] = {
	TABLE(1, "nodes", by_name, node, .counted = false),
	TABLE(2, "numbers", by_number, number, .counted = true),
	TABLE(3, "listed", by_number, listed, .counted = true),
	TABLE(4, "items", by_node_number, item, .counted = true, .weigh = item_weigh),
	TABLE(5, "item_ids", by_node_id, item_id, .counted = false),
	TABLE(6, "subscriptions", by_node_number, subscription, .counted = true),
	TABLE(7, "subscribers", by_jid_node_number, subscriber, .counted = false),
	TABLE(8, "pending", by_node_number, subscriber, .counted = true),
	TABLE(9, "affiliations", by_node_jid, affiliation, .counted = false),
	TABLE(10, "affiliated", by_jid_node, affiliation, .counted = true),
	TABLE(11, "owners", by_node_jid, affiliation, .counted = false),
	TABLE(12, "waiting", by_subscription, waiting, .counted = false),
	TABLE(13, "deliveries", by_node_number, delivery, .counted = false),
	TABLE(14, "told", by_number, told, .counted = false),
	TABLE(15, "created", by_node_number, created, .counted = true),
	TABLE(16, "subscribed", by_jid_number, subscribed, .counted = true),
	TABLE(17, "members", by_node_number, affiliation, .counted = true),
	TABLE(18, "kept", by_node_number, number, .counted = false),
	TABLE(19, "types", by_type_number, listed, .counted = true),
	TABLE(20, "words", by_word, posting, .counted = true),
	TABLE(21, "terms", by_node_number, terms, .counted = false),
	TABLE(22, "indexed", by_number, indexed, .counted = false),
	TABLE(23, "unindexed", by_node_number, posting, .counted = false),
	TABLE(25, "leaving", by_jid_node, posting, .counted = false),
	TABLE(26, "made", by_jid_node, posting, .counted = true),
	TABLE(27, "tombstones", by_jid_time_node, posting, .counted = true),
	TABLE(28, "arrivals", by_jid_number, posting, .counted = false),
	TABLE(29, "importing", by_number, posting, .counted = false),
	{ 0 },
};

struct annex_key
key_of(int table)
{
	return annex_key(&pubsub_tables[table]);
}

struct annex_key
key_text(int table, const char *text)
{
	struct annex_key key = key_of(table);

	annex_key_text(&key, text);
	return key;
}

struct annex_key
key_number(int table, uint64_t number)
{
	struct annex_key key = key_of(table);

	annex_key_u64(&key, number);
	return key;
}

struct annex_key
key_numbers(int table, uint64_t number, uint64_t second)
{
	struct annex_key key = key_number(table, number);

	annex_key_u64(&key, second);
	return key;
}

struct annex_key
key_number_text(int table, uint64_t number, const char *text)
{
	struct annex_key key = key_number(table, number);

	annex_key_text(&key, text);
	return key;
}

bool
rows_reach(struct pubsub *p, const struct annex_key *prefix, uint64_t most)
{
	struct annex_iter it = annex_iter(prefix);
	uint64_t n = 0;

	if (prefix->table->counted)
		return most > 0 && annex_rows(p->store, prefix, &n) == ANNEX_OK && n >= most;
	it.keys_only = true;
	while (most > 0 && n < most && annex_next(p->store, &it) == ANNEX_AGAIN)
		n++;
	return most > 0 && n == most;
}

int
must(struct pubsub *p, int status)
{
	if (status < 0 && status != ANNEX_ENOENT)
		annex_fail_turn(p->inst, "a change could not be written whole");
	return status;
}
