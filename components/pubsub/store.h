/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * store.h - the tables, and the structs of forms as rows of them
 */
#ifndef PUBSUB_STORE_H
#define PUBSUB_STORE_H

#include <annex/form.h>
#include <annex/store.h>

#include "pubsub.pb-c.h"

struct pubsub;

enum {
	TABLE_NODES,
	TABLE_NUMBERS,
	TABLE_LISTED,
	TABLE_ITEMS,
	TABLE_ITEM_IDS,
	TABLE_SUBSCRIPTIONS,
	TABLE_SUBSCRIBERS,
	TABLE_PENDING,
	TABLE_AFFILIATIONS,
	TABLE_AFFILIATED,
	TABLE_OWNERS,
	TABLE_WAITING,
	TABLE_DELIVERIES,
	TABLE_TOLD,
	TABLE_CREATED,
	TABLE_SUBSCRIBED,
	TABLE_MEMBERS,
	TABLE_KEPT,
	TABLE_TYPES,
	TABLE_WORDS,
	TABLE_TERMS,
	TABLE_INDEXED,
	TABLE_UNINDEXED,
	TABLE_LEAVING,
	TABLE_MADE,
	TABLE_TOMBSTONES,
	TABLE_ARRIVALS,
	TABLE_IMPORTING,
};
extern const struct annex_table pubsub_tables[];

struct annex_key key_of(int table);
struct annex_key key_text(int table, const char *text);
struct annex_key key_number(int table, uint64_t number);
struct annex_key key_numbers(int table, uint64_t number, uint64_t second);
struct annex_key key_number_text(int table, uint64_t number, const char *text);
/* Whether there are as many rows as may be; most 0: there may be any number. */
bool rows_reach(struct pubsub *p, const struct annex_key *prefix, uint64_t most);
/* Undo the turn where something had been written before: the put that failed must not stand alone. */
int must(struct pubsub *p, int status);

/* --- settings.c: the structs of forms as rows --------------------------------- */

/* What differs between values and baseline, both bound to fields. */
Pubsub__Setting **settings_pack(const struct annex_field *fields, const void *values,
    const void *baseline, size_t *count_r, struct annex_pool *pool);
/* values holds the baseline. */
void settings_unpack(const struct annex_field *fields, void *values,
    Pubsub__Setting *const *setting, size_t count, struct annex_pool *pool);

#endif /* PUBSUB_STORE_H */
