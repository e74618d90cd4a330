/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * disco.c - which bots there are, and who each says it is (XEP-0030)
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"

static const struct annex_identity identities[] = {
	{ "gateway", "bot", "Bots" },
	{ "automation", "command-list", "Commands" },
	{ 0 },
};

#define NS_NOREPLY "urn:xmpp:noreply:0"

struct listing {
	struct annex_disco_item *item;
	void **items;
	struct annex_array array;
};

static struct listing *
listing_make(struct annex_instance *inst, size_t most, const char *(*id_of)(const void *item))
{
	struct annex_pool *pool = annex_scratch(inst);
	struct listing *l = annex_new(pool, struct listing);

	l->item = annex_new_array(pool, struct annex_disco_item, most + 1);
	l->items = annex_new_array(pool, void *, most + 1);
	l->array = (struct annex_array) { .item = l->items, .id_of = id_of };
	return l;
}

static void
listing_add(struct listing *l, const char *jid, const char *node, const char *name)
{
	l->item[l->array.count] = (struct annex_disco_item) { jid, node, name };
	l->items[l->array.count] = &l->item[l->array.count];
	l->array.count++;
}

/* --- The bots, for whoever may talk to them ------------------------------------- */

static const char *
jid_of(const void *item)
{
	return ((const struct annex_disco_item *)item)->jid;
}

static int
by_jid(const void *a, const void *b)
{
	return strcmp(jid_of(a), jid_of(b));
}

/* In order, so that pages of it are. */
static void
list_bots(struct bots *m, const struct annex_stanza *in, struct annex_source *source_r)
{
	struct listing *l = listing_make(m->inst, annex_map_count(m->by_name), jid_of);
	struct annex_map_iter it = { 0 };

	while (annex_map_next(m->by_name, &it)) {
		const struct bot *bot = it.value;

		if (bot_admits(bot, in->from))
			listing_add(l, bot->jid, NULL, bot_name(bot));
	}
	qsort(l->item, l->array.count, sizeof(*l->item), by_jid);
	*source_r = annex_array_source(&l->array);
}

/* --- Its commands, for who may use them (XEP-0050 §2.2) ------------------------- */

static const char *
node_of(const void *item)
{
	return ((const struct annex_disco_item *)item)->node;
}

static void
list_commands(
    struct bot *bot, const struct annex_stanza *in, const char *node, struct annex_source *source_r)
{
	struct commands commands = commands_of(bot);
	struct listing *l = listing_make(bot->bots->inst, commands.count, node_of);

	for (size_t i = 0; node != NULL && i < commands.count; i++) {
		const struct command *c = &commands.at[i];

		if (strcmp(node, ANNEX_NS_COMMANDS) == 0 && command_is_for(bot, c, in->from))
			listing_add(l, bot->jid, c->node, c->name);
	}
	*source_r = annex_array_source(&l->array);
}

static int
items(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_source *source_r, struct annex_error *error_r)
{
	struct bots *m = annex_state(inst);
	struct bot *bot = in->to->local == NULL ? NULL : bot_find(m, in->to->local);

	if (in->to->local == NULL) {
		if (node != NULL)
			return ANNEX_ENOENT;
		list_bots(m, in, source_r);
		return ANNEX_OK;
	}
	if (bot == NULL || !bot_admits(bot, in->from)) {
		error_r->condition = ANNEX_SERVICE_UNAVAILABLE;
		return ANNEX_EDENIED;
	}
	list_commands(bot, in, node, source_r);
	return ANNEX_OK;
}

/* --- Itself --------------------------------------------------------------------- */

static const char *const features[] = { NS_RECEIPTS, NS_MARKERS, NS_STATES, NS_CORRECT,
	ANNEX_NS_COMMANDS, NULL };

static int
info_of_node(
    struct bot *bot, const struct annex_stanza *in, const char *node, struct annex_disco_info *info)
{
	struct commands commands = commands_of(bot);
	const struct command *c = command_find(bot, &commands, node, in->from, false);

	if (strcmp(node, ANNEX_NS_COMMANDS) == 0) {
		annex_disco_identity(info, "automation", "command-list", bot_name(bot));
		return ANNEX_OK;
	}
	if (c == NULL)
		return ANNEX_ENOENT;
	annex_disco_identity(info, "automation", "command-node", c->name);
	annex_disco_feature(info, ANNEX_NS_COMMANDS);
	annex_disco_feature(info, ANNEX_NS_FORM);
	return ANNEX_OK;
}

static int
info(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_disco_info *info, struct annex_error *error_r)
{
	struct bot *bot = in->to->local == NULL ? NULL : bot_find(annex_state(inst), in->to->local);

	if (in->to->local == NULL)
		return ANNEX_ENOENT;
	if (bot == NULL || !bot_admits(bot, in->from)) {
		error_r->condition = ANNEX_SERVICE_UNAVAILABLE;
		return ANNEX_EDENIED;
	}
	if (node != NULL)
		return info_of_node(bot, in, node, info);
	annex_disco_identity(info, "account", "registered", NULL);
	annex_disco_identity(info, "client", "bot", bot_name(bot));
	annex_disco_identity(info, "pubsub", "pep", NULL); /* its picture and its vCard */
	for (const char *const *f = features; *f != NULL; f++)
		annex_disco_feature(info, *f);
	if (bot->set->no_reply)
		annex_disco_feature(info, NS_NOREPLY);
	if (bot_wants(bot, "reaction"))
		annex_disco_feature(info, NS_REACTIONS);
	return ANNEX_OK;
}

const struct annex_disco bots_disco = {
	.identities = identities,
	.info = info,
	.items = items,
};
