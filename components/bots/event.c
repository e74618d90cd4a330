/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * event.c - one event: its row, and its line
 */
#include <inttypes.h>
#include <string.h>

#include "carrier.h"

/* --- Rows -------------------------------------------------------------------- */

struct annex_key
bots_key_event(const struct bot *bot, uint64_t seq, const char *bare)
{
	struct annex_key key = bots_key_seq(TABLE_INBOX, bot->name, seq);

	annex_key_text(&key, bare);
	return key;
}

static char *
text_for_record(const char *text)
{
	return (char *)(uintptr_t)(text != NULL ? text : "");
}

void
event_pack(const struct event *ev, Bots__Event *record)
{
	bots__event__init(record);
	record->kind = text_for_record(ev->kind);
	record->from = text_for_record(ev->from);
	record->type = text_for_record(ev->type);
	record->thread = text_for_record(ev->thread);
	record->id = text_for_record(ev->id);
	record->lang = text_for_record(ev->lang);
	record->line = text_for_record(ev->line);
	record->body = text_for_record(ev->body);
	record->replies = ev->replies;
	record->tries = ev->tries;
	record->made_ms = ev->made_ms;
	record->is_state = ev->is_state;
	record->is_first = ev->is_first;
	record->marker = text_for_record(ev->marker);
	record->unkept = ev->unkept;
}

int
event_put(const struct event *ev)
{
	struct annex_key key = bots_key_event(ev->bot, ev->seq, ev->bare);
	Bots__Event record;

	event_pack(ev, &record);
	return annex_put(ev->bot->bots->store, &key, &record.base);
}

int
event_delete(const struct event *ev)
{
	struct annex_key key = bots_key_event(ev->bot, ev->seq, ev->bare);

	return bots_must(ev->bot->bots, annex_delete(ev->bot->bots->store, &key));
}

static const char *
text_of_record(struct annex_pool *pool, const char *text)
{
	return *text == '\0' ? NULL : annex_strdup(pool, text);
}

static struct event *
make(struct bot *bot, const char *kind)
{
	struct annex_pool *pool = annex_pool_create(bot->pool, "event");
	struct event *ev = annex_new(pool, struct event);

	ev->magic = EVENT_MAGIC;
	ev->pool = pool;
	ev->bot = bot;
	ev->kind = annex_strdup(pool, kind);
	annex_list_init(&ev->link);
	return ev;
}

struct event *
event_unpack(struct bot *bot, uint64_t seq, const Bots__Event *record)
{
	struct event *ev = make(bot, record->kind);

	ev->seq = seq;
	ev->from = annex_strdup(ev->pool, record->from);
	ev->bare = annex_strndup(ev->pool, ev->from, strcspn(ev->from, "/"));
	ev->type = text_of_record(ev->pool, record->type);
	ev->thread = text_of_record(ev->pool, record->thread);
	ev->id = text_of_record(ev->pool, record->id);
	ev->lang = text_of_record(ev->pool, record->lang);
	ev->line = annex_strdup(ev->pool, record->line);
	ev->body = text_of_record(ev->pool, record->body);
	ev->replies = record->replies;
	ev->tries = record->tries;
	ev->made_ms = record->made_ms;
	ev->is_state = record->is_state;
	ev->is_first = record->is_first;
	ev->marker = text_of_record(ev->pool, record->marker);
	ev->unkept = record->unkept;
	return ev;
}

/* --- The life of one ----------------------------------------------------------------- */

int
event_make(struct bot *bot, const char *kind, const struct annex_jid *from, struct event **event_r)
{
	struct event *ev;
	uint64_t seq;
	int r;

	if ((r = bot_next_seq(bot, &seq)) < 0)
		return r;
	ev = make(bot, kind);
	ev->seq = seq;
	ev->from = annex_strdup(ev->pool, from->full);
	ev->bare = annex_strdup(ev->pool, from->bare);
	ev->made_ms = annex_wall_ms(bot->bots->inst);
	*event_r = ev;
	return ANNEX_OK;
}

void
event_drop(struct event *ev)
{
	struct annex_pool *pool = ev->pool;

	annex_list_remove(&ev->link);
	lane_leave(ev);
	ev->magic = 0;
	annex_pool_destroy(&pool);
}

size_t
event_bytes(const struct event *ev)
{
	return strlen(ev->line) + (ev->body != NULL ? strlen(ev->body) : 0);
}

const char *
event_line(const struct event *ev, struct annex_pool *pool, size_t *len_r)
{
	const char *line = ev->line;
	size_t len = strlen(line);

	if (ev->redelivered > 0) {
		line = annex_sprintf(
		    pool, "%.*s,\"redelivered\":%u}", (int)len - 1, line, ev->redelivered);
		len = strlen(line);
	}
	*len_r = len;
	return line;
}
