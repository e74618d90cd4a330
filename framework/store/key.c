/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * key.c - tuples as bytes that sort the same
 *
 *	number	8 bytes, highest first
 *	text	its bytes, 00
 *	bytes	its bytes with 00 written as 00 FF, then 00 01
 *
 * Nothing that a part can hold sorts below its end mark, so a shorter part
 * comes before a longer one that begins with it, and a prefix of whole parts
 * is a prefix of bytes.  Of a part that takes more than 120 bytes that many
 * are kept, then a mark (text: 01, bytes: 00 02) and the BLAKE2b-128 of the
 * whole.  A text of exactly 120 bytes has 00 where a longer one has 01, so the
 * two cannot be mistaken for each other whatever they contain.
 */
#include "config.h"

#include <ctype.h>
#include <string.h>

#include <sodium.h>

#include "inside.h"

#define PART_MAX 120
#define PART_HASH 16
#define PART_PACKED_MAX (PART_MAX + 2 + PART_HASH)

void
key_append(struct annex_key *key, const void *bytes, size_t n)
{
	CHECK(key->len + n <= sizeof(key->bytes));
	if (n > 0)
		memcpy(key->bytes + key->len, bytes, n);
	key->len += (uint16_t)n;
}

void
key_append_number(struct annex_key *key, uint64_t number, unsigned bytes)
{
	unsigned char packed[8];

	for (unsigned i = bytes; i-- > 0; number >>= 8)
		packed[i] = (unsigned char)number;
	key_append(key, packed, bytes);
}

struct annex_key
annex_key(const struct annex_table *table)
{
	struct annex_key key;

	key.table = table;
	key.parts = 0;
	key.len = 0;
	key_append_number(&key, table->number, 2);
	return key;
}

struct annex_key
key_system(enum system_kind kind)
{
	struct annex_key key;

	key.table = NULL;
	key.parts = 0;
	key.len = 0;
	key_append_number(&key, (uint64_t)kind, 3);
	return key;
}

static void
part_begin(struct annex_key *key, enum annex_key_type type)
{
	CHECK(key->table != NULL && key->table->key[key->parts].name != NULL);
	CHECK(key->table->key[key->parts].type == type);
	key->parts++;
}

static void
append_hash(struct annex_key *key, const void *bytes, size_t len)
{
	unsigned char hash[PART_HASH];

	crypto_generichash(hash, sizeof(hash), bytes, len, NULL, 0);
	key_append(key, hash, sizeof(hash));
}

struct annex_key *
annex_key_text(struct annex_key *key, const char *text)
{
	size_t len = strlen(text);

	part_begin(key, ANNEX_KEY_TEXT);
	if (len <= PART_MAX) {
		key_append(key, text, len + 1);
		return key;
	}
	key_append(key, text, PART_MAX);
	key_append(key, "\001", 1);
	append_hash(key, text, len);
	return key;
}

struct annex_key *
annex_key_u64(struct annex_key *key, uint64_t number)
{
	part_begin(key, ANNEX_KEY_U64);
	key_append_number(key, number, 8);
	return key;
}

struct annex_key *
annex_key_bytes(struct annex_key *key, const void *bytes, size_t len)
{
	unsigned char packed[PART_PACKED_MAX];
	const unsigned char *from = bytes;
	size_t n = 0, i;

	part_begin(key, ANNEX_KEY_BYTES);
	for (i = 0; i < len && n + (from[i] == 0 ? 2 : 1) <= PART_MAX; i++) {
		packed[n++] = from[i];
		if (from[i] == 0)
			packed[n++] = 0xff;
	}
	key_append(key, packed, n);
	key_append(key, i == len ? "\0\001" : "\0\002", 2);
	if (i < len)
		append_hash(key, bytes, len);
	return key;
}

/* How many bytes lie before the end mark, which is end_r bytes long; -1 where there is none. */
static int
part_body(enum annex_key_type type, const unsigned char *at, size_t len, bool *whole_r)
{
	size_t i;

	for (i = 0; i <= PART_MAX && i < len; i++) {
		if (type == ANNEX_KEY_TEXT && at[i] == 0) {
			*whole_r = true;
			return (int)i;
		}
		if (type == ANNEX_KEY_BYTES && at[i] == 0) {
			if (i + 1 >= len)
				return -1;
			*whole_r = at[i + 1] == 1;
			if (at[i + 1] == 1 || at[i + 1] == 2)
				return (int)i;
			if (at[++i] != 0xff)
				return -1;
		}
	}
	*whole_r = false;
	return type == ANNEX_KEY_TEXT && len > PART_MAX && at[PART_MAX] == 1 ? PART_MAX : -1;
}

int
key_part_read(
    struct key_part *part_r, enum annex_key_type type, const unsigned char *at, size_t len)
{
	int body;
	size_t taken;

	*part_r = (struct key_part) { .type = type, .at = at, .whole = true, .len = 8 };
	if (type == ANNEX_KEY_U64) {
		if (len < 8)
			return ANNEX_EINVAL;
		part_r->number = number_read(at, 8);
		return 8;
	}
	if ((body = part_body(type, at, len, &part_r->whole)) < 0)
		return ANNEX_EINVAL;
	part_r->len = (size_t)body;
	taken = part_r->len + (type == ANNEX_KEY_TEXT ? 1 : 2) + (part_r->whole ? 0 : PART_HASH);
	return taken <= len ? (int)taken : ANNEX_EINVAL;
}

unsigned char *
key_part_value(const struct key_part *part, struct annex_pool *pool, size_t *len_r)
{
	unsigned char *value = annex_pool_alloc(pool, part->len + 1);
	size_t n = 0;

	for (size_t i = 0; i < part->len; i++) {
		value[n++] = part->at[i];
		if (part->type == ANNEX_KEY_BYTES && part->at[i] == 0)
			i++;
	}
	value[n] = '\0';
	*len_r = n;
	return value;
}

/* Part i, or false where the key has no such part. */
static bool
part_find(struct key_part *part_r, const struct annex_key *key, unsigned i)
{
	size_t at = 2;
	int n;

	for (unsigned part = 0; part < key->parts; part++) {
		n = key_part_read(
		    part_r, key->table->key[part].type, key->bytes + at, key->len - at);
		if (n < 0)
			return false;
		if (part == i)
			return true;
		at += (size_t)n;
	}
	return false;
}

uint64_t
annex_key_number(const struct annex_key *key, unsigned i)
{
	struct key_part part;

	CHECK(i < key->parts && key->table->key[i].type == ANNEX_KEY_U64);
	return part_find(&part, key, i) ? part.number : 0;
}

const char *
annex_key_string(const struct annex_key *key, unsigned i, struct annex_pool *pool)
{
	struct key_part part;
	size_t len;

	CHECK(i < key->parts && key->table->key[i].type == ANNEX_KEY_TEXT);
	if (!part_find(&part, key, i) || !part.whole)
		return NULL;
	return (const char *)key_part_value(&part, pool, &len);
}

const void *
annex_key_blob(const struct annex_key *key, unsigned i, struct annex_pool *pool, size_t *len_r)
{
	struct key_part part;

	CHECK(i < key->parts && key->table->key[i].type == ANNEX_KEY_BYTES);
	if (!part_find(&part, key, i) || !part.whole)
		return NULL;
	return key_part_value(&part, pool, len_r);
}

/* A whole key as it stands in the database. */
int
key_read(struct annex_key *key_r, const struct annex_table *table, const unsigned char *bytes,
    size_t len)
{
	struct key_part part;
	size_t at = 2;
	int n;

	if (len < 2 || len > sizeof(key_r->bytes) || number_read(bytes, 2) != table->number)
		return ANNEX_EINVAL;
	for (unsigned i = 0; table->key[i].name != NULL; i++) {
		if ((n = key_part_read(&part, table->key[i].type, bytes + at, len - at)) < 0)
			return n;
		at += (size_t)n;
	}
	if (at != len)
		return ANNEX_EINVAL;
	key_r->table = table;
	key_r->parts = (uint16_t)key_table_parts(table);
	key_r->len = 0;
	key_append(key_r, bytes, len);
	return ANNEX_OK;
}

unsigned
key_table_parts(const struct annex_table *table)
{
	unsigned n = 0;

	while (table->key[n].name != NULL)
		n++;
	return n;
}

/* The longest that a key of this table can become. */
size_t
key_table_max(const struct annex_table *table)
{
	size_t max = 2;

	for (unsigned i = 0; table->key[i].name != NULL; i++)
		max += table->key[i].type == ANNEX_KEY_U64 ? 8 : PART_PACKED_MAX;
	return max;
}

void
key_table_shape(const struct annex_table *table, char *shape_r)
{
	unsigned n;

	for (n = 0; table->key[n].name != NULL && n < 31; n++)
		shape_r[n] = " tub"[table->key[n].type & 3];
	shape_r[n] = '\0';
}

bool
key_is_before(const struct annex_key *a, const struct annex_key *b)
{
	int order = memcmp(a->bytes, b->bytes, a->len < b->len ? a->len : b->len);

	return order < 0 || (order == 0 && a->len < b->len);
}

bool
key_after(struct annex_key *key_r, const struct annex_key *prefix)
{
	*key_r = *prefix;
	while (key_r->len > 0) {
		if (++key_r->bytes[key_r->len - 1] != 0)
			return true;
		key_r->len--;
	}
	return false;
}

static void
describe_bytes(struct buf *out, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (isprint(bytes[i]))
			buf_putc(out, (char)bytes[i]);
		else
			buf_printf(out, "\\x%02x", bytes[i]);
	}
}

/* "affiliations(den@rooms, owl@a)", for a line of a log. */
void
key_describe(const struct annex_key *key, struct buf *out)
{
	struct key_part part;

	if (key->table == NULL) {
		buf_puts(out, "system(");
		describe_bytes(out, key->bytes + 2, key->len - 2u);
		buf_puts(out, ")");
		return;
	}
	buf_printf(out, "%s(", key->table->name);
	for (unsigned i = 0; i < key->parts && part_find(&part, key, i); i++) {
		if (i > 0)
			buf_puts(out, ", ");
		if (part.type == ANNEX_KEY_U64)
			buf_printf(out, "%llu", (unsigned long long)part.number);
		else
			describe_bytes(out, part.at, part.len);
	}
	buf_puts(out, ")");
}
