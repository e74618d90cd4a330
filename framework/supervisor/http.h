/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * http.h - GET /metrics, and no more of HTTP than that
 *
 * One request a connection (HTTP/1.0, RFC 9112 §9.3): at most 4 KiB, ten
 * seconds, sixteen connections at once; further ones wait in the backlog.
 * Any other path is 404, any other method 405.  Only on loopback: there is
 * no access control.
 */
#ifndef SUPERVISOR_HTTP_H
#define SUPERVISOR_HTTP_H

#include <annex/pool.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/reactor.h"
#include "base/timer.h"

struct http_server;

typedef void http_render_fn(void *cookie, struct buf *out);

/* address is "127.0.0.1:9100", "[::1]:9100" or "localhost:9100".  NULL with *why. */
struct http_server *
http_listen(const char *address, struct reactor *reactor, struct timers *timers, struct log *log,
    http_render_fn *render, void *cookie, struct annex_pool *pool, const char **why);
void http_close(struct http_server **server);

/* Where it listens: of use where the port was 0. */
unsigned http_port(const struct http_server *server);

/*
 * What a request of len bytes deserves: the status line's "405 Method Not
 * Allowed", or NULL while it is not complete.
 */
const char *http_judge(const char *request, size_t len);

#endif /* SUPERVISOR_HTTP_H */
