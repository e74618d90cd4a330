/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * archive.h - one query to a node as an archive (archive.c, sift.c)
 */
#ifndef PUBSUB_ARCHIVE_H
#define PUBSUB_ARCHIVE_H

#include <annex/mam.h>
#include <annex/query.h>

#include "pubsub.h"

struct query {
	struct pubsub *p;
	struct node *node; /* good while a slice is looked at */
	struct annex_mam_query asked;
	struct rows rows;
	struct annex_strings words; /* that items must have, besides those of rows */
	const char *to;
	/* Of one that looks at items: */
	struct annex_pool *pool; /* its own */
	uint64_t number, shelf;
	struct annex_page page;
	struct annex_page_result found;
	char last[24]; /* looked at last; "": nothing yet */
	size_t looked; /* of a slice */
	bool is_full, is_more;
};

/* Items of a page, in their order or flipped; false where they do not all go out. */
bool archive_page_send(const struct query *q, const struct annex_page_result *page);
void archive_fin_send(
    const struct query *q, struct annex_stanza *out, const struct annex_page_result *page);
/* Look at items one by one, for those that match. */
enum annex_verdict archive_sift(struct request *rq, const struct query *asked);
/* Whether it is of whom is asked for, and has the words. */
bool archive_matches(const struct query *q, uint64_t place, const Pubsub__Item *item);

#endif /* PUBSUB_ARCHIVE_H */
