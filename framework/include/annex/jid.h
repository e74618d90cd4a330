/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * jid.h - addresses
 *
 * A struct annex_jid is prepared (RFC 6122: nodeprep, nameprep,
 * resourceprep) and never changes; two are equal where their texts are.
 * Its strings live as long as the pool it was parsed into.
 */
#ifndef ANNEX_JID_H
#define ANNEX_JID_H

#include <stdbool.h>
#include <stddef.h>

#include <annex/status.h>

#pragma GCC visibility push(default)

struct annex_pool;

#define ANNEX_JID_PART_MAX 1023 /* bytes of each part, RFC 6122 §2 */
#define ANNEX_JID_MAX (3 * ANNEX_JID_PART_MAX + 2)

struct annex_jid {
	const char *full;  /* local@domain/resource, as far as there are */
	const char *bare;  /* local@domain */
	const char *local; /* NULL where there is none */
	const char *domain;
	const char *resource; /* NULL where there is none */
};

/*
 * Parse and prepare.  NULL where it is not a JID: also where it would change
 * again if it were prepared again, so that nobody disagrees about whose it is.
 */
const struct annex_jid *annex_jid(struct annex_pool *pool, const char *text);
const struct annex_jid *annex_jid_n(struct annex_pool *pool, const char *text, size_t len);

/* From parts (local and resource may be NULL), prepared; NULL where one is not allowed. */
const struct annex_jid *annex_jid_make(
    struct annex_pool *pool, const char *local, const char *domain, const char *resource);

const struct annex_jid *annex_jid_copy(struct annex_pool *pool, const struct annex_jid *jid);
const struct annex_jid *annex_jid_bare(struct annex_pool *pool, const struct annex_jid *jid);

bool annex_jid_equal(const struct annex_jid *a, const struct annex_jid *b);
bool annex_jid_bare_equal(const struct annex_jid *a, const struct annex_jid *b);

/* Prepare one part alone; NULL where it is not allowed.  _strict refuses
 * code points that Unicode 3.2 had not assigned (emoji among them). */
const char *annex_prep_local(struct annex_pool *pool, const char *text);
const char *annex_prep_domain(struct annex_pool *pool, const char *text);
const char *annex_prep_resource(struct annex_pool *pool, const char *text);
const char *annex_prep_resource_strict(struct annex_pool *pool, const char *text);

/*
 * XEP-0106: a text as a localpart (to be prepared still), and back.  escape
 * returns NULL where the text is empty or has a space at an end, which
 * cannot be escaped (§3.2); unescape leaves such a "\20" as it is.
 */
const char *annex_jid_escape(struct annex_pool *pool, const char *text);
const char *annex_jid_unescape(struct annex_pool *pool, const char *local);

#pragma GCC visibility pop

#endif /* ANNEX_JID_H */
