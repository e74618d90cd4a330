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
#include "room.h"

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

/* XEP-0045 §15.6.2. */
enum code {
	CODE_JIDS_ARE_SHOWN = 100,
	CODE_AFFILIATION = 101,
	CODE_ABSENT_SHOWN = 102,
	CODE_ABSENT_HIDDEN = 103,
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
/* The element that was kept as text; NULL where that is NULL or none. */
struct annex_element *kept_element(struct annex_pool *pool, const char *text);
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

/* --- config.c -------------------------------------------------------------- */

extern const struct annex_form config_form;
extern const struct annex_field config_fields[];
void config_preset(const struct muc *m, struct room_config *config);
void config_pack(const struct room_config *config, Muc__Room *record, struct annex_pool *pool);
void config_unpack(struct room_config *config, const Muc__Room *record, struct annex_pool *pool);
/* In what has no status code of its own (§10.2.1); owners and admins apart. */
bool config_differs(const struct room_config *a, const struct room_config *b);

/* --- drain.c ------------------------------------------------------------------------ */

int muc_stop(struct annex_instance *inst);

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
