/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * resolve.h - names become addresses without anybody waiting
 *
 * getaddrinfo(3) may block for many seconds, so it runs in a thread of its
 * own, one for each question; the answer wakes the reactor.
 */
#ifndef STREAM_RESOLVE_H
#define STREAM_RESOLVE_H

#include <netdb.h>
#include <stdint.h>

#include "base/reactor.h"

struct resolve;

/* addresses is the callee's (freeaddrinfo), or NULL with why. */
typedef void resolve_fn(void *cookie, struct addrinfo *addresses, const char *why);

/* At once, without a thread, where name is an IPv4 or IPv6 address; NULL where it is not. */
struct addrinfo *resolve_numeric(const char *name, uint16_t port);

/* NULL with *why where no thread can be made. */
struct resolve *resolve_start(struct reactor *reactor, const char *name, uint16_t port,
    resolve_fn *done, void *cookie, const char **why);

/* Never mind.  Also after done was called; NULL is fine. */
void resolve_cancel(struct resolve **resolve);

#endif /* STREAM_RESOLVE_H */
