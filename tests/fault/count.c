/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * count.c - a durable counter for every sender, and a log of every message
 *
 * Each message is one change: the sender's counter grows by one, the message's
 * id is written down under the new number, and the answer says the number.  Who
 * kept the answers can hold them against the store.  A body with a number asks
 * for so many bytes of ballast in that entry; "shrink" deletes all that a sender has.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/component.h>
#include <annex/store.h>

#include "tests/fault/count.pb-c.h"

#define BALLAST_MAX (1 << 20)

#ifndef COUNT_VERSION
#define COUNT_VERSION 1
#endif

static const struct annex_key_part counter_key[] = { { "sender", ANNEX_KEY_TEXT }, { 0 } };
static const struct annex_key_part entry_key[] = { { "sender", ANNEX_KEY_TEXT },
	{ "number", ANNEX_KEY_U64 }, { 0 } };

enum { COUNTERS, ENTRIES };

static const struct annex_table count_tables[] = {
	[COUNTERS] = { .number = 1,
	    .name = "counters",
	    .key = counter_key,
	    .record = &count__counter__descriptor,
	    .version = COUNT_VERSION },
	[ENTRIES] = { .number = 2,
	    .name = "entries",
	    .key = entry_key,
	    .record = &count__entry__descriptor,
	    .version = COUNT_VERSION },
	{ 0 },
};

/* The sender's next number, written down; 0 where the store is full, or failed. */
static uint64_t
bump(struct annex_store *store, const char *sender)
{
	struct annex_key key = annex_key(&count_tables[COUNTERS]);
	Count__Counter counter = COUNT__COUNTER__INIT;
	ProtobufCMessage *stored;

	annex_key_text(&key, sender);
	if (annex_get(store, &key, &stored) == ANNEX_OK)
		counter.value = ((Count__Counter *)stored)->value;
	counter.value++;
	return annex_put(store, &key, &counter.base) < 0 ? 0 : counter.value;
}

static int
note(struct annex_instance *inst, const char *sender, uint64_t number, const char *id, size_t bytes)
{
	struct annex_key key = annex_key(&count_tables[ENTRIES]);
	Count__Entry entry = COUNT__ENTRY__INIT;

	annex_key_text(&key, sender);
	annex_key_u64(&key, number);
	entry.id = annex_strdup(annex_scratch(inst), id);
	entry.ballast.len = bytes;
	entry.ballast.data = annex_pool_zalloc(annex_scratch(inst), bytes + 1);
	return annex_put(annex_store(inst), &key, &entry.base);
}

/* What was put before the store refused must go with the rest. */
static enum annex_verdict
count_full(
    struct annex_instance *inst, const struct annex_stanza *in, const char *sender, uint64_t number)
{
	struct annex_key key = annex_key(&count_tables[COUNTERS]);
	Count__Counter counter = COUNT__COUNTER__INIT;

	annex_key_text(&key, sender);
	counter.value = number - 1;
	if (number == 1)
		annex_delete(annex_store(inst), &key);
	else if (number > 1 && annex_put(annex_store(inst), &key, &counter.base) < 0)
		annex_fail_turn(inst, "the counter cannot be put back");
	return annex_refuse(inst, in, ANNEX_RESOURCE_CONSTRAINT, NULL);
}

static enum annex_verdict
count_shrink(struct annex_instance *inst, const struct annex_stanza *in, const char *sender)
{
	struct annex_key counter = annex_key(&count_tables[COUNTERS]);
	struct annex_key entries = annex_key(&count_tables[ENTRIES]);
	struct annex_stanza *out;
	int n;

	annex_key_text(&entries, sender);
	if ((n = annex_delete_some(annex_store(inst), &entries, 4)) < 0)
		return ANNEX_DONE;
	if (n == 0)
		annex_delete(annex_store(inst), annex_key_text(&counter, sender));
	out = annex_reply(inst, in);
	annex_text_appendf(annex_add(out->element, NULL, "body"), "%d", n);
	annex_send(inst, out);
	return ANNEX_DONE;
}

static enum annex_verdict
count_message(struct annex_instance *inst, const struct annex_stanza *in)
{
	const char *sender = in->from->local == NULL ? in->from->domain : in->from->local;
	const char *body = annex_child_text(in->element, NULL, "body");
	long ballast = strtol(body, NULL, 10);
	struct annex_stanza *out;
	uint64_t number;

	if (strcmp(body, "shrink") == 0)
		return count_shrink(inst, in, sender);
	if (ballast < 0 || ballast > BALLAST_MAX)
		return annex_refuse(inst, in, ANNEX_NOT_ACCEPTABLE, NULL);
	number = bump(annex_store(inst), sender);
	if (number == 0)
		return annex_refuse(inst, in, ANNEX_RESOURCE_CONSTRAINT, NULL);
	if (note(inst, sender, number, in->id == NULL ? "" : in->id, (size_t)ballast) < 0)
		return count_full(inst, in, sender, number);
	out = annex_reply(inst, in);
	annex_text_appendf(
	    annex_add(out->element, NULL, "body"), "%llu", (unsigned long long)number);
	annex_send(inst, out);
	return ANNEX_DONE;
}

static const struct annex_route count_routes[] = {
	{ ANNEX_MESSAGE, NULL, "body", count_message },
	{ 0 },
};

ANNEX_MODULE(count) = {
	ANNEX_MODULE_ABI,
	.name = "count",
	.summary = "counts the messages of everybody, durably",
	.routes = count_routes,
	.tables = count_tables,
};
