/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * socket.c - a component's own sockets
 *
 * A peer that the component has closed lingers until what it was told is
 * written, or for a while; it is never freed inside one of its callbacks.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <annex/list.h>
#include <annex/socket.h>

#include "base/acceptor.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/io.h"
#include "instance.h"

#define PEERS_MAX 256 /* of a listener */
#define OUTPUT_MAX ((size_t)1 << 20)
#define READ_BYTES ((size_t)16 << 10)
#define READS 4 /* of one peer in one turn */
#define LINGER_MS 10000

struct annex_listener {
	struct annex_link link;
	struct annex_instance *inst;
	const struct annex_peer_events *events;
	void *cookie;
	char *path; /* NULL: no Unix socket */
	dev_t device;
	ino_t inode;
	struct acceptor acceptor;
	struct annex_link peers;
	size_t count;
};

struct annex_peer {
	struct annex_link link;
	struct annex_listener *listener;
	void *cookie;
	int64_t uid;
	int fd;
	struct watch watch;
	struct buf asked, queue;   /* of this turn; to be written */
	bool paused, broken;       /* broken: they do not take what is written */
	bool called, gone;         /* in an event of it; closed there with its listener */
	bool close_asked, closing; /* by the component: in this turn; when all is written */
	struct timer linger;       /* who does not read what is left has had time enough */
};

struct annex_watch {
	struct annex_link link;
	struct annex_instance *inst;
	struct watch watch;
	void (*fn)(struct annex_instance *inst, void *cookie);
	void *cookie;
};

/* --- Peers ----------------------------------------------------------------- */

static void peer_ready(struct watch *watch, int events);

static void
peer_free(struct annex_peer *peer)
{
	annex_list_remove(&peer->link);
	peer->listener->count--;
	watch_stop(peer->listener->inst->reactor, &peer->watch);
	timer_stop(peer->listener->inst->timers, &peer->linger);
	io_close(&peer->fd);
	buf_finish(&peer->asked);
	buf_finish(&peer->queue);
	peer->gone = peer->close_asked = true;
	if (!peer->called)
		free(peer);
}

/* An event of it has returned; false: it closed its listener, and with it this peer. */
static bool
peer_stays(struct annex_peer *peer)
{
	peer->called = false;
	if (!peer->gone)
		return true;
	free(peer);
	return false;
}

/* Wait for what is wanted. */
static void
peer_want(struct annex_peer *peer)
{
	int events = peer->queue.len > 0 ? REACTOR_WRITE : 0;

	if ((!peer->paused || peer->broken) && !peer->closing)
		events |= REACTOR_READ;
	if (events == 0)
		watch_stop(peer->listener->inst->reactor, &peer->watch);
	else
		watch_start(
		    peer->listener->inst->reactor, &peer->watch, peer->fd, events, peer_ready);
}

/* They went: the component is told unless it was the one who closed. */
static void
peer_left(struct annex_peer *peer)
{
	struct annex_instance *inst = peer->listener->inst;
	const struct annex_peer_events *events = peer->listener->events;

	watch_stop(inst->reactor, &peer->watch);
	if (!peer->closing && !peer->close_asked && events->left != NULL && instance_enter(inst)) {
		peer->called = true;
		events->left(inst, peer, peer->cookie);
		instance_leave(inst);
		if (!peer_stays(peer))
			return;
	}
	peer_free(peer);
}

/* Nothing of the component is called here: a turn may be over.  That they are gone is read later. */
static void
peer_flush(struct annex_peer *peer)
{
	while (peer->queue.len > 0) {
		ssize_t n = send(peer->fd, peer->queue.data, peer->queue.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		peer->broken = n < 0;
		buf_consume(&peer->queue, n < 0 ? peer->queue.len : (size_t)n);
	}
	if (peer->closing && peer->queue.len == 0)
		peer_free(peer);
	else
		peer_want(peer);
}

static void
peer_read(struct annex_peer *peer)
{
	struct annex_instance *inst = peer->listener->inst;
	const struct annex_peer_events *events = peer->listener->events;
	char bytes[READ_BYTES];

	if (peer->broken) {
		peer_left(peer);
		return;
	}
	for (int i = 0; i < READS && !peer->paused && !peer->close_asked; i++) {
		ssize_t n = recv(peer->fd, bytes, sizeof(bytes), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			peer_left(peer);
			return;
		}
		if (events->said == NULL || !instance_enter(inst))
			continue;
		peer->called = true;
		events->said(inst, peer, bytes, (size_t)n, peer->cookie);
		instance_leave(inst);
		if (!peer_stays(peer))
			return;
	}
}

static void
peer_ready(struct watch *watch, int events)
{
	struct annex_peer *peer = annex_container_of(watch, struct annex_peer, watch);
	bool closing = peer->closing; /* then it is not read from, and may be gone once flushed */

	if ((events & REACTOR_WRITE) != 0)
		peer_flush(peer);
	if ((events & REACTOR_READ) != 0 && !closing)
		peer_read(peer);
}

int
annex_peer_write(struct annex_peer *peer, const void *bytes, size_t len)
{
	if (peer->close_asked || peer->closing)
		return ANNEX_EOFFLINE;
	if (len > OUTPUT_MAX || peer->asked.len + peer->queue.len > OUTPUT_MAX - len)
		return ANNEX_ELIMIT;
	buf_append(&peer->asked, bytes, len);
	return ANNEX_OK;
}

void
annex_peer_close(struct annex_peer *peer)
{
	peer->close_asked = true;
}

void
annex_peer_pause(struct annex_peer *peer, bool pause)
{
	peer->paused = pause;
	if (!peer->gone)
		peer_want(peer);
}

int64_t
annex_peer_uid(const struct annex_peer *peer)
{
	return peer->uid;
}

/* --- Listeners --------------------------------------------------------------- */

static struct annex_peer *
peer_create(struct annex_listener *listener, int fd)
{
	struct annex_peer *peer = mem_zalloc(sizeof(*peer));
	struct ucred cred;
	socklen_t len = sizeof(cred);

	peer->listener = listener;
	peer->fd = fd;
	peer->uid = -1;
	if (listener->path != NULL && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
		peer->uid = cred.uid;
	annex_list_append(&listener->peers, &peer->link);
	listener->count++;
	return peer;
}

static void
somebody_came(struct acceptor *acceptor, int fd)
{
	struct annex_listener *l = annex_container_of(acceptor, struct annex_listener, acceptor);
	struct annex_instance *inst = l->inst;
	struct annex_peer *peer;

	if (l->count >= PEERS_MAX || !instance_enter(inst)) {
		if (l->count >= PEERS_MAX)
			annex_log(inst, ANNEX_LOG_REMOTE, "a connection was refused (%d are open)",
			    PEERS_MAX);
		io_close(&fd);
		return;
	}
	peer = peer_create(l, fd);
	peer->called = true;
	if (l->events->came != NULL)
		peer->cookie = l->events->came(inst, peer, l->cookie);
	instance_leave(inst);
	if (peer_stays(peer))
		peer_want(peer);
}

struct annex_listener *
annex_listen(struct annex_instance *inst, const struct annex_place *place,
    const struct annex_peer_events *events, void *cookie, const char **why)
{
	int fd = annex_socket_open(inst, place, why);
	struct annex_listener *l;
	struct stat st;

	if (fd < 0)
		return NULL;
	l = mem_zalloc(sizeof(*l));
	l->inst = inst;
	l->events = events;
	l->cookie = cookie;
	annex_list_init(&l->peers);
	annex_list_append(&inst->listeners, &l->link);
	if (place->name != NULL) {
		l->path = mem_strdup(annex_socket_path(inst, place->name));
		if (lstat(l->path, &st) == 0) {
			l->device = st.st_dev;
			l->inode = st.st_ino;
		}
	}
	acceptor_start(&l->acceptor, inst->reactor, inst->timers, inst->log, fd, somebody_came);
	return l;
}

void
annex_listener_close(struct annex_listener **listener)
{
	struct annex_listener *l = *listener;
	struct stat st;

	if (l == NULL)
		return;
	*listener = NULL;
	ANNEX_LIST_EACH (&l->peers, link)
		peer_free(annex_container_of(link, struct annex_peer, link));
	acceptor_stop(&l->acceptor);
	if (l->path != NULL && lstat(l->path, &st) == 0 && st.st_dev == l->device &&
	    st.st_ino == l->inode)
		unlink(l->path);
	annex_list_remove(&l->link);
	free(l->path);
	free(l);
}

/* --- Watches ---------------------------------------------------------------- */

static void
watch_ready(struct watch *watch, int events)
{
	struct annex_watch *w = annex_container_of(watch, struct annex_watch, watch);
	struct annex_instance *inst = w->inst;

	if (!instance_enter(inst))
		return;
	w->fn(inst, w->cookie);
	instance_leave(inst);
}

struct annex_watch *
annex_watch(struct annex_instance *inst, int fd,
    void (*fn)(struct annex_instance *inst, void *cookie), void *cookie)
{
	struct annex_watch *w = mem_zalloc(sizeof(*w));

	CHECK_OBJECT(inst, INSTANCE_MAGIC);
	w->inst = inst;
	w->fn = fn;
	w->cookie = cookie;
	annex_list_append(&inst->watches, &w->link);
	watch_start(inst->reactor, &w->watch, fd, REACTOR_READ, watch_ready);
	return w;
}

void
annex_watch_end(struct annex_watch **watch)
{
	struct annex_watch *w = *watch;

	if (w == NULL)
		return;
	*watch = NULL;
	watch_stop(w->inst->reactor, &w->watch);
	annex_list_remove(&w->link);
	free(w);
}

/* --- The end of a turn, and of a life ------------------------------------------ */

static void
lingered(struct timer *timer)
{
	peer_free(annex_container_of(timer, struct annex_peer, linger));
}

static void
peer_turn_done(struct annex_peer *peer)
{
	if (peer->asked.len == 0 && !peer->close_asked)
		return;
	buf_append(&peer->queue, peer->asked.data, peer->asked.len);
	buf_clear(&peer->asked);
	if (peer->close_asked && !peer->closing)
		timer_start(peer->listener->inst->timers, &peer->linger, LINGER_MS, lingered);
	peer->closing |= peer->close_asked;
	peer_flush(peer);
}

void
sockets_init(struct annex_instance *inst)
{
	annex_list_init(&inst->listeners);
	annex_list_init(&inst->watches);
}

void
sockets_turn_done(struct annex_instance *inst)
{
	ANNEX_LIST_EACH (&inst->listeners, ll) {
		struct annex_listener *l = annex_container_of(ll, struct annex_listener, link);

		ANNEX_LIST_EACH (&l->peers, pl)
			peer_turn_done(annex_container_of(pl, struct annex_peer, link));
	}
}

void
sockets_reset(struct annex_instance *inst)
{
	ANNEX_LIST_EACH (&inst->listeners, link) {
		struct annex_listener *l = annex_container_of(link, struct annex_listener, link);

		annex_listener_close(&l);
	}
	ANNEX_LIST_EACH (&inst->watches, link) {
		struct annex_watch *w = annex_container_of(link, struct annex_watch, link);

		annex_watch_end(&w);
	}
}
