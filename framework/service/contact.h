/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * contact.h - what the parts of contacts have from each other
 *
 *	contacts.c    the part as a whole: its memory, its life
 *	contact.c     rows of contacts, and what a component may ask of them
 *	subscribe.c   both directions of a subscription, as we change them
 *	presence.c    what comes in
 *	online.c      who is there, with which resources
 *	view.c        what is set to be shown
 *	show.c        showing it: resolved, built, sent
 *	recent.c      ... to each contact once in a while
 *	spread.c      ... to all contacts of an address
 *	sync.c        going through all contacts: after a connection, once an hour, at the end
 *	batch.c       how far the server is known to have read
 *	evidence.c    who is probably gone, which servers are down
 *	avatar.c      pictures; image.c looks at them
 *	notify.c      ... pushed to the clients that want them
 *	capable.c     ... which say so in their caps
 *	privilege.c   users' own rosters
 */
#ifndef SERVICE_CONTACT_H
#define SERVICE_CONTACT_H

#include <annex/avatar.h>
#include <annex/contacts.h>
#include <annex/job.h>
#include <annex/limit.h>
#include <annex/list.h>
#include <annex/map.h>

#include "instance.h"
#include "service.pb-c.h"
#include "tables.h"
#include "xmpp/digest.h"

#define NS_PARS "urn:xmpp:pars:0"
#define NS_IDLE "urn:xmpp:idle:1"
#define NS_AVATAR_UPDATE "vcard-temp:x:update"
#define NODE_METADATA "urn:xmpp:avatar:metadata"
#define NS_MUC "http://jabber.org/protocol/muc"

/* A row of the store, in scratch; one that is not there yet is blank. */
typedef Annex__Service__Contact contact_row;
typedef Annex__Service__View view_row;

/* Bits of a row's said: what its batch told of subscriptions. */
#define SAID_OUT 1u /* subscribed, unsubscribed */
#define SAID_IN 2u  /* subscribe, unsubscribe */

struct batches {
	struct annex_instance *inst;
	struct timer timer;
	bool loaded, is_stored;
	int64_t alive_ms; /* wall: when we were connected last, before this connection, or later */
	bool open;        /* something was said in the current one */
	uint64_t first;   /* of this connection */
	uint64_t current, back, routed; /* back: a fence returned; routed: and it counts */
};

/* Those above WALK_TEND are not broken off for another. */
enum walk_kind {
	WALK_NONE,
	WALK_TEND,     /* keeping house */
	WALK_CHANGES,  /* the instance is new: show what has changed */
	WALK_DOMAIN,   /* a domain works again */
	WALK_RESYNC,   /* the connection is new */
	WALK_FAREWELL, /* it is to end */
};

struct walk_place {
	enum walk_kind kind;
	unsigned pass;
	bool begun;
	struct annex_key at; /* the row seen last */
};

struct walk {
	struct annex_instance *inst;
	struct timer timer, answers;
	struct walk_place now, durable; /* durable: as of the last turn that is */
	bool changed; /* what changed meanwhile was forgotten: look again behind it */
	char domain[ANNEX_JID_PART_MAX + 1];
};

/* A resource of a contact, its texts behind it. */
struct place {
	struct annex_link link;
	struct annex_link look;   /* to be looked at; or it waits for what it can (capable.c) */
	struct annex_link looked; /* in this turn */
	struct annex_resource is;
	const char *me;
	uint32_t epoch;             /* the connection it was heard on */
	uint32_t asked;             /* the life in which it was asked what it can; 0: never */
	char pushed[SHA1_HEX_ROOM]; /* the picture; "": none */
	char texts[];
};

struct contacts {
	struct annex_instance *inst;
	struct contacts_settings set;
	struct annex_pool *pool;  /* of the maps and buckets */
	struct annex_map *online; /* me, NUL, contact -> struct buddy */
	size_t directed;          /* resources of strangers among them */
	uint32_t epoch;           /* the connection */
	bool known;               /* all were asked on it */
	bool leaving;             /* goodbye was said, or is being said */
	struct annex_buckets *probes;
	struct annex_map *fresh;  /* our addresses whose caps are right, in this life */
	struct annex_map *recent; /* me, NUL, contact -> struct recent, just shown something */
	struct annex_link recents;
	struct timer recent_timer;
	struct annex_link spreads;
	struct walk walk;
	struct batches batches;
	struct annex_pool *link_pool; /* of what is forgotten with the connection */
	struct annex_map *privileged; /* domain -> struct privileged */
	struct annex_map *down;       /* domain -> struct down */
	struct timer down_timer;
	struct annex_link looks, looked; /* places */
	struct timer look_timer;
	struct annex_map *capables; /* ver -> struct capable */
	struct annex_link capables_known, capables_asked;
	struct annex_bucket capable_asks;
	uint32_t capables_life; /* in which questions are remembered */
	size_t capables_count;  /* of those known */
};

/* --- contacts.c --------------------------------------------------------- */

/* The step of the job of annex_contacts_remove. */
int contacts_remove_some(struct annex_instance *inst, struct annex_job_state *state, size_t limit);

/* Up, and not on the way out. */
bool contacts_may_speak(const struct annex_instance *inst);
/* All that is said to contacts goes here, in order, and holds up nobody else. */
struct annex_flow *contacts_flow(struct annex_instance *inst);

/* --- contact.c ---------------------------------------------------------- */

/* ANNEX_OK, or ANNEX_ENOENT and a blank row; or negative. */
int contact_load(struct annex_instance *inst, const char *me, const char *jid, contact_row **row_r);
/* Put it; or delete it where nothing is left to be known. */
int contact_put(struct annex_instance *inst, const contact_row *row) ANNEX_MUST_CHECK;
/* Delete it where nothing is left to be known. */
int contact_tidy(struct annex_instance *inst, const contact_row *row);
/* What a crash may undo. */
void contact_put_soft(struct annex_instance *inst, const contact_row *row);
/* A change that cannot be left half done. */
int contact_must(struct annex_instance *inst, int status);
void
contact_tell(struct annex_instance *inst, const contact_row *row, enum annex_contact_event event);
/* Two bare addresses as one key, in scratch; *len_r without the last NUL. */
const char *
contact_key(struct annex_instance *inst, const char *me, const char *jid, size_t *len_r);
/* Before the row is put: something of SAID_* is said with this turn. */
void contact_will_say(struct annex_instance *inst, contact_row *row, uint32_t said);
/* A stanza between bare addresses. */
void contact_say(
    struct annex_instance *inst, const contact_row *row, const char *type, const char *text);

/* --- subscribe.c -------------------------------------------------------- */

/* They may see us from now on: put, told, shown; and asked back, where they were never asked. */
int contact_accept(struct annex_instance *inst, contact_row *row, bool asks_back);
/* They may not any more. */
int contact_dismiss(struct annex_instance *inst, contact_row *row);
/* They let us see them no more. */
int contact_lose(struct annex_instance *inst, contact_row *row);
/* Both at once, as the roster of their server has it. */
int contact_join(struct annex_instance *inst, contact_row *row);
int contact_unask(struct annex_instance *inst, contact_row *row);

/* --- online.c ----------------------------------------------------------- */

/* What an available presence says of a resource; true where it is news. */
bool online_set(
    struct annex_instance *inst, const char *me, const struct annex_stanza *in, bool directed);
/* A resource has gone, or with a bare address all; true where it was there. */
bool online_remove(struct annex_instance *inst, const char *me, const struct annex_jid *from);
/* now: on this connection. */
bool
online_has(struct annex_instance *inst, const char *me, const struct annex_jid *from, bool now);
/* notify_look at each resource. */
void online_look(struct annex_instance *inst, const char *me, const char *jid);
void online_forget(struct annex_instance *inst, const char *me, const char *jid);
void online_finish(struct annex_instance *inst);
/* No other resource of a contact whom we may see is known than that of from. */
bool online_is_alone(struct annex_instance *inst, const char *me, const struct annex_jid *from);
/* Forget who was not heard of on this connection, so many; true where there may be more. */
bool online_purge(struct annex_instance *inst, unsigned most);
/* Whoever has not been heard of is offline. */
bool contacts_are_known(const struct annex_instance *inst);

/* --- view.c ------------------------------------------------------------- */

/* The view of a resource for a contact; ANNEX_ENOENT: it is offline for them. */
int view_resolve(struct annex_instance *inst, const char *me, const char *resource,
    const contact_row *row, view_row **view_r);
/* The resources of an address: annex_next over their default views. */
struct annex_iter view_resources(const char *me);
/* Forget what was set for that contact alone. */
int views_forget(struct annex_instance *inst, const char *me, const char *jid);
/* All of an address. */
int views_remove(struct annex_instance *inst, const char *me);

void view_expired(struct annex_instance *inst, const void *key, size_t len, int64_t due_ms);

/* --- avatar.c ----------------------------------------------------------- */

/* Views count the uses of an image; sha1 "": none. */
bool avatar_is_known(struct annex_instance *inst, const char *sha1);
int avatar_use(struct annex_instance *inst, const char *sha1);
int avatar_release(struct annex_instance *inst, const char *sha1);

/* What is served to that contact from a resource of ours, or with NULL from the one with the highest
 * priority; ANNEX_ENOENT: there is none. */
int view_served(
    struct annex_instance *inst, const char *resource, const contact_row *row, view_row **view_r);
/* Append the metadata of a picture (XEP-0084 §4.2); NULL: of none. */
void avatar_describe(struct annex_element *item, const struct annex_avatar *avatar);

/* --- notify.c ------------------------------------------------------------- */

/* Push to it, soon, what it wants and does not have yet. */
void notify_look(struct annex_instance *inst, struct place *p);
/* p takes the place of old, whose resource has said something new. */
void notify_inherit(struct place *p, struct place *old);
/* The turn was undone, or the link is lost. */
void notify_doubt(struct annex_instance *inst);
/* The turn is durable: what it pushed is on its way. */
void notify_settle(struct annex_instance *inst);
/* Places were put among those to be looked at. */
void notify_wake(struct annex_instance *inst);
void notify_finish(struct annex_instance *inst);

/* --- capable.c ------------------------------------------------------------ */

#define CAPABLE_AVATAR 1u /* urn:xmpp:avatar:metadata+notify */

/* CAPABLE_* of the client of a resource.  ANNEX_AGAIN: asked; it waits, and is looked at again.
 * ANNEX_ENOENT: nobody knows. */
int capable_of(struct annex_instance *inst, struct place *p, uint32_t *can_r);
/* Nobody will answer any more: who waits is looked at again. */
void capable_doubt(struct annex_instance *inst);
void capable_finish(struct annex_instance *inst);

/* --- show.c ------------------------------------------------------------- */

/* What a presence says (RFC 6121 §4.7.2.1), NULL: nothing.  What no standard knows counts as away:
 * somebody is there, and not as usual. */
enum annex_show show_read(const char *text);

/* Show all there is to see to one address of a contact, whatever was shown before. */
int show_all(struct annex_instance *inst, contact_row *row, const char *to);
/*
 * Show what has changed; or all of it again.  The row is put softly.  *shown_r, if not NULL:
 * whether there was something.
 */
int show_changes(struct annex_instance *inst, contact_row *row, bool again, bool *shown_r);
/* Say that all of it is offline. */
void show_end(struct annex_instance *inst, contact_row *row);
/* The row says by itself that what is set now was shown. */
int show_note(struct annex_instance *inst, contact_row *row);
int self_next_revision(struct annex_instance *inst, const char *me, uint64_t *revision_r);

/* --- recent.c ----------------------------------------------------------- */

/* It was just shown something. */
void recent_add(struct annex_instance *inst, const contact_row *row);
/* True where that was a moment ago: what has changed is shown when its time has come. */
bool recent_defers(struct annex_instance *inst, const contact_row *row);
void recents_doubt(struct annex_instance *inst);
void recents_forget(struct annex_instance *inst);

/* --- spread.c ----------------------------------------------------------- */

/* Show all contacts of an address what has changed. */
int show_to_all(struct annex_instance *inst, const char *me);
void spreads_forget(struct annex_instance *inst);

/* --- sync.c ------------------------------------------------------------- */

/* domain: of WALK_DOMAIN. */
void walk_begin(struct annex_instance *inst, enum walk_kind kind, const char *domain);
void walk_stop(struct annex_instance *inst);
/* The turn was undone: go on from where the last one ended. */
void walk_resume(struct annex_instance *inst);
bool walk_is_busy(const struct annex_instance *inst);
bool sync_is_running(const struct annex_instance *inst);

/* --- batch.c ------------------------------------------------------------ */

/* The number of the batch in which something is said now. */
uint64_t batch_use(struct annex_instance *inst);
/* On another connection, and nobody knows. */
/* Wall: until when, about, nothing that was said to us was lost. */
int64_t batch_alive_ms(struct annex_instance *inst);
bool batch_is_lost(struct annex_instance *inst, uint64_t number);
void batch_begin(struct annex_instance *inst);
bool batch_is_routed(struct annex_instance *inst, uint64_t number);
void batch_settle(struct annex_instance *inst);
void batch_forget(struct annex_instance *inst);
/* The turn was undone, fences were forgotten: another one soon. */
void batch_again(struct annex_instance *inst);

/* --- evidence.c --------------------------------------------------------- */

const char *domain_of(const char *bare);
bool domain_is_down(const struct annex_instance *inst, const char *bare);
void domains_look(struct annex_instance *inst);
void domains_forget(struct annex_instance *inst);
bool contact_is_stale(const contact_row *row);
/* A presence that is no error came from a contact. */
void contact_was_heard(struct annex_instance *inst, contact_row *row);
void contact_was_silent(struct annex_instance *inst, contact_row *row);
/* An error came. */
void contact_failed(struct annex_instance *inst, const struct annex_stanza *in);

/* --- privilege.c -------------------------------------------------------- */

/* Presence of an account that its server shows us, of no contact: true where it was taken. */
bool privilege_presence(struct annex_instance *inst, const struct annex_stanza *in);

/* --- The handlers of service_routes ------------------------------------- */

annex_handler contact_presence, contact_presence_error, contact_vcard, contact_pep;
annex_handler contact_privilege, contact_roster_push;

#endif /* SERVICE_CONTACT_H */
