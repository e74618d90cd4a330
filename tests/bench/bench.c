/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bench.c - what Annex promises, measured beside its baseline in the same run
 *
 *	bench ANNEXD MODULE-DIR [NAME...]
 *
 * annexd runs for real, with the component load.c attached to server.c over a
 * Unix socket.  Every line shows a figure, its baseline, and the bar.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <expat.h>
#include <lmdb.h>

#include "server.h"

struct bench {
	const char *annexd, *modules;
	char dir[64];
	pid_t supervisor, worker;
	struct server server;
	int failed;
};

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

/* --- What /proc tells ---------------------------------------------------------------- */

static bool
read_proc(pid_t pid, const char *name, char *text, size_t room)
{
	char path[64];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	if ((f = fopen(path, "re")) == NULL)
		return false;
	n = fread(text, 1, room - 1, f);
	text[n] = '\0';
	fclose(f);
	return true;
}

static double
cpu_s(pid_t pid)
{
	char text[128];

	return read_proc(pid, "schedstat", text, sizeof(text)) ? strtod(text, NULL) / 1e9 : 0;
}

static double
rss_anon_mb(pid_t pid)
{
	char text[8192];
	const char *line;

	if (!read_proc(pid, "status", text, sizeof(text)) ||
	    (line = strstr(text, "RssAnon:")) == NULL)
		return 0;
	return strtod(line + strlen("RssAnon:"), NULL) / 1024;
}

static pid_t
child_of(pid_t pid)
{
	char name[64], text[256];

	snprintf(name, sizeof(name), "task/%d/children", (int)pid);
	return read_proc(pid, name, text, sizeof(text)) ? (pid_t)strtol(text, NULL, 10) : 0;
}

/* --- annexd for real ------------------------------------------------------------------- */

static void
write_file(const char *path, mode_t mode, const char *fmt, ...)
{
	va_list args;
	FILE *f = fopen(path, "we");

	if (f == NULL)
		die(path);
	va_start(args, fmt);
	vfprintf(f, fmt, args);
	va_end(args);
	fclose(f);
	chmod(path, mode);
}

static void
configure(struct bench *b)
{
	char path[128];

	strcpy(b->dir, "/var/tmp/annex-bench.XXXXXX"); /* a real disk, not a tmpfs */
	if (mkdtemp(b->dir) == NULL)
		die(b->dir);
	snprintf(path, sizeof(path), "%s/state", b->dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/run", b->dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/annex.yaml", b->dir);
	write_file(path, 0600,
	    "state-dir: %s/state\nrun-dir: %s/run\nmodule-dirs: [\"%s\"]\nservers:\n  main:\n"
	    "    host: unix:%s/server.sock\n    local-domains: [example.org]\n"
	    "components:\n  load.test:\n    module: load\n    secret: a long enough secret\n"
	    "    rate-per-jid: 1000000\n    burst-per-jid: 1000000\n",
	    b->dir, b->dir, b->modules, b->dir);
	snprintf(path, sizeof(path), "%s/server.sock", b->dir);
	server_listen(&b->server, path);
}

static void
start(struct bench *b)
{
	char config[128], log[128];
	int fd;

	snprintf(config, sizeof(config), "%s/annex.yaml", b->dir);
	snprintf(log, sizeof(log), "%s/annexd.log", b->dir);
	b->supervisor = fork();
	if (b->supervisor == 0) {
		fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
		dup2(fd, STDERR_FILENO);
		execl(b->annexd, b->annexd, "-c", config, (char *)NULL);
		die(b->annexd);
	}
	server_accept(&b->server);
	b->worker = child_of(b->supervisor);
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

/* --- Messages ---------------------------------------------------------------------------- */

struct text {
	char *bytes;
	size_t len, room;
};

static void
add(struct text *t, const char *fmt, ...)
{
	va_list args;

	if (t->room - t->len < 1024) {
		t->room = t->room * 2 + 65536;
		t->bytes = realloc(t->bytes, t->room);
	}
	va_start(args, fmt);
	t->len += (size_t)vsnprintf(t->bytes + t->len, t->room - t->len, fmt, args);
	va_end(args);
}

/* 240 bytes each, from a thousand people; first is what stands before the body. */
static struct text
messages(unsigned n, const char *first)
{
	struct text t = { 0 };

	for (unsigned i = 0; i < n; i++) {
		size_t begin = t.len, used;

		add(&t,
		    "<message from='user%03u@example.org/phone' to='load.test' type='chat' id='m%07u'>"
		    "%s<body>",
		    i % 1000, i, first);
		used = t.len - begin + strlen("</body></message>");
		add(&t, "%.*s</body></message>", (int)(used < 240 ? 240 - used : 0),
		    "The quick brown fox jumps over the lazy dog and is not heard of again. "
		    "The lazy dog sleeps on, and dreams of brown things that move quickly.");
	}
	return t;
}

struct writing {
	struct server *server;
	struct text *text;
};

static void *
write_all(void *arg)
{
	struct writing *w = arg;

	server_write(w->server, w->text->bytes, w->text->len);
	return NULL;
}

/* Pump text in and wait for n messages; seconds it took. */
static double
pump(struct bench *b, struct text *text, unsigned n)
{
	struct writing w = { &b->server, text };
	pthread_t writer;
	int64_t began = now_us();

	pthread_create(&writer, NULL, write_all, &w);
	if (!server_wait(&b->server, b->server.messages + n, 0, 120)) {
		fprintf(stderr, "only %llu of %u messages came\n",
		    (unsigned long long)b->server.messages, n);
		exit(2);
	}
	pthread_join(writer, NULL);
	return (double)(now_us() - began) / 1e6;
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
thread_cpu_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double
expat_cpu_s(const struct text *t)
{
	XML_Parser p = XML_ParserCreate("UTF-8");
	double began = thread_cpu_s();
	size_t at = 0, n;

	XML_SetElementHandler(p, on_start, on_end);
	XML_SetCharacterDataHandler(p, on_text);
	XML_Parse(p, "<stream>", 8, 0);
	for (; at < t->len; at += n) {
		n = t->len - at < 65536 ? t->len - at : 65536;
		if (XML_Parse(p, t->bytes + at, (int)n, 0) != XML_STATUS_OK)
			die("expat");
	}
	XML_ParserFree(p);
	return thread_cpu_s() - began;
}

#define ECHOES 200000u

static double echo_rate; /* of this run, for the figures that refer to it */

static void
bench_echo(struct bench *b)
{
	struct text warm = messages(20000, ""), t = messages(ECHOES, "");
	double ours, bare, took;

	start(b);
	server_start_reading(&b->server);
	pump(b, &warm, 20000);
	ours = cpu_s(b->worker);
	took = pump(b, &t, ECHOES);
	ours = cpu_s(b->worker) - ours;
	expat_cpu_s(&warm);
	bare = expat_cpu_s(&t);
	echo_rate = ECHOES / took;
	result(b, bare / ours >= 0.5, "echo, worker CPU against bare expat",
	    "%.2f x (%.2f us against %.2f us a stanza; %.0f/s through the socket); bar 0.50 x",
	    bare / ours, ours / ECHOES * 1e6, bare / ECHOES * 1e6, echo_rate);
	stop(b);
	free(warm.bytes);
	free(t.bytes);
}

static void *
drain(void *arg)
{
	static char bytes[262144];
	int fd = *(int *)arg;

	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	return NULL;
}

#define PIECE ((size_t)65536)

/*
 * A plain pump: the CPU time of a write() of the bytes of one fan-out, so many times over, to
 * somebody who reads as server.c does when blind.
 */
static double
plain_pump_cpu_s(size_t fan_bytes, unsigned times)
{
	char *bytes = malloc(fan_bytes);
	pthread_t reader;
	double began;
	int pair[2];
	ssize_t n;

	if (bytes == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		die("socketpair");
	memset(bytes, 'x', fan_bytes);
	pthread_create(&reader, NULL, drain, &pair[1]);
	began = thread_cpu_s();
	for (unsigned i = 0; i < times; i++)
		for (size_t at = 0; at < fan_bytes; at += (size_t)n) {
			size_t left = fan_bytes - at;

			if ((n = write(pair[0], bytes + at, left < PIECE ? left : PIECE)) <= 0)
				die("write");
		}
	began = thread_cpu_s() - began;
	close(pair[0]);
	pthread_join(reader, NULL);
	close(pair[1]);
	free(bytes);
	return began;
}

#define FANS 100u
#define RECIPIENTS 10000u

static void
ask_many(struct bench *b, const char *verb, unsigned from)
{
	struct text t = { 0 };

	add(&t,
	    "<message from='fan%u@example.org/x' to='load.test' id='f'><subject>%s</subject>"
	    "<thread>A body of some hundred bytes, as people write them, so that a stanza is of the usual size on "
	    "the wire.</thread><body>%u</body></message>",
	    from, verb, RECIPIENTS);
	server_write(&b->server, t.bytes, t.len);
	free(t.bytes);
}

static void
ask_fan(struct bench *b, unsigned from)
{
	ask_many(b, "fan", from);
}

/*
 * The reader here only reads: the raw speed of the worker's side, in CPU time, since the wall clock
 * tells of who else uses the machine.  The best of some rounds; *each_s is of a stanza.
 */
static double
fan_ratio(struct bench *b, const char *verb, uint64_t fan_bytes, double *each_s)
{
	double best = 0;

	for (int round = 0; round < 7; round++) {
		double took = cpu_s(b->worker), plain;

		for (unsigned i = 0; i < FANS; i += FANS / 10) { /* below the high-water mark */
			uint64_t until = b->server.bytes + fan_bytes * (FANS / 10);

			for (unsigned k = 0; k < FANS / 10; k++)
				ask_many(b, verb, i + k);
			server_wait_bytes(&b->server, until, 60);
		}
		took = cpu_s(b->worker) - took;
		plain = plain_pump_cpu_s(fan_bytes, FANS);
		if (plain / took < best)
			continue;
		best = plain / took;
		*each_s = took / FANS / RECIPIENTS;
	}
	return best;
}

static void
bench_fanout(struct bench *b)
{
	const uint64_t all = (uint64_t)FANS * RECIPIENTS;
	double before, held, kept, anew, kept_s, anew_s;
	uint64_t each;

	start(b);
	server_start_reading(&b->server);
	ask_fan(b, 0);
	server_wait(&b->server, RECIPIENTS, 0, 60);
	each = b->server.message_bytes;
	b->server.blind = true; /* from here on its reader is the plain pump's */
	kept = fan_ratio(b, "room", each, &kept_s);
	anew = fan_ratio(b, "fan", each, &anew_s);
	result(b, kept >= 0.7, "fan-out 1 to 10,000 against a write() pump",
	    "%.2f x in CPU time (%.0f ns a stanza), %.2f x (%.0f ns) where who is told is listed "
	    "anew; bar 0.70 x",
	    kept, kept_s * 1e9, anew, anew_s * 1e9);

	/* Stalled: what is queued must stay small, and an answer must not wait behind it. */
	before = rss_anon_mb(b->worker);
	server_pause(&b->server, true);
	for (unsigned i = 0; i < FANS; i++)
		ask_fan(b, i);
	usleep(1000000);
	held = rss_anon_mb(b->worker) - before;
	result(b, held * 1048576 / (double)all < 64,
	    "memory of 100 fan-outs behind a stalled reader",
	    "%.1f bytes a recipient (%.1f MB for %llu); bar 64", held * 1048576 / (double)all, held,
	    (unsigned long long)all);
	stop(b);
}

static void
bench_answer(struct bench *b)
{
	static const char ping[] = "<iq type='get' id='p' from='a@example.org/1' to='load.test'>"
				   "<ping xmlns='urn:xmpp:ping'/></iq>";
	int64_t began;
	double ms;

	start(b);
	server_start_reading(&b->server);
	server_pause(&b->server, true);
	for (unsigned i = 0; i < FANS; i++)
		ask_fan(b, i);
	usleep(500000);
	server_write(&b->server, ping, strlen(ping));
	usleep(200000);
	began = now_us();
	server_pause(&b->server, false);
	server_wait(&b->server, 0, 1, 30);
	ms = (double)(now_us() - began) / 1e3;
	result(b, ms < 10, "an IQ answered once reading resumes", "%.1f ms; bar 10 ms", ms);
	stop(b);
}

/* The same puts, each committed for itself. */
static double
commit_each_rate(struct bench *b, unsigned n)
{
	char path[128], value[32];
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	int64_t began;

	snprintf(path, sizeof(path), "%s/loop", b->dir);
	mkdir(path, 0700);
	if (mdb_env_create(&env) != 0 || mdb_env_set_mapsize(env, 1u << 30) != 0 ||
	    mdb_env_open(env, path, 0, 0600) != 0 || mdb_txn_begin(env, NULL, 0, &txn) != 0 ||
	    mdb_dbi_open(txn, NULL, 0, &dbi) != 0 || mdb_txn_commit(txn) != 0)
		die("lmdb");
	began = now_us();
	for (unsigned i = 0; i < n; i++) {
		char name[16];
		MDB_val key = { (size_t)snprintf(name, sizeof(name), "user%03u", i % 1000), name };
		MDB_val data = { (size_t)snprintf(value, sizeof(value), "%u", i), value };

		if (mdb_txn_begin(env, NULL, 0, &txn) != 0 ||
		    mdb_put(txn, dbi, &key, &data, 0) != 0 || mdb_txn_commit(txn) != 0)
			die("lmdb");
	}
	mdb_env_close(env);
	return n / ((double)(now_us() - began) / 1e6);
}

static double
fsync_us(struct bench *b)
{
	static char page[4096];
	char path[128];
	int64_t began;
	int fd;

	snprintf(path, sizeof(path), "%s/fsync", b->dir);
	if ((fd = open(path, O_RDWR | O_CREAT, 0600)) < 0)
		die(path);
	began = now_us();
	for (int i = 0; i < 200; i++)
		if (pwrite(fd, page, sizeof(page), 0) < 0 || fdatasync(fd) < 0)
			die(path);
	close(fd);
	return (double)(now_us() - began) / 200;
}

#define COUNTS 100000u

static void
bench_durable(struct bench *b)
{
	struct text t = messages(COUNTS, "<subject>count</subject>");
	double ours, each = commit_each_rate(b, 1000), bar;

	start(b);
	server_start_reading(&b->server);
	ours = COUNTS / pump(b, &t, COUNTS);
	bar = 20 * each < 0.5 * echo_rate || echo_rate == 0 ? 20 * each : 0.5 * echo_rate;
	result(b, ours >= bar, "durable counter bumped once a message",
	    "%.0f/s (%.1f x a commit each at %.0f/s, %.2f x this run's echo; fsync %.0f us); bar %.0f/s",
	    ours, ours / each, each, echo_rate > 0 ? ours / echo_rate : 0.0, fsync_us(b), bar);
	stop(b);
	free(t.bytes);
}

static void
bench_idle(struct bench *b)
{
	double worker, supervisor;

	start(b);
	server_start_reading(&b->server);
	usleep(1000000);
	worker = rss_anon_mb(b->worker);
	supervisor = rss_anon_mb(b->supervisor);
	result(b, worker < 10 && supervisor < 4, "idle memory (RssAnon), worker and supervisor",
	    "%.1f MB and %.1f MB; bars 10 and 4", worker, supervisor);
	stop(b);
}

static void
bench_start(struct bench *b)
{
	char path[128];
	int64_t began = now_us();
	double ms;

	start(b);
	ms = (double)(now_us() - began) / 1e3;
	result(b, ms < 200, "start to attached", "%.0f ms; bar 200 ms", ms);

	snprintf(path, sizeof(path), "%s", b->server.path);
	server_start_reading(&b->server);
	server_close(&b->server);
	usleep(3000000);
	server_listen(&b->server, path);
	began = now_us();
	server_accept(&b->server);
	ms = (double)(now_us() - began) / 1e3;
	result(b, ms < 1000, "attached again after a server restart", "%.0f ms; bar 1000 ms", ms);
	stop(b);
}

static void
bench_crash(struct bench *b)
{
	static const char crash[] = "<message from='a@example.org/1' to='load.test' id='c'>"
				    "<subject>crash</subject><body/></message>";
	int64_t began;
	double ms;

	start(b);
	server_start_reading(&b->server);
	began = now_us();
	server_write(&b->server, crash, strlen(crash));
	pthread_join(b->server.reader, NULL);
	b->server.reading = false;
	close(b->server.link);
	server_accept(&b->server);
	ms = (double)(now_us() - began) / 1e3;
	result(b, ms < 1000, "attached again after a crash", "%.0f ms; bar 1000 ms", ms);
	stop(b);
}

static const struct figure {
	const char *name;
	void (*measure)(struct bench *b);
} figures[] = {
	{ "echo", bench_echo },
	{ "fanout", bench_fanout },
	{ "answer", bench_answer },
	{ "durable", bench_durable },
	{ "idle", bench_idle },
	{ "start", bench_start },
	{ "crash", bench_crash },
};

int
main(int argc, char **argv)
{
	struct bench b = { 0 };

	if (argc < 3) {
		fprintf(stderr, "usage: bench ANNEXD MODULE-DIR [NAME...]\n");
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
