/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * component_words.c - what annexd and a worker say to each other
 *
 * The worker is launched with one end of a socketpair; component.h has the
 * words.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"

#include "component_inside.h"
#include "memory.h"

/* --- Heard --------------------------------------------------------------- */

static void
heard_ready(struct component *component, json_t *value)
{
	if (component->state != COMPONENT_STARTING)
		return;
	component->ready_us = component->host->clock->mono_us;
	component_set_state(component, COMPONENT_RUNNING);
	component_tell(&component->ready_waiters, NULL);
}

static void
heard_attached(struct component *component, json_t *value)
{
	component->host->changed(component->host, component);
}

static void
heard_reloaded(struct component *component, json_t *value)
{
	component_reloaded(component, NULL);
}

static void
heard_failed(struct component *component, json_t *value)
{
	const char *why = json_string_value(value);

	/* It goes on as it was, so the next reload must offer the section again. */
	component->hash[0] = '\0';
	component_reloaded(component, why != NULL ? why : "refused without a reason");
}

static void
heard_drained(struct component *component, json_t *value)
{
	log_write(component->host->log, ANNEX_LOG_INFO, "%s: said goodbye to everybody",
	    component->domain);
}

static const struct {
	const char *key;
	void (*heard)(struct component *component, json_t *value);
} words[] = {
	{ "ready", heard_ready },
	{ "attached", heard_attached },
	{ "reloaded", heard_reloaded },
	{ "failed", heard_failed },
	{ "drained", heard_drained },
};

static void
component_line(struct channel *channel, char *line, size_t len)
{
	struct component *component = annex_container_of(channel, struct component, channel);
	json_t *root = json_loadb(line, len, 0, NULL), *value;
	bool known = false;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if ((value = json_object_get(root, words[i].key)) == NULL)
			continue;
		known = true;
		words[i].heard(component, value);
	}
	if (!known)
		log_write(component->host->log, ANNEX_LOG_REMOTE,
		    "%s: the worker said what is not understood: %.100s", component->domain, line);
	json_decref(root);
}

static void
component_channel_ended(struct channel *channel, const char *why)
{
	channel_finish(channel);
}

/* --- Said ---------------------------------------------------------------- */

int
component_say(struct component *component, json_t *message)
{
	int r = channel_send(&component->channel, message);

	json_decref(message);
	return r;
}

static int
launch(struct component *component, int theirs, int page_fd)
{
	struct component_host *host = component->host;
	const char *const argv[] = { host->program, "--worker", NULL };
	struct process_plan plan = {
		.path = host->program,
		.argv = argv,
		.fds = { -1, STDERR_FILENO, STDERR_FILENO, theirs, page_fd },
		.fd_count = 5,
	};

	return process_start(&component->process, host->reactor, &plan, component_ended);
}

int
component_launch(struct component *component)
{
	int pair[2] = { -1, -1 }, page_fd = -1, r;

	memory_destroy(&component->page); /* of the last one: shown until now */
	if ((r = memory_create(&component->page, &page_fd)) < 0)
		return r;
	blame_tell(&component->blame, component->page);
	r = ANNEX_EIO;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0)
		r = launch(component, pair[1], page_fd);
	io_close(&page_fd);
	io_close(&pair[1]);
	if (r < 0) {
		memory_destroy(&component->page);
		io_close(&pair[0]);
		return r;
	}
	channel_init(&component->channel, component->host->reactor, pair[0], component_line,
	    component_channel_ended);
	component_say(component, json_pack("{s:O}", "section", component->section));
	return ANNEX_OK;
}
