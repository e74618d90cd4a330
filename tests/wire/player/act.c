/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * act.c - what a program does, and what it must have been given
 *
 *	program 1 runs /bin/sh -c cat
 *	program 1 reads {"seq":1,*}
 *	program 1 writes {"reply":1,"body":"x"}
 *	program 1 ends 0
 *
 * Programs are numbered in the order they were started.  Once a call of the
 * store has failed others run than were written down: then what is expected
 * of them is not looked at, and what one does the newest does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <annex/pool.h>

#include "play.h"

static void
act_runs(struct play *p, struct program *program, const char *text)
{
	if (!vars_match(&p->vars, text, program->line))
		play_fail(p, "it runs %s", program->line);
}

static void
act_reads(struct play *p, struct program *program, const char *text)
{
	const char *line = program_read_line(&p->programs, program);

	if (strcmp(text, "nothing") == 0) {
		if (line != NULL)
			play_fail(p, "it reads %s", line);
	} else if (strcmp(text, "end") == 0) {
		if (line != NULL || !program->read_all)
			play_fail(
			    p, "its input has not ended: %s", line != NULL ? line : "nothing");
	} else if (line == NULL || !vars_match(&p->vars, text, line)) {
		play_fail(p, "it reads %s", line != NULL ? line : "nothing");
	}
}

static void
act_has(struct play *p, struct program *program, const char *text)
{
	size_t name = strcspn(text, "=") + 1;

	for (const char *at = program->env; at != NULL; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, text, name) != 0)
			continue;
		at = annex_strndup(p->pool, at, strcspn(at, "\n"));
		if (vars_match(&p->vars, text, at))
			return;
		play_fail(p, "it has %s", at);
	}
	play_fail(p, "its environment is:\n%s", program->env);
}

/* The program that was meant to say it again may not be there. */
static bool
was_written(const struct play *p, const char *text)
{
	for (const struct statement *st = p->script->at; st < p->at; st++) {
		const char *same = st->word == NULL ? NULL : strstr(st->text, text);

		if (same != NULL && strcmp(same, text) == 0 && strstr(st->text, "writes") != NULL)
			return true;
	}
	return false;
}

static void
act_writes(struct play *p, struct program *program, const char *text)
{
	const char *missing;
	size_t len;
	char *line = vars_expand(&p->vars, text, true, &len, &missing);

	if (play_is_lenient(p) && (line == NULL || was_written(p, text)))
		return;
	if (line == NULL)
		play_fail(p, "nothing was bound to $%s", missing);
	line = annex_memdup(p->pool, line, len + 1);
	line[len] = '\n';
	if (!program_write(program, program->out, line, len + 1) && !play_is_lenient(p))
		play_fail(p, "nobody takes what it writes");
	life_settle(p);
}

static void
act_says(struct play *p, struct program *program, const char *text)
{
	const char *line = annex_sprintf(p->pool, "%s\n", text);

	program_write(program, program->err, line, strlen(line));
	life_settle(p);
}

static void
act_ends(struct play *p, struct program *program, const char *text)
{
	if (play_is_lenient(p) && strcmp(text, "0") != 0)
		return; /* another event would fail than the one that was meant to */
	if (!program->runs && !play_is_lenient(p))
		play_fail(p, "it has ended already");
	program_end(&p->programs, program, (int)strtol(text, NULL, 10));
	life_settle(p);
}

static void
act_is(struct play *p, struct program *program, const char *text)
{
	if (strcmp(text, "running") != 0 && strcmp(text, "stopped") != 0)
		play_fail(p, "a program is running or stopped, not \"%s\"", text);
	if (program->runs != (text[0] == 'r'))
		play_fail(p, "it is %s", program->runs ? "running" : "stopped");
}

static const struct act {
	const char *name;
	void (*act)(struct play *play, struct program *program, const char *text);
	bool is_expectation;
} acts[] = {
	{ "runs", act_runs, true },
	{ "reads", act_reads, true },
	{ "has", act_has, true },
	{ "is", act_is, true },
	{ "writes", act_writes, false },
	{ "says", act_says, false },
	{ "ends", act_ends, false },
};

static struct program *
choose(struct play *p, unsigned long number)
{
	struct programs *ps = &p->programs;

	if (!play_is_lenient(p)) {
		if (number == 0 || number > ps->count)
			play_fail(p, "%zu programs were started", ps->count);
		return &ps->at[number - 1];
	}
	for (size_t i = ps->count; i-- > 0;)
		if (ps->at[i].runs)
			return &ps->at[i];
	return NULL;
}

void
act_program(struct play *p, const char *text)
{
	char *rest;
	unsigned long number = strtoul(text, &rest, 10);
	struct program *program;

	rest += strspn(rest, " ");
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		size_t len = strlen(acts[i].name);

		if (strncmp(rest, acts[i].name, len) != 0 || rest[len] != ' ')
			continue;
		life_settle(p);
		if (play_is_lenient(p) && acts[i].is_expectation)
			return;
		if ((program = choose(p, number)) != NULL)
			acts[i].act(p, program, rest + len + 1);
		return;
	}
	play_fail(p, "a program runs, reads, has, is, writes, says or ends; not \"%s\"", rest);
}
