/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The Annex authors */
/*
 * shim.c - a disk that fails when it is told to
 *
 * Loaded before the C library ($LD_PRELOAD).  $ANNEX_SHIM names a file of rules that every
 * process maps and the test writes to: each names a group of calls, part of a
 * path, how many calls pass before it bites, how often it bites, what the call then returns, and
 * how long it takes.  The numbers live in the file, so a rule that has bitten is over
 * for whoever comes next as well.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* As tests/fault/annex.py writes them. */
enum shim_call { SHIM_NONE, SHIM_META, SHIM_WRITE, SHIM_SYNC, SHIM_ALLOCATE, SHIM_OPEN };

struct shim_rule {
	_Atomic int32_t call;
	_Atomic int32_t skip, times;
	int32_t error; /* 0: only late */
	int32_t delay_ms;
	_Atomic int32_t bitten;
	char path[104];
};

#define RULES 8
#define META_BYTES 8192 /* LMDB's two first pages */

static struct shim_rule *rules;

__attribute__((constructor)) static void
shim_start(void)
{
	const char *path = getenv("ANNEX_SHIM");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map;

	if (fd < 0)
		return;
	map =
	    mmap(NULL, sizeof(struct shim_rule) * RULES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	rules = map == MAP_FAILED ? NULL : map;
}

/* The errno that this call shall fail with; 0: let it pass. */
static int
bite(struct shim_rule *rule)
{
	struct timespec ts;

	if (rule->skip > 0 && rule->skip-- > 0)
		return 0;
	if (rule->times <= 0 || rule->times-- <= 0)
		return 0;
	rule->bitten++;
	if (rule->delay_ms > 0) {
		ts.tv_sec = rule->delay_ms / 1000;
		ts.tv_nsec = rule->delay_ms % 1000 * 1000000L;
		nanosleep(&ts, NULL);
	}
	return rule->error;
}

/* The two first pages of LMDB's file are a group of their own. */
static bool
is_meant(enum shim_call wanted, enum shim_call call, const char *path)
{
	if (call == SHIM_META && strstr(path, "data.mdb") == NULL)
		call = SHIM_WRITE;
	return wanted == call;
}

static int
shim_path(enum shim_call call, const char *path)
{
	int error;

	for (int i = 0; rules != NULL && i < RULES; i++)
		if (is_meant((enum shim_call)rules[i].call, call, path) &&
		    strstr(path, rules[i].path) != NULL && (error = bite(&rules[i])) != 0)
			return error;
	return 0;
}

static int
shim_fd(enum shim_call call, int fd)
{
	char link[40], path[512];
	bool wanted = false;
	ssize_t n;

	for (int i = 0; rules != NULL && i < RULES; i++)
		wanted = wanted || rules[i].call != SHIM_NONE;
	if (!wanted)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	return shim_path(call, path);
}

static enum shim_call
write_at(off_t at)
{
	return at < META_BYTES ? SHIM_META : SHIM_WRITE;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* True where the call shall fail, and errno says why. */
static bool
fails(int error)
{
	if (error != 0)
		errno = error;
	return error != 0;
}

#define EXPORT __attribute__((visibility("default")))

EXPORT ssize_t
write(int fd, const void *bytes, size_t n)
{
	return fails(shim_fd(SHIM_WRITE, fd)) ? -1 : REAL(write)(fd, bytes, n);
}

EXPORT ssize_t
writev(int fd, const struct iovec *v, int n)
{
	return fails(shim_fd(SHIM_WRITE, fd)) ? -1 : REAL(writev)(fd, v, n);
}

EXPORT ssize_t
pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	return fails(shim_fd(write_at(at), fd)) ? -1 : REAL(pwrite)(fd, bytes, n, at);
}

EXPORT ssize_t
pwrite64(int fd, const void *bytes, size_t n, off_t at)
{
	return fails(shim_fd(write_at(at), fd)) ? -1 : REAL(pwrite64)(fd, bytes, n, at);
}

EXPORT ssize_t
pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	return fails(shim_fd(write_at(at), fd)) ? -1 : REAL(pwritev)(fd, v, n, at);
}

EXPORT ssize_t
pwritev64(int fd, const struct iovec *v, int n, off_t at)
{
	return fails(shim_fd(write_at(at), fd)) ? -1 : REAL(pwritev64)(fd, v, n, at);
}

EXPORT int
fdatasync(int fd)
{
	return fails(shim_fd(SHIM_SYNC, fd)) ? -1 : REAL(fdatasync)(fd);
}

EXPORT int
fsync(int fd)
{
	return fails(shim_fd(SHIM_SYNC, fd)) ? -1 : REAL(fsync)(fd);
}

EXPORT int
ftruncate(int fd, off_t len)
{
	return fails(shim_fd(SHIM_ALLOCATE, fd)) ? -1 : REAL(ftruncate)(fd, len);
}

EXPORT int
ftruncate64(int fd, off_t len)
{
	return fails(shim_fd(SHIM_ALLOCATE, fd)) ? -1 : REAL(ftruncate64)(fd, len);
}

EXPORT int
fallocate(int fd, int mode, off_t at, off_t len)
{
	return fails(shim_fd(SHIM_ALLOCATE, fd)) ? -1 : REAL(fallocate)(fd, mode, at, len);
}

EXPORT int
fallocate64(int fd, int mode, off_t at, off_t len)
{
	return fails(shim_fd(SHIM_ALLOCATE, fd)) ? -1 : REAL(fallocate64)(fd, mode, at, len);
}

/* These say what is wrong themselves. */
EXPORT int
posix_fallocate(int fd, off_t at, off_t len)
{
	int error = shim_fd(SHIM_ALLOCATE, fd);

	return error != 0 ? error : REAL(posix_fallocate)(fd, at, len);
}

EXPORT int
posix_fallocate64(int fd, off_t at, off_t len)
{
	int error = shim_fd(SHIM_ALLOCATE, fd);

	return error != 0 ? error : REAL(posix_fallocate64)(fd, at, len);
}

EXPORT int
mkdir(const char *path, mode_t mode)
{
	return fails(shim_path(SHIM_OPEN, path)) ? -1 : REAL(mkdir)(path, mode);
}

/* Only where something may be written. */
EXPORT int
open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if ((flags & O_CREAT) != 0) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	if ((flags & O_ACCMODE) != O_RDONLY && fails(shim_path(SHIM_OPEN, path)))
		return -1;
	return REAL(open)(path, flags, mode);
}
