/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * act.c - what is asked for, and of whom
 *
 * The first word is a command of annexd or a domain, whose second word then
 * is the command; for those who think the other way round "store backup
 * DOMAIN FILE" and "drain DOMAIN" are taken too.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"

#define NO_LIMIT -1

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

/* Sentences each on a line of their own; they say themselves that they are warnings. */
static void
show_sentences(struct ctl *ctl, json_t *list)
{
	json_t *value;
	size_t i;

	json_array_foreach(list, i, value)
	{
		ctl_print_text(ctl, json_string_value(value), json_string_length(value));
		putc('\n', ctl->out);
	}
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
		if (strcmp(key, "warnings") == 0) {
			show_sentences(ctl, list);
			continue;
		}
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
};

static const struct word domain_words[] = {
	{ "restart", restart_command },
	{ "drain", drain_command },
	{ "trace", trace_command },
	{ "store", store_command },
	{ "help", help_command },
	{ NULL, NULL },
};

_Static_assert(
    sizeof(annexd_words) / sizeof(*annexd_words) + sizeof(domain_words) / sizeof(*domain_words) <=
	CTL_WORDS_MAX + 2,
    "hints have room for every command");

static ctl_command_fn *
find_word(const struct word *words, const char *word)
{
	for (; words->word != NULL; words++)
		if (strcmp(words->word, word) == 0)
			return words->run;
	return NULL;
}

size_t
ctl_words(const char **words)
{
	size_t n = 0;

	for (const struct word *w = annexd_words; w->word != NULL; w++)
		words[n++] = w->word;
	for (const struct word *w = domain_words; w->word != NULL; w++)
		words[n++] = w->word;
	return n;
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

int
ctl_act(struct ctl *ctl, char **words, int count)
{
	char status[] = "status";
	char *only_status[] = { status };
	ctl_command_fn *run;

	if (ctl->config_given && access(ctl->config, R_OK) < 0)
		return ctl_complain(
		    ctl, CTL_BAD, "cannot read %s: %s", ctl->config, strerror(errno));
	if ((run = find_word(annexd_words, words[0])) != NULL)
		return run(ctl, NULL, words + 1, count - 1);
	if (find_word(domain_words, words[0]) != NULL)
		return act_command_first(ctl, words, count);
	if (count == 1)
		return act_on_domain(ctl, words[0], only_status, 1);
	return act_on_domain(ctl, words[0], words + 1, count - 1);
}
