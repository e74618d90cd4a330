/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * expect.c - what came out, held against what was expected
 *
 * "<" takes the first stanza that matches and demands that all before it of
 * the same flow were taken already.  A flow, as seen from here, is what one
 * address of the component says; the answers to IQs are one by themselves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <annex/pool.h>

#include "match.h"
#include "play.h"
#include "tree.h"

#define SHOWN_MOST 4

/* --- What comes out ----------------------------------------------------------- */

static uint64_t
hash_of(const char *text, size_t len)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
	return h == 0 ? 1 : h;
}

/* For jing, each once. */
static void
write_out(struct play *p, const char *raw, size_t len)
{
	uint64_t hash = hash_of(raw, len);
	size_t at = hash % NOTES_SEEN;

	if (p->sent == NULL)
		return;
	for (size_t n = 0; n < 64; n++, at = (at + 1) % NOTES_SEEN) {
		if (p->notes->seen[at] == hash)
			return;
		if (p->notes->seen[at] == 0) {
			p->notes->seen[at] = hash;
			break;
		}
	}
	fprintf(p->sent, "<!-- line %u -->", p->notes->line);
	fwrite(raw, 1, len, p->sent);
	fputc('\n', p->sent);
}

static bool
is_fence(const struct play *p, const struct annex_element *el)
{
	const char *from = annex_attr(el, "from");
	size_t len = strlen(p->setting.domain);

	return strcmp(el->name, "iq") == 0 && from != NULL &&
	    strncmp(from, p->setting.domain, len) == 0 && strcmp(from + len, "/annex") == 0;
}

static const char *
flow_of(struct play *p, const struct annex_element *el)
{
	const char *from = annex_attr(el, "from");

	if (strcmp(el->name, "iq") == 0)
		return "iq";
	return annex_strndup(p->pool, from, strcspn(from, "/"));
}

void
expect_output(struct play *p, struct annex_element *el, const char *raw, size_t raw_len)
{
	const char *wrong;
	struct output *o;

	if (p->options->verbose)
		fprintf(stderr, "    said: %.*s\n", (int)raw_len, raw);
	write_out(p, raw, raw_len);
	if ((wrong = ledger_out(&p->ledger, el, raw, raw_len, p->server.connections)) != NULL)
		play_fail(p, "%s:\n    %.*s", wrong, (int)raw_len, raw);
	if (is_fence(p, el))
		return;
	if (p->output_count == p->output_room) {
		p->output_room = p->output_room == 0 ? 64 : 2 * p->output_room;
		p->outputs = realloc(p->outputs, p->output_room * sizeof(*p->outputs));
	}
	o = &p->outputs[p->output_count++];
	*o = (struct output) {
		.el = el, .raw = annex_strndup(p->pool, raw, raw_len), .raw_len = raw_len
	};
	o->flow = flow_of(p, el);
}

/* --- The report ------------------------------------------------------------------ */

static void
show_outputs(struct play *p, FILE *out)
{
	unsigned shown = 0, left = 0;

	for (size_t i = 0; i < p->output_count; i++) {
		if (p->outputs[i].taken)
			continue;
		if (shown < SHOWN_MOST) {
			tree_print(out, p->outputs[i].el);
			shown++;
		} else {
			left++;
		}
	}
	if (shown == 0)
		fprintf(out, "%8snothing\n", "");
	if (left > 0)
		fprintf(out, "%8s... and %u more\n", "", left);
}

static char *
outputs_text(struct play *p)
{
	char *text = NULL, *kept;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	show_outputs(p, out);
	fclose(out);
	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	kept = annex_strdup(p->pool, text);
	free(text);
	return kept;
}

/* --- One expectation ---------------------------------------------------------------- */

struct wanted {
	const char *text;
	struct annex_element *tree; /* NULL: a path */
};

static struct wanted
read_wanted(struct play *p, struct statement *st)
{
	struct wanted w = { .text = st->text };
	const char *why;

	if (st->text[0] == '<') {
		if (st->tree == NULL)
			st->tree = tree_read(p->script->pool, st->text, strlen(st->text), &why);
		if (st->tree == NULL)
			play_fail(p, "what is expected here is no XML: %s", why);
		w.tree = st->tree;
	} else if ((why = path_check(p->pool, st->text)) != NULL) {
		play_fail(p, "%s", why);
	}
	return w;
}

static bool
matches(struct play *p, const struct wanted *w, const struct annex_element *el, const char **why)
{
	*why = NULL;
	return w->tree != NULL ? match_tree(&p->vars, w->tree, el, why)
			       : match_path(&p->vars, w->text, el);
}

/* An output of the same flow before this one that nobody has expected yet. */
static const struct output *
overtaken(const struct play *p, const struct output *o)
{
	for (const struct output *b = p->outputs; b < o; b++)
		if (!b->taken && strcmp(b->flow, o->flow) == 0)
			return b;
	return NULL;
}

static struct output *
find(struct play *p, const struct wanted *w, const char **why)
{
	const char *differs;

	*why = NULL;
	for (size_t i = 0; i < p->output_count; i++) {
		struct output *o = &p->outputs[i];

		if (o->taken)
			continue;
		if (matches(p, w, o->el, &differs))
			return o;
		if (*why == NULL)
			*why = differs;
	}
	return NULL;
}

void
expect_stanza(struct play *p, struct statement *st)
{
	struct wanted w = read_wanted(p, st);
	const struct output *before;
	const char *why;
	struct output *o = find(p, &w, &why);

	if (o == NULL && play_is_lenient(p))
		return;
	if (o == NULL)
		play_fail(p, "expected\n        %s\n    but got\n%s%s%s", st->text, outputs_text(p),
		    why == NULL ? "" : "\n    which differs at ", why == NULL ? "" : why);
	before = st->verb == VERB_EXPECT && !play_is_lenient(p) ? overtaken(p, o) : NULL;
	if (before != NULL)
		play_fail(p, "expected\n        %s\n    which came, but behind\n        %s",
		    st->text, before->raw);
	o->taken = true;
	st->met = true;
}

void
expect_nothing(struct play *p)
{
	if (play_is_lenient(p))
		return;
	for (size_t i = 0; i < p->output_count; i++)
		if (!p->outputs[i].taken)
			play_fail(p, "expected nothing (more), but got\n%s", outputs_text(p));
}

/* --- The end --------------------------------------------------------------------------- */

/* The very same as before: what is kept until it is known to be routed is sent again, under its id. */
static bool
is_sent_again(const struct play *p, const struct output *o)
{
	for (const struct output *before = p->outputs; before < o; before++)
		if (before->taken && before->raw_len == o->raw_len &&
		    memcmp(before->raw, o->raw, o->raw_len) == 0)
			return true;
	return false;
}

/* Once the store has failed: a refusal, or something that was expected, be it late. */
static bool
is_explained(struct play *p, const struct output *o)
{
	const char *type = annex_attr(o->el, "type"), *why;
	bool again = strcmp(o->el->name, "presence") == 0 ||
	    (strcmp(o->el->name, "iq") == 0 && type != NULL &&
		(strcmp(type, "get") == 0 || strcmp(type, "set") == 0));

	if ((type != NULL && strcmp(type, "error") == 0) || is_sent_again(p, o))
		return true;
	for (size_t i = 0; i < p->script->count; i++) {
		struct statement *st = &p->script->at[i];
		struct wanted w;

		if (st->verb != VERB_MAY &&
		    ((st->verb != VERB_EXPECT && st->verb != VERB_EXPECT_ANY) ||
			(st->met && !again)))
			continue;
		w = read_wanted(p, st);
		if (matches(p, &w, o->el, &why)) {
			st->met = true;
			return true;
		}
	}
	return false;
}

static void
explain_outputs(struct play *p)
{
	for (size_t i = 0; i < p->output_count; i++)
		if (!p->outputs[i].taken &&
		    !(p->outputs[i].taken = is_explained(p, &p->outputs[i])))
			play_fail(p, "nothing in the conversation explains\n        %s",
			    p->outputs[i].raw);
}

static const char *
level_name(enum annex_log_level level)
{
	static const char *const names[] = { [ANNEX_LOG_BUG] = "bug",
		[ANNEX_LOG_ERROR] = "error",
		[ANNEX_LOG_WARNING] = "warning" };

	return names[level];
}

static void
check_logs(struct play *p)
{
	for (size_t i = 0; i < p->log_count; i++) {
		struct logged *l = &p->logs[i];

		if (l->announced || l->level > ANNEX_LOG_WARNING)
			continue;
		if (play_is_lenient(p) && l->level != ANNEX_LOG_BUG)
			continue;
		l->announced = true;
		p->notes->line = l->line;
		play_fail(p,
		    "an unexpected complaint (announce it with: log %s \"...\"):\n        %s",
		    level_name(l->level), l->text);
	}
}

void
expect_end(struct play *p)
{
	const struct question *q;

	if (play_is_lenient(p)) {
		life_wait(p, 70000);     /* what is held is answered by then */
		if (p->kind == RUN_SOFT) /* what a worker had in hand when it ended is lost */
			explain_outputs(p);
	} else {
		expect_nothing(p);
	}
	if ((q = ledger_unanswered(&p->ledger)) != NULL) {
		p->notes->line = q->line;
		play_fail(p, "this IQ was never answered");
	}
	check_logs(p);
}
