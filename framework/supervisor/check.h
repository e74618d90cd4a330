/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * check.h - the configuration, as `annex-worker --check` reads it for us
 *
 * annexd parses no configuration: the check does, in a process of its own,
 * with the modules loaded, and prints what it found (worker/section.h).  A
 * check takes 30 s at most; what it has to say goes to whoever asked.
 */
#ifndef SUPERVISOR_CHECK_H
#define SUPERVISOR_CHECK_H

#include <jansson.h>
#include <stddef.h>

#include <annex/pool.h>

#include "base/buf.h"
#include "base/reactor.h"
#include "base/timer.h"

struct check_section {
	const char *domain;
	const char *hash;      /* over the whole section */
	const char *boot_hash; /* over what only a new process takes up */
	json_t *section;
	struct check_section *next;
};

struct configuration {
	struct annex_pool *pool; /* everything, the JSON values too */
	const char *run_dir;
	const char *metrics;   /* or NULL */
	const char *log_level; /* or NULL */
	struct check_section *first;
	size_t count;
};

void configuration_free(struct configuration **configuration);
const struct check_section *
configuration_find(const struct configuration *configuration, const char *domain);

struct check;

/*
 * configuration (the callee's to free) is NULL where the check failed;
 * sentences are its standard error, a line each: mistakes or warnings.
 * The check is gone when this is called.
 */
typedef void
check_done_fn(void *cookie, struct configuration *configuration, const struct buf *sentences);

/* Run program --check -c file.  done is called later, from the reactor or a timer. */
struct check *check_start(struct reactor *reactor, struct timers *timers, const char *program,
    const char *file, check_done_fn *done, void *cookie);
void check_cancel(struct check **check); /* without calling done */

#endif /* SUPERVISOR_CHECK_H */
