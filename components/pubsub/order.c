/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * order.c - items in the order in which they were created (XEP-0413)
 *
 * As long as no item was published again but the newest, they were created in the order in
 * which they were published last, and no row is spent on it.  The first to be overwritten behind
 * others parts the two: from then on each item has a row of created.  A node of few
 * items gets them all at once, one of many from a job; until that is done a page in this
 * order is refused for the moment.
 */
#include <string.h>

#include "pubsub.h"

static const struct known {
	const char *by;
	bool by_creation;
} orders[] = {
	{ "creation", true },
	{ "modification", false },
};

/* --- Rows of created --------------------------------------------------------------------- */

static int
created_put(const struct node *node, const Pubsub__Item *item)
{
	struct annex_key key = key_numbers(TABLE_CREATED, node->shelf, item->created);
	Pubsub__Created record = PUBSUB__CREATED__INIT;

	record.id = item->id;
	return annex_put(node->p->store, &key, &record.base);
}

/* For most items from number *next to last: ANNEX_AGAIN where some are left, from *next. */
static int
list_some(const struct node *node, uint64_t *next, uint64_t last, size_t most)
{
	struct annex_key prefix = key_number(TABLE_ITEMS, node->shelf);
	struct annex_key from = key_numbers(TABLE_ITEMS, node->shelf, *next);
	struct annex_iter it = annex_iter_from(&prefix, &from);
	size_t n = 0;
	int r;

	while ((r = annex_next(node->p->store, &it)) == ANNEX_AGAIN) {
		uint64_t number = annex_key_number(&it.key, 1);

		if (number > last)
			return ANNEX_OK;
		if (n++ == most) {
			*next = number;
			return ANNEX_AGAIN;
		}
		if ((r = created_put(node, (Pubsub__Item *)it.record)) < 0)
			return r;
	}
	return r;
}

/* --- Parting -------------------------------------------------------------------------------- */

struct parting {
	uint64_t node, shelf, next, last;
};

static int
part(struct node *node, uint64_t last)
{
	struct parting parting = { node->number, node->shelf, 1, last };
	int r = list_some(node, &parting.next, last, (size_t)node->p->set->items_per_turn);

	if (r < 0)
		return r;
	node->order = r == ANNEX_AGAIN ? ORDER_PARTING : ORDER_OWN;
	if (r == ANNEX_AGAIN &&
	    (r = annex_job_start(node->p->inst, "order", &parting, sizeof(parting))) < 0)
		return r;
	return node_put(node);
}

int
order_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit)
{
	struct pubsub *p = annex_state(inst);
	struct parting parting;
	struct node *node;
	int r;

	memcpy(&parting, state->bytes, sizeof(parting));
	node = node_by_number(p, parting.node);
	if (node == NULL || node->shelf != parting.shelf)
		return ANNEX_OK;
	if ((r = list_some(node, &parting.next, parting.last, limit)) != ANNEX_OK) {
		memcpy(state->bytes, &parting, sizeof(parting));
		return r;
	}
	node->order = ORDER_OWN;
	return must(p, node_put(node));
}

int
order_follow(struct node *node, const Pubsub__Item *item, uint64_t number, uint64_t before)
{
	if (node->order == ORDER_SAME)
		return before == 0 || before + 1 == number ? ANNEX_OK : part(node, number);
	return node->order == ORDER_OWN && before > 0 ? ANNEX_OK : created_put(node, item);
}

int
order_forget(const struct node *node, const Pubsub__Item *item)
{
	struct annex_key key = key_numbers(TABLE_CREATED, node->shelf, item->created);

	return node->order == ORDER_SAME ? ANNEX_OK : annex_delete(node->p->store, &key);
}

/* --- What is asked for ------------------------------------------------------------------------ */

/* No two items are equal in either order, so that the first that is asked for decides. */
enum fault
rows_of_items(struct rows *rows, const struct node *node, const struct annex_element *query)
{
	const struct annex_element *order =
	    query == NULL ? NULL : annex_child(query, NS_ORDER, "order");
	const char *by, *desc;

	*rows = (struct rows) {
		.p = node->p, .prefix = key_number(TABLE_ITEMS, node->shelf), .newest_first = true
	};
	if (order == NULL)
		return FAULT_NONE;
	by = annex_attr(order, "by");
	desc = annex_attr(order, "desc");
	if (by == NULL || (desc != NULL && !annex_datatype_matches("xs:boolean", desc)))
		return FAULT_BAD_REQUEST;
	rows->newest_first = desc != NULL && (strcmp(desc, "1") == 0 || strcmp(desc, "true") == 0);
	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		if (strcmp(orders[i].by, by) != 0)
			continue;
		rows->by_creation = orders[i].by_creation;
		if (rows->by_creation && node->order != ORDER_SAME)
			rows->prefix = key_number(TABLE_CREATED, node->shelf);
		return rows->by_creation && node->order == ORDER_PARTING ? FAULT_FULL : FAULT_NONE;
	}
	return FAULT_UNSUPPORTED_PAGE;
}

bool
rows_have_parted(const struct rows *rows, const struct node *node)
{
	return rows->by_creation && rows_are_of(rows, TABLE_ITEMS) && node->order != ORDER_SAME;
}
