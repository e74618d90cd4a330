/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * contacts.h - the other half of a roster, and a presence for every buddy
 *
 * A user's server keeps the user's roster.  The other half, that of the bot,
 * node or service which users have in it, is kept here: who may see which of
 * our addresses (out), whom we may see (in), who is online with which
 * resources, and what each contact is shown.
 *
 * A component that has contacts says so in its descriptor (.contacts); from then
 * on presence which its own routes leave (ANNEX_PASS, or no route at all) is
 * handled here, by RFC 6121 §3 and §4:
 *
 *	subscribe, probe, directed presence ─▶ decide     may they see it?
 *	everything that comes of it         ─▶ changed    somebody came, went, was added
 *
 * me is always one of our own bare addresses: the domain, or local@domain.
 * A contact is a bare address of somebody else.  Both are prepared texts
 * (annex_jid).  Presence itself comes from full addresses: an address of ours
 * has one resource or more (a bot, or each of its worker programs), and each
 * resource has a view: what is shown of it, to everybody, to a group of
 * contacts, or to one contact alone.
 *
 * Subscriptions and views are in the store and change with the turn; who is
 * online is memory, and learnt again after each connection: every contact
 * we may see is asked, the latest heard of first, at the pace of the option
 * presence-pace.  Silence means offline, or gone, and never "unsubscribed". Views
 * are sent again only where the server is not known to have routed them.
 */
#ifndef ANNEX_CONTACTS_H
#define ANNEX_CONTACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <annex/jid.h>
#include <annex/status.h>

#pragma GCC visibility push(default)

struct annex_element;
struct annex_instance;
struct annex_pool;
struct annex_roster_item;
struct annex_stanza;

/* --- What a component declares ----------------------------------------- */

enum annex_wish {
	ANNEX_WISH_SUBSCRIBE = 1, /* to be in their roster */
	ANNEX_WISH_PROBE,    /* their server believes they are subscribed; we know of nothing */
	ANNEX_WISH_DIRECTED, /* presence sent to us by somebody we are not subscribed to */
};

/*
 * What is to become of it.
 *
 *	           subscribe                 probe                     directed
 *	ACCEPT     subscribed, the view      the same, silently        the view, once
 *	REFUSE     unsubscribed              unsubscribed              nothing
 *	LATER      kept as pending           kept as pending           nothing
 *	IGNORE     nothing                   nothing                   nothing
 *
 * ACCEPT_AND_ASK is ACCEPT, and asks back, once in their life as a contact: may we see you, too?
 * IGNORE is for addresses that do not exist. With a policy under which anybody may see
 * it a probe should be accepted: whoever refuses it wipes rosters after an old backup
 * was restored.  Who has unsubscribed lately (a tombstone) is refused without a question.
 */
enum annex_decision { ANNEX_IGNORE, ANNEX_ACCEPT, ANNEX_ACCEPT_AND_ASK, ANNEX_REFUSE, ANNEX_LATER };

struct annex_request {
	enum annex_wish wish;
	const struct annex_jid *me;   /* bare; as asked for: it need not exist */
	const struct annex_jid *from; /* full where it came from a resource */
	const char *preauth;          /* the token of urn:xmpp:pars:0 (XEP-0379), or NULL */
	const char *text;             /* what they say to it (status), or NULL */
};

enum annex_contact_event {
	ANNEX_CONTACT_OUT = 1,  /* whether they may see us has changed */
	ANNEX_CONTACT_IN,       /* whether we may see them has changed */
	ANNEX_CONTACT_PRESENCE, /* they came, went, or say something else of themselves */
	ANNEX_CONTACT_STALE, /* errors, or a long silence, say that the account is gone; or no more */
};

struct annex_contacts {
	/* Everything is borrowed.  NULL: everybody is accepted, at the domain itself alone. */
	enum annex_decision (*decide)(
	    struct annex_instance *inst, const struct annex_request *request);

	/* NULL: of no interest.  Read with annex_contact_get, annex_contact_best and their kin what is
	 * so now. */
	void (*changed)(struct annex_instance *inst, const char *me, const char *contact,
	    enum annex_contact_event event);

	/* Fill the vCard (XEP-0054) of in->to for in->from; the photo is put in behind it.  ANNEX_ENOENT:
	 * there is no such address.  NULL: it holds the photo alone, where there is one. */
	int (*vcard)(struct annex_instance *inst, const struct annex_stanza *in,
	    struct annex_element *vcard);

	/* A roster of which the server tells us has changed (roster.h).  NULL: of no interest. */
	void (*pushed)(
	    struct annex_instance *inst, const char *account, const struct annex_roster_item *item);

	uintptr_t reserved[4];
};

/* --- Subscriptions -------------------------------------------------------- */

enum annex_subscription { ANNEX_SUBSCRIBED_NOT, ANNEX_SUBSCRIBED_PENDING, ANNEX_SUBSCRIBED };

/* In scratch. */
struct annex_contact {
	const char *me;
	const char *jid;
	enum annex_subscription out; /* they may see us; pending: they ask */
	enum annex_subscription in;  /* we may see them; pending: we ask */
	bool approved;               /* they may, as soon as they ask */
	bool stale;                  /* probably gone: nothing is sent unasked */
	const char *preauth;         /* with which token they asked, or NULL */
	const char *text;            /* what they said when they asked, or NULL */
	int64_t asked_ms;            /* wall: when we asked last; 0 never */
	int64_t heard_ms;            /* wall: of the last presence, about; 0 never */
	const char *const *groups;   /* NULL-ended, in the order that was set */
};

/* ANNEX_OK or ANNEX_ENOENT, or ANNEX_ESTORE as annex_get. */
int annex_contact_get(struct annex_instance *inst, const char *me, const char *contact,
    struct annex_contact *contact_r) ANNEX_MUST_CHECK;

/*
 * Walk the contacts of me, or with me NULL all, in order; *cursor is NULL at first.  ANNEX_AGAIN
 * and one contact; ANNEX_OK at the end; or negative.
 */
struct annex_contact_cursor;
int annex_contact_next(struct annex_instance *inst, const char *me,
    struct annex_contact_cursor **cursor, struct annex_contact *contact_r);

/*
 * All four change the store and send what goes with it, as part of the turn; what is so already
 * is said again and harms nobody.  ANNEX_EINVAL where contact is of our own domain; ANNEX_EFULL
 * as annex_put, and nothing was changed.
 *
 * ask: "may we see you?", with a text for people (or NULL); withdrawn where it is
 * not answered (option ask-ttl).  unask: we do not want to see them any more.
 * allow: they may see us: answers who is pending, else approves in advance (RFC 6121 §3.4).
 * deny: they may not (any more); views and groups of that contact are forgotten.
 */
int annex_contact_ask(
    struct annex_instance *inst, const char *me, const char *contact, const char *text);
int annex_contact_unask(struct annex_instance *inst, const char *me, const char *contact);
int annex_contact_allow(struct annex_instance *inst, const char *me, const char *contact);
int annex_contact_deny(struct annex_instance *inst, const char *me, const char *contact);

/* In which groups a contact is: the first that has a view counts.  At most 16; NULL or an empty list:
 * none.  ANNEX_ENOENT where there is no such contact. */
int annex_contact_set_groups(
    struct annex_instance *inst, const char *me, const char *contact, const char *const *groups);

/* The address goes: every contact is denied and unasked, its views are deleted; a job does it. */
int annex_contacts_remove(struct annex_instance *inst, const char *me);

/* --- Who is online -------------------------------------------------------- */

enum annex_show {
	ANNEX_SHOW_ONLINE, /* no <show/> */
	ANNEX_SHOW_CHAT,
	ANNEX_SHOW_AWAY,
	ANNEX_SHOW_XA,
	ANNEX_SHOW_DND,
	ANNEX_SHOW_OFFLINE, /* "unavailable" */
};

enum annex_availability {
	ANNEX_OFFLINE,
	ANNEX_ONLINE,
	ANNEX_UNKNOWN, /* not heard of since the connection, and not everybody was asked yet */
};

/* A resource of a contact, as it said last.  In scratch. */
struct annex_resource {
	const char *jid; /* full; bare where the contact has no resources */
	enum annex_show show;
	int priority;
	const char *status; /* cut at 1 KiB, in the language that was said first; or NULL */
	const char *caps;   /* "node#ver" of XEP-0115, or NULL */
	int64_t since_ms;   /* wall: since when it is there, as far as we know */
	int64_t idle_ms;    /* wall: idle since (XEP-0319); 0: not said */
	bool directed;      /* it sent its presence to us; we are not subscribed */
};

enum annex_availability
annex_contact_availability(struct annex_instance *inst, const char *me, const char *contact);

/* How many, the best first: by priority, show, and who came last. */
size_t annex_contact_resources(struct annex_instance *inst, const char *me, const char *contact,
    const struct annex_resource **resources_r);

/* The one to send to, or NULL: send to the bare address.  Never one with a negative priority. */
const struct annex_resource *
annex_contact_best(struct annex_instance *inst, const char *me, const char *contact);

/* --- What is shown ---------------------------------------------------------- */

struct annex_view_text {
	const char *lang; /* xml:lang, or NULL: of no stated language; one of each */
	const char *text;
};

struct annex_view {
	enum annex_show show;
	int priority; /* -128 to 127 */
	const struct annex_view_text *texts;
	size_t text_count;
	const char *avatar; /* of annex_avatar_put; NULL: no picture */
	int64_t idle_ms;    /* wall: idle since (XEP-0319); 0: not said */
	int64_t until_ms;   /* wall: then it is forgotten; 0: never */
};

enum annex_view_kind { ANNEX_VIEW_DEFAULT, ANNEX_VIEW_GROUP, ANNEX_VIEW_CONTACT };

/*
 * Set what is shown of a resource of ours: me is a full address here.  whose is NULL,
 * the group's name, or the contact.  view NULL: forget it; what is next in the order contact,
 * group, default is shown then.  A resource exists while it has a default view; without one,
 * and with nothing set, an address is offline.
 *
 * Who may see it is told: at once, but each contact once in the option presence-interval, what
 * was set last.  Who is known to be offline is not: their server will ask.
 *
 * ANNEX_EINVAL: a text is above 4 KiB, there are more than 16, or the avatar is unknown;
 * ANNEX_EFULL: nothing was changed.
 */
int annex_view_set(struct annex_instance *inst, const char *me, enum annex_view_kind kind,
    const char *whose, const struct annex_view *view);

/* What was set; ANNEX_ENOENT where nothing is.  In scratch. */
int annex_view_get(struct annex_instance *inst, const char *me, enum annex_view_kind kind,
    const char *whose, struct annex_view *view_r) ANNEX_MUST_CHECK;

/* What that contact is shown. */
int annex_view_for(struct annex_instance *inst, const char *me, const char *contact,
    struct annex_view *view_r) ANNEX_MUST_CHECK;

/* What disco#info says of me has changed: presence carries its hash (XEP-0115), and goes out anew. */
void annex_contacts_touch(struct annex_instance *inst, const char *me);

#pragma GCC visibility pop

#endif /* ANNEX_CONTACTS_H */
