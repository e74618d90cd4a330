/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * expand.h - a fan-out's next stanza as pieces, for who copies them himself
 */
#ifndef STREAM_EXPAND_H
#define STREAM_EXPAND_H

#include <sys/uio.h>

#include "fanout.h"

#define FANOUT_PIECES 5

/* How many pieces make the stanza at *place, which moves on, and their joint length; 0: no more. */
int fanout_pieces(
    const struct fanout *fanout, size_t *place, struct iovec pieces[FANOUT_PIECES], size_t *len_r);

#endif /* STREAM_EXPAND_H */
