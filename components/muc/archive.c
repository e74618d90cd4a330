/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * archive.c - what was said, kept (XEP-0313); query.c looks it up
 *
 * A line's number is its place in the room's archive.  The stanza-id is the
 * number in disguise (ident.c); what is not kept gets none.  Private messages
 * and what was refused are not in it.
 */
#include <string.h>

#include "archive.h"
#include "routed.h"

#define NS_HINTS "urn:xmpp:hints"

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
	line->nick = record_text(nick);
	line->jid = record_text(full);
	line->stamp_ms = annex_wall_ms(room->muc->inst);
	line->history = is_retraction(out) ||
	    (annex_child(out, ANNEX_NS_STANZA, "body") != NULL && !is_subject_change(out));
}

/* What is added: addresses, a stanza-id, what the archive puts around it. */
#define ADDED_BYTES ((size_t)8 << 10)

/* Whether it may be sent to everybody, whatever their addresses; text NULL: no. */
static bool
can_be_said(const struct room *room, const char *text, size_t len)
{
	return text != NULL && len + ADDED_BYTES <= annex_send_max(room->muc->inst);
}

/* What is in no archive; where there is none memory has a history, as long as the process lives. */
static int
keep_in_memory(struct room *room, Muc__Line *line, const struct annex_element *out)
{
	size_t len = 0;
	const char *xml = annex_element_write(out, annex_scratch(room->muc->inst), &len);
	int r;

	if (!can_be_said(room, xml, len))
		return ANNEX_EINVAL;
	if (message_matters(out) && (r = room_said_unkept(room)) < 0)
		return r;
	line->xml = record_text(xml);
	if (line->history && !room->config.logged && is_worth_keeping(out))
		recent_add(room, line);
	return usage_say(room, out, 0);
}

static int
keep(struct room *room, const char *nick, const char *full, struct annex_element *out)
{
	struct annex_pool *pool = annex_scratch(room->muc->inst);
	struct annex_key key = muc_key(TABLE_LINES, room->id);
	Muc__Line line = MUC__LINE__INIT;
	struct annex_element *sid;
	const char *xml;
	uint64_t number;
	size_t len;
	int r;

	line_write(room, &line, nick, full, out);
	if (!room->config.logged || !is_worth_keeping(out))
		return keep_in_memory(room, &line, out);
	if ((r = annex_sequence_last(room->muc->store, &key, &number)) < 0)
		return r;
	number++; /* taken once it is sure: a number without a line is a line that somebody missed */
	sid = annex_add(out, NS_SID, "stanza-id");
	annex_attr_set(sid, "by", room->jid);
	annex_attr_set(sid, "id", stanza_id(room, pool, number));
	xml = annex_element_write(out, pool, &len);
	if (!can_be_said(room, xml, len))
		return ANNEX_EINVAL;
	line.xml = record_text(xml);
	if ((r = annex_sequence(room->muc->store, &key, &number)) < 0 ||
	    (r = annex_put(room->muc->store, annex_key_u64(&key, number), &line.base)) < 0)
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
