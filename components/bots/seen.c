/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * seen.c - a message that comes again is not taken again
 *
 * Servers send again what they do not know to have arrived, and archives what is
 * old.  The last messages that were taken are known by a hash: in a ring of rows,
 * written with what became of them, and in memory.  So what comes again after a restart
 * is known as well, and neither grows.
 *
 * An id that is long is not used twice (XEP-0359 §3.2).  A short one may have been counted by
 * a client that begins at 1 again: such a message is the same only where it says that it
 * was delayed (XEP-0203), and what it says is the same, too.
 */
#include <sodium.h>
#include <string.h>

#include "bots.h"

#define SEEN_MOST 4096
#define SEEN_MS ((int64_t)86400000) /* who sends again later than that means it */
#define UNIQUE_BYTES 12

struct one {
	unsigned char hash[crypto_generichash_BYTES_MIN];
	int64_t seen_ms; /* 0: there is none */
};

struct seen {
	uint64_t next;             /* number of the next one: its place is the rest of SEEN_MOST */
	struct annex_map *by_hash; /* struct one, whose hash is the key */
	struct one all[SEEN_MOST];
};

static void
keep(struct seen *seen, uint64_t number, const unsigned char *hash, int64_t seen_ms)
{
	struct one *one = &seen->all[number % SEEN_MOST];

	if (one->seen_ms != 0 && annex_map_get(seen->by_hash, one->hash, sizeof(one->hash)) == one)
		annex_map_remove(seen->by_hash, one->hash, sizeof(one->hash));
	memcpy(one->hash, hash, sizeof(one->hash));
	one->seen_ms = seen_ms;
	annex_map_set(seen->by_hash, one->hash, sizeof(one->hash), one);
	if (number >= seen->next)
		seen->next = number + 1;
}

int
seen_load(struct bots *m)
{
	struct annex_key prefix = annex_key(&bots_tables[TABLE_SEEN]);
	struct annex_iter it = annex_iter(&prefix);
	int r;

	m->seen = annex_new(annex_pool(m->inst), struct seen);
	m->seen->by_hash = annex_map_borrowing(annex_pool(m->inst));
	while ((r = annex_next(m->store, &it)) == ANNEX_AGAIN) {
		const Bots__Seen *row = (const Bots__Seen *)it.record;

		if (row->hash.len == sizeof(m->seen->all[0].hash))
			keep(m->seen, row->number, row->hash.data, row->seen_ms);
	}
	return r;
}

/* The id that its sender gave it; NULL: there is none that is not used twice. */
static const char *
unique_id(const struct annex_stanza *in)
{
	const struct annex_element *origin = annex_child(in->element, NS_SID, "origin-id");
	const char *id = origin != NULL ? annex_attr(origin, "id") : NULL;

	if (in->id != NULL && strlen(in->id) >= UNIQUE_BYTES)
		return in->id;
	return id != NULL && strlen(id) >= UNIQUE_BYTES ? id : NULL;
}

static void
hash_of(const struct bot *bot, const struct annex_stanza *in, const char *body, unsigned char *hash)
{
	const char *unique = unique_id(in), *text;

	text = annex_sprintf(annex_scratch(bot->bots->inst), "%s\n%s\n%s\n%s", bot->name,
	    in->from->full,
	    unique != NULL       ? unique
		: in->id != NULL ? in->id
				 : "",
	    unique != NULL ? "" : body);
	crypto_generichash(
	    hash, crypto_generichash_BYTES_MIN, (const unsigned char *)text, strlen(text), NULL, 0);
}

bool
seen_before(const struct bot *bot, const struct annex_stanza *in, const char *body)
{
	struct bots *m = bot->bots;
	unsigned char hash[crypto_generichash_BYTES_MIN];
	const struct one *one;
	int64_t stamp_ms;

	if (unique_id(in) == NULL && annex_delay_read(in->element, NULL, &stamp_ms) < 0)
		return false;
	hash_of(bot, in, body, hash);
	one = annex_map_get(m->seen->by_hash, hash, sizeof(hash));
	return one != NULL && annex_wall_ms(m->inst) - one->seen_ms < SEEN_MS;
}

int
seen_note(const struct bot *bot, const struct annex_stanza *in, const char *body)
{
	struct bots *m = bot->bots;
	uint64_t number = m->seen->next;
	struct annex_key key = annex_key(&bots_tables[TABLE_SEEN]);
	unsigned char hash[crypto_generichash_BYTES_MIN];
	Bots__Seen row = BOTS__SEEN__INIT;

	hash_of(bot, in, body, hash);
	row.number = number;
	row.hash = (ProtobufCBinaryData) { sizeof(hash), hash };
	row.seen_ms = annex_wall_ms(m->inst);
	annex_key_u64(&key, number % SEEN_MOST);
	if (bots_must(m, annex_put(m->store, &key, &row.base)) < 0)
		return ANNEX_ESTORE;
	tidy_later(m);
	keep(m->seen, number, hash, row.seen_ms);
	return ANNEX_OK;
}
