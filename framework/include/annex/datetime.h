/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * datetime.h - dates on the wire (XEP-0082) and delay stamps (XEP-0203)
 */
#ifndef ANNEX_DATETIME_H
#define ANNEX_DATETIME_H

#include <stdint.h>

#include <annex/element.h>
#include <annex/status.h>

#pragma GCC visibility push(default)

struct annex_pool;

#define ANNEX_NS_DELAY "urn:xmpp:delay"

/* "2026-11-21T09:30:00.123Z"; milliseconds are left out where they are 0. */
const char *annex_datetime(struct annex_pool *pool, int64_t wall_ms);

/* Milliseconds since 1970 UTC.  ANNEX_EINVAL where text is no DateTime of XEP-0082; a
 * zone offset and any number of fraction digits are understood. */
int annex_datetime_read(const char *text, int64_t *wall_ms_r) ANNEX_MUST_CHECK;

/* Append <delay/>; by and reason may be NULL.  read: ANNEX_ENOENT where there is none by that
 * JID (NULL: any). */
void
annex_delay_add(struct annex_element *stanza, const char *by, int64_t wall_ms, const char *reason);
int annex_delay_read(const struct annex_element *stanza, const char *by, int64_t *wall_ms_r);

#pragma GCC visibility pop

#endif /* ANNEX_DATETIME_H */
