/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * disco.c - who a bot says it is (XEP-0030)
 */
#include <string.h>

#include "command.h"

static const struct annex_identity identities[] = {
	{ "gateway", "bot", "Bots" },
	{ 0 },
};

/* Its commands, for who may use them (XEP-0050 §2.2). */
struct listing {
	struct annex_disco_item *item;
	void **items;
	struct annex_array array;
};

static const char *
item_id(const void *item)
{
	return ((const struct annex_disco_item *)item)->node;
}

static int
items(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_source *source_r, struct annex_error *error_r)
{
	struct bot *bot = in->to->local == NULL ? NULL : bot_find(annex_state(inst), in->to->local);
	struct listing *l = annex_new(annex_scratch(inst), struct listing);
	struct commands commands;

	if (in->to->local == NULL)
		return ANNEX_ENOENT;
	if (bot == NULL || !bot_admits(bot, in->from)) {
		error_r->condition = ANNEX_SERVICE_UNAVAILABLE;
		return ANNEX_EDENIED;
	}
	commands = commands_of(bot);
	l->item = annex_new_array(annex_scratch(inst), struct annex_disco_item, commands.count + 1);
	l->items = annex_new_array(annex_scratch(inst), void *, commands.count + 1);
	l->array = (struct annex_array) { .item = l->items, .id_of = item_id };
	for (size_t i = 0; node != NULL && i < commands.count; i++) {
		const struct command *c = &commands.at[i];

		if (strcmp(node, ANNEX_NS_COMMANDS) != 0 || !command_is_for(bot, c, in->from))
			continue;
		l->item[l->array.count] = (struct annex_disco_item) { bot->jid, c->node, c->name };
		l->items[l->array.count] = &l->item[l->array.count];
		l->array.count++;
	}
	*source_r = annex_array_source(&l->array);
	return ANNEX_OK;
}

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
	for (const char *const *f = features; *f != NULL; f++)
		annex_disco_feature(info, *f);
	return ANNEX_OK;
}

const struct annex_disco bots_disco = {
	.identities = identities,
	.info = info,
	.items = items,
};
