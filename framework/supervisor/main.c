/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * main.c - annexd: its command line, its signals, and its loop
 *
 * Everything here is local to main; the work is the supervisor's.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <sodium.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/loop.h"
#include "base/paths.h"

#include "foreground.h"
#include "process.h"
#include "supervisor.h"

#define STUCK_S 30

enum what { RUN, CHECK_FILE, MODULES, COMPONENT };
enum { OPT_CHECK = 256, OPT_MODULES, OPT_COMPONENT, OPT_STUCK };

struct annexd {
	enum what what;
	const char *file;
	const char *domain; /* of --component */
	const char *program;
	bool verbose;
	unsigned stuck_s;
	struct clock clock;
	struct random random;
	struct loop *loop;
	struct log *log;
	struct supervisor *supervisor;
	struct watch signals;
	int status;
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "modules", no_argument, NULL, OPT_MODULES },
	{ "component", required_argument, NULL, OPT_COMPONENT },
	{ "stuck-after", required_argument, NULL, OPT_STUCK },
	{ NULL, 0, NULL, 0 },
};

static const char usage_text[] =
    "usage: annexd [-c FILE]                     run all components, in the foreground\n"
    "       annexd [-c FILE] --check             validate the configuration\n"
    "       annexd [-c FILE] --component DOMAIN  run one component, in the foreground\n"
    "       annexd --modules [-v]                list the modules found, -v their options\n"
    "       annexd -V | -h                       print the version, or this\n"
    "\n"
    "  -c, --config FILE        the configuration (" SYSCONFDIR "/annex/annex.yaml)\n"
    "      --stuck-after SECS   kill a worker whose handler takes longer (30)\n";

/* Exit status of a command line that is not understood. */
static int
usage(const char *what, const char *option)
{
	fprintf(stderr, "annexd: %s%s\n%s", what, option, usage_text);
	return 2;
}

/* -1 to go on, or the exit status. */
static int
take_option(struct annexd *a, int c)
{
	char *end;
	unsigned long n;

	switch (c) {
	case 'c':
		a->file = optarg;
		return -1;
	case 'v':
		a->verbose = true;
		return -1;
	case 'V':
		puts("annexd " PACKAGE_VERSION);
		return 0;
	case 'h':
		fputs(usage_text, stdout);
		return 0;
	case OPT_CHECK:
		a->what = CHECK_FILE;
		return -1;
	case OPT_MODULES:
		a->what = MODULES;
		return -1;
	case OPT_COMPONENT:
		a->what = COMPONENT;
		a->domain = optarg;
		return -1;
	case OPT_STUCK:
		n = strtoul(optarg, &end, 10);
		if (*end != '\0' || n < 1 || n > 86400)
			return usage("--stuck-after takes 1 to 86400 seconds, not ", optarg);
		a->stuck_s = (unsigned)n;
		return -1;
	default:
		fputs(usage_text, stderr);
		return 2;
	}
}

static int
take_command_line(struct annexd *a, int argc, char **argv)
{
	int c, status;

	while ((c = getopt_long(argc, argv, "c:Vhv", long_options, NULL)) != -1)
		if ((status = take_option(a, c)) >= 0)
			return status;
	if (optind < argc)
		return usage("unexpected argument ", argv[optind]);
	return -1;
}

/* Become annex-worker with these arguments; annexd itself loads no module. */
static int
become(const struct annexd *a, const char *const *argv)
{
	const struct process_plan plan = {
		.path = a->program,
		.argv = argv,
		.fds = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO },
		.fd_count = 3,
	};

	return process_become(&plan) < 0 ? 1 : 0;
}

static void
finished(void *cookie, int status)
{
	struct annexd *a = cookie;

	a->status = status;
	loop_stop(a->loop);
}

static void
sentences(void *cookie, const char *text, size_t len)
{
	fwrite(text, 1, len, stderr);
}

static void
signals_fire(struct watch *watch, int events)
{
	struct annexd *a = annex_container_of(watch, struct annexd, signals);
	struct signalfd_siginfo info;

	if (read(watch->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		supervisor_signal(a->supervisor, (int)info.ssi_signo);
}

static int
signals_take(struct annexd *a)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 ||
	    (fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)) < 0)
		return ANNEX_EIO;
	watch_start(loop_reactor(a->loop), &a->signals, fd, REACTOR_READ, signals_fire);
	return ANNEX_OK;
}

/* $WATCHDOG_USEC, where it is meant for this process (sd_watchdog_enabled(3)). */
static int64_t
watchdog_us(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (us == NULL || (pid != NULL && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	return strtoll(us, NULL, 10) > 0 ? strtoll(us, NULL, 10) : 0;
}

static int
run(struct annexd *a, struct annex_pool *pool)
{
	struct supervisor_setup setup = {
		.reactor = loop_reactor(a->loop),
		.timers = loop_timers(a->loop),
		.clock = &a->clock,
		.random = &a->random,
		.log = a->log,
		.program = a->program,
		.file = a->file,
		.notify_socket = annex_strdup(pool, getenv("NOTIFY_SOCKET")),
		.watchdog_us = watchdog_us(),
		.stuck_s = a->stuck_s,
		.finished = finished,
		.sentences = sentences,
		.cookie = a,
	};

	/* What the service manager and we have to say to each other is not the workers' affair. */
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	if (signals_take(a) < 0) {
		fprintf(stderr, "annexd: cannot take signals: %s\n", strerror(errno));
		return 1;
	}
	a->supervisor = supervisor_create(&setup);
	supervisor_start(a->supervisor);
	loop_run(a->loop);
	supervisor_destroy(&a->supervisor);
	watch_stop(loop_reactor(a->loop), &a->signals);
	io_close(&a->signals.fd);
	return a->status;
}

static int
act(struct annexd *a, struct annex_pool *pool)
{
	const char *const check[] = { a->program, "--check", "--quiet", "-c", a->file, NULL };
	const char *const modules[] = { a->program, "--modules", a->verbose ? "-v" : NULL, NULL };
	int status;

	if (a->what == CHECK_FILE)
		return become(a, check);
	if (a->what == MODULES)
		return become(a, modules);
	clock_init_system(&a->clock);
	random_init_system(&a->random);
	a->loop = loop_create(&a->clock);
	a->log = log_create("annexd", &a->clock, NULL, NULL);
	status = a->what == COMPONENT ? foreground_run(a->loop, a->program, a->file, a->domain)
				      : run(a, pool);
	log_destroy(&a->log);
	loop_destroy(&a->loop);
	return status;
}

int
main(int argc, char **argv)
{
	static const struct paths_configured configured = {
		.sbindir = SBINDIR,
		.bindir = BINDIR,
		.libexecdir = LIBEXECDIR,
		.pkglibdir = PKGLIBDIR,
	};
	struct annexd a = { .file = SYSCONFDIR "/annex/annex.yaml", .stuck_s = STUCK_S };
	struct annex_pool *pool;
	struct paths paths;
	int status;

	if ((status = take_command_line(&a, argc, argv)) >= 0)
		return status;
	if (sodium_init() < 0) {
		fputs("annexd: no source of randomness\n", stderr);
		return 1;
	}
	json_set_alloc_funcs(mem_alloc, free);
	pool = annex_pool_create(NULL, "annexd");
	paths_find(&paths, pool, paths_self(pool), &configured);
	a.program = paths.worker;
	status = act(&a, pool);
	annex_pool_destroy(&pool);
	return status;
}
