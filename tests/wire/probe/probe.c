/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * probe.c - a component that does what a test tells it to
 *
 * Not installed.  A message's body is one order, or several in lines: a word
 * and its arguments, as in the table at the end.  An IQ of the namespace
 * urn:annex:probe says with its element's name how it is to be answered: well,
 * later, or as no component should.
 *
 * Tables: "count" by bare JID, bumped once per order; "row" by number, for
 * jobs to clear away.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <annex/access.h>
#include <annex/caps.h>
#include <annex/command.h>
#include <annex/component.h>
#include <annex/disco.h>
#include <annex/flow.h>
#include <annex/iq.h>
#include <annex/job.h>
#include <annex/store.h>
#include <annex/timer.h>

#include "buddies.h"
#include "probe.pb-c.h"

#define NS_PROBE "urn:annex:probe"

struct probe_settings {
	const char *greeting;
	int64_t rows;
	bool bad_alarms, restarts;
};

static const struct annex_option probe_options[] = {
	ANNEX_OPTION(struct probe_settings, greeting, 0, 40, "hello", "Said at \"greet\"."),
	ANNEX_OPTION(struct probe_settings, bad_alarms, 0, 0, "no", "Whether alarms fail."),
	ANNEX_OPTION(struct probe_settings, rows, 0, 100000, "50", "Rows that \"fill\" puts."),
	ANNEX_OPTION(struct probe_settings, restarts, 0, 0, "no",
	    "Whether new options are taken up by starting anew."),
	{ 0 },
};

struct probe_state {
	annex_hold_t hold; /* the last one taken */
	struct annex_timer *timer;
	char *timer_to;
	unsigned lives; /* messages since create: soft, as memory is */
	struct annex_audience *audience;
	struct annex_body *kept; /* what was said last, but for those in group 1 */
};

static const struct annex_key_part jid_key[] = { { "jid", ANNEX_KEY_TEXT }, { 0 } };
static const struct annex_key_part row_key[] = { { "number", ANNEX_KEY_U64 }, { 0 } };

static const struct annex_table probe_tables[] = {
	{ .number = 1,
	    .name = "count",
	    .key = jid_key,
	    .record = &probe__count__descriptor,
	    .version = 1 },
	{ .number = 2,
	    .name = "row",
	    .key = row_key,
	    .record = &probe__count__descriptor,
	    .version = 1 },
	{ 0 },
};

/* --- Saying ------------------------------------------------------------------- */

static void
    ANNEX_PRINTF(3, 4) tell(struct annex_instance *inst, const char *to, const char *fmt, ...)
{
	struct annex_stanza *out = annex_message(inst, NULL, to, "chat");
	va_list args;

	va_start(args, fmt);
	annex_add_text(out->element, NULL, "body", annex_vsprintf(annex_scratch(inst), fmt, args));
	va_end(args);
	annex_send(inst, out);
}

/* --- Orders: the store ----------------------------------------------------------- */

static enum annex_verdict
order_count(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	struct annex_key key = annex_key(&probe_tables[0]);
	Probe__Count count = PROBE__COUNT__INIT;
	ProtobufCMessage *stored;
	int r;

	annex_key_text(&key, in->from->bare);
	r = annex_get(annex_store(inst), &key, &stored);
	if (r == ANNEX_OK)
		count.count = ((Probe__Count *)stored)->count;
	count.count++;
	if (annex_put(annex_store(inst), &key, &count.base) == ANNEX_EFULL)
		return annex_refuse(inst, in, ANNEX_RESOURCE_CONSTRAINT, "The disk is full.");
	tell(inst, in->from->full, "count %llu", (unsigned long long)count.count);
	return ANNEX_DONE;
}

static enum annex_verdict
order_read(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	struct annex_key key = annex_key(&probe_tables[0]);
	ProtobufCMessage *stored;

	annex_key_text(&key, in->from->bare);
	if (annex_get(annex_store(inst), &key, &stored) == ANNEX_OK)
		tell(inst, in->from->full, "count is %llu",
		    (unsigned long long)((Probe__Count *)stored)->count);
	else
		tell(inst, in->from->full, "no count");
	return ANNEX_DONE;
}

static enum annex_verdict
order_fail(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	order_count(inst, in, args);
	annex_fail_turn(inst, "the test wants it");
	return ANNEX_DONE;
}

static enum annex_verdict
order_lives(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	struct probe_state *state = annex_state(inst);

	tell(inst, in->from->full, "%u messages in this life", ++state->lives);
	return ANNEX_DONE;
}

static void
is_durable(struct annex_instance *inst, void *cookie)
{
	tell(inst, cookie, "durable");
}

static enum annex_verdict
order_durable(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	order_count(inst, in, args);
	annex_when_durable(inst, is_durable, annex_strdup(annex_pool(inst), in->from->full));
	return ANNEX_DONE;
}

/* --- Orders: asking, waiting -------------------------------------------------------- */

static void
was_answered(struct annex_instance *inst, int status, const struct annex_stanza *answer,
    const void *cookie, size_t cookie_len)
{
	struct annex_error error = { 0 };

	if (answer != NULL)
		error = annex_error_read(answer->element);
	tell(inst, cookie, "%s%s%s", status == ANNEX_OK ? "answered" : annex_status_text(status),
	    error.condition != 0 ? ": " : "",
	    error.condition != 0 ? annex_condition_name(error.condition) : "");
}

static enum annex_verdict
order_ask(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	struct annex_stanza *iq = annex_iq(inst, NULL, args, "get");

	annex_add(iq->element, "urn:xmpp:ping", "ping");
	if (annex_ask(inst, iq, 10000, was_answered, in->from->full, strlen(in->from->full) + 1) <
	    0)
		tell(inst, in->from->full, "could not ask");
	return ANNEX_DONE;
}

static void
was_fenced(struct annex_instance *inst, int status, const void *cookie, size_t cookie_len)
{
	tell(inst, cookie, "%s", status == ANNEX_OK ? "routed" : annex_status_text(status));
}

/* fence [NAME]: tell when all output, or that of flow NAME, was routed. */
static enum annex_verdict
order_fence(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	size_t len = strlen(in->from->full) + 1;

	if (*args == '\0')
		annex_fence(inst, was_fenced, in->from->full, len);
	else
		annex_fence_on(inst, annex_flow(inst, args), was_fenced, in->from->full, len);
	return ANNEX_DONE;
}

static void
timer_rings(struct annex_instance *inst, void *cookie)
{
	tell(inst, ((struct probe_state *)cookie)->timer_to, "timer");
}

static enum annex_verdict
order_timer(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	struct probe_state *state = annex_state(inst);

	state->timer_to = annex_strdup(annex_pool(inst), in->from->full);
	annex_timer_start(state->timer, atol(args));
	return ANNEX_DONE;
}

static void
alarm_rings(struct annex_instance *inst, const void *key, size_t len, int64_t due_wall_ms)
{
	tell(inst, annex_strndup(annex_scratch(inst), key, len), "alarm, %lld s late",
	    (long long)(annex_wall_ms(inst) - due_wall_ms) / 1000);
	if (((const struct probe_settings *)annex_settings(inst))->bad_alarms)
		annex_fail_turn(inst, "an alarm, on purpose");
}

static const struct annex_alarm probe_alarms[] = { { "ring", alarm_rings, { 0 } }, { 0 } };

static enum annex_verdict
order_alarm(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	if (strcmp(args, "off") == 0)
		annex_alarm_clear(inst, "ring", in->from->full, strlen(in->from->full));
	else
		annex_alarm_set(inst, "ring", in->from->full, strlen(in->from->full),
		    annex_wall_ms(inst) + atol(args));
	return ANNEX_DONE;
}

/* --- Orders: long work ------------------------------------------------------------------ */

static enum annex_verdict
order_fill(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	const struct probe_settings *settings = annex_settings(inst);
	Probe__Count row = PROBE__COUNT__INIT;

	for (int64_t i = 0; i < settings->rows; i++) {
		struct annex_key key = annex_key(&probe_tables[1]);

		annex_key_u64(&key, (uint64_t)i);
		if (annex_put(annex_store(inst), &key, &row.base) < 0)
			return ANNEX_DONE;
	}
	tell(inst, in->from->full, "filled");
	return ANNEX_DONE;
}

/* state is whom to tell. */
static int
clear_step(struct annex_instance *inst, struct annex_job_state *state, size_t limit)
{
	struct annex_key all = annex_key(&probe_tables[1]);
	int n = annex_delete_some(annex_store(inst), &all, limit < 20 ? limit : 20);

	if (n < 0)
		return n;
	if (n > 0)
		return ANNEX_AGAIN;
	tell(inst, (const char *)state->bytes, "cleared");
	return ANNEX_OK;
}

static const struct annex_job probe_jobs[] = { { "clear", clear_step, { 0 } }, { 0 } };

static enum annex_verdict
order_clear(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	annex_job_start(inst, "clear", in->from->full, strlen(in->from->full) + 1);
	tell(inst, in->from->full, "clearing");
	return ANNEX_DONE;
}

/* --- Orders: much at once ------------------------------------------------------------------ */

/* fan N: to n1@example.org and on, from a room; the even ones see a longer variant and a tail. */
static enum annex_verdict
order_fan(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	const char *room = annex_sprintf(annex_scratch(inst), "fan@%s", annex_domain(inst));
	struct annex_fanout *fanout = annex_fanout(inst);
	struct annex_stanza *stanza[2];
	struct annex_element *tail = annex_element(annex_scratch(inst), NS_PROBE, "tail");
	int variant[2];

	for (int i = 0; i < 2; i++) {
		stanza[i] = annex_message(inst, room, NULL, "groupchat");
		annex_add_text(stanza[i]->element, NULL, "body", i == 0 ? "odd" : "even & more");
		variant[i] = annex_fanout_variant(fanout, stanza[i]);
	}
	for (int i = 1; i <= atoi(args); i++)
		annex_fanout_add(fanout, variant[i % 2 == 0],
		    annex_sprintf(annex_scratch(inst), "n%d@example.org", i),
		    i % 2 == 0 ? tail : NULL);
	annex_fanout_send(fanout, annex_flow(inst, room));
	return ANNEX_DONE;
}

static struct annex_flow *
room_flow(struct annex_instance *inst)
{
	return annex_flow(inst, "room");
}

/* hear GROUP: be one of those to whom "say" speaks, in group 0 or 1; or none of them. */
static enum annex_verdict
order_hear(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	struct probe_state *state = annex_state(inst);

	if (state->audience == NULL)
		state->audience = annex_audience(annex_pool(inst));
	if (strcmp(args, "nothing") == 0)
		annex_audience_remove(state->audience, in->from->full);
	else if (!annex_audience_move(state->audience, in->from->full, args[0] == '1'))
		annex_audience_add(state->audience, args[0] == '1', in->from->full);
	return ANNEX_DONE;
}

/* say TEXT: to all who hear, but not oneself; who is in group 1 is told that it is secret. */
static enum annex_verdict
order_say(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	const char *room = annex_sprintf(annex_scratch(inst), "room@%s", annex_domain(inst));
	struct probe_state *state = annex_state(inst);
	struct annex_stanza *said = annex_message(inst, room, NULL, "groupchat");
	struct annex_stanza *secret = annex_message(inst, room, NULL, "groupchat");
	struct annex_fanout *fanout = annex_fanout(inst);

	annex_add_text(said->element, NULL, "body", args);
	annex_add_text(secret->element, NULL, "body", "a secret");
	annex_body_drop(&state->kept);
	if (annex_body(inst, annex_pool(inst), said, &state->kept) < 0 ||
	    annex_fanout_body(fanout, state->kept) < 0 || annex_fanout_variant(fanout, secret) < 0)
		return annex_refuse(inst, in, ANNEX_NOT_ACCEPTABLE, NULL);
	if (state->audience != NULL)
		annex_fanout_add_audience(
		    fanout, state->audience, (const char *const[]) { in->from->full, NULL });
	annex_fanout_send(fanout, room_flow(inst));
	return ANNEX_DONE;
}

/* again N: what was said last, N times and once more. */
static enum annex_verdict
order_again(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	struct probe_state *state = annex_state(inst);
	struct annex_fanout *fanout = annex_fanout(inst);

	if (state->kept == NULL)
		return annex_refuse(inst, in, ANNEX_ITEM_NOT_FOUND, NULL);
	for (int i = 0; i < atoi(args); i++)
		if (annex_fanout_body(fanout, state->kept) < 0)
			return ANNEX_DONE;
	annex_fanout_add_each(fanout, in->from->full);
	annex_fanout_send(fanout, room_flow(inst));
	annex_send_body(inst, room_flow(inst), state->kept, in->from->full);
	return ANNEX_DONE;
}

/* flow NAME N: numbered messages from NAME@, in order. */
static enum annex_verdict
order_flow(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	char name[64];
	int n = 0;

	if (sscanf(args, "%63s %d", name, &n) != 2)
		return annex_refuse(inst, in, ANNEX_BAD_REQUEST, "flow NAME N");
	for (int i = 1; i <= n; i++) {
		struct annex_stanza *out = annex_message(inst,
		    annex_sprintf(annex_scratch(inst), "%s@%s", name, annex_domain(inst)),
		    in->from->full, "chat");

		annex_text_appendf(annex_add(out->element, NULL, "body"), "%d", i);
		annex_send_on(inst, annex_flow(inst, name), out);
	}
	return ANNEX_DONE;
}

/* keep NAME N: the same by annex_use_flow, and refused in the same flow, so behind them. */
static enum annex_verdict
order_keep(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	char name[64];
	unsigned n;

	if (sscanf(args, "%63s %u", name, &n) != 2)
		return annex_refuse(inst, in, ANNEX_BAD_REQUEST, "keep NAME N");
	annex_use_flow(inst, annex_flow(inst, name));
	for (unsigned i = 1; i <= n; i++) {
		struct annex_stanza *out = annex_message(inst, NULL, in->from->full, "chat");

		annex_text_appendf(annex_add(out->element, NULL, "body"), "%u", i);
		annex_send(inst, out);
	}
	return annex_refuse(inst, in, ANNEX_NOT_ALLOWED, NULL);
}

/* last TEXT: a durable message: it survives a lost link. */
static enum annex_verdict
order_last(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	struct annex_stanza *out = annex_message(inst, NULL, in->from->full, "chat");

	annex_add_text(out->element, NULL, "body", args);
	annex_make_durable(out);
	annex_send(inst, out);
	return ANNEX_DONE;
}

/* fleeting TEXT: a message that does not survive it. */
static enum annex_verdict
order_fleeting(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	struct annex_stanza *out = annex_message(inst, NULL, in->from->full, "chat");

	annex_add_text(out->element, NULL, "body", args);
	annex_make_fleeting(out);
	annex_send(inst, out);
	return ANNEX_DONE;
}

static enum annex_verdict
order_show(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	struct annex_stanza *out = annex_presence(inst, NULL, in->from->full, NULL);

	annex_add_text(out->element, NULL, "show", "dnd");
	annex_caps_add(out->element, "https://annex.example/probe", annex_disco_hash(inst));
	annex_send(inst, out);
	return ANNEX_DONE;
}

/* --- Orders: what no component should do --------------------------------------------------- */

static enum annex_verdict
order_crash(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	raise(SIGSEGV);
	return ANNEX_DONE;
}

static enum annex_verdict
order_forge(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	struct annex_stanza *out = annex_message(inst, "admin@example.org", in->from->full, "chat");

	annex_add_text(out->element, NULL, "body", "forged");
	tell(inst, in->from->full, "%s", annex_status_text(annex_send(inst, out)));
	return ANNEX_DONE;
}

static enum annex_verdict
order_garble(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	struct annex_stanza *out = annex_message(inst, NULL, in->from->full, "chat");

	annex_add_text(out->element, NULL, "body", "bell \a");
	tell(inst, in->from->full, "%s", annex_status_text(annex_send(inst, out)));
	return ANNEX_DONE;
}

static enum annex_verdict
order_nowhere(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	struct annex_stanza *out = annex_message(inst, NULL, "@nowhere", "chat");

	tell(inst, in->from->full, "%s", annex_status_text(annex_send(inst, out)));
	return ANNEX_DONE;
}

static enum annex_verdict
order_huge(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	struct annex_stanza *out = annex_message(inst, NULL, in->from->full, "chat");
	size_t len = 300000;
	char *text = annex_pool_alloc(annex_scratch(inst), len + 1);

	memset(text, 'x', len);
	text[len] = '\0';
	annex_add_text(out->element, NULL, "body", text);
	tell(inst, in->from->full, "%s", annex_status_text(annex_send(inst, out)));
	return ANNEX_DONE;
}

/* An IQ error where nobody asked. */
static enum annex_verdict
order_talk(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	struct annex_stanza *out = annex_message(inst, NULL, in->from->full, "result");

	out->element->name = "iq";
	annex_attr_set(out->element, "id", "unasked");
	tell(inst, in->from->full, "%s", annex_status_text(annex_send(inst, out)));
	return ANNEX_DONE;
}

static enum annex_verdict
order_greet(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	tell(inst, in->from->full, "%s",
	    ((const struct probe_settings *)annex_settings(inst))->greeting);
	return ANNEX_DONE;
}

/* to JID TEXT: a message to anybody, the component's own domain included. */
static enum annex_verdict
order_to(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	size_t len = strcspn(args, " ");

	tell(inst, annex_strndup(annex_scratch(inst), args, len), "%s",
	    args[len] == '\0' ? "" : args + len + 1);
	return ANNEX_DONE;
}

/* --- Held IQs, from a message ----------------------------------------------------------------- */

static enum annex_verdict
order_release(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	struct probe_state *state = annex_state(inst);
	struct annex_stanza *out = annex_release(inst, state->hold);

	if (out == NULL) {
		tell(inst, in->from->full, "nothing is held");
		return ANNEX_DONE;
	}
	annex_add_text(out->element, NS_PROBE, "late", args);
	annex_send(inst, out);
	return ANNEX_DONE;
}

static enum annex_verdict
order_deny(struct annex_instance *inst, const struct annex_stanza *in, const char *args)
{
	struct probe_state *state = annex_state(inst);
	const struct annex_error error = { .condition = ANNEX_NOT_ALLOWED };

	annex_refuse_held(inst, state->hold, &error);
	return ANNEX_DONE;
}

static const struct order {
	const char *word;
	enum annex_verdict (*run)(
	    struct annex_instance *inst, const struct annex_stanza *in, const char *args);
} orders[] = {
	{ "again", order_again },
	{ "alarm", order_alarm },
	{ "ask", order_ask },
	{ "clear", order_clear },
	{ "contact", order_contact },
	{ "count", order_count },
	{ "crash", order_crash },
	{ "deny", order_deny },
	{ "durable", order_durable },
	{ "fail", order_fail },
	{ "fan", order_fan },
	{ "fence", order_fence },
	{ "fill", order_fill },
	{ "fleeting", order_fleeting },
	{ "flow", order_flow },
	{ "keep", order_keep },
	{ "forge", order_forge },
	{ "garble", order_garble },
	{ "greet", order_greet },
	{ "hear", order_hear },
	{ "huge", order_huge },
	{ "last", order_last },
	{ "lives", order_lives },
	{ "nowhere", order_nowhere },
	{ "read", order_read },
	{ "release", order_release },
	{ "say", order_say },
	{ "show", order_show },
	{ "talk", order_talk },
	{ "timer", order_timer },
	{ "to", order_to },
};

static enum annex_verdict
obey(struct annex_instance *inst, const struct annex_stanza *in, const char *line)
{
	size_t len = strcspn(line, " ");
	const char *args = line[len] == ' ' ? line + len + 1 : "";

	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++)
		if (strlen(orders[i].word) == len && strncmp(orders[i].word, line, len) == 0)
			return orders[i].run(inst, in, args);
	return annex_refuse(inst, in, ANNEX_BAD_REQUEST, "No such order.");
}

static enum annex_verdict
probe_message(struct annex_instance *inst, const struct annex_stanza *in)
{
	char *text = annex_strdup(annex_scratch(inst), annex_text(in->payload)), *rest, *line;

	for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		obey(inst, in, line);
	return ANNEX_DONE;
}

/* --- IQs ---------------------------------------------------------------------------------- */

static enum annex_verdict
answer_well(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct annex_stanza *out = annex_reply(inst, in);

	annex_add_text(out->element, NS_PROBE, "fine", annex_text(in->payload));
	annex_send(inst, out);
	return ANNEX_DONE;
}

static enum annex_verdict
answer_twice(struct annex_instance *inst, const struct annex_stanza *in)
{
	answer_well(inst, in);
	return annex_refuse(inst, in, ANNEX_CONFLICT, NULL);
}

static enum annex_verdict
answer_nothing(struct annex_instance *inst, const struct annex_stanza *in)
{
	return ANNEX_DONE;
}

static enum annex_verdict
answer_never(struct annex_instance *inst, const struct annex_stanza *in)
{
	return ANNEX_HELD; /* which is a lie */
}

/* The answer cannot be sent: it still gets one. */
static enum annex_verdict
answer_garbled(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct annex_stanza *out = annex_reply(inst, in);

	annex_add_text(out->element, NS_PROBE, "fine", "bell \a");
	annex_send(inst, out);
	return ANNEX_DONE;
}

static enum annex_verdict
answer_later(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct probe_state *state = annex_state(inst);

	return annex_hold(inst, in, &state->hold);
}

static enum annex_verdict
answer_held_and_now(struct annex_instance *inst, const struct annex_stanza *in)
{
	answer_well(inst, in);
	return answer_later(inst, in);
}

static enum annex_verdict
answer_refuse(struct annex_instance *inst, const struct annex_stanza *in)
{
	const struct annex_error error = { .condition = ANNEX_GONE,
		.uri = "xmpp:elsewhere@example.org",
		.text = "It moved.",
		.by = annex_domain(inst) };

	return annex_refuse_with(inst, in, &error);
}

static enum annex_verdict
answer_fail(struct annex_instance *inst, const struct annex_stanza *in)
{
	answer_well(inst, in);
	annex_fail_turn(inst, "the test wants it");
	return ANNEX_DONE;
}

static enum annex_verdict
answer_pass(struct annex_instance *inst, const struct annex_stanza *in)
{
	return ANNEX_PASS;
}

static enum annex_verdict
answer_confirm(struct annex_instance *inst, const struct annex_stanza *in)
{
	return annex_confirm(inst, in);
}

/* Who left the domain is in the store, so that nobody who did is forgotten; who leaves an address in
 * it is a contact. */
static enum annex_verdict
probe_presence(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct annex_key key = annex_key(&probe_tables[0]);
	Probe__Count count = PROBE__COUNT__INIT;

	if (in->type == NULL || strcmp(in->type, "unavailable") != 0 || in->to->local != NULL)
		return ANNEX_PASS;
	annex_key_text(&key, in->from->full);
	if (annex_put(annex_store(inst), &key, &count.base) == ANNEX_OK)
		tell(inst, "log@example.org", "%s left", in->from->full);
	return ANNEX_DONE;
}

#define IQ(name_, fn)                                 \
	{ ANNEX_IQ_GET, NS_PROBE, name_, fn, { 0 } }, \
	{                                             \
		ANNEX_IQ_SET, NS_PROBE, name_, fn,    \
		{                                     \
			0                             \
		}                                     \
	}

static const struct annex_route probe_routes[] = {
	{ ANNEX_MESSAGE, NULL, "body", probe_message },
	{ ANNEX_PRESENCE, NULL, NULL, probe_presence },
	IQ("well", answer_well),
	IQ("twice", answer_twice),
	IQ("nothing", answer_nothing),
	IQ("never", answer_never),
	IQ("garbled", answer_garbled),
	IQ("later", answer_later),
	IQ("both", answer_held_and_now),
	IQ("refuse", answer_refuse),
	IQ("fail", answer_fail),
	IQ("pass", answer_pass),
	IQ("confirm", answer_confirm),
	{ 0 },
};

/* --- Discovery ------------------------------------------------------------------------------ */

static int
probe_info(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_disco_info *info, struct annex_error *error)
{
	if (in->to->local == NULL)
		return ANNEX_ENOENT;
	if (strcmp(in->to->local, "secret") == 0) {
		error->condition = ANNEX_FORBIDDEN;
		return ANNEX_EDENIED;
	}
	if (strcmp(in->to->local, "room") != 0)
		return ANNEX_ENOENT;
	annex_disco_identity(info, "conference", "text", "A room");
	annex_disco_feature(info, NS_PROBE);
	return ANNEX_OK;
}

static const char *
item_id(const void *item)
{
	return ((const struct annex_disco_item *)item)->jid;
}

/* Of the domain: 25 rooms; of "many": 1,200, which is more than one answer takes. */
static int
probe_items(struct annex_instance *inst, const struct annex_stanza *in, const char *node,
    struct annex_source *source, struct annex_error *error)
{
	struct annex_array *array = annex_new(annex_scratch(inst), struct annex_array);
	size_t n = in->to->local == NULL ? 25 : 1200;
	void **items;

	if (node != NULL || (in->to->local != NULL && strcmp(in->to->local, "many") != 0))
		return ANNEX_ENOENT;
	items = annex_new_array(annex_scratch(inst), void *, n);
	for (size_t i = 0; i < n; i++) {
		struct annex_disco_item *item =
		    annex_new(annex_scratch(inst), struct annex_disco_item);

		item->jid =
		    annex_sprintf(annex_scratch(inst), "room%02zu@%s", i + 1, annex_domain(inst));
		items[i] = item;
	}
	*array = (struct annex_array) { .item = items, .count = n, .id_of = item_id };
	*source = annex_array_source(array);
	return ANNEX_OK;
}

static const struct annex_identity probe_identities[] = {
	{ "component", "generic", "Probe" },
	{ 0 },
};
static const char *const probe_features[] = { NS_PROBE, NULL };

static const struct annex_disco probe_disco = {
	.identities = probe_identities,
	.features = probe_features,
	.info = probe_info,
	.items = probe_items,
};

/* --- Commands -------------------------------------------------------------------------------- */

struct sum {
	int64_t first, second;
	const char *colour;
};

static const struct annex_choice colours[] = {
	{ "red", "Red" },
	{ "green", "Green" },
	{ 0 },
};
static const struct annex_field sum_first[] = {
	ANNEX_FIELD(struct sum, first, "first", ANNEX_TEXT_SINGLE, "First number", .max = 100,
	    .required = true),
	{ 0 },
};
static const struct annex_field sum_second[] = {
	ANNEX_FIELD(struct sum, second, "second", ANNEX_TEXT_SINGLE, "Second number", .max = 100),
	ANNEX_FIELD(struct sum, colour, "colour", ANNEX_LIST_SINGLE, "Colour", .choices = colours),
	{ 0 },
};
static const struct annex_form form_first = { .type = NS_PROBE,
	.title = "Sum",
	.instructions = "Two numbers, one after the other.",
	.fields = sum_first };
static const struct annex_form form_second = { .title = "Sum", .fields = sum_second };

static int
run_sum(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	struct sum *sum = values;

	if (stage == 0) {
		sum->second = sum->first + 1;
		sum->colour = "green";
		annex_run_ask(run, &form_second);
		return ANNEX_AGAIN;
	}
	if (sum->second == 13) {
		annex_run_fail(run, ANNEX_NOT_ACCEPTABLE, "Not that one.");
		return ANNEX_EINVAL;
	}
	annex_run_say(run, "%lld, in %s", (long long)(sum->first + sum->second), sum->colour);
	return ANNEX_OK;
}

static int
run_table(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	static const char *const vars[] = { "name", "size", NULL };
	static const char *const labels[] = { "Name", "Size", NULL };
	static const char *const rows[][3] = { { "one", "1", NULL }, { "two", "2", NULL } };

	annex_run_columns(run, vars, labels);
	for (size_t i = 0; i < 2; i++)
		annex_run_row(run, rows[i]);
	return ANNEX_OK;
}

static int
run_denied(struct annex_instance *inst, struct annex_run *run, unsigned stage, void *values)
{
	return ANNEX_EDENIED;
}

static const struct annex_command probe_commands[] = {
	{ .node = "sum",
	    .name = "Add two numbers",
	    .who = ANNEX_WHO_LOCAL,
	    .form = &form_first,
	    .values_size = sizeof(struct sum),
	    .run = run_sum,
	    .help = "Adds two numbers.",
	    .stages = 2 },
	{ .node = "table",
	    .name = "Show a table",
	    .who = ANNEX_WHO_ANYBODY,
	    .run = run_table,
	    .help = "Shows a table." },
	{ .node = "denied",
	    .name = "Be denied",
	    .who = ANNEX_WHO_ADMIN,
	    .run = run_denied,
	    .help = "Is not allowed." },
	{ .node = "inside",
	    .name = "Not over XMPP",
	    .who = ANNEX_WHO_OPERATOR,
	    .run = run_table,
	    .help = "For annexctl alone." },
	{ 0 },
};

/* --- Life ---------------------------------------------------------------------------------------- */

static int
probe_create(struct annex_instance *inst)
{
	struct probe_state *state = annex_new(annex_pool(inst), struct probe_state);

	state->timer = annex_timer(inst, timer_rings, state);
	annex_set_state(inst, state);
	return ANNEX_OK;
}

static void
probe_link_up(struct annex_instance *inst)
{
	annex_log(inst, ANNEX_LOG_INFO, "the probe is up");
}

static void
probe_link_down(struct annex_instance *inst)
{
	annex_log(inst, ANNEX_LOG_INFO, "the probe is down");
}

static int
probe_reload(struct annex_instance *inst)
{
	const struct probe_settings *settings = annex_settings(inst);

	return settings->restarts ? ANNEX_ERESTART : ANNEX_OK;
}

/* Goodbye takes a second. */
static void
said_goodbye(struct annex_instance *inst, void *cookie)
{
	tell(inst, "log@example.org", "goodbye");
	annex_stopped(inst);
}

static int
probe_stop(struct annex_instance *inst)
{
	annex_timer_start(annex_timer(inst, said_goodbye, NULL), 1000);
	return ANNEX_AGAIN;
}

/* One to /crash does not get as far as being refused. */
static void
probe_presence_refused(
    struct annex_instance *inst, const struct annex_stanza *in, const struct annex_error *why)
{
	(void)why;
	if (in->to->resource != NULL && strcmp(in->to->resource, "crash") == 0)
		order_crash(inst, in, "");
}

ANNEX_MODULE(probe) = {
	ANNEX_MODULE_ABI,
	.name = "probe",
	.version = "7.7",
	.summary = "does what a test tells it to",
	.options = probe_options,
	.settings_size = sizeof(struct probe_settings),
	.routes = probe_routes,
	.disco = &probe_disco,
	.commands = probe_commands,
	.tables = probe_tables,
	.alarms = probe_alarms,
	.jobs = probe_jobs,
	.contacts = &probe_contacts,
	.presence_refused = probe_presence_refused,
	.create = probe_create,
	.link_up = probe_link_up,
	.link_down = probe_link_down,
	.reload = probe_reload,
	.stop = probe_stop,
};
