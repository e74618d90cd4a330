/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * feed.c - many real clients subscribed to one node of a real server
 *
 *	feed PORT COUNT WITHIN-S
 *
 * Told on standard input what to do, a line each; answers each with a line: the
 * same word, and how many seconds it took.
 *
 *	login RESOURCE     all of them
 *	create SERVICE     user0 makes a node there
 *	subscribe RESOURCE all of them at once, with their full addresses
 *	publish ITEMS      user0, at once, until everybody has been told of every item
 *
 * What is not over within WITHIN-S, and what is refused, ends it with status 1 and a sentence.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "c2s.h"
#include "deeds.h"

#define NS "http://jabber.org/protocol/pubsub"

struct scene {
	struct c2s *all;
	unsigned count;
	double within_s;
	char service[128];
	uint64_t messages, iqs; /* that are waited for */
};

static void
heard(struct c2s_client *c, const char *stanza, size_t len)
{
	const char *type = c2s_attr(stanza, len, "type");

	if (type == NULL || strcmp(type, "error") != 0)
		return;
	fprintf(stderr, "user%u is refused: %.*s\n", c->number, (int)len, stanza);
	exit(1);
}

static bool
all_came(void *cookie)
{
	const struct scene *s = cookie;

	return s->all->messages >= s->messages && s->all->iqs >= s->iqs;
}

static void
must(bool over, const struct scene *s, const char *what)
{
	if (over)
		return;
	fprintf(stderr,
	    "%s: not over within %.0f s: %u of %u clients, %llu answers, %llu messages\n", what,
	    s->within_s, s->all->ready, s->count, (unsigned long long)s->all->iqs,
	    (unsigned long long)s->all->messages);
	exit(1);
}

/* So many more answers and messages than came until now. */
static void
wait_for(struct scene *s, const char *what, uint64_t iqs, uint64_t messages)
{
	s->iqs += iqs;
	s->messages += messages;
	must(c2s_run(s->all, all_came, s->within_s), s, what);
}

static void
do_login(void *cookie, char *words)
{
	struct scene *s = cookie;

	must(c2s_login_all(s->all, words, s->within_s), s, "logging in");
	s->iqs = s->all->iqs;
	s->messages = s->all->messages;
}

static void
do_create(void *cookie, char *words)
{
	struct scene *s = cookie;

	snprintf(s->service, sizeof(s->service), "%s", words);
	c2s_send(&s->all->client[0],
	    "<iq type='set' to='%s' id='c'><pubsub xmlns='" NS
	    "'><create node='feed'/></pubsub></iq>",
	    s->service);
	wait_for(s, "creating", 1, 0);
}

static void
do_subscribe(void *cookie, char *words)
{
	struct scene *s = cookie;

	for (unsigned i = 0; i < s->count; i++)
		c2s_send(&s->all->client[i],
		    "<iq type='set' to='%s' id='s'><pubsub xmlns='" NS "'>"
		    "<subscribe node='feed' jid='user%u@localhost/%s'/></pubsub></iq>",
		    s->service, i, words);
	wait_for(s, "subscribing", s->count, 0);
}

static void
do_publish(void *cookie, char *words)
{
	struct scene *s = cookie;
	unsigned items = (unsigned)strtoul(words, NULL, 10);

	for (unsigned i = 0; i < items; i++)
		c2s_send(&s->all->client[0],
		    "<iq type='set' to='%s' id='p%u'><pubsub xmlns='" NS "'><publish node='feed'>"
		    "<item id='i%u'><entry xmlns='http://www.w3.org/2005/Atom'>"
		    "<title>The quick brown fox</title><summary>jumps over the lazy dog and is not "
		    "heard of again</summary></entry></item></publish></pubsub></iq>",
		    s->service, i, i);
	wait_for(s, "publishing", items, (uint64_t)items * s->count);
}

static const struct deed deeds[] = {
	{ "login", do_login },
	{ "create", do_create },
	{ "subscribe", do_subscribe },
	{ "publish", do_publish },
	{ 0 },
};

int
main(int argc, char **argv)
{
	struct scene s = { 0 };

	if (argc != 4) {
		fprintf(stderr, "usage: feed PORT COUNT WITHIN-S\n");
		return 2;
	}
	s.count = (unsigned)strtoul(argv[2], NULL, 10);
	s.within_s = strtod(argv[3], NULL);
	s.all = c2s_create((uint16_t)strtoul(argv[1], NULL, 10), "localhost", s.count, heard, &s);
	deeds_do("feed", deeds, &s);
	c2s_destroy(&s.all);
	return 0;
}
