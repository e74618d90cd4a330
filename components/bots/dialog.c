/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * dialog.c - commands and questions as text
 *
 *	disk web1            a command, its fields in order
 *	disk host="web 1"    or by name
 *	disk                 what is missing is asked for, one by one
 *	help, ?              what there is; cancel: never mind
 *
 * A conversation with one contact is about one thing at a time.  A question of a
 * program (ask.c) is kept in the store; one of ours for a missing field is not:
 * who was asked before a restart says the command again.
 */
#include <string.h>
#include <strings.h>

#include "command.h"

#define PATIENCE_MS 300000 /* for the answer to a question of ours */
#define LATE_MS 300000     /* a command that was on its way for longer is not run */
#define WORDS_MOST 64

struct dialog {
	struct annex_pool *pool;
	const char *node;
	const char **values;
	size_t at; /* the field that was asked for */
	int64_t until_ms;
};

/* --- Saying -------------------------------------------------------------------- */

void
dialog_say(struct bot *bot, const struct annex_stanza *in, const char *text)
{
	struct annex_instance *inst = bot->bots->inst;
	struct annex_stanza *out = annex_message(inst, bot->full, in->from->bare, in->type);
	const char *thread = annex_child_text(in->element, NULL, "thread");

	annex_attr_set(out->element, "id", annex_random_id(inst));
	annex_add_text(out->element, NULL, "body", text);
	if (thread != NULL)
		annex_add_text(out->element, NULL, "thread", thread);
	bots_must(bot->bots, out_send(bot, out, NULL));
}

static void
help(struct bot *bot, const struct commands *commands, const struct annex_stanza *in)
{
	struct text t = { .pool = annex_scratch(bot->bots->inst) };

	text_puts(&t, *bot->set->about != '\0' ? bot->set->about : bot_name(bot));
	for (size_t i = 0; i < commands->count; i++) {
		const struct command *c = &commands->at[i];

		if (!command_is_for(bot, c, in->from))
			continue;
		text_puts(&t, "\n");
		text_puts(&t, c->node);
		for (size_t k = 0; k < c->field_count; k++) {
			text_puts(&t, c->fields[k].required ? " <" : " [");
			text_puts(&t, c->fields[k].var);
			text_puts(&t, c->fields[k].required ? ">" : "]");
		}
		text_puts(&t, ": ");
		text_puts(&t, c->name);
	}
	dialog_say(bot, in, t.bytes);
}

static void
add_options(struct text *t, const char *const *options)
{
	for (const char *const *o = options; o != NULL && *o != NULL; o++) {
		text_puts(t, o == options ? " (" : ", ");
		text_puts(t, *o);
	}
	if (options != NULL)
		text_puts(t, ")");
}

/* --- Words ------------------------------------------------------------------------ */

/* The next word, quotes taken off; NULL at the end.  An open quote is *open. */
static const char *
next_word(struct annex_pool *pool, const char **at, bool *open)
{
	struct text t = { .pool = pool };
	const char *c = *at + strspn(*at, " \t\n");
	char quote = '\0';

	if (*c == '\0')
		return NULL;
	text_puts(&t, "");
	for (; *c != '\0' && (quote != '\0' || strchr(" \t\n", *c) == NULL); c++) {
		if (quote != '\0' ? *c == quote : *c == '"' || *c == '\'')
			quote = quote != '\0' ? '\0' : *c;
		else if (*c == '\\' && c[1] != '\0')
			text_add(&t, ++c, 1);
		else
			text_add(&t, c, 1);
	}
	*open = quote != '\0';
	*at = c;
	return t.bytes;
}

static size_t
field_named(const struct command *c, const char *word)
{
	size_t i = 0;

	while (i < c->field_count &&
	    (strncmp(word, c->fields[i].var, strlen(c->fields[i].var)) != 0 ||
		word[strlen(c->fields[i].var)] != '='))
		i++;
	return i;
}

/* Values by name or, where a word has none, in order; what is wrong is a sentence. */
static const char *
read_values(const struct command *c, const char *at, const char **values, struct annex_pool *pool)
{
	const char *word, *why;
	bool open = false;
	size_t next = 0, i;

	for (size_t n = 0; n < WORDS_MOST && (word = next_word(pool, &at, &open)) != NULL; n++) {
		if (open)
			return "A quotation mark is open: close it, please.";
		if ((i = field_named(c, word)) < c->field_count)
			word += strlen(c->fields[i].var) + 1;
		else
			i = next++;
		if (i >= c->field_count)
			return annex_sprintf(pool, "\"%s\" is too much for %s.", word, c->node);
		if (!field_accepts(&c->fields[i], word, &why))
			return annex_sprintf(pool, "%s must be %s.", c->fields[i].label, why);
		values[i] = word;
	}
	return NULL;
}

/* --- Questions for what is missing ------------------------------------------------------ */

static void
forget(struct bot *bot, const char *bare)
{
	struct dialog *d = annex_map_remove_str(bot->dialogs, bare);

	if (d != NULL)
		annex_pool_destroy(&d->pool);
}

static int
run(struct bot *bot, const struct command *c, const char *const *values,
    const struct annex_stanza *in)
{
	struct event *ev;
	int r = command_event(bot, c, values, in, "text", &ev);

	return r < 0 ? r : event_add_or_drop(ev);
}

static void
question(struct bot *bot, const struct command *c, struct dialog *d, const struct annex_stanza *in,
    const char *first)
{
	const struct field *f = &c->fields[d->at];
	struct text t = { .pool = annex_scratch(bot->bots->inst) };

	text_puts(&t, first);
	text_puts(&t, f->label);
	add_options(&t, f->options);
	text_puts(&t, "?");
	d->until_ms = annex_now_ms(bot->bots->inst) + PATIENCE_MS;
	dialog_say(bot, in, t.bytes);
}

/* Ask for the next that is missing, or run it. */
static int
go_on(struct bot *bot, const struct command *c, struct dialog *d, const struct annex_stanza *in)
{
	int r;

	for (; d->at < c->field_count; d->at++)
		if (c->fields[d->at].required && d->values[d->at] == NULL) {
			question(bot, c, d, in, "");
			return ANNEX_OK;
		}
	r = run(bot, c, d->values, in);
	forget(bot, in->from->bare);
	return r;
}

static int
begin(struct bot *bot, const struct command *c, const char *const *values,
    const struct annex_stanza *in)
{
	struct annex_pool *pool = annex_pool_create(bot->pool, "dialog");
	struct dialog *d = annex_new(pool, struct dialog);

	forget(bot, in->from->bare);
	d->pool = pool;
	d->node = annex_strdup(pool, c->node);
	d->values = annex_new_array(pool, const char *, c->field_count + 1);
	for (size_t i = 0; i < c->field_count; i++)
		d->values[i] = annex_strdup(pool, values[i]);
	annex_map_set_str(bot->dialogs, in->from->bare, d);
	return go_on(bot, c, d, in);
}

/* An answer to a question of ours; ANNEX_AGAIN: it is none. */
static int
continue_dialog(struct bot *bot, const struct commands *commands, const struct annex_stanza *in,
    const char *body)
{
	struct dialog *d = annex_map_get_str(bot->dialogs, in->from->bare);
	const struct command *c =
	    d == NULL ? NULL : command_find(bot, commands, d->node, in->from, false);
	const char *why;

	if (c == NULL || d->until_ms < annex_now_ms(bot->bots->inst)) {
		forget(bot, in->from->bare);
		return ANNEX_AGAIN;
	}
	if (strcasecmp(body, "cancel") == 0) {
		forget(bot, in->from->bare);
		dialog_say(bot, in, "Never mind, then.");
		return ANNEX_OK;
	}
	if (!field_accepts(&c->fields[d->at], body, &why)) {
		question(bot, c, d, in,
		    annex_sprintf(annex_scratch(bot->bots->inst), "It must be %s. ", why));
		return ANNEX_OK;
	}
	d->values[d->at] = annex_strdup(d->pool, body);
	return go_on(bot, c, d, in);
}

/* --- A line that begins with a command ---------------------------------------------------- */

/* What was edited or late may have been run, or may not be meant any more. */
static const char *
why_not_run(struct bot *bot, const struct annex_stanza *in)
{
	int64_t stamp_ms;

	if (annex_child(in->element, NS_CORRECT, "replace") != NULL)
		return "I do not run a command again because it was edited. Say it anew, please.";
	if (annex_delay_read(in->element, NULL, &stamp_ms) >= 0 &&
	    annex_wall_ms(bot->bots->inst) - stamp_ms > LATE_MS)
		return "This command was on its way for long, and I have not run it. Say it anew, "
		       "please.";
	return NULL;
}

static int
run_line(struct bot *bot, const struct commands *commands, const struct annex_stanza *in,
    const char *body)
{
	struct annex_pool *pool = annex_scratch(bot->bots->inst);
	const char *at = body + strspn(body, "/!"), *word, *why, **values;
	const struct command *c;
	bool open = false, whole = true;

	if ((word = next_word(pool, &at, &open)) == NULL ||
	    (c = command_find(bot, commands, word, in->from, true)) == NULL)
		return ANNEX_AGAIN;
	values = annex_new_array(pool, const char *, c->field_count + 1);
	if ((why = why_not_run(bot, in)) != NULL ||
	    (why = read_values(c, at, values, pool)) != NULL) {
		dialog_say(bot, in, why);
		return ANNEX_OK;
	}
	for (size_t i = 0; i < c->field_count; i++)
		whole &= !c->fields[i].required || values[i] != NULL;
	return whole ? run(bot, c, values, in) : begin(bot, c, values, in);
}

/* --- All of it --------------------------------------------------------------------------------------- */

int
dialog_take(struct bot *bot, const struct annex_stanza *in, const char *body)
{
	struct commands commands = commands_of(bot);
	int r = ask_take(bot, in, body);

	if (r != ANNEX_AGAIN || commands.count == 0)
		return r;
	if ((r = continue_dialog(bot, &commands, in, body)) != ANNEX_AGAIN)
		return r;
	if (strcasecmp(body, "help") == 0 || strcmp(body, "?") == 0) {
		help(bot, &commands, in);
		return ANNEX_OK;
	}
	return run_line(bot, &commands, in, body);
}
