/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * muc.h - rooms, who is in them, and who may what
 *
 * A struct room is a cache of rows: it is loaded when somebody asks for it
 * and forgotten when it has been idle, occupants and all.  A handler asks
 * for its room once; the pointer is good until the handler returns.  The
 * store is written first and memory second, so that a refused put leaves
 * both as they were.
 *
 *	room ── occupants (by nickname) ── sessions (by full JID)
 */
#ifndef MUC_H
#define MUC_H

#include <annex/access.h>
#include <annex/command.h>
#include <annex/component.h>
#include <annex/datetime.h>
#include <annex/flow.h>
#include <annex/form.h>
#include <annex/job.h>
#include <annex/limit.h>
#include <annex/list.h>
#include <annex/map.h>
#include <annex/rsm.h>
#include <annex/store.h>
#include <annex/timer.h>

#include "muc.pb-c.h"

#define NS_MUC "http://jabber.org/protocol/muc"
#define NS_USER NS_MUC "#user"
#define NS_ADMIN NS_MUC "#admin"
#define NS_OWNER NS_MUC "#owner"
#define NS_ROOMCONFIG NS_MUC "#roomconfig"
#define NS_REQUEST NS_MUC "#request"
#define NS_REGISTER "jabber:iq:register"
#define NS_OCCUPANT "urn:xmpp:occupant-id:0"
#define NS_SID "urn:xmpp:sid:0"
#define NS_MAM "urn:xmpp:mam:2"
#define NS_CONFERENCE "jabber:x:conference"
#define NS_UNIQUE NS_MUC "#unique"
#define NS_VCARD "vcard-temp"
#define NS_HATS "urn:xmpp:hats:0"
#define NS_HATS_COMMANDS "urn:xmpp:hats:commands"

/* Bytes of what somebody says about what they do: it is told to all, and some of it kept. */
#define REASON_MAX 1024

#define SERVICE_NAME "Chat rooms"

/* In order, XEP-0045 §5. */
enum rank { RANK_OUTCAST = -1, RANK_NONE, RANK_MEMBER, RANK_ADMIN, RANK_OWNER };
enum role { ROLE_NONE, ROLE_VISITOR, ROLE_PARTICIPANT, ROLE_MODERATOR };

/* XEP-0045 §15.6.2. */
enum code {
	CODE_JIDS_ARE_SHOWN = 100,
	CODE_AFFILIATION = 101,
	CODE_CONFIGURED = 104,
	CODE_SELF = 110,
	CODE_LOGGED = 170,
	CODE_NOT_LOGGED = 171,
	CODE_NON_ANONYMOUS = 172,
	CODE_SEMI_ANONYMOUS = 173,
	CODE_CREATED = 201,
	CODE_NICK_GIVEN = 210,
	CODE_BANNED = 301,
	CODE_RENAMED = 303,
	CODE_KICKED = 307,
	CODE_NO_MEMBER = 321,
	CODE_MEMBERS_ONLY = 322,
	CODE_SHUTDOWN = 332,
	CODE_ERROR = 333,
};

struct muc_settings {
	struct annex_strings defaults;
	int64_t max_vcard_bytes, archive_age_ms, archive_messages, archive_size_bytes, idle_ms;
	struct annex_strings create;
	int64_t max_occupants, max_sessions, max_nick_bytes, max_history;
	int64_t tombstone_ms, configure_ms;
	int64_t ask_after_ms, ask_again_ms, max_replay;
	int64_t max_rooms, max_message_bytes;
	int64_t message_rate, message_burst, presence_burst, presence_interval_ms;
	int64_t voice_interval_ms, invitations;
	bool registration, look_alikes, tell_absent;
	const char *preset;
	bool persistent, listed, archive;
	bool list_occupants, list_owners;
};

struct muc {
	struct annex_instance *inst;
	const struct muc_settings *set;
	struct annex_store *store;
	struct annex_map *rooms;  /* by name, those loaded */
	struct annex_link recent; /* rooms, the one used last in front */
	struct annex_timer *sweep, *retain, *pace;
	struct annex_buckets *searches, *inviting; /* NULL: any number */
	struct annex_pool *inviting_pool;          /* of those alone */
	int64_t inviting_hourly;                   /* what they were made with */
	struct annex_queries *queries, *finding;   /* of archives, and of rooms */
	struct room_config *fresh;                 /* of a room made now */
	struct annex_map *recents;                 /* by room id: recent.c */
	struct annex_link recents_by_use;
	struct annex_counter *expired, *created, *destroyed, *retracted, *loaded;
	struct annex_link unmarked; /* rooms with output that no fence is behind yet */
	struct annex_timer *marking;
	uint64_t loads; /* of rooms, so far */
	struct asking_round *round;
	struct drain *drain; /* NULL: nobody drains */
	struct annex_counter *joins, *messages, *archived, *replayed, *put_out, *asked;
	struct annex_link held;          /* occupants whose changed presence waits */
	struct invitations *invitations; /* of late; NULL: none yet */
};

/* What the configuration form says (§10.2, registered in §15.5.3). */
struct room_config {
	const char *name, *desc, *lang, *secret, *pubsub, *whois, *allow_pm, *max_users;
	bool change_subject, allow_invites, logged, members_only, moderated, guarded, persistent,
	    listed;
	struct annex_strings broadcast, member_list;
	struct annex_strings owners, admins; /* of the form alone: affiliations keep them */
	int64_t max_history;
	int64_t slow_s;                                        /* XEP-0500; 0: none */
	int64_t archive_days, archive_messages, archive_bytes; /* 0: as the service has it */
	bool visitor_nick, visitor_status, voice_requests, queries;
};

/* What a room uses (usage.c). */
#define USAGE_HOURS 25
struct usage {
	int64_t bytes, used_ms, hour;
	uint32_t said[USAGE_HOURS];
};

struct hats {
	Muc__Hat **hat;
	size_t count;
};

/* Where a walk over all rooms stands: the key of the last one. */
struct rooms_cursor {
	uint16_t len;
	unsigned char bytes[200];
};

struct room {
	uint32_t magic;
#define ROOM_MAGIC 0x9d41c6e3u
	struct muc *muc;
	struct annex_pool *pool;
	struct annex_link by_use;
	int64_t used_ms;
	const char *name, *jid;
	const char *id; /* what its rows are under: a room made anew has none of the old one's */
	struct room_config config;
	bool locked, gone;
	const char *creator;
	int64_t created_ms;
	unsigned char secret[32];
	const char *subject;
	int64_t subject_ms;
	struct annex_strings avatar; /* hashes of its pictures */
	struct hats hats;
	struct usage usage;
	size_t listed_count;                   /* occupants, as the index of listed rooms has it */
	const char *name_folded, *desc_folded; /* for it; NULL: not known yet */
	const char *gone_jid, *gone_reason;
	int64_t gone_ms;
	struct annex_link occupants; /* in order of joining */
	struct annex_map *by_nick;   /* occupants, by folded nickname */
	struct annex_map *by_jid;    /* sessions, by full JID */
	struct annex_audience *audience;
	bool is_warm; /* presences of occupants are kept written */
	size_t occupant_count;
	uint64_t next_order; /* of joining, and of every other change that is shown: an event */
	/* What of its output is known to have been routed: routed.c. */
	struct annex_link by_mark;
	bool live, fencing;
	uint64_t load, link; /* its number, or: */
#define LINK_LOST 0          /* what was said is to be said again */
	uint64_t said_line, routed_line;
	uint64_t fenced_event, routed_event;
	uint64_t unkept_event; /* of the last that was said and is not kept */
	size_t unrouted;       /* rows */
	size_t garbage;        /* bytes of the pool that nobody uses any more, about */
};

/* An occupant's presence as it is to those who are no moderators, and what it was made of. */
struct kept_presence {
	struct annex_body *body;
	const char *jid, *presence;
	const struct session *shown;
	enum role role : 8;
	enum rank rank : 8;
	bool with_jid : 1, with_hats : 1;
};

/* Of somebody who has said or changed something: most only listen. */
struct pace {
	struct annex_bucket messages, presences, requests;
};

/* There are many, and most do nothing: what can be computed when it is asked for is not kept. */
struct occupant {
	struct annex_link by_order;
	struct room *room;
	const char *jid;  /* of the room, with the nickname, */
	const char *nick; /* which is the end of it */
	const char *fold; /* the same where folding changes nothing */
	const char *bare;
	struct annex_link sessions;
	struct session *shown;  /* whose presence is */
	struct annex_link held; /* where their changed presence waits (pace.c) */
	struct pace *pace;      /* NULL: not yet */
	enum role role : 8;
	enum rank rank : 8;  /* as shown */
	enum rank power : 8; /* what counts: admins of the service are owners */
	struct kept_presence kept;
};

struct session {
	struct annex_link of_occupant;
	struct occupant *occupant;
	const char *jid;
	const char *presence;    /* text of an element, or NULL */
	uint64_t order, changed; /* events */
	uint64_t line;           /* the last one said before they came in */
	uint64_t link;           /* on which something was heard of them last */
	int64_t joined_ms;
	uint32_t asked;       /* the round in which they were asked last: ask.c */
	uint32_t asked_s;     /* when, by the clock that never goes back */
	unsigned char doubts; /* how often their server could not be reached */
	bool doubted;         /* since they were asked last */
	bool renamed;         /* by the room, and nothing was sent to that nickname since */
	unsigned char group;  /* of the room's audience */
};

/* What is said about an occupant beside their presence. */
#define NOTICE_CODES 6
struct notice {
	const char *type;                 /* "unavailable", or NULL */
	unsigned codes[NOTICE_CODES];     /* for everybody */
	unsigned own_codes[NOTICE_CODES]; /* for themselves, 110 apart */
	const char *actor, *reason, *new_nick;
	bool out;                         /* role none now */
	const enum rank *rank;            /* or NULL: as it is */
	const struct annex_element *with; /* instead of the presence: its children are copied */
	const struct annex_element *destroy;
	const struct session *only; /* of themselves, only this session */
	const char *id;             /* of what only gets */
};

/* --- store.c ------------------------------------------------------------- */

enum {
	TABLE_ROOMS,
	TABLE_AFFILIATIONS,
	TABLE_NICKS,
	TABLE_SESSIONS,
	TABLE_LINES,
	TABLE_LISTED,
	TABLE_VCARDS,
	TABLE_USAGE,
	TABLE_HATS,
	TABLE_SLOW,
	TABLE_LIVE,
	TABLE_UNROUTED,
	TABLE_MADE,
	TABLE_VOICES,
	TABLE_REQUESTS,
	TABLE_TOTALS,
};
extern const struct annex_table muc_tables[];

/* What a member of a record points to, which is not const; NULL is no text. */
char *record_text(const char *text);
struct annex_key muc_key(int table, const char *room);
struct annex_key muc_key_in(int table, const char *room, const char *name);
/* Undo the turn where something had been written before: the put that failed must not stand alone. */
int muc_must(struct muc *m, int status);
/* The same of what a full disk is no reason to undo anything for: memory knows it meanwhile. */
int muc_must_unless_full(struct muc *m, int status);

/* --- room.c -------------------------------------------------------------- */

/* Loaded where it is not; NULL where there is none.  A destroyed one is found too: look at gone. */
struct room *room_find(struct muc *m, const char *name);
/* A new one, not in the store yet. */
struct room *room_make(struct muc *m, const char *name, const struct annex_jid *creator);
/* An empty one that is not among those loaded; it goes with its pool. */
struct room *room_shell(struct muc *m, const char *name);
int room_put(struct room *room) ANNEX_MUST_CHECK;
void room_forget(struct room *room);
void rooms_init(struct muc *m);
/* How many there are that somebody made; no more than most are counted. */
size_t rooms_made_by(struct muc *m, const struct annex_jid *who, size_t most);
int room_made(const struct room *room) ANNEX_MUST_CHECK;
int room_made_no_more(const struct room *room);
struct annex_flow *room_flow(const struct room *room);
bool room_shows_jids(const struct room *room);
/* The number in maxusers, or that of the service. */
size_t room_max(const struct room *room);
/* A copy in pool. */
void
strings_keep(struct annex_pool *pool, struct annex_strings *to, const struct annex_strings *from);

/* --- occupant.c ---------------------------------------------------------- */

struct occupant *occupant_find(const struct room *room, const char *nick);
struct occupant *occupant_by_bare(const struct room *room, const char *bare);
struct session *session_find(const struct room *room, const char *jid);
struct occupant *occupant_make(struct room *room, const char *nick, const char *bare,
    enum rank rank, enum rank power, enum role role);
struct session *session_make(struct occupant *occupant, const char *jid, const char *presence);
/* To another occupant of the same user; the one it was of goes with the last. */
void session_move(struct session *session, struct occupant *to);
int session_put(struct session *session) ANNEX_MUST_CHECK;
/* As it will be with another nickname. */
int session_put_as(struct session *session, const char *nick, enum role role) ANNEX_MUST_CHECK;
int session_put_soft(struct session *session) ANNEX_MUST_CHECK;
/* The same, or hard where the row is new. */
void session_keep(struct session *session);
/* Out of memory and store; the occupant goes with the last. */
void session_remove(struct session *session);
void occupant_remove(struct occupant *occupant);
int occupant_put(struct occupant *occupant) ANNEX_MUST_CHECK;
int occupant_put_as(struct occupant *occupant, const char *nick) ANNEX_MUST_CHECK;
void occupant_rename(struct occupant *occupant, const char *nick);
size_t occupant_sessions(const struct occupant *occupant);
bool occupant_is_only(const struct session *session);
int occupants_load(struct room *room) ANNEX_MUST_CHECK;
#define OCCUPANTS_EACH(room, o)                                                                 \
	for (struct annex_link *l_##o = (room)->occupants.next, *n_##o = l_##o->next;           \
	     l_##o != &(room)->occupants; l_##o = n_##o, n_##o = l_##o->next)                   \
		for (struct occupant *o = annex_container_of(l_##o, struct occupant, by_order); \
		     o != NULL; o = NULL)
#define SESSIONS_EACH(occupant, s)                                                               \
	for (struct annex_link *l_##s = (occupant)->sessions.next, *n_##s = l_##s->next;         \
	     l_##s != &(occupant)->sessions; l_##s = n_##s, n_##s = l_##s->next)                 \
		for (struct session *s = annex_container_of(l_##s, struct session, of_occupant); \
		     s != NULL; s = NULL)

/* Heard of on this link.  Their row says so softly. */
bool session_is_proven(const struct session *session);
void session_prove(struct session *session);
/* What is shown of them has changed: shown again to whom that may not have reached. */
void occupant_changed(struct occupant *occupant);

/* --- affiliation.c ------------------------------------------------------- */

const char *rank_name(enum rank rank);
const char *role_name(enum role role);
int rank_read(const char *text, enum rank *rank_r) ANNEX_MUST_CHECK;
int role_read(const char *text, enum role *role_r) ANNEX_MUST_CHECK;
/* What is written about a bare JID, and failing that about its domain. */
enum rank rank_of(const struct room *room, const struct annex_jid *who);
/* The same, but admins of the service are owners. */
enum rank power_of(const struct room *room, const struct annex_jid *who);
enum role role_at_first(const struct room *room, const char *bare, enum rank power);
/* That a moderator gave a voice, or took it. */
int voice_keep(const struct room *room, const char *bare, enum role role) ANNEX_MUST_CHECK;
int affiliation_put(struct room *room, const char *jid, enum rank rank, const char *reason,
    const char *nick) ANNEX_MUST_CHECK;
const Muc__Affiliation *affiliation_get(const struct room *room, const char *jid);
typedef bool affiliation_fn(void *cookie, const Muc__Affiliation *a);
void affiliations_each(const struct room *room, affiliation_fn *fn, void *cookie);
size_t affiliations_count(const struct room *room, enum rank rank);
/* Whose a reserved nickname is, or NULL. */
const char *nick_owner(const struct room *room, const char *nick);

/* --- nick.c -------------------------------------------------------------- */

/* What two nicknames are compared by, in pool. */
const char *nick_fold(struct annex_pool *pool, const char *nick);
bool nick_is_fine(const struct muc *m, const char *nick);
/* The next code point of what is known to be UTF-8; 0 at the end. */
uint32_t nick_next_point(const char **text);

/* --- alike.c --------------------------------------------------------------- */

/* Whether a nickname is, or passes for, that of an occupant or member who is not bare. */
bool nick_is_taken(const struct room *room, const char *nick, const char *bare);

/* --- ident.c ------------------------------------------------------------- */

/* Whether an address is that account's, with a resource or without. */
bool is_address_of(const char *jid, const char *bare);
const char *occupant_id(const struct room *room, struct annex_pool *pool, const char *bare);
/* An id that tells nothing of the number in it, and back (0 where it is none). */
const char *stanza_id(const struct room *room, struct annex_pool *pool, uint64_t number);
uint64_t stanza_id_read(const struct room *room, const char *id);

/* --- say.c --------------------------------------------------------------- */

enum annex_verdict muc_refuse(struct muc *m, const struct annex_stanza *in,
    enum annex_condition condition, enum annex_error_type type, const char *text);
enum annex_verdict
muc_refuse_with(struct muc *m, const struct annex_stanza *in, const struct annex_error *error);
enum annex_verdict muc_full(struct muc *m, const struct annex_stanza *in);
enum annex_verdict muc_confirm(struct muc *m, const struct annex_stanza *in);
int muc_answer(struct muc *m, const struct annex_stanza *in, struct annex_stanza *out);
struct annex_flow *muc_flow(struct muc *m, const struct annex_stanza *in);
/* A message of the room itself to everybody in it, with status codes. */
void room_tell(struct room *room, const unsigned *codes);
/* One stanza to everybody in the room, from an occupant or the room; negative where it cannot be said
 * to anybody. */
int room_say(struct room *room, struct annex_stanza *out);
void add_status(struct annex_element *x, unsigned code);
/* Whether the child "reason" is no longer than it may be, if there is one. */
bool reason_fits(const struct annex_element *el);
/* The language a stanza is in, where it says so. */
void add_language(struct annex_element *to, const struct annex_element *from);
/* Copies of what a user sent, without what only a room may say. */
void
add_safely(struct annex_element *to, const struct annex_element *from, const struct room *room);

/* --- audience.c ---------------------------------------------------------- */

/* A session hears what is said to all, from session_make on until it is forgotten. */
void session_hears(struct session *session);
void session_hears_no_more(const struct session *session);
/* To everybody but all sessions of except, who may be NULL.  Nothing where a body is NULL. */
void room_spread(struct room *room, struct annex_body *to_moderators, struct annex_body *to_others,
    const struct occupant *except);
/* How an occupant is shown to those who are no moderators; NULL where it may not be sent. */
struct annex_body *presence_kept(struct occupant *occupant);
void room_cool(struct room *room); /* keep none of them */

/* --- pace.c ----------------------------------------------------------------- */

void pace_init(struct muc *m);
void pace_reload(struct muc *m); /* the options have changed */
/* Whether they may say something, or be shown otherwise, now. */
bool pace_message(struct occupant *occupant);
bool pace_presence(struct occupant *occupant);
bool pace_request(struct occupant *occupant); /* for a voice */
/* Whether somebody may have the room write to so many people who may not know them. */
bool pace_invitations(struct muc *m, const struct annex_jid *by, size_t count);
/* Their presence has changed, and is shown to everybody when it is time. */
void presence_hold(struct occupant *occupant);
/* It is time for all in the room. */
void presence_release(struct room *room);

/* --- presence.c ---------------------------------------------------------- */

void presence_to_others(struct occupant *occupant, const struct notice *notice);
void presence_to_self(struct occupant *occupant, const struct notice *notice);
void presence_to_all(struct occupant *occupant, const struct notice *notice);
/* To the sessions of the same occupant beside that one. */
void presence_to_other_sessions(const struct session *than);
/* One occupant's presence to a session of another; and that of all others, in order. */
void presence_of(struct occupant *occupant, const struct session *to);
void presence_of_others(struct occupant *occupant, const struct session *to);
/* The presence of everybody to everybody of that occupant: whether JIDs are shown has changed. */
void presence_again(struct occupant *occupant);
/* A role may cross the line of who is shown (presencebroadcast). */
void presence_after_role(
    struct occupant *occupant, enum role before, const struct notice *notice, bool to_self);
/* They came into sight or went out of it, as presencebroadcast is now. */
void presence_cross(struct occupant *occupant);
/* An occupant's presence without anything beside it, to nobody yet. */
struct annex_stanza *presence_as_it_is(const struct occupant *occupant, bool with_jid);
bool occupant_is_shown(const struct occupant *occupant);
bool sees_jids(const struct occupant *occupant);
/* Whether what a client says with a presence may be shown to everybody. */
bool presence_fits(const struct annex_element *kept, struct annex_pool *pool);
/* What of a presence is kept and shown, as text, in pool. */
const char *
presence_keep(struct room *room, const struct annex_stanza *in, struct annex_pool *pool);

/* --- the flows of stanzas -------------------------------------------------- */

enum annex_verdict muc_presence(struct annex_instance *inst, const struct annex_stanza *in);
enum annex_verdict muc_presence_error(struct annex_instance *inst, const struct annex_stanza *in);
void muc_presence_refused(
    struct annex_instance *inst, const struct annex_stanza *in, const struct annex_error *why);
enum annex_verdict join(struct muc *m, struct room *room, const struct annex_stanza *in);
/* What a client gets that enters, behind the others' presence, in the order of §7.1.  in NULL: it
 * entered before, and may not have got it. */
void session_welcome(
    struct session *session, const struct annex_stanza *in, bool made_room, bool renamed);
int occupant_rename_by_room(struct occupant *occupant, const char *nick);
enum annex_verdict rename_or_update(struct session *session, const struct annex_stanza *in);
enum annex_verdict leave(struct muc *m, struct session *session, const struct annex_stanza *in);
/* Take a session out: who it was is told with notice's codes, then the others. */
void session_expel(struct session *session, const struct notice *notice);
/* Take all of an occupant out; *after with what the others are told (expel_tell). */
void occupant_tell_expelled(struct occupant *occupant, const struct notice *notice);
void occupant_expel(struct occupant *occupant, const struct notice *notice);
/* The room may have become empty: it may end at once, or when nobody came back for a while. */
void room_settle(struct room *room);
void room_settle_late(struct room *room);

enum annex_verdict muc_message(struct annex_instance *inst, const struct annex_stanza *in);
enum annex_verdict muc_message_error(struct annex_instance *inst, const struct annex_stanza *in);
enum annex_verdict
private_message(struct muc *m, struct session *from, const struct annex_stanza *in);
enum annex_verdict muc_iq_occupant(struct annex_instance *inst, const struct annex_stanza *in);
enum annex_verdict muc_iq_room(struct annex_instance *inst, const struct annex_stanza *in);
enum annex_verdict
invite(struct muc *m, struct room *room, struct session *from, const struct annex_stanza *in);
enum annex_verdict voice(struct muc *m, struct session *from, const struct annex_stanza *in);
/* An admin's answer to who would be a member; and, to one who comes in, all that are unanswered. */
enum annex_verdict registration_judge(
    struct muc *m, struct room *room, const struct session *by, const struct annex_stanza *in);
void requests_show(struct room *room, const struct session *to);
void invite_send(struct room *room, const struct annex_jid *to, const char *from,
    const struct annex_element *asked, const struct annex_stanza *in);
/* An error came to a room: perhaps to an invitation. */
void invitation_failed(struct muc *m, const struct annex_stanza *in);
enum annex_verdict muc_admin_get(struct annex_instance *inst, const struct annex_stanza *in);
enum annex_verdict muc_admin_set(struct annex_instance *inst, const struct annex_stanza *in);
enum annex_verdict muc_owner_get(struct annex_instance *inst, const struct annex_stanza *in);
enum annex_verdict muc_owner_set(struct annex_instance *inst, const struct annex_stanza *in);
enum annex_verdict muc_register_get(struct annex_instance *inst, const struct annex_stanza *in);
enum annex_verdict muc_register_set(struct annex_instance *inst, const struct annex_stanza *in);
enum annex_verdict muc_archive_get(struct annex_instance *inst, const struct annex_stanza *in);
enum annex_verdict muc_archive_set(struct annex_instance *inst, const struct annex_stanza *in);

/* The room an IQ to a bare room address is for; NULL: refused, with *verdict_r. */
struct room *
room_of_iq(struct muc *m, const struct annex_stanza *in, enum annex_verdict *verdict_r);

/* --- change.c: of a role or an affiliation --------------------------------- */

struct change {
	const char *jid;           /* bare, of an affiliation; */
	struct occupant *occupant; /* or whose role changes */
	enum rank rank, before;
	bool is_above; /* an admin of the service */
	enum role role, role_before;
	const char *reason, *nick; /* of an affiliation: reserved; NULL: as it is */
};
struct change change_of_role(struct occupant *occupant, enum role role);
struct change change_of_rank(const struct room *room, const struct annex_jid *who, enum rank rank);
/* Judge one; 0, or the condition it is refused with. */
enum annex_condition change_judge(
    const struct room *room, enum rank power, enum role role, const char *actor, struct change *c);
/* Whether two are about the same person, so that one cannot be made with the other. */
bool changes_clash(const struct change *a, const struct change *b);
/* A room always keeps an owner. */
bool changes_leave_owner(const struct room *room, const struct change *changes, size_t count);
int change_put(struct room *room, const struct change *c) ANNEX_MUST_CHECK;
/* Who goes is told; and, after the IQ's answer, everybody. */
void change_tell_who_goes(struct room *room, const struct change *c, const char *actor);
void change_tell(struct room *room, const struct change *c, const char *actor);
/* Those who are in are told of somebody who is not, where they see addresses; and told again. */
void absent_tell(struct room *room, const char *jid, enum rank rank, const char *reason);
void absent_say(struct room *room, const char *jid, enum rank rank, const char *reason);

/* --- config.c -------------------------------------------------------------- */

extern const struct annex_form config_form;
extern const struct annex_field config_fields[];
void config_preset(const struct muc *m, struct room_config *config);
void config_pack(const struct room_config *config, Muc__Room *record, struct annex_pool *pool);
void config_unpack(struct room_config *config, const Muc__Room *record, struct annex_pool *pool);
/* In what has no status code of its own (§10.2.1); owners and admins apart. */
bool config_differs(const struct room_config *a, const struct room_config *b);

/* --- history.c, archive.c --------------------------------------------------- */

/* Keep a message; its stanza-id is added to out.  ANNEX_OK also where nothing is to be kept;
 * ANNEX_EINVAL where it could not be said. */
int archive_add(struct room *room, const struct occupant *by, const char *full,
    struct annex_element *out) ANNEX_MUST_CHECK;
/* The same for what the room itself says. */
int archive_add_own(struct room *room, struct annex_element *out) ANNEX_MUST_CHECK;
/* Whether it may be sent to everybody, whatever their addresses; text NULL: no. */
bool can_be_said(const struct room *room, const char *text, size_t len);
/* NULL where there is none of that number. */
Muc__Line *archive_line(const struct room *room, uint64_t number);
void history_send(struct room *room, const struct session *to, const struct annex_element *history);
void subject_send(struct room *room, const struct session *to);
bool message_matters(const struct annex_element *message);
bool is_subject_change(const struct annex_element *message);

/* One of the archive as it is said again, with a delay, in scratch; to NULL for a fan-out. */
struct annex_stanza *line_build(const struct room *room, const Muc__Line *line, const char *to);

/* --- routed.c: what the server is known to have taken ------------------------- */

void routed_init(struct muc *m);
/* When a room is loaded, and when somebody comes into an empty one. */
int live_load(struct room *room) ANNEX_MUST_CHECK;
int live_begin(struct room *room) ANNEX_MUST_CHECK;
void live_put_soft(struct room *room);
/* Nobody is in: the room is live no longer, once all that it said is routed. */
void live_settle(struct room *room);
/* It was destroyed: its rows go when everybody is known to have been told. */
void live_gone(struct room *room, const struct annex_element *destroy);
void live_gone_fence(struct muc *m, const char *id, const char *name);
/* The room has said something; what it said last is not known to have been routed. */
void room_said(struct room *room);
/* What became of something it sent: where the queues did not take it, it is said again. */
void room_sent(struct room *room, int status);
uint64_t room_event(struct room *room);
/* It says something that is not kept anywhere. */
int room_said_unkept(struct room *room) ANNEX_MUST_CHECK;

/* --- unrouted.c: what can be seen neither in the archive nor in who is in ------ */

/* Count a room's rows, and its events up to the highest of theirs. */
int unrouted_count(struct room *room) ANNEX_MUST_CHECK;
/* Those up to event are routed; how many that were. */
size_t unrouted_forget(struct muc *m, const char *room_id, uint64_t event);
/* Keep what is said of somebody who is out or renamed, to them (only: with that client) and to the others. */
void unrouted_notice(const struct occupant *o, const struct session *only, bool to_self,
    bool to_others, const struct notice *notice);
void unrouted_codes(struct room *room, const unsigned *codes);
void unrouted_absent(struct room *room, const char *jid, enum rank rank, const char *reason);
int unrouted_private(const struct session *from, const struct occupant *to,
    const struct annex_element *out) ANNEX_MUST_CHECK;

/* --- replay.c: what may have been lost, said again ------------------------------ */

void room_resync(struct room *room);
void gone_resync(struct muc *m, const char *id, const Muc__Live *live);

/* --- ask.c: who is still there ---------------------------------------------------- */

void ask_init(struct muc *m);
void ask_link_up(struct muc *m);
void ask_link_down(struct muc *m);
/* The other clients of somebody who has come in again: ask those that nothing was heard of. */
void ask_about(struct occupant *occupant);
/* Who was in may not have had the time yet to come back to this link. */
bool ask_is_early(const struct muc *m);
/* Rooms whose output was not taken say it again, when there is a place for it. */
void ask_resync(struct muc *m);
/* An error by whom something did not reach, which was sent by the room or by an occupant: whether
 * they are gone. */
bool ask_is_gone(struct session *session, enum annex_condition condition, bool of_room);

/* --- drain.c ------------------------------------------------------------------------ */

int muc_stop(struct annex_instance *inst);

/* --- moderate.c ------------------------------------------------------------- */

bool is_retraction(const struct annex_element *message);
/* Which line a message of by takes back; 0 with *number_r 0 where it is none, or the condition it is
 * refused with. */
enum annex_condition
retract_judge(const struct occupant *by, const struct annex_element *message, uint64_t *number_r);
/* Take it back, once the message is kept. */
int retract_own(
    struct room *room, const struct annex_element *message, uint64_t number) ANNEX_MUST_CHECK;
enum annex_verdict muc_moderate(struct annex_instance *inst, const struct annex_stanza *in);

/* --- avatar.c, search.c, unique.c ------------------------------------------- */

enum annex_verdict muc_vcard_get(struct annex_instance *inst, const struct annex_stanza *in);
enum annex_verdict muc_vcard_set(struct annex_instance *inst, const struct annex_stanza *in);
enum annex_verdict muc_search(struct annex_instance *inst, const struct annex_stanza *in);
void search_init(struct muc *m);
void archives_init(struct muc *m);
/* A text as words of a search are compared with it, in pool. */
const char *words_fold(struct annex_pool *pool, const char *text);
enum annex_verdict muc_unique(struct annex_instance *inst, const struct annex_stanza *in);

/* --- usage.c, slow.c --------------------------------------------------------- */

void usage_get(struct muc *m, const char *room_id, struct usage *usage_r);
int usage_put(struct muc *m, const char *room_id, const struct usage *usage) ANNEX_MUST_CHECK;
/* Something was said, and so many bytes of it archived. */
int
usage_say(struct room *room, const struct annex_element *message, size_t bytes) ANNEX_MUST_CHECK;
int usage_bytes(struct room *room, int64_t more) ANNEX_MUST_CHECK;
int usage_touch(struct room *room) ANNEX_MUST_CHECK;
/* False where nothing is known yet. */
bool usage_per_hour(struct room *room, double *messages_r);
bool slow_may_say(const struct occupant *o, const struct annex_element *message);
int slow_note(const struct occupant *o, const struct annex_element *message) ANNEX_MUST_CHECK;
/* Drop rows of who need not wait any more; how many were looked at. */
int slow_sweep(struct muc *m, const char *room_id, const struct room_config *config, size_t most);

/* --- hats.c ------------------------------------------------------------------------ */

void hats_keep(struct room *room, Muc__Hat *const *hats, size_t count);
/* The hats of an occupant, into their presence. */
void hats_add(struct annex_element *presence, const struct occupant *o);
/* Of the list of them, in pool; NULL where there are none. */
const char *hats_hash(const struct room *room, struct annex_pool *pool);

/* --- recent.c ------------------------------------------------------------------ */

void recent_init(struct muc *m);
void recent_add(struct room *room, const Muc__Line *line);
/* How many lines ago; NULL where there are not so many.  Good until the next is added. */
const Muc__Line *recent_line(const struct room *room, size_t ago);
void recent_forget(struct muc *m, const char *room_id);
void recent_erase(struct muc *m, const char *bare);

/* --- preset.c, retain.c -------------------------------------------------------- */

/* How new rooms begin; *why is a sentence where an option is wrong. */
int preset_read(const struct muc_settings *set, struct annex_pool *pool,
    struct room_config *config_r, const char **why) ANNEX_MUST_CHECK;
/* The whole name of a field that people call without "muc#roomconfig_"; NULL: there is none. */
const char *config_field_name(const char *name);
/* The room behind the cursor, which moves on; NULL at the end.  In scratch. */
const Muc__Room *rooms_next(struct muc *m, struct rooms_cursor *cursor);
void retain_init(struct muc *m);
int retain_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit);

/* --- commands.c, and commands of other files -------------------------------------- */

struct command_values {
	const char *room, *nick, *jid, *affiliation, *reason, *text, *field, *after;
	struct annex_strings value;
};
/* NULL where there is none: the run has failed. */
struct room *
command_room(struct annex_instance *inst, struct annex_run *run, const struct command_values *v);
/* How long a row is in an answer, at most; NULL ends it. */
size_t row_bytes(const char *const *value);
int run_announce(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
int run_export(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
int run_erase(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values);
/* A message to the service itself. */
enum annex_verdict announce_as_asked(struct muc *m, const struct annex_stanza *in);
int announce_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit);
int erase_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit);
/* As an owner would, with a submitted form; error_r says why not. */
int room_configure(
    struct room *room, const struct annex_element *x, struct annex_error *error_r) ANNEX_MUST_CHECK;

/* --- listed.c ---------------------------------------------------------------- */

/* The room is listed, no longer, or otherwise than before. */
int listed_put(struct room *room) ANNEX_MUST_CHECK;
int listed_drop(struct muc *m, const char *room) ANNEX_MUST_CHECK;
/* Somebody came or went. */
void room_traffic(struct room *room);
/* What the index has of a room; NULL where it is not listed.  In scratch. */
const Muc__Listed *listed_get(struct muc *m, const char *room);
struct annex_source listed_source(struct muc *m);

/* --- destroy.c -------------------------------------------------------------- */

/* What everybody in it is told. */
void room_tell_destroyed(struct room *room, const struct annex_element *destroy);
void room_destroy(struct room *room, const struct annex_element *destroy);
/* What a destroyed room leaves is deleted bit by bit. */
extern const struct annex_job muc_jobs[];
extern const struct annex_alarm muc_alarms[];

extern const struct annex_disco muc_disco;
extern const struct annex_command muc_commands[];

#endif /* MUC_H */
