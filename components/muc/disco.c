/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * disco.c - what the service and its rooms say of themselves (XEP-0045 §6)
 */
#include <string.h>

#include <annex/disco.h>

#include "presence.h"

static const struct annex_identity identities[] = {
	{ "conference", "text", "Chat rooms" },
	{ 0 },
};

static const char *const service_features[] = {
	NS_MUC,
	NS_MUC "#stable_id",
	"http://jabber.org/protocol/rsm",
	"urn:xmpp:channel-search:0:search",
	NS_UNIQUE,
	NS_OCCUPANT,
	NULL,
};

static const char *const room_features[] = {
	NS_MUC,
	NS_MUC "#stable_id",
	NS_MUC "#self-ping-optimization",
	NS_MUC "#request",
	NS_ROOMCONFIG,
	NS_MUC "#roominfo",
	NS_OCCUPANT,
	NS_SID,
	NS_VCARD,
	NS_HATS,
	"http://jabber.org/protocol/commands",
	"urn:xmpp:ping",
	NULL,
};

static const char *const register_features[] = { NS_REGISTER, NS_MUC "#register", NULL };

/* What needs stanza-ids, and so an archive. */
static const char *const archive_features[] = {
	NS_MAM,
	NS_MAM "#extended",
	"urn:xmpp:message-moderate:0",
	"urn:xmpp:message-moderate:1",
	"urn:xmpp:message-retract:0",
	"urn:xmpp:message-retract:1",
	"urn:xmpp:message-retract:1#tombstone",
	NULL,
};

/* Exactly one of each (§15.4). */
static void
add_pairs(const struct room *room, struct annex_disco_info *info)
{
	const struct room_config *c = &room->config;
	const struct pair {
		bool is;
		const char *yes, *no;
	} pairs[] = {
		{ c->listed, "muc_public", "muc_hidden" },
		{ c->persistent, "muc_persistent", "muc_temporary" },
		{ c->members_only, "muc_membersonly", "muc_open" },
		{ c->moderated, "muc_moderated", "muc_unmoderated" },
		{ room_shows_jids(room), "muc_nonanonymous", "muc_semianonymous" },
		{ c->guarded, "muc_passwordprotected", "muc_unsecured" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		annex_disco_feature(info, pairs[i].is ? pairs[i].yes : pairs[i].no);
}

/* --- muc#roominfo (§15.5.4) ---------------------------------------------------- */

struct roominfo {
	const char *desc, *lang, *name, *subject, *pubsub;
	bool subject_mod, change_subject, allow_invites;
	int64_t occupants, max_history;
	const char *allow_pm;
};

#define INFO(member, var, type, label) \
	ANNEX_FIELD(struct roominfo, member, "muc#" var, type, label, )

static const struct annex_field info_fields[] = {
	INFO(desc, "roominfo_description", ANNEX_TEXT_SINGLE, "Description"),
	INFO(lang, "roominfo_lang", ANNEX_TEXT_SINGLE, "Language"),
	INFO(subject, "roominfo_subject", ANNEX_TEXT_SINGLE, "Subject"),
	INFO(subject_mod, "roominfo_subjectmod", ANNEX_BOOLEAN,
	    "Participants may change the subject"),
	INFO(occupants, "roominfo_occupants", ANNEX_TEXT_SINGLE, "Occupants"),
	INFO(max_history, "maxhistoryfetch", ANNEX_TEXT_SINGLE,
	    "Messages that newcomers are shown at most"),
	INFO(name, "roomconfig_roomname", ANNEX_TEXT_SINGLE, "Name"),
	INFO(change_subject, "roomconfig_changesubject", ANNEX_BOOLEAN,
	    "Participants may change the subject"),
	INFO(
	    allow_invites, "roomconfig_allowinvites", ANNEX_BOOLEAN, "Occupants may invite others"),
	INFO(allow_pm, "roomconfig_allowpm", ANNEX_TEXT_SINGLE, "Who may send private messages"),
	INFO(
	    pubsub, "roomconfig_pubsub", ANNEX_TEXT_SINGLE, "Address of an associated pubsub node"),
	{ 0 },
};

static const struct annex_form info_form = { .type = NS_MUC "#roominfo", .fields = info_fields };

static const char *
subject_text(const struct room *room)
{
	struct annex_element *kept = kept_element(annex_scratch(room->muc->inst), room->subject);

	return kept == NULL ? "" : annex_child_text(kept, NULL, "subject");
}

static void
add_field(struct annex_element *x, const char *var, const char *type, const char *label,
    const struct annex_strings *values)
{
	struct annex_element *field = annex_add(x, NULL, "field");

	annex_attr_set(field, "var", var);
	annex_attr_set(field, "type", type);
	annex_attr_set(field, "label", label);
	for (size_t i = 0; i < values->count; i++)
		annex_add_text(field, NULL, "value", values->value[i]);
}

static void
add_one(struct annex_element *x, const char *var, const char *label, const char *value)
{
	const struct annex_strings one = { &value, 1 };

	add_field(x, var, "text-single", label, &one);
}

/* Fields that are left out where there is nothing to say: XEP-0317 §3, XEP-0486 §4.3, XEP-0500
 * §4.2, XEP-0502 §3. */
static void
add_if_any(struct room *room, struct annex_element *x, bool is_open)
{
	const char *hats = hats_hash(room, x->pool);
	double messages;

	if (hats != NULL)
		add_one(x, "hats#hash", "Hats hash", hats);
	if (room->avatar.count > 0)
		add_field(x, "muc#roominfo_avatarhash", "text-multi", "Avatar hash", &room->avatar);
	if (room->config.slow_s > 0)
		add_one(x, "muc#roominfo_slow_mode_duration",
		    "Seconds that everybody waits between two messages",
		    annex_sprintf(x->pool, "%lld", (long long)room->config.slow_s));
	if (is_open && room->config.persistent && usage_per_hour(room, &messages))
		add_one(x, "{urn:xmpp:muc-activity}message-activity", "Messages per hour",
		    annex_sprintf(x->pool, "%.2f", messages));
}

/* What is said inside a closed room stays there. */
static void
add_roominfo(struct room *room, struct annex_disco_info *info, bool is_inside)
{
	const struct room_config *c = &room->config;
	bool is_open = c->listed && !c->members_only && !c->guarded, open = is_inside || is_open;
	const struct roominfo values = {
		.desc = open ? c->desc : "",
		.lang = c->lang,
		.subject = open ? subject_text(room) : "",
		.subject_mod = c->change_subject,
		.occupants = (int64_t)room->occupant_count,
		.max_history = c->max_history,
		.name = c->name,
		.change_subject = c->change_subject,
		.allow_invites = c->allow_invites,
		.allow_pm = c->allow_pm,
		.pubsub = open ? c->pubsub : "",
	};

	add_if_any(
	    room, annex_form_add(annex_disco_query(info), &info_form, "result", &values), is_open);
}

static bool
is_inside(const struct room *room, const struct annex_stanza *in)
{
	return session_find(room, in->from->full) != NULL ||
	    power_of(room, in->from) >= RANK_MEMBER;
}

/* "x-roomuser-item" (§7.12): under which nickname somebody is registered. */
static int
nick_info(const struct room *room, const struct annex_stanza *in, struct annex_disco_info *info)
{
	const Muc__Affiliation *a = affiliation_get(room, in->from->bare);

	if (a != NULL && a->nick[0] != '\0')
		annex_disco_identity(info, "conference", "text", a->nick);
	return ANNEX_OK;
}

static int
node_info(const struct room *room, const struct annex_stanza *in, const char *node,
    struct annex_disco_info *info, struct annex_error *error_r)
{
	if (strcmp(node, "x-roomuser-item") == 0)
		return nick_info(room, in, info);
	if (strcmp(node, NS_MUC "#traffic") != 0)
		return ANNEX_ENOENT;
	/* §16.1.1, of a room that has no such node. */
	error_r->condition = ANNEX_FEATURE_NOT_IMPLEMENTED;
	return ANNEX_EDENIED;
}

static int
room_info(struct room *room, const struct annex_stanza *in, struct annex_disco_info *info)
{
	annex_disco_identity(info, "conference", "text",
	    room->config.name[0] != '\0' ? room->config.name : room->name);
	for (const char *const *f = room_features; *f != NULL; f++)
		annex_disco_feature(info, *f);
	for (const char *const *f = register_features; room->muc->set->registration && *f != NULL;
	     f++)
		annex_disco_feature(info, *f);
	for (const char *const *f = archive_features; room->config.logged && *f != NULL; f++)
		annex_disco_feature(info, *f);
	add_pairs(room, info);
	add_roominfo(room, info, is_inside(room, in));
	return ANNEX_OK;
}

static struct room *
room_of(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct muc *m = annex_state(inst);
	struct room *room = in->to->local == NULL ? NULL : room_find(m, in->to->local);

	return room == NULL || room->gone || (room->locked && !is_inside(room, in)) ? NULL : room;
}

static int
info(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_disco_info *info_r, struct annex_error *error_r)
{
	struct room *room = room_of(inst, in);

	if (room == NULL)
		return ANNEX_ENOENT;
	return node != NULL ? node_info(room, in, node, info_r, error_r)
			    : room_info(room, in, info_r);
}

/* --- Items ------------------------------------------------------------------------ */

static const char *
id_of_item(const void *item)
{
	return ((const struct annex_disco_item *)item)->jid;
}

/* §6.5: an empty list for those who are not to know. */
static void
occupant_items(
    const struct room *room, const struct annex_stanza *in, struct annex_source *source_r)
{
	struct annex_pool *pool = annex_scratch(room->muc->inst);
	struct annex_array *array = annex_new(pool, struct annex_array);
	void **items = annex_new_array(pool, void *, room->occupant_count + 1);
	bool may = room->muc->set->list_occupants || session_find(room, in->from->full) != NULL;

	array->item = items;
	array->id_of = id_of_item;
	if (may)
		OCCUPANTS_EACH(room, o)
		{
			struct annex_disco_item *item = annex_new(pool, struct annex_disco_item);

			if (!occupant_is_shown(o))
				continue;
			item->jid = o->jid;
			items[array->count++] = item;
		}
	*source_r = annex_array_source(array);
}

static int
items(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_source *source_r, struct annex_error *error_r)
{
	struct muc *m = annex_state(inst);
	struct room *room;

	(void)error_r;
	if (in->to->local == NULL) {
		if (node != NULL)
			return ANNEX_ENOENT;
		*source_r = listed_source(m);
		return ANNEX_OK;
	}
	if (node != NULL || (room = room_of(inst, in)) == NULL)
		return ANNEX_ENOENT;
	occupant_items(room, in, source_r);
	return ANNEX_OK;
}

const struct annex_disco muc_disco = {
	.identities = identities,
	.features = service_features,
	.info = info,
	.items = items,
};
