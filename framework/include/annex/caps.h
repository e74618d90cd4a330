/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * caps.h - entity capabilities (XEP-0115)
 */
#ifndef ANNEX_CAPS_H
#define ANNEX_CAPS_H

#include <annex/element.h>

#pragma GCC visibility push(default)

struct annex_pool;

#define ANNEX_NS_CAPS "http://jabber.org/protocol/caps"
#define ANNEX_NS_DISCO_INFO "http://jabber.org/protocol/disco#info"
#define ANNEX_NS_DISCO_ITEMS "http://jabber.org/protocol/disco#items"

/* The verification string of a disco#info <query/> (XEP-0115 §5.1: SHA-1,
 * base64), or NULL where the info is ill-formed by §5.4. */
const char *annex_caps_hash(const struct annex_element *query, struct annex_pool *pool);

/* Append <c/> to a presence. */
void annex_caps_add(struct annex_element *presence, const char *node, const char *hash);

#pragma GCC visibility pop

#endif /* ANNEX_CAPS_H */
