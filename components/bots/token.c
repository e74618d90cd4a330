/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * token.c - who may speak for a bot over HTTP
 *
 * A token is 160 random bits, told once; what is kept is its hash, which is
 * also its key: nothing of it is compared byte by byte.
 */
#include <sodium.h>
#include <string.h>

#include <annex/command.h>

#include "action.h"
#include "http.h"

#define PREFIX "annex_"
#define NAME_BYTES 64
#define LISTED 1000

static const struct scope_name {
	const char *name, *label;
	unsigned scope;
} scopes[] = {
	{ "send", "Send messages", SCOPE_SEND },
	{ "events", "Get events", SCOPE_EVENTS },
	{ "hook", "Post to /v1/in", SCOPE_HOOK },
	{ "presence", "Say what is shown", SCOPE_PRESENCE },
	{ "contacts", "See contacts", SCOPE_CONTACTS },
};

static struct annex_key
key_of(const char *secret)
{
	unsigned char hash[crypto_generichash_BYTES];
	char text[sizeof(hash) * 2 + 1];

	crypto_generichash(
	    hash, sizeof(hash), (const unsigned char *)secret, strlen(secret), NULL, 0);
	sodium_bin2hex(text, sizeof(text), hash, sizeof(hash));
	return bots_key(TABLE_TOKENS, text);
}

int
token_find(struct bots *m, struct annex_pool *pool, const char *secret, struct token *token_r)
{
	struct annex_key key = key_of(secret);
	ProtobufCMessage *record;
	const Bots__Token *t;
	int r = annex_get(m->store, &key, &record);

	if (r < 0)
		return r;
	t = (const Bots__Token *)record;
	*token_r = (struct token) {
		.bot = annex_strdup(pool, t->bot),
		.name = annex_strdup(pool, t->name),
		.scopes = t->scopes,
		.to = annex_strdup(pool, t->to),
	};
	return ANNEX_OK;
}

/* --- Commands ---------------------------------------------------------------------- */

static const struct annex_choice scope_choices[] = {
	{ "send", "Send messages" },
	{ "events", "Get events" },
	{ "hook", "Post to /v1/in" },
	{ "presence", "Say what is shown" },
	{ "contacts", "See contacts" },
	{ 0 },
};

#define BOT ANNEX_FIELD(struct token_values, bot, "bot", ANNEX_TEXT_SINGLE, "Bot", .required = true)
#define NAME                                                                                   \
	ANNEX_FIELD(struct token_values, name, "name", ANNEX_TEXT_SINGLE, "Name of the token", \
	    .max = NAME_BYTES, .required = true)

static const struct annex_field add_fields[] = {
	BOT,
	NAME,
	ANNEX_FIELD(struct token_values, scopes, "scopes", ANNEX_LIST_MULTI, "What it is for",
	    .choices = scope_choices, .required = true),
	ANNEX_FIELD(struct token_values, to, "to", ANNEX_JID_SINGLE,
	    "Whom a hook tells what is posted; the only one whom others may write to"),
	{ 0 },
};
static const struct annex_field remove_fields[] = { BOT, NAME, { 0 } };

const struct annex_form token_add_form = { .title = "Add a token", .fields = add_fields };
const struct annex_form token_remove_form = { .title = "Remove a token", .fields = remove_fields };

/* The row of a bot's token of that name; false where there is none. */
static bool
find_named(struct bots *m, const char *bot, const char *name, struct annex_key *key_r)
{
	struct annex_key prefix = annex_key(&bots_tables[TABLE_TOKENS]);
	struct annex_iter it = annex_iter(&prefix);

	while (annex_next(m->store, &it) == ANNEX_AGAIN) {
		const Bots__Token *t = (const Bots__Token *)it.record;

		if (strcmp(t->bot, bot) != 0 || strcmp(t->name, name) != 0)
			continue;
		*key_r = it.key;
		return true;
	}
	return false;
}

static unsigned
scopes_of(const struct annex_strings *names)
{
	unsigned set = 0;

	for (size_t i = 0; i < names->count; i++)
		for (size_t k = 0; k < sizeof(scopes) / sizeof(scopes[0]); k++)
			if (strcmp(names->value[i], scopes[k].name) == 0)
				set |= scopes[k].scope;
	return set;
}

static int
make(struct bots *m, const Bots__Token *record, const char **secret_r)
{
	const char *secret = annex_sprintf(annex_scratch(m->inst), PREFIX "%s%s",
	    annex_random_id(m->inst), annex_random_id(m->inst));
	struct annex_key key = key_of(secret);

	*secret_r = secret;
	return annex_put(m->store, &key, &record->base);
}

int
token_add(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct token_values *v = values;
	struct bots *m = annex_state(inst);
	Bots__Token record = BOTS__TOKEN__INIT;
	struct annex_key key;
	const char *secret;
	int r;

	(void)stage;
	record.scopes = scopes_of(&v->scopes);
	if (bot_find(m, v->bot) == NULL) {
		annex_run_fail(run, ANNEX_ITEM_NOT_FOUND, "There is no bot %s.", v->bot);
		return ANNEX_ENOENT;
	}
	if (find_named(m, v->bot, v->name, &key)) {
		annex_run_fail(run, ANNEX_CONFLICT, "%s has a token %s already.", v->bot, v->name);
		return ANNEX_EEXIST;
	}
	if ((record.scopes & SCOPE_HOOK) != 0 && (v->to == NULL || *v->to == '\0')) {
		annex_run_fail(
		    run, ANNEX_BAD_REQUEST, "A hook needs somebody to tell: to=ADDRESS.");
		return ANNEX_EINVAL;
	}
	record.bot = (char *)(uintptr_t)v->bot;
	record.name = (char *)(uintptr_t)v->name;
	record.to = (char *)(uintptr_t)(v->to != NULL ? v->to : "");
	record.made_ms = annex_wall_ms(inst);
	if ((r = make(m, &record, &secret)) < 0)
		return r;
	annex_run_say(run, "%s", secret);
	if ((record.scopes & SCOPE_HOOK) != 0)
		annex_run_say(run, "Post to /v1/in/%s/%s", v->bot, secret);
	return ANNEX_OK;
}

int
token_remove(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct token_values *v = values;
	struct bots *m = annex_state(inst);
	struct annex_key key;

	(void)stage;
	if (find_named(m, v->bot, v->name, &key))
		return annex_delete(m->store, &key);
	annex_run_fail(run, ANNEX_ITEM_NOT_FOUND, "%s has no token %s.", v->bot, v->name);
	return ANNEX_ENOENT;
}

static const char *
scope_names(struct annex_pool *pool, unsigned set)
{
	struct text t = { .pool = pool };

	for (size_t k = 0; k < sizeof(scopes) / sizeof(scopes[0]); k++)
		if ((set & scopes[k].scope) != 0)
			text_printf(&t, "%s%s", t.len > 0 ? " " : "", scopes[k].name);
	return t.len > 0 ? t.bytes : "";
}

int
token_list(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	static const char *const columns[] = { "bot", "name", "scopes", "to", NULL };
	static const char *const labels[] = { "Bot", "Token", "For", "Tells", NULL };
	struct bots *m = annex_state(inst);
	struct annex_key prefix = annex_key(&bots_tables[TABLE_TOKENS]);
	struct annex_iter it = annex_iter(&prefix);

	(void)stage;
	(void)values;
	annex_run_columns(run, columns, labels);
	for (size_t n = 0; n < LISTED && annex_next(m->store, &it) == ANNEX_AGAIN; n++) {
		const Bots__Token *t = (const Bots__Token *)it.record;
		const char *row[] = { t->bot, t->name, scope_names(annex_scratch(inst), t->scopes),
			t->to, NULL };

		annex_run_row(run, row);
	}
	return ANNEX_OK;
}

/* --- The verb ---------------------------------------------------------------------- */

/*
 * A program gives one of its contacts a token that writes to that contact
 * alone: for their browser, or a device of theirs.
 */
int
judge_token(struct action *a)
{
	if (*a->token == '\0' || strlen(a->token) > NAME_BYTES)
		return action_wrong(
		    a, "bad-json", "a token's name is a text of 1 to %d bytes", NAME_BYTES);
	if (!a->clear && a->to == NULL)
		return action_wrong(a, "bad-json", "\"token\" has no \"to\"");
	return ANNEX_OK;
}

/* One of the same name is of no use any more. */
int
run_token(struct action *a)
{
	struct bots *m = a->bot->bots;
	Bots__Token record = BOTS__TOKEN__INIT;
	struct text t = { .pool = a->pool };
	struct annex_key key;
	const char *secret;
	int r;

	if (find_named(m, a->bot->name, a->token, &key) && (r = annex_delete(m->store, &key)) < 0)
		return r;
	if (a->clear)
		return ANNEX_OK;
	record.bot = (char *)(uintptr_t)a->bot->name;
	record.name = (char *)(uintptr_t)a->token;
	record.scopes = SCOPE_SEND;
	record.to = (char *)(uintptr_t)a->to->bare;
	record.made_ms = annex_wall_ms(m->inst);
	if ((r = bots_must(m, make(m, &record, &secret))) < 0)
		return r;
	text_quote(&t, secret);
	a->result_name = "token";
	a->result = t.bytes;
	return ANNEX_OK;
}
