/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * handshake.c - what is said before the first stanza (XEP-0114 §3)
 *
 * Servers differ in what they forgive: Prosody looks the domain up as it is
 * written, ejabberd takes the digest in lowercase only, MongooseIM compares
 * the namespace.  So all is sent in the one form that pleases everybody.
 */
#include "base/check.h"
#include "handshake.h"
#include "trouble.h"
#include "xml/writer.h"
#include "xmpp/digest.h"

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
	char digest[SHA1_HEX_ROOM];
	struct buf both = { 0 };

	buf_puts(&both, id);
	buf_puts(&both, secret);
	CHECK(sha1_hex(buf_text(&both), both.len, digest) == ANNEX_OK);
	if (both.len > 0)
		explicit_bzero(both.data, both.len);
	buf_finish(&both);
	buf_printf(out, "<handshake>%s</handshake>", digest);
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
