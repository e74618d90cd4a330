/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * child.h - what the files about a component's programs share
 *
 * spawner_link.c talks to the spawner, child_pipes.c moves the bytes of a child's
 * three descriptors, spawn.c has the child's life.
 */
#ifndef SERVICE_CHILD_H
#define SERVICE_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include <annex/list.h>
#include <annex/spawn.h>

#include "base/buf.h"
#include "base/reactor.h"
#include "base/timer.h"
#include "instance.h"
#include "spawner.h"

struct spawner {
	pid_t pid;
	int fd;
	struct watch watch;
	struct annex_instance *inst;
	struct annex_link children;
	size_t count;
	uint32_t last;
};

struct annex_child {
	struct annex_link link;
	struct spawner *spawner;
	struct annex_instance *inst;
	uint32_t number;
	const struct annex_child_events *events;
	void *cookie;
	char *name;
	int input, output, errors; /* our ends of its pipes; -1: closed */
	struct watch input_watch, output_watch, errors_watch;
	struct buf asked, queue; /* for its input: of this turn; to be written */
	bool end_asked, end;     /* close its input behind that */
	int signal_asked;        /* 0: none */
	bool started;
	struct buf request;  /* until it is started */
	int theirs[3];       /* likewise: its ends */
	struct timer failed; /* tells that it could not be started */
	struct buf line;     /* of its standard error, so far */
};

/* A datagram to the spawner: strings and the child's three descriptors go with SPAWN_START. */
int spawner_send(struct spawner *spawner, const struct spawn_message *m, const struct buf *strings,
    const int *fd) ANNEX_MUST_CHECK;

/* SPAWN_KILL with a signal, or SPAWN_STOP. */
void child_signal(struct annex_child *child, enum spawn_op op, int number);

/* Both ends of its pipes; ANNEX_EIO where descriptors are short, what was made is there. */
int child_make_pipes(struct annex_child *child) ANNEX_MUST_CHECK;
void child_close_pipes(struct annex_child *child); /* those that are open */

void child_read(struct annex_child *child);      /* from now on, as something comes */
void child_read_rest(struct annex_child *child); /* its program has ended: all there is */
void child_write_queue(struct annex_child *child);

/* Its program has ended, or never began: the component is told, and the child freed. */
void child_ended(struct annex_child *child, int status);

#endif /* SERVICE_CHILD_H */
