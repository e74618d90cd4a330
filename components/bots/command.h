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
	const char *const *labels;  /* of each, what people see */
	bool required;
};

struct form {
	const char *title;
	const struct field *fields;
	size_t field_count;
	bool next; /* another may follow */
};

struct command {
	const char *node, *name, *who; /* who: NULL everybody */
	struct form form;
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
/* What somebody means who says that: an option by its label, or in another case. */
const char *field_meant(const struct field *field, const char *said);
/*
 * What a program answers a command with, instead of an end: another form.  The texts of JSON are
 * objects with a member for each field that was said so far, in whatever form.
 */
int form_read(const json_t *json, struct annex_pool *pool, struct form *form_r,
    const char **why) ANNEX_MUST_CHECK;
/* Of a text that was read before, in pool. */
struct form form_of(const char *text, struct annex_pool *pool);
/* before, or NULL, with the values of form's fields in their order (NULL or "": not said). */
const char *said_with(struct annex_pool *pool, const char *before, const struct form *form,
    const char *const *values);
/* What was said with the command that event is. */
const char *event_said(const struct event *event, struct annex_pool *pool);

struct saying {
	const char *node, *via;
	const char *said;
	size_t stage; /* with how many forms */
};
int command_event(struct bot *bot, const struct saying *saying, const struct annex_stanza *in,
    struct event **event_r) ANNEX_MUST_CHECK;

/* adhoc.c, dialog.c: whoever has said the command sees that form, with a note (or NULL) before it.
 * The former: false where nobody waits. */
bool
adhoc_form(const struct event *event, const struct form *form, const char *json, const char *note);
int dialog_form(struct event *event, const struct form *form, const char *json,
    const char *note) ANNEX_MUST_CHECK;

/* dialog.c: what was said to bot is dealt with, where it is about a command.  ANNEX_AGAIN: it is not;
 * negative: its event could not be added. */
int dialog_take(struct bot *bot, const struct annex_stanza *in, const char *body) ANNEX_MUST_CHECK;
/* A text to whoever said that, which no event stands behind. */
void dialog_say(struct bot *bot, const struct annex_stanza *in, const char *text);

/* ask.c: the same for what a program has asked. */
int ask_take(struct bot *bot, const struct annex_stanza *in, const char *body) ANNEX_MUST_CHECK;

#endif /* BOTS_COMMAND_H */
