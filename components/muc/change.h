/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * change.h - what becomes of a role or an affiliation (change.c)
 */
#ifndef MUC_CHANGE_H
#define MUC_CHANGE_H

#include "muc.h"

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
/* Several: first those by which somebody goes, who then hears nothing of the others. */
void changes_tell(struct room *room, const struct change *changes, size_t count, const char *actor);

/* --- absent.c: of affiliated users who are not in --------------------------- */

/* Those who are in are told what becomes of one of them, where they see addresses; and told again. */
void absent_tell(struct room *room, const char *jid, enum rank rank, const char *reason);
void absent_say(struct room *room, const char *jid, enum rank rank, const char *reason);
void absent_tell_account(struct room *room, const char *bare, enum rank rank, const char *reason);
/* Who is away, where the room shows that. */
void absent_show(struct room *room, const struct session *to);
void absent_show_to_all(struct room *room);

#endif /* MUC_CHANGE_H */
