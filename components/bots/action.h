/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * action.h - what a program may say: one table of verbs, each with its keys
 *
 * A line is one action, or {"txn":[...]} with several, which happen all or
 * not at all.  First all are read and judged, then they are run: what can
 * be wrong with an action its judge finds, before anything has happened.
 * What fails in running is the store, and then the turn is undone.
 */
#ifndef BOTS_ACTION_H
#define BOTS_ACTION_H

#include <jansson.h>

#include "carrier.h"

enum key_type {
	KEY_TEXT = 1, /* const char * */
	KEY_NUMBER,   /* int64_t, not negative */
	KEY_TRUTH,    /* bool */
	KEY_TIME,     /* int64_t of milliseconds: "90s", "2h", or a number of seconds */
	KEY_JID,      /* const struct annex_jid * */
	KEY_ANY,      /* json_t *: looked into by the judge */
};

struct key {
	const char *name; /* NULL ends the list */
	enum key_type type;
	size_t offset; /* into struct action */
	bool required;
	const char *const *choices; /* of a text: it is one of these; NULL-ended */
};

/* An action as it was read; what was not said is zero. */
struct action {
	struct consumer *consumer;
	struct bot *bot;
	struct annex_pool *pool;
	const struct verb *verb;
	json_t *json;
	json_t *id; /* to be told with the result; a number or a text */
	int64_t seq;
	bool more;
	bool quote;
	bool later, clear, standby, tracked, seen, ban, unban;
	const char *body, *key, *type, *subject, *thread, *ack, *resource, *note;
	const char *kind, *whom, *show, *status, *group, *when, *collapse, *otherwise, *ask;
	const char *beat, *timer, *at, *tz, *token;
	int64_t due_ms;
	enum annex_show shows; /* show, read */
	const char *bot_name, *edit, *edited, *retract, *nick, *get, *avatar;
	const char *file, *data, *path, *text, *mime, *link, *react, *reach, *xml;
	const struct annex_element *raw; /* xml, read */
	const void *file_bytes;
	size_t file_len;
	const void *picture; /* avatar, decoded */
	size_t picture_len;
	int64_t ttl_ms, for_ms;
	json_t *commands, *table, *form, *choices, *atom, *groups, *reactions, *hints;
	int64_t hello;
	const struct annex_jid *to;
	struct event *event; /* that it answers */
	/* The result, where one is wanted. */
	const char *stanza_id, *state;
	const char *result_name, *result; /* or this member, JSON */
};

struct verb {
	const char *name; /* the key that makes it this verb; NULL ends the table */
	const struct key *keys;
	/* What is wrong with it: told with action_wrong; ANNEX_OK where nothing is. */
	int (*judge)(struct action *action);
	int (*run)(struct action *action);
	bool writes; /* to somebody: not to whom the bot bans */
};

/* send.c */
void add_origin(struct annex_element *message);
int judge_send(struct action *action);
int judge_edit(struct action *action);
int run_edit(struct action *action);
int run_send(struct action *action);
/* It gets its id.  ANNEX_AGAIN: it is new; ANNEX_OK: it was sent before, under the same key. */
int send_begin(struct action *action) ANNEX_MUST_CHECK;

/* attach.c */
int judge_file(struct action *action);
int run_file(struct action *action);

/* held.c */
int held_judge(struct action *action);
bool held_must_wait(const struct action *action);
/* What waits under the same word goes. */
int held_collapse(struct action *action) ANNEX_MUST_CHECK;
/* A part of the message waits; id: under which its program asks for it, "" of the parts behind the first. */
int
held_add(struct action *action, const char *body, const char *id, const char *xml) ANNEX_MUST_CHECK;

/* reply.c */
int reply_reactions(struct event *event, const json_t *reactions) ANNEX_MUST_CHECK;
bool table_is_one(const json_t *table);
/* note: before it, or NULL. */
int reply_table(struct event *event, const json_t *table, const char *note) ANNEX_MUST_CHECK;
/* Ask more, before what the command is for is done; note: or NULL. */
int reply_form(struct event *event, const json_t *form, const char *note) ANNEX_MUST_CHECK;

/* contact.c, ask.c, beat.c, timers.c, token.c */
int judge_get(struct action *action);
int run_get(struct action *action);
int judge_contact(struct action *action);
int run_contact(struct action *action);
int judge_beat(struct action *action);
int run_beat(struct action *action);
int judge_token(struct action *action);
int run_token(struct action *action);
int judge_timer(struct action *action);
int run_timer(struct action *action);

/* ban.c: of an action on a contact, and the list of who is banned, or of whom it asks for. */
int ban_judge(struct action *action);
int ban_run(struct action *action);
const char *ban_list(struct action *action);

/* raw.c */
int judge_raw(struct action *action);
/* What it has of that into a message. */
void raw_add(const struct action *action, struct annex_element *message);

/* react.c */
int judge_reactions(struct action *action);
int judge_react(struct action *action);
int run_react(struct action *action);
/* keep: it may be kept by archives. */
void
add_reactions(struct annex_element *message, const char *id, const json_t *reactions, bool keep);

/* picture.c: the picture of an action is one; it is decoded. */
int picture_judge(struct action *action);

/* show.c, rooms.c */
int show_read(const char *text, enum annex_show *show_r) ANNEX_MUST_CHECK;
/* The status that an action has, fit for people; "" where it has none. */
const char *status_text(struct action *action);
int judge_presence(struct action *action);
int run_presence(struct action *action);
int judge_ask(struct action *action);
int run_ask(struct action *action);
int judge_join(struct action *action);
int run_join(struct action *action);
int run_leave(struct action *action);

/* verbs.c */
extern const struct verb verbs[];

/* Tell that it is wrong; returns ANNEX_EINVAL.  word is a stanza error's condition, or one of ours. */
int action_wrong(struct action *action, const char *word, const char *fmt, ...) ANNEX_PRINTF(3, 4);

#endif /* BOTS_ACTION_H */
