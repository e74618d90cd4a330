/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * disco.c - who a bot says it is (XEP-0030)
 */
#include <string.h>

#include "bots.h"

static const struct annex_identity identities[] = {
	{ "gateway", "bot", "Bots" },
	{ 0 },
};

static int
info(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_disco_info *info, struct annex_error *error_r)
{
	const struct bots *m = annex_state(inst);
	const struct bot *bot = in->to->local == NULL ? NULL : bot_find(m, in->to->local);

	if (in->to->local == NULL)
		return ANNEX_ENOENT;
	if (bot == NULL) {
		error_r->condition = ANNEX_SERVICE_UNAVAILABLE;
		return ANNEX_EDENIED;
	}
	if (node != NULL)
		return ANNEX_ENOENT;
	annex_disco_identity(
	    info, "client", "bot", *bot->set->nick != '\0' ? bot->set->nick : bot->name);
	annex_disco_feature(info, NS_RECEIPTS);
	return ANNEX_OK;
}

const struct annex_disco bots_disco = {
	.identities = identities,
	.info = info,
};
