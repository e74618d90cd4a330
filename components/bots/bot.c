/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bot.c - the bots there are
 */
#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "carrier.h"
#include "http.h"

/* Numbers of events are reserved in runs, so that not each costs a row; a crash leaves a gap. */
#define SEQ_RUN 1000

struct bot *
bot_find(const struct bots *m, const char *name)
{
	return annex_map_get_str(m->by_name, name);
}

const char *
bot_name(const struct bot *bot)
{
	return *bot->set->nick != '\0' ? bot->set->nick : bot->name;
}

bool
bot_wants(const struct bot *bot, const char *kind)
{
	for (size_t i = 0; i < bot->set->events.count; i++)
		if (strcmp(bot->set->events.value[i], kind) == 0)
			return true;
	return false;
}

static int
put(const struct bot *bot, uint64_t reserved)
{
	struct annex_key key = bots_key(TABLE_BOTS, bot->name);
	Bots__Bot record = BOTS__BOT__INIT;

	record.name = (char *)(uintptr_t)bot->name;
	record.reserved = reserved;
	return annex_put(bot->bots->store, &key, &record.base);
}

int
bot_next_seq(struct bot *bot, uint64_t *seq_r)
{
	int r;

	if (bot->last_seq == bot->reserved_seq) {
		if ((r = put(bot, bot->reserved_seq + SEQ_RUN)) < 0)
			return r;
		bot->reserved_seq += SEQ_RUN;
	}
	*seq_r = ++bot->last_seq;
	return ANNEX_OK;
}

const char *
bot_stanza_id(const struct bot *bot, struct annex_pool *pool, const char *why, uint64_t number)
{
	unsigned char hash[crypto_generichash_BYTES_MIN];
	char *id = annex_pool_alloc(pool, sizeof(hash) * 2 + 1);
	const char *text = annex_sprintf(pool, "%s\n%s\n%" PRIu64, bot->jid, why, number);

	crypto_generichash(hash, sizeof(hash), (const unsigned char *)text, strlen(text), NULL, 0);
	return sodium_bin2hex(id, sizeof(hash) * 2 + 1, hash, sizeof(hash));
}

static int
load(struct bot *bot)
{
	struct annex_key key = bots_key(TABLE_BOTS, bot->name);
	ProtobufCMessage *record;
	int r = annex_get(bot->bots->store, &key, &record);

	if (r < 0 && r != ANNEX_ENOENT)
		return r;
	if (r >= 0)
		bot->last_seq = bot->reserved_seq = ((Bots__Bot *)record)->reserved;
	if ((r = rooms_load(bot)) < 0)
		return r;
	return inbox_load(bot);
}

static void
retry(struct annex_instance *inst, void *cookie)
{
	(void)inst;
	dispatch(cookie);
}

static struct bot *
make(struct bots *m, const char *name, const struct bot_settings *set)
{
	struct annex_pool *pool = annex_pool_create(annex_pool(m->inst), "bot");
	struct bot *bot = annex_new(pool, struct bot);

	bot->magic = BOT_MAGIC;
	bot->bots = m;
	bot->pool = pool;
	bot->set = set;
	bot->name = annex_strdup(pool, name);
	bot->jid = annex_sprintf(pool, "%s@%s", name, annex_domain(m->inst));
	bot->full = annex_sprintf(pool, "%s/bot", bot->jid);
	annex_list_init(&bot->consumers);
	annex_list_init(&bot->waiting);
	annex_list_init(&bot->recent);
	annex_list_init(&bot->spare_lanes);
	annex_list_init(&bot->states);
	annex_list_init(&bot->calls);
	bot->dialogs = annex_map_create(pool);
	bot->sessions = annex_map_create(pool);
	bot->callers = annex_map_borrowing(pool);
	bot->lanes = annex_map_create(pool);
	bot->retry = annex_timer(m->inst, retry, bot);
	expire_begin(bot);
	annex_map_set_str(m->by_name, bot->name, bot);
	return bot;
}

int
bot_begin(struct bots *m, const char *name, const struct bot_settings *set, struct annex_pool *made)
{
	struct bot *bot = make(m, name, set);
	int r;

	bot->made = made;
	if ((r = load(bot)) < 0)
		return r;
	show_begin(bot);
	for (const struct carrier *const *c = carriers; *c != NULL; c++)
		(*c)->start(bot);
	bot_tell_truth(bot);
	return ANNEX_OK;
}

void
bot_end(struct bot *bot)
{
	struct annex_pool *pool = bot->pool;

	bot->ending = true;
	adhoc_end(bot);
	consumers_end(bot);
	http_forget(bot);
	rooms_end(bot);
	annex_map_remove_str(bot->bots->by_name, bot->name);
	annex_timer_free(&bot->retry);
	annex_timer_free(&bot->expiry);
	annex_timer_free(&bot->call_timer);
	annex_timer_free(&bot->states_timer);
	annex_timer_free(&bot->settle_timer);
	annex_timer_free(&bot->busy_timer);
	if (bot->made != NULL)
		annex_pool_destroy(&bot->made);
	annex_pool_destroy(&pool);
}

int
bots_load(struct bots *m)
{
	const struct annex_sections *all = &m->set->bots;
	int r;

	m->by_name = annex_map_create(annex_pool(m->inst));
	for (size_t i = 0; i < all->count; i++)
		if ((r = bot_begin(m, all->name[i], all->settings[i], NULL)) < 0)
			return r;
	return made_load(m);
}
