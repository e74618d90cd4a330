/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * process.h - a child process and its end
 *
 * The end is seen through a pidfd, one more descriptor to wait for: no
 * signal handler, and no child is ever mistaken for another.
 */
#ifndef SUPERVISOR_PROCESS_H
#define SUPERVISOR_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <annex/pool.h>

#include "base/reactor.h"

struct process;
typedef void process_ended_fn(struct process *process, int status); /* as of waitpid(2) */

struct process {
	pid_t pid; /* 0: none runs */
	struct reactor *reactor;
	struct watch watch;
	process_ended_fn *ended;
};

#define PROCESS_FDS_MAX 8

struct process_plan {
	const char *path;
	const char *const *argv; /* NULL-ended */
	int fds
	    [PROCESS_FDS_MAX]; /* fds[i] becomes i in the child, -1 /dev/null; all others close */
	size_t fd_count;
};

/*
 * In a process group of its own, so that a Ctrl-C in a terminal reaches
 * annexd alone.  ANNEX_EIO with errno where there is no process; a program
 * that cannot be executed says so on its standard error and ends with 127.
 */
int process_start(struct process *process, struct reactor *reactor, const struct process_plan *plan,
    process_ended_fn *ended) ANNEX_MUST_CHECK;

/* Replace this process by the planned one; returns only where that failed. */
int process_become(const struct process_plan *plan);

/* Where none runs, nothing happens. */
void process_signal(struct process *process, int signal);

/* Kill and wait, without calling ended. */
void process_destroy(struct process *process);

/* "exit status 1", "signal 11 (Segmentation fault)". */
const char *process_end_text(int status, struct annex_pool *pool);

#endif /* SUPERVISOR_PROCESS_H */
