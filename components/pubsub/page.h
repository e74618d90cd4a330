/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * page.h - rows in pages (XEP-0059), and in the order that is asked for (XEP-0413)
 */
#ifndef PUBSUB_PAGE_H
#define PUBSUB_PAGE_H

#include <annex/rsm.h>
#include <annex/store.h>

#include "fault.h"
#include "node.h"
#include "request.h"
#include "pubsub.pb-c.h"

/*
 * Rows of a counted table as a source of pages.  Items (by publishing, TABLE_ITEMS, or by
 * creation, TABLE_CREATED) are named by their ItemID, other rows by their number.
 */
struct rows {
	struct pubsub *p;
	struct annex_key prefix; /* all but the number */
	uint64_t low, high; /* numbers that bound them, themselves left out; 0 where they do not */
	bool newest_first;
	bool by_creation;       /* items in the order of their creation, in either table */
	bool by_place;          /* items are named by their place in the order of publishing */
	bool for_disco;         /* items as struct annex_disco_item */
	bool without_pending;   /* subscriptions of a node, oldest first */
	uint64_t pending_count; /* page.c's */
};
struct annex_source rows_source(struct rows *rows);
/* A number as a text, in scratch, and the other way; 0 of what is none. */
const char *number_text(struct annex_instance *inst, uint64_t number);
uint64_t row_number(const char *id);
bool rows_are_of(const struct rows *rows, int table);
/* The number of the row, the item, that an id names; 0 and NULL where there is none. */
uint64_t row_place(const struct rows *rows, const char *id);
Pubsub__Item *row_item(const struct rows *rows, const char *id);
/* Turn rows of items, by place, into those that have the rarest of some words: the others are left in
 * words; and whether an item has all of some. */
int fulltext_rows(struct rows *rows, struct annex_strings *words) ANNEX_MUST_CHECK;
bool fulltext_has(const struct rows *rows, const struct annex_strings *words, uint64_t place);
/* What a page that could not be fetched is refused with. */
enum fault page_fault(int status);
/*
 * An answer is bounded by bytes as well: leave out what does not fit, at the end that is
 * farther from where the page began; it is asked for by the next.
 */
size_t item_size(const void *item);
void page_fit(struct annex_page_result *found, const struct annex_page *page,
    size_t (*size_of)(const void *item));

/* listing.c: an answer that is a list called name, of the node that was asked for, if one was; sent with
 * its page where one was asked for or it is not all. */
struct annex_element *
listing_begin(struct request *rq, const char *name, struct annex_stanza **out_r);
enum annex_verdict
listing_send(struct request *rq, struct annex_stanza *out, const struct annex_element *list,
    const struct annex_page *page, const struct annex_page_result *found);

/* --- order.c -------------------------------------------------------------- */

/* Items of a node, in the order that query asks for (XEP-0413); without an order the newest first. */
enum fault rows_of_items(
    struct rows *rows, const struct node *node, const struct annex_element *query) ANNEX_MUST_CHECK;
/* Whether they are no longer in the order that was asked for, since it has parted from the other. */
bool rows_have_parted(const struct rows *rows, const struct node *node);
/* An item was put at number, and no longer is at before (or 0). */
int order_follow(
    struct node *node, const Pubsub__Item *item, uint64_t number, uint64_t before) ANNEX_MUST_CHECK;
/* It goes. */
int order_forget(const struct node *node, const Pubsub__Item *item) ANNEX_MUST_CHECK;

/* --- disco.c, filter.c -------------------------------------------------------- */

/* The number of a node of that name that is listed, or 0; and one as an item of the service. */
uint64_t listed_number(struct pubsub *p, const char *name);
bool listed_take(struct pubsub *p, const Pubsub__Listed *record, annex_take_fn *take, void *taker);
/* Nodes as <filter/> wants them; ANNEX_EINVAL where it is none. */
int filter_source(struct pubsub *p, const struct annex_element *filter,
    struct annex_source *source_r) ANNEX_MUST_CHECK;

#endif /* PUBSUB_PAGE_H */
