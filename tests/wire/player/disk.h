/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * disk.h - the store's I/O, watched and made to fail
 *
 * LMDB's own functions with a counter in front: call number fail_at fails
 * once with what was chosen.  What is written and not committed yet is known, so that
 * the server can tell when something is shown too early.
 */
#ifndef WIRE_DISK_H
#define WIRE_DISK_H

#include <stdbool.h>

#include "store/io.h"

struct disk {
	struct store_io io; /* first: the store's calls find the rest by it */
	const struct store_io *real;
	bool armed;            /* calls are counted */
	unsigned long calls;   /* since then */
	unsigned long fail_at; /* 0: never */
	int fail_with;         /* ENOMEM: the turn; EIO: the store */
	bool failed;           /* the call was reached */
	bool full;             /* no room on the disk */
	unsigned bad_commits;  /* so many that wrote fail from now on */
	unsigned long changes; /* rows written and deleted in the transaction; of these */
	unsigned long safe;    /* so many are in the journal, also while they are done again */
	unsigned long commits; /* that had written */
	unsigned long commits_seen;
	MDB_env *env;
	MDB_txn *txn; /* the one that writes */
};

void disk_init(struct disk *disk);
bool disk_is_dirty(const struct disk *disk); /* something is written, not committed */

/* As a killed process leaves it: the transaction is gone, descriptors are closed. */
void disk_kill(struct disk *disk, const char *dir);

#endif /* WIRE_DISK_H */
