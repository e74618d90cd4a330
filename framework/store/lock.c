/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * lock.c - one process at a time
 *
 * LMDB's own locks let several processes in; the store has one writer whose
 * memory is a cache of it.  The lock is the kernel's and goes with the
 * process, however that ends; the number in the file is for people alone.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "inside.h"

static int
in_use(int fd, const char *dir, struct annex_pool *pool, const char **why)
{
	char text[32] = "";
	long pid = pread(fd, text, sizeof(text) - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;

	if (pid > 0)
		return store_why(why, pool, ANNEX_EEXIST,
		    "the store in %s is already in use by process %ld", dir, pid);
	return store_why(
	    why, pool, ANNEX_EEXIST, "the store in %s is already in use by another process", dir);
}

/* may_fail: a directory nobody can write to needs no lock; *fd_r is then -1. */
int
lock_take(const char *dir, bool may_fail, int *fd_r, struct annex_pool *pool, const char **why)
{
	char *path = annex_sprintf(pool, "%s/LOCK", dir), text[32];
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), n;

	*fd_r = -1;
	if (fd < 0 && may_fail)
		return ANNEX_OK;
	if (fd < 0)
		return store_why(
		    why, pool, ANNEX_EIO, "cannot write in %s: %s", dir, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int status = errno == EWOULDBLOCK
		    ? in_use(fd, dir, pool, why)
		    : store_why(why, pool, ANNEX_EIO, "cannot lock %s: %s", path, strerror(errno));
		close(fd);
		return status;
	}
	/* Where the disk is full the number is missing, which harms nobody. */
	n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) < 0)
		errno = 0;
	*fd_r = fd;
	return ANNEX_OK;
}
