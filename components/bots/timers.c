/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * timers.c - when programs want to be woken
 *
 *	{"timer":"tea","in":"4m"}
 *	{"timer":"daily","at":"08:00","tz":"Europe/Paris","every":"1d"}
 *	{"timer":"once","at":"2026-12-24T18:00:00Z"}
 *
 * An alarm of the framework, so one that fell into the time Annex was down rings when it is
 * back; of one that is repeated those that were missed are one.  What
 * is at a time of the day stays at that on the wall of its zone, also
 * across a change of the clocks.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "action.h"

#define TIMERS_MOST 1000 /* of a bot */
#define NAME_BYTES 256
#define DAY_MS ((int64_t)86400000)
#define EVERY_LEAST_MS 1000
#define FULL_MS 60000 /* where the queue is full it rings again */
#define ZONES "/usr/share/zoneinfo/"

/* --- Walls ------------------------------------------------------------------------ */

static bool
is_zone(struct annex_pool *pool, const char *name)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/";

	return *name != '\0' && *name != '/' && name[strspn(name, letters)] == '\0' &&
	    access(annex_sprintf(pool, ZONES "%s", name), R_OK) == 0;
}

/*
 * The C library knows one zone at a time, and takes it from the environment.  A thread of the
 * framework that looks up a host reads that: so the variable is made once, before there are
 * any, and then only gets other values, which disturbs no reader.
 */
void
timers_init(void)
{
	setenv("TZ", ":/etc/localtime", 0);
}

static int64_t
in_zone(struct annex_pool *pool, const char *zone, int64_t (*fn)(void *cookie), void *cookie)
{
	const char *before = annex_strdup(pool, getenv("TZ"));
	int64_t result;

	setenv("TZ", *zone == '\0' ? "UTC0" : annex_sprintf(pool, ":%s", zone), 1);
	tzset();
	result = fn(cookie);
	setenv("TZ", before, 1);
	tzset();
	return result;
}

struct wall {
	int64_t from_ms, after_ms;
	int minutes; /* of the day; negative: those of from_ms */
	int days;    /* between one and the next */
};

/* The first at that time of the day, counted in days from the day of from_ms, behind after_ms. */
static int64_t
next_on_wall(void *cookie)
{
	const struct wall *w = cookie;
	time_t from = (time_t)(w->from_ms / 1000), then;
	struct tm first, tm;
	int n = 0;

	localtime_r(&from, &first);
	if (w->minutes >= 0) {
		first.tm_hour = w->minutes / 60;
		first.tm_min = w->minutes % 60;
		first.tm_sec = 0;
	}
	if (w->after_ms - w->from_ms > DAY_MS * w->days)
		n = (int)((w->after_ms - w->from_ms) / DAY_MS / w->days - 1) * w->days;
	do {
		tm = first;
		tm.tm_mday += n;
		tm.tm_isdst = -1;
		then = mktime(&tm);
		n += w->days;
	} while ((int64_t)then * 1000 <= w->after_ms);
	return (int64_t)then * 1000;
}

/* What that wall's clock shows then, in minutes of the day. */
static int64_t
minutes_on_wall(void *cookie)
{
	time_t then = (time_t)(*(const int64_t *)cookie / 1000);
	struct tm tm;

	localtime_r(&then, &tm);
	return tm.tm_hour * 60 + tm.tm_min;
}

/* "08:00" in minutes; negative where it is something else. */
static int
minutes_of(const char *text)
{
	if (strlen(text) != 5 || strspn(text, "0123456789") != 2 || text[2] != ':' ||
	    strspn(text + 3, "0123456789") != 2 || atoi(text) > 23 || atoi(text + 3) > 59)
		return -1;
	return atoi(text) * 60 + atoi(text + 3);
}

/* --- The verb -------------------------------------------------------------------------- */

static struct annex_key
key_of(const struct bot *bot, const char *name)
{
	return bots_key_in(TABLE_TIMERS, bot->name, name);
}

static bool
has_room(const struct bot *bot, const char *name)
{
	struct annex_key prefix = bots_key(TABLE_TIMERS, bot->name), key = key_of(bot, name);
	struct annex_iter it = annex_iter(&prefix);
	ProtobufCMessage *record;
	size_t n = 0;

	if (annex_get(bot->bots->store, &key, &record) >= 0)
		return true;
	it.keys_only = true;
	while (annex_next(bot->bots->store, &it) == ANNEX_AGAIN)
		n++;
	return n < TIMERS_MOST;
}

static int
judge_at(struct action *a, int64_t now_ms)
{
	struct wall wall = { .from_ms = now_ms, .after_ms = now_ms, .days = 1 };

	if ((wall.minutes = minutes_of(a->at)) >= 0)
		a->due_ms = in_zone(a->pool, a->tz != NULL ? a->tz : "", next_on_wall, &wall);
	else if (annex_datetime_read(a->at, &a->due_ms) < 0)
		return action_wrong(a, "bad-json",
		    "\"at\" must be a time such as 08:00, or a date and time of XEP-0082");
	return ANNEX_OK;
}

int
judge_timer(struct action *a)
{
	int64_t now_ms = annex_wall_ms(a->bot->bots->inst);

	if (*a->timer == '\0' || strlen(a->timer) > NAME_BYTES)
		return action_wrong(
		    a, "bad-json", "a timer's name is a text of 1 to %d bytes", NAME_BYTES);
	if (a->clear)
		return ANNEX_OK;
	if (a->tz != NULL && !is_zone(a->pool, a->tz))
		return action_wrong(a, "bad-json", "no time zone \"%.60s\" is known", a->tz);
	if (a->for_ms > 0 && a->for_ms < EVERY_LEAST_MS)
		return action_wrong(a, "bad-json", "\"every\" is at least a second");
	if (!has_room(a->bot, a->timer))
		return action_wrong(
		    a, "resource-constraint", "a bot has at most %d timers", TIMERS_MOST);
	if (a->at != NULL)
		return judge_at(a, now_ms);
	if (a->ttl_ms == 0 && a->for_ms == 0)
		return action_wrong(a, "bad-json", "\"timer\" has no \"in\", \"at\" or \"every\"");
	a->due_ms = now_ms + (a->ttl_ms > 0 ? a->ttl_ms : a->for_ms);
	return ANNEX_OK;
}

static const char *
alarm_key(const struct bot *bot, const char *name)
{
	return annex_sprintf(annex_scratch(bot->bots->inst), "%s\n%s", bot->name, name);
}

/* It rings at that time, which need not be when it was due. */
static int
keep(struct bot *bot, const Bots__Timer *timer, int64_t ring_ms)
{
	struct annex_key key = key_of(bot, timer->name);
	const char *alarm = alarm_key(bot, timer->name);
	int r = annex_put(bot->bots->store, &key, &timer->base);

	if (r < 0)
		return r;
	return bots_must(
	    bot->bots, annex_alarm_set(bot->bots->inst, "timer", alarm, strlen(alarm), ring_ms));
}

static int
forget(struct bot *bot, const char *name)
{
	struct annex_key key = key_of(bot, name);
	const char *alarm = alarm_key(bot, name);
	int r = annex_delete(bot->bots->store, &key);

	if (r < 0)
		return r == ANNEX_ENOENT ? ANNEX_OK : r;
	return bots_must(
	    bot->bots, annex_alarm_clear(bot->bots->inst, "timer", alarm, strlen(alarm)));
}

int
run_timer(struct action *a)
{
	Bots__Timer timer = BOTS__TIMER__INIT;

	if (a->clear)
		return forget(a->bot, a->timer);
	timer.name = (char *)(uintptr_t)a->timer;
	timer.due_ms = a->due_ms;
	timer.every_ms = a->for_ms;
	timer.zone = (char *)(uintptr_t)(a->tz != NULL ? a->tz : "");
	timer.on_wall = a->at != NULL && a->for_ms % DAY_MS == 0;
	if (timer.on_wall)
		timer.minutes =
		    (uint32_t)in_zone(a->pool, timer.zone, minutes_on_wall, &a->due_ms) + 1;
	return keep(a->bot, &timer, timer.due_ms);
}

/* --- The time has come --------------------------------------------------------------------- */

static int64_t
next_due(struct bot *bot, const Bots__Timer *timer)
{
	int64_t now_ms = annex_wall_ms(bot->bots->inst);
	/* Where the clocks went over it once it is back the day after. */
	struct wall wall = {
		.from_ms = timer->due_ms, .after_ms = now_ms, .minutes = (int)timer->minutes - 1
	};

	if (wall.after_ms < timer->due_ms)
		wall.after_ms = timer->due_ms;
	if (!timer->on_wall)
		return timer->due_ms +
		    ((wall.after_ms - timer->due_ms) / timer->every_ms + 1) * timer->every_ms;
	wall.days = (int)(timer->every_ms / DAY_MS);
	return in_zone(annex_scratch(bot->bots->inst), timer->zone, next_on_wall, &wall);
}

static int
tell(struct bot *bot, const Bots__Timer *timer)
{
	const struct annex_jid *me = annex_jid(annex_scratch(bot->bots->inst), bot->jid);
	struct event *ev;
	struct text t;
	int r;

	if ((r = event_make(bot, "timer", me, &ev)) < 0)
		return r;
	t = event_begin(ev);
	text_member(&t, "name", timer->name);
	text_member(&t, "due", annex_datetime(ev->pool, timer->due_ms));
	event_end(ev, &t);
	ev->body = annex_strdup(ev->pool, timer->name);
	r = event_add_or_drop(ev);
	return r == ANNEX_EINVAL ? ANNEX_OK : r; /* no program could take it */
}

void
time_ring(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms)
{
	char *name = annex_strndup(annex_scratch(inst), key, key_len), *stop = strchr(name, '\n');
	struct bot *bot;
	struct annex_key row;
	ProtobufCMessage *record;
	Bots__Timer timer;
	int64_t ring_ms;
	int r;

	(void)due_wall_ms;
	if (stop == NULL)
		return;
	*stop = '\0';
	if ((bot = bot_find(annex_state(inst), name)) == NULL)
		return;
	row = key_of(bot, stop + 1);
	if (annex_get(bot->bots->store, &row, &record) < 0)
		return;
	timer = *(const Bots__Timer *)record;
	timer.name = stop + 1;
	timer.zone = annex_strdup(annex_scratch(inst), timer.zone);
	if ((r = tell(bot, &timer)) >= 0 && timer.every_ms == 0) {
		bots_must(bot->bots, annex_delete(bot->bots->store, &row));
		return;
	}
	if (r >= 0)
		timer.due_ms = next_due(bot, &timer);
	ring_ms = r == ANNEX_ELIMIT ? annex_wall_ms(inst) + FULL_MS : timer.due_ms;
	bots_must(bot->bots, r < 0 && r != ANNEX_ELIMIT ? r : keep(bot, &timer, ring_ms));
}
