/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * bench.c - annexd for real with one component, and what is measured of it
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define PATIENCE_S 60
#define PIECE ((size_t)65536) /* of one write() */

void
bench_die(const char *what)
{
	perror(what);
	exit(2);
}

/* --- What the machine tells --------------------------------------------------------- */

static double
clock_s(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

double
bench_now_s(void)
{
	return clock_s(CLOCK_MONOTONIC);
}

double
bench_thread_cpu_s(void)
{
	return clock_s(CLOCK_THREAD_CPUTIME_ID);
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

double
bench_cpu_s(const struct bench *b)
{
	char text[128];

	return read_proc(b->worker, "schedstat", text, sizeof(text)) ? strtod(text, NULL) / 1e9 : 0;
}

double
bench_rss_mb(pid_t pid)
{
	static const char name[] = "RssAnon:";
	char text[8192];
	const char *line;

	if (!read_proc(pid, "status", text, sizeof(text)) || (line = strstr(text, name)) == NULL)
		return 0;
	return strtod(line + strlen(name), NULL) / 1024;
}

void
bench_least(double *least, double value)
{
	if (*least == 0 || value < *least)
		*least = value;
}

static pid_t
child_of(pid_t pid)
{
	char name[64], text[256];

	snprintf(name, sizeof(name), "task/%d/children", (int)pid);
	return read_proc(pid, name, text, sizeof(text)) ? (pid_t)strtol(text, NULL, 10) : 0;
}

static void *
drain(void *arg)
{
	static char bytes[SERVER_READ_BYTES];

	while (read(*(int *)arg, bytes, sizeof(bytes)) > 0)
		;
	return NULL;
}

double
bench_pump_cpu_s(uint64_t bytes, size_t span)
{
	char *buffer = malloc(span);
	pthread_t reader;
	size_t at = 0;
	double began;
	int pair[2];
	ssize_t n;

	if (buffer == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		bench_die("socketpair");
	memset(buffer, 'x', span);
	pthread_create(&reader, NULL, drain, &pair[1]);
	began = bench_thread_cpu_s();
	for (uint64_t left = bytes; left > 0; left -= (uint64_t)n) {
		size_t most = span - at < PIECE ? span - at : PIECE;

		if ((n = write(pair[0], buffer + at, left < most ? left : most)) <= 0)
			bench_die("write");
		at = (at + (size_t)n) % span;
	}
	began = bench_thread_cpu_s() - began;
	close(pair[0]);
	pthread_join(reader, NULL);
	close(pair[1]);
	free(buffer);
	return began;
}

/* --- annexd -------------------------------------------------------------------------- */

static void
path_in(const struct bench *b, const char *name, char *path, size_t room)
{
	snprintf(path, room, "%s/%s", b->dir, name);
}

static void
configure(struct bench *b, const char *domain, const char *section)
{
	static const char *const folders[] = { "state", "run" };
	char path[100];
	FILE *f;

	strcpy(b->dir, "/var/tmp/annex-bench.XXXXXX"); /* a real disk, not a tmpfs */
	if (mkdtemp(b->dir) == NULL)
		bench_die(b->dir);
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		path_in(b, folders[i], path, sizeof(path));
		mkdir(path, 0700);
	}
	path_in(b, "annex.yaml", path, sizeof(path));
	if ((f = fopen(path, "we")) == NULL)
		bench_die(path);
	fprintf(f,
	    "state-dir: %s/state\nrun-dir: %s/run\nmodule-dirs: [\"%s\"]\nservers:\n  main:\n"
	    "    host: unix:%s/server.sock\n    local-domains: [example.org]\n"
	    "components:\n  %s:\n    secret: a long enough secret\n%s",
	    b->dir, b->dir, b->modules, b->dir, domain, section);
	fclose(f);
	chmod(path, 0600);
	path_in(b, "server.sock", path, sizeof(path));
	server_listen(&b->server, path);
}

/* In the child: annexd goes where we go. */
static void
become_annexd(const struct bench *b)
{
	char config[100], log[100];
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	path_in(b, "annex.yaml", config, sizeof(config));
	path_in(b, "annexd.log", log, sizeof(log));
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, STDERR_FILENO);
	execl(b->annexd, b->annexd, "-c", config, (char *)NULL);
	bench_die(b->annexd);
}

/* A mistake is told at once; nothing would ever attach. */
static bool
takes_configuration(const struct bench *b)
{
	char config[100];
	pid_t pid = fork();
	int status;

	if (pid < 0)
		bench_die("fork");
	if (pid == 0) {
		path_in(b, "annex.yaml", config, sizeof(config));
		execl(b->annexd, b->annexd, "-c", config, "--check", (char *)NULL);
		bench_die(b->annexd);
	}
	return waitpid(pid, &status, 0) == pid && status == 0;
}

void
bench_start(struct bench *b)
{
	b->supervisor = fork();
	if (b->supervisor < 0)
		bench_die("fork");
	if (b->supervisor == 0)
		become_annexd(b);
	server_accept(&b->server);
	b->worker = child_of(b->supervisor);
	server_start_reading(&b->server);
}

void
bench_stop(struct bench *b)
{
	kill(b->supervisor, SIGTERM);
	server_drop(&b->server);
	waitpid(b->supervisor, NULL, 0);
}

static void
clean_up(struct bench *b)
{
	char command[100];

	server_close(&b->server);
	snprintf(command, sizeof(command), "rm -rf %s", b->dir);
	if (system(command) != 0)
		fprintf(stderr, "could not remove %s\n", b->dir);
}

/* --- What is said and heard ----------------------------------------------------------- */

void
text_add(struct text *t, const char *fmt, ...)
{
	va_list args, again;
	size_t len;

	va_start(args, fmt);
	va_copy(again, args);
	len = (size_t)vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (t->room - t->len <= len) {
		t->room = t->room * 2 + len + 65536;
		if ((t->bytes = realloc(t->bytes, t->room)) == NULL)
			bench_die("text");
	}
	vsnprintf(t->bytes + t->len, len + 1, fmt, again);
	va_end(again);
	t->len += len;
}

void
text_free(struct text *t)
{
	free(t->bytes);
	*t = (struct text) { 0 };
}

void
bench_say(struct bench *b, struct text *t)
{
	server_write(&b->server, t->bytes, t->len);
	text_free(t);
}

void
bench_wait(struct bench *b, const char *what, uint64_t messages, uint64_t answers)
{
	struct server *s = &b->server;
	uint64_t come;

	do {
		come = s->messages + s->answers;
		if (server_wait(s, messages, answers, PATIENCE_S))
			return;
	} while (s->messages + s->answers > come);
	fprintf(stderr, "%s: %llu messages and %llu answers came, not %llu and %llu; see %s\n",
	    what, (unsigned long long)s->messages, (unsigned long long)s->answers,
	    (unsigned long long)messages, (unsigned long long)answers, b->dir);
	exit(2);
}

/* --- Figures --------------------------------------------------------------------------- */

void
bench_result(struct bench *b, bool good, const char *what, const char *fmt, ...)
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

static void
too_long(int signal)
{
	static const char why[] = "this figure takes too long\n";

	if (write(STDERR_FILENO, why, sizeof(why) - 1) < 0)
		_exit(3);
	_exit(2);
}

static bool
is_wanted(int argc, char **argv, const char *name)
{
	for (int i = 3; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc == 3;
}

int
bench_main(
    int argc, char **argv, const char *domain, const char *section, const struct figure *figures)
{
	struct bench b = { 0 };
	char modules[PATH_MAX];

	if (argc < 3) {
		fprintf(stderr, "usage: %s ANNEXD MODULE-DIR [NAME...]\n", argv[0]);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, too_long);
	b.annexd = argv[1];
	if ((b.modules = realpath(argv[2], modules)) == NULL) /* annexd looks from another place */
		bench_die(argv[2]);
	for (const struct figure *f = figures; f->name != NULL; f++) {
		if (!is_wanted(argc, argv, f->name))
			continue;
		configure(&b, domain, section); /* what is left by one is no burden of the next */
		if (!takes_configuration(&b)) {
			clean_up(&b);
			return 2;
		}
		alarm(f->limit_s > 0 ? f->limit_s : FIGURE_LIMIT_S);
		f->measure(&b);
		alarm(0);
		clean_up(&b);
	}
	return b.failed > 0;
}
