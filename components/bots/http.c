/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * http.c - HTTP connections, in turns
 *
 * libmicrohttpd waits with a descriptor of its own (epoll), which wakes a
 * turn; it never runs outside of one.  A request is read to its end, served in
 * that turn, and its connection suspended until the turn is durable: so
 * what a program is told has happened.  A turn that fails ends all
 * connections; who had no answer asks again (Idempotency-Key).
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <annex/limit.h>
#include <annex/socket.h>

#include <microhttpd.h>

#include "http.h"

#define CONNECTIONS_MOST 200
#define IDLE_S 120
#define BODY_MOST ((size_t)1 << 20)
#define PER_SECOND 50.0
#define BURST 200.0

/* --- Requests ----------------------------------------------------------------- */

static struct request *
request_create(struct http *http, struct MHD_Connection *connection, const char *path)
{
	struct annex_pool *pool = annex_pool_create(annex_pool(http->bots->inst), "request");
	struct request *q = annex_new(pool, struct request);

	q->magic = REQUEST_MAGIC;
	q->http = http;
	q->connection = connection;
	q->pool = pool;
	q->path = annex_strdup(pool, path);
	q->body.pool = q->told.pool = q->answer.pool = pool;
	annex_list_append(&http->requests, &q->link);
	return q;
}

static void
completed(void *cookie, struct MHD_Connection *connection, void **place,
    enum MHD_RequestTerminationCode code)
{
	struct request *q = *place;
	struct annex_pool *pool;

	(void)cookie;
	(void)connection;
	(void)code;
	*place = NULL;
	if (q == NULL)
		return;
	if (q->poller != NULL && q->poller->waiting == q)
		q->poller->waiting = NULL;
	annex_timer_free(&q->patience);
	annex_list_remove(&q->link);
	pool = q->pool;
	annex_pool_destroy(&pool);
}

const char *
request_argument(const struct request *q, const char *name)
{
	return MHD_lookup_connection_value(q->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *
request_header(const struct request *q, const char *name)
{
	return MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, name);
}

static enum MHD_Result
answer(struct request *q)
{
	struct MHD_Response *response =
	    MHD_create_response_from_buffer(q->answer.len, q->answer.bytes, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result r;

	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", q->type);
	MHD_add_response_header(response, "Cache-Control", "no-store");
	if (q->allow != NULL)
		MHD_add_response_header(response, "Allow", q->allow);
	if (q->disposition != NULL) {
		/* It is what it says it is, and nothing in it runs. */
		MHD_add_response_header(response, "Content-Disposition", q->disposition);
		MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
		MHD_add_response_header(
		    response, "Content-Security-Policy", "sandbox; default-src 'none'");
	}
	if (q->status == 401)
		MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
	r = MHD_queue_response(q->connection, q->status, response);
	MHD_destroy_response(response);
	return r;
}

static void run(struct http *http);

static void
turn_is_durable(struct annex_instance *inst, void *cookie)
{
	struct request *q = cookie;

	(void)inst;
	q->durable = true;
	if (q->suspended)
		MHD_resume_connection(q->connection);
	q->suspended = false;
	run(q->http);
}

void
request_done(struct request *q)
{
	annex_when_durable(q->http->bots->inst, turn_is_durable, q);
}

/* --- Who may ------------------------------------------------------------------------ */

static const struct route *
route_of(struct request *q, const char *method)
{
	for (const struct route *r = http_routes; r->method != NULL; r++) {
		size_t len = strlen(r->path);
		bool fits = r->path[len - 1] == '/'
		    ? strncmp(q->path, r->path, len) == 0 && q->path[len] != '\0'
		    : strcmp(q->path, r->path) == 0;

		if (fits && strcmp(r->method, method) == 0)
			return r;
		if (fits)
			q->allow = q->allow == NULL
			    ? r->method
			    : annex_sprintf(q->pool, "%s, %s", q->allow, r->method);
	}
	return NULL;
}

/* Whether its token asks no more than it may; false: it was refused. */
static bool
request_is_moderate(struct request *q)
{
	const char *key = annex_sprintf(q->pool, "%s %s", q->token.bot, q->token.name);

	if (annex_buckets_take(q->http->rates, key, 1, annex_now_ms(q->http->bots->inst)))
		return true;
	request_fail(q, 429, "rate-limited", "that is too much at once; wait a little");
	return false;
}

static void
authorize(struct request *q)
{
	struct bots *m = q->http->bots;
	const char *given = request_header(q, "Authorization");
	struct token token;

	if (given == NULL || strncmp(given, "Bearer ", 7) != 0 ||
	    token_find(m, q->pool, given + 7, &token) < 0) {
		request_fail(q, 401, "not-authorized", "a bearer token is needed");
		return;
	}
	q->token = token;
	q->bot = bot_find(m, token.bot);
	if (q->bot == NULL)
		request_fail(q, 404, "item-not-found", "there is no bot %s any more", token.bot);
	else if ((token.scopes & q->route->scope) == 0)
		request_fail(q, 403, "forbidden", "this token is for something else");
	else
		request_is_moderate(q);
}

/* /v1/in/BOT/SECRET: the path says who. */
static void
authorize_hook(struct request *q)
{
	struct bots *m = q->http->bots;
	const char *name = q->path + strlen(q->route->path), *secret = strchr(name, '/');

	if (secret == NULL || token_find(m, q->pool, secret + 1, &q->token) < 0 ||
	    (q->token.scopes & SCOPE_HOOK) == 0 ||
	    strlen(q->token.bot) != (size_t)(secret - name) ||
	    memcmp(q->token.bot, name, (size_t)(secret - name)) != 0 ||
	    (q->bot = bot_find(m, q->token.bot)) == NULL)
		request_fail(q, 404, "item-not-found", "there is no such hook");
	else
		request_is_moderate(q);
}

/* The head is there: what is wrong with it is said before the body comes. */
static void
begin(struct request *q, const char *method)
{
	q->route = route_of(q, method);
	if (q->route != NULL) {
		if (q->route->scope == SCOPE_HOOK)
			authorize_hook(q);
		else if (q->route->scope != 0)
			authorize(q);
	} else if (q->allow != NULL) {
		request_fail(q, 405, "not-allowed", "it is %s here", q->allow);
	} else {
		request_fail(q, 404, "item-not-found", "there is nothing at %s", q->path);
	}
}

/* --- libmicrohttpd ------------------------------------------------------------------- */

static enum MHD_Result
access_handler(void *cookie, struct MHD_Connection *connection, const char *path,
    const char *method, const char *version, const char *bytes, size_t *len, void **place)
{
	struct http *http = cookie;
	struct request *q = *place;

	(void)version;
	if (q == NULL) {
		*place = q = request_create(http, connection, path);
		begin(q, method);
		return q->status != 0 ? answer(q) : MHD_YES;
	}
	if (*len > 0) {
		if (q->body.len + *len <= BODY_MOST)
			text_add(&q->body, bytes, *len);
		else
			q->status = 413;
		*len = 0;
		return MHD_YES;
	}
	if (q->durable)
		return answer(q);
	if (http->stopping)
		return MHD_NO;
	if (!q->started) {
		q->started = true;
		if (q->status == 413)
			request_fail(q, 413, "too-large", "at most %zu bytes", BODY_MOST);
		else
			q->route->serve(q);
		if (q->status != 0)
			request_done(q);
	}
	q->suspended = true;
	MHD_suspend_connection(connection);
	return MHD_YES;
}

/* Whatever is due; and wake again when libmicrohttpd wants to be. */
static void
run(struct http *http)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (http->daemon == NULL)
		return;
	MHD_run(http->daemon);
	if (MHD_get_timeout(http->daemon, &ms) == MHD_YES)
		annex_timer_start(http->timer, (int64_t)ms);
	else
		annex_timer_stop(http->timer);
}

static void
ready(struct annex_instance *inst, void *cookie)
{
	(void)inst;
	run(cookie);
}

/* --- Life ---------------------------------------------------------------------------------- */

/* "unix", or an address and a port. */
static struct annex_place
place_of(struct annex_pool *pool, const char *text)
{
	const char *colon = strrchr(text, ':');
	struct annex_place place = { .name = "http", .mode = 0660 };

	if (colon == NULL)
		return place;
	place.name = NULL;
	place.host = *text == '[' && colon > text + 1
	    ? annex_strndup(pool, text + 1, (size_t)(colon - text) - 2)
	    : annex_strndup(pool, text, (size_t)(colon - text));
	place.port = (uint16_t)strtoul(colon + 1, NULL, 10);
	return place;
}

/* TLS is a proxy's affair, so nobody else's machine is listened to. */
int
http_check(const char *text, struct annex_pool *pool, const char **why)
{
	struct annex_place place = place_of(pool, text);

	if (*text == '\0' || strcmp(text, "unix") == 0)
		return ANNEX_OK;
	if (place.host != NULL && place.port != 0 &&
	    (strncmp(place.host, "127.", 4) == 0 || strcmp(place.host, "::1") == 0))
		return ANNEX_OK;
	*why = annex_sprintf(pool,
	    "http: \"%s\" is neither unix nor a loopback address and a port, such as 127.0.0.1:8080; "
	    "for others put a proxy that speaks TLS before it",
	    text);
	return ANNEX_EINVAL;
}

int
http_start(struct bots *m, const char **why)
{
	struct annex_instance *inst = m->inst;
	struct http *http;
	struct annex_place place;
	int fd;

	if (*m->set->http == '\0')
		return ANNEX_OK;
	place = place_of(annex_scratch(inst), m->set->http);
	if ((fd = annex_socket_open(inst, &place, why)) < 0)
		return fd;
	m->http = http = annex_new(annex_pool(inst), struct http);
	http->bots = m;
	annex_list_init(&http->requests);
	annex_list_init(&http->pollers);
	http->rates = annex_buckets_create(annex_pool(inst), PER_SECOND, BURST, 1000);
	http->timer = annex_timer(inst, ready, http);
	http->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
	    access_handler, http, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED,
	    completed, http, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MOST,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_END);
	if (http->daemon == NULL) {
		close(fd);
		*why = "libmicrohttpd does not start";
		return ANNEX_EIO;
	}
	http->watch = annex_watch(inst,
	    MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, ready, http);
	run(http);
	return ANNEX_OK;
}

void
http_stop(struct bots *m)
{
	struct http *http = m->http;

	if (http == NULL || http->daemon == NULL)
		return;
	http->stopping = true;
	ANNEX_LIST_EACH (&http->requests, l) {
		struct request *q = annex_container_of(l, struct request, link);

		if (q->suspended)
			MHD_resume_connection(q->connection);
		q->suspended = false;
	}
	annex_watch_end(&http->watch);
	MHD_stop_daemon(http->daemon);
	http->daemon = NULL;
	if (*m->set->http != '\0' && strchr(m->set->http, ':') == NULL)
		unlink(annex_socket_path(m->inst, "http"));
}
