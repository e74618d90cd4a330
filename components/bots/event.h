/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * event.h - what happens to bots, from its row to its last answer
 *
 *	event.c     one event: its row, and its line
 *	inbox.c     those that wait: in the store, and the first of them in memory
 *	lane.c      those of one contact
 *	dispatch.c  who gets one
 *	reply.c     answers to it
 *	recent.c    it is done, and may still be answered
 *	dead.c      it failed
 *	expire.c    nobody took it in time
 *	lag.c       how old the oldest is
 */
#ifndef BOTS_EVENT_H
#define BOTS_EVENT_H

#include "bots.h"

/* The events of one contact keep their order. */
struct lane {
	struct annex_link spare;
	size_t events; /* in the store, those in memory among them */
	size_t taken;
	struct consumer *consumer; /* who has taken them */
	struct event *state;       /* whether the contact is there, as it was last; or NULL */
	uint64_t state_seq;        /* its number; 0: there is none */
	bool state_is_first;       /* it says that they had not been there */
	struct annex_link by_state;
	int64_t blocked_until_ms; /* the first of them failed */
	int64_t told_ms;          /* when they were told that something ran out; 0: never */
	uint64_t pass;            /* private to dispatch */
};

struct event {
	uint32_t magic;
#define EVENT_MAGIC 0x65766e74u
	struct annex_link link;
	struct annex_pool *pool;
	struct bot *bot;
	struct lane *lane;
	struct consumer *consumer; /* who has taken it, or NULL */
	uint64_t seq;
	const char *kind, *from, *bare, *type, *thread, *id, *lang;
	const char *line;   /* as programs get it */
	const char *body;   /* as an exec program gets it */
	const char *marker; /* the id by which its sender is told that it was read; or NULL */
	uint32_t replies;   /* sent, of this delivery or an earlier one */
	uint32_t tries;     /* that failed */
	int64_t made_ms;
	unsigned redelivered; /* times it may have been given to somebody before */
	unsigned ordinal;     /* answers within this delivery */
	bool quoted;          /* its answer says what it answers */
	bool unkept;          /* its sender wants it in no archive */
	bool is_state;        /* whether its contact is there: a later one replaces it */
	bool is_first;        /* it says that they came, and had not been there */
	bool later;           /* its row is among those that are answered later */
	/* Of a message whose client shows who is writing (XEP-0085): */
	bool composes, composing;
	int64_t taken_ms;
};

/* --- event.c, inbox.c ------------------------------------------------------ */

/* A new one with a number, in a pool of its own; to be filled, then added or dropped. */
int event_make(struct bot *bot, const char *kind, const struct annex_jid *from,
    struct event **event_r) ANNEX_MUST_CHECK;
void event_drop(struct event *event);
/* ANNEX_ELIMIT: the queue is full, and not of what may go first; ANNEX_EINVAL: its line is too long. */
int event_fits(const struct event *event) ANNEX_MUST_CHECK;
/* Into the store, and to whoever takes events, if it fits. */
int event_add(struct event *event) ANNEX_MUST_CHECK;
/* Its line, with what this delivery adds to it; in pool. */
const char *event_line(const struct event *event, struct annex_pool *pool, size_t *len_r);
/* Acknowledged: it goes. */
void event_done(struct event *event);
/* It waits, and nobody will get it: it goes. */
int event_forget(struct event *event) ANNEX_MUST_CHECK;
/* Nobody has it any more: it waits again. */
void event_release(struct event *event);
/* Its replies and tries so far, into the store. */
int event_note(struct event *event) ANNEX_MUST_CHECK;
/* Load what waits in the store, as far as memory has room. */
int inbox_fill(struct bot *bot) ANNEX_MUST_CHECK;
int inbox_load(struct bot *bot) ANNEX_MUST_CHECK;
/* It is counted among those that wait, or is not any more. */
void event_waits(struct event *event, bool waits);
/* What its line and its body take. */
size_t event_bytes(const struct event *event);
/* Its row, to be written and deleted. */
int event_put(const struct event *event) ANNEX_MUST_CHECK;
int event_delete(const struct event *event) ANNEX_MUST_CHECK;
/* Its record, which points into it; and the other way, in a pool of its own. */
void event_pack(const struct event *event, Bots__Event *record);
struct event *event_unpack(struct bot *bot, uint64_t seq, const Bots__Event *record);
/* Its row. */
struct annex_key bots_key_event(const struct bot *bot, uint64_t seq, const char *bare);

/* --- lane.c --------------------------------------------------------------- */

/* That of a contact, which is made where there is none. */
struct lane *lane_of(struct bot *bot, const char *bare);
/* It is not in the store any more. */
void lane_leave(struct event *event);
/* The last state of its contact from now on, where it is one. */
void lane_note_state(struct lane *lane, struct event *event, bool in_memory);
/* Whether it is a state, and an earlier one of its contact waits, which nobody need see any more. */
bool lane_replaces(const struct event *event);
/* The same, and that earlier one says that they came: nobody has seen it. */
bool lane_replaces_first(const struct event *event);
/* The state of that contact goes, which nobody has taken. */
int lane_drop_state(struct bot *bot, const char *bare) ANNEX_MUST_CHECK;
/*
 * The number of the state that may go for event, where the queue is full: that of its contact where
 * there are too many of them, or the oldest of all.  0: there is none.
 */
uint64_t lane_spares(const struct event *event);

/* --- dead.c --------------------------------------------------------------- */

/* It is kept as a dead letter; its own row is the caller's affair. */
int event_bury(struct event *event, const char *why) ANNEX_MUST_CHECK;
/* A try failed: it will be tried again, or is given up for good. */
void event_failed(struct event *event, bool for_good, const char *why);
/* One that was given up is tried anew, under a new number. */
int event_revive(struct bot *bot, const Bots__Event *record) ANNEX_MUST_CHECK;

/* --- expire.c ------------------------------------------------------------- */

/* Before its first event. */
void expire_begin(struct bot *bot);
/* It waits in memory from now on. */
void expire_note(const struct event *event);
/* Its time is over: nobody gets it, and it goes soon. */
bool expire_is_over(const struct event *event);
/* What waits is looked through now: the options are others. */
void expire_look(struct bot *bot);

/* --- recent.c ------------------------------------------------------------- */

/* One that waits for an answer at that consumer, or was acknowledged lately without one. */
struct event *event_find(const struct consumer *consumer, uint64_t seq);
/* It is done, and kept a while. */
void event_remember(struct event *event);
/* Acknowledged, but the answer comes later, also after a restart. */
int event_later(struct event *event) ANNEX_MUST_CHECK;
/* The last answer to one that nobody has any more was given: it goes. */
int event_answered(struct event *event) ANNEX_MUST_CHECK;
/* All programs see all events. */
bool bot_is_for_all(const struct bot *bot);

/* --- lag.c ---------------------------------------------------------------- */

void lag_init(struct bots *m);
/* Something waits. */
void lag_note(struct bots *m);
/* How old the oldest event is that nobody has acknowledged; 0: there is none. */
int64_t bot_lag_ms(const struct bot *bot);

/* --- dispatch.c ---------------------------------------------------------- */

/* Give what waits to whoever has room for it. */
void dispatch(struct bot *bot);
/* The same, and what failed does not wait for its time. */
void dispatch_anew(struct bot *bot);

/* --- reply.c -------------------------------------------------------------- */

/* A text to whoever caused event, in one message or several; once each, however often it is delivered. */
int reply_text(struct event *event, const char *body) ANNEX_MUST_CHECK;
/* The id of the next message that answers it. */
const char *reply_id(const struct event *event);
/* We could not do it, to people. */
int reply_notice(struct event *event, const char *text);

/* --- message.c --------------------------------------------------------------- */

/* What all lines of events begin with, in the event's pool; the caller adds and ends it. */
struct text event_begin(const struct event *event);
void event_end(struct event *event, struct text *text);
/* Where it cannot be added it is gone.  ANNEX_EINVAL: its line is too long. */
int event_add_or_drop(struct event *event) ANNEX_MUST_CHECK;
/* The same for one that nobody could be refused: where it does not fit it is dropped, and logged. */
int event_offer(struct event *event);
/* The answer to a stanza whose event could not be added, and why. */
enum annex_verdict event_refuse(struct bots *m, const struct annex_stanza *in, int status);

#endif /* BOTS_EVENT_H */
