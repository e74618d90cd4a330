/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bench_bots.c - how many messages a second go through a bot and back
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

static const struct figure figures[] = {
	{ "child", bench_child },
	{ "shell", bench_shell },
	{ "python", bench_python },
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
