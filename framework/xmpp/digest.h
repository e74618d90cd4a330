/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * digest.h - SHA-1, where a protocol wants it
 *
 * Handshakes (XEP-0114), caps (XEP-0115) and avatars (XEP-0084, XEP-0153)
 * are bound to it; nothing of ours relies on its strength.
 */
#ifndef XMPP_DIGEST_H
#define XMPP_DIGEST_H

#include <stddef.h>

#include <annex/status.h>

#define SHA1_HEX_ROOM 41    /* 40 lower-case digits and NUL */
#define SHA1_BASE64_ROOM 29 /* 28 characters, padding included, and NUL */

/* ANNEX_OK, or ANNEX_EIO where OpenSSL refuses to compute it. */
int sha1_hex(const void *bytes, size_t len, char hex_r[SHA1_HEX_ROOM]) ANNEX_MUST_CHECK;
int sha1_base64(const void *bytes, size_t len, char base64_r[SHA1_BASE64_ROOM]) ANNEX_MUST_CHECK;

#endif /* XMPP_DIGEST_H */
