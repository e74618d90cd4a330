/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * digest.c - SHA-1 through OpenSSL, in the two spellings that XMPP uses
 */
#include <openssl/evp.h>

#include <annex/digest.h>
#include <annex/pool.h>

#include "digest.h"

#define SHA1_BYTES 20

static int
sha1(const void *bytes, size_t len, unsigned char digest[EVP_MAX_MD_SIZE])
{
	unsigned int size;

	if (EVP_Digest(bytes, len, digest, &size, EVP_sha1(), NULL) != 1 || size != SHA1_BYTES)
		return ANNEX_EIO;
	return ANNEX_OK;
}

int
sha1_hex(const void *bytes, size_t len, char hex_r[SHA1_HEX_ROOM])
{
	static const char digit[] = "0123456789abcdef";
	unsigned char digest[EVP_MAX_MD_SIZE];
	int r;

	if ((r = sha1(bytes, len, digest)) < 0)
		return r;
	for (size_t i = 0; i < SHA1_BYTES; i++) {
		hex_r[2 * i] = digit[digest[i] >> 4];
		hex_r[2 * i + 1] = digit[digest[i] & 15];
	}
	hex_r[2 * SHA1_BYTES] = '\0';
	return ANNEX_OK;
}

int
sha1_base64(const void *bytes, size_t len, char base64_r[SHA1_BASE64_ROOM])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	int r;

	if ((r = sha1(bytes, len, digest)) < 0)
		return r;
	EVP_EncodeBlock((unsigned char *)base64_r, digest, SHA1_BYTES);
	return ANNEX_OK;
}

const char *
annex_sha1(struct annex_pool *pool, const void *bytes, size_t len)
{
	char hex[SHA1_HEX_ROOM];

	return sha1_hex(bytes, len, hex) < 0 ? NULL : annex_strdup(pool, hex);
}
