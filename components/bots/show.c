/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * show.c - what people see of a bot
 *
 * The framework keeps views and shows them (annex/contacts.h).  What everybody
 * sees tells the truth:
 *
 *	gone	no program is there: the option absent, and since when
 *	busy	all have their hands full, and have had for a while: the option busy
 *	there	what a program said for everybody, else the option status
 *
 * A program may show a contact or a group something else, for a time, and each
 * with a picture.  One that asked for it is a resource of its own beside the
 * bot's, and speaks for that: contacts see which of them are there.
 *
 * A restart is quiet.  Programs that come back by themselves are given a moment
 * before their bot is seen to have lost them.
 */
#include <string.h>

#include <annex/avatar.h>

#include "action.h"

#define SETTLE_MS 15000
#define BUSY_MS 5000
#define STATUS_BYTES 1024
#define SINCE "offline since "
#define NO_PICTURE "none"

/* The last is another word for the one before. */
const char *const bot_shows[] = { "online", "chat", "away", "xa", "dnd", "offline", "unavailable",
	NULL };

int
show_read(const char *text, enum annex_show *show_r)
{
	for (size_t i = 0; bot_shows[i] != NULL; i++)
		if (strcmp(bot_shows[i], text) == 0) {
			*show_r = i < ANNEX_SHOW_OFFLINE ? (enum annex_show)i : ANNEX_SHOW_OFFLINE;
			return ANNEX_OK;
		}
	return ANNEX_EINVAL;
}

/* --- The truth ---------------------------------------------------------------------- */

static bool
says_since(const struct annex_view *view)
{
	return view->text_count == 1 && strncmp(view->texts[0].text, SINCE, strlen(SINCE)) == 0;
}

/* Since when stays what it was over restarts. */
static int
show_absent(struct bot *bot, const char *picture)
{
	struct annex_instance *inst = bot->bots->inst;
	const char *when = annex_datetime(annex_scratch(inst), annex_wall_ms(inst));
	struct annex_view_text text = { .text = annex_sprintf(annex_scratch(inst), SINCE "%.5s UTC",
					    when + strlen("2026-01-01T")) };
	struct annex_view view = { .texts = &text, .text_count = 1, .avatar = picture }, before;

	if (show_read(bot->set->absent, &view.show) < 0)
		return ANNEX_EINVAL;
	if (annex_view_get(inst, bot->full, ANNEX_VIEW_DEFAULT, NULL, &before) >= 0 &&
	    before.show == view.show && says_since(&before))
		view.texts = before.texts;
	return annex_view_set(inst, bot->full, ANNEX_VIEW_DEFAULT, NULL, &view);
}

static enum annex_show
busy_or(const struct bot *bot, enum annex_show show)
{
	enum annex_show busy;

	if (!bot->busy || show == ANNEX_SHOW_OFFLINE || show_read(bot->set->busy, &busy) < 0)
		return show; /* "no" is no show */
	return busy;
}

static int
show_present(struct bot *bot, const Bots__Shown *shown, const char *picture)
{
	struct annex_view_text text = { .text = shown != NULL ? shown->status : bot->set->status };
	struct annex_view view = { .texts = &text, .avatar = picture };

	view.show = busy_or(bot, shown != NULL ? (enum annex_show)shown->show : ANNEX_SHOW_ONLINE);
	if (bot->busy && *text.text == '\0')
		text.text = "busy";
	view.text_count = *text.text != '\0';
	return annex_view_set(bot->bots->inst, bot->full, ANNEX_VIEW_DEFAULT, NULL, &view);
}

static const Bots__Shown *
shown_of(const struct bot *bot)
{
	struct annex_key key = bots_key(TABLE_SHOWN, bot->name);
	ProtobufCMessage *record;

	return annex_get(bot->bots->store, &key, &record) >= 0 ? (const Bots__Shown *)record : NULL;
}

static const char *
picture_of(const struct bot *bot, const Bots__Shown *shown)
{
	if (shown == NULL || *shown->avatar == '\0')
		return bot->picture;
	return strcmp(shown->avatar, NO_PICTURE) == 0 ? NULL : shown->avatar;
}

void
bot_tell_truth(struct bot *bot)
{
	const Bots__Shown *shown = shown_of(bot);
	const char *picture = picture_of(bot, shown);

	if (bot->ending || (bot->consumer_count == 0 && bot->settling))
		return;
	bots_must(bot->bots,
	    bot->consumer_count > 0 ? show_present(bot, shown, picture)
				    : show_absent(bot, picture));
}

/* --- Busy ------------------------------------------------------------------------------- */

static void
show_programs(struct bot *bot)
{
	ANNEX_LIST_EACH (&bot->consumers, l)
		show_program(annex_container_of(l, struct consumer, link));
}

/* Looked at again and again while it may be: a moment of it is nobody's affair. */
static void
look_busy(struct annex_instance *inst, void *cookie)
{
	struct bot *bot = cookie;
	bool busy = bot_is_crowded(bot);

	(void)inst;
	if (busy)
		annex_timer_start(bot->busy_timer, BUSY_MS);
	if (busy == bot->busy)
		return;
	bot->busy = busy;
	bot_tell_truth(bot);
	show_programs(bot);
}

void
show_crowded(struct bot *bot)
{
	if (bot->busy_timer == NULL)
		bot->busy_timer = annex_timer(bot->bots->inst, look_busy, bot);
	if (!annex_timer_is_running(bot->busy_timer))
		annex_timer_start(bot->busy_timer, BUSY_MS);
}

/* --- Programs that are seen ------------------------------------------------------------- */

static const char *
place_of(const struct bot *bot, const char *resource)
{
	return annex_sprintf(annex_scratch(bot->bots->inst), "%s/%s", bot->jid, resource);
}

void
show_program(struct consumer *c)
{
	struct bot *bot = c->bot;
	struct annex_key key = bots_key_in(TABLE_WORKERS, bot->name, c->name);
	struct annex_view_text text = { .text = c->status.bytes };
	struct annex_view view = { .texts = &text, .text_count = c->status.len > 0 };
	Bots__Worker row = BOTS__WORKER__INIT;

	if (!c->seen || !c->attached)
		return;
	row.resource = (char *)(uintptr_t)c->name;
	view.show = busy_or(bot, c->show);
	view.avatar = picture_of(bot, shown_of(bot));
	if (bots_must(bot->bots, annex_put(bot->bots->store, &key, &row.base)) >= 0)
		bots_must(bot->bots,
		    annex_view_set(
			bot->bots->inst, place_of(bot, c->name), ANNEX_VIEW_DEFAULT, NULL, &view));
}

static void
forget_program(struct bot *bot, const char *resource)
{
	struct annex_key key = bots_key_in(TABLE_WORKERS, bot->name, resource);

	if (bots_must(bot->bots, annex_delete(bot->bots->store, &key)) != ANNEX_ESTORE)
		bots_must(bot->bots,
		    annex_view_set(
			bot->bots->inst, place_of(bot, resource), ANNEX_VIEW_DEFAULT, NULL, NULL));
}

void
hide_program(struct consumer *c)
{
	if (c->seen)
		forget_program(c->bot, c->name);
}

static bool
is_attached(const struct bot *bot, const char *resource)
{
	ANNEX_LIST_EACH (&bot->consumers, l) {
		const struct consumer *c = annex_container_of(l, struct consumer, link);

		if (c->attached && c->seen && strcmp(c->name, resource) == 0)
			return true;
	}
	return false;
}

/* --- The beginning ------------------------------------------------------------------------- */

/* Who has not come back by now is gone. */
static void
settled(struct annex_instance *inst, void *cookie)
{
	struct bot *bot = cookie;
	struct annex_key prefix = bots_key(TABLE_WORKERS, bot->name);
	struct annex_iter it = annex_iter(&prefix);

	(void)inst;
	bot->settling = false;
	bot_tell_truth(bot);
	while (annex_next(bot->bots->store, &it) == ANNEX_AGAIN) {
		const char *resource = ((const Bots__Worker *)it.record)->resource;

		if (!is_attached(bot, resource))
			forget_program(bot, resource);
	}
}

/* Where nothing was seen of it so far the truth is told at once. */
void
show_begin(struct bot *bot)
{
	struct annex_instance *inst = bot->bots->inst;
	struct annex_view view;

	picture_load(bot);
	bot->settling = annex_view_get(inst, bot->full, ANNEX_VIEW_DEFAULT, NULL, &view) >= 0;
	bot->settle_timer = annex_timer(inst, settled, bot);
	if (bot->settling)
		annex_timer_start(bot->settle_timer, SETTLE_MS);
}

/* --- The verb --------------------------------------------------------------------------- */

int
judge_presence(struct action *a)
{
	if (strcmp(a->kind, "presence") != 0)
		return action_wrong(a, "bad-json", "unknown kind \"%.60s\"", a->kind);
	if (a->avatar != NULL && picture_judge(a) < 0)
		return ANNEX_EINVAL;
	if (a->group != NULL || a->whom == NULL || strcmp(a->whom, "*") == 0)
		return ANNEX_OK;
	if ((a->to = annex_jid(a->pool, a->whom)) == NULL)
		return action_wrong(a, "bad-json", "\"to\" must be a JID or \"*\"");
	return ANNEX_OK;
}

/* The picture that was sent with it; else the bot's. */
static int
choose_picture(struct action *a, const char **sha1_r)
{
	*sha1_r = NULL;
	if (a->avatar == NULL)
		*sha1_r = picture_of(a->bot, shown_of(a->bot));
	else if (a->picture_len > 0)
		return annex_avatar_put(a->bot->bots->inst, a->picture, a->picture_len, sha1_r);
	return ANNEX_OK;
}

const char *
status_text(struct action *a)
{
	const char *rest = a->status == NULL ? "" : clean_text(a->pool, a->status);
	const char *part = clean_part(a->pool, &rest, STATUS_BYTES);

	return part != NULL ? part : "";
}

static int64_t
until_of(const struct action *a)
{
	return a->for_ms > 0 && !a->clear ? annex_wall_ms(a->bot->bots->inst) + a->for_ms : 0;
}

/* At until_ms what is seen by everybody is what it was before; 0: never. */
static int
ends_at(struct bot *bot, int64_t until_ms)
{
	struct annex_instance *inst = bot->bots->inst;

	if (until_ms == 0)
		return annex_alarm_clear(inst, "shown", bot->name, strlen(bot->name));
	return annex_alarm_set(inst, "shown", bot->name, strlen(bot->name), until_ms);
}

void
show_ring(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms)
{
	struct bots *m = annex_state(inst);
	struct bot *bot = bot_find(m, annex_strndup(annex_scratch(inst), key, key_len));
	struct annex_key row;

	(void)due_wall_ms;
	if (bot == NULL)
		return;
	row = bots_key(TABLE_SHOWN, bot->name);
	if (bots_must(m, annex_delete(m->store, &row)) != ANNEX_ESTORE)
		bot_tell_truth(bot);
}

/* For everybody, from the bot: kept, since what is seen may be another truth now. */
static int
say_to_all(struct action *a, enum annex_show show)
{
	struct annex_key key = bots_key(TABLE_SHOWN, a->bot->name);
	const Bots__Shown *before = shown_of(a->bot);
	Bots__Shown record = BOTS__SHOWN__INIT;
	const char *picture = before != NULL ? before->avatar : "";
	int r;

	if (a->avatar != NULL && (r = choose_picture(a, &picture)) < 0)
		return r;
	record.show = show;
	record.status = (char *)(uintptr_t)status_text(a);
	record.avatar = (char *)(uintptr_t)(picture != NULL ? picture : NO_PICTURE);
	r = a->clear ? annex_delete(a->bot->bots->store, &key)
		     : annex_put(a->bot->bots->store, &key, &record.base);
	if (r < 0 && r != ANNEX_ENOENT)
		return r;
	if ((r = bots_must(a->bot->bots, ends_at(a->bot, until_of(a)))) < 0)
		return r;
	bot_tell_truth(a->bot);
	return ANNEX_OK;
}

/* What it said of itself has had its time. */
static void
said_enough(struct annex_instance *inst, void *cookie)
{
	struct consumer *c = cookie;

	(void)inst;
	c->show = ANNEX_SHOW_ONLINE;
	c->status.len = 0;
	show_program(c);
}

/* For everybody, from a program that is seen. */
static int
say_of_itself(struct action *a, enum annex_show show)
{
	struct consumer *c = a->consumer;

	if (c->said == NULL && a->for_ms > 0)
		c->said = annex_timer(a->bot->bots->inst, said_enough, c);
	if (c->said != NULL)
		annex_timer_stop(c->said);
	if (a->for_ms > 0 && !a->clear)
		annex_timer_start(c->said, a->for_ms);
	c->show = a->clear ? ANNEX_SHOW_ONLINE : show;
	c->status.len = 0;
	text_puts(&c->status, a->clear ? "" : status_text(a));
	show_program(c);
	return ANNEX_OK;
}

int
run_presence(struct action *a)
{
	struct annex_instance *inst = a->bot->bots->inst;
	const struct consumer *c = a->consumer;
	struct annex_view_text text = { 0 };
	struct annex_view view = { .texts = &text };
	int r;

	if (a->show != NULL && show_read(a->show, &view.show) < 0)
		return ANNEX_EINVAL;
	if (a->group == NULL && a->to == NULL)
		return c->seen ? say_of_itself(a, view.show) : say_to_all(a, view.show);
	text.text = status_text(a);
	view.text_count = *text.text != '\0';
	view.until_ms = until_of(a);
	if ((r = choose_picture(a, &view.avatar)) < 0)
		return r;
	return annex_view_set(inst, c->seen ? place_of(a->bot, c->name) : a->bot->full,
	    a->group != NULL ? ANNEX_VIEW_GROUP : ANNEX_VIEW_CONTACT,
	    a->group != NULL ? a->group : a->to->bare, a->clear ? NULL : &view);
}
