/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bench_bots.c - how many messages a second go through a bot and back
 *
 *	bench_bots ANNEXD MODULE-DIR BOT
 *
 * annexd runs for real with the component bots, attached to server.c; every
 * message is a row of an inbox before the program sees it, and every answer a
 * row until a fence has returned.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "server.h"

struct bench {
	const char *annexd, *modules, *bot;
	char dir[64];
	pid_t supervisor;
	struct server server;
	int failed;
};

static double
now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

static const char *
in_dir(const struct bench *b, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	return path;
}

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
	chmod(in_dir(b, "annex.yaml"), 0600);
	fprintf(f,
	    "state-dir: %s/state\nrun-dir: %s/run\nmodule-dirs: [\"%s\"]\nservers:\n  main:\n"
	    "    host: unix:%s/server.sock\n    local-domains: [example.org]\n"
	    "components:\n  bots.test:\n    module: bots\n    secret: a long enough secret\n"
	    "    rate-per-jid: 1000000\n    burst-per-jid: 1000000\n    bots:\n      rate-each: 100000\n      burst-each: 1000000\n      bots:\n"
	    "        child: { child: [\"%s\"] }\n"
	    "        shell: { exec: [/bin/sh, -c, 'read x; echo \"$x\"'] }\n"
	    "        python: { exec: [python3, -c, 'print(input())'] }\n",
	    b->dir, b->dir, b->modules, b->dir, b->bot);
	fclose(f);
	server_listen(&b->server, in_dir(b, "server.sock"));
}

static void
start(struct bench *b)
{
	char config[128];
	int fd;

	strcpy(config, in_dir(b, "annex.yaml"));
	b->supervisor = fork();
	if (b->supervisor == 0) {
		fd = open(in_dir(b, "annexd.log"), O_WRONLY | O_CREAT | O_APPEND, 0600);
		dup2(fd, STDERR_FILENO);
		execl(b->annexd, b->annexd, "-c", config, (char *)NULL);
		die(b->annexd);
	}
	server_accept(&b->server);
	server_start_reading(&b->server);
}

static void
stop(struct bench *b)
{
	char command[128];

	kill(b->supervisor, SIGTERM);
	server_drop(&b->server);
	waitpid(b->supervisor, NULL, 0);
	server_close(&b->server);
	snprintf(command, sizeof(command), "rm -rf %s", b->dir);
	if (system(command) != 0)
		fprintf(stderr, "could not remove %s\n", b->dir);
}

/* --- Messages ---------------------------------------------------------------- */

static char *
messages(const char *bot, unsigned first, unsigned n, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	for (unsigned i = first; i < first + n; i++)
		fprintf(out,
		    "<message from='user%03u@example.org/phone' to='%s@bots.test' type='chat' "
		    "id='m%07u'><body>message %u of many, and of the usual length</body></message>",
		    i % 500, bot, i, i);
	fclose(out);
	return text;
}

/* No more on their way than people have patience for. */
#define AT_ONCE 4000u
#define PART 500u

static double
pump(struct bench *b, const char *bot, unsigned n)
{
	uint64_t before = b->server.messages;
	double began = now_s();

	for (unsigned sent = 0; sent < n; sent += PART) {
		unsigned part = n - sent < PART ? n - sent : PART;
		size_t len;
		char *text = messages(bot, sent, part, &len);

		server_write(&b->server, text, len);
		free(text);
		if (sent + part > AT_ONCE &&
		    !server_wait(&b->server, before + sent + part - AT_ONCE, 0, 60))
			break;
	}
	if (!server_wait(&b->server, before + n, 0, 120)) {
		fprintf(stderr, "%s: only %llu of %u messages came\n", bot,
		    (unsigned long long)(b->server.messages - before), n);
		exit(2);
	}
	return n / (now_s() - began);
}

static void
figure(struct bench *b, const char *what, double rate, double bar)
{
	bool good = rate >= bar;

	printf("%-4s %-44s %.0f messages/s", good ? "ok" : "LOW", what, rate);
	if (bar > 0)
		printf(" (at least %.0f)", bar);
	printf("\n");
	fflush(stdout);
	b->failed += !good;
}

int
main(int argc, char **argv)
{
	struct bench b = { 0 };

	if (argc != 4) {
		fprintf(stderr, "usage: bench_bots ANNEXD MODULE-DIR BOT\n");
		return 2;
	}
	b.annexd = argv[1];
	b.modules = argv[2];
	b.bot = argv[3];
	configure(&b);
	start(&b);
	pump(&b, "child", 10000);
	figure(&b, "child, an echo in C", pump(&b, "child", 100000), 20000);
	figure(&b, "exec, an echo in shell", pump(&b, "shell", 1500), 300);
	figure(&b, "exec, an echo in Python", pump(&b, "python", 200), 0);
	stop(&b);
	return b.failed > 0;
}
