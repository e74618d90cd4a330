/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * handshake.h - what is said before the first stanza (XEP-0114 §3)
 */
#ifndef STREAM_HANDSHAKE_H
#define STREAM_HANDSHAKE_H

#include <annex/element.h>

#include "base/buf.h"

/* No version, no from: some servers take a version for an invitation to negotiate. */
void handshake_open(struct buf *out, const char *domain);

/* <handshake/> with the lowercase digest of id and secret, and nothing else in it. */
void handshake_answer(struct buf *out, const char *id, const char *secret);

/* Is this the header of a stream, whatever its default namespace? */
bool handshake_is_header(const struct annex_element *root);
bool handshake_is_done(const struct annex_element *el);

#endif /* STREAM_HANDSHAKE_H */
