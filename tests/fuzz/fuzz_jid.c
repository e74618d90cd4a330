/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * Any bytes as a JID: what is one stays the same when parsed again, is text
 * that XML can carry, and is made of its parts.  The same bytes are escaped
 * and come back (XEP-0106).
 */
#include <stdint.h>
#include <string.h>

#include <annex/jid.h>
#include <annex/pool.h>

#include "base/check.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_parse(struct annex_pool *pool, const char *text, size_t len)
{
	const struct annex_jid *jid = annex_jid_n(pool, text, len), *again;

	if (jid == NULL)
		return;
	CHECK(strlen(jid->full) <= ANNEX_JID_MAX);
	CHECK(utf8_is_xml(jid->full, strlen(jid->full)));
	again = annex_jid(pool, jid->full);
	CHECK(again != NULL && annex_jid_equal(jid, again));
	CHECK(annex_jid_bare_equal(jid, again));
	again = annex_jid_make(pool, jid->local, jid->domain, jid->resource);
	CHECK(again != NULL && annex_jid_equal(jid, again));
}

static void
try_escape(struct annex_pool *pool, const char *text)
{
	const char *escaped = annex_jid_escape(pool, text);

	if (escaped == NULL)
		return;
	CHECK(strpbrk(escaped, " \"&'/:<>@") == NULL);
	CHECK(strcmp(annex_jid_unescape(pool, escaped), text) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct annex_pool *pool = annex_pool_create(NULL, "fuzz");

	try_parse(pool, (const char *)data, size);
	try_escape(pool, annex_strndup(pool, (const char *)data, size));
	annex_pool_destroy(&pool);
	return 0;
}
