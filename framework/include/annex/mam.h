/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * mam.h - queries to archives (XEP-0313): what is asked, and the shape of what is answered
 *
 * What an archive holds, and how it is found, is the component's; its pages are rsm.h.
 */
#ifndef ANNEX_MAM_H
#define ANNEX_MAM_H

#include <stdbool.h>
#include <stdint.h>

#include <annex/element.h>
#include <annex/form.h>
#include <annex/jid.h>
#include <annex/rsm.h>
#include <annex/status.h>

#pragma GCC visibility push(default)

struct annex_pool;

#define ANNEX_NS_MAM "urn:xmpp:mam:2"
#define ANNEX_NS_MAM_EXTENDED ANNEX_NS_MAM "#extended"
#define ANNEX_NS_FULLTEXT "urn:xmpp:fulltext:0"

#define ANNEX_MAM_IDS_MAX 250

/* What was asked (§4.1); texts and lists that were not given are NULL and empty. */
struct annex_mam_query {
	const char *query_id, *node; /* attributes; an id of more than 255 bytes is refused */
	const struct annex_jid *with;
	int64_t start_ms, end_ms; /* wall, both included; INT64_MIN and INT64_MAX where not given */
	const char *after_id, *before_id;
	struct annex_strings ids;
	const char *fulltext; /* words to look for */
	bool flip;            /* the last of the page first (§4.2) */
};

/*
 * Read <query/>.  fulltext: whether that filter is known.  Strings are in pool.  ANNEX_EINVAL:
 * answer bad-request, with *why where it is not NULL; ANNEX_EDENIED: there is a field that is not
 * known, answer feature-not-implemented (§4.1.5).
 */
int annex_mam_read(struct annex_mam_query *query_r, const struct annex_element *query,
    bool fulltext, struct annex_pool *pool, const char **why) ANNEX_MUST_CHECK;

/* Append the form of a query (§4.1.5). */
void annex_mam_form_add(struct annex_element *query, bool fulltext);

/* Append <result/> to a message; what was archived goes into the <forwarded/> that is returned. */
struct annex_element *annex_mam_result_add(
    struct annex_element *message, const char *query_id, const char *id, int64_t stamp_ms);

/* Append <fin/>, with the page. */
void annex_mam_fin_add(struct annex_element *iq, const struct annex_page_result *page);

/* Append an end of the archive, "start" or "end", to <metadata/> (§6). */
void annex_mam_end_add(struct annex_element *metadata, const char *name, const char *id,
    int64_t stamp_ms, struct annex_pool *pool);

#pragma GCC visibility pop

#endif /* ANNEX_MAM_H */
