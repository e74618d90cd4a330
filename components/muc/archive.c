/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * archive.c - what was said, kept and looked up (XEP-0313)
 *
 * A line's number is its place: the table counts, so a page by index or a
 * total costs no walk.  The stanza-id is the number in disguise (ident.c);
 * what is not kept gets none.  Who may enter the room now may read; whose
 * JID was behind a nickname is shown to those who would see it in the room.
 * Private messages and what was refused are not in it.
 */
#include <string.h>

#include <annex/rsm.h>

#include "muc.h"

#define NS_FORWARD "urn:xmpp:forward:0"
#define NS_HINTS "urn:xmpp:hints"
#define PAGE_PRESET 50
#define PAGE_MAX 250

/* --- Keeping ---------------------------------------------------------------- */

static const struct worth {
	const char *ns, *name;
} worth_keeping[] = {
	{ ANNEX_NS_STANZA, "body" },
	{ ANNEX_NS_STANZA, "subject" },
	{ NS_HINTS, "store" },
	{ "urn:xmpp:reactions:0", "reactions" },
	{ "urn:xmpp:message-retract:1", "retract" },
	{ "urn:xmpp:fasten:0", "apply-to" },
	{ "urn:xmpp:chat-markers:0", "displayed" },
};

/* Whether somebody would miss it; others come and go, as typing does. */
bool
message_matters(const struct annex_element *out)
{
	for (size_t i = 0; i < sizeof(worth_keeping) / sizeof(*worth_keeping); i++)
		if (annex_child(out, worth_keeping[i].ns, worth_keeping[i].name) != NULL)
			return true;
	return false;
}

static bool
is_worth_keeping(const struct annex_element *out)
{
	return annex_child(out, NS_HINTS, "no-store") == NULL &&
	    annex_child(out, NS_HINTS, "no-permanent-store") == NULL && message_matters(out);
}

static void
line_write(struct room *room, Muc__Line *line, const char *nick, const char *full,
    const struct annex_element *out)
{
	line->nick = (char *)(uintptr_t)nick;
	line->jid = (char *)(uintptr_t)full;
	line->stamp_ms = annex_wall_ms(room->muc->inst);
	line->history = is_retraction(out) ||
	    (annex_child(out, ANNEX_NS_STANZA, "body") != NULL && !is_subject_change(out));
}

/* A room without an archive has a history all the same, as long as the process lives. */
static void
keep_in_memory(struct room *room, Muc__Line *line, const struct annex_element *out)
{
	size_t len;

	line->xml =
	    (char *)(uintptr_t)annex_element_write(out, annex_scratch(room->muc->inst), &len);
	if (line->history && line->xml != NULL)
		recent_add(room, line);
}

static int
keep(struct room *room, const char *nick, const char *full, struct annex_element *out)
{
	struct annex_pool *pool = annex_scratch(room->muc->inst);
	struct annex_key key = muc_key(TABLE_LINES, room->id);
	Muc__Line line = MUC__LINE__INIT;
	struct annex_element *sid;
	uint64_t number;
	size_t len;
	int r;

	if (!is_worth_keeping(out)) {
		if (message_matters(out) && (r = room_said_unkept(room)) < 0)
			return r;
		return usage_say(room, out, 0);
	}
	line_write(room, &line, nick, full, out);
	if (!room->config.logged) {
		if ((r = room_said_unkept(room)) < 0)
			return r;
		keep_in_memory(room, &line, out);
		return usage_say(room, out, 0);
	}
	if ((r = annex_sequence(room->muc->store, &key, &number)) < 0)
		return r;
	sid = annex_add(out, NS_SID, "stanza-id");
	annex_attr_set(sid, "by", room->jid);
	annex_attr_set(sid, "id", stanza_id(room, pool, number));
	line.xml = (char *)(uintptr_t)annex_element_write(out, pool, &len);
	if (line.xml == NULL)
		return ANNEX_EINVAL;
	if ((r = annex_put(room->muc->store, annex_key_u64(&key, number), &line.base)) < 0)
		return r;
	annex_count(room->muc->archived, 1);
	room->said_line = number;
	room_said(room);
	return muc_must(room->muc, usage_say(room, out, len));
}

int
archive_add(
    struct room *room, const struct occupant *by, const char *full, struct annex_element *out)
{
	return keep(room, by->nick, full, out);
}

int
archive_add_own(struct room *room, struct annex_element *out)
{
	return keep(room, "", room->jid, out);
}

/* --- What was asked --------------------------------------------------------- */

struct filter {
	const char *with, *start, *end, *before_id, *after_id;
	struct annex_strings ids;
	int64_t start_ms, end_ms;
	uint64_t after, before; /* numbers; 0: no bound */
};

static const struct annex_field filter_fields[] = {
	ANNEX_FIELD(struct filter, with, "with", ANNEX_JID_SINGLE, "Of whom"),
	ANNEX_FIELD(
	    struct filter, start, "start", ANNEX_TEXT_SINGLE, "From", .datatype = "xs:dateTime"),
	ANNEX_FIELD(
	    struct filter, end, "end", ANNEX_TEXT_SINGLE, "Until", .datatype = "xs:dateTime"),
	ANNEX_FIELD(struct filter, before_id, "before-id", ANNEX_TEXT_SINGLE, "Before the message"),
	ANNEX_FIELD(struct filter, after_id, "after-id", ANNEX_TEXT_SINGLE, "After the message"),
	ANNEX_FIELD(struct filter, ids, "ids", ANNEX_LIST_MULTI, "These messages", .open = true),
	{ 0 },
};

static const struct annex_form filter_form = { .type = NS_MAM, .fields = filter_fields };

struct search {
	struct room *room;
	struct filter f;
	bool sees_jids;
};

Muc__Line *
archive_line(const struct room *room, uint64_t number)
{
	struct annex_key key = muc_key(TABLE_LINES, room->id);
	ProtobufCMessage *record;

	annex_key_u64(&key, number);
	if (number == 0 || annex_get(room->muc->store, &key, &record) < 0)
		return NULL;
	return (Muc__Line *)record;
}

static int
bound_read(const struct room *room, const char *id, uint64_t *number_r)
{
	if (id[0] == '\0')
		return ANNEX_OK;
	*number_r = stanza_id_read(room, id);
	return archive_line(room, *number_r) == NULL ? ANNEX_ENOENT : ANNEX_OK;
}

static int
filter_read(struct search *s, const struct annex_stanza *in, const char **why)
{
	const struct annex_element *x = annex_form_find(in->payload, NS_MAM);
	int r;

	s->f = (struct filter) { "", "", "", "", "", { 0 }, 0, INT64_MAX, 0, 0 };
	if (x != NULL && (r = annex_form_read(&filter_form, x, &s->f, NULL, in->pool, why)) < 0)
		return r;
	if ((s->f.start[0] != '\0' && annex_datetime_read(s->f.start, &s->f.start_ms) < 0) ||
	    (s->f.end[0] != '\0' && annex_datetime_read(s->f.end, &s->f.end_ms) < 0)) {
		*why = "start and end are dates.";
		return ANNEX_EINVAL;
	}
	if ((r = bound_read(s->room, s->f.after_id, &s->f.after)) < 0)
		return r;
	return bound_read(s->room, s->f.before_id, &s->f.before);
}

static bool
is_filtered(const struct filter *f)
{
	return f->with[0] != '\0' || f->start[0] != '\0' || f->end[0] != '\0' || f->after != 0 ||
	    f->before != 0 || f->ids.count > 0;
}

/* with: an occupant's address, or whoever sees them a real one. */
static bool
is_with(const struct search *s, const Muc__Line *line, struct annex_pool *pool)
{
	const struct annex_jid *with = annex_jid(pool, s->f.with), *by;

	if (with == NULL)
		return false;
	if (strcmp(with->bare, s->room->jid) == 0)
		return with->resource == NULL || strcmp(with->resource, line->nick) == 0;
	by = s->sees_jids ? annex_jid(pool, line->jid) : NULL;
	return by != NULL && strcmp(with->full, with->resource != NULL ? by->full : by->bare) == 0;
}

static bool
is_asked_for(const struct search *s, uint64_t number, const Muc__Line *line)
{
	struct annex_pool *pool = annex_scratch(s->room->muc->inst);

	if (line->stamp_ms < s->f.start_ms || line->stamp_ms > s->f.end_ms)
		return false;
	if ((s->f.after != 0 && number <= s->f.after) ||
	    (s->f.before != 0 && number >= s->f.before))
		return false;
	if (s->f.ids.count > 0 && !is_in(&s->f.ids, stanza_id(s->room, pool, number)))
		return false;
	return s->f.with[0] == '\0' || is_with(s, line, pool);
}

/* --- As a source of pages (XEP-0059) ------------------------------------------ */

static int
walk_on(struct search *s, struct annex_iter *it, annex_take_fn *take, void *taker)
{
	struct annex_pool *pool = annex_scratch(s->room->muc->inst);
	int r;

	while ((r = annex_next(s->room->muc->store, it)) == ANNEX_AGAIN) {
		uint64_t number = annex_key_number(&it->key, 1);

		if (is_asked_for(s, number, (Muc__Line *)it->record) &&
		    !take(taker, stanza_id(s->room, pool, number), it->record))
			return ANNEX_OK;
	}
	return r < 0 ? r : ANNEX_OK;
}

static int
lines_walk(void *cookie, const char *from, bool backwards, annex_take_fn *take, void *taker)
{
	struct search *s = cookie;
	struct annex_key prefix = muc_key(TABLE_LINES, s->room->id), key = prefix;
	struct annex_iter it = backwards ? annex_iter_backwards(&prefix) : annex_iter(&prefix);
	uint64_t number = 0;

	if (from != NULL) {
		number = stanza_id_read(s->room, from);
		if (archive_line(s->room, number) == NULL)
			return ANNEX_ENOENT;
		annex_key_u64(&key, backwards ? number - 1 : number + 1);
		it = annex_iter_from(&prefix, &key);
		it.backwards = backwards;
	} else if (!backwards && s->f.after != 0) {
		it = annex_iter_from(&prefix, annex_key_u64(&key, s->f.after + 1));
	} else if (backwards && s->f.before != 0) {
		it = annex_iter_from(&prefix, annex_key_u64(&key, s->f.before - 1));
		it.backwards = true;
	}
	return walk_on(s, &it, take, taker);
}

static int
lines_seek(void *cookie, uint64_t index, annex_take_fn *take, void *taker)
{
	struct search *s = cookie;
	struct annex_key prefix = muc_key(TABLE_LINES, s->room->id);
	struct annex_iter it;
	int r;

	if ((r = annex_seek(s->room->muc->store, &prefix, index, &it)) < 0)
		return r;
	return walk_on(s, &it, take, taker);
}

static int
lines_count(void *cookie, uint64_t *count_r)
{
	struct search *s = cookie;
	struct annex_key prefix = muc_key(TABLE_LINES, s->room->id);

	return annex_rows(s->room->muc->store, &prefix, count_r);
}

static int
lines_index(void *cookie, const char *id, uint64_t *index_r)
{
	struct search *s = cookie;
	struct annex_key key = muc_key(TABLE_LINES, s->room->id);

	annex_key_u64(&key, stanza_id_read(s->room, id));
	return annex_row_index(s->room->muc->store, &key, index_r);
}

/* Counts and indexes where the whole archive is asked for; of a part they would cost a walk. */
static struct annex_source
source_of(struct search *s)
{
	bool whole = !is_filtered(&s->f);

	return (struct annex_source) { .cookie = s,
		.walk = lines_walk,
		.seek = whole ? lines_seek : NULL,
		.count = whole ? lines_count : NULL,
		.index_of = whole ? lines_index : NULL };
}

/* --- Answering ---------------------------------------------------------------- */

static void
add_real_jid(struct search *s, struct annex_element *message, const Muc__Line *line)
{
	struct annex_element *x;

	if (!s->sees_jids || line->nick[0] == '\0')
		return;
	x = annex_add(message, NS_USER, "x");
	annex_attr_set(annex_add(x, NULL, "item"), "jid", line->jid);
}

static int
line_send(struct search *s, const struct annex_stanza *in, const char *id, const Muc__Line *line)
{
	struct annex_instance *inst = s->room->muc->inst;
	struct annex_stanza *out = annex_message(inst, s->room->jid, in->from->full, NULL);
	struct annex_element *result = annex_add(out->element, NS_MAM, "result"), *forwarded;
	struct annex_element *line_el =
	    annex_element_read(out->pool, line->xml, strlen(line->xml), (size_t)1 << 20);

	annex_attr_set(result, "queryid", annex_attr(in->payload, "queryid"));
	annex_attr_set(result, "id", id);
	forwarded = annex_add(result, NS_FORWARD, "forwarded");
	annex_delay_add(forwarded, NULL, line->stamp_ms, NULL);
	if (line_el == NULL)
		return ANNEX_OK;
	line_el = annex_add_copy(forwarded, line_el);
	line_el->ns = "jabber:client"; /* XEP-0297 §4: as the receiver knows stanzas */
	ANNEX_CHILDREN (line_el, child)
		if (strcmp(child->ns, ANNEX_NS_STANZA) == 0)
			child->ns = "jabber:client";
	add_real_jid(s, line_el, line);
	annex_make_durable(out); /* as is the end of the page, which follows */
	return annex_send_on(inst, room_flow(s->room), out);
}

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

static void
fin_send(struct search *s, const struct annex_stanza *in, const struct annex_page_result *page)
{
	struct annex_stanza *out = annex_reply(s->room->muc->inst, in);
	struct annex_element *fin = annex_add(out->element, NS_MAM, "fin");

	if (page->complete)
		annex_attr_set(fin, "complete", "true");
	annex_page_add(fin, page);
	muc_answer(s->room->muc, in, out);
}

static bool
sees_real_jids(const struct room *room, const struct annex_jid *who)
{
	struct session *s = session_find(room, who->full);

	return room_shows_jids(room) || power_of(room, who) >= RANK_ADMIN ||
	    (s != NULL && s->occupant->role == ROLE_MODERATOR);
}

static enum annex_verdict
search_run(struct search *s, const struct annex_stanza *in)
{
	struct muc *m = s->room->muc;
	struct annex_source source = source_of(s);
	struct annex_page_result found;
	struct annex_page page;
	bool flip = annex_child(in->payload, NS_MAM, "flip-page") != NULL;
	int r;

	if (annex_page_read(&page, in->payload, PAGE_PRESET, PAGE_MAX) < 0)
		return muc_refuse(m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, NULL);
	r = annex_page_fetch(&source, &page, annex_scratch(m->inst), &found);
	if (r == ANNEX_ELIMIT)
		return muc_refuse(m, in, ANNEX_FEATURE_NOT_IMPLEMENTED, ANNEX_ERROR_CANCEL, NULL);
	if (r < 0)
		return muc_refuse(m, in, ANNEX_ITEM_NOT_FOUND, ANNEX_ERROR_CANCEL, NULL);
	for (size_t i = 0; i < found.count; i++) {
		size_t at = flip ? found.count - 1 - i : i;

		if (line_send(s, in, found.id[at], found.item[at]) < 0)
			return muc_full(m, in);
	}
	fin_send(s, in, &found);
	return ANNEX_DONE;
}

enum annex_verdict
muc_archive_set(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct muc *m = annex_state(inst);
	enum annex_verdict verdict;
	struct search s = { .room = room_of_iq(m, in, &verdict) };
	const char *why = NULL;
	int r;

	if (s.room == NULL)
		return verdict;
	if (!may_ask(s.room, in))
		return ANNEX_DONE;
	s.sees_jids = sees_real_jids(s.room, in->from);
	r = filter_read(&s, in, &why);
	if (r == ANNEX_ENOENT)
		return muc_refuse(m, in, ANNEX_ITEM_NOT_FOUND, ANNEX_ERROR_CANCEL, NULL);
	if (r < 0)
		return muc_refuse(m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, why);
	return search_run(&s, in);
}

/* --- The form, and the ends of the archive (§4.1.5, §7) ------------------------- */

static void
add_end(struct search *s, struct annex_element *metadata, const char *name, bool backwards)
{
	struct annex_key prefix = muc_key(TABLE_LINES, s->room->id);
	struct annex_iter it = backwards ? annex_iter_backwards(&prefix) : annex_iter(&prefix);
	struct annex_pool *pool = annex_scratch(s->room->muc->inst);
	struct annex_element *end;

	if (annex_next(s->room->muc->store, &it) != ANNEX_AGAIN)
		return;
	end = annex_add(metadata, NULL, name);
	annex_attr_set(end, "id", stanza_id(s->room, pool, annex_key_number(&it.key, 1)));
	annex_attr_set(end, "timestamp", annex_datetime(pool, ((Muc__Line *)it.record)->stamp_ms));
}

enum annex_verdict
muc_archive_get(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct muc *m = annex_state(inst);
	enum annex_verdict verdict;
	struct search s = { .room = room_of_iq(m, in, &verdict) };
	struct annex_stanza *out;
	struct annex_element *el;

	if (s.room == NULL)
		return verdict;
	if (!may_ask(s.room, in))
		return ANNEX_DONE;
	out = annex_reply(inst, in);
	el = annex_add(out->element, NS_MAM, in->payload->name);
	if (strcmp(in->payload->name, "metadata") == 0) {
		add_end(&s, el, "start", false);
		add_end(&s, el, "end", true);
	} else {
		annex_form_add(el, &filter_form, "form", NULL);
	}
	muc_answer(m, in, out);
	return ANNEX_DONE;
}
