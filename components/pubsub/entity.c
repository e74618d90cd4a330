/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * entity.c - what somebody has with all nodes, or with one (XEP-0060 §5.6 and
 * §5.7); nothing is an empty list, never an error
 *
 * The lists of all nodes come in pages (XEP-0059); with one node there are never many.
 */
#include <string.h>

#include "pubsub.h"

#define LISTED_MAX 500

/* A line of such a list: a subscription, or an affiliation. */
struct line {
	struct node *node;
	struct sub sub;
	enum rank rank;
};

static size_t
line_size(const void *item)
{
	const struct line *line = item;

	return strlen(line->node->name) + 100 +
	    (line->sub.jid == NULL ? 0 : strlen(line->sub.jid) + strlen(line->sub.subid));
}

/* A page of rows as lines; what has just gone is left out. */
static enum fault
fetch(struct request *rq, struct rows *rows,
    bool (*read)(struct pubsub *p, const char *id, const void *record, struct line *line_r),
    struct annex_page *page_r, struct annex_page_result *found_r)
{
	const struct annex_source source = rows_source(rows);
	struct annex_pool *pool = annex_scratch(rq->p->inst);
	struct line *lines;
	size_t n = 0;
	int r;

	if (annex_page_read(page_r, rq->in->payload, LISTED_MAX, LISTED_MAX) < 0)
		return FAULT_BAD_REQUEST;
	if ((r = annex_page_fetch(&source, page_r, pool, found_r)) < 0)
		return page_fault(r);
	lines = annex_new_array(pool, struct line, found_r->count + 1);
	for (size_t i = 0; i < found_r->count; i++) {
		if (!read(rq->p, found_r->id[i], found_r->item[i], &lines[n]))
			continue;
		found_r->id[n] = found_r->id[i];
		found_r->item[n] = &lines[n];
		n++;
	}
	found_r->count = n;
	page_fit(found_r, page_r, line_size);
	return FAULT_NONE;
}

static bool
subscription_read(struct pubsub *p, const char *id, const void *record, struct line *line_r)
{
	const Pubsub__Subscribed *s = record;

	(void)id;
	line_r->node = node_by_number(p, s->node);
	return line_r->node != NULL && sub_at(line_r->node, s->number, &line_r->sub);
}

static bool
affiliation_read(struct pubsub *p, const char *id, const void *record, struct line *line_r)
{
	line_r->node = node_by_number(p, row_number(id));
	line_r->rank = (enum rank)((const Pubsub__Affiliation *)record)->rank;
	return line_r->node != NULL;
}

static enum annex_verdict
subscriptions_at(struct request *rq)
{
	struct annex_stanza *out;
	struct annex_element *list = listing_begin(rq, "subscriptions", &out);
	struct sub subs[SUBS_MAX];
	size_t n =
	    rq->node == NULL ? 0 : subs_of_bare(rq->node, rq->in->from->bare, subs, SUBS_MAX);

	for (size_t i = 0; i < n; i++)
		sub_add(list, &subs[i], true);
	annex_send(rq->p->inst, out);
	return ANNEX_DONE;
}

enum annex_verdict
own_subscriptions(struct request *rq)
{
	struct rows rows = { .p = rq->p, .prefix = key_text(TABLE_SUBSCRIBED, rq->in->from->bare) };
	struct annex_page_result found;
	struct annex_page page;
	struct annex_stanza *out;
	struct annex_element *list;
	enum fault fault;

	if (rq->name != NULL)
		return subscriptions_at(rq);
	if ((fault = fetch(rq, &rows, subscription_read, &page, &found)) != FAULT_NONE)
		return refuse(rq, fault);
	list = listing_begin(rq, "subscriptions", &out);
	for (size_t i = 0; i < found.count; i++)
		sub_add(list, &((struct line *)found.item[i])->sub, true);
	return listing_send(rq, out, list, &page, &found);
}

static void
affiliation_add(struct annex_element *list, const struct node *node, enum rank rank)
{
	struct annex_element *el = annex_add(list, NULL, "affiliation");

	annex_attr_set(el, "node", node->name);
	annex_attr_set(el, "affiliation", rank_name(rank));
}

static enum annex_verdict
affiliation_at(struct request *rq)
{
	struct annex_stanza *out;
	struct annex_element *list = listing_begin(rq, "affiliations", &out);
	enum rank rank = rq->node == NULL ? RANK_NONE : rank_of(rq->node, rq->in->from->bare);

	if (rank != RANK_NONE)
		affiliation_add(list, rq->node, rank);
	annex_send(rq->p->inst, out);
	return ANNEX_DONE;
}

enum annex_verdict
own_affiliations(struct request *rq)
{
	struct rows rows = { .p = rq->p, .prefix = key_text(TABLE_AFFILIATED, rq->in->from->bare) };
	struct annex_page_result found;
	struct annex_page page;
	struct annex_stanza *out;
	struct annex_element *list;
	enum fault fault;

	if (rq->name != NULL)
		return affiliation_at(rq);
	if ((fault = fetch(rq, &rows, affiliation_read, &page, &found)) != FAULT_NONE)
		return refuse(rq, fault);
	list = listing_begin(rq, "affiliations", &out);
	for (size_t i = 0; i < found.count; i++) {
		const struct line *line = found.item[i];

		affiliation_add(list, line->node, line->rank);
	}
	return listing_send(rq, out, list, &page, &found);
}
