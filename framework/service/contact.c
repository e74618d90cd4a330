/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * contact.c - rows of contacts, and what a component may ask of them
 *
 * A row is all that is known of a contact for good: both directions of the
 * subscription, its groups, and what it was shown last.  It goes when nothing
 * is left of it: not subscribed, not asked, no tombstone, no groups.
 */
#include <string.h>

#include <annex/flow.h>

#include "base/check.h"
#include "contact.h"

static struct annex_key
key_of(const char *me, const char *jid)
{
	struct annex_key key = annex_key(&contact_table);

	annex_key_text(&key, me);
	if (jid != NULL)
		annex_key_text(&key, jid);
	return key;
}

int
contact_load(struct annex_instance *inst, const char *me, const char *jid, contact_row **row_r)
{
	struct annex_key key = key_of(me, jid);
	ProtobufCMessage *record;
	int r = annex_get(inst->store, &key, &record);

	if (r == ANNEX_OK) {
		*row_r = (contact_row *)record;
		return ANNEX_OK;
	}
	*row_r = annex_new(inst->scratch, contact_row);
	annex__service__contact__init(*row_r);
	(*row_r)->me = annex_strdup(inst->scratch, me);
	(*row_r)->jid = annex_strdup(inst->scratch, jid);
	return r;
}

/* What was said last may have to be said again. */
static bool
is_blank(struct annex_instance *inst, const contact_row *row)
{
	return batch_is_routed(inst, row->batch) && row->out == ANNEX_SUBSCRIBED_NOT &&
	    row->in == ANNEX_SUBSCRIBED_NOT && !row->approved &&
	    row->gone_until_ms <= annex_wall_ms(inst) && row->n_group == 0;
}

int
contact_put(struct annex_instance *inst, const contact_row *row)
{
	struct annex_key key = key_of(row->me, row->jid);

	if (is_blank(inst, row))
		return annex_delete(inst->store, &key);
	return annex_put(inst->store, &key, &row->base);
}

int
contact_tidy(struct annex_instance *inst, const contact_row *row)
{
	struct annex_key key = key_of(row->me, row->jid);

	return is_blank(inst, row) ? annex_delete(inst->store, &key) : ANNEX_OK;
}

void
contact_put_soft(struct annex_instance *inst, const contact_row *row)
{
	struct annex_key key = key_of(row->me, row->jid);
	int r = annex_put_soft(inst->store, &key, &row->base);

	(void)r; /* nobody misses it */
}

int
contact_must(struct annex_instance *inst, int status)
{
	if (status < 0 && status != ANNEX_ENOENT)
		instance_fail(inst, "a change of a contact could not be written whole");
	return status;
}

void
contact_tell(struct annex_instance *inst, const contact_row *row, enum annex_contact_event event)
{
	const struct annex_contacts *ops = inst->module->contacts;

	if (ops != NULL && ops->changed != NULL && !inst->failed && row->me[0] != '\0')
		ops->changed(inst, row->me, row->jid, event);
}

const char *
contact_key(struct annex_instance *inst, const char *me, const char *jid, size_t *len_r)
{
	size_t first = strlen(me) + 1, second = strlen(jid);
	char *key = annex_pool_alloc(inst->scratch, first + second + 1);

	memcpy(key, me, first);
	memcpy(key + first, jid, second + 1);
	*len_r = first + second;
	return key;
}

void
contact_will_say(struct annex_instance *inst, contact_row *row, uint32_t said)
{
	row->said = batch_is_routed(inst, row->batch) ? said : row->said | said;
	row->batch = batch_use(inst);
}

void
contact_say(struct annex_instance *inst, const contact_row *row, const char *type, const char *text)
{
	struct annex_stanza *out = annex_presence(inst, row->me, row->jid, type);

	if (text != NULL && text[0] != '\0')
		annex_add_text(out->element, NULL, "status", text);
	annex_send_on(inst, contacts_flow(inst), out);
}

/* --- What a component may ask -------------------------------------------- */

static const char *
text_or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static void
contact_read(struct annex_instance *inst, const contact_row *row, struct annex_contact *contact_r)
{
	const char **groups = annex_new_array(inst->scratch, const char *, row->n_group + 1);

	for (size_t i = 0; i < row->n_group; i++)
		groups[i] = row->group[i];
	*contact_r = (struct annex_contact) {
		.me = row->me,
		.jid = row->jid,
		.out = (enum annex_subscription)row->out,
		.in = (enum annex_subscription)row->in,
		.approved = row->approved,
		.stale = contact_is_stale(row),
		.preauth = text_or_null(row->preauth),
		.text = text_or_null(row->text),
		.asked_ms = row->asked_ms,
		.heard_ms = row->heard_ms,
		.groups = groups,
	};
}

int
annex_contact_get(
    struct annex_instance *inst, const char *me, const char *jid, struct annex_contact *contact_r)
{
	contact_row *row;
	int r;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	if ((r = contact_load(inst, me, jid, &row)) < 0)
		return r;
	contact_read(inst, row, contact_r);
	return ANNEX_OK;
}

struct annex_contact_cursor {
	struct annex_iter it;
};

int
annex_contact_next(struct annex_instance *inst, const char *me,
    struct annex_contact_cursor **cursor, struct annex_contact *contact_r)
{
	int r;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	if (*cursor == NULL) {
		struct annex_key prefix = annex_key(&contact_table);

		if (me != NULL)
			annex_key_text(&prefix, me);
		*cursor = annex_new(inst->scratch, struct annex_contact_cursor);
		(*cursor)->it = annex_iter(&prefix);
	}
	if ((r = annex_next(inst->store, &(*cursor)->it)) == ANNEX_AGAIN)
		contact_read(inst, (contact_row *)(*cursor)->it.record, contact_r);
	return r;
}

#define GROUPS_MAX 16

int
annex_contact_set_groups(
    struct annex_instance *inst, const char *me, const char *jid, const char *const *groups)
{
	contact_row *row;
	size_t n = 0;
	int r;

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	while (groups != NULL && groups[n] != NULL)
		n++;
	if (n > GROUPS_MAX)
		return ANNEX_EINVAL;
	if ((r = contact_load(inst, me, jid, &row)) < 0)
		return r;
	row->n_group = n;
	row->group = annex_new_array(inst->scratch, char *, n + 1);
	for (size_t i = 0; i < n; i++)
		row->group[i] = annex_strdup(inst->scratch, groups[i]);
	if ((r = contact_put(inst, row)) < 0)
		return r;
	return contact_must(inst, show_changes(inst, row, false, NULL));
}
