/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * world.c - a stream with everything it needs, on a clock turned by hand
 */
#include <stdio.h>
#include <stdlib.h>

#include <annex/list.h>

#include "base/alloc.h"
#include "base/check.h"
#include "world.h"

#define FENCE_BEGIN "<iq type='get' from='" DOMAIN "/annex'"
#define FENCE_END "</iq>"

static void
sink(void *cookie, enum annex_log_level level, const char *line, size_t len)
{
	struct world *world = cookie;

	if (level <= ANNEX_LOG_NOTICE && strstr(line, "attached to") == NULL)
		buf_append(&world->lines, line, len);
}

static void
up(struct stream_user *user)
{
	annex_container_of(user, struct world, user)->ups++;
}

static void
down(struct stream_user *user, const char *why)
{
	struct world *world = annex_container_of(user, struct world, user);

	world->downs++;
	snprintf(world->why, sizeof(world->why), "%s", why);
}

static void
closed(struct stream_user *user)
{
	annex_container_of(user, struct world, user)->closed++;
}

struct world *
world_create(void)
{
	struct world *world = mem_zalloc(sizeof(*world));

	world->clock.mono_us = INT64_C(1000) * 1000000;
	world->clock.wall_us = (int64_t)TEST_TIME_S * 1000000;
	timers_init(&world->timers, &world->clock);
	random_init_seeded(&world->random, 1);
	world->log = log_create(DOMAIN, &world->clock, sink, world);
	memory_net_init(&world->net);
	world->hosts[0] = (struct stream_host) { "one.test", 5347, NULL };
	world->hosts[1] = (struct stream_host) { "2001:db8::2", 5347, NULL };
	world->hosts[2] = (struct stream_host) { NULL, 0, "/run/server" };
	stream_config_init(&world->config);
	world->config.domain = DOMAIN;
	world->config.secret = "test";
	world->config.hosts = world->hosts;
	world->config.host_count = 1;
	world->env = (struct stream_env) { &world->clock, &world->timers, &world->random,
		world->log, &world->counters, NULL, &world->net.maker };
	world->user = (struct stream_user) { up, down, closed };
	return world;
}

void
world_make(struct world *world)
{
	world->stream = stream_create(&world->config, &world->env, &world->user);
}

void
world_destroy(struct world *world)
{
	stream_destroy(&world->stream);
	CHECK(world->timers.count == 0);
	memory_net_finish(&world->net);
	timers_finish(&world->timers);
	log_destroy(&world->log);
	buf_finish(&world->lines);
	buf_finish(&world->events);
	free(world);
}

static void
turn_to(struct world *world, int64_t mono_us)
{
	world->clock.wall_us += mono_us - world->clock.mono_us;
	world->clock.mono_us = mono_us;
}

void
world_pass(struct world *world, int64_t ms)
{
	int64_t end_us = world->clock.mono_us + ms * 1000, wait_us;

	while ((wait_us = timers_wait_us(&world->timers)) >= 0 &&
	    world->clock.mono_us + wait_us <= end_us) {
		turn_to(world, world->clock.mono_us + wait_us);
		timers_run(&world->timers, 100);
	}
	turn_to(world, end_us);
}

void
world_shake(struct world *world)
{
	memory_connect(&world->net);
	memory_say(&world->net, HEADER);
	memory_say(&world->net, "<handshake/>");
	CHECK(stream_is_up(world->stream));
}

void
world_attach(struct world *world)
{
	world_make(world);
	stream_start(world->stream);
	world_shake(world);
	memory_heard(&world->net);
}

const char *
world_events(struct world *world)
{
	struct xml_event *event;

	buf_clear(&world->events);
	while ((event = stream_next(world->stream)) != NULL) {
		const char *id = annex_attr(event->element, "id");

		buf_printf(&world->events, "%s%s#%s ", event->kind == XML_SKIPPED ? "skipped-" : "",
		    event->element->name, id != NULL ? id : "");
		stream_free_event(world->stream, event);
	}
	return buf_text(&world->events);
}

unsigned
world_return_fences(struct world *world, const char *text)
{
	char *copy = mem_strdup(text), *at = copy;
	unsigned n = 0;

	while ((at = strstr(at, FENCE_BEGIN)) != NULL) {
		size_t len = (size_t)(strstr(at, FENCE_END) - at) + strlen(FENCE_END);

		memory_say_bytes(&world->net, at, len);
		at += len;
		n++;
	}
	free(copy);
	return n;
}

char *
world_without_fences(const char *text, char *out, size_t size)
{
	size_t len = 0;

	while (*text != '\0') {
		if (strncmp(text, FENCE_BEGIN, strlen(FENCE_BEGIN)) == 0) {
			text = strstr(text, FENCE_END) + strlen(FENCE_END);
			continue;
		}
		CHECK(len + 1 < size);
		out[len++] = *text++;
	}
	out[len] = '\0';
	return out;
}

void
world_queue(struct world *world, enum stream_class class, const char *text)
{
	stream_queue(world->stream, NULL, class, text, strlen(text));
}

static void
fenced(void *cookie, int status)
{
	struct world *world = cookie;

	if (status == ANNEX_OK)
		world->fences_ok++;
	else
		world->fences_failed++;
}

void
world_fence(struct world *world)
{
	stream_fence(world->stream, fenced, world);
}

void
world_fence_on(struct world *world, const char *flow)
{
	stream_fence_on(world->stream, stream_flow(world->stream, flow), fenced, world);
}

bool
world_logged(struct world *world, const char *part)
{
	return strstr(buf_text(&world->lines), part) != NULL;
}

int64_t
world_count(struct world *world, const char *name)
{
	for (uint32_t i = 0; i < world->counters.count; i++)
		if (strcmp(world->counters.slot[i].name, name) == 0)
			return world->counters.slot[i].value;
	return -1;
}
