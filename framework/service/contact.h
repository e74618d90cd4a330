/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * contact.h - what the parts of contacts have from each other
 *
 *	contact.c     rows of contacts, and what a component may ask of them
 *	subscribe.c   both directions of a subscription, asked for by us
 *	presence.c    what comes in
 *	online.c      who is there, with which resources
 *	view.c        what is set to be shown
 *	show.c        showing it: resolved, built, sent, each contact once in a while
 */
#ifndef SERVICE_CONTACT_H
#define SERVICE_CONTACT_H

#include <annex/contacts.h>
#include <annex/limit.h>
#include <annex/list.h>
#include <annex/map.h>

#include "instance.h"
#include "service.pb-c.h"
#include "tables.h"

#define NS_PARS "urn:xmpp:pars:0"
#define NS_IDLE "urn:xmpp:idle:1"
#define NS_AVATAR_UPDATE "vcard-temp:x:update"
#define NS_MUC "http://jabber.org/protocol/muc"

/* A row of the store, in scratch; one that is not there yet is blank. */
typedef Annex__Service__Contact contact_row;
typedef Annex__Service__View view_row;

struct contacts {
	struct annex_instance *inst;
	struct annex_pool *pool;  /* of the maps and buckets */
	struct annex_map *online; /* me, NUL, contact -> struct buddy */
	size_t directed;          /* resources of strangers among them */
	uint32_t epoch;           /* the connection */
	struct annex_buckets *probes;
	struct annex_map *fresh; /* our addresses whose caps are right, in this life */
};

/* --- contact.c ---------------------------------------------------------- */

/* ANNEX_OK, or ANNEX_ENOENT and a blank row; or negative. */
int contact_load(struct annex_instance *inst, const char *me, const char *jid, contact_row **row_r);
/* Put it; or delete it where nothing is left to be known. */
int contact_put(struct annex_instance *inst, const contact_row *row) ANNEX_MUST_CHECK;
/* What a crash may undo. */
void contact_put_soft(struct annex_instance *inst, const contact_row *row);
/* A change that cannot be left half done. */
int contact_must(struct annex_instance *inst, int status);
void
contact_tell(struct annex_instance *inst, const contact_row *row, enum annex_contact_event event);
/* Two bare addresses as one key, in scratch; *len_r without the last NUL. */
const char *
contact_key(struct annex_instance *inst, const char *me, const char *jid, size_t *len_r);
/* A subscription stanza, between bare addresses. */
void contact_say(
    struct annex_instance *inst, const contact_row *row, const char *type, const char *text);

/* --- subscribe.c -------------------------------------------------------- */

/* They may see us from now on: put, told, shown; and asked back, where they were never asked. */
int contact_accept(struct annex_instance *inst, contact_row *row, bool asks_back);
/* They may not any more. */
int contact_dismiss(struct annex_instance *inst, contact_row *row);
int contact_ask(struct annex_instance *inst, contact_row *row, const char *text);

/* --- online.c ----------------------------------------------------------- */

/* What an available presence says of a resource; true where it is news. */
bool online_set(
    struct annex_instance *inst, const char *me, const struct annex_stanza *in, bool directed);
/* A resource has gone, or with a bare address all; true where it was there. */
bool online_remove(struct annex_instance *inst, const char *me, const struct annex_jid *from);
bool online_has(struct annex_instance *inst, const char *me, const struct annex_jid *from);
void online_forget(struct annex_instance *inst, const char *me, const char *jid);
void online_finish(struct annex_instance *inst);
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

void view_expired(struct annex_instance *inst, const void *key, size_t len, int64_t due_ms);

/* --- avatar.c ----------------------------------------------------------- */

/* Views count the uses of an image; sha1 "": none. */
bool avatar_is_known(struct annex_instance *inst, const char *sha1);
int avatar_use(struct annex_instance *inst, const char *sha1);
int avatar_release(struct annex_instance *inst, const char *sha1);

/* --- show.c ------------------------------------------------------------- */

/* Show all there is to see to one address of a contact, whatever was shown before. */
int show_all(struct annex_instance *inst, contact_row *row, const char *to);
/* Show what has changed since; the row is put. */
int show_changes(struct annex_instance *inst, contact_row *row);
/* Say that all of it is offline. */
int show_end(struct annex_instance *inst, contact_row *row);
/* Show all contacts of an address what has changed. */
int show_to_all(struct annex_instance *inst, const char *me);
int self_next_revision(struct annex_instance *inst, const char *me, uint64_t *revision_r);

/* --- presence.c: the handlers of service_routes ------------------------- */

annex_handler contact_presence, contact_presence_error;

#endif /* SERVICE_CONTACT_H */
