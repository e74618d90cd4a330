/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * muc.c - group chat (XEP-0045): what there is, and which way a stanza goes
 *
 *	presence   leave.c sorts: join.c who comes, update.c who is in, leave.c who goes
 *	message    message.c to all, private.c to one, invite.c and voice.c to the room
 *	iq         private.c to occupants; admin.c, lists.c, owner.c, archive.c, moderate.c, disco.c to rooms
 *
 * Rooms, affiliations, subjects, the archive and the occupants are in the
 * store (store.c); what is in memory is a cache of it (room.c), so that a
 * crash or an upgrade puts nobody out.  All output of a room is one flow.
 *
 * Who is in a room misses nothing without being told.  Each room knows up to
 * where its output was routed (routed.c); on a new link it says the rest again
 * or, where it cannot, puts everybody out, so that they come in anew
 * (replay.c).  Who may have gone meanwhile is asked (ask.c).  Only a drain says
 * goodbye (drain.c).
 */
#include <annex/counter.h>
#include <annex/disco.h>

#include "archive.h"
#include "presence.h"
#include "routed.h"

#define DAY ((int64_t)86400000)

static const char *const presets[] = { "none", "private-group", "public-channel", "announcements",
	"meeting", NULL };

static const struct annex_option muc_options[] = {
	ANNEX_OPTION(struct muc_settings, create, 0, 100, "local",
	    "Who may create rooms: local, admin, anybody, nobody, addresses or domains."),
	ANNEX_OPTION(
	    struct muc_settings, max_occupants, 1, 100000, "500", "Most nicknames in one room."),
	ANNEX_OPTION(struct muc_settings, max_sessions, 1, 100, "10",
	    "Most clients of a user under one nickname."),
	ANNEX_OPTION(struct muc_settings, max_nick_bytes, 1, 300, "128", "Longest nickname."),
	ANNEX_OPTION(struct muc_settings, max_rooms, 0, 1000000, "100",
	    "Most rooms that one user may have made; 0 is any number."),
	ANNEX_OPTION_AS(ANNEX_OPTION_SIZE, struct muc_settings, max_message_bytes, 256, 256 << 10,
	    "0", "Largest message to a room; 0 is what the component lets in."),
	ANNEX_OPTION(struct muc_settings, message_rate, 0, 1000, "0",
	    "Messages of an occupant in a second; 0 is any number."),
	ANNEX_OPTION(
	    struct muc_settings, message_burst, 1, 10000, "50", "Messages of an occupant at once."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct muc_settings, presence_interval_ms, 0, 3600000,
	    "5s", "Time between an occupant's changes of presence; 0 is none."),
	ANNEX_OPTION(struct muc_settings, presence_burst, 1, 1000, "10",
	    "Changes of presence of an occupant at once."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct muc_settings, voice_interval_ms, 0, DAY, "5m",
	    "Time between two requests for a voice; 0 is none."),
	ANNEX_OPTION(struct muc_settings, invitations, 0, 100000, "60",
	    "How often in an hour a user may have others written to: invitations, requests for membership; 0 is any number."),
	ANNEX_OPTION(struct muc_settings, registration, 0, 0, "yes",
	    "Whether users may register nicknames with rooms."),
	ANNEX_OPTION(struct muc_settings, tell_absent, 0, 0, "no",
	    "Whether users who are not in are told that their affiliation has changed."),
	ANNEX_OPTION(struct muc_settings, look_alikes, 0, 0, "no",
	    "Whether nicknames that look like another one are refused."),
	ANNEX_OPTION(struct muc_settings, max_history, 0, 1000, "20",
	    "Messages that newcomers are shown at most."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct muc_settings, tombstone_ms, 0, 3650 * DAY, "31d",
	    "How long a destroyed room is remembered."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct muc_settings, configure_ms, 1000, 7 * DAY, "1h",
	    "How long a new room waits for its configuration."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct muc_settings, ask_after_ms, 0, DAY, "30s",
	    "How long after attaching those who were in before are asked whether they still are."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct muc_settings, ask_again_ms, 1000, DAY, "10m",
	    "How long after that they are asked again, while nothing is heard of them."),
	ANNEX_OPTION(struct muc_settings, max_replay, 0, 10000, "500",
	    "Messages that a room says again after a crash or the loss of its link; where there were more, everybody has to come in again."),
	ANNEX_OPTION_OF(struct muc_settings, preset, presets, "none",
	    "What new rooms are like: a named set of fields of their configuration."),
	ANNEX_OPTION(struct muc_settings, defaults, 0, 100, "",
	    "More fields of the configuration of new rooms, as FIELD=VALUE."),
	ANNEX_OPTION(struct muc_settings, persistent, 0, 0, "no",
	    "Whether new rooms stay when everybody has left."),
	ANNEX_OPTION(struct muc_settings, listed, 0, 0, "yes",
	    "Whether new rooms are listed for everybody."),
	ANNEX_OPTION(
	    struct muc_settings, archive, 0, 0, "yes", "Whether new rooms keep an archive."),
	ANNEX_OPTION(struct muc_settings, list_occupants, 0, 0, "no",
	    "Whether outsiders may see who is in a room."),
	ANNEX_OPTION(struct muc_settings, list_owners, 0, 0, "no",
	    "Whether those in rooms that show addresses may see who owns them."),
	ANNEX_OPTION_AS(ANNEX_OPTION_SIZE, struct muc_settings, max_vcard_bytes, 0, 192 << 10,
	    "64K", "Largest vCard of a room, its pictures included."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct muc_settings, archive_age_ms, 3600000,
	    36500 * DAY, "0", "How long archives keep a message; 0: for ever."),
	ANNEX_OPTION(struct muc_settings, archive_messages, 1, 1000000000, "0",
	    "Most messages in the archive of one room; 0: any number."),
	ANNEX_OPTION_AS(ANNEX_OPTION_SIZE, struct muc_settings, archive_size_bytes, 65536,
	    INT64_C(1) << 50, "0", "Largest archive of one room; 0: any size."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct muc_settings, idle_ms, 3600000, 36500 * DAY, "0",
	    "When rooms end that nobody used; 0: never."),
	{ 0 },
};

/* The first that matches: an IQ to an occupant, whatever it is, goes to them. */
static const struct annex_route muc_routes[] = {
	{ ANNEX_PRESENCE, NULL, NULL, muc_presence, { 0 } },
	{ ANNEX_PRESENCE_ERROR, NULL, NULL, muc_presence_error, { 0 } },
	{ ANNEX_MESSAGE, NULL, NULL, muc_message, { 0 } },
	{ ANNEX_MESSAGE_ERROR, NULL, NULL, muc_message_error, { 0 } },
	{ ANNEX_IQ_GET, NULL, NULL, muc_iq_occupant, { 0 } },
	{ ANNEX_IQ_SET, NULL, NULL, muc_iq_occupant, { 0 } },
	{ ANNEX_IQ_GET, NS_ADMIN, "query", muc_admin_get, { 0 } },
	{ ANNEX_IQ_SET, NS_ADMIN, "query", muc_admin_set, { 0 } },
	{ ANNEX_IQ_GET, NS_OWNER, "query", muc_owner_get, { 0 } },
	{ ANNEX_IQ_SET, NS_OWNER, "query", muc_owner_set, { 0 } },
	{ ANNEX_IQ_GET, NS_REGISTER, "query", muc_register_get, { 0 } },
	{ ANNEX_IQ_SET, NS_REGISTER, "query", muc_register_set, { 0 } },
	{ ANNEX_IQ_GET, NS_MAM, "query", muc_archive_get, { 0 } },
	{ ANNEX_IQ_GET, NS_MAM, "metadata", muc_archive_get, { 0 } },
	{ ANNEX_IQ_SET, NS_MAM, "query", muc_archive_set, { 0 } },
	{ ANNEX_IQ_GET, NS_VCARD, "vCard", muc_vcard_get, { 0 } },
	{ ANNEX_IQ_SET, NS_VCARD, "vCard", muc_vcard_set, { 0 } },
	{ ANNEX_IQ_GET, NS_UNIQUE, "unique", muc_unique, { 0 } },
	{ ANNEX_IQ_GET, "urn:xmpp:channel-search:0:search", "search", muc_search, { 0 } },
	{ ANNEX_IQ_SET, "urn:xmpp:message-moderate:1", "moderate", muc_moderate, { 0 } },
	{ ANNEX_IQ_SET, "urn:xmpp:fasten:0", "apply-to", muc_moderate, { 0 } },
	{ ANNEX_IQ_GET, NULL, NULL, muc_iq_room, { 0 } },
	{ ANNEX_IQ_SET, NULL, NULL, muc_iq_room, { 0 } },
	{ 0 },
};

/* The options are read: the whole is judged. */
static int
muc_check(const void *settings, struct annex_pool *pool, const char **why)
{
	struct room_config config;

	return preset_read(settings, pool, &config, why);
}

static void
count_things(struct muc *m)
{
	struct annex_instance *inst = m->inst;

	m->expired =
	    annex_counter(inst, "muc_expired_total", "Messages that were kept long enough.");
	m->created = annex_counter(inst, "muc_rooms_created_total", "Rooms that were made.");
	m->destroyed = annex_counter(inst, "muc_rooms_destroyed_total", "Rooms that ended.");
	m->retracted = annex_counter(inst, "muc_retracted_total", "Messages that were taken back.");
	m->loaded = annex_gauge(inst, "muc_rooms_loaded", "Rooms that are in memory.");
}

static int
muc_create(struct annex_instance *inst)
{
	struct muc *m = annex_new(annex_pool(inst), struct muc);
	const char *why;

	m->inst = inst;
	m->set = annex_settings(inst);
	m->store = annex_store(inst);
	m->joins = annex_counter(inst, "muc_joins_total", "Clients that came into a room.");
	m->messages = annex_counter(inst, "muc_messages_total", "Messages to rooms.");
	m->archived = annex_counter(inst, "muc_archived_total", "Messages kept in archives.");
	m->replayed = annex_counter(inst, "muc_replayed_total",
	    "Messages said again, since they may have been lost with a link.");
	m->put_out = annex_counter(
	    inst, "muc_put_out_total", "Clients put out, since something may be lost to them.");
	m->asked = annex_counter(
	    inst, "muc_asked_total", "Clients that were asked whether they are still in.");
	count_things(m);
	m->fresh = annex_new(annex_pool(inst), struct room_config);
	if (preset_read(m->set, annex_pool(inst), m->fresh, &why) < 0)
		return ANNEX_EINVAL;
	archives_init(m);
	recent_init(m);
	retain_init(m);
	search_init(m);
	rooms_init(m);
	routed_init(m);
	ask_init(m);
	pace_init(m);
	annex_set_state(inst, m);
	return ANNEX_OK;
}

static int
muc_reload(struct annex_instance *inst)
{
	struct muc *m = annex_state(inst);
	const char *why;

	m->set = annex_settings(inst);
	pace_reload(m);
	return preset_read(m->set, annex_pool(inst), m->fresh, &why);
}

static void
muc_link_up(struct annex_instance *inst)
{
	ask_link_up(annex_state(inst));
}

static void
muc_link_down(struct annex_instance *inst)
{
	ask_link_down(annex_state(inst));
}

ANNEX_MODULE(muc) = {
	ANNEX_MODULE_ABI,
	.name = "muc",
	.summary = "group chat",
	.options = muc_options,
	.settings_size = sizeof(struct muc_settings),
	.routes = muc_routes,
	.disco = &muc_disco,
	.commands = muc_commands,
	.tables = muc_tables,
	.alarms = muc_alarms,
	.jobs = muc_jobs,
	.check = muc_check,
	.create = muc_create,
	.link_up = muc_link_up,
	.link_down = muc_link_down,
	.reload = muc_reload,
	.stop = muc_stop,
	.presence_refused = muc_presence_refused,
};
