/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * io.h - descriptors and files, read and written whole
 *
 * On failure errno says what the system said; the status is its kind:
 * ANNEX_ENOENT, ANNEX_EDENIED, ANNEX_EFULL, ANNEX_ELIMIT or ANNEX_EIO.
 * Nothing is logged here.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stddef.h>
#include <sys/types.h>

#include <annex/status.h>

#include "buf.h"

/* For blocking descriptors; an interrupted call is taken up again. */
int io_write_all(int fd, const void *bytes, size_t n) ANNEX_MUST_CHECK;

/* Up to n bytes, fewer only at the end; how many, or a negative status. */
ssize_t io_read_all(int fd, void *bytes, size_t n) ANNEX_MUST_CHECK;

/* Append the rest of a descriptor, or a file; more than max bytes: ANNEX_ELIMIT. */
int io_read_rest(int fd, size_t max, struct buf *out) ANNEX_MUST_CHECK;
int io_read_file(const char *path, size_t max, struct buf *out) ANNEX_MUST_CHECK;

int io_set_nonblocking(int fd) ANNEX_MUST_CHECK;
int io_set_cloexec(int fd) ANNEX_MUST_CHECK;

/* Close, and forget the number; -1 is fine.  errno is kept. */
void io_close(int *fd);

/*
 * Replace path by a file with these bytes and this mode, so that whoever
 * looks, and whatever fails, sees the old or the new one, whole.  When it
 * returns ANNEX_OK the new one is on disk.
 */
int
io_write_file_atomic(const char *path, const void *bytes, size_t n, mode_t mode) ANNEX_MUST_CHECK;

/* The kind of an errno. */
int io_status(int error);

#endif /* BASE_IO_H */
