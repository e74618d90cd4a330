/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * rights.h - what is kept of one user (rights.c): handed out (export.c), and erased (erase.c)
 */
#ifndef MUC_RIGHTS_H
#define MUC_RIGHTS_H

#include "muc.h"

/* Where it goes on: in which room, behind which line. */
struct place {
	struct rooms_cursor room; /* the one before; */
	uint64_t line;
};

/* Whether the subject of a room is theirs. */
bool is_subject_by(struct muc *m, const Muc__Room *record, const char *bare);
/* Their clients in a room, one after the other; NULL at the end. */
struct annex_iter sessions_of(const char *room_id, const char *bare);
const Muc__Session *session_next(struct muc *m, struct annex_iter *it, const char *bare);

#endif /* MUC_RIGHTS_H */
