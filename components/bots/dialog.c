/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * dialog.c - commands and questions as text
 *
 *	disk web1            a command, its fields in order
 *	disk host="web 1"    or by name
 *	disk                 what is missing is asked for, one by one; so are
 *	                     the fields of a form that a program answers with
 *	help, ?              what there is; cancel: never mind
 *
 * A conversation with one contact, or one occupant of a room, is about one thing at a time.  A question of a
 * program (ask.c) is kept in the store; one of ours for a missing field is not:
 * who was asked before a restart says the command again.
 */
#include <string.h>
#include <strings.h>

#include "command.h"

#define PATIENCE_MS 300000 /* for the answer to a question of ours */
#define LATE_MS 300000     /* a command that was on its way for longer is not run */
#define WORDS_MOST 64
#define DIALOGS_MOST 1000

struct dialog {
	struct annex_pool *pool;
	const char *node;
	const char *json;   /* the form, where a program answered with it; NULL: the command's */
	const char *before; /* what was said with the forms before it */
	size_t stage;       /* forms, with this one */
	const char **values;
	size_t at; /* the field that was asked for */
	int64_t until_ms;
};

/* --- Saying -------------------------------------------------------------------- */

/* Whom, and in which conversation. */
struct partner {
	const char *to, *type, *thread;
};

static struct partner
partner_of(const struct bot *bot, const struct annex_stanza *in)
{
	return (struct partner) { rooms_reply_to(bot, in->from->full, in->from->bare, in->type),
		in->type, annex_child_text(in->element, NULL, "thread") };
}

static const char *
speaker_of(const struct bot *bot, const struct annex_stanza *in)
{
	return rooms_speaker(bot, in->from->full, in->from->bare);
}

static void
say(struct bot *bot, const struct partner *to, const char *text)
{
	struct annex_instance *inst = bot->bots->inst;
	struct annex_stanza *out = annex_message(inst, bot->full, to->to, to->type);

	annex_attr_set(out->element, "id", annex_random_id(inst));
	annex_add_text(out->element, NULL, "body", text);
	annex_add_text(out->element, NULL, "thread", to->thread);
	bots_must(bot->bots, out_send(bot, out, NULL));
}

void
dialog_say(struct bot *bot, const struct annex_stanza *in, const char *text)
{
	const struct partner to = partner_of(bot, in);

	say(bot, &to, text);
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
		for (size_t k = 0; k < c->form.field_count; k++) {
			if (c->form.fields[k].kind->given)
				continue;
			text_puts(&t, c->form.fields[k].required ? " <" : " [");
			text_puts(&t, c->form.fields[k].var);
			text_puts(&t, c->form.fields[k].required ? ">" : "]");
		}
		text_puts(&t, ": ");
		text_puts(&t, c->name);
	}
	dialog_say(bot, in, t.bytes);
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

	while (i < c->form.field_count &&
	    (strncmp(word, c->form.fields[i].var, strlen(c->form.fields[i].var)) != 0 ||
		word[strlen(c->form.fields[i].var)] != '='))
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
		if ((i = field_named(c, word)) < c->form.field_count) {
			word += strlen(c->form.fields[i].var) + 1;
		} else {
			while (next < c->form.field_count && c->form.fields[next].kind->given)
				next++;
			i = next++;
		}
		if (i >= c->form.field_count || c->form.fields[i].kind->given)
			return annex_sprintf(pool, "\"%s\" is too much for %s.", word, c->node);
		word = field_meant(&c->form.fields[i], word, pool);
		if ((why = field_wrong(&c->form.fields[i], word, pool)) != NULL)
			return annex_sprintf(pool, "%s must be %s.", c->form.fields[i].label, why);
		values[i] = word;
	}
	return NULL;
}

/* --- Questions for what is missing ------------------------------------------------------ */

static void
forget(struct bot *bot, const char *speaker)
{
	struct dialog *d = annex_map_remove_str(bot->dialogs, speaker);

	if (d != NULL)
		annex_pool_destroy(&d->pool);
}

void
dialog_left(struct bot *bot, const struct annex_jid *who)
{
	forget(bot, who->full);
}

/* Dialogs are memory: there are not more than so many, and what nobody goes on with is forgotten. */
static void
make_room(struct bot *bot)
{
	struct annex_map_iter it = { 0 };
	struct dialog *oldest = NULL;
	const char *whose = NULL;
	int64_t now_ms = annex_now_ms(bot->bots->inst);

	if (annex_map_count(bot->dialogs) < DIALOGS_MOST)
		return;
	while (annex_map_next(bot->dialogs, &it)) {
		struct dialog *d = it.value;

		if (d->until_ms < now_ms) {
			forget(bot, annex_strdup(annex_scratch(bot->bots->inst), it.key));
		} else if (oldest == NULL || d->until_ms < oldest->until_ms) {
			oldest = d;
			whose = annex_strdup(annex_scratch(bot->bots->inst), it.key);
		}
	}
	if (annex_map_count(bot->dialogs) >= DIALOGS_MOST)
		forget(bot, whose);
}

static struct dialog *
dialog_begin(struct bot *bot, const char *speaker, const char *node, size_t fields)
{
	struct annex_pool *pool;
	struct dialog *d;

	forget(bot, speaker);
	make_room(bot);
	pool = annex_pool_create(bot->pool, "dialog");
	d = annex_new(pool, struct dialog);
	d->pool = pool;
	d->node = annex_strdup(pool, node);
	d->stage = 1;
	d->values = annex_new_array(pool, const char *, fields + 1);
	annex_map_set_str(bot->dialogs, speaker, d);
	return d;
}

static int
run(struct bot *bot, const struct saying *saying, const struct annex_stanza *in)
{
	struct event *ev;
	int r = command_event(bot, saying, in, &ev);

	return r < 0 ? r : event_add_or_drop(ev);
}

static void
question(struct bot *bot, const struct form *form, struct dialog *d, const struct partner *to,
    const char *first)
{
	const struct field *f = &form->fields[d->at];
	struct text t = { .pool = annex_scratch(bot->bots->inst) };

	text_puts(&t, first);
	field_question(f, &t);
	d->until_ms = annex_now_ms(bot->bots->inst) + PATIENCE_MS;
	say(bot, to, t.bytes);
}

/* Of the form that a program answered with all is asked, of a command's own what must be said. */
static bool
is_asked(const struct dialog *d, const struct field *f)
{
	return d->values[d->at] == NULL && !f->kind->given && (f->required || d->json != NULL);
}

/* What is fixed is told on the way.  False: nothing is missing any more. */
static bool
next_question(struct bot *bot, const struct form *form, struct dialog *d, const struct partner *to,
    const char *first)
{
	struct text t = { .pool = annex_scratch(bot->bots->inst) };

	text_puts(&t, first);
	for (; d->at < form->field_count; d->at++) {
		const struct field *f = &form->fields[d->at];

		if (f->kind->shown)
			text_printf(&t, "%s\n", f->value);
		if (is_asked(d, f)) {
			question(bot, form, d, to, t.bytes);
			return true;
		}
	}
	return false;
}

/* What nobody was asked for, or had nothing to say to. */
static void
fill_in(const struct form *form, const char **values)
{
	for (size_t i = 0; i < form->field_count; i++) {
		const struct field *f = &form->fields[i];

		if (f->kind->shown || (values[i] != NULL && *values[i] == '\0'))
			values[i] = NULL;
		else if (values[i] == NULL)
			values[i] = f->value;
	}
}

/* Ask for the next that is missing, or run it. */
static int
go_on(struct bot *bot, const struct form *form, struct dialog *d, const struct annex_stanza *in)
{
	struct annex_pool *pool = annex_scratch(bot->bots->inst);
	const struct partner to = partner_of(bot, in);
	struct saying saying = { .via = "text", .stage = d->stage };

	if (next_question(bot, form, d, &to, ""))
		return ANNEX_OK;
	fill_in(form, d->values);
	saying.node = annex_strdup(pool, d->node);
	saying.said = said_with(pool, d->before, form, d->values);
	forget(bot, speaker_of(bot, in));
	return run(bot, &saying, in);
}

static int
begin(struct bot *bot, const struct command *c, const char *const *values,
    const struct annex_stanza *in)
{
	struct dialog *d = dialog_begin(bot, speaker_of(bot, in), c->node, c->form.field_count);

	for (size_t i = 0; i < c->form.field_count; i++)
		d->values[i] = annex_strdup(d->pool, values[i]);
	return go_on(bot, &c->form, d, in);
}

int
dialog_form(struct event *ev, const struct form *form, const char *json, const char *note)
{
	struct annex_pool *pool = annex_scratch(ev->bot->bots->inst);
	const struct partner to = { rooms_reply_to(ev->bot, ev->from, ev->bare, ev->type), ev->type,
		ev->thread };
	const char *speaker = rooms_speaker(ev->bot, ev->from, ev->bare);
	json_t *line = json_loads(ev->line, 0, NULL);
	const json_t *node = json_object_get(line, "node"), *stage = json_object_get(line, "stage");
	struct dialog *d =
	    dialog_begin(ev->bot, speaker, json_string_value(node), form->field_count);

	d->json = annex_strdup(d->pool, json);
	d->before = event_said(ev, d->pool);
	d->stage = (json_is_integer(stage) ? (size_t)json_integer_value(stage) : 1) + 1;
	json_decref(line);
	if (note == NULL)
		note = form->title;
	note = note != NULL ? annex_sprintf(pool, "%s\n", note) : "";
	next_question(ev->bot, form, d, &to, note);
	return ANNEX_OK;
}

/* An answer to a question of ours; ANNEX_AGAIN: it is none. */
static int
continue_dialog(struct bot *bot, const struct commands *commands, const struct annex_stanza *in,
    const char *body)
{
	struct annex_pool *pool = annex_scratch(bot->bots->inst);
	struct dialog *d = annex_map_get_str(bot->dialogs, speaker_of(bot, in));
	const struct command *c =
	    d == NULL ? NULL : command_find(bot, commands, d->node, in->from, false);
	const struct partner to = partner_of(bot, in);
	const struct field *f;
	struct form form;
	const char *why;

	if (c == NULL || d->until_ms < annex_now_ms(bot->bots->inst)) {
		forget(bot, speaker_of(bot, in));
		return ANNEX_AGAIN;
	}
	form = d->json != NULL ? form_of(d->json, pool) : c->form;
	f = &form.fields[d->at];
	if (strcasecmp(body, "cancel") == 0) {
		forget(bot, speaker_of(bot, in));
		dialog_say(bot, in, "Never mind, then.");
		return ANNEX_OK;
	}
	if (!f->required && strcmp(body, "-") == 0) {
		d->values[d->at] = f->value != NULL ? annex_strdup(d->pool, f->value) : "";
		return go_on(bot, &form, d, in);
	}
	body = field_meant(f, body, pool);
	if ((why = field_wrong(f, body, pool)) != NULL) {
		question(bot, &form, d, &to, annex_sprintf(pool, "It must be %s. ", why));
		return ANNEX_OK;
	}
	d->values[d->at] = annex_strdup(d->pool, body);
	return go_on(bot, &form, d, in);
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
	struct saying saying = { .via = "text", .stage = 1 };
	bool open = false, whole = true;

	if (strncmp(body, "/me ", 4) == 0) /* what they do, not what we are to (XEP-0245) */
		return ANNEX_AGAIN;
	if ((word = next_word(pool, &at, &open)) == NULL ||
	    (c = command_find(bot, commands, word, in->from, true)) == NULL)
		return ANNEX_AGAIN;
	values = annex_new_array(pool, const char *, c->form.field_count + 1);
	if ((why = why_not_run(bot, in)) != NULL ||
	    (why = read_values(c, at, values, pool)) != NULL) {
		dialog_say(bot, in, why);
		return ANNEX_OK;
	}
	for (size_t i = 0; i < c->form.field_count; i++)
		whole &= !c->form.fields[i].required || values[i] != NULL;
	if (!whole)
		return begin(bot, c, values, in);
	saying.node = c->node;
	fill_in(&c->form, values);
	saying.said = said_with(pool, NULL, &c->form, values);
	return run(bot, &saying, in);
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
