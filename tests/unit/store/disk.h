/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * disk.h - what a directory would hold if the power had gone at some moment
 *
 * The calls of the C library that change files are looked at on their way, LMDB's too.
 * A disk has what was synced.  Of what was written to a file since, it has any
 * part, down to the sector and in any order; and a name that came or went counts when
 * the directory has been synced, and before that perhaps.  Locks do not
 * outlive the machine and are left out.
 *
 * There is one such disk in a program, for the C library has no place to keep another.
 */
#ifndef DISK_H
#define DISK_H

#include <stddef.h>
#include <stdint.h>

/* Look at this directory; what is in it now is on the disk.  Until disk_stop. */
void disk_start(const char *dir);
void disk_stop(void);
void disk_free(void);

/* Moments are numbered from 0; the last is now. */
size_t disk_moment(void);

/* Make the files in dir, which has none, as they may be when the power goes at this moment. */
void disk_lose_power(size_t moment, uint64_t *random, const char *dir);

/* The next sync of a file of this name writes all and then fails with error. */
void disk_fail_sync(const char *name, int error);

/* The next number of a sequence that the seed decides, below the limit. */
unsigned disk_random(uint64_t *random, unsigned limit);

#endif /* DISK_H */
