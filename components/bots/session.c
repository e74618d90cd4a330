/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * session.c - ad-hoc commands that somebody has open, and the forms they have seen
 *
 * Each form is a stage: the first is the command's own, the others are what the
 * program has answered with.  A stage knows all that was said so far, so that
 * one can go back to it.  Sessions are memory, and bounded: of a user and of
 * a bot the oldest makes room.
 */
#include <string.h>

#include "session.h"

#define SESSION_MS 600000
#define OF_USER_MOST 5
#define OF_BOT_MOST 1000

void
session_end(struct bot *bot, const char *id)
{
	struct session *s = annex_map_remove_str(bot->sessions, id);

	if (s != NULL)
		annex_pool_destroy(&s->pool);
}

static struct session *
older(struct session *a, struct session *b)
{
	return a == NULL || b->until_ms < a->until_ms ? b : a;
}

/* What is over goes; then the oldest of that user, or of all, where there are too many. */
static void
make_room(struct bot *bot, const char *bare)
{
	struct session *of_user = NULL, *oldest = NULL, *s;
	struct annex_map_iter it = { 0 };
	int64_t now_ms = annex_now_ms(bot->bots->inst);
	size_t n = 0;

	while (annex_map_next(bot->sessions, &it)) {
		s = it.value;
		if (s->until_ms < now_ms) {
			session_end(bot, s->id);
			continue;
		}
		oldest = older(oldest, s);
		if (strcspn(s->owner, "/") != strlen(bare) ||
		    strncmp(s->owner, bare, strlen(bare)) != 0)
			continue;
		of_user = older(of_user, s);
		n++;
	}
	if (n >= OF_USER_MOST)
		session_end(bot, of_user->id);
	else if (annex_map_count(bot->sessions) >= OF_BOT_MOST)
		session_end(bot, oldest->id);
}

struct session *
session_begin(struct bot *bot, const char *node, const char *id, const char *owner)
{
	struct annex_pool *pool;
	struct session *s;

	make_room(bot, annex_strndup(annex_scratch(bot->bots->inst), owner, strcspn(owner, "/")));
	pool = annex_pool_create(bot->pool, "session");
	s = annex_new(pool, struct session);
	s->pool = pool;
	s->id = annex_strdup(pool, id);
	s->node = annex_strdup(pool, node);
	s->owner = annex_strdup(pool, owner);
	s->number = ++bot->session_number;
	session_touch(bot, s);
	annex_map_set_str(bot->sessions, s->id, s);
	session_push(s, NULL);
	return s;
}

void
session_touch(struct bot *bot, struct session *s)
{
	s->until_ms = annex_now_ms(bot->bots->inst) + SESSION_MS;
}

struct session *
session_of(struct bot *bot, const char *owner, const char *node, const char *id)
{
	struct annex_map_iter it = { 0 };
	int64_t now_ms = annex_now_ms(bot->bots->inst);
	struct session *s, *last = NULL;

	while (annex_map_next(bot->sessions, &it)) {
		s = it.value;
		if (s->until_ms < now_ms || strcmp(s->owner, owner) != 0 ||
		    strcmp(s->node, node) != 0 || (id != NULL && strcmp(s->id, id) != 0))
			continue;
		if (last == NULL || s->number > last->number)
			last = s;
	}
	return last;
}

/* --- Stages ------------------------------------------------------------------------ */

bool
session_push(struct session *s, const char *json)
{
	struct annex_pool *pool;
	struct stage *stage;

	if (s->stages == STAGES_MOST)
		return false;
	pool = annex_pool_create(s->pool, "stage");
	stage = annex_new(pool, struct stage);
	stage->pool = pool;
	stage->json = annex_strdup(pool, json);
	s->stage[s->stages++] = stage;
	return true;
}

void
session_pop(struct session *s)
{
	struct annex_pool *pool = s->stage[--s->stages]->pool;

	annex_pool_destroy(&pool);
}

struct stage *
session_stage(const struct session *s)
{
	return s->stage[s->stages - 1];
}

const char *
session_said_before(const struct session *s)
{
	return s->stages > 1 ? s->stage[s->stages - 2]->said : NULL;
}
