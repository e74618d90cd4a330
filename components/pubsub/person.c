/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * person.c - all that is kept of one user: handed out, and erased; and what goes with them
 *
 * Who published an item is in the item alone, so both walk all nodes, a bounded part at a
 * time.  Handing out says where the next part begins.  Erasing is a job: nodes of which they are
 * the only owner go, and of the others what they published, their affiliation and their
 * subscriptions.  An outcast stays one, or it would be a way around it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pubsub.h"

#define LOOK_MAX 5000
#define ROWS_MAX 200

/* Where it goes on: at which node, with which item. */
struct place {
	uint64_t node, item;
};

static bool
is_by(const char *full, const char *bare)
{
	size_t len = strlen(bare);

	return strncmp(full, bare, len) == 0 && (full[len] == '/' || full[len] == '\0');
}

/* The first node from place on that is not deleted; NULL at the end. */
static struct node *
node_next(struct pubsub *p, struct place *place, size_t *looked)
{
	struct annex_key all = key_of(TABLE_NUMBERS);
	struct annex_key from = key_number(TABLE_NUMBERS, place->node);
	struct annex_iter it = annex_iter_from(&all, &from);

	it.keys_only = true;
	while (annex_next(p->store, &it) == ANNEX_AGAIN) {
		uint64_t number = annex_key_number(&it.key, 0);
		struct node *node = node_by_number(p, number);

		++*looked;
		if (number != place->node)
			*place = (struct place) { number, 0 };
		if (node != NULL)
			return node;
	}
	return NULL;
}

/* Items of the node from place on, theirs or not: false at the end. */
static bool
item_next(const struct node *node, struct place *place, const Pubsub__Item **item_r)
{
	struct annex_key prefix = key_number(TABLE_ITEMS, node->shelf);
	struct annex_key from = key_numbers(TABLE_ITEMS, node->shelf, place->item);
	struct annex_iter it = annex_iter_from(&prefix, &from);

	if (annex_next(node->p->store, &it) != ANNEX_AGAIN)
		return false;
	place->item = annex_key_number(&it.key, 1);
	*item_r = (const Pubsub__Item *)it.record;
	return true;
}

/* --- Handing out ------------------------------------------------------------------ */

struct handing {
	struct pubsub *p;
	struct annex_run *run;
	const char *bare;
	size_t looked, rows;
	size_t most; /* bytes of all rows, and of each: an answer has to be sent */
};

static void
row(struct handing *h, const struct node *node, const char *what, int64_t stamp_ms,
    const char *data)
{
	const char *stamp =
	    stamp_ms == 0 ? "" : annex_datetime(annex_scratch(h->p->inst), stamp_ms);

	const char *value[] = { node->name, what, stamp, data, NULL };

	if (annex_run_by(h->run) != NULL && annex_run_row_bytes(h->run, value) > h->most)
		value[3] = annex_sprintf(annex_scratch(h->p->inst),
		    "(%zu bytes, which only annexctl hands out)", strlen(data));
	annex_run_row(h->run, value);
	h->rows++;
}

static bool
has_room(const struct handing *h)
{
	return h->looked < LOOK_MAX && h->rows < ROWS_MAX && annex_run_bytes(h->run) < h->most;
}

static void
hand_out_membership(struct handing *h, struct node *node)
{
	struct annex_pool *pool = annex_scratch(h->p->inst);
	enum rank rank = rank_of(node, h->bare);
	struct sub subs[SUBS_MAX];
	size_t n = subs_of_bare(node, h->bare, subs, SUBS_MAX);

	if (strcmp(node->creator, h->bare) == 0)
		row(h, node, "created", node->created_ms, "");
	if (rank != RANK_NONE)
		row(h, node, "affiliation", 0, rank_name(rank));
	for (size_t i = 0; i < n; i++)
		row(h, node, "subscription", subs[i].since_ms,
		    annex_sprintf(
			pool, "%s %s %s", subs[i].jid, state_name(subs[i].state), subs[i].subid));
}

/* True where the node is done with. */
static bool
hand_out_items(struct handing *h, struct node *node, struct place *at)
{
	const Pubsub__Item *item;

	for (; has_room(h); at->item++) {
		h->looked++;
		if (!item_next(node, at, &item))
			return true;
		if (is_by(item->publisher, h->bare))
			row(h, node, "item", item->stamp_ms,
			    annex_sprintf(annex_scratch(h->p->inst), "%s %s", item->id, item->xml));
	}
	return false;
}

static bool
place_read(struct place *place, const char *text)
{
	char *end;

	*place = (struct place) { 0 };
	if (text == NULL || text[0] == '\0')
		return true;
	place->node = strtoull(text, &end, 10);
	if (*end != '-')
		return false;
	place->item = strtoull(end + 1, &end, 10);
	return *end == '\0';
}

int
run_export(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	static const char *const columns[] = { "node", "what", "stamp", "data", NULL };
	static const char *const labels[] = { "Node", "What", "When", "Data", NULL };
	const struct command_values *v = values;
	const struct annex_jid *jid = annex_jid(annex_scratch(inst), v->jid);
	struct handing h = { .p = annex_state(inst), .run = run, .most = annex_send_max(inst) / 2 };
	struct node *node;
	struct place at;

	(void)stage;
	if (jid == NULL)
		return ANNEX_EINVAL;
	if (!place_read(&at, v->after))
		return command_not_after(run, v->after);
	h.bare = jid->bare;
	annex_run_columns(run, columns, labels);
	while (has_room(&h)) {
		if ((node = node_next(h.p, &at, &h.looked)) == NULL)
			return ANNEX_OK;
		if (at.item == 0)
			hand_out_membership(&h, node);
		if (!hand_out_items(&h, node, &at))
			break;
		at = (struct place) { at.node + 1, 0 };
	}
	annex_run_say(run, "There is more: after=%" PRIu64 "-%" PRIu64, at.node, at.item);
	return ANNEX_OK;
}

/* --- Erasing ---------------------------------------------------------------------- */

struct erasing {
	struct place at;
	char bare[JID_MAX + 1];
};

/* Whether the node is there no more. */
static int
erase_membership(struct node *node, const char *bare, bool *is_gone)
{
	enum rank rank = rank_of(node, bare);
	struct sub subs[SUBS_MAX];
	size_t n = subs_of_bare(node, bare, subs, SUBS_MAX);
	const char *two[2];
	int r = ANNEX_OK;

	*is_gone = rank == RANK_OWNER && owners(node, two, 2) < 2;
	if (*is_gone)
		return node_delete(node, "");
	if (rank > RANK_NONE)
		r = affiliation_put(node, bare, RANK_NONE);
	for (size_t i = 0; i < n && r >= 0; i++)
		r = sub_remove(&subs[i]);
	return r;
}

/* Items of theirs go, those that were published until then: true where the node is done with.  limit goes
 * down; *stay_r is set where some are newer. */
static bool
erase_items(struct node *node, struct place *at, const char *bare, int64_t until_ms, size_t *limit,
    bool *stay_r)
{
	const char **ids = annex_new_array(annex_scratch(node->p->inst), const char *, *limit + 1);
	struct annex_strings gone = { ids, 0 };
	const Pubsub__Item *item;
	bool done = false;

	for (; *limit > 0 && !(done = !item_next(node, at, &item)); at->item++) {
		--*limit;
		if (!is_by(item->publisher, bare))
			continue;
		if (item->stamp_ms > until_ms) {
			*stay_r = true;
			continue;
		}
		ids[gone.count++] = item->id;
		if (must(node->p, item_remove(node, item, at->item)) < 0 ||
		    must(node->p, attach_follow(node, attach_payload(node, item), NULL)) < 0)
			return false;
	}
	if (gone.count > 0 && node->config.notify_retract)
		tell_retracted(node, &gone);
	return done;
}

int
erase_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit)
{
	struct pubsub *p = annex_state(inst);
	struct erasing e;
	struct node *node;
	size_t looked = 0, left = limit / 5;
	bool is_gone = false, stay = false;

	memcpy(&e, state->bytes, sizeof(e));
	while (looked < limit && left > 0) {
		if ((node = node_next(p, &e.at, &looked)) == NULL)
			return ANNEX_OK;
		if (e.at.item == 0 && must(p, erase_membership(node, e.bare, &is_gone)) < 0)
			return ANNEX_ESTORE;
		if (!is_gone && !erase_items(node, &e.at, e.bare, INT64_MAX, &left, &stay))
			break;
		e.at = (struct place) { e.at.node + 1, 0 };
	}
	memcpy(state->bytes, &e, sizeof(e));
	return ANNEX_AGAIN;
}

int
run_erase(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct command_values *v = values;
	const struct annex_jid *jid = annex_jid(annex_scratch(inst), v->jid);
	struct erasing e = { .at = { 0, 0 } };
	int r;

	(void)stage;
	if (jid == NULL || strlen(jid->bare) > JID_MAX)
		return ANNEX_EINVAL;
	strcpy(e.bare, jid->bare);
	if ((r = annex_job_start(inst, "erase", &e, sizeof(e))) < 0)
		return r;
	annex_run_say(run, "What %s has here is being removed.", jid->bare);
	return ANNEX_OK;
}

/* --- Leaving ---------------------------------------------------------------------- */

/* Under a bare JID a row for each node where what they published goes with them, and one for node 0
 * while a job waits that takes it away: so however often somebody leaves, it is done once. */
struct going {
	int64_t until_ms; /* what they publish when they are back stays */
	uint64_t done;    /* with nodes up to this one */
	struct place at;  /* node 0: with the next */
	bool begun, stay;
	char bare[JID_MAX + 1];
};

static struct annex_key
leaving_key(const char *bare, uint64_t node)
{
	struct annex_key key = key_text(TABLE_LEAVING, bare);

	return *annex_key_u64(&key, node);
}

static int
leaving_put(struct pubsub *p, const char *bare, uint64_t node)
{
	struct annex_key key = leaving_key(bare, node);
	Pubsub__Posting record = PUBSUB__POSTING__INIT;

	return annex_put(p->store, &key, &record.base);
}

int
leave_start(struct pubsub *p, const char *bare)
{
	struct going g = { .until_ms = annex_wall_ms(p->inst) };
	struct annex_key prefix = key_text(TABLE_LEAVING, bare);
	struct annex_iter it = annex_iter(&prefix);
	int r;

	it.keys_only = true;
	if (strlen(bare) > JID_MAX || annex_next(p->store, &it) != ANNEX_AGAIN ||
	    annex_key_number(&it.key, 1) == 0)
		return ANNEX_OK;
	strcpy(g.bare, bare);
	if ((r = leaving_put(p, bare, 0)) < 0)
		return r;
	return annex_job_start(p->inst, "leave", &g, sizeof(g));
}

/* What they publish from now on is noted anew. */
static bool
going_next(struct pubsub *p, struct going *g)
{
	struct annex_key prefix = key_text(TABLE_LEAVING, g->bare);
	struct annex_key from = leaving_key(g->bare, g->done + 1);
	struct annex_iter it = annex_iter_from(&prefix, &from);

	it.keys_only = true;
	if (annex_next(p->store, &it) != ANNEX_AGAIN)
		return false;
	from = it.key;
	g->at = (struct place) { annex_key_number(&it.key, 1), 0 };
	g->stay = false;
	annex_delete(p->store, &from);
	return true;
}

int
leave_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit)
{
	struct pubsub *p = annex_state(inst);
	struct annex_key key;
	struct going g;
	struct node *node;
	size_t left = limit / 5;

	memcpy(&g, state->bytes, sizeof(g));
	key = leaving_key(g.bare, 0);
	if (!g.begun)
		annex_delete(p->store, &key);
	g.begun = true;
	for (; left > 0; left -= left > 0) {
		if (g.at.node == 0 && !going_next(p, &g))
			return ANNEX_OK;
		node = node_by_number(p, g.at.node);
		if (node != NULL && node->config.purge_offline &&
		    !erase_items(node, &g.at, g.bare, g.until_ms, &left, &g.stay))
			break;
		if (g.stay && must(p, leaving_put(p, g.bare, g.at.node)) < 0)
			return ANNEX_ESTORE;
		g.done = g.at.node;
		g.at.node = 0;
	}
	memcpy(state->bytes, &g, sizeof(g));
	return ANNEX_AGAIN;
}
