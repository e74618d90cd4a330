/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * fulltext.c - which items have which words, where owners want that to be known
 *
 * The index is derived from items: under a shelf, a row for each word and item (words), and for each item
 * the words that it has there (terms), so that they can be taken out again.  A job does both, so that
 * who publishes never waits: it goes on from where it stopped (indexed), after it has taken out what is
 * gone (unindexed).  An item is found a moment after it was published, then.
 */
#include <string.h>

#include "pubsub.h"

struct indexing {
	uint64_t node;
};

int
fulltext_start(struct node *node)
{
	const struct indexing indexing = { node->number };

	if (node->indexing)
		return ANNEX_OK;
	node->indexing = true;
	return annex_job_start(node->p->inst, "index", &indexing, sizeof(indexing));
}

int
fulltext_follow(struct node *node, uint64_t gone)
{
	struct annex_key key = key_numbers(TABLE_UNINDEXED, node->shelf, gone);
	Pubsub__Posting record = PUBSUB__POSTING__INIT;
	int r;

	if (!node->config.fulltext)
		return ANNEX_OK;
	if (gone != 0 && (r = annex_put(node->p->store, &key, &record.base)) < 0)
		return r;
	return fulltext_start(node);
}

static struct annex_key
word_key(uint64_t shelf, const char *word)
{
	struct annex_key key = key_number(TABLE_WORDS, shelf);

	return *annex_key_text(&key, word);
}

/* --- The job ---------------------------------------------------------------------------------- */

/* How many rows that took. */
static size_t
item_take_out(struct pubsub *p, uint64_t shelf, uint64_t place)
{
	struct annex_key terms = key_numbers(TABLE_TERMS, shelf, place), key;
	ProtobufCMessage *record;
	const Pubsub__Terms *t;

	if (annex_get(p->store, &terms, &record) < 0)
		return 1;
	t = (Pubsub__Terms *)record;
	for (size_t i = 0; i < t->n_word; i++) {
		key = word_key(shelf, t->word[i]);
		annex_delete(p->store, annex_key_u64(&key, place));
	}
	annex_delete(p->store, &terms);
	return t->n_word + 1;
}

static int
item_put_in(
    struct pubsub *p, uint64_t shelf, uint64_t place, const Pubsub__Item *item, size_t *rows)
{
	const struct annex_strings words = words_of_item(item, annex_scratch(p->inst));
	struct annex_key key = key_numbers(TABLE_TERMS, shelf, place);
	Pubsub__Terms terms = PUBSUB__TERMS__INIT;
	Pubsub__Posting posting = PUBSUB__POSTING__INIT;
	int r;

	*rows += words.count + 1;
	if (words.count == 0)
		return ANNEX_OK;
	terms.n_word = words.count;
	terms.word = (char **)(uintptr_t)words.value;
	if ((r = annex_put(p->store, &key, &terms.base)) < 0)
		return r;
	for (size_t i = 0; i < words.count; i++) {
		key = word_key(shelf, words.value[i]);
		if ((r = annex_put(p->store, annex_key_u64(&key, place), &posting.base)) < 0)
			return r;
	}
	return ANNEX_OK;
}

static void
take_out_some(struct node *node, size_t limit, size_t *rows)
{
	struct annex_key prefix = key_number(TABLE_UNINDEXED, node->shelf), key;
	struct annex_iter it = annex_iter(&prefix);

	it.keys_only = true;
	while (*rows < limit && annex_next(node->p->store, &it) == ANNEX_AGAIN) {
		key = it.key;
		*rows += item_take_out(node->p, node->shelf, annex_key_number(&key, 1));
		annex_delete(node->p->store, &key);
	}
}

static int
put_in_some(struct node *node, size_t limit, size_t *rows)
{
	struct annex_key at = key_number(TABLE_INDEXED, node->shelf);
	struct annex_key prefix = key_number(TABLE_ITEMS, node->shelf), from = prefix;
	Pubsub__Indexed record = PUBSUB__INDEXED__INIT;
	ProtobufCMessage *before;
	struct annex_iter it;
	int r;

	if (annex_get(node->p->store, &at, &before) == ANNEX_OK)
		record.next = ((Pubsub__Indexed *)before)->next;
	it = annex_iter_from(&prefix, annex_key_u64(&from, record.next));
	while (*rows < limit && annex_next(node->p->store, &it) == ANNEX_AGAIN) {
		uint64_t place = annex_key_number(&it.key, 1);

		r = item_put_in(node->p, node->shelf, place, (const Pubsub__Item *)it.record, rows);
		if (r < 0)
			return r;
		record.next = place + 1;
	}
	return annex_put(node->p->store, &at, &record.base);
}

/* Where nobody wants it any more. */
static int
drop_some(struct node *node, size_t limit)
{
	static const int tables[] = { TABLE_WORDS, TABLE_TERMS, TABLE_UNINDEXED, TABLE_INDEXED };

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		struct annex_key key = key_number(tables[i], node->shelf);
		int n = annex_delete_some(node->p->store, &key, limit);

		if (n != 0)
			return n < 0 ? n : ANNEX_AGAIN;
	}
	return ANNEX_OK;
}

int
fulltext_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit)
{
	struct pubsub *p = annex_state(inst);
	struct indexing indexing;
	struct node *node;
	size_t rows = 0;
	int r = ANNEX_OK;

	memcpy(&indexing, state->bytes, sizeof(indexing));
	if ((node = node_by_number(p, indexing.node)) == NULL)
		return ANNEX_OK;
	node->indexing = true;
	if (!node->config.fulltext) {
		r = drop_some(node, limit);
	} else {
		take_out_some(node, limit, &rows);
		r = put_in_some(node, limit, &rows);
	}
	if (r >= 0 && (r == ANNEX_AGAIN || rows >= limit))
		return ANNEX_AGAIN;
	node->indexing = false;
	return r;
}

/* --- Looking ------------------------------------------------------------------------------------ */

bool
fulltext_has(const struct rows *rows, const struct annex_strings *words, uint64_t place)
{
	uint64_t shelf = annex_key_number(&rows->prefix, 0);

	for (size_t i = 0; i < words->count; i++) {
		struct annex_key key = word_key(shelf, words->value[i]);

		if (!annex_has(rows->p->store, annex_key_u64(&key, place)))
			return false;
	}
	return true;
}

/* Of the items that have all of these words those with the rarest are looked at. */
int
fulltext_rows(struct rows *rows, struct annex_strings *words)
{
	const char **word =
	    annex_new_array(annex_scratch(rows->p->inst), const char *, words->count);
	uint64_t shelf = annex_key_number(&rows->prefix, 0), count, fewest = UINT64_MAX;
	size_t rarest = 0, n = 0;
	int r;

	for (size_t i = 0; i < words->count; i++) {
		struct annex_key key = word_key(shelf, words->value[i]);

		if ((r = annex_rows(rows->p->store, &key, &count)) < 0)
			return r;
		if (count < fewest) {
			fewest = count;
			rarest = i;
		}
	}
	rows->prefix = word_key(shelf, words->value[rarest]);
	for (size_t i = 0; i < words->count; i++)
		if (i != rarest)
			word[n++] = words->value[i];
	*words = (struct annex_strings) { word, n };
	return ANNEX_OK;
}
