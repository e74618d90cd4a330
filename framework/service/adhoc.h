/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * adhoc.h - commands that are being filled in, and how they are answered
 */
#ifndef SERVICE_ADHOC_H
#define SERVICE_ADHOC_H

#include <annex/command.h>
#include <annex/list.h>

#include "base/timer.h"
#include "run.h"

struct session {
	struct annex_link link;
	struct timer idle;
	struct annex_instance *inst;
	const struct annex_command *command;
	char id[40];
	char *full, *bare;       /* whose */
	char *at;                /* of which address */
	struct annex_pool *keep; /* the component's part */
	struct annex_pool *pool; /* in it: values, their texts, forms */
	void *values;
	struct texts texts;
	unsigned stage; /* whose form was shown */
	const struct annex_form *form[RUN_STAGES_MAX];
};

/* Of who sent in, at the address it was sent to; NULL where there are too many. */
struct session *session_create(struct annex_instance *inst, const struct annex_command *command,
    const struct annex_stanza *in);
void session_free(struct session *s);

bool session_is_of(
    const struct session *s, const struct annex_command *command, const struct annex_stanza *in);
/* The latest of that JID and command, for who forgot its id; or NULL. */
struct session *session_guess(
    struct commands *c, const struct annex_command *command, const struct annex_stanza *in);
/* Whether id is one we gave out: then its session is over. */
bool session_was(const struct commands *c, const char *id);

/* Move what the session holds to a pool of its own, leaving behind what was replaced. */
void session_rehome(struct session *s);
void session_touch(struct session *s); /* ten more minutes */

bool session_can_go_back(const struct session *s);
bool session_is_last(const struct session *s);

/* The <command/> of an answer; the whole of one that is over, or goes on with a form. */
struct annex_element *
adhoc_answer(struct annex_stanza *out, const struct session *s, const char *status);
enum annex_verdict adhoc_answer_completed(
    const struct annex_stanza *in, const struct session *s, const struct annex_run *run);
enum annex_verdict adhoc_answer_form(
    const struct annex_stanza *in, const struct session *s, const struct annex_run *run);

#endif /* SERVICE_ADHOC_H */
