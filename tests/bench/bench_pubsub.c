/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bench_pubsub.c - what nodes promise, measured beside its baseline
 *
 * What is a matter of speed is measured in CPU time where the disk and the
 * clock have no part in it.  A publish that is acknowledged has been on the disk, so that
 * is measured against the same puts into a copy of the store beside it, one commit for each
 * publish, as a service would do that acknowledges one after the other.
 */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define SPAN ((size_t)65536) /* of the plain write() */
#define NS "http://jabber.org/protocol/pubsub"

/* --- What is said ------------------------------------------------------------------------- */

static void
add_iq(struct text *t, const char *type, unsigned who, const char *id, unsigned n)
{
	text_add(t,
	    "<iq type='%s' from='user%02u@example.org/phone' to='pubsub.test' id='%s%u'>"
	    "<pubsub xmlns='" NS "'>",
	    type, who, id, n);
}

static void
add_end(struct text *t)
{
	text_add(t, "</pubsub></iq>");
}

static void
add_node(struct text *t, unsigned n)
{
	add_iq(t, "set", 0, "c", n);
	text_add(t,
	    "<create node='node%u'/><configure><x xmlns='jabber:x:data' type='submit'>"
	    "<field var='FORM_TYPE'><value>" NS "#node_config</value></field>"
	    "<field var='pubsub#publish_model'><value>open</value></field></x></configure>",
	    n);
	add_end(t);
}

static void
add_publish(struct text *t, unsigned who, unsigned node, unsigned n)
{
	add_iq(t, "set", who, "p", n);
	text_add(t,
	    "<publish node='node%u'><item id='item%07u'><entry xmlns='http://www.w3.org/2005/Atom'>"
	    "<title>The quick brown fox</title><id>tag:example.org,2026:%u</id>"
	    "<summary>jumps over the lazy dog and is not heard of again</summary></entry></item>"
	    "</publish>",
	    node, n, n);
	add_end(t);
}

static void
add_subscription(struct text *t, unsigned node, unsigned who)
{
	text_add(t,
	    "<iq type='set' from='s%06u@example.org/phone' to='pubsub.test' id='s'>"
	    "<pubsub xmlns='" NS
	    "'><subscribe node='node%u' jid='s%06u@example.org'/></pubsub></iq>",
	    who, node, who);
}

/* Say what add says for 0 to n - 1, a part at a time, each answered before the next. */
static void
say_all(struct bench *b, const char *what, unsigned n, void (*add)(struct text *t, unsigned i))
{
	uint64_t answers = b->server.answers;
	struct text t = { 0 };

	for (unsigned i = 0; i < n; i++) {
		add(&t, i);
		if (i % 2000 != 1999 && i + 1 < n)
			continue;
		bench_say(b, &t);
		bench_wait(b, what, 0, answers + i + 1);
	}
}

static void
subscribe_to_first(struct text *t, unsigned i)
{
	add_subscription(t, 0, i);
}

static void
publish_to_first(struct text *t, unsigned i)
{
	add_publish(t, 0, 0, i);
}

/* --- A thousand subscribers ----------------------------------------------------------------- */

#define SUBSCRIBERS 1000u
#define PUBLISHES 200u
#define ROUNDS 5u

static void
bench_deliver(struct bench *b)
{
	const uint64_t all = (uint64_t)PUBLISHES * SUBSCRIBERS;
	double cpu, ours = 0, plain = 0;
	uint64_t bytes = 0, before, answers;
	struct text t = { 0 };

	bench_start(b);
	say_all(b, "creating", 1, add_node);
	say_all(b, "subscribing", SUBSCRIBERS, subscribe_to_first);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < PUBLISHES; i++)
			publish_to_first(&t, round * PUBLISHES + i);
		before = b->server.messages;
		answers = b->server.answers;
		bytes = b->server.bytes;
		cpu = bench_cpu_s(b);
		bench_say(b, &t);
		bench_wait(b, "publishing", before + all, answers + PUBLISHES);
		bench_least(&ours, bench_cpu_s(b) - cpu);
		bytes = b->server.bytes - bytes;
		bench_least(&plain, bench_pump_cpu_s(bytes, SPAN));
	}
	bench_result(b, plain / ours >= 0.3, "publish to 1,000 subscribers against write()",
	    "%.2f x (%.0f notifications a second of CPU, %.0f bytes each); bar 0.30 x",
	    plain / ours, (double)all / ours, (double)bytes / (double)all);
	bench_stop(b);
}

/* --- Publishers in parallel ------------------------------------------------------------------- */

#define PUBLISHERS 64u
#define RANDOM_NODES 20000u
#define ACKNOWLEDGED 40000u
#define COMMITS 1000u

static unsigned
any(unsigned i, unsigned of)
{
	return (unsigned)((uint64_t)i * 2654435761u % of);
}

/* The rows that a publish writes, by how their keys begin: the item; where it is; how many the
 * node has, and how much that is. */
static const struct {
	unsigned char stem[5];
	size_t stem_len, size;
} rows[] = {
	{ { 0, 4 }, 2, 240 },
	{ { 0, 5 }, 2, 20 },
	{ { 0, 0, 4, 0, 4 }, 5, 16 },
};

static void
put_number(unsigned char *at, uint64_t number)
{
	for (unsigned i = 8; i-- > 0; number >>= 8)
		at[i] = (unsigned char)number;
}

static int
put_publish(MDB_txn *txn, MDB_dbi dbi, unsigned node, unsigned n)
{
	unsigned char name[40], value[240] = { 0 };
	MDB_val key = { 0, name }, data = { 0, value };
	int rc = 0;

	for (unsigned row = 0; row < sizeof(rows) / sizeof(*rows) && rc == 0; row++) {
		memcpy(name, rows[row].stem, rows[row].stem_len);
		put_number(name + rows[row].stem_len, node + 1);
		put_number(name + rows[row].stem_len + 8, n);
		key.mv_size = rows[row].stem_len + (row < 2 ? 16 : 8);
		data.mv_size = rows[row].size;
		rc = mdb_put(txn, dbi, &key, &data, 0);
	}
	return rc;
}

/* A copy of the store, which nobody has open, so that the tree is as deep and its pages lie as they do. */
static MDB_env *
copy_store(struct bench *b, unsigned nodes)
{
	char from[100], to[100];
	MDB_env *env;

	snprintf(from, sizeof(from), "%s/state/pubsub.test", b->dir);
	snprintf(to, sizeof(to), "%s/loop%u", b->dir, nodes);
	mkdir(to, 0700);
	if (mdb_env_create(&env) != 0 || mdb_env_open(env, from, MDB_RDONLY, 0600) != 0 ||
	    mdb_env_copy(env, to) != 0)
		bench_die("lmdb");
	mdb_env_close(env);
	if (mdb_env_create(&env) != 0 || mdb_env_open(env, to, 0, 0600) != 0)
		bench_die("lmdb");
	return env;
}

/* Publishes a second where each is committed for itself. */
static double
commit_each_rate(struct bench *b, unsigned nodes)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	double began;

	bench_stop(b);
	env = copy_store(b, nodes);
	began = bench_now_s();
	for (unsigned i = 1; i <= COMMITS; i++)
		if (mdb_txn_begin(env, NULL, 0, &txn) != 0 ||
		    mdb_dbi_open(txn, NULL, 0, &dbi) != 0 ||
		    put_publish(txn, dbi, any(i, nodes), ACKNOWLEDGED + i) != 0 ||
		    mdb_txn_commit(txn) != 0)
			bench_die("lmdb");
	began = bench_now_s() - began;
	mdb_env_close(env);
	bench_start(b);
	return COMMITS / began;
}

/* Items from the first on, none of which is there yet.  Each publisher waits for the answer before
 * it publishes again; what they say is written down before, that it costs nothing meanwhile. */
static double
acknowledged_rate(struct bench *b, unsigned nodes, unsigned first, double *cpu_us)
{
	static size_t end[ACKNOWLEDGED];
	uint64_t before = b->server.answers;
	unsigned said = 0, may;
	struct text t = { 0 };
	double began, cpu;

	for (unsigned i = 0; i < ACKNOWLEDGED; i++) {
		add_publish(&t, i % PUBLISHERS, any(i, nodes), first + i);
		end[i] = t.len;
	}
	began = bench_now_s();
	cpu = bench_cpu_s(b);
	for (unsigned done = 0; done < ACKNOWLEDGED;
	     done = (unsigned)(b->server.answers - before)) {
		may = done + PUBLISHERS < ACKNOWLEDGED ? done + PUBLISHERS : ACKNOWLEDGED;
		if (may > said) {
			size_t from = said == 0 ? 0 : end[said - 1];

			server_write(&b->server, t.bytes + from, end[may - 1] - from);
			said = may;
		}
		bench_wait(b, "publishing", 0, before + done + 1);
	}
	*cpu_us = (bench_cpu_s(b) - cpu) * 1e6 / ACKNOWLEDGED;
	text_free(&t);
	return ACKNOWLEDGED / (bench_now_s() - began);
}

static void
bench_durable(struct bench *b)
{
	double few, few_each, few_us, many, many_each, many_us;

	bench_start(b);
	say_all(b, "creating", RANDOM_NODES, add_node);
	few_each = commit_each_rate(b, PUBLISHERS);
	few = acknowledged_rate(b, PUBLISHERS, 0, &few_us);
	many_each = commit_each_rate(b, RANDOM_NODES);
	many = acknowledged_rate(b, RANDOM_NODES, ACKNOWLEDGED, &many_us);
	bench_result(b, few >= 10 * few_each, "64 publishers on 64 nodes",
	    "%.0f/s acknowledged, %.1f x a commit each (%.0f/s), %.0f us of CPU; bar 10 x", few,
	    few / few_each, few_each, few_us);
	bench_result(b, many >= 5 * many_each, "64 publishers on 20,000 random nodes",
	    "%.0f/s acknowledged, %.1f x a commit each (%.0f/s), %.0f us of CPU; bar 5 x", many,
	    many / many_each, many_each, many_us);
	bench_stop(b);
}

/* --- A hundred thousand subscribers ----------------------------------------------------------- */

#define CROWD 100000u
#define CROWD_PUBLISHES 9u

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Milliseconds until the answer to one publish. */
static double
answer_ms(struct bench *b, unsigned node, unsigned n)
{
	uint64_t answers = b->server.answers;
	struct text t = { 0 };
	double began = bench_now_s();

	add_publish(&t, 0, node, n);
	bench_say(b, &t);
	bench_wait(b, "publishing", 0, answers + 1);
	return (bench_now_s() - began) * 1e3;
}

static void
bench_crowd(struct bench *b)
{
	double own[CROWD_PUBLISHES], other[CROWD_PUBLISHES], took = 0, began;

	bench_start(b);
	say_all(b, "creating", 2, add_node);
	say_all(b, "subscribing", CROWD, subscribe_to_first);
	for (unsigned i = 0; i < CROWD_PUBLISHES; i++) {
		uint64_t messages = b->server.messages;

		began = bench_now_s();
		own[i] = answer_ms(b, 0, i);
		other[i] = answer_ms(b, 1, i);
		bench_wait(b, "telling", messages + CROWD, 0);
		took = bench_now_s() - began;
	}
	qsort(own, CROWD_PUBLISHES, sizeof(*own), compare);
	qsort(other, CROWD_PUBLISHES, sizeof(*other), compare);
	bench_result(b, own[CROWD_PUBLISHES / 2] < 10 && other[CROWD_PUBLISHES / 2] < 10,
	    "answer to a publish to 100,000 subscribers",
	    "%.1f ms, to another node meanwhile %.1f ms; all told in %.2f s; bar 10 ms",
	    own[CROWD_PUBLISHES / 2], other[CROWD_PUBLISHES / 2], took);
	bench_stop(b);
}

/* --- A million items --------------------------------------------------------------------------- */

#define ITEMS 1000000u
#define PAGES 300u

enum place { BY_INDEX, AFTER, LAST };

static void
add_place(struct text *t, enum place place, unsigned n)
{
	if (place == BY_INDEX)
		text_add(t, "<index>%u</index>", n);
	else if (place == AFTER)
		text_add(t, "<after>item%07u</after>", n);
	else
		text_add(t, "<before/>");
}

static double
page_cpu_ms(struct bench *b, enum place place)
{
	uint64_t answers = b->server.answers;
	double cpu = bench_cpu_s(b);
	struct text t = { 0 };

	for (unsigned i = 0; i < PAGES; i++) {
		add_iq(&t, "get", 0, "g", i);
		text_add(&t,
		    "<items node='node0'/><set xmlns='http://jabber.org/protocol/rsm'><max>50</max>");
		add_place(&t, place, any(i, ITEMS - 50));
		text_add(&t, "</set>");
		add_end(&t);
	}
	bench_say(b, &t);
	bench_wait(b, "paging", 0, answers + PAGES);
	return (bench_cpu_s(b) - cpu) * 1e3 / PAGES;
}

static void
bench_page(struct bench *b)
{
	double by_index, after, last;

	bench_start(b);
	say_all(b, "creating", 1, add_node);
	say_all(b, "publishing", ITEMS, publish_to_first);
	page_cpu_ms(b, BY_INDEX);
	by_index = page_cpu_ms(b, BY_INDEX);
	after = page_cpu_ms(b, AFTER);
	last = page_cpu_ms(b, LAST);
	bench_result(b, by_index < 1 && after < 1 && last < 1, "50 of 1,000,000 items",
	    "%.2f ms of CPU by index, %.2f ms after an item, %.2f ms the last ones; bar 1 ms",
	    by_index, after, last);
	bench_stop(b);
}

/* --- A million nodes ---------------------------------------------------------------------------- */

#define NODES 1000000u

static void
bench_nodes(struct bench *b)
{
	double took, mb;

	bench_start(b);
	say_all(b, "creating", NODES, add_node);
	bench_stop(b);
	took = bench_now_s();
	bench_start(b);
	took = bench_now_s() - took;
	answer_ms(b, any(1, NODES), 0);
	mb = bench_rss_mb(b->worker);
	bench_result(b, took < 1 && mb < 64, "1,000,000 nodes",
	    "start %.0f ms, %.1f MB; bars 1000 ms and 64 MB", took * 1e3, mb);
	bench_stop(b);
}

static const struct figure figures[] = {
	{ "deliver", bench_deliver, 0 },
	{ "durable", bench_durable, 0 },
	{ "crowd", bench_crowd, 600 },
	{ "page", bench_page, 900 },
	{ "nodes", bench_nodes, 900 },
	{ 0 },
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv, "pubsub.test",
	    "    module: pubsub\n"
	    "    rate-per-jid: 1000000\n    burst-per-jid: 1000000\n"
	    "    pubsub: { max-nodes: 0 }\n",
	    figures);
}
