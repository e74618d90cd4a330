/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * ban.c - who a bot has nothing to do with, whatever its policy says
 *
 * As blocking does for a user (XEP-0191 §3.2): to whoever is banned the bot looks
 * as one that is closed, or does not exist.  They lose it as a contact, what
 * waits for them is dropped, and nothing is said to them any more.  An operator bans, or the
 * bot's program; admins cannot be.
 *
 * In a group chat people are known by their nicknames: there its admins ban.
 */
#include <string.h>

#include "action.h"
#include "admin.h"

#define BANS_MOST 10000 /* of a bot */
#define WHY_BYTES 1024

static struct annex_key
ban_key(const struct bot *bot, const char *contact)
{
	return bots_key_in(TABLE_BANS, bot->name, contact);
}

bool
bot_bans(const struct bot *bot, const char *contact)
{
	struct annex_key key = ban_key(bot, contact);

	return annex_has(bot->bots->store, &key);
}

static bool
is_full(const struct bot *bot)
{
	struct annex_key prefix = bots_key(TABLE_BANS, bot->name);

	return annex_rows_upto(bot->bots->store, &prefix, BANS_MOST) == BANS_MOST;
}

/* Why they cannot be banned, with a stanza error's condition; NULL: they can. */
static const char *
why_not(const struct bot *bot, const struct annex_jid *who, enum annex_condition *condition_r)
{
	struct annex_instance *inst = bot->bots->inst;

	*condition_r = ANNEX_NOT_ALLOWED;
	if (strcmp(who->domain, annex_domain(inst)) == 0)
		return "is of this gateway";
	if (annex_is_admin(inst, who))
		return "is an admin";
	*condition_r = ANNEX_RESOURCE_CONSTRAINT;
	return !bot_bans(bot, who->bare) && is_full(bot) ? "is one too many" : NULL;
}

static int
cut_off(struct bot *bot, const char *contact)
{
	struct annex_instance *inst = bot->bots->inst;
	struct annex_contact c;
	int r = annex_contact_get(inst, bot->jid, contact, &c);

	held_drop(bot, contact);
	if (r == ANNEX_ENOENT)
		return ANNEX_OK;
	if (r >= 0)
		r = annex_contact_deny(inst, bot->jid, contact);
	if (r >= 0 && c.in != ANNEX_SUBSCRIBED_NOT)
		r = annex_contact_unask(inst, bot->jid, contact);
	return r;
}

static int
ban(struct bot *bot, const char *contact, const char *why)
{
	struct bots *m = bot->bots;
	struct annex_key key = ban_key(bot, contact);
	Bots__Ban row = BOTS__BAN__INIT;
	int r;

	row.contact = (char *)(uintptr_t)contact;
	row.why = (char *)(uintptr_t)(why != NULL ? why : "");
	row.since_ms = annex_wall_ms(m->inst);
	if ((r = annex_put(m->store, &key, &row.base)) < 0)
		return r;
	annex_log(m->inst, ANNEX_LOG_NOTICE, "%s is banned from %s", contact, bot->name);
	return bots_must(m, cut_off(bot, contact));
}

static int
unban(struct bot *bot, const char *contact)
{
	struct annex_key key = ban_key(bot, contact);

	return annex_delete(bot->bots->store, &key);
}

/* --- By its program ------------------------------------------------------------- */

int
ban_judge(struct action *a)
{
	enum annex_condition condition;
	const char *why = a->ban ? why_not(a->bot, a->to, &condition) : NULL;

	if (why != NULL)
		return action_wrong(a,
		    condition == ANNEX_NOT_ALLOWED ? "not-allowed" : "resource-constraint", "%s %s",
		    a->to->bare, why);
	if (a->ban && (a->unban || a->more || a->later || a->groups != NULL))
		return action_wrong(a, "bad-json", "who is banned is nothing else");
	if (a->note != NULL && strlen(a->note) > WHY_BYTES)
		return action_wrong(a, "too-large", "\"why\" is longer than %d bytes", WHY_BYTES);
	if (!a->unban && (a->more || a->later) && bot_bans(a->bot, a->to->bare))
		return action_wrong(a, "not-allowed", "%s is banned", a->to->bare);
	return ANNEX_OK;
}

int
ban_run(struct action *a)
{
	if (a->ban)
		return ban(
		    a->bot, a->to->bare, a->note != NULL ? clean_text(a->pool, a->note) : NULL);
	return a->unban ? unban(a->bot, a->to->bare) : ANNEX_OK;
}

static void
add_ban(struct text *t, struct annex_pool *pool, const Bots__Ban *row)
{
	text_puts(t, t->len > 1 ? "," : "");
	text_open(t);
	text_member(t, "jid", row->contact);
	text_member(t, "since", annex_datetime(pool, row->since_ms));
	text_member(t, "why", *row->why != '\0' ? row->why : NULL);
	text_close(t);
}

/* All, or the one of whom it asks for. */
const char *
ban_list(struct action *a)
{
	struct annex_key prefix =
	    a->to == NULL ? bots_key(TABLE_BANS, a->bot->name) : ban_key(a->bot, a->to->bare);
	struct annex_iter it = annex_iter(&prefix);
	struct text t = { .pool = a->pool };

	text_puts(&t, "[");
	while (annex_next(a->bot->bots->store, &it) == ANNEX_AGAIN)
		add_ban(&t, a->pool, (const Bots__Ban *)it.record);
	text_puts(&t, "]");
	return t.bytes;
}

/* --- By an operator --------------------------------------------------------------- */

#define FIELD(member_, type_, label_, ...) \
	ANNEX_FIELD(struct admin_values, member_, #member_, type_, label_, __VA_ARGS__)

static const struct annex_field ban_fields[] = {
	FIELD(bot, ANNEX_TEXT_SINGLE, "Bot", .required = true),
	FIELD(jid, ANNEX_JID_SINGLE, "Who", .required = true),
	FIELD(why, ANNEX_TEXT_SINGLE, "Why", .max = WHY_BYTES),
	{ 0 },
};
static const struct annex_field unban_fields[] = {
	FIELD(bot, ANNEX_TEXT_SINGLE, "Bot", .required = true),
	FIELD(jid, ANNEX_JID_SINGLE, "Who", .required = true),
	{ 0 },
};

const struct annex_form ban_form = { .title = "Ban somebody from a bot", .fields = ban_fields };
const struct annex_form unban_form = { .title = "Let somebody back to a bot",
	.fields = unban_fields };

int
admin_ban(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct admin_values *v = values;
	struct bot *bot = admin_bot(inst, run, v->bot);
	const struct annex_jid *who = annex_jid(annex_scratch(inst), v->jid);
	enum annex_condition condition;
	const char *why;

	(void)stage;
	if (bot == NULL || who == NULL)
		return ANNEX_ENOENT;
	if ((why = why_not(bot, who, &condition)) != NULL) {
		annex_run_fail(run, condition, "%s %s.", who->bare, why);
		return ANNEX_EINVAL;
	}
	return ban(bot, who->bare, v->why);
}

int
admin_unban(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct admin_values *v = values;
	struct bot *bot = admin_bot(inst, run, v->bot);
	const struct annex_jid *who = annex_jid(annex_scratch(inst), v->jid);

	(void)stage;
	if (bot == NULL || who == NULL)
		return ANNEX_ENOENT;
	if (bot_bans(bot, who->bare))
		return unban(bot, who->bare);
	annex_run_fail(
	    run, ANNEX_ITEM_NOT_FOUND, "%s is not banned from %s.", who->bare, bot->name);
	return ANNEX_ENOENT;
}

int
admin_bans(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	static const char *const columns[] = { "jid", "since", "why", NULL };
	static const char *const labels[] = { "Who", "Since", "Why", NULL };
	struct bot *bot = admin_bot(inst, run, ((struct admin_values *)values)->bot);
	struct annex_key prefix;
	struct annex_iter it;

	(void)stage;
	if (bot == NULL)
		return ANNEX_ENOENT;
	prefix = bots_key(TABLE_BANS, bot->name);
	it = annex_iter(&prefix);
	annex_run_columns(run, columns, labels);
	for (size_t n = 0; n < ADMIN_SHOWN_MOST && annex_next(bot->bots->store, &it) == ANNEX_AGAIN;
	     n++) {
		const Bots__Ban *row_of = (const Bots__Ban *)it.record;
		const char *row[] = { row_of->contact,
			annex_datetime(annex_scratch(inst), row_of->since_ms), row_of->why, NULL };

		annex_run_row(run, row);
	}
	return ANNEX_OK;
}
