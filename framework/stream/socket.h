/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * socket.h - one connection, tried at all addresses of a host
 */
#ifndef STREAM_SOCKET_H
#define STREAM_SOCKET_H

#include "stream.h"

/* As transport_maker.open.  config is borrowed until the user was told that it is connected. */
struct transport *
socket_open(struct reactor *reactor, struct timers *timers, const struct stream_config *config,
    const struct stream_host *host, struct transport_user *user, const char **why);

#endif /* STREAM_SOCKET_H */
