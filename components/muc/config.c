/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * config.c - what a room's owners may set: all 21 registered fields of
 * muc#roomconfig (XEP-0045 §15.5.3), as one table
 *
 * The form, what is kept in the store and the presets of the service all
 * read it.  Owners and admins are in the form, but the affiliations keep them.
 */
#include <stdlib.h>
#include <string.h>

#include "muc.h"

static const struct annex_choice roles[] = {
	{ "moderator", "Moderators" },
	{ "participant", "Participants" },
	{ "visitor", "Visitors" },
	{ 0 },
};

static const struct annex_choice who_pm[] = {
	{ "anyone", "Anyone" },
	{ "participants", "Participants" },
	{ "moderators", "Moderators" },
	{ "none", "Nobody" },
	{ 0 },
};

static const struct annex_choice who_sees[] = {
	{ "moderators", "Moderators" },
	{ "anyone", "Anyone" },
	{ 0 },
};

static const struct annex_choice numbers[] = {
	{ "10", "10" },
	{ "20", "20" },
	{ "30", "30" },
	{ "50", "50" },
	{ "100", "100" },
	{ "none", "No more than the service allows" },
	{ 0 },
};

#define FIELD(member, var, type, label, ...) \
	ANNEX_FIELD(struct room_config, member, "muc#" var, type, label, __VA_ARGS__)

const struct annex_field config_fields[] = {
	FIELD(name, "roomconfig_roomname", ANNEX_TEXT_SINGLE, "Name", .max = 200),
	FIELD(desc, "roomconfig_roomdesc", ANNEX_TEXT_SINGLE, "Description", .max = 1000),
	FIELD(lang, "roomconfig_lang", ANNEX_TEXT_SINGLE, "Language", .max = 35,
	    .datatype = "xs:language"),
	FIELD(persistent, "roomconfig_persistentroom", ANNEX_BOOLEAN,
	    "Stays when everybody has left"),
	FIELD(listed, "roomconfig_publicroom", ANNEX_BOOLEAN, "Listed for everybody"),
	FIELD(members_only, "roomconfig_membersonly", ANNEX_BOOLEAN, "For members only"),
	FIELD(moderated, "roomconfig_moderatedroom", ANNEX_BOOLEAN,
	    "Moderated: newcomers have no voice"),
	FIELD(guarded, "roomconfig_passwordprotectedroom", ANNEX_BOOLEAN,
	    "A password is needed to enter"),
	FIELD(secret, "roomconfig_roomsecret", ANNEX_TEXT_PRIVATE, "Password", .max = 200),
	FIELD(whois, "roomconfig_whois", ANNEX_LIST_SINGLE, "Who sees real addresses",
	    .choices = who_sees),
	FIELD(max_users, "roomconfig_maxusers", ANNEX_LIST_SINGLE, "Most occupants",
	    .choices = numbers, .open = true, .datatype = "xs:string"),
	FIELD(allow_pm, "roomconfig_allowpm", ANNEX_LIST_SINGLE, "Who may send private messages",
	    .choices = who_pm),
	FIELD(
	    allow_invites, "roomconfig_allowinvites", ANNEX_BOOLEAN, "Occupants may invite others"),
	FIELD(change_subject, "roomconfig_changesubject", ANNEX_BOOLEAN,
	    "Participants may change the subject"),
	FIELD(logged, "roomconfig_enablelogging", ANNEX_BOOLEAN, "Keep an archive of what is said"),
	FIELD(member_list, "roomconfig_getmemberlist", ANNEX_LIST_MULTI,
	    "Who may read the list of members", .choices = roles),
	FIELD(broadcast, "roomconfig_presencebroadcast", ANNEX_LIST_MULTI,
	    "Whose presence is shown", .choices = roles),
	FIELD(pubsub, "roomconfig_pubsub", ANNEX_TEXT_SINGLE,
	    "Address of an associated pubsub node", .max = 1000),
	FIELD(max_history, "maxhistoryfetch", ANNEX_TEXT_SINGLE,
	    "Messages that newcomers are shown at most", .min = 0, .max = 1000,
	    .datatype = "xs:integer"),
	FIELD(slow_s, "roomconfig_slow_mode_duration", ANNEX_TEXT_SINGLE,
	    "Seconds that everybody waits between two messages", .min = 0, .max = 86400,
	    .datatype = "xs:integer"),
	/* Not registered: less than the service keeps (retain.c), or 0. */
	ANNEX_FIELD(struct room_config, archive_days, "x-annex_archivedays", ANNEX_TEXT_SINGLE,
	    "Days that the archive is kept", .min = 0, .max = 36500, .datatype = "xs:integer"),
	ANNEX_FIELD(struct room_config, archive_messages, "x-annex_archivemessages",
	    ANNEX_TEXT_SINGLE, "Messages kept in the archive", .min = 0, .max = 1000000000,
	    .datatype = "xs:integer"),
	ANNEX_FIELD(struct room_config, archive_bytes, "x-annex_archivebytes", ANNEX_TEXT_SINGLE,
	    "Bytes kept in the archive", .min = 0, .max = INT64_C(1) << 50,
	    .datatype = "xs:integer"),
	/* Nor these: what visitors may, and whether one may ask another's client. */
	ANNEX_FIELD(struct room_config, visitor_nick, "x-annex_visitornick", ANNEX_BOOLEAN,
	    "Visitors may change their nickname", ),
	ANNEX_FIELD(struct room_config, visitor_status, "x-annex_visitorstatus", ANNEX_BOOLEAN,
	    "Visitors may say in their presence what they like", ),
	ANNEX_FIELD(struct room_config, voice_requests, "x-annex_voicerequests", ANNEX_BOOLEAN,
	    "Visitors may ask for a voice", ),
	ANNEX_FIELD(struct room_config, queries, "x-annex_queries", ANNEX_BOOLEAN,
	    "Occupants may ask each other's clients", ),
	ANNEX_FIELD(struct room_config, shows_absent, "x-annex_showabsent", ANNEX_BOOLEAN,
	    "Members with a nickname are shown when they are away", ),
	FIELD(admins, "roomconfig_roomadmins", ANNEX_JID_MULTI, "Admins", .most = 1000),
	FIELD(owners, "roomconfig_roomowners", ANNEX_JID_MULTI, "Owners", .most = 1000),
	{ 0 },
};

const struct annex_form config_form = {
	.type = NS_ROOMCONFIG,
	.title = "Configuration of the room",
	.fields = config_fields,
};

void
config_preset(const struct muc *m, struct room_config *config)
{
	*config = *m->fresh;
}

/* --- Field by field --------------------------------------------------------- */

static bool
is_kept(const struct annex_field *f)
{
	return f->type != ANNEX_JID_MULTI;
}

bool
config_differs(const struct room_config *a, const struct room_config *b)
{
	for (const struct annex_field *f = config_fields; f->var != NULL; f++) {
		if (!is_kept(f) || f->offset == offsetof(struct room_config, whois) ||
		    f->offset == offsetof(struct room_config, logged) ||
		    f->offset == offsetof(struct room_config, shows_absent))
			continue;
		if (!annex_field_equal(f, a, b))
			return true;
	}
	return false;
}

/* --- As rows of a record --------------------------------------------------- */

static void
setting_pack(
    Muc__Setting *s, const struct annex_field *f, const void *config, struct annex_pool *pool)
{
	const struct annex_strings texts = annex_field_texts(f, config, pool);

	muc__setting__init(s);
	s->var = record_text(f->var);
	s->n_value = texts.count;
	s->value = (char **)(uintptr_t)texts.value;
}

void
config_pack(const struct room_config *config, Muc__Room *record, struct annex_pool *pool)
{
	Muc__Setting *settings;
	size_t n = 0;

	for (const struct annex_field *f = config_fields; f->var != NULL; f++)
		n++;
	settings = annex_new_array(pool, Muc__Setting, n);
	record->setting = annex_new_array(pool, Muc__Setting *, n);
	record->n_setting = 0;
	for (const struct annex_field *f = config_fields; f->var != NULL; f++) {
		if (!is_kept(f))
			continue;
		setting_pack(&settings[record->n_setting], f, config, pool);
		record->setting[record->n_setting] = &settings[record->n_setting];
		record->n_setting++;
	}
}

/* A field the record does not know keeps what config has: that of the service. */
void
config_unpack(struct room_config *config, const Muc__Room *record, struct annex_pool *pool)
{
	for (const struct annex_field *f = config_fields; f->var != NULL; f++)
		for (size_t i = 0; i < record->n_setting; i++)
			if (is_kept(f) && strcmp(record->setting[i]->var, f->var) == 0)
				annex_field_set(f, config,
				    (const char *const *)record->setting[i]->value,
				    record->setting[i]->n_value, pool);
}
