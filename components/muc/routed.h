/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * routed.h - what the server is known to have taken, what it may have lost, and who is still there
 */
#ifndef MUC_ROUTED_H
#define MUC_ROUTED_H

#include "muc.h"

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

#endif /* MUC_ROUTED_H */
