/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * react.c - reactions to messages, both ways (XEP-0444)
 *
 * A reaction is all that somebody has to say of a message in emoji: it replaces
 * what they said of it before, and none takes it back.  In a room messages
 * are known by the names that the room gives them (XEP-0359), so those of
 * what a bot has said there are kept for a day: reactions to them are meant
 * for the bot, those to what others said are not.
 */
#include <string.h>

#include "action.h"

#define REACTIONS_MOST 32
#define EMOJI_BYTES 64 /* families of four with skin tones have 41 */

/* --- What is one ---------------------------------------------------------------- */

/* Shown as one character, which letters, blanks and marks of ASCII are not (§4.1). */
static bool
is_emoji(const char *text)
{
	size_t len = strlen(text);
	bool other = false;

	for (const char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c >= 0x80)
			other = true;
		else if (strchr("0123456789#*", *c) == NULL) /* of keycaps */
			return false;
	}
	return other && len <= EMOJI_BYTES;
}

static bool
has(const char *const *texts, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(texts[i], text) == 0)
			return true;
	return false;
}

/* --- From people ------------------------------------------------------------------ */

/* NULL-ended: what is no emoji, or stands there twice, is ignored. */
static const char **
reactions_of(const struct annex_element *el, struct annex_pool *pool)
{
	const char **all = annex_new_array(pool, const char *, REACTIONS_MOST + 1);
	size_t n = 0;

	ANNEX_CHILDREN (el, child) {
		const char *text = annex_text(child);

		if (annex_is(child, NS_REACTIONS, "reaction") && n < REACTIONS_MOST &&
		    is_emoji(text) && !has(all, n, text))
			all[n++] = text;
	}
	return all;
}

/* Of its type, of one message, and with an address to say that in. */
static const struct annex_element *
reactions_in(const struct annex_stanza *in)
{
	const struct annex_element *el = annex_child(in->element, NS_REACTIONS, "reactions");
	const char *id = el == NULL ? NULL : annex_attr(el, "id");

	return id == NULL || *id == '\0' || annex_child_after(el, NS_REACTIONS, "reactions") != NULL
	    ? NULL
	    : el;
}

/* Our own name of the message; NULL: it is nothing that they may react to. */
static const char *
own_id(struct bot *bot, const struct annex_stanza *in, const char *id, const char **key_r)
{
	struct annex_pool *pool = annex_scratch(bot->bots->inst);
	const Bots__Send *send;
	const struct annex_jid *to;

	if (is_groupchat(in) && (id = echo_id(bot, in->from->bare, id)) == NULL)
		return NULL;
	if ((send = send_by_id(bot, id)) == NULL)
		return id;
	to = annex_jid(pool, send->to);
	if (to == NULL || strcmp(to->bare, in->from->bare) != 0)
		return NULL;
	*key_r = *send->key == '\0' ? NULL : annex_strdup(pool, send->key);
	return id;
}

/* What is late counts for nothing where something later was heard (§4.2). */
static int
is_newest(struct bot *bot, const struct annex_stanza *in, const char *id)
{
	struct annex_instance *inst = bot->bots->inst;
	const char *speaker = rooms_speaker(bot, in->from->full, in->from->bare);
	struct annex_key key = bots_key_in(
	    TABLE_REACTIONS, bot->name, annex_sprintf(annex_scratch(inst), "%s\n%s", speaker, id));
	Bots__Reaction row = BOTS__REACTION__INIT;
	ProtobufCMessage *before;

	row.said_ms = row.heard_ms = annex_wall_ms(inst);
	annex_delay_read(in->element, NULL, &row.said_ms);
	if (annex_get(bot->bots->store, &key, &before) >= 0 &&
	    ((const Bots__Reaction *)before)->said_ms > row.said_ms)
		return ANNEX_ENOENT;
	tidy_later(bot->bots);
	return annex_put(bot->bots->store, &key, &row.base);
}

static const char *
in_a_row(const char *const *reactions, struct annex_pool *pool)
{
	struct text t = { .pool = pool };

	text_puts(&t, "");
	for (size_t i = 0; reactions[i] != NULL; i++)
		text_printf(&t, "%s%s", i > 0 ? " " : "", reactions[i]);
	return t.bytes;
}

static int
reaction_event(struct bot *bot, const struct annex_stanza *in, const char *id, const char *key,
    const char *const *reactions)
{
	struct event *ev;
	struct text t;
	int64_t stamp_ms;
	int r;

	if ((r = event_make(bot, "reaction", in->from, &ev)) < 0)
		return bots_must(bot->bots, r);
	ev->type = in->type != NULL ? annex_strdup(ev->pool, in->type) : "normal";
	ev->thread = annex_strdup(ev->pool, annex_child_text(in->element, NULL, "thread"));
	ev->lang = annex_strdup(ev->pool, annex_lang(in->element));
	ev->body = in_a_row(reactions, ev->pool);
	t = event_begin(ev);
	text_member(&t, "id", id);
	text_member(&t, "key", key);
	text_strings(&t, "reactions", reactions);
	if (annex_delay_read(in->element, NULL, &stamp_ms) >= 0)
		text_member(&t, "delay", annex_datetime(ev->pool, stamp_ms));
	add_who(&t, bot, in->from, ev->lang);
	event_end(ev, &t);
	return event_add_or_drop(ev);
}

/*
 * One that was not heard before; said tells it from others.  In a room all that others say to each
 * other would count, so whether it is meant for the bot is asked first.
 */
static int
take(struct bot *bot, const struct annex_stanza *in, const char *id, const char *const *reactions,
    const char *said)
{
	const char *key = NULL;
	int r;

	if ((id = own_id(bot, in, id, &key)) == NULL || !guard_admits(bot, in, said))
		return ANNEX_OK;
	if ((r = is_newest(bot, in, id)) < 0)
		return r == ANNEX_ENOENT ? ANNEX_OK : r;
	r = reaction_event(bot, in, id, key, reactions);
	return r < 0 ? r : seen_note(bot, in, said);
}

bool
react_take(struct bot *bot, const struct annex_stanza *in)
{
	struct annex_pool *pool = annex_scratch(bot->bots->inst);
	const struct annex_element *el = reactions_in(in);
	const char **reactions, *id;
	int r;

	if (annex_child(in->element, NS_REACTIONS, "reactions") == NULL)
		return false;
	if (el == NULL || !bot_wants(bot, "reaction"))
		return true;
	id = annex_attr(el, "id");
	reactions = reactions_of(el, pool);
	r = take(
	    bot, in, id, reactions, annex_sprintf(pool, "%s %s", id, in_a_row(reactions, pool)));
	if (r == ANNEX_ELIMIT || r == ANNEX_EINVAL)
		event_refuse(bot->bots, in, r);
	else
		bots_must(bot->bots, r);
	return true;
}

/* --- Of bots ----------------------------------------------------------------------- */

int
judge_reactions(struct action *a)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(a->reactions) || json_array_size(a->reactions) > REACTIONS_MOST)
		return action_wrong(
		    a, "bad-json", "\"reactions\" must be a list of at most %d", REACTIONS_MOST);
	json_array_foreach(a->reactions, i, item)
	{
		if (!json_is_string(item) || !is_emoji(json_string_value(item)))
			return action_wrong(
			    a, "bad-json", "each of \"reactions\" must be an emoji");
	}
	return ANNEX_OK;
}

void
add_reactions(struct annex_element *message, const char *id, const json_t *reactions, bool keep)
{
	struct annex_element *el = annex_add(message, NS_REACTIONS, "reactions");
	const char *before[REACTIONS_MOST];
	const json_t *item;
	size_t i;

	annex_attr_set(el, "id", id);
	json_array_foreach(reactions, i, item)
	{
		before[i] = json_string_value(item);
		if (!has(before, i, before[i]))
			annex_add_text(el, NULL, "reaction", before[i]);
	}
	if (keep)
		annex_add(message, NS_HINTS, "store");
}

int
judge_react(struct action *a)
{
	if (*a->react == '\0')
		return action_wrong(a, "bad-json", "\"react\" must be the id of a message");
	if (strcmp(a->to->domain, annex_domain(a->bot->bots->inst)) == 0)
		return action_wrong(
		    a, "not-allowed", "bots do not talk to bots of the same gateway");
	if (out_is_full(a->bot->bots))
		return action_wrong(
		    a, "resource-constraint", "too many messages wait for the server already");
	return judge_reactions(a);
}

int
run_react(struct action *a)
{
	struct annex_instance *inst = a->bot->bots->inst;
	struct annex_stanza *out = annex_message(inst, a->bot->full,
	    rooms_reply_to(a->bot, a->to->full, a->to->bare, a->type),
	    a->type != NULL ? a->type : "chat");

	a->stanza_id = annex_random_id(inst);
	a->state = send_states[SEND_QUEUED];
	annex_attr_set(out->element, "id", a->stanza_id);
	add_reactions(out->element, a->react, a->reactions, true);
	return out_send(a->bot, out, NULL);
}
