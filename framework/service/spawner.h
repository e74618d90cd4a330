/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * spawner.h - the process that starts programs
 *
 * Forked by the worker before it restricts itself, so that programs are not
 * restricted with it, and small, so that forking it is cheap.  It is
 * connected by a socketpair of datagrams, whose end ends it and all its
 * children.
 */
#ifndef SERVICE_SPAWNER_H
#define SERVICE_SPAWNER_H

#include <stdint.h>
#include <sys/types.h>

#define SPAWN_CHILDREN_MAX 64
#define SPAWN_MESSAGE_MAX 65536
#define SPAWN_NOT_STARTED (-127)

enum spawn_op {
	SPAWN_START = 1,
	SPAWN_KILL,
	SPAWN_STOP, /* TERM now, KILL 5 s later */
	SPAWN_ENDED,
};

/*
 * One datagram.  SPAWN_START carries the program's three descriptors and,
 * behind the struct, its strings, each with its NUL: dir, argv, env.
 */
struct spawn_message {
	uint32_t op;
	uint32_t child;
	int32_t
	    value; /* START: timeout_ms; KILL: signal; ENDED: status, as annex_child_events.ended */
	int32_t error; /* ENDED with SPAWN_NOT_STARTED: errno */
	uint32_t argc, envc;
};

struct annex_instance;

/*
 * Fork it, before any thread and any restriction; inst's clock, log and
 * reactor are there.  From then on SIGPIPE is ignored in this process.  Where
 * it fails that is logged, and inst->spawner stays NULL.
 */
void spawner_start(struct annex_instance *inst);

/* The same with one that is there: fd is ours from now on; pid 0 is nobody to wait for. */
void spawner_attach(struct annex_instance *inst, int fd, pid_t pid);

/* Stop the children, end it, and wait for it.  Nothing to do where there is none. */
void spawner_stop(struct annex_instance *inst);

/* The process itself: serve fd until it ends. */
_Noreturn void spawner_main(int fd);

#endif /* SERVICE_SPAWNER_H */
