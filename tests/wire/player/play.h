/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * play.h - one run of one conversation
 *
 * Runs are played in a process forked by main.c, which ends with exit status 1
 * after it has said what was wrong.  Its notes are in memory it shares with
 * whoever forked it.
 *
 *	play.c       the statements, and what a run begins and ends with
 *	life.c       the worker: create, turn, kill, crash
 *	verbs.c      what each word does
 *	act.c        what programs do that the component runs
 *	expect.c     outputs held against expectations
 */
#ifndef WIRE_PLAY_H
#define WIRE_PLAY_H

#include <stdbool.h>
#include <stdint.h>

#include <annex/element.h>

#include "base/clock.h"
#include "worker/worker.h"

#include "disk.h"
#include "ledger.h"
#include "programs.h"
#include "script.h"
#include "section.h"
#include "server.h"
#include "vars.h"

enum run_kind {
	RUN_WHOLE, /* every stanza in one piece */
	RUN_BYTES, /* byte by byte */
	RUN_SPLIT, /* number: the seed */
	RUN_SOFT,  /* the store's call with that number fails, and the turn is undone */
	RUN_HARD,  /* ... with an I/O error, and the worker ends */
};

/* Memory shared by all runs of a file. */
#define NOTES_SEEN 65536
struct notes {
	unsigned long runs;        /* so far */
	unsigned long number;      /* of the run in hand */
	unsigned line;             /* where it is */
	bool failed_call;          /* call N of the store was reached */
	unsigned long calls;       /* of the store in this run */
	uint64_t seen[NOTES_SEEN]; /* hashes of stanzas already written out */
};

struct options {
	const char *module_dirs[16]; /* NULL-ended */
	const char *module;          /* or this file */
	const char *sent_dir;        /* where stanzas sent are written; NULL: nowhere */
	uint64_t seed;
	unsigned splits;
	bool verbose;
	bool quick; /* the plain run alone */
	const char *only;
};

struct output {
	struct annex_element *el;
	const char *raw;
	size_t raw_len;
	const char *flow; /* what it must be in order with */
	bool taken;
};

struct logged {
	enum annex_log_level level;
	const char *text;
	unsigned line;
	bool announced;
};

#define WATCHES_MAX 256
#define CRASHES_MAX 16

struct play {
	const struct options *options;
	struct script *script;
	struct statement *at;
	enum run_kind kind;
	unsigned long number;
	struct notes *notes;
	FILE *sent;

	struct annex_pool *pool;
	const char *dir;
	struct setting setting;
	char *section;
	size_t section_len;

	struct clock clock;
	struct random random, dice;
	struct disk disk;
	struct server server;
	struct server_user server_user;
	struct ledger ledger;
	struct vars vars;
	struct programs programs;

	/* The worker and what annexd would be for it */
	struct worker *worker;
	struct worker *graveyard[CRASHES_MAX];
	unsigned buried;
	struct page *page;
	uint64_t crashes[CRASHES_MAX];
	size_t crash_count;
	unsigned ended; /* times that it did by itself */
	struct reactor reactor;
	struct watch *watches[WATCHES_MAX];
	int parent_fd; /* our end */
	bool link_cut; /* by the conversation */

	char *pending; /* stanzas that wait to be handed over together */
	size_t pending_len;
	unsigned pending_line;
	struct output *outputs;
	size_t output_count, output_room;
	struct logged *logs;
	size_t log_count, log_room;
};

/* Play it through; what is wrong ends the process. */
void play_run(struct play *play);

/* Say what is wrong, with file, line and run, and exit. */
_Noreturn void play_fail(struct play *play, const char *fmt, ...) ANNEX_PRINTF(2, 3);
const char *run_name(enum run_kind kind, unsigned long number, char name[40]);

/* The store has failed on purpose: only the invariants hold from here on. */
bool play_is_lenient(const struct play *play);

/* life.c */
void life_init(struct play *play);
void life_begin(struct play *play);
void life_settle(struct play *play); /* until nothing more happens by itself */
void life_wait(struct play *play, int64_t ms);
bool life_wait_for_link(struct play *play, bool up, int64_t most_ms);
void life_kill(struct play *play);
void life_end(struct play *play);
void life_expect_crash(struct play *play);
void life_configure(struct play *play);
void life_reload(struct play *play, const char *options);

/* expect.c */
void expect_output(struct play *play, struct annex_element *el, const char *raw, size_t raw_len);
void expect_stanza(struct play *play, struct statement *st);
void expect_nothing(struct play *play);
void expect_end(struct play *play);

/* verbs.c */
void verb_send(struct play *play, struct statement *st);
void verb_flush(struct play *play);
void verb_word(struct play *play, struct statement *st);
bool verb_is_head(const char *word);
int64_t verb_duration(struct play *play, const char *text);

/* act.c */
void act_program(struct play *play, const char *text);

#endif /* WIRE_PLAY_H */
