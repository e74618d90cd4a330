/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * loop.h - waiting with libev
 *
 * One epoll set for descriptors and one libev timer, which our own heap of
 * timers drives, so that whoever hands in the clock turns all of them.  An
 * iteration is a turn: the clock is read once after the wait, then begin,
 * what is ready, what is due, and end, just before the next wait.
 *
 * In an archive of its own, libloop.la, for the programs that wait.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "clock.h"
#include "reactor.h"
#include "timer.h"

struct loop;

struct loop *loop_create(struct clock *clock);
void loop_destroy(struct loop **loop); /* watches still running are forgotten */

struct reactor *loop_reactor(struct loop *loop);
struct timers *loop_timers(struct loop *loop);

/* Either may be NULL. */
void loop_on_turn(
    struct loop *loop, void (*begin)(void *cookie), void (*end)(void *cookie), void *cookie);

void loop_run(struct loop *loop); /* until loop_stop */
void loop_stop(struct loop *loop);

/* One turn, after waiting at most max_wait_ms (-1: for ever) for its reason. */
void loop_run_once(struct loop *loop, int max_wait_ms);

#endif /* BASE_LOOP_H */
