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

/* A type of field (XEP-0004 §3.3). */
struct field_kind {
	const char *name;            /* NULL ends the table */
	const char *datatype, *said; /* of its own: what it must be, for people; or NULL */
	bool many;                   /* it may have several values */
	bool truth;                  /* it is yes or no */
	bool address;                /* it is a JID */
	bool listed;                 /* of its options */
	bool secret;                 /* what is said is shown nowhere */
	bool given;                  /* the program says it, nobody is asked */
	bool shown;                  /* and it is for people */
};

struct field {
	const struct field_kind *kind;
	const char *var, *label;
	const char *value;          /* what it has to begin with, or NULL */
	const char *const *options; /* NULL-ended, or NULL */
	const char *const *labels;  /* of each, what people see */
	const char *const *media;   /* pairs of a type and a link, NULL-ended, or NULL (XEP-0221) */
	/* What it must be (XEP-0122), or NULL; open: its options are but proposed. */
	const char *datatype, *min, *max, *pattern;
	size_t least, most; /* values, of one that may have several */
	bool required, open;
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

/*
 * field.c, value.c.  A value is one text: of several a line each.  All results are in pool.
 */
int field_read(const json_t *json, struct annex_pool *pool, struct field *field_r,
    const char **why) ANNEX_MUST_CHECK;
/* What value would have to be, for people; NULL: it will do. */
const char *field_wrong(const struct field *field, const char *value, struct annex_pool *pool);
/* What somebody means who says that: an option by its label, or in another case. */
const char *field_meant(const struct field *field, const char *said, struct annex_pool *pool);
/* It is asked for. */
void field_question(const struct field *field, struct text *text);
json_t *field_json(const struct field *field, const char *value, struct annex_pool *pool);
/* The other way; where value is NULL, what it has to begin with. */
const char *field_of_json(const struct field *field, const json_t *value, struct annex_pool *pool);
/* Into a form, with that value; and what came back in one: NULL: nothing. */
void field_add(struct annex_element *x, const struct field *field, const char *value);
const char *
field_sent(const struct field *field, const struct annex_element *x, struct annex_pool *pool);

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
