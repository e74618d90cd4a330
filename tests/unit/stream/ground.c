/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * ground.c - a stream on real sockets, and the loop that moves it
 */
#include <signal.h>
#include <stdlib.h>

#include <annex/list.h>

#include "base/alloc.h"
#include "base/check.h"
#include "ground.h"

static void
up(struct stream_user *user)
{
	annex_container_of(user, struct ground, user)->ups++;
}

static void
down(struct stream_user *user, const char *why)
{
	annex_container_of(user, struct ground, user)->downs++;
}

static void
closed(struct stream_user *user)
{
	annex_container_of(user, struct ground, user)->closed++;
}

static void
quiet(void *cookie, enum annex_log_level level, const char *line, size_t len)
{
}

struct ground *
ground_create(void)
{
	struct ground *ground = mem_zalloc(sizeof(*ground));

	signal(SIGPIPE, SIG_IGN);
	clock_init_system(&ground->clock);
	timers_init(&ground->timers, &ground->clock);
	random_init_seeded(&ground->random, 1);
	ground->log = log_create("annex.test", &ground->clock, quiet, NULL);
	ground->reactor = poll_reactor_create();
	ground->server.listener = ground->server.peer = -1;
	ground->second.listener = ground->second.peer = -1;
	stream_config_init(&ground->config);
	ground->config.domain = "annex.test";
	ground->config.secret = "test";
	ground->config.hosts = ground->hosts;
	ground->config.host_count = 1;
	ground->env = (struct stream_env) { &ground->clock, &ground->timers, &ground->random,
		ground->log, NULL, ground->reactor, NULL };
	ground->user = (struct stream_user) { up, down, closed };
	return ground;
}

void
ground_start(struct ground *ground)
{
	ground->stream = stream_create(&ground->config, &ground->env, &ground->user);
	stream_start(ground->stream);
}

void
ground_destroy(struct ground *ground)
{
	stream_destroy(&ground->stream);
	server_finish(&ground->server);
	server_finish(&ground->second);
	CHECK(ground->timers.count == 0);
	poll_reactor_destroy(&ground->reactor);
	timers_finish(&ground->timers);
	log_destroy(&ground->log);
	free(ground);
}

void
ground_step(struct ground *ground)
{
	struct xml_event *event;

	CHECK(poll_reactor_run(ground->reactor, 1) >= 0);
	ground->clock.read(&ground->clock);
	timers_run(&ground->timers, 100);
	while ((event = stream_next(ground->stream)) != NULL) {
		ground->stanzas++;
		ground->bytes += event->bytes;
		stream_free_event(ground->stream, event);
	}
	stream_flush(ground->stream);
	server_step(&ground->server);
	if (ground->second.listener >= 0)
		server_step(&ground->second);
}
