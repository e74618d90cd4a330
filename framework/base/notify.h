/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * notify.h - telling the service manager how things stand
 *
 * The protocol of sd_notify(3): one datagram of NAME=value lines to the
 * socket named by $NOTIFY_SOCKET, which the caller has looked up.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <annex/status.h>

/*
 * text is "READY=1\nSTATUS=…".  socket_name is an absolute path, or "@name" of
 * Linux's abstract space; where it is NULL or empty nobody listens, and that
 * is ANNEX_OK.  Never blocks.  On failure errno says why.
 */
int notify_send(const char *socket_name, const char *text) ANNEX_MUST_CHECK;

#endif /* BASE_NOTIFY_H */
