/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * history.c - what newcomers are shown (XEP-0045 §7.2.13 to 15)
 *
 * The history is the end of the archive; of a room without one what memory has
 * of it.  Of all that limits it the smallest
 * counts.  The subject comes last, always, also where there is none.
 */
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "routed.h"

#define HISTORY_MAX 1000
#define HISTORY_STANZAS 4 /* no more bytes than that many of the largest have */

struct wish {
	size_t most;
	long long chars; /* -1: any number */
	int64_t since_ms;
};

static bool
number_of(const struct annex_element *history, const char *name, long long *number_r)
{
	const char *text = annex_attr(history, name);
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return false;
	*number_r = strtoll(text, &end, 10);
	return *end == '\0';
}

static struct wish
wish_read(const struct room *room, const struct annex_element *history)
{
	struct wish w = { (size_t)room->config.max_history, -1, 0 };
	int64_t now = annex_wall_ms(room->muc->inst), since;
	const char *text;
	long long n;

	if (w.most > HISTORY_MAX)
		w.most = HISTORY_MAX;
	if (history == NULL)
		return w;
	if (number_of(history, "maxstanzas", &n) && (unsigned long long)n < w.most)
		w.most = (size_t)n;
	number_of(history, "maxchars", &w.chars);
	if (number_of(history, "seconds", &n) && n < now / 1000)
		w.since_ms = now - n * 1000 + (n == 0);
	text = annex_attr(history, "since");
	if (text != NULL && annex_datetime_read(text, &since) == ANNEX_OK && since > w.since_ms)
		w.since_ms = since;
	return w;
}

/* §7.9: what an owner brought along from elsewhere keeps its own stamp alone. */
static bool
is_pasted(const struct room *room, const Muc__Line *line, const struct annex_element *kept)
{
	const struct annex_jid *by;

	if (annex_child(kept, ANNEX_NS_DELAY, "delay") == NULL)
		return false;
	by = annex_jid(annex_scratch(room->muc->inst), line->jid);
	return by != NULL && power_of(room, by) == RANK_OWNER;
}

struct annex_stanza *
line_build(const struct room *room, const Muc__Line *line, const char *to)
{
	struct annex_pool *pool = annex_scratch(room->muc->inst);
	struct annex_element *kept = kept_element(pool, line->xml);
	struct annex_stanza *out;

	if (kept == NULL)
		return NULL;
	out = annex_message(room->muc->inst, annex_attr(kept, "from"), to, "groupchat");
	annex_attr_set(out->element, "id", annex_attr(kept, "id"));
	add_language(out->element, kept);
	annex_add_copies(out->element, kept);
	annex_make_fleeting(out);
	if (!is_pasted(room, line, kept))
		annex_delay_add(out->element, room->jid, line->stamp_ms, NULL);
	return out;
}

/* Characters of the whole stanza (§7.2.14), not bytes. */
static long long
length(const struct annex_stanza *out)
{
	const char *text = annex_element_write(out->element, out->pool, &(size_t) { 0 });
	long long n = 0;

	for (; text != NULL && *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* From the archive, or where there is none from memory; NULL at the end. */
static const Muc__Line *
line_before(const struct room *room, struct annex_iter *it, size_t ago)
{
	if (!room->config.logged)
		return recent_line(room, ago);
	return annex_next(room->muc->store, it) == ANNEX_AGAIN ? (const Muc__Line *)it->record
							       : NULL;
}

/* Newest first, until one of the limits is reached; how many there are. */
static size_t
collect(const struct room *room, const struct wish *w, const struct session *to,
    struct annex_stanza **lines)
{
	struct annex_key prefix = muc_key(TABLE_LINES, room->id), key = prefix;
	struct annex_iter it = annex_iter_from(&prefix, annex_key_u64(&key, to->line));
	long long chars = w->chars;
	const Muc__Line *line;
	size_t n = 0, looked = 0, bytes = 0;

	it.backwards = true;
	while (n < w->most && looked < 4 * HISTORY_MAX &&
	    (line = line_before(room, &it, looked++)) != NULL) {
		if (line->stamp_ms < w->since_ms)
			break;
		if (!line->history)
			continue;
		bytes += strlen(line->xml);
		if (bytes > HISTORY_STANZAS * annex_send_max(room->muc->inst))
			break;
		if ((lines[n] = line_build(room, line, to->jid)) == NULL)
			continue;
		if (chars >= 0 && (chars -= length(lines[n])) < 0)
			break;
		n++;
	}
	return n;
}

void
history_send(struct room *room, const struct session *to, const struct annex_element *history)
{
	struct wish w = wish_read(room, history);
	struct annex_stanza **lines;
	size_t n;

	if (w.most == 0 || w.chars == 0)
		return;
	lines = annex_new_array(annex_scratch(room->muc->inst), struct annex_stanza *, w.most);
	n = collect(room, &w, to, lines);
	while (n-- > 0)
		room_sent(room, annex_send_on(room->muc->inst, room_flow(room), lines[n]));
}

void
subject_send(struct room *room, const struct session *to)
{
	struct annex_pool *pool = annex_scratch(room->muc->inst);
	struct annex_element *kept = kept_element(pool, room->subject);
	struct annex_stanza *out = annex_message(room->muc->inst,
	    kept == NULL ? room->jid : annex_attr(kept, "from"), to->jid, "groupchat");

	if (kept != NULL) {
		annex_attr_set(out->element, "id", annex_attr(kept, "id"));
		add_language(out->element, kept);
		annex_add_copies(out->element, kept);
		annex_delay_add(out->element, room->jid, room->subject_ms, NULL);
	} else {
		annex_add(out->element, NULL, "subject");
	}
	annex_make_fleeting(out);
	room_sent(room, annex_send_on(room->muc->inst, room_flow(room), out));
}
