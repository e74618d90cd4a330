/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bench_bots.c - how many messages a second go through a bot and back, and how many contacts it has
 *
 *	bench_bots ANNEXD MODULE-DIR BOT [NAME...]
 *
 * Every message is a row of an inbox before the program sees it, and every answer a
 * row until a fence has returned.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"

/* --- Messages ---------------------------------------------------------------- */

static void
add_messages(struct text *t, const char *bot, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++)
		text_add(t,
		    "<message from='user%03u@example.org/phone' to='%s@bots.test' type='chat' "
		    "id='m%07u'><body>message %u of many, and of the usual length</body></message>",
		    i % 500, bot, i, i);
}

/* No more on their way than people have patience for. */
#define AT_ONCE 4000u
#define PART 500u

static double
pump(struct bench *b, const char *bot, unsigned n)
{
	uint64_t before = b->server.messages;
	double began = bench_now_s();
	struct text t = { 0 };

	for (unsigned sent = 0; sent < n; sent += PART) {
		unsigned part = n - sent < PART ? n - sent : PART;

		add_messages(&t, bot, sent, part);
		bench_say(b, &t);
		if (sent + part > AT_ONCE)
			bench_wait(b, bot, before + sent + part - AT_ONCE, 0);
	}
	bench_wait(b, bot, before + n, 0);
	return n / (bench_now_s() - began);
}

/* --- The figures ------------------------------------------------------------- */

static void
figure(struct bench *b, const char *what, double rate, double bar)
{
	if (bar > 0)
		bench_result(b, rate >= bar, what, "%.0f messages/s; bar %.0f", rate, bar);
	else
		bench_result(b, true, what, "%.0f messages/s", rate);
}

static void
bench_child(struct bench *b)
{
	bench_start(b);
	pump(b, "child", 10000);
	figure(b, "child, an echo in C", pump(b, "child", 100000), 20000);
	bench_stop(b);
}

static void
bench_shell(struct bench *b)
{
	bench_start(b);
	figure(b, "exec, an echo in shell", pump(b, "shell", 1500), 300);
	bench_stop(b);
}

static void
bench_python(struct bench *b)
{
	bench_start(b);
	figure(b, "exec, an echo in Python", pump(b, "python", 200), 0);
	bench_stop(b);
}

/* --- Contacts ------------------------------------------------------------------ */

#define CONTACTS 10000u
#define RESYNC_S 60
#define RSS_MB 24

static void
say_of_each(struct bench *b, unsigned first, unsigned n, const char *resource, const char *type)
{
	struct text t = { 0 };

	for (unsigned i = first; i < first + n; i++)
		text_add(&t, "<presence from='user%05u@example.org%s' to='child@bots.test'%s/>", i,
		    resource, type);
	bench_say(b, &t);
}

/* They add the bot, which asks back; each is let in, shown something, and logs in. */
static void
make_contacts(struct bench *b)
{
	for (unsigned first = 0; first < CONTACTS; first += PART) {
		say_of_each(b, first, PART, "", " type='subscribe'");
		if (!server_wait_presences(&b->server, 3 * (first + PART), 0, 60))
			bench_die("subscribing");
		say_of_each(b, first, PART, "", " type='subscribed'");
		say_of_each(b, first, PART, "/phone", "");
	}
}

/* The server is back: all are asked, at the default pace, and answer. */
static void
bench_contacts(struct bench *b)
{
	double began, s, cpu, mb;

	bench_start(b);
	make_contacts(b);
	pump(b, "child", PART);
	server_drop(&b->server);
	server_accept(&b->server);
	server_start_reading(&b->server);
	cpu = bench_cpu_s(b);
	began = bench_now_s();
	if (!server_wait_presences(&b->server, CONTACTS, CONTACTS, 4 * RESYNC_S))
		bench_die("asking who is there");
	s = bench_now_s() - began;
	say_of_each(b, 0, CONTACTS, "/phone", "");
	pump(b, "child", PART);
	cpu = bench_cpu_s(b) - cpu;
	mb = bench_rss_mb(b->worker);
	bench_result(b, s < RESYNC_S && mb < RSS_MB, "10,000 contacts after a server restart",
	    "asked in %.1f s, %.2f s of CPU, %.1f MB; bars %d s and %d MB", s, cpu, mb, RESYNC_S,
	    RSS_MB);
	bench_stop(b);
}

static const struct figure figures[] = {
	{ "child", bench_child },
	{ "shell", bench_shell },
	{ "python", bench_python },
	{ "contacts", bench_contacts },
	{ 0 },
};

int
main(int argc, char **argv)
{
	struct text section = { 0 };
	int failed;

	if (argc < 4) {
		fprintf(stderr, "usage: bench_bots ANNEXD MODULE-DIR BOT [NAME...]\n");
		return 2;
	}
	text_add(&section,
	    "    module: bots\n    rate-per-jid: 1000000\n    burst-per-jid: 1000000\n"
	    "    bots:\n      rate-each: 100000\n      burst-each: 1000000\n      bots:\n"
	    "        child: { child: [\"%s\"] }\n"
	    "        shell: { exec: [/bin/sh, -c, 'read x; echo \"$x\"'] }\n"
	    "        python: { exec: [python3, -c, 'print(input())'] }\n",
	    argv[3]);
	memmove(argv + 3, argv + 4, (size_t)(argc - 3) * sizeof(*argv));
	failed = bench_main(argc - 1, argv, "bots.test", section.bytes, figures);
	text_free(&section);
	return failed;
}
