/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * record.c - the envelope of a value
 *
 *	format	1 byte: 1
 *	sum	4 bytes, over key, format and record
 *	record	protobuf
 *
 * LMDB has no checksums and a disk may lie: the sum is there so that a
 * changed byte, or a value that slipped under another key, is seen and never
 * acted upon.  It is SipHash-2-4 with a key of its own, cut to 32 bits: it
 * guards against accident, and is many times faster on short rows than a
 * cryptographic hash.  The row's key is hashed first and keys the second
 * hash, so neither needs copying.
 */
#include "config.h"

#include <sodium.h>

#include "inside.h"

#define RECORD_FORMAT 1

static uint32_t
record_sum(const void *key, size_t key_len, const void *record, size_t len)
{
	static const unsigned char seed[crypto_shorthash_KEYBYTES] = "annex\001record\001sum";
	unsigned char second[crypto_shorthash_KEYBYTES];
	unsigned char sum[crypto_shorthash_BYTES];

	memcpy(second, seed, sizeof(second));
	second[crypto_shorthash_BYTES] = RECORD_FORMAT;
	crypto_shorthash(second, key, key_len, seed);
	crypto_shorthash(sum, record, len, second);
	return (uint32_t)number_read(sum, 4);
}

/* The envelope around len bytes that are in place already. */
static void
seal(struct buf *out, const struct annex_key *key, size_t len)
{
	unsigned char *at = (unsigned char *)out->data;
	uint32_t sum = record_sum(key->bytes, key->len, at + RECORD_OVERHEAD, len);

	at[0] = RECORD_FORMAT;
	for (int i = 0; i < 4; i++)
		at[1 + i] = (unsigned char)(sum >> (24 - 8 * i));
	out->len = len + RECORD_OVERHEAD;
}

void
record_seal(struct buf *out, const struct annex_key *key, const ProtobufCMessage *record)
{
	size_t len = protobuf_c_message_get_packed_size(record);

	buf_clear(out);
	buf_reserve(out, len + RECORD_OVERHEAD);
	protobuf_c_message_pack(record, (unsigned char *)out->data + RECORD_OVERHEAD);
	seal(out, key, len);
}

/* Of a table that nobody here knows. */
void
record_seal_bytes(struct buf *out, const struct annex_key *key, const void *bytes, size_t len)
{
	buf_clear(out);
	buf_reserve(out, len + RECORD_OVERHEAD);
	if (len > 0)
		memcpy(out->data + RECORD_OVERHEAD, bytes, len);
	seal(out, key, len);
}

const unsigned char *
record_open(
    const void *key, size_t key_len, const void *value, size_t len, size_t *len_r, const char **why)
{
	const unsigned char *at = value;

	if (len < RECORD_OVERHEAD) {
		*why = "is too short to be a record";
		return NULL;
	}
	if (at[0] != RECORD_FORMAT) {
		*why = "has an unknown format byte";
		return NULL;
	}
	*len_r = len - RECORD_OVERHEAD;
	if (record_sum(key, key_len, at + RECORD_OVERHEAD, *len_r) != number_read(at + 1, 4)) {
		*why = "does not match its checksum";
		return NULL;
	}
	return at + RECORD_OVERHEAD;
}

static void *
pool_take_field(void *pool, size_t size)
{
	return annex_pool_alloc(pool, size);
}

static void
pool_keep_field(void *pool, void *field)
{
}

/* NULL where the bytes are no such record. */
ProtobufCMessage *
record_decode(const ProtobufCMessageDescriptor *type, const unsigned char *bytes, size_t len,
    struct annex_pool *pool)
{
	ProtobufCAllocator allocator = { pool_take_field, pool_keep_field, pool };

	return protobuf_c_message_unpack(type, &allocator, len, bytes);
}
