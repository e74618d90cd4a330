/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * sequence.c - numbers that are given out once
 *
 * The highest so far under a prefix is a row of its own.  Of a group of a counted table
 * the root of its counts has it, which a put changes anyway: so the next number of what
 * grows by rows, as most do, costs no page more.  Such a group may have the row from when the
 * table was not counted: the root takes it over with the first number that it gives out.
 */
#include "config.h"

#include "inside.h"

static struct annex_key
sequence_key(const void *prefix, size_t len)
{
	struct annex_key key = key_system(SYSTEM_SEQUENCE);

	key_append(&key, prefix, len);
	return key;
}

/* The last number under a prefix, as what says so has it. */
struct sequence {
	uint64_t last;
	struct count root;
	bool is_group; /* the root is there to keep it */
};

/* The highest number in the rows under prefix, if any. */
static int
sequence_seen(struct annex_store *store, const struct annex_key *prefix, struct sequence *s)
{
	struct annex_iter it = annex_iter_backwards(prefix);
	int rc;

	it.keys_only = true;
	if ((rc = annex_next(store, &it)) == ANNEX_AGAIN)
		s->last = annex_key_number(&it.key, prefix->parts);
	return rc;
}

static int
sequence_row(struct annex_store *store, const struct annex_key *key, uint64_t *last)
{
	ProtobufCMessage *row;
	int rc = system_get(store, key, &annex__store__sequence__descriptor, &row);

	if (rc == ANNEX_OK && ((Annex__Store__Sequence *)row)->last > *last)
		*last = ((Annex__Store__Sequence *)row)->last;
	return rc == ANNEX_ENOENT ? ANNEX_OK : rc;
}

static int
sequence_put(struct annex_store *store, const struct annex_key *key, uint64_t last)
{
	Annex__Store__Sequence row = ANNEX__STORE__SEQUENCE__INIT;

	row.last = last;
	return system_put(store, key, &row.base);
}

static int
sequence_get(struct annex_store *store, const struct annex_key *prefix, struct sequence *s)
{
	const struct annex_table *table = prefix->table;
	struct annex_key key = sequence_key(prefix->bytes, prefix->len);
	int rc;

	CHECK(table->key[prefix->parts].type == ANNEX_KEY_U64);
	*s = (struct sequence) { .is_group = table->counted &&
		    prefix->parts + 1u == key_table_parts(table) };
	if ((rc = store_use(store)) < 0 ||
	    (s->is_group && (rc = count_group(store, prefix, &s->root)) < 0))
		return rc;
	s->last = s->root.last;
	if (s->last > 0)
		return ANNEX_OK;
	if (!(s->is_group && s->root.rows == 0) && (rc = sequence_seen(store, prefix, s)) < 0)
		return rc;
	return sequence_row(store, &key, &s->last);
}

static int
sequence_set(struct annex_store *store, const struct annex_key *prefix, struct sequence *s)
{
	struct annex_key key = sequence_key(prefix->bytes, prefix->len);

	if (!s->is_group)
		return sequence_put(store, &key, s->last);
	s->root.last = s->last;
	count_group_put(store, prefix, &s->root);
	return ANNEX_OK;
}

int
sequence_raise(struct annex_store *store, const struct annex_key *prefix, uint64_t last)
{
	struct sequence s;
	int rc = sequence_get(store, prefix, &s);

	if (rc < 0 || s.last >= last)
		return rc;
	s.last = last;
	return sequence_set(store, prefix, &s);
}

int
sequence_leave(struct annex_store *store, const void *group, size_t len, uint64_t last)
{
	struct annex_key key = sequence_key(group, len);
	uint64_t before = 0;
	int rc = sequence_row(store, &key, &before);

	return rc < 0 || before >= last ? rc : sequence_put(store, &key, last);
}

int
annex_sequence_last(struct annex_store *store, const struct annex_key *prefix, uint64_t *number_r)
{
	struct sequence s;
	int rc = sequence_get(store, prefix, &s);

	*number_r = s.last;
	return rc;
}

int
annex_sequence(struct annex_store *store, const struct annex_key *prefix, uint64_t *number_r)
{
	struct annex_key key = sequence_key(prefix->bytes, prefix->len);
	struct sequence s;
	int rc;

	if ((rc = sequence_get(store, prefix, &s)) < 0)
		return rc;
	if (s.last == UINT64_MAX)
		return ANNEX_ELIMIT;
	s.last++;
	if ((rc = space_admit(store, &key, 16)) < 0 || (rc = sequence_set(store, prefix, &s)) < 0)
		return rc;
	*number_r = s.last;
	return ANNEX_OK;
}

int
annex_sequence_forget(struct annex_store *store, const struct annex_key *prefix)
{
	struct annex_key key = sequence_key(prefix->bytes, prefix->len);
	struct sequence s;
	int rc;

	if ((rc = sequence_get(store, prefix, &s)) < 0)
		return rc;
	if (s.root.last > 0) {
		s.root.last = 0;
		count_group_put(store, prefix, &s.root);
	}
	return system_delete(store, &key);
}
