/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * delete.c - the end of a node (XEP-0060 §8.4) and of its items (§8.5)
 *
 * In the turn a deleted node's row becomes a tombstone, which says where it has
 * gone, and a purged one gets an empty shelf; what is left is taken away by a job.
 * It begins when all that were subscribed have been told.
 */
#include <string.h>

#include "pubsub.h"

#define REDIRECT_MAX 2048
#define REAPED_A_TURN 5

struct remains {
	uint64_t node, shelf; /* node 0: a shelf alone */
};

/* --- The job ----------------------------------------------------------------------------- */

/* Rows of a table under a number, each with what indexes it; how many went. */
static int
some_subscriptions(struct pubsub *p, uint64_t node, size_t limit)
{
	struct annex_key prefix = key_number(TABLE_SUBSCRIPTIONS, node), key;
	struct annex_pool *pool = annex_scratch(p->inst);
	struct annex_iter it = annex_iter(&prefix);
	int n = 0;

	while ((size_t)n < limit && annex_next(p->store, &it) == ANNEX_AGAIN) {
		const Pubsub__Subscription *record = (Pubsub__Subscription *)it.record;
		const struct annex_jid *jid = annex_jid(pool, record->jid);
		uint64_t number = annex_key_number(&it.key, 1);

		sub_alarms_clear(p, node, number);
		subscriber_remove(p, jid == NULL ? record->jid : jid->bare, node, number);
		key = key_numbers(TABLE_WAITING, node, number);
		annex_sequence_forget(p->store, &key);
		key = it.key;
		annex_delete(p->store, &key);
		n++;
	}
	return n;
}

static int
some_affiliations(struct pubsub *p, uint64_t node, size_t limit)
{
	struct annex_key prefix = key_number(TABLE_AFFILIATIONS, node), key;
	struct annex_iter it = annex_iter(&prefix);
	int n = 0;

	while ((size_t)n < limit && annex_next(p->store, &it) == ANNEX_AGAIN) {
		key = key_text(TABLE_AFFILIATED, ((Pubsub__Affiliation *)it.record)->jid);
		annex_key_u64(&key, node);
		annex_delete(p->store, &key);
		key = it.key;
		annex_delete(p->store, &key);
		n++;
	}
	return n;
}

static const int of_shelf[] = { TABLE_ITEMS, TABLE_ITEM_IDS, TABLE_CREATED, TABLE_WORDS,
	TABLE_TERMS, TABLE_INDEXED, TABLE_UNINDEXED };
static const int of_node[] = { TABLE_PENDING, TABLE_OWNERS, TABLE_WAITING, TABLE_MEMBERS,
	TABLE_IMPORTING };

static int
some_rows(struct pubsub *p, const int *tables, size_t count, uint64_t number, size_t limit)
{
	struct annex_key key;
	int n;

	for (size_t i = 0; i < count; i++) {
		key = key_number(tables[i], number);
		if ((n = annex_delete_some(p->store, &key, limit)) != 0)
			return n;
	}
	return 0;
}

int
remains_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit)
{
	struct pubsub *p = annex_state(inst);
	struct remains r;
	struct annex_key key;
	int n;

	memcpy(&r, state->bytes, sizeof(r));
	if ((n = some_rows(p, of_shelf, sizeof(of_shelf) / sizeof(*of_shelf), r.shelf, limit)) != 0)
		return n < 0 ? n : ANNEX_AGAIN;
	key = key_number(TABLE_ITEMS, r.shelf);
	annex_sequence_forget(p->store, &key);
	if (r.node == 0)
		return ANNEX_OK;
	if (some_subscriptions(p, r.node, limit / 5) > 0 ||
	    some_affiliations(p, r.node, limit / 3) > 0)
		return ANNEX_AGAIN;
	if ((n = some_rows(p, of_node, sizeof(of_node) / sizeof(*of_node), r.node, limit)) != 0)
		return n < 0 ? n : ANNEX_AGAIN;
	key = key_number(TABLE_MEMBERS, r.node);
	annex_sequence_forget(p->store, &key);
	key = key_number(TABLE_SUBSCRIPTIONS, r.node);
	annex_sequence_forget(p->store, &key);
	key = key_number(TABLE_DELIVERIES, r.node);
	return annex_sequence_forget(p->store, &key);
}

int
remains_start(struct pubsub *p, uint64_t node, uint64_t shelf)
{
	const struct remains remains = { node, shelf };

	return annex_job_start(p->inst, "remains", &remains, sizeof(remains));
}

/* --- Purging ------------------------------------------------------------------------------- */

int
node_empty(struct node *node)
{
	struct pubsub *p = node->p;
	struct annex_key key = key_of(TABLE_NUMBERS);
	uint64_t shelf, old = node->shelf;
	int r;

	if ((r = annex_sequence(p->store, &key, &shelf)) < 0)
		return r;
	quota_note(node, items_bytes(node), 0);
	node->shelf = shelf;
	node->order = ORDER_SAME;
	if ((r = node_put(node)) < 0 || (node->attached && (r = kept_follow(node, KEPT_EMPTY)) < 0))
		return must(p, r);
	return must(p, remains_start(p, 0, old));
}

void
node_purge_told(struct node *node)
{
	struct annex_element *event;
	struct annex_stanza *out = event_build(node, NULL, &event);

	annex_attr_set(annex_add(event, NULL, "purge"), "node", node->name);
	if (node->config.notify_retract)
		notify(node, &(struct notice) { .event = EVENT_NODE, .message = out });
}

enum annex_verdict
purge(struct request *rq)
{
	int status;

	if (!rq->node->config.persist_items)
		return refuse(rq, FAULT_UNSUPPORTED_PERSISTENT);
	if ((status = node_empty(rq->node)) < 0)
		return refuse_status(rq, status);
	annex_confirm(rq->p->inst, rq->in);
	node_purge_told(rq->node);
	return ANNEX_DONE;
}

/* --- Tombstones ---------------------------------------------------------------------------- */

/* Nobody need know any more that it was there. */
static void
tombstone_remove(struct pubsub *p, uint64_t number)
{
	const char *name = node_name_of(p, number);
	struct node *node = name == NULL ? NULL : node_find(p, name);
	struct annex_key row = key_number(TABLE_NUMBERS, number);

	annex_delete(p->store, &row);
	if (node == NULL || node->number != number || !node->gone)
		return;
	row = tombstone_key(node);
	annex_delete(p->store, &row);
	row = key_text(TABLE_NODES, node->name);
	annex_delete(p->store, &row);
	node_forget(node);
}

/* Room for one more of who made the node: the oldest go, a few where there may be fewer than before. */
static int
tombstones_make_room(const struct node *node)
{
	struct pubsub *p = node->p;
	struct annex_key prefix = key_text(TABLE_TOMBSTONES, node->creator);
	uint64_t number;
	int r;

	for (int i = 0; i < REAPED_A_TURN; i++) {
		struct annex_iter it = annex_iter(&prefix);

		it.keys_only = true;
		if (!rows_reach(p, &prefix, (uint64_t)p->set->max_tombstones) ||
		    annex_next(p->store, &it) != ANNEX_AGAIN)
			break;
		number = annex_key_number(&it.key, 2);
		if ((r = annex_alarm_clear(p->inst, "tombstone", &number, sizeof(number))) < 0)
			return r;
		tombstone_remove(p, number);
	}
	return ANNEX_OK;
}

/* It is one from now on.  What the service keeps may come again at once. */
static int
tombstone_put(const struct node *node)
{
	struct pubsub *p = node->p;
	bool is_kept = node->role != ROLE_NONE;
	struct annex_key key = tombstone_key(node), made = made_key(node);
	Pubsub__Posting posting = PUBSUB__POSTING__INIT;
	int r;

	if (!is_kept) {
		annex_delete(p->store, &made);
		if ((r = tombstones_make_room(node)) < 0 ||
		    (r = annex_put(p->store, &key, &posting.base)) < 0)
			return r;
	}
	return annex_alarm_set(p->inst, "tombstone", &node->number, sizeof(node->number),
	    node->gone_ms + (is_kept ? 0 : p->set->tombstone_ms));
}

/* --- Deleting ------------------------------------------------------------------------------ */

static void
tell_deleted(struct node *node)
{
	struct annex_element *event, *el;
	struct annex_stanza *out = event_build(node, NULL, &event);

	el = annex_add(event, NULL, "delete");
	annex_attr_set(el, "node", node->name);
	if (node->redirect[0] != '\0')
		annex_attr_set(annex_add(el, NULL, "redirect"), "uri", node->redirect);
	if (node->config.notify_delete)
		notify(node, &(struct notice) { .event = EVENT_DELETE, .message = out });
}

int
node_delete(struct node *node, const char *redirect)
{
	struct pubsub *p = node->p;
	struct annex_key kept = key_numbers(TABLE_KEPT, node->target, node->number);
	int r;

	node->gone = true;
	node->gone_ms = annex_wall_ms(p->inst);
	node->redirect = annex_strdup(node->pool, redirect);
	if ((r = node_put(node)) < 0) {
		node_forget(node);
		return r;
	}
	if ((r = annex_alarm_clear(p->inst, "items", &node->number, sizeof(node->number))) < 0 ||
	    (r = tombstone_put(node)) < 0 || (r = kept_follow(node, KEPT_DELETE)) < 0)
		return must(p, r);
	if (node->role != ROLE_NONE)
		annex_delete(p->store, &kept);
	quota_note(node, items_bytes(node), 0);
	tell_deleted(node);
	return must(p,
	    delivery_goes_on(p, node->number) ? delivery_add_end(node)
					      : remains_start(p, node->number, node->shelf));
}

/* Where the node is from now on; "" where nobody says. */
static enum fault
redirect_read(const struct request *rq, const char **uri_r)
{
	const struct annex_element *redirect = annex_child(rq->el, NS_OWNER, "redirect");
	const char *uri = redirect == NULL ? "" : annex_attr(redirect, "uri");

	if (redirect != NULL &&
	    (uri == NULL || uri[0] == '\0' || strlen(uri) > REDIRECT_MAX ||
		!annex_datatype_matches("xs:anyURI", uri)))
		return FAULT_BAD_REQUEST;
	*uri_r = uri;
	return FAULT_NONE;
}

enum annex_verdict
delete_node(struct request *rq)
{
	const char *uri;
	int status;

	if (redirect_read(rq, &uri) != FAULT_NONE)
		return refuse_saying(rq, FAULT_BAD_REQUEST, "redirect: expected a URI.");
	if ((status = node_delete(rq->node, uri)) < 0)
		return refuse_status(rq, status);
	return annex_confirm(rq->p->inst, rq->in);
}

/* A tombstone's alarm; one of a node that was made anew goes with nothing but its number. */
void
tombstone_due(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms)
{
	uint64_t number;

	(void)key_len;
	(void)due_wall_ms;
	memcpy(&number, key, sizeof(number));
	tombstone_remove(annex_state(inst), number);
}
