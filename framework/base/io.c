/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * io.c - descriptors and files, read and written whole
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "io.h"

#define READ_STEP 16384

static const struct {
	int error, status;
} kinds[] = {
	{ ENOENT, ANNEX_ENOENT },
	{ ENOTDIR, ANNEX_ENOENT },
	{ EACCES, ANNEX_EDENIED },
	{ EPERM, ANNEX_EDENIED },
	{ EROFS, ANNEX_EDENIED },
	{ EEXIST, ANNEX_EEXIST },
	{ ENOSPC, ANNEX_EFULL },
	{ EDQUOT, ANNEX_EFULL },
	{ EFBIG, ANNEX_EFULL },
};

int
io_status(int error)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].error == error)
			return kinds[i].status;
	return ANNEX_EIO;
}

int
io_write_all(int fd, const void *bytes, size_t n)
{
	const char *at = bytes;

	while (n > 0) {
		ssize_t done = write(fd, at, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return io_status(errno);
		at += done;
		n -= (size_t)done;
	}
	return ANNEX_OK;
}

ssize_t
io_read_all(int fd, void *bytes, size_t n)
{
	char *at = bytes;
	size_t have = 0;

	while (have < n) {
		ssize_t got = read(fd, at + have, n - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return io_status(errno);
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

int
io_read_rest(int fd, size_t max, struct buf *out)
{
	size_t total = 0;
	char step[READ_STEP];

	for (;;) {
		ssize_t got = io_read_all(fd, step, sizeof(step));

		if (got < 0)
			return (int)got;
		if ((size_t)got > max - total) {
			errno = EFBIG;
			return ANNEX_ELIMIT;
		}
		buf_append(out, step, (size_t)got);
		if (out->error < 0)
			return out->error;
		total += (size_t)got;
		if ((size_t)got < sizeof(step))
			return ANNEX_OK;
	}
}

int
io_read_file(const char *path, size_t max, struct buf *out)
{
	int fd, r;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return io_status(errno);
	r = io_read_rest(fd, max, out);
	io_close(&fd);
	return r;
}

int
io_set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return io_status(errno);
	return ANNEX_OK;
}

int
io_set_cloexec(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags < 0 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0)
		return io_status(errno);
	return ANNEX_OK;
}

void
io_close(int *fd)
{
	int error = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = error;
}

/* A rename is on disk when its directory is. */
static int
sync_directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
	char *dir;
	int fd, r = ANNEX_OK;

	dir = mem_strdup(len > 0 ? path : ".");
	if (len > 0)
		dir[len] = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		r = io_status(errno);
	io_close(&fd);
	free(dir);
	return r;
}

static int
write_and_sync(int fd, const void *bytes, size_t n, mode_t mode)
{
	int r;

	if (fchmod(fd, mode) < 0)
		return io_status(errno);
	if ((r = io_write_all(fd, bytes, n)) < 0)
		return r;
	return fsync(fd) < 0 ? io_status(errno) : ANNEX_OK;
}

int
io_write_file_atomic(const char *path, const void *bytes, size_t n, mode_t mode)
{
	size_t size = strlen(path) + sizeof(".XXXXXX");
	char *temporary = mem_alloc(size);
	int fd, error, r;

	snprintf(temporary, size, "%s.XXXXXX", path);
	if ((fd = mkostemp(temporary, O_CLOEXEC)) < 0) {
		r = io_status(errno);
		goto out;
	}
	r = write_and_sync(fd, bytes, n, mode);
	io_close(&fd);
	if (r == ANNEX_OK && rename(temporary, path) < 0)
		r = io_status(errno);
	if (r < 0) {
		error = errno;
		unlink(temporary);
		errno = error;
		goto out;
	}
	r = sync_directory_of(path);
out:
	error = errno;
	free(temporary);
	errno = error;
	return r;
}
