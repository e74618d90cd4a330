/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * control.h - JSON Lines over Unix sockets, both ends
 *
 * A request is one line, an answer is any number of lines of which the last has "done":
 *
 *	> {"command": "status"}
 *	< {"done": true, "result": {...}}
 *	> {"command": "trace", "args": {"jid": "a@b"}}
 *	< {"event": {...}}	...until the client closes
 *	> {"command": "nonsense"}
 *	< {"done": true, "error": "no such command"}
 *
 * A descriptor may travel with a request (SCM_RIGHTS): a backup's target.
 * Lines are at most 1 MiB.  A connection is served one request at a time; a client that shuts
 * down its writing side after its requests is still answered.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include <annex/pool.h>

#include "base/log.h"
#include "base/reactor.h"
#include "base/timer.h"

struct control_server;
struct control_request;

/*
 * A command came in.  The handler answers now or later: control_emit any number
 * of times, then control_done or control_fail once, which frees the request.  args is borrowed until then.
 */
typedef void
control_fn(void *cookie, struct control_request *request, const char *command, json_t *args);

/* Listen on path, mode 0660; an old socket of a dead server is replaced, one in use is refused. */
struct control_server *
control_listen(const char *path, struct reactor *reactor, struct timers *timers, struct log *log,
    control_fn *handle, void *cookie, struct annex_pool *pool, const char **why);
/* Open requests fail and are gone (their control_on_gone is called); the socket is removed. */
void control_close(struct control_server **server);

/* None of these calls back: a client that is gone or reads nothing is dropped by the reactor. */
void control_emit(struct control_request *request, json_t *event); /* consumes event */
void
control_done(struct control_request *request, json_t *result); /* consumes result; NULL is {} */
void control_fail(struct control_request *request, const char *fmt, ...) ANNEX_PRINTF(2, 3);

/* Whether any request still waits for its answer, of whichever client. */
bool control_is_busy(const struct control_server *server);

uid_t control_peer_uid(const struct control_request *request);
int control_take_fd(struct control_request *request); /* -1 where none came; now the caller's */
bool control_is_gone(const struct control_request *request); /* the client hung up */
/* Called when the client hangs up before the answer; the request is freed after it. */
void control_on_gone(struct control_request *request, void (*gone)(void *cookie), void *cookie);

/* The client's end, blocking.  args (borrowed) may be NULL.  fd -1: none to pass.  timeout_ms: of
 * silence, -1 for ever.  each (may be NULL) gets the events, borrowed; returning false ends it.
 * The result (the caller's to decref), or NULL with *why.  A connection refused says which socket. */
json_t *control_call(const char *path, const char *command, json_t *args, int fd, int timeout_ms,
    bool (*each)(void *cookie, json_t *event), void *cookie, struct annex_pool *pool,
    const char **why);

#endif /* CONTROL_CONTROL_H */
