/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * tls.h - TLS on a connected socket, never waiting
 */
#ifndef STREAM_TLS_H
#define STREAM_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "stream.h"

struct tls;

/* Reads the files that config names, every time.  why has why_size bytes and says what was
 * wrong with the last thing that failed; NULL: it could not even begin. */
struct tls *tls_create(const struct stream_config *config, const struct stream_host *host, int fd,
    char *why, size_t why_size);
void tls_destroy(struct tls **tls); /* says goodbye where it can; the descriptor stays open */

/* 1: the peer is who it should be; -EAGAIN with *events_r to be waited for; other -errno. */
int tls_shake(struct tls *tls, int *events_r);

/* As read and write of a transport. */
ssize_t tls_read(struct tls *tls, void *bytes, size_t len);
ssize_t tls_write(struct tls *tls, const void *bytes, size_t len);

/* Bytes wait that the socket no longer shows. */
bool tls_has_pending(const struct tls *tls);

/* What else must be waited for, since TLS has business of its own. */
int tls_wants(const struct tls *tls);

#endif /* STREAM_TLS_H */
