/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * affiliation.c - who somebody is to a node (XEP-0060 §4.1): by bare JID
 */
#include <string.h>

#include "pubsub.h"

/* Affiliations that are looked at to find publishers, of whom there is no index. */
#define LOOKED_AT_MAX 500

static const struct {
	const char *name;
	enum rank rank;
} ranks[] = {
	{ "owner", RANK_OWNER },
	{ "publisher", RANK_PUBLISHER },
	{ "publish-only", RANK_PUBLISH_ONLY },
	{ "member", RANK_MEMBER },
	{ "none", RANK_NONE },
	{ "outcast", RANK_OUTCAST },
};

const char *
rank_name(enum rank rank)
{
	for (size_t i = 0; i < sizeof(ranks) / sizeof(*ranks); i++)
		if (ranks[i].rank == rank)
			return ranks[i].name;
	return "none";
}

int
rank_read(const char *text, enum rank *rank_r)
{
	for (size_t i = 0; text != NULL && i < sizeof(ranks) / sizeof(*ranks); i++) {
		if (strcmp(text, ranks[i].name) != 0)
			continue;
		*rank_r = ranks[i].rank;
		return ANNEX_OK;
	}
	return ANNEX_EINVAL;
}

/* Under which number the affiliations are that count for a node: those of the target for one that
 * the service keeps. */
static uint64_t
number_of(const struct node *node)
{
	return node->role == ROLE_NONE ? node->number : node->target;
}

enum rank
rank_of(const struct node *node, const char *bare)
{
	struct annex_key key = key_number_text(TABLE_AFFILIATIONS, number_of(node), bare);
	ProtobufCMessage *record;

	if (annex_get(node->p->store, &key, &record) < 0)
		return RANK_NONE;
	return (enum rank)((Pubsub__Affiliation *)record)->rank;
}

enum rank
rank_of_jid(const struct node *node, const struct annex_jid *jid)
{
	return annex_is_admin(node->p->inst, jid) ? RANK_OWNER : rank_of(node, jid->bare);
}

static int
index_put(
    struct pubsub *p, const struct annex_key *key, const Pubsub__Affiliation *record, bool is_there)
{
	if (is_there)
		return annex_put(p->store, key, &record->base);
	annex_delete(p->store, key);
	return ANNEX_OK;
}

/* Its place in the list of the node: that which it has, or a new one. */
static int
place_find(const struct node *node, const struct annex_key *key, Pubsub__Affiliation *a)
{
	struct annex_key list = key_number(TABLE_MEMBERS, node->number);
	ProtobufCMessage *before;
	int r = annex_get(node->p->store, key, &before);

	if (r == ANNEX_OK)
		a->place = ((Pubsub__Affiliation *)before)->place;
	else if (r == ANNEX_ENOENT && a->rank != RANK_NONE)
		r = annex_sequence(node->p->store, &list, &a->place);
	return r == ANNEX_ENOENT ? ANNEX_OK : r;
}

int
affiliation_put(struct node *node, const char *bare, enum rank rank)
{
	struct pubsub *p = node->p;
	struct annex_key key = key_number_text(TABLE_AFFILIATIONS, node->number, bare);
	Pubsub__Affiliation record = PUBSUB__AFFILIATION__INIT;
	int r;

	record.jid = (char *)(uintptr_t)bare;
	record.rank = rank;
	if ((r = place_find(node, &key, &record)) < 0 ||
	    (r = index_put(p, &key, &record, rank != RANK_NONE)) < 0)
		return r;
	key = key_numbers(TABLE_MEMBERS, node->number, record.place);
	if ((r = index_put(p, &key, &record, rank != RANK_NONE)) < 0)
		return must(p, r);
	key = key_text(TABLE_AFFILIATED, bare);
	annex_key_u64(&key, node->number);
	if ((r = index_put(p, &key, &record, rank != RANK_NONE)) < 0)
		return must(p, r);
	key = key_number_text(TABLE_OWNERS, node->number, bare);
	return must(p, index_put(p, &key, &record, rank == RANK_OWNER));
}

size_t
owners(const struct node *node, const char **jids, size_t most)
{
	struct annex_key prefix = key_number(TABLE_OWNERS, number_of(node));
	struct annex_iter it = annex_iter(&prefix);
	size_t n = 0;

	while (n < most && annex_next(node->p->store, &it) == ANNEX_AGAIN)
		jids[n++] = ((Pubsub__Affiliation *)it.record)->jid;
	return n;
}

size_t
publishers(const struct node *node, const char **jids, size_t most)
{
	struct annex_key prefix = key_number(TABLE_MEMBERS, number_of(node));
	struct annex_iter it = annex_iter(&prefix);
	size_t n = 0;

	for (size_t i = 0; i < LOOKED_AT_MAX && n < most; i++) {
		if (annex_next(node->p->store, &it) != ANNEX_AGAIN)
			break;
		if (((Pubsub__Affiliation *)it.record)->rank == RANK_PUBLISHER)
			jids[n++] = ((Pubsub__Affiliation *)it.record)->jid;
	}
	return n;
}
