/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * admin.c - what operators see of bots, and do for events that failed
 */
#include <inttypes.h>
#include <string.h>

#include "admin.h"
#include "carrier.h"

#define BOT ANNEX_FIELD(struct admin_values, bot, "bot", ANNEX_TEXT_SINGLE, "Bot", .required = true)

static const struct annex_field bot_fields[] = { BOT, { 0 } };

const struct annex_form admin_bot_form = { .title = "Bot", .fields = bot_fields };

struct bot *
admin_bot(struct annex_instance *inst, struct annex_run *run, const char *name)
{
	struct bot *bot = bot_find(annex_state(inst), name);

	if (bot == NULL)
		annex_run_fail(run, ANNEX_ITEM_NOT_FOUND, "There is no such bot.");
	return bot;
}

int
admin_bots(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	static const char *const columns[] = { "bot", "of", "programs", "waiting", "lag", "last",
		NULL };
	static const char *const labels[] = { "Bot", "Of", "Programs", "Waiting",
		"Oldest, in seconds", "Last event", NULL };
	struct annex_pool *pool = annex_scratch(inst);
	struct bots *m = annex_state(inst);
	struct annex_map_iter it = { 0 };

	(void)stage;
	(void)values;
	annex_run_columns(run, columns, labels);
	while (annex_map_next(m->by_name, &it)) {
		const struct bot *bot = it.value;
		const char *row[] = { bot->jid,
			bot->made != NULL ? "a command" : "the configuration",
			annex_sprintf(pool, "%zu", bot->consumer_count),
			annex_sprintf(pool, "%zu", bot->stored),
			annex_sprintf(pool, "%" PRId64, bot_lag_ms(bot) / 1000),
			annex_sprintf(pool, "%" PRIu64, bot->last_seq), NULL };

		annex_run_row(run, row);
	}
	return ANNEX_OK;
}

/* Who still listens?  Those that are probably gone say so. */
int
admin_contacts(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	static const char *const columns[] = { "contact", "sees", "seen", "online", "heard",
		"stale", NULL };
	static const char *const labels[] = { "Contact", "Sees it", "Is seen", "Online",
		"Last heard of", "Probably gone", NULL };
	static const char *const words[] = { "no", "asked", "yes" };
	struct bot *bot = admin_bot(inst, run, ((struct admin_values *)values)->bot);
	struct annex_contact_cursor *cursor = NULL;
	struct annex_contact c;

	(void)stage;
	if (bot == NULL)
		return ANNEX_ENOENT;
	annex_run_columns(run, columns, labels);
	for (size_t n = 0;
	     n < ADMIN_SHOWN_MOST && annex_contact_next(inst, bot->jid, &cursor, &c) == ANNEX_AGAIN;
	     n++) {
		const char *row[] = { c.jid, words[c.out], words[c.in],
			annex_contact_best(inst, bot->jid, c.jid) != NULL ? "yes" : "no",
			c.heard_ms > 0 ? annex_datetime(annex_scratch(inst), c.heard_ms) : "never",
			c.stale ? "yes" : "no", NULL };

		annex_run_row(run, row);
	}
	return ANNEX_OK;
}

int
admin_dead(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	static const char *const columns[] = { "seq", "kind", "from", "when", "why", NULL };
	static const char *const labels[] = { "Number", "Kind", "From", "When", "Why", NULL };
	struct bot *bot = admin_bot(inst, run, ((struct admin_values *)values)->bot);
	struct annex_pool *pool = annex_scratch(inst);
	struct annex_key prefix;
	struct annex_iter it;

	(void)stage;
	if (bot == NULL)
		return ANNEX_ENOENT;
	prefix = bots_key(TABLE_DEAD, bot->name);
	it = annex_iter(&prefix);
	annex_run_columns(run, columns, labels);
	for (size_t n = 0; n < ADMIN_SHOWN_MOST && annex_next(bot->bots->store, &it) == ANNEX_AGAIN;
	     n++) {
		const Bots__Dead *dead = (const Bots__Dead *)it.record;
		const char *row[] = {
			annex_sprintf(pool, "%" PRIu64, annex_key_number(&it.key, 1)),
			dead->event->kind,
			dead->event->from,
			annex_datetime(pool, dead->given_up_ms),
			dead->why,
			NULL,
		};

		annex_run_row(run, row);
	}
	return ANNEX_OK;
}

int
admin_retry(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	struct bot *bot = admin_bot(inst, run, ((struct admin_values *)values)->bot);
	struct annex_key prefix;
	struct annex_iter it;
	size_t n = 0;
	int r;

	(void)stage;
	if (bot == NULL)
		return ANNEX_ENOENT;
	prefix = bots_key(TABLE_DEAD, bot->name);
	it = annex_iter(&prefix);
	while (n < ADMIN_SHOWN_MOST && annex_next(bot->bots->store, &it) == ANNEX_AGAIN) {
		r = event_revive(bot, ((const Bots__Dead *)it.record)->event);
		if (r == ANNEX_ELIMIT)
			break; /* the others when there is room for them */
		if (r != ANNEX_EINVAL &&
		    (r < 0 || (r = annex_delete(bot->bots->store, &it.key)) < 0))
			return bots_must(bot->bots, r);
		n += r != ANNEX_EINVAL;
	}
	annex_run_say(run, "%zu events wait for the programs of %s again.", n, bot->name);
	return ANNEX_OK;
}

int
admin_poke(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	struct bot *bot = admin_bot(inst, run, ((struct admin_values *)values)->bot);

	(void)stage;
	if (bot == NULL)
		return ANNEX_ENOENT;
	dispatch_anew(bot);
	annex_run_say(run, "What failed is tried again now.");
	return ANNEX_OK;
}
