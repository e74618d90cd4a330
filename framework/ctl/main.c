/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * main.c - annexctl: its options
 */
#include "config.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>

#include "base/paths.h"

#include "ctl.h"

enum { OPT_RUN_DIR = 256, OPT_JSON, OPT_BODIES };

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "run-dir", required_argument, NULL, OPT_RUN_DIR },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "bodies", no_argument, NULL, OPT_BODIES },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const char usage_text[] =
    "usage: annexctl [-c FILE | --run-dir DIR] COMMAND\n"
    "\n"
    "  status                      workers, links, rates, stores; exit status 0, 1 or 2\n"
    "  reload                      read the configuration again\n"
    "  restart DOMAIN              restart a worker, quietly\n"
    "  drain DOMAIN                say goodbye to everybody, then stop\n"
    "  DOMAIN status               link, queues, store and counters of one worker\n"
    "  DOMAIN trace [JID]          stanzas as they pass; --bodies shows texts\n"
    "  DOMAIN store backup FILE    copy the store while it is in use\n"
    "  DOMAIN store stat           what is in the store\n"
    "  DOMAIN store verify [FILE]  walk the store, or a backup\n"
    "  DOMAIN store export [FILE]  the store as JSON Lines\n"
    "  DOMAIN store restore FILE   put a backup in place; the worker is down\n"
    "  DOMAIN store import FILE    fill an empty store; the worker is down\n"
    "  DOMAIN help [COMMAND]       commands that the component declares\n"
    "  DOMAIN COMMAND [name=value | value]...\n"
    "\n"
    "  -c, --config FILE   the configuration (" SYSCONFDIR "/annex/annex.yaml)\n"
    "      --run-dir DIR   where the control sockets are\n"
    "      --json          answers as they come\n"
    "  -V, -h              print the version, or this\n";

/* -1 to go on, or the exit status. */
static int
take_option(struct ctl *ctl, int c)
{
	switch (c) {
	case 'c':
		ctl->config = optarg;
		ctl->config_given = true;
		return -1;
	case OPT_RUN_DIR:
		ctl->run_dir = optarg;
		return -1;
	case OPT_JSON:
		ctl->json = true;
		return -1;
	case OPT_BODIES:
		ctl->bodies = true;
		return -1;
	case 'V':
		puts("annexctl " PACKAGE_VERSION);
		return CTL_FINE;
	case 'h':
		fputs(usage_text, stdout);
		return CTL_FINE;
	default:
		fputs(usage_text, stderr);
		return CTL_BAD;
	}
}

static void
find_worker(struct ctl *ctl)
{
	static const struct paths_configured configured = {
		.sbindir = SBINDIR,
		.bindir = BINDIR,
		.libexecdir = LIBEXECDIR,
		.pkglibdir = PKGLIBDIR,
	};
	struct paths paths;

	paths_find(&paths, ctl->pool, paths_self(ctl->pool), &configured);
	ctl->program = paths.worker;
}

int
main(int argc, char **argv)
{
	struct ctl ctl = {
		.config = SYSCONFDIR "/annex/annex.yaml",
		.out = stdout,
		.err = stderr,
	};
	int c, status;

	while ((c = getopt_long(argc, argv, "c:Vh", long_options, NULL)) != -1)
		if ((status = take_option(&ctl, c)) >= 0)
			return status;
	if (optind == argc) {
		fputs(usage_text, stderr);
		return CTL_BAD;
	}
	signal(SIGPIPE, SIG_IGN);
	ctl.pool = annex_pool_create(NULL, "annexctl");
	find_worker(&ctl);
	status = ctl_act(&ctl, argv + optind, argc - optind);
	annex_pool_destroy(&ctl.pool);
	return status;
}
