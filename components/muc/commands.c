/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * commands.c - what operators may do, as ad-hoc commands (XEP-0050) and with
 * annexctl
 *
 * They act as owners do, through the same changes: everybody sees what
 * they would see of an owner's.
 */
#include <string.h>

#include "change.h"
#include "commands.h"
#include "hats.h"

static const struct annex_choice affiliations[] = {
	{ "owner", "Owner" },
	{ "admin", "Admin" },
	{ "member", "Member" },
	{ "none", "None" },
	{ "outcast", "Outcast" },
	{ 0 },
};

#define ROOM         \
	ANNEX_FIELD( \
	    struct command_values, room, "room", ANNEX_TEXT_SINGLE, "Room", .required = true)
#define REASON                                                                            \
	ANNEX_FIELD(struct command_values, reason, "reason", ANNEX_TEXT_SINGLE, "Reason", \
	    .max = REASON_MAX)
#define JID          \
	ANNEX_FIELD( \
	    struct command_values, jid, "jid", ANNEX_JID_SINGLE, "Address", .required = true)

#define AFTER \
	ANNEX_FIELD(struct command_values, after, "after", ANNEX_TEXT_SINGLE, "Where to go on")
#define LIST_MAX 500 /* rows */

static const struct annex_field list_fields[] = { AFTER, { 0 } };
static const struct annex_field room_fields[] = { ROOM, { 0 } };
static const struct annex_field occupants_fields[] = { ROOM, AFTER, { 0 } };
static const struct annex_field destroy_fields[] = { ROOM, REASON, { 0 } };
static const struct annex_field kick_fields[] = { ROOM,
	ANNEX_FIELD(
	    struct command_values, nick, "nick", ANNEX_TEXT_SINGLE, "Nickname", .required = true),
	REASON, { 0 } };
static const struct annex_field ban_fields[] = { ROOM, JID, REASON, { 0 } };
static const struct annex_field affiliation_fields[] = { ROOM, JID,
	ANNEX_FIELD(struct command_values, affiliation, "affiliation", ANNEX_LIST_SINGLE,
	    "Affiliation", .choices = affiliations, .required = true),
	REASON, { 0 } };

static const struct annex_field announce_fields[] = {
	ANNEX_FIELD(
	    struct command_values, text, "text", ANNEX_TEXT_SINGLE, "Text", .required = true),
	ANNEX_FIELD(struct command_values, room, "room", ANNEX_TEXT_SINGLE, "Room, or all of them"),
	{ 0 },
};
static const struct annex_field configure_fields[] = { ROOM,
	ANNEX_FIELD(
	    struct command_values, field, "field", ANNEX_TEXT_SINGLE, "Field", .required = true),
	ANNEX_FIELD(struct command_values, value, "value", ANNEX_TEXT_MULTI, "Value"), { 0 } };
static const struct annex_field export_fields[] = { JID, AFTER, { 0 } };
static const struct annex_field erase_fields[] = { JID, { 0 } };

static const struct annex_form occupants_form = { .title = "Occupants",
	.fields = occupants_fields };
static const struct annex_form list_form = { .title = "Rooms", .fields = list_fields };
static const struct annex_form room_form = { .title = "Room", .fields = room_fields };
static const struct annex_form destroy_form = { .title = "Destroy", .fields = destroy_fields };
static const struct annex_form kick_form = { .title = "Kick", .fields = kick_fields };
static const struct annex_form ban_form = { .title = "Ban", .fields = ban_fields };
static const struct annex_form announce_form = { .title = "Announce", .fields = announce_fields };
static const struct annex_form configure_form = { .title = "Configure",
	.fields = configure_fields };
static const struct annex_form export_form = { .title = "Export", .fields = export_fields };
static const struct annex_form erase_form = { .title = "Erase", .fields = erase_fields };
static const struct annex_form affiliation_form = { .title = "Affiliation",
	.fields = affiliation_fields };

struct room *
command_room(struct annex_instance *inst, struct annex_run *run, const struct command_values *v)
{
	const char *name = v->room == NULL ? NULL : annex_prep_local(annex_scratch(inst), v->room);
	struct room *room = name == NULL ? NULL : room_find(annex_state(inst), name);

	if (room != NULL && !room->gone)
		return room;
	annex_run_fail(run, ANNEX_ITEM_NOT_FOUND, "There is no such room.");
	return NULL;
}

/* Of a room that is neither in memory nor in the index of listed ones. */
static size_t
count_nicks(struct muc *m, const char *room_id)
{
	struct annex_key prefix = muc_key(TABLE_SESSIONS, room_id);
	struct annex_iter it = annex_iter(&prefix);
	struct annex_map *nicks = annex_map_create(annex_scratch(m->inst));

	while (annex_next(m->store, &it) == ANNEX_AGAIN)
		annex_map_set_str(nicks, ((const Muc__Session *)it.record)->nick, m);
	return annex_map_count(nicks);
}

/* No room is loaded for that. */
static size_t
count_occupants(struct muc *m, const Muc__Room *record)
{
	const struct room *room = annex_map_get_str(m->rooms, record->name);
	const Muc__Listed *listed;

	if (room != NULL)
		return room->occupant_count;
	if ((listed = listed_get(m, record->name)) != NULL)
		return listed->occupants;
	return count_nicks(m, record->id);
}

static void
list_row(struct muc *m, struct annex_run *run, const Muc__Room *record)
{
	struct annex_pool *pool = annex_scratch(m->inst);
	struct room_config config = { .name = "" };
	const char *row[] = { record->name, "",
		annex_sprintf(pool, "%zu", count_occupants(m, record)), NULL };

	config_unpack(&config, record, pool);
	row[1] = config.name;
	annex_run_row(run, row);
}

static int
run_list(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	static const char *const columns[] = { "room", "name", "occupants", NULL };
	static const char *const labels[] = { "Room", "Name", "Occupants", NULL };
	const struct command_values *v = values;
	struct muc *m = annex_state(inst);
	struct annex_key prefix = annex_key(&muc_tables[TABLE_ROOMS]), from = prefix;
	struct annex_iter it = annex_iter(&prefix);
	const char *after = v->after == NULL ? "" : v->after;
	size_t n = 0;

	(void)stage;
	annex_run_columns(run, columns, labels);
	if (after[0] != '\0')
		it = annex_iter_from(&prefix, annex_key_text(&from, after));
	while (annex_next(m->store, &it) == ANNEX_AGAIN) {
		const Muc__Room *record = (const Muc__Room *)it.record;

		if (record->gone || strcmp(record->name, after) == 0)
			continue;
		if (n++ == LIST_MAX || annex_run_bytes(run) > annex_send_max(inst) / 2) {
			annex_run_say(run, "There is more: after=%s", after);
			break;
		}
		list_row(m, run, record);
		after = record->name;
	}
	return ANNEX_OK;
}

/* One for each client. */
static void
occupant_rows(struct annex_run *run, const struct occupant *o)
{
	SESSIONS_EACH(o, s)
	{
		annex_run_row(run,
		    (const char *[]) {
			o->nick, s->jid, role_name(o->role), rank_name(o->rank), NULL });
	}
}

static int
run_occupants(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	static const char *const columns[] = { "nick", "jid", "role", "affiliation", NULL };
	static const char *const labels[] = { "Nickname", "Address", "Role", "Affiliation", NULL };
	const struct command_values *v = values;
	struct room *room = command_room(inst, run, v);
	const char *after = v->after == NULL ? "" : v->after;
	bool begun = after[0] == '\0';
	size_t n = 0;

	(void)stage;
	if (room == NULL)
		return ANNEX_ENOENT;
	annex_run_columns(run, columns, labels);
	OCCUPANTS_EACH(room, o)
	{
		if (n >= LIST_MAX || annex_run_bytes(run) > annex_send_max(inst) / 2) {
			annex_run_say(run, "There is more: after=%s", after);
			return ANNEX_OK;
		}
		if (begun) {
			occupant_rows(run, o);
			n += occupant_sessions(o);
		}
		begun |= strcmp(o->nick, after) == 0;
		after = n > 0 ? o->nick : after;
	}
	if (begun)
		return ANNEX_OK;
	annex_run_fail(run, ANNEX_ITEM_NOT_FOUND, "Nobody of that name is in the room.");
	return ANNEX_ENOENT;
}

static int
run_show(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	struct room *room = command_room(inst, run, values);

	(void)stage;
	if (room == NULL)
		return ANNEX_ENOENT;
	annex_run_say(run, "%s \"%s\", made by %s: %zu occupants, %s, %s, %s, %s", room->jid,
	    room->config.name, room->creator, room->occupant_count,
	    room->config.listed ? "public" : "hidden",
	    room->config.persistent ? "persistent" : "temporary",
	    room->config.members_only ? "for members" : "open",
	    room->locked              ? "locked"
		: room->config.logged ? "archived"
				      : "not archived");
	return ANNEX_OK;
}

static int
make_change(struct room *room, struct annex_run *run, struct change *c)
{
	enum annex_condition wrong = change_judge(room, RANK_OWNER, ROLE_MODERATOR, "", c);

	if (wrong == 0 && !changes_leave_owner(room, c, 1))
		wrong = ANNEX_CONFLICT;
	if (wrong != 0) {
		annex_run_fail(run, wrong, "%s", annex_condition_name(wrong));
		return ANNEX_EDENIED;
	}
	if (change_put(room, c) < 0) {
		annex_run_fail(run, ANNEX_RESOURCE_CONSTRAINT, "There is no room for it now.");
		return ANNEX_EFULL;
	}
	change_tell_who_goes(room, c, NULL);
	change_tell(room, c, NULL);
	room_settle(room);
	return ANNEX_OK;
}

static int
run_kick(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct command_values *v = values;
	struct room *room = command_room(inst, run, v);
	struct occupant *o;
	struct change c;

	(void)stage;
	if (room == NULL)
		return ANNEX_ENOENT;
	if ((o = occupant_find(room, v->nick)) == NULL) {
		annex_run_fail(run, ANNEX_ITEM_NOT_FOUND, "Nobody of that name is in the room.");
		return ANNEX_ENOENT;
	}
	c = change_of_role(o, ROLE_NONE);
	c.reason = v->reason;
	return make_change(room, run, &c);
}

static int
affiliate(struct annex_instance *inst, struct annex_run *run, const struct command_values *v,
    enum rank rank)
{
	struct room *room = command_room(inst, run, v);
	const struct annex_jid *jid = annex_jid(annex_scratch(inst), v->jid);
	struct change c;

	if (room == NULL || jid == NULL)
		return ANNEX_ENOENT;
	c = change_of_rank(room, jid, rank);
	c.reason = v->reason;
	return make_change(room, run, &c);
}

static int
run_ban(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	(void)stage;
	return affiliate(inst, run, values, RANK_OUTCAST);
}

static int
run_affiliation(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct command_values *v = values;
	enum rank rank;

	(void)stage;
	if (rank_read(v->affiliation, &rank) < 0)
		return ANNEX_EINVAL;
	return affiliate(inst, run, v, rank);
}

static int
run_destroy(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct command_values *v = values;
	struct room *room = command_room(inst, run, v);
	struct annex_element *el = annex_element(annex_scratch(inst), NS_OWNER, "destroy");

	(void)stage;
	if (room == NULL)
		return ANNEX_ENOENT;
	if (v->reason != NULL && v->reason[0] != '\0')
		annex_add_text(el, NULL, "reason", v->reason);
	room_destroy(room, el);
	return ANNEX_OK;
}

static int
run_configure(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	const struct command_values *v = values;
	struct room *room = command_room(inst, run, v);
	struct annex_element *x = annex_element(annex_scratch(inst), ANNEX_NS_FORM, "x"), *field;
	const char *var = config_field_name(v->field);
	struct annex_error error = { 0 };

	(void)stage;
	if (room == NULL)
		return ANNEX_ENOENT;
	if (var == NULL) {
		annex_run_fail(run, ANNEX_BAD_REQUEST, "There is no such field.");
		return ANNEX_EINVAL;
	}
	annex_attr_set(x, "type", "submit");
	field = annex_add(x, NULL, "field");
	annex_attr_set(field, "var", var);
	for (size_t i = 0; i < v->value.count; i++)
		annex_add_text(field, NULL, "value", v->value.value[i]);
	if (room_configure(room, x, &error) == ANNEX_OK)
		return ANNEX_OK;
	annex_run_fail(run, error.condition, "%s",
	    error.text != NULL ? error.text : annex_condition_name(error.condition));
	return ANNEX_EDENIED;
}

#define COMMAND(node_, name_, form_, run_, help_)                                             \
	{                                                                                     \
		.node = (node_), .name = (name_), .who = ANNEX_WHO_ADMIN, .form = (form_),    \
		.values_size = sizeof(struct command_values), .run = (run_), .help = (help_), \
	}

#define HATS(node_, name_, form_, run_, preset_, may_)                                         \
	{                                                                                      \
		.node = NS_HATS_COMMANDS ":" node_, .name = (name_), .who = ANNEX_WHO_ANYBODY, \
		.form = (form_), .values_size = sizeof(struct hat_values), .run = (run_),      \
		.preset = (preset_), .may = (may_), .help = name_ ".",                         \
	}

const struct annex_command muc_commands[] = {
	COMMAND("rooms", "List rooms", &list_form, run_list, "List the rooms there are."),
	COMMAND("show", "Show a room", &room_form, run_show, "Show what a room is like."),
	COMMAND("occupants", "List occupants", &occupants_form, run_occupants,
	    "List who is in a room, with their addresses."),
	COMMAND("kick", "Kick an occupant", &kick_form, run_kick, "Put an occupant out of a room."),
	COMMAND("ban", "Ban a user or a domain", &ban_form, run_ban,
	    "Put a user or a domain out of a room for good."),
	COMMAND("affiliation", "Set an affiliation", &affiliation_form, run_affiliation,
	    "Set the affiliation of a user to a room."),
	COMMAND("destroy", "Destroy a room", &destroy_form, run_destroy,
	    "Destroy a room and all it has kept."),
	COMMAND("configure", "Configure a room", &configure_form, run_configure,
	    "Set one field of the configuration of a room."),
	COMMAND("announce", "Announce something", &announce_form, run_announce,
	    "Tell something to all who are in a room, or in any."),
	COMMAND("export", "Export what is kept of a user", &export_form, run_export,
	    "Hand out all that is kept of a user."),
	COMMAND("erase", "Erase what is kept of a user", &erase_form, run_erase,
	    "Erase what is kept of a user, and put them out of all rooms."),
	/* At rooms (XEP-0317 §4.2 to §4.7). */
	HATS("create", "Make a hat", &hats_create_form, hats_create, NULL, hats_may_change),
	HATS("destroy", "Destroy a hat", &hats_destroy_form, hats_destroy, hats_choose,
	    hats_may_change),
	HATS("list", "List hats", NULL, hats_list, NULL, hats_may_list),
	HATS(
	    "assign", "Give a hat", &hats_give_form, hats_assign, hats_choose_for, hats_may_change),
	HATS("unassign", "Take a hat away", &hats_give_form, hats_unassign, hats_choose_for,
	    hats_may_change),
	HATS(
	    "list-assigned", "List who has a hat", NULL, hats_list_assigned, NULL, hats_may_change),
	{ 0 },
};
