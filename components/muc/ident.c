/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * ident.c - names that tell nothing
 *
 * An occupant id (XEP-0421 §4) is a keyed hash of the bare JID under the
 * room's own secret: the same over nicknames and visits, another in every
 * room.  A stanza id (XEP-0359) is the place in the archive under a small
 * keyed permutation, four rounds of Feistel over SipHash: it needs no index
 * and gives away neither order nor count.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "muc.h"

const char *
occupant_id(const struct room *room, struct annex_pool *pool, const char *bare)
{
	unsigned char hash[20];
	char *text = annex_pool_alloc(pool, sizeof(hash) * 2 + 1);

	crypto_generichash(hash, sizeof(hash), (const unsigned char *)bare, strlen(bare),
	    room->secret, sizeof(room->secret));
	return sodium_bin2hex(text, sizeof(hash) * 2 + 1, hash, sizeof(hash));
}

bool
is_address_of(const char *jid, const char *bare)
{
	size_t len = strlen(bare);

	return strncmp(jid, bare, len) == 0 && (jid[len] == '/' || jid[len] == '\0');
}

static uint32_t
feistel_round(const struct room *room, unsigned char round, uint32_t half)
{
	unsigned char in[5] = { round, (unsigned char)half, (unsigned char)(half >> 8),
		(unsigned char)(half >> 16), (unsigned char)(half >> 24) };
	unsigned char out[crypto_shorthash_BYTES];

	crypto_shorthash(out, in, sizeof(in), room->secret + 16);
	return (uint32_t)out[0] | (uint32_t)out[1] << 8 | (uint32_t)out[2] << 16 |
	    (uint32_t)out[3] << 24;
}

const char *
stanza_id(const struct room *room, struct annex_pool *pool, uint64_t number)
{
	uint32_t left = (uint32_t)(number >> 32), right = (uint32_t)number, next;
	char *text = annex_pool_alloc(pool, 17);
	unsigned char bytes[8];

	for (unsigned char i = 0; i < 4; i++) {
		next = left ^ feistel_round(room, i, right);
		left = right;
		right = next;
	}
	for (unsigned i = 0; i < 4; i++) {
		bytes[i] = (unsigned char)(left >> (24 - 8 * i));
		bytes[i + 4] = (unsigned char)(right >> (24 - 8 * i));
	}
	return sodium_bin2hex(text, 17, bytes, sizeof(bytes));
}

uint64_t
stanza_id_read(const struct room *room, const char *id)
{
	uint32_t left, right, before;

	if (strlen(id) != 16 || strspn(id, "0123456789abcdef") != 16 ||
	    sscanf(id, "%8" SCNx32 "%8" SCNx32, &left, &right) != 2)
		return 0;
	for (unsigned char i = 4; i-- > 0;) {
		before = right ^ feistel_round(room, i, left);
		right = left;
		left = before;
	}
	return (uint64_t)left << 32 | right;
}
