/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * query.c - looking up what was said (XEP-0313)
 *
 * A line's number is its place: the table counts, so a page by index or a
 * total costs no walk.  Of the filters (narrow.c) only "with" has to look at lines
 * one by one (sift.c).
 */
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "presence.h"
#include "query.h"

#define PAGE_PRESET 50

static struct annex_key
line_key(const struct query *q, uint64_t number)
{
	struct annex_key key = muc_key(TABLE_LINES, q->room->id);

	annex_key_u64(&key, number);
	return key;
}

/* --- As a source of pages (XEP-0059) ------------------------------------------ */

struct annex_iter
query_iter(const struct query *q, uint64_t number, bool backwards)
{
	struct annex_key prefix = muc_key(TABLE_LINES, q->room->id), key;
	uint64_t last = number != 0 && number < q->before ? number : q->before;
	struct annex_iter it;

	if (backwards)
		key = line_key(q, last - 1);
	else
		key = line_key(q, (number > q->after ? number : q->after) + 1);
	it = annex_iter_from(&prefix, &key);
	it.backwards = backwards;
	return it;
}

static bool
is_full(const struct query *q)
{
	return q->bytes > PAGE_STANZAS * annex_send_max(q->m->inst);
}

bool
query_has_place(struct query *q, const Muc__Line *line)
{
	bool is_first = q->bytes == 0;

	q->bytes += strlen(line->xml);
	return is_first || !is_full(q);
}

bool
query_is_within(const struct query *q, uint64_t number)
{
	return number > q->after && number < q->before;
}

static int
lines_walk(void *cookie, const char *from, bool backwards, annex_take_fn *take, void *taker)
{
	struct query *q = cookie;
	uint64_t number = from == NULL ? 0 : stanza_id_read(q->room, from);
	struct annex_iter it;
	int r;

	if (from != NULL && archive_line(q->room, number) == NULL)
		return ANNEX_ENOENT;
	it = query_iter(q, number, backwards);
	while ((r = annex_next(q->m->store, &it)) == ANNEX_AGAIN) {
		number = annex_key_number(&it.key, 1);
		if (!query_is_within(q, number) ||
		    !query_has_place(q, (const Muc__Line *)it.record) ||
		    !take(taker, stanza_id(q->room, annex_scratch(q->m->inst), number), it.record))
			return ANNEX_OK;
	}
	return r < 0 ? r : ANNEX_OK;
}

static int
lines_seek(void *cookie, uint64_t index, annex_take_fn *take, void *taker)
{
	struct query *q = cookie;
	struct annex_key prefix = muc_key(TABLE_LINES, q->room->id);
	struct annex_iter it;
	int r;

	if ((r = annex_seek(q->m->store, &prefix, index, &it)) < 0)
		return r;
	while ((r = annex_next(q->m->store, &it)) == ANNEX_AGAIN)
		if (!query_has_place(q, (const Muc__Line *)it.record) ||
		    !take(taker,
			stanza_id(q->room, annex_scratch(q->m->inst), annex_key_number(&it.key, 1)),
			it.record))
			return ANNEX_OK;
	return r < 0 ? r : ANNEX_OK;
}

static int
lines_count(void *cookie, uint64_t *count_r)
{
	struct query *q = cookie;
	struct annex_key prefix = muc_key(TABLE_LINES, q->room->id);

	return annex_rows(q->m->store, &prefix, count_r);
}

static int
lines_index(void *cookie, const char *id, uint64_t *index_r)
{
	struct query *q = cookie;
	struct annex_key key = line_key(q, stanza_id_read(q->room, id));

	return annex_row_index(q->m->store, &key, index_r);
}

/* Those that were named, one by one. */
static int
ids_walk(void *cookie, const char *from, bool backwards, annex_take_fn *take, void *taker)
{
	struct query *q = cookie;
	uint64_t number = from == NULL ? 0 : stanza_id_read(q->room, from);

	if (from != NULL && archive_line(q->room, number) == NULL)
		return ANNEX_ENOENT;
	for (size_t i = 0; i < q->id_count; i++) {
		uint64_t each = q->ids[backwards ? q->id_count - 1 - i : i];
		Muc__Line *line;

		if (!query_is_within(q, each) ||
		    (number != 0 && (backwards ? each >= number : each <= number)))
			continue;
		if ((line = archive_line(q->room, each)) == NULL)
			continue;
		if (!query_has_place(q, line) ||
		    !take(taker, stanza_id(q->room, annex_scratch(q->m->inst), each), line))
			break;
	}
	return ANNEX_OK;
}

/* Counts and indexes where the whole archive is asked for. */
static struct annex_source
source_of(struct query *q)
{
	bool whole = !q->narrowed && q->id_count == 0;

	return (struct annex_source) { .cookie = q,
		.walk = q->id_count > 0 ? ids_walk : lines_walk,
		.seek = whole ? lines_seek : NULL,
		.count = whole ? lines_count : NULL,
		.index_of = whole ? lines_index : NULL };
}

/* --- Answering ---------------------------------------------------------------- */

static void
add_real_jid(const struct query *q, struct annex_element *message, const Muc__Line *line)
{
	struct annex_element *x;

	if (!q->sees_jids || line->nick[0] == '\0')
		return;
	x = annex_add(message, NS_USER, "x");
	annex_attr_set(annex_add(x, NULL, "item"), "jid", line->jid);
}

static int
line_send(const struct query *q, const char *id, const Muc__Line *line)
{
	struct annex_stanza *out = annex_message(q->m->inst, q->room->jid, q->to, NULL);
	struct annex_element *forwarded;
	struct annex_element *line_el = kept_element(out->pool, line->xml);

	forwarded = annex_mam_result_add(out->element, q->query_id, id, line->stamp_ms);
	if (line_el == NULL)
		return ANNEX_OK;
	annex_add_element(forwarded, line_el);
	line_el->ns = "jabber:client"; /* XEP-0297 §4: as the receiver knows stanzas */
	ANNEX_CHILDREN (line_el, child)
		if (strcmp(child->ns, ANNEX_NS_STANZA) == 0)
			child->ns = "jabber:client";
	add_real_jid(q, line_el, line);
	annex_make_durable(out); /* as is the end of the page, which follows */
	return annex_send_on(q->m->inst, room_flow(q->room), out);
}

void
query_fin(const struct query *q, struct annex_stanza *out, const struct annex_page_result *page)
{
	annex_mam_fin_add(out->element, page);
	annex_send_on(q->m->inst, room_flow(q->room), out);
}

bool
query_page(const struct query *q, const struct annex_page_result *page)
{
	for (size_t i = 0; i < page->count; i++) {
		size_t at = q->flip ? page->count - 1 - i : i;

		if (line_send(q, page->id[at], page->item[at]) < 0)
			return false;
	}
	return true;
}

/* --- Who may ------------------------------------------------------------------------- */

/* Whoever might enter, and somebody in the room. */
static bool
may_read(const struct room *room, const struct annex_jid *who)
{
	enum rank power = power_of(room, who);

	if (session_find(room, who->full) != NULL || power >= RANK_MEMBER)
		return true;
	return power != RANK_OUTCAST && !room->config.members_only && !room->config.guarded;
}

/* Where no archive is kept there is none to be asked. */
static bool
may_ask(const struct room *room, const struct annex_stanza *in)
{
	if (!room->config.logged)
		muc_refuse(room->muc, in, ANNEX_SERVICE_UNAVAILABLE, ANNEX_ERROR_CANCEL, NULL);
	else if (!may_read(room, in->from))
		muc_refuse(room->muc, in, ANNEX_FORBIDDEN, ANNEX_ERROR_AUTH, NULL);
	else
		return true;
	return false;
}

static bool
sees_real_jids(const struct room *room, const struct annex_jid *who)
{
	struct session *s = session_find(room, who->full);

	return room_shows_jids(room) || power_of(room, who) >= RANK_ADMIN ||
	    (s != NULL && s->occupant->role == ROLE_MODERATOR);
}

bool
query_judge(struct query *q, const struct annex_jid *who)
{
	q->sees_jids = sees_real_jids(q->room, who);
	return q->room->config.logged && may_read(q->room, who);
}

/* --- The IQs --------------------------------------------------------------------------- */

static enum annex_verdict
query_run(struct query *q, const struct annex_stanza *in)
{
	struct annex_source source = source_of(q);
	struct annex_page_result found;
	struct annex_page page;
	int r;

	if (annex_page_read(&page, in->payload, PAGE_PRESET, PAGE_MAX) < 0)
		return muc_refuse(q->m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, NULL);
	if (q->with != NULL)
		return query_sift(q, in, &page);
	r = annex_page_fetch(&source, &page, annex_scratch(q->m->inst), &found);
	if (r == ANNEX_ELIMIT)
		return muc_refuse(
		    q->m, in, ANNEX_FEATURE_NOT_IMPLEMENTED, ANNEX_ERROR_CANCEL, NULL);
	if (r < 0)
		return muc_refuse(q->m, in, ANNEX_ITEM_NOT_FOUND, ANNEX_ERROR_CANCEL, NULL);
	found.complete = found.complete && !is_full(q);
	if (!query_page(q, &found))
		return muc_full(q->m, in);
	query_fin(q, annex_reply(q->m->inst, in), &found);
	return ANNEX_DONE;
}

enum annex_verdict
muc_archive_set(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct query *q = annex_new(annex_scratch(inst), struct query);
	enum annex_verdict verdict;
	const char *why = NULL;
	int r;

	q->m = annex_state(inst);
	if ((q->room = room_of_iq(q->m, in, &verdict)) == NULL)
		return verdict;
	if (!may_ask(q->room, in))
		return ANNEX_DONE;
	q->pool = annex_scratch(inst);
	q->to = in->from->full;
	q->sees_jids = sees_real_jids(q->room, in->from);
	r = query_narrow(q, in->payload, &why);
	if (r == ANNEX_ENOENT)
		return muc_refuse(q->m, in, ANNEX_ITEM_NOT_FOUND, ANNEX_ERROR_CANCEL, NULL);
	if (r == ANNEX_EDENIED)
		return muc_refuse(q->m, in, ANNEX_FEATURE_NOT_IMPLEMENTED, ANNEX_ERROR_CANCEL, why);
	if (r < 0)
		return muc_refuse(q->m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, why);
	return query_run(q, in);
}

/* The form, and the ends of the archive (§4.1.5, §7). */
static void
add_end(const struct room *room, struct annex_element *metadata, const char *name, bool backwards)
{
	struct annex_key prefix = muc_key(TABLE_LINES, room->id);
	struct annex_iter it = backwards ? annex_iter_backwards(&prefix) : annex_iter(&prefix);
	struct annex_pool *pool = annex_scratch(room->muc->inst);

	if (annex_next(room->muc->store, &it) == ANNEX_AGAIN)
		annex_mam_end_add(metadata, name,
		    stanza_id(room, pool, annex_key_number(&it.key, 1)),
		    ((Muc__Line *)it.record)->stamp_ms, pool);
}

enum annex_verdict
muc_archive_get(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct muc *m = annex_state(inst);
	enum annex_verdict verdict;
	struct room *room = room_of_iq(m, in, &verdict);
	struct annex_stanza *out;
	struct annex_element *el;

	if (room == NULL)
		return verdict;
	if (!may_ask(room, in))
		return ANNEX_DONE;
	out = annex_reply(inst, in);
	el = annex_add(out->element, NS_MAM, in->payload->name);
	if (strcmp(in->payload->name, "metadata") == 0) {
		add_end(room, el, "start", false);
		add_end(room, el, "end", true);
	} else {
		annex_mam_form_add(el, false);
	}
	muc_answer(m, in, out);
	return ANNEX_DONE;
}
