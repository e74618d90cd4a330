/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * commands.c - what annexctl may ask of annexd
 *
 *	help                    the commands
 *	status                  annexd and all components
 *	reload                  read the configuration again
 *	restart {"domain": D}   quietly; forgets D's quarantine
 *	drain {"domain": D}     says goodbye; D stays down until reload or restart
 *
 * Who may ask, the socket's mode decides; who changed something is logged.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/nearest.h"

#include "supervisor.h"

struct command {
	const char *name;
	const char *help;
	bool changes; /* logged with the peer's uid */
	bool of_domain;
	void (*run)(
	    struct supervisor *s, struct control_request *request, struct component *component);
};

/* Somebody who waits for a component to come up or go down. */
struct waiting {
	struct component_waiter waiter;
	struct control_request *request;
	const char *outcome;
	char *domain;
};

static void
waiting_done(struct component_waiter *waiter, const char *failure)
{
	struct waiting *w = annex_container_of(waiter, struct waiting, waiter);

	if (failure != NULL)
		control_fail(w->request, "%s: the worker %s", w->domain, failure);
	else
		control_done(
		    w->request, json_pack("{s:s, s:s}", "domain", w->domain, "state", w->outcome));
	free(w->domain);
	free(w);
}

/* The client has left, or the socket it asked through was closed. */
static void
waiting_gone(void *cookie)
{
	struct waiting *w = cookie;

	annex_list_remove(&w->waiter.link);
	free(w->domain);
	free(w);
}

static struct waiting *
wait_for(struct control_request *request, struct component *component, const char *outcome)
{
	struct waiting *w = mem_zalloc(sizeof(*w));

	w->waiter.done = waiting_done;
	w->request = request;
	w->outcome = outcome;
	w->domain = mem_strdup(component->domain);
	annex_list_init(&w->waiter.link);
	control_on_gone(request, waiting_gone, w);
	return w;
}

static void
run_status(struct supervisor *s, struct control_request *request, struct component *none)
{
	json_t *components = json_array();

	ANNEX_LIST_EACH (&s->components, l)
		json_array_append_new(
		    components, component_describe(annex_container_of(l, struct component, link)));
	control_done(request,
	    json_pack("{s:s, s:i, s:I, s:s, s:s, s:b, s:o}", "version", PACKAGE_VERSION, "pid",
		(int)getpid(), "up_seconds",
		(json_int_t)((s->setup.clock->mono_us - s->started_us) / 1000000), "config",
		s->setup.file, "summary", s->told_status, "stopping", s->stopping, "components",
		components));
}

static void
run_reload(struct supervisor *s, struct control_request *request, struct component *none)
{
	supervisor_reload(s, request);
}

static void
run_restart(struct supervisor *s, struct control_request *request, struct component *component)
{
	struct waiting *w = wait_for(request, component, "running");

	component_wait_ready(component, &w->waiter);
	component_restart(component);
}

static void
run_drain(struct supervisor *s, struct control_request *request, struct component *component)
{
	struct waiting *w = wait_for(request, component, "down");

	component_wait_down(component, &w->waiter);
	component_drain(component);
}

static void run_help(struct supervisor *s, struct control_request *request, struct component *none);

static const struct command commands[] = {
	{ "help", "List the commands.", false, false, run_help },
	{ "status", "Tell about annexd and all components.", false, false, run_status },
	{ "reload", "Read the configuration again.", true, false, run_reload },
	{ "restart", "Restart the worker of a component, quietly.", true, true, run_restart },
	{ "drain", "Let a component say goodbye to everybody and stay down.", true, true,
	    run_drain },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
run_help(struct supervisor *s, struct control_request *request, struct component *none)
{
	json_t *list = json_array();

	for (size_t i = 0; i < COMMANDS; i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:s}", "node", commands[i].name, "help", commands[i].help));
	control_done(request, json_pack("{s:o}", "framework", list));
}

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* The component args name; NULL, and the request has failed. */
static struct component *
find_component(struct supervisor *s, struct control_request *request, json_t *args)
{
	const char *domain = json_string_value(json_object_get(args, "domain")), *near;
	const char *domains[64];
	struct component *component;
	size_t n = 0;

	if (domain == NULL) {
		control_fail(request, "which component? \"domain\" is missing");
		return NULL;
	}
	component = supervisor_find(s, domain);
	if (component != NULL && !component->removed)
		return component;
	ANNEX_LIST_EACH (&s->components, l)
		if (n < sizeof(domains) / sizeof(domains[0]))
			domains[n++] = annex_container_of(l, struct component, link)->domain;
	near = nearest(domain, domains, n);
	if (near != NULL)
		control_fail(
		    request, "no component %s is configured; did you mean %s?", domain, near);
	else
		control_fail(request, "no component %s is configured", domain);
	return NULL;
}

void
supervisor_command(void *cookie, struct control_request *request, const char *command, json_t *args)
{
	struct supervisor *s = cookie;
	const struct command *found = find_command(command);
	struct component *component = NULL;

	if (found == NULL) {
		control_fail(request, "annexd has no command \"%s\"", command);
		return;
	}
	if (found->of_domain && (component = find_component(s, request, args)) == NULL)
		return;
	if (found->changes)
		log_write(s->setup.log, ANNEX_LOG_NOTICE, "%s%s%s asked for by uid %u", command,
		    component != NULL ? " " : "", component != NULL ? component->domain : "",
		    (unsigned)control_peer_uid(request));
	if (found->changes && s->stopping) {
		control_fail(request, "annexd is stopping");
		return;
	}
	found->run(s, request, component);
}
