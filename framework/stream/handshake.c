/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * handshake.c - what is said before the first stanza (XEP-0114 §3)
 *
 * Servers differ in what they forgive: Prosody looks the domain up as it is
 * written, ejabberd takes the digest in lowercase only, MongooseIM compares
 * the namespace.  So all is sent in the one form that pleases everybody.
 */
#include <openssl/evp.h>

#include "base/check.h"
#include "base/hex.h"
#include "handshake.h"
#include "trouble.h"
#include "xml/writer.h"

#define SHA1_BYTES 20

void
handshake_open(struct buf *out, const char *domain)
{
	buf_puts(out,
	    "<?xml version='1.0'?><stream:stream xmlns='" ANNEX_NS_STANZA
	    "' xmlns:stream='" NS_STREAM "' to='");
	CHECK(xml_write_escaped(out, domain, strlen(domain)) == ANNEX_OK);
	buf_puts(out, "'>");
}

void
handshake_answer(struct buf *out, const char *id, const char *secret)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	char text[2 * SHA1_BYTES + 1];
	struct buf both = { 0 };
	unsigned len = 0;

	buf_puts(&both, id);
	buf_puts(&both, secret);
	CHECK(EVP_Digest(both.data, both.len, sum, &len, EVP_sha1(), NULL) == 1);
	CHECK(len == SHA1_BYTES);
	if (both.len > 0)
		memset(both.data, 0, both.len);
	buf_finish(&both);
	hex_encode(text, sum, SHA1_BYTES);
	buf_printf(out, "<handshake>%s</handshake>", text);
}

bool
handshake_is_header(const struct annex_element *root)
{
	return annex_is(root, NS_STREAM, "stream");
}

bool
handshake_is_done(const struct annex_element *el)
{
	return annex_is(el, ANNEX_NS_STANZA, "handshake");
}
