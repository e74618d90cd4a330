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
do_login(struct scene *s, const char *words)
{
	must(c2s_login_all(s->all, words, s->within_s), s, "logging in");
	s->iqs = s->all->iqs;
	s->messages = s->all->messages;
}

static void
do_create(struct scene *s, const char *words)
{
	snprintf(s->service, sizeof(s->service), "%s", words);
	c2s_send(&s->all->client[0],
	    "<iq type='set' to='%s' id='c'><pubsub xmlns='" NS
	    "'><create node='feed'/></pubsub></iq>",
	    s->service);
	wait_for(s, "creating", 1, 0);
}

static void
do_subscribe(struct scene *s, const char *words)
{
	for (unsigned i = 0; i < s->count; i++)
		c2s_send(&s->all->client[i],
		    "<iq type='set' to='%s' id='s'><pubsub xmlns='" NS "'>"
		    "<subscribe node='feed' jid='user%u@localhost/%s'/></pubsub></iq>",
		    s->service, i, words);
	wait_for(s, "subscribing", s->count, 0);
}

static void
do_publish(struct scene *s, const char *words)
{
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

static const struct deed {
	const char *word;
	void (*act)(struct scene *s, const char *words);
} deeds[] = {
	{ "login", do_login },
	{ "create", do_create },
	{ "subscribe", do_subscribe },
	{ "publish", do_publish },
};

static void
act(struct scene *s, char *line)
{
	char *words = line + strcspn(line, " ");
	double began = c2s_now_s();

	if (*words != '\0')
		*words++ = '\0';
	for (size_t i = 0; i < sizeof(deeds) / sizeof(*deeds); i++) {
		if (strcmp(line, deeds[i].word) != 0)
			continue;
		deeds[i].act(s, words);
		printf("%s took %.3f\n", line, c2s_now_s() - began);
		fflush(stdout);
		return;
	}
	fprintf(stderr, "feed: what is \"%s\"?\n", line);
	exit(2);
}

int
main(int argc, char **argv)
{
	struct scene s = { 0 };
	char line[512];

	if (argc != 4) {
		fprintf(stderr, "usage: feed PORT COUNT WITHIN-S\n");
		return 2;
	}
	s.count = (unsigned)strtoul(argv[2], NULL, 10);
	s.within_s = strtod(argv[3], NULL);
	s.all = c2s_create((uint16_t)strtoul(argv[1], NULL, 10), "localhost", s.count, heard, &s);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		act(&s, line);
	}
	c2s_destroy(&s.all);
	return 0;
}
