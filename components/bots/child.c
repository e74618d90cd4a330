/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * child.c - a program that is kept running, a line for each event
 *
 * A program whose standard output is a pipe keeps what it writes back until
 * there is a lot of it.  The environment says not to: Python has a variable of
 * its own, and where coreutils has its libstdbuf, that is loaded into what
 * uses stdio.  (A terminal would do as well, but programs write colours to it.)
 *
 * One that ends is started again, after a pause that grows while it does
 * not last.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <annex/spawn.h>

#include "carrier.h"

#define PAUSE_FIRST_MS 200
#define PAUSE_MOST_MS 30000
#define LASTED_MS 10000 /* after which it is thought to be well */
#define GRACE_MS 5000   /* how long it must live after it has read an event */

struct keeper {
	struct bot *bot;
	struct consumer *consumer; /* while it runs */
	struct annex_child *child;
	struct annex_timer *again, *grace;
	uint64_t read_seq; /* it has read all up to this a grace ago */
	int64_t pause_ms, started_ms;
};

static void keeper_start(struct annex_instance *inst, void *cookie);

static void
child_output(struct annex_instance *inst, struct annex_child *child, const char *bytes, size_t len,
    void *cookie)
{
	struct keeper *k = cookie;

	(void)inst;
	(void)child;
	consumer_read(k->consumer, bytes, len);
}

/*
 * Whether it may have ended because of what it was given: it had begun to read
 * it.  One that ends before takes no event with it, however often it is tried.
 */
static bool
is_to_blame(const struct keeper *k, const struct annex_child *child)
{
	struct annex_pool *pool = annex_scratch(k->bot->bots->inst);
	size_t given = 0, len;

	ANNEX_LIST_EACH (&k->consumer->taken, l) {
		event_line(annex_container_of(l, struct event, link), pool, &len);
		given += len + 1;
	}
	return annex_child_unread(child) < given;
}

static void
child_ended(struct annex_instance *inst, struct annex_child *child, int status, void *cookie)
{
	struct keeper *k = cookie;
	bool blamed = is_to_blame(k, child);
	bool lasted = k->consumer->useful || annex_now_ms(inst) - k->started_ms >= LASTED_MS;

	k->child = NULL;
	annex_timer_stop(k->grace);
	k->read_seq = 0;
	consumer_detach(k->consumer, blamed);
	consumer_destroy(k->consumer);
	k->consumer = NULL;
	k->pause_ms = lasted || k->pause_ms == 0 ? PAUSE_FIRST_MS : k->pause_ms * 2;
	if (k->pause_ms > PAUSE_MOST_MS)
		k->pause_ms = PAUSE_MOST_MS;
	annex_log(inst, ANNEX_LOG_WARNING,
	    "the program of %s ended and is started again: status=%d in_ms=%" PRId64, k->bot->name,
	    status, k->pause_ms);
	annex_timer_start(k->again, k->pause_ms);
}

static const struct annex_child_events child_events = { child_output, child_ended };

/*
 * Not every event is answered.  What was read is acknowledged where the program
 * still lives a while later; one that wants to say so itself asks for
 * "explicit".
 */
static void
keeper_look(struct annex_instance *inst, void *cookie)
{
	struct keeper *k = cookie;
	struct consumer *c = k->consumer;

	(void)inst;
	if (c == NULL)
		return;
	if (k->read_seq > 0 && c->ack == ACK_REPLY)
		consumer_ack(c, k->read_seq);
	k->read_seq = 0;
	if (!annex_list_is_empty(&c->taken) && annex_child_unread(k->child) == 0)
		k->read_seq = annex_container_of(c->taken.prev, struct event, link)->seq;
	if (c->taken_count > 0)
		annex_timer_start(k->grace, GRACE_MS);
	dispatch(k->bot);
}

static const char *
libstdbuf(void)
{
	static const char *const paths[] = { "/usr/libexec/coreutils/libstdbuf.so",
		"/usr/lib/coreutils/libstdbuf.so", NULL };
	const char *const *path = paths;

	while (*path != NULL && access(*path, R_OK) != 0)
		path++;
	return *path;
}

static void
keeper_start(struct annex_instance *inst, void *cookie)
{
	struct keeper *k = cookie;
	const struct annex_strings *words = &k->bot->set->child;
	struct annex_pool *pool = annex_scratch(inst);
	const char **argv = annex_new_array(pool, const char *, words->count + 1);
	const char **env = annex_new_array(pool, const char *, 5), *lib = libstdbuf();
	struct annex_program program = { .argv = argv, .env = env };

	memcpy(argv, words->value, words->count * sizeof(*argv));
	env[0] = annex_sprintf(pool, "BOT=%s", k->bot->jid);
	env[1] = "PYTHONUNBUFFERED=1";
	env[2] = "_STDBUF_O=L";
	if (lib != NULL)
		env[3] = annex_sprintf(pool, "LD_PRELOAD=%s", lib);
	k->started_ms = annex_now_ms(inst);
	k->child = annex_spawn(inst, &program, &child_events, k);
	if (k->child == NULL) {
		annex_timer_start(k->again, PAUSE_MOST_MS);
		return;
	}
	k->consumer = consumer_create(k->bot, &child_carrier, k);
	consumer_greet(k->consumer);
	consumer_attach(k->consumer);
}

static int
write_line(struct keeper *k, const char *line, size_t len)
{
	char *copy;

	if (k->child == NULL)
		return ANNEX_EOFFLINE;
	copy = annex_pool_alloc(annex_scratch(k->bot->bots->inst), len + 1);
	memcpy(copy, line, len);
	copy[len] = '\n';
	return annex_child_write(k->child, copy, len + 1);
}

static int
child_deliver(struct consumer *c, struct event *ev)
{
	size_t len;
	const char *line = event_line(ev, annex_scratch(c->bot->bots->inst), &len);

	if (!annex_timer_is_running(((struct keeper *)c->state)->grace))
		annex_timer_start(((struct keeper *)c->state)->grace, GRACE_MS);
	return write_line(c->state, line, len);
}

static void
child_tell(struct consumer *c, const char *line, size_t len)
{
	write_line(c->state, line, len);
}

static void
child_close(struct consumer *c)
{
	struct keeper *k = c->state;

	if (k->child != NULL)
		annex_child_kill(k->child, 15);
}

static void
child_start(struct bot *bot)
{
	struct keeper *k;

	if (bot->set->child.count == 0)
		return;
	k = annex_new(bot->pool, struct keeper);
	k->bot = bot;
	k->again = annex_timer(bot->bots->inst, keeper_start, k);
	k->grace = annex_timer(bot->bots->inst, keeper_look, k);
	keeper_start(bot->bots->inst, k);
}

const struct carrier child_carrier = {
	.name = "child",
	.start = child_start,
	.deliver = child_deliver,
	.tell = child_tell,
	.close = child_close,
};
