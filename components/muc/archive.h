/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * archive.h - what was said: kept (archive.c, recent.c), shown to newcomers (history.c), taken back (moderate.c)
 */
#ifndef MUC_ARCHIVE_H
#define MUC_ARCHIVE_H

#include "muc.h"

/* --- history.c, archive.c --------------------------------------------------- */

/* Keep a message; its stanza-id is added to out.  ANNEX_OK also where nothing is to be kept;
 * ANNEX_EINVAL where it could not be said. */
int archive_add(struct room *room, const struct occupant *by, const char *full,
    struct annex_element *out) ANNEX_MUST_CHECK;
/* The same for what the room itself says. */
int archive_add_own(struct room *room, struct annex_element *out) ANNEX_MUST_CHECK;
/* NULL where there is none of that number. */
Muc__Line *archive_line(const struct room *room, uint64_t number);
void history_send(struct room *room, const struct session *to, const struct annex_element *history);
void subject_send(struct room *room, const struct session *to);
bool message_matters(const struct annex_element *message);
bool is_subject_change(const struct annex_element *message);

/* One of the archive as it is said again, with a delay, in scratch; to NULL for a fan-out. */
struct annex_stanza *line_build(const struct room *room, const Muc__Line *line, const char *to);

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

/* --- recent.c ------------------------------------------------------------------ */

void recent_init(struct muc *m);
void recent_add(struct room *room, const Muc__Line *line);
/* How many lines ago; NULL where there are not so many.  Good until the next is added. */
const Muc__Line *recent_line(const struct room *room, size_t ago);
void recent_forget(struct muc *m, const char *room_id);
void recent_erase(struct muc *m, const char *bare);

#endif /* MUC_ARCHIVE_H */
