/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * play.c - one run of one conversation
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <annex/pool.h>

#include "play.h"

const char *
run_name(enum run_kind kind, unsigned long number, char name[40])
{
	static const char *const names[] = { "whole", "bytes", "split", "soft", "hard" };

	if (kind == RUN_WHOLE || kind == RUN_BYTES)
		snprintf(name, 40, "%s", names[kind]);
	else
		snprintf(name, 40, "%s:%lu", names[kind], number);
	return name;
}

static const char *
run_text(const struct play *p)
{
	switch (p->kind) {
	case RUN_WHOLE:
		return "";
	case RUN_BYTES:
		return "byte by byte: ";
	case RUN_SPLIT:
		return "split at random: ";
	case RUN_SOFT:
		return "with a call of the store failing: ";
	default:
		return "with an I/O error of the store: ";
	}
}

void
play_fail(struct play *p, const char *fmt, ...)
{
	char name[40];
	va_list args;

	fflush(stdout);
	fprintf(stderr, "%s:%u: %s", p->script->path, p->notes->line, run_text(p));
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	for (size_t i = 0; i < p->log_count; i++)
		if (p->logs[i].level <= ANNEX_LOG_WARNING && !p->logs[i].announced)
			fprintf(stderr, "\n  logged: %s", p->logs[i].text);
	fprintf(stderr, "\n  again: annex-play --run %s%s%s %s\n",
	    run_name(p->kind, p->number, name), p->options->module == NULL ? "" : " --module ",
	    p->options->module == NULL ? "" : p->options->module, p->script->path);
	fflush(stderr);
	if (p->sent != NULL)
		fflush(p->sent);
	_exit(1);
}

bool
play_is_lenient(const struct play *p)
{
	return p->disk.failed;
}

/* --- What the server tells us ------------------------------------------------- */

static struct play *
play_of(struct server_user *user)
{
	return annex_container_of(user, struct play, server_user);
}

static void
on_said(struct server_user *user, struct annex_element *el, const char *raw, size_t raw_len)
{
	expect_output(play_of(user), el, raw, raw_len);
}

static void
on_asked_back(struct server_user *user, const struct annex_element *el)
{
	struct play *p = play_of(user);

	ledger_in(&p->ledger, el, p->notes->line);
}

static void
on_writing(struct server_user *user)
{
	struct play *p = play_of(user);

	if (disk_is_dirty(&p->disk))
		play_fail(p, "something is shown before what it shows is on disk");
}

static void
on_wrong(struct server_user *user, const char *why)
{
	play_fail(play_of(user), "%s", why);
}

static void
init_server(struct play *p)
{
	p->server_user = (struct server_user) { .said = on_said,
		.asked_back = on_asked_back,
		.writing = on_writing,
		.wrong = on_wrong };
	p->server = (struct server) { .user = &p->server_user,
		.pool = p->pool,
		.domain = p->setting.domain,
		.secret = SECTION_SECRET,
		.dice = &p->dice,
		.pieces = p->kind == RUN_BYTES ? PIECES_BYTES
		    : p->kind == RUN_SPLIT     ? PIECES_RANDOM
					       : PIECES_WHOLE };
	server_init(&p->server);
}

/* --- The run --------------------------------------------------------------------- */

static void
step(struct play *p, struct statement *st)
{
	p->at = st;
	p->notes->line = st->line;
	if (p->options->verbose)
		fprintf(stderr, "%s:%u\n", p->script->path, st->line);
	if (st->verb == VERB_SEND) {
		verb_send(p, st);
		return;
	}
	if (st->verb == VERB_WORD && strcmp(st->word, "dies") == 0 && *st->text == '\0') {
		life_expect_crash(p);
		return;
	}
	verb_flush(p);
	if (st->verb == VERB_NOTHING)
		expect_nothing(p);
	else if (st->verb == VERB_WORD)
		verb_word(p, st);
	else if (st->verb != VERB_MAY)
		expect_stanza(p, st);
}

void
play_run(struct play *p)
{
	bool begun = false;

	life_init(p);
	init_server(p);
	ledger_init(&p->ledger, p->pool, p->setting.domain);
	p->vars.pool = p->pool;
	for (size_t i = 0; i < p->script->count; i++)
		p->script->at[i].met = false; /* by an earlier run */
	for (size_t i = 0; i < p->script->count; i++) {
		struct statement *st = &p->script->at[i];

		if (!begun && (st->verb != VERB_WORD || !verb_is_head(st->word))) {
			begun = true;
			p->notes->line = st->line;
			life_begin(p);
		}
		step(p, st);
	}
	verb_flush(p);
	if (begun)
		expect_end(p);
	p->notes->calls = p->disk.calls;
	p->notes->failed_call = p->disk.failed;
	life_end(p);
	programs_finish(&p->programs);
	server_finish(&p->server);
	if (p->sent != NULL)
		fclose(p->sent);
	free(p->outputs);
	free(p->logs);
	free(p->pending);
	annex_pool_destroy(&p->pool);
}
