/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * rooms.c - bots in group chats (XEP-0045)
 *
 *	out ──join──▶ asked ──own presence (110)──▶ in
 *	 ▲──────────── error, put out, silence (XEP-0410), no link
 *
 * Rooms of the configuration and those that a program joined (kept in the
 * store) are entered whenever there is a link, and again whenever we are
 * found not to be in any more.  A nickname that is taken gets a dash and a
 * number.  What is said there becomes an event if it is meant for the bot:
 * history and what we said ourselves never is.
 */
#include <string.h>
#include <strings.h>

#include "action.h"

#define NS_MUC "http://jabber.org/protocol/muc"
#define NS_MUC_USER NS_MUC "#user"
#define NS_PING "urn:xmpp:ping"
#define LOOK_MS 300000 /* between pings to ourselves */
#define PAUSE_FIRST_MS 2000
#define PAUSE_MOST_MS 300000
#define NICKS_MOST 20
#define ROOMS_MOST 1000 /* of a bot */

struct room {
	struct bot *bot;
	struct annex_pool *pool, *as_pool;
	const char *jid, *nick; /* nick as wished */
	const char *as;         /* room@service/nickname we are in as, or asked for */
	unsigned attempts;      /* nicknames that were taken */
	enum { ROOM_OUT, ROOM_ASKED, ROOM_IN } state;
	struct annex_timer *timer;
	int64_t pause_ms;
};

static struct room *
room_find(const struct bot *bot, const char *jid)
{
	return annex_map_get_str(bot->rooms, jid);
}

const char *
rooms_speaker(const struct bot *bot, const char *full, const char *bare)
{
	return room_find(bot, bare) != NULL ? full : bare;
}

const char *
rooms_reply_to(const struct bot *bot, const char *full, const char *bare, const char *type)
{
	bool to_all = type != NULL && strcmp(type, "groupchat") == 0;

	return to_all ? bare : rooms_speaker(bot, full, bare);
}

/* What rooms call us they may change again and again: the last name alone is kept. */
static void
be_called(struct room *room, const char *as)
{
	struct annex_pool *before = room->as_pool;

	if (room->as != NULL && strcmp(room->as, as) == 0)
		return;
	room->as_pool = annex_pool_create(room->pool, "name in room");
	room->as = annex_strdup(room->as_pool, as);
	if (before != NULL)
		annex_pool_destroy(&before);
}

/* --- Coming in ------------------------------------------------------------------ */

static void
enter(struct room *room)
{
	struct annex_instance *inst = room->bot->bots->inst;
	struct annex_stanza *out;
	struct annex_element *x;
	const char *nick = room->nick;

	if (!annex_is_up(inst))
		return;
	if (room->attempts > 0)
		nick = annex_sprintf(annex_scratch(inst), "%s-%u", nick, room->attempts + 1);
	be_called(room, annex_sprintf(annex_scratch(inst), "%s/%s", room->jid, nick));
	room->state = ROOM_ASKED;
	out = annex_presence(inst, room->bot->full, room->as, NULL);
	x = annex_add(out->element, NS_MUC, "x");
	annex_attr_set(annex_add(x, NULL, "history"), "maxstanzas", "0");
	annex_send_on(inst, annex_flow(inst, room->bot->name), out);
	annex_timer_start(room->timer, LOOK_MS);
}

static void
enter_later(struct room *room)
{
	room->state = ROOM_OUT;
	room->pause_ms = room->pause_ms == 0 ? PAUSE_FIRST_MS : room->pause_ms * 2;
	if (room->pause_ms > PAUSE_MOST_MS)
		room->pause_ms = PAUSE_MOST_MS;
	annex_timer_start(room->timer, room->pause_ms);
}

/* XEP-0410 §3.2: these mean that we are in, or cannot know. */
static bool
says_nothing(enum annex_condition condition)
{
	return condition == ANNEX_SERVICE_UNAVAILABLE ||
	    condition == ANNEX_FEATURE_NOT_IMPLEMENTED || condition == ANNEX_ITEM_NOT_FOUND ||
	    condition == ANNEX_REMOTE_SERVER_NOT_FOUND || condition == ANNEX_REMOTE_SERVER_TIMEOUT;
}

static void
pinged(struct annex_instance *inst, int status, const struct annex_stanza *answer,
    const void *cookie, size_t cookie_len)
{
	const char *name = cookie, *jid = name + strlen(name) + 1;
	struct bot *bot = bot_find(annex_state(inst), name);
	struct room *room = bot == NULL ? NULL : room_find(bot, jid);

	(void)cookie_len;
	if (room == NULL || room->state != ROOM_IN)
		return;
	annex_timer_start(room->timer, LOOK_MS);
	if (status == ANNEX_EDENIED && !says_nothing(annex_error_read(answer->element).condition))
		enter(room);
}

static void
look(struct room *room)
{
	struct annex_instance *inst = room->bot->bots->inst;
	struct annex_stanza *q = annex_iq(inst, room->bot->full, room->as, "get");
	struct text cookie = { .pool = annex_scratch(inst) };

	annex_add(q->element, NS_PING, "ping");
	text_add(&cookie, room->bot->name, strlen(room->bot->name) + 1);
	text_add(&cookie, room->jid, strlen(room->jid) + 1);
	annex_ask(inst, q, 0, pinged, cookie.bytes, cookie.len);
	annex_timer_start(room->timer, LOOK_MS);
}

static void
ring(struct annex_instance *inst, void *cookie)
{
	struct room *room = cookie;

	(void)inst;
	if (room->state == ROOM_IN)
		look(room);
	else
		enter(room);
}

void
rooms_link_up(struct bot *bot)
{
	struct annex_map_iter it = { 0 };

	while (annex_map_next(bot->rooms, &it))
		enter(it.value);
}

/* --- Which rooms --------------------------------------------------------------------- */

static void
leave(struct room *room)
{
	struct annex_instance *inst = room->bot->bots->inst;
	struct annex_pool *pool = room->pool;

	if (room->as != NULL)
		annex_send_on(inst, annex_flow(inst, room->bot->name),
		    annex_presence(inst, room->bot->full, room->as, "unavailable"));
	annex_map_remove_str(room->bot->rooms, room->jid);
	annex_timer_free(&room->timer);
	annex_pool_destroy(&pool);
}

static struct room *
room_add(struct bot *bot, const char *jid, const char *nick)
{
	struct room *room = room_find(bot, jid);
	struct annex_pool *pool;

	if (nick == NULL)
		nick = bot_name(bot);
	if (room != NULL && strcmp(room->nick, nick) == 0)
		return room;
	if (room != NULL)
		leave(room);
	pool = annex_pool_create(bot->pool, "room");
	room = annex_new(pool, struct room);
	room->pool = pool;
	room->bot = bot;
	room->jid = annex_strdup(pool, jid);
	room->nick = annex_strdup(pool, nick);
	room->timer = annex_timer(bot->bots->inst, ring, room);
	annex_map_set_str(bot->rooms, room->jid, room);
	return room;
}

int
rooms_load(struct bot *bot)
{
	struct annex_key prefix = bots_key(TABLE_ROOMS, bot->name);
	struct annex_iter it = annex_iter(&prefix);
	int r;

	bot->rooms = annex_map_create(bot->pool);
	for (size_t i = 0; i < bot->set->rooms.count; i++)
		room_add(bot, bot->set->rooms.value[i], NULL);
	while ((r = annex_next(bot->bots->store, &it)) == ANNEX_AGAIN) {
		const Bots__Room *record = (const Bots__Room *)it.record;

		room_add(bot, record->jid, *record->nick == '\0' ? NULL : record->nick);
	}
	return r == ANNEX_ESTORE ? r : ANNEX_OK;
}

int
judge_join(struct action *a)
{
	const char *nick = a->nick != NULL ? a->nick : bot_name(a->bot);
	const struct annex_jid *place =
	    annex_jid(a->pool, annex_sprintf(a->pool, "%s/%s", a->to->bare, nick));

	if (a->to->local == NULL || strcmp(a->to->domain, annex_domain(a->bot->bots->inst)) == 0)
		return action_wrong(a, "bad-json", "%s is no room", a->to->bare);
	if (place == NULL || place->resource == NULL)
		return action_wrong(a, "bad-json", "\"nick\" must be a nickname");
	if (room_find(a->bot, a->to->bare) == NULL && annex_map_count(a->bot->rooms) >= ROOMS_MOST)
		return action_wrong(
		    a, "resource-constraint", "a bot is in at most %d rooms", ROOMS_MOST);
	if (a->nick != NULL)
		a->nick = place->resource;
	return ANNEX_OK;
}

int
run_join(struct action *a)
{
	struct annex_key key = bots_key_in(TABLE_ROOMS, a->bot->name, a->to->bare);
	Bots__Room record = BOTS__ROOM__INIT;
	int r;

	record.jid = (char *)(uintptr_t)a->to->bare;
	record.nick = (char *)(uintptr_t)(a->nick != NULL ? a->nick : "");
	if ((r = annex_put(a->bot->bots->store, &key, &record.base)) < 0)
		return r;
	enter(room_add(a->bot, a->to->bare, a->nick));
	return ANNEX_OK;
}

void
rooms_end(struct bot *bot)
{
	struct annex_map_iter it = { 0 };

	while (annex_map_next(bot->rooms, &it))
		leave(it.value);
}

int
run_leave(struct action *a)
{
	struct annex_key key = bots_key_in(TABLE_ROOMS, a->bot->name, a->to->bare);
	struct room *room = room_find(a->bot, a->to->bare);
	int r;

	if ((r = annex_delete(a->bot->bots->store, &key)) < 0 && r != ANNEX_ENOENT)
		return r;
	if (room != NULL)
		leave(room);
	return ANNEX_OK;
}

/* A room that we have made is locked until its owner says that it is fine as it is (§10.1.2). */
static void
made(struct annex_instance *inst, int status, const struct annex_stanza *answer, const void *cookie,
    size_t cookie_len)
{
	(void)answer;
	if (status == ANNEX_EDENIED)
		annex_log(inst, ANNEX_LOG_REMOTE, "the room %.*s stays locked", (int)cookie_len,
		    (const char *)cookie);
}

static void
unlock(struct room *room)
{
	struct annex_instance *inst = room->bot->bots->inst;
	struct annex_stanza *q = annex_iq(inst, room->bot->full, room->jid, "set");
	struct annex_element *el = annex_add(q->element, NS_MUC "#owner", "query");

	annex_attr_set(annex_add(el, ANNEX_NS_FORM, "x"), "type", "submit");
	annex_ask(inst, q, 0, made, room->jid, strlen(room->jid));
}

/* --- What rooms say ---------------------------------------------------------------------- */

static bool
has_status(const struct annex_element *presence, const char *code)
{
	const struct annex_element *x = annex_child(presence, NS_MUC_USER, "x");

	for (const struct annex_element *s = x == NULL ? NULL : annex_child(x, NULL, "status");
	     s != NULL; s = annex_child_after(s, NULL, "status"))
		if (annex_attr(s, "code") != NULL && strcmp(annex_attr(s, "code"), code) == 0)
			return true;
	return false;
}

static void
presence_in_room(struct room *room, const struct annex_stanza *in)
{
	bool own = has_status(in->element, "110") || strcmp(in->from->full, room->as) == 0;
	bool gone = in->type != NULL && strcmp(in->type, "unavailable") == 0;

	if (!own && gone) {
		ask_left(room->bot, in->from);
		dialog_left(room->bot, in->from);
	}
	if (!own)
		return;
	if (gone) {
		enter_later(room);
		return;
	}
	room->state = ROOM_IN;
	room->pause_ms = 0;
	if (has_status(in->element, "201"))
		unlock(room);
	be_called(room, in->from->full);
	annex_timer_start(room->timer, LOOK_MS);
}

enum annex_verdict
bots_presence(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct bot *bot = in->to->local == NULL ? NULL : bot_find(annex_state(inst), in->to->local);
	struct room *room = bot == NULL ? NULL : room_find(bot, in->from->bare);

	if (room == NULL)
		return ANNEX_PASS;
	if (room->as != NULL)
		presence_in_room(room, in);
	return ANNEX_DONE;
}

enum annex_verdict
bots_presence_error(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct bot *bot = in->to->local == NULL ? NULL : bot_find(annex_state(inst), in->to->local);
	struct room *room = bot == NULL ? NULL : room_find(bot, in->from->bare);
	enum annex_condition condition = annex_error_read(in->element).condition;

	if (room == NULL)
		return ANNEX_PASS;
	if (condition == ANNEX_CONFLICT && room->attempts < NICKS_MOST) {
		room->attempts++;
		enter(room);
		return ANNEX_DONE;
	}
	annex_log(inst, ANNEX_LOG_REMOTE, "%s is not let into %s (%s)", bot->name, room->jid,
	    annex_condition_name(condition));
	room->attempts = 0;
	enter_later(room);
	return ANNEX_DONE;
}

/* A room that we are not in says so when we speak. */
void
rooms_bounced(struct bot *bot, const struct annex_stanza *in, const struct annex_error *error)
{
	struct room *room = room_find(bot, in->from->bare);

	if (room != NULL && error->condition == ANNEX_NOT_ACCEPTABLE)
		enter(room);
}

/* --- Who is meant -------------------------------------------------------------------------- */

static bool
is_word_end(char c)
{
	return c == '\0' || strchr(" \t\n,:;.!?", c) != NULL;
}

/* "nick: text" and "text, nick?"; what is behind the former is what was said. */
static const char *
said_to(const char *body, const char *nick)
{
	size_t len = strlen(nick);

	if (strncasecmp(body, nick, len) == 0 && is_word_end(body[len]))
		return body + len + strspn(body + len, " \t\n,:");
	for (const char *at = body; *at != '\0'; at++)
		if (is_word_end(at[0]) && strncasecmp(at + 1, nick, len) == 0 &&
		    is_word_end(at[1 + len]))
			return body;
	return NULL;
}

/* Where somebody has said that just now, we perhaps; NULL: it is history, or the room's own. */
static const struct room *
room_of(const struct bot *bot, const struct annex_stanza *in)
{
	const struct room *room = room_find(bot, in->from->bare);
	int64_t stamp_ms;

	return room == NULL || room->state != ROOM_IN || in->from->resource == NULL ||
		annex_delay_read(in->element, NULL, &stamp_ms) >= 0
	    ? NULL
	    : room;
}

bool
rooms_hear(const struct bot *bot, const struct annex_stanza *in)
{
	const struct room *room = room_of(bot, in);

	return room != NULL && strcmp(in->from->full, room->as) != 0;
}

const char *
rooms_meant(struct bot *bot, const struct annex_stanza *in, const char *body)
{
	const struct room *room = room_of(bot, in);

	if (room == NULL)
		return NULL;
	if (strcmp(in->from->full, room->as) == 0) {
		echo_note(bot, in);
		return NULL;
	}
	if (body[0] == '!' && body[1] != '\0')
		return body + 1;
	return said_to(body, strchr(room->as, '/') + 1);
}
