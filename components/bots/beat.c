/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * beat.c - workers that say now and then that they are well
 *
 *	none ──beat──▶ well ──"clear"──▶ none     came, went
 *	                └──── silence ──▶ none     came, lost
 *
 * Each is a resource of the bot with a presence of its own, so that contacts see
 * in their rosters which are there and what they do (annexbot watch); the
 * bot's programs get an event where one comes, goes or is lost.  A worker need not be
 * connected: a job of cron beats over HTTP.
 */
#include <string.h>

#include "action.h"

#define PATIENCE_MS 120000
#define BEATS_MOST 1000 /* workers of a bot */
#define NAME_BYTES 200

static const char *
place_of(const struct bot *bot, const char *name)
{
	return annex_sprintf(annex_scratch(bot->bots->inst), "%s/%s", bot->jid, name);
}

static const Bots__Beat *
beat_find(const struct bot *bot, const char *name)
{
	struct annex_key key = bots_key_in(TABLE_BEATS, bot->name, name);
	ProtobufCMessage *record;

	return annex_get(bot->bots->store, &key, &record) < 0 ? NULL : (const Bots__Beat *)record;
}

static bool
is_full(const struct bot *bot)
{
	struct annex_key prefix = bots_key(TABLE_BEATS, bot->name);

	return annex_rows_upto(bot->bots->store, &prefix, BEATS_MOST) == BEATS_MOST;
}

int
judge_beat(struct action *a)
{
	const struct annex_jid *place =
	    strlen(a->beat) > NAME_BYTES ? NULL : annex_jid(a->pool, place_of(a->bot, a->beat));

	if (place == NULL || place->resource == NULL || strcmp(place->full, a->bot->full) == 0)
		return action_wrong(
		    a, "bad-json", "a worker's name is that of a resource, and not \"bot\"");
	a->beat = place->resource;
	if (a->show != NULL && show_read(a->show, &a->shows) < 0)
		return ANNEX_EINVAL;
	if (!a->clear && beat_find(a->bot, a->beat) == NULL && is_full(a->bot))
		return action_wrong(
		    a, "resource-constraint", "a bot has at most %d workers", BEATS_MOST);
	return ANNEX_OK;
}

/* --- What becomes of it --------------------------------------------------------- */

static int
tell(struct bot *bot, const Bots__Beat *beat, const char *what)
{
	const struct annex_jid *from =
	    annex_jid(annex_scratch(bot->bots->inst), place_of(bot, beat->name));
	struct event *ev;
	struct text t;
	int r;

	if (!bot_wants(bot, "beat") || from == NULL)
		return ANNEX_OK;
	if ((r = event_make(bot, "beat", from, &ev)) < 0)
		return r;
	t = event_begin(ev);
	text_member(&t, "name", beat->name);
	text_member(&t, "event", what);
	text_member(&t, "status", *beat->status == '\0' ? NULL : beat->status);
	event_end(ev, &t);
	ev->body = annex_sprintf(ev->pool, "%s %s", beat->name, what);
	return event_offer(ev);
}

static int
show(struct bot *bot, const Bots__Beat *beat, bool there)
{
	struct annex_view_text text = { .text = beat->status };
	struct annex_view view = {
		.show = (enum annex_show)beat->show,
		.texts = &text,
		.text_count = *beat->status != '\0',
	};

	return annex_view_set(bot->bots->inst, place_of(bot, beat->name), ANNEX_VIEW_DEFAULT, NULL,
	    there ? &view : NULL);
}

static const char *
alarm_key(const struct bot *bot, const char *name)
{
	return annex_sprintf(annex_scratch(bot->bots->inst), "%s\n%s", bot->name, name);
}

static int
end(struct bot *bot, const Bots__Beat *beat, const char *what)
{
	struct annex_key key = bots_key_in(TABLE_BEATS, bot->name, beat->name);
	int r = annex_delete(bot->bots->store, &key);

	if (r >= 0)
		r = show(bot, beat, false);
	return r < 0 ? r : tell(bot, beat, what);
}

static int
clear(struct action *a)
{
	const Bots__Beat *beat = beat_find(a->bot, a->beat);
	const char *alarm = alarm_key(a->bot, a->beat);
	int r;

	if (beat == NULL)
		return ANNEX_OK;
	r = annex_alarm_clear(a->bot->bots->inst, "beat", alarm, strlen(alarm));
	if (r < 0 && r != ANNEX_ENOENT)
		return r;
	return bots_must(a->bot->bots, end(a->bot, beat, "went"));
}

int
run_beat(struct action *a)
{
	struct bots *m = a->bot->bots;
	struct annex_key key = bots_key_in(TABLE_BEATS, a->bot->name, a->beat);
	const char *alarm = alarm_key(a->bot, a->beat);
	bool is_new = beat_find(a->bot, a->beat) == NULL;
	Bots__Beat beat = BOTS__BEAT__INIT;
	int r;

	if (a->clear)
		return clear(a);
	beat.name = (char *)(uintptr_t)a->beat;
	beat.show = a->shows;
	beat.status = (char *)(uintptr_t)status_text(a);
	beat.until_ms = annex_wall_ms(m->inst) + (a->for_ms > 0 ? a->for_ms : PATIENCE_MS);
	if ((r = annex_put(m->store, &key, &beat.base)) < 0)
		return r;
	r = annex_alarm_set(m->inst, "beat", alarm, strlen(alarm), beat.until_ms);
	if (r >= 0)
		r = show(a->bot, &beat, true);
	if (r >= 0 && is_new)
		r = tell(a->bot, &beat, "came");
	return bots_must(m, r);
}

/* It was not heard of in time. */
void
beat_ring(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms)
{
	char *name = annex_strndup(annex_scratch(inst), key, key_len), *stop = strchr(name, '\n');
	const Bots__Beat *beat;
	struct bot *bot;

	(void)due_wall_ms;
	if (stop == NULL)
		return;
	*stop = '\0';
	if ((bot = bot_find(annex_state(inst), name)) != NULL &&
	    (beat = beat_find(bot, stop + 1)) != NULL)
		bots_must(bot->bots, end(bot, beat, "lost"));
}
