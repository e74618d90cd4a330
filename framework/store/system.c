/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * system.c - the rows of table 0, which the store keeps about itself
 */
#include "config.h"

#include "inside.h"

const ProtobufCMessageDescriptor *
system_type(unsigned char kind)
{
	switch (kind) {
	case SYSTEM_FORMAT:
		return &annex__store__format__descriptor;
	case SYSTEM_TABLE:
		return &annex__store__table__descriptor;
	case SYSTEM_SEQUENCE:
		return &annex__store__sequence__descriptor;
	case SYSTEM_ROOT:
	case SYSTEM_NODE:
		return &annex__store__count__descriptor;
	default:
		return NULL;
	}
}

/* Where the transaction has begun; ANNEX_ENOENT where there is no such row. */
int
system_get(struct annex_store *store, const struct annex_key *key,
    const ProtobufCMessageDescriptor *type, ProtobufCMessage **record_r)
{
	MDB_val k = key_val(key), v;
	const unsigned char *bytes;
	const char *why;
	size_t len;
	int rc = store->io->get(store->io, store->txn, &k, &v);

	if (rc == MDB_NOTFOUND)
		return ANNEX_ENOENT;
	if (rc != 0)
		return store_fail(store, rc, "read");
	if ((bytes = record_open(key->bytes, key->len, v.mv_data, v.mv_size, &len, &why)) == NULL)
		return store_fail_row(store, key, why);
	if ((*record_r = record_decode(type, bytes, len, store->scratch)) == NULL)
		return store_fail_row(store, key, "cannot be decoded");
	return ANNEX_OK;
}

int
system_put(struct annex_store *store, const struct annex_key *key, const ProtobufCMessage *record)
{
	MDB_val k = key_val(key), v;
	int rc;

	record_seal(&store->record, key, record);
	v = (MDB_val) { store->record.len, store->record.data };
	if ((rc = store_change(store, &k, &v, 0)) != 0)
		return store_fail(store, rc, "write");
	store_wrote(store, k.mv_size + store->record.len);
	return ANNEX_OK;
}

int
system_delete(struct annex_store *store, const struct annex_key *key)
{
	MDB_val k = key_val(key);
	int rc = store_change(store, &k, NULL, 0);

	if (rc == MDB_NOTFOUND)
		return ANNEX_OK;
	if (rc != 0)
		return store_fail(store, rc, "delete");
	store_wrote(store, k.mv_size);
	return ANNEX_OK;
}
