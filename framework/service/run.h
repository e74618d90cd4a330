/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * run.h - one run of a command, whoever asked for it
 */
#ifndef SERVICE_RUN_H
#define SERVICE_RUN_H

#include <annex/command.h>
#include <annex/list.h>
#include <annex/pool.h>

#include "base/timer.h"
#include "instance.h"
#include "service.h"

#define RUN_STAGES_MAX 32 /* of one command: it must have an end */

struct commands;

struct run_line {
	struct run_line *next;
	const char *text;         /* of a note */
	const char *const *value; /* of a row */
	size_t bytes;             /* of a row, on the wire */
};

struct run_lines {
	struct run_line *first, *last;
	size_t count, bytes;
};

struct annex_run {
	struct annex_instance *inst;
	const struct annex_jid *by, *at;
	const char *lang;          /* of the request, or NULL */
	struct annex_pool *pool;   /* of the run */
	struct annex_pool *values; /* lives as long as the values */
	struct run_lines notes, rows;
	const char *const *var, *const *label; /* of the columns */
	size_t columns;
	struct annex_error error;       /* condition 0: none */
	const struct annex_form *asked; /* the next stage's */
	int *fd;               /* the file that came along, or -1; NULL: from annexctl alone */
	struct held_run *held; /* the one that answers instead, or NULL */
};

/* A run for annexctl that is answered in a later turn; in its own pool. */
struct held_run {
	struct annex_run run;
	struct annex_link link;
	held_answer_fn *answer; /* NULL until somebody waits for it */
	void *cookie;
};

void run_init(struct annex_run *run, struct annex_instance *inst, const struct annex_jid *by,
    const struct annex_jid *at, struct annex_pool *pool, struct annex_pool *values);

/* Call the component.  ANNEX_OK; ANNEX_AGAIN and run->asked is set; or negative and run->error
 * is. */
int
run_stage(struct annex_run *run, const struct annex_command *command, unsigned stage, void *values);

/* End all that are held: they are answered with a sentence. */
void held_runs_end(struct commands *commands);

/* A deep copy. */
struct annex_form *form_copy(struct annex_pool *pool, const struct annex_form *form);

/* Which members of a command's values are texts, as far as its forms have said. */
struct text_member {
	size_t offset;
	bool several;
};
struct texts {
	struct text_member *text; /* free() it */
	size_t count;
};
void texts_note(struct texts *texts, const struct annex_form *form);
void texts_move(const struct texts *texts, struct annex_pool *pool, void *values);

/* What commands_init makes. */
struct session;
struct commands {
	struct annex_pool *pool;
	struct annex_map *by_id;
	struct annex_link by_age; /* sessions, oldest first */
	size_t count;
	char prefix[17];
	uint64_t last;
	struct annex_pool *answer; /* of the last commands_run */
	struct annex_link held;    /* struct held_run */
};

#endif /* SERVICE_RUN_H */
