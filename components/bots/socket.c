/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * socket.c - programs that run already, over a Unix socket
 *
 * The first line says who they are for: {"hello":1,"bot":"echo"}.  The kernel
 * says whose they are (SO_PEERCRED): root, the user that annexd runs as, and
 * the users of the bot.  From then on it is the grammar of all carriers.  What is
 * not answered has to be acknowledged: nobody can see whether it was read.
 */
#include <errno.h>
#include <jansson.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <annex/socket.h>

#include "carrier.h"

struct attachment {
	struct bots *bots;
	struct annex_pool *pool;
	struct annex_peer *peer;
	struct consumer *consumer; /* NULL until it has said who it is for */
	struct text first;
};

/* --- Who may --------------------------------------------------------------------- */

static bool
is_user(const char *name, int64_t uid)
{
	char *end;
	long long number = strtoll(name, &end, 10);
	const struct passwd *user;

	if (*name != '\0' && *end == '\0')
		return number == uid;
	user = getpwnam(name);
	return user != NULL && (int64_t)user->pw_uid == uid;
}

static bool
may_attach(const struct bot *bot, int64_t uid)
{
	if (uid == 0 || uid == (int64_t)geteuid())
		return true;
	for (size_t i = 0; i < bot->set->users.count; i++)
		if (is_user(bot->set->users.value[i], uid))
			return true;
	return false;
}

/* --- Coming and going ---------------------------------------------------------------- */

static void
end(struct attachment *at)
{
	struct annex_pool *pool = at->pool;

	if (at->consumer != NULL)
		consumer_destroy(at->consumer);
	annex_peer_close(at->peer);
	annex_pool_destroy(&pool);
}

static void
turn_away(struct attachment *at, const char *word, const char *why)
{
	struct text t = { .pool = at->pool };

	text_open(&t);
	text_member(&t, "error", word);
	text_member(&t, "text", why);
	text_close(&t);
	text_add(&t, "\n", 1);
	annex_peer_write(at->peer, t.bytes, t.len);
	end(at);
}

static bool
attach(struct attachment *at, const char *line, size_t len)
{
	json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(json, "bot"));
	bool greets = json_is_integer(json_object_get(json, "hello"));
	struct bot *bot = name == NULL ? NULL : bot_find(at->bots, name);

	json_decref(json);
	if (!greets || bot == NULL || !may_attach(bot, annex_peer_uid(at->peer))) {
		turn_away(at, greets ? "not-allowed" : "bad-json",
		    greets ? "there is no such bot, or not for you"
			   : "the first line is {\"hello\":1,\"bot\":NAME}");
		return false;
	}
	at->consumer = consumer_create(bot, &socket_carrier, at);
	consumer_greet(at->consumer);
	at->consumer->lines++;
	consumer_line(at->consumer, line, len);
	return true;
}

static void *
came(struct annex_instance *inst, struct annex_peer *peer, void *cookie)
{
	struct annex_pool *pool = annex_pool_create(annex_pool(inst), "attachment");
	struct attachment *at = annex_new(pool, struct attachment);

	at->bots = cookie;
	at->pool = pool;
	at->peer = peer;
	at->first.pool = pool;
	return at;
}

static void
said(struct annex_instance *inst, struct annex_peer *peer, const char *bytes, size_t len,
    void *cookie)
{
	struct attachment *at = cookie;
	const char *stop;
	size_t n;

	(void)inst;
	(void)peer;
	if (at->consumer != NULL) {
		consumer_read(at->consumer, bytes, len);
		return;
	}
	stop = memchr(bytes, '\n', len);
	n = stop == NULL ? len : (size_t)(stop - bytes);
	if (at->first.len + n > (size_t)at->bots->set->max_line_bytes) {
		turn_away(at, "too-large", "the first line is too long");
		return;
	}
	text_add(&at->first, bytes, n);
	if (stop != NULL && attach(at, at->first.bytes, at->first.len) && at->consumer != NULL)
		consumer_read(at->consumer, stop + 1, len - n - 1);
}

static void
left(struct annex_instance *inst, struct annex_peer *peer, void *cookie)
{
	struct attachment *at = cookie;
	struct annex_pool *pool = at->pool;

	(void)inst;
	(void)peer;
	if (at->consumer != NULL) {
		consumer_detach(at->consumer, true);
		consumer_destroy(at->consumer);
	}
	annex_pool_destroy(&pool);
}

/* --- The carrier ------------------------------------------------------------------------ */

static int
write_line(struct attachment *at, const char *line, size_t len)
{
	char *copy = annex_pool_alloc(annex_scratch(at->bots->inst), len + 1);

	memcpy(copy, line, len);
	copy[len] = '\n';
	return annex_peer_write(at->peer, copy, len + 1);
}

static int
socket_deliver(struct consumer *c, struct event *ev)
{
	size_t len;
	const char *line = event_line(ev, annex_scratch(c->bot->bots->inst), &len);

	return write_line(c->state, line, len);
}

static void
socket_tell(struct consumer *c, const char *line, size_t len)
{
	write_line(c->state, line, len);
}

static void
socket_close(struct consumer *c)
{
	end(c->state);
}

/* One socket for all bots; the first that begins makes it. */
static void
socket_start(struct bot *bot)
{
	static const struct annex_peer_events events = { came, said, left };
	const struct annex_place place = { .name = "bots", .mode = 0666 };
	struct bots *m = bot->bots;
	const char *why;

	if (!m->set->socket || m->listener != NULL)
		return;
	m->listener = annex_listen(m->inst, &place, &events, m, &why);
	if (m->listener == NULL)
		annex_log(m->inst, ANNEX_LOG_ERROR, "%s", why);
}

const struct carrier socket_carrier = {
	.name = "socket",
	.start = socket_start,
	.deliver = socket_deliver,
	.tell = socket_tell,
	.close = socket_close,
};
