/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * carrier.h - the ways events get to programs, and lines back
 *
 * A carrier is one file and one row of the table in carrier.c.  For each
 * program that is there it attaches a consumer; dispatch.c chooses whom an
 * event goes to, the carrier hands it over, and tells what became of it:
 *
 *	attach ─▶ deliver … ─▶ ack / event_done / event_failed … ─▶ detach
 *
 * What comes back as lines of JSON is the same for all carriers
 * (consumer_read, consumer_line).
 */
#ifndef BOTS_CARRIER_H
#define BOTS_CARRIER_H

#include "event.h"

enum ack_mode {
	ACK_REPLY,    /* an answer acknowledges what it answers and all before */
	ACK_EXPLICIT, /* {"ack":N} alone does */
	ACK_AUTO,     /* handed over is acknowledged: at most once */
};

struct carrier {
	const char *name;
	/* The bot begins: start or await its programs, where its settings say so. */
	void (*start)(struct bot *bot);
	/* Hand an event over; the program sees it when this turn is durable.  Negative: not now,
	 * the event waits on.  event_line has the text. */
	int (*deliver)(struct consumer *consumer, struct event *event);
	/* Say something that is no event: a line without its end. */
	void (*tell)(struct consumer *consumer, const char *line, size_t len);
	/* End it: it was replaced, or broke the rules.  It has been told so and is detached. */
	void (*close)(struct consumer *consumer);
};

/* A program, or one attachment of it, that takes events of a bot. */
struct consumer {
	uint32_t magic;
#define CONSUMER_MAGIC 0x636f6e73u
	struct annex_link link; /* of the bot's */
	struct annex_pool *pool;
	struct bot *bot;
	const struct carrier *carrier;
	void *state; /* the carrier's */
	const char *name;
	enum ack_mode ack;
	size_t window;   /* events it may have taken and not acknowledged */
	bool one_by_one; /* of a contact, only one at a time */
	bool attached, standby;
	/* It has a presence of its own, and what it says there. */
	bool seen;
	enum annex_show show;
	struct text status;
	struct annex_timer *said; /* until that ends; NULL while it said nothing for a time */
	struct annex_link taken;  /* in order of delivery */
	size_t taken_count;
	bool jumbled; /* their numbers do not only grow: one of them had failed before */
	int64_t stuffed_until_ms; /* its carrier had no room */
	struct text partial;      /* a line that has not ended */
	bool skipping;            /* the rest of one that was too long */
	bool useful;              /* it has acknowledged something */
	uint64_t lines;           /* so far, to say where a mistake is */
};

/* carrier.c */
extern const struct carrier *const carriers[]; /* NULL-ended */
extern const struct carrier exec_carrier, child_carrier, socket_carrier;

struct consumer *consumer_create(struct bot *bot, const struct carrier *carrier, void *state);
/* It takes events from now on. */
void consumer_attach(struct consumer *consumer);
/* It is gone.  What it had taken waits again; where it crashed, the first is what failed. */
void consumer_detach(struct consumer *consumer, bool crashed);
void consumer_destroy(struct consumer *consumer);
/* All it has taken up to seq is done. */
void consumer_ack(struct consumer *consumer, uint64_t seq);
/* All of them: their bot goes. */
void consumers_end(struct bot *bot);
/* It says what it is called.  Another of the carrier with that name is replaced; one that stands by
 * waits until that has gone instead. */
void consumer_name(struct consumer *consumer, const char *name, bool standby);
/* {"seq":0,"kind":"hello",...}: what a program is told first. */
void consumer_greet(struct consumer *consumer);

/* Tell it that something was wrong: {"error":word,"of":{...},"text":...}; of may be NULL. */
void consumer_wrong(struct consumer *consumer, const char *word, const char *of, const char *fmt,
    ...) ANNEX_PRINTF(4, 5);

/* lines.c: bytes as they come, into lines. */
void consumer_read(struct consumer *consumer, const char *bytes, size_t len);

/* action.c: one line, an action or several in a transaction.  What is wrong with it is told. */
void consumer_line(struct consumer *consumer, const char *line, size_t len);

#endif /* BOTS_CARRIER_H */
