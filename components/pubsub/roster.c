/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * roster.c - who is a contact of a node's owners (XEP-0060 §4.5: the access
 * models presence and roster)
 *
 * The rosters of owners are read where their server grants that (XEP-0356), when somebody asks
 * who is neither affiliated nor known: the request is held until the roster has come.  They
 * are kept in memory, as long as the link where the server tells of changes.  Most servers do
 * not: there they are good for a minute, and read again when somebody asks or something is
 * published.  Who has lost the right meanwhile loses the subscription.  Where nobody tells, nobody
 * new is let in, and nobody is put out.
 */
#include <string.h>

#include <annex/roster.h>

#include "pubsub.h"

#define ROSTERS_MAX 200
#define ITEMS_MAX ((size_t)100000) /* of all of them */
#define KEPT_MS 60000              /* without news of changes; and after a failure */
#define OWNERS_ASKED 10
#define NODES_JUDGED 1000
#define PUSHES_MAX 1000 /* each leaves something behind in the pool of its roster */

struct entry {
	bool sees; /* the presence of the owner */
	struct annex_strings groups;
};

struct roster {
	struct annex_link by_use;
	struct annex_pool *pool;
	const char *account;
	struct annex_map *entries; /* by bare JID; NULL: it did not come */
	bool asked;
	unsigned pushes;
	int64_t until_ms;
};

/* --- What is in memory ------------------------------------------------------------------ */

void
rosters_init(struct pubsub *p)
{
	p->rosters = annex_map_create(annex_pool(p->inst));
	annex_list_init(&p->rosters_used);
	waiting_init(p);
}

static void
roster_forget(struct pubsub *p, struct roster *r)
{
	struct annex_pool *pool = r->pool;

	if (r->entries != NULL)
		p->contacts -= annex_map_count(r->entries);
	annex_map_remove_str(p->rosters, r->account);
	annex_list_remove(&r->by_use);
	annex_pool_destroy(&pool);
}

/* What was granted went with the link, and changes meanwhile are not told. */
void
rosters_forget(struct pubsub *p)
{
	while (!annex_list_is_empty(&p->rosters_used))
		roster_forget(p, annex_container_of(p->rosters_used.next, struct roster, by_use));
}

static struct roster *
roster_find(struct pubsub *p, const char *account)
{
	struct roster *r = annex_map_get_str(p->rosters, account);

	if (r == NULL || r->asked || annex_now_ms(p->inst) < r->until_ms)
		return r;
	roster_forget(p, r);
	return NULL;
}

static struct roster *
roster_make(struct pubsub *p, const char *account)
{
	struct annex_pool *pool;
	struct roster *r;

	while (annex_map_count(p->rosters) >= ROSTERS_MAX || p->contacts > ITEMS_MAX)
		roster_forget(p, annex_container_of(p->rosters_used.prev, struct roster, by_use));
	pool = annex_pool_create(annex_pool(p->inst), "roster");
	r = annex_new(pool, struct roster);
	r->pool = pool;
	r->account = annex_strdup(pool, account);
	annex_map_set_str(p->rosters, account, r);
	annex_list_prepend(&p->rosters_used, &r->by_use);
	return r;
}

static void
entry_set(struct pubsub *p, struct roster *r, const struct annex_roster_item *item)
{
	const struct annex_jid *jid = annex_jid(annex_scratch(p->inst), item->jid);
	bool is_there = strcmp(item->subscription, "remove") != 0;
	struct entry *e = annex_new(r->pool, struct entry);
	const char **groups;
	size_t n = 0;

	if (jid == NULL)
		return;
	while (item->groups[n] != NULL)
		n++;
	e->groups.value = groups = annex_new_array(r->pool, const char *, n + 1);
	for (; e->groups.count < n; e->groups.count++)
		groups[e->groups.count] = annex_strdup(r->pool, item->groups[e->groups.count]);
	e->sees =
	    strcmp(item->subscription, "from") == 0 || strcmp(item->subscription, "both") == 0;
	if (is_there && annex_map_set_str(r->entries, jid->bare, e) == NULL)
		p->contacts++;
	else if (!is_there && annex_map_remove_str(r->entries, jid->bare) != NULL)
		p->contacts--;
}

/* --- Judging -------------------------------------------------------------------------------- */

static bool
is_by_roster(const struct node *node)
{
	return strcmp(node->config.access_model, "presence") == 0 ||
	    strcmp(node->config.access_model, "roster") == 0;
}

static bool
entry_allows(const struct node *node, const struct entry *e)
{
	if (strcmp(node->config.access_model, "presence") == 0)
		return e->sees;
	for (size_t i = 0; i < e->groups.count; i++)
		if (annex_strings_have(&node->config.roster_groups, e->groups.value[i]))
			return true;
	return false;
}

static enum trust
trust_of(const struct node *node, const char *owner, const char *bare)
{
	struct pubsub *p = node->p;
	const struct annex_jid *jid = annex_jid(annex_scratch(p->inst), owner);
	const struct roster *r = roster_find(p, owner);
	const struct entry *e;

	if (jid == NULL || (annex_privileges(p->inst, jid->domain) & ANNEX_MAY_READ_ROSTERS) == 0)
		return TRUST_UNKNOWN;
	if (r == NULL || r->asked)
		return TRUST_LATER;
	if (r->entries == NULL)
		return TRUST_UNKNOWN;
	e = annex_map_get_str(r->entries, bare);
	return e != NULL && entry_allows(node, e) ? TRUST_YES : TRUST_NO;
}

enum trust
roster_trust(const struct node *node, const char *bare)
{
	const char *jids[OWNERS_ASKED];
	size_t n = owners(node, jids, OWNERS_ASKED);
	enum trust trust, best = TRUST_NO;

	if (!is_by_roster(node))
		return TRUST_UNKNOWN;
	for (size_t i = 0; i < n && best != TRUST_YES; i++)
		if ((trust = trust_of(node, jids[i], bare)) > best)
			best = trust;
	return best;
}

bool
roster_is_wanted(const struct request *rq)
{
	return rq->rank == RANK_NONE && roster_trust(rq->node, rq->in->from->bare) == TRUST_LATER;
}

/* --- News ------------------------------------------------------------------------------------- */

/* The nodes that an account owns and whose access it decides are judged anew. */
static void
judge_nodes(struct pubsub *p, const char *account)
{
	struct annex_key prefix = key_text(TABLE_AFFILIATED, account);
	struct annex_iter it = annex_iter(&prefix);
	struct node *node;
	size_t n = 0;

	while (n < NODES_JUDGED && annex_next(p->store, &it) == ANNEX_AGAIN) {
		if (((Pubsub__Affiliation *)it.record)->rank != RANK_OWNER)
			continue;
		n++;
		node = node_by_number(p, annex_key_number(&it.key, 1));
		if (node == NULL || !is_by_roster(node))
			continue;
		must(p, node_judge(node));
		must(p, kept_follow(node, KEPT_JUDGE));
	}
}

/* The node of that number, where the account owns it, or what it is kept for, and its access is decided by
 * rosters.  Others are told apart without being loaded. */
static struct node *
node_of_account(struct pubsub *p, uint64_t number, const char *account)
{
	struct annex_key own = key_number_text(TABLE_OWNERS, number, account);
	const char *name;
	struct node *node;

	if (!annex_has(p->store, &own) &&
	    ((name = node_name_of(p, number)) == NULL || kept_create_fault(name) == FAULT_NONE))
		return NULL;
	node = node_by_number(p, number);
	return node != NULL && is_by_roster(node) && rank_of(node, account) == RANK_OWNER ? node
											  : NULL;
}

/* The subscriptions of somebody that a roster decides about. */
static void
each_sub(struct pubsub *p, const char *account, const char *bare, void (*fn)(struct sub *sub))
{
	struct annex_key prefix = key_text(TABLE_SUBSCRIBERS, bare);
	struct annex_iter it = annex_iter(&prefix);
	struct node *node;
	struct sub sub;

	it.keys_only = true;
	while (annex_next(p->store, &it) == ANNEX_AGAIN) {
		node = node_of_account(p, annex_key_number(&it.key, 1), account);
		if (node != NULL && sub_at(node, annex_key_number(&it.key, 2), &sub))
			fn(&sub);
	}
}

static void
came(struct annex_instance *inst, int status, const char *account,
    const struct annex_roster_item *items, size_t count, const void *cookie, size_t cookie_len)
{
	struct pubsub *p = annex_state(inst);
	const struct annex_jid *jid = annex_jid(annex_scratch(inst), account);
	unsigned may = jid == NULL ? 0 : annex_privileges(inst, jid->domain);
	struct roster *r = annex_map_get_str(p->rosters, account);

	(void)cookie;
	(void)cookie_len;
	if (r == NULL)
		r = roster_make(p, account);
	r->asked = false;
	r->until_ms = annex_now_ms(inst) + (status == ANNEX_EOFFLINE ? 0 : KEPT_MS);
	if (status == ANNEX_OK) {
		r->entries = annex_map_create(r->pool);
		for (size_t i = 0; i < count; i++)
			entry_set(p, r, &items[i]);
	}
	if (status == ANNEX_OK) {
		if ((may & ANNEX_MAY_HEAR_ROSTERS) != 0)
			r->until_ms = INT64_MAX;
		judge_nodes(p, account);
	}
	waiting_wake(p, account);
}

/* --- Asking ------------------------------------------------------------------------------------ */

/* False where it cannot be asked for now. */
static bool
ask(struct pubsub *p, const char *account)
{
	struct roster *r;

	if (roster_find(p, account) != NULL)
		return true;
	r = roster_make(p, account);
	r->asked = true;
	if (annex_roster_get(p->inst, account, came, NULL, 0) >= 0)
		return true;
	roster_forget(p, r);
	return false;
}

void
roster_refresh(const struct node *node)
{
	const char *jids[OWNERS_ASKED];
	size_t n = is_by_roster(node) ? owners(node, jids, OWNERS_ASKED) : 0;

	for (size_t i = 0; i < n; i++)
		if (trust_of(node, jids[i], "") == TRUST_LATER)
			ask(node->p, jids[i]);
}

/* Whoever changes without a roster at hand: it tells. */
static void
ask_about(struct sub *sub)
{
	const char *jids[OWNERS_ASKED];
	size_t n = owners(sub->node, jids, OWNERS_ASKED);

	for (size_t i = 0; i < n; i++)
		if (trust_of(sub->node, jids[i], sub->bare) == TRUST_LATER)
			ask(sub->node->p, jids[i]);
}

void
roster_pushed(
    struct annex_instance *inst, const char *account, const struct annex_roster_item *item)
{
	struct pubsub *p = annex_state(inst);
	struct roster *r = roster_find(p, account);
	const struct annex_jid *jid = annex_jid(annex_scratch(inst), item->jid);

	if (jid == NULL)
		return;
	if (r == NULL || r->entries == NULL) {
		each_sub(p, account, jid->bare, ask_about);
		return;
	}
	entry_set(p, r, item);
	each_sub(p, account, jid->bare, sub_judge);
	if (++r->pushes == PUSHES_MAX)
		roster_forget(p, r); /* and asked for again when somebody needs it */
}

/* Those that are not known, all at once; one of them, or NULL where none can be asked for. */
static const char *
ask_for(const struct request *rq)
{
	const char *jids[OWNERS_ASKED], *one = NULL;
	size_t n = owners(rq->node, jids, OWNERS_ASKED);

	for (size_t i = 0; i < n; i++) {
		if (trust_of(rq->node, jids[i], rq->in->from->bare) != TRUST_LATER)
			continue;
		if (ask(rq->p, jids[i]))
			one = jids[i];
	}
	return one;
}

enum annex_verdict
roster_wait(struct request *rq)
{
	const char *account = waiting_is_full(rq->p) ? NULL : ask_for(rq);

	return account == NULL ? refuse(rq, FAULT_FULL) : waiting_add(rq, account);
}
