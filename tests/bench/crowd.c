/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * crowd.c - many real clients in one room of a real server
 *
 *	crowd PORT COUNT WITHIN-S
 *
 * Told on standard input what to do, a line each; answers each with a line: the
 * same word, how many seconds it took, and what was counted.  So whoever drives
 * it can look at the servers in between, or restart them.
 *
 *	login RESOURCE            all of them
 *	join ROOM                 user0 makes it, then all come at once, until everybody
 *	                          has seen everybody
 *	say LINES                 at once, until everybody has got every line
 *	lost                      wait until the server has closed every connection
 *	back ROOM SECONDS RES     everybody comes back with another resource, spread
 *	                          over so many seconds, until all are in again; then:
 *	                          leaves, joins: the most that anybody saw of anybody
 *	                          since they were in; again: likewise of the presence
 *	                          of who was there already; put-out: how often one was;
 *	                          conflicts, refused: errors; presences: all that came
 *	rest SECONDS              take what comes; then the same figures
 *
 * What is not over within WITHIN-S ends it with status 1 and a sentence.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "c2s.h"
#include "deeds.h"

#define TALKERS 10u
#define AGAIN_S 1.0 /* after a refusal, or without a connection */
#define ANSWER_S 60.0

/* Of one occupant as another saw them, since that one came in last. */
struct seen {
	unsigned char is_there, leaves, joins, again;
};

struct scene {
	struct c2s *all;
	unsigned count;
	double within_s;
	const char *room;
	struct seen *seen; /* count times count: who saw, of whom */
	unsigned char *in; /* of each: has got their own presence */
	double *next_try;  /* of each: when they try again to come in */
	unsigned conflicts, refused, put_out;
	uint64_t want;
	double until, begin, over_s; /* of those who come back */
	unsigned next;
	const char *resource;
};

static void
nick_of(char *text, size_t room, unsigned number)
{
	snprintf(text, room, "nick%04u", number);
}

static void
join(struct scene *s, struct c2s_client *c)
{
	char nick[16];

	nick_of(nick, sizeof(nick), c->number);
	s->in[c->number] = 0;
	s->next_try[c->number] = c2s_now_s() + ANSWER_S;
	memset(&s->seen[(size_t)c->number * s->count], 0, s->count * sizeof(*s->seen));
	c2s_send(c,
	    "<presence to='%s/%s'><x xmlns='http://jabber.org/protocol/muc'>"
	    "<history maxstanzas='0'/></x></presence>",
	    s->room, nick);
}

static void
refused(struct scene *s, struct c2s_client *c, const char *stanza, size_t len)
{
	s->refused++;
	s->next_try[c->number] = c2s_now_s() + AGAIN_S;
	s->conflicts += c2s_has(stanza, len, "<conflict");
	if (s->resource == NULL) {
		fprintf(stderr, "user%u may not come in: %.*s\n", c->number, (int)len, stanza);
		exit(1);
	}
}

/* A presence of the room. */
static void
shown(struct scene *s, struct c2s_client *c, const char *stanza, size_t len)
{
	const char *from = c2s_attr(stanza, len, "from"), *type;
	const char *nick = from == NULL ? NULL : strstr(from, "/nick");
	unsigned about = nick == NULL ? s->count : (unsigned)strtoul(nick + 5, NULL, 10);
	struct seen *seen;

	if (about >= s->count)
		return;
	seen = &s->seen[(size_t)c->number * s->count + about];
	type = c2s_attr(stanza, len, "type");
	if (type != NULL && strcmp(type, "error") == 0) {
		refused(s, c, stanza, len);
	} else if (about == c->number) {
		s->put_out += type != NULL;
		s->in[about] = type == NULL;
	} else {
		if (!s->in[c->number])
			;
		else if (type != NULL)
			seen->leaves += seen->leaves < UINT8_MAX;
		else if (!seen->is_there)
			seen->joins += seen->joins < UINT8_MAX;
		else
			seen->again += seen->again < UINT8_MAX;
		seen->is_there = type == NULL;
	}
}

static void
heard(struct c2s_client *c, const char *stanza, size_t len)
{
	struct scene *s = c->all->cookie;

	if (stanza[1] == 'p')
		shown(s, c, stanza, len);
	else if (stanza[1] == 'm' && !c2s_has(stanza, len, "<body"))
		c->all->messages--; /* the subject */
}

static void
must(bool over, const struct scene *s, const char *what)
{
	if (over)
		return;
	fprintf(stderr,
	    "%s: not over within %.0f s: %u of %u clients, %llu presences, %llu messages\n", what,
	    s->within_s, s->all->ready, s->count, (unsigned long long)s->all->presences,
	    (unsigned long long)s->all->messages);
	exit(1);
}

/* --- What it is told ------------------------------------------------------------- */

static void
do_login(void *cookie, char *words)
{
	struct scene *s = cookie;

	must(c2s_login_all(s->all, words, s->within_s), s, "logging in");
}

static bool
presences_came(void *cookie)
{
	const struct scene *s = cookie;

	return s->all->presences >= s->want;
}

static bool
maker_is_in(void *cookie)
{
	const struct scene *s = cookie;

	return s->in[0];
}

static bool
maker_is_answered(void *cookie)
{
	const struct scene *s = cookie;

	return s->all->client[0].iqs >= s->want;
}

/* Each is told of all who are in, and all of each who comes: a square of them. */
static void
do_join(void *cookie, char *words)
{
	struct scene *s = cookie;
	struct c2s_client *maker = &s->all->client[0];
	uint64_t before = s->all->presences;

	s->room = strdup(words);
	join(s, maker);
	must(c2s_run(s->all, maker_is_in, s->within_s), s, "making a room");
	s->want = maker->iqs + 1;
	c2s_send(maker,
	    "<iq type='set' id='open' to='%s'><query xmlns='http://jabber.org/protocol/muc#owner'>"
	    "<x xmlns='jabber:x:data' type='submit'/></query></iq>",
	    s->room);
	must(c2s_run(s->all, maker_is_answered, s->within_s), s, "opening a room");
	s->want = before + (uint64_t)s->count * s->count;
	for (unsigned i = 1; i < s->count; i++)
		join(s, &s->all->client[i]);
	must(c2s_run(s->all, presences_came, s->within_s), s, "coming in");
}

static bool
messages_came(void *cookie)
{
	const struct scene *s = cookie;

	return s->all->messages >= s->want;
}

static void
do_say(void *cookie, char *words)
{
	struct scene *s = cookie;
	unsigned lines = (unsigned)strtoul(words, NULL, 10);

	s->want = s->all->messages + (uint64_t)lines * s->count;
	for (unsigned i = 0; i < lines; i++)
		c2s_send(&s->all->client[i % TALKERS % s->count],
		    "<message to='%s' type='groupchat' id='l%u'><body>%07u The quick brown fox jumps "
		    "over the lazy dog and is not heard of again. The lazy dog sleeps on.</body>"
		    "</message>",
		    s->room, i, i);
	must(c2s_run(s->all, messages_came, s->within_s), s, "talking");
}

static bool
all_lost(void *cookie)
{
	const struct scene *s = cookie;

	return s->all->open == 0;
}

static void
do_lost(void *cookie, char *words)
{
	struct scene *s = cookie;

	(void)words;
	must(c2s_run(s->all, all_lost, s->within_s), s, "losing the server");
}

/* Those whose time has come connect, those who are connected try to come in, until all are. */
static bool
all_back(void *cookie)
{
	struct scene *s = cookie;
	double now = c2s_now_s();
	unsigned in = 0;

	for (; s->next < s->count && now >= s->begin + s->over_s * s->next / s->count; s->next++)
		c2s_login(&s->all->client[s->next], s->resource);
	for (unsigned i = 0; i < s->next; i++) {
		struct c2s_client *c = &s->all->client[i];

		in += s->in[i];
		if (s->in[i] || now < s->next_try[i])
			continue;
		if (c->state == C2S_READY)
			join(s, c);
		if (c->state != C2S_CLOSED)
			continue;
		s->next_try[i] = now + AGAIN_S;
		c2s_login(c, s->resource);
	}
	return in == s->count;
}

static void
report(const struct scene *s)
{
	unsigned leaves = 0, joins = 0, again = 0;

	for (size_t i = 0; i < (size_t)s->count * s->count; i++) {
		if (s->seen[i].leaves > leaves)
			leaves = s->seen[i].leaves;
		if (s->seen[i].joins > joins)
			joins = s->seen[i].joins;
		if (s->seen[i].again > again)
			again = s->seen[i].again;
	}
	printf(" leaves %u joins %u again %u put-out %u conflicts %u refused %u presences %llu",
	    leaves, joins, again, s->put_out, s->conflicts, s->refused,
	    (unsigned long long)s->all->presences);
}

static void
do_back(void *cookie, char *words)
{
	struct scene *s = cookie;
	char *over = strchr(words, ' '), *resource = over == NULL ? NULL : strchr(over + 1, ' ');

	if (resource == NULL)
		exit(2);
	*over = *resource = '\0';
	s->room = strdup(words);
	s->over_s = strtod(over + 1, NULL);
	s->resource = strdup(resource + 1);
	s->begin = c2s_now_s();
	s->next = 0;
	s->all->presences = 0;
	memset(s->in, 0, s->count);
	memset(s->next_try, 0, s->count * sizeof(*s->next_try));
	must(c2s_run(s->all, all_back, s->within_s), s, "coming back");
	report(s);
}

static bool
is_over(void *cookie)
{
	const struct scene *s = cookie;

	return c2s_now_s() > s->until;
}

static void
do_rest(void *cookie, char *words)
{
	struct scene *s = cookie;
	double seconds = strtod(words, NULL);

	s->until = c2s_now_s() + seconds;
	must(c2s_run(s->all, is_over, seconds + 10), s, "resting");
	report(s);
}

static const struct deed deeds[] = {
	{ "login", do_login },
	{ "join", do_join },
	{ "say", do_say },
	{ "lost", do_lost },
	{ "back", do_back },
	{ "rest", do_rest },
	{ 0 },
};

int
main(int argc, char **argv)
{
	struct scene s = { 0 };

	if (argc != 4) {
		fprintf(stderr, "usage: crowd PORT COUNT WITHIN-S\n");
		return 2;
	}
	s.count = (unsigned)strtoul(argv[2], NULL, 10);
	s.within_s = strtod(argv[3], NULL);
	s.seen = calloc((size_t)s.count * s.count, sizeof(*s.seen));
	s.in = calloc(s.count, 1);
	s.next_try = calloc(s.count, sizeof(*s.next_try));
	s.all = c2s_create((uint16_t)strtoul(argv[1], NULL, 10), "localhost", s.count, heard, &s);
	deeds_do("crowd", deeds, &s);
	c2s_destroy(&s.all);
	return 0;
}
