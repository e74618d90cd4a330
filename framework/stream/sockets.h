/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * sockets.h - transports over TCP and Unix sockets, with or without TLS
 */
#ifndef STREAM_SOCKETS_H
#define STREAM_SOCKETS_H

#include "stream.h"

/* The process must ignore SIGPIPE where TLS is used: OpenSSL writes without MSG_NOSIGNAL. */
struct transport_maker *sockets_create(struct reactor *reactor, struct timers *timers);
void sockets_destroy(struct transport_maker **maker);

/* Whether and how TLS is used from the next open on.  Files are read at every open.  config is
 * borrowed until the next call. */
void sockets_configure(struct transport_maker *maker, const struct stream_config *config);

#endif /* STREAM_SOCKETS_H */
