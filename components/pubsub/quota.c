/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * quota.c - how many bytes the items of all nodes take that one user has made
 *
 * The store weighs the items of each node as they come and go.  The sum is memory alone: made
 * from these weights when somebody's is asked for first, and kept up from then on; so no
 * publish writes a row for it.
 */
#include "pubsub.h"

#define SUMMED_MAX 2000 /* nodes of one user that count, the oldest */
#define SUMS_MAX 10000  /* users whose sum is in memory */

struct sum {
	uint64_t bytes;
};

void
quota_init(struct pubsub *p)
{
	p->sums_pool = annex_pool_create(annex_pool(p->inst), "sums");
	p->sums = annex_map_create(p->sums_pool);
}

static uint64_t
bytes_of(struct pubsub *p, uint64_t number)
{
	const char *name = node_name_of(p, number);
	struct annex_key key = key_text(TABLE_NODES, name == NULL ? "" : name);
	ProtobufCMessage *record;
	uint64_t bytes;

	if (name == NULL || annex_get(p->store, &key, &record) < 0)
		return 0;
	key = key_number(TABLE_ITEMS, ((Pubsub__Node *)record)->shelf);
	return annex_weight(p->store, &key, &bytes) < 0 ? 0 : bytes;
}

static struct sum *
sum_make(struct pubsub *p, const char *owner)
{
	struct annex_key prefix = key_text(TABLE_MADE, owner);
	struct annex_iter it = annex_iter(&prefix);
	struct sum *sum;

	if (annex_map_count(p->sums) >= SUMS_MAX) {
		annex_pool_destroy(&p->sums_pool);
		quota_init(p);
	}
	sum = annex_new(p->sums_pool, struct sum);
	it.keys_only = true;
	for (size_t n = 0; n < SUMMED_MAX && annex_next(p->store, &it) == ANNEX_AGAIN; n++)
		sum->bytes += bytes_of(p, annex_key_number(&it.key, 1));
	annex_map_set_str(p->sums, owner, sum);
	return sum;
}

bool
quota_allows(struct pubsub *p, const char *owner, uint64_t before, uint64_t after)
{
	const uint64_t most = (uint64_t)p->set->max_owner_bytes;
	const struct annex_jid *jid;
	const struct sum *sum;

	if (most == 0 || after <= before)
		return true;
	if ((sum = annex_map_get_str(p->sums, owner)) == NULL)
		sum = sum_make(p, owner);
	if (sum->bytes + after - before <= most)
		return true;
	jid = annex_jid(annex_scratch(p->inst), owner);
	return jid != NULL && annex_is_admin(p->inst, jid);
}

void
quota_note(const struct node *node, uint64_t before, uint64_t after)
{
	struct sum *sum;

	if (annex_map_count(node->p->sums) == 0 || node->role != ROLE_NONE ||
	    (sum = annex_map_get_str(node->p->sums, node->creator)) == NULL)
		return;
	sum->bytes += after;
	sum->bytes -= before < sum->bytes ? before : sum->bytes;
}
