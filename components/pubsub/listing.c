/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * listing.c - answers that are a list: subscriptions, or affiliations, of somebody or of a node
 */
#include "pubsub.h"

struct annex_element *
listing_begin(struct request *rq, const char *name, struct annex_stanza **out_r)
{
	struct annex_element *pubsub, *list;

	*out_r = answer(rq, &pubsub);
	list = annex_add(pubsub, NULL, name);
	if (rq->name != NULL)
		annex_attr_set(list, "node", rq->name);
	return list;
}

/* XEP-0059 §2.1: who did not ask for a page is told of it where it is not all. */
enum annex_verdict
listing_send(struct request *rq, struct annex_stanza *out, const struct annex_element *list,
    const struct annex_page *page, const struct annex_page_result *found)
{
	if (page->present || !found->complete)
		annex_page_add(list->parent, found);
	annex_send(rq->p->inst, out);
	return ANNEX_DONE;
}
