/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * root.c - the root of a group's counts, kept in hand
 *
 * Who adds a row asks the root for its number, has the row counted there, and then asks how
 * many there are.  So the root that was asked for last is kept, and a changed one is written
 * when another is asked for, or when the turn ends: once for all that happened to a group in a
 * row.  It is no cache beyond the turn: what an undone turn had in hand is dropped with it.
 */
#include "config.h"

#include "inside.h"

struct annex_key
count_root_key(const void *group, size_t len)
{
	struct annex_key key = key_system(SYSTEM_ROOT);

	key_append(&key, group, len);
	return key;
}

static bool
is_in_hand(const struct root *root, const struct annex_key *group)
{
	return root->key.len == SYSTEM_STEM + group->len &&
	    memcmp(root->key.bytes + SYSTEM_STEM, group->bytes, group->len) == 0;
}

/* Who reads roots by another way calls this before. */
int
root_write(struct annex_store *store)
{
	struct root *root = &store->root;

	if (!root->changed)
		return ANNEX_OK;
	root->changed = false;
	return count_put(store, &root->key, &root->count);
}

void
root_drop(struct annex_store *store)
{
	store->root.key.len = 0;
	store->root.changed = false;
}

int
count_group(struct annex_store *store, const struct annex_key *group, struct count *count_r)
{
	struct root *root = &store->root;
	struct annex_key key;
	int rc;

	if (!is_in_hand(root, group)) {
		if ((rc = root_write(store)) < 0)
			return rc;
		root_drop(store);
		key = count_root_key(group->bytes, group->len);
		if ((rc = count_read(store, &key, &root->count)) < 0)
			return rc;
		root->key = key;
	}
	*count_r = root->count;
	return ANNEX_OK;
}

void
count_group_put(struct annex_store *store, const struct annex_key *group, const struct count *count)
{
	struct root *root = &store->root;

	CHECK(is_in_hand(root, group)); /* nobody changes what they did not ask for */
	root->count = *count;
	root->changed = store->dirty = true;
}
