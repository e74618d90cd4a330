/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bots.c - a gateway between people who chat and programs that answer
 *
 * Each bot is an address, NAME@DOMAIN.  What people send it becomes an
 * event: a numbered row of the bot's inbox, and a line of JSON.  A program
 * gets it by one of the carriers, answers with lines of JSON, and what it
 * says is sent as the bot.
 *
 *	stanza ─▶ message.c ─▶ inbox.c ─▶ dispatch.c ─▶ carrier ─▶ program
 *	                          ▲ acknowledged                      │
 *	stanza ◀─ out.c ◀─ reply.c, send.c ◀─ action.c ◀─ lines.c ◀───┘
 *
 * Who owns what: a bot owns its events and consumers; a consumer is one
 * program, or one attachment of it, and holds the events it has taken; a
 * carrier (carrier.h; exec.c, child.c, ...) owns the process or
 * the connection behind a consumer.
 *
 * Nothing is lost: an event's row goes when it is acknowledged, in the same
 * commit that keeps the answer; the answer's row goes when a fence has
 * shown that the server has routed it (out.c).  Nothing is done twice:
 * answers are counted per event, so those to an event that is delivered
 * again are swallowed as far as they were sent, and ids of stanzas are made
 * of what caused them.
 *
 * One stream carries all bots.  So what programs write is cleaned
 * (clean.c), their lines are judged by tables (action.c), their number,
 * memory and time are bounded, and an event that fails again and again
 * becomes a dead letter.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/command.h>

#include "admin.h"
#include "carrier.h"
#include "http.h"

#define SECOND ((int64_t)1000)
#define DAY (86400 * SECOND)

const char *const bot_policies[] = { "open", "domain", "approve", "preauth", "closed", NULL };
static const char *const absents[] = { "away", "xa", "unavailable", NULL };
static const char *const busies[] = { "dnd", "away", "no", NULL };
static const char *const acks[] = { "reply", "explicit", "auto", NULL };
static const char *const dispatches[] = { "any", "all", "least-loaded", NULL };

/* How long events of a kind may wait for a program (expire.c). */
#define TTL(kind_, preset_, what_)                                                   \
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct bot_settings, ttl_##kind_##_ms, 0, \
	    520 * 7 * DAY, preset_, "How long " what_ " may wait for its programs; 0s: for ever.")

const struct annex_option bot_options[] = {
	ANNEX_OPTION(struct bot_settings, nick, 1, 256, "",
	    "Name that people see; the bot's own if left out."),
	ANNEX_OPTION(struct bot_settings, about, 1, 1024, "", "What it is for, in a sentence."),
	ANNEX_OPTION_OF(struct bot_settings, policy, bot_policies, "domain",
	    "Who may have it as a contact and talk to it: anybody, users of local domains, whom "
	    "its program approves, who has a token, or nobody; admins always may."),
	ANNEX_OPTION(struct bot_settings, tokens, 1, 1000, "",
	    "Tokens with which anybody may have it as a contact (XEP-0379)."),
	ANNEX_OPTION(struct bot_settings, status, 1, 1024, "",
	    "Status text that its contacts see while a program is there."),
	ANNEX_OPTION_OF(struct bot_settings, absent, absents, "away",
	    "What its contacts see while no program is there."),
	ANNEX_OPTION_OF(struct bot_settings, busy, busies, "dnd",
	    "What its contacts see while its programs have more to do than they can; no: they do "
	    "not see that."),
	ANNEX_OPTION(struct bot_settings, avatar, 1, 4095, "",
	    "File with its picture: a PNG, JPEG, GIF or WebP."),
	ANNEX_OPTION_AS(ANNEX_OPTION_JID_LIST, struct bot_settings, rooms, 1, 1000, "",
	    "Group chats that it is in."),
	ANNEX_OPTION(struct bot_settings, exec, 1, 64, "",
	    "Program with its arguments, run anew for each event: the text on its standard input, "
	    "the answer on its standard output, done if it exits with 0."),
	ANNEX_OPTION(struct bot_settings, child, 1, 64, "",
	    "Program with its arguments, kept running: a line of JSON for each event and each "
	    "action."),
	ANNEX_OPTION(struct bot_settings, users, 1, 100, "",
	    "Users of this machine, beside root and annexd's, whose programs may speak for it over "
	    "the socket."),
	ANNEX_OPTION(struct bot_settings, no_reply, 0, 0, "no",
	    "Whether it only speaks: what people write to it is refused, and clients are told so "
	    "(XEP-0506)."),
	ANNEX_OPTION(struct bot_settings, events, 1, 16, "message command answer",
	    "Kinds of events that it gets."),
	ANNEX_OPTION(struct bot_settings, raw, 0, 0, "no",
	    "Whether its events have the XML that stands beside the text of a message."),
	ANNEX_OPTION_OF(struct bot_settings, ack, acks, "reply",
	    "What acknowledges an event: an answer to it or a later one, only an ack, or that it "
	    "was handed over."),
	ANNEX_OPTION_OF(struct bot_settings, dispatch, dispatches, "any",
	    "Which of several programs gets an event."),
	ANNEX_OPTION(struct bot_settings, parallel, 1, 32, "8",
	    "Programs of exec that run at the same time."),
	ANNEX_OPTION(struct bot_settings, window, 1, 10000, "512",
	    "Events that a program may have without having acknowledged them."),
	ANNEX_OPTION(struct bot_settings, tries, 1, 100, "5",
	    "How often an event is tried before it is a dead letter."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct bot_settings, timeout_ms, 1000, 3600 * SECOND,
	    "60s", "How long a program of exec may run."),
	ANNEX_OPTION(struct bot_settings, max_queue, 1, 10000000, "100000",
	    "Events that may wait for its programs."),
	ANNEX_OPTION(struct bot_settings, max_queue_each, 1, 1000000, "1000",
	    "Events of one contact that may wait for its programs."),
	TTL(message, "7d", "a message"),
	TTL(command, "1d", "a command"),
	TTL(answer, "7d", "an answer"),
	TTL(undelivered, "7d", "what another bot could not deliver"),
	TTL(contact, "7d", "who came and went"),
	TTL(receipt, "7d", "a receipt"),
	TTL(reaction, "7d", "a reaction"),
	TTL(timer, "7d", "a timer"),
	TTL(beat, "7d", "what workers did"),
	{ 0 },
};

static const struct annex_option bots_options[] = {
	ANNEX_OPTION_EACH(
	    struct bots_settings, bots, struct bot_settings, bot_options, "The bots, by name."),
	ANNEX_OPTION(struct bots_settings, http, 1, 64, "",
	    "Where HTTP is served: unix, for DOMAIN.http.sock in the run directory, or a loopback address "
	    "and port; nowhere if left out."),
	ANNEX_OPTION_AS(ANNEX_OPTION_JID, struct bots_settings, upload_service, 0, 0, "",
	    "JID of the service that files are put at (XEP-0363); if left out, it is looked for "
	    "among the services of the domain above."),
	ANNEX_OPTION(struct bots_settings, upload, 1, 4095, "",
	    "Program that puts a file where that service says; the one that comes with Annex if left "
	    "out."),
	ANNEX_OPTION(struct bots_settings, files_url, 1, 1000, "",
	    "Address under which a proxy shows /v1/files of http: where there is no upload service, "
	    "files are kept here, and found there."),
	ANNEX_OPTION_AS(ANNEX_OPTION_TIME, struct bots_settings, files_keep_ms, SECOND,
	    520 * 7 * DAY, "7d", "How long such a file is kept."),
	ANNEX_OPTION_AS(ANNEX_OPTION_SIZE, struct bots_settings, max_files_bytes, 1024,
	    (int64_t)16 << 30, "64M", "Bytes of such files that are kept of a bot."),
	ANNEX_OPTION_AS(ANNEX_OPTION_SIZE, struct bots_settings, max_body_bytes, 256, 65536, "16K",
	    "Longest text that a bot sends in one message; a longer one becomes several."),
	ANNEX_OPTION_AS(ANNEX_OPTION_SIZE, struct bots_settings, max_line_bytes, 1024, 1048576,
	    "60K", "Longest line to and from a program."),
	ANNEX_OPTION(struct bots_settings, socket, 0, 0, "no",
	    "Whether programs that run already may attach, over DOMAIN.bots.sock in the run "
	    "directory."),
	ANNEX_OPTION(struct bots_settings, rate_each, 1, 100000, "5",
	    "Messages a second that one contact may send to a bot for long."),
	ANNEX_OPTION(struct bots_settings, max_unsent, 1, 10000000, "100000",
	    "Messages that may wait until the server has passed them on; more are refused."),
	ANNEX_OPTION(struct bots_settings, burst_each, 1, 1000000, "50",
	    "Messages that one contact may send to a bot at once."),
	{ 0 },
};

static const struct annex_route bots_routes[] = {
	{ ANNEX_MESSAGE, NULL, NULL, bots_message, { 0 } },
	{ ANNEX_MESSAGE_ERROR, NULL, NULL, bots_message_error, { 0 } },
	{ ANNEX_PRESENCE, NULL, NULL, bots_presence, { 0 } },
	{ ANNEX_PRESENCE_ERROR, NULL, NULL, bots_presence_error, { 0 } },
	{ ANNEX_IQ_SET, ANNEX_NS_COMMANDS, "command", bots_command, { 0 } },
	{ 0 },
};

static const struct annex_job bots_jobs[] = {
	{ "clear-bot", made_clear, { 0 } },
	{ 0 },
};

static const struct annex_alarm bots_alarms[] = {
	{ "tidy", tidy_ring, { 0 } },
	{ "held", held_ring, { 0 } },
	{ "ask", ask_ring, { 0 } },
	{ "beat", beat_ring, { 0 } },
	{ "timer", time_ring, { 0 } },
	{ "shown", show_ring, { 0 } },
	{ 0 },
};

static int
bots_check(const void *settings, struct annex_pool *pool, const char **why)
{
	const struct bots_settings *set = settings;

	for (size_t i = 0; i < set->bots.count; i++) {
		const char *name = set->bots.name[i], *prepared = annex_prep_local(pool, name);

		if (prepared == NULL || strcmp(prepared, name) != 0) {
			*why = annex_sprintf(pool, "\"%s\" cannot be the name of a bot%s%s", name,
			    prepared != NULL ? "; write " : "", prepared != NULL ? prepared : "");
			return ANNEX_EINVAL;
		}
		if (picture_check(set->bots.settings[i], pool, why) < 0)
			return ANNEX_EINVAL;
	}
	if (http_check(set->http, pool, why) < 0)
		return ANNEX_EINVAL;
	return places_check(set, pool, why);
}

static int
bots_create(struct annex_instance *inst)
{
	struct bots *m = annex_new(annex_pool(inst), struct bots);
	const char *why = NULL;
	int r;

	m->inst = inst;
	m->set = annex_settings(inst);
	m->store = annex_store(inst);
	m->received = annex_counter(inst, "bots_events_total", "Events for bots.");
	m->sent = annex_counter(inst, "bots_sent_total", "Messages of bots.");
	m->acknowledged =
	    annex_counter(inst, "bots_acknowledged_total", "Events that were acknowledged.");
	m->redelivered =
	    annex_counter(inst, "bots_redelivered_total", "Events that were delivered again.");
	m->dead = annex_counter(inst, "bots_dead_letters_total", "Events that were given up.");
	m->expired = annex_counter(inst, "bots_expired_total", "Events that nobody took in time.");
	m->banned =
	    annex_counter(inst, "bots_banned_total", "Times that somebody banned was refused.");
	m->muted =
	    annex_counter(inst, "bots_muted_total", "Messages that somebody said again and again.");
	m->placed = annex_counter(
	    inst, "bots_files_total", "Files that were kept for whoever has the link.");
	annex_set_state(inst, m);
	guard_init(m);
	lag_init(m);
	if ((r = out_init(m)) < 0)
		return r;
	if ((r = seen_load(m)) < 0)
		return r;
	files_init(m);
	timers_init();
	if ((r = bots_load(m)) < 0)
		return r;
	if ((r = http_start(m, &why)) < 0)
		annex_log(inst, ANNEX_LOG_ERROR, "HTTP is not served: %s", why);
	return ANNEX_OK;
}

static void
bots_destroy(struct annex_instance *inst)
{
	http_stop(annex_state(inst));
}

static void
bots_link_up(struct annex_instance *inst)
{
	struct bots *m = annex_state(inst);
	struct annex_map_iter it = { 0 };

	out_link_up(m);
	files_link_up(m);
	while (annex_map_next(m->by_name, &it))
		rooms_link_up(it.value);
}

static int
bots_reload(struct annex_instance *inst)
{
	(void)inst;
	return ANNEX_ERESTART;
}

ANNEX_MODULE(bots) = {
	ANNEX_MODULE_ABI,
	.name = "bots",
	.summary = "programs that chat",
	.options = bots_options,
	.settings_size = sizeof(struct bots_settings),
	.routes = bots_routes,
	.disco = &bots_disco,
	.commands = bots_commands,
	.tables = bots_tables,
	.alarms = bots_alarms,
	.jobs = bots_jobs,
	.contacts = &bots_contacts,
	.check = bots_check,
	.create = bots_create,
	.link_up = bots_link_up,
	.reload = bots_reload,
	.destroy = bots_destroy,
};
