/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * action.c - a line of JSON becomes actions
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "action.h"

#define TXN_MOST 1000 /* actions in a transaction */

/* --- What is wrong ------------------------------------------------------------- */

void
consumer_wrong(struct consumer *c, const char *word, const char *of, const char *fmt, ...)
{
	struct annex_pool *pool = annex_scratch(c->bot->bots->inst);
	struct text t = { .pool = pool };
	const char *why;
	va_list args;

	va_start(args, fmt);
	text_open(&t);
	text_member(&t, "error", word);
	if (of != NULL) {
		text_name(&t, "of");
		text_puts(&t, of);
	}
	why = annex_vsprintf(pool, fmt, args);
	/* What is quoted in it may have been cut within a character. */
	text_member(&t, "text", clean_utf8(pool, why, strlen(why)));
	text_close(&t);
	va_end(args);
	c->carrier->tell(c, t.bytes, t.len);
}

/* What of an action says which one it was. */
static const char *
told_of(const struct action *a)
{
	static const char *const names[] = { "id", "key", "reply", "ask", "edit", "ack", NULL };
	struct text t = { .pool = a->pool };
	bool any = false;

	text_open(&t);
	for (const char *const *name = names; *name != NULL; name++) {
		const json_t *value = json_object_get(a->json, *name);

		if (json_is_string(value))
			text_member(&t, *name, json_string_value(value));
		else if (json_is_integer(value))
			text_number(&t, *name, json_integer_value(value));
		any |= json_is_string(value) || json_is_integer(value);
	}
	text_close(&t);
	return any ? t.bytes : NULL;
}

int
action_wrong(struct action *a, const char *word, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	consumer_wrong(a->consumer, word, told_of(a), "line %llu: %s",
	    (unsigned long long)a->consumer->lines, annex_vsprintf(a->pool, fmt, args));
	va_end(args);
	return ANNEX_EINVAL;
}

/* --- Keys -------------------------------------------------------------------------- */

/* "90s", "10m", "2h", "7d", or seconds. */
static int
read_time(const json_t *value, int64_t *ms_r)
{
	static const struct unit {
		char letter;
		int64_t ms;
	} units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 } };
	long long n = json_is_integer(value) ? json_integer_value(value) : -1;
	char *end = NULL;

	if (json_is_string(value))
		n = strtoll(json_string_value(value), &end, 10);
	if (n < 0 || n > 36500LL * 86400)
		return ANNEX_EINVAL;
	*ms_r = n * 1000;
	if (end == NULL)
		return ANNEX_OK;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (end[0] == units[i].letter && end[1] == '\0' &&
		    end != json_string_value(value)) {
			*ms_r = n * units[i].ms;
			return ANNEX_OK;
		}
	return ANNEX_EINVAL;
}

/* "one, two or three", where text is none of them. */
static const char *
judge_choice(struct annex_pool *pool, const char *text, const char *const *choices)
{
	struct text t = { .pool = pool };

	for (const char *const *c = choices; *c != NULL; c++) {
		if (strcmp(*c, text) == 0)
			return NULL;
		text_printf(&t, "%s%s", c == choices ? "" : c[1] == NULL ? " or " : ", ", *c);
	}
	return t.bytes;
}

/* What it should have been, or NULL where it is. */
static const char *
read_value(struct action *a, const struct key *key, json_t *value)
{
	void *place = (char *)a + key->offset;

	switch (key->type) {
	case KEY_TEXT:
		*(const char **)place = json_string_value(value);
		if (!json_is_string(value))
			return "a text";
		return key->choices == NULL
		    ? NULL
		    : judge_choice(a->pool, json_string_value(value), key->choices);
	case KEY_NUMBER:
		*(int64_t *)place = json_integer_value(value);
		return json_is_integer(value) && json_integer_value(value) >= 0 ? NULL : "a number";
	case KEY_TRUTH:
		*(bool *)place = json_is_true(value);
		return json_is_boolean(value) ? NULL : "true or false";
	case KEY_TIME:
		return read_time(value, place) >= 0 ? NULL : "a time such as \"90s\" or \"2h\"";
	case KEY_JID:
		if (json_is_string(value))
			*(const struct annex_jid **)place =
			    annex_jid(a->pool, json_string_value(value));
		return *(const struct annex_jid **)place != NULL ? NULL : "a JID";
	case KEY_ANY:
		*(json_t **)place = value;
		return NULL;
	}
	return "something else";
}

static const struct key *
find_key(const struct key *keys, const char *name)
{
	for (; keys->name != NULL; keys++)
		if (strcmp(keys->name, name) == 0)
			return keys;
	return NULL;
}

static int
unknown_key(struct action *a, const char *name)
{
	if (strcmp(name, "from") == 0)
		return action_wrong(
		    a, "not-allowed", "a bot speaks for itself: \"from\" cannot be set");
	return action_wrong(a, "bad-json", "unknown key \"%.60s\" of \"%s\"", name, a->verb->name);
}

static int
read_keys(struct action *a)
{
	static const struct key id_key = { "id", KEY_ANY, offsetof(struct action, id), false };
	const char *name, *expected;
	json_t *value;

	json_object_foreach(a->json, name, value)
	{
		const struct key *key =
		    strcmp(name, "id") == 0 ? &id_key : find_key(a->verb->keys, name);

		if (key == NULL)
			return unknown_key(a, name);
		if ((expected = read_value(a, key, value)) != NULL)
			return action_wrong(a, "bad-json", "\"%s\" of \"%s\" must be %s", name,
			    a->verb->name, expected);
	}
	for (const struct key *key = a->verb->keys; key->name != NULL; key++)
		if (key->required && json_object_get(a->json, key->name) == NULL)
			return action_wrong(
			    a, "bad-json", "\"%s\" has no \"%s\"", a->verb->name, key->name);
	return ANNEX_OK;
}

/* --- Actions ------------------------------------------------------------------------ */

static int
action_read(struct action *a)
{
	static const struct verb none = { .name = "action" };

	a->verb = &none;
	if (!json_is_object(a->json))
		return action_wrong(a, "bad-json", "an action is an object");
	for (const struct verb *verb = verbs; verb->name != NULL; verb++)
		if (json_object_get(a->json, verb->name) != NULL) {
			a->verb = verb;
			return read_keys(a);
		}
	return action_wrong(a, "bad-json", "no verb that is known");
}

static int
action_judge(struct action *a)
{
	int r = action_read(a);

	if (r >= 0 && a->verb->judge != NULL)
		r = a->verb->judge(a);
	if (r >= 0 && a->verb->writes && bot_bans(a->bot, a->to->bare))
		return action_wrong(a, "not-allowed", "%s is banned", a->to->bare);
	return r;
}

/* {"ok":ID,"id":"m-91","state":"queued"}, where it was asked for. */
static void
tell_result(struct action *a)
{
	struct text t = { .pool = a->pool };

	if (a->id == NULL && a->key == NULL)
		return;
	text_open(&t);
	if (json_is_integer(a->id))
		text_number(&t, "ok", json_integer_value(a->id));
	else
		text_member(&t, "ok", json_is_string(a->id) ? json_string_value(a->id) : a->key);
	text_member(&t, "id", a->stanza_id);
	text_member(&t, "state", a->state);
	if (a->result != NULL) {
		text_name(&t, a->result_name);
		text_puts(&t, a->result);
	}
	text_close(&t);
	a->consumer->carrier->tell(a->consumer, t.bytes, t.len);
}

/*
 * What is ended may not have been there: then it has ended.  Otherwise only the store can
 * fail by now (action.h).
 */
static int
action_run(struct action *a)
{
	int r = a->verb->run(a);

	if (r == ANNEX_ENOENT)
		r = ANNEX_OK;
	if (r >= 0)
		tell_result(a);
	else if (r != ANNEX_EINVAL)
		action_wrong(a, "resource-constraint", "there is no room for more now");
	return r;
}

static struct action
action_of(struct consumer *c, json_t *json)
{
	return (struct action) {
		.consumer = c,
		.bot = c->bot,
		.pool = annex_scratch(c->bot->bots->inst),
		.json = json,
	};
}

/* An event is answered several times in one transaction: all but the last keep it open. */
static void
keep_open(struct action *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; all[i].event != NULL && !all[i].more && k < n; k++)
			all[i].more = all[k].event == all[i].event;
}

static void
run_all(struct consumer *c, json_t *list)
{
	size_t n = json_array_size(list);
	struct action *all;

	if (!json_is_array(list) || n > TXN_MOST) {
		consumer_wrong(c, "bad-json", NULL,
		    "line %llu: \"txn\" must be a list of at most %d actions",
		    (unsigned long long)c->lines, TXN_MOST);
		return;
	}
	all = annex_new_array(annex_scratch(c->bot->bots->inst), struct action, n + 1);
	for (size_t i = 0; i < n; i++) {
		all[i] = action_of(c, json_array_get(list, i));
		if (action_judge(&all[i]) < 0)
			return;
	}
	keep_open(all, n);
	for (size_t i = 0; i < n; i++)
		if (action_run(&all[i]) < 0) {
			if (i > 0)
				annex_fail_turn(
				    c->bot->bots->inst, "a transaction could not be written whole");
			return;
		}
}

static void
run_one(struct consumer *c, json_t *json)
{
	struct action a = action_of(c, json);

	if (action_judge(&a) >= 0)
		action_run(&a);
}

/*
 * A NUL is fine in JSON and nowhere else: it becomes another control character, which
 * goes with all of them (clean.c).
 */
static const char *
without_nul(const char *line, size_t len, struct annex_pool *pool)
{
	char *copy = NULL;

	for (size_t i = 0; i + 5 < len; i++) {
		if (line[i] != '\\')
			continue;
		if (memcmp(line + i, "\\u0000", 6) == 0) {
			if (copy == NULL)
				copy = annex_strndup(pool, line, len);
			copy[i + 5] = '7';
		}
		i++;
	}
	return copy != NULL ? copy : line;
}

void
consumer_line(struct consumer *c, const char *line, size_t len)
{
	json_error_t error;
	json_t *json = json_loadb(without_nul(line, len, annex_scratch(c->bot->bots->inst)), len,
	    JSON_REJECT_DUPLICATES, &error);
	json_t *txn = json_object_get(json, "txn");

	if (json == NULL)
		consumer_wrong(c, "bad-json", NULL, "line %llu, column %d: %s",
		    (unsigned long long)c->lines, error.column, error.text);
	else if (txn != NULL && json_object_size(json) == 1)
		run_all(c, txn);
	else
		run_one(c, json);
	json_decref(json);
}
