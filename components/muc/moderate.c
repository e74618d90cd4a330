/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * moderate.c - taking back what was said: by who said it (XEP-0424), or by a
 * moderator (XEP-0425)
 *
 * A message is named by its stanza-id, so only what is archived can be taken
 * back.  Its row stays, as a tombstone without what it said; the retraction is
 * a message of its own in the archive, so that who was away learns of it.
 * Clients speak two versions of both: an IQ of either does the same, and
 * everybody is told in both.
 */
#include <string.h>

#include "archive.h"

#define NS_MODERATE_0 "urn:xmpp:message-moderate:0"
#define NS_MODERATE "urn:xmpp:message-moderate:1"
#define NS_RETRACT_0 "urn:xmpp:message-retract:0"
#define NS_RETRACT "urn:xmpp:message-retract:1"
#define NS_FASTEN "urn:xmpp:fasten:0"

/* Who takes back which message, and why. */
struct retraction {
	struct room *room;
	uint64_t number;
	const char *line_id; /* stanza-id of the message */
	const char *id;      /* of the stanza that takes it back */
	const char *by;      /* JID of the moderator; NULL: who said it */
	const char *by_id;   /* their occupant-id, where they are in the room */
	const char *reason;
};

/* --- The tombstone (XEP-0424 §5, XEP-0425 §4) ------------------------------- */

static void
add_moderated(struct annex_element *to, const char *ns, const struct retraction *r)
{
	struct annex_element *el = annex_add(to, ns, "moderated");

	annex_attr_set(el, "by", r->by);
	if (r->by_id != NULL)
		annex_attr_set(annex_add(el, NS_OCCUPANT, "occupant-id"), "id", r->by_id);
}

static void
add_retracted(struct annex_element *message, const struct retraction *r)
{
	struct annex_pool *pool = message->pool;
	const char *stamp = annex_datetime(pool, annex_wall_ms(r->room->muc->inst));
	struct annex_element *el = annex_add(message, NS_RETRACT, "retracted");

	annex_attr_set(el, "id", r->id);
	annex_attr_set(el, "stamp", stamp);
	if (r->by == NULL)
		return;
	add_moderated(el, NS_MODERATE, r);
	annex_add_text(el, NULL, "reason", r->reason);
	add_moderated(message, NS_MODERATE_0, r);
	el = message->last;
	annex_attr_set(annex_add(el, NS_RETRACT_0, "retracted"), "stamp", stamp);
	annex_add_text(el, NULL, "reason", r->reason);
}

/* What says who and which it was stays; all that could say what goes. */
static bool
is_left(const struct annex_element *el)
{
	return annex_is(el, NS_OCCUPANT, "occupant-id") || annex_is(el, NS_SID, "stanza-id");
}

static int
bury(const struct retraction *r, const Muc__Line *line)
{
	struct annex_pool *pool = annex_scratch(r->room->muc->inst);
	struct annex_key key = muc_key(TABLE_LINES, r->room->id);
	struct annex_element *el = kept_element(pool, line->xml);
	Muc__Line record = *line;
	size_t len;
	int status;

	if (el == NULL)
		return ANNEX_EINVAL;
	ANNEX_CHILDREN (el, child)
		if (!is_left(child))
			annex_element_remove(child);
	add_retracted(el, r);
	record.xml = record_text(annex_element_write(el, pool, &len));
	record.retracted = true;
	status = annex_put(r->room->muc->store, annex_key_u64(&key, r->number), &record.base);
	if (status < 0)
		return status;
	annex_count(r->room->muc->retracted, 1);
	return muc_must(
	    r->room->muc, usage_bytes(r->room, (int64_t)len - (int64_t)strlen(line->xml)));
}

/* --- By who said it ----------------------------------------------------------- */

static const struct annex_element *
retract_of(const struct annex_element *message)
{
	const struct annex_element *el = annex_child(message, NS_RETRACT, "retract");
	const struct annex_element *fastened = annex_child(message, NS_FASTEN, "apply-to");

	if (el != NULL)
		return el;
	return fastened != NULL && annex_child(fastened, NS_RETRACT_0, "retract") != NULL ? fastened
											  : NULL;
}

bool
is_retraction(const struct annex_element *message)
{
	return retract_of(message) != NULL;
}

/* Only a room says that somebody was moderated (XEP-0425 §5). */
static bool
is_forged(const struct annex_element *retract)
{
	return annex_child(retract, NS_MODERATE, "moderated") != NULL ||
	    annex_child(retract, NS_MODERATE_0, "moderated") != NULL;
}

enum annex_condition
retract_judge(const struct occupant *by, const struct annex_element *message, uint64_t *number_r)
{
	const struct annex_element *el = retract_of(message);
	struct annex_pool *pool = annex_scratch(by->room->muc->inst);
	const struct annex_jid *author;
	const char *line_id;
	const Muc__Line *line;
	uint64_t number;

	*number_r = 0;
	if (el == NULL)
		return 0;
	if ((line_id = annex_attr(el, "id")) == NULL || is_forged(el))
		return ANNEX_BAD_REQUEST;
	number = stanza_id_read(by->room, line_id);
	if ((line = archive_line(by->room, number)) == NULL || line->retracted)
		return 0; /* of what is not kept others may know still */
	author = annex_jid(pool, line->jid);
	if (author == NULL || strcmp(author->bare, by->bare) != 0)
		return ANNEX_FORBIDDEN;
	*number_r = number;
	return 0;
}

int
retract_own(struct room *room, const struct annex_element *message, uint64_t number)
{
	const struct retraction r = {
		.room = room, .number = number, .id = annex_attr(message, "id")
	};
	const Muc__Line *line = archive_line(room, number);

	return line == NULL ? ANNEX_OK : bury(&r, line);
}

/* --- By a moderator ------------------------------------------------------------- */

static struct annex_stanza *
moderation_build(const struct retraction *r)
{
	struct annex_instance *inst = r->room->muc->inst;
	struct annex_stanza *out = annex_message(inst, r->room->jid, NULL, "groupchat");
	struct annex_element *el = annex_add(out->element, NS_RETRACT, "retract");

	annex_attr_set(out->element, "id", r->id);
	annex_attr_set(el, "id", r->line_id);
	add_moderated(el, NS_MODERATE, r);
	annex_add_text(el, NULL, "reason", r->reason);
	el = annex_add(out->element, NS_FASTEN, "apply-to");
	annex_attr_set(el, "id", r->line_id);
	add_moderated(el, NS_MODERATE_0, r);
	annex_add(el->last, NS_RETRACT_0, "retract");
	annex_add_text(el->last, NULL, "reason", r->reason);
	return out;
}

static bool
may_moderate(const struct room *room, const struct session *s, const struct annex_stanza *in)
{
	return (s != NULL && s->occupant->role == ROLE_MODERATOR) ||
	    power_of(room, in->from) >= RANK_ADMIN;
}

/* What can be moderated is what somebody said; not a subject, nor a retraction. */
static bool
is_message(const Muc__Line *line, struct annex_pool *pool)
{
	const struct annex_element *el = kept_element(pool, line->xml);

	return el != NULL && !is_subject_change(el) && !is_retraction(el);
}

static enum annex_verdict
moderate(struct retraction *r, const struct session *s, const struct annex_stanza *in)
{
	struct muc *m = r->room->muc;
	const Muc__Line *line;
	struct annex_stanza *out;

	if (!may_moderate(r->room, s, in))
		return muc_refuse(
		    m, in, ANNEX_FORBIDDEN, ANNEX_ERROR_AUTH, "That is for moderators.");
	r->number = r->line_id == NULL ? 0 : stanza_id_read(r->room, r->line_id);
	if ((line = archive_line(r->room, r->number)) == NULL || line->retracted)
		return muc_refuse(
		    m, in, ANNEX_ITEM_NOT_FOUND, ANNEX_ERROR_CANCEL, "There is no such message.");
	if (!is_message(line, in->pool))
		return muc_refuse(m, in, ANNEX_NOT_ALLOWED, ANNEX_ERROR_CANCEL, NULL);
	r->id = annex_random_id(m->inst);
	r->by = s != NULL ? s->occupant->jid : r->room->jid;
	r->by_id = s != NULL ? occupant_id(r->room, in->pool, s->occupant->bare) : NULL;
	out = moderation_build(r);
	if (archive_add_own(r->room, out->element) < 0)
		return muc_full(m, in);
	if (muc_must(m, bury(r, line)) < 0)
		return ANNEX_DONE;
	room_say(r->room, out);
	return muc_confirm(m, in);
}

/* <moderate id='…'><retract/></moderate>, or <apply-to id='…'><moderate><retract/></moderate></apply-to>. */
enum annex_verdict
muc_moderate(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct muc *m = annex_state(inst);
	bool is_old = annex_is(in->payload, NS_FASTEN, "apply-to");
	const struct annex_element *el =
	    is_old ? annex_child(in->payload, NS_MODERATE_0, "moderate") : in->payload;
	enum annex_verdict verdict;
	struct retraction r = { .room = room_of_iq(m, in, &verdict) };

	if (r.room == NULL)
		return verdict;
	if (el == NULL || annex_child(el, is_old ? NS_RETRACT_0 : NS_RETRACT, "retract") == NULL ||
	    (r.line_id = annex_attr(in->payload, "id")) == NULL)
		return muc_refuse(m, in, ANNEX_BAD_REQUEST, ANNEX_ERROR_MODIFY, NULL);
	r.reason = annex_child_text(el, NULL, "reason");
	if (!reason_fits(el))
		return muc_refuse(
		    m, in, ANNEX_POLICY_VIOLATION, ANNEX_ERROR_MODIFY, "The reason is too long.");
	return moderate(&r, session_find(r.room, in->from->full), in);
}
