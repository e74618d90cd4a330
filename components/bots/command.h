/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * command.h - what a program can be told to do
 *
 * A program declares its commands once, in its hello; they are kept, so that
 * people find them while it is away.  The same declaration is an ad-hoc
 * command with a form (adhoc.c) and a line of text with help and questions
 * (dialog.c).  Either way the program gets an event of the kind command.
 */
#ifndef BOTS_COMMAND_H
#define BOTS_COMMAND_H

#include <annex/command.h>

#include "action.h"

#define COMMANDS_MOST 100
#define FIELDS_MOST 30

struct field {
	const char *var, *type, *label;
	const char *const *options; /* NULL-ended, or NULL */
	bool required;
};

struct command {
	const char *node, *name, *who; /* who: NULL everybody */
	const struct field *fields;
	size_t field_count;
};

struct commands {
	const struct command *at;
	size_t count;
};

/* Of its JSON; what is wrong is a sentence, in pool. */
int commands_read(
    const json_t *list, struct annex_pool *pool, struct commands *commands_r, const char **why);
/* Those that bot declared last, in scratch. */
struct commands commands_of(struct bot *bot);
int commands_keep(struct bot *bot, const json_t *list) ANNEX_MUST_CHECK;
/* One that who may use; node is compared without case where it is said as text. */
const struct command *command_find(const struct bot *bot, const struct commands *commands,
    const char *node, const struct annex_jid *who, bool fold);
bool
command_is_for(const struct bot *bot, const struct command *command, const struct annex_jid *who);
/* Whether value will do for field; *why is what it must be. */
bool field_accepts(const struct field *field, const char *value, const char **why);
/* The event, with the values of fields in their order (NULL: not said). */
int command_event(struct bot *bot, const struct command *command, const char *const *values,
    const struct annex_stanza *in, const char *via, struct event **event_r) ANNEX_MUST_CHECK;

/* dialog.c: what was said to bot is dealt with, where it is about a command.  ANNEX_AGAIN: it is not;
 * negative: its event could not be added. */
int dialog_take(struct bot *bot, const struct annex_stanza *in, const char *body) ANNEX_MUST_CHECK;
/* A text to whoever said that, which no event stands behind. */
void dialog_say(struct bot *bot, const struct annex_stanza *in, const char *text);

/* ask.c: the same for what a program has asked. */
int ask_take(struct bot *bot, const struct annex_stanza *in, const char *body) ANNEX_MUST_CHECK;

#endif /* BOTS_COMMAND_H */
