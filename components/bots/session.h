/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * session.h - ad-hoc commands that somebody has open (XEP-0050)
 */
#ifndef BOTS_SESSION_H
#define BOTS_SESSION_H

#include "command.h"

#define STAGES_MOST 32

struct stage {
	struct annex_pool *pool;
	const char *json; /* its form; NULL: the command's own */
	const char *said; /* with it and before, JSON; NULL: not yet */
};

struct session {
	struct annex_pool *pool;
	const char *id, *node, *owner;
	int64_t until_ms;
	uint64_t number; /* grows with each */
	bool running;    /* the program has what was said, and has not answered */
	bool blank;      /* its first stage has no form */
	struct stage *stage[STAGES_MOST];
	size_t stages;
};

/* One of owner, a full JID, at its first stage. */
struct session *session_begin(struct bot *bot, const char *node, const char *id, const char *owner);
/* There need be none of that id. */
void session_end(struct bot *bot, const char *id);
/* Somebody has gone on with it: it lasts longer. */
void session_touch(struct bot *bot, struct session *s);
/* That of owner with that id; some clients forget it, and mean the last of that command. */
struct session *session_of(struct bot *bot, const char *owner, const char *node, const char *id);

/* Another form; false: there have been too many. */
bool session_push(struct session *s, const char *json);
/* Back to the one before. */
void session_pop(struct session *s);
struct stage *session_stage(const struct session *s);
/* What was said with the forms before this one; NULL: nothing. */
const char *session_said_before(const struct session *s);

#endif /* BOTS_SESSION_H */
