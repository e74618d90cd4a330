/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * program.c - annex-worker's command line, and its loop
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <sodium.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/loop.h"
#include "check.h"
#include "program.h"
#include "worker.h"

#define SECTION_MAX (1u << 20)
#define ORPHAN_S 10 /* twice what the link takes to close */

/* --- A worker in its loop --------------------------------------------------------- */

struct running {
	struct worker *worker;
	struct loop *loop;
	struct timer wake;
	struct watch signals;
};

static void
wake(struct timer *timer)
{
	/* The turn follows. */
}

static void
turn(void *cookie)
{
	struct running *r = cookie;
	bool again = annexp_worker_turn(r->worker);
	int64_t wait_us = again ? 0 : annexp_worker_wait_us(r->worker);

	if (annexp_worker_has_ended(r->worker)) {
		loop_stop(r->loop);
		wait_us = 0;
	}
	if (wait_us < 0)
		timer_stop(loop_timers(r->loop), &r->wake);
	else
		timer_start(loop_timers(r->loop), &r->wake, (wait_us + 999) / 1000, wake);
}

static void
signalled(struct watch *watch, int events)
{
	struct running *r = annex_container_of(watch, struct running, signals);
	struct signalfd_siginfo info;

	if (read(watch->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		annexp_worker_stop(r->worker);
}

/* A file that may not grow is a full disk to the store, and no reason to die. */
static void
signals_ignore(void)
{
	static const int ignored[] = { SIGPIPE, SIGHUP, SIGXFSZ };

	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
}

/*
 * annexd is gone.  The end of the socketpair says so, too, and is the way out; a
 * handler that never returns does not see it and must not keep the store for ever.
 */
static void
orphaned(int signal)
{
	alarm(ORPHAN_S);
}

static int
signals_take(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void
run(struct running *r)
{
	r->signals.fd = signals_take();
	watch_start(loop_reactor(r->loop), &r->signals, r->signals.fd, REACTOR_READ, signalled);
	loop_on_turn(r->loop, NULL, turn, r);
	loop_run(r->loop);
	watch_stop(loop_reactor(r->loop), &r->signals);
	close(r->signals.fd);
}

/* The first line on descriptor 3: {"section": {...}}. */
static char *
read_section(size_t *len_r)
{
	struct buf line = { .max = SECTION_MAX };
	json_t *json, *section;
	char *text = NULL, c;

	while (line.error == 0 && read(PROGRAM_PARENT_FD, &c, 1) == 1 && c != '\n')
		buf_putc(&line, c);
	json = json_loadb(buf_text(&line), line.len, 0, NULL);
	if ((section = json_object_get(json, "section")) != NULL)
		text = json_dumps(section, JSON_COMPACT);
	*len_r = text == NULL ? 0 : strlen(text);
	json_decref(json);
	buf_finish(&line);
	return text;
}

static struct page *
map_page(void)
{
	struct page *page =
	    mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, PROGRAM_PAGE_FD, 0);

	return page == MAP_FAILED ? NULL : page;
}

static int
complain(struct clock *clock, const char *why)
{
	struct log *log = log_create("annex-worker", clock, NULL, NULL);

	log_write(log, ANNEX_LOG_ERROR, "cannot start (%s)", why);
	log_destroy(&log);
	return PROGRAM_CANNOT_START;
}

static int
program_worker(void)
{
	struct clock clock;
	struct random random;
	struct running r = { 0 };
	struct worker_env env = { .clock = &clock, .random = &random };
	char why[500];
	size_t len;
	char *section = read_section(&len);
	int status;

	mem_keep();
	signals_ignore();
	signal(PAGE_ORPHAN_SIGNAL, orphaned);
	clock_init_system(&clock);
	random_init_system(&random);
	if (section == NULL)
		return complain(&clock, "no section came on descriptor 3");
	if (io_set_cloexec(PROGRAM_PARENT_FD) < 0)
		return complain(&clock, "descriptor 3 is not open");
	r.loop = loop_create(&clock);
	env.reactor = loop_reactor(r.loop);
	env.page = map_page();
	env.parent_fd = PROGRAM_PARENT_FD;
	close(PROGRAM_PAGE_FD);
	r.worker = annexp_worker_create(&env, section, len, why, sizeof(why));
	free(section);
	if (r.worker == NULL) {
		loop_destroy(&r.loop);
		return complain(&clock, why);
	}
	annexp_worker_start(r.worker);
	run(&r);
	status = annexp_worker_exit_status(r.worker);
	annexp_worker_destroy(&r.worker);
	loop_destroy(&r.loop);
	return status;
}

/* --- The command line --------------------------------------------------------------- */

enum { OPT_WORKER = 1, OPT_CHECK, OPT_MODULES, OPT_STORE };

static const struct option long_options[] = {
	{ "worker", no_argument, NULL, OPT_WORKER },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "modules", no_argument, NULL, OPT_MODULES },
	{ "store", required_argument, NULL, OPT_STORE },
	{ "config", required_argument, NULL, 'c' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static int
usage(void)
{
	fputs("annex-worker is started by annexd(8); see annexd --help\n", stderr);
	return PROGRAM_CANNOT_START;
}

int
annexp_program(int argc, char **argv)
{
	const char *config = SYSCONFDIR "/annex/annex.yaml", *what = NULL;
	bool verbose = false, quiet = false;
	int mode = 0, c;

	if (sodium_init() < 0)
		return PROGRAM_CANNOT_START;
	while ((c = getopt_long(argc, argv, "c:vqV", long_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			config = optarg;
			break;
		case 'v':
			verbose = true;
			break;
		case 'q':
			quiet = true;
			break;
		case 'V':
			puts("annex-worker " PACKAGE_VERSION);
			return PROGRAM_STOPPED;
		case OPT_STORE:
			what = optarg;
			mode = c;
			break;
		case '?':
			return usage();
		default:
			mode = c;
		}
	}
	switch (mode) {
	case OPT_WORKER:
		return program_worker();
	case OPT_CHECK:
		return check_configuration(config, quiet ? NULL : stdout, stderr);
	case OPT_MODULES:
		return check_modules(stdout, verbose);
	case OPT_STORE:
		return argc - optind < 1
		    ? usage()
		    : program_store(config, what, argv[optind], argv[optind + 1]);
	default:
		return usage();
	}
}
