/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bench_muc.c - what rooms promise, measured beside its baseline
 *
 * What is a matter of speed is measured in CPU time, the worker's and that of
 * a plain write() of as many bytes.
 */
#include <stdio.h>
#include <unistd.h>

#include "bench.h"

#define OCCUPANTS 1000u
#define SPAN ((size_t)65536) /* of the plain write() */

/* --- What is said ------------------------------------------------------------------------- */

static void
add_join(struct text *t, const char *room, unsigned who)
{
	text_add(t,
	    "<presence from='user%04u@example.org/phone' to='%s@rooms.test/nick%04u' id='j%u'>"
	    "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://client.test' "
	    "ver='QgayPKawpkPSDYmwT/WM94uAlu0='/><x xmlns='http://jabber.org/protocol/muc'/>"
	    "</presence>",
	    who, room, who, who);
}

/* Its maker is in it; open, with all as preset. */
static void
add_room(struct text *t, const char *room)
{
	add_join(t, room, 0);
	text_add(t,
	    "<iq type='set' id='o' from='user0000@example.org/phone' to='%s@rooms.test'>"
	    "<query xmlns='http://jabber.org/protocol/muc#owner'>"
	    "<x xmlns='jabber:x:data' type='submit'/></query></iq>",
	    room);
}

static void
add_line(struct text *t, const char *room, unsigned n)
{
	text_add(t,
	    "<message from='user0000@example.org/phone' to='%s@rooms.test' type='groupchat' "
	    "id='l%u'><body>%07u The quick brown fox jumps over the lazy dog and is not heard of "
	    "again. The lazy dog sleeps on.</body></message>",
	    room, n, n);
}

/* The last thing that somebody is told who comes in is the subject. */
static void
fill(struct bench *b, const char *room, unsigned n)
{
	uint64_t before = b->server.messages, answers = b->server.answers;
	struct text t = { 0 };

	add_room(&t, room);
	bench_say(b, &t);
	bench_wait(b, "making a room", before + 1, answers + 1);
	for (unsigned i = 1; i < n; i++)
		add_join(&t, room, i);
	bench_say(b, &t);
	bench_wait(b, "joining", before + n, answers + 1);
}

/* --- The figures ------------------------------------------------------------------------------ */

static void
bench_join(struct bench *b)
{
	double cpu, took, pump;
	uint64_t bytes;

	bench_start(b);
	cpu = bench_cpu_s(b);
	took = bench_now_s();
	fill(b, "many", OCCUPANTS);
	took = bench_now_s() - took;
	cpu = bench_cpu_s(b) - cpu;
	bytes = b->server.bytes;
	pump = bench_pump_cpu_s(bytes, SPAN);
	bench_result(b, cpu < 2, "1,000 join one room at once",
	    "%.2f s of CPU (%.2f s in all, %.0f MB; write() alone %.2f s); bar 2 s", cpu, took,
	    (double)bytes / 1e6, pump);
	bench_stop(b);
}

#define LINES 500u
#define ROUNDS 5u

static void
bench_deliver(struct bench *b)
{
	double cpu, ours = 0, plain = 0;
	uint64_t bytes = 0, before;
	struct text t = { 0 };

	bench_start(b);
	fill(b, "talk", OCCUPANTS);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < LINES; i++)
			add_line(&t, "talk", i);
		before = b->server.messages;
		bytes = b->server.bytes;
		cpu = bench_cpu_s(b);
		bench_say(b, &t);
		bench_wait(b, "talking", before + (uint64_t)LINES * OCCUPANTS, 0);
		bench_least(&ours, bench_cpu_s(b) - cpu);
		bytes = b->server.bytes - bytes;
		bench_least(&plain, bench_pump_cpu_s(bytes, SPAN));
	}
	bench_result(b, plain / ours >= 0.3, "deliveries in a room of 1,000 against write()",
	    "%.2f x (%.0f a second of CPU, %.0f bytes each); bar 0.30 x", plain / ours,
	    LINES * OCCUPANTS / ours, (double)bytes / LINES / OCCUPANTS);
	bench_stop(b);
}

#define SMALL_ROOMS 100u
#define IN_SMALL 100u

/* Presences are kept written until a room was quiet for a minute or two; what is free by then goes
 * back to the system within another. */
static void
bench_memory(struct bench *b)
{
	double before, busy, idle;
	char room[20];

	bench_start(b);
	fill(b, "first", IN_SMALL);
	before = bench_rss_mb(b->worker);
	for (unsigned i = 0; i < SMALL_ROOMS; i++) {
		snprintf(room, sizeof(room), "small%u", i);
		fill(b, room, IN_SMALL);
	}
	busy = (bench_rss_mb(b->worker) - before) * 1048576 / SMALL_ROOMS / IN_SMALL;
	idle = busy;
	for (int i = 0; i < 200 && idle >= 1024; i++) {
		sleep(1);
		idle = (bench_rss_mb(b->worker) - before) * 1048576 / SMALL_ROOMS / IN_SMALL;
	}
	bench_result(b, idle < 1024, "memory of an idle occupant",
	    "%.0f bytes (%.0f while they come); bar 1024", idle, busy);
	bench_stop(b);
}

#define ROOMS 100000u
#define LIVE 1000u

static void
make_rooms(struct bench *b)
{
	struct text t = { 0 };
	char room[20];

	for (unsigned i = 0; i < ROOMS; i++) {
		snprintf(room, sizeof(room), "room%u", i);
		add_room(&t, room);
		text_add(&t,
		    "<presence from='user0000@example.org/phone' to='%s@rooms.test/nick0000' "
		    "type='unavailable'/>",
		    room);
		if (i % 500 == 499) {
			bench_say(b, &t);
			bench_wait(b, "making rooms", 0, i + 1);
		}
	}
}

/* All of them are looked at, a little each turn. */
static double
search_s(struct bench *b)
{
	double took = bench_now_s();
	uint64_t answers = b->server.answers;
	struct text t = { 0 };

	text_add(&t,
	    "<iq type='get' id='s' from='user0000@example.org/phone' to='rooms.test'>"
	    "<search xmlns='urn:xmpp:channel-search:0:search'><x xmlns='jabber:x:data' "
	    "type='submit'><field var='q'><value>room99999</value></field></x></search></iq>");
	bench_say(b, &t);
	bench_wait(b, "searching", 0, answers + 1);
	return bench_now_s() - took;
}

static void
bench_rooms(struct bench *b)
{
	struct text t = { 0 };
	double took, clean, live, search;
	char room[20];

	bench_start(b);
	make_rooms(b);
	bench_stop(b);
	took = bench_now_s();
	bench_start(b);
	took = bench_now_s() - took;
	clean = bench_rss_mb(b->worker);
	for (unsigned i = 0; i < LIVE; i++) {
		snprintf(room, sizeof(room), "room%u", i * (ROOMS / LIVE));
		add_join(&t, room, 1);
	}
	bench_say(b, &t);
	bench_wait(b, "joining rooms", LIVE, 0);
	live = bench_rss_mb(b->worker);
	bench_result(b, took < 1 && live < 64, "100,000 rooms, then 1,000 of them live",
	    "start %.0f ms, %.1f MB, then %.1f MB; bars 1000 ms and 64 MB", took * 1e3, clean,
	    live);
	search = search_s(b);
	bench_result(b, search < 1, "one of 100,000 rooms by a word of its name",
	    "%.0f ms, in steps of 50 rooms; bar 1000 ms", search * 1e3);
	bench_stop(b);
}

#define ARCHIVED 1000000u
#define PAGES 300u

static void
add_page(struct text *t, unsigned n, const char *set)
{
	text_add(t,
	    "<iq type='set' id='p%u' from='user0000@example.org/phone' to='long@rooms.test'>"
	    "<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'>"
	    "<max>50</max>%s</set></query></iq>",
	    n, set);
}

static double
page_cpu_ms(struct bench *b, bool last)
{
	uint64_t answers = b->server.answers;
	double cpu = bench_cpu_s(b);
	struct text t = { 0 };
	char set[80];

	for (unsigned i = 0; i < PAGES; i++) {
		snprintf(set, sizeof(set), "<index>%u</index>",
		    (unsigned)((uint64_t)i * 2654435761u % (ARCHIVED - 50)));
		add_page(&t, i, last ? "<before/>" : set);
	}
	bench_say(b, &t);
	bench_wait(b, "paging", 0, answers + PAGES);
	return (bench_cpu_s(b) - cpu) * 1e3 / PAGES;
}

static void
bench_archive(struct bench *b)
{
	struct text t = { 0 };
	double any, last;

	bench_start(b);
	fill(b, "long", 1);
	for (unsigned i = 0; i < ARCHIVED; i++) {
		add_line(&t, "long", i);
		if (i % 5000 == 4999) {
			bench_say(b, &t);
			bench_wait(b, "filling an archive", i, 0);
		}
	}
	page_cpu_ms(b, false);
	any = page_cpu_ms(b, false);
	last = page_cpu_ms(b, true);
	bench_result(b, any < 1 && last < 1, "50 of 1,000,000 archived lines",
	    "%.2f ms of CPU anywhere, %.2f ms the last ones; bar 1 ms", any, last);
	bench_stop(b);
}

static const struct figure figures[] = {
	{ "join", bench_join },
	{ "deliver", bench_deliver },
	{ "memory", bench_memory, .limit_s = 600 },
	{ "rooms", bench_rooms, .limit_s = 1200 },
	{ "archive", bench_archive, .limit_s = 1200 },
	{ 0 },
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv, "rooms.test",
	    "    module: muc\n    rate-per-jid: 1000000\n    burst-per-jid: 1000000\n"
	    "    muc: { max-occupants: 2000, max-rooms: 0, persistent: yes, archive: yes }\n",
	    figures);
}
