/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * hoarder.c - a component that keeps every pointer it is given
 *
 * As an author in a hurry would: options and domain in its state, its state as a cookie.
 * Under the sanitizers it proves that what the headers promise to live does.
 */
#include <stdlib.h>
#include <string.h>

#include <annex/component.h>

struct hoarder_settings {
	const char *word;
};

static const struct annex_option hoarder_options[] = {
	ANNEX_OPTION(struct hoarder_settings, word, 0, 40, "one", "Said at \"word\"."),
	{ 0 },
};

struct hoard {
	const struct hoarder_settings *settings;
	const char *domain;
	char *to; /* who asked to be told */
};

static void
say(struct annex_instance *inst, const char *from, const char *to, const char *text)
{
	struct annex_stanza *out = annex_message(inst, from, to, "chat");

	annex_add_text(out->element, NULL, "body", text);
	annex_send(inst, out);
}

static void
tell(struct annex_instance *inst, void *cookie)
{
	struct hoard *h = cookie;

	say(inst, h->domain, h->to, "durable");
}

static void
note(struct annex_instance *inst, void *cookie)
{
	struct hoard *h = cookie;

	annex_log(inst, ANNEX_LOG_NOTICE, "noted for %s", h->to);
}

static enum annex_verdict
hoarder_message(struct annex_instance *inst, const struct annex_stanza *in)
{
	const char *body = annex_child_text(in->element, NULL, "body");
	struct hoard *h = annex_state(inst);

	if (strcmp(body, "fail") == 0) {
		annex_fail_turn(inst, "it was told to");
	} else if (strcmp(body, "crash") == 0) {
		abort();
	} else if (strcmp(body, "tell") == 0 || strcmp(body, "note") == 0) {
		free(h->to);
		h->to = strdup(in->from->full);
		annex_when_durable(inst, body[0] == 't' ? tell : note, h);
	} else {
		say(inst, h->domain, in->from->full, h->settings->word);
	}
	return ANNEX_DONE;
}

/* Cannot stand goodbyes while its word is "never". */
static enum annex_verdict
hoarder_presence(struct annex_instance *inst, const struct annex_stanza *in)
{
	struct hoard *h = annex_state(inst);

	if (in->type == NULL || strcmp(in->type, "unavailable") != 0)
		return ANNEX_PASS;
	if (strcmp(h->settings->word, "never") == 0)
		annex_fail_turn(inst, "it cannot let go");
	else
		say(inst, h->domain, "log@example.org", "gone");
	return ANNEX_DONE;
}

static const struct annex_route hoarder_routes[] = {
	{ ANNEX_PRESENCE, NULL, NULL, hoarder_presence },
	{ ANNEX_MESSAGE, NULL, "body", hoarder_message },
	{ 0 },
};

static int
hoarder_create(struct annex_instance *inst)
{
	struct hoard *h = calloc(1, sizeof(*h));

	h->settings = annex_settings(inst);
	h->domain = annex_domain(inst);
	annex_set_state(inst, h);
	return ANNEX_OK;
}

/* Where its word is "again" it takes two attempts. */
static int
hoarder_stop(struct annex_instance *inst)
{
	struct hoard *h = annex_state(inst);

	say(inst, h->domain, "log@example.org", "goodbye");
	if (strcmp(h->settings->word, "again") == 0 && getenv("HOARDER_FAILED") == NULL) {
		setenv("HOARDER_FAILED", "yes", 1);
		annex_fail_turn(inst, "it cannot let go");
	}
	return ANNEX_OK;
}

static void
hoarder_destroy(struct annex_instance *inst)
{
	struct hoard *h = annex_state(inst);

	annex_log(inst, ANNEX_LOG_NOTICE, "the last word was %s", h->settings->word);
	free(h->to);
	free(h);
}

ANNEX_MODULE(hoarder) = {
	ANNEX_MODULE_ABI,
	.name = "hoarder",
	.summary = "keeps every pointer it is given",
	.options = hoarder_options,
	.settings_size = sizeof(struct hoarder_settings),
	.routes = hoarder_routes,
	.create = hoarder_create,
	.stop = hoarder_stop,
	.destroy = hoarder_destroy,
};
