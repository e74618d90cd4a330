/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * server.c - the end of a control socket that answers
 *
 * A client is a channel; it is served one request at a time, the next line
 * waits until the last was answered.  A request may outlive its client: the
 * handler still holds it and will answer into the void, or, where it asked
 * for it with control_on_gone, lets go of it at once.
 *
 * Who may ask, the socket's mode decides: its owner, its group, and root.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <annex/list.h>

#include "base/acceptor.h"
#include "base/alloc.h"
#include "base/check.h"
#include "base/io.h"

#include "address.h"
#include "channel.h"
#include "control.h"
#include "request.h"

#define CLIENTS_MAX 64

struct control_client {
	struct annex_link link;
	struct control_server *server;
	struct channel channel;
	struct control_request *request; /* in hand */
	uid_t uid;
};

struct control_request {
	uint32_t magic;
#define REQUEST_MAGIC 0x3c0de57au
	struct annex_link link;
	struct control_client *client; /* NULL once it is gone */
	uid_t uid;
	int fd;
	json_t *root;
	void (*gone)(void *cookie);
	void *cookie;
};

struct control_server {
	struct reactor *reactor;
	struct log *log;
	control_fn *handle;
	void *cookie;
	char *path;
	dev_t device; /* and inode: of our socket, so that we remove no other's */
	ino_t inode;
	struct acceptor acceptor;
	struct annex_link clients, requests;
	size_t client_count;
};

static void
request_free(struct control_request *request)
{
	CHECK_OBJECT(request, REQUEST_MAGIC);
	request->magic = 0;
	annex_list_remove(&request->link);
	if (request->client != NULL)
		request->client->request = NULL;
	io_close(&request->fd);
	json_decref(request->root);
	free(request);
}

/* Nobody will read the answer any more. */
static void
request_lose_client(struct control_request *request)
{
	request->client->request = NULL;
	request->client = NULL;
	if (request->gone == NULL)
		return;
	request->gone(request->cookie);
	request_free(request);
}

static void
client_free(struct control_client *client)
{
	if (client->request != NULL)
		request_lose_client(client->request);
	channel_finish(&client->channel);
	annex_list_remove(&client->link);
	client->server->client_count--;
	free(client);
}

static void
client_ended(struct channel *channel, const char *why)
{
	struct control_client *client = annex_container_of(channel, struct control_client, channel);

	if (client->request != NULL)
		log_write(client->server->log, ANNEX_LOG_DEBUG,
		    "control client of uid %u left before its answer (%s)", (unsigned)client->uid,
		    why);
	client_free(client);
}

/* {"done": true, key: value}; consumes value. */
static int
client_answer(struct control_client *client, const char *key, json_t *value)
{
	json_t *answer = json_pack("{s:b}", "done", 1);
	int r;

	json_object_set_new(answer, key, value);
	r = channel_send(&client->channel, answer);
	json_decref(answer);
	return r;
}

static void
client_refuse(struct control_client *client, const char *why)
{
	client_answer(client, "error", json_string(why));
}

static void
client_line(struct channel *channel, char *line, size_t len)
{
	struct control_client *client = annex_container_of(channel, struct control_client, channel);
	struct control_server *server = client->server;
	struct annex_pool *pool = annex_pool_create(NULL, "control line");
	struct control_request *request;
	struct request parsed;
	const char *why;

	if (request_parse(line, len, &parsed, pool, &why) < 0) {
		client_refuse(client, why);
		annex_pool_destroy(&pool);
		return;
	}
	annex_pool_destroy(&pool);
	request = mem_zalloc(sizeof(*request));
	*request = (struct control_request) {
		.magic = REQUEST_MAGIC,
		.client = client,
		.uid = client->uid,
		.fd = channel_take_fd(channel),
		.root = parsed.root,
	};
	client->request = request;
	annex_list_append(&server->requests, &request->link);
	channel_hold(channel);
	server->handle(server->cookie, request, parsed.command, parsed.args);
}

static void
server_take(struct acceptor *acceptor, int fd)
{
	struct control_server *server =
	    annex_container_of(acceptor, struct control_server, acceptor);
	struct control_client *client;
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (server->client_count >= CLIENTS_MAX ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0) {
		log_write(server->log, ANNEX_LOG_WARNING, "control connection refused (%s)",
		    server->client_count >= CLIENTS_MAX ? "too many of them" : strerror(errno));
		close(fd);
		return;
	}
	client = mem_zalloc(sizeof(*client));
	client->server = server;
	client->uid = peer.uid;
	channel_init(&client->channel, server->reactor, fd, client_line, client_ended);
	annex_list_append(&server->clients, &client->link);
	server->client_count++;
}

/* Whether somebody listens there.  A socket without a server refuses at once. */
static bool
address_is_served(const struct sockaddr_un *address)
{
	int fd = address_connect(address);
	bool served = fd >= 0 || errno != ECONNREFUSED;

	io_close(&fd);
	return served;
}

static int
bind_socket(int fd, const struct sockaddr_un *address)
{
	/* Linux makes the file with the socket's own mode less the umask: never wider than
	 * meant, not even between the two calls. */
	if (fchmod(fd, 0660) < 0 ||
	    bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return -1;
	return chmod(address->sun_path, 0660);
}

/* Bind, replacing the socket of a server that died. */
static int
claim_socket(int fd, const struct sockaddr_un *address, struct annex_pool *pool, const char **why)
{
	const char *path = address->sun_path;
	struct stat st;

	if (bind_socket(fd, address) == 0)
		return ANNEX_OK;
	if (errno == EADDRINUSE && lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode)) {
			*why = annex_sprintf(pool, "%s is in the way and is no socket", path);
			return ANNEX_EEXIST;
		}
		if (address_is_served(address)) {
			*why = annex_sprintf(pool, "%s is in use by a running process", path);
			return ANNEX_EEXIST;
		}
		if (unlink(path) == 0 && bind_socket(fd, address) == 0)
			return ANNEX_OK;
	}
	*why = annex_sprintf(pool, "cannot make the control socket %s: %s", path, strerror(errno));
	return io_status(errno);
}

struct control_server *
control_listen(const char *path, struct reactor *reactor, struct timers *timers, struct log *log,
    control_fn *handle, void *cookie, struct annex_pool *pool, const char **why)
{
	struct control_server *server;
	struct sockaddr_un address;
	struct stat st;
	int fd;

	if (address_of_path(&address, path) < 0) {
		*why = annex_sprintf(pool,
		    "the path of the control socket %s has more than %zu bytes: choose a shorter "
		    "run-dir",
		    path, sizeof(address.sun_path) - 1);
		return NULL;
	}
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0) {
		*why = annex_sprintf(pool, "no socket: %s", strerror(errno));
		return NULL;
	}
	if (claim_socket(fd, &address, pool, why) < 0) {
		close(fd);
		return NULL;
	}
	if (listen(fd, 16) < 0 || lstat(path, &st) < 0) {
		*why = annex_sprintf(pool, "cannot listen on %s: %s", path, strerror(errno));
		close(fd);
		return NULL;
	}
	server = mem_zalloc(sizeof(*server));
	*server = (struct control_server) {
		.reactor = reactor,
		.log = log,
		.handle = handle,
		.cookie = cookie,
		.path = mem_strdup(path),
		.device = st.st_dev,
		.inode = st.st_ino,
	};
	annex_list_init(&server->clients);
	annex_list_init(&server->requests);
	acceptor_start(&server->acceptor, reactor, timers, log, fd, server_take);
	return server;
}

void
control_close(struct control_server **serverp)
{
	struct control_server *server = *serverp;
	struct stat st;

	if (server == NULL)
		return;
	*serverp = NULL;
	ANNEX_LIST_EACH (&server->clients, l) {
		struct control_client *client = annex_container_of(l, struct control_client, link);

		if (client->request != NULL)
			client_refuse(client, "shutting down");
		client_free(client);
	}
	while (!annex_list_is_empty(&server->requests))
		request_free(
		    annex_container_of(server->requests.next, struct control_request, link));
	acceptor_stop(&server->acceptor);
	if (lstat(server->path, &st) == 0 && st.st_dev == server->device &&
	    st.st_ino == server->inode)
		unlink(server->path);
	free(server->path);
	free(server);
}

bool
control_is_busy(const struct control_server *server)
{
	return !annex_list_is_empty(&server->requests);
}

void
control_emit(struct control_request *request, json_t *event)
{
	json_t *line;

	CHECK_OBJECT(request, REQUEST_MAGIC);
	line = json_object();
	json_object_set_new(line, "event", event);
	if (request->client != NULL &&
	    channel_send(&request->client->channel, line) == ANNEX_ELIMIT)
		log_write(request->client->server->log, ANNEX_LOG_WARNING,
		    "an event of more than 1 MiB was not told to a control client");
	json_decref(line);
}

/* Answer, free the request, and take the client's next line. */
static void
request_finish(struct control_request *request, const char *key, json_t *value)
{
	struct control_client *client = request->client;

	if (client == NULL)
		json_decref(value);
	else if (client_answer(client, key, value) == ANNEX_ELIMIT)
		client_refuse(client, "the answer is longer than 1 MiB");
	request_free(request);
	if (client != NULL)
		channel_go_on(&client->channel);
}

void
control_done(struct control_request *request, json_t *result)
{
	CHECK_OBJECT(request, REQUEST_MAGIC);
	request_finish(request, "result", result != NULL ? result : json_object());
}

void
control_fail(struct control_request *request, const char *fmt, ...)
{
	struct annex_pool *pool = annex_pool_create(NULL, "control error");
	json_t *text;
	va_list args;

	CHECK_OBJECT(request, REQUEST_MAGIC);
	va_start(args, fmt);
	/* The sentence may quote bytes of whatever kind; JSON takes UTF-8 alone. */
	if ((text = json_string(annex_vsprintf(pool, fmt, args))) == NULL)
		text = json_string("failed, with an explanation that is not UTF-8");
	va_end(args);
	annex_pool_destroy(&pool);
	request_finish(request, "error", text);
}

uid_t
control_peer_uid(const struct control_request *request)
{
	return request->uid;
}

int
control_take_fd(struct control_request *request)
{
	int fd = request->fd;

	request->fd = -1;
	return fd;
}

bool
control_is_gone(const struct control_request *request)
{
	return request->client == NULL;
}

void
control_on_gone(struct control_request *request, void (*gone)(void *cookie), void *cookie)
{
	request->gone = gone;
	request->cookie = cookie;
}
