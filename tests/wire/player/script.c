/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * script.c - lines become statements
 */
#include <ctype.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <annex/pool.h>

#include "script.h"

struct reader {
	struct annex_pool *pool;
	struct script *script;
	size_t room;
	FILE *gather; /* the text of the last statement */
	char *gathered;
	size_t gathered_len;
	unsigned long times; /* that the last statement counts; 0: once */
};

static char *
trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return text;
}

/* A statement in one line may have a remark behind it. */
static void
cut_remark(char *text)
{
	char *hash = strstr(text, " #");

	if (hash != NULL)
		*hash = '\0';
}

static struct statement *
append(struct reader *r, struct statement st)
{
	struct script *s = r->script;

	if (s->count == r->room) {
		struct statement *old = s->at;

		r->room = r->room == 0 ? 64 : r->room * 2;
		s->at = annex_new_array(r->pool, struct statement, r->room);
		if (s->count > 0)
			memcpy(s->at, old, s->count * sizeof(*old));
	}
	s->at[s->count] = st;
	return &s->at[s->count++];
}

static void
repeat(struct reader *r)
{
	struct statement st = r->script->at[r->script->count - 1];

	for (; r->times > 1; r->times--)
		append(r, st);
	r->times = 0;
}

static void
finish_statement(struct reader *r)
{
	struct statement *last;
	char *text;

	if (r->gather == NULL)
		return;
	last = &r->script->at[r->script->count - 1];
	fclose(r->gather);
	r->gather = NULL;
	if (last->verb == VERB_WORD)
		cut_remark(r->gathered);
	text = annex_strdup(r->pool, trim(r->gathered));
	free(r->gathered);
	last->text = text;
	if (last->verb == VERB_EXPECT && strcmp(text, "nothing") == 0)
		last->verb = VERB_NOTHING;
	repeat(r);
}

static struct statement *
new_statement(struct reader *r, unsigned line)
{
	struct statement *st;

	finish_statement(r);
	st = append(r, (struct statement) { .line = line });
	r->gather = open_memstream(&r->gathered, &r->gathered_len);
	return st;
}

static bool
goes_on(const char *line)
{
	if (isspace((unsigned char)line[0]))
		return true;
	return line[0] == '<' &&
	    (isalpha((unsigned char)line[1]) || (line[1] != '\0' && strchr("/!?", line[1])));
}

/* "<3 ": the same three times in a row. */
static const char *
take_times(struct reader *r, const char *text)
{
	char *end;
	unsigned long times = strtoul(text, &end, 10);

	if (times == 0)
		return text;
	r->times = times;
	return end;
}

static void
begin(struct reader *r, const char *line, unsigned number)
{
	struct statement *st = new_statement(r, number);
	size_t len;

	if (line[0] == '>') {
		st->verb = VERB_SEND;
		fputs(line + 1, r->gather);
	} else if (line[0] == '<' && line[1] == '*') {
		st->verb = VERB_EXPECT_ANY;
		fputs(line + 2, r->gather);
	} else if (line[0] == '<' && line[1] == '~') {
		st->verb = VERB_MAY;
		fputs(line + 2, r->gather);
	} else if (line[0] == '<') {
		st->verb = VERB_EXPECT;
		fputs(take_times(r, line + 1), r->gather);
	} else {
		len = strcspn(line, " \t\r\n");
		st->verb = VERB_WORD;
		st->word = annex_strndup(r->pool, line, len);
		fputs(line + len, r->gather);
	}
}

static void
take_line(struct reader *r, const char *line, unsigned number)
{
	if (line[0] == '#' || line[strspn(line, " \t\r\n")] == '\0')
		return;
	if (!goes_on(line))
		begin(r, line, number);
	else if (r->gather != NULL)
		fputs(line, r->gather);
	else
		errx(2, "%s:%u: this goes on with nothing: begin with '> ' or '< '",
		    r->script->path, number);
}

struct script *
script_read(struct annex_pool *pool, const char *path)
{
	struct reader r = { .pool = pool, .script = annex_new(pool, struct script) };
	FILE *in = fopen(path, "r");
	unsigned number = 0;
	char *line = NULL;
	size_t room = 0;

	if (in == NULL)
		err(2, "%s", path);
	r.script->path = annex_strdup(pool, path);
	r.script->pool = pool;
	while (getline(&line, &room, in) >= 0)
		take_line(&r, line, ++number);
	finish_statement(&r);
	free(line);
	fclose(in);
	return r.script;
}

const char *
script_head(const struct script *script, const char *word, const char *otherwise)
{
	for (size_t i = 0; i < script->count; i++)
		if (script->at[i].verb == VERB_WORD && strcmp(script->at[i].word, word) == 0)
			return script->at[i].text;
	return otherwise;
}

bool
script_has(const struct script *script, const char *word)
{
	return script_head(script, word, NULL) != NULL;
}
