/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * ask.c - who is still there
 *
 * Start-up loads no room: "live" is the index of those with somebody in them,
 * and is walked in small steps.  On a new link the first round lets each room say
 * what may have been lost (replay.c).  Who was in before is unproven until
 * something is heard of them, since their leaving may have been lost: some time
 * after attaching a round asks each of them, and others follow until all are
 * proven, ever more slowly.
 *
 * To ask is to send an empty message from the room, and a fence behind it: servers
 * answer at once, with an error, for a client that is gone, and are silent for one
 * that is there, or will be again (XEP-0198).  An IQ would be wrong: clients that know
 * no ping refuse it as servers do for those who are gone.  Of other domains,
 * silence means no more than that, and a server that cannot be reached is tried
 * several times before its users are put out.
 */
#include <string.h>

#include <annex/iq.h>

#include "routed.h"

#define ROOMS_A_STEP 50
#define QUESTIONS_A_STEP 100
#define CONGESTED_MS 200
#define FENCE_MS 30000
#define AGAIN_MAX_MS ((int64_t)60 * 60 * 1000)
#define DOUBT_MS 60000
#define DOUBTS_MAX 3
#define EARLY_MS ((int64_t)5 * 60 * 1000)

struct asking_round {
	struct annex_timer *timer;
	bool asks;       /* or only lets rooms say what may have been lost */
	bool waits;      /* for the next round to begin */
	char at[32];     /* the room it has done last */
	uint32_t number; /* of the round; 0: of none */
	uint32_t step;   /* what a fence was asked for */
	bool left;       /* somebody is unproven still, */
	bool doubted;    /* or in doubt */
	int64_t attached_ms, pause_ms, due_ms;
};

/* --- One session ------------------------------------------------------------------ */

static uint32_t
now_s(const struct muc *m)
{
	return (uint32_t)(annex_now_ms(m->inst) / 1000) + 1;
}

static void
session_ask(struct session *s)
{
	struct room *room = s->occupant->room;
	struct annex_stanza *out = annex_message(room->muc->inst, room->jid, s->jid, "groupchat");

	s->asked_s = now_s(room->muc);
	if (!s->doubted)
		s->doubts = 0; /* they were silent when asked before */
	s->doubted = false;
	annex_make_fleeting(out);
	annex_send_on(room->muc->inst, room_flow(room), out);
	annex_count(room->muc->asked, 1);
}

void
ask_about(struct occupant *o)
{
	SESSIONS_EACH(o, s)
	if (!session_is_proven(s))
		session_ask(s);
}

/* In the room; how many questions it took.  Who was asked in this round is not asked again. */
static size_t
room_ask(struct room *room, struct asking_round *round, size_t most)
{
	size_t n = 0;

	OCCUPANTS_EACH(room, o)
	SESSIONS_EACH(o, s)
	{
		if (session_is_proven(s) && s->doubts == 0)
			continue;
		if (s->asked == round->number)
			continue;
		if (n == most)
			return n;
		s->asked = round->number;
		session_ask(s);
		round->left |= !session_is_proven(s);
		round->doubted |= s->doubts > 0;
		n++;
	}
	return n;
}

/* --- Rounds ------------------------------------------------------------------------- */

static void
round_begin(struct asking_round *round, bool asks)
{
	round->asks = asks;
	round->waits = round->left = round->doubted = false;
	round->at[0] = '\0';
	round->number++;
}

static void
round_wait(struct muc *m, int64_t ms)
{
	struct asking_round *round = m->round;
	int64_t due = annex_now_ms(m->inst) + ms;

	if (round->waits && annex_timer_is_running(round->timer) && round->due_ms <= due)
		return;
	round->waits = true;
	round->due_ms = due;
	annex_timer_start(round->timer, ms);
}

/* The last room of a round is done. */
static void
round_end(struct muc *m)
{
	struct asking_round *round = m->round;
	int64_t since = annex_now_ms(m->inst) - round->attached_ms;

	if (!round->asks) {
		round->pause_ms = m->set->ask_again_ms;
		round_wait(m, since < m->set->ask_after_ms ? m->set->ask_after_ms - since : 0);
		return;
	}
	if (round->doubted)
		round_wait(m, DOUBT_MS);
	else if (round->left)
		round_wait(m, round->pause_ms);
	if (round->left && round->pause_ms < AGAIN_MAX_MS)
		round->pause_ms *= 2;
}

static size_t
live_step(struct muc *m, const char *id, const Muc__Live *live, size_t most)
{
	struct room *room;

	if (live->link != annex_link_number(m->inst) && live->gone) {
		gone_resync(m, id, live);
		return 0;
	}
	if (live->gone)
		return 0;
	room = room_find(m, live->name); /* where marks were lost in a reset, it asks for a fence */
	if (room == NULL || !m->round->asks || strcmp(room->id, id) != 0)
		return 0;
	return room_ask(room, m->round, most);
}

/* Some rooms of a round; whether there are more, and how many questions it took. */
static bool
rooms_step(struct muc *m, size_t *asked)
{
	struct asking_round *round = m->round;
	struct annex_key prefix = annex_key(&muc_tables[TABLE_LIVE]), key = prefix;
	struct annex_iter it = annex_iter_from(&prefix, annex_key_text(&key, round->at));
	const char *id;

	for (unsigned n = 0; annex_next(m->store, &it) == ANNEX_AGAIN;) {
		id = annex_key_string(&it.key, 0, annex_scratch(m->inst));
		if (id == NULL || strcmp(id, round->at) == 0)
			continue;
		if (n++ == ROOMS_A_STEP || annex_is_congested(m->inst))
			return true;
		*asked += live_step(m, id, (const Muc__Live *)it.record, QUESTIONS_A_STEP - *asked);
		if (*asked == QUESTIONS_A_STEP) /* there may be more in that room */
			return true;
		strncpy(round->at, id, sizeof(round->at) - 1);
	}
	return false;
}

static void step(struct annex_instance *inst, void *cookie);

/* All that was asked has been routed: who is gone was heard of. */
static void
step_routed(struct annex_instance *inst, int status, const void *cookie, size_t len)
{
	struct muc *m = annex_state(inst);
	uint32_t number;

	memcpy(&number, cookie, len);
	if (status == ANNEX_OK && number == m->round->step)
		step(inst, m);
}

static void
step(struct annex_instance *inst, void *cookie)
{
	struct muc *m = cookie;
	struct asking_round *round = m->round;
	size_t asked = 0;
	bool more;

	annex_timer_stop(round->timer);
	if (!annex_is_up(inst))
		return;
	if (annex_is_congested(inst)) {
		annex_timer_start(round->timer, CONGESTED_MS);
		return;
	}
	if (round->waits)
		round_begin(round, true);
	more = rooms_step(m, &asked);
	round->step++;
	if (!more) {
		round_end(m);
	} else if (asked > 0) {
		annex_fence(inst, step_routed, &round->step, sizeof(round->step));
		annex_timer_start(round->timer, FENCE_MS);
	} else {
		annex_timer_start(round->timer, annex_is_congested(inst) ? CONGESTED_MS : 0);
	}
}

void
ask_init(struct muc *m)
{
	m->round = annex_new(annex_pool(m->inst), struct asking_round);
	m->round->timer = annex_timer(m->inst, step, m);
}

void
ask_link_up(struct muc *m)
{
	m->round->attached_ms = annex_now_ms(m->inst);
	round_begin(m->round, false);
	annex_timer_start(m->round->timer, 0);
}

void
ask_resync(struct muc *m)
{
	round_begin(m->round, false);
	annex_timer_start(m->round->timer, CONGESTED_MS);
}

void
ask_link_down(struct muc *m)
{
	annex_timer_stop(m->round->timer);
	m->round->step++;
}

bool
ask_is_early(const struct muc *m)
{
	return !annex_is_up(m->inst) || annex_now_ms(m->inst) - m->round->attached_ms < EARLY_MS;
}

/* --- Errors (XEP-0045 §16.3, §11.1) ----------------------------------------------------- */

static bool
means_gone(enum annex_condition condition)
{
	switch (condition) {
	case ANNEX_GONE:
	case ANNEX_ITEM_NOT_FOUND:
	case ANNEX_JID_MALFORMED:
	case ANNEX_RECIPIENT_UNAVAILABLE:
	case ANNEX_REDIRECT:
	case ANNEX_SERVICE_UNAVAILABLE:
		return true;
	default:
		return false;
	}
}

/* A blocklist says so of what comes from an occupant (XEP-0191 §3.3): the room asks for itself. */
static bool
is_ambiguous(enum annex_condition condition, bool of_room)
{
	return condition == ANNEX_SERVICE_UNAVAILABLE && !of_room;
}

/* Once a minute: there may be an error to each of many messages. */
static void
ask_now_and_then(struct session *s)
{
	if (s->asked_s == 0 || now_s(s->occupant->room->muc) - s->asked_s >= DOUBT_MS / 1000)
		session_ask(s);
}

bool
ask_is_gone(struct session *s, enum annex_condition condition, bool of_room)
{
	struct muc *m = s->occupant->room->muc;

	if (is_ambiguous(condition, of_room)) {
		ask_now_and_then(s);
		return false;
	}
	if (condition != ANNEX_REMOTE_SERVER_NOT_FOUND && condition != ANNEX_REMOTE_SERVER_TIMEOUT)
		return means_gone(condition);
	if (s->doubted) /* and not asked since */
		return false;
	s->doubted = true;
	if (++s->doubts > DOUBTS_MAX)
		return true;
	if (m->round->waits || !annex_timer_is_running(m->round->timer))
		round_wait(m, DOUBT_MS);
	return false;
}
