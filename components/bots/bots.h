/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bots.h - bots, what happens to them, and who answers
 *
 *	bot ── events (waiting, in order) ── consumers, each with those it has taken
 *
 * The store is written first and memory second.  An event is a row until it
 * is acknowledged, and a message a row until the server has routed it; what
 * is in memory of both is a cache (inbox.c, out.c).
 */
#ifndef BOTS_H
#define BOTS_H

#include <annex/access.h>
#include <annex/component.h>
#include <annex/contacts.h>
#include <annex/datetime.h>
#include <annex/disco.h>
#include <annex/flow.h>
#include <annex/iq.h>
#include <annex/job.h>
#include <annex/list.h>
#include <annex/map.h>
#include <annex/store.h>
#include <annex/timer.h>

#include "bots.pb-c.h"
#include "text.h"

#define NS_SID "urn:xmpp:sid:0"
#define NS_RECEIPTS "urn:xmpp:receipts"
#define NS_MARKERS "urn:xmpp:chat-markers:0"
#define NS_STATES "http://jabber.org/protocol/chatstates"
#define NS_REPLY "urn:xmpp:reply:0"
#define NS_CORRECT "urn:xmpp:message-correct:0"
#define NS_HINTS "urn:xmpp:hints"
#define NS_REACTIONS "urn:xmpp:reactions:0"

struct carrier;
struct consumer;
struct event;
struct files;
struct http;
struct seen;

/* A section under "bots". */
struct bot_settings {
	const char *nick, *about, *policy, *absent, *busy, *status, *avatar, *ack, *dispatch;
	struct annex_strings exec, child, users, events, tokens, rooms;
	int64_t parallel, window, tries, timeout_ms;
	int64_t max_queue, max_queue_each;
	bool no_reply, raw;
	/* How long an event of that kind may wait; 0: for ever. */
	int64_t ttl_message_ms, ttl_command_ms, ttl_answer_ms, ttl_undelivered_ms;
	int64_t ttl_contact_ms, ttl_receipt_ms, ttl_reaction_ms, ttl_timer_ms, ttl_beat_ms;
};

struct bots_settings {
	struct annex_sections bots;
	const char *http, *upload, *upload_service, *files_url;
	int64_t max_body_bytes, max_line_bytes;
	int64_t rate_each, burst_each, max_unsent;
	int64_t files_keep_ms, max_files_bytes;
	bool socket;
};

struct bots {
	struct annex_instance *inst;
	const struct bots_settings *set;
	struct annex_store *store;
	struct annex_map *by_name; /* struct bot, by localpart */
	struct out *out;
	struct annex_listener *listener;
	struct annex_buckets *loops, *talk; /* by bot and contact */
	struct seen *seen;                  /* messages that came lately */
	bool tidying, tidy_within;          /* within a table, at that row */
	size_t tidy_table;
	struct annex_key tidy_at;
	struct http *http; /* NULL: not served */
	struct files *files;
	struct annex_timer *lag_timer;
	struct annex_counter *waiting, *lag;
	struct annex_counter *received, *sent, *acknowledged, *redelivered, *dead, *expired,
	    *banned, *muted, *placed;
};

struct bot {
	uint32_t magic;
#define BOT_MAGIC 0x626f7421u
	struct bots *bots;
	struct annex_pool *pool;
	const char *name, *jid, *full; /* full: what it says comes from there */
	const struct bot_settings *set;
	struct annex_pool *made; /* of its settings, where a command made it; or NULL */
	bool ending;
	struct annex_link consumers;
	size_t consumer_count;

	uint64_t last_seq, reserved_seq;
	struct annex_link waiting; /* events that nobody has taken, in order */
	struct annex_link recent;  /* acknowledged, but not answered: a late answer finds them */
	size_t waiting_count, recent_count, waiting_bytes, recent_bytes;
	size_t stored;             /* events in the store, those in memory among them */
	uint64_t loaded_seq;       /* events up to here are in memory, where they still wait */
	uint64_t reserved_at_load; /* events up to here are from before */
	bool behind;               /* there are others in the store */
	struct annex_map *lanes;   /* struct lane, by bare JID, of events in the store */
	struct annex_link spare_lanes;
	struct annex_link states; /* struct lane, of those with a state: the oldest first */
	uint64_t pass;
	struct annex_timer *retry, *expiry;
	int64_t expires_ms; /* on the wall: when expiry rings; INT64_MAX: it does not */

	bool commands_known, has_commands;
	struct annex_map *dialogs;  /* commands that miss something, by speaker */
	struct annex_map *sessions; /* of ad-hoc commands, by id */
	uint64_t session_number;
	struct annex_map *rooms; /* by bare JID */
	/* Who waits for the answer to an ad-hoc command (adhoc.c), by the number of its event: */
	struct annex_map *callers;
	struct annex_link calls;
	struct annex_timer *call_timer, *states_timer;
	/* What is seen of it (show.c): */
	const char *picture; /* the hash of the option's; NULL: none */
	bool settling;       /* begun anew: its programs may come back any moment */
	bool busy;           /* all programs have their hands full, and have had for a while */
	struct annex_timer *settle_timer, *busy_timer;
};

/* --- store.c ------------------------------------------------------------- */

enum {
	TABLE_BOTS,
	TABLE_INBOX,
	TABLE_DEAD,
	TABLE_OUT,
	TABLE_SENDS,
	TABLE_KEYS,
	TABLE_HELD,
	TABLE_ASKS,
	TABLE_SHOWN,
	TABLE_COMMANDS,
	TABLE_ROOMS,
	TABLE_NOTICES,
	TABLE_LATER,
	TABLE_TOKENS,
	TABLE_MADE,
	TABLE_WORKERS,
	TABLE_ANSWERS,
	TABLE_BEATS,
	TABLE_TIMERS,
	TABLE_FILES,
	TABLE_SEEN,
	TABLE_BANS,
	TABLE_ECHOES,
	TABLE_REACTIONS,
	TABLE_PLACES,
	TABLE_PLACED,
};
extern const struct annex_table bots_tables[];

struct annex_key bots_key(int table, const char *bot);
struct annex_key bots_key_seq(int table, const char *bot, uint64_t seq);
struct annex_key bots_key_in(int table, const char *bot, const char *name);
/* Undo the turn where something had been written before: the put that failed must not stand alone. */
int bots_must(struct bots *m, int status);

/* --- bot.c --------------------------------------------------------------- */

int bots_load(struct bots *m) ANNEX_MUST_CHECK;
/* It is there from now on, with what the store has of it. */
int bot_begin(struct bots *m, const char *name, const struct bot_settings *set,
    struct annex_pool *made) ANNEX_MUST_CHECK;
/* It goes out of memory, and its programs are sent away; what the store has of it stays. */
void bot_end(struct bot *bot);
struct bot *bot_find(const struct bots *m, const char *name);
const char *bot_name(const struct bot *bot); /* for people */
bool bot_wants(const struct bot *bot, const char *kind);
extern const char *const bot_policies[];
extern const struct annex_option bot_options[];
/* A number for an event: larger than all before, also after a crash. */
int bot_next_seq(struct bot *bot, uint64_t *seq_r) ANNEX_MUST_CHECK;
/* An id for what bot sends because of that: the same each time. */
const char *
bot_stanza_id(const struct bot *bot, struct annex_pool *pool, const char *why, uint64_t number);

/* --- made.c --------------------------------------------------------------- */

int made_load(struct bots *m) ANNEX_MUST_CHECK;
int made_clear(struct annex_instance *inst, struct annex_job_state *state, size_t limit);

/* --- out.c ----------------------------------------------------------------- */

int out_init(struct bots *m) ANNEX_MUST_CHECK;
void out_link_up(struct bots *m);
/* Into the store and to the server; again, under the same id, until it is known to be routed. */
/* tracked: its id, where somebody wants to know what becomes of it (track.c); or NULL. */
int out_send(struct bot *bot, struct annex_stanza *stanza, const char *tracked) ANNEX_MUST_CHECK;
/* More waits for the server than may. */
bool out_is_full(const struct bots *m);
int out_send_text(struct bot *bot, const char *xml, const char *tracked) ANNEX_MUST_CHECK;

/* --- track.c ---------------------------------------------------------------- */

enum send_state {
	SEND_QUEUED,
	SEND_SENT,
	SEND_DELIVERED,
	SEND_DISPLAYED,
	SEND_BOUNCED,
	SEND_EXPIRED,
	SEND_DROPPED,
};
extern const char *const send_states[];
int send_track(const struct bot *bot, const char *id, const char *key, const char *to,
    const char *type) ANNEX_MUST_CHECK;
const Bots__Send *send_by_id(const struct bot *bot, const char *id);
const Bots__Send *send_by_key(const struct bot *bot, const char *key);
void send_reached(struct bot *bot, const char *id, enum send_state state, const char *why);
/* A receipt or a marker: true where it was one. */
bool track_message(struct bot *bot, const struct annex_stanza *in);

/* --- tidy.c ------------------------------------------------------------------- */

void tidy_later(struct bots *m);
void tidy_ring(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms);

/* --- files.c ------------------------------------------------------------------ */

void files_init(struct bots *m);
void files_link_up(struct bots *m);
/* Into the store, to be put. */
int files_add(struct bots *m, Bots__File *row) ANNEX_MUST_CHECK;
/* How many wait, counted up to most. */
size_t files_waiting(const struct bots *m, size_t most);
/* Whether there is somewhere to put them. */
bool files_are_taken(const struct bots *m);
bool files_is_link(const char *text, size_t most);

/* --- places.c ----------------------------------------------------------------- */

uint64_t place_weigh(const ProtobufCMessage *record);
int places_check(const struct bots_settings *set, struct annex_pool *pool, const char **why);
/* Files are kept here, for whoever has the link. */
bool places_are_there(const struct bots *m);
/* It is kept, and found under *link_r, which is in scratch.  ANNEX_ELIMIT: there is no room. */
int place_add(struct bot *bot, const Bots__File *file, const char **link_r) ANNEX_MUST_CHECK;
/* What was kept for long enough goes. */
void places_tidy(struct bots *m);

/* --- shared.c ----------------------------------------------------------------- */

/* "files":[...] of an event: what came with a message; nothing where none did. */
void add_shared(struct text *t, const struct annex_element *message);
/* Of the first of them the link, or what it is called; NULL: there is none. */
const char *first_shared(const struct annex_element *message);

/* --- attach.c ----------------------------------------------------------------- */

/* Whether a text is so long that it had better be a file, and there is a place for one. */
bool files_take(const struct bot *bot, const char *text);
int files_text(struct bot *bot, const char *to, const char *id, const char *text) ANNEX_MUST_CHECK;

/* --- held.c ------------------------------------------------------------------ */

/* A contact came, or says something else: what waits for that goes. */
void held_look(struct bot *bot, const char *contact);
/* A contact left, or was sent away: what waits for them is not sent. */
void held_drop(struct bot *bot, const char *contact);
void held_ring(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms);

/* --- presence.c --------------------------------------------------------------- */

extern const struct annex_contacts bots_contacts;
/* Whether they may talk to bot. */
bool bot_admits(const struct bot *bot, const struct annex_jid *who);
/* How far what bot says to somebody can be counted on. */
enum reach {
	REACH_STRANGER,   /* servers and clients may drop it, and often say nothing */
	REACH_KNOWN,      /* they have asked or were let in, or show themselves to bot now */
	REACH_SUBSCRIBED, /* they have bot in their roster */
};
extern const char *const bot_reaches[];
enum reach bot_reach(const struct bot *bot, const char *contact);
/* "who":{...} of an event. */
void add_who(struct text *t, const struct bot *bot, const struct annex_jid *from, const char *lang);

/* --- ban.c ---------------------------------------------------------------------- */

/* It has nothing to do with that contact. */
bool bot_bans(const struct bot *bot, const char *contact);

/* --- show.c --------------------------------------------------------------------- */

extern const char *const bot_shows[]; /* by enum annex_show */
/* It begins: nobody sees it go who is not to. */
void show_begin(struct bot *bot);
/* Programs came or went, or something was set: show it. */
void bot_tell_truth(struct bot *bot);
/* All programs have their hands full: that may be worth telling. */
void show_crowded(struct bot *bot);
bool bot_is_crowded(const struct bot *bot);
/* A program that has a presence of its own is there, or is not any more. */
void show_program(struct consumer *consumer);
void hide_program(struct consumer *consumer);
void show_ring(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms);

/* --- picture.c ------------------------------------------------------------------ */

/* Whether the option's file holds one, and why not; in pool. */
int picture_check(
    const struct bot_settings *set, struct annex_pool *pool, const char **why) ANNEX_MUST_CHECK;
/* Keep it, and note which it is. */
void picture_load(struct bot *bot);

/* --- guard.c -------------------------------------------------------------------- */

void guard_init(struct bots *m);
/* False: it was dealt with. */
bool guard_admits(struct bot *bot, const struct annex_stanza *in, const char *body);
bool guard_encrypted(struct bot *bot, const struct annex_stanza *in);

/* --- seen.c --------------------------------------------------------------------- */

int seen_load(struct bots *m) ANNEX_MUST_CHECK;
/* The same message was taken before, also before a restart. */
bool seen_before(const struct bot *bot, const struct annex_stanza *in, const char *body);
/* It was taken: it will not be again. */
int
seen_note(const struct bot *bot, const struct annex_stanza *in, const char *body) ANNEX_MUST_CHECK;

/* --- rooms.c ---------------------------------------------------------------------- */

int rooms_load(struct bot *bot) ANNEX_MUST_CHECK;
void rooms_link_up(struct bot *bot);
void rooms_end(struct bot *bot);
/*
 * Who somebody is to bot: in a room an occupant, by full JID; elsewhere a contact, by bare JID.
 * Borrowed of the arguments, which are one address.
 */
const char *rooms_speaker(const struct bot *bot, const char *full, const char *bare);
/* Where an answer to them goes: to the room as well, but for what was said in private (§7.5). */
const char *
rooms_reply_to(const struct bot *bot, const char *full, const char *bare, const char *type);
/* What of a message in a room is meant for bot; NULL: nothing. */
const char *rooms_meant(struct bot *bot, const struct annex_stanza *in, const char *body);
void rooms_bounced(struct bot *bot, const struct annex_stanza *in, const struct annex_error *error);
enum annex_verdict bots_presence(struct annex_instance *inst, const struct annex_stanza *in);
enum annex_verdict bots_presence_error(struct annex_instance *inst, const struct annex_stanza *in);

/* Whether that was said just now by somebody in a room where bot is. */
bool rooms_hear(const struct bot *bot, const struct annex_stanza *in);

/* --- echoes.c ---------------------------------------------------------------------- */

/* What the room calls the message, for everybody; NULL: nothing. */
const char *echo_name(const struct annex_stanza *in);
/* A room has said what bot said there. */
void echo_note(struct bot *bot, const struct annex_stanza *in);
/* The id under which bot has said what the room calls so, in scratch; NULL: it has not. */
const char *echo_id(const struct bot *bot, const char *room, const char *name);

/* --- raw.c ------------------------------------------------------------------------- */

/* "xml" of an event, where bot wants it: what stands beside the text. */
void add_raw(struct text *t, const struct bot *bot, const struct annex_element *message);

/* --- react.c ----------------------------------------------------------------------- */

/* True where it was a reaction, whatever became of it. */
bool react_take(struct bot *bot, const struct annex_stanza *in);

/* --- adhoc.c ------------------------------------------------------------------------ */

enum annex_verdict bots_command(struct annex_instance *inst, const struct annex_stanza *in);
/* The answer to an ad-hoc command that still waits: its <command/>, in *out_r to be sent; or NULL. */
struct annex_element *adhoc_result(const struct event *event, struct annex_stanza **out_r);
/* A note in it. */
void adhoc_note(struct annex_element *command, const char *text);
bool adhoc_answer(const struct event *event, const char *text);
void adhoc_end(struct bot *bot);

/* --- ask.c ----------------------------------------------------------------------------- */

void ask_ring(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms);
/* An occupant of a room has left, and their nickname may become somebody else's. */
void ask_left(struct bot *bot, const struct annex_jid *who);
void dialog_left(struct bot *bot, const struct annex_jid *who);
/* What is known of a question whose answer is kept; NULL: nothing.  In scratch. */
const Bots__Answer *answer_find(const struct bot *bot, const char *name);

/* --- beat.c, timers.c ---------------------------------------------------------------------- */

/* Before the first link: see there. */
void timers_init(void);

void beat_ring(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms);
void time_ring(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms);

/* --- states.c -------------------------------------------------------------------------- */

/* Somebody has taken an event: who waits sees that it is being worked on (XEP-0085). */
void states_watch(struct bot *bot);

/* --- clean.c --------------------------------------------------------------- */

/* Without what XML or a terminal would choke on, in pool. */
const char *clean_text(struct annex_pool *pool, const char *text);
/* Bytes of whatever kind as UTF-8, in pool. */
const char *clean_utf8(struct annex_pool *pool, const char *bytes, size_t len);
/* The next part of at most max bytes, in pool, cut where people would; NULL at the end. */
const char *clean_part(struct annex_pool *pool, const char **text, size_t max);

/* --- message.c, disco.c ------------------------------------------------------ */

enum annex_verdict bots_message_error(struct annex_instance *inst, const struct annex_stanza *in);
enum annex_verdict bots_message(struct annex_instance *inst, const struct annex_stanza *in);
/* The id by which it is referred to, for all but receipts and markers (XEP-0359, XEP-0461 §3.1). */
const char *id_for_others(const struct annex_stanza *in);
/* What else of a message its event keeps: who waits to hear that it was read, and hints. */
void event_note_message(struct event *event, const struct annex_stanza *in);
/* It has been read: whoever wanted to know that does. */
void event_read(struct event *event);
bool is_groupchat(const struct annex_stanza *in);
extern const char *const message_hints[]; /* XEP-0334 §4; NULL-ended */
extern const struct annex_disco bots_disco;

#endif /* BOTS_H */
