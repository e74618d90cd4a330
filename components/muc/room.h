/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * room.h - a room, who is in it, and what is said of them
 *
 *	room ── occupants (by nickname) ── sessions (by full JID)
 */
#ifndef MUC_ROOM_H
#define MUC_ROOM_H

#include <annex/element.h>
#include <annex/flow.h>
#include <annex/form.h>
#include <annex/limit.h>
#include <annex/list.h>
#include <annex/map.h>

#include "muc.pb-c.h"

struct muc;

/* In order, XEP-0045 §5. */
enum rank { RANK_OUTCAST = -1, RANK_NONE, RANK_MEMBER, RANK_ADMIN, RANK_OWNER };
enum role { ROLE_NONE, ROLE_VISITOR, ROLE_PARTICIPANT, ROLE_MODERATOR };

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
	bool shows_absent; /* code 102 */
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

#endif /* MUC_ROOM_H */
