/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * ledger.c - what must be true of every run, whatever was expected
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <annex/jid.h>
#include <annex/pool.h>

#include "ledger.h"

void
ledger_init(struct ledger *l, struct annex_pool *pool, const char *domain)
{
	*l = (struct ledger) { .pool = pool, .domain = domain };
}

/* Grown in the pool: what was there before goes with it. */
static void *
grown(struct annex_pool *pool, void *old, size_t count, size_t *room, size_t size)
{
	void *more;

	if (count < *room)
		return old;
	*room = *room == 0 ? 32 : 2 * *room;
	more = annex_pool_array(pool, *room, size);
	if (count > 0)
		memcpy(more, old, count * size);
	return more;
}

static const char *
prepared(struct annex_pool *pool, const char *text)
{
	const struct annex_jid *jid = text == NULL ? NULL : annex_jid(pool, text);

	return jid == NULL ? NULL : jid->full;
}

static bool
is(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* --- In ---------------------------------------------------------------------- */

static bool
is_question(const struct annex_element *el)
{
	const char *type = annex_attr(el, "type");

	return strcmp(el->name, "iq") == 0 && !is(type, "result") && !is(type, "error");
}

static void
note_question(struct ledger *l, const struct annex_element *el, unsigned line)
{
	const char *from = prepared(l->pool, annex_attr(el, "from")), *id = annex_attr(el, "id");

	if (from == NULL) /* nobody to answer */
		return;
	l->questions = grown(
	    l->pool, l->questions, l->question_count, &l->question_room, sizeof(*l->questions));
	l->questions[l->question_count++] =
	    (struct question) { .from = from, .id = id == NULL ? "" : id, .line = line };
}

void
ledger_in(struct ledger *l, const struct annex_element *el, unsigned line)
{
	if (strcmp(el->ns, ANNEX_NS_STANZA) != 0)
		return;
	if (is_question(el)) {
		note_question(l, el, line);
	} else if (is(annex_attr(el, "type"), "error")) {
		l->errors =
		    grown(l->pool, l->errors, l->error_count, &l->error_room, sizeof(*l->errors));
		l->errors[l->error_count++] = (struct incoming_error) { .name = el->name,
			.from = prepared(l->pool, annex_attr(el, "from")),
			.id = annex_attr(el, "id") };
	}
}

/* --- Out --------------------------------------------------------------------- */

static const char *
check_shape(struct ledger *l, const struct annex_element *el, const char *raw, size_t raw_len)
{
	const char *from = annex_attr(el, "from"), *end = memchr(raw, '>', raw_len);
	const struct annex_jid *jid;

	if (strcmp(el->ns, ANNEX_NS_STANZA) != 0 ||
	    (strcmp(el->name, "message") != 0 && strcmp(el->name, "presence") != 0 &&
		strcmp(el->name, "iq") != 0))
		return "this is no stanza";
	if (end != NULL && memmem(raw, (size_t)(end - raw), " xmlns=", 7) != NULL)
		return "a stanza has an xmlns of its own, which Openfire does not forgive";
	if (from == NULL || annex_attr(el, "to") == NULL || annex_attr(el, "id") == NULL)
		return "a stanza needs from, to and id";
	jid = annex_jid(l->pool, from);
	if (jid == NULL || strcmp(jid->domain, l->domain) != 0)
		return "from is not in the component's domain";
	if (annex_jid(l->pool, annex_attr(el, "to")) == NULL)
		return "to is not a JID";
	return NULL;
}

static const char *
answer_twice(struct ledger *l, const struct question *q, const char *raw, size_t raw_len,
    unsigned long connection)
{
	/* What is not known to have been routed is sent again on a new link, and is the same. */
	if (q->connection != connection && strlen(q->answer) == raw_len &&
	    memcmp(q->answer, raw, raw_len) == 0)
		return NULL;
	return annex_sprintf(l->pool, "the IQ of line %u is answered a second time", q->line);
}

static const char *
check_answer(struct ledger *l, const struct annex_element *el, const char *raw, size_t raw_len,
    unsigned long connection)
{
	const char *to = prepared(l->pool, annex_attr(el, "to")), *id = annex_attr(el, "id");
	struct question *answered = NULL;

	for (size_t i = 0; i < l->question_count; i++) {
		struct question *q = &l->questions[i];

		if (!is(q->from, to) || strcmp(q->id, id) != 0)
			continue;
		if (q->answers > 0) {
			answered = q;
			continue;
		}
		q->answers = 1;
		q->connection = connection;
		q->answer = annex_strndup(l->pool, raw, raw_len);
		return NULL;
	}
	if (answered != NULL)
		return answer_twice(l, answered, raw, raw_len, connection);
	return "this answers an IQ that nobody sent";
}

static const char *
check_error(struct ledger *l, const struct annex_element *el)
{
	const char *to = prepared(l->pool, annex_attr(el, "to")), *id = annex_attr(el, "id");

	for (size_t i = 0; i < l->error_count; i++) {
		const struct incoming_error *e = &l->errors[i];

		if (strcmp(e->name, el->name) == 0 && is(e->from, to) && is(e->id, id))
			return "an error is answered with an error";
	}
	return NULL;
}

const char *
ledger_out(struct ledger *l, const struct annex_element *el, const char *raw, size_t raw_len,
    unsigned long connection)
{
	const char *why = check_shape(l, el, raw, raw_len);

	if (why != NULL)
		return why;
	if (is(annex_attr(el, "type"), "error") && (why = check_error(l, el)) != NULL)
		return why;
	if (strcmp(el->name, "iq") == 0 && !is_question(el))
		return check_answer(l, el, raw, raw_len, connection);
	return NULL;
}

void
ledger_forgive(struct ledger *l)
{
	for (size_t i = 0; i < l->question_count; i++)
		l->questions[i].forgiven = true;
}

const struct question *
ledger_unanswered(const struct ledger *l)
{
	for (size_t i = 0; i < l->question_count; i++)
		if (l->questions[i].answers == 0 && !l->questions[i].forgiven)
			return &l->questions[i];
	return NULL;
}
