/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * ask.c - questions of programs
 *
 * A contact has one question to answer at a time, as has an occupant of a room, and the room: what it
 * was asked anybody there answers.  A question is kept in the store until they
 * have, or its time is over.  The answer is an event for the bot's programs.  Of
 * a question with "keep" it is no event: it waits, under the name of the
 * question, for whoever asks over HTTP, at most for a day (annexbot ask).
 */
#include <string.h>
#include <strings.h>

#include "command.h"
#include "http.h"

#define KEPT_MS ((int64_t)86400000)
#define FULL_MS 60000 /* where the queue is full its time is over then */
#define NAME_BYTES 256
#define CHOICE_BYTES 256

/* --- Answers that are kept ------------------------------------------------------ */

const Bots__Answer *
answer_find(const struct bot *bot, const char *name)
{
	struct annex_key key = bots_key_in(TABLE_ANSWERS, bot->name, name);
	ProtobufCMessage *record;

	return annex_get(bot->bots->store, &key, &record) < 0 ? NULL : (const Bots__Answer *)record;
}

static int
answer_put(struct bot *bot, const char *name, const char *to, const char *from, const char *value,
    int64_t until_ms)
{
	struct annex_key key = bots_key_in(TABLE_ANSWERS, bot->name, name);
	Bots__Answer record = BOTS__ANSWER__INIT;

	record.until_ms = until_ms;
	record.to = (char *)(uintptr_t)to;
	record.answered = from != NULL;
	record.from = (char *)(uintptr_t)(from != NULL ? from : "");
	tidy_later(bot->bots);
	record.given = value != NULL;
	record.value = (char *)(uintptr_t)(value != NULL ? value : "");
	return annex_put(bot->bots->store, &key, &record.base);
}

/* --- Answers that are events ------------------------------------------------------ */

static int
answer_event(struct bot *bot, const struct annex_jid *who, const char *ask, const char *value)
{
	struct event *ev;
	struct text t;
	int r;

	if ((r = event_make(bot, "answer", who, &ev)) < 0)
		return r;
	ev->type = "chat";
	t = event_begin(ev);
	text_member(&t, "ask", ask);
	if (value != NULL) {
		text_member(&t, "value", value);
	} else {
		text_name(&t, "value");
		text_puts(&t, "null");
	}
	event_end(ev, &t);
	ev->body = annex_strdup(ev->pool, value);
	return event_add_or_drop(ev);
}

static const Bots__Ask *
asked(const struct bot *bot, const char *whom)
{
	struct annex_key key = bots_key_in(TABLE_ASKS, bot->name, whom);
	ProtobufCMessage *record;

	return annex_get(bot->bots->store, &key, &record) < 0 ? NULL : (const Bots__Ask *)record;
}

/* A choice by its value, its label, or its number; NULL where it is none. */
static const char *
choice_of(const Bots__Ask *ask, const char *body)
{
	char *end;
	unsigned long n = strtoul(body, &end, 10);

	if (ask->n_value == 0)
		return body;
	for (size_t i = 0; i < ask->n_value; i++)
		if (strcasecmp(ask->value[i], body) == 0 || strcasecmp(ask->label[i], body) == 0)
			return ask->value[i];
	return end != body && *end == '\0' && n >= 1 && n <= ask->n_value ? ask->value[n - 1]
									  : NULL;
}

/* "1. Deploy", a line each. */
static void
add_choices(struct text *t, const Bots__Ask *ask)
{
	for (size_t i = 0; i < ask->n_label; i++)
		text_printf(t, "\n%zu. %s", i + 1, ask->label[i]);
}

/* --- The end of a question ------------------------------------------------------------ */

static int
keep_answer(struct bot *bot, const struct annex_jid *who, const char *name, const char *value)
{
	int r = answer_put(
	    bot, name, who->bare, who->full, value, annex_wall_ms(bot->bots->inst) + KEPT_MS);

	if (r >= 0)
		http_answered(bot, name);
	return r;
}

/* First the answer, then the question goes: where the former does not fit the latter stays. */
static int
end_ask(struct bot *bot, const char *whom, const struct annex_jid *who, const Bots__Ask *ask,
    const char *value)
{
	struct bots *m = bot->bots;
	struct annex_key key = bots_key_in(TABLE_ASKS, bot->name, whom);
	const char *alarm = annex_sprintf(annex_scratch(m->inst), "%s\n%s", bot->name, whom);
	int r = ask->keep ? keep_answer(bot, who, ask->name, value)
			  : answer_event(bot, who, ask->name, value);

	if (r < 0)
		return r;
	if ((r = bots_must(m, annex_delete(m->store, &key))) < 0)
		return r;
	r = bots_must(m, annex_alarm_clear(m->inst, "ask", alarm, strlen(alarm)));
	return r == ANNEX_ENOENT ? ANNEX_OK : r;
}

int
ask_take(struct bot *bot, const struct annex_stanza *in, const char *body)
{
	const char *whom = rooms_speaker(bot, in->from->full, in->from->bare);
	const Bots__Ask *ask = asked(bot, whom);
	struct text t = { .pool = annex_scratch(bot->bots->inst) };
	const char *value;

	if (ask == NULL)
		ask = asked(bot, whom = in->from->bare);
	if (ask == NULL)
		return ANNEX_AGAIN;
	if ((value = choice_of(ask, body)) != NULL)
		return end_ask(bot, whom, in->from, ask, value);
	text_puts(&t, "Please answer with one of these:");
	add_choices(&t, ask);
	dialog_say(bot, in, t.bytes);
	return ANNEX_OK;
}

void
ask_ring(struct annex_instance *inst, const void *key, size_t key_len, int64_t due_wall_ms)
{
	struct bots *m = annex_state(inst);
	char *name = annex_strndup(annex_scratch(inst), key, key_len);
	char *contact = strchr(name, '\n');
	const struct annex_jid *who =
	    contact == NULL ? NULL : annex_jid(annex_scratch(inst), contact + 1);
	const Bots__Ask *ask;
	struct bot *bot;
	int r;

	(void)due_wall_ms;
	if (who == NULL)
		return;
	*contact = '\0';
	if ((bot = bot_find(m, name)) == NULL || (ask = asked(bot, contact + 1)) == NULL)
		return;
	if ((r = end_ask(bot, contact + 1, who, ask, NULL)) == ANNEX_ELIMIT)
		r = annex_alarm_set(inst, "ask", key, key_len, annex_wall_ms(inst) + FULL_MS);
	bots_must(m, r);
}

/* Nobody has answered, then: at once, or in time where the queue is full. */
void
ask_left(struct bot *bot, const struct annex_jid *who)
{
	const Bots__Ask *ask = asked(bot, who->full);
	int r = ask == NULL ? ANNEX_OK : end_ask(bot, who->full, who, ask, NULL);

	if (r != ANNEX_ELIMIT)
		bots_must(bot->bots, r);
}

/* --- The verb ---------------------------------------------------------------------------- */

static const char *
whom_of(const struct action *a)
{
	return rooms_speaker(a->bot, a->to->full, a->to->bare);
}

int
judge_ask(struct action *a)
{
	size_t n = json_array_size(a->choices);

	if (judge_send(a) < 0)
		return ANNEX_EINVAL;
	if (a->bot->set->no_reply)
		return action_wrong(a, "not-allowed", "nobody can answer a bot that has no-reply");
	if (*a->ask == '\0' || strlen(a->ask) > NAME_BYTES)
		return action_wrong(
		    a, "bad-json", "a question's name is a text of 1 to %d bytes", NAME_BYTES);
	if (a->choices != NULL && (!json_is_array(a->choices) || n == 0 || n > 50))
		return action_wrong(a, "bad-json", "\"choices\" must be a list of 1 to 50");
	for (size_t i = 0; i < n; i++) {
		const json_t *c = json_array_get(a->choices, i);

		if (!json_is_string(c) && !json_is_string(json_array_get(c, 0)))
			return action_wrong(a, "bad-json", "a choice is a text or [value, label]");
	}
	if (a->ttl_ms == 0)
		a->ttl_ms = 86400000;
	if (asked(a->bot, whom_of(a)) != NULL)
		return action_wrong(
		    a, "conflict", "%s has a question to answer already", whom_of(a));
	return ANNEX_OK;
}

static const char *
short_text(struct annex_pool *pool, const char *text)
{
	const char *rest = clean_text(pool, text), *part = clean_part(pool, &rest, CHOICE_BYTES);

	return part != NULL ? part : "";
}

static void
take_choices(struct action *a, Bots__Ask *record)
{
	size_t n = json_array_size(a->choices);

	record->value = annex_new_array(a->pool, char *, n + 1);
	record->label = annex_new_array(a->pool, char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		const json_t *c = json_array_get(a->choices, i), *label = json_array_get(c, 1);
		const char *value = json_string_value(json_is_string(c) ? c : json_array_get(c, 0));

		record->value[i] = (char *)(uintptr_t)short_text(a->pool, value);
		record->label[i] = json_is_string(label)
		    ? (char *)(uintptr_t)short_text(a->pool, json_string_value(label))
		    : record->value[i];
	}
	record->n_value = record->n_label = n;
}

int
run_ask(struct action *a)
{
	struct annex_instance *inst = a->bot->bots->inst;
	const char *whom = whom_of(a);
	struct annex_key key = bots_key_in(TABLE_ASKS, a->bot->name, whom);
	const char *alarm = annex_sprintf(a->pool, "%s\n%s", a->bot->name, whom);
	struct text t = { .pool = a->pool };
	Bots__Ask record = BOTS__ASK__INIT;
	int r;

	record.name = (char *)(uintptr_t)a->ask;
	record.keep = a->more;
	text_puts(&t, a->body);
	take_choices(a, &record);
	add_choices(&t, &record);
	if ((r = annex_put(a->bot->bots->store, &key, &record.base)) < 0)
		return r;
	if ((r = bots_must(a->bot->bots,
		 annex_alarm_set(
		     inst, "ask", alarm, strlen(alarm), annex_wall_ms(inst) + a->ttl_ms))) < 0)
		return r;
	if (a->more &&
	    (r = bots_must(a->bot->bots,
		 answer_put(a->bot, a->ask, a->to->bare, NULL, NULL,
		     annex_wall_ms(inst) + a->ttl_ms + KEPT_MS))) < 0)
		return r;
	a->body = t.bytes;
	return bots_must(a->bot->bots, run_send(a));
}
