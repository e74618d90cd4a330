/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * made.c - bots that operators make by a command
 *
 * Such a bot is a row with the options that were set, by their names and in
 * the words of the configuration: one table reads both.  Which programs are run
 * is for the configuration alone, since whoever has taken over an admin's
 * account must not choose what is executed here; the programs of these bots
 * come by the socket, or over HTTP.
 *
 * Where the configuration has a bot of that name it counts, and the row waits.
 * A bot that is removed is gone at once; a job deletes what is kept of it, but
 * for the number of its last event: no number is used twice.
 */
#include <inttypes.h>
#include <string.h>

#include "admin.h"
#include "carrier.h"

/* What a command may set. */
static const struct annex_choice settable[] = {
	{ "nick", "Name that people see" },
	{ "about", "What it is for" },
	{ "policy", "Who may have it as a contact" },
	{ "tokens", "Tokens with which anybody may" },
	{ "status", "Status while a program is there" },
	{ "absent", "What is seen while none is" },
	{ "busy", "What is seen while they have too much to do" },
	{ "users", "Users whose programs may attach" },
	{ "events", "Events that it gets" },
	{ "ack", "What acknowledges an event" },
	{ "dispatch", "Which program gets an event" },
	{ "window", "Events that a program may have" },
	{ "tries", "How often an event is tried" },
	{ "max-queue", "Events that may wait" },
	{ "max-queue-each", "Events of one contact that may wait" },
	{ "ttl-message", "How long a message may wait" },
	{ "ttl-command", "How long a command may wait" },
	{ "ttl-answer", "How long an answer may wait" },
	{ "ttl-undelivered", "How long what another bot could not deliver may wait" },
	{ "ttl-contact", "How long it may wait who came and went" },
	{ "ttl-receipt", "How long a receipt may wait" },
	{ "ttl-reaction", "How long a reaction may wait" },
	{ "ttl-timer", "How long a timer may wait" },
	{ "ttl-beat", "How long it may wait what workers did" },
	{ 0 },
};

static const struct annex_choice policies[] = {
	{ "open", "Anybody" },
	{ "domain", "Users of local domains" },
	{ "approve", "Whom its program allows" },
	{ "preauth", "Who has a token" },
	{ "closed", "Nobody" },
	{ 0 },
};

#define FIELD(member_, type_, label_, ...) \
	ANNEX_FIELD(struct admin_values, member_, #member_, type_, label_, __VA_ARGS__)

static const struct annex_field add_fields[] = {
	FIELD(bot, ANNEX_TEXT_SINGLE, "Bot", .required = true),
	FIELD(nick, ANNEX_TEXT_SINGLE, "Name that people see", .max = 256),
	FIELD(about, ANNEX_TEXT_SINGLE, "What it is for", .max = 1024),
	FIELD(policy, ANNEX_LIST_SINGLE, "Who may have it as a contact", .choices = policies),
	{ 0 },
};
static const struct annex_field set_fields[] = {
	FIELD(bot, ANNEX_TEXT_SINGLE, "Bot", .required = true),
	FIELD(option, ANNEX_LIST_SINGLE, "Option", .choices = settable, .required = true),
	FIELD(value, ANNEX_TEXT_SINGLE, "Value; what it is without one, if empty", .max = 4096),
	{ 0 },
};

const struct annex_form made_add_form = { .title = "Make a bot", .fields = add_fields };
const struct annex_form made_set_form = { .title = "Set an option of a bot", .fields = set_fields };

/* --- Rows -------------------------------------------------------------------------- */

static Bots__Made *
made_row(struct bots *m, const char *name)
{
	struct annex_key key = bots_key(TABLE_MADE, name);
	ProtobufCMessage *record;

	return annex_get(m->store, &key, &record) < 0 ? NULL : (Bots__Made *)record;
}

static const char *
prepare(struct annex_pool *pool, const char *text)
{
	const struct annex_jid *jid = annex_jid(pool, text);

	return jid != NULL ? jid->full : NULL;
}

/* An option of a row that this version does not take is left at its preset. */
static int
settings_of(struct bots *m, const char *name, const Bots__Made *row, struct annex_pool *pool,
    struct bot_settings **set_r)
{
	struct bot_settings *set = annex_new(pool, struct bot_settings);
	const char *why;
	int r;

	if ((r = annex_options_preset(bot_options, set, pool)) < 0)
		return r;
	for (size_t i = 0; i < row->n_setting; i++)
		if (annex_option_set(bot_options, set, row->setting[i]->name, row->setting[i]->text,
			prepare, pool, &why) < 0)
			annex_log(m->inst, ANNEX_LOG_ERROR, "of the bot %s, %s %s", name,
			    row->setting[i]->name, why);
	*set_r = set;
	return ANNEX_OK;
}

static int
begin(struct bots *m, const char *name, const Bots__Made *row)
{
	struct annex_pool *pool = annex_pool_create(annex_pool(m->inst), "settings");
	struct bot_settings *set;
	int r;

	if ((r = settings_of(m, name, row, pool, &set)) < 0)
		return r;
	return bot_begin(m, name, set, pool);
}

int
made_load(struct bots *m)
{
	struct annex_key prefix = annex_key(&bots_tables[TABLE_MADE]);
	struct annex_iter it = annex_iter(&prefix);
	int r;

	while ((r = annex_next(m->store, &it)) == ANNEX_AGAIN) {
		const Bots__Made *row = (const Bots__Made *)it.record;

		if (row->gone || bot_find(m, row->name) != NULL)
			continue;
		if ((r = begin(m, row->name, row)) < 0)
			return r;
	}
	return r;
}

/* What is the preset needs no place. */
static void
row_set(struct bots *m, Bots__Made *row, const char *name, const char *text)
{
	struct annex_pool *pool = annex_scratch(m->inst);
	Bots__Setting **all = annex_new_array(pool, Bots__Setting *, row->n_setting + 1);
	size_t n = 0;

	for (size_t i = 0; i < row->n_setting; i++)
		if (strcmp(row->setting[i]->name, name) != 0)
			all[n++] = row->setting[i];
	if (text != NULL && *text != '\0') {
		all[n] = annex_new(pool, Bots__Setting);
		bots__setting__init(all[n]);
		all[n]->name = annex_strdup(pool, name);
		all[n++]->text = annex_strdup(pool, text);
	}
	row->setting = all;
	row->n_setting = n;
}

static int
row_put(struct bots *m, Bots__Made *row)
{
	struct annex_key key = bots_key(TABLE_MADE, row->name);

	return annex_put(m->store, &key, &row->base);
}

/* --- Commands ------------------------------------------------------------------------ */

static int
why_not(struct bots *m, struct annex_run *run, const char *name)
{
	const char *prepared = annex_prep_local(annex_scratch(m->inst), name);
	const Bots__Made *row = made_row(m, name);

	if (prepared == NULL || strcmp(prepared, name) != 0)
		annex_run_fail(run, ANNEX_BAD_REQUEST, "\"%s\" cannot be the name of a bot%s%s",
		    name, prepared != NULL ? "; write " : "", prepared != NULL ? prepared : "");
	else if (bot_find(m, name) != NULL)
		annex_run_fail(run, ANNEX_CONFLICT, "There is a bot %s already.", name);
	else if (row != NULL && row->gone)
		annex_run_fail(run, ANNEX_CONFLICT,
		    "What is kept of the last %s is still being deleted.", name);
	else
		return ANNEX_OK;
	return ANNEX_EINVAL;
}

int
made_add(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct admin_values *v = values;
	struct bots *m = annex_state(inst);
	Bots__Made row = BOTS__MADE__INIT;
	int r;

	(void)stage;
	if ((r = why_not(m, run, v->bot)) < 0)
		return r;
	row.name = (char *)(uintptr_t)v->bot;
	row_set(m, &row, "nick", v->nick);
	row_set(m, &row, "about", v->about);
	row_set(m, &row, "policy", v->policy);
	if ((r = row_put(m, &row)) < 0 || (r = bots_must(m, begin(m, v->bot, &row))) < 0)
		return r;
	annex_log(inst, ANNEX_LOG_NOTICE, "the bot %s was made", v->bot);
	annex_run_say(run, "%s@%s is there. Its programs attach over the socket or HTTP.", v->bot,
	    annex_domain(inst));
	return ANNEX_OK;
}

/* One that a command made, or the answer says why not. */
static struct bot *
made_named(struct annex_instance *inst, struct annex_run *run, const char *name)
{
	struct bot *bot = admin_bot(inst, run, name);

	if (bot == NULL || bot->made != NULL)
		return bot;
	annex_run_fail(
	    run, ANNEX_NOT_ALLOWED, "%s is of the configuration: change it there.", name);
	return NULL;
}

int
made_set(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct admin_values *v = values;
	struct bots *m = annex_state(inst);
	struct bot *bot = made_named(inst, run, v->bot);
	struct bot_settings trial, *set;
	struct annex_pool *pool;
	const char *why;
	Bots__Made *row;
	int r;

	(void)stage;
	if (bot == NULL || (row = made_row(m, v->bot)) == NULL)
		return ANNEX_ENOENT;
	trial = *bot->set;
	if (annex_option_set(bot_options, &trial, v->option,
		v->value == NULL || *v->value == '\0' ? NULL : v->value, prepare,
		annex_scratch(inst), &why) < 0) {
		annex_run_fail(run, ANNEX_BAD_REQUEST, "%s %s.", v->option, why);
		return ANNEX_EINVAL;
	}
	row_set(m, row, v->option, v->value);
	pool = annex_pool_create(annex_pool(inst), "settings");
	if ((r = row_put(m, row)) < 0 || (r = settings_of(m, v->bot, row, pool, &set)) < 0) {
		annex_pool_destroy(&pool);
		return r;
	}
	bot->set = set;
	annex_pool_destroy(&bot->made);
	bot->made = pool;
	bot_tell_truth(bot);
	annex_contacts_touch(inst, bot->jid);
	expire_look(bot);
	return ANNEX_OK;
}

int
made_remove(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct admin_values *v = values;
	struct bots *m = annex_state(inst);
	struct bot *bot = made_named(inst, run, v->bot);
	const char *jid;
	Bots__Made *row;
	int r;

	(void)stage;
	if (bot == NULL || (row = made_row(m, v->bot)) == NULL)
		return ANNEX_ENOENT;
	row->gone = true;
	if ((r = row_put(m, row)) < 0)
		return r;
	jid = annex_strdup(annex_scratch(inst), bot->jid);
	bot_end(bot);
	if ((r = bots_must(m, annex_contacts_remove(inst, jid))) < 0 ||
	    (r = bots_must(m, annex_job_start(inst, "clear-bot", v->bot, strlen(v->bot)))) < 0)
		return r;
	annex_log(inst, ANNEX_LOG_NOTICE, "the bot %s was removed", v->bot);
	return ANNEX_OK;
}

static void
show_consumers(struct annex_run *run, const struct bot *bot)
{
	struct annex_pool *pool = annex_scratch(bot->bots->inst);

	ANNEX_LIST_EACH (&bot->consumers, l) {
		const struct consumer *c = annex_container_of(l, struct consumer, link);
		const char *row[] = { "program",
			annex_sprintf(pool, "%s%s%s, %s, %zu events", c->carrier->name,
			    *c->name != '\0' ? " " : "", c->name,
			    c->attached ? "attached" : "stands by", c->taken_count),
			NULL };

		annex_run_row(run, row);
	}
}

int
made_show(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	static const char *const columns[] = { "option", "value", NULL };
	static const char *const labels[] = { "Option", "Value", NULL };
	const struct admin_values *v = values;
	struct bot *bot = admin_bot(inst, run, v->bot);

	(void)stage;
	if (bot == NULL)
		return ANNEX_ENOENT;
	annex_run_columns(run, columns, labels);
	for (const struct annex_choice *o = settable; o->value != NULL; o++) {
		const char *row[] = { o->value,
			annex_option_text(bot_options, bot->set, o->value, annex_scratch(inst)),
			NULL };

		annex_run_row(run, row);
	}
	show_consumers(run, bot);
	return ANNEX_OK;
}

/* --- What is left of one that was removed ------------------------------------------------ */

/* At most *room rows under prefix; what is left of room comes back. */
static int
clear_rows(struct bots *m, const struct annex_key *prefix, const char *bot, size_t *room)
{
	struct annex_iter it = annex_iter(prefix);
	int r = ANNEX_OK;

	it.keys_only = bot == NULL;
	while (*room > 0 && (r = annex_next(m->store, &it)) == ANNEX_AGAIN) {
		if (bot != NULL && strcmp(((const Bots__Token *)it.record)->bot, bot) != 0)
			continue;
		if ((r = annex_delete(m->store, &it.key)) < 0)
			return r;
		(*room)--;
	}
	return *room == 0 ? ANNEX_AGAIN : r < 0 && r != ANNEX_ENOENT ? r : ANNEX_OK;
}

int
made_clear(struct annex_instance *inst, struct annex_job_state *state, size_t limit)
{
	static const int tables[] = { TABLE_INBOX, TABLE_DEAD, TABLE_SENDS, TABLE_KEYS, TABLE_HELD,
		TABLE_ASKS, TABLE_SHOWN, TABLE_COMMANDS, TABLE_ROOMS, TABLE_NOTICES, TABLE_LATER,
		TABLE_ANSWERS, TABLE_BEATS, TABLE_TIMERS, TABLE_WORKERS, TABLE_BANS, TABLE_ECHOES,
		TABLE_REACTIONS, TABLE_PLACES, TABLE_PLACED };
	struct bots *m = annex_state(inst);
	const char *name = annex_strndup(annex_scratch(inst), (char *)state->bytes, state->len);
	struct annex_key key = bots_key(TABLE_MADE, name);
	bool is_there = bot_find(m, name) != NULL; /* the configuration has it by now */
	int r = ANNEX_OK;

	for (size_t i = 0; !is_there && i < sizeof(tables) / sizeof(tables[0]); i++) {
		struct annex_key prefix = bots_key(tables[i], name);

		if ((r = clear_rows(m, &prefix, NULL, &limit)) != ANNEX_OK)
			return r;
	}
	if (!is_there) {
		struct annex_key prefix = annex_key(&bots_tables[TABLE_TOKENS]);

		if ((r = clear_rows(m, &prefix, name, &limit)) != ANNEX_OK)
			return r;
	}
	r = annex_delete(m->store, &key);
	return r == ANNEX_ENOENT ? ANNEX_OK : r;
}
