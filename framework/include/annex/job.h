/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * job.h - long work in small turns
 *
 * Deleting a million rows in one turn would hold up everybody.  Mark
 * the thing as gone (a tombstone), start a job, and return: the job's step is
 * called in idle turns of its own until it says it is done, also after a restart.
 */
#ifndef ANNEX_JOB_H
#define ANNEX_JOB_H

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(default)

struct annex_instance;

/*
 * step does at most limit rows of work (500) and returns ANNEX_AGAIN while
 * there is more, ANNEX_OK when done, negative to give up (logged; tried again after a minute, 5
 * times).  state is kept in the store with the job: begin where you stopped; at most 400 bytes.
 */
struct annex_job_state {
	unsigned char bytes[400];
	size_t len;
};

struct annex_job {
	const char *kind; /* NULL ends the table; its name in the store */
	int (*step)(struct annex_instance *inst, struct annex_job_state *state, size_t limit);
	uintptr_t reserved[2];
};

/*
 * Start as part of this turn; jobs run one at a time, oldest first.  ANNEX_OK; ANNEX_EINVAL for a
 * kind that is not declared or a state above 400 bytes; ANNEX_EFULL or ANNEX_ESTORE as annex_put.
 */
int annex_job_start(struct annex_instance *inst, const char *kind, const void *state, size_t len);

#pragma GCC visibility pop

#endif /* ANNEX_JOB_H */
