/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * main.c - annexctl: what is asked for, and of whom
 *
 * The first word is a command of annexd or a domain, whose second word then
 * is the command; for those who think the other way round "store backup
 * DOMAIN FILE" and "drain DOMAIN" are taken too.
 */
#include "config.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/paths.h"

#include "ctl.h"

#define NO_LIMIT -1

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

/* Ask annexd to do something to a domain, and wait until it is done. */
static int
ask_of_domain(struct ctl *ctl, const char *command, const char *domain, const char *outcome)
{
	int status = CTL_FINE;
	json_t *answer = ctl_ask(
	    ctl, "annexd", command, json_pack("{s:s}", "domain", domain), -1, NO_LIMIT, &status);

	if (answer == NULL)
		return status;
	if (ctl->json)
		ctl_print_json(ctl, answer);
	else
		fprintf(ctl->out, "%s: %s\n", domain, outcome);
	json_decref(answer);
	return CTL_FINE;
}

static int
no_more_words(struct ctl *ctl, const char *command, char **words, int count)
{
	if (count == 0)
		return CTL_FINE;
	return ctl_complain(ctl, CTL_BAD, "%s takes no \"%s\"", command, words[0]);
}

static int
restart_command(struct ctl *ctl, const char *domain, char **words, int count)
{
	if (no_more_words(ctl, "restart", words, count) != CTL_FINE)
		return CTL_BAD;
	return ask_of_domain(ctl, "restart", domain, "restarted");
}

static int
drain_command(struct ctl *ctl, const char *domain, char **words, int count)
{
	if (no_more_words(ctl, "drain", words, count) != CTL_FINE)
		return CTL_BAD;
	return ask_of_domain(
	    ctl, "drain", domain, "has said goodbye and is down until a reload or restart");
}

/* Each list of a reload's answer on a line. */
static void
show_reload(struct ctl *ctl, json_t *answer)
{
	json_t *list, *value;
	const char *key;
	size_t i;

	json_object_foreach(answer, key, list)
	{
		fprintf(ctl->out, "%s:", key);
		json_array_foreach(list, i, value)
		{
			const char *domain = json_string_value(json_object_get(value, "domain"));
			const char *why = json_string_value(json_object_get(value, "why"));

			if (json_is_string(value))
				fprintf(ctl->out, " %s", json_string_value(value));
			else if (domain != NULL && why != NULL)
				fprintf(ctl->out, " %s (%s)", domain, why);
		}
		putc('\n', ctl->out);
	}
}

static int
reload_command(struct ctl *ctl, const char *domain, char **words, int count)
{
	int status = CTL_FINE;
	json_t *answer;

	if (no_more_words(ctl, "reload", words, count) != CTL_FINE)
		return CTL_BAD;
	if ((answer = ctl_ask(ctl, "annexd", "reload", NULL, -1, NO_LIMIT, &status)) == NULL)
		return status;
	if (ctl->json)
		ctl_print_json(ctl, answer);
	else
		show_reload(ctl, answer);
	if (json_object_get(answer, "failed") != NULL || json_object_get(answer, "late") != NULL)
		status = CTL_WARNING;
	json_decref(answer);
	return status;
}

static const struct word {
	const char *word;
	ctl_command_fn *run;
} annexd_words[] = {
	{ "status", status_command },
	{ "reload", reload_command },
	{ NULL, NULL },
}, domain_words[] = {
	{ "restart", restart_command },
	{ "drain", drain_command },
	{ "trace", trace_command },
	{ "store", store_command },
	{ "help", help_command },
	{ NULL, NULL },
};

static ctl_command_fn *
find_word(const struct word *words, const char *word)
{
	for (; words->word != NULL; words++)
		if (strcmp(words->word, word) == 0)
			return words->run;
	return NULL;
}

/* DOMAIN COMMAND ...; rest is what follows the command. */
static int
act_on_domain(struct ctl *ctl, char *domain, char **words, int count)
{
	ctl_command_fn *run = find_word(domain_words, words[0]);

	if (domain[0] == '\0' || strchr(domain, '/') != NULL)
		return ctl_complain(ctl, CTL_BAD, "\"%s\" is no domain", domain);
	if (run != NULL)
		return run(ctl, domain, words + 1, count - 1);
	return component_command(ctl, domain, words, count);
}

/* "drain DOMAIN", "store backup DOMAIN FILE": put the domain in front. */
static int
act_command_first(struct ctl *ctl, char **words, int count)
{
	int at = strcmp(words[0], "store") == 0 ? 2 : 1;
	char *domain;

	if (count <= at)
		return ctl_complain(ctl, CTL_BAD, "%s of which DOMAIN? See annexctl -h", words[0]);
	domain = words[at];
	memmove(words + 1, words, (size_t)at * sizeof(*words));
	return act_on_domain(ctl, domain, words + 1, count - 1);
}

static int
act(struct ctl *ctl, char **words, int count)
{
	static char status[] = "status";
	char *only_status[] = { status };
	ctl_command_fn *run;

	if (count == 0) {
		fputs(usage_text, ctl->err);
		return CTL_BAD;
	}
	if ((run = find_word(annexd_words, words[0])) != NULL)
		return run(ctl, NULL, words + 1, count - 1);
	if (find_word(domain_words, words[0]) != NULL)
		return act_command_first(ctl, words, count);
	if (count == 1)
		return act_on_domain(ctl, words[0], only_status, 1);
	return act_on_domain(ctl, words[0], words + 1, count - 1);
}

/* -1 to go on, or the exit status. */
static int
take_option(struct ctl *ctl, int c)
{
	switch (c) {
	case 'c':
		ctl->config = optarg;
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
	signal(SIGPIPE, SIG_IGN);
	ctl.pool = annex_pool_create(NULL, "annexctl");
	find_worker(&ctl);
	status = act(&ctl, argv + optind, argc - optind);
	annex_pool_destroy(&ctl.pool);
	return status;
}
