/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * verbs.c - what each word of a conversation does
 */
#include <ctype.h>
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <annex/pool.h>

#include "play.h"
#include "tree.h"

#define TREE_MOST 65536 /* of what is larger, its tag will do */

/* --- > ------------------------------------------------------------------------- */

/* A start tag that expat's namespaces do not accept: attributes alone will do. */
struct tag {
	struct annex_pool *pool;
	struct annex_element *el;
	unsigned depth;
};

static void
take_tag(void *data, const char *name, const char **atts)
{
	struct tag *t = data;

	if (t->depth++ > 0 || t->el != NULL)
		return;
	t->el = annex_element(t->pool, ANNEX_NS_STANZA, annex_strdup(t->pool, name));
	for (; atts[0] != NULL; atts += 2)
		annex_attr_set(t->el, annex_strdup(t->pool, atts[0]), atts[1]);
}

static void
end_tag(void *data, const char *name)
{
	((struct tag *)data)->depth--;
}

/* Well-formed at least: then the worker will see it, and answer where it is an IQ. */
static struct annex_element *
read_tag(struct annex_pool *pool, const char *text, size_t len)
{
	XML_Parser expat = XML_ParserCreate("UTF-8");
	struct tag tag = { .pool = pool };
	bool whole;

	XML_SetUserData(expat, &tag);
	XML_SetElementHandler(expat, take_tag, end_tag);
	whole = XML_Parse(expat, text, (int)len, 1) == XML_STATUS_OK;
	XML_ParserFree(expat);
	return whole ? tag.el : NULL;
}

static const char *
fence_address(const struct play *p)
{
	return annex_sprintf(p->pool, "%s/annex", p->setting.domain);
}

static struct annex_element *
read_incoming(struct annex_pool *pool, const char *text, size_t len)
{
	struct annex_element *el = NULL;
	const char *why;

	if (len <= TREE_MOST)
		el = tree_read(pool, text, len, &why);
	return el == NULL ? read_tag(pool, text, len) : el;
}

static void
note_incoming(struct play *p, struct statement *st, const char *text, size_t len)
{
	bool always = strcmp(text, st->text) == 0;
	struct annex_element *el = always ? st->tree : NULL;
	const char *from;

	if (el == NULL)
		el = read_incoming(always ? p->script->pool : p->pool, text, len);
	if (always)
		st->tree = el;
	if (el == NULL)
		return;
	from = annex_attr(el, "from");
	/* A ping in our own name is a fence: not ours perhaps, but answered by nobody. */
	if (from == NULL || strcmp(from, fence_address(p)) != 0)
		ledger_in(&p->ledger, el, st->line);
}

void
verb_send(struct play *p, struct statement *st)
{
	const char *missing;
	size_t len;
	char *text = vars_expand(&p->vars, st->text, true, &len, &missing);

	if (text == NULL && play_is_lenient(p))
		return;
	if (text == NULL)
		play_fail(p, "nothing was bound to $%s", missing);
	if (!server_is_up(&p->server) && play_is_lenient(p))
		return;
	if (!server_is_up(&p->server))
		play_fail(p, "there is no link");
	note_incoming(p, st, text, len);
	p->pending = realloc(p->pending, p->pending_len + len + 1);
	memcpy(p->pending + p->pending_len, text, len);
	p->pending_len += len;
	p->pending_line = st->line;
}

void
verb_flush(struct play *p)
{
	unsigned line = p->notes->line;
	size_t len = p->pending_len;

	p->pending_len = 0;
	if (len == 0)
		return;
	p->notes->line = p->pending_line; /* whatever happens now is because of it */
	if (server_is_up(&p->server))
		server_say(&p->server, p->pending, len);
	life_settle(p);
	p->notes->line = line;
}

/* --- Arguments -------------------------------------------------------------------- */

int64_t
verb_duration(struct play *p, const char *text)
{
	static const struct unit {
		const char *name;
		int64_t ms;
	} units[] = {
		{ "ms", 1 },
		{ "s", 1000 },
		{ "m", 60000 },
		{ "h", 3600000 },
		{ "d", 86400000 },
	};
	char *end;
	long long n = strtoll(text, &end, 10);

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (end > text && strcmp(end, units[i].name) == 0)
			return n * units[i].ms;
	play_fail(p, "not a duration, such as 30s or 500ms: %s", text);
}

/* text is word, or word and a blank and *rest. */
static bool
begins(const char *text, const char *word, const char **rest)
{
	size_t len = strlen(word);

	if (strncmp(text, word, len) != 0 || (text[len] != '\0' && text[len] != ' '))
		return false;
	*rest = text + len;
	while (**rest == ' ')
		++*rest;
	return true;
}

/* --- Words -------------------------------------------------------------------------- */

static void
do_head(struct play *p, const char *text)
{
	/* Read before the run: script_head. */
}

static void
do_wait(struct play *p, const char *text)
{
	life_wait(p, verb_duration(p, text));
}

static void
must_be_up(struct play *p, bool up)
{
	if (!life_wait_for_link(p, up, 120000) && !play_is_lenient(p))
		play_fail(p, up ? "the link does not come up" : "the link does not go down");
}

/* That a link is lost is news, but not here. */
static void
link_was_meant_to_go(struct play *p)
{
	for (size_t i = 0; i < p->log_count; i++)
		if ((p->logs[i].line == p->notes->line && strstr(p->logs[i].text, "link lost")) ||
		    (p->link_cut && strstr(p->logs[i].text, "cannot attach")))
			p->logs[i].announced = true;
}

static void
do_link(struct play *p, const char *text)
{
	if (strcmp(text, "down") == 0) {
		p->server.manners = MANNERS_REFUSE;
		server_cut(&p->server);
		must_be_up(p, false);
		link_was_meant_to_go(p);
		p->link_cut = true;
	} else if (strcmp(text, "up") == 0) {
		p->server.manners = MANNERS_FINE;
		must_be_up(p, true);
		link_was_meant_to_go(p);
		p->link_cut = false;
	} else if (strcmp(text, "is up") == 0 || strcmp(text, "is down") == 0) {
		if (server_is_up(&p->server) != (text[3] == 'u') && !play_is_lenient(p))
			play_fail(p, "the link is %s", server_is_up(&p->server) ? "up" : "down");
	} else {
		play_fail(p, "link down, up, is up, or is down; not \"%s\"", text);
	}
}

/* What the server does from now on when somebody connects. */
static const struct manner {
	const char *text;
	enum manners manners;
	bool takes_text;
} manners[] = {
	{ "ok", MANNERS_FINE, false },
	{ "refuses", MANNERS_REFUSE, false },
	{ "closes after connect", MANNERS_CLOSE_AT_CONNECT, false },
	{ "closes after header", MANNERS_CLOSE_AT_HEADER, false },
	{ "closes after handshake", MANNERS_CLOSE_AT_HANDSHAKE, false },
	{ "rejects header with", MANNERS_REJECT_HEADER, true },
	{ "rejects with", MANNERS_REJECT, true },
	{ "greets with", MANNERS_GREET, true },
	{ "is silent", MANNERS_SILENT, false },
};

static bool
set_manners(struct play *p, const char *text)
{
	const char *rest;

	for (size_t i = 0; i < sizeof(manners) / sizeof(*manners); i++) {
		if (!begins(text, manners[i].text, &rest) ||
		    manners[i].takes_text == (*rest == '\0'))
			continue;
		p->server.manners = manners[i].manners;
		p->server.manners_text = rest;
		return true;
	}
	return false;
}

static void
do_server(struct play *p, const char *text)
{
	if (strcmp(text, "restart") == 0) {
		server_cut(&p->server);
		must_be_up(p, false);
		must_be_up(p, true);
		link_was_meant_to_go(p);
	} else if (strcmp(text, "closes") == 0) {
		server_close(&p->server);
		life_settle(p);
		link_was_meant_to_go(p);
	} else if (strcmp(text, "stops reading") == 0 || strcmp(text, "reads on") == 0) {
		p->server.stalled = text[0] == 's';
		life_settle(p);
	} else if (strcmp(text, "loses fences") == 0 || strcmp(text, "returns fences") == 0) {
		p->server.keeps_fences = text[0] == 'l';
	} else if (!set_manners(p, text)) {
		play_fail(p, "the server cannot do \"%s\"; annex-play(1) has what it can", text);
	}
}

static void
do_store(struct play *p, const char *text)
{
	if (sscanf(text, "fails %u", &p->disk.bad_commits) == 1)
		return;
	if (strcmp(text, "full") != 0 && strcmp(text, "ok") != 0)
		play_fail(p, "store full, store ok or store fails N, not \"%s\"", text);
	p->disk.full = text[0] == 'f';
	life_wait(p, 61000); /* the store looks around once a minute */
}

static void
do_start(struct play *p, const char *text)
{
	life_begin(p);
}

static void
do_restart(struct play *p, const char *text)
{
	life_kill(p);
	life_begin(p);
}

static void
run_to_end(struct play *p)
{
	for (int64_t waited = 0; p->worker != NULL && waited < 120000; waited += 50) {
		bool moved = true;

		while (moved && !annexp_worker_has_ended(p->worker)) {
			moved = server_step(&p->server);
			moved |= annexp_worker_turn(p->worker);
		}
		if (annexp_worker_has_ended(p->worker)) {
			life_kill(p);
			return;
		}
		p->clock.mono_us += 50000;
		p->clock.wall_us += 50000;
	}
	if (p->worker != NULL)
		play_fail(p, "the worker does not end");
}

static void
do_stop(struct play *p, const char *text)
{
	if (p->worker != NULL)
		annexp_worker_stop(p->worker);
	run_to_end(p);
}

static void
do_drain(struct play *p, const char *text)
{
	if (p->worker != NULL)
		annexp_worker_drain(p->worker);
	run_to_end(p);
}

static void
do_reload(struct play *p, const char *text)
{
	life_reload(p, text);
}

static const struct level {
	const char *name;
	enum annex_log_level level;
} levels[] = {
	{ "bug", ANNEX_LOG_BUG },
	{ "error", ANNEX_LOG_ERROR },
	{ "warning", ANNEX_LOG_WARNING },
	{ "notice", ANNEX_LOG_NOTICE },
	{ "info", ANNEX_LOG_INFO },
};

/* The text between quotes, or as it is. */
static const char *
unquoted(struct play *p, const char *text)
{
	size_t len = strlen(text);

	if (len >= 2 && text[0] == '"' && text[len - 1] == '"')
		return annex_strndup(p->pool, text + 1, len - 2);
	return text;
}

/* A line of that level was logged since the last one announced, or at least since the beginning. */
static void
do_log(struct play *p, const char *text)
{
	const char *rest = NULL;
	bool found = false;
	size_t i = 0;

	while (i < sizeof(levels) / sizeof(*levels) && !begins(text, levels[i].name, &rest))
		i++;
	if (i == sizeof(levels) / sizeof(*levels))
		play_fail(p, "log bug, error, warning, notice or info; not \"%s\"", text);
	rest = unquoted(p, rest);
	for (size_t k = 0; k < p->log_count; k++) {
		struct logged *l = &p->logs[k];

		if (l->level != levels[i].level || strstr(l->text, rest) == NULL)
			continue;
		found |= !l->announced;
		l->announced = true;
	}
	if (!found && !play_is_lenient(p))
		play_fail(p, "no %s was logged with \"%s\" in it", levels[i].name, rest);
}

static void
do_dies(struct play *p, const char *text)
{
	play_fail(p, "\"dies\" stands alone, behind what is deadly");
}

static const struct word {
	const char *name;
	void (*run)(struct play *play, const char *text);
} words[] = {
	{ "component", do_head },
	{ "domain", do_head },
	{ "options", do_head },
	{ "section", do_head },
	{ "steady", do_head },
	{ "whole", do_head },
	{ "wait", do_wait },
	{ "link", do_link },
	{ "server", do_server },
	{ "store", do_store },
	{ "start", do_start },
	{ "restart", do_restart },
	{ "stop", do_stop },
	{ "drain", do_drain },
	{ "reload", do_reload },
	{ "log", do_log },
	{ "program", act_program },
	{ "dies", do_dies },
};

void
verb_word(struct play *p, struct statement *st)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(words[i].name, st->word) == 0) {
			words[i].run(p, st->text);
			return;
		}
	play_fail(p, "unknown word \"%s\"", st->word);
}

bool
verb_is_head(const char *word)
{
	static const char *const heads[] = { "component", "domain", "options", "section", "steady",
		"whole", "server" };

	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
		if (strcmp(heads[i], word) == 0)
			return true;
	return false;
}
