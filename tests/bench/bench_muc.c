/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bench_muc.c - what rooms promise, measured beside its baseline
 *
 *	bench_muc ANNEXD MODULE-DIR [NAME...]
 *
 * annexd runs for real with the component muc, attached to server.c.  What is
 * a matter of speed is measured in CPU time, the worker's and that of a plain
 * write() of as many bytes, so that it says the same on a busy machine.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "server.h"

#define OCCUPANTS 1000u

struct bench {
	const char *annexd, *modules;
	char dir[64];
	pid_t supervisor, worker;
	struct server server;
	int failed;
};

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

static double
clock_s(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static const char *
in_dir(const struct bench *b, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	return path;
}

static bool
read_proc(pid_t pid, const char *name, char *text, size_t room)
{
	char path[64];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	if ((f = fopen(path, "re")) == NULL)
		return false;
	n = fread(text, 1, room - 1, f);
	text[n] = '\0';
	fclose(f);
	return true;
}

static double
worker_cpu_s(const struct bench *b)
{
	char text[128];

	return read_proc(b->worker, "schedstat", text, sizeof(text)) ? strtod(text, NULL) / 1e9 : 0;
}

static double
rss_anon_mb(const struct bench *b)
{
	char text[8192];
	const char *line;

	if (!read_proc(b->worker, "status", text, sizeof(text)) ||
	    (line = strstr(text, "RssAnon:")) == NULL)
		return 0;
	return strtod(line + strlen("RssAnon:"), NULL) / 1024;
}

/* --- annexd for real -------------------------------------------------------------------- */

static void
configure(struct bench *b)
{
	FILE *f;

	strcpy(b->dir, "/var/tmp/annex-bench.XXXXXX"); /* a real disk, not a tmpfs */
	if (mkdtemp(b->dir) == NULL)
		die(b->dir);
	mkdir(in_dir(b, "state"), 0700);
	mkdir(in_dir(b, "run"), 0700);
	if ((f = fopen(in_dir(b, "annex.yaml"), "we")) == NULL)
		die(b->dir);
	fprintf(f,
	    "state-dir: %s/state\nrun-dir: %s/run\nmodule-dirs: [\"%s\"]\nservers:\n  main:\n"
	    "    host: unix:%s/server.sock\n    local-domains: [example.org]\n"
	    "components:\n  rooms.test:\n    module: muc\n    secret: a long enough secret\n"
	    "    rate-per-jid: 1000000\n    burst-per-jid: 1000000\n"
	    "    muc: { max-occupants: 2000, persistent: yes, archive: yes }\n",
	    b->dir, b->dir, b->modules, b->dir);
	fclose(f);
	chmod(in_dir(b, "annex.yaml"), 0600);
	server_listen(&b->server, in_dir(b, "server.sock"));
}

static pid_t
child_of(pid_t pid)
{
	char name[64], text[256];

	snprintf(name, sizeof(name), "task/%d/children", (int)pid);
	return read_proc(pid, name, text, sizeof(text)) ? (pid_t)strtol(text, NULL, 10) : 0;
}

static void
start(struct bench *b)
{
	char config[128];
	int fd;

	snprintf(config, sizeof(config), "%s", in_dir(b, "annex.yaml"));
	if ((b->supervisor = fork()) == 0) {
		fd = open(in_dir(b, "annexd.log"), O_WRONLY | O_CREAT | O_APPEND, 0600);
		dup2(fd, STDERR_FILENO);
		execl(b->annexd, b->annexd, "-c", config, (char *)NULL);
		die(b->annexd);
	}
	server_accept(&b->server);
	b->worker = child_of(b->supervisor);
	server_start_reading(&b->server);
}

static void
stop(struct bench *b)
{
	kill(b->supervisor, SIGTERM);
	server_drop(&b->server);
	waitpid(b->supervisor, NULL, 0);
}

static void
finish(struct bench *b)
{
	char command[128];

	server_close(&b->server);
	snprintf(command, sizeof(command), "rm -rf %s", b->dir);
	if (system(command) != 0)
		fprintf(stderr, "could not remove %s\n", b->dir);
}

static void
result(struct bench *b, bool good, const char *what, const char *fmt, ...)
{
	va_list args;

	printf("%-4s %-44s ", good ? "ok" : "LOW", what);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	b->failed += !good;
}

/* --- What is said ------------------------------------------------------------------------- */

struct text {
	char *bytes;
	size_t len, room;
};

static void __attribute__((format(printf, 2, 3))) add(struct text *t, const char *fmt, ...)
{
	va_list args;

	if (t->room - t->len < 2048) {
		t->room = t->room * 2 + 65536;
		t->bytes = realloc(t->bytes, t->room);
	}
	va_start(args, fmt);
	t->len += (size_t)vsnprintf(t->bytes + t->len, t->room - t->len, fmt, args);
	va_end(args);
}

static void
say(struct bench *b, struct text *t)
{
	server_write(&b->server, t->bytes, t->len);
	free(t->bytes);
	*t = (struct text) { 0 };
}

static void
wait_for(struct bench *b, const char *what, uint64_t messages, uint64_t answers)
{
	if (server_wait(&b->server, messages, answers, 900))
		return;
	fprintf(stderr, "%s: %llu messages and %llu answers came, not %llu and %llu\n", what,
	    (unsigned long long)b->server.messages, (unsigned long long)b->server.answers,
	    (unsigned long long)messages, (unsigned long long)answers);
	exit(2);
}

static void
add_join(struct text *t, const char *room, unsigned who)
{
	add(t,
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
	add(t,
	    "<iq type='set' id='o' from='user0000@example.org/phone' to='%s@rooms.test'>"
	    "<query xmlns='http://jabber.org/protocol/muc#owner'>"
	    "<x xmlns='jabber:x:data' type='submit'/></query></iq>",
	    room);
}

static void
add_line(struct text *t, const char *room, unsigned n)
{
	add(t,
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
	say(b, &t);
	wait_for(b, "making a room", before + 1, answers + 1);
	for (unsigned i = 1; i < n; i++)
		add_join(&t, room, i);
	say(b, &t);
	wait_for(b, "joining", before + n, answers + 1);
}

/* --- The baseline --------------------------------------------------------------------------- */

static void *
drain(void *arg)
{
	static char bytes[262144];

	while (read(*(int *)arg, bytes, sizeof(bytes)) > 0)
		;
	return NULL;
}

/* CPU time of a plain write() of so many bytes to somebody who only reads. */
static double
pump_cpu_s(uint64_t bytes)
{
	static char chunk[65536];
	pthread_t reader;
	double began;
	int pair[2];
	ssize_t n;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		die("socketpair");
	pthread_create(&reader, NULL, drain, &pair[1]);
	began = clock_s(CLOCK_THREAD_CPUTIME_ID);
	for (uint64_t left = bytes; left > 0; left -= (uint64_t)n)
		if ((n = write(pair[0], chunk, left < sizeof(chunk) ? left : sizeof(chunk))) <= 0)
			die("write");
	began = clock_s(CLOCK_THREAD_CPUTIME_ID) - began;
	close(pair[0]);
	pthread_join(reader, NULL);
	close(pair[1]);
	return began;
}

/* --- The figures ------------------------------------------------------------------------------ */

static void
bench_join(struct bench *b)
{
	double cpu, took, pump;
	uint64_t bytes;

	start(b);
	cpu = worker_cpu_s(b);
	took = clock_s(CLOCK_MONOTONIC);
	fill(b, "many", OCCUPANTS);
	took = clock_s(CLOCK_MONOTONIC) - took;
	cpu = worker_cpu_s(b) - cpu;
	bytes = b->server.bytes;
	pump = pump_cpu_s(bytes);
	result(b, cpu < 2, "1,000 join one room at once",
	    "%.2f s of CPU (%.2f s in all, %.0f MB; write() alone %.2f s); bar 2 s", cpu, took,
	    (double)bytes / 1e6, pump);
	stop(b);
}

#define LINES 500u
#define ROUNDS 5u /* the best of them: others use the machine, too */

static void
bench_deliver(struct bench *b)
{
	double cpu, pump, each = 0, best = 0;
	uint64_t bytes = 0, before;
	struct text t = { 0 };

	start(b);
	fill(b, "talk", OCCUPANTS);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < LINES; i++)
			add_line(&t, "talk", i);
		before = b->server.messages;
		bytes = b->server.bytes;
		cpu = worker_cpu_s(b);
		say(b, &t);
		wait_for(b, "talking", before + (uint64_t)LINES * OCCUPANTS, 0);
		cpu = worker_cpu_s(b) - cpu;
		bytes = b->server.bytes - bytes;
		pump = pump_cpu_s(bytes);
		if (pump / cpu < best)
			continue;
		best = pump / cpu;
		each = cpu / LINES / OCCUPANTS;
	}
	result(b, best >= 0.3, "deliveries in a room of 1,000 against write()",
	    "%.2f x (%.0f a second of CPU, %.0f bytes each); bar 0.30 x", best, 1 / each,
	    (double)bytes / LINES / OCCUPANTS);
	stop(b);
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

	start(b);
	fill(b, "first", IN_SMALL);
	before = rss_anon_mb(b);
	for (unsigned i = 0; i < SMALL_ROOMS; i++) {
		snprintf(room, sizeof(room), "small%u", i);
		fill(b, room, IN_SMALL);
	}
	busy = (rss_anon_mb(b) - before) * 1048576 / SMALL_ROOMS / IN_SMALL;
	idle = busy;
	for (int i = 0; i < 200 && idle >= 1024; i++) {
		sleep(1);
		idle = (rss_anon_mb(b) - before) * 1048576 / SMALL_ROOMS / IN_SMALL;
	}
	result(b, idle < 1024, "memory of an idle occupant",
	    "%.0f bytes (%.0f while they come); bar 1024", idle, busy);
	stop(b);
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
		add(&t,
		    "<presence from='user0000@example.org/phone' to='%s@rooms.test/nick0000' "
		    "type='unavailable'/>",
		    room);
		if (i % 500 == 499) {
			say(b, &t);
			wait_for(b, "making rooms", 0, i + 1);
		}
	}
}

static void
bench_rooms(struct bench *b)
{
	struct text t = { 0 };
	double took, clean, live;
	char room[20];

	start(b);
	make_rooms(b);
	stop(b);
	took = clock_s(CLOCK_MONOTONIC);
	start(b);
	took = clock_s(CLOCK_MONOTONIC) - took;
	clean = rss_anon_mb(b);
	for (unsigned i = 0; i < LIVE; i++) {
		snprintf(room, sizeof(room), "room%u", i * (ROOMS / LIVE));
		add_join(&t, room, 1);
	}
	say(b, &t);
	wait_for(b, "joining rooms", LIVE, 0);
	live = rss_anon_mb(b);
	result(b, took < 1 && live < 64, "100,000 rooms, then 1,000 of them live",
	    "start %.0f ms, %.1f MB, then %.1f MB; bars 1000 ms and 64 MB", took * 1e3, clean,
	    live);
	stop(b);
}

#define ARCHIVED 1000000u
#define PAGES 300u

static void
add_page(struct text *t, unsigned n, const char *set)
{
	add(t,
	    "<iq type='set' id='p%u' from='user0000@example.org/phone' to='long@rooms.test'>"
	    "<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'>"
	    "<max>50</max>%s</set></query></iq>",
	    n, set);
}

static double
page_cpu_ms(struct bench *b, bool last)
{
	uint64_t answers = b->server.answers;
	double cpu = worker_cpu_s(b);
	struct text t = { 0 };
	char set[80];

	for (unsigned i = 0; i < PAGES; i++) {
		snprintf(set, sizeof(set), "<index>%u</index>",
		    (unsigned)((uint64_t)i * 2654435761u % (ARCHIVED - 50)));
		add_page(&t, i, last ? "<before/>" : set);
	}
	say(b, &t);
	wait_for(b, "paging", 0, answers + PAGES);
	return (worker_cpu_s(b) - cpu) * 1e3 / PAGES;
}

static void
bench_archive(struct bench *b)
{
	struct text t = { 0 };
	double any, last;

	start(b);
	fill(b, "long", 1);
	for (unsigned i = 0; i < ARCHIVED; i++) {
		add_line(&t, "long", i);
		if (i % 5000 == 4999) {
			say(b, &t);
			wait_for(b, "filling an archive", i, 0);
		}
	}
	page_cpu_ms(b, false);
	any = page_cpu_ms(b, false);
	last = page_cpu_ms(b, true);
	result(b, any < 1 && last < 1, "50 of 1,000,000 archived lines",
	    "%.2f ms of CPU anywhere, %.2f ms the last ones; bar 1 ms", any, last);
	stop(b);
}

static const struct figure {
	const char *name;
	void (*measure)(struct bench *b);
} figures[] = {
	{ "join", bench_join },
	{ "deliver", bench_deliver },
	{ "memory", bench_memory },
	{ "rooms", bench_rooms },
	{ "archive", bench_archive },
};

int
main(int argc, char **argv)
{
	struct bench b = { 0 };

	if (argc < 3) {
		fprintf(stderr, "usage: bench_muc ANNEXD MODULE-DIR [NAME...]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	b.annexd = argv[1];
	b.modules = argv[2];
	configure(&b);
	for (size_t i = 0; i < sizeof(figures) / sizeof(*figures); i++) {
		bool wanted = argc == 3;

		for (int a = 3; a < argc; a++)
			wanted = wanted || strcmp(argv[a], figures[i].name) == 0;
		if (wanted)
			figures[i].measure(&b);
	}
	finish(&b);
	return b.failed > 0;
}
