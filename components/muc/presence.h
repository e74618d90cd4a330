/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * presence.h - how an occupant is shown, to whom, and how often
 */
#ifndef MUC_PRESENCE_H
#define MUC_PRESENCE_H

#include "muc.h"

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

#endif /* MUC_PRESENCE_H */
