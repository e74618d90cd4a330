/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bench_runtime.c - what Annex promises, measured beside its baseline in the same run
 *
 * The component is load.c.  Every line shows a figure, its baseline, and the bar.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <expat.h>
#include <lmdb.h>

#include "bench.h"

/* --- Messages ---------------------------------------------------------------------------- */

#define MESSAGE_BYTES 240u

/* From a thousand people; first is what stands before the body. */
static struct text
messages(unsigned n, const char *first)
{
	static const char end[] = "</body></message>";
	struct text t = { 0 };

	for (unsigned i = 0; i < n; i++) {
		size_t begin = t.len;

		text_add(&t,
		    "<message from='user%03u@example.org/phone' to='load.test' type='chat' id='m%07u'>"
		    "%s<body>",
		    i % 1000, i, first);
		text_add(&t, "%.*s%s", (int)(MESSAGE_BYTES - strlen(end) - (t.len - begin)),
		    "The quick brown fox jumps over the lazy dog and is not heard of again. "
		    "The lazy dog sleeps on, and dreams of brown things that move quickly.",
		    end);
	}
	return t;
}

/* On their way at most: 4.8 MB, far below the high-water mark, above which new work is refused.  That a
 * reader whom the machine has forgotten for a while does not cause. */
#define AT_ONCE 20000u
#define PART 1000u

/* Pump n messages of text in and wait for as many; seconds it took. */
static double
pump(struct bench *b, const struct text *text, unsigned n)
{
	uint64_t before = b->server.messages;
	double began = bench_now_s();

	for (unsigned sent = 0; sent < n; sent += PART) {
		if (sent >= AT_ONCE)
			bench_wait(b, "pumping", before + sent + PART - AT_ONCE, 0);
		server_write(&b->server, text->bytes + (size_t)sent * MESSAGE_BYTES,
		    (size_t)PART * MESSAGE_BYTES);
	}
	bench_wait(b, "pumping", before + n, 0);
	return bench_now_s() - began;
}

/* --- The figures -------------------------------------------------------------------------- */

static void
on_start(void *cookie, const XML_Char *name, const XML_Char **attrs)
{
}

static void
on_end(void *cookie, const XML_Char *name)
{
}

static void
on_text(void *cookie, const XML_Char *text, int len)
{
}

static double
expat_cpu_s(const struct text *t)
{
	XML_Parser p = XML_ParserCreate("UTF-8");
	double began = bench_thread_cpu_s();
	size_t at = 0, n;

	XML_SetElementHandler(p, on_start, on_end);
	XML_SetCharacterDataHandler(p, on_text);
	XML_Parse(p, "<stream>", 8, 0);
	for (; at < t->len; at += n) {
		n = t->len - at < 65536 ? t->len - at : 65536;
		if (XML_Parse(p, t->bytes + at, (int)n, 0) != XML_STATUS_OK)
			bench_die("expat");
	}
	XML_ParserFree(p);
	return bench_thread_cpu_s() - began;
}

/* Short rounds, of which some find the machine idle: the least of them is what counts. */
#define ECHOES 25000u
#define ROUNDS 30

static double echo_rate; /* the best of this run, for the figures that refer to it */

static void
bench_echo(struct bench *b)
{
	struct text t = messages(ECHOES, "");
	double ours = 0, bare = 0, took = 0;

	bench_start(b);
	pump(b, &t, ECHOES); /* to warm up */
	for (int round = 0; round < ROUNDS; round++) {
		double began = bench_cpu_s(b);

		bench_least(&took, pump(b, &t, ECHOES));
		bench_least(&ours, bench_cpu_s(b) - began);
		bench_least(&bare, expat_cpu_s(&t));
	}
	echo_rate = ECHOES / took;
	bench_result(b, bare / ours >= 0.5, "echo, worker CPU against bare expat",
	    "%.2f x (%.2f us against %.2f us a stanza; %.0f/s through the socket); bar 0.50 x",
	    bare / ours, ours / ECHOES * 1e6, bare / ECHOES * 1e6, echo_rate);
	bench_stop(b);
	text_free(&t);
}

#define FANS 100u
#define FANS_A_ROUND (FANS / 5)
#define FANS_AT_ONCE (FANS / 10) /* below the high-water mark */
#define RECIPIENTS 10000u

static void
ask_many(struct bench *b, const char *verb, unsigned from)
{
	struct text t = { 0 };

	text_add(&t,
	    "<message from='fan%u@example.org/x' to='load.test' id='f'><subject>%s</subject>"
	    "<thread>A body of some hundred bytes, as people write them, so that a stanza is of the usual size on "
	    "the wire.</thread><body>%u</body></message>",
	    from, verb, RECIPIENTS);
	bench_say(b, &t);
}

static void
ask_fan(struct bench *b, unsigned from)
{
	ask_many(b, "fan", from);
}

/*
 * The reader here only reads: the raw speed of the worker's side, in CPU time, since the wall clock
 * tells of who else uses the machine.  Of a stanza, *each_s, and how many times the least that the
 * plain pump needed.
 */
static double
fan_ratio(struct bench *b, const char *verb, uint64_t fan_bytes, double *each_s)
{
	double ours = 0, plain = 0;

	for (int round = 0; round < ROUNDS; round++) {
		double began = bench_cpu_s(b);

		for (unsigned i = 0; i < FANS_A_ROUND; i += FANS_AT_ONCE) {
			uint64_t until = server_bytes(&b->server) + fan_bytes * FANS_AT_ONCE;

			for (unsigned k = 0; k < FANS_AT_ONCE; k++)
				ask_many(b, verb, i + k);
			if (!server_wait_bytes(&b->server, until, 60)) {
				fprintf(stderr, "a fan-out was not written within a minute\n");
				exit(2);
			}
		}
		bench_least(&ours, bench_cpu_s(b) - began);
		bench_least(&plain, bench_pump_cpu_s(fan_bytes * FANS_A_ROUND, fan_bytes));
	}
	*each_s = ours / FANS_A_ROUND / RECIPIENTS;
	return plain / ours;
}

static void
bench_fanout(struct bench *b)
{
	const uint64_t all = (uint64_t)FANS * RECIPIENTS;
	double before, held, kept, anew, kept_s, anew_s;
	uint64_t each;

	bench_start(b);
	ask_fan(b, 0);
	bench_wait(b, "a fan-out", RECIPIENTS, 0);
	each = b->server.message_bytes;
	server_go_blind(&b->server); /* from here on its reader is the plain pump's */
	kept = fan_ratio(b, "room", each, &kept_s);
	anew = fan_ratio(b, "fan", each, &anew_s);
	bench_result(b, kept >= 0.7, "fan-out 1 to 10,000 against a write() pump",
	    "%.2f x in CPU time (%.0f ns a stanza); bar 0.70 x", kept, kept_s * 1e9);
	/* What an audience spares; rooms and nodes have one. */
	bench_result(b, anew >= 0.4, "fan-out to 10,000 who are listed for it",
	    "%.2f x in CPU time (%.0f ns a stanza); 0.40 x is asked", anew, anew_s * 1e9);

	/* Stalled: what is queued must stay small, and an answer must not wait behind it.  By a new
	 * worker, who keeps nothing of what was freed before. */
	bench_stop(b);
	bench_start(b);
	before = bench_rss_mb(b->worker);
	server_pause(&b->server, true);
	for (unsigned i = 0; i < FANS; i++)
		ask_fan(b, i);
	usleep(1000000);
	held = bench_rss_mb(b->worker) - before;
	bench_result(b, held * 1048576 / (double)all < 64,
	    "memory of 100 fan-outs behind a stalled reader",
	    "%.1f bytes a recipient (%.1f MB for %llu); bar 64", held * 1048576 / (double)all, held,
	    (unsigned long long)all);
	bench_stop(b);
}

static void
bench_answer(struct bench *b)
{
	static const char ping[] = "<iq type='get' id='p' from='a@example.org/1' to='load.test'>"
				   "<ping xmlns='urn:xmpp:ping'/></iq>";
	double began;
	double ms;

	bench_start(b);
	server_pause(&b->server, true);
	for (unsigned i = 0; i < FANS; i++)
		ask_fan(b, i);
	usleep(500000);
	server_write(&b->server, ping, strlen(ping));
	usleep(200000);
	began = bench_now_s();
	server_pause(&b->server, false);
	bench_wait(b, "an answer", 0, 1);
	ms = (bench_now_s() - began) * 1e3;
	bench_result(b, ms < 10, "an IQ answered once reading resumes", "%.1f ms; bar 10 ms", ms);
	bench_stop(b);
}

/* The same puts, each committed for itself. */
static double
commit_each_rate(struct bench *b, unsigned n)
{
	char path[128], value[32];
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	double began;

	snprintf(path, sizeof(path), "%s/loop", b->dir);
	mkdir(path, 0700);
	if (mdb_env_create(&env) != 0 || mdb_env_set_mapsize(env, 1u << 30) != 0 ||
	    mdb_env_open(env, path, 0, 0600) != 0 || mdb_txn_begin(env, NULL, 0, &txn) != 0 ||
	    mdb_dbi_open(txn, NULL, 0, &dbi) != 0 || mdb_txn_commit(txn) != 0)
		bench_die("lmdb");
	began = bench_now_s();
	for (unsigned i = 0; i < n; i++) {
		char name[16];
		MDB_val key = { (size_t)snprintf(name, sizeof(name), "user%03u", i % 1000), name };
		MDB_val data = { (size_t)snprintf(value, sizeof(value), "%u", i), value };

		if (mdb_txn_begin(env, NULL, 0, &txn) != 0 ||
		    mdb_put(txn, dbi, &key, &data, 0) != 0 || mdb_txn_commit(txn) != 0)
			bench_die("lmdb");
	}
	mdb_env_close(env);
	return n / (bench_now_s() - began);
}

static double
fsync_us(struct bench *b)
{
	static char page[4096];
	char path[128];
	double began;
	int fd;

	snprintf(path, sizeof(path), "%s/fsync", b->dir);
	if ((fd = open(path, O_RDWR | O_CREAT, 0600)) < 0)
		bench_die(path);
	began = bench_now_s();
	for (int i = 0; i < 200; i++)
		if (pwrite(fd, page, sizeof(page), 0) < 0 || fdatasync(fd) < 0)
			bench_die(path);
	close(fd);
	return (bench_now_s() - began) * 1e6 / 200;
}

#define COUNTS 100000u

static void
bench_durable(struct bench *b)
{
	struct text t = messages(COUNTS, "<subject>count</subject>");
	double ours, each = commit_each_rate(b, 1000), bar;

	bench_start(b);
	ours = COUNTS / pump(b, &t, COUNTS);
	bar = 20 * each < 0.5 * echo_rate || echo_rate == 0 ? 20 * each : 0.5 * echo_rate;
	bench_result(b, ours >= bar, "durable counter bumped once a message",
	    "%.0f/s (%.1f x a commit each at %.0f/s, %.2f x this run's echo; fsync %.0f us); bar %.0f/s",
	    ours, ours / each, each, echo_rate > 0 ? ours / echo_rate : 0.0, fsync_us(b), bar);
	bench_stop(b);
	text_free(&t);
}

static void
bench_idle(struct bench *b)
{
	double worker, supervisor;

	bench_start(b);
	usleep(1000000);
	worker = bench_rss_mb(b->worker);
	supervisor = bench_rss_mb(b->supervisor);
	bench_result(b, worker < 10 && supervisor < 4,
	    "idle memory (RssAnon), worker and supervisor", "%.1f MB and %.1f MB; bars 10 and 4",
	    worker, supervisor);
	bench_stop(b);
}

static void
bench_start_up(struct bench *b)
{
	char path[128];
	double began = bench_now_s();
	double ms;

	bench_start(b);
	ms = (bench_now_s() - began) * 1e3;
	bench_result(b, ms < 200, "start to attached", "%.0f ms; bar 200 ms", ms);

	snprintf(path, sizeof(path), "%s", b->server.path);
	server_close(&b->server);
	usleep(3000000);
	server_listen(&b->server, path);
	began = bench_now_s();
	server_accept(&b->server);
	ms = (bench_now_s() - began) * 1e3;
	bench_result(
	    b, ms < 1000, "attached again after a server restart", "%.0f ms; bar 1000 ms", ms);
	bench_stop(b);
}

static void
bench_crash(struct bench *b)
{
	static const char crash[] = "<message from='a@example.org/1' to='load.test' id='c'>"
				    "<subject>crash</subject><body/></message>";
	double began;
	double ms;

	bench_start(b);
	began = bench_now_s();
	server_write(&b->server, crash, strlen(crash));
	server_wait_end(&b->server);
	server_drop(&b->server);
	server_accept(&b->server);
	ms = (bench_now_s() - began) * 1e3;
	bench_result(b, ms < 1000, "attached again after a crash", "%.0f ms; bar 1000 ms", ms);
	bench_stop(b);
}

static const struct figure figures[] = {
	{ "echo", bench_echo },
	{ "fanout", bench_fanout },
	{ "answer", bench_answer },
	{ "durable", bench_durable },
	{ "idle", bench_idle },
	{ "start", bench_start_up },
	{ "crash", bench_crash },
	{ 0 },
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv, "load.test",
	    "    module: load\n    rate-per-jid: 1000000\n    burst-per-jid: 1000000\n    max-queue: 256M\n",
	    figures);
}
