/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * adhoc_session.c - commands that are being filled in (XEP-0050 §3.4)
 *
 * A session belongs to one full JID, one command and the address it is of.
 * It dies when it is completed or cancelled, after ten minutes without a
 * word, or with the instance.  At most 1,000 live; of one account 100, then
 * its own oldest makes room.
 *
 * A session's number tells one that is over (session-expired) from one that
 * never was (bad-sessionid).  A client that sends a form without a sessionid
 * means its latest session of that command.
 *
 * The values and what they point to lie in one pool, moved to a fresh one at
 * every stage: going back and forth does not make it grow.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <annex/list.h>
#include <annex/map.h>

#include "base/alloc.h"
#include "instance.h"
#include "adhoc.h"

#define SESSIONS_MAX 1000
#define SESSIONS_MAX_BY_JID 100
#define SESSION_MS (10 * 60 * 1000)

void
commands_init(struct annex_instance *inst)
{
	struct commands *c = mem_zalloc(sizeof(*c));

	c->pool = annex_pool_create(NULL, "commands");
	c->answer = annex_pool_create(c->pool, "command answer");
	c->by_id = annex_map_create(c->pool);
	annex_list_init(&c->by_age);
	annex_list_init(&c->held);
	random_id(inst->random, c->prefix);
	inst->commands = c;
}

void
session_free(struct session *s)
{
	struct commands *c = s->inst->commands;

	annex_map_remove_str(c->by_id, s->id);
	annex_list_remove(&s->link);
	timer_stop(s->inst->timers, &s->idle);
	annex_pool_destroy(&s->keep);
	free(s->texts.text);
	free(s->full);
	free(s->bare);
	free(s->at);
	free(s);
	c->count--;
}

static void
session_is_idle(struct timer *timer)
{
	session_free(annex_container_of(timer, struct session, idle));
}

static void
make_room(struct commands *c, const char *bare)
{
	struct session *oldest = NULL;
	size_t n = 0;

	ANNEX_LIST_EACH (&c->by_age, l) {
		struct session *s = annex_container_of(l, struct session, link);

		if (strcmp(s->bare, bare) != 0)
			continue;
		if (oldest == NULL)
			oldest = s;
		n++;
	}
	if (n >= SESSIONS_MAX_BY_JID)
		session_free(oldest);
}

struct session *
session_create(
    struct annex_instance *inst, const struct annex_command *command, const struct annex_stanza *in)
{
	const struct annex_jid *who = in->from;
	struct commands *c = inst->commands;
	struct session *s;

	make_room(c, who->bare);
	if (c->count >= SESSIONS_MAX)
		return NULL;
	s = mem_zalloc(sizeof(*s));
	s->inst = inst;
	s->command = command;
	s->full = mem_strdup(who->full);
	s->bare = mem_strdup(who->bare);
	s->at = mem_strdup(in->to->full);
	s->keep = annex_pool_create(NULL, "command session");
	s->pool = annex_pool_create(s->keep, "command values");
	s->values = annex_pool_zalloc(s->pool, command->values_size);
	s->form[0] = command->form;
	snprintf(s->id, sizeof(s->id), "%s-%" PRIu64, c->prefix, ++c->last);
	annex_map_set_str(c->by_id, s->id, s);
	annex_list_append(&c->by_age, &s->link);
	c->count++;
	timer_start(inst->timers, &s->idle, SESSION_MS, session_is_idle);
	return s;
}

bool
session_is_of(
    const struct session *s, const struct annex_command *command, const struct annex_stanza *in)
{
	return s->command == command && strcmp(s->full, in->from->full) == 0 &&
	    strcmp(s->at, in->to->full) == 0;
}

struct session *
session_guess(
    struct commands *c, const struct annex_command *command, const struct annex_stanza *in)
{
	struct session *found = NULL;

	ANNEX_LIST_EACH (&c->by_age, l) {
		struct session *s = annex_container_of(l, struct session, link);

		if (session_is_of(s, command, in))
			found = s;
	}
	return found;
}

bool
session_was(const struct commands *c, const char *id)
{
	size_t len = strlen(c->prefix);
	uint64_t number;
	char *end;

	if (strncmp(id, c->prefix, len) != 0 || id[len] != '-' || id[len + 1] < '1' ||
	    id[len + 1] > '9')
		return false;
	number = strtoull(id + len + 1, &end, 10);
	return *end == '\0' && number <= c->last;
}

void
session_rehome(struct session *s)
{
	struct annex_pool *old = s->pool;

	s->pool = annex_pool_create(s->keep, "command values");
	s->values = s->command->values_size > 0
	    ? annex_memdup(s->pool, s->values, s->command->values_size)
	    : annex_pool_zalloc(s->pool, 0);
	for (unsigned i = 0; i <= s->stage; i++)
		if (s->form[i] != NULL && s->form[i] != s->command->form)
			s->form[i] = form_copy(s->pool, s->form[i]);
	if (s->form[s->stage] != NULL)
		texts_note(&s->texts, s->form[s->stage]);
	texts_move(&s->texts, s->pool, s->values);
	annex_pool_destroy(&old);
	timer_start(s->inst->timers, &s->idle, SESSION_MS, session_is_idle);
}

bool
session_can_go_back(const struct session *s)
{
	return s->stage > 0 && s->form[s->stage - 1] != NULL;
}

bool
session_is_last(const struct session *s)
{
	return s->stage + 1 >= s->command->stages;
}

void
session_touch(struct session *s)
{
	timer_start(s->inst->timers, &s->idle, SESSION_MS, session_is_idle);
}

void
commands_reset(struct annex_instance *inst)
{
	ANNEX_LIST_EACH (&inst->commands->by_age, l)
		session_free(annex_container_of(l, struct session, link));
	held_runs_end(inst->commands);
}

void
commands_finish(struct annex_instance *inst)
{
	if (inst->commands == NULL)
		return;
	commands_reset(inst);
	annex_pool_destroy(&inst->commands->pool);
	free(inst->commands);
	inst->commands = NULL;
}
